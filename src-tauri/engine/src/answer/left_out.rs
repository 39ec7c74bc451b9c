//! What an answer leaves out, and why: counted per day while a window is pulled, stored in the file, and reported in
//! the same way whether the answer comes from the cache or from the server.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::{LeftOut, LeftOutReason, note};
use crate::day::Day;
use crate::query::date_field::{DateForm, NUMBERS};
use crate::query::mapping::Mapping;
use crate::query::placement::Cause;

/// Number of left-out documents of a day by reason, as the ledger stores them.
pub(crate) type Counts = BTreeMap<String, u64>;

/// A document with several days, counted under the first of the days that it touches.
const SEVERAL_DAYS: &str = "several_days";
/// The same document under each further day; it counts only if a range begins with that day.
const SEVERAL_DAYS_AGAIN: &str = "several_days_again";
/// A document whose day of year is not a whole number.
const DAY_NOT_WHOLE: &str = "day_not_whole";
/// A document whose time stamp or business date has the right type but cannot be read.
const UNREADABLE: &str = "date_unreadable";
/// A document that was returned for the day but whose date fields give no day.
pub(crate) const NO_DAY: &str = "no_day";
/// A trade that is stored, but whose id cannot be used to query its messages.
pub(crate) const TRADE_ID: &str = "trade_id";
/// A message that was returned although none of its trades was requested.
pub(crate) const OTHER_TRADE: &str = "other_trade";

/// The reason under which a document that [`crate::query::placement`] leaves out is counted for a day that it
/// touches.
pub(crate) fn reason(left_out: &crate::query::placement::LeftOut, day: Day) -> &'static str {
    match left_out.cause {
        Cause::NotWhole => DAY_NOT_WHOLE,
        Cause::Unreadable => UNREADABLE,
        Cause::SeveralDays if left_out.touches(day.previous()) => SEVERAL_DAYS_AGAIN,
        Cause::SeveralDays => SEVERAL_DAYS,
    }
}

/// The number of documents that touch a day but belong to no single day. The source's count of the day includes them.
pub(crate) fn not_held(counts: &Counts) -> u64 {
    let reasons = [SEVERAL_DAYS, SEVERAL_DAYS_AGAIN, DAY_NOT_WHOLE, UNREADABLE];
    reasons.iter().filter_map(|reason| counts.get(*reason)).sum()
}

/// Whether some of the counted documents are not stored. If so, it is unknown which of them a narrower query would
/// leave out itself.
pub(crate) fn concern_unheld(counts: &Counts) -> bool {
    counts.keys().any(|reason| reason != TRADE_ID)
}

/// Documents whose date fields have values of a type that no match on dates finds. They belong to no day, so they are
/// counted per query, by path and type, and for their year if they have at least a year.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OddDates {
    any: BTreeMap<String, Counts>,
    years: BTreeMap<i32, BTreeMap<String, Counts>>,
}

/// What the source returned about the odd dates of some years.
#[derive(Debug, Clone)]
pub struct FoundOddDates {
    pub(crate) years: RangeInclusive<i32>,
    pub(crate) dates: OddDates,
}

impl OddDates {
    /// Adds documents of a year, or without one, that have a value of the type `found` at a path.
    pub(crate) fn add(&mut self, year: Option<i32>, path: &str, found: &str, documents: u64) {
        let paths = year.map_or(&mut self.any, |year| self.years.entry(year).or_default());
        *paths.entry(path.to_owned()).or_default().entry(found.to_owned()).or_default() += documents;
    }

    /// Replaces the counts of the queried years, and those without a year, with what was found.
    pub(crate) fn update(&mut self, found: &FoundOddDates) {
        self.any.clone_from(&found.dates.any);
        self.years.retain(|year, _| !found.years.contains(year));
        self.years.extend(found.dates.years.clone());
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.any.is_empty() && self.years.is_empty()
    }

    fn in_years(&self, first: i32, last: i32) -> BTreeMap<(&str, &str), u64> {
        let mut found = BTreeMap::new();
        let years = self.years.iter().filter(|(year, _)| (first..=last).contains(*year));
        for (path, types) in self.any.iter().chain(years.flat_map(|(_, paths)| paths)) {
            for (name, documents) in types {
                *found.entry((path.as_str(), name.as_str())).or_default() += documents;
            }
        }
        found
    }
}

