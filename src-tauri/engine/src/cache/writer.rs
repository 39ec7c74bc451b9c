//! Storing a window: its rows and its coverage in one transaction.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use duckdb::arrow::array::{ArrayRef, Int32Array, Int64Array, StringArray};
use duckdb::arrow::datatypes::{DataType, Field as ArrowField, Schema};
use duckdb::arrow::record_batch::RecordBatch;
use duckdb::{Connection, params};

use super::compare::{Others, Segments, compare};
use super::file::CacheFile;
use super::schema::{self, link_table, role_name, shared_table};
use super::state::{FileState, HeldDay, Origin, remove_days, remove_messages};
use crate::answer::changes::Differences;
use crate::day::{Day, DaySet};
use crate::decode::{Decoded, Field, FieldId, FieldSet};
use crate::failure::Result;
use crate::limits::Limits;
use crate::plan::ledger::DayBounds;
use crate::rows::Role;

/// What is known of one day of a window when it is committed. Days without rows have an entry too.
#[derive(Debug, Clone, Default)]
pub struct DayRows {
    /// When the pull of the day began.
    pub fetched: DateTime<Utc>,
    /// Input rows.
    pub input_rows: u64,
    /// Fields of the input rows.
    pub input_fields: FieldSet,
    /// Fields of the downstream rows.
    pub downstream_fields: FieldSet,
    /// The greatest change stamp, where the mapping has one.
    pub change_mark: Option<String>,
    /// Whether these rows are known to differ from the source's: a copy of rows that do.
    pub differs: bool,
    /// The instants between which the day lies.
    pub bounds: Option<DayBounds>,
    /// Documents that the day leaves out, per reason.
    pub left_out: BTreeMap<String, u64>,
}

/// What a commit stored.
#[derive(Debug, Clone, Default)]
pub struct Committed {
    /// Input rows.
    pub input_rows: u64,
    /// Downstream rows.
    pub downstream_rows: u64,
    /// What differs from what was held of these days, where any of them was held.
    pub changes: Option<Differences>,
}

/// Notes that a day's rows in a segment differ at the source.
pub(super) fn insert_differing(connection: &Connection, day: Day, segment: u32) -> Result<()> {
    connection.execute("INSERT INTO differing VALUES (?, ?)", params![day.number(), segment])?;
    Ok(())
}

impl Committed {
    /// Adds what another window stored.
    pub(crate) fn extend(&mut self, other: Self) {
        self.input_rows += other.input_rows;
        self.downstream_rows += other.downstream_rows;
        if let Some(changes) = other.changes {
            self.changes.get_or_insert_default().extend(&changes);
        }
    }
}

/// A trade that a message carries beside its first one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// The number of the message's row.
    pub number: i64,
    /// The day under which the message is stored.
    pub stored: Day,
    /// The equality key of the trade.
    pub trade: String,
    /// The first day on which the trade has input.
    pub day: Day,
}

/// The trades that messages carry beside their first ones, and the days after the first on which trades have
/// input. They are of one window, and its connection alone sees them.
const CREATE_CARRIED: &str = "
    CREATE TEMP TABLE carried (number BIGINT, stored INTEGER, trade VARCHAR, day INTEGER);
    CREATE TEMP TABLE further (day INTEGER, trade VARCHAR);";

/// The table that a role's rows are appended to.
#[derive(Debug, Default)]
struct Part {
    /// The first is the segment's own table.
    number: u32,
    rows: usize,
}

/// New fields for which columns are added to a table that has rows. For more of them a new part costs less.
const FEW_FIELDS: usize = 8;

/// A window's transaction. Dropped without [`commit`](Self::commit), it leaves no trace.
#[derive(Debug)]
pub struct SegmentWriter {
    // Before the file, so that it closes first.
    connection: Connection,
    file: Arc<CacheFile>,
    segment: u32,
    /// What was held when the window was begun.
    begun: Arc<FileState>,
    /// The first segment that may be of the same run.
    run_since: u32,
    columns: HashMap<Role, Vec<FieldId>>,
    parts: HashMap<Role, Part>,
    rows_a_part: usize,
    /// The source of the rows.
    origin: Option<Origin>,
    /// Days whose rows are not to be stored.
    without: DaySet,
    open: bool,
}

