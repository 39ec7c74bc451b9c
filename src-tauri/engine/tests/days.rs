//! Which day a document belongs to, when a day is final, and what an answer leaves out: against a real server.

use crate::support::fixture::{Fixture, counts, day, range};
use bson::{Bson, Document, doc};
use tidemark_engine::answer::note::Note;
use tidemark_engine::answer::{Answer, LeftOutReason};
use tidemark_engine::api::plan::DayAction;
use tidemark_engine::failure::Code;
use tidemark_engine::plan::ledger::FetchMode;
use tidemark_engine::rows::Role;
use tidemark_engine::run::FetchRequest;
use tidemark_test_support::server;

const BY_TIME: &str = r#"{"year": null, "day_of_year": null}"#;

async fn fixture(name: &str, mapping: &str, documents: Vec<Document>) -> Fixture {
    Fixture::at(server().uri(), server().uri(), &format!("days_{name}"), mapping, documents).await
}

fn at(text: &str) -> Bson {
    Bson::DateTime(bson::DateTime::parse_rfc3339_str(text).unwrap())
}

async fn ids(fixture: &Fixture, from: &str, to: &str) -> Vec<i32> {
    fixture.ids(&fixture.query(&[]), range(from, to), Role::Input).await
}

fn left_out(answer: &Answer) -> Vec<(LeftOutReason, u64)> {
    for left_out in &answer.left_out {
        assert!(answer.notes.contains(&Note::LeftOut(left_out.clone())), "{answer:?}");
    }
    answer.left_out.iter().map(|left_out| (left_out.reason, left_out.documents)).collect()
}

async fn verify(fixture: &Fixture, from: &str, to: &str) {
    let checked = fixture.fetch_as(FetchMode::Verify, from, to).await;
    assert_eq!((checked.days.fetched, checked.complete), (0, true), "{checked:?}");
}

/// The same days at once and one by one, from the server and from the cache, and checked.
async fn at_once_and_one_by_one(fixture: &Fixture, from: &str, to: &str) -> (Vec<i32>, Answer) {
    let whole = fixture.fetch(from, to).await;
    let rows = ids(fixture, from, to).await;
    verify(fixture, from, to).await;
    let one_by_one = fixture.with_a_cache_of_its_own();
    for day in range(from, to).days() {
        one_by_one.fetch(&day.to_string(), &day.to_string()).await;
    }
    let cached = one_by_one.fetch(from, to).await;
    assert_eq!(cached.mongo_commands, 0);
    assert_eq!((ids(&one_by_one, from, to).await, cached.rows), (rows.clone(), whole.rows));
    assert_eq!(left_out(&cached), left_out(&whole));
    assert_eq!(cached.notes, whole.notes);
    verify(&one_by_one, from, to).await;
    (rows, whole)
}

/// Number 6.
#[tokio::test(flavor = "multi_thread")]
async fn a_business_day_and_a_time_stamp_that_disagree_have_one_day() {
    let trade = |id: i32, day: i32, stamp: &str| doc! {"_id": id, "day_of_year": day, "timestamp": at(stamp)};
    let fixture = fixture(
        "business",
        r#"{"year": null, "trade_id": null, "day_zone": "Europe/London"}"#,
        vec![
            trade(1, 364, "2024-12-29T12:00:00Z"),
            trade(2, 364, "2025-01-02T08:00:00Z"),
            trade(3, 366, "2025-01-01T02:00:00Z"),
            trade(4, 1, "2024-12-31T23:00:00Z"),
            trade(5, 1, "2025-01-01T12:00:00Z"),
            trade(6, 2, "2025-01-05T12:00:00Z"),
            // Business of other years.
            trade(7, 1, "2024-01-02T12:00:00Z"),
            trade(8, 366, "2024-03-01T12:00:00Z"),
            trade(9, 2, "2024-06-30T12:00:00Z"),
        ],
    )
    .await;
    let (rows, _) = at_once_and_one_by_one(&fixture, "2024-12-28", "2025-01-03").await;
    assert_eq!(rows, [1, 2, 3, 4, 5, 6]);
    assert_eq!(ids(&fixture, "2025-01-01", "2025-01-01").await, [4, 5]);
    let (rows, _) = at_once_and_one_by_one(&fixture, "2024-01-01", "2024-01-03").await;
    assert_eq!(rows, [7, 9]);
}

