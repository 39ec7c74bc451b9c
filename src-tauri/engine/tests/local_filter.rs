//! Conditions decided locally against the same conditions decided by the server, and both against what MongoDB's
//! documentation says: the server is a surrogate where there is no `mongod`.

mod documented;
use std::collections::BTreeMap;

use crate::support::fixture::{Fixture, counts, range};
use bson::oid::ObjectId;
use bson::raw::RawBsonRef;
use bson::spec::BinarySubtype;
use bson::{
    Binary, Bson, DateTime, Decimal128, Document, JavaScriptCodeWithScope, RawDocumentBuf, Regex, Timestamp,
    bson, doc, rawdoc,
};
use mongodb::{Client, Collection};
use tidemark_engine::answer::Answer;
use tidemark_engine::api::rows::ViewKey;
use tidemark_engine::browse::ExportRequest;
use tidemark_engine::bson::uuids::{StoredUuid, UuidRepresentation};
use tidemark_engine::query::filter::{Condition, FieldCondition, Filters};
use tidemark_engine::query::filter_value::FilterValue;
use tidemark_engine::query::form::{FilterInput, FilterOperator};
use tidemark_engine::query::local_match::matches;
use tidemark_engine::query::mapping::Mapping;
use tidemark_engine::query::pipeline::input_match;
use tidemark_engine::query::signature::Signature;
use tidemark_engine::query::source::{Query, SourceIdentity};
use tidemark_engine::rows::{Role, RowQuery, Sort};
use tidemark_engine::run::FetchRequest;
use tidemark_test_support::csv::read_csv;
use tidemark_test_support::server;
use tokio_util::sync::CancellationToken;

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

fn decimal(text: &str) -> Decimal128 {
    text.parse().unwrap()
}

fn date(millis: i64) -> DateTime {
    DateTime::from_millis(millis)
}

fn id(byte: u8) -> ObjectId {
    ObjectId::from_bytes([byte; 12])
}

fn pattern(text: &str, options: &str) -> Bson {
    Bson::RegularExpression(Regex {
        pattern: text.to_owned().try_into().unwrap(),
        options: options.to_owned().try_into().unwrap(),
    })
}

fn uuid(representation: UuidRepresentation) -> StoredUuid {
    StoredUuid::parse("01010101-0101-0101-0101-010101010102", representation).unwrap()
}

fn binary(subtype: BinarySubtype, bytes: &[u8]) -> Bson {
    Bson::Binary(Binary { subtype, bytes: bytes.to_owned() })
}

/// Every kind of value that a field may hold, many of them equal or nearly so.
fn scalars() -> Vec<Bson> {
    let mut values: Vec<Bson> = vec![
        Bson::Null,
        true.into(),
        false.into(),
        id(1).into(),
        id(2).into(),
        date(0).into(),
        date(-1).into(),
        date(1_738_315_800_123).into(),
        bson!({}),
        bson!({"b": 7}),
        Bson::MinKey,
        Bson::MaxKey,
        Bson::Symbol("a.b".into()),
        pattern("^a", ""),
        pattern("^A", "i"),
        Bson::Undefined,
        binary(BinarySubtype::Generic, b"a.b"),
        binary(BinarySubtype::Generic, b""),
        binary(BinarySubtype::Uuid, &[1; 16]),
        Bson::Binary(uuid(UuidRepresentation::Standard).to_binary()),
        Bson::Binary(uuid(UuidRepresentation::JavaLegacy).to_binary()),
        Bson::Binary(uuid(UuidRepresentation::PythonLegacy).to_binary()),
        Bson::Timestamp(Timestamp { time: 7, increment: 0 }),
        Bson::Timestamp(Timestamp { time: 0, increment: 7 }),
        Bson::JavaScriptCode("a.b".into()),
        Bson::JavaScriptCode("7".into()),
        Bson::JavaScriptCodeWithScope(JavaScriptCodeWithScope { code: "a".into(), scope: doc! {"b": 7} }),
    ];
    values.extend(
        [
            "", " ", "a", "ab", "a.b", "axb", "A", "ü", "üb", "u\u{308}", "😀", "(a", "a\nb", "\na", "7",
            "$a", "\\d", "5",
        ]
        .map(Bson::from),
    );
    values.extend([0, 5, 7, -7].map(Bson::Int32));
    values.extend([0, 7, 9_007_199_254_740_993, 9_007_199_254_740_992, i64::MAX, i64::MIN].map(Bson::Int64));
    values.extend(
        [
            0.0,
            -0.0,
            7.0,
            0.1,
            6.999_999_999_999_999,
            9_007_199_254_740_992.0,
            9.3e18,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ]
        .map(Bson::Double),
    );
    values.extend(
        [
            "7",
            "7.00",
            "0.1",
            "0",
            "-0",
            "9007199254740993",
            "7.000000000000000000000000000000001",
            "NaN",
            "Infinity",
            "1E+30",
        ]
        .map(|text| Bson::Decimal128(decimal(text))),
    );
    values
}

