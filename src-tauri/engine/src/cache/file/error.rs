//! Why the cache could not do something.
//!
//! DuckDB distinguishes most I/O errors only by their text. The text is read here, where the call is made, and nowhere
//! else: from here on the kind of the error decides. [`CacheErrorKind::Corrupt`] requires positive evidence: DuckDB
//! reports bytes that are not what was written, or the file contradicts itself. A system error is never damage,
//! whatever it prevented from being read.

use std::borrow::Cow;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, io};

use crate::rows::filter_text::FilterTextError;

/// Another Tidemark or another program has locked the file.
const BUSY: [&str; 3] = ["could not set lock", "conflicting lock", "used by another process"];
const DISK_FULL: [&str; 7] = [
    "no space left",
    "disk full",
    "not enough space",
    "quota exceeded",
    // A limit on the size of one file, set for the user or by the file system.
    "file too large",
    "failed to offload",
    "max_temp_directory_size",
];
const OUT_OF_MEMORY: [&str; 5] =
    ["out of memory", "failed to pin", "failed to allocate", "bad allocation", "cannot allocate memory"];
/// A database or a log that a newer DuckDB wrote.
const NEWER: [&str; 4] = [
    "trying to read a database file with version number",
    "storage version greater than the latest version",
    "which is lower than what the database itself uses",
    "failed to read wal of version",
];
/// Messages of system errors: the system cannot, or may not, do what DuckDB asks.
const SYSTEM: [&str; 22] = [
    "input/output error",
    "i/o error",
    "permission denied",
    "operation not permitted",
    "access is denied",
    "read-only file system",
    "too many open files",
    "no such file",
    "no such device",
    "is a directory",
    "not a directory",
    "stale file handle",
    "bad file descriptor",
    "transport endpoint",
    "resource temporarily unavailable",
    "interrupted system call",
    "connection timed out",
    "host is down",
    "file name too long",
    "too many levels of symbolic links",
    "invalid argument",
    "permission error",
];
/// The two parts of a message that means that bytes of the file lead to a negative place in it. Nothing else makes a
/// system refuse to read from an open file with these words.
const READ_OUTSIDE: [&str; 2] = ["could not read from file", "invalid argument"];
/// Messages that mean damaged bytes in any context.
const DAMAGE: [&str; 10] = [
    "corrupt",
    "checksum",
    "serialization error",
    "deserialize",
    // The file is shorter than its own headers say.
    "could not read enough bytes",
    "not a valid duckdb",
    "does not match database file",
    "invalid bitpacking mode",
    "invalid bit width",
    "written with a mode that is not recognized",
];
/// Messages that mean damage only while a file is being opened: up to then, the statements use only what every
/// Tidemark writes.
const UNREADABLE: [&str; 7] = [
    "replaying wal",
    "catalog error",
    "internal error",
    "binder error",
    // Numbers and types in this program's own tables that no Tidemark writes.
    "out of range",
    "invalid column type",
    // DuckDB takes an SQLite file for a database of a different kind, not for a broken one of its own.
    "sqlite_scanner",
];
/// After these, DuckDB refuses everything until the database is closed and opened again.
const FATAL: [&str; 3] = ["has been invalidated", "fatal error", "must be restarted"];

/// Result of everything that the cache does.
pub type Result<T, E = CacheError> = std::result::Result<T, E>;

