//! Stores a window. Its rows are committed first and read back from the file; then one transaction removes the old rows
//! of its days and records the new ones in the ledger.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use duckdb::arrow::array::{ArrayRef, Int32Array, Int64Array, StringArray};
use duckdb::arrow::datatypes::{DataType, Field as ArrowField, Schema};
use duckdb::arrow::record_batch::RecordBatch;
use duckdb::params;
use tracing::info;

use super::compare::{Others, Segments, compare};
use crate::answer::changes::Differences;
use crate::cache::file::cache_file::CacheFile;
use crate::cache::file::error::Result;
use crate::cache::file::ledger::{
    FileState, HeldDay, drop_segment, insert_differing, remove_days, remove_messages,
};
use crate::cache::file::read_back::{DocumentSums, SegmentSums};
use crate::cache::file::schema::{self, link_table, role_name, shared_table};
use crate::cache::file::sql::{Database, Sql, sql};
use crate::cache::read::scan::stored_under;
use crate::day::{Day, DaySet};
use crate::decode::{Decoded, Field, FieldId, FieldSet};
use crate::limits::Limits;
use crate::plan::ledger::DayBounds;
use crate::rows::Role;
use crate::source::SourceOrigin;

/// What is known about one day of a window when it is committed. Days without rows have an entry too.
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
    /// The greatest change stamp, if the mapping has one.
    pub change_mark: Option<String>,
    /// Whether these rows are known to differ from the source's, being copies of rows that do.
    pub differs: bool,
    /// The instants that bound the day.
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
    /// How the rows differ from those that were cached for these days; `None` if none of the days was cached.
    pub changes: Option<Differences>,
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

/// A trade that a message carries in addition to its first one.
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

/// Temporary tables for the trades that messages carry in addition to their first ones, and for the days after the
/// first on which trades have input. They belong to one window, and only its connection sees them.
const CREATE_CARRIED: Sql = sql!(
    "
    CREATE TEMP TABLE carried (number BIGINT, stored INTEGER, trade VARCHAR, day INTEGER);
    CREATE TEMP TABLE extra_days (day INTEGER, trade VARCHAR);"
);

/// The table that a role's rows are appended to.
#[derive(Debug, Default)]
struct Part {
    /// Number 0 is the segment's own table.
    number: u32,
    rows: usize,
}

/// How many new fields are at most added as columns to a table that has rows. For more of them, a new part costs
/// less.
const FEW_FIELDS: usize = 8;

/// A window's transaction. Dropped without [`commit`](Self::commit), it leaves no trace.
#[derive(Debug)]
pub struct SegmentWriter {
    // Before the file, so that it closes first.
    connection: Database,
    file: Arc<CacheFile>,
    segment: u32,
    /// The state of the file when the window was begun.
    state_at_begin: Arc<FileState>,
    /// The first segment that may belong to the same run.
    first_of_run: u32,
    columns: HashMap<Role, Vec<FieldId>>,
    /// The roles with a document whose columns do not say all about it.
    not_plain: BTreeSet<Role>,
    parts: HashMap<Role, Part>,
    rows_per_part: usize,
    /// The source of the rows.
    origin: Option<SourceOrigin>,
    /// Days whose rows are not stored.
    without: DaySet,
    /// What the appended rows add up to.
    sums: SegmentSums,
    stage: Stage,
}

/// How far a window has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Its rows are in an open transaction.
    Streaming,
    /// Its rows are in the file, but the ledger does not count them yet.
    Stored,
    /// It is in the ledger, or has been abandoned.
    Ended,
}

