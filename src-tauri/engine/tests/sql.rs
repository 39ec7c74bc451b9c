//! A trader's own SQL on the rows of a view: types, values, limits, pages and exports. Which texts are refused is tested
//! where they are checked (`cache/file/sql/select.rs`).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bson::{Bson, Document, doc};
use chrono::NaiveDate;
use tidemark_engine::api::rows::ViewKey;
use tidemark_engine::api::sql::SqlSort;
use tidemark_engine::cache::adhoc::result::SqlRows;
use tidemark_engine::cache::export::writing::{Destination, Staging};
use tidemark_engine::cache::{CacheError, CacheErrorKind, Stop};
use tidemark_engine::day::Day;
use tidemark_engine::failure::{Code, Failure, FailureTarget};
use tidemark_engine::limits::SqlLimits;
use tidemark_engine::rows::{ExportFormat, ExportOptions, Role, RowQuery};

use tidemark_sample_desk::{Desk, MAPPING};
use tidemark_test_support::server;
use tokio_util::sync::CancellationToken;

use crate::row_query::Stored;
use crate::support::fixture::Fixture;

fn decimal(text: &str) -> Bson {
    Bson::Decimal128(text.parse().unwrap())
}

/// Documents of two days with every kind of value. The second day shows one of the first again.
fn stored() -> Stored {
    let of = |id: i32| -> Document {
        let time = bson::DateTime::from_millis(1_735_689_600_000 + i64::from(id) * 3_600_000);
        let mixed = if id % 2 == 0 { Bson::Int32(id) } else { Bson::String(format!("m{id}")) };
        doc! {
            "_id": id, "product": (if id % 2 == 0 { "Power" } else { "Gas" }), "price": f64::from(id) / 4.0,
            "quantity": i64::from(id) * 1_000_000_000_000, "lots": id, "notional": decimal(&format!("{id}.25")),
            "time": time, "live": id % 3 == 0, "mixed": mixed, "a.b": 1, "Live": "shown", "legs": [id, id + 1],
            "book": {"name": format!("B{}", id % 2)}, "big": decimal("1.5E+40"),
        }
    };
    Stored::of(&[(0..60).map(of).collect(), (50..100).map(of).collect()])
}

fn run(stored: &Stored, text: &str) -> Result<SqlRows, CacheError> {
    stored.view.run_sql(&[], text, SqlLimits::default(), &Stop::default())
}