impl SegmentWriter {
    /// Begins a segment.
    ///
    /// # Errors
    /// See [`super::duckdb_failure`].
    pub fn begin(file: Arc<CacheFile>) -> Result<Self> {
        let connection = file.connect()?;
        let segment = file.new_segment();
        file.begin_writing(&connection)?;
        // From here on, whatever fails, the drop of the writer ends the writing.
        let writer = Self {
            begun: file.state(),
            connection,
            segment,
            run_since: segment,
            columns: HashMap::new(),
            parts: HashMap::new(),
            rows_a_part: file.row_group_rows(),
            origin: None,
            without: DaySet::new(),
            open: true,
            file,
        };
        writer.connection.execute_batch(&format!(
            "BEGIN TRANSACTION; {}; {}; {}; {}; {CREATE_CARRIED}",
            schema::create_segment(Role::Input, segment),
            schema::create_segment(Role::Downstream, segment),
            schema::create_numbers(&link_table(segment)),
            schema::create_numbers(&shared_table(segment)),
        ))?;
        Ok(writer)
    }

    /// As one window of a run that began when [`CacheFile::next_segment`] was this. What its other windows
    /// bring was not held before.
    #[must_use]
    pub const fn of_run_since(mut self, next_segment: u32) -> Self {
        self.run_since = next_segment;
        self
    }

    /// With parts as large as the limits say, but never so large that row groups are written of them.
    #[must_use]
    pub fn with_limits(mut self, limits: &Limits) -> Self {
        self.rows_a_part = self.file.row_group_rows().min(limits.rows_a_part.get() as usize);
        self
    }

    /// With rows of this source. Without it, where the rows came from is unknown.
    #[must_use]
    pub fn of_origin(mut self, origin: Option<Origin>) -> Self {
        self.origin = origin;
        self
    }

    /// Without the rows of some days, although they were appended: they are not all of the day's.
    #[must_use]
    pub fn without(mut self, days: DaySet) -> Self {
        self.without = days;
        self
    }

    /// Appends rows. New fields become columns first.
    ///
    /// # Errors
    /// See [`super::duckdb_failure`].
    pub fn append(&mut self, role: Role, decoded: Decoded) -> Result<()> {
        self.file.make_room(&self.connection, decoded.bytes / decoded.batch.num_rows().max(1))?;
        let known = self.columns.insert(role, decoded.fields.clone()).unwrap_or_default();
        let new = &decoded.fields[known.len()..];
        let part = self.parts.entry(role).or_default();
        // DuckDB 1.5 cannot add a column to a table of which this transaction has written row groups: the
        // next row group fails, and the whole database with it (duckdb/duckdb#25724). And until the transaction ends,
        // it keeps each state of a table that a column was added to, with all its columns.
        let is_costly = part.rows >= self.rows_a_part || new.len() > FEW_FIELDS;
        let begins = part.rows > 0 && !new.is_empty() && is_costly;
        if begins {
            *part = Part { number: part.number + 1, rows: 0 };
        }
        let is_empty = part.rows == 0;
        let row_group = self.file.row_group_rows();
        let full_before = part.rows / row_group;
        part.rows += decoded.batch.num_rows();
        let writes = part.rows / row_group > full_before;
        let number = part.number;
        if is_empty {
            self.create_part(role, number, &decoded.fields)?;
        } else {
            self.add_columns(role, number, new)?;
        }
        let mut appender = self.connection.appender(&schema::part(role, self.segment, number))?;
        appender.append_record_batch(decoded.batch)?;
        appender.flush()?;
        if writes {
            self.file.let_go_of_written_blocks(&self.connection)?;
        }
        Ok(())
    }

    /// Creates a part with its fields, in place of an empty one.
    fn create_part(&self, role: Role, number: u32, fields: &[FieldId]) -> Result<()> {
        let fields: Vec<_> = fields.iter().map(|of| (*of, self.field(*of))).collect();
        Ok(self.connection.execute_batch(&schema::create_part(role, self.segment, number, &fields))?)
    }

