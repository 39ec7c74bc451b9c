//! Locks per query: many runs may answer a query at once, or one caller may remove it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::query::signature::Signature;

/// The locks of the queries in use. They prevent a query from being removed between the plan to serve it and the
/// answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct QueryLocks(Arc<Locks>);

#[derive(Debug, Default)]
struct Locks {
    by_query: Mutex<HashMap<Signature, Access>>,
    /// Notified when a query is no longer locked.
    released: Notify,
}

#[derive(Debug)]
enum Access {
    /// This many runs are answering the query.
    Shared(usize),
    /// One caller may remove it.
    Exclusive,
}

/// The lock on a query, held until it is dropped.
#[derive(Debug)]
pub(crate) struct QueryGuard {
    locks: QueryLocks,
    signature: Signature,
}

impl QueryLocks {
    /// Locks a query for a run, waiting until no caller holds it exclusively.
    pub(crate) async fn shared(&self, signature: Signature) -> QueryGuard {
        loop {
            // Created before the attempt, so that a release in between is not missed.
            let released = self.0.released.notified();
            if self.try_shared(&signature) {
                return QueryGuard { locks: self.clone(), signature };
            }
            released.await;
        }
    }

    /// Locks a query exclusively; `None` if it is already locked.
    pub(crate) fn try_exclusive(&self, signature: &Signature) -> Option<QueryGuard> {
        let mut by_query = self.lock();
        if by_query.contains_key(signature) {
            return None;
        }
        by_query.insert(signature.clone(), Access::Exclusive);
        Some(QueryGuard { locks: self.clone(), signature: signature.clone() })
    }

    fn try_shared(&self, signature: &Signature) -> bool {
        match self.lock().entry(signature.clone()).or_insert(Access::Shared(0)) {
            Access::Shared(runs) => {
                *runs += 1;
                true
            }
            Access::Exclusive => false,
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Signature, Access>> {
        self.0.by_query.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for QueryGuard {
    fn drop(&mut self) {
        let mut by_query = self.locks.lock();
        match by_query.get_mut(&self.signature) {
            Some(Access::Shared(runs)) if *runs > 1 => *runs -= 1,
            _ => {
                by_query.remove(&self.signature);
                self.locks.0.released.notify_waiters();
            }
        }
    }
}
