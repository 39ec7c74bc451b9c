//! Remarks about an answer that the trader should read, and their sentences.

use std::fmt;

use chrono::TimeDelta;
use serde::{Serialize, Serializer};

use super::{LeftOut, LeftOutReason, Unmatched};
use crate::day::Day;
use crate::words::{counted, size_text};

/// A remark about an answer. It is displayed, and written to JSON, as its sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// What a check of cached days against the server found.
    Checked(Checked),
    /// Change stamps are mapped, but some days have none that can be compared.
    Unstamped {
        /// The mapped path of the stamp.
        path: String,
        /// How many days.
        days: usize,
    },
    /// How the days of a check were compared.
    ComparedBy {
        /// Whether trades were compared one by one.
        one_by_one: bool,
        /// Whether change stamps were compared.
        stamps: bool,
    },
    /// The clocks of this computer and the server differ.
    ClockSkew {
        /// How far the server's clock is ahead.
        ahead: TimeDelta,
    },
    /// The server that answered lags behind the others of its set.
    NodeLag {
        /// How far.
        lag: TimeDelta,
    },
    /// The cached file of the query was damaged: what became of it, as a sentence.
    DamagedFile(String),
    /// The connection string accepts any certificate.
    AnyCertificate,
    /// The connection string sends the password in plain text.
    PlainPassword,
    /// An option of the connection string was ignored because Tidemark does not know it.
    UnknownOption {
        /// The option's name.
        name: String,
    },
    /// A compressor was ignored because Tidemark does not know it.
    UnknownCompressor {
        /// The compressor's name.
        compressor: String,
        /// The option that names it.
        option: String,
    },
    /// The mapping, not the connection string, says how UUIDs are stored.
    UuidOptionIgnored {
        /// The option, with its value.
        option: String,
    },
    /// Days that changed each time they were read.
    KeptChanging {
        /// The first of them.
        first: Day,
        /// How many there are.
        days: usize,
    },
    /// The trades of some days have no change stamp, so a check can only count them.
    NoChangeStamp {
        /// The mapped path of the stamp.
        path: String,
    },
    /// The collection has no documents.
    EmptyCollection {
        /// Its name.
        name: String,
    },
    /// The collection has documents, but `input_match` of the mapping selects none of them.
    NoInput {
        /// Its name.
        name: String,
    },
    /// The newest trade of the collection is from before the requested days.
    NewestTrade {
        /// Its day.
        day: Day,
    },
    /// A part of the query matches nothing in the collection.
    Unmatched(Unmatched),
    /// Documents that match are left out.
    LeftOut(LeftOut),
    /// Trades without an id, whose messages cannot be found.
    WithoutTradeId {
        /// The mapped path of the id.
        path: String,
        /// How many trades.
        trades: u64,
    },
    /// Documents with bytes that are not valid BSON.
    Unreadable {
        /// How many documents.
        documents: usize,
    },
    /// What was evicted to keep the cache within its budget, or why it exceeds it.
    Evicted(Evicted),
    /// The budget is not known, so nothing was evicted.
    NoBudget,
    /// Eviction failed: why, as a sentence.
    EvictionFailed(String),
}

/// What a check of cached days against the server found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// Days that were cached before the check.
    pub held: usize,
    /// Days that could not be checked.
    pub unverified: usize,
    /// Days that differed.
    pub differing: usize,
    /// Days that differed and were not fetched again.
    pub left: usize,
}

/// What was evicted to keep the cache within its budget. All sizes are in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evicted {
    /// How many cached queries.
    pub queries: usize,
    /// How many damaged files that had been moved aside.
    pub damaged_files: usize,
    /// How many files stayed only because a newer Tidemark wrote them.
    pub newer_files: usize,
    /// The size of what was removed.
    pub freed: u64,
    /// The size of what remains.
    pub left: u64,
    /// The budget.
    pub budget: u64,
}

