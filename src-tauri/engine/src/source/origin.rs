//! The collections and the replica set behind an address. An address is not an identity: a tunnel may lead to a
//! different cluster, and a collection may be dropped and recreated.

use std::collections::{BTreeMap, BTreeSet};

use bson::spec::BinarySubtype;
use bson::{Bson, Document, doc};
use md5::{Digest as _, Md5};
use mongodb::options::{RunCursorCommandOptions, SelectionCriteria};

use super::connect::{SHORT_TIME, Source};
use crate::failure::{Code, Failure, Result};
use crate::query::collation::Collation;
use crate::query::mapping::Mapping;

/// The maximum depth of nested views that are followed. MongoDB allows 20.
const VIEWS_DEEP: usize = 20;

/// A collection as reported by `listCollections`.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    /// Its type, as the server names it: `collection`, `view` or `timeseries`.
    pub(super) kind: String,
    uuid: Option<String>,
    /// What it was created with.
    pub(super) options: Document,
}

impl Source {
    /// The collections and replica set behind the address now, and how the trades' collection compares text. If the
    /// user may not list collections, both are unknown, and an unknown origin differs from none.
    ///
    /// # Errors
    /// See [`super::SourceError`].
    pub async fn origin(&self, mapping: &Mapping) -> Result<(SourceOrigin, Collation)> {
        let trades = self.collection_name().to_owned();
        let messages = mapping.downstream_collection.clone().unwrap_or_else(|| trades.clone());
        let is_sharded = self.is_behind_mongos();
        let mut listed: BTreeMap<String, Option<Listed>> = BTreeMap::new();
        let mut wanted = BTreeSet::from([trades.clone(), messages.clone()]);
        for _ in 0..VIEWS_DEEP {
            let buckets = wanted.iter().map(|name| format!("system.buckets.{name}"));
            let names: BTreeSet<String> = wanted.iter().cloned().chain(buckets).collect();
            let found = match self.list(&names).await {
                Ok(found) => found,
                Err(failure) if matches!(failure.code, Code::NotAuthorized | Code::BadFilter) => {
                    return Ok((self.kinds_alone(&trades, &messages).await, Collation::Unknown));
                }
                Err(failure) => return Err(failure),
            };
            for name in &wanted {
                listed.insert(name.clone(), found.get(name).cloned());
            }
            for (name, one) in found.into_iter().filter(|(name, _)| name.starts_with("system.buckets.")) {
                listed.insert(name, Some(one));
            }
            wanted = listed
                .values()
                .flatten()
                .flat_map(|one| named_in(&one.options))
                .filter(|name| !listed.contains_key(name))
                .collect();
            if wanted.is_empty() {
                break;
            }
        }
        let collation = match listed.get(&trades) {
            Some(Some(trades)) => Collation::of_options(trades.options.get_document("collation").ok()),
            _ => Collation::Unknown,
        };
        let is_unique = |name: &String| {
            !is_sharded && matches!(listed.get(name), Some(Some(one)) if one.kind == "collection")
        };
        let origin = SourceOrigin {
            unique_input: is_unique(&trades),
            unique_downstream: is_unique(&messages),
            collections: canonical(&listed),
            replica_set: self.replica_set().await,
        };
        Ok((origin, collation))
    }

    /// What can be determined for a user who may not list collections: only whether the names are views.
    async fn kinds_alone(&self, trades: &str, messages: &str) -> SourceOrigin {
        let command = doc! {
            "listCollections": 1, "nameOnly": true, "authorizedCollections": true,
            "filter": {"name": {"$in": [trades, messages]}},
        };
        let found = self.list_with(command).await.unwrap_or_default();
        let is_unique = |name: &str| {
            !self.is_behind_mongos() && found.get(name).is_some_and(|one| one.kind == "collection")
        };
        SourceOrigin {
            unique_input: is_unique(trades),
            unique_downstream: is_unique(messages),
            ..SourceOrigin::unknown()
        }
    }

    pub(super) async fn list(&self, names: &BTreeSet<String>) -> Result<BTreeMap<String, Listed>> {
        let names: Vec<&String> = names.iter().collect();
        self.list_with(doc! {"listCollections": 1, "filter": {"name": {"$in": names}}}).await
    }

    async fn list_with(&self, command: Document) -> Result<BTreeMap<String, Listed>> {
        Ok(self.cursor_documents(command).await?.iter().filter_map(listed).collect())
    }

