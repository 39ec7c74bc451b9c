//! Finds what a window changes: compares its documents with those that were cached for its days.

use std::collections::BTreeMap;

use bson::{RawDocument, RawDocumentBuf};
use duckdb::params;

use crate::answer::changes::{ChangeCounts, ChangeKind, Difference, Differences, DocumentChange};
use crate::bson::diff::{field_changes, id_text};
use crate::cache::file::error::Result;
use crate::cache::file::schema::{day_among, of_days, role_name, shared_table, table};
use crate::cache::file::sql::{Database, Name, Sql, sql};
use crate::day::Day;
use crate::query::mapping::Mapping;
use crate::query::trade::trade_text;
use crate::rows::Role;

/// Compares segment `new` with what was cached. `held` names the segments, and the days of each that the window
/// replaces. Returns `None` if no day was cached. A document that `others` hold unchanged is neither added nor gone.
/// Only ids and hashes are joined; the documents are read one by one, and only those that are listed. Unless an `_id`
/// is `unique`, rows are compared by their bytes, as often as they occur, and none counts as changed.
///
/// # Errors
/// See [`crate::cache::CacheError`].
pub(crate) fn compare(
    connection: &Database,
    new: u32,
    held: &Segments,
    others: &Others<'_>,
    mapping: &Mapping,
    unique: bool,
) -> Result<Option<Differences>> {
    if held.is_empty() {
        return Ok(None);
    }
    let all: Vec<Day> = held.values().flatten().copied().collect();
    let new = BTreeMap::from([(new, all)]);
    let mut found = Differences::default();
    for role in [Role::Input, Role::Downstream] {
        let name = sql!("temp.difference_{}", Name(role_name(role)));
        connection.execute_batch(difference_table(&name, role, held, &new, unique))?;
        let mut counts = count(connection, &name)?;
        if counts.added + counts.gone > 0 {
            leave_out_held(connection, &name, role, others)?;
            counts = count(connection, &name)?;
        }
        match role {
            Role::Input => found.input = counts,
            Role::Downstream => found.downstream = counts,
        }
        list(connection, &name, role, mapping.trade_path(role), &mut found)?;
        connection.execute_batch(sql!("DROP TABLE {name}", name))?;
    }
    Ok(Some(found))
}

/// Removes from the differences what other days hold unchanged.
fn leave_out_held(connection: &Database, name: &Sql, role: Role, others: &Others<'_>) -> Result<()> {
    // The differences of a run's windows are combined in the end. What was added: only days that were cached before
    // the run count as having had the document. What is gone: no other day of the file may have it.
    for (one_sided, days) in [(sql!("old IS NULL"), &others.earlier), (sql!("new IS NULL"), &others.all)] {
        let rows =
            sql!("SELECT id, coalesce(old.hash, new.hash) FROM {name} WHERE {one_sided}", name, one_sided);
        let found = ids_and_hashes(connection, &rows)?;
        if found.is_empty() || days.is_empty() {
            continue;
        }
        let asked = listed(others.latest, &found)?;
        let held = ids_and_hashes(
            others.latest,
            &sql!(
                "SELECT id, md5(doc) AS hash FROM ({}) SEMI JOIN {asked} USING (id)",
                documents(role, days),
                asked
            ),
        );
        others.latest.execute_batch(sql!("DROP TABLE {asked}", asked))?;
        let held = listed(connection, &held?)?;
        connection.execute_batch(sql!(
            "DELETE FROM {name} WHERE {one_sided} AND (id, coalesce(old.hash, new.hash)) IN (FROM {held});
             DROP TABLE {held}",
            name,
            one_sided,
            held
        ))?;
    }
    Ok(())
}

/// Returns the ids of documents and their hashes.
fn ids_and_hashes(connection: &Database, sql: &Sql) -> Result<Vec<(Vec<u8>, String)>> {
    let mut select = connection.prepare(sql)?;
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, duckdb::Error>>()?)
}

