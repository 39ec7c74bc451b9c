//! The subcommands: each unpacks its options, calls the engine and prints the result.

mod sql;

use std::path::PathBuf;
use std::sync::Arc;

use secrecy::SecretString;
use serde_json::{Value, json};
use tidemark_engine::answer::{Answer, AnswerDays};
use tidemark_engine::api::export::Exported;
use tidemark_engine::api::library::CacheUsage;
use tidemark_engine::api::rows::ViewKey;
use tidemark_engine::browse::{ExportRequest, FindIn};
use tidemark_engine::cache::export::writing::Destination;
use tidemark_engine::cache::store::budget::{self, EvictionReport};
use tidemark_engine::day::DayRange;
use tidemark_engine::engine::Engine;
use tidemark_engine::failure::{Code, Failure, Result, holds_secret};
use tidemark_engine::plan::ledger::FetchMode;
use tidemark_engine::query::form::QueryInput;
use tidemark_engine::query::mapping::Mapping;
use tidemark_engine::query::signature::Signature;
use tidemark_engine::query::trade_id::read_list;
use tidemark_engine::rows::{ExportFormat, ExportOptions, Role};
use tidemark_engine::run::event::EventSink;
use tidemark_engine::run::{FetchRequest, find_at_source};
use tidemark_engine::source::{Source, SourceSettings};
use tidemark_engine::words::counted;
use tidemark_engine::words::size_text;
use tidemark_settings::{CACHE_FOLDER, Keychain, SETTINGS_FOLDER, SettingsFile, SourceSecrets};
use tokio_util::sync::CancellationToken;

use crate::arguments::{
    Arguments, BudgetOptions, CacheOptions, Command, FetchOptions, FindOptions, ForgetOptions, PinOptions,
    QueryOptions, UriSource, format_of,
};
use crate::output::{Output, say};

/// The environment variable that may contain the password.
const PASSWORD: &str = "TIDEMARK_MONGODB_PASSWORD";

/// Exit code of an interrupted program, by the convention of shells.
const INTERRUPTED: i32 = 130;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Complete,
    Partial,
}

/// The source that a command names.
pub(crate) struct NamedSource {
    settings: SourceSettings,
    /// The mapping that was saved with it.
    mapping: Option<String>,
}

pub(crate) async fn run(
    arguments: Arguments,
    source: Option<NamedSource>,
    output: &Arc<Output>,
) -> Result<Outcome> {
    if let Command::Find(options) = arguments.command {
        return find(*options, source, output).await;
    }
    let named = || source.ok_or_else(|| Failure::new(Code::Internal, "The command has no source."));
    match arguments.command {
        Command::Fetch(options) => fetch(*options, named()?, output).await,
        Command::Plan(options) => plan(*options, named()?, output).await,
        Command::Find(_) => Err(Failure::new(Code::Internal, "Finding trades was not begun.")),
        Command::Sql(options) => sql::sql(&options, output).await,
        Command::Propose(_) => propose(named()?, output).await,
        Command::Cached(options) => cached(&options, output).await,
        Command::Forget(options) => forget(&options, output).await,
        Command::Pin(options) => pin(&options, output).await,
        Command::Budget(options) => budget(&options, output).await,
    }
}

