//! The query form, as typed.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

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