/// The rows of a text, each cell as text.
fn rows(stored: &Stored, text: &str) -> Vec<Vec<String>> {
    let rows = run(stored, text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let page = rows.page(&[], 0, 5_000, &Stop::default()).unwrap();
    page.into_iter().map(|row| row.into_iter().map(|cell| cell.unwrap_or("-".to_owned())).collect()).collect()
}

fn failure(result: Result<SqlRows, CacheError>) -> Failure {
    result.map(|_| ()).expect_err("it fails").into()
}

#[test]
fn columns_have_the_types_of_their_values() {
    let stored = stored();
    let rows = run(&stored, "SELECT * FROM trades LIMIT 0").unwrap();
    let types: BTreeMap<&str, &str> =
        rows.columns().iter().map(|column| (column.name.as_str(), column.sql_type.as_str())).collect();
    for (name, sql_type) in [
        ("_id", "BIGINT"),
        ("product", "VARCHAR"),
        ("price", "DOUBLE"),
        ("quantity", "BIGINT"),
        ("lots", "BIGINT"),
        ("notional", "DECIMAL(4,2)"),
        ("time", "TIMESTAMP"),
        // Names that differ in their case alone would be one name in SQL.
        ("Live", "VARCHAR"),
        ("live_2", "BOOLEAN"),
        // Numbers and texts.
        ("mixed", "VARCHAR"),
        // More digits than any type holds.
        ("big", "VARCHAR"),
        ("legs", "VARCHAR"),
        ("book.name", "VARCHAR"),
        ("_day", "DATE"),
    ] {
        assert_eq!(types.get(name), Some(&sql_type), "{name}: {types:?}");
    }
}

#[test]
fn values_are_those_of_the_answer() {
    let stored = stored();
    let day = Day::from_number(20_000);
    for (text, expected) in [
        // Repeated documents are there once.
        (
            "SELECT count(*), count(DISTINCT _id), min(_id), max(_id) FROM trades",
            vec!["100", "100", "0", "99"],
        ),
        (
            "SELECT sum(price), sum(quantity), sum(lots), sum(notional) FROM trades",
            vec!["1237.5", "4950000000000000", "4950", "4975.00"],
        ),
        ("SELECT max(big) FROM trades", vec!["1.5E+40"]),
        ("SELECT time, _day FROM trades WHERE _id = 1", vec!["2025-01-01T01:00:00.000Z", &day.to_string()]),
        (
            "SELECT \"book.name\", mixed, live_2, legs FROM trades WHERE _id = 3",
            vec!["B1", "m3", "true", "[3,4]"],
        ),
        (
            "SELECT sum(x::INTEGER) FROM (SELECT unnest(legs::JSON[])::VARCHAR AS x FROM trades WHERE _id = 3)",
            vec!["7"],
        ),
        ("SELECT count(*) FROM messages", vec!["0"]),
        (
            "SELECT NULL, 0.1::DOUBLE, 'nan'::DOUBLE, '-inf'::DOUBLE, 1e300::DOUBLE, '-0.0'::DOUBLE",
            vec!["-", "0.1", "NaN", "-Infinity", "1e+300", "-0.0"],
        ),
        (
            "SELECT date_trunc('month', time)::DATE, count(*) FROM trades GROUP BY 1",
            vec!["2025-01-01", "100"],
        ),
        ("SELECT TIMESTAMP '2025-01-01 00:00:00.000001'", vec!["2025-01-01T00:00:00.000001Z"]),
        ("SELECT timezone('Europe/London', TIMESTAMP '2025-07-01 12:00') IS NOT NULL", vec!["true"]),
    ] {
        assert_eq!(rows(&stored, text), [expected], "{text}");
    }
}

#[test]
fn sums_and_counts_are_those_of_the_row_query() {
    let stored = stored();
    let stop = Stop::default();
    for query in [
        RowQuery::of(Role::Input),
        RowQuery::of(Role::Input).with_filter("product", "=Gas"),
        RowQuery::of(Role::Input).with_filter("price", ">= 20"),
        RowQuery::of(Role::Input).containing("m9"),
    ] {
        let expected = stored.view.sums(&query, "notional", &stop).unwrap();
        let text = "SELECT count(*), sum(notional)::DECIMAL(38,2), min(notional), max(notional) FROM trades";
        let found =
            stored.view.run_sql(std::slice::from_ref(&query), text, SqlLimits::default(), &stop).unwrap();
        let found = found.page(&[], 0, 1, &stop).unwrap().remove(0);
        assert_eq!(found[0], Some(expected.rows.to_string()), "{query:?}");
        let number =
            |text: &Option<String>| text.as_ref().map(|text| text.parse::<bigdecimal::BigDecimal>().unwrap());
        assert_eq!(number(&found[1]), number(&expected.sum), "{query:?}");
        assert!(expected.rows > 0);
    }
}

#[test]
fn pages_come_in_the_order_of_the_statement_or_of_columns() {
    let stored = stored();
    let stop = Stop::default();
    let found = run(&stored, "SELECT _id, product FROM trades ORDER BY _id DESC").unwrap();
    let ids = |sorts: &[(usize, bool)], offset, limit| -> Vec<i32> {
        let page = found.page(sorts, offset, limit, &stop).unwrap();
        page.iter().map(|row| row[0].as_ref().unwrap().parse().unwrap()).collect()
    };
    assert_eq!(found.rows(), 100);
    assert_eq!(ids(&[], 0, 3), [99, 98, 97]);
    assert_eq!(ids(&[], 98, 10), [1, 0]);
    assert_eq!(ids(&[(0, false)], 0, 3), [0, 1, 2]);
    assert_eq!(ids(&[(1, false), (0, false)], 48, 4), [97, 99, 0, 2]);
    // Equal cells stay in the order of the statement.
    assert_eq!(ids(&[(1, true)], 0, 2), [98, 96]);
    assert_eq!(ids(&[], 0, 1), [99]);
    assert!(found.page(&[(2, false)], 0, 1, &stop).is_err());
    assert_eq!(ids(&[], 500, 10), [0_i32; 0]);
}

#[test]
fn a_failure_names_its_place() {
    let stored = stored();
    let at = |line, column| Some(FailureTarget::Sql { line, column });
    for (text, target, words) in [
        ("SELECT\n  nope FROM trades", at(2, 3), "nope"),
        ("SELECT price FROM trades\nWHERE pruduct = 'Gas'", at(2, 7), "pruduct"),
        ("SELECT product::INTEGER FROM trades", at(1, 15), "Could not convert"),
        ("SELECT price FROM trade", at(1, 19), "the tables are trades and messages"),
        ("SELECT price,, FROM trades", at(1, 14), "yntax error"),
        ("SELECT 9223372036854775807 + lots FROM trades", None, "Overflow"),
    ] {
        let failure = failure(run(&stored, text));
        assert_eq!(failure.code, Code::BadFilter, "{text}: {failure:?}");
        if target.is_some() {
            assert_eq!(failure.target, target, "{text}: {failure:?}");
        }
        assert!(failure.message.contains(words), "{text}: {failure:?}");
        assert!(!failure.message.contains("Candidate") && failure.message.ends_with('.'), "{failure:?}");
    }
    // The view still answers.
    assert_eq!(rows(&stored, "SELECT count(*) FROM trades"), [["100"]]);
}

const ENDLESS: &str =
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT (x + 1) % 7 FROM n) SELECT count(*) FROM n";

