//! The answer to a query: its origin, its days and rows, and what it leaves out.

pub mod changes;
pub(crate) mod derive;
pub mod left_out;
pub mod note;
pub mod trade;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::answer::changes::Changes;
use crate::answer::note::Note;
use crate::day::Day;
use crate::failure::Failure;
use crate::query::signature::SourceName;

/// Where an answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Every day came from the cache (adopted ones included).
    Cache,
    /// Some days came from the cache, some from the server.
    PartCache,
    /// Every day came from the server.
    Server,
    /// The cache alone answered, because the server was not asked or could not be reached.
    Offline,
}

/// A requested day that the answer lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct MissingDay {
    /// The day.
    pub day: Day,
    /// The reason, in the user's words.
    pub why: String,
}

/// How the requested days were answered. `from_cache + adopted + fetched + missing.len()` is `requested`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, TS)]
pub struct AnswerDays {
    /// Requested days.
    pub requested: usize,
    /// Days served from this query's own file.
    pub from_cache: usize,
    /// Days copied from a broader cached query.
    pub adopted: usize,
    /// Days pulled from MongoDB.
    pub fetched: usize,
    /// Days that the answer lacks.
    pub missing: Vec<Day>,
    /// The same days, each with its reason.
    pub why_missing: Vec<MissingDay>,
    /// Days of the answer that may still change at the source: when they were fetched, they had not ended or were
    /// within the settling time.
    pub open: Vec<Day>,
    /// Days of the answer that a verification found different and that have not been fetched again since, that it
    /// could not check, that a refresh did not reach, or whose bounds were moved by new zone rules.
    pub unverified: Vec<Day>,
}

/// The row counts of an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, TS)]
pub struct AnswerRows {
    /// Trades that the filters match.
    #[ts(type = "number")]
    pub input: u64,
    /// Other messages that carry a matched trade's id.
    #[ts(type = "number")]
    pub downstream: u64,
}

/// Why an answer leaves documents out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum LeftOutReason {
    /// Their date fields give more than one day.
    SeveralDays,
    /// Their day of year is not a whole number.
    DayNotWhole,
    /// They matched the requested days, but their date fields give no day.
    NoDay,
    /// Their date field has a type other than the mapping expects.
    DateType,
    /// They are trades whose id cannot be used in a query. The trades are in the answer, their messages are not.
    TradeId,
    /// They are messages that were returned although none of their trades was requested.
    OtherTrade,
}

/// Documents that an answer leaves out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct LeftOut {
    /// The reason.
    pub reason: LeftOutReason,
    /// How many there are.
    #[ts(type = "number")]
    pub documents: u64,
    /// Number and reason, in the user's words.
    pub why: String,
}

/// Which part of a query matches nothing in the collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum UnmatchedPart {
    /// No document has the path of a filter.
    Field,
    /// No document has a value of a filter.
    Value,
    /// None of the trades has a trade id.
    TradeId,
    /// No message has the path of the trade id.
    Messages,
}

/// A part of a query that matches nothing in the collection, so it is most likely a mistake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Unmatched {
    /// Which part.
    pub part: UnmatchedPart,
    /// Name of the filter in the form; `None` for the trade id of trades and messages.
    pub field: Option<String>,
    /// Dotted path in the documents.
    pub path: String,
    /// The value, as typed.
    pub value: Option<String>,
    /// The most similar paths or values that do exist, the likeliest first.
    pub near: Vec<String>,
    /// All of this in the user's words.
    pub why: String,
}

/// The answer to a query: how much, how complete, how fresh, and where from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct Answer {
    /// The query's signature, 32 hex digits.
    pub signature: String,
    /// The source that the rows came from.
    pub source: SourceName,
    /// The filters as a person reads them; "no filter" if there are none.
    pub filters: String,
    /// Where the answer came from.
    pub answer: Origin,
    /// Whether the answer has every requested day, and no day is known to differ at the source or had its bounds
    /// moved by new zone rules. Days that are merely unconfirmed, because a check or a refresh did not reach them,
    /// are listed as unverified.
    pub complete: bool,
    /// The days, by how they were answered.
    pub days: AnswerDays,
    /// The rows.
    pub rows: AnswerRows,
    /// The oldest fetch time among the days of the answer.
    #[ts(type = "string | null")]
    pub oldest_fetch: Option<DateTime<Utc>>,
    /// Commands sent to MongoDB while answering, not counting handshakes and pings.
    #[ts(type = "number")]
    pub mongo_commands: u64,
    /// Wall time, in milliseconds.
    #[ts(type = "number")]
    pub elapsed_ms: u64,
    /// What changed at the source in days that were fetched again.
    pub changes: Option<Changes>,
    /// Documents that match but are left out, and why. The notes mention them as well.
    pub left_out: Vec<LeftOut>,
    /// Parts of the query that match nothing in the collection. The notes mention them as well.
    pub unmatched: Vec<Unmatched>,
    /// Remarks that the trader should read, for example about trades without a trade id.
    #[ts(type = "Array<string>")]
    pub notes: Vec<Note>,
    /// The failure that kept the answer from being complete or fresh, if there was one.
    pub failure: Option<Failure>,
}
