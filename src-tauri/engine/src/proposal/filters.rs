//! Chooses the six filter fields and the status, by name, type and values.
//!
//! | field | what it is |
//! |---|---|
//! | product | what is traded |
//! | cell | the part of the own firm that trades: desk, book, portfolio, strategy, department |
//! | receiver | the other party: counterparty, client, recipient, buyer |
//! | attribute | a property of the trade with few values: side, direction, type of trade |
//! | relatedDispatcher | who sent or entered it: dispatcher, sender, broker, trader, dealer, source system |
//! | relatedAttributes | a list of tags, flags or properties |

use std::collections::{BTreeMap, BTreeSet};

use super::names::{Meaning, ends_vaguely, is_trader, is_vague, weight, words};
use super::survey::{PathStats, Survey, share};
use super::values::{ValueKind, kind_of};
use super::{Confidence, confidence, percent};
use crate::query::form::ValueType;
use crate::query::mapping::FORM_FIELDS;
use crate::words::counted;

/// A text that is longer than this is a description, not something to filter by.
pub(super) const LONGEST: usize = 120;
/// The least score of a filter field.
const LEAST: f64 = 0.45;
/// Fewer documents than this have the same value by chance.
const LEAST_CONSTANT: usize = 20;
/// Places of the fields in the form.
const ATTRIBUTE: usize = 3;
const DISPATCHER: usize = 4;
const ATTRIBUTES: usize = 5;
/// A property of a trade, or a status, has no more different values than this.
const FEW: usize = 30;
/// From this on, the name itself says what a field is, rather than a word in it.
const PLAIN: f64 = 0.7;
/// From this on, the whole name is one that says so, as in `messageType`, rather than its last word.
const LISTED: f64 = 0.82;
/// How much values alone suggest a meaning, whatever the name.
const BY_VALUES: f64 = 0.7;
/// How much less the last part of a path suggests if it is a word such as `type`.
const VAGUE_PART: f64 = 0.6;
/// How much less the name of somebody who trades says that it is the dispatcher than that of a sender.
const TRADER: f64 = 0.78;
/// How many other paths are named.
const OTHERS: usize = 4;

/// A path that is chosen for a filter or the status.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) path: String,
    pub(super) value_type: ValueType,
    pub(super) why: Vec<String>,
    /// Other paths that come into question, best first.
    pub(super) others: Vec<String>,
    /// Types of values that a filter of the proposed type does not find, with their share.
    pub(super) mixed: Vec<(&'static str, f64)>,
    score: f64,
    /// How sure it can be at most.
    most: Confidence,
}

impl Field {
    pub(super) fn confidence(&self) -> Confidence {
        confidence(self.score, 0.0).min(self.most)
    }
}

/// The chosen fields.
#[derive(Debug, Clone, Default)]
pub(super) struct Filters {
    /// For each filter field of the form.
    pub(super) fields: Vec<Option<Field>>,
    pub(super) status: Option<Field>,
}

impl Filters {
    /// Chooses, the best fitting pair of a field and a path first. `is_time` tells the paths that hold times.
    pub(super) fn choose(
        survey: &Survey,
        taken: &mut BTreeSet<String>,
        is_time: impl Fn(&str) -> bool,
    ) -> Self {
        let mut pairs: Vec<(usize, Field)> = Vec::new();
        for (path, in_documents, stats) in survey.free(taken) {
            if is_time(&path) || stats.longest > LONGEST {
                continue;
            }
            let of = |at| Some((at, filter_at(at, &path, in_documents, stats)?));
            pairs.extend((0..FORM_FIELDS.len()).filter_map(of));
        }
        pairs.sort_by(|a, b| {
            b.1.score.total_cmp(&a.1.score).then_with(|| (a.0, &a.1.path).cmp(&(b.0, &b.1.path)))
        });
        let mut fields: Vec<Option<Field>> = vec![None; FORM_FIELDS.len()];
        for (at, field) in &pairs {
            if fields[*at].is_none() && taken.insert(field.path.clone()) {
                fields[*at] = Some(field.clone());
            }
        }
        for (at, chosen) in fields.iter_mut().enumerate() {
            let rest = pairs.iter().filter(|(of, field)| *of == at && !taken.contains(&field.path));
            if let Some(chosen) = chosen {
                chosen.others = rest.take(OTHERS).map(|(_, field)| field.path.clone()).collect();
            }
        }
        let of = |(path, in_documents, stats): (String, f64, &PathStats)| status(&path, in_documents, stats);
        let mut states: Vec<Field> = survey.free(taken).into_iter().filter_map(of).collect();
        states.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.path.cmp(&b.path)));
        let mut states = states.into_iter();
        let status = states.next().map(|mut status| {
            status.others = states.take(OTHERS).map(|other| other.path).collect();
            status
        });
        Self { fields, status }
    }
}

