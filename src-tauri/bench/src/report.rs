//! One run of all measurements, reported as a table and as JSON.

use std::path::{Path, PathBuf};
use std::process::Command;

use chrono::{Datelike as _, Duration, NaiveDate, Utc};
use mongodb::Client;
use mongodb::bson::{Document, doc};
use serde_json::{Value, json};
use tidemark_sample_desk::{Desk, LoadOptions, MAPPING, load};
use tidemark_test_server::TestServer;

use crate::Arguments;
use crate::peers::{PEERS, Peers};

/// The seed of the data set.
pub(crate) const SEED: u64 = 1;
pub(crate) const DATABASE: &str = "bench";
pub(crate) const COLLECTION: &str = "messages";
/// A collection whose documents use data as field names.
const WIDE: &str = "wide";
/// Number of its documents, and of the fields in each that no other document has.
const WIDE_DOCUMENTS: u32 = 600;
const WIDE_FIELDS: u32 = 10;
/// The products of about a tenth of the trades.
const A_TENTH: [&str; 4] = ["Power DE Base", "Gas TTF", "Power DE Peak", "Power FR Base"];
/// How often this build and another one are measured in turn.
const PAIRS: usize = 2;
/// Days between the last message and today, so that every day is settled.
pub(crate) const SETTLED_DAYS: i64 = 4;

/// A figure and its floor.
struct Line {
    what: String,
    figure: String,
    /// Processor time of the measured process, in milliseconds.
    cpu_ms: Option<f64>,
    floor: String,
    ratio: Option<f64>,
    aim: &'static str,
}

impl Line {
    fn new(what: impl Into<String>, figure: String) -> Self {
        Self { what: what.into(), figure, cpu_ms: None, floor: String::new(), ratio: None, aim: "" }
    }

    /// A time, beside another one.
    fn time(what: &str, measured: &Value, floor: f64, floor_is: &str) -> Self {
        let ms = ms(measured);
        Self {
            cpu_ms: measured["cpu_ms"].as_f64(),
            floor: format!("{} {floor_is}", seconds(floor)),
            ratio: Some(ms / floor),
            ..Self::new(what, seconds(ms))
        }
    }

    /// A figure in milliseconds that has no floor.
    fn milliseconds(what: &str, measured: &Value, name: &str) -> Self {
        Self::new(what, format!("{:.1} ms", number(measured, name)))
    }

    fn floor(mut self, floor: String, ratio: f64) -> Self {
        (self.floor, self.ratio) = (floor, Some(ratio));
        self
    }

    const fn aim(mut self, aim: &'static str) -> Self {
        self.aim = aim;
        self
    }
}

