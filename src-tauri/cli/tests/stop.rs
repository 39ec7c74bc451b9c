//! The program is asked to end: in the middle of a fetch, and in the middle of an export.
#![cfg(unix)]

#[allow(dead_code, reason = "one test uses its part")]
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::fixture::Fixture;
use crate::support::server;
use serde_json::Value;
use tidemark_test_support::wire::Wire;

fn start(arguments: &[String]) -> Child {
    crate::support::program()
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn send(child: &Child, signal: &str) {
    let done = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(done.success());
}

fn wait(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(30), "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// The exit code and the last line.
fn end(child: Child) -> (i32, Value) {
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let last = said.lines().last().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default();
    let code = output.status.code();
    (code.unwrap_or_else(|| panic!("ended by a signal: {}", String::from_utf8_lossy(&output.stderr))), last)
}

#[tokio::test]
async fn a_fetch_that_is_asked_to_end_leaves_no_cursor_and_no_file() {
    let mut fixture = Fixture::new("stop", 20, 600, 200).await;
    let wire = Wire::to(server().port());
    fixture.uri.clone_from(&wire.uri);
    for signal in ["-TERM", "-INT"] {
        let out = fixture.path(&format!("out{signal}"));
        std::fs::create_dir(&out).unwrap();
        let csv = out.join("rows.csv").to_string_lossy().into_owned();
        wire.hold_more();
        let child = start(&fixture.arguments(&fixture.path(&format!("cache{signal}")), &["--csv", &csv]));
        wait("cursors are asked for more", || !wire.held().is_empty());
        send(&child, signal);
        // The program gives up its cursors while their answers are held.
        std::thread::sleep(Duration::from_millis(300));
        let held = wire.held();
        wire.heal();
        let (code, last) = end(child);
        assert_eq!((code, last["error"]["code"].as_str()), (1, Some("cancelled")), "{signal}: {last}");
        let killed: Vec<i64> = wire
            .commands()
            .iter()
            .filter_map(|command| command.get_array("cursors").ok())
            .flatten()
            .filter_map(bson::Bson::as_i64)
            .collect();
        assert!(held.iter().all(|cursor| killed.contains(cursor)), "{signal}: {held:?}, {killed:?}");
        assert!(names(&out).is_empty(), "{signal}: {:?}", names(&out));
    }
}

/// What the server opens after the program has given up is closed, too.
#[tokio::test]
async fn a_fetch_that_is_asked_to_end_closes_what_is_opened_afterwards() {
    let mut fixture = Fixture::new("stop_opening", 20, 600, 200).await;
    let wire = Wire::to(server().port());
    fixture.uri.clone_from(&wire.uri);
    wire.hold_questions();
    let child = start(&fixture.arguments(&fixture.path("cache"), &[]));
    wait("a question is asked", || wire.questions_held() > 0);
    send(&child, "-TERM");
    std::thread::sleep(Duration::from_millis(300));
    wire.heal();
    let (code, last) = end(child);
    assert_eq!((code, last["error"]["code"].as_str()), (1, Some("cancelled")), "{last}");
    assert!(wire.commands().iter().any(|command| command.contains_key("killCursors")));
}

#[tokio::test]
async fn an_export_that_is_asked_to_end_leaves_no_half_file() {
    let fixture = Fixture::new("stop_export", 300, 200, 500).await;
    let cache = fixture.path("cache");
    assert_eq!(fixture.fetch(&cache, &[]).code, 0);
    let out = fixture.path("out");
    std::fs::create_dir(&out).unwrap();
    let csv = out.join("rows.csv").to_string_lossy().into_owned();
    let family =
        std::fs::read_dir(&cache).unwrap().flatten().map(|entry| entry.path()).find(|path| path.is_dir());
    let family = family.unwrap();
    let mut stopped = 0;
    for round in 0..20 {
        let child = start(&fixture.arguments(&cache, &["--offline", "--csv", &csv]));
        // Sooner or later within the export.
        let begun = Instant::now();
        let writes = || names(&family).iter().any(|name| name.ends_with(".export"));
        while !writes() && begun.elapsed() < Duration::from_secs(20) && !Path::new(&csv).exists() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(5 * round));
        send(&child, "-TERM");
        let (code, last) = end(child);
        assert!(names(&family).iter().all(|name| !name.ends_with(".export")), "{:?}", names(&family));
        if code == 0 {
            let written = std::fs::read_to_string(&csv).unwrap();
            assert_eq!(written.lines().count(), 60_001, "a file under its name is whole");
            std::fs::remove_file(&csv).unwrap();
            continue;
        }
        stopped += 1;
        assert_eq!((code, last["error"]["code"].as_str()), (1, Some("cancelled")), "{last}");
        assert!(names(&out).is_empty(), "{:?}", names(&out));
        if stopped == 3 {
            return;
        }
    }
    assert!(stopped > 0, "no export was met");
}
