//! How much memory and how many threads a file may use.

use super::error::Result;
use super::sql::{Database, sql};

/// Memory that DuckDB may use for one file, besides what [`memory_for`] returns. DuckDB holds blocks for
/// every column of every table being written, and the row groups being filled: what a fetch needs depends on the
/// number of columns, the size of the documents and the number of concurrent windows, not on the size of the result.
/// Too little makes a fetch fail, so this is generous.
pub(crate) const MEMORY_BASE: usize = 768 << 20;

/// The least that may be set in place of [`MEMORY_BASE`].
pub(crate) const LEAST_MEMORY_BASE: usize = 256 << 20;

/// What DuckDB may use besides what it has to hold, in the moment in which it is to free the rest.
pub(crate) const MEMORY_MARGIN: usize = 32 << 20;

const MEMORY_PER_FIELD: usize = 3 << 20;

/// DuckDB's threads while windows are being stored. Each window already has a thread of its own; a second one of
/// DuckDB would do part of its work while the first one spins.
pub(crate) const THREADS_TO_WRITE: i64 = 1;

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileOptions {
    /// Rows per row group of what is written, a multiple of 2,048.
    pub(crate) row_group_rows: usize,
    /// Bytes that DuckDB may use besides what [`memory_for`] returns; see [`MEMORY_BASE`].
    pub(crate) memory_base: usize,
}

pub(crate) const fn memory_for(fields: usize, document_bytes: usize, row_group_rows: usize) -> usize {
    MEMORY_PER_FIELD * fields + document_bytes * row_group_rows * ROW_GROUPS_HELD
}

/// The bytes of memory that DuckDB holds for anything but blocks of the file, which it can read again.
pub(crate) fn memory_besides_file(connection: &Database) -> Result<usize> {
    let sql = sql!(
        "SELECT coalesce(sum(memory_usage_bytes), 0)::UBIGINT FROM duckdb_memory() WHERE tag <> 'BASE_TABLE'"
    );
    let bytes: u64 = connection.query_row(sql, [], |row| row.get(0))?;
    Ok(usize::try_from(bytes).unwrap_or(usize::MAX))
}

pub(crate) fn set_memory(connection: &Database, bytes: usize) -> Result<()> {
    Ok(connection.execute_batch(sql!("SET memory_limit = '{}MiB'", bytes >> 20))?)
}

pub(crate) fn set_threads(connection: &Database, threads: i64) -> Result<()> {
    Ok(connection.execute_batch(sql!("SET threads = {threads}", threads))?)
}

/// Row groups in memory: one for each of two tables in three windows, and half as many that are being compressed.
pub(crate) const ROW_GROUPS_HELD: usize = 9;
