//! Which trades a document belongs to.

use std::collections::HashMap;
use std::ops::Range;

use bson::{Bson, RawBsonRef, RawDocument};

use crate::bson::equality_key::equality_key;
use crate::bson::path::scalars;
use crate::day::Day;

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
    found.map(crate::bson::diff::plain_text)
}

/// The key of a trade id, if messages can be queried by it; `None` for a value that `$in` would take for an operator
/// or a regular expression, or would reject.
fn trade_key(value: RawBsonRef<'_>) -> Option<String> {
    if let RawBsonRef::Document(document) = value {
        let first = document.into_iter().next();
        if first.is_some_and(|field| field.is_ok_and(|(name, _)| name.as_str().starts_with('$'))) {
            return None;
        }
    }
    equality_key(value)
}

/// Whether the trade ids of an input document can be used in a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TradeIds {
    /// There are none.
    None,
    /// All of them can be used.
    Plain,
    /// Some of them cannot be used.
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

/// The trades of one window: the days on which each has input. It lives as long as the window.
#[derive(Debug, Default)]
pub(crate) struct Trades {
    days: HashMap<String, TradeDays>,
    extra_days: Vec<(Day, String)>,
    /// Number of trade ids that were returned as new.
    new_ids: usize,
}

#[derive(Debug)]
struct TradeDays {
    first: Day,
    extra_days: Vec<Day>,
    /// Its position among the ids that were returned as new; `None` if the id could not be read as BSON.
    place: Option<usize>,
}

impl Trades {
    /// Records the trades of an input document of a day. Adds trade ids that were not seen before to `new`.
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
                        self.new_ids += 1;
                        self.new_ids - 1
                    });
                    self.days.insert(key, TradeDays { first: day, extra_days: Vec::new(), place });
                }
                Some(days) if days.first != day && !days.extra_days.contains(&day) => {
                    days.extra_days.push(day);
                    self.extra_days.push((day, key));
                }
                Some(_) => {}
            }
        });
        ids
    }

    /// The trades that a message carries among those of one query, each with its first day. `asked` is the range of
    /// the query's ids among all that were returned as new.
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

    /// The trades, each with its first day.
    pub(crate) fn first_days(&self) -> impl Iterator<Item = (&str, Day)> {
        self.days.iter().map(|(key, days)| (key.as_str(), days.first))
    }

    /// Whether a trade has input on several days.
    pub(crate) fn has_extra_days(&self, key: &str) -> bool {
        self.days.get(key).is_some_and(|days| !days.extra_days.is_empty())
    }

    /// The days on which trades have input, other than the first one of each trade.
    pub(crate) fn into_extra_days(self) -> Vec<(Day, String)> {
        self.extra_days
    }
}