    fn add_columns(&self, role: Role, number: u32, fields: &[FieldId]) -> Result<()> {
        for of in fields {
            if let Some(statement) = schema::add_column(role, self.segment, number, *of, &self.field(*of)) {
                self.connection.execute_batch(&statement)?;
            }
        }
        Ok(())
    }

    fn field(&self, of: FieldId) -> Field {
        self.file.registry().field(of).expect("the decoder took the number from there")
    }

    /// The days of input rows whose `_id` came more than once.
    ///
    /// # Errors
    /// See [`super::duckdb_failure`].
    pub fn days_with_repeated_input(&mut self) -> Result<Vec<Day>> {
        self.join_parts()?;
        let table = schema::table(Role::Input, self.segment);
        let mut select = self.connection.prepare(&format!(
            "SELECT DISTINCT day FROM {table}
             WHERE id IN (SELECT id FROM {table} GROUP BY id HAVING count(*) > 1) ORDER BY day"
        ))?;
        let days = select.query_map([], |row| Ok(Day::from_number(row.get(0)?)))?;
        Ok(days.collect::<Result<_, duckdb::Error>>()?)
    }

    /// The days of rows whose `_id` came in two states: as input and as a message, or as messages of two trades.
    ///
    /// # Errors
    /// See [`super::duckdb_failure`].
    pub fn days_with_two_states(&mut self) -> Result<Vec<Day>> {
        self.join_parts()?;
        let [input, downstream] =
            [Role::Input, Role::Downstream].map(|role| schema::table(role, self.segment));
        // The hashes, so that no documents are kept for the join.
        let mut select = self.connection.prepare(&format!(
            "WITH messages AS (SELECT day, id, hash(doc) AS state FROM {downstream}),
                  trades AS (SELECT day, id, hash(doc) AS state FROM {input})
             SELECT trades.day FROM trades JOIN messages USING (id) WHERE trades.state <> messages.state
             UNION SELECT unnest([min(day), max(day)]) FROM messages GROUP BY id HAVING count(DISTINCT state) > 1"
        ))?;
        let days = select.query_map([], |row| Ok(Day::from_number(row.get(0)?)))?;
        Ok(days.collect::<Result<_, duckdb::Error>>()?)
    }

    /// Makes one table, the segment's own, of a role's parts. Each row is copied once, however many fields
    /// came late.
    fn join_parts(&mut self) -> Result<()> {
        let parts = std::mem::take(&mut self.parts);
        for (role, last) in parts.iter().filter(|(_, part)| part.number > 0) {
            let number = last.number + 1;
            self.create_part(*role, number, &self.columns[role])?;
            let whole = schema::part(*role, self.segment, number);
            for number in 0..=last.number {
                let part = schema::part(*role, self.segment, number);
                self.connection.execute_batch(&format!(
                    "INSERT INTO {whole} BY NAME SELECT * FROM {part}; DROP TABLE {part};"
                ))?;
            }
            let table = schema::table(*role, self.segment);
            self.connection.execute_batch(&format!("ALTER TABLE {whole} RENAME TO {table}"))?;
        }
        Ok(())
    }

