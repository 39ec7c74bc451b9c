//! Adoption: days of a broader cached query, filtered locally and copied with their fetch time.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use bson::RawDocument;
use duckdb::arrow::array::{ArrayRef, AsArray as _, Int32Array, Int64Array, StringArray, UInt8Array};
use duckdb::arrow::datatypes::{Int32Type, Int64Type};
use duckdb::arrow::record_batch::RecordBatch;
use tokio_util::sync::CancellationToken;

use super::copied::{CopiedRows, column, unreadable};
use super::segment_writer::{Carried, Committed, DayRows, SegmentWriter};
use crate::answer::left_out;
use crate::bson::change_stamp::ChangeStamp;
use crate::cache::file::cache_file::CacheFile;
use crate::cache::file::error::{CacheError, CacheErrorKind, Missing, Result, Work};
use crate::cache::file::ledger::{FileState, HeldDay};
use crate::cache::file::schema;
use crate::cache::file::sql::{Database, Sql, sql};
use crate::cache::read::scan::{stored_under, wanted_rows};
use crate::cache::read::verdict::{NO, SegmentColumns, UNDECIDED, YES};
use crate::day::{Day, DayRange, DaySet};
use crate::decode::{FieldSet, Kind};
use crate::limits::Limits;
use crate::plan::ledger::Ledger;
use crate::query::filter::FieldCondition;
use crate::query::local_match;
use crate::query::mapping::Mapping;
use crate::query::trade::{TradeIds, Trades};
use crate::rows::Role;

/// The days to adopt.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The days.
    pub days: DayRange,
    /// The query's own ledger, as the plan saw it.
    pub held: Ledger,
}

/// The result of an adoption.
#[derive(Debug, Clone, Default)]
pub struct Adopted {
    /// The days that were copied.
    pub days: DaySet,
    /// What was stored for them.
    pub committed: Committed,
    /// The failure that kept the other wanted days from being copied, after some were.
    pub stopped: Option<CacheError>,
}

/// About how many trades beyond the first ones of messages are buffered before they are stored.
const CARRIED: usize = 4_096;

/// Copies the rows of the wanted days that meet `conditions` from a broader query's file.
///
/// A day that has been fetched since the plan was made stays as it is, and so does one that was found different at
/// the source since: the plan chose the copy over what was cached then. No other window of the query may be storing
/// these days meanwhile.
///
/// A downstream message of a day belongs to the trades of that day, so it is copied if one of its trades was. A
/// message that is input of the broader query is downstream here if its trade is input here: the broader file records
/// which of its input are also messages. The mapping is that of the query, whose change stamp the files may not know
/// yet.
///
/// # Errors
/// `cancelled` if it was, and if a document cannot be decided locally as MongoDB would, so that its days have to be
/// fetched; `not_cached` if the broader file no longer has a day; see [`crate::cache::CacheError`].
pub fn adopt(
    target: &Arc<CacheFile>,
    broader: &Arc<CacheFile>,
    wanted: &Wanted,
    conditions: &[FieldCondition],
    mapping: &Mapping,
    limits: &Limits,
    cancel: &CancellationToken,
) -> Result<Adopted> {
    let days = as_planned(target, wanted);
    if days.is_empty() {
        return Ok(Adopted::default());
    }
    let (connection, state) = broader.snapshot()?;
    let mut by_segment: BTreeMap<u32, Vec<Day>> = BTreeMap::new();
    for day in days.days() {
        let Some(held) = state.days.get(&day) else {
            return Err(CacheErrorKind::NotCached(Missing::CopiedDay).into());
        };
        by_segment.entry(held.segment).or_default().push(day);
    }
    let copying = Copying {
        target,
        broader,
        connection: &connection,
        state: &state,
        conditions,
        mapping,
        limits,
        cancel,
    };
    let mut adopted = Adopted::default();
    for (segment, days) in by_segment {
        // One window per segment: within a window, every message is stored once.
        match copying.segment(segment, &days.iter().copied().collect()) {
            Ok(committed) => {
                adopted.days = adopted.days.union(&days.into_iter().collect());
                adopted.committed.extend(committed);
            }
            Err(failure) if adopted.days.is_empty() => return Err(failure),
            Err(failure) => {
                adopted.stopped = Some(failure);
                break;
            }
        }
    }
    target.record_collation(&broader.collation())?;
    Ok(adopted)
}

