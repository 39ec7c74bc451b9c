//! What changed at the source: the differences that the windows of a run found, and how they are merged.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use bson::RawDocumentBuf;
use serde::Serialize;
use ts_rs::TS;

use crate::bson::diff::{FieldChange, field_changes};
use crate::day::Day;
use crate::rows::Role;

/// The maximum number of documents that are listed.
pub(crate) const LISTED: usize = 500;
/// A document that differs, with what is needed to merge it with what a different window found about it.
#[derive(Debug, Clone)]
pub struct Difference {
    pub(crate) change: DocumentChange,
    /// Its `_id` as the cache writes it.
    pub(crate) id: Vec<u8>,
    /// The document, if it was added or is gone.
    pub(crate) document: Option<RawDocumentBuf>,
}

/// The differences that a window or a run found.
#[derive(Debug, Clone, Default)]
pub struct Differences {
    pub(crate) input: ChangeCounts,
    pub(crate) downstream: ChangeCounts,
    pub(crate) listed: Vec<Difference>,
}

impl Differences {
    /// Adds the differences that another window found.
    pub(crate) fn extend(&mut self, other: &Self) {
        for (mine, theirs) in [(&mut self.input, other.input), (&mut self.downstream, other.downstream)] {
            mine.added += theirs.added;
            mine.changed += theirs.changed;
            mine.gone += theirs.gone;
        }
        self.listed.extend(other.listed.iter().cloned());
    }

    /// Merges the differences of a whole run. A document that left one window and appeared in another has changed; one
    /// that several windows have counts once.
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
        let mut messages: Vec<DocumentChange> =
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

/// Merges what two windows found about one document; `None` if it only moved with its trade.
fn joined(one: &Difference, other: Difference) -> Option<Difference> {
    let (old, new) = match (one.change.kind, other.change.kind) {
        (ChangeKind::Gone, ChangeKind::Added) => (one, &other),
        (ChangeKind::Added, ChangeKind::Gone) => (&other, one),
        (ChangeKind::Changed, _) => return Some(one.clone()),
        _ => return Some(other),
    };
    let mut change = DocumentChange { kind: ChangeKind::Changed, ..new.change.clone() };
    if let (Some(before), Some(after)) = (&old.document, &new.document) {
        if before.as_bytes() == after.as_bytes() {
            return None;
        }
        change.fields = field_changes(before, after);
    }
    Some(Difference { change, id: new.id.clone(), document: None })
}

/// How many documents a refresh or a verification found different at the source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, TS)]
pub struct ChangeCounts {
    /// In the source, but not cached before.
    #[ts(type = "number")]
    pub added: u64,
    /// Cached before with different content.
    #[ts(type = "number")]
    pub changed: u64,
    /// Cached before, but no longer in the source.
    #[ts(type = "number")]
    pub gone: u64,
}

/// What a refresh or a verification found different at the source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, TS)]
pub struct Changes {
    /// Trades that the filters match.
    pub input: ChangeCounts,
    /// The other messages of these trades.
    pub downstream: ChangeCounts,
    /// The documents themselves, at most 500, by day and then by role.
    pub messages: Vec<DocumentChange>,
    /// Number of documents that differ but are not listed.
    #[ts(type = "number")]
    pub omitted: u64,
}

/// How a document differs at the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// In the source, but not cached before.
    Added,
    /// Cached before with different content.
    Changed,
    /// Cached before, but no longer in the source.
    Gone,
}

/// One document that differs at the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct DocumentChange {
    /// How it differs.
    pub kind: ChangeKind,
    /// Whether it is a trade or one of its messages.
    pub role: Role,
    /// The day it belongs to; if it moved, the new one.
    pub day: Day,
    /// Its `_id`: the text itself, an ObjectId's hex digits, or relaxed Extended JSON.
    pub id: String,
    /// The id of its trade, as text.
    pub trade: Option<String>,
    /// The fields in which a changed document differs; empty for the other kinds.
    pub fields: Vec<FieldChange>,
}

#[cfg(test)]
mod tests {
    use bson::{Bson, Document, doc};

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
    fn fields_are_listed_by_path_with_before_and_after() {
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
        let change = DocumentChange {
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
    fn a_document_that_moved_between_windows_has_changed() {
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
