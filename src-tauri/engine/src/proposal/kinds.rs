//! Separates trades from their messages if both are in one collection: under the same trade id by a value or a field of
//! the documents that look like trades; under different ones by a field whose values differ, or by the id.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap, HashSet};

use bson::{RawBsonRef, RawDocument, RawDocumentBuf};
use serde_json::{Map, Value, json};

use super::days::Days;
use super::names::{Meaning, is_vague, spelled_out, weight, words};
use super::survey::{PathStats, Survey, share};
use super::values::{ValueKind, kind_of};
use super::{Confidence, Sample, percent};
use crate::bson::equality_key::equality_key;
use crate::bson::path;
use crate::query::placement::whole;
use crate::words::{counted, joined};

/// Fewer trades than this may look alike by chance.
const LEAST_TRADES: usize = 5;
/// Fewer documents per trade than this are corrections rather than messages.
const LEAST_DOCUMENTS: f64 = 1.3;
/// The same, if a value says that the document is a trade.
const LEAST_NAMED: f64 = 1.05;
/// A field with more different values than this does not say what a document is.
const MOST_KINDS: usize = 30;
/// Fewer trades or messages than this say nothing of what they have.
const LEAST_OF_EACH: usize = 3;
/// The types of a field that says what a document is.
const KIND_TYPES: [&str; 4] = ["string", "int", "long", "bool"];
/// The share of trades that must have a document of the kind of trades.
const COVERS: f64 = 0.9;
/// The share of trades that may have several: trades are amended.
const AMENDED: f64 = 0.5;
/// The share of the documents of a kind that have what the kind has, and that others may have of it.
const OF_KIND: f64 = 0.9;
const OF_OTHERS: f64 = 0.05;
/// The share of trades whose first document is the trade itself, if the order says so.
const COMES_FIRST: f64 = 0.8;
/// Sets of documents that have so much in common are the same kind.
const SAME_KIND: f64 = 0.9;
/// How much speaks against documents without a time.
const NO_TIME: f64 = 0.5;
/// How much a kind is ahead of the next one to be sure, or to be likely.
const SURE: f64 = 1.0;
const LIKELY: f64 = 0.5;
/// How many other kinds are named.
const MOST_OTHERS: usize = 4;
/// Parts of a value that name a trade rather than what follows it.
const WORDS: [&str; 20] = [
    "trade", "deal", "exec", "fill", "handel", "gesch", "abschlu", "transac", "oper", "negoci", "negoz",
    "trd", "eseguit", "ejecut", "torihiki", "yakujo", "obchod", "uzlet", "kauppa", "transak",
];
/// Parts of a value that name the first version of a trade, or of anything else.
const FIRST_WORDS: [&str; 6] = ["new", "neu", "nouv", "nuev", "nuov", "novo"];
/// Parts of a value that name what follows a trade, even beside its name: `TRADE_CONFIRMATION`.
const MESSAGE_WORDS: [&str; 28] = [
    "ack",
    "conf",
    "cnf",
    "msg",
    "messag",
    "notif",
    "reject",
    "settle",
    "alert",
    "reply",
    "respon",
    "acuse",
    "bestaet",
    "bestat",
    "quitt",
    "bevest",
    "bekraeft",
    "kvitt",
    "potwierdz",
    "avis",
    "remit",
    "invoice",
    "recib",
    "ricev",
    "rettif",
    "meld",
    "status",
    "error",
];
/// Parts of a value that name a later version of a trade.
const CHANGES: [&str; 12] = [
    "amend", "cancel", "correct", "modif", "change", "update", "storn", "korr", "aender", "annul", "bust",
    "revers",
];
/// Types of FIX messages that are trades: a report of an execution, and of a trade that was captured.
const FIX_TRADES: [&str; 2] = ["8", "AE"];
/// Words for a price and for a quantity.
const AMOUNTS: [&[&str]; 2] = [
    &[
        "price", "px", "preis", "prix", "precio", "prezzo", "pris", "prijs", "cena", "kurs", "rate", "tasa",
        "strike", "fiyat",
    ],
    &[
        "qty", "quantity", "quantite", "cantidad", "quantita", "menge", "volume", "volumen", "volym",
        "nominal", "notional", "amount", "betrag", "montant", "monto", "importe", "importo", "lots", "size",
        "ilosc", "mw", "mwh", "miktar",
    ],
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

/// A kind of documents that is taken for the trades.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FoundKind {
    pub(super) kind: TradeKind,
    pub(super) confidence: Confidence,
    /// The reasons, each a phrase.
    pub(super) why: Vec<String>,
    /// The other kinds that may be the trades, each with the number of documents that were looked at.
    pub(super) others: Vec<String>,
}

