//! Row queries against a plain model: filters, searches, counts, values, sums and groups over documents with every kind
//! of value, worked out once by the engine and once over the documents.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;
use std::sync::Arc;

use bigdecimal::{BigDecimal, RoundingMode, Zero as _};
use bson::{Bson, Decimal128, Document, RawDocumentBuf, doc};
use chrono::{DateTime, Utc};
use proptest::prelude::*;
use tidemark_engine::cache::export::writing::Staging;
use tidemark_engine::cache::{Cache, CacheFile, DayRows, Identity, SegmentWriter, Stop, View};
use tidemark_engine::day::{Day, DayRange, DayZone};
use tidemark_engine::decode::{Decoder, RowKey};
use tidemark_engine::query::filter::Filters;
use tidemark_engine::query::mapping::Mapping;
use tidemark_engine::query::source::Query;
use tidemark_engine::rows::summary::{
    DateUnit, Figure, FigureKind, GroupColumn, GroupKey, GroupRequest, GroupSort,
};
use tidemark_engine::rows::{ColumnCondition, DaySpan, ExportOptions, Role, RowQuery, Sort};
use tidemark_engine::source::{Source, SourceSettings};

const FIRST: i32 = 20_000;

fn file(folder: &tempfile::TempDir) -> Arc<CacheFile> {
    let settings = SourceSettings {
        uri: "mongodb://127.0.0.1:27999".to_owned(),
        password: None,
        database: "rows".to_owned(),
        collection: "trades".to_owned(),
    };
    let source = Source::new(&settings).unwrap().identity().clone();
    let query = Query { source, mapping: Mapping::default(), filters: Filters::default() };
    Cache::new(folder.path(), 0).unwrap().open_or_create(&Identity::of(&query)).unwrap().file
}

/// Stores a day in a window of its own.
fn store(file: &Arc<CacheFile>, day: Day, documents: &[Document]) {
    let mut decoder = Decoder::new(Arc::clone(file.registry()), false);
    for document in documents {
        let raw = RawDocumentBuf::try_from(document).unwrap();
        decoder.push(RowKey { day, trade: None, read: 0 }, &raw);
    }
    let mut writer = SegmentWriter::begin(Arc::clone(file)).unwrap();
    if let Some(decoded) = decoder.finish_batch() {
        writer.append(Role::Input, decoded).unwrap();
    }
    let input_fields = decoder.take_presence().remove(&day).unwrap_or_default();
    let rows = DayRows { input_rows: documents.len() as u64, input_fields, ..DayRows::default() };
    writer.commit(BTreeMap::from([(day, rows)]), &[]).unwrap();
}

/// A view of two days. What both have is shown on the second, which was stored later.
pub(crate) struct Stored {
    _folder: tempfile::TempDir,
    pub(crate) view: View,
    /// The documents that are shown, in the order shown.
    pub(crate) shown: Vec<(Day, Document)>,
}

impl Stored {
    pub(crate) fn of(days: &[Vec<Document>]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = file(&folder);
        let day = |place: usize| Day::from_number(FIRST).plus(i32::try_from(place).unwrap());
        for (place, documents) in days.iter().enumerate() {
            store(&file, day(place), documents);
        }
        let mut seen = BTreeSet::new();
        let mut shown: Vec<(Day, Document)> = Vec::new();
        for (place, documents) in days.iter().enumerate().rev() {
            for document in documents.iter().rev() {
                if seen.insert(document.get_i32("_id").unwrap()) {
                    shown.insert(0, (day(place), document.clone()));
                }
            }
        }
        let range = DayRange::new(day(0), day(days.len() - 1)).unwrap();
        Self { _folder: folder, view: View::open(file, range).unwrap(), shown }
    }

    fn ids(&self, query: &RowQuery) -> Vec<i32> {
        let found = self.view.documents(query, 0, 10_000).unwrap();
        found.into_iter().map(|(_, raw)| raw.get_i32("_id").unwrap()).collect()
    }

    /// The numbers of the documents that pass.
    fn expected(&self, passes: impl Fn(&Document) -> bool) -> Vec<i32> {
        let found = self.shown.iter().filter(|(_, document)| passes(document));
        found.map(|(_, document)| document.get_i32("_id").unwrap()).collect()
    }

    fn columns(&self) -> Vec<String> {
        self.view.columns(Role::Input).into_iter().map(|column| column.path).collect()
    }
}

/// A number of the model.
#[derive(Debug, Clone, PartialEq)]
enum Num {
    NaN,
    Infinite(bool),
    Finite(BigDecimal),
}

fn num(text: &str) -> Num {
    match text.to_ascii_lowercase().as_str() {
        "nan" => Num::NaN,
        "infinity" => Num::Infinite(false),
        "-infinity" => Num::Infinite(true),
        _ => Num::Finite(BigDecimal::from_str(text).unwrap()),
    }
}

