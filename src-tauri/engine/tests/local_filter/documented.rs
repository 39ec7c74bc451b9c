//! What MongoDB's documentation says of a match, as literals: the local filter and the server must both agree.
//!
//! The pages are those of the manual, below <https://www.mongodb.com/docs/manual/>. The surrogate server agrees in
//! all of it; where it should not one day, the case is to be named here and asked of the local filter alone.

use bson::{Bson, Document, doc};
use tidemark_engine::query::filter::Condition;
use tidemark_engine::query::filter_value::FilterValue;
use tidemark_engine::query::local_match::matches;

use super::{by_id, collection, date, decimal, matched, on};

/// A condition on a path, and documents that it matches and does not match.
struct Case {
    page: &'static str,
    path: &'static str,
    condition: Condition,
    matching: Vec<Document>,
    others: Vec<Document>,
}

fn texts(values: &[&str]) -> Vec<FilterValue> {
    values.iter().map(|text| FilterValue::Text((*text).to_owned())).collect()
}

fn whole(values: &[i64]) -> Vec<FilterValue> {
    values.iter().map(|value| FilterValue::Integer(*value)).collect()
}

fn at_least(value: FilterValue) -> Condition {
    Condition::Range { at_least: Some(value), at_most: None }
}

fn at_most(value: FilterValue) -> Condition {
    Condition::Range { at_least: None, at_most: Some(value) }
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn cases() -> Vec<Case> {
    use Condition::{AllOf, AnyOf, Exists, Missing, NoneOf, Range, StartsWith};
    vec![
        Case {
            page: "reference/operator/query/in: any value in the list, of a field or of an element of its array",
            path: "tags",
            condition: AnyOf(texts(&["home", "school"])),
            matching: vec![
                doc! {"tags": "home"},
                doc! {"tags": ["school", "book"]},
                doc! {"tags": ["x", "home"]},
            ],
            others: vec![
                doc! {"tags": "book"},
                doc! {"tags": ["book"]},
                doc! {"tags": []},
                doc! {"tags": null},
                doc! {},
                // An array within an array is an element, and not looked into.
                doc! {"tags": [["home"]]},
                doc! {"tags": {"home": 1}},
            ],
        },
        Case {
            page: "reference/operator/query/nin: not in the list, or no such field",
            path: "quantity",
            condition: NoneOf(whole(&[5, 15])),
            matching: vec![
                doc! {"quantity": 20},
                doc! {"quantity": "5"},
                doc! {"quantity": null},
                doc! {"quantity": []},
                doc! {"quantity": [20, 25]},
                doc! {},
            ],
            others: vec![
                doc! {"quantity": 5},
                doc! {"quantity": 15_i64},
                doc! {"quantity": [20, 5]},
                doc! {"quantity": 5.0},
            ],
        },
        Case {
            page: "reference/operator/query/all: an array that contains all the values",
            path: "tags",
            condition: AllOf(texts(&["appliance", "school", "book"])),
            matching: vec![
                doc! {"tags": ["school", "book", "bag", "headphone", "appliance"]},
                doc! {"tags": ["appliance", "school", "book"]},
            ],
            others: vec![
                doc! {"tags": ["appliance", "school"]},
                doc! {"tags": "school"},
                doc! {"tags": []},
                doc! {},
            ],
        },
        Case {
            page: "reference/operator/query/all: of one value, as if it were asked for by itself",
            path: "tags",
            condition: AllOf(texts(&["ssl"])),
            matching: vec![doc! {"tags": "ssl"}, doc! {"tags": ["ssl", "security"]}],
            others: vec![doc! {"tags": "security"}, doc! {}],
        },
        Case {
            page: "reference/operator/query/exists: the field is there, null included",
            path: "qty",
            condition: Exists,
            matching: vec![
                doc! {"qty": 5},
                doc! {"qty": null},
                doc! {"qty": []},
                doc! {"qty": ""},
                doc! {"qty": {}},
                doc! {"qty": Bson::Undefined},
            ],
            others: vec![doc! {}, doc! {"other": 5}],
        },
        Case {
            page: "tutorial/query-for-null-fields: existence check, not for null",
            path: "item",
            condition: Missing,
            matching: vec![doc! {}, doc! {"other": null}],
            others: vec![doc! {"item": null}, doc! {"item": 1}],
        },
        Case {
            page: "reference/operator/query/exists: within sub-documents, of an array too",
            path: "a.b",
            condition: Exists,
            matching: vec![doc! {"a": {"b": null}}, doc! {"a": [{"c": 1}, {"b": 2}]}],
            others: vec![doc! {"a": {}}, doc! {"a": [{"c": 1}]}, doc! {"a": []}, doc! {"a": 1}, doc! {}],
        },
        Case {
            page: "reference/bson-type-comparison-order: numbers of any type are compared by their value",
            path: "n",
            condition: AnyOf(whole(&[5])),
            matching: vec![
                doc! {"n": 5_i32},
                doc! {"n": 5_i64},
                doc! {"n": 5.0},
                doc! {"n": decimal("5")},
                doc! {"n": decimal("5.00")},
            ],
            others: vec![
                doc! {"n": "5"},
                doc! {"n": 5.000_000_1},
                doc! {"n": decimal("5.1")},
                doc! {"n": true},
                doc! {"n": date(5)},
                doc! {"n": null},
            ],
        },
        Case {
            page: "reference/bson-type-comparison-order: no number is rounded for it",
            path: "n",
            condition: AnyOf(whole(&[9_007_199_254_740_993])),
            matching: vec![doc! {"n": 9_007_199_254_740_993_i64}, doc! {"n": decimal("9007199254740993")}],
            others: vec![doc! {"n": 9_007_199_254_740_992_i64}, doc! {"n": 9_007_199_254_740_992.0}],
        },
        Case {
            page: "reference/method/db.collection.find: type bracketing of $gte",
            path: "n",
            condition: at_least(FilterValue::Integer(5)),
            matching: vec![
                doc! {"n": 5},
                doc! {"n": 5.5},
                doc! {"n": decimal("1E+30")},
                doc! {"n": f64::INFINITY},
                doc! {"n": [1, 9]},
            ],
            others: vec![
                doc! {"n": 4.999},
                doc! {"n": "9"},
                doc! {"n": date(9)},
                doc! {"n": true},
                doc! {"n": null},
                doc! {"n": f64::NAN},
                doc! {"n": {"x": 9}},
                doc! {"n": Bson::MaxKey},
                doc! {"n": [1, "9"]},
                doc! {},
            ],
        },
        Case {
            page: "reference/method/db.collection.find: type bracketing of $lte",
            path: "n",
            condition: at_most(FilterValue::Integer(5)),
            matching: vec![doc! {"n": 5_i64}, doc! {"n": f64::NEG_INFINITY}, doc! {"n": decimal("-0")}],
            others: vec![
                doc! {"n": 5.1},
                doc! {"n": "1"},
                doc! {"n": null},
                doc! {"n": false},
                doc! {"n": Bson::MinKey},
                doc! {},
            ],
        },
        Case {
            page: "reference/bson-type-comparison-order: dates and time stamps are types of their own",
            path: "at",
            condition: at_least(FilterValue::Date(date(1_000))),
            matching: vec![doc! {"at": date(1_000)}, doc! {"at": [date(0), date(2_000)]}],
            others: vec![
                doc! {"at": date(999)},
                doc! {"at": 2_000_i64},
                doc! {"at": Bson::Timestamp(bson::Timestamp { time: 2_000, increment: 1 })},
                doc! {"at": "2025-01-01"},
                doc! {},
            ],
        },
        Case {
            page: "tutorial/query-arrays: each of two ends may be met by another element",
            path: "dim_cm",
            condition: Range {
                at_least: Some(FilterValue::Integer(15)),
                at_most: Some(FilterValue::Integer(20)),
            },
            matching: vec![doc! {"dim_cm": [14, 21]}, doc! {"dim_cm": [15.25]}, doc! {"dim_cm": 20}],
            others: vec![doc! {"dim_cm": [10, 12]}, doc! {"dim_cm": [22.85, 30]}, doc! {"dim_cm": []}],
        },
        Case {
            page: "tutorial/query-array-of-documents: a field of any of the documents",
            path: "instock.qty",
            condition: at_most(FilterValue::Integer(20)),
            matching: vec![
                doc! {"instock": [{"warehouse": "A", "qty": 5}, {"warehouse": "C", "qty": 15}]},
                doc! {"instock": [{"qty": 60}, {"qty": 15}]},
                doc! {"instock": {"qty": 20}},
            ],
            others: vec![doc! {"instock": [{"qty": 60}]}, doc! {"instock": []}, doc! {"instock": 5}],
        },
        Case {
            page: "tutorial/query-array-of-documents: a field of the document at a place",
            path: "instock.0.qty",
            condition: at_most(FilterValue::Integer(20)),
            matching: vec![doc! {"instock": [{"qty": 5}, {"qty": 60}]}],
            others: vec![doc! {"instock": [{"qty": 60}, {"qty": 5}]}, doc! {"instock": []}],
        },
        Case {
            page: "tutorial/query-arrays: the element at a place",
            path: "dim_cm.1",
            condition: at_least(FilterValue::Integer(25)),
            matching: vec![doc! {"dim_cm": [14, 25]}, doc! {"dim_cm": [1, 30, 1]}],
            others: vec![doc! {"dim_cm": [30, 14]}, doc! {"dim_cm": [30]}, doc! {"dim_cm": 30}],
        },
        Case {
            page: "reference/operator/query/regex: a prefix, by letter and case, of texts alone",
            path: "sku",
            condition: StartsWith("abc.".to_owned()),
            matching: vec![doc! {"sku": "abc.123"}, doc! {"sku": "abc."}, doc! {"sku": ["x", "abc.1"]}],
            others: vec![
                doc! {"sku": "abcd123"},
                doc! {"sku": "ABC.123"},
                doc! {"sku": "xabc.123"},
                doc! {"sku": "x\nabc.123"},
                doc! {"sku": 123},
                doc! {"sku": null},
                doc! {},
            ],
        },
        Case {
            page: "reference/bson-type-comparison-order: a truth is no number",
            path: "flag",
            condition: AnyOf(vec![FilterValue::Bool(true)]),
            matching: vec![doc! {"flag": true}, doc! {"flag": [false, true]}],
            others: vec![doc! {"flag": false}, doc! {"flag": 1}, doc! {"flag": "true"}, doc! {}],
        },
        Case {
            page: "a text that looks like an operator is a text",
            path: "v",
            condition: AnyOf(texts(&[r#"{"$gt": ""}"#])),
            matching: vec![doc! {"v": r#"{"$gt": ""}"#}],
            others: vec![doc! {"v": "x"}, doc! {"v": {"gt": ""}}, doc! {}],
        },
    ]
}

/// Matches that the form cannot ask, but the advanced box can: the server alone decides these.
fn asked_of_the_server() -> Vec<(&'static str, Document, Vec<Document>, Vec<Document>)> {
    vec![
        (
            "tutorial/query-for-null-fields: null, or no such field",
            doc! {"item": null},
            vec![doc! {"item": null}, doc! {}],
            vec![doc! {"item": 0}, doc! {"item": ""}, doc! {"item": []}],
        ),
        (
            "reference/operator/query/exists: there, and none of these",
            doc! {"qty": {"$exists": true, "$nin": [5, 15]}},
            vec![doc! {"qty": 20}, doc! {"qty": null}],
            vec![doc! {"qty": 5}, doc! {}],
        ),
        (
            "reference/operator/query/elemMatch: one element meets both ends",
            doc! {"results": {"$elemMatch": {"$gte": 80, "$lt": 85}}},
            vec![doc! {"results": [82, 85, 88]}],
            vec![doc! {"results": [75, 88, 89]}, doc! {"results": 82}],
        ),
        (
            "tutorial/query-arrays: the whole array, in its order",
            doc! {"tags": ["red", "blank"]},
            vec![doc! {"tags": ["red", "blank"]}],
            vec![doc! {"tags": ["blank", "red"]}, doc! {"tags": ["red"]}, doc! {"tags": "red"}],
        ),
    ]
}

fn numbered(documents: &[&[Document]]) -> Vec<Document> {
    let all = documents.iter().copied().flatten().zip(0_i32..);
    all.map(|(document, number)| {
        let mut numbered = doc! {"_id": number};
        numbered.extend(document.clone());
        numbered
    })
    .collect()
}

#[tokio::test]
async fn both_decide_as_the_documentation_says() {
    for (at, case) in cases().into_iter().enumerate() {
        let documents = numbered(&[&case.matching, &case.others]);
        let expected: Vec<i32> = (0..i32::try_from(case.matching.len()).unwrap()).collect();
        let asked = on(case.path, case.condition);
        let local = by_id(&documents).into_iter().map(|(id, document)| (id, matches(&asked, &document)));
        for (id, met) in local {
            assert_eq!(
                met,
                Some(expected.contains(&id)),
                "{}: {}",
                case.page,
                documents[id.unsigned_abs() as usize]
            );
        }
        let collection = collection(&format!("documented_{at}"), &documents).await;
        assert_eq!(matched(&collection, asked.to_match()).await, expected, "{}", case.page);
    }
    for (at, (page, asked, matching, others)) in asked_of_the_server().into_iter().enumerate() {
        let collection = collection(&format!("asked_{at}"), &numbered(&[&matching, &others])).await;
        let expected: Vec<i32> = (0..i32::try_from(matching.len()).unwrap()).collect();
        assert_eq!(matched(&collection, asked).await, expected, "{page}");
    }
}
