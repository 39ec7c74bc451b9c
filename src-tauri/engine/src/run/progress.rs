//! How far a run has come: counters that the pulls raise, and the events made of them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::answer::RunEvent;
use crate::source::approximate;

/// Events a second at most: a window draws no faster.
pub(super) const TICK: Duration = Duration::from_millis(100);
/// Stretch over which the speed is averaged.
const SPEED_WINDOW: Duration = Duration::from_secs(3);

/// Counters of one pull, shared by the runs that wait for it.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) input_rows: AtomicU64,
    pub(super) downstream_rows: AtomicU64,
    pub(super) trades_asked: AtomicU64,
    pub(super) trades_done: AtomicU64,
}

impl Counters {
    pub(super) fn add(counter: &AtomicU64, count: usize) {
        counter.fetch_add(count as u64, Ordering::Relaxed);
    }
}

/// Makes progress events of the counters of a run's pulls.
#[derive(Debug)]
pub(super) struct Meter {
    pulls: Vec<Arc<Counters>>,
    expected_rows: Option<u64>,
    days_total: usize,
    seen: VecDeque<(Instant, u64)>,
    last: Option<(u64, usize)>,
    last_downstream: Option<(u64, u64, u64)>,
}

impl Meter {
    pub(super) fn new(pulls: Vec<Arc<Counters>>, expected_rows: Option<u64>, days_total: usize) -> Self {
        let seen = VecDeque::from([(Instant::now(), 0)]);
        Self { pulls, expected_rows, days_total, seen, last: None, last_downstream: None }
    }

    fn sum(&self, counter: impl Fn(&Counters) -> &AtomicU64) -> u64 {
        self.pulls.iter().map(|pull| counter(pull).load(Ordering::Relaxed)).sum()
    }

    /// The events that are due, at most one of a kind; none where nothing moved.
    pub(super) fn tick(&mut self, days_done: usize) -> Vec<RunEvent> {
        let mut events = Vec::new();
        let now = Instant::now();
        let rows = self.sum(|pull| &pull.input_rows);
        self.seen.push_back((now, rows));
        while self.seen.len() > 2 && now - self.seen[0].0 > SPEED_WINDOW {
            self.seen.pop_front();
        }
        if self.last != Some((rows, days_done)) {
            self.last = Some((rows, days_done));
            let (since, before) = self.seen[0];
            let seconds = (now - since).as_secs_f64().max(0.001);
            let speed = approximate(rows - before) / seconds;
            let left = self.expected_rows.map(|expected| expected.saturating_sub(rows));
            let remaining_ms = left.filter(|_| speed > 0.0).map(|left| {
                let millis = approximate(left) / speed * 1_000.0;
                u64::try_from(Duration::from_secs_f64(millis.min(1e12) / 1_000.0).as_millis())
                    .unwrap_or(u64::MAX)
            });
            events.push(RunEvent::Progress {
                rows,
                expected_rows: self.expected_rows.map(|expected| expected.max(rows)),
                days_done,
                days_total: self.days_total,
                rows_per_second: speed,
                remaining_ms,
            });
        }
        let downstream = (
            self.sum(|pull| &pull.downstream_rows),
            self.sum(|pull| &pull.trades_asked),
            self.sum(|pull| &pull.trades_done),
        );
        if downstream.1 > 0 && self.last_downstream != Some(downstream) {
            self.last_downstream = Some(downstream);
            let (rows, trades_asked, trades_done) = downstream;
            events.push(RunEvent::DownstreamProgress { rows, trades_asked, trades_done });
        }
        events
    }
}
