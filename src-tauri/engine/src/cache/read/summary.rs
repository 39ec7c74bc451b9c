//! Summaries of the rows that a query selects: a column's values and sums, and groups.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use duckdb::arrow::array::{Array as _, ArrayRef, AsArray as _};
use duckdb::arrow::datatypes::Int64Type;

use super::cell_test::quoted;
use super::cells::Cells;
use super::column::{Column, Holder, find_column};
use super::stop::Stop;
use super::tally::{self, Cell, End, Tally, text_of};
use super::view::View;
use super::worker::Worker;
use crate::cache::file::error::{Purpose, Result};
use crate::cache::file::sql::{Sql, sql};
use crate::day::{Day, DayZone};
use crate::decode::Kind;
use crate::rows::filter_text::Quantity;
use crate::rows::summary::{
    ColumnSums, ColumnValues, DateUnit, FigureKind, Group, GroupKey, GroupRequest, Groups, ValueCount,
};
use crate::rows::{ColumnCondition, RowQuery};

/// How a date is written in a condition.
const MILLIS: chrono::SecondsFormat = chrono::SecondsFormat::Millis;

impl View {
    /// The values of a column, the most frequent first. The query's own conditions on the column are left out.
    ///
    /// # Errors
    /// See [`View::count`]; `bad_filter` if there is no such column.
    pub fn values(
        &self,
        query: &RowQuery,
        path: &str,
        containing: &str,
        limit: u32,
        stop: &Stop,
    ) -> Result<ColumnValues> {
        let column = find_column(&self.columns(query.role), path, Purpose::Summary)?;
        let cells = Cells::of([(&column, false)]);
        let worker = self.worker(stop)?;
        let narrowing = self.narrowing(&worker, query, None, Some(path))?;
        let counted = cells.counted(self, query.role, &narrowing);
        stop.check()?;
        worker.execute_batch(sql!(
            "CREATE OR REPLACE TEMP TABLE listed AS
             SELECT text, sum(n)::BIGINT AS n FROM (SELECT {} AS text, n FROM ({counted})) GROUP BY text",
            cells.text(0),
            counted
        ))?;
        let wanted = if containing.is_empty() {
            sql!("text IS NOT NULL")
        } else {
            sql!("contains(lower(text), lower({}))", quoted(containing))
        };
        let number = |select: Sql| worker.query_row(select, [], |row| row.get::<_, u64>(0));
        let total = number(sql!("SELECT count(*) FROM temp.listed WHERE {wanted}", wanted))?;
        let empty = number(sql!("SELECT coalesce(sum(n), 0)::BIGINT FROM temp.listed WHERE text IS NULL"))?;
        let mut values = Vec::new();
        {
            let mut select = worker.prepare(sql!(
                "SELECT text, n FROM temp.listed WHERE {wanted} ORDER BY n DESC, text LIMIT {limit}",
                wanted,
                limit
            ))?;
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                values.push(ValueCount { value: row.get(0)?, rows: row.get(1)? });
            }
        }
        worker.execute_batch(sql!("DROP TABLE temp.listed"))?;
        let further = total.saturating_sub(values.len() as u64);
        Ok(ColumnValues { generation: self.generation(), values, further, empty })
    }

    /// What a column adds up to.
    ///
    /// # Errors
    /// See [`View::count`]; `bad_filter` if there is no such column.
    pub fn sums(&self, query: &RowQuery, path: &str, stop: &Stop) -> Result<ColumnSums> {
        let column = find_column(&self.columns(query.role), path, Purpose::Summary)?;
        let cells = Cells::of([(&column, false)]);
        let worker = self.worker(stop)?;
        let narrowing = self.narrowing(&worker, query, None, None)?;
        let counted = cells.counted(self, query.role, &narrowing);
        let holders: Vec<Holder> = column.holders().collect();
        let list = cells.holders(0).map(|(number, holder)| {
            let name = sql!("h{number}", number);
            sql!("{}, ", tally::select(holder, &name))
        });
        let list = Sql::join(list, "");
        // Cells of different types may have the same text.
        let is_one_type = holders.len() < 2;
        let text = if is_one_type { sql!("NULL::VARCHAR") } else { cells.text(0) };
        let (mut rows, mut distinct) = (0, 0);
        let mut tally = if is_one_type { Tally::default() } else { Tally::with_distinct() };
        let select = sql!("SELECT {list}n, {text} FROM ({counted})", list, text, counted);
        worker.each_batch(&select, &mut |batch| {
            let arrays = batch.columns();
            let count = arrays[holders.len()].as_primitive::<Int64Type>();
            let texts = arrays[holders.len() + 1].as_string_opt::<i32>();
            for row in 0..batch.num_rows() {
                let n = count.value(row).unsigned_abs();
                rows += n;
                let Some(cell) = tally::read(&holders, &arrays[..holders.len()], row)? else { continue };
                distinct += 1;
                tally.add(cell, n);
                if let (Some(known), Some(texts)) = (&mut tally.distinct, texts)
                    && !known.contains(texts.value(row))
                {
                    known.insert(texts.value(row).to_owned());
                }
            }
            Ok(())
        })?;
        if let Some(texts) = &tally.distinct {
            distinct = texts.len() as u64;
        }
        let end = |greatest| tally.end(greatest).map(|(end, _)| shown(&worker, &end)).transpose();
        Ok(ColumnSums {
            generation: self.generation(),
            rows,
            filled: tally.filled,
            distinct,
            numbers: tally.numbers,
            sum: tally.sum().as_ref().map(text_of),
            average: tally.average().as_ref().map(text_of),
            min: end(false)?,
            max: end(true)?,
        })
    }

    /// Groups of rows.
    ///
    /// # Errors
    /// See [`View::count`]; `bad_filter` if a column does not exist.
    pub fn groups(
        &self,
        query: &RowQuery,
        request: &GroupRequest,
        zone: DayZone,
        stop: &Stop,
    ) -> Result<Groups> {
        let columns = self.columns(query.role);
        let find = |path: &str| find_column(&columns, path, Purpose::Summary);
        let by: Vec<(Column, Option<DateUnit>)> =
            request.by.iter().map(|by| Ok((find(&by.path)?, by.unit))).collect::<Result<_>>()?;
        // A pass over the rows for each column that figures are of, and one that counts them.
        let mut measured: BTreeMap<&str, (Column, bool)> = BTreeMap::new();
        for figure in &request.figures {
            let Some(path) = figure.path.as_deref() else { continue };
            let is_distinct = figure.what == FigureKind::Distinct;
            match measured.get_mut(path) {
                Some((_, distinct)) => *distinct |= is_distinct,
                None => {
                    measured.insert(path, (find(path)?, is_distinct));
                }
            }
        }
        let worker = self.worker(stop)?;
        let narrowing = self.narrowing(&worker, query, None, None)?;
        let pass = GroupPass { view: self, worker: &worker, by: &by, zone };
        let counted = |column| {
            let cells = Cells::of(by.iter().map(|(column, unit)| (column, unit.is_some())).chain(column));
            (cells.counted(self, query.role, &narrowing), cells)
        };
        let mut rows: HashMap<Key, u64> = HashMap::new();
        let mut tallies: HashMap<&str, HashMap<Key, Tally>> = HashMap::new();
        if measured.is_empty() {
            let (select, cells) = counted(None);
            pass.run(&select, &cells, None, &mut |key, _, _, n| {
                *rows.entry(key.to_vec()).or_default() += n;
            })?;
        }
        for (place, (path, (column, is_distinct))) in measured.iter().enumerate() {
            let (select, cells) = counted(Some((column, false)));
            let tallies = tallies.entry(*path).or_default();
            let new = || if *is_distinct { Tally::with_distinct() } else { Tally::default() };
            let measured = Measured { column, wants_texts: *is_distinct };
            pass.run(&select, &cells, Some(&measured), &mut |key, cell, text, n| {
                if place == 0 {
                    *rows.entry(key.to_vec()).or_default() += n;
                }
                let Some(cell) = cell else { return };
                if !tallies.contains_key(key) {
                    tallies.insert(key.to_vec(), new());
                }
                let Some(tally) = tallies.get_mut(key) else { return };
                tally.add(cell, n);
                if let (Some(known), Some(text)) = (&mut tally.distinct, text)
                    && !known.contains(text)
                {
                    known.insert(text.to_owned());
                }
            })?;
        }
        let empty = Tally::default();
        let figure_of = |key: &Key, place: usize| {
            let figure = &request.figures[place];
            let Some(path) = figure.path.as_deref() else {
                return Some(Worked::count(rows.get(key).copied().unwrap_or(0)));
            };
            Worked::of(figure.what, tallies.get(path).and_then(|of| of.get(key)).unwrap_or(&empty))
        };
        let mut keys: Vec<&Key> = rows.keys().collect();
        let key_order = |a: &Key, b: &Key| {
            let each =
                a.iter().zip(b).zip(&by).map(|((a, b), (column, _))| compare_keys(column, a, b, false));
            each.fold(Ordering::Equal, Ordering::then)
        };
        keys.sort_by(|a, b| key_order(a, b));
        if let Some(sort) = &request.sort {
            let at = sort.column as usize;
            if let Some((column, _)) = by.get(at) {
                keys.sort_by(|a, b| compare_keys(column, &a[at], &b[at], sort.descending));
            } else if at - by.len() < request.figures.len() {
                let mut worked: Vec<_> =
                    keys.into_iter().map(|key| (figure_of(key, at - by.len()), key)).collect();
                worked.sort_by(|(a, _), (b, _)| {
                    missing_last(a.as_ref(), b.as_ref(), sort.descending, Worked::compare)
                });
                keys = worked.into_iter().map(|(_, key)| key).collect();
            }
        }
        let total = keys.len() as u64;
        let mut groups = Vec::new();
        for key in keys.into_iter().take(request.limit as usize) {
            let figure = |place| figure_of(key, place).map(|worked| worked.text(&worker)).transpose();
            groups.push(Group {
                keys: key.iter().map(|part| group_key(part.as_ref(), zone)).collect(),
                rows: rows.get(key).copied().unwrap_or(0),
                figures: (0..request.figures.len()).map(figure).collect::<Result<_>>()?,
            });
        }
        Ok(Groups { generation: self.generation(), groups, total })
    }
}

