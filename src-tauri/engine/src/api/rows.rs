//! Pages of rows, their columns and single documents.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::cache::read::column::Column;
use crate::day::Day;
use crate::decode::Kind;

/// A cached query and the range of its days that is viewed.
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
    /// What to call it in the window, if not its path.
    pub label: Option<String>,
    /// The BSON types seen in it, such as `string`, `int64`.
    pub types: Vec<String>,
    /// Whether every type is a number, so that the column is aligned right.
    pub numeric: bool,
}

impl ColumnView {
    /// A column, with the label that the mapping in use has for it.
    pub(crate) fn of(column: &Column, label: Option<&str>) -> Self {
        let kinds = || column.fields.keys().filter(|kind| **kind != Kind::Null);
        let mut types: Vec<String> = column.fields.keys().map(|kind| kind.shown_name().to_owned()).collect();
        types.dedup();
        Self {
            path: column.path.clone(),
            label: label.map(str::to_owned),
            types,
            numeric: kinds().next().is_some() && kinds().all(|kind| kind.is_number()),
        }
    }
}

/// A page of rows. It is passed on as raw bytes of JSON; every cell is text or null, so that no digit is lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct Page {
    /// The generation of the cache file from which it was read.
    #[ts(type = "number")]
    pub generation: u64,
    /// Position of the first row.
    #[ts(type = "number")]
    pub offset: u64,
    /// The rows. Each has one cell per column that was requested, or per column of a [`ViewShape`] of the same generation,
    /// in its order.
    pub rows: Vec<Vec<Option<String>>>,
}

/// The columns and the row count of one role of a view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct ViewShape {
    /// The generation of the cache file from which it was read; a [`Page`] of a different generation has different
    /// columns.
    #[ts(type = "number")]
    pub generation: u64,
    /// The columns.
    pub columns: Vec<ColumnView>,
    /// Total number of rows.
    #[ts(type = "number")]
    pub rows: u64,
    /// The order in which a window shows the columns, as places in `columns`: the trade id, the time, the fields of the
    /// filters, then numbers, then the rest, and `_id` last.
    pub reading_order: Vec<u32>,
    /// Path of the column that orders the rows of each day when they are not sorted. If `None`, they are in the order
    /// in which the source returned them.
    pub time_column: Option<String>,
    /// Path of the column with the id that a trade and its messages share, if the role has it.
    pub trade_column: Option<String>,
    /// Path of the column with the status of a trade, by which rows are coloured: the one that the mapping in use names.
    pub status_column: Option<String>,
}

/// How many rows a row query selects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct RowCount {
    /// The generation of the cache file from which it was read.
    #[ts(type = "number")]
    pub generation: u64,
    /// How many rows it selects.
    #[ts(type = "number")]
    pub rows: u64,
    /// Of how many rows of its role.
    #[ts(type = "number")]
    pub of: u64,
}

/// Where a text was found in the rows of a row query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct FoundText {
    /// The generation of the cache file from which it was read.
    #[ts(type = "number")]
    pub generation: u64,
    /// The position of the row; `None` if none follows in this direction.
    #[ts(type = "number | null")]
    pub position: Option<u64>,
    /// Its number among all rows with the text, from 1.
    #[ts(type = "number | null")]
    pub number: Option<u64>,
    /// How many rows contain the text.
    #[ts(type = "number")]
    pub total: u64,
}

/// Values to suggest for a field of the form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct Suggested {
    /// The values; those from the cache come first.
    pub values: Vec<String>,
    /// Whether the source is still being queried, so that more may follow in a moment.
    pub is_coming: bool,
}

/// One row as MongoDB returned it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct RowDetail {
    /// The generation of the cache file from which it was read; in a [`Page`] of a different generation the row may
    /// have a different position.
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
