//! Writes a table as JSON lines: one JSON object per row.
//!
//! Values are relaxed Extended JSON, as in the documents: numbers of all digits, `{"$date": …}`, `{"$oid": …}` and
//! `{"$numberDecimal": …}`. A missing value is null.

use std::io::{self, Write};

use bson::{DateTime, RawBsonRef};

use super::dates::millis_of;
use super::table::{Cell, Remarks, TableColumn, TableWriter};
use crate::bson::extjson::write_relaxed;
use crate::decode::Kind;

/// Bytes that are collected before they are written.
const BUFFER: usize = 256 << 10;

/// A file of JSON lines that is being written.
pub(crate) struct JsonLines<W: Write> {
    target: W,
    buffer: String,
    /// The columns' names as JSON, each with its colon.
    keys: Vec<String>,
    column: usize,
}

impl<W: Write> JsonLines<W> {
    /// Begins a file; it has no heading.
    pub(crate) fn begin(target: W, columns: &[TableColumn]) -> Self {
        let key = |column: &TableColumn| format!("{}:", json_text(&column.name));
        let keys = columns.iter().map(key).collect();
        Self { target, buffer: String::with_capacity(BUFFER + (BUFFER >> 2)), keys, column: 0 }
    }

    fn write_out(&mut self) -> io::Result<()> {
        self.target.write_all(self.buffer.as_bytes())?;
        self.buffer.clear();
        Ok(())
    }

    fn value(&mut self, Cell { kind, text }: Cell<'_>) {
        let wrapped = |name: &str| format!("{{\"{name}\":{}}}", json_text(text));
        let buffer = &mut self.buffer;
        match kind {
            Kind::Null => buffer.push_str("null"),
            Kind::Bool | Kind::Int32 | Kind::Int64 | Kind::MinusZero => buffer.push_str(text),
            Kind::Double if text.ends_with(|last: char| last.is_ascii_digit()) => buffer.push_str(text),
            // Not a number, or infinite.
            Kind::Double => buffer.push_str(&wrapped("$numberDouble")),
            Kind::Decimal => buffer.push_str(&wrapped("$numberDecimal")),
            Kind::ObjectId => buffer.push_str(&wrapped("$oid")),
            Kind::Text => buffer.push_str(&json_text(text)),
            Kind::Date => match millis_of(text).map(DateTime::from_millis) {
                Some(date) if write_relaxed(buffer, RawBsonRef::DateTime(date)) => {}
                _ => buffer.push_str(&wrapped("$date")),
            },
            Kind::Json if text.starts_with(['{', '[']) => buffer.push_str(text),
            // The grid shows a UUID as its own text.
            Kind::Json => buffer.push_str(&wrapped("$uuid")),
        }
    }
}

impl<W: Write> TableWriter for JsonLines<W> {
    fn cell(&mut self, cell: Option<Cell<'_>>) -> io::Result<()> {
        self.buffer.push(if self.column == 0 { '{' } else { ',' });
        let key = self.keys.get(self.column).ok_or(io::ErrorKind::InvalidInput)?;
        self.buffer.push_str(key);
        self.column += 1;
        match cell {
            Some(cell) => self.value(cell),
            None => self.buffer.push_str("null"),
        }
        Ok(())
    }

    fn document(&mut self, json: &str) -> io::Result<()> {
        self.buffer.push_str(json);
        self.buffer.push('\n');
        if self.buffer.len() >= BUFFER { self.write_out() } else { Ok(()) }
    }

    fn end_row(&mut self) -> io::Result<()> {
        self.buffer.push_str(if self.column == 0 { "{}\n" } else { "}\n" });
        self.column = 0;
        if self.buffer.len() >= BUFFER { self.write_out() } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> io::Result<Remarks> {
        self.write_out()?;
        self.target.flush()?;
        Ok(Remarks::default())
    }
}

/// A text as JSON.
fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::super::table::ColumnForm;
    use super::*;

    #[test]
    fn every_kind_is_relaxed_extended_json() {
        let mut bytes = Vec::new();
        let column = TableColumn { name: "a\"b".to_owned(), form: ColumnForm::Text };
        let mut lines = Box::new(JsonLines::begin(&mut bytes, &[column]));
        let cells = [
            (Kind::Int64, "9223372036854775807", "9223372036854775807"),
            (Kind::Double, "1e+300", "1e+300"),
            (Kind::Double, "-Infinity", r#"{"$numberDouble":"-Infinity"}"#),
            (Kind::MinusZero, "-0.0", "-0.0"),
            (Kind::Decimal, "1.50E+7", r#"{"$numberDecimal":"1.50E+7"}"#),
            (Kind::Date, "2025-01-31T09:30:00.000Z", r#"{"$date":"2025-01-31T09:30:00Z"}"#),
            (Kind::Date, "1969-12-31T23:59:59.999Z", r#"{"$date":{"$numberLong":"-1"}}"#),
            (Kind::Text, "say \"no\"\n", r#""say \"no\"\n""#),
            (Kind::ObjectId, "65a1b2c3d4e5f60718293a4b", r#"{"$oid":"65a1b2c3d4e5f60718293a4b"}"#),
            (Kind::Json, "[1,{\"a\":2}]", "[1,{\"a\":2}]"),
            (
                Kind::Json,
                "00112233-4455-6677-8899-aabbccddeeff",
                r#"{"$uuid":"00112233-4455-6677-8899-aabbccddeeff"}"#,
            ),
            (Kind::Bool, "true", "true"),
        ];
        for (kind, text, _) in cells {
            lines.cell(Some(Cell { kind, text })).expect("memory");
            lines.end_row().expect("memory");
        }
        lines.cell(None).expect("memory");
        lines.end_row().expect("memory");
        lines.finish().expect("memory");
        let text = String::from_utf8(bytes).expect("UTF-8");
        let values = cells.iter().map(|(_, _, json)| *json).chain(["null"]);
        let expected: String = values.map(|json| format!("{{\"a\\\"b\":{json}}}\n")).collect();
        assert_eq!(text, expected);
        text.lines().for_each(|line| drop(serde_json::from_str::<serde_json::Value>(line).expect("JSON")));
    }
}