/// What the rows of a group have in common.
type Key = Vec<Option<KeyPart>>;

/// What they have in common in one column.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct KeyPart {
    text: String,
    /// The unit, if it is a time of one: a text may be the same and is another key.
    unit: Option<DateUnit>,
}

/// A column that figures are of.
struct Measured<'a> {
    column: &'a Column,
    /// Whether the texts of its cells are wanted.
    wants_texts: bool,
}

/// What a pass over the rows needs besides its statement.
struct GroupPass<'a> {
    view: &'a View,
    worker: &'a Worker<'a>,
    by: &'a [(Column, Option<DateUnit>)],
    zone: DayZone,
}

/// Takes the key of a group, a cell, its text if that is wanted, and the number of rows.
type EachCell<'a> = &'a mut dyn FnMut(&[Option<KeyPart>], Option<Cell<'_>>, Option<&str>, u64);

impl GroupPass<'_> {
    fn run(
        &self,
        counted: &Sql,
        cells: &Cells,
        measured: Option<&Measured<'_>>,
        each: EachCell<'_>,
    ) -> Result<()> {
        debug_assert!(self.view.generation() > 0);
        let count = self.by.len();
        let mut list = Vec::new();
        for (at, (_, unit)) in self.by.iter().enumerate() {
            let date = cells.holders(at).find(|(_, holder)| unit.is_some() && holder.kind() == Kind::Date);
            list.push(cells.text(at));
            list.push(match date {
                Some((number, _)) => sql!("h{number}", number),
                None => sql!("NULL::BIGINT"),
            });
        }
        list.push(sql!("n"));
        let holders: Vec<Holder> = measured.into_iter().flat_map(|of| of.column.holders()).collect();
        list.extend(
            cells.holders(count).map(|(number, holder)| tally::select(holder, &sql!("h{number}", number))),
        );
        if measured.is_some_and(|of| of.wants_texts) {
            list.push(cells.text(count));
        }
        let select = sql!("SELECT {} FROM ({counted})", Sql::join(list, ", "), counted);
        let mut known: HashMap<(usize, i64), String> = HashMap::new();
        self.worker.each_batch(&select, &mut |batch| {
            let arrays: &[ArrayRef] = batch.columns();
            let n = arrays[2 * count].as_primitive::<Int64Type>();
            let first = 2 * count + 1;
            let texts = arrays.get(first + holders.len()).and_then(|array| array.as_string_opt::<i32>());
            let mut key = vec![None; count];
            for row in 0..batch.num_rows() {
                for (at, (_, unit)) in self.by.iter().enumerate() {
                    let dates = arrays[2 * at + 1].as_primitive::<Int64Type>();
                    key[at] = match unit {
                        Some(unit) if dates.is_valid(row) => {
                            let millis = dates.value(row);
                            let name = || unit_name(*unit, day_of(self.zone, millis));
                            let text = known.entry((at, millis)).or_insert_with(name).clone();
                            Some(KeyPart { text, unit: Some(*unit) })
                        }
                        _ => {
                            let texts = arrays[2 * at].as_string::<i32>();
                            let part = || KeyPart { text: texts.value(row).to_owned(), unit: None };
                            texts.is_valid(row).then(part)
                        }
                    };
                }
                let cell = tally::read(&holders, &arrays[first..first + holders.len()], row)?;
                let text = texts.filter(|texts| texts.is_valid(row)).map(|texts| texts.value(row));
                each(&key, cell, text, n.value(row).unsigned_abs());
            }
            Ok(())
        })
    }
}

