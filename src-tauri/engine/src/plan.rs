//! The plan: what to do for every requested day. A pure function of days, ledger, clock, policy and reach.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use chrono::{DateTime, Duration, Utc};

use crate::day::{Day, DayRange, DaySet, DayZone};
use crate::desk::{DayAction, DayState, DayView, PlanCounts};
use crate::limits::Limits;
use crate::mapping::Mapping;

/// One held day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayCoverage {
    /// When it was fetched from the source.
    pub fetched: DateTime<Utc>,
    /// Input rows held.
    pub input_rows: u64,
    /// Downstream rows held.
    pub downstream_rows: u64,
    /// Whether a verification has found the day different at the source, and it was not pulled since.
    pub differs: bool,
    /// Whether it came from another source than the one that is at the address now: another cluster, or a
    /// collection that was made again.
    pub foreign: bool,
    /// The instants between which the day lay by the zone rules in force when it was stored; none in files from
    /// before format 4.
    pub bounds: Option<DayBounds>,
}

/// The instants between which a day lies: `begins <= at < ends`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayBounds {
    /// The first instant of the day.
    pub begins: DateTime<Utc>,
    /// The first instant after it.
    pub ends: DateTime<Utc>,
}

impl DayCoverage {
    /// Why what is held cannot be taken for what the source has, whatever its age.
    const fn doubt(&self) -> Option<RefreshReason> {
        if self.foreign {
            Some(RefreshReason::Replaced)
        } else if self.differs {
            Some(RefreshReason::Differs)
        } else {
            None
        }
    }

    /// Whether an answer has to call the day unverified.
    #[must_use]
    pub const fn is_in_doubt(&self) -> bool {
        self.doubt().is_some()
    }
}

impl DayBounds {
    /// The bounds of a day by the zone rules in force now.
    #[must_use]
    pub fn of(zone: &DayZone, day: Day) -> Self {
        Self { begins: zone.start_of(day), ends: zone.end_of(day) }
    }
}

/// The days that are held for a signature.
pub type Ledger = BTreeMap<Day, DayCoverage>;

/// Whether the source can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// It can.
    Online,
    /// It is not in reach, or is not to be asked.
    Offline,
    /// It is not asked, for nothing that it says could be stored.
    ReadOnly,
}

/// When a held day is fresh enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The zone whose midnights part the days.
    pub zone: DayZone,
    /// Time after the end of a day until it is settled.
    pub settle: Duration,
    /// Time for which a fetched open day is served as it is.
    pub open_day: Duration,
    /// Whether every requested day is to be pulled again.
    pub refresh_all: bool,
}

impl Policy {
    /// What a mapping says; nothing that is fresh is pulled again.
    #[must_use]
    pub fn of(mapping: &Mapping) -> Self {
        Self {
            zone: mapping.day_zone,
            settle: mapping.settle(),
            open_day: mapping.open_day(),
            refresh_all: false,
        }
    }
}

impl Policy {
    /// Whether a day is over by so much that nothing of it should change any more.
    #[must_use]
    pub fn is_over(&self, day: Day, now: DateTime<Utc>) -> bool {
        now >= self.zone.end_of(day) + self.settle
    }
}

/// All that a plan depends on.
#[derive(Debug, Clone)]
pub struct PlanRequest<'a> {
    /// The requested days.
    pub range: DayRange,
    /// What is held of them.
    pub ledger: &'a Ledger,
    /// What provably broader queries hold, each with its signature.
    pub adoptable: &'a [(String, Ledger)],
    /// The clock, read once.
    pub now: DateTime<Utc>,
    /// When a held day is fresh enough.
    pub policy: &'a Policy,
    /// Whether the source can be asked.
    pub reach: Reach,
    /// About how many input rows a day brings, where that is known.
    pub rows_per_day: Option<f64>,
    /// How large its windows may be.
    pub limits: Limits,
}

/// Why a held day is pulled again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefreshReason {
    /// It is still open, and was fetched a while ago.
    Open,
    /// It was fetched while open, and has settled since.
    FetchedWhileOpen,
    /// Its fetch time lies in the future: the clock was set back.
    FetchedInFuture,
    /// New zone rules have moved its bounds since it was stored.
    Moved,
    /// A verification found it different at the source.
    Differs,
    /// It came from another source than the one that is at the address now.
    Replaced,
    /// The trader asked.
    Asked,
}