impl Serialize for Note {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checked(checked) => checked.fmt(f),
            Self::Unstamped { path, days } => {
                let (days, have) = (counted(*days, "day"), if *days == 1 { "has" } else { "have" });
                write!(
                    f,
                    "{days} {have} no change stamp that can be compared ({path}): only the trades and messages were counted."
                )
            }
            Self::ComparedBy { one_by_one, stamps } => f.write_str(match (one_by_one, stamps) {
                (false, false) => "Trades and messages were compared by count only.",
                (false, true) => "Trades and messages were compared by count and latest change.",
                (true, false) => "Trades were compared one by one by their _id, messages by count.",
                (true, true) => {
                    "Trades were compared one by one by their _id and change stamp, messages by count and latest change."
                }
            }),
            Self::ClockSkew { ahead } => {
                let how = if *ahead > TimeDelta::zero() { "behind" } else { "ahead of" };
                let skew = span(ahead.abs());
                write!(f, "This computer's clock is {skew} {how} the server's; the server's time is used.")
            }
            Self::NodeLag { lag } => write!(
                f,
                "The server that answered is {} behind; days for which it may lack rows stay open.",
                span(*lag)
            ),
            Self::DamagedFile(sentence) | Self::EvictionFailed(sentence) => f.write_str(sentence),
            Self::AnyCertificate => f.write_str(
                "The connection is not verified: the connection string accepts any certificate, so another \
                 computer could pass for the server.",
            ),
            Self::PlainPassword => f.write_str(
                "The connection is not verified: the password is sent in plain text and nothing is encrypted \
                 (PLAIN without TLS).",
            ),
            Self::UnknownOption { name } => {
                write!(f, "The option {name} of the connection string is not known and was ignored.")
            }
            Self::UnknownCompressor { compressor, option } => write!(
                f,
                "The compressor {compressor} of the connection string ({option}) is not known and was ignored."
            ),
            Self::UuidOptionIgnored { option } => write!(
                f,
                "{option} in the connection string was ignored; set uuid_representation in the mapping instead."
            ),
            Self::KeptChanging { first, days: 1 } => {
                write!(f, "The source kept changing {first} while it was read; the day is unverified.")
            }
            Self::KeptChanging { first, days } => write!(
                f,
                "The source kept changing {days} days from {first} while they were read; they are unverified."
            ),
            Self::NoChangeStamp { path } => write!(
                f,
                "The trades of some days have no change stamp that can be compared ({path}): Verify can only count."
            ),
            Self::EmptyCollection { name } => write!(f, "The collection {name} is empty."),
            Self::NoInput { name } => {
                write!(f, "No document in {name} matches input_match of the mapping, so there are no trades.")
            }
            Self::NewestTrade { day } => {
                write!(f, "The newest trade at the source is of {day}, before these days.")
            }
            Self::Unmatched(unmatched) => f.write_str(&unmatched.why),
            Self::LeftOut(left_out) => f.write_str(&left_out.why),
            Self::WithoutTradeId { path, trades: 1 } => {
                write!(f, "1 trade has no trade id ({path}); its messages cannot be found.")
            }
            Self::WithoutTradeId { path, trades } => {
                write!(f, "{trades} trades have no trade id ({path}); their messages cannot be found.")
            }
            Self::Unreadable { documents: 1 } => f.write_str(
                "1 document holds bytes that are not valid BSON; it is kept as it is, and some of its fields are not shown.",
            ),
            Self::Unreadable { documents } => write!(
                f,
                "{documents} documents hold bytes that are not valid BSON; they are kept as they are, and some of their fields are not shown."
            ),
            Self::Evicted(evicted) => evicted.fmt(f),
            Self::NoBudget => {
                f.write_str("The cache's budget cannot be read, so nothing was removed: set it again.")
            }
        }
    }
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { held, unverified, differing, left } = *self;
        if unverified > 0 {
            write!(f, "{} could not be checked against the server", counted(unverified, "cached day"))?;
            return match differing {
                0 => f.write_str("."),
                many => write!(f, "; of those that were, {many} differed."),
            };
        }
        let checked = format!("Checked {} against the server", counted(held, "cached day"));
        match (held, differing, left) {
            (0, _, _) => f.write_str("No cached day to check."),
            (_, 0, _) => write!(f, "{checked}: none differs."),
            (_, 1, 0) => write!(f, "{checked}: 1 differed and was fetched again."),
            (_, many, 0) => write!(f, "{checked}: {many} differed and were fetched again."),
            (_, many, left) => {
                write!(f, "{checked}: {many} differed, {left} of them could not be fetched again.")
            }
        }
    }
}

