//! Finds the parts of a query that match nothing in the collection: a mistyped path or value gives an empty answer
//! that looks complete.

use std::collections::BTreeSet;

use bson::{Document, doc};
use futures_util::future::try_join_all;

use super::connect::Source;
use super::paths::{add_paths, paths_in};
use super::read::ESTIMATE_LIMIT;
use crate::answer::{Unmatched, UnmatchedPart};
use crate::bson::path;
use crate::failure::{Code, Result};
use crate::query::filter::{Condition, FieldCondition};
use crate::query::filter_value::FilterValue;
use crate::query::mapping::Mapping;
use crate::query::near_miss::{did_you_mean, near_misses, same_beginning, same_letters};
use crate::rows::Role;
use crate::words::counted;

/// Number of documents that values are compared with, and that paths are compared with.
const VALUE_DOCUMENTS: i64 = 5_000;
const PATH_DOCUMENTS: i64 = 50;
/// Number of distinct values to consider.
const MAX_VALUES: i64 = 1_000;
/// Number of values to name as examples if none resembles the one in the filter.
const EXAMPLES: usize = 3;
/// Maximum number of values to look up, all at once.
const MAX_ASKED: usize = 10;

/// A filter that may have been mistyped, judging by the cached rows.
#[derive(Debug, Clone)]
pub struct Suspect {
    /// The condition.
    pub field: FieldCondition,
    /// Those of its values that no cached row has.
    pub values: Vec<FilterValue>,
}

impl Suspect {
    /// Reports that no document has the filter's field.
    pub(crate) fn without_field(field: &FieldCondition, near: Vec<String>, why: String) -> Unmatched {
        Self::unmatched(field, UnmatchedPart::Field, None, near, why)
    }

    /// Reports that no document has one of the filter's values.
    pub(crate) fn without_value(
        field: &FieldCondition,
        value: String,
        near: Vec<String>,
        why: String,
    ) -> Unmatched {
        Self::unmatched(field, UnmatchedPart::Value, Some(value), near, why)
    }

    fn unmatched(
        field: &FieldCondition,
        part: UnmatchedPart,
        value: Option<String>,
        near: Vec<String>,
        why: String,
    ) -> Unmatched {
        Unmatched { part, field: Some(field.name.clone()), path: field.path.clone(), value, near, why }
    }
}

/// A text in a filter that no cached row confirms.
#[derive(Debug, Clone)]
enum Typed {
    /// A value.
    Value(String),
    /// The beginning of a value.
    Start(String),
}

impl Typed {
    /// Whether some known value differs from it only in case or blanks, and none equals it.
    fn is_clearly_mistyped(&self, known: &[String]) -> bool {
        match self {
            Self::Value(value) => {
                !known.contains(value) && !same_letters(value, known.iter().map(String::as_str)).is_empty()
            }
            Self::Start(start) => !same_beginning(start, known.iter().map(String::as_str)).is_empty(),
        }
    }
}

