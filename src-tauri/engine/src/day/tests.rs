#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

fn zone(name: &str) -> DayZone {
    DayZone::parse(name).unwrap()
}

fn hours(zone_name: &str, of: &str) -> i64 {
    let zone = zone(zone_name);
    (zone.end_of(day(of)) - zone.start_of(day(of))).num_hours()
}

#[test]
fn a_day_is_read_and_written_the_same() {
    for text in ["2024-02-29", "1970-01-01", "0001-01-01", "9999-12-31", "2025-12-31"] {
        assert_eq!(day(text).to_string(), text);
    }
    assert_eq!(day("1970-01-02").number(), 1);
    assert_eq!(day("2024-12-31").day_of_year(), 366);
    assert_eq!(Day::from_year_day(2023, 366), None);
    assert_eq!(serde_json::to_string(&day("2024-02-29")).unwrap(), "\"2024-02-29\"");
    assert_eq!(serde_json::from_str::<Day>("\"2024-02-29\"").unwrap(), day("2024-02-29"));
}

#[test]
fn a_text_that_is_no_day_is_refused_by_name() {
    for text in [
        "2023-02-29",
        "2024-2-1",
        "24-02-01",
        "2024-13-01",
        "",
        "today",
        "2024/02/01",
        "12024-01-01",
        "+024-01-01",
    ] {
        let failure = Day::parse(text).unwrap_err();
        assert_eq!(failure.code, Code::BadRange);
        assert!(failure.message.contains(text), "{failure}");
    }
}

#[test]
fn a_range_is_checked() {
    assert_eq!(DayRange::parse("2024-02-01", "2024-03-01").unwrap().len(), 30);
    assert_eq!(DayRange::parse("2024-02-02", "2024-02-01").unwrap_err().code, Code::BadRange);
    assert_eq!(DayRange::parse("1984-01-01", "2024-01-02").unwrap_err().code, Code::BadRange);
    assert!(DayRange::parse("1984-01-01", "2023-12-31").is_ok());
    assert!(DayRange::parse("0001-01-01", "9999-12-31").is_err());
}

#[test]
fn days_have_the_length_that_the_clocks_give_them() {
    assert_eq!(hours("Europe/London", "2024-03-31"), 23);
    assert_eq!(hours("Europe/London", "2024-10-27"), 25);
    assert_eq!(hours("America/New_York", "2024-03-10"), 23);
    assert_eq!(hours("America/New_York", "2024-11-03"), 25);
    assert_eq!(hours("Europe/London", "2024-02-29"), 24);
    assert_eq!(hours("UTC", "2024-03-31"), 24);
}

#[test]
fn a_day_without_midnight_begins_at_its_first_instant() {
    let zone = zone("America/Sao_Paulo");
    assert_eq!(zone.start_of(day("2018-11-04")).to_rfc3339(), "2018-11-04T03:00:00+00:00");
    assert_eq!(hours("America/Sao_Paulo", "2018-11-04"), 23);
    assert_eq!(hours("America/Sao_Paulo", "2018-02-17"), 25);
}

#[test]
fn a_skipped_day_is_empty() {
    let zone = zone("Pacific/Apia");
    assert_eq!(zone.start_of(day("2011-12-30")), zone.start_of(day("2011-12-31")));
    assert_eq!(zone.start_of(day("2011-12-30")).to_rfc3339(), "2011-12-30T10:00:00+00:00");
    assert_eq!(zone.day_of(zone.start_of(day("2011-12-30"))), day("2011-12-31"));
    assert_eq!(hours("Pacific/Apia", "2011-12-29"), 24);
}

#[test]
fn a_midnight_that_comes_twice_counts_the_first_time() {
    // The clocks went back at 00:01, to 23:01 of the day before.
    let zone = zone("America/St_Johns");
    let start = zone.start_of(day("2006-10-29"));
    assert_eq!(start.to_rfc3339(), "2006-10-29T02:30:00+00:00");
    assert_eq!(zone.day_of(start + TimeDelta::minutes(30)), day("2006-10-29"));
}

#[test]
fn the_wildest_stamp_has_a_day() {
    for name in ZONES {
        let zone = zone(name);
        for at in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            assert_eq!(zone.day_of(at), Day::from(at.date_naive()));
        }
        for number in [FIRST, FIRST + 1, FIRST + 3, LAST - 3, LAST - 1, LAST, i32::MIN, i32::MAX] {
            let start = zone.start_of(Day::from_number(number));
            assert!((zone.day_of(start).number() - Day::from_number(number).number()).abs() <= 1);
        }
    }
}

#[test]
fn an_unknown_zone_is_refused() {
    let failure = DayZone::parse("Mars/Olympus").unwrap_err();
    assert_eq!(failure.code, Code::BadMapping);
    assert!(failure.message.contains("Mars/Olympus"));
}

const ZONES: [&str; 14] = [
    "UTC",
    "Europe/London",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "America/St_Johns",
    "America/Havana",
    "Asia/Beirut",
    "Asia/Tehran",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Africa/Casablanca",
];

/// A set of some days around 2024-01-01.
fn some_days() -> impl Strategy<Value = BTreeSet<Day>> {
    prop::collection::btree_set((19_700..19_760).prop_map(Day::from_number), 0..40)
}

proptest! {
    #[test]
    fn a_zone_parts_time_into_days(name in prop::sample::select(&ZONES[..]), number in 3_650..22_000) {
        let (zone, day) = (zone(name), Day::from_number(number));
        let (start, end) = (zone.start_of(day), zone.end_of(day));
        prop_assert!(start <= end);
        if start < end {
            prop_assert_eq!(zone.day_of(start), day);
            prop_assert_eq!(zone.day_of(end - TimeDelta::milliseconds(1)), day);
            let before = zone.day_of(start - TimeDelta::milliseconds(1));
            // It is a different day only if the day before was skipped.
            prop_assert!(before == day.previous() || zone.start_of(day.previous()) == start);
        }
    }

    #[test]
    fn sets_of_days_are_sets(a in some_days(), b in some_days()) {
        let (x, y): (DaySet, DaySet) = (a.iter().copied().collect(), b.iter().copied().collect());
        let check = |ours: DaySet, theirs: BTreeSet<Day>| {
            assert_eq!(ours.days().collect::<BTreeSet<_>>(), theirs);
            assert_eq!(ours.len(), theirs.len());
            assert_eq!(ours.is_empty(), theirs.is_empty());
            assert!(ours.ranges().windows(2).all(|pair| pair[0].to.next() < pair[1].from));
            assert_eq!(ours, theirs.into_iter().collect());
        };
        check(x.union(&y), a.union(&b).copied().collect());
        check(x.intersection(&y), a.intersection(&b).copied().collect());
        check(x.difference(&y), a.difference(&b).copied().collect());
        for number in 19_699..19_761 {
            let day = Day::from_number(number);
            prop_assert_eq!(x.contains(day), a.contains(&day));
        }
    }

    #[test]
    fn inserting_ranges_is_their_union(ranges in prop::collection::vec((0..200, 0..20), 0..20)) {
        let ranges: Vec<DayRange> = ranges
            .into_iter()
            .map(|(from, more)| DayRange { from: Day(from), to: Day(from + more) })
            .collect();
        let mut set = DaySet::new();
        for range in &ranges {
            set.insert(*range);
        }
        prop_assert_eq!(&set, &DaySet::from_ranges(ranges.iter().copied()));
        prop_assert_eq!(set, ranges.iter().flat_map(DayRange::days).collect());
    }
}
