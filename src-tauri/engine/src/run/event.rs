//! The events that a run reports.

use std::sync::Arc;

use serde::Serialize;
use ts_rs::TS;

use crate::api::plan::DayView;
use crate::day::Day;

/// An event of a run. Events are sent in order and no faster than a window can draw.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEvent {
    /// The plan is made; nothing has been pulled yet.
    Planned {
        /// The query's signature.
        signature: String,
        /// The filters as a person reads them; "no filter" if there are none.
        filters: String,
        /// Days to pull from MongoDB (fetch and refresh).
        days_to_pull: usize,
        /// Days that are cached, whether they are served as they are or pulled again.
        days_cached: usize,
        /// Days to copy from a broader cached query.
        days_to_adopt: usize,
        /// MongoDB queries (windows) to run.
        windows: usize,
        /// Estimated number of input rows to pull, if known.
        #[ts(type = "number | null")]
        expected_rows: Option<u64>,
    },
    /// A window of days is committed: rows and coverage.
    ChunkStored {
        /// First day of the window.
        from: Day,
        /// Last day of the window.
        to: Day,
        /// Input rows stored with it.
        #[ts(type = "number")]
        input_rows: u64,
        /// Downstream rows stored with it.
        #[ts(type = "number")]
        downstream_rows: u64,
        /// The stored days as a plan would show them now.
        days: Vec<DayView>,
        /// The plan in one sentence, as far as it has been carried out.
        sentence: String,
    },
    /// Progress of the run: input rows.
    Progress {
        /// Input rows received so far.
        #[ts(type = "number")]
        rows: u64,
        /// Estimated total number of input rows, if known.
        #[ts(type = "number | null")]
        expected_rows: Option<u64>,
        /// Days committed so far.
        days_done: usize,
        /// Total number of days to pull.
        days_total: usize,
        /// Input rows per second, over the last few seconds.
        rows_per_second: f64,
        /// Estimated time left in milliseconds, if known.
        #[ts(type = "number | null")]
        remaining_ms: Option<u64>,
    },
    /// Progress of the run: downstream messages.
    DownstreamProgress {
        /// Downstream rows received so far.
        #[ts(type = "number")]
        rows: u64,
        /// Trade ids whose messages have been requested.
        #[ts(type = "number")]
        trades_asked: u64,
        /// Trade ids whose messages have all arrived.
        #[ts(type = "number")]
        trades_done: u64,
    },
    /// The run has ended with an answer (complete or partial), which the call returns.
    Finished,
    /// The run has ended without an answer; the call returns why.
    Failed,
    /// The run was cancelled; committed days are kept, and the call returns the answer from what is cached now.
    Cancelled,
}

/// Receives a run's events, in order.
pub type EventSink = Arc<dyn Fn(RunEvent) + Send + Sync>;
