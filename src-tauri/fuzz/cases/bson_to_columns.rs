//! Documents as they come off the wire: decoded, and at times stored and read again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bson::{RawBsonRef, RawDocument, RawDocumentBuf, doc};
use duckdb::arrow::array::{Array as _, AsArray as _};
use tidemark_engine::bson::equality_key::equality_key;
use tidemark_engine::bson::extjson::write_relaxed;
use tidemark_engine::cache::{Cache, DayRows, Identity, SegmentWriter, View};
use tidemark_engine::day::{Day, DayRange};
use tidemark_engine::decode::{Decoder, FieldRegistry, RowKey};
use tidemark_engine::query::filter::{Condition, FieldCondition, Filters};
use tidemark_engine::query::local_match::matches;
use tidemark_engine::query::mapping::Mapping;
use tidemark_engine::rows::{Role, RowQuery};

use super::query;

/// The day that documents are stored under.
pub const DAY: i32 = 20_000;

/// One input: the elements of a document, without its length and its closing byte.
pub fn run(data: &[u8]) {
    let Some(document) = framed(data) else { return };
    decode(&document);
    relaxed(&document);
    for path in ["a", "a.b", "a.0.b", "_id"] {
        let condition = |condition| FieldCondition { name: "f".into(), path: path.into(), condition };
        let exists = matches(&condition(Condition::Exists), &document);
        let missing = matches(&condition(Condition::Missing), &document);
        assert_eq!(exists, missing.map(|missing| !missing));
    }
    let _ = equality_key(RawBsonRef::Document(&document));
}

/// The bytes as a document, where they can be one.
pub fn framed(elements: &[u8]) -> Option<RawDocumentBuf> {
    let length = i32::try_from(elements.len() + 5).ok()?;
    let mut bytes = length.to_le_bytes().to_vec();
    bytes.extend(elements);
    bytes.push(0);
    RawDocumentBuf::from_bytes(bytes).ok()
}

/// Every byte is kept, and every row is as long as the others.
fn decode(document: &RawDocument) {
    let before = RawDocumentBuf::try_from(&doc! {"_id": 1, "a": {"b": "x"}}).expect("encodes");
    let registry = Arc::new(FieldRegistry::default());
    for trade in [None, Some("s:t")] {
        let mut decoder = Decoder::new(Arc::clone(&registry), trade.is_some());
        let key = RowKey { day: Day::from_number(DAY), trade, read: 0 };
        for document in [&before, document, &before] {
            decoder.push(key, document);
        }
        let decoded = decoder.finish_batch().expect("three rows");
        assert_eq!(decoded.batch.num_rows(), 3);
        let documents = decoded.batch.column_by_name("doc").expect("documents").as_binary::<i32>();
        assert_eq!(documents.value(1), document.as_bytes());
        assert_eq!(decoded.batch.num_columns(), decoded.fields.len() + 5 + usize::from(trade.is_some()));
        assert!(decoded.batch.columns().iter().all(|column| column.len() == 3));
        let ids = decoded.batch.column_by_name("id").expect("ids").as_binary::<i32>();
        assert_eq!(ids.value(0), ids.value(2));
        assert!(!ids.value(1).is_empty());
    }
}

