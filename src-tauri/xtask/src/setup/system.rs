//! What the system's own packages provide.

use std::process::{Command, Stdio};

use super::Needs;
use crate::Outcome;
use crate::run::{output, run};
use crate::workspace::on_path;

/// To compile C code and find libraries: the server and some crates.
const COMPILE: [&str; 4] = ["build-essential", "clang", "cmake", "pkg-config"];

/// The window: `WebKitGTK` and what Tauri links besides.
const WINDOW: [&str; 4] = ["libwebkit2gtk-4.1-dev", "librsvg2-dev", "libssl-dev", "libxdo-dev"];

/// A virtual display, and what drives and looks at a window on it.
const DISPLAY: [&str; 4] = ["webkit2gtk-driver", "xvfb", "dbus-x11", "xdotool"];

/// A keychain for the window's test, which is left out where there is none.
const KEYCHAIN: [&str; 1] = ["gnome-keyring"];

/// Installs them where that is known how to do, else names what is missing.
pub(crate) fn install(needs: Needs) -> Outcome {
    if cfg!(target_os = "linux") && on_path("apt-get").is_some() && on_path("dpkg-query").is_some() {
        with_apt(&debian_packages(needs))?;
        if needs.driver
            && let Err(problem) = with_apt(&KEYCHAIN)
        {
            println!("    {problem} The keychain is not tested here.");
        }
        return Ok(());
    }
    let missing = missing_parts(needs);
    if missing.is_empty() { Ok(()) } else { Err(missing.join("\n  - ")) }
}

fn debian_packages(needs: Needs) -> Vec<&'static str> {
    let mut packages = COMPILE.to_vec();
    if needs.window {
        packages.extend(WINDOW);
        // The demo wants none of these, but its check without a display does, and they are small.
        packages.extend(DISPLAY);
    }
    packages
}

fn with_apt(wanted: &[&str]) -> Outcome {
    let missing = not_installed(wanted);
    if missing.is_empty() {
        return Ok(());
    }
    let by_hand = format!("sudo apt-get install {}", missing.join(" "));
    println!("    missing: {}", missing.join(" "));
    let privileged = || -> Outcome<Command> {
        if is_root() {
            Ok(Command::new("apt-get"))
        } else if on_path("sudo").is_some() {
            let mut command = Command::new("sudo");
            command.arg("apt-get");
            Ok(command)
        } else {
            Err(format!("Packages are missing and only root can install them: {by_hand}"))
        }
    };
    // Old lists are better than none: some mirrors fail in part.
    if let Err(problem) = run(privileged()?.args(["update", "-q"])) {
        println!("    {problem}");
    }
    let mut install = privileged()?;
    install
        .args(["install", "-q", "-y", "--no-install-recommends"])
        .args(&missing)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::inherit());
    run(&mut install).map_err(|problem| format!("{problem} Install by hand: {by_hand}"))
}

fn not_installed<'a>(wanted: &[&'a str]) -> Vec<&'a str> {
    // Ends with a failure where one of them is unknown, and still prints the others.
    let listed = Command::new("dpkg-query")
        .args(["-W", "-f", "${Package} ${db:Status-Status}\n"])
        .args(wanted)
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default();
    let installed = |package: &str| listed.lines().any(|line| line == format!("{package} installed"));
    wanted.iter().filter(|package| !installed(package)).copied().collect()
}

fn is_root() -> bool {
    output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// On other systems: what cannot be found, each with how to get it.
fn missing_parts(needs: Needs) -> Vec<String> {
    let mut missing = Vec::new();
    let mut need = |found: bool, what: &str| {
        if !found {
            missing.push(what.to_owned());
        }
    };
    if cfg!(target_os = "macos") {
        let tools = output(Command::new("xcode-select").arg("-p")).is_ok();
        need(tools, "Apple's command line tools are missing: xcode-select --install");
        need(on_path("cmake").is_some(), "cmake is missing: brew install cmake");
    } else if cfg!(windows) {
        need(on_path("cmake").is_some(), "cmake is missing: winget install Kitware.CMake");
        // The linker of Visual Studio is found by cargo itself, which says so where it is missing.
        // WebView2 is part of Windows 11.
    } else {
        let library = |name: &str| output(Command::new("pkg-config").args(["--exists", name])).is_ok();
        need(on_path("cc").is_some(), "A C compiler is missing: install gcc or clang.");
        need(on_path("cmake").is_some(), "cmake is missing: install the package cmake.");
        need(on_path("pkg-config").is_some(), "pkg-config is missing: install it or pkgconf.");
        if needs.window {
            let webkit = "WebKitGTK 4.1 with its headers is missing: webkit2gtk4.1-devel (Fedora), webkit2gtk-4.1 (Arch).";
            need(library("webkit2gtk-4.1"), webkit);
        }
        if needs.driver {
            let driver =
                "WebKitWebDriver is missing: webkit2gtk-driver (Fedora), webkitgtk's package (Arch).";
            need(on_path("WebKitWebDriver").is_some(), driver);
            need(
                on_path("Xvfb").is_some(),
                "Xvfb is missing: xorg-x11-server-Xvfb (Fedora), xorg-server-xvfb (Arch).",
            );
            need(on_path("dbus-run-session").is_some(), "dbus-run-session is missing: install dbus.");
        }
    }
    missing
}
