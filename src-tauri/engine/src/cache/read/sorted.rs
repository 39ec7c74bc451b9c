//! Sorting by columns.
//!
//! A single column of numbers or dates gives every row one number that orders it, which DuckDB reads and Tidemark sorts:
//! DuckDB's own sort of the same rows takes several times as long, since it carries more bytes per row and reads every
//! decimal in full, and more memory.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use duckdb::arrow::array::AsArray as _;
use duckdb::arrow::datatypes::{Float64Type, Int64Type};
use duckdb::arrow::record_batch::RecordBatch;

use super::column::{Column, NumberKey, find_column};
use super::selections::Position;
use super::spans::NarrowedSpan;
use super::view::View;
use super::worker::Worker;
use crate::cache::file::error::{Purpose, Result};
use crate::cache::file::schema;
use crate::cache::file::sql::{Sql, sql};
use crate::decode::FieldId;
use crate::rows::filter_text::Quantity;
use crate::rows::{Role, RowQuery, Sort};

/// Decimals of at most this many characters have at most 15 digits: if two of them differ, so do their nearest doubles.
const SHORT: usize = 15;
/// The most decimals that are compared digit by digit, because others have the same nearest double.
const MOST_COMPARED: usize = 20_000;

/// A column that rows are sorted by.
#[derive(Debug)]
pub(crate) struct SortColumn {
    column: Column,
    descending: bool,
}

/// The expressions that rows are sorted by, each under a name.
pub(crate) fn sort_key_list(sorts: &[SortColumn], has: &dyn Fn(FieldId) -> bool) -> Vec<Sql> {
    let keys_of = |(place, sort): (usize, &SortColumn)| {
        let keys = sort.column.order(has).into_iter().enumerate();
        keys.map(|(index, key)| sql!("{key} AS k{place}_{index}", key, place, index)).collect::<Vec<_>>()
    };
    sorts.iter().enumerate().flat_map(keys_of).collect()
}

/// The `ORDER BY` of the names of [`sort_key_list`], then of the rows as they are stored: a column of nulls alone has
/// no expression.
pub(crate) fn sort_order(sorts: &[SortColumn]) -> Sql {
    let order_of = |(place, sort): (usize, &SortColumn)| {
        let direction = if sort.descending { sql!("DESC NULLS LAST") } else { sql!("ASC NULLS LAST") };
        (0..sort.column.order(&|_| true).len())
            .map(|index| sql!("k{place}_{index} {direction}", place, index, direction))
            .collect::<Vec<_>>()
    };
    let keys = sorts.iter().enumerate().flat_map(order_of);
    Sql::join(keys.chain([sql!("place"), sql!("row")]), ", ")
}

impl View {
    /// The columns that a row query sorts by.
    pub(crate) fn sort_columns(&self, query: &RowQuery) -> Result<Vec<SortColumn>> {
        let columns = self.columns(query.role);
        let of = |sort: &Sort| {
            let column = find_column(&columns, &sort.path, Purpose::Sort)?;
            Ok(SortColumn { column, descending: sort.descending })
        };
        query.sorts.iter().map(of).collect()
    }

    /// The rows of spans, in the order of one column. `None` if its values are not ordered by one number each, or too
    /// many decimals have the same nearest double.
    pub(crate) fn sort_by_number(
        &self,
        worker: &Worker<'_>,
        role: Role,
        sort: &SortColumn,
        spans: &[NarrowedSpan<'_>],
    ) -> Result<Option<Vec<Position>>> {
        let Some(key) = sort.column.number_key() else { return Ok(None) };
        let part = |NarrowedSpan { place, span, source }: &NarrowedSpan<'_>| {
            let has = self.has(role, span.segment);
            let at = if let NumberKey::Whole(at) = key { at } else { 0 };
            let number = sort.column.order(&has).swap_remove(at);
            let is_long = match key {
                NumberKey::NearestDouble(field) if has(field) => {
                    sql!("strlen({}) > {SHORT}", schema::column(field), SHORT)
                }
                _ => sql!("false"),
            };
            sql!(
                "SELECT {place}::INTEGER, rowid, {number}, {is_long} FROM {source}",
                place,
                number,
                is_long,
                source
            )
        };
        let mut rows = NumberedRows { descending: sort.descending, ..NumberedRows::default() };
        if !spans.is_empty() {
            worker.each_batch(&Sql::join(spans.iter().map(part), " UNION ALL "), &mut |batch| {
                rows.take(key, &batch);
                Ok(())
            })?;
        }
        rows.sort();
        if let NumberKey::NearestDouble(field) = key {
            let doubtful = rows.doubtful();
            let positions = || doubtful.iter().flat_map(|same| &rows.with[same.clone()]).map(|(_, row)| *row);
            if positions().take(MOST_COMPARED + 1).count() > MOST_COMPARED {
                return Ok(None);
            }
            let decimals = decimals_of(worker, role, field, spans, positions())?;
            rows.sort_exactly(&doubtful, &decimals);
        }
        Ok(Some(rows.into_positions()))
    }
}

