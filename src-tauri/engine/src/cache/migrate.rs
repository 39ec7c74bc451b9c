//! Brings files of older formats to the one of this program, when they are opened.

use duckdb::{Connection, params};

use super::collation::UNKNOWN;
use super::schema::{self, FORMAT};
use crate::failure::{Code, Failure, Result};

/// The steps, oldest first: what turns a file of format `n` into one of `n + 1` is at `n - 1`.
const STEPS: [fn(&Connection) -> Result<()>; (FORMAT - 1) as usize] = [to_2, to_3, to_4];

/// Raises a file to [`FORMAT`], in one transaction: a failure leaves it as it was.
///
/// # Errors
/// `cache_damaged` where the file does not say its format, or was made by a newer program; see
/// [`super::duckdb_failure`].
pub(super) fn migrate(connection: &Connection) -> Result<()> {
    let format = format_of(connection)?;
    if format == FORMAT {
        return Ok(());
    }
    connection.execute_batch("BEGIN TRANSACTION")?;
    let migrated =
        STEPS[(format - 1) as usize..].iter().try_for_each(|step| step(connection)).and_then(|()| {
            connection
                .execute("UPDATE meta SET value = ? WHERE key = 'format'", params![FORMAT.to_string()])?;
            Ok(connection.execute_batch("COMMIT")?)
        });
    if migrated.is_err() {
        // A failed COMMIT has rolled back already; both leave the file as it was.
        let _ = connection.execute_batch("ROLLBACK");
    }
    migrated
}

fn format_of(connection: &Connection) -> Result<u32> {
    let mut select = connection.prepare("SELECT value FROM meta WHERE key = 'format'")?;
    let mut rows = select.query([])?;
    let format: String = match rows.next()? {
        Some(row) => row.get(0)?,
        None => {
            return Err(Failure::new(
                Code::CacheDamaged,
                "The cached file does not say which format it has.",
            ));
        }
    };
    match format.parse() {
        Ok(known @ 1..=FORMAT) => Ok(known),
        Ok(newer) if newer > FORMAT => Err(Failure::new(
            Code::CacheDamaged,
            format!(
                "The cached file was made by a newer Tidemark (format {newer}; this one reads up to {FORMAT})."
            ),
        )),
        _ => Err(Failure::new(
            Code::CacheDamaged,
            format!("The cached file has the format {format:?}, which there is not."),
        )),
    }
}

/// Format 2 says how the source compares text, and whether the query is pinned.
fn to_2(connection: &Connection) -> Result<()> {
    let mut insert = connection.prepare("INSERT INTO meta VALUES (?, ?)")?;
    insert.execute(params!["collation", UNKNOWN])?;
    insert.execute(params!["pinned", "0"])?;
    Ok(())
}

/// Format 3 says which days a verification found different.
fn to_3(connection: &Connection) -> Result<()> {
    // A file may say an older format than it has, and still be whole.
    Ok(connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS cache.differing (day INTEGER NOT NULL, segment INTEGER NOT NULL)",
    )?)
}

/// Format 4 keeps the bounds of each day, the source that its rows came from, and what was left out of it.
fn to_4(connection: &Connection) -> Result<()> {
    for column in ["begins_ms BIGINT", "ends_ms BIGINT", "origin INTEGER"] {
        connection.execute_batch(&format!("ALTER TABLE cache.coverage ADD COLUMN IF NOT EXISTS {column}"))?;
    }
    connection.execute_batch(schema::CREATE_ORIGIN)?;
    connection.execute("INSERT INTO meta VALUES ('origin', '')", [])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(format: &str) -> Connection {
        let connection = Connection::open_in_memory().expect("a database");
        connection
            .execute_batch(&format!(
                "ATTACH ':memory:' AS cache; USE cache;
                 CREATE TABLE meta (key VARCHAR NOT NULL, value VARCHAR NOT NULL);
                 CREATE TABLE coverage (day INTEGER NOT NULL, segment INTEGER NOT NULL);
                 INSERT INTO meta VALUES ('format', '{format}');"
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
            let rows: u32 =
                connection.query_row("SELECT count(*) FROM meta", [], |row| row.get(0)).expect("a count");
            assert_eq!(rows, 4);
        }
    }

    #[test]
    fn a_newer_format_is_called_newer_and_left_alone() {
        let connection = file(&(FORMAT + 1).to_string());
        let failure = migrate(&connection).expect_err("too new");
        assert!(failure.message.contains("newer Tidemark"), "{failure:?}");
        for strange in ["0", "", "two", "-1"] {
            let failure = migrate(&file(strange)).expect_err("no format");
            assert!(!failure.message.contains("newer"), "{failure:?}");
        }
    }
}
