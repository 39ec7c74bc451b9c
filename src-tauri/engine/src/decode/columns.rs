//! The decoder: documents in, Arrow record batches out.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use bson::raw::CStr;
use bson::{RawBsonRef, RawDocument, RawDocumentBuf};
use duckdb::arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Float64Builder, Int32Builder, Int64Builder, StringBuilder,
    UInt64Builder,
};
use duckdb::arrow::datatypes::{DataType, Field as ArrowField, Schema};
use duckdb::arrow::record_batch::RecordBatch;
use md5::{Digest, Md5};

use super::field::{FieldId, FieldRegistry, Kind};
use super::field_set::FieldSet;
use crate::bson::elements::{Element, Elements, Malformed, Name};
use crate::bson::extjson::write_relaxed;
use crate::day::Day;
use crate::limits::Limits;

/// Sub-documents below this depth stay one column of Extended JSON.
const MAX_DEPTH: usize = 12;
/// Once a file has this many fields, a new name gets no column of its own: a sub-document with new names stays one
/// column, and new top-level fields go to [`MORE_FIELDS`]. Otherwise, documents that use data as field names would
/// add a column per document.
const MAX_FIELDS: usize = 1_500;
/// The column for fields that have none of their own: one sub-document, as relaxed Extended JSON.
pub const MORE_FIELDS: &str = "(more fields)";
/// Milliseconds of 0001-01-01 and of 9999-12-31T23:59:59.999, the years a date column can show.
const DATE_COLUMN: std::ops::RangeInclusive<i64> = -62_135_596_800_000..=253_402_300_799_999;

/// BSON bytes from which a batch is worth appending, however few its rows are.
const BYTES_PER_BATCH: usize = 4 << 20;

/// What identifies and places a row, besides the document itself.
#[derive(Debug, Clone, Copy)]
pub struct RowKey<'a> {
    /// The day the row belongs to.
    pub day: Day,
    /// Equality key of the trade id, for downstream rows.
    pub trade: Option<&'a str>,
    /// The moment at which the source was read: its time as seconds << 32 | an ordinal. Of two states of a
    /// document the later read wins.
    pub read: u64,
}

/// Decoded rows, ready to append to a table whose columns are `number, day, id, [trade,] read, doc`, then `fields`.
#[derive(Debug)]
pub struct Decoded {
    /// The rows.
    pub batch: RecordBatch,
    /// The fields of the physical columns, in the batch's order. A later batch of the same decoder
    /// has these first and may have more.
    pub fields: Vec<FieldId>,
    /// BSON bytes of the rows.
    pub bytes: usize,
    /// Documents whose bytes could not be decoded to the end. They are stored whole.
    pub unreadable: Vec<DocumentHash>,
    /// Whether the columns say all about the documents that their paths can: no document has a name twice or with a
    /// dot in it, and all bytes are valid.
    pub is_plain: bool,
}

/// MD5 of a document's bytes, used to count each document once.
pub type DocumentHash = [u8; 16];

/// Decodes documents into columns. One decoder serves one table of one window.
#[derive(Debug)]
pub struct Decoder {
    root: Node,
    sink: Sink,
    /// The number of the next row.
    next: i64,
    numbers: Int64Builder,
    days: Int32Builder,
    ids: BinaryBuilder,
    trades: Option<StringBuilder>,
    reads: UInt64Builder,
    documents: BinaryBuilder,
    rows_per_batch: usize,
    bytes: usize,
    unreadable: Vec<DocumentHash>,
    presence: HashMap<Day, FieldSet>,
    id_buffer: Vec<u8>,
    /// The entry of [`MORE_FIELDS`].
    more: Entry,
}

