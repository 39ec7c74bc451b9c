//! Reading a window, and a whole run, as of one moment.
//!
//! A server that supports it reads a snapshot: the reply to a run's first cursor contains the cluster time, and all
//! other cursors read at the same time. If the server's history no longer reaches back that far, or if there are no
//! snapshots, reads use read concern `majority`, and windows are checked for changes during the read.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use bson::{Document, Timestamp, doc};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::StreamExt as _;
use mongodb::options::RunCursorCommandOptions;
use mongodb::raw_batch_cursor::{RawBatch, RawBatchCursor};
use tracing::info;

use super::clock::{local_read, operation_time, read_of, time_of};
use super::connect::Source;
use super::error::SourceError;
use crate::failure::{Code, Failure, Result};
use crate::query::pipeline::{COMMENT, PULL_LIMIT};

/// Server errors meaning that there is no snapshot: `SnapshotTooOld`, `SnapshotUnavailable`.
const HISTORY_GONE: [i32; 2] = [239, 246];

/// How cursors read, and at which moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// A snapshot at a cluster time.
    At(Timestamp),
    /// Read concern `majority`, or the one in the connection string.
    Majority,
    /// Without a read concern: the server accepts none.
    Plain,
}

/// How to open a cursor.
#[derive(Debug, Clone, Copy)]
enum Asking {
    /// With a snapshot at a time that the server chooses.
    Snapshot,
    As(Reading),
}

/// The moment at which the windows of a run read, known once the run's first cursor is open.
#[derive(Debug, Default)]
pub struct RunMoment {
    agreed: tokio::sync::Mutex<Option<Reading>>,
    /// When the run's first cursor was requested: nothing is read as of an earlier time.
    began: OnceLock<Instant>,
}

impl RunMoment {
    /// Whether the run reads snapshots.
    pub async fn reads_snapshots(&self) -> bool {
        matches!(*self.agreed.lock().await, Some(Reading::At(_)))
    }

    /// Whether everything that the run reads from now on is as of this time or later.
    #[must_use]
    pub fn is_after(&self, earliest: Instant) -> bool {
        self.began.get().is_none_or(|began| *began >= earliest)
    }
}

/// The moment at which one window's cursors read.
#[derive(Debug)]
pub struct WindowMoment {
    run: Arc<RunMoment>,
    reading: OnceLock<Reading>,
    /// The reading that failed in an earlier attempt.
    lost: Option<Reading>,
    is_lost: AtomicBool,
    /// The oldest node state that a cursor has read.
    as_of: Mutex<Option<DateTime<Utc>>>,
}

impl WindowMoment {
    /// The moment of a window that is pulled for the first time, or again after a torn read.
    #[must_use]
    pub fn new(run: &Arc<RunMoment>) -> Self {
        Self {
            run: Arc::clone(run),
            reading: OnceLock::new(),
            lost: None,
            is_lost: AtomicBool::new(false),
            as_of: Mutex::default(),
        }
    }

    /// The moment for another attempt after the server's history of this one was lost: a later snapshot, or no
    /// snapshot if this was already the second attempt.
    #[must_use]
    pub fn after_loss(&self) -> Self {
        let next = Self { lost: self.reading.get().copied(), ..Self::new(&self.run) };
        if self.lost.is_some() {
            let _ = next.reading.set(Reading::Majority);
        }
        next
    }

    /// Whether the server's history was lost before everything was read.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Relaxed)
    }

    /// How the window is read, once its first cursor is open.
    #[must_use]
    pub fn reading(&self) -> Option<Reading> {
        self.reading.get().copied()
    }

    /// The oldest node state that was read, by the server's time; `None` if the server reports no time.
    #[must_use]
    pub fn as_of(&self) -> Option<DateTime<Utc>> {
        *self.as_of.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_as_of(&self, at: DateTime<Utc>) {
        let mut as_of = self.as_of.lock().unwrap_or_else(PoisonError::into_inner);
        *as_of = Some(as_of.map_or(at, |known| known.min(at)));
    }
}

/// Why a cursor could not be opened.
enum Refusal {
    /// The server does not support this reading, or can no longer read at this time.
    Reading(Failure),
    Other(Failure),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Reading(failure) | Refusal::Other(failure) => failure,
        }
    }
}

