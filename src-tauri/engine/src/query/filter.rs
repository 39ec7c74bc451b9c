//! Filters: what was typed in the form is read into typed conditions, which become parts of a `$match`.
//!
//! A value is never an operator: whatever is typed in the form reaches the server only as the operand of an operator
//! that this module chose.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use bson::{Bson, Document, doc};
use serde_json::{Map, Value, json};

use super::filter_value::{Bound, FilterValue, Forms, bad, date};
use super::form::{FilterInput, FilterOperator, ValueType};
use super::mapping::{FilterPath, Mapping};
use super::match_document;
use crate::failure::{Failure, FailureTarget, Result};

/// What is required of one field. Lists are sorted, free of duplicates and never empty.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// Any of the values (`$in`).
    AnyOf(Vec<FilterValue>),
    /// All of the values (`$all`).
    AllOf(Vec<FilterValue>),
    /// None of the values (`$nin`).
    NoneOf(Vec<FilterValue>),
    /// The text starts with this.
    StartsWith(String),
    /// The document has the field.
    Exists,
    /// The document lacks the field.
    Missing,
    /// From one value to another, both inclusive; one end may be open.
    Range {
        /// The value or more.
        at_least: Option<FilterValue>,
        /// The value or less.
        at_most: Option<FilterValue>,
    },
}

impl Condition {
    fn canonical(&self) -> Value {
        let list = |op: &str, values: &[FilterValue]| json!({"op": op, "values": values.iter().map(FilterValue::canonical).collect::<Vec<_>>()});
        match self {
            Self::AnyOf(values) => list("any_of", values),
            Self::AllOf(values) => list("all_of", values),
            Self::NoneOf(values) => list("none_of", values),
            Self::StartsWith(text) => json!({"op": "starts_with", "values": [text]}),
            Self::Exists => json!({"op": "exists", "values": []}),
            Self::Missing => json!({"op": "missing", "values": []}),
            Self::Range { at_least, at_most } => {
                let end = |value: &Option<FilterValue>| value.as_ref().map(FilterValue::canonical);
                json!({"op": "range", "values": [end(at_least), end(at_most)]})
            }
        }
    }

    fn from_canonical(op: &str, values: &[Value]) -> Option<Self> {
        let list = || {
            values
                .iter()
                .cloned()
                .map(FilterValue::from_canonical)
                .collect::<Option<Vec<_>>>()
                .filter(|list| !list.is_empty())
        };
        let end = |value: &Value| match value {
            Value::Null => Some(None),
            value => FilterValue::from_canonical(value.clone()).map(Some),
        };
        match (op, values) {
            ("any_of", _) => list().map(Self::AnyOf),
            ("all_of", _) => list().map(Self::AllOf),
            ("none_of", _) => list().map(Self::NoneOf),
            ("starts_with", [Value::String(text)]) => Some(Self::StartsWith(text.clone())),
            ("exists", []) => Some(Self::Exists),
            ("missing", []) => Some(Self::Missing),
            ("range", [low, high]) => Some(Self::Range { at_least: end(low)?, at_most: end(high)? }),
            _ => None,
        }
    }
}

/// Values of a condition that a summary names.
const NAMED_VALUES: usize = 3;

/// A condition on one field.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldCondition {
    /// Name of the field in the form.
    pub name: String,
    /// Dotted path in the documents.
    pub path: String,
    /// What is required of it.
    pub condition: Condition,
}

impl FieldCondition {
    /// The path of the filter, and its name if that is different, as a person reads them.
    pub(crate) fn place(&self) -> String {
        let Self { name, path, .. } = self;
        if name == path { path.clone() } else { format!("{path} ({name})") }
    }

