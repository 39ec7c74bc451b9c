//! The pipelines that are sent to MongoDB: dates first, so that an index can serve them, then the filters.

use std::time::Duration;

use bson::{Bson, Document, doc};

use super::date_field::{DateField, DateForm};
use super::mapping::{DateMapping, Mapping};
use super::placement;
use super::source::Query;
use crate::day::DayRange;
use crate::limits::Limits;
use crate::rows::Role;

/// Time limit of a pull on the server.
pub const PULL_LIMIT: Duration = Duration::from_secs(600);
/// What a DBA sees in the server's log and in `currentOp`.
pub(crate) const COMMENT: &str = "tidemark";

/// The part of a `$match` that selects the days of a range; see the module `placement`.
#[must_use]
pub fn date_match(mapping: &Mapping, range: &DayRange) -> Document {
    placement::date_match(mapping, range)
}

/// The single `$match` of the input: the dates, what makes a document input, and the filters.
#[must_use]
pub fn input_match(query: &Query, range: &DayRange) -> Document {
    let mut parts = vec![query.mapping.input_match.clone()];
    parts.extend(query.filters.match_parts());
    all_of(date_match(&query.mapping, range), parts)
}

/// The pipeline that pulls the input of a range. Nothing is sorted on the server.
#[must_use]
pub fn input_pipeline(query: &Query, range: &DayRange) -> Vec<Document> {
    vec![doc! {"$match": input_match(query, range)}]
}

/// The match that finds trades by their ids, whatever their day. If the mapping has no trade id, it matches none.
#[must_use]
pub fn trades_match(mapping: &Mapping, ids: Vec<Bson>) -> Document {
    match mapping.trade_path(Role::Input) {
        Some(path) => all_of(doc! {path: {"$in": ids}}, vec![mapping.input_match.clone()]),
        None => doc! {"_id": {"$in": []}},
    }
}

/// The match that pulls the downstream messages of some trades. If the mapping has no trade id, it matches none.
#[must_use]
pub fn downstream_match(mapping: &Mapping, ids: Vec<Bson>) -> Document {
    match mapping.trade_path(Role::Downstream) {
        Some(path) => all_of(doc! {path: {"$in": ids}}, vec![mapping.downstream_match.clone()]),
        None => doc! {"_id": {"$in": []}},
    }
}

/// The pipeline that counts the input of every day of a range and finds its greatest change stamp. Each result is
/// `{_id, count, changed}`; `_id` says where its documents belong (see the module `placement`), and `changed` is
/// there only if the mapping has a change stamp.
#[must_use]
pub fn day_counts_pipeline(query: &Query, range: &DayRange) -> Vec<Document> {
    let mut group = doc! {"_id": placement::group_key(&query.mapping, range), "count": {"$sum": 1}};
    if let Some(path) = &query.mapping.changed_at {
        group.insert("changed", doc! {"$max": field(path)});
    }
    vec![doc! {"$match": input_match(query, range)}, doc! {"$group": group}]
}