/// Puts ids and hashes into a temporary table of a connection, and returns its name.
fn listed(connection: &Database, documents: &[(Vec<u8>, String)]) -> Result<Sql> {
    connection.execute_batch(sql!("CREATE TEMP TABLE listed (id BLOB, hash VARCHAR)"))?;
    let mut appender = connection.appender_to(&sql!("listed"), "temp", "main")?;
    for (id, hash) in documents {
        appender.append_row(params![id, hash])?;
    }
    appender.flush()?;
    Ok(sql!("temp.listed"))
}

/// SQL for the documents of a role that some days hold.
fn documents(role: Role, segments: &Segments) -> Sql {
    let mut parts = Vec::new();
    for (segment, days) in segments {
        let days = one_of(days);
        let of = |role| {
            let wanted = of_days(role, *segment, &days);
            sql!("SELECT id, doc FROM {} WHERE {wanted}", table(role, *segment), wanted)
        };
        parts.push(of(role));
        if role == Role::Downstream {
            let noted = noted(*segment, &days);
            parts.push(sql!("SELECT id, doc FROM {} WHERE {noted}", table(Role::Input, *segment), noted));
        }
    }
    Sql::join(parts, " UNION ALL ")
}

/// The statement that finds the documents of a role that differ, with the segment, table and row of each of the two
/// versions. A message that is also input of its day counts as input alone, so it is a difference of the downstream
/// only if one version of it is purely downstream.
fn difference_table(name: &Sql, role: Role, old: &Segments, new: &Segments, unique: bool) -> Sql {
    sql!(
        "CREATE TEMP TABLE {name} AS
         SELECT coalesce(new.day, old.day) AS day, coalesce(new.id, old.id) AS id,
                old.place AS old, new.place AS new
         FROM ({}) AS old FULL JOIN ({}) AS new ON old.id = new.id AND old.copy = new.copy
         WHERE CASE WHEN old.id IS NULL THEN NOT new.place.shared WHEN new.id IS NULL THEN NOT old.place.shared
               ELSE old.place.hash <> new.place.hash AND NOT (old.place.shared AND new.place.shared) END",
        side(role, old, unique),
        side(role, new, unique),
        name
    )
}

/// SQL for the documents of a role, each with its place: one row per `_id` if it is unique, otherwise one per copy.
fn side(role: Role, segments: &Segments, unique: bool) -> Sql {
    let rows = rows(role, segments);
    if unique {
        // Purely downstream comes before shared, and a later read before an earlier one: `min` of a struct compares
        // its fields in order.
        return sql!(
            "SELECT id, '' AS copy, min(day) AS day, min(place) AS place FROM ({rows}) GROUP BY id",
            rows
        );
    }
    // A row is identified by its bytes and its number among the rows with the same bytes.
    sql!(
        "SELECT id, place.hash || ' ' || row_number() OVER (PARTITION BY id, place.hash ORDER BY place)::VARCHAR AS copy,
                day, place
         FROM ({rows})",
        rows
    )
}

/// SQL for the rows of a role, each with the place of its document.
fn rows(role: Role, segments: &Segments) -> Sql {
    let mut parts = Vec::new();
    for (segment, days) in segments {
        let days = one_of(days);
        let select = |of: Role, day: &Sql, wanted: &Sql, shared: bool| {
            sql!(
                "SELECT id, {day} AS day, {{'shared': {shared}, 'age': -(read::HUGEINT), 'segment': {segment},
                                  'row': rowid, 'hash': md5(doc)}} AS place
                 FROM {} WHERE {wanted}",
                table(of, *segment),
                day,
                shared,
                segment,
                wanted
            )
        };
        let day = match role {
            Role::Input => sql!("day"),
            Role::Downstream => day_among(*segment, &days),
        };
        parts.push(select(role, &day, &of_days(role, *segment, &days), false));
        if role == Role::Downstream {
            parts.push(select(Role::Input, &sql!("day"), &noted(*segment, &days), true));
        }
    }
    Sql::join(parts, " UNION ALL ")
}

