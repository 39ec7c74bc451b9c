//! The forms of a time stamp and of a business date that mappings of version 2 have: against a real server.

use crate::support::fixture::{Fixture, day, range};
use bson::oid::ObjectId;
use bson::{Bson, Document, doc};
use chrono::{DateTime, Utc};
use tidemark_engine::answer::{Answer, LeftOutReason};
use tidemark_engine::failure::Code;
use tidemark_engine::plan::ledger::FetchMode;
use tidemark_engine::query::pipeline::{input_pipeline, odd_dates_pipeline};
use tidemark_engine::rows::Role;
use tidemark_test_support::server;

/// Forms by which an instant can be stored.
const INSTANTS: [&str; 7] = ["date", "iso_text", "epoch_s", "epoch_ms", "epoch_us", "epoch_ns", "object_id"];

/// Around the ends of the days on which the clocks of London change, with the day of each.
const TRADES: [(&str, &str); 8] = [
    ("2025-03-28T23:59:59Z", "2025-03-28"),
    ("2025-03-29T00:00:00Z", "2025-03-29"),
    ("2025-03-29T23:59:59Z", "2025-03-29"),
    ("2025-03-30T00:00:00Z", "2025-03-30"),
    ("2025-03-30T22:59:59Z", "2025-03-30"),
    ("2025-03-30T23:00:00Z", "2025-03-31"),
    ("2025-03-31T22:59:59Z", "2025-03-31"),
    ("2025-03-31T23:00:00Z", "2025-04-01"),
];
/// The days that are fetched, and the trades of them.
const DAYS: (&str, &str) = ("2025-03-29", "2025-03-31");
const FOUND: [i32; 6] = [1, 2, 3, 4, 5, 6];

/// How a trade's time is stored. Neighbouring trades differ in what a form leaves open.
fn stored(form: &str, number: i32, at: &str, of_day: &str) -> Bson {
    let instant: DateTime<Utc> = at.parse().unwrap();
    let second = instant.timestamp();
    let text = |format: &str| instant.format(format).to_string();
    let compact = of_day.replace('-', "");
    match (form, number % 4) {
        ("date", _) => Bson::DateTime(bson::DateTime::from_millis(second * 1_000)),
        ("iso_text", 0) => at.into(),
        ("iso_text", 1) => text("%Y%m%d-%H:%M:%S.999").into(),
        ("iso_text", 2) => {
            let local = instant + chrono::TimeDelta::hours(14);
            format!("{}+14:00", local.format("%Y-%m-%dT%H:%M:%S")).into()
        }
        ("iso_text", _) => {
            let local = instant - chrono::TimeDelta::minutes(210);
            format!("{} -0330", local.format("%Y-%m-%d %H:%M:%S,5")).into()
        }
        ("epoch_s", 0) => Bson::Int32(i32::try_from(second).unwrap()),
        ("epoch_s", 1) => Bson::Double(second.to_string().parse::<f64>().unwrap() + 0.25),
        ("epoch_s", 2) => Bson::Decimal128(format!("{second}.999999999").parse().unwrap()),
        ("epoch_s", _) => Bson::Int64(second),
        ("epoch_ms", _) => Bson::Int64(second * 1_000 + 999),
        ("epoch_us", _) => Bson::Int64(second * 1_000_000 + 999_999),
        ("epoch_ns", 0) => Bson::Decimal128((second * 1_000_000_000).to_string().parse().unwrap()),
        ("epoch_ns", _) => Bson::Int64(second * 1_000_000_000 + 999_999_999),
        ("object_id", _) => {
            let mut bytes = [u8::try_from(number).unwrap(); 12];
            bytes[..4].copy_from_slice(&u32::try_from(second).unwrap().to_be_bytes());
            ObjectId::from_bytes(bytes).into()
        }
        ("yyyymmdd", 0) => compact.into(),
        ("yyyymmdd", 1) => Bson::Double(compact.parse().unwrap()),
        ("yyyymmdd", _) => Bson::Int32(compact.parse().unwrap()),
        other => panic!("{other:?}"),
    }
}

fn trade(form: &str, number: i32, at: &str, of_day: &str) -> Document {
    doc! {
        "_id": number, "trade_id": format!("T{number}"), "product": "Power",
        "day_of_year": i32::try_from(day(of_day).day_of_year()).unwrap(),
        "execution": {"at": stored(form, number, at, of_day)},
    }
}

/// The trades and a message for each, which names its trade under a path of its own and has a misleading id of its
/// own.
fn documents(form: &str) -> Vec<Document> {
    let mut documents = Vec::new();
    for (number, (at, of_day)) in (0..).zip(TRADES) {
        documents.push(trade(form, number, at, of_day));
        let other = format!("T{}", (number + 1) % 8);
        documents.push(
            doc! {"_id": 100 + number, "trade_id": other, "parent": {"ref": format!("T{number}")}, "kind": "ack"},
        );
    }
    documents
}