    /// The part of a `$match` for this condition.
    #[must_use]
    pub fn to_match(&self) -> Document {
        let values = |values: &[FilterValue]| values.iter().map(FilterValue::to_bson).collect::<Vec<_>>();
        let asked: Bson = match &self.condition {
            Condition::AnyOf(list) => doc! {"$in": values(list)}.into(),
            Condition::AllOf(list) => doc! {"$all": values(list)}.into(),
            Condition::NoneOf(list) => doc! {"$nin": values(list)}.into(),
            Condition::StartsWith(text) => doc! {"$regex": format!("^{}", escape(text))}.into(),
            Condition::Exists => doc! {"$exists": true}.into(),
            Condition::Missing => doc! {"$exists": false}.into(),
            Condition::Range { at_least, at_most } => {
                let mut range = Document::new();
                range.extend(at_least.iter().map(|low| ("$gte".to_owned(), low.to_bson())));
                range.extend(at_most.iter().map(|high| ("$lte".to_owned(), high.to_bson())));
                range.into()
            }
        };
        doc! {self.path.clone(): asked}
    }

    /// The condition as a person reads it, with the label of its path if it has one. Names at most `named` values, and
    /// counts the others.
    fn describe(&self, named: usize, labels: &BTreeMap<String, String>) -> String {
        let name = labels.get(&self.path).unwrap_or(&self.name);
        let list = |values: &[FilterValue]| {
            let rest = values.len().saturating_sub(named);
            // Naming one more value is as short as counting it.
            let shown = if rest > 1 { &values[..named] } else { values };
            let text = shown.iter().map(FilterValue::typed).collect::<Vec<_>>().join(", ");
            if rest > 1 { format!("{text} and {rest} more") } else { text }
        };
        match &self.condition {
            Condition::AnyOf(values) => format!("{name}: {}", list(values)),
            Condition::AllOf(values) => format!("{name} has all of {}", list(values)),
            Condition::NoneOf(values) => format!("{name} is not {}", list(values)),
            Condition::StartsWith(text) => format!("{name} starts with {text}"),
            Condition::Exists => format!("{name} exists"),
            Condition::Missing => format!("{name} is missing"),
            Condition::Range { at_least: Some(low), at_most: Some(high) } => {
                format!("{name} from {} to {}", low.typed(), high.typed())
            }
            Condition::Range { at_least: Some(low), at_most: None } => {
                format!("{name} at least {}", low.typed())
            }
            Condition::Range { at_least: None, at_most: Some(high) } => {
                format!("{name} at most {}", high.typed())
            }
            Condition::Range { at_least: None, at_most: None } => format!("{name} is anything"),
        }
    }

    fn to_input(&self) -> FilterInput {
        let typed = |value: &FilterValue| value.typed();
        let list = |values: &[FilterValue]| values.iter().map(typed).collect::<Vec<_>>();
        let (operator, values) = match &self.condition {
            Condition::AnyOf(values) => (FilterOperator::AnyOf, list(values)),
            Condition::AllOf(values) => (FilterOperator::AllOf, list(values)),
            Condition::NoneOf(values) => (FilterOperator::NoneOf, list(values)),
            Condition::StartsWith(text) => (FilterOperator::StartsWith, vec![text.clone()]),
            Condition::Exists => (FilterOperator::Exists, Vec::new()),
            Condition::Missing => (FilterOperator::Missing, Vec::new()),
            Condition::Range { at_least: Some(low), at_most: None } => {
                (FilterOperator::AtLeast, vec![typed(low)])
            }
            Condition::Range { at_least: None, at_most: Some(high) } => {
                (FilterOperator::AtMost, vec![typed(high)])
            }
            Condition::Range { at_least, at_most } => {
                let end = |value: &Option<FilterValue>| value.as_ref().map(typed).unwrap_or_default();
                (FilterOperator::Between, vec![end(at_least), end(at_most)])
            }
        };
        FilterInput { field: self.name.clone(), operator, values }
    }

