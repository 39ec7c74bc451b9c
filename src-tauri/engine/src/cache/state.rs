//! What a file holds: its ledger, its fields, and the columns of its tables.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use duckdb::{Connection, params};

use super::schema::{self, role_name};
use crate::day::{Day, DayRange};
use crate::decode::{Field, FieldId, FieldSet};
use crate::desk::Role;
use crate::failure::{Code, Failure, Result};
use crate::plan::{DayCoverage, Ledger};

/// A held day in the ledger.
#[derive(Debug, Clone)]
pub struct HeldDay {
    /// The segment that holds its rows.
    pub segment: u32,
    /// Whether this program brought it in place of rows that were held before.
    pub again: bool,
    /// When it was fetched: the moment its window's pull began.
    pub fetched: DateTime<Utc>,
    /// Input rows.
    pub input_rows: u64,
    /// Downstream rows, those that are input rows of the asked days included.
    pub downstream_rows: u64,
    /// Fields that its input rows have.
    pub input_fields: FieldSet,
    /// Fields that its downstream rows have.
    pub downstream_fields: FieldSet,
    /// The greatest change stamp of its input rows, where the mapping has one.
    pub change_mark: Option<String>,
    /// Whether a verification has found the day different at the source; see [`DayCoverage`].
    pub differs: bool,
}

impl HeldDay {
    /// Rows of a role.
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
    /// The held days.
    pub days: BTreeMap<Day, HeldDay>,
    /// Physical columns of the segments' tables.
    pub columns: BTreeMap<(u32, Role), Vec<FieldId>>,
    /// Names this state among all that this process has seen, of any file; a view of another is stale.
    pub generation: u64,
}

impl FileState {
    /// The ledger as the plan reads it.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.days
            .iter()
            .map(|(day, held)| {
                let coverage = DayCoverage {
                    fetched: held.fetched,
                    input_rows: held.input_rows,
                    downstream_rows: held.downstream_rows,
                    differs: held.differs,
                };
                (*day, coverage)
            })
            .collect()
    }

    /// Held days within a range.
    pub fn held_in(&self, range: DayRange) -> impl Iterator<Item = (Day, &HeldDay)> {
        self.days.range(range.from()..=range.to()).map(|(day, held)| (*day, held))
    }
}

/// A number that no state of this process has had.
pub(super) fn next_generation() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

/// Takes days out of the ledger and their rows out of the tables; a segment left without a day goes.
pub(super) fn remove_days(
    connection: &Connection,
    state: &mut FileState,
    days: impl Iterator<Item = Day>,
) -> Result<Vec<(Day, HeldDay)>> {
    let removed: Vec<(Day, HeldDay)> =
        days.filter_map(|day| state.days.remove(&day).map(|held| (day, held))).collect();
    for (day, held) in &removed {
        connection.execute("DELETE FROM coverage WHERE day = ?", params![day.number()])?;
        if state.days.values().any(|other| other.segment == held.segment) {
            for table in tables(held.segment) {
                connection.execute(&format!("DELETE FROM {table} WHERE day = ?"), params![day.number()])?;
            }
        }
    }
    let mut segments: Vec<u32> = removed.iter().map(|(_, held)| held.segment).collect();
    segments.sort_unstable();
    segments.dedup();
    for segment in segments {
        if state.days.values().any(|other| other.segment == segment) {
            continue;
        }
        for table in tables(segment) {
            connection.execute_batch(&format!("DROP TABLE {table}"))?;
        }
        state.columns.retain(|(of, _), _| *of != segment);
        connection.execute("DELETE FROM segment_column WHERE segment = ?", params![segment])?;
    }
    Ok(removed)
}

pub(super) fn tables(segment: u32) -> [String; 3] {
    [
        schema::table(Role::Input, segment),
        schema::table(Role::Downstream, segment),
        schema::shared_table(segment),
    ]
}

/// The fields that the file knows, by number.
pub(super) fn read_fields(connection: &Connection) -> Result<Vec<Field>> {
    let mut select = connection.prepare("SELECT path, kind FROM field ORDER BY number")?;
    let rows = select.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    rows.map(|row| {
        let (path, kind) = row?;
        schema::read_field(&path, &kind).ok_or_else(|| {
            Failure::new(
                Code::CacheDamaged,
                format!("The cache file names a type that this Tidemark does not know: {kind}."),
            )
        })
    })
    .collect()
}

/// The state as it was committed last.
pub(super) fn read_state(connection: &Connection) -> Result<FileState> {
    let mut state = FileState { generation: next_generation(), ..FileState::default() };
    let mut select = connection.prepare(
        "SELECT day, segment, fetched_ms, input_rows, downstream_rows, input_fields, downstream_fields, change_mark,
             (day, segment) IN (SELECT (day, segment) FROM differing)
         FROM coverage",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let fetched_ms: i64 = row.get(2)?;
        let held = HeldDay {
            segment: row.get(1)?,
            again: false,
            fetched: DateTime::from_timestamp_millis(fetched_ms).ok_or_else(|| {
                Failure::new(Code::CacheDamaged, "The cache file holds a fetch time that cannot be.")
            })?,
            input_rows: row.get(3)?,
            downstream_rows: row.get(4)?,
            input_fields: FieldSet::from_text(&row.get::<_, String>(5)?),
            downstream_fields: FieldSet::from_text(&row.get::<_, String>(6)?),
            change_mark: row.get(7)?,
            differs: row.get(8)?,
        };
        state.days.insert(Day::from_number(row.get(0)?), held);
    }
    let mut select = connection.prepare("SELECT segment, role, field FROM segment_column ORDER BY rowid")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let role: String = row.get(1)?;
        let role = if role == role_name(Role::Input) { Role::Input } else { Role::Downstream };
        state.columns.entry((row.get(0)?, role)).or_default().push(row.get(2)?);
    }
    Ok(state)
}