/// Number 9.
#[tokio::test(flavor = "multi_thread")]
async fn a_path_with_an_array_position_finds_the_messages_that_the_server_finds() {
    let mut documents: Vec<Document> = (0..5)
        .map(|number| {
            doc! {
                "_id": number, "timestamp": at("2025-03-10T12:00:00Z"),
                "legs": [{"id": format!("T{number}"), "when": {"on": 1}}, {"id": "other"}],
            }
        })
        .collect();
    documents.extend((0..5).map(|number| doc! {"_id": 100 + number, "legs": [{"id": format!("T{number}")}]}));
    documents.push(doc! {"_id": 200, "legs": [{"id": "unknown"}, {"id": "T1"}]});
    let mapping = r#"{"year": null, "day_of_year": null, "trade_id": "legs.0.id"}"#;
    let fixture = fixture("positions", mapping, documents).await;
    let answer = fixture.fetch("2025-03-10", "2025-03-10").await;
    assert_eq!((answer.rows.input, answer.rows.downstream), (5, 5), "{answer:?}");
    assert_eq!(answer.notes, []);
    verify(&fixture, "2025-03-10", "2025-03-10").await;
}

/// Number 9: the date itself may have such a path.
#[tokio::test(flavor = "multi_thread")]
async fn dates_below_arrays_are_counted_as_they_are_matched() {
    let documents = vec![
        doc! {"_id": 1, "legs": [{"at": at("2025-03-10T12:00:00Z")}, {"at": at("2025-03-12T12:00:00Z")}]},
        doc! {"_id": 2, "legs": [{"at": at("2025-03-11T12:00:00Z")}]},
        doc! {"_id": 3, "legs": {"0": {"at": at("2025-03-12T12:00:00Z")}}},
    ];
    let mapping = r#"{"year": null, "day_of_year": null, "timestamp": "legs.0.at", "trade_id": null}"#;
    let by_position = fixture("below_arrays", mapping, documents.clone()).await;
    let (rows, answer) = at_once_and_one_by_one(&by_position, "2025-03-09", "2025-03-13").await;
    assert_eq!((rows, left_out(&answer)), (vec![1, 2, 3], vec![]));
    let mapping = r#"{"year": null, "day_of_year": null, "timestamp": "legs.at", "trade_id": null}"#;
    let through = fixture("through_arrays", mapping, documents).await;
    let (rows, answer) = at_once_and_one_by_one(&through, "2025-03-09", "2025-03-13").await;
    assert_eq!((rows, left_out(&answer)), (vec![2], vec![(LeftOutReason::SeveralDays, 1)]));
}

/// Number 9: the clocks went back at 00:01, to 23:01 of the day before.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_whose_midnight_comes_twice_is_checked_by_the_bounds_of_the_match() {
    let begins: chrono::DateTime<chrono::Utc> = "2006-10-29T02:00:00Z".parse().unwrap();
    let documents = (0..24)
        .map(|quarter| {
            let at = begins + chrono::TimeDelta::minutes(15 * i64::from(quarter));
            doc! {"_id": quarter, "timestamp": bson::DateTime::from_millis(at.timestamp_millis())}
        })
        .collect();
    let mapping = r#"{"year": null, "day_of_year": null, "trade_id": null, "day_zone": "America/St_Johns"}"#;
    let fixture = fixture("twice", mapping, documents).await;
    let (rows, _) = at_once_and_one_by_one(&fixture, "2006-10-27", "2006-10-31").await;
    assert_eq!(rows.len(), 24);
    assert_eq!(ids(&fixture, "2006-10-28", "2006-10-28").await, [0, 1]);
}

