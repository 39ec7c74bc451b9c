//! The one place that chooses the writer of a format.

use std::fs::File;
use std::io::{self, BufWriter};

use super::csv_table::CsvTable;
use super::json_lines::JsonLines;
use super::parquet_table::ParquetTable;
use super::table::{TableColumn, TableWriter};
use super::workbook::{SheetLimits, Workbook};
use crate::day::DayZone;
use crate::rows::{ExportFormat, ExportOptions};

/// Begins a file in a format.
///
/// # Errors
/// Those of writing.
pub(crate) fn begin(
    file: File,
    options: &ExportOptions,
    zone: Option<DayZone>,
    columns: &[TableColumn],
) -> io::Result<Box<dyn TableWriter>> {
    Ok(match options.format {
        ExportFormat::Csv => Box::new(CsvTable::begin(file, options, zone, columns)?),
        ExportFormat::Parquet => Box::new(ParquetTable::begin(file, columns)?),
        ExportFormat::Jsonl => Box::new(JsonLines::begin(file, columns)),
        ExportFormat::Xlsx => {
            Box::new(Workbook::begin(BufWriter::new(file), zone, columns, SheetLimits::default())?)
        }
    })
}