impl Decoder {
    /// Creates a decoder; with `trades`, rows carry the key of their trade id.
    #[must_use]
    pub fn new(registry: Arc<FieldRegistry>, trades: bool) -> Self {
        Self {
            root: Node::default(),
            sink: Sink {
                registry,
                columns: Vec::new(),
                row: 0,
                day: None,
                present: FieldSet::default(),
                more: None,
                document: 0,
                is_plain: true,
                buffer: String::new(),
            },
            next: 0,
            numbers: Int64Builder::new(),
            days: Int32Builder::new(),
            ids: BinaryBuilder::new(),
            trades: trades.then(StringBuilder::new),
            reads: UInt64Builder::new(),
            documents: BinaryBuilder::new(),
            rows_per_batch: Limits::default().rows_per_batch.get() as usize,
            bytes: 0,
            unreadable: Vec::new(),
            presence: HashMap::new(),
            id_buffer: Vec::new(),
            more: Entry::new(MORE_FIELDS, None),
        }
    }

    /// Sets the number of rows per batch to that of the limits.
    #[must_use]
    pub fn with_limits(mut self, limits: &Limits) -> Self {
        self.rows_per_batch = limits.rows_per_batch.get() as usize;
        self
    }

    /// Whether the documents added since the last [`finish_batch`](Self::finish_batch) fill a batch.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.sink.row >= self.rows_per_batch || self.bytes >= BYTES_PER_BATCH
    }

    /// BSON bytes added since the last [`finish_batch`](Self::finish_batch).
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds a document. Returns the number of its row, which is unique within the table.
    pub fn push(&mut self, key: RowKey<'_>, document: &RawDocument) -> i64 {
        if self.sink.day != Some(key.day) {
            self.change_day(Some(key.day));
        }
        let number = self.next;
        self.next += 1;
        self.sink.document = self.next;
        self.numbers.append_value(number);
        self.days.append_value(key.day.number());
        if let Some(trades) = &mut self.trades {
            trades.append_option(key.trade);
        }
        self.id_buffer.clear();
        write_id(&mut self.id_buffer, document);
        self.ids.append_value(&self.id_buffer);
        self.reads.append_value(key.read);
        self.documents.append_value(document.as_bytes());
        self.bytes += document.as_bytes().len();
        if !walk(&mut self.root, &mut self.sink, None, document, 0) {
            self.sink.is_plain = false;
            self.unreadable.push(Md5::digest(document.as_bytes()).into());
        }
        if let Some(more) = self.sink.more.take() {
            self.sink.json(&mut self.more, RawBsonRef::Document(&more));
        }
        self.sink.row += 1;
        number
    }

    /// Returns the rows added since the last call, as a batch; `None` if there are none.
    pub fn finish_batch(&mut self) -> Option<Decoded> {
        let rows = std::mem::take(&mut self.sink.row);
        if rows == 0 {
            return None;
        }
        let bytes = std::mem::take(&mut self.bytes);
        let mut fields = vec![
            ArrowField::new("number", DataType::Int64, false),
            ArrowField::new("day", DataType::Int32, false),
            ArrowField::new("id", DataType::Binary, false),
        ];
        let mut arrays: Vec<ArrayRef> =
            vec![Arc::new(self.numbers.finish()), Arc::new(self.days.finish()), Arc::new(self.ids.finish())];
        if let Some(trades) = &mut self.trades {
            fields.push(ArrowField::new("trade", DataType::Utf8, true));
            arrays.push(Arc::new(trades.finish()));
        }
        fields.push(ArrowField::new("read", DataType::UInt64, true));
        arrays.push(Arc::new(self.reads.finish()));
        fields.push(ArrowField::new("doc", DataType::Binary, false));
        arrays.push(Arc::new(self.documents.finish()));
        let mut numbers = Vec::with_capacity(self.sink.columns.len());
        for column in &mut self.sink.columns {
            let array = column.values.finish(rows);
            fields.push(ArrowField::new(format!("c{}", column.field), array.data_type().clone(), true));
            arrays.push(array);
            numbers.push(column.field);
        }
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
            .expect("every column was filled up to the row count");
        let is_plain = std::mem::replace(&mut self.sink.is_plain, true);
        Some(Decoded {
            batch,
            fields: numbers,
            bytes,
            unreadable: std::mem::take(&mut self.unreadable),
            is_plain,
        })
    }

    /// Returns which fields the documents of each day have, over all documents added since the last call.
    pub fn take_presence(&mut self) -> HashMap<Day, FieldSet> {
        self.change_day(None);
        std::mem::take(&mut self.presence)
    }

    fn change_day(&mut self, day: Option<Day>) {
        if let Some(done) = self.sink.day.take() {
            self.presence.entry(done).or_default().extend(&self.sink.present);
        }
        self.sink.present = FieldSet::default();
        self.sink.day = day;
    }
}

