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

/// Whether the match of a day alone has to return a document that was placed so.
fn is_returned_for(placed: &Place, day: Day) -> bool {
    match placed {
        Place::Day(placed) => *placed == day,
        Place::LeftOut(left_out) => left_out.touches(day),
        Place::Nowhere => false,
    }
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
                "$lte" => order.is_le(),
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
            (RawBsonRef::ObjectId(value), RawBsonRef::ObjectId(bound)) => holds(value.cmp(&bound)),
            (RawBsonRef::String(value), RawBsonRef::String(bound)) => holds(value.cmp(bound)),
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
    let several =
        |place: &Place| matches!(place, Place::LeftOut(left_out) if left_out.cause == Cause::SeveralDays);
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
        assert_eq!(left_out.cause, Cause::NotWhole);
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

/// MongoDB's name of a value's type.
fn type_name(value: Option<&Bson>) -> &'static str {
    match value {
        None => "missing",
        Some(Bson::DateTime(_)) => "date",
        Some(Bson::String(_)) => "string",
        Some(Bson::Int32(_)) => "int",
        Some(Bson::Int64(_)) => "long",
        Some(Bson::Double(_)) => "double",
        Some(Bson::Decimal128(_)) => "decimal",
        Some(Bson::ObjectId(_)) => "objectId",
        Some(Bson::Array(_)) => "array",
        Some(Bson::Null) => "null",
        Some(other) => panic!("{other}"),
    }
}

/// Whether one value is less than another of the same kind.
fn is_less(a: &Bson, b: &Bson) -> bool {
    let both = raw(&doc! {"a": a, "b": b});
    match (both.get("a").unwrap().unwrap(), both.get("b").unwrap().unwrap()) {
        (RawBsonRef::DateTime(a), RawBsonRef::DateTime(b)) => a < b,
        (RawBsonRef::ObjectId(a), RawBsonRef::ObjectId(b)) => a < b,
        (a, b) => as_number(a).unwrap().compare(as_number(b).unwrap()).unwrap().is_lt(),
    }
}

/// The result of `$regexFind`: the groups of the first match.
fn regex_find(text: &str, pattern: &str) -> Bson {
    let found = regex::Regex::new(pattern).unwrap().captures(text);
    found.map_or(Bson::Null, |found| {
        let group = |group: Option<regex::Match<'_>>| group.map_or(Bson::Null, |group| group.as_str().into());
        Bson::Document(doc! {"captures": found.iter().skip(1).map(group).collect::<Vec<_>>()})
    })
}

