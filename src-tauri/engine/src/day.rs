//! Calendar days, ranges and sets of them, and the time zone that determines when a day begins.

use std::collections::BTreeSet;
use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Utc};
use jiff::tz::{AmbiguousOffset, Offset};
use jiff::{SignedDuration, Timestamp, civil};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::failure::{Code, Failure, Result};
use crate::zone_rules::{Zone, ZoneRules};

/// The longest range: a mistyped year must not plan a century of days.
pub const LONGEST_RANGE_YEARS: i32 = 40;

/// First and last day of the type, far outside what can be typed and within what chrono can represent.
const FIRST: i32 = -4_371_222; // about -9999-01-01
const LAST: i32 = 6_585_000; // about the year 19999

/// A calendar day without a zone. Stored as days since 1970-01-01; written `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i32);

impl Day {
    /// Reads `YYYY-MM-DD`. A date that does not exist is rejected.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let bad =
            || Failure::new(Code::BadRange, format!("\"{text}\" is not a date of the form YYYY-MM-DD."));
        let bytes = text.as_bytes();
        let shaped = bytes.len() == 10
            && bytes.iter().enumerate().all(|(at, byte)| match at {
                4 | 7 => *byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        if !shaped {
            return Err(bad());
        }
        let part = |from: usize, to: usize| text[from..to].parse::<u32>().map_err(|_| bad());
        let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
        let year = i32::try_from(year).map_err(|_| bad())?;
        Self::from_ymd(year, month, day)
            .ok_or_else(|| Failure::new(Code::BadRange, format!("The date {text} does not exist.")))
    }

    /// The day of a year, a month and a day of the month, if it exists.
    #[must_use]
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Self> {
        NaiveDate::from_ymd_opt(year, month, day).map(Self::from)
    }

    /// The day of a year and a day of that year (1 to 366), if it exists.
    #[must_use]
    pub fn from_year_day(year: i32, day_of_year: u32) -> Option<Self> {
        NaiveDate::from_yo_opt(year, day_of_year).map(Self::from)
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn number(self) -> i32 {
        self.0
    }

    /// The day that is `number` days after 1970-01-01, or before it if negative.
    #[must_use]
    pub fn from_number(number: i32) -> Self {
        Self(number.clamp(FIRST, LAST))
    }

    /// The day after.
    #[must_use]
    pub fn next(self) -> Self {
        self.plus(1)
    }

    /// The day before.
    #[must_use]
    pub fn previous(self) -> Self {
        self.plus(-1)
    }

    /// The day that is `days` days later.
    #[must_use]
    pub fn plus(self, days: i32) -> Self {
        Self::from_number(self.0.saturating_add(days))
    }

    /// The year.
    #[must_use]
    pub fn year(self) -> i32 {
        self.date().year()
    }

    /// The day of the year, 1 to 366.
    #[must_use]
    pub fn day_of_year(self) -> u32 {
        self.date().ordinal()
    }

    /// The same day as a chrono date.
    #[must_use]
    pub fn date(self) -> NaiveDate {
        NaiveDate::from_epoch_days(self.0).expect("the number is kept within what chrono can hold")
    }
}

impl From<NaiveDate> for Day {
    fn from(date: NaiveDate) -> Self {
        Self::from_number(date.to_epoch_days())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.date().fmt(f)
    }
}

impl std::str::FromStr for Day {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(|failure| de::Error::custom(failure.message))
    }
}

/// A day is passed to the window as plain text, so no TypeScript type is generated for it.
impl ts_rs::TS for Day {
    type WithoutGenerics = Self;
    type OptionInnerType = Self;

    fn name(_: &ts_rs::Config) -> String {
        "string".to_owned()
    }

    fn inline(config: &ts_rs::Config) -> String {
        Self::name(config)
    }
}

/// A range of days, both ends inclusive. Never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DayRange {
    from: Day,
    to: Day,
}

