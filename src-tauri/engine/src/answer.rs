//! What a fetch answers, and what it tells on the way.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::day::Day;
use crate::desk::Role;
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

/// How many messages a refresh or a verification found different at the source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, TS)]
pub struct ChangeCounts {
    /// In the source, not held before.
    #[ts(type = "number")]
    pub added: u64,
    /// Held before with other content.
    #[ts(type = "number")]
    pub changed: u64,
    /// Held before, no longer in the source.
    #[ts(type = "number")]
    pub gone: u64,
}

/// What a refresh or a verification found different at the source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, TS)]
pub struct Changes {
    /// Trades that the filters match.
    pub input: ChangeCounts,
    /// Their other messages.
    pub downstream: ChangeCounts,
    /// The messages themselves, at most 500, by day and then by role.
    pub messages: Vec<MessageChange>,
    /// Messages that differ and are not listed.
    #[ts(type = "number")]
    pub omitted: u64,
}

/// What became of a message at the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// In the source, not held before.
    Added,
    /// Held before with other content.
    Changed,
    /// Held before, no longer in the source.
    Gone,
}

/// One message that differs at the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct MessageChange {
    /// What became of it.
    pub kind: ChangeKind,
    /// Whether it is a trade or one of its messages.
    pub role: Role,
    /// The day it belongs to; of a message that moved, its new one.
    pub day: Day,
    /// Its `_id`: the text itself, an ObjectId's hex digits, or relaxed Extended JSON.
    pub id: String,
    /// The id of its trade, as text.
    pub trade: Option<String>,
    /// The fields that differ, of a changed message; none of the others.
    pub fields: Vec<FieldChange>,
}

/// A field that differs. The texts are relaxed Extended JSON, canonical where the type alone differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct FieldChange {
    /// Dotted path.
    pub path: String,
    /// What was held; none where the document had no such field.
    pub before: Option<String>,
    /// What the source holds; none where the document has no such field.
    pub after: Option<String>,
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

/// What a run tells while it goes on. Sent in order, and no faster than a window can draw.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEvent {
    /// The plan is made; nothing has been pulled yet.
    Planned {
        /// The query's signature.
        signature: String,
        /// Days to pull from MongoDB (fetch and refresh).
        days_to_pull: usize,
        /// Days that are held: served as they are, or until they are pulled again.
        days_cached: usize,
        /// Days to copy from a broader cached query.
        days_to_adopt: usize,
        /// MongoDB queries (windows) this takes.
        windows: usize,
        /// About how many input rows the pull brings, where that is known.
        #[ts(type = "number | null")]
        expected_rows: Option<u64>,
    },
    /// A window of days is committed: rows and coverage.
    ChunkStored {
        /// First day of the window.
        from: Day,
        /// Last day of the window.
        to: Day,
        /// Input rows stored with it.
        #[ts(type = "number")]
        input_rows: u64,
        /// Downstream rows stored with it.
        #[ts(type = "number")]
        downstream_rows: u64,
    },
    /// How far the run has come, input rows.
    Progress {
        /// Input rows received so far.
        #[ts(type = "number")]
        rows: u64,
        /// About how many input rows there will be, where that is known.
        #[ts(type = "number | null")]
        expected_rows: Option<u64>,
        /// Days committed so far.
        days_done: usize,
        /// Days to pull in all.
        days_total: usize,
        /// Input rows a second, over the last seconds.
        rows_per_second: f64,
        /// Estimated time left, in milliseconds, where that is known.
        #[ts(type = "number | null")]
        remaining_ms: Option<u64>,
    },
    /// How far the run has come, downstream messages.
    DownstreamProgress {
        /// Downstream rows received so far.
        #[ts(type = "number")]
        rows: u64,
        /// Trade ids whose messages have been asked for.
        #[ts(type = "number")]
        trades_asked: u64,
        /// Trade ids whose messages are in.
        #[ts(type = "number")]
        trades_done: u64,
    },
    /// The run is over and has an answer (complete or partial).
    Finished {
        /// The answer.
        answer: Box<Answer>,
    },
    /// The run is over and has no answer.
    Failed {
        /// Why.
        failure: Failure,
    },
    /// The run was cancelled; what was committed is kept.
    Cancelled {
        /// What is held now.
        answer: Box<Answer>,
    },
}