/// The pipeline that counts the documents that match except for their date fields, which have a type that the match
/// on dates does not find. Each result is `{_id: {first, second, year}, count}`, with the types at the paths of the
/// date fields.
///
/// Every branch of the first match is a range of one type, separately for each year, so that an index on the date
/// fields shows at once that there are none, even to a simple query planner. The second match has the filters and
/// excludes documents that also have a value of the expected type.
#[must_use]
pub fn odd_dates_pipeline(query: &Query, range: &DayRange) -> Vec<Document> {
    let mapping = &query.mapping;
    let others = |path: &str, with: &Document| -> Vec<Document> {
        let of = |other| all_of(doc! {path: other}, vec![with.clone()]);
        form_at(mapping, path).other_ranges().into_iter().map(of).collect()
    };
    let none = Document::new();
    let (branches, exact, id) = match mapping.dates() {
        DateMapping::YearDay { year, day_of_year } => {
            let mut branches = others(year, &none);
            for number in range.from().year()..=range.to().year() {
                branches.extend(others(day_of_year, &doc! {year: number}));
            }
            let years: Vec<i32> = (range.from().year()..=range.to().year()).collect();
            let of_years = all_of(doc! {year: {"$in": years}}, vec![no_expected(mapping, day_of_year)]);
            let exact = doc! {"$or": [no_expected(mapping, year), of_years]};
            (
                branches,
                exact,
                doc! {"first": type_at(year), "second": type_at(day_of_year), "year": field(year)},
            )
        }
        DateMapping::DayTimestamp { day_of_year, timestamp: DateField { path: timestamp, .. } } => {
            let mut branches = others(day_of_year, &none);
            let of_days = doc! {day_of_year: {"$gte": 1, "$lt": 367}};
            branches.extend(others(timestamp, &of_days));
            let of_days = all_of(of_days, vec![no_expected(mapping, timestamp)]);
            let exact = doc! {"$or": [no_expected(mapping, day_of_year), of_days]};
            (branches, exact, doc! {"first": type_at(day_of_year), "second": type_at(timestamp)})
        }
        DateMapping::Timestamp { timestamp: DateField { path: timestamp, .. } } => {
            let id = doc! {"first": type_at(timestamp)};
            (others(timestamp, &none), no_expected(mapping, timestamp), id)
        }
    };
    let mut parts = vec![mapping.input_match.clone()];
    parts.extend(query.filters.match_parts());
    vec![
        doc! {"$match": {"$or": branches}},
        doc! {"$match": all_of(exact, parts)},
        doc! {"$group": {"_id": id, "count": {"$sum": 1}}},
    ]
}

fn type_at(path: &str) -> Document {
    doc! {"$type": field(path)}
}

/// How the values at the path of a date are stored. A year or a day of year is a number, as seconds are.
fn form_at(mapping: &Mapping, path: &str) -> DateForm {
    mapping.dates().form_at(path).unwrap_or(DateForm::EpochS)
}

/// The match for documents with a value of the type that the mapping expects at the path of a date.
pub(crate) fn of_expected_type(mapping: &Mapping, path: &str) -> Document {
    let mut ranges: Vec<Document> =
        form_at(mapping, path).ranges().into_iter().map(|range| doc! {path: range}).collect();
    if ranges.len() == 1 {
        ranges.remove(0)
    } else {
        doc! {"$or": ranges}
    }
}

/// The match for documents without a value of the type that the mapping expects at the path of a date.
fn no_expected(mapping: &Mapping, path: &str) -> Document {
    let mut ranges = form_at(mapping, path).ranges();
    if ranges.len() == 1 {
        return doc! {path: {"$not": ranges.remove(0)}};
    }
    let ranges: Vec<Document> = ranges.into_iter().map(|range| doc! {path: range}).collect();
    doc! {"$nor": ranges}
}

/// The pipeline that counts the downstream messages of some trades and finds their greatest change stamp, as one
/// `{count, changed}`, or without a result if there are none.
#[must_use]
pub fn downstream_count_pipeline(mapping: &Mapping, ids: Vec<Bson>) -> Vec<Document> {
    vec![doc! {"$match": downstream_match(mapping, ids)}, count_stage(mapping)]
}

fn count_stage(mapping: &Mapping) -> Document {
    let mut group = doc! {"_id": Bson::Null, "count": {"$sum": 1}};
    if let Some(path) = &mapping.changed_at {
        group.insert("changed", doc! {"$max": field(path)});
    }
    doc! {"$group": group}
}

/// The pipeline that counts the downstream messages of several groups of trades, each as
/// [`downstream_count_pipeline`] does. It has one result: a field per group, `g0`, `g1` and so on, with the list of
/// that pipeline's results.
#[must_use]
pub fn downstream_counts_pipeline(mapping: &Mapping, groups: &[Vec<Bson>]) -> Vec<Document> {
    let path = mapping.trade_path(Role::Downstream).unwrap_or("_id");
    let facets = groups.iter().enumerate().map(|(number, ids)| {
        // The outer match selects the messages of all groups; this one keeps those of its group.
        let stages = vec![doc! {"$match": {path: {"$in": ids.clone()}}}, count_stage(mapping)];
        (format!("g{number}"), Bson::from(stages))
    });
    let facets: Document = facets.collect();
    let all = groups.iter().flatten().cloned().collect();
    vec![doc! {"$match": downstream_match(mapping, all)}, doc! {"$facet": facets}]
}

