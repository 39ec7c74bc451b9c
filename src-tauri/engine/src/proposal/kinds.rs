//! Separates trades from their messages if both are in one collection: under the same trade id by a field with a value
//! that occurs in exactly one document per trade; under different ones by a field whose values differ, or by the id.

use std::collections::{BTreeMap, HashMap};

use bson::{RawBsonRef, RawDocument, RawDocumentBuf};
use serde_json::{Map, Value, json};

use super::names::{Meaning, weight};
use super::survey::{Survey, share};
use crate::bson::equality_key::equality_key;
use crate::bson::path;
use crate::query::placement::whole;

/// Fewer trades than this may look alike by chance.
const LEAST_TRADES: usize = 5;
/// Fewer documents per trade than this are corrections rather than messages.
const LEAST_DOCUMENTS: f64 = 1.3;
/// A field with more different values than this does not say what a document is.
const MOST_KINDS: usize = 30;
/// Fewer trades or messages than this say nothing of what they have.
const LEAST_OF_EACH: usize = 3;
/// The types of a field that says what a document is.
const KIND_TYPES: [&str; 4] = ["string", "int", "long", "bool"];
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
    Value { values: Vec<Value>, others: Vec<Value> },
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
                let [values, others] =
                    [values, others].map(|values| values.iter().map(shown).collect::<Vec<_>>());
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
                value_at(document, &self.path).is_some_and(|value| values.contains(&value))
            }
            TradeSign::Exists(exists) => path::is_in(document, &self.path) == *exists,
        }
    }
}

/// Finds the condition that separates trades from messages if both are in one collection and a message has the id of its
/// trade at a different path. It is a condition on the ids, so that it also covers kinds of trades that are not in the
/// sample.
pub(super) fn between(documents: &[RawDocumentBuf], trade_id: &str, reference: &str) -> Option<TradeKind> {
    let has = |document: &&RawDocumentBuf, wanted: &str| path::is_in(document, wanted);
    let (messages, trades): (Vec<&RawDocumentBuf>, Vec<&RawDocumentBuf>) = documents
        .iter()
        .filter(|document| has(document, trade_id) || has(document, reference))
        .partition(|document| has(document, reference));
    if messages.len() < LEAST_OF_EACH || trades.len() < LEAST_OF_EACH {
        return None;
    }
    if trade_id != "_id" && !messages.iter().any(|document| has(document, trade_id)) {
        return Some(TradeKind { path: trade_id.to_owned(), is: TradeSign::Exists(true) });
    }
    // Whatever else is in the collection has an `_id`, too.
    let named = named_alike(&trades, &messages);
    Some(named.unwrap_or_else(|| TradeKind { path: reference.to_owned(), is: TradeSign::Exists(false) }))
}

/// A field that has one value in all trades, which names a trade, and others in the messages.
fn named_alike(trades: &[&RawDocumentBuf], messages: &[&RawDocumentBuf]) -> Option<TradeKind> {
    let survey = Survey::of(&trades.iter().copied().cloned().collect::<Vec<_>>());
    let kind_at = |path: &String| {
        let values = |documents: &[&RawDocumentBuf]| -> Option<Vec<Value>> {
            let all = documents.iter().map(|document| value_at(document, path));
            let mut values = all.collect::<Option<Vec<Value>>>()?;
            values.sort_by_cached_key(Value::to_string);
            values.dedup();
            (values.len() <= MOST_KINDS).then_some(values)
        };
        let own = values(trades)?;
        let is_one = own.len() == 1 && own.iter().all(is_named);
        let others = values(messages).filter(|_| is_one)?;
        let is_apart = !own.iter().any(|value| others.contains(value));
        is_apart.then(|| TradeKind { path: path.clone(), is: TradeSign::Value { values: own, others } })
    };
    survey.paths.iter().filter(|(_, stats)| stats.in_arrays == 0).find_map(|(path, _)| kind_at(path))
}

/// Whether a value names a trade.
fn is_named(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default().to_lowercase();
    WORDS.iter().any(|word| text.contains(word))
}

