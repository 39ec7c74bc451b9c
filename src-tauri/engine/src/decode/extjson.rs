//! Relaxed Extended JSON written straight from raw BSON.
//!
//! The `bson` crate can do this by way of two trees; an array in every document makes that the
//! slowest step of a fetch. The common types are written directly, the rest go through the crate,
//! and a test compares the two.

use std::fmt::Write as _;

use bson::{RawArray, RawBsonRef, RawDocument};

/// Deepest nesting that is written; MongoDB itself allows 100 levels.
const MAX_DEPTH: usize = 200;

/// Appends `value` to `out`. False where the bytes are not valid BSON (`out` is then unfinished).
#[must_use]
pub fn write_relaxed(out: &mut String, value: RawBsonRef<'_>) -> bool {
    write_value(out, value, 0)
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
        RawBsonRef::String(text) => return write_json(out, text),
        RawBsonRef::ObjectId(id) => return write!(out, r#"{{"$oid":"{}"}}"#, id.to_hex()).is_ok(),
        RawBsonRef::Decimal128(number) => {
            return write!(out, r#"{{"$numberDecimal":"{number}"}}"#).is_ok();
        }
        RawBsonRef::Document(document) => return write_document(out, document, depth),
        RawBsonRef::Array(array) => return write_array(out, array, depth),
        rare => {
            let Ok(value) = bson::Bson::try_from(rare) else { return false };
            return write_json(out, &value.into_relaxed_extjson());
        }
    }
    true
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
        if !write_json(out, key.as_str()) {
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

/// JSON's own spelling of a text or a number.
fn write_json<T: serde::Serialize + ?Sized>(out: &mut String, value: &T) -> bool {
    serde_json::to_string(value).map(|json| out.push_str(&json)).is_ok()
}

#[cfg(test)]
mod tests {
    use bson::{Bson, RawBson, doc, oid::ObjectId, spec::BinarySubtype};

    use super::*;

    #[test]
    fn equals_the_bson_crate_for_every_type() {
        let document = doc! {
            "text": "a\"b\\c\n\u{1}é", "i32": 7, "i64": 9_007_199_254_740_993_i64, "whole": 1.0, "tiny": 5e-324,
            "nan": f64::NAN, "inf": f64::NEG_INFINITY, "yes": true, "nothing": Bson::Null,
            "id": ObjectId::from_bytes([7; 12]), "date": bson::DateTime::from_millis(1_738_315_800_123),
            "early": bson::DateTime::from_millis(-1), "price": "1.10".parse::<bson::Decimal128>().expect("a decimal"),
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
