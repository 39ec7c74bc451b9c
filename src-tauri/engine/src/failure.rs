//! Failures that reach a person: a code, a sentence, what to do next, and the technical cause.

use std::error::Error;
use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::num::NonZeroU32;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

pub use crate::secret::{holds_secret, is_secret_option, redact, shown};

/// The result of every engine operation whose failure is shown to a person.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// What went wrong, as a closed set that callers can branch on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// A connection string or an option of it cannot be used.
    BadSource,
    /// No server of the source answers.
    SourceUnreachable,
    /// The server refused the user name or the password.
    AuthFailed,
    /// No secure connection could be established.
    TlsFailed,
    /// The user is known but may not read this.
    NotAuthorized,
    /// The server took longer than the time limit.
    SourceTimeout,
    /// A filter or the advanced match cannot be used.
    BadFilter,
    /// The dates cannot be used.
    BadRange,
    /// The mapping does not fit the documents, or is not a mapping.
    BadMapping,
    /// The run was cancelled.
    Cancelled,
    /// The cache alone was to answer, and it has none of the requested days.
    NotCached,
    /// Another Tidemark has the file open.
    CacheBusy,
    /// The bytes of a cache file are not what was written. This takes positive evidence; a system error is never
    /// damage.
    CacheDamaged,
    /// The cache folder or a file in it cannot be used: permissions, a read-only disk, an input/output error, a file
    /// written by a newer version.
    CacheUnusable,
    /// The disk of the cache is full.
    DiskFull,
    /// There is not enough memory.
    OutOfMemory,
    /// The CSV file could not be written.
    ExportFailed,
    /// A bug in this program.
    Internal,
}

impl Code {
    /// The code as it is written in JSON, in logs and in the contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadSource => "bad_source",
            Self::SourceUnreachable => "source_unreachable",
            Self::AuthFailed => "auth_failed",
            Self::TlsFailed => "tls_failed",
            Self::NotAuthorized => "not_authorized",
            Self::SourceTimeout => "source_timeout",
            Self::BadFilter => "bad_filter",
            Self::BadRange => "bad_range",
            Self::BadMapping => "bad_mapping",
            Self::Cancelled => "cancelled",
            Self::NotCached => "not_cached",
            Self::CacheBusy => "cache_busy",
            Self::CacheDamaged => "cache_damaged",
            Self::CacheUnusable => "cache_unusable",
            Self::DiskFull => "disk_full",
            Self::OutOfMemory => "out_of_memory",
            Self::ExportFailed => "export_failed",
            Self::Internal => "internal",
        }
    }

    /// What a person can do about it, in one sentence.
    #[must_use]
    pub const fn next_step(self) -> &'static str {
        match self {
            Self::BadSource => "Correct the connection string and try again.",
            Self::SourceUnreachable => {
                "Check the host name, the network and the VPN; what is cached can be browsed meanwhile."
            }
            Self::AuthFailed => "Enter the user name and the password again.",
            Self::TlsFailed => "Ask your administrator which certificates the server expects.",
            Self::NotAuthorized => "Ask your administrator for read access to this collection.",
            Self::SourceTimeout => {
                "Try a shorter range; if that is slow too, ask for an index on the date fields."
            }
            Self::BadFilter => "Correct the filter and try again.",
            Self::BadRange => "Correct the dates and try again.",
            Self::BadMapping => "Correct the mapping and try again.",
            Self::Cancelled => "Run the query again to fetch the rest.",
            Self::NotCached => "Run the query again when the server can be reached.",
            Self::CacheBusy => {
                "Close the other Tidemark, or wait until it has finished; an open window holds on to its last few queries."
            }
            Self::CacheDamaged => {
                "Fetch the query again when the server can be reached; the damaged file is moved aside first."
            }
            Self::CacheUnusable => {
                "Check that the disk is there and that you may read and write the folder, then try again; nothing was removed."
            }
            Self::DiskFull => {
                "Free some disk space and run the query again; the days that are stored stay in the cache."
            }
            Self::OutOfMemory => {
                "Close other programs, or try a shorter range; the days that are stored stay in the cache."
            }
            Self::ExportFailed => "Choose another folder or file name and export again.",
            Self::Internal => "Try again; if it happens again, report it with the technical details.",
        }
    }
}

impl Code {
    /// The field of a form that a failure with this code is about, unless the failure knows better.
    const fn target(self) -> Option<FailureTarget> {
        Some(match self {
            Self::BadRange => FailureTarget::Dates,
            Self::BadMapping => FailureTarget::Mapping,
            Self::BadSource | Self::TlsFailed => FailureTarget::ConnectionString,
            Self::AuthFailed => FailureTarget::Password,
            Self::NotAuthorized => FailureTarget::Collection,
            _ => return None,
        })
    }
}