/// A value as a person reads it.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
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
    if trades.len() < LEAST_TRADES || share(count, trades.len()) < LEAST_DOCUMENTS {
        return None;
    }
    let survey = Survey::of(documents);
    let is_candidate = |path: &&String| {
        let stats = &survey.paths[*path];
        let is_kind =
            stats.main_type().is_some_and(|(name, share)| KIND_TYPES.contains(&name) && share > 0.99);
        // A message without the field would be neither.
        let is_everywhere = stats.documents * 100 >= survey.documents * 98;
        is_kind
            && is_everywhere
            && stats.in_arrays == 0
            && (2..=MOST_KINDS).contains(&stats.distinct)
            && path.as_str() != trade_id
    };
    let of_value = |path: &String| {
        let (rank, kind) = kind_at(path, &trades)?;
        let is_text = survey.paths[path].types.contains_key("string");
        // The number of a version, for one, is 1 once a trade as well, in documents that are otherwise alike.
        (is_text || own_paths(documents, &kind).next().is_some()).then_some(((is_text, rank), kind))
    };
    let found = survey.paths.keys().filter(is_candidate).filter_map(of_value);
    let best = found.max_by_key(|(rank, kind)| (*rank, std::cmp::Reverse(kind.path.clone())));
    best.map(|(_, kind)| kind).or_else(|| by_presence(&survey, &trades, trade_id))
}

/// The paths that almost all trades have, and hardly any message.
fn own_paths(documents: &[RawDocumentBuf], kind: &TradeKind) -> impl Iterator<Item = String> {
    let (trades, messages): (Vec<RawDocumentBuf>, Vec<RawDocumentBuf>) =
        documents.iter().cloned().partition(|document| kind.is_trade(document));
    let (trades, messages) = (Survey::of(&trades), Survey::of(&messages));
    let in_messages = move |path: &String| {
        messages.paths.get(path).map_or(0.0, |stats| share(stats.documents, messages.documents))
    };
    let total = trades.documents;
    trades
        .paths
        .into_iter()
        .filter(move |(_, stats)| share(stats.documents, total) >= 0.9)
        .map(|(path, _)| path)
        .filter(move |path| in_messages(path) <= 0.05)
}

/// Finds a field that exactly one document of each trade has, for collections in which no value identifies the trade.
/// Among several such fields, the product is preferred.
fn by_presence(
    survey: &Survey,
    trades: &HashMap<Vec<u8>, Vec<&RawDocument>>,
    trade_id: &str,
) -> Option<TradeKind> {
    let once = |path: &String| {
        let counts =
            trades.values().map(|documents| documents.iter().filter(|one| path::is_in(one, path)).count());
        let (once, often) = counts.fold((0, 0), |(once, often), count| match count {
            0 => (once, often),
            1 => (once + 1, often),
            _ => (once, often + 1),
        });
        (often == 0 && once * 10 >= trades.len() * 9).then_some(once)
    };
    let paths = survey.paths.keys().filter(|path| *path != trade_id && *path != "_id");
    let found = paths.filter_map(|path| Some((once(path)?, path)));
    let best = found.max_by(|(a, one), (b, other)| {
        let product = |path: &str| weight(path, Meaning::Filter(0));
        (product(one).total_cmp(&product(other))).then(a.cmp(b)).then_with(|| other.cmp(one))
    });
    best.map(|(_, path)| TradeKind { path: path.clone(), is: TradeSign::Exists(true) })
}

/// The value that makes a document a trade, if the field at a path says so, and how well it does.
fn kind_at(path: &str, trades: &HashMap<Vec<u8>, Vec<&RawDocument>>) -> Option<((bool, usize), TradeKind)> {
    // Per value: the trades that have it once, those that have it several times, and those whose first document has it.
    let mut seen: BTreeMap<String, (Value, usize, usize, usize)> = BTreeMap::new();
    for documents in trades.values() {
        let mut of_trade: BTreeMap<String, (Value, usize)> = BTreeMap::new();
        for document in documents {
            let value = value_at(document, path)?;
            of_trade.entry(value.to_string()).or_insert((value, 0)).1 += 1;
        }
        let first = first_of(documents).and_then(|document| value_at(document, path));
        for (key, (value, times)) in of_trade {
            let is_first = first.as_ref() == Some(&value);
            let entry = seen.entry(key).or_insert((value, 0, 0, 0));
            match times {
                1 => entry.1 += 1,
                _ => entry.2 += 1,
            }
            entry.3 += usize::from(is_first);
        }
    }
    let best = seen
        .values()
        .filter(|(_, once, often, _)| *often == 0 && once * 10 >= trades.len() * 9)
        .max_by_key(|(value, _, _, first)| (is_named(value), *first))?;
    let (value, _, _, first) = best;
    // One that is neither called a trade nor comes first is no more a trade than the others.
    let is_first = first * 10 >= trades.len() * 8;
    (is_named(value) || is_first).then(|| {
        let others = seen.values().map(|(other, ..)| other).filter(|other| *other != value).cloned();
        let is = TradeSign::Value { values: vec![value.clone()], others: others.collect() };
        ((is_named(value), *first), TradeKind { path: path.to_owned(), is })
    })
}