/// The condition for rows of some days.
fn one_of(days: &[Day]) -> Sql {
    sql!("day IN ({})", Sql::join(days.iter().map(|day| day.number()), ", "))
}

/// The condition for the input of a segment that is also a message of the trades of some days.
fn noted(segment: u32, days: &Sql) -> Sql {
    let shared = shared_table(segment);
    sql!("{days} AND number IN (SELECT number FROM {shared} WHERE {days})", days, shared)
}

fn count(connection: &Database, name: &Sql) -> Result<ChangeCounts> {
    Ok(connection.query_row(
        sql!(
            "SELECT count(*) FILTER (old IS NULL), count(*) FILTER (old IS NOT NULL AND new IS NOT NULL),
                    count(*) FILTER (new IS NULL) FROM {name}",
            name
        ),
        [],
        |row| Ok(ChangeCounts { added: row.get(0)?, changed: row.get(1)?, gone: row.get(2)? }),
    )?)
}

/// Segments, and some days of each.
pub(crate) type Segments = BTreeMap<u32, Vec<Day>>;

/// The cached days that a window leaves as they are.
pub(crate) struct Others<'a> {
    /// Reads what is committed by now: other windows may have been committed since this one's transaction began.
    pub(crate) latest: &'a Database,
    /// All of them.
    pub(crate) all: Segments,
    /// Those that were cached before the run, even if another of its windows has replaced them since.
    pub(crate) earlier: Segments,
}

/// Where a version of a document is stored: whether it is among the input that is also downstream, the segment, and the
/// row. `None` if there is no such version.
type StoredAt = Option<(bool, u32, i64)>;

fn list(
    connection: &Database,
    name: &Sql,
    role: Role,
    trade_path: Option<&str>,
    found: &mut Differences,
) -> Result<()> {
    let mut select = connection.prepare(sql!(
        "SELECT day, id, old.shared, old.segment, old.row, new.shared, new.segment, new.row
         FROM {name} ORDER BY day, id LIMIT {}",
        crate::answer::changes::LISTED,
        name
    ))?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let stored_at = |at: usize| -> Result<StoredAt> {
            let shared: Option<bool> = row.get(at)?;
            Ok(match shared {
                Some(shared) => Some((shared, row.get(at + 1)?, row.get(at + 2)?)),
                None => None,
            })
        };
        let (old, new) =
            (document(connection, role, stored_at(2)?)?, document(connection, role, stored_at(5)?)?);
        let (kind, shown, kept) = match (&old, &new) {
            (Some(old), Some(new)) => (ChangeKind::Changed, new, Some(old.clone())),
            (Some(old), None) => (ChangeKind::Gone, old, Some(old.clone())),
            (None, Some(new)) => (ChangeKind::Added, new, Some(new.clone())),
            (None, None) => continue,
        };
        let fields = match (&old, &new) {
            (Some(old), Some(new)) => field_changes(old, new),
            _ => Vec::new(),
        };
        let change = DocumentChange {
            kind,
            role,
            day: Day::from_number(row.get(0)?),
            id: id_text(shown),
            trade: trade_path.and_then(|path| trade_text(shown, path)),
            fields,
        };
        // Only documents that may be half of a move are needed later.
        let document = kept.filter(|_| kind != ChangeKind::Changed);
        found.listed.push(Difference { change, id: row.get(1)?, document });
    }
    Ok(())
}

fn document(connection: &Database, role: Role, at: StoredAt) -> Result<Option<RawDocumentBuf>> {
    let Some((shared, segment, row)) = at else { return Ok(None) };
    let role = if shared { Role::Input } else { role };
    let bytes: Vec<u8> = connection.query_row(
        sql!("SELECT doc FROM {} WHERE rowid = ?", table(role, segment)),
        params![row],
        |row| row.get(0),
    )?;
    Ok(RawDocument::from_bytes(&bytes).ok().map(ToOwned::to_owned))
}