/// What is written as relaxed Extended JSON is JSON.
fn relaxed(document: &RawDocument) {
    let mut text = String::new();
    if write_relaxed(&mut text, RawBsonRef::Document(document)) && depth(&text) < 120 {
        serde_json::from_str::<serde_json::Value>(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    }
}

fn depth(json: &str) -> usize {
    let (mut now, mut most) = (0_usize, 0);
    for byte in json.bytes() {
        match byte {
            b'{' | b'[' => now += 1,
            b'}' | b']' => now = now.saturating_sub(1),
            _ => {}
        }
        most = most.max(now);
    }
    most
}

/// Stores a document as the only row of a day; returns the file's identity.
pub fn stored_in(cache: &Cache, document: &RawDocument) -> Identity {
    let identity = Identity::of(&query(&Mapping::default(), Filters::default()));
    let file = cache.open_or_create(&identity).expect("a file").file;
    let mut writer = SegmentWriter::begin(Arc::clone(&file)).expect("a segment");
    let day = Day::from_number(DAY);
    let mut decoder = Decoder::new(Arc::clone(file.registry()), false);
    decoder.push(RowKey { day, trade: None, read: 0 }, document);
    writer.append(Role::Input, decoder.finish_batch().expect("a row")).expect("it is stored");
    let rows = DayRows {
        differs: false,
        fetched: chrono::DateTime::UNIX_EPOCH,
        input_rows: 1,
        input_fields: decoder.take_presence().remove(&day).unwrap_or_default(),
        downstream_fields: tidemark_engine::decode::FieldSet::default(),
        change_mark: None,
        bounds: None,
        left_out: BTreeMap::new(),
    };
    writer.commit(BTreeMap::from([(day, rows)]), &[]).expect("it is committed");
    identity
}

/// The document stored in a cache file and read again: its bytes, the texts of its columns, its CSV, which is
/// what came of it. Slow, so `cargo fuzz` does it for some inputs only.
pub fn store(data: &[u8]) -> String {
    let Some(document) = framed(data) else { return "no document".to_owned() };
    let folder = tempfile::tempdir().expect("a folder");
    let cache = Cache::new(&folder.path().join("a 'quoted' \"folder\" ü"), 1).expect("a cache");
    let identity = stored_in(&cache, &document);
    let day = Day::from_number(DAY);

    let file = cache.open_or_create(&identity).expect("it opens again").file;
    let view = View::open(file, DayRange::single(day)).expect("a view");
    let (_, held) = view.document(&RowQuery::of(Role::Input), 0).expect("the document");
    assert_eq!(held.as_bytes(), document.as_bytes(), "no byte is lost");
    let columns: Vec<String> = view.columns(Role::Input).into_iter().map(|column| column.path).collect();
    let page = view.page(&RowQuery::of(Role::Input), 0, 10).expect("a page");
    assert_eq!(page.len(), 1);
    let texts: BTreeMap<&str, Option<&str>> =
        columns.iter().map(String::as_str).zip(page[0].iter().map(Option::as_deref)).collect();
    texts_are_exact(&document, &texts);

    let csv = folder.path().join("it's \"a\" file ü.csv");
    view.export_csv(&RowQuery::of(Role::Input), &csv).expect("a CSV file");
    let text = std::fs::read_to_string(&csv).expect("UTF-8");
    let written = read_csv(&text);
    let names: Vec<Option<String>> = columns.into_iter().map(Some).collect();
    let names = if names.is_empty() { vec![Some("_id".to_owned())] } else { names };
    assert_eq!(written[0], names);
    if !page[0].is_empty() {
        assert_eq!(written[1..], page);
    }
    text
}

/// The texts that each path of the document may show: paths that stand twice show one of their values.
fn texts_are_exact(document: &RawDocument, shown: &BTreeMap<&str, Option<&str>>) {
    let mut expected = BTreeMap::new();
    let complete = collect(document, "", 0, &mut expected);
    for (path, texts) in &expected {
        let text = shown.get(path.as_str()).unwrap_or_else(|| panic!("no column {path:?}"));
        if let Some(texts) = texts {
            assert!(texts.contains(&text.map(str::to_owned)), "{path:?}: {text:?}, not one of {texts:?}");
        }
    }
    if complete {
        assert!(shown.keys().all(|path| expected.contains_key(*path)), "{shown:?}");
    }
}

type Texts = BTreeMap<String, Option<BTreeSet<Option<String>>>>;

/// Collects the texts of the types whose text is one and only. False where the bytes end early.
fn collect(document: &RawDocument, prefix: &str, depth: usize, texts: &mut Texts) -> bool {
    let mut complete = true;
    for element in document.iter_elements() {
        let Ok(element) = element else { return false };
        let name = element.key().as_str();
        let path = if depth == 0 { name.to_owned() } else { format!("{prefix}.{name}") };
        let text = match element.value() {
            Ok(RawBsonRef::Document(inner)) if !inner.is_empty() && depth < 12 => {
                complete &= collect(inner, &path, depth + 1, texts);
                continue;
            }
            Ok(RawBsonRef::Null | RawBsonRef::Undefined) => Some(None),
            Ok(RawBsonRef::Int32(number)) => Some(Some(number.to_string())),
            Ok(RawBsonRef::Int64(number)) => Some(Some(number.to_string())),
            Ok(RawBsonRef::Boolean(flag)) => Some(Some(flag.to_string())),
            Ok(RawBsonRef::String(text)) => Some(Some(text.to_owned())),
            Ok(RawBsonRef::Decimal128(number)) => Some(Some(number.to_string())),
            Ok(RawBsonRef::ObjectId(id)) => Some(Some(id.to_hex())),
            Ok(_) => None,
            Err(_) => {
                complete = false;
                if element.value_utf8_lossy().is_err() {
                    continue;
                }
                None
            }
        };
        let entry = texts.entry(path).or_insert_with(|| Some(BTreeSet::new()));
        match (entry.as_mut(), text) {
            (Some(texts), Some(text)) => {
                texts.insert(text);
            }
            _ => *entry = None,
        }
    }
    complete
}

/// RFC 4180: an empty cell is `None`, a quoted empty one is an empty text.
fn read_csv(text: &str) -> Vec<Vec<Option<String>>> {
    let mut rows = vec![Vec::new()];
    let mut rest = text.chars().peekable();
    while rest.peek().is_some() {
        let mut cell = String::new();
        let quoted = rest.next_if_eq(&'"').is_some();
        if quoted {
            loop {
                match rest.next().expect("a quoted cell ends") {
                    '"' if rest.next_if_eq(&'"').is_none() => break,
                    other => cell.push(other),
                }
            }
        } else {
            while let Some(next) = rest.next_if(|next| !matches!(next, ',' | '\r')) {
                assert!(next != '"' && next != '\n', "{next:?} in a cell that is not quoted");
                cell.push(next);
            }
        }
        rows.last_mut().expect("a row").push((quoted || !cell.is_empty()).then_some(cell));
        match rest.next() {
            Some(',') if rest.peek().is_some() => {}
            Some('\r') => {
                assert_eq!(rest.next(), Some('\n'), "a record ends with CR LF");
                rows.push(Vec::new());
            }
            other => panic!("{other:?} after a cell"),
        }
    }
    rows.pop();
    rows
}