/// The queries of a fetch, as text to paste into mongosh: the aggregate of the input, and that of the messages, still
/// without trade ids.
#[must_use]
pub fn mongosh_text(query: &Query, range: &DayRange) -> String {
    let mapping = &query.mapping;
    let input = aggregate_text(query, &query.source.collection, input_pipeline(query, range));
    if mapping.trade_id.is_none() {
        return input;
    }
    let collection = mapping.downstream_collection.as_ref().unwrap_or(&query.source.collection);
    let matching = doc! {"$match": downstream_match(mapping, Vec::new())};
    let ids = Limits::default().ids_per_query;
    let messages = aggregate_text(query, collection, vec![matching]);
    format!("{input}\n\n// In parallel, with up to {ids} trade ids in each $in:\n{messages}")
}

fn aggregate_text(query: &Query, collection: &str, stages: Vec<Document>) -> String {
    let pipeline = Bson::Array(stages.into_iter().map(Bson::Document).collect());
    let spelling = spelling_of(&pipeline);
    // A number in JavaScript is a double, so a large one is written with its type.
    let json = match spelling {
        Spelling::Canonical => pipeline.into_canonical_extjson(),
        _ => pipeline.into_relaxed_extjson(),
    };
    let stages = format!("{json:#}");
    // The shell would read `{"$date": …}` as a document if it were not marked as Extended JSON.
    let stages = if spelling == Spelling::Plain { stages } else { format!("EJSON.deserialize({stages})") };
    let quoted = |name: &str| serde_json::Value::from(name).to_string();
    format!(
        "db.getSiblingDB({}).getCollection({}).aggregate({stages}, {{ allowDiskUse: true, cursor: {{ batchSize: {} }}, \
         maxTimeMS: {}, comment: {} }})",
        quoted(&query.source.database),
        quoted(collection),
        Limits::default().batch_documents,
        PULL_LIMIT.as_millis(),
        quoted(COMMENT),
    )
}

/// How explicit a text must be for mongosh to read the intended values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Spelling {
    Plain,
    Typed,
    Canonical,
}

fn spelling_of(value: &Bson) -> Spelling {
    const EXACT: u64 = 1 << 53;
    match value {
        Bson::Array(items) => items.iter().map(spelling_of).max().unwrap_or(Spelling::Plain),
        Bson::Document(document) => document.values().map(spelling_of).max().unwrap_or(Spelling::Plain),
        Bson::String(_) | Bson::Int32(_) | Bson::Boolean(_) | Bson::Null => Spelling::Plain,
        Bson::Double(double) if double.is_finite() => Spelling::Plain,
        Bson::Int64(whole) if whole.unsigned_abs() <= EXACT => Spelling::Plain,
        Bson::Int64(_) => Spelling::Canonical,
        _ => Spelling::Typed,
    }
}

fn field(path: &str) -> String {
    format!("${path}")
}