/// Number 10.
#[tokio::test(flavor = "multi_thread")]
async fn messages_may_settle_later_than_their_trades() {
    for (hours, answers) in [("null", 0), ("72", 1)] {
        let trade = doc! {"_id": 1, "timestamp": at("2025-03-10T12:00:00Z"), "trade_id": "T1"};
        let mapping = format!(r#"{{"year": null, "day_of_year": null, "downstream_settle_hours": {hours}}}"#);
        let fixture = fixture(&format!("late_{answers}"), &mapping, vec![trade]).await;
        fixture.set_clock("2025-03-12T06:00:00Z");
        fixture.fetch("2025-03-10", "2025-03-10").await;
        fixture.collection.insert_one(doc! {"_id": 2, "trade_id": "T1"}).await.unwrap();
        fixture.set_clock("2025-03-14T06:00:00Z");
        let answer = fixture.fetch("2025-03-10", "2025-03-10").await;
        assert_eq!((answer.rows.downstream, answer.days.open.len()), (answers, 0), "{hours}");
    }
}

/// Number 13.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_whose_bounds_have_moved_is_unverified_until_it_is_fetched_again() {
    let documents = vec![doc! {"_id": 1, "timestamp": at("2025-03-10T12:00:00Z")}];
    let mut fixture = fixture("moved", BY_TIME, documents).await;
    fixture.fetch("2025-03-09", "2025-03-11").await;
    let file = fixture.file();
    fixture.engine.cache().release(&fixture.signature());
    fixture.reopen();
    // As if the rules had been other ones then.
    let moved = "UPDATE coverage SET begins_ms = begins_ms + 3600000 WHERE day = 20157";
    duckdb::Connection::open(&file).unwrap().execute_batch(moved).unwrap();
    assert_eq!(day("2025-03-10").number(), 20_157);
    let plan = fixture
        .engine
        .plan(Some(&fixture.source), &fixture.request("2025-03-09", "2025-03-11"))
        .await
        .unwrap();
    let actions: Vec<DayAction> = plan.days.iter().map(|day| day.action).collect();
    assert_eq!(actions, [DayAction::Serve, DayAction::Refresh, DayAction::Serve]);
    assert!(plan.days[1].why.as_ref().unwrap().contains("time zone rules"), "{plan:?}");
    let offline = FetchRequest { offline: true, ..fixture.request("2025-03-09", "2025-03-11") };
    let offline = fixture.run(offline).await.result.unwrap();
    assert!(!offline.complete);
    assert_eq!(offline.days.unverified, [day("2025-03-10")]);
    assert_eq!(counts(&fixture.fetch("2025-03-09", "2025-03-11").await), (2, 0, 1, 0));
    assert_eq!(counts(&fixture.fetch("2025-03-09", "2025-03-11").await), (3, 0, 0, 0));
}

/// Number 14.
#[tokio::test(flavor = "multi_thread")]
async fn dates_of_another_type_are_a_bad_mapping_if_all_are_so() {
    for (name, mapping, odd, found) in [
        ("iso", BY_TIME, doc! {"timestamp": "2025-03-10T12:00:00Z"}, "text in the date field timestamp"),
        ("epoch", BY_TIME, doc! {"timestamp": 1_741_608_000_000_i64}, "a number in the date field timestamp"),
        ("day", "", doc! {"year": 2025, "day_of_year": "69"}, "text in the date field day_of_year"),
        ("year", "", doc! {"year": "2025", "day_of_year": 69}, "text in the date field year"),
        (
            "business",
            r#"{"year": null}"#,
            doc! {"day_of_year": 69, "timestamp": "2025-03-10T12:00:00Z"},
            "text in the date field timestamp",
        ),
    ] {
        let documents = (0..3).map(|id| {
            let mut document = odd.clone();
            document.insert("_id", id);
            document
        });
        let fixture = fixture(&format!("typed_{name}"), mapping, documents.collect()).await;
        let failure = fixture.run(fixture.request("2025-03-09", "2025-03-11")).await.result.unwrap_err();
        assert_eq!(failure.code, Code::BadMapping, "{failure}");
        assert!(failure.message.contains(found), "{failure}");
    }
}

