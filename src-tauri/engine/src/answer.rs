//! What a fetch answers, and what it tells on the way.

pub mod changes;
pub mod left_out;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::answer::changes::Changes;
use crate::day::Day;
use crate::failure::Failure;

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
    /// The server was not asked, or could not be: the cache alone answered.
    Offline,
}

/// One requested day that the answer does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct MissingDay {
    /// The day.
    pub day: Day,
    /// Why, in the user's words.
    pub why: String,
}

/// How the requested days were answered. `from_cache + adopted + fetched + missing.len()` is `requested`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, TS)]
pub struct AnswerDays {
    /// Days asked for.
    pub requested: usize,
    /// Days served from this query's own file.
    pub from_cache: usize,
    /// Days copied from a broader cached query.
    pub adopted: usize,
    /// Days pulled from MongoDB.
    pub fetched: usize,
    /// Days that the answer does not hold.
    pub missing: Vec<Day>,
    /// The same days, each with its reason.
    pub why_missing: Vec<MissingDay>,
    /// Held days that may still change at the source: not ended, or inside the settling time when fetched.
    pub open: Vec<Day>,
    /// Held days that a verification found different and that were not fetched again since, that it could not
    /// check, or that a refresh did not reach.
    pub unverified: Vec<Day>,
}

/// Rows of an answer.
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
    /// Their date fields tell more than one day.
    SeveralDays,
    /// Their day of year is not a whole number.
    DayNotWhole,
    /// They came for the days and tell none.
    NoDay,
    /// Their date field has a type other than the mapping's.
    DateType,
    /// They are trades with an id for which the server cannot be asked. The trades are there, their messages are
    /// not.
    TradeId,
    /// They are messages that came for trades that were not asked for.
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
    /// Both, in the user's words.
    pub why: String,
}

/// Which part of a question nothing in the collection answers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum UnmatchedPart {
    /// No document has the path of a filter.
    Field,
    /// No document has a value of a filter.
    Value,
    /// None of the trades has a trade id.
    TradeId,
}

/// A part of a question that nothing in the collection answers to, so that it was most likely not meant like that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Unmatched {
    /// Which part.
    pub part: UnmatchedPart,
    /// Name of the filter in the form; none for the trade id.
    pub field: Option<String>,
    /// Dotted path in the documents.
    pub path: String,
    /// The value, as typed.
    pub value: Option<String>,
    /// What there is instead and is most like it: paths or values, the likeliest first.
    pub near: Vec<String>,
    /// All of this in the user's words.
    pub why: String,
}

/// The answer to a query: how much, how complete, how fresh, and where from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct Answer {
    /// The query's signature, 32 hex digits.
    pub signature: String,
    /// Where the answer came from.
    pub answer: Origin,
    /// Whether every requested day is held and none of them is known to differ at the source. Days that are only
    /// unconfirmed, because a check or a refresh did not reach them, are listed as unverified.
    pub complete: bool,
    /// The days, by how they were answered.
    pub days: AnswerDays,
    /// The rows.
    pub rows: AnswerRows,
    /// The oldest fetch time among the held days.
    #[ts(type = "string | null")]
    pub oldest_fetch: Option<DateTime<Utc>>,
    /// Commands sent to MongoDB while answering; handshakes and pings left out.
    #[ts(type = "number")]
    pub mongo_commands: u64,
    /// Wall time, in milliseconds.
    #[ts(type = "number")]
    pub elapsed_ms: u64,
    /// What changed at the source in days that were fetched again.
    pub changes: Option<Changes>,
    /// Documents that match and are left out, and why. The notes say so too.
    pub left_out: Vec<LeftOut>,
    /// Parts of the question that nothing in the collection answers to. The notes say so too.
    pub unmatched: Vec<Unmatched>,
    /// Plain remarks a trader should read, such as trades without a trade id.
    pub notes: Vec<String>,
    /// What kept the answer from being complete or fresh, where something failed.
    pub failure: Option<Failure>,
}
