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
        "failed to offload",
        "max_temp_directory_size",
    ]) {
        Failure::new(Code::DiskFull, "There is no room left on the disk that holds the cache.")
    } else if has(&["interrupt"]) {
        Failure::new(Code::Cancelled, "The work was cancelled.")
    } else {
        Failure::new(Code::CacheDamaged, "The cache file could not be read or written.")
    };
    failure.because(text)
}

impl From<duckdb::Error> for Failure {
    fn from(error: duckdb::Error) -> Self {
        duckdb_failure(&error)
    }
}