/// Evaluates the expressions in a [`group_key`] as MongoDB does. Variables are fields that begin with `$`.
fn evaluate(expression: &Bson, document: &Document) -> Option<Bson> {
    let millis = |value: Bson| match value {
        Bson::DateTime(at) => at.timestamp_millis(),
        Bson::Int64(number) => number,
        Bson::Int32(number) => number.into(),
        other => panic!("{other}"),
    };
    match expression {
        Bson::String(text) if text.starts_with('$') => match text[1..].split_once('.') {
            Some((head, rest)) => document.get(head)?.as_document()?.get(rest).cloned(),
            None => document.get(&text[1..]).cloned(),
        },
        Bson::Document(parts) => {
            let argument = |at: usize, list: &Bson| evaluate(&list.as_array().unwrap()[at], document);
            let (name, list) = parts.iter().next().unwrap();
            match name.as_str() {
                "$cond" if argument(0, list) == Some(Bson::Boolean(true)) => argument(1, list),
                "$cond" => argument(2, list),
                "$eq" => Some(Bson::Boolean(argument(0, list) == argument(1, list))),
                "$ne" => Some(Bson::Boolean(argument(0, list) != argument(1, list))),
                "$in" => {
                    let any = list.as_array().unwrap()[1].as_array().unwrap();
                    Some(Bson::Boolean(any.contains(&argument(0, list).unwrap())))
                }
                "$lt" => Some(Bson::Boolean(is_less(&argument(0, list)?, &argument(1, list)?))),
                "$ifNull" => argument(0, list).filter(|value| *value != Bson::Null).or(argument(1, list)),
                "$let" => {
                    let vars = list.as_document().unwrap().get_document("vars").unwrap();
                    let mut inner = document.clone();
                    for (name, value) in vars {
                        inner.insert(format!("${name}"), evaluate(value, document).unwrap());
                    }
                    evaluate(list.as_document().unwrap().get("in").unwrap(), &inner)
                }
                "$regexFind" => {
                    let arguments = list.as_document().unwrap();
                    let input = evaluate(arguments.get("input").unwrap(), document)?;
                    Some(regex_find(input.as_str().unwrap(), arguments.get_str("regex").unwrap()))
                }
                "$type" => Some(type_name(evaluate(list, document).as_ref()).into()),
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

/// The forms of a time stamp besides dates.
const FORMS: [&str; 7] = ["iso_text", "epoch_s", "epoch_ms", "epoch_us", "epoch_ns", "yyyymmdd", "object_id"];

/// A mapping by a time stamp of a form, with a day of year or without.
fn mapping_of(form: &str, zone: &str, day_zone: &str, has_day: bool) -> Mapping {
    let zone = match form {
        "iso_text" | "yyyymmdd" => format!(r#", "zone": "{zone}""#),
        _ => String::new(),
    };
    let day = if has_day { r#""day_of_year": "day_of_year", "# } else { "" };
    Mapping::parse(&format!(
        r#"{{"version": 2, {day}"day_zone": "{day_zone}",
            "timestamp": {{"path": "timestamp", "form": "{form}"{zone}}}}}"#
    ))
    .unwrap()
}

fn business(form: &str, day_zone: &str) -> Mapping {
    Mapping::parse(&format!(
        r#"{{"version": 2, "day_zone": "{day_zone}", "business_date": {{"path": "timestamp", "form": "{form}"}}}}"#
    ))
    .unwrap()
}

/// Seconds since 1970: around the days of [`some_day`] and around the ends of days of the zones.
fn seconds() -> impl Strategy<Value = i64> {
    let near = (some_day(), 0..96_i64, -1..2_i64)
        .prop_map(|(day, quarter, more)| i64::from(day.number()) * DAY_MS / 1_000 + quarter * 900 + more);
    let near = near.boxed();
    let early = (-30_000..-20_000_i64, 0..86_400_i64).prop_map(|(day, second)| day * 86_400 + second);
    prop_oneof![
        8 => near.clone(),
        1 => (near, -1..2_i64).prop_map(|(at, years)| at + years * 183 * DAY_MS / 1_000),
        1 => early,
    ]
}

/// The text of an instant with an offset: with a `T` or a blank, with all parts or some.
fn iso_text(second: i64, offset: i32, kind: u32) -> String {
    let at =
        DateTime::from_timestamp(second, 0).unwrap().naive_utc() + chrono::TimeDelta::seconds(offset.into());
    let (hours, minutes) = (offset.abs() / 3_600, offset.abs() / 60 % 60);
    let sign = if offset < 0 { '-' } else { '+' };
    let (shape, offset) = match kind % 8 {
        0 => ("%Y-%m-%dT%H:%M:%S", format!("{sign}{hours:02}:{minutes:02}")),
        1 => ("%Y%m%dT%H%M%S", format!("{sign}{hours:02}{minutes:02}")),
        2 => ("%Y-%m-%d %H:%M:%S.123456789", format!(" {sign}{hours:02}{minutes:02}")),
        3 if offset == 0 => ("%Y-%m-%dT%H:%M:%S,5", "Z".to_owned()),
        4 if offset == 0 => ("%Y%m%d %H:%M:%S", "z".to_owned()),
        5 => ("%Y%m%d-%H:%M:%S.123", format!("{sign}{hours:02}:{minutes:02}")),
        6 if offset == 0 => ("%Y%m%d-%H:%M", "Z".to_owned()),
        _ => ("%Y-%m-%dt%H:%M:%S.000", format!("{sign}{hours:02}:{minutes:02}")),
    };
    format!("{}{offset}", at.format(shape))
}

/// Offsets that zones have or had, in seconds.
fn offset() -> impl Strategy<Value = i32> {
    prop::sample::select(vec![0, 0, 3_600, -12_600, 20_700, 50_400, -43_200, 57_600, -57_600, 45_900, -60])
}

/// An instant as values of a form, each with what remains of the instant in it.
fn stored(form: &str, second: i64, offset: i32, kind: u32) -> (Bson, i64) {
    let units = |units: i64, more: i64| match kind % 5 {
        0 => Bson::Int64(second * units + more),
        1 => i32::try_from(second * units).map_or(Bson::Int64(second * units), Bson::Int32),
        2 => format!("{}.75", second * units).parse().map(Bson::Decimal128).unwrap(),
        #[expect(clippy::cast_precision_loss, reason = "what such a source stores")]
        3 if units <= 1_000_000 => Bson::Double((second * units) as f64 + 0.25),
        _ => Bson::Int64(second * units),
    };
    let value = match form {
        "iso_text" => iso_text(second, offset, kind).into(),
        "epoch_s" => units(1, 0),
        "epoch_ms" => units(1_000, 999),
        "epoch_us" => units(1_000_000, 999_999),
        "epoch_ns" => units(1_000_000_000, 999_999_999),
        "object_id" => {
            let second = second.clamp(0, u32::MAX.into());
            let mut bytes = [u8::try_from(kind % 256).unwrap(); 12];
            bytes[..4].copy_from_slice(&u32::try_from(second).unwrap().to_be_bytes());
            return (bson::oid::ObjectId::from_bytes(bytes).into(), second);
        }
        other => panic!("{other}"),
    };
    // A negative number with a fraction is before it.
    let is_before = second < 0 && kind % 5 == 2 && form != "iso_text";
    (value, if is_before { second - 1 } else { second })
}

/// A value of a form, or one that is nearly of it, or of a different type.
fn value_of(form: &'static str) -> impl Strategy<Value = Bson> {
    let good = (seconds(), offset(), any::<u32>()).prop_map(move |(second, offset, kind)| {
        let day = Day::from_number(i32::try_from(second.div_euclid(86_400)).unwrap()).date();
        match form {
            "yyyymmdd" => {
                let text = day.format("%Y%m%d").to_string();
                match kind % 4 {
                    0 => text.into(),
                    1 => Bson::Int32(text.parse().unwrap()),
                    2 => Bson::Double(text.parse().unwrap()),
                    _ => Bson::Decimal128(format!("{text}.00").parse().unwrap()),
                }
            }
            "iso_text" if kind % 7 == 0 => day.to_string().into(),
            "iso_text" if kind % 7 == 1 => {
                iso_text(second, 0, kind).chars().take(16).collect::<String>().into()
            }
            "date" => Bson::DateTime(bson::DateTime::from_millis(second * 1_000)),
            _ => stored(form, second, offset, kind).0,
        }
    });
    let bad: Vec<Bson> = vec![
        "n/a".into(),
        "".into(),
        "2005-02-30T10:00:00Z".into(),
        "20050230".into(),
        "2004-12-31T25:00Z".into(),
        "2004-12-31T23:59:60Z".into(),
        "2004-12-31T23:30:00+17:00".into(),
        "2004-12-31T23:30:00-15:00".into(),
        "2004-12-31T23:30:00Z\n".into(),
        "2004-12-31 noon".into(),
        "2004-12-3".into(),
        "2004-12".into(),
        "20041231235959".into(),
        "20041231T23".into(),
        "2004-12-31T23+05:30".into(),
        "2005".into(),
        20_041_232.into(),
        20_050_000.into(),
        20_050_100.into(),
        20_041_231.5.into(),
        20_041_231_235_959_i64.into(),
        f64::NAN.into(),
        f64::INFINITY.into(),
        f64::NEG_INFINITY.into(),
        Bson::Decimal128("1E+6000".parse().unwrap()),
        Bson::Null,
        at("2004-12-31T23:59:59Z").into(),
    ];
    prop_oneof![4 => good, 1 => prop::sample::select(bad)]
}

/// A mapping of a form, and a document for it.
fn mapped_documents() -> impl Strategy<Value = (Mapping, Document)> {
    let kinds: Vec<(&'static str, usize)> = FORMS
        .into_iter()
        .flat_map(|form| [(form, 0), (form, 1)])
        .chain([("iso_text", 2), ("yyyymmdd", 2), ("date", 2)])
        .collect();
    let zones = (prop::sample::select(&ZONES[..]), prop::sample::select(&ZONES[..]));
    (prop::sample::select(kinds), zones).prop_flat_map(|((form, kind), (zone, day_zone))| {
        let mapping = match kind {
            2 => business(form, day_zone),
            _ => mapping_of(form, zone, day_zone, kind == 1),
        };
        let values = value_of(form).boxed();
        let values = prop_oneof![
            5 => values.clone(),
            1 => prop::collection::vec(values, 0..4).prop_map(Bson::Array),
        ];
        (Just(mapping), values, odd(number()))
            .prop_map(|(mapping, stamp, day)| (mapping, doc! {"timestamp": stamp, "day_of_year": day}))
    })
}

#[test]
fn every_form_has_a_day() {
    let id = |second: &str| {
        let mut bytes = [0xab; 12];
        bytes[..4].copy_from_slice(&hex_bytes(second));
        Bson::ObjectId(bson::oid::ObjectId::from_bytes(bytes))
    };
    let decimal = |text: &str| Bson::Decimal128(text.parse().unwrap());
    for (form, zone, day_zone, value, expected) in [
        ("iso_text", "UTC", "UTC", "2025-01-31T23:59:59.999Z".into(), Some("2025-01-31")),
        ("iso_text", "UTC", "UTC", "2025-01-31T23:30:00-01:00".into(), Some("2025-02-01")),
        ("iso_text", "UTC", "UTC", "2025-02-01T00:30:00+01".into(), Some("2025-01-31")),
        ("iso_text", "UTC", "Europe/London", "20250630T233000Z".into(), Some("2025-07-01")),
        ("iso_text", "UTC", "Europe/London", "2025-06-30 23:30".into(), Some("2025-07-01")),
        ("iso_text", "Europe/London", "Europe/London", "2025-06-30 23:30".into(), Some("2025-06-30")),
        // The clocks of Sao Paulo skipped this midnight, and those of Lord Howe were set back by half an hour.
        ("iso_text", "America/Sao_Paulo", "America/Sao_Paulo", "2017-10-15".into(), Some("2017-10-15")),
        ("iso_text", "Australia/Lord_Howe", "UTC", "2025-04-06T01:45:00".into(), Some("2025-04-05")),
        ("iso_text", "UTC", "UTC", "1899-12-31T23:59:60Z".into(), Some("1899-12-31")),
        ("iso_text", "UTC", "UTC", "2024-02-29".into(), Some("2024-02-29")),
        ("iso_text", "UTC", "UTC", "2025-02-29".into(), None),
        ("iso_text", "UTC", "Asia/Tokyo", "20251103-13:45:12".into(), Some("2025-11-03")),
        ("iso_text", "UTC", "Asia/Tokyo", "20251103-15:00:00.000".into(), Some("2025-11-04")),
        ("iso_text", "UTC", "UTC", "20251103-23:45-01".into(), Some("2025-11-04")),
        ("iso_text", "UTC", "UTC", "20251103-13".into(), None),
        ("iso_text", "UTC", "UTC", "20251103-134512".into(), None),
        ("iso_text", "UTC", "UTC", "2025-11-03-13:45:12".into(), None),
        ("iso_text", "UTC", "UTC", "2025-01-31T24:00:00Z".into(), None),
        ("iso_text", "UTC", "UTC", "2025-01-31T09:30:00 UTC".into(), None),
        ("epoch_s", "UTC", "UTC", 1_700_000_000.25.into(), Some("2023-11-14")),
        ("epoch_s", "UTC", "UTC", (-0.5).into(), Some("1969-12-31")),
        ("epoch_s", "UTC", "UTC", 0.into(), Some("1970-01-01")),
        ("epoch_s", "UTC", "UTC", decimal("86399.9999999999999999999"), Some("1970-01-01")),
        ("epoch_ms", "UTC", "UTC", 86_400_000.into(), Some("1970-01-02")),
        ("epoch_us", "UTC", "UTC", (-1_i64).into(), Some("1969-12-31")),
        // Neighbours beyond 2^53: as doubles they would be one number.
        ("epoch_ns", "UTC", "UTC", 1_738_367_999_999_999_999_i64.into(), Some("2025-01-31")),
        ("epoch_ns", "UTC", "UTC", 1_738_368_000_000_000_000_i64.into(), Some("2025-02-01")),
        ("epoch_ns", "UTC", "UTC", decimal("1738367999999999999.9"), Some("2025-01-31")),
        ("yyyymmdd", "UTC", "UTC", 20_250_131.into(), Some("2025-01-31")),
        ("yyyymmdd", "UTC", "UTC", "20250131".into(), Some("2025-01-31")),
        ("yyyymmdd", "UTC", "UTC", decimal("2.0250131E+7"), Some("2025-01-31")),
        ("yyyymmdd", "UTC", "America/New_York", 20_250_131.into(), Some("2025-01-30")),
        ("yyyymmdd", "Pacific/Apia", "Pacific/Apia", "20111230".into(), Some("2011-12-30")),
        ("yyyymmdd", "UTC", "UTC", "20250131093000".into(), None),
        ("yyyymmdd", "UTC", "UTC", 20_251_345.into(), None),
        ("object_id", "UTC", "UTC", id("679d63ff"), Some("2025-01-31")),
        ("object_id", "UTC", "UTC", id("679d6400"), Some("2025-02-01")),
    ] {
        let mapping = mapping_of(form, zone, day_zone, false);
        let placed = place(&mapping, &doc! {"timestamp": &value});
        match expected {
            Some(expected) => assert_eq!(placed, Place::Day(day(expected)), "{form} {value}"),
            None => assert!(
                matches!(&placed, Place::LeftOut(left_out) if left_out.cause == Cause::Unreadable),
                "{form} {value} {placed:?}"
            ),
        }
    }
    for (form, value, expected) in [
        ("iso_text", "2025-01-31T23:30:00-05:00".into(), "2025-01-31"),
        ("iso_text", "2025-01-31".into(), "2025-01-31"),
        ("yyyymmdd", 20_250_131_i64.into(), "2025-01-31"),
        ("date", Bson::DateTime(at("2025-01-31T00:00:00Z")), "2025-01-31"),
    ] {
        let mapping = business(form, "America/New_York");
        assert_eq!(place(&mapping, &doc! {"timestamp": &value}), Place::Day(day(expected)), "{form} {value}");
    }
}

fn hex_bytes(text: &str) -> [u8; 4] {
    u32::from_str_radix(text, 16).unwrap().to_be_bytes()
}

/// A value that cannot be read is counted with one day, whatever range is requested.
#[test]
fn what_cannot_be_read_touches_one_day() {
    for (form, value, expected) in [
        ("iso_text", "2025-02-30T10:00:00Z".into(), "2025-02-28"),
        ("iso_text", "2025-01-31 noon".into(), "2025-01-31"),
        ("iso_text", "20250231".into(), "2025-02-28"),
        ("yyyymmdd", "20250131093000".into(), "2025-01-31"),
        ("yyyymmdd", 20_251_345.into(), "2025-12-31"),
        ("yyyymmdd", 20_250_131.5.into(), "2025-01-31"),
        ("yyyymmdd", 20_250_300.into(), "2025-02-28"),
    ] {
        let document: Document = doc! {"timestamp": Bson::clone(&value)};
        let Place::LeftOut(left_out) = place(&mapping_of(form, "UTC", "UTC", false), &document) else {
            panic!("{form} {value}")
        };
        let year = DayRange::parse("2025-01-01", "2025-12-31").unwrap();
        let touched: Vec<Day> = year.days().filter(|day| left_out.touches(*day)).collect();
        assert_eq!(touched, [day(expected)], "{form} {value}");
    }
    for (form, value) in [("iso_text", Bson::from("n/a")), ("yyyymmdd", Bson::from(1_738_000_000))] {
        let mapping = mapping_of(form, "UTC", "UTC", false);
        assert_eq!(place(&mapping, &doc! {"timestamp": value}), Place::Nowhere);
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
            let expected = is_returned_for(&placed, day);
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
    fn every_form_means_the_day_that_a_date_would(
        form in prop::sample::select(FORMS.iter().copied().filter(|form| *form != "yyyymmdd").collect::<Vec<_>>()),
        zone in prop::sample::select(&ZONES[..]),
        day_zone in prop::sample::select(&ZONES[..]),
        second in seconds(),
        offset in offset(),
        kind in any::<u32>(),
    ) {
        let (value, second) = stored(form, second, offset, kind);
        let date = bson::DateTime::from_millis(second * 1_000);
        let expected = place(&mapping(2, day_zone), &doc! {"timestamp": date});
        let placed = place(&mapping_of(form, zone, day_zone, false), &doc! {"timestamp": &value});
        prop_assert_eq!(placed, expected, "{}", value);
    }

    #[test]
    fn every_form_has_one_definition_of_the_day(
        (mapping, document) in mapped_documents(),
        first in some_day(),
        length in 0..70_i32,
    ) {
        let range = DayRange::new(first, first.plus(length)).unwrap();
        let bytes = raw(&document);
        let placed = place(&mapping, &document);
        let has_neighbours = mapping.dates().has_neighbours();
        let is_asked = accepts(&date_match(&mapping, &range), &bytes);
        for day in range.days() {
            let alone = accepts(&date_match(&mapping, &DayRange::single(day)), &bytes);
            let expected = is_returned_for(&placed, day);
            prop_assert!(alone || !expected, "{} alone: {} is {:?}", day, document, placed);
            prop_assert!(expected || has_neighbours || !alone, "{} alone: {} is {:?}", day, document, placed);
            prop_assert!(is_asked || !alone, "{} with its neighbours: {}", day, document);
        }
        if is_asked {
            let key = evaluate(&group_key(&mapping, &range).into(), &document).unwrap();
            let counted = Placement::new(&mapping).place_group(key.as_document().unwrap());
            // What the range does not have may be counted as any other day.
            match (&counted, &placed) {
                (Place::Day(counted), Place::Day(placed)) if !range.contains(*placed) => {
                    prop_assert!(!range.contains(*counted), "{} as {}", document, key);
                }
                _ => prop_assert_eq!(counted, placed, "{} as {}", document, key),
            }
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
