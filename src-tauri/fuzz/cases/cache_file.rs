//! Files that claim to be cache files: damaged ones, and well-formed ones that say what is not so.
//!
//! The first byte says what the rest is:
//!
//! | byte | rest |
//! |---|---|
//! | `r` | the bytes of the file |
//! | `t` | how much of a genuine file is there, as four bytes, little-endian |
//! | `p` | patches of a genuine file: offset (three bytes), a length (one byte), the bytes; repeated |
//! | `w` | the bytes of the log beside a genuine file |
//! | `m` | a fact of the genuine file and what it says instead: `key=value` |
//! | `s` | SQL that somebody ran on the genuine file |

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use bson::{RawDocumentBuf, doc};
use duckdb::params;
use tidemark_engine::cache::{Cache, DayRows, Identity, SegmentWriter, View};
use tidemark_engine::day::{Day, DayRange};
use tidemark_engine::decode::{Decoder, FieldSet, RowKey};
use tidemark_engine::failure::{Code, Failure};
use tidemark_engine::query::filter::Filters;
use tidemark_engine::query::mapping::Mapping;
use tidemark_engine::rows::{Role, RowQuery};

use super::query;

const DAY: i32 = 20_000;

/// One input; what came of it.
pub fn run(data: &[u8]) -> String {
    let Some((kind, rest)) = data.split_first() else { return MEANS_NOTHING.to_owned() };
    opened_after(|path| place(path, *kind, rest))
}

/// What comes of a genuine file that somebody has done something to, which is looked at and then fetched into.
pub fn opened_after(tampered: impl FnOnce(&Path) -> bool) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let identity = identity();
    let path = path_in(folder.path(), &identity);
    fs::create_dir_all(path.parent().expect("a family")).expect("a folder");
    fs::write(&path, genuine()).expect("the file");
    if !tampered(&path) {
        return MEANS_NOTHING.to_owned();
    }
    let cache = Cache::new(folder.path(), 0).expect("a cache");
    let looked = match look(&cache, &path) {
        Ok(rows) => format!("{rows} rows"),
        Err(failure) => said(&failure),
    };
    // A fetch gets a file to work with, whatever was there, or a failure with a code.
    let fetched = cache.open_or_create(&identity).and_then(|opened| {
        commit(&opened.file)?;
        View::open(opened.file, range())?;
        Ok(if opened.moved_aside.is_some() { "moved aside" } else { "goes on" }.to_owned())
    });
    let fetched = fetched.unwrap_or_else(|error| said(&error.into()));
    format!("looked at: {looked}; fetched: {fetched}")
}

/// What comes of an input that says nothing about a file.
const MEANS_NOTHING: &str = "means nothing";

/// Writes the file; false where the input means nothing.
fn place(path: &Path, kind: u8, rest: &[u8]) -> bool {
    let mut genuine = genuine().to_vec();
    match kind {
        b'r' => genuine = rest.to_vec(),
        b't' => {
            let Some(bytes) = rest.first_chunk::<4>() else { return false };
            genuine.truncate(u32::from_le_bytes(*bytes) as usize);
        }
        b'p' => patch(&mut genuine, rest),
        b'w' | b'm' | b's' => {}
        _ => return false,
    }
    fs::write(path, genuine).expect("the file");
    match kind {
        b'w' => fs::write(path.with_extension("duckdb.wal"), rest).expect("the log"),
        b'm' | b's' => return tamper(path, kind, &String::from_utf8_lossy(rest)),
        _ => {}
    }
    true
}