    /// Path and condition, not the name: renaming a field does not change the query.
    fn canonical(&self) -> Value {
        let mut asked = json!({"path": self.path});
        if let (Value::Object(asked), Value::Object(condition)) = (&mut asked, self.condition.canonical()) {
            asked.extend(condition);
        }
        asked
    }

    fn from_stored(stored: &Value) -> Option<Self> {
        let text = |key: &str| stored.get(key).and_then(Value::as_str);
        let condition = Condition::from_canonical(text("op")?, stored.get("values")?.as_array()?)?;
        Some(Self { name: text("name")?.to_owned(), path: text("path")?.to_owned(), condition })
    }
}

/// The filters of a query, in one canonical form however they were typed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filters {
    /// Conditions on fields, sorted by path and condition.
    pub fields: Vec<FieldCondition>,
    /// The advanced match.
    pub advanced: Option<Document>,
}

impl Filters {
    /// Reads the form: conditions on the mapping's fields, and the text of the advanced match.
    pub fn parse(mapping: &Mapping, inputs: &[FilterInput], advanced: &str) -> Result<Self> {
        let mut any_of: BTreeMap<&str, (&FilterPath, Vec<FilterValue>)> = BTreeMap::new();
        let mut fields = Vec::new();
        for input in inputs {
            let at_input = |failure: Failure| failure.at(FailureTarget::Filter { name: input.field.clone() });
            let field = mapping
                .filters
                .iter()
                .find(|field| field.name == input.field.trim())
                .ok_or_else(|| {
                    let known: Vec<&str> = mapping.filters.iter().map(|field| field.name.as_str()).collect();
                    bad(format!(
                        "There is no filter \"{}\"; the filters are {}.",
                        input.field,
                        known.join(", ")
                    ))
                })
                .map_err(at_input)?;
            let Some(condition) = condition(field, input, Forms::of(mapping)).map_err(at_input)? else {
                continue;
            };
            match condition {
                Condition::AnyOf(values) => {
                    any_of.entry(&field.name).or_insert_with(|| (field, Vec::new())).1.extend(values);
                }
                condition => fields.push(on(field, condition)),
            }
        }
        fields
            .extend(any_of.into_values().map(|(field, values)| on(field, Condition::AnyOf(sorted(values)))));
        fields.sort_by_cached_key(|field| {
            (field.path.clone(), field.canonical().to_string(), field.name.clone())
        });
        fields.dedup_by(|a, b| a.path == b.path && a.condition == b.condition);
        Ok(Self { fields, advanced: parse_match(advanced)? })
    }

