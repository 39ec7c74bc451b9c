//! Pulling one window, in three steps that overlap.
//!
//! ```text
//! cursor of the input ─┐
//!                      ├─ batches ─► decode ─ columns ─► store ─► commit
//! cursors of the       │               │
//! downstream messages ─┘ ◄─ trade ids ─┘
//! ```
//! Both row channels are bounded, so memory depends on the batches in flight. The channel of trade ids is unbounded:
//! if it could be full while the decoder waits to send and the cursors wait for the decoder, everything would
//! deadlock. It holds no more than [`Trades`] does anyway, the ids of one window.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc as std_mpsc};
use std::time::Instant;

use bson::{Bson, RawBsonRef, RawDocument};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use mongodb::raw_batch_cursor::RawBatch;
use tokio::sync::{OnceCell, mpsc};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, instrument, warn};

use super::arrivals::{Arrival, Arrivals};
use super::split::{Load, halves, pieces, with_gaps};
use super::verify::counts_differ;
use crate::answer::left_out::{self, Counts, FoundOddDates};
use crate::answer::note::Note;
use crate::bson::change_stamp::ChangeStamp;
use crate::cache::{CacheFile, Carried, Committed, DayRows, SegmentWriter};
use crate::day::{Day, DayRange, DaySet};
use crate::decode::{Decoded, Decoder, DocumentHash, RowKey};
use crate::engine::begin_on_thread;
use crate::engine::counters::Counters;
use crate::engine::single_flight::Pulled;
use crate::failure::{Code, Failure, Result};
use crate::limits::Limits;
use crate::plan::ledger::{DayBounds, Policy};
use crate::query::id_batch::IdBatch;
use crate::query::pipeline;
use crate::query::placement::{Place, Placement};
use crate::query::source::Query;
use crate::query::trade::{TradeIds, Trades, trades_of};
use crate::rows::Role;
use crate::source::{
    Batch, Clock, PullOrder, Reading, RunMoment, Source, SourceOrigin, WindowMoment, unreadable_reply,
};

/// Raw batches that may wait for the decoder.
const BATCHES_WAITING: usize = 2;
/// Approximate number of links to further trades that are collected before they are sent to the store.
const CARRIED: usize = 4_096;
/// Decoded batches that may wait for the store.
const COLUMNS_WAITING: usize = 1;

/// Everything a pull needs.
#[derive(Clone)]
pub(crate) struct PullContext {
    pub(crate) source: Source,
    pub(crate) query: Arc<Query>,
    pub(crate) file: Arc<CacheFile>,
    pub(crate) window: DayRange,
    /// This machine's time.
    pub(crate) clock: Clock,
    /// The moment at which the run reads.
    pub(crate) run_moment: Arc<RunMoment>,
    /// The current attempt at the window.
    pub(crate) attempt: Attempt,
    /// The source's origin when the run last queried it.
    pub(crate) origin: Arc<Mutex<Option<SourceOrigin>>>,
    /// The file's next segment when the run began.
    pub(crate) first_of_run: u32,
    pub(crate) counters: Arc<Counters>,
    pub(crate) cancel: CancellationToken,
    /// Checks at the source if a window has fewer rows than expected.
    pub(crate) empty_window_checks: Arc<EmptyWindowChecks>,
    pub(crate) limits: Limits,
}

/// Maximum attempts at a window if the source changes while it is read. The last attempt is stored, with the changed
/// days marked.
const TRIES: u32 = 4;

/// Multiple of a window's row limit that may be read if the excess is messages of trades that were already read.
const MESSAGES_BEYOND: u64 = 4;

/// One attempt at a window.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    number: u32,
    moment: Arc<WindowMoment>,
    /// When it began: the source's time or, for a node that lags behind, the time of its last write.
    started: DateTime<Utc>,
    /// The counters before it.
    counted: [u64; 4],
    size: Arc<Size>,
}

/// Whether a window exceeds its row limit.
#[derive(Debug, Default)]
struct Size {
    /// No more input should be read. Messages of what has been read are still pulled.
    is_full: AtomicBool,
    /// Reading the input was cut short.
    is_cut: AtomicBool,
    /// The attempt is abandoned.
    is_too_large: AtomicBool,
}

impl Attempt {
    pub(crate) fn first(moment: &Arc<RunMoment>) -> Self {
        Self {
            number: 1,
            moment: Arc::new(WindowMoment::new(moment)),
            started: DateTime::UNIX_EPOCH,
            counted: [0; 4],
            size: Arc::default(),
        }
    }

    const fn is_last(&self) -> bool {
        self.number >= TRIES
    }
}

