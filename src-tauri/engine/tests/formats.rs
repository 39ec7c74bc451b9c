//! Exports in every format, read back by other programs' readers and compared with the CSV, over documents with every
//! kind of value.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::str::FromStr as _;

use bson::oid::ObjectId;
use bson::{Binary, Bson, DateTime, Decimal128, Document, Timestamp, UuidRepresentation, doc};
use calamine::{Data, Reader as _, Xlsx};
use duckdb::Connection;
use serde_json::Value;
use tidemark_engine::cache::export::writing::{Staging, Written};
use tidemark_engine::cache::{CacheErrorKind, Stop};
use tidemark_engine::day::DayZone;
use tidemark_engine::decode::Kind;
use tidemark_engine::rows::summary::{DateUnit, Figure, FigureKind, GroupColumn, GroupRequest};
use tidemark_engine::rows::{ExportFormat, ExportOptions, Role, RowQuery, Sort};
use tidemark_test_support::csv::read_csv;

use crate::row_query::Stored;

fn decimal(text: &str) -> Decimal128 {
    Decimal128::from_str(text).unwrap()
}

/// Documents with every kind of value, alone in a column and mixed.
fn documents() -> Vec<Document> {
    let uuid = bson::Uuid::parse_str("00112233-4455-6677-8899-aabbccddeeff").unwrap();
    let id = ObjectId::parse_str("65a1b2c3d4e5f60718293a4b").unwrap();
    let date = |text: &str| DateTime::parse_rfc3339_str(text).unwrap();
    vec![
        doc! {
            "_id": 1, "int": 7, "long": i64::MAX, "double": 0.1 + 0.2, "money": decimal("12.50"), "exact": decimal("1"),
            "mixed": 1, "at": date("2025-01-31T09:30:00.123Z"), "flag": true, "text": "plain", "oid": id,
            "list": [1, {"a": 2.5}], "legs": {"price": 1.5, "name": "a,b"}, "none": Bson::Null, "both": 5_i64,
        },
        doc! {
            "_id": 2, "int": -7, "long": 5, "double": f64::NAN, "money": decimal("-1234567890123456789.123456789"),
            "exact": decimal("1234567890123456789012345678901234"), "mixed": "one", "at": date("1969-12-31T23:59:59.999Z"),
            "flag": false, "text": "", "list": [], "legs": {"price": -0.0, "name": "say \"no\"\r\n"},
            "both": decimal("5.25"), "stamp": Timestamp { time: 5, increment: 6 },
        },
        doc! {
            "_id": 3, "double": f64::NEG_INFINITY, "exact": decimal("1E+400"), "mixed": decimal("1.0"),
            "at": date("9999-12-31T23:59:59.999Z"), "text": "=1+1 é\u{1F600}", "uuid": uuid,
            "old": Binary::from_uuid_with_representation(uuid, UuidRepresentation::PythonLegacy), "both": 7,
        },
        doc! {
            "_id": 4, "double": 1e300, "exact": decimal("NaN"), "mixed": 2.5, "at": Bson::Null, "text": "_x0041_\t\u{1}",
            "far": DateTime::MAX, "long": 9_007_199_254_740_993_i64,
        },
    ]
}

struct Exported {
    folder: tempfile::TempDir,
    stored: Stored,
}

impl Exported {
    fn new(days: &[Vec<Document>]) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), stored: Stored::of(days) }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, query: &RowQuery, options: &ExportOptions) -> (std::path::PathBuf, Written) {
        let path = self.path(&format!("rows.{}", options.format.extension()));
        let view = &self.stored.view;
        let export = view.begin_export(Staging::CacheDisk).unwrap();
        let written = view.export(&export, query, options, &path.as_path().into()).unwrap();
        assert_eq!(export.rows(), export.total());
        (path, written)
    }

    fn csv(&self, query: &RowQuery, columns: &[&str]) -> Vec<Vec<Option<String>>> {
        let (path, _) = self.write(query, &options(ExportFormat::Csv, columns));
        read_csv(&fs::read_to_string(path).unwrap())
    }
}