impl DayRange {
    /// The days `from` to `to`, both inclusive.
    pub fn new(from: Day, to: Day) -> Result<Self> {
        if from > to {
            return Err(Failure::new(
                Code::BadRange,
                format!("The range ends ({to}) before it begins ({from})."),
            ));
        }
        let range = Self { from, to };
        if from.date().with_year(from.year() + LONGEST_RANGE_YEARS).unwrap_or(LAST_DATE) < to.date() {
            return Err(Failure::new(
                Code::BadRange,
                format!("The range {range} is longer than {LONGEST_RANGE_YEARS} years."),
            ));
        }
        Ok(range)
    }

    /// Reads both ends as `YYYY-MM-DD`.
    pub fn parse(from: &str, to: &str) -> Result<Self> {
        Self::new(Day::parse(from)?, Day::parse(to)?)
    }

    /// One day.
    #[must_use]
    pub const fn single(day: Day) -> Self {
        Self { from: day, to: day }
    }

    /// The first day.
    #[must_use]
    pub const fn from(&self) -> Day {
        self.from
    }

    /// The last day, inclusive.
    #[must_use]
    pub const fn to(&self) -> Day {
        self.to
    }

    /// Number of days, at least one.
    #[must_use]
    #[allow(clippy::len_without_is_empty)] // a range is never empty
    pub fn len(&self) -> usize {
        usize::try_from(self.to.0 - self.from.0).expect("a range never ends before it begins") + 1
    }

    /// Every day, in order.
    pub fn days(&self) -> impl DoubleEndedIterator<Item = Day> + use<> {
        (self.from.0..=self.to.0).map(Day)
    }

    /// Whether the day is in the range.
    #[must_use]
    pub fn contains(&self, day: Day) -> bool {
        self.from <= day && day <= self.to
    }

    /// The days in both ranges, if there are any.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        let (from, to) = (self.from.max(other.from), self.to.min(other.to));
        (from <= to).then_some(Self { from, to })
    }
}

/// Stands in for the date 40 years after a 29 February if that does not exist. No existing day is later.
const LAST_DATE: NaiveDate = NaiveDate::MAX;

impl fmt::Display for DayRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.from == self.to { self.from.fmt(f) } else { write!(f, "{} to {}", self.from, self.to) }
    }
}

/// A set of days, stored as sorted ranges that neither overlap nor touch. Two equal sets have equal ranges.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct DaySet {
    ranges: Vec<DayRange>,
}

impl DaySet {
    /// The empty set.
    #[must_use]
    pub const fn new() -> Self {
        Self { ranges: Vec::new() }
    }

    /// The days of all the ranges, given in any order.
    pub fn from_ranges(ranges: impl IntoIterator<Item = DayRange>) -> Self {
        let mut sorted: Vec<DayRange> = ranges.into_iter().collect();
        sorted.sort_by_key(|range| (range.from, range.to));
        let mut joined: Vec<DayRange> = Vec::with_capacity(sorted.len());
        for range in sorted {
            match joined.last_mut() {
                Some(last) if range.from.0 <= last.to.0.saturating_add(1) => last.to = last.to.max(range.to),
                _ => joined.push(range),
            }
        }
        Self { ranges: joined }
    }

    /// Adds the days of a range.
    pub fn insert(&mut self, range: DayRange) {
        let ranges = std::mem::take(&mut self.ranges);
        *self = Self::from_ranges(ranges.into_iter().chain([range]));
    }

