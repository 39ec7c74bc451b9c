//! Pulling one window: three steps that overlap.
//!
//! ```text
//! cursor of the input ─┐
//!                      ├─ batches ─► decode ─ columns ─► store ─► commit
//! cursors of the       │               │
//! downstream messages ─┘ ◄─ trade ids ─┘
//! ```
//! Both channels of rows are bounded, so memory depends on the batches in flight. The channel of trade
//! ids is not: were it full while the decoder waits to send and the cursors wait for the decoder,
//! nothing would move. It holds what [`Trades`] holds anyway, the ids of one window.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc as std_mpsc;
use std::sync::{Arc, Mutex, PoisonError};

use bson::{Bson, RawBsonRef, RawDocument};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use mongodb::raw_batch_cursor::RawBatch;
use tokio::sync::{OnceCell, mpsc};
use tokio_util::sync::CancellationToken;

use super::arrivals::{Arrival, Arrivals};
use super::progress::Counters;
use super::split::{Load, halves, pieces, with_gaps};
use super::verify::counts_differ;
use crate::answer::left_out::{self, Counts, FoundOddDates};
use crate::bson::change_stamp::ChangeStamp;
use crate::cache::{CacheFile, Carried, Committed, DayRows, Origin, SegmentWriter};
use crate::day::{Day, DayRange, DaySet};
use crate::decode::{Decoded, Decoder, DocumentHash, RowKey};
use crate::failure::{Code, Failure, Result};
use crate::limits::Limits;
use crate::plan::ledger::{DayBounds, Policy};
use crate::query::id_batch::IdBatch;
use crate::query::pipeline;
use crate::query::placement::{Place, Placement};
use crate::query::source::Query;
use crate::query::trade::{TradeIds, Trades, trades_of};
use crate::rows::Role;
use crate::source::{Batch, Clock, PullOrder, Reading, RunMoment, Source, WindowMoment, unreadable_reply};

/// Raw batches that wait for the decoder.
const BATCHES_WAITING: usize = 2;
/// Trades beside the first that wait to be sent to the store, about.
const CARRIED: usize = 4_096;
/// Decoded batches that wait for the store.
const COLUMNS_WAITING: usize = 1;

/// What a committed window brought.
#[derive(Debug, Clone, Default)]
pub(super) struct Pulled {
    pub(super) committed: Committed,
    /// The days that were copied from a broader query; none where the source was asked.
    pub(super) adopted: DaySet,
    /// What kept some days from being copied after others were.
    pub(super) stopped: Option<Failure>,
    pub(super) without_trade_id: u64,
    /// Documents that hold broken bytes. One may come as a trade and again as a message of that trade.
    pub(super) unreadable: HashSet<DocumentHash>,
    /// Documents whose dates have another type, if that was asked.
    pub(super) odd_dates: Option<Arc<FoundOddDates>>,
    pub(super) notes: Vec<String>,
}

impl Pulled {
    /// Adds what another piece of the window brought.
    fn extend(&mut self, piece: Self) {
        self.committed.extend(piece.committed);
        self.without_trade_id += piece.without_trade_id;
        self.unreadable.extend(piece.unreadable);
        // It is asked once per run.
        self.odd_dates = self.odd_dates.take().or(piece.odd_dates);
        for note in piece.notes {
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
    }
}

/// Everything a pull needs.
#[derive(Clone)]
pub(super) struct PullContext {
    pub(super) source: Source,
    pub(super) query: Arc<Query>,
    pub(super) file: Arc<CacheFile>,
    pub(super) window: DayRange,
    /// This machine's time.
    pub(super) clock: Clock,
    /// The moment at which the run reads.
    pub(super) run_moment: Arc<RunMoment>,
    /// Which try at the window this is.
    pub(super) attempt: Attempt,
    /// What the source was when the run last asked.
    pub(super) origin: Arc<Mutex<Option<Origin>>>,
    /// The file's next segment when the run began.
    pub(super) run_since: u32,
    pub(super) counters: Arc<Counters>,
    pub(super) cancel: CancellationToken,
    /// What is asked of the source where something did not come.
    pub(super) doubts: Arc<Doubts>,
    pub(super) limits: Limits,
}

/// Tries at a window whose source changes while it is read. What the last one brings is stored, with the days
/// marked that changed.
const TRIES: u32 = 4;

/// How many times the rows that a window may have may come if the rest of them are messages of what was read before.
const MESSAGES_BEYOND: u64 = 4;

/// One try at a window.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    number: u32,
    moment: Arc<WindowMoment>,
    /// When it began: the source's time, or, for a node that is behind, that of its last write.
    started: DateTime<Utc>,
    /// What had been counted before it.
    counted: [u64; 4],
    size: Arc<Size>,
}

