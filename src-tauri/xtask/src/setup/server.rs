//! Programs that cargo installs: a server that speaks MongoDB's protocol, and the driver of the window.

use std::fs;

use crate::Outcome;
use crate::run::{cargo, run};
use crate::workspace::{Workspace, on_path};

const SERVER: &str = "0.5.3-beta.196";
const DRIVER: &str = "2.1.0";

/// A server, unless there is a real one.
pub(crate) fn install(workspace: &Workspace) -> Outcome {
    let there = std::env::var_os("TIDEMARK_TEST_MONGODB_URI").is_some()
        || on_path("mongod").is_some()
        || on_path("secantusd-rs").is_some()
        || workspace.tool("secantusd-rs").is_file();
    if there {
        return Ok(());
    }
    println!("    compiling secantusd-rs, some minutes, once");
    // It asks for a newer Rust than it uses.
    let version = ["--version", SERVER, "--locked", "--ignore-rust-version"];
    cargo_install(workspace, "secantus-mdb", &version).map_err(|problem| {
        format!(
            "There is no MongoDB server to test with: {problem} It takes cmake and a C compiler; \
             or install mongod, or set TIDEMARK_TEST_MONGODB_URI to a server that may be written to."
        )
    })
}

/// What stands between `WebDriver` and the window. There is none for macOS.
pub(crate) fn install_driver(workspace: &Workspace) -> Outcome {
    if cfg!(target_os = "macos") || workspace.tool("tauri-driver").is_file() {
        return Ok(());
    }
    cargo_install(workspace, "tauri-driver", &["--version", DRIVER, "--locked"])
        .map_err(|problem| format!("The window cannot be tested without tauri-driver: {problem}"))
}

fn cargo_install(workspace: &Workspace, package: &str, options: &[&str]) -> Outcome {
    let build = workspace.cache.join("build-tools");
    let mut command = cargo(workspace, &["install", package]);
    command
        .args(options)
        .arg("--root")
        .arg(workspace.tools())
        .env("CARGO_TARGET_DIR", &build)
        // Outside the checkout, whose settings are not meant for it.
        .current_dir(std::env::temp_dir())
        // Ready sooner rather than a little faster: it serves tests.
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "2")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    let done = run(&mut command);
    if done.is_ok() {
        // Gigabytes that nothing needs any more. Left behind, they do no harm.
        let _ = fs::remove_dir_all(build);
    }
    done
}
