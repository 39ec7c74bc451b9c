//! Conditions decided locally against the same conditions decided by the server.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;

use bson::oid::ObjectId;
use bson::{Bson, DateTime, Decimal128, Document, RawDocumentBuf, Regex, bson, doc};
use mongodb::{Client, Collection};
use support::server;
use tidemark_engine::filter::{Condition, FieldCondition, FilterValue};
use tidemark_engine::matcher::matches;

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
        Bson::RegularExpression(Regex {
            pattern: "^a".to_owned().try_into().unwrap(),
            options: String::new().try_into().unwrap(),
        }),
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

#[tokio::test]
async fn the_local_filter_decides_as_the_server_does() {
    let database = Client::with_uri_str(server().uri()).await.unwrap().database("local_filter");
    database.drop().await.unwrap();
    let collection = database.collection::<Document>("all");
    let documents = documents();
    collection.insert_many(&documents).await.unwrap();
    let raw: BTreeMap<i32, RawDocumentBuf> = documents
        .iter()
        .map(|document| (document.get_i32("_id").unwrap(), RawDocumentBuf::try_from(document).unwrap()))
        .collect();
    let (mut decided, mut met, mut differ) = (0, 0, Vec::new());
    for path in PATHS {
        for condition in conditions() {
            let asked = FieldCondition { name: "f".into(), path: path.into(), condition };
            let server = matched(&collection, asked.to_match()).await;
            for (id, document) in &raw {
                let Some(local) = matches(&asked, document) else {
                    // Only where MongoDB's own rules for symbols and patterns come into it.
                    assert!(matches!(asked.condition, Condition::StartsWith(_)), "{asked:?} {document:?}");
                    continue;
                };
                decided += 1;
                met += i32::from(local);
                if local != server.contains(id) {
                    differ.push(format!(
                        "{} local {local} {}",
                        asked.to_match(),
                        documents[usize::try_from(*id).unwrap()]
                    ));
                }
            }
        }
    }
    assert!(
        differ.is_empty(),
        "{} of {decided} differ:\n{}",
        differ.len(),
        differ.iter().take(60).cloned().collect::<Vec<_>>().join("\n")
    );
    assert!(decided > 400_000 && met > 20_000, "{decided} {met}");
}
