//! The list of cached queries, and the disk space that the cache takes.

use chrono::{DateTime, Utc};
use serde::Serialize;
use ts_rs::TS;

use super::plan::WindowView;
use crate::failure::Failure;
use crate::query::form::QueryInput;

/// A cached query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct CachedQuery {
    /// The query's signature.
    pub signature: String,
    /// Hosts, database and collection, as a person reads them.
    pub source: String,
    /// The filters as a person reads them; "no filter" if there are none.
    pub filters: String,
    /// The same, short enough for a list: at most three values per condition, and the number of the others.
    pub summary: String,
    /// The mapping as a person reads it, since queries of one source with the same filters may differ only in this.
    pub mapping: String,
    /// The form that gives this query, including dates; `None` if it cannot be filled in again.
    pub form: Option<QueryInput>,
    /// Ranges of cached days.
    pub held: Vec<WindowView>,
    /// Number of cached days.
    pub days: usize,
    /// Number of cached days that may still change.
    pub open_days: usize,
    /// Cached input rows.
    #[ts(type = "number")]
    pub input_rows: u64,
    /// Cached downstream rows, added up over the days: a message of trades of two days counts on each, while an answer
    /// shows it once.
    #[ts(type = "number")]
    pub downstream_rows: u64,
    /// Size of the file, in bytes.
    #[ts(type = "number")]
    pub bytes: u64,
    /// The oldest fetch time.
    #[ts(type = "string | null")]
    pub oldest_fetch: Option<DateTime<Utc>>,
    /// The newest fetch time.
    #[ts(type = "string | null")]
    pub newest_fetch: Option<DateTime<Utc>>,
    /// Whether it is pinned, so that it is never evicted.
    pub pinned: bool,
    /// When it was last fetched, opened or exported.
    #[ts(type = "string | null")]
    pub last_used: Option<DateTime<Utc>>,
    /// Why the file cannot be opened now, if it cannot.
    pub failure: Option<Failure>,
}

/// The disk space that the cache takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
pub struct CacheUsage {
    /// Bytes that the cache takes.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Bytes that it may take.
    #[ts(type = "number")]
    pub budget: u64,
    /// Number of cached queries.
    pub queries: usize,
}

/// What a smaller budget would evict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct EvictionPreview {
    /// Signatures of the queries, in the order in which they would be evicted.
    pub queries: Vec<String>,
    /// Bytes that the cache would use afterwards.
    #[ts(type = "number")]
    pub left: u64,
    /// Number of files that would stay only because a newer Tidemark wrote them.
    pub newer: usize,
}
