//! Verifying cached days: counts from the source are compared with the ledger and the cached documents.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use futures_util::stream::{self, BoxStream, StreamExt as _};

use crate::answer::left_out::{self, Counts};
use crate::bson::change_stamp::{ChangeStamp, DayCount};
use crate::bson::hashed_key::HashSums;
use crate::cache::read::hashes::hash_sums;
use crate::cache::read::verify_batches::{Question, questions};
use crate::cache::{CacheFile, CheckedDay, HeldDay};
use crate::day::{Day, DayRange, DaySet};
use crate::engine::off_thread;
use crate::failure::{Failure, Result};
use crate::limits::Limits;
use crate::plan::ledger::Ledger;
use crate::query::collation::Collation;
use crate::query::mapping::Mapping;
use crate::query::source::Query;
use crate::source::Source;

/// Message queries in progress at once.
const AT_ONCE: usize = 3;
/// Groups of trades per query: the server compares each message with each group.
const GROUPS_PER_QUERY: usize = 50;

/// The cached days that can be compared.
type Held<'a> = BTreeMap<Day, &'a HeldDay>;

/// The result of a check.
#[derive(Debug, Default)]
pub(super) struct Checked {
    /// Cached days that differ at the source.
    pub(super) differing: DaySet,
    /// Cached days whose check was not completed.
    pub(super) unverified: DaySet,
    /// Why it was not completed.
    pub(super) failure: Option<Failure>,
    /// Number of days with trades whose change stamps are mapped but cannot be compared.
    pub(super) unstamped: usize,
    /// Number of days with trades whose hashes were compared.
    pub(super) hashed: usize,
}

/// Checks the cached days of a range and records in the file which of them differ: even if the pull that follows
/// fails, no later answer may call them complete.
///
/// # Errors
/// Those of the file. The source's results and failures are in [`Checked`].
pub(super) async fn check(
    source: &Source,
    query: &Query,
    range: DayRange,
    ledger: &Ledger,
    held: &Held<'_>,
    file: Option<Arc<CacheFile>>,
    limits: &Limits,
) -> Result<Checked> {
    let checked = ask(source, query, range, ledger, held, file.clone(), limits).await;
    let Some(file) = file else { return Ok(checked) };
    let found: BTreeMap<Day, CheckedDay> = held
        .iter()
        .filter(|(day, _)| range.contains(**day) && !checked.unverified.contains(**day))
        .map(|(day, held)| {
            let differed = ledger.get(day).is_some_and(|held| held.differs);
            let differs = checked.differing.contains(*day);
            (*day, CheckedDay { segment: held.segment, differed, differs })
        })
        .collect();
    off_thread(move || Ok(file.record_check(&found)?)).await?;
    Ok(checked)
}

/// Compares the trades of all days with a single query, then the messages of the days whose trades do not differ.
async fn ask(
    source: &Source,
    query: &Query,
    range: DayRange,
    ledger: &Ledger,
    held: &Held<'_>,
    file: Option<Arc<CacheFile>>,
    limits: &Limits,
) -> Checked {
    let days: DaySet = ledger.range(range.from()..=range.to()).map(|(day, _)| *day).collect();
    let Some(file) = file.filter(|_| !days.is_empty()) else { return Checked::default() };
    let is_collated = matches!(file.collation(), Collation::Own(_));
    let mut checked = Checked::default();
    match differing(source, query, range, ledger, held, is_collated).await {
        Ok(compared) => {
            checked.unstamped = compared.unstamped;
            checked.differing = compared.differing;
            match hashes_differ(&file, &query.mapping, &checked.differing, compared.hashes).await {
                Ok((hashed, differ)) => {
                    checked.hashed = hashed;
                    checked.differing = checked.differing.union(&differ);
                }
                Err(failure) => return Checked { unverified: days, failure: Some(failure), ..checked },
            }
        }
        Err(failure) => return Checked { unverified: days, failure: Some(failure), ..checked },
    }
    let alike = days.difference(&checked.differing);
    let compared = compare_messages(source, &query.mapping, is_collated, file, &alike, limits).await;
    checked.differing = checked.differing.union(&compared.differing);
    checked.unverified = alike.difference(&compared.done);
    checked.failure = compared.failure;
    checked
}

/// The result of comparing the messages of some days.
struct Messages {
    /// Days whose comparison was completed.
    done: DaySet,
    /// Those of them whose messages differ.
    differing: DaySet,
    /// Why others were not compared.
    failure: Option<Failure>,
}

