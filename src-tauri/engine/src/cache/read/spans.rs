//! The spans of a view: rows of one table that are shown consecutively.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::scan::{stored_under, wanted_rows};
use crate::cache::file::error::Result;
use crate::cache::file::ledger::FileState;
use crate::cache::file::schema;
use crate::cache::file::sql::{Database, Sql, sql};
use crate::day::{Day, DayRange, DaySet};
use crate::rows::Role;

/// A span ends with the day on which it reaches this many rows, which bounds what is sorted or skipped at once.
const ROWS: u64 = 100_000;

/// The rows that one segment has of one role and consecutive days, as far as a view shows them.
#[derive(Debug, Clone)]
pub(crate) struct RowSpan {
    pub(crate) segment: u32,
    /// Its first day.
    pub(crate) from: Day,
    /// Its last day.
    pub(crate) to: Day,
    /// The condition for its rows, before any are hidden.
    pub(crate) wanted: Sql,
    /// SQL for the day under which a row is shown: a column or an expression.
    pub(crate) day: Sql,
    /// Whether some of its rows are found only through their links with days.
    pub(crate) linked: bool,
    /// How many of its rows the view shows.
    pub(crate) rows: u64,
}

/// A span that may have rows of a query.
pub(crate) struct NarrowedSpan<'a> {
    /// Its place among those of its role.
    pub(crate) place: usize,
    pub(crate) span: &'a RowSpan,
    /// `FROM` and `WHERE` of its rows.
    pub(crate) source: Sql,
}

/// The spans of the input, by day.
pub(crate) fn input_spans(state: &FileState, range: DayRange) -> Vec<RowSpan> {
    let shown = state.shown_in(range).map(|(day, held)| (day, held.segment, held.input_rows));
    let stretches = stretches(shown, |day, next| day.next() == next);
    let span = |Stretch { segment, from, to, rows }| {
        let wanted = sql!("day BETWEEN {} AND {}", from.number(), to.number());
        RowSpan { segment, from, to, wanted, day: sql!("day"), linked: false, rows }
    };
    stretches.into_iter().map(span).collect()
}

/// The spans of the messages. A message of several days is shown under its own, the first; if the view does not show
/// that one, under the first shown day that it is linked with.
pub(crate) fn message_spans(
    connection: &Database,
    state: &FileState,
    range: DayRange,
) -> Result<Vec<RowSpan>> {
    let mut by_segment: BTreeMap<u32, Vec<Day>> = BTreeMap::new();
    for (day, held) in state.shown_in(range) {
        by_segment.entry(held.segment).or_default().push(day);
    }
    // Most segments of a query without messages have a table of none. Asking each takes longer than the first page.
    let has_messages: BTreeSet<u32> = state
        .shown_in(range)
        .filter(|(_, held)| held.downstream_rows > 0)
        .map(|(_, held)| held.segment)
        .collect();
    by_segment.retain(|segment, _| has_messages.contains(segment));
    let mut segments = BTreeMap::new();
    for (segment, days) in by_segment {
        let days = SegmentDays::read(connection, segment, &days.into_iter().collect())?;
        segments.insert(segment, days);
    }
    let shown = state.shown_in(range).map(|(day, held)| {
        let rows = segments.get(&held.segment).map_or(0, |days| days.rows_of(day));
        (day, held.segment, rows)
    });
    // Days that are not shown have no messages here, so a gap between two days does not end a span.
    let stretches = stretches(shown, |_, _| true);
    let span = |stretch: Stretch| Some(segments.get(&stretch.segment)?.span(stretch));
    Ok(stretches.into_iter().filter_map(span).collect())
}

/// Consecutive days of one segment, and their number of rows.
struct Stretch {
    segment: u32,
    from: Day,
    to: Day,
    rows: u64,
}

/// Groups days that are in one segment and follow each other, up to about [`ROWS`] rows.
fn stretches(days: impl Iterator<Item = (Day, u32, u64)>, follow: impl Fn(Day, Day) -> bool) -> Vec<Stretch> {
    let mut found: Vec<Stretch> = Vec::new();
    for (day, segment, rows) in days {
        match found.last_mut() {
            Some(last) if last.segment == segment && last.rows < ROWS && follow(last.to, day) => {
                last.to = day;
                last.rows += rows;
            }
            _ => found.push(Stretch { segment, from: day, to: day, rows }),
        }
    }
    found
}

/// The messages of a segment's shown days.
struct SegmentDays {
    /// The condition for the messages.
    wanted: Sql,
    /// SQL for the day under which a message is shown.
    day: Sql,
    linked: bool,
    /// How many are shown under each day.
    rows: BTreeMap<Day, u64>,
}

impl SegmentDays {
    fn read(connection: &Database, segment: u32, days: &DaySet) -> Result<Self> {
        let table = schema::table(Role::Downstream, segment);
        let days = stored_under(days);
        let wanted = wanted_rows(connection, Role::Downstream, segment, &days)?;
        let linked = wanted != days;
        let day = if linked { schema::day_among(segment, &days) } else { sql!("day") };
        let mut select = connection.prepare(sql!(
            "SELECT ({day})::INTEGER AS shown, count(*) FROM {table} WHERE {wanted} GROUP BY shown",
            day,
            table,
            wanted
        ))?;
        let rows = select
            .query_map([], |row| Ok((Day::from_number(row.get(0)?), row.get(1)?)))?
            .collect::<Result<_, duckdb::Error>>()?;
        Ok(Self { wanted, day, linked, rows })
    }

    fn rows_of(&self, day: Day) -> u64 {
        self.rows.get(&day).copied().unwrap_or_default()
    }

    fn span(&self, stretch: Stretch) -> RowSpan {
        let Stretch { segment, from, to, rows } = stretch;
        let (first, last) = (from.number(), to.number());
        let wanted = if rows == self.rows.values().sum::<u64>() {
            self.wanted.clone()
        } else {
            sql!("({} AND {} BETWEEN {first} AND {last})", self.wanted, self.day, first, last)
        };
        RowSpan { segment, from, to, wanted, day: self.day.clone(), linked: self.linked, rows }
    }
}

/// How to read a span in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SpanOrder {
    /// It is stored in order.
    Stored,
    /// A temporary table lists its row ids in order.
    Table(Sql),
    /// It is sorted as it is read.
    Sorted,
}

/// How to read the spans of a view in order, as far as known, by role and by the span's place.
pub(crate) type SpanOrders = HashMap<(Role, usize), SpanOrder>;
