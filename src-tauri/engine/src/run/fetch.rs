//! A run, from plan to answer.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::try_join_all;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio_util::sync::CancellationToken;
use tracing::{info, instrument, warn};

use super::event::{EventSink, RunEvent};
use super::log;
use super::prepare::{Broader, FetchRequest, Prepared, is_out_of_reach, name_refused_part, prepare};
use super::progress::{Meter, TICK};
use super::pull::{Attempt, EmptyWindowChecks, PullContext, kept_changing, pull_window};
use super::verify;
use crate::answer::changes::Differences;
use crate::answer::derive::{Basis, Derived, RunOutcome, derive};
use crate::answer::left_out::FoundOddDates;
use crate::answer::note::{Checked, Note};
use crate::answer::{Answer, AnswerRows, UnmatchedPart};
use crate::api::cache_failures::moved_aside;
use crate::api::plan::{DayAction, DayView};
use crate::bson::change_stamp::DayCount;
use crate::cache::read::findings::{left_out_of, unmatched_of};
use crate::cache::write::adopt::{self, Adopted, Wanted};
use crate::cache::{CacheError, CacheErrorKind, CacheFile, CheckedDay, HeldDay, Identity};
use crate::day::{Day, DayRange, DaySet};
use crate::decode::DocumentHash;
use crate::engine::single_flight::{Kind, Order, PullHandle, Pulled};
use crate::engine::{Engine, off_thread};
use crate::failure::{Code, Failure, Result, RunId};
use crate::plan::ledger::{DayCoverage, FetchMode, Policy, RefreshReason};
use crate::plan::{Action, Plan, Reach, split};
use crate::query::signature::{Signature, SourceName};
use crate::query::source::Query;
use crate::source::{RunMoment, ServerClock, Source};

/// How long a run waits for the pulls that it has released.
const END_LIMIT: Duration = Duration::from_secs(5);

/// The results of a run's pulls.
#[derive(Debug, Default)]
struct Outcome {
    fetched: DaySet,
    adopted: DaySet,
    changes: Option<Differences>,
    without_trade_id: u64,
    unreadable: HashSet<DocumentHash>,
    odd_dates: Option<Arc<FoundOddDates>>,
    notes: Vec<Note>,
    /// The most informative failure, and the days that failed.
    failure: Option<Failure>,
    failed: BTreeMap<Day, String>,
    /// The file's next segment at the time when the run began to store.
    first_of_run: Option<u32>,
    /// The plan as far as it has been carried out.
    live: Option<LivePlan>,
}

/// The plan of a run as far as it has been carried out.
#[derive(Debug)]
struct LivePlan {
    plan: Plan,
    file: Arc<CacheFile>,
    policy: Policy,
}

impl LivePlan {
    /// Notes that a window has been stored. Returns its days and the plan's sentence as they are now.
    fn stored(&mut self, window: DayRange, now: DateTime<Utc>) -> (Vec<DayView>, String) {
        self.plan.note_stored(window, &self.file.state().ledger(), now, &self.policy);
        let days = self.plan.days.iter().filter(|planned| window.contains(planned.day));
        (days.map(DayView::from).collect(), self.plan.sentence())
    }
}

/// Difference between this machine's clock and the server's from which the answer mentions it; likewise for a node
/// that lags behind.
const SKEW: TimeDelta = TimeDelta::seconds(60);

/// The result of adopting a range of days.
#[derive(Debug, Default)]
struct Adoption {
    /// The days that were copied.
    adopted: DaySet,
    /// The days that were not copied, and why.
    left: DaySet,
    failure: Option<Failure>,
}

impl Outcome {
    /// Counts planned days as fetched if they were committed after the run had released their pulls: they are cached.
    fn note_late(&mut self, prepared: &Prepared, held: &BTreeMap<Day, HeldDay>) {
        let Some(first_of_run) = self.first_of_run else { return };
        let late = prepared.plan.days.iter().filter(|planned| {
            let fetched_before = planned.held.as_ref().map(|held| held.fetched);
            planned.is_pulled()
                && held
                    .get(&planned.day)
                    .is_some_and(|held| held.segment >= first_of_run && Some(held.fetched) != fetched_before)
        });
        self.fetched = self.fetched.union(&late.map(|planned| planned.day).collect());
    }
}

