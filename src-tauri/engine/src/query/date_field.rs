//! The forms in which documents store a time or a business date at one path: which day a value means, and which range
//! of values the days of a range have.
//!
//! | form | values | read in the zone of the field |
//! |---|---|---|
//! | `date` | dates | - |
//! | `iso_text` | texts; see [`read_iso`] | texts without an offset |
//! | `epoch_s` to `epoch_ns` | numbers of any type, fractions too | - |
//! | `yyyymmdd` | whole numbers and texts of eight digits | all |
//! | `object_id` | ObjectIds, by the seconds in their first four bytes | - |
//!
//! Every form is matched by ranges of one BSON type, so an index on the path can serve each of them. The ranges of
//! texts are wider than the days by what an offset may move, because only the day of a text that was read decides.
//!
//! A value of the right type that cannot be read (`20250230`, `2025-02-30`, `2025-01-31 noon`) is counted with the
//! last day whose plain spelling is not greater: there the match of that day returns it, whatever range is requested.

use bson::oid::ObjectId;
use bson::raw::{RawBsonRef, RawDocument};
use bson::{Bson, Decimal128, Document, doc};
use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::bson::number::as_number;
use crate::bson::path;
use crate::day::{Day, DayZone};

/// The longest offset that a text may have. The longest ever used was just under 16 hours.
const MOST_OFFSET_SECONDS: i64 = 16 * 3_600;
/// The first and the last day that a text or a number of eight digits can name.
const SPELLED: (i32, i32) = (-719_528, 2_932_896);
/// The first number of eight digits that names a day, and the first one after the last.
const COMPACT_NUMBERS: (i32, i32) = (101, 100_000_101);
/// The seconds since 1970 in which the years 1980 to 2100 begin and end, in which the time of a trade is believed to lie.
const BELIEVABLE: (i64, i64) = (315_532_800, 4_133_980_800);
/// Offsets of zones that have had no seconds since then: the last zone gave them up in 1972.
const WHOLE_MINUTES_SINCE: i32 = 1_096;

/// How a time or a business date is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum DateForm {
    /// A BSON date.
    #[default]
    Date,
    /// ISO 8601 text.
    IsoText,
    /// Seconds since 1970.
    EpochS,
    /// Milliseconds since 1970.
    EpochMs,
    /// Microseconds since 1970.
    EpochUs,
    /// Nanoseconds since 1970.
    EpochNs,
    /// A number or a text such as 20250131.
    #[serde(rename = "yyyymmdd")]
    CompactDay,
    /// An ObjectId, which begins with the seconds since 1970.
    ObjectId,
}

impl DateForm {
    /// The counts since 1970.
    pub(crate) const COUNTS: [Self; 4] = [Self::EpochS, Self::EpochMs, Self::EpochUs, Self::EpochNs];