    /// Whether nothing is filtered.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.advanced.is_none()
    }

    /// The parts of a `$match`, to be ANDed; the advanced match comes last.
    #[must_use]
    pub fn match_parts(&self) -> Vec<Document> {
        self.fields.iter().map(FieldCondition::to_match).chain(self.advanced.clone()).collect()
    }

    /// The filters as a person reads them; "no filter" if there are none. Labels are by path.
    #[must_use]
    pub fn describe(&self, labels: &BTreeMap<String, String>) -> String {
        self.in_words(usize::MAX, labels)
    }

    /// As [`describe`](Self::describe), short enough for a list: each condition names at most three values.
    #[must_use]
    pub fn summary(&self, labels: &BTreeMap<String, String>) -> String {
        self.in_words(NAMED_VALUES, labels)
    }

    fn in_words(&self, named: usize, labels: &BTreeMap<String, String>) -> String {
        let joined = if self.fields.is_empty() { "matches" } else { "and" };
        let advanced =
            self.advanced.as_ref().map(|document| format!("{joined} {}", match_document::readable(document)));
        let fields = self.fields.iter().map(|field| field.describe(named, labels));
        let parts: Vec<String> = fields.chain(advanced).collect();
        if parts.is_empty() { "no filter".to_owned() } else { parts.join(" · ") }
    }

    /// The canonical form that the signature is made of: sorted and typed.
    #[must_use]
    pub fn canonical(&self) -> Value {
        let fields: Vec<Value> = self.fields.iter().map(FieldCondition::canonical).collect();
        json!({"fields": fields, "advanced": self.advanced.as_ref().map(sorted_canonical)})
    }

    /// A text that `from_stored` reads back as the same filters.
    #[must_use]
    pub fn to_stored(&self) -> String {
        let fields: Vec<Value> = self
            .fields
            .iter()
            .map(|field| {
                let mut stored = field.canonical();
                stored["name"] = json!(field.name);
                stored
            })
            .collect();
        json!({"fields": fields, "advanced": self.advanced.as_ref().map(match_document::canonical)})
            .to_string()
    }

    /// Reads what `to_stored` wrote.
    pub fn from_stored(text: &str) -> Result<Self> {
        let damaged = || bad("The stored filters cannot be read.");
        let stored: Map<String, Value> =
            serde_json::from_str(text).map_err(|error| damaged().because(error))?;
        let fields = stored
            .get("fields")
            .and_then(Value::as_array)
            .and_then(|fields| fields.iter().map(FieldCondition::from_stored).collect::<Option<Vec<_>>>())
            .ok_or_else(damaged)?;
        let advanced = match stored.get("advanced") {
            None | Some(Value::Null) => None,
            Some(Value::Object(map)) => {
                Some(match_document::match_document(map.clone()).map_err(|why| damaged().because(why))?)
            }
            Some(_) => return Err(damaged()),
        };
        Ok(Self { fields, advanced })
    }

    /// What a person would type to get these filters: the rows of the form and the advanced match.
    #[must_use]
    pub fn to_inputs(&self) -> (Vec<FilterInput>, String) {
        let advanced = self.advanced.as_ref().map(|document| match_document::readable(document).to_string());
        (self.fields.iter().map(FieldCondition::to_input).collect(), advanced.unwrap_or_default())
    }

    /// If these filters provably match every document that `narrower` matches, the conditions of `narrower` that they
    /// lack; `None` if that cannot be proved.
    #[must_use]
    pub fn broader_than(&self, narrower: &Self) -> Option<Vec<FieldCondition>> {
        let advanced =
            |filters: &Self| filters.advanced.as_ref().map(|document| sorted_canonical(document).to_string());
        if advanced(self) != advanced(narrower) {
            return None;
        }
        let implied = |broad: &FieldCondition| {
            narrower.fields.iter().filter(|narrow| narrow.path == broad.path).any(|narrow| {
                match (&broad.condition, &narrow.condition) {
                    (Condition::AnyOf(more), Condition::AnyOf(fewer)) => {
                        fewer.iter().all(|value| more.contains(value))
                    }
                    (broad, narrow) => broad == narrow,
                }
            })
        };
        if !self.fields.iter().all(implied) {
            return None;
        }
        let applied = |narrow: &FieldCondition| {
            self.fields.iter().any(|broad| broad.path == narrow.path && broad.condition == narrow.condition)
        };
        Some(narrower.fields.iter().filter(|narrow| !applied(narrow)).cloned().collect())
    }
}

/// Reads a match document in Extended JSON or in the shell's syntax; `None` if it is blank or `{}`. Server-side code
/// is rejected. The message says where the problem is.
pub fn parse_match(text: &str) -> Result<Option<Document>> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let document = match_document::parse_typed(text)
        .and_then(match_document::match_document)
        .map_err(|why| bad(format!("The advanced match {why}.")).at(FailureTarget::Advanced))?;
    Ok(if document.is_empty() { None } else { Some(document) })
}

fn on(field: &FilterPath, condition: Condition) -> FieldCondition {
    FieldCondition { name: field.name.clone(), path: field.path.clone(), condition }
}

/// Canonical Extended JSON with the top-level keys sorted: they are ANDed, so their order means nothing.
pub(crate) fn sorted_canonical(document: &Document) -> Value {
    match match_document::canonical(document) {
        Value::Object(map) => {
            let sorted: BTreeMap<String, Value> = map.into_iter().collect();
            Value::Object(sorted.into_iter().collect())
        }
        other => other,
    }
}

