//! Cache files for unit tests, made without a server.

use std::collections::BTreeMap;
use std::sync::Arc;

use bson::{RawDocumentBuf, doc};
use chrono::{DateTime, Utc};

use super::{Cache, CacheFile, DayRows, Identity, SegmentWriter};
use crate::day::Day;
use crate::decode::{Decoder, FieldSet, RowKey};
use crate::desk::{FilterInput, FilterOperator, Role};
use crate::filter::Filters;
use crate::mapping::Mapping;
use crate::signature::Query;
use crate::source::{Source, SourceSettings};

/// A query of some products; of all where none is named.
fn query(products: &[&str]) -> Query {
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

/// The file of such a query.
pub(super) fn file(cache: &Cache, products: &[&str]) -> Arc<CacheFile> {
    cache.open_or_create(&Identity::of(&query(products))).expect("a file").file
}

/// Stores a day whose input is these documents.
pub(super) fn store(file: &Arc<CacheFile>, day: Day, fetched: DateTime<Utc>, ids: impl Iterator<Item = i32>) {
    let mut decoder = Decoder::new(Arc::clone(file.registry()), false);
    let mut count = 0;
    for id in ids {
        let document = RawDocumentBuf::try_from(&doc! {"_id": id}).expect("encodes");
        decoder.push(RowKey { day, trade: None, read: 0 }, &document);
        count += 1;
    }
    let mut writer = SegmentWriter::begin(Arc::clone(file)).expect("a transaction");
    writer.append(Role::Input, decoder.finish_batch().expect("rows")).expect("appended");
    let rows = DayRows { fetched, input_rows: count, ..empty_day() };
    writer.commit(BTreeMap::from([(day, rows)]), &[]).expect("committed");
}

/// What is known of a day without rows.
pub(super) fn empty_day() -> DayRows {
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
