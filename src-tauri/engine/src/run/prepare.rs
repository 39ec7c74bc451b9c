//! What a run decides before it pulls anything.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::engine::{Engine, off_thread};
use super::verify::{self, Mark, Marks};
use crate::answer::left_out;
use crate::api::plan::{DayAction, DayView, PlanView, WindowView};
use crate::bson::number::approximate;
use crate::cache::{CacheFile, FileState, Identity, Origin, is_damage, read_only};
use crate::day::{Day, DayRange, DaySet};
use crate::failure::{Code, Failure, Result};
use crate::plan::ledger::FetchMode;
use crate::plan::ledger::{Ledger, Policy};
use crate::plan::{Action, Plan, PlanRequest, Reach, UnavailableReason};
use crate::query::collation::Collation;
use crate::query::filter::FieldCondition;
use crate::query::source::Query;
use crate::source::{ESTIMATE_DAYS, ServerClock, Source};

/// A query with its days, and how to answer it.
#[derive(Debug, Clone)]
pub struct FetchRequest {
    /// The query.
    pub query: Query,
    /// The requested days.
    pub range: DayRange,
    /// How to treat days that are held.
    pub mode: FetchMode,
    /// Whether the source must not be asked.
    pub offline: bool,
}

/// A broader cached query that days can be adopted from.
#[derive(Debug, Clone)]
pub(super) struct Broader {
    /// Its file. It is not kept open: another Tidemark may want it.
    pub(super) path: PathBuf,
    pub(super) signature: String,
    /// The conditions to evaluate locally.
    pub(super) conditions: Vec<FieldCondition>,
    /// The days that may be adopted.
    ledger: Ledger,
    state: Arc<FileState>,
}

impl Broader {
    /// The origins of its days differ from day to day, and no answer holds rows of two: only those of this one
    /// may be adopted. An unknown one excludes none but those that its own file doubts.
    fn keep_to(&mut self, origin: Option<&Origin>) {
        self.ledger = self.state.ledger_for(origin);
        // What is left out is not held, so nobody can tell whether the conditions hold for it.
        let is_whole = |day: &Day| {
            self.state.days.get(day).is_some_and(|held| !left_out::concern_unheld(&held.left_out))
        };
        self.ledger.retain(|day, _| is_whole(day));
        self.ledger.retain(|_, held| !held.foreign);
    }
}

/// The plan and what it was made of.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) identity: Arc<Identity>,
    pub(super) plan: Plan,
    pub(super) policy: Policy,
    /// What the source is, if it was asked, and how it compares text.
    pub(super) origin: Option<Origin>,
    pub(super) collation: Option<Collation>,
    /// What the source's node said of the time, if it was asked.
    pub(super) clock: Option<ServerClock>,
    pub(super) broader: Vec<Broader>,
    pub(super) reach: Reach,
    /// Why the source is out of reach, where it was asked.
    pub(super) unreachable: Option<Failure>,
    pub(super) set_aside: Option<Failure>,
    /// Held days that differ at the source.
    pub(super) differing: DaySet,
    /// Held days that are unverified unless the run fetches them: a check was asked for and could not be made, or a
    /// refresh was asked for.
    pub(super) unverified: DaySet,
    /// Of those that were checked, days with trades and without a change stamp that can be compared.
    pub(super) unstamped: usize,
    /// Of those that were checked, days whose trades were compared one by one.
    pub(super) hashed: usize,
    /// Held days of the range, when the plan was made.
    pub(super) held: usize,
}

impl Prepared {
    pub(super) fn view(&self) -> PlanView {
        PlanView {
            signature: self.identity.signature.to_string(),
            reachable: self.reach != Reach::Offline,
            days: self.plan.days.iter().map(DayView::from).collect(),
            counts: self.plan.counts(),
            windows: self
                .plan
                .windows
                .iter()
                .map(|window| WindowView { from: window.from(), to: window.to() })
                .collect(),
            expected_rows: self.plan.expected_rows,
            sentence: self.plan.sentence(),
        }
    }

