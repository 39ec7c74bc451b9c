//! The subcommands: each unpacks its options, calls the engine and prints.

use std::fmt::Display;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use tidemark_engine::answer::{Answer, AnswerDays};
use tidemark_engine::cache::budget::{Freed, sentence, size_text};
use tidemark_engine::cache::export::partial_name;
use tidemark_engine::day::DayRange;
use tidemark_engine::desk::{FetchMode, Role, ViewKey};
use tidemark_engine::failure::{Code, Failure, Result, holds_secret};
use tidemark_engine::filter::Filters;
use tidemark_engine::mapping::Mapping;
use tidemark_engine::run::{Engine, EventSink, FetchRequest};
use tidemark_engine::signature::{Query, Signature};
use tidemark_engine::source::{Source, SourceSettings};
use tokio_util::sync::CancellationToken;

use crate::arguments::{
    Arguments, BudgetOptions, CacheOptions, Command, FetchOptions, ForgetOptions, PinOptions, QueryOptions,
    UriSource,
};

/// Environment variable that may hold the password.
const PASSWORD: &str = "TIDEMARK_MONGODB_PASSWORD";

/// Exit code of a program that was interrupted, as shells know it.
const INTERRUPTED: i32 = 130;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Complete,
    Partial,
}

pub(crate) async fn run(arguments: Arguments, uri: Option<String>) -> Result<Outcome> {
    let uri = uri.unwrap_or_default();
    match arguments.command {
        Command::Fetch(options) => fetch(*options, uri).await,
        Command::Plan(options) => plan(*options, uri).await,
        Command::Cached(options) => cached(&options).await,
        Command::Forget(options) => forget(&options).await,
        Command::Pin(options) => pin(&options).await,
        Command::Budget(options) => budget(&options).await,
    }
}

/// The connection string of a command that has one.
///
/// # Errors
/// The sentence that says what is wrong with the command line.
pub(crate) fn connection_string(arguments: &Arguments) -> Result<Option<String>, String> {
    let options = match &arguments.command {
        Command::Fetch(options) => &options.query,
        Command::Plan(options) => options,
        _ => return Ok(None),
    };
    let (uri, from) = options.connection_string()?;
    if matches!(from, UriSource::CommandLine) && holds_secret(&uri) {
        say(
            "Warning: everybody on this computer can read the password of --uri in the list of processes. Use --uri-file, TIDEMARK_MONGODB_URI or TIDEMARK_MONGODB_PASSWORD.",
        );
    }
    Ok(Some(uri))
}

async fn fetch(options: FetchOptions, uri: String) -> Result<Outcome> {
    let (engine, source, request) = prepare(&options.query, uri)?;
    let interrupts = Interrupts::heed();
    let cancel = interrupts.first.clone();
    let wants_events = options.events;
    let events: EventSink = Arc::new(move |event| {
        if wants_events {
            print_line(&json!(event));
        }
    });
    let mut answer = engine.fetch(Some(&source), &request, Arc::clone(&events), cancel.clone()).await?;
    let written = match write_files(&engine, &request, &answer, &options, &interrupts).await {
        // Rows that cannot be read are fetched again, once.
        Err(failure) if failure.code == Code::CacheDamaged && !request.offline => {
            answer = engine.fetch(Some(&source), &request, events, cancel.clone()).await?;
            write_files(&engine, &request, &answer, &options, &interrupts).await?
        }
        other => other?,
    };
    let mut last = answer_line(&answer);
    if let Some(sentence) = source.unverified_link() {
        last["link"] = json!("unverified");
        if !answer.notes.iter().any(|note| note == sentence) {
            say(sentence);
        }
    }
    for (name, path) in written {
        last[name] = json!(path);
    }
    explain(&answer);
    print_line(&last);
    Ok(if answer.complete { Outcome::Complete } else { Outcome::Partial })
}

