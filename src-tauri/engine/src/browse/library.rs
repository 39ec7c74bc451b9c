//! The list of cached queries.

use std::path::Path;

use crate::api::library::CachedQuery;
use crate::api::plan::WindowView;
use crate::cache::file::paths::is_pinned;
use crate::cache::{CatalogEntry, bytes_of, last_used};
use crate::day::DaySet;
use crate::engine::{Engine, off_thread};
use crate::failure::{Failure, Result};
use crate::plan::ledger::{DayState, state_of};
use crate::query::form::QueryInput;

impl Engine {
    /// The cached queries, most recently fetched first. Files that another Tidemark has open, or that cannot be read,
    /// are listed with the reason.
    ///
    /// # Errors
    /// `cache_unusable` if the folder cannot be listed.
    pub async fn cached_queries(&self) -> Result<Vec<CachedQuery>> {
        let engine = self.clone();
        off_thread(move || {
            engine.close_replaced_files();
            let mut found: Vec<CachedQuery> = Vec::new();
            for path in engine.cache().files()? {
                match engine.cache().listed(&path) {
                    Ok(entry) if entry.state.days.is_empty() => {}
                    Ok(entry) => found.push(listed(&engine, &path, &entry)),
                    Err(error) => found.push(unreadable(&path, error.into())),
                }
            }
            found.sort_by(|a, b| {
                b.newest_fetch.cmp(&a.newest_fetch).then_with(|| a.signature.cmp(&b.signature))
            });
            Ok(found)
        })
        .await
    }
}

fn listed(engine: &Engine, path: &Path, entry: &CatalogEntry) -> CachedQuery {
    let CatalogEntry { identity, state, .. } = entry;
    let ledger = state.ledger();
    let (policy, now) = (engine.policy_of(identity), engine.now());
    let labels = engine.labels_of(identity);
    let held: DaySet = ledger.keys().copied().collect();
    let (filters, advanced) = identity.filters.to_inputs();
    let form = held.ranges().first().zip(held.ranges().last()).map(|(first, last)| QueryInput {
        from: first.from().to_string(),
        to: last.to().to_string(),
        filters,
        advanced,
    });
    CachedQuery {
        signature: identity.signature.to_string(),
        source: identity.source.clone(),
        filters: identity.filters.describe(&labels),
        summary: identity.filters.summary(&labels),
        mapping: identity.mapping.describe(),
        form,
        held: held.ranges().iter().map(|run| WindowView { from: run.from(), to: run.to() }).collect(),
        days: ledger.len(),
        open_days: ledger
            .iter()
            .filter(|(day, held)| state_of(**day, Some(held), now, &policy) != DayState::Settled)
            .count(),
        input_rows: ledger.values().map(|held| held.input_rows).sum(),
        downstream_rows: ledger.values().map(|held| held.downstream_rows).sum(),
        bytes: bytes_of(path),
        oldest_fetch: ledger.values().map(|held| held.fetched).min(),
        newest_fetch: ledger.values().map(|held| held.fetched).max(),
        pinned: is_pinned(path),
        last_used: Some(last_used(path)),
        failure: None,
    }
}

fn unreadable(path: &Path, failure: Failure) -> CachedQuery {
    CachedQuery {
        signature: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        source: String::new(),
        filters: String::new(),
        summary: String::new(),
        mapping: String::new(),
        form: None,
        held: Vec::new(),
        days: 0,
        open_days: 0,
        input_rows: 0,
        downstream_rows: 0,
        bytes: bytes_of(path),
        oldest_fetch: None,
        newest_fetch: None,
        pinned: false,
        last_used: Some(last_used(path)),
        failure: Some(failure),
    }
}
