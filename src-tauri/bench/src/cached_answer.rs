//! A large answer in a cache of its own, for measuring the window.

use std::path::Path;

use chrono::{Duration, Utc};
use serde_json::Value;
use tidemark_sample_desk::{Desk, LoadOptions, load};
use tidemark_test_server::TestServer;

use crate::report::{Bench, COLLECTION, DATABASE, SEED, SETTLED_DAYS, number};

/// The cache within the folder.
const CACHE: &str = "cache";
/// The figures of the answer, written once it is whole.
const FIGURES: &str = "answer.json";

/// Fetches `messages` messages of the sample desk into `folder/cache`, unless that has been done before. Prints, as JSON,
/// the number of rows, and what a CSV of them takes beside DuckDB's own `COPY`, in milliseconds.
///
/// # Errors
/// What failed. The next call begins anew.
pub(crate) async fn build(messages: u64, folder: &Path) -> Result<(), String> {
    let figures = folder.join(FIGURES);
    if let Ok(text) = std::fs::read_to_string(&figures)
        && serde_json::from_str::<Value>(&text).is_ok_and(|known| known["messages"] == messages)
    {
        println!("{text}");
        return Ok(());
    }
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    eprintln!("Loading {messages} messages into a server. This is done once and takes minutes.");
    let server = TestServer::start()?;
    let desk = Desk::new(SEED, Utc::now().date_naive() - Duration::days(SETTLED_DAYS), messages);
    load(server.uri(), DATABASE, COLLECTION, &desk, LoadOptions::default(), |_| {})
        .await
        .map_err(|error| error.to_string())?;
    let bench = Bench { uri: server.uri().to_owned(), folder: folder.to_owned() };
    bench.mapping("alone", r#"{"trade_id": null}"#)?;
    let part = |name| bench.part(name, COLLECTION, "alone", CACHE, desk.first_day(), desk.last_day());
    let fetched = part("fetch")?;
    drop(server);
    let (export, copy) = (part("export")?, part("copy")?);
    let text = serde_json::json!({
        "messages": messages, "rows": fetched["rows"], "fetch_ms": number(&fetched, "ms"),
        "export_ms": number(&export, "ms"), "copy_ms": number(&copy, "ms"),
    })
    .to_string();
    std::fs::write(&figures, &text).map_err(|error| error.to_string())?;
    println!("{text}");
    Ok(())
}
