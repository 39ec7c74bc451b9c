//! The program is killed at random moments of a fetch (SIGKILL, or what Windows has for it). Whatever the
//! moment: nothing that was committed is lost, no day is held that is not whole, and the next run fetches
//! just the rest.
//!
//! `TIDEMARK_KILLS` sets how many, `TIDEMARK_KILL_SEED` repeats a run.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bson::{Document, doc};
use mongodb::Client;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use support::{Run, cli, read_csv, server};

const KILLS: u32 = 200;
const DATABASE: &str = "kills";
const FROM: &str = "2024-01-01";
const TO: &str = "2024-12-31";
/// A leap year: twelve windows.
const DAYS: i32 = 366;
/// Days that have no trades are covered too.
const QUIET: i32 = 11;
const MAPPING: &str =
    r#"{"version": 1, "input_match": {"kind": "trade"}, "downstream_match": {"kind": "note"}}"#;

/// Trades of a day, each with two notes, of which one was written days later.
fn documents() -> Vec<Document> {
    let trades = (1..=DAYS).filter(|day| day % QUIET != 0).flat_map(|day| (0..7).map(move |n| (day, n)));
    trades
        .flat_map(|(day, n)| {
            let trade = format!("T{day}-{n}");
            let note = |late: i32| {
                doc! {"_id": format!("{trade}-note{late}"), "kind": "note", "trade_id": &trade, "year": 2024,
                "day_of_year": (day + late).min(DAYS), "text": "x".repeat(60)}
            };
            let input = doc! {"_id": &trade, "kind": "trade", "trade_id": &trade, "year": 2024,
            "day_of_year": day, "price": f64::from(day) / 4.0, "quantity": i64::MAX - i64::from(n)};
            [input, note(0), note(3)]
        })
        .collect()
}

/// What a CSV must hold, by day of the trade: each row as text, by `_id`.
type Rows = BTreeMap<String, (i32, Vec<Option<String>>)>;

fn truth(kind: &str) -> Rows {
    let texts = |document: &Document| {
        let mut cells: Vec<(String, Option<String>)> = document
            .iter()
            .map(|(name, value)| {
                let text = match value {
                    bson::Bson::String(text) => text.clone(),
                    bson::Bson::Int32(number) => number.to_string(),
                    bson::Bson::Int64(number) => number.to_string(),
                    bson::Bson::Double(number) if number.fract() == 0.0 => format!("{number:.1}"),
                    other => other.to_string(),
                };
                (name.clone(), Some(text))
            })
            .collect();
        cells.sort();
        cells.into_iter().map(|(_, text)| text).collect::<Vec<_>>()
    };
    let day_of_trade = |document: &Document| {
        let trade = document.get_str("trade_id").unwrap();
        trade[1..].split('-').next().unwrap().parse::<i32>().unwrap()
    };
    documents()
        .iter()
        .filter(|document| document.get_str("kind").is_ok_and(|held| held == kind))
        .map(|document| {
            (document.get_str("_id").unwrap().to_owned(), (day_of_trade(document), texts(document)))
        })
        .collect()
}

/// The rows of a CSV by `_id`, cells in the order of the columns' names.
fn rows_of(path: &Path) -> BTreeMap<String, Vec<Option<String>>> {
    let rows = read_csv(&std::fs::read_to_string(path).unwrap());
    let mut order: Vec<usize> = (0..rows[0].len()).collect();
    order.sort_by_key(|place| rows[0][*place].clone());
    let mut found = BTreeMap::new();
    for row in &rows[1..] {
        let cells = order.iter().map(|place| row[*place].clone()).collect();
        assert!(found.insert(row[0].clone().unwrap(), cells).is_none(), "{:?} stands twice", row[0]);
    }
    found
}

struct Desk {
    folder: tempfile::TempDir,
    mapping: String,
    input: Rows,
    notes: Rows,
}

impl Desk {
    fn cache(&self) -> String {
        self.folder.path().join("cache").to_string_lossy().into_owned()
    }

    fn arguments(&self, more: &[&str]) -> Vec<String> {
        let mut all = vec!["fetch", "--uri", server().uri(), "--db", DATABASE, "--collection", "messages"];
        let cache = self.cache();
        all.extend(["--mapping", &self.mapping, "--cache", &cache, "--from", FROM, "--to", TO]);
        all.extend(more);
        all.into_iter().map(str::to_owned).collect()
    }

