//! Rows that are copied from another file by their columns, without decoding the documents.

use std::collections::HashMap;
use std::sync::Arc;

use bson::{RawBsonRef, RawDocument};
use duckdb::arrow::array::{Array as _, ArrayRef, AsArray as _, new_null_array};
use duckdb::arrow::compute::concat;
use duckdb::arrow::datatypes::{DataType, Field as ArrowField, Int32Type, Schema};
use duckdb::arrow::record_batch::RecordBatch;

use crate::cache::file::error::{CacheError, Result};
use crate::cache::file::schema::field_of_column;
use crate::day::Day;
use crate::decode::{Decoded, FieldId, FieldRegistry, FieldSet, Kind};
use crate::limits::Limits;

/// BSON bytes from which a batch is worth appending: fewer columns come late if more rows are seen first.
const BYTES_PER_BATCH: usize = 4 << 20;

/// Where the columns of every table begin; its fields follow.
const DAY: &str = "day";
const DOCUMENT: &str = "doc";

/// Collects copied rows of one table until there are enough to append. The rows come as record batches whose columns
/// are those of the table: `number, day, id, [trade,] read, doc`, then fields by the other file's numbers.
#[derive(Debug)]
pub(crate) struct CopiedRows<'a> {
    theirs: &'a FieldRegistry,
    ours: &'a FieldRegistry,
    /// Fields that have had a value so far, by our numbers.
    fields: Vec<FieldId>,
    pending: Vec<Pending>,
    rows: usize,
    bytes: usize,
    rows_per_batch: usize,
    presence: HashMap<Day, FieldSet>,
    /// Per day, their fields of nulls that no copied document of the day has had yet.
    nulls: HashMap<Day, Vec<(String, FieldId)>>,
    is_plain: bool,
}

#[derive(Debug)]
struct Pending {
    rows: usize,
    /// The columns before the fields.
    own: Vec<(Arc<ArrowField>, ArrayRef)>,
    fields: HashMap<FieldId, ArrayRef>,
}

impl<'a> CopiedRows<'a> {
    /// Begins with no rows. `nulls` are the fields of their days' documents, of which those that are all nulls have no
    /// column.
    pub(crate) fn new<'d>(
        theirs: &'a FieldRegistry,
        ours: &'a FieldRegistry,
        days: impl Iterator<Item = (Day, &'d FieldSet)>,
        is_plain: bool,
        limits: &Limits,
    ) -> Self {
        let all: Vec<(FieldId, String)> = (0..FieldId::try_from(theirs.len()).unwrap_or(FieldId::MAX))
            .filter_map(|number| Some((number, theirs.field(number)?)))
            .filter(|(_, field)| field.kind == Kind::Null)
            .map(|(number, field)| (number, field.path.to_string()))
            .collect();
        let of = |fields: &FieldSet| -> Vec<(String, FieldId)> {
            let present = all.iter().filter(|(number, _)| fields.contains(*number));
            present.map(|(number, path)| (path.clone(), *number)).collect()
        };
        Self {
            theirs,
            ours,
            fields: Vec::new(),
            pending: Vec::new(),
            rows: 0,
            bytes: 0,
            rows_per_batch: limits.rows_per_batch.get() as usize,
            presence: HashMap::new(),
            nulls: days
                .map(|(day, fields)| (day, of(fields)))
                .filter(|(_, nulls)| !nulls.is_empty())
                .collect(),
            is_plain,
        }
    }

    /// Whether the rows added since the last [`finish_batch`](Self::finish_batch) fill a batch.
    pub(crate) const fn is_full(&self) -> bool {
        self.rows >= self.rows_per_batch || self.bytes >= BYTES_PER_BATCH
    }

