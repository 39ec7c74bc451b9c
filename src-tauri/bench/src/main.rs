//! `tidemark-bench`: compares a fetch with the best that the machine could do.
//!
//! One run uses one server and one data set. Every fetch runs in a process of its own, so that its peak memory is
//! measured separately, and only those caches are warm that would be warm when a user starts the app again.

mod cached_answer;
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
    /// Build a cached answer of all messages in a folder, unless it is there already, with no server needed to open it.
    Answer {
        /// The folder: the cache goes into `cache` in it.
        #[arg(long, value_name = "FOLDER")]
        folder: PathBuf,
    },
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
        Some(Part::Answer { folder }) => cached_answer::build(arguments.messages, &folder).await,
        Some(Part::Drain(work)) => print(measure::drain(&work).await),
        Some(Part::Fetch(work)) => print(measure::fetch(&work).await),
        Some(Part::Repeat(work)) => print(measure::repeat(&work).await),
        Some(Part::Forget(work)) => print(measure::forget(&work).await),
        Some(Part::Export(work)) => print(measure::export(&work).await),
        Some(Part::Copy(work)) => print(measure::copy(&work).await),
        Some(Part::Select(work)) => print(measure::select(&work).await),
        Some(Part::Append(work)) => print(measure::append(&work).await),
        Some(Part::Pages(work)) => print(measure::pages(&work).await),
        Some(Part::Library(work)) => print(measure::library(&work).await),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// Prints the figures of a measurement as one line of JSON.
fn print(measured: measure::Figures) -> Result<(), String> {
    measured.map(|figures| println!("{}", measure::with_processor_time(figures)))
}