/// The result of an attempt at a window.
enum Tried {
    /// Committed, with the ranges in which to pull the days that are left.
    Committed(Box<Pulled>, Vec<DayRange>),
    /// The source changed during the read or was replaced.
    Changed,
    /// It has too many rows, and none of its days is complete. Contains the ranges in which to pull it.
    TooLarge(Vec<DayRange>),
}

/// What an attempt is ready to commit.
struct Ready {
    summary: Summary,
    notes: Vec<Note>,
    /// The days not included, as ranges.
    left: Vec<DayRange>,
}

/// Why nothing is committed although the attempt succeeded.
enum NotReady {
    Changed,
    TooLarge(Vec<DayRange>),
}

impl PullContext {
    /// Difference between the engine's clock and the clock that the source's time is compared with. Only tests set
    /// the latter.
    fn shift(&self) -> TimeDelta {
        (self.clock)() - self.source.local_now()
    }

    /// Begins an attempt.
    fn begin(&mut self) {
        let clock = self.source.clock().unwrap_or_default();
        self.attempt.started = (self.clock)() + clock.ahead - clock.lag;
        self.counters.go_back_to(self.attempt.counted);
    }

    /// A context for pulling a part of the window.
    fn part(&self, window: DayRange) -> Self {
        let counted = self.counters.reached();
        let attempt = Attempt { counted, ..Attempt::first(&self.run_moment) };
        Self { window, attempt, ..self.clone() }
    }

    /// The fetch time of the window: no node that was read had older data.
    fn fetched(&self) -> DateTime<Utc> {
        let started = self.attempt.started;
        // A small shift is just the time between reading the two clocks; ignoring it keeps the source's time exact.
        let shift = Some(self.shift()).filter(|shift| shift.abs() > TimeDelta::milliseconds(100));
        let as_of = self.attempt.moment.as_of().map(|at| at + shift.unwrap_or_default());
        as_of.map_or(started, |at| started.min(at))
    }
}

/// The note about days that changed each time they were read; `None` if there are none.
pub(crate) fn kept_changing(days: &DaySet) -> Option<Note> {
    days.days().next().map(|first| Note::KeptChanging { first, days: days.len() })
}

/// Checks at the source for windows with fewer rows than expected; each is made once per run.
#[derive(Debug)]
pub(crate) struct EmptyWindowChecks {
    /// The days of the run.
    range: DayRange,
    /// Documents whose dates have a different type; `None` if the check failed or took too long.
    odd_dates: OnceCell<Option<Arc<FoundOddDates>>>,
    /// Why there are no trades.
    nothing: OnceCell<Option<Note>>,
    /// Set once the collection of messages is known to exist.
    messages: OnceCell<()>,
}

impl EmptyWindowChecks {
    /// Creates the checks of a run over these days.
    pub(crate) fn of(range: DayRange) -> Self {
        Self { range, odd_dates: OnceCell::new(), nothing: OnceCell::new(), messages: OnceCell::new() }
    }
}

enum Incoming {
    Input(Batch),
    InputDone,
    /// Messages that one id query returned: the query for the trade ids at these positions among all ids of the
    /// window.
    Downstream(Batch, Range<usize>),
}

enum ToStore {
    Rows(Role, Decoded),
    Carried(Vec<Carried>),
    Commit(Box<Summary>),
}

/// What the decoder knows once everything has arrived.
#[derive(Debug, Default)]
struct Summary {
    days: BTreeMap<Day, DayRows>,
    extra_days: Vec<(Day, String)>,
    input_rows: u64,
    downstream_rows: u64,
    without_trade_id: u64,
    unreadable: HashSet<DocumentHash>,
    /// The source that all of it came from.
    origin: Option<SourceOrigin>,
    /// Settled days whose count at the source differs after the pull.
    changed: DaySet,
    /// Days for which only some rows were read.
    incomplete: DaySet,
}

impl Summary {
    /// Removes incomplete days and returns how many input rows they have.
    fn leave(&mut self, incomplete: &DaySet) -> u64 {
        let rows = |days: &BTreeMap<Day, DayRows>| days.values().map(|day| day.input_rows).sum::<u64>();
        let before = rows(&self.days);
        self.days.retain(|day, _| !incomplete.contains(*day));
        self.extra_days.retain(|(day, _)| !incomplete.contains(*day));
        self.incomplete = incomplete.clone();
        let dropped = before - rows(&self.days);
        self.input_rows -= dropped;
        dropped
    }
}

/// The result of storing a window.
enum Stored {
    /// The days that changed while they were read.
    Committed(Committed, DaySet),
    /// Nothing was stored: the window must be pulled again.
    Torn,
}

