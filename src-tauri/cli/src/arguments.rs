//! The command line: its options, and how their values are parsed.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args, Parser, Subcommand};
use tidemark_engine::query::form::{FilterInput, FilterOperator};
use tidemark_engine::rows::ExportFormat;

/// Answers queries from the local cache, and pulls from MongoDB only what is missing.
#[derive(Parser)]
#[command(name = "tidemark-cli", about, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Also write the log to standard error. It always goes to a file per day in the log folder of this system, or in
    /// the folder TIDEMARK_LOG_DIR. The environment variable TIDEMARK_LOG sets its level: off, error, warn, info (the
    /// default), debug or trace.
    #[arg(long, global = true)]
    pub(crate) log: bool,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Answer a query: serve cached days, fetch the missing ones, and optionally write files.
    Fetch(Box<FetchOptions>),
    /// Print what a fetch would do, without fetching. Contacts the server only if the plan requires it.
    Plan(Box<QueryOptions>),
    /// Find trades by their ids, whatever their day: in the cache, and at the source.
    Find(Box<FindOptions>),
    /// Run a SELECT on a cached query. It reads the tables `trades` and `messages`, which docs/sql.md describes, and
    /// nothing else.
    Sql(SqlOptions),
    /// Propose a mapping for a collection from a sample of its documents, with the reasons.
    Propose(SourceOptions),
    /// List the cached queries.
    Cached(CacheOptions),
    /// Delete a query from the cache, or some of its days.
    Forget(ForgetOptions),
    /// Pin a cached query, so that it is never removed to free disk space.
    Pin(PinOptions),
    /// Show how much disk space the cache uses and may use, or set the limit.
    Budget(BudgetOptions),
}

/// The location of the cache.
#[derive(Debug, Args)]
pub(crate) struct CacheOptions {
    /// Folder of the cache. The default is that of the desktop app: the one that the environment variable
    /// TIDEMARK_CACHE_DIR names, or else the one in the app's settings.
    #[arg(long, value_name = "DIR")]
    pub(crate) cache: Option<PathBuf>,
}

/// The source.
#[derive(Args)]
pub(crate) struct SourceOptions {
    /// Connection string. Every user of this computer can read a password in it in the list of processes. To avoid
    /// this, use --uri-file or the environment variable TIDEMARK_MONGODB_URI instead, or leave the password out and
    /// set TIDEMARK_MONGODB_PASSWORD.
    #[arg(long, conflicts_with = "uri_file")]
    pub(crate) uri: Option<String>,
    /// File whose first line is the connection string.
    #[arg(long, value_name = "FILE")]
    uri_file: Option<PathBuf>,
    /// Name of the database.
    #[arg(long)]
    pub(crate) db: Option<String>,
    /// Name of the collection that contains the trades.
    #[arg(long, value_name = "NAME")]
    pub(crate) collection: Option<String>,
    /// Name of a source that is set up in the desktop app, with its mapping. Its password comes from the environment
    /// variable TIDEMARK_MONGODB_PASSWORD, or else from this system's keychain.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["uri", "uri_file", "db", "collection"])]
    pub(crate) source: Option<String>,
}

/// The source, the days and the filters.
#[derive(Args)]
pub(crate) struct QueryOptions {
    #[command(flatten)]
    pub(crate) source: SourceOptions,
    /// Mapping file, in JSON. Without it, the default mapping is used.
    #[arg(long, value_name = "FILE.json", conflicts_with = "source")]
    pub(crate) mapping: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) cache: CacheOptions,
    /// First day of the range.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) from: String,
    /// Last day of the range, inclusive.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) to: String,
    /// Only trades whose FIELD has any of these values. Repeat the option to filter by several fields, or to add
    /// values for one field. Write a comma inside a value as \, and a backslash as \\.
    #[arg(long = "filter", value_name = "FIELD=VALUE[,VALUE...]", value_parser = read_filter)]
    pub(crate) filters: Vec<FilterInput>,
    /// MongoDB match document in Extended JSON, which applies in addition to the filters.
    #[arg(long = "match", value_name = "EXTENDED_JSON", default_value = "", hide_default_value = true)]
    pub(crate) advanced: String,
    /// Answer from the cache only, without contacting the server.
    #[arg(long)]
    pub(crate) offline: bool,
    /// Fetch all requested days again, including cached ones.
    #[arg(long, conflicts_with = "offline")]
    pub(crate) refresh: bool,
    /// Check the cached days against the server, and fetch again those that differ.
    #[arg(long, conflicts_with_all = ["offline", "refresh"])]
    pub(crate) verify: bool,
}

