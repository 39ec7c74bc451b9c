//! Summaries of the rows that a row query selects: values of a column, sums, groups. Numbers are texts, digit for digit.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::ColumnCondition;

/// The values of a column with their counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct ColumnValues {
    /// The generation of the cache file from which it was read.
    #[ts(type = "number")]
    pub generation: u64,
    /// The values, the most frequent first; equally frequent ones by their text.
    pub values: Vec<ValueCount>,
    /// How many further values there are.
    #[ts(type = "number")]
    pub further: u64,
    /// How many rows have no value, or null.
    #[ts(type = "number")]
    pub empty: u64,
}

/// A value, and how many rows have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct ValueCount {
    /// The cell's text as shown.
    pub value: String,
    /// How many rows have it.
    #[ts(type = "number")]
    pub rows: u64,
}

/// What a column adds up to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct ColumnSums {
    /// The generation of the cache file from which it was read.
    #[ts(type = "number")]
    pub generation: u64,
    /// How many rows there are.
    #[ts(type = "number")]
    pub rows: u64,
    /// How many of them have a value.
    #[ts(type = "number")]
    pub filled: u64,
    /// How many different values there are, as shown.
    #[ts(type = "number")]
    pub distinct: u64,
    /// How many of the values are numbers.
    #[ts(type = "number")]
    pub numbers: u64,
    /// The sum of the numbers, exactly: doubles count as the decimal numbers that their cells show, so that the sum is
    /// what a person gets who adds up the cells. `NaN` if one is NaN or if both infinities occur; `None` without numbers.
    pub sum: Option<String>,
    /// The sum divided by the number of numbers, to 34 digits.
    pub average: Option<String>,
    /// The least value: of the numbers if there are any, otherwise of the dates, otherwise of the texts. Of equal
    /// numbers, the one whose text comes first. NaN counts only if there are no other numbers.
    pub min: Option<String>,
    /// The greatest value.
    pub max: Option<String>,
}

/// How to group rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct GroupRequest {
    /// The columns whose values make the groups: one to three.
    pub by: Vec<GroupColumn>,
    /// The zone in which dates are cut into days, weeks, months and years: `UTC` or a name such as `Europe/London`.
    #[serde(default)]
    #[ts(optional = nullable)]
    pub zone: Option<String>,
    /// What to work out for each group.
    #[serde(default)]
    pub figures: Vec<Figure>,
    /// The order of the groups. Without it, they come by their keys.
    #[serde(default)]
    #[ts(optional = nullable)]
    pub sort: Option<GroupSort>,
    /// How many groups to return at most.
    pub limit: u32,
}

/// A column whose values make groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct GroupColumn {
    /// Dotted path.
    pub path: String,
    /// How dates are cut; whole values if `None`.
    #[serde(default)]
    #[ts(optional = nullable)]
    pub unit: Option<DateUnit>,
}

/// A length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum DateUnit {
    /// `2025-03-01`
    Day,
    /// A week from Monday to Sunday: `2025-W09`.
    Week,
    /// `2025-03`
    Month,
    /// `2025`
    Year,
}

/// Something to work out for each group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Figure {
    /// What.
    pub what: FigureKind,
    /// Dotted path of the column. The count needs none: it is then that of the rows.
    #[serde(default)]
    #[ts(optional = nullable)]
    pub path: Option<String>,
}

/// What to work out of a column, as in [`ColumnSums`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum FigureKind {
    /// How many rows have a value.
    Count,
    /// How many different values there are.
    Distinct,
    /// The sum of the numbers.
    Sum,
    /// Their average.
    Average,
    /// The least value.
    Min,
    /// The greatest value.
    Max,
}

/// The order of groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct GroupSort {
    /// Which column of the result: first the keys are counted, then the figures, from 0.
    pub column: u32,
    /// Whether the greatest comes first. What is missing comes last in either case.
    pub descending: bool,
}

/// Groups of rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct Groups {
    /// The generation of the cache file from which it was read.
    #[ts(type = "number")]
    pub generation: u64,
    /// The groups.
    pub groups: Vec<Group>,
    /// How many groups there are, including those beyond the limit.
    #[ts(type = "number")]
    pub total: u64,
}

/// A group of rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct Group {
    /// What its rows have in common, in the order of the columns.
    pub keys: Vec<GroupKey>,
    /// How many rows it has.
    #[ts(type = "number")]
    pub rows: u64,
    /// The figures, in the order in which they were asked for.
    pub figures: Vec<Option<String>>,
}

/// What the rows of a group have in common in one column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct GroupKey {
    /// The value or the time; `None` if there is none.
    pub text: Option<String>,
    /// The condition on the column that selects these rows.
    pub condition: ColumnCondition,
}