/// Writes the CSV files that are asked for; the paths they got, by option.
async fn write_files(
    engine: &Engine,
    request: &FetchRequest,
    answer: &Answer,
    options: &FetchOptions,
    interrupts: &Interrupts,
) -> Result<Vec<(&'static str, String)>> {
    let key =
        ViewKey { signature: answer.signature.clone(), from: request.range.from(), to: request.range.to() };
    let files =
        [(Role::Input, "csv", &options.csv), (Role::Downstream, "downstream_csv", &options.downstream_csv)];
    let mut written = Vec::new();
    for (role, name, path) in files {
        let Some(path) = path else { continue };
        if interrupts.second.is_cancelled() {
            say("The program is to end, so no CSV is written.");
            continue;
        }
        if answer.days.missing.len() == answer.days.requested {
            say("None of these days is held, so no CSV is written.");
            continue;
        }
        // The export sees which days are held; only the answer knows that a held day differs.
        let path = if answer.complete { path.clone() } else { partial_name(path) };
        let path = export(engine, &key, role, &path, interrupts).await?;
        if !answer.complete {
            say(format_args!("The answer is partial, so the file is named {path}."));
        }
        written.push((name, path));
    }
    Ok(written)
}

/// Writes a CSV; the path it got.
async fn export(
    engine: &Engine,
    key: &ViewKey,
    role: Role,
    path: &Path,
    interrupts: &Interrupts,
) -> Result<String> {
    // A fetch that was interrupted still exports what it has; the next interrupt ends that.
    let Interrupts { first, second } = interrupts;
    let cancel = if first.is_cancelled() { second } else { first }.clone();
    let exported = engine.export_csv(key, role, None, path, |_| {}, cancel).await?;
    Ok(exported.path)
}

async fn plan(options: QueryOptions, uri: String) -> Result<Outcome> {
    let (engine, source, request) = prepare(&options, uri)?;
    let plan = engine.plan(Some(&source), &request).await?;
    say(format_args!("{}.", plan.sentence));
    print_line(&json!(plan));
    Ok(Outcome::Complete)
}

async fn cached(options: &CacheOptions) -> Result<Outcome> {
    let queries = engine(options)?.cached_queries().await?;
    for query in &queries {
        match &query.failure {
            None => say(format_args!(
                "{}  {} days, {} + {} rows, {}{}, {}: {}",
                query.signature,
                query.days,
                query.input_rows,
                query.downstream_rows,
                size_text(query.bytes),
                if query.pinned { ", kept" } else { "" },
                query.source,
                query.filters
            )),
            Some(failure) => say(format_args!("{}  {}", query.signature, failure.message)),
        }
    }
    print_line(&json!({"cached": queries}));
    Ok(Outcome::Complete)
}

async fn forget(options: &ForgetOptions) -> Result<Outcome> {
    let signature = Signature::parse(&options.signature)?;
    let range = match (&options.from, &options.to) {
        (Some(from), Some(to)) => Some(DayRange::parse(from, to)?),
        _ => None,
    };
    engine(&options.cache)?.forget(&signature, range).await?;
    print_line(&json!({"forgotten": signature.as_str()}));
    Ok(Outcome::Complete)
}

async fn pin(options: &PinOptions) -> Result<Outcome> {
    let signature = Signature::parse(&options.signature)?;
    engine(&options.cache)?.pin(&signature, !options.off).await?;
    print_line(&json!({"signature": signature.as_str(), "pinned": !options.off}));
    Ok(Outcome::Complete)
}

async fn budget(options: &BudgetOptions) -> Result<Outcome> {
    let engine = engine(&options.cache)?;
    let freed = match options.set {
        Some(bytes) => engine.set_cache_budget(bytes).await?,
        None => Freed::default(),
    };
    let usage = engine.cache_usage().await?;
    if let Some(sentence) = sentence(&freed, usage.budget) {
        say(sentence);
    }
    let mut line = json!(usage);
    if options.set.is_some() {
        let removed: Vec<&str> = freed.queries.iter().map(Signature::as_str).collect();
        line["removed"] = json!(removed);
        line["freed_bytes"] = json!(freed.bytes);
    }
    print_line(&line);
    Ok(Outcome::Complete)
}

fn engine(options: &CacheOptions) -> Result<Engine> {
    let folder = options.cache.clone().unwrap_or_else(Engine::default_folder);
    // A command ends soon; what it opened stays open that long.
    Engine::new(&folder, 2)
}