    /// The form as a mapping file names it.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::IsoText => "iso_text",
            Self::EpochS => "epoch_s",
            Self::EpochMs => "epoch_ms",
            Self::EpochUs => "epoch_us",
            Self::EpochNs => "epoch_ns",
            Self::CompactDay => "yyyymmdd",
            Self::ObjectId => "object_id",
        }
    }

    /// The range of the counts of this unit that are believed to be times of trades: those of 1980 to 2100. `None` if
    /// the form is no count. The ranges of different units have nothing in common, so one of them tells the unit.
    pub(crate) fn believable(self) -> Option<Document> {
        let (first, end) = BELIEVABLE;
        self.units().map(|units| doc! {"$gte": first * units, "$lt": end * units})
    }

    /// Why counts since 1970 are not in this unit but in a different one, and what to do about it.
    pub(crate) fn not_but(self, path: &str, other: Self) -> (String, String) {
        let message = format!(
            "The values of {path} are {} since 1970, not {}.",
            other.unit_in_words(),
            self.unit_in_words()
        );
        (message, format!("Correct the mapping: the form of {path} is {}.", other.key()))
    }

    const fn unit_in_words(self) -> &'static str {
        match self {
            Self::EpochS => "seconds",
            Self::EpochMs => "milliseconds",
            Self::EpochUs => "microseconds",
            Self::EpochNs => "nanoseconds",
            other => other.in_words(),
        }
    }

    /// Whether some of its values say a local time, which means an instant only together with a zone.
    #[must_use]
    pub const fn has_local_times(self) -> bool {
        matches!(self, Self::IsoText | Self::CompactDay)
    }

    /// The instant that a value of this form means by itself: a text without an offset, or a day, is read in UTC. `None`
    /// if the value cannot be read.
    pub(crate) fn instant(self, value: RawBsonRef<'_>) -> Option<DateTime<Utc>> {
        self.instant_in(value, DayZone::default())
    }

    /// The same, but a text without an offset, or a day, is read in a zone.
    pub(crate) fn instant_in(self, value: RawBsonRef<'_>, zone: DayZone) -> Option<DateTime<Utc>> {
        let utc = DayZone::default();
        let field = DateField { path: "", form: self, zone, day_zone: utc, is_as_written: false };
        let mut at = None;
        let mut day_of = |instant| {
            at = Some(instant);
            utc.day_of(instant)
        };
        let meant = field.meant(value, &mut day_of)?;
        meant.is_readable.then(|| at.unwrap_or_else(|| utc.start_of(meant.day)))
    }

    /// Units per second of a count since 1970.
    const fn units(self) -> Option<i64> {
        match self {
            Self::EpochS => Some(1),
            Self::EpochMs => Some(1_000),
            Self::EpochUs => Some(1_000_000),
            Self::EpochNs => Some(1_000_000_000),
            _ => None,
        }
    }

    /// A value of this form, in words.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Date => "a date",
            Self::IsoText => "a text such as 2025-01-31T09:30:00Z",
            Self::EpochS => "a number of seconds",
            Self::EpochMs => "a number of milliseconds",
            Self::EpochUs => "a number of microseconds",
            Self::EpochNs => "a number of nanoseconds",
            Self::CompactDay => "a day such as 20250131",
            Self::ObjectId => "an ObjectId",
        }
    }

    /// The ranges of all values of the types that the form has: only such values can be in the match of a day.
    pub(crate) fn ranges(self) -> Vec<Document> {
        match self {
            Self::Date => vec![doc! {"$gte": bson::DateTime::MIN}],
            // Texts that begin with a digit.
            Self::IsoText => vec![doc! {"$gte": "0", "$lt": ":"}],
            Self::EpochS | Self::EpochMs | Self::EpochUs | Self::EpochNs => {
                vec![doc! {"$gte": f64::NEG_INFINITY}]
            }
            Self::CompactDay => {
                let (first, end) = COMPACT_NUMBERS;
                vec![doc! {"$gte": first, "$lt": end}, doc! {"$gte": "0", "$lt": ":"}]
            }
            Self::ObjectId => vec![doc! {"$gte": ObjectId::from_bytes([0; 12])}],
        }
    }

    /// Ranges of one type each that together have all other values, except for those that no date ever has (null,
    /// regular expressions and the like).
    pub(crate) fn other_ranges(self) -> Vec<Document> {
        let texts = if self.has_local_times() {
            vec![doc! {"$gte": "", "$lt": "0"}, doc! {"$gte": ":"}]
        } else {
            vec![doc! {"$gte": ""}]
        };
        let bytes = bson::Binary { subtype: bson::spec::BinarySubtype::Generic, bytes: Vec::new() };
        let mut ranges = texts;
        ranges.extend([doc! {"$gte": {}}, doc! {"$gte": bytes}]);
        ranges.extend((self != Self::ObjectId).then(|| doc! {"$gte": ObjectId::from_bytes([0; 12])}));
        ranges
            .extend([doc! {"$in": [false, true]}, doc! {"$gte": bson::Timestamp { time: 0, increment: 0 }}]);
        ranges.extend((self != Self::Date).then(|| doc! {"$gte": bson::DateTime::MIN}));
        let (first, end) = COMPACT_NUMBERS;
        match self {
            Self::CompactDay => {
                ranges.extend([doc! {"$gte": f64::NEG_INFINITY, "$lt": first}, doc! {"$gte": end}]);
            }
            _ if self.units().is_some() => {}
            _ => ranges.push(doc! {"$gte": f64::NEG_INFINITY}),
        }
        ranges
    }

    /// Whether MongoDB's name of a type is one that the form has.
    pub(crate) fn has_type(self, name: &str) -> bool {
        match self {
            Self::Date => name == "date",
            Self::IsoText => name == "string",
            Self::ObjectId => name == "objectId",
            Self::CompactDay => name == "string" || NUMBERS.contains(&name),
            Self::EpochS | Self::EpochMs | Self::EpochUs | Self::EpochNs => NUMBERS.contains(&name),
        }
    }
}