/// The document with the least `_id`, which grows with time if it is an ObjectId or a counter.
fn first_of<'a>(documents: &[&'a RawDocument]) -> Option<&'a RawDocument> {
    let key = |document: &&&RawDocument| document.get("_id").ok().flatten().and_then(equality_key);
    documents.iter().min_by_key(key).copied()
}

/// A text, a whole number, or true or false.
fn value_at(document: &RawDocument, path: &str) -> Option<Value> {
    let mut found = None;
    path::scalars(document, path, &mut |value| match value {
        RawBsonRef::String(text) => found = Some(json!(text)),
        RawBsonRef::Boolean(flag) => found = Some(json!(flag)),
        value => found = whole(value).map(|number| json!(number)).or(found.take()),
    });
    found
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
    fn documents_with_different_ids_are_told_apart_by_the_id_or_by_a_name() {
        let trade = |number: i32, kind: &str| {
            rawdoc! {"_id": number, "tradeId": format!("T{number}"), "kind": kind, "state": "NEW"}
        };
        let message = |number: i32, kind: &str| {
            rawdoc! {"_id": 100 + number, "ref": {"tradeId": format!("T{number}")}, "kind": kind, "state": "NEW"}
        };
        let all = |kinds: [&str; 2]| -> Vec<RawDocumentBuf> {
            let trades = (0..6).map(|number| trade(number, kinds[0]));
            trades.chain((0..6).map(|number| message(number, kinds[1]))).collect()
        };
        let found = |kinds, id: &str| between(&all(kinds), id, "ref.tradeId").map(|kind| kind.to_match());
        // A value that all trades of the sample have need not be that of all trades.
        assert_eq!(found(["EXEC", "CONF"], "tradeId"), Some(json!({"tradeId": {"$exists": true}})));
        assert_eq!(found(["X", "X"], "_id"), Some(json!({"ref.tradeId": {"$exists": false}})));
        assert_eq!(found(["A", "B"], "_id"), Some(json!({"ref.tradeId": {"$exists": false}})));
        assert_eq!(found(["TRADE", "CONF"], "_id"), Some(json!({"kind": "TRADE"})));
        let kind = between(&all(["A", "B"]), "tradeId", "ref.tradeId").expect("a kind");
        assert!(kind.is_trade(&trade(1, "C")) && !kind.is_trade(&message(1, "A")));
        assert_eq!(between(&all(["A", "A"])[..8], "tradeId", "ref.tradeId"), None, "two messages");
    }

    #[test]
    fn numbers_flags_and_what_only_trades_have_tell_them_apart_too() {
        let of = |sign: fn(&mut bson::RawDocumentBuf, i32), has_product: bool| -> Vec<RawDocumentBuf> {
            (0..30)
                .map(|number| {
                    let mut document = rawdoc! {"_id": number, "trade": format!("T{}", number / 3)};
                    sign(&mut document, number % 3);
                    if has_product && number % 3 == 0 {
                        document.append(bson::cstr!("product"), "Gas");
                        document.append(bson::cstr!("amount"), 7);
                    }
                    document
                })
                .collect()
        };
        let number = |document: &mut bson::RawDocumentBuf, at: i32| {
            document.append(bson::cstr!("k"), i64::from(at.min(1)))
        };
        let flag =
            |document: &mut bson::RawDocumentBuf, at: i32| document.append(bson::cstr!("isTrade"), at == 0);
        let found = |documents: Vec<RawDocumentBuf>| find(&documents, "trade").map(|kind| kind.to_match());
        assert_eq!(found(of(number, true)), Some(json!({"k": 0})));
        assert_eq!(found(of(flag, true)), Some(json!({"isTrade": true})));
        assert_eq!(found(of(|_, _| {}, true)), Some(json!({"product": {"$exists": true}})));
        // Versions of one trade are alike.
        assert_eq!(found(of(number, false)), None);
        assert_eq!(found(of(|_, _| {}, false)), None);
    }

    #[test]
    fn documents_that_are_alike_are_all_trades() {
        assert_eq!(find(&trades(&[("leg", "Gas"), ("leg", "Gas")]), "trade"), None);
        assert_eq!(find(&trades(&[("TRADE", "Gas")]), "trade"), None, "one document per trade");
        assert_eq!(find(&trades(&[("TRADE", "Gas"), ("CONF", "Gas")])[..6], "trade"), None, "three trades");
    }
}
