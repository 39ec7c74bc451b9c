//! Evicts queries after a run to keep the cache within its budget.

use super::blocking::off_thread;
use super::core::Engine;
use crate::answer::note::Note;
use crate::cache::store::budget::note;
use crate::query::signature::Signature;

impl Engine {
    /// Evicts queries after a run, but never the run's own. Returns a note if the trader has to know about it.
    pub(crate) async fn evict_over_budget(&self, own: Signature) -> Option<Note> {
        let engine = self.clone();
        let kept = off_thread(move || {
            let Some(budget) = engine.cache().budget() else {
                return Ok(Some(Note::NoBudget));
            };
            let try_exclusive =
                |signature: &Signature| engine.try_exclusive(signature).filter(|_| *signature != own);
            let report = engine.cache().evict(budget, try_exclusive)?;
            Ok(note(&report, budget))
        });
        // The rows are stored: a failed eviction does not fail the run.
        kept.await.unwrap_or_else(|failure| Some(Note::EvictionFailed(failure.message)))
    }
}