fn options(format: ExportFormat, columns: &[&str]) -> ExportOptions {
    let columns = columns.iter().map(|path| (*path).to_owned()).collect();
    ExportOptions { format, columns, ..ExportOptions::default() }
}

fn by_id() -> RowQuery {
    RowQuery::of(Role::Input).then_by(Sort { path: "_id".to_owned(), descending: true })
}

/// What DuckDB reads from a Parquet file: the types of the columns, and the values as text.
fn read_parquet(path: &Path) -> (BTreeMap<String, String>, Vec<Vec<Option<String>>>) {
    let database = Connection::open_in_memory().unwrap();
    database.execute_batch("SET TimeZone = 'UTC'").ok();
    let from = format!("read_parquet('{}')", path.display());
    let mut types = Vec::new();
    let mut describe =
        database.prepare(&format!("SELECT column_name, column_type FROM (DESCRIBE FROM {from})")).unwrap();
    let mut rows = describe.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        types.push((row.get::<_, String>(0).unwrap(), row.get::<_, String>(1).unwrap()));
    }
    let texts: Vec<String> = types
        .iter()
        .map(|(name, sql_type)| match sql_type.as_str() {
            "TIMESTAMP WITH TIME ZONE" => format!("epoch_ms(\"{name}\")::VARCHAR"),
            _ => format!("\"{name}\"::VARCHAR"),
        })
        .collect();
    let mut select = database.prepare(&format!("SELECT {} FROM {from}", texts.join(", "))).unwrap();
    let mut rows = select.query([]).unwrap();
    let mut found = vec![types.iter().map(|(name, _)| Some(name.clone())).collect()];
    while let Some(row) = rows.next().unwrap() {
        found.push((0..types.len()).map(|place| row.get(place).unwrap()).collect());
    }
    (types.into_iter().collect(), found)
}

#[test]
fn parquet_has_natural_types_and_every_digit() {
    let exported = Exported::new(&[documents()]);
    let query = by_id();
    let csv = exported.csv(&query, &[]);
    let (path, written) = exported.write(&query, &options(ExportFormat::Parquet, &[]));
    let (types, found) = read_parquet(&path);
    assert_eq!((found.len(), &found[0]), (5, &csv[0]));
    assert_eq!(written.columns, csv[0].iter().flatten().cloned().collect::<Vec<_>>());
    for (column, sql_type) in [
        ("_id", "INTEGER"),
        ("int", "INTEGER"),
        ("long", "BIGINT"),
        ("double", "DOUBLE"),
        ("legs.price", "DOUBLE"),
        ("money", "DECIMAL(28,9)"),
        ("exact", "VARCHAR"),
        ("both", "DECIMAL(21,2)"),
        ("mixed", "VARCHAR"),
        ("at", "TIMESTAMP WITH TIME ZONE"),
        ("flag", "BOOLEAN"),
        ("text", "VARCHAR"),
        ("none", "VARCHAR"),
        ("list", "VARCHAR"),
        ("far", "VARCHAR"),
    ] {
        assert_eq!(types.get(column).map(String::as_str), Some(sql_type), "{column}: {types:?}");
    }
    for (row, expected) in found.iter().zip(&csv).skip(1) {
        for ((name, cell), text) in csv[0].iter().flatten().zip(row).zip(expected) {
            match (cell, text) {
                (Some(cell), Some(text)) => match types[name].as_str() {
                    "DOUBLE" => {
                        let [cell, text] = [cell, text].map(|text| text.parse::<f64>().unwrap());
                        let same = cell.is_nan() && text.is_nan() || cell.to_bits() == text.to_bits();
                        assert!(same, "{name}: {cell} {text}");
                    }
                    "TIMESTAMP WITH TIME ZONE" => {
                        let at = chrono::DateTime::parse_from_rfc3339(text).unwrap();
                        assert_eq!(*cell, at.timestamp_millis().to_string(), "{name}");
                    }
                    decimal if decimal.starts_with("DECIMAL") => {
                        let [cell, text] =
                            [cell, text].map(|text| bigdecimal::BigDecimal::from_str(text).unwrap());
                        assert_eq!(cell, text, "{name}");
                    }
                    _ => assert_eq!(cell, text, "{name}"),
                },
                (None, None) => {}
                other => panic!("{name}: {other:?}"),
            }
        }
    }
}

