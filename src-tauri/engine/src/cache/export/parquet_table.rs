//! Writes a table as Parquet.
//!
//! DuckDB could write it as well, but only into folders that it may reach, and without telling how far it has come.

use std::io::{self, Write};
use std::str::FromStr as _;
use std::sync::Arc;

use bigdecimal::BigDecimal;
use duckdb::arrow::array::builder::{
    ArrayBuilder, BooleanBuilder, Decimal128Builder, Float64Builder, Int32Builder, Int64Builder,
    StringBuilder, TimestampMillisecondBuilder,
};
use duckdb::arrow::array::{ArrayRef, RecordBatch};
use duckdb::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::dates::millis_of;
use super::table::{Cell, ColumnForm, Remarks, TableColumn, TableWriter};

/// Rows that are collected before they are encoded.
const BATCH_ROWS: usize = 1_024;
/// Bytes of texts that are collected at most.
const BATCH_BYTES: usize = 8 << 20;
/// Rows of a row group, as DuckDB writes them.
const GROUP_ROWS: usize = 122_880;
/// Memory of a row group at which it is written, however few rows it has.
const GROUP_BYTES: usize = 96 << 20;

/// A Parquet file that is being written.
pub(crate) struct ParquetTable<W: Write + Send> {
    writer: ArrowWriter<W>,
    schema: SchemaRef,
    columns: Vec<Values>,
    column: usize,
    rows: usize,
    bytes: usize,
}

/// The collected values of a column.
enum Values {
    Bool(BooleanBuilder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    Double(Float64Builder),
    Decimal(Decimal128Builder, i64),
    Timestamp(TimestampMillisecondBuilder),
    Text(StringBuilder),
}

impl<W: Write + Send> ParquetTable<W> {
    /// Begins a file.
    pub(crate) fn begin(target: W, columns: &[TableColumn]) -> io::Result<Self> {
        let field = |column: &TableColumn| Field::new(&column.name, data_type(column.form), true);
        let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_max_row_group_row_count(Some(GROUP_ROWS))
            .set_created_by(concat!("Tidemark ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let writer = ArrowWriter::try_new(target, Arc::clone(&schema), Some(properties)).map_err(as_io)?;
        let columns = columns.iter().map(|column| Values::of(column.form)).collect();
        Ok(Self { writer, schema, columns, column: 0, rows: 0, bytes: 0 })
    }

    fn encode(&mut self) -> io::Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let arrays = self.columns.iter_mut().map(Values::finish).collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays).map_err(io::Error::other)?;
        (self.rows, self.bytes) = (0, 0);
        self.writer.write(&batch).map_err(as_io)?;
        if self.writer.memory_size() > GROUP_BYTES { self.writer.flush().map_err(as_io) } else { Ok(()) }
    }
}

impl<W: Write + Send> TableWriter for ParquetTable<W> {
    fn cell(&mut self, cell: Option<Cell<'_>>) -> io::Result<()> {
        let values = self.columns.get_mut(self.column).ok_or(io::ErrorKind::InvalidInput)?;
        self.column += 1;
        self.bytes += cell.map_or(0, |cell| cell.text.len());
        values.push(cell.map(|cell| cell.text)).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    fn end_row(&mut self) -> io::Result<()> {
        self.column = 0;
        self.rows += 1;
        if self.rows == BATCH_ROWS || self.bytes > BATCH_BYTES { self.encode() } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> io::Result<Remarks> {
        self.encode()?;
        let Self { writer, .. } = *self;
        writer.into_inner().map_err(as_io)?.flush()?;
        Ok(Remarks::default())
    }
}

impl Values {
    fn of(form: ColumnForm) -> Self {
        match form {
            ColumnForm::Bool => Self::Bool(BooleanBuilder::new()),
            ColumnForm::Int32 => Self::Int32(Int32Builder::new()),
            ColumnForm::Int64 => Self::Int64(Int64Builder::new()),
            ColumnForm::Double => Self::Double(Float64Builder::new()),
            ColumnForm::Decimal { scale, .. } => {
                Self::Decimal(Decimal128Builder::new().with_data_type(data_type(form)), scale.into())
            }
            ColumnForm::Timestamp => {
                Self::Timestamp(TimestampMillisecondBuilder::new().with_data_type(data_type(form)))
            }
            ColumnForm::Text => Self::Text(StringBuilder::new()),
        }
    }

    /// Appends a value; `None` if it does not fit, which would be a mistake in the choice of the form.
    fn push(&mut self, text: Option<&str>) -> Option<()> {
        let Some(text) = text else {
            match self {
                Self::Bool(values) => values.append_null(),
                Self::Int32(values) => values.append_null(),
                Self::Int64(values) => values.append_null(),
                Self::Double(values) => values.append_null(),
                Self::Decimal(values, _) => values.append_null(),
                Self::Timestamp(values) => values.append_null(),
                Self::Text(values) => values.append_null(),
            }
            return Some(());
        };
        match self {
            Self::Bool(values) => values.append_value(text.parse().ok()?),
            Self::Int32(values) => values.append_value(text.parse().ok()?),
            Self::Int64(values) => values.append_value(text.parse().ok()?),
            Self::Double(values) => values.append_value(text.parse().ok()?),
            Self::Decimal(values, scale) => values.append_value(unscaled(text, *scale)?),
            Self::Timestamp(values) => values.append_value(millis_of(text)?),
            Self::Text(values) => values.append_value(text),
        }
        Some(())
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Bool(values) => ArrayBuilder::finish(values),
            Self::Int32(values) => ArrayBuilder::finish(values),
            Self::Int64(values) => ArrayBuilder::finish(values),
            Self::Double(values) => ArrayBuilder::finish(values),
            Self::Decimal(values, _) => ArrayBuilder::finish(values),
            Self::Timestamp(values) => ArrayBuilder::finish(values),
            Self::Text(values) => ArrayBuilder::finish(values),
        }
    }
}

fn data_type(form: ColumnForm) -> DataType {
    match form {
        ColumnForm::Bool => DataType::Boolean,
        ColumnForm::Int32 => DataType::Int32,
        ColumnForm::Int64 => DataType::Int64,
        ColumnForm::Double => DataType::Float64,
        // No more than 38 digits.
        ColumnForm::Decimal { precision, scale } => DataType::Decimal128(precision, scale.cast_signed()),
        ColumnForm::Timestamp => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
        ColumnForm::Text => DataType::Utf8,
    }
}

/// A decimal number without its point, after so many digits of a fraction.
fn unscaled(text: &str, scale: i64) -> Option<i128> {
    let number = BigDecimal::from_str(text).ok()?;
    let scaled = number.with_scale(scale);
    if scaled != number {
        return None;
    }
    let (digits, _) = scaled.into_bigint_and_exponent();
    i128::try_from(digits).ok()
}

/// The error of the target, if it is one.
fn as_io(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(cause) => match cause.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(cause) => io::Error::other(cause),
        },
        error => io::Error::other(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_keeps_every_digit_or_does_not_fit() {
        for (text, scale, expected) in [
            ("1.50", 2, Some(150)),
            ("1.5", 3, Some(1_500)),
            (
                "-12345678901234567890123456789012345678",
                0,
                Some(-12_345_678_901_234_567_890_123_456_789_012_345_678),
            ),
            ("1.005", 2, None),
            ("NaN", 2, None),
        ] {
            assert_eq!(unscaled(text, scale), expected, "{text}");
        }
    }
}
