//! A sweep of sizes: a month of so many messages, any share of which carry a later day than their trade,
//! is fetched and loses no row.
//!
//! Each size has a process of its own: what a size breaks may be the process, and the sweep has to say so
//! and go on. The ordinary test takes a few sizes and small row groups; `TIDEMARK_SWEEP=full` takes all
//! (`cargo xtask soak --sweep`).
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write as _;
use std::num::NonZeroU32;
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::time::Instant;

use bson::{RawDocumentBuf, rawdoc};
use chrono::DateTime;
use mongodb::Client;
use tidemark_engine::answer::AnswerRows;
use tidemark_engine::day::{Day, DayRange};
use tidemark_engine::engine::{Engine, off_thread};
use tidemark_engine::limits::Limits;
use tidemark_engine::plan::ledger::FetchMode;
use tidemark_engine::query::filter::Filters;
use tidemark_engine::query::mapping::Mapping;
use tidemark_engine::query::signature::Signature;
use tidemark_engine::query::source::Query;
use tidemark_engine::rows::{Role, RowQuery};
use tidemark_engine::run::FetchRequest;
use tidemark_engine::source::{Source, SourceSettings};
use tidemark_test_server::EXTERNAL_URI;
use tidemark_test_support::server;
use tokio_util::sync::CancellationToken;

/// Asks for all sizes.
const SWEEP: &str = "TIDEMARK_SWEEP";
/// Tells a child which size it is to try.
const SIZE: &str = "TIDEMARK_SWEEP_SIZE";
/// Messages of a trade; the first is as good a trade as the others.
const PER_TRADE: u32 = 3;
/// Days that trades lie on: January 2025. Later messages may lie in February.
const DAYS: u32 = 31;
/// Row groups of a cache file as they are unless a test asks for others.
const USUAL: u32 = 24_576;
/// The smallest row groups that DuckDB has.
const SMALL: u32 = 2_048;
/// Documents of a page.
const PAGE: u64 = 20_000;

/// One size to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Size {
    messages: u32,
    /// Of the messages of each trade, how many carry a day one or two later.
    later: u32,
    row_group: u32,
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{}", self.messages, self.later, self.row_group)
    }
}

impl Size {
    fn parse(text: &str) -> Self {
        let numbers: Vec<u32> = text.split(',').map(|number| number.parse().unwrap()).collect();
        Self { messages: numbers[0], later: numbers[1], row_group: numbers[2] }
    }

    fn each(messages: &[u32], row_group: u32) -> Vec<Self> {
        let of = |&messages| [0, 1, PER_TRADE].map(|later| Self { messages, later, row_group });
        messages.iter().flat_map(of).collect()
    }

    /// The sizes of the ordinary test.
    fn few() -> Vec<Self> {
        // Below, at and above one row group of documents, and of a document's copies for further days.
        let mut sizes = Self::each(&[1_023, 2_049, 3_075, 6_147, 9_000], SMALL);
        sizes.extend([15_000, 24_579].map(|messages| Self { messages, later: 1, row_group: USUAL }));
        sizes
    }

    fn all() -> Vec<Self> {
        let months = [
            1_000, 6_000, 12_288, 12_291, 15_000, 18_000, 21_000, 24_000, 24_576, 24_579, 45_000, 54_000,
            63_000, 75_000, 90_000, 120_000, 200_000, 300_000,
        ];
        let boundaries: Vec<u32> = (1..16).map(|at| at * 1_023).collect();
        let mut sizes = Self::each(&boundaries, SMALL);
        sizes.extend(Self::each(&months, USUAL));
        sizes
    }

    /// The day of a message, counted from 1 January.
    fn day(self, number: u32) -> u32 {
        let (trade, place) = (number / PER_TRADE, number % PER_TRADE);
        let trades = self.messages.div_ceil(PER_TRADE);
        let day = u64::from(trade) * u64::from(DAYS) / u64::from(trades);
        let later = if place + self.later >= PER_TRADE { 1 + trade % 2 } else { 0 };
        u32::try_from(day).unwrap() + later
    }