/// Combines the conditions into one document, the first part first: flat if no key occurs twice, else with the others
/// under `$and`, so that none is lost.
fn all_of(first: Document, others: Vec<Document>) -> Document {
    let others: Vec<Document> = others.into_iter().filter(|part| !part.is_empty()).collect();
    let mut flat = first.clone();
    for (key, value) in others.iter().flatten() {
        if flat.insert(key.clone(), value.clone()).is_some() {
            let mut nested = first;
            nested.insert("$and", others);
            return nested;
        }
    }
    flat
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;
    use crate::day::Day;
    use crate::query::filter::Filters;
    use crate::query::form::{FilterInput, FilterOperator};
    use crate::query::source::SourceIdentity;

    fn query(mapping: &str, product: &[&str], advanced: &str) -> Query {
        let mapping = Mapping::parse(mapping).unwrap();
        let input = FilterInput {
            field: mapping.filters[0].name.clone(),
            operator: FilterOperator::AnyOf,
            values: product.iter().map(|&text| text.to_owned()).collect(),
        };
        let filters = Filters::parse(&mapping, &[input], advanced).unwrap();
        Query { source: SourceIdentity::new(["db1"], None, "desk", "trades", None), mapping, filters }
    }

    fn range(from: &str, to: &str) -> DayRange {
        DayRange::parse(from, to).unwrap()
    }

    fn at(text: &str) -> bson::DateTime {
        bson::DateTime::parse_rfc3339_str(text).unwrap()
    }

    #[test]
    fn year_and_day_are_asked_per_calendar_year() {
        let mapping = Mapping::default();
        assert_eq!(
            date_match(&mapping, &range("2024-02-28", "2024-03-01")),
            doc! {"year": 2024, "day_of_year": {"$gte": 59, "$lt": 62}}
        );
        assert_eq!(
            date_match(&mapping, &range("2023-12-30", "2025-01-02")),
            doc! {"$or": [
                {"year": 2023, "day_of_year": {"$gte": 364, "$lt": 366}},
                {"year": 2024, "day_of_year": {"$gte": 1, "$lt": 367}},
                {"year": 2025, "day_of_year": {"$gte": 1, "$lt": 3}},
            ]}
        );
    }

    #[test]
    fn time_stamps_are_asked_in_the_day_zone() {
        let only =
            Mapping::parse(r#"{"year": null, "day_of_year": null, "day_zone": "Europe/London"}"#).unwrap();
        assert_eq!(
            date_match(&only, &range("2024-03-31", "2024-03-31")),
            doc! {"timestamp": {"$gte": at("2024-03-31T00:00:00Z"), "$lt": at("2024-03-31T23:00:00Z")}}
        );
        let both = Mapping::parse(r#"{"year": null, "day_zone": "Europe/London"}"#).unwrap();
        assert_eq!(
            date_match(&both, &range("2023-12-31", "2024-01-01")),
            doc! {"$or": [
                {"day_of_year": {"$gte": 365, "$lt": 366}, "timestamp": {"$gte": at("2023-07-01T23:00:00Z"), "$lt": at("2024-06-30T23:00:00Z")}},
                {"day_of_year": {"$gte": 1, "$lt": 2}, "timestamp": {"$gte": at("2023-07-02T23:00:00Z"), "$lt": at("2024-07-02T23:00:00Z")}},
            ]}
        );
    }

    fn of_form(form: &str) -> Mapping {
        Mapping::parse(&format!(
            r#"{{"version": 2, "year": null, "day_of_year": null, "timestamp": {{"path": "t", "form": "{form}"}}}}"#
        ))
        .unwrap()
    }

    #[test]
    fn every_form_is_asked_by_ranges_of_one_type() {
        let january = range("2025-01-31", "2025-01-31");
        let id = |second: u32| {
            let mut bytes = [0; 12];
            bytes[..4].copy_from_slice(&second.to_be_bytes());
            bson::oid::ObjectId::from_bytes(bytes)
        };
        for (form, expected) in [
            ("date", doc! {"t": {"$gte": at("2025-01-31T00:00:00Z"), "$lt": at("2025-02-01T00:00:00Z")}}),
            ("epoch_s", doc! {"t": {"$gte": 1_738_281_600_i64, "$lt": 1_738_368_000_i64}}),
            (
                "epoch_ns",
                doc! {"t": {"$gte": 1_738_281_600_000_000_000_i64, "$lt": 1_738_368_000_000_000_000_i64}},
            ),
            (
                "iso_text",
                doc! {"$or": [
                    {"t": {"$gte": "2025-01-30", "$lt": "2025-02-02"}},
                    {"t": {"$gte": "20250130", "$lt": "20250202"}},
                ]},
            ),
            (
                "yyyymmdd",
                doc! {"$or": [
                    {"t": {"$gte": 20_250_131_i64, "$lt": 20_250_201_i64}},
                    {"t": {"$gte": "20250131", "$lt": "20250201"}},
                ]},
            ),
            ("object_id", doc! {"t": {"$gte": id(1_738_281_600), "$lt": id(1_738_368_000)}}),
        ] {
            assert_eq!(date_match(&of_form(form), &january), expected, "{form}");
        }
        let text = r#"{"version": 2, "business_date": {"path": "t", "form": "iso_text"}}"#;
        assert_eq!(
            date_match(&Mapping::parse(text).unwrap(), &range("2025-01-30", "2025-01-31")),
            doc! {"$or": [
                {"t": {"$gte": "2025-01-30", "$lt": "2025-02-01"}},
                {"t": {"$gte": "20250130", "$lt": "20250201"}},
            ]}
        );
        // Beyond what an Int64 holds, a Decimal128 is exact.
        let far = date_match(&of_form("epoch_ns"), &range("2300-01-01", "2300-01-01"));
        assert_eq!(
            far.get_document("t").unwrap().get("$gte"),
            Some(&Bson::Decimal128("10413792000000000000".parse().unwrap()))
        );
        let before = date_match(&of_form("object_id"), &range("1969-01-01", "1969-12-31"));
        assert_eq!(before, doc! {"t": {"$gte": id(0), "$lt": id(0)}});
    }

    #[test]
    fn values_of_no_form_are_asked_by_ranges_of_one_type() {
        for (form, texts, numbers) in [
            ("iso_text", 2, vec![doc! {"$gte": f64::NEG_INFINITY}]),
            ("yyyymmdd", 2, vec![doc! {"$gte": f64::NEG_INFINITY, "$lt": 101}, doc! {"$gte": 100_000_101}]),
            ("epoch_ms", 1, vec![]),
            ("object_id", 1, vec![doc! {"$gte": f64::NEG_INFINITY}]),
        ] {
            let query = Query { mapping: of_form(form), ..query("", &[], "") };
            let stages = odd_dates_pipeline(&query, &range("2025-01-01", "2025-01-31"));
            let branches = stages[0].get_document("$match").unwrap().get_array("$or").unwrap();
            let ranges: Vec<&Document> = branches
                .iter()
                .map(|branch| branch.as_document().unwrap().get_document("t").unwrap())
                .collect();
            let count = |holds: &dyn Fn(&Bson) -> bool| {
                ranges.iter().filter(|range| range.values().next().is_some_and(holds)).count()
            };
            assert_eq!(count(&|bound| matches!(bound, Bson::String(_))), texts, "{form}");
            assert_eq!(count(&|bound| matches!(bound, Bson::ObjectId(_))), usize::from(form != "object_id"));
            assert_eq!(count(&|bound| matches!(bound, Bson::DateTime(_))), 1, "{form}");
            let is_number = |range: &&Document| {
                matches!(range.values().next(), Some(Bson::Double(_) | Bson::Int32(_) | Bson::Int64(_)))
            };
            let found: Vec<Document> = ranges.iter().copied().filter(is_number).cloned().collect();
            assert_eq!(found, numbers, "{form}");
        }
    }

    #[test]
    fn messages_may_have_the_trade_id_at_another_path() {
        let mapping = Mapping::parse(r#"{"version": 2, "downstream_trade_id": "parent.ref"}"#).unwrap();
        assert_eq!(downstream_match(&mapping, vec![1.into()]), doc! {"parent.ref": {"$in": [1]}});
        let counts = downstream_counts_pipeline(&mapping, &[vec![1.into()], vec![2.into()]]);
        assert_eq!(counts[0], doc! {"$match": {"parent.ref": {"$in": [1, 2]}}});
        assert!(counts[1].to_string().contains("parent.ref") && !counts[1].to_string().contains("trade_id"));
        let apart = Query { mapping, ..query("", &[], "") };
        assert!(mongosh_text(&apart, &range("2025-01-01", "2025-01-31")).contains("\"parent.ref\""));
    }

    #[test]
    fn dates_come_first_and_the_rest_is_flat() {
        let query = query(r#"{"input_match": {"kind": "trade"}}"#, &["Power"], r#"{"price": {"$gt": 1}}"#);
        let matched = input_match(&query, &range("2024-01-01", "2024-01-31"));
        assert_eq!(
            matched,
            doc! {"year": 2024, "day_of_year": {"$gte": 1, "$lt": 32}, "kind": "trade", "product": {"$in": ["Power"]}, "price": {"$gt": 1}}
        );
        assert_eq!(matched.keys().collect::<Vec<_>>(), ["year", "day_of_year", "kind", "product", "price"]);
        assert_eq!(input_pipeline(&query, &range("2024-01-01", "2024-01-31")), [doc! {"$match": matched}]);
    }

    #[test]
    fn a_collision_drops_no_condition() {
        let two_years = range("2023-12-31", "2024-01-01");
        let query = query(
            r#"{"input_match": {"product": {"$ne": "Oil"}}}"#,
            &["Power"],
            r#"{"$or": [{"a": 1}], "$and": [{"b": 1}]}"#,
        );
        let matched = input_match(&query, &two_years);
        assert_eq!(matched.keys().collect::<Vec<_>>(), ["$or", "$and"]);
        assert_eq!(matched.get_array("$or").unwrap().len(), 2);
        assert_eq!(
            matched.get_array("$and").unwrap(),
            &[
                bson::bson!({"product": {"$ne": "Oil"}}),
                bson::bson!({"product": {"$in": ["Power"]}}),
                bson::bson!({"$or": [{"a": 1}], "$and": [{"b": 1}]}),
            ]
        );
    }

    #[test]
    fn downstream_is_asked_by_trade_id() {
        let mapping = Mapping::parse(
            r#"{"trade_id": "t.id", "downstream_match": {"kind": "message", "t.id": {"$ne": 3}}}"#,
        )
        .unwrap();
        assert_eq!(
            downstream_match(&mapping, vec![1.into(), "x".into()]),
            doc! {"t.id": {"$in": [1, "x"]}, "$and": [{"kind": "message", "t.id": {"$ne": 3}}]}
        );
        assert_eq!(downstream_match(&Mapping::default(), vec![]), doc! {"trade_id": {"$in": []}});
    }

    #[test]
    fn days_are_counted_by_their_own_fields() {
        let january = range("2024-01-01", "2024-01-31");
        let group = |mapping: &str| day_counts_pipeline(&query(mapping, &[], ""), &january).remove(1);
        assert_eq!(
            group(r#"{"changed_at": "meta.changed"}"#),
            doc! {"$group": {
                "_id": {"year": {"value": "$year"}, "day": {"value": "$day_of_year"}},
                "count": {"$sum": 1},
                "changed": {"$max": "$meta.changed"},
            }}
        );
        // By the same instants as in the match: the clocks change on the last Sunday of March.
        let march = range("2024-03-30", "2024-04-02");
        let london = query(r#"{"year": null, "day_of_year": null, "day_zone": "Europe/London"}"#, &[], "");
        let since = |text: &str, day: i32| {
            let passed = doc! {"$subtract": [{"$toLong": "$timestamp"}, at(text).timestamp_millis()]};
            doc! {"$add": [day, {"$floor": {"$divide": [passed, 86_400_000_i64]}}]}
        };
        assert_eq!(
            day_counts_pipeline(&london, &march).remove(1),
            doc! {"$group": {"_id": {"stamp": {"$cond": [
                {"$eq": [{"$type": "$timestamp"}, "date"]},
                {"date": {"$cond": [
                    {"$lt": ["$timestamp", at("2024-03-31T00:00:00Z")]},
                    since("2024-03-30T00:00:00Z", 19_812),
                    {"$cond": [
                        {"$lt": ["$timestamp", at("2024-03-31T23:00:00Z")]},
                        19_813,
                        since("2024-03-31T23:00:00Z", 19_814),
                    ]},
                ]}},
                {"value": "$timestamp"},
            ]}}, "count": {"$sum": 1}}}
        );
    }

    #[test]
    fn dates_of_another_type_are_asked_by_ranges_of_one_type() {
        let query = query(r#"{"input_match": {"kind": "trade"}}"#, &["Power"], "");
        let stages = odd_dates_pipeline(&query, &range("2023-12-31", "2024-01-01"));
        let matched = stages[0].get_document("$match").unwrap();
        let branches = matched.get_array("$or").unwrap();
        // Seven types of the year, and of the day of each of two years.
        assert_eq!(branches.len(), 21);
        assert_eq!(branches[0], bson::bson!({"year": {"$gte": ""}}));
        for (at, year) in [(7, 2023), (14, 2024)] {
            let branch = branches[at].as_document().unwrap();
            assert_eq!((branch.get_i32("year").unwrap(), branch.len()), (year, 2));
            assert_eq!(branch.get_document("day_of_year").unwrap(), &doc! {"$gte": ""});
        }
        let none = doc! {"$not": {"$gte": f64::NEG_INFINITY}};
        let exact = bson::bson!([
            {"year": none.clone()}, {"year": {"$in": [2023, 2024]}, "day_of_year": none},
        ]);
        let rest = stages[1].get_document("$match").unwrap();
        assert_eq!(rest.keys().collect::<Vec<_>>(), ["$or", "kind", "product"]);
        assert_eq!(rest.get("$or"), Some(&exact));
    }

    #[test]
    fn the_text_can_be_pasted() {
        let january = range("2024-01-01", "2024-01-31");
        let text = mongosh_text(&query("", &["Power"], ""), &january);
        assert!(
            text.starts_with("db.getSiblingDB(\"desk\").getCollection(\"trades\").aggregate([\n"),
            "{text}"
        );
        assert!(
            text.contains("\"$gte\": 1,") && text.contains("], { allowDiskUse: true, cursor: { batchSize: "),
            "{text}"
        );
        assert!(text.contains("comment: \"tidemark\" })") && text.contains("\"$in\": []"), "{text}");
        let apart = query(r#"{"downstream_collection": "messages"}"#, &[], "");
        assert!(mongosh_text(&apart, &january).contains("getCollection(\"messages\")"));
        let alone = mongosh_text(&query(r#"{"trade_id": null}"#, &[], ""), &january);
        assert!(!alone.contains("$in") && !alone.contains("//"), "{alone}");
        let dated = mongosh_text(&query(r#"{"year": null}"#, &[], ""), &january);
        assert!(
            dated.contains("aggregate(EJSON.deserialize([")
                && dated.contains("\"$date\": \"2023-07-03T00:00:00Z\""),
            "{dated}"
        );
        let long = mongosh_text(&query("", &[], r#"{"n": 9007199254740993}"#), &january);
        assert!(long.contains("\"$numberLong\": \"9007199254740993\""), "{long}");
    }

    proptest! {
        #[test]
        fn every_day_of_the_range_and_no_other_is_asked(from in 18_000..20_000, length in 0..900) {
            let range = DayRange::new(Day::from_number(from), Day::from_number(from + length)).unwrap();
            let matched = date_match(&Mapping::default(), &range);
            let parts: Vec<Document> = match matched.get_array("$or") {
                Ok(parts) => parts.iter().map(|part| part.as_document().unwrap().clone()).collect(),
                Err(_) => vec![matched],
            };
            let asked = |day: Day| parts.iter().filter(|part| {
                let days = part.get_document("day_of_year").unwrap();
                let number = i32::try_from(day.day_of_year()).unwrap();
                part.get_i32("year").unwrap() == day.year()
                    && (days.get_i32("$gte").unwrap()..days.get_i32("$lt").unwrap()).contains(&number)
            }).count();
            for number in from - 400..from + length + 400 {
                let day = Day::from_number(number);
                prop_assert_eq!(asked(day), usize::from(range.contains(day)));
            }
        }
    }
}