fn order(a: &Num, b: &Num) -> Option<Ordering> {
    let side = |number: &Num| match number {
        Num::Infinite(true) => -1,
        Num::Infinite(false) => 1,
        _ => 0,
    };
    match (a, b) {
        (Num::NaN, _) | (_, Num::NaN) => None,
        (Num::Finite(a), Num::Finite(b)) => Some(a.cmp(b)),
        (a, b) => Some(side(a).cmp(&side(b))),
    }
}

/// What a double is shown as, as a number.
fn as_shown(double: f64) -> Num {
    if double.is_finite() { num(&format!("{double:?}")) } else { num(&shown_double(double)) }
}

/// A double equals what lies between its exact value and what it is shown as.
fn order_double(double: f64, other: &Num) -> Option<Ordering> {
    let by_text = order(&as_shown(double), other)?;
    let exact =
        BigDecimal::try_from(double).map_or(by_text, |exact| order(&Num::Finite(exact), other).unwrap());
    Some(if exact == by_text { exact } else { Ordering::Equal })
}

/// How DuckDB writes a double.
fn shown_double(double: f64) -> String {
    if double.is_nan() {
        return "NaN".to_owned();
    }
    if double.is_infinite() {
        return if double > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let text = format!("{double:e}");
    let (mantissa, power) = text.split_once('e').unwrap();
    let power: i32 = power.parse().unwrap();
    if (-5..16).contains(&power) {
        let plain = format!("{double}");
        return if plain.contains('.') { plain } else { format!("{plain}.0") };
    }
    let sign = if power < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", power.abs())
}

/// A cell's text, or `None` if there is no value.
fn shown(value: Option<&Bson>) -> Option<String> {
    Some(match value? {
        Bson::Null | Bson::Undefined => return None,
        Bson::Int32(number) => number.to_string(),
        Bson::Int64(number) => number.to_string(),
        Bson::Double(number) => shown_double(*number),
        Bson::Decimal128(number) => number.to_string(),
        Bson::Boolean(truth) => truth.to_string(),
        Bson::String(text) => text.clone(),
        Bson::ObjectId(id) => id.to_hex(),
        Bson::DateTime(date) if in_range(*date) => date_text(date.timestamp_millis()),
        Bson::DateTime(date) => {
            format!(r#"{{"$date":{{"$numberLong":"{}"}}}}"#, date.timestamp_millis())
        }
        other => other.clone().into_relaxed_extjson().to_string(),
    })
}

fn date_text(millis: i64) -> String {
    let date = DateTime::<Utc>::from_timestamp_millis(millis).unwrap();
    date.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Whether a date has a column: the years 1 to 9999.
fn in_range(date: bson::DateTime) -> bool {
    (-62_135_596_800_000..=253_402_300_799_999).contains(&date.timestamp_millis())
}

fn lower(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            'İ' => 'i',
            _ => {
                let mut small = letter.to_lowercase();
                let first = small.next().unwrap();
                if small.next().is_some() { letter } else { first }
            }
        })
        .collect()
}

fn contains(text: &str, part: &str) -> bool {
    lower(text).contains(&lower(part))
}

/// A text that may be typed, and what it means.
#[derive(Debug, Clone)]
struct Typed {
    text: &'static str,
    number: bool,
    period: Option<(i64, i64)>,
}

const DAY: i64 = 86_400_000;
const MARCH: i64 = 1_740_787_200_000;

fn operands() -> impl Strategy<Value = Typed> {
    let plain = |text, number| Typed { text, number, period: None };
    let mut all: Vec<Typed> = [
        "5",
        "-3",
        "0",
        "1.5",
        "0.1",
        "9007199254740993",
        "9007199254740992",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "-9223372036854775809",
        "1e300",
        "1E400",
        "-1E400",
        "NaN",
        "Infinity",
        "-infinity",
        "0.30000000000000004",
        "0.10000000000000000000000000000000001",
        "1234567890123456789012345678901234",
        "1e-6000",
        "-1e-6000",
        "0.0000000001",
        "2.5",
        "1e22",
        "0.1000000000000000055511151231257827021181583404541015625",
    ]
    .into_iter()
    .map(|text| plain(text, true))
    .collect();
    let texts = [
        "a",
        "Brent",
        "bREN",
        "é",
        "É",
        "σ",
        "Σ",
        "true",
        "tru",
        "e",
        "x,y",
        "=",
        "[1",
        "%",
        "_",
        "\\",
        "'",
        "empty",
        "a*b",
        "..",
        "x y",
        "0a0a",
        "2025-03-01T",
        "Z",
        "ß",
        "İ",
        "n",
        "a\"b",
        "-",
        ".",
        "$",
    ];
    all.extend(texts.into_iter().map(|text| plain(text, false)));
    for (text, first, last) in [
        ("2025-03", MARCH, MARCH + 31 * DAY - 1),
        ("2025-03-01", MARCH, MARCH + DAY - 1),
        ("2025-03-01T10:30", MARCH + 37_800_000, MARCH + 37_859_999),
        ("1969-12-31", -DAY, -1),
        ("9999-12-31", 253_402_214_400_000, 253_402_300_799_999),
        ("0001-01-01", -62_135_596_800_000, -62_135_510_400_001),
    ] {
        all.push(Typed { text, number: false, period: Some((first, last)) });
    }
    all.push(Typed { text: "2025", number: true, period: Some((1_735_689_600_000, 1_767_225_599_999)) });
    all.push(Typed { text: "1970", number: true, period: Some((0, 365 * DAY - 1)) });
    prop::sample::select(all)
}

#[derive(Debug, Clone)]
enum Op {
    Empty,
    Word(Typed),
    Equals(Typed),
    Contains(Typed),
    Starts(Typed),
    Ends(Typed),
    Within(Typed, Typed),
    Less(Typed),
    AtMost(Typed),
    Greater(Typed),
    AtLeast(Typed),
    Between(Option<Typed>, Option<Typed>),
}

#[derive(Debug, Clone)]
struct OneOf {
    negated: bool,
    op: Op,
}

fn one_of() -> impl Strategy<Value = OneOf> {
    let word = operands;
    let op = prop_oneof![
        1 => Just(Op::Empty),
        3 => word().prop_map(Op::Word),
        3 => word().prop_map(Op::Equals),
        1 => word().prop_map(Op::Contains),
        1 => word().prop_map(Op::Starts),
        1 => word().prop_map(Op::Ends),
        1 => (word(), word()).prop_map(|(from, to)| Op::Within(from, to)),
        2 => word().prop_map(Op::Less),
        2 => word().prop_map(Op::AtMost),
        2 => word().prop_map(Op::Greater),
        2 => word().prop_map(Op::AtLeast),
        2 => (word(), word()).prop_map(|(from, to)| Op::Between(Some(from), Some(to))),
        1 => word().prop_map(|from| Op::Between(Some(from), None)),
        1 => word().prop_map(|to| Op::Between(None, Some(to))),
    ];
    (prop::bool::weighted(0.25), op).prop_map(|(negated, op)| OneOf { negated, op })
}

/// The text as a person types it.
fn typed(all: &[OneOf]) -> String {
    let quoted = |typed: &Typed| {
        let is_plain = typed.text.chars().all(|letter| letter.is_alphanumeric() || "-.:+".contains(letter))
            && !typed.text.starts_with('.')
            && !typed.text.ends_with('.')
            && typed.text != "empty";
        if is_plain { typed.text.to_owned() } else { format!("\"{}\"", typed.text.replace('"', "\"\"")) }
    };
    let end = |end: &Option<Typed>| end.as_ref().map(quoted).unwrap_or_default();
    let one = |one: &OneOf| {
        let text = match &one.op {
            Op::Empty => "empty".to_owned(),
            Op::Word(word) => quoted(word),
            Op::Equals(word) => format!("={}", quoted(word)),
            Op::Contains(word) => format!("~{}", quoted(word)),
            Op::Starts(word) => format!("{}*", quoted(word)),
            Op::Ends(word) => format!("*{}", quoted(word)),
            Op::Within(from, to) => format!("{}*{}", quoted(from), quoted(to)),
            Op::Less(word) => format!("<{}", quoted(word)),
            Op::AtMost(word) => format!("<= {}", quoted(word)),
            Op::Greater(word) => format!(">{}", quoted(word)),
            Op::AtLeast(word) => format!(">={}", quoted(word)),
            Op::Between(from, to) => format!("{}..{}", end(from), end(to)),
        };
        if one.negated { format!("!{text}") } else { text }
    };
    all.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// How a cell compares with what was typed: its order relative to the beginning and to the end of that.
fn relation(value: &Bson, word: &Typed, only_texts: bool) -> Option<(Ordering, Ordering)> {
    let both = |order: Option<Ordering>| order.map(|order| (order, order));
    let number = || word.number.then(|| num(word.text));
    match value {
        Bson::Int32(whole) => both(order(&Num::Finite((*whole).into()), &number()?)),
        Bson::Int64(whole) => both(order(&Num::Finite((*whole).into()), &number()?)),
        Bson::Double(double) => both(order_double(*double, &number()?)),
        Bson::Decimal128(decimal) => both(order(&num(&decimal.to_string()), &number()?)),
        Bson::DateTime(date) if in_range(*date) => {
            let (first, last) = word.period?;
            let millis = date.timestamp_millis();
            Some((millis.cmp(&first), millis.cmp(&last)))
        }
        Bson::String(text) if only_texts => both(Some(text.as_str().cmp(word.text))),
        _ => None,
    }
}

fn is_number(value: &Bson) -> bool {
    matches!(value, Bson::Int32(_) | Bson::Int64(_) | Bson::Double(_) | Bson::Decimal128(_))
}

fn equals(value: &Bson, word: &Typed) -> bool {
    let is_nan = |value: &Bson| shown(Some(value)).as_deref() == Some("NaN");
    match relation(value, word, false) {
        Some((first, last)) => first.is_ge() && last.is_le(),
        None if is_number(value) => word.text == "NaN" && is_nan(value),
        None => false,
    }
}

fn meets(value: &Bson, op: &Op, only_texts: bool) -> bool {
    let text = || shown(Some(value)).unwrap();
    let is_date = matches!(value, Bson::DateTime(date) if in_range(*date));
    let compare = |word: &Typed, holds: &dyn Fn(Ordering, Ordering) -> bool| {
        relation(value, word, only_texts).is_some_and(|(first, last)| holds(first, last))
    };
    let at_least = |word: &Typed| compare(word, &|first, _| first.is_ge());
    let at_most = |word: &Typed| compare(word, &|_, last| last.is_le());
    match op {
        Op::Empty => false,
        Op::Word(word) if is_number(value) || (is_date && word.period.is_some()) => equals(value, word),
        Op::Word(word) | Op::Contains(word) => contains(&text(), word.text),
        Op::Equals(word) if is_number(value) || is_date => equals(value, word),
        Op::Equals(word) => text() == word.text,
        Op::Starts(word) => lower(&text()).starts_with(&lower(word.text)),
        Op::Ends(word) => lower(&text()).ends_with(&lower(word.text)),
        Op::Within(from, to) => {
            let (text, from, to) = (lower(&text()), lower(from.text), lower(to.text));
            text.strip_prefix(&from).is_some_and(|rest| rest.ends_with(&to))
        }
        Op::Less(word) => compare(word, &|first, _| first.is_lt()),
        Op::AtMost(word) => at_most(word),
        Op::Greater(word) => compare(word, &|_, last| last.is_gt()),
        Op::AtLeast(word) => at_least(word),
        Op::Between(from, to) => from.iter().all(at_least) && to.iter().all(at_most),
    }
}

fn passes(value: Option<&Bson>, all: &[OneOf], only_texts: bool) -> bool {
    let Some(value) = value.filter(|value| shown(Some(value)).is_some()) else {
        return all.iter().any(|one| !one.negated && matches!(one.op, Op::Empty));
    };
    let meets = |one: &&OneOf| meets(value, &one.op, only_texts);
    let excluded = all.iter().filter(|one| one.negated).any(|one| meets(&one));
    let mut wanted = all.iter().filter(|one| !one.negated && !matches!(one.op, Op::Empty)).peekable();
    let is_wanted = if wanted.peek().is_some() {
        wanted.any(|one| meets(&one))
    } else {
        all.iter().any(|one| one.negated)
    };
    is_wanted && !excluded
}

fn decimal(text: &str) -> Bson {
    Bson::Decimal128(Decimal128::from_str(text).unwrap())
}

fn numbers() -> impl Strategy<Value = Bson> {
    prop_oneof![
        (-4_i32..7).prop_map(Bson::Int32),
        (-4_i64..7).prop_map(Bson::Int64),
        prop::sample::select(vec![i64::MAX, i64::MIN, (1 << 53) + 1, 1 << 53]).prop_map(Bson::Int64),
        prop::sample::select(vec![
            0.0,
            -0.0,
            0.1,
            0.2,
            1.5,
            5.0,
            -3.0,
            2.5,
            1e22,
            1e300,
            1e-10,
            1e15,
            1e16,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            9_007_199_254_740_992.0,
            9_223_372_036_854_775_808.0,
            f64::MAX,
            f64::MIN_POSITIVE,
            0.300_000_000_000_000_04,
        ])
        .prop_map(Bson::Double),
        prop::sample::select(vec![
            "0",
            "-0",
            "5",
            "5.0",
            "5.000",
            "1.50",
            "0.1",
            "1E+3",
            "NaN",
            "Infinity",
            "-Infinity",
            "0.30000000000000004",
            "0.3000000000000000400000000000000001",
            "0.1000000000000000000000000000000001",
            "1234567890123456789012345678901234",
            "1234567890123456789012345678901235",
            "9007199254740993",
            "1E+400",
            "-1E+400",
            "1E-6000",
            "9.999999999999999999999999999999999E+6144",
            "1E-6176",
            "2.5",
        ])
        .prop_map(decimal),
    ]
}

fn texts() -> impl Strategy<Value = Bson> {
    let some = prop::sample::select(vec![
        "",
        "Brent",
        "brent",
        "BRENT Crude",
        "a",
        "A",
        "É",
        "é",
        "ΣΑΣ",
        "σας",
        "x,y",
        "x y",
        "5",
        "5.0",
        "true",
        "NaN",
        "empty",
        "a*b",
        "a%b",
        "a_b",
        "a\\b",
        "a'b",
        "a\"b",
        "2025-03-01",
        " a ",
        "ß",
        "İstanbul",
        "\u{0}",
        "a\u{0}b",
        "\n",
        "=a",
        "zebra",
        "90909",
    ]);
    some.prop_map(|text| Bson::String(text.to_owned()))
}

fn dates() -> impl Strategy<Value = Bson> {
    let some = prop::sample::select(vec![
        0,
        -1,
        -DAY,
        MARCH,
        MARCH - 1,
        MARCH + DAY,
        MARCH + 37_800_000,
        MARCH + 37_860_000,
        MARCH + 31 * DAY - 1,
        MARCH + 31 * DAY,
        253_402_300_799_999,
        -62_135_596_800_000,
        MARCH + 29 * DAY + 3_600_000,
    ]);
    some.prop_map(|millis| Bson::DateTime(bson::DateTime::from_millis(millis)))
}

fn others() -> impl Strategy<Value = Bson> {
    prop_oneof![
        any::<bool>().prop_map(Bson::Boolean),
        (9_u8..11).prop_map(|byte| Bson::ObjectId(bson::oid::ObjectId::from_bytes([byte; 12]))),
        prop::sample::select(vec![
            Bson::Array(vec![Bson::Int32(1), "Brent".into()]),
            Bson::Array(Vec::new()),
            Bson::Document(Document::new()),
            Bson::DateTime(bson::DateTime::from_millis(i64::MAX)),
            Bson::MinKey,
            Bson::Symbol("Brent".to_owned()),
        ]),
        Just(Bson::Null),
        Just(Bson::Undefined),
    ]
}

fn days() -> impl Strategy<Value = Vec<Vec<Document>>> {
    let any = prop_oneof![3 => numbers(), 2 => texts(), 1 => dates(), 2 => others()];
    let document = (
        0..20_i32,
        prop::option::weighted(0.8, any),
        prop::option::weighted(0.8, numbers()),
        prop::option::weighted(0.8, prop_oneof![9 => texts(), 1 => Just(Bson::Null)]),
        prop::option::weighted(0.8, dates()),
    );
    let document = document.prop_map(|(id, any, number, text, date)| {
        let mut document = doc! {"_id": id};
        for (name, value) in [("any", any), ("number", number), ("text", text), ("date", date)] {
            document.extend(value.map(|value| (name.to_owned(), value)));
        }
        document
    });
    let day = prop::collection::vec(document, 1..14).prop_map(|mut documents| {
        let mut seen = BTreeSet::new();
        documents.retain(|document| seen.insert(document.get_i32("_id").unwrap()));
        documents
    });
    prop::collection::vec(day, 2..3)
}

const PATHS: [&str; 4] = ["any", "number", "text", "date"];

fn is_all_texts(stored: &Stored, path: &str) -> bool {
    // What a column may hold is known of the days, hidden rows included.
    let column = stored.view.columns(Role::Input).into_iter().find(|column| column.path == path).unwrap();
    column.fields.keys().all(|kind| ["string", "null"].contains(&kind.name()))
}

fn find<'a>(document: &'a Document, path: &str) -> Option<&'a Bson> {
    document.get(path)
}

