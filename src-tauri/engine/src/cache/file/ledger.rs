//! What a file holds: its ledger, its fields, and the columns of its tables.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use duckdb::params;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{CacheError, Result};
use super::meta::read_fact;
use super::schema::{self, link_table, role_name, shared_table, tables};
use super::sql::{Database, Sql, sql};
use crate::answer::Unmatched;
use crate::answer::left_out::OddDates;
use crate::day::{Day, DayRange};
use crate::decode::{Field, FieldId, FieldSet};
use crate::plan::ledger::{DayBounds, DayCoverage, Ledger};
use crate::rows::Role;
use crate::source::SourceOrigin;

/// A cached day in the ledger.
#[derive(Debug, Clone)]
pub struct HeldDay {
    /// The segment that holds its rows.
    pub segment: u32,
    /// Whether this process stored it in place of rows that were cached before.
    pub replaced: bool,
    /// When it was fetched: the moment its window's pull began.
    pub fetched: DateTime<Utc>,
    /// Input rows.
    pub input_rows: u64,
    /// Messages stored under the day or linked with it. An answer may show some of them as input.
    pub downstream_rows: u64,
    /// Fields that its input rows have.
    pub input_fields: FieldSet,
    /// Fields that its downstream rows have.
    pub downstream_fields: FieldSet,
    /// The greatest change stamp of its input rows, if the mapping has one.
    pub change_mark: Option<String>,
    /// Whether a verification has found the day different at the source; see [`DayCoverage`].
    pub differs: bool,
    /// The instants that bounded the day when it was stored; see [`DayCoverage`].
    pub bounds: Option<DayBounds>,
    /// The source of its rows: a key of [`FileState::origins`]. `None` if it is unknown, as in files from before
    /// format 4.
    pub origin: Option<u32>,
    /// Documents that the day leaves out, per reason.
    pub left_out: BTreeMap<String, u64>,
}

impl HeldDay {
    /// Number of rows of a role.
    #[must_use]
    pub const fn rows(&self, role: Role) -> u64 {
        match role {
            Role::Input => self.input_rows,
            Role::Downstream => self.downstream_rows,
        }
    }

    /// Fields of a role.
    #[must_use]
    pub const fn fields(&self, role: Role) -> &FieldSet {
        match role {
            Role::Input => &self.input_fields,
            Role::Downstream => &self.downstream_fields,
        }
    }
}

/// Everything about a file that a reader needs, as of one commit. Never changed, only replaced.
#[derive(Debug, Clone, Default)]
pub struct FileState {
    /// The cached days.
    pub days: BTreeMap<Day, HeldDay>,
    /// Physical columns of the segments' tables.
    pub columns: BTreeMap<(u32, Role), Vec<FieldId>>,
    /// The segments' tables whose columns say all about the documents that their paths can; see
    /// [`crate::decode::Decoded::is_plain`].
    pub plain: BTreeSet<(u32, Role)>,
    /// The sources that days came from, by number. Normally the last one is the current one; see
    /// [`FileState::current_origin`].
    pub origins: BTreeMap<u32, SourceOrigin>,
    /// Documents whose dates have a different type, as of the last pull.
    pub odd_dates: OddDates,
    /// Parts of the query that match nothing in the collection, as of the last pull.
    pub unmatched: Vec<Unmatched>,
    /// Identifies this state among those of all files in this process. A view of a different generation is stale.
    pub generation: u64,
}

