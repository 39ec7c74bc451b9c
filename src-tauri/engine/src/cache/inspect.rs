//! What is looked at before a file is trusted.

use std::collections::HashSet;

use duckdb::{Connection, params};

use super::file::CATALOG;
use super::state::tables;
use crate::failure::{Code, Failure, Result};

/// Whether a file has no table at all.
pub(super) fn is_blank(connection: &Connection) -> Result<bool> {
    let sql = "SELECT NOT EXISTS (FROM duckdb_tables() WHERE database_name = ?)
         AND NOT EXISTS (FROM duckdb_views() WHERE database_name = ? AND NOT internal)";
    Ok(connection.query_row(sql, params![CATALOG, CATALOG], |row| row.get(0))?)
}

/// Refuses a file with views: no Tidemark writes any, and reading it would run them. A file may come from
/// somebody else. Its macros run nowhere: DuckDB's own functions are found first (`SEARCH_PATH`).
pub(super) fn refuse_views(connection: &Connection) -> Result<()> {
    let found: bool = connection.query_row(
        "SELECT EXISTS (FROM duckdb_views() WHERE database_name = ? AND NOT internal)",
        params![CATALOG],
        |row| row.get(0),
    )?;
    if found {
        return Err(Failure::new(Code::CacheDamaged, "The cache file holds code, which no Tidemark writes."));
    }
    Ok(())
}

/// Refuses a file whose ledger names a segment that it does not hold.
pub(super) fn check_segments(connection: &Connection, segments: impl Iterator<Item = u32>) -> Result<()> {
    let mut select = connection.prepare("SELECT table_name FROM duckdb_tables() WHERE database_name = ?")?;
    let held: HashSet<String> =
        select.query_map(params![CATALOG], |row| row.get(0))?.collect::<Result<_, duckdb::Error>>()?;
    let named: HashSet<u32> = segments.collect();
    match named.into_iter().flat_map(tables).find(|table| !held.contains(table)) {
        None => Ok(()),
        Some(table) => Err(Failure::new(
            Code::CacheDamaged,
            format!("The cache file lacks rows that it says it holds ({table})."),
        )),
    }
}
