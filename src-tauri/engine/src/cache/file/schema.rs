//! Tables of a cache file.
//!
//! | table | one row |
//! |---|---|
//! | `meta` | a fact: format, signature, canonical text, mapping, filters, how the source compares text, pin, etc. |
//! | `coverage` | a cached day: its segment, fetch time, row counts, bounds and source, and the fields of its rows |
//! | `field` | a path and a type found there; its number names the physical column `c<number>` |
//! | `segment_column` | a physical column of a segment's table |
//! | `overlap` | an `_id` of a segment that occurs in the file more than once |
//! | `differing` | a day that a verification found different at the source, and the segment that held it then |
//! | `origin` | a source that days came from: collections, replica set, and whether an `_id` identifies a document |
//! | `left_out` | how many documents a day of a segment leaves out, for one reason |
//! | `plain_segment` | a segment's table whose columns say all about its documents that their paths can |
//! | `overlap_checked` | a segment for which `overlap` has been computed |
//! | `input_<n>`, `downstream_<n>` | a document of segment n, once per window, with a number unique in the table |
//! | `link_<n>` | another day of a message of segment n: one of its trades has input there |
//! | `shared_<n>` | an input document of segment n that is also a message of its day's trades |

use super::sql::{Name, Sql, sql};
use crate::decode::{Field, FieldId, Kind};
use crate::rows::Role;

/// Version of the file format. Raise it with a step in [`super::migrate`].
pub(crate) const FORMAT: u32 = 5;

/// Creates the tables of an empty file. No keys: two windows that commit concurrently would clash on an index; the
/// commit lock keeps the ledger unique, and the days of windows never overlap.
pub(crate) const CREATE: Sql = sql!(
    "
    CREATE TABLE cache.meta (key VARCHAR NOT NULL, value VARCHAR NOT NULL);
    CREATE TABLE cache.coverage (
        day INTEGER NOT NULL, segment INTEGER NOT NULL, fetched_ms BIGINT NOT NULL,
        input_rows BIGINT NOT NULL, downstream_rows BIGINT NOT NULL,
        input_fields VARCHAR NOT NULL, downstream_fields VARCHAR NOT NULL, change_mark VARCHAR,
        begins_ms BIGINT, ends_ms BIGINT, origin INTEGER);
    CREATE TABLE cache.field (number INTEGER NOT NULL, path VARCHAR NOT NULL, kind VARCHAR NOT NULL);
    CREATE TABLE cache.segment_column (segment INTEGER NOT NULL, role VARCHAR NOT NULL, field INTEGER NOT NULL);
    CREATE TABLE cache.overlap (segment INTEGER NOT NULL, id BLOB NOT NULL);
    CREATE TABLE cache.overlap_checked (segment INTEGER NOT NULL);
    CREATE TABLE cache.differing (day INTEGER NOT NULL, segment INTEGER NOT NULL);
"
);

/// Creates the tables that came with format 4.
pub(crate) const CREATE_ORIGIN: Sql = sql!(
    "
    CREATE TABLE IF NOT EXISTS cache.origin (
        number INTEGER NOT NULL, collections VARCHAR NOT NULL, replica_set VARCHAR,
        unique_input BOOLEAN NOT NULL, unique_downstream BOOLEAN NOT NULL);
    CREATE TABLE IF NOT EXISTS cache.left_out (
        segment INTEGER NOT NULL, day INTEGER NOT NULL, reason VARCHAR NOT NULL, documents BIGINT NOT NULL);
"
);

/// Creates the table that came with format 5.
pub(crate) const CREATE_PLAIN: Sql =
    sql!("CREATE TABLE IF NOT EXISTS cache.plain_segment (segment INTEGER NOT NULL, role VARCHAR NOT NULL)");

/// Name of a role in table names and in the ledger.
pub(crate) const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Input => "input",
        Role::Downstream => "downstream",
    }
}

/// Name of a segment's table.
pub(crate) fn table(role: Role, segment: u32) -> Sql {
    sql!("{}_{segment}", Name(role_name(role)), segment)
}

/// Name of the table that links a segment's messages with the days of their trades beyond the first. A message
/// is stored once per window, under the first day of its first trade.
pub(crate) fn link_table(segment: u32) -> Sql {
    sql!("link_{segment}", segment)
}