/// What the answer for the given cached days, which come in order, leaves out.
pub(crate) fn of_days<'a>(
    mapping: &Mapping,
    years: (i32, i32),
    odd_dates: &OddDates,
    days: impl Iterator<Item = (Day, &'a Counts)>,
) -> Vec<LeftOut> {
    let mut totals: BTreeMap<LeftOutReason, u64> = BTreeMap::new();
    let mut before: Option<Day> = None;
    for (day, counts) in days {
        let begins = before != Some(day.previous());
        before = Some(day);
        for (reason, documents) in counts {
            let reason = match reason.as_str() {
                SEVERAL_DAYS => LeftOutReason::SeveralDays,
                SEVERAL_DAYS_AGAIN if begins => LeftOutReason::SeveralDays,
                SEVERAL_DAYS_AGAIN => continue,
                DAY_NOT_WHOLE => LeftOutReason::DayNotWhole,
                TRADE_ID => LeftOutReason::TradeId,
                OTHER_TRADE => LeftOutReason::OtherTrade,
                _ => LeftOutReason::NoDay,
            };
            *totals.entry(reason).or_default() += documents;
        }
    }
    let dates = mapping.dates().paths().join(", ");
    let id = mapping.trade_id.as_deref().unwrap_or_default();
    let mut left_out: Vec<LeftOut> = totals
        .into_iter()
        .map(|(reason, documents)| LeftOut {
            reason,
            documents,
            why: note::left_out(reason, documents, &dates, id),
        })
        .collect();
    left_out.extend(odd_dates.in_years(years.0, years.1).into_iter().map(|((path, found), documents)| {
        let (found, expected) = (type_in_words(mapping, path, found), expected(mapping, path));
        let why = note::odd_date(documents, path, found, expected);
        LeftOut { reason: LeftOutReason::DateType, documents, why }
    }));
    left_out
}

/// What a mapping expects at the path of a date, in words.
pub(crate) fn expected(mapping: &Mapping, path: &str) -> &'static str {
    mapping.dates().form_at(path).map_or("a number", DateForm::in_words)
}

/// MongoDB's name of a type that was found at the path of a date, in words.
pub(crate) fn type_in_words<'a>(mapping: &Mapping, path: &str, name: &'a str) -> &'a str {
    // Of the right type, but outside the range of its dates.
    if mapping.dates().form_at(path).is_some_and(|form| form.has_type(name)) {
        return if NUMBERS.contains(&name) { "a number that is no date" } else { "text that is no date" };
    }
    match name {
        "string" => "text",
        "int" | "long" | "double" | "decimal" => "a number",
        "date" => "a date",
        "object" => "a sub-document",
        "array" => "a list",
        "bool" => "true or false",
        "objectId" => "an ObjectId",
        "binData" => "bytes",
        "timestamp" => "a log timestamp",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_document_of_several_days_counts_once_in_every_range() {
        let first = Day::from_ymd(2025, 10, 1).unwrap();
        // Two documents: one touches the first to the third day, the other the second and the third.
        let counts = [
            Counts::from([(SEVERAL_DAYS.to_owned(), 1)]),
            Counts::from([(SEVERAL_DAYS.to_owned(), 1), (SEVERAL_DAYS_AGAIN.to_owned(), 1)]),
            Counts::from([(SEVERAL_DAYS_AGAIN.to_owned(), 2)]),
            Counts::new(),
        ];
        let documents_of = |from: usize, to: usize| {
            let days = (from..=to).map(|at| (first.plus(i32::try_from(at).unwrap()), &counts[at]));
            let left_out = of_days(&Mapping::default(), (2025, 2025), &OddDates::default(), days);
            left_out.iter().map(|left_out| left_out.documents).sum::<u64>()
        };
        for (from, to, documents) in
            [(0, 3, 2), (0, 0, 1), (1, 1, 2), (2, 2, 2), (1, 2, 2), (0, 1, 2), (2, 3, 2), (3, 3, 0)]
        {
            assert_eq!(documents_of(from, to), documents, "{from} to {to}");
        }
    }
}