impl SegmentWriter {
    /// Begins a segment.
    ///
    /// # Errors
    /// See [`crate::cache::CacheError`].
    pub fn begin(file: Arc<CacheFile>) -> Result<Self> {
        let connection = file.connect()?;
        let segment = file.new_segment();
        file.begin_writing(&connection)?;
        // From here on, dropping the writer ends the writing, whatever fails.
        let writer = Self {
            state_at_begin: file.state(),
            connection,
            segment,
            first_of_run: segment,
            columns: HashMap::new(),
            not_plain: BTreeSet::new(),
            parts: HashMap::new(),
            rows_per_part: file.row_group_rows(),
            origin: None,
            without: DaySet::new(),
            sums: SegmentSums { segment, ..SegmentSums::default() },
            stage: Stage::Streaming,
            file,
        };
        writer.connection.execute_batch(sql!(
            "BEGIN TRANSACTION; {}; {}; {}; {}; {CREATE_CARRIED}",
            schema::create_segment(Role::Input, segment),
            schema::create_segment(Role::Downstream, segment),
            schema::create_numbers(&link_table(segment)),
            schema::create_numbers(&shared_table(segment)),
            CREATE_CARRIED
        ))?;
        Ok(writer)
    }

    /// Makes the segment a window of a run that began when [`CacheFile::next_segment`] was this. What the run's other
    /// windows bring does not count as cached before.
    #[must_use]
    pub const fn of_run_from(mut self, next_segment: u32) -> Self {
        self.first_of_run = next_segment;
        self
    }

    /// Sets the number of rows from which new fields begin a new part: as the limits say, but at most one row group,
    /// since DuckDB cannot add a column once a row group is written.
    #[must_use]
    pub fn with_limits(mut self, limits: &Limits) -> Self {
        self.rows_per_part = self.file.row_group_rows().min(limits.rows_per_part.get() as usize);
        self
    }

    /// Sets the source of the rows. Without it, where the rows came from is unknown.
    #[must_use]
    pub fn of_origin(mut self, origin: Option<SourceOrigin>) -> Self {
        self.origin = origin;
        self
    }

    /// Leaves out the rows of some days although they were appended, because they are not all rows of those days.
    #[must_use]
    pub fn without(mut self, days: DaySet) -> Self {
        self.without = days;
        self
    }

    /// Appends rows. New fields become columns first.
    ///
    /// # Errors
    /// See [`crate::cache::CacheError`].
    pub fn append(&mut self, role: Role, decoded: Decoded) -> Result<()> {
        self.file.raise_memory_limit(&self.connection, decoded.bytes / decoded.batch.num_rows().max(1))?;
        if !decoded.is_plain {
            self.not_plain.insert(role);
        }
        let known = self.columns.insert(role, decoded.fields.clone()).unwrap_or_default();
        let new = &decoded.fields[known.len()..];
        let part = self.parts.entry(role).or_default();
        // DuckDB 1.5 cannot add a column to a table if this transaction has written row groups of it: the next row
        // group fails, and the whole database with it (duckdb/duckdb#25724). It also keeps every earlier state of a
        // table that a column was added to, with all its columns, until the transaction ends.
        let is_costly = part.rows >= self.rows_per_part || new.len() > FEW_FIELDS;
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
        self.sums.of(role).add(&decoded.batch);
        let mut appender = self.connection.appender(&schema::part(role, self.segment, number))?;
        appender.append_record_batch(decoded.batch)?;
        appender.flush()?;
        if writes {
            self.file.release_written_blocks(&self.connection)?;
        }
        Ok(())
    }