/// The trades to find.
#[derive(Args)]
pub(crate) struct FindOptions {
    /// Ids of the trades. `-` reads them from standard input, one a line or separated by commas or tabs.
    #[arg(required = true, value_name = "ID")]
    pub(crate) ids: Vec<String>,
    #[command(flatten)]
    pub(crate) source: SourceOptions,
    /// Mapping file, in JSON. Without it, the default mapping is used.
    #[arg(long, value_name = "FILE.json", conflicts_with = "source")]
    pub(crate) mapping: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) cache: CacheOptions,
    /// Search the cache only, without contacting the server. All cached queries are searched in any case.
    #[arg(long)]
    pub(crate) cached_only: bool,
}

/// The environment variable that may contain the connection string.
const URI: &str = "TIDEMARK_MONGODB_URI";

/// How a connection string was given.
pub(crate) enum UriSource {
    /// Visible to every user in the process list.
    CommandLine,
    Hidden,
}

impl SourceOptions {
    /// Whether anything of a source is given.
    pub(crate) fn is_named(&self) -> bool {
        self.source.is_some() || self.db.is_some() || self.collection.is_some()
    }

    /// The connection string, from the option, the file or the environment variable.
    ///
    /// # Errors
    /// A sentence about what is wrong with the command line.
    pub(crate) fn connection_string(&self) -> Result<(String, UriSource), String> {
        if let Some(uri) = &self.uri {
            return Ok((uri.clone(), UriSource::CommandLine));
        }
        if let Some(path) = &self.uri_file {
            let text = std::fs::read_to_string(path).map_err(|error| {
                format!("the file of --uri-file, {}, cannot be read: {error}", path.display())
            })?;
            // Some editors start a file with a byte order mark.
            let text = text.trim_start_matches('\u{feff}');
            let line = text.lines().next().unwrap_or_default().trim().to_owned();
            if line.is_empty() {
                return Err(format!("the first line of {} is to be the connection string", path.display()));
            }
            return Ok((line, UriSource::Hidden));
        }
        match std::env::var(URI) {
            Ok(uri) if !uri.trim().is_empty() => Ok((uri, UriSource::Hidden)),
            _ => Err(format!("a connection string is missing: give --source, --uri, --uri-file or {URI}")),
        }
    }
}

/// A query, and the output to produce.
#[derive(Args)]
#[command(
    group(ArgGroup::new("trades_file").multiple(true).args(["csv", "out"])),
    group(ArgGroup::new("messages_file").multiple(true).args(["downstream_csv", "downstream_out"])),
    group(ArgGroup::new("formatted_file").multiple(true).args(["out", "downstream_out"])),
    group(ArgGroup::new("file").multiple(true).args(["csv", "out", "downstream_csv", "downstream_out"])),
)]
pub(crate) struct FetchOptions {
    #[command(flatten)]
    pub(crate) query: QueryOptions,
    /// Write the trades to FILE as CSV. If the answer is partial, the file's name gets `.partial` before its
    /// extension. `-` means standard output; the JSON line then goes to standard error.
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,
    /// Write the messages of the trades to FILE as CSV, in the same way.
    #[arg(long, value_name = "FILE")]
    pub(crate) downstream_csv: Option<PathBuf>,
    /// Write the trades to FILE in the format of its extension: .csv, .parquet, .jsonl or .xlsx. JSON lines contain the
    /// documents, or objects of the chosen columns.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Write the messages of the trades to FILE, in the same way.
    #[arg(long, value_name = "FILE")]
    pub(crate) downstream_out: Option<PathBuf>,
    /// Format of the files of --out and --downstream-out, whatever their extensions; `-` and pipes need it.
    #[arg(long, value_name = "FORMAT", value_parser = read_format, requires = "formatted_file")]
    pub(crate) format: Option<ExportFormat>,
    /// Write FILE.manifest.json beside each file: what it contains, from which query and days, and its SHA-256.
    #[arg(long, requires = "file")]
    pub(crate) manifest: bool,
    /// Columns of the trades' files, in this order. Write a comma inside a path as \, and a backslash as \\.
    #[arg(long, value_name = "PATH[,PATH...]", value_parser = read_columns, requires = "trades_file")]
    pub(crate) columns: Option<Columns>,
    /// Columns of the messages' files, in the same way.
    #[arg(long, value_name = "PATH[,PATH...]", value_parser = read_columns, requires = "messages_file")]
    pub(crate) downstream_columns: Option<Columns>,
    /// In CSV files, put an apostrophe before text that a spreadsheet would take for a formula. Numbers are not
    /// changed.
    #[arg(long)]
    pub(crate) spreadsheet_safe: bool,
    /// Print each event of the fetch as a line of JSON before the answer.
    #[arg(long)]
    pub(crate) events: bool,
}

