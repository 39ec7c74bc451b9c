//! What the pulls of a run have received so far.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of one pull, shared by the runs that wait for it.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) input_rows: AtomicU64,
    pub(crate) downstream_rows: AtomicU64,
    pub(crate) trades_asked: AtomicU64,
    pub(crate) trades_done: AtomicU64,
}

impl Counters {
    /// The current counts, to [go back](Self::go_back_to) to if what follows is pulled again.
    pub(crate) fn reached(&self) -> [u64; 4] {
        self.all().map(|counter| counter.load(Ordering::Relaxed))
    }

    /// Resets the counts, because what has arrived since is pulled again.
    pub(crate) fn go_back_to(&self, reached: [u64; 4]) {
        for (counter, count) in self.all().into_iter().zip(reached) {
            counter.store(count, Ordering::Relaxed);
        }
    }

    /// Subtracts input rows of days that are pulled again.
    pub(crate) fn take_back_input(&self, rows: u64) {
        self.input_rows.fetch_sub(rows, Ordering::Relaxed);
    }

    const fn all(&self) -> [&AtomicU64; 4] {
        [&self.input_rows, &self.downstream_rows, &self.trades_asked, &self.trades_done]
    }

    pub(crate) fn add(counter: &AtomicU64, count: usize) {
        counter.fetch_add(count as u64, Ordering::Relaxed);
    }
}