    /// What a command lists that returns a cursor, on a node that the read preference allows: the driver's own methods
    /// use only the primary.
    ///
    /// # Errors
    /// See [`super::SourceError`].
    pub(super) async fn cursor_documents(&self, mut command: Document) -> Result<Vec<Document>> {
        command.insert("cursor", doc! {});
        let database = self.database().await?;
        let mut options = RunCursorCommandOptions::default();
        options.selection_criteria = self.preferred().await?;
        let listing = || async {
            let asked = database.run_cursor_command(command.clone()).with_options(options.clone());
            let mut batches = asked.batch().await?;
            let mut found = Vec::new();
            while let Some(batch) = futures_util::StreamExt::next(&mut batches).await {
                for value in batch?.doc_slices()? {
                    let document = value.ok().and_then(|value| value.as_document().map(ToOwned::to_owned));
                    found.extend(document.and_then(|raw| Document::try_from(raw).ok()));
                }
            }
            Ok(found)
        };
        self.with_timeout(SHORT_TIME, async { Ok(self.with_retry(listing).await?) }).await
    }

    /// The collections that the user may see, without the server's own. Of a user who may not list all of them, only
    /// the names and kinds of those that the user may read.
    ///
    /// # Errors
    /// See [`super::SourceError`].
    pub(super) async fn list_visible(&self) -> Result<BTreeMap<String, Listed>> {
        let command = doc! {"listCollections": 1};
        let found = match self.list_with(command.clone()).await {
            Err(failure) if matches!(failure.code, Code::NotAuthorized | Code::BadFilter) => {
                let mut command = command;
                command.extend(doc! {"nameOnly": true, "authorizedCollections": true});
                self.list_with(command).await?
            }
            found => found?,
        };
        Ok(found.into_iter().filter(|(name, _)| !name.starts_with("system.")).collect())
    }

    /// Returns those of the given names that are collections of the database, if the user may list them.
    pub(super) async fn collection_names(&self, wanted: &[&str]) -> Result<BTreeSet<String>> {
        let names = wanted.iter().map(|name| (*name).to_owned()).collect();
        Ok(self.list(&names).await?.into_keys().collect())
    }

    /// The replica set's id, or its name if the user may not read the id.
    async fn replica_set(&self) -> Option<String> {
        let name = self.set_name()?;
        if !self.may_not_ask_for_the_set() {
            let admin = self.admin().await.ok()?;
            let criteria = self.preferred().await.ok()?;
            let asked = async { Ok(self.run_command(&admin, doc! {"replSetGetConfig": 1}, criteria).await?) };
            let config = self.with_timeout(SHORT_TIME, asked).await;
            if let Ok(reply) = &config
                && let Ok(config) = reply.get_document("config")
                && let Ok(settings) = config.get_document("settings")
                && let Ok(id) = settings.get_object_id("replicaSetId")
            {
                return Some(format!("id {}", id.to_hex()));
            }
            if config.is_err_and(|failure: Failure| failure.code != Code::SourceUnreachable) {
                self.note_that_the_set_is_unknown();
            }
        }
        Some(format!("name {name}"))
    }

    /// The read preference of the connection string.
    pub(super) async fn preferred(&self) -> Result<Option<SelectionCriteria>> {
        Ok(self.client().await?.selection_criteria().cloned())
    }
}

/// Reads one entry of a `listCollections` reply.
fn listed(document: &Document) -> Option<(String, Listed)> {
    let name = document.get_str("name").ok()?.to_owned();
    let uuid = match document.get_document("info").ok().and_then(|info| info.get("uuid")) {
        Some(Bson::Binary(binary)) if binary.subtype == BinarySubtype::Uuid => {
            Some(hex::encode(&binary.bytes))
        }
        _ => None,
    };
    let options = document.get_document("options").cloned().unwrap_or_default();
    let kind = document.get_str("type").unwrap_or("collection").to_owned();
    Some((name, Listed { kind, uuid, options }))
}

/// The collections that a view's definition refers to: the one it is defined on and those that its stages read.
fn named_in(options: &Document) -> BTreeSet<String> {
    fn search(value: &Bson, names: &mut BTreeSet<String>) {
        match value {
            Bson::Array(items) => items.iter().for_each(|item| search(item, names)),
            Bson::Document(document) => {
                for (key, value) in document {
                    match value {
                        Bson::String(name) if matches!(key.as_str(), "from" | "coll" | "$unionWith") => {
                            names.insert(name.clone());
                        }
                        other => search(other, names),
                    }
                }
            }
            _ => {}
        }
    }
    let mut names = BTreeSet::new();
    names.extend(options.get_str("viewOn").map(str::to_owned).ok());
    if let Some(pipeline) = options.get("pipeline") {
        search(pipeline, &mut names);
    }
    names
}

