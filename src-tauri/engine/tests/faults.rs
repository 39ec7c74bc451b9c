//! The way to the server fails in the middle of a fetch: what was committed stays, the answer says what
//! happened and what is missing, and the next run fetches just the rest.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use crate::support::fixture::{Fixture, counts, message, range, stored, trade, year};
use bson::{Document, doc};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tidemark_engine::answer::{Answer, AnswerRows};
use tidemark_engine::api::rows::ViewKey;
use tidemark_engine::failure::{Code, Failure, Result};
use tidemark_engine::plan::ledger::FetchMode;
use tidemark_engine::rows::{Role, RowQuery};
use tidemark_engine::run::FetchRequest;
use tidemark_test_server::TestServer;
use tidemark_test_support::wire::{Fault, Wire};
use tidemark_test_support::{Gate, server, until};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Days that are asked for: five windows.
const FROM: &str = "2025-01-01";
const TO: &str = "2025-05-31";
const DAYS: usize = 151;
/// Days of one of them.
const A_WINDOW: RangeInclusive<usize> = 30..=31;

/// Trades of all five windows, more in each than a batch has.
fn busy() -> Vec<Document> {
    let days: Vec<_> = range(FROM, TO).days().collect();
    let number = |day: usize, n: usize| i32::try_from(day * 200 + n).unwrap();
    let trades =
        days.iter().enumerate().flat_map(|(at, day)| (0..200).map(move |n| trade(number(at, n), *day)));
    trades.collect()
}

/// What is held is whole, offline as well, and the next run fetches the rest and no more.
async fn only_the_rest_is_missing(fixture: &Fixture, kept: usize, [from, to]: [&str; 2]) {
    let days = range(from, to);
    let offline = fixture.run(FetchRequest { offline: true, ..fixture.request(from, to) }).await;
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
            ids(fixture, doc! {"$or": ors}).await
        }
    };
    if kept > 0 {
        assert!(shown(fixture, [from, to]).await == truth(true).await, "the held days are not whole");
    }
    let rest = fixture.fetch(from, to).await;
    assert_eq!(counts(&rest), (kept, 0, days.len() - kept, 0), "{rest:?}");
    assert!(shown(fixture, [from, to]).await == truth(false).await, "the answer is not the source's");
    assert_eq!(fixture.fetch(from, to).await.mongo_commands, 0);
}

/// `_id`s as a direct query returns them.
async fn ids(fixture: &Fixture, filter: Document) -> Vec<i32> {
    use futures_util::TryStreamExt as _;
    let found: Vec<Document> = fixture.collection.find(filter).await.unwrap().try_collect().await.unwrap();
    let mut ids: Vec<i32> = found.iter().map(|document| document.get_i32("_id").unwrap()).collect();
    ids.sort_unstable();
    ids
}

async fn shown(fixture: &Fixture, [from, to]: [&str; 2]) -> Vec<i32> {
    let days = range(from, to);
    let key = ViewKey { signature: fixture.signature().to_string(), from: days.from(), to: days.to() };
    let mut ids: Vec<i32> = Vec::new();
    loop {
        let page =
            fixture.engine.page(&key, &RowQuery::of(Role::Input), ids.len() as u64, 5_000).await.unwrap();
        if page.rows.is_empty() {
            break;
        }
        ids.extend(page.rows.iter().map(|row| row[0].as_ref().unwrap().parse::<i32>().unwrap()));
    }
    ids.sort_unstable();
    ids
}

const BROKE_OFF: (Code, &str) = (Code::SourceUnreachable, "The connection to the server was lost.");
const OUT_OF_REACH: (Code, &str) = (Code::SourceUnreachable, "The server cannot be reached.");
const REFUSED: (Code, &str) = (Code::SourceUnreachable, "refuses connections: ");
const SILENT: (Code, &str) = (Code::SourceUnreachable, "does not answer");
const TOO_SLOW: (Code, &str) = (Code::SourceTimeout, "The server took longer than the time limit.");
const ENDED: (Code, &str) = (Code::SourceTimeout, "The server ended the query before all rows had arrived.");

/// The failure has the code and the words of one of these.
fn is_one_of(failure: &Failure, failures: &[(Code, &str)]) {
    let is_expected = |(code, words): &(Code, &str)| *code == failure.code && failure.message.contains(words);
    assert!(failures.iter().any(is_expected), "{failure:?}");
}

