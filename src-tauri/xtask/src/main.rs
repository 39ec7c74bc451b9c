//! The tasks of this repository, as `cargo xtask COMMAND`.
//!
//! Each command installs what it needs and lacks, says what it is doing as it does it, and says
//! what it could not do and what to do about it. Nothing here knows how the app works; it starts
//! cargo, npm and the programs that they build.

mod demo;
mod lints;
mod released;
mod rooms;
mod run;
mod setup;
mod tasks;
mod test;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// What went wrong, as a sentence that says what to do about it.
type Outcome<T = ()> = Result<T, String>;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "The tasks of this repository")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Install what building, testing and the demo need and this machine lacks.
    Setup,
    /// Open the app, connected to a sample desk on a server of its own.
    Demo {
        /// Messages of the sample desk.
        #[arg(long, default_value_t = 200_000)]
        messages: u64,
        /// Open it on a virtual display, take a screenshot of the window, and end.
        #[arg(long, conflicts_with = "first_start")]
        headless_check: bool,
        /// Open it as at its first start: no source is set up, and the sample desk is offered.
        #[arg(long)]
        first_start: bool,
    },
    /// Run the quick checks: format, lints, types, rules of our own, unit tests.
    Check,
    /// Run every check.
    Test,
    /// Measure fetches, pages, exports, memory and disk, each beside its floor.
    Bench {
        /// Messages in the collection.
        #[arg(long, default_value_t = 1_000_000)]
        messages: u64,
        /// Write the figures to this file as well.
        #[arg(long)]
        json: Option<PathBuf>,
        /// Another build of the benchmark, whose cold fetches are measured in turn with those of this one.
        #[arg(long, value_name = "FILE")]
        beside: Option<PathBuf>,
        /// Also measure Python's usual packages, in an environment of their own.
        #[arg(long)]
        peers: bool,
        #[command(subcommand)]
        part: Option<BenchPart>,
    },
    /// Build the app and the command line for release.
    Build {
        /// Then read back where the programs look for libraries, and try to break out of the app's page, on a
        /// virtual display (Linux).
        #[arg(long)]
        check: bool,
    },
    /// Generate the UI's types from the engine.
    Types,
    /// Compare cached with uncached answers over random queries, for a while.
    Soak {
        /// How long.
        #[arg(long, required_unless_present = "sweep", conflicts_with = "sweep")]
        minutes: Option<u64>,
        /// Seed, to repeat a run.
        #[arg(long, conflicts_with = "sweep")]
        seed: Option<u64>,
        /// Kinds of cruelty to draw, with commas between them; all, none, or those that the engine stands.
        #[arg(long, conflicts_with = "sweep")]
        cruelty: Option<String>,
        /// Instead, fetch months of every size up to 300,000 messages.
        #[arg(long)]
        sweep: bool,
    },
}

/// What can be measured by itself.
#[derive(Debug, Subcommand)]
enum BenchPart {
    /// Measure the window of the release app with a large cached answer, on a virtual display (Linux).
    Ui {
        /// Rows of the answer. It is built once, which takes minutes.
        #[arg(long, default_value_t = 10_000_000)]
        rows: u64,
        /// The folder of the answer; beside the build by default.
        #[arg(long, value_name = "FOLDER")]
        folder: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    let command = Cli::parse().command;
    let done = Workspace::find().and_then(|workspace| match command {
        Command::Setup => setup::install(&workspace, setup::Needs::ALL),
        Command::Demo { messages, headless_check: false, first_start } => {
            demo::open(&workspace, messages, first_start)
        }
        Command::Demo { messages, headless_check: true, .. } => demo::check(&workspace, messages),
        Command::Check => test::quick_checks(&workspace),
        Command::Test => test::every_check(&workspace),
        Command::Bench { part: Some(BenchPart::Ui { rows, folder }), .. } => {
            tasks::bench_ui(&workspace, rows, folder.as_deref())
        }
        Command::Bench { messages, json, beside, peers, part: None } => {
            tasks::bench(&workspace, messages, json.as_deref(), beside.as_deref(), peers)
        }
        Command::Build { check: false } => tasks::build(&workspace),
        Command::Build { check: true } => tasks::build_and_check(&workspace),
        Command::Types => tasks::types(&workspace),
        Command::Soak { sweep: true, .. } => tasks::sweep(&workspace),
        Command::Soak { minutes, seed, cruelty, .. } => {
            tasks::soak(&workspace, minutes.unwrap_or(1), seed, cruelty.as_deref())
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("\n{problem}");
            ExitCode::FAILURE
        }
    }
}
