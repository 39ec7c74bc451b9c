//! The budget of the cache: how much it uses, how much it may use, and what is pinned.

use tracing::info;

use crate::api::library::{CacheUsage, EvictionPreview};
use crate::cache::store::budget::{DEFAULT_BUDGET, EvictionReport};
use crate::engine::{Engine, off_thread};
use crate::failure::Result;
use crate::query::signature::Signature;

impl Engine {
    /// How much the cache uses and may use.
    ///
    /// # Errors
    /// `cache_unusable` if the folder cannot be listed.
    pub async fn cache_usage(&self) -> Result<CacheUsage> {
        let cache = self.cache().clone();
        off_thread(move || {
            let held = cache.entries()?;
            Ok(CacheUsage {
                bytes: held.iter().map(|held| held.bytes).sum(),
                budget: cache.budget().unwrap_or(DEFAULT_BUDGET),
                queries: held.iter().filter(|held| held.query.is_some()).count(),
            })
        })
        .await
    }

    /// Sets how much the cache may use, in bytes, and at once evicts queries to fit: the least recently used first.
    /// Queries that are pinned, being fetched or being viewed stay.
    ///
    /// # Errors
    /// `disk_full`, or `cache_unusable` if the folder cannot be used.
    pub async fn set_cache_budget(&self, bytes: u64) -> Result<EvictionReport> {
        let engine = self.clone();
        info!(bytes, "the budget of the cache is set");
        off_thread(move || {
            engine.cache().set_budget(bytes)?;
            Ok(engine.cache().evict(bytes, |signature| engine.try_exclusive(signature))?)
        })
        .await
    }

    /// What [`set_cache_budget`](Self::set_cache_budget) would evict now. Evicts nothing.
    ///
    /// # Errors
    /// `cache_unusable` if the folder cannot be listed.
    pub async fn preview_eviction(&self, bytes: u64) -> Result<EvictionPreview> {
        let engine = self.clone();
        off_thread(move || {
            let may_lock = |signature: &Signature| engine.try_exclusive(signature).is_some();
            let report = engine.cache().would_evict(bytes, may_lock)?;
            let queries = report.queries.iter().map(ToString::to_string).collect();
            Ok(EvictionPreview { queries, left: report.left, newer: report.newer })
        })
        .await
    }

    /// Pins a query so that it is never evicted, or unpins it.
    ///
    /// # Errors
    /// `not_cached`, `cache_busy`, `cache_damaged`.
    pub async fn pin(&self, signature: &Signature, pinned: bool) -> Result<()> {
        let (engine, signature) = (self.clone(), signature.clone());
        info!(%signature, pinned, "a query is pinned or unpinned");
        off_thread(move || Ok(engine.cache().open_signature(&signature)?.set_pinned(pinned)?)).await
    }
}
