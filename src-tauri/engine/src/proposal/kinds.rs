//! Separates trades from their messages if both are in one collection: under the same trade id by a field with a value
//! that occurs in exactly one document per trade; under different ones by a field whose values differ, or by the id.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bson::{RawBsonRef, RawDocument, RawDocumentBuf};
use serde_json::{Map, Value, json};

use super::survey::Survey;
use crate::bson::equality_key::equality_key;
use crate::bson::path;

/// Fewer trades than this may look alike by chance.
const LEAST_TRADES: usize = 5;
/// Fewer documents per trade than this are corrections rather than messages.
const LEAST_DOCUMENTS: f64 = 1.3;
/// A field with more different values than this does not say what a document is.
const MOST_KINDS: usize = 30;
/// Fewer trades or messages than this say nothing of what they have.
const LEAST_OF_EACH: usize = 3;
/// Trades have at most this many values of a field that tells them from messages.
const MOST_TRADE_KINDS: usize = 4;
/// Parts of a value that name a trade rather than what follows it.
const WORDS: [&str; 12] = [
    "trade", "deal", "exec", "fill", "new", "handel", "gesch", "abschlu", "transac", "oper", "negoci", "trd",
];

/// What makes a document a trade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TradeKind {
    pub(super) path: String,
    pub(super) is: TradeSign,
}

/// What a trade has at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TradeSign {
    /// One of these values; messages have the others.
    Value { values: Vec<String>, others: Vec<String> },
    /// Anything, or nothing.
    Exists(bool),
}

impl TradeKind {
    /// The match of the mapping file.
    pub(super) fn to_match(&self) -> Value {
        let condition = match &self.is {
            TradeSign::Value { values, .. } => match values.as_slice() {
                [value] => json!(value),
                values => json!({"$in": values}),
            },
            TradeSign::Exists(exists) => json!({"$exists": exists}),
        };
        Value::Object(Map::from_iter([(self.path.clone(), condition)]))
    }

    /// The condition for trades, and what the others are, for people.
    pub(super) fn in_words(&self) -> (String, String) {
        match &self.is {
            TradeSign::Value { values, others } => {
                (format!("with {} = {}", self.path, values.join(" or ")), format!(" ({})", others.join(", ")))
            }
            TradeSign::Exists(true) => (format!("with {}", self.path), String::new()),
            TradeSign::Exists(false) => (format!("without {}", self.path), String::new()),
        }
    }

    /// Whether a document is a trade.
    pub(super) fn is_trade(&self, document: &RawDocument) -> bool {
        match &self.is {
            TradeSign::Value { values, .. } => {
                text_at(document, &self.path).is_some_and(|text| values.iter().any(|value| value == text))
            }
            TradeSign::Exists(exists) => path::is_in(document, &self.path) == *exists,
        }
    }
}

/// Finds what tells trades from messages that have the id of their trade at a different path of the same collection.
pub(super) fn between(documents: &[RawDocumentBuf], trade_id: &str, reference: &str) -> Option<TradeKind> {
    let has = |document: &RawDocumentBuf, wanted: &str| path::is_in(document, wanted);
    let by_own_id = trade_id != "_id"
        && documents.iter().all(|document| !(has(document, trade_id) && has(document, reference)));
    let (messages, trades): (Vec<RawDocumentBuf>, Vec<RawDocumentBuf>) = documents
        .iter()
        .filter(|document| has(document, trade_id) || has(document, reference))
        .cloned()
        .partition(|document| has(document, reference));
    if messages.len() < LEAST_OF_EACH || trades.len() < LEAST_OF_EACH {
        return None;
    }
    let (of_trades, of_messages) = (Survey::of(&trades), Survey::of(&messages));
    let is_everywhere = |survey: &Survey, path: &str| {
        survey.paths.get(path).is_some_and(|stats| {
            let is_text = stats.main_type().is_some_and(|(name, share)| name == "string" && share > 0.99);
            is_text && stats.documents * 100 >= survey.documents * 98 && stats.in_arrays == 0
        })
    };
    let values = |survey: &Survey, path: &str| -> Vec<String> {
        let texts = survey.paths.get(path).map(|stats| stats.texts.keys().cloned().collect());
        texts.unwrap_or_default()
    };
    let is_few = |survey: &Survey, path: &str, most: usize| {
        survey
            .paths
            .get(path)
            .is_some_and(|stats| stats.distinct <= most && stats.texts.len() == stats.distinct)
    };
    let candidates = of_trades.paths.keys().filter(|path| {
        is_everywhere(&of_trades, path)
            && is_everywhere(&of_messages, path)
            && is_few(&of_trades, path, MOST_TRADE_KINDS)
            && is_few(&of_messages, path, MOST_KINDS)
    });
    let by_value = candidates.filter_map(|path| {
        let (own, others) = (values(&of_trades, path), values(&of_messages, path));
        let is_apart = !own.iter().any(|value| others.contains(value));
        is_apart.then(|| TradeKind { path: path.clone(), is: TradeSign::Value { values: own, others } })
    });
    let rank = |kind: &TradeKind| match &kind.is {
        TradeSign::Value { values, .. } => (values.len(), !values.iter().all(|value| is_named(value))),
        TradeSign::Exists(_) => (usize::MAX, true),
    };
    let best = by_value.min_by_key(|kind| (rank(kind), kind.path.clone()));
    let by_id = || match by_own_id {
        true => TradeKind { path: trade_id.to_owned(), is: TradeSign::Exists(true) },
        false => TradeKind { path: reference.to_owned(), is: TradeSign::Exists(false) },
    };
    Some(best.unwrap_or_else(by_id))
}

