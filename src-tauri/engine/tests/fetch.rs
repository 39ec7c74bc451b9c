//! Whole fetches against a real server, with a clock of the test's own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::support::fixture::{Fixture, counts, day, engine, range, stored, trade, year};
use bson::{Document, RawDocumentBuf, doc};
use tidemark_engine::answer::changes::Changes;
use tidemark_engine::answer::{Answer, Origin};
use tidemark_engine::api::plan::DayAction;
use tidemark_engine::api::rows::ViewKey;
use tidemark_engine::cache::{DayRows, Identity, SegmentWriter, View};
use tidemark_engine::day::{Day, DayRange};
use tidemark_engine::decode::{Decoder, FieldSet, RowKey};
use tidemark_engine::failure::Code;
use tidemark_engine::limits::Limits;
use tidemark_engine::plan::ledger::FetchMode;
use tidemark_engine::query::signature::Signature;
use tidemark_engine::rows::Role;
use tidemark_engine::run::FetchRequest;
use tidemark_engine::run::event::EventSink;
use tidemark_engine::run::event::RunEvent;
use tidemark_engine::source::{Source, SourceSettings};
use tidemark_test_server::TestServer;
use tidemark_test_support::{Gate, server, until};
use tokio_util::sync::CancellationToken;

fn input_changes(answer: &Answer) -> (u64, u64, u64) {
    let input = answer.changes.as_ref().unwrap().input;
    (input.added, input.changed, input.gone)
}

// ---------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn a_miss_a_hit_and_a_delta_on_either_side_and_in_the_middle() {
    let fixture = Fixture::new("delta").await;
    let miss = fixture.fetch("2025-03-10", "2025-03-12").await;
    assert_eq!((counts(&miss), miss.answer), ((0, 0, 3, 0), Origin::Server));
    assert!(miss.mongo_commands > 0);
    assert_eq!(miss.oldest_fetch, Some("2026-01-15T12:00:00Z".parse().unwrap()));

    let sent = fixture.source.commands();
    let hit = fixture.fetch("2025-03-10", "2025-03-12").await;
    assert_eq!((counts(&hit), hit.answer, hit.mongo_commands), ((3, 0, 0, 0), Origin::Cache, 0));
    assert_eq!(hit.rows, miss.rows);
    assert_eq!(fixture.source.commands(), sent, "a repeat over settled days sends nothing");

    let right = fixture.fetch("2025-03-11", "2025-03-14").await;
    assert_eq!((counts(&right), right.answer), ((2, 0, 2, 0), Origin::PartCache));
    let left = fixture.fetch("2025-03-07", "2025-03-12").await;
    assert_eq!(counts(&left), (3, 0, 3, 0));
    fixture.fetch("2025-03-20", "2025-03-21").await;
    let middle = fixture.fetch("2025-03-07", "2025-03-21").await;
    assert_eq!(counts(&middle), (10, 0, 5, 0));
    let both = fixture.fetch("2025-03-05", "2025-03-23").await;
    assert_eq!(counts(&both), (15, 0, 4, 0));

    let all = range("2025-03-05", "2025-03-23");
    let wanted: Vec<i32> = all
        .days()
        .map(|day| i32::try_from(day.day_of_year()).unwrap() - 1)
        .filter(|number| number % 2 == 0)
        .collect();
    assert_eq!(fixture.ids(&fixture.query(&[]), all, Role::Input).await, wanted);
    let of_them: Vec<i32> =
        wanted.iter().filter(|number| *number % 3 == 0).map(|number| 1_000_000 + number).collect();
    assert_eq!(fixture.ids(&fixture.query(&[]), all, Role::Downstream).await, of_them);
    assert_eq!((both.rows.input, both.rows.downstream), (wanted.len() as u64, of_them.len() as u64));

    // What is cached knows its own pipeline, whatever source is in use.
    let query = fixture.query(&[]);
    let key = ViewKey { signature: both.signature, from: all.from(), to: all.to() };
    let text = fixture.engine.cached_pipeline(&key).await.unwrap();
    assert_eq!(text, tidemark_engine::query::pipeline::mongosh_text(&query, &all));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_without_trades_is_covered_too() {
    let fixture = Fixture::new("empty").await;
    let empty = fixture.fetch("2025-03-03", "2025-03-03").await;
    assert_eq!((empty.rows.input, counts(&empty)), (0, (0, 0, 1, 0)));
    let again = fixture.fetch("2025-03-03", "2025-03-03").await;
    assert_eq!((counts(&again), again.mongo_commands), ((1, 0, 0, 0), 0));
    let before = fixture.fetch("2019-01-01", "2019-12-31").await;
    assert_eq!((before.rows.input, before.rows.downstream), (0, 0));
    assert_eq!(fixture.fetch("2019-01-01", "2019-12-31").await.mongo_commands, 0);
}