/// The number that a cell counts as in a sum.
fn summand(value: &Bson) -> Option<Num> {
    is_number(value).then(|| match value {
        Bson::Double(double) => as_shown(*double),
        other => num(&shown(Some(other)).unwrap()),
    })
}

fn sum_of(numbers: &[Num]) -> Option<Num> {
    let has = |wanted: &Num| numbers.contains(wanted);
    let (up, down) = (has(&Num::Infinite(false)), has(&Num::Infinite(true)));
    if numbers.is_empty() {
        return None;
    }
    Some(match (up, down) {
        _ if has(&Num::NaN) || (up && down) => Num::NaN,
        (true, _) => Num::Infinite(false),
        (_, true) => Num::Infinite(true),
        _ => Num::Finite(numbers.iter().fold(BigDecimal::zero(), |sum, number| match number {
            Num::Finite(number) => sum + number,
            _ => sum,
        })),
    })
}

fn average_of(numbers: &[Num]) -> Option<Num> {
    Some(match sum_of(numbers)? {
        Num::Finite(sum) => {
            let average = sum / BigDecimal::from(numbers.len() as u64);
            Num::Finite(average.with_precision_round(34.try_into().unwrap(), RoundingMode::HalfEven))
        }
        other => other,
    })
}

/// The least or the greatest cell, as text.
fn end_of(cells: &[&Bson], greatest: bool) -> Option<String> {
    let pick = |candidates: Vec<(&Bson, String)>, compare: &dyn Fn(&Bson, &Bson) -> Ordering| {
        candidates
            .into_iter()
            .reduce(|best, other| {
                let by_value = compare(other.0, best.0);
                let is_better = if greatest { by_value.is_gt() } else { by_value.is_lt() };
                if is_better { other } else { best }
            })
            .map(|(_, text)| text)
    };
    let with_text = |value: &&'_ Bson| shown(Some(value)).unwrap();
    let numbers: Vec<_> =
        cells.iter().filter(|value| is_number(value)).map(|value| (*value, with_text(value))).collect();
    if !numbers.is_empty() {
        let real: Vec<_> = numbers.into_iter().filter(|(_, text)| text != "NaN").collect();
        let compare = |a: &Bson, b: &Bson| order(&summand(a).unwrap(), &summand(b).unwrap()).unwrap();
        return pick(real, &compare).or_else(|| Some("NaN".to_owned()));
    }
    let is_date = |value: &&&Bson| matches!(value, Bson::DateTime(date) if in_range(*date));
    let dates: Vec<_> = cells.iter().filter(is_date).map(|value| (*value, with_text(value))).collect();
    let rest: Vec<_> =
        if dates.is_empty() { cells.iter().map(|value| (*value, with_text(value))).collect() } else { dates };
    pick(rest, &|a, b| shown(Some(a)).cmp(&shown(Some(b))))
}

