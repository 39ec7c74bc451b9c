//! A mapping file as its parts.

use serde_json::{Map, Value};

use super::MappingPart;
use crate::proposal::title;
use crate::query::date_field::DateForm;
use crate::query::mapping::{FORM_FIELDS, Mapping};

/// The prefix of the keys of filters.
pub(super) const FILTERS: &str = "filters.";

/// The keys of the parts before the filters, in the order in which they are shown.
pub(super) const KEYS: [&str; 10] = [
    "trade_id",
    "business_date",
    "timestamp",
    "year",
    "day_of_year",
    "day_zone",
    "downstream_collection",
    "downstream_trade_id",
    "status",
    "changed_at",
];

/// The parts of a mapping file. `read` is what it means, if it can be used; otherwise each part is shown as it is
/// written, so that it can be corrected.
pub(super) fn parts_of(file: &Map<String, Value>, read: Option<&Mapping>) -> Vec<MappingPart> {
    let mut parts: Vec<MappingPart> = KEYS.iter().map(|key| part(file, key, read)).collect();
    let none = Map::new();
    let filters = file.get("filters").and_then(Value::as_object).unwrap_or(&none);
    let further = filters.iter().filter(|(name, entry)| !FORM_FIELDS.contains(&&***name) && !entry.is_null());
    let names = FORM_FIELDS.into_iter().chain(further.map(|(name, _)| name.as_str()));
    parts.extend(names.map(|name| filter(filters, name, read)));
    parts
}

fn part(file: &Map<String, Value>, key: &str, read: Option<&Mapping>) -> MappingPart {
    let given = file.get(key);
    let (value, form) = match read {
        Some(mapping) => (value_of(mapping, key), form_of(mapping, key)),
        None => (given.map_or_else(|| value_of(&Mapping::default(), key), written_path), None),
    };
    MappingPart {
        key: key.to_owned(),
        title: title(key),
        value,
        form,
        value_type: None,
        label: None,
        is_given: given.is_some(),
    }
}

fn filter(filters: &Map<String, Value>, name: &str, read: Option<&Mapping>) -> MappingPart {
    let key = format!("{FILTERS}{name}");
    let given = filters.get(name);
    let default = Mapping::default();
    let field = read.unwrap_or(&default).filters.iter().find(|field| field.name == name);
    let value = match (read, given) {
        (None, Some(entry)) => written_path(entry),
        _ => field.map(|field| field.path.clone()),
    };
    MappingPart {
        title: title(&key),
        key,
        form: None,
        value_type: field.filter(|_| value.is_some()).map(|field| field.value_type),
        label: field.and_then(|field| field.label.clone()),
        value,
        is_given: given.is_some(),
    }
}

/// The value of a part that is not a filter.
pub(super) fn value_of(mapping: &Mapping, key: &str) -> Option<String> {
    match key {
        "trade_id" => mapping.trade_id.clone(),
        "business_date" => mapping.business_date.as_ref().map(|date| date.path.clone()),
        "timestamp" => mapping.timestamp.as_ref().map(|time| time.path.clone()),
        "year" => mapping.year.clone(),
        "day_of_year" => mapping.day_of_year.clone(),
        "day_zone" => Some(mapping.day_zone.name().to_owned()),
        "downstream_collection" => mapping.downstream_collection.clone(),
        "downstream_trade_id" => mapping.downstream_trade_id.clone(),
        "status" => mapping.status.clone(),
        "changed_at" => mapping.changed_at.clone(),
        _ => None,
    }
}

fn form_of(mapping: &Mapping, key: &str) -> Option<DateForm> {
    match key {
        "timestamp" => mapping.timestamp.as_ref().map(|time| time.form),
        "business_date" => mapping.business_date.as_ref().map(|date| date.form),
        _ => None,
    }
}

/// The path in a value of a mapping file.
pub(super) fn written_path(value: &Value) -> Option<String> {
    value.as_str().or_else(|| value.get("path")?.as_str()).map(str::to_owned)
}