impl Engine {
    /// Answers a query: serves cached days, adopts and pulls the rest, and commits window by window. The answer may
    /// be partial; it says which days are missing and why.
    ///
    /// The command count covers this run only. A pull that several runs share is counted for the run that started it.
    ///
    /// # Errors
    /// Any of the contract's failures, if there is no answer at all or if a person has to act: a wrong password, a
    /// filter that the server rejects, a full disk. Committed days are kept.
    pub async fn fetch(
        &self,
        source: Option<&Source>,
        request: &FetchRequest,
        events: EventSink,
        cancel: CancellationToken,
    ) -> Result<Answer> {
        let run = RunId::random();
        let mut result = self.fetch_in_run(run, source, request, events, cancel).await;
        if let Ok(answer) = &mut result {
            answer.failure = answer.failure.take().map(|failure| failure.in_run(run));
        }
        result.map_err(|failure| failure.in_run(run))
    }

    // At level `error` the span exists at every level of the log, so that each warning names its run.
    #[instrument(
        name = "fetch",
        level = "error",
        skip_all,
        fields(%run, signature = %Signature::of(&request.query))
    )]
    async fn fetch_in_run(
        &self,
        run: RunId,
        source: Option<&Source>,
        request: &FetchRequest,
        events: EventSink,
        cancel: CancellationToken,
    ) -> Result<Answer> {
        log::requested(request);
        let source = source.map(Source::for_run);
        let source = source.as_ref();
        let may_move_aside = can_fetch(source, request);
        // Damage that opening the file did not reveal was found when its rows were read.
        let suspect = may_move_aside && self.cache().is_suspect(&Signature::of(&request.query));
        let mut note = if suspect { self.move_aside_if_damaged(request).await.ok().flatten() } else { None };
        let mut result = self.answer_query(source, request, &events, &cancel).await;
        if let Err(failure) = result.as_ref()
            && !cancel.is_cancelled()
        {
            let mut again = false;
            let may_be_moved_aside = failure.code == Code::CacheDamaged;
            if failure.source_as().is_some_and(CacheError::is_fatal) {
                self.discard_handle(request, failure.clone()).await;
                // Without disk space or memory, a retry would fail in the same way.
                again = !matches!(failure.code, Code::DiskFull | Code::OutOfMemory);
            }
            // The damage may also show up only now: if the tables do not match the ledger, a statement can fail in
            // any way. If a fresh open does not confirm the damage, a single read went wrong.
            if may_move_aside
                && note.is_none()
                && (may_be_moved_aside || failure.code == Code::Internal)
                && let Ok(found) = self.move_aside_if_damaged(request).await
            {
                again |= found.is_some() || may_be_moved_aside;
                note = found;
            }
            if again {
                info!(code = %failure.code, "the run begins again: {}", failure.for_log());
                result = self.answer_query(source, request, &events, &cancel).await;
            }
        }
        if let Ok(answer) = &mut result {
            answer.notes.splice(0..0, note);
        }
        // A failed run may have stored rows too.
        if result.as_ref().map_or(true, |answer| answer.days.fetched + answer.days.adopted > 0) {
            let room = self.evict_over_budget(Signature::of(&request.query)).await;
            if let Ok(answer) = &mut result {
                answer.notes.extend(room);
            }
        }
        result = match result {
            Ok(mut answer) => {
                if let Some(failure) = answer.failure.take() {
                    answer.failure = Some(name_refused_part(source, request, failure).await);
                }
                Ok(answer)
            }
            Err(failure) => Err(name_refused_part(source, request, failure).await),
        };
        log::ended(&result);
        match &result {
            Ok(_) if cancel.is_cancelled() => events(RunEvent::Cancelled),
            Ok(_) => events(RunEvent::Finished),
            Err(_) => events(RunEvent::Failed),
        }
        result
    }

    async fn answer_query(
        &self,
        source: Option<&Source>,
        request: &FetchRequest,
        events: &EventSink,
        cancel: &CancellationToken,
    ) -> Result<Answer> {
        let _guard = self.locks.shared(Signature::of(&request.query)).await;
        let begun = Instant::now();
        let moment = Arc::<RunMoment>::default();
        let prepared = tokio::select! {
            prepared = prepare(self, source, request, can_fetch(source, request)) => prepared?,
            () = cancel.cancelled() => return Err(Failure::new(Code::Cancelled, "The fetch was cancelled.")),
        };
        log::prepared(source, request, &prepared);
        // The days of a damaged file can be neither fetched nor adopted: report the damage.
        let cannot_fetch = !can_fetch(source, request) || prepared.reach == Reach::ReadOnly;
        if let Some(failure) = prepared.moved_aside.as_ref().filter(|_| cannot_fetch)
            && prepared.days(DayAction::Adopt).is_empty()
        {
            return Err(failure.clone());
        }
        let view = prepared.view();
        events(RunEvent::Planned {
            signature: view.signature,
            filters: request.query.filters.describe(&request.query.mapping.all_labels()),
            days_to_pull: view.counts.fetch + view.counts.refresh,
            days_cached: prepared.held,
            days_to_adopt: view.counts.adopt,
            windows: prepared.plan.windows.len(),
            expected_rows: prepared.plan.expected_rows,
        });
        // For a refresh, a check or days that must be replaced, rows read before the request do not count.
        let wants_new = request.mode != FetchMode::Normal
            || prepared.plan.days.iter().any(|day| day.action == Action::Refresh(RefreshReason::Replaced));
        let start = RunStart { earliest: wants_new.then_some(begun), moment };
        let mut outcome = self.carry_out(source, request, &prepared, &start, events, cancel).await?;
        if source.is_some_and(|source| source.run_commands() > 0) {
            outcome.notes.extend(source.and_then(Source::unverified_link).cloned());
            outcome.notes.extend(source.map(Source::warnings).unwrap_or_default().iter().cloned());
        }
        self.conclude(source, request, prepared, outcome, cancel, begun).await
    }

    /// Adopts and pulls as planned.
    async fn carry_out(
        &self,
        source: Option<&Source>,
        request: &FetchRequest,
        prepared: &Prepared,
        start: &RunStart,
        events: &EventSink,
        cancel: &CancellationToken,
    ) -> Result<Outcome> {
        let mut outcome = Outcome::default();
        let adopting = prepared.days(DayAction::Adopt);
        let mut windows = prepared.plan.windows.clone();
        if adopting.is_empty() && windows.is_empty() {
            return Ok(outcome);
        }
        let file = self.writable(prepared, &mut outcome).await?;
        // Taken before anything is adopted: adopted days were not cached before this run either.
        let first_of_run = file.next_segment();
        outcome.first_of_run = Some(first_of_run);
        for (run, broader) in adoptions(prepared) {
            let Adoption { adopted, left, failure } =
                self.adopt_run(prepared, &file, broader, run, start, cancel).await;
            outcome.adopted = outcome.adopted.union(&adopted);
            info!(from = %run.from(), to = %run.to(), days = adopted.len(), of = broader.signature, "days adopted");
            if let Some(failure) = &failure {
                info!(code = %failure.code, "not all days were adopted: {}", failure.for_log());
            }
            match failure {
                None => {}
                Some(failure) if failure.code == Code::DiskFull => return Err(failure),
                Some(failure) if prepared.reach != Reach::Online || cancel.is_cancelled() => {
                    outcome.failed.extend(left.days().map(|day| (day, failure.message.clone())));
                }
                // Days that cannot be evaluated locally are fetched from the server.
                Some(_) => {
                    windows.extend(left.ranges().iter().flat_map(|run| split(run, None, &self.limits)));
                }
            }
        }
        let Some(source) = source.filter(|_| !windows.is_empty()) else {
            if !outcome.adopted.is_empty() {
                let broader = adoptions(prepared).into_iter().map(|(_, broader)| broader.path.clone());
                let (broader, is_first) = (broader.collect(), prepared.held == 0);
                self.note_unmatched_in_cache(&request.query, &file, broader, is_first).await?;
            }
            return Ok(outcome);
        };
        let query = Arc::new(request.query.clone());
        let (empty_window_checks, origin) =
            (Arc::new(EmptyWindowChecks::of(request.range)), Arc::new(Mutex::new(prepared.origin.clone())));
        let pull = |windows: &[DayRange], earliest: Option<Instant>| -> Vec<PullHandle> {
            let pull_one = |window: &DayRange| {
                let (kind, moment) = (Kind::Server, Arc::clone(&start.moment));
                let order = Order { kind, window: *window, earliest, moment };
                let work = |window, counters, cancel| -> crate::engine::single_flight::Work {
                    Box::pin(pull_window(PullContext {
                        source: source.clone(),
                        query: Arc::clone(&query),
                        file: Arc::clone(&file),
                        window,
                        clock: self.clock(),
                        run_moment: Arc::clone(&start.moment),
                        attempt: Attempt::first(&start.moment),
                        origin: Arc::clone(&origin),
                        first_of_run,
                        counters,
                        cancel,
                        empty_window_checks: Arc::clone(&empty_window_checks),
                        limits: self.limits,
                    }))
                };
                self.pulls.join_or_start(&prepared.identity.signature, order, work)
            };
            windows.iter().flat_map(pull_one).collect()
        };
        outcome.live = Some(LivePlan {
            plan: prepared.plan.clone(),
            file: Arc::clone(&file),
            policy: prepared.policy.clone(),
        });
        let mut earliest = start.earliest;
        for round in 0.. {
            let handles = pull(&windows, earliest);
            let asked = DaySet::from_ranges(windows.iter().copied());
            let now = || self.time_at(Some(source));
            follow(handles, &asked, prepared.plan.expected_rows, events, cancel, &mut outcome, now).await;
            if outcome.failure.is_some() || cancel.is_cancelled() || windows.len() < 2 && round == 0 {
                break;
            }
            earliest = Some(Instant::now());
            let settled = |day: Day| prepared.policy.is_past_settling(day, self.time_at(Some(source)));
            let changed = tokio::select! {
                changed = changed_between_windows(source, &query, &file, &start.moment, &outcome.fetched, settled) => changed,
                () = cancel.cancelled() => break,
            };
            if changed.is_empty() {
                break;
            }
            info!(days = changed.len(), round, "days changed between the reads of the windows");
            if round == ROUNDS {
                warn!(days = changed.len(), "days stay unverified: they changed each time they were read");
                outcome.notes.extend(kept_changing(&changed));
                let file = Arc::clone(&file);
                off_thread(move || mark_as_differing(&file, &changed)).await?;
                break;
            }
            windows = changed.ranges().iter().flat_map(|run| split(run, None, &self.limits)).collect();
            outcome.fetched = outcome.fetched.difference(&changed);
        }
        let (collation, odd_dates) = (prepared.collation.clone(), outcome.odd_dates.take());
        if !outcome.fetched.is_empty() {
            let recorded = Arc::clone(&file);
            off_thread(move || {
                collation.map_or(Ok(()), |found| recorded.record_collation(&found))?;
                odd_dates.map_or(Ok(()), |found| Ok(recorded.record_odd_dates(&found)?))
            })
            .await?;
            if outcome.failure.is_none() {
                tokio::select! {
                    noted = self.note_unmatched(source, &query, &file, prepared.held == 0) => noted?,
                    () = cancel.cancelled() => {}
                }
            }
        }
        Ok(outcome)
    }

    async fn writable(&self, prepared: &Prepared, outcome: &mut Outcome) -> Result<Arc<CacheFile>> {
        let cache = self.cache().clone();
        let identity = Arc::clone(&prepared.identity);
        let opened = off_thread(move || Ok(cache.open_or_create(&identity)?)).await?;
        outcome.notes.extend(opened.moved_aside.map(|moved| Note::DamagedFile(Failure::from(moved).message)));
        Ok(opened.file)
    }

    async fn adopt_run(
        &self,
        prepared: &Prepared,
        file: &Arc<CacheFile>,
        broader: &Broader,
        run: DayRange,
        start: &RunStart,
        cancel: &CancellationToken,
    ) -> Adoption {
        let signature = &prepared.identity.signature;
        // Uses the same registry as pulls, so that no two commits compete for one day.
        let order =
            Order { kind: Kind::Adoption, window: run, earliest: None, moment: Arc::clone(&start.moment) };
        let handles = self.pulls.join_or_start(signature, order, |days, _, cancel| {
            let (cache, file, broader) = (self.cache().clone(), Arc::clone(file), broader.clone());
            let (identity, limits) = (Arc::clone(&prepared.identity), self.limits);
            let wanted = Wanted { days, held: prepared.plan.held() };
            Box::pin(async move {
                let Adopted { days, committed, stopped } = off_thread(move || {
                    let theirs = cache.open_listed(&broader.path)?;
                    let (conditions, mapping) = (&broader.conditions, &identity.mapping);
                    Ok(adopt::adopt(&file, &theirs, &wanted, conditions, mapping, &limits, &cancel)?)
                })
                .await?;
                Ok(Pulled {
                    committed,
                    adopted: days,
                    stopped: stopped.map(Failure::from),
                    ..Pulled::default()
                })
            })
        });
        let asked = DaySet::from(run);
        let mut adoption = Adoption::default();
        let mut take_in = |window: DayRange, outcome: Result<Pulled>| match outcome {
            Ok(pulled) => {
                adoption.adopted = adoption.adopted.union(&pulled.adopted.intersection(&asked));
                if let Some(failure) = pulled.stopped {
                    let left = DaySet::from(window).intersection(&asked).difference(&pulled.adopted);
                    adoption.left = adoption.left.union(&left);
                    adoption.failure = Some(failure);
                }
            }
            Err(failure) => {
                adoption.left = adoption.left.union(&DaySet::from(window).intersection(&asked));
                adoption.failure = Some(failure);
            }
        };
        for handle in &handles {
            tokio::select! {
                biased;
                () = cancel.cancelled() => break,
                outcome = handle.outcome().wait() => take_in(handle.window(), outcome),
            }
        }
        if cancel.is_cancelled() {
            // Days that were committed after the release are cached.
            for (window, outcome) in end(handles).await {
                take_in(window, outcome);
            }
            adoption.left = asked.difference(&adoption.adopted);
            adoption.failure = Some(Failure::new(Code::Cancelled, "The fetch was cancelled."));
        }
        adoption
    }

    async fn conclude(
        &self,
        source: Option<&Source>,
        request: &FetchRequest,
        prepared: Prepared,
        mut outcome: Outcome,
        cancel: &CancellationToken,
        begun: Instant,
    ) -> Result<Answer> {
        let mongo_commands = source.map_or(0, Source::run_commands);
        // A problem that a person has to fix is a failure, not a partial answer; committed days are kept.
        if let Some(failure) =
            outcome.failure.take_if(|failure| !is_out_of_reach(failure) && failure.code != Code::Cancelled)
        {
            self.drop_if_empty(&prepared).await;
            return Err(failure);
        }
        let signature = prepared.identity.signature.clone();
        let engine = self.clone();
        let range = request.range;
        let view = off_thread(move || match engine.view_blocking(&signature, range) {
            Ok(view) => Ok(Some(view)),
            Err(error) if matches!(error.kind(), CacheErrorKind::NotCached(_)) => Ok(None),
            Err(error) => Err(error.into()),
        })
        .await?;
        let coming = prepared.coming();
        let held: BTreeMap<Day, DayCoverage> = view.as_ref().map(|view| view.shown()).unwrap_or_default();
        if let Some(view) = &view {
            outcome.note_late(&prepared, &view.state().days);
        }
        // Read again: the days fetched just now were fetched after the plan was made.
        let now = self.time_at(source);
        let failure = outcome.failure.take().or_else(|| prepared.unreachable.clone());
        let replaced = view.as_ref().map(|view| view.replaced()).unwrap_or_default();
        let Derived { days, complete, origin } = derive(&Basis {
            range: request.range,
            shown: &held,
            replaced: &replaced,
            run: Some(RunOutcome {
                planned: &prepared.plan.days,
                fetched: &outcome.fetched,
                adopted: &outcome.adopted,
                failed: &outcome.failed,
                unverified: &prepared.unverified,
                is_offline: prepared.reach == Reach::Offline,
                is_lost: failure.as_ref().is_some_and(|failure| failure.code == Code::SourceUnreachable),
            }),
            policy: &prepared.policy,
            now,
        });
        let lacking = days.why_missing.iter().any(|missing| !coming.contains(missing.day));
        if held.is_empty() && lacking {
            drop(view);
            self.drop_if_empty(&prepared).await;
            // Neither the cached days nor the server are available; the damage is what the trader must know about.
            if let Some(moved_aside) = prepared.moved_aside.filter(|_| !cancel.is_cancelled()) {
                let cause =
                    failure.map_or_else(|| moved_aside.message.clone(), |failure| failure.to_string());
                return Err(Failure::new(Code::CacheDamaged, moved_aside.message).because(cause));
            }
            return Err(failure.unwrap_or_else(|| {
                if cancel.is_cancelled() {
                    Failure::new(Code::Cancelled, "The fetch was cancelled.")
                } else {
                    Failure::new(Code::NotCached, "None of these days is in the cache.")
                }
            }));
        }
        let counts = view.as_ref().map(|view| view.counts()).unwrap_or_default();
        let failure = failure
            .or_else(|| {
                cancel.is_cancelled().then(|| Failure::new(Code::Cancelled, "The fetch was cancelled."))
            })
            .map(|failure| with_next_step(failure, request.mode));
        let mut notes = Vec::new();
        if request.mode == FetchMode::Verify {
            let stamp = &request.query.mapping.changed_at;
            notes.push(Note::Checked(Checked {
                held: prepared.held,
                unverified: prepared.unverified.len(),
                differing: prepared.differing.len(),
                left: prepared.differing.difference(&outcome.fetched).len(),
            }));
            if let Some(path) = stamp.clone().filter(|_| prepared.unstamped > 0) {
                notes.push(Note::Unstamped { path, days: prepared.unstamped });
            }
            if prepared.held > prepared.unverified.len() {
                notes.push(Note::ComparedBy { one_by_one: prepared.hashed > 0, stamps: stamp.is_some() });
            }
        }
        notes.extend(prepared.clock.iter().flat_map(clock_notes));
        notes.extend(prepared.moved_aside.map(|failure| Note::DamagedFile(failure.message)));
        notes.append(&mut outcome.notes);
        let unmatched = view.as_ref().map(|view| unmatched_of(view)).unwrap_or_default();
        notes.extend(unmatched.iter().cloned().map(Note::Unmatched));
        // If no document has a trade id, the note on the unmatched trade id already says so.
        let has_ids = unmatched.iter().all(|of| of.part != UnmatchedPart::TradeId);
        let without_trade_id = if has_ids { outcome.without_trade_id } else { 0 };
        notes.extend(remarks(&request.query, without_trade_id, outcome.unreadable.len()));
        let left_out =
            view.as_ref().map(|view| left_out_of(view, &request.query.mapping)).unwrap_or_default();
        notes.extend(left_out.iter().cloned().map(Note::LeftOut));
        notes.dedup();
        Ok(Answer {
            signature: prepared.identity.signature.to_string(),
            source: SourceName::of(&request.query),
            filters: request.query.filters.describe(&request.query.mapping.all_labels()),
            answer: origin,
            complete,
            rows: AnswerRows { input: counts.input, downstream: counts.downstream },
            oldest_fetch: held.values().map(|held| held.fetched).min(),
            mongo_commands,
            elapsed_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            changes: outcome.changes.map(Differences::into_changes),
            left_out,
            unmatched,
            notes,
            failure,
            days,
        })
    }

    /// Moves a damaged file aside. Returns a note about it, or `None` if the file is sound after all.
    async fn move_aside_if_damaged(&self, request: &FetchRequest) -> Result<Option<Note>> {
        let identity = Identity::of(&request.query);
        let engine = self.clone();
        off_thread(move || {
            engine.close_views(&identity.signature);
            let name = engine.cache().move_aside_if_damaged(&identity)?;
            Ok(name.map(|name| Note::DamagedFile(moved_aside(&name))))
        })
        .await
    }

    /// Discards the handle of a database that DuckDB has invalidated.
    async fn discard_handle(&self, request: &FetchRequest, failure: Failure) {
        let (engine, signature) = (self.clone(), Signature::of(&request.query));
        let work = off_thread(move || {
            engine.start_afresh(&signature, &failure);
            Ok(())
        });
        // Cannot fail.
        let _ = work.await;
    }

    /// Deletes the file if a failed first fetch left it empty.
    async fn drop_if_empty(&self, prepared: &Prepared) {
        let signature = prepared.identity.signature.clone();
        let cache = self.cache().clone();
        let engine = self.clone();
        let work = off_thread(move || {
            engine.close_views(&signature);
            Ok(cache.delete_if_empty(&signature)?)
        });
        // An empty file that remains does no harm: it is not listed.
        let _ = work.await;
    }
}

