//! Which documents stand in a file more than once.

use std::collections::BTreeSet;
use std::sync::Arc;

use duckdb::Connection;

use super::file::CacheFile;
use super::schema;
use super::state::FileState;
use crate::desk::Role;
use crate::failure::Result;

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
                    [Role::Input, Role::Downstream]
                        .map(|role| format!("SELECT id FROM {}", schema::table(role, *segment)))
                })
                .collect();
            if parts.is_empty() {
                "SELECT NULL::BLOB AS id WHERE false".to_owned()
            } else {
                parts.join(" UNION ALL ")
            }
        };
        let new = ids(&mut segments.difference(&checked));
        let old = ids(&mut segments.intersection(&checked));
        connection.execute_batch(&format!(
            "INSERT INTO overlap
                 SELECT id FROM ({new}) GROUP BY id HAVING count(*) > 1
                 UNION SELECT id FROM ({old}) WHERE id IN (SELECT id FROM ({new}));
             DELETE FROM overlap_checked;
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
