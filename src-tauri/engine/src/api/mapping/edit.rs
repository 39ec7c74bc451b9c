//! Changes one part of a mapping file and leaves the rest of it as it is.

use serde_json::{Map, Value, json};

use super::parts::{FILTERS, KEYS, parts_of, value_of, written_path};
use super::{MappingChange, MappingView};
use crate::failure::{Code, Failure, Result};
use crate::query::date_field::DateForm;
use crate::query::form::ValueType;
use crate::query::mapping::{FORM_FIELDS, Mapping};
use crate::query::match_document::parse_object;

/// The parts that say on which day a trade was made.
const DAYS: [&str; 3] = ["timestamp", "year", "day_of_year"];

/// Changes a part of a mapping file. All other parts keep their meaning, also those that the file leaves to their
/// defaults, except for those that the new one takes the place of. A change that would make a mapping unusable is not
/// made; the view then has the problem. So it has if the text cannot be used anyway.
#[must_use]
pub fn change_mapping(text: &str, change: &MappingChange) -> MappingView {
    let before = Mapping::parse(text);
    let file = if text.trim().is_empty() { Ok(Map::new()) } else { parse_object(text) };
    let Ok(file) = file else {
        return MappingView { text: text.to_owned(), parts: Vec::new(), problem: before.err() };
    };
    let unchanged = |problem: Option<Failure>| MappingView {
        text: text.to_owned(),
        parts: parts_of(&file, before.as_ref().ok()),
        problem,
    };
    if *change == MappingChange::None {
        return unchanged(before.as_ref().err().cloned());
    }
    let changed = match changed(&file, before.as_ref().ok(), change) {
        Ok(changed) if changed == file => return unchanged(before.as_ref().err().cloned()),
        Ok(changed) => changed,
        Err(problem) => return unchanged(Some(problem)),
    };
    let after = format!("{:#}", Value::Object(changed.clone()));
    match (Mapping::parse(&after), &before) {
        (Err(problem), Ok(_)) => unchanged(Some(problem)),
        // One of several mistakes may have been corrected.
        (read, _) => {
            MappingView { parts: parts_of(&changed, read.as_ref().ok()), problem: read.err(), text: after }
        }
    }
}

/// The file after a change.
fn changed(
    file: &Map<String, Value>,
    before: Option<&Mapping>,
    change: &MappingChange,
) -> Result<Map<String, Value>> {
    let mut changed = file.clone();
    let mut is_of_days = false;
    match change {
        MappingChange::None => {}
        MappingChange::Value { key, value } => {
            let value = value.as_deref().filter(|value| !value.trim().is_empty());
            is_of_days = set_value(&mut changed, key, value)?;
        }
        MappingChange::Form { key, form } => set_form(&mut changed, before, key, *form)?,
        MappingChange::Label { key, label } => set_label(&mut changed, key, label.trim())?,
        MappingChange::AddFilter { path, value_type, label } => {
            add_filter(&mut changed, path, *value_type, label.trim())?;
        }
    }
    let target = match change {
        MappingChange::Value { key, .. } => key.as_str(),
        _ => "",
    };
    raise_version(&mut changed);
    // A version 2 that names a time has no default year and day.
    if let Some(before) = before
        && !is_of_days
        && let Ok(after) = Mapping::parse(&Value::Object(changed.clone()).to_string())
    {
        for key in DAYS.into_iter().filter(|key| *key != target && !file.contains_key(*key)) {
            if let Some(path) = value_of(before, key).filter(|_| value_of(&after, key).is_none()) {
                changed.insert(key.to_owned(), path.into());
            }
        }
    }
    Ok(changed)
}

/// Sets or removes a part. Returns whether it replaced the way in which days are found.
fn set_value(file: &mut Map<String, Value>, key: &str, value: Option<&str>) -> Result<bool> {
    if let Some(name) = key.strip_prefix(FILTERS) {
        let filters = filters_of(file)?;
        match value {
            Some(path) => set_path(filters, name, path),
            None if FORM_FIELDS.contains(&name) => drop(filters.insert(name.to_owned(), Value::Null)),
            None => drop(filters.shift_remove(name)),
        }
        return Ok(false);
    }
    if !KEYS.contains(&key) {
        return Err(no_part(key));
    }
    let has_business_date = file.get("business_date").is_some_and(|date| !date.is_null());
    match (key, value) {
        ("business_date", Some(path)) => {
            if has_business_date {
                set_path(file, key, path);
            } else {
                file.insert(key.to_owned(), json!({"path": path, "form": DateForm::Date}));
            }
            // It says the day by itself.
            file.shift_remove("year");
            file.shift_remove("day_of_year");
            return Ok(true);
        }
        (_, Some(path)) => set_path(file, key, path),
        // A null removes a default; without a default, nothing need be written.
        ("trade_id" | "timestamp" | "year" | "day_of_year", None) => {
            file.insert(key.to_owned(), Value::Null);
        }
        (_, None) => drop(file.shift_remove(key)),
    }
    match (key, value) {
        ("year" | "day_of_year", Some(_)) if has_business_date => {
            file.shift_remove("business_date");
            Ok(true)
        }
        // Without trade ids, there are no messages to be found by them.
        ("trade_id", None) => {
            file.shift_remove("downstream_trade_id");
            Ok(false)
        }
        _ => Ok(key == "business_date"),
    }
}

/// Sets a path, and keeps what else is said about it.
fn set_path(map: &mut Map<String, Value>, key: &str, path: &str) {
    match map.get_mut(key) {
        Some(Value::Object(entry)) => drop(entry.insert("path".to_owned(), path.into())),
        _ => drop(map.insert(key.to_owned(), path.into())),
    }
}