/// In a view `_id` identifies no document: unwound fills share one, or rows have none. Every row comes, however the
/// days are fetched, and a check finds nothing different.
#[tokio::test(flavor = "multi_thread")]
async fn every_row_of_a_view_comes_although_rows_share_an_id() {
    let mapping = r#"{"timestamp": "fill.at", "year": null, "day_of_year": null}"#;
    let at = |day: i64| bson::DateTime::from_millis(1_759_276_800_000 + day * 86_400_000);
    // 1 October 2025, noon, and the days after.
    let fills =
        |days: std::ops::Range<i64>| days.map(|day| doc! {"at": at(day), "lots": day}).collect::<Vec<_>>();
    let documents: Vec<Document> = (0..4)
        .map(|number| doc! {"_id": number, "trade_id": format!("T{number}"), "fill": fills(0..3)})
        .collect();
    let shapes = [doc! {"$addFields": {"view": 1}}, doc! {"$project": {"_id": 0}}];
    for (place, shape) in shapes.into_iter().enumerate() {
        let name = format!("view_{place}");
        let mut fixture =
            Fixture::at(server().uri(), server().uri(), &name, mapping, documents.clone()).await;
        let namespace = fixture.collection.namespace();
        let stages = vec![doc! {"$unwind": "$fill"}, shape];
        let view = doc! {"create": "fills", "viewOn": &namespace.coll, "pipeline": stages};
        fixture.collection.client().database(&namespace.db).run_command(view).await.unwrap();
        let settings = SourceSettings {
            uri: server().uri().to_owned(),
            password: None,
            database: namespace.db,
            collection: "fills".to_owned(),
        };
        fixture.source = Source::new(&settings).unwrap();
        // Other rows of the day's trades are messages of that day.
        let one = fixture.fetch("2025-10-02", "2025-10-02").await;
        assert_eq!((one.rows.input, one.rows.downstream), (4, 8), "{name}");
        let all = fixture.fetch("2025-10-01", "2025-10-03").await;
        assert_eq!((all.rows.input, all.rows.downstream), (12, 0), "{name}");
        let checked = fixture.fetch_as(FetchMode::Verify, "2025-10-01", "2025-10-03").await;
        assert!(checked.complete && checked.days.fetched == 0, "{name}: {checked:?}");
        let whole = fixture.with_a_cache_of_its_own().fetch("2025-10-01", "2025-10-03").await;
        assert_eq!((whole.rows.input, whole.rows.downstream), (12, 0), "{name}");
    }
}

