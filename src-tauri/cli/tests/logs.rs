//! The log: a report is followed from the request to the commits, and standard output stays as it is.

use std::path::Path;

use bson::{Document, doc};
use mongodb::Client;
use serde_json::Value;
use tidemark_test_server::TestServer;

use crate::support::{Run, cli_with, server};

async fn load(database: &str) {
    let trades: Vec<Document> = (0..30)
        .map(|number| {
            let day = 60 + number / 3;
            let product = if number % 2 == 0 { "PLANTED Brent" } else { "WTI" };
            doc! {"_id": number, "year": 2025, "day_of_year": day, "trade_id": number, "product": product}
        })
        .collect();
    let database = Client::with_uri_str(server().uri()).await.unwrap().database(database);
    database.drop().await.unwrap();
    database.collection::<Document>("trades").insert_many(trades).await.unwrap();
}

/// A fetch of three days into a new cache.
fn fetch(database: &str, folder: &Path, more: &[&str], environment: &[(&str, &str)]) -> Run {
    let cache = tempfile::tempdir_in(folder).unwrap();
    let cache = cache.path().to_string_lossy();
    let logs = folder.join("logs").to_string_lossy().into_owned();
    let mut arguments = vec!["fetch", "--uri", server().uri(), "--db", database, "--collection", "trades"];
    arguments.extend(["--cache", &*cache, "--from", "2025-03-01", "--to", "2025-03-03"]);
    arguments.extend(["--filter", "product=PLANTED Brent"]);
    arguments.extend(more);
    cli_with(&arguments, &[&[("TIDEMARK_LOG_DIR", &*logs)], environment].concat())
}

/// The records in a folder of log files.
fn records(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder.join("logs")).unwrap().map(|entry| entry.unwrap().path());
    let texts = files.map(|file| std::fs::read_to_string(file).unwrap());
    texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// The id of the run in a record.
fn run_of(record: &str) -> &str {
    let (_, rest) = record.split_once("{run=").unwrap_or_else(|| panic!("no run: {record}"));
    rest.split(' ').next().unwrap()
}

#[tokio::test]
async fn a_run_is_followed_from_the_request_to_the_commit() {
    load("desk_log").await;
    let folder = tempfile::tempdir().unwrap();
    let run = fetch("desk_log", folder.path(), &["--log"], &[]);
    assert_eq!((run.code, run.count("/rows/input")), (0, 5), "{run:?}");
    let records = records(folder.path());
    let timeless = |record: &str| record.split_once(' ').unwrap().1.to_owned();
    let shown: Vec<String> = run.stderr.lines().map(timeless).collect();
    let written: Vec<String> = records.iter().map(|record| timeless(record)).collect();
    assert_eq!(shown, written, "both say the same");
    let requested = records.iter().find(|record| record.contains("fetch requested")).unwrap();
    let id = run_of(requested);
    let span = format!("fetch{{run={id} signature={}}}", run.text("/signature"));
    let steps = [
        "fetch requested from=2025-03-01 to=2025-03-03",
        "the source answers",
        "planned cached=0 adopt=0 fetch=3",
        "window pulled attempt=1 input_rows=5",
        "committed segment=1 input_rows=5",
        "answered complete=true input_rows=5",
    ];
    for step in steps {
        let found: Vec<_> = records.iter().filter(|record| record.contains(step)).collect();
        assert!(found.len() == 1 && found[0].contains(&span), "{step}: {records:#?}");
    }
    let source = "desk_log.trades at 127.0.0.1";
    assert!(requested.contains(source), "{requested}");
    assert!(records.iter().all(|record| !record.contains("PLANTED")), "no filter value: {records:#?}");
    let other = fetch("desk_log", folder.path(), &["--log"], &[]);
    let again = other.stderr.lines().find(|record| record.contains("fetch requested")).unwrap();
    assert_ne!(run_of(again), id, "the same query is another run");
}

/// Nothing is missing in an answer whose check could not be made, and nothing is deleted by a command that fails.
#[tokio::test]
async fn the_log_says_what_happened_and_no_more() {
    let server = TestServer::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let [cache, logs] = ["cache", "logs"].map(|name| folder.path().join(name).to_string_lossy().into_owned());
    let fetch = |more: &[&str]| {
        let mut arguments = vec!["fetch", "--uri", server.uri(), "--db", "desk", "--collection", "trades"];
        arguments.extend(["--cache", &*cache, "--from", "2025-03-01", "--to", "2025-03-03"]);
        arguments.extend(more);
        cli_with(&arguments, &[("TIDEMARK_LOG_DIR", &*logs)])
    };
    let trade = doc! {"_id": 1, "year": 2025, "day_of_year": 60, "trade_id": 1};
    let client = Client::with_uri_str(server.uri()).await.unwrap();
    client.database("desk").collection::<Document>("trades").insert_one(trade).await.unwrap();
    let signature = fetch(&[]).text("/signature").to_owned();
    server.shut_down().unwrap();
    let run = fetch(&["--verify"]);
    let missing = run.last["days"]["missing"].as_array().unwrap().len();
    assert_eq!((missing, run.text("/failure/code")), (0, "source_unreachable"), "{run:?}");
    let says = |words: &str| records(folder.path()).iter().any(|record| record.contains(words));
    assert!(says("cached days were not brought up to date") && !says("lacks days"));

    let forget = |signature: &str| {
        cli_with(&["forget", signature, "--cache", &cache], &[("TIDEMARK_LOG_DIR", &*logs)]).code
    };
    assert_eq!(forget(&"0".repeat(32)), 1);
    assert!(!says("days were deleted"));
    assert_eq!(forget(&signature), 0);
    assert!(says("days were deleted"));
}

#[tokio::test]
async fn a_log_leaves_standard_output_as_it_is() {
    load("desk_log_output").await;
    let folder = tempfile::tempdir().unwrap();
    let stable = |run: &Run| {
        let mut lines: Vec<Value> =
            run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        for line in &mut lines {
            let object = line.as_object_mut().unwrap();
            object.retain(|key, _| key != "elapsed_ms" && key != "oldest_fetch");
        }
        lines
    };
    let [quiet, loud] = [&[][..], &["--log"]].map(|more| fetch("desk_log_output", folder.path(), more, &[]));
    assert_eq!((quiet.code, quiet.stderr.as_str()), (0, ""), "{quiet:?}");
    assert_eq!(stable(&quiet), stable(&loud));
    let requests = records(folder.path()).iter().filter(|record| record.contains("fetch requested")).count();
    assert_eq!(requests, 2, "without --log there is a log as well");
}

#[tokio::test]
async fn a_level_is_kept_to_or_said_to_be_wrong() {
    load("desk_log_level").await;
    let folder = tempfile::tempdir().unwrap();
    let fetch = |level| fetch("desk_log_level", folder.path(), &["--log"], &[("TIDEMARK_LOG", level)]);
    for quiet in ["warn", "off"] {
        let run = fetch(quiet);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{quiet}: {run:?}");
    }
    let run = fetch("verbose");
    assert!(run.stderr.starts_with("TIDEMARK_LOG is to be") && run.stderr.contains("answered"), "{run:?}");
    assert!(fetch("debug").stderr.contains("DEBUG"));
}

/// The folder cannot be made, because there is a file of that name.
#[tokio::test]
async fn a_program_works_without_its_log() {
    load("desk_log_none").await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("logs"), "").unwrap();
    let run = fetch("desk_log_none", folder.path(), &[], &[]);
    assert_eq!((run.code, run.stderr.matches("The log cannot be written").count()), (0, 1), "{run:?}");
    assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
}