#[test]
fn a_statement_has_a_time_limit() {
    let stored = stored();
    let limits = SqlLimits { time: Duration::from_millis(300), ..SqlLimits::default() };
    for text in [
        ENDLESS,
        "SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE (a.range + b.range) % 7 = 8",
    ] {
        let begun = Instant::now();
        let failure = failure(stored.view.run_sql(&[], text, limits, &Stop::default()));
        assert_eq!(failure.message, "The SQL took longer than 1 seconds.");
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    }
    assert_eq!(rows(&stored, "SELECT count(*) FROM trades"), [["100"]]);
}

#[test]
fn a_statement_can_be_cancelled() {
    let stored = stored();
    let stop = Arc::new(Stop::default());
    let done = std::thread::scope(|scope| {
        let running = scope.spawn(|| stored.view.run_sql(&[], ENDLESS, SqlLimits::default(), &stop));
        std::thread::sleep(Duration::from_millis(300));
        while !running.is_finished() {
            stop.stop();
            std::thread::sleep(Duration::from_millis(5));
        }
        running.join().unwrap()
    });
    let error = done.map(|_| ()).expect_err("it was stopped");
    assert!(matches!(error.kind(), CacheErrorKind::Cancelled(_)), "{error}");
    assert_eq!(rows(&stored, "SELECT count(*) FROM trades"), [["100"]]);
}

