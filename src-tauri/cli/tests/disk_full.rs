//! A disk that is full: the failure says so, what was committed stays, and with room again the next run fetches
//! just the rest. The disk is a small file system in memory, mounted where only this test sees it.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod support;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use serde_json::Value;
use support::desk::{Desk, cache_files, day};
use support::server;
use tidemark_engine::day::DayRange;
use tidemark_engine::desk::FetchMode;
use tidemark_engine::failure::Code;
use tidemark_engine::filter::Filters;
use tidemark_engine::mapping::Mapping;
use tidemark_engine::run::{Engine, FetchRequest};
use tidemark_engine::signature::Query;
use tidemark_engine::source::{Source, SourceSettings};
use tokio_util::sync::CancellationToken;

const DAYS: i32 = 300;

/// Whether this process may mount disks that nobody else sees. If not, the test runs again in one that may,
/// which any user can start on most systems.
fn may_mount(test: &str) -> bool {
    const INSIDE: &str = "TIDEMARK_TEST_MOUNTS";
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let inside = || {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount"]);
        command
    };
    let probe = inside().args(["mount", "-t", "tmpfs", "tmpfs", "/tmp"]).output();
    if !probe.is_ok_and(|done| done.status.success()) {
        eprintln!("SKIPPED {test}: this system lets nobody mount a small disk.");
        return false;
    }
    let program = std::env::current_exe().unwrap();
    let again =
        inside().arg(program).args(["--exact", test, "--nocapture"]).env(INSIDE, "1").output().unwrap();
    let [told, said] = [&again.stdout, &again.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(again.status.success() && told.contains("1 passed"), "{told}{said}");
    print!("{told}");
    false
}

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
    if !may_mount("a_cache_on_a_full_disk") {
        return;
    }
    let desk = Desk::new("full", DAYS, 8, 2_000).await;
    // From hardly room for a file to hardly too little.
    for size in ["16k", "300k", "700k", "1200k", "2m", "3m", "4m", "6m", "8m"] {
        let disk = Disk::new(desk.path(&format!("disk-{size}")), size);
        let cache = disk.folder.join("cache");
        let run = desk.fetch(&cache, &["--events"]);
        assert_eq!((run.code, run.text("/error/code")), (1, "disk_full"), "{size}: {run:?}");
        assert!(run.text("/error/message").contains("no room left"), "{size}: {run:?}");
        let told = stored(&run.stdout);
        disk.resize("64m");
        let offline = desk.fetch_and_compare(&cache, &["--offline"]);
        let held = match offline.code {
            3 => usize::try_from(offline.count("/days/from_cache")).unwrap(),
            1 if offline.text("/error/code") == "not_cached" => 0,
            _ => panic!("{size}: {offline:?}"),
        };
        println!("{size}: {told} days told, {held} held");
        assert!(told <= held, "{size}: {told} days were told to be stored, {held} are held");
        let rest = desk.fetch_and_compare(&cache, &[]);
        assert_eq!((rest.code, rest.last.get("notes")), (0, None), "{size}: {rest:?}");
        assert_eq!(
            rest.count("/days/fetched"),
            u64::try_from(DAYS).unwrap() - held as u64,
            "{size}: {rest:?}"
        );
        let again = desk.fetch_and_compare(&cache, &[]);
        assert_eq!((again.code, again.count("/mongo_commands")), (0, 0), "{size}: {again:?}");
        assert_eq!(cache_files(&cache).len(), 1, "{size}");
    }
}

/// What is cached can be looked at while the disk is full.
#[tokio::test]
async fn a_full_disk_can_be_read() {
    if !may_mount("a_full_disk_can_be_read") {
        return;
    }
    let desk = Desk::new("full_read", 60, 8, 1_000).await;
    let disk = Disk::new(desk.path("disk"), "16m");
    let cache = disk.folder.join("cache");
    assert_eq!(desk.fetch(&cache, &[]).code, 0);
    fill(&disk.folder);
    for more in [&[][..], &["--offline"]] {
        let run = desk.fetch_and_compare(&cache, more);
        assert_eq!((run.code, run.count("/days/from_cache")), (0, 60), "{run:?}");
    }
    let run = desk.fetch(&cache, &["--refresh"]);
    assert_eq!((run.code, run.text("/error/code")), (1, "disk_full"), "{run:?}");
    let run = desk.fetch_and_compare(&cache, &["--offline"]);
    assert_eq!((run.code, run.count("/days/from_cache")), (0, 60), "{run:?}");
}

fn fill(folder: &Path) {
    let mut ballast = std::fs::File::create(folder.join("ballast")).unwrap();
    for size in [65_536, 4_096, 1] {
        while ballast.write_all(&vec![0; size]).is_ok() {}
    }
}

#[tokio::test]
async fn a_csv_on_a_full_disk() {
    if !may_mount("a_csv_on_a_full_disk") {
        return;
    }
    let desk = Desk::new("full_csv", 60, 20, 1_000).await;
    let disk = Disk::new(desk.path("disk"), "300k");
    let cache = desk.path("cache");
    for name in ["csv", "downstream-csv"] {
        let csv = disk.folder.join("rows.csv");
        if name == "downstream-csv" {
            fill(&disk.folder);
        }
        let run = desk.fetch(&cache, &[&format!("--{name}"), &csv.to_string_lossy()]);
        assert_eq!((run.code, run.text("/error/code")), (1, "disk_full"), "{name}: {run:?}");
        assert!(run.text("/error/message").contains("CSV"), "{run:?}");
        let left: Vec<_> =
            std::fs::read_dir(&disk.folder).unwrap().flatten().map(|entry| entry.path()).collect();
        assert!(left.iter().all(|path| path.ends_with("ballast")), "half a file helps nobody: {left:?}");
    }
    let run = desk.fetch_and_compare(&cache, &[]);
    assert_eq!(
        (run.code, run.count("/days/from_cache"), run.count("/mongo_commands")),
        (0, 60, 0),
        "{run:?}"
    );
}

/// A window that stays open goes on by itself once there is room.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_goes_on_after_a_full_disk() {
    if !may_mount("a_program_that_goes_on_after_a_full_disk") {
        return;
    }
    let desk = Desk::new("full_window", DAYS, 8, 2_000).await;
    let mapping = Mapping::default();
    let source = Source::new(&SourceSettings {
        uri: server().uri().to_owned(),
        password: None,
        database: desk.database.clone(),
        collection: "trades".to_owned(),
    })
    .unwrap();
    let query = Query {
        source: source.identity().clone(),
        filters: Filters::parse(&mapping, &[], "").unwrap(),
        mapping,
    };
    let range = DayRange::parse("2025-01-01", &desk.to()).unwrap();
    let request = FetchRequest { query, range, mode: FetchMode::Normal, offline: false };
    for size in ["300k", "1200k", "4m"] {
        let disk = Disk::new(desk.path(&format!("disk-{size}")), size);
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
        let run = desk.fetch_and_compare(&cache, &[]);
        assert_eq!((run.code, run.count("/mongo_commands")), (0, 0), "{size}: {run:?}");
    }
}
