//! Verifying held days: the source counts, the ledger and the documents answer for the cache.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _};

use super::engine::off_thread;
use crate::cache::CacheFile;
use crate::cache::questions::questions;
use crate::day::{Day, DayRange, DaySet};
use crate::failure::{Failure, Result};
use crate::mapping::Mapping;
use crate::plan::Ledger;
use crate::signature::Query;
use crate::source::Source;

/// Days whose messages are asked for at once.
const DAYS_AT_ONCE: usize = 3;

/// What a check came to.
#[derive(Debug, Default)]
pub(super) struct Checked {
    /// Held days that differ at the source.
    pub(super) differing: DaySet,
    /// Held days that could not be checked to the end.
    pub(super) unverified: DaySet,
    /// Why not.
    pub(super) failure: Option<Failure>,
}

/// Checks the held days of a range: the trades of all days in one question, then the messages of the days
/// whose trades do not differ.
pub(super) async fn check(
    source: &Source,
    query: &Query,
    range: DayRange,
    ledger: &Ledger,
    marks: &BTreeMap<Day, Option<String>>,
    file: Option<Arc<CacheFile>>,
    ids_a_question: NonZeroU32,
) -> Checked {
    let held: DaySet = ledger.range(range.from()..=range.to()).map(|(day, _)| *day).collect();
    let Some(file) = file.filter(|_| !held.is_empty()) else { return Checked::default() };
    let mut checked = Checked::default();
    match differing(source, query, range, ledger, marks).await {
        Ok(days) => checked.differing = days,
        Err(failure) => return Checked { unverified: held, failure: Some(failure), ..checked },
    }
    let alike = held.difference(&checked.differing);
    let mut asked = stream::iter(alike.days().collect::<Vec<_>>())
        .map(|day| {
            let file = Arc::clone(&file);
            async move { (day, messages_differ(source, &query.mapping, file, day, ids_a_question).await) }
        })
        .buffer_unordered(DAYS_AT_ONCE);
    let mut done: Vec<Day> = Vec::new();
    let mut differ: Vec<Day> = Vec::new();
    while let Some((day, answer)) = asked.next().await {
        match answer {
            Ok(differs) => {
                done.push(day);
                differ.extend(differs.then_some(day));
            }
            Err(failure) => {
                checked.failure = Some(failure);
                break;
            }
        }
    }
    checked.differing = checked.differing.union(&differ.into_iter().collect());
    checked.unverified = alike.difference(&done.into_iter().collect());
    checked
}

/// Whether the messages of a held day's trades differ at the source.
async fn messages_differ(
    source: &Source,
    mapping: &Mapping,
    file: Arc<CacheFile>,
    day: Day,
    ids_a_question: NonZeroU32,
) -> Result<bool> {
    // A day that was forgotten meanwhile is not what the ledger says.
    let Some(questions) = off_thread(move || questions(&file, day, ids_a_question)).await? else {
        return Ok(true);
    };
    for question in questions {
        if source.downstream_count(mapping, question.ids).await? != question.held {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The held days of a range whose count of trades or change mark differs at the source.
async fn differing(
    source: &Source,
    query: &Query,
    range: DayRange,
    ledger: &Ledger,
    marks: &BTreeMap<Day, Option<String>>,
) -> Result<DaySet> {
    let counts = source.day_counts(query, range).await?;
    Ok(ledger
        .range(range.from()..=range.to())
        .filter(|(day, held)| {
            let theirs = counts.get(day).cloned().unwrap_or_default();
            theirs.rows != held.input_rows
                || (query.mapping.changed_at.is_some()
                    && marks.get(day).is_none_or(|mark| *mark != theirs.change_mark))
        })
        .map(|(day, _)| *day)
        .collect())
}

/// What the check came to, in one sentence.
pub(super) fn sentence(held: usize, differing: &DaySet, unverified: &DaySet, fetched: &DaySet) -> String {
    if !unverified.is_empty() {
        let unchecked = format!("{} cached days could not be checked against the server", unverified.len());
        return match differing.len() {
            0 => format!("{unchecked}."),
            many => format!("{unchecked}; of those that were, {many} differed."),
        };
    }
    let left = differing.difference(fetched).len();
    let checked = format!("Checked {held} cached days against the server");
    match (held, differing.len(), left) {
        (0, _, _) => "No cached day to check.".to_owned(),
        (_, 0, _) => format!("{checked}: none differs."),
        (_, 1, 0) => format!("{checked}: 1 differed and was fetched again."),
        (_, many, 0) => format!("{checked}: {many} differed and were fetched again."),
        (_, many, left) => format!("{checked}: {many} differed, {left} of them could not be fetched again."),
    }
}