impl RefreshReason {
    /// The reason in the trader's words.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Open => "the day may still change at the source",
            Self::FetchedWhileOpen => "fetched before the day was final",
            Self::FetchedInFuture => "its fetch time is in the future, so its age is unknown",
            Self::Moved => "new time zone rules have moved the bounds of the day",
            Self::Differs => "the check found it different at the source",
            Self::Replaced => "the source has been replaced by a different one since this day was fetched",
            Self::Asked => "you asked to fetch it again",
        }
    }
}

/// Why a day is neither held nor to be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnavailableReason {
    /// The day has not begun.
    Future,
    /// It is not cached, and the source cannot be asked.
    Offline,
    /// It is not cached, and the cache takes nothing in.
    ReadOnly,
}

impl UnavailableReason {
    /// The reason in the trader's words.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Future => "the day has not begun",
            Self::Offline => "not cached, and the server was not asked or cannot be reached",
            Self::ReadOnly => "not cached, and the cache is read-only",
        }
    }
}

/// What to do for a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Serve what is held.
    Serve,
    /// Serve what is held, and pull it again.
    Refresh(RefreshReason),
    /// Pull it.
    Fetch,
    /// Copy it from a broader query.
    Adopt {
        /// Signature of the broader query.
        from: String,
    },
    /// It cannot be had.
    Unavailable(UnavailableReason),
}

/// One requested day and what to do for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedDay {
    /// The day.
    pub day: Day,
    /// What to do.
    pub action: Action,
    /// What is held of it.
    pub held: Option<DayCoverage>,
    /// Whether what is held is final.
    pub state: DayState,
}

impl PlannedDay {
    /// Whether the day is pulled from the source.
    #[must_use]
    pub const fn is_pulled(&self) -> bool {
        matches!(self.action, Action::Fetch | Action::Refresh(_))
    }

    /// The day as a window shows it.
    #[must_use]
    pub fn view(&self) -> DayView {
        let (action, why) = match &self.action {
            Action::Serve => {
                let doubt = self.held.as_ref().and_then(DayCoverage::doubt);
                (DayAction::Serve, doubt.map(RefreshReason::describe))
            }
            Action::Refresh(reason) => (DayAction::Refresh, Some(reason.describe())),
            Action::Fetch => (DayAction::Fetch, None),
            Action::Adopt { .. } => (DayAction::Adopt, Some("another cached query has it")),
            Action::Unavailable(reason) => (DayAction::Unavailable, Some(reason.describe())),
        };
        DayView {
            day: self.day,
            state: self.state,
            action,
            why: why.map(str::to_owned),
            input_rows: self.held.as_ref().map(|held| held.input_rows),
            downstream_rows: self.held.as_ref().map(|held| held.downstream_rows),
            fetched: self.held.as_ref().map(|held| held.fetched),
        }
    }
}

/// What to do for every requested day, and the MongoDB queries that it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Every requested day, in order.
    pub days: Vec<PlannedDay>,
    /// The days to pull, joined into MongoDB queries.
    pub windows: Vec<DayRange>,
    /// About how many input rows the pull brings, where that is known.
    pub expected_rows: Option<u64>,
}

impl Plan {
    /// Makes the plan.
    #[must_use]
    pub fn new(request: &PlanRequest<'_>) -> Self {
        let days: Vec<PlannedDay> = request.range.days().map(|day| planned(day, request)).collect();
        let pulled: DaySet = days.iter().filter(|day| day.is_pulled()).map(|day| day.day).collect();
        let rows_per_day = request.rows_per_day.filter(|rows| rows.is_finite() && *rows >= 0.0);
        Self {
            windows: pulled
                .ranges()
                .iter()
                .flat_map(|run| split(run, rows_per_day, &request.limits))
                .collect(),
            expected_rows: expected_rows(&days, rows_per_day),
            days,
        }
    }

    /// How many days are sorted where.
    #[must_use]
    pub fn counts(&self) -> PlanCounts {
        let mut counts = PlanCounts { requested: self.days.len(), ..PlanCounts::default() };
        for day in &self.days {
            *match day.action {
                Action::Serve => &mut counts.serve,
                Action::Refresh(_) => &mut counts.refresh,
                Action::Fetch => &mut counts.fetch,
                Action::Adopt { .. } => &mut counts.adopt,
                Action::Unavailable(_) => &mut counts.unavailable,
            } += 1;
        }
        counts
    }