/// Pulls a window and commits it. If the window exceeds its row limit, the complete days are committed, and the
/// others are pulled in pieces, one after the other. A cancelled pull closes its cursors, keeps the committed pieces,
/// and ends only once its transaction has ended.
pub(crate) async fn pull_window(context: PullContext) -> Result<Pulled> {
    let mut pulled = Pulled::default();
    // A stack: the earliest piece is last.
    let mut left = vec![context.window];
    while let Some(window) = left.pop() {
        let (piece, rest) = pull_piece(context.part(window)).await?;
        pulled.extend(piece);
        left.extend(rest.into_iter().rev());
    }
    Ok(pulled)
}

/// Pulls some days of a window and commits them, retrying if the source changes meanwhile. If they exceed the row
/// limit, some or all of them are left over and returned as ranges.
#[instrument(
    level = "error", name = "window", skip_all, fields(from = %context.window.from(), to = %context.window.to())
)]
async fn pull_piece(mut context: PullContext) -> Result<(Pulled, Vec<DayRange>)> {
    loop {
        context.begin();
        let tried = try_window(context.clone()).await;
        let moment = &context.attempt.moment;
        let next = match tried {
            Ok(Tried::Committed(pulled, left)) => return Ok((*pulled, left)),
            Ok(Tried::TooLarge(left)) => {
                info!(pieces = left.len(), "too many rows: the window is pulled in pieces");
                context.counters.go_back_to(context.attempt.counted);
                return Ok((Pulled::default(), left));
            }
            Err(_) if context.attempt.size.is_too_large.load(Ordering::Relaxed) => {
                info!("too many rows: the window is pulled in halves");
                context.counters.go_back_to(context.attempt.counted);
                return Ok((Pulled::default(), halves(context.window)));
            }
            // If it read a snapshot, retry at a later time.
            Ok(Tried::Changed) => {
                info!(
                    attempt = context.attempt.number,
                    "the source changed meanwhile: the window is pulled again"
                );
                match moment.reading() {
                    Some(Reading::At(_)) => moment.after_loss(),
                    _ => WindowMoment::new(&context.run_moment),
                }
            }
            Err(failure) if moment.is_lost() && !context.cancel.is_cancelled() => {
                info!(attempt = context.attempt.number, "the moment is gone: {}", failure.for_log());
                moment.after_loss()
            }
            Err(failure) => {
                if failure.code != Code::Cancelled {
                    info!(code = %failure.code, "the window failed: {}", failure.for_log());
                }
                return Err(failure);
            }
        };
        context.attempt.moment = Arc::new(next);
        context.attempt.number += 1;
    }
}

async fn try_window(context: PullContext) -> Result<Tried> {
    let (raw_sender, raw_receiver) = mpsc::channel(BATCHES_WAITING);
    let (id_sender, id_receiver) = mpsc::unbounded_channel();
    let (store_sender, store_receiver) = std_mpsc::sync_channel(COLUMNS_WAITING);
    let begun = Instant::now();
    let decoding = {
        let (context, sender) = (context.clone(), store_sender.clone());
        begin_on_thread(move || decode(&context, raw_receiver, id_sender, &sender)).await?
    };
    let storing = {
        let context = context.clone();
        begin_on_thread(move || store(&context, &store_receiver)).await
    };
    let storing = match storing {
        Ok(storing) => storing,
        Err(failure) => {
            // The decoder has received nothing, and ends.
            drop(raw_sender);
            let _ = join(decoding).await;
            return Err(failure);
        }
    };
    let pulling = async {
        let input = pull_input(&context, raw_sender.clone());
        let downstream = pull_downstream(&context, id_receiver, raw_sender);
        tokio::select! {
            pulled = async { tokio::try_join!(input, downstream) } => pulled.map(|_| ()),
            () = context.cancel.cancelled() => Err(Failure::new(Code::Cancelled, "The fetch was cancelled.")),
        }
    };
    let (pulled, odd_dates) = tokio::join!(pulling, odd_dates(&context));
    // All other senders are dropped by now, so the decoder ends in any case.
    let decoded = join(decoding).await;
    let commit = async {
        let summary = match (pulled, decoded) {
            // If the decoder failed, it has stopped the cursors too: its failure is the cause.
            (_, Err(failure)) if failure.code != Code::Cancelled => return Err(failure),
            (pulled, decoded) => {
                pulled?;
                decoded?
            }
        };
        let mut summary = summary;
        info!(
            attempt = context.attempt.number,
            input_rows = summary.input_rows,
            downstream_rows = summary.downstream_rows,
            elapsed_ms = begun.elapsed().as_millis(),
            "window pulled"
        );
        let left = match leave_incomplete_days(&context, &mut summary).await {
            Ok(left) => left,
            Err(left) => return Ok(Err(NotReady::TooLarge(left))),
        };
        let notes = empty_window_notes(&context, &summary).await?;
        summary.changed = changed_meanwhile(&context, &summary).await;
        if !summary.changed.is_empty() && !context.attempt.is_last() {
            return Ok(Err(NotReady::Changed));
        }
        summary.origin = origin_meanwhile(&context).await?;
        let is_same = summary.origin.is_some();
        Ok(if is_same { Ok(Ready { summary, notes, left }) } else { Err(NotReady::Changed) })
    };
    let ready = tokio::select! {
        ready = commit => ready,
        () = context.cancel.cancelled() => Err(Failure::new(Code::Cancelled, "The fetch was cancelled.")),
    };
    let ready = match ready {
        Ok(Ok(ready)) => ready,
        other => {
            // Without a commit message, the store rolls everything back.
            drop(store_sender);
            let stored = join(storing).await;
            return match (stored, other) {
                // A full disk stops the decoder and the cursors too: the store's error is the cause.
                (Err(failure), _) | (_, Err(failure)) => Err(failure),
                (_, Ok(Err(NotReady::TooLarge(left)))) => Ok(Tried::TooLarge(left)),
                (_, Ok(_)) => Ok(Tried::Changed),
            };
        }
    };
    let Ready { mut summary, mut notes, left } = ready;
    let (without_trade_id, unreadable) = (summary.without_trade_id, std::mem::take(&mut summary.unreadable));
    let handing = begin_on_thread(move || {
        // It waits while the store still has columns to take. If the store has already failed, its own failure is reported.
        let _ = store_sender.send(ToStore::Commit(Box::new(summary)));
        Ok(())
    });
    let handed = match handing.await {
        Ok(handing) => join(handing).await,
        Err(failure) => Err(failure),
    };
    let stored = join(storing).await?;
    handed?;
    match stored {
        Some(Stored::Committed(committed, changed)) => {
            if !changed.is_empty() {
                warn!(days = changed.len(), "days stay unverified: they changed each time they were read");
            }
            notes.extend(kept_changing(&changed));
            let pulled = Pulled {
                adopted: DaySet::new(),
                stopped: None,
                committed,
                without_trade_id,
                unreadable,
                odd_dates,
                notes,
            };
            Ok(Tried::Committed(Box::new(pulled), left))
        }
        Some(Stored::Torn) => Ok(Tried::Changed),
        None => Err(Failure::new(Code::Cancelled, "The window was not stored.")),
    }
}

