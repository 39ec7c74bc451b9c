//! Fields that turn up when much of their window is stored already: more than one row group of DuckDB's.

use std::collections::BTreeMap;
use std::sync::Arc;

use bson::{RawDocumentBuf, doc};
use chrono::{DateTime, Utc};
use tidemark_engine::cache::{Cache, CacheFile, DayRows, Identity, SegmentWriter, View};
use tidemark_engine::day::{Day, DayRange};
use tidemark_engine::decode::{Decoder, RowKey};
use tidemark_engine::failure::Result;
use tidemark_engine::query::filter::Filters;
use tidemark_engine::query::mapping::Mapping;
use tidemark_engine::query::source::Query;
use tidemark_engine::rows::{Role, RowQuery, Sort};
use tidemark_engine::source::{Source, SourceSettings};

/// Rows of a role in the window: some row groups of 24,576.
const ROWS: i32 = 110_000;
const ROWS_A_BATCH: i32 = 4_000;

fn identity() -> Identity {
    let settings = SourceSettings {
        uri: "mongodb://127.0.0.1:27999".to_owned(),
        password: None,
        database: "late".to_owned(),
        collection: "trades".to_owned(),
    };
    let source = Source::new(&settings).unwrap();
    Identity::of(&Query {
        source: source.identity().clone(),
        mapping: Mapping::default(),
        filters: Filters::default(),
    })
}

/// A document; every so many of them, in every row group, one has a field that none before it had.
fn document(number: i32) -> RawDocumentBuf {
    let mut document = doc! {"_id": number, "product": format!("P{}", number % 7)};
    if number % 11_000 == 10_999 {
        document.insert(format!("late_{}", number / 11_000), i64::from(number));
    }
    RawDocumentBuf::try_from(&document).unwrap()
}

/// Stores the window as a pull does.
fn store(file: &Arc<CacheFile>, day: Day) -> Result<()> {
    let mut writer = SegmentWriter::begin(Arc::clone(file))?;
    let mut rows = DayRows {
        differs: false,
        fetched: DateTime::<Utc>::UNIX_EPOCH,
        input_rows: ROWS.unsigned_abs().into(),
        input_fields: Default::default(),
        downstream_fields: Default::default(),
        change_mark: None,
        bounds: None,
        left_out: BTreeMap::new(),
    };
    for role in [Role::Input, Role::Downstream] {
        let is_message = role == Role::Downstream;
        let mut decoder = Decoder::new(Arc::clone(file.registry()), is_message);
        for number in 0..ROWS {
            let trade = is_message.then_some("T");
            // Messages are other documents than the input.
            decoder.push(
                RowKey { day, trade, read: 0 },
                &document(if is_message { number + ROWS } else { number }),
            );
            if (number + 1) % ROWS_A_BATCH == 0 || number + 1 == ROWS {
                writer.append(role, decoder.finish_batch().unwrap())?;
            }
        }
        let fields = decoder.take_presence().remove(&day).unwrap();
        match role {
            Role::Input => rows.input_fields = fields,
            Role::Downstream => rows.downstream_fields = fields,
        }
    }
    Ok(writer.commit(BTreeMap::from([(day, rows)]), &[]).map(drop)?)
}

/// Each document is there once, in the order in which it came, and each late field in its place.
fn assert_whole(file: &Arc<CacheFile>, range: DayRange) {
    let view = View::open(Arc::clone(file), range).unwrap();
    let rows = u64::from(ROWS.unsigned_abs());
    assert_eq!((view.counts().input, view.counts().downstream), (rows, rows));
    for (role, first) in [(Role::Input, 0), (Role::Downstream, ROWS)] {
        let names: Vec<String> = view.columns(role).into_iter().map(|column| column.path).collect();
        let late: Vec<&String> = names.iter().filter(|name| name.starts_with("late_")).collect();
        assert_eq!(late.len(), 10, "{names:?}");
        for name in late {
            let number: i32 = name["late_".len()..].parse().unwrap();
            let expected = Some((number * 11_000 + 10_999).to_string());
            let place = names.iter().position(|other| other == name).unwrap();
            let sort = Sort { path: name.clone(), descending: true };
            let page = view.page(&RowQuery::of(role).then_by(sort.clone()), 0, 2).unwrap();
            assert_eq!((&page[0][place], &page[1][place]), (&expected, &None), "{name}");
        }
        let mut number = first;
        for offset in (0..rows).step_by(10_000) {
            for (_, held) in view.documents(&RowQuery::of(role), offset, 10_000).unwrap() {
                assert_eq!(held, document(number));
                number += 1;
            }
        }
        assert_eq!(number, first + ROWS);
    }
}

#[test]
fn a_field_may_turn_up_at_any_moment_of_a_window() {
    let folder = tempfile::tempdir().unwrap();
    let day = Day::from_number(20_000);
    let range = DayRange::new(day, day).unwrap();
    let identity = identity();
    for _ in 0..2 {
        // The second time, all is stored in place of what is there.
        let cache = Cache::new(folder.path(), 0).unwrap();
        let file = cache.open_or_create(&identity).unwrap().file;
        store(&file, day).unwrap();
        assert_whole(&file, range);
        drop(file);
        let again = cache.open_existing(&identity).unwrap().unwrap();
        assert_whole(&again, range);
    }
}

#[test]
fn a_window_with_late_fields_that_is_given_up_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let day = Day::from_number(20_000);
    let cache = Cache::new(folder.path(), 0).unwrap();
    let file = cache.open_or_create(&identity()).unwrap().file;
    let mut writer = SegmentWriter::begin(Arc::clone(&file)).unwrap();
    let mut decoder = Decoder::new(Arc::clone(file.registry()), false);
    for number in 0..ROWS {
        decoder.push(RowKey { day, trade: None, read: 0 }, &document(number));
        if (number + 1) % ROWS_A_BATCH == 0 {
            writer.append(Role::Input, decoder.finish_batch().unwrap()).unwrap();
        }
    }
    drop(writer);
    assert!(file.state().days.is_empty());
    store(&file, day).unwrap();
    assert_whole(&file, DayRange::new(day, day).unwrap());
}
