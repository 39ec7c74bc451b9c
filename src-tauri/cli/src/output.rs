//! What the program says: JSON for programs, sentences for people.

use std::fmt::Display;
use std::io::{self, Write};
use std::sync::OnceLock;

use serde_json::Value;

/// Where the lines of JSON go, and whether they got there.
#[derive(Debug, Default)]
pub(crate) struct Output {
    /// Standard output holds the rows of an export.
    is_taken: bool,
    failed: OnceLock<io::Error>,
}

impl Output {
    /// Standard output, or standard error if an export `is_taken` by the former.
    pub(crate) fn new(is_taken: bool) -> Self {
        Self { is_taken, failed: OnceLock::new() }
    }

    /// One line of JSON. A reader that has gone away is no reason to fail; a full device is, and the program goes on
    /// until it can say so.
    pub(crate) fn print_line(&self, value: &Value) {
        let written =
            if self.is_taken { writeln!(io::stderr(), "{value}") } else { writeln!(io::stdout(), "{value}") };
        if let Err(error) = written {
            self.note(error);
        }
    }

    /// Remembers why something could not be written.
    pub(crate) fn note(&self, error: io::Error) {
        if error.kind() != io::ErrorKind::BrokenPipe {
            // The first reason is the one to report.
            let _ = self.failed.set(error);
        }
    }

    /// Whether everything was written, and a sentence for people if not.
    pub(crate) fn is_whole(&self) -> bool {
        if let Some(error) = self.failed.get() {
            say(format_args!("Standard output could not be written: {error}"));
        }
        self.failed.get().is_none()
    }
}

/// A line for people, on standard error. A reader that has gone away is no reason to fail.
pub(crate) fn say(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}
