//! Writes a table as an Excel workbook, row by row: memory does not grow with the rows, and nothing is written twice.
//!
//! The crates that write workbooks keep the cells in memory or in a temporary file of their own, and give up with a
//! panic if that disk is full; the part of the format that an export needs is small.

use std::fmt::Write as _;
use std::io::{self, Seek, Write};

use zip::result::ZipError;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::dates::{millis_of, shown_millis};
use super::table::{Cell, ColumnForm, Remarks, TableColumn, TableWriter};
use crate::cache::file::error::{CacheError, CacheErrorKind, ExportProblem};
use crate::day::DayZone;
use crate::decode::Kind;

/// The most columns of a sheet.
pub(crate) const MOST_COLUMNS: usize = 16_384;
/// The longest text of a cell, in UTF-16 units.
const LONGEST_TEXT: usize = 32_767;
/// A spreadsheet rounds numbers with more significant digits.
const EXACT_DIGITS: usize = 15;
/// The numbers that a spreadsheet holds, apart from 0.
const LEAST_NUMBER: f64 = 2.3e-308;
const GREATEST_NUMBER: f64 = 9.99e307;
/// Milliseconds since 1970 of 1899-12-30, from which a spreadsheet counts the days, and of 1900-03-01, before which it
/// counts a day that there never was.
const DAY_ZERO: i64 = -2_209_161_600_000;
const FIRST_DATE: i64 = -2_203_891_200_000;
/// Milliseconds since 1970 of 10000-01-01.
const AFTER_LAST_DATE: i64 = 253_402_300_800_000;
/// Bytes that are collected before they are compressed.
const BUFFER: usize = 256 << 10;
/// Width of a column of dates, in characters.
const DATE_WIDTH: usize = 28;

const NAMESPACE: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";
const XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";

/// How much fits on a sheet. The rest goes on the next one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SheetLimits {
    /// Rows, with that of the headings.
    pub(crate) rows: u32,
    /// Bytes before compression: a spreadsheet does not open parts of more than 4 GB.
    pub(crate) bytes: u64,
}

impl Default for SheetLimits {
    fn default() -> Self {
        Self { rows: 1_048_576, bytes: 3 << 30 }
    }
}

/// A workbook that is being written.
pub(crate) struct Workbook<W: Write + Seek> {
    zip: ZipWriter<W>,
    limits: SheetLimits,
    zone: Option<DayZone>,
    names: Vec<String>,
    /// The letters of the columns.
    letters: Vec<String>,
    /// What stands in each sheet before its rows.
    begin: String,
    buffer: String,
    /// The place of the next cell.
    row: u32,
    column: usize,
    /// Bytes of the sheet so far, without the buffer.
    bytes: u64,
    remarks: Remarks,
}

impl<W: Write + Seek> Workbook<W> {
    /// Begins the first sheet.
    pub(crate) fn begin(
        target: W,
        zone: Option<DayZone>,
        columns: &[TableColumn],
        limits: SheetLimits,
    ) -> io::Result<Self> {
        if columns.len() > MOST_COLUMNS {
            let problem = ExportProblem::TooManyColumns { columns: columns.len(), most: MOST_COLUMNS };
            return Err(io::Error::other(CacheError::from(CacheErrorKind::Export(problem))));
        }
        let mut begin = format!(
            "{XML}<worksheet xmlns=\"{NAMESPACE}\"><sheetViews><sheetView workbookViewId=\"0\"><pane ySplit=\"1\" \
             topLeftCell=\"A2\" activePane=\"bottomLeft\" state=\"frozen\"/></sheetView></sheetViews>"
        );
        let dates = columns.iter().zip(1..).filter(|(column, _)| column.form == ColumnForm::Timestamp);
        let widths: String = dates
            .map(|(_, place)| {
                format!("<col min=\"{place}\" max=\"{place}\" width=\"{DATE_WIDTH}\" customWidth=\"1\"/>")
            })
            .collect();
        if !widths.is_empty() {
            begin.push_str(&format!("<cols>{widths}</cols>"));
        }
        begin.push_str("<sheetData>");
        let mut workbook = Self {
            zip: ZipWriter::new(target),
            limits,
            zone,
            names: columns.iter().map(|column| column.name.clone()).collect(),
            letters: (0..columns.len()).map(letters).collect(),
            begin,
            buffer: String::with_capacity(BUFFER + (BUFFER >> 2)),
            row: 0,
            column: 0,
            bytes: 0,
            remarks: Remarks::default(),
        };
        workbook.begin_sheet()?;
        Ok(workbook)
    }

