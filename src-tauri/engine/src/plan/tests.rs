#![allow(clippy::unwrap_used)]

use chrono::Duration;
use proptest::prelude::*;

use super::ledger::DayBounds;
use super::*;
use crate::day::DayZone;
use crate::query::mapping::Mapping;

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn policy() -> Policy {
    Policy {
        zone: DayZone::parse("Europe/London").unwrap(),
        settle: Duration::hours(24),
        open_day: Duration::seconds(60),
        refresh_all: false,
    }
}

fn coverage(fetched: DateTime<Utc>) -> DayCoverage {
    DayCoverage { fetched, input_rows: 10, downstream_rows: 30, differs: false, foreign: false, bounds: None }
}

fn ledger(days: &[(&str, &str)]) -> Ledger {
    days.iter().map(|(of, fetched)| (day(of), coverage(at(fetched)))).collect()
}

/// The plan of a single day, made at noon of 2024-06-15 in London.
struct Case {
    day: &'static str,
    own: Option<&'static str>,
    other: Option<&'static str>,
    reach: Reach,
    refresh_all: bool,
    differs: bool,
}

const NOON: &str = "2024-06-15T11:00:00Z";

impl Case {
    fn of(day: &'static str, own: Option<&'static str>) -> Self {
        Self { day, own, other: None, reach: Reach::Online, refresh_all: false, differs: false }
    }

    fn other(self, fetched: &'static str) -> Self {
        Self { other: Some(fetched), ..self }
    }

    fn offline(self) -> Self {
        Self { reach: Reach::Offline, ..self }
    }

    fn refresh_all(self) -> Self {
        Self { refresh_all: true, ..self }
    }

    fn differs(self) -> Self {
        Self { differs: true, ..self }
    }

    fn plan(&self) -> Plan {
        let of =
            |fetched: Option<&str>| fetched.map(|fetched| ledger(&[(self.day, fetched)])).unwrap_or_default();
        let mut own = of(self.own);
        own.values_mut().for_each(|held| held.differs = self.differs);
        let only = DayRange::single(day(self.day));
        Plan::new(&PlanRequest {
            range: only,
            ledger: &own,
            adoptable: &[("broad".to_owned(), of(self.other))],
            now: at(NOON),
            policy: &Policy { refresh_all: self.refresh_all, ..policy() },
            reach: self.reach,
            rows_per_day: None,
            limits: Limits::default(),
        })
    }

    fn action(&self) -> Action {
        self.plan().days.remove(0).action
    }

    fn state(&self) -> DayState {
        self.plan().days.remove(0).state
    }
}

const ADOPT: fn() -> Action = || Action::Adopt { from: "broad".to_owned() };

#[test]
fn a_settled_day_is_served() {
    let case = Case::of("2024-06-10", Some("2024-06-11T23:00:00Z"));
    assert_eq!((case.action(), case.state()), (Action::Serve, DayState::Settled));
    // Fetched a second before it settled, the day was not final.
    let case = Case::of("2024-06-10", Some("2024-06-11T22:59:59Z"));
    assert_eq!(
        (case.action(), case.state()),
        (Action::Refresh(RefreshReason::FetchedWhileOpen), DayState::Open)
    );
    assert_eq!(case.offline().action(), Action::Serve);
    assert_eq!(Case::of("2024-06-10", None).action(), Action::Fetch);
}