    /// Notes trades that messages carry beside their first ones.
    ///
    /// # Errors
    /// See [`super::duckdb_failure`].
    pub fn carry(&mut self, carried: &[Carried]) -> Result<()> {
        if carried.is_empty() {
            return Ok(());
        }
        let column = |name: &str, data_type: DataType| ArrowField::new(name, data_type, false);
        let schema = Schema::new(vec![
            column("number", DataType::Int64),
            column("stored", DataType::Int32),
            column("trade", DataType::Utf8),
            column("day", DataType::Int32),
        ]);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from_iter_values(carried.iter().map(|carried| carried.number))),
            Arc::new(Int32Array::from_iter_values(carried.iter().map(|carried| carried.stored.number()))),
            Arc::new(StringArray::from_iter_values(carried.iter().map(|carried| &carried.trade))),
            Arc::new(Int32Array::from_iter_values(carried.iter().map(|carried| carried.day.number()))),
        ];
        self.append_own("carried", schema, columns)
    }

    /// Appends to a table of this connection's own.
    fn append_own(&self, table: &str, schema: Schema, columns: Vec<ArrayRef>) -> Result<()> {
        let batch = RecordBatch::try_new(Arc::new(schema), columns).expect("the columns come from one list");
        let mut appender = self.connection.appender_to_catalog_and_db(table, "temp", "main")?;
        appender.append_record_batch(batch)?;
        appender.flush()?;
        Ok(())
    }

    /// Commits the window: the old rows of its days out, the new rows and their coverage in.
    ///
    /// A downstream row is appended once, under the first day of its first trade. [`carry`](Self::carry) notes
    /// its other trades, and `further` names the further days on which trades have input.
    ///
    /// # Errors
    /// See [`super::duckdb_failure`]. Nothing of the window is stored then.
    pub fn commit(
        mut self,
        mut days: BTreeMap<Day, DayRows>,
        further: &[(Day, String)],
    ) -> Result<Committed> {
        self.join_parts()?;
        self.link_days(further)?;
        self.part_from_input(&mut days)?;
        if !self.without.is_empty() {
            let stored = days.keys().copied();
            remove_messages(&self.connection, self.segment, stored, self.without.days())?;
        }
        let downstream = self.downstream_counts()?;
        let file = Arc::clone(&self.file);
        let mut committed = Committed::default();
        self.open = false;
        let columns = std::mem::take(&mut self.columns);
        let result = file.commit(&self.connection, |state| {
            committed.changes = self.compare_with_held(state, &days)?;
            for (day, rows) in &mut days {
                rows.differs |= self.was_marked_since(state, *day);
            }
            let removed = remove_days(&self.connection, state, days.keys().copied())?;
            let mut insert =
                self.connection.prepare("INSERT INTO coverage VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?;
            let mut leave_out = self.connection.prepare("INSERT INTO left_out VALUES (?, ?, ?, ?)")?;
            let origin = self
                .origin
                .as_ref()
                .map(|origin| state.record_origin(&self.connection, origin))
                .transpose()?;
            for (day, rows) in days {
                let downstream_rows = downstream.get(&day).copied().unwrap_or(0);
                insert.execute(params![
                    day.number(),
                    self.segment,
                    rows.fetched.timestamp_millis(),
                    rows.input_rows,
                    downstream_rows,
                    rows.input_fields.to_text(),
                    rows.downstream_fields.to_text(),
                    rows.change_mark,
                    rows.bounds.map(|bounds| bounds.begins.timestamp_millis()),
                    rows.bounds.map(|bounds| bounds.ends.timestamp_millis()),
                    origin,
                ])?;
                for (reason, documents) in &rows.left_out {
                    leave_out.execute(params![self.segment, day.number(), reason, documents])?;
                }
                committed.input_rows += rows.input_rows;
                committed.downstream_rows += downstream_rows;
                let held = HeldDay {
                    segment: self.segment,
                    again: removed.iter().any(|(of, _)| *of == day),
                    fetched: DateTime::from_timestamp_millis(rows.fetched.timestamp_millis())
                        .unwrap_or(rows.fetched),
                    input_rows: rows.input_rows,
                    downstream_rows,
                    input_fields: rows.input_fields,
                    downstream_fields: rows.downstream_fields,
                    change_mark: rows.change_mark,
                    differs: rows.differs,
                    bounds: rows.bounds,
                    origin,
                    left_out: rows.left_out,
                };
                if held.differs {
                    insert_differing(&self.connection, day, self.segment)?;
                }
                state.days.insert(day, held);
            }
            self.store_columns(&columns)?;
            for (role, columns) in columns {
                state.columns.insert((self.segment, role), columns);
            }
            Ok(())
        });
        match result {
            // What is committed stays so, whatever becomes of the memory.
            Ok(()) => {
                let _ = self.file.let_go_of_written_blocks(&self.connection);
            }
            Err(_) => self.roll_back(),
        }
        result.map(|()| committed)
    }

    fn store_columns(&self, columns: &HashMap<Role, Vec<FieldId>>) -> Result<()> {
        let mut insert = self.connection.prepare("INSERT INTO segment_column VALUES (?, ?, ?)")?;
        for (role, columns) in columns {
            for field in columns {
                insert.execute(params![self.segment, role_name(*role), field])?;
            }
        }
        Ok(())
    }

    /// Links messages with the days of their trades beyond the one that they are stored under.
    fn link_days(&self, further: &[(Day, String)]) -> Result<()> {
        if !further.is_empty() {
            let schema = Schema::new(vec![
                ArrowField::new("day", DataType::Int32, false),
                ArrowField::new("trade", DataType::Utf8, false),
            ]);
            let columns: Vec<ArrayRef> = vec![
                Arc::new(Int32Array::from_iter_values(further.iter().map(|(day, _)| day.number()))),
                Arc::new(StringArray::from_iter_values(further.iter().map(|(_, trade)| trade))),
            ];
            self.append_own("further", schema, columns)?;
        }
        let (links, messages) = (link_table(self.segment), schema::table(Role::Downstream, self.segment));
        self.connection.execute_batch(&format!(
            "INSERT INTO {links} SELECT DISTINCT day, number FROM (
                 SELECT further.day, message.number, message.day AS stored
                 FROM {messages} AS message JOIN temp.further AS further USING (trade)
                 UNION ALL SELECT day, number, stored FROM temp.carried
                 UNION ALL SELECT further.day, carried.number, carried.stored
                 FROM temp.carried AS carried JOIN temp.further AS further USING (trade))
             WHERE day <> stored;
             DROP TABLE temp.carried; DROP TABLE temp.further;"
        ))?;
        Ok(())
    }

    /// Downstream rows that are input of their only day become a note of it.
    fn part_from_input(&self, days: &mut BTreeMap<Day, DayRows>) -> Result<()> {
        if self.file.identity().mapping.downstream_collection.is_some() {
            // An `_id` says nothing across two collections.
            return Ok(());
        }
        let [input, downstream] =
            [Role::Input, Role::Downstream].map(|role| schema::table(role, self.segment));
        let (shared, links) = (shared_table(self.segment), link_table(self.segment));
        // If an `_id` does not identify a document, only its bytes do.
        let same = if self.has_unique_ids() { "" } else { " AND md5(input.doc) = md5(message.doc)" };
        self.connection.execute_batch(&format!(
            "CREATE TEMP TABLE twin AS
             SELECT message.number AS message, input.number AS input, input.day AS day
             FROM {downstream} AS message
             JOIN {input} AS input ON input.id = message.id AND input.day = message.day{same}
             WHERE message.number NOT IN (SELECT number FROM {links});
             INSERT INTO {shared} SELECT DISTINCT day, input FROM temp.twin;"
        ))?;
        let parted = self.connection.execute(
            &format!("DELETE FROM {downstream} WHERE number IN (SELECT message FROM temp.twin)"),
            [],
        )?;
        self.connection.execute_batch("DROP TABLE temp.twin")?;
        if parted == 0 {
            return Ok(());
        }
        self.narrow_downstream_fields(days)
    }

    /// Whether an `_id` identifies a document, as it does unless the source is known to be a view, a time
    /// series or sharded.
    fn has_unique_ids(&self) -> bool {
        self.origin.as_ref().is_none_or(|origin| origin.unique_input && origin.unique_downstream)
    }

    /// What the remaining downstream rows of each day have. Fields that are all nulls stay: they have no
    /// column to ask. What a message is linked with may have any field that a message of the window has.
    fn narrow_downstream_fields(&self, days: &mut BTreeMap<Day, DayRows>) -> Result<()> {
        let fields = self.columns.get(&Role::Downstream).map(Vec::as_slice).unwrap_or_default();
        let downstream = schema::table(Role::Downstream, self.segment);
        let list: String = fields.iter().map(|field| format!(", count(c{field}) > 0")).collect();
        let mut select =
            self.connection.prepare(&format!("SELECT day{list} FROM {downstream} GROUP BY day"))?;
        let mut rows = select.query([])?;
        let mut found: HashMap<Day, FieldSet> = HashMap::new();
        while let Some(row) = rows.next()? {
            let present = found.entry(Day::from_number(row.get(0)?)).or_default();
            for (place, field) in fields.iter().enumerate() {
                if row.get(place + 1)? {
                    present.insert(*field);
                }
            }
        }
        let linked: HashSet<Day> = {
            let links = link_table(self.segment);
            let mut select = self.connection.prepare(&format!("SELECT DISTINCT day FROM {links}"))?;
            let days = select.query_map([], |row| row.get(0).map(Day::from_number))?;
            days.collect::<Result<_, duckdb::Error>>()?
        };
        let mut any = FieldSet::default();
        found.values().for_each(|fields| any.extend(fields));
        for (day, rows) in days {
            if linked.contains(day) {
                found.entry(*day).or_default().extend(&any);
            }
            rows.downstream_fields = match found.remove(day) {
                Some(mut present) => {
                    present.extend(&rows.downstream_fields.without(fields));
                    present
                }
                None => FieldSet::default(),
            };
        }
        Ok(())
    }

    /// How many messages belong to each day.
    fn downstream_counts(&self) -> Result<HashMap<Day, u64>> {
        let (messages, links) = (schema::table(Role::Downstream, self.segment), link_table(self.segment));
        let mut select = self.connection.prepare(&format!(
            "SELECT day, count(*) FROM (SELECT day FROM {messages} UNION ALL SELECT day FROM {links}) GROUP BY day"
        ))?;
        let rows = select.query_map([], |row| Ok((Day::from_number(row.get(0)?), row.get(1)?)))?;
        Ok(rows.collect::<Result<_, duckdb::Error>>()?)
    }

    /// Whether a check has found a day different since the window was begun. Its rows may have been read
    /// before the change, so they stay in doubt.
    fn was_marked_since(&self, state: &FileState, day: Day) -> bool {
        let differs = |state: &FileState| state.days.get(&day).is_some_and(|held| held.differs);
        differs(state) && !differs(&self.begun)
    }

    /// How the window differs from what is held of its days.
    fn compare_with_held(
        &self,
        state: &FileState,
        days: &BTreeMap<Day, DayRows>,
    ) -> Result<Option<Differences>> {
        let latest = self.file.connect()?;
        let mut held = Segments::new();
        let mut others = Others { latest: &latest, all: Segments::new(), earlier: Segments::new() };
        for (day, old) in &state.days {
            let note = |segments: &mut Segments| segments.entry(old.segment).or_default().push(*day);
            if days.contains_key(day) {
                note(&mut held);
                continue;
            }
            note(&mut others.all);
            if old.again || old.segment < self.run_since {
                note(&mut others.earlier);
            }
        }
        let trade_id = self.file.identity().mapping.trade_id.as_deref();
        compare(&self.connection, self.segment, &held, &others, trade_id, self.has_unique_ids())
    }

    fn roll_back(&self) {
        // A failed COMMIT has rolled back already, and a broken connection cannot; both leave nothing.
        let _ = self.connection.execute_batch("ROLLBACK");
    }
}