    /// Adds rows.
    ///
    /// # Errors
    /// `cache_damaged` if a document is no document.
    pub(crate) fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        let schema = batch.schema();
        let mut pending = Pending { rows: batch.num_rows(), own: Vec::new(), fields: HashMap::new() };
        for (field, values) in schema.fields().iter().zip(batch.columns()) {
            let Some(number) = field_of_column(field.name()) else {
                pending.own.push((Arc::clone(field), Arc::clone(values)));
                continue;
            };
            if values.null_count() == values.len() {
                continue;
            }
            if let Some(theirs) = self.theirs.field(number) {
                let ours = self.ours.number_of(&theirs.path, theirs.kind);
                if !self.fields.contains(&ours) {
                    self.fields.push(ours);
                }
                pending.fields.insert(ours, Arc::clone(values));
            }
        }
        self.note_presence(batch, &pending.fields)?;
        self.rows += pending.rows;
        self.pending.push(pending);
        Ok(())
    }

    fn note_presence(&mut self, batch: &RecordBatch, fields: &HashMap<FieldId, ArrayRef>) -> Result<()> {
        let days = column(batch, DAY)?.as_primitive::<Int32Type>().values();
        let documents = column(batch, DOCUMENT)?.as_binary::<i32>();
        let mut from = 0;
        for run in days.chunk_by(|one, next| one == next) {
            let day = Day::from_number(run[0]);
            let present = self.presence.entry(day).or_default();
            for (field, values) in fields {
                if values.slice(from, run.len()).null_count() < run.len() {
                    present.insert(*field);
                }
            }
            let nulls = self.nulls.get_mut(&day);
            for at in from..from + run.len() {
                self.bytes += documents.value(at).len();
            }
            if let Some(nulls) = nulls {
                for at in from..from + run.len() {
                    if nulls.is_empty() {
                        break;
                    }
                    let document = RawDocument::from_bytes(documents.value(at)).map_err(unreadable)?;
                    nulls.retain(|(path, _)| {
                        let found = has_null(document, path);
                        if found {
                            present.insert(self.ours.number_of(path, Kind::Null));
                        }
                        !found
                    });
                }
            }
            from += run.len();
        }
        Ok(())
    }

    /// Returns the rows added since the last call; `None` if there are none.
    ///
    /// # Errors
    /// `internal` if columns of one field have different types.
    pub(crate) fn finish_batch(&mut self) -> Result<Option<Decoded>> {
        let pending = std::mem::take(&mut self.pending);
        let Some(first) = pending.first() else { return Ok(None) };
        self.rows = 0;
        let (mut fields, mut arrays) = (Vec::new(), Vec::new());
        for (at, (field, _)) in first.own.iter().enumerate() {
            let parts: Vec<_> = pending.iter().map(|part| &*part.own[at].1).collect();
            fields.push(Arc::clone(field));
            arrays.push(concat(&parts).map_err(mismatch)?);
        }
        for number in &self.fields {
            let held = pending.iter().find_map(|part| part.fields.get(number));
            let data_type = held.map_or_else(|| self.type_of(*number), |held| held.data_type().clone());
            let parts: Vec<ArrayRef> = pending
                .iter()
                .map(|part| {
                    let held = part.fields.get(number).map(Arc::clone);
                    held.unwrap_or_else(|| new_null_array(&data_type, part.rows))
                })
                .collect();
            let parts: Vec<_> = parts.iter().map(|part| &**part).collect();
            fields.push(Arc::new(ArrowField::new(format!("c{number}"), data_type, true)));
            arrays.push(concat(&parts).map_err(mismatch)?);
        }
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(mismatch)?;
        Ok(Some(Decoded {
            batch,
            fields: self.fields.clone(),
            bytes: std::mem::take(&mut self.bytes),
            unreadable: Vec::new(),
            is_plain: self.is_plain,
        }))
    }

    fn type_of(&self, field: FieldId) -> DataType {
        self.ours.field(field).map_or(DataType::Utf8, |field| match field.kind {
            Kind::Bool => DataType::Boolean,
            Kind::Int32 => DataType::Int32,
            Kind::Int64 | Kind::Date => DataType::Int64,
            Kind::Double => DataType::Float64,
            Kind::Null | Kind::MinusZero | Kind::Decimal | Kind::Text | Kind::ObjectId | Kind::Json => {
                DataType::Utf8
            }
        })
    }

    /// The fields that the copied documents of each day have.
    pub(crate) fn into_presence(self) -> HashMap<Day, FieldSet> {
        self.presence
    }
}

/// A column of a batch.
///
/// # Errors
/// `internal` if it has none of this name.
pub(crate) fn column<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b ArrayRef> {
    batch.column_by_name(name).ok_or_else(|| CacheError::internal("A column is missing from copied rows."))
}

/// Whether a document has null at a path, through sub-documents alone.
fn has_null(document: &RawDocument, path: &str) -> bool {
    document.iter().filter_map(Result::ok).any(|(name, value)| {
        let Some(rest) = path.strip_prefix(name.as_str()) else { return false };
        match (value, rest.strip_prefix('.')) {
            (RawBsonRef::Null | RawBsonRef::Undefined, _) => rest.is_empty(),
            (RawBsonRef::Document(inner), Some(rest)) => has_null(inner, rest),
            _ => false,
        }
    })
}

/// The failure for a cached document that is none.
pub(crate) fn unreadable(error: bson::error::Error) -> CacheError {
    CacheError::corrupt("A cached document cannot be read.").because(error)
}

fn mismatch(error: duckdb::arrow::error::ArrowError) -> CacheError {
    CacheError::internal("The columns of copied rows do not fit together.").because(error)
}
