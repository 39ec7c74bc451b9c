//! Relaxed Extended JSON written straight from raw BSON.
//!
//! The `bson` crate does this by building two trees, which makes it the slowest step of a fetch if every document has
//! an array. The common types are written directly, the rest go through the crate, and a test compares the two.

use std::fmt::Write as _;

use bson::{RawArray, RawBsonRef, RawDocument};
use chrono::{DateTime, SecondsFormat};

/// Deepest nesting that is written; MongoDB itself allows 100 levels.
const MAX_DEPTH: usize = 200;

/// Appends `value` to `out`. Returns false if the bytes are not valid BSON or are nested too deeply; `out` is then
/// incomplete.
#[must_use]
pub fn write_relaxed(out: &mut String, value: RawBsonRef<'_>) -> bool {
    write_value(out, value, 0)
}

/// Whether documents, arrays and scopes are nested more than `levels` deep within this document. Invalid BSON is
/// ignored.
#[must_use]
pub fn is_deeper_than(document: &RawDocument, levels: usize) -> bool {
    document.iter().flatten().any(|(_, value)| value_is_deeper(value, levels))
}

fn value_is_deeper(value: RawBsonRef<'_>, levels: usize) -> bool {
    let within = |levels: usize| match value {
        RawBsonRef::Document(inner) => is_deeper_than(inner, levels),
        RawBsonRef::JavaScriptCodeWithScope(code) => is_deeper_than(code.scope, levels),
        RawBsonRef::Array(inner) => inner.into_iter().flatten().any(|value| value_is_deeper(value, levels)),
        _ => false,
    };
    let nests = matches!(
        value,
        RawBsonRef::Document(_) | RawBsonRef::JavaScriptCodeWithScope(_) | RawBsonRef::Array(_)
    );
    nests && levels.checked_sub(1).is_none_or(within)
}