impl FileState {
    /// The ledger as the plan reads it.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.ledger_for(None)
    }

    /// The ledger for a plan that knows the present source. `None` stands for the file's current one.
    #[must_use]
    pub fn ledger_for(&self, source: Option<&SourceOrigin>) -> Ledger {
        let source = source.or_else(|| self.current_origin());
        self.days
            .iter()
            .map(|(day, held)| {
                let origin = held.origin.and_then(|number| self.origins.get(&number));
                let coverage = DayCoverage {
                    fetched: held.fetched,
                    input_rows: held.input_rows,
                    downstream_rows: held.downstream_rows,
                    differs: held.differs,
                    bounds: held.bounds,
                    foreign: origin.zip(source).is_some_and(|(theirs, now)| theirs.is_other_than(now)),
                };
                (*day, coverage)
            })
            .collect()
    }

    /// Makes a source the current one and returns its number. Rows of its table are only ever added, so that
    /// concurrent commits of windows never change the same one.
    pub(crate) fn record_origin(&mut self, connection: &Database, origin: &SourceOrigin) -> Result<u32> {
        let last = self.origins.last_key_value().map(|(number, last)| (*number, last == origin));
        if let Some((number, true)) = last {
            return Ok(number);
        }
        let number = last.map_or(1, |(number, _)| number + 1);
        connection.execute(
            sql!("INSERT INTO origin VALUES (?, ?, ?, ?, ?)"),
            params![
                number,
                origin.collections,
                origin.replica_set,
                origin.unique_input,
                origin.unique_downstream
            ],
        )?;
        self.origins.insert(number, origin.clone());
        Ok(number)
    }

    /// The last source that identified itself, otherwise the last one recorded; `None` if there is none.
    #[must_use]
    pub fn current_origin(&self) -> Option<&SourceOrigin> {
        let mut known = self.origins.values().rev();
        known.find(|origin| origin.is_known()).or_else(|| self.origins.values().next_back())
    }

    /// The source that a day came from; `None` if it is unknown.
    #[must_use]
    pub fn origin_of(&self, held: &HeldDay) -> Option<&SourceOrigin> {
        self.origins.get(&held.origin?)
    }

    /// Whether a day came from the current source, as far as is known. Files from before format 4 do not record the
    /// source of a day: such a day goes with any.
    #[must_use]
    pub fn is_of_current_origin(&self, held: &HeldDay) -> bool {
        self.goes_with(held, self.current_origin())
    }

    /// Whether a day may have come from a source.
    fn goes_with(&self, held: &HeldDay, source: Option<&SourceOrigin>) -> bool {
        !self.origin_of(held).zip(source).is_some_and(|(theirs, source)| theirs.is_other_than(source))
    }

    /// The cached days of a range that an answer may show: rows of two sources never appear together. If any day of
    /// the range came from the current source, the days of that source are shown; otherwise those of the source that
    /// was read last. Days of an unknown source go with any.
    pub fn shown_in(&self, range: DayRange) -> impl Iterator<Item = (Day, &HeldDay)> {
        let known = || {
            self.held_in(range).filter(|(_, held)| self.origin_of(held).is_some_and(SourceOrigin::is_known))
        };
        let shown = if known().any(|(_, held)| self.is_of_current_origin(held)) {
            self.current_origin()
        } else {
            known().max_by_key(|(_, held)| held.fetched).and_then(|(_, held)| self.origin_of(held))
        };
        self.held_in(range).filter(move |(_, held)| self.goes_with(held, shown))
    }

    /// Whether a segment holds a day.
    pub(crate) fn holds(&self, day: Day, segment: u32) -> bool {
        self.days.get(&day).is_some_and(|held| held.segment == segment)
    }

    /// The cached days within a range.
    pub fn held_in(&self, range: DayRange) -> impl Iterator<Item = (Day, &HeldDay)> {
        self.days.range(range.from()..=range.to()).map(|(day, held)| (*day, held))
    }
}

/// Returns a generation that no state in this process has had.
pub(crate) fn next_generation() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

/// Removes days from the ledger and their rows from the tables, and returns them. A segment left without a day is
/// dropped.
pub(crate) fn remove_days(
    connection: &Database,
    state: &mut FileState,
    days: impl Iterator<Item = Day>,
) -> Result<Vec<(Day, HeldDay)>> {
    let removed: Vec<(Day, HeldDay)> =
        days.filter_map(|day| state.days.remove(&day).map(|held| (day, held))).collect();
    if removed.is_empty() {
        return Ok(removed);
    }
    let list = Sql::join(removed.iter().map(|(day, _)| day.number()), ", ");
    connection.execute(sql!("DELETE FROM coverage WHERE day IN ({list})", list), [])?;
    let mut segments: Vec<u32> = removed.iter().map(|(_, held)| held.segment).collect();
    segments.sort_unstable();
    segments.dedup();
    for segment in segments {
        connection.execute(
            sql!("DELETE FROM left_out WHERE segment = {segment} AND day IN ({list})", segment, list),
            [],
        )?;
        if state.days.values().any(|other| other.segment == segment) {
            let days = removed.iter().filter(|(_, held)| held.segment == segment).map(|(day, _)| *day);
            let held = state.days.iter().filter(|(_, held)| held.segment == segment).map(|(day, _)| *day);
            remove_messages(connection, segment, held, days)?;
            continue;
        }
        drop_segment(connection, segment)?;
        state.columns.retain(|(of, _), _| *of != segment);
        state.plain.retain(|(of, _)| *of != segment);
        connection.execute(sql!("DELETE FROM segment_column WHERE segment = ?"), params![segment])?;
        connection.execute(sql!("DELETE FROM plain_segment WHERE segment = ?"), params![segment])?;
    }
    Ok(removed)
}

