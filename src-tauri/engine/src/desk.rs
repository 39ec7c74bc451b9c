//! What a window or another front end asks for and is shown: the types that cross to the UI.
//!
//! They are plain data. The TypeScript side is generated from them (`cargo xtask types`), and a
//! check fails when the two drift.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::day::Day;
use crate::failure::Failure;

/// How a filter field is to be matched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum FilterOperator {
    /// Any of the values (MongoDB's `$in`).
    #[default]
    AnyOf,
    /// All of the values (an array holds each of them).
    AllOf,
    /// None of the values.
    NoneOf,
    /// The text starts with the value.
    StartsWith,
    /// The document has the field.
    Exists,
    /// The document lacks the field.
    Missing,
    /// From the first to the second value, both inclusive. An empty end is open.
    Between,
    /// The value or more.
    AtLeast,
    /// The value or less.
    AtMost,
}

/// One row of the filter form, as typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FilterInput {
    /// Name of the field in the mapping, such as `product`.
    pub field: String,
    /// How to match.
    #[serde(default)]
    pub operator: FilterOperator,
    /// The values as typed; blanks do not count.
    #[serde(default)]
    pub values: Vec<String>,
}

/// The filter form, as typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct QueryInput {
    /// First day, `YYYY-MM-DD`.
    pub from: String,
    /// Last day, `YYYY-MM-DD`, inclusive.
    pub to: String,
    /// Conditions on the mapping's fields.
    #[serde(default)]
    pub filters: Vec<FilterInput>,
    /// The advanced match: a document in Extended JSON, or blank.
    #[serde(default)]
    pub advanced: String,
}

/// Type of a filter field's values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ValueType {
    /// Text, matched exactly.
    #[default]
    Text,
    /// A whole number of up to 64 bits.
    Integer,
    /// A number.
    Number,
    /// A decimal number, matched digit for digit.
    Decimal,
    /// A point in time, or a day.
    Date,
    /// True or false.
    Bool,
    /// An `ObjectId` of 24 hex digits.
    ObjectId,
    /// A UUID, stored as the mapping says.
    Uuid,
}

/// A field of the filter form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct FilterField {
    /// Name, such as `product`.
    pub name: String,
    /// Path in the documents.
    pub path: String,
    /// Type of its values.
    pub value_type: ValueType,
}

/// What will be done for one requested day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum DayAction {
    /// Served from the cache as it is.
    Serve,
    /// Served from the cache and pulled again.
    Refresh,
    /// Pulled from MongoDB.
    Fetch,
    /// Copied from a broader cached query.
    Adopt,
    /// Neither held nor to be had.
    Unavailable,
}

/// What is held of one requested day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum DayState {
    /// Nothing is held.
    NotHeld,
    /// Held, and may still change at the source.
    Open,
    /// Held, and final.
    Settled,
}

/// One requested day in a plan or an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct DayView {
    /// The day.
    pub day: Day,
    /// What is held of it.
    pub state: DayState,
    /// What a fetch would do.
    pub action: DayAction,
    /// Why, in a few words, where the action is not plain.
    pub why: Option<String>,
    /// Input rows held.
    #[ts(type = "number | null")]
    pub input_rows: Option<u64>,
    /// Downstream rows held.
    #[ts(type = "number | null")]
    pub downstream_rows: Option<u64>,
    /// When it was fetched.
    #[ts(type = "string | null")]
    pub fetched: Option<DateTime<Utc>>,
}

/// How many requested days the plan sorts where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, TS)]
pub struct PlanCounts {
    /// Days asked for.
    pub requested: usize,
    /// Served from the cache as they are.
    pub serve: usize,
    /// Served from the cache and pulled again.
    pub refresh: usize,
    /// Pulled from MongoDB.
    pub fetch: usize,
    /// Copied from a broader cached query.
    pub adopt: usize,
    /// Neither held nor to be had.
    pub unavailable: usize,
}

/// A stretch of days pulled with one MongoDB query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
pub struct WindowView {
    /// First day.
    pub from: Day,
    /// Last day, inclusive.
    pub to: Day,
}

/// The plan, as the window and `tidemark-cli plan` show it before anything is pulled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct PlanView {
    /// The query's signature.
    pub signature: String,
    /// Whether the source was in reach when the plan was made.
    pub reachable: bool,
    /// Every requested day.
    pub days: Vec<DayView>,
    /// The days by action.
    pub counts: PlanCounts,
    /// The MongoDB queries to come.
    pub windows: Vec<WindowView>,
    /// About how many input rows the pull brings, where that is known.
    #[ts(type = "number | null")]
    pub expected_rows: Option<u64>,
    /// The plan in one sentence: "24 of 31 days cached, 7 to fetch, about 48,000 trades".
    pub sentence: String,
}

/// Which rows of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The trades that the filters match.
    Input,
    /// The other messages that carry a matched trade's id.
    Downstream,
}

/// A cached query and the days of it that are looked at.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
pub struct ViewKey {
    /// The query's signature.
    pub signature: String,
    /// First day.
    pub from: Day,
    /// Last day, inclusive.
    pub to: Day,
}

/// Order of the rows of a view.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
pub struct Sort {
    /// Dotted path of the column.
    pub path: String,
    /// Greatest first.
    pub descending: bool,
}

