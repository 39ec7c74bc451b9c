//! A seeded trading desk: fourteen months of realistic trade messages, always the same for the same seed.
//!
//! A trade is followed by amendments and cancels (*input*, as a trader sees it) and by messages of the systems behind
//! the desk (*downstream*: confirmation, allocation, settlement, risk), some of them late by hours or days.
//! [`MAPPING`] distinguishes the two. [`Desk::documents`] generates the messages one by one in order
//! of arrival, so that ten million of them take no more memory than a few days of late ones; [`load()`] writes them to
//! a server.

mod calendar;
mod load;
mod messages;
mod vocabulary;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::vec;

use bson::raw::RawDocumentBuf;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};

use crate::calendar::{BusinessDay, Calendar};
use crate::messages::{Message, Story};

pub use crate::load::{LoadError, LoadOptions, load};

/// The mapping file for these documents.
pub const MAPPING: &str = include_str!("../mapping.json");

/// The default number of messages.
pub const DEFAULT_MESSAGES: u64 = 200_000;

/// The values of `kind` that are input; all others are downstream.
pub const INPUT_KINDS: [&str; 3] = ["trade", "amendment", "cancel"];

/// The values of `kind` that are downstream.
pub const DOWNSTREAM_KINDS: [&str; 4] = ["confirmation", "allocation", "settlement", "risk"];

/// What a desk traded in the fourteen months up to a given time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Desk {
    seed: u64,
    end: DateTime<Utc>,
    messages: u64,
}

impl Desk {
    /// A desk that has completed `end_day`.
    #[must_use]
    pub fn new(seed: u64, end_day: NaiveDate, messages: u64) -> Self {
        let next = end_day.checked_add_days(Days::new(1)).unwrap_or(end_day);
        Self::until(seed, next.and_time(NaiveTime::MIN).and_utc(), messages)
    }

    /// A desk in mid-day: its last day lasts until `end`, and no message is later than that.
    #[must_use]
    pub fn until(seed: u64, end: DateTime<Utc>, messages: u64) -> Self {
        Self { seed, end, messages }
    }

    /// The seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The number of messages that it generates.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// Its first day.
    #[must_use]
    pub fn first_day(&self) -> NaiveDate {
        calendar::first_day(self.last_day())
    }

    /// Its last day, complete or not.
    #[must_use]
    pub fn last_day(&self) -> NaiveDate {
        calendar::last_day(self.end)
    }

    /// The messages in order of arrival, exactly [`messages`](Self::messages) of them.
    #[must_use]
    pub fn documents(&self) -> Documents {
        Documents {
            end: self.end.timestamp_millis(),
            seed: self.seed,
            days: Calendar::new(self.seed, self.end, self.messages).into_iter(),
            today: Vec::new().into_iter(),
            made: 0,
            underway: BinaryHeap::new(),
        }
    }
}

/// The messages of a desk, one by one. See [`Desk::documents`].
#[derive(Debug)]
pub struct Documents {
    seed: u64,
    end: i64,
    days: vec::IntoIter<BusinessDay>,
    /// Trades of the current day whose messages have not been generated yet, earliest first.
    today: vec::IntoIter<Story>,
    /// The number of messages generated so far, which also numbers them.
    made: u64,
    /// Messages that have been generated but have not arrived yet, the next one on top.
    underway: BinaryHeap<Reverse<Message>>,
}

impl Iterator for Documents {
    type Item = RawDocumentBuf;

    fn next(&mut self) -> Option<RawDocumentBuf> {
        loop {
            let next_trade = self.today.as_slice().first().map(Story::opened);
            let arrives = self.underway.peek().map(|Reverse(message)| message.arrives);
            match (next_trade, arrives) {
                (Some(opened), Some(arrives)) if arrives <= opened => break,
                (Some(_), _) => {
                    if let Some(story) = self.today.next() {
                        self.underway.extend(story.tell(self.seed, self.made, self.end).map(Reverse));
                        self.made += story.length();
                    }
                }
                // The next day must be started before it is known which message comes first.
                (None, _) => match self.days.next() {
                    Some(day) => self.today = messages::stories(self.seed, &day).into_iter(),
                    None => break,
                },
            }
        }
        self.underway.pop().map(|Reverse(message)| message.document)
    }
}