/// What an `_id` is stored as: BSON's numbers for the types that are common, and two of our own. They are in every
/// file, so they never change.
mod id_kind {
    pub(super) const OBJECT_ID: u8 = 7;
    pub(super) const TEXT: u8 = 2;
    pub(super) const INT32: u8 = 16;
    pub(super) const INT64: u8 = 18;
    /// A document with the `_id` alone.
    pub(super) const OTHER: u8 = 0xfe;
    /// There is none: a hash of the document.
    pub(super) const HASH: u8 = 0xff;
}

/// Writes the `_id` as bytes: its kind, then its value. Documents of a view may have no `_id`; a hash of their
/// content identifies them.
fn write_id(out: &mut Vec<u8>, document: &RawDocument) {
    match document.get("_id") {
        Ok(Some(RawBsonRef::ObjectId(id))) => {
            out.push(id_kind::OBJECT_ID);
            out.extend_from_slice(&id.bytes());
        }
        Ok(Some(RawBsonRef::String(text))) => {
            out.push(id_kind::TEXT);
            out.extend_from_slice(text.as_bytes());
        }
        Ok(Some(RawBsonRef::Int32(number))) => {
            out.push(id_kind::INT32);
            out.extend_from_slice(&number.to_le_bytes());
        }
        Ok(Some(RawBsonRef::Int64(number))) => {
            out.push(id_kind::INT64);
            out.extend_from_slice(&number.to_le_bytes());
        }
        Ok(Some(other)) => {
            let mut holder = bson::RawDocumentBuf::new();
            holder.append(bson::cstr!("_id"), other);
            out.push(id_kind::OTHER);
            out.extend_from_slice(holder.as_bytes());
        }
        Ok(None) | Err(_) => {
            out.push(id_kind::HASH);
            out.extend_from_slice(&Md5::digest(document.as_bytes()));
        }
    }
}

/// The names seen in one sub-document. Documents of a collection mostly have the same names in the
/// same order, so the entry after the last one found is tried first.
#[derive(Debug, Default)]
struct Node {
    entries: Vec<Entry>,
    index: HashMap<Box<str>, usize>,
}

#[derive(Debug)]
struct Entry {
    name: Box<str>,
    path: Box<str>,
    slots: [Option<Slot>; Kind::ALL.len()],
    child: Option<Box<Node>>,
    /// Whether other names may lead to the same path.
    is_ambiguous: bool,
    /// The last document that has the name.
    document: i64,
}

impl Entry {
    fn new(name: &str, prefix: Option<&str>) -> Self {
        let path: Box<str> = prefix.map_or_else(|| name.into(), |prefix| format!("{prefix}.{name}").into());
        let is_ambiguous = name.contains('.') || *path == *MORE_FIELDS;
        Self {
            name: name.into(),
            path,
            slots: [None; Kind::ALL.len()],
            child: None,
            is_ambiguous,
            document: 0,
        }
    }
}

/// Where values of one path and kind go: the field's number, and its column. Nulls have none.
#[derive(Debug, Clone, Copy)]
struct Slot {
    field: FieldId,
    column: Option<usize>,
}

