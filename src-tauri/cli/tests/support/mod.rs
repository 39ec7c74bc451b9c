//! What the tests of the command line share: one server, the program itself, and a strict CSV reader.
#![allow(dead_code, reason = "each test binary uses its part")]

#[allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]
pub(crate) mod desk;

use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use tidemark_test_server::TestServer;

/// The server of this test binary. It ends with the process.
pub(crate) fn server() -> &'static TestServer {
    static SERVER: OnceLock<TestServer> = OnceLock::new();
    SERVER.get_or_init(|| TestServer::start().expect("a test server"))
}

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

/// Runs the program with some environment.
pub(crate) fn cli_with(arguments: &[&str], environment: &[(&str, &str)]) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_tidemark-cli"))
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

/// Reads CSV by the letter of RFC 4180. An empty cell is `None`, a quoted empty text is `Some("")`.
pub(crate) fn read_csv(text: &str) -> Vec<Vec<Option<String>>> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let mut rest = text.chars().peekable();
    while rest.peek().is_some() {
        let cell = if rest.next_if_eq(&'"').is_some() {
            let mut cell = String::new();
            loop {
                match rest.next().expect("a quoted cell ends") {
                    '"' if rest.next_if_eq(&'"').is_some() => cell.push('"'),
                    '"' => break,
                    other => cell.push(other),
                }
            }
            Some(cell)
        } else {
            let mut cell = String::new();
            while let Some(next) = rest.next_if(|next| !matches!(next, ',' | '\r' | '\n')) {
                assert_ne!(next, '"', "a quote in a cell that is not quoted: {cell}");
                cell.push(next);
            }
            (!cell.is_empty()).then_some(cell)
        };
        row.push(cell);
        match rest.next() {
            Some(',') => {
                if rest.peek().is_none() {
                    row.push(None);
                }
            }
            Some('\r') => {
                assert_eq!(rest.next(), Some('\n'), "a record ends with CR LF");
                rows.push(std::mem::take(&mut row));
            }
            other => panic!("{other:?} after the cell {:?}", row.last()),
        }
    }
    assert!(row.is_empty(), "the last record ends too");
    rows
}
