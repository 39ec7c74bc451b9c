//! Which day a document belongs to: one definition for the match, for storage and for Verify.
//!
//! | mapped | the day |
//! |---|---|
//! | year and day of year | that date |
//! | day of year and time stamp | the date with that day of year nearest to the time stamp, within half a year |
//! | time stamp | the day in which it lies |
//! | business date | that date |
//!
//! A time stamp and a business date may have several forms; see the module `date_field`.
//!
//! A document may have several values at such a path. If all of them mean one day it belongs there; otherwise it
//! is left out. It then *touches* every day whose own match returns it, so it is counted the same way whether
//! days are pulled together or one by one.

use bson::raw::{RawBsonRef, RawDocument, RawDocumentBuf};
use bson::{Bson, Document, doc};
use chrono::{DateTime, Utc};

use super::date_field::{DateField, DateForm, FoundDays, Span};
use super::mapping::{DateMapping, Mapping};
use crate::bson::number::{Number, as_number, whole_of};
use crate::bson::path;
use crate::day::{Day, DayRange, DayZone};

/// Bounds to which days of year are clamped: no day exists beyond them.
const DAYS_OF_YEAR: std::ops::RangeInclusive<i32> = -1..=400;
const DAY_MS: i64 = 86_400_000;

/// Where a document belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// To one day.
    Day(Day),
    /// To no single day, although the matches of some days return it.
    LeftOut(LeftOut),
    /// To no day: the match of no single day returns it.
    Nowhere,
}

/// A document that is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LeftOut {
    /// Why.
    pub(crate) cause: Cause,
    touched: Touched,
}

/// Why a document belongs to no single day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Its values mean several days.
    SeveralDays,
    /// Its day of year is not a whole number.
    NotWhole,
    /// Its time stamp or business date cannot be read.
    Unreadable,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Touched {
    Years { years: Vec<i32>, days: Span<i32> },
    Stamps { days: Span<i32>, stamps: FoundDays },
    Days(FoundDays),
}

impl LeftOut {
    /// Whether the match of the day alone returns the document.
    pub(crate) fn touches(&self, day: Day) -> bool {
        let number = i32::try_from(day.day_of_year()).unwrap_or(i32::MAX);
        match &self.touched {
            Touched::Years { years, days } => years.contains(&day.year()) && days.has(number),
            Touched::Stamps { days, stamps } => {
                let (from, until) = stamp_dates(day);
                days.has(number) && stamps.any(|stamps| stamps.last >= from && stamps.first < until)
            }
            Touched::Days(days) => days.any(|days| days.has(day)),
        }
    }
}

/// Determines where documents belong.
#[derive(Debug)]
pub(crate) struct Placement {
    mapping: Mapping,
    /// The last day found and its bounds: documents mostly come day by day.
    last: Option<(Day, DateTime<Utc>, DateTime<Utc>)>,
}

impl Placement {
    pub(crate) fn new(mapping: &Mapping) -> Self {
        Self { mapping: mapping.clone(), last: None }
    }

    /// Where a document belongs.
    pub(crate) fn place(&mut self, document: &RawDocument) -> Place {
        let Self { mapping, last } = self;
        let mut dates = |field: DateField<'_>| {
            field.days(document, field.path, &mut |at| date_at(last, &field.day_zone, at))
        };
        match mapping.dates() {
            DateMapping::YearDay { year, day_of_year } => {
                place_by_year(years(document, year), days_of_year(document, day_of_year))
            }
            DateMapping::DayTimestamp { day_of_year, timestamp } => {
                place_by_stamp(days_of_year(document, day_of_year), dates(timestamp))
            }
            DateMapping::Timestamp { timestamp } => place_by_days(dates(timestamp)),
        }
    }

    /// Where the documents of a group that [`group_key`] formed belong.
    pub(crate) fn place_group(&self, key: &Document) -> Place {
        let part = |name: &str| key.get_document(name).cloned().unwrap_or_default();
        match self.mapping.dates() {
            DateMapping::YearDay { year, day_of_year } => {
                let ((year, at), (day, of)) =
                    (holder(&part("year"), year), holder(&part("day"), day_of_year));
                place_by_year(years(&year, &at), days_of_year(&day, &of))
            }
            DateMapping::DayTimestamp { day_of_year, timestamp } => {
                let (day, of) = holder(&part("day"), day_of_year);
                place_by_stamp(days_of_year(&day, &of), Self::group_dates(&part("stamp"), &timestamp))
            }
            DateMapping::Timestamp { timestamp } => {
                place_by_days(Self::group_dates(&part("stamp"), &timestamp))
            }
        }
    }

    fn group_dates(part: &Document, field: &DateField<'_>) -> Option<FoundDays> {
        if let Some(number) = part.get("date") {
            let (holder, _) = holder(&doc! {"value": number.clone()}, field.path);
            let day = holder.get("value").ok().flatten().and_then(whole);
            return Some(FoundDays::of(Day::from_number(i32::try_from(day?).ok()?)));
        }
        let mut day_of = |at| field.day_zone.day_of(at);
        if part.contains_key("cut") {
            return field.days_of_group(part, &mut day_of);
        }
        let (document, path) = holder(part, field.path);
        field.days(&document, &path, &mut day_of)
    }
}