impl Node {
    fn entry(&mut self, name: &str, prefix: Option<&str>) -> usize {
        if let Some(at) = self.index.get(name) {
            return *at;
        }
        self.entries.push(Entry::new(name, prefix));
        self.index.insert(name.into(), self.entries.len() - 1);
        self.entries.len() - 1
    }
}

/// Decodes a document into the columns. Returns false if some of its bytes are not valid BSON.
fn walk(
    node: &mut Node,
    sink: &mut Sink,
    prefix: Option<&str>,
    document: &RawDocument,
    depth: usize,
) -> bool {
    let mut readable = true;
    let mut guess = 0;
    let mut elements = Elements::of(document);
    loop {
        let expected = node.entries.get(guess).map(|entry| &*entry.name);
        let element = match elements.next(expected) {
            Ok(Some(element)) => element,
            Ok(None) => return readable,
            Err(Malformed) => return false,
        };
        let at = match element.name {
            Name::Expected => guess,
            Name::Other(name) => {
                let Ok(name) = std::str::from_utf8(name) else { return false };
                if depth == 0 && sink.has_no_room_for(node, name) {
                    readable &= sink.put_in_more_fields(&element);
                    continue;
                }
                node.entry(name, prefix)
            }
        };
        guess = at + 1;
        let entry = &mut node.entries[at];
        sink.is_plain &= !entry.is_ambiguous && entry.document != sink.document;
        entry.document = sink.document;
        match element.value() {
            Some(RawBsonRef::Document(inner)) if !inner.is_empty() && depth < MAX_DEPTH => {
                if brings_too_many(entry, sink, inner) {
                    sink.json(entry, RawBsonRef::Document(inner));
                    continue;
                }
                let child = entry.child.get_or_insert_default();
                readable &= walk(child, sink, Some(&entry.path), inner, depth + 1);
            }
            Some(value) => sink.value(entry, value),
            None => readable &= with_rare_value(&element, |_, value| sink.value(entry, value)),
        }
    }
}

/// Calls `each` with the name and the value of an element whose value is of a rare type or not valid. Returns false if
/// it is not valid. Text that is not UTF-8 is shown with replacement characters; the document keeps its bytes.
fn with_rare_value(element: &Element<'_>, mut each: impl FnMut(&CStr, RawBsonRef<'_>)) -> bool {
    let Ok(alone) = element.alone() else { return false };
    let Some(Ok(element)) = alone.iter_elements().next() else { return false };
    if let Ok(value) = element.value() {
        each(element.key(), value);
        return true;
    }
    if let Ok(lossy) = element.value_utf8_lossy() {
        each(element.key(), lossy.as_raw_bson_ref());
    }
    false
}

/// Whether a sub-document has new names, and more fields than there is room for.
fn brings_too_many(entry: &Entry, sink: &Sink, inner: &RawDocument) -> bool {
    let known = sink.registry.len();
    // An element has a type byte, a name that ends in a zero byte and, mostly, a value.
    let names_at_most = inner.as_bytes().len() / 3;
    if known + names_at_most < MAX_FIELDS {
        return false;
    }
    let is_new = |name: &str| {
        entry.child.as_ref().is_none_or(|child| !child.index.contains_key(name))
            && !sink.registry.knows(&format!("{}.{name}", entry.path))
    };
    let new = inner.iter_elements().flatten().filter(|element| is_new(element.key().as_str())).count();
    new > 0 && known + new > MAX_FIELDS
}

#[derive(Debug)]
struct Sink {
    registry: Arc<FieldRegistry>,
    columns: Vec<Column>,
    row: usize,
    day: Option<Day>,
    present: FieldSet,
    /// Fields of the row's document that have no column.
    more: Option<RawDocumentBuf>,
    /// The number of the document, from 1.
    document: i64,
    /// See [`Decoded::is_plain`].
    is_plain: bool,
    /// For texts that are made of values.
    buffer: String,
}