    /// The days that are in either set.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self::from_ranges(self.ranges.iter().chain(&other.ranges).copied())
    }

    /// The days that are in both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let (mut left, mut right) = (self.ranges.iter().peekable(), other.ranges.iter().peekable());
        let mut ranges = Vec::new();
        while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
            ranges.extend(a.intersect(b));
            // The range that ends first cannot intersect any further range.
            if a.to < b.to {
                left.next();
            } else {
                right.next();
            }
        }
        Self { ranges }
    }

    /// The days of this set that are not in the other.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        let mut ranges = Vec::new();
        for range in &self.ranges {
            let mut from = range.from.0;
            let first = other.ranges.partition_point(|hole| hole.to < range.from);
            for hole in other.ranges[first..].iter().take_while(|hole| hole.from <= range.to) {
                if from < hole.from.0 {
                    ranges.push(DayRange { from: Day(from), to: hole.from.previous() });
                }
                from = hole.to.0 + 1;
            }
            if from <= range.to.0 {
                ranges.push(DayRange { from: Day(from), to: range.to });
            }
        }
        Self { ranges }
    }

    /// Whether the day is in the set.
    #[must_use]
    pub fn contains(&self, day: Day) -> bool {
        let at = self.ranges.partition_point(|range| range.to < day);
        self.ranges.get(at).is_some_and(|range| range.contains(day))
    }

    /// Number of days.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ranges.iter().map(DayRange::len).sum()
    }

    /// Whether no day is in the set.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The ranges: sorted, and with at least one day between any two.
    #[must_use]
    pub fn ranges(&self) -> &[DayRange] {
        &self.ranges
    }

    /// Every day, in order.
    pub fn days(&self) -> impl Iterator<Item = Day> + '_ {
        self.ranges.iter().flat_map(DayRange::days)
    }
}

impl FromIterator<Day> for DaySet {
    fn from_iter<I: IntoIterator<Item = Day>>(days: I) -> Self {
        let sorted: BTreeSet<Day> = days.into_iter().collect();
        Self::from_ranges(sorted.into_iter().map(DayRange::single))
    }
}

impl From<DayRange> for DaySet {
    fn from(range: DayRange) -> Self {
        Self { ranges: vec![range] }
    }
}

