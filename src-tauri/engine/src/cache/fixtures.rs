//! Cache files for unit tests, made without a server.

use std::collections::BTreeMap;
use std::sync::Arc;

use bson::{RawDocumentBuf, doc};
use chrono::{DateTime, Utc};

use super::file::sql::sql;
use super::{Cache, CacheFile, DayRows, Identity, SegmentWriter};
use crate::day::Day;
use crate::decode::{Decoder, FieldSet, RowKey};
use crate::query::filter::Filters;
use crate::query::form::{FilterInput, FilterOperator};
use crate::query::mapping::Mapping;
use crate::query::source::Query;
use crate::rows::Role;
use crate::source::{Source, SourceSettings};

/// Returns a query for these products, or for all if the list is empty.
pub(crate) fn query(products: &[&str]) -> Query {
    let settings = SourceSettings {
        uri: "mongodb://127.0.0.1:27999".to_owned(),
        password: None,
        database: "samples".to_owned(),
        collection: "trades".to_owned(),
    };
    let source = Source::new(&settings).expect("settings").identity().clone();
    let mapping = Mapping::default();
    let input = FilterInput {
        field: "product".to_owned(),
        values: products.iter().map(|product| (*product).to_owned()).collect(),
        operator: FilterOperator::default(),
    };
    let filters = Filters::parse(&mapping, &[input], "").expect("filters");
    Query { source, mapping, filters }
}

/// Opens or creates the cache file of the [`query`] for these products.
pub(crate) fn file(cache: &Cache, products: &[&str]) -> Arc<CacheFile> {
    cache.open_or_create(&Identity::of(&query(products))).expect("a file").file
}

/// Stores a day whose input has one document per id.
pub(crate) fn store(file: &Arc<CacheFile>, day: Day, fetched: DateTime<Utc>, ids: impl Iterator<Item = i32>) {
    let documents = ids.map(|id| RawDocumentBuf::try_from(&doc! {"_id": id}).expect("encodes"));
    store_documents(file, day, fetched, documents);
}

/// Stores a day with this input.
pub(crate) fn store_documents(
    file: &Arc<CacheFile>,
    day: Day,
    fetched: DateTime<Utc>,
    documents: impl Iterator<Item = RawDocumentBuf>,
) {
    let mut decoder = Decoder::new(Arc::clone(file.registry()), false);
    let mut count = 0;
    for document in documents {
        decoder.push(RowKey { day, trade: None, read: 0 }, &document);
        count += 1;
    }
    let mut writer = SegmentWriter::begin(Arc::clone(file)).expect("a transaction");
    writer.append(Role::Input, decoder.finish_batch().expect("rows")).expect("appended");
    let input_fields = decoder.take_presence().remove(&day).unwrap_or_default();
    let rows = DayRows { fetched, input_rows: count, input_fields, ..empty_day() };
    writer.commit(BTreeMap::from([(day, rows)]), &[]).expect("committed");
}

/// Returns a day without rows.
pub(crate) fn empty_day() -> DayRows {
    DayRows {
        differs: false,
        fetched: DateTime::UNIX_EPOCH,
        input_rows: 0,
        input_fields: FieldSet::default(),
        downstream_fields: FieldSet::default(),
        change_mark: None,
        bounds: None,
        left_out: BTreeMap::new(),
    }
}

/// Makes DuckDB invalidate the database of an open file, as a disk error during a checkpoint does, and then restores
/// the file on disk.
pub(crate) fn break_handle(file: &CacheFile) {
    let whole = std::fs::read(file.path()).expect("the file");
    let connection = file.connect().expect("a connection");
    connection
        .execute_batch(sql!(
            "INSERT INTO input_1 BY NAME SELECT 0 AS day, 0 AS number, 0 AS read, 'x'::BLOB AS id, 'x'::BLOB AS doc"
        ))
        .expect("something to write");
    let disk = std::fs::File::options().write(true).open(file.path()).expect("the file");
    disk.set_len(12_288).expect("shorter");
    let failure = super::CacheError::from(
        connection.execute_batch(sql!("CHECKPOINT cache")).expect_err("what it needs is not there"),
    );
    assert!(failure.is_fatal(), "{failure:?}");
    std::fs::write(file.path(), whole).expect("whole again");
    let _ = std::fs::remove_file(super::file::paths::wal_path(file.path()));
}