    /// The days that are pulled: fetched and refreshed.
    #[must_use]
    pub fn to_pull(&self) -> DaySet {
        self.windows.iter().copied().fold(DaySet::new(), |days, window| days.union(&window.into()))
    }

    /// What was held of the requested days when the plan was made.
    #[must_use]
    pub fn held(&self) -> Ledger {
        self.days.iter().filter_map(|planned| Some((planned.day, planned.held.clone()?))).collect()
    }

    /// The plan in one sentence: "24 of 31 days cached, 7 to fetch, about 48,000 trades".
    #[must_use]
    pub fn sentence(&self) -> String {
        let counts = self.counts();
        if counts.serve == counts.requested {
            return match counts.requested {
                1 => "The day is cached".to_owned(),
                2 => "Both days are cached".to_owned(),
                many => format!("All {} days are cached", thousands(many as u64)),
            };
        }
        let days = if counts.requested == 1 { "day" } else { "days" };
        let mut parts =
            vec![format!("{} of {} {days} cached", counts.serve, thousands(counts.requested as u64))];
        for (number, what) in [
            (counts.adopt, "to copy from another cached query"),
            (counts.fetch, "to fetch"),
            (counts.refresh, "to refresh"),
        ] {
            if number > 0 {
                parts.push(format!("{} {what}", thousands(number as u64)));
            }
        }
        if let Some(rows) = self.expected_rows.filter(|rows| *rows > 0 && !self.windows.is_empty()) {
            parts.push(about(rows));
        }
        if counts.unavailable > 0 {
            parts.push(format!("{} not available", thousands(counts.unavailable as u64)));
        }
        parts.join(", ")
    }
}

/// Whether what is held of a day is final.
#[must_use]
pub fn state_of(day: Day, coverage: Option<&DayCoverage>, now: DateTime<Utc>, policy: &Policy) -> DayState {
    let Some(coverage) = coverage else { return DayState::NotHeld };
    let settles = policy.zone.end_of(day) + policy.settle;
    let is_final = (settles..=now).contains(&coverage.fetched)
        && !coverage.is_in_doubt()
        && !has_moved(day, coverage, policy);
    if is_final { DayState::Settled } else { DayState::Open }
}

/// Whether the day had other bounds when it was stored. What a file from before format 4 does not tell counts as
/// unmoved.
#[must_use]
pub fn has_moved(day: Day, coverage: &DayCoverage, policy: &Policy) -> bool {
    coverage.bounds.is_some_and(|bounds| bounds != DayBounds::of(&policy.zone, day))
}

/// Why a held day is no longer fresh enough; `None` where it is.
fn due(day: Day, coverage: &DayCoverage, now: DateTime<Utc>, policy: &Policy) -> Option<RefreshReason> {
    if let Some(doubt) = coverage.doubt() {
        Some(doubt)
    } else if has_moved(day, coverage, policy) {
        Some(RefreshReason::Moved)
    } else if state_of(day, Some(coverage), now, policy) == DayState::Settled {
        None
    } else if coverage.fetched > now {
        Some(RefreshReason::FetchedInFuture)
    } else if now >= policy.zone.end_of(day) + policy.settle {
        Some(RefreshReason::FetchedWhileOpen)
    } else if now - coverage.fetched < policy.open_day {
        None
    } else {
        Some(RefreshReason::Open)
    }
}

fn planned(day: Day, request: &PlanRequest<'_>) -> PlannedDay {
    let PlanRequest { now, policy, .. } = *request;
    if policy.zone.start_of(day) > now {
        // Whatever a file says of it was fetched under a wrong clock.
        let action = Action::Unavailable(UnavailableReason::Future);
        return PlannedDay { day, action, held: None, state: DayState::NotHeld };
    }
    let held = request.ledger.get(&day);
    let action = match (held, request.reach) {
        (Some(_), Reach::Online) if policy.refresh_all => Action::Refresh(RefreshReason::Asked),
        (None, Reach::Online) if policy.refresh_all => Action::Fetch,
        // What another query holds may be from before the check as well: only the source can tell.
        (Some(coverage), reach) => match (coverage.doubt(), due(day, coverage, now, policy), reach) {
            (Some(doubt), _, Reach::Online) => Action::Refresh(doubt),
            (Some(_), _, _) | (None, None, _) => Action::Serve,
            (None, Some(reason), reach) => match (fresher(day, coverage, request), reach) {
                (Some(from), _) => Action::Adopt { from: from.to_owned() },
                (None, Reach::Online) => Action::Refresh(reason),
                (None, Reach::Offline | Reach::ReadOnly) => Action::Serve,
            },
        },
        (None, reach) => match (adoptable(day, request), reach) {
            (Some((from, _)), _) => Action::Adopt { from: from.to_owned() },
            (None, Reach::Online) => Action::Fetch,
            (None, Reach::Offline) => Action::Unavailable(UnavailableReason::Offline),
            (None, Reach::ReadOnly) => Action::Unavailable(UnavailableReason::ReadOnly),
        },
    };
    PlannedDay { day, action, held: held.cloned(), state: state_of(day, held, now, policy) }
}

