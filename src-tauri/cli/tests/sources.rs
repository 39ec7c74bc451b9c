//! The sources of the desktop app, on the command line.

use std::path::Path;

use bson::{Document, doc};
use mongodb::Client;
use serde_json::{Value, json};

use crate::support::{Run, cli_with, server};

/// Settings with one source, whose trades have their own field names.
async fn set_up(folder: &Path, database: &str) {
    let trades: Vec<Document> = (1..=6)
        .map(|number| doc! {"_id": number, "deal": format!("D{number}"), "y": 2025, "doy": 60 + number / 3})
        .collect();
    let all = Client::with_uri_str(server().uri()).await.unwrap().database(database);
    all.drop().await.unwrap();
    all.collection::<Document>("deals").insert_many(trades).await.unwrap();
    let source = json!({
        "id": "1", "name": "Production", "colour": "red", "uri": server().uri(), "database": database,
        "collection": "deals", "mapping": r#"{"trade_id": "deal", "year": "y", "day_of_year": "doy"}"#,
    });
    write(folder, &json!({"version": 2, "sources": [source], "cache_folder": folder.join("own cache")}));
}

fn write(folder: &Path, settings: &Value) {
    std::fs::write(folder.join("settings.json"), settings.to_string()).unwrap();
}

fn run(folder: &Path, arguments: &[&str]) -> Run {
    cli_with(arguments, &[("TIDEMARK_SETTINGS_DIR", &*folder.to_string_lossy())])
}

#[tokio::test]
async fn a_source_of_the_desktop_app_is_fetched_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    set_up(folder.path(), "desk_named_source").await;
    let days = ["--from", "2025-03-01", "--to", "2025-03-03"];
    let fetched = run(folder.path(), &[&["fetch", "--source", "production"][..], &days].concat());
    assert_eq!((fetched.code, fetched.count("/rows/input")), (0, 6), "{fetched:?}");
    assert!(folder.path().join("own cache").is_dir(), "the cache is where the app's settings say");
    let cached = run(folder.path(), &["cached"]);
    assert_eq!(cached.last["cached"].as_array().map(Vec::len), Some(1), "{cached:?}");
    let proposed = run(folder.path(), &["propose", "--source", "Production"]);
    assert_eq!(proposed.last.pointer("/mapping/trade_id"), Some(&json!("deal")), "{proposed:?}");
}

#[tokio::test]
async fn a_source_that_is_not_set_up_is_wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    let plan = |more: &[&str]| {
        let arguments = [&["plan", "--from", "2025-03-01", "--to", "2025-03-03"][..], more].concat();
        run(folder.path(), &arguments)
    };
    let none = plan(&["--source", "Production"]);
    assert_eq!(none.code, 2, "{none:?}");
    assert!(none.stderr.contains("none is set up"), "{none:?}");
    set_up(folder.path(), "desk_other_source").await;
    let other = plan(&["--source", "Test"]);
    assert_eq!(other.code, 2, "{other:?}");
    assert!(other.stderr.contains("there are: Production"), "{other:?}");
    for more in [&["--uri", "mongodb://db1/"][..], &["--db", "desk"], &["--mapping", "m.json"]] {
        let both = plan(&[&["--source", "Production"][..], more].concat());
        assert_eq!(both.code, 2, "{both:?}");
        assert!(both.stderr.contains("cannot be used with"), "{both:?}");
    }
    let neither = plan(&["--uri", "mongodb://db1/"]);
    assert_eq!(neither.code, 2, "{neither:?}");
    assert!(neither.stderr.contains("--db"), "{neither:?}");
}

#[test]
fn a_mapping_that_cannot_be_read_is_the_sources() {
    let folder = tempfile::tempdir().unwrap();
    let source = json!({
        "id": "1", "name": "A", "uri": "mongodb://127.0.0.1:1/", "database": "d", "collection": "c",
        "mapping": "{",
    });
    write(folder.path(), &json!({"version": 2, "sources": [source]}));
    let failed = run(folder.path(), &["plan", "--source", "A", "--from", "2025-03-01", "--to", "2025-03-01"]);
    assert_eq!((failed.code, failed.text("/error/code")), (1, "bad_mapping"), "{failed:?}");
}