/// Compares the messages of each cached day with what the source counts for its trades.
async fn compare_messages(
    source: &Source,
    mapping: &Mapping,
    is_collated: bool,
    file: Arc<CacheFile>,
    days: &DaySet,
    limits: &Limits,
) -> Messages {
    let (known, limits) = (mapping.clone(), *limits);
    let read = move |day| {
        let (file, mapping) = (Arc::clone(&file), known.clone());
        off_thread(move || Ok((day, questions(&file, &mapping, day, &limits)?)))
    };
    let days: Vec<Day> = days.days().collect();
    let read = stream::iter(days).map(read).buffered(AT_ONCE).boxed();
    let reading = Reading { limits, read, waiting: VecDeque::new() };
    let batches = stream::unfold(reading, |mut reading| async {
        let batch = reading.next().await?;
        Some((batch, reading))
    });
    let ask = |batch: Result<Batch>| async {
        let mut batch = batch?;
        let groups = batch.asked.iter_mut().map(|(_, question)| std::mem::take(&mut question.ids)).collect();
        let theirs = source.downstream_counts(mapping, groups).await?;
        Ok((batch, theirs))
    };
    let asking = batches.map(ask).buffer_unordered(AT_ONCE);
    tokio::pin!(asking);
    let mark = |count: &DayCount| count.change_mark.as_ref().and_then(|mark| mark_text(mark, is_collated));
    // Unanswered groups per day. Temporarily negative if an answer overtakes the batch that announces the day's
    // groups.
    let mut left: BTreeMap<Day, i64> = BTreeMap::new();
    let (mut differing, mut failure) = (BTreeSet::new(), None);
    while let Some(answer) = asking.next().await {
        let (batch, theirs): (Batch, Vec<DayCount>) = match answer {
            Ok(answer) => answer,
            Err(found) => {
                failure = Some(found);
                break;
            }
        };
        for (day, questions) in batch.begun {
            *left.entry(day).or_default() += questions;
        }
        for day in batch.gone {
            left.entry(day).or_default();
            differing.insert(day);
        }
        for ((day, question), theirs) in batch.asked.iter().zip(theirs) {
            *left.entry(*day).or_default() -= 1;
            if theirs.rows != question.held.rows || mark(&theirs) != mark(&question.held) {
                differing.insert(*day);
            }
        }
    }
    let answered: DaySet = left.into_iter().filter(|(_, left)| *left == 0).map(|(day, _)| day).collect();
    let differing: DaySet = differing.into_iter().collect();
    // A single difference settles a day, whatever its other groups would have shown.
    Messages { done: answered.union(&differing), differing, failure }
}

/// Groups of several days that are sent in one query.
#[derive(Default)]
struct Batch {
    /// Days that were read for it, and how many groups each has in total.
    begun: Vec<(Day, i64)>,
    /// Days that are no longer cached: the ledger was out of date.
    gone: Vec<Day>,
    asked: Vec<(Day, Question)>,
    ids: usize,
    bytes: usize,
}

impl Batch {
    fn has_room_for(&self, question: &Question, limits: &Limits) -> bool {
        let number = |limit: std::num::NonZeroU32| usize::try_from(limit.get()).unwrap_or(usize::MAX);
        self.asked.is_empty()
            || (self.asked.len() < GROUPS_PER_QUERY
                && self.ids + question.ids.len() <= number(limits.ids_per_query)
                && self.bytes + question.bytes() <= number(limits.bytes_per_query))
    }
}

/// The groups of cached days, batch by batch.
struct Reading {
    limits: Limits,
    /// The groups of each day, as they are read.
    read: BoxStream<'static, Result<(Day, Option<Vec<Question>>)>>,
    /// Groups still to be sent.
    waiting: VecDeque<(Day, Question)>,
}

impl Reading {
    async fn next(&mut self) -> Option<Result<Batch>> {
        let mut batch = Batch::default();
        loop {
            while let Some((day, question)) = self.waiting.pop_front() {
                if !batch.has_room_for(&question, &self.limits) {
                    self.waiting.push_front((day, question));
                    return Some(Ok(batch));
                }
                batch.ids += question.ids.len();
                batch.bytes += question.bytes();
                batch.asked.push((day, question));
            }
            let Some(read) = self.read.next().await else {
                let is_empty = batch.begun.is_empty() && batch.gone.is_empty() && batch.asked.is_empty();
                return (!is_empty).then_some(Ok(batch));
            };
            match read {
                Err(failure) => return Some(Err(failure)),
                Ok((day, None)) => batch.gone.push(day),
                Ok((day, Some(questions))) => {
                    batch.begun.push((day, i64::try_from(questions.len()).unwrap_or(i64::MAX)));
                    self.waiting.extend(questions.into_iter().map(|question| (day, question)));
                }
            }
        }
    }
}

/// A change stamp as the ledger stores it, if it can be compared.
fn mark_text(mark: &ChangeStamp, is_collated: bool) -> Option<String> {
    mark.to_text().filter(|text| is_comparable(text, is_collated))
}

/// The greatest text by a collation's rules may differ from the greatest byte by byte.
fn is_comparable(mark: &str, is_collated: bool) -> bool {
    !is_collated || !ChangeStamp::is_text(mark)
}

/// The result of comparing the counts of a range's cached days.
struct Compared {
    /// Days whose trade count or change mark differs at the source.
    differing: DaySet,
    /// How many of the others have no comparable change mark although one is mapped.
    unstamped: usize,
    /// The hash sums at the source.
    hashes: BTreeMap<Day, HashSums>,
}

/// Compares the remaining days by the hashes of their trades; returns how many could be compared and which differ. A
/// deletion together with an insertion below the greatest stamp changes neither count nor mark.
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

/// Compares the cached days of a range with what the source counts.
async fn differing(
    source: &Source,
    query: &Query,
    range: DayRange,
    ledger: &Ledger,
    held: &Held<'_>,
    is_collated: bool,
) -> Result<Compared> {
    let counts = source.day_counts_and_hashes(query, range).await?;
    let is_stamped = query.mapping.changed_at.is_some();
    let mut differing = Vec::new();
    let mut unstamped = 0;
    for (day, coverage) in ledger.range(range.from()..=range.to()) {
        let theirs = counts.get(day).cloned().unwrap_or_default();
        let mark = theirs.change_mark.as_ref().and_then(|mark| mark_text(mark, is_collated));
        let is_known = |mark: &&str| is_comparable(mark, is_collated);
        let other_mark = || {
            held.get(day).is_none_or(|ours| ours.change_mark.as_deref().filter(is_known) != mark.as_deref())
        };
        let left_out = held.get(day).map_or(0, |ours| left_out::not_held(&ours.left_out));
        if (theirs.rows, theirs.left_out) != (coverage.input_rows, left_out) || (is_stamped && other_mark()) {
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

/// Whether the source counts a different number of documents for a day than are cached and left out, or has a
/// different latest change. Texts are not compared, since some collections have their own text order.
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