fn write_value(out: &mut String, value: RawBsonRef<'_>, depth: usize) -> bool {
    if depth > MAX_DEPTH {
        return false;
    }
    match value {
        RawBsonRef::Null => out.push_str("null"),
        RawBsonRef::Boolean(flag) => out.push_str(if flag { "true" } else { "false" }),
        RawBsonRef::Int32(number) => return write!(out, "{number}").is_ok(),
        RawBsonRef::Int64(number) => return write!(out, "{number}").is_ok(),
        RawBsonRef::Double(number) if number.is_finite() => return write_json(out, &number),
        RawBsonRef::String(text) => return write_text(out, text),
        RawBsonRef::ObjectId(id) => return write!(out, r#"{{"$oid":"{}"}}"#, id.to_hex()).is_ok(),
        RawBsonRef::Decimal128(number) => {
            return write!(out, r#"{{"$numberDecimal":"{number}"}}"#).is_ok();
        }
        RawBsonRef::DateTime(date) => return write_date(out, date.timestamp_millis()),
        RawBsonRef::JavaScriptCodeWithScope(code) => {
            out.push_str(r#"{"$code":"#);
            if !write_json(out, code.code) {
                return false;
            }
            out.push_str(r#","$scope":"#);
            if !write_document(out, code.scope, depth + 1) {
                return false;
            }
            out.push('}');
        }
        RawBsonRef::Document(document) => return write_document(out, document, depth),
        RawBsonRef::Array(array) => return write_array(out, array, depth),
        rare => return write_tree(out, rare),
    }
    true
}

/// Writes any value by way of the `bson` crate.
fn write_tree(out: &mut String, value: RawBsonRef<'_>) -> bool {
    let Ok(value) = bson::Bson::try_from(value) else { return false };
    write_json(out, &value.into_relaxed_extjson())
}

/// Writes a date. The `bson` crate would drop trailing zeros of the fraction and change years after 9999 to 9999.
fn write_date(out: &mut String, millis: i64) -> bool {
    const TEXT_DATE_MILLIS: std::ops::RangeInclusive<i64> = 0..=253_402_300_799_999;
    match DateTime::from_timestamp_millis(millis).filter(|_| TEXT_DATE_MILLIS.contains(&millis)) {
        Some(date) => {
            let fraction = if millis % 1_000 == 0 { SecondsFormat::Secs } else { SecondsFormat::Millis };
            write!(out, r#"{{"$date":"{}"}}"#, date.to_rfc3339_opts(fraction, true)).is_ok()
        }
        None => write!(out, r#"{{"$date":{{"$numberLong":"{millis}"}}}}"#).is_ok(),
    }
}

fn write_document(out: &mut String, document: &RawDocument, depth: usize) -> bool {
    out.push('{');
    let mut first = true;
    for element in document {
        let Ok((key, value)) = element else { return false };
        if !first {
            out.push(',');
        }
        first = false;
        if !write_text(out, key.as_str()) {
            return false;
        }
        out.push(':');
        if !write_value(out, value, depth + 1) {
            return false;
        }
    }
    out.push('}');
    true
}

fn write_array(out: &mut String, array: &RawArray, depth: usize) -> bool {
    out.push('[');
    let mut first = true;
    for element in array {
        let Ok(value) = element else { return false };
        if !first {
            out.push(',');
        }
        first = false;
        if !write_value(out, value, depth + 1) {
            return false;
        }
    }
    out.push(']');
    true
}

/// Writes a text. Most have nothing to escape.
fn write_text(out: &mut String, text: &str) -> bool {
    if text.bytes().any(|byte| matches!(byte, 0..0x20 | b'"' | b'\\')) {
        return write_json(out, text);
    }
    out.push('"');
    out.push_str(text);
    out.push('"');
    true
}

/// Writes a text or a number as JSON.
fn write_json<T: serde::Serialize + ?Sized>(out: &mut String, value: &T) -> bool {
    serde_json::to_string(value).map(|json| out.push_str(&json)).is_ok()
}

#[cfg(test)]
mod tests {
    use bson::{Bson, RawBson, doc, oid::ObjectId, spec::BinarySubtype};

    use super::*;

    #[test]
    fn dates_lose_nothing() {
        for (millis, expected) in [
            (500, r#"{"$date":"1970-01-01T00:00:00.500Z"}"#),
            (0, r#"{"$date":"1970-01-01T00:00:00Z"}"#),
            (-1, r#"{"$date":{"$numberLong":"-1"}}"#),
            (253_402_300_799_999, r#"{"$date":"9999-12-31T23:59:59.999Z"}"#),
            (253_402_300_800_000, r#"{"$date":{"$numberLong":"253402300800000"}}"#),
            (i64::MAX, r#"{"$date":{"$numberLong":"9223372036854775807"}}"#),
        ] {
            let mut text = String::new();
            assert!(write_relaxed(&mut text, RawBsonRef::DateTime(bson::DateTime::from_millis(millis))));
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn equals_the_bson_crate_for_every_type() {
        let document = doc! {
            "text": "a\"b\\c\n\u{1}é", "i32": 7, "i64": 9_007_199_254_740_993_i64, "whole": 1.0, "tiny": 5e-324,
            "nan": f64::NAN, "inf": f64::NEG_INFINITY, "yes": true, "nothing": Bson::Null,
            "id": ObjectId::from_bytes([7; 12]), "date": bson::DateTime::from_millis(1_738_315_800_123),
            "early": bson::DateTime::from_millis(-1), "whole_second": bson::DateTime::from_millis(1_738_315_800_000),
            "first": bson::DateTime::from_millis(0), "price": "1.10".parse::<bson::Decimal128>().expect("a decimal"),
            "nested": { "empty": {}, "array": [1, [2_i64, {"$deep": "x"}], []] },
            "binary": Bson::Binary(bson::Binary { subtype: BinarySubtype::Generic, bytes: vec![1, 2, 3] }),
            "regex": Bson::RegularExpression(bson::Regex { pattern: "^a".try_into().expect("no NUL"), options: "i".try_into().expect("no NUL") }),
            "stamp": Bson::Timestamp(bson::Timestamp { time: 1, increment: 2 }), "min": Bson::MinKey, "max": Bson::MaxKey,
        };
        let raw = RawBson::try_from(Bson::Document(document.clone())).expect("encodes");
        let mut text = String::new();
        assert!(write_relaxed(&mut text, raw.as_raw_bson_ref()));
        assert_eq!(text, Bson::Document(document).into_relaxed_extjson().to_string());
    }
}