/// Removes the incomplete days from a summary whose input was cut short, and returns the ranges in which to pull
/// them.
///
/// A day is complete if it has as many documents as the source counts at the moment of the window's snapshot. All of
/// its messages are present, since those of every trade that was read were requested.
///
/// # Errors
/// The ranges for the whole window if none of its days is complete.
async fn leave_incomplete_days(
    context: &PullContext,
    summary: &mut Summary,
) -> std::result::Result<Vec<DayRange>, Vec<DayRange>> {
    if !context.attempt.size.is_cut.load(Ordering::Relaxed) {
        return Ok(Vec::new());
    }
    let (window, moment) = (context.window, &context.attempt.moment);
    let Ok(counts) = context.source.day_counts_at(&context.query, window, moment).await else {
        return Err(halves(window));
    };
    let is_complete = |day: &Day, rows: &DayRows| {
        !counts_differ(counts.get(day), rows.input_rows, &rows.left_out, rows.change_mark.as_deref())
    };
    let incomplete = summary.days.iter().filter(|(day, rows)| !is_complete(day, rows)).map(|(day, _)| *day);
    let incomplete = with_gaps(&incomplete.collect(), |day| !counts.contains_key(&day));
    let load = Load {
        counts: counts.iter().map(|(day, count)| (*day, count.rows)).collect(),
        input_rows: summary.input_rows,
        rows: summary.input_rows + summary.downstream_rows,
        most: u64::from(context.limits.most_window_rows.get()),
    };
    let left = pieces(&incomplete, &load);
    if incomplete.len() == window.len() {
        return Err(if left == [window] { halves(window) } else { left });
    }
    let dropped = summary.leave(&incomplete);
    context.counters.take_back_input(dropped);
    Ok(left)
}

/// The settled days of a window whose count at the source now differs from what arrived. Snapshots need no such
/// check, and open days may change at any time.
async fn changed_meanwhile(context: &PullContext, summary: &Summary) -> DaySet {
    if matches!(context.attempt.moment.reading(), Some(Reading::At(_))) {
        return DaySet::new();
    }
    let (policy, fetched) = (Policy::of(&context.query.mapping), context.fetched());
    if !context.window.days().any(|day| policy.is_past_settling(day, fetched)) {
        return DaySet::new();
    }
    // Everything requested has arrived; if the count fails, no day is known to differ.
    let Ok(counts) = context.source.day_counts(&context.query, context.window).await else {
        return DaySet::new();
    };
    let differs = |day: &Day| {
        policy.is_past_settling(*day, fetched)
            && summary.days.get(day).is_some_and(|rows| {
                counts_differ(counts.get(day), rows.input_rows, &rows.left_out, rows.change_mark.as_deref())
            })
    };
    context.window.days().filter(differs).collect()
}

