//! A mapping file of version 2, from the program's point of view.

use crate::support::{Run, cli, read_csv, server};
use bson::{Document, doc};
use mongodb::Client;

const MAPPING: &str = r#"{"version": 2, "day_zone": "Europe/London", "year": null, "day_of_year": null,
    "timestamp": {"path": "execution.ts", "form": "iso_text", "zone": "Europe/London"},
    "downstream_trade_id": "parent.ref", "status": "kind",
    "columns": {"trade_id": {"label": "Trade"}},
    "filters": {"product": {"path": "product", "type": "text", "label": "Commodity"}},
    "input_match": {"kind": "trade"}, "downstream_match": {"kind": "ack"}}"#;

fn documents() -> Vec<Document> {
    let trade = |id: i32, at: &str, product: &str| {
        doc! {"_id": id, "kind": "trade", "trade_id": id, "execution": {"ts": at}, "product": product}
    };
    let ack = |id: i32, of: i32| doc! {"_id": id, "kind": "ack", "trade_id": 1, "parent": {"ref": of}};
    vec![
        // Of Sunday, 30 March, on which clocks are set forward, or just before and after it.
        trade(1, "2025-03-29T23:59:59Z", "Power"),
        trade(2, "2025-03-30T00:30:00", "Power"),
        trade(3, "20250330T235959.999+01:00", "Gas"),
        trade(4, "2025-03-31 08:59:00 +1000", "Power"),
        trade(5, "2025-03-30T23:00:00Z", "Power"),
        trade(6, "2025-03-30, noon", "Power"),
        ack(11, 1),
        ack(12, 2),
        ack(13, 2),
        ack(14, 5),
    ]
}

#[tokio::test]
async fn a_mapping_of_version_2_is_fetched_exported_and_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (cache, mapping) = (path("cache"), path("mapping.json"));
    let (trades, messages) = (path("trades.csv"), path("messages.csv"));
    let collection = Client::with_uri_str(server().uri()).await.unwrap().database("mapping_2");
    collection.drop().await.unwrap();
    collection.collection("desk").insert_many(documents()).await.unwrap();
    std::fs::write(&mapping, MAPPING).unwrap();
    let run = |command: &str, more: &[&str]| -> Run {
        let mut arguments = vec![command, "--uri", server().uri(), "--db", "mapping_2"];
        arguments.extend(["--collection", "desk", "--mapping", &mapping, "--cache", &cache]);
        arguments.extend(["--from", "2025-03-30", "--to", "2025-03-30"]);
        arguments.extend(more);
        cli(&arguments)
    };
    let exports = ["--csv", &trades, "--downstream-csv", &messages];
    let first = run("fetch", &exports);
    assert_eq!((first.code, first.text("/answer")), (0, "server"), "{first:?}");
    assert_eq!((first.count("/rows/input"), first.count("/rows/downstream")), (3, 2), "{first:?}");
    assert!(first.stderr.contains("1 document matched these days but does not say which day"), "{first:?}");
    let rows = |file: &str, column: usize| {
        let cell = |row: &Vec<Option<String>>| row[column].clone().unwrap();
        read_csv(&std::fs::read_to_string(file).unwrap()).iter().map(cell).collect::<Vec<String>>()
    };
    let mut ids = rows(&trades, 0);
    ids[1..].sort_unstable();
    assert_eq!(ids, ["_id", "2", "3", "4"]);
    let heads: Vec<String> = (1..5).map(|column| rows(&trades, column).remove(0)).collect();
    assert_eq!(heads, ["trade_id", "execution.ts", "kind", "product"]);
    assert_eq!(rows(&messages, 0), ["_id", "12", "13"]);
    assert_eq!(rows(&messages, 1), ["parent.ref", "2", "2"]);

    let again = run("fetch", &exports);
    assert_eq!((again.code, again.count("/mongo_commands")), (0, 0), "{again:?}");
    let checked = run("fetch", &["--verify"]);
    assert_eq!((checked.code, checked.count("/days/from_cache")), (0, 1), "{checked:?}");
    let narrower = run("fetch", &["--filter", "product=Gas", "--offline"]);
    // A document of the day was left out, so it is not known which of them a narrower query has.
    assert_eq!((narrower.code, narrower.text("/error/code")), (1, "not_cached"), "{narrower:?}");
    assert_eq!(run("plan", &[]).code, 0);
}
