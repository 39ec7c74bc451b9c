//! What differs between documents, and what the windows of a run found, put together.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use bson::{Bson, RawBsonRef, RawDocument, RawDocumentBuf};

use crate::answer::{ChangeCounts, ChangeKind, Changes, FieldChange, MessageChange};
use crate::decode::write_relaxed;
use crate::desk::Role;

/// Messages that are listed at most.
pub(crate) const LISTED: usize = 500;
/// Sub-documents below this depth are compared as whole values.
const MAX_DEPTH: usize = 100;

/// A message that differs, with what joining it to its other half takes.
#[derive(Debug, Clone)]
pub struct Difference {
    pub(crate) change: MessageChange,
    /// Its `_id` as the cache writes it.
    pub(crate) id: Vec<u8>,
    /// The document of one that is added or gone.
    pub(crate) document: Option<RawDocumentBuf>,
}

/// What one window or one run found.
#[derive(Debug, Clone, Default)]
pub struct Differences {
    pub(crate) input: ChangeCounts,
    pub(crate) downstream: ChangeCounts,
    pub(crate) listed: Vec<Difference>,
}

impl Differences {
    /// Adds what another window found.
    pub(crate) fn extend(&mut self, other: &Self) {
        for (mine, theirs) in [(&mut self.input, other.input), (&mut self.downstream, other.downstream)] {
            mine.added += theirs.added;
            mine.changed += theirs.changed;
            mine.gone += theirs.gone;
        }
        self.listed.extend(other.listed.iter().cloned());
    }

    /// The whole of a run: a message that left one window and came to another has changed, and one that
    /// several windows hold counts once.
    pub(crate) fn into_changes(self) -> Changes {
        let Self { mut input, mut downstream, listed } = self;
        let mut merged: BTreeMap<(Role, Vec<u8>), Difference> = BTreeMap::new();
        for difference in listed {
            let role = difference.change.role;
            let counts = match role {
                Role::Input => &mut input,
                Role::Downstream => &mut downstream,
            };
            match merged.entry((role, difference.id.clone())) {
                Entry::Vacant(entry) => {
                    entry.insert(difference);
                }
                Entry::Occupied(mut entry) => {
                    *counter(counts, entry.get().change.kind) -= 1;
                    *counter(counts, difference.change.kind) -= 1;
                    match joined(entry.get(), difference) {
                        Some(one) => {
                            *counter(counts, one.change.kind) += 1;
                            entry.insert(one);
                        }
                        None => {
                            entry.remove();
                        }
                    }
                }
            }
        }
        let mut messages: Vec<MessageChange> =
            merged.into_values().map(|difference| difference.change).collect();
        messages.sort_by(|a, b| (a.day, a.role, &a.id).cmp(&(b.day, b.role, &b.id)));
        messages.truncate(LISTED);
        let of = |counts: ChangeCounts| counts.added + counts.changed + counts.gone;
        let omitted = (of(input) + of(downstream)).saturating_sub(messages.len() as u64);
        Changes { input, downstream, messages, omitted }
    }
}

fn counter(counts: &mut ChangeCounts, kind: ChangeKind) -> &mut u64 {
    match kind {
        ChangeKind::Added => &mut counts.added,
        ChangeKind::Changed => &mut counts.changed,
        ChangeKind::Gone => &mut counts.gone,
    }
}

/// What two windows say of one message; nothing where it only moved with its trade.
fn joined(one: &Difference, other: Difference) -> Option<Difference> {
    let (old, new) = match (one.change.kind, other.change.kind) {
        (ChangeKind::Gone, ChangeKind::Added) => (one, &other),
        (ChangeKind::Added, ChangeKind::Gone) => (&other, one),
        (ChangeKind::Changed, _) => return Some(one.clone()),
        _ => return Some(other),
    };
    let mut change = MessageChange { kind: ChangeKind::Changed, ..new.change.clone() };
    if let (Some(before), Some(after)) = (&old.document, &new.document) {
        if before.as_bytes() == after.as_bytes() {
            return None;
        }
        change.fields = field_changes(before, after);
    }
    Some(Difference { change, id: new.id.clone(), document: None })
}

/// The fields in which two documents differ, by dotted path. A value of another type is another value;
/// an array is one value.
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
                // The same fields in another order are another value to MongoDB.
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
        // The type alone differs, and relaxed texts do not show it.
        (old, new) = (before.map(canonical), after.map(canonical));
    }
    FieldChange { path, before: old, after: new }
}