    /// Creates a part with its fields, in place of an empty one.
    fn create_part(&self, role: Role, number: u32, fields: &[FieldId]) -> Result<()> {
        let fields: Vec<_> = fields.iter().map(|of| (*of, self.field(*of))).collect();
        Ok(self.connection.execute_batch(schema::create_part(role, self.segment, number, &fields))?)
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
    /// See [`crate::cache::CacheError`].
    pub fn days_with_repeated_input(&mut self) -> Result<Vec<Day>> {
        self.join_parts()?;
        let table = schema::table(Role::Input, self.segment);
        let mut select = self.connection.prepare(sql!(
            "SELECT DISTINCT day FROM {table}
             WHERE id IN (SELECT id FROM {table} GROUP BY id HAVING count(*) > 1) ORDER BY day",
            table
        ))?;
        let days = select.query_map([], |row| Ok(Day::from_number(row.get(0)?)))?;
        Ok(days.collect::<Result<_, duckdb::Error>>()?)
    }

    /// The days of rows whose `_id` came in two states: as input and as a message, or as messages of two trades.
    ///
    /// # Errors
    /// See [`crate::cache::CacheError`].
    pub fn days_with_two_states(&mut self) -> Result<Vec<Day>> {
        self.join_parts()?;
        let [input, downstream] =
            [Role::Input, Role::Downstream].map(|role| schema::table(role, self.segment));
        // Joins hashes, so that the join keeps no documents.
        let mut select = self.connection.prepare(sql!(
            "WITH messages AS (SELECT day, id, hash(doc) AS state FROM {downstream}),
                  trades AS (SELECT day, id, hash(doc) AS state FROM {input})
             SELECT trades.day FROM trades JOIN messages USING (id) WHERE trades.state <> messages.state
             UNION SELECT unnest([min(day), max(day)]) FROM messages GROUP BY id HAVING count(DISTINCT state) > 1",
            downstream,
            input
        ))?;
        let days = select.query_map([], |row| Ok(Day::from_number(row.get(0)?)))?;
        Ok(days.collect::<Result<_, duckdb::Error>>()?)
    }

    /// Joins the parts of each role into one table, the segment's own. Each row is copied once, however many fields
    /// came late.
    fn join_parts(&mut self) -> Result<()> {
        let parts = std::mem::take(&mut self.parts);
        for (role, last) in parts.iter().filter(|(_, part)| part.number > 0) {
            let number = last.number + 1;
            self.create_part(*role, number, &self.columns[role])?;
            let whole = schema::part(*role, self.segment, number);
            for number in 0..=last.number {
                let part = schema::part(*role, self.segment, number);
                self.connection.execute_batch(sql!(
                    "INSERT INTO {whole} BY NAME SELECT * FROM {part}; DROP TABLE {part};",
                    whole,
                    part
                ))?;
            }
            let table = schema::table(*role, self.segment);
            self.connection.execute_batch(sql!("ALTER TABLE {whole} RENAME TO {table}", whole, table))?;
        }
        Ok(())
    }

    /// Stores trades that messages carry in addition to their first ones.
    ///
    /// # Errors
    /// See [`crate::cache::CacheError`].
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
        self.append_own(&sql!("carried"), schema, columns)
    }

