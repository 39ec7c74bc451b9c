//! Which day and which trades a document belongs to.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::ops::Range;

use bson::{Bson, RawBsonRef, RawDocument};
use chrono::{DateTime, Utc};

use crate::day::{Day, DayRange, DayZone};
use crate::failure::{Code, Failure, Result};
use crate::mapping::{DateMapping, Mapping};
use crate::matcher::equality_key;
use crate::number::Number;

/// Calls `each` with every value at a dotted path, through arrays of sub-documents as MongoDB does; an
/// array at the end counts by its elements.
pub(crate) fn values_at<'a>(document: &'a RawDocument, path: &str, each: &mut dyn FnMut(RawBsonRef<'a>)) {
    let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
    let Ok(Some(value)) = document.get(head) else { return };
    match (value, rest) {
        (RawBsonRef::Array(elements), None) => elements.into_iter().flatten().for_each(each),
        (value, None) => each(value),
        (RawBsonRef::Document(inner), Some(rest)) => values_at(inner, rest, each),
        (RawBsonRef::Array(elements), Some(rest)) => {
            for element in elements.into_iter().flatten() {
                if let RawBsonRef::Document(inner) = element {
                    values_at(inner, rest, each);
                }
            }
        }
        _ => {}
    }
}

fn value_at<'a>(document: &'a RawDocument, path: &str) -> Option<RawBsonRef<'a>> {
    let mut found = None;
    values_at(document, path, &mut |value| {
        found.get_or_insert(value);
    });
    found
}

/// Tells the day of input documents.
#[derive(Debug)]
pub(crate) struct DayOf {
    mapping: Mapping,
    window: DayRange,
    /// The bounds of the day found last: documents mostly come day by day.
    last: Option<(Day, DateTime<Utc>, DateTime<Utc>)>,
}

impl DayOf {
    pub(crate) fn new(mapping: &Mapping, window: DayRange) -> Self {
        Self { mapping: mapping.clone(), window, last: None }
    }

    /// The day of a document that the window's query returned.
    ///
    /// # Errors
    /// `bad_mapping` where the document does not say, or says another than was asked for.
    pub(crate) fn day(&mut self, document: &RawDocument) -> Result<Day> {
        let day = match self.mapping.dates() {
            DateMapping::YearDay { year, day_of_year } => {
                let number = |path| value_at(document, path).and_then(whole);
                number(year)
                    .and_then(|year| i32::try_from(year).ok())
                    .zip(number(day_of_year).and_then(|day| u32::try_from(day).ok()))
                    .and_then(|(year, day)| Day::from_year_day(year, day))
            }
            DateMapping::DayTimestamp { timestamp, .. } | DateMapping::Timestamp { timestamp } => {
                match value_at(document, timestamp) {
                    Some(RawBsonRef::DateTime(at)) => DateTime::from_timestamp_millis(at.timestamp_millis())
                        .map(|at| day_at(&mut self.last, &self.mapping.day_zone, at)),
                    _ => None,
                }
            }
        };
        day.filter(|day| self.window.contains(*day)).ok_or_else(|| {
            Failure::new(
                Code::BadMapping,
                match day {
                    Some(day) => format!(
                        "The server returned a document of {day} for the days {} to {}; the mapping's date fields do not fit.",
                        self.window.from(),
                        self.window.to()
                    ),
                    None => "A document matches the dates but does not tell one day.".to_owned(),
                },
            )
            .because(name_of(document))
        })
    }
}

fn day_at(last: &mut Option<(Day, DateTime<Utc>, DateTime<Utc>)>, zone: &DayZone, at: DateTime<Utc>) -> Day {
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

/// A whole number, of whatever type.
pub(crate) fn whole(value: RawBsonRef<'_>) -> Option<i64> {
    match value {
        RawBsonRef::Int32(number) => Some(i64::from(number)),
        RawBsonRef::Int64(number) => Some(number),
        RawBsonRef::Double(number) => number.to_string().parse().ok(),
        RawBsonRef::Decimal128(number) => number.to_string().parse().ok(),
        _ => None,
    }
}

fn name_of(document: &RawDocument) -> String {
    match document.get("_id") {
        Ok(Some(id)) => format!("_id {id:?}"),
        _ => "a document without _id".to_owned(),
    }
}

/// The keys of the trades that a document carries.
pub(crate) fn trades_of(path: &str, document: &RawDocument) -> Vec<String> {
    let mut found = Vec::new();
    values_at(document, path, &mut |value| found.extend(equality_key(value)));
    found
}

/// The first trade id of a document as a person reads it.
pub(crate) fn trade_text(document: &RawDocument, path: &str) -> Option<String> {
    value_at(document, path).map(crate::changes::plain_text)
}

/// How the ledger begins a stamp that is a text.
const TEXT: &str = "text ";

/// A change stamp, in the order in which MongoDB's `$max` sees values of several types. Null is none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeStamp {
    /// A number, of whatever type.
    Number(StampNumber),
    /// A text, as of ISO 8601; by its bytes.
    Text(String),
    /// A sub-document, an array, bytes, an ObjectId or a flag: no stamp that can be compared.
    Other,
    /// A date, in milliseconds.
    Date(i64),
    /// Seconds and an ordinal, as MongoDB stamps its own log.
    Timestamp(u32, u32),
    /// A pattern or code, which cannot be compared either.
    Last,
}

