//! Finds the documents that occur in a file more than once.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::cache::file::cache_file::CacheFile;
use crate::cache::file::error::Result;
use crate::cache::file::ledger::FileState;
use crate::cache::file::schema;
use crate::cache::file::sql::{Database, Sql, sql};
use crate::rows::Role;

/// About how many rows have their `_id`s compared at a time, so that the memory needed does not grow with the file. A
/// hash of the `_id` chooses a row's slice, so that equal ones meet.
const ROWS_PER_SLICE: u64 = 500_000;

fn segments_of(state: &FileState) -> BTreeSet<u32> {
    state.days.values().map(|held| held.segment).collect()
}

/// Whether `overlap` has been computed for all segments. Windows commit in any order, so the segments that it has
/// been computed for need not have the lowest numbers.
///
/// # Errors
/// See [`crate::cache::CacheError`].
pub(crate) fn is_settled(state: &FileState, connection: &Database) -> Result<bool> {
    Ok(segments_of(state).is_subset(&overlap_checked(connection)?))
}

/// The segments for which `overlap` has been computed.
fn overlap_checked(connection: &Database) -> Result<BTreeSet<u32>> {
    let mut select = connection.prepare(sql!("SELECT segment FROM overlap_checked"))?;
    let checked = select.query_map([], |row| row.get(0))?;
    Ok(checked.collect::<Result<_, duckdb::Error>>()?)
}

/// Computes which `_id`s occur in the file more than once, for the segments added since the last time. A document can
/// occur under two days (a message of a trade with input on both, a trade that moved between two fetches) or in both
/// roles.
///
/// # Errors
/// See [`crate::cache::CacheError`].
pub(crate) fn settle_overlap(file: &Arc<CacheFile>) -> Result<()> {
    settle_in_slices(file, ROWS_PER_SLICE)
}

fn settle_in_slices(file: &Arc<CacheFile>, rows_per_slice: u64) -> Result<()> {
    let state = file.state();
    let connection = file.connect()?;
    if is_settled(&state, &connection)? {
        return Ok(());
    }
    connection.execute_batch(sql!("BEGIN TRANSACTION"))?;
    let settled = file.commit(&connection, |state| {
        let (segments, checked) = (segments_of(state), overlap_checked(&connection)?);
        if segments.is_subset(&checked) {
            return Ok(());
        }
        let ids = |segments: &mut dyn Iterator<Item = &u32>| {
            let parts: Vec<Sql> = segments
                .flat_map(|segment| {
                    [Role::Input, Role::Downstream].map(|role| {
                        sql!(
                            "SELECT {segment}::INTEGER AS segment, id FROM {}",
                            schema::table(role, *segment),
                            segment
                        )
                    })
                })
                .collect();
            if parts.is_empty() {
                sql!("SELECT NULL::INTEGER AS segment, NULL::BLOB AS id WHERE false")
            } else {
                Sql::join(parts, " UNION ALL ")
            }
        };
        let new = ids(&mut segments.difference(&checked));
        let old = ids(&mut segments.intersection(&checked));
        // Counted, since the ledger of a file from someone else may contain anything.
        let count = sql!("SELECT count(*) FROM ({new} UNION ALL {old})", new, old);
        let rows: u64 = connection.query_row(&count, [], |row| row.get(0))?;
        let slices = rows / rows_per_slice + 1;
        connection.execute_batch(sql!("CREATE TEMP TABLE repeated (id BLOB)"))?;
        for place in 0..slices {
            connection.execute_batch(sql!(
                "WITH fresh AS NOT MATERIALIZED (SELECT id FROM ({new}) WHERE hash(id) % {slices} = {place}),
                     known AS NOT MATERIALIZED (SELECT id FROM ({old}) WHERE hash(id) % {slices} = {place})
                 INSERT INTO temp.repeated
                     SELECT id FROM fresh GROUP BY id HAVING count(*) > 1
                     UNION SELECT id FROM known WHERE id IN (SELECT id FROM fresh)",
                new,
                slices,
                place,
                old
            ))?;
        }
        // What dropped segments had in common with others is no longer needed. Known entries of repeated ids are
        // replaced, so that none is stored twice.
        connection.execute_batch(sql!(
            "DELETE FROM overlap WHERE segment NOT IN ({}) OR id IN (SELECT id FROM temp.repeated);
             INSERT INTO overlap
                 SELECT DISTINCT segment, id FROM ({new} UNION ALL {old})
                 WHERE id IN (SELECT id FROM temp.repeated);
             DROP TABLE temp.repeated;",
            Sql::join(&segments, ", "),
            new,
            old
        ))?;
        connection.execute_batch(sql!(
            "DELETE FROM overlap_checked;
             INSERT INTO overlap_checked VALUES {};",
            Sql::join(segments.iter().map(|segment| sql!("({segment})", segment)), ", ")
        ))?;
        Ok(())
    });
    if settled.is_err() {
        // A failed COMMIT has already rolled back; either way nothing is left.
        let _ = connection.execute_batch(sql!("ROLLBACK"));
    }
    settled
}

impl CacheFile {
    /// The number of rows in `overlap`: each `_id` that occurs more than once, once per segment that has it.
    ///
    /// # Errors
    /// See [`crate::cache::CacheError`].
    pub fn overlap_rows(&self) -> Result<u64> {
        Ok(self.connect()?.query_row(sql!("SELECT count(*) FROM overlap"), [], |row| row.get(0))?)
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::cache::{Cache, fixtures};
    use crate::day::Day;

    fn store(file: &Arc<CacheFile>, day: i32, ids: impl Iterator<Item = i32>) {
        fixtures::store(file, Day::from_number(day), DateTime::UNIX_EPOCH, ids);
    }

    #[test]
    fn the_size_of_a_slice_makes_no_difference() {
        for rows_per_slice in [7, 100, 1_000_000] {
            let folder = tempfile::tempdir().expect("a folder");
            let cache = Cache::new(folder.path(), 0).expect("a cache");
            let file = fixtures::file(&cache, &[]);
            // Two new days share some documents; a third one shares some with those already known.
            store(&file, 20_000, 0..300);
            store(&file, 20_001, (250..400).chain(1_000..1_100));
            settle_in_slices(&file, rows_per_slice).expect("worked out");
            store(&file, 20_002, (390..420).chain(1_050..1_060));
            settle_in_slices(&file, rows_per_slice).expect("worked out");
            let connection = file.connect().expect("a connection");
            let found: (u32, u32) = connection
                .query_row(sql!("SELECT count(*), count(DISTINCT id) FROM overlap"), [], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .expect("a count");
            // Each of the two segments that share an id has an entry for it.
            assert_eq!(found, (2 * (50 + 10 + 10), 50 + 10 + 10), "{rows_per_slice}");
        }
    }
}
