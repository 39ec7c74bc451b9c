//! The way to the server fails in the middle of a fetch: what was committed stays, the answer says what
//! happened and what is missing, and the next run fetches just the rest.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::{Duration, Instant};

use bson::{Document, doc};
use support::desk::{Desk, counts, range, stored, trade, year};
use support::wire::{Fault, Wire};
use support::{Gate, server, until};
use tidemark_engine::answer::{Answer, Origin};
use tidemark_engine::desk::{Role, ViewKey};
use tidemark_engine::failure::Code;
use tidemark_engine::run::FetchRequest;
use tidemark_test_server::TestServer;
use tokio_util::sync::CancellationToken;

/// Days that are asked for: five windows.
const FROM: &str = "2025-01-01";
const TO: &str = "2025-05-31";
const DAYS: usize = 151;

/// Trades of two windows, more in each than a batch has.
fn busy() -> Vec<Document> {
    let days: Vec<_> = range("2025-01-01", "2025-02-28").days().collect();
    let number = |day: usize, n: usize| i32::try_from(day * 200 + n).unwrap();
    let trades =
        days.iter().enumerate().flat_map(|(at, day)| (0..200).map(move |n| trade(number(at, n), *day)));
    trades.collect()
}

/// What is held is whole, offline as well, and the next run fetches the rest and no more.
async fn only_the_rest_is_missing(desk: &Desk, kept: usize, [from, to]: [&str; 2]) {
    let days = range(from, to);
    let offline = desk.run(FetchRequest { offline: true, ..desk.request(from, to) }).await;
    match &offline.result {
        Ok(answer) => assert_eq!(counts(answer), (kept, 0, 0, days.len() - kept), "{answer:?}"),
        Err(failure) => assert_eq!((failure.code, kept), (Code::NotCached, 0), "{failure:?}"),
    }
    let missing = offline.result.map(|answer| answer.days.missing).unwrap_or_default();
    let truth = |held_only: bool| {
        let wanted: Vec<_> = days.days().filter(|day| !held_only || !missing.contains(day)).collect();
        async move {
            let ors: Vec<Document> = wanted
                .iter()
                .map(
                    |day| doc! {"year": day.year(), "day_of_year": i32::try_from(day.day_of_year()).unwrap()},
                )
                .collect();
            ids(desk, doc! {"$or": ors}).await
        }
    };
    if kept > 0 {
        assert!(shown(desk, [from, to]).await == truth(true).await, "the held days are not whole");
    }
    let rest = desk.fetch(from, to).await;
    assert_eq!(counts(&rest), (kept, 0, days.len() - kept, 0), "{rest:?}");
    assert!(shown(desk, [from, to]).await == truth(false).await, "the answer is not the source's");
    assert_eq!(desk.fetch(from, to).await.mongo_commands, 0);
}

/// `_id`s as a direct query returns them.
async fn ids(desk: &Desk, filter: Document) -> Vec<i32> {
    use futures_util::TryStreamExt as _;
    let found: Vec<Document> = desk.collection.find(filter).await.unwrap().try_collect().await.unwrap();
    let mut ids: Vec<i32> = found.iter().map(|document| document.get_i32("_id").unwrap()).collect();
    ids.sort_unstable();
    ids
}

async fn shown(desk: &Desk, [from, to]: [&str; 2]) -> Vec<i32> {
    let days = range(from, to);
    let key = ViewKey { signature: desk.signature().to_string(), from: days.from(), to: days.to() };
    let mut ids: Vec<i32> = Vec::new();
    loop {
        let page = desk.engine.page(&key, Role::Input, None, ids.len() as u64, 5_000).await.unwrap();
        if page.rows.is_empty() {
            break;
        }
        ids.extend(page.rows.iter().map(|row| row[0].as_ref().unwrap().parse::<i32>().unwrap()));
    }
    ids.sort_unstable();
    ids
}

/// A partial answer with this failure, whose words say this.
fn lost(answer: &Answer, code: Code, words: &str) {
    assert!(!answer.complete, "{answer:?}");
    let failure = answer.failure.as_ref().unwrap();
    assert_eq!(failure.code, code, "{failure:?}");
    assert!(failure.message.contains(words), "{failure:?}");
    assert_eq!(answer.days.missing.len(), answer.days.why_missing.len());
    assert!(answer.days.why_missing.iter().all(|missing| !missing.why.is_empty()), "{answer:?}");
}

