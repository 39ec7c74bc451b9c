//! The command line, as typed and as meant.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use tidemark_engine::query::form::{FilterInput, FilterOperator};

/// Answers queries from the local cache, and pulls from MongoDB only what is missing.
#[derive(Parser)]
#[command(name = "tidemark-cli", about, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Answer a query.
    Fetch(Box<FetchOptions>),
    /// Print what a fetch would do. Asks the server only what a plan needs.
    Plan(Box<QueryOptions>),
    /// List the cached queries.
    Cached(CacheOptions),
    /// Forget a cached query, or some of its days.
    Forget(ForgetOptions),
    /// Pin a cached query, so that it stays in the cache when others are removed to free disk space.
    Pin(PinOptions),
    /// Show how much disk space the cache takes and may take, or set the limit.
    Budget(BudgetOptions),
}

/// Where the cache is.
#[derive(Debug, Args)]
pub(crate) struct CacheOptions {
    /// Folder of the cache.
    #[arg(long, value_name = "DIR")]
    pub(crate) cache: Option<PathBuf>,
}

/// Source, days and filters.
#[derive(Args)]
pub(crate) struct QueryOptions {
    /// Connection string. Everybody on this computer can read a password in it in the list of processes: use
    /// --uri-file or the environment variable TIDEMARK_MONGODB_URI instead, or leave the password out and set
    /// TIDEMARK_MONGODB_PASSWORD.
    #[arg(long, conflicts_with = "uri_file")]
    uri: Option<String>,
    /// File whose first line is the connection string.
    #[arg(long, value_name = "FILE")]
    uri_file: Option<PathBuf>,
    /// Database.
    #[arg(long)]
    pub(crate) db: String,
    /// Collection of the trades.
    #[arg(long, value_name = "NAME")]
    pub(crate) collection: String,
    /// Mapping file.
    #[arg(long, value_name = "FILE.json")]
    pub(crate) mapping: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) cache: CacheOptions,
    /// First day.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) from: String,
    /// Last day, inclusive.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) to: String,
    /// Trades that have any of these values; repeat it for one field to add values. Write a comma inside a value as
    /// \, and a backslash as \\.
    #[arg(long = "filter", value_name = "FIELD=VALUE[,VALUE...]", value_parser = read_filter)]
    pub(crate) filters: Vec<FilterInput>,
    /// A MongoDB match document in Extended JSON, in addition to the filters.
    #[arg(long = "match", value_name = "EXTENDED_JSON", default_value = "", hide_default_value = true)]
    pub(crate) advanced: String,
    /// Answer from the cache alone.
    #[arg(long)]
    pub(crate) offline: bool,
    /// Fetch every requested day again.
    #[arg(long, conflicts_with = "offline")]
    pub(crate) refresh: bool,
    /// Ask the server for a count per cached day, and fetch the days that differ.
    #[arg(long, conflicts_with_all = ["offline", "refresh"])]
    pub(crate) verify: bool,
}

/// Environment variable that may hold the connection string.
const URI: &str = "TIDEMARK_MONGODB_URI";

/// Where a connection string came from.
pub(crate) enum UriSource {
    /// Everybody can read it in the list of processes.
    CommandLine,
    Hidden,
}

impl QueryOptions {
    /// The connection string, from wherever it was given.
    ///
    /// # Errors
    /// The sentence that says what is wrong with the command line.
    pub(crate) fn connection_string(&self) -> Result<(String, UriSource), String> {
        if let Some(uri) = &self.uri {
            return Ok((uri.clone(), UriSource::CommandLine));
        }
        if let Some(path) = &self.uri_file {
            let text = std::fs::read_to_string(path).map_err(|error| {
                format!("the file of --uri-file, {}, cannot be read: {error}", path.display())
            })?;
            // Some editors begin a file with a mark of its encoding.
            let text = text.trim_start_matches('\u{feff}');
            let line = text.lines().next().unwrap_or_default().trim().to_owned();
            if line.is_empty() {
                return Err(format!("the first line of {} is to be the connection string", path.display()));
            }
            return Ok((line, UriSource::Hidden));
        }
        match std::env::var(URI) {
            Ok(uri) if !uri.trim().is_empty() => Ok((uri, UriSource::Hidden)),
            _ => Err(format!("a connection string is missing: give --uri, --uri-file or {URI}")),
        }
    }
}