fn date_at(last: &mut Option<(Day, DateTime<Utc>, DateTime<Utc>)>, zone: &DayZone, at: DateTime<Utc>) -> Day {
    if let Some((day, start, end)) = last
        && *start <= at
        && at < *end
    {
        return *day;
    }
    let day = zone.day_of(at);
    *last = Some((day, zone.start_of(day), zone.end_of(day)));
    day
}

fn place_by_year(years: Vec<i32>, days: Option<DaysOfYear>) -> Place {
    let Some(days) = days else { return Place::Nowhere };
    let dates = |day: i32| {
        let dates = years.iter().filter_map(move |year| date(*year, day)).collect::<Vec<_>>();
        (dates.first().copied(), dates.len())
    };
    let one = days.span.one();
    let cause = match one {
        Some(day) => match dates(day) {
            (None, _) => return Place::Nowhere,
            (Some(date), 1) if days.are_whole => return Place::Day(date),
            (_, 1) if !days.are_whole => Cause::NotWhole,
            _ => Cause::SeveralDays,
        },
        None if years.is_empty() => return Place::Nowhere,
        None => Cause::SeveralDays,
    };
    Place::LeftOut(LeftOut { cause, touched: Touched::Years { years, days: days.span } })
}

fn place_by_stamp(days: Option<DaysOfYear>, stamps: Option<FoundDays>) -> Place {
    let (Some(days), Some(stamps)) = (days, stamps) else { return Place::Nowhere };
    let mut cause = Cause::SeveralDays;
    let all = stamps.all();
    if let Some(day) = days.span.one() {
        match (nearest(day, all.first), nearest(day, all.last)) {
            (Some(first), Some(last)) if first == last && !days.are_whole => cause = Cause::NotWhole,
            (Some(first), Some(last)) if first == last && !stamps.are_readable => cause = Cause::Unreadable,
            (Some(first), Some(last)) if first == last => return Place::Day(first),
            (None, None) if all.one().is_some() => return Place::Nowhere,
            _ => {}
        }
    }
    Place::LeftOut(LeftOut { cause, touched: Touched::Stamps { days: days.span, stamps } })
}

fn place_by_days(days: Option<FoundDays>) -> Place {
    let Some(days) = days else { return Place::Nowhere };
    let cause = match days.all().one() {
        Some(day) if days.are_readable => return Place::Day(day),
        Some(_) => Cause::Unreadable,
        None => Cause::SeveralDays,
    };
    Place::LeftOut(LeftOut { cause, touched: Touched::Days(days) })
}

/// The years at a path: the whole numbers there, which are what an equality match on a year finds.
fn years(document: &RawDocument, path: &str) -> Vec<i32> {
    let mut years = Vec::new();
    path::scalars(document, path, &mut |value| {
        if let Some(year) = whole(value).and_then(|year| i32::try_from(year).ok())
            && !years.contains(&year)
        {
            years.push(year);
        }
    });
    years
}

/// The days of year at a path, rounded down.
#[derive(Debug, Clone, Copy)]
struct DaysOfYear {
    span: Span<i32>,
    are_whole: bool,
}

fn days_of_year(document: &RawDocument, path: &str) -> Option<DaysOfYear> {
    let (mut span, mut are_whole) = (None, true);
    path::scalars(document, path, &mut |value| {
        if let Some(number) = as_number(value).filter(|number| !number.is_nan()) {
            let floor = floor(number);
            are_whole &= number.equals(Number::Whole(floor.into()));
            Span::extend(&mut span, floor);
        }
    });
    Some(DaysOfYear { span: span?, are_whole })
}

