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