/// A partial answer that holds some of the days and not all, with one of these failures, which every missing
/// day names; how many days were kept.
fn lost(answer: &Answer, days: usize, failures: &[(Code, &str)]) -> usize {
    assert!(!answer.complete, "{answer:?}");
    let failure = answer.failure.as_ref().unwrap();
    is_one_of(failure, failures);
    let (_, _, kept, missing) = counts(answer);
    assert!(kept > 0 && missing > 0 && kept + missing == days, "{answer:?}");
    let why: Vec<_> = answer.days.why_missing.iter().map(|missing| missing.day).collect();
    assert_eq!(why, answer.days.missing);
    assert!(answer.days.why_missing.iter().all(|missing| missing.why == failure.message), "{answer:?}");
    kept
}

/// A way to a server on which only so many pulls of input get through, and what passes can have faults.
fn guarded_way(server: &TestServer) -> (Gate, Wire) {
    let gate = Gate::to(server.port(), 0);
    let wire = Wire::to(gate.port());
    (gate, wire)
}

/// Starts a fetch and waits until it has stored one window; the others are held at the gate.
async fn with_one_window_stored(fixture: &Fixture, gate: &Gate) -> JoinHandle<Result<Answer>> {
    gate.allow(1);
    let (events, run) = fixture.start(fixture.request(FROM, TO), &CancellationToken::new());
    until("a window is stored", || {
        let events = events.lock().unwrap();
        let count = stored(&events);
        assert!(count > 0 || !run.is_finished(), "the run ended before: {events:?}");
        count > 0
    })
    .await;
    run
}

