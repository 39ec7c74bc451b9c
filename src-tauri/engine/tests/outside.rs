//! Filters, sums, groups and filtered exports of the sample data, held against programs that share no code with the
//! engine: Python's `decimal` over the exported documents, and DuckDB over the exported columns.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::str::FromStr as _;

use bigdecimal::BigDecimal;
use bson::oid::ObjectId;
use bson::{Bson, Decimal128, Document};
use chrono::NaiveDate;
use duckdb::Connection;
use serde_json::{Value, json};
use tidemark_engine::cache::export::writing::Staging;
use tidemark_engine::cache::{Stop, View};
use tidemark_engine::day::DayZone;
use tidemark_engine::rows::summary::{DateUnit, Figure, FigureKind, GroupColumn, GroupRequest};
use tidemark_engine::rows::{ExportFormat, ExportOptions, Role, RowQuery};
use tidemark_sample_desk::Desk;

use crate::row_query::Stored;

const MESSAGES: u64 = 2_500;
/// Questions that are asked of the rows.
const QUESTIONS: usize = 100;
/// Every so many of them, the rows are exported as well.
const EXPORTED: usize = 30;
/// The columns that are added up.
const NUMBERS: [&str; 5] = ["price", "quantity", "notional", "fee", "odd"];

/// Numbers that repeat from run to run (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// A value of any kind.
fn odd(numbers: &mut Numbers) -> Option<Bson> {
    let decimal = |text: &str| Bson::from(Decimal128::from_str(text).unwrap());
    Some(match numbers.below(400) {
        0 => f64::NAN.into(),
        1 => f64::INFINITY.into(),
        2 => f64::NEG_INFINITY.into(),
        3 => decimal("NaN"),
        4 => decimal("1E+6111"),
        number => match number % 12 {
            0 => Bson::Int32(i32::try_from(number).unwrap() - 200),
            1 => Bson::Int64(9_007_199_254_740_993 + i64::try_from(number).unwrap()),
            2 => Bson::Double(0.1),
            3 => Bson::Double(f64::from(u32::try_from(number).unwrap()) * 1.1e17),
            4 => decimal("0.1"),
            5 => decimal("-1234567890123456789.012345678901234"),
            6 => "10".into(),
            7 => "ten".into(),
            8 => Bson::Null,
            9 => number.is_multiple_of(2).into(),
            10 => ObjectId::from_bytes([7; 12]).into(),
            _ => return None,
        },
    })
}

/// The messages of the sample desk, each with a further field `odd` of any kind.
fn documents() -> Vec<Document> {
    let desk = Desk::new(11, NaiveDate::from_ymd_opt(2025, 6, 30).unwrap(), MESSAGES);
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let with_odd = |(number, raw): (i32, bson::RawDocumentBuf)| {
        let mut document = Document::try_from(raw.as_ref()).unwrap();
        document.insert("_id", number);
        if let Some(value) = odd(&mut numbers) {
            document.insert("odd", value);
        }
        document
    };
    (0..).zip(desk.documents()).map(with_odd).collect()
}

/// A condition as a person types it, and what it means for the check.
fn condition(numbers: &mut Numbers) -> (&'static str, String, Value) {
    const TEXTS: [(&str, &str); 4] =
        [("product", "Power DE Base"), ("side", "buy"), ("cell", "Short Term Power"), ("odd", "ten")];
    const VALUES: [&str; 9] = [
        "0",
        "0.1",
        "10",
        "50",
        "47.5",
        "9007199254740993",
        "1e18",
        "-1234567890123456789.012345678901234",
        "250",
    ];
    let column = *numbers.one(&NUMBERS);
    let value = *numbers.one(&VALUES);
    match numbers.below(9) {
        0 => ("odd", "empty".to_owned(), json!(["empty"])),
        1 => (column, "!empty".to_owned(), json!(["filled"])),
        2 => {
            let (column, text) = *numbers.one(&TEXTS);
            (column, format!("={text}"), json!(["equals", text]))
        }
        3 => {
            let (column, text) = *numbers.one(&TEXTS);
            (column, format!("!={text}"), json!(["differs", text]))
        }
        4 => ("product", "\"power\"".to_owned(), json!(["contains", "power"])),
        5 => (column, format!("={value}"), json!(["equals", value])),
        6 => (column, format!(">={value}"), json!(["at_least", value])),
        7 => (column, format!("<{value}"), json!(["less", value])),
        _ => (column, format!("-5..{value}"), json!(["between", "-5", value])),
    }
}

