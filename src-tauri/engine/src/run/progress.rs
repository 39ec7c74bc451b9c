//! The progress of a run: counters that the pulls increase, and the events derived from them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::event::RunEvent;
use crate::bson::number::approximate;
use crate::engine::counters::Counters;

/// The interval between progress events: a window draws no faster.
pub(crate) const TICK: Duration = Duration::from_millis(100);
/// The period over which the speed is averaged.
const SPEED_WINDOW: Duration = Duration::from_secs(3);

/// What had arrived at a given time.
#[derive(Debug, Clone, Copy)]
struct Seen {
    at: Instant,
    rows: u64,
    trades_done: u64,
}

/// Derives progress events from the counters of a run's pulls.
#[derive(Debug)]
pub(crate) struct Meter {
    pulls: Vec<Arc<Counters>>,
    expected_rows: Option<u64>,
    days_total: usize,
    seen: VecDeque<Seen>,
    last: Option<(u64, usize)>,
    last_downstream: Option<(u64, u64, u64)>,
    /// Whether the last progress event reported a speed.
    moving: bool,
}

impl Meter {
    pub(crate) fn new(pulls: Vec<Arc<Counters>>, expected_rows: Option<u64>, days_total: usize) -> Self {
        let seen = VecDeque::from([Seen { at: Instant::now(), rows: 0, trades_done: 0 }]);
        Self { pulls, expected_rows, days_total, seen, last: None, last_downstream: None, moving: false }
    }

    fn sum(&self, counter: impl Fn(&Counters) -> &AtomicU64) -> u64 {
        self.pulls.iter().map(|pull| counter(pull).load(Ordering::Relaxed)).sum()
    }

    /// Returns the events that are due, at most one of each kind; none if nothing changed.
    pub(crate) fn tick(&mut self, days_done: usize) -> Vec<RunEvent> {
        self.tick_at(Instant::now(), days_done)
    }

    fn tick_at(&mut self, now: Instant, days_done: usize) -> Vec<RunEvent> {
        let mut events = Vec::new();
        let rows = self.sum(|pull| &pull.input_rows);
        let trades_asked = self.sum(|pull| &pull.trades_asked);
        let trades_done = self.sum(|pull| &pull.trades_done);
        self.seen.push_back(Seen { at: now, rows, trades_done });
        while self.seen.len() > 2 && now - self.seen[0].at > SPEED_WINDOW {
            self.seen.pop_front();
        }
        let before = self.seen[0];
        let seconds = (now - before.at).as_secs_f64().max(0.001);
        // The counters decrease if a window is pulled again.
        let rows_per_second = approximate(rows.saturating_sub(before.rows)) / seconds;
        let trades_per_second = approximate(trades_done.saturating_sub(before.trades_done)) / seconds;
        // A stall is reported too, once: otherwise the last speed would remain on display.
        let moving = rows_per_second > 0.0 || trades_per_second > 0.0;
        let downstream = (self.sum(|pull| &pull.downstream_rows), trades_asked, trades_done);
        let came = self.last != Some((rows, days_done))
            || self.last_downstream.is_some_and(|last| last != downstream);
        if came || (self.moving && !moving) {
            self.last = Some((rows, days_done));
            self.moving = moving;
            let rows_left = self.expected_rows.map(|expected| expected.saturating_sub(rows));
            events.push(RunEvent::Progress {
                rows,
                expected_rows: self.expected_rows.map(|expected| expected.max(rows)),
                days_done,
                days_total: self.days_total,
                rows_per_second,
                remaining_ms: rows_left.and_then(|left| {
                    let trades_left = trades_left(left, rows, trades_asked, trades_done);
                    remaining(approximate(left), rows_per_second)
                        .zip(remaining(trades_left, trades_per_second))
                        .map(|(input, downstream)| input.max(downstream))
                }),
            });
        }
        if trades_asked > 0 && self.last_downstream != Some(downstream) {
            self.last_downstream = Some(downstream);
            events.push(RunEvent::DownstreamProgress { rows: downstream.0, trades_asked, trades_done });
        }
        events
    }
}

/// Estimates how many trades still lack their messages: those already requested, plus those of the input still to
/// arrive, assuming as many trades per row as in the input so far.
fn trades_left(rows_left: u64, rows: u64, trades_asked: u64, trades_done: u64) -> f64 {
    let to_come = match rows {
        0 => 0.0,
        rows => approximate(rows_left) * approximate(trades_asked) / approximate(rows),
    };
    approximate(trades_asked.saturating_sub(trades_done)) + to_come
}

/// The milliseconds that the rest takes at this speed; `None` if nothing is moving.
fn remaining(left: f64, a_second: f64) -> Option<u64> {
    if left <= 0.0 {
        return Some(0);
    }
    (a_second > 0.0).then(|| {
        // Capped at a century.
        let seconds = (left / a_second).min(3.2e9);
        u64::try_from(Duration::from_secs_f64(seconds).as_millis()).unwrap_or(u64::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Run {
        meter: Meter,
        counters: Arc<Counters>,
        begun: Instant,
    }

    impl Run {
        fn of(expected_rows: u64) -> Self {
            let counters = Arc::<Counters>::default();
            let meter = Meter::new(vec![Arc::clone(&counters)], Some(expected_rows), 10);
            let begun = meter.seen[0].at;
            Self { meter, counters, begun }
        }

        /// The progress reported after `millis`, if any: rows per second and the time left.
        fn at(&mut self, millis: u64) -> Option<(f64, Option<u64>)> {
            let events = self.meter.tick_at(self.begun + Duration::from_millis(millis), 0);
            events.into_iter().find_map(|event| match event {
                RunEvent::Progress { rows_per_second, remaining_ms, .. } => {
                    Some((rows_per_second, remaining_ms))
                }
                _ => None,
            })
        }
    }

    #[test]
    fn a_stall_is_reported_once_without_a_remaining_time() {
        let mut run = Run::of(1_000);
        Counters::add(&run.counters.input_rows, 500);
        assert_eq!(run.at(1_000), Some((500.0, Some(1_000))));
        assert_eq!(run.at(1_500), None);
        // No row arrived within the last three seconds.
        assert_eq!(run.at(4_200), Some((0.0, None)));
        assert_eq!(run.at(4_300), None);
    }

    #[test]
    fn counters_go_back_if_a_window_is_pulled_again() {
        let mut run = Run::of(1_000);
        let before = run.counters.reached();
        Counters::add(&run.counters.input_rows, 500);
        Counters::add(&run.counters.trades_done, 5);
        assert_eq!(run.at(1_000), Some((500.0, Some(1_000))));
        run.counters.go_back_to(before);
        assert_eq!(run.at(2_000), Some((0.0, None)));
        assert_eq!(run.at(3_500), None);
    }

    #[test]
    fn the_time_left_counts_the_downstream_messages_that_are_still_to_come() {
        let mut run = Run::of(1_000);
        Counters::add(&run.counters.input_rows, 1_000);
        Counters::add(&run.counters.trades_asked, 1_000);
        Counters::add(&run.counters.trades_done, 250);
        assert_eq!(run.at(1_000), Some((1_000.0, Some(3_000))));
        Counters::add(&run.counters.trades_done, 250);
        assert_eq!(run.at(2_000), Some((500.0, Some(2_000))));
        // Half of the input has arrived but none of its messages: the time that they take is unknown.
        let mut run = Run::of(1_000);
        Counters::add(&run.counters.input_rows, 500);
        Counters::add(&run.counters.trades_asked, 500);
        assert_eq!(run.at(1_000), Some((500.0, None)));
    }
}