fn value(dice: &mut Dice, depth: usize) -> Bson {
    match dice.throw(if depth < 3 { 10 } else { 5 }) {
        0..5 => dice.pick(&scalars()),
        5..8 => Bson::Array((0..dice.throw(4)).map(|_| value(dice, depth + 1)).collect()),
        _ => Bson::Document(sub_document(dice, depth + 1)),
    }
}

fn sub_document(dice: &mut Dice, depth: usize) -> Document {
    let mut document = Document::new();
    for name in ["b", "c", "0", "1"] {
        if dice.throw(2) == 0 {
            document.insert(name, value(dice, depth));
        }
    }
    document
}

fn documents() -> Vec<Document> {
    let mut dice = Dice(5);
    let mut documents: Vec<Document> = scalars().into_iter().map(|value| doc! {"v": value}).collect();
    documents.extend(scalars().into_iter().map(|value| doc! {"v": [value, "z"], "a": {"b": 1}}));
    documents.extend((0..350).map(|_| {
        let mut document = Document::new();
        for name in ["v", "a"] {
            if dice.throw(8) > 0 {
                document.insert(name, value(&mut dice, 0));
            }
        }
        document
    }));
    for (number, document) in documents.iter_mut().enumerate() {
        document.insert("_id", i32::try_from(number).unwrap());
    }
    documents
}

fn conditions() -> Vec<Condition> {
    let text = |text: &str| FilterValue::Text(text.to_owned());
    let values = vec![
        text(""),
        text("a"),
        text("a.b"),
        text("ü"),
        text("u\u{308}"),
        text("😀"),
        text("7"),
        text("$a"),
        text("\\d"),
        text("^a"),
        FilterValue::Integer(0),
        FilterValue::Integer(7),
        FilterValue::Integer(9_007_199_254_740_993),
        FilterValue::Integer(i64::MAX),
        FilterValue::Number(0.1),
        FilterValue::Number(1e30),
        FilterValue::Number(6.999_999_999_999_999),
        FilterValue::Decimal(decimal("7.000")),
        FilterValue::Decimal(decimal("0.1")),
        FilterValue::Decimal(decimal("-0")),
        FilterValue::Decimal(decimal("7.000000000000000000000000000000001")),
        FilterValue::Date(date(0)),
        FilterValue::Date(date(1_738_315_800_123)),
        FilterValue::Bool(true),
        FilterValue::Bool(false),
        FilterValue::ObjectId(id(1)),
        FilterValue::Uuid(uuid(UuidRepresentation::Standard)),
        FilterValue::Uuid(uuid(UuidRepresentation::JavaLegacy)),
        FilterValue::Uuid(uuid(UuidRepresentation::CsharpLegacy)),
    ];
    let mut conditions = vec![Condition::Exists, Condition::Missing];
    for (at, value) in values.iter().enumerate() {
        let pair = vec![value.clone(), values[(at + 7) % values.len()].clone()];
        conditions.push(Condition::AnyOf(vec![value.clone()]));
        conditions.push(Condition::AnyOf(pair.clone()));
        conditions.push(Condition::AllOf(vec![value.clone()]));
        conditions.push(Condition::AllOf(pair.clone()));
        conditions.push(Condition::NoneOf(vec![value.clone()]));
        conditions.push(Condition::NoneOf(pair));
    }
    conditions.extend(
        ["a", "a.", "A", "ü", "u", "😀", "(", "\\", "$", " ", "\n", "^", "7"]
            .map(|start| Condition::StartsWith(start.to_owned())),
    );
    let ends = [
        (FilterValue::Integer(5), FilterValue::Integer(7)),
        (FilterValue::Integer(0), FilterValue::Number(0.1)),
        (FilterValue::Integer(9_007_199_254_740_993), FilterValue::Integer(i64::MAX)),
        (FilterValue::Decimal(decimal("0.1")), FilterValue::Decimal(decimal("7.00"))),
        (FilterValue::Number(-1e300), FilterValue::Number(1e300)),
        (FilterValue::Date(date(-1)), FilterValue::Date(date(0))),
    ];
    for (low, high) in ends {
        conditions.push(Condition::Range { at_least: Some(low.clone()), at_most: Some(high.clone()) });
        conditions.push(Condition::Range { at_least: Some(low), at_most: None });
        conditions.push(Condition::Range { at_least: None, at_most: Some(high) });
    }
    conditions
}