/// Asks the engine, and writes down what it answers.
fn ask(view: &View, folder: &Path, place: usize, numbers: &mut Numbers) -> Value {
    let stop = Stop::default();
    let mut query = RowQuery::of(Role::Input);
    let (mut filters, mut tests) = (Vec::new(), Vec::new());
    for _ in 0..numbers.below(3) {
        let (path, text, test) = condition(numbers);
        query = query.with_filter(path, &text);
        filters.push(format!("{path} {text}"));
        tests.push(json!([path, test]));
    }
    let sums: serde_json::Map<String, Value> = NUMBERS
        .iter()
        .map(|path| {
            let sums = view.sums(&query, path, &stop).unwrap();
            ((*path).to_owned(), json!([sums.numbers, sums.sum, sums.average, sums.min, sums.max]))
        })
        .collect();
    let by = *numbers.one(&[("product", None), ("side", None), ("timestamp", Some(DateUnit::Month))]);
    let figure = |path: &&str| Figure { what: FigureKind::Sum, path: Some((*path).to_owned()) };
    let request = GroupRequest {
        by: vec![GroupColumn { path: by.0.to_owned(), unit: by.1 }],
        zone: None,
        figures: NUMBERS.iter().map(figure).collect(),
        sort: None,
        limit: 10_000,
    };
    let groups = view.groups(&query, &request, DayZone::default(), &stop).unwrap();
    let groups: Vec<Value> = groups
        .groups
        .iter()
        .map(|group| {
            let sums: Vec<_> = NUMBERS.iter().zip(&group.figures).collect();
            json!([group.keys[0].text, group.rows, sums])
        })
        .collect();
    let exported = place.is_multiple_of(EXPORTED).then(|| {
        let name = format!("rows-{place}.jsonl");
        export(view, &query, ExportFormat::Jsonl, &folder.join(&name));
        name
    });
    json!({
        "filters": filters, "tests": tests, "count": view.count(&query, &stop).unwrap(), "sums": sums,
        "by": [by.0, by.1.map(|_| "month")], "groups": groups, "exported": exported,
    })
}

fn export(view: &View, query: &RowQuery, format: ExportFormat, path: &Path) {
    let options = ExportOptions { format, ..ExportOptions::default() };
    let export = view.begin_export(Staging::CacheDisk).unwrap();
    view.export(&export, query, &options, &path.into()).unwrap();
}

#[test]
fn python_s_decimal_comes_to_the_same_filters_sums_groups_and_exports() {
    let python = ["python3", "python"]
        .into_iter()
        .find(|name| Command::new(name).arg("--version").output().is_ok_and(|run| run.status.success()));
    let Some(python) = python else {
        println!("not run: this machine has no Python");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let stored = Stored::of(&[documents()]);
    export(&stored.view, &RowQuery::of(Role::Input), ExportFormat::Jsonl, &folder.path().join("rows.jsonl"));
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    let questions: Vec<Value> =
        (0..QUESTIONS).map(|place| ask(&stored.view, folder.path(), place, &mut numbers)).collect();
    let narrowed = questions.iter().filter(|question| question["count"].as_u64() < Some(MESSAGES)).count();
    assert!(narrowed > QUESTIONS / 2, "most questions narrow nothing: {narrowed}");
    fs::write(folder.path().join("questions.json"), serde_json::to_vec(&questions).unwrap()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outside/check.py");
    let checked = Command::new(python).arg(script).arg(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&checked.stdout);
    assert!(checked.status.success(), "{said}\n{}", String::from_utf8_lossy(&checked.stderr));
}

/// Parquet files have columns of fixed types, so DuckDB filters and adds up without the engine's rules.
#[test]
fn duckdb_comes_to_the_same_over_the_exported_columns() {
    let folder = tempfile::tempdir().unwrap();
    let stored = Stored::of(&[documents()]);
    let (view, path) = (&stored.view, folder.path().join("rows.parquet"));
    export(view, &RowQuery::of(Role::Input), ExportFormat::Parquet, &path);
    let database = Connection::open_in_memory().unwrap();
    let from = format!("read_parquet('{}')", path.display());
    for (typed, sql) in [
        ("", "true"),
        (">=50", "quantity >= 50"),
        ("5..250", "quantity BETWEEN 5 AND 250"),
        ("=100, =995", "quantity IN (100, 995)"),
        (">9007199254740992", "quantity > 9007199254740992"),
        ("empty", "quantity IS NULL"),
    ] {
        let query = RowQuery::of(Role::Input).with_filter("quantity", typed);
        let stop = Stop::default();
        let (count, sum): (u64, Option<String>) = database
            .query_row(
                &format!("SELECT count(*), sum(quantity)::VARCHAR FROM {from} WHERE {sql}"),
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap();
        let number = |text: Option<String>| text.map(|text| BigDecimal::from_str(&text).unwrap());
        assert_eq!(view.count(&query, &stop).unwrap(), count, "{sql}");
        assert!(count > 0 || typed.starts_with("=100"), "{sql} selects nothing");
        assert_eq!(number(view.sums(&query, "quantity", &stop).unwrap().sum), number(sum), "{sql}");
        let mut select = database
            .prepare(&format!(
                "SELECT product, count(*), sum(quantity)::VARCHAR FROM {from} WHERE {sql} GROUP BY product
                 ORDER BY product NULLS LAST"
            ))
            .unwrap();
        let expected: Vec<(Option<String>, u64, Option<BigDecimal>)> = select
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, number(row.get(2)?))))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let request = GroupRequest {
            by: vec![GroupColumn { path: "product".to_owned(), unit: None }],
            zone: None,
            figures: vec![Figure { what: FigureKind::Sum, path: Some("quantity".to_owned()) }],
            sort: None,
            limit: 10_000,
        };
        let groups = view.groups(&query, &request, DayZone::default(), &stop).unwrap().groups;
        let mut answered: Vec<(Option<String>, u64, Option<BigDecimal>)> = groups
            .into_iter()
            .map(|group| (group.keys[0].text.clone(), group.rows, number(group.figures[0].clone())))
            .collect();
        answered.sort_by(|a, b| (a.0.is_none(), &a.0).cmp(&(b.0.is_none(), &b.0)));
        assert_eq!(answered, expected, "{sql}");
    }
}
