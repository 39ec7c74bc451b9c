//! How large the pieces are in which an answer is pulled.

use std::num::NonZeroU32;

/// How large the pieces are in which an answer is pulled. They change how fast it comes, what a failure
/// loses and what memory it takes, never what it is: tests draw small ones, so that a few documents take
/// many pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Days of a window at most, so that what a failure loses is small.
    pub window_days: NonZeroU32,
    /// Input rows that a window brings at most, about, where that is known beforehand.
    pub window_rows: NonZeroU32,
    /// Rows, messages included, after which a window of several days reads no more input, whatever was expected of
    /// it: its complete days are stored and the others pulled in pieces. A single day may have any number.
    pub most_window_rows: NonZeroU32,
    /// A run of days with more input rows than this is pulled with several windows, however few its days
    /// are.
    pub worth_splitting: u32,
    /// Into how many windows such a run is split, at least.
    pub side_by_side: NonZeroU32,
    /// Documents a batch of a cursor. Large enough that the round trip does not count, small enough to show
    /// progress.
    pub batch_documents: NonZeroU32,
    /// Trade ids in one question for downstream messages.
    pub ids_a_question: NonZeroU32,
    /// Bytes of the trade ids in one such question: one that is larger has a question of its own.
    pub bytes_a_question: NonZeroU32,
    /// Windows that stream at once, over all runs of an engine.
    pub windows_at_once: NonZeroU32,
    /// Questions for downstream messages of one window under way at once.
    pub questions_at_once: NonZeroU32,
    /// Rows that are worth storing in one go: about what a cursor brings at once. More are no faster, and
    /// several such batches wait at a time.
    pub rows_a_batch: NonZeroU32,
    /// Rows of a window's table after which a field that was not seen before begins another part of it. More
    /// than a row group of the file counts as one.
    pub rows_a_part: NonZeroU32,
    /// Rows per row group of a cache file, a multiple of 2,048. A full row group goes to disk while its window
    /// still streams.
    pub row_group_rows: NonZeroU32,
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
            ids_a_question: number(1_000),
            bytes_a_question: number(1 << 20),
            windows_at_once: number(3),
            questions_at_once: number(2),
            rows_a_batch: number(4_000),
            rows_a_part: NonZeroU32::MAX,
            // DuckDB's own 122,880 would keep too much of a fetch in memory.
            row_group_rows: number(24_576),
        }
    }
}