/// What is expected of a window may be wrong by any factor: a holiday that is held says nothing of the days around.
#[tokio::test(flavor = "multi_thread")]
async fn a_window_with_more_rows_than_it_may_have_is_pulled_in_pieces() {
    let mut fixture = Fixture::new("pieces").await;
    let most_window_rows = std::num::NonZeroU32::new(5).unwrap();
    fixture.engine = fixture.engine.clone().with_limits(Limits { most_window_rows, ..Limits::default() });
    let year = range("2025-01-01", "2025-12-31");
    let empty = fixture.fetch("2025-01-02", "2025-01-02").await;
    assert_eq!(empty.rows.input, 0);
    let told = fixture.run(fixture.request("2025-01-01", "2025-12-31")).await;
    let answer = told.answer();
    assert_eq!((answer.complete, answer.rows.input, answer.rows.downstream), (true, 183, 61));
    let query = fixture.query(&[]);
    assert_eq!(fixture.ids(&query, year, Role::Input).await.len(), 183);
    assert_eq!(fixture.ids(&query, year, Role::Downstream).await.len(), 61);
    // Each piece is a window of its own in the file.
    let file = fixture.engine.cache().open_signature(&fixture.signature()).unwrap();
    let segments: BTreeSet<u32> = file.state().days.values().map(|held| held.segment).collect();
    assert!(segments.len() > 40, "{}", segments.len());
    drop(file);
    assert_eq!(fixture.fetch("2025-01-01", "2025-12-31").await.mongo_commands, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_come_in_order() {
    let fixture = Fixture::new("events").await;
    let told = fixture.run(fixture.request("2025-01-01", "2025-12-31")).await;
    let RunEvent::Planned {
        signature,
        filters,
        days_to_pull: 365,
        days_cached: 0,
        days_to_adopt: 0,
        windows: 12,
        expected_rows,
    } = &told.events[0]
    else {
        panic!("{:?}", told.events[0])
    };
    assert_eq!((signature, filters.as_str()), (&fixture.signature().to_string(), "no filter"));
    // Estimated from some of the days; there are 183.
    assert!(expected_rows.is_some_and(|rows| (90..=270).contains(&rows)), "{expected_rows:?}");
    assert!(matches!(told.events.last(), Some(RunEvent::Finished)), "{:?}", told.events.last());
    assert_eq!(told.answer().rows.input, 183);
    assert_eq!(stored(&told.events), 12);
    let mut seen = (0, 0);
    let mut days = BTreeSet::new();
    for (at, event) in told.events.iter().enumerate() {
        match event {
            RunEvent::Planned { .. } => assert_eq!(at, 0),
            RunEvent::ChunkStored { from, to, .. } => {
                days.extend(DayRange::new(*from, *to).unwrap().days());
            }
            RunEvent::Progress { rows, days_done, days_total, .. } => {
                assert!(*rows >= seen.0 && *days_done >= seen.1 && *days_done <= *days_total);
                assert_eq!(*days_done, days.len(), "progress counts what was stored");
                seen = (*rows, *days_done);
            }
            RunEvent::DownstreamProgress { trades_asked, trades_done, .. } => {
                assert!(trades_done <= trades_asked)
            }
            RunEvent::Finished => assert_eq!(at, told.events.len() - 1),
            RunEvent::Failed | RunEvent::Cancelled => panic!("{event:?}"),
        }
    }
    assert_eq!((seen, days.len()), ((183, 365), 365));
}

/// What is held is there to be seen from the start, also where it is due for a refresh.
#[tokio::test(flavor = "multi_thread")]
async fn held_days_that_are_due_are_told_as_held() {
    let fixture = Fixture::new("held").await;
    fixture.fetch("2025-03-01", "2025-03-20").await;
    let refresh = FetchRequest { mode: FetchMode::Refresh, ..fixture.request("2025-03-01", "2025-03-31") };
    let told = fixture.run(refresh).await;
    let RunEvent::Planned { days_to_pull: 31, days_cached: 20, .. } = told.events[0] else {
        panic!("{:?}", told.events[0])
    };
}

#[tokio::test(flavor = "multi_thread")]
async fn suggestions_are_texts_and_elements_of_arrays_and_never_blank() {
    let products = [
        bson::bson!("Gas TTF"),
        bson::bson!(["gasoil", "Gas \"NBP\"", "Power", 7, {"Gas": 1}, ""]),
        bson::bson!(""),
        bson::bson!(" "),
        bson::bson!(7),
    ];
    let mut documents = year();
    for (number, product) in (1_000..).zip(products) {
        let mut document = trade(number, day("2026-01-14"));
        document.insert("product", product);
        documents.push(document);
    }
    let fixture = Fixture::at(server().uri(), server().uri(), "suggestions", "", documents).await;
    fixture.fetch("2025-01-01", "2026-01-14").await;
    let query = fixture.query(&[]);
    let cached =
        |prefix: &'static str, limit: u32| fixture.engine.cached_values(&query, "product", prefix, limit);
    let with_gas = ["Gas", "Gas \"NBP\"", "Gas TTF", "gasoil"];
    let all = ["Gas", "Gas \"NBP\"", "Gas TTF", "Oil", "Power", "gasoil"];
    assert_eq!(cached("gas", 50).await.unwrap(), with_gas);
    assert_eq!(cached("", 50).await.unwrap(), all);
    assert_eq!(cached("", 2).await.unwrap(), all[..2]);
    let field = fixture.mapping.filters.iter().find(|field| field.name == "product").unwrap();
    let of_source =
        fixture.source.suggestions(&fixture.mapping, field, "", day("2026-01-15"), 50).await.unwrap();
    assert!(of_source.contains(&"gasoil".to_owned()), "{of_source:?}");
    assert!(of_source.iter().all(|value| !value.trim().is_empty()), "{of_source:?}");
    // A file of the same source that cannot be read takes nothing away.
    let other = fixture.file().with_file_name(format!("{}.duckdb", Signature::of(&fixture.query(&["Gas"]))));
    std::fs::write(&other, b"no database").unwrap();
    assert_eq!(fixture.engine.cached_values(&query, "product", "gas", 50).await.unwrap(), with_gas);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_narrower_query_adopts_its_days() {
    let fixture = Fixture::new("adopt").await;
    let broad = fixture.fetch("2025-03-01", "2025-03-31").await;
    let sent = fixture.source.commands();
    let narrow = |products: &[&str]| FetchRequest {
        query: fixture.query(products),
        ..fixture.request("2025-03-01", "2025-03-31")
    };
    fixture.set_clock("2026-01-16T12:00:00Z");
    let two = fixture.run(narrow(&["Gas", "Oil"])).await;
    assert_eq!((counts(two.answer()), two.answer().answer), ((0, 31, 0, 0), Origin::Cache));
    assert_eq!(two.answer().oldest_fetch, broad.oldest_fetch, "adopted days keep their fetch time");
    // From a list that contains this one; the broader query may be gone by then.
    fixture.engine.forget(&fixture.signature(), None).await.unwrap();
    let one = fixture.run(narrow(&["Gas"])).await;
    assert_eq!(counts(one.answer()), (0, 31, 0, 0));
    assert_eq!(fixture.source.commands(), sent, "at no cost to the server");
    let march = range("2025-03-01", "2025-03-31");
    let ids = fixture.ids(&fixture.query(&["Gas"]), march, Role::Input).await;
    assert!(!ids.is_empty() && ids.iter().all(|id| id % 3 == 1), "{ids:?}");
    // What is not provably narrower is fetched.
    let other = fixture.run(narrow(&["Power", "Gas"])).await;
    assert_eq!(counts(other.answer()), (0, 0, 31, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_keeps_what_was_committed() {
    let gate = Gate::to(server().port(), 1);
    let fixture = Fixture::at(&gate.uri, server().uri(), "cancel", "", year()).await;
    let cancel = CancellationToken::new();
    let (events, run) = fixture.start(fixture.request("2025-01-01", "2025-05-31"), &cancel);
    until("a chunk is stored", || stored(&events.lock().unwrap()) == 1).await;
    cancel.cancel();
    let answer = run.await.unwrap().unwrap();
    assert!(!answer.complete);
    let kept = answer.days.fetched;
    assert!(kept > 0 && kept <= 31, "one window: {answer:?}");
    assert_eq!(counts(&answer), (0, 0, kept, 151 - kept));
    assert_eq!(answer.failure.as_ref().map(|failure| failure.code), Some(Code::Cancelled));
    assert!(answer.days.why_missing.iter().all(|missing| missing.why.contains("cancelled")), "{answer:?}");
    assert!(matches!(events.lock().unwrap().last(), Some(RunEvent::Cancelled)));

    gate.open();
    let rest = fixture.fetch("2025-01-01", "2025-05-31").await;
    assert_eq!(counts(&rest), (kept, 0, 151 - kept, 0));
    assert_eq!(rest.rows.input, 76);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_before_anything_is_stored_is_a_cancel() {
    let gate = Gate::to(server().port(), 0);
    let fixture = Fixture::at(&gate.uri, server().uri(), "early", "", year()).await;
    let cancel = CancellationToken::new();
    let (_, run) = fixture.start(fixture.request("2025-01-01", "2025-01-31"), &cancel);
    until("the pull has begun", || gate.arrived() == 1).await;
    cancel.cancel();
    let failure = run.await.unwrap().unwrap_err();
    assert_eq!(failure.code, Code::Cancelled, "{failure:?}");
    gate.open();
    assert_eq!(counts(&fixture.fetch("2025-01-01", "2025-01-31").await), (0, 0, 31, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_in_mid_fetch() {
    let folder = tempfile::tempdir().unwrap();
    let own = TestServer::start_on(folder.path(), 0).unwrap();
    let gate = Gate::to(own.port(), 2);
    let fixture = Fixture::at(&gate.uri, own.uri(), "stopped", "", year()).await;
    own.restart().unwrap(); // what was written is safe on disk then
    let (events, run) = fixture.start(fixture.request("2025-01-01", "2025-05-31"), &CancellationToken::new());
    until("two windows are stored", || stored(&events.lock().unwrap()) == 2).await;
    own.stop().unwrap();
    gate.open();
    let answer = run.await.unwrap().unwrap();
    let kept = answer.days.fetched;
    assert!(kept > 31 && kept <= 62, "two windows: {answer:?}");
    assert_eq!(counts(&answer), (0, 0, kept, 151 - kept));
    assert_eq!(answer.failure.as_ref().map(|failure| failure.code), Some(Code::SourceUnreachable));
    assert!(!answer.complete);

    let without = fixture.run(fixture.request("2025-01-01", "2025-05-31")).await;
    assert_eq!(
        (counts(without.answer()), without.answer().answer),
        ((kept, 0, 0, 151 - kept), Origin::Offline)
    );

    own.restart().unwrap();
    let rest = fixture.fetch("2025-01-01", "2025-05-31").await;
    assert_eq!((counts(&rest), rest.answer), ((kept, 0, 151 - kept, 0), Origin::PartCache));
    assert_eq!(rest.rows.input, 76);
}

#[tokio::test(flavor = "multi_thread")]
async fn offline_the_cache_alone_answers() {
    let mut fixture = Fixture::new("offline").await;
    fixture.fetch("2025-03-10", "2025-03-12").await;
    fixture.reopen();
    let sent = fixture.source.commands();
    let offline = |from, to| FetchRequest { offline: true, ..fixture.request(from, to) };
    let whole = fixture.run(offline("2025-03-10", "2025-03-12")).await;
    assert_eq!((whole.answer().answer, whole.answer().complete), (Origin::Offline, true));
    let part = fixture.run(offline("2025-03-09", "2025-03-13")).await;
    assert_eq!((counts(part.answer()), part.answer().complete), ((3, 0, 0, 2), false));
    assert_eq!(part.answer().days.missing, [day("2025-03-09"), day("2025-03-13")]);
    let none = fixture.run(offline("2025-04-01", "2025-04-01")).await;
    assert_eq!(none.result.unwrap_err().code, Code::NotCached);
    assert!(matches!(none.events.last(), Some(RunEvent::Failed)));
    // With no source at all as well, and from the list of what is cached.
    let (events, cancel): (EventSink, _) = (Arc::new(|_| {}), CancellationToken::new());
    let answer = fixture
        .engine
        .fetch(None, &fixture.request("2025-03-09", "2025-03-13"), events, cancel)
        .await
        .unwrap();
    assert_eq!(counts(&answer), (3, 0, 0, 2));
    let listed = fixture.engine.cached_queries().await.unwrap();
    assert_eq!((listed.len(), listed[0].days, listed[0].input_rows), (1, 3, whole.answer().rows.input));
    let key =
        ViewKey { signature: listed[0].signature.clone(), from: day("2025-03-10"), to: day("2025-03-12") };
    assert_eq!(fixture.engine.cached_answer(&key).await.unwrap().rows, whole.answer().rows);
    assert_eq!(fixture.source.commands(), sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_day_is_served_for_a_minute_and_refreshed_after() {
    let fixture = Fixture::new("open").await;
    // The 9th settles when the 11th begins; the 8th is settled.
    fixture.set_clock("2025-06-10T12:00:00Z");
    let first = fixture.fetch("2025-06-08", "2025-06-10").await;
    assert_eq!(first.days.open, [day("2025-06-09"), day("2025-06-10")]);
    fixture.collection.insert_one(trade(5_000, day("2025-06-10"))).await.unwrap();

    fixture.set_clock("2025-06-10T12:00:59Z");
    let within = fixture.fetch("2025-06-08", "2025-06-10").await;
    assert_eq!((counts(&within), within.mongo_commands, within.rows), ((3, 0, 0, 0), 0, first.rows));
    assert_eq!(within.days.open.len(), 2, "an open day is called open");

    fixture.set_clock("2025-06-10T12:01:00Z");
    let plan = fixture
        .engine
        .plan(Some(&fixture.source), &fixture.request("2025-06-08", "2025-06-10"))
        .await
        .unwrap();
    let actions: Vec<DayAction> = plan.days.iter().map(|day| day.action).collect();
    assert_eq!(actions, [DayAction::Serve, DayAction::Refresh, DayAction::Refresh]);
    let after = fixture.fetch("2025-06-08", "2025-06-10").await;
    assert_eq!(counts(&after), (1, 0, 2, 0));
    assert_eq!(after.rows.input, first.rows.input + 1);
    assert_eq!(input_changes(&after), (1, 0, 0));

    // Offline an old open day is served, and still called open.
    fixture.set_clock("2025-06-10T18:00:00Z");
    let offline =
        fixture.run(FetchRequest { offline: true, ..fixture.request("2025-06-08", "2025-06-10") }).await;
    assert_eq!((counts(offline.answer()), offline.answer().days.open.len()), ((3, 0, 0, 0), 2));

    // Settled since, but fetched while open: once more, and then never again.
    fixture.set_clock("2025-06-12T00:00:00Z");
    let settled = fixture.fetch("2025-06-08", "2025-06-10").await;
    assert_eq!((counts(&settled), settled.days.open.len()), ((1, 0, 2, 0), 0));
    fixture.set_clock("2025-08-12T00:00:00Z");
    let never = fixture.fetch("2025-06-08", "2025-06-10").await;
    assert_eq!((counts(&never), never.mongo_commands), ((3, 0, 0, 0), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_set_back_makes_days_open() {
    let fixture = Fixture::new("clock").await;
    fixture.set_clock("2025-09-01T00:00:00Z");
    fixture.fetch("2025-06-08", "2025-06-10").await;
    fixture.set_clock("2025-07-01T00:00:00Z");
    let plan = fixture
        .engine
        .plan(Some(&fixture.source), &fixture.request("2025-06-08", "2025-06-10"))
        .await
        .unwrap();
    assert!(plan.days.iter().all(|day| day.action == DayAction::Refresh), "{plan:?}");
    let again = fixture.fetch("2025-06-08", "2025-06-10").await;
    assert_eq!((counts(&again), again.days.open.len()), ((0, 0, 3, 0), 0));
    assert_eq!(fixture.fetch("2025-06-08", "2025-06-10").await.mongo_commands, 0);
    // Set back to before a day began: whatever the file says of it, it is not covered.
    fixture.set_clock("2025-06-09T12:00:00Z");
    let future = fixture.run(fixture.request("2025-06-08", "2025-06-11")).await;
    let coming = [day("2025-06-10"), day("2025-06-11")];
    assert_eq!(future.answer().days.missing, coming, "the future is never covered");
    assert_eq!((future.answer().days.open.len(), future.answer().rows.input), (2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_sees_what_was_added_changed_and_deleted() {
    let fixture = Fixture::new("refresh").await;
    let before = fixture.fetch("2025-03-01", "2025-03-31").await;
    let ids = fixture.ids(&fixture.query(&[]), range("2025-03-01", "2025-03-31"), Role::Input).await;
    fixture.collection.delete_one(doc! {"_id": ids[0]}).await.unwrap();
    fixture.collection.update_one(doc! {"_id": ids[1]}, doc! {"$set": {"price": 7}}).await.unwrap();
    fixture.collection.update_one(doc! {"_id": ids[2]}, doc! {"$unset": {"changed": ""}}).await.unwrap();
    fixture.collection.insert_one(trade(6_000, day("2025-03-14"))).await.unwrap();
    // A trade that moves to another day is there once.
    let moved = day("2025-03-29");
    let moved_to = doc! {"$set": {"day_of_year": i32::try_from(moved.day_of_year()).unwrap()}};
    fixture.collection.update_one(doc! {"_id": ids[3]}, moved_to).await.unwrap();

    assert_eq!(
        fixture.fetch("2025-03-01", "2025-03-31").await.rows,
        before.rows,
        "settled days are not asked for"
    );
    let after = fixture.fetch_as(FetchMode::Refresh, "2025-03-01", "2025-03-31").await;
    assert_eq!(input_changes(&after), (1, 3, 1));
    assert_eq!(after.rows.input, before.rows.input);
    let now = fixture.ids(&fixture.query(&[]), range("2025-03-01", "2025-03-31"), Role::Input).await;
    assert!(!now.contains(&ids[0]) && now.contains(&6_000) && now.contains(&ids[3]));
    let same = fixture.fetch_as(FetchMode::Refresh, "2025-03-01", "2025-03-31").await;
    assert_eq!(same.changes, Some(Changes::default()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_finds_the_days_that_differ() {
    let fixture =
        Fixture::at(server().uri(), server().uri(), "verify", r#"{"changed_at": "changed"}"#, year()).await;
    fixture.fetch("2025-03-01", "2025-03-31").await;
    let same = fixture.fetch_as(FetchMode::Verify, "2025-03-01", "2025-03-31").await;
    assert_eq!((counts(&same), same.answer), ((31, 0, 0, 0), Origin::Cache));
    assert!(
        same.mongo_commands > 0 && same.notes.iter().any(|note| note.to_string().contains("none differs")),
        "{same:?}"
    );

    let ids = fixture.ids(&fixture.query(&[]), range("2025-03-01", "2025-03-31"), Role::Input).await;
    fixture.collection.delete_one(doc! {"_id": ids[2]}).await.unwrap();
    fixture
        .collection
        .update_one(doc! {"_id": ids[5]}, doc! {"$set": {"price": 7, "changed": 99_999}})
        .await
        .unwrap();
    let checked = fixture.fetch_as(FetchMode::Verify, "2025-03-01", "2025-03-31").await;
    assert_eq!(counts(&checked), (29, 0, 2, 0));
    assert_eq!(input_changes(&checked), (0, 1, 1));
    assert!(checked.notes.iter().any(|note| note.to_string().contains("2 differed")), "{checked:?}");
    let again = fixture.fetch_as(FetchMode::Verify, "2025-03-01", "2025-03-31").await;
    assert_eq!(counts(&again), (31, 0, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_fetches_share_one_pull() {
    let gate = Gate::to(server().port(), 0);
    let fixture = Fixture::at(&gate.uri, server().uri(), "shared", "", year()).await;
    let (_, one) = fixture.start(fixture.request("2025-03-01", "2025-03-20"), &CancellationToken::new());
    until("the first pull has begun", || gate.arrived() == 1).await;
    let (_, other) = fixture.start(fixture.request("2025-03-11", "2025-03-30"), &CancellationToken::new());
    until("the second pull has begun", || gate.arrived() == 2).await;
    gate.open();
    let (one, other) = (one.await.unwrap().unwrap(), other.await.unwrap().unwrap());
    assert_eq!((counts(&one), counts(&other)), ((0, 0, 20, 0), (0, 0, 20, 0)));
    assert_eq!((one.rows.input, other.rows.input), (10, 10));
    assert_eq!(gate.passed(), 2, "the ten days that both need were pulled once");
    let all = fixture.fetch("2025-03-01", "2025-03-30").await;
    assert_eq!((all.rows.input, all.mongo_commands), (15, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_goes_on_for_whoever_still_waits() {
    let gate = Gate::to(server().port(), 0);
    let fixture = Fixture::at(&gate.uri, server().uri(), "waits", "", year()).await;
    let cancel = CancellationToken::new();
    let (_, one) = fixture.start(fixture.request("2025-03-01", "2025-03-10"), &cancel);
    until("the first pull has begun", || gate.arrived() == 1).await;
    let (_, other) = fixture.start(fixture.request("2025-03-01", "2025-03-20"), &CancellationToken::new());
    until("the second pull has begun", || gate.arrived() == 2).await;
    cancel.cancel();
    assert_eq!(one.await.unwrap().unwrap_err().code, Code::Cancelled);
    gate.open();
    assert_eq!(counts(&other.await.unwrap().unwrap()), (0, 0, 20, 0));
    assert_eq!(gate.passed(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn forgotten_days_are_fetched_again() {
    let fixture = Fixture::new("forget").await;
    let all = fixture.fetch("2025-03-01", "2025-03-31").await;
    fixture.engine.forget(&fixture.signature(), Some(range("2025-03-10", "2025-03-12"))).await.unwrap();
    let gap =
        fixture.run(FetchRequest { offline: true, ..fixture.request("2025-03-01", "2025-03-31") }).await;
    assert_eq!(counts(gap.answer()), (28, 0, 0, 3));
    let again = fixture.fetch("2025-03-01", "2025-03-31").await;
    assert_eq!((counts(&again), again.rows), ((28, 0, 3, 0), all.rows));
    fixture.engine.forget(&fixture.signature(), None).await.unwrap();
    assert!(fixture.engine.cached_queries().await.unwrap().is_empty());
    assert!(fixture.engine.cache().files().unwrap().is_empty(), "its disk is free");
    assert_eq!(fixture.engine.forget(&fixture.signature(), None).await.unwrap_err().code, Code::NotCached);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_set_aside_and_reported() {
    let mut fixture = Fixture::new("damaged").await;
    let whole = fixture.fetch("2025-03-01", "2025-03-31").await;
    let path = fixture.file();
    let closed = tempfile::tempdir().unwrap();
    type Damage = fn(&[u8]) -> Vec<u8>;
    let damages: [Damage; 4] = [
        |bytes| bytes[..bytes.len() / 2].to_vec(),
        |_| b"this is no database".to_vec(),
        |_| Vec::new(),
        |bytes| bytes.iter().enumerate().map(|(at, byte)| if at < 20_000 { !byte } else { *byte }).collect(),
    ];
    for (at, damage) in damages.iter().enumerate() {
        // The engine ends before the file is touched.
        fixture.engine = engine(&closed, &fixture.clock);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, damage(&bytes)).unwrap();
        fixture.reopen();
        let told = fixture.run(fixture.request("2025-03-01", "2025-03-31")).await;
        let answer = told.answer();
        assert_eq!((counts(answer), answer.rows), ((0, 0, 31, 0), whole.rows), "damage {at}");
        assert!(
            answer.notes.iter().any(|note| note.to_string().contains("moved aside")),
            "damage {at}: {:?}",
            answer.notes
        );
        let aside = std::fs::read_dir(path.parent().unwrap()).unwrap().flatten();
        let names = aside.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let aside = names.filter(|name| name.contains(".damaged-") && name.ends_with(".duckdb")).count();
        assert_eq!(aside, at + 1, "nothing is wiped");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_under_two_days_is_shown_once_in_whatever_order_windows_commit() {
    let fixture = Fixture::new("overlap").await;
    let (engine, query) = (fixture.engine.clone(), fixture.query(&[]));
    let work = move || {
        let identity = Identity::of(&query);
        let file = engine.cache().open_or_create(&identity).unwrap().file;
        let document = RawDocumentBuf::try_from(&trade(1, day("2025-03-01"))).unwrap();
        let window = |days: DayRange| {
            let mut writer = SegmentWriter::begin(Arc::clone(&file)).unwrap();
            let mut decoder = Decoder::new(Arc::clone(file.registry()), false);
            decoder.push(RowKey { day: days.from(), trade: None, read: 0 }, &document);
            writer.append(Role::Input, decoder.finish_batch().unwrap()).unwrap();
            let fields = decoder.take_presence().remove(&days.from()).unwrap();
            let rows = DayRows {
                differs: false,
                fetched: engine.now(),
                input_rows: 1,
                input_fields: fields,
                downstream_fields: FieldSet::default(),
                change_mark: None,
                bounds: None,
                left_out: BTreeMap::new(),
            };
            (writer, BTreeMap::from([(days.from(), rows)]))
        };
        let both = range("2025-03-01", "2025-03-02");
        let (first, first_rows) = window(range("2025-03-01", "2025-03-01"));
        let (second, second_rows) = window(range("2025-03-02", "2025-03-02"));
        second.commit(second_rows, &[]).unwrap();
        assert_eq!(View::open(Arc::clone(&file), both).unwrap().counts().input, 1);
        first.commit(first_rows, &[]).unwrap();
        assert_eq!(View::open(Arc::clone(&file), both).unwrap().counts().input, 1, "the same document, once");
    };
    tokio::task::spawn_blocking(work).await.unwrap();
}

/// However many fetches, refreshes, forgets and adoptions built the cache, the answer is what a direct
/// query would return.
#[tokio::test(flavor = "multi_thread")]
async fn any_history_gives_the_same_answer() {
    let days = range("2024-12-20", "2025-01-20");
    let mut seed = 11_u64;
    let mut throw = move |sides: i32| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i32::try_from((seed >> 33) % u64::try_from(sides).unwrap()).unwrap()
    };
    // Few trades for many days: most have input on several, and every document is a message too.
    let documents: Vec<Document> = (0..120)
        .map(|number| {
            let mut document = trade(number, days.from().plus(throw(32)));
            document.insert("trade_id", throw(25));
            if throw(5) == 0 {
                document.remove("year");
            }
            document
        })
        .collect();
    let mut fixture = Fixture::at(server().uri(), server().uri(), "history", "", documents.clone()).await;
    let filters: [&[&str]; 4] = [&[], &["Gas"], &["Gas", "Oil"], &["Power"]];
    for step in 0..60 {
        let products = filters[usize::try_from(throw(4)).unwrap()];
        let from = days.from().plus(throw(28));
        let asked = DayRange::new(from, from.plus(throw(12))).unwrap();
        let query = fixture.query(products);
        match throw(8) {
            0 => {
                // Not cached is as good as forgotten.
                let _ = fixture.engine.forget(&Signature::of(&query), Some(asked)).await;
                continue;
            }
            1 => fixture.reopen(),
            _ => {}
        }
        let mode = [FetchMode::Normal, FetchMode::Normal, FetchMode::Refresh, FetchMode::Verify]
            [usize::try_from(throw(4)).unwrap()];
        let request = FetchRequest { query: query.clone(), range: asked, mode, offline: false };
        let answer = fixture.run(request).await.result.unwrap();
        assert!(answer.complete);

        let id = |document: &Document| document.get_i32("_id").unwrap();
        let is_input = |document: &&Document| {
            let day = document.get_i32("year").ok().and_then(|year| {
                Day::from_year_day(year, u32::try_from(document.get_i32("day_of_year").unwrap()).unwrap())
            });
            day.is_some_and(|day| asked.contains(day))
                && (products.is_empty() || products.contains(&document.get_str("product").unwrap()))
        };
        let input: BTreeSet<i32> = documents.iter().filter(is_input).map(id).collect();
        let trades: BTreeSet<i32> =
            documents.iter().filter(is_input).map(|document| document.get_i32("trade_id").unwrap()).collect();
        let downstream: Vec<i32> = documents
            .iter()
            .filter(|document| trades.contains(&document.get_i32("trade_id").unwrap()))
            .map(id)
            .filter(|id| !input.contains(id))
            .collect();
        let input: Vec<i32> = input.into_iter().collect();
        assert_eq!(
            fixture.ids(&query, asked, Role::Input).await,
            input,
            "step {step}: {asked} {products:?} {mode:?}"
        );
        assert_eq!(
            fixture.ids(&query, asked, Role::Downstream).await,
            downstream,
            "step {step}: {asked} {products:?} {mode:?}"
        );
        assert_eq!(
            (answer.rows.input, answer.rows.downstream),
            (input.len() as u64, downstream.len() as u64)
        );
    }
}
