//! Evaluates the form's conditions locally, as MongoDB's `$match` does.
//!
//! Adoption copies rows of a broader query by these results, so if it is not certain what MongoDB would decide, there
//! is no result.

use bson::raw::{RawBsonRef, RawDocument};

use super::filter::{Condition, FieldCondition};
use super::filter_value::FilterValue;
use crate::bson::number::as_number;
use crate::bson::path;

/// Whether a document meets a condition; `None` if MongoDB's decision is not certain.
#[must_use]
pub fn matches(condition: &FieldCondition, document: &RawDocument) -> Option<bool> {
    let mut found = Vec::new();
    path::values(document, &condition.path, &mut |value| found.push(value))?;
    let holds = |value: &FilterValue| found.iter().any(|held| equal(*held, value));
    let any_of = |values: &[FilterValue]| values.iter().any(holds);
    Some(match &condition.condition {
        Condition::AnyOf(values) => any_of(values),
        Condition::NoneOf(values) => !any_of(values),
        Condition::AllOf(values) => values.iter().all(holds),
        Condition::Exists => !found.is_empty(),
        Condition::Missing => found.is_empty(),
        Condition::StartsWith(start) => {
            let starts = |held: &RawBsonRef<'_>| held.as_str().is_some_and(|text| text.starts_with(start));
            // MongoDB applies a regular expression to these as well, by special rules.
            let is_odd = |held: &RawBsonRef<'_>| {
                matches!(held, RawBsonRef::Symbol(_) | RawBsonRef::RegularExpression(_))
            };
            match found.iter().any(starts) {
                false if found.iter().any(is_odd) => return None,
                any => any,
            }
        }
        // The two ends are two conditions: in an array, different elements may meet them.
        Condition::Range { at_least, at_most } => {
            at_least.as_ref().is_none_or(|low| {
                found.iter().any(|held| order(*held, low).is_some_and(|order| order.is_ge()))
            }) && at_most.as_ref().is_none_or(|high| {
                found.iter().any(|held| order(*held, high).is_some_and(|order| order.is_le()))
            })
        }
    })
}

fn equal(held: RawBsonRef<'_>, value: &FilterValue) -> bool {
    match (held, value) {
        (RawBsonRef::String(held) | RawBsonRef::Symbol(held), FilterValue::Text(text)) => held == text,
        (RawBsonRef::DateTime(held), FilterValue::Date(date)) => held == *date,
        (RawBsonRef::Boolean(held), FilterValue::Bool(truth)) => held == *truth,
        (RawBsonRef::ObjectId(held), FilterValue::ObjectId(id)) => held == *id,
        (RawBsonRef::Binary(held), FilterValue::Uuid(uuid)) => {
            let binary = uuid.to_binary();
            (held.subtype, held.bytes) == (binary.subtype, &*binary.bytes)
        }
        (held, value) => match (as_number(held), value.as_number()) {
            (Some(held), Some(number)) => held.equals(number),
            _ => false,
        },
    }
}