const PATHS: [&str; 7] = ["v", "a", "a.b", "a.b.c", "a.0", "a.0.b", "v.1"];

async fn matched(collection: &Collection<Document>, filter: Document) -> Vec<i32> {
    let mut found = Vec::new();
    let mut cursor = collection.find(filter).projection(doc! {"_id": 1}).await.unwrap();
    while cursor.advance().await.unwrap() {
        found.push(cursor.current().get_i32("_id").unwrap());
    }
    found
}

/// Whether a value is, or holds, what MongoDB tries a pattern on by rules of its own: a symbol or a pattern.
fn holds_odd_text(value: RawBsonRef<'_>) -> bool {
    match value {
        RawBsonRef::Symbol(_) | RawBsonRef::RegularExpression(_) => true,
        RawBsonRef::Document(document) => document.into_iter().any(|field| holds_odd_text(field.unwrap().1)),
        RawBsonRef::Array(array) => array.into_iter().any(|item| holds_odd_text(item.unwrap())),
        _ => false,
    }
}

/// What the server says, what the local filter says, and where they part.
#[derive(Default)]
struct Compared {
    decided: usize,
    undecided: usize,
    met: usize,
    differ: Vec<String>,
}

impl Compared {
    fn all_alike(&self) {
        let Self { decided, differ, .. } = self;
        let first = differ.iter().take(60).cloned().collect::<Vec<_>>().join("\n");
        assert!(differ.is_empty(), "{} of {decided} differ:\n{first}", differ.len());
    }

    /// Compares conditions that are all asked of each document.
    fn add(&mut self, asked: &[&FieldCondition], server: &[i32], raw: &BTreeMap<i32, RawDocumentBuf>) {
        for (id, document) in raw {
            let locals: Option<Vec<bool>> = asked.iter().map(|one| matches(one, document)).collect();
            let Some(locals) = locals else {
                let is_start = asked.iter().any(|one| matches!(one.condition, Condition::StartsWith(_)));
                let odd = holds_odd_text(RawBsonRef::Document(document));
                assert!(is_start && odd, "this can be decided: {asked:?} {document:?}");
                self.undecided += 1;
                continue;
            };
            let local = locals.into_iter().all(|met| met);
            self.decided += 1;
            self.met += usize::from(local);
            if local != server.contains(id) {
                self.differ.push(format!("local {local}: {asked:?} {document:?}"));
            }
        }
    }
}

async fn collection(name: &str, documents: &[Document]) -> Collection<Document> {
    let database = Client::with_uri_str(server().uri()).await.unwrap().database("local_filter");
    let collection = database.collection::<Document>(name);
    collection.drop().await.unwrap();
    collection.insert_many(documents).await.unwrap();
    collection
}

fn by_id(documents: &[Document]) -> BTreeMap<i32, RawDocumentBuf> {
    let raw = |document: &Document| RawDocumentBuf::try_from(document).unwrap();
    documents.iter().map(|document| (document.get_i32("_id").unwrap(), raw(document))).collect()
}

fn on(path: &str, condition: Condition) -> FieldCondition {
    FieldCondition { name: "f".into(), path: path.into(), condition }
}