/// What the copies of several segments have in common.
struct Copying<'a> {
    target: &'a Arc<CacheFile>,
    broader: &'a Arc<CacheFile>,
    connection: &'a Database,
    state: &'a FileState,
    conditions: &'a [FieldCondition],
    mapping: &'a Mapping,
    limits: &'a Limits,
    cancel: &'a CancellationToken,
}

/// Temporary tables in the broader file's database: the input rows to copy, their trades with the first day of each,
/// the messages to copy with their trade and day, and the input that is copied as messages.
const CREATE_CHOSEN: Sql = sql!(
    "
    CREATE OR REPLACE TEMP TABLE chosen_input (number BIGINT, verdict UTINYINT);
    CREATE OR REPLACE TEMP TABLE chosen_trade (trade VARCHAR, day INTEGER);
    CREATE OR REPLACE TEMP TABLE chosen_message (number BIGINT, day INTEGER, trade VARCHAR);
    CREATE OR REPLACE TEMP TABLE chosen_shared (number BIGINT, day INTEGER, trade VARCHAR);"
);

/// A row that is copied as a message.
struct ChosenMessage {
    number: i64,
    day: Day,
    trade: String,
}

/// What is found out about the input while it is copied.
#[derive(Default)]
struct Noted {
    trades: Trades,
    rows: HashMap<Day, u64>,
    marks: HashMap<Day, Option<ChangeStamp>>,
    odd_ids: HashMap<Day, u64>,
    /// The days that messages are linked with, besides those they are stored under.
    linked: HashSet<Day>,
    /// Links not yet stored.
    carried: Vec<Carried>,
}

