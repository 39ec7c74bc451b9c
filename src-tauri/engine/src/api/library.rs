//! The list of cached queries, and the disk space that the cache takes.

use chrono::{DateTime, Utc};
use serde::Serialize;
use ts_rs::TS;

use super::plan::WindowView;
use crate::failure::Failure;
use crate::query::form::QueryInput;

/// A query that the cache holds something of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct CachedQuery {
    /// The query's signature.
    pub signature: String,
    /// Hosts, database and collection, as a person reads them.
    pub source: String,
    /// The filters as a person reads them; "no filter" where there is none.
    pub filters: String,
    /// The mapping as a person reads it: queries of one source with the same filters differ in that.
    pub mapping: String,
    /// The filter form that gives this query, dates included, where it can be refilled.
    pub form: Option<QueryInput>,
    /// Stretches of held days.
    pub held: Vec<WindowView>,
    /// Days held.
    pub days: usize,
    /// Held days that may still change.
    pub open_days: usize,
    /// Input rows held.
    #[ts(type = "number")]
    pub input_rows: u64,
    /// Downstream rows held.
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
    /// Whether it is kept when room is made.
    pub pinned: bool,
    /// When it was last fetched, opened or exported.
    #[ts(type = "string | null")]
    pub last_used: Option<DateTime<Utc>>,
    /// Why the file cannot be opened now, where it cannot.
    pub failure: Option<Failure>,
}

/// The room that the cache takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
pub struct CacheUsage {
    /// Bytes that the cache takes.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Bytes that it may take.
    #[ts(type = "number")]
    pub budget: u64,
    /// Queries held.
    pub queries: usize,
}