/// A figure that was worked out.
enum Worked {
    Number(Quantity),
    /// A least or greatest cell, with the number that it is.
    End(End, Option<Quantity>),
}

impl Worked {
    fn count(rows: u64) -> Self {
        Self::Number(Quantity::Finite(rows.into()))
    }

    fn of(what: FigureKind, tally: &Tally) -> Option<Self> {
        let end = |greatest| tally.end(greatest).map(|(end, number)| Self::End(end, number));
        match what {
            FigureKind::Count => Some(Self::count(tally.filled)),
            FigureKind::Distinct => {
                Some(Self::count(tally.distinct.as_ref().map_or(0, |texts| texts.len() as u64)))
            }
            FigureKind::Sum => tally.sum().map(Self::Number),
            FigureKind::Average => tally.average().map(Self::Number),
            FigureKind::Min => end(false),
            FigureKind::Max => end(true),
        }
    }

    fn number(&self) -> Option<&Quantity> {
        match self {
            Self::Number(number) | Self::End(_, Some(number)) => Some(number),
            Self::End(_, None) => None,
        }
    }

    /// Numbers come first, NaN last among them, then dates, then texts.
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::End(End::Text(a), None), Self::End(End::Text(b), None)) => a.cmp(b),
            (Self::End(End::Date(a), None), Self::End(End::Date(b), None)) => a.cmp(b),
            (Self::End(End::Date(_), None), Self::End(_, None)) => Ordering::Less,
            (Self::End(_, None), Self::End(End::Date(_), None)) => Ordering::Greater,
            _ => match (self.number(), other.number()) {
                (Some(a), Some(b)) => compare_numbers(a, b),
                (a, b) => a.is_none().cmp(&b.is_none()),
            },
        }
    }

    fn text(&self, worker: &Worker<'_>) -> Result<String> {
        match self {
            Self::Number(number) => Ok(text_of(number)),
            Self::End(end, _) => shown(worker, end),
        }
    }
}