/// One window is stored; then the fault comes about in the answer of a further one.
async fn one_window_and_then(fault: Fault, name: &str, options: &str) -> (Fixture, Wire, Answer) {
    let (gate, wire) = guarded_way(server());
    let fixture = Fixture::at(&format!("{}{options}", wire.uri), server().uri(), name, "", year()).await;
    let run = with_one_window_stored(&fixture, &gate).await;
    // Less than the answer of a window: 15 trades of 100 bytes and more.
    wire.fault_after(700, fault);
    gate.open();
    let answer = run.await.unwrap().unwrap();
    assert!(wire.is_faulty());
    (fixture, wire, answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_break_in_mid_answer() {
    let (fixture, wire, answer) = one_window_and_then(Fault::Cut, "cut", "").await;
    let kept = lost(&answer, DAYS, &[BROKE_OFF, OUT_OF_REACH, REFUSED, SILENT]);
    wire.heal();
    only_the_rest_is_missing(&fixture, kept, [FROM, TO]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_that_breaks_is_made_good_at_once() {
    let (fixture, _wire, answer) = one_window_and_then(Fault::CutOne, "cut_one", "").await;
    assert_eq!((counts(&answer), answer.failure.as_ref()), ((0, 0, DAYS, 0), None), "{answer:?}");
    only_the_rest_is_missing(&fixture, DAYS, [FROM, TO]).await;
}

/// Between two runs: whichever command comes first finds the stale connection, and none of them fails.
#[tokio::test(flavor = "multi_thread")]
async fn connections_that_ended_while_idle_are_made_good_at_once() {
    let wire = Wire::to(server().port());
    let fixture = Fixture::at(&wire.uri, server().uri(), "idle", "", year()).await;
    fixture.fetch("2025-01-01", "2025-01-31").await;
    for turn in 0..8 {
        wire.drop_idle();
        let mode = if turn % 2 == 0 { FetchMode::Refresh } else { FetchMode::Verify };
        let answer = fixture.fetch_as(mode, "2025-01-01", "2025-01-31").await;
        assert_eq!((answer.complete, answer.failure.as_ref()), (true, None), "{turn}: {answer:?}");
        assert!(answer.days.unverified.is_empty(), "{turn}: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_falls_silent_is_not_waited_for() {
    let begun = Instant::now();
    let (fixture, wire, answer) = one_window_and_then(Fault::Stall, "stall", "").await;
    assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", begun.elapsed());
    let kept = lost(&answer, DAYS, &[BROKE_OFF, OUT_OF_REACH, REFUSED, SILENT]);
    wire.heal();
    only_the_rest_is_missing(&fixture, kept, [FROM, TO]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_falls_silent_has_the_time_limit_of_the_connection_string() {
    let begun = Instant::now();
    let (fixture, wire, answer) =
        one_window_and_then(Fault::StallOne, "stall_one", "&socketTimeoutMS=1500").await;
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    let kept = lost(&answer, DAYS, &[TOO_SLOW]);
    wire.heal();
    only_the_rest_is_missing(&fixture, kept, [FROM, TO]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_connection_takes_its_time() {
    let wire = Wire::to(server().port());
    let fixture = Fixture::at(&wire.uri, server().uri(), "slow", "", year()).await;
    // A ping takes a blink, the rows of five months a few seconds.
    wire.slow(2_000);
    let answer = fixture.fetch(FROM, TO).await;
    assert_eq!((counts(&answer), answer.rows.input), ((0, 0, DAYS, 0), 76));
    assert!(answer.elapsed_ms > 1_000, "{answer:?}");
    wire.heal();
    only_the_rest_is_missing(&fixture, DAYS, [FROM, TO]).await;
}

/// A fetch that has stored one window and stands in the middle of the cursors of three more.
async fn in_mid_cursor(fixture: &Fixture, gate: &Gate, wire: &Wire) -> JoinHandle<Result<Answer>> {
    let run = with_one_window_stored(fixture, gate).await;
    wire.hold_more();
    gate.open();
    until("three cursors are asked for more", || wire.held().len() >= 3).await;
    run
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_that_the_server_has_ended() {
    let (gate, wire) = guarded_way(server());
    let fixture = Fixture::at(&wire.uri, server().uri(), "ended", "", busy()).await;
    let run = in_mid_cursor(&fixture, &gate, &wire).await;
    // As the server's own time limit for idle cursors does, or its administrator.
    let database = fixture.collection.client().database(&fixture.collection.namespace().db);
    let killed = database.run_command(doc! {"killCursors": "trades", "cursors": wire.held()}).await.unwrap();
    assert_eq!(killed.get_array("cursorsKilled").unwrap().len(), 3, "{killed:?}");
    wire.heal();
    let answer = run.await.unwrap().unwrap();
    let kept = lost(&answer, DAYS, &[ENDED]);
    assert!(A_WINDOW.contains(&kept), "the one window that was whole: {kept}");
    let next = &answer.failure.as_ref().unwrap().next;
    assert_eq!(next, "Run the query again to fetch the rest; if it happens again, try a shorter range.");
    only_the_rest_is_missing(&fixture, kept, [FROM, TO]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_restarts_in_mid_cursor() {
    let folder = tempfile::tempdir().unwrap();
    let own = TestServer::start_on(folder.path(), 0).unwrap();
    // Back before the next batch is asked for, with no memory of the cursor; then not back at all.
    for (name, is_back, failures) in [
        ("restarted", true, &[BROKE_OFF, ENDED][..]),
        ("gone", false, &[BROKE_OFF, OUT_OF_REACH, REFUSED, SILENT]),
    ] {
        let (gate, wire) = guarded_way(&own);
        // Each has all five windows to fetch: how many are stored before the run ends is a matter of luck.
        let fixture = Fixture::at(&wire.uri, own.uri(), name, "", busy()).await;
        own.restart().unwrap(); // what was written is safe on disk then
        let run = in_mid_cursor(&fixture, &gate, &wire).await;
        own.stop().unwrap();
        if is_back {
            own.restart().unwrap();
        }
        wire.heal();
        let answer = run.await.unwrap().unwrap();
        let (_, _, kept, missing) = counts(&answer);
        assert!(kept > 0 && missing > 0, "{answer:?}");
        is_one_of(answer.failure.as_ref().unwrap(), failures);
        own.restart().unwrap();
        only_the_rest_is_missing(&fixture, kept, [FROM, TO]).await;
    }
}

/// Two trades a day, and two messages of each in a collection of their own.
const MESSAGES: &str = r#"{"downstream_collection": "messages"}"#;

fn two_a_day() -> (Vec<Document>, Vec<Document>) {
    let padded = |document: Document| {
        let mut document = document;
        document.insert("padding", "x".repeat(200));
        document
    };
    let days: Vec<_> = range(FROM, TO).days().collect();
    let numbers = (0..).flat_map(|day| [2 * day, 2 * day + 1]);
    let trades: Vec<Document> = numbers
        .zip(days.iter().flat_map(|day| [*day, *day]))
        .map(|(number, day)| padded(trade(number, day)))
        .collect();
    let of_trades = i32::try_from(trades.len()).unwrap();
    let messages = (0..2 * of_trades).map(|number| padded(message(number, number / 2))).collect();
    (trades, messages)
}

fn bytes_of(documents: &[Document]) -> usize {
    documents.iter().map(|document| bson::serialize_to_vec(document).unwrap().len()).sum()
}

/// What the connections break in the middle of.
#[derive(Debug, Clone, Copy)]
enum Phase {
    Input,
    Downstream,
}

/// Breaks the connections after so many bytes of a phase. No window but the one before is whole by then.
async fn a_cut_after(bytes: usize, phase: Phase, name: String) {
    let (gate, wire) = guarded_way(server());
    let (trades, messages) = two_a_day();
    let fixture = Fixture::at(&wire.uri, server().uri(), &name, MESSAGES, trades).await;
    let database = fixture.collection.client().database(&fixture.collection.namespace().db);
    database.collection::<Document>("messages").insert_many(&messages).await.unwrap();
    let run = with_one_window_stored(&fixture, &gate).await;
    match phase {
        Phase::Input => wire.fault_after(bytes, Fault::Cut),
        Phase::Downstream => wire.fault_after_asking("messages", bytes, Fault::Cut),
    }
    gate.open();
    let answer = run.await.unwrap().unwrap();
    assert!(wire.is_faulty(), "{name}");
    let kept = lost(&answer, DAYS, &[BROKE_OFF, OUT_OF_REACH, REFUSED, SILENT]);
    assert!(A_WINDOW.contains(&kept), "{name}: the one window that was whole: {kept}");
    let rows = |days: usize| AnswerRows { input: 2 * days as u64, downstream: 4 * days as u64 };
    assert_eq!(answer.rows, rows(kept), "{name}");
    wire.heal();
    only_the_rest_is_missing(&fixture, kept, [FROM, TO]).await;
    let whole = fixture.fetch(FROM, TO).await;
    assert_eq!((whole.rows, whole.mongo_commands), (rows(DAYS), 0), "{name}");
    let shown = fixture.ids(&fixture.query(&[]), range(FROM, TO), Role::Downstream).await;
    let truth: Vec<i32> = messages.iter().map(|message| message.get_i32("_id").unwrap()).collect();
    assert!(shown == truth, "{name}: the messages are not the source's");
}

/// `TIDEMARK_CUT_SEED` repeats a run.
#[tokio::test(flavor = "multi_thread")]
async fn a_cut_after_any_byte_loses_no_more_than_the_windows_under_way() {
    let seed: u64 =
        std::env::var("TIDEMARK_CUT_SEED").map_or_else(|_| rand::random(), |text| text.parse().unwrap());
    println!("TIDEMARK_CUT_SEED={seed}");
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let (trades, messages) = two_a_day();
    // Of a window, the shortest: three stream side by side, and none may be through before.
    let of_a_window = |documents: &[Document]| bytes_of(&documents[..documents.len() / 6]);
    let mut cuts = Vec::new();
    for number in 0..16 {
        let (phase, most) = match number % 2 {
            0 => (Phase::Input, of_a_window(&trades)),
            _ => (Phase::Downstream, of_a_window(&messages)),
        };
        // Also at the very first byte.
        let bytes = if number < 2 { 0 } else { dice.random_range(1..most) };
        let name = format!("cut_{number}_{phase:?}_{bytes}");
        cuts.push(tokio::spawn(a_cut_after(bytes, phase, name)));
    }
    for cut in cuts {
        cut.await.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
}

/// Many companies' connection strings have it; the driver refuses it.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_string_may_have_a_socket_timeout() {
    let uri = format!("{}?socketTimeoutMS=30000", server().uri());
    let fixture = Fixture::at(&uri, server().uri(), "socket_timeout", "", year()).await;
    assert_eq!(fixture.fetch("2025-03-01", "2025-03-31").await.rows.input, 15);
}
