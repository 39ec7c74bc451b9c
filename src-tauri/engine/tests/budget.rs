//! The cache's budget: what goes, what stays, and what is told of it.

use std::path::{Path, PathBuf};

use crate::support::fixture::{Fixture, range};
use tidemark_engine::answer::Answer;
use tidemark_engine::answer::note::Note;
use tidemark_engine::api::rows::ViewKey;
use tidemark_engine::cache::store::budget::DEFAULT_BUDGET;
use tidemark_engine::failure::Code;
use tidemark_engine::plan::ledger::FetchMode;
use tidemark_engine::query::signature::Signature;
use tidemark_engine::rows::{Role, RowQuery};
use tidemark_engine::run::FetchRequest;
use tidemark_test_support::{Gate, server, until};
use tokio_util::sync::CancellationToken;

const FROM: &str = "2025-03-01";
const TO: &str = "2025-03-31";

/// Fetches the days of one product at a time of the clock.
async fn fetch(fixture: &Fixture, product: &str, at: &str) -> (Signature, Answer) {
    fixture.set_clock(at);
    let query = fixture.query(&[product]);
    let signature = Signature::of(&query);
    let request = FetchRequest { query, ..fixture.request(FROM, TO) };
    (signature, fixture.run(request).await.result.unwrap())
}

/// Three queries: "Power" used first, "Gas" second, "Oil" last, each in a process of its own.
async fn three(fixture: &mut Fixture) -> [Signature; 3] {
    let (power, _) = fetch(fixture, "Power", "2026-01-15T09:00:00Z").await;
    let (gas, _) = fetch(fixture, "Gas", "2026-01-15T10:00:00Z").await;
    let (oil, _) = fetch(fixture, "Oil", "2026-01-15T11:00:00Z").await;
    fixture.reopen();
    [power, gas, oil]
}

async fn held(fixture: &Fixture) -> Vec<Signature> {
    let queries = fixture.engine.cached_queries().await.unwrap();
    queries.iter().map(|query| Signature::parse(&query.signature).unwrap()).collect()
}

/// Bytes on the disk, whatever they are.
fn on_disk(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { on_disk(&path) } else { path.metadata().unwrap().len() }).sum()
}

