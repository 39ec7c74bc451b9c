//! One pull per day: two runs that need the same day of the same query share the pull.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, info};

use super::counters::Counters;
use crate::answer::left_out::FoundOddDates;
use crate::answer::note::Note;
use crate::cache::write::segment_writer::Committed;
use crate::day::{DayRange, DaySet};
use crate::decode::DocumentHash;
use crate::failure::{Code, Failure, Result};
use crate::limits::Limits;
use crate::query::signature::Signature;
use crate::source::RunMoment;

/// The work of a pull: it commits a window.
pub(crate) type Work = Pin<Box<dyn Future<Output = Result<Pulled>> + Send>>;

/// The pulls in progress. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Pulls {
    under_way: Arc<Mutex<HashMap<Signature, Vec<Arc<Pull>>>>>,
    permits: Arc<Semaphore>,
}

/// Where a pull's rows come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// MongoDB.
    Server,
    /// A broader cached query.
    Adoption,
}

#[derive(Debug)]
struct Pull {
    kind: Kind,
    window: DayRange,
    counters: Arc<Counters>,
    outcome: watch::Sender<Option<Result<Pulled>>>,
    cancel: CancellationToken,
    /// The number of handles.
    handles: Mutex<usize>,
    /// When its work began; unset while it waits for its turn.
    began: OnceLock<Instant>,
    /// The moment of the run that started it.
    moment: Arc<RunMoment>,
}

impl Pull {
    /// Whether everything that it delivers is as of this time or later.
    fn begins_after(&self, earliest: Instant) -> bool {
        self.began.get().is_none_or(|began| *began >= earliest) && self.moment.is_after(earliest)
    }
}

/// What a run needs from a pull.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) kind: Kind,
    pub(crate) window: DayRange,
    /// Pulls that read the source as of an earlier time do not qualify.
    pub(crate) earliest: Option<Instant>,
    /// The moment of the run.
    pub(crate) moment: Arc<RunMoment>,
}

impl Pulls {
    /// Creates an empty registry that lets `limits.windows_at_once` windows stream at once.
    pub(crate) fn new(limits: &Limits) -> Self {
        let permits = Semaphore::new(limits.windows_at_once.get() as usize);
        Self { under_way: Arc::default(), permits: Arc::new(permits) }
    }

    /// Returns handles for all the pulls that a window needs: suitable pulls in progress are joined, the rest are
    /// started.
    pub(crate) fn join_or_start(
        &self,
        signature: &Signature,
        order: Order,
        work: impl Fn(DayRange, Arc<Counters>, CancellationToken) -> Work,
    ) -> Vec<PullHandle> {
        let Order { kind, window, earliest, moment } = order;
        let mut under_way = self.lock();
        let pulls = under_way.entry(signature.clone()).or_default();
        let mut handles = Vec::new();
        let mut left = DaySet::from_ranges([window]);
        let mut ending = Vec::new();
        for pull in pulls.iter().filter(|pull| pull.window.intersect(&window).is_some()) {
            let mut handle_count = pull.handles.lock().unwrap_or_else(PoisonError::into_inner);
            let is_too_old = earliest.is_some_and(|earliest| !pull.begins_after(earliest));
            if *handle_count == 0 || kind != pull.kind || is_too_old {
                // Not joined, only waited for: all its handles are released, though its transaction may not have
                // ended yet; or it adopts cached rows while the server's are needed, or the reverse, which might wait
                // for a server that never answers; or it began too early.
                ending.push(pull.outcome.subscribe());
                continue;
            }
            *handle_count += 1;
            info!(from = %pull.window.from(), to = %pull.window.to(), "another run is pulling the window");
            left = left.difference(&DaySet::from_ranges([pull.window]));
            handles.push(PullHandle { pull: Arc::clone(pull) });
        }
        for part in left.ranges() {
            let pull = Arc::new(Pull {
                kind,
                window: *part,
                counters: Arc::default(),
                outcome: watch::Sender::new(None),
                cancel: CancellationToken::new(),
                handles: Mutex::new(1),
                began: OnceLock::new(),
                moment: Arc::clone(&moment),
            });
            pulls.push(Arc::clone(&pull));
            let future = work(*part, Arc::clone(&pull.counters), pull.cancel.clone());
            let run = self.clone().run(signature.clone(), Arc::clone(&pull), ending.clone(), future);
            tokio::spawn(run.in_current_span());
            handles.push(PullHandle { pull });
        }
        handles
    }