#[test]
fn json_lines_are_the_documents_or_the_chosen_columns() {
    let exported = Exported::new(&[documents()]);
    let query = by_id();
    let (path, written) = exported.write(&query, &options(ExportFormat::Jsonl, &[]));
    assert!(written.columns.is_empty());
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let expected: Vec<Value> = documents()
        .into_iter()
        .rev()
        .map(|document| Bson::Document(document).into_relaxed_extjson())
        .collect();
    for (found, expected) in lines.iter().zip(&expected) {
        for (name, value) in expected.as_object().unwrap() {
            // The crate writes some dates in another way.
            if !matches!(name.as_str(), "at" | "far") {
                assert_eq!(found[name], *value, "{name}");
            }
        }
    }
    assert_eq!(lines.len(), expected.len());
    assert!(
        text.contains(r#""long":9223372036854775807"#) && text.contains(r#"{"$numberDecimal":"12.50"}"#),
        "{text}"
    );

    let columns = ["legs.price", "long", "money", "uuid", "at", "absent"];
    let (path, written) = exported.write(&query, &options(ExportFormat::Jsonl, &columns));
    assert_eq!(written.columns, columns);
    let text = fs::read_to_string(path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines,
        [
            r#"{"legs.price":null,"long":9007199254740993,"money":null,"uuid":null,"at":null,"absent":null}"#,
            concat!(
                r#"{"legs.price":null,"long":null,"money":null,"#,
                r#""uuid":{"$uuid":"00112233-4455-6677-8899-aabbccddeeff"},"#,
                r#""at":{"$date":"9999-12-31T23:59:59.999Z"},"absent":null}"#
            ),
            concat!(
                r#"{"legs.price":-0.0,"long":5,"money":{"$numberDecimal":"-1234567890123456789.123456789"},"uuid":null,"#,
                r#""at":{"$date":{"$numberLong":"-1"}},"absent":null}"#
            ),
            concat!(
                r#"{"legs.price":1.5,"long":9223372036854775807,"money":{"$numberDecimal":"12.50"},"uuid":null,"#,
                r#""at":{"$date":"2025-01-31T09:30:00.123Z"},"absent":null}"#
            ),
        ]
    );
}

#[test]
fn a_workbook_has_typed_cells_and_says_which_went_as_text() {
    let exported = Exported::new(&[documents()]);
    let query = by_id();
    let csv = exported.csv(&query, &[]);
    let (path, written) = exported.write(&query, &options(ExportFormat::Xlsx, &[]));
    let mut workbook: Xlsx<_> = calamine::open_workbook(&path).unwrap();
    let sheet = workbook.worksheet_range("Rows").unwrap();
    let kinds: BTreeMap<String, Vec<Kind>> = exported
        .stored
        .view
        .columns(Role::Input)
        .into_iter()
        .map(|column| (column.path, column.fields.into_keys().collect()))
        .collect();
    let mut numbers = 0;
    for (row, expected) in (0_u32..).zip(&csv) {
        for ((column, text), name) in (0_u32..).zip(expected).zip(csv[0].iter().flatten()) {
            let cell = sheet.get_value((row, column)).cloned().unwrap_or_default();
            match (cell, text.as_deref()) {
                (Data::Empty, None) => {}
                // The reader takes an empty text for none.
                (Data::Empty | Data::String(_), Some("")) => {}
                (Data::Float(number), Some(text)) => {
                    numbers += 1;
                    assert_eq!(number, text.parse::<f64>().unwrap(), "{name}");
                    assert!(kinds[name].iter().any(|kind| kind.is_number()), "{name}");
                }
                (Data::Bool(flag), Some(text)) => assert_eq!(flag.to_string(), text, "{name}"),
                (Data::DateTime(at), Some(text)) => {
                    let expected = chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis();
                    let millis = (at.as_f64() - 25_569.0) * 86_400_000.0;
                    assert_eq!(format!("{millis:.0}"), expected.to_string(), "{name}");
                }
                (Data::String(found), Some(text)) => {
                    let found =
                        found.replace("_x0001_", "\u{1}").replace("_x000D_", "\r").replace("_x005F_", "_");
                    assert_eq!(found, text, "{name}");
                }
                other => panic!("{name}: {other:?}"),
            }
        }
    }
    assert!(numbers > 10, "{numbers}");
    // long: 2; double: NaN, -Infinity and 0.30000000000000004; legs.price: -0.0; money: 1; exact: 3 of 4.
    assert_eq!((written.remarks.cells_as_text, written.remarks.sheets), (10, 1), "{written:?}");
    assert!(written.note.unwrap().starts_with("10 cells with a number or a date"));
}

#[test]
fn a_zone_moves_the_dates_of_a_workbook_and_says_so() {
    let exported = Exported::new(&[documents()]);
    let mut options = options(ExportFormat::Xlsx, &["at"]);
    options.zone = Some("America/New_York".to_owned());
    let query = RowQuery::of(Role::Input).with_filter("_id", "=1");
    let (path, written) = exported.write(&query, &options);
    assert_eq!(written.note, None);
    let mut workbook: Xlsx<_> = calamine::open_workbook(&path).unwrap();
    let sheet = workbook.worksheet_range("Rows").unwrap();
    let Some(Data::DateTime(at)) = sheet.get_value((1, 0)) else { panic!("{sheet:?}") };
    // 04:30 there.
    assert!((at.as_f64() - (45_688.0 + 16_200.123 / 86_400.0)).abs() < 1e-8, "{at:?}");
    options.zone = Some("Nowhere/Atall".to_owned());
    let view = &exported.stored.view;
    let export = view.begin_export(Staging::CacheDisk).unwrap();
    let failed =
        view.export(&export, &query, &options, &exported.path("x.xlsx").as_path().into()).unwrap_err();
    assert!(matches!(failed.kind(), CacheErrorKind::Export(_)), "{failed:?}");
    assert!(!exported.path("x.xlsx").exists());
}

#[test]
fn every_format_takes_filters_sorts_and_columns() {
    let documents: Vec<Document> =
        (0..5_000).map(|id| doc! {"_id": id, "n": id % 7, "t": format!("t{id}")}).collect();
    let exported = Exported::new(&[documents[..2_000].to_vec(), documents[2_000..].to_vec()]);
    let query = by_id().with_filter("n", "=3");
    let csv = exported.csv(&query, &["t", "_id"]);
    assert_eq!(csv.len() as u64, exported.stored.view.count(&query, &Stop::default()).unwrap() + 1);
    let (path, _) = exported.write(&query, &options(ExportFormat::Parquet, &["t", "_id"]));
    assert_eq!(read_parquet(&path).1, csv);
    let (path, _) = exported.write(&query, &options(ExportFormat::Xlsx, &["t", "_id"]));
    let mut workbook: Xlsx<_> = calamine::open_workbook(&path).unwrap();
    let sheet = workbook.worksheet_range("Rows").unwrap();
    let texts: Vec<Vec<Option<String>>> =
        sheet.rows().map(|row| row.iter().map(|cell| Some(cell.to_string())).collect()).collect();
    assert_eq!(texts, csv);
    for columns in [&[][..], &["t", "_id"]] {
        let (path, _) = exported.write(&query, &options(ExportFormat::Jsonl, columns));
        let ids: Vec<String> = fs::read_to_string(path)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["_id"].to_string())
            .collect();
        assert_eq!(
            ids,
            csv[1..].iter().map(|row| row[1].clone().unwrap()).collect::<Vec<_>>(),
            "{columns:?}"
        );
    }
}

