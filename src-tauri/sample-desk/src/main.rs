//! `sample-desk`: loads the sample desk into a server, or starts a server that serves it.

use std::io::{IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use bson::doc;
use chrono::{DateTime, NaiveDate, Utc};
use clap::{Args, Parser, Subcommand};
use mongodb::Client;
use tidemark_sample_desk::{DEFAULT_MESSAGES, Desk, LoadOptions, MAPPING, load};
use tidemark_test_server::TestServer;

/// Realistic trade messages, always the same for the same seed.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Load the messages into a collection of a running server.
    Load {
        /// Connection string of the server.
        #[arg(long)]
        uri: String,
        #[command(flatten)]
        place: Place,
        /// Drop the collection first.
        #[arg(long)]
        replace: bool,
        #[command(flatten)]
        size: Size,
    },
    /// Start a server, load the messages if it lacks them, print `ready URI`, and run until Ctrl-C or the end of
    /// standard input.
    Serve {
        /// Keep the data in this folder, for a faster start next time.
        #[arg(long)]
        dir: Option<PathBuf>,
        /// Port of the server with that folder; 0 for any free port.
        #[arg(long, default_value_t = 0, requires = "dir")]
        port: u16,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        size: Size,
    },
    /// Print the mapping file for these messages.
    Mapping,
}

#[derive(Debug, Args)]
struct Place {
    /// Name of the database.
    #[arg(long, default_value = "desk")]
    db: String,
    /// Name of the collection.
    #[arg(long, default_value = "messages")]
    collection: String,
}

#[derive(Debug, Args)]
struct Size {
    /// Number of messages.
    #[arg(long, default_value_t = DEFAULT_MESSAGES)]
    messages: u64,
    /// Seed of the generator.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Last day, YYYY-MM-DD (UTC). Default: today, up to the current time.
    #[arg(long)]
    end: Option<NaiveDate>,
}

impl Size {
    fn desk(&self) -> Desk {
        match self.end {
            Some(day) => Desk::new(self.seed, day, self.messages),
            None => Desk::until(self.seed, Utc::now(), self.messages),
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Load { uri, place, replace, size } => {
            let options = LoadOptions { replace, ..LoadOptions::default() };
            load_with_progress(&uri, &place, &size.desk(), options).await
        }
        Command::Serve { dir, port, place, size } => serve(dir, port, &place, &size).await,
        Command::Mapping => {
            print!("{MAPPING}");
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn load_with_progress(
    uri: &str,
    place: &Place,
    desk: &Desk,
    options: LoadOptions,
) -> Result<(), String> {
    eprintln!("Loading {} messages, {} to {} ...", desk.messages(), desk.first_day(), desk.last_day());
    let started = Instant::now();
    // In a terminal, a single line that is updated; in a log, a line per fifth.
    let terminal = std::io::stderr().is_terminal();
    let mut next_line = desk.messages() / 5;
    let written = load(uri, &place.db, &place.collection, desk, options, |written| {
        if terminal {
            eprint!("\r  {written} of {}", desk.messages());
        } else if written >= next_line && written < desk.messages() {
            next_line += desk.messages() / 5;
            eprintln!("  {written} of {}", desk.messages());
        }
    })
    .await
    .map_err(|error| error.to_string())?;
    let seconds = started.elapsed().as_secs_f64();
    eprintln!("{}Loaded {written} messages in {seconds:.1} s.", if terminal { "\r" } else { "" });
    Ok(())
}

async fn serve(dir: Option<PathBuf>, port: u16, place: &Place, size: &Size) -> Result<(), String> {
    let server = match &dir {
        Some(dir) => TestServer::start_on(dir, port)?,
        None => TestServer::start()?,
    };
    let desk = size.desk();
    let held = Held::of(&desk);
    if held.is_in(server.uri(), place).await.map_err(|error| error.to_string())? {
        eprintln!("The server holds the {} messages already.", desk.messages());
    } else {
        let options = LoadOptions { replace: true, ..LoadOptions::default() };
        load_with_progress(server.uri(), place, &desk, options).await?;
        held.note(server.uri(), place).await.map_err(|error| error.to_string())?;
    }

    let mut out = std::io::stdout().lock();
    writeln!(out, "ready {}", server.uri())
        .and_then(|()| out.flush())
        .map_err(|error| format!("Nobody listens: {error}."))?;
    drop(out);

    // The read cannot be cancelled; it ends when the process exits.
    let (closed, input_closed) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut nothing = Vec::new();
        let _ = std::io::stdin().read_to_end(&mut nothing);
        let _ = closed.send(());
    });
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = input_closed => {}
    }
    if server.is_external() { Ok(()) } else { server.shut_down() }
}

/// A note of what a collection contains, stored next to it once all messages are written.
struct Held {
    note: bson::Document,
}

impl Held {
    /// Two desks with the same last day count as equal: a demo does not reload at noon.
    fn of(desk: &Desk) -> Self {
        let last: DateTime<Utc> = desk.last_day().and_time(chrono::NaiveTime::MIN).and_utc();
        let text = |number: u64| number.to_string();
        Self {
            note: doc! {
                "_id": "desk",
                "generator": env!("CARGO_PKG_VERSION"),
                "seed": text(desk.seed()),
                "messages": text(desk.messages()),
                "last_day": bson::DateTime::from_millis(last.timestamp_millis()),
            },
        }
    }

    async fn is_in(&self, uri: &str, place: &Place) -> mongodb::error::Result<bool> {
        let notes = Self::notes(uri, place).await?;
        Ok(notes.find_one(doc! { "_id": "desk" }).await?.is_some_and(|found| found == self.note))
    }

    async fn note(&self, uri: &str, place: &Place) -> mongodb::error::Result<()> {
        let notes = Self::notes(uri, place).await?;
        notes.delete_many(doc! {}).await?;
        notes.insert_one(&self.note).await?;
        Ok(())
    }

    async fn notes(uri: &str, place: &Place) -> mongodb::error::Result<mongodb::Collection<bson::Document>> {
        let client = Client::with_uri_str(uri).await?;
        Ok(client.database(&place.db).collection(&format!("{}.note", place.collection)))
    }
}