/// Reads the decimals of some rows.
fn decimals_of(
    worker: &Worker<'_>,
    role: Role,
    field: FieldId,
    spans: &[NarrowedSpan<'_>],
    positions: impl Iterator<Item = Position>,
) -> Result<HashMap<Position, Quantity>> {
    let mut by_place: BTreeMap<usize, Vec<i64>> = BTreeMap::new();
    for position in positions {
        by_place.entry(position.place()).or_default().push(position.row());
    }
    let mut found = HashMap::new();
    for NarrowedSpan { place, span, .. } in spans {
        let Some(rows) = by_place.get(place) else { continue };
        let select = sql!(
            "SELECT {place}::INTEGER, rowid, {} FROM {} WHERE rowid IN ({})",
            schema::column(field),
            schema::table(role, span.segment),
            Sql::join(rows, ", "),
            place
        );
        worker.each_batch(&select, &mut |batch| {
            let texts = batch.column(2).as_string::<i32>();
            let decimals = Position::of_batch(&batch).zip(texts);
            found.extend(decimals.filter_map(|(position, text)| Some((position, Quantity::of_cell(text?)))));
            Ok(())
        })?;
    }
    Ok(found)
}

/// Rows with the numbers that order them.
#[derive(Debug, Default)]
struct NumberedRows {
    descending: bool,
    with: Vec<(u64, Position)>,
    /// Rows with decimals that are not [`SHORT`].
    long: HashSet<Position>,
    /// The rows without a value, which come last in either direction.
    without: Vec<Position>,
}

impl NumberedRows {
    /// Takes a batch of places, row ids, numbers, and whether they are of long decimals.
    fn take(&mut self, key: NumberKey, batch: &RecordBatch) {
        let numbers = batch.column(2);
        if let NumberKey::Whole(_) = key {
            let numbers = numbers.as_primitive::<Int64Type>().iter();
            self.add(Position::of_batch(batch).zip(numbers.map(|number| number.map(ordered_whole))));
        } else {
            let numbers = numbers.as_primitive::<Float64Type>().iter();
            self.add(Position::of_batch(batch).zip(numbers.map(|number| number.map(ordered_double))));
        }
        let are_long = batch.column(3).as_boolean();
        if are_long.has_true() {
            let long = Position::of_batch(batch).zip(are_long).filter(|(_, is_long)| *is_long == Some(true));
            self.long.extend(long.map(|(position, _)| position));
        }
    }

    fn add(&mut self, rows: impl Iterator<Item = (Position, Option<u64>)>) {
        for (position, key) in rows {
            match key {
                Some(key) => self.with.push((if self.descending { !key } else { key }, position)),
                None => self.without.push(position),
            }
        }
    }

    /// Sorts by the numbers; rows with the same one stay as they are stored.
    fn sort(&mut self) {
        self.with.sort_unstable();
        self.without.sort_unstable();
    }

    /// Where sorted rows have the same number, and a long decimal is among them.
    fn doubtful(&self) -> Vec<Range<usize>> {
        if self.long.is_empty() {
            return Vec::new();
        }
        let mut end = 0;
        let runs = self.with.chunk_by(|(a, _), (b, _)| a == b).map(|same| {
            end += same.len();
            (end - same.len()..end, same)
        });
        let is_doubtful =
            |same: &[(u64, Position)]| same.len() > 1 && same.iter().any(|(_, row)| self.long.contains(row));
        runs.filter(|(_, same)| is_doubtful(same)).map(|(range, _)| range).collect()
    }

    /// Sorts the rows of ranges by their decimals.
    fn sort_exactly(&mut self, ranges: &[Range<usize>], decimals: &HashMap<Position, Quantity>) {
        for range in ranges {
            // The sort is stable.
            self.with[range.clone()].sort_by(|(_, a), (_, b)| {
                let exact = |position| decimals.get(position).unwrap_or(&Quantity::NotANumber);
                let order = exact(a).compare(exact(b)).unwrap_or(Ordering::Equal);
                if self.descending { order.reverse() } else { order }
            });
        }
    }

    fn into_positions(self) -> Vec<Position> {
        // One after the other, so that the first list needs no second copy.
        let mut positions: Vec<Position> = self.with.into_iter().map(|(_, position)| position).collect();
        positions.extend(self.without);
        positions.shrink_to_fit();
        positions
    }
}

/// A number whose order is that of a whole number.
const fn ordered_whole(number: i64) -> u64 {
    number.cast_unsigned() ^ (1 << 63)
}

/// A number whose order is that of a double, as DuckDB has it: the zeros are equal, and NaN is the greatest.
fn ordered_double(number: f64) -> u64 {
    if number.is_nan() {
        return u64::MAX;
    }
    // Makes 0 of -0.
    let bits = (number + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | (1 << 63) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_their_order() {
        let infinity = f64::INFINITY;
        let doubles = [-infinity, -1e300, -1.5, -5e-324, 0.0, 5e-324, 0.1, 1e300, infinity, f64::NAN];
        assert!(doubles.map(ordered_double).is_sorted_by(|a, b| a < b));
        assert_eq!(ordered_double(-0.0), ordered_double(0.0));
        assert_eq!(ordered_double(-f64::NAN), ordered_double(f64::NAN));
        assert!([i64::MIN, -1, 0, 1, i64::MAX].map(ordered_whole).is_sorted_by(|a, b| a < b));
    }
}
