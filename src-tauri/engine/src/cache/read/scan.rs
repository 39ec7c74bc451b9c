//! Reads tables in slices, since DuckDB's client holds the whole result of a statement in memory.

use bson::RawDocument;
use duckdb::Row;

use crate::cache::file::error::{CacheError, Result};
use crate::cache::file::schema;
use crate::cache::file::sql::{Database, Sql, sql};
use crate::day::{Day, DaySet};
use crate::rows::Role;

/// Rows per slice: a few megabytes of documents.
const ROWS: i64 = 2_048;

/// Calls `each` with the rows of a statement, slice by slice. `table` is the table whose rows are sliced, `wanted` a
/// condition that all of them meet, and `select` returns the statement for a condition on the `rowid`.
///
/// # Errors
/// See [`crate::cache::CacheError`], and what `each` returns.
pub(crate) fn in_slices(
    connection: &Database,
    table: &Sql,
    wanted: &Sql,
    select: &dyn Fn(&Sql) -> Sql,
    each: &mut dyn FnMut(&Row<'_>) -> Result<()>,
) -> Result<()> {
    let (first, last): (Option<i64>, Option<i64>) = connection.query_row(
        sql!("SELECT min(rowid), max(rowid) FROM {table} WHERE {wanted}", table, wanted),
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let (Some(mut from), Some(last)) = (first, last) else { return Ok(()) };
    while from <= last {
        let to = from + ROWS - 1;
        let mut statement =
            connection.prepare(select(&sql!("{table}.rowid BETWEEN {from} AND {to}", table, from, to)))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            each(row)?;
        }
        from = to + 1;
    }
    Ok(())
}

/// The condition for the rows of some days of a segment. The links are left out if they add nothing, since rows are
/// found faster without them.
///
/// # Errors
/// See [`crate::cache::CacheError`].
pub(crate) fn wanted_rows(connection: &Database, role: Role, segment: u32, days: &Sql) -> Result<Sql> {
    if role == Role::Input {
        return Ok(days.clone());
    }
    let (table, links) = (schema::table(role, segment), schema::link_table(segment));
    // A message is stored under one day only.
    let any_linked: bool = connection.query_row(
        sql!(
            "SELECT EXISTS (
                 SELECT 1 FROM {table} WHERE NOT {days} AND number IN (SELECT number FROM {links} WHERE {days})
             )",
            table,
            days,
            links
        ),
        [],
        |row| row.get(0),
    )?;
    Ok(if any_linked { schema::of_days(role, segment, days) } else { days.to_owned() })
}

/// The condition for the rows that are stored under some days, in parentheses.
pub(crate) fn stored_under(days: &DaySet) -> Sql {
    let parts: Vec<Sql> = days
        .ranges()
        .iter()
        .map(|part| sql!("day BETWEEN {} AND {}", part.from().number(), part.to().number()))
        .collect();
    sql!("({})", if parts.is_empty() { sql!("false") } else { Sql::join(parts, " OR ") })
}

/// Calls `each` with every document of some days of a segment: its day, the document, and when it was read. Each
/// message comes once. With the messages comes the input that is also a message of one of these days' trades.
///
/// # Errors
/// See [`crate::cache::CacheError`], and what `each` returns.
pub(crate) fn each_document(
    connection: &Database,
    segment: u32,
    role: Role,
    days: &DaySet,
    each: &mut dyn FnMut(Day, &RawDocument, u64) -> Result<()>,
) -> Result<()> {
    let mut read = |row: &Row<'_>| {
        let bytes: Vec<u8> = row.get(1)?;
        let document = RawDocument::from_bytes(&bytes)
            .map_err(|error| CacheError::corrupt("A cached document cannot be read.").because(error))?;
        each(Day::from_number(row.get(0)?), document, row.get(2)?)
    };
    let days = stored_under(days);
    let table = schema::table(role, segment);
    let wanted = wanted_rows(connection, role, segment, &days)?;
    let plain = |slice: &Sql| {
        sql!("SELECT day, doc, read FROM {table} WHERE {wanted} AND {slice}", table, wanted, slice)
    };
    in_slices(connection, &table, &wanted, &plain, &mut read)?;
    if role == Role::Input {
        return Ok(());
    }
    let (shared, input) = (schema::shared_table(segment), schema::table(Role::Input, segment));
    let noted = sql!("{days} AND number IN (SELECT number FROM {shared} WHERE {days})", days, shared);
    let noted_input = |slice: &Sql| {
        sql!("SELECT day, doc, read FROM {input} WHERE {noted} AND {slice}", input, noted, slice)
    };
    in_slices(connection, &input, &noted, &noted_input, &mut read)
}
