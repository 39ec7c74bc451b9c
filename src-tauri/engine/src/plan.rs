//! The plan: what to do for every requested day. A pure function of days, ledger, clock, policy and whether the
//! source can be queried.

use std::num::NonZeroU32;

use chrono::{DateTime, Utc};
use serde::Serialize;
use ts_rs::TS;

use crate::day::{Day, DayRange, DaySet};
use crate::limits::Limits;
use ledger::{DayCoverage, DayState, Ledger, Policy, RefreshReason, due, state_of};

pub mod ledger;
use crate::words::{about, thousands};

/// Whether the source can be queried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The source can be queried.
    Online,
    /// The source cannot be reached, or must not be queried.
    Offline,
    /// The source is not queried, because the cache is read-only and could not store the result.
    ReadOnly,
}

/// Everything that a plan depends on.
#[derive(Debug, Clone)]
pub struct PlanRequest<'a> {
    /// The requested days.
    pub range: DayRange,
    /// What is cached of them.
    pub ledger: &'a Ledger,
    /// The ledgers of provably broader queries, each with the query's signature.
    pub adoptable: &'a [(String, Ledger)],
    /// The clock, read once.
    pub now: DateTime<Utc>,
    /// When a cached day is fresh enough.
    pub policy: &'a Policy,
    /// Whether the source can be queried.
    pub reach: Reach,
    /// About how many input rows a day has, if known.
    pub rows_per_day: Option<f64>,
    /// How large the windows may be.
    pub limits: Limits,
}

/// Why a day is neither cached nor available.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnavailableReason {
    /// The day has not begun.
    Future,
    /// It is not cached, and the source cannot be queried.
    Offline,
    /// It is not cached, and the cache is read-only.
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
    /// Serve what is cached.
    Serve,
    /// Serve what is cached, and pull the day again.
    Refresh(RefreshReason),
    /// Pull it.
    Fetch,
    /// Copy it from a broader query.
    Adopt {
        /// Signature of the broader query.
        from: String,
    },
    /// It is not available.
    Unavailable(UnavailableReason),
}

/// One requested day and what to do for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedDay {
    /// The day.
    pub day: Day,
    /// What to do.
    pub action: Action,
    /// What is cached of it.
    pub held: Option<DayCoverage>,
    /// Whether what is cached is final.
    pub state: DayState,
}

impl PlannedDay {
    /// Whether the day is pulled from the source.
    #[must_use]
    pub const fn is_pulled(&self) -> bool {
        matches!(self.action, Action::Fetch | Action::Refresh(_))
    }
}

/// What to do for every requested day, and the MongoDB queries that it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Every requested day, in order.
    pub days: Vec<PlannedDay>,
    /// The days to pull, joined into MongoDB queries.
    pub windows: Vec<DayRange>,
    /// About how many input rows the pull brings, if known.
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
                .flat_map(|range| split(range, rows_per_day, &request.limits))
                .collect(),
            expected_rows: expected_rows(&days, rows_per_day),
            days,
        }
    }

    /// The number of days per action.
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

    /// Notes that days have been stored, so that they are served as they are.
    pub fn note_stored(&mut self, window: DayRange, ledger: &Ledger, now: DateTime<Utc>, policy: &Policy) {
        for planned in self.days.iter_mut().filter(|planned| window.contains(planned.day)) {
            let held = ledger.get(&planned.day);
            planned.state = state_of(planned.day, held, now, policy);
            planned.action = Action::Serve;
            planned.held = held.cloned();
        }
        let left: DaySet = self.days.iter().filter(|day| day.is_pulled()).map(|day| day.day).collect();
        self.windows = left.ranges().to_vec();
    }

    /// The days that are pulled: fetched and refreshed.
    #[must_use]
    pub fn to_pull(&self) -> DaySet {
        self.windows.iter().copied().fold(DaySet::new(), |days, window| days.union(&window.into()))
    }

    /// What was cached of the requested days when the plan was made.
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

fn planned(day: Day, request: &PlanRequest<'_>) -> PlannedDay {
    let PlanRequest { now, policy, .. } = *request;
    if policy.zone.start_of(day) > now {
        // If this day is in the cache, it was fetched under a wrong clock.
        let action = Action::Unavailable(UnavailableReason::Future);
        return PlannedDay { day, action, held: None, state: DayState::NotHeld };
    }
    let held = request.ledger.get(&day);
    let action = match (held, request.reach) {
        (Some(_), Reach::Online) if policy.refresh_all => Action::Refresh(RefreshReason::Asked),
        (None, Reach::Online) if policy.refresh_all => Action::Fetch,
        // A day in doubt is not adopted: the copy in a different query may be older than the check as well, and only
        // the source can settle it.
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

/// The broader query with the best copy of a day, if one may be adopted: online, only a copy that would itself be
/// served, otherwise any. Fresh copies are preferred, then the most recently fetched.
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
        // A fetch time in the future proves nothing, so it ranks lowest.
        .max_by_key(|(fresh, signature, coverage)| {
            (*fresh, coverage.fetched <= now, coverage.fetched, std::cmp::Reverse(*signature))
        })
        .map(|(_, signature, coverage)| (signature.as_str(), coverage))
}

/// The broader query whose copy of a day is fresh enough and newer than this query's own copy, which is due. No copy
/// counts as newer than one with a fetch time in the future, because its real age is unknown.
fn fresher<'a>(day: Day, held: &DayCoverage, request: &PlanRequest<'a>) -> Option<&'a str> {
    let (from, coverage) = adoptable(day, request)?;
    let fresh = due(day, coverage, request.now, request.policy).is_none();
    (fresh && coverage.fetched > held.fetched).then_some(from)
}

/// Splits a range of days into windows of about the same size.
pub(crate) fn split(range: &DayRange, rows_per_day: Option<f64>, limits: &Limits) -> Vec<DayRange> {
    let count = |limit: NonZeroU32| usize::try_from(limit.get()).unwrap_or(usize::MAX);
    let days = range.len();
    let mut pieces = days.div_ceil(count(limits.window_days));
    if let Some(rows) = rows_per_day {
        #[expect(clippy::cast_precision_loss, reason = "a range has thousands of days at most")]
        let rows_of_range = rows * days as f64;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates, and is cut to the days"
        )]
        let by_rows = (rows_of_range / f64::from(limits.window_rows.get())).ceil() as usize;
        let splits = rows_of_range > f64::from(limits.worth_splitting);
        let side_by_side = if splits { count(limits.side_by_side) } else { 1 };
        pieces = pieces.max(by_rows).max(side_by_side).min(days);
    }
    let start = |piece: usize| {
        range
            .from()
            .plus(i32::try_from(days * piece / pieces).expect("a range has thousands of days at most"))
    };
    (0..pieces)
        .map(|piece| {
            DayRange::new(start(piece), start(piece + 1).previous())
                .expect("a piece is a day or more of a range")
        })
        .collect()
}

/// About how many input rows a pull brings. If a day is cached, its rows are the best estimate.
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

/// The number of requested days per action.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, TS)]
pub struct PlanCounts {
    /// Requested days.
    pub requested: usize,
    /// Served from the cache as they are.
    pub serve: usize,
    /// Served from the cache and pulled again.
    pub refresh: usize,
    /// Pulled from MongoDB.
    pub fetch: usize,
    /// Copied from a broader cached query.
    pub adopt: usize,
    /// Neither cached nor available.
    pub unavailable: usize,
}

#[cfg(test)]
mod tests;
