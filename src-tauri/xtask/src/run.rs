//! Steps and the programs that they start.

use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::Outcome;
use crate::workspace::Workspace;

/// Says what is being done, does it, and says how long it took.
pub(crate) fn step<T>(what: &str, act: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    println!("==> {what}");
    let started = Instant::now();
    let done = act();
    let verdict = if done.is_ok() { "done" } else { "FAILED" };
    println!("    {verdict} in {:.1} s: {what}", started.elapsed().as_secs_f64());
    if let Err(problem) = &done {
        println!("    {problem}");
    }
    done
}

/// cargo, in the checkout.
pub(crate) fn cargo(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    in_workspace(workspace, &mut command);
    command
}

/// npm, in the folder of the UI.
pub(crate) fn npm(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut command = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    command.args(arguments).current_dir(workspace.ui());
    command
}

/// Gives a program the surroundings that everything of this checkout is built and run in.
pub(crate) fn in_workspace(workspace: &Workspace, command: &mut Command) {
    // `cargo run` describes xtask itself in these. An inner cargo would take them for changes and
    // build again what it has built.
    let of_xtask = |name: &str| {
        ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
    };
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(of_xtask) {
            command.env_remove(name);
        }
    }
    command
        .current_dir(&workspace.root)
        .env("CARGO_TARGET_DIR", &workspace.target)
        .env("TIDEMARK_TOOLS", workspace.tools());
    if std::env::var_os("DUCKDB_LIB_DIR").is_none() {
        command.env("DUCKDB_LIB_DIR", workspace.duckdb());
    }
    let libraries = if cfg!(windows) {
        "PATH"
    } else if cfg!(target_os = "macos") {
        "DYLD_LIBRARY_PATH"
    } else {
        "LD_LIBRARY_PATH"
    };
    command.env(libraries, with_first(libraries, workspace));
}

/// A list of folders from the environment, with that of the DuckDB library put first.
fn with_first(variable: &str, workspace: &Workspace) -> OsString {
    let rest = std::env::var_os(variable).unwrap_or_default();
    let folders = std::iter::once(workspace.duckdb())
        .chain(std::env::split_paths(&rest).filter(|folder| !folder.as_os_str().is_empty()));
    // A folder with a separator in its name cannot be listed; the rest is better than nothing.
    std::env::join_paths(folders).unwrap_or(rest)
}

/// Runs a program to its end; what it prints goes through.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let status = command.status().map_err(|error| not_started(command, &error))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` failed ({status}).", shown(command))) }
}

/// Runs a program to its end and gives what it printed.
pub(crate) fn output(command: &mut Command) -> Outcome<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .map_err(|error| not_started(command, &error))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("`{}` failed ({}). {}", shown(command), output.status, said.trim()))
    }
}

pub(crate) fn not_started(command: &Command, error: &std::io::Error) -> String {
    format!("`{}` cannot be started: {error}.", command.get_program().display())
}

/// A command as one would type it.
fn shown(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    // The path of a tool says nothing to a reader.
    let name = program.file_stem().unwrap_or(program.as_os_str());
    std::iter::once(name)
        .chain(command.get_args())
        .map(|part| part.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