fn mapping(form: &str, has_day: bool) -> String {
    let zone = if form == "yyyymmdd" { r#", "zone": "Europe/London""# } else { "" };
    let day = if has_day { r#""day_of_year": "day_of_year", "# } else { "" };
    format!(
        r#"{{"version": 2, "day_zone": "Europe/London", {day}"downstream_trade_id": "parent.ref",
            "timestamp": {{"path": "execution.at", "form": "{form}"{zone}}}}}"#
    )
}

async fn fixture(name: &str, mapping: &str, documents: Vec<Document>) -> Fixture {
    Fixture::at(server().uri(), server().uri(), &format!("forms_{name}"), mapping, documents).await
}

async fn ids(fixture: &Fixture, role: Role) -> Vec<i32> {
    fixture.ids(&fixture.query(&[]), range(DAYS.0, DAYS.1), role).await
}

fn left_out(answer: &Answer) -> Vec<(LeftOutReason, u64)> {
    let mut found: Vec<(LeftOutReason, u64)> =
        answer.left_out.iter().map(|left_out| (left_out.reason, left_out.documents)).collect();
    found.sort_unstable();
    found
}

/// The days as a whole and one by one; repeated, refreshed and checked.
async fn fetch_in_all_ways(fixture: &Fixture, input: &[i32]) -> Answer {
    let whole = fixture.fetch(DAYS.0, DAYS.1).await;
    let one_by_one = fixture.with_a_cache_of_its_own();
    for day in range(DAYS.0, DAYS.1).days() {
        one_by_one.fetch(&day.to_string(), &day.to_string()).await;
    }
    let messages: Vec<i32> = input.iter().map(|number| 100 + number).collect();
    for fixture in [fixture, &one_by_one] {
        let cached = fixture.fetch(DAYS.0, DAYS.1).await;
        assert_eq!((cached.mongo_commands, cached.rows), (0, whole.rows));
        assert_eq!((left_out(&cached), &cached.notes), (left_out(&whole), &whole.notes));
        for mode in [FetchMode::Normal, FetchMode::Verify, FetchMode::Refresh] {
            let answer = fixture.fetch_as(mode, DAYS.0, DAYS.1).await;
            assert!(answer.complete, "{answer:?}");
            assert_eq!(answer.days.fetched, if mode == FetchMode::Refresh { 3 } else { 0 }, "{answer:?}");
            assert_eq!((ids(fixture, Role::Input).await, answer.rows), (input.to_vec(), whole.rows));
            assert_eq!(ids(fixture, Role::Downstream).await, messages);
        }
    }
    whole
}

