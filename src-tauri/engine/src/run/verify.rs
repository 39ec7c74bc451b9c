//! Verifying held days: the source counts, the ledger and the documents answer for the cache.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _};

use super::engine::off_thread;
use crate::cache::hashes::hash_sums;
use crate::cache::questions::questions;
use crate::cache::{CacheFile, CheckedDay, Collation};
use crate::day::{Day, DayRange, DaySet};
use crate::failure::{Failure, Result};
use crate::hashed_key::HashSums;
use crate::left_out::{self, Counts};
use crate::limits::Limits;
use crate::mapping::Mapping;
use crate::plan::Ledger;
use crate::signature::Query;
use crate::source::{DayCount, Source};
use crate::trade::ChangeStamp;
use crate::words::counted;

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
    /// Documents that the match of the day returned and that it leaves out.
    pub(super) left_out: u64,
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
    /// Days with trades whose hashes were compared.
    pub(super) hashed: usize,
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
        Ok(compared) => {
            checked.unstamped = compared.unstamped;
            checked.differing = compared.differing;
            match hashes_differ(&file, &query.mapping, &checked.differing, compared.hashes).await {
                Ok((hashed, differ)) => {
                    checked.hashed = hashed;
                    checked.differing = checked.differing.union(&differ);
                }
                Err(failure) => return Checked { unverified: held, failure: Some(failure), ..checked },
            }
        }
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

/// What the counts of a range's held days come to.
struct Compared {
    /// Days whose count of trades or change mark differs at the source.
    differing: DaySet,
    /// How many of the others have no change mark to compare although one is mapped.
    unstamped: usize,
    /// The source's sums of hashes.
    hashes: BTreeMap<Day, HashSums>,
}

/// Of days that do not differ otherwise, how many could be compared by the hashes of their trades, and which
/// differ by them: a deletion and an insertion below the greatest stamp change neither count nor mark.
async fn hashes_differ(
    file: &Arc<CacheFile>,
    mapping: &Mapping,
    differing: &DaySet,
    mut theirs: BTreeMap<Day, HashSums>,
) -> Result<(usize, DaySet)> {
    theirs.retain(|day, _| !differing.contains(*day));
    let (file, path) = (Arc::clone(file), mapping.changed_at.clone());
    off_thread(move || {
        let (mut hashed, mut differ) = (0, Vec::new());
        for (day, theirs) in theirs {
            if let Some(ours) = hash_sums(&file, path.as_deref(), day)? {
                hashed += 1;
                differ.extend((ours != theirs).then_some(day));
            }
        }
        Ok((hashed, differ.into_iter().collect()))
    })
    .await
}

/// Compares the held days of a range with what the source counts.
async fn differing(
    source: &Source,
    query: &Query,
    range: DayRange,
    ledger: &Ledger,
    marks: &Marks,
    is_collated: bool,
) -> Result<Compared> {
    let counts = source.day_counts_and_hashes(query, range).await?;
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
        let left_out = marks.get(day).map_or(0, |ours| ours.left_out);
        if (theirs.rows, theirs.left_out) != (held.input_rows, left_out) || (is_stamped && other_mark()) {
            differing.push(*day);
        } else if is_stamped && mark.is_none() && theirs.rows > 0 {
            unstamped += 1;
        }
    }
    let hashes = counts
        .iter()
        .filter(|(day, _)| ledger.contains_key(day))
        .filter_map(|(day, count)| Some((*day, count.hashes?)))
        .collect();
    Ok(Compared { differing: differing.into_iter().collect(), unstamped, hashes })
}

/// Whether the source counts other documents of a day than are held and left out, or tells a later change of those
/// that are held. Texts have an order of their own in some collections, so they are not compared here.
pub(super) fn counts_differ(
    theirs: Option<&DayCount>,
    held: u64,
    left_out: &Counts,
    change_mark: Option<&str>,
) -> bool {
    let counted = theirs.map_or((0, 0), |count| (count.rows, count.left_out));
    let mark = theirs.and_then(|count| count.change_mark.as_ref()).and_then(ChangeStamp::to_text);
    let is_text = [mark.as_deref(), change_mark].into_iter().flatten().any(ChangeStamp::is_text);
    counted != (held, left_out::not_held(left_out)) || !is_text && mark.as_deref() != change_mark
}

/// What a trader must know of change stamps that are mapped and cannot be compared.
pub(super) fn unstamped_sentence(path: &str, days: usize) -> String {
    let (days, have) = (counted(days, "day"), if days == 1 { "has" } else { "have" });
    format!(
        "{days} {have} no change stamp that can be compared ({path}): only the trades and messages were counted."
    )
}

/// Which kind of check was made of days with trades, in one sentence.
pub(super) fn kind_sentence(is_stamped: bool, hashed: usize) -> String {
    match (hashed, is_stamped) {
        (0, false) => "Trades and messages were compared by their number alone.".to_owned(),
        (0, true) => "Trades and messages were compared by their number and their latest change.".to_owned(),
        (_, false) => "Trades were compared one by one by their _id, messages by their number.".to_owned(),
        (_, true) => {
            "Trades were compared one by one by their _id and change stamp, messages by their number and latest change."
                .to_owned()
        }
    }
}

/// What the check came to, in one sentence.
pub(super) fn sentence(held: usize, differing: &DaySet, unverified: &DaySet, fetched: &DaySet) -> String {
    if !unverified.is_empty() {
        let unchecked =
            format!("{} could not be checked against the server", counted(unverified.len(), "cached day"));
        return match differing.len() {
            0 => format!("{unchecked}."),
            many => format!("{unchecked}; of those that were, {many} differed."),
        };
    }
    let left = differing.difference(fetched).len();
    let checked = format!("Checked {} against the server", counted(held, "cached day"));
    match (held, differing.len(), left) {
        (0, _, _) => "No cached day to check.".to_owned(),
        (_, 0, _) => format!("{checked}: none differs."),
        (_, 1, 0) => format!("{checked}: 1 differed and was fetched again."),
        (_, many, 0) => format!("{checked}: {many} differed and were fetched again."),
        (_, many, left) => format!("{checked}: {many} differed, {left} of them could not be fetched again."),
    }
}
