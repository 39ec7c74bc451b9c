//! The progress and the result of an export, and its manifest.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;
use ts_rs::TS;

use crate::answer::MissingDay;
use crate::cache::Identity;
use crate::day::{Day, DayRange};
use crate::rows::{ExportFormat, ExportOptions, RowQuery};

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

/// A written file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct Exported {
    /// The file. Its name contains `.partial` if the answer was partial. `-` is standard output.
    pub path: String,
    /// Its format.
    pub format: ExportFormat,
    /// Rows written.
    #[ts(type = "number")]
    pub rows: u64,
    /// Bytes written.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Whether the answer was complete.
    pub complete: bool,
    /// Numbers and dates that were written as text, since a spreadsheet cannot hold them exactly.
    #[ts(type = "number")]
    pub cells_as_text: u64,
    /// Texts that were cut, since a cell of a spreadsheet cannot hold them.
    #[ts(type = "number")]
    pub cut_texts: u64,
    /// The manifest beside the file, if there is one.
    pub manifest: Option<String>,
    /// Remarks about an older file next to it (a complete answer's file removes that of a partial one), about columns
    /// that no cached document has, and about what the format could not take.
    pub note: Option<String>,
}

/// What a file contains and where it comes from, for those who receive it.
#[derive(Debug, Clone, Serialize)]
pub struct Manifest {
    /// The version of Tidemark that wrote the file.
    pub tidemark: &'static str,
    /// When it was written.
    pub written: DateTime<Utc>,
    /// The name of the file.
    pub file: String,
    /// Its format.
    pub format: ExportFormat,
    /// Its SHA-256 in hexadecimal digits.
    pub sha256: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its rows.
    pub rows: u64,
    /// The names of its columns; none if the rows are documents.
    pub columns: Vec<String>,
    /// How values were written.
    pub options: ExportOptions,
    /// Whether every day is there, and none is known to differ at the source.
    pub complete: bool,
    /// The signature of the query.
    pub signature: String,
    /// The source, as a person reads it.
    pub source: String,
    /// The filters, as a person reads them.
    pub filters: String,
    /// The text whose hash is the signature: source, mapping and filters.
    pub query: String,
    /// Which rows of the answer, and in which order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row_query: Option<RowQuery>,
    /// The SQL whose result the file has, if it is not rows of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sql: Option<ManifestSql>,
    /// First day of the query.
    pub from: Day,
    /// Last day of the query.
    pub to: Day,
    /// When the oldest of the days was fetched.
    pub oldest_fetch: Option<DateTime<Utc>>,
    /// The days that the answer has.
    pub days: Vec<ManifestDay>,
    /// The days that it lacks, with the reasons.
    pub missing: Vec<MissingDay>,
}

/// SQL and the rows that it was run on.
#[derive(Debug, Clone, Serialize)]
pub struct ManifestSql {
    /// The SQL.
    pub text: String,
    /// Which rows of the answer it read; all rows of a role that is not named.
    pub rows: Vec<RowQuery>,
}

/// What a file has to say about the answer that it is made of.
#[derive(Debug, Clone)]
pub(crate) struct AnswerFacts {
    pub(crate) identity: Arc<Identity>,
    pub(crate) range: DayRange,
    pub(crate) complete: bool,
    /// The days that the answer has.
    pub(crate) held: Vec<ManifestDay>,
    /// The days that it lacks.
    pub(crate) missing: Vec<MissingDay>,
}

/// A day of a file.
#[derive(Debug, Clone, Serialize)]
pub struct ManifestDay {
    /// The day.
    pub day: Day,
    /// When it was fetched.
    pub fetched: DateTime<Utc>,
    /// Whether it was over and settled by then. Others may have changed at the source since.
    pub settled: bool,
    /// Whether it is known to differ at the source, or could not be checked.
    pub unverified: bool,
}
