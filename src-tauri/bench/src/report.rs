//! One run of all measurements, reported as a table and as JSON.

use std::path::Path;
use std::process::Command;

use chrono::{Datelike as _, Duration, NaiveDate, Utc};
use mongodb::Client;
use mongodb::bson::{Document, doc};
use serde_json::{Value, json};
use tidemark_sample_desk::{Desk, LoadOptions, MAPPING, load};
use tidemark_test_server::TestServer;

/// The seed of the data set.
const SEED: u64 = 1;
const DATABASE: &str = "bench";
const COLLECTION: &str = "messages";
/// A collection whose documents use data as field names.
const WIDE: &str = "wide";
/// Number of its documents, and of the fields in each that no other document has.
const WIDE_DOCUMENTS: u32 = 600;
const WIDE_FIELDS: u32 = 10;
/// The products of about a tenth of the trades.
const A_TENTH: [&str; 4] = ["Power DE Base", "Gas TTF", "Power DE Peak", "Power FR Base"];
/// Days between the last message and today, so that every day is settled.
const SETTLED_DAYS: i64 = 4;

/// A figure and its floor.
struct Line {
    what: &'static str,
    figure: String,
    floor: String,
    ratio: Option<f64>,
    aim: &'static str,
}

/// Runs all measurements.
pub(crate) async fn run(messages: u64, json_file: Option<&Path>) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    eprintln!("Starting a server and loading {messages} messages ...");
    let server = TestServer::start()?;
    let desk = Desk::new(SEED, Utc::now().date_naive() - Duration::days(SETTLED_DAYS), messages);
    load(server.uri(), DATABASE, COLLECTION, &desk, LoadOptions::default(), |_| {})
        .await
        .map_err(|error| error.to_string())?;
    load_wide(server.uri(), desk.last_day()).await.map_err(|error| error.to_string())?;
    let bench = Bench { uri: server.uri().to_owned(), folder: folder.path().to_owned() };
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

    let drain = alone("drain")?;
    let cold = cold_fetch("alone", ["alone", "alone_again"], first)?;
    let repeat = alone("repeat")?;
    let export = alone("export")?;
    let copy = alone("copy")?;
    let delta = better_of_two(|_| {
        bench.part("forget", COLLECTION, "alone", "alone", tenth, last)?;
        bench.part("fetch", COLLECTION, "alone", "alone", first, last)
    })?;
    let one_tenth = cold_fetch("alone", ["tenth", "tenth_again"], tenth)?;
    let both_drain = better_of_two(|_| bench.part("drain", COLLECTION, "both", "both", first, last))?;
    let both = cold_fetch("both", ["both", "both_again"], first)?;

    // The adopting process also plans and opens two files; a second one would find the copy, so each has its own cache.
    let narrower = better_of_two(|attempt| {
        let cache = ["alone", "alone_again"][attempt];
        bench.narrow("fetch", cache, first, last)
    })?;
    let selection = better_of_two(|_| bench.narrow("select", "alone", first, last))?;
    let append = alone("append")?;
    let pages = bench.part("pages", COLLECTION, "alone", "alone", first, last)?;
    let library = bench.part("library", COLLECTION, "alone", "library", first, last)?;
    let wide = bench.part("fetch", WIDE, "alone", "wide", last, last)?;

    let number = |value: &Value, name: &str| value[name].as_f64().unwrap_or(f64::NAN);
    let ms = |value: &Value| number(value, "ms");
    let ratio = |figure: f64, floor: f64| Some(figure / floor);
    let delta_share = number(&one_tenth, "rows") / number(&cold, "rows");
    let lines = [
        Line {
            what: "Cold fetch, input alone",
            figure: seconds(ms(&cold)),
            floor: format!("{} drain", seconds(ms(&drain))),
            ratio: ratio(ms(&cold), ms(&drain)),
            aim: "at most 2",
        },
        Line {
            what: "Cold fetch with downstream",
            figure: seconds(ms(&both)),
            floor: format!("{} drain of both", seconds(ms(&both_drain))),
            ratio: ratio(ms(&both), ms(&both_drain)),
            aim: "",
        },
        Line {
            what: "Repeat, first page",
            figure: format!("{:.0} ms", number(&repeat, "first_page_ms")),
            floor: format!("{} cold", seconds(ms(&cold))),
            ratio: ratio(number(&repeat, "first_page_ms"), ms(&cold)),
            aim: "50 ms and 0.01",
        },
        Line {
            what: "Repeat, whole answer",
            figure: format!("{:.0} ms", ms(&repeat)),
            floor: format!("{} cold", seconds(ms(&cold))),
            ratio: ratio(ms(&repeat), ms(&cold)),
            aim: "",
        },
        Line {
            what: "Delta of a tenth of the days",
            figure: seconds(ms(&delta)),
            floor: format!("{} its share of cold", seconds(ms(&cold) * delta_share)),
            ratio: ratio(ms(&delta), ms(&cold) * delta_share),
            aim: "at most 1.2",
        },
        Line {
            what: "Narrower query, a tenth of the rows",
            figure: seconds(ms(&narrower)),
            floor: format!("{} cold fetch of the broader", seconds(ms(&cold))),
            ratio: ratio(ms(&narrower), ms(&cold)),
            aim: "at most 0.1",
        },
        Line {
            what: "Narrower query, a tenth of the rows",
            figure: seconds(ms(&narrower)),
            floor: format!("{} CREATE TABLE AS", seconds(ms(&selection))),
            ratio: ratio(ms(&narrower), ms(&selection)),
            aim: "at most 3",
        },
        Line {
            what: "Processor time of a cold fetch, a million messages",
            figure: seconds(number(&cold, "cpu_ms") * 1e6 / number(&cold, "rows")),
            floor: format!(
                "{} DuckDB alone",
                seconds(number(&append, "cpu_ms") * 1e6 / number(&append, "rows"))
            ),
            ratio: ratio(
                number(&cold, "cpu_ms") / number(&cold, "rows"),
                number(&append, "cpu_ms") / number(&append, "rows"),
            ),
            aim: "at most 7 s",
        },
        Line {
            what: "First page, in a process that has read one",
            figure: format!("{:.1} ms", number(&pages, "first_page_ms")),
            floor: format!("{:.1} ms for the first time", number(&pages, "new_first_page_ms")),
            ratio: ratio(number(&pages, "first_page_ms"), number(&pages, "new_first_page_ms")),
            aim: "at most 10 ms",
        },
        Line {
            what: "Page at a random offset, 99th percentile",
            figure: format!("{:.1} ms", number(&pages, "random_p99_ms")),
            floor: String::new(),
            ratio: None,
            aim: "at most 20 ms",
        },
        Line {
            what: "Page at a random offset of sorted rows, 99th percentile",
            figure: format!("{:.1} ms", number(&pages, "sorted_p99_ms")),
            floor: String::new(),
            ratio: None,
            aim: "at most 50 ms",
        },
        Line {
            what: "Sorting by a column, a million rows",
            figure: seconds(number(&pages, "sorted_first_ms") * 1e6 / number(&pages, "rows")),
            floor: String::new(),
            ratio: None,
            aim: "at most 1 s",
        },
        Line {
            what: "CSV export of the input",
            figure: seconds(ms(&export)),
            floor: format!("{} DuckDB COPY", seconds(ms(&copy))),
            ratio: ratio(ms(&export), ms(&copy)),
            aim: "",
        },
        Line {
            what: "Bytes on disk, input alone",
            figure: megabytes(number(&cold, "disk_bytes")),
            floor: format!("{} BSON", megabytes(number(&drain, "bytes"))),
            ratio: ratio(number(&cold, "disk_bytes"), number(&drain, "bytes")),
            aim: "",
        },
        Line {
            what: "Peak memory at ten times the data",
            figure: megabytes(number(&cold, "peak_bytes")),
            floor: format!("{} at one", megabytes(number(&one_tenth, "peak_bytes"))),
            ratio: ratio(number(&cold, "peak_bytes"), number(&one_tenth, "peak_bytes")),
            aim: "at most 1.2",
        },
        Line {
            what: "List of 1,000 cached queries, again",
            figure: format!("{:.0} ms", number(&library, "list_ms")),
            floor: format!("{} first", seconds(number(&library, "first_list_ms"))),
            ratio: ratio(number(&library, "list_ms"), number(&library, "first_list_ms")),
            aim: "100 ms",
        },
        Line {
            what: "Plan beside 1,000 cached queries, again",
            figure: format!("{:.0} ms", number(&library, "plan_ms")),
            floor: format!("{:.0} ms first", number(&library, "first_plan_ms")),
            ratio: ratio(number(&library, "plan_ms"), number(&library, "first_plan_ms")),
            aim: "50 ms",
        },
        Line {
            what: "Peak memory with 6,000 fields",
            figure: megabytes(number(&wide, "peak_bytes")),
            floor: "600 documents".to_owned(),
            ratio: None,
            aim: "at most 1 GB",
        },
    ];
    println!(
        "{} messages, {} input rows alone, {} + {} with downstream",
        messages, cold["rows"], both["rows"], both["downstream"]
    );
    println!();
    println!("| what | figure | floor | ratio | aim |");
    println!("|---|---|---|---|---|");
    for line in &lines {
        let ratio = line.ratio.map_or_else(String::new, |ratio| format!("{ratio:.3}"));
        println!("| {} | {} | {} | {ratio} | {} |", line.what, line.figure, line.floor, line.aim);
    }
    if let Some(file) = json_file {
        let all = json!({
            "messages": messages, "drain": drain, "drain_with_downstream": both_drain, "cold": cold, "cold_with_downstream": both, "repeat": repeat,
            "delta": delta, "one_tenth": one_tenth, "export": export, "copy": copy, "narrower": narrower, "selection": selection, "wide": wide, "library": library, "append": append, "pages": pages,
            "ratios": lines.iter().map(|line| json!({"what": line.what, "ratio": line.ratio})).collect::<Vec<_>>(),
        });
        let text = serde_json::to_string_pretty(&all).map_err(|error| error.to_string())?;
        std::fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(())
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

struct Bench {
    uri: String,
    folder: std::path::PathBuf,
}

impl Bench {
    fn mapping(&self, name: &str, text: &str) -> Result<(), String> {
        std::fs::write(self.folder.join(format!("{name}.json")), text).map_err(|error| error.to_string())
    }

    /// Runs one measurement in a process of its own.
    fn part(
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

    fn filtered(
        &self,
        part: &str,
        collection: &str,
        mapping: &str,
        cache: &str,
        [from, to]: [NaiveDate; 2],
        products: &[&str],
    ) -> Result<Value, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
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
