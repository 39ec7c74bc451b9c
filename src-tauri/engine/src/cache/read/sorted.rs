//! Sorting by columns.
//!
//! A single column of numbers or dates gives every row one number that orders it, which DuckDB reads and Tidemark sorts:
//! DuckDB's own sort of the same rows takes longer and, since it carries more bytes per row, more memory.

use std::collections::{HashMap, HashSet};

use duckdb::arrow::array::AsArray as _;
use duckdb::arrow::datatypes::{Float64Type, Int32Type, Int64Type};
use duckdb::arrow::record_batch::RecordBatch;

use super::column::{Column, KeyKind, find_column};
use super::selection::NarrowedSpan;
use super::selections::Position;
use super::view::View;
use super::worker::Worker;
use crate::cache::file::error::{Purpose, Result};
use crate::cache::file::schema;
use crate::cache::file::sql::{Sql, sql};
use crate::decode::FieldId;
use crate::rows::{Role, RowQuery, Sort};

/// The most characters of a decimal that a double always tells from others: 15 digits.
const SHORT: usize = 15;

/// Whether all decimals of a column are short, by role and physical column.
pub(crate) type ShortDecimals = HashMap<(Role, FieldId), bool>;

/// A column that rows are sorted by.
#[derive(Debug)]
pub(crate) struct SortColumn {
    column: Column,
    descending: bool,
    /// The one of its expressions that orders it, if one does; otherwise all are needed.
    single: Option<(usize, KeyKind)>,
}

impl SortColumn {
    /// The expressions that order a segment's rows.
    fn keys(&self, has: &dyn Fn(FieldId) -> bool) -> Vec<Sql> {
        let mut keys = self.column.order(has);
        match self.single {
            Some((place, _)) => vec![keys.swap_remove(place)],
            None => keys,
        }
    }
}

/// The expressions that rows are sorted by, each under a name.
pub(crate) fn sort_key_list(sorts: &[SortColumn], has: &dyn Fn(FieldId) -> bool) -> Vec<Sql> {
    let keys_of = |(place, sort): (usize, &SortColumn)| {
        let keys = sort.keys(has).into_iter().enumerate();
        keys.map(|(index, key)| sql!("{key} AS k{place}_{index}", key, place, index)).collect::<Vec<_>>()
    };
    sorts.iter().enumerate().flat_map(keys_of).collect()
}

/// The `ORDER BY` of the names of [`sort_key_list`], then of the rows as they are stored: a column of nulls alone has
/// no expression.
pub(crate) fn sort_order(sorts: &[SortColumn]) -> Sql {
    let order_of = |(place, sort): (usize, &SortColumn)| {
        let direction = if sort.descending { sql!("DESC NULLS LAST") } else { sql!("ASC NULLS LAST") };
        (0..sort.keys(&|_| true).len())
            .map(|index| sql!("k{place}_{index} {direction}", place, index, direction))
            .collect::<Vec<_>>()
    };
    let keys = sorts.iter().enumerate().flat_map(order_of);
    Sql::join(keys.chain([sql!("place"), sql!("row")]), ", ")
}

impl View {
    /// The columns that a row query sorts by.
    pub(crate) fn sort_columns(&self, worker: &Worker<'_>, query: &RowQuery) -> Result<Vec<SortColumn>> {
        let columns = self.columns(query.role);
        let of = |sort: &Sort| {
            let column = find_column(&columns, &sort.path, Purpose::Sort)?;
            let single = column.single_key(|field| self.has_short_decimals(worker, query.role, field))?;
            Ok(SortColumn { column, descending: sort.descending, single })
        };
        query.sorts.iter().map(of).collect()
    }