    /// Notes input rows that are also messages of their day's trades, and so are not appended as such.
    ///
    /// # Errors
    /// See [`crate::cache::CacheError`].
    pub(crate) fn share(&mut self, input: &[(Day, i64)]) -> Result<()> {
        if input.is_empty() {
            return Ok(());
        }
        let schema = Schema::new(vec![
            ArrowField::new("day", DataType::Int32, false),
            ArrowField::new("number", DataType::Int64, false),
        ]);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int32Array::from_iter_values(input.iter().map(|(day, _)| day.number()))),
            Arc::new(Int64Array::from_iter_values(input.iter().map(|(_, number)| *number))),
        ];
        let batch = RecordBatch::try_new(Arc::new(schema), columns).expect("the columns come from one list");
        let mut appender = self.connection.appender(&shared_table(self.segment))?;
        appender.append_record_batch(batch)?;
        Ok(appender.flush()?)
    }

    /// Appends to a temporary table of this connection.
    fn append_own(&self, table: &Sql, schema: Schema, columns: Vec<ArrayRef>) -> Result<()> {
        let batch = RecordBatch::try_new(Arc::new(schema), columns).expect("the columns come from one list");
        let mut appender = self.connection.appender_to(table, "temp", "main")?;
        appender.append_record_batch(batch)?;
        appender.flush()?;
        Ok(())
    }

    /// Commits the window: stores its rows, reads them back, then removes the old rows of its days and adds the
    /// coverage of the new ones.
    ///
    /// A downstream row must be appended once, under the first day of its first trade. [`carry`](Self::carry) stores
    /// its other trades, and `extra_days` names the days after the first on which trades have input.
    ///
    /// # Errors
    /// See [`crate::cache::CacheError`]. Nothing of the window is stored in that case.
    pub fn commit(
        mut self,
        mut days: BTreeMap<Day, DayRows>,
        extra_days: &[(Day, String)],
    ) -> Result<Committed> {
        self.join_parts()?;
        self.link_days(extra_days)?;
        self.part_from_input(&mut days)?;
        if !self.without.is_empty() {
            self.remove_without(&days)?;
        }
        let downstream = self.downstream_counts()?;
        self.store_rows()?;
        let file = Arc::clone(&self.file);
        let mut committed = Committed::default();
        let columns = std::mem::take(&mut self.columns);
        let result = file.commit(&self.connection, |state| {
            self.connection.execute_batch(sql!("BEGIN TRANSACTION"))?;
            committed.changes = self.compare_with_held(state, &days)?;
            for (day, rows) in &mut days {
                rows.differs |= self.was_marked_since(state, *day);
            }
            let removed = remove_days(&self.connection, state, days.keys().copied())?;
            let mut coverage = self.connection.appender(&sql!("coverage"))?;
            let mut left_out = self.connection.appender(&sql!("left_out"))?;
            let origin = self
                .origin
                .as_ref()
                .map(|origin| state.record_origin(&self.connection, origin))
                .transpose()?;
            for (day, rows) in days {
                let downstream_rows = downstream.get(&day).copied().unwrap_or(0);
                coverage.append_row(params![
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
                    left_out.append_row(params![self.segment, day.number(), reason, documents])?;
                }
                committed.input_rows += rows.input_rows;
                committed.downstream_rows += downstream_rows;
                let held = HeldDay {
                    segment: self.segment,
                    replaced: removed.iter().any(|(of, _)| *of == day),
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
            coverage.flush()?;
            left_out.flush()?;
            self.store_columns(&columns)?;
            for role in [Role::Input, Role::Downstream] {
                if !self.not_plain.contains(&role) {
                    let insert = sql!("INSERT INTO plain_segment VALUES (?, ?)");
                    self.connection.execute(insert, params![self.segment, role_name(role)])?;
                    state.plain.insert((self.segment, role));
                }
            }
            for (role, columns) in columns {
                state.columns.insert((self.segment, role), columns);
            }
            Ok(())
        });
        match result {
            Ok(()) => {
                self.stage = Stage::Ended;
                let Committed { input_rows, downstream_rows, .. } = committed;
                let file_bytes = std::fs::metadata(self.file.path()).map_or(0, |found| found.len());
                info!(segment = self.segment, input_rows, downstream_rows, file_bytes, "committed");
            }
            // Dropping the writer removes the rows.
            Err(_) => self.roll_back(),
        }
        result.map(|()| committed)
    }

    /// Deletes the rows of the days that are not stored.
    fn remove_without(&mut self, days: &BTreeMap<Day, DayRows>) -> Result<()> {
        remove_messages(&self.connection, self.segment, days.keys().copied(), self.without.days())?;
        let wanted = stored_under(&self.without);
        for role in [Role::Input, Role::Downstream] {
            let left = DocumentSums::of_table(&self.connection, role, self.segment, &wanted)?;
            self.sums.of(role).replace(&self.without, left);
        }
        Ok(())
    }

    /// Commits the rows, which the ledger does not count yet, and reads them back.
    fn store_rows(&mut self) -> Result<()> {
        self.file.commit_rows(&self.connection)?;
        self.stage = Stage::Stored;
        self.file.read_back(&self.connection, std::mem::take(&mut self.sums))
    }

    fn store_columns(&self, columns: &HashMap<Role, Vec<FieldId>>) -> Result<()> {
        let mut appender = self.connection.appender(&sql!("segment_column"))?;
        for (role, columns) in columns {
            for field in columns {
                appender.append_row(params![self.segment, role_name(*role), field])?;
            }
        }
        Ok(appender.flush()?)
    }

    /// Links messages with the days of their trades other than the one that they are stored under.
    fn link_days(&self, extra_days: &[(Day, String)]) -> Result<()> {
        if !extra_days.is_empty() {
            let schema = Schema::new(vec![
                ArrowField::new("day", DataType::Int32, false),
                ArrowField::new("trade", DataType::Utf8, false),
            ]);
            let columns: Vec<ArrayRef> = vec![
                Arc::new(Int32Array::from_iter_values(extra_days.iter().map(|(day, _)| day.number()))),
                Arc::new(StringArray::from_iter_values(extra_days.iter().map(|(_, trade)| trade))),
            ];
            self.append_own(&sql!("extra_days"), schema, columns)?;
        }
        let (links, messages) = (link_table(self.segment), schema::table(Role::Downstream, self.segment));
        self.connection.execute_batch(sql!(
            "INSERT INTO {links} SELECT DISTINCT day, number FROM (
                 SELECT extra_days.day, message.number, message.day AS stored
                 FROM {messages} AS message JOIN temp.extra_days AS extra_days USING (trade)
                 UNION ALL SELECT day, number, stored FROM temp.carried
                 UNION ALL SELECT extra_days.day, carried.number, carried.stored
                 FROM temp.carried AS carried JOIN temp.extra_days AS extra_days USING (trade))
             WHERE day <> stored;
             DROP TABLE temp.carried; DROP TABLE temp.extra_days;",
            links,
            messages
        ))?;
        Ok(())
    }

    /// Moves downstream rows that are also input of their only day to the table of shared rows, which only refers to
    /// the input.
    fn part_from_input(&mut self, days: &mut BTreeMap<Day, DayRows>) -> Result<()> {
        if self.file.identity().mapping.downstream_collection.is_some() {
            // Equal `_id`s in two collections mean nothing.
            return Ok(());
        }
        let [input, downstream] =
            [Role::Input, Role::Downstream].map(|role| schema::table(role, self.segment));
        let (shared, links) = (shared_table(self.segment), link_table(self.segment));
        // If an `_id` does not identify a document, only its bytes do.
        let same =
            if self.has_unique_ids() { sql!("") } else { sql!(" AND md5(input.doc) = md5(message.doc)") };
        self.connection.execute_batch(sql!(
            "CREATE TEMP TABLE twin AS
             SELECT message.number AS message, input.number AS input, input.day AS day
             FROM {downstream} AS message
             JOIN {input} AS input ON input.id = message.id AND input.day = message.day{same}
             WHERE message.number NOT IN (SELECT number FROM {links});
             INSERT INTO {shared} SELECT DISTINCT day, input FROM temp.twin;",
            downstream,
            input,
            same,
            links,
            shared
        ))?;
        let twins = sql!("number IN (SELECT message FROM temp.twin)");
        let deleted = DocumentSums::of_table(&self.connection, Role::Downstream, self.segment, &twins)?;
        self.sums.downstream.subtract(&deleted);
        let parted =
            self.connection.execute(sql!("DELETE FROM {downstream} WHERE {twins}", downstream, twins), [])?;
        self.connection.execute_batch(sql!("DROP TABLE temp.twin"))?;
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

    /// Reduces the downstream fields of each day to those of its remaining rows. Fields that are all nulls stay: they
    /// have no column to check. A linked message may have any field that a message of the window has.
    fn narrow_downstream_fields(&self, days: &mut BTreeMap<Day, DayRows>) -> Result<()> {
        let fields = self.columns.get(&Role::Downstream).map(Vec::as_slice).unwrap_or_default();
        let downstream = schema::table(Role::Downstream, self.segment);
        let list = Sql::join(fields.iter().map(|field| sql!(", count(c{field}) > 0", field)), "");
        let mut select = self.connection.prepare(sql!(
            "SELECT day{list} FROM {downstream} GROUP BY day",
            list,
            downstream
        ))?;
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
            let mut select = self.connection.prepare(sql!("SELECT DISTINCT day FROM {links}", links))?;
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
        let mut select = self.connection.prepare(sql!(
            "SELECT day, count(*) FROM (SELECT day FROM {messages} UNION ALL SELECT day FROM {links}) GROUP BY day",
            messages,
            links
        ))?;
        let rows = select.query_map([], |row| Ok((Day::from_number(row.get(0)?), row.get(1)?)))?;
        Ok(rows.collect::<Result<_, duckdb::Error>>()?)
    }

    /// Whether a check has found a day different since the window was begun. Its rows may have been read before the
    /// change, so they remain in doubt.
    fn was_marked_since(&self, state: &FileState, day: Day) -> bool {
        let differs = |state: &FileState| state.days.get(&day).is_some_and(|held| held.differs);
        differs(state) && !differs(&self.state_at_begin)
    }

    /// Compares the window with what is cached for its days.
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
            if old.replaced || old.segment < self.first_of_run {
                note(&mut others.earlier);
            }
        }
        let mapping = &self.file.identity().mapping;
        compare(&self.connection, self.segment, &held, &others, mapping, self.has_unique_ids())
    }

    fn roll_back(&self) {
        // A failed COMMIT has already rolled back, and a broken connection cannot roll back; either way nothing is
        // left.
        let _ = self.connection.execute_batch(sql!("ROLLBACK"));
    }
}