/// The field of a form that a failure is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "field", rename_all = "snake_case")]
pub enum FailureTarget {
    /// The dates of the query.
    Dates,
    /// A filter of the query.
    Filter {
        /// Its name in the mapping.
        name: String,
    },
    /// The advanced match of the query.
    Advanced,
    /// What was typed as a condition on a column of the answer.
    Column {
        /// The path of the column.
        // A second `String` would make every failure larger.
        path: Box<str>,
    },
    /// A trader's own SQL.
    Sql {
        /// The line of the mistake, from 1.
        line: u32,
        /// The column of the mistake, from 1, in characters.
        column: u32,
    },
    /// The source's name.
    SourceName,
    /// The source's connection string.
    ConnectionString,
    /// The source's password.
    Password,
    /// The source's database.
    Database,
    /// The source's collection.
    Collection,
    /// The source's mapping.
    Mapping,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A short id of a run, which differs from those of other runs and programs: eight hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct RunId(NonZeroU32);

impl RunId {
    /// A new id.
    pub(crate) fn random() -> Self {
        // A random number without a dependency: the keys of the standard library's hashers are random.
        let random = RandomState::new().build_hasher().finish() >> 32;
        Self(u32::try_from(random).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN))
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for RunId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let number = u32::from_str_radix(&text, 16).ok().and_then(NonZeroU32::new);
        number.map(Self).ok_or("the id of a run is eight hexadecimal digits")
    }
}

/// A failure as it is shown to a person. It never contains a password.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Failure {
    /// What went wrong.
    pub code: Code,
    /// One sentence in the user's words.
    pub message: String,
    /// What to do next.
    pub next: String,
    /// The technical cause, if there is one.
    pub cause: Option<String>,
    /// The field of a form that it is about, if it is about one.
    #[serde(default)]
    pub target: Option<FailureTarget>,
    /// The short id of the run that failed, by which the log is searched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional, as = "Option<String>")]
    pub run: Option<RunId>,
    /// The error that it is made of, so that the engine decides by types.
    #[serde(skip)]
    #[ts(skip)]
    pub(crate) source: Option<Arc<dyn Error + Send + Sync>>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

/// Two failures are equal if a person reads the same in them.
impl PartialEq for Failure {
    fn eq(&self, other: &Self) -> bool {
        let shown = |failure: &Self| {
            (
                failure.code,
                failure.message.clone(),
                failure.next.clone(),
                failure.cause.clone(),
                failure.target.clone(),
            )
        };
        shown(self) == shown(other)
    }
}

impl Eq for Failure {}

impl Failure {
    /// Creates a failure with the code's own advice and no technical cause. The message may quote what was typed, so
    /// it is redacted as well.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: redact(&message.into()),
            next: code.next_step().to_owned(),
            cause: None,
            target: code.target(),
            run: None,
            source: None,
        }
    }

    /// Adds the technical cause. Known passwords and those in connection strings are redacted, dumps of bytes in
    /// hexadecimal are removed, and the text is cut to a readable length.
    #[must_use]
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(shortened(&redact(&cause.to_string())));
        self
    }

    /// Names the field of a form that it is about.
    #[must_use]
    pub fn at(mut self, target: FailureTarget) -> Self {
        self.target = Some(target);
        self
    }

    /// Names the run that failed.
    #[must_use]
    pub(crate) const fn in_run(mut self, run: RunId) -> Self {
        self.run = Some(run);
        self
    }

    /// Keeps the error that the failure is made of.
    #[must_use]
    pub(crate) fn with_source(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// The error of a type that the failure is made of.
    #[must_use]
    pub fn source_as<E: Error + 'static>(&self) -> Option<&E> {
        self.source()?.downcast_ref()
    }

    /// The failure as it is written to the log, without its code. A message about a filter or a file may quote the
    /// trader's values, which are left out.
    #[must_use]
    pub fn for_log(&self) -> String {
        let without_values = self.cause.as_deref().map(without_quoted);
        let (message, cause) = match self.code {
            // The server's number and reason, without what it quotes.
            Code::BadFilter if self.source.is_some() && without_values.is_some() => {
                ("the server refused the query", without_values.as_deref())
            }
            Code::BadFilter => ("a filter cannot be used", None),
            Code::ExportFailed => ("the file cannot be written", self.cause.as_deref()),
            // The server quotes the whole command.
            Code::NotAuthorized => {
                (&*self.message, self.cause.as_deref().and_then(|cause| cause.split('{').next()))
            }
            _ => (self.message.as_str(), self.cause.as_deref()),
        };
        match cause {
            Some(cause) => format!("{message} ({cause})"),
            None => message.to_owned(),
        }
    }

    /// Replaces the code's own advice.
    #[must_use]
    pub fn advise(mut self, next: impl Into<String>) -> Self {
        self.next = redact(&next.into());
        self
    }
}

