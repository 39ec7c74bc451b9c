//! A disk that is full: the failure says so, what was committed stays, and with room again the next run fetches
//! just the rest.
//!
//! The disk is a small file system in memory, mounted where only this test sees it. Where nobody may mount one,
//! what was not run is printed, and `a_cache_whose_files_may_not_grow` is what is left: a limit of the system on
//! the size of files, which any Unix has.
#![cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "nothing is mounted there"))]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use crate::support::fixture::{Fixture, cache_files, day};
use crate::support::mounts::may_mount;
use crate::support::{cli, old_file, server};
use serde_json::Value;
use tidemark_engine::day::DayRange;
use tidemark_engine::engine::Engine;
use tidemark_engine::failure::Code;
use tidemark_engine::plan::ledger::FetchMode;
use tidemark_engine::query::filter::Filters;
use tidemark_engine::query::mapping::Mapping;
use tidemark_engine::query::source::Query;
use tidemark_engine::run::FetchRequest;
use tidemark_engine::source::{Source, SourceSettings};
use tokio_util::sync::CancellationToken;

const DAYS: i32 = 300;

/// A small disk. It goes with the process.
struct Disk {
    folder: PathBuf,
}

impl Disk {
    fn new(folder: PathBuf, size: &str) -> Self {
        std::fs::create_dir_all(&folder).unwrap();
        let disk = Self { folder };
        disk.mount(&format!("size={size}"));
        disk
    }

    fn resize(&self, size: &str) {
        self.mount(&format!("remount,size={size}"));
    }

    fn mount(&self, options: &str) {
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(&self.folder)
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
    }
}

/// Days of 2025 that the events of a run call stored.
fn stored(stdout: &str) -> usize {
    let events = stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let number = |event: &Value, name: &str| {
        let text = event[name].as_str().unwrap();
        (1..=365).find(|number| day(*number) == text).unwrap()
    };
    events
        .filter(|event| event["event"] == "chunk_stored")
        .map(|event| usize::try_from(number(&event, "to") - number(&event, "from") + 1).unwrap())
        .sum()
}

#[tokio::test]
async fn a_cache_on_a_full_disk() {
    if !may_mount("disk_full::a_cache_on_a_full_disk") {
        return;
    }
    let fixture = Fixture::new("full", DAYS, 8, 2_000).await;
    // From hardly room for a file to hardly too little.
    for size in ["16k", "300k", "700k", "1200k", "2m", "3m", "4m", "6m", "8m"] {
        let disk = Disk::new(fixture.path(&format!("disk-{size}")), size);
        let cache = disk.folder.join("cache");
        let run = fixture.fetch(&cache, &["--events"]);
        assert_eq!((run.code, run.text("/error/code")), (1, "disk_full"), "{size}: {run:?}");
        assert!(run.text("/error/message").contains("no space left"), "{size}: {run:?}");
        disk.resize("64m");
        only_the_rest_is_fetched(&fixture, &cache, size, stored(&run.stdout));
    }
}

/// With room again: what was told to be stored is held and whole, and the next run fetches the rest.
fn only_the_rest_is_fetched(fixture: &Fixture, cache: &Path, what: &str, told: usize) -> usize {
    let offline = fixture.fetch_and_compare(cache, &["--offline"]);
    let held = match offline.code {
        3 => usize::try_from(offline.count("/days/from_cache")).unwrap(),
        1 if offline.text("/error/code") == "not_cached" => 0,
        _ => panic!("{what}: {offline:?}"),
    };
    println!("{what}: {told} days told, {held} held");
    assert!(told <= held, "{what}: {told} days were told to be stored, {held} are held");
    let rest = fixture.fetch_and_compare(cache, &[]);
    assert_eq!((rest.code, rest.last.get("notes")), (0, None), "{what}: {rest:?}");
    let days = u64::try_from(DAYS).unwrap();
    assert_eq!(rest.count("/days/fetched"), days - held as u64, "{what}: {rest:?}");
    let again = fixture.fetch_and_compare(cache, &[]);
    assert_eq!((again.code, again.count("/mongo_commands")), (0, 0), "{what}: {again:?}");
    assert_eq!(cache_files(cache).len(), 1, "{what}");
    held
}

