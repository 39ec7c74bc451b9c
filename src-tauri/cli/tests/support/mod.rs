//! What the tests of the command line share: one server, the program itself, and a strict CSV reader.
#![allow(dead_code, reason = "each test binary uses its part")]

#[allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]
pub(crate) mod fixture;
#[allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]
pub(crate) mod mounts;
#[allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]
pub(crate) mod old_file;

use std::process::{Command, Stdio};

use serde_json::Value;
pub(crate) use tidemark_test_support::csv::read_csv;
pub(crate) use tidemark_test_support::server;

/// What a run of the program left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// The last line of standard output, or null where it is no JSON.
    pub(crate) last: Value,
}

impl Run {
    pub(crate) fn count(&self, pointer: &str) -> u64 {
        self.last
            .pointer(pointer)
            .and_then(Value::as_u64)
            .unwrap_or_else(|| panic!("no {pointer} in {self:?}"))
    }

    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.last
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("no {pointer} in {self:?}"))
    }
}

/// What the program reads and writes in tests instead of the user's own: its log, its settings and no keychain.
const SURROUNDINGS: [(&str, &str); 3] = [
    ("TIDEMARK_LOG_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/logs")),
    ("TIDEMARK_SETTINGS_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/no settings")),
    ("TIDEMARK_KEYCHAIN", "off"),
];

/// The program.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidemark-cli"));
    command.envs(SURROUNDINGS);
    command
}

/// A shell that runs a script with the program as `$0`, and with what is added as its arguments.
pub(crate) fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_tidemark-cli")]).envs(SURROUNDINGS);
    command
}

/// Runs the program with some environment.
pub(crate) fn cli_with(arguments: &[&str], environment: &[(&str, &str)]) -> Run {
    let output = program()
        .args(arguments)
        .env_remove("TIDEMARK_MONGODB_PASSWORD")
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    let stdout = String::from_utf8(output.stdout).expect("UTF-8");
    let last = stdout.lines().last().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default();
    Run {
        code: output.status.code().expect("an exit code"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        stdout,
        last,
    }
}

/// Runs the program.
pub(crate) fn cli(arguments: &[&str]) -> Run {
    cli_with(arguments, &[])
}