/// Drops the tables of a segment that has no day.
pub(crate) fn drop_segment(connection: &Database, segment: u32) -> Result<()> {
    for table in tables(segment) {
        connection.execute_batch(sql!("DROP TABLE IF EXISTS {table}", table))?;
    }
    Ok(())
}

/// Removes days from the tables of a segment that has other cached days. A message stays as long as any day that it
/// belongs to is cached.
///
/// Another window may be removing other days of the segment at the same time, and this transaction does not see the
/// result. So a row is deleted only by the transaction that removes the last of its days; if none can tell that it
/// does, the row stays until the segment is dropped, and no answer shows it.
pub(crate) fn remove_messages(
    connection: &Database,
    segment: u32,
    held: impl Iterator<Item = Day>,
    removed: impl Iterator<Item = Day>,
) -> Result<()> {
    let removed = Sql::join(removed.map(|day| day.number()), ", ");
    let held = Sql::join(held.map(|day| day.number()), ", ");
    let [input, messages] = [Role::Input, Role::Downstream].map(|role| schema::table(role, segment));
    let (links, shared) = (link_table(segment), shared_table(segment));
    connection.execute_batch(sql!(
        "CREATE OR REPLACE TEMP TABLE unlinked AS SELECT DISTINCT number FROM {links} WHERE day IN ({removed});
         DELETE FROM {input} WHERE day IN ({removed});
         DELETE FROM {shared} WHERE day IN ({removed});
         DELETE FROM {links} WHERE day IN ({removed});
         DELETE FROM {messages}
         WHERE (day IN ({removed}) OR (day NOT IN ({held}) AND number IN (SELECT number FROM temp.unlinked)))
           AND number NOT IN (SELECT number FROM {links});
         DROP TABLE temp.unlinked;",
        links,
        removed,
        input,
        shared,
        messages,
        held
    ))?;
    Ok(())
}

fn read_bounds(begins_ms: Option<i64>, ends_ms: Option<i64>) -> Option<DayBounds> {
    let at = DateTime::from_timestamp_millis;
    Some(DayBounds { begins: at(begins_ms?)?, ends: at(ends_ms?)? })
}

/// Reads the fields of the file, ordered by number.
pub(crate) fn read_fields(connection: &Database) -> Result<Vec<Field>> {
    let mut select = connection.prepare(sql!("SELECT path, kind FROM field ORDER BY number"))?;
    let rows = select.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    rows.map(|row| {
        let (path, kind) = row?;
        schema::read_field(&path, &kind).ok_or_else(|| {
            CacheError::corrupt(format!(
                "The cache file names a type that this Tidemark does not know: {kind}."
            ))
        })
    })
    .collect()
}

pub(crate) const ODD_DATES: &str = "odd_dates";
pub(crate) const UNMATCHED: &str = "unmatched";

/// Stores what a pull found out about the whole collection.
pub(crate) fn store_finding(connection: &Database, key: &str, found: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string(found)
        .map_err(|error| CacheError::internal("The cache file cannot note what was found.").because(error))?;
    connection.execute(sql!("DELETE FROM meta WHERE key = ?"), params![key])?;
    connection.execute(sql!("INSERT INTO meta VALUES (?, ?)"), params![key, text])?;
    Ok(())
}