impl Copying<'_> {
    /// Copies some days of one segment. The columns decide which rows are copied, as far as they can, and the documents
    /// decide the rest.
    fn segment(&self, segment: u32, days: &DaySet) -> Result<Committed> {
        let Self { target, state, mapping, .. } = self;
        let origin = days.days().find_map(|day| state.origin_of(state.days.get(&day)?)).cloned();
        let mut writer = SegmentWriter::begin(Arc::clone(target))?.with_limits(self.limits).of_origin(origin);
        self.connection.execute_batch(CREATE_CHOSEN)?;
        self.choose_input(segment, days)?;
        let mut noted = Noted::default();
        let mut presence = HashMap::new();
        presence.insert(Role::Input, self.copy_input(&mut writer, segment, days, &mut noted)?);
        let mut messages = HashMap::new();
        if let Some(path) = mapping.trade_path(Role::Downstream) {
            messages = self.copy_messages(&mut writer, segment, days, path, &mut noted)?;
        }
        presence.insert(Role::Downstream, messages);
        writer.carry(&noted.carried)?;
        let Noted { trades, rows: counts, mut marks, mut odd_ids, mut linked, .. } = noted;
        let extra_days = trades.into_extra_days();
        let mut any = FieldSet::default();
        presence[&Role::Downstream].values().for_each(|fields| any.extend(fields));
        linked.extend(extra_days.iter().map(|(day, _)| *day));
        let rows = days
            .days()
            .filter_map(|day| {
                let held = state.days.get(&day)?;
                let mut fields =
                    |role| presence.get_mut(&role).and_then(|of| of.remove(&day)).unwrap_or_default();
                let (input_fields, mut downstream_fields) = (fields(Role::Input), fields(Role::Downstream));
                if linked.contains(&day) {
                    downstream_fields.extend(&any);
                }
                let mut left_out = held.left_out.clone();
                // Counted above for the trades that match this query.
                left_out.remove(left_out::TRADE_ID);
                left_out.extend(odd_ids.remove(&day).map(|trades| (left_out::TRADE_ID.to_owned(), trades)));
                let rows = DayRows {
                    fetched: held.fetched,
                    input_rows: counts.get(&day).copied().unwrap_or(0),
                    input_fields,
                    downstream_fields,
                    change_mark: marks.remove(&day).flatten().as_ref().and_then(ChangeStamp::to_text),
                    differs: held.differs,
                    bounds: held.bounds,
                    left_out,
                };
                Some((day, rows))
            })
            .collect();
        writer.commit(rows, &extra_days)
    }

    /// Fills the table of chosen input.
    fn choose_input(&self, segment: u32, days: &DaySet) -> Result<()> {
        let Self { connection, state, broader, .. } = self;
        let table = schema::table(Role::Input, segment);
        let columns = SegmentColumns::of(broader, state, segment, Role::Input, days);
        let verdict = columns.verdict(self.conditions);
        connection.execute(
            sql!(
                "INSERT INTO temp.chosen_input SELECT number, verdict FROM (
                     SELECT number, {} AS verdict FROM {table} WHERE {}) WHERE verdict <> {NO}",
                verdict.sql,
                stored_under(days),
                table,
                NO
            ),
            duckdb::params_from_iter(verdict.values),
        )?;
        let mut accepted = Vec::new();
        let undecided = sql!(
            "SELECT number, doc FROM {table}
             WHERE number IN (SELECT number FROM temp.chosen_input WHERE verdict = {UNDECIDED})",
            table,
            UNDECIDED
        );
        self.each_document(&undecided, &mut |number, document| {
            for condition in self.conditions {
                match local_match::matches(condition, document) {
                    Some(true) => {}
                    Some(false) => return Ok(()),
                    None => return Err(undecidable()),
                }
            }
            accepted.push(number);
            Ok(())
        })?;
        if accepted.is_empty() {
            return Ok(());
        }
        let verdicts = UInt8Array::from_value(YES, accepted.len());
        self.insert(
            &sql!("chosen_input"),
            vec![("number", Arc::new(Int64Array::from(accepted))), ("verdict", Arc::new(verdicts))],
        )
    }

    /// Copies the chosen input, and returns the fields of each day.
    fn copy_input(
        &self,
        writer: &mut SegmentWriter,
        segment: u32,
        days: &DaySet,
        noted: &mut Noted,
    ) -> Result<HashMap<Day, FieldSet>> {
        let mapping = self.mapping;
        let mut copied = self.copied(segment, Role::Input, days);
        let table = schema::table(Role::Input, segment);
        let select = sql!(
            "SELECT number, day, id, read, doc{} FROM {table}
             WHERE number IN (SELECT number FROM temp.chosen_input WHERE verdict = {YES})",
            self.fields(segment, Role::Input),
            table,
            YES
        );
        let mut ids = Vec::new();
        self.connection.stream(&select, [], &mut |batch| {
            self.go_on()?;
            let numbers = column(&batch, "day")?.as_primitive::<Int32Type>().values();
            let documents = column(&batch, "doc")?.as_binary::<i32>();
            for (day, bytes) in numbers.iter().zip(documents.iter().flatten()) {
                let day = Day::from_number(*day);
                let document = RawDocument::from_bytes(bytes).map_err(unreadable)?;
                if let Some(path) = &mapping.trade_id {
                    if noted.trades.note(path, day, document, &mut ids) == TradeIds::Odd {
                        *noted.odd_ids.entry(day).or_default() += 1;
                    }
                    // Their messages are not requested from the server.
                    ids.clear();
                }
                if let Some(path) = &mapping.changed_at {
                    let mark = noted.marks.entry(day).or_default();
                    *mark = mark.take().max(ChangeStamp::at(document, path));
                }
                *noted.rows.entry(day).or_default() += 1;
            }
            copied.push(&batch)?;
            flush(writer, Role::Input, &mut copied, false)
        })?;
        flush(writer, Role::Input, &mut copied, true)?;
        Ok(copied.into_presence())
    }

    /// Copies the messages of the trades that were noted, and returns the fields of each day.
    fn copy_messages(
        &self,
        writer: &mut SegmentWriter,
        segment: u32,
        days: &DaySet,
        path: &str,
        noted: &mut Noted,
    ) -> Result<HashMap<Day, FieldSet>> {
        let first_days: Vec<(&str, Day)> = noted.trades.first_days().collect();
        self.insert(
            &sql!("chosen_trade"),
            vec![
                ("trade", Arc::new(StringArray::from_iter_values(first_days.iter().map(|(key, _)| key)))),
                (
                    "day",
                    Arc::new(Int32Array::from_iter_values(first_days.iter().map(|(_, day)| day.number()))),
                ),
            ],
        )?;
        self.choose_messages(writer, segment, days, path, noted)?;
        let numbers_from = self.choose_shared(writer, segment, days, path, noted)?;
        let mut copied = self.copied(segment, Role::Downstream, days);
        let [input, messages] = [Role::Input, Role::Downstream].map(|role| schema::table(role, segment));
        let of_messages = sql!(
            "SELECT message.number, chosen.day, id, chosen.trade, read, doc{} FROM {messages} AS message
             JOIN temp.chosen_message AS chosen ON chosen.number = message.number",
            self.fields(segment, Role::Downstream),
            messages
        );
        let of_input = sql!(
            "SELECT input.number + {numbers_from} AS number, chosen.day, id, chosen.trade, read, doc{}
             FROM {input} AS input JOIN temp.chosen_shared AS chosen ON chosen.number = input.number",
            self.fields(segment, Role::Input),
            numbers_from,
            input
        );
        for select in [of_messages, of_input] {
            self.connection.stream(&select, [], &mut |batch| {
                self.go_on()?;
                copied.push(&batch)?;
                flush(writer, Role::Downstream, &mut copied, false)
            })?;
        }
        flush(writer, Role::Downstream, &mut copied, true)?;
        Ok(copied.into_presence())
    }

    /// Fills the table of chosen messages. Those with several trades are judged by their documents.
    fn choose_messages(
        &self,
        writer: &mut SegmentWriter,
        segment: u32,
        days: &DaySet,
        path: &str,
        noted: &mut Noted,
    ) -> Result<()> {
        let Self { connection, state, broader, .. } = self;
        let table = schema::table(Role::Downstream, segment);
        let several =
            SegmentColumns::of(broader, state, segment, Role::Downstream, days).trade_key(path).several;
        connection.execute_batch(sql!(
            "INSERT INTO temp.chosen_message SELECT number, chosen.day, trade
             FROM {table} JOIN temp.chosen_trade AS chosen USING (trade) WHERE NOT {several}",
            table,
            several
        ))?;
        let wanted = wanted_rows(connection, Role::Downstream, segment, &stored_under(days))?;
        let select =
            sql!("SELECT number, doc FROM {table} WHERE {several} AND {wanted}", table, several, wanted);
        let chosen = self.by_document(writer, &select, path, 0, noted)?;
        self.insert_messages(&sql!("chosen_message"), &chosen)
    }

    /// Chooses among the input that is also a message of its day's trades. What is copied as input of the only day of
    /// its trade is noted as shared again; the rest becomes messages, with numbers from the one that is returned.
    fn choose_shared(
        &self,
        writer: &mut SegmentWriter,
        segment: u32,
        days: &DaySet,
        path: &str,
        noted: &mut Noted,
    ) -> Result<i64> {
        let Self { connection, state, broader, .. } = self;
        let [table, messages] = [Role::Input, Role::Downstream].map(|role| schema::table(role, segment));
        let (shared, days_sql) = (schema::shared_table(segment), stored_under(days));
        let from: i64 = connection.query_row(
            sql!("SELECT coalesce(max(number), -1) + 1 FROM {messages}", messages),
            [],
            |row| row.get(0),
        )?;
        let is_shared =
            sql!("{days_sql} AND number IN (SELECT number FROM {shared} WHERE {days_sql})", days_sql, shared);
        let key = SegmentColumns::of(broader, state, segment, Role::Input, days).trade_key(path);
        let select = sql!(
            "SELECT number, input.day, chosen.day, trade,
                 number IN (SELECT number FROM temp.chosen_input WHERE verdict = {YES})
             FROM (SELECT number, day, {} AS trade FROM {table} WHERE {is_shared} AND NOT {}) AS input
             JOIN temp.chosen_trade AS chosen USING (trade)",
            key.key,
            key.undecided,
            YES,
            table,
            is_shared
        );
        let (mut again, mut chosen) = (Vec::new(), Vec::new());
        {
            let mut statement = connection.prepare(&select)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                self.go_on()?;
                let (number, own, day): (i64, i32, i32) = (row.get(0)?, row.get(1)?, row.get(2)?);
                let trade: String = row.get(3)?;
                if row.get(4)? && own == day && !noted.trades.has_extra_days(&trade) {
                    again.push((Day::from_number(day), number));
                } else {
                    chosen.push(ChosenMessage { number, day: Day::from_number(day), trade });
                }
            }
        }
        writer.share(&again)?;
        let select =
            sql!("SELECT number, doc FROM {table} WHERE {} AND {is_shared}", key.undecided, table, is_shared);
        chosen.extend(self.by_document(writer, &select, path, from, noted)?);
        self.insert_messages(&sql!("chosen_shared"), &chosen)?;
        Ok(from)
    }

    /// Chooses messages by the trades in their documents. The rows get numbers from `numbers_from` in the copy.
    fn by_document(
        &self,
        writer: &mut SegmentWriter,
        select: &Sql,
        path: &str,
        numbers_from: i64,
        noted: &mut Noted,
    ) -> Result<Vec<ChosenMessage>> {
        let mut chosen = Vec::new();
        self.each_document(select, &mut |number, document| {
            let mut found = noted.trades.of_message(path, document, &(0..usize::MAX)).into_iter();
            let Some((trade, stored)) = found.next() else { return Ok(()) };
            chosen.push(ChosenMessage { number, day: stored, trade });
            for (trade, day) in found {
                noted.linked.insert(day);
                noted.carried.push(Carried { number: number + numbers_from, stored, trade, day });
            }
            if noted.carried.len() >= CARRIED {
                writer.carry(&std::mem::take(&mut noted.carried))?;
            }
            Ok(())
        })?;
        Ok(chosen)
    }

    /// Calls `each` with the numbers and documents that a statement returns.
    fn each_document(
        &self,
        select: &Sql,
        each: &mut dyn FnMut(i64, &RawDocument) -> Result<()>,
    ) -> Result<()> {
        self.connection.stream(select, [], &mut |batch| {
            self.go_on()?;
            let numbers = column(&batch, "number")?.as_primitive::<Int64Type>().values();
            let documents = column(&batch, "doc")?.as_binary::<i32>();
            for (number, bytes) in numbers.iter().zip(documents.iter().flatten()) {
                each(*number, RawDocument::from_bytes(bytes).map_err(unreadable)?)?;
            }
            Ok(())
        })
    }

    fn insert_messages(&self, table: &Sql, chosen: &[ChosenMessage]) -> Result<()> {
        self.insert(
            table,
            vec![
                ("number", Arc::new(Int64Array::from_iter_values(chosen.iter().map(|chosen| chosen.number)))),
                (
                    "day",
                    Arc::new(Int32Array::from_iter_values(chosen.iter().map(|chosen| chosen.day.number()))),
                ),
                ("trade", Arc::new(StringArray::from_iter_values(chosen.iter().map(|chosen| &chosen.trade)))),
            ],
        )
    }

    /// Inserts rows into a temporary table.
    fn insert(&self, table: &Sql, columns: Vec<(&str, ArrayRef)>) -> Result<()> {
        let batch = RecordBatch::try_from_iter(columns).expect("the columns come from one list");
        let mut appender = self.connection.appender_to(table, "temp", "main")?;
        appender.append_record_batch(batch)?;
        Ok(appender.flush()?)
    }

    fn copied(&self, segment: u32, role: Role, days: &DaySet) -> CopiedRows<'_> {
        let held = days.days().filter_map(|day| Some((day, self.state.days.get(&day)?)));
        // Input may be copied as messages, which then have its fields.
        let both = |held: &HeldDay| {
            let mut fields = held.fields(role).clone();
            fields.extend(held.fields(Role::Input));
            fields
        };
        let fields: Vec<(Day, FieldSet)> = held.map(|(day, held)| (day, both(held))).collect();
        let is_plain = |role| self.state.plain.contains(&(segment, role));
        CopiedRows::new(
            self.broader.registry(),
            self.target.registry(),
            fields.iter().map(|(day, fields)| (*day, fields)),
            is_plain(role) && is_plain(Role::Input),
            self.limits,
        )
    }

    /// The columns of a segment's fields, each after a comma.
    fn fields(&self, segment: u32, role: Role) -> Sql {
        let registry = self.broader.registry();
        let fields = self.state.columns.get(&(segment, role)).into_iter().flatten();
        let stored =
            fields.filter(|field| registry.field(**field).is_some_and(|field| field.kind != Kind::Null));
        Sql::join(stored.map(|field| sql!(", {}", schema::column(*field))), "")
    }

    fn go_on(&self) -> Result<()> {
        if self.cancel.is_cancelled() {
            return Err(CacheErrorKind::Cancelled(Work::Fetch).into());
        }
        Ok(())
    }
}

