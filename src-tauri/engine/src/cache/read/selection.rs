//! The rows that a row query selects, in its order.
//!
//! They are found once, and kept as a list of positions: a page at any place of it then costs the same. The lists are
//! kept outside DuckDB, since a table of the view's transaction would live as long as the view. Only the last few are
//! kept.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use duckdb::arrow::array::AsArray as _;

use super::cell_test::{CellTest, CloseDecimals, is_close};
use super::column::{Column, find_column};
use super::selections::{List, Position, Wanted};
use super::sorted::{sort_key_list, sort_order};
use super::spans::{NarrowedSpan, RowSpan, SpanOrder};
use super::stop::Stop;
use super::view::View;
use super::worker::Worker;
use crate::cache::file::error::{CacheErrorKind, Purpose, Result};
use crate::cache::file::schema;
use crate::cache::file::sql::{Sql, sql};
use crate::decode::Kind;
use crate::rows::filter_text::TypedCondition;
use crate::rows::{ColumnCondition, DaySpan, Role, RowQuery};

/// Where a text was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundRow {
    /// The position of the row, if one was found in this direction.
    pub position: Option<u64>,
    /// Its number among all rows that were found, from 1.
    pub number: Option<u64>,
    /// How many rows contain the text.
    pub total: u64,
}

/// What narrows the rows of a role, ready to become SQL for each of its tables.
#[derive(Debug, Default)]
pub(crate) struct Narrowing {
    /// Conditions that a row's cells all meet.
    filters: Vec<(Column, CellTest)>,
    /// Texts of which each is in some cell of a row.
    texts: Vec<CellTest>,
    columns: Vec<Column>,
    days: Option<Vec<DaySpan>>,
}

impl Narrowing {
    /// The condition that a span's rows meet; `None` if there is none.
    fn condition(&self, view: &View, role: Role, span: &RowSpan) -> Option<Sql> {
        let has = view.has(role, span.segment);
        let mut all: Vec<Sql> = self.filters.iter().map(|(column, test)| test.sql(column, &has)).collect();
        all.extend(self.texts.iter().map(|text| {
            let cells = self.columns.iter().filter(|column| column.holders().any(|one| has(one.field())));
            let any: Vec<Sql> = cells.map(|column| text.sql(column, &has)).collect();
            if any.is_empty() { sql!("false") } else { sql!("({})", Sql::join(any, " OR ")) }
        }));
        if let Some(days) = &self.days {
            let any = days
                .iter()
                .map(|days| sql!("{} BETWEEN {} AND {}", span.day, days.from.number(), days.to.number()));
            let any: Vec<Sql> = any.collect();
            all.push(if any.is_empty() { sql!("false") } else { sql!("({})", Sql::join(any, " OR ")) });
        }
        (!all.is_empty()).then(|| sql!("({})", Sql::join(all, " AND ")))
    }

    /// Whether a span may have rows on one of the days.
    fn may_have(&self, span: &RowSpan) -> bool {
        let overlaps = |days: &DaySpan| days.from <= span.to && span.from <= days.to;
        span.rows > 0 && self.days.as_ref().is_none_or(|days| days.iter().any(overlaps))
    }
}

impl View {
    /// Reads what narrows the rows of a query. `also` is a further text to search for, and the filters of one column may
    /// be left out.
    pub(crate) fn narrowing(
        &self,
        worker: &Worker<'_>,
        query: &RowQuery,
        also: Option<&str>,
        except: Option<&str>,
    ) -> Result<Narrowing> {
        let columns = self.columns(query.role);
        let mut filters = Vec::new();
        for filter in query.filters.iter().filter(|filter| Some(filter.path.as_str()) != except) {
            let mut test = match &filter.condition {
                ColumnCondition::Values { values, empty } => {
                    CellTest::Values { values: values.clone(), empty: *empty }
                }
                ColumnCondition::Text { text } => {
                    let condition = TypedCondition::parse(text)
                        .map_err(|error| CacheErrorKind::BadCondition(filter.path.clone(), error))?;
                    if condition.terms.is_empty() {
                        continue;
                    }
                    CellTest::Typed { condition, close: CloseDecimals::new() }
                }
            };
            let column = find_column(&columns, &filter.path, Purpose::Filter)?;
            self.read_close_decimals(worker, query.role, &column, &mut test)?;
            filters.push((column, test));
        }
        let texts = query.searched().into_iter().chain(also);
        Ok(Narrowing {
            filters,
            texts: texts.map(|text| CellTest::Contains(text.to_owned())).collect(),
            columns,
            days: query.days.clone(),
        })
    }