/// Whether more rows come than a window may have.
#[derive(Debug, Default)]
struct Size {
    /// No more input is read. What is read so far is completed with its messages.
    is_full: AtomicBool,
    /// There was more input.
    is_cut: AtomicBool,
    /// The try is given up.
    is_too_large: AtomicBool,
}

impl Attempt {
    pub(super) fn first(moment: &Arc<RunMoment>) -> Self {
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

/// What a try at a window came to.
enum Tried {
    /// With the days that are left, in the pieces in which to pull them.
    Committed(Box<Pulled>, Vec<DayRange>),
    /// The source changed while it was read, or is another one by now.
    Changed,
    /// It has too many rows, and none of its days is complete. These are the pieces in which to pull it.
    TooLarge(Vec<DayRange>),
}

/// What a try at a window is to commit.
struct Ready {
    summary: Summary,
    notes: Vec<String>,
    /// The days that it leaves, in pieces.
    left: Vec<DayRange>,
}

/// Why nothing of a try is committed although all of it went well.
enum NotReady {
    Changed,
    TooLarge(Vec<DayRange>),
}

impl PullContext {
    /// How far this program's clock is from the one that the source's time is compared with. Tests set it.
    fn shift(&self) -> TimeDelta {
        (self.clock)() - self.source.local_now()
    }

    /// Begins the first try, or another one.
    fn begin(&mut self) {
        let clock = self.source.clock().unwrap_or_default();
        self.attempt.started = (self.clock)() + clock.ahead - clock.lag;
        self.counters.go_back_to(self.attempt.counted);
    }

    /// The same for some of its days.
    fn part(&self, window: DayRange) -> Self {
        let counted = self.counters.reached();
        let attempt = Attempt { counted, ..Attempt::first(&self.run_moment) };
        Self { window, attempt, ..self.clone() }
    }

    /// The time as of which the window is known: no node that was read was further.
    fn fetched(&self) -> DateTime<Utc> {
        let started = self.attempt.started;
        // Without a shift, the source's time is told exactly.
        let shift = Some(self.shift()).filter(|shift| shift.abs() > TimeDelta::milliseconds(100));
        let as_of = self.attempt.moment.as_of().map(|at| at + shift.unwrap_or_default());
        as_of.map_or(started, |at| started.min(at))
    }
}

/// What a trader must know of days that changed each time they were read.
pub(super) fn unsettled_sentence(days: &DaySet) -> String {
    let first = days.days().next().map(|day| day.to_string()).unwrap_or_default();
    match days.len() {
        1 => format!("The source kept changing {first} while it was read; the day is unverified."),
        many => format!(
            "The source kept changing {many} days from {first} while they were read; they are unverified."
        ),
    }
}

/// What windows that bring less than they should have asked of the source; once a run.
#[derive(Debug)]
pub(super) struct Doubts {
    /// The days of the run.
    range: DayRange,
    /// Which documents have dates of another type; nothing if that cannot be told soon.
    odd_dates: OnceCell<Option<Arc<FoundOddDates>>>,
    /// Why there is no trade.
    nothing: OnceCell<Vec<String>>,
    /// That the collection of messages is there.
    messages: OnceCell<()>,
}

impl Doubts {
    /// For a run of these days.
    pub(super) fn of(range: DayRange) -> Self {
        Self { range, odd_dates: OnceCell::new(), nothing: OnceCell::new(), messages: OnceCell::new() }
    }
}

enum Incoming {
    Input(Batch),
    InputDone,
    /// Messages that one question brought: that for the trade ids with these places among all of the window.
    Downstream(Batch, Range<usize>),
}

enum ToStore {
    Rows(Role, Decoded),
    Carried(Vec<Carried>),
    Commit(Box<Summary>),
}

/// What the decoder knows when everything is in.
#[derive(Debug, Default)]
struct Summary {
    days: BTreeMap<Day, DayRows>,
    further: Vec<(Day, String)>,
    input_rows: u64,
    downstream_rows: u64,
    without_trade_id: u64,
    unreadable: HashSet<DocumentHash>,
    /// The source that all of it came from.
    origin: Option<Origin>,
    /// Settled days that the source counts otherwise after the pull.
    changed: DaySet,
    /// Days with rows that are not all of the day's.
    incomplete: DaySet,
}

impl Summary {
    /// Takes days out that are not complete, and returns how many input rows they have.
    fn leave(&mut self, incomplete: &DaySet) -> u64 {
        let rows = |days: &BTreeMap<Day, DayRows>| days.values().map(|day| day.input_rows).sum::<u64>();
        let before = rows(&self.days);
        self.days.retain(|day, _| !incomplete.contains(*day));
        self.further.retain(|(day, _)| !incomplete.contains(*day));
        self.incomplete = incomplete.clone();
        let dropped = before - rows(&self.days);
        self.input_rows -= dropped;
        dropped
    }
}

/// What the store made of a window.
enum Stored {
    /// The days are those that changed while they were read.
    Committed(Committed, DaySet),
    /// Nothing was stored: the window is to be pulled again.
    Torn,
}

/// Pulls a window and commits it. If more rows come than a window may have, the days that are complete are
/// committed, and the others are pulled in pieces, one after the other. If it is cancelled, it stops the cursors,
/// keeps the pieces that are committed, and ends only when its transaction has ended.
pub(super) async fn pull_window(context: PullContext) -> Result<Pulled> {
    let mut pulled = Pulled::default();
    // The earliest is the last.
    let mut left = vec![context.window];
    while let Some(window) = left.pop() {
        let (piece, rest) = pull_piece(context.part(window)).await?;
        pulled.extend(piece);
        left.extend(rest.into_iter().rev());
    }
    Ok(pulled)
}

/// Pulls some days of a window and commits them, again if the source changes meanwhile. If they have more rows than
/// a window may have, some of them are left, or all: in the pieces that are returned.
async fn pull_piece(mut context: PullContext) -> Result<(Pulled, Vec<DayRange>)> {
    loop {
        context.begin();
        let tried = try_window(context.clone()).await;
        let moment = &context.attempt.moment;
        let next = match tried {
            Ok(Tried::Committed(pulled, left)) => return Ok((*pulled, left)),
            Ok(Tried::TooLarge(left)) => {
                context.counters.go_back_to(context.attempt.counted);
                return Ok((Pulled::default(), left));
            }
            Err(_) if context.attempt.size.is_too_large.load(Ordering::Relaxed) => {
                context.counters.go_back_to(context.attempt.counted);
                return Ok((Pulled::default(), halves(context.window)));
            }
            // A later time, if this one was a snapshot's.
            Ok(Tried::Changed) => match moment.reading() {
                Some(Reading::At(_)) => moment.after_loss(),
                _ => WindowMoment::new(&context.run_moment),
            },
            Err(_) if moment.is_lost() && !context.cancel.is_cancelled() => moment.after_loss(),
            Err(failure) => return Err(failure),
        };
        context.attempt.moment = Arc::new(next);
        context.attempt.number += 1;
    }
}

async fn try_window(context: PullContext) -> Result<Tried> {
    let (raw_sender, raw_receiver) = mpsc::channel(BATCHES_WAITING);
    let (id_sender, id_receiver) = mpsc::unbounded_channel();
    let (store_sender, store_receiver) = std_mpsc::sync_channel(COLUMNS_WAITING);
    let storing = {
        let context = context.clone();
        tokio::task::spawn_blocking(move || store(&context, &store_receiver))
    };
    let decoding = {
        let context = context.clone();
        let sender = store_sender.clone();
        tokio::task::spawn_blocking(move || decode(&context, raw_receiver, id_sender, &sender))
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
    // The senders are gone now, so the decoder comes to its end, whatever happened.
    let decoded = join(decoding).await;
    let commit = async {
        let summary = match (pulled, decoded) {
            // A decoder that failed has stopped the cursors too: its word is the cause.
            (_, Err(failure)) if failure.code != Code::Cancelled => return Err(failure),
            (pulled, decoded) => {
                pulled?;
                decoded?
            }
        };
        let mut summary = summary;
        let left = match leave_incomplete_days(&context, &mut summary).await {
            Ok(left) => left,
            Err(left) => return Ok(Err(NotReady::TooLarge(left))),
        };
        let notes = doubts(&context, &summary).await?;
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
            // Without an order to commit, the store takes everything back.
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
    // If the store has failed already, its own failure below says why.
    let _ = store_sender.send(ToStore::Commit(Box::new(summary)));
    drop(store_sender);
    match join(storing).await? {
        Some(Stored::Committed(committed, changed)) => {
            notes.extend((!changed.is_empty()).then(|| unsettled_sentence(&changed)));
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

/// Takes the days out of a summary whose input was cut off, and returns the pieces in which to pull them.
///
/// A day is complete if it has as many documents as the source counts at the moment of the window's snapshot. Their
/// messages are all there: the trades of everything that was read were asked for.
///
/// # Errors
/// The pieces of the whole window if no day of it is complete.
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

/// The settled days of a window that the source counts otherwise now than they came. Snapshots need no such check,
/// and days that are still open may change at any time.
async fn changed_meanwhile(context: &PullContext, summary: &Summary) -> DaySet {
    if matches!(context.attempt.moment.reading(), Some(Reading::At(_))) {
        return DaySet::new();
    }
    let (policy, fetched) = (Policy::of(&context.query.mapping), context.fetched());
    if !context.window.days().any(|day| policy.is_over(day, fetched)) {
        return DaySet::new();
    }
    // All that was asked for is here; where counting fails, nothing is known to differ.
    let Ok(counts) = context.source.day_counts(&context.query, context.window).await else {
        return DaySet::new();
    };
    let differs = |day: &Day| {
        policy.is_over(*day, fetched)
            && summary.days.get(day).is_some_and(|rows| {
                counts_differ(counts.get(day), rows.input_rows, &rows.left_out, rows.change_mark.as_deref())
            })
    };
    context.window.days().filter(differs).collect()
}

/// What the source is after the pull; nothing if it is another one than before.
///
/// # Errors
/// Those of asking, and `source_unreachable` if it is another one each time.
async fn origin_meanwhile(context: &PullContext) -> Result<Option<Origin>> {
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

/// What is to be said of a window that brought less than it should have.
///
/// # Errors
/// `bad_mapping` where a name of the mapping is the reason.
async fn doubts(context: &PullContext, summary: &Summary) -> Result<Vec<String>> {
    let mapping = &context.query.mapping;
    if summary.input_rows == 0 {
        let ask = || context.source.explain_nothing(&context.query);
        return context.doubts.nothing.get_or_try_init(ask).await.cloned();
    }
    if let Some(messages) = mapping.downstream_collection.as_deref().filter(|_| summary.downstream_rows == 0)
    {
        let ask = || async move { context.source.expect_collections(&[messages]).await };
        match context.doubts.messages.get_or_try_init(ask).await {
            Err(failure) if failure.code == Code::BadMapping => return Err(failure),
            // All that was asked for is here; a doubt that nobody can settle now is none.
            _ => {}
        }
    }
    let is_stamped = || summary.days.values().any(|day| day.change_mark.is_some());
    let without = mapping.changed_at.as_deref().filter(|_| !is_stamped());
    Ok(without.map(no_stamp).into_iter().collect())
}

/// Which documents have dates of another type; asked while rows come.
async fn odd_dates(context: &PullContext) -> Option<Arc<FoundOddDates>> {
    let Doubts { range, odd_dates, .. } = &*context.doubts;
    let ask = || async { context.source.odd_dates(&context.query, *range).await.map(Arc::new) };
    tokio::select! {
        found = odd_dates.get_or_init(ask) => found.clone(),
        () = context.cancel.cancelled() => None,
    }
}

fn no_stamp(path: &str) -> String {
    format!(
        "The trades of some days have no change stamp that can be compared ({path}): Verify can only count."
    )
}

async fn join<T>(task: tokio::task::JoinHandle<Result<T>>) -> Result<T> {
    task.await.unwrap_or_else(|error| {
        Err(Failure::new(Code::Internal, "Storing the rows failed unexpectedly.").because(error))
    })
}

/// The failure of a step whose neighbour has gone; the neighbour's own failure is the one to show.
fn neighbour_gone() -> Failure {
    Failure::new(Code::Cancelled, "The window was cancelled.")
}

async fn pull_input(context: &PullContext, sender: mpsc::Sender<Incoming>) -> Result<()> {
    let order = PullOrder {
        collection: None,
        pipeline: pipeline::input_pipeline(&context.query, &context.window),
        batch_documents: context.limits.batch_documents,
    };
    let mut cursor = context.source.pull(order, &context.attempt.moment).await?;
    let size = &context.attempt.size;
    while let Some(batch) = cursor.next().await? {
        sender.send(Incoming::Input(batch)).await.map_err(|_| neighbour_gone())?;
        if size.is_full.load(Ordering::Relaxed) {
            size.is_cut.store(true, Ordering::Relaxed);
            break;
        }
    }
    sender.send(Incoming::InputDone).await.map_err(|_| neighbour_gone())
}

async fn pull_downstream(
    context: &PullContext,
    mut ids: mpsc::UnboundedReceiver<Vec<Bson>>,
    sender: mpsc::Sender<Incoming>,
) -> Result<()> {
    let at_once = context.limits.questions_at_once.get() as usize;
    let mut asked = FuturesUnordered::new();
    let mut more = true;
    let mut told = 0;
    loop {
        tokio::select! {
            next = ids.recv(), if more && asked.len() < at_once => match next {
                Some(ids) => {
                    let places = told..told + ids.len();
                    told = places.end;
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
    let matches = pipeline::downstream_match(&context.query.mapping, ids);
    let order = PullOrder {
        collection: context.query.mapping.downstream_collection.clone(),
        pipeline: vec![bson::doc! {"$match": matches}],
        batch_documents: context.limits.batch_documents,
    };
    let mut cursor = context.source.pull(order, &context.attempt.moment).await?;
    while let Some(batch) = cursor.next().await? {
        let incoming = Incoming::Downstream(batch, places.clone());
        sender.send(incoming).await.map_err(|_| neighbour_gone())?;
    }
    Counters::add(&context.counters.trades_done, count);
    Ok(())
}

fn store(context: &PullContext, orders: &std_mpsc::Receiver<ToStore>) -> Result<Option<Stored>> {
    let writer = SegmentWriter::begin(Arc::clone(&context.file))?;
    let mut writer = writer.of_run_since(context.run_since).with_limits(&context.limits);
    while let Ok(order) = orders.recv() {
        match order {
            ToStore::Rows(role, decoded) => writer.append(role, decoded)?,
            ToStore::Carried(carried) => writer.carry(&carried)?,
            ToStore::Commit(summary) => return commit(context, writer, *summary).map(Some),
        }
    }
    Ok(None)
}

/// Commits a window, unless a document is there twice or in two states: then it changed while it was read.
fn commit(context: &PullContext, mut writer: SegmentWriter, mut summary: Summary) -> Result<Stored> {
    let mut changed = summary.changed;
    if let Some(origin) = summary.origin.as_ref().filter(|origin| origin.unique_input) {
        let (policy, fetched) = (Policy::of(&context.query.mapping), context.fetched());
        let mut torn = writer.days_with_repeated_input()?;
        let is_snapshot = matches!(context.attempt.moment.reading(), Some(Reading::At(_)));
        // An `_id` says nothing across two collections.
        let is_one = context.query.mapping.downstream_collection.is_none() && origin.unique_downstream;
        if is_one && !is_snapshot {
            torn.extend(writer.days_with_two_states()?);
        }
        let is_kept = |day: &Day| policy.is_over(*day, fetched) && !summary.incomplete.contains(*day);
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
    Ok(Stored::Committed(writer.commit(summary.days, &summary.further)?, changed))
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

/// The decoder's side of a window.
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
    /// Those that the next question asks for.
    asking: IdBatch,
    arrivals: Arrivals,
    /// Trades beside the first of messages that are on their way to the store.
    carried: Vec<Carried>,
    /// Gone once every trade is asked for.
    ids: Option<mpsc::UnboundedSender<Vec<Bson>>>,
    store: &'a std_mpsc::SyncSender<ToStore>,
    summary: Summary,
    /// The days that messages are linked with, beside the ones that they are stored under.
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
        if self.asking.is_full() {
            let ids = self.asking.take();
            self.ask(ids);
        }
        self.flush(Role::Input, false)
    }

    /// The day of the window that a document belongs to. One that belongs to none is noted where it has to be.
    fn place(&mut self, document: &RawDocument) -> Option<Day> {
        let window = self.context.window;
        match self.placement.place(document) {
            Place::Day(day) if window.contains(day) => return Some(day),
            Place::LeftOut(left_out) => {
                for day in window.days().filter(|day| left_out.touches(*day)) {
                    self.leave_out(day, left_out::reason(&left_out, day));
                }
            }
            // By day of year and time stamp, a match returns documents of other days as well.
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

    /// Asks for the messages of new trades.
    fn ask(&self, ids: Vec<Bson>) {
        if let Some(sender) = self.ids.as_ref().filter(|_| !ids.is_empty()) {
            // A puller that has gone has failed, and says so itself.
            let _ = sender.send(ids);
        }
    }

    /// A message that carries trades of several questions comes with each of them, and is stored once.
    fn downstream(&mut self, batch: &Batch, asked: &Range<usize>) -> Result<()> {
        let Some(path) = &self.context.query.mapping.trade_id else { return Ok(()) };
        let read = batch.read;
        let mut count = 0;
        for value in documents(&batch.raw)? {
            let RawBsonRef::Document(document) = value.map_err(unreadable_reply)? else { continue };
            let mut trades = self.trades.of_message(path, document, asked).into_iter();
            let Some((trade, day)) = trades.next() else {
                // A collection that ignores case calls other ids equal.
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
            // Here, for a message may carry any number of trades.
            self.flush(Role::Downstream, false)?;
            if self.carried.len() >= CARRIED {
                self.send_carried()?;
            }
            count += 1;
        }
        Counters::add(&self.context.counters.downstream_rows, count);
        self.check_size()
    }

    /// Stops reading input once a window of several days exceeds its row limit. Gives the window up if its messages
    /// exceed a multiple of the limit, or if the complete days cannot be identified.
    fn check_size(&self) -> Result<()> {
        let rows = self.summary.input_rows + self.summary.downstream_rows;
        let most = u64::from(self.context.limits.most_window_rows.get());
        if rows <= most || self.context.window.len() == 1 {
            return Ok(());
        }
        let Attempt { size, moment, .. } = &self.context.attempt;
        // Only in a snapshot does a count tell what was there when the documents were read.
        let may_be_cut = matches!(moment.reading(), Some(Reading::At(_)));
        if may_be_cut && rows <= most.saturating_mul(MESSAGES_BEYOND) {
            size.is_full.store(true, Ordering::Relaxed);
            return Ok(());
        }
        size.is_too_large.store(true, Ordering::Relaxed);
        Err(neighbour_gone())
    }

    fn send_carried(&mut self) -> Result<()> {
        let carried = std::mem::take(&mut self.carried);
        self.linked.extend(carried.iter().map(|carried| carried.day));
        self.store.send(ToStore::Carried(carried)).map_err(|_| neighbour_gone())
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
            self.store.send(ToStore::Rows(role, decoded)).map_err(|_| neighbour_gone())?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Summary> {
        self.send_carried()?;
        self.flush(Role::Input, true)?;
        self.flush(Role::Downstream, true)?;
        let mut input_fields = self.input.take_presence();
        let mut downstream_fields = self.downstream.take_presence();
        let further = self.trades.into_further_days();
        self.linked.extend(further.iter().map(|(day, _)| *day));
        // Which messages are linked with a day is known to the store alone: what any message of the window
        // has, those may have too.
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
        self.summary.further = further;
        Ok(self.summary)
    }
}

fn documents(batch: &RawBatch) -> Result<impl Iterator<Item = bson::error::Result<RawBsonRef<'_>>>> {
    Ok(batch.doc_slices()?.into_iter())
}