impl ChangeStamp {
    /// The stamp that a value is; nothing for null.
    #[must_use]
    pub fn of(value: RawBsonRef<'_>) -> Option<Self> {
        Some(match value {
            RawBsonRef::Null | RawBsonRef::Undefined | RawBsonRef::MinKey => return None,
            RawBsonRef::Int32(number) => Self::Number(StampNumber(Number::Whole(number.into()))),
            RawBsonRef::Int64(number) => Self::Number(StampNumber(Number::Whole(number))),
            RawBsonRef::Double(number) => Self::Number(StampNumber(Number::Double(number))),
            RawBsonRef::Decimal128(number) => Self::Number(StampNumber(Number::Decimal(number))),
            RawBsonRef::String(text) | RawBsonRef::Symbol(text) => Self::Text(text.to_owned()),
            RawBsonRef::DateTime(date) => Self::Date(date.timestamp_millis()),
            RawBsonRef::Timestamp(stamp) => Self::Timestamp(stamp.time, stamp.increment),
            RawBsonRef::Document(_)
            | RawBsonRef::Array(_)
            | RawBsonRef::Binary(_)
            | RawBsonRef::ObjectId(_)
            | RawBsonRef::Boolean(_) => Self::Other,
            _ => Self::Last,
        })
    }

    /// The stamp of a document, where `$max` sees one too.
    pub(crate) fn at(document: &RawDocument, path: &str) -> Option<Self> {
        match path.split_once('.') {
            None => Self::of(document.get(path).ok().flatten()?),
            Some((head, rest)) => match document.get(head) {
                Ok(Some(RawBsonRef::Document(inner))) => Self::at(inner, rest),
                // `$max` sees an array of what lies within.
                Ok(Some(RawBsonRef::Array(_))) => Some(Self::Other),
                _ => None,
            },
        }
    }

    /// The stamp as the ledger keeps it; nothing where it cannot be compared.
    #[must_use]
    pub fn to_text(&self) -> Option<String> {
        let whole = |number: i64| format!("{:020}", i128::from(number) - i128::from(i64::MIN));
        Some(match self {
            Self::Number(StampNumber(number)) => {
                let mut key = String::new();
                number.write_key(&mut key);
                key.parse().map_or_else(|_| format!("number {key}"), whole)
            }
            Self::Date(milliseconds) => whole(*milliseconds),
            Self::Timestamp(seconds, ordinal) => whole(i64::from(*seconds) << 32 | i64::from(*ordinal)),
            Self::Text(text) => format!("{TEXT}{text}"),
            Self::Other | Self::Last => return None,
        })
    }

    /// Whether a stamp that the ledger keeps is a text.
    pub(crate) fn is_text(kept: &str) -> bool {
        kept.starts_with(TEXT)
    }
}

/// A number that is a stamp; what is not a number comes before all others.
#[derive(Debug, Clone, Copy)]
pub struct StampNumber(Number);

impl PartialEq for StampNumber {
    fn eq(&self, other: &Self) -> bool {
        self.0.equals(other.0)
    }
}

impl Eq for StampNumber {}

impl PartialOrd for StampNumber {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for StampNumber {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.compare(other.0).unwrap_or_else(|| other.0.is_nan().cmp(&self.0.is_nan()))
    }
}

/// The trades of one window: the days on which each has input. It lives as long as the window.
#[derive(Debug, Default)]
pub(crate) struct Trades {
    days: HashMap<String, TradeDays>,
    further: Vec<(Day, String)>,
    /// Trade ids that were told as new.
    told: usize,
}

#[derive(Debug)]
struct TradeDays {
    first: Day,
    further: Vec<Day>,
    /// Its place among the ids that were told as new; nothing where it could not be told.
    place: Option<usize>,
}

impl Trades {
    /// Notes the trades of an input document of a day. New trade ids go to `new`. False where the
    /// document has none.
    pub(crate) fn note(&mut self, path: &str, day: Day, document: &RawDocument, new: &mut Vec<Bson>) -> bool {
        let mut any = false;
        values_at(document, path, &mut |value| {
            let Some(key) = equality_key(value) else { return };
            any = true;
            match self.days.get_mut(&key) {
                None => {
                    let place = Bson::try_from(value).ok().map(|id| {
                        new.push(id);
                        self.told += 1;
                        self.told - 1
                    });
                    self.days.insert(key, TradeDays { first: day, further: Vec::new(), place });
                }
                Some(days) if days.first != day && !days.further.contains(&day) => {
                    days.further.push(day);
                    self.further.push((day, key));
                }
                Some(_) => {}
            }
        });
        any
    }

    /// The trades of a question that a message carries, with the first day of each. The question asked for the
    /// ids with these places among all that were told as new.
    pub(crate) fn of_message(
        &self,
        path: &str,
        document: &RawDocument,
        asked: &Range<usize>,
    ) -> Vec<(String, Day)> {
        let mut found: Vec<(String, Day)> = Vec::new();
        values_at(document, path, &mut |value| {
            if let Some(key) = equality_key(value)
                && let Some(days) = self.days.get(&key)
                && days.place.is_some_and(|place| asked.contains(&place))
                && !found.iter().any(|(other, _)| *other == key)
            {
                found.push((key, days.first));
            }
        });
        found
    }

    /// The days after the first on which trades have input.
    pub(crate) fn into_further_days(self) -> Vec<(Day, String)> {
        self.further
    }
}