    /// Whether a pull of a query is in progress.
    pub(crate) fn busy(&self, signature: &Signature) -> bool {
        self.lock().get(signature).is_some_and(|pulls| !pulls.is_empty())
    }

    async fn run(
        self,
        signature: Signature,
        pull: Arc<Pull>,
        ending: Vec<watch::Receiver<Option<Result<Pulled>>>>,
        work: Work,
    ) {
        let turn = async {
            for mut earlier in ending {
                // An error means that the sender was dropped, so that pull has ended too.
                let _ = earlier.wait_for(Option::is_some).await;
            }
            self.permits.acquire().await
        };
        let result = tokio::select! {
            biased;
            () = pull.cancel.cancelled() => Err(Failure::new(Code::Cancelled, "The fetch was cancelled.")),
            permit = turn => {
                // The semaphore is never closed; the permit is held until the work ends.
                let _permit = permit;
                // Set under the lock that `join_or_start` holds: if a run joined while the pull was waiting,
                // everything is read after that.
                {
                    let _under_way = self.lock();
                    let _ = pull.began.set(Instant::now());
                }
                work.await
            }
        };
        let mut under_way = self.lock();
        if let Some(pulls) = under_way.get_mut(&signature) {
            pulls.retain(|other| !Arc::ptr_eq(other, &pull));
            if pulls.is_empty() {
                under_way.remove(&signature);
            }
        }
        pull.outcome.send_replace(Some(result));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Signature, Vec<Arc<Pull>>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A run's handle to a pull. When the last handle is dropped, the pull is cancelled.
#[derive(Debug)]
pub(crate) struct PullHandle {
    pull: Arc<Pull>,
}

/// The outcome of a pull, to be awaited.
#[derive(Debug)]
pub(crate) struct PullOutcome(watch::Receiver<Option<Result<Pulled>>>);

impl PullOutcome {
    /// Waits for the end of the pull.
    pub(crate) async fn wait(mut self) -> Result<Pulled> {
        let gone = || Failure::new(Code::Cancelled, "The fetch was cancelled.");
        let outcome = self.0.wait_for(Option::is_some).await.map_err(|_| gone())?;
        outcome.clone().unwrap_or_else(|| Err(gone()))
    }
}

impl PullHandle {
    /// The days of the pull, which a different run may have chosen.
    pub(crate) fn window(&self) -> DayRange {
        self.pull.window
    }

    pub(crate) fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.pull.counters)
    }

    pub(crate) fn outcome(&self) -> PullOutcome {
        PullOutcome(self.pull.outcome.subscribe())
    }

    /// Releases the pull. If no other run holds it, it is cancelled, and the returned outcome resolves when it has
    /// ended.
    pub(crate) fn release(self) -> Option<PullOutcome> {
        let outcome = self.outcome();
        let pull = Arc::clone(&self.pull);
        drop(self);
        pull.cancel.is_cancelled().then_some(outcome)
    }
}

impl Drop for PullHandle {
    fn drop(&mut self) {
        let mut handles = self.pull.handles.lock().unwrap_or_else(PoisonError::into_inner);
        *handles -= 1;
        if *handles == 0 {
            self.pull.cancel.cancel();
        }
    }
}

/// The result of a pull: what the committed window contains.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pulled {
    pub(crate) committed: Committed,
    /// The days that were copied from a broader query; empty if the rows came from the source.
    pub(crate) adopted: DaySet,
    /// Why copying stopped after some of the days.
    pub(crate) stopped: Option<Failure>,
    pub(crate) without_trade_id: u64,
    /// Documents that contain invalid bytes. One may arrive both as a trade and as a message of that trade.
    pub(crate) unreadable: HashSet<DocumentHash>,
    /// Documents whose dates have a different type, if that was checked.
    pub(crate) odd_dates: Option<Arc<FoundOddDates>>,
    pub(crate) notes: Vec<Note>,
}

impl Pulled {
    /// Adds what a further piece of the window contains.
    pub(crate) fn extend(&mut self, piece: Self) {
        self.committed.extend(piece.committed);
        self.without_trade_id += piece.without_trade_id;
        self.unreadable.extend(piece.unreadable);
        // Checked only once per run.
        self.odd_dates = self.odd_dates.take().or(piece.odd_dates);
        for note in piece.notes {
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
    }
}
