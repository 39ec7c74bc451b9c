//! The program is killed at random moments (SIGKILL, or what Windows has for it): of a first fetch, of a refresh,
//! of an adoption, of the migration of an older file. Whatever the moment: nothing that was committed is lost,
//! no day is held that is not whole, and the next run fetches just the rest. One exception is DuckDB's: see
//! [`Fixture::held`].
//!
//! `TIDEMARK_KILLS` sets how many of each, `TIDEMARK_KILL_SEED` repeats a run.

mod fixture;
use std::collections::BTreeSet;

use crate::support::fixture::cache_files;
use crate::support::{Run, cli, old_file, server};
use bson::{Document, doc};
use fixture::{Fixture, Kills, Rows, timed, truth};
use mongodb::Client;
use rand::Rng as _;
use serde_json::Value;
use tidemark_engine::day::{Day, DayRange};

const YEAR: i32 = 2024;
/// A leap year: twelve windows.
const DAYS: u32 = 366;
/// What is refreshed and adopted: four windows.
const SOME: u32 = 121;
/// Days that have no trades are covered too.
const QUIET: u32 = 11;
const MAPPING: &str =
    r#"{"version": 1, "input_match": {"kind": "trade"}, "downstream_match": {"kind": "note"}}"#;

/// Trades of a day, each with two notes, of which one was written days later. After a change some trades are
/// gone, one is new, and all others and their notes are different.
fn documents(days: u32, changed: bool) -> Vec<Document> {
    let numbers = if changed { vec![0, 1, 2, 3, 4, 7] } else { (0..7).collect() };
    let busy = (1..=days).filter(|day| day % QUIET != 0);
    let trades = busy.flat_map(|day| numbers.iter().map(move |n| (i32::try_from(day).unwrap(), *n)));
    let filler = if changed { "y" } else { "x" };
    trades
        .flat_map(|(day, n)| {
            let trade = format!("T{day}-{n}");
            let note = |late: i32| {
                doc! {"_id": format!("{trade}-note{late}"), "kind": "note", "trade_id": &trade, "year": YEAR,
                "day_of_year": (day + late).min(366), "text": filler.repeat(60)}
            };
            let price = f64::from(day + i32::from(changed)) / 4.0;
            let input = doc! {"_id": &trade, "kind": "trade", "trade_id": &trade, "year": YEAR,
            "day_of_year": day, "product": if n % 2 == 0 { "Power" } else { "Gas" }, "price": price,
            "quantity": i64::MAX - i64::from(n)};
            [input, note(0), note(3)]
        })
        .collect()
}

/// The day of the trade that an `_id` names.
fn day_of(id: &str) -> Day {
    let day = id.strip_prefix('T').and_then(|rest| rest.split('-').next()).unwrap();
    Day::from_year_day(YEAR, day.parse().unwrap()).unwrap()
}

/// What the CSVs hold of the trades that `wanted` names by their number, and of their notes.
fn truth_of(documents: &[Document], wanted: impl Fn(u32) -> bool) -> Rows {
    let number = |document: &Document| {
        let trade = document.get_str("trade_id").unwrap();
        trade.rsplit('-').next().unwrap().parse::<u32>().unwrap()
    };
    let role = |document: &Document| usize::from(document.get_str("kind").unwrap() == "note");
    let asked = documents.iter().filter(|document| wanted(number(document)));
    truth(asked.map(|document| (role(document), document)), day_of)
}

async fn load(database: &str, documents: &[Document]) {
    let trades = Client::with_uri_str(server().uri()).await.unwrap().database(database);
    let trades = trades.collection::<Document>("trades");
    // A collection that was made again would be a different source.
    trades.delete_many(doc! {}).await.unwrap();
    for some in documents.chunks(4_000) {
        trades.insert_many(some).await.unwrap();
    }
    for keys in [doc! {"year": 1, "day_of_year": 1}, doc! {"trade_id": 1}] {
        trades.create_index(mongodb::IndexModel::builder().keys(keys).build()).await.unwrap();
    }
}

