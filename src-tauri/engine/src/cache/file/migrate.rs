//! Converts files of older formats to the current one when they are opened.

use duckdb::params;
use tracing::info;

use super::error::{CacheError, CacheErrorKind, Result};
use super::ledger::read_fields;
use super::schema::{self, CATALOG, FORMAT};
use super::sql::{Database, Sql, sql};
use crate::query::collation::UNKNOWN;
use crate::rows::Role;

/// The steps, oldest first: the one from format `n` to `n + 1` is at index `n - 1`.
const STEPS: [fn(&Database) -> Result<()>; (FORMAT - 1) as usize] = [to_2, to_3, to_4, to_5];

/// Converts a file to [`FORMAT`] in one transaction: a failure leaves it as it was.
///
/// # Errors
/// `cache_damaged` if the file does not state its format, `cache_unusable` if a newer program wrote it; see
/// [`crate::cache::CacheError`].
pub(crate) fn migrate(connection: &Database) -> Result<()> {
    let format = format_of(connection)?;
    if format == FORMAT {
        return Ok(());
    }
    connection.execute_batch(sql!("BEGIN TRANSACTION"))?;
    info!(from = format, to = FORMAT, "the file is migrated");
    let migrated =
        STEPS[(format - 1) as usize..].iter().try_for_each(|step| step(connection)).and_then(|()| {
            connection.execute(
                sql!("UPDATE meta SET value = ? WHERE key = 'format'"),
                params![FORMAT.to_string()],
            )?;
            Ok(connection.execute_batch(sql!("COMMIT"))?)
        });
    if migrated.is_err() {
        // A failed COMMIT has already rolled back; either way the file is as it was.
        let _ = connection.execute_batch(sql!("ROLLBACK"));
    }
    migrated
}

/// Checks that a read-only file has the current format.
///
/// # Errors
/// `cache_unusable` if it would have to be converted, and those of [`migrate`].
pub(crate) fn expect_current(connection: &Database) -> Result<()> {
    if format_of(connection)? == FORMAT {
        return Ok(());
    }
    Err(CacheErrorKind::OlderReadOnly.into())
}

fn format_of(connection: &Database) -> Result<u32> {
    let mut select = connection.prepare(sql!("SELECT value FROM meta WHERE key = 'format'"))?;
    let mut rows = select.query([])?;
    let format: String = match rows.next()? {
        Some(row) => row.get(0)?,
        None => {
            return Err(CacheError::corrupt("The cache file does not say which format it has."));
        }
    };
    match format.parse() {
        Ok(known @ 1..=FORMAT) => Ok(known),
        Ok(found) if found > FORMAT => {
            Err(CacheError::newer(format!("format {found}; this one reads up to format {FORMAT}")))
        }
        _ => Err(CacheError::corrupt(format!("The cache file has an unknown format ({format})."))),
    }
}

/// Format 2 records how the source compares text, and whether the query is pinned.
fn to_2(connection: &Database) -> Result<()> {
    let mut insert = connection.prepare(sql!("INSERT INTO meta VALUES (?, ?)"))?;
    insert.execute(params!["collation", UNKNOWN])?;
    insert.execute(params!["pinned", "0"])?;
    Ok(())
}

/// Format 3 records which days a verification found different.
fn to_3(connection: &Database) -> Result<()> {
    // A file may state an older format than it has, and still be sound.
    Ok(connection.execute_batch(sql!(
        "CREATE TABLE IF NOT EXISTS cache.differing (day INTEGER NOT NULL, segment INTEGER NOT NULL)"
    ))?)
}

/// Format 4 stores a message once per window and links it with its other days. It also stores the bounds of each day,
/// the source of its rows, when each row was read, and what was left out.
fn to_4(connection: &Database) -> Result<()> {
    for column in [sql!("begins_ms BIGINT"), sql!("ends_ms BIGINT"), sql!("origin INTEGER")] {
        connection
            .execute_batch(sql!("ALTER TABLE cache.coverage ADD COLUMN IF NOT EXISTS {column}", column))?;
    }
    connection.execute_batch(schema::CREATE_ORIGIN)?;
    // It is computed again when the file is next read.
    connection.execute_batch(sql!(
        "DROP TABLE cache.overlap; DELETE FROM overlap_checked;
         CREATE TABLE cache.overlap (segment INTEGER NOT NULL, id BLOB NOT NULL);"
    ))?;
    let segments: Vec<u32> = {
        let mut select =
            connection.prepare(sql!("SELECT DISTINCT segment FROM coverage ORDER BY segment"))?;
        select.query_map([], |row| row.get(0))?.collect::<Result<_, duckdb::Error>>()?
    };
    segments.into_iter().try_for_each(|segment| store_messages_once(connection, segment))
}

/// Format 5 records which tables can be filtered by their columns. Of the tables of older files it is unknown.
fn to_5(connection: &Database) -> Result<()> {
    Ok(connection.execute_batch(schema::CREATE_PLAIN)?)
}

