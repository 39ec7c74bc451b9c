//! The fields in which two documents differ, and values as a person reads them.

use bson::{Bson, RawBsonRef, RawDocument};
use serde::Serialize;
use ts_rs::TS;

use super::extjson::write_relaxed;

/// A field that differs. The texts are relaxed Extended JSON, or canonical if only the type differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct FieldChange {
    /// Dotted path.
    pub path: String,
    /// The cached value; `None` if the document had no such field.
    pub before: Option<String>,
    /// The value at the source; `None` if the document has no such field.
    pub after: Option<String>,
}

/// Sub-documents below this depth are compared as whole values.
const MAX_DEPTH: usize = 100;

/// The fields in which two documents differ, by dotted path. Values of different types differ; an array is compared
/// as a whole.
pub(crate) fn field_changes(before: &RawDocument, after: &RawDocument) -> Vec<FieldChange> {
    let mut found = Vec::new();
    compare(before, after, None, 0, &mut found);
    found
}

fn compare(
    before: &RawDocument,
    after: &RawDocument,
    prefix: Option<&str>,
    depth: usize,
    found: &mut Vec<FieldChange>,
) {
    let path = |name: &str| prefix.map_or_else(|| name.to_owned(), |prefix| format!("{prefix}.{name}"));
    for (name, new) in after.iter().flatten() {
        let name = name.as_str();
        match before.get(name).ok().flatten() {
            Some(old) if same(old, new) => {}
            Some(RawBsonRef::Document(old)) if depth < MAX_DEPTH && new.as_document().is_some() => {
                let known = found.len();
                let Some(inner) = new.as_document() else { continue };
                compare(old, inner, Some(&path(name)), depth + 1, found);
                // To MongoDB, the same fields in a different order are a different value.
                if found.len() == known {
                    found.push(change(path(name), Some(RawBsonRef::Document(old)), Some(new)));
                }
            }
            old => found.push(change(path(name), old, Some(new))),
        }
    }
    for (name, old) in before.iter().flatten() {
        if after.get(name.as_str()).ok().flatten().is_none() {
            found.push(change(path(name.as_str()), Some(old), None));
        }
    }
}

/// Whether two values are the same to the last bit.
fn same(one: RawBsonRef<'_>, other: RawBsonRef<'_>) -> bool {
    match (one, other) {
        (RawBsonRef::Double(one), RawBsonRef::Double(other)) => one.to_bits() == other.to_bits(),
        (RawBsonRef::Document(one), RawBsonRef::Document(other)) => one.as_bytes() == other.as_bytes(),
        (RawBsonRef::Array(one), RawBsonRef::Array(other)) => one.as_bytes() == other.as_bytes(),
        (one, other) => one == other,
    }
}

fn change(path: String, before: Option<RawBsonRef<'_>>, after: Option<RawBsonRef<'_>>) -> FieldChange {
    let (mut old, mut new) = (before.map(relaxed), after.map(relaxed));
    if old == new {
        // Only the type differs, and relaxed texts do not show it.
        (old, new) = (before.map(canonical), after.map(canonical));
    }
    FieldChange { path, before: old, after: new }
}

fn relaxed(value: RawBsonRef<'_>) -> String {
    let mut text = String::new();
    // A value that cannot be written to the end shows what was written of it, as in the grid.
    let _ = write_relaxed(&mut text, value);
    text
}

fn canonical(value: RawBsonRef<'_>) -> String {
    Bson::try_from(value).map_or_else(|_| relaxed(value), |value| value.into_canonical_extjson().to_string())
}

/// A value as a person reads it: the text itself, an ObjectId's hex digits, else relaxed Extended JSON.
pub(crate) fn plain_text(value: RawBsonRef<'_>) -> String {
    match value {
        RawBsonRef::String(text) => text.to_owned(),
        RawBsonRef::ObjectId(id) => id.to_hex(),
        other => relaxed(other),
    }
}

/// A document's `_id` as a person reads it; empty if it has none.
pub(crate) fn id_text(document: &RawDocument) -> String {
    document.get("_id").ok().flatten().map(plain_text).unwrap_or_default()
}
