//! A cache file of an older format, as if it had been filled from the test's server.

use std::path::{Path, PathBuf};

use bson::Document;
use tidemark_engine::cache::Identity;
use tidemark_engine::query::filter::Filters;
use tidemark_engine::query::mapping::Mapping;
use tidemark_engine::query::source::Query;
use tidemark_engine::source::{Source, SourceSettings};

use super::server;

/// What the last program of format 1 wrote: six trades of the days from 2025-03-01 to 03-03 and a message each;
/// 2025-03-04 is held too, and empty.
const FORMAT_1: &[u8] = include_bytes!("../../../engine/tests/data/format-1.duckdb.gz");
/// The mapping that it was written with.
pub(crate) const MAPPING: &str = r#"{"changed_at": "changed"}"#;

/// Puts a file of format 1 into a cache folder, as the query of all trades of a database's `trades`.
pub(crate) fn put(cache: &Path, database: &str) -> PathBuf {
    let mapping = Mapping::parse(MAPPING).unwrap();
    let source = Source::new(&SourceSettings {
        uri: server().uri().to_owned(),
        password: None,
        database: database.to_owned(),
        collection: "trades".to_owned(),
    })
    .unwrap();
    let filters = Filters::parse(&mapping, &[], "").unwrap();
    let identity = Identity::of(&Query { source: source.identity().clone(), mapping, filters });
    let path = cache.join(&identity.family).join(format!("{}.duckdb", identity.signature));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut file = std::fs::File::create(&path).unwrap();
    std::io::copy(&mut flate2::read::GzDecoder::new(FORMAT_1), &mut file).unwrap();
    let connection = duckdb::Connection::open(&path).unwrap();
    for (key, value) in [
        ("signature", identity.signature.as_str()),
        ("canonical", &identity.canonical),
        ("family", &identity.family),
        ("source", &identity.source),
    ] {
        let changed = connection.execute("UPDATE meta SET value = ? WHERE key = ?", [value, key]).unwrap();
        assert_eq!(changed, 1, "{key}");
    }
    path
}

/// The trades and the messages that a file of format 1 holds.
pub(crate) fn documents(path: &Path) -> [Vec<Document>; 2] {
    let connection = duckdb::Connection::open(path).unwrap();
    ["input_1", "downstream_1"].map(|table| {
        let mut select = connection.prepare(&format!("SELECT doc FROM {table}")).unwrap();
        let rows = select.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
        rows.map(|bytes| bson::deserialize_from_slice(&bytes.unwrap()).unwrap()).collect()
    })
}

/// The format that a file says it has.
pub(crate) fn format_of(path: &Path) -> String {
    let connection = duckdb::Connection::open(path).unwrap();
    connection.query_row("SELECT value FROM meta WHERE key = 'format'", [], |row| row.get(0)).unwrap()
}
