#![allow(clippy::unwrap_used)]

use bson::{Decimal128, doc};
use proptest::prelude::*;

use super::*;
use crate::day::DayZone;
use crate::failure::Code;

const TYPED: &str = r#"{"day_zone": "Europe/London", "filters": {
    "count": {"path": "n", "type": "integer"}, "price": {"path": "trade.price", "type": "number"},
    "exact": {"path": "exact", "type": "decimal"}, "at": {"path": "at", "type": "date"},
    "live": {"path": "live", "type": "bool"}, "ref": {"path": "ref", "type": "object_id"}}}"#;

fn mapping() -> Mapping {
    Mapping::parse(TYPED).unwrap()
}

fn input(field: &str, operator: FilterOperator, values: &[&str]) -> FilterInput {
    FilterInput {
        field: field.to_owned(),
        operator,
        values: values.iter().map(|&text| text.to_owned()).collect(),
    }
}

fn read(inputs: &[FilterInput]) -> Filters {
    Filters::parse(&mapping(), inputs, "").unwrap()
}

fn one(field: &str, operator: FilterOperator, values: &[&str]) -> Document {
    read(&[input(field, operator, values)]).match_parts().pop().unwrap()
}

fn refused(field: &str, operator: FilterOperator, values: &[&str]) -> String {
    let failure = Filters::parse(&mapping(), &[input(field, operator, values)], "").unwrap_err();
    assert_eq!(failure.code, Code::BadFilter);
    failure.message
}

fn value(value_type: ValueType, text: &str) -> Result<FilterValue> {
    let forms = Forms { zone: DayZone::parse("Europe/London").unwrap(), ..Forms::default() };
    FilterValue::parse(value_type, text, forms, "f")
}

#[test]
fn every_operator_has_its_match() {
    use FilterOperator::*;
    assert_eq!(one("product", AnyOf, &["b", " a", "a", ""]), doc! {"product": {"$in": ["a", "b"]}});
    assert_eq!(one("product", AllOf, &["b", "a"]), doc! {"product": {"$all": ["a", "b"]}});
    assert_eq!(one("cell", NoneOf, &["X1"]), doc! {"cell": {"$nin": ["X1"]}});
    assert_eq!(one("cell", StartsWith, &["a.b*(c)"]), doc! {"cell": {"$regex": r"^a\.b\*\(c\)"}});
    assert_eq!(one("cell", Exists, &[]), doc! {"cell": {"$exists": true}});
    assert_eq!(one("cell", Missing, &["ignored"]), doc! {"cell": {"$exists": false}});
    assert_eq!(one("count", Between, &["1", "7"]), doc! {"n": {"$gte": 1_i64, "$lte": 7_i64}});
    assert_eq!(one("count", Between, &["", "7"]), doc! {"n": {"$lte": 7_i64}});
    assert_eq!(one("price", AtLeast, &["1.5"]), doc! {"trade.price": {"$gte": 1.5}});
    assert_eq!(
        one("exact", AtMost, &["1.50"]),
        doc! {"exact": {"$lte": "1.50".parse::<Decimal128>().unwrap()}}
    );
}