#[test]
fn a_result_has_a_limited_number_of_rows() {
    let stored = stored();
    let limits = SqlLimits { rows: 100, ..SqlLimits::default() };
    let run = |text| stored.view.run_sql(&[], text, limits, &Stop::default());
    assert_eq!(run("SELECT * FROM trades").unwrap().rows(), 100);
    assert_eq!(failure(run("FROM range(101)")).message, "The result has more than 100 rows.");
    let begun = Instant::now();
    failure(run("FROM range(1000000000000)"));
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_result_is_exported_in_every_format() {
    let stored = stored();
    let folder = tempfile::tempdir().unwrap();
    let text = "SELECT product, count(*) AS trades, sum(notional) AS notional, avg(price) AS price, max(time) AS last,
                sum(lots) AS lots, NULL AS nothing FROM trades GROUP BY product ORDER BY product";
    let rows = run(&stored, text).unwrap();
    for format in ExportFormat::ALL {
        let path = folder.path().join(format!("result.{}", format.extension()));
        let options = ExportOptions { format, ..ExportOptions::default() };
        let export = rows.begin_export(Staging::CacheDisk).unwrap();
        let written = rows.export(&export, &[], &options, &Destination::from(path.as_path())).unwrap();
        assert!(written.bytes > 0);
        assert_eq!((export.rows(), export.total()), (2, 2));
        match format {
            ExportFormat::Csv => assert_eq!(
                std::fs::read_to_string(&path).unwrap().replace("\r\n", "\n"),
                "product,trades,notional,price,last,lots,nothing\n\
                 Gas,50,2512.50,12.5,2025-01-05T03:00:00.000Z,2500,\n\
                 Power,50,2462.50,12.25,2025-01-05T02:00:00.000Z,2450,\n"
            ),
            ExportFormat::Jsonl => {
                let text = std::fs::read_to_string(&path).unwrap();
                let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
                assert_eq!(first["product"], "Gas");
                assert_eq!(text.lines().count(), 2);
            }
            ExportFormat::Parquet | ExportFormat::Xlsx => {}
        }
    }
    let path = folder.path().join("sorted.csv");
    let export = rows.begin_export(Staging::CacheDisk).unwrap();
    let options = ExportOptions { columns: vec!["lots".to_owned()], ..ExportOptions::default() };
    rows.export(&export, &[(5, false)], &options, &Destination::from(path.as_path())).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap().replace("\r\n", "\n"), "lots\n2450\n2500\n");
}

#[test]
fn a_result_stays_as_it_was() {
    let stored = stored();
    let first = run(&stored, "SELECT _id FROM trades").unwrap();
    let second = run(&stored, "SELECT product FROM trades LIMIT 1").unwrap();
    let stop = Stop::default();
    assert_eq!(first.page(&[], 0, 1, &stop).unwrap().len(), 1);
    assert_eq!((first.rows(), second.rows()), (100, 1));
}

/// A fetched week of the sample.
async fn sample() -> (Fixture, ViewKey) {
    let end = NaiveDate::from_ymd_opt(2026, 1, 14).unwrap();
    let begin = bson::DateTime::parse_rfc3339_str("2026-01-05T00:00:00Z").unwrap();
    let documents = Desk::new(1, end, 40_000).documents();
    let documents: Vec<Document> = documents
        .filter(|document| document.get_datetime("timestamp").unwrap() >= begin)
        .map(|document| Document::try_from(&*document).unwrap())
        .collect();
    assert!(documents.len() > 500, "{}", documents.len());
    let fixture = Fixture::at(server().uri(), server().uri(), "sql", MAPPING, documents).await;
    let answer = fixture.fetch("2026-01-05", "2026-01-14").await;
    let days = tidemark_engine::day::DayRange::parse("2026-01-05", "2026-01-14").unwrap();
    let key = ViewKey { signature: answer.signature, from: days.from(), to: days.to() };
    (fixture, key)
}

/// The queries of docs/sql.md, each with its title.
fn documented() -> Vec<(String, String)> {
    let page = std::fs::read_to_string("../../docs/sql.md").unwrap().replace("\r\n", "\n");
    let (_, queries) = page.split_once("## Twenty queries").unwrap();
    let query = |part: &str| {
        let (title, rest) = part.split_once("**").unwrap();
        let (_, rest) = rest.split_once("```sql\n").unwrap();
        (title.to_owned(), rest.split_once("```").unwrap().0.to_owned())
    };
    queries.split("\n**").skip(1).map(query).collect()
}

#[tokio::test]
async fn the_documented_queries_run() {
    let (fixture, key) = sample().await;
    let queries = documented();
    assert_eq!(queries.len(), 20);
    for (title, text) in queries {
        let cancel = CancellationToken::new();
        let result = fixture.engine.run_sql(&key, &[], &text, &cancel).await;
        let result = result.unwrap_or_else(|failure| panic!("{title}: {failure:?}"));
        assert!(result.rows > 0 && !result.columns.is_empty(), "{title} finds nothing");
        let page = fixture.engine.sql_page(&key, result.id, &[], 0, 10, &cancel).await.unwrap();
        assert_eq!(page.rows.len() as u64, result.rows.min(10), "{title}");
        assert!(page.rows.iter().any(|row| row.iter().any(Option::is_some)), "{title}");
    }
}

