//! A collection that looks nothing like the sample desk: what the program exports is compared, cell by
//! cell, with what a direct MongoDB query returns, formatted here by other code than the engine's.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::support::{Run, cli, read_csv, server};
use bson::oid::ObjectId;
use bson::spec::BinarySubtype;
use bson::{
    Binary, Bson, DateTime, Decimal128, Document, JavaScriptCodeWithScope, Regex, Timestamp, bson, doc,
};
use mongodb::{Client, Collection};
use serde_json::Value;

// ---------------------------------------------------------------------------------------------
// Calendar, apart from the engine's.

/// Days since 1970 of a date (Howard Hinnant's algorithm).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil(number: i64) -> (i64, i64, i64) {
    let shifted = number + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn day(text: &str) -> i64 {
    let parts: Vec<i64> = text.split('-').map(|part| part.parse().unwrap()).collect();
    days(parts[0], parts[1], parts[2])
}

fn day_text(number: i64) -> String {
    let (year, month, day) = civil(number);
    format!("{year:04}-{month:02}-{day:02}")
}

fn year_and_day(number: i64) -> (i32, i32) {
    let (year, _, _) = civil(number);
    (i32::try_from(year).unwrap(), i32::try_from(number - days(year, 1, 1) + 1).unwrap())
}

/// Milliseconds of a moment of a day in UTC.
fn at(number: i64, hours: i64, millis: i64) -> i64 {
    (number * 24 + hours) * 3_600_000 + millis
}