    /// The days that have not begun at the source.
    pub(super) fn coming(&self) -> DaySet {
        let coming = Action::Unavailable(UnavailableReason::Future);
        self.plan.days.iter().filter(|planned| planned.action == coming).map(|planned| planned.day).collect()
    }

    /// The days of an action.
    pub(super) fn days(&self, wanted: DayAction) -> DaySet {
        self.plan
            .days
            .iter()
            .filter(|day| DayAction::from(&day.action) == wanted)
            .map(|day| day.day)
            .collect()
    }
}

/// Makes the plan. It asks the source only where days have to be pulled: whether it is in reach, and
/// about how many rows there are where the cache cannot tell.
/// A file that cannot be read counts as empty; `may_set_aside` moves it out of the way, which only a
/// run does that can fetch its days again: it reports it.
pub(super) async fn prepare(
    engine: &Engine,
    source: Option<&Source>,
    request: &FetchRequest,
    may_set_aside: bool,
) -> Result<Prepared> {
    let mapping = &request.query.mapping;
    let policy = Policy { refresh_all: request.mode == FetchMode::Refresh, ..Policy::of(mapping) };
    let identity = Arc::new(Identity::of(&request.query));
    engine.note_mapping(&identity.family, mapping);
    let OwnState { state: own, set_aside, is_read_only } =
        own_state(engine, &identity, may_set_aside).await?;
    let may_set_aside = may_set_aside && !is_read_only;
    let mut ledger = own.ledger();
    let reach = if request.offline || source.is_none() { Reach::Offline } else { Reach::Online };
    let mut told = Told {
        reach,
        now: engine.time_at(source),
        unreachable: None,
        origin: None,
        collation: None,
        differing: DaySet::new(),
        unverified: None,
        unstamped: 0,
        hashed: 0,
        rows_per_day: average(&ledger).filter(|_| ledger.len() >= ESTIMATE_DAYS),
    };
    let plan = |ledger: &Ledger, broader: &[Broader], told: &Told| {
        let adoptable: Vec<(String, Ledger)> =
            broader.iter().map(|broader| (broader.signature.clone(), broader.ledger.clone())).collect();
        Plan::new(&PlanRequest {
            range: request.range,
            ledger,
            adoptable: &adoptable,
            now: told.now,
            policy: &policy,
            reach: told.reach,
            rows_per_day: told.rows_per_day,
            limits: engine.limits,
        })
    };
    let mut made = plan(&ledger, &[], &told);
    let mut broader: Vec<Broader> = Vec::new();
    let all_served = made.days.iter().all(|day| day.action == Action::Serve);
    if !all_served && request.mode != FetchMode::Refresh && !is_read_only {
        broader = find_broader(engine, &identity).await?;
        let origin = likely_origin(&own, &broader).cloned();
        broader.iter_mut().for_each(|broader| broader.keep_to(origin.as_ref()));
        made = plan(&ledger, &broader, &told);
    }
    // Whether a day has begun, the server's clock says.
    let asks = |made: &Plan| !made.windows.is_empty() || request.mode == FetchMode::Verify;
    if is_read_only && told.reach == Reach::Online && asks(&made) {
        if request.mode != FetchMode::Normal {
            return Err(read_only());
        }
        // What the server says could not be stored, so it is not asked.
        told.reach = Reach::ReadOnly;
        told.unreachable = Some(read_only());
        made = plan(&ledger, &broader, &told);
    }
    let coming = Action::Unavailable(UnavailableReason::Future);
    let wants_time = made.days.iter().any(|day| day.action == coming);
    if let Some(source) = source.filter(|_| told.reach == Reach::Online && (asks(&made) || wants_time)) {
        told.heard(source.ping().await)?;
        told.now = engine.time_at(Some(source));
        made = plan(&ledger, &broader, &told);
        if told.reach == Reach::Online && asks(&made) {
            if let Some((origin, collation)) = told.heard(source.origin(mapping).await)? {
                ledger = own.ledger_for(Some(&origin));
                broader.iter_mut().for_each(|broader| broader.keep_to(Some(&origin)));
                if may_set_aside && origin.is_known() && own.current_origin() != Some(&origin) {
                    engine.note_origin(&request.query, origin.clone()).await?;
                    // Files that cannot be written were skipped; this run needs its own.
                    if let Some(file) = own_file(engine, &identity).await? {
                        let origin = origin.clone();
                        off_thread(move || file.record_origin(&origin)).await?;
                    }
                }
                (told.origin, told.collation) = (Some(origin), Some(collation));
            }
            made = plan(&ledger, &broader, &told);
        }
        if told.reach == Reach::Online && request.mode == FetchMode::Verify {
            let file = own_file(engine, &identity).await?;
            // What came from another source differs, whatever this one counts.
            let is_foreign = |day: &Day| ledger.get(day).is_some_and(|held| held.foreign);
            let mut own_days = ledger.clone();
            own_days.retain(|day, held| !held.foreign && policy.zone.start_of(*day) <= told.now);
            let mut marks = marks_of(&own);
            marks.retain(|day, _| !is_foreign(day) && own_days.contains_key(day));
            let mut checked =
                verify::check(source, &request.query, request.range, &own_days, &marks, file, &engine.limits)
                    .await?;
            for (day, held) in ledger.iter_mut().filter(|(day, _)| request.range.contains(**day)) {
                held.differs =
                    checked.differing.contains(*day) || (held.differs && checked.unverified.contains(*day));
            }
            let foreign = ledger.iter().filter(|(day, held)| held.foreign && request.range.contains(**day));
            checked.differing = checked.differing.union(&foreign.map(|(day, _)| *day).collect());
            (told.unstamped, told.hashed) = (checked.unstamped, checked.hashed);
            (told.differing, told.unverified) = (checked.differing, Some(checked.unverified));
            told.heard(checked.failure.map_or(Ok(()), Err))?;
            made = plan(&ledger, &broader, &told);
        }
        if told.reach == Reach::Online && told.rows_per_day.is_none() && !made.windows.is_empty() {
            let rows = source.rows_per_day(&request.query, span_to_pull(&made, request.range)?).await;
            told.rows_per_day = told.heard(rows)?.flatten().or_else(|| average(&ledger));
        }
        made = plan(&ledger, &broader, &told);
    }
    // What a file says of a day that has not begun is no part of any answer, nor of a check.
    let (zone, now) = (policy.zone, told.now);
    let begun = |day: &Day| zone.start_of(*day) <= now;
    let held_days = || {
        ledger.range(request.range.from()..=request.range.to()).map(|(day, _)| *day).filter(|day| begun(day))
    };
    let unverified = match told.unverified {
        Some(unchecked) => unchecked,
        None if request.mode == FetchMode::Normal => DaySet::new(),
        // The source could not even be asked; or the refresh has still to come.
        None => held_days().collect(),
    };
    Ok(Prepared {
        differing: told.differing,
        unstamped: told.unstamped,
        hashed: told.hashed,
        unverified,
        identity,
        plan: made,
        policy,
        clock: source.filter(|_| told.reach == Reach::Online).and_then(Source::clock),
        origin: told.origin,
        collation: told.collation,
        broader,
        reach: told.reach,
        unreachable: told.unreachable,
        set_aside,
        held: held_days().count(),
    })
}