    fn run(&self, more: &[&str]) -> Run {
        cli(&self.arguments(more).iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn start(&self) -> Child {
        Command::new(env!("CARGO_BIN_EXE_tidemark-cli"))
            .args(self.arguments(&["--events"]))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// The days that the cache says it holds, after its rows were compared with the truth.
    fn held(&self) -> BTreeSet<i32> {
        let csv = ["input", "notes"].map(|name| self.folder.path().join(format!("{name}.csv")));
        let partial = ["input", "notes"].map(|name| self.folder.path().join(format!("{name}.partial.csv")));
        let run = self.run(&[
            "--offline",
            "--csv",
            &csv[0].to_string_lossy(),
            "--downstream-csv",
            &csv[1].to_string_lossy(),
        ]);
        let files = match (run.code, run.last.pointer("/error/code").and_then(Value::as_str)) {
            (0, _) => csv,
            (3, _) => partial,
            (1, Some("not_cached")) => return BTreeSet::new(),
            _ => panic!("the cache does not open: {run:?}"),
        };
        let missing = days_of(&run.last["days"]["missing"]);
        let held: BTreeSet<i32> = (1..=DAYS).filter(|day| !missing.contains(day)).collect();
        for (file, truth) in files.iter().zip([&self.input, &self.notes]) {
            let expected: BTreeMap<String, Vec<Option<String>>> = truth
                .iter()
                .filter(|(_, (day, _))| held.contains(day))
                .map(|(id, (_, cells))| (id.clone(), cells.clone()))
                .collect();
            assert_eq!(rows_of(file), expected, "the held days are not whole: {held:?}");
            std::fs::remove_file(file).unwrap();
        }
        held
    }
}

fn days_of(list: &Value) -> BTreeSet<i32> {
    list.as_array().unwrap().iter().map(|day| day_of_year(day.as_str().unwrap())).collect()
}

/// Day of 2024.
fn day_of_year(day: &str) -> i32 {
    let part = |range: std::ops::Range<usize>| day.get(range).unwrap().parse::<i32>().unwrap();
    let before: i32 = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        .iter()
        .take(usize::try_from(part(5..7)).unwrap() - 1)
        .sum();
    before + part(8..10)
}

/// Starts a fetch and kills it after a while; the days whose storing it told before, and whether it still ran.
fn fetch_and_kill(desk: &Desk, after: Duration) -> (BTreeSet<i32>, bool) {
    let mut child = desk.start();
    let output = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let lines = BufReader::new(output).lines().map_while(Result::ok);
        // The last line may be cut off in the middle.
        lines.filter_map(|line| serde_json::from_str::<Value>(&line).ok()).collect::<Vec<_>>()
    });
    std::thread::sleep(after);
    let ran = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    let told = reader.join().unwrap();
    let stored = told
        .iter()
        .filter(|event| event["event"] == "chunk_stored")
        .flat_map(|event| {
            let end = |name: &str| day_of_year(event[name].as_str().unwrap());
            end("from")..=end("to")
        })
        .collect();
    (stored, ran)
}

fn number_from(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_moment_loses_nothing_that_was_committed() {
    let messages = Client::with_uri_str(server().uri()).await.unwrap().database(DATABASE);
    messages.drop().await.unwrap();
    let messages = messages.collection::<Document>("messages");
    messages.insert_many(documents()).await.unwrap();
    for keys in [doc! {"year": 1, "day_of_year": 1}, doc! {"trade_id": 1}] {
        messages.create_index(mongodb::IndexModel::builder().keys(keys).build()).await.unwrap();
    }
    let kills = number_from("TIDEMARK_KILLS").map_or(KILLS, |kills| u32::try_from(kills).unwrap());
    let seed = number_from("TIDEMARK_KILL_SEED").unwrap_or_else(rand::random);
    println!("{kills} kills, TIDEMARK_KILL_SEED={seed}");
    tokio::task::spawn_blocking(move || kill_often(kills, seed)).await.unwrap();
}

fn kill_often(kills: u32, seed: u64) {
    let folder = tempfile::tempdir().unwrap();
    let mapping = folder.path().join("mapping.json");
    std::fs::write(&mapping, MAPPING).unwrap();
    let mapping = mapping.to_string_lossy().into_owned();
    let desk = Desk { folder, mapping, input: truth("trade"), notes: truth("note") };
    let begun = Instant::now();
    let whole = desk.run(&[]);
    let lifetime = begun.elapsed();
    assert_eq!((whole.code, whole.count("/days/fetched")), (0, 366), "{whole:?}");
    assert_eq!(desk.held().len(), 366);
    std::fs::remove_dir_all(desk.cache()).unwrap();

    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let (mut done, mut repeats, mut caches) = (0, 0, 1);
    let mut held = BTreeSet::new();
    while done < kills {
        // A fetch of the rest is shorter, and its end, with the closing of the file, is to be hit too.
        let left = f64::from(DAYS - i32::try_from(held.len()).unwrap()) / f64::from(DAYS);
        let after = lifetime.mul_f64((0.1 + 0.9 * left) * dice.random_range(0.0..1.1));
        let (stored, ran) = fetch_and_kill(&desk, after);
        done += u32::from(ran);
        let now = desk.held();
        assert!(now.is_superset(&held), "days that were held before are gone: {:?}", &held - &now);
        assert!(now.is_superset(&stored), "days that were told to be stored are gone: {:?}", &stored - &now);
        held = now;
        if held.len() == 366 || dice.random_bool(0.1) {
            let rest = 366 - held.len() as u64;
            let next = desk.run(&[]);
            assert_eq!((next.code, next.count("/days/fetched")), (0, rest), "{next:?}");
            assert_eq!(next.count("/days/from_cache"), held.len() as u64, "{next:?}");
            assert_eq!(desk.held().len(), 366);
            let set_aside: Vec<_> = next.last["notes"].as_array().into_iter().flatten().collect();
            assert!(set_aside.is_empty(), "a kill damages no file: {set_aside:?}");
            std::fs::remove_dir_all(desk.cache()).unwrap();
            held.clear();
            repeats += 1;
            caches += 1;
        }
    }
    // Not by `println!`, which a test that passes keeps to itself.
    let _ = writeln!(
        std::io::stdout(),
        "kills: {done} of {caches} caches, {repeats} fetches of the rest, {:.1} s",
        begun.elapsed().as_secs_f64()
    );
}
