//! The results of a trader's own SQL that are kept: the last few.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::api::export::AnswerFacts;
use crate::cache::CacheFile;
use crate::cache::adhoc::result::SqlRows;
use crate::cache::adhoc::tables::SqlTable;
use crate::day::DayRange;
use crate::query::signature::Signature;

/// How many results are kept.
const RESULTS: usize = 3;

/// A result, and what is known of the answer that it was made of.
#[derive(Debug)]
pub(crate) struct KeptSql {
    pub(crate) rows: SqlRows,
    pub(crate) facts: AnswerFacts,
}

/// The results that are kept, and the tables of the view that was asked last.
#[derive(Debug, Default)]
pub(crate) struct KeptResults {
    results: Mutex<VecDeque<(u32, Arc<KeptSql>)>>,
    tables: Mutex<Option<(ViewId, Arc<Vec<SqlTable>>)>>,
    last: AtomicU32,
}

/// What identifies the rows of a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ViewId {
    pub(crate) signature: Signature,
    pub(crate) range: DayRange,
    pub(crate) generation: u64,
    /// How many rows the view shows, which depends on the clock.
    pub(crate) rows: (u64, u64),
}

impl KeptResults {
    /// Keeps a result under a new number.
    pub(crate) fn add(&self, kept: Arc<KeptSql>) -> u32 {
        let id = self.last.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let mut results = self.lock();
        results.push_front((id, kept));
        results.truncate(RESULTS);
        id
    }

    /// The result of a number on a cached query.
    pub(crate) fn get(&self, signature: &Signature, id: u32) -> Option<Arc<KeptSql>> {
        let results = self.lock();
        let (_, kept) = results.iter().find(|(number, _)| *number == id)?;
        (kept.rows.file().identity().signature == *signature).then(|| Arc::clone(kept))
    }

    /// Drops a result on a cached query.
    pub(crate) fn close(&self, signature: &Signature, id: u32) {
        let is_it = |kept: &KeptSql| kept.rows.file().identity().signature == *signature;
        self.lock().retain(|(number, kept)| *number != id || !is_it(kept));
    }

    /// Drops the results on files that are not wanted any more.
    pub(crate) fn retain(&self, is_wanted: impl Fn(&CacheFile) -> bool) {
        self.lock().retain(|(_, kept)| is_wanted(kept.rows.file()));
    }

    /// The tables of a view, if they are those that were read last.
    pub(crate) fn tables(&self, of: &ViewId) -> Option<Arc<Vec<SqlTable>>> {
        let known = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().filter(|(known, _)| known == of).map(|(_, tables)| Arc::clone(tables))
    }

    /// Notes the tables of a view.
    pub(crate) fn note_tables(&self, of: ViewId, tables: Arc<Vec<SqlTable>>) {
        *self.tables.lock().unwrap_or_else(PoisonError::into_inner) = Some((of, tables));
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(u32, Arc<KeptSql>)>> {
        self.results.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