    fn document(self, number: u32) -> RawDocumentBuf {
        let (id, trade) = (number.cast_signed(), number / PER_TRADE);
        let product = if trade.is_multiple_of(2) { "Gas" } else { "Power" };
        rawdoc! {
            "_id": id, "year": 2025, "day_of_year": self.day(number).cast_signed() + 1,
            "trade_id": format!("T{trade}"), "product": product,
            "quantity": i64::from(number) * 7, "text": format!("message {number} of the desk"),
        }
    }

    /// What the days `from..=to`, counted from 1 January, have to show: input and downstream.
    fn expected(self, from: u32, to: u32) -> [Sum; 2] {
        let is_input = |number: &u32| (from..=to).contains(&self.day(*number));
        let trades: BTreeSet<u32> =
            (0..self.messages).filter(is_input).map(|number| number / PER_TRADE).collect();
        let mut sums = [Sum::default(), Sum::default()];
        for number in 0..self.messages {
            if is_input(&number) {
                sums[0].add(&self.document(number));
            } else if trades.contains(&(number / PER_TRADE)) {
                sums[1].add(&self.document(number));
            }
        }
        sums
    }
}

/// How many documents, and a checksum of them that does not depend on their order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sum {
    documents: u64,
    checksum: u64,
}

impl Sum {
    fn add(&mut self, document: &RawDocumentBuf) {
        let mut hasher = DefaultHasher::new();
        document.as_bytes().hash(&mut hasher);
        self.documents += 1;
        self.checksum = self.checksum.wrapping_add(hasher.finish());
    }
}

fn day_range(from: u32, to: u32) -> DayRange {
    let first = Day::from_ymd(2025, 1, 1).unwrap();
    let day = |at: u32| first.plus(i64::from(at).try_into().unwrap());
    DayRange::new(day(from), day(to)).unwrap()
}

/// Fetches a month of a size, and compares what the cache shows with what was made.
async fn fetch(size: Size) {
    let client = Client::with_uri_str(server().uri()).await.unwrap();
    let database = client.database(&format!("sweep_{}", std::process::id()));
    database.drop().await.unwrap();
    let collection = database.collection::<RawDocumentBuf>("trades");
    let numbers: Vec<u32> = (0..size.messages).collect();
    for part in numbers.chunks(10_000) {
        collection.insert_many(part.iter().map(|number| size.document(*number))).await.unwrap();
    }
    let uri = server().uri().to_owned();
    let settings = SourceSettings {
        uri,
        password: None,
        database: database.name().to_owned(),
        collection: "trades".to_owned(),
    };
    let source = Source::new(&settings).unwrap();
    let mapping = Mapping::parse("").unwrap();
    let filters = Filters::parse(&mapping, &[], "").unwrap();
    let query = Query { source: source.identity().clone(), mapping, filters };
    let signature = Signature::of(&query);
    let folder = tempfile::tempdir().unwrap();
    let now = DateTime::parse_from_rfc3339("2026-01-15T12:00:00Z").unwrap().to_utc();
    let row_group_rows = NonZeroU32::new(size.row_group).unwrap();
    let engine = Engine::new(folder.path(), 2)
        .unwrap()
        .with_clock(Arc::new(move || now))
        .with_limits(Limits { row_group_rows, ..Limits::default() });
    let begun = Instant::now();
    let month = day_range(0, 30);
    let request = FetchRequest { query, range: month, mode: FetchMode::Normal, offline: false };
    let answer =
        engine.fetch(Some(&source), &request, Arc::new(|_| {}), CancellationToken::new()).await.unwrap();
    let took = begun.elapsed();
    assert!(answer.complete, "{answer:?}");
    let expected = size.expected(0, DAYS - 1);
    let counts = |sums: &[Sum; 2]| AnswerRows { input: sums[0].documents, downstream: sums[1].documents };
    assert_eq!(answer.rows, counts(&expected), "rows of the month");
    // The month, and parts of it, whose messages of other days are downstream.
    for (from, to) in [(0, DAYS - 1), (0, 14), (13, 13), (20, DAYS - 1)] {
        let view = engine.view(&signature, day_range(from, to)).await.unwrap();
        let found = off_thread(move || {
            let mut sums = [Sum::default(), Sum::default()];
            for (sum, role) in sums.iter_mut().zip([Role::Input, Role::Downstream]) {
                let mut offset = 0;
                loop {
                    let documents = view.documents(&RowQuery::of(role), offset, PAGE)?;
                    documents.iter().for_each(|(_, document)| sum.add(document));
                    offset += PAGE;
                    if (documents.len() as u64) < PAGE {
                        break;
                    }
                }
            }
            Ok(sums)
        });
        assert_eq!(found.await.unwrap(), size.expected(from, to), "days {from} to {to}");
    }
    database.drop().await.unwrap();
    println!("fetched in {:.2} s", took.as_secs_f64());
}