/// What was found out about the kinds of documents.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Kinds {
    pub(super) chosen: Option<FoundKind>,
    /// The kinds that may be the trades, if none was chosen.
    pub(super) in_doubt: Vec<String>,
}

impl TradeKind {
    /// The path at which all trades have the same value.
    pub(super) fn value_path(&self) -> Option<&str> {
        let is_value = matches!(self.is, TradeSign::Value { .. });
        is_value.then_some(self.path.as_str())
    }

    /// The trades among the documents of a sample and some more.
    pub(super) fn trades(&self, sample: &Sample, more: &[RawDocumentBuf]) -> Sample {
        let mut seen = HashSet::new();
        let mut documents: Vec<RawDocumentBuf> = Vec::new();
        let all = sample.documents.iter().chain(more);
        for document in all.filter(|document| self.is_trade(document)) {
            if seen.insert(document.as_bytes()) {
                documents.push(document.clone());
            }
        }
        let newest = sample.newest.iter().filter(|document| self.is_trade(document)).cloned().collect();
        Sample { documents, newest, ..sample.clone() }
    }

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
pub(super) fn between(documents: &[RawDocumentBuf], trade_id: &str, reference: &str) -> Option<FoundKind> {
    let has = |document: &&RawDocumentBuf, wanted: &str| path::is_in(document, wanted);
    let (messages, trades): (Vec<&RawDocumentBuf>, Vec<&RawDocumentBuf>) = documents
        .iter()
        .filter(|document| has(document, trade_id) || has(document, reference))
        .partition(|document| has(document, reference));
    if messages.len() < LEAST_OF_EACH || trades.len() < LEAST_OF_EACH {
        return None;
    }
    let found = |kind, confidence| FoundKind {
        kind,
        confidence,
        why: vec![format!("the others refer to a trade at {reference}")],
        others: Vec::new(),
    };
    if trade_id != "_id" && !messages.iter().any(|document| has(document, trade_id)) {
        let kind = TradeKind { path: trade_id.to_owned(), is: TradeSign::Exists(true) };
        return Some(found(kind, Confidence::Sure));
    }
    // Whatever else is in the collection has an `_id`, too.
    if let Some(named) = named_alike(&trades, &messages) {
        return Some(found(named, Confidence::Sure));
    }
    let kind = TradeKind { path: reference.to_owned(), is: TradeSign::Exists(false) };
    Some(found(kind, Confidence::Likely))
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
        let is_one = own.len() == 1 && own.iter().all(|value| naming(path, value) >= Naming::First);
        let others = values(messages).filter(|_| is_one)?;
        let is_apart = !own.iter().any(|value| others.contains(value));
        is_apart.then(|| TradeKind { path: path.clone(), is: TradeSign::Value { values: own, others } })
    };
    survey.paths.iter().filter(|(_, stats)| stats.in_arrays == 0).find_map(|(path, _)| kind_at(path))
}

/// What a value says of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Naming {
    /// That it follows a trade.
    Message,
    /// Nothing.
    Nothing,
    /// That it is the first of something.
    First,
    /// That it is a trade.
    Trade,
}

/// What a value at a path says of a document.
fn naming(path: &str, value: &Value) -> Naming {
    let text = words(value.as_str().unwrap_or_default()).concat();
    let has = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
    let is_fix = spelled_out(path) == "msgtype" && FIX_TRADES.contains(&value.as_str().unwrap_or_default());
    // A flag says by its name what it is true of.
    let is_flag = value == &Value::Bool(true) && has_word(path, &WORDS[..4]);
    if is_fix || is_flag {
        Naming::Trade
    } else if has(&MESSAGE_WORDS) {
        Naming::Message
    } else if has(&WORDS) {
        Naming::Trade
    } else if has(&FIRST_WORDS) {
        Naming::First
    } else {
        Naming::Nothing
    }
}

/// Whether one of the words is in the last part of a path.
fn has_word(path: &str, wanted: &[&str]) -> bool {
    words(path.rsplit('.').next().unwrap_or(path)).iter().any(|word| wanted.contains(&word.as_str()))
}