/// By value; NaN comes last.
fn compare_numbers(a: &Quantity, b: &Quantity) -> Ordering {
    let is_nan = |number: &Quantity| *number == Quantity::NotANumber;
    a.compare(b).unwrap_or_else(|| is_nan(a).cmp(&is_nan(b)))
}

/// Compares what may be missing: that comes last, whatever the direction.
fn missing_last<T>(
    a: Option<&T>,
    b: Option<&T>,
    descending: bool,
    compare: impl Fn(&T, &T) -> Ordering,
) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) if descending => compare(b, a),
        (Some(a), Some(b)) => compare(a, b),
        (a, b) => a.is_none().cmp(&b.is_none()),
    }
}

/// Compares keys of groups: numbers first and by value, then the rest by text.
fn compare_keys(column: &Column, a: &Option<KeyPart>, b: &Option<KeyPart>, descending: bool) -> Ordering {
    let has_numbers = column.fields.keys().any(|kind| kind.is_number());
    let number = |part: &KeyPart| {
        let is_text = part.unit.is_some() || !has_numbers;
        if is_text { None } else { Quantity::parse(&part.text) }
    };
    missing_last(a.as_ref(), b.as_ref(), descending, |a, b| match (number(a), number(b)) {
        (Some(x), Some(y)) => compare_numbers(&x, &y).then_with(|| a.text.cmp(&b.text)),
        (None, None) => a.text.cmp(&b.text).then_with(|| a.unit.is_none().cmp(&b.unit.is_none())),
        (x, y) => x.is_none().cmp(&y.is_none()),
    })
}

