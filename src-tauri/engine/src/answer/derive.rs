//! Derives what an answer says about its days: which it has and from where, which are missing and why, whether it is
//! complete, and its origin. The one function behind the answers of a fetch, of an opened query and of an export.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{AnswerDays, MissingDay, Origin};
use crate::day::{Day, DayRange, DaySet};
use crate::plan::ledger::{DayCoverage, DayState, Ledger, Policy, RefreshReason, has_moved, state_of};
use crate::plan::{Action, PlannedDay, UnavailableReason};

/// What an answer is derived from.
#[derive(Debug)]
pub(crate) struct Basis<'a> {
    /// The requested days.
    pub(crate) range: DayRange,
    /// The days that the answer shows.
    pub(crate) shown: &'a Ledger,
    /// Days that are cached and not shown, because their source has been replaced.
    pub(crate) replaced: &'a DaySet,
    /// The run that answers; none if the cache alone is read.
    pub(crate) run: Option<RunOutcome<'a>>,
    /// When a cached day is fresh enough.
    pub(crate) policy: &'a Policy,
    /// The time at the source.
    pub(crate) now: DateTime<Utc>,
}

/// What a run did.
#[derive(Debug)]
pub(crate) struct RunOutcome<'a> {
    /// What was planned for each day.
    pub(crate) planned: &'a [PlannedDay],
    /// The days that were fetched.
    pub(crate) fetched: &'a DaySet,
    /// The days that were copied from other cached queries.
    pub(crate) adopted: &'a DaySet,
    /// The days that failed, with the reason.
    pub(crate) failed: &'a BTreeMap<Day, String>,
    /// The days that a check or a refresh should have confirmed and did not.
    pub(crate) unverified: &'a DaySet,
    /// Whether the source could not be, or was not to be, asked.
    pub(crate) is_offline: bool,
    /// Whether the source became unreachable during the run.
    pub(crate) is_lost: bool,
}

/// What an answer says about its days.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Derived {
    /// The days, by how they were answered.
    pub(crate) days: AnswerDays,
    /// Whether every requested day is there, and none is known to differ at the source.
    pub(crate) complete: bool,
    /// Where the rows came from.
    pub(crate) origin: Origin,
}

/// Derives an answer.
pub(crate) fn derive(basis: &Basis<'_>) -> Derived {
    let Basis { range, shown, run, policy, now, .. } = basis;
    let mut days = AnswerDays { requested: range.len(), ..AnswerDays::default() };
    let mut complete = true;
    for day in range.days() {
        let Some(coverage) = shown.get(&day) else {
            complete = false;
            days.missing.push(day);
            days.why_missing.push(MissingDay { day, why: why_missing(day, basis) });
            continue;
        };
        let is_fetched = run.as_ref().is_some_and(|run| run.fetched.contains(day));
        if is_fetched {
            days.fetched += 1;
        } else if run.as_ref().is_some_and(|run| run.adopted.contains(day)) {
            days.adopted += 1;
        } else {
            days.from_cache += 1;
        }
        let is_unverified = !is_fetched && run.as_ref().is_some_and(|run| run.unverified.contains(day));
        let is_known_to_differ = differs(day, coverage, policy);
        if is_unverified || is_known_to_differ {
            days.unverified.push(day);
        }
        complete &= !is_known_to_differ;
        if state_of(day, Some(coverage), *now, policy) != DayState::Settled {
            days.open.push(day);
        }
    }
    let origin = origin(&days, run.as_ref());
    Derived { days, complete, origin }
}

/// Whether a cached day is known to differ from the source, or to have other bounds by now.
fn differs(day: Day, coverage: &DayCoverage, policy: &Policy) -> bool {
    coverage.is_in_doubt() || has_moved(day, coverage, policy)
}

fn why_missing(day: Day, basis: &Basis<'_>) -> String {
    let replaced = || basis.replaced.contains(day).then(|| RefreshReason::Replaced.describe().to_owned());
    let Some(run) = &basis.run else {
        let is_coming = basis.policy.zone.start_of(day) > basis.now;
        let coming = || is_coming.then(|| UnavailableReason::Future.describe().to_owned());
        return replaced().or_else(coming).unwrap_or_else(|| "not cached".to_owned());
    };
    let planned = run.planned.iter().find(|planned| planned.day == day);
    match (run.failed.get(&day), planned.map(|planned| &planned.action)) {
        (Some(why), _) => why.clone(),
        (None, Some(Action::Unavailable(reason))) => reason.describe().to_owned(),
        _ => replaced().unwrap_or_else(|| "it was not fetched".to_owned()),
    }
}