/// What the source has told before the plan is made.
struct Told {
    reach: Reach,
    /// The time there, or this machine's.
    now: DateTime<Utc>,
    unreachable: Option<Failure>,
    origin: Option<Origin>,
    collation: Option<Collation>,
    differing: DaySet,
    /// What a check left out; nothing where there was none.
    unverified: Option<DaySet>,
    unstamped: usize,
    hashed: usize,
    rows_per_day: Option<f64>,
}

impl Told {
    /// What the source said; nothing where it went out of reach meanwhile.
    fn heard<T>(&mut self, answer: Result<T>) -> Result<Option<T>> {
        match answer {
            Ok(said) => Ok(Some(said)),
            Err(failure) if is_out_of_reach(&failure) => {
                self.reach = Reach::Offline;
                self.unreachable = Some(failure);
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }
}

/// From the first to the last day that a plan pulls.
fn span_to_pull(plan: &Plan, asked: DayRange) -> Result<DayRange> {
    match plan.to_pull().ranges() {
        [first, .., last] => DayRange::new(first.from(), last.to()),
        [only] => Ok(*only),
        [] => Ok(asked),
    }
}

/// Whether a failure means that the source is out of reach, so that the cache alone can answer.
pub(super) fn is_out_of_reach(failure: &Failure) -> bool {
    matches!(failure.code, Code::SourceUnreachable | Code::SourceTimeout)
}

/// What the cache holds of a query before its run.
struct OwnState {
    state: Arc<FileState>,
    set_aside: Option<Failure>,
    /// Whether nothing can be stored for the query.
    is_read_only: bool,
}

async fn own_state(engine: &Engine, identity: &Arc<Identity>, may_set_aside: bool) -> Result<OwnState> {
    let cache = engine.cache().clone();
    let identity = Arc::clone(identity);
    off_thread(move || {
        let is_read_only = cache.is_read_only(&identity);
        let (file, set_aside) = match cache.open_existing(&identity) {
            Err(failure) if is_damage(&failure) && (!may_set_aside || is_read_only) => (None, Some(failure)),
            Err(failure) if is_damage(&failure) => {
                let opened = cache.open_or_create(&identity)?;
                (Some(opened.file), opened.set_aside)
            }
            other => (other?, None),
        };
        let state = file.map(|file| file.state()).unwrap_or_default();
        Ok(OwnState { state, set_aside, is_read_only })
    })
    .await
}

fn marks_of(state: &FileState) -> Marks {
    let mark = |held: &crate::cache::HeldDay| Mark {
        segment: held.segment,
        change_mark: held.change_mark.clone(),
        left_out: left_out::not_held(&held.left_out),
    };
    state.days.iter().map(|(day, held)| (*day, mark(held))).collect()
}

/// What the source most likely is while it is not asked: what it was when it was last asked for this query, or
/// otherwise for the broader query that was fetched last.
fn likely_origin<'a>(own: &'a FileState, broader: &'a [Broader]) -> Option<&'a Origin> {
    let latest = |broader: &&Broader| broader.state.days.values().map(|held| held.fetched).max();
    own.current_origin().or_else(|| {
        let known = broader.iter().filter(|broader| broader.state.current_origin().is_some());
        known.max_by_key(latest)?.state.current_origin()
    })
}

async fn own_file(engine: &Engine, identity: &Arc<Identity>) -> Result<Option<Arc<CacheFile>>> {
    let (cache, identity) = (engine.cache().clone(), Arc::clone(identity));
    off_thread(move || match cache.open_existing(&identity) {
        // The ledger of such a file counted as empty.
        Err(failure) if is_damage(&failure) => Ok(None),
        other => other,
    })
    .await
}

async fn find_broader(engine: &Engine, identity: &Arc<Identity>) -> Result<Vec<Broader>> {
    let cache = engine.cache().clone();
    let identity = Arc::clone(identity);
    off_thread(move || {
        let mut found = Vec::new();
        for path in cache.siblings(&identity)? {
            // A sibling that is busy or damaged is of no help here; it is reported where it is listed.
            let Ok(file) = cache.open_listed(&path) else { continue };
            let theirs = file.identity();
            // Adoption compares text byte by byte; MongoDB may compare it by the collection's own rules.
            if theirs.family != identity.family || file.collation() != Collation::Simple {
                continue;
            }
            if let Some(conditions) = theirs.filters.broader_than(&identity.filters) {
                let (signature, state) = (theirs.signature.to_string(), file.state());
                // What is left out is not held, so nobody can tell whether the conditions hold for it.
                if state.odd_dates.is_empty() {
                    found.push(Broader { path, signature, conditions, ledger: Ledger::new(), state });
                }
            }
        }
        Ok(found)
    })
    .await
}

fn average(ledger: &Ledger) -> Option<f64> {
    let rows: u64 = ledger.values().map(|held| held.input_rows).sum();
    // Days without a row, as of a holiday, say nothing of the others.
    (rows > 0).then(|| approximate(rows) / approximate(ledger.len() as u64))
}