impl Source {
    /// Finds the filters that match no document of the collection. If a lookup takes too long, the filter is compared
    /// with a few documents instead.
    ///
    /// # Errors
    /// See [`super::SourceError`].
    pub async fn unmatched(&self, suspects: &[Suspect]) -> Result<Vec<Unmatched>> {
        let found = try_join_all(suspects.iter().map(|suspect| self.unmatched_by(suspect))).await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn unmatched_by(&self, Suspect { field, values }: &Suspect) -> Result<Vec<Unmatched>> {
        // This condition asks for documents without the field.
        if field.condition == Condition::Missing {
            return Ok(Vec::new());
        }
        let has_field = self.has_in_time(doc! {&field.path: {"$exists": true}}).await?;
        if has_field == Some(false) {
            return Ok(vec![self.unmatched_path(field, &self.paths().await?)]);
        }
        if has_field.is_none() {
            let known = self.paths().await?;
            let above = |path: &String| field.path.starts_with(&format!("{path}."));
            return Ok(match known.contains(&field.path) || known.iter().any(above) {
                true => Vec::new(),
                false => vec![self.unmatched_path(field, &known)],
            });
        }
        let mut asked: Vec<(Typed, Document)> = values
            .iter()
            .take(MAX_ASKED)
            .map(|value| (Typed::Value(value.typed()), doc! {&field.path: value.to_bson()}))
            .collect();
        if let Condition::StartsWith(text) = &field.condition {
            asked.push((Typed::Start(text.clone()), field.to_match()));
        }
        let there = try_join_all(asked.iter().map(|(_, matches)| self.has_in_time(matches.clone()))).await?;
        let missing: Vec<(Typed, Option<bool>)> = asked
            .into_iter()
            .zip(there)
            .filter(|(_, there)| *there != Some(true))
            .map(|((typed, _), there)| (typed, there))
            .collect();
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        let known = self.texts_of(&field.path).await?;
        Ok(missing
            .into_iter()
            // A text whose lookup timed out may exist: it counts only if a few documents show what was meant.
            .filter(|(typed, there)| there.is_some() || typed.is_clearly_mistyped(&known))
            .map(|(typed, _)| self.unmatched_value(field, typed, &known))
            .collect())
    }

    /// Reports that no message has the path of the trade id, so that no trade can have messages. `None` if one has it, if
    /// there are no messages at all, or if every document is also a message.
    ///
    /// # Errors
    /// See [`super::SourceError`].
    pub(crate) async fn unmatched_messages(&self, mapping: &Mapping) -> Result<Option<Unmatched>> {
        let Some(path) = mapping.trade_path(Role::Downstream) else { return Ok(None) };
        let collection = mapping.downstream_collection.as_deref();
        let is_own = collection.is_none() && mapping.downstream_match.is_empty();
        if is_own && mapping.trade_path(Role::Input) == Some(path) {
            return Ok(None);
        }
        let documents = self.some_documents(collection, &mapping.downstream_match, PATH_DOCUMENTS).await?;
        if documents.is_empty() || documents.iter().any(|document| path::is_in(document, path)) {
            return Ok(None);
        }
        let with_path = doc! {"$and": [mapping.downstream_match.clone(), {path: {"$exists": true}}]};
        let read = match self.collection_has_in_time(collection, with_path).await? {
            Some(true) => return Ok(None),
            Some(false) => "No document".to_owned(),
            // It may be in others, but that the first ones all lack it has to be looked into.
            None => format!("None of the {} read", counted(documents.len(), "document")),
        };
        let known = paths_in(&documents);
        let near = near_misses(path, known.iter().map(String::as_str));
        let why = format!(
            "{read} in {} has the trade id of messages ({path}), so no trade has messages.{} Correct the mapping.",
            collection.unwrap_or(self.collection_name()),
            did_you_mean(&near)
        );
        let (part, path) = (UnmatchedPart::Messages, path.to_owned());
        Ok(Some(Unmatched { part, field: None, path, value: None, near, why }))
    }

    fn unmatched_path(&self, field: &FieldCondition, known: &BTreeSet<String>) -> Unmatched {
        let (name, path) = (self.collection_name(), &field.path);
        let near = near_misses(path, known.iter().map(String::as_str));
        let why = format!("No document in {name} has the field {}.{}", field.place(), did_you_mean(&near));
        Suspect::without_field(field, near, why)
    }

    fn unmatched_value(&self, field: &FieldCondition, typed: Typed, known: &[String]) -> Unmatched {
        let (near, has, value) = match typed {
            Typed::Value(value) => {
                (near_misses(&value, known.iter().map(String::as_str)), "has the value", value)
            }
            Typed::Start(start) => (
                same_beginning(&start, known.iter().map(String::as_str)),
                "has a value that begins with",
                start,
            ),
        };
        let quoted =
            |values: &[String]| values.iter().map(|value| format!("\"{value}\"")).collect::<Vec<_>>();
        let instead = match &quoted(&known[..known.len().min(EXAMPLES)])[..] {
            _ if !near.is_empty() => did_you_mean(&quoted(&near)),
            [] => String::new(),
            examples => format!(" It has, for example, {}.", examples.join(", ")),
        };
        let why = format!(
            "No document in {} {has} \"{value}\" in {}.{instead}",
            self.collection_name(),
            field.place()
        );
        Suspect::without_value(field, value, near, why)
    }

    /// Whether a document of the collection matches; true if the lookup takes too long.
    pub(super) async fn has(&self, matches: Document) -> Result<bool> {
        Ok(self.has_in_time(matches).await?.unwrap_or(true))
    }

    /// Whether a document of the collection matches; `None` if the lookup takes too long.
    pub(super) async fn has_in_time(&self, matches: Document) -> Result<Option<bool>> {
        self.collection_has_in_time(None, matches).await
    }

    /// The same for a collection of this name; `None` for the source's own.
    async fn collection_has_in_time(&self, name: Option<&str>, matches: Document) -> Result<Option<bool>> {
        let pipeline = vec![doc! {"$match": matches}, doc! {"$limit": 1}, doc! {"$project": {"_id": 1}}];
        match self.documents_of(&self.collection(name).await?, pipeline, ESTIMATE_LIMIT).await {
            Ok(found) => Ok(Some(!found.is_empty())),
            Err(failure) if failure.code == Code::SourceTimeout => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Texts at a path in some documents, the most frequent first.
    async fn texts_of(&self, path: &str) -> Result<Vec<String>> {
        let pipeline = vec![
            doc! {"$match": {path: {"$exists": true}}},
            doc! {"$limit": VALUE_DOCUMENTS},
            doc! {"$project": {"_id": 0, "value": format!("${path}")}},
            doc! {"$unwind": "$value"},
            doc! {"$group": {"_id": "$value", "documents": {"$sum": 1}}},
            doc! {"$sort": {"documents": -1, "_id": 1}},
            doc! {"$limit": MAX_VALUES},
        ];
        let found = match self.documents(pipeline, ESTIMATE_LIMIT).await {
            Err(failure) if failure.code == Code::SourceTimeout => Vec::new(),
            found => found?,
        };
        Ok(found.iter().filter_map(|row| row.get_str("_id").ok()).map(str::to_owned).collect())
    }

    /// Dotted paths in some documents, including those inside arrays.
    async fn paths(&self) -> Result<BTreeSet<String>> {
        let found = match self.documents(vec![doc! {"$limit": PATH_DOCUMENTS}], ESTIMATE_LIMIT).await {
            Err(failure) if failure.code == Code::SourceTimeout => Vec::new(),
            found => found?,
        };
        let mut paths = BTreeSet::new();
        found.iter().for_each(|document| add_paths("", document, &mut paths));
        Ok(paths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_into_documents_and_arrays() {
        let mut paths = BTreeSet::new();
        add_paths("", &doc! {"a": 1, "b": {"c": {"d": 1}}, "legs": [{"price": 1}, 2]}, &mut paths);
        assert_eq!(Vec::from_iter(paths), ["a", "b", "b.c", "b.c.d", "legs", "legs.price"]);
    }
}