/// Name of the table of a segment's input that is also downstream. Such a document is input in every answer that has
/// its day, so it is not stored twice; but a narrower query that adopts the day may not match it, and then it is
/// downstream there.
pub(crate) fn shared_table(segment: u32) -> Sql {
    sql!("shared_{segment}", segment)
}

/// Statement that creates a table of days and row numbers: [`link_table`] refers to messages, [`shared_table`] to
/// input.
pub(crate) fn create_numbers(table: &Sql) -> Sql {
    sql!(
        "CREATE TABLE {CATALOG}.{table} (day INTEGER NOT NULL, number BIGINT NOT NULL)",
        CATALOG = Name(CATALOG),
        table
    )
}

/// The condition for the rows of some days. A message belongs to a day if it is stored under it or linked with it.
pub(crate) fn of_days(role: Role, segment: u32, days: &Sql) -> Sql {
    match role {
        Role::Input => sql!("({days})", days),
        Role::Downstream => {
            let links = link_table(segment);
            sql!("({days} OR number IN (SELECT number FROM {links} WHERE {days}))", days, links)
        }
    }
}

/// SQL for the day under which a message of some days is shown: its own, or, if that is none of them, the first one
/// that it is linked with. Its own may no longer be cached.
pub(crate) fn day_among(segment: u32, days: &Sql) -> Sql {
    let (table, links) = (table(Role::Downstream, segment), link_table(segment));
    sql!(
        "CASE WHEN {days} THEN day
              ELSE (SELECT min(day) FROM {links} WHERE {links}.number = {table}.number AND {days}) END",
        days,
        links,
        table
    )
}

/// Name of a field's physical column.
pub(crate) fn column(field: FieldId) -> Sql {
    sql!("c{field}", field)
}

/// The field of a physical column; `None` if the column belongs to no field.
pub(crate) fn field_of_column(name: &str) -> Option<FieldId> {
    name.strip_prefix('c')?.parse().ok()
}

/// Name of a part of a segment's table while its window is being stored. The first is the table itself.
pub(crate) fn part(role: Role, segment: u32, number: u32) -> Sql {
    match number {
        0 => table(role, segment),
        _ => sql!("{}_part_{number}", table(role, segment), number),
    }
}

/// Statement that creates a segment's table, still without fields.
pub(crate) fn create_segment(role: Role, segment: u32) -> Sql {
    create_part(role, segment, 0, &[])
}

/// Statement that creates a part of a segment's table with these fields, in place of an earlier one of this number.
/// Documents are most of a file, and zstd halves them at no measurable cost in time.
pub(crate) fn create_part(role: Role, segment: u32, number: u32, fields: &[(FieldId, Field)]) -> Sql {
    let trade = match role {
        Role::Input => sql!(""),
        Role::Downstream => sql!("trade VARCHAR, "),
    };
    let definition = |(of, field): &(FieldId, Field)| {
        field.kind.sql_type().map(|sql_type| sql!(", {} {}", column(*of), Name(sql_type)))
    };
    let columns = Sql::join(fields.iter().filter_map(definition), "");
    sql!(
        "CREATE OR REPLACE TABLE {CATALOG}.{} (
             number BIGINT NOT NULL, day INTEGER NOT NULL, id BLOB NOT NULL, {trade}read UBIGINT NOT NULL,
             doc BLOB NOT NULL USING COMPRESSION zstd{columns}
         )",
        part(role, segment, number),
        CATALOG = Name(CATALOG),
        trade,
        columns
    )
}

/// Statement that adds a field to a part; `None` for fields that are all nulls.
pub(crate) fn add_column(role: Role, segment: u32, number: u32, of: FieldId, field: &Field) -> Option<Sql> {
    let sql_type = field.kind.sql_type()?;
    Some(sql!("ALTER TABLE {} ADD COLUMN {} {}", part(role, segment, number), column(of), Name(sql_type)))
}

/// A stored field; `None` if the file names a kind that this version does not know.
pub(crate) fn read_field(path: &str, kind: &str) -> Option<Field> {
    Some(Field { path: path.into(), kind: Kind::named(kind)? })
}

/// Name under which the file is attached. The database that DuckDB opens first is in memory and empty:
/// only attaching sets the size of row groups.
pub(crate) const CATALOG: &str = "cache";

pub(crate) fn tables(segment: u32) -> [Sql; 4] {
    [
        table(Role::Input, segment),
        table(Role::Downstream, segment),
        link_table(segment),
        shared_table(segment),
    ]
}