/// The text of the least or greatest cell. DuckDB writes the doubles of all cells.
fn shown(worker: &Worker<'_>, end: &End) -> Result<String> {
    match end {
        End::Whole(whole) => Ok(whole.to_string()),
        End::Text(text) => Ok(text.clone()),
        End::Date(millis) => Ok(date_text(*millis)),
        End::Double(double) if double.is_infinite() => Ok(text_of(&Quantity::shown_of(*double))),
        End::Double(double) => {
            Ok(worker.query_row(sql!("SELECT (?::DOUBLE)::VARCHAR"), [double], |row| row.get(0))?)
        }
    }
}

fn date_text(millis: i64) -> String {
    DateTime::<Utc>::from_timestamp_millis(millis)
        .map_or_else(String::new, |date| date.to_rfc3339_opts(MILLIS, true))
}

fn day_of(zone: DayZone, millis: i64) -> Day {
    zone.day_of(DateTime::<Utc>::from_timestamp_millis(millis).unwrap_or_default())
}

/// The name of the time of a unit that a day lies in.
fn unit_name(unit: DateUnit, day: Day) -> String {
    let date = day.date();
    match unit {
        DateUnit::Day => date.format("%Y-%m-%d").to_string(),
        DateUnit::Week => date.format("%G-W%V").to_string(),
        DateUnit::Month => date.format("%Y-%m").to_string(),
        DateUnit::Year => date.format("%Y").to_string(),
    }
}

/// The first and the last day of the time with a name.
fn days_of(unit: DateUnit, name: &str) -> Option<(NaiveDate, NaiveDate)> {
    let first = match unit {
        DateUnit::Day => NaiveDate::parse_from_str(name, "%Y-%m-%d").ok()?,
        DateUnit::Week => NaiveDate::parse_from_str(&format!("{name}-1"), "%G-W%V-%u").ok()?,
        DateUnit::Month => NaiveDate::parse_from_str(&format!("{name}-01"), "%Y-%m-%d").ok()?,
        DateUnit::Year => NaiveDate::parse_from_str(&format!("{name}-01-01"), "%Y-%m-%d").ok()?,
    };
    let next = match unit {
        DateUnit::Day => first.succ_opt()?,
        DateUnit::Week => first.checked_add_days(chrono::Days::new(7))?,
        DateUnit::Month => first.checked_add_months(chrono::Months::new(1))?,
        DateUnit::Year => NaiveDate::from_ymd_opt(first.year() + 1, 1, 1)?,
    };
    Some((first, next.pred_opt()?))
}

fn group_key(part: Option<&KeyPart>, zone: DayZone) -> GroupKey {
    let Some(KeyPart { text, unit }) = part else {
        return GroupKey {
            text: None,
            condition: ColumnCondition::Values { values: Vec::new(), empty: true },
        };
    };
    let days = unit.and_then(|unit| days_of(unit, text)).and_then(|(first, last)| {
        let day = |date: NaiveDate| Day::from_ymd(date.year(), date.month(), date.day());
        Some((zone.start_of(day(first)?), zone.end_of(day(last)?)))
    });
    let condition = match days {
        Some((first, end)) => {
            let last = end - chrono::TimeDelta::milliseconds(1);
            // Years beyond four digits have no dates in columns, and cannot be typed.
            let written = |at: DateTime<Utc>| match at.year() {
                1..=9_999 => at.to_rfc3339_opts(MILLIS, true),
                _ => String::new(),
            };
            ColumnCondition::Text { text: format!("{}..{}", written(first), written(last)) }
        }
        None => ColumnCondition::Values { values: vec![text.clone()], empty: false },
    };
    GroupKey { text: Some(text.clone()), condition }
}