/// A column of a view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct ColumnView {
    /// Dotted path; `_id` comes first.
    pub path: String,
    /// The BSON types seen in it, such as `string`, `int64`.
    pub types: Vec<String>,
    /// Whether to align right: every type is a number.
    pub numeric: bool,
}

/// A page of rows. It crosses as raw bytes of JSON; every cell is text or null, so that no digit is lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct Page {
    /// The state of the cache file that it was read from.
    #[ts(type = "number")]
    pub generation: u64,
    /// Position of the first row.
    #[ts(type = "number")]
    pub offset: u64,
    /// Rows, each a cell per column of the view, in the order of the columns of a [`ViewShape`] of the same
    /// generation.
    pub rows: Vec<Vec<Option<String>>>,
}

/// What a view holds: columns and counts of one role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct ViewShape {
    /// The state of the cache file that it was read from; a [`Page`] of another one has other columns.
    #[ts(type = "number")]
    pub generation: u64,
    /// The columns.
    pub columns: Vec<ColumnView>,
    /// Rows in all.
    #[ts(type = "number")]
    pub rows: u64,
    /// Path of the column that orders the rows of each day when they are not sorted. Without one they are in the order
    /// in which the source sent them.
    pub time_column: Option<String>,
}

/// Values to suggest for a field of the form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct Suggested {
    /// The values, those that the cache has first.
    pub values: Vec<String>,
    /// Whether the source is still being asked: there may be more in a moment.
    pub is_coming: bool,
}

/// One row as MongoDB held it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct RowDetail {
    /// The state of the cache file that it was read from; in a [`Page`] of another one it may have another place.
    #[ts(type = "number")]
    pub generation: u64,
    /// Relaxed Extended JSON, indented.
    pub relaxed: String,
    /// Canonical Extended JSON, indented: every type spelled out.
    pub canonical: String,
    /// When its day was fetched.
    #[ts(type = "string | null")]
    pub fetched: Option<DateTime<Utc>>,
    /// The day it belongs to.
    pub day: Day,
}

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

/// Whether the source is in reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Connection {
    /// No source is set up.
    NotConfigured,
    /// Not known yet.
    Checking,
    /// The last check was answered.
    Online {
        /// Round trip of the last check, in milliseconds.
        #[ts(type = "number")]
        round_trip_ms: u64,
        /// Version the server tells.
        version: String,
        /// What is to be said of a link on which nobody can tell that the server is the right one.
        unverified: Option<String>,
        /// What was ignored of the connection string, in sentences.
        warnings: Vec<String>,
    },
    /// The last check failed.
    Offline {
        /// Why.
        failure: Failure,
    },
}

/// How a fetch treats days that are held already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum FetchMode {
    /// Pull what is missing or due.
    #[default]
    Normal,
    /// Pull every requested day again.
    Refresh,
    /// Ask the source for a count and a change mark per held day, and pull the days that differ.
    Verify,
}

/// Where the documents are, as a trader sets it up. The password is kept apart and never stored with it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SourceProfile {
    /// Connection string, without the password.
    pub uri: String,
    /// Database.
    pub database: String,
    /// Collection.
    pub collection: String,
    /// The mapping file's text; blank means the defaults.
    #[serde(default)]
    pub mapping: String,
}

/// As it comes from the window it may still hold the password that somebody pasted.
impl std::fmt::Debug for SourceProfile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SourceProfile")
            .field("uri", &crate::failure::shown(&self.uri))
            .field("database", &self.database)
            .field("collection", &self.collection)
            .field("mapping", &self.mapping)
            .finish()
    }
}

/// What the window needs to know of the source in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct SourceView {
    /// The profile, where a source is set up.
    pub profile: Option<SourceProfile>,
    /// Fields of the filter form, in order.
    pub fields: Vec<FilterField>,
    /// Name of the day zone, such as `Europe/London`.
    pub day_zone: String,
    /// The time zone rules that are in force, such as `2026b (built in)`.
    pub zone_rules: String,
    /// Today in the day zone.
    pub today: Day,
    /// Whether the source is in reach.
    pub connection: Connection,
    /// The query form as it was left, or as the demo wants it.
    pub form: Option<QueryInput>,
    /// The folder of the cache.
    pub cache_folder: String,
}

/// Which columns a CSV file has, and how they are written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct CsvOptions {
    /// Paths of the columns, in their order; all columns if there are none.
    pub columns: Vec<String>,
    /// Puts an apostrophe before a text that a spreadsheet would take for a formula.
    pub spreadsheet_safe: bool,
}

/// How far an export has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
pub struct ExportProgress {
    /// Bytes written so far.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Rows in all.
    #[ts(type = "number")]
    pub rows: u64,
}

/// A written CSV file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct Exported {
    /// The file. Its name ends in `.partial.csv` where the answer was partial. `-` is standard output.
    pub path: String,
    /// Rows written.
    #[ts(type = "number")]
    pub rows: u64,
    /// Bytes written.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Whether the answer was complete.
    pub complete: bool,
    /// What is to be said of an older file beside it: a complete answer's file removes that of a partial one.
    pub note: Option<String>,
}