/// The source, if the command has one.
///
/// # Errors
/// A sentence about what is wrong with the command line.
pub(crate) fn source_named(arguments: &Arguments) -> Result<Option<NamedSource>, String> {
    let options = match &arguments.command {
        Command::Fetch(options) => &options.query.source,
        Command::Plan(options) => &options.source,
        Command::Propose(options) => options,
        // The cache alone needs no source; the one that is named comes first.
        Command::Find(options) if options.cached_only && !options.source.is_named() => return Ok(None),
        Command::Find(options) => &options.source,
        _ => return Ok(None),
    };
    if let Some(name) = &options.source {
        return saved_source(name).map(Some);
    }
    // Checked here: finding trades in the cache alone needs neither.
    for (name, given) in [("--db <DB>", &options.db), ("--collection <NAME>", &options.collection)] {
        if given.is_none() {
            return Err(format!("{name} is required unless --source names a source"));
        }
    }
    let (uri, from) = options.connection_string()?;
    if matches!(from, UriSource::CommandLine) && holds_secret(&uri) {
        say(
            "Warning: everybody on this computer can read the password of --uri in the list of processes. Use --uri-file, TIDEMARK_MONGODB_URI or TIDEMARK_MONGODB_PASSWORD.",
        );
    }
    let settings = SourceSettings {
        uri,
        password: password(),
        database: options.db.clone().unwrap_or_default(),
        collection: options.collection.clone().unwrap_or_default(),
    };
    Ok(Some(NamedSource { settings, mapping: None }))
}

/// The password from the environment.
fn password() -> Option<SecretString> {
    let password = std::env::var(PASSWORD).ok().filter(|password| !password.is_empty());
    password.map(SecretString::from)
}

/// A source of the desktop app, with its secrets.
fn saved_source(name: &str) -> Result<NamedSource, String> {
    let settings = SettingsFile::peek(tidemark_settings::folder_in(SETTINGS_FOLDER).as_deref());
    let Some(source) = settings.named(name) else {
        let names: Vec<&str> = settings.sources.iter().map(|source| source.name.as_str()).collect();
        return Err(match names.as_slice() {
            [] => format!("there is no source with the name {name}: none is set up in the desktop app"),
            names => format!("there is no source with the name {name}; there are: {}", names.join(", ")),
        });
    };
    let kept = if source.keep_secrets { kept_secrets(&source.id) } else { SourceSecrets::default() };
    let secrets = SourceSecrets { password: password(), ..SourceSecrets::default() }.or(&kept);
    let settings = secrets.source_settings(&source.profile);
    Ok(NamedSource { settings, mapping: Some(source.profile.mapping.clone()) })
}

/// The secrets of a source in the keychain. A keychain that a person has to unlock is waited for, but not forever.
fn kept_secrets(id: &str) -> SourceSecrets {
    let (done, kept) = std::sync::mpsc::channel();
    let id = id.to_owned();
    std::thread::spawn(move || done.send(Keychain::of_system().read(&id)));
    let problem = match kept.recv_timeout(Keychain::PATIENCE) {
        Ok(Ok(kept)) => return kept.unwrap_or_default(),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "the keychain does not answer".to_owned(),
    };
    say(format_args!("The password cannot be read from the keychain: {problem}."));
    SourceSecrets::default()
}

async fn find(options: FindOptions, named: Option<NamedSource>, output: &Output) -> Result<Outcome> {
    let list = list_of(&options.ids)?;
    let interrupts = Interrupts::heed();
    let mapping = match named.as_ref().and_then(|named| named.mapping.as_ref()) {
        Some(saved) => Mapping::parse(saved)?,
        None => read_mapping(options.mapping.as_ref())?,
    };
    let source = named.map(|named| Source::new(&named.settings)).transpose()?;
    let current = source.as_ref().map(|source| source.identity().clone());
    let engine = existing_engine(&options.cache)?;
    let mut line = json!({});
    let mut missing: Option<Vec<String>> = None;
    if let Some(engine) = &engine {
        let find_in = FindIn { current, open: None };
        let found = engine.find_cached(&list, &find_in, &interrupts.first).await?;
        missing = Some(found.not_found.clone());
        found.notes.iter().for_each(say);
        line["cache"] = json!(found);
    }
    if let Some(source) = source.filter(|_| !options.cached_only) {
        let found = find_at_source(&source, &mapping, &list, &interrupts.first).await;
        source.close().await;
        let found = found?;
        found.notes.iter().for_each(say);
        let in_neither = |id: &String| missing.as_ref().is_none_or(|missing| missing.contains(id));
        missing = Some(found.not_found.iter().filter(|id| in_neither(id)).cloned().collect());
        line["source"] = json!(found);
    }
    let missing = match missing {
        Some(missing) => missing,
        None => read_list(&list)?,
    };
    line["not_found"] = json!(missing);
    for id in &missing {
        say(format_args!("Not found: {id}"));
    }
    output.print_line(&line);
    Ok(Outcome::Complete)
}