/// Two figures are the same, or the same number: of equal numbers, the text may be that of another cell.
fn is_same(a: Option<&String>, b: Option<&String>) -> bool {
    let number = |text: &String| BigDecimal::from_str(text).ok();
    match (a, b) {
        (Some(a), Some(b)) => a == b || number(a).is_some_and(|x| number(b).is_some_and(|y| x == y)),
        (a, b) => a.is_none() && b.is_none(),
    }
}

fn is_number_text(text: Option<&String>, expected: Option<&Num>) -> bool {
    match (text, expected) {
        (Some(text), Some(Num::Finite(number))) => {
            BigDecimal::from_str(text).is_ok_and(|found| found == *number)
        }
        (Some(text), Some(number)) => *number == num(text),
        (text, expected) => text.is_none() && expected.is_none(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cells_are_shown_as_the_model_shows_them(days in days()) {
        let stored = Stored::of(&days);
        let columns = stored.columns();
        let page = stored.view.page(&RowQuery::of(Role::Input), 0, 1_000).unwrap();
        for (row, (_, document)) in page.iter().zip(&stored.shown) {
            for (cell, path) in row.iter().zip(&columns) {
                prop_assert_eq!(cell.clone(), shown(find(document, path)), "{} of {}", path, document);
            }
        }
        prop_assert_eq!(page.len(), stored.shown.len());
    }

    #[test]
    fn filters_select_what_the_model_selects(
        days in days(),
        filters in prop::collection::vec((prop::sample::select(&PATHS[..]), prop::collection::vec(one_of(), 1..4)), 60),
    ) {
        let stored = Stored::of(&days);
        let columns = stored.columns();
        for (path, all) in filters.iter().filter(|(path, _)| columns.iter().any(|column| column == path)) {
            let text = typed(all);
            let query = RowQuery::of(Role::Input).with_filter(path, &text);
            let only_texts = is_all_texts(&stored, path);
            let expected = stored.expected(|document| passes(find(document, path), all, only_texts));
            prop_assert_eq!(stored.ids(&query), expected, "{} {:?} of {:?}", path, text, stored.shown);
        }
    }

    #[test]
    fn everything_of_a_row_query_selects_the_same_rows(
        days in days(),
        filters in prop::collection::vec((prop::sample::select(&PATHS[..]), prop::collection::vec(one_of(), 1..2)), 1..3),
        search in prop::option::of(operands()),
        on_second_day in any::<bool>(),
        descending in any::<bool>(),
        sought in operands(),
    ) {
        let stored = Stored::of(&days);
        let columns = stored.columns();
        let mut query = RowQuery::of(Role::Input);
        let filters: Vec<_> =
            filters.into_iter().filter(|(path, _)| columns.iter().any(|column| column == path)).collect();
        for (path, all) in &filters {
            query = query.with_filter(path, &typed(all));
        }
        query.search = search.as_ref().map(|search| search.text.to_owned());
        let second = Day::from_number(FIRST).next();
        if on_second_day {
            query.days = Some(vec![DaySpan { from: second, to: second.plus(7) }]);
        }
        let has_text = |document: &Document, text: &str| {
            columns.iter().any(|path| shown(find(document, path)).is_some_and(|cell| contains(&cell, text)))
        };
        let selects = |day: Day, document: &Document| {
            filters.iter().all(|(path, all)| {
                passes(find(document, path), all, is_all_texts(&stored, path))
            }) && search.as_ref().is_none_or(|search| has_text(document, search.text))
                && (!on_second_day || day == second)
        };
        let selected: Vec<&Document> =
            stored.shown.iter().filter(|(day, document)| selects(*day, document)).map(|(_, document)| document).collect();
        let id = |document: &&Document| document.get_i32("_id").unwrap();
        let mut expected: Vec<i32> = selected.iter().map(id).collect();
        let stop = Stop::default();
        prop_assert_eq!(stored.ids(&query), expected.clone(), "{:?}", query);
        prop_assert_eq!(stored.view.count(&query, &stop).unwrap(), expected.len() as u64);

        // Values, sums and groups of every column.
        for path in columns.iter().map(String::as_str) {
            let cells: Vec<&Bson> =
                selected.iter().filter_map(|document| find(document, path)).filter(|value| shown(Some(value)).is_some()).collect();
            let sums = stored.view.sums(&query, path, &stop).unwrap();
            let distinct: BTreeSet<String> = cells.iter().filter_map(|value| shown(Some(value))).collect();
            let numbers: Vec<Num> = cells.iter().filter_map(|value| summand(value)).collect();
            prop_assert_eq!(
                (sums.rows, sums.filled, sums.distinct, sums.numbers),
                (selected.len() as u64, cells.len() as u64, distinct.len() as u64, numbers.len() as u64)
            );
            prop_assert!(is_number_text(sums.sum.as_ref(), sum_of(&numbers).as_ref()), "{:?} {:?}", sums, numbers);
            prop_assert!(is_number_text(sums.average.as_ref(), average_of(&numbers).as_ref()), "{:?} {:?}", sums, numbers);
            for (found, greatest) in [(&sums.min, false), (&sums.max, true)] {
                let wanted = end_of(&cells, greatest);
                prop_assert!(is_same(found.as_ref(), wanted.as_ref()), "{:?} {:?}", found, wanted);
            }

            // The list leaves the column's own filters out.
            let without = |day: Day, document: &Document| {
                filters.iter().filter(|(other, _)| *other != path).all(|(path, all)| {
                    passes(find(document, path), all, is_all_texts(&stored, path))
                }) && search.as_ref().is_none_or(|search| has_text(document, search.text))
                    && (!on_second_day || day == second)
            };
            let mut counts: BTreeMap<String, u64> = BTreeMap::new();
            let mut empty = 0;
            for (_, document) in stored.shown.iter().filter(|(day, document)| without(*day, document)) {
                match shown(find(document, path)) {
                    Some(text) => *counts.entry(text).or_default() += 1,
                    None => empty += 1,
                }
            }
            let values = stored.view.values(&query, path, sought.text, 3, &stop).unwrap();
            let mut listed: Vec<(String, u64)> =
                counts.into_iter().filter(|(text, _)| contains(text, sought.text)).collect();
            listed.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            let further = listed.len().saturating_sub(3) as u64;
            listed.truncate(3);
            let found: Vec<(String, u64)> = values.values.iter().map(|one| (one.value.clone(), one.rows)).collect();
            prop_assert_eq!((found, values.further, values.empty), (listed, further, empty), "{} {:?}", path, query);
        }

        // Finding does not narrow.
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(position) = stored.view.find(&query, sought.text, from, true, &stop).unwrap().position {
            found.push(position);
            from = position + 1;
        }
        let places: Vec<u64> = (0..).zip(&selected).filter(|(_, document)| has_text(document, sought.text)).map(|(place, _)| place).collect();
        prop_assert_eq!(&found, &places);
        let last = stored.view.find(&query, sought.text, 10_000, false, &stop).unwrap();
        prop_assert_eq!((last.position, last.number, last.total), (places.last().copied(), places.last().map(|_| places.len() as u64), places.len() as u64));

        // A file of them, in their order.
        query.sorts.push(Sort { path: "_id".to_owned(), descending });
        expected.sort_unstable();
        if descending {
            expected.reverse();
        }
        prop_assert_eq!(stored.ids(&query), expected.clone());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        let options = ExportOptions { columns: vec!["_id".to_owned()], ..ExportOptions::default() };
        let export = stored.view.begin_export(Staging::CacheDisk).unwrap();
        stored.view.export(&export, &query, &options, &path.as_path().into()).unwrap();
        prop_assert_eq!((export.rows(), export.total()), (expected.len() as u64, expected.len() as u64));
        let written: Vec<i32> =
            std::fs::read_to_string(&path).unwrap().lines().skip(1).map(|line| line.parse().unwrap()).collect();
        prop_assert_eq!(written, expected);
    }

    #[test]
    fn ticked_values_select_their_rows(
        days in days(),
        path in prop::sample::select(&PATHS[..]),
        places in prop::collection::vec(0..20_usize, 0..4),
        empty in any::<bool>(),
    ) {
        let stored = Stored::of(&days);
        prop_assume!(stored.columns().iter().any(|column| column == path));
        let mut values: Vec<String> = places
            .iter()
            .filter_map(|place| shown(find(&stored.shown.get(*place)?.1, path)))
            .collect();
        values.push("5".to_owned());
        let condition = ColumnCondition::Values { values: values.clone(), empty };
        let query = RowQuery::of(Role::Input).where_column(path, condition);
        let expected = stored.expected(|document| match shown(find(document, path)) {
            Some(text) => values.contains(&text),
            None => empty,
        });
        prop_assert_eq!(stored.ids(&query), expected, "{} {:?}", path, values);
    }

    #[test]
    fn groups_add_up_as_in_the_model(
        days in days(),
        by in prop::collection::vec((prop::sample::select(&PATHS[..]), prop::option::of(prop::sample::select(vec![DateUnit::Day, DateUnit::Week, DateUnit::Month, DateUnit::Year]))), 1..3),
        measured in prop::sample::select(&PATHS[..]),
        zone in prop::sample::select(vec!["UTC", "Europe/London", "America/New_York", "Asia/Kolkata"]),
    ) {
        let stored = Stored::of(&days);
        let columns = stored.columns();
        prop_assume!(by.iter().map(|(path, _)| *path).chain([measured]).all(|path| columns.iter().any(|column| column == path)));
        let kinds = [FigureKind::Count, FigureKind::Distinct, FigureKind::Sum, FigureKind::Average, FigureKind::Min, FigureKind::Max];
        let figures = kinds.map(|what| Figure { what, path: Some(measured.to_owned()) });
        let request = GroupRequest {
            by: by.iter().map(|(path, unit)| GroupColumn { path: (*path).to_owned(), unit: *unit }).collect(),
            zone: Some(zone.to_owned()),
            figures: figures.to_vec(),
            sort: Some(GroupSort { column: u32::try_from(by.len()).unwrap(), descending: true }),
            limit: 1_000,
        };
        let day_zone = DayZone::parse(zone).unwrap();
        let key_of = |document: &Document| -> Vec<Option<String>> {
            let one = |(path, unit): &(&str, Option<DateUnit>)| {
                let value = find(document, path);
                match (value, unit) {
                    (Some(Bson::DateTime(date)), Some(unit)) if in_range(*date) => {
                        let date = DateTime::<Utc>::from_timestamp_millis(date.timestamp_millis()).unwrap();
                        // Where the years end, days are those of UTC.
                        let is_ordinary = date.timestamp_millis() < 253_402_000_000_000;
                        let zone = if is_ordinary { zone } else { "UTC" };
                        let date = date.with_timezone(&zone.parse::<chrono_tz::Tz>().unwrap()).date_naive();
                        Some(date.format(match unit {
                            DateUnit::Day => "%Y-%m-%d",
                            DateUnit::Week => "%G-W%V",
                            DateUnit::Month => "%Y-%m",
                            DateUnit::Year => "%Y",
                        }).to_string()).map(|text| format!("time {text}"))
                    }
                    (value, _) => shown(value),
                }
            };
            by.iter().map(one).collect()
        };
        let mut expected: BTreeMap<Vec<Option<String>>, Vec<&Document>> = BTreeMap::new();
        for (_, document) in &stored.shown {
            expected.entry(key_of(document)).or_default().push(document);
        }
        let query = RowQuery::of(Role::Input);
        let stop = Stop::default();
        let groups = stored.view.groups(&query, &request, day_zone, &stop).unwrap();
        prop_assert_eq!(groups.total, expected.len() as u64);
        let counts: Vec<u64> = groups.groups.iter().map(|group| group.figures[0].as_ref().unwrap().parse().unwrap()).collect();
        prop_assert!(counts.is_sorted_by(|a, b| a >= b), "{:?}", counts);
        for group in &groups.groups {
            // A time and a text of the same name are two groups.
            let of_model = |key: &GroupKey| match &key.condition {
                ColumnCondition::Text { .. } => key.text.as_ref().map(|text| format!("time {text}")),
                ColumnCondition::Values { .. } => key.text.clone(),
            };
            let key: Vec<Option<String>> = group.keys.iter().map(of_model).collect();
            let rows = expected.remove(&key);
            prop_assert!(rows.is_some(), "{:?} of {:?}", key, stored.shown);
            let rows = rows.unwrap_or_default();
            prop_assert_eq!(group.rows, rows.len() as u64);
            let cells: Vec<&Bson> = rows.iter().filter_map(|row| find(row, measured)).filter(|value| shown(Some(value)).is_some()).collect();
            let distinct: BTreeSet<String> = cells.iter().filter_map(|value| shown(Some(value))).collect();
            let numbers: Vec<Num> = cells.iter().filter_map(|value| summand(value)).collect();
            let figure = |place: usize| group.figures[place].as_ref();
            prop_assert_eq!(figure(0).unwrap(), &cells.len().to_string());
            prop_assert_eq!(figure(1).unwrap(), &distinct.len().to_string());
            prop_assert!(is_number_text(figure(2), sum_of(&numbers).as_ref()));
            prop_assert!(is_number_text(figure(3), average_of(&numbers).as_ref()));
            prop_assert!(is_same(figure(4), end_of(&cells, false).as_ref()), "{:?} {:?}", group, cells);
            prop_assert!(is_same(figure(5), end_of(&cells, true).as_ref()), "{:?} {:?}", group, cells);
            // Its conditions select its rows.
            let mut narrowed = query.clone();
            for (key, (path, _)) in group.keys.iter().zip(&by) {
                narrowed = narrowed.where_column(path, key.condition.clone());
            }
            let ids: Vec<i32> = rows.iter().map(|row| row.get_i32("_id").unwrap()).collect();
            prop_assert_eq!(stored.ids(&narrowed), ids, "{:?}", group.keys);
        }
    }
}