#[test]
fn a_day_whose_bounds_have_moved_is_fetched_again() {
    let held = |bounds| {
        let mut held = ledger(&[("2024-06-10", "2024-06-12T00:00:00Z")]);
        held.values_mut().for_each(|held| held.bounds = bounds);
        held
    };
    let planned = |ledger: &Ledger, adoptable: &[(String, Ledger)], reach| {
        let plan = Plan::new(&PlanRequest {
            range: DayRange::single(day("2024-06-10")),
            ledger,
            adoptable,
            now: at(NOON),
            policy: &policy(),
            reach,
            rows_per_day: None,
            limits: Limits::default(),
        });
        (plan.days[0].action.clone(), plan.days[0].state)
    };
    let now = DayBounds::of(&policy().zone, day("2024-06-10"));
    let then = DayBounds { begins: now.begins + Duration::hours(1), ends: now.ends + Duration::hours(1) };
    for unmoved in [None, Some(now)] {
        assert_eq!(planned(&held(unmoved), &[], Reach::Online), (Action::Serve, DayState::Settled));
    }
    let moved = held(Some(then));
    let again = Action::Refresh(RefreshReason::Moved);
    assert_eq!(planned(&moved, &[], Reach::Online), (again, DayState::Open));
    assert_eq!(planned(&moved, &[], Reach::Offline), (Action::Serve, DayState::Open));
    // Nor is such a day adopted.
    let broader = [("broad".to_owned(), moved)];
    assert_eq!(planned(&Ledger::new(), &broader, Reach::Online), (Action::Fetch, DayState::NotHeld));
}

