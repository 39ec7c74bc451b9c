//! A run from plan to answer.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::try_join_all;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio_util::sync::CancellationToken;

use super::browse::left_out_of;
use super::engine::{Engine, off_thread};
use super::event::{EventSink, RunEvent};
use super::prepare::{Broader, FetchRequest, Prepared, is_out_of_reach, prepare};
use super::progress::{Meter, TICK};
use super::pull::{Attempt, Doubts, PullContext, Pulled, pull_window, unsettled_sentence};
use super::shared::{Kind, Order, Ticket};
use super::unmatched::unmatched_of;
use super::verify;
use crate::answer::changes::Differences;
use crate::answer::left_out::FoundOddDates;
use crate::answer::{Answer, AnswerDays, AnswerRows, MissingDay, Origin, UnmatchedPart};
use crate::api::plan::DayAction;
use crate::bson::change_stamp::DayCount;
use crate::cache::adopt::{self, Adopted, Wanted};
use crate::cache::{CacheFile, CheckedDay, HeldDay, Identity, is_damage, is_fatal};
use crate::day::{Day, DayRange, DaySet};
use crate::decode::DocumentHash;
use crate::failure::{Code, Failure, Result};
use crate::plan::ledger::{DayCoverage, RefreshReason, has_moved, state_of};
use crate::plan::ledger::{DayState, FetchMode};
use crate::plan::{Action, Reach, split};
use crate::query::signature::Signature;
use crate::query::source::Query;
use crate::source::{RunMoment, ServerClock, Source};

/// How long a run waits for what it gave up.
const END_LIMIT: Duration = Duration::from_secs(5);

/// What the pulls of a run came to.
#[derive(Debug, Default)]
struct Outcome {
    fetched: DaySet,
    adopted: DaySet,
    changes: Option<Differences>,
    without_trade_id: u64,
    unreadable: HashSet<DocumentHash>,
    odd_dates: Option<Arc<FoundOddDates>>,
    notes: Vec<String>,
    /// The failure that says most, and the days it cost.
    failure: Option<Failure>,
    failed: BTreeMap<Day, String>,
    /// The file's next segment when the run began to store.
    run_since: Option<u32>,
}

/// How far this machine's clock and the server's may differ before the answer says so; likewise how far a node may
/// be behind.
const SKEW: TimeDelta = TimeDelta::seconds(60);

/// What adopting a stretch of days came to.
#[derive(Debug, Default)]
struct Adoption {
    /// The days that it copied.
    adopted: DaySet,
    /// Those that it did not come to, and why.
    left: DaySet,
    failure: Option<Failure>,
}

impl Outcome {
    /// Takes in what was committed while the run gave it up: it was waited for, and it is held.
    fn note_late(&mut self, prepared: &Prepared, held: &BTreeMap<Day, HeldDay>) {
        let Some(run_since) = self.run_since else { return };
        let late = prepared.plan.days.iter().filter(|planned| {
            let fetched_before = planned.held.as_ref().map(|held| held.fetched);
            planned.is_pulled()
                && held
                    .get(&planned.day)
                    .is_some_and(|held| held.segment >= run_since && Some(held.fetched) != fetched_before)
        });
        self.fetched = self.fetched.union(&late.map(|planned| planned.day).collect());
    }
}