    /// Reads the decimals that only their texts tell from the numbers of a test.
    fn read_close_decimals(
        &self,
        worker: &Worker<'_>,
        role: Role,
        column: &Column,
        test: &mut CellTest,
    ) -> Result<()> {
        let doubles: HashSet<u64> =
            test.numbers().iter().map(|number| number.nearest_double().to_bits()).collect();
        let (CellTest::Typed { close, .. }, Some(field)) = (test, column.fields.get(&Kind::Decimal)) else {
            return Ok(());
        };
        let segments: HashSet<u32> = self.spans(role).iter().map(|span| span.segment).collect();
        for bits in doubles {
            let mut texts = HashSet::new();
            for segment in segments.iter().filter(|segment| self.has(role, **segment)(*field)) {
                let stored = schema::column(*field);
                let select = sql!(
                    "SELECT DISTINCT {stored} AS text FROM {} WHERE {stored} IS NOT NULL AND {}",
                    schema::table(role, *segment),
                    is_close(&stored, f64::from_bits(bits)),
                    stored
                );
                worker.each_batch(&select, &mut |batch| {
                    let found = batch.column(0).as_string::<i32>();
                    texts.extend(found.iter().flatten().map(str::to_owned));
                    Ok(())
                })?;
            }
            close.insert(bits, texts.into_iter().collect());
        }
        Ok(())
    }