impl fmt::Display for Evicted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { queries, damaged_files, newer_files, freed, left, budget } = *self;
        let mut parts = Vec::new();
        match queries {
            0 => {}
            1 => parts.push("the least recently used query".to_owned()),
            many => parts.push(format!("the {many} least recently used queries")),
        }
        match damaged_files {
            0 => {}
            1 => parts.push("a damaged file that had been moved aside".to_owned()),
            many => parts.push(format!("{many} damaged files that had been moved aside")),
        }
        let mut sentences = Vec::new();
        if !parts.is_empty() {
            let were = if queries + damaged_files == 1 { "was" } else { "were" };
            sentences.push(format!(
                "To keep the cache within {}, {} {were} removed ({}).",
                size_text(budget),
                parts.join(" and "),
                size_text(freed)
            ));
        }
        if left > budget {
            sentences.push(format!(
                "The cache uses {}, more than its budget of {}: everything that remains is {}.",
                size_text(left),
                size_text(budget),
                if newer_files == 0 {
                    "pinned or in use"
                } else {
                    "pinned, in use or written by a newer Tidemark"
                }
            ));
        }
        f.write_str(&sentences.join(" "))
    }
}

/// A span of time in its largest unit.
fn span(span: TimeDelta) -> String {
    // Rounded: clocks are not compared to the second.
    let span = span + TimeDelta::seconds(30);
    let (number, unit) = match (span.num_days(), span.num_hours(), span.num_minutes()) {
        (2.., ..) => (span.num_days(), "days"),
        (_, 2.., _) => (span.num_hours(), "hours"),
        (.., 2..) => (span.num_minutes(), "minutes"),
        _ => (span.num_seconds(), "seconds"),
    };
    format!("{number} {unit}")
}

/// Why documents are left out.
pub(super) fn left_out(reason: LeftOutReason, documents: u64, dates: &str, id: &str) -> String {
    let one = documents == 1;
    let (these, are) = if one { ("1 document", "is") } else { (&*format!("{documents} documents"), "are") };
    let has = if one { "has" } else { "have" };
    match reason {
        LeftOutReason::SeveralDays => {
            format!("{these} {has} more than one day ({dates}) and {are} left out.")
        }
        LeftOutReason::DayNotWhole => {
            format!("{these} {has} a day of year that is not a whole number ({dates}) and {are} left out.")
        }
        LeftOutReason::NoDay | LeftOutReason::DateType => {
            let (do_not, they) = if one { ("does not", "it belongs") } else { ("do not", "they belong") };
            format!(
                "{these} matched these days but {do_not} say which day {they} to ({dates}), and {are} left out."
            )
        }
        LeftOutReason::TradeId if one => {
            format!("1 trade has an id that cannot be used in a query ({id}); its messages were not fetched.")
        }
        LeftOutReason::TradeId => format!(
            "{documents} trades have ids that cannot be used in a query ({id}); their messages were not fetched."
        ),
        LeftOutReason::OtherTrade => {
            let message = if one { "1 message belongs" } else { &*format!("{documents} messages belong") };
            format!("{message} to trades that were not requested ({id}) and {are} left out.")
        }
    }
}

/// Why documents with a date of another type are left out.
pub(super) fn odd_date(documents: u64, path: &str, found: &str, expected: &str) -> String {
    match documents {
        1 => format!(
            "1 document has {found} in {path}, where {expected} is expected: it belongs to no day and is left out."
        ),
        many => format!(
            "{many} documents have {found} in {path}, where {expected} is expected: they belong to no day and are left out."
        ),
    }
}