impl Source {
    /// Starts a pull at a window's moment. Dropping the cursor before its end closes it on the server.
    ///
    /// # Errors
    /// See [`super::SourceError`]. If the moment [is lost](WindowMoment::is_lost), the window can be pulled again
    /// at a different one.
    pub async fn pull(&self, order: PullOrder, moment: &Arc<WindowMoment>) -> Result<Batches> {
        if let Some(reading) = moment.reading() {
            return match self.open(&order, Asking::As(reading), moment).await {
                Err(Refusal::Reading(failure)) if matches!(reading, Reading::At(_)) => {
                    moment.is_lost.store(true, Ordering::Relaxed);
                    Err(failure)
                }
                Err(Refusal::Reading(_)) if reading == Reading::Majority => {
                    Ok(self.open(&order, Asking::As(Reading::Plain), moment).await?)
                }
                opened => Ok(opened?),
            };
        }
        let mut refused = moment.lost;
        loop {
            let mut agreed = moment.run.agreed.lock().await;
            if agreed.is_none() && !self.may_have_snapshots() {
                // There is no cluster time to agree on: the windows need not wait for each other.
                let _ = moment.run.began.set(Instant::now());
                *agreed = Some(Reading::Majority);
                info!(reading = ?Reading::Majority, "the server has no snapshots");
            }
            let Some(reading) = agreed.filter(|reading| Some(*reading) != refused) else {
                // The other windows wait, since the reading that this cursor obtains applies to them too.
                let _ = moment.run.began.set(Instant::now());
                let (batches, reading) = self.lead(&order, moment).await?;
                *agreed = Some(reading);
                info!(?reading, "the first cursor is open");
                let _ = moment.reading.set(reading);
                return Ok(batches);
            };
            drop(agreed);
            match self.open(&order, Asking::As(reading), moment).await {
                Err(Refusal::Reading(_)) => refused = Some(reading),
                opened => {
                    let _ = moment.reading.set(reading);
                    return Ok(opened?);
                }
            }
        }
    }

    /// Opens the first cursor of a run and returns how the others are to read.
    async fn lead(&self, order: &PullOrder, moment: &Arc<WindowMoment>) -> Result<(Batches, Reading)> {
        if self.may_have_snapshots() {
            match self.open(order, Asking::Snapshot, moment).await {
                Ok(batches) => {
                    let reading = batches.snapshot.map_or(Reading::Majority, Reading::At);
                    return Ok((batches, reading));
                }
                Err(Refusal::Reading(_)) => {}
                Err(Refusal::Other(failure)) => return Err(failure),
            }
        }
        match self.open(order, Asking::As(Reading::Majority), moment).await {
            Err(Refusal::Reading(_)) => {}
            opened => return Ok((opened?, Reading::Majority)),
        }
        let batches = self.open(order, Asking::As(Reading::Plain), moment).await?;
        Ok((batches, Reading::Plain))
    }

    async fn open(
        &self,
        order: &PullOrder,
        asking: Asking,
        moment: &Arc<WindowMoment>,
    ) -> std::result::Result<Batches, Refusal> {
        let started = Instant::now();
        let opened = match self.open_once(order, asking).await {
            // As the driver does for reads: the connection may have been a stale one.
            Err(error)
                if self.retries_reads() && error.as_ref().is_ok_and(SourceError::is_worth_retrying) =>
            {
                self.open_once(order, asking).await
            }
            opened => opened,
        };
        let cursor = opened.map_err(|error| match error {
            Ok(error) if error.is_refused() || is_history_gone(&error) => Refusal::Reading(error.into()),
            Ok(error) => Refusal::Other(error.into()),
            Err(failure) => Refusal::Other(failure),
        })?;
        let mut batches = Batches {
            source: self.clone(),
            moment: Arc::clone(moment),
            cursor,
            first: None,
            snapshot: None,
            ended: false,
        };
        // The reply has already arrived: this sends nothing.
        let first = batches.advance().await?;
        if let Some(first) = &first {
            let reply = first.as_raw_document();
            let cursor = reply.get_document("cursor").ok();
            batches.snapshot = cursor.and_then(|cursor| cursor.get_timestamp("atClusterTime").ok());
            let waited = TimeDelta::from_std(started.elapsed()).unwrap_or_default();
            // A scan shows the node's state at the time it began.
            let began = operation_time(reply).map(|at| time_of(at) - waited);
            if let Some(at) = batches.snapshot.map(time_of).or(began) {
                moment.note_as_of(at);
            }
        }
        batches.first = first;
        if let (Asking::As(Reading::At(wanted)), Some(read)) = (asking, batches.snapshot)
            && wanted != read
        {
            self.note_that_moments_are_ignored();
            let what = "The server did not read as of the requested time.";
            return Err(Refusal::Reading(Failure::new(Code::SourceUnreachable, what)));
        }
        Ok(batches)
    }