    /// The spans that may have rows of a narrowing, with the SQL of these rows.
    pub(crate) fn narrowed_spans<'a>(&'a self, role: Role, narrowing: &Narrowing) -> Vec<NarrowedSpan<'a>> {
        let spans = self.spans(role).iter().enumerate().filter(|(_, span)| narrowing.may_have(span));
        spans
            .map(|(place, span)| {
                let source = self.source(role, span);
                let source = match narrowing.condition(self, role, span) {
                    Some(condition) => sql!("{source} AND {condition}", source, condition),
                    None => source,
                };
                NarrowedSpan { place, span, source }
            })
            .collect()
    }

    /// The rows of a query, in its order.
    pub(crate) fn positions(&self, query: &RowQuery, stop: &Stop) -> Result<Arc<Vec<Position>>> {
        let wanted = Wanted::Rows(query.clone());
        let find = || Ok(List::Rows(Arc::new(self.find_rows(query, None, stop)?)));
        match self.list(&wanted, stop, &find)? {
            List::Rows(rows) => Ok(rows),
            List::Found(_) => Ok(Arc::default()),
        }
    }

    /// A list that is kept, or worked out now. Another thread that wants the same waits.
    fn list(&self, wanted: &Wanted, stop: &Stop, find: &dyn Fn() -> Result<List>) -> Result<List> {
        let slot = self.selections().slot(wanted);
        let mut list = stop.lock(&slot)?;
        if let Some(list) = &*list {
            return Ok(list.clone());
        }
        let found = find()?;
        *list = Some(found.clone());
        drop(list);
        self.selections().trim();
        Ok(found)
    }

    /// How many rows a query selects.
    ///
    /// # Errors
    /// See [`crate::cache::CacheError`]; `bad_filter` if a condition cannot be used, `cancelled` if it was stopped.
    pub fn count(&self, query: &RowQuery, stop: &Stop) -> Result<u64> {
        if !query.is_narrowed() {
            return Ok(self.spans(query.role).iter().map(|span| span.rows).sum());
        }
        Ok(self.positions(query, stop)?.len() as u64)
    }

    /// The same, without finding the order of the rows.
    pub(crate) fn count_unordered(&self, query: &RowQuery, stop: &Stop) -> Result<u64> {
        if !query.is_narrowed() {
            return self.count(query, stop);
        }
        let worker = self.worker(stop)?;
        let narrowing = self.narrowing(&worker, query, None, None)?;
        let mut rows = 0;
        for NarrowedSpan { source, .. } in self.narrowed_spans(query.role, &narrowing) {
            stop.check()?;
            rows += worker
                .query_row(sql!("SELECT count(*) FROM {source}", source), [], |row| row.get::<_, u64>(0))?;
        }
        Ok(rows)
    }

    /// Finds the next row of a query that contains a text, from a position on, which is included.
    ///
    /// # Errors
    /// See [`count`](Self::count).
    pub fn find(
        &self,
        query: &RowQuery,
        text: &str,
        from: u64,
        forwards: bool,
        stop: &Stop,
    ) -> Result<FoundRow> {
        let wanted = Wanted::Found(query.clone(), text.to_owned());
        let find = || {
            let rows = self.positions(query, stop)?;
            let found = self.find_rows(query, Some(text), stop)?;
            // Both are in the same order.
            let mut places = Vec::with_capacity(found.len());
            let mut found = found.into_iter().peekable();
            for (place, row) in (0..).zip(rows.iter()) {
                if found.next_if_eq(row).is_some() {
                    places.push(place);
                }
            }
            Ok(List::Found(Arc::new(places)))
        };
        let List::Found(places) = self.list(&wanted, stop, &find)? else {
            return Ok(FoundRow { position: None, number: None, total: 0 });
        };
        let at = if forwards {
            Some(places.partition_point(|place| *place < from))
        } else {
            places.partition_point(|place| *place <= from).checked_sub(1)
        };
        let found = at.and_then(|at| Some((at, *places.get(at)?)));
        Ok(FoundRow {
            position: found.map(|(_, place)| place),
            number: found.map(|(at, _)| at as u64 + 1),
            total: places.len() as u64,
        })
    }

    /// Finds the rows of a query, in its order.
    fn find_rows(&self, query: &RowQuery, also: Option<&str>, stop: &Stop) -> Result<Vec<Position>> {
        let role = query.role;
        let time = self.time_column(role);
        let stored: HashMap<usize, bool> = self
            .span_orders()
            .iter()
            .filter(|((of, _), _)| *of == role)
            .map(|((_, place), order)| (*place, *order == SpanOrder::Stored))
            .collect();
        let worker = self.worker(stop)?;
        let sorted = self.sort_columns(query)?;
        let narrowing = self.narrowing(&worker, query, also, None)?;
        let spans = self.narrowed_spans(role, &narrowing);
        if let [sort] = &sorted[..]
            && let Some(rows) = self.sort_by_number(&worker, role, sort, &spans)?
        {
            return Ok(rows);
        }
        let mut found = Vec::new();
        let mut take = |select: &Sql| {
            worker.each_batch(select, &mut |batch| {
                found.extend(Position::of_batch(&batch));
                Ok(())
            })
        };
        if sorted.is_empty() {
            // A statement per span, so that each is short and sorts little.
            for NarrowedSpan { place, span, source } in spans {
                let rows =
                    sql!("SELECT {place}::INTEGER AS place, rowid AS row FROM {source}", place, source);
                if stored.get(&place).copied().unwrap_or(false) {
                    take(&rows)?;
                } else {
                    let order = self.row_order(role, time.as_ref(), span);
                    take(&sql!("{rows} ORDER BY {order}", rows, order))?;
                }
            }
        } else {
            let parts: Vec<Sql> = spans
                .iter()
                .map(|NarrowedSpan { place, span, source }| {
                    let keys = sort_key_list(&sorted, &self.has(role, span.segment));
                    let rows = sql!("{place}::INTEGER AS place, rowid AS row", place);
                    sql!("SELECT {} FROM {source}", Sql::join([rows].into_iter().chain(keys), ", "), source)
                })
                .collect();
            if !parts.is_empty() {
                let order = sort_order(&sorted);
                let all = Sql::join(parts, " UNION ALL ");
                take(&sql!("SELECT place, row FROM ({all}) ORDER BY {order}", all, order))?;
            }
        }
        found.shrink_to_fit();
        Ok(found)
    }

    /// Reads rows at these positions, in their order.
    pub(crate) fn read_at(
        &self,
        role: Role,
        positions: &[Position],
        list: &dyn Fn(&RowSpan) -> Sql,
        width: usize,
    ) -> Result<Vec<Vec<Option<String>>>> {
        let spans = self.spans(role);
        let rows = positions
            .iter()
            .filter_map(|position| Some((spans.get(position.place())?.segment, position.row())));
        self.read_rows(role, &rows.collect::<Vec<_>>(), list, width)
    }
}