/// A value as a person reads it.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The documents of some trades.
struct Trades<'a> {
    documents: Vec<&'a RawDocumentBuf>,
    /// The places of the documents of each trade.
    groups: Vec<Vec<usize>>,
    /// The place of the first document of each trade.
    firsts: HashSet<usize>,
}

impl<'a> Trades<'a> {
    fn of(documents: &'a [RawDocumentBuf], trade_id: &str) -> Self {
        let mut groups: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
        let mut with_id = Vec::new();
        for document in documents {
            let mut key = None;
            path::scalars(document, trade_id, &mut |value| key = equality_key(value));
            if let Some(key) = key {
                groups.entry(key.into()).or_default().push(with_id.len());
                with_id.push(document);
            }
        }
        let groups: Vec<Vec<usize>> = groups.into_values().collect();
        // The least `_id` grows with time if it is an ObjectId or a counter.
        let key = |place: &&usize| with_id[**place].get("_id").ok().flatten().and_then(equality_key);
        let firsts = groups.iter().filter_map(|group| group.iter().min_by_key(key)).copied().collect();
        Self { documents: with_id, groups, firsts }
    }

    /// How many trades have one document of a set, and how many have several.
    fn count(&self, is_in: &[bool]) -> (usize, usize) {
        let of = |group: &Vec<usize>| group.iter().filter(|place| is_in[**place]).count();
        let counts: Vec<usize> = self.groups.iter().map(of).collect();
        (
            counts.iter().filter(|count| **count == 1).count(),
            counts.iter().filter(|count| **count > 1).count(),
        )
    }

    /// The documents of a set, and the others.
    fn split(&self, is_in: &[bool]) -> (Vec<RawDocumentBuf>, Vec<RawDocumentBuf>) {
        let all = self.documents.iter().zip(is_in);
        let (own, others): (Vec<_>, Vec<_>) = all.partition(|(_, is_in)| **is_in);
        let owned =
            |of: Vec<(&&RawDocumentBuf, &bool)>| of.into_iter().map(|(one, _)| (*one).clone()).collect();
        (owned(own), owned(others))
    }
}

/// Documents that may be the trades.
struct Candidate {
    kind: TradeKind,
    is_in: Vec<bool>,
    naming: Naming,
    is_text: bool,
    /// How well the condition says it, among those of the same documents.
    rank: (Naming, bool, bool, f64),
}

/// A candidate that was looked at.
struct Judged {
    candidate: Candidate,
    documents: usize,
    score: f64,
    has_time: bool,
    /// Whether almost all of its documents have something that hardly any other has.
    has_own: bool,
    comes_first: bool,
    why: Vec<String>,
}

impl Judged {
    /// One that is neither called a trade, nor comes first, nor has anything of its own is no more a trade than others. The
    /// first version of something is one only if there are messages beside it: otherwise later versions are trades, too.
    fn is_plausible(&self) -> bool {
        let Candidate { kind, naming: named, is_text, .. } = &self.candidate;
        let is_beside_messages = match &kind.is {
            TradeSign::Value { others, .. } => {
                others.iter().any(|other| naming(&kind.path, other) == Naming::Message)
            }
            TradeSign::Exists(_) => false,
        };
        let comes_first = *is_text && self.comes_first && (*named != Naming::First || is_beside_messages);
        *named == Naming::Trade || self.has_own || comes_first
    }
}