/// A query, and what to do with its answer.
#[derive(Args)]
pub(crate) struct FetchOptions {
    #[command(flatten)]
    pub(crate) query: QueryOptions,
    /// Write the trades as CSV. A partial answer is written to FILE with `.partial` in its name. `-` is standard
    /// output; the JSON line then goes to standard error.
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,
    /// Write the messages of the trades as CSV, in the same way.
    #[arg(long, value_name = "FILE")]
    pub(crate) downstream_csv: Option<PathBuf>,
    /// The columns of the CSV of the trades, in this order. Write a comma inside a path as \, and a backslash as \\.
    #[arg(long, value_name = "PATH[,PATH...]", value_parser = read_columns, requires = "csv")]
    pub(crate) columns: Option<Columns>,
    /// The columns of the CSV of the messages, in the same way.
    #[arg(long, value_name = "PATH[,PATH...]", value_parser = read_columns, requires = "downstream_csv")]
    pub(crate) downstream_columns: Option<Columns>,
    /// In CSV files, put an apostrophe before text that a spreadsheet would read as a formula. Numbers stay as they are.
    #[arg(long)]
    pub(crate) spreadsheet_safe: bool,
    /// Print each event as a line of JSON before the answer.
    #[arg(long)]
    pub(crate) events: bool,
}

/// What to forget.
#[derive(Debug, Args)]
pub(crate) struct ForgetOptions {
    /// Signature of the cached query.
    pub(crate) signature: String,
    /// First day to forget.
    #[arg(long, value_name = "YYYY-MM-DD", requires = "to")]
    pub(crate) from: Option<String>,
    /// Last day to forget, inclusive.
    #[arg(long, value_name = "YYYY-MM-DD", requires = "from")]
    pub(crate) to: Option<String>,
    #[command(flatten)]
    pub(crate) cache: CacheOptions,
}

/// What to pin.
#[derive(Debug, Args)]
pub(crate) struct PinOptions {
    /// Signature of the cached query.
    pub(crate) signature: String,
    /// Unpin it: it may be removed when the cache is full.
    #[arg(long)]
    pub(crate) off: bool,
    #[command(flatten)]
    pub(crate) cache: CacheOptions,
}

/// How much disk space the cache may take.
#[derive(Debug, Args)]
pub(crate) struct BudgetOptions {
    /// Set the limit, for example 20GB or 500MB. If the cache takes more, the least recently used queries are removed.
    #[arg(long, value_name = "SIZE", value_parser = read_size)]
    pub(crate) set: Option<u64>,
    #[command(flatten)]
    pub(crate) cache: CacheOptions,
}

/// Reads `20GB`. A bare number could be meant in any unit.
fn read_size(text: &str) -> Result<u64, String> {
    let wrong = || "a size is written with its unit, as in 20GB or 500MB".to_owned();
    if text.trim().ends_with(|character: char| character.is_ascii_digit()) {
        return Err(wrong());
    }
    text.parse::<bytesize::ByteSize>().map(|size| size.as_u64()).map_err(|_| wrong())
}

/// Reads `FIELD=VALUE,VALUE`. The engine knows which fields there are.
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

/// Paths of columns.
#[derive(Debug, Clone)]
pub(crate) struct Columns(pub(crate) Vec<String>);

/// Reads `PATH,PATH`. The engine knows which columns there are.
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
        assert!(read_columns("a,,b").is_err() && read_columns("").is_err() && read_columns("a,b,a").is_err());
    }
}