/// Advises to repeat a refresh or a check that was cut short, since an ordinary fetch would not complete it.
fn with_next_step(failure: Failure, mode: FetchMode) -> Failure {
    match mode {
        FetchMode::Refresh if failure.code == Code::Cancelled => {
            failure.advise("Days that were not reached are unverified; refresh again to update them.")
        }
        FetchMode::Verify if failure.code == Code::Cancelled => {
            failure.advise("Days that were not reached are unverified; verify again to check them.")
        }
        _ => failure,
    }
}

/// Whether a run may query the source, so that it can fetch again what it moves aside.
const fn can_fetch(source: Option<&Source>, request: &FetchRequest) -> bool {
    source.is_some() && !request.offline
}

/// How many times days are pulled again that changed between the windows of a run.
const ROUNDS: u32 = 2;

/// The settled days, among those that a run pulled in windows that each read at their own moment, whose trade count
/// at the source has changed since. A trade may have moved from a window yet to be read to one already read, or the
/// other way round.
async fn changed_between_windows(
    source: &Source,
    query: &Query,
    file: &Arc<CacheFile>,
    moment: &RunMoment,
    pulled: &DaySet,
    is_settled: impl Fn(Day) -> bool,
) -> DaySet {
    if moment.reads_snapshots().await {
        return DaySet::new();
    }
    // Everything was pulled; if the count fails, no day is known to differ.
    let Ok(counts) = count_in_parts(source, query, pulled).await else { return DaySet::new() };
    let state = file.state();
    let differs = |day: &Day| {
        let held = state.days.get(day);
        is_settled(*day)
            && held.is_some_and(|held| {
                let mark = held.change_mark.as_deref();
                !held.differs && verify::counts_differ(counts.get(day), held.input_rows, &held.left_out, mark)
            })
    };
    pulled.days().filter(differs).collect()
}

