//! What the writers of all formats take: columns, and rows of cells one after the other. Nothing here knows where the
//! rows come from.

use std::io;

use crate::decode::Kind;

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableColumn {
    /// Its heading.
    pub(crate) name: String,
    /// The type of its values in a format with types of its own.
    pub(crate) form: ColumnForm,
}

/// The type of a column. All its values fit: a column of several kinds, or of numbers that no other form holds
/// exactly, has texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnForm {
    Bool,
    Int32,
    Int64,
    Double,
    /// Exact numbers with so many digits, and so many of them after the point.
    Decimal {
        precision: u8,
        scale: u8,
    },
    /// Milliseconds in UTC.
    Timestamp,
    Text,
}

/// A value, with its text as the grid shows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
}

/// What a format could not take as it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Remarks {
    /// Numbers and dates that a spreadsheet cannot hold exactly, which were written as text.
    pub cells_as_text: u64,
    /// Texts that are longer than a cell of a spreadsheet can be, and were cut.
    pub cut_texts: u64,
    /// Sheets of a spreadsheet; 0 in other formats.
    pub sheets: u32,
}

/// Writes rows in a format, one cell after the other. The headings are written by then.
pub(crate) trait TableWriter {
    /// Begins a row. A workbook may go on to the next sheet.
    fn begin_row(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Writes the next cell of the row; `None` is a missing value.
    fn cell(&mut self, cell: Option<Cell<'_>>) -> io::Result<()>;

    /// Writes a whole document, as relaxed Extended JSON. Only JSON lines have such rows.
    fn document(&mut self, _json: &str) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Ends the row.
    fn end_row(&mut self) -> io::Result<()>;

    /// Writes what is left.
    fn finish(self: Box<Self>) -> io::Result<Remarks>;
}
