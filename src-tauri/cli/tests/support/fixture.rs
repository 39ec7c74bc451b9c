//! A collection with what is true of it, and a cache folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use bson::{Document, doc};
use mongodb::Client;
use serde_json::Value;

use super::{Run, cli, read_csv, server};

/// Rows of a CSV: day of the year and the cells in the order of their columns' names, by `_id`.
pub(crate) type Rows = BTreeMap<String, Vec<Option<String>>>;

/// The first days of 2025, with some trades each, and a message of each trade.
pub(crate) struct Fixture {
    pub(crate) folder: tempfile::TempDir,
    /// The program's way to the server.
    pub(crate) uri: String,
    pub(crate) database: String,
    trades: Vec<Document>,
    messages: Vec<Document>,
    days: i32,
}

impl Fixture {
    /// `size` bytes of each trade, and a quarter as many of each message, can hardly be compressed.
    pub(crate) async fn new(name: &str, days: i32, trades_a_day: i32, size: usize) -> Self {
        let mut noise = 1_u64;
        let mut text = |size: usize| {
            let mut text = String::with_capacity(size);
            while text.len() < size {
                noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                text.push(char::from(b'!' + u8::try_from((noise >> 33) % 90).unwrap()));
            }
            text
        };
        let (mut trades, mut messages) = (Vec::new(), Vec::new());
        for (day, number) in (1..=days).flat_map(|day| (0..trades_a_day).map(move |number| (day, number))) {
            let (id, product) = (format!("T{day}-{number}"), ["Power", "Gas"][usize::from(number % 2 == 1)]);
            trades.push(doc! {
                "_id": &id, "trade_id": &id, "year": 2025, "day_of_year": day, "product": product,
                "quantity": number, "text": text(size),
            });
            // It belongs to the day of its trade; a day of its own it has none.
            messages.push(doc! {"_id": format!("{id}-ack"), "trade_id": &id, "text": text(size / 4)});
        }
        let database = format!("desk_{name}");
        let all = Client::with_uri_str(server().uri()).await.unwrap().database(&database);
        all.drop().await.unwrap();
        let collection = all.collection::<Document>("trades");
        for some in trades.chunks(2_000).chain(messages.chunks(2_000)) {
            collection.insert_many(some).await.unwrap();
        }
        Self {
            folder: tempfile::tempdir().unwrap(),
            uri: server().uri().to_owned(),
            database,
            trades,
            messages,
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
        let whole = ["rows.csv", "messages.csv"].map(|name| self.path(name));
        let texts = whole.each_ref().map(|path| path.to_string_lossy());
        let run = self.fetch(cache, &[more, &["--csv", &texts[0], "--downstream-csv", &texts[1]]].concat());
        let partial = ["rows.partial.csv", "messages.partial.csv"].map(|name| self.path(name));
        let written = if run.code == 3 { partial } else { whole };
        if run.code == 1 && written[0].exists() {
            // Damage of the messages shows when they are read; the trades' file is whole by then.
            let all = (1..=self.days).collect();
            assert!(rows_of(&written[0]) == truth(&self.trades, &all), "not the trades of all days: {run:?}");
            std::fs::remove_file(&written[0]).unwrap();
        }
        if run.code == 1 || !written[0].exists() {
            assert!(written.iter().all(|file| !file.exists()), "a failed run leaves no rows: {run:?}");
            return run;
        }
        let missing: BTreeSet<&str> =
            run.last["days"]["missing"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let held: BTreeSet<i32> =
            (1..=self.days).filter(|number| !missing.contains(&*day(*number))).collect();
        for (file, documents) in written.iter().zip([&self.trades, &self.messages]) {
            assert!(
                rows_of(file) == truth(documents, &held),
                "{}: the rows are not those of the held days {held:?}: {run:?}",
                file.display()
            );
            std::fs::remove_file(file).unwrap();
        }
        run
    }
}

/// The day of the trade that a document is, or is of.
fn day_of(document: &Document) -> i32 {
    let trade = document.get_str("trade_id").unwrap();
    trade[1..].split('-').next().unwrap().parse().unwrap()
}

fn truth(documents: &[Document], days: &BTreeSet<i32>) -> Rows {
    documents
        .iter()
        .filter(|document| days.contains(&day_of(document)))
        .map(|document| {
            let mut cells: Vec<(&String, String)> = document
                .iter()
                .map(|(name, value)| (name, value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
                .collect();
            cells.sort();
            let cells = cells.into_iter().map(|(_, text)| Some(text)).collect();
            (document.get_str("_id").unwrap().to_owned(), cells)
        })
        .collect()
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

/// The cache files below a folder, those moved aside included.
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