/// A number rounded down, within the [`DAYS_OF_YEAR`].
fn floor(number: Number) -> i32 {
    let (mut low, mut high) = (*DAYS_OF_YEAR.start(), *DAYS_OF_YEAR.end());
    let whole = match number {
        Number::Whole(whole) => Some(whole),
        Number::Double(double) => whole_of(double.floor()),
        Number::Decimal(_) => None,
    };
    if let Some(whole) = whole {
        return i32::try_from(whole.clamp(low.into(), high.into())).expect("within the bounds");
    }
    while low < high {
        let middle = low + (high - low + 1) / 2;
        if number.compare(Number::Whole(middle.into())).is_some_and(std::cmp::Ordering::is_ge) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}

/// The value as a whole number, if it is one of any numeric type.
pub(crate) fn whole(value: RawBsonRef<'_>) -> Option<i64> {
    match as_number(value)? {
        Number::Whole(whole) => Some(whole),
        number => {
            let mut key = String::new();
            number.write_key(&mut key);
            key.parse().ok()
        }
    }
}

fn date(year: i32, day_of_year: i32) -> Option<Day> {
    // Far beyond any range that can be requested, a [`Day`] stands for many dates.
    let year = Some(year).filter(|year| (-9_000..=9_999).contains(year))?;
    Day::from_year_day(year, u32::try_from(day_of_year).ok()?)
}

/// The date with the given day of year that is nearest to the date of a time stamp, at most half a year away.
fn nearest(day_of_year: i32, stamp: Day) -> Option<Day> {
    let year = stamp.year();
    [year, year - 1, year + 1].into_iter().filter_map(|year| date(year, day_of_year)).find(|date| {
        let (from, until) = stamp_dates(*date);
        from <= stamp && stamp < until
    })
}

/// The dates of the time stamps for which a day is the nearest one among all days with the same day of year: from the
/// first date, and before the second. If a time stamp is exactly half a year from two days, it belongs to the earlier
/// one: messages are stamped late rather than early. A 366th day has no such neighbours; it gets half a year on
/// either side.
fn stamp_dates(day: Day) -> (Day, Day) {
    let neighbour = |year: i32, otherwise: i32| {
        Day::from_year_day(year, day.day_of_year()).map_or(otherwise, Day::number)
    };
    let number = day.number();
    let before = neighbour(day.year() - 1, number - 366);
    let after = neighbour(day.year() + 1, number + 366);
    let half_way = |other: i32| Day::from_number((number + other).div_euclid(2) + 1);
    (half_way(before), half_way(after))
}

/// The part of a `$match` that selects the days of a range. It returns every document that belongs to one of them. By
/// day of year and time stamp it may also return documents of other days, stamped about half a year off: which year
/// is nearest differs from day to day, and no index range can express that. By ISO text it may return documents of
/// neighbouring days, because texts with different offsets are not in the order of their instants. And in an array, a
/// text or a number that is no date may meet one end of a range, and a date far off the other.
pub(crate) fn date_match(mapping: &Mapping, range: &DayRange) -> Document {
    match mapping.dates() {
        DateMapping::YearDay { year, day_of_year } => {
            any_year(range, |part| vec![doc! {year: part.from().year(), day_of_year: numbers(part)}])
        }
        DateMapping::DayTimestamp { day_of_year, timestamp } => any_year(range, |part| {
            let stamps = timestamp.conditions(stamp_dates(part.from()).0, stamp_dates(part.to()).1);
            let with_day = |stamps| doc! {day_of_year: numbers(part), timestamp.path: stamps};
            stamps.into_iter().map(with_day).collect()
        }),
        DateMapping::Timestamp { timestamp } => {
            let ranges = timestamp.conditions(range.from(), range.to().next());
            any_of(ranges.into_iter().map(|range| doc! {timestamp.path: range}).collect())
        }
    }
}

/// The `_id` of a `$group` from which the documents that the [`date_match`] of a range returns can be placed. Days
/// are computed from the same instants as in the match, not by the server's own zone rules. A value that is not plain
/// (an array) is returned as it is.
pub(crate) fn group_key(mapping: &Mapping, range: &DayRange) -> Document {
    let stamp = |field: DateField<'_>, from: Day, until: Day| match field.form {
        DateForm::Date => {
            let value = format!("${}", field.path);
            let number = day_number(&value, &field.day_zone, from, until);
            doc! {"$cond": [{"$eq": [{"$type": &value}, "date"]}, {"date": number}, plain(field.path)]}
        }
        _ => field.group(from, until, plain(field.path)),
    };
    match mapping.dates() {
        DateMapping::YearDay { year, day_of_year } => doc! {"year": plain(year), "day": plain(day_of_year)},
        DateMapping::DayTimestamp { day_of_year, timestamp } => {
            let (from, until) = (stamp_dates(range.from()).0, stamp_dates(range.to()).1);
            doc! {"day": plain(day_of_year), "stamp": stamp(timestamp, from, until)}
        }
        DateMapping::Timestamp { timestamp } => {
            doc! {"stamp": stamp(timestamp, range.from(), range.to().next())}
        }
    }
}

