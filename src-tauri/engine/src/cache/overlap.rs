//! Which documents stand in a file more than once.

use std::collections::BTreeSet;
use std::sync::Arc;

use duckdb::Connection;

use super::file::CacheFile;
use super::schema;
use super::state::FileState;
use crate::failure::Result;
use crate::rows::Role;

/// Rows whose `_id`s are compared at a time, about: what is held of them in memory does not grow with the
/// file. A slice is chosen by a hash of the `_id`, so that equal ones meet.
const ROWS_A_SLICE: u64 = 500_000;

fn segments_of(state: &FileState) -> BTreeSet<u32> {
    state.days.values().map(|held| held.segment).collect()
}

/// Whether `overlap` is worked out for all segments. Windows commit in any order, so the numbers that
/// were worked out need not be the lowest.
///
/// # Errors
/// See [`super::duckdb_failure`].
pub(super) fn is_settled(state: &FileState, connection: &Connection) -> Result<bool> {
    Ok(segments_of(state).is_subset(&overlap_checked(connection)?))
}

/// The segments that `overlap` knows of.
fn overlap_checked(connection: &Connection) -> Result<BTreeSet<u32>> {
    let mut select = connection.prepare("SELECT segment FROM overlap_checked")?;
    let checked = select.query_map([], |row| row.get(0))?;
    Ok(checked.collect::<Result<_, duckdb::Error>>()?)
}

/// Works out which `_id`s stand in the file more than once, for the segments that came since the last
/// time. A document can stand under two days (a message of a trade with input on both, a trade that
/// was moved between two fetches) or in both roles.
///
/// # Errors
/// See [`super::duckdb_failure`].
pub(super) fn settle_overlap(file: &Arc<CacheFile>) -> Result<()> {
    settle_in_slices(file, ROWS_A_SLICE)
}

fn settle_in_slices(file: &Arc<CacheFile>, rows_a_slice: u64) -> Result<()> {
    let state = file.state();
    let connection = file.connect()?;
    if is_settled(&state, &connection)? {
        return Ok(());
    }
    connection.execute_batch("BEGIN TRANSACTION")?;
    let settled = file.commit(&connection, |state| {
        let (segments, checked) = (segments_of(state), overlap_checked(&connection)?);
        if segments.is_subset(&checked) {
            return Ok(());
        }
        let ids = |segments: &mut dyn Iterator<Item = &u32>| {
            let parts: Vec<String> = segments
                .flat_map(|segment| {
                    [Role::Input, Role::Downstream].map(|role| {
                        format!(
                            "SELECT {segment}::INTEGER AS segment, id FROM {}",
                            schema::table(role, *segment)
                        )
                    })
                })
                .collect();
            if parts.is_empty() {
                "SELECT NULL::INTEGER AS segment, NULL::BLOB AS id WHERE false".to_owned()
            } else {
                parts.join(" UNION ALL ")
            }
        };
        let new = ids(&mut segments.difference(&checked));
        let old = ids(&mut segments.intersection(&checked));
        // Counted, for the ledger of a file from somebody else may say anything.
        let count = format!("SELECT count(*) FROM ({new} UNION ALL {old})");
        let rows: u64 = connection.query_row(&count, [], |row| row.get(0))?;
        let slices = rows / rows_a_slice + 1;
        connection.execute_batch("CREATE TEMP TABLE repeated (id BLOB)")?;
        for place in 0..slices {
            connection.execute_batch(&format!(
                "WITH fresh AS NOT MATERIALIZED (SELECT id FROM ({new}) WHERE hash(id) % {slices} = {place}),
                     known AS NOT MATERIALIZED (SELECT id FROM ({old}) WHERE hash(id) % {slices} = {place})
                 INSERT INTO temp.repeated
                     SELECT id FROM fresh GROUP BY id HAVING count(*) > 1
                     UNION SELECT id FROM known WHERE id IN (SELECT id FROM fresh)"
            ))?;
        }
        let list = |segments: &mut dyn Iterator<Item = &u32>| {
            segments.map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        // What segments that are gone had in common with others is of no use any more. A pair that was known
        // already is not noted again.
        connection.execute_batch(&format!(
            "DELETE FROM overlap WHERE segment NOT IN ({}) OR id IN (SELECT id FROM temp.repeated);
             INSERT INTO overlap
                 SELECT DISTINCT segment, id FROM ({new} UNION ALL {old})
                 WHERE id IN (SELECT id FROM temp.repeated);
             DROP TABLE temp.repeated;",
            list(&mut segments.iter())
        ))?;
        connection.execute_batch(&format!(
            "DELETE FROM overlap_checked;
             INSERT INTO overlap_checked VALUES {};",
            segments.iter().map(|segment| format!("({segment})")).collect::<Vec<_>>().join(", ")
        ))?;
        Ok(())
    });
    if settled.is_err() {
        // A failed COMMIT has rolled back already; both leave nothing.
        let _ = connection.execute_batch("ROLLBACK");
    }
    settled
}

impl CacheFile {
    /// How many rows the table of shared `_id`s has: what segments have in common, each per segment.
    ///
    /// # Errors
    /// See [`super::duckdb_failure`].
    pub fn overlap_rows(&self) -> Result<u64> {
        Ok(self.connect()?.query_row("SELECT count(*) FROM overlap", [], |row| row.get(0))?)
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::cache::{Cache, samples};
    use crate::day::Day;

    fn store(file: &Arc<CacheFile>, day: i32, ids: impl Iterator<Item = i32>) {
        samples::store(file, Day::from_number(day), DateTime::UNIX_EPOCH, ids);
    }

    #[test]
    fn the_size_of_a_slice_makes_no_difference() {
        for rows_a_slice in [7, 100, 1_000_000] {
            let folder = tempfile::tempdir().expect("a folder");
            let cache = Cache::new(folder.path(), 0).expect("a cache");
            let file = samples::file(&cache, &[]);
            // Two days that are new share some documents; a third shares some with what was known.
            store(&file, 20_000, 0..300);
            store(&file, 20_001, (250..400).chain(1_000..1_100));
            settle_in_slices(&file, rows_a_slice).expect("worked out");
            store(&file, 20_002, (390..420).chain(1_050..1_060));
            settle_in_slices(&file, rows_a_slice).expect("worked out");
            let connection = file.connect().expect("a connection");
            let found: (u32, u32) = connection
                .query_row("SELECT count(*), count(DISTINCT id) FROM overlap", [], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .expect("a count");
            // Each of two segments has the ids that they share.
            assert_eq!(found, (2 * (50 + 10 + 10), 50 + 10 + 10), "{rows_a_slice}");
        }
    }
}