#[derive(Debug)]
struct Column {
    field: FieldId,
    values: Values,
}

impl Sink {
    /// Whether a top-level field has a new name and there is no room for its column.
    fn has_no_room_for(&self, node: &Node, name: &str) -> bool {
        self.registry.len() >= MAX_FIELDS && !node.index.contains_key(name) && !self.registry.knows(name)
    }

    /// Puts a field into the column for those without one. Returns false if its bytes are not valid BSON.
    fn put_in_more_fields(&mut self, element: &Element<'_>) -> bool {
        let more = self.more.get_or_insert_default();
        with_rare_value(element, |name, value| more.append(name, value))
    }

    fn value(&mut self, entry: &mut Entry, value: RawBsonRef<'_>) {
        match value {
            RawBsonRef::Null | RawBsonRef::Undefined => {
                self.column(entry, Kind::Null);
            }
            RawBsonRef::Boolean(flag) => {
                if let Some(Values::Bool(values)) = self.column(entry, Kind::Bool) {
                    values.append_value(flag);
                }
            }
            RawBsonRef::Int32(number) => {
                if let Some(Values::Int32(values)) = self.column(entry, Kind::Int32) {
                    values.append_value(number);
                }
            }
            RawBsonRef::Int64(number) => {
                if let Some(Values::Int64(values)) = self.column(entry, Kind::Int64) {
                    values.append_value(number);
                }
            }
            RawBsonRef::Double(number) if number == 0.0 && number.is_sign_negative() => {
                self.text(entry, Kind::MinusZero, "-0.0");
            }
            RawBsonRef::Double(number) => {
                if let Some(Values::Double(values)) = self.column(entry, Kind::Double) {
                    values.append_value(number);
                }
            }
            RawBsonRef::String(text) => self.text(entry, Kind::Text, text),
            RawBsonRef::DateTime(date) if DATE_COLUMN.contains(&date.timestamp_millis()) => {
                if let Some(Values::Int64(values)) = self.column(entry, Kind::Date) {
                    values.append_value(date.timestamp_millis());
                }
            }
            RawBsonRef::ObjectId(id) => {
                let mut digits = [0; 24];
                hex::encode_to_slice(id.bytes(), &mut digits).expect("two digits per byte");
                self.text(entry, Kind::ObjectId, std::str::from_utf8(&digits).expect("digits"));
            }
            RawBsonRef::Decimal128(number) => {
                self.written(entry, Kind::Decimal, |text| write!(text, "{number}").is_ok());
            }
            other => self.json(entry, other),
        }
    }

    fn json(&mut self, entry: &mut Entry, value: RawBsonRef<'_>) {
        self.written(entry, Kind::Json, |text| write_relaxed(text, value));
    }

    /// Appends what `write` writes. A value that cannot be written to the end is still in the document's bytes; the
    /// column shows what was written of it.
    fn written(&mut self, entry: &mut Entry, kind: Kind, write: impl FnOnce(&mut String) -> bool) {
        let mut text = std::mem::take(&mut self.buffer);
        text.clear();
        write(&mut text);
        self.text(entry, kind, &text);
        self.buffer = text;
    }

    fn text(&mut self, entry: &mut Entry, kind: Kind, text: &str) {
        if let Some(Values::Text(values)) = self.column(entry, kind) {
            values.append_value(text);
        }
    }

    /// The column of a path and kind, filled up with nulls to the current row. `None` for nulls, and if the row
    /// already has a value there: of two equal names in one document, the first counts.
    fn column(&mut self, entry: &mut Entry, kind: Kind) -> Option<&mut Values> {
        let slot = match entry.slots[kind as usize] {
            Some(slot) => slot,
            None => {
                let field = self.registry.number_of(&entry.path, kind);
                // `"a.b"` and `a: {b}` are two entries of one path.
                let known = self.columns.iter().position(|column| column.field == field);
                let column = (kind != Kind::Null).then(|| known.unwrap_or(self.columns.len()));
                if column == Some(self.columns.len()) {
                    self.columns.push(Column { field, values: Values::of(kind) });
                }
                let slot = Slot { field, column };
                entry.slots[kind as usize] = Some(slot);
                slot
            }
        };
        self.present.insert(slot.field);
        let values = &mut self.columns[slot.column?].values;
        let filled = values.len();
        if filled > self.row {
            return None;
        }
        values.append_nulls(self.row - filled);
        Some(values)
    }
}

