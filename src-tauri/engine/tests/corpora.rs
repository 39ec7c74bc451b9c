//! Hostile input: every file of the fuzz targets' corpora, and what is too large to lie there.

#[allow(unreachable_pub, reason = "the fuzz targets' crate uses them too")]
#[path = "../../fuzz/cases/mod.rs"]
mod cases;

use std::path::Path;

use tidemark_engine::api::rows::ViewKey;
use tidemark_engine::day::Day;
use tidemark_engine::engine::Engine;
use tidemark_engine::rows::{Role, RowQuery};

/// Runs a case on every file of a corpus, and compares what comes of each with what is written down in
/// `expected`. The stack is that of the threads that the engine works on. `UPDATE_CORPORA` writes it down, to be
/// read before it is committed.
fn corpus(target: &str, case: fn(&[u8]) -> String) {
    let fuzz = Path::new("../fuzz");
    let folder = fuzz.join("corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 10, "{} is no corpus", folder.display());
    let outcomes: String = files
        .iter()
        .map(|file| {
            let (name, bytes) = (file.file_name().unwrap().to_string_lossy(), std::fs::read(file).unwrap());
            let outcome = std::panic::catch_unwind(|| case(&bytes)).unwrap_or_else(|_| "A CRASH".to_owned());
            // As text of one line, whatever is in it.
            format!("{name}: {}\n", outcome.escape_debug())
        })
        .collect();
    let written = fuzz.join("expected").join(format!("{target}.txt"));
    if std::env::var_os("UPDATE_CORPORA").is_some() {
        std::fs::write(&written, &outcomes).unwrap();
    }
    let expected = std::fs::read_to_string(&written).unwrap().replace("\r\n", "\n");
    let [outcomes, expected]: [Vec<&str>; 2] = [&outcomes, &expected].map(|text| text.lines().collect());
    for outcome in &outcomes {
        let name = outcome.split(": ").next().unwrap();
        assert!(expected.contains(outcome), "{target}/{name} came to something else: {outcome}");
    }
    assert_eq!(outcomes.len(), expected.len(), "{target}: an expected file is not there");
}

#[test]
fn filters_and_matches() {
    corpus("filter_and_match", cases::filter_and_match::run);
}

#[test]
fn mapping_files() {
    corpus("mapping_file", cases::mapping_file::run);
}

/// The documents are decoded, stored and read again; what comes of one is its CSV.
#[test]
fn documents() {
    corpus("bson_to_columns", |data| {
        cases::bson_to_columns::run(data);
        cases::bson_to_columns::store(data)
    });
}

#[test]
fn cache_files() {
    corpus("cache_file", cases::cache_file::run);
}

/// A view could read any file of the user's when somebody looks at what he was sent. It is not even asked.
#[test]
fn a_cache_file_that_would_read_other_files() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret.csv");
    std::fs::write(&secret, "key,value\nformat,2\n").unwrap();
    let outcome = cases::cache_file::opened_after(|path| {
        let secret = secret.to_string_lossy().replace('\'', "''");
        let connection = duckdb::Connection::open(path).unwrap();
        let view = format!("DROP TABLE meta; CREATE VIEW meta AS SELECT * FROM read_csv('{secret}')");
        connection.execute_batch(&view).unwrap();
        true
    });
    let refused = "looked at: cache_damaged, The cache file contains views, which Tidemark never writes.; \
                   fetched: moved aside";
    assert_eq!(outcome, refused);
}

/// A document nested so deep, as bytes without length and end. Its names are `a`, or `0` within arrays.
fn nested(levels: usize, array: bool) -> Vec<u8> {
    let (kind, name) = if array { (4_u8, b"0\0") } else { (3, b"a\0") };
    let mut opening = Vec::new();
    // From the outside in: each level holds its own length, an element and an end.
    for level in (0..levels).rev() {
        opening.extend([kind]);
        opening.extend(if level == levels - 1 { b"a\0" } else { name });
        opening.extend(i32::try_from(5 + level * 8).unwrap().to_le_bytes());
    }
    opening.extend(std::iter::repeat_n(0, levels));
    opening
}

#[test]
fn nesting_of_any_depth_is_no_crash() {
    for levels in [100, 1_000, 10_000, 100_000] {
        for array in [false, true] {
            let elements = nested(levels, array);
            assert!(cases::bson_to_columns::framed(&elements).is_some());
            cases::bson_to_columns::run(&elements);
            cases::bson_to_columns::store(&elements);
        }
        for (open, close) in [("{\"a\":", "}"), ("[", "]")] {
            let json = format!("{}1{}", open.repeat(levels), close.repeat(levels));
            cases::filter_and_match::run(format!("\n{{\"a\":{json}}}").as_bytes());
            cases::mapping_file::run(format!("{{\"input_match\":{{\"a\":{json}}}}}").as_bytes());
            let stored = format!("{{\"fields\":[],\"advanced\":{{\"a\":{json}}}}}");
            assert_eq!(tidemark_engine::query::filter::Filters::from_stored(&stored).is_ok(), levels == 100);
        }
    }
}

/// A row's detail shows what MongoDB can hold, and says of anything deeper what it is.
#[test]
fn a_detail_says_that_a_document_is_too_deep() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let day = Day::from_number(cases::bson_to_columns::DAY);
    for (levels, array, shown) in [
        (100, false, true),
        (119, true, true),
        (120, false, true),
        (121, false, false),
        (150, true, false),
        (300, false, false),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::new(folder.path(), 1).unwrap();
        let document = cases::bson_to_columns::framed(&nested(levels, array)).unwrap();
        let identity = cases::bson_to_columns::stored_in(engine.cache(), &document);
        let key = ViewKey { signature: identity.signature.to_string(), from: day, to: day };
        match runtime.block_on(engine.row_detail(&key, &RowQuery::of(Role::Input), 0)) {
            Ok(detail) => assert!(shown && detail.canonical.matches(['{', '[']).count() > levels, "{levels}"),
            Err(failure) => {
                assert!(!shown && failure.message.contains("levels deep"), "{levels}: {failure:?}")
            }
        }
    }
}

/// As large as MongoDB lets a document be, all in one text.
#[test]
fn a_text_of_16_megabytes() {
    let text = "é\"\n,".repeat((16 << 20) / 5 - 20);
    let document = bson::doc! {"_id": 1, "text": &text, "after": 7_i64};
    let bytes = bson::serialize_to_vec(&document).unwrap();
    assert!(bytes.len() <= 16 << 20 && bytes.len() > 15 << 20);
    cases::bson_to_columns::store(&bytes[4..bytes.len() - 1]);
}
