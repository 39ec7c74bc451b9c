//! A cache that can only be read: it answers, nothing is written to it, and what would have to write says so.
//!
//! Tests run as root, which may write whatever the rights of a file say; so the cache is mounted read-only, where
//! only the test sees it.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::support::fixture::{Fixture, cache_files, day};
use crate::support::mounts::{make_read_only, make_writable, may_mount};
use crate::support::{Run, cli, old_file};

/// What lies below a folder: sizes, and when each file was last written.
fn listing(folder: &Path) -> BTreeMap<PathBuf, (u64, SystemTime)> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let metadata = entry.metadata().unwrap();
        if metadata.is_dir() {
            found.extend(listing(&entry.path()));
        }
        found.insert(entry.path(), (metadata.len(), metadata.modified().unwrap()));
    }
    found
}

/// A fetch of the days up to one.
fn fetch_to(fixture: &Fixture, cache: &Path, to: i32, more: &[&str]) -> Run {
    let mut arguments = fixture.arguments(cache, more);
    let at = arguments.iter().position(|argument| argument == "--to").unwrap() + 1;
    arguments[at] = day(to);
    cli(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

fn refused(run: &Run) {
    assert_eq!((run.code, run.text("/error/code")), (1, "cache_unusable"), "{run:?}");
    assert!(run.text("/error/message").contains("read-only"), "{run:?}");
}

#[tokio::test]
async fn a_cache_on_a_read_only_disk() {
    if !may_mount("read_only_cache::a_cache_on_a_read_only_disk") {
        return;
    }
    let fixture = Fixture::new("read_only", 6, 4, 500).await;
    let cache = fixture.path("cache");
    let run = fixture.fetch(&cache, &[]);
    assert_eq!(run.code, 0, "{run:?}");
    let signature = run.text("/signature").to_owned();
    make_read_only(&cache);
    let before = listing(&cache);

    for more in [&[][..], &["--offline"]] {
        let run = fixture.fetch_and_compare(&cache, more);
        assert_eq!((run.code, run.count("/mongo_commands")), (0, 0), "{run:?}");
        assert_eq!((run.count("/days/from_cache"), run.count("/rows/input")), (6, 24), "{run:?}");
        assert!(run.last["complete"].as_bool().unwrap() && run.last["failure"].is_null(), "{run:?}");
    }
    let text = cache.to_string_lossy();
    let listed = cli(&["cached", "--cache", &text]);
    assert_eq!(listed.last["cached"][0]["days"], 6, "{listed:?}");

    // Days that are not cached are missing, and the answer says why; the server is not asked in vain.
    let run = fetch_to(&fixture, &cache, 8, &[]);
    assert_eq!((run.code, run.text("/answer"), run.count("/mongo_commands")), (3, "cache", 0), "{run:?}");
    assert_eq!((run.count("/days/from_cache"), run.text("/failure/code")), (6, "cache_unusable"), "{run:?}");
    assert!(run.text("/days/why_missing/0/why").contains("read-only"), "{run:?}");

    // Nothing of it is cached, and days of the broader query cannot be copied.
    refused(&fixture.fetch(&cache, &["--filter", "product=Power"]));
    for more in ["--refresh", "--verify"] {
        refused(&fixture.fetch(&cache, &[more]));
    }
    refused(&cli(&["pin", &signature, "--cache", &text]));
    refused(&cli(&["forget", &signature, "--cache", &text]));
    refused(&cli(&["forget", &signature, "--from", "2025-01-01", "--to", "2025-01-02", "--cache", &text]));
    refused(&cli(&["budget", "--set", "1GB", "--cache", &text]));
    assert_eq!(listing(&cache), before, "something was written");

    make_writable(&cache);
    let run = fetch_to(&fixture, &cache, 8, &[]);
    assert_eq!((run.code, run.count("/days/fetched")), (0, 2), "{run:?}");
}

#[tokio::test]
async fn a_file_that_is_read_only() {
    if !may_mount("read_only_cache::a_file_that_is_read_only") {
        return;
    }
    let fixture = Fixture::new("read_only_file", 4, 3, 500).await;
    let cache = fixture.path("cache");
    assert_eq!(fixture.fetch(&cache, &[]).code, 0);
    make_read_only(&cache_files(&cache)[0]);
    let before = listing(&cache);
    for more in [&[][..], &["--offline"]] {
        let run = fixture.fetch_and_compare(&cache, more);
        assert_eq!((run.code, run.count("/days/from_cache")), (0, 4), "{run:?}");
    }
    refused(&fixture.fetch(&cache, &["--refresh"]));
    assert_eq!(listing(&cache), before, "something was written");
    // A narrower query has a file of its own, and takes its days from this one.
    let run = fixture.fetch(&cache, &["--filter", "product=Power"]);
    assert_eq!((run.code, run.count("/days/adopted")), (0, 4), "{run:?}");
}

#[tokio::test]
async fn a_read_only_file_that_is_damaged_or_of_an_older_format() {
    if !may_mount("read_only_cache::a_read_only_file_that_is_damaged_or_of_an_older_format") {
        return;
    }
    let fixture = Fixture::new("read_only_damaged", 4, 3, 500).await;
    let cache = fixture.path("cache");
    assert_eq!(fixture.fetch(&cache, &[]).code, 0);
    let file = cache_files(&cache)[0].clone();
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[..4_096].fill(0);
    std::fs::write(&file, bytes).unwrap();
    make_read_only(&cache);
    let run = fixture.fetch(&cache, &[]);
    assert_eq!((run.code, run.text("/error/code")), (1, "cache_damaged"), "{run:?}");
    assert_eq!(cache_files(&cache), [file], "it stays where it is");

    let old = fixture.path("old");
    let path = old_file::put(&old, &fixture.database);
    make_read_only(&old);
    let mapping = fixture.path("mapping.json");
    std::fs::write(&mapping, old_file::MAPPING).unwrap();
    let run = fixture.fetch(&old, &["--mapping", &mapping.to_string_lossy()]);
    assert_eq!((run.code, run.text("/error/code")), (1, "cache_unusable"), "{run:?}");
    assert!(run.text("/error/message").contains("older Tidemark"), "{run:?}");
    assert!(path.exists());
}

#[test]
fn a_folder_with_a_question_mark() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("what?");
    let run = cli(&["budget", "--set", "1GB", "--cache", &cache.to_string_lossy()]);
    assert_eq!((run.code, run.text("/error/code")), (1, "cache_unusable"), "{run:?}");
    assert!(run.text("/error/message").contains("question mark"), "{run:?}");
    assert!(!cache.exists());
}
