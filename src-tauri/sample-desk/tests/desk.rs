//! The desk keeps its promises: the same for the same seed, in order, complete, and with every feature.

use std::collections::{BTreeMap, BTreeSet};

use bson::{Bson, Document};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use tidemark_sample_desk::{DOWNSTREAM_KINDS, Desk, INPUT_KINDS, LoadOptions, MAPPING, load};
use tidemark_test_server::TestServer;

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

fn desk(messages: u64) -> Desk {
    Desk::new(7, day("2026-06-30"), messages)
}

fn documents(desk: Desk) -> impl Iterator<Item = Document> {
    desk.documents().map(|raw| Document::try_from(raw).expect("a document"))
}

fn time(document: &Document) -> DateTime<Utc> {
    let millis = document.get_datetime("timestamp").expect("a timestamp").timestamp_millis();
    DateTime::from_timestamp_millis(millis).expect("a time")
}

fn is_input(document: &Document) -> bool {
    INPUT_KINDS.contains(&document.get_str("kind").expect("a kind"))
}

#[test]
fn the_same_seed_gives_the_same_messages() {
    let first: Vec<_> = desk(3_000).documents().collect();
    assert!(desk(3_000).documents().eq(first.iter().cloned()));
    assert!(!Desk::new(8, day("2026-06-30"), 3_000).documents().eq(first));
}

#[test]
fn exactly_as_many_as_asked_for() {
    for messages in [0, 1, 17, 1_000, 20_000] {
        assert_eq!(desk(messages).documents().count() as u64, messages);
    }
}

#[test]
fn messages_arrive_in_order_within_the_fourteen_months_and_each_once() {
    let desk = desk(20_000);
    let mut ids = BTreeSet::new();
    let mut last = DateTime::<Utc>::MIN_UTC;
    for document in documents(desk) {
        let now = time(&document);
        assert!(now >= last);
        last = now;
        assert!((desk.first_day()..=desk.last_day()).contains(&now.date_naive()));
        assert_eq!(document.get_i32("year").ok(), Some(now.year()));
        let day_of_year = document.get_i32("day_of_year").map(i64::from).ok();
        assert_eq!(day_of_year, Some(i64::from(now.ordinal())));
        assert!(ids.insert(document.get_object_id("_id").expect("an id")));
    }
    assert_eq!((desk.first_day(), desk.last_day()), (day("2025-05-01"), day("2026-06-30")));
}

#[test]
fn a_desk_at_work_has_nothing_in_the_future() {
    let now = "2026-06-30T09:30:00Z".parse().expect("a time");
    let desk = Desk::until(7, now, 50_000);
    assert!(documents(desk).all(|document| time(&document) < now));
    assert!(documents(desk).any(|document| time(&document).date_naive() == now.date_naive()));
}

