//! Writes a table as CSV.

use std::io::{self, Write};

use super::csv_text::CsvWriter;
use super::dates::{millis_of, text_in};
use super::table::{Cell, Remarks, TableColumn, TableWriter};
use crate::day::DayZone;
use crate::decode::Kind;
use crate::rows::{ExportOptions, Separator};

/// What some spreadsheets need in order to read UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A CSV file that is being written.
pub(crate) struct CsvTable<W: Write> {
    csv: CsvWriter<W>,
    decimal_comma: bool,
    /// The zone in which dates are written; as they are, in UTC, without one.
    zone: Option<DayZone>,
}

impl<W: Write> CsvTable<W> {
    /// Writes the headings as the first record. They are values: two may differ only in case.
    pub(crate) fn begin(
        mut target: W,
        options: &ExportOptions,
        zone: Option<DayZone>,
        columns: &[TableColumn],
    ) -> io::Result<Self> {
        if options.byte_order_mark {
            target.write_all(BYTE_ORDER_MARK)?;
        }
        let separator = match options.separator {
            Separator::Comma => b',',
            Separator::Semicolon => b';',
            Separator::Tab => b'\t',
        };
        let mut csv = CsvWriter::new(target, separator, options.spreadsheet_safe);
        columns.iter().for_each(|column| csv.text(&column.name));
        csv.end_record()?;
        Ok(Self { csv, decimal_comma: options.decimal_comma, zone })
    }
}

impl<W: Write> TableWriter for CsvTable<W> {
    fn cell(&mut self, cell: Option<Cell<'_>>) -> io::Result<()> {
        let Some(Cell { kind, text }) = cell else {
            self.csv.cell(None);
            return Ok(());
        };
        match kind {
            Kind::Text => self.csv.text(text),
            Kind::Double | Kind::MinusZero | Kind::Decimal if self.decimal_comma => {
                self.csv.cell(Some(&text.replacen('.', ",", 1)));
            }
            Kind::Date => match (self.zone, millis_of(text)) {
                (Some(zone), Some(millis)) => self.csv.cell(Some(&text_in(millis, zone))),
                _ => self.csv.cell(Some(text)),
            },
            _ => self.csv.cell(Some(text)),
        }
        Ok(())
    }

    fn end_row(&mut self) -> io::Result<()> {
        self.csv.end_record()
    }

    fn finish(self: Box<Self>) -> io::Result<Remarks> {
        self.csv.finish()?;
        Ok(Remarks::default())
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::ColumnForm;
    use super::*;

    fn written(options: &ExportOptions, zone: Option<&str>) -> String {
        let mut bytes = Vec::new();
        let zone = zone.map(|name| DayZone::parse(name).expect("a zone"));
        let column = |name: &str| TableColumn { name: name.to_owned(), form: ColumnForm::Text };
        let columns = [column("a"), column("b,c")];
        let mut table = Box::new(CsvTable::begin(&mut bytes, options, zone, &columns).expect("memory"));
        for (kind, text) in [
            (Kind::Double, "-1.5e-7"),
            (Kind::Decimal, "1.50"),
            (Kind::Int64, "9007199254740993"),
            (Kind::Text, "1.5"),
            (Kind::Date, "2025-03-30T01:00:00.120Z"),
        ] {
            table.cell(Some(Cell { kind, text })).expect("memory");
            table.cell(None).expect("memory");
            table.end_row().expect("memory");
        }
        table.finish().expect("memory");
        String::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn options_change_separators_signs_and_zones_and_nothing_else() {
        let plain = written(&ExportOptions::default(), None);
        assert_eq!(
            plain,
            "a,\"b,c\"\r\n-1.5e-7,\r\n1.50,\r\n9007199254740993,\r\n1.5,\r\n2025-03-30T01:00:00.120Z,\r\n"
        );
        let options = ExportOptions {
            separator: Separator::Semicolon,
            decimal_comma: true,
            byte_order_mark: true,
            ..ExportOptions::default()
        };
        assert_eq!(
            written(&options, Some("Europe/Berlin")),
            "\u{feff}a;b,c\r\n-1,5e-7;\r\n1,50;\r\n9007199254740993;\r\n1.5;\r\n2025-03-30T03:00:00.120+02:00;\r\n"
        );
        let options = ExportOptions { separator: Separator::Tab, ..ExportOptions::default() };
        assert!(written(&options, None).starts_with("a\tb,c\r\n-1.5e-7\t\r\n"));
        // A comma in a number is no separator.
        let options = ExportOptions { decimal_comma: true, ..ExportOptions::default() };
        assert!(written(&options, None).contains("\"1,50\",\r\n"));
    }
}