/// A limit on the size of files, as quotas and some file systems have one: it needs no right to mount.
#[cfg(unix)]
#[tokio::test]
async fn a_cache_whose_files_may_not_grow() {
    let fixture = Fixture::new("full_limit", DAYS, 8, 2_000).await;
    let mut kept = 0;
    for kilobytes in [16, 1_200, 3_000, 4_000] {
        let what = format!("{kilobytes} KB a file");
        let cache = fixture.path(&format!("limited-{kilobytes}"));
        // In `ulimit` a block has 512 bytes in some shells and 1,024 in others. Without the trap the program
        // would be ended by a signal.
        let script = format!("trap '' XFSZ; ulimit -f {kilobytes}; exec \"$0\" \"$@\"");
        let output =
            crate::support::shell(&script).args(fixture.arguments(&cache, &["--events"])).output().unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        let last: Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
        let code = last.pointer("/error/code").and_then(Value::as_str);
        assert_eq!((output.status.code(), code), (Some(1), Some("disk_full")), "{what}: {last}");
        kept += only_the_rest_is_fetched(&fixture, &cache, &what, stored(&told));
    }
    assert!(kept > 0, "some of the limits were met in the middle of a fetch");
}

/// A file of an older format on a full disk: it stays as it was, and is migrated once there is room.
#[tokio::test]
async fn a_migration_on_a_full_disk() {
    if !may_mount("disk_full::a_migration_on_a_full_disk") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::new(folder.path().join("disk"), "8m");
    let cache = disk.folder.join("cache");
    let file = old_file::put(&cache, "full_format");
    std::fs::write(folder.path().join("mapping.json"), old_file::MAPPING).unwrap();
    let before = std::fs::read(&file).unwrap();
    let ballast = fill(&disk.folder);
    let (cache, mapping) = (cache.to_string_lossy(), folder.path().join("mapping.json"));
    let mut arguments =
        vec!["fetch", "--uri", server().uri(), "--db", "full_format", "--collection", "trades"];
    let mapping = mapping.to_string_lossy();
    arguments.extend([
        "--mapping",
        &mapping,
        "--cache",
        &cache,
        "--from",
        "2025-03-01",
        "--to",
        "2025-03-04",
    ]);
    let run = cli(&arguments);
    assert_eq!((run.code, run.text("/error/code")), (1, "disk_full"), "{run:?}");
    assert_eq!(cache_files(Path::new(&*cache)), [file.as_path()], "nothing is moved aside");
    assert!(std::fs::read(&file).unwrap() == before, "nothing of it is changed");
    std::fs::remove_file(ballast).unwrap();
    let run = cli(&arguments);
    let days = (run.count("/days/from_cache"), run.count("/rows/input"), run.count("/rows/downstream"));
    assert_eq!((run.code, run.count("/mongo_commands"), days), (0, 0, (4, 6, 6)), "{run:?}");
    assert_ne!(old_file::format_of(&file), "1");
}

/// What is cached can be looked at while the disk is full.
#[tokio::test]
async fn a_full_disk_can_be_read() {
    if !may_mount("disk_full::a_full_disk_can_be_read") {
        return;
    }
    let fixture = Fixture::new("full_read", 60, 8, 1_000).await;
    let disk = Disk::new(fixture.path("disk"), "16m");
    let cache = disk.folder.join("cache");
    assert_eq!(fixture.fetch(&cache, &[]).code, 0);
    fill(&disk.folder);
    for more in [&[][..], &["--offline"]] {
        let run = fixture.fetch_and_compare(&cache, more);
        assert_eq!((run.code, run.count("/days/from_cache")), (0, 60), "{run:?}");
    }
    let run = fixture.fetch(&cache, &["--refresh"]);
    assert_eq!((run.code, run.text("/error/code")), (1, "disk_full"), "{run:?}");
    let run = fixture.fetch_and_compare(&cache, &["--offline"]);
    assert_eq!((run.code, run.count("/days/from_cache")), (0, 60), "{run:?}");
}

