//! Checks a file before it is trusted.

use std::collections::{BTreeSet, HashMap, HashSet};

use duckdb::params;

use super::error::{CacheError, CacheErrorKind, Result};
use super::ledger::{FileState, drop_segment};
use super::schema::{self, CATALOG, tables};
use super::sql::{Database, Ident, Name, sql};
use crate::decode::FieldRegistry;

/// Whether a file has neither tables nor views.
pub(crate) fn is_blank(connection: &Database) -> Result<bool> {
    let sql = sql!(
        "SELECT NOT EXISTS (FROM duckdb_tables() WHERE database_name = ?)
         AND NOT EXISTS (FROM duckdb_views() WHERE database_name = ? AND NOT internal)"
    );
    Ok(connection.query_row(sql, params![CATALOG, CATALOG], |row| row.get(0))?)
}

/// Rejects a file with views: no Tidemark writes any, and reading the file, which may come from someone else, would
/// run them. Its macros never run, since DuckDB's own functions are found first (`SEARCH_PATH`).
pub(crate) fn refuse_views(connection: &Database) -> Result<()> {
    let found: bool = connection.query_row(
        sql!("SELECT EXISTS (FROM duckdb_views() WHERE database_name = ? AND NOT internal)"),
        params![CATALOG],
        |row| row.get(0),
    )?;
    if found {
        return Err(CacheErrorKind::NotOurs(
            "The cache file contains views, which Tidemark never writes.".into(),
        )
        .into());
    }
    Ok(())
}

/// The names of a file's tables.
pub(crate) fn table_names(connection: &Database) -> Result<HashSet<String>> {
    let mut select =
        connection.prepare(sql!("SELECT table_name FROM duckdb_tables() WHERE database_name = ?"))?;
    Ok(select.query_map(params![CATALOG], |row| row.get(0))?.collect::<Result<_, duckdb::Error>>()?)
}

/// Drops the segments that the ledger does not count: the program ended while they were being read back.
pub(crate) fn drop_uncounted(connection: &Database, state: &FileState, held: &HashSet<String>) -> Result<()> {
    let counted: HashSet<u32> = state.days.values().map(|held| held.segment).collect();
    let segment_of = |table: &String| table.rsplit_once('_')?.1.parse::<u32>().ok();
    let stored: BTreeSet<u32> = held.iter().filter_map(segment_of).collect();
    stored
        .iter()
        .filter(|segment| !counted.contains(segment))
        .try_for_each(|segment| drop_segment(connection, *segment))
}

/// Rejects a file whose ledger names a segment that is not among its tables.
pub(crate) fn check_segments(held: &HashSet<String>, segments: impl Iterator<Item = u32>) -> Result<()> {
    let named: HashSet<u32> = segments.collect();
    match named.into_iter().flat_map(tables).find(|table| !held.contains(table.as_str())) {
        None => Ok(()),
        Some(table) => Err(CacheError::corrupt(format!(
            "The cache file is missing rows that it lists ({}).",
            table.as_str()
        ))),
    }
}

/// Reads everything in a file and compares its tables with its ledger, so that damage anywhere in it is found.
pub(crate) fn read_everything(
    connection: &Database,
    state: &FileState,
    registry: &FieldRegistry,
) -> Result<()> {
    check_columns(connection, state, registry)?;
    let of_file = sql!("database_name = ? AND schema_name = 'main'");
    let mut select =
        connection.prepare(sql!("SELECT table_name FROM duckdb_tables() WHERE {of_file}", of_file))?;
    let tables: Vec<String> =
        select.query_map(params![CATALOG], |row| row.get(0))?.collect::<Result<_, duckdb::Error>>()?;
    for table in tables {
        connection.query_row(
            sql!(
                "SELECT bit_xor(hash(row)) FROM {CATALOG}.{table} AS row",
                CATALOG = Name(CATALOG),
                table = Ident(&table)
            ),
            [],
            |_| Ok(()),
        )?;
    }
    Ok(())
}

/// Rejects a file whose tables lack a column that its ledger names, or have it with a different type.
fn check_columns(connection: &Database, state: &FileState, registry: &FieldRegistry) -> Result<()> {
    let of_file = sql!("database_name = ? AND schema_name = 'main'");
    let mut select = connection.prepare(sql!(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE {of_file}",
        of_file
    ))?;
    let rows = select.query_map(params![CATALOG], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?;
    let held: HashMap<(String, String), String> = rows.collect::<Result<_, duckdb::Error>>()?;
    for ((segment, role), fields) in &state.columns {
        for number in fields {
            let expected = registry.field(*number).map(|field| field.kind.sql_type());
            let (table, column) = (schema::table(*role, *segment), schema::column(*number));
            let is_so = match expected {
                // Nulls have no column.
                Some(None) => true,
                Some(Some(sql_type)) => held
                    .get(&(table.as_str().to_owned(), column.as_str().to_owned()))
                    .is_some_and(|found| found.as_str() == sql_type),
                None => false,
            };
            if !is_so {
                let evidence = format!(
                    "The cache file is missing a column that it lists ({}.{}).",
                    table.as_str(),
                    column.as_str()
                );
                return Err(CacheError::corrupt(evidence));
            }
        }
    }
    Ok(())
}
