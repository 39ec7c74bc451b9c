//! What is cached of each day, and when that is fresh enough.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::day::{Day, DayZone};
use crate::query::mapping::Mapping;

/// What is cached of a requested day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum DayState {
    /// Nothing is cached.
    NotHeld,
    /// Cached, and may still change at the source.
    Open,
    /// Cached, and final.
    Settled,
}

/// How a fetch treats days that are already cached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum FetchMode {
    /// Pull what is missing or due.
    #[default]
    Normal,
    /// Pull every requested day again.
    Refresh,
    /// Ask the source for a count and a change mark per cached day, and pull the days that differ.
    Verify,
}

/// A cached day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayCoverage {
    /// When it was fetched from the source.
    pub fetched: DateTime<Utc>,
    /// Cached input rows.
    pub input_rows: u64,
    /// Cached downstream rows.
    pub downstream_rows: u64,
    /// Whether a verification has found the day different at the source and it has not been pulled since.
    pub differs: bool,
    /// Whether it came from a different source than the one now at the address: a different cluster, or a collection
    /// that was recreated since.
    pub foreign: bool,
    /// The bounds of the day by the zone rules in force when it was stored; `None` in files from before format 4.
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
    /// Why the cached day may not match the source, whatever its age.
    pub(crate) const fn doubt(&self) -> Option<RefreshReason> {
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

/// The cached days of a signature.
pub type Ledger = BTreeMap<Day, DayCoverage>;

/// When a cached day is fresh enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The zone whose midnights separate the days.
    pub zone: DayZone,
    /// Time after the end of a day until it is settled.
    pub settle: Duration,
    /// Time for which a fetched open day is served as it is.
    pub open_day: Duration,
    /// Whether every requested day is to be pulled again.
    pub refresh_all: bool,
}

impl Policy {
    /// The policy of a mapping, by which no fresh day is pulled again.
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
    /// Whether a day ended so long ago that nothing in it should change any more.
    #[must_use]
    pub fn is_past_settling(&self, day: Day, now: DateTime<Utc>) -> bool {
        now >= self.zone.end_of(day) + self.settle
    }
}

/// Why a cached day is pulled again.
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
    /// It came from a different source than the one now at the address.
    Replaced,
    /// The trader asked for it.
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

/// Whether what is cached of a day is final.
#[must_use]
pub fn state_of(day: Day, coverage: Option<&DayCoverage>, now: DateTime<Utc>, policy: &Policy) -> DayState {
    let Some(coverage) = coverage else { return DayState::NotHeld };
    let settles = policy.zone.end_of(day) + policy.settle;
    let is_final = (settles..=now).contains(&coverage.fetched)
        && !coverage.is_in_doubt()
        && !has_moved(day, coverage, policy);
    if is_final { DayState::Settled } else { DayState::Open }
}

/// Whether the day had different bounds when it was stored. A day without stored bounds, from before format 4, counts
/// as unmoved.
#[must_use]
pub fn has_moved(day: Day, coverage: &DayCoverage, policy: &Policy) -> bool {
    coverage.bounds.is_some_and(|bounds| bounds != DayBounds::of(&policy.zone, day))
}

/// Why a cached day is no longer fresh enough; `None` if it is.
pub(super) fn due(
    day: Day,
    coverage: &DayCoverage,
    now: DateTime<Utc>,
    policy: &Policy,
) -> Option<RefreshReason> {
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