/// An error of the cache: what kind it is, whether the open database survives it, and what caused it.
#[derive(Debug, Clone)]
pub struct CacheError {
    kind: CacheErrorKind,
    /// Whether DuckDB has invalidated the open database.
    is_fatal: bool,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// What kind of error it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CacheErrorKind {
    /// The file is in use.
    Busy(Holder),
    /// The cache does not have it.
    NotCached(Missing),
    /// There is no space left on the disk.
    DiskFull,
    /// There is not enough memory.
    OutOfMemory,
    /// The caller cancelled the work.
    Cancelled(Work),
    /// The bytes of the file are damaged, or the file contradicts itself: the evidence, as a sentence.
    Corrupt(Cow<'static, str>),
    /// The file is intact and not one that this query wrote: the evidence, as a sentence.
    NotOurs(Cow<'static, str>),
    /// A newer program wrote the file: how that shows.
    NewerFormat(String),
    /// An older program wrote the file, and it cannot be converted because it is read-only.
    OlderReadOnly,
    /// Nothing can be stored where the cache lies.
    ReadOnly,
    /// The file is a link, and links are not followed.
    Link,
    /// The system refuses the file.
    Io,
    /// The system refuses to read one file: its name.
    File(String),
    /// The system refuses the folder, or a file in it.
    Folder,
    /// The path cannot be that of a cache.
    Path(BadPath),
    /// A document cannot be judged locally as MongoDB would judge it. Nothing is copied then; the run fetches the days.
    Undecided,
    /// A column that does not exist was named: the sentence that says so.
    NoColumn(String, Purpose),
    /// What was typed as a condition on the column of a path is none.
    BadCondition(String, FilterTextError),
    /// A trader's own SQL cannot be run.
    Sql(Box<SqlProblem>),
    /// A file of the trader could not be written.
    Export(ExportProblem),
    /// A fault of this program: what failed, as a sentence.
    Internal(Cow<'static, str>),
}

/// What was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// A statement, for whatever it was run.
    Statement,
    /// A fetch that copies days from another cached query.
    Fetch,
    /// An export.
    Export,
}

/// Who has a file open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// Another process.
    OtherProcess,
    /// This process.
    ThisProcess,
    /// This process, which was asked to close it and has not done so in time.
    Closing,
}

/// What the cache does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// The file of a query.
    File,
    /// A query with this signature.
    Signature(String),
    /// A query that was removed meanwhile.
    Removed,
    /// A day of a query that others copy from, removed meanwhile.
    CopiedDay,
    /// A row, removed meanwhile.
    Row,
}

/// Why a path cannot be that of a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadPath {
    /// It leads to something that is not a file.
    NotAFile,
    /// It is not Unicode text.
    NotUnicode,
    /// It contains a question mark, which DuckDB takes for the beginning of options.
    QuestionMark,
    /// Files are in the way.
    NotEmpty,
}

/// What a column was named for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To sort by.
    Sort,
    /// To filter by.
    Filter,
    /// To summarise.
    Summary,
    /// To export.
    Export,
}

/// Why a trader's own SQL cannot be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlProblem {
    /// What is wrong, as a sentence without its full stop.
    pub what: String,
    /// The line and the column of the place, from 1, if it has one.
    pub place: Option<(u32, u32)>,
    /// Whether it is a limit that was reached, rather than a mistake in the text.
    pub is_limit: bool,
}

