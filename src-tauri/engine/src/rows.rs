//! Which rows of an answer to return, in which order, and how a file of them is written.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The role of a row in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The trades that the filters match.
    Input,
    /// The other messages that carry a matched trade's id.
    Downstream,
}

/// Which rows of an answer, and in which order. It is evaluated on the cached columns and never goes to MongoDB; pages,
/// documents and exports take it, so that an export contains what is shown.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
pub struct RowQuery {
    /// Which rows.
    pub role: Role,
    /// The columns that order them, the most significant first. Without any, the rows come by day and time.
    #[serde(default)]
    pub sorts: Vec<Sort>,
}

impl RowQuery {
    /// The rows of a role in the default order.
    #[must_use]
    pub const fn of(role: Role) -> Self {
        Self { role, sorts: Vec::new() }
    }

    /// The same rows, ordered by one more column, less significant than those before it.
    #[must_use]
    pub fn then_by(mut self, sort: Sort) -> Self {
        self.sorts.push(sort);
        self
    }
}

/// The order of the rows of a view.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
pub struct Sort {
    /// Dotted path of the column.
    pub path: String,
    /// Whether the greatest value comes first.
    pub descending: bool,
}

/// Which columns a CSV file has, and how they are written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct CsvOptions {
    /// Paths of the columns, in their order; all columns if there are none.
    pub columns: Vec<String>,
    /// Whether to put an apostrophe before text that a spreadsheet would take for a formula.
    pub spreadsheet_safe: bool,
}