/// The source's origin after the pull; `None` if it differs from the one before.
///
/// # Errors
/// Those of the query, and `source_unreachable` if it still differs on the last attempt.
async fn origin_meanwhile(context: &PullContext) -> Result<Option<SourceOrigin>> {
    let (origin, _) = context.source.origin(&context.query.mapping).await?;
    let is_other = {
        let mut known = context.origin.lock().unwrap_or_else(PoisonError::into_inner);
        let is_other = known.as_ref().is_some_and(|known| origin.is_other_than(known));
        *known = Some(origin.clone());
        is_other
    };
    if is_other && context.attempt.is_last() {
        let what = "The source was a different one each time it was read.";
        return Err(Failure::new(Code::SourceUnreachable, what)
            .advise("Make sure that the address always leads to the same cluster, then fetch again."));
    }
    Ok((!is_other).then_some(origin))
}

/// Notes about a window that has fewer rows than expected.
///
/// # Errors
/// `bad_mapping` if a name in the mapping is the reason.
async fn empty_window_notes(context: &PullContext, summary: &Summary) -> Result<Vec<Note>> {
    let mapping = &context.query.mapping;
    if summary.input_rows == 0 {
        let ask = || async {
            let found = context.source.explain_nothing(&context.query).await?;
            if found.is_some() {
                return Ok::<_, Failure>(found);
            }
            let from = context.empty_window_checks.range.from();
            let newest = context.source.newest_day(mapping).await;
            Ok(newest.filter(|day| *day < from).map(|day| Note::NewestTrade { day }))
        };
        return Ok(context.empty_window_checks.nothing.get_or_try_init(ask).await?.iter().cloned().collect());
    }
    if let Some(messages) = mapping.downstream_collection.as_deref().filter(|_| summary.downstream_rows == 0)
    {
        let ask = || async move { context.source.expect_collections(&[messages]).await };
        match context.empty_window_checks.messages.get_or_try_init(ask).await {
            Err(failure) if failure.code == Code::BadMapping => return Err(failure),
            // Everything requested has arrived; do not fail because the check itself failed.
            _ => {}
        }
    }
    let is_stamped = || summary.days.values().any(|day| day.change_mark.is_some());
    let without = mapping.changed_at.as_deref().filter(|_| !is_stamped());
    Ok(without.map(|path| Note::NoChangeStamp { path: path.to_owned() }).into_iter().collect())
}

/// Finds documents whose dates have a different type; runs while rows arrive.
async fn odd_dates(context: &PullContext) -> Option<Arc<FoundOddDates>> {
    let EmptyWindowChecks { range, odd_dates, .. } = &*context.empty_window_checks;
    let ask = || async { context.source.odd_dates(&context.query, *range).await.map(Arc::new) };
    tokio::select! {
        found = odd_dates.get_or_init(ask) => found.clone(),
        () = context.cancel.cancelled() => None,
    }
}

async fn join<T>(task: tokio::task::JoinHandle<Result<T>>) -> Result<T> {
    task.await.unwrap_or_else(|error| {
        Err(Failure::new(Code::Internal, "Storing the rows failed unexpectedly.").because(error))
    })
}

/// The failure of a step that cannot go on: the step at the other end of its channel has failed, or the window is too
/// large. It is not shown: the reason is known there.
fn ended_by_another_step() -> Failure {
    Failure::new(Code::Cancelled, "The window was cancelled.")
}

async fn pull_input(context: &PullContext, sender: mpsc::Sender<Incoming>) -> Result<()> {
    let order = PullOrder {
        collection: None,
        pipeline: pipeline::input_pipeline(&context.query, &context.window),
        batch_documents: context.limits.batch_documents,
        time_limit: pipeline::PULL_LIMIT,
    };
    let mut cursor = context.source.pull(order, &context.attempt.moment).await?;
    let size = &context.attempt.size;
    while let Some(batch) = cursor.next().await? {
        sender.send(Incoming::Input(batch)).await.map_err(|_| ended_by_another_step())?;
        if size.is_full.load(Ordering::Relaxed) {
            size.is_cut.store(true, Ordering::Relaxed);
            break;
        }
    }
    sender.send(Incoming::InputDone).await.map_err(|_| ended_by_another_step())
}

