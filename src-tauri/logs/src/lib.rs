//! Where the events of the engine are written.
//!
//! The engine only emits events, as a library should. A program that wants to keep them calls [`start`]: they then go
//! to a file per day in the system's log folder, and to standard error if the program asks for that. Every record
//! is redacted first.
//!
//! | environment variable | meaning |
//! |---|---|
//! | `TIDEMARK_LOG` | the level: `off`, `error`, `warn`, `info`, `debug`, `trace`, or directives of `EnvFilter` |
//! | `TIDEMARK_LOG_DIR` | the folder, instead of the system's |

mod filter;
mod redacting;
mod rolling;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::redacting::Redacting;
use crate::rolling::RollingFile;

/// The environment variable that names the folder.
const FOLDER: &str = "TIDEMARK_LOG_DIR";

/// The logs of this program. What is still to be written is written when this is dropped.
#[must_use = "the last records are lost unless this lives as long as the program"]
#[derive(Debug)]
pub struct Logs {
    _writer: Option<WorkerGuard>,
}

/// Writes the events of this program to files, and to standard error as well if `on_stderr` is set. Panics are written
/// too, before the hook that was set until now reports them.
///
/// A program works without its log: if there can be none, standard error says why.
pub fn start(on_stderr: bool) -> Logs {
    start_in(&folder(), on_stderr)
}

/// Like [`start`], with the files in a folder of the caller's choice.
pub fn start_in(folder: &Path, on_stderr: bool) -> Logs {
    let filter = filter::from_environment().unwrap_or_else(|problem| {
        complain(&problem);
        filter::default()
    });
    if filter.max_level_hint() == Some(LevelFilter::OFF) {
        return Logs { _writer: None };
    }
    let (to_file, writer) = match RollingFile::open(folder) {
        Ok(file) => {
            let (to_file, writer) = NonBlockingBuilder::default().thread_name("log").finish(file);
            (Some(layer(to_file)), Some(writer))
        }
        Err(error) => {
            complain(&format!("The log cannot be written to {}: {error}", folder.display()));
            (None, None)
        }
    };
    let subscriber =
        tracing_subscriber::registry().with(filter).with(to_file).with(on_stderr.then(|| layer(io::stderr)));
    if let Err(error) = subscriber.try_init() {
        complain(&format!("The log cannot be written: {error}"));
    }
    log_panics();
    Logs { _writer: writer }
}

/// The folder of the log files.
#[must_use]
pub fn folder() -> PathBuf {
    match std::env::var_os(FOLDER) {
        Some(folder) if !folder.is_empty() => folder.into(),
        _ => system_folder().unwrap_or_else(|| Path::new("tidemark-logs").to_owned()),
    }
}

/// Where this system keeps the logs of programs.
fn system_folder() -> Option<PathBuf> {
    if cfg!(target_os = "macos") {
        let home = directories::UserDirs::new()?;
        return Some(home.home_dir().join("Library/Logs/Tidemark"));
    }
    let folders = directories::ProjectDirs::from("", "", "Tidemark")?;
    Some(folders.state_dir().unwrap_or_else(|| folders.data_local_dir()).join("logs"))
}

/// Writes records without colours and without secrets.
fn layer<S, W>(writer: W) -> impl Layer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + 'static,
{
    fmt::layer().with_ansi(false).with_writer(Redacting(writer))
}

fn log_panics() {
    let former = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        tracing::error!("{panic}\n{}", std::backtrace::Backtrace::force_capture());
        former(panic);
    }));
}

fn complain(problem: &str) {
    // `eprintln` would panic if standard error is closed.
    let _ = writeln!(io::stderr(), "{problem}");
}
