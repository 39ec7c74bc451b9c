//! A file's description of the query that owns it.

use std::collections::HashMap;

use duckdb::params;
use serde::Deserialize as _;

use super::error::{CacheError, Result};
use super::schema::{self, FORMAT};
use super::sql::{Database, sql};
use crate::failure::Failure;
use crate::query::collation::UNKNOWN;
use crate::query::filter::Filters;
use crate::query::mapping::Mapping;
use crate::query::signature::{Signature, canonical_text, family};
use crate::query::source::{Query, SourceIdentity};

/// The query that owns a file, as the file describes it.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The query's signature.
    pub signature: Signature,
    /// The text whose hash is the signature.
    pub canonical: String,
    /// Hash of source and mapping alone: queries of one family may adopt from each other.
    pub family: String,
    /// Hosts, database and collection, for people.
    pub source: String,
    /// The mapping.
    pub mapping: Mapping,
    /// The filters.
    pub filters: Filters,
}

impl Identity {
    /// The identity of a query.
    #[must_use]
    pub fn of(query: &Query) -> Self {
        let mut mapping = query.mapping.clone();
        // Naming the trades' own collection means the same as naming none, for the signature too.
        mapping.downstream_collection.take_if(|name| *name == query.source.collection);
        Self {
            signature: Signature::of(query),
            canonical: canonical_text(query),
            family: family(query),
            source: query.source.describe(),
            mapping,
            filters: query.filters.clone(),
        }
    }

    /// The query that has this identity.
    ///
    /// # Errors
    /// `cache_damaged` if the canonical text cannot be parsed.
    pub fn query(&self) -> Result<Query> {
        let read = || -> serde_json::Result<SourceIdentity> {
            let text: serde_json::Value = serde_json::from_str(&self.canonical)?;
            SourceIdentity::deserialize(&text["source"])
        };
        let source = read().map_err(|error| {
            CacheError::corrupt("The cache file does not say which source it is of.").because(error)
        })?;
        Ok(Query { source, mapping: self.mapping.clone(), filters: self.filters.clone() })
    }
}

/// Creates the tables of a new file and stores the identity of its query.
pub(crate) fn initialise(connection: &Database, identity: &Identity) -> Result<()> {
    connection.execute_batch(sql!("BEGIN TRANSACTION"))?;
    connection.execute_batch(schema::CREATE)?;
    connection.execute_batch(schema::CREATE_ORIGIN)?;
    connection.execute_batch(schema::CREATE_PLAIN)?;
    let facts = [
        ("format", FORMAT.to_string()),
        ("signature", identity.signature.to_string()),
        ("canonical", identity.canonical.clone()),
        ("family", identity.family.clone()),
        ("source", identity.source.clone()),
        ("mapping", identity.mapping.to_stored()),
        ("filters", identity.filters.to_stored()),
        ("collation", UNKNOWN.to_owned()),
        ("pinned", "0".to_owned()),
    ];
    let mut insert = connection.prepare(sql!("INSERT INTO meta VALUES (?, ?)"))?;
    for (key, value) in facts {
        insert.execute(params![key, value])?;
    }
    connection.execute_batch(sql!("COMMIT"))?;
    Ok(())
}

pub(crate) fn read_fact(connection: &Database, key: &str) -> Result<String> {
    let mut select = connection.prepare(sql!("SELECT value FROM meta WHERE key = ?"))?;
    let mut rows = select.query(params![key])?;
    match rows.next()? {
        Some(row) => Ok(row.get(0)?),
        None => Err(missing(key)),
    }
}

fn missing(key: &str) -> CacheError {
    CacheError::corrupt(format!("The cache file does not say which query it belongs to ({key} is missing)."))
}

pub(crate) fn read_identity(connection: &Database) -> Result<Identity> {
    // In one statement: a file is opened for each look at its query.
    let mut select = connection.prepare(sql!("SELECT key, value FROM meta"))?;
    let mut facts = HashMap::new();
    for row in select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))? {
        let (key, value): (String, String) = row?;
        // The first one counts, as where a single fact is read.
        facts.entry(key).or_insert(value);
    }
    let mut fact = |key: &str| facts.remove(key).ok_or_else(|| missing(key));
    Ok(Identity {
        signature: Signature::parse(&fact("signature")?).map_err(own_word)?,
        canonical: fact("canonical")?,
        family: fact("family")?,
        source: fact("source")?,
        mapping: Mapping::from_stored(&fact("mapping")?).map_err(own_word)?,
        filters: Filters::from_stored(&fact("filters")?).map_err(own_word)?,
    })
}

/// Converts a failure to parse the file's own description: the file is at fault, not the trader's input.
fn own_word(failure: Failure) -> CacheError {
    CacheError::corrupt(format!("The cache file cannot be understood: {}", failure.message))
}