/// The broader query whose copy of a day is best, where one may be adopted: the one that would itself be
/// served, or, offline, any; the most recently fetched of them.
fn adoptable<'a>(day: Day, request: &PlanRequest<'a>) -> Option<(&'a str, &'a DayCoverage)> {
    let PlanRequest { now, policy, reach, .. } = *request;
    request
        .adoptable
        .iter()
        .filter_map(|(signature, ledger)| {
            let coverage = ledger.get(&day)?;
            let fresh = due(day, coverage, now, policy).is_none();
            (fresh || reach != Reach::Online).then_some((fresh, signature, coverage))
        })
        // A fetch time in the future says nothing, so it counts least.
        .max_by_key(|(fresh, signature, coverage)| {
            (*fresh, coverage.fetched <= now, coverage.fetched, std::cmp::Reverse(*signature))
        })
        .map(|(_, signature, coverage)| (signature.as_str(), coverage))
}

/// The broader query that holds a day fresh enough and newer than what is held, which is due. Nothing is newer
/// than a fetch in the future: whether it is, nobody can tell.
fn fresher<'a>(day: Day, held: &DayCoverage, request: &PlanRequest<'a>) -> Option<&'a str> {
    let (from, coverage) = adoptable(day, request)?;
    let fresh = due(day, coverage, request.now, request.policy).is_none();
    (fresh && coverage.fetched > held.fetched).then_some(from)
}

/// Cuts a run of days into windows of about the same size.
pub(crate) fn split(run: &DayRange, rows_per_day: Option<f64>, limits: &Limits) -> Vec<DayRange> {
    let count = |limit: NonZeroU32| usize::try_from(limit.get()).unwrap_or(usize::MAX);
    let days = run.len();
    let mut pieces = days.div_ceil(count(limits.window_days));
    if let Some(rows) = rows_per_day {
        #[expect(clippy::cast_precision_loss, reason = "a range has thousands of days at most")]
        let run_rows = rows * days as f64;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates, and is cut to the days"
        )]
        let by_rows = (run_rows / f64::from(limits.window_rows.get())).ceil() as usize;
        let splits = run_rows > f64::from(limits.worth_splitting);
        let side_by_side = if splits { count(limits.side_by_side) } else { 1 };
        pieces = pieces.max(by_rows).max(side_by_side).min(days);
    }
    let start = |piece: usize| {
        run.from().plus(i32::try_from(days * piece / pieces).expect("a range has thousands of days at most"))
    };
    (0..pieces)
        .map(|piece| {
            DayRange::new(start(piece), start(piece + 1).previous())
                .expect("a piece is a day or more of a range")
        })
        .collect()
}

/// About how many input rows a pull brings: what is held of a day tells best.
fn expected_rows(days: &[PlannedDay], rows_per_day: Option<f64>) -> Option<u64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate, never negative"
    )]
    let estimate = |rows: f64| rows.round() as u64;
    let (held, unknown) =
        days.iter().filter(|day| day.is_pulled()).fold((0_u64, 0_u32), |(held, unknown), day| {
            match &day.held {
                Some(coverage) => (held.saturating_add(coverage.input_rows), unknown),
                None => (held, unknown + 1),
            }
        });
    match (unknown, rows_per_day) {
        (0, _) => Some(held),
        (unknown, Some(rows)) => Some(held.saturating_add(estimate(rows * f64::from(unknown)))),
        (_, None) => None,
    }
}

/// "about 48,000 trades": two digits are all that an estimate is good for.
fn about(rows: u64) -> String {
    let mut unit = 1;
    while rows / unit >= 100 {
        unit *= 10;
    }
    let rounded = (rows + unit / 2) / unit * unit;
    format!("about {} {}", thousands(rounded), if rounded == 1 { "trade" } else { "trades" })
}

/// A number with a comma after every three digits.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests;
