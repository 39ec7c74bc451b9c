//! Verifying held days: the source counts, the ledger and the documents answer for the cache.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _};

use super::engine::off_thread;
use crate::cache::questions::questions;
use crate::cache::{CacheFile, CheckedDay, Collation};
use crate::day::{Day, DayRange, DaySet};
use crate::failure::{Failure, Result};
use crate::limits::Limits;
use crate::mapping::Mapping;
use crate::plan::Ledger;
use crate::signature::Query;
use crate::source::{DayCount, Source};
use crate::trade::ChangeStamp;

/// Days whose messages are asked for at once.
const DAYS_AT_ONCE: usize = 3;

/// What the ledger says of held days, beside their counts.
pub(super) type Marks = BTreeMap<Day, Mark>;

/// What a held day is compared by, beside its count.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    /// Where its rows are.
    pub(super) segment: u32,
    /// The greatest change stamp, where the mapping has one.
    pub(super) change_mark: Option<String>,
}

/// What a check came to.
#[derive(Debug, Default)]
pub(super) struct Checked {
    /// Held days that differ at the source.
    pub(super) differing: DaySet,
    /// Held days that could not be checked to the end.
    pub(super) unverified: DaySet,
    /// Why not.
    pub(super) failure: Option<Failure>,
    /// Days with trades whose change stamps, although mapped, cannot be compared.
    pub(super) unstamped: usize,
}

/// Checks the held days of a range, and remembers in the file which differ: whatever comes of the pull that
/// follows, no later answer may call them complete.
///
/// # Errors
/// Those of the file. What the source says or fails to say is in [`Checked`].
pub(super) async fn check(
    source: &Source,
    query: &Query,
    range: DayRange,
    ledger: &Ledger,
    marks: &Marks,
    file: Option<Arc<CacheFile>>,
    limits: &Limits,
) -> Result<Checked> {
    let checked = ask(source, query, range, ledger, marks, file.clone(), limits).await;
    let Some(file) = file else { return Ok(checked) };
    let found: BTreeMap<Day, CheckedDay> = marks
        .iter()
        .filter(|(day, _)| range.contains(**day) && !checked.unverified.contains(**day))
        .map(|(day, mark)| {
            let differed = ledger.get(day).is_some_and(|held| held.differs);
            let differs = checked.differing.contains(*day);
            (*day, CheckedDay { segment: mark.segment, differed, differs })
        })
        .collect();
    off_thread(move || file.record_check(&found)).await?;
    Ok(checked)
}

/// Asks for the trades of all days in one question, then for the messages of the days whose trades do not
/// differ.
async fn ask(
    source: &Source,
    query: &Query,
    range: DayRange,
    ledger: &Ledger,
    marks: &Marks,
    file: Option<Arc<CacheFile>>,
    limits: &Limits,
) -> Checked {
    let held: DaySet = ledger.range(range.from()..=range.to()).map(|(day, _)| *day).collect();
    let Some(file) = file.filter(|_| !held.is_empty()) else { return Checked::default() };
    let is_collated = matches!(file.collation(), Collation::Own(_));
    let mut checked = Checked::default();
    match differing(source, query, range, ledger, marks, is_collated).await {
        Ok(compared) => (checked.differing, checked.unstamped) = compared,
        Err(failure) => return Checked { unverified: held, failure: Some(failure), ..checked },
    }
    let alike = held.difference(&checked.differing);
    let mut asked = stream::iter(alike.days().collect::<Vec<_>>())
        .map(|day| {
            let file = Arc::clone(&file);
            async move {
                (day, messages_differ(source, &query.mapping, is_collated, file, day, limits).await)
            }
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
    is_collated: bool,
    file: Arc<CacheFile>,
    day: Day,
    limits: &Limits,
) -> Result<bool> {
    // A day that was forgotten meanwhile is not what the ledger says.
    let (known, limits) = (mapping.clone(), *limits);
    let Some(questions) = off_thread(move || questions(&file, &known, day, &limits)).await? else {
        return Ok(true);
    };
    for question in questions {
        let theirs = source.downstream_count(mapping, question.ids).await?;
        let mark =
            |count: &DayCount| count.change_mark.as_ref().and_then(|mark| mark_text(mark, is_collated));
        if theirs.rows != question.held.rows || mark(&theirs) != mark(&question.held) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A change stamp to compare, as the ledger keeps it.
fn mark_text(mark: &ChangeStamp, is_collated: bool) -> Option<String> {
    mark.to_text().filter(|text| is_comparable(text, is_collated))
}

/// Of texts the greatest is another one by a collation's rules than byte by byte.
fn is_comparable(mark: &str, is_collated: bool) -> bool {
    !is_collated || !ChangeStamp::is_text(mark)
}

/// The held days of a range whose count of trades or change mark differs at the source, and how many of the
/// others have no change mark to compare although one is mapped.
async fn differing(
    source: &Source,
    query: &Query,
    range: DayRange,
    ledger: &Ledger,
    marks: &Marks,
    is_collated: bool,
) -> Result<(DaySet, usize)> {
    let counts = source.day_counts(query, range).await?;
    let is_stamped = query.mapping.changed_at.is_some();
    let mut differing = Vec::new();
    let mut unstamped = 0;
    for (day, held) in ledger.range(range.from()..=range.to()) {
        let theirs = counts.get(day).cloned().unwrap_or_default();
        let mark = theirs.change_mark.as_ref().and_then(|mark| mark_text(mark, is_collated));
        let is_known = |mark: &&str| is_comparable(mark, is_collated);
        let other_mark = || {
            marks.get(day).is_none_or(|ours| ours.change_mark.as_deref().filter(is_known) != mark.as_deref())
        };
        if theirs.rows != held.input_rows || (is_stamped && other_mark()) {
            differing.push(*day);
        } else if is_stamped && mark.is_none() && theirs.rows > 0 {
            unstamped += 1;
        }
    }
    Ok((differing.into_iter().collect(), unstamped))
}

/// What a trader must know of change stamps that are mapped and cannot be compared.
pub(super) fn unstamped_sentence(path: &str, days: usize) -> String {
    let days = if days == 1 { "1 day has" } else { &format!("{days} days have") };
    format!(
        "{days} no change stamp that can be compared ({path}): only the trades and messages were counted."
    )
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
