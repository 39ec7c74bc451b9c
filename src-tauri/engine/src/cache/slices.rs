//! Reading tables in slices: DuckDB's client holds the whole result of a statement in memory.

use duckdb::{Connection, Row};

use super::schema;
use crate::day::Day;
use crate::desk::Role;
use crate::failure::{Code, Failure, Result};
use bson::RawDocument;

/// Rows of a slice: a few megabytes of documents.
const ROWS: i64 = 2_048;

/// Calls `each` with the rows of a statement, slice by slice. `table` is the table whose rows are sliced,
/// `wanted` a condition that all of them meet, and `select` the statement for a condition on the `rowid`.
///
/// # Errors
/// See [`super::duckdb_failure`], and what `each` returns.
pub(super) fn in_slices(
    connection: &Connection,
    table: &str,
    wanted: &str,
    select: &dyn Fn(&str) -> String,
    each: &mut dyn FnMut(&Row<'_>) -> Result<()>,
) -> Result<()> {
    let (first, last): (Option<i64>, Option<i64>) = connection.query_row(
        &format!("SELECT min(rowid), max(rowid) FROM {table} WHERE {wanted}"),
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let (Some(mut from), Some(last)) = (first, last) else { return Ok(()) };
    while from <= last {
        let to = from + ROWS - 1;
        let mut statement = connection.prepare(&select(&format!("{table}.rowid BETWEEN {from} AND {to}")))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            each(row)?;
        }
        from = to + 1;
    }
    Ok(())
}

/// Calls `each` with every document of a day, and its trade's key for downstream rows. Input that is a
/// message of the day's trades too comes with the downstream rows.
///
/// # Errors
/// See [`super::duckdb_failure`], and what `each` returns.
pub(super) fn each_document(
    connection: &Connection,
    segment: u32,
    role: Role,
    day: Day,
    each: &mut dyn FnMut(&RawDocument, Option<&str>) -> Result<()>,
) -> Result<()> {
    let mut read = |row: &Row<'_>| {
        let bytes: Vec<u8> = row.get(0)?;
        let trade: Option<String> = row.get(1)?;
        let document = RawDocument::from_bytes(&bytes).map_err(|error| {
            Failure::new(Code::CacheDamaged, "A cached document cannot be read.").because(error)
        })?;
        each(document, trade.as_deref())
    };
    let table = schema::table(role, segment);
    let of_day = format!("day = {}", day.number());
    let trade = if role == Role::Input { "NULL::VARCHAR" } else { "trade" };
    let plain = |slice: &str| format!("SELECT doc, {trade} FROM {table} WHERE {of_day} AND {slice}");
    in_slices(connection, &table, &of_day, &plain, &mut read)?;
    if role == Role::Input {
        return Ok(());
    }
    let (shared, input) = (schema::shared_table(segment), schema::table(Role::Input, segment));
    let joined = |slice: &str| {
        format!(
            "SELECT {input}.doc, {shared}.trade FROM {shared}
             JOIN {input} ON {input}.day = {shared}.day AND {input}.id = {shared}.id
             WHERE {shared}.{of_day} AND {slice}"
        )
    };
    in_slices(connection, &shared, &of_day, &joined, &mut read)
}
