//! Verifying held days: the source counts, the ledger and the documents answer for the cache.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use futures_util::stream::{self, BoxStream, StreamExt as _};

use super::engine::off_thread;
use crate::answer::left_out::{self, Counts};
use crate::bson::change_stamp::ChangeStamp;
use crate::bson::change_stamp::DayCount;
use crate::bson::hashed_key::HashSums;
use crate::cache::hashes::hash_sums;
use crate::cache::questions::{Question, questions};
use crate::cache::{CacheFile, CheckedDay};
use crate::day::{Day, DayRange, DaySet};
use crate::failure::{Failure, Result};
use crate::limits::Limits;
use crate::plan::ledger::Ledger;
use crate::query::collation::Collation;
use crate::query::mapping::Mapping;
use crate::query::source::Query;
use crate::source::Source;
use crate::words::counted;

/// Questions for messages under way at once.
const AT_ONCE: usize = 3;
/// Groups of trades in one of them: the server compares each message with each group.
const GROUPS_A_QUESTION: usize = 50;

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
    let compared = compare_messages(source, &query.mapping, is_collated, file, &alike, limits).await;
    checked.differing = checked.differing.union(&compared.differing);
    checked.unverified = alike.difference(&compared.done);
    checked.failure = compared.failure;
    checked
}

/// What the comparison of the messages of some days came to.
struct Messages {
    /// Days that were compared to the end.
    done: DaySet,
    /// Those of them whose messages differ.
    differing: DaySet,
    /// Why others were not.
    failure: Option<Failure>,
}

/// Compares the messages of each held day with what the source counts for its trades.
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
    // What is still to be answered of each day. An answer may come before that to an earlier question.
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
    // One difference is enough, whatever the other questions of the day would have come to.
    Messages { done: answered.union(&differing), differing, failure }
}

/// Questions of several days that are asked at once.
#[derive(Default)]
struct Batch {
    /// Days that were read for it, and how many questions each has in all.
    begun: Vec<(Day, i64)>,
    /// Days that are not held any more: they are not what the ledger says.
    gone: Vec<Day>,
    asked: Vec<(Day, Question)>,
    ids: usize,
    bytes: usize,
}

impl Batch {
    fn has_room_for(&self, question: &Question, limits: &Limits) -> bool {
        let number = |limit: std::num::NonZeroU32| usize::try_from(limit.get()).unwrap_or(usize::MAX);
        self.asked.is_empty()
            || (self.asked.len() < GROUPS_A_QUESTION
                && self.ids + question.ids.len() <= number(limits.ids_a_question)
                && self.bytes + question.bytes() <= number(limits.bytes_a_question))
    }
}

/// The questions of held days, batch by batch.
struct Reading {
    limits: Limits,
    /// The questions of each day, as they are read.
    read: BoxStream<'static, Result<(Day, Option<Vec<Question>>)>>,
    /// Questions that are still to be asked.
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
        (0, false) => "Trades and messages were compared by count only.".to_owned(),
        (0, true) => "Trades and messages were compared by count and latest change.".to_owned(),
        (_, false) => "Trades were compared one by one by their _id, messages by count.".to_owned(),
        (_, true) => {
            "Trades were compared one by one by their _id and change stamp, messages by count and latest change."
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