fn set_form(
    file: &mut Map<String, Value>,
    before: Option<&Mapping>,
    key: &str,
    form: DateForm,
) -> Result<()> {
    if !["timestamp", "business_date"].contains(&key) {
        return Err(bad(format!("The mapping's {key} has no form.")));
    }
    let given = file.get(key).cloned();
    let path = match &given {
        Some(given) => written_path(given),
        None => before.and_then(|mapping| value_of(mapping, key)),
    };
    let Some(path) = path else { return Err(bad(format!("The mapping's {key} needs a path first."))) };
    let mut entry = match given {
        Some(Value::Object(entry)) => entry,
        _ => Map::from_iter([("path".to_owned(), Value::from(path.clone()))]),
    };
    entry.insert("form".to_owned(), json!(form));
    if !form.has_local_times() {
        entry.shift_remove("zone");
    }
    let is_plain = key == "timestamp" && form == DateForm::Date;
    file.insert(key.to_owned(), if is_plain { path.into() } else { Value::Object(entry) });
    Ok(())
}

fn set_label(file: &mut Map<String, Value>, key: &str, label: &str) -> Result<()> {
    let Some(name) = key.strip_prefix(FILTERS) else {
        return Err(bad(format!("The mapping's {key} has no label: only filters have.")));
    };
    let filters = filters_of(file)?;
    let path = match filters.get(name) {
        Some(given) => written_path(given),
        None => FORM_FIELDS.contains(&name).then(|| name.to_owned()),
    };
    let Some(path) = path else { return Err(bad(format!("The mapping's {key} needs a path first."))) };
    match (filters.get_mut(name), label) {
        (Some(Value::Object(entry)), "") => drop(entry.shift_remove("label")),
        (Some(Value::Object(entry)), label) => drop(entry.insert("label".to_owned(), label.into())),
        (_, "") => {}
        (_, label) => drop(filters.insert(name.to_owned(), json!({"path": path, "label": label}))),
    }
    // Looking for the label has made it.
    if file.get("filters").and_then(Value::as_object).is_some_and(Map::is_empty) {
        file.shift_remove("filters");
    }
    Ok(())
}

fn add_filter(file: &mut Map<String, Value>, path: &str, value_type: ValueType, label: &str) -> Result<()> {
    let filters = filters_of(file)?;
    let name = free_name(path, filters);
    let mut entry = Map::from_iter([("path".to_owned(), Value::from(path))]);
    if value_type != ValueType::Text {
        entry.insert("type".to_owned(), json!(value_type));
    }
    if !label.is_empty() {
        entry.insert("label".to_owned(), label.into());
    }
    filters.insert(name, if entry.len() == 1 { path.into() } else { Value::Object(entry) });
    Ok(())
}

/// The filters of a file.
fn filters_of(file: &mut Map<String, Value>) -> Result<&mut Map<String, Value>> {
    let filters = file.entry("filters").or_insert_with(|| Value::Object(Map::new()));
    filters.as_object_mut().ok_or_else(|| bad("The mapping's filters must be an object of names and paths."))
}

/// A name for a filter by a path that no other filter has.
fn free_name(path: &str, filters: &Map<String, Value>) -> String {
    let name = identifier(path);
    let is_free = |name: &str| !FORM_FIELDS.contains(&name) && !filters.contains_key(name);
    if is_free(&name) {
        return name;
    }
    (2_u32..).map(|number| format!("{name}{number}")).find(|name| is_free(name)).unwrap_or(name)
}

/// The last part of a path as a name of letters and digits: `cptyName` for `header.CPTY_NAME`.
fn identifier(path: &str) -> String {
    // Places in arrays are not names.
    let is_name = |part: &&str| part.chars().any(char::is_alphabetic);
    let last = path.rsplit('.').find(is_name).unwrap_or_default();
    let mut name = String::new();
    for word in last.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let is_upper = word.chars().all(|c| !c.is_lowercase());
        let word = if is_upper { word.to_lowercase() } else { word.to_owned() };
        let (first, rest) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
        let first = if name.is_empty() { first.to_lowercase() } else { first.to_uppercase() };
        name.push_str(&first);
        name.push_str(rest);
    }
    match name.chars().next() {
        Some(first) if first.is_alphabetic() => name,
        _ => format!("field{name}"),
    }
}

/// Makes a file that has something of version 2 a file of that version.
fn raise_version(file: &mut Map<String, Value>) {
    let version = file.get("version");
    if version.is_some_and(|version| version.as_u64().is_none_or(|version| version >= 2)) {
        return;
    }
    let has_key = ["business_date", "downstream_trade_id", "status", "columns"]
        .iter()
        .any(|key| file.contains_key(*key));
    let has_form = file.get("timestamp").is_some_and(Value::is_object);
    let has_label = file
        .get("filters")
        .and_then(Value::as_object)
        .is_some_and(|filters| filters.values().any(|entry| entry.get("label").is_some()));
    if !(has_key || has_form || has_label) {
        return;
    }
    if file.contains_key("version") {
        file.insert("version".to_owned(), 2.into());
    } else {
        let others = std::mem::take(file);
        file.insert("version".to_owned(), 2.into());
        file.extend(others);
    }
}

fn no_part(key: &str) -> Failure {
    bad(format!("A mapping has no part \"{key}\"."))
}

fn bad(message: impl Into<String>) -> Failure {
    Failure::new(Code::BadMapping, message)
}