/// MongoDB's names of the numeric types.
pub(crate) const NUMBERS: [&str; 4] = ["int", "long", "double", "decimal"];

/// The least and the greatest of some values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span<T> {
    pub(crate) first: T,
    pub(crate) last: T,
}

impl<T: Ord + Copy> Span<T> {
    pub(crate) fn extend(span: &mut Option<Self>, value: T) {
        let old = span.unwrap_or(Self { first: value, last: value });
        *span = Some(Self { first: old.first.min(value), last: old.last.max(value) });
    }

    pub(crate) fn has(&self, value: T) -> bool {
        self.first <= value && value <= self.last
    }

    pub(crate) fn one(&self) -> Option<T> {
        (self.first == self.last).then_some(self.first)
    }
}

/// The days of the values at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FoundDays {
    /// Of the values that one range of a match finds, and of those that the other finds if there are two.
    spans: [Option<Span<Day>>; 2],
    /// Whether each value could be read.
    pub(crate) are_readable: bool,
}

impl FoundDays {
    pub(crate) const fn of(day: Day) -> Self {
        Self { spans: [Some(Span { first: day, last: day }), None], are_readable: true }
    }

    /// The first and the last of all of them.
    pub(crate) fn all(&self) -> Span<Day> {
        let mut all = None;
        for span in self.spans.iter().flatten() {
            Span::extend(&mut all, span.first);
            Span::extend(&mut all, span.last);
        }
        all.expect("days that were found")
    }

    /// Whether any of the spans meets a condition.
    pub(crate) fn any(&self, condition: impl Fn(&Span<Day>) -> bool) -> bool {
        self.spans.iter().flatten().any(condition)
    }
}

/// What one value means.
struct Meant {
    /// Which of the two ranges of a match finds it.
    range: usize,
    day: Day,
    is_readable: bool,
}

impl From<Meant> for FoundDays {
    fn from(Meant { range, day, is_readable }: Meant) -> Self {
        let mut found = Self { spans: [None, None], are_readable: is_readable };
        Span::extend(&mut found.spans[range], day);
        found
    }
}

/// A path with times or business dates, and how they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateField<'a> {
    /// The path.
    pub path: &'a str,
    /// How its values are stored.
    pub form: DateForm,
    /// The zone of values without an offset.
    pub zone: DayZone,
    /// The zone whose days count.
    pub day_zone: DayZone,
    /// Whether the calendar day as it is written counts, whatever its time and offset say.
    pub is_as_written: bool,
}