    /// One attempt. The error is the driver's or, if the command was not completed, a failure of this program.
    async fn open_once(
        &self,
        order: &PullOrder,
        asking: Asking,
    ) -> std::result::Result<RawBatchCursor, std::result::Result<SourceError, Failure>> {
        let command = self.command(order, asking);
        let (database, criteria) = match tokio::try_join!(self.database(), self.preferred()) {
            Ok(ready) => ready,
            Err(failure) => return Err(Err(failure)),
        };
        let mut options = RunCursorCommandOptions::default();
        options.selection_criteria = criteria;
        options.batch_size = Some(order.batch_documents.get());
        options.comment = Some(COMMENT.into());
        let opening = self.open_in_background(async move {
            database.run_cursor_command(command).with_options(options).batch().await
        });
        let answer = async {
            opening.await.map_err(|error| {
                Failure::new(Code::Internal, "Asking the server failed unexpectedly.").because(error)
            })
        };
        match self.with_timeout(order.time_limit, answer).await {
            Ok(opened) => opened.map_err(|error| Ok(error.into())),
            Err(failure) => Err(Err(failure)),
        }
    }

    fn command(&self, order: &PullOrder, asking: Asking) -> Document {
        let collection = order.collection.as_deref().unwrap_or_else(|| self.collection_name());
        let mut command = doc! {
            "aggregate": collection,
            "pipeline": order.pipeline.clone(),
            "cursor": {"batchSize": i64::from(order.batch_documents.get())},
            "allowDiskUse": true,
            "maxTimeMS": i64::try_from(order.time_limit.as_millis()).unwrap_or(i64::MAX),
            "comment": COMMENT,
        };
        let concern = match asking {
            Asking::Snapshot => Some(doc! {"level": "snapshot"}),
            Asking::As(Reading::At(at)) => Some(doc! {"level": "snapshot", "atClusterTime": at}),
            Asking::As(Reading::Majority) => Some(doc! {"level": self.read_concern()}),
            Asking::As(Reading::Plain) => None,
        };
        command.extend(concern.map(|concern| ("readConcern".to_owned(), concern.into())));
        command
    }
}

fn is_history_gone(error: &SourceError) -> bool {
    error.server_code().is_some_and(|code| HISTORY_GONE.contains(&code))
}

/// A batch of a pull and the moment at which it was read.
#[derive(Debug)]
pub struct Batch {
    /// The documents as received.
    pub raw: RawBatch,
    /// The source's time of the read: seconds << 32 | an ordinal.
    pub read: u64,
}

/// The batches of a pull.
pub struct Batches {
    source: Source,
    moment: Arc<WindowMoment>,
    cursor: RawBatchCursor,
    /// The batch that arrived when the cursor was opened.
    first: Option<RawBatch>,
    /// The cluster time of the snapshot, if one is read.
    snapshot: Option<Timestamp>,
    /// Whether the server's cursor is exhausted or has failed.
    ended: bool,
}

impl std::fmt::Debug for Batches {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batches").field("source", &self.source).finish_non_exhaustive()
    }
}

impl Batches {
    /// The next batch; `None` at the end.
    ///
    /// # Errors
    /// See [`super::SourceError`].
    pub async fn next(&mut self) -> Result<Option<Batch>> {
        let raw = match self.first.take() {
            Some(first) => Some(first),
            None => self.advance().await?,
        };
        Ok(raw.map(|raw| {
            let at = self.snapshot.or_else(|| operation_time(raw.as_raw_document()));
            let read = at.map_or_else(|| local_read(self.source.local_now()), read_of);
            Batch { raw, read }
        }))
    }

    async fn advance(&mut self) -> std::result::Result<Option<RawBatch>, Refusal> {
        let next = async { Ok(self.cursor.next().await.transpose()) };
        let batch = self.source.with_timeout(PULL_LIMIT, next).await;
        let batch = match batch {
            Ok(Err(error)) => {
                let error = SourceError::from(error);
                if is_history_gone(&error) {
                    self.moment.is_lost.store(true, Ordering::Relaxed);
                }
                Err(error.into())
            }
            Ok(Ok(batch)) => Ok(batch),
            Err(failure) => Err(failure),
        };
        self.ended = match &batch {
            Ok(Some(batch)) => is_last(batch),
            Ok(None) | Err(_) => true,
        };
        batch.map_err(Refusal::Other)
    }
}

impl Drop for Batches {
    fn drop(&mut self) {
        // The driver closes the cursor on the server, from a task of its own.
        if !self.ended {
            self.source.count();
        }
    }
}

/// Whether the server has closed the cursor with this batch, which it shows by a cursor id of 0.
fn is_last(batch: &RawBatch) -> bool {
    let cursor = batch.as_raw_document().get_document("cursor");
    cursor.and_then(|cursor| cursor.get_i64("id")).is_ok_and(|id| id == 0)
}

/// What to pull.
#[derive(Debug, Clone)]
pub struct PullOrder {
    /// The collection, if it is not that of the trades.
    pub collection: Option<String>,
    /// The pipeline.
    pub pipeline: Vec<Document>,
    /// Documents per batch.
    pub batch_documents: NonZeroU32,
    /// Time limit of the query on the server.
    pub time_limit: Duration,
}