/// Why a file of the trader could not be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExportProblem {
    /// The disk of the file is full.
    NoSpace,
    /// It is a file of the cache.
    CacheFile(PathBuf),
    /// Another export writes to it.
    Busy(PathBuf),
    /// A sheet of a spreadsheet has fewer columns than there are.
    TooManyColumns {
        /// How many there are.
        columns: usize,
        /// How many a sheet has at most.
        most: usize,
    },
    /// The zone of the dates is unknown.
    NoZone(String),
    /// It could not be written, with the reason if it is a plain one.
    NotWritten(PathBuf, Option<&'static str>),
    /// A pipe, a device or standard output took only a part: its name, and the reason if it is a plain one.
    Incomplete(String, Option<&'static str>),
}

impl CacheError {
    /// An error of a kind, without a technical cause.
    pub(crate) const fn new(kind: CacheErrorKind) -> Self {
        Self { kind, is_fatal: false, source: None }
    }

    /// Damage, with the evidence as a sentence.
    pub(crate) fn corrupt(evidence: impl Into<Cow<'static, str>>) -> Self {
        Self::new(CacheErrorKind::Corrupt(evidence.into()))
    }

    /// A fault of this program, with what failed as a sentence.
    pub(crate) fn internal(what: impl Into<Cow<'static, str>>) -> Self {
        Self::new(CacheErrorKind::Internal(what.into()))
    }

    /// A file that a newer program wrote. It is intact: it is left alone and never evicted.
    pub(crate) fn newer(how: impl Into<String>) -> Self {
        Self::new(CacheErrorKind::NewerFormat(how.into()))
    }

    /// What the system said of a folder, or of a file in it.
    pub(crate) fn of_folder(path: &Path, error: &io::Error) -> Self {
        use io::ErrorKind::{FileTooLarge, OutOfMemory, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
        let kind = match error.kind() {
            ReadOnlyFilesystem => CacheErrorKind::ReadOnly,
            StorageFull | QuotaExceeded | FileTooLarge => CacheErrorKind::DiskFull,
            OutOfMemory => CacheErrorKind::OutOfMemory,
            _ => CacheErrorKind::Folder,
        };
        Self::new(kind).because(AtPath { path: path.to_owned(), error: error.to_string() })
    }

    /// What the system said of one file, whose folder it has no objection to.
    pub(crate) fn of_file(path: &Path, error: &io::Error) -> Self {
        let found = Self::of_folder(path, error);
        match (&found.kind, path.file_name()) {
            (CacheErrorKind::Folder, Some(name)) => {
                let kind = CacheErrorKind::File(name.to_string_lossy().into_owned());
                found.with_kind(kind)
            }
            _ => found,
        }
    }

    /// Adds the technical cause.
    #[must_use]
    pub(crate) fn because(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// The same cause under a different kind.
    #[must_use]
    pub(crate) fn with_kind(mut self, kind: CacheErrorKind) -> Self {
        self.kind = kind;
        self
    }

    /// What kind of error it is.
    #[must_use]
    pub const fn kind(&self) -> &CacheErrorKind {
        &self.kind
    }

    /// Whether the bytes of the file are damaged or foreign, so that it may be moved aside. That is confirmed on a
    /// fresh open first.
    #[must_use]
    pub const fn may_be_moved_aside(&self) -> bool {
        matches!(self.kind, CacheErrorKind::Corrupt(_) | CacheErrorKind::NotOurs(_))
    }

    /// Whether DuckDB has invalidated the open database: its handle is of no more use, and the file has to be opened
    /// again.
    #[must_use]
    pub const fn is_fatal(&self) -> bool {
        self.is_fatal
    }

    /// The error as it has to be read if it came up while a file was being opened. Nothing but this program's own
    /// tables has been asked for by then, so more of DuckDB's errors are evidence of damage.
    #[must_use]
    pub(crate) fn while_opening(self) -> Self {
        let text = self.source.as_ref().map(|source| unquoted(&source.to_string().to_lowercase()));
        let is_unreadable = text.is_some_and(|text| UNREADABLE.iter().any(|word| text.contains(word)));
        if matches!(self.kind, CacheErrorKind::Internal(_)) && is_unreadable {
            return self.with_kind(CacheErrorKind::Corrupt(Cow::Borrowed(UNREADABLE_FILE)));
        }
        self
    }
}

impl fmt::Display for CacheError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.kind)?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl Error for CacheError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

impl From<CacheErrorKind> for CacheError {
    fn from(kind: CacheErrorKind) -> Self {
        Self::new(kind)
    }
}

impl From<duckdb::Error> for CacheError {
    fn from(error: duckdb::Error) -> Self {
        let text = error.to_string().to_lowercase();
        let is_fatal = FATAL.iter().any(|word| text.contains(word));
        Self { kind: kind_of(&text), is_fatal, source: Some(Arc::new(error)) }
    }
}

/// A system error and the path that it is about.
#[derive(Debug, thiserror::Error)]
#[error("{}: {error}", path.display())]
struct AtPath {
    path: PathBuf,
    error: String,
}

/// A text as a technical cause, such as a path.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Detail(pub(crate) String);

const UNREADABLE_FILE: &str = "The cache file could not be read or written.";

/// Reads the kind of a DuckDB error from its text, in lower case.
fn kind_of(text: &str) -> CacheErrorKind {
    let text = unquoted(text);
    let has = |needles: &[&str]| needles.iter().any(|needle| text.contains(needle));
    if has(&["attached in read-only mode"]) {
        CacheErrorKind::ReadOnly
    } else if has(&BUSY) {
        CacheErrorKind::Busy(Holder::OtherProcess)
    } else if has(&DISK_FULL) {
        CacheErrorKind::DiskFull
    } else if has(&OUT_OF_MEMORY) {
        CacheErrorKind::OutOfMemory
    } else if has(&["interrupt error", "interrupted!"]) {
        CacheErrorKind::Cancelled(Work::Statement)
    } else if has(&NEWER) {
        CacheErrorKind::NewerFormat("it was stored by a newer DuckDB".to_owned())
    } else if has(&["disabled by configuration"]) {
        CacheErrorKind::Link
    } else if READ_OUTSIDE.iter().all(|part| text.contains(part)) {
        CacheErrorKind::Corrupt(Cow::Borrowed(UNREADABLE_FILE))
    } else if has(&["io error", "permission error"]) && has(&SYSTEM) {
        CacheErrorKind::Io
    } else if has(&DAMAGE) {
        CacheErrorKind::Corrupt(Cow::Borrowed(UNREADABLE_FILE))
    } else if has(&["io error", "permission error"]) {
        CacheErrorKind::Io
    } else {
        CacheErrorKind::Internal(Cow::Borrowed("Reading or writing the cache failed unexpectedly."))
    }
}

/// Removes what a text quotes: paths, names and values may contain any word.
fn unquoted(text: &str) -> String {
    text.split('"').step_by(2).collect::<Vec<_>>().join("\"")
}

#[cfg(test)]
mod tests {
    use super::CacheErrorKind as Kind;
    use super::*;

    fn error(text: &str) -> CacheError {
        duckdb::Error::DuckDBFailure(duckdb::ffi::Error::new(1), Some(text.to_owned())).into()
    }

    /// Literal messages of DuckDB 1.5.6.
    #[test]
    fn errors_of_the_system_are_no_damage() {
        let newer = Kind::NewerFormat("it was stored by a newer DuckDB".to_owned());
        for (text, kind) in [
            (r#"IO Error: Could not read from file "/c/a.duckdb": Input/output error"#, Kind::Io),
            (r#"IO Error: Cannot open file "/c/corrupt.duckdb": Permission denied"#, Kind::Io),
            (r#"IO Error: Cannot open file "/c/a.duckdb": Too many open files"#, Kind::Io),
            (r#"IO Error: Cannot open file "/c/a.duckdb.wal": Read-only file system"#, Kind::Io),
            (r#"IO Error: Could not write file "/c/a.duckdb": Input/output error"#, Kind::Io),
            (
                r#"IO Error: Failure while replaying WAL file "/c/a.duckdb.wal": IO Error: Could not read from file "/c/a.duckdb.wal": Input/output error"#,
                Kind::Io,
            ),
            (
                r#"IO Error: Could not set lock on file "/c/a.duckdb": Conflicting lock is held"#,
                Kind::Busy(Holder::OtherProcess),
            ),
            (r#"IO Error: Could not write file "/c/a.duckdb": No space left on device"#, Kind::DiskFull),
            (
                r#"Permission Error: Cannot access file "/e/a.duckdb.wal" - file system operations are disabled by configuration"#,
                Kind::Link,
            ),
            ("Out of Memory Error: failed to pin block of size 256.0 KiB", Kind::OutOfMemory),
            (
                "Out of Memory Error: Failed to allocate block of 262144 bytes (bad allocation)",
                Kind::OutOfMemory,
            ),
            ("INTERRUPT Error: Interrupted!", Kind::Cancelled(Work::Statement)),
            (
                "IO Error: Trying to read a database file with version number 99, but we can only read versions between 64 and 67.",
                newer,
            ),
        ] {
            assert_eq!(*error(text).kind(), kind, "{text}");
            assert!(!error(text).while_opening().may_be_moved_aside(), "{text}");
        }
        let quoted = error(r#"Binder Error: Referenced column "corrupt" not found"#);
        assert!(matches!(quoted.kind(), Kind::Internal(_)));
    }

    #[test]
    fn damage_has_evidence() {
        for text in [
            "IO Error: Corrupt database file: computed checksum 1 does not match stored checksum 2 in block at location 3",
            r#"IO Error: The file "/c/a.duckdb" exists, but it is not a valid DuckDB database file!"#,
            r#"IO Error: Could not read enough bytes from file "/c/a.duckdb": attempted to read 262144 bytes from location 12288"#,
            "Serialization Error: Failed to deserialize: field id mismatch",
            // Blocks of a file in each other's place, each with its valid checksum.
            r#"IO Error: Could not read from file "/c/a.duckdb": Invalid argument"#,
            "IO Error: Corrupted RLE segment: rle_count_offset exceeds the block size.",
            "Invalid Error: Invalid bit width for bitpacking",
            "INTERNAL Error: Invalid bitpacking mode",
            "FATAL Error: This block was written with a mode that is not recognized by this version, highest available mode 3, found mode: 255",
        ] {
            assert!(error(text).may_be_moved_aside(), "{text}");
        }
        let missing = error("Catalog Error: Table with name coverage does not exist!");
        assert!(matches!(missing.kind(), Kind::Internal(_)));
        assert!(missing.while_opening().may_be_moved_aside());
    }

    #[test]
    fn an_invalidated_database_is_recognised() {
        let invalidated = error(
            "FATAL Error: Failed: database has been invalidated because of a previous fatal error. The database must be restarted prior to being used again.",
        );
        assert!(matches!(invalidated.kind(), Kind::Internal(_)));
        assert!(invalidated.is_fatal());
        assert!(!error(r#"IO Error: Could not read from file "/c/a.duckdb": Input/output error"#).is_fatal());
    }
}