/// An expression for the value at a path. Expressions and matches read a path through arrays differently, so in that
/// case it returns the whole top-level field.
fn plain(path: &str) -> Document {
    let field = format!("${path}");
    match path.split_once('.') {
        None => doc! {"value": field},
        Some((head, _)) => {
            let is_other = doc! {"$in": [{"$type": &field}, ["array", "missing"]]};
            doc! {"$cond": [is_other, {"whole": format!("${head}")}, {"value": &field}]}
        }
    }
}

/// A document that contains what [`plain`] returned, and the path of that in it.
fn holder(part: &Document, path: &str) -> (RawDocumentBuf, String) {
    let (document, path) = match (part.get("whole"), part.get("value")) {
        (Some(whole), _) => {
            let head = path.split('.').next().unwrap_or(path);
            (doc! {head: whole.clone()}, path.to_owned())
        }
        (None, Some(value)) => (doc! {"value": value.clone()}, "value".to_owned()),
        (None, None) => (Document::new(), path.to_owned()),
    };
    (RawDocumentBuf::try_from(&document).unwrap_or_default(), path)
}

/// An expression for the number of the day in which a date lies. For consecutive days of 24 hours it is a division.
fn day_number(field: &str, zone: &DayZone, from: Day, until: Day) -> Bson {
    let mut runs: Vec<(Day, DateTime<Utc>, bool)> = Vec::new();
    let mut day = from;
    while day < until {
        let (start, end) = (zone.start_of(day), zone.end_of(day));
        let is_plain = (end - start).num_milliseconds() == DAY_MS;
        if !(is_plain && runs.last().is_some_and(|(_, _, is_plain)| *is_plain)) {
            runs.push((day, start, is_plain));
        }
        day = day.next();
    }
    day_number_of(field, &runs)
}

fn day_number_of(field: &str, runs: &[(Day, DateTime<Utc>, bool)]) -> Bson {
    match runs {
        [] => Bson::Null,
        [(day, _, false)] => Bson::Int32(day.number()),
        [(day, start, true)] => {
            let passed = doc! {"$subtract": [{"$toLong": field}, start.timestamp_millis()]};
            doc! {"$add": [day.number(), {"$floor": {"$divide": [passed, DAY_MS]}}]}.into()
        }
        _ => {
            let (early, late) = runs.split_at(runs.len() / 2);
            let begins = late.first().map_or(Bson::Null, |(_, start, _)| bson_date(*start).into());
            doc! {"$cond": [{"$lt": [field, begins]}, day_number_of(field, early), day_number_of(field, late)]}
                .into()
        }
    }
}

/// The matches of each calendar year's part of a range.
fn any_year(range: &DayRange, part_matches: impl Fn(&DayRange) -> Vec<Document>) -> Document {
    any_of(year_parts(range).iter().flat_map(part_matches).collect())
}

/// The matches as one: `$or` if there is more than one.
fn any_of(mut parts: Vec<Document>) -> Document {
    if parts.len() == 1 {
        parts.remove(0)
    } else {
        doc! {"$or": parts}
    }
}

/// A range split at the ends of calendar years.
fn year_parts(range: &DayRange) -> Vec<DayRange> {
    (range.from().year()..=range.to().year())
        .filter_map(|year| {
            let whole = DayRange::new(Day::from_ymd(year, 1, 1)?, Day::from_ymd(year, 12, 31)?).ok()?;
            whole.intersect(range)
        })
        .collect()
}

/// The days of year of a part. The end is exclusive, so that a value between two days is found with the first of
/// them.
fn numbers(part: &DayRange) -> Document {
    let number = |day: Day| i32::try_from(day.day_of_year()).expect("a year has at most 366 days");
    doc! {"$gte": number(part.from()), "$lt": number(part.to()) + 1}
}

fn bson_date(at: DateTime<Utc>) -> bson::DateTime {
    bson::DateTime::from_millis(at.timestamp_millis())
}

#[cfg(test)]
mod tests;