/// Number of parts into which a count of many days is divided, to run all at once: a server counts each on one core.
const COUNTED_AT_ONCE: usize = 3;

/// Counts the trades of some days at the source.
async fn count_in_parts(source: &Source, query: &Query, days: &DaySet) -> Result<BTreeMap<Day, DayCount>> {
    let days: Vec<Day> = days.days().collect();
    let mut parts = Vec::new();
    for part in days.chunks(days.len().div_ceil(COUNTED_AT_ONCE).max(1)) {
        let [first, .., last] = part else {
            parts.extend(part.first().map(|only| DayRange::new(*only, *only)).transpose()?);
            continue;
        };
        parts.push(DayRange::new(*first, *last)?);
    }
    let mut asked = Vec::new();
    for part in &parts {
        asked.push(source.day_counts(query, *part));
    }
    let counted = try_join_all(asked).await?;
    // The match for some days may also return documents of adjacent days.
    let of_part = |(part, counts): (&DayRange, BTreeMap<Day, DayCount>)| {
        let part = *part;
        counts.into_iter().filter(move |(day, _)| part.contains(*day)).collect::<Vec<_>>()
    };
    Ok(parts.iter().zip(counted).flat_map(of_part).collect())
}

/// Marks days that could not be read as of one moment.
fn mark_as_differing(file: &CacheFile, days: &DaySet) -> Result<()> {
    let state = file.state();
    let checked = days
        .days()
        .filter_map(|day| {
            let held = state.days.get(&day)?;
            Some((day, CheckedDay { segment: held.segment, differed: held.differs, differs: true }))
        })
        .collect();
    Ok(file.record_check(&checked)?)
}