fn relaxed(value: RawBsonRef<'_>) -> String {
    let mut text = String::new();
    // What cannot be written shows how far it went, as in the grid.
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

/// A document's `_id` as a person reads it; empty where it has none.
pub(crate) fn id_text(document: &RawDocument) -> String {
    document.get("_id").ok().flatten().map(plain_text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use bson::{Document, doc};

    use super::*;
    use crate::day::Day;

    fn raw(document: &Document) -> RawDocumentBuf {
        RawDocumentBuf::try_from(document).expect("encodes")
    }

    fn paths(before: &Document, after: &Document) -> Vec<(String, Option<String>, Option<String>)> {
        let found = field_changes(&raw(before), &raw(after));
        found.into_iter().map(|field| (field.path, field.before, field.after)).collect()
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn fields_are_told_by_path_with_before_and_after() {
        assert_eq!(
            paths(
                &doc! {"_id": 1, "leg": {"price": 1.5, "lots": 2}, "tags": [1, 2], "old": "x", "n": f64::NAN},
                &doc! {"_id": 1, "leg": {"price": 2.5, "lots": 2}, "tags": [1, 3], "n": f64::NAN, "new": Bson::Null},
            ),
            [
                ("leg.price".to_owned(), some("1.5"), some("2.5")),
                ("tags".to_owned(), some("[1,2]"), some("[1,3]")),
                ("new".to_owned(), None, some("null")),
                ("old".to_owned(), some("\"x\""), None),
            ]
        );
        assert_eq!(
            paths(&doc! {"a": 1, "b": {"c": 1}}, &doc! {"a": 1_i64, "b": 1}),
            [
                ("a".to_owned(), some(r#"{"$numberInt":"1"}"#), some(r#"{"$numberLong":"1"}"#)),
                ("b".to_owned(), some(r#"{"c":1}"#), some("1")),
            ]
        );
        assert_eq!(paths(&doc! {"a": {"x": 1, "y": 2}}, &doc! {"a": {"y": 2, "x": 1}}).len(), 1);
    }

    fn difference(kind: ChangeKind, role: Role, day: i32, id: u8, document: &Document) -> Difference {
        let change = MessageChange {
            kind,
            role,
            day: Day::from_number(day),
            id: id.to_string(),
            trade: None,
            fields: Vec::new(),
        };
        Difference { change, id: vec![id], document: Some(raw(document)) }
    }

    #[test]
    fn a_message_that_moved_between_windows_has_changed() {
        let old = difference(ChangeKind::Gone, Role::Input, 5, 1, &doc! {"_id": 1, "day": 5});
        let new = difference(ChangeKind::Added, Role::Input, 9, 1, &doc! {"_id": 1, "day": 9});
        let moved = |kind, day| difference(kind, Role::Downstream, day, 2, &doc! {"_id": 2});
        for order in [[0, 1], [1, 0]] {
            let windows = [
                Differences {
                    input: ChangeCounts { gone: 1, ..ChangeCounts::default() },
                    downstream: ChangeCounts { gone: 1, ..ChangeCounts::default() },
                    listed: vec![old.clone(), moved(ChangeKind::Gone, 5)],
                },
                Differences {
                    input: ChangeCounts { added: 1, ..ChangeCounts::default() },
                    downstream: ChangeCounts { added: 1, ..ChangeCounts::default() },
                    listed: vec![new.clone(), moved(ChangeKind::Added, 9)],
                },
            ];
            let mut all = Differences::default();
            order.iter().for_each(|at| all.extend(&windows[*at]));
            let changes = all.into_changes();
            assert_eq!(changes.input, ChangeCounts { added: 0, changed: 1, gone: 0 });
            assert_eq!(changes.downstream, ChangeCounts::default(), "it only moved with its trade");
            assert_eq!((changes.messages.len(), changes.omitted), (1, 0));
            assert_eq!(changes.messages[0].day, Day::from_number(9));
            assert_eq!(
                changes.messages[0].fields,
                [FieldChange { path: "day".to_owned(), before: some("5"), after: some("9") }]
            );
        }
    }

    #[test]
    fn what_is_not_listed_is_counted() {
        let many = Differences {
            input: ChangeCounts { added: 700, ..ChangeCounts::default() },
            downstream: ChangeCounts::default(),
            listed: vec![difference(ChangeKind::Added, Role::Input, 1, 1, &doc! {})],
        };
        let changes = many.into_changes();
        assert_eq!((changes.messages.len(), changes.omitted), (1, 699));
    }
}