/// The wanted days that have not been fetched or checked since the plan was made.
fn as_planned(target: &CacheFile, wanted: &Wanted) -> DaySet {
    let state = target.state();
    let is_as_planned = |day: &Day| {
        let Some(held) = state.days.get(day) else { return true };
        wanted.held.get(day).is_some_and(|then| (then.fetched, then.differs) == (held.fetched, held.differs))
    };
    wanted.days.days().filter(is_as_planned).collect()
}

fn flush(writer: &mut SegmentWriter, role: Role, copied: &mut CopiedRows<'_>, all: bool) -> Result<()> {
    if (all || copied.is_full())
        && let Some(rows) = copied.finish_batch()?
    {
        writer.append(role, rows)?;
    }
    Ok(())
}

fn undecidable() -> CacheError {
    CacheErrorKind::Undecided.into()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::cache::{Cache, CheckedDay, fixtures};

    /// A plan may be outdated when it is carried out: another run may have fetched or checked a day since.
    #[test]
    fn what_came_since_the_plan_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::new(folder.path(), 0).expect("a cache");
        let days = [20_000, 20_001, 20_002, 20_003].map(Day::from_number);
        let [new, as_planned, newer, checked] = days;
        let at = |hour: i64| DateTime::from_timestamp(20_005 * 86_400 + hour * 3_600, 0).expect("a time");
        let broader = fixtures::file(&cache, &[]);
        let query = fixtures::file(&cache, &["NG"]);
        for day in days {
            fixtures::store(&broader, day, at(2), 0..10);
        }
        for day in [as_planned, newer, checked] {
            fixtures::store(&query, day, at(1), 0..3);
        }
        let wanted =
            Wanted { days: DayRange::new(new, checked).expect("a range"), held: query.state().ledger() };
        fixtures::store(&query, newer, at(3), 0..4);
        let segment = query.state().days[&checked].segment;
        let found = CheckedDay { segment, differed: false, differs: true };
        query.record_check(&[(checked, found)].into()).expect("remembered");

        let (mapping, limits, cancel) = (Mapping::default(), Limits::default(), CancellationToken::new());
        let adopted = adopt(&query, &broader, &wanted, &[], &mapping, &limits, &cancel).expect("adopted");

        assert_eq!(adopted.days, [new, as_planned].into_iter().collect());
        assert_eq!(adopted.committed.input_rows, 20);
        let state = query.state();
        let held = |day| {
            let held = &state.days[&day];
            (held.fetched, held.input_rows, held.differs)
        };
        let copied = (at(2), 10, false);
        assert_eq!(days.map(held), [copied, copied, (at(3), 4, false), (at(1), 3, true)]);
    }
}
