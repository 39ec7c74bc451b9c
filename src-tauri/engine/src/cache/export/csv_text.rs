//! Writes the text of a CSV (RFC 4180, UTF-8): records end with `\r\n`, and a missing value is an empty cell, so that an empty text,
//! which is in quotes, remains different from it.

use std::io::{self, Write};

use super::formula;

/// Bytes that are collected before they are written.
const BUFFER: usize = 256 << 10;

/// Writes the cells of records, one after the other.
#[derive(Debug)]
pub(crate) struct CsvWriter<W: Write> {
    target: W,
    buffer: Vec<u8>,
    is_first: bool,
    /// The byte between two cells.
    separator: u8,
    /// Whether texts that a spreadsheet would take for formulas get an apostrophe in front.
    is_safe: bool,
}

impl<W: Write> CsvWriter<W> {
    /// Writes to a target.
    pub(crate) fn new(target: W, separator: u8, is_safe: bool) -> Self {
        let buffer = Vec::with_capacity(BUFFER + (BUFFER >> 2));
        Self { target, buffer, is_first: true, separator, is_safe }
    }

    /// Writes a text that a person may have typed.
    pub(crate) fn text(&mut self, text: &str) {
        if self.is_safe && formula::is_formula(text) {
            self.cell(Some(&format!("'{text}")));
        } else {
            self.cell(Some(text));
        }
    }

    /// Writes a value as it is.
    pub(crate) fn cell(&mut self, value: Option<&str>) {
        if !self.is_first {
            self.buffer.push(self.separator);
        }
        self.is_first = false;
        let Some(value) = value else { return };
        let separator = self.separator;
        let is_special = |byte: &u8| *byte == separator || matches!(byte, b'"' | b'\n' | b'\r');
        if !value.is_empty() && !value.as_bytes().iter().any(is_special) {
            self.buffer.extend_from_slice(value.as_bytes());
            return;
        }
        self.buffer.push(b'"');
        for part in value.as_bytes().split_inclusive(|byte| *byte == b'"') {
            self.buffer.extend_from_slice(part);
            if part.last() == Some(&b'"') {
                self.buffer.push(b'"');
            }
        }
        self.buffer.push(b'"');
    }

    /// Ends a record.
    pub(crate) fn end_record(&mut self) -> io::Result<()> {
        self.buffer.extend_from_slice(b"\r\n");
        self.is_first = true;
        if self.buffer.len() >= BUFFER { self.write_out() } else { Ok(()) }
    }

    /// Writes what was collected.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.write_out()?;
        self.target.flush()
    }

    fn write_out(&mut self) -> io::Result<()> {
        self.target.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(is_safe: bool, write: impl FnOnce(&mut CsvWriter<&mut Vec<u8>>)) -> String {
        let mut bytes = Vec::new();
        let mut writer = CsvWriter::new(&mut bytes, b',', is_safe);
        write(&mut writer);
        writer.end_record().expect("memory");
        writer.finish().expect("memory");
        String::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn only_what_needs_quotes_has_them() {
        for (value, cell) in [
            (None, ""),
            (Some(""), "\"\""),
            (Some("a b"), "a b"),
            (Some(" a\t"), " a\t"),
            (Some("a,b"), "\"a,b\""),
            (Some("\""), "\"\"\"\""),
            (Some("say \"no\"!"), "\"say \"\"no\"\"!\""),
            (Some("a\r\nb"), "\"a\r\nb\""),
            (Some("é\u{1F600}"), "é\u{1F600}"),
        ] {
            assert_eq!(written(false, |csv| csv.cell(value)), format!("{cell}\r\n"));
        }
        let record =
            written(false, |csv| [Some("a"), None, Some("")].into_iter().for_each(|value| csv.cell(value)));
        assert_eq!(record, "a,,\"\"\r\n");
    }

    #[test]
    fn formulas_are_protected_only_if_that_is_asked_for() {
        assert_eq!(written(true, |csv| csv.text("=1,2")), "\"'=1,2\"\r\n");
        assert_eq!(written(false, |csv| csv.text("=1")), "=1\r\n");
        assert_eq!(written(true, |csv| csv.cell(Some("-1e5"))), "-1e5\r\n");
    }

    #[test]
    fn much_is_written_in_pieces() {
        let mut bytes = Vec::new();
        let mut writer = CsvWriter::new(&mut bytes, b',', false);
        for _ in 0..20_000 {
            writer.cell(Some("0123456789012345678"));
            writer.cell(None);
            writer.end_record().expect("memory");
        }
        writer.finish().expect("memory");
        assert_eq!(bytes.len(), 20_000 * 22);
    }
}