fn patch(bytes: &mut [u8], mut patches: &[u8]) {
    while let Some(([low, middle, high, length], rest)) = patches.split_first_chunk::<4>() {
        let offset = u32::from_le_bytes([*low, *middle, *high, 0]) as usize % bytes.len();
        let (new, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        let end = (offset + new.len()).min(bytes.len());
        bytes[offset..end].copy_from_slice(&new[..end - offset]);
        patches = rest;
    }
}

/// Makes a well-formed file say something else.
fn tamper(path: &Path, kind: u8, text: &str) -> bool {
    let Ok(connection) = duckdb::Connection::open(path) else { return false };
    // What is tried is a hostile file, not a hostile SQL prompt.
    if connection.execute_batch("SET enable_external_access = false; SET lock_configuration = true").is_err()
    {
        return false;
    }
    match kind {
        b'm' => {
            let Some((key, value)) = text.split_once('=') else { return false };
            connection.execute("UPDATE meta SET value = ? WHERE key = ?", params![value, key]).is_ok()
        }
        _ => connection.execute_batch(text).is_ok(),
    }
}

/// Opens, pages and sorts what is there, as a trader who looks does; how many rows there are.
fn look(cache: &Cache, path: &Path) -> Result<usize, Failure> {
    let file = cache.open_listed(path)?;
    let identity = file.identity();
    let _ = (
        identity.filters.describe(&identity.mapping.all_labels()),
        identity.filters.to_inputs(),
        identity.mapping.dates(),
    );
    let view = View::open(file, range())?;
    let mut rows = 0;
    for role in [Role::Input, Role::Downstream] {
        let page = view.page(&RowQuery::of(role), 0, 100)?;
        rows += page.len();
        if let Some(column) = view.columns(role).into_iter().next() {
            let sort = tidemark_engine::rows::Sort { path: column.path, descending: true };
            assert_eq!(view.page(&RowQuery::of(role).then_by(sort.clone()), 0, 100)?.len(), page.len());
        }
        if !page.is_empty() {
            view.document(&RowQuery::of(role), 0)?;
        }
    }
    Ok(rows)
}

/// A failure over a bad file has a code that fits.
fn said(failure: &Failure) -> String {
    let fits = [
        Code::CacheDamaged,
        Code::CacheUnusable,
        Code::CacheBusy,
        Code::NotCached,
        Code::BadFilter,
        // Tables that are not as their own ledger says: no statement here expects that.
        Code::Internal,
    ];
    assert!(fits.contains(&failure.code), "{failure:?}");
    assert!(!failure.message.is_empty() && !failure.next.is_empty());
    format!("{}, {}", failure.code, failure.message)
}

fn identity() -> Identity {
    Identity::of(&query(&Mapping::default(), Filters::default()))
}

fn path_in(folder: &Path, identity: &Identity) -> PathBuf {
    folder.join(&identity.family).join(format!("{}.duckdb", identity.signature))
}

fn range() -> DayRange {
    DayRange::new(Day::from_number(DAY), Day::from_number(DAY + 1)).expect("two days")
}

/// The bytes of a file with a few rows.
fn genuine() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let identity = identity();
        let cache = Cache::new(folder.path(), 0).expect("a cache");
        let file = cache.open_or_create(&identity).expect("a file").file;
        commit(&file).expect("rows");
        drop(file);
        fs::read(path_in(folder.path(), &identity)).expect("the file")
    })
}

fn commit(file: &Arc<tidemark_engine::cache::CacheFile>) -> tidemark_engine::cache::Result<()> {
    let mut writer = SegmentWriter::begin(Arc::clone(file))?;
    let day = Day::from_number(DAY);
    let mut decoder = Decoder::new(Arc::clone(file.registry()), false);
    for number in 0..20 {
        let document = doc! {"_id": number, "product": "Power", "price": 1.5, "legs": [1, {"x": "y"}]};
        let document = RawDocumentBuf::try_from(&document).expect("encodes");
        decoder.push(RowKey { day, trade: None, read: 0 }, &document);
    }
    writer.append(Role::Input, decoder.finish_batch().expect("rows"))?;
    let rows = DayRows {
        differs: false,
        fetched: chrono::DateTime::UNIX_EPOCH,
        input_rows: 20,
        input_fields: decoder.take_presence().remove(&day).unwrap_or_default(),
        downstream_fields: FieldSet::default(),
        change_mark: None,
        bounds: None,
        left_out: BTreeMap::new(),
    };
    writer.commit(BTreeMap::from([(day, rows)]), &[]).map(drop)
}
