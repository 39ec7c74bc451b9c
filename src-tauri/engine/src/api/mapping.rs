//! A mapping as its parts, for a front end that changes it by picking.

mod edit;
mod parts;
#[cfg(test)]
mod tests;

pub use edit::change_mapping;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::failure::Failure;
use crate::query::date_field::DateForm;
use crate::query::form::ValueType;

/// A part of a mapping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct MappingPart {
    /// The key in the mapping file: `trade_id`, `filters.product`, `day_zone`.
    pub key: String,
    /// What it means, for people: "Trade id".
    pub title: String,
    /// The path, or the name of a zone or a collection; `None` if the mapping has none.
    pub value: Option<String>,
    /// How the values of a time or a business date are stored.
    pub form: Option<DateForm>,
    /// The type of a filter's values.
    pub value_type: Option<ValueType>,
    /// What a filter is called in the window.
    pub label: Option<String>,
    /// Whether the mapping says so itself; otherwise it is a default.
    pub is_given: bool,
}

/// A change of one part of a mapping.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, TS)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum MappingChange {
    /// No change: the text is only read.
    None,
    /// Another path, zone or collection; `None` removes the part.
    Value {
        /// The key in the mapping file.
        key: String,
        /// The new value.
        value: Option<String>,
    },
    /// Another form of a time or a business date.
    Form {
        /// The key in the mapping file.
        key: String,
        /// The new form.
        form: DateForm,
    },
    /// Another label of a filter; blank: none.
    Label {
        /// The key in the mapping file.
        key: String,
        /// The new label.
        label: String,
    },
    /// A further filter.
    AddFilter {
        /// The path in the documents.
        path: String,
        /// The type of its values.
        value_type: ValueType,
        /// What it is called in the window.
        label: String,
    },
}

/// A mapping as text and as its parts, after a change.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct MappingView {
    /// The mapping file.
    pub text: String,
    /// Its parts, in the order in which they are shown; empty if the text cannot be read.
    pub parts: Vec<MappingPart>,
    /// Why the mapping cannot be used as it is.
    pub problem: Option<Failure>,
}
