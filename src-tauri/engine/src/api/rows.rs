//! Pages of rows, their columns and single documents.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::day::Day;

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