/// Reads what [`store_finding`] wrote. Returns the default if there is no such entry or it cannot be parsed.
fn read_finding<T: DeserializeOwned + Default>(connection: &Database, key: &str) -> T {
    let text = read_fact(connection, key).ok();
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

/// Reads the state as of the last commit.
pub(crate) fn read_state(connection: &Database) -> Result<FileState> {
    let mut state = FileState { generation: next_generation(), ..FileState::default() };
    let mut select = connection.prepare(sql!(
        "SELECT day, segment, fetched_ms, input_rows, downstream_rows, input_fields, downstream_fields, change_mark,
             (day, segment) IN (SELECT (day, segment) FROM differing), begins_ms, ends_ms, origin
         FROM coverage"
    ),
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let fetched_ms: i64 = row.get(2)?;
        let held = HeldDay {
            segment: row.get(1)?,
            replaced: false,
            fetched: DateTime::from_timestamp_millis(fetched_ms)
                .ok_or_else(|| CacheError::corrupt("The cache file contains an impossible fetch time."))?,
            input_rows: row.get(3)?,
            downstream_rows: row.get(4)?,
            input_fields: FieldSet::from_text(&row.get::<_, String>(5)?),
            downstream_fields: FieldSet::from_text(&row.get::<_, String>(6)?),
            change_mark: row.get(7)?,
            differs: row.get(8)?,
            bounds: read_bounds(row.get(9)?, row.get(10)?),
            origin: row.get(11)?,
            left_out: BTreeMap::new(),
        };
        state.days.insert(Day::from_number(row.get(0)?), held);
    }
    let mut select = connection.prepare(sql!("SELECT segment, day, reason, documents FROM left_out"))?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (segment, day): (u32, i32) = (row.get(0)?, row.get(1)?);
        if let Some(held) = state.days.get_mut(&Day::from_number(day)).filter(|held| held.segment == segment)
        {
            *held.left_out.entry(row.get(2)?).or_default() += row.get::<_, u64>(3)?;
        }
    }
    let mut select = connection.prepare(sql!(
        "SELECT number, collections, replica_set, unique_input, unique_downstream FROM origin"
    ))?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let origin = SourceOrigin {
            collections: row.get(1)?,
            replica_set: row.get(2)?,
            unique_input: row.get(3)?,
            unique_downstream: row.get(4)?,
        };
        state.origins.insert(row.get(0)?, origin);
    }
    state.odd_dates = read_finding(connection, ODD_DATES);
    state.unmatched = read_finding(connection, UNMATCHED);
    let mut select =
        connection.prepare(sql!("SELECT segment, role, field FROM segment_column ORDER BY rowid"))?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let role = role_named(&row.get::<_, String>(1)?);
        state.columns.entry((row.get(0)?, role)).or_default().push(row.get(2)?);
    }
    let mut select = connection.prepare(sql!("SELECT segment, role FROM plain_segment"))?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        state.plain.insert((row.get(0)?, role_named(&row.get::<_, String>(1)?)));
    }
    Ok(state)
}

fn role_named(name: &str) -> Role {
    if name == role_name(Role::Input) { Role::Input } else { Role::Downstream }
}

/// Records that a day's rows in a segment differ at the source.
pub(crate) fn insert_differing(connection: &Database, day: Day, segment: u32) -> Result<()> {
    connection.execute(sql!("INSERT INTO differing VALUES (?, ?)"), params![day.number(), segment])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(uuid: &str, set: Option<&str>) -> SourceOrigin {
        let unknown = SourceOrigin::unknown();
        SourceOrigin { collections: uuid.to_owned(), replica_set: set.map(str::to_owned), ..unknown }
    }

    #[test]
    fn what_is_not_known_of_a_source_makes_no_difference() {
        let one = origin("1", Some("id a"));
        for same in [&one, &origin("1", None), &origin("1", Some("name rs0")), &SourceOrigin::unknown()] {
            assert!(!one.is_other_than(same) && !same.is_other_than(&one), "{same:?}");
        }
        // A copy of the whole data keeps the collection's UUID, but is a different replica set.
        for other in [origin("2", Some("id a")), origin("1", Some("id b")), origin("2", None)] {
            assert!(one.is_other_than(&other) && other.is_other_than(&one), "{other:?}");
        }
    }

    fn held(origin: Option<u32>, fetched: i64) -> HeldDay {
        HeldDay {
            segment: 1,
            replaced: false,
            fetched: DateTime::from_timestamp(fetched, 0).expect("a time"),
            input_rows: 0,
            downstream_rows: 0,
            input_fields: FieldSet::default(),
            downstream_fields: FieldSet::default(),
            change_mark: None,
            differs: false,
            bounds: None,
            origin,
            left_out: BTreeMap::new(),
        }
    }

    /// Days of three sources, and one from before sources were recorded.
    #[test]
    fn an_answer_shows_days_of_one_source() {
        let days = [held(Some(1), 10), held(Some(2), 30), held(Some(3), 20), held(None, 5)];
        let state = FileState {
            days: (0..).map(Day::from_number).zip(days).collect(),
            origins: (1..).zip(["a", "b", "c"].map(|uuid| origin(uuid, None))).collect(),
            ..FileState::default()
        };
        let shown = |from: i32, to: i32| -> Vec<i32> {
            let range = DayRange::new(Day::from_number(from), Day::from_number(to)).expect("a range");
            state.shown_in(range).map(|(day, _)| day.number()).collect()
        };
        assert_eq!(shown(0, 3), [2, 3], "the source that was there last");
        assert_eq!(shown(0, 1), [1], "or else the one that was read last");
        assert_eq!(shown(0, 0), [0]);
        assert_eq!(shown(3, 3), [3]);
    }
}