/// What became of a child: nothing to complain of, or a sentence.
fn complaint(status: ExitStatus, said: &str) -> Option<String> {
    if status.success() && said.contains("1 passed") {
        return None;
    }
    let how = match status.code() {
        Some(code) => format!("exit code {code}"),
        // A signal.
        None => format!("the process died: {status}"),
    };
    let why: Vec<&str> = said.lines().skip_while(|line| !line.contains("panicked at")).take(4).collect();
    // DuckDB's failures bring their whole stack.
    Some(format!("{how} {}", why.join(" / ")).chars().take(400).collect())
}

/// Tries a size in a process of its own.
fn child(size: Size) -> Option<String> {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "one_size", "--ignored", "--nocapture"])
        .env(SIZE, size.to_string())
        .env(EXTERNAL_URI, server().uri())
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    complaint(output.status, &said.concat())
}

#[test]
fn months_of_any_size_lose_no_row() {
    let sizes =
        if std::env::var(SWEEP).is_ok_and(|asked| asked == "full") { Size::all() } else { Size::few() };
    let begun = Instant::now();
    let mut complaints = Vec::new();
    for size in &sizes {
        let started = Instant::now();
        let complaint = child(*size);
        // Not by `println!`, which a test that passes keeps to itself.
        let _ = writeln!(
            std::io::stdout(),
            "sweep: {:>7} messages, {} of {PER_TRADE} on a later day, row groups of {:>6}: {} ({:.1} s)",
            size.messages,
            size.later,
            size.row_group,
            complaint.as_deref().unwrap_or("as it has to be"),
            started.elapsed().as_secs_f64()
        );
        complaints.extend(complaint.map(|complaint| format!("{size}: {complaint}")));
    }
    let of =
        format!("{} of {} sizes in {:.0} s", complaints.len(), sizes.len(), begun.elapsed().as_secs_f64());
    assert!(complaints.is_empty(), "{of} came out wrong:\n{}", complaints.join("\n"));
}

/// The child of the sweep.
#[test]
#[ignore = "run by the sweep, in a process of its own"]
fn one_size() {
    let Ok(size) = std::env::var(SIZE) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(fetch(Size::parse(&size)));
}

/// A process that dies is told, and so is one that finds a row missing.
#[test]
#[cfg(unix)]
fn a_process_that_dies_is_told() {
    use std::os::unix::process::ExitStatusExt as _;
    let segfault = complaint(ExitStatus::from_raw(11), "");
    assert!(segfault.is_some_and(|complaint| complaint.contains("signal: 11")));
    let panicked =
        complaint(ExitStatus::from_raw(101 << 8), "thread panicked at sweep.rs\nrows of the month");
    assert!(panicked.is_some_and(|complaint| complaint.contains("rows of the month")));
    let nothing = complaint(ExitStatus::from_raw(0), "0 passed");
    assert!(nothing.is_some(), "a child that tried nothing proves nothing");
    assert_eq!(complaint(ExitStatus::from_raw(0), "1 passed"), None);
}

/// A checksum tells a document that is lost, doubled or altered.
#[test]
fn a_checksum_tells_documents_apart() {
    let size = Size { messages: 9, later: 1, row_group: SMALL };
    let [input, downstream] = size.expected(0, DAYS - 1);
    assert_eq!(input.documents + downstream.documents, 9);
    let sum = |numbers: &[u32]| {
        let mut sum = Sum::default();
        numbers.iter().for_each(|number| sum.add(&size.document(*number)));
        sum
    };
    assert_ne!(sum(&[1, 2]), sum(&[1, 1]));
    assert_ne!(sum(&[1, 2]), sum(&[1, 3]));
    assert_eq!(sum(&[1, 2]), sum(&[2, 1]));
}
