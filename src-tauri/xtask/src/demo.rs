//! The app on the sample desk.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::run::{cargo, in_workspace, not_started, output, run, step};
use crate::setup::{self, Needs};
use crate::tasks::build_ui;
use crate::workspace::{Workspace, on_path};

const DATABASE: &str = "desk";
const COLLECTION: &str = "messages";

/// How long the window may take to appear.
const WINDOW_TIMEOUT: Duration = Duration::from_secs(90);

/// How long a window takes at most to fill, once it is there.
const DRAWING_TIME: Duration = Duration::from_secs(5);

/// Opens the app on this display and stays until it is closed.
pub(crate) fn open(workspace: &Workspace, messages: u64, first_start: bool) -> Outcome {
    let display = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    if cfg!(target_os = "linux") && !display {
        return Err("There is no display to open a window on. `cargo xtask demo --headless-check` \
                    opens it on a virtual one and takes a screenshot."
            .to_owned());
    }
    let server = prepare(workspace, messages)?;
    println!("==> Open the window. Press Fetch; close it to end the demo.");
    let closed = run(&mut if first_start {
        app_at_first_start(workspace, &server.uri)?
    } else {
        app(workspace, &server.uri)
    });
    step("Stop the sample desk", || server.stop())?;
    closed
}

/// Opens the app on a virtual display, takes a screenshot and closes it.
pub(crate) fn check(workspace: &Workspace, messages: u64) -> Outcome {
    let server = prepare(workspace, messages)?;
    let seen = step("Open the window on a virtual display", || headless(workspace, &server.uri));
    step("Stop the sample desk", || server.stop())?;
    seen
}

/// Everything up to a desk that is ready to be asked.
fn prepare(workspace: &Workspace, messages: u64) -> Outcome<SampleServer> {
    setup::install(workspace, Needs::DEMO)?;
    build_ui(workspace)?;
    step("Build the app and the sample desk", || {
        run(&mut cargo(workspace, &["build", "-p", "tidemark", "-p", "tidemark-sample-desk"]))
    })?;
    step("Start the sample desk", || SampleServer::start(workspace, messages))
}

/// The app, pointed at the desk.
fn app(workspace: &Workspace, uri: &str) -> Command {
    let mut command = Command::new(workspace.built("debug", "tidemark"));
    in_workspace(workspace, &mut command);
    pointed_at_sample(&mut command, workspace, uri);
    command
}

/// The app as at its first start, with the desk to try.
fn app_at_first_start(workspace: &Workspace, uri: &str) -> Outcome<Command> {
    let folder = workspace.cache.join("demo").join("first-start");
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .map_err(|error| format!("{} cannot be emptied: {error}.", folder.display()))?;
    }
    let mut command = Command::new(workspace.built("debug", "tidemark"));
    in_workspace(workspace, &mut command);
    command
        .env("TIDEMARK_SAMPLE_URI", uri)
        .env("TIDEMARK_SAMPLE_DB", DATABASE)
        .env("TIDEMARK_SAMPLE_COLLECTION", COLLECTION)
        .env("TIDEMARK_SAMPLE_MAPPING", workspace.root.join("src-tauri/sample-desk/mapping.json"))
        .env("TIDEMARK_CACHE_DIR", folder.join("cache"))
        .env("TIDEMARK_SETTINGS_DIR", folder.join("settings"))
        .env("TIDEMARK_LOG_DIR", folder.join("logs"));
    Ok(command)
}

fn pointed_at_sample(command: &mut Command, workspace: &Workspace, uri: &str) {
    command
        .env("TIDEMARK_DEMO_URI", uri)
        .env("TIDEMARK_DEMO_DB", DATABASE)
        .env("TIDEMARK_DEMO_COLLECTION", COLLECTION)
        .env("TIDEMARK_DEMO_MAPPING", workspace.root.join("src-tauri/sample-desk/mapping.json"))
        // What is shown here is not to be found among the trader's own queries and settings.
        .env("TIDEMARK_CACHE_DIR", workspace.cache.join("demo").join("cache"))
        .env("TIDEMARK_SETTINGS_DIR", workspace.cache.join("demo").join("settings"))
        .env("TIDEMARK_LOG_DIR", workspace.cache.join("demo").join("logs"));
}

/// A running `sample-desk serve`. It ends when it is stopped, and when we end.
struct SampleServer {
    process: Child,
    uri: String,
}