impl Drop for SegmentWriter {
    fn drop(&mut self) {
        if self.open {
            self.roll_back();
        }
        self.file.end_writing(&self.connection);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::{Cache, CheckedDay, samples};

    /// A check finds a day different while the day is being fetched again: the rows may have been read before
    /// the change. What was known when the fetch began is settled by it.
    #[test]
    fn a_day_that_is_found_different_meanwhile_stays_marked() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::new(folder.path(), 0).expect("a cache");
        let file = samples::file(&cache, &[]);
        let day = Day::from_number(20_000);
        let differs = || file.state().days[&day].differs;
        let mark = || {
            let segment = file.state().days[&day].segment;
            let found = CheckedDay { segment, differed: false, differs: true };
            file.record_check(&[(day, found)].into()).expect("remembered");
        };
        samples::store(&file, day, DateTime::UNIX_EPOCH, 0..3);
        let fetched_again = SegmentWriter::begin(Arc::clone(&file)).expect("a transaction");
        mark();
        fetched_again.commit([(day, samples::empty_day())].into(), &[]).expect("committed");
        assert!(differs());
        let fetched_again = SegmentWriter::begin(Arc::clone(&file)).expect("a transaction");
        fetched_again.commit([(day, samples::empty_day())].into(), &[]).expect("committed");
        assert!(!differs());
    }
}
