//! The cells of columns as the rows of a statement: each different cell once, with the number of rows that have it.

use super::column::{Column, Holder};
use super::selection::Narrowing;
use super::spans::NarrowedSpan;
use super::view::View;
use crate::cache::file::sql::{Name, Sql, sql};
use crate::decode::Kind;
use crate::rows::Role;

/// Columns whose cells are read together. Their physical columns are called `h0`, `h1` and so on.
#[derive(Debug)]
pub(crate) struct Cells {
    holders: Vec<Holder>,
    /// How many holders each column has.
    counts: Vec<usize>,
    /// The columns whose dates are cut to minutes.
    by_minute: Vec<bool>,
}

/// The first moment from which all zones are whole minutes away from UTC, in milliseconds: Liberia's was the last.
const WHOLE_MINUTES_FROM: i64 = 63_849_600_000;
const MINUTE: i64 = 60_000;

impl Cells {
    pub(crate) fn of<'a>(columns: impl IntoIterator<Item = (&'a Column, bool)>) -> Self {
        let mut cells = Self { holders: Vec::new(), counts: Vec::new(), by_minute: Vec::new() };
        for (column, by_minute) in columns {
            let before = cells.holders.len();
            cells.holders.extend(column.holders());
            cells.counts.push(cells.holders.len() - before);
            cells.by_minute.push(by_minute);
        }
        cells
    }

    /// The holders of a column, each with its number.
    pub(crate) fn holders(&self, column: usize) -> impl Iterator<Item = (usize, Holder)> + use<'_> {
        let first = self.counts.iter().take(column).sum();
        let count = self.counts.get(column).copied().unwrap_or(0);
        self.holders.iter().copied().enumerate().skip(first).take(count)
    }

    /// `SELECT` of the different cells: `h0`, `h1`, … and their number of rows, `n`.
    pub(crate) fn counted(&self, view: &View, role: Role, narrowing: &Narrowing) -> Sql {
        let cut: Vec<bool> = self
            .counts
            .iter()
            .zip(&self.by_minute)
            .flat_map(|(count, by_minute)| std::iter::repeat_n(*by_minute, *count))
            .collect();
        let part = |NarrowedSpan { span, source, .. }: &NarrowedSpan<'_>| {
            let has = view.has(role, span.segment);
            let list = self.holders.iter().zip(&cut).enumerate().map(|(number, (holder, cut))| {
                if !has(holder.field()) {
                    let sql_type = Name(holder.kind().sql_type().unwrap_or("VARCHAR"));
                    return sql!("NULL::{sql_type} AS h{number}", sql_type, number);
                }
                let stored = holder.stored();
                if *cut && holder.kind() == Kind::Date {
                    // Days begin at whole minutes, and far fewer minutes than milliseconds differ.
                    return sql!(
                        "CASE WHEN {stored} < {WHOLE_MINUTES_FROM} THEN {stored}
                         ELSE {stored} - {stored} % {MINUTE} END AS h{number}",
                        stored,
                        WHOLE_MINUTES_FROM,
                        MINUTE,
                        number
                    );
                }
                sql!("{stored} AS h{number}", stored, number)
            });
            // A statement needs a column.
            let list = Sql::join(list.chain([sql!("0 AS nothing")]), ", ");
            sql!("SELECT {list} FROM {source}", list, source)
        };
        let spans = view.narrowed_spans(role, narrowing);
        let names: Vec<Sql> = (0..self.holders.len()).map(|number| sql!("h{number}", number)).collect();
        let (list, group) = if names.is_empty() {
            (sql!(""), sql!("nothing"))
        } else {
            let names = Sql::join(&names, ", ");
            (sql!("{names}, ", names), names)
        };
        if spans.is_empty() {
            let nulls = self.holders.iter().enumerate().map(|(number, holder)| {
                let sql_type = Name(holder.kind().sql_type().unwrap_or("VARCHAR"));
                sql!("NULL::{sql_type} AS h{number}, ", sql_type, number)
            });
            return sql!("SELECT {}0::BIGINT AS n WHERE false", Sql::join(nulls, ""));
        }
        let all = Sql::join(spans.iter().map(part), " UNION ALL ");
        sql!("SELECT {list}count(*)::BIGINT AS n FROM ({all}) GROUP BY {group}", list, all, group)
    }

    /// SQL for the text of a column's cell, as shown; null if there is none.
    pub(crate) fn text(&self, column: usize) -> Sql {
        let cases = self.holders(column).map(|(number, holder)| {
            let name = sql!("h{number}", number);
            sql!("WHEN {name} IS NOT NULL THEN {} ", holder.shown_of(&name), name)
        });
        let cases = Sql::join(cases, "");
        if cases.as_str().is_empty() { sql!("NULL::VARCHAR") } else { sql!("CASE {cases}END", cases) }
    }
}
