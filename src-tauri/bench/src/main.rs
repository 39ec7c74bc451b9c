//! `tidemark-bench`: compares a fetch with the best that the machine could do.
//!
//! One run uses one server and one data set. Every fetch runs in a process of its own, so that its peak memory is
//! measured separately, and only those caches are warm that would be warm when a user starts the app again.

mod measure;
mod peers;
mod read_backs;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Measures Tidemark against its floors, the best that the machine could do.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    /// Number of messages in the collection.
    #[arg(long, default_value_t = 1_000_000)]
    messages: u64,
    /// Also write the figures to FILE as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Another build of this program, whose cold fetches are measured in turn with those of this one.
    #[arg(long, value_name = "FILE")]
    beside: Option<PathBuf>,
    /// Also measure what Python's usual packages take for the same documents. They are installed into an environment of
    /// their own, if the machine has Python and reaches them.
    #[arg(long)]
    peers: bool,
    #[command(subcommand)]
    part: Option<Part>,
}

/// A measurement in a process of its own; started by the benchmark itself.
#[derive(Debug, Clone, Subcommand)]
enum Part {
    /// Pull the documents and discard them.
    #[command(hide = true)]
    Drain(measure::Work),
    /// Fetch into a cache.
    #[command(hide = true)]
    Fetch(measure::Work),
    /// Answer from the cache: the first page, then the whole answer.
    #[command(hide = true)]
    Repeat(measure::Work),
    /// Delete the last days from the cache.
    #[command(hide = true)]
    Forget(measure::Work),
    /// Write the trades as CSV.
    #[command(hide = true)]
    Export(measure::Work),
    /// List and plan in a cache of many queries.
    #[command(hide = true)]
    Library(measure::Work),
    /// Store the rows of a narrower query with DuckDB's own CREATE TABLE AS.
    #[command(hide = true)]
    Select(measure::Work),
    /// Store the rows of the cache once more, with DuckDB alone.
    #[command(hide = true)]
    Append(measure::Work),
    /// Read pages in a process that has read one before: at random, and sorted.
    #[command(hide = true)]
    Pages(measure::Work),
    /// Write the stored columns with DuckDB's own COPY.
    #[command(hide = true)]
    Copy(measure::Work),
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.part.clone() {
        None => report::run(&arguments).await,
        Some(part) => match part {
            Part::Drain(work) => measure::drain(&work).await,
            Part::Fetch(work) => measure::fetch(&work).await,
            Part::Repeat(work) => measure::repeat(&work).await,
            Part::Forget(work) => measure::forget(&work).await,
            Part::Export(work) => measure::export(&work).await,
            Part::Copy(work) => measure::copy(&work).await,
            Part::Select(work) => measure::select(&work).await,
            Part::Append(work) => measure::append(&work).await,
            Part::Pages(work) => measure::pages(&work).await,
            Part::Library(work) => measure::library(&work).await,
        }
        .map(|figures| println!("{}", measure::with_processor_time(figures))),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
