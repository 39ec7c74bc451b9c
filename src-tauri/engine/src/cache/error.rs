//! DuckDB's errors in the trader's words.

use crate::failure::{Code, Failure};

/// What a DuckDB error means to a person. DuckDB tells most of its I/O errors by text alone.
#[must_use]
pub fn duckdb_failure(error: &duckdb::Error) -> Failure {
    let text = error.to_string();
    let lower = text.to_lowercase();
    let has = |needles: &[&str]| needles.iter().any(|needle| lower.contains(needle));
    let failure = if has(&["could not set lock", "conflicting lock", "used by another process"]) {
        Failure::new(Code::CacheBusy, "Another Tidemark is using this cached query.")
    } else if has(&[
        "no space left",
        "disk full",
        "not enough space",
        "quota exceeded",
        // A limit of the user's, or of the file system, on one file: no room for this one.
        "file too large",
        "failed to offload",
        "max_temp_directory_size",
    ]) {
        Failure::new(Code::DiskFull, "There is no room left on the disk that holds the cache.")
    } else if has(&["out of memory", "failed to pin"]) {
        // There is no code for it; a file is never set aside for this (see `is_damage`).
        Failure::new(Code::CacheDamaged, "Storing or reading needs more memory than there is.")
            .advise("Close other programs, or try a shorter range; what was stored is kept.")
    } else if has(&["interrupt"]) {
        Failure::new(Code::Cancelled, "The work was cancelled.")
    } else {
        Failure::new(Code::CacheDamaged, "The cache file could not be read or written.")
    };
    failure.because(text)
}

/// Words of DuckDB's that mean damaged bytes, wherever they turn up.
const DAMAGE: [&str; 5] = ["corrupt", "checksum", "serializ", "could not read", "not enough bytes"];
/// More words that mean it when a file is opened: nothing has been asked of it yet.
const UNREADABLE: [&str; 9] = [
    "not a valid duckdb",
    "replaying wal",
    "catalog error",
    "internal error",
    "version number",
    "storage version",
    // Numbers and types in this program's own tables that no Tidemark writes.
    "out of range",
    "invalid column type",
    // DuckDB takes a file of SQLite's for one of another kind, not for a broken one of its own.
    "sqlite_scanner",
];

/// Whether a failure says that the bytes of a file are damaged. Not every error that no code fits is:
/// a file must never be set aside because the system was short of memory or a right was missing.
#[must_use]
pub fn is_damage(failure: &Failure) -> bool {
    says(failure, &DAMAGE)
}

/// Whether a failure to open says that the file is no cache file that this version can read.
#[must_use]
pub fn is_unreadable(failure: &Failure) -> bool {
    // Without a cause it is this program's own word on what the file says about itself.
    let own_word = failure.code == Code::CacheDamaged && failure.cause.is_none();
    own_word || says(failure, &DAMAGE) || says(failure, &UNREADABLE)
}

fn says(failure: &Failure, words: &[&str]) -> bool {
    let cause = failure.cause.as_deref().unwrap_or_default().to_lowercase();
    failure.code == Code::CacheDamaged && words.iter().any(|word| cause.contains(word))
}

impl From<duckdb::Error> for Failure {
    fn from(error: duckdb::Error) -> Self {
        duckdb_failure(&error)
    }
}
