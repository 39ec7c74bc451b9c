//! A collection with what is true of it, and a cache folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use bson::{Document, doc};
use mongodb::Client;
use serde_json::Value;

use super::{Run, cli, read_csv, server};

/// Rows of a CSV: day of the year and the cells in the order of their columns' names, by `_id`.
pub(crate) type Rows = BTreeMap<String, Vec<Option<String>>>;

/// The first days of 2025, with some trades each.
pub(crate) struct Desk {
    pub(crate) folder: tempfile::TempDir,
    /// The program's way to the server.
    pub(crate) uri: String,
    pub(crate) database: String,
    documents: Vec<Document>,
    days: i32,
}

impl Desk {
    /// `size` bytes of each document can hardly be compressed.
    pub(crate) async fn new(name: &str, days: i32, trades_a_day: i32, size: usize) -> Self {
        let mut noise = 1_u64;
        let mut documents = Vec::new();
        for day in 1..=days {
            for number in 0..trades_a_day {
                let mut text = String::with_capacity(size);
                while text.len() < size {
                    noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    text.push(char::from(b'!' + u8::try_from((noise >> 33) % 90).unwrap()));
                }
                let product = ["Power", "Gas"][usize::try_from(number % 2).unwrap()];
                documents.push(doc! {
                    "_id": format!("T{day}-{number}"), "trade_id": format!("T{day}-{number}"), "year": 2025,
                    "day_of_year": day, "product": product, "quantity": number, "text": text,
                });
            }
        }
        let database = format!("desk_{name}");
        let all = Client::with_uri_str(server().uri()).await.unwrap().database(&database);
        all.drop().await.unwrap();
        let trades = all.collection::<Document>("trades");
        for some in documents.chunks(2_000) {
            trades.insert_many(some).await.unwrap();
        }
        Self {
            folder: tempfile::tempdir().unwrap(),
            uri: server().uri().to_owned(),
            database,
            documents,
            days,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The last day of the desk.
    pub(crate) fn to(&self) -> String {
        day(self.days)
    }

    /// Arguments of a fetch of all days.
    pub(crate) fn arguments(&self, cache: &Path, more: &[&str]) -> Vec<String> {
        let (cache, to) = (cache.to_string_lossy(), self.to());
        let mut all = vec!["fetch", "--uri", &self.uri, "--db", &self.database, "--collection", "trades"];
        all.extend(["--cache", &cache, "--from", "2025-01-01", "--to", &to]);
        all.extend(more);
        all.into_iter().map(str::to_owned).collect()
    }

    pub(crate) fn fetch(&self, cache: &Path, more: &[&str]) -> Run {
        let arguments = self.arguments(cache, more);
        cli(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// A fetch whose rows are compared with the truth: all of them, or those of the days that are held.
    pub(crate) fn fetch_and_compare(&self, cache: &Path, more: &[&str]) -> Run {
        let csv = self.path("rows.csv");
        let text = csv.to_string_lossy().into_owned();
        let run = self.fetch(cache, &[more, &["--csv", &text]].concat());
        let written = if run.code == 3 { self.path("rows.partial.csv") } else { csv };
        if run.code == 1 || !written.exists() {
            assert!(!written.exists(), "a failed run leaves no rows: {run:?}");
            return run;
        }
        let missing: BTreeSet<&str> =
            run.last["days"]["missing"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let held: BTreeSet<i32> =
            (1..=self.days).filter(|number| !missing.contains(&*day(*number))).collect();
        assert!(
            rows_of(&written) == self.truth(&held),
            "the rows are not those of the held days {held:?}: {run:?}"
        );
        std::fs::remove_file(written).unwrap();
        run
    }

    fn truth(&self, days: &BTreeSet<i32>) -> Rows {
        let held = |document: &&Document| days.contains(&document.get_i32("day_of_year").unwrap());
        self.documents
            .iter()
            .filter(held)
            .map(|document| {
                let mut cells: Vec<(&String, String)> = document
                    .iter()
                    .map(|(name, value)| {
                        (name, value.as_str().map_or_else(|| value.to_string(), str::to_owned))
                    })
                    .collect();
                cells.sort();
                let cells = cells.into_iter().map(|(_, text)| Some(text)).collect();
                (document.get_str("_id").unwrap().to_owned(), cells)
            })
            .collect()
    }
}

/// Day of 2025 as text.
pub(crate) fn day(number: i32) -> String {
    let mut left = number;
    for (month, days) in [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].into_iter().enumerate() {
        if left <= days {
            return format!("2025-{:02}-{left:02}", month + 1);
        }
        left -= days;
    }
    panic!("2025 has no day {number}")
}

fn rows_of(path: &Path) -> Rows {
    let rows = read_csv(&std::fs::read_to_string(path).unwrap());
    let mut order: Vec<usize> = (0..rows[0].len()).collect();
    order.sort_by_key(|place| rows[0][*place].clone());
    let mut found = Rows::new();
    for row in &rows[1..] {
        let cells = order.iter().map(|place| row[*place].clone()).collect();
        assert!(found.insert(row[0].clone().unwrap(), cells).is_none(), "{:?} stands twice", row[0]);
    }
    found
}

/// The cache files below a folder, those set aside included.
pub(crate) fn cache_files(cache: &Path) -> Vec<PathBuf> {
    let families = std::fs::read_dir(cache).unwrap().flatten().map(|entry| entry.path());
    let mut found: Vec<PathBuf> = families
        .filter(|path| path.is_dir())
        .flat_map(|family| std::fs::read_dir(family).unwrap().flatten().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "duckdb"))
        .collect();
    found.sort();
    found
}
