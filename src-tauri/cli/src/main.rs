//! `tidemark-cli`: the engine with no window, for scheduled fetches and for checking it from outside.
//!
//! The last line on standard output is one JSON object. Exit codes: 0 complete, 3 partial, 2 wrong
//! usage, 1 failed.

mod arguments;
mod commands;

use std::process::ExitCode;

use clap::Parser as _;
use serde_json::json;
use tidemark_engine::failure::{Failure, redact};

use crate::arguments::Arguments;

/// Exit code of a command line that cannot be understood.
const WRONG_USAGE: u8 = 2;
/// Exit code of a partial answer.
const PARTIAL: u8 = 3;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        let trace = std::backtrace::Backtrace::capture();
        eprintln!("{}", redact(&format!("tidemark-cli met a fault of its own: {panic}\n{trace}")));
    }));
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() => {
            eprint!("{}", without_connection_strings(error.to_string()));
            return ExitCode::from(WRONG_USAGE);
        }
        // Help and version.
        Err(error) => error.exit(),
    };
    match commands::run(arguments).await {
        Ok(commands::Outcome::Complete) => ExitCode::SUCCESS,
        Ok(commands::Outcome::Partial) => ExitCode::from(PARTIAL),
        Err(failure) => {
            report(&failure);
            ExitCode::FAILURE
        }
    }
}

/// What is wrong with a command line, with no password: connection strings that it quotes are left out.
fn without_connection_strings(mut text: String) -> String {
    for argument in std::env::args().filter(|argument| argument.contains("://")) {
        text = text.replace(&argument, "<connection string>");
    }
    text
}

/// The failure for people on standard error, and for programs as the last line of standard output.
fn report(failure: &Failure) {
    eprintln!("{}", failure.message);
    eprintln!("{}", failure.next);
    if let Some(cause) = &failure.cause {
        eprintln!("({cause})");
    }
    println!(
        "{}",
        json!({"error": {"code": failure.code, "message": failure.message, "cause": failure.cause}})
    );
}
