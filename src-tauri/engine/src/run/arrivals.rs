//! Messages that arrive more than once within a window: once per id query that asks for one of their trades.

use std::collections::HashMap;
use std::ops::Range;

use bson::RawDocument;
use md5::{Digest as _, Md5};

use crate::day::Day;

/// The messages of several trades that have arrived in a window. Messages of a single trade arrive only once and are
/// not recorded.
///
/// Rows are identified by their bytes alone, since `_id` identifies no document in a view or across shards. Every
/// query returns equal rows as often as the source contains them, so the nth copy in one query is the nth copy in
/// every other.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    known: HashMap<[u8; 16], Copies>,
}

/// Equal rows.
#[derive(Debug, Default)]
struct Copies {
    /// The number of each row, and the day under which it is stored.
    rows: Vec<(i64, Day)>,
    /// How many have arrived per query, keyed by the position of the query's first trade id.
    come: HashMap<usize, usize>,
}

/// What is known about an arriving message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// New: it must be stored.
    First([u8; 16]),
    /// Already returned by a different query: the number of its row, and the day under which it is stored.
    Again(i64, Day),
}

impl Arrivals {
    /// Records a message that arrived from the query for the trade ids at these positions.
    pub(super) fn arrive(&mut self, document: &RawDocument, asked: &Range<usize>) -> Arrival {
        let key: [u8; 16] = Md5::digest(document.as_bytes()).into();
        let copies = self.known.entry(key).or_default();
        let come = copies.come.entry(asked.start).or_default();
        let place = *come;
        *come += 1;
        match copies.rows.get(place) {
            Some((number, stored)) => Arrival::Again(*number, *stored),
            None => Arrival::First(key),
        }
    }

    /// Records where a new message was stored.
    pub(super) fn stored(&mut self, key: [u8; 16], number: i64, day: Day) {
        self.known.entry(key).or_default().rows.push((number, day));
    }
}

#[cfg(test)]
mod tests {
    use bson::{RawDocumentBuf, doc};

    use super::*;

    #[test]
    fn equal_rows_are_stored_as_often_as_one_question_brings_them() {
        let message = RawDocumentBuf::try_from(&doc! {"trade_id": ["a", "b"]}).expect("encodes");
        let other = RawDocumentBuf::try_from(&doc! {"trade_id": ["b", "a"]}).expect("encodes");
        let mut arrivals = Arrivals::default();
        let day = Day::from_number(20_000);
        let mut number = 0;
        let mut stored = Vec::new();
        // Two queries whose results arrive interleaved; each returns two equal rows and a different one.
        for (document, question) in [
            (&message, 0..1),
            (&message, 1..2),
            (&message, 1..2),
            (&other, 1..2),
            (&message, 0..1),
            (&other, 0..1),
        ] {
            match arrivals.arrive(document, &question) {
                Arrival::First(key) => {
                    arrivals.stored(key, number, day);
                    stored.push(number);
                    number += 1;
                }
                Arrival::Again(number, _) => stored.push(number),
            }
        }
        assert_eq!(stored, [0, 0, 1, 2, 1, 2]);
    }
}