/// Converts the tables of a segment from format 3, where a message came once per trade and day, to format 4.
fn store_messages_once(connection: &Database, segment: u32) -> Result<()> {
    let [input, messages] = [Role::Input, Role::Downstream].map(|role| schema::table(role, segment));
    if columns_of(connection, &input)?.iter().any(|name| name == "number") {
        // A file may state an older format than it has, and still be sound.
        return Ok(());
    }
    let (links, shared) = (schema::link_table(segment), schema::shared_table(segment));
    // Before format 4, the fetch time decided which of two states of a document was the later one. The time of a read
    // is stored as seconds << 32 | nanoseconds.
    let read = sql!(
        "coalesce((fetched_ms // 1000)::UBIGINT * 4294967296 + ((fetched_ms % 1000) * 1000000)::UBIGINT, 0)"
    );
    connection.execute_batch(sql!(
        "ALTER TABLE {input} ADD COLUMN number BIGINT;
         ALTER TABLE {input} ADD COLUMN read UBIGINT;
         UPDATE {input} SET number = {input}.rowid, read = {read} FROM coverage WHERE coverage.day = {input}.day;",
        input,
        read
    ))?;

    let new_messages = schema::part(Role::Downstream, segment, 1);
    connection.execute_batch(schema::create_part(Role::Downstream, segment, 1, &[]))?;
    // Types come from the file's own list of fields: in the catalog of a foreign file, the name of a type may be any
    // text.
    let known = read_fields(connection)?;
    let mut fields = Vec::new();
    for column in columns_of(connection, &messages)? {
        let Some(number) = schema::field_of_column(&column) else { continue };
        let field = known.get(number as usize).ok_or_else(|| {
            CacheError::corrupt(format!("The cache file does not name its field {number}."))
        })?;
        if let Some(statement) = schema::add_column(Role::Downstream, segment, 1, number, field) {
            connection.execute_batch(&statement)?;
            fields.push(sql!(", {}", schema::column(number)));
        }
    }
    let (fields, new_shared) = (Sql::join(fields, ""), sql!("{shared}_new", shared));
    connection.execute_batch(sql!(
        "{}; {};
         CREATE TEMP TABLE kept AS SELECT id, min(rowid) AS number FROM {messages} GROUP BY id;
         INSERT INTO {new_messages}
             SELECT old.rowid, old.day, id, trade, {read}, doc{fields}
             FROM {messages} AS old LEFT JOIN coverage ON coverage.day = old.day
             WHERE old.rowid IN (SELECT number FROM temp.kept);
         INSERT INTO {links}
             SELECT DISTINCT old.day, kept.number FROM {messages} AS old JOIN temp.kept AS kept USING (id)
             JOIN {messages} AS own ON own.rowid = kept.number
             WHERE own.day <> old.day;
         DROP TABLE temp.kept;
         DROP TABLE {messages};
         ALTER TABLE {new_messages} RENAME TO {messages};
         INSERT INTO {new_shared}
             SELECT DISTINCT input.day, number FROM {shared} AS old
             JOIN {input} AS input ON input.day = old.day AND input.id = old.id;
         DROP TABLE {shared};
         ALTER TABLE {new_shared} RENAME TO {shared};
         CREATE TEMP TABLE counted AS
             SELECT day, count(*) AS messages
             FROM (SELECT day FROM {messages} UNION ALL SELECT day FROM {links}) GROUP BY day;
         UPDATE coverage SET downstream_rows =
             coalesce((SELECT messages FROM temp.counted AS counted WHERE counted.day = coverage.day), 0)
             WHERE segment = {segment};
         DROP TABLE temp.counted;",
        schema::create_numbers(&links),
        schema::create_numbers(&new_shared),
        messages,
        new_messages,
        read,
        fields,
        links,
        new_shared,
        shared,
        input,
        segment
    ))?;
    Ok(())
}

/// Names of a table's columns, in order.
fn columns_of(connection: &Database, table: &Sql) -> Result<Vec<String>> {
    let mut select = connection.prepare(sql!(
        "SELECT column_name FROM duckdb_columns()
         WHERE database_name = ? AND table_name = ? ORDER BY column_index"
    ))?;
    let columns = select.query_map(params![CATALOG, table.as_str()], |row| row.get(0))?;
    Ok(columns.collect::<Result<_, duckdb::Error>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::file::sql::Text;

    fn file(format: &str) -> Database {
        let connection = Database::new(duckdb::Connection::open_in_memory().expect("a database"));
        connection
            .execute_batch(sql!(
                "ATTACH ':memory:' AS cache; USE cache;
                 CREATE TABLE meta (key VARCHAR NOT NULL, value VARCHAR NOT NULL);
                 CREATE TABLE coverage (day INTEGER NOT NULL, segment INTEGER NOT NULL);
                 CREATE TABLE overlap (id BLOB NOT NULL);
                 CREATE TABLE overlap_checked (segment INTEGER NOT NULL);
                 INSERT INTO meta VALUES ('format', {format});",
                format = Text(format)
            ))
            .expect("a table");
        connection
    }

    #[test]
    fn an_older_format_is_raised_once() {
        let connection = file("1");
        for _ in 0..2 {
            migrate(&connection).expect("a known format");
            assert_eq!(format_of(&connection).expect("a format"), FORMAT);
            let rows: u32 = connection
                .query_row(sql!("SELECT count(*) FROM meta"), [], |row| row.get(0))
                .expect("a count");
            assert_eq!(rows, 3);
        }
    }

    #[test]
    fn a_newer_format_is_called_newer_and_left_alone() {
        let connection = file(&(FORMAT + 1).to_string());
        let failure = migrate(&connection).expect_err("too new");
        assert!(matches!(failure.kind(), CacheErrorKind::NewerFormat(_)), "{failure:?}");
        for strange in ["0", "", "two", "-1"] {
            let failure = migrate(&file(strange)).expect_err("no format");
            assert!(failure.may_be_moved_aside(), "{failure:?}");
        }
    }
}