impl SampleServer {
    fn start(workspace: &Workspace, messages: u64) -> Outcome<Self> {
        let mut command = Command::new(workspace.built("debug", "sample-desk"));
        in_workspace(workspace, &mut command);
        command
            .args(["serve", "--db", DATABASE, "--collection", COLLECTION])
            .args(["--messages", &messages.to_string(), "--dir"])
            // Kept, for a quick start the next time.
            .arg(workspace.cache.join("demo").join("server"))
            .args(["--port", &sample_port().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut process = command.spawn().map_err(|error| not_started(&command, &error))?;
        let lines = process.stdout.take().map(BufReader::new);
        let uri = lines.and_then(|lines| {
            lines
                .lines()
                .map_while(Result::ok)
                .find_map(|line| line.strip_prefix("ready ").map(str::to_owned))
        });
        match uri {
            Some(uri) => Ok(Self { process, uri }),
            None => {
                // It has said why, and ended.
                let _ = process.wait();
                Err("The sample desk did not start; see above.".to_owned())
            }
        }
    }

    fn stop(mut self) -> Outcome {
        // The end of its input is the sign to end.
        drop(self.process.stdin.take());
        let status = self.process.wait().map_err(|error| format!("The sample desk is lost: {error}."))?;
        if status.success() { Ok(()) } else { Err(format!("The sample desk failed ({status}).")) }
    }
}

/// The desk's own port where it is free, so that what was cached last time is the same source today.
fn sample_port() -> u16 {
    const OWN: u16 = 47_017;
    if std::net::TcpListener::bind(("127.0.0.1", OWN)).is_ok() { OWN } else { 0 }
}

/// A virtual display. Ends when dropped.
struct Display {
    process: Child,
    name: String,
}

impl Display {
    fn start() -> Outcome<Self> {
        let mut command = Command::new("Xvfb");
        command
            // It picks a free display and prints its number.
            .args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut process = command.spawn().map_err(|error| not_started(&command, &error))?;
        let mut number = String::new();
        if let Some(out) = process.stdout.take() {
            // Without a number it has ended, which is dealt with below.
            let _ = BufReader::new(out).read_line(&mut number);
        }
        let display = Self { process, name: format!(":{}", number.trim()) };
        if number.trim().is_empty() { Err("Xvfb did not start.".to_owned()) } else { Ok(display) }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        // It holds nothing that could be lost.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn headless(workspace: &Workspace, uri: &str) -> Outcome {
    if !cfg!(target_os = "linux") {
        return Err("There is a virtual display on Linux only.".to_owned());
    }
    let display = Display::start()?;
    let mut command = match on_path("dbus-run-session") {
        Some(session) => {
            let mut command = Command::new(session);
            command.arg("--").arg(workspace.built("debug", "tidemark"));
            command
        }
        None => Command::new(workspace.built("debug", "tidemark")),
    };
    in_workspace(workspace, &mut command);
    pointed_at_sample(&mut command, workspace, uri);
    command.env("DISPLAY", &display.name).env("NO_AT_BRIDGE", "1").env_remove("WAYLAND_DISPLAY");
    own_group(&mut command);
    let mut app = command.spawn().map_err(|error| not_started(&command, &error))?;
    let seen = wait_for_window(&mut app, &display)
        .and_then(|()| screenshot(&display, &workspace.cache.join("demo").join("window.png")));
    end_group(&mut app);
    match seen? {
        Some(file) => println!("    screenshot: {}", file.display()),
        None => println!("    no screenshot: ImageMagick's `import` is not installed"),
    }
    Ok(())
}

fn wait_for_window(app: &mut Child, display: &Display) -> Outcome {
    let started = Instant::now();
    while started.elapsed() < WINDOW_TIMEOUT {
        if let Ok(Some(status)) = app.try_wait() {
            return Err(format!("The app ended before its window came up ({status})."));
        }
        let search = ["search", "--onlyvisible", "--name", "Tidemark"];
        if output(Command::new("xdotool").args(search).env("DISPLAY", &display.name)).is_ok() {
            println!("    the window was up after {:.1} s", started.elapsed().as_secs_f64());
            std::thread::sleep(DRAWING_TIME);
            return match app.try_wait() {
                Ok(None) => Ok(()),
                _ => Err("The app ended soon after its window came up.".to_owned()),
            };
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    Err(format!("No window came up within {} s.", WINDOW_TIMEOUT.as_secs()))
}

/// A picture of the display, where there is a program to take it.
fn screenshot(display: &Display, file: &Path) -> Outcome<Option<PathBuf>> {
    if on_path("import").is_none() {
        return Ok(None);
    }
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(|error| format!("No folder for the screenshot: {error}."))?;
    }
    output(Command::new("import").args(["-window", "root"]).arg(file).env("DISPLAY", &display.name))?;
    Ok(Some(file.to_owned()))
}

/// Puts the app and what it starts (a session bus, `WebKit`'s processes) into a group of their own.
#[cfg(unix)]
fn own_group(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

#[cfg(not(unix))]
fn own_group(_command: &mut Command) {}

/// Ends that group.
fn end_group(leader: &mut Child) {
    #[cfg(unix)]
    {
        let group = rustix::process::Pid::from_child(leader);
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::TERM);
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(10) {
            if !matches!(leader.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    #[cfg(not(unix))]
    let _ = leader.kill();
    let _ = leader.wait();
}