#[derive(Debug)]
enum Values {
    Bool(BooleanBuilder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    Double(Float64Builder),
    Text(StringBuilder),
}

/// Makes the same call on the builder of any variant.
macro_rules! each {
    ($values:expr, $builder:ident => $call:expr) => {
        match $values {
            Values::Bool($builder) => $call,
            Values::Int32($builder) => $call,
            Values::Int64($builder) => $call,
            Values::Double($builder) => $call,
            Values::Text($builder) => $call,
        }
    };
}

impl Values {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Bool => Self::Bool(BooleanBuilder::new()),
            Kind::Int32 => Self::Int32(Int32Builder::new()),
            Kind::Int64 | Kind::Date => Self::Int64(Int64Builder::new()),
            Kind::Double => Self::Double(Float64Builder::new()),
            Kind::Null | Kind::MinusZero | Kind::Decimal | Kind::Text | Kind::ObjectId | Kind::Json => {
                Self::Text(StringBuilder::new())
            }
        }
    }

    fn len(&self) -> usize {
        use duckdb::arrow::array::ArrayBuilder as _;
        each!(self, builder => builder.len())
    }

    fn append_nulls(&mut self, count: usize) {
        match self {
            Self::Text(builder) => (0..count).for_each(|_| builder.append_null()),
            Self::Bool(builder) => builder.append_nulls(count),
            Self::Int32(builder) => builder.append_nulls(count),
            Self::Int64(builder) => builder.append_nulls(count),
            Self::Double(builder) => builder.append_nulls(count),
        }
    }

    fn finish(&mut self, rows: usize) -> ArrayRef {
        self.append_nulls(rows - self.len());
        each!(self, builder => Arc::new(builder.finish()))
    }
}

#[cfg(test)]
mod tests {
    use bson::{Bson, doc};
    use duckdb::arrow::array::{Array as _, AsArray as _};
    use duckdb::arrow::datatypes::Int64Type;

    use super::*;

    fn raw(document: &bson::Document) -> bson::RawDocumentBuf {
        bson::RawDocumentBuf::try_from(document).expect("encodes")
    }

    fn day(number: i32) -> Day {
        Day::from_number(number)
    }

    #[test]
    fn a_path_with_two_types_has_two_columns_and_loses_no_digit() {
        let registry = Arc::new(FieldRegistry::default());
        let mut decoder = Decoder::new(Arc::clone(&registry), false);
        let key = RowKey { day: day(1), trade: None, read: 0 };
        decoder.push(key, &raw(&doc! { "_id": 1, "n": 9_007_199_254_740_993_i64 }));
        decoder.push(key, &raw(&doc! { "_id": 2, "n": 0.5, "deep": { "er": "x" } }));
        decoder.push(key, &raw(&doc! { "_id": 3, "n": Bson::Null }));
        let decoded = decoder.finish_batch().expect("three rows");
        assert_eq!(decoded.batch.num_rows(), 3);
        let n = decoded.batch.column_by_name("c1").expect("n as int64").as_primitive::<Int64Type>();
        assert_eq!(n.value(0), 9_007_199_254_740_993);
        assert!(n.is_null(1) && n.is_null(2));
        let fields: Vec<_> = (0..5).filter_map(|number| registry.field(number)).collect();
        let names: Vec<_> = fields.iter().map(|field| (&*field.path, field.kind)).collect();
        assert_eq!(
            names,
            [
                ("_id", Kind::Int32),
                ("n", Kind::Int64),
                ("n", Kind::Double),
                ("deep.er", Kind::Text),
                ("n", Kind::Null)
            ]
        );
        let present = decoder.take_presence();
        assert!((0..5).all(|number| present[&day(1)].contains(number)));
    }