    fn begin_sheet(&mut self) -> io::Result<()> {
        self.remarks.sheets += 1;
        self.begin_part(&format!("xl/worksheets/sheet{}.xml", self.remarks.sheets))?;
        (self.row, self.bytes) = (0, 0);
        self.buffer.push_str(&self.begin);
        for name in std::mem::take(&mut self.names) {
            // Not counted: it is said of the rows.
            let place = self.next_place();
            push_text(&mut self.buffer, &place, " s=\"2\"", cut(&name).unwrap_or(&name));
            self.names.push(name);
        }
        self.end_sheet_row()
    }

    fn end_sheet(&mut self) -> io::Result<()> {
        self.buffer.push_str("</sheetData></worksheet>");
        self.write_out()
    }

    fn begin_part(&mut self, name: &str) -> io::Result<()> {
        let options = SimpleFileOptions::default().compression_level(Some(3));
        self.zip.start_file(name, options).map_err(as_io)
    }

    fn write_part(&mut self, name: &str, content: &str) -> io::Result<()> {
        self.begin_part(name)?;
        self.zip.write_all(XML.as_bytes())?;
        self.zip.write_all(content.as_bytes())
    }

    fn write_out(&mut self) -> io::Result<()> {
        self.zip.write_all(self.buffer.as_bytes())?;
        self.bytes += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// The name of the next cell, such as `B7`. Begins the row with its first cell.
    fn next_place(&mut self) -> String {
        if self.column == 0 {
            let _ = write!(self.buffer, "<row r=\"{}\">", self.row + 1);
        }
        let letters = self.letters.get(self.column).map(String::as_str).unwrap_or_default();
        self.column += 1;
        format!("{letters}{}", self.row + 1)
    }

    fn end_sheet_row(&mut self) -> io::Result<()> {
        if self.column > 0 {
            self.buffer.push_str("</row>");
        }
        self.row += 1;
        self.column = 0;
        if self.buffer.len() >= BUFFER { self.write_out() } else { Ok(()) }
    }

    fn write_text(&mut self, place: &str, text: &str) {
        let cut = cut(text);
        self.remarks.cut_texts += u64::from(cut.is_some());
        push_text(&mut self.buffer, place, "", cut.unwrap_or(text));
    }

    /// Writes a number or a date as text, since a spreadsheet would change it.
    fn write_as_text(&mut self, place: &str, text: &str) {
        self.remarks.cells_as_text += 1;
        push_text(&mut self.buffer, place, "", text);
    }

    fn write_parts(&mut self) -> io::Result<()> {
        let zone = self.zone.map_or("UTC", |zone| zone.name());
        // The zone is part of the format, so that the cell is a date and says what it means.
        let format = escaped(&format!("yyyy-mm-dd hh:mm:ss.000\" {zone}\""));
        self.write_part(
            "xl/styles.xml",
            &format!(
                "<styleSheet xmlns=\"{NAMESPACE}\"><numFmts count=\"1\"><numFmt numFmtId=\"164\" \
                 formatCode=\"{format}\"/></numFmts><fonts count=\"2\"><font><sz val=\"11\"/><name val=\"Calibri\"/>\
                 </font><font><b/><sz val=\"11\"/><name val=\"Calibri\"/></font></fonts><fills count=\"2\"><fill>\
                 <patternFill patternType=\"none\"/></fill><fill><patternFill patternType=\"gray125\"/></fill></fills>\
                 <borders count=\"1\"><border><left/><right/><top/><bottom/><diagonal/></border></borders>\
                 <cellStyleXfs count=\"1\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\"/>\
                 </cellStyleXfs><cellXfs count=\"3\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\" \
                 xfId=\"0\"/><xf numFmtId=\"164\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\" \
                 applyNumberFormat=\"1\"/><xf numFmtId=\"0\" fontId=\"1\" fillId=\"0\" borderId=\"0\" xfId=\"0\" \
                 applyFont=\"1\"/></cellXfs><cellStyles count=\"1\"><cellStyle name=\"Normal\" xfId=\"0\" \
                 builtinId=\"0\"/></cellStyles></styleSheet>"
            ),
        )?;
        let (mut sheets, mut relations, mut types) = (String::new(), String::new(), String::new());
        for number in 1..=self.remarks.sheets {
            let name = if number == 1 { "Rows".to_owned() } else { format!("Rows {number}") };
            let _ = write!(sheets, "<sheet name=\"{name}\" sheetId=\"{number}\" r:id=\"rId{number}\"/>");
            let _ = write!(
                relations,
                "<Relationship Id=\"rId{number}\" Type=\"{RELATIONS}/worksheet\" \
                 Target=\"worksheets/sheet{number}.xml\"/>"
            );
            let _ = write!(
                types,
                "<Override PartName=\"/xl/worksheets/sheet{number}.xml\" ContentType=\
                 \"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml\"/>"
            );
        }
        let styles = self.remarks.sheets + 1;
        self.write_part(
            "xl/workbook.xml",
            &format!(
                "<workbook xmlns=\"{NAMESPACE}\" xmlns:r=\"{RELATIONS}\"><sheets>{sheets}</sheets></workbook>"
            ),
        )?;
        self.write_part(
            "xl/_rels/workbook.xml.rels",
            &format!(
                "<Relationships xmlns=\"{PACKAGE}/relationships\">{relations}<Relationship Id=\"rId{styles}\" \
                 Type=\"{RELATIONS}/styles\" Target=\"styles.xml\"/></Relationships>"
            ),
        )?;
        self.write_part(
            "_rels/.rels",
            &format!(
                "<Relationships xmlns=\"{PACKAGE}/relationships\"><Relationship Id=\"rId1\" \
                 Type=\"{RELATIONS}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        )?;
        self.write_part(
            "[Content_Types].xml",
            &format!(
                "<Types xmlns=\"{PACKAGE}/content-types\"><Default Extension=\"rels\" ContentType=\
                 \"application/vnd.openxmlformats-package.relationships+xml\"/><Default Extension=\"xml\" \
                 ContentType=\"application/xml\"/><Override PartName=\"/xl/workbook.xml\" ContentType=\
                 \"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml\"/><Override \
                 PartName=\"/xl/styles.xml\" ContentType=\
                 \"application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml\"/>{types}</Types>"
            ),
        )
    }
}

impl<W: Write + Seek> TableWriter for Workbook<W> {
    fn cell(&mut self, cell: Option<Cell<'_>>) -> io::Result<()> {
        if self.column >= self.letters.len() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let place = self.next_place();
        let Some(Cell { kind, text }) = cell else { return Ok(()) };
        match kind {
            Kind::Int32 | Kind::Int64 | Kind::Double | Kind::Decimal | Kind::MinusZero => {
                if is_exact(text) {
                    let _ = write!(self.buffer, "<c r=\"{place}\"><v>{text}</v></c>");
                } else {
                    self.write_as_text(&place, text);
                }
            }
            Kind::Date => match millis_of(text).map(|millis| shown_millis(millis, self.zone)) {
                Some(millis) if (FIRST_DATE..AFTER_LAST_DATE).contains(&millis) => {
                    let serial = serial(millis);
                    let _ = write!(self.buffer, "<c r=\"{place}\" s=\"1\"><v>{serial}</v></c>");
                }
                _ => self.write_as_text(&place, text),
            },
            Kind::Bool => {
                let value = u8::from(text == "true");
                let _ = write!(self.buffer, "<c r=\"{place}\" t=\"b\"><v>{value}</v></c>");
            }
            Kind::Null => {}
            Kind::Text | Kind::ObjectId | Kind::Json => self.write_text(&place, text),
        }
        Ok(())
    }

    fn end_row(&mut self) -> io::Result<()> {
        self.end_sheet_row()
    }

    fn begin_row(&mut self) -> io::Result<()> {
        let is_full =
            self.row >= self.limits.rows || self.bytes + self.buffer.len() as u64 >= self.limits.bytes;
        // Each sheet has a row below its headings, however little fits.
        if !is_full || self.row <= 1 {
            return Ok(());
        }
        self.end_sheet()?;
        self.begin_sheet()
    }

    fn finish(mut self: Box<Self>) -> io::Result<Remarks> {
        self.end_sheet()?;
        self.write_parts()?;
        let Self { zip, remarks, .. } = *self;
        zip.finish().map_err(as_io)?.flush()?;
        Ok(remarks)
    }
}

/// The letters of a column: `A`, …, `Z`, `AA`, ….
fn letters(mut column: usize) -> String {
    let mut letters = Vec::new();
    loop {
        letters.push(char::from(b'A' + u8::try_from(column % 26).unwrap_or_default()));
        if column < 26 {
            return letters.into_iter().rev().collect();
        }
        column = column / 26 - 1;
    }
}

/// Whether a spreadsheet holds and shows a number as it is.
fn is_exact(text: &str) -> bool {
    let Ok(number) = text.parse::<f64>() else { return false };
    if !number.is_finite() {
        return false;
    }
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let significant = digits.trim_start_matches('0');
    // Zeros after the point do not count; those before it are not significant either.
    let significant = significant.trim_end_matches('0').len();
    if significant == 0 {
        // A spreadsheet has no -0.
        return number == 0.0 && number.is_sign_positive();
    }
    significant <= EXACT_DIGITS && (LEAST_NUMBER..=GREATEST_NUMBER).contains(&number.abs())
}

/// The days since 1899-12-30.
#[expect(clippy::cast_precision_loss, reason = "years up to 9999 in milliseconds have 48 bits")]
fn serial(millis: i64) -> f64 {
    (millis - DAY_ZERO) as f64 / 86_400_000.0
}

/// The part of a text that fits into a cell; `None` if all of it does.
fn cut(text: &str) -> Option<&str> {
    if text.len() <= LONGEST_TEXT {
        return None;
    }
    let mut units = 0;
    let end = text.char_indices().find(|(_, letter)| {
        units += letter.len_utf16();
        units > LONGEST_TEXT
    });
    end.map(|(end, _)| &text[..end])
}

fn push_text(buffer: &mut String, place: &str, style: &str, text: &str) {
    let _ = write!(buffer, "<c r=\"{place}\"{style} t=\"inlineStr\"><is><t xml:space=\"preserve\">");
    push_escaped(buffer, text);
    buffer.push_str("</t></is></c>");
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    push_escaped(&mut escaped, text);
    escaped
}

/// Writes a text as XML. What XML cannot contain is written as a spreadsheet does it: `_x0001_`; a text that looks like
/// that itself has its underscore written in the same way.
fn push_escaped(buffer: &mut String, text: &str) {
    for (at, letter) in text.char_indices() {
        match letter {
            '&' => buffer.push_str("&amp;"),
            '<' => buffer.push_str("&lt;"),
            '>' => buffer.push_str("&gt;"),
            '"' => buffer.push_str("&quot;"),
            '\t' | '\n' => buffer.push(letter),
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => {
                let _ = write!(buffer, "_x{:04X}_", u32::from(letter));
            }
            '_' if looks_escaped(&text.as_bytes()[at..]) => buffer.push_str("_x005F_"),
            _ => buffer.push(letter),
        }
    }
}

fn looks_escaped(text: &[u8]) -> bool {
    matches!(text, [b'_', b'x', digits @ .., ] if digits.len() >= 5
        && digits[..4].iter().all(u8::is_ascii_hexdigit) && digits[4] == b'_')
}

fn as_io(error: ZipError) -> io::Error {
    match error {
        ZipError::Io(error) => error,
        error => io::Error::other(error),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use calamine::{Data, Reader as _, Xlsx};

    use super::*;

    fn written(limits: SheetLimits, rows: &[[Option<(Kind, &str)>; 2]]) -> (Xlsx<Cursor<Vec<u8>>>, Remarks) {
        let mut bytes = Cursor::new(Vec::new());
        let column = |name: &str, form| TableColumn { name: name.to_owned(), form };
        let columns = [column("a & b", ColumnForm::Text), column("at", ColumnForm::Timestamp)];
        let mut table = Box::new(Workbook::begin(&mut bytes, None, &columns, limits).expect("memory"));
        for row in rows {
            table.begin_row().expect("memory");
            for cell in row {
                table.cell(cell.map(|(kind, text)| Cell { kind, text })).expect("memory");
            }
            table.end_row().expect("memory");
        }
        let remarks = table.finish().expect("memory");
        (Xlsx::new(bytes).expect("a workbook"), remarks)
    }

    #[test]
    fn what_a_spreadsheet_would_change_is_text() {
        for (text, is_number) in [
            ("0", true),
            ("-1.5", true),
            ("999999999999999", true),
            ("1234567890123456", false),
            ("9007199254740993", false),
            ("1000000000000000000", true),
            ("0.1", true),
            ("0.30000000000000004", false),
            ("1.50", true),
            ("0.000000123456789012345", true),
            ("0.0000001234567890123456", false),
            ("-0.0", false),
            ("NaN", false),
            ("-Infinity", false),
            ("1e+300", true),
            ("1E+400", false),
            ("4.9e-324", false),
            ("0E+3", true),
        ] {
            assert_eq!(is_exact(text), is_number, "{text}");
        }
    }

    #[test]
    fn cells_have_their_types_and_texts_come_back() {
        let odd = "_x0041_ <&> \"\u{1}\r\n é\u{1F600} ";
        let rows = [
            [Some((Kind::Text, odd)), Some((Kind::Date, "2025-01-31T09:30:00.123Z"))],
            [Some((Kind::Int64, "12345")), Some((Kind::Date, "1899-12-31T00:00:00.000Z"))],
            [Some((Kind::Decimal, "1234567890.12345678")), Some((Kind::Bool, "true"))],
            [None, Some((Kind::Text, "=1+1"))],
        ];
        let (mut workbook, remarks) = written(SheetLimits::default(), &rows);
        assert_eq!(remarks, Remarks { cells_as_text: 2, cut_texts: 0, sheets: 1 });
        let sheet = workbook.worksheet_range("Rows").expect("the sheet");
        let cell = |row: u32, column: u32| sheet.get_value((row, column)).cloned().unwrap_or_default();
        assert_eq!(cell(0, 0), Data::String("a & b".to_owned()));
        // The reader leaves these escapes to its users.
        let Data::String(text) = cell(1, 0) else { panic!("a text") };
        let text = text.replace("_x0001_", "\u{1}").replace("_x000D_", "\r").replace("_x005F_", "_");
        assert_eq!(text, odd);
        let Data::DateTime(at) = cell(1, 1) else { panic!("a date") };
        assert!((at.as_f64() - 45_688.395_834_757).abs() < 1e-9, "{at:?}");
        assert_eq!(cell(2, 0), Data::Float(12_345.0));
        assert_eq!(cell(2, 1), Data::String("1899-12-31T00:00:00.000Z".to_owned()));
        assert_eq!(cell(3, 0), Data::String("1234567890.12345678".to_owned()));
        assert_eq!(cell(3, 1), Data::Bool(true));
        assert_eq!((cell(4, 0), cell(4, 1)), (Data::Empty, Data::String("=1+1".to_owned())));
    }

    #[test]
    fn a_sheet_that_is_full_is_followed_by_another_with_the_headings() {
        let row = [Some((Kind::Int32, "1")), None];
        let limits = SheetLimits { rows: 3, bytes: u64::MAX };
        for (rows, sheets) in [(2, 1), (3, 2), (4, 2), (5, 3)] {
            let (mut workbook, remarks) = written(limits, &vec![row; rows]);
            assert_eq!(remarks.sheets, sheets, "{rows}");
            let mut found = 0;
            for name in workbook.sheet_names() {
                let sheet = workbook.worksheet_range(&name).expect("a sheet");
                assert_eq!(sheet.get_value((0, 1)), Some(&Data::String("at".to_owned())), "{name}");
                found += sheet.height() - 1;
            }
            assert_eq!(found, rows);
        }
        // By bytes as well.
        let long = "x".repeat(LONGEST_TEXT + 1);
        let row = [Some((Kind::Text, &*long)), None];
        let (_, remarks) = written(SheetLimits { rows: 100, bytes: 1 }, &[row, row]);
        assert_eq!(remarks, Remarks { cells_as_text: 0, cut_texts: 2, sheets: 2 });
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let face = "\u{1F600}".repeat(16_384);
        assert_eq!(cut(&face).map(|cut| cut.chars().count()), Some(16_383));
        assert_eq!(cut(&"é".repeat(LONGEST_TEXT)), None);
        assert_eq!(cut(&"x".repeat(LONGEST_TEXT + 1)).map(str::len), Some(LONGEST_TEXT));
    }

    #[test]
    fn columns_are_lettered_as_in_a_spreadsheet() {
        let places = [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA"), (16_383, "XFD")];
        for (place, expected) in places {
            assert_eq!(letters(place), expected);
        }
    }
}