/// The order of two values of one kind; values of different kinds, and NaN, are in no range.
fn order(held: RawBsonRef<'_>, value: &FilterValue) -> Option<std::cmp::Ordering> {
    match (held, value) {
        (RawBsonRef::DateTime(held), FilterValue::Date(date)) => Some(held.cmp(date)),
        (held, value) => as_number(held)?.compare(value.as_number()?),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use bson::{Bson, Decimal128, Document, RawDocumentBuf, Regex, doc};
    use proptest::prelude::*;

    use super::*;
    use crate::bson::equality_key::equality_key;

    fn ask(path: &str, condition: Condition, document: &Document) -> Option<bool> {
        let raw = RawDocumentBuf::try_from(document).unwrap();
        matches(&FieldCondition { name: "f".into(), path: path.into(), condition }, &raw)
    }

    fn text(value: &str) -> FilterValue {
        FilterValue::Text(value.into())
    }

    fn whole(value: i64) -> FilterValue {
        FilterValue::Integer(value)
    }

    fn one_of(values: &[FilterValue]) -> Condition {
        Condition::AnyOf(values.to_vec())
    }

    fn range(low: i64, high: i64) -> Condition {
        Condition::Range { at_least: Some(whole(low)), at_most: Some(whole(high)) }
    }

    fn decimal(text: &str) -> Decimal128 {
        text.parse().unwrap()
    }

    #[test]
    fn a_path_goes_through_documents_and_arrays() {
        for (path, document, expected) in [
            ("a", doc! {"a": 1}, true),
            ("a.b", doc! {"a": {"b": 1}}, true),
            ("a.b", doc! {"a": [{"b": 2}, {"b": 1}]}, true),
            ("a.b", doc! {"a": [{"b": [2, 1]}]}, true),
            ("a.b", doc! {"a": [[{"b": 1}]]}, false),
            ("a.1", doc! {"a": [2, 1]}, true),
            ("a.0", doc! {"a": [2, 1]}, false),
            ("a.01", doc! {"a": [2, 1]}, false),
            ("a.1", doc! {"a": {"1": 1}}, true),
            ("a.0.b", doc! {"a": [{"b": 1}, {"b": 2}]}, true),
            ("a.1.b", doc! {"a": [{"b": 1}, {"b": 2}]}, false),
            ("a.0", doc! {"a": [{"0": 1}]}, true),
            ("a.0", doc! {"a": [[1, 2]]}, false),
            ("a.0.1", doc! {"a": [[2, 1]]}, true),
            ("a.0.b", doc! {"a": [[{"b": 1}]]}, true),
            ("a", doc! {"a": [1, 2]}, true),
            ("a", doc! {"a": [[1]]}, false),
            ("a.b", doc! {"a": 1}, false),
            ("a", doc! {"b": 1}, false),
        ] {
            assert_eq!(ask(path, one_of(&[whole(1)]), &document), Some(expected), "{path} {document}");
            assert_eq!(
                ask(path, Condition::NoneOf(vec![whole(1)]), &document),
                Some(!expected),
                "{path} {document}"
            );
        }
    }

    #[test]
    fn null_exists_and_missing_does_not() {
        for (path, document, exists) in [
            ("a", doc! {"a": null}, true),
            ("a", doc! {"a": []}, true),
            ("a", doc! {}, false),
            ("a.b", doc! {"a": []}, false),
            ("a.b", doc! {"a": [{"c": 1}, {"b": null}]}, true),
            ("a.b", doc! {"a": {"c": 1}}, false),
        ] {
            assert_eq!(ask(path, Condition::Exists, &document), Some(exists), "{path} {document}");
            assert_eq!(ask(path, Condition::Missing, &document), Some(!exists), "{path} {document}");
        }
    }

    #[test]
    fn values_are_equal_within_their_kind() {
        for (held, value, expected) in [
            (Bson::Int32(7), whole(7), true),
            (Bson::Double(7.0), whole(7), true),
            (Bson::Decimal128(decimal("7.00")), whole(7), true),
            (Bson::String("7".into()), whole(7), false),
            (Bson::Int32(7), text("7"), false),
            (Bson::Int32(1), FilterValue::Bool(true), false),
            (Bson::Boolean(true), FilterValue::Bool(true), true),
            (Bson::Symbol("x".into()), text("x"), true),
            (Bson::Double(0.1), FilterValue::Decimal(decimal("0.1")), false),
            (
                Bson::DateTime(bson::DateTime::from_millis(5)),
                FilterValue::Date(bson::DateTime::from_millis(5)),
                true,
            ),
            (Bson::Int64(5), FilterValue::Date(bson::DateTime::from_millis(5)), false),
            (Bson::String(r#"{"$gt": ""}"#.into()), text(r#"{"$gt": ""}"#), true),
            (Bson::Null, text(""), false),
        ] {
            assert_eq!(
                ask("a", one_of(std::slice::from_ref(&value)), &doc! {"a": held.clone()}),
                Some(expected),
                "{held} {value:?}"
            );
        }
    }

    #[test]
    fn all_of_may_be_met_by_different_elements() {
        let all = || Condition::AllOf(vec![text("x"), text("y")]);
        assert_eq!(ask("a", all(), &doc! {"a": ["y", "z", "x"]}), Some(true));
        assert_eq!(ask("a", all(), &doc! {"a": ["x"]}), Some(false));
        assert_eq!(ask("a", all(), &doc! {"a": "x"}), Some(false));
        assert_eq!(ask("a", Condition::AllOf(vec![text("x")]), &doc! {"a": "x"}), Some(true));
        assert_eq!(ask("a.b", all(), &doc! {"a": [{"b": "x"}, {"b": "y"}]}), Some(true));
    }

    #[test]
    fn ranges_keep_to_their_kind() {
        for (held, expected) in [
            (Bson::Int32(5), true),
            (Bson::Double(5.0), true),
            (Bson::Double(4.999), false),
            (Bson::Decimal128(decimal("7.0000")), true),
            (Bson::Decimal128(decimal("7.0000000000000000001")), false),
            (Bson::Double(f64::NAN), false),
            (Bson::String("6".into()), false),
            (Bson::DateTime(bson::DateTime::from_millis(6)), false),
            (Bson::Null, false),
            (bson::bson!([1, 9]), true), // 9 >= 5 and 1 <= 7: two conditions, two elements
            (bson::bson!([8, 9]), false),
        ] {
            assert_eq!(ask("a", range(5, 7), &doc! {"a": held.clone()}), Some(expected), "{held}");
        }
        let since = Condition::Range {
            at_least: Some(FilterValue::Date(bson::DateTime::from_millis(5))),
            at_most: None,
        };
        assert_eq!(ask("a", since.clone(), &doc! {"a": bson::DateTime::from_millis(6)}), Some(true));
        assert_eq!(ask("a", since, &doc! {"a": 6}), Some(false));
    }

    #[test]
    fn starts_with_is_about_texts() {
        let starts = || Condition::StartsWith("a.".into());
        assert_eq!(ask("a", starts(), &doc! {"a": "a.b"}), Some(true));
        assert_eq!(ask("a", starts(), &doc! {"a": "ab"}), Some(false));
        assert_eq!(ask("a", starts(), &doc! {"a": ["x", "a."]}), Some(true));
        assert_eq!(ask("a", starts(), &doc! {"a": 1}), Some(false));
        assert_eq!(ask("a", starts(), &doc! {}), Some(false));
        assert_eq!(ask("a", starts(), &doc! {"a": Bson::Symbol("a.b".into())}), None);
        // Whatever the symbol's result, one matching element is enough.
        assert_eq!(ask("a", starts(), &doc! {"a": [Bson::Symbol("x".into()), "a.b"]}), Some(true));
        let regex = Regex {
            pattern: "^a".to_owned().try_into().unwrap(),
            options: String::new().try_into().unwrap(),
        };
        assert_eq!(ask("a", starts(), &doc! {"a": regex}), None);
    }

    #[test]
    fn broken_bytes_are_not_judged() {
        let mut bytes = bson::serialize_to_vec(&doc! {"a": "xyz"}).unwrap();
        let last = bytes.len() - 3;
        bytes[last] = 0xff; // no UTF-8
        let raw = RawDocument::from_bytes(&bytes).unwrap();
        let condition =
            FieldCondition { name: "f".into(), path: "a".into(), condition: one_of(&[text("xyz")]) };
        assert_eq!(matches(&condition, raw), None);
    }

    fn key(value: impl Into<Bson>) -> Option<String> {
        let raw = RawDocumentBuf::try_from(&doc! {"v": value.into()}).unwrap();
        equality_key(raw.get("v").unwrap().unwrap())
    }

    #[test]
    fn a_key_stands_for_equality() {
        assert_eq!(key("T-1").as_deref(), Some("s:T-1"));
        assert_eq!(key(7).as_deref(), Some("n:7"));
        assert_eq!(key(7_i64), key(7));
        assert_eq!(key(7.0), key(7));
        assert_eq!(key(decimal("7.000")), key(7));
        assert_eq!(key(1.5).as_deref(), Some("n:1.5"));
        assert_eq!(key(-0.0), key(0));
        assert_ne!(key("7"), key(7));
        assert_ne!(key(9_007_199_254_740_993_i64), key(9_007_199_254_740_992.0));
        assert_eq!(
            key(bson::oid::ObjectId::from_bytes([1; 12])).as_deref(),
            Some("o:010101010101010101010101")
        );
        assert_eq!(key(doc! {"a": 1, "b": "x"}), key(doc! {"a": 1.0, "b": "x"}));
        assert_ne!(key(doc! {"a": 1, "b": 2}), key(doc! {"b": 2, "a": 1}));
        assert_ne!(key(doc! {"a": "1,1:b=s1:x"}), key(doc! {"a": "1", "b": "x"}));
        assert_eq!(key(true).as_deref(), Some("b:true"));
        for none in [
            Bson::Null,
            Bson::Undefined,
            Bson::MinKey,
            Bson::MaxKey,
            bson::bson!([1]),
            Bson::JavaScriptCode("x".into()),
        ] {
            assert_eq!(key(none.clone()), None, "{none}");
        }
    }

    fn values() -> impl Strategy<Value = Bson> {
        prop_oneof![
            (-3_i32..3).prop_map(Bson::Int32),
            (-3_i64..3).prop_map(Bson::Int64),
            (-12_i32..12).prop_map(|quarters| Bson::Double(f64::from(quarters) / 4.0)),
            (-300_i32..300).prop_map(|digits| Bson::Decimal128(decimal(&format!("{digits}E-2")))),
            "[ab]{0,2}".prop_map(Bson::String),
            any::<bool>().prop_map(Bson::Boolean),
        ]
    }

    fn filter_value(value: &Bson) -> FilterValue {
        match value {
            Bson::Int32(whole) => FilterValue::Integer((*whole).into()),
            Bson::Int64(whole) => FilterValue::Integer(*whole),
            Bson::Double(number) => FilterValue::Number(*number),
            Bson::Decimal128(decimal) => FilterValue::Decimal(*decimal),
            Bson::Boolean(truth) => FilterValue::Bool(*truth),
            other => FilterValue::Text(other.as_str().unwrap().to_owned()),
        }
    }

    proptest! {
        #[test]
        fn keys_and_any_of_agree(a in values(), b in values()) {
            let same = key(a.clone()) == key(b.clone());
            prop_assert_eq!(ask("v", one_of(&[filter_value(&b)]), &doc! {"v": a.clone()}), Some(same), "{} {}", a, b);
            prop_assert_eq!(ask("v", one_of(&[filter_value(&a)]), &doc! {"v": ["zzz", b.clone()]}), Some(same));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let mut framed = i32::try_from(bytes.len() + 5).unwrap().to_le_bytes().to_vec();
            framed.extend(&bytes);
            framed.push(0);
            if let Ok(raw) = RawDocument::from_bytes(&framed) {
                let condition = FieldCondition { name: "f".into(), path: "a.0.b".into(), condition: Condition::Exists };
                let _ = matches(&condition, raw);
                let _ = equality_key(RawBsonRef::Document(raw));
            }
        }
    }
}