/// What the messages beside the trades have is no day of a trade.
#[tokio::test(flavor = "multi_thread")]
async fn dates_that_no_trade_has_are_a_bad_mapping() {
    let documents = vec![
        doc! {"_id": 1, "kind": "deal", "dealt": at("2025-03-10T12:00:00Z"), "trade_id": "A"},
        doc! {"_id": 2, "kind": "note", "timestamp": at("2025-03-10T12:00:00Z"), "trade_id": "A"},
    ];
    let of =
        |kind: &str| format!(r#"{{"year": null, "day_of_year": null, "input_match": {{"kind": "{kind}"}}}}"#);
    let fixture = fixture("dates_of_messages", &of("deal"), documents.clone()).await;
    let failure = fixture.run(fixture.request("2025-03-09", "2025-03-11")).await.result.unwrap_err();
    assert_eq!(failure.code, Code::BadMapping, "{failure}");
    assert!(failure.message.contains("that input_match selects has the date field timestamp"), "{failure}");
    let fixture = self::fixture("no_trades", &of("trade"), documents).await;
    let answer = fixture.fetch("2025-03-09", "2025-03-11").await;
    assert_eq!(answer.rows.input, 0);
    assert!(answer.notes.iter().any(|note| matches!(note, Note::NoInput { .. })), "{answer:?}");
}

/// Number 14.
#[tokio::test(flavor = "multi_thread")]
async fn dates_of_another_type_are_counted_if_some_are_so() {
    let by_time = vec![
        doc! {"_id": 1, "product": "Power", "timestamp": at("2025-03-10T12:00:00Z")},
        doc! {"_id": 2, "product": "Power", "timestamp": "2025-03-10T12:00:00Z"},
        doc! {"_id": 3, "product": "Power", "timestamp": "2025-03-10T12:00:00Z"},
        doc! {"_id": 4, "product": "Gas", "timestamp": "2025-03-10T12:00:00Z"},
        doc! {"_id": 5, "product": "Power", "timestamp": 1_741_608_000_000_i64},
    ];
    let by_day = vec![
        doc! {"_id": 1, "product": "Power", "year": 2025, "day_of_year": 69},
        doc! {"_id": 2, "product": "Power", "year": 2025, "day_of_year": "69"},
        doc! {"_id": 3, "product": "Power", "year": 2025, "day_of_year": "69"},
        doc! {"_id": 4, "product": "Power", "year": 2024, "day_of_year": "69"},
        doc! {"_id": 5, "product": "Power", "year": at("2025-03-10T12:00:00Z"), "day_of_year": 69},
    ];
    let texts = "2 documents have text in";
    let by_time_alone = r#"{"year": null, "day_of_year": null, "trade_id": null}"#;
    for (name, mapping, documents) in
        [("time", by_time_alone, by_time), ("day", r#"{"trade_id": null}"#, by_day)]
    {
        let fixture = fixture(&format!("some_{name}"), mapping, documents).await;
        let request = || FetchRequest {
            query: fixture.query(&["Power"]),
            ..fixture.request("2025-03-08", "2025-03-12")
        };
        let answer = fixture.run(request()).await.result.unwrap();
        assert_eq!((answer.rows.input, answer.complete), (1, true));
        let counted = [(LeftOutReason::DateType, 1), (LeftOutReason::DateType, 2)];
        let mut told = left_out(&answer);
        told.sort_unstable();
        assert_eq!(told, counted, "{answer:?}");
        assert!(answer.notes.iter().any(|note| note.to_string().starts_with(texts)), "{answer:?}");
        let cached = fixture.run(request()).await.result.unwrap();
        assert_eq!(
            (cached.mongo_commands, cached.left_out, cached.notes),
            (0, answer.left_out, answer.notes)
        );
    }
}

/// Number 15.
#[tokio::test(flavor = "multi_thread")]
async fn one_odd_document_is_counted_and_the_other_rows_come() {
    let decimal = |text: &str| Bson::Decimal128(text.parse().unwrap());
    let several = Bson::Array(vec![at("2025-10-01T09:00:00Z"), at("2025-10-02T09:00:00Z")]);
    let by_time = vec![
        doc! {"_id": 1, "timestamp": at("2025-10-01T09:00:00Z")},
        doc! {"_id": 2, "timestamp": several},
        doc! {"_id": 3, "timestamp": at("2025-10-02T09:00:00Z")},
        doc! {"_id": 4, "timestamp": [at("2025-10-03T09:00:00Z")]},
    ];
    let mapping = r#"{"year": null, "day_of_year": null, "trade_id": null}"#;
    let by_time = fixture("several", mapping, by_time).await;
    let (rows, answer) = at_once_and_one_by_one(&by_time, "2025-09-29", "2025-10-04").await;
    assert_eq!((rows, left_out(&answer)), (vec![1, 3, 4], vec![(LeftOutReason::SeveralDays, 1)]));
    // Each of its days says so, too.
    for day in ["2025-10-01", "2025-10-02"] {
        assert_eq!(left_out(&by_time.fetch(day, day).await), [(LeftOutReason::SeveralDays, 1)]);
    }
    assert_eq!(left_out(&by_time.fetch("2025-10-03", "2025-10-03").await), []);

    let by_day = vec![
        doc! {"_id": 1, "year": 2025, "day_of_year": 42},
        doc! {"_id": 2, "year": 2025, "day_of_year": 42.5},
        doc! {"_id": 3, "year": 2025, "day_of_year": decimal("43.0")},
        doc! {"_id": 4, "year": [2024, 2025], "day_of_year": 42},
        doc! {"_id": 5, "year": [2025], "day_of_year": 44},
        doc! {"_id": 6, "year": 2025, "day_of_year": [42, 44]},
    ];
    let by_day = fixture("fraction", r#"{"trade_id": null}"#, by_day).await;
    let (rows, answer) = at_once_and_one_by_one(&by_day, "2025-02-10", "2025-02-14").await;
    let odd = vec![(LeftOutReason::SeveralDays, 2), (LeftOutReason::DayNotWhole, 1)];
    assert_eq!((rows, left_out(&answer)), (vec![1, 3, 5], odd));
}

/// Number 15.
#[tokio::test(flavor = "multi_thread")]
async fn one_odd_trade_id_costs_its_own_messages() {
    let regex = bson::Regex {
        pattern: "^T".to_owned().try_into().unwrap(),
        options: String::new().try_into().unwrap(),
    };
    let trade = |id: i32, trade_id: Bson| doc! {"_id": id, "timestamp": at("2025-10-01T09:00:00Z"), "trade_id": trade_id};
    let documents = vec![
        trade(1, "T1".into()),
        trade(2, doc! {"$gt": ""}.into()),
        trade(3, Bson::RegularExpression(regex)),
        trade(4, doc! {"a": 1}.into()),
        doc! {"_id": 11, "trade_id": "T1"},
        doc! {"_id": 12, "trade_id": "T2"},
        doc! {"_id": 14, "trade_id": {"a": 1}},
    ];
    let fixture = fixture("trade_ids", BY_TIME, documents).await;
    let (rows, answer) = at_once_and_one_by_one(&fixture, "2025-09-30", "2025-10-02").await;
    assert_eq!((rows, left_out(&answer)), (vec![1, 2, 3, 4], vec![(LeftOutReason::TradeId, 2)]));
    let messages =
        fixture.ids(&fixture.query(&[]), range("2025-09-30", "2025-10-02"), Role::Downstream).await;
    assert_eq!(messages, [11, 14]);
}

/// Number 15: what a broader query leaves out, nobody knows for a narrower one.
#[tokio::test(flavor = "multi_thread")]
async fn days_with_documents_left_out_are_not_adopted() {
    let several = [at("2025-10-01T09:00:00Z"), at("2025-10-02T09:00:00Z")];
    let documents = vec![
        doc! {"_id": 1, "product": "Power", "timestamp": at("2025-10-01T09:00:00Z")},
        doc! {"_id": 2, "product": "Gas", "timestamp": several},
        doc! {"_id": 3, "product": "Power", "timestamp": at("2025-10-03T09:00:00Z")},
    ];
    let fixture = fixture("not_adopted", BY_TIME, documents).await;
    assert_eq!(left_out(&fixture.fetch("2025-10-01", "2025-10-03").await), [(LeftOutReason::SeveralDays, 1)]);
    for (product, odd) in [("Power", vec![]), ("Gas", vec![(LeftOutReason::SeveralDays, 1)])] {
        let request =
            FetchRequest { query: fixture.query(&[product]), ..fixture.request("2025-10-01", "2025-10-03") };
        let narrower = fixture.run(request).await.result.unwrap();
        assert_eq!((counts(&narrower), left_out(&narrower)), ((0, 1, 2, 0), odd), "{product}");
    }
}

/// Number 16.
#[tokio::test(flavor = "multi_thread")]
async fn a_coming_day_that_was_fetched_with_the_clock_ahead_is_missing() {
    let documents = (1..=20)
        .map(|number| doc! {"_id": number, "timestamp": at(&format!("2025-03-{number:02}T12:00:00Z"))})
        .collect();
    let fixture = fixture("ahead", BY_TIME, documents).await;
    fixture.set_clock("2025-03-20T12:00:00Z");
    fixture.fetch("2025-03-08", "2025-03-14").await;
    fixture.set_clock("2025-03-10T12:00:00Z");
    let answer = fixture.run(fixture.request("2025-03-08", "2025-03-14")).await.result.unwrap();
    assert!(!answer.complete, "{answer:?}");
    let coming: Vec<_> = range("2025-03-11", "2025-03-14").days().collect();
    assert_eq!(answer.days.missing, coming);
    assert_eq!((answer.rows.input, ids(&fixture, "2025-03-08", "2025-03-14").await), (3, vec![8, 9, 10]));
    // Once they have begun, they come.
    fixture.set_clock("2025-03-21T12:00:00Z");
    let later = fixture.fetch("2025-03-08", "2025-03-14").await;
    assert_eq!(later.rows.input, 7);
}