/// Whether a value names a trade.
fn is_named(value: &str) -> bool {
    WORDS.iter().any(|word| value.to_lowercase().contains(word))
}

/// Finds the field among all documents of some trades.
pub(super) fn find(documents: &[RawDocumentBuf], trade_id: &str) -> Option<TradeKind> {
    let mut trades: HashMap<Vec<u8>, Vec<&RawDocument>> = HashMap::new();
    for document in documents {
        let mut key = None;
        path::scalars(document, trade_id, &mut |value| key = equality_key(value));
        if let Some(key) = key {
            trades.entry(key.into()).or_default().push(document);
        }
    }
    let count = trades.values().map(Vec::len).sum::<usize>();
    if trades.len() < LEAST_TRADES || super::survey::share(count, trades.len()) < LEAST_DOCUMENTS {
        return None;
    }
    let survey = Survey::of(documents);
    let is_candidate = |path: &&String| {
        let stats = &survey.paths[*path];
        let is_text = stats.main_type().is_some_and(|(name, share)| name == "string" && share > 0.99);
        // A message without the field would be neither.
        let is_everywhere = stats.documents * 100 >= survey.documents * 98;
        is_text
            && is_everywhere
            && stats.in_arrays == 0
            && (2..=MOST_KINDS).contains(&stats.distinct)
            && path.as_str() != trade_id
    };
    let found = survey.paths.keys().filter(is_candidate).filter_map(|path| kind_at(path, &trades));
    found.max_by_key(|(rank, kind)| (*rank, std::cmp::Reverse(kind.path.clone()))).map(|(_, kind)| kind)
}

/// The value that makes a document a trade, if the field at a path says so, and how well it does.
fn kind_at(path: &str, trades: &HashMap<Vec<u8>, Vec<&RawDocument>>) -> Option<((bool, usize), TradeKind)> {
    // Per value: the trades that have it once, those that have it several times, and those whose first document has it.
    let mut seen: BTreeMap<String, (usize, usize, usize)> = BTreeMap::new();
    for documents in trades.values() {
        let mut of_trade: BTreeMap<&str, usize> = BTreeMap::new();
        for document in documents {
            *of_trade.entry(text_at(document, path)?).or_default() += 1;
        }
        let first = first_of(documents).and_then(|document| text_at(document, path));
        for (value, times) in of_trade {
            let entry = seen.entry(value.to_owned()).or_default();
            match times {
                1 => entry.0 += 1,
                _ => entry.1 += 1,
            }
            entry.2 += usize::from(first == Some(value));
        }
    }
    let best = seen
        .iter()
        .filter(|(_, (once, often, _))| *often == 0 && once * 10 >= trades.len() * 9)
        .max_by_key(|(value, (_, _, first))| (is_named(value), *first))?;
    let (value, (_, _, first)) = best;
    // One that is neither called a trade nor comes first is no more a trade than the others.
    let is_first = first * 10 >= trades.len() * 8;
    (is_named(value) || is_first).then(|| {
        let others: BTreeSet<&String> = seen.keys().filter(|other| *other != value).collect();
        let kind = TradeKind {
            path: path.to_owned(),
            is: TradeSign::Value {
                values: vec![value.clone()],
                others: others.into_iter().cloned().collect(),
            },
        };
        ((is_named(value), *first), kind)
    })
}

