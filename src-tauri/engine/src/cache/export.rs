//! Exports the rows of a view to a file, a pipe or standard output, in several formats.

mod csv_table;
mod csv_text;
mod dates;
pub(crate) mod destination;
mod formats;
pub(crate) mod forms;
mod formula;
mod json_lines;
mod parquet_table;
pub(crate) mod rights;
pub(crate) mod sql;
pub(crate) mod stream;
pub mod table;
pub(crate) mod target;
mod workbook;
pub mod writing;