impl DateField<'_> {
    /// The days of the values at a path of a document, which is the field's own unless the document is made of parts.
    /// `day_of` is [`DayZone::day_of`] of the field's day zone.
    pub(crate) fn days(
        &self,
        document: &RawDocument,
        path: &str,
        day_of: &mut dyn FnMut(DateTime<Utc>) -> Day,
    ) -> Option<FoundDays> {
        let mut found = FoundDays { spans: [None, None], are_readable: true };
        path::scalars(document, path, &mut |value| {
            if let Some(Meant { range, day, is_readable }) = self.meant(value, day_of) {
                Span::extend(&mut found.spans[range], day);
                found.are_readable &= is_readable;
            }
        });
        found.spans.iter().any(Option::is_some).then_some(found)
    }

    /// What a value means; `None` if the match of no day finds it.
    fn meant(&self, value: RawBsonRef<'_>, day_of: &mut dyn FnMut(DateTime<Utc>) -> Day) -> Option<Meant> {
        let readable = |range, day| Some(Meant { range, day, is_readable: true });
        match (self.form, value) {
            (DateForm::Date, RawBsonRef::DateTime(at)) => {
                let earliest = DateTime::<Utc>::MIN_UTC.timestamp_millis();
                let latest = DateTime::<Utc>::MAX_UTC.timestamp_millis();
                let at = DateTime::from_timestamp_millis(at.timestamp_millis().clamp(earliest, latest));
                readable(0, day_of(at.expect("within what the type holds")))
            }
            (DateForm::ObjectId, RawBsonRef::ObjectId(id)) => {
                let [a, b, c, d, ..] = id.bytes();
                readable(0, day_of(at_second(u32::from_be_bytes([a, b, c, d]).into())))
            }
            (DateForm::IsoText, RawBsonRef::String(text) | RawBsonRef::Symbol(text)) => {
                let range = usize::from(is_compact(text));
                match read_iso(text) {
                    Some(read) => readable(range, self.day_of_iso(&read, day_of)),
                    None => floor_of_text(text, is_compact(text)).map(|day| Meant {
                        range,
                        day,
                        is_readable: false,
                    }),
                }
            }
            (DateForm::CompactDay, RawBsonRef::String(text) | RawBsonRef::Symbol(text)) => {
                let read = read_compact(text);
                let day = read.or_else(|| floor_of_text(text, true))?;
                Some(Meant { range: 1, day: self.day_of_date(day, day_of), is_readable: read.is_some() })
            }
            (DateForm::CompactDay, value) => {
                let (number, is_whole) = as_number(value)?.floor()?;
                let (day, is_exact) = day_of_number(number)?;
                let day = self.day_of_date(day, day_of);
                Some(Meant { range: 0, day, is_readable: is_whole && is_exact })
            }
            (form, value) => {
                let units = form.units()?;
                let (number, _) = as_number(value)?.floor()?;
                let second = number.div_euclid(units.into());
                let second = second.clamp(i64::MIN.into(), i64::MAX.into());
                readable(0, day_of(at_second(i64::try_from(second).expect("within the bounds"))))
            }
        }
    }

    fn day_of_iso(&self, read: &IsoText, day_of: &mut dyn FnMut(DateTime<Utc>) -> Day) -> Day {
        if self.is_as_written {
            return Day::from(read.date);
        }
        let local = read.date.and_time(read.time);
        let at = match read.offset {
            Some(offset) => at_second(local.and_utc().timestamp() - i64::from(offset)),
            None => self.zone.instant_of(local),
        };
        day_of(at)
    }

    /// The day in which a date of the field's zone begins.
    fn day_of_date(&self, date: Day, day_of: &mut dyn FnMut(DateTime<Utc>) -> Day) -> Day {
        if self.is_as_written || self.zone == self.day_zone {
            return date;
        }
        day_of(self.zone.instant_of(date.date().and_time(NaiveTime::MIN)))
    }

    /// The conditions that together find every value of the days from one and before another, each of them a range of
    /// one BSON type.
    pub(crate) fn conditions(&self, from: Day, until: Day) -> Vec<Document> {
        let begins = |day: Day| self.day_zone.start_of(day);
        match self.form {
            DateForm::Date => {
                let date = |day: Day| bson::DateTime::from_millis(begins(day).timestamp_millis());
                vec![doc! {"$gte": date(from), "$lt": date(until)}]
            }
            DateForm::ObjectId => {
                let mut range = doc! {"$gte": first_id(begins(from).timestamp())};
                match u32::try_from(begins(until).timestamp().max(0)) {
                    Ok(second) => range.insert("$lt", first_id(second.into())),
                    Err(_) => range.insert("$lte", ObjectId::from_bytes([0xff; 12])),
                };
                vec![range]
            }
            DateForm::IsoText => {
                let (from, until) = self.written_days(from, until);
                let range = |is_compact| {
                    doc! {"$gte": spelled_bound(from, is_compact), "$lt": spelled_bound(until, is_compact)}
                };
                vec![range(false), range(true)]
            }
            DateForm::CompactDay => {
                let (from, until) = (self.first_date(from), self.first_date(until));
                let number = |day: Day| {
                    let date = day.date();
                    Bson::from(i64::from(date.year()) * 10_000 + i64::from(date.month() * 100 + date.day()))
                };
                vec![
                    doc! {"$gte": number(from), "$lt": number(until)},
                    doc! {"$gte": spelled_bound(from, true), "$lt": spelled_bound(until, true)},
                ]
            }
            form => {
                let units = form.units().unwrap_or(1);
                let bound = |day: Day| whole_number(i128::from(begins(day).timestamp()) * i128::from(units));
                vec![doc! {"$gte": bound(from), "$lt": bound(until)}]
            }
        }
    }

    /// The first day that a text of some days can have written, and the one after the last.
    fn written_days(&self, from: Day, until: Day) -> (Day, Day) {
        if self.is_as_written {
            return (from, until);
        }
        let local = |day: Day, seconds: i64| {
            let at = self.day_zone.start_of(day).timestamp() + seconds;
            Day::from(at_second(at).date_naive())
        };
        (local(from, -MOST_OFFSET_SECONDS), local(until, MOST_OFFSET_SECONDS).next())
    }

    /// The first date of the field's zone that begins on a day or after it.
    fn first_date(&self, day: Day) -> Day {
        let mut day_of = |at| self.day_zone.day_of(at);
        let dates = (-3..=3).map(|days| day.plus(days));
        let mut dates = dates.filter(|date| self.day_of_date(*date, &mut day_of) >= day);
        dates.next().unwrap_or(day)
    }

    /// An expression for a part of the `_id` of a `$group`, from which [`days_of_group`](Self::days_of_group) finds
    /// the days of the group's documents. `plain` is what [`super::placement`] uses for any value. Values of the match
    /// of the given days are grouped by day as far as the server can do that with no rules of its own.
    pub(crate) fn group(&self, from: Day, until: Day, plain: Document) -> Document {
        let field = format!("${}", self.path);
        match self.form {
            // A day has one such value, or a few.
            DateForm::Date | DateForm::CompactDay => plain,
            DateForm::IsoText => {
                let [coarse, fine] = self.patterns(from, until);
                let cut = |pattern: String| doc! {"$regexFind": {"input": &field, "regex": pattern}};
                let cut = match (coarse.map(cut), fine.map(cut)) {
                    (Some(coarse), Some(fine)) => doc! {"$ifNull": [coarse, fine]},
                    (Some(one), None) | (None, Some(one)) => one,
                    (None, None) => return plain,
                };
                let found = doc! {"$cond": [{"$ne": ["$$found", Bson::Null]}, {"cut": "$$found.captures"}, plain.clone()]};
                let cut = doc! {"$let": {"vars": {"found": cut}, "in": found}};
                doc! {"$cond": [{"$eq": [{"$type": &field}, "string"]}, cut, plain]}
            }
            form => {
                let units = form.units();
                let bound = |day: Day| {
                    let second = self.day_zone.start_of(day).timestamp();
                    units.map_or_else(
                        || first_id(second).into(),
                        |units| whole_number(i128::from(second) * i128::from(units)),
                    )
                };
                let types: &[&str] = if units.is_some() { &NUMBERS } else { &["objectId"] };
                let number = day_by_bounds(&field, from.number(), until.number() - 1, &bound);
                doc! {"$cond": [{"$in": [{"$type": &field}, types]}, {"date": number}, plain]}
            }
        }
    }

    /// The days of a group's documents if the group was formed by what is left of their texts.
    pub(crate) fn days_of_group(
        &self,
        part: &Document,
        day_of: &mut dyn FnMut(DateTime<Utc>) -> Day,
    ) -> Option<FoundDays> {
        let kept = part.get_array("cut").ok()?;
        let text: String = kept.iter().filter_map(Bson::as_str).collect();
        self.meant(RawBsonRef::String(&text), day_of).map(FoundDays::from)
    }

    /// Patterns for readable texts, with groups for the parts that decide the day: the hour and the offset if every
    /// day begins at a full hour, whatever the offset; the minute and the offset if zones had no offsets with seconds.
    fn patterns(&self, from: Day, until: Day) -> [Option<String>; 2] {
        const DATE: &str = "[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8}";
        const HOUR: &str = "[Tt ](?:[01][0-9]|2[0-3])";
        const MINUTE: &str = ":?[0-5][0-9]";
        const FIX_MINUTE: &str = "-(?:[01][0-9]|2[0-3]):[0-5][0-9]";
        const SECOND: &str = ":?[0-5][0-9](?:[.,][0-9]+)?";
        const OFFSET: &str = " ?[Zz]| ?[+-][0-9]{2}(?::?[0-9]{2})?";
        const FULL_HOURS: &str = " ?[Zz]| ?[+-][0-9]{2}(?::?00)?";
        if self.is_as_written {
            let pattern = format!(
                "^(?:({DATE}){HOUR}(?:{MINUTE}(?:{SECOND})?)?|([0-9]{{8}}){FIX_MINUTE}(?:{SECOND})?)(?:{OFFSET})?\\z"
            );
            // An offset that no zone has makes a text unreadable, so only usual ones are cut off.
            let usual = pattern.replace(OFFSET, " ?[Zz]| ?[+-](?:0[0-9]|1[0-5])(?::?[0-5][0-9])?");
            return [Some(usual), None];
        }
        let mut days = (from.number() - 3..=until.number() + 3).map(Day::from_number);
        if from.number() < WHOLE_MINUTES_SINCE {
            return [None, None];
        }
        let coarse = days.all(|day| self.day_zone.start_of(day).timestamp() % 3_600 == 0).then(|| {
            // The clocks of other zones may change within an hour.
            let may_lack = if self.zone.name() == "UTC" { "?" } else { "" };
            format!("^((?:{DATE}){HOUR})(?:{MINUTE}(?:{SECOND})?)?({FULL_HOURS}){may_lack}\\z")
        });
        let minute = format!("(?:{DATE}){HOUR}{MINUTE}|[0-9]{{8}}{FIX_MINUTE}");
        let fine = format!("^({minute})(?:{SECOND})?({OFFSET})?\\z");
        [coarse, Some(fine)]
    }
}