/// The ids of a command line as one list.
fn list_of(ids: &[String]) -> Result<String> {
    let mut list = String::new();
    for id in ids {
        if id == "-" {
            std::io::Read::read_to_string(&mut std::io::stdin(), &mut list).map_err(|error| {
                Failure::new(Code::BadFilter, "The ids cannot be read from standard input.").because(error)
            })?;
        } else {
            list.push_str(id);
        }
        list.push('\n');
    }
    Ok(list)
}

async fn fetch(options: FetchOptions, named: NamedSource, output: &Arc<Output>) -> Result<Outcome> {
    let (engine, source, request) = prepare(&options.query, &named)?;
    let outcome = fetch_and_write(&options, (&engine, &source, &request), output).await;
    // Closes abandoned cursors on the server.
    source.close().await;
    outcome
}

async fn fetch_and_write(
    options: &FetchOptions,
    (engine, source, request): (&Engine, &Source, &FetchRequest),
    output: &Arc<Output>,
) -> Result<Outcome> {
    let interrupts = Interrupts::heed();
    let cancel = interrupts.first.clone();
    let events = event_sink(options.events, output);
    let mut answer = engine.fetch(Some(source), request, Arc::clone(&events), cancel.clone()).await?;
    let files = files_of(options).map_err(|what| Failure::new(Code::Internal, what))?;
    let written = match write_files(engine, request, &answer, &files, &interrupts).await {
        // If the cached rows turn out to be damaged, they are fetched again, once.
        Err(failure) if failure.code == Code::CacheDamaged && !request.offline => {
            answer = engine.fetch(Some(source), request, events, cancel.clone()).await?;
            write_files(engine, request, &answer, &files, &interrupts).await?
        }
        other => other?,
    };
    let mut last = answer_line(&answer);
    if let Some(unverified) = source.unverified_link() {
        last["link"] = json!("unverified");
        if !answer.notes.contains(unverified) {
            say(unverified);
        }
    }
    for (name, exported) in &written {
        last[*name] = json!(exported.path);
        if let Some(manifest) = &exported.manifest {
            last[format!("{name}_manifest")] = json!(manifest);
        }
    }
    let of_files = written.iter().filter_map(|(_, file)| file.note.clone());
    let notes: Vec<String> = answer.notes.iter().map(ToString::to_string).chain(of_files).collect();
    if !notes.is_empty() {
        last["notes"] = json!(notes);
    }
    explain(&answer);
    output.print_line(&last);
    Ok(if answer.complete { Outcome::Complete } else { Outcome::Partial })
}

fn event_sink(is_wanted: bool, output: &Arc<Output>) -> EventSink {
    let output = Arc::clone(output);
    Arc::new(move |event| {
        if is_wanted {
            output.print_line(&json!(event));
        }
    })
}

/// An output file that was requested.
struct OutputFile {
    /// Its key in the last output line.
    name: &'static str,
    role: Role,
    destination: Destination,
    options: ExportOptions,
}