fn beside(fixture: &Fixture, signature: &Signature) -> Vec<PathBuf> {
    let families = std::fs::read_dir(fixture.folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let files = families.filter(|path| path.is_dir()).flat_map(|path| std::fs::read_dir(path).unwrap());
    let files = files.map(|entry| entry.unwrap().path());
    files.filter(|path| path.to_string_lossy().contains(signature.as_str())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_least_recently_used_goes_and_frees_its_disk() {
    let mut fixture = Fixture::new("budget_order").await;
    let [power, gas, oil] = three(&mut fixture).await;
    let before = fixture.engine.cache_usage().await.unwrap();
    assert_eq!((before.budget, before.queries), (DEFAULT_BUDGET, 3));
    // Looking at the list is no use of a query; looking at its rows is.
    fixture.set_clock("2026-01-15T12:00:00Z");
    assert_eq!(held(&fixture).await.len(), 3);
    fixture.ids(&fixture.query(&["Power"]), range(FROM, TO), Role::Input).await;
    fixture.reopen();

    let preview = fixture.engine.preview_eviction(before.bytes - 1).await.unwrap();
    assert_eq!(held(&fixture).await.len(), 3, "a preview removes nothing");
    let freed = fixture.engine.set_cache_budget(before.bytes - 1).await.unwrap();
    assert_eq!(preview.queries, [gas.to_string()]);
    assert_eq!(preview.left, freed.left);
    assert_eq!((freed.queries.as_slice(), freed.moved_aside), ([gas.clone()].as_slice(), 0));
    assert!(beside(&fixture, &gas).is_empty(), "{:?}", beside(&fixture, &gas));
    let after = fixture.engine.cache_usage().await.unwrap();
    assert_eq!((after.bytes, after.queries), (before.bytes - freed.bytes, 2));
    // Besides the files there is the budget itself, some dozen bytes.
    assert!(on_disk(fixture.folder.path()) < after.bytes + 100);

    let mut left = held(&fixture).await;
    left.sort_by_key(|signature| signature.to_string());
    let mut wanted = vec![power, oil];
    wanted.sort_by_key(|signature| signature.to_string());
    assert_eq!(left, wanted);
    // What went can be fetched again, whole.
    fixture.engine.set_cache_budget(DEFAULT_BUDGET).await.unwrap();
    let (_, answer) = fetch(&fixture, "Gas", "2026-01-15T13:00:00Z").await;
    assert!(answer.complete && answer.days.fetched == 31, "{answer:?}");
}

/// A program that stays open frees the disk as well: no file that went is kept open by it.
#[tokio::test(flavor = "multi_thread")]
async fn the_disk_is_free_at_once_also_where_the_program_goes_on() {
    let fixture = Fixture::new("budget_at_once").await;
    let mut queries = Vec::new();
    for (at, product) in ["Power", "Gas", "Oil", "Coal", "Wind"].into_iter().enumerate() {
        let (query, _) = fetch(&fixture, product, &format!("2026-01-15T{:02}:00:00Z", 9 + at)).await;
        // Looked at, so that its file and a view of it are open; the next ones take its place on the screen.
        fixture.ids(&fixture.query(&[product]), range(FROM, TO), Role::Input).await;
        queries.push(query);
    }
    let before = fixture.engine.cache_usage().await.unwrap();
    let freed = fixture.engine.set_cache_budget(0).await.unwrap();
    assert_eq!(freed.queries, queries[..2], "the last three may be looked at still");
    let left = fixture.engine.cache_usage().await.unwrap();
    assert_eq!(left.bytes, before.bytes - freed.bytes);
    assert!(on_disk(fixture.folder.path()) < left.bytes + 100, "{left:?}");
    assert_eq!(deleted_and_open(fixture.folder.path()), Vec::<PathBuf>::new());
}

/// Files below a folder that were deleted and still take up room, because this process has them open. Linux
/// can tell; Windows would not have deleted them.
fn deleted_and_open(folder: &Path) -> Vec<PathBuf> {
    let Ok(open) = std::fs::read_dir("/proc/self/fd") else { return Vec::new() };
    let targets = open.flatten().filter_map(|entry| std::fs::read_link(entry.path()).ok());
    targets
        .filter(|target| target.starts_with(folder) && target.to_string_lossy().ends_with(" (deleted)"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pinned_query_stays_also_in_the_next_process() {
    let mut fixture = Fixture::new("budget_pinned").await;
    let [power, gas, oil] = three(&mut fixture).await;
    fixture.engine.pin(&power, true).await.unwrap();
    fixture.reopen();
    let listed = fixture.engine.cached_queries().await.unwrap();
    let pinned: Vec<&str> =
        listed.iter().filter(|query| query.pinned).map(|query| query.signature.as_str()).collect();
    assert_eq!(pinned, [power.as_str()]);
    let times: Vec<String> =
        listed.iter().map(|query| query.last_used.unwrap().format("%H:%M").to_string()).collect();
    assert_eq!(times, ["11:00", "10:00", "09:00"]);

    let freed = fixture.engine.set_cache_budget(0).await.unwrap();
    assert_eq!(freed.queries, [gas, oil]);
    assert_eq!(held(&fixture).await.as_slice(), std::slice::from_ref(&power));
    // Its rows are whole.
    assert_eq!(fixture.ids(&fixture.query(&["Power"]), range(FROM, TO), Role::Input).await.len(), 5);
    fixture.engine.pin(&power, false).await.unwrap();
    fixture.reopen();
    assert_eq!(fixture.engine.set_cache_budget(0).await.unwrap().queries, [power]);
    assert!(held(&fixture).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_keeps_within_the_budget_and_says_so() {
    let mut fixture = Fixture::new("budget_fetch").await;
    let [power, gas, _] = three(&mut fixture).await;
    let usage = fixture.engine.cache_usage().await.unwrap();
    fixture.engine.set_cache_budget(usage.bytes).await.unwrap();
    fixture.set_clock("2026-01-15T12:00:00Z");
    let all = fixture.run(fixture.request(FROM, TO)).await;
    let answer = all.answer();
    assert!(answer.complete && answer.rows.input == 15, "{answer:?}");
    let told =
        answer.notes.iter().find(|note| note.to_string().starts_with("To keep the cache within")).unwrap();
    assert!(told.to_string().contains("least recently used"), "{told}");
    let left = held(&fixture).await;
    assert!(left.contains(&fixture.signature()) && !left.contains(&power), "{left:?}");
    assert!(fixture.engine.cache_usage().await.unwrap().bytes <= usage.bytes);
    // A repeat stores nothing, so nothing goes.
    fixture.engine.cache().set_budget(0).unwrap();
    let answer = fixture.fetch(FROM, TO).await;
    assert!(answer.mongo_commands == 0 && answer.notes.is_empty(), "{answer:?}");
    assert_eq!(held(&fixture).await.len(), left.len());
    // A query that alone is too much for the budget is answered all the same, and the trader told.
    let (own, answer) = fetch(&fixture, "Gas", "2026-01-15T13:00:00Z").await;
    assert!(answer.complete && own == gas, "{answer:?}");
    let notes = fixture.fetch_as(FetchMode::Refresh, FROM, TO).await.notes;
    let is_over = |note: &Note| note.to_string().contains("more than its budget of 0 B");
    assert!(notes.iter().any(is_over), "{notes:?}");
    assert!(held(&fixture).await.contains(&fixture.signature()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_fetched_or_looked_at_stays() {
    let gate = Gate::to(server().port(), 0);
    let fixture =
        Fixture::at(&gate.uri, server().uri(), "budget_running", "", crate::support::fixture::year()).await;
    let running = fixture.start(fixture.request(FROM, TO), &CancellationToken::new()).1;
    until("the pull has begun", || gate.arrived() > 0).await;
    let freed = fixture.engine.set_cache_budget(0).await.unwrap();
    assert!(freed.queries.is_empty(), "{freed:?}");
    gate.open();
    assert!(running.await.unwrap().unwrap().complete);

    // Its rows stand in the window still.
    let preview = fixture.engine.preview_eviction(0).await.unwrap();
    assert!(preview.queries.is_empty() && preview.left > 0, "{preview:?}");
    let freed = fixture.engine.set_cache_budget(0).await.unwrap();
    assert!(freed.queries.is_empty(), "{freed:?}");
    assert_eq!(fixture.ids(&fixture.query(&[]), range(FROM, TO), Role::Input).await.len(), 15);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_set_aside_goes_last_and_what_is_not_ours_stays() {
    let mut fixture = Fixture::new("budget_aside").await;
    let [power, ..] = three(&mut fixture).await;
    let file =
        beside(&fixture, &power).into_iter().find(|path| path.extension().unwrap() == "duckdb").unwrap();
    let family = file.parent().unwrap();
    let theirs =
        [family.join("copy.duckdb"), family.join("notes.txt"), fixture.folder.path().join("a.duckdb")];
    for path in &theirs {
        std::fs::write(path, vec![b'x'; 100_000]).unwrap();
    }
    std::fs::write(&file, b"no database at all").unwrap();
    fixture.reopen();
    let (_, answer) = fetch(&fixture, "Power", "2026-01-15T12:00:00Z").await;
    assert!(
        answer.complete && answer.notes.iter().any(|note| note.to_string().contains("moved aside")),
        "{answer:?}"
    );
    fixture.reopen();
    let freed = fixture.engine.set_cache_budget(18).await.unwrap();
    assert_eq!((freed.moved_aside, freed.queries.len(), freed.left), (0, 3, 18));
    let freed = fixture.engine.set_cache_budget(0).await.unwrap();
    assert_eq!((freed.moved_aside, freed.bytes), (1, 18));
    assert!(theirs.iter().all(|path| path.exists()));
}

/// With a note of the format beside the file, as a newer Tidemark leaves it, and without one.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_a_newer_format_stays_and_the_report_says_so() {
    let mut fixture = Fixture::new("budget_newer").await;
    let [power, gas, oil] = three(&mut fixture).await;
    let of = |signature: &Signature, ending: &str| {
        let files = beside(&fixture, signature);
        files.into_iter().find(|path| path.extension().is_some_and(|found| found == ending))
    };
    let files = [&power, &gas].map(|signature| of(signature, "duckdb").unwrap());
    for file in &files {
        let newer = "UPDATE meta SET value = '99' WHERE key = 'format'";
        duckdb::Connection::open(file).unwrap().execute_batch(newer).unwrap();
    }
    let found = std::fs::metadata(&files[0]).unwrap();
    let written = found.modified().unwrap().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    std::fs::write(of(&power, "format").unwrap(), format!("99 {} {written}", found.len())).unwrap();
    std::fs::remove_file(of(&gas, "format").unwrap()).unwrap();
    let bytes = files.each_ref().map(|file| std::fs::read(file).unwrap());

    let preview = fixture.engine.preview_eviction(0).await.unwrap();
    assert_eq!((preview.queries.as_slice(), preview.newer), ([oil.to_string()].as_slice(), 2));
    let freed = fixture.engine.set_cache_budget(0).await.unwrap();
    assert_eq!((freed.queries.as_slice(), freed.newer, freed.left), ([oil].as_slice(), 2, preview.left));
    assert!(files.each_ref().map(|file| std::fs::read(file).unwrap()) == bytes, "they are left alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_that_cannot_be_read_deletes_nothing() {
    let fixture = Fixture::new("budget_unreadable").await;
    fetch(&fixture, "Power", "2026-01-15T09:00:00Z").await;
    std::fs::write(fixture.folder.path().join("tidemark.json"), "{\"budget_bytes\": \"little\"}").unwrap();
    let (_, answer) = fetch(&fixture, "Gas", "2026-01-15T10:00:00Z").await;
    assert!(answer.notes.iter().any(|note| note.to_string().contains("budget cannot be read")), "{answer:?}");
    assert_eq!(held(&fixture).await.len(), 2);
    fixture.engine.set_cache_budget(1_000_000_000).await.unwrap();
    assert_eq!(fixture.engine.cache_usage().await.unwrap().budget, 1_000_000_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_whose_query_went_says_that_it_is_not_cached() {
    let mut fixture = Fixture::new("budget_gone").await;
    let [power, ..] = three(&mut fixture).await;
    fixture.engine.set_cache_budget(0).await.unwrap();
    let days = range(FROM, TO);
    let key = ViewKey { signature: power.to_string(), from: days.from(), to: days.to() };
    let failure = fixture.engine.page(&key, &RowQuery::of(Role::Input), 0, 10).await.unwrap_err();
    assert_eq!(failure.code, Code::NotCached, "{failure:?}");
    let failure = fixture.engine.pin(&power, true).await.unwrap_err();
    assert_eq!(failure.code, Code::NotCached, "{failure:?}");
}