/// What was added and removed since is found by a check, and nothing else.
async fn find_what_changes(fixture: &Fixture, added: Document) {
    fixture.collection.insert_one(added).await.unwrap();
    let checked = fixture.fetch_as(FetchMode::Verify, DAYS.0, DAYS.1).await;
    assert_eq!((checked.days.fetched, checked.complete), (1, true), "{checked:?}");
    assert_eq!(ids(fixture, Role::Input).await, [1, 2, 3, 4, 5, 6, 50]);
    fixture.collection.delete_one(doc! {"_id": 102}).await.unwrap();
    let checked = fixture.fetch_as(FetchMode::Verify, DAYS.0, DAYS.1).await;
    assert_eq!((checked.days.fetched, checked.complete), (1, true), "{checked:?}");
    assert_eq!(ids(fixture, Role::Downstream).await, [101, 103, 104, 105, 106]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_of_a_time_stamp_is_fetched_repeated_and_checked() {
    for form in INSTANTS.into_iter().chain(["yyyymmdd"]) {
        for has_day in [false, true] {
            let name = format!("{form}_{has_day}");
            let fixture = fixture(&name, &mapping(form, has_day), documents(form)).await;
            let answer = fetch_in_all_ways(&fixture, &FOUND).await;
            assert_eq!(left_out(&answer), [], "{form}");
            find_what_changes(&fixture, trade(form, 50, "2025-03-30T12:00:00Z", "2025-03-30")).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_business_date_is_the_day_as_it_is_written() {
    for form in ["iso_text", "yyyymmdd", "date"] {
        let of_day = |number: i32, of_day: &str| match form {
            // Whatever the time and the offset say.
            "iso_text" if number % 2 == 0 => format!("{of_day}T23:30:00-08:00").into(),
            "iso_text" => of_day.into(),
            "date" => stored("date", number, &format!("{of_day}T00:00:00Z"), of_day),
            _ => stored(form, number, "2000-01-01T00:00:00Z", of_day),
        };
        let mut all = documents("date");
        for document in &mut all {
            let id = document.get_i32("_id").unwrap();
            if let Some((_, day)) = TRADES.get(usize::try_from(id).unwrap()) {
                document.insert("execution", doc! {"day": of_day(id, day)});
            }
        }
        // Not that of the days of the clock.
        let mapping = format!(
            r#"{{"version": 2, "day_zone": "America/New_York", "downstream_trade_id": "parent.ref",
                "business_date": {{"path": "execution.day", "form": "{form}"}}}}"#
        );
        let fixture = fixture(&format!("business_{form}"), &mapping, all).await;
        let answer = fetch_in_all_ways(&fixture, &FOUND).await;
        assert_eq!(left_out(&answer), [], "{form}");
        let added = doc! {"_id": 50, "trade_id": "T50", "execution": {"day": of_day(50, "2025-03-30")}};
        find_what_changes(&fixture, added).await;
    }
}

/// The server says which plan it takes: every part of the match is served by the index on the path.
#[tokio::test(flavor = "multi_thread")]
async fn every_form_is_served_by_an_index() {
    for form in INSTANTS.into_iter().chain(["yyyymmdd"]) {
        let fixture = fixture(&format!("index_{form}"), &mapping(form, false), documents(form)).await;
        let index = mongodb::IndexModel::builder().keys(doc! {"execution.at": 1}).build();
        fixture.collection.create_index(index).await.unwrap();
        let name = fixture.collection.name().to_owned();
        let (query, range) = (fixture.query(&[]), range(DAYS.0, DAYS.1));
        for pipeline in [input_pipeline(&query, &range), odd_dates_pipeline(&query, &range)] {
            let explain = doc! {"explain": {"aggregate": &name, "pipeline": pipeline, "cursor": {}}, "verbosity": "queryPlanner"};
            let database = fixture.collection.client().database(&fixture.collection.namespace().db);
            let plan = database.run_command(explain).await.unwrap().to_string();
            assert!(plan.contains("IXSCAN") && !plan.contains("COLLSCAN"), "{form}: {plan}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_counted() {
    let number = |text: &str| Bson::Decimal128(text.parse().unwrap());
    let several = |values: [&str; 2]| Bson::from(values.to_vec());
    for (form, odd, expected) in [
        (
            "iso_text",
            vec![
                "2025-03-30 noon".into(),
                "2025-03-30T25:00:00Z".into(),
                several(["2025-03-29T10:00:00Z", "2025-03-30T10:00:00Z"]),
                "n/a".into(),
                Bson::Int32(20_250_330),
            ],
            vec![(LeftOutReason::SeveralDays, 1), (LeftOutReason::NoDay, 2)],
        ),
        (
            "yyyymmdd",
            vec![
                "20250330T10".into(),
                number("20250330.5"),
                several(["20250329", "20250330"]),
                Bson::Int64(1_743_300_000),
                Bson::DateTime(bson::DateTime::from_millis(1_743_300_000_000)),
            ],
            vec![(LeftOutReason::SeveralDays, 1), (LeftOutReason::NoDay, 2)],
        ),
        ("epoch_s", vec!["1743300000".into(), Bson::DateTime(bson::DateTime::MIN)], vec![]),
        ("object_id", vec!["67e7d3e00000000000000000".into(), Bson::Boolean(true)], vec![]),
    ] {
        let mut all = documents(form);
        let odd = odd.into_iter().zip(60..);
        all.extend(odd.map(|(value, id)| doc! {"_id": id, "execution": {"at": value}}));
        let fixture = fixture(&format!("odd_{form}"), &mapping(form, false), all).await;
        let answer = fetch_in_all_ways(&fixture, &FOUND).await;
        let mut expected = expected;
        expected.extend([(LeftOutReason::DateType, 1); 2]);
        expected.sort_unstable();
        assert_eq!(left_out(&answer), expected, "{form} {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_no_form_are_a_bad_mapping_if_all_are_so() {
    for (form, value, found) in [
        ("iso_text", Bson::from("n/a"), "have text that is no date in the date field execution.at"),
        ("iso_text", Bson::from(1_743_300_000), "where a text such as 2025-01-31T09:30:00Z is expected"),
        ("yyyymmdd", Bson::from(1_743_300_000), "have a number that is no date"),
        ("epoch_ms", Bson::from("2025-03-30"), "where a number of milliseconds is expected"),
        ("epoch_ms", Bson::from(1_743_300_000), "are seconds since 1970, not milliseconds"),
        ("epoch_s", Bson::from(1_743_300_000_000_000_i64), "are microseconds since 1970, not seconds"),
        ("object_id", Bson::from("67e7d3e00000000000000000"), "where an ObjectId is expected"),
    ] {
        let all = vec![doc! {"execution": {"at": value}}];
        let fixture = fixture(&format!("bad_{form}"), &mapping(form, false), all).await;
        let failure = fixture.run(fixture.request(DAYS.0, DAYS.1)).await.result.unwrap_err();
        assert_eq!(failure.code, Code::BadMapping, "{failure}");
        assert!(failure.message.contains(found), "{failure}");
    }
}