impl Engine {
    /// Answers a query: serves what is held, adopts and pulls the rest, and commits it window by
    /// window. The answer may be partial; it says which days are missing and why.
    ///
    /// The commands that it counts are this run's own. A pull that several runs wait for is counted for the
    /// one that began it.
    ///
    /// # Errors
    /// Any of the contract's failures, where there is no answer at all or where a person has to act:
    /// a wrong password, a filter the server refuses, a full disk. What was committed is kept.
    pub async fn fetch(
        &self,
        source: Option<&Source>,
        request: &FetchRequest,
        events: EventSink,
        cancel: CancellationToken,
    ) -> Result<Answer> {
        let source = source.map(Source::of_a_run);
        let source = source.as_ref();
        let may_set_aside = can_fetch(source, request);
        // Damage that opening the file does not show turned up when its rows were read.
        let suspect = may_set_aside && self.cache().is_suspect(&Signature::of(&request.query));
        let mut note = if suspect { self.set_damaged_aside(request).await.ok().flatten() } else { None };
        let mut result = self.answer_query(source, request, &events, &cancel).await;
        if let Err(failure) = result.as_ref()
            && !cancel.is_cancelled()
        {
            let mut again = false;
            if is_fatal(failure) {
                self.give_handle_up(request, failure.clone()).await;
                // Without room for it, the same thing would happen again.
                again = !matches!(failure.code, Code::DiskFull | Code::OutOfMemory);
            }
            // Or it turns up now: tables that are not as the ledger says fail a statement in any way. What a
            // fresh look does not confirm was a read that went wrong once.
            if may_set_aside
                && note.is_none()
                && (is_damage(failure) || failure.code == Code::Internal)
                && let Ok(found) = self.set_damaged_aside(request).await
            {
                again |= found.is_some() || is_damage(failure);
                note = found;
            }
            if again {
                result = self.answer_query(source, request, &events, &cancel).await;
            }
        }
        if let Ok(answer) = &mut result {
            answer.notes.splice(0..0, note);
        }
        // A failed run may have stored something as well.
        if result.as_ref().map_or(true, |answer| answer.days.fetched + answer.days.adopted > 0) {
            let room = self.keep_within_budget(Signature::of(&request.query)).await;
            if let Ok(answer) = &mut result {
                answer.notes.extend(room);
            }
        }
        match &result {
            Ok(answer) if cancel.is_cancelled() => {
                events(RunEvent::Cancelled { answer: Box::new(answer.clone()) });
            }
            Ok(answer) => events(RunEvent::Finished { answer: Box::new(answer.clone()) }),
            Err(failure) => events(RunEvent::Failed { failure: failure.clone() }),
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
        let _run = self.running.begin(Signature::of(&request.query)).await;
        let begun = Instant::now();
        let moment = Arc::<RunMoment>::default();
        let prepared = tokio::select! {
            prepared = prepare(self, source, request, can_fetch(source, request)) => prepared?,
            () = cancel.cancelled() => return Err(Failure::new(Code::Cancelled, "The fetch was cancelled.")),
        };
        // Nothing takes the place of a damaged file that cannot be fetched again.
        let cannot_fetch = !can_fetch(source, request) || prepared.reach == Reach::ReadOnly;
        if let Some(failure) = prepared.set_aside.as_ref().filter(|_| cannot_fetch)
            && prepared.days(DayAction::Adopt).is_empty()
        {
            return Err(failure.clone());
        }
        let view = prepared.view();
        events(RunEvent::Planned {
            signature: view.signature,
            days_to_pull: view.counts.fetch + view.counts.refresh,
            days_cached: prepared.held,
            days_to_adopt: view.counts.adopt,
            windows: prepared.plan.windows.len(),
            expected_rows: prepared.plan.expected_rows,
        });
        // What was read before it was asked for is neither a refresh nor what a check called for.
        let wants_new = request.mode != FetchMode::Normal
            || prepared.plan.days.iter().any(|day| day.action == Action::Refresh(RefreshReason::Replaced));
        let start = RunStart { earliest: wants_new.then_some(begun), moment };
        let mut outcome = self.carry_out(source, request, &prepared, &start, events, cancel).await?;
        if source.is_some_and(|source| source.own_commands() > 0) {
            outcome.notes.extend(source.and_then(Source::unverified_link).map(str::to_owned));
            outcome.notes.extend(source.map(Source::warnings).unwrap_or_default().iter().cloned());
        }
        self.conclude(source, request, prepared, outcome, cancel, begun).await
    }

    /// Adopts and pulls what the plan says.
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
        // Before anything is adopted: what that brings was not held before either.
        let run_since = file.next_segment();
        outcome.run_since = Some(run_since);
        for (run, broader) in adoptions(prepared) {
            let Adoption { adopted, left, failure } =
                self.adopt_run(prepared, &file, broader, run, start, cancel).await;
            outcome.adopted = outcome.adopted.union(&adopted);
            match failure {
                None => {}
                Some(failure) if failure.code == Code::DiskFull => return Err(failure),
                Some(failure) if prepared.reach != Reach::Online || cancel.is_cancelled() => {
                    outcome.failed.extend(left.days().map(|day| (day, failure.message.clone())));
                }
                // What cannot be decided locally is asked of the server.
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
        let (doubts, origin) =
            (Arc::new(Doubts::of(request.range)), Arc::new(Mutex::new(prepared.origin.clone())));
        let pull = |windows: &[DayRange], earliest: Option<Instant>| -> Vec<Ticket> {
            let pull_one = |window: &DayRange| {
                let (kind, moment) = (Kind::Server, Arc::clone(&start.moment));
                let order = Order { kind, window: *window, earliest, moment };
                let work = |window, counters, cancel| -> super::shared::Work {
                    Box::pin(pull_window(PullContext {
                        source: source.clone(),
                        query: Arc::clone(&query),
                        file: Arc::clone(&file),
                        window,
                        clock: self.clock(),
                        run_moment: Arc::clone(&start.moment),
                        attempt: Attempt::first(&start.moment),
                        origin: Arc::clone(&origin),
                        run_since,
                        counters,
                        cancel,
                        doubts: Arc::clone(&doubts),
                        limits: self.limits,
                    }))
                };
                self.pulls.join_or_start(&prepared.identity.signature, order, work)
            };
            windows.iter().flat_map(pull_one).collect()
        };
        let mut earliest = start.earliest;
        for round in 0.. {
            let tickets = pull(&windows, earliest);
            let asked = DaySet::from_ranges(windows.iter().copied());
            follow(tickets, &asked, prepared.plan.expected_rows, events, cancel, &mut outcome).await;
            if outcome.failure.is_some() || cancel.is_cancelled() || windows.len() < 2 && round == 0 {
                break;
            }
            earliest = Some(Instant::now());
            let settled = |day: Day| prepared.policy.is_over(day, self.time_at(Some(source)));
            let changed = tokio::select! {
                changed = torn_between(source, &query, &file, &start.moment, &outcome.fetched, settled) => changed,
                () = cancel.cancelled() => break,
            };
            if changed.is_empty() {
                break;
            }
            if round == ROUNDS {
                outcome.notes.push(unsettled_sentence(&changed));
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
                odd_dates.map_or(Ok(()), |found| recorded.record_odd_dates(&found))
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
        let opened = off_thread(move || cache.open_or_create(&identity)).await?;
        outcome.notes.extend(opened.set_aside.map(|failure| failure.message));
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
        // Through the same registry as pulls, so that no two commits race for one day.
        let order =
            Order { kind: Kind::Adoption, window: run, earliest: None, moment: Arc::clone(&start.moment) };
        let tickets = self.pulls.join_or_start(signature, order, |days, _, cancel| {
            let (cache, file, broader) = (self.cache().clone(), Arc::clone(file), broader.clone());
            let (identity, limits) = (Arc::clone(&prepared.identity), self.limits);
            let wanted = Wanted { days, held: prepared.plan.held() };
            Box::pin(async move {
                let Adopted { days, committed, stopped } = off_thread(move || {
                    let theirs = cache.open_listed(&broader.path)?;
                    let (conditions, mapping) = (&broader.conditions, &identity.mapping);
                    adopt::adopt(&file, &theirs, &wanted, conditions, mapping, &limits, &cancel)
                })
                .await?;
                Ok(Pulled { committed, adopted: days, stopped, ..Pulled::default() })
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
        for ticket in &tickets {
            tokio::select! {
                biased;
                () = cancel.cancelled() => break,
                outcome = ticket.waiting().outcome() => take_in(ticket.window(), outcome),
            }
        }
        if cancel.is_cancelled() {
            // What was committed while it was given up is held.
            for (window, outcome) in end(tickets).await {
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
        let mongo_commands = source.map_or(0, Source::own_commands);
        // What a person has to mend is a failure, not a partial answer; what was committed is kept.
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
            Err(failure) if failure.code == Code::NotCached => Ok(None),
            Err(failure) => Err(failure),
        })
        .await?;
        let coming = prepared.coming();
        let held: BTreeMap<Day, DayCoverage> = view.as_ref().map(|view| view.shown()).unwrap_or_default();
        if let Some(view) = &view {
            outcome.note_late(&prepared, &view.state().days);
        }
        // Read anew: what was fetched just now was fetched after the plan was made.
        let now = self.time_at(source);
        let is_replaced = |day: Day| view.as_ref().is_some_and(|view| view.state().days.contains_key(&day));
        let days = answer_days(&prepared, &outcome, &held, is_replaced, now);
        let lacking = days.why_missing.iter().any(|missing| !coming.contains(missing.day));
        let failure = outcome.failure.or_else(|| prepared.unreachable.clone());
        if held.is_empty() && lacking {
            drop(view);
            self.drop_if_empty(&prepared).await;
            // What was cached is out of reach now, and so is the server: the first is what a person must know.
            if let Some(set_aside) = prepared.set_aside.filter(|_| !cancel.is_cancelled()) {
                let cause = failure.map_or_else(|| set_aside.message.clone(), |failure| failure.to_string());
                return Err(Failure::new(Code::CacheDamaged, set_aside.message).because(cause));
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
        // Where nothing came of asking, the cache alone has answered.
        let is_gone = |failure: &Failure| failure.code == Code::SourceUnreachable;
        let in_vain = days.fetched == 0 && failure.as_ref().is_some_and(is_gone);
        let origin = if prepared.reach == Reach::Offline || in_vain {
            Origin::Offline
        } else if days.fetched == 0 {
            Origin::Cache
        } else if days.from_cache + days.adopted == 0 {
            Origin::Server
        } else {
            Origin::PartCache
        };
        let failure = failure
            .or_else(|| {
                cancel.is_cancelled().then(|| Failure::new(Code::Cancelled, "The fetch was cancelled."))
            })
            .map(|failure| with_next_step(failure, request.mode));
        let mut notes = Vec::new();
        if request.mode == FetchMode::Verify {
            notes.push(verify::sentence(
                prepared.held,
                &prepared.differing,
                &prepared.unverified,
                &outcome.fetched,
            ));
            let stamp = request.query.mapping.changed_at.as_deref().filter(|_| prepared.unstamped > 0);
            notes.extend(stamp.map(|path| verify::unstamped_sentence(path, prepared.unstamped)));
            if prepared.held > prepared.unverified.len() {
                let is_stamped = request.query.mapping.changed_at.is_some();
                notes.push(verify::kind_sentence(is_stamped, prepared.hashed));
            }
        }
        notes.extend(prepared.clock.iter().flat_map(clock_notes));
        notes.extend(prepared.set_aside.map(|failure| failure.message));
        notes.append(&mut outcome.notes);
        let unmatched = view.as_ref().map(|view| unmatched_of(view)).unwrap_or_default();
        notes.extend(unmatched.iter().map(|of| of.why.clone()));
        // If none has an id, that was just said.
        let has_ids = unmatched.iter().all(|of| of.part != UnmatchedPart::TradeId);
        let without_trade_id = if has_ids { outcome.without_trade_id } else { 0 };
        notes.extend(remarks(&request.query, without_trade_id, outcome.unreadable.len()));
        let left_out =
            view.as_ref().map(|view| left_out_of(view, &request.query.mapping)).unwrap_or_default();
        notes.extend(left_out.iter().map(|left_out| left_out.why.clone()));
        notes.dedup();
        Ok(Answer {
            signature: prepared.identity.signature.to_string(),
            answer: origin,
            // Days that are known to differ are not the answer.
            complete: days.missing.is_empty()
                && !held
                    .iter()
                    .any(|(day, held)| held.is_in_doubt() || has_moved(*day, held, &prepared.policy)),
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

    /// Moves a damaged file out of the way; what was done, or nothing where the file is sound after all.
    async fn set_damaged_aside(&self, request: &FetchRequest) -> Result<Option<String>> {
        let identity = Identity::of(&request.query);
        let engine = self.clone();
        off_thread(move || {
            engine.close_views(&identity.signature);
            engine.cache().set_aside(&identity)
        })
        .await
    }

    /// Gives up the handle of a database that DuckDB refuses to go on with.
    async fn give_handle_up(&self, request: &FetchRequest, failure: Failure) {
        let (engine, signature) = (self.clone(), Signature::of(&request.query));
        let work = off_thread(move || {
            engine.start_afresh(&signature, &failure);
            Ok(())
        });
        // Nothing in it fails.
        let _ = work.await;
    }

    /// A file that a failed first fetch left without a day says nothing; it goes.
    async fn drop_if_empty(&self, prepared: &Prepared) {
        let signature = prepared.identity.signature.clone();
        let cache = self.cache().clone();
        let engine = self.clone();
        let work = off_thread(move || {
            engine.close_views(&signature);
            cache.delete_if_empty(&signature)
        });
        // An empty file that stays does no harm: it is not listed.
        let _ = work.await;
    }
}

/// What is left of a refresh or a check that was cut short is not what a plain fetch would bring.
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

/// Whether a run may ask the source, so that what it sets aside can be fetched again.
const fn can_fetch(source: Option<&Source>, request: &FetchRequest) -> bool {
    source.is_some() && !request.offline
}

/// How often days are pulled again that changed between the windows of a run.
const ROUNDS: u32 = 2;

/// The settled days among those that a run has pulled window by window, each window at a moment of its own, of
/// which the source counts other trades now: one may have moved from a window that was still to be read to one
/// that was read already, or the other way.
async fn torn_between(
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
    // Everything was pulled: if counting fails, nothing is known to differ.
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

/// Parts that a count of many days is asked in, all at once: a server counts each on one core.
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
    // The match of some days may bring a few of their neighbours.
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
    file.record_check(&checked)
}

/// What the pulls of a run have in common from its start.
struct RunStart {
    /// A pull that reads the source as of an earlier time does not do.
    earliest: Option<Instant>,
    moment: Arc<RunMoment>,
}

/// What a trader must know of clocks that differ and of a node that is behind.
fn clock_notes(clock: &ServerClock) -> Vec<String> {
    let mut notes = Vec::new();
    if clock.ahead.abs() > SKEW {
        let (skew, how) = (words(clock.ahead.abs()), if clock.ahead > SKEW { "behind" } else { "ahead of" });
        notes.push(format!("This computer's clock is {skew} {how} the server's; the server's time is used."));
    }
    if clock.lag > SKEW {
        let lag = words(clock.lag);
        notes.push(format!(
            "The server that answered is {lag} behind; days for which it may lack rows stay open."
        ));
    }
    notes
}

/// A span of time in its largest unit.
fn words(span: TimeDelta) -> String {
    // Clocks are not compared to the second.
    let span = span + TimeDelta::seconds(30);
    let (number, unit) = match (span.num_days(), span.num_hours(), span.num_minutes()) {
        (2.., ..) => (span.num_days(), "days"),
        (_, 2.., _) => (span.num_hours(), "hours"),
        (.., 2..) => (span.num_minutes(), "minutes"),
        _ => (span.num_seconds(), "seconds"),
    };
    format!("{number} {unit}")
}

/// Waits for the pulls, tells how they come along, and gathers what they came to.
async fn follow(
    tickets: Vec<Ticket>,
    asked: &DaySet,
    expected_rows: Option<u64>,
    events: &EventSink,
    cancel: &CancellationToken,
    outcome: &mut Outcome,
) {
    let mut meter = Meter::new(tickets.iter().map(Ticket::counters).collect(), expected_rows, asked.len());
    let mut waiting: FuturesUnordered<_> = tickets
        .iter()
        .map(|ticket| {
            let (window, waiting) = (ticket.window(), ticket.waiting());
            async move { (window, waiting.outcome().await) }
        })
        .collect();
    let mut tick = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            next = waiting.next() => {
                let Some((window, result)) = next else { break };
                match result {
                    Ok(pulled) => gather(outcome, asked, window, &pulled, events),
                    Err(failure) => {
                        let days = DaySet::from_ranges([window]).intersection(asked);
                        outcome.failed.extend(days.days().map(|day| (day, failure.message.clone())));
                        // A failure that a person has to mend is worth more than "out of reach".
                        if outcome.failure.as_ref().is_none_or(is_out_of_reach) {
                            outcome.failure = Some(failure);
                        }
                        // What stopped one window stops the rest.
                        break;
                    }
                }
            }
            () = cancel.cancelled() => break,
            _ = tick.tick() => {}
        }
        meter.tick(outcome.fetched.len()).into_iter().for_each(|event| events(event));
    }
    for (window, result) in end(tickets).await {
        // Committed while it was given up: it is held, and what it changed is told.
        if let Ok(pulled) = result {
            gather(outcome, asked, window, &pulled, events);
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

/// Gives tickets up. A cursor that is being stopped and a transaction that is under way come to their end
/// first, so that a program may end, or a file be deleted, right after. What they came to, where nobody else
/// waits for it.
async fn end(tickets: Vec<Ticket>) -> Vec<(DayRange, Result<Pulled>)> {
    let mut ending: FuturesUnordered<_> = tickets
        .into_iter()
        .filter_map(|ticket| {
            let window = ticket.window();
            let waiting = ticket.give_up()?;
            Some(async move { (window, waiting.outcome().await) })
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

/// Takes in a window that is committed, once.
fn gather(outcome: &mut Outcome, asked: &DaySet, window: DayRange, pulled: &Pulled, events: &EventSink) {
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
    events(RunEvent::ChunkStored {
        from: window.from(),
        to: window.to(),
        input_rows: pulled.committed.input_rows,
        downstream_rows: pulled.committed.downstream_rows,
    });
}

/// Stretches of days to adopt, each with the query they come from.
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

fn answer_days(
    prepared: &Prepared,
    outcome: &Outcome,
    held: &BTreeMap<Day, DayCoverage>,
    is_replaced: impl Fn(Day) -> bool,
    now: DateTime<Utc>,
) -> AnswerDays {
    let mut days = AnswerDays { requested: prepared.plan.days.len(), ..AnswerDays::default() };
    for planned in &prepared.plan.days {
        let day = planned.day;
        let coverage = held.get(&day);
        if coverage.is_none() {
            let why = match (&planned.action, outcome.failed.get(&day)) {
                (_, Some(why)) => why.clone(),
                (Action::Unavailable(reason), None) => reason.describe().to_owned(),
                // Held, but not shown beside days of the source that is there now.
                _ if is_replaced(day) => RefreshReason::Replaced.describe().to_owned(),
                _ => "it was not fetched".to_owned(),
            };
            days.missing.push(day);
            days.why_missing.push(MissingDay { day, why });
            continue;
        }
        if outcome.fetched.contains(day) {
            days.fetched += 1;
        } else if outcome.adopted.contains(day) {
            days.adopted += 1;
        } else {
            days.from_cache += 1;
        }
        let is_unchecked = prepared.unverified.contains(day) && !outcome.fetched.contains(day);
        let has_moved = coverage.is_some_and(|held| has_moved(day, held, &prepared.policy));
        if is_unchecked || has_moved || coverage.is_some_and(DayCoverage::is_in_doubt) {
            days.unverified.push(day);
        }
        if state_of(day, coverage, now, &prepared.policy) != DayState::Settled {
            days.open.push(day);
        }
    }
    days
}

fn remarks(query: &Query, without_trade_id: u64, unreadable: usize) -> Vec<String> {
    let mut remarks = Vec::new();
    if without_trade_id > 0 {
        let path = query.mapping.trade_id.as_deref().unwrap_or_default();
        remarks.push(match without_trade_id {
            1 => format!("1 trade has no trade id ({path}); its messages cannot be found."),
            many => {
                format!("{many} trades have no trade id ({path}); their messages cannot be found.")
            }
        });
    }
    match unreadable {
        0 => {}
        1 => remarks.push(
            "1 document holds bytes that are not valid BSON; it is kept as it is, and some of its fields are not shown."
                .to_owned(),
        ),
        many => remarks.push(format!(
            "{many} documents hold bytes that are not valid BSON; they are kept as they are, and some of their fields are not shown."
        )),
    }
    remarks
}