#[test]
fn a_day_settles_when_its_messages_have_settled_too() {
    let settled = |mapping: &str, fetched: &str| {
        let policy = Policy::of(&Mapping::parse(mapping).unwrap());
        let now = at("2024-07-15T00:00:00Z");
        state_of(day("2024-06-10"), Some(&coverage(at(fetched))), now, &policy) == DayState::Settled
    };
    for (mapping, settles) in [
        ("", "2024-06-12T00:00:00Z"),
        (r#"{"downstream_settle_hours": 72}"#, "2024-06-14T00:00:00Z"),
        (r#"{"downstream_settle_hours": 1}"#, "2024-06-12T00:00:00Z"),
        (r#"{"settle_hours": 2, "downstream_settle_hours": 5}"#, "2024-06-11T05:00:00Z"),
        (r#"{"downstream_settle_hours": 72, "trade_id": null}"#, "2024-06-12T00:00:00Z"),
    ] {
        let before = (at(settles) - Duration::seconds(1)).to_rfc3339();
        assert!(settled(mapping, settles) && !settled(mapping, &before), "{mapping}");
    }
}

#[test]
fn an_open_day_is_served_only_while_it_is_young() {
    for day in ["2024-06-15", "2024-06-14"] {
        let young = Case::of(day, Some("2024-06-15T10:59:01Z"));
        assert_eq!((young.action(), young.state()), (Action::Serve, DayState::Open));
        let old = Case::of(day, Some("2024-06-15T10:59:00Z"));
        assert_eq!(old.action(), Action::Refresh(RefreshReason::Open));
        assert_eq!(old.offline().action(), Action::Serve);
    }
}

#[test]
fn a_fetch_in_the_future_is_open_and_due() {
    for day in ["2024-06-15", "2024-06-10"] {
        let case = Case::of(day, Some("2024-06-15T11:00:01Z"));
        assert_eq!(
            (case.action(), case.state()),
            (Action::Refresh(RefreshReason::FetchedInFuture), DayState::Open)
        );
    }
}

#[test]
fn the_future_is_never_covered() {
    let future = Action::Unavailable(UnavailableReason::Future);
    for day in ["2024-06-16", "2030-01-01"] {
        for case in [Case::of(day, None), Case::of(day, Some(NOON)), Case::of(day, None).other(NOON)] {
            assert_eq!(case.action(), future);
            assert_eq!(case.state(), DayState::NotHeld);
            assert_eq!(case.refresh_all().action(), future);
        }
    }
    // Today has begun.
    assert_eq!(Case::of("2024-06-15", None).action(), Action::Fetch);
}

#[test]
fn asking_for_a_refresh_pulls_every_day() {
    let settled = || Case::of("2024-06-10", Some("2024-06-12T00:00:00Z"));
    assert_eq!(settled().refresh_all().action(), Action::Refresh(RefreshReason::Asked));
    assert_eq!(settled().refresh_all().offline().action(), Action::Serve);
    assert_eq!(
        Case::of("2024-06-10", None).other("2024-06-12T00:00:00Z").refresh_all().action(),
        Action::Fetch
    );
    assert_eq!(settled().differs().action(), Action::Refresh(RefreshReason::Differs));
    assert_eq!(
        settled().other("2024-06-13T00:00:00Z").differs().action(),
        Action::Refresh(RefreshReason::Differs)
    );
    assert_eq!(settled().differs().offline().action(), Action::Serve);
}

#[test]
fn only_what_would_be_served_is_adopted() {
    let missing = || Case::of("2024-06-10", None);
    assert_eq!(missing().other("2024-06-12T00:00:00Z").action(), ADOPT());
    assert_eq!(missing().other("2024-06-11T00:00:00Z").action(), Action::Fetch);
    assert_eq!(missing().other("2024-06-11T00:00:00Z").offline().action(), ADOPT());
    assert_eq!(missing().other("2024-07-11T00:00:00Z").action(), Action::Fetch);
    assert_eq!(missing().offline().action(), Action::Unavailable(UnavailableReason::Offline));
    assert_eq!(Case::of("2024-06-15", None).other("2024-06-15T10:59:30Z").action(), ADOPT());
}

#[test]
fn a_due_day_is_refreshed_unless_a_fresher_copy_is_at_hand() {
    let due = || Case::of("2024-06-10", Some("2024-06-11T00:00:00Z"));
    assert_eq!(due().other("2024-06-12T00:00:00Z").action(), ADOPT());
    assert_eq!(
        due().other("2024-06-11T00:00:01Z").action(),
        Action::Refresh(RefreshReason::FetchedWhileOpen)
    );
    assert_eq!(due().other("2024-06-12T00:00:00Z").offline().action(), ADOPT());
    assert_eq!(due().other("2024-06-11T12:00:00Z").offline().action(), Action::Serve);
    let set_back = || Case::of("2024-06-10", Some("2024-07-01T00:00:00Z"));
    // The own copy may still be the newer one.
    let refresh = Action::Refresh(RefreshReason::FetchedInFuture);
    assert_eq!(set_back().other("2024-06-12T00:00:00Z").action(), refresh);
    assert_eq!(set_back().other("2024-06-12T00:00:00Z").offline().action(), Action::Serve);
}

#[test]
fn the_most_recent_copy_is_adopted() {
    let held = |fetched: &str| ledger(&[("2024-06-10", fetched)]);
    let adoptable = [
        ("old".to_owned(), held("2024-06-12T00:00:00Z")),
        ("new".to_owned(), held("2024-06-13T00:00:00Z")),
        ("bogus".to_owned(), held("2024-09-13T00:00:00Z")),
        ("stale".to_owned(), held("2024-06-10T13:00:00Z")),
    ];
    for reach in [Reach::Online, Reach::Offline] {
        let plan = Plan::new(&PlanRequest {
            range: DayRange::single(day("2024-06-10")),
            ledger: &Ledger::new(),
            adoptable: &adoptable,
            now: at(NOON),
            policy: &policy(),
            reach,
            rows_per_day: None,
            limits: Limits::default(),
        });
        assert_eq!(plan.days[0].action, Action::Adopt { from: "new".to_owned() });
    }
}

fn range_plan(from: &str, to: &str, ledger: &Ledger, reach: Reach, rows_per_day: Option<f64>) -> Plan {
    Plan::new(&PlanRequest {
        range: DayRange::parse(from, to).unwrap(),
        ledger,
        adoptable: &[],
        now: at(NOON),
        policy: &policy(),
        reach,
        rows_per_day,
        limits: Limits::default(),
    })
}

#[test]
fn a_year_is_a_handful_of_windows() {
    let sizes = |plan: &Plan| plan.windows.iter().map(DayRange::len).collect::<Vec<_>>();
    let year = range_plan("2023-01-01", "2023-12-31", &Ledger::new(), Reach::Online, None);
    assert_eq!(sizes(&year), [30, 30, 31, 30, 31, 30, 30, 31, 30, 31, 30, 31]);
    let month = range_plan("2023-01-01", "2023-01-31", &Ledger::new(), Reach::Online, Some(6_000.0));
    assert_eq!(sizes(&month), [10, 10, 11], "enough rows to pull them side by side");
    let quiet = range_plan("2023-01-01", "2023-01-31", &Ledger::new(), Reach::Online, Some(500.0));
    assert_eq!(sizes(&quiet), [31]);
    let busy = range_plan("2023-01-01", "2023-01-10", &Ledger::new(), Reach::Online, Some(50_000.0));
    assert_eq!(sizes(&busy), [2, 2, 2, 2, 2]);
    let huge = range_plan("2023-01-01", "2023-01-03", &Ledger::new(), Reach::Online, Some(1e12));
    assert_eq!(sizes(&huge), [1, 1, 1]);
    let hole = ledger(&[("2023-01-04", "2023-02-01T00:00:00Z")]);
    let parted = range_plan("2023-01-01", "2023-01-10", &hole, Reach::Online, Some(f64::NAN));
    assert_eq!(sizes(&parted), [3, 6]);
    assert_eq!(parted.expected_rows, None);
}

#[test]
fn the_sentence_says_what_will_happen() {
    let cached: Vec<(String, &str)> =
        (1..=24).map(|number| (format!("2024-05-{number:02}"), "2024-06-10T00:00:00Z")).collect();
    let held: Vec<(&str, &str)> = cached.iter().map(|(day, fetched)| (day.as_str(), *fetched)).collect();
    let held = ledger(&held);
    let sentence = |from, to, reach, rows| range_plan(from, to, &held, reach, rows).sentence();
    use Reach::{Offline, Online};
    assert_eq!(
        sentence("2024-05-01", "2024-05-31", Online, Some(6_888.0)),
        "24 of 31 days cached, 7 to fetch, about 48,000 trades"
    );
    assert_eq!(sentence("2024-05-01", "2024-05-31", Online, None), "24 of 31 days cached, 7 to fetch");
    assert_eq!(sentence("2024-05-01", "2024-05-24", Online, None), "All 24 days are cached");
    assert_eq!(sentence("2024-05-01", "2024-05-02", Online, None), "Both days are cached");
    assert_eq!(sentence("2024-05-01", "2024-05-01", Online, None), "The day is cached");
    assert_eq!(
        sentence("2024-05-31", "2024-05-31", Online, Some(1.0)),
        "0 of 1 day cached, 1 to fetch, about 1 trade"
    );
    assert_eq!(sentence("2024-05-20", "2024-05-31", Offline, None), "5 of 12 days cached, 7 not available");
    assert_eq!(
        sentence("2024-06-15", "2024-06-16", Online, None),
        "0 of 2 days cached, 1 to fetch, 1 not available"
    );
    let open = ledger(&[("2024-06-14", "2024-06-14T10:00:00Z")]);
    let plan = range_plan("2024-06-14", "2024-06-14", &open, Online, None);
    assert_eq!(plan.sentence(), "0 of 1 day cached, 1 to refresh, about 10 trades");
    assert_eq!(
        Case::of("2024-06-10", None).other("2024-06-12T00:00:00Z").plan().sentence(),
        "0 of 1 day cached, 1 to copy from another cached query"
    );
}

#[test]
fn numbers_read_well() {
    assert_eq!(thousands(0), "0");
    assert_eq!(thousands(999), "999");
    assert_eq!(thousands(1_234_567), "1,234,567");
    assert_eq!(about(48_211), "about 48,000 trades");
    assert_eq!(about(99_999), "about 100,000 trades");
    assert_eq!(about(0), "about 0 trades");
}

fn number(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

#[test]
fn smaller_limits_make_smaller_windows() {
    let sizes = |limits: Limits, rows_per_day| {
        let plan = Plan::new(&PlanRequest {
            range: DayRange::parse("2023-01-01", "2023-01-10").unwrap(),
            ledger: &Ledger::new(),
            adoptable: &[],
            now: at(NOON),
            policy: &policy(),
            reach: Reach::Online,
            rows_per_day,
            limits,
        });
        plan.windows.iter().map(DayRange::len).collect::<Vec<_>>()
    };
    let limits = Limits::default();
    assert_eq!(sizes(limits, Some(10.0)), [10]);
    assert_eq!(sizes(Limits { window_days: number(4), ..limits }, None), [3, 3, 4]);
    assert_eq!(sizes(Limits { window_rows: number(50), ..limits }, Some(10.0)), [5, 5]);
    let split = Limits { worth_splitting: 99, side_by_side: number(2), ..limits };
    assert_eq!(sizes(split, Some(10.0)), [5, 5]);
    assert_eq!(sizes(Limits { worth_splitting: 100, ..split }, Some(10.0)), [10]);
}

const BASE: i32 = 19_800;

fn some_limits() -> impl Strategy<Value = Limits> {
    (1..40_u32, 1..200_000_u32, 0..100_000_u32, 1..6_u32).prop_map(|(days, rows, worth, side)| Limits {
        window_days: number(days),
        window_rows: number(rows),
        worth_splitting: worth,
        side_by_side: number(side),
        ..Limits::default()
    })
}

/// Days from `BASE` on, each with a fetch time in hours after `BASE`.
fn some_ledger() -> impl Strategy<Value = Ledger> {
    prop::collection::btree_map(0_i32..120, -24_i64..3_500, 0..90).prop_map(|days| {
        days.into_iter()
            .map(|(number, hours)| (Day::from_number(BASE + number), coverage(hour(hours))))
            .collect()
    })
}

fn hour(hours: i64) -> DateTime<Utc> {
    at("2024-03-18T00:00:00Z") + Duration::hours(hours)
}

proptest! {
    #[test]
    fn every_day_is_planned_once_and_windows_cover_what_is_pulled(
        from in 0..100_i32,
        length in 0..100_i32,
        held in some_ledger(),
        broad in some_ledger(),
        now in -48_i64..4_000,
        online in any::<bool>(),
        refresh_all in any::<bool>(),
        rows in prop::option::of(0.0..100_000.0_f64),
        limits in some_limits(),
    ) {
        let range = DayRange::new(Day::from_number(BASE + from), Day::from_number(BASE + from + length)).unwrap();
        let reach = if online { Reach::Online } else { Reach::Offline };
        let policy = Policy { refresh_all, ..policy() };
        let plan = Plan::new(&PlanRequest {
            range,
            ledger: &held,
            adoptable: &[("broad".to_owned(), broad)],
            now: hour(now),
            policy: &policy,
            reach,
            rows_per_day: rows,
            limits,
        });
        prop_assert_eq!(plan.days.iter().map(|day| day.day).collect::<Vec<_>>(), range.days().collect::<Vec<_>>());
        let counts = plan.counts();
        prop_assert_eq!(counts.requested, range.len());
        prop_assert_eq!(counts.serve + counts.refresh + counts.fetch + counts.adopt + counts.unavailable, range.len());
        // Windows are in order, disjoint, bounded, and cover exactly the days to pull.
        prop_assert!(plan.windows.windows(2).all(|pair| pair[0].to() < pair[1].from()));
        let longest = usize::try_from(limits.window_days.get()).unwrap();
        prop_assert!(plan.windows.iter().all(|window| window.len() <= longest));
        if let Some(rows) = rows {
            let most = f64::from(limits.window_rows.get());
            let too_many = |days: usize| crate::bson::number::approximate(days as u64) * rows > most;
            // A window may be a day longer than an even share.
            prop_assert!(plan.windows.iter().all(|window| window.len() == 1 || !too_many(window.len() - 1)));
        }
        let pulled: DaySet = plan.days.iter().filter(|day| day.is_pulled()).map(|day| day.day).collect();
        prop_assert_eq!(plan.windows.iter().map(DayRange::len).sum::<usize>(), pulled.len());
        prop_assert_eq!(plan.to_pull(), pulled);
        for planned in &plan.days {
            let future = policy.zone.start_of(planned.day) > hour(now);
            prop_assert_eq!(future, planned.action == Action::Unavailable(UnavailableReason::Future));
            prop_assert_eq!(planned.held.as_ref(), held.get(&planned.day).filter(|_| !future));
            match planned.action {
                Action::Serve | Action::Refresh(_) => prop_assert!(planned.held.is_some()),
                Action::Fetch | Action::Unavailable(_) => prop_assert!(planned.held.is_none()),
                Action::Adopt { .. } => {}
            }
            if !online {
                prop_assert!(!planned.is_pulled());
            }
        }
    }

    #[test]
    fn a_settled_ledger_pulls_nothing(from in 0..100_i32, length in 0..100_i32, late in 0_i64..1_000, later in 0_i64..100_000) {
        let range = DayRange::new(Day::from_number(BASE + from), Day::from_number(BASE + from + length)).unwrap();
        let policy = policy();
        let settled = policy.zone.end_of(range.to()) + policy.settle + Duration::minutes(late);
        let held: Ledger = range.days().map(|day| (day, coverage(settled))).collect();
        let plan = Plan::new(&PlanRequest {
            range,
            ledger: &held,
            adoptable: &[],
            now: settled + Duration::minutes(later),
            policy: &policy,
            reach: Reach::Online,
            rows_per_day: Some(10.0),
            limits: Limits::default(),
        });
        prop_assert!(plan.windows.is_empty());
        prop_assert_eq!(plan.expected_rows, Some(0));
        prop_assert_eq!(plan.counts().serve, range.len());
    }

    #[test]
    fn what_was_fetched_while_open_is_due_exactly_once(number in 0..100_i32, early in 1_i64..2_000, late in 0_i64..2_000) {
        let (policy, day) = (policy(), Day::from_number(BASE + number));
        let settles = policy.zone.end_of(day) + policy.settle;
        let plan = |fetched, now| {
            Plan::new(&PlanRequest {
                range: DayRange::single(day),
                ledger: &Ledger::from([(day, coverage(fetched))]),
                adoptable: &[],
                now,
                policy: &policy,
                reach: Reach::Online,
                rows_per_day: None,
                limits: Limits::default(),
            })
        };
        let now = settles + Duration::minutes(late);
        let before = plan(settles - Duration::minutes(early), now);
        prop_assert_eq!(&before.days[0].action, &Action::Refresh(RefreshReason::FetchedWhileOpen));
        // Pulled now, it is final, however far the clock moves on.
        for later in [0, 1, 60, 100_000] {
            prop_assert_eq!(&plan(now, now + Duration::minutes(later)).days[0].action, &Action::Serve);
        }
    }
}

#[test]
fn days_of_a_replaced_source_are_due_and_never_settled() {
    let of = day("2024-06-01");
    let mut own = ledger(&[("2024-06-01", "2024-06-13T00:00:00Z")]);
    own.values_mut().for_each(|held| held.foreign = true);
    let (policy, now) = (policy(), at(NOON));
    assert!(own[&of].is_in_doubt());
    assert_eq!(state_of(of, own.get(&of), now, &policy), DayState::Open);
    let action = |reach| {
        let plan = Plan::new(&PlanRequest {
            range: DayRange::single(of),
            ledger: &own,
            adoptable: &[],
            now,
            policy: &policy,
            reach,
            rows_per_day: None,
            limits: Limits::default(),
        });
        plan.days[0].action.clone()
    };
    assert_eq!(action(Reach::Online), Action::Refresh(RefreshReason::Replaced));
    assert_eq!(action(Reach::Offline), Action::Serve);
}
