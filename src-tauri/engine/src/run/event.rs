//! What a run reports while it goes on.

use std::sync::Arc;

use serde::Serialize;
use ts_rs::TS;

use crate::answer::Answer;
use crate::day::Day;
use crate::failure::Failure;

/// What a run tells while it goes on. Sent in order, and no faster than a window can draw.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEvent {
    /// The plan is made; nothing has been pulled yet.
    Planned {
        /// The query's signature.
        signature: String,
        /// Days to pull from MongoDB (fetch and refresh).
        days_to_pull: usize,
        /// Days that are held: served as they are, or until they are pulled again.
        days_cached: usize,
        /// Days to copy from a broader cached query.
        days_to_adopt: usize,
        /// MongoDB queries (windows) this takes.
        windows: usize,
        /// About how many input rows the pull brings, where that is known.
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
    },
    /// How far the run has come, input rows.
    Progress {
        /// Input rows received so far.
        #[ts(type = "number")]
        rows: u64,
        /// About how many input rows there will be, where that is known.
        #[ts(type = "number | null")]
        expected_rows: Option<u64>,
        /// Days committed so far.
        days_done: usize,
        /// Days to pull in all.
        days_total: usize,
        /// Input rows a second, over the last seconds.
        rows_per_second: f64,
        /// Estimated time left, in milliseconds, where that is known.
        #[ts(type = "number | null")]
        remaining_ms: Option<u64>,
    },
    /// How far the run has come, downstream messages.
    DownstreamProgress {
        /// Downstream rows received so far.
        #[ts(type = "number")]
        rows: u64,
        /// Trade ids whose messages have been asked for.
        #[ts(type = "number")]
        trades_asked: u64,
        /// Trade ids whose messages are in.
        #[ts(type = "number")]
        trades_done: u64,
    },
    /// The run is over and has an answer (complete or partial).
    Finished {
        /// The answer.
        answer: Box<Answer>,
    },
    /// The run is over and has no answer.
    Failed {
        /// Why.
        failure: Failure,
    },
    /// The run was cancelled; what was committed is kept.
    Cancelled {
        /// What is held now.
        answer: Box<Answer>,
    },
}

/// Where a run's events go, in order.
pub type EventSink = Arc<dyn Fn(RunEvent) + Send + Sync>;
