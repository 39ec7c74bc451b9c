//! Separates trades from their messages if both are in one collection under the same trade id, by a field with a value
//! that occurs in exactly one document per trade.

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
/// Parts of a value that name a trade rather than what follows it.
const WORDS: [&str; 12] = [
    "trade", "deal", "exec", "fill", "new", "handel", "gesch", "abschlu", "transac", "oper", "negoci", "trd",
];

/// The field and the value that make a document a trade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TradeKind {
    pub(super) path: String,
    pub(super) value: String,
    /// The other values.
    pub(super) others: Vec<String>,
}

impl TradeKind {
    /// The match of the mapping file.
    pub(super) fn to_match(&self) -> Value {
        let mut matched = Map::new();
        matched.insert(self.path.clone(), json!(self.value));
        Value::Object(matched)
    }
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
    let is_named = |value: &str| WORDS.iter().any(|word| value.to_lowercase().contains(word));
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
            value: value.clone(),
            others: others.into_iter().cloned().collect(),
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
        assert_eq!((kind.path.as_str(), kind.value.as_str()), ("kind", "TRADE"));
        assert_eq!(kind.others, ["CONF"]);
        assert_eq!(kind.to_match(), json!({"kind": "TRADE"}));
    }

    #[test]
    fn the_first_document_is_the_trade_if_several_come_once() {
        let kind = find(&trades(&[("E1", "Gas"), ("E2", "Gas")]), "trade").expect("a field");
        assert_eq!(kind.value, "E1");
        let named = find(&trades(&[("ack", "Gas"), ("Abschluss", "Gas")]), "trade").expect("a field");
        assert_eq!(named.value, "Abschluss");
    }

    #[test]
    fn documents_that_are_alike_are_all_trades() {
        assert_eq!(find(&trades(&[("leg", "Gas"), ("leg", "Gas")]), "trade"), None);
        assert_eq!(find(&trades(&[("TRADE", "Gas")]), "trade"), None, "one document per trade");
        assert_eq!(find(&trades(&[("TRADE", "Gas"), ("CONF", "Gas")])[..6], "trade"), None, "three trades");
    }
}