/// One window is stored; then the fault comes about in the answer of a further one.
async fn one_window_and_then(fault: Fault, name: &str, options: &str) -> (Desk, Wire, Answer) {
    let gate = Gate::to(server().port(), 1);
    let wire = Wire::to(gate.port());
    let desk = Desk::at(&format!("{}{options}", wire.uri), server().uri(), name, "", year()).await;
    let (events, run) = desk.start(desk.request(FROM, TO), &CancellationToken::new());
    until("a window is stored", || stored(&events.lock().unwrap()) == 1).await;
    // Less than the answer of a window: 15 trades of 100 bytes and more.
    wire.fault_after(700, fault);
    gate.open();
    let answer = run.await.unwrap().unwrap();
    assert!(wire.is_faulty());
    (desk, wire, answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_break_in_mid_answer() {
    let (desk, wire, answer) = one_window_and_then(Fault::Cut, "cut", "").await;
    let kept = answer.days.fetched;
    assert!((28..DAYS).contains(&kept), "{answer:?}");
    lost(&answer, Code::SourceUnreachable, "server");
    wire.heal();
    only_the_rest_is_missing(&desk, kept, [FROM, TO]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_that_breaks_is_made_good_at_once() {
    let (desk, _wire, answer) = one_window_and_then(Fault::CutOne, "cut_one", "").await;
    assert_eq!((counts(&answer), answer.failure.as_ref()), ((0, 0, DAYS, 0), None), "{answer:?}");
    only_the_rest_is_missing(&desk, DAYS, [FROM, TO]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_falls_silent_is_not_waited_for() {
    let begun = Instant::now();
    let (desk, wire, answer) = one_window_and_then(Fault::Stall, "stall", "").await;
    assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", begun.elapsed());
    lost(&answer, Code::SourceUnreachable, "server");
    let kept = answer.days.fetched;
    assert!((28..DAYS).contains(&kept), "{answer:?}");
    wire.heal();
    only_the_rest_is_missing(&desk, kept, [FROM, TO]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_falls_silent_has_the_time_limit_of_the_connection_string() {
    let begun = Instant::now();
    let (desk, wire, answer) =
        one_window_and_then(Fault::StallOne, "stall_one", "&socketTimeoutMS=1500").await;
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    lost(&answer, Code::SourceTimeout, "time limit");
    let kept = answer.days.fetched;
    assert!((28..DAYS).contains(&kept), "{answer:?}");
    wire.heal();
    only_the_rest_is_missing(&desk, kept, [FROM, TO]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_connection_takes_its_time() {
    let wire = Wire::to(server().port());
    let desk = Desk::at(&wire.uri, server().uri(), "slow", "", year()).await;
    // A ping takes a blink, the rows of five months a few seconds.
    wire.slow(2_000);
    let answer = desk.fetch(FROM, TO).await;
    assert_eq!((counts(&answer), answer.rows.input), ((0, 0, DAYS, 0), 76));
    assert!(answer.elapsed_ms > 1_000, "{answer:?}");
    wire.heal();
    only_the_rest_is_missing(&desk, DAYS, [FROM, TO]).await;
}

/// A fetch that stands in the middle of its cursors, of which `held` are asked for more.
async fn in_mid_cursor(
    wire: &Wire,
    desk: &Desk,
) -> tokio::task::JoinHandle<tidemark_engine::failure::Result<Answer>> {
    wire.hold_more();
    let (_, run) = desk.start(desk.request("2025-01-01", "2025-02-28"), &CancellationToken::new());
    until("a cursor is asked for more", || !wire.held().is_empty()).await;
    run
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_that_the_server_has_ended() {
    let wire = Wire::to(server().port());
    let desk = Desk::at(&wire.uri, server().uri(), "ended", "", busy()).await;
    let run = in_mid_cursor(&wire, &desk).await;
    // As the server's own time limit for idle cursors does, or its administrator.
    let database = mongodb::Client::with_uri_str(server().uri()).await.unwrap().database("fetch_ended");
    let killed = database.run_command(doc! {"killCursors": "trades", "cursors": wire.held()}).await.unwrap();
    assert!(!killed.get_array("cursorsKilled").unwrap().is_empty(), "{killed:?}");
    wire.heal();
    let (kept, failure) = match run.await.unwrap() {
        Ok(answer) => {
            lost(&answer, Code::SourceTimeout, "ended the query");
            (answer.days.fetched, answer.failure.unwrap())
        }
        Err(failure) => (0, failure),
    };
    assert_eq!(failure.code, Code::SourceTimeout, "{failure:?}");
    assert!(failure.message.contains("ended the query") && failure.next.contains("again"), "{failure:?}");
    only_the_rest_is_missing(&desk, kept, ["2025-01-01", "2025-02-28"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_restarts_in_mid_cursor() {
    let folder = tempfile::tempdir().unwrap();
    let own = TestServer::start_on(folder.path(), 0).unwrap();
    let wire = Wire::to(own.port());
    let desk = Desk::at(&wire.uri, own.uri(), "restarted", "", busy()).await;
    own.restart().unwrap(); // what was written is safe on disk then
    for round in 0..2 {
        let run = in_mid_cursor(&wire, &desk).await;
        own.stop().unwrap();
        if round == 0 {
            // It is back before the next batch is asked for, and knows nothing of the cursor.
            own.restart().unwrap();
        }
        wire.heal();
        let failure = match run.await.unwrap() {
            Ok(answer) => {
                assert!(answer.days.fetched < 59 && answer.answer == Origin::Server, "{answer:?}");
                answer.failure.unwrap()
            }
            Err(failure) => failure,
        };
        assert!(matches!(failure.code, Code::SourceUnreachable | Code::SourceTimeout), "{failure:?}");
        own.restart().unwrap();
    }
    let kept = desk.engine.cached_queries().await.unwrap().first().map_or(0, |query| query.days);
    only_the_rest_is_missing(&desk, kept, ["2025-01-01", "2025-02-28"]).await;
}

/// Many companies' connection strings have it; the driver refuses it.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_string_may_have_a_socket_timeout() {
    let uri = format!("{}?socketTimeoutMS=30000", server().uri());
    let desk = Desk::at(&uri, server().uri(), "socket_timeout", "", year()).await;
    assert_eq!(desk.fetch("2025-03-01", "2025-03-31").await.rows.input, 15);
}