#[tokio::test]
async fn the_engine_keeps_the_last_results() {
    let (fixture, key) = sample().await;
    let engine = &fixture.engine;
    let cancel = CancellationToken::new();
    let tables = engine.sql_tables(&key).await.unwrap();
    assert_eq!(tables.iter().map(|table| table.name.as_str()).collect::<Vec<_>>(), ["trades", "messages"]);
    let of = |name: &str| {
        let columns = &tables[0].columns;
        columns.iter().find(|column| column.name == name).map(|column| column.sql_type.clone())
    };
    assert_eq!(of("\"counterparty.name\""), Some("VARCHAR".to_owned()), "{tables:?}");
    assert_eq!(of("timestamp"), Some("TIMESTAMP".to_owned()), "{tables:?}");
    assert!(of("price").is_some_and(|sql_type| sql_type.starts_with("DECIMAL(")), "{tables:?}");
    // Every name can be written as it is given.
    for table in &tables {
        let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        let text = format!("SELECT {} FROM {}", names.join(", "), table.name);
        let result = engine.run_sql(&key, &[], &text, &cancel).await.unwrap();
        assert_eq!((result.rows, result.columns.len()), (table.rows, table.columns.len()));
        for (column, shown) in table.columns.iter().zip(&result.columns) {
            assert_eq!(column.sql_type, shown.sql_type, "{}", column.name);
        }
    }
    let mut ids = Vec::new();
    for number in 0..4 {
        let text = format!("SELECT {number} + range AS n FROM range(3)");
        ids.push(engine.run_sql(&key, &[], &text, &cancel).await.unwrap().id);
    }
    let page = async |id, sorts: &[SqlSort]| engine.sql_page(&key, id, sorts, 0, 1, &cancel).await;
    assert_eq!(page(ids[0], &[]).await.unwrap_err().code, Code::NotCached);
    let descending = SqlSort { column: 0, descending: true };
    assert_eq!(page(ids[1], &[descending]).await.unwrap().rows, [[Some("3".to_owned())]]);
    engine.close_sql(&key, ids[2]).unwrap();
    assert_eq!(page(ids[2], &[]).await.unwrap_err().code, Code::NotCached);
    // They stay while days are fetched again, and go with their query.
    fixture.run(fixture.request("2026-01-05", "2026-01-06")).await.result.unwrap();
    assert_eq!(page(ids[3], &[]).await.unwrap().rows.len(), 1);
    engine.forget(&fixture.signature(), None).await.unwrap();
    assert_eq!(page(ids[3], &[]).await.unwrap_err().code, Code::NotCached);
}

#[tokio::test]
async fn a_run_can_be_cancelled() {
    let (fixture, key) = sample().await;
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        stop.cancel();
    });
    let failure = fixture.engine.run_sql(&key, &[], ENDLESS, &cancel).await.unwrap_err();
    assert_eq!(failure.code, Code::Cancelled, "{failure:?}");
    let result = fixture.engine.run_sql(&key, &[], "SELECT 1", &CancellationToken::new()).await.unwrap();
    assert_eq!(result.rows, 1);
}

/// More than the memory of a file, and nothing that DuckDB could put on the disk.
#[tokio::test]
async fn too_much_memory_is_a_failure_of_its_own() {
    let (fixture, key) = sample().await;
    let text = "SELECT length(list(range)::VARCHAR) FROM range(300000000)";
    let failure = fixture.engine.run_sql(&key, &[], text, &CancellationToken::new()).await.unwrap_err();
    assert_eq!(failure.code, Code::OutOfMemory, "{failure:?}");
    assert_eq!(failure.message, "The SQL needs more memory than it may use.");
    let result = fixture.engine.run_sql(&key, &[], "SELECT 1", &CancellationToken::new()).await.unwrap();
    assert_eq!(result.rows, 1);
}