async fn pull_downstream(
    context: &PullContext,
    mut ids: mpsc::UnboundedReceiver<Vec<Bson>>,
    sender: mpsc::Sender<Incoming>,
) -> Result<()> {
    let at_once = context.limits.queries_at_once.get() as usize;
    let mut asked = FuturesUnordered::new();
    let mut more = true;
    let mut requested = 0;
    loop {
        tokio::select! {
            next = ids.recv(), if more && asked.len() < at_once => match next {
                Some(ids) => {
                    let places = requested..requested + ids.len();
                    requested = places.end;
                    asked.push(ask_downstream(context, ids, places, sender.clone()));
                }
                None => more = false,
            },
            Some(done) = asked.next() => done?,
            else => return Ok(()),
        }
    }
}

async fn ask_downstream(
    context: &PullContext,
    ids: Vec<Bson>,
    places: Range<usize>,
    sender: mpsc::Sender<Incoming>,
) -> Result<()> {
    let count = ids.len();
    Counters::add(&context.counters.trades_asked, count);
    debug!(trades = count, "messages requested");
    let matches = pipeline::downstream_match(&context.query.mapping, ids);
    let order = PullOrder {
        collection: context.query.mapping.downstream_collection.clone(),
        pipeline: vec![bson::doc! {"$match": matches}],
        batch_documents: context.limits.batch_documents,
        time_limit: pipeline::PULL_LIMIT,
    };
    let mut cursor = context.source.pull(order, &context.attempt.moment).await?;
    while let Some(batch) = cursor.next().await? {
        let incoming = Incoming::Downstream(batch, places.clone());
        sender.send(incoming).await.map_err(|_| ended_by_another_step())?;
    }
    Counters::add(&context.counters.trades_done, count);
    Ok(())
}

fn store(context: &PullContext, orders: &std_mpsc::Receiver<ToStore>) -> Result<Option<Stored>> {
    let writer = SegmentWriter::begin(Arc::clone(&context.file))?;
    let mut writer = writer.of_run_from(context.first_of_run).with_limits(&context.limits);
    while let Ok(order) = orders.recv() {
        match order {
            ToStore::Rows(role, decoded) => writer.append(role, decoded)?,
            ToStore::Carried(carried) => writer.carry(&carried)?,
            ToStore::Commit(summary) => return commit(context, writer, *summary).map(Some),
        }
    }
    Ok(None)
}

/// Commits a window, unless a document occurs twice or in two states, which means that it changed while it was read.
fn commit(context: &PullContext, mut writer: SegmentWriter, mut summary: Summary) -> Result<Stored> {
    let mut changed = summary.changed;
    if let Some(origin) = summary.origin.as_ref().filter(|origin| origin.unique_input) {
        let (policy, fetched) = (Policy::of(&context.query.mapping), context.fetched());
        let mut torn = writer.days_with_repeated_input()?;
        let is_snapshot = matches!(context.attempt.moment.reading(), Some(Reading::At(_)));
        // An `_id` has no meaning across two collections.
        let is_one = context.query.mapping.downstream_collection.is_none() && origin.unique_downstream;
        if is_one && !is_snapshot {
            torn.extend(writer.days_with_two_states()?);
        }
        let is_kept =
            |day: &Day| policy.is_past_settling(*day, fetched) && !summary.incomplete.contains(*day);
        let settled: DaySet = torn.into_iter().filter(is_kept).collect();
        if !settled.is_empty() && !context.attempt.is_last() {
            return Ok(Stored::Torn);
        }
        changed = changed.union(&settled);
    }
    for day in changed.days() {
        if let Some(rows) = summary.days.get_mut(&day) {
            rows.differs = true;
        }
    }
    let writer = writer.of_origin(summary.origin).without(summary.incomplete);
    Ok(Stored::Committed(writer.commit(summary.days, &summary.extra_days)?, changed))
}

fn decode(
    context: &PullContext,
    mut batches: mpsc::Receiver<Incoming>,
    ids: mpsc::UnboundedSender<Vec<Bson>>,
    store: &std_mpsc::SyncSender<ToStore>,
) -> Result<Summary> {
    let mut window = WindowDecoder::new(context, ids, store);
    while let Some(incoming) = batches.blocking_recv() {
        match incoming {
            Incoming::Input(batch) => window.input(&batch)?,
            Incoming::InputDone => window.input_done(),
            Incoming::Downstream(batch, asked) => window.downstream(&batch, &asked)?,
        }
    }
    window.finish()
}