/// All measurements of a run.
struct Measured {
    drain: Value,
    cold: Value,
    repeat: Value,
    export: Value,
    copy: Value,
    delta: Value,
    one_tenth: Value,
    both_drain: Value,
    both: Value,
    narrower: Value,
    selection: Value,
    append: Value,
    pages: Value,
    library: Value,
    wide: Value,
    /// Cold fetches of this build and of another one, in turn.
    pairs: Vec<[Value; 2]>,
    /// Peers, or why there are none.
    peers: Vec<(&'static str, Result<Value, String>)>,
}

/// Runs all measurements.
pub(crate) async fn run(arguments: &Arguments) -> Result<(), String> {
    let messages = arguments.messages;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    eprintln!("Starting a server and loading {messages} messages ...");
    let server = TestServer::start()?;
    let desk = Desk::new(SEED, Utc::now().date_naive() - Duration::days(SETTLED_DAYS), messages);
    load(server.uri(), DATABASE, COLLECTION, &desk, LoadOptions::default(), |_| {})
        .await
        .map_err(|error| error.to_string())?;
    load_wide(server.uri(), desk.last_day()).await.map_err(|error| error.to_string())?;
    let bench = Bench { uri: server.uri().to_owned(), folder: folder.path().to_owned() };
    let measured = measure(&bench, &desk, arguments)?;
    let lines = lines(&measured);
    println!(
        "{} messages, {} input rows alone, {} + {} with downstream",
        messages, measured.cold["rows"], measured.both["rows"], measured.both["downstream"]
    );
    println!();
    println!("| what | figure | processor time | floor | ratio | aim |");
    println!("|---|---|---|---|---|---|");
    for line in &lines {
        let ratio = line.ratio.map_or_else(String::new, |ratio| format!("{ratio:.3}"));
        let cpu = line.cpu_ms.map_or_else(String::new, seconds);
        println!("| {} | {} | {cpu} | {} | {ratio} | {} |", line.what, line.figure, line.floor, line.aim);
    }
    for (name, peer) in &measured.peers {
        if let Err(why) = peer {
            println!("\n{name}: left out, since its packages are not at hand ({why})");
        }
    }
    if let Some(file) = &arguments.json {
        let text = serde_json::to_string_pretty(&measured.to_json(messages, &lines))
            .map_err(|error| error.to_string())?;
        std::fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(())
}

fn measure(bench: &Bench, desk: &Desk, arguments: &Arguments) -> Result<Measured, String> {
    // "Alone": every message is input and no messages are looked up, so the drain reads the same documents.
    bench.mapping("alone", r#"{"trade_id": null}"#)?;
    bench.mapping("both", MAPPING)?;
    let (first, last) = (desk.first_day(), desk.last_day());
    let days = (last - first).num_days() + 1;
    let tenth = last - Duration::days(days / 10 - 1);
    // A separate cache for each of two fetches, because both must start with an empty one.
    let cold_fetch = |mapping, caches: [&str; 2], from| {
        better_of_two(|attempt| bench.part("fetch", COLLECTION, mapping, caches[attempt], from, last))
    };
    let alone = |part| better_of_two(|_| bench.part(part, COLLECTION, "alone", "alone", first, last));
    Ok(Measured {
        drain: alone("drain")?,
        cold: cold_fetch("alone", ["alone", "alone_again"], first)?,
        pairs: bench.pairs(arguments.beside.as_deref(), first, last)?,
        repeat: alone("repeat")?,
        export: alone("export")?,
        copy: alone("copy")?,
        delta: better_of_two(|_| {
            bench.part("forget", COLLECTION, "alone", "alone", tenth, last)?;
            bench.part("fetch", COLLECTION, "alone", "alone", first, last)
        })?,
        one_tenth: cold_fetch("alone", ["tenth", "tenth_again"], tenth)?,
        both_drain: better_of_two(|_| bench.part("drain", COLLECTION, "both", "both", first, last))?,
        both: cold_fetch("both", ["both", "both_again"], first)?,
        // The adopting process also plans and opens two files; a second one would find the copy, so each has its own
        // cache.
        narrower: better_of_two(|attempt| {
            bench.narrow("fetch", ["alone", "alone_again"][attempt], first, last)
        })?,
        selection: better_of_two(|_| bench.narrow("select", "alone", first, last))?,
        append: alone("append")?,
        pages: bench.part("pages", COLLECTION, "alone", "alone", first, last)?,
        library: bench.part("library", COLLECTION, "alone", "library", first, last)?,
        wide: bench.part("fetch", WIDE, "alone", "wide", last, last)?,
        peers: if arguments.peers { bench.peers() } else { Vec::new() },
    })
}

impl Measured {
    fn to_json(&self, messages: u64, lines: &[Line]) -> Value {
        let peers: serde_json::Map<String, Value> = self
            .peers
            .iter()
            .map(|(name, found)| {
                ((*name).to_owned(), found.clone().unwrap_or_else(|why| json!({"left_out": why})))
            })
            .collect();
        json!({
            "messages": messages, "drain": self.drain, "drain_with_downstream": self.both_drain, "cold": self.cold,
            "cold_with_downstream": self.both, "pairs": self.pairs, "repeat": self.repeat, "delta": self.delta,
            "one_tenth": self.one_tenth, "export": self.export, "copy": self.copy, "narrower": self.narrower,
            "selection": self.selection, "wide": self.wide, "library": self.library, "append": self.append,
            "pages": self.pages, "peers": peers,
            "ratios": lines.iter().map(|line| json!({"what": line.what, "ratio": line.ratio})).collect::<Vec<_>>(),
        })
    }
}

fn lines(measured: &Measured) -> Vec<Line> {
    let mut lines = fetch_lines(measured);
    lines.extend(reading_lines(measured));
    lines.extend(room_lines(measured));
    lines
}

fn fetch_lines(measured: &Measured) -> Vec<Line> {
    let Measured { drain, cold, both, both_drain, delta, one_tenth, narrower, selection, append, .. } =
        measured;
    let share = ms(cold) * number(one_tenth, "rows") / number(cold, "rows");
    let mut lines = vec![
        Line::time("Cold fetch, input alone", cold, ms(drain), "drain").aim("at most 1.5"),
        Line::time("Cold fetch with downstream", both, ms(both_drain), "drain of both"),
        Line::new("Processor time of a cold fetch, a million messages", seconds(cpu_per_million(cold)))
            .floor(
                format!("{} DuckDB alone", seconds(cpu_per_million(append))),
                cpu_per_million(cold) / cpu_per_million(append),
            )
            .aim("at most 7 s"),
    ];
    for [own, other] in &measured.pairs {
        lines.push(Line::new("The same, in turn with the other build", seconds(cpu_per_million(own))).floor(
            format!("{} the other build", seconds(cpu_per_million(other))),
            cpu_per_million(own) / cpu_per_million(other),
        ));
    }
    let read_back = number(cold, "read_back_ms");
    lines.extend([
        Line::new("Reading back what a cold fetch stored", seconds(read_back))
            .floor(
                format!("{} processor time of the fetch", seconds(number(cold, "cpu_ms"))),
                read_back / number(cold, "cpu_ms"),
            )
            .aim("at most 0.05"),
        Line::time("Delta of a tenth of the days", delta, share, "its share of cold").aim("at most 1.2"),
        Line::time("Narrower query, a tenth of the rows", narrower, ms(cold), "cold fetch of the broader")
            .aim("at most 0.1"),
        Line::time("Narrower query, a tenth of the rows", narrower, ms(selection), "CREATE TABLE AS")
            .aim("at most 3"),
    ]);
    lines.extend(measured.peers.iter().filter_map(|(name, peer)| {
        let peer = peer.as_ref().ok()?;
        let what = format!("Peer: {name} ({})", megabytes(number(peer, "peak_bytes")));
        Some(Line { what, ..Line::time("", peer, ms(drain), "drain") })
    }));
    lines
}

fn reading_lines(measured: &Measured) -> Vec<Line> {
    let Measured { cold, repeat, pages, export, copy, .. } = measured;
    let first_page = number(repeat, "first_page_ms");
    let sorting = number(pages, "sorted_first_ms") * 1e6 / number(pages, "rows");
    vec![
        Line::milliseconds("First page in a new process", repeat, "first_page_ms")
            .floor(format!("{} cold", seconds(ms(cold))), first_page / ms(cold))
            .aim("at most 30 ms"),
        Line::time("Repeat, whole answer", repeat, ms(cold), "cold"),
        Line::milliseconds("First page, in a process that has read one", pages, "first_page_ms")
            .aim("at most 10 ms"),
        Line::milliseconds("Page at a random offset, 99th percentile", pages, "random_p99_ms")
            .aim("at most 20 ms"),
        Line::milliseconds("Page at a random offset of sorted rows, 99th percentile", pages, "sorted_p99_ms")
            .aim("at most 50 ms"),
        Line::new("Sorting by a column, a million rows", seconds(sorting)).aim("at most 1 s"),
        Line::time("CSV export of the input", export, ms(copy), "DuckDB COPY").aim("at most 1.2"),
    ]
}

fn room_lines(measured: &Measured) -> Vec<Line> {
    let Measured { drain, cold, one_tenth, library, wide, .. } = measured;
    let (disk, bson) = (number(cold, "disk_bytes"), number(drain, "bytes"));
    let (peak, at_one) = (number(cold, "peak_bytes"), number(one_tenth, "peak_bytes"));
    vec![
        Line::new("Bytes on disk, input alone", megabytes(disk))
            .floor(format!("{} BSON", megabytes(bson)), disk / bson),
        Line::new("Peak memory at ten times the data", megabytes(peak))
            .floor(format!("{} at one", megabytes(at_one)), peak / at_one)
            .aim("at most 1.2, and 300 MB"),
        Line::milliseconds("List of 1,000 cached queries, again", library, "list_ms").aim("100 ms"),
        Line::milliseconds("Plan beside 1,000 cached queries, again", library, "plan_ms").aim("50 ms"),
        Line {
            floor: "600 documents".to_owned(),
            ..Line::new("Peak memory with 6,000 fields", megabytes(number(wide, "peak_bytes")))
        }
        .aim("at most 1 GB"),
    ]
}

pub(crate) fn number(value: &Value, name: &str) -> f64 {
    value[name].as_f64().unwrap_or(f64::NAN)
}

fn ms(value: &Value) -> f64 {
    number(value, "ms")
}

/// Processor time for a million messages, in milliseconds.
fn cpu_per_million(value: &Value) -> f64 {
    number(value, "cpu_ms") * 1e6 / number(value, "rows")
}

/// Loads the collection with 6,000 different fields, all documents on one day.
async fn load_wide(uri: &str, day: NaiveDate) -> Result<(), mongodb::error::Error> {
    let documents = (0..WIDE_DOCUMENTS).map(|number| {
        let day_of_year = i32::try_from(day.ordinal()).unwrap_or_default();
        let mut document = doc! {"_id": number, "year": day.year(), "day_of_year": day_of_year};
        for field in 0..WIDE_FIELDS {
            document.insert(format!("price_{}", number * WIDE_FIELDS + field), f64::from(field));
        }
        document
    });
    let collection = Client::with_uri_str(uri).await?.database(DATABASE).collection::<Document>(WIDE);
    collection.insert_many(documents).await.map(drop)
}

pub(crate) struct Bench {
    pub(crate) uri: String,
    pub(crate) folder: std::path::PathBuf,
}

impl Bench {
    pub(crate) fn mapping(&self, name: &str, text: &str) -> Result<(), String> {
        std::fs::write(self.folder.join(format!("{name}.json")), text).map_err(|error| error.to_string())
    }

    /// Runs one measurement in a process of its own.
    pub(crate) fn part(
        &self,
        part: &str,
        collection: &str,
        mapping: &str,
        cache: &str,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Value, String> {
        self.filtered(part, collection, mapping, cache, [from, to], &[])
    }

    /// Runs a measurement of a tenth of the rows, beside a cache that has all of them.
    fn narrow(&self, part: &str, cache: &str, from: NaiveDate, to: NaiveDate) -> Result<Value, String> {
        self.filtered(part, COLLECTION, "alone", cache, [from, to], &A_TENTH)
    }

    /// Cold fetches of this build and of another one, in turn.
    fn pairs(&self, other: Option<&Path>, from: NaiveDate, to: NaiveDate) -> Result<Vec<[Value; 2]>, String> {
        let Some(other) = other else { return Ok(Vec::new()) };
        let fetch = |program: &Path, attempt: usize| {
            let cache = format!("pair_{attempt}");
            let measured = self.measured(program, "fetch", COLLECTION, "alone", &cache, [from, to], &[]);
            let _ = std::fs::remove_dir_all(self.folder.join(cache));
            measured
        };
        let own = own_program()?;
        (0..PAIRS).map(|pair| Ok([fetch(&own, 2 * pair)?, fetch(other, 2 * pair + 1)?])).collect()
    }

    /// The peers, or why they cannot be measured.
    fn peers(&self) -> Vec<(&'static str, Result<Value, String>)> {
        let peers = Peers::install(&self.folder);
        let measure =
            |peer| peers.as_ref().map_err(Clone::clone)?.measure(peer, &self.uri, [DATABASE, COLLECTION]);
        PEERS.iter().map(|(peer, name)| (*name, measure(peer))).collect()
    }

    fn filtered(
        &self,
        part: &str,
        collection: &str,
        mapping: &str,
        cache: &str,
        days: [NaiveDate; 2],
        products: &[&str],
    ) -> Result<Value, String> {
        self.measured(&own_program()?, part, collection, mapping, cache, days, products)
    }

    #[expect(clippy::too_many_arguments, reason = "each is an argument of the measuring process")]
    fn measured(
        &self,
        program: &Path,
        part: &str,
        collection: &str,
        mapping: &str,
        cache: &str,
        [from, to]: [NaiveDate; 2],
        products: &[&str],
    ) -> Result<Value, String> {
        let output = Command::new(program)
            .arg(part)
            .args(["--uri", &self.uri, "--db", DATABASE, "--collection", collection])
            .arg("--mapping")
            .arg(self.folder.join(format!("{mapping}.json")))
            .arg("--cache")
            .arg(self.folder.join(cache))
            .args(["--from", &from.to_string(), "--to", &to.to_string()])
            .args(products.iter().flat_map(|product| ["--product", *product]))
            .output()
            .map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(format!("{part}: {}", String::from_utf8_lossy(&output.stderr)));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        eprintln!("{part} {mapping} {from}..{to}: {}", text.trim());
        serde_json::from_str(text.trim()).map_err(|error| format!("{part}: {error}"))
    }
}

fn own_program() -> Result<PathBuf, String> {
    std::env::current_exe().map_err(|error| error.to_string())
}

/// The faster of two measurements; applied equally to a floor and to what is compared with it.
fn better_of_two(measure: impl Fn(usize) -> Result<Value, String>) -> Result<Value, String> {
    let (first, second) = (measure(0)?, measure(1)?);
    Ok(if first["ms"].as_f64() <= second["ms"].as_f64() { first } else { second })
}

fn seconds(ms: f64) -> String {
    format!("{:.2} s", ms / 1_000.0)
}

fn megabytes(bytes: f64) -> String {
    format!("{:.1} MB", bytes / 1e6)
}