/// The instant of a number of seconds since 1970, or the end of what the type holds.
fn at_second(second: i64) -> DateTime<Utc> {
    let end = if second < 0 { DateTime::<Utc>::MIN_UTC } else { DateTime::<Utc>::MAX_UTC };
    DateTime::from_timestamp(second, 0).unwrap_or(end)
}

/// The first ObjectId of a second; the last one of all if that is beyond what ObjectIds have.
fn first_id(second: i64) -> ObjectId {
    let Ok(second) = u32::try_from(second.max(0)) else { return ObjectId::from_bytes([0xff; 12]) };
    let mut bytes = [0; 12];
    bytes[..4].copy_from_slice(&second.to_be_bytes());
    ObjectId::from_bytes(bytes)
}

/// A whole number as BSON: an Int64 if it is one.
fn whole_number(number: i128) -> Bson {
    i64::try_from(number).map_or_else(
        |_| {
            let decimal: Decimal128 = number.to_string().parse().expect("at most 34 digits");
            Bson::Decimal128(decimal)
        },
        Bson::Int64,
    )
}

/// An expression for the number of the day, between a first and a last one, in which a value lies: by comparing it with
/// the bounds that the match has, because arithmetic of the server may round.
fn day_by_bounds(field: &str, first: i32, last: i32, bound: &dyn Fn(Day) -> Bson) -> Bson {
    if first >= last {
        return Bson::Int32(first);
    }
    let middle = first + (last - first + 1) / 2;
    let early = day_by_bounds(field, first, middle - 1, bound);
    let late = day_by_bounds(field, middle, last, bound);
    doc! {"$cond": [{"$lt": [field, bound(Day::from_number(middle))]}, early, late]}.into()
}