fn prepare(options: &QueryOptions, uri: String) -> Result<(Engine, Source, FetchRequest)> {
    let mapping = read_mapping(options.mapping.as_ref())?;
    let range = DayRange::parse(&options.from, &options.to)?;
    let filters = Filters::parse(&mapping, &options.filters, &options.advanced)?;
    let source = Source::new(&SourceSettings {
        uri,
        password: std::env::var(PASSWORD).ok().filter(|password| !password.is_empty()),
        database: options.db.clone(),
        collection: options.collection.clone(),
    })?;
    let mode = match (options.refresh, options.verify) {
        (true, _) => FetchMode::Refresh,
        (_, true) => FetchMode::Verify,
        _ => FetchMode::Normal,
    };
    let query = Query { source: source.identity().clone(), mapping, filters };
    let request = FetchRequest { query, range, mode, offline: options.offline };
    Ok((engine(&options.cache)?, source, request))
}

fn read_mapping(path: Option<&PathBuf>) -> Result<Mapping> {
    let Some(path) = path else { return Ok(Mapping::default()) };
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::new(Code::BadMapping, format!("The mapping file {} cannot be read.", path.display()))
            .because(error)
    })?;
    Mapping::parse(&text)
}

/// The answer with its public keys first; what is empty is left out.
fn answer_line(answer: &Answer) -> Value {
    let mut line = json!(answer);
    if let Some(object) = line.as_object_mut() {
        object.retain(|key, value| {
            !matches!(key.as_str(), "changes" | "failure" | "notes")
                || !(value.is_null() || value.as_array().is_some_and(Vec::is_empty))
        });
    }
    line
}

/// What a person should read beside the answer.
fn explain(answer: &Answer) {
    for note in &answer.notes {
        say(note);
    }
    if let Some(failure) = &answer.failure {
        say(format_args!("{} {}", failure.message, failure.next));
    }
    if !answer.complete {
        say(what_is_partial(&answer.days));
    }
}

/// Why an answer is not complete.
fn what_is_partial(days: &AnswerDays) -> String {
    let (count, what) = match (days.missing.len(), days.unverified.len()) {
        (0, count) => (count, "are known to differ at the source, or could not be checked"),
        (count, _) => (count, "are missing"),
    };
    format!("Partial: {count} of {} days {what}.", days.requested)
}

/// What a signal cancels. The first Ctrl-C cancels the fetch, or the export if that is under way; the second one the
/// export that follows an interrupted fetch. Whoever asks the program to end (SIGTERM, or what Windows has for it)
/// waits for no export: that cancels both.
#[derive(Default)]
struct Interrupts {
    first: CancellationToken,
    second: CancellationToken,
}

impl Interrupts {
    fn heed() -> Self {
        let interrupts = Self::default();
        let [first, second] = [interrupts.first.clone(), interrupts.second.clone()];
        let Ok(mut signals) = Signals::listen() else { return interrupts };
        tokio::spawn(async move {
            loop {
                let is_end = signals.next().await;
                if second.is_cancelled() {
                    // Whatever still takes so long.
                    std::process::exit(INTERRUPTED);
                }
                if is_end || first.is_cancelled() {
                    second.cancel();
                }
                first.cancel();
            }
        });
        interrupts
    }
}

/// The signals that end a program.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    end: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, end: signal(SignalKind::terminate())? })
    }

    /// Waits for the next one; whether it asks the program to end, and not only what it is doing.
    async fn next(&mut self) -> bool {
        tokio::select! {
            _ = self.interrupt.recv() => false,
            _ = self.end.recv() => true,
        }
    }
}

#[cfg(windows)]
struct Signals {
    interrupt: tokio::signal::windows::CtrlC,
    stop: tokio::signal::windows::CtrlBreak,
    close: tokio::signal::windows::CtrlClose,
    shutdown: tokio::signal::windows::CtrlShutdown,
}

#[cfg(windows)]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};
        Ok(Self {
            interrupt: ctrl_c()?,
            stop: ctrl_break()?,
            close: ctrl_close()?,
            shutdown: ctrl_shutdown()?,
        })
    }

    /// Waits for the next one; whether it asks the program to end, and not only what it is doing.
    async fn next(&mut self) -> bool {
        tokio::select! {
            _ = self.interrupt.recv() => false,
            _ = self.stop.recv() => true,
            _ = self.close.recv() => true,
            _ = self.shutdown.recv() => true,
        }
    }
}

/// A line for people, on standard error. A reader that has gone away is no reason to fail.
pub(crate) fn say(line: impl Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// One line of JSON. A reader that has gone away is no reason to fail.
pub(crate) fn print_line(value: &Value) {
    let _ = writeln!(std::io::stdout(), "{value}");
}
