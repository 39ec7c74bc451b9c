//! `sql`: a trader's own SQL on a cached query.
#![allow(clippy::unwrap_used)]

use std::io::Write as _;
use std::process::Stdio;

use serde_json::Value;

use crate::support::fixture::Fixture;
use crate::support::{Run, cli, cli_with, program};

/// A cached query of three days, and a way to run SQL on it.
struct Cached {
    fixture: Fixture,
    signature: String,
}

impl Cached {
    async fn new(name: &str) -> Self {
        let fixture = Fixture::new(name, 3, 4, 10).await;
        let run = fixture.fetch(&fixture.path("cache"), &[]);
        assert_eq!(run.code, 0, "{run:?}");
        let signature = run.text("/signature").to_owned();
        Self { fixture, signature }
    }

    fn sql(&self, text: &str, more: &[&str]) -> Run {
        let (cache, to) = (self.fixture.path("cache"), self.fixture.to());
        let days = ["--from", "2025-01-01", "--to", &to, "--cache", &cache.to_string_lossy()];
        cli(&[&["sql", &self.signature, text], &days[..], more].concat())
    }
}

/// The JSON line, which goes to standard error if the rows go to standard output.
fn line(run: &Run) -> Value {
    run.stderr.lines().rev().find_map(|line| serde_json::from_str(line).ok()).unwrap_or_default()
}

#[tokio::test]
async fn a_result_goes_to_standard_output_or_to_a_file() {
    let cached = Cached::new("sql").await;
    let text = "SELECT product, count(*) AS trades, sum(quantity) AS quantity FROM trades GROUP BY product ORDER BY 1";
    let rows = "product,trades,quantity\nGas,6,12\nPower,6,6\n";

    let run = cached.sql(text, &[]);
    assert_eq!((run.code, run.stdout.replace("\r\n", "\n").as_str()), (0, rows), "{run:?}");
    let last = line(&run);
    assert_eq!(last["rows"], 2, "{run:?}");
    assert_eq!(last["columns"][2]["name"], "quantity", "{run:?}");
    assert!(last["elapsed_ms"].is_u64() && last["complete"] == true, "{run:?}");

    for (name, first) in
        [("r.csv", "product,trades"), ("r.jsonl", "{\"product\":\"Gas\""), ("r.parquet", "PAR1")]
    {
        let path = cached.fixture.path(name);
        let run = cached.sql(text, &["--out", &path.to_string_lossy(), "--manifest"]);
        assert_eq!((run.code, run.count("/rows")), (0, 2), "{run:?}");
        let bytes = std::fs::read(&path).unwrap();
        assert!(bytes.starts_with(first.as_bytes()), "{name}: {:?}", String::from_utf8_lossy(&bytes));
        let manifest: Value =
            serde_json::from_slice(&std::fs::read(run.text("/out_manifest")).unwrap()).unwrap();
        assert_eq!(manifest["sql"]["text"], text, "{manifest}");
        assert_eq!((&manifest["complete"], &manifest["rows"]), (&true.into(), &2.into()), "{manifest}");
        assert!(manifest.get("row_query").is_none(), "{manifest}");
        assert_eq!(manifest["signature"], cached.signature, "{manifest}");
    }

    // Messages belong to trades by their ids.
    let run = cached.sql(
        "SELECT count(*) AS both FROM trades JOIN messages USING (trade_id) WHERE trades._day = messages._day",
        &["--format", "jsonl"],
    );
    assert_eq!((run.code, run.stdout.trim()), (0, "{\"both\":12}"), "{run:?}");

    // The text may come from a file.
    let (cache, to) = (cached.fixture.path("cache"), cached.fixture.to());
    let mut child = program()
        .args(["sql", &cached.signature, "-", "--from", "2025-01-01", "--to", &to, "--cache"])
        .arg(&cache)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"select count(*) as n from trades;\n-- all of them\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).replace("\r\n", "\n"), "n\n12\n");
}

#[tokio::test]
async fn a_partial_answer_gives_a_partial_result() {
    let cached = Cached::new("sql_partial").await;
    let (cache, path) = (cached.fixture.path("cache"), cached.fixture.path("r.csv"));
    let days = ["--from", "2025-01-01", "--to", "2025-01-09", "--cache", &cache.to_string_lossy()];
    let text = "SELECT count(*) FROM trades";
    let run = cli(&[&["sql", &cached.signature, text, "--out", &path.to_string_lossy()], &days[..]].concat());
    assert_eq!(run.code, 3, "{run:?}");
    assert!(!path.exists() && cached.fixture.path("r.partial.csv").exists(), "{run:?}");
    assert_eq!(run.last["complete"], false, "{run:?}");
}

#[tokio::test]
async fn what_cannot_be_run_is_refused_with_its_place() {
    let cached = Cached::new("sql_refused").await;
    let secret = cached.fixture.path("secret.csv");
    std::fs::write(&secret, "a\n1\n").unwrap();
    let secret = secret.to_string_lossy();
    let file = cached.fixture.path("cache");
    let bytes = || {
        let files = crate::support::fixture::cache_files(&file);
        std::fs::read(&files[0]).unwrap()
    };
    let before = bytes();
    for (text, words) in [
        (format!("SELECT * FROM '{secret}'"), "the tables are trades and messages (line 1, column 15)"),
        (format!("SELECT * FROM read_csv('{secret}')"), "(line 1, column 15)"),
        (format!("COPY trades TO '{secret}'"), "Only a SELECT can be run"),
        ("DELETE FROM trades".to_owned(), "Only a SELECT can be run"),
        ("SELECT 1; SELECT 2".to_owned(), "more than one statement"),
        ("SELECT\nproduct, nope FROM trades".to_owned(), "(line 2, column 10)"),
    ] {
        let run = cached.sql(&text, &[]);
        let last = line(&run);
        assert_eq!((run.code, &last["error"]["code"]), (1, &"bad_filter".into()), "{run:?}");
        assert!(last["error"]["message"].as_str().unwrap().contains(words), "{run:?}");
        assert!(run.stdout.is_empty(), "{run:?}");
    }
    assert_eq!(bytes(), before, "the cache file is as it was");

    let run = cli(&["sql", "nonsense", "SELECT 1", "--from", "2025-01-01", "--to", "2025-01-02"]);
    assert_eq!(run.code, 1, "{run:?}");
    let run = cached.sql("SELECT 1", &["--out", "result.txt"]);
    assert_eq!(run.code, 2, "{run:?}");
}

/// Times are stored in UTC: the computer's zone must not move those that they are compared with.
#[tokio::test]
async fn the_zone_of_the_computer_changes_no_result() {
    let cached = Cached::new("sql_zone").await;
    let text = "SELECT TIMESTAMP '2026-01-06 00:00:00' = TIMESTAMPTZ '2026-01-06 00:00:00+00' AS same,
                       abs(epoch(now()::TIMESTAMP) - epoch(now())) < 1 AS now,
                       (TIMESTAMPTZ '2026-01-06 00:00:00+00')::VARCHAR AS shown";
    let (cache, to) = (cached.fixture.path("cache"), cached.fixture.to());
    let arguments = ["sql", &cached.signature, text, "--from", "2025-01-01", "--to", &to];
    for zone in ["UTC", "America/New_York", "Asia/Kolkata"] {
        let run =
            cli_with(&[&arguments[..], &["--cache", &cache.to_string_lossy()]].concat(), &[("TZ", zone)]);
        let rows = run.stdout.replace("\r\n", "\n");
        assert_eq!(rows, "same,now,shown\ntrue,true,2026-01-06 00:00:00+00\n", "{zone}: {run:?}");
    }
}