/// What all pulls of a run share from its start.
struct RunStart {
    /// Pulls that read the source as of an earlier time do not qualify.
    earliest: Option<Instant>,
    moment: Arc<RunMoment>,
}

/// Notes on clocks that differ and on a node that lags behind.
fn clock_notes(clock: &ServerClock) -> Vec<Note> {
    let skew = (clock.ahead.abs() > SKEW).then_some(Note::ClockSkew { ahead: clock.ahead });
    let lag = (clock.lag > SKEW).then_some(Note::NodeLag { lag: clock.lag });
    skew.into_iter().chain(lag).collect()
}

/// Waits for the pulls, reports their progress, and collects their results.
async fn follow(
    handles: Vec<PullHandle>,
    asked: &DaySet,
    expected_rows: Option<u64>,
    events: &EventSink,
    cancel: &CancellationToken,
    outcome: &mut Outcome,
    now: impl Fn() -> DateTime<Utc>,
) {
    let mut meter =
        Meter::new(handles.iter().map(PullHandle::counters).collect(), expected_rows, asked.len());
    let mut waiting: FuturesUnordered<_> = handles
        .iter()
        .map(|handle| {
            let (window, outcome) = (handle.window(), handle.outcome());
            async move { (window, outcome.wait().await) }
        })
        .collect();
    let mut tick = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            next = waiting.next() => {
                let Some((window, result)) = next else { break };
                match result {
                    Ok(pulled) => gather(outcome, asked, window, &pulled, events, now()),
                    Err(failure) => {
                        let days = DaySet::from_ranges([window]).intersection(asked);
                        outcome.failed.extend(days.days().map(|day| (day, failure.message.clone())));
                        // A failure that a person has to fix takes precedence over an unreachable source.
                        if outcome.failure.as_ref().is_none_or(is_out_of_reach) {
                            outcome.failure = Some(failure);
                        }
                        // What stopped one window would stop the rest.
                        break;
                    }
                }
            }
            () = cancel.cancelled() => break,
            _ = tick.tick() => {}
        }
        meter.tick(outcome.fetched.len()).into_iter().for_each(|event| events(event));
    }
    for (window, result) in end(handles).await {
        // Committed after the release: the days are cached, and their changes are reported.
        if let Ok(pulled) = result {
            gather(outcome, asked, window, &pulled, events, now());
        }
    }
    meter.tick(outcome.fetched.len()).into_iter().for_each(|event| events(event));
    let why = match &outcome.failure {
        Some(failure) => failure.message.clone(),
        None => "the fetch was cancelled".to_owned(),
    };
    for day in asked.difference(&outcome.fetched).days() {
        outcome.failed.entry(day).or_insert_with(|| why.clone());
    }
}