    #[test]
    fn of_two_equal_names_the_first_counts() {
        let mut bytes = bson::RawDocumentBuf::new();
        bytes.append(bson::cstr!("a"), 1_i64);
        bytes.append(bson::cstr!("a"), 2_i64);
        let mut decoder = Decoder::new(Arc::default(), false);
        decoder.push(RowKey { day: day(1), trade: None, read: 0 }, &bytes);
        let decoded = decoder.finish_batch().expect("a row");
        assert_eq!(decoded.batch.column_by_name("c0").expect("a").as_primitive::<Int64Type>().value(0), 1);
    }

    #[test]
    fn a_dotted_name_and_a_path_share_a_column() {
        let mut decoder = Decoder::new(Arc::default(), false);
        let key = RowKey { day: day(1), trade: None, read: 0 };
        decoder.push(key, &raw(&doc! { "a.b": 1_i64 }));
        decoder.push(key, &raw(&doc! { "a": { "b": 2_i64 } }));
        let decoded = decoder.finish_batch().expect("two rows");
        assert_eq!(decoded.fields, [0]);
        let values = decoded.batch.column_by_name("c0").expect("a.b").as_primitive::<Int64Type>();
        assert_eq!((values.value(0), values.value(1)), (1, 2));
    }

    #[test]
    fn later_batches_keep_the_column_order() {
        let mut decoder = Decoder::new(Arc::default(), true);
        let key = RowKey { day: day(1), trade: Some("s:t1"), read: 0 };
        decoder.push(key, &raw(&doc! { "a": 1, "b": "x" }));
        assert_eq!(decoder.finish_batch().expect("a row").fields, [0, 1]);
        decoder.push(key, &raw(&doc! { "c": true, "a": 2 }));
        assert_eq!(decoder.finish_batch().expect("a row").fields, [0, 1, 2]);
        assert!(decoder.finish_batch().is_none());
    }

    #[test]
    fn data_as_field_names_does_not_make_columns_without_end() {
        let registry = Arc::new(FieldRegistry::default());
        let mut decoder = Decoder::new(Arc::clone(&registry), false);
        let key = RowKey { day: day(1), trade: None, read: 0 };
        let count = i32::try_from(MAX_FIELDS).expect("small");
        for number in 0..3 * count {
            let name = format!("m{number}");
            decoder
                .push(key, &raw(&doc! { "acks": { &name: 1, "of": { "by": { &name: "x" } } }, "known": 1 }));
        }
        // A document with more new names than there is room for.
        let many: bson::Document =
            (0..5 * count).map(|number| (format!("n{number}"), Bson::from(1))).collect();
        decoder.push(key, &raw(&doc! { "all": many }));
        assert!(registry.len() < MAX_FIELDS + 20, "{}", registry.len());
        // In a different window of the same file, names that have columns keep them.
        let mut other = Decoder::new(Arc::clone(&registry), false);
        other.push(key, &raw(&doc! { "acks": { "m0": 1, "of": { "by": { "m0": "x" } } } }));
        let fields = other.finish_batch().expect("a row").fields;
        let paths: Vec<_> =
            fields.iter().filter_map(|field| registry.field(*field)).map(|field| field.path).collect();
        assert_eq!(paths.iter().map(|path| &**path).collect::<Vec<_>>(), ["acks.m0", "acks.of.by.m0"]);
        // Values without a column of their own are stored as one text.
        let decoded = decoder.finish_batch().expect("rows");
        let texts = |path: &str| {
            let field = registry.number_of(path, Kind::Json);
            let name = format!("c{field}");
            decoded.batch.column_by_name(&name).expect("a column").as_string::<i32>().clone()
        };
        let last = decoded.batch.num_rows() - 1;
        assert!(texts("acks").value(last - 1).contains(&format!("\"m{}\":1", 3 * count - 1)));
        assert!(texts(MORE_FIELDS).value(last).contains(&format!("\"n{}\":1", 5 * count - 1)));
    }

