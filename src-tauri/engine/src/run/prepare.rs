//! What a run decides before it pulls anything.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tracing::{debug, instrument};

use super::verify;
use crate::answer::left_out;
use crate::api::plan::{DayAction, DayView, PlanView, WindowView};
use crate::api::source_failures::of_refused_part;
use crate::bson::number::approximate;
use crate::cache::{CacheErrorKind, CacheFile, CatalogEntry, FileState, HeldDay, Identity};
use crate::day::{Day, DayRange, DaySet};
use crate::engine::{Engine, off_thread};
use crate::failure::{Code, Failure, Result};
use crate::plan::ledger::{FetchMode, Ledger, Policy};
use crate::plan::{Action, Plan, PlanRequest, Reach, UnavailableReason};
use crate::query::collation::Collation;
use crate::query::filter::FieldCondition;
use crate::query::form::QueryInput;
use crate::query::mapping::Mapping;
use crate::query::signature::Signature;
use crate::query::source::Query;
use crate::source::{ESTIMATE_DAYS, ServerClock, Source, SourceOrigin, is_refusal};

/// A query with its days, and how to answer it.
#[derive(Debug, Clone)]
pub struct FetchRequest {
    /// The query.
    pub query: Query,
    /// The requested days.
    pub range: DayRange,
    /// How to treat cached days.
    pub mode: FetchMode,
    /// Whether nothing may be sent to the source.
    pub offline: bool,
}

impl FetchRequest {
    /// Reads a request from what was typed.
    ///
    /// # Errors
    /// `bad_range`, `bad_filter`.
    pub fn parse(
        source: &Source,
        mapping: &Mapping,
        input: &QueryInput,
        mode: FetchMode,
        offline: bool,
    ) -> Result<Self> {
        let range = DayRange::parse(&input.from, &input.to)?;
        let query = Query::parse(source.identity(), mapping, input)?;
        Ok(Self { query, range, mode, offline })
    }
}

/// A broader cached query that days can be adopted from.
#[derive(Debug, Clone)]
pub(super) struct Broader {
    /// The path of its file, which is not kept open because another Tidemark may need it.
    pub(super) path: PathBuf,
    pub(super) signature: String,
    /// The conditions to evaluate locally.
    pub(super) conditions: Vec<FieldCondition>,
    /// The days that may be adopted.
    ledger: Ledger,
    state: Arc<FileState>,
}

impl Broader {
    /// Restricts the ledger to days that may be adopted: complete days from the given origin, since an answer never
    /// mixes rows of two origins. An unknown origin excludes only the days that the file itself marks as foreign.
    fn keep_to(&mut self, origin: Option<&SourceOrigin>) {
        self.ledger = self.state.ledger_for(origin);
        // Documents that were left out are not stored, so it is unknown whether they match the conditions.
        let is_whole = |day: &Day| {
            self.state.days.get(day).is_some_and(|held| !left_out::concern_unheld(&held.left_out))
        };
        self.ledger.retain(|day, _| is_whole(day));
        self.ledger.retain(|_, held| !held.foreign);
    }
}

/// The plan and what it is based on.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) identity: Arc<Identity>,
    pub(super) plan: Plan,
    pub(super) policy: Policy,
    /// The source's origin and how it compares text, if the source was queried.
    pub(super) origin: Option<SourceOrigin>,
    pub(super) collation: Option<Collation>,
    /// The clock of the source's node, if the source was queried.
    pub(super) clock: Option<ServerClock>,
    pub(super) broader: Vec<Broader>,
    pub(super) reach: Reach,
    /// Why the source is unreachable, if it was tried.
    pub(super) unreachable: Option<Failure>,
    pub(super) moved_aside: Option<Failure>,
    /// Cached days that differ at the source.
    pub(super) differing: DaySet,
    /// Cached days that are unverified unless the run fetches them: either a requested check could not be made, or a
    /// refresh was requested.
    pub(super) unverified: DaySet,
    /// Number of checked days that have trades but no comparable change stamp.
    pub(super) unstamped: usize,
    /// Number of checked days whose trades were compared one by one.
    pub(super) hashed: usize,
    /// Number of cached days in the range when the plan was made.
    pub(super) held: usize,
}