#[test]
fn a_value_is_never_an_operator() {
    assert_eq!(
        one("product", FilterOperator::AnyOf, &[r#"{"$gt": ""}"#]),
        doc! {"product": {"$in": [r#"{"$gt": ""}"#]}}
    );
    assert_eq!(one("product", FilterOperator::AnyOf, &["$where"]), doc! {"product": {"$in": ["$where"]}});
    assert_eq!(one("product", FilterOperator::StartsWith, &["^$"]), doc! {"product": {"$regex": r"^\^\$"}});
}

#[test]
fn values_have_the_type_of_their_field() {
    assert_eq!(value(ValueType::Text, " 007 ").unwrap(), FilterValue::Text("007".into()));
    assert_eq!(value(ValueType::Integer, "007").unwrap(), FilterValue::Integer(7));
    assert_eq!(value(ValueType::Integer, "-9223372036854775808").unwrap(), FilterValue::Integer(i64::MIN));
    assert_eq!(
        value(ValueType::Number, "9007199254740993").unwrap(),
        FilterValue::Integer(9_007_199_254_740_993)
    );
    assert_eq!(value(ValueType::Number, "7.0").unwrap(), FilterValue::Integer(7));
    assert_eq!(value(ValueType::Number, "-1e-3").unwrap(), FilterValue::Number(-0.001));
    assert_eq!(
        value(ValueType::Number, "99999999999999999999").unwrap(),
        FilterValue::Decimal("99999999999999999999".parse().unwrap())
    );
    assert_eq!(value(ValueType::Bool, "TRUE").unwrap(), FilterValue::Bool(true));
    let at = |millis| FilterValue::Date(bson::DateTime::from_millis(millis));
    assert_eq!(value(ValueType::Date, "1970-01-01T00:00:01.5Z").unwrap(), at(1_500));
    assert_eq!(value(ValueType::Date, "2024-07-01").unwrap().typed(), "2024-06-30T23:00:00Z");
    for (value_type, text) in [
        (ValueType::Integer, "1.0"),
        (ValueType::Integer, "9223372036854775808"),
        (ValueType::Number, "NaN"),
        (ValueType::Number, "inf"),
        (ValueType::Number, "1e999"),
        (ValueType::Number, "1,5"),
        (ValueType::Number, "."),
        (ValueType::Number, "1e"),
        (ValueType::Decimal, "Infinity"),
        (ValueType::Decimal, "1e99999"),
        (ValueType::Decimal, "12345678901234567890123456789012345"),
        (ValueType::Decimal, "-+5"),
        (ValueType::Date, "2023-02-29"),
        (ValueType::Date, "yesterday"),
        (ValueType::Bool, "1"),
        (ValueType::ObjectId, "65a1"),
        (ValueType::Uuid, "123e4567-e89b-12d3-a456"),
    ] {
        let failure = value(value_type, text).unwrap_err();
        assert_eq!(failure.code, Code::BadFilter);
        assert!(failure.message.contains(text) && failure.message.contains("filter f"), "{failure}");
    }
}

#[test]
fn a_day_as_the_upper_end_is_in_the_range() {
    let Condition::Range { at_least: Some(low), at_most: Some(high) } =
        read(&[input("at", FilterOperator::Between, &["2024-03-31", "2024-03-31"])])
            .fields
            .remove(0)
            .condition
    else {
        panic!("a range");
    };
    assert_eq!(
        (low.typed().as_str(), high.typed().as_str()),
        ("2024-03-31T00:00:00Z", "2024-03-31T22:59:59.999Z")
    );
}

#[test]
fn what_cannot_be_used_is_named() {
    use FilterOperator::*;
    assert!(refused("prodct", AnyOf, &["x"]).contains("\"prodct\"; the filters are product, cell"));
    assert!(refused("count", AnyOf, &["x1"]).contains("\"x1\" in the filter count"));
    assert!(refused("product", Between, &["a", "b"]).contains("product"));
    assert!(refused("live", AtLeast, &["true"]).contains("live"));
    assert!(refused("count", StartsWith, &["1"]).contains("is not text"));
    assert!(refused("count", Between, &["9", "1"]).contains("begins at 9"));
    assert!(refused("price", Between, &["1.5", "1"]).contains("begins at 1.5"));
    assert!(refused("at", Between, &["2024-02-01", "2024-01-31"]).contains("begins at 2024-02-01"));
    assert!(refused("count", Between, &["1", "2", "3"]).contains("two values"));
    assert!(refused("count", AtLeast, &["1", "2"]).contains("one value"));
    assert!(refused("product", StartsWith, &["a\0b"]).contains("NUL"));
}

#[test]
fn what_is_not_asked_is_not_filtered() {
    use FilterOperator::*;
    let blank = [
        input("product", AnyOf, &[]),
        input("cell", AnyOf, &["", "  "]),
        input("count", Between, &["", " "]),
        input("price", AtLeast, &[""]),
        input("cell", StartsWith, &[]),
        input("cell", NoneOf, &[" "]),
    ];
    let filters = Filters::parse(&mapping(), &blank, " {} ").unwrap();
    assert!(filters.is_empty());
    assert_eq!(filters, Filters::default());
    assert_eq!(filters.describe(&BTreeMap::new()), "no filter");
}

#[test]
fn a_field_given_again_adds_values_or_conditions() {
    use FilterOperator::*;
    let filters = read(&[
        input("product", AnyOf, &["b"]),
        input("product", NoneOf, &["c"]),
        input("product", AnyOf, &["a"]),
        input("product", NoneOf, &["c"]),
        input("product", NoneOf, &["d"]),
    ]);
    assert_eq!(
        filters.match_parts(),
        [
            doc! {"product": {"$in": ["a", "b"]}},
            doc! {"product": {"$nin": ["c"]}},
            doc! {"product": {"$nin": ["d"]}}
        ]
    );
}

#[test]
fn filters_read_well() {
    use FilterOperator::*;
    let inputs = [
        input("product", AnyOf, &["Power", "Gas"]),
        input("cell", NoneOf, &["X1"]),
        input("count", Between, &["1", "7"]),
    ];
    let filters = Filters::parse(&mapping(), &inputs, r#"{"a": {"$gt": 1}}"#).unwrap();
    assert_eq!(
        filters.describe(&BTreeMap::new()),
        r#"cell is not X1 · count from 1 to 7 · product: Gas, Power · and {"a":{"$gt":1}}"#
    );
    let alone = Filters::parse(&mapping(), &[], r#"{"a": {"$gt": 1}}"#).unwrap();
    assert_eq!(
        [alone.describe(&BTreeMap::new()), alone.summary(&BTreeMap::new())],
        [r#"matches {"a":{"$gt":1}}"#; 2]
    );
}

#[test]
fn a_summary_counts_the_values_that_it_does_not_name() {
    use FilterOperator::*;
    let filters = read(&[
        input("cell", NoneOf, &["X1", "X2", "X3", "X4"]),
        input("product", AnyOf, &["b", "a", "e", "d", "c"]),
    ]);
    assert_eq!(filters.summary(&BTreeMap::new()), "cell is not X1, X2, X3, X4 · product: a, b, c and 2 more");
    assert_eq!(filters.describe(&BTreeMap::new()), "cell is not X1, X2, X3, X4 · product: a, b, c, d, e");
    let labels = [("product".to_owned(), "Commodity".to_owned())].into();
    assert_eq!(filters.summary(&labels), "cell is not X1, X2, X3, X4 · Commodity: a, b, c and 2 more");
    assert_eq!(Filters::default().summary(&BTreeMap::new()), "no filter");
}

#[test]
fn the_advanced_match_says_what_is_wrong() {
    assert_eq!(parse_match(" ").unwrap(), None);
    assert_eq!(parse_match("{}").unwrap(), None);
    for (text, part) in [
        ("{\"a\": }", "line 1, column 7"),
        (r#"{"$or": [{}, {"$where": "1"}]}"#, "$or[1].$where"),
        ("[]", "not an object"),
    ] {
        let failure = parse_match(text).unwrap_err();
        assert_eq!(failure.code, Code::BadFilter);
        assert!(failure.message.contains(part), "{failure}");
    }
}

#[test]
fn broader_is_only_what_is_provably_broader() {
    use FilterOperator::*;
    let any = |values: &[&str]| input("product", AnyOf, values);
    let cell = input("cell", StartsWith, &["X"]);
    let left = |broad: &[FilterInput], narrow: &[FilterInput]| {
        let rest = read(broad).broader_than(&read(narrow))?;
        Some(rest.iter().map(|field| field.describe(usize::MAX, &BTreeMap::new())).collect::<Vec<_>>())
    };
    assert_eq!(left(&[], &[any(&["a"])]), Some(vec!["product: a".to_owned()]));
    assert_eq!(left(&[any(&["a", "b"])], &[any(&["a"])]), Some(vec!["product: a".to_owned()]));
    assert_eq!(left(&[any(&["a"]), cell.clone()], &[any(&["a"]), cell.clone()]), Some(vec![]));
    assert_eq!(
        left(std::slice::from_ref(&cell), &[any(&["a"]), cell.clone()]),
        Some(vec!["product: a".to_owned()])
    );
    assert_eq!(left(&[any(&["a"])], &[any(&["a", "b"])]), None);
    assert_eq!(left(&[any(&["a"])], &[]), None);
    assert_eq!(left(std::slice::from_ref(&cell), &[input("cell", StartsWith, &["X1"])]), None);
    assert_eq!(left(&[input("product", NoneOf, &["a"])], &[input("product", NoneOf, &["a", "b"])]), None);
    let advanced = |text: &str| Filters::parse(&mapping(), &[], text).unwrap();
    assert_eq!(advanced("").broader_than(&advanced(r#"{"a": 1}"#)), None);
    assert_eq!(advanced(r#"{"a": 1}"#).broader_than(&advanced("")), None);
    assert_eq!(advanced(r#"{"a": 1, "b": 2}"#).broader_than(&advanced(r#"{"b": 2, "a": 1}"#)), Some(vec![]));
}

fn typed_input() -> impl Strategy<Value = FilterInput> {
    use FilterOperator::*;
    let lists = prop::sample::select(vec![AnyOf, AllOf, NoneOf]);
    let with = |field: &'static str, text: &'static str| {
        (lists.clone(), prop::collection::vec(text.prop_map(|text: String| text), 0..4))
            .prop_map(move |(operator, values)| FilterInput { field: field.to_owned(), operator, values })
    };
    prop_oneof![
        with("product", "[ a{}$\":.,\\\\]{0,5}"),
        with("count", "-?[0-9]{1,18}"),
        with("price", "-?[0-9]{1,20}(\\.[0-9]{1,20})?(e-?[0-9]{1,2})?"),
        with("exact", "-?[0-9]{1,16}(\\.[0-9]{1,16})?(E-?[0-9]{1,3})?"),
        with("at", "20[0-9]{2}-0[1-9]-[12][0-8](T1[0-9]:00:00\\.[0-9]{3}Z)?"),
        with("live", "(true|false)"),
        with("ref", "[0-9a-f]{24}"),
        (0_i64..9, 10_i64..20).prop_map(|(low, high)| input(
            "count",
            Between,
            &[&low.to_string(), &high.to_string()]
        )),
        (0_i64..9).prop_map(|low| input("exact", AtLeast, &[&format!("{low}.50")])),
        (1_u32..28).prop_map(|day| input("at", AtMost, &[&format!("2024-02-{day:02}")])),
        "[a-z.*]{1,4}".prop_map(|text| input("cell", StartsWith, &[&text])),
        Just(input("cell", Exists, &[])),
        Just(input("cell", Missing, &[])),
    ]
}

proptest! {
    #[test]
    fn filters_survive_storing_and_typing(inputs in prop::collection::vec(typed_input(), 0..6), n in any::<i64>(), x in any::<f64>()) {
        let advanced = Bson::Document(doc! {"n": n, "x": x, "list": [1, 2_i64, "$where"]}).into_canonical_extjson().to_string();
        let filters = Filters::parse(&mapping(), &inputs, &advanced).unwrap();
        let stored = Filters::from_stored(&filters.to_stored()).unwrap();
        prop_assert_eq!(stored.to_stored(), filters.to_stored());
        prop_assert_eq!(&stored.fields, &filters.fields);
        let (typed, text) = filters.to_inputs();
        let again = Filters::parse(&mapping(), &typed, &text).unwrap();
        prop_assert_eq!(again.to_stored(), filters.to_stored());
        prop_assert!(filters.broader_than(&again).is_some_and(|rest| rest.is_empty()));
        let form_only = Filters { advanced: None, ..filters };
        prop_assert!(Filters::default().broader_than(&form_only).is_some());
    }
}