/// Whether a text has a date of eight digits rather than one with hyphens.
fn is_compact(text: &str) -> bool {
    text.as_bytes().get(4).is_some_and(u8::is_ascii_digit)
}

/// A date as texts begin with it.
fn spelled(day: Day, is_compact: bool) -> String {
    let date = day.date();
    let (year, month, of_month) = (date.year(), date.month(), date.day());
    if is_compact {
        format!("{year:04}{month:02}{of_month:02}")
    } else {
        format!("{year:04}-{month:02}-{of_month:02}")
    }
}

/// The least text that begins with a date: for dates that cannot be spelled, the end of the texts that can.
fn spelled_bound(day: Day, is_compact: bool) -> String {
    match day.number() {
        number if number <= SPELLED.0 => "0".to_owned(),
        number if number > SPELLED.1 => ":".to_owned(),
        _ => spelled(day, is_compact),
    }
}

/// The last day whose spelling is not greater than a text; `None` if the text does not begin with a digit.
fn floor_of_text(text: &str, is_compact: bool) -> Option<Day> {
    if !text.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let (mut low, mut high) = SPELLED;
    while low < high {
        let middle = low + (high - low + 1) / 2;
        if *spelled(Day::from_number(middle), is_compact) <= *text {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    Some(Day::from_number(low))
}

/// Reads eight digits.
fn read_compact(text: &str) -> Option<Day> {
    let is_plain = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    let (day, is_exact) = day_of_number(text.parse().ok().filter(|_| is_plain)?)?;
    is_exact.then_some(day)
}

/// The last day whose number of eight digits is not greater, and whether it is that number.
fn day_of_number(number: i128) -> Option<(Day, bool)> {
    let number = i32::try_from(number).ok()?;
    if !(COMPACT_NUMBERS.0..COMPACT_NUMBERS.1).contains(&number) {
        return None;
    }
    let part = |part: i32| u32::try_from(part).unwrap_or(0);
    let (year, month, of_month) = (number / 10_000, part(number / 100 % 100), part(number % 100));
    if let Some(day) = Day::from_ymd(year, month, of_month) {
        return Some((day, true));
    }
    let after = match month {
        0 => Day::from_ymd(year, 1, 1),
        1..=12 if of_month == 0 => Day::from_ymd(year, month, 1),
        1..=11 => Day::from_ymd(year, month + 1, 1),
        _ => Day::from_ymd(year + 1, 1, 1),
    };
    after.map(|after| (after.previous(), false))
}

/// Whether an ISO 8601 text says a time without an offset, so that it means an instant only together with a zone.
pub(crate) fn is_local(text: &str) -> bool {
    read_iso(text).is_some_and(|read| read.offset.is_none())
}

/// The offset that an ISO 8601 text says, in seconds east of Greenwich; `None` if it says none.
pub(crate) fn offset_of(text: &str) -> Option<i32> {
    read_iso(text)?.offset
}

/// What an ISO 8601 text says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct IsoText {
    date: NaiveDate,
    time: NaiveTime,
    /// Seconds east of Greenwich.
    offset: Option<i32>,
}

/// Reads `2025-01-31` or `20250131`, alone or followed by `T` or a blank and a time: hours, or with minutes, seconds
/// and a fraction, with or without colons; then nothing, `Z`, or an offset such as `+02:00`, `+0200` or `+02`, with or
/// without a blank before it. A leap second is taken for the one before it. The times of FIX messages, such as
/// `20250131-09:30:00.123`, have a hyphen in front of the hour, and a colon after it.
fn read_iso(text: &str) -> Option<IsoText> {
    let mut rest = Rest(text.as_bytes());
    let year = rest.digits(4)?;
    let has_hyphens = rest.takes(b"-");
    let month = rest.digits(2)?;
    if has_hyphens && !rest.takes(b"-") {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, rest.digits(2)?)?;
    let midnight = IsoText { date, time: NaiveTime::MIN, offset: None };
    if rest.0.is_empty() {
        return Some(midnight);
    }
    let is_fix = !has_hyphens && rest.takes(b"-");
    if !is_fix && !rest.takes(b"Tt ") {
        return None;
    }
    let (hour, mut minute, mut second) = (rest.digits(2)?, 0, 0);
    // Without a colon, it might be an offset.
    if is_fix && rest.0.first() != Some(&b':') {
        return None;
    }
    if rest.takes(b":") || rest.begins_with_digit() {
        minute = rest.digits(2)?;
        if rest.takes(b":") || rest.begins_with_digit() {
            second = rest.digits(2)?;
            if rest.takes(b".,") {
                rest.digits(1)?;
                while rest.digits(1).is_some() {}
            }
        }
    }
    let second = if second == 60 { 59 } else { second };
    let time = NaiveTime::from_hms_opt(hour, minute, second)?;
    if rest.0.is_empty() {
        return Some(IsoText { time, ..midnight });
    }
    rest.takes(b" ");
    let offset = if rest.takes(b"Zz") {
        0
    } else {
        let sign = if rest.takes(b"+") {
            1
        } else if rest.takes(b"-") {
            -1
        } else {
            return None;
        };
        let (hours, mut minutes) = (rest.digits(2)?, 0);
        if rest.takes(b":") || !rest.0.is_empty() {
            minutes = rest.digits(2).filter(|minutes| *minutes < 60)?;
        }
        let seconds = i64::from(hours * 3_600 + minutes * 60);
        sign * i32::try_from(seconds).ok().filter(|_| seconds <= MOST_OFFSET_SECONDS)?
    };
    rest.0.is_empty().then_some(IsoText { time, offset: Some(offset), ..midnight })
}

/// What is left of a text to read.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn digits(&mut self, count: usize) -> Option<u32> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        let number = digits.iter().try_fold(0, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0'))
        });
        if number.is_some() {
            self.0 = rest;
        }
        number
    }

    fn begins_with_digit(&self) -> bool {
        self.0.first().is_some_and(u8::is_ascii_digit)
    }

    /// Takes the next byte if it is one of some.
    fn takes(&mut self, any: &[u8]) -> bool {
        match self.0.split_first() {
            Some((first, rest)) if any.contains(first) => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }
}
