//! Several things at once on one cache: fetches that overlap, cancels, forgetting and looking meanwhile.
//! `fetch.rs` has the plain cases.

use std::sync::Arc;

use crate::support::fixture::{Fixture, counts, range, stored, year};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tidemark_engine::answer::Answer;
use tidemark_engine::day::DayRange;
use tidemark_engine::failure::{Code, Failure};
use tidemark_engine::plan::ledger::FetchMode;
use tidemark_engine::query::signature::Signature;
use tidemark_engine::rows::Role;
use tidemark_engine::run::FetchRequest;
use tidemark_engine::run::event::EventSink;
use tidemark_test_support::wire::{Fault, Wire};
use tidemark_test_support::{Gate, server, until};
use tokio_util::sync::CancellationToken;

const FROM: &str = "2025-01-01";
const TO: &str = "2025-12-31";

/// The trades of some days, as `year` makes them: one every other day.
fn truth(days: DayRange) -> Vec<i32> {
    let numbers = days.days().map(|day| i32::try_from(day.day_of_year()).unwrap() - 1);
    numbers.filter(|number| number % 2 == 0).collect()
}

fn busy<T: std::fmt::Debug>(outcome: Result<T, Failure>) {
    let failure = outcome.unwrap_err();
    assert_eq!(failure.code, Code::CacheBusy, "{failure:?}");
    assert!(failure.message.contains("being fetched") && failure.next.contains("wait"), "{failure:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_fetches_of_a_year_pull_it_once() {
    let gate = Gate::to(server().port(), 0);
    let fixture = Fixture::at(&gate.uri, server().uri(), "eight", "", year()).await;
    let runs: Vec<_> =
        (0..8).map(|_| fixture.start(fixture.request(FROM, TO), &CancellationToken::new()).1).collect();
    until("pulls have begun", || gate.arrived() > 0).await;
    // Whoever plans now still finds the windows under way.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    gate.open();
    for run in runs {
        let answer = run.await.unwrap().unwrap();
        assert!(answer.complete && answer.rows.input == 183, "{answer:?}");
    }
    assert_eq!(gate.passed(), 12, "a window, a pull");
    assert_eq!(fixture.fetch(FROM, TO).await.mongo_commands, 0);
}

/// Two runs of one source at once: each answers for its own commands. What they pull together is counted for
/// the one that began it.
#[tokio::test(flavor = "multi_thread")]
async fn commands_are_counted_for_the_run_that_sends_them() {
    let gate = Gate::to(server().port(), usize::MAX);
    let fixture = Fixture::at(&gate.uri, server().uri(), "commands", "", year()).await;
    fixture.fetch("2025-01-01", "2025-01-31").await;
    let before = fixture.source.commands();
    gate.close();
    let held_at_the_gate = gate.arrived();
    let pulling = fixture.start(fixture.request("2025-02-01", "2025-03-31"), &CancellationToken::new()).1;
    until("both pulls have begun", || gate.arrived() == held_at_the_gate + 2).await;
    // All from the cache, while the other one pulls.
    let cached = fixture.start(fixture.request("2025-01-01", "2025-01-31"), &CancellationToken::new()).1;
    let cached = cached.await.unwrap().unwrap();
    assert_eq!((counts(&cached), cached.mongo_commands), ((31, 0, 0, 0), 0), "{cached:?}");
    // Waits for a pull of the other.
    let (events, joined) =
        fixture.start(fixture.request("2025-02-01", "2025-02-28"), &CancellationToken::new());
    // It is planned, and tells how the pull comes along.
    until("it waits for the pull", || events.lock().unwrap().len() >= 2).await;
    gate.open();
    let (pulling, joined) = (pulling.await.unwrap().unwrap(), joined.await.unwrap().unwrap());
    assert_eq!((counts(&pulling), counts(&joined)), ((0, 0, 59, 0), (0, 0, 28, 0)));
    assert_eq!(joined.mongo_commands, 1, "what the source is: {joined:?}");
    // Two pulls of input and two of messages; what the source is, before and after each pull; since this server
    // has no snapshots, a count after each pull and three parts of one after both; and the question for dates of another
    // type.
    assert_eq!(pulling.mongo_commands, 4 + 1 + 2 + 2 + 3 + 1, "{pulling:?}");
    // The other one asks what the source is for itself.
    assert_eq!(fixture.source.commands() - before, pulling.mongo_commands + joined.mongo_commands);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_leaves_the_other_fetch_whole() {
    let gate = Gate::to(server().port(), 0);
    let fixture = Fixture::at(&gate.uri, server().uri(), "one_of_two", "", year()).await;
    let cancel = CancellationToken::new();
    let (_, one) = fixture.start(fixture.request("2025-01-01", "2025-05-31"), &cancel);
    until("the first has begun", || gate.arrived() == 3).await;
    let (_, other) = fixture.start(fixture.request("2025-03-01", "2025-07-31"), &CancellationToken::new());
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    cancel.cancel();
    let given_up = one.await.unwrap();
    assert_eq!(given_up.unwrap_err().code, Code::Cancelled, "nothing was stored yet");
    gate.open();
    let answer = other.await.unwrap().unwrap();
    assert_eq!((counts(&answer), answer.failure.as_ref()), ((0, 0, 153, 0), None), "{answer:?}");
    let days = range("2025-03-01", "2025-07-31");
    assert_eq!(fixture.ids(&fixture.query(&[]), days, Role::Input).await, truth(days));
    // What only the cancelled one wanted was not pulled any more, but for a window that reached into March.
    let rest = fixture.fetch("2025-01-01", "2025-05-31").await;
    let (kept, _, fetched, _) = counts(&rest);
    assert!(fetched >= 28 && kept >= 92, "{rest:?}");
    assert_eq!(rest.rows.input, 76);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_told_to_everybody_who_waits() {
    let gate = Gate::to(server().port(), 0);
    let wire = Wire::to(gate.port());
    let fixture = Fixture::at(&wire.uri, server().uri(), "both_fail", "", year()).await;
    let start = || fixture.start(fixture.request("2025-03-01", "2025-03-20"), &CancellationToken::new()).1;
    let one = start();
    until("the pull has begun", || gate.arrived() == 1).await;
    let other = start();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    wire.fault_after(300, Fault::Cut);
    gate.open();
    for run in [one, other] {
        let failure = run.await.unwrap().unwrap_err();
        assert_eq!(failure.code, Code::SourceUnreachable, "{failure:?}");
    }
    wire.heal();
    assert_eq!(counts(&fixture.fetch("2025-03-01", "2025-03-20").await), (0, 0, 20, 0));
}

/// Days that one run fetches from the server, and another would copy from a broader query: what was fetched
/// stays, and where the server fails, the copy is had all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_waits_for_what_the_server_brings() {
    const DAYS: (&str, &str) = ("2025-03-01", "2025-03-10");
    let gate = Gate::to(server().port(), usize::MAX);
    let wire = Wire::to(gate.port());
    let fixture = Fixture::at(&wire.uri, server().uri(), "copy", "", year()).await;
    assert!(fixture.fetch(DAYS.0, DAYS.1).await.complete);
    let query = fixture.query(&["Gas"]);
    let online =
        FetchRequest { query: query.clone(), mode: FetchMode::Refresh, ..fixture.request(DAYS.0, DAYS.1) };
    let offline = FetchRequest { mode: FetchMode::Normal, offline: true, ..online.clone() };
    for fails in [false, true] {
        gate.close();
        let begun = gate.arrived();
        let (_, pulling) = fixture.start(online.clone(), &CancellationToken::new());
        until("the pull has begun", || gate.arrived() > begun).await;
        let cancel = CancellationToken::new();
        let [given_up, copying] =
            [&cancel, &CancellationToken::new()].map(|cancel| fixture.start(offline.clone(), cancel).1);
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        cancel.cancel();
        assert_eq!(given_up.await.unwrap().unwrap_err().code, Code::Cancelled, "it waits for nobody");
        if fails {
            wire.fault_after(0, Fault::Cut);
        }
        gate.open();
        let (pulled, copied) = (pulling.await.unwrap(), copying.await.unwrap().unwrap());
        assert!(copied.complete, "{copied:?}");
        if fails {
            assert_eq!(counts(&copied), (0, 10, 0, 0));
        } else {
            assert_eq!((counts(&copied), counts(&pulled.unwrap())), ((10, 0, 0, 0), (0, 0, 10, 0)));
        }
        wire.heal();
        fixture.engine.forget(&Signature::of(&query), None).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_being_fetched_cannot_be_forgotten() {
    let gate = Gate::to(server().port(), 1);
    let fixture = Fixture::at(&gate.uri, server().uri(), "forget", "", year()).await;
    let (events, run) = fixture.start(fixture.request("2025-01-01", "2025-05-31"), &CancellationToken::new());
    until("a window is stored", || stored(&events.lock().unwrap()) == 1).await;
    let signature = fixture.signature();
    busy(fixture.engine.forget(&signature, None).await);
    busy(fixture.engine.forget(&signature, Some(range("2025-01-01", "2025-05-31"))).await);
    gate.open();
    let answer = run.await.unwrap().unwrap();
    assert_eq!((counts(&answer), answer.rows.input), ((0, 0, 151, 0), 76));
    fixture.engine.forget(&signature, Some(range("2025-02-01", "2025-02-10"))).await.unwrap();
    assert_eq!(counts(&fixture.fetch("2025-01-01", "2025-05-31").await), (141, 0, 10, 0));
    fixture.engine.forget(&signature, None).await.unwrap();
    assert!(fixture.engine.cache().files().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_query_can_be_forgotten_meanwhile() {
    let gate = Gate::to(server().port(), usize::MAX);
    let fixture = Fixture::at(&gate.uri, server().uri(), "forget_other", "", year()).await;
    let gas = FetchRequest { query: fixture.query(&["Gas"]), ..fixture.request("2025-03-01", "2025-03-31") };
    assert!(fixture.run(gas).await.answer().complete);
    gate.close();
    let begun = gate.arrived();
    let (_, run) = fixture.start(fixture.request("2025-03-01", "2025-03-31"), &CancellationToken::new());
    until("the pull has begun", || gate.arrived() > begun).await;
    fixture.engine.forget(&Signature::of(&fixture.query(&["Gas"])), None).await.unwrap();
    gate.open();
    assert_eq!(counts(&run.await.unwrap().unwrap()), (0, 0, 31, 0));
    assert_eq!(fixture.engine.cache().files().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_can_be_looked_at_meanwhile() {
    let gate = Gate::to(server().port(), usize::MAX);
    let fixture = Fixture::at(&gate.uri, server().uri(), "look", "", year()).await;
    let held = range("2025-01-01", "2025-02-28");
    let before = fixture.fetch("2025-01-01", "2025-02-28").await;
    gate.close();
    let begun = gate.arrived();
    let (_, run) = fixture.start(fixture.request("2025-01-01", "2025-05-31"), &CancellationToken::new());
    until("the pull has begun", || gate.arrived() > begun).await;
    assert_eq!(fixture.ids(&fixture.query(&[]), held, Role::Input).await, truth(held));
    let offline = FetchRequest { offline: true, ..fixture.request("2025-01-01", "2025-05-31") };
    let partial = fixture.run(offline).await;
    assert_eq!((counts(partial.answer()), partial.answer().rows), ((59, 0, 0, 92), before.rows));
    assert_eq!(
        fixture.fetch("2025-01-10", "2025-02-10").await.mongo_commands,
        0,
        "held days wait for nothing"
    );
    gate.open();
    assert_eq!(counts(&run.await.unwrap().unwrap()), (59, 0, 92, 0));
}

/// A crowd: fetches of any days and modes, cancels and forgetting, all at once. Every answer adds up, a
/// complete one has the source's rows, and in the end the cache answers as the source does.
#[tokio::test(flavor = "multi_thread")]
async fn a_crowd() {
    let fixture = Arc::new(Fixture::new("crowd").await);
    let seed: u64 =
        std::env::var("TIDEMARK_CROWD_SEED").map_or_else(|_| rand::random(), |text| text.parse().unwrap());
    println!("TIDEMARK_CROWD_SEED={seed}");
    for round in 0..4_u64 {
        let members: Vec<_> = (0..8_u64)
            .map(|member| {
                let dice = ChaCha8Rng::seed_from_u64(seed ^ (round << 8 | member));
                tokio::spawn(member_of_a_crowd(Arc::clone(&fixture), dice))
            })
            .collect();
        for member in members {
            member.await.unwrap_or_else(|error| panic!("seed {seed}, round {round}: {error}"));
        }
        let whole = fixture.fetch(FROM, TO).await;
        assert_eq!(whole.rows.input, 183, "seed {seed}, round {round}: {whole:?}");
        let days = range(FROM, TO);
        assert!(
            fixture.ids(&fixture.query(&[]), days, Role::Input).await == truth(days),
            "seed {seed}, round {round}"
        );
    }
}

async fn member_of_a_crowd(fixture: Arc<Fixture>, mut dice: ChaCha8Rng) {
    for _ in 0..6 {
        let first = range(FROM, TO).from().plus(dice.random_range(0..330));
        let days = DayRange::new(first, first.plus(dice.random_range(0..35))).unwrap();
        if dice.random_ratio(1, 5) {
            let all = dice.random_ratio(1, 3);
            match fixture.engine.forget(&fixture.signature(), (!all).then_some(days)).await {
                Ok(()) => {}
                Err(failure) => {
                    assert!(matches!(failure.code, Code::CacheBusy | Code::NotCached), "{failure:?}");
                }
            }
            continue;
        }
        let mode = if dice.random_ratio(1, 3) { FetchMode::Refresh } else { FetchMode::Normal };
        let offline = mode == FetchMode::Normal && dice.random_ratio(1, 5);
        let request = FetchRequest { query: fixture.query(&[]), range: days, mode, offline };
        let cancel = CancellationToken::new();
        let cancelled = dice.random_ratio(1, 4);
        let (engine, source, token) = (fixture.engine.clone(), fixture.source.clone(), cancel.clone());
        let events: EventSink = Arc::new(|_| {});
        let run = tokio::spawn(async move { engine.fetch(Some(&source), &request, events, token).await });
        if cancelled {
            tokio::time::sleep(std::time::Duration::from_millis(dice.random_range(0..60))).await;
            cancel.cancel();
        }
        match run.await.unwrap() {
            Ok(answer) => adds_up(&answer, days),
            Err(failure) => {
                let fits = match failure.code {
                    Code::Cancelled => cancelled,
                    // Forgotten by another, perhaps just now.
                    Code::NotCached => true,
                    _ => false,
                };
                assert!(fits, "offline {offline}, cancelled {cancelled}: {failure:?}");
            }
        }
    }
}

fn adds_up(answer: &Answer, days: DayRange) {
    counts(answer);
    assert_eq!(answer.complete, answer.days.missing.is_empty(), "{answer:?}");
    let held = days.days().filter(|day| !answer.days.missing.contains(day));
    let trades = held.filter(|day| day.day_of_year() % 2 == 1).count();
    assert_eq!(answer.rows.input, trades as u64, "{days}: {answer:?}");
}