/// The decoding step of a window.
struct WindowDecoder<'a> {
    context: &'a PullContext,
    placement: Placement,
    trades: Trades,
    input: Decoder,
    downstream: Decoder,
    rows: HashMap<Day, u64>,
    marks: HashMap<Day, ChangeStamp>,
    left_out: HashMap<Day, Counts>,
    new_ids: Vec<Bson>,
    /// The ids for the next query.
    asking: IdBatch,
    arrivals: Arrivals,
    /// Links of messages to trades other than their first, not yet sent to the store.
    carried: Vec<Carried>,
    /// `None` once all trades have been requested.
    ids: Option<mpsc::UnboundedSender<Vec<Bson>>>,
    store: &'a std_mpsc::SyncSender<ToStore>,
    summary: Summary,
    /// The days that messages are linked to, besides the ones that they are stored under.
    linked: HashSet<Day>,
}

impl<'a> WindowDecoder<'a> {
    fn new(
        context: &'a PullContext,
        ids: mpsc::UnboundedSender<Vec<Bson>>,
        store: &'a std_mpsc::SyncSender<ToStore>,
    ) -> Self {
        let registry = context.file.registry();
        let mapping = &context.query.mapping;
        let decoder = |trades| Decoder::new(Arc::clone(registry), trades).with_limits(&context.limits);
        Self {
            context,
            placement: Placement::new(mapping),
            trades: Trades::default(),
            input: decoder(false),
            downstream: decoder(true),
            rows: HashMap::new(),
            marks: HashMap::new(),
            left_out: HashMap::new(),
            new_ids: Vec::new(),
            asking: IdBatch::new(&context.limits),
            arrivals: Arrivals::default(),
            carried: Vec::new(),
            ids: mapping.trade_id.is_some().then_some(ids),
            store,
            summary: Summary::default(),
            linked: HashSet::new(),
        }
    }

    fn input(&mut self, batch: &Batch) -> Result<()> {
        let mapping = &self.context.query.mapping;
        let mut count = 0;
        for value in documents(&batch.raw)? {
            let RawBsonRef::Document(document) = value.map_err(unreadable_reply)? else { continue };
            let Some(day) = self.place(document) else { continue };
            *self.rows.entry(day).or_default() += 1;
            if let Some(path) = &mapping.trade_id {
                match self.trades.note(path, day, document, &mut self.new_ids) {
                    TradeIds::Plain => {}
                    TradeIds::None => self.summary.without_trade_id += 1,
                    TradeIds::Odd => self.leave_out(day, left_out::TRADE_ID),
                }
            }
            if let Some(path) = &mapping.changed_at
                && let Some(mark) = ChangeStamp::at(document, path)
            {
                match self.marks.get_mut(&day) {
                    Some(greatest) if *greatest >= mark => {}
                    Some(greatest) => *greatest = mark,
                    None => drop(self.marks.insert(day, mark)),
                }
            }
            self.input.push(RowKey { day, trade: None, read: batch.read }, document);
            count += 1;
        }
        Counters::add(&self.context.counters.input_rows, count);
        self.summary.input_rows += count as u64;
        self.check_size()?;
        for id in std::mem::take(&mut self.new_ids) {
            let full = self.asking.push(id);
            full.into_iter().for_each(|ids| self.ask(ids));
        }
        if self.asking.has_most_ids() {
            let ids = self.asking.take();
            self.ask(ids);
        }
        self.flush(Role::Input, false)
    }

    /// The day of the window that a document belongs to. A document that belongs to none is counted as left out if
    /// necessary.
    fn place(&mut self, document: &RawDocument) -> Option<Day> {
        let window = self.context.window;
        match self.placement.place(document) {
            Place::Day(day) if window.contains(day) => return Some(day),
            Place::LeftOut(left_out) => {
                for day in window.days().filter(|day| left_out.touches(*day)) {
                    self.leave_out(day, left_out::reason(&left_out, day));
                }
            }
            // A match by day of year and timestamp returns documents of other days as well.
            Place::Day(_) | Place::Nowhere if self.context.query.mapping.dates().has_neighbours() => {}
            Place::Day(_) | Place::Nowhere => self.leave_out(window.from(), left_out::NO_DAY),
        }
        None
    }

    fn leave_out(&mut self, day: Day, reason: &str) {
        *self.left_out.entry(day).or_default().entry(reason.to_owned()).or_default() += 1;
    }

    fn input_done(&mut self) {
        let ids = self.asking.take();
        self.ask(ids);
        self.ids = None;
    }

    /// Requests the messages of new trades.
    fn ask(&self, ids: Vec<Bson>) {
        if let Some(sender) = self.ids.as_ref().filter(|_| !ids.is_empty()) {
            // If the receiver is gone, it has failed and reports that itself.
            let _ = sender.send(ids);
        }
    }