/// Finds the kind of documents that are the trades, among all documents of some trades. A trade is what is called one, has
/// what trades have, such as a price and a product, has a time, and is there for each id. It may be there several times,
/// since trades are amended.
pub(super) fn find(indexes: &[Vec<String>], documents: &[RawDocumentBuf], trade_id: &str) -> Kinds {
    let trades = Trades::of(documents, trade_id);
    let per_trade = share(trades.documents.len(), trades.groups.len());
    if trades.groups.len() < LEAST_TRADES || per_trade < LEAST_NAMED {
        return Kinds::default();
    }
    let survey = Survey::of(documents);
    let mut candidates: Vec<Candidate> = Vec::new();
    let found =
        by_value(&survey, &trades, trade_id).into_iter().chain(by_presence(&survey, &trades, trade_id));
    for candidate in found {
        match candidates.iter_mut().find(|known| known.is_in == candidate.is_in) {
            Some(known) if known.rank.partial_cmp(&candidate.rank) == Some(Ordering::Less) => {
                *known = candidate
            }
            Some(_) => {}
            None => candidates.push(candidate),
        }
    }
    let mut judged: Vec<Judged> =
        candidates.into_iter().filter_map(|candidate| judge(candidate, &survey, &trades, indexes)).collect();
    // What has no time is hardly the trades of a desk whose other documents have one.
    if judged.iter().any(|one| one.has_time) {
        judged.iter_mut().filter(|one| !one.has_time).for_each(|one| one.score -= NO_TIME);
    }
    judged.sort_by(|a, b| {
        let path = |one: &Judged| one.candidate.kind.path.clone();
        b.score.total_cmp(&a.score).then_with(|| path(a).cmp(&path(b)))
    });
    let Some(place) = judged.iter().position(Judged::is_plausible) else { return Kinds::default() };
    let best = judged.remove(place);
    let is_plain = best.candidate.naming == Naming::Trade && best.has_own;
    if per_trade < LEAST_DOCUMENTS && !is_plain {
        return Kinds::default();
    }
    let is_alike = |one: &Judged| alike(&one.candidate.is_in, &best.candidate.is_in) >= SAME_KIND;
    let rest: Vec<Judged> = judged.into_iter().filter(|one| !is_alike(one)).collect();
    let others: Vec<String> = rest.iter().take(MOST_OTHERS).map(in_short).collect();
    if best.candidate.naming == Naming::Message {
        let in_doubt = std::iter::once(in_short(&best)).filter(|_| best.has_own).chain(others).collect();
        return Kinds { chosen: None, in_doubt };
    }
    let ahead = rest.iter().find(|one| one.is_plausible()).map_or(f64::MAX, |next| best.score - next.score);
    let confidence = match best.candidate.naming {
        Naming::Trade if ahead >= SURE => Confidence::Sure,
        _ if ahead >= LIKELY && best.has_own => Confidence::Likely,
        _ => Confidence::Unsure,
    };
    let Judged { candidate, why, .. } = best;
    let kind = with_alike(candidate, &trades);
    // All of them are trades.
    if matches!(&kind.is, TradeSign::Value { others, .. } if others.is_empty()) {
        return Kinds::default();
    }
    Kinds { chosen: Some(FoundKind { kind, confidence, why, others }), in_doubt: Vec::new() }
}

/// A candidate for people: "kind = TRADE (20 documents)".
fn in_short(one: &Judged) -> String {
    let (is, _) = one.candidate.kind.in_words();
    format!("{} ({})", is.strip_prefix("with ").unwrap_or(&is), counted(one.documents, "document"))
}

/// How much two sets have in common.
fn alike(one: &[bool], other: &[bool]) -> f64 {
    let both = one.iter().zip(other).filter(|(a, b)| **a && **b).count();
    let any = one.iter().zip(other).filter(|(a, b)| **a || **b).count();
    share(both, any)
}

fn firsts_in(trades: &Trades<'_>, is_in: &[bool]) -> usize {
    trades.firsts.iter().filter(|place| is_in[**place]).count()
}

/// The candidates that a value makes: one that almost all trades have.
fn by_value(survey: &Survey, trades: &Trades<'_>, trade_id: &str) -> Vec<Candidate> {
    let is_kind = |(path, stats): &(&String, &PathStats)| {
        let of_kind =
            stats.main_type().is_some_and(|(name, share)| KIND_TYPES.contains(&name) && share > 0.99);
        // A message without the field would be neither.
        let is_everywhere = stats.documents * 100 >= survey.documents * 98;
        of_kind
            && is_everywhere
            && stats.in_arrays == 0
            && (2..=MOST_KINDS).contains(&stats.distinct)
            && path.as_str() != trade_id
    };
    let mut found = Vec::new();
    for (path, stats) in survey.paths.iter().filter(is_kind) {
        let at: Vec<Option<Value>> = trades.documents.iter().map(|one| value_at(one, path)).collect();
        let mut values: Vec<Value> = at.iter().flatten().cloned().collect();
        values.sort_by_cached_key(Value::to_string);
        values.dedup();
        let is_text = stats.types.contains_key("string");
        for value in &values {
            let is_in: Vec<bool> = at.iter().map(|one| one.as_ref() == Some(value)).collect();
            let naming = naming(path, value);
            if !is_candidate(trades, &is_in, naming) {
                continue;
            }
            let others = values.iter().filter(|other| *other != value).cloned().collect();
            let is = TradeSign::Value { values: vec![value.clone()], others };
            let kind = TradeKind { path: path.clone(), is };
            found.push(Candidate {
                kind,
                is_in,
                naming,
                is_text,
                rank: (naming.max(Naming::Nothing), true, is_text, 0.0),
            });
        }
    }
    found
}

