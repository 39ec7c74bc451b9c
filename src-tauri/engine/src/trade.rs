//! Which trades a document belongs to, and when it changed.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::ops::Range;

use bson::{Bson, RawBsonRef, RawDocument};

use crate::day::Day;
use crate::matcher::equality_key;
use crate::number::Number;
use crate::path::scalars;

/// The keys of the trades that a document carries.
pub(crate) fn trades_of(path: &str, document: &RawDocument) -> Vec<String> {
    let mut found = Vec::new();
    scalars(document, path, &mut |value| found.extend(trade_key(value)));
    found
}

/// The first trade id of a document as a person reads it.
pub(crate) fn trade_text(document: &RawDocument, path: &str) -> Option<String> {
    let mut found = None;
    scalars(document, path, &mut |value| {
        found.get_or_insert(value);
    });
    found.map(crate::changes::plain_text)
}

/// The key of a trade id by which messages can be asked for; nothing for what `$in` would take for an operator
/// or a pattern, or refuse.
fn trade_key(value: RawBsonRef<'_>) -> Option<String> {
    if let RawBsonRef::Document(document) = value {
        let first = document.into_iter().next();
        if first.is_some_and(|field| field.is_ok_and(|(name, _)| name.as_str().starts_with('$'))) {
            return None;
        }
    }
    equality_key(value)
}

/// What the trade ids of an input document are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TradeIds {
    /// There is none.
    None,
    /// The messages of all can be asked for.
    Plain,
    /// For some the server cannot be asked.
    Odd,
}

impl TradeIds {
    fn note(&mut self, value: RawBsonRef<'_>, can_be_asked: bool) {
        match (value, &self) {
            (_, Self::None) if can_be_asked => *self = Self::Plain,
            (RawBsonRef::Null | RawBsonRef::Undefined, _) => {}
            _ if !can_be_asked => *self = Self::Odd,
            _ => {}
        }
    }
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
    /// Notes the trades of an input document of a day. New trade ids go to `new`.
    pub(crate) fn note(
        &mut self,
        path: &str,
        day: Day,
        document: &RawDocument,
        new: &mut Vec<Bson>,
    ) -> TradeIds {
        let mut ids = TradeIds::None;
        scalars(document, path, &mut |value| {
            let key = trade_key(value);
            ids.note(value, key.is_some());
            let Some(key) = key else { return };
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
        ids
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
        scalars(document, path, &mut |value| {
            if let Some(key) = trade_key(value)
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