/// Releases the handles and returns the outcomes of pulls that no other run waits for. Waits until cursors have been
/// closed and transactions in progress have ended, so that a program may exit, or a file be deleted, right
/// afterwards.
async fn end(handles: Vec<PullHandle>) -> Vec<(DayRange, Result<Pulled>)> {
    let mut ending: FuturesUnordered<_> = handles
        .into_iter()
        .filter_map(|handle| {
            let window = handle.window();
            let outcome = handle.release()?;
            Some(async move { (window, outcome.wait().await) })
        })
        .collect();
    let mut ended = Vec::new();
    let all = async {
        while let Some(one) = ending.next().await {
            ended.push(one);
        }
    };
    let _ = tokio::time::timeout(END_LIMIT, all).await;
    ended
}

/// Adds a committed window to the outcome, unless it has been added already.
fn gather(
    outcome: &mut Outcome,
    asked: &DaySet,
    window: DayRange,
    pulled: &Pulled,
    events: &EventSink,
    now: DateTime<Utc>,
) {
    let days = DaySet::from_ranges([window]).intersection(asked);
    if days.difference(&outcome.fetched).is_empty() {
        return;
    }
    outcome.fetched = outcome.fetched.union(&days);
    if let Some(differences) = &pulled.committed.changes {
        outcome.changes.get_or_insert_default().extend(differences);
    }
    outcome.without_trade_id += pulled.without_trade_id;
    outcome.unreadable.extend(&pulled.unreadable);
    if pulled.odd_dates.is_some() {
        outcome.odd_dates.clone_from(&pulled.odd_dates);
    }
    for note in &pulled.notes {
        if !outcome.notes.contains(note) {
            outcome.notes.push(note.clone());
        }
    }
    let (days, sentence) = outcome.live.as_mut().map(|live| live.stored(window, now)).unwrap_or_default();
    events(RunEvent::ChunkStored {
        from: window.from(),
        to: window.to(),
        input_rows: pulled.committed.input_rows,
        downstream_rows: pulled.committed.downstream_rows,
        days,
        sentence,
    });
}

/// Ranges of days to adopt, each with the query that they come from.
fn adoptions(prepared: &Prepared) -> Vec<(DayRange, &Broader)> {
    prepared
        .broader
        .iter()
        .flat_map(|broader| {
            let days: DaySet = prepared
                .plan
                .days
                .iter()
                .filter(|day| matches!(&day.action, Action::Adopt { from } if *from == broader.signature))
                .map(|day| day.day)
                .collect();
            days.ranges().iter().map(|run| (*run, broader)).collect::<Vec<_>>()
        })
        .collect()
}

fn remarks(query: &Query, without_trade_id: u64, unreadable: usize) -> Vec<Note> {
    let path = query.mapping.trade_id.clone().unwrap_or_default();
    let without = (without_trade_id > 0).then_some(Note::WithoutTradeId { path, trades: without_trade_id });
    let unreadable = (unreadable > 0).then_some(Note::Unreadable { documents: unreadable });
    without.into_iter().chain(unreadable).collect()
}
