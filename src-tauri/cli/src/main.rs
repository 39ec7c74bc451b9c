//! `tidemark-cli`: the engine without a window, for scheduled fetches and for checking the app from outside.
//!
//! The last line on standard output is one JSON object. Exit codes: 0 complete, 3 partial, 2 wrong usage, 1 failed.

mod arguments;
mod commands;
mod output;

use std::io::Write as _;
use std::panic::PanicHookInfo;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{CommandFactory as _, FromArgMatches as _};
use serde_json::json;
use tidemark_engine::failure::{Failure, redact};
use tidemark_engine::zone_rules::ZoneRules;
use tracing::{info, warn};

use crate::arguments::Arguments;
use crate::output::{Output, say};

/// Exit code for wrong usage.
const WRONG_USAGE: u8 = 2;
/// Exit code for a partial answer.
const PARTIAL: u8 = 3;

#[tokio::main]
async fn main() -> ExitCode {
    std::panic::set_hook(Box::new(report_fault));
    // Leaked, because the parser needs it for as long as the program runs.
    let version: &'static str =
        format!("{}\ntime zone rules {}", env!("CARGO_PKG_VERSION"), ZoneRules::in_use()).leak();
    let parsed = Arguments::command().version(version).try_get_matches();
    let arguments = match parsed.and_then(|matches| Arguments::from_arg_matches(&matches)) {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() => {
            say(without_connection_strings(error.to_string()).trim_end());
            return ExitCode::from(WRONG_USAGE);
        }
        // `--help` or `--version`.
        Err(asked) => {
            let output = Output::default();
            asked.print().unwrap_or_else(|error| output.note(error));
            return exit_code(&output, ExitCode::SUCCESS);
        }
    };
    let prepared = commands::output_of(&arguments)
        .and_then(|output| Ok((Arc::new(output), commands::source_named(&arguments)?)));
    let (output, source) = match prepared {
        Ok(prepared) => prepared,
        Err(problem) => {
            say(without_connection_strings(format!("error: {problem}")));
            return ExitCode::from(WRONG_USAGE);
        }
    };
    let _logs = tidemark_logs::start(arguments.log);
    info!(version = env!("CARGO_PKG_VERSION"), process = std::process::id(), "tidemark-cli started");
    let code = match commands::run(arguments, source, &output).await {
        Ok(commands::Outcome::Complete) => ExitCode::SUCCESS,
        Ok(commands::Outcome::Partial) => ExitCode::from(PARTIAL),
        Err(failure) => {
            report(&failure, &output);
            ExitCode::FAILURE
        }
    };
    exit_code(&output, code)
}

/// The exit code, or failure if standard output could not be written completely.
fn exit_code(output: &Output, code: ExitCode) -> ExitCode {
    if output.is_whole() { code } else { ExitCode::FAILURE }
}

/// Reports a panic, without passwords.
fn report_fault(panic: &PanicHookInfo<'_>) {
    let trace = std::backtrace::Backtrace::capture();
    // Standard error may be closed too; a panic in here would end the program without any message.
    let _ = writeln!(
        std::io::stderr(),
        "{}",
        redact(&format!("tidemark-cli met a fault of its own: {panic}\n{trace}"))
    );
}

/// Removes connection strings that an error message quotes from the command line, since they may contain a password.
fn without_connection_strings(mut text: String) -> String {
    // Not `args`, which panics if an argument is not UTF-8.
    let arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
    for argument in arguments.filter(|argument| argument.contains("://")) {
        text = text.replace(&argument, "<connection string>");
    }
    text
}

/// Reports a failure to people on standard error, and to programs as the last line of standard output.
fn report(failure: &Failure, output: &Output) {
    warn!(code = %failure.code, run = failure.run.map(tracing::field::display), "the command failed: {}", failure.for_log());
    say(&failure.message);
    say(&failure.next);
    if let Some(cause) = &failure.cause {
        say(format_args!("({cause})"));
    }
    let mut error = json!({"code": failure.code, "message": failure.message, "cause": failure.cause});
    if let Some(run) = &failure.run {
        say(format_args!("(The log has it under the run {run}.)"));
        error["run"] = json!(run);
    }
    output.print_line(&json!({"error": error}));
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Set in the child process in which this test panics.
    const FAILS: &str = "TIDEMARK_TEST_FAILS";
    const PASSWORD: &str = "PLANTED s3cr3t";

    /// Panics in a child process with a message that quotes the password of a source in use and a connection string.
    #[test]
    fn a_fault_holds_no_password() {
        if std::env::var_os(FAILS).is_some() {
            std::panic::set_hook(Box::new(report_fault));
            let settings = tidemark_engine::source::SourceSettings {
                uri: "mongodb://ann@db1/".to_owned(),
                password: Some(PASSWORD.into()),
                database: "desk".to_owned(),
                collection: "trades".to_owned(),
            };
            let _in_use = tidemark_engine::source::Source::new(&settings);
            panic!("it says {PASSWORD:?} and mongodb://bob:0ther-PLANTED@db1/");
        }
        let program = std::env::current_exe().expect("this program");
        let fault = Command::new(program)
            .args(["--exact", "tests::a_fault_holds_no_password", "--nocapture"])
            .envs([(FAILS, "1"), ("RUST_BACKTRACE", "full")])
            .output()
            .expect("it starts");
        let said = String::from_utf8_lossy(&fault.stderr);
        assert!(!fault.status.success() && said.contains("met a fault of its own"), "{said}");
        assert!(said.contains("\"***\"") && said.contains("mongodb://bob:***@db1/"), "{said}");
        assert!(!said.contains("PLANTED") && !said.contains("s3cr3t"), "{said}");
    }
}