/// A fixture with the first days of the year.
fn fixture_of(database: &'static str, days: u32) -> Fixture {
    let [first, last] = [1, days].map(|day| Day::from_year_day(YEAR, day).unwrap());
    Fixture::new(database, MAPPING, DayRange::new(first, last).unwrap(), day_of)
}

/// A complete answer that took so many days from the cache, adopted so many and fetched so many; a kill
/// damages no file.
fn complete(run: &Run, from_cache: usize, adopted: usize, fetched: usize) {
    let days = ["/days/from_cache", "/days/adopted", "/days/fetched"].map(|count| run.count(count));
    let wanted = [from_cache, adopted, fetched].map(|days| days as u64);
    assert_eq!((run.code, days), (0, wanted), "{run:?}");
    let notes: Vec<_> = run.last["notes"].as_array().into_iter().flatten().map(Value::to_string).collect();
    assert!(!notes.iter().any(|note| note.contains("moved aside")), "{notes:?}");
}

/// Those of `before` that are not in `after`.
fn lost(before: &BTreeSet<Day>, after: &BTreeSet<Day>) -> BTreeSet<Day> {
    before.difference(after).copied().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_of_a_first_fetch() {
    let documents = documents(DAYS, false);
    load("kills", &documents).await;
    tokio::task::block_in_place(|| first_fetches(&truth_of(&documents, |_| true)));
}

fn first_fetches(truth: &Rows) {
    let fixture = fixture_of("kills", DAYS);
    let all = fixture.days();
    let mut kills = Kills::new("first fetches", 200);
    let (whole, lifetime) = timed(|| fixture.run(&[]));
    complete(&whole, 0, 0, 366);
    assert_eq!(fixture.held_is_true(&[], truth).as_ref(), Some(&all));
    fixture.clear();

    let (mut repeats, mut held) = (0, BTreeSet::new());
    while kills.go_on() {
        // A fetch of the rest is shorter, and its end, with the closing of the file, is to be hit too.
        let left = 1.0 - f64::from(u32::try_from(held.len()).unwrap()) / f64::from(DAYS);
        let killed = fixture.kill(&[], kills.moment(lifetime.mul_f64(0.1 + 0.9 * left)));
        kills.count(&killed);
        let Some(now) = fixture.held_is_true(&[], truth) else {
            kills.count_torn();
            fixture.replaces_the_torn_file(&[], truth);
            fixture.clear();
            held.clear();
            continue;
        };
        assert_eq!(lost(&held, &now), BTreeSet::new(), "days that were held before are gone");
        assert_eq!(lost(&killed.stored, &now), BTreeSet::new(), "days that were told to be stored are gone");
        held = now;
        if held.len() == 366 || kills.dice.random_bool(0.1) {
            complete(&fixture.run(&[]), held.len(), 0, 366 - held.len());
            assert_eq!(fixture.held_is_true(&[], truth).as_ref(), Some(&all));
            fixture.clear();
            held.clear();
            repeats += 1;
        }
    }
    kills.sum_up(&format!("{repeats} fetches of the rest"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_of_a_refresh() {
    let (before, after) = (documents(SOME, false), documents(SOME, true));
    load("kills_refresh", &before).await;
    let fixture = fixture_of("kills_refresh", SOME);
    tokio::task::block_in_place(|| complete(&fixture.run(&[]), 0, 0, 121));
    load("kills_refresh", &after).await;
    let [before, after] = [before, after].map(|documents| truth_of(&documents, |_| true));
    tokio::task::block_in_place(|| refreshes(&fixture, &before, &after));
}

fn refreshes(fixture: &Fixture, before: &Rows, after: &Rows) {
    let all = fixture.days();
    fixture.keep();
    let mut kills = Kills::new("refreshes", 15);
    let (whole, lifetime) = timed(|| fixture.run(&["--refresh"]));
    complete(&whole, 0, 0, all.len());
    assert_eq!(fixture.held_is_true(&[], after).as_ref(), Some(&all));
    fixture.restore();

    let (mut repeats, mut partly, mut fresh) = (0, 0, BTreeSet::new());
    while kills.go_on() {
        let moment = kills.moment(lifetime);
        let killed = fixture.kill(&["--refresh"], moment);
        kills.count(&killed);
        let Some((held, rows)) = fixture.held(&[]) else {
            kills.count_torn();
            fixture.replaces_the_torn_file(&[], after);
            fixture.restore();
            fresh.clear();
            continue;
        };
        assert_eq!(held, all, "a refresh loses no day");
        let now: BTreeSet<Day> = held.into_iter().filter(|day| rows.get(day) == after.get(day)).collect();
        for day in lost(&all, &now) {
            assert!(rows.get(&day) == before.get(&day), "{day} is of neither time: {:?}", rows.get(&day));
        }
        assert_eq!(lost(&fresh, &now), BTreeSet::new(), "days that were fresh are old again");
        assert_eq!(lost(&killed.stored, &now), BTreeSet::new(), "days that were told to be stored are old");
        fresh = now;
        // Days without trades look fresh from the beginning.
        partly += u32::from(!killed.stored.is_empty() && fresh != all);
        if fresh != all && kills.dice.random_bool(0.3) {
            // The check finds just those that the killed refreshes had not come to.
            complete(&fixture.run(&["--verify"]), fresh.len(), 0, all.len() - fresh.len());
            assert_eq!(fixture.held_is_true(&[], after).as_ref(), Some(&all));
            repeats += 1;
            fresh.clone_from(&all);
        }
        if fresh == all {
            fixture.restore();
            fresh.clear();
        }
    }
    kills.sum_up(&format!("{partly} in the middle, {repeats} checks that fetched the rest"));
}

/// Days that the broader query does not hold, so that an adoption has several runs of days, and a rest.
const GAPS: [(u32, u32); 4] = [(20, 22), (50, 50), (70, 75), (100, 110)];

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_of_an_adoption() {
    let documents = documents(SOME, false);
    load("kills_adopt", &documents).await;
    let all = truth_of(&documents, |_| true);
    let power = truth_of(&documents, |number| number % 2 == 0);
    tokio::task::block_in_place(|| adoptions(&all, &power));
}

fn adoptions(broad: &Rows, power: &Rows) {
    let fixture = fixture_of("kills_adopt", SOME);
    let signature = fixture.run(&[]).text("/signature").to_owned();
    let all = fixture.days();
    let (mut adoptable, cache) = (all.clone(), fixture.cache().to_string_lossy().into_owned());
    for (from, to) in GAPS {
        let [from, to] = [from, to].map(|day| Day::from_year_day(YEAR, day).unwrap());
        let range = ["--from", &from.to_string(), "--to", &to.to_string(), "--cache", &cache];
        assert_eq!(cli(&[&["forget", &signature][..], &range].concat()).code, 0);
        adoptable.retain(|day| !(from..=to).contains(day));
    }
    fixture.keep();
    let narrow = ["--filter", "product=Power"];
    let mut kills = Kills::new("adoptions", 15);
    let (whole, lifetime) = timed(|| fixture.run(&narrow));
    complete(&whole, 0, adoptable.len(), all.len() - adoptable.len());
    assert_eq!(fixture.held_is_true(&narrow, power).as_ref(), Some(&all));
    fixture.restore();

    let (mut repeats, mut partly, mut held) = (0, 0, BTreeSet::new());
    while kills.go_on() {
        let moment = kills.moment(lifetime);
        let killed = fixture.kill(&narrow, moment);
        kills.count(&killed);
        let Some(now) = fixture.held_is_true(&narrow, power) else {
            kills.count_torn();
            fixture.replaces_the_torn_file(&narrow, power);
            fixture.restore();
            held.clear();
            continue;
        };
        assert_eq!(lost(&held, &now), BTreeSet::new(), "days that were held before are gone");
        assert_eq!(lost(&killed.stored, &now), BTreeSet::new(), "days that were told to be stored are gone");
        held = now;
        partly += u32::from(!held.is_empty() && held != all);
        if held != all && kills.dice.random_bool(0.3) {
            let adopted = lost(&adoptable, &held).len();
            complete(&fixture.run(&narrow), held.len(), adopted, all.len() - held.len() - adopted);
            assert_eq!(fixture.held_is_true(&narrow, power).as_ref(), Some(&all));
            assert_eq!(
                fixture.held_is_true(&[], broad).as_ref(),
                Some(&adoptable),
                "the broader query is as it was"
            );
            repeats += 1;
            held.clone_from(&all);
        }
        if held == all {
            fixture.restore();
            held.clear();
        }
    }
    kills.sum_up(&format!("{partly} in the middle, {repeats} runs that adopted and fetched the rest"));
}

/// The day after the last that the old file holds.
const NEXT: u32 = 64;

/// Two trades a day from the 60th day on: trade n has the message Mn.
fn day_in_old_file(id: &str) -> Day {
    let number: u32 = id.trim_start_matches('M').parse().unwrap();
    Day::from_year_day(2025, 60 + number / 2).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_of_a_migration() {
    let range = DayRange::parse("2025-03-01", "2025-04-30").unwrap();
    let fixture = Fixture::new("kills_format", old_file::MAPPING, range, day_in_old_file);
    let [mut trades, mut messages] =
        tokio::task::block_in_place(|| old_file::documents(&old_file::put(&fixture.cache(), "kills_format")));
    assert_eq!((trades.len(), messages.len()), (6, 6));
    for number in 8..68 {
        let mut trade = trades[0].clone();
        trade.extend(doc! {"_id": number, "day_of_year": 60 + number / 2, "trade_id": format!("T{number}")});
        trades.push(trade);
        let mut message = messages[0].clone();
        message.extend(doc! {"_id": format!("M{number}"), "trade_id": format!("T{number}")});
        messages.push(message);
    }
    load("kills_format", &[&trades[..], &messages].concat()).await;
    let both = trades.iter().map(|trade| (0, trade)).chain(messages.iter().map(|message| (1, message)));
    let truth = truth(both, day_in_old_file);
    tokio::task::block_in_place(|| migrations(&fixture, &truth));
}

fn migrations(fixture: &Fixture, truth: &Rows) {
    let all = fixture.days();
    let old: BTreeSet<Day> = all.iter().copied().filter(|day| day.day_of_year() < NEXT).collect();
    fixture.keep();
    let mut kills = Kills::new("migrations", 20);
    let (whole, lifetime) = timed(|| fixture.run(&[]));
    complete(&whole, old.len(), 0, all.len() - old.len());
    assert_eq!(fixture.held_is_true(&[], truth).as_ref(), Some(&all));

    let mut before = 0;
    while kills.go_on() {
        fixture.restore();
        // The file is opened, and migrated, at the very beginning.
        let within = if kills.dice.random_bool(0.7) { lifetime / 4 } else { lifetime };
        let moment = kills.moment(within);
        let killed = fixture.kill(&[], moment);
        kills.count(&killed);
        before += u32::from(old_file::format_of(&cache_files(&fixture.cache())[0]) == "1");
        let Some(held) = fixture.held_is_true(&[], truth) else {
            kills.count_torn();
            fixture.replaces_the_torn_file(&[], truth);
            continue;
        };
        assert_eq!(lost(&old, &held), BTreeSet::new(), "days of the old file are gone");
        assert_eq!(lost(&killed.stored, &held), BTreeSet::new(), "days that were told to be stored are gone");
        complete(&fixture.run(&[]), held.len(), 0, all.len() - held.len());
        assert_eq!(fixture.held_is_true(&[], truth).as_ref(), Some(&all));
    }
    kills.sum_up(&format!("{before} before the file was migrated"));
}
