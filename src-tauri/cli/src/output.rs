//! The program's output: JSON for programs, sentences for people.

use std::fmt::Display;
use std::io::{self, Write};
use std::sync::OnceLock;

use serde_json::Value;

/// The destination of the JSON lines, and whether they were written.
#[derive(Debug, Default)]
pub(crate) struct Output {
    /// Whether an export is written to standard output.
    is_taken: bool,
    failed: OnceLock<io::Error>,
}

impl Output {
    /// Writes to standard output, or to standard error if the former `is_taken` by an export.
    pub(crate) fn new(is_taken: bool) -> Self {
        Self { is_taken, failed: OnceLock::new() }
    }

    /// Prints one line of JSON. A closed pipe is not a failure. A full device is, but the program continues and
    /// reports it at the end.
    pub(crate) fn print_line(&self, value: &Value) {
        let written =
            if self.is_taken { writeln!(io::stderr(), "{value}") } else { writeln!(io::stdout(), "{value}") };
        if let Err(error) = written {
            self.note(error);
        }
    }

    /// Records why something could not be written.
    pub(crate) fn note(&self, error: io::Error) {
        if error.kind() != io::ErrorKind::BrokenPipe {
            // Only the first reason is reported.
            let _ = self.failed.set(error);
        }
    }

    /// Whether everything was written; prints the reason if not.
    pub(crate) fn is_whole(&self) -> bool {
        if let Some(error) = self.failed.get() {
            say(format_args!("Standard output could not be written: {error}"));
        }
        self.failed.get().is_none()
    }
}

/// Prints a line for people on standard error. A closed pipe is not a failure.
pub(crate) fn say(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}
