#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use bson::Decimal128;
use proptest::prelude::*;

use super::*;

fn raw(document: &Document) -> RawDocumentBuf {
    RawDocumentBuf::try_from(document).unwrap()
}

fn mapping(kind: usize, zone: &str) -> Mapping {
    let dates = [r#""version": 1"#, r#""year": null"#, r#""year": null, "day_of_year": null"#][kind];
    Mapping::parse(&format!(r#"{{{dates}, "day_zone": "{zone}"}}"#)).unwrap()
}

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

fn at(text: &str) -> bson::DateTime {
    bson::DateTime::parse_rfc3339_str(text).unwrap()
}

fn place(mapping: &Mapping, document: &Document) -> Place {
    Placement::new(mapping).place(&raw(document))
}

/// Whether a match on dates returns a document, decided as MongoDB decides it.
fn accepts(asked: &Document, document: &RawDocument) -> bool {
    asked.iter().all(|(path, condition)| match condition {
        Bson::Array(any) => {
            assert_eq!(path, "$or");
            any.iter().any(|part| accepts(part.as_document().unwrap(), document))
        }
        Bson::Document(ends) => ends.iter().all(|(operator, bound)| {
            any_value(document, path, bound, |order| match operator.as_str() {
                "$gte" => order.is_ge(),
                "$lt" => order.is_lt(),
                other => panic!("{other}"),
            })
        }),
        value => any_value(document, path, value, std::cmp::Ordering::is_eq),
    })
}

fn any_value(
    document: &RawDocument,
    path: &str,
    bound: &Bson,
    holds: impl Fn(std::cmp::Ordering) -> bool,
) -> bool {
    let holder = raw(&doc! {"b": bound.clone()});
    let bound = holder.get("b").unwrap().unwrap();
    let mut any = false;
    path::values(document, path, &mut |value| {
        any |= match (value, bound) {
            (RawBsonRef::DateTime(value), RawBsonRef::DateTime(bound)) => holds(value.cmp(&bound)),
            (value, bound) => as_number(value)
                .zip(as_number(bound))
                .and_then(|(value, bound)| value.compare(bound))
                .is_some_and(&holds),
        };
    })
    .unwrap();
    any
}

#[test]
fn a_business_day_has_the_year_that_is_nearest_to_its_time_stamp() {
    let mapping = mapping(1, "UTC");
    for (day_of_year, timestamp, expected) in [
        // Friday's business over the weekend, and over the turn of the year.
        (3, "2025-01-03T22:00:00Z", Some("2025-01-03")),
        (365, "2026-01-01T03:00:00Z", Some("2025-12-31")),
        (1, "2025-12-31T22:00:00Z", Some("2026-01-01")),
        (2, "2025-12-31T22:00:00Z", Some("2026-01-02")),
        // Leap years have one more.
        (366, "2025-01-01T03:00:00Z", Some("2024-12-31")),
        (366, "2023-12-31T03:00:00Z", None),
        (366, "2024-07-01T12:00:00Z", None),
        (366, "2024-07-02T12:00:00Z", Some("2024-12-31")),
        // Exactly half a leap year away from either: the earlier one.
        (100, "2024-10-09T00:00:00Z", Some("2024-04-09")),
        (100, "2024-10-10T00:00:00Z", Some("2025-04-10")),
        (0, "2025-01-01T03:00:00Z", None),
        (367, "2025-01-01T03:00:00Z", None),
    ] {
        let document = doc! {"day_of_year": day_of_year, "timestamp": at(timestamp)};
        let expected = expected.map_or(Place::Nowhere, |expected| Place::Day(day(expected)));
        assert_eq!(place(&mapping, &document), expected, "{document}");
    }
}

#[test]
fn an_odd_document_is_left_out_and_a_plain_one_of_any_type_is_placed() {
    let decimal = |text: &str| text.parse::<Decimal128>().unwrap();
    let several = |place: &Place| matches!(place, Place::LeftOut(left_out) if !left_out.is_not_whole);
    let by_year = mapping(0, "UTC");
    for document in [
        doc! {"year": 2025, "day_of_year": decimal("200.0")},
        doc! {"year": decimal("2.025E3"), "day_of_year": 200.0},
        doc! {"year": [2025], "day_of_year": [200, 200_i64]},
        doc! {"year": [2025, "x"], "day_of_year": 200},
    ] {
        assert_eq!(place(&by_year, &document), Place::Day(day("2025-07-19")), "{document}");
    }
    for document in
        [doc! {"year": [2024, 2025], "day_of_year": 9}, doc! {"year": 2025, "day_of_year": [8, 9]}]
    {
        assert!(several(&place(&by_year, &document)), "{document}");
    }
    for number in [Bson::Double(42.5), Bson::Decimal128(decimal("42.5"))] {
        let Place::LeftOut(left_out) = place(&by_year, &doc! {"year": 2025, "day_of_year": number}) else {
            panic!("no place")
        };
        assert!(left_out.is_not_whole);
        let touched: Vec<Day> = DayRange::parse("2025-01-01", "2025-12-31")
            .unwrap()
            .days()
            .filter(|day| left_out.touches(*day))
            .collect();
        assert_eq!(touched, [day("2025-02-11")]);
    }
    for document in [
        doc! {"year": 2025, "day_of_year": "42"},
        doc! {"year": 2025},
        doc! {"year": 2025, "day_of_year": 366},
        doc! {"year": 2025, "day_of_year": f64::NAN},
        doc! {"year": 2025, "day_of_year": decimal("1E+6000")},
    ] {
        assert_eq!(place(&by_year, &document), Place::Nowhere, "{document}");
    }

    let by_time = mapping(2, "UTC");
    let (first, second) = (at("2025-10-01T09:00:00Z"), at("2025-10-02T09:00:00Z"));
    assert!(several(&place(&by_time, &doc! {"timestamp": [first, second]})));
    let one_day = doc! {"timestamp": [first, "text", at("2025-10-01T10:00:00Z")]};
    assert_eq!(place(&by_time, &one_day), Place::Day(day("2025-10-01")));
}

const ZONES: [&str; 6] =
    ["UTC", "Europe/London", "America/St_Johns", "Pacific/Apia", "America/Edmonton", "Asia/Kathmandu"];

/// Around the ends of a leap year and of a year before and after one.
fn some_day() -> impl Strategy<Value = Day> {
    let around = |text: &str| {
        let middle = Day::parse(text).unwrap();
        (-40..40).prop_map(move |days| middle.plus(days))
    };
    prop_oneof![around("2004-01-01"), around("2005-01-01"), around("2006-10-29"), around("2011-12-30")]
}

fn stamp() -> impl Strategy<Value = Bson> {
    let near = (some_day(), 0..96_i64)
        .prop_map(|(day, quarter)| i64::from(day.number()) * DAY_MS + quarter * DAY_MS / 96);
    let half_year =
        (near, -4..5_i64, -1..2_i64).prop_map(|(at, days, years)| at + years * 183 * DAY_MS + days * DAY_MS);
    half_year.prop_map(|at| Bson::DateTime(bson::DateTime::from_millis(at)))
}

fn number() -> impl Strategy<Value = Bson> {
    let day = prop_oneof![0..3_i32, 58..62_i32, 362..368_i32, 0..370_i32];
    (day, 0..6).prop_map(|(day, kind)| match kind {
        0..3 => Bson::Int32(day),
        3 => Bson::Double(f64::from(day)),
        4 => Bson::Decimal128(format!("{day}.0").parse().unwrap()),
        _ => Bson::Double(f64::from(day) + 0.5),
    })
}

fn year() -> impl Strategy<Value = Bson> {
    (2003..2013_i32, 0..4).prop_map(|(year, kind)| match kind {
        0 => Bson::Int64(year.into()),
        1 => Bson::Decimal128(format!("{year}.00").parse().unwrap()),
        _ => Bson::Int32(year),
    })
}

/// A value, or sometimes several, or one of a different type.
fn odd(values: impl Strategy<Value = Bson> + 'static) -> impl Strategy<Value = Bson> {
    let values = values.boxed();
    prop_oneof![
        6 => values.clone(),
        2 => prop::collection::vec(values, 0..4).prop_map(Bson::Array),
        1 => Just(Bson::String("42".to_owned())),
        1 => Just(Bson::Null),
    ]
}

fn documents() -> impl Strategy<Value = Document> {
    (odd(year()), odd(number()), odd(stamp())).prop_map(|(year, day, stamp)| {
        doc! {"year": year, "day_of_year": day, "timestamp": stamp}
    })
}

/// Evaluates the expressions in a [`group_key`] as MongoDB does.
fn evaluate(expression: &Bson, document: &Document) -> Option<Bson> {
    let millis = |value: Bson| match value {
        Bson::DateTime(at) => at.timestamp_millis(),
        Bson::Int64(number) => number,
        Bson::Int32(number) => number.into(),
        other => panic!("{other}"),
    };
    match expression {
        Bson::String(text) if text.starts_with('$') => document.get(&text[1..]).cloned(),
        Bson::Document(parts) => {
            let argument = |at: usize, list: &Bson| evaluate(&list.as_array().unwrap()[at], document);
            let (name, list) = parts.iter().next().unwrap();
            match name.as_str() {
                "$cond" if argument(0, list) == Some(Bson::Boolean(true)) => argument(1, list),
                "$cond" => argument(2, list),
                "$eq" => Some(Bson::Boolean(argument(0, list) == argument(1, list))),
                "$lt" => {
                    let (a, b) = (millis(argument(0, list)?), millis(argument(1, list)?));
                    Some(Bson::Boolean(a < b))
                }
                "$type" => {
                    let is_date = matches!(evaluate(list, document), Some(Bson::DateTime(_)));
                    Some(Bson::String(if is_date { "date" } else { "another" }.to_owned()))
                }
                "$toLong" => Some(Bson::Int64(millis(evaluate(list, document)?))),
                "$subtract" => Some(Bson::Int64(millis(argument(0, list)?) - millis(argument(1, list)?))),
                "$divide" => {
                    let (a, b) = (millis(argument(0, list)?), millis(argument(1, list)?));
                    #[expect(clippy::cast_precision_loss, reason = "as the server divides")]
                    Some(Bson::Double(a as f64 / b as f64))
                }
                "$floor" => Some(Bson::Double(evaluate(list, document)?.as_f64().unwrap().floor())),
                "$add" => {
                    let day = argument(0, list)?.as_i32().unwrap();
                    Some(Bson::Double(f64::from(day) + argument(1, list)?.as_f64().unwrap()))
                }
                _ => {
                    let fields = parts
                        .iter()
                        .filter_map(|(name, part)| Some((name.clone(), evaluate(part, document)?)));
                    Some(Bson::Document(fields.collect()))
                }
            }
        }
        other => Some(other.clone()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn match_storage_and_check_have_one_definition_of_the_day(
        kind in 0..3_usize,
        zone in prop::sample::select(&ZONES[..]),
        document in documents(),
        first in some_day(),
        length in 0..70_i32,
    ) {
        let mapping = mapping(kind, zone);
        let range = DayRange::new(first, first.plus(length)).unwrap();
        let bytes = raw(&document);
        let placed = place(&mapping, &document);
        let is_asked = accepts(&date_match(&mapping, &range), &bytes);
        for day in range.days() {
            let alone = accepts(&date_match(&mapping, &DayRange::single(day)), &bytes);
            let expected = match &placed {
                Place::Day(placed) => *placed == day,
                Place::LeftOut(left_out) => left_out.touches(day),
                Place::Nowhere => false,
            };
            prop_assert_eq!(alone, expected, "{} alone: {} is {:?}", day, document, placed);
            prop_assert!(is_asked || !alone, "{} with its neighbours: {}", day, document);
        }
        match &placed {
            Place::Day(day) if range.contains(*day) => prop_assert!(is_asked),
            // With time stamps half a year off, documents of other days are returned as well.
            _ if kind == 1 => {}
            Place::LeftOut(left_out) => {
                prop_assert_eq!(is_asked, range.days().any(|day| left_out.touches(day)), "{}", document);
            }
            _ => prop_assert!(!is_asked, "{}", document),
        }
        if is_asked {
            let key = evaluate(&group_key(&mapping, &range).into(), &document).unwrap();
            let counted = Placement::new(&mapping).place_group(key.as_document().unwrap());
            prop_assert_eq!(counted, placed, "{} as {}", document, key);
        }
    }

    #[test]
    fn every_time_stamp_is_nearest_to_one_date(day_of_year in 1..366_i32, number in 0..40_000_i32) {
        let stamp = Day::from_number(number);
        let found = nearest(day_of_year, stamp).unwrap();
        let distance = |day: Day| (day.number() - number).abs();
        let candidates: BTreeMap<i32, Day> = (stamp.year() - 2..=stamp.year() + 2)
            .filter_map(|year| date(year, day_of_year))
            .map(|day| (distance(day), day))
            .collect();
        prop_assert_eq!(distance(found), *candidates.keys().next().unwrap());
    }
}