/// The document with the least `_id`, which grows with time if it is an ObjectId or a counter.
fn first_of<'a>(documents: &[&'a RawDocument]) -> Option<&'a RawDocument> {
    let key = |document: &&&RawDocument| document.get("_id").ok().flatten().and_then(equality_key);
    documents.iter().min_by_key(key).copied()
}

fn text_at<'a>(document: &'a RawDocument, path: &str) -> Option<&'a str> {
    let mut text = None;
    path::scalars(document, path, &mut |value| {
        if let RawBsonRef::String(found) = value {
            text = Some(found);
        }
    });
    text
}

#[cfg(test)]
mod tests {
    use bson::rawdoc;

    use super::*;

    /// Ten trades with some documents each: `(kind, product)`.
    fn trades(of_one: &[(&str, &str)]) -> Vec<RawDocumentBuf> {
        let one = |trade: i32| {
            of_one.iter().enumerate().map(move |(at, (kind, product))| {
                let id = trade * 100 + i32::try_from(at).expect("few");
                rawdoc! {"_id": id, "trade": format!("T{trade}"), "kind": *kind, "product": *product}
            })
        };
        (1..=10).flat_map(one).collect()
    }

    #[test]
    fn the_one_document_per_trade_is_the_trade() {
        let found = find(&trades(&[("TRADE", "Gas"), ("CONF", "Gas"), ("CONF", "Gas")]), "trade");
        let kind = found.expect("a field that tells them apart");
        let (is, others) = kind.in_words();
        assert_eq!((is.as_str(), others.as_str()), ("with kind = TRADE", " (CONF)"));
        assert_eq!(kind.to_match(), json!({"kind": "TRADE"}));
    }

    #[test]
    fn the_first_document_is_the_trade_if_several_come_once() {
        let kind = find(&trades(&[("E1", "Gas"), ("E2", "Gas")]), "trade").expect("a field");
        assert_eq!(kind.to_match(), json!({"kind": "E1"}));
        let named = find(&trades(&[("ack", "Gas"), ("Abschluss", "Gas")]), "trade").expect("a field");
        assert_eq!(named.to_match(), json!({"kind": "Abschluss"}));
    }

    #[test]
    fn documents_with_different_ids_are_told_apart_by_a_value_or_by_the_id() {
        let trade = |number: i32, kind: &str| {
            rawdoc! {"_id": number, "tradeId": format!("T{number}"), "kind": kind, "state": "NEW"}
        };
        let message = |number: i32, kind: &str| {
            rawdoc! {"_id": 100 + number, "ref": {"tradeId": format!("T{number}")}, "kind": kind, "state": "NEW"}
        };
        let all = |kinds: [&str; 3]| -> Vec<RawDocumentBuf> {
            let trades = (0..6).map(|number| trade(number, kinds[usize::from(number % 2 == 1)]));
            trades.chain((0..6).map(|number| message(number, kinds[2]))).collect()
        };
        let found = |kinds, id: &str| between(&all(kinds), id, "ref.tradeId").map(|kind| kind.to_match());
        assert_eq!(found(["EXEC", "EXEC", "CONF"], "tradeId"), Some(json!({"kind": "EXEC"})));
        assert_eq!(found(["A", "B", "CONF"], "tradeId"), Some(json!({"kind": {"$in": ["A", "B"]}})));
        assert_eq!(found(["X", "X", "X"], "tradeId"), Some(json!({"tradeId": {"$exists": true}})));
        assert_eq!(found(["X", "X", "X"], "_id"), Some(json!({"ref.tradeId": {"$exists": false}})));
        let kind = between(&all(["A", "B", "C"]), "tradeId", "ref.tradeId").expect("a kind");
        assert!(kind.is_trade(&trade(1, "B")) && !kind.is_trade(&message(1, "C")));
        assert_eq!(between(&all(["A", "A", "A"])[..8], "tradeId", "ref.tradeId"), None, "two messages");
    }

    #[test]
    fn documents_that_are_alike_are_all_trades() {
        assert_eq!(find(&trades(&[("leg", "Gas"), ("leg", "Gas")]), "trade"), None);
        assert_eq!(find(&trades(&[("TRADE", "Gas")]), "trade"), None, "one document per trade");
        assert_eq!(find(&trades(&[("TRADE", "Gas"), ("CONF", "Gas")])[..6], "trade"), None, "three trades");
    }
}