/// The collections as one canonical text: per name the kind, the UUID and, for a view, a hash of its definition.
/// Empty if the collections exist but the server reports nothing about them that could be compared.
fn canonical(listed: &BTreeMap<String, Option<Listed>>) -> String {
    let tells = |one: &Listed| one.uuid.is_some() || one.options.contains_key("pipeline");
    let mut found = listed.values().flatten().peekable();
    // If no collection exists, the text is not empty: missing collections differ from existing ones.
    if found.peek().is_some() && !found.any(tells) {
        return String::new();
    }
    let parts: serde_json::Map<String, serde_json::Value> = listed
        .iter()
        .map(|(name, one)| {
            let written = one.as_ref().map(|one| {
                let definition = one.options.get("pipeline").map(|pipeline| {
                    let on = one.options.get_str("viewOn").unwrap_or_default();
                    hex::encode(Md5::digest(format!("{on} {pipeline}").as_bytes()))
                });
                serde_json::json!({"type": one.kind, "uuid": one.uuid, "definition": definition})
            });
            (name.clone(), written.unwrap_or(serde_json::Value::Null))
        })
        .collect();
    serde_json::Value::Object(parts).to_string()
}

/// The collections and the replica set that days were fetched from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceOrigin {
    /// The collections as canonical JSON text: their UUIDs, or a substitute for them.
    pub collections: String,
    /// The replica set's id or, if that is not available, its name.
    pub replica_set: Option<String>,
    /// Whether `_id` identifies an input document: not in a view, in a time-series collection or across shards.
    pub unique_input: bool,
    /// Whether `_id` identifies a downstream message.
    pub unique_downstream: bool,
}

impl SourceOrigin {
    /// An origin about which nothing is known.
    #[must_use]
    pub const fn unknown() -> Self {
        Self { collections: String::new(), replica_set: None, unique_input: false, unique_downstream: false }
    }

    /// Whether the collections are known.
    #[must_use]
    pub const fn is_known(&self) -> bool {
        !self.collections.is_empty()
    }

    /// Whether this is known to differ from the other origin, in its collections or its replica set. Anything unknown
    /// on either side makes no difference.
    #[must_use]
    pub fn is_other_than(&self, other: &Self) -> bool {
        let others = self.is_known() && other.is_known() && self.collections != other.collections;
        // A name is only compared with a name, and an id with an id.
        let kind = |set: &str| set.split_once(' ').map(|(kind, _)| kind.to_owned());
        let other_set = self.replica_set.as_deref().zip(other.replica_set.as_deref());
        others || other_set.is_some_and(|(one, two)| kind(one) == kind(two) && one != two)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binary(byte: u8) -> Bson {
        Bson::Binary(bson::Binary { subtype: BinarySubtype::Uuid, bytes: vec![byte; 16] })
    }

    fn of(lines: &[Document]) -> BTreeMap<String, Option<Listed>> {
        lines.iter().filter_map(listed).map(|(name, one)| (name, Some(one))).collect()
    }

    #[test]
    fn a_view_names_all_that_lies_beneath() {
        let options = doc! {
            "viewOn": "fills",
            "pipeline": [
                {"$unionWith": "old"},
                {"$unionWith": {"coll": "older", "pipeline": [{"$lookup": {"from": "desks", "as": "d"}}]}},
                {"$match": {"$expr": {"$eq": ["$from", "x"]}}},
            ],
        };
        let names: Vec<String> = named_in(&options).into_iter().collect();
        assert_eq!(names, ["desks", "fills", "old", "older"]);
        assert!(named_in(&doc! {}).is_empty());
    }

    #[test]
    fn a_recreated_collection_and_a_changed_view_are_recognised() {
        let trades =
            |uuid| doc! {"name": "trades", "type": "collection", "options": {}, "info": {"uuid": uuid}};
        let view = |price: i32| {
            doc! {"name": "v", "type": "view", "options": {"viewOn": "trades", "pipeline": [{"$match": {"p": price}}]}}
        };
        let one = canonical(&of(&[trades(binary(1)), view(1)]));
        assert_eq!(one, canonical(&of(&[view(1), trades(binary(1))])));
        assert_ne!(one, canonical(&of(&[trades(binary(2)), view(1)])));
        assert_ne!(one, canonical(&of(&[trades(binary(1)), view(2)])));
        assert_eq!(canonical(&of(&[doc! {"name": "trades", "type": "collection"}])), "");
    }
}