/// The candidates that a field makes which almost all trades have. Among several such fields of the same documents, the
/// product is preferred.
fn by_presence(survey: &Survey, trades: &Trades<'_>, trade_id: &str) -> Vec<Candidate> {
    let is_some = |(path, stats): &(&String, &PathStats)| {
        stats.documents < survey.documents && path.as_str() != trade_id && path.as_str() != "_id"
    };
    let of = |(path, _): (&String, &PathStats)| {
        let is_in: Vec<bool> = trades.documents.iter().map(|one| path::is_in(one, path)).collect();
        let kind = TradeKind { path: path.clone(), is: TradeSign::Exists(true) };
        let product = weight(path, Meaning::Filter(0));
        let rank = (Naming::Nothing, false, false, product);
        is_candidate(trades, &is_in, Naming::Nothing).then_some(Candidate {
            kind,
            is_in,
            naming: Naming::Nothing,
            is_text: false,
            rank,
        })
    };
    survey.paths.iter().filter(is_some).filter_map(of).collect()
}

/// Whether almost all trades have a document of a set, few have several, and there are others.
fn is_candidate(trades: &Trades<'_>, is_in: &[bool], naming: Naming) -> bool {
    let (once, often) = trades.count(is_in);
    let total = trades.groups.len();
    let is_seldom_twice = naming == Naming::Trade || share(often, total) <= AMENDED;
    share(once + often, total) >= COVERS && is_seldom_twice && is_in.iter().any(|is_in| !is_in)
}

/// How much speaks for a set of documents being the trades; `None` if nothing does.
fn judge(
    candidate: Candidate,
    survey: &Survey,
    trades: &Trades<'_>,
    indexes: &[Vec<String>],
) -> Option<Judged> {
    let (own, others) = trades.split(&candidate.is_in);
    let (of_own, of_others) = (Survey::of(&own), Survey::of(&others));
    let has_own = own_paths(&of_own, &of_others).next().is_some();
    // The number of a version, for one, is 1 once a trade as well, in documents that are otherwise alike.
    if !candidate.is_text && !has_own {
        return None;
    }
    let (once, often) = trades.count(&candidate.is_in);
    let total = trades.groups.len();
    let fields = trade_fields(&of_own);
    let in_all = of_own.paths.values().filter(|stats| share(stats.documents, own.len()) >= OF_KIND).count();
    let sample = Sample { documents: own, indexes: indexes.to_vec(), ..Sample::default() };
    let days = Days::find(&sample, &of_own);
    let is_everywhere = |path: &str| {
        of_own.paths.get(path).is_some_and(|stats| share(stats.documents, sample.documents.len()) >= OF_KIND)
    };
    let times = days.all_times().filter(|time| time.path != "_id" && is_everywhere(&time.path));
    let time = times.map(|time| time.score).reduce(f64::max);
    let is_first = share(firsts_in(trades, &candidate.is_in), total);
    let named = match candidate.naming {
        Naming::Trade => 1.0,
        Naming::First => 0.2,
        Naming::Nothing => 0.0,
        Naming::Message => -0.6,
    };
    let score = named
        + 0.15 * share(fields.iter().flatten().count(), 1)
        + 0.4 * share(in_all, survey.paths.len())
        + 0.4 * time.unwrap_or_default()
        + 0.3 * share(once, total)
        + 0.5 * share(once + often, total)
        + 0.4 * is_first
        + if has_own { 0.1 } else { 0.0 };
    let mut why = Vec::new();
    if candidate.naming == Naming::Trade {
        why.push("its value names a trade".to_owned());
    }
    let only: BTreeSet<String> = own_paths(&of_own, &of_others).collect();
    let own_fields: Vec<String> =
        fields.into_iter().flatten().filter(|path| only.contains(path)).take(3).collect();
    if !own_fields.is_empty() {
        why.push(format!("only these documents have {}", joined(&own_fields)));
    }
    why.push(match often {
        0 => format!("{} of the trades have one such document", percent(share(once, total))),
        _ => format!(
            "{} of the trades have one such document, {} several",
            percent(share(once, total)),
            percent(share(often, total))
        ),
    });
    if is_first >= COMES_FIRST {
        why.push("it comes first".to_owned());
    }
    let documents = sample.documents.len();
    let (has_time, comes_first) = (time.is_some(), is_first >= COMES_FIRST);
    Some(Judged { candidate, documents, score, has_time, has_own, comes_first, why })
}

