//! Documents of different shapes in one collection: after a schema has changed, the newest have their day, their trade
//! id or a filter field under a different path than the older ones. A mapping has one path for each.

use std::collections::BTreeSet;

use bson::{RawBsonRef, RawDocumentBuf};
use chrono::{DateTime, Utc};

use super::clocks::instant;
use super::days::Days;
use super::fields::Choice;
use super::names::{Meaning, weight};
use super::survey::{Survey, share};
use super::{Evidence, Sample};
use crate::bson::equality_key::equality_key;
use crate::bson::path;

/// Fewer of the newest documents than this say nothing.
const LEAST_NEWEST: usize = 10;
/// The share of documents that have what their shape has: some values are always missing.
const MOST: f64 = 0.9;
/// The share that may have what their shape does not have.
const HARDLY_ANY: f64 = 0.05;
/// Fewer documents than this are odd ones rather than of a different shape.
const LEAST: usize = 3;

/// Documents whose day is elsewhere than the proposed mapping says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OtherShape {
    /// The paths of their day.
    pub(super) paths: Vec<String>,
    /// Their share of the sample.
    pub(super) share: f64,
    /// Whether the newest documents are not among them.
    pub(super) is_older: bool,
}

fn has(document: &RawDocumentBuf, path: &str) -> bool {
    let mut found = false;
    path::scalars(document, path, &mut |value| found |= !matches!(value, RawBsonRef::Null));
    found
}

fn has_all(document: &RawDocumentBuf, paths: &[&str]) -> bool {
    paths.iter().all(|path| has(document, path))
}

fn share_with(documents: &[RawDocumentBuf], is: impl Fn(&RawDocumentBuf) -> bool) -> f64 {
    share(documents.iter().filter(|document| is(document)).count(), documents.len())
}

/// The documents of the newest shape, if the newest have a different time than the one that was found for all.
pub(super) fn newest(sample: &Sample, days: &Days) -> Option<Vec<RawDocumentBuf>> {
    let matched = days.matched();
    let is_old = |document: &RawDocumentBuf| has_all(document, &matched);
    if sample.newest.len() < LEAST_NEWEST
        || matched.is_empty()
        || share_with(&sample.newest, is_old) > HARDLY_ANY
    {
        return None;
    }
    let is_time_of_trade = |path: &str| path != "_id" && weight(path, Meaning::OtherTime) < 0.5;
    let time = days
        .all_times()
        .filter(|time| is_time_of_trade(&time.path))
        .find(|time| share_with(&sample.newest, |document| has(document, &time.path)) >= MOST)?;
    let is_new = |document: &&RawDocumentBuf| has(document, &time.path) && !is_old(document);
    let old_time = days.time.as_ref().or(days.business_date.as_ref())?;
    let old = sample.documents.iter().filter(|document| is_old(document));
    let old: Vec<DateTime<Utc>> = old.filter_map(|document| instant(document, old_time)).collect();
    let mut times: Vec<DateTime<Utc>> =
        sample.documents.iter().filter(is_new).filter_map(|document| instant(document, time)).collect();
    times.sort();
    // Those stored last are of a newer shape if they are later, too. Messages are as old as the trades.
    let begin = times.get(times.len() / 10)?;
    let later = old.iter().filter(|at| *at >= begin).count();
    if share(later, old.len()) > 1.0 - MOST {
        return None;
    }
    // With their messages, which have no such time.
    Some(sample.documents.iter().filter(|document| !is_old(document)).cloned().collect())
}

/// The documents of the sample that the mapping has no day for although they have one, unless they are messages.
pub(super) fn other(
    sample: &Sample,
    days: &Days,
    choice: &Choice,
    evidence: &Evidence,
) -> Option<OtherShape> {
    let matched = days.matched();
    if matched.is_empty() || choice.trade_kind.is_some() {
        return None;
    }
    let message_path = choice.message_path();
    let is_other = |document: &&RawDocumentBuf| {
        !has_all(document, &matched) && message_path.is_none_or(|path| !has(document, path))
    };
    let others: Vec<RawDocumentBuf> = sample.documents.iter().filter(is_other).cloned().collect();
    if others.len() < LEAST || are_messages(sample, evidence, &matched, choice) {
        return None;
    }
    let theirs = Sample { collection: sample.collection.clone(), documents: others, ..Sample::default() };
    let found = Days::find(&theirs, &Survey::of(&theirs.documents));
    let paths: Vec<String> = found.matched().into_iter().map(str::to_owned).collect();
    let is_time_of_trade = |path: &String| path != "_id" && weight(path, Meaning::OtherTime) < 0.5;
    (!paths.is_empty() && paths.iter().all(is_time_of_trade)).then(|| OtherShape {
        share: share(theirs.documents.len(), sample.documents.len()),
        is_older: !sample.newest.is_empty()
            && share_with(&sample.newest, |document| has_all(document, &matched)) >= MOST,
        paths,
    })
}

/// Whether documents without a day have the ids of documents with one: then they belong to those.
fn are_messages(sample: &Sample, evidence: &Evidence, matched: &[&str], choice: &Choice) -> bool {
    let Some((id, _)) = &choice.trade_id else { return false };
    let (mut of_trades, mut of_others) = (BTreeSet::new(), Vec::new());
    for document in sample.documents.iter().chain(&evidence.of_trades) {
        let is_trade = has_all(document, matched);
        path::scalars(document, id, &mut |value| {
            if let Some(key) = equality_key(value) {
                if is_trade {
                    of_trades.insert(key);
                } else {
                    of_others.push(key);
                }
            }
        });
    }
    of_others.iter().filter(|key| of_trades.contains(*key)).count() >= LEAST
}

/// The path that some documents have instead of a chosen one: each of them has one of the two.
pub(super) fn instead<'a>(
    documents: &[RawDocumentBuf],
    matched: &[&str],
    message_path: Option<&str>,
    chosen: &str,
    others: impl IntoIterator<Item = &'a String>,
) -> Option<(&'a str, f64)> {
    let is_trade = |document: &RawDocumentBuf| {
        has_all(document, matched) && message_path.is_none_or(|path| !has(document, path))
    };
    let trades: Vec<&RawDocumentBuf> = documents.iter().filter(|document| is_trade(document)).collect();
    others.into_iter().find_map(|other| {
        let (mut first, mut second, mut both) = (0, 0, 0);
        for document in &trades {
            match (has(document, chosen), has(document, other)) {
                (true, true) => both += 1,
                (true, false) => first += 1,
                (false, true) => second += 1,
                (false, false) => {}
            }
        }
        let is_instead = first >= LEAST
            && second >= LEAST
            && share(both, trades.len()) <= HARDLY_ANY
            && share(first + second, trades.len()) >= MOST;
        is_instead.then_some((other.as_str(), share(second, trades.len())))
    })
}