/// Fills a disk with one file.
fn fill(folder: &Path) -> PathBuf {
    let path = folder.join("ballast");
    let mut ballast = std::fs::File::create(&path).unwrap();
    for size in [65_536, 4_096, 1] {
        while ballast.write_all(&vec![0; size]).is_ok() {}
    }
    path
}

#[tokio::test]
async fn a_csv_on_a_full_disk() {
    if !may_mount("disk_full::a_csv_on_a_full_disk") {
        return;
    }
    let fixture = Fixture::new("full_csv", 60, 20, 1_000).await;
    let disk = Disk::new(fixture.path("disk"), "300k");
    let cache = fixture.path("cache");
    for name in ["csv", "downstream-csv"] {
        let csv = disk.folder.join("rows.csv");
        if name == "downstream-csv" {
            fill(&disk.folder);
        }
        let run = fixture.fetch(&cache, &[&format!("--{name}"), &csv.to_string_lossy()]);
        assert_eq!((run.code, run.text("/error/code")), (1, "disk_full"), "{name}: {run:?}");
        assert!(run.text("/error/message").contains("for the file"), "{run:?}");
        let left: Vec<_> =
            std::fs::read_dir(&disk.folder).unwrap().flatten().map(|entry| entry.path()).collect();
        assert!(left.iter().all(|path| path.ends_with("ballast")), "half a file helps nobody: {left:?}");
    }
    let run = fixture.fetch_and_compare(&cache, &[]);
    assert_eq!(
        (run.code, run.count("/days/from_cache"), run.count("/mongo_commands")),
        (0, 60, 0),
        "{run:?}"
    );
}

/// A window that stays open goes on by itself once there is room.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_goes_on_after_a_full_disk() {
    if !may_mount("disk_full::a_program_that_goes_on_after_a_full_disk") {
        return;
    }
    let fixture = Fixture::new("full_window", DAYS, 8, 2_000).await;
    let mapping = Mapping::default();
    let source = Source::new(&SourceSettings {
        uri: server().uri().to_owned(),
        password: None,
        database: fixture.database.clone(),
        collection: "trades".to_owned(),
    })
    .unwrap();
    let query = Query {
        source: source.identity().clone(),
        filters: Filters::parse(&mapping, &[], "").unwrap(),
        mapping,
    };
    let range = DayRange::parse("2025-01-01", &fixture.to()).unwrap();
    let request = FetchRequest { query, range, mode: FetchMode::Normal, offline: false };
    for size in ["300k", "1200k", "4m"] {
        let disk = Disk::new(fixture.path(&format!("disk-{size}")), size);
        let cache = disk.folder.join("cache");
        let engine = Engine::new(&cache, 3).unwrap();
        let fetch = || engine.fetch(Some(&source), &request, Arc::new(|_| {}), CancellationToken::new());
        for _ in 0..2 {
            let failure = fetch().await.unwrap_err();
            assert_eq!(failure.code, Code::DiskFull, "{size}: {failure:?}");
        }
        disk.resize("64m");
        let answer = fetch().await.unwrap_or_else(|failure| panic!("{size}: {failure:?}"));
        assert!(answer.complete && answer.notes.is_empty(), "{size}: {answer:?}");
        drop(engine);
        let run = fixture.fetch_and_compare(&cache, &[]);
        assert_eq!((run.code, run.count("/mongo_commands")), (0, 0), "{size}: {run:?}");
    }
}
