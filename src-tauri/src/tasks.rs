//! Runs, exports and requests for rows in progress, each of which can be cancelled.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

/// The tasks in progress, by the id that the window gave them.
#[derive(Debug, Default)]
pub(crate) struct Tasks(Mutex<HashMap<u64, CancellationToken>>);

/// A task in progress, registered until it is dropped.
#[derive(Debug)]
pub(crate) struct Task<'a> {
    tasks: &'a Tasks,
    id: u64,
    cancel: CancellationToken,
}

impl Tasks {
    /// Registers a task that begins.
    pub(crate) fn begin(&self, id: u64) -> Task<'_> {
        let cancel = CancellationToken::new();
        self.lock().insert(id, cancel.clone());
        Task { tasks: self, id, cancel }
    }

    /// Cancels a task. Does nothing if it has already ended.
    pub(crate) fn cancel(&self, id: u64) {
        if let Some(cancel) = self.lock().get(&id) {
            cancel.cancel();
        }
    }

    /// Cancels all tasks.
    pub(crate) fn cancel_all(&self) {
        self.lock().values().for_each(CancellationToken::cancel);
    }

    /// Whether no task is in progress.
    pub(crate) fn is_idle(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, CancellationToken>> {
        // Safe after a panic: no operation leaves the map half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Task<'_> {
    /// The token that is cancelled to stop the task.
    pub(crate) fn token(&self) -> CancellationToken {
        self.cancel.clone()
    }
}

impl Drop for Task<'_> {
    fn drop(&mut self) {
        self.tasks.lock().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_one_that_is_meant_is_stopped() {
        let tasks = Tasks::default();
        let (first, second) = (tasks.begin(1), tasks.begin(2));
        tasks.cancel(2);
        tasks.cancel(7);
        assert!(!first.token().is_cancelled() && second.token().is_cancelled());
        drop(second);
        tasks.cancel_all();
        assert!(first.token().is_cancelled());
        drop(first);
        assert!(tasks.is_idle());
    }
}