#[tokio::test]
async fn the_local_filter_decides_as_the_server_does() {
    let documents = documents();
    let collection = collection("all", &documents).await;
    let raw = by_id(&documents);
    let mut compared = Compared::default();
    for path in PATHS {
        for condition in conditions() {
            let asked = on(path, condition);
            let server = matched(&collection, asked.to_match()).await;
            compared.add(&[&asked], &server, &raw);
        }
    }
    compared.all_alike();
    let Compared { decided, undecided, met, .. } = compared;
    assert!(decided > 450_000 && met > 20_000, "{decided} {met}");
    // 13 of 184 conditions are about how a text starts, and few documents hold odd ones.
    assert!(undecided * 100 < decided, "{undecided} of {decided} were left to the server");
}

/// Two fields of a form may lie on one path: both conditions count.
#[tokio::test]
async fn two_conditions_on_one_path_are_both_asked() {
    let mut documents = documents();
    for document in &mut documents {
        document.extend(doc! {"year": 2025, "day_of_year": 60});
    }
    let collection = collection("two", &documents).await;
    let raw = by_id(&documents);
    let (mapping, days) = (Mapping::default(), range("2025-03-01", "2025-03-01"));
    let source = SourceIdentity::new(["db1"], None, "desk", "trades", None);
    let conditions = conditions();
    let mut dice = Dice(11);
    let mut compared = Compared::default();
    for _ in 0..400 {
        let path = dice.pick(&PATHS);
        let [one, other] = [0, 1].map(|_| on(path, dice.pick(&conditions)));
        let filters = Filters { fields: vec![one.clone(), other.clone()], advanced: None };
        let query = Query { source: source.clone(), mapping: mapping.clone(), filters };
        let server = matched(&collection, input_match(&query, &days)).await;
        compared.add(&[&one, &other], &server, &raw);
    }
    compared.all_alike();
    assert!(compared.met > 1_000, "{}", compared.met);
}

/// A document with a name that stands twice. MongoDB's drivers and its documentation advise against them; the
/// server looks at the first, and so does the local filter.
#[tokio::test]
async fn a_name_that_stands_twice() {
    let twice = |id: i32, values: [&str; 2]| {
        let mut document = rawdoc! {"_id": id};
        for value in values {
            document.append(bson::raw::cstr!("v"), value);
        }
        document
    };
    let documents = [twice(1, ["a", "b"]), twice(2, ["b", "a"]), twice(3, ["b", "c"])];
    let database = Client::with_uri_str(server().uri()).await.unwrap().database("local_filter");
    let collection = database.collection::<RawDocumentBuf>("twice");
    collection.drop().await.unwrap();
    collection.insert_many(&documents).await.unwrap();
    let any_of = on("v", Condition::AnyOf(vec![FilterValue::Text("a".into())]));
    let local: Vec<i32> = (1..)
        .zip(&documents)
        .filter(|(_, held)| matches(&any_of, held) == Some(true))
        .map(|(id, _)| id)
        .collect();
    assert_eq!(local, [1]);
    let kept = collection.find_one(doc! {"_id": 1}).await.unwrap().unwrap();
    println!("{kept:?}");
    assert_eq!(matched(&collection.clone_with_type(), any_of.to_match()).await, [1], "{kept:?}");
}

/// Fields of every type on the paths of the documents.
const FIELDS: &str = r#"{"trade_id": null, "filters": {
    "text": "v", "whole": {"path": "v", "type": "integer"}, "decimal": {"path": "v", "type": "decimal"},
    "number": {"path": "v", "type": "number"}, "date": {"path": "v", "type": "date"},
    "truth": {"path": "v", "type": "bool"}, "id": {"path": "v", "type": "object_id"}, "inner": "a.b",
    "inner_whole": {"path": "a.b", "type": "integer"}, "place": {"path": "a.0", "type": "integer"}}}"#;