/// The files that were asked for.
///
/// # Errors
/// A sentence about what is wrong with the command line, if one has no format.
fn files_of(options: &FetchOptions) -> Result<Vec<OutputFile>, String> {
    let (input, downstream) = (Role::Input, Role::Downstream);
    let (columns, more_columns) = (&options.columns, &options.downstream_columns);
    let asked = [
        (input, "csv", &options.csv, columns),
        (downstream, "downstream_csv", &options.downstream_csv, more_columns),
        (input, "out", &options.out, columns),
        (downstream, "downstream_out", &options.downstream_out, more_columns),
    ];
    let mut files = Vec::new();
    for (role, name, path, columns) in asked {
        let Some(path) = path else { continue };
        let format = match (name.ends_with("out"), options.format) {
            (false, _) => ExportFormat::Csv,
            (true, Some(format)) => format,
            (true, None) => format_of(&name.replace('_', "-"), path)?,
        };
        let destination = Destination::parse(path);
        if options.manifest && !destination.is_file() {
            return Err(format!("{destination} is not a file, so --manifest cannot write one beside it"));
        }
        let columns = columns.as_ref().map(|columns| columns.0.clone()).unwrap_or_default();
        let options = ExportOptions {
            format,
            columns,
            spreadsheet_safe: options.spreadsheet_safe,
            manifest: options.manifest,
            ..ExportOptions::default()
        };
        files.push(OutputFile { name, role, destination, options });
    }
    Ok(files)
}

/// The destination of the JSON lines.
///
/// # Errors
/// A sentence about what is wrong with the command line, if two exports have the same destination or one has no format.
pub(crate) fn output_of(arguments: &Arguments) -> Result<Output, String> {
    let options = match &arguments.command {
        Command::Fetch(options) => options,
        Command::Sql(options) => return sql::output_of(options),
        _ => return Ok(Output::default()),
    };
    let files = files_of(options)?;
    for (at, file) in files.iter().enumerate() {
        if let Some(other) = files[..at].iter().find(|other| other.destination.is_same_as(&file.destination))
        {
            let [one, two] = [other, file].map(|file| file.name.replace('_', "-"));
            return Err(format!(
                "--{one} and --{two} lead to one file, {}: give each its own",
                file.destination
            ));
        }
    }
    Ok(Output::new(files.iter().any(|file| file.destination == Destination::StandardOutput)))
}

/// Writes the requested files; returns the results by key.
async fn write_files(
    engine: &Engine,
    request: &FetchRequest,
    answer: &Answer,
    files: &[OutputFile],
    interrupts: &Interrupts,
) -> Result<Vec<(&'static str, Exported)>> {
    let key =
        ViewKey { signature: answer.signature.clone(), from: request.range.from(), to: request.range.to() };
    let mut written = Vec::new();
    for file in files {
        if interrupts.second.is_cancelled() {
            // Fails, so that an older file of that name is not mistaken for this answer.
            let what = "The program was asked to end before the file was written.";
            return Err(Failure::new(Code::Cancelled, what)
                .advise("What was fetched is in the cache: run the same command again."));
        }
        if answer.days.missing.len() == answer.days.requested {
            say("None of these days is cached, so no file is written.");
            continue;
        }
        // The export knows which days are cached, but only the answer knows all cached days that differ.
        let destination =
            if answer.complete { file.destination.clone() } else { file.destination.of_partial() };
        let options = file.options.clone();
        let request = ExportRequest { options, ..ExportRequest::of(key.clone(), file.role) };
        let exported = export(engine, &request, &destination, interrupts).await?;
        if !answer.complete && destination.is_file() {
            say(format_args!("The answer is partial, so the file is named {}.", exported.path));
        }
        if let Some(note) = &exported.note {
            say(note);
        }
        written.push((file.name, exported));
    }
    Ok(written)
}

async fn export(
    engine: &Engine,
    request: &ExportRequest,
    destination: &Destination,
    interrupts: &Interrupts,
) -> Result<Exported> {
    // An interrupted fetch still exports what is cached; the next interrupt stops that too.
    let Interrupts { first, second } = interrupts;
    let cancel = if first.is_cancelled() { second } else { first }.clone();
    engine.export(request, destination, |_| {}, cancel).await
}