/// The time zone whose midnights separate the days, with the rules in force now.
#[derive(Clone, Copy)]
pub struct DayZone(&'static Zone);

/// The days to which zone rules apply, about the years -9998 to 9998. No trade has a time stamp outside them, so UTC
/// will do there.
const RULES_BEGIN: i32 = -4_371_000;
const RULES_END: i32 = 2_932_500;

impl Default for DayZone {
    fn default() -> Self {
        Self::parse("UTC").expect("the built-in rules have UTC")
    }
}

impl PartialEq for DayZone {
    fn eq(&self, other: &Self) -> bool {
        // Each zone is read once, so the same name with different rules is a different zone.
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for DayZone {}

impl fmt::Debug for DayZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DayZone({})", self.name())
    }
}

impl DayZone {
    /// Reads a name of the IANA time zone database, such as `Europe/London`.
    pub fn parse(name: &str) -> Result<Self> {
        let name = name.trim();
        ZoneRules::in_use().zone(name).map(Self).ok_or_else(|| {
            Failure::new(
                Code::BadMapping,
                format!("\"{name}\" is not a time zone; a name such as Europe/London or UTC is expected."),
            )
        })
    }

    #[cfg(test)]
    pub(crate) const fn of(zone: &'static Zone) -> Self {
        Self(zone)
    }

    /// The name, such as `Europe/London`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        &self.0.name
    }

    /// The instant at which a day begins. If the clocks skip midnight, it is the first instant after it; if midnight
    /// comes twice, it is the first of the two. A day that the zone skipped altogether (Apia on 2011-12-30) begins
    /// when the next one does and is empty.
    #[must_use]
    pub fn start_of(&self, day: Day) -> DateTime<Utc> {
        let Some(midnight) = midnight(day) else { return day.date().and_time(NaiveTime::MIN).and_utc() };
        match self.0.rules.to_ambiguous_timestamp(midnight).offset() {
            AmbiguousOffset::Unambiguous { offset } => instant(offset, midnight),
            AmbiguousOffset::Fold { before, after } => {
                instant(before, midnight).min(instant(after, midnight))
            }
            AmbiguousOffset::Gap { .. } => self.end_of_gap(day, midnight),
        }
    }

    /// The instant at which a day ends: the start of the next.
    #[must_use]
    pub fn end_of(&self, day: Day) -> DateTime<Utc> {
        self.start_of(day.next())
    }

    /// The instant at which the clocks show a local time: the first of the two if they show it twice, and as far after
    /// the gap as it lies in it if they skip it.
    #[must_use]
    pub(crate) fn instant_of(&self, local: NaiveDateTime) -> DateTime<Utc> {
        let seconds = i64::from(local.num_seconds_from_midnight());
        let at = midnight(Day::from(local.date())).and_then(|midnight| {
            let local = midnight.checked_add(SignedDuration::from_secs(seconds)).ok()?;
            let at = self.0.rules.to_ambiguous_timestamp(local).compatible().ok()?;
            DateTime::from_timestamp(at.as_second(), 0)
        });
        at.unwrap_or_else(|| local.and_utc())
    }

    /// The day in which an instant lies: the one with `start_of(day) <= at < end_of(day)`.
    #[must_use]
    pub fn day_of(&self, at: DateTime<Utc>) -> Day {
        let in_utc = Day::from(at.date_naive());
        if in_utc.0 <= FIRST + 1 || in_utc.0 >= LAST - 1 {
            // No trade has such a time stamp, and the neighbouring days would exceed what the type holds.
            return in_utc;
        }
        let mut day = in_utc;
        if let Some(local) = self.local(at) {
            let date = local.date();
            day = Day::from_ymd(
                date.year().into(),
                date.month().unsigned_abs().into(),
                date.day().unsigned_abs().into(),
            )
            .unwrap_or(in_utc);
        }
        // The local date can be a day off if clocks were set back across midnight.
        while self.start_of(day) > at {
            day = day.previous();
        }
        while self.end_of(day) <= at {
            day = day.next();
        }
        day
    }

    /// How many seconds the clocks are ahead of UTC at an instant.
    #[must_use]
    pub(crate) fn offset_at(&self, at: DateTime<Utc>) -> i32 {
        Timestamp::from_millisecond(at.timestamp_millis())
            .map_or(0, |at| self.0.rules.to_offset(at).seconds())
    }

    /// The local date and time at an instant, if zone rules apply to it.
    fn local(&self, at: DateTime<Utc>) -> Option<civil::DateTime> {
        let days = at.timestamp().div_euclid(86_400);
        let apply = (i64::from(RULES_BEGIN)..i64::from(RULES_END)).contains(&days);
        let at = Timestamp::from_millisecond(at.timestamp_millis()).ok().filter(|_| apply)?;
        Some(self.0.rules.to_offset(at).to_datetime(at))
    }

    /// The first instant whose local time is not before a midnight that the zone skipped.
    fn end_of_gap(&self, day: Day, skipped: civil::DateTime) -> DateTime<Utc> {
        // Every offset is within 26 hours and no gap is longer than a day, so the end lies in between.
        let near = day.date().and_time(NaiveTime::MIN).and_utc();
        let (mut before, mut after) = (near - TimeDelta::hours(50), near + TimeDelta::hours(50));
        while after - before > TimeDelta::seconds(1) {
            let middle = before + TimeDelta::seconds((after - before).num_seconds() / 2);
            if self.local(middle).is_some_and(|local| local < skipped) {
                before = middle;
            } else {
                after = middle;
            }
        }
        after
    }
}

/// The local midnight at which a day begins, if zone rules apply to it.
fn midnight(day: Day) -> Option<civil::DateTime> {
    let date = day.date();
    let (year, month, of_month) = (date.year(), date.month(), date.day());
    let date =
        civil::Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(of_month).ok()?);
    let applies = (RULES_BEGIN..RULES_END).contains(&day.0);
    Some(date.ok().filter(|_| applies)?.to_datetime(civil::Time::midnight()))
}

/// The instant at which clocks with the given offset show a local time.
fn instant(offset: Offset, local: civil::DateTime) -> DateTime<Utc> {
    let at = offset.to_timestamp(local).ok();
    at.and_then(|at| DateTime::from_timestamp_millis(at.as_millisecond()))
        .expect("rules apply well within what both types hold")
}

impl fmt::Display for DayZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for DayZone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for DayZone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::parse(&name).map_err(|failure| de::Error::custom(failure.message))
    }
}

#[cfg(test)]
mod tests;