    /// Decodes a batch of messages. A message with trades of several id queries arrives with each of them but is
    /// stored once.
    fn downstream(&mut self, batch: &Batch, asked: &Range<usize>) -> Result<()> {
        let Some(path) = self.context.query.mapping.trade_path(Role::Downstream) else { return Ok(()) };
        let read = batch.read;
        let mut count = 0;
        for value in documents(&batch.raw)? {
            let RawBsonRef::Document(document) = value.map_err(unreadable_reply)? else { continue };
            let mut trades = self.trades.of_message(path, document, asked).into_iter();
            let Some((trade, day)) = trades.next() else {
                // A collection whose collation ignores case treats different ids as equal.
                self.leave_out(self.context.window.from(), left_out::OTHER_TRADE);
                continue;
            };
            let arrival =
                (trades_of(path, document).len() > 1).then(|| self.arrivals.arrive(document, asked));
            let (number, stored) = match arrival {
                Some(Arrival::Again(number, stored)) => {
                    self.carried.push(Carried { number, stored, trade, day });
                    (number, stored)
                }
                _ => {
                    let number = self.downstream.push(RowKey { day, trade: Some(&trade), read }, document);
                    if let Some(Arrival::First(key)) = arrival {
                        self.arrivals.stored(key, number, day);
                    }
                    self.summary.downstream_rows += 1;
                    (number, day)
                }
            };
            self.carried.extend(trades.map(|(trade, day)| Carried { number, stored, trade, day }));
            // Per message, because a message may carry any number of trades.
            self.flush(Role::Downstream, false)?;
            if self.carried.len() >= CARRIED {
                self.send_carried()?;
            }
            count += 1;
        }
        Counters::add(&self.context.counters.downstream_rows, count);
        self.check_size()
    }

    /// Stops reading input once a window of several days exceeds its row limit. Abandons the window if its messages
    /// exceed a multiple of the limit, or if the complete days cannot be identified.
    fn check_size(&self) -> Result<()> {
        let rows = self.summary.input_rows + self.summary.downstream_rows;
        let most = u64::from(self.context.limits.most_window_rows.get());
        if rows <= most || self.context.window.len() == 1 {
            return Ok(());
        }
        let Attempt { size, moment, .. } = &self.context.attempt;
        // Only in a snapshot does a count reflect what was there when the documents were read.
        let may_be_cut = matches!(moment.reading(), Some(Reading::At(_)));
        if may_be_cut && rows <= most.saturating_mul(MESSAGES_BEYOND) {
            size.is_full.store(true, Ordering::Relaxed);
            return Ok(());
        }
        size.is_too_large.store(true, Ordering::Relaxed);
        Err(ended_by_another_step())
    }

    fn send_carried(&mut self) -> Result<()> {
        let carried = std::mem::take(&mut self.carried);
        self.linked.extend(carried.iter().map(|carried| carried.day));
        self.store.send(ToStore::Carried(carried)).map_err(|_| ended_by_another_step())
    }

    fn flush(&mut self, role: Role, all: bool) -> Result<()> {
        let decoder = match role {
            Role::Input => &mut self.input,
            Role::Downstream => &mut self.downstream,
        };
        if !all && !decoder.is_full() {
            return Ok(());
        }
        if let Some(decoded) = decoder.finish_batch() {
            self.summary.unreadable.extend(decoded.unreadable.iter().copied());
            self.store.send(ToStore::Rows(role, decoded)).map_err(|_| ended_by_another_step())?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Summary> {
        self.send_carried()?;
        self.flush(Role::Input, true)?;
        self.flush(Role::Downstream, true)?;
        let mut input_fields = self.input.take_presence();
        let mut downstream_fields = self.downstream.take_presence();
        let extra_days = self.trades.into_extra_days();
        self.linked.extend(extra_days.iter().map(|(day, _)| *day));
        // Only the store knows which messages are linked to a day, so assume that they have every field of any
        // message in the window.
        let mut any = crate::decode::FieldSet::default();
        downstream_fields.values().for_each(|fields| any.extend(fields));
        for day in &self.linked {
            downstream_fields.insert(*day, any.clone());
        }
        let zone = &self.context.query.mapping.day_zone;
        for day in self.context.window.days() {
            self.summary.days.insert(
                day,
                DayRows {
                    fetched: self.context.fetched(),
                    input_rows: self.rows.get(&day).copied().unwrap_or(0),
                    input_fields: input_fields.remove(&day).unwrap_or_default(),
                    downstream_fields: downstream_fields.remove(&day).unwrap_or_default(),
                    change_mark: self.marks.get(&day).and_then(ChangeStamp::to_text),
                    differs: false,
                    bounds: Some(DayBounds::of(zone, day)),
                    left_out: self.left_out.remove(&day).unwrap_or_default(),
                },
            );
        }
        self.summary.extra_days = extra_days;
        Ok(self.summary)
    }
}

fn documents(batch: &RawBatch) -> Result<impl Iterator<Item = bson::error::Result<RawBsonRef<'_>>>> {
    Ok(batch.doc_slices()?.into_iter())
}