/// A path as the filter field at a place of the form, if it may be that.
fn filter_at(at: usize, path: &str, in_documents: f64, stats: &PathStats) -> Option<Field> {
    let value_type = stats.value_type()?;
    let kind = kind_of(stats);
    let is_list = stats.in_lists * 2 > stats.documents;
    let last = path.rsplit('.').next().unwrap_or(path);
    // A field of the very name is the one that is meant, whatever its values are.
    let is_own = last == FORM_FIELDS[at];
    let is_by_trader = at == DISPATCHER && words(last).iter().any(|word| is_trader(word));
    let by_name = match weight(path, Meaning::Filter(at)) {
        _ if is_own => 1.2,
        weight if is_by_trader => weight * TRADER,
        // What it is a part of says more: `product.class`.
        weight if is_vague(path) && path.contains('.') => weight * VAGUE_PART,
        weight => weight,
    };
    let fits = match kind {
        _ if is_own => true,
        Some(ValueKind::Sides) => at == ATTRIBUTE,
        Some(ValueKind::States) => at == ATTRIBUTES || at == ATTRIBUTE && !is_vague(path),
        Some(ValueKind::Units | ValueKind::Currencies) => !matches!(at, 1 | 2 | 4) && by_name >= 0.9,
        Some(ValueKind::Levels) => at >= ATTRIBUTE,
        None => true,
    };
    let repeats = share(stats.distinct, stats.values) < 0.9 || stats.values < 20;
    let by_values = match (at, kind) {
        (ATTRIBUTE, Some(ValueKind::Sides)) => Some("its values are the sides of a trade"),
        (ATTRIBUTES, _) if is_list && repeats && value_type == ValueType::Text && stats.distinct <= FEW => {
            Some("it is a list of texts that repeat")
        }
        _ => None,
    };
    // The form has one field for a single attribute and one for a list of them.
    let fits_list = at != ATTRIBUTES || is_list || stats.in_arrays > 0 || by_name >= 0.95;
    if !fits || !fits_list {
        return None;
    }
    let named = by_name.max(if by_values.is_some() { BY_VALUES } else { 0.0 });
    let has_few = at != ATTRIBUTE || stats.distinct <= FEW;
    let score = 0.7 * named
        + 0.1 * in_documents
        + if value_type == ValueType::Text { 0.1 } else { 0.0 }
        + if repeats && has_few { 0.1 } else { -0.1 };
    if named < 0.5 || score < LEAST {
        return None;
    }
    let mut why = Vec::new();
    match by_name {
        name if name >= PLAIN => why.push("its name says so".to_owned()),
        name if name >= 0.5 => why.push("its name contains such a word".to_owned()),
        _ => {}
    }
    why.extend(by_values.map(str::to_owned));
    why.push(format!(
        "{} in {} of the documents",
        counted(stats.distinct, "different value"),
        percent(in_documents)
    ));
    let mut most = Confidence::Sure;
    if !is_own && (is_by_trader || by_name < PLAIN || is_vague(path) && by_values.is_none()) {
        most = Confidence::Likely;
    }
    if is_constant(stats) {
        most = most.min(Confidence::Likely);
        why.push("it has the same value everywhere, so it tells no trade from another".to_owned());
    }
    let mixed = unfound(value_type, stats);
    if !mixed.is_empty() {
        most = Confidence::Unsure;
        why.push(format!("its values have several types; it is proposed as {}", in_words(value_type)));
    }
    Some(Field { path: path.to_owned(), value_type, why, others: Vec::new(), mixed, score, most })
}

/// A path as the status, if it may be that.
fn status(path: &str, in_documents: f64, stats: &PathStats) -> Option<Field> {
    let has_states = kind_of(stats) == Some(ValueKind::States);
    let by_name = weight(path, Meaning::Status);
    let fits = stats.distinct <= FEW && in_documents >= 0.2 && stats.in_arrays == 0;
    // A plain `type` may be anything, and so may the type of something: its values have to say so.
    let is_vague = is_vague(path) || by_name < LISTED && ends_vaguely(path);
    let is_named = by_name >= PLAIN && (has_states || !is_vague);
    if !fits || !(is_named || has_states) {
        return None;
    }
    let mut why = Vec::new();
    if by_name >= PLAIN {
        why.push("its name says so".to_owned());
    }
    if has_states {
        why.push("its values are words such as new and cancelled".to_owned());
    }
    let named = by_name.max(if has_states { BY_VALUES } else { 0.0 });
    // What never changes is no state of the trade.
    if is_constant(stats) && (is_vague || ends_vaguely(path)) {
        return None;
    }
    let is_plain = by_name >= PLAIN && !is_vague && !is_constant(stats);
    Some(Field {
        path: path.to_owned(),
        value_type: stats.value_type()?,
        why,
        others: Vec::new(),
        mixed: Vec::new(),
        score: 0.8 * named + 0.2 * in_documents,
        most: if is_plain { Confidence::Sure } else { Confidence::Likely },
    })
}

/// Whether many documents have the same value.
fn is_constant(stats: &PathStats) -> bool {
    stats.distinct == 1 && stats.documents >= LEAST_CONSTANT
}

/// The types of values that a filter of a type does not find, with their shares. Numbers are equal across their types.
fn unfound(value_type: ValueType, stats: &PathStats) -> Vec<(&'static str, f64)> {
    let mut shares: BTreeMap<&'static str, usize> = BTreeMap::new();
    for (name, count) in &stats.types {
        let class = match *name {
            "int" | "long" | "double" | "decimal" => "numbers",
            "string" => "texts",
            "date" => "dates",
            "bool" => "true or false",
            "objectId" => "ObjectIds",
            "binData" => "UUIDs",
            _ => "values of another type",
        };
        *shares.entry(class).or_default() += count;
    }
    let own = in_words(value_type);
    shares
        .into_iter()
        .filter(|(class, _)| *class != own)
        .map(|(class, count)| (class, share(count, stats.values)))
        .collect()
}

/// The values that a filter of a type finds.
pub(super) const fn in_words(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType::Text => "texts",
        ValueType::Integer | ValueType::Number | ValueType::Decimal => "numbers",
        ValueType::Date => "dates",
        ValueType::Bool => "true or false",
        ValueType::ObjectId => "ObjectIds",
        ValueType::Uuid => "UUIDs",
    }
}