fn sorted(mut values: Vec<FilterValue>) -> Vec<FilterValue> {
    values.sort_by_cached_key(|value| value.canonical().to_string());
    values.dedup();
    values
}

/// The condition of a row of the form, if it has one.
fn condition(field: &FilterPath, input: &FilterInput, forms: Forms) -> Result<Option<Condition>> {
    let name = &field.name;
    let read = |text: &str| FilterValue::parse(field.value_type, text, forms, name);
    let typed: Vec<&str> =
        input.values.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect();
    let list = || typed.iter().map(|text| read(text)).collect::<Result<Vec<_>>>().map(sorted);
    let single = || match typed[..] {
        [] | [_] => Ok(typed.first().copied()),
        _ => Err(bad(format!("The filter {name} takes one value here, not {}.", typed.len()))),
    };
    Ok(match input.operator {
        FilterOperator::Exists => Some(Condition::Exists),
        FilterOperator::Missing => Some(Condition::Missing),
        _ if typed.is_empty() => None,
        FilterOperator::AnyOf => Some(Condition::AnyOf(list()?)),
        FilterOperator::AllOf => Some(Condition::AllOf(list()?)),
        FilterOperator::NoneOf => Some(Condition::NoneOf(list()?)),
        FilterOperator::StartsWith => {
            if field.value_type != ValueType::Text {
                return Err(bad(format!(
                    "The filter {name} is not text, so \"starts with\" cannot be used."
                )));
            }
            let text = single()?;
            if text.is_some_and(|text| text.contains('\0')) {
                return Err(bad(format!("A value in the filter {name} contains a NUL character.")));
            }
            text.map(|text| Condition::StartsWith(text.to_owned()))
        }
        FilterOperator::Between => match &input.values[..] {
            [low] => range(field, low, "", forms)?,
            [low, high] => range(field, low, high, forms)?,
            more => {
                return Err(bad(format!(
                    "The filter {name} takes two values, from and to, not {}.",
                    more.len()
                )));
            }
        },
        FilterOperator::AtLeast => range(field, single()?.unwrap_or_default(), "", forms)?,
        FilterOperator::AtMost => range(field, "", single()?.unwrap_or_default(), forms)?,
    })
}

/// The condition of a range; a blank end is open.
fn range(field: &FilterPath, low: &str, high: &str, forms: Forms) -> Result<Option<Condition>> {
    let name = &field.name;
    if !matches!(
        field.value_type,
        ValueType::Integer | ValueType::Number | ValueType::Decimal | ValueType::Date
    ) {
        return Err(bad(format!("The filter {name} is neither a number nor a date, so it has no range.")));
    }
    let end = |text: &str, bound: Bound| {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        // A day as the upper end is part of the range, as in every range of days here.
        match (field.value_type, bound) {
            (ValueType::Date, Bound::High) => match date(text, &forms.zone, bound) {
                Some(value) => Ok(value),
                None => FilterValue::parse(field.value_type, text, forms, name),
            },
            _ => FilterValue::parse(field.value_type, text, forms, name),
        }
        .map(Some)
    };
    let (at_least, at_most) = (end(low, Bound::Low)?, end(high, Bound::High)?);
    if let (Some(from), Some(to)) = (&at_least, &at_most)
        && from.compare(to) == Some(Ordering::Greater)
    {
        return Err(bad(format!(
            "The filter {name} begins at {} and ends before it, at {}.",
            low.trim(),
            high.trim()
        )));
    }
    Ok((at_least.is_some() || at_most.is_some()).then_some(Condition::Range { at_least, at_most }))
}

/// Escapes every character with a special meaning in PCRE.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if r"\^$.|?*+()[]{}".contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests;