/// The cached query, and the SQL to run on it.
#[derive(Debug, Args)]
pub(crate) struct SqlOptions {
    /// Signature of the cached query, as printed by `cached`.
    pub(crate) signature: String,
    /// The SQL, in quotes: one SELECT. `-` reads it from standard input.
    #[arg(value_name = "SELECT")]
    pub(crate) text: String,
    /// First day.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) from: String,
    /// Last day, inclusive.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) to: String,
    /// Write the result to FILE in the format of its extension: .csv, .parquet, .jsonl or .xlsx. If days are missing,
    /// the file's name gets `.partial` before its extension. Without the option, or with `-`, the result goes to
    /// standard output, as CSV unless --format names another format; the JSON line then goes to standard error.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Format of the result, whatever the extension of the file.
    #[arg(long, value_name = "FORMAT", value_parser = read_format)]
    pub(crate) format: Option<ExportFormat>,
    /// Write FILE.manifest.json beside the file: the SQL, the query and days that it read, and its SHA-256.
    #[arg(long, requires = "out")]
    pub(crate) manifest: bool,
    /// In a CSV file, put an apostrophe before text that a spreadsheet would take for a formula. Numbers are not
    /// changed.
    #[arg(long)]
    pub(crate) spreadsheet_safe: bool,
    #[command(flatten)]
    pub(crate) cache: CacheOptions,
}

/// The query or days to delete.
#[derive(Debug, Args)]
pub(crate) struct ForgetOptions {
    /// Signature of the cached query, as printed by `cached`.
    pub(crate) signature: String,
    /// First day to delete. Without a range, the whole query is deleted.
    #[arg(long, value_name = "YYYY-MM-DD", requires = "to")]
    pub(crate) from: Option<String>,
    /// Last day to delete, inclusive.
    #[arg(long, value_name = "YYYY-MM-DD", requires = "from")]
    pub(crate) to: Option<String>,
    #[command(flatten)]
    pub(crate) cache: CacheOptions,
}

/// The query to pin.
#[derive(Debug, Args)]
pub(crate) struct PinOptions {
    /// Signature of the cached query, as printed by `cached`.
    pub(crate) signature: String,
    /// Unpin the query, so that it may be removed to free disk space.
    #[arg(long)]
    pub(crate) off: bool,
    #[command(flatten)]
    pub(crate) cache: CacheOptions,
}

/// How much disk space the cache may use.
#[derive(Debug, Args)]
pub(crate) struct BudgetOptions {
    /// Set the limit, for example 20GB or 500MB. If the cache exceeds it, the least recently used queries are removed
    /// at once.
    #[arg(long, value_name = "SIZE", value_parser = read_size)]
    pub(crate) set: Option<u64>,
    #[command(flatten)]
    pub(crate) cache: CacheOptions,
}