async fn plan(options: QueryOptions, named: NamedSource, output: &Output) -> Result<Outcome> {
    let (engine, source, request) = prepare(&options, &named)?;
    let plan = engine.plan(Some(&source), &request).await;
    // Otherwise the driver would be ending its sessions while the program exits.
    source.close().await;
    let plan = plan?;
    say(format_args!("{}.", plan.sentence));
    output.print_line(&json!(plan));
    Ok(Outcome::Complete)
}

async fn cached(options: &CacheOptions, output: &Output) -> Result<Outcome> {
    let queries = match existing_engine(options)? {
        Some(engine) => engine.cached_queries().await?,
        None => Vec::new(),
    };
    for query in &queries {
        match &query.failure {
            None => say(format_args!(
                "{}  {}, {} + {}, {}{}, {}: {}",
                query.signature,
                counted(query.days, "day"),
                query.input_rows,
                counted(query.downstream_rows, "row"),
                size_text(query.bytes),
                if query.pinned { ", pinned" } else { "" },
                query.source,
                query.filters
            )),
            Some(failure) => say(format_args!("{}  {}", query.signature, failure.message)),
        }
    }
    output.print_line(&json!({"cached": queries}));
    Ok(Outcome::Complete)
}

async fn forget(options: &ForgetOptions, output: &Output) -> Result<Outcome> {
    let signature = Signature::parse(&options.signature)?;
    let range = match (&options.from, &options.to) {
        (Some(from), Some(to)) => Some(DayRange::parse(from, to)?),
        _ => None,
    };
    engine_with(&options.cache, &signature)?.forget(&signature, range).await?;
    output.print_line(&json!({"forgotten": signature.as_str()}));
    Ok(Outcome::Complete)
}

async fn pin(options: &PinOptions, output: &Output) -> Result<Outcome> {
    let signature = Signature::parse(&options.signature)?;
    engine_with(&options.cache, &signature)?.pin(&signature, !options.off).await?;
    output.print_line(&json!({"signature": signature.as_str(), "pinned": !options.off}));
    Ok(Outcome::Complete)
}

async fn budget(options: &BudgetOptions, output: &Output) -> Result<Outcome> {
    let engine = match options.set {
        Some(_) => Some(engine(&options.cache)?),
        None => existing_engine(&options.cache)?,
    };
    let Some(engine) = engine else {
        output.print_line(&json!(CacheUsage { bytes: 0, budget: budget::DEFAULT_BUDGET, queries: 0 }));
        return Ok(Outcome::Complete);
    };
    let freed = match options.set {
        Some(bytes) => engine.set_cache_budget(bytes).await?,
        None => EvictionReport::default(),
    };
    let usage = engine.cache_usage().await?;
    if let Some(note) = budget::note(&freed, usage.budget) {
        say(note);
    }
    let mut line = json!(usage);
    if options.set.is_some() {
        let removed: Vec<&str> = freed.queries.iter().map(Signature::as_str).collect();
        line["removed"] = json!(removed);
        line["freed_bytes"] = json!(freed.bytes);
    }
    output.print_line(&line);
    Ok(Outcome::Complete)
}

fn engine(options: &CacheOptions) -> Result<Engine> {
    // Files stay open until the command ends, which is soon.
    Engine::new(&cache_folder(options), 2)
}

/// The engine on a cache folder that is not created; `None` if there is no such folder.
fn existing_engine(options: &CacheOptions) -> Result<Option<Engine>> {
    let folder = cache_folder(options);
    if folder.try_exists().is_ok_and(|exists| !exists) {
        say(format_args!("There is no cache folder {}.", folder.display()));
        return Ok(None);
    }
    engine(options).map(Some)
}

/// The engine on the cache folder that holds a query.
fn engine_with(options: &CacheOptions, signature: &Signature) -> Result<Engine> {
    existing_engine(options)?.ok_or_else(|| {
        Failure::new(Code::NotCached, format!("No cached query has the signature {signature}."))
            .advise("List the cached queries to see which there are.")
    })
}