#[test]
fn every_kind_and_every_trouble_occurs() {
    let mut seen = BTreeSet::new();
    let mut kinds = BTreeMap::<String, u64>::new();
    let mut days = BTreeMap::<NaiveDate, u64>::new();
    let mut opened = BTreeMap::new();
    for document in documents(desk(60_000)) {
        let at = time(&document);
        let trade = document.get_str("trade_id").expect("a trade id").to_owned();
        let kind = document.get_str("kind").expect("a kind").to_owned();
        *kinds.entry(kind.clone()).or_default() += 1;
        if kind == "trade" {
            *days.entry(at.date_naive()).or_default() += 1;
            opened.insert(trade, at);
        } else {
            let late = at - opened[&trade];
            assert!(late.num_milliseconds() >= 0, "a trade comes before what follows it");
            seen.extend((late.num_hours() >= 1).then_some("late by hours"));
            seen.extend((late.num_days() >= 1).then_some("late by days"));
            seen.extend((at.year() != opened[&trade].year()).then_some("late over the year end"));
        }
        if !is_input(&document) {
            assert!(!document.contains_key("product"));
            continue;
        }
        seen.insert(match document.get("attribute") {
            None => "attribute missing",
            Some(Bson::Null) => "attribute null",
            Some(Bson::Array(_)) => "attribute array",
            Some(Bson::String(text)) if text.is_empty() => "attribute empty",
            Some(Bson::String(_)) => "attribute scalar",
            Some(other) => panic!("attribute is {other}"),
        });
        seen.insert(match document.get("relatedDispatcher") {
            None => "dispatcher missing",
            Some(Bson::String(text)) if text.is_empty() => "dispatcher empty",
            Some(_) => "dispatcher",
        });
        seen.extend(
            document.get_array("relatedAttributes").is_ok_and(Vec::is_empty).then_some("empty array"),
        );
        seen.extend((!document.contains_key("relatedAttributes")).then_some("array missing"));
        seen.extend((document.get_i64("quantity").expect("a quantity") > 1 << 53).then_some("above 2^53"));
        seen.insert(match document.get("fee") {
            Some(Bson::Int32(_)) => "fee int",
            Some(Bson::Double(_)) => "fee double",
            other => panic!("fee is {other:?}"),
        });
        let price = match document.get("price") {
            Some(Bson::Decimal128(price)) => price.to_string(),
            other => panic!("price is {other:?}"),
        };
        seen.extend(price.starts_with('-').then_some("negative price"));
        seen.extend((price.len() > 20).then_some("many digits"));
        let other = document.get_document("counterparty").expect("a counterparty");
        seen.extend((!other.get_str("name").expect("a name").is_ascii()).then_some("non-ASCII"));
        assert!(other.get_document("address").is_ok_and(|address| address.get_str("city").is_ok()));
        seen.extend(document.get_array("legs").is_ok_and(|legs| legs.len() > 1).then_some("legs"));
        seen.extend(document.contains_key("regime").then_some("new field"));
        seen.extend(
            document.get_str("comment").is_ok_and(|text| text.contains('\n')).then_some("line break"),
        );
    }

    let wanted = [
        "late by hours",
        "late by days",
        "late over the year end",
        "attribute missing",
        "attribute null",
        "attribute array",
        "attribute empty",
        "attribute scalar",
        "dispatcher missing",
        "dispatcher empty",
        "dispatcher",
        "empty array",
        "array missing",
        "above 2^53",
        "fee int",
        "fee double",
        "negative price",
        "many digits",
        "non-ASCII",
        "legs",
        "new field",
        "line break",
    ];
    let missing: Vec<_> = wanted.iter().filter(|wanted| !seen.contains(*wanted)).collect();
    assert!(missing.is_empty(), "missing: {missing:?}");
    for kind in INPUT_KINDS.iter().chain(&DOWNSTREAM_KINDS) {
        assert!(kinds.get(*kind).is_some_and(|count| *count > 100), "{kind}: {kinds:?}");
    }
    // A weekend and a working day; and a holiday with nothing at all.
    assert!(days[&day("2026-03-07")] * 8 < days[&day("2026-03-04")]);
    assert!(!days.contains_key(&day("2025-12-25")) && !days.contains_key(&day("2026-01-01")));
}

#[test]
fn the_mapping_file_names_fields_and_kinds_that_exist() {
    let mapping: serde_json::Value = serde_json::from_str(MAPPING).expect("JSON");
    let trade = documents(desk(2_000)).find(is_input).expect("a trade");
    for path in ["trade_id", "timestamp", "year", "day_of_year", "changed_at"] {
        assert!(trade.contains_key(mapping[path].as_str().expect("a path")), "{path}");
    }
    let kinds: Vec<_> = INPUT_KINDS.iter().map(|kind| serde_json::Value::from(*kind)).collect();
    assert_eq!(mapping["input_match"]["kind"]["$in"].as_array(), Some(&kinds));
    assert_eq!(mapping["downstream_match"]["kind"]["$nin"].as_array(), Some(&kinds));
}

#[tokio::test]
async fn loads_into_a_server_once_and_again() {
    let server = TestServer::start().expect("a server");
    let database = format!("desk_{}", std::process::id());
    let client = mongodb::Client::with_uri_str(server.uri()).await.expect("a client");
    let collection = client.database(&database).collection::<Document>("messages");

    let options = LoadOptions { replace: true, batch: 700, writers: 3 };
    for _ in 0..2 {
        let mut told = 0;
        let written =
            load(server.uri(), &database, "messages", &desk(5_000), options, |written| told = written)
                .await
                .expect("loaded");
        assert_eq!((written, told), (5_000, 5_000));
        assert_eq!(collection.count_documents(Document::new()).await.expect("a count"), 5_000);
    }

    let one = documents(desk(5_000)).nth(1234).expect("a document");
    let found = collection.find_one(bson::doc! { "_id": &one["_id"] }).await.expect("an answer");
    assert_eq!(found, Some(one));
    let names = collection.list_index_names().await.expect("indexes");
    assert_eq!(names.len(), 4, "{names:?}");
    client.database(&database).drop().await.expect("dropped");
}