    /// Whether all decimals of a physical column are short. The first call reads them.
    fn has_short_decimals(&self, worker: &Worker<'_>, role: Role, field: FieldId) -> Result<bool> {
        if let Some(known) = self.short_decimals().get(&(role, field)) {
            return Ok(*known);
        }
        let segments: HashSet<u32> = self.spans(role).iter().map(|span| span.segment).collect();
        let parts = segments.into_iter().filter(|segment| self.has(role, *segment)(field)).map(|segment| {
            let table = schema::table(role, segment);
            sql!("FROM {table} SELECT {} AS text", schema::column(field), table)
        });
        let parts: Vec<Sql> = parts.collect();
        let are_short = parts.is_empty()
            || worker.query_row(
                sql!(
                    "SELECT NOT EXISTS (FROM ({}) WHERE strlen(text) > {SHORT})",
                    Sql::join(parts, " UNION ALL "),
                    SHORT
                ),
                [],
                |row| row.get(0),
            )?;
        self.short_decimals().insert((role, field), are_short);
        Ok(are_short)
    }

    /// The rows of spans, in the order of one column. `None` if no single number orders its values.
    pub(crate) fn sort_by_number(
        &self,
        worker: &Worker<'_>,
        role: Role,
        sort: &SortColumn,
        spans: &[NarrowedSpan<'_>],
    ) -> Result<Option<Vec<Position>>> {
        let Some((_, kind)) = sort.single else { return Ok(None) };
        let part = |NarrowedSpan { place, span, source }: &NarrowedSpan<'_>| {
            let keys = Sql::join(sort.keys(&self.has(role, span.segment)), ", ");
            sql!("SELECT {place}::INTEGER, rowid, {keys} FROM {source}", place, keys, source)
        };
        let mut keyed = Keyed { kind, descending: sort.descending, with: Vec::new(), without: Vec::new() };
        if !spans.is_empty() {
            worker.each_batch(&Sql::join(spans.iter().map(part), " UNION ALL "), &mut |batch| {
                keyed.take(&batch);
                Ok(())
            })?;
        }
        Ok(Some(keyed.sorted()))
    }
}

/// Rows with the numbers that order them.
struct Keyed {
    kind: KeyKind,
    descending: bool,
    with: Vec<(u64, Position)>,
    /// The rows without a value, which come last in either direction.
    without: Vec<Position>,
}

impl Keyed {
    /// Takes a batch of places, row ids and keys.
    fn take(&mut self, batch: &RecordBatch) {
        let places = batch.column(0).as_primitive::<Int32Type>().values();
        let rows = batch.column(1).as_primitive::<Int64Type>().values();
        let positions = places.iter().zip(rows).map(|(place, row)| Position::new(*place, *row));
        let keys = batch.column(2);
        match self.kind {
            KeyKind::Whole => {
                let keys = keys.as_primitive::<Int64Type>().iter();
                self.add(positions.zip(keys.map(|key| key.map(ordered_whole))));
            }
            KeyKind::Double => {
                let keys = keys.as_primitive::<Float64Type>().iter();
                self.add(positions.zip(keys.map(|key| key.map(ordered_double))));
            }
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

    /// The positions in order; those of equal values as they are stored.
    fn sorted(mut self) -> Vec<Position> {
        self.with.sort_unstable();
        self.without.sort_unstable();
        let with = self.with.iter().map(|(_, position)| *position);
        with.chain(self.without.iter().copied()).collect()
    }
}

/// A number whose order is that of a whole number.
const fn ordered_whole(key: i64) -> u64 {
    key.cast_unsigned() ^ (1 << 63)
}

/// A number whose order is that of a double, as DuckDB has it: the zeros are equal, and NaN is the greatest.
fn ordered_double(key: f64) -> u64 {
    if key.is_nan() {
        return u64::MAX;
    }
    // Makes 0 of -0.
    let bits = (key + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | (1 << 63) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_the_order_of_their_numbers() {
        let infinity = f64::INFINITY;
        let doubles = [-infinity, -1e300, -1.5, -5e-324, 0.0, 5e-324, 0.1, 1e300, infinity, f64::NAN];
        assert!(doubles.map(ordered_double).is_sorted_by(|a, b| a < b));
        assert_eq!(ordered_double(-0.0), ordered_double(0.0));
        assert_eq!(ordered_double(-f64::NAN), ordered_double(f64::NAN));
        assert!([i64::MIN, -1, 0, 1, i64::MAX].map(ordered_whole).is_sorted_by(|a, b| a < b));
    }
}
