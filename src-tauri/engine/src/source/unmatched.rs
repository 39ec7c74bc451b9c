//! Asks which parts of a question nothing in the collection answers to: a mistyped path or value gives an empty
//! answer that looks complete.

use std::collections::BTreeSet;

use bson::{Bson, Document, doc};
use futures_util::future::try_join_all;

use super::connect::Source;
use super::read::ESTIMATE_LIMIT;
use crate::answer::{Unmatched, UnmatchedPart};
use crate::failure::{Code, Result};
use crate::filter::{Condition, FieldCondition, FilterValue};
use crate::near_miss::{did_you_mean, near_misses};

/// Documents that values are compared with, and those that paths are.
const VALUE_DOCUMENTS: i64 = 5_000;
const PATH_DOCUMENTS: i64 = 50;
/// Different values and paths that are looked at.
const MOST_VALUES: i64 = 1_000;
const MOST_PATHS: usize = 2_000;
/// Values that are named if none is like the one that was asked for.
const EXAMPLES: usize = 3;
/// Values that are asked for at most, all at once.
const MOST_ASKED: usize = 10;

/// A filter that may have been mistyped, as far as the cached rows can tell.
#[derive(Debug, Clone)]
pub struct Suspect {
    /// The condition.
    pub field: FieldCondition,
    /// Its values that no cached row has.
    pub values: Vec<FilterValue>,
}

impl Source {
    /// Finds the filters that match no document of the collection. Filters that time out are left out.
    ///
    /// # Errors
    /// See [`super::mongodb_failure`].
    pub async fn unmatched(&self, suspects: &[Suspect]) -> Result<Vec<Unmatched>> {
        let mut found = Vec::new();
        for Suspect { field, values } in suspects {
            // That the field is missing is what this one asks for.
            if field.condition == Condition::Missing {
                continue;
            }
            if !self.has(doc! {&field.path: {"$exists": true}}).await? {
                found.push(self.unmatched_path(field).await?);
                continue;
            }
            let asked: Vec<&FilterValue> = values.iter().take(MOST_ASKED).collect();
            let mut looking = Vec::new();
            for value in &asked {
                looking.push(self.has(doc! {&field.path: value.to_bson()}));
            }
            let there = try_join_all(looking).await?;
            let mut unknown: Vec<String> =
                asked.iter().zip(there).filter(|(_, there)| !there).map(|(value, _)| value.typed()).collect();
            if let Condition::StartsWith(text) = &field.condition
                && !self.has(field.to_match()).await?
            {
                unknown.push(text.clone());
            }
            if !unknown.is_empty() {
                let known = self.texts_of(&field.path).await?;
                found.extend(unknown.into_iter().map(|value| self.unmatched_value(field, value, &known)));
            }
        }
        Ok(found)
    }

    async fn unmatched_path(&self, field: &FieldCondition) -> Result<Unmatched> {
        let (name, path) = (self.collection_name(), &field.path);
        let known = self.paths().await?;
        let near = near_misses(path, known.iter().map(String::as_str));
        let why = format!("No document of {name} has the field {}.{}", place(field), did_you_mean(&near));
        Ok(Unmatched {
            part: UnmatchedPart::Field,
            field: Some(field.name.clone()),
            path: path.clone(),
            value: None,
            near,
            why,
        })
    }

    fn unmatched_value(&self, field: &FieldCondition, value: String, known: &[String]) -> Unmatched {
        let near = near_misses(&value, known.iter().map(String::as_str));
        let quoted =
            |values: &[String]| values.iter().map(|value| format!("\"{value}\"")).collect::<Vec<_>>();
        let instead = match &quoted(&known[..known.len().min(EXAMPLES)])[..] {
            _ if !near.is_empty() => did_you_mean(&quoted(&near)),
            [] => String::new(),
            examples => format!(" It has, for example, {}.", examples.join(", ")),
        };
        let has = match field.condition {
            Condition::StartsWith(_) => "has a value that begins with",
            _ => "has the value",
        };
        let why = format!(
            "No document of {} {has} \"{value}\" in {}.{instead}",
            self.collection_name(),
            place(field)
        );
        Unmatched {
            part: UnmatchedPart::Value,
            field: Some(field.name.clone()),
            path: field.path.clone(),
            value: Some(value),
            near,
            why,
        }
    }

    /// Whether a document of the collection matches; also if looking takes too long.
    pub(super) async fn has(&self, matches: Document) -> Result<bool> {
        let pipeline = vec![doc! {"$match": matches}, doc! {"$limit": 1}, doc! {"$project": {"_id": 1}}];
        match self.documents(pipeline, ESTIMATE_LIMIT).await {
            Ok(found) => Ok(!found.is_empty()),
            Err(failure) if failure.code == Code::SourceTimeout => Ok(true),
            Err(failure) => Err(failure),
        }
    }

    /// Texts at a path, of some documents, the most frequent first.
    async fn texts_of(&self, path: &str) -> Result<Vec<String>> {
        let pipeline = vec![
            doc! {"$match": {path: {"$exists": true}}},
            doc! {"$limit": VALUE_DOCUMENTS},
            doc! {"$project": {"_id": 0, "value": format!("${path}")}},
            doc! {"$unwind": "$value"},
            doc! {"$group": {"_id": "$value", "documents": {"$sum": 1}}},
            doc! {"$sort": {"documents": -1, "_id": 1}},
            doc! {"$limit": MOST_VALUES},
        ];
        let found = match self.documents(pipeline, ESTIMATE_LIMIT).await {
            Err(failure) if failure.code == Code::SourceTimeout => Vec::new(),
            found => found?,
        };
        Ok(found.iter().filter_map(|row| row.get_str("_id").ok()).map(str::to_owned).collect())
    }

    /// Dotted paths of some documents, also into arrays.
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

/// The path of a filter, and its name if that is different.
fn place(field: &FieldCondition) -> String {
    let FieldCondition { name, path, .. } = field;
    if name == path { path.clone() } else { format!("{path} ({name})") }
}

fn add_paths(above: &str, document: &Document, paths: &mut BTreeSet<String>) {
    for (name, value) in document {
        if paths.len() >= MOST_PATHS {
            return;
        }
        let path = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        match value {
            Bson::Document(within) => add_paths(&path, within, paths),
            Bson::Array(items) => {
                items.iter().filter_map(Bson::as_document).for_each(|item| add_paths(&path, item, paths));
            }
            _ => {}
        }
        paths.insert(path);
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