impl Drop for SegmentWriter {
    fn drop(&mut self) {
        match self.stage {
            Stage::Streaming => self.roll_back(),
            // If this fails, the next opening of the file removes the rows.
            Stage::Stored => drop(drop_segment(&self.connection, self.segment)),
            Stage::Ended => {}
        }
        self.file.end_writing(&self.connection);
    }
}

#[cfg(test)]
mod tests {
    use bson::{RawDocumentBuf, doc};

    use super::*;
    use crate::cache::{Cache, CacheErrorKind, CheckedDay, fixtures};
    use crate::decode::{Decoder, RowKey};

    /// A check finds a day different while the day is being fetched again: the rows may have been read before the
    /// change, so the mark stays. A mark that was set before the fetch began is settled by it.
    #[test]
    fn a_day_that_is_found_different_meanwhile_stays_marked() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::new(folder.path(), 0).expect("a cache");
        let file = fixtures::file(&cache, &[]);
        let day = Day::from_number(20_000);
        let differs = || file.state().days[&day].differs;
        let mark = || {
            let segment = file.state().days[&day].segment;
            let found = CheckedDay { segment, differed: false, differs: true };
            file.record_check(&[(day, found)].into()).expect("remembered");
        };
        fixtures::store(&file, day, DateTime::UNIX_EPOCH, 0..3);
        let fetched_again = SegmentWriter::begin(Arc::clone(&file)).expect("a transaction");
        mark();
        fetched_again.commit([(day, fixtures::empty_day())].into(), &[]).expect("committed");
        assert!(differs());
        let fetched_again = SegmentWriter::begin(Arc::clone(&file)).expect("a transaction");
        fetched_again.commit([(day, fixtures::empty_day())].into(), &[]).expect("committed");
        assert!(!differs());
    }

    /// Rows of one day, appended but not committed.
    fn appended(
        file: &Arc<CacheFile>,
        day: Day,
        ids: std::ops::Range<i32>,
    ) -> (SegmentWriter, BTreeMap<Day, DayRows>) {
        let mut decoder = Decoder::new(Arc::clone(file.registry()), false);
        let input_rows = u64::try_from(ids.len()).expect("few");
        for id in ids {
            let document = RawDocumentBuf::try_from(&doc! {"_id": id}).expect("encodes");
            decoder.push(RowKey { day, trade: None, read: 0 }, &document);
        }
        let mut writer = SegmentWriter::begin(Arc::clone(file)).expect("a transaction");
        writer.append(Role::Input, decoder.finish_batch().expect("rows")).expect("appended");
        (writer, [(day, DayRows { input_rows, ..fixtures::empty_day() })].into())
    }

    /// Changes a stored document behind the writer's back, as a fault of the storage would.
    fn falsify(connection: &Database, segment: u32) {
        let table = schema::table(Role::Input, segment);
        let changed = sql!("UPDATE {table} SET doc = '\\x00'::BLOB WHERE number = 1", table);
        assert_eq!(connection.execute(&changed, []).expect("changed"), 1);
    }

    fn tables_of(file: &CacheFile, segment: u32) -> usize {
        let connection = file.connect().expect("a connection");
        let names = schema::tables(segment).map(|table| table.as_str().to_owned());
        let mut select =
            connection.prepare(sql!("SELECT table_name FROM duckdb_tables()")).expect("a statement");
        let found = select.query_map([], |row| row.get::<_, String>(0)).expect("tables");
        found.filter(|name| names.contains(name.as_ref().expect("a name"))).count()
    }

    #[test]
    fn rows_that_are_not_read_as_they_were_written_are_not_counted() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::new(folder.path(), 0).expect("a cache");
        let file = fixtures::file(&cache, &[]);
        let day = Day::from_number(20_000);
        fixtures::store(&file, day, DateTime::UNIX_EPOCH, 0..3);
        let before = file.state().days[&day].segment;
        let (writer, days) = appended(&file, day, 0..5);
        let segment = writer.segment;
        falsify(&writer.connection, segment);
        let error = writer.commit(days, &[]).expect_err("a row is another one");
        assert!(matches!(error.kind(), CacheErrorKind::Corrupt(_)), "{error:?}");
        assert_eq!((file.state().days[&day].segment, file.state().days[&day].input_rows), (before, 3));
        assert_eq!((tables_of(&file, before), tables_of(&file, segment)), (4, 0));
    }

    /// A window that is stored beside others may have been read from memory only, so the last one reads it again.
    #[test]
    fn the_last_window_reads_the_earlier_ones_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::new(folder.path(), 0).expect("a cache");
        let file = fixtures::file(&cache, &[]);
        let [sound, faulty, last] = [20_000, 20_001, 20_002].map(Day::from_number);
        let windows = [sound, faulty, last].map(|day| appended(&file, day, 0..5));
        let [first, second, third] = windows;
        let segment = second.0.segment;
        for (writer, days) in [first, second] {
            writer.commit(days, &[]).expect("committed");
        }
        falsify(&file.connect().expect("a connection"), segment);
        let error = third.0.commit(third.1, &[]).expect_err("a row is another one");
        assert!(matches!(error.kind(), CacheErrorKind::Corrupt(_)), "{error:?}");
        assert_eq!(file.state().days.keys().collect::<Vec<_>>(), [&sound]);
        // What was found is not looked for again, and a day removed in the meantime is nothing to find.
        let (writer, days) = appended(&file, last, 0..5);
        writer.commit(days, &[]).expect("committed");
    }

    /// The windows of a long fetch overlap, so none of them would ever be stored alone.
    #[test]
    fn after_several_windows_one_waits_for_those_beside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::new(folder.path(), 0).expect("a cache");
        let file = fixtures::file(&cache, &[]);
        let day = |number| Day::from_number(20_000 + number);
        let (beside, days) = appended(&file, day(0), 0..5);
        for number in 1..=8 {
            fixtures::store(&file, day(number), DateTime::UNIX_EPOCH, 0..3);
        }
        let next = {
            let file = Arc::clone(&file);
            std::thread::spawn(move || {
                let (_writer, _) = appended(&file, day(10), 0..5);
                file.state().days.len()
            })
        };
        std::thread::sleep(std::time::Duration::from_millis(200));
        beside.commit(days, &[]).expect("committed");
        assert_eq!(next.join().expect("it goes on"), 9, "it did not wait");
    }

    /// The program ended after the rows were stored and before they were recorded.
    #[test]
    fn rows_that_the_ledger_does_not_count_are_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let day = Day::from_number(20_000);
        let segment = {
            let cache = Cache::new(folder.path(), 0).expect("a cache");
            let file = fixtures::file(&cache, &[]);
            fixtures::store(&file, day, DateTime::UNIX_EPOCH, 0..3);
            let (mut writer, _) = appended(&file, day.next(), 0..5);
            writer.store_rows().expect("stored");
            writer.stage = Stage::Ended;
            writer.segment
        };
        let cache = Cache::new(folder.path(), 0).expect("a cache");
        let file = fixtures::file(&cache, &[]);
        assert_eq!((tables_of(&file, file.state().days[&day].segment), tables_of(&file, segment)), (4, 0));
        fixtures::store(&file, day.next(), DateTime::UNIX_EPOCH, 0..3);
        assert_eq!(file.state().days.len(), 2);
    }
}