fn cache_folder(options: &CacheOptions) -> PathBuf {
    let named = || tidemark_settings::folder_in(CACHE_FOLDER);
    let of_app = || SettingsFile::peek(tidemark_settings::folder_in(SETTINGS_FOLDER).as_deref()).cache_folder;
    options.cache.clone().or_else(named).or_else(of_app).unwrap_or_else(Engine::default_folder)
}

/// Prints the proposal as the last line, and what a person should know on standard error.
async fn propose(named: NamedSource, output: &Arc<Output>) -> Result<Outcome> {
    let source = Source::new(&named.settings)?;
    let proposal = source.propose().await;
    source.close().await;
    let proposal = proposal?;
    for warning in &proposal.warnings {
        say(&warning.message);
        warning.fix.iter().for_each(say);
    }
    output.print_line(&json!(proposal));
    Ok(Outcome::Complete)
}

fn prepare(options: &QueryOptions, named: &NamedSource) -> Result<(Engine, Source, FetchRequest)> {
    let mapping = match &named.mapping {
        Some(saved) => Mapping::parse(saved)?,
        None => read_mapping(options.mapping.as_ref())?,
    };
    let source = Source::new(&named.settings)?;
    let mode = match (options.refresh, options.verify) {
        (true, _) => FetchMode::Refresh,
        (_, true) => FetchMode::Verify,
        _ => FetchMode::Normal,
    };
    let input = QueryInput {
        from: options.from.clone(),
        to: options.to.clone(),
        filters: options.filters.clone(),
        advanced: options.advanced.clone(),
    };
    let request = FetchRequest::parse(&source, &mapping, &input, mode, options.offline)?;
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

/// The answer with its public keys first, without empty optional ones.
fn answer_line(answer: &Answer) -> Value {
    let mut line = json!(answer);
    if let Some(object) = line.as_object_mut() {
        object.retain(|key, value| {
            !matches!(key.as_str(), "changes" | "failure" | "notes" | "unmatched")
                || !(value.is_null() || value.as_array().is_some_and(Vec::is_empty))
        });
    }
    line
}

/// Prints what a person should read besides the answer.
fn explain(answer: &Answer) {
    for note in &answer.notes {
        say(note);
    }
    if let Some(failure) = &answer.failure {
        say(format_args!("{} {}", failure.message, failure.next));
    }
    if !answer.complete {
        say(what_is_partial(&answer.days));
    } else if !answer.days.unverified.is_empty() {
        let (count, held) = (answer.days.unverified.len(), answer.days.requested);
        say(format_args!(
            "Unverified: the server confirmed {} of {}.",
            held - count,
            counted(held, "cached day")
        ));
    }
}

/// Explains why an answer is not complete.
fn what_is_partial(days: &AnswerDays) -> String {
    let (count, what) = match (days.missing.len(), days.unverified.len()) {
        (0, count) => (count, "known to differ at the source, or could not be checked"),
        (count, _) => (count, "missing"),
    };
    let is = if count == 1 { "is" } else { "are" };
    format!("Partial: {count} of {} {is} {what}.", counted(days.requested, "day"))
}

/// What signals cancel. The first Ctrl-C cancels the fetch, or the export if that is in progress; the second one
/// cancels the export that follows an interrupted fetch. A request to end the program (SIGTERM, or its equivalents on
/// Windows) cancels both at once.
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
                    // Exit regardless of what is still in progress.
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

    /// Waits for the next signal. Returns whether it asks the program to end, rather than to stop what it is doing.
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

    /// Waits for the next signal. Returns whether it asks the program to end, rather than to stop what it is doing.
    async fn next(&mut self) -> bool {
        tokio::select! {
            _ = self.interrupt.recv() => false,
            _ = self.stop.recv() => true,
            _ = self.close.recv() => true,
            _ = self.shutdown.recv() => true,
        }
    }
}
