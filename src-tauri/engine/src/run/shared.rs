//! Pulls that runs share: two runs that need the same day of the same query wait for one pull.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use tokio::sync::{Notify, Semaphore, watch};
use tokio_util::sync::CancellationToken;

use super::progress::Counters;
use super::pull::Pulled;
use crate::day::{DayRange, DaySet};
use crate::failure::{Code, Failure, Result};
use crate::limits::Limits;
use crate::query::signature::Signature;
use crate::source::RunMoment;

/// Work that commits a window.
pub(super) type Work = Pin<Box<dyn Future<Output = Result<Pulled>> + Send>>;

/// The pulls under way. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Pulls {
    under_way: Arc<Mutex<HashMap<Signature, Vec<Arc<Pull>>>>>,
    permits: Arc<Semaphore>,
}

/// The queries that runs are answering. What a run has planned to serve must not go before it has answered.
#[derive(Debug, Clone, Default)]
pub(super) struct Running(Arc<Users>);

#[derive(Debug, Default)]
struct Users {
    by_query: Mutex<HashMap<Signature, Use>>,
    /// Told when a query is no longer had alone.
    freed: Notify,
}

#[derive(Debug)]
enum Use {
    Runs(usize),
    Alone,
}

/// A run, or whoever has a query alone, as long as it lives.
#[derive(Debug)]
pub(super) struct Run {
    running: Running,
    signature: Signature,
}

impl Running {
    /// Begins a run of a query, once nobody has the query alone.
    pub(super) async fn begin(&self, signature: Signature) -> Run {
        loop {
            // Before the look, so that no end of it is missed.
            let freed = self.0.freed.notified();
            if self.joins(&signature) {
                return Run { running: self.clone(), signature };
            }
            freed.await;
        }
    }

    /// A query that no run answers, and none does meanwhile; nothing where one does.
    pub(super) fn alone(&self, signature: &Signature) -> Option<Run> {
        let mut users = self.lock();
        if users.contains_key(signature) {
            return None;
        }
        users.insert(signature.clone(), Use::Alone);
        Some(Run { running: self.clone(), signature: signature.clone() })
    }

    fn joins(&self, signature: &Signature) -> bool {
        match self.lock().entry(signature.clone()).or_insert(Use::Runs(0)) {
            Use::Runs(runs) => {
                *runs += 1;
                true
            }
            Use::Alone => false,
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Signature, Use>> {
        self.0.by_query.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let mut users = self.running.lock();
        match users.get_mut(&self.signature) {
            Some(Use::Runs(runs)) if *runs > 1 => *runs -= 1,
            _ => {
                users.remove(&self.signature);
                self.running.0.freed.notify_waiters();
            }
        }
    }
}

/// Where a pull's rows come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
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
    waiting: Mutex<usize>,
    /// When its work began; nothing while it waits for its turn.
    begun: OnceLock<Instant>,
    /// The moment of the run that began it.
    moment: Arc<RunMoment>,
}

impl Pull {
    /// Whether everything that it brings is as of this time or later.
    fn begins_after(&self, earliest: Instant) -> bool {
        self.begun.get().is_none_or(|begun| *begun >= earliest) && self.moment.is_after(earliest)
    }
}

/// Whose pull it is to be, and what will do for it.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) kind: Kind,
    pub(super) window: DayRange,
    /// A pull that reads the source as of an earlier time does not do.
    pub(super) earliest: Option<Instant>,
    /// The moment of the run.
    pub(super) moment: Arc<RunMoment>,
}

impl Pulls {
    /// No pulls yet; so many windows will stream at once.
    pub(super) fn new(limits: &Limits) -> Self {
        let permits = Semaphore::new(limits.windows_at_once.get() as usize);
        Self { under_way: Arc::default(), permits: Arc::new(permits) }
    }