fn origin(days: &AnswerDays, run: Option<&RunOutcome<'_>>) -> Origin {
    match run {
        // If the source was lost before a day was fetched, the cache alone has answered.
        Some(run) if !(run.is_offline || run.is_lost && days.fetched == 0) => {
            if days.fetched == 0 {
                Origin::Cache
            } else if days.from_cache + days.adopted == 0 {
                Origin::Server
            } else {
                Origin::PartCache
            }
        }
        _ => Origin::Offline,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ledger::DayBounds;
    use crate::query::mapping::Mapping;

    fn day(number: i32) -> Day {
        Day::from_number(20_000 + number)
    }

    fn range() -> DayRange {
        DayRange::new(day(0), day(3)).expect("four days")
    }

    fn held(number: i32, policy: &Policy) -> (Day, DayCoverage) {
        let day = day(number);
        let coverage = DayCoverage {
            fetched: policy.zone.end_of(day) + policy.settle,
            input_rows: 1,
            downstream_rows: 0,
            differs: false,
            foreign: false,
            bounds: Some(DayBounds::of(&policy.zone, day)),
        };
        (day, coverage)
    }

    fn days(numbers: &[i32]) -> DaySet {
        numbers.iter().map(|number| day(*number)).collect()
    }

    struct Case {
        shown: Ledger,
        replaced: DaySet,
        fetched: DaySet,
        adopted: DaySet,
        failed: BTreeMap<Day, String>,
        unverified: DaySet,
        is_lost: bool,
        policy: Policy,
    }

    impl Case {
        fn of(numbers: &[i32]) -> Self {
            let policy = Policy::of(&Mapping::default());
            Self {
                shown: numbers.iter().map(|number| held(*number, &policy)).collect(),
                replaced: DaySet::new(),
                fetched: DaySet::new(),
                adopted: DaySet::new(),
                failed: BTreeMap::new(),
                unverified: DaySet::new(),
                is_lost: false,
                policy,
            }
        }

        fn derive(&self, run: Option<bool>) -> Derived {
            derive(&Basis {
                range: range(),
                shown: &self.shown,
                replaced: &self.replaced,
                run: run.map(|is_offline| RunOutcome {
                    planned: &[],
                    fetched: &self.fetched,
                    adopted: &self.adopted,
                    failed: &self.failed,
                    unverified: &self.unverified,
                    is_offline,
                    is_lost: self.is_lost,
                }),
                policy: &self.policy,
                now: self.policy.zone.end_of(day(30)),
            })
        }
    }

    #[test]
    fn the_origin_follows_from_the_days() {
        let mut case = Case::of(&[0, 1, 2, 3]);
        assert_eq!(case.derive(Some(false)).origin, Origin::Cache);
        assert_eq!(case.derive(Some(true)).origin, Origin::Offline);
        assert_eq!(case.derive(None).origin, Origin::Offline);
        case.is_lost = true;
        assert_eq!(case.derive(Some(false)).origin, Origin::Offline, "the cache alone has answered");
        case.fetched = days(&[0, 1]);
        case.adopted = days(&[2]);
        let derived = case.derive(Some(false));
        assert_eq!(derived.origin, Origin::PartCache);
        assert_eq!((derived.days.fetched, derived.days.adopted, derived.days.from_cache), (2, 1, 1));
        case.fetched = days(&[0, 1, 2, 3]);
        assert_eq!(case.derive(Some(false)).origin, Origin::Server);
    }

    #[test]
    fn a_day_that_differs_makes_an_answer_incomplete_and_an_unverified_one_does_not() {
        let mut case = Case::of(&[0, 1, 2, 3]);
        case.unverified = days(&[1, 2]);
        case.fetched = days(&[2]);
        let derived = case.derive(Some(false));
        assert!(derived.complete);
        assert_eq!(derived.days.unverified, [day(1)]);
        case.shown.get_mut(&day(3)).expect("it is there").differs = true;
        for run in [Some(false), Some(true), None] {
            let derived = case.derive(run);
            assert!(!derived.complete && derived.days.unverified.contains(&day(3)));
        }
    }

    #[test]
    fn a_missing_day_has_its_reason() {
        let mut case = Case::of(&[0]);
        case.replaced = days(&[1]);
        case.failed = BTreeMap::from([(day(2), "the disk is full".to_owned())]);
        let why = |derived: Derived| -> Vec<String> {
            assert!(!derived.complete);
            derived.days.why_missing.into_iter().map(|missing| missing.why).collect()
        };
        let replaced = RefreshReason::Replaced.describe();
        assert_eq!(why(case.derive(Some(false))), [replaced, "the disk is full", "it was not fetched"]);
        assert_eq!(why(case.derive(None)), [replaced, "not cached", "not cached"]);
    }

    #[test]
    fn a_day_that_may_still_change_is_open() {
        let mut case = Case::of(&[0, 1, 2, 3]);
        let open = case.shown.get_mut(&day(2)).expect("it is there");
        open.fetched -= chrono::TimeDelta::seconds(1);
        assert_eq!(case.derive(None).days.open, [day(2)]);
    }
}
