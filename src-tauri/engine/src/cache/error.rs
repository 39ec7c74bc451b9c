//! DuckDB's errors in the trader's words.
//!
//! DuckDB distinguishes most I/O errors only by their text. The text is read here, once; everywhere else the code
//! of the failure decides. `cache_damaged` requires positive evidence: DuckDB reports bytes that are not what was
//! written, or the file contradicts itself. A system error is never damage, whatever it prevented from being read.

use super::access::read_only;
use crate::failure::{Code, Failure};

/// The file has another Tidemark's lock, or another program's.
const BUSY: [&str; 3] = ["could not set lock", "conflicting lock", "used by another process"];
const DISK_FULL: [&str; 7] = [
    "no space left",
    "disk full",
    "not enough space",
    "quota exceeded",
    // A limit of the user's, or of the file system, on one file: no room for this one.
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
/// What the system says when it cannot, or may not, do what DuckDB asks of it.
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
/// Words of DuckDB's that mean damaged bytes, wherever they turn up.
const DAMAGE: [&str; 7] = [
    "corrupt",
    "checksum",
    "serialization error",
    "deserialize",
    // The file ends before its own headers say so.
    "could not read enough bytes",
    "not a valid duckdb",
    "does not match database file",
];
/// More words that mean it when a file is opened: nothing has been asked of it yet but what every Tidemark
/// writes.
const UNREADABLE: [&str; 7] = [
    "replaying wal",
    "catalog error",
    "internal error",
    "binder error",
    // Numbers and types in this program's own tables that no Tidemark writes.
    "out of range",
    "invalid column type",
    // DuckDB takes a file of SQLite's for one of another kind, not for a broken one of its own.
    "sqlite_scanner",
];
/// DuckDB refuses everything from here on: the database has to be closed and opened again.
const FATAL: [&str; 3] = ["has been invalidated", "fatal error", "must be restarted"];

/// What a DuckDB error means to a person.
#[must_use]
pub fn duckdb_failure(error: &duckdb::Error) -> Failure {
    let text = error.to_string();
    meaning(&text).because(text)
}

fn meaning(text: &str) -> Failure {
    let said = without_quotations(&text.to_lowercase());
    let has = |needles: &[&str]| needles.iter().any(|needle| said.contains(needle));
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

/// A file that a newer program wrote. It is no damage: it is left as it is, and never evicted.
pub(super) fn newer(how: &str) -> Failure {
    Failure::new(Code::CacheUnusable, format!("This cached query was written by a newer Tidemark ({how})."))
        .advise("Open it with the newer Tidemark, or forget it to fetch it again with this one.")
}

/// The same error where it turned up while a file was being opened, when some words say more.
pub(super) fn while_opening(failure: Failure) -> Failure {
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

/// What a text says itself: paths, names and values that it quotes may hold any word.
fn without_quotations(text: &str) -> String {
    text.split('"').step_by(2).collect::<Vec<_>>().join("\"")
}

/// Whether a failure says that the bytes of a file are damaged. Before a file is moved out of the way, that is
/// confirmed on a fresh open.
#[must_use]
pub fn is_damage(failure: &Failure) -> bool {
    failure.code == Code::CacheDamaged
}

/// Whether DuckDB has given a database up: its handle is of no use any more, and the file has to be opened
/// afresh.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What DuckDB 1.5.6 says, as it says it.
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
    fn a_database_that_duckdb_gave_up_is_told_apart() {
        let text = "FATAL Error: Failed: database has been invalidated because of a previous fatal error. The database must be restarted prior to being used again.";
        let failure = meaning(text).because(text);
        assert_eq!(failure.code, Code::Internal);
        assert!(is_fatal(&failure));
        let text = r#"IO Error: Could not read from file "/c/a.duckdb": Input/output error"#;
        assert!(!is_fatal(&meaning(text).because(text)));
    }
}