/// The paths of what trades have, of those that almost all documents have: a product, a cell, a party, a side, a price and
/// a quantity.
fn trade_fields(survey: &Survey) -> Vec<Option<String>> {
    let in_all = |stats: &PathStats| share(stats.documents, survey.documents) >= OF_KIND;
    let find = |is: &dyn Fn(&str, &PathStats) -> bool| {
        let found = survey.paths.iter().find(|(path, stats)| in_all(stats) && is(path, stats));
        found.map(|(path, _)| path.clone())
    };
    let mut fields: Vec<Option<String>> = [0, 1, 2]
        .into_iter()
        .map(|at| find(&|path, _| weight(path, Meaning::Filter(at)) > 0.5 && !is_vague(path)))
        .collect();
    fields.push(find(&|_, stats| kind_of(stats) == Some(ValueKind::Sides)));
    for amounts in AMOUNTS {
        fields.push(find(&|path, stats| {
            let is_number = stats
                .main_type()
                .is_some_and(|(name, _)| ["int", "long", "double", "decimal"].contains(&name));
            is_number && has_word(path, amounts)
        }));
    }
    fields
}

/// The kind with the other values whose documents have all that only trades have, or that are named so and have all that
/// trades have: amendments, trades of another sort.
fn with_alike(candidate: Candidate, trades: &Trades<'_>) -> TradeKind {
    let Candidate { mut kind, is_in, .. } = candidate;
    let TradeSign::Value { values, others } = &mut kind.is else { return kind };
    let (own, _) = trades.split(&is_in);
    let of_own = Survey::of(&own);
    let is_alike = |other: &Value| {
        if naming(&kind.path, other) == Naming::Message {
            return false;
        }
        let is_other: Vec<bool> =
            trades.documents.iter().map(|one| value_at(one, &kind.path).as_ref() == Some(other)).collect();
        let is_rest: Vec<bool> = is_in.iter().zip(&is_other).map(|(own, other)| !own && !other).collect();
        let (theirs, _) = trades.split(&is_other);
        let (rest, _) = trades.split(&is_rest);
        let (of_theirs, of_rest) = (Survey::of(&theirs), Survey::of(&rest));
        let has = |path: &String| {
            of_theirs.paths.get(path).is_some_and(|stats| share(stats.documents, theirs.len()) >= OF_KIND)
        };
        let text = words(other.as_str().unwrap_or_default()).concat();
        let is_named =
            naming(&kind.path, other) == Naming::Trade || CHANGES.iter().any(|change| text.contains(change));
        if is_named && own_paths(&of_own, &Survey::default()).all(|path| has(&path)) {
            return true;
        }
        if rest.is_empty() {
            return false;
        }
        let only: Vec<String> = own_paths(&of_own, &of_rest).collect();
        only.len() >= LEAST_OF_EACH && only.iter().all(has)
    };
    let (alike, rest): (Vec<Value>, Vec<Value>) = std::mem::take(others).into_iter().partition(is_alike);
    values.extend(alike);
    *others = rest;
    kind
}