    /// A ticket for every pull that a window needs: joined if one is under way, begun if not.
    pub(super) fn join_or_start(
        &self,
        signature: &Signature,
        order: Order,
        work: impl Fn(DayRange, Arc<Counters>, CancellationToken) -> Work,
    ) -> Vec<Ticket> {
        let Order { kind, window, earliest, moment } = order;
        let mut under_way = self.lock();
        let pulls = under_way.entry(signature.clone()).or_default();
        let mut tickets = Vec::new();
        let mut left = DaySet::from_ranges([window]);
        let mut ending = Vec::new();
        for pull in pulls.iter().filter(|pull| pull.window.intersect(&window).is_some()) {
            let mut waiting = pull.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let is_too_old = earliest.is_some_and(|earliest| !pull.begins_after(earliest));
            if *waiting == 0 || kind != pull.kind || is_too_old {
                // Given up by everybody, but its transaction may not be over yet; or rows of the cache, where
                // the server's are asked for; or of a server that may never answer, where the cache can; or
                // begun before these were asked for.
                ending.push(pull.outcome.subscribe());
                continue;
            }
            *waiting += 1;
            left = left.difference(&DaySet::from_ranges([pull.window]));
            tickets.push(Ticket { pull: Arc::clone(pull) });
        }
        for part in left.ranges() {
            let pull = Arc::new(Pull {
                kind,
                window: *part,
                counters: Arc::default(),
                outcome: watch::Sender::new(None),
                cancel: CancellationToken::new(),
                waiting: Mutex::new(1),
                begun: OnceLock::new(),
                moment: Arc::clone(&moment),
            });
            pulls.push(Arc::clone(&pull));
            let future = work(*part, Arc::clone(&pull.counters), pull.cancel.clone());
            tokio::spawn(self.clone().run(signature.clone(), Arc::clone(&pull), ending.clone(), future));
            tickets.push(Ticket { pull });
        }
        tickets
    }

    /// Whether anything of a query is being pulled.
    pub(super) fn busy(&self, signature: &Signature) -> bool {
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
                // A sender that is gone has ended too.
                let _ = earlier.wait_for(Option::is_some).await;
            }
            self.permits.acquire().await
        };
        let result = tokio::select! {
            biased;
            () = pull.cancel.cancelled() => Err(Failure::new(Code::Cancelled, "The fetch was cancelled.")),
            permit = turn => {
                // The semaphore is never closed; the permit is held to the end of the work.
                let _permit = permit;
                // Under the lock that joiners take: whoever saw it waiting reads what it reads.
                {
                    let _under_way = self.lock();
                    let _ = pull.begun.set(Instant::now());
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

/// A run's interest in a pull. When the last ticket goes, the pull is cancelled.
#[derive(Debug)]
pub(super) struct Ticket {
    pull: Arc<Pull>,
}

/// What a pull came to, for whoever waits.
#[derive(Debug)]
pub(super) struct Waiting(watch::Receiver<Option<Result<Pulled>>>);

impl Waiting {
    /// Waits until the pull is over.
    pub(super) async fn outcome(mut self) -> Result<Pulled> {
        let gone = || Failure::new(Code::Cancelled, "The fetch was cancelled.");
        let outcome = self.0.wait_for(Option::is_some).await.map_err(|_| gone())?;
        outcome.clone().unwrap_or_else(|| Err(gone()))
    }
}

impl Ticket {
    /// The days of the pull, which another run may have chosen.
    pub(super) fn window(&self) -> DayRange {
        self.pull.window
    }

    pub(super) fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.pull.counters)
    }

    pub(super) fn waiting(&self) -> Waiting {
        Waiting(self.pull.outcome.subscribe())
    }

    /// Gives the pull up. Where nobody else wants it, it is cancelled; the end of it can be waited for.
    pub(super) fn give_up(self) -> Option<Waiting> {
        let waiting = self.waiting();
        let pull = Arc::clone(&self.pull);
        drop(self);
        pull.cancel.is_cancelled().then_some(waiting)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut waiting = self.pull.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        *waiting -= 1;
        if *waiting == 0 {
            self.pull.cancel.cancel();
        }
    }
}
