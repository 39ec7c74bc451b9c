//! A trader's own SQL: the tables that it reads, and its results.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A table that SQL can read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct SqlTable {
    /// `trades` or `messages`.
    pub name: String,
    /// How many rows it has, before any are left out by what the rows are narrowed to.
    #[ts(type = "number")]
    pub rows: u64,
    /// Its columns.
    pub columns: Vec<SqlColumn>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct SqlColumn {
    /// Its name as it has to be written, in quotes if need be.
    pub name: String,
    /// Its type, such as `DOUBLE`.
    pub sql_type: String,
}

/// A result. It is kept until it is closed or later ones take its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct SqlResult {
    /// Its number, by which its pages are read.
    pub id: u32,
    /// Its columns.
    pub columns: Vec<SqlResultColumn>,
    /// How many rows it has.
    #[ts(type = "number")]
    pub rows: u64,
    /// How long the statement ran.
    #[ts(type = "number")]
    pub elapsed_ms: u64,
}

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct SqlResultColumn {
    /// Its heading.
    pub name: String,
    /// Its type, such as `DOUBLE`.
    pub sql_type: String,
    /// Whether its cells are numbers.
    pub numeric: bool,
}

/// The order of the rows of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SqlSort {
    /// The number of the column, from 0.
    pub column: u32,
    /// Whether the greatest value comes first.
    pub descending: bool,
}

/// Rows of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct SqlPage {
    /// The texts of their cells; `None` is a missing value.
    pub rows: Vec<Vec<Option<String>>>,
}