/// Parses `20GB`. A number without a unit would be ambiguous.
fn read_size(text: &str) -> Result<u64, String> {
    let wrong = || "a size is written with its unit, as in 20GB or 500MB".to_owned();
    if text.trim().ends_with(|character: char| character.is_ascii_digit()) {
        return Err(wrong());
    }
    text.parse::<bytesize::ByteSize>().map(|size| size.as_u64()).map_err(|_| wrong())
}

/// Parses `FIELD=VALUE,VALUE`. Whether the field exists is checked by the engine.
fn read_filter(text: &str) -> Result<FilterInput, String> {
    let (field, values) = text.split_once('=').ok_or("a filter is written FIELD=VALUE[,VALUE...]")?;
    if field.trim().is_empty() {
        return Err("a filter is written FIELD=VALUE[,VALUE...]; the field is missing".to_owned());
    }
    Ok(FilterInput {
        field: field.trim().to_owned(),
        operator: FilterOperator::AnyOf,
        values: split_values(values)?,
    })
}

/// The extensions of the formats, for a person.
const FORMATS: &str = ".csv, .parquet, .jsonl or .xlsx";

/// Parses the name of a format, which is its extension.
fn read_format(text: &str) -> Result<ExportFormat, String> {
    let name = format!("x.{}", text.trim_start_matches('.'));
    ExportFormat::of_path(Path::new(&name)).ok_or_else(|| format!("a format is {FORMATS}"))
}

/// The format of an output file, from its extension.
pub(crate) fn format_of(option: &str, path: &Path) -> Result<ExportFormat, String> {
    ExportFormat::of_path(path).ok_or_else(|| {
        format!(
            "the extension of the file of --{option}, {}, has to be {FORMATS}, or give --format",
            path.display()
        )
    })
}

/// The paths of columns.
#[derive(Debug, Clone)]
pub(crate) struct Columns(pub(crate) Vec<String>);

/// Parses `PATH,PATH`. Whether the columns exist is checked by the engine.
fn read_columns(text: &str) -> Result<Columns, String> {
    let columns: Vec<String> = split_values(text)?.iter().map(|path| path.trim().to_owned()).collect();
    for (at, path) in columns.iter().enumerate() {
        if path.is_empty() {
            return Err("a column is missing between the commas".to_owned());
        }
        if columns[..at].contains(path) {
            return Err(format!("the column {path} appears twice"));
        }
    }
    Ok(Columns(columns))
}

fn split_values(text: &str) -> Result<Vec<String>, String> {
    let mut values = vec![String::new()];
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let current = values.last_mut().expect("it begins with one value");
        match character {
            ',' => values.push(String::new()),
            '\\' => match characters.next() {
                Some(escaped @ (',' | '\\')) => current.push(escaped),
                Some(other) => {
                    return Err(format!("\\{other} is not a valid escape; write \\\\ for a backslash"));
                }
                None => return Err("a backslash at the end is not a valid escape; write \\\\".to_owned()),
            },
            other => current.push(other),
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_comma_parts_values_unless_it_is_escaped() {
        assert_eq!(split_values(r"a,b\,c,d\\"), Ok(vec!["a".into(), "b,c".into(), r"d\".into()]));
        assert_eq!(split_values(""), Ok(vec![String::new()]));
        assert!(split_values(r"a\n").is_err());
        let filter = read_filter(r"product=x=y,z").expect("a filter");
        assert_eq!((filter.field.as_str(), filter.values.len()), ("product", 2));
        assert!(read_filter("product").is_err() && read_filter("=x").is_err());
        assert_eq!(read_columns(r"a.b, c\,d").expect("columns").0, ["a.b", "c,d"]);
        assert_eq!(read_format("XLSX"), Ok(ExportFormat::Xlsx));
        assert!(read_format("xls").is_err() && format_of("out", Path::new("csv")).is_err());
        assert_eq!(format_of("out", Path::new("a.b/trades.Parquet")), Ok(ExportFormat::Parquet));
        assert!(read_columns("a,,b").is_err() && read_columns("").is_err() && read_columns("a,b,a").is_err());
    }
}
