//! What is looked at before a file is trusted.

use std::collections::{HashMap, HashSet};

use duckdb::{Connection, params};

use super::file::{CATALOG, CacheFile};
use super::schema;
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
        return Err(Failure::new(
            Code::CacheDamaged,
            "The cache file contains views, which Tidemark never writes.",
        ));
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
            format!("The cache file is missing rows that it lists ({table})."),
        )),
    }
}

/// Reads all that a file holds, and compares its tables with its ledger: what is damaged anywhere in it shows.
pub(super) fn read_everything(file: &CacheFile) -> Result<()> {
    let connection = file.connect()?;
    check_columns(&connection, file)?;
    let of_file = "database_name = ? AND schema_name = 'main'";
    let mut select =
        connection.prepare(&format!("SELECT table_name FROM duckdb_tables() WHERE {of_file}"))?;
    let tables: Vec<String> =
        select.query_map(params![CATALOG], |row| row.get(0))?.collect::<Result<_, duckdb::Error>>()?;
    for table in tables {
        let table = quoted(&table);
        connection.query_row(
            &format!("SELECT bit_xor(hash(row)) FROM {CATALOG}.{table} AS row"),
            [],
            |_| Ok(()),
        )?;
    }
    Ok(())
}

/// Refuses a file whose tables lack a column that its ledger names, or have it with another type.
fn check_columns(connection: &Connection, file: &CacheFile) -> Result<()> {
    let of_file = "database_name = ? AND schema_name = 'main'";
    let mut select = connection.prepare(&format!(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE {of_file}"
    ))?;
    let rows = select.query_map(params![CATALOG], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?;
    let held: HashMap<(String, String), String> = rows.collect::<Result<_, duckdb::Error>>()?;
    for ((segment, role), fields) in &file.state().columns {
        for number in fields {
            let expected = file.registry().field(*number).map(|field| field.kind.sql_type());
            let (table, column) = (schema::table(*role, *segment), schema::column(*number));
            let is_so = match expected {
                // Nulls have no column.
                Some(None) => true,
                Some(Some(sql_type)) => {
                    held.get(&(table.clone(), column.clone())).is_some_and(|found| found.as_str() == sql_type)
                }
                None => false,
            };
            if !is_so {
                return Err(Failure::new(
                    Code::CacheDamaged,
                    format!("The cache file is missing a column that it lists ({table}.{column})."),
                ));
            }
        }
    }
    Ok(())
}

/// A name that a file gives, as an identifier.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
