//! Files of other formats. `data/format-1.duckdb.gz` was written by the last program of format 1, from six
//! trades of three days and a message each; the fourth day is empty.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tidemark_engine::answer::{Answer, Origin};
use tidemark_engine::api::rows::ViewKey;
use tidemark_engine::cache::Identity;
use tidemark_engine::day::{Day, DayRange};
use tidemark_engine::engine::Engine;
use tidemark_engine::failure::{Code, Failure, Result};
use tidemark_engine::plan::ledger::FetchMode;
use tidemark_engine::query::collation::Collation;
use tidemark_engine::query::filter::Filters;
use tidemark_engine::query::form::{FilterInput, FilterOperator};
use tidemark_engine::query::mapping::Mapping;
use tidemark_engine::query::signature::Signature;
use tidemark_engine::query::source::Query;
use tidemark_engine::rows::{Role, RowQuery};
use tidemark_engine::run::FetchRequest;
use tidemark_engine::source::{Source, SourceSettings};
use tokio_util::sync::CancellationToken;

/// The server that the file was filled from; it is gone.
const URI: &str = "mongodb://127.0.0.1:27999/?directConnection=true";
const FILE: &[u8] = include_bytes!("data/format-1.duckdb.gz");

fn query(source: &Source, products: &[&str]) -> Query {
    let mapping = Mapping::parse(r#"{"changed_at": "changed"}"#).unwrap();
    let input = FilterInput {
        field: "product".to_owned(),
        operator: FilterOperator::AnyOf,
        values: products.iter().map(|&text| text.to_owned()).collect(),
    };
    let filters = Filters::parse(&mapping, &[input], "").unwrap();
    Query { source: source.identity().clone(), mapping, filters }
}

fn source() -> Source {
    let settings = SourceSettings {
        uri: URI.to_owned(),
        password: None,
        database: "format".to_owned(),
        collection: "trades".to_owned(),
    };
    Source::new(&settings).unwrap()
}

fn engine(folder: &tempfile::TempDir) -> Engine {
    let now: DateTime<Utc> = "2026-01-16T12:00:00Z".parse().unwrap();
    Engine::new(folder.path(), 0).unwrap().with_clock(Arc::new(move || now))
}

/// A cache folder with the old file in its place.
fn old_cache(source: &Source) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let identity = Identity::of(&query(source, &[]));
    let path = folder.path().join(&identity.family).join(format!("{}.duckdb", identity.signature));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut file = std::fs::File::create(&path).unwrap();
    std::io::copy(&mut flate2::read::GzDecoder::new(FILE), &mut file).unwrap();
    (folder, path)
}