#[test]
fn a_stopped_export_leaves_nothing_in_any_format() {
    let exported = Exported::new(&[documents()]);
    for format in ExportFormat::ALL {
        let view = &exported.stored.view;
        let export = view.begin_export(Staging::CacheDisk).unwrap();
        export.stop();
        let path = exported.path("stopped");
        let failed =
            view.export(&export, &by_id(), &options(format, &[]), &path.as_path().into()).unwrap_err();
        assert!(matches!(failed.kind(), CacheErrorKind::Cancelled(_)), "{format:?}: {failed:?}");
        assert_eq!(fs::read_dir(exported.folder.path()).unwrap().count(), 0, "{format:?}");
    }
}

/// Groups are written as the summary shows them, all of them, in columns of natural types.
#[test]
fn groups_are_exported_in_every_format() {
    let exported = Exported::new(&[documents()]);
    let view = &exported.stored.view;
    let figure = |what, path: &str| Figure { what, path: Some(path.to_owned()) };
    let by = |path: &str, unit| GroupColumn { path: path.to_owned(), unit };
    let request = GroupRequest {
        by: vec![by("at", Some(DateUnit::Year)), by("int", None)],
        zone: None,
        figures: vec![
            Figure { what: FigureKind::Count, path: None },
            figure(FigureKind::Sum, "money"),
            figure(FigureKind::Max, "text"),
            figure(FigureKind::Sum, "double"),
        ],
        sort: None,
        limit: 1,
    };
    let query = RowQuery::of(Role::Input);
    let write = |format: ExportFormat| {
        let path = exported.path(&format!("groups.{}", format.extension()));
        let export = view.begin_export(Staging::CacheDisk).unwrap();
        let options = options(format, &[]);
        let to = path.as_path().into();
        let written =
            view.export_groups(&export, &query, (&request, DayZone::default()), &options, &to).unwrap();
        assert_eq!((export.rows(), export.total()), (4, 4));
        (path, written)
    };
    let (path, written) = write(ExportFormat::Csv);
    let names = ["at by year", "int", "rows", "sum of money", "max of text", "sum of double"];
    assert_eq!(written.columns, names);
    let all = GroupRequest { limit: 10, ..request.clone() };
    let groups = view.groups(&query, &all, DayZone::default(), &Stop::default()).unwrap().groups;
    let expected: Vec<Vec<Option<String>>> = groups
        .into_iter()
        .map(|group| group.keys.into_iter().map(|key| key.text).chain(group.figures).collect())
        .collect();
    let csv = read_csv(&fs::read_to_string(path).unwrap());
    assert_eq!(csv[1..], expected);
    let (types, found) = read_parquet(&write(ExportFormat::Parquet).0);
    assert_eq!(found[1..].iter().map(|row| row[3].clone()).collect::<Vec<_>>(), {
        // With as many digits after the point in each row.
        let digits = |text: &String| if text.contains('.') { text.clone() } else { format!("{text}.00") };
        let padded = |text: String| format!("{text:0<0$}", text.find('.').unwrap() + 10);
        expected.iter().map(|row| row[3].as_ref().map(digits).map(padded)).collect::<Vec<_>>()
    });
    assert_eq!((types["rows"].as_str(), types["int"].as_str()), ("BIGINT", "INTEGER"));
    assert_eq!(
        (types["sum of money"].as_str(), types["sum of double"].as_str()),
        ("DECIMAL(28,9)", "VARCHAR")
    );
    let lines = fs::read_to_string(write(ExportFormat::Jsonl).0).unwrap();
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(first["rows"], 1);
    let mut workbook: Xlsx<_> = calamine::open_workbook(write(ExportFormat::Xlsx).0).unwrap();
    let (_, sheet) = workbook.worksheets().remove(0);
    assert_eq!(sheet.get((0, 0)), Some(&Data::String("at by year".to_owned())));
    assert_eq!(sheet.get((1, 2)), Some(&Data::Float(1.0)));
}
