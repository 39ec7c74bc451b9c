//! Divides a window that turned out to be too large into pieces. Pure.

use std::collections::BTreeMap;

use crate::day::{Day, DayRange, DaySet};

/// What is known about a window that was too large.
#[derive(Debug)]
pub(super) struct Load {
    /// Input documents per day, as counted by the source. Days without any are omitted.
    pub(super) counts: BTreeMap<Day, u64>,
    /// Input rows that were read.
    pub(super) input_rows: u64,
    /// All rows that were read: input rows and their messages.
    pub(super) rows: u64,
    /// Maximum number of rows in a window, messages included.
    pub(super) most: u64,
}

impl Load {
    /// Estimates the rows of a day, assuming as many messages per trade as among the rows read.
    fn expected(&self, day: Day) -> u64 {
        let counted = u128::from(self.counts.get(&day).copied().unwrap_or(0));
        let expected = (counted * u128::from(self.rows)).div_ceil(u128::from(self.input_rows.max(1)));
        u64::try_from(expected).unwrap_or(u64::MAX)
    }
}

/// The two halves of a window. A window of a single day is returned unchanged.
pub(super) fn halves(window: DayRange) -> Vec<DayRange> {
    let middle = window.from().plus(i32::try_from(window.len() / 2).unwrap_or(1) - 1);
    let halves = [(window.from(), middle), (middle.next(), window.to())];
    halves.into_iter().filter_map(|(from, to)| DayRange::new(from, to).ok()).collect()
}

/// Adds the gaps between the days whose days are all empty: pulling an empty gap again costs less than one more
/// window.
pub(super) fn with_gaps(days: &DaySet, is_empty: impl Fn(Day) -> bool) -> DaySet {
    let gaps = days.ranges().windows(2).filter_map(|pair| {
        let gap = DayRange::new(pair[0].to().next(), pair[1].from().previous()).ok()?;
        gap.days().all(&is_empty).then_some(gap)
    });
    days.union(&DaySet::from_ranges(gaps))
}

/// Divides the days, in order, into pieces that are expected to fit into a window, or consist of a single day.
pub(super) fn pieces(days: &DaySet, load: &Load) -> Vec<DayRange> {
    let mut pieces = Vec::new();
    for range in days.ranges() {
        let (mut from, mut rows) = (range.from(), 0_u64);
        for day in range.days() {
            let more = load.expected(day);
            if day > from && rows.saturating_add(more) > load.most {
                pieces.extend(DayRange::new(from, day.previous()));
                (from, rows) = (day, 0);
            }
            rows = rows.saturating_add(more);
        }
        pieces.extend(DayRange::new(from, range.to()));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: &str, to: &str) -> DayRange {
        DayRange::parse(from, to).expect("a range")
    }

    #[test]
    fn halves_are_adjacent() {
        let whole = range("2025-01-01", "2025-01-05");
        assert_eq!(halves(whole), [range("2025-01-01", "2025-01-02"), range("2025-01-03", "2025-01-05")]);
        let two = range("2025-01-01", "2025-01-02");
        assert_eq!(halves(two), [range("2025-01-01", "2025-01-01"), range("2025-01-02", "2025-01-02")]);
        let one = range("2025-01-01", "2025-01-01");
        assert_eq!(halves(one), [one]);
    }

    #[test]
    fn gaps_are_filled_if_they_are_empty() {
        let days = ["2025-01-01", "2025-01-04", "2025-01-06"].map(|day| range(day, day));
        let is_empty = |day: Day| day != Day::parse("2025-01-05").expect("a day");
        let filled = with_gaps(&DaySet::from_ranges(days), is_empty);
        assert_eq!(filled.ranges(), [range("2025-01-01", "2025-01-04"), range("2025-01-06", "2025-01-06")]);
        assert_eq!(with_gaps(&DaySet::new(), is_empty), DaySet::new());
    }

    #[test]
    fn pieces_are_as_large_as_windows_may_be() {
        let count = |day: &str, rows| (Day::parse(day).expect("a day"), rows);
        let load = Load {
            counts: [
                count("2025-01-01", 10),
                count("2025-01-02", 10),
                count("2025-01-04", 500),
                count("2025-01-05", 20),
            ]
            .into(),
            input_rows: 7,
            // Two messages per trade.
            rows: 21,
            most: 60,
        };
        let whole = DaySet::from_ranges([range("2025-01-01", "2025-01-06")]);
        assert_eq!(
            pieces(&whole, &load),
            [
                range("2025-01-01", "2025-01-03"),
                range("2025-01-04", "2025-01-04"),
                range("2025-01-05", "2025-01-06"),
            ]
        );
        let parts =
            DaySet::from_ranges([range("2025-01-01", "2025-01-01"), range("2025-01-05", "2025-01-05")]);
        assert_eq!(pieces(&parts, &load), parts.ranges());
    }
}
