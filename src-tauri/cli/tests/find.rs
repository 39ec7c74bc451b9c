//! `find`: trades by their ids.
#![allow(clippy::unwrap_used)]

use crate::support::cli;
use crate::support::fixture::Fixture;

#[tokio::test]
async fn trades_are_found_in_the_cache_and_at_the_source() {
    let fixture = Fixture::new("find", 3, 2, 10).await;
    let cache = fixture.path("cache");
    let folder = cache.to_string_lossy();
    let source =
        ["--uri", &fixture.uri, "--db", &fixture.database, "--collection", "trades", "--cache", &folder];
    let find = |more: &[&str]| cli(&[&["find"], more].concat());

    // Without a cache, the source answers, and no cache is created.
    let run = find(&[&["T2-1,T9-9"], &source[..]].concat());
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(run.last["not_found"], serde_json::json!(["T9-9"]), "{run:?}");
    assert_eq!(run.last["source"]["found"][0]["trade"]["documents"].as_array().unwrap().len(), 2, "{run:?}");
    assert!(run.last["cache"].is_null() && !cache.exists(), "{run:?}");
    assert!(run.stderr.contains("No index of trades begins with trade_id"), "{run:?}");

    assert_eq!(fixture.fetch(&cache, &[]).code, 0);
    let run = find(&["T2-1", "T3-0", "--cached-only", "--cache", &folder]);
    assert_eq!(run.code, 0, "{run:?}");
    let found = run.last["cache"]["found"].as_array().unwrap();
    assert_eq!(found.len(), 2, "{run:?}");
    assert_eq!(found[0]["trade"]["documents"][0]["day"], "2025-01-02", "{run:?}");
    assert!(run.last["source"].is_null() && run.last["not_found"] == serde_json::json!([]), "{run:?}");

    let run = find(&[&[" , "], &source[..]].concat());
    assert_eq!((run.code, run.text("/error/code")), (1, "bad_filter"), "{run:?}");
}