impl Prepared {
    pub(crate) fn view(&self) -> PlanView {
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

    /// The days with a given action.
    pub(super) fn days(&self, wanted: DayAction) -> DaySet {
        self.plan
            .days
            .iter()
            .filter(|day| DayAction::from(&day.action) == wanted)
            .map(|day| day.day)
            .collect()
    }
}

impl Engine {
    /// Plans a fetch. Queries the source only if days have to be pulled, and pulls nothing.
    ///
    /// # Errors
    /// Any of the contract's failures except those of storing.
    #[instrument(level = "error", skip_all, fields(signature = %Signature::of(&request.query)))]
    pub async fn plan(&self, source: Option<&Source>, request: &FetchRequest) -> Result<PlanView> {
        match prepare(self, source, request, false).await {
            Ok(prepared) => Ok(prepared.view()),
            Err(failure) => Err(name_refused_part(source, request, failure).await),
        }
    }
}

/// Says which part of a query is at fault, if the server refused the query.
pub(super) async fn name_refused_part(
    source: Option<&Source>,
    request: &FetchRequest,
    failure: Failure,
) -> Failure {
    let Some(source) = source.filter(|_| is_refusal(&failure)) else { return failure };
    match source.refused_part(&request.query).await {
        Some(part) => of_refused_part(failure, part),
        None => failure,
    }
}

/// Makes the plan. Queries the source only if days have to be pulled, or if its clock decides whether a day has
/// begun: whether it is reachable, and about how many rows there are if the cache gives no estimate. A file that
/// cannot be read counts as empty. With `may_move_aside` it is moved aside, which only a run may do that can fetch the
/// days again and that reports it.
pub(super) async fn prepare(
    engine: &Engine,
    source: Option<&Source>,
    request: &FetchRequest,
    may_move_aside: bool,
) -> Result<Prepared> {
    let mapping = &request.query.mapping;
    let policy = Policy { refresh_all: request.mode == FetchMode::Refresh, ..Policy::of(mapping) };
    let identity = Arc::new(Identity::of(&request.query));
    engine.note_mapping(&identity.family, mapping);
    let OwnState { state: own, moved_aside, is_read_only } =
        own_state(engine, &identity, may_move_aside).await?;
    let may_move_aside = may_move_aside && !is_read_only;
    let mut ledger = own.ledger();
    let reach = if request.offline || source.is_none() { Reach::Offline } else { Reach::Online };
    let mut probe = SourceProbe {
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
    let plan = |ledger: &Ledger, broader: &[Broader], probe: &SourceProbe| {
        let adoptable: Vec<(String, Ledger)> =
            broader.iter().map(|broader| (broader.signature.clone(), broader.ledger.clone())).collect();
        Plan::new(&PlanRequest {
            range: request.range,
            ledger,
            adoptable: &adoptable,
            now: probe.now,
            policy: &policy,
            reach: probe.reach,
            rows_per_day: probe.rows_per_day,
            limits: engine.limits,
        })
    };
    let mut made = plan(&ledger, &[], &probe);
    let mut broader: Vec<Broader> = Vec::new();
    let all_served = made.days.iter().all(|day| day.action == Action::Serve);
    if !all_served && request.mode != FetchMode::Refresh && !is_read_only {
        broader = find_broader(engine, &identity).await?;
        let origin = likely_origin(&own, &broader).cloned();
        broader.iter_mut().for_each(|broader| broader.keep_to(origin.as_ref()));
        made = plan(&ledger, &broader, &probe);
        debug!(queries = broader.len(), "broader cached queries");
    }
    // The source is also contacted for its clock, which decides whether a day has begun.
    let asks = |made: &Plan| !made.windows.is_empty() || request.mode == FetchMode::Verify;
    if is_read_only && probe.reach == Reach::Online && asks(&made) {
        if request.mode != FetchMode::Normal {
            return Err(CacheErrorKind::ReadOnly.into());
        }
        // Nothing could be stored, so the source is not queried.
        probe.reach = Reach::ReadOnly;
        probe.unreachable = Some(CacheErrorKind::ReadOnly.into());
        made = plan(&ledger, &broader, &probe);
    }
    let coming = Action::Unavailable(UnavailableReason::Future);
    let wants_time = made.days.iter().any(|day| day.action == coming);
    if let Some(source) = source.filter(|_| probe.reach == Reach::Online && (asks(&made) || wants_time)) {
        probe.or_offline(source.ping().await)?;
        probe.now = engine.time_at(Some(source));
        made = plan(&ledger, &broader, &probe);
        if probe.reach == Reach::Online && asks(&made) {
            if let Some((origin, collation)) = probe.or_offline(source.origin(mapping).await)? {
                ledger = own.ledger_for(Some(&origin));
                broader.iter_mut().for_each(|broader| broader.keep_to(Some(&origin)));
                if may_move_aside && origin.is_known() && own.current_origin() != Some(&origin) {
                    engine.note_origin(&request.query, origin.clone()).await?;
                    // Files that cannot be written were skipped, but this run needs its own file updated.
                    if let Some(file) = own_file(engine, &identity).await? {
                        let origin = origin.clone();
                        off_thread(move || Ok(file.record_origin(&origin)?)).await?;
                    }
                }
                (probe.origin, probe.collation) = (Some(origin), Some(collation));
            }
            made = plan(&ledger, &broader, &probe);
        }
        if probe.reach == Reach::Online && request.mode == FetchMode::Verify {
            let file = own_file(engine, &identity).await?;
            // Days from a different source differ, whatever this source counts.
            let mut own_days = ledger.clone();
            own_days.retain(|day, held| !held.foreign && policy.zone.start_of(*day) <= probe.now);
            let held = own.days.iter().filter(|(day, _)| own_days.contains_key(day));
            let held: BTreeMap<Day, &HeldDay> = held.map(|(day, held)| (*day, held)).collect();
            let mut checked =
                verify::check(source, &request.query, request.range, &own_days, &held, file, &engine.limits)
                    .await?;
            for (day, held) in ledger.iter_mut().filter(|(day, _)| request.range.contains(**day)) {
                held.differs =
                    checked.differing.contains(*day) || (held.differs && checked.unverified.contains(*day));
            }
            let foreign = ledger.iter().filter(|(day, held)| held.foreign && request.range.contains(**day));
            checked.differing = checked.differing.union(&foreign.map(|(day, _)| *day).collect());
            (probe.unstamped, probe.hashed) = (checked.unstamped, checked.hashed);
            (probe.differing, probe.unverified) = (checked.differing, Some(checked.unverified));
            probe.or_offline(checked.failure.map_or(Ok(()), Err))?;
            made = plan(&ledger, &broader, &probe);
        }
        if probe.reach == Reach::Online && probe.rows_per_day.is_none() && !made.windows.is_empty() {
            let rows = source.rows_per_day(&request.query, span_to_pull(&made, request.range)?).await;
            probe.rows_per_day = probe.or_offline(rows)?.flatten().or_else(|| average(&ledger));
        }
        made = plan(&ledger, &broader, &probe);
    }
    // A day that has not begun is not part of any answer or check, whatever the file contains for it.
    let (zone, now) = (policy.zone, probe.now);
    let begun = |day: &Day| zone.start_of(*day) <= now;
    let held_days = || {
        ledger.range(request.range.from()..=request.range.to()).map(|(day, _)| *day).filter(|day| begun(day))
    };
    let unverified = match probe.unverified {
        Some(unverified) => unverified,
        None if request.mode == FetchMode::Normal => DaySet::new(),
        // Either the source could not be queried, or the refresh has yet to happen.
        None => held_days().collect(),
    };
    Ok(Prepared {
        differing: probe.differing,
        unstamped: probe.unstamped,
        hashed: probe.hashed,
        unverified,
        identity,
        plan: made,
        policy,
        clock: source.filter(|_| probe.reach == Reach::Online).and_then(Source::clock),
        origin: probe.origin,
        collation: probe.collation,
        broader,
        reach: probe.reach,
        unreachable: probe.unreachable,
        moved_aside,
        held: held_days().count(),
    })
}

/// What was learned from the source before the plan is made.
struct SourceProbe {
    reach: Reach,
    /// The source's time, or this machine's.
    now: DateTime<Utc>,
    unreachable: Option<Failure>,
    origin: Option<SourceOrigin>,
    collation: Option<Collation>,
    differing: DaySet,
    /// The days that a check could not cover; `None` if there was no check.
    unverified: Option<DaySet>,
    unstamped: usize,
    hashed: usize,
    rows_per_day: Option<f64>,
}

impl SourceProbe {
    /// Returns the source's answer; `None` if it became unreachable, which switches the plan to offline.
    fn or_offline<T>(&mut self, answer: Result<T>) -> Result<Option<T>> {
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

/// The range from the first to the last day that a plan pulls.
fn span_to_pull(plan: &Plan, asked: DayRange) -> Result<DayRange> {
    match plan.to_pull().ranges() {
        [first, .., last] => DayRange::new(first.from(), last.to()),
        [only] => Ok(*only),
        [] => Ok(asked),
    }
}

/// Whether a failure means that the source is unreachable, so that the cache alone can answer.
pub(super) fn is_out_of_reach(failure: &Failure) -> bool {
    matches!(failure.code, Code::SourceUnreachable | Code::SourceTimeout)
}

/// What the cache contains for a query before its run.
struct OwnState {
    state: Arc<FileState>,
    moved_aside: Option<Failure>,
    /// Whether nothing can be stored for the query.
    is_read_only: bool,
}

async fn own_state(engine: &Engine, identity: &Arc<Identity>, may_move_aside: bool) -> Result<OwnState> {
    let cache = engine.cache().clone();
    let identity = Arc::clone(identity);
    off_thread(move || {
        let is_read_only = cache.is_read_only(&identity);
        let (file, moved_aside) = match cache.open_existing(&identity) {
            Err(error) if error.may_be_moved_aside() && (!may_move_aside || is_read_only) => {
                (None, Some(error.into()))
            }
            Err(error) if error.may_be_moved_aside() => {
                let opened = cache.open_or_create(&identity)?;
                (Some(opened.file), opened.moved_aside.map(Failure::from))
            }
            other => (other?, None),
        };
        let state = file.map(|file| file.state()).unwrap_or_default();
        Ok(OwnState { state, moved_aside, is_read_only })
    })
    .await
}

/// The most likely origin while the source is not queried: the last known one of this query or else of the broader
/// query that was fetched last.
fn likely_origin<'a>(own: &'a FileState, broader: &'a [Broader]) -> Option<&'a SourceOrigin> {
    let latest = |broader: &&Broader| broader.state.days.values().map(|held| held.fetched).max();
    own.current_origin().or_else(|| {
        let known = broader.iter().filter(|broader| broader.state.current_origin().is_some());
        known.max_by_key(latest)?.state.current_origin()
    })
}

async fn own_file(engine: &Engine, identity: &Arc<Identity>) -> Result<Option<Arc<CacheFile>>> {
    let (engine, identity) = (engine.clone(), Arc::clone(identity));
    off_thread(move || {
        engine.close_replaced_files();
        match engine.cache().open_existing(&identity) {
            // A damaged file's ledger counted as empty.
            Err(error) if error.may_be_moved_aside() => Ok(None),
            other => Ok(other?),
        }
    })
    .await
}

async fn find_broader(engine: &Engine, identity: &Arc<Identity>) -> Result<Vec<Broader>> {
    let cache = engine.cache().clone();
    let identity = Arc::clone(identity);
    off_thread(move || {
        let mut found = Vec::new();
        for path in cache.siblings(&identity)? {
            // A busy or damaged sibling is of no use here; it is reported in the list of cached queries.
            let Ok(CatalogEntry { identity: theirs, state, collation }) = cache.listed(&path) else {
                continue;
            };
            // Adoption compares text byte by byte, while MongoDB may compare it by the collection's collation.
            if theirs.family != identity.family || collation != Collation::Simple {
                continue;
            }
            if let Some(conditions) = theirs.filters.broader_than(&identity.filters) {
                let signature = theirs.signature.to_string();
                // Documents that were left out are not stored, so it is unknown whether they match the conditions.
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
    // Days without rows, such as holidays, are no basis for an estimate.
    (rows > 0).then(|| approximate(rows) / approximate(ledger.len() as u64))
}
