//! `tidemark-cli`: the engine with no window, for scheduled fetches and for checking it from outside.
//!
//! The last line on standard output is one JSON object. Exit codes: 0 complete, 3 partial, 2 wrong
//! usage, 1 failed.

mod arguments;
mod commands;

use std::process::ExitCode;

use clap::Parser as _;
use serde_json::json;
use tidemark_engine::failure::Failure;

use crate::arguments::Arguments;

/// Exit code of a partial answer.
const PARTIAL: u8 = 3;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match commands::run(arguments).await {
        Ok(commands::Outcome::Complete) => ExitCode::SUCCESS,
        Ok(commands::Outcome::Partial) => ExitCode::from(PARTIAL),
        Err(failure) => {
            report(&failure);
            ExitCode::FAILURE
        }
    }
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
