//! Which rows of an answer to return, in which order, and how a file of them is written.

pub mod filter_text;
pub mod summary;

use std::path::Path;

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

/// A part of the rows of a row query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PageRequest {
    /// Position of the first row.
    #[ts(type = "number")]
    pub offset: u64,
    /// How many rows; the engine returns at most 5,000.
    #[ts(type = "number")]
    pub limit: u64,
    /// Paths of the columns whose cells are read, in the order of the cells; `None` for all columns. The fewer they are,
    /// the sooner the page is read. A path that no document of the view has gives empty cells.
    pub columns: Option<Vec<String>>,
}

impl PageRequest {
    /// All cells of some rows.
    #[must_use]
    pub const fn of(offset: u64, limit: u64) -> Self {
        Self { offset, limit, columns: None }
    }
}

/// The format of an exported file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// Texts between separators.
    #[default]
    Csv,
    /// Typed columns, for programs.
    Parquet,
    /// One JSON object per row.
    Jsonl,
    /// An Excel workbook.
    Xlsx,
}

impl ExportFormat {
    /// All formats.
    pub const ALL: [Self; 4] = [Self::Csv, Self::Parquet, Self::Jsonl, Self::Xlsx];

    /// The extension of its files, without the point.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Jsonl => "jsonl",
            Self::Xlsx => "xlsx",
        }
    }

    /// Its name in a dialog.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::Parquet => "Parquet",
            Self::Jsonl => "JSON lines",
            Self::Xlsx => "Excel",
        }
    }

    /// The format of the extension of a path, whatever the case.
    #[must_use]
    pub fn of_path(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?;
        Self::ALL.into_iter().find(|format| extension.eq_ignore_ascii_case(format.extension()))
    }
}

/// What stands between two cells of a CSV.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Separator {
    /// `,`
    #[default]
    Comma,
    /// `;`
    Semicolon,
    /// A tab.
    Tab,
}

/// How rows are exported: the format, the columns, and how values are written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct ExportOptions {
    /// The format.
    pub format: ExportFormat,
    /// Paths of the columns, in their order; all columns if there are none. JSON lines then contain the documents as
    /// the source returned them.
    pub columns: Vec<String>,
    /// What separates the cells of a CSV.
    pub separator: Separator,
    /// Whether numbers of a CSV have a comma in place of the point.
    pub decimal_comma: bool,
    /// Whether a CSV begins with the mark by which some spreadsheets recognise UTF-8.
    pub byte_order_mark: bool,
    /// The zone in which a CSV or a workbook shows dates; UTC without one. Other formats have instants.
    pub zone: Option<String>,
    /// Whether a CSV has an apostrophe before text that a spreadsheet would take for a formula.
    pub spreadsheet_safe: bool,
    /// Whether a manifest is written beside the file.
    pub manifest: bool,
}
