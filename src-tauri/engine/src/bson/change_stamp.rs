//! Change stamps of documents, compared as MongoDB compares them, and what is counted per day.

use std::cmp::Ordering;

use bson::{RawBsonRef, RawDocument};

use super::hashed_key::HashSums;
use super::number::Number;
use super::path;

/// The prefix of a text stamp in the ledger.
const TEXT: &str = "text ";

/// A change stamp, ordered across types as by MongoDB's `$max`. Null is not a stamp.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeStamp {
    /// A number of any BSON type.
    Number(StampNumber),
    /// Text, such as an ISO 8601 time; compared by its bytes.
    Text(String),
    /// A sub-document, an array, bytes, an ObjectId or a boolean: not comparable as a stamp.
    Other,
    /// A date, in milliseconds.
    Date(i64),
    /// Seconds and an ordinal, as in the timestamps of MongoDB's own log.
    Timestamp(u32, u32),
    /// A regular expression, code or anything else that sorts last: not comparable either.
    Last,
}

impl ChangeStamp {
    /// The stamp of a value; `None` for null, undefined and `MinKey`.
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

    /// The stamp of a document at a path; `None` if `$max` sees none there either.
    pub(crate) fn at(document: &RawDocument, path: &str) -> Option<Self> {
        match path.split_once('.') {
            None => Self::of(path::field(document, path).flatten()?),
            Some((head, rest)) => match path::field(document, head).flatten() {
                Some(RawBsonRef::Document(inner)) => Self::at(inner, rest),
                // For a path through an array, `$max` sees an array of the values in its elements.
                Some(RawBsonRef::Array(_)) => Some(Self::Other),
                _ => None,
            },
        }
    }

    /// The stamp as the ledger stores it; `None` if it is not comparable.
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

    /// Whether a stamp from the ledger is text.
    pub(crate) fn is_text(kept: &str) -> bool {
        kept.starts_with(TEXT)
    }
}

/// A numeric stamp. NaN comes before all other numbers.
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

/// What the source reports for one day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DayCount {
    /// Input documents.
    pub rows: u64,
    /// The greatest change stamp, if the mapping has one.
    pub change_mark: Option<ChangeStamp>,
    /// Documents that the day's match returns but that belong to no single day.
    pub left_out: u64,
    /// The sums of the documents' hashes, if they were requested and the server can compute them.
    pub(crate) hashes: Option<HashSums>,
}