    #[test]
    fn fields_of_documents_beyond_the_bound_share_a_column() {
        let registry = Arc::new(FieldRegistry::default());
        registry.expect_paths(["product", "trade.id"]);
        let mut decoder = Decoder::new(Arc::clone(&registry), false);
        let key = RowKey { day: day(1), trade: None, read: 0 };
        let count = i32::try_from(MAX_FIELDS).expect("small");
        for number in 0..3 * count {
            decoder.push(key, &raw(&doc! { format!("m{number}"): { "x": number } }));
        }
        decoder
            .push(key, &raw(&doc! { "product": "Gas", "m0": { "x": 7 }, "trade": { "id": 5 }, "new": 1.5 }));
        assert!(registry.len() < MAX_FIELDS + 20, "{}", registry.len());
        let decoded = decoder.finish_batch().expect("rows");
        let column = |path: &str, kind: Kind| {
            let name = format!("c{}", registry.number_of(path, kind));
            decoded.batch.column_by_name(&name).expect("a column").clone()
        };
        let last = decoded.batch.num_rows() - 1;
        let more = column(MORE_FIELDS, Kind::Json).as_string::<i32>().clone();
        assert!(more.is_null(0));
        assert_eq!(more.value(last), r#"{"new":1.5}"#);
        assert_eq!(more.value(last - 1), format!("{{\"m{0}\":{{\"x\":{0}}}}}", 3 * count - 1));
        // Fields that the mapping names, and fields that already have a column, keep it.
        assert_eq!(column("product", Kind::Text).as_string::<i32>().value(last), "Gas");
        assert!(column("trade.id", Kind::Int32).is_valid(last) && column("m0.x", Kind::Int32).is_valid(last));
    }

    #[test]
    fn documents_with_a_name_twice_or_with_a_dot_are_not_plain() {
        let mut decoder = Decoder::new(Arc::default(), false);
        let mut is_plain = |document: &RawDocument| {
            decoder.push(RowKey { day: day(1), trade: None, read: 0 }, document);
            decoder.finish_batch().expect("a row").is_plain
        };
        let twice = |name: &bson::raw::CStr, inner: bool| {
            let mut names = RawDocumentBuf::new();
            names.append(name, 1);
            names.append(name, "x");
            let mut outer = RawDocumentBuf::new();
            outer.append(bson::cstr!("sub"), names.clone());
            if inner { outer } else { names }
        };
        for plain in [doc! { "a": 1, "b": { "a": 1, "c": [{ "x.y": 1 }] } }, doc! { "a": 1 }, doc! {}] {
            assert!(is_plain(&raw(&plain)), "{plain}");
        }
        for odd in [doc! { "a.b": 1 }, doc! { "a": { "b.c": 1 } }, doc! { MORE_FIELDS: 1 }] {
            assert!(!is_plain(&raw(&odd)), "{odd}");
        }
        assert!(!is_plain(&twice(bson::cstr!("a"), false)) && !is_plain(&twice(bson::cstr!("a"), true)));
        assert!(is_plain(&raw(&doc! { "a": 1 })), "each batch is judged by itself");
    }

    #[test]
    fn field_sets_survive_the_ledger() {
        let mut set = FieldSet::default();
        set.insert(3);
        set.insert(700);
        let back = FieldSet::from_text(&set.to_text());
        assert_eq!(back, set);
        assert!(back.contains(700) && !back.contains(4));
        let rest = back.without(&[700, 9_000]);
        assert!(rest.contains(3) && !rest.contains(700));
    }
}