/// A text up to the first document in it, with an ellipsis for what it quotes: both may be values that were typed.
fn without_quoted(text: &str) -> String {
    let text = text.split(['{', '[']).next().unwrap_or_default();
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(['"', '\'', '`', '/']) {
        let quote = rest[start..].chars().next().unwrap_or('"');
        out.push_str(&rest[..=start]);
        out.push('…');
        match rest[start + 1..].rfind(quote) {
            Some(end) => {
                out.push(quote);
                rest = &rest[start + 1 + end + 1..];
            }
            None => return out,
        }
    }
    out.push_str(rest);
    out.trim_end().to_owned()
}

/// The longest technical cause, in characters.
const LONGEST_CAUSE: usize = 2_000;
/// A longer run of hexadecimal digits is not a hash but the bytes of a document.
const LONGEST_HEX: usize = 64;

/// A cause without dumps of bytes and of limited length. An ellipsis replaces what is cut.
fn shortened(cause: &str) -> String {
    let mut out = String::with_capacity(cause.len().min(LONGEST_CAUSE));
    let mut rest = cause;
    while let Some(start) = rest.find(|c: char| c.is_ascii_hexdigit()) {
        let run = rest[start..].find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len() - start);
        let shown = if run > LONGEST_HEX { 16 } else { run };
        out.push_str(&rest[..start + shown]);
        if shown < run {
            out.push('…');
        }
        rest = &rest[start + run..];
    }
    out.push_str(rest);
    match out.char_indices().nth(LONGEST_CAUSE) {
        Some((end, _)) => format!("{}…", &out[..end]),
        None => out,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_has_no_dump_and_an_end() {
        let cause = |text: &str| Failure::new(Code::Internal, "x").because(text).cause.expect("a cause");
        let dump = "3f".repeat(500);
        let shortened = cause(&format!("Error 13, reply {{ data: \"{dump}\" }} of 65a1b2c3d4e5f60718293a4b"));
        assert_eq!(shortened, "Error 13, reply { data: \"3f3f3f3f3f3f3f3f…\" } of 65a1b2c3d4e5f60718293a4b");
        assert_eq!(cause(&"long ".repeat(5_000)).chars().count(), LONGEST_CAUSE + 1);
    }

    #[test]
    fn two_runs_have_two_ids() {
        let ids = [RunId::random(), RunId::random()];
        assert!(ids[0] != ids[1] && ids.iter().all(|id| id.to_string().len() == 8), "{ids:?}");
        let failure = Failure::new(Code::Internal, "x").in_run(ids[0]);
        let json = serde_json::to_string(&failure).expect("plain data");
        assert!(json.ends_with(&format!(r#""run":"{}"}}"#, ids[0])), "{json}");
        assert_eq!(serde_json::from_str::<Failure>(&json).expect("a failure").run, Some(ids[0]));
    }

    #[test]
    fn a_log_has_no_filter_values() {
        let log = |code, message: &str, cause: &str| Failure::new(code, message).because(cause).for_log();
        let quoted =
            "not authorized on desk to execute command { aggregate: \"trades\", pipeline: [\"Brent\"] }";
        for text in [
            log(Code::BadFilter, "\"Brent\" is not a number.", "Brent"),
            log(Code::ExportFailed, "Brent.csv could not be written.", "Permission denied"),
            log(Code::NotAuthorized, "This user may not read the collection.", quoted),
        ] {
            assert!(!text.contains("Brent"), "{text}");
        }
        let refused = Failure::new(Code::BadFilter, "The server refused the query.")
            .because("Command failed: Error code 51091 (Location51091): bad 'it's Brent' in { product: \"Brent\" }")
            .with_source(std::fmt::Error);
        assert_eq!(
            refused.for_log(),
            "the server refused the query (Command failed: Error code 51091 (Location51091): bad '…' in)"
        );
        let text = log(Code::SourceUnreachable, "No server answers.", "Topology: { Servers: [] }");
        assert_eq!(text, "No server answers. (Topology: { Servers: [] })");
    }

    #[test]
    fn a_failure_reads_as_code_and_sentence() {
        let failure = Failure::new(Code::BadRange, "The range ends before it begins.").because("to < from");
        assert_eq!(failure.to_string(), "bad_range: The range ends before it begins.");
        assert_eq!(
            serde_json::to_string(&failure).expect("plain data"),
            r#"{"code":"bad_range","message":"The range ends before it begins.","next":"Correct the dates and try again.","cause":"to < from","target":{"field":"dates"}}"#
        );
    }
}
