//! When a document changed, as MongoDB compares it; and what a day counts by it.

use std::cmp::Ordering;

use bson::{RawBsonRef, RawDocument};

use super::hashed_key::HashSums;
use super::number::Number;

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

/// What the source says of one day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DayCount {
    /// Input documents.
    pub rows: u64,
    /// The greatest change stamp, where the mapping has one.
    pub change_mark: Option<ChangeStamp>,
    /// Documents that the match of the day returns and that belong to no one day.
    pub left_out: u64,
    /// The sums of the documents' hashes, if they were asked for and the server has them.
    pub(crate) hashes: Option<HashSums>,
}