fn iso(millis: i64, drop_zero_fraction: bool) -> String {
    let (seconds, fraction) = (millis.div_euclid(1_000), millis.rem_euclid(1_000));
    let second = seconds.rem_euclid(86_400);
    let clock = format!("{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60);
    let date = day_text(seconds.div_euclid(86_400));
    if fraction == 0 && drop_zero_fraction {
        format!("{date}T{clock}Z")
    } else {
        format!("{date}T{clock}.{fraction:03}Z")
    }
}

// ---------------------------------------------------------------------------------------------
// The contract's CSV paragraph, written once more.

#[derive(Debug, Clone, PartialEq)]
enum Cell {
    Null,
    Text(String),
    /// The contract leaves the spelling of a double free; it must read back as the same double.
    Double(f64),
}

impl Cell {
    fn is(&self, found: Option<&str>) -> bool {
        match (self, found) {
            (Self::Null, None) => true,
            (Self::Text(text), Some(found)) => text == found,
            (Self::Double(double), Some(found)) => match double {
                double if double.is_nan() => found == "NaN",
                double if double.is_infinite() => {
                    found == if *double > 0.0 { "Infinity" } else { "-Infinity" }
                }
                double => {
                    found.parse::<f64>().is_ok_and(|read| read.to_bits() == double.to_bits())
                        && found.bytes().next().is_some_and(|byte| byte == b'-' || byte.is_ascii_digit())
                }
            },
            _ => false,
        }
    }
}

fn columns_of(document: &Document) -> BTreeMap<String, Cell> {
    let mut cells = BTreeMap::new();
    flatten(None, document, &mut cells);
    cells
}

fn flatten(above: Option<&str>, document: &Document, cells: &mut BTreeMap<String, Cell>) {
    for (name, value) in document {
        let path = above.map_or_else(|| name.clone(), |above| format!("{above}.{name}"));
        match value {
            Bson::Document(inner) if !inner.is_empty() => flatten(Some(&path), inner, cells),
            value => {
                assert!(cells.insert(path, cell(value)).is_none(), "the test's data has no path twice");
            }
        }
    }
}

fn cell(value: &Bson) -> Cell {
    Cell::Text(match value {
        Bson::Null | Bson::Undefined => return Cell::Null,
        Bson::Double(double) => return Cell::Double(*double),
        Bson::String(text) => text.clone(),
        Bson::Boolean(truth) => truth.to_string(),
        Bson::Int32(number) => number.to_string(),
        Bson::Int64(number) => number.to_string(),
        Bson::Decimal128(decimal) => decimal_text(*decimal),
        Bson::ObjectId(id) => hex(&id.bytes()),
        Bson::DateTime(date)
            if (days(1, 1, 1)..days(10_000, 1, 1))
                .contains(&date.timestamp_millis().div_euclid(86_400_000)) =>
        {
            iso(date.timestamp_millis(), false)
        }
        Bson::Binary(binary) if binary.subtype == BinarySubtype::Uuid && binary.bytes.len() == 16 => {
            uuid(&binary.bytes)
        }
        other => in_arrays(other),
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// IEEE 754-2008 to-scientific-string of the binary integer encoding.
fn decimal_text(decimal: Decimal128) -> String {
    let bits = u128::from_le_bytes(decimal.bytes());
    let sign = if bits >> 127 == 1 { "-" } else { "" };
    match (bits >> 122) & 0x1f {
        0x1f => return "NaN".to_owned(),
        0x1e => return format!("{sign}Infinity"),
        _ => {}
    }
    assert_ne!((bits >> 125) & 0b11, 0b11, "the test's data is in canonical form");
    let exponent = i64::try_from((bits >> 113) & 0x3fff).unwrap() - 6_176;
    let digits = (bits & ((1 << 113) - 1)).to_string();
    let count = i64::try_from(digits.len()).unwrap();
    let adjusted = exponent + count - 1;
    if exponent <= 0 && adjusted >= -6 {
        let point = count + exponent;
        return match usize::try_from(point) {
            _ if exponent == 0 => format!("{sign}{digits}"),
            Ok(point) if point > 0 => format!("{sign}{}.{}", &digits[..point], &digits[point..]),
            _ => format!("{sign}0.{}{digits}", "0".repeat(usize::try_from(-point).unwrap())),
        };
    }
    let fraction = if digits.len() > 1 { format!(".{}", &digits[1..]) } else { String::new() };
    format!("{sign}{}{fraction}E{adjusted:+}", &digits[..1])
}

fn json_text(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_usize, |word, byte| word << 8 | usize::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let letter = ALPHABET[word >> (18 - 6 * place) & 63];
            out.push(if place <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

/// Relaxed Extended JSON v2.
fn uuid(bytes: &[u8]) -> String {
    let digits = hex(bytes);
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

/// Relaxed Extended JSON, in which UUIDs are written as such.
fn in_arrays(value: &Bson) -> String {
    let mut text = relaxed(value);
    let ends = r#"","subType":"04"}}"#;
    while let Some(end) = text.find(ends) {
        let begin = text[..end].rfind(r#"{"$binary":{"base64":""#).unwrap();
        let digits = &text[begin + 22..end];
        let bytes = if digits == base64(&[7; 16]) { [7; 16] } else { panic!("another UUID: {text}") };
        text = format!(r#"{}{{"$uuid":"{}"}}{}"#, &text[..begin], uuid(&bytes), &text[end + ends.len()..]);
    }
    text
}

fn relaxed(value: &Bson) -> String {
    match value {
        Bson::Null => "null".to_owned(),
        Bson::Boolean(truth) => truth.to_string(),
        Bson::Int32(number) => number.to_string(),
        Bson::Int64(number) => number.to_string(),
        Bson::Double(double) if double.is_nan() => r#"{"$numberDouble":"NaN"}"#.to_owned(),
        Bson::Double(double) if double.is_infinite() => {
            format!(r#"{{"$numberDouble":"{}Infinity"}}"#, if *double > 0.0 { "" } else { "-" })
        }
        Bson::Double(double) => serde_json::to_string(double).unwrap(),
        Bson::String(text) => json_text(text),
        Bson::ObjectId(id) => format!(r#"{{"$oid":"{}"}}"#, hex(&id.bytes())),
        Bson::Decimal128(decimal) => format!(r#"{{"$numberDecimal":"{}"}}"#, decimal_text(*decimal)),
        Bson::DateTime(date) => {
            let millis = date.timestamp_millis();
            if (0..days(10_000, 1, 1) * 86_400_000).contains(&millis) {
                format!(r#"{{"$date":"{}"}}"#, iso(millis, true))
            } else {
                format!(r#"{{"$date":{{"$numberLong":"{millis}"}}}}"#)
            }
        }
        Bson::Binary(binary) => format!(
            r#"{{"$binary":{{"base64":"{}","subType":"{:02x}"}}}}"#,
            base64(&binary.bytes),
            u8::from(binary.subtype)
        ),
        Bson::RegularExpression(regex) => format!(
            r#"{{"$regularExpression":{{"pattern":{},"options":{}}}}}"#,
            json_text(regex.pattern.as_str()),
            json_text(regex.options.as_str())
        ),
        Bson::Timestamp(stamp) => {
            format!(r#"{{"$timestamp":{{"t":{},"i":{}}}}}"#, stamp.time, stamp.increment)
        }
        Bson::MinKey => r#"{"$minKey":1}"#.to_owned(),
        Bson::MaxKey => r#"{"$maxKey":1}"#.to_owned(),
        Bson::JavaScriptCode(code) => format!(r#"{{"$code":{}}}"#, json_text(code)),
        Bson::JavaScriptCodeWithScope(code) => format!(
            r#"{{"$code":{},"$scope":{}}}"#,
            json_text(&code.code),
            relaxed(&Bson::Document(code.scope.clone()))
        ),
        Bson::Symbol(text) => format!(r#"{{"$symbol":{}}}"#, json_text(text)),
        Bson::Array(items) => {
            format!("[{}]", items.iter().map(relaxed).collect::<Vec<_>>().join(","))
        }
        Bson::Document(document) => {
            let fields: Vec<String> = document
                .iter()
                .map(|(name, value)| format!("{}:{}", json_text(name), relaxed(value)))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        other => panic!("{other} is not in the test's data"),
    }
}

#[test]
fn the_reference_formats_as_the_specifications_say() {
    for (text, expected) in [
        ("1.10", "1.10"),
        ("-0", "-0"),
        ("0E+3", "0E+3"),
        ("1E-7", "1E-7"),
        ("0.000001", "0.000001"),
        ("1234567890.123456789012345678901234", "1234567890.123456789012345678901234"),
        ("9.999999999999999999999999999999999E+6144", "9.999999999999999999999999999999999E+6144"),
    ] {
        assert_eq!(decimal_text(text.parse().unwrap()), expected);
    }
    assert_eq!(base64(b"any carnal pleasur"), "YW55IGNhcm5hbCBwbGVhc3Vy");
    assert_eq!(base64(b"any carnal pleasu"), "YW55IGNhcm5hbCBwbGVhc3U=");
    assert_eq!(base64(b"any carnal pleas"), "YW55IGNhcm5hbCBwbGVhcw==");
    assert_eq!(iso(-1, false), "1969-12-31T23:59:59.999Z");
    assert_eq!(day_text(day("2024-02-29")), "2024-02-29");
    assert_eq!(year_and_day(day("2024-12-31")), (2024, 366));
}

// ---------------------------------------------------------------------------------------------
// A fixture: a collection, its mapping, its cache, and the direct query that gives the expected rows.

struct Fixture {
    database: String,
    collection: Collection<Document>,
    mapping: Document,
    mapping_file: Option<PathBuf>,
    /// The date part of a direct query for the days from one number to another.
    dates: fn(i64, i64) -> Document,
    folder: tempfile::TempDir,
    cache: &'static str,
}

impl Fixture {
    async fn new(name: &str, mapping: Option<Document>, dates: fn(i64, i64) -> Document) -> Self {
        let client = Client::with_uri_str(server().uri()).await.unwrap();
        let database = format!("odd_{name}");
        client.database(&database).drop().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mapping_file = mapping.as_ref().map(|mapping| {
            let path = folder.path().join("mapping.json");
            std::fs::write(&path, relaxed(&Bson::Document(mapping.clone()))).unwrap();
            path
        });
        Self {
            collection: client.database(&database).collection("Odd trades"),
            database,
            mapping: mapping.unwrap_or_default(),
            mapping_file,
            dates,
            folder,
            cache: "cache",
        }
    }

    /// Inserts in an order that tells nothing.
    async fn load(&self, documents: Vec<Document>) {
        self.collection.insert_many(documents).await.unwrap();
    }

    fn fetch(&self, from: &str, to: &str, more: &[&str]) -> Run {
        let path = |name: &str| self.folder.path().join(name).to_string_lossy().into_owned();
        let (cache, input, downstream) = (path(self.cache), path("input.csv"), path("downstream.csv"));
        for file in [&input, &downstream] {
            let _ = std::fs::remove_file(file);
        }
        let mut arguments =
            vec!["fetch", "--uri", server().uri(), "--db", &self.database, "--collection", "Odd trades"];
        arguments.extend(["--cache", &cache, "--from", from, "--to", to]);
        arguments.extend(["--csv", &input, "--downstream-csv", &downstream]);
        let mapping = self.mapping_file.as_ref().map(|path| path.to_string_lossy().into_owned());
        arguments.extend(mapping.iter().flat_map(|path| ["--mapping", path]));
        arguments.extend(more);
        cli(&arguments)
    }

    /// Fetches, and holds the files against a direct query. `filter` is what `more` means.
    async fn check(&self, from: &str, to: &str, more: &[&str], filter: Document) -> Run {
        let run = self.fetch(from, to, more);
        assert_eq!(run.code, 0, "{run:?}");
        assert_eq!(run.last["complete"], true, "{run:?}");
        let days = &run.last["days"];
        let sum: u64 =
            ["from_cache", "adopted", "fetched"].iter().map(|key| days[key].as_u64().unwrap()).sum();
        assert_eq!(sum, u64::try_from(day(to) - day(from) + 1).unwrap(), "{run:?}");
        assert_eq!(days["requested"].as_u64(), Some(sum));
        assert_eq!(days["missing"], Value::Array(Vec::new()));

        let input = self.direct_input(from, to, filter).await;
        let downstream = self.direct_downstream(&input).await;
        let what = format!("{from} to {to} {more:?}");
        self.compare("input", &what, &run, &input);
        self.compare("downstream", &what, &run, &downstream);
        run
    }

    async fn direct_input(&self, from: &str, to: &str, filter: Document) -> Vec<Document> {
        let mut parts = vec![(self.dates)(day(from), day(to)), filter];
        parts.extend(self.mapping.get_document("input_match").ok().cloned());
        direct(&self.collection, doc! {"$and": parts}).await
    }

    async fn direct_downstream(&self, input: &[Document]) -> Vec<Document> {
        let path = match self.mapping.get("trade_id") {
            None => "trade_id",
            Some(Bson::String(path)) => path,
            Some(_) => return Vec::new(),
        };
        let mut ids = Vec::new();
        for document in input {
            values_at(&Bson::Document(document.clone()), path, &mut ids);
        }
        let own = self.mapping.get_str("downstream_collection").ok();
        let collection = match own {
            Some(name) => self.collection.client().database(&self.database).collection(name),
            None => self.collection.clone(),
        };
        let mut parts = vec![doc! {path: {"$in": ids}}];
        parts.extend(self.mapping.get_document("downstream_match").ok().cloned());
        let mut found = direct(&collection, doc! {"$and": parts}).await;
        if own.is_none() {
            let input: Vec<&Bson> = input.iter().filter_map(|document| document.get("_id")).collect();
            found.retain(|document| !input.contains(&document.get("_id").unwrap()));
        }
        found
    }

    /// The columns of no rows.
    fn mapped_paths(&self, role: &str) -> BTreeSet<String> {
        let path = |of: &Document, key: &str, default: Option<&str>| match of.get(key) {
            None => default.map(str::to_owned),
            Some(Bson::String(path)) => Some(path.clone()),
            Some(Bson::Document(entry)) => entry.get_str("path").ok().map(str::to_owned),
            Some(_) => None,
        };
        let of_mapping = |key: &str, default| path(&self.mapping, key, default);
        let mut paths: BTreeSet<String> = ["_id".to_owned()].into();
        paths.extend(of_mapping("trade_id", Some("trade_id")));
        if role == "input" {
            for key in ["timestamp", "year", "day_of_year"] {
                paths.extend(of_mapping(key, Some(key)));
            }
            paths.extend(of_mapping("changed_at", None));
            let filters = self.mapping.get_document("filters").cloned().unwrap_or_default();
            let form = ["product", "cell", "receiver", "attribute", "relatedDispatcher", "relatedAttributes"];
            paths.extend(form.iter().filter_map(|name| path(&filters, name, Some(name))));
            paths.extend(filters.keys().filter_map(|name| path(&filters, name, None)));
        }
        paths
    }

    fn compare(&self, role: &str, what: &str, run: &Run, expected: &[Document]) {
        let text = std::fs::read_to_string(self.folder.path().join(format!("{role}.csv"))).unwrap();
        let mut table = read_csv(&text).into_iter();
        let header: Vec<String> = table.next().unwrap().into_iter().map(Option::unwrap_or_default).collect();
        let rows: Vec<_> = table.collect();
        assert_eq!(run.count(&format!("/rows/{role}")), rows.len() as u64, "{role} {what}: count and file");

        let wanted: Vec<BTreeMap<String, Cell>> = expected.iter().map(columns_of).collect();
        let mut paths: BTreeSet<&str> =
            wanted.iter().flat_map(|row| row.keys().map(String::as_str)).collect();
        let mapped = self.mapped_paths(role);
        if wanted.is_empty() {
            paths.extend(mapped.iter().map(String::as_str));
        }
        let shown: BTreeSet<&str> = header.iter().map(String::as_str).collect();
        assert_eq!(shown.len(), header.len(), "{role} {what}: no column twice: {header:?}");
        assert_eq!(shown, paths, "{role} {what}: columns");
        assert!(header[0] == "_id" || header[0].starts_with("_id."), "{role} {what}: _id first: {header:?}");

        let by_id = |id: &dyn Fn(&str) -> Option<String>| {
            paths.iter().filter(|path| is_id(path)).map(|path| id(path)).collect::<Vec<_>>()
        };
        let mut found = BTreeMap::new();
        for row in &rows {
            assert_eq!(row.len(), header.len(), "{role} {what}: {row:?}");
            let row: BTreeMap<&str, Option<&str>> =
                header.iter().map(String::as_str).zip(row.iter().map(Option::as_deref)).collect();
            let id = by_id(&|path| row[path].map(str::to_owned));
            assert!(found.insert(id.clone(), row).is_none(), "{role} {what}: {id:?} twice");
        }
        let mut ids = BTreeSet::new();
        for row in &wanted {
            let id = by_id(&|path| match row.get(path) {
                None | Some(Cell::Null) => None,
                Some(Cell::Text(text)) => Some(text.clone()),
                Some(Cell::Double(_)) => panic!("no _id of the test's data is a double"),
            });
            assert!(ids.insert(id.clone()), "the test's data has the _id {id:?} once");
            let Some(shown) = found.get(&id) else { panic!("{role} {what}: no row {id:?}") };
            for path in &paths {
                let wanted = row.get(*path).unwrap_or(&Cell::Null);
                assert!(
                    wanted.is(shown[path]),
                    "{role} {what}: {id:?} {path}: {wanted:?} is shown as {:?}",
                    shown[path]
                );
            }
        }
        let more: Vec<_> = found.keys().filter(|id| !ids.contains(*id)).collect();
        assert!(more.is_empty(), "{role} {what}: rows that MongoDB does not return: {more:?}");
    }
}

fn is_id(path: &str) -> bool {
    path == "_id" || path.starts_with("_id.")
}

async fn direct(collection: &Collection<Document>, filter: Document) -> Vec<Document> {
    let mut cursor = collection.find(filter).await.unwrap();
    let mut found = Vec::new();
    while cursor.advance().await.unwrap() {
        found.push(Document::try_from(cursor.current()).unwrap());
    }
    found
}

/// The values at a path that are good for a trade id, through arrays.
fn values_at(value: &Bson, path: &str, found: &mut Vec<Bson>) {
    let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
    match value {
        Bson::Array(items) => items.iter().for_each(|item| values_at(item, path, found)),
        Bson::Document(document) => match (document.get(head), rest) {
            (Some(value), Some(rest)) => values_at(value, rest, found),
            (Some(Bson::Array(items)), None) => {
                found.extend(items.iter().filter(|item| **item != Bson::Null).cloned())
            }
            (None | Some(Bson::Null), None) | (None, Some(_)) => {}
            (Some(value), None) => found.push(value.clone()),
        },
        _ => {}
    }
}

fn by_year_and_day(from: i64, to: i64) -> Document {
    let each: Vec<Document> = (from..=to)
        .map(|number| {
            let (year, day) = year_and_day(number);
            doc! {"year": year, "day_of_year": day}
        })
        .collect();
    doc! {"$or": each}
}

fn between(path: &str, from: i64, to: i64) -> Document {
    doc! {path: {"$gte": DateTime::from_millis(from), "$lt": DateTime::from_millis(to)}}
}

// ---------------------------------------------------------------------------------------------
// The data: everything that BSON can hold and a source may do to it.

/// A generator that gives the same data everywhere (the constants are Knuth's).
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn pick<T: Clone>(&mut self, among: &[T]) -> T {
        among[self.throw(among.len())].clone()
    }
}

fn decimal(text: &str) -> Bson {
    Bson::Decimal128(text.parse().unwrap())
}

fn date(millis: i64) -> Bson {
    Bson::DateTime(DateTime::from_millis(millis))
}

fn binary(subtype: BinarySubtype, bytes: &[u8]) -> Bson {
    Bson::Binary(Binary { subtype, bytes: bytes.to_vec() })
}

fn regex(pattern: &str, options: &str) -> Bson {
    Bson::RegularExpression(Regex {
        pattern: pattern.to_owned().try_into().unwrap(),
        options: options.to_owned().try_into().unwrap(),
    })
}

fn decimals() -> Vec<Bson> {
    [
        "1.10",
        "1.1",
        "-0",
        "0",
        "0.00",
        "NaN",
        "Infinity",
        "-Infinity",
        "1234567890.123456789012345678901234",
        "-9999999999999999999999999999999999",
        "1E+3",
        "1E-7",
        "0.000001",
        "9.999999999999999999999999999999999E+6144",
        "1E-6176",
        "0E-6176",
        "0E+6111",
        "-1.5E+20",
        "123E-40",
    ]
    .map(decimal)
    .to_vec()
}

fn doubles() -> Vec<Bson> {
    [
        1.0,
        0.1,
        1e22,
        5e-324,
        -0.0,
        0.0,
        1e21,
        1e16,
        123_456_789_012_345_680.0,
        f64::MAX,
        f64::MIN_POSITIVE,
        -2.5,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        9_007_199_254_740_993.0,
        1.0 / 3.0,
        1e-7,
    ]
    .map(Bson::Double)
    .to_vec()
}

fn wholes() -> Vec<Bson> {
    let mut wholes: Vec<Bson> =
        [9_007_199_254_740_993, i64::MAX, i64::MIN, -9_007_199_254_740_993, 0, 7].map(Bson::Int64).to_vec();
    wholes.extend([i32::MAX, i32::MIN, 0, -1].map(Bson::Int32));
    wholes
}

fn texts() -> Vec<Bson> {
    [
        "",
        " ",
        "  leading",
        "trailing ",
        "a,b",
        "say \"hi\"",
        "\"",
        "line\nbreak",
        "line\r\nbreak",
        "\r",
        "\t",
        "ünïcödé",
        "日本語",
        "😀 emoji",
        "NULL",
        "null",
        "''",
        "=1+1",
        "a;b|c",
        "\u{feff}mark",
        "\u{1}control",
        "1.10",
        "7",
        "\\N",
        "#",
        "back\\slash",
        "e\u{301}",
    ]
    .map(Bson::from)
    .to_vec()
}

fn dates() -> Vec<Bson> {
    [
        0,
        -1,
        1,
        500,
        120,
        -86_400_000,
        1_738_315_800_123,
        1_738_315_800_000,
        951_782_400_000,
        -2_208_988_800_000,
        -62_135_596_800_000,
        -61_000_000_000_000,
        253_402_300_799_999,
        253_402_300_800_000,
        -62_135_596_800_001,
        i64::MAX,
        i64::MIN,
    ]
    .map(date)
    .to_vec()
}

fn rare() -> Vec<Bson> {
    vec![
        binary(BinarySubtype::Generic, &[]),
        binary(BinarySubtype::Generic, &[0, 1, 2, 255]),
        binary(BinarySubtype::Uuid, &[7; 16]),
        binary(BinarySubtype::UserDefined(0x80), b"mine"),
        regex("^a,\"b\"", "im"),
        Bson::Timestamp(Timestamp { time: 4_294_967_295, increment: 7 }),
        Bson::MinKey,
        Bson::MaxKey,
        Bson::JavaScriptCode("x => \"y\"".into()),
        Bson::JavaScriptCodeWithScope(JavaScriptCodeWithScope { code: "z".into(), scope: doc! {"z": 1_i64} }),
        Bson::Symbol("symbol".into()),
    ]
}

fn flat(lists: &[Vec<Bson>]) -> Vec<Bson> {
    lists.concat()
}

fn arrays() -> Vec<Bson> {
    let everything = flat(&[wholes(), doubles(), decimals(), texts(), dates(), rare()]);
    vec![
        bson!([]),
        bson!([[]]),
        bson!([1, [2, [3, {}]], {"a": {"b": [null, true]}}]),
        bson!(["x", "y,z", "\"q\"", "\u{2028}", "/"]),
        bson!([{"$deep": {"a.b": 1, "": 2, "$oid": 5}}]),
        Bson::Array(everything),
        bson!([null]),
    ]
}

fn subs() -> Vec<Bson> {
    vec![
        bson!({}),
        bson!({"x": 1}),
        bson!({"x": {"y": {"z": "deep"}}, "empty": {}}),
        bson!({"x": "text", "X": "TEXT", "list": [1, 2]}),
        bson!({"": "no name", "a b": 1, "q\"": decimal("1.10")}),
        bson!(5),
        bson!("scalar"),
        bson!([{"x": 1}]),
        Bson::Null,
    ]
}

/// The fields of an odd document, and the values they take.
fn odd_fields() -> Vec<(&'static str, Vec<Bson>)> {
    vec![
        ("n", flat(&[wholes(), doubles(), decimals(), vec!["7".into(), Bson::Null]])),
        ("whole", wholes()),
        ("double", doubles()),
        ("price", decimals()),
        ("Price", flat(&[decimals(), wholes()])),
        ("PRICE", texts()),
        ("t", texts()),
        ("at", dates()),
        ("list", arrays()),
        ("sub", subs()),
        ("rare", rare()),
        (
            "all",
            flat(&[
                wholes(),
                doubles(),
                decimals(),
                texts(),
                dates(),
                rare(),
                arrays(),
                vec![true.into(), ObjectId::from_bytes([9; 12]).into()],
            ]),
        ),
        ("flag", vec![true.into(), false.into(), Bson::Null]),
        ("nothing", vec![Bson::Null]),
        ("maybe", vec![Bson::Null, "".into(), "x".into()]),
        ("a.b", texts()),
        ("$cash", wholes()),
        ("qu\"ote", texts()),
        ("it's", texts()),
        ("sp ace ", texts()),
        ("comma,name", texts()),
        ("line\r\nbreak", texts()),
        // A sub-document without a name: its path begins with the dot, and is not that of `t`.
        ("", flat(&[texts(), vec![bson!({"t": "under no name"})]])),
        ("ünïcode 😀", texts()),
        ("select", texts()),
        ("day", wholes()),
        ("id", texts()),
        ("doc", texts()),
        ("trade", texts()),
        ("c1", texts()),
        ("rowid", wholes()),
        ("_ID", texts()),
    ]
}

fn odd_document(dice: &mut Dice, number: i32) -> Document {
    let id: Bson = match dice.throw(6) {
        0 | 1 => ObjectId::from_bytes([
            u8::try_from(number % 251).unwrap(),
            1,
            2,
            3,
            4,
            5,
            6,
            7,
            8,
            9,
            u8::try_from(number / 251).unwrap(),
            0,
        ])
        .into(),
        2 => format!("id-{number}, \"{number}\"").into(),
        3 => number.into(),
        4 => (i64::from(number) + 9_007_199_254_740_993).into(),
        _ => bson!({"desk": "north", "n": number}),
    };
    let mut document = doc! {"_id": id};
    for (name, values) in odd_fields() {
        // A field is missing as often as it is there, so that every batch meets new ones.
        if dice.throw(2) == 0 {
            document.insert(name, dice.pick(&values));
        }
    }
    document
}

/// Trade ids of every kind; `None` is a document without the field.
fn trade_ids() -> Vec<Option<Bson>> {
    vec![
        Some("T-1".into()),
        Some(" T-1 ".into()),
        Some("".into()),
        Some("7".into()),
        Some(7_i32.into()),
        Some(7_i64.into()),
        Some(7.0.into()),
        Some(decimal("7.00")),
        Some(9_007_199_254_740_993_i64.into()),
        Some(9_007_199_254_740_992.0.into()),
        Some(ObjectId::from_bytes([3; 12]).into()),
        Some(bson!({"desk": "north", "n": 1})),
        Some(date(1_700_000_000_000)),
        Some(true.into()),
        Some(binary(BinarySubtype::Generic, b"T")),
        Some(bson!(["T-1", "T-2"])),
        Some(bson!(["T-2", 7, null])),
        Some(bson!([])),
        Some(Bson::Null),
        None,
        Some("T-3".into()),
        Some("T-4 ünïcode".into()),
    ]
}

const FIRST: &str = "2023-12-28";
const LAST: &str = "2024-01-05";

/// Input of nine days over New Year with two of them empty, of the days around 29 February, and
/// messages that come on the day, days late, in the next year, and without any date.
fn default_documents() -> Vec<Document> {
    let mut dice = Dice(1);
    let (first, leap) = (day(FIRST), day("2024-02-27"));
    let days: Vec<i64> =
        [0, 1, 3, 4, 6, 7, 8].map(|more| first + more).into_iter().chain(leap..leap + 4).collect();
    let mut documents = Vec::new();
    for number in 0..180 {
        let mut document = odd_document(&mut dice, number);
        let (year, day_of_year) = year_and_day(dice.pick(&days));
        match dice.throw(8) {
            0 => {} // a message that says no date
            1 => document.extend(doc! {"year": year, "day_of_year": Bson::Null}),
            2 => document.extend(doc! {"year": i64::from(year), "day_of_year": f64::from(day_of_year)}),
            _ => document.extend(doc! {"year": year, "day_of_year": day_of_year}),
        }
        document.extend(dice.pick(&trade_ids()).map(|id| ("trade_id".to_owned(), id)));
        if dice.throw(4) > 0 {
            let products: [Bson; 6] = [
                "Power".into(),
                "Gas, dry".into(),
                "Oil\\".into(),
                bson!(["Power", "Gas, dry"]),
                Bson::Null,
                7.into(),
            ];
            document.insert("product", dice.pick(&products));
        }
        documents.push(document);
    }
    documents
}

// ---------------------------------------------------------------------------------------------
// The tests.

/// The contract's cases on nine days, the third and the sixth of which are empty.
async fn all_cases(
    fixture: &mut Fixture,
    filter: &[&str],
    filter_means: Document,
    advanced: &str,
    advanced_means: Document,
) {
    let d = |number: i64| day_text(day(FIRST) + number - 1);
    let none = Document::new;

    let miss = fixture.check(&d(4), &d(6), &[], none()).await;
    assert_eq!(miss.text("/answer"), "server");
    assert!(miss.count("/mongo_commands") > 0 && miss.count("/rows/input") > 0, "{miss:?}");
    let hit = fixture.check(&d(4), &d(6), &[], none()).await;
    assert_eq!((hit.text("/answer"), hit.count("/mongo_commands")), ("cache", 0));
    let part = fixture.check(&d(5), &d(5), &[], none()).await;
    assert_eq!((part.text("/answer"), part.count("/mongo_commands")), ("cache", 0));

    let right = fixture.check(&d(4), &d(8), &[], none()).await;
    assert_eq!(
        (right.text("/answer"), right.count("/days/fetched"), right.count("/days/from_cache")),
        ("part_cache", 2, 3)
    );
    let left = fixture.check(&d(2), &d(8), &[], none()).await;
    assert_eq!((left.count("/days/fetched"), left.count("/days/from_cache")), (2, 5));
    let both = fixture.check(&d(1), &d(9), &[], none()).await;
    assert_eq!((both.count("/days/fetched"), both.count("/days/from_cache")), (2, 7));
    let hit = fixture.check(&d(1), &d(9), &[], none()).await;
    assert_eq!((hit.text("/answer"), hit.count("/mongo_commands")), ("cache", 0));

    // The narrower query copies its days from the broader one.
    let adopted = fixture.check(&d(1), &d(9), filter, filter_means.clone()).await;
    assert_eq!((adopted.count("/days/adopted"), adopted.count("/days/fetched")), (9, 0), "{adopted:?}");
    assert_eq!((adopted.text("/answer"), adopted.count("/mongo_commands")), ("cache", 0), "{adopted:?}");
    assert!(adopted.count("/rows/input") > 0 && adopted.count("/rows/input") < both.count("/rows/input"));
    let hit = fixture.check(&d(1), &d(9), filter, filter_means.clone()).await;
    assert_eq!((hit.count("/days/from_cache"), hit.count("/mongo_commands")), (9, 0));
    let part = fixture.check(&d(2), &d(4), filter, filter_means.clone()).await;
    assert_eq!((part.count("/days/from_cache"), part.count("/mongo_commands")), (3, 0));

    // The same narrower query from the server, in a cache of its own, and around a hole.
    fixture.cache = "around-a-hole";
    fixture.check(&d(1), &d(3), filter, filter_means.clone()).await;
    fixture.check(&d(7), &d(9), filter, filter_means.clone()).await;
    let hole = fixture.check(&d(1), &d(9), filter, filter_means.clone()).await;
    assert_eq!(
        (hole.text("/answer"), hole.count("/days/fetched"), hole.count("/days/from_cache")),
        ("part_cache", 3, 6)
    );
    assert_eq!(fixture.check(&d(1), &d(9), filter, filter_means).await.count("/mongo_commands"), 0);
    fixture.cache = "cache";

    let matched = fixture.check(&d(1), &d(9), &["--match", advanced], advanced_means.clone()).await;
    assert!(matched.count("/rows/input") > 0, "{matched:?}");
    let hit = fixture.check(&d(3), &d(9), &["--match", advanced], advanced_means).await;
    assert_eq!(hit.count("/mongo_commands"), 0);
    let again = fixture.check(&d(1), &d(9), &["--refresh"], none()).await;
    assert_eq!((again.text("/answer"), again.count("/days/fetched")), ("server", 9));
    let none = serde_json::json!({"added": 0, "changed": 0, "gone": 0});
    let nothing = serde_json::json!({"input": none, "downstream": none, "messages": [], "omitted": 0});
    assert_eq!(again.last["changes"], nothing);
}

#[tokio::test]
async fn the_default_mapping() {
    let mut fixture = Fixture::new("default", None, by_year_and_day).await;
    fixture.load(default_documents()).await;
    let filter = ["--filter", "product=Gas\\, dry,Oil\\\\"];
    all_cases(
        &mut fixture,
        &filter,
        doc! {"product": {"$in": ["Gas, dry", "Oil\\"]}},
        r#"{"n": {"$type": "number"}, "$or": [{"flag": true}, {"at": {"$gt": {"$date": "1970-01-01T00:00:00Z"}}}]}"#,
        doc! {"n": {"$type": "number"}, "$or": [{"flag": true}, {"at": {"$gt": DateTime::from_millis(0)}}]},
    )
    .await;
    // A leap day, ranges that end there, and one that joins what lies on both sides of two months.
    for (from, to) in [
        ("2024-02-28", "2024-02-29"),
        ("2024-02-29", "2024-03-01"),
        ("2024-02-27", "2024-03-02"),
        ("2023-12-28", "2024-03-01"),
        ("2024-12-31", "2025-01-01"),
    ] {
        fixture.check(from, to, &[], Document::new()).await;
    }
    let all = fixture.check("2023-12-28", "2024-03-02", &[], Document::new()).await;
    assert_eq!(all.count("/mongo_commands"), 0);
    assert!(all.count("/rows/downstream") > 0);
}

fn own_mapping() -> Document {
    doc! {
        "version": 4, "trade_id": "deal.refs.no", "timestamp": "when.booked", "year": Bson::Null, "day_of_year": Bson::Null,
        "filters": {
            "product": Bson::Null, "cell": "where is it", "book": "deal.book", "size": {"path": "n", "type": "integer"},
            "cost": {"path": "price", "type": "decimal"}, "own id": {"path": "ref", "type": "object_id"},
            "done": {"path": "at", "type": "date"},
        },
        "input_match": {"role": "IN"}, "downstream_match": {"role": {"$ne": "IN"}},
    }
}

fn by_booking(from: i64, to: i64) -> Document {
    between("when.booked", at(from, 0, 0), at(to + 1, 0, 0))
}

/// Documents with field names of their own: sub-documents, an array of references, input marked by a role.
fn own_documents() -> Vec<Document> {
    let mut dice = Dice(2);
    let days = [0, 1, 3, 4, 6, 7, 8].map(|more| day(FIRST) + more);
    let moments = [0, 1, 12 * 3_600_000, 86_399_999];
    (0..150)
        .map(|number| {
            let mut document = odd_document(&mut dice, number);
            let booked = at(dice.pick(&days), 0, dice.pick(&moments));
            let late = [0, 0, 3_600_000, 86_400_000, 40 * 86_400_000];
            let input = dice.throw(3) > 0;
            let moment = if input { booked } else { booked + dice.pick(&late) };
            document.insert(
                "role",
                if input { "IN".into() } else { dice.pick(&["OUT".into(), Bson::Null, "in".into()]) },
            );
            document.insert("when", doc! {"booked": date(moment), "seen": date(moment + 1)});
            let mut deal = doc! {"book": dice.pick(&["A", "B, C", "ü"])};
            match dice.throw(4) {
                0 => {}
                1 => {
                    deal.insert("refs", bson!({"no": dice.pick(&trade_ids()).unwrap_or(Bson::Null)}));
                }
                _ => {
                    let refs: Vec<Bson> = (0..dice.throw(3))
                        .map(|_| dice.pick(&trade_ids()).map_or_else(|| bson!({}), |id| bson!({"no": id})))
                        .collect();
                    deal.insert("refs", refs);
                }
            }
            document.insert("deal", deal);
            if dice.throw(2) == 0 {
                document.insert("where is it", dice.pick(&texts()));
            }
            document
        })
        .collect()
}

#[tokio::test]
async fn a_mapping_with_names_of_its_own() {
    let mut fixture = Fixture::new("own", Some(own_mapping()), by_booking).await;
    fixture.load(own_documents()).await;
    all_cases(
        &mut fixture,
        &["--filter", "book=B\\, C", "--filter", "book=ü"],
        doc! {"deal.book": {"$in": ["B, C", "ü"]}},
        r#"{"deal.refs.no": {"$exists": true}}"#,
        doc! {"deal.refs.no": {"$exists": true}},
    )
    .await;
    // Typed filters, adopted and from the server: numbers meet across types, and digits count.
    for (filter, means) in [
        ("size=7,9007199254740993,0", doc! {"n": {"$in": [7_i64, 9_007_199_254_740_993_i64, 0_i64]}}),
        ("cost=1.1,-1.5E+20", doc! {"price": {"$in": [decimal("1.1"), decimal("-1.5E+20")]}}),
        (
            "done=2000-02-29,1970-01-01T00:00:00.500Z",
            doc! {"at": {"$in": [date(951_782_400_000), date(500)]}},
        ),
        (
            "cell=a\\,b,say \"hi\",日本語,NULL,{\"$gt\": \"\"}",
            doc! {"where is it": {"$in": ["a,b", "say \"hi\"", "日本語", "NULL", "{\"$gt\": \"\"}"]}},
        ),
    ] {
        fixture.cache = "cache";
        let adopted = fixture.check(FIRST, LAST, &["--filter", filter], means.clone()).await;
        assert_eq!(adopted.count("/days/adopted"), 9, "{filter}: {adopted:?}");
        fixture.cache = "typed";
        let fetched = fixture.check(FIRST, LAST, &["--filter", filter], means).await;
        assert_eq!(fetched.count("/days/fetched"), 9, "{filter}: {fetched:?}");
    }
}

/// Moments around the midnights of days when the clocks change, and what day they are by the clock there.
fn moments(days: &[i64], start: fn(i64) -> i64) -> Vec<(i64, i64)> {
    let mut moments = Vec::new();
    for day in days {
        let (from, to) = (start(*day), start(day + 1));
        for moment in
            [from, from + 1, from + 3_600_000, from + 7_200_001, (from + to) / 2, to - 3_600_000, to - 1]
        {
            moments.push((*day, moment));
        }
    }
    moments
}

/// London was an hour ahead from 2025-03-30 01:00 to 2025-10-26 01:00 UTC.
fn london(day_number: i64) -> i64 {
    let summer = day("2025-03-30") < day_number && day_number <= day("2025-10-26");
    at(day_number, if summer { -1 } else { 0 }, 0)
}

/// New York is five hours behind, and four from 2025-03-09 07:00 to 2025-11-02 06:00 UTC.
fn new_york(day_number: i64) -> i64 {
    let summer = day("2025-03-09") < day_number && day_number <= day("2025-11-02");
    at(day_number, if summer { 4 } else { 5 }, 0)
}

#[tokio::test]
async fn days_of_23_and_25_hours() {
    let mapping = doc! {"day_zone": "Europe/London", "year": Bson::Null, "day_of_year": Bson::Null};
    let fixture =
        Fixture::new("london", Some(mapping), |from, to| between("timestamp", london(from), london(to + 1)))
            .await;
    let (spring, autumn) = (day("2025-03-30"), day("2025-10-26"));
    let days: Vec<i64> = (spring - 1..=spring + 1).chain(autumn - 1..=autumn + 1).collect();
    let documents = moments(&days, london).into_iter().enumerate().map(|(number, (day, moment))| {
        doc! {"_id": i32::try_from(number).unwrap(), "timestamp": date(moment), "local": day_text(day), "trade_id": format!("T{}", number % 9)}
    });
    fixture.load(documents.collect()).await;
    for number in &days {
        let text = day_text(*number);
        let run = fixture.check(&text, &text, &[], Document::new()).await;
        assert_eq!(run.count("/rows/input"), 7, "{text}");
        let hit = fixture.check(&text, &text, &[], doc! {"local": text.clone()}).await;
        assert_eq!(hit.count("/mongo_commands"), 0);
    }
    assert_eq!(
        fixture.check("2025-03-28", "2025-04-01", &[], Document::new()).await.count("/rows/input"),
        21
    );
    assert_eq!(
        fixture.check("2025-10-20", "2025-11-01", &[], Document::new()).await.count("/rows/input"),
        21
    );
    let verified = fixture.check("2025-10-25", "2025-10-27", &["--verify"], Document::new()).await;
    assert_eq!(verified.count("/days/from_cache"), 3, "{verified:?}");
}

#[tokio::test]
async fn a_day_of_the_year_and_a_time_stamp() {
    let mapping = doc! {"day_zone": "America/New_York", "year": Bson::Null};
    let fixture = Fixture::new("new_york", Some(mapping), |from, to| {
        between("timestamp", new_york(from), new_york(to + 1))
    })
    .await;
    let days: Vec<i64> =
        ["2024-02-29", "2024-12-31", "2025-01-01", "2025-03-09", "2025-11-02", "2025-12-31", "2026-01-01"]
            .map(day)
            .to_vec();
    let documents = moments(&days, new_york).into_iter().enumerate().map(|(number, (day, moment))| {
        doc! {"_id": format!("m{number}"), "timestamp": date(moment), "day_of_year": year_and_day(day).1, "trade_id": i32::try_from(number % 5).unwrap()}
    });
    fixture.load(documents.collect()).await;
    for (from, to, rows) in [
        ("2025-01-01", "2025-01-01", 7),
        ("2024-12-30", "2025-01-02", 14),
        ("2025-03-08", "2025-03-10", 7),
        ("2025-11-02", "2025-11-02", 7),
        ("2024-02-28", "2024-03-01", 7),
        ("2025-12-31", "2026-01-01", 14),
        ("2024-02-01", "2026-01-31", 49),
    ] {
        let run = fixture.check(from, to, &[], Document::new()).await;
        assert_eq!(run.count("/rows/input"), rows, "{from} to {to}");
    }
    let verified = fixture.check("2024-12-31", "2025-03-10", &["--verify"], Document::new()).await;
    assert_eq!(verified.count("/days/fetched"), 0, "{verified:?}");
}

#[tokio::test]
async fn downstream_messages_in_a_collection_of_their_own() {
    let mapping =
        doc! {"downstream_collection": "Odd messages", "downstream_match": {"kind": {"$ne": "noise"}}};
    let mut fixture = Fixture::new("two", Some(mapping), by_year_and_day).await;
    let mut dice = Dice(3);
    let mut input = default_documents();
    input.truncate(110);
    let messages: Vec<Document> = (0..110)
        .map(|number| {
            // The same numbers as in the input give the same _id now and then: another document all the same.
            let mut message = odd_document(&mut dice, number);
            message.insert("kind", dice.pick(&["ack", "noise", "ünïcode"]));
            message.extend(dice.pick(&trade_ids()).map(|id| ("trade_id".to_owned(), id)));
            message
        })
        .collect();
    fixture.load(input).await;
    let other: Collection<Document> =
        fixture.collection.client().database(&fixture.database).collection("Odd messages");
    other.insert_many(messages).await.unwrap();
    all_cases(
        &mut fixture,
        &["--filter", "product=Power"],
        doc! {"product": {"$in": ["Power"]}},
        r#"{"list": {"$exists": true}}"#,
        doc! {"list": {"$exists": true}},
    )
    .await;
}

#[tokio::test]
async fn a_mapping_without_trade_ids_has_no_downstream() {
    let fixture = Fixture::new("none", Some(doc! {"trade_id": Bson::Null}), by_year_and_day).await;
    fixture.load(default_documents()).await;
    let run = fixture.check(FIRST, LAST, &[], Document::new()).await;
    assert_eq!(run.count("/rows/downstream"), 0);
    assert_eq!(fixture.check(FIRST, LAST, &[], Document::new()).await.count("/mongo_commands"), 0);
}

#[tokio::test]
async fn trades_with_input_on_several_days_and_messages_that_come_late() {
    let mapping = doc! {"input_match": {"kind": "trade"}, "downstream_match": {"kind": {"$ne": "trade"}}};
    let fixture = Fixture::new("late", Some(mapping), by_year_and_day).await;
    let on = |id: &str, kind: &str, text: &str, trade: Bson| {
        let (year, day_of_year) = year_and_day(day(text));
        doc! {"_id": id, "kind": kind, "year": year, "day_of_year": day_of_year, "trade_id": trade}
    };
    fixture
        .load(vec![
            on("a1", "trade", "2023-12-29", "A".into()),
            on("a2", "trade", "2023-12-31", "A".into()),
            on("a3", "trade", "2024-01-03", "A".into()),
            on("a4", "trade", "2024-03-20", "A".into()),
            on("b1", "trade", "2023-12-31", "B".into()),
            on("ab", "trade", "2024-01-01", bson!(["A", "B"])),
            on("ma1", "ack", "2023-12-29", "A".into()),
            on("ma2", "late", "2024-01-09", "A".into()),
            on("ma3", "early", "2023-11-01", "A".into()),
            on("mb1", "over new year", "2024-01-02", "B".into()),
            on("mab", "both", "2024-02-29", bson!(["B", "A"])),
            on("mc", "nobody's", "2023-12-31", "C".into()),
        ])
        .await;
    // Day by day first, so that every trade is stored under several windows; then all ranges of them.
    let days = ["2023-12-29", "2023-12-30", "2023-12-31", "2024-01-01", "2024-01-02", "2024-01-03"];
    for one in days {
        fixture.check(one, one, &[], Document::new()).await;
    }
    for (at, from) in days.iter().enumerate() {
        for to in &days[at..] {
            assert_eq!(fixture.check(from, to, &[], Document::new()).await.count("/mongo_commands"), 0);
        }
    }
    let all = fixture.check("2023-12-29", "2024-03-20", &[], Document::new()).await;
    assert_eq!((all.count("/rows/input"), all.count("/rows/downstream")), (6, 5));
    let none = fixture.check("2023-12-30", "2023-12-30", &[], Document::new()).await;
    assert_eq!((none.count("/rows/input"), none.count("/rows/downstream")), (0, 0));
}
