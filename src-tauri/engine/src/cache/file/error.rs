//! Translates DuckDB's errors into failures that a trader understands.
//!
//! DuckDB distinguishes most I/O errors only by their text. The text is read here, once; everywhere else the code
//! of the failure decides. `cache_damaged` requires positive evidence: DuckDB reports bytes that are not what was
//! written, or the file contradicts itself. A system error is never damage, whatever it prevented from being read.

use crate::failure::{Code, Failure};

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
/// Messages that mean damaged bytes in any context.
const DAMAGE: [&str; 7] = [
    "corrupt",
    "checksum",
    "serialization error",
    "deserialize",
    // The file is shorter than its own headers say.
    "could not read enough bytes",
    "not a valid duckdb",
    "does not match database file",
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

/// Converts a DuckDB error into a failure that a person understands.
#[must_use]
pub fn duckdb_failure(error: &duckdb::Error) -> Failure {
    let text = error.to_string();
    meaning(&text).because(text)
}

fn meaning(text: &str) -> Failure {
    let words = without_quotations(&text.to_lowercase());
    let has = |needles: &[&str]| needles.iter().any(|needle| words.contains(needle));
    if has(&["attached in read-only mode"]) {
        read_only()
    } else if has(&BUSY) {
        Failure::new(Code::CacheBusy, "Another Tidemark is using this cached query.")
    } else if has(&DISK_FULL) {
        Failure::new(Code::DiskFull, "There is no space left on the disk that holds the cache.")
    } else if has(&OUT_OF_MEMORY) {
        Failure::new(Code::OutOfMemory, "There is not enough memory to read or write the cache.")
    } else if has(&["interrupt error", "interrupted!"]) {
        Failure::new(Code::Cancelled, "The work was cancelled.")
    } else if has(&NEWER) {
        newer("it was stored by a newer DuckDB")
    } else if has(&["disabled by configuration"]) {
        Failure::new(
            Code::CacheUnusable,
            "The cache file is a link to another place, and Tidemark does not follow it.",
        )
        .advise("Put the file itself where the link is, or link the whole cache folder.")
    } else if has(&["io error", "permission error"]) && has(&SYSTEM) {
        refused()
    } else if has(&DAMAGE) {
        Failure::new(Code::CacheDamaged, "The cache file could not be read or written.")
    } else if has(&["io error", "permission error"]) {
        refused()
    } else {
        Failure::new(Code::Internal, "Reading or writing the cache failed unexpectedly.")
    }
}

fn refused() -> Failure {
    Failure::new(Code::CacheUnusable, "The operating system does not let Tidemark use the cache file.")
}

/// Returns the failure for a file that a newer program wrote. This is not damage: the file is left alone and never
/// evicted.
pub(crate) fn newer(how: &str) -> Failure {
    Failure::new(Code::CacheUnusable, format!("This cached query was written by a newer Tidemark ({how})."))
        .advise("Open it with the newer Tidemark, or forget it to fetch it again with this one.")
}

/// Reinterprets a failure that occurred while a file was being opened: some messages mean damage only then.
pub(crate) fn while_opening(failure: Failure) -> Failure {
    let cause = without_quotations(&failure.cause.as_deref().unwrap_or_default().to_lowercase());
    if failure.code == Code::Internal && UNREADABLE.iter().any(|word| cause.contains(word)) {
        return Failure {
            code: Code::CacheDamaged,
            message: "The cache file could not be read or written.".to_owned(),
            next: Code::CacheDamaged.next_step().to_owned(),
            cause: failure.cause,
        };
    }
    failure
}

/// Returns a message without its quoted parts: paths, names and values may contain any word.
fn without_quotations(text: &str) -> String {
    text.split('"').step_by(2).collect::<Vec<_>>().join("\"")
}

/// Whether a failure means that the bytes of a file are damaged. Before the file is moved aside, the damage is
/// confirmed on a fresh open.
#[must_use]
pub fn is_damage(failure: &Failure) -> bool {
    failure.code == Code::CacheDamaged
}

/// Whether DuckDB has invalidated a database: its handle is useless, and the file has to be opened again.
#[must_use]
pub fn is_fatal(failure: &Failure) -> bool {
    let cause = failure.cause.as_deref().unwrap_or_default().to_lowercase();
    FATAL.iter().any(|word| cause.contains(word))
}

impl From<duckdb::Error> for Failure {
    fn from(error: duckdb::Error) -> Self {
        duckdb_failure(&error)
    }
}

/// Returns the failure for a cache that is read-only.
#[must_use]
pub fn read_only() -> Failure {
    Failure::new(
        Code::CacheUnusable,
        "The cache is read-only: what is cached can be shown, but nothing new can be stored.",
    )
    .advise("Choose a cache folder that you may write to, or ask for the right to write to this one.")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Literal messages of DuckDB 1.5.6.
    #[test]
    fn errors_of_the_system_are_no_damage() {
        for (text, code) in [
            (r#"IO Error: Could not read from file "/c/a.duckdb": Input/output error"#, Code::CacheUnusable),
            (r#"IO Error: Cannot open file "/c/corrupt.duckdb": Permission denied"#, Code::CacheUnusable),
            (r#"IO Error: Cannot open file "/c/a.duckdb": Too many open files"#, Code::CacheUnusable),
            (r#"IO Error: Cannot open file "/c/a.duckdb.wal": Read-only file system"#, Code::CacheUnusable),
            (r#"IO Error: Could not write file "/c/a.duckdb": Input/output error"#, Code::CacheUnusable),
            (
                r#"IO Error: Failure while replaying WAL file "/c/a.duckdb.wal": IO Error: Could not read from file "/c/a.duckdb.wal": Input/output error"#,
                Code::CacheUnusable,
            ),
            (
                r#"IO Error: Could not set lock on file "/c/a.duckdb": Conflicting lock is held"#,
                Code::CacheBusy,
            ),
            (r#"IO Error: Could not write file "/c/a.duckdb": No space left on device"#, Code::DiskFull),
            (
                r#"Permission Error: Cannot access file "/e/a.duckdb.wal" - file system operations are disabled by configuration"#,
                Code::CacheUnusable,
            ),
            ("Out of Memory Error: failed to pin block of size 256.0 KiB", Code::OutOfMemory),
            (
                "Out of Memory Error: Failed to allocate block of 262144 bytes (bad allocation)",
                Code::OutOfMemory,
            ),
            ("INTERRUPT Error: Interrupted!", Code::Cancelled),
            (r#"Binder Error: Referenced column "corrupt" not found"#, Code::Internal),
            (
                "IO Error: Trying to read a database file with version number 99, but we can only read versions between 64 and 67.",
                Code::CacheUnusable,
            ),
        ] {
            assert_eq!(meaning(text).code, code, "{text}");
            let failure = while_opening(meaning(text).because(text));
            assert!(!is_damage(&failure) || code == Code::Internal, "{text}: {failure:?}");
        }
    }

    #[test]
    fn damage_has_evidence() {
        for text in [
            "IO Error: Corrupt database file: computed checksum 1 does not match stored checksum 2 in block at location 3",
            r#"IO Error: The file "/c/a.duckdb" exists, but it is not a valid DuckDB database file!"#,
            r#"IO Error: Could not read enough bytes from file "/c/a.duckdb": attempted to read 262144 bytes from location 12288"#,
            "Serialization Error: Failed to deserialize: field id mismatch",
        ] {
            assert!(is_damage(&meaning(text)), "{text}");
        }
        let opening = |text: &str| while_opening(meaning(text).because(text)).code;
        assert_eq!(opening("Catalog Error: Table with name coverage does not exist!"), Code::CacheDamaged);
        assert_eq!(meaning("Catalog Error: Table with name coverage does not exist!").code, Code::Internal);
    }

    #[test]
    fn an_invalidated_database_is_recognised() {
        let text = "FATAL Error: Failed: database has been invalidated because of a previous fatal error. The database must be restarted prior to being used again.";
        let failure = meaning(text).because(text);
        assert_eq!(failure.code, Code::Internal);
        assert!(is_fatal(&failure));
        let text = r#"IO Error: Could not read from file "/c/a.duckdb": Input/output error"#;
        assert!(!is_fatal(&meaning(text).because(text)));
    }
}