async fn fetch(engine: &Engine, source: &Source, products: &[&str], offline: bool) -> Result<Answer> {
    let request = FetchRequest {
        query: query(source, products),
        range: DayRange::parse("2025-03-01", "2025-03-04").unwrap(),
        mode: FetchMode::Normal,
        offline,
    };
    engine.fetch(Some(source), &request, Arc::new(|_| {}), CancellationToken::new()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_format_1_is_migrated_and_serves_its_days() {
    let source = source();
    let (folder, path) = old_cache(&source);
    for _ in 0..2 {
        let engine = engine(&folder);
        let answer = fetch(&engine, &source, &[], false).await.unwrap();
        assert_eq!((answer.answer, answer.complete), (Origin::Cache, true), "{answer:?}");
        assert_eq!((answer.mongo_commands, answer.days.from_cache), (0, 4));
        assert_eq!(answer.oldest_fetch, Some("2026-01-15T12:00:00Z".parse().unwrap()));
        let signature = Signature::of(&query(&source, &[])).to_string();
        let range = DayRange::parse("2025-03-01", "2025-03-04").unwrap();
        let key = ViewKey { signature, from: range.from(), to: range.to() };
        let rows = async |role| engine.page(&key, &RowQuery::of(role), 0, 10).await;
        let input = rows(Role::Input).await.unwrap().rows;
        let wanted: Vec<Vec<Option<String>>> = (0..6_i64)
            .map(|n| {
                let changed = (n + 9_007_199_254_740_993).to_string();
                [
                    &n.to_string(),
                    &format!("T{n}"),
                    "2025",
                    &(60 + n / 2).to_string(),
                    &changed,
                    "Gas",
                    &n.to_string(),
                    "1.10",
                ]
                .map(|text| Some(text.to_owned()))
                .to_vec()
            })
            .collect();
        assert_eq!(input, wanted);
        let messages: Vec<_> = rows(Role::Downstream).await.unwrap().rows;
        let ids: Vec<_> = messages.iter().map(|row| row[0].clone().unwrap()).collect();
        assert_eq!(ids, ["M0", "M1", "M2", "M3", "M4", "M5"]);
        let detail = engine.row_detail(&key, &RowQuery::of(Role::Input), 2).await.unwrap();
        assert!(detail.canonical.contains("\"$numberLong\": \"9007199254740995\""), "{}", detail.canonical);
    }
    let open = || tokio::task::block_in_place(|| engine(&folder).cache().open_listed(&path).unwrap());
    let file = open();
    assert!(!file.pinned());
    assert_eq!(file.collation(), Collation::Unknown);
    file.set_pinned(true).unwrap();
    file.record_collation(&Collation::Simple).unwrap();
    drop(file);
    let file = open();
    assert!(file.pinned(), "the file remembers");
    assert_eq!(file.collation(), Collation::Simple);
    file.set_pinned(false).unwrap();
    assert!(!file.pinned());
}

#[tokio::test(flavor = "multi_thread")]
async fn days_are_adopted_only_from_a_source_that_compares_text_plainly() {
    let source = source();
    let (folder, path) = old_cache(&source);
    let engine = engine(&folder);
    let unknown = fetch(&engine, &source, &["Gas"], true).await;
    assert!(unknown.is_err(), "a file of format 1 does not say how its source compares text: {unknown:?}");
    let collation = |collation: &Collation| {
        tokio::task::block_in_place(|| {
            engine.cache().open_listed(&path).unwrap().record_collation(collation).unwrap();
        });
    };
    collation(&Collation::Own(r#"{"locale": "en", "strength": 2}"#.to_owned()));
    assert!(fetch(&engine, &source, &["Gas"], true).await.is_err());
    collation(&Collation::Simple);
    let adopted = fetch(&engine, &source, &["Gas"], true).await.unwrap();
    assert_eq!((adopted.days.adopted, adopted.rows.input, adopted.rows.downstream), (4, 6, 6));
}

#[test]
fn a_newer_format_is_called_newer_and_left_alone() {
    let source = source();
    let (folder, path) = old_cache(&source);
    duckdb::Connection::open(&path)
        .unwrap()
        .execute_batch("UPDATE meta SET value = '99' WHERE key = 'format'")
        .unwrap();
    let before = std::fs::read(&path).unwrap();
    let engine = engine(&folder);
    let failure = engine.cache().open_or_create(&Identity::of(&query(&source, &[]))).unwrap_err();
    let failure = Failure::from(failure);
    assert_eq!(failure.code, Code::CacheUnusable);
    assert!(failure.message.contains("newer Tidemark"), "{failure:?}");
    assert!(std::fs::read(&path).unwrap() == before);
    let names = std::fs::read_dir(path.parent().unwrap()).unwrap().flatten();
    assert!(names.into_iter().all(|entry| !entry.file_name().to_string_lossy().contains("damaged-")));
}

/// `data/format-3.duckdb.gz` was written by the last program of format 3, which stored a message once per trade and
/// day: 60 trades of three documents each over March 2025, a third of the trades with a document two days later,
/// some documents of two trades, and an acknowledgement without a date per trade.
#[test]
fn a_file_of_format_3_stores_its_messages_once_and_shows_what_it_showed() {
    use std::collections::BTreeSet;
    use tidemark_engine::cache::{Cache, View};

    let signature = Signature::parse("2869d4c5a488fa54e9544fa1bddb8f18").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let family = folder.path().join("3c2ea7e7828362c6592ea27a60abf54d");
    std::fs::create_dir_all(&family).unwrap();
    let path = family.join(format!("{signature}.duckdb"));
    let old: &[u8] = include_bytes!("data/format-3.duckdb.gz");
    let mut file = std::fs::File::create(&path).unwrap();
    std::io::copy(&mut flate2::read::GzDecoder::new(old), &mut file).unwrap();
    drop(file);

    // The same documents: number, day of March, trades.
    let mut documents: Vec<(i32, Option<i32>, BTreeSet<i32>)> = Vec::new();
    for trade in 0..60 {
        for part in 0..3 {
            let late = if part == 2 && trade % 3 == 0 { 2 } else { 0 };
            let mut trades = BTreeSet::from([trade]);
            if trade % 7 == 0 && part == 1 {
                trades.insert((trade + 9) % 60);
            }
            documents.push((trade * 3 + part, Some((trade + late) % 31 + 1), trades));
        }
        documents.push((1_000 + trade, None, BTreeSet::from([trade])));
    }
    let march = |number: i32| Day::from_ymd(2025, 3, u32::try_from(number).unwrap()).unwrap();
    for opened in 0..2 {
        let cache = Cache::new(folder.path(), 0).unwrap();
        let file = cache.open_signature(&signature).unwrap();
        for (from, to) in [(1, 31), (5, 5), (10, 12), (30, 31), (1, 2), (3, 29)] {
            let is_input = |document: &&(i32, Option<i32>, BTreeSet<i32>)| {
                document.1.is_some_and(|day| (from..=to).contains(&day))
            };
            let input: BTreeSet<i32> =
                documents.iter().filter(is_input).map(|(number, ..)| *number).collect();
            let trades: BTreeSet<i32> =
                documents.iter().filter(is_input).flat_map(|(_, _, trades)| trades.clone()).collect();
            let messages: BTreeSet<i32> = documents
                .iter()
                .filter(|(number, _, of)| !input.contains(number) && !of.is_disjoint(&trades))
                .map(|(number, ..)| *number)
                .collect();
            let view = View::open(Arc::clone(&file), DayRange::new(march(from), march(to)).unwrap()).unwrap();
            let shown = |role| -> Vec<i32> {
                let found = view.documents(&RowQuery::of(role), 0, 1_000).unwrap();
                let mut ids: Vec<i32> =
                    found.iter().map(|(_, document)| document.get_i32("_id").unwrap()).collect();
                ids.sort_unstable();
                ids
            };
            assert_eq!(
                shown(Role::Input),
                input.iter().copied().collect::<Vec<_>>(),
                "{opened}: {from} to {to}"
            );
            assert_eq!(
                shown(Role::Downstream),
                messages.iter().copied().collect::<Vec<_>>(),
                "{opened}: {from} to {to}"
            );
            let counts = view.counts();
            assert_eq!(
                (counts.input, counts.downstream),
                (input.len() as u64, messages.len() as u64),
                "{opened}: {from} to {to}"
            );
        }
        // Neither was known then.
        assert!(file.state().days.values().all(|held| held.origin.is_none() && held.bounds.is_none()));
    }
}
