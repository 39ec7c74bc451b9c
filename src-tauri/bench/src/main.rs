//! `tidemark-bench`: how far a fetch is from what the machine could do at best.
//!
//! One run, one server, one data set. Every fetch runs in a process of its own, so that its peak
//! memory is its own and nothing is warm but what a user's second start would find warm.

mod measure;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Measures Tidemark against its floors.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    /// Messages in the collection.
    #[arg(long, default_value_t = 1_000_000)]
    messages: u64,
    /// Also write the figures as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(subcommand)]
    part: Option<Part>,
}

/// One measurement in a process of its own; called by the benchmark itself.
#[derive(Debug, Subcommand)]
enum Part {
    /// Pull the documents and do nothing with them.
    #[command(hide = true)]
    Drain(measure::Work),
    /// Fetch into a cache.
    #[command(hide = true)]
    Fetch(measure::Work),
    /// Answer from a cache: the first page, then the whole answer.
    #[command(hide = true)]
    Repeat(measure::Work),
    /// Forget the last days.
    #[command(hide = true)]
    Forget(measure::Work),
    /// Write the input as CSV.
    #[command(hide = true)]
    Export(measure::Work),
    /// Write the stored columns with DuckDB's own COPY.
    #[command(hide = true)]
    Copy(measure::Work),
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.part {
        None => report::run(arguments.messages, arguments.json.as_deref()).await,
        Some(part) => match part {
            Part::Drain(work) => measure::drain(&work).await,
            Part::Fetch(work) => measure::fetch(&work).await,
            Part::Repeat(work) => measure::repeat(&work).await,
            Part::Forget(work) => measure::forget(&work).await,
            Part::Export(work) => measure::export(&work).await,
            Part::Copy(work) => measure::copy(&work).await,
        }
        .map(|figures| println!("{figures}")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
