//! The progress and the result of an export.

use serde::Serialize;
use ts_rs::TS;

/// How far an export has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
pub struct ExportProgress {
    /// Bytes written so far.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Rows written so far.
    #[ts(type = "number")]
    pub written: u64,
    /// Total number of rows.
    #[ts(type = "number")]
    pub rows: u64,
}

/// A written CSV file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct Exported {
    /// The file. Its name ends in `.partial.csv` if the answer was partial. `-` is standard output.
    pub path: String,
    /// Rows written.
    #[ts(type = "number")]
    pub rows: u64,
    /// Bytes written.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Whether the answer was complete.
    pub complete: bool,
    /// Remarks about an older file next to it (a complete answer's file removes that of a partial one) and about
    /// columns that no cached document has.
    pub note: Option<String>,
}