/// What a trader may ask of them, and the broader of it.
fn narrower() -> Vec<Vec<FilterInput>> {
    use FilterOperator::{AllOf, AnyOf, AtLeast, AtMost, Between, Exists, Missing, NoneOf, StartsWith};
    let row = |field: &str, operator, values: &[&str]| FilterInput {
        field: field.to_owned(),
        operator,
        values: values.iter().map(|&text| text.to_owned()).collect(),
    };
    let one = [
        row("text", AnyOf, &["a.b", "7"]),
        row("text", NoneOf, &["a", "ü"]),
        row("text", AllOf, &["a", "z"]),
        row("text", StartsWith, &["a"]),
        row("whole", AnyOf, &["7", "9007199254740993"]),
        row("whole", NoneOf, &["0"]),
        row("whole", Between, &["0", "7"]),
        row("decimal", AnyOf, &["0.1", "7.00"]),
        row("decimal", AtMost, &["7.000000000000000000000000000000001"]),
        row("number", AtLeast, &["6.5"]),
        row("date", AtMost, &["1970-01-01"]),
        row("truth", AnyOf, &["true"]),
        row("id", AnyOf, &["010101010101010101010101"]),
        row("text", Missing, &[]),
        row("inner", Exists, &[]),
        row("inner", Missing, &[]),
        row("inner_whole", AnyOf, &["7", "1"]),
        row("place", AtLeast, &["1"]),
    ];
    let pairs = [(0, 14), (1, 5), (6, 8)].map(|(a, b)| vec![one[a].clone(), one[b].clone()]);
    one.clone().into_iter().map(|row| vec![row]).chain(pairs).collect()
}

/// The cells of an answer's CSV, by their columns; rows in the order of `_id`.
async fn csv(fixture: &Fixture, answer: &Answer, days: [&str; 2]) -> Vec<BTreeMap<String, Option<String>>> {
    let days = range(days[0], days[1]);
    let key = ViewKey { signature: answer.signature.clone(), from: days.from(), to: days.to() };
    let path = fixture.folder.path().join("rows.csv");
    let sort = Sort { path: "_id".to_owned(), descending: false };
    let cancel = CancellationToken::new();
    let request = ExportRequest {
        rows: RowQuery::of(Role::Input).then_by(sort),
        ..ExportRequest::of(key, Role::Input)
    };
    fixture.engine.export(&request, &path.as_path().into(), |_| {}, cancel).await.unwrap();
    let mut rows = read_csv(&std::fs::read_to_string(path).unwrap()).into_iter();
    let names: Vec<String> = rows.next().unwrap().into_iter().map(Option::unwrap).collect();
    rows.map(|row| names.iter().cloned().zip(row).collect()).collect()
}

/// From end to end: a broad query is fetched, narrower ones are answered from it, and what each exports is what
/// the same query exports that was fetched from the server.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_adopted_is_what_the_server_would_have_sent() {
    const DAYS: [&str; 2] = ["2025-01-01", "2025-02-28"];
    let mut documents = documents();
    for (number, document) in (0..).zip(&mut documents) {
        document.extend(doc! {"year": 2025, "day_of_year": 1 + number % 59});
    }
    let (uri, all) = (server().uri(), documents.len() as u64);
    let broad = Fixture::at(uri, uri, "broad", FIELDS, documents).await;
    assert_eq!(broad.fetch(DAYS[0], DAYS[1]).await.rows.input, all);
    let mut adopted = 0;
    for inputs in narrower() {
        let filters = Filters::parse(&broad.mapping, &inputs, "").unwrap();
        let query = Query { filters, ..broad.query(&[]) };
        let what = query.filters.describe(&query.mapping.all_labels());
        let request = FetchRequest { query: query.clone(), ..broad.request(DAYS[0], DAYS[1]) };
        let narrow = broad.run(request.clone()).await;
        let narrow = narrow.answer();
        let (_, taken, fetched, _) = counts(narrow);
        assert_eq!(taken + fetched, 59, "{what}: {narrow:?}");
        // Only how a text starts is asked of the server, on days with symbols or patterns.
        assert!(fetched == 0 || what.contains("starts with"), "{what}: {narrow:?}");
        adopted += taken;

        let matched = matched(&broad.collection, input_match(&query, &range(DAYS[0], DAYS[1]))).await;
        assert_eq!(narrow.rows.input, matched.len() as u64, "{what}");
        let fresh = broad.with_a_cache_of_its_own();
        let direct = fresh.run(request).await;
        assert_eq!(counts(direct.answer()), (0, 0, 59, 0), "{what}");
        let [ours, theirs] = [csv(&broad, narrow, DAYS).await, csv(&fresh, direct.answer(), DAYS).await];
        assert_eq!(ours.len(), matched.len(), "{what}");
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert_eq!(ours, theirs, "{what}");
        }
        assert_eq!(narrow.signature, Signature::of(&query).to_string());
    }
    assert!(adopted > 59 * 18, "{adopted}");
}