/// The paths that almost all of some documents have, and hardly any of the others.
fn own_paths(own: &Survey, others: &Survey) -> impl Iterator<Item = String> {
    let in_others =
        |path: &String| others.paths.get(path).map_or(0.0, |stats| share(stats.documents, others.documents));
    own.paths
        .iter()
        .filter(|(_, stats)| share(stats.documents, own.documents) >= OF_KIND)
        .map(|(path, _)| path)
        .filter(move |path| in_others(path) <= OF_OTHERS)
        .cloned()
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

    fn find(documents: &[RawDocumentBuf], trade_id: &str) -> Option<TradeKind> {
        super::find(&[], documents, trade_id).chosen.map(|found| found.kind)
    }

    fn between(documents: &[RawDocumentBuf], trade_id: &str, reference: &str) -> Option<TradeKind> {
        super::between(documents, trade_id, reference).map(|found| found.kind)
    }

    #[test]
    fn the_one_document_per_trade_is_the_trade() {
        let found = find(&trades(&[("TRADE", "Gas"), ("CONF", "Gas"), ("CONF", "Gas")]), "trade");
        let kind = found.expect("a kind");
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
    fn values_name_trades_and_what_follows_them() {
        for (path, value, expected) in [
            ("kind", json!("TRADE"), Naming::Trade),
            ("kind", json!("newDeal"), Naming::Trade),
            ("kind", json!("Geschäft"), Naming::Trade),
            ("kind", json!("TRADE_CONFIRMATION"), Naming::Message),
            ("kind", json!("Bestätigung"), Naming::Message),
            ("kind", json!("new"), Naming::First),
            ("kind", json!("AE"), Naming::Nothing),
            ("hdr.MsgType", json!("AE"), Naming::Trade),
            ("msg_type", json!("AR"), Naming::Nothing),
            ("is_deal", json!(true), Naming::Trade),
            ("is_deal", json!(false), Naming::Nothing),
            ("is_last", json!(true), Naming::Nothing),
        ] {
            assert_eq!(naming(path, &value), expected, "{path} {value}");
        }
    }

    /// Amendments have all that only trades have, and confirmations have some of it.
    #[test]
    fn values_of_documents_like_the_trades_are_trades_too() {
        let of = |number: i32| {
            let mut document = rawdoc! {"_id": number, "trade": format!("T{}", number / 4)};
            let kind = ["DEAL", "CHANGE", "CONFIRMED", "LOG"][usize::try_from(number % 4).expect("a place")];
            document.append(bson::cstr!("kind"), kind);
            if number % 4 < 3 {
                document.append(bson::cstr!("product"), "Wool");
            }
            if number % 4 < 2 {
                document.append(bson::cstr!("price"), 7.5);
                document.append(bson::cstr!("qty"), 7);
                document.append(bson::cstr!("quality"), "fine");
            }
            document
        };
        let documents: Vec<RawDocumentBuf> = (0..60).map(of).collect();
        let kind = find(&documents, "trade").expect("a kind");
        assert_eq!(kind.to_match(), json!({"kind": {"$in": ["DEAL", "CHANGE"]}}));
    }

    /// The first version comes first in each trade, and later ones are called changes.
    #[test]
    fn states_beside_messages_are_those_of_trades() {
        let of = |with_messages: bool| -> Vec<RawDocumentBuf> {
            let of = move |number: i32| {
                let kind = match number % 3 {
                    0 => "NEW",
                    1 if number % 2 == 0 => "AMENDED",
                    1 => "CANCELLED",
                    _ if with_messages => "ACK",
                    _ => "AMENDED",
                };
                let mut document = rawdoc! {"_id": number, "trade": format!("T{}", number / 3), "kind": kind};
                if kind != "ACK" {
                    document.append(bson::cstr!("product"), "Wool");
                    document.append(bson::cstr!("price"), 7.5);
                }
                document
            };
            // Half of the trades are amended.
            (0..60).filter(|number| number % 3 != 1 || number % 12 < 6).map(of).collect()
        };
        let kind = find(&of(true), "trade").expect("a kind");
        assert_eq!(kind.to_match(), json!({"kind": {"$in": ["NEW", "AMENDED", "CANCELLED"]}}));
        assert_eq!(find(&of(false), "trade"), None);
    }

    #[test]
    fn changes_of_trades_are_trades() {
        let of = |kinds: &[(&str, &str)]| find(&trades(kinds), "trade").map(|kind| kind.to_match());
        assert_eq!(of(&[("TRADE", "Gas"), ("AMEND", "Gas")]), None);
        assert_eq!(of(&[("NEW_TRADE", "Gas"), ("TRADE_CHANGE", "Gas"), ("CANCELLED", "Gas")]), None);
        assert_eq!(
            of(&[("TRADE", "Gas"), ("CORRECTION", "Gas"), ("CONF", "Gas")]),
            Some(json!({"kind": {"$in": ["TRADE", "CORRECTION"]}}))
        );
    }

    #[test]
    fn documents_that_are_alike_are_all_trades() {
        assert_eq!(find(&trades(&[("leg", "Gas"), ("leg", "Gas")]), "trade"), None);
        assert_eq!(find(&trades(&[("TRADE", "Gas")]), "trade"), None, "one document per trade");
        assert_eq!(find(&trades(&[("TRADE", "Gas"), ("CONF", "Gas")])[..6], "trade"), None, "three trades");
    }
}
