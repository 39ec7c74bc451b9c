//! The cache's budget: what it takes, what it may take, what is kept, and what goes after a fetch.

use super::engine::{Engine, off_thread};
use crate::api::library::CacheUsage;
use crate::cache::budget::{DEFAULT_BUDGET, Freed, sentence};
use crate::failure::Result;
use crate::query::signature::Signature;

impl Engine {
    /// What the cache takes and may take.
    ///
    /// # Errors
    /// `cache_unusable` where the folder cannot be listed.
    pub async fn cache_usage(&self) -> Result<CacheUsage> {
        let cache = self.cache().clone();
        off_thread(move || {
            let held = cache.occupants()?;
            Ok(CacheUsage {
                bytes: held.iter().map(|held| held.bytes).sum(),
                budget: cache.budget().unwrap_or(DEFAULT_BUDGET),
                queries: held.iter().filter(|held| held.query.is_some()).count(),
            })
        })
        .await
    }

    /// Sets what the cache may take, in bytes, and makes room at once: the least recently used queries go
    /// first; those that are pinned, being fetched or looked at stay.
    ///
    /// # Errors
    /// `disk_full`, `cache_unusable` where the folder cannot be used.
    pub async fn set_cache_budget(&self, bytes: u64) -> Result<Freed> {
        let engine = self.clone();
        off_thread(move || {
            engine.cache().set_budget(bytes)?;
            engine.cache().make_room(bytes, |signature| engine.alone(signature))
        })
        .await
    }

    /// Keeps a query whatever room the cache takes, or lets it go again.
    ///
    /// # Errors
    /// `not_cached`, `cache_busy`, `cache_damaged`.
    pub async fn pin(&self, signature: &Signature, pinned: bool) -> Result<()> {
        let (engine, signature) = (self.clone(), signature.clone());
        off_thread(move || engine.cache().open_signature(&signature)?.set_pinned(pinned)).await
    }

    /// Makes room after a run, whose own query stays; what the trader has to know of it.
    pub(super) async fn keep_within_budget(&self, own: Signature) -> Option<String> {
        let engine = self.clone();
        let kept = off_thread(move || {
            let Some(budget) = engine.cache().budget() else {
                return Ok(Some(
                    "The cache's budget cannot be read, so nothing was removed: set it again.".to_owned(),
                ));
            };
            let alone = |signature: &Signature| engine.alone(signature).filter(|_| *signature != own);
            let freed = engine.cache().make_room(budget, alone)?;
            Ok(sentence(&freed, budget))
        });
        // The rows are stored; that no room was made is not the run's failure.
        kept.await.unwrap_or_else(|failure| Some(failure.message))
    }
}
