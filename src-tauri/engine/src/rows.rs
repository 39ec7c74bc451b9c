//! Which rows of an answer to return, in which order, and how a file of them is written.

pub mod filter_text;
pub mod summary;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::day::Day;

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
/// counts, documents, summaries and exports take it, so that an export contains what is shown.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
pub struct RowQuery {
    /// Which rows.
    pub role: Role,
    /// The columns that order them, the most significant first. Without any, the rows come by day and time.
    #[serde(default)]
    pub sorts: Vec<Sort>,
    /// Conditions on columns. A row meets all of them.
    #[serde(default)]
    #[ts(optional, as = "Option<Vec<ColumnFilter>>")]
    pub filters: Vec<ColumnFilter>,
    /// A text that some cell of a row contains, as shown and whatever the case. A blank one narrows nothing.
    #[serde(default)]
    #[ts(optional = nullable)]
    pub search: Option<String>,
    /// The days to which the rows are narrowed; `None` for all days of the view.
    #[serde(default)]
    #[ts(optional = nullable)]
    pub days: Option<Vec<DaySpan>>,
}

/// Consecutive days, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
pub struct DaySpan {
    /// First day.
    pub from: Day,
    /// Last day.
    pub to: Day,
}

/// A condition on a column of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
pub struct ColumnFilter {
    /// Dotted path of the column.
    pub path: String,
    /// What its cells have to be.
    pub condition: ColumnCondition,
}

/// What the cells of a column have to be.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ColumnCondition {
    /// As a person types it; see [`filter_text`]. A blank text narrows nothing.
    Text {
        /// The text.
        text: String,
    },
    /// One of these values, as ticked in a list.
    Values {
        /// The cells' texts as shown.
        values: Vec<String>,
        /// Whether missing values and nulls are among them.
        #[serde(default)]
        empty: bool,
    },
}

impl RowQuery {
    /// The rows of a role in the default order.
    #[must_use]
    pub const fn of(role: Role) -> Self {
        Self { role, sorts: Vec::new(), filters: Vec::new(), search: None, days: None }
    }

    /// The rows of these that meet one more condition, as a person types it.
    #[must_use]
    pub fn with_filter(self, path: &str, text: &str) -> Self {
        self.where_column(path, ColumnCondition::Text { text: text.to_owned() })
    }

    /// The rows of these that meet one more condition.
    #[must_use]
    pub fn where_column(mut self, path: &str, condition: ColumnCondition) -> Self {
        self.filters.push(ColumnFilter { path: path.to_owned(), condition });
        self
    }

    /// The rows of these with a cell that contains a text.
    #[must_use]
    pub fn containing(mut self, text: &str) -> Self {
        self.search = Some(text.to_owned());
        self
    }

    /// The text that is searched for, unless it is blank.
    #[must_use]
    pub fn searched(&self) -> Option<&str> {
        self.search.as_deref().filter(|text| !text.trim().is_empty())
    }

    /// Whether it selects some rows only.
    #[must_use]
    pub fn is_narrowed(&self) -> bool {
        let narrows = |filter: &ColumnFilter| match &filter.condition {
            ColumnCondition::Text { text } => !text.trim().is_empty(),
            ColumnCondition::Values { .. } => true,
        };
        self.days.is_some() || self.searched().is_some() || self.filters.iter().any(narrows)
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
