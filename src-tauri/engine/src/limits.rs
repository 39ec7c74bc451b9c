//! The sizes of the pieces in which an answer is pulled.

use std::num::NonZeroU32;
use std::time::Duration;

/// The sizes of the pieces in which an answer is pulled. They affect its speed, its memory and what a failure loses,
/// but never the answer. Tests use small sizes, so that a few documents take many pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most days of a window, so that a failure loses little.
    pub window_days: NonZeroU32,
    /// About the most input rows of a window, if their number is known beforehand.
    pub window_rows: NonZeroU32,
    /// Rows, including messages, after which a window of several days reads no more input, whatever was expected of
    /// it. Its complete days are stored and the others pulled in pieces. A single day may have any number of rows.
    pub most_window_rows: NonZeroU32,
    /// A run of days with more input rows than this is pulled with several windows, however few its days
    /// are.
    pub worth_splitting: u32,
    /// The least number of windows into which such a run is split.
    pub side_by_side: NonZeroU32,
    /// Documents per batch of a cursor: large enough that the round trip does not matter, small enough to show
    /// progress.
    pub batch_documents: NonZeroU32,
    /// Trade ids per query for downstream messages.
    pub ids_per_query: NonZeroU32,
    /// Bytes of the trade ids per such query. A larger id gets a query of its own.
    pub bytes_per_query: NonZeroU32,
    /// Windows that stream at the same time, over all runs of an engine.
    pub windows_at_once: NonZeroU32,
    /// Queries for downstream messages of one window that run at the same time.
    pub queries_at_once: NonZeroU32,
    /// Rows that are stored at once: about one batch of a cursor. More are no faster, and several such batches wait
    /// in memory at a time.
    pub rows_per_batch: NonZeroU32,
    /// Rows of a window's table after which a new field begins a new part of the table; at most the file's rows per
    /// row group.
    pub rows_per_part: NonZeroU32,
    /// Rows per row group of a cache file, a multiple of 2,048. A full row group is written to disk while its window
    /// still streams.
    pub row_group_rows: NonZeroU32,
    /// What a trader's own SQL may take.
    pub sql: SqlLimits,
}

/// What a trader's own SQL may take. Its memory is that of the file that it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SqlLimits {
    /// How long a statement may run.
    pub time: Duration,
    /// The most rows of a result. It is kept on the disk of the cache as far as it does not fit into memory.
    pub rows: u64,
}

impl Default for SqlLimits {
    fn default() -> Self {
        Self { time: Duration::from_secs(60), rows: 10_000_000 }
    }
}

impl Default for Limits {
    fn default() -> Self {
        let number = |number| NonZeroU32::new(number).expect("not zero");
        Self {
            window_days: number(31),
            window_rows: number(100_000),
            most_window_rows: number(1_000_000),
            worth_splitting: 30_000,
            side_by_side: number(3),
            batch_documents: number(4_000),
            ids_per_query: number(1_000),
            bytes_per_query: number(1 << 20),
            windows_at_once: number(3),
            queries_at_once: number(2),
            rows_per_batch: number(4_000),
            rows_per_part: NonZeroU32::MAX,
            // DuckDB's default of 122,880 would keep too much of a fetch in memory.
            row_group_rows: number(24_576),
            sql: SqlLimits::default(),
        }
    }
}
