//! JSON as people type it, read strictly, and match documents in Extended JSON.
//!
//! Messages are fragments of sentences: the caller prepends which text they are about.

use bson::{Bson, Document};
use serde_json::{Map, Value};

use super::shell_syntax;
use super::strict_json::{DEEPEST, Unreadable, read_json};

/// Operators that run code on the server.
const SERVER_CODE: [&str; 3] = ["$where", "$function", "$accumulator"];
/// Non-deterministic operators: a cached result would go stale on its own.
const NON_DETERMINISTIC: [&str; 2] = ["$rand", "$sampleRate"];
/// Non-deterministic variables. The user's roles are one, because an administrator may change them.
const NON_DETERMINISTIC_VARIABLES: [&str; 3] = ["$$NOW", "$$CLUSTER_TIME", "$$USER_ROLES"];

/// Keys that make an object a single value of a BSON type.
const TYPE_KEYS: [&str; 17] = [
    "$oid",
    "$symbol",
    "$regularExpression",
    "$numberInt",
    "$numberLong",
    "$numberDouble",
    "$numberDecimal",
    "$binary",
    "$uuid",
    "$code",
    "$timestamp",
    "$date",
    "$minKey",
    "$maxKey",
    "$dbPointer",
    "$undefined",
    "$scope",
];

/// Reads one JSON object: no key twice in one object, no NUL in a key, bounded depth, no whole number
/// that would lose digits. The message says line and column.
pub(crate) fn parse_object(text: &str) -> Result<Map<String, Value>, String> {
    parse_within(text, DEEPEST)
}

/// Reads a match document as people type it: JSON, or what MongoDB's shell accepts. The message says line and column.
pub(crate) fn parse_typed(text: &str) -> Result<Map<String, Value>, String> {
    let (place, message) = match read_json(text, DEEPEST) {
        Ok(Value::Object(map)) => return Ok(map),
        Ok(_) => return Err(NO_OBJECT.to_owned()),
        Err(Unreadable { place, what }) => (place, unreadable(place, &what)),
    };
    // The reader that got further describes the problem better.
    match shell_syntax::parse_object(text) {
        Ok(map) => Ok(map),
        Err(other) if other.place >= place => Err(unreadable(other.place, &other.what)),
        Err(_) => Err(message),
    }
}

/// Reads what this program wrote. The canonical form of a value is nested more deeply than what was typed.
pub(crate) fn parse_stored(text: &str) -> Result<Map<String, Value>, String> {
    parse_within(text, DEEPEST + 10)
}

const NO_OBJECT: &str = "is not an object in braces";

fn parse_within(text: &str, deepest: usize) -> Result<Map<String, Value>, String> {
    match read_json(text, deepest) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err(NO_OBJECT.to_owned()),
        Err(error) => Err(unreadable(error.place, &error.what)),
    }
}

fn unreadable((line, column): (usize, usize), what: &str) -> String {
    format!("cannot be read at line {line}, column {column}: {what}")
}

/// Turns a JSON object into a match document. The message says the path of the problem.
pub(crate) fn match_document(map: Map<String, Value>) -> Result<Document, String> {
    if let Some((path, why)) = map.iter().find_map(|(key, value)| refused_in(key, value, "")) {
        return Err(format!("uses {path}, which {why} and is not allowed"));
    }
    if let Some(key) = map.keys().find(|key| TYPE_KEYS.contains(&key.as_str())) {
        return Err(format!("is a single value ({key}), not conditions on fields"));
    }
    document(map, "")
}

/// The canonical Extended JSON of a document.
pub(crate) fn canonical(document: &Document) -> Value {
    Bson::Document(document.clone()).into_canonical_extjson()
}

/// The relaxed Extended JSON of a document if it reads back as the same document, else the canonical.
pub(crate) fn readable(document: &Document) -> Value {
    let relaxed = Bson::Document(document.clone()).into_relaxed_extjson();
    let same = match relaxed.clone() {
        // Compared as canonical JSON: two NaN are the same value here.
        Value::Object(map) => match_document(map).is_ok_and(|read| canonical(&read) == canonical(document)),
        _ => false,
    };
    if same { relaxed } else { canonical(document) }
}

/// The path of the first rejected operator at or below a key, and why it is rejected.
fn refused_in(key: &str, value: &Value, above: &str) -> Option<(String, &'static str)> {
    let path = join(above, key);
    // Case is ignored: no other operator has such a name, so it does not matter how a server compares.
    let is_one_of = |refused: &[&str]| refused.iter().any(|name| name.eq_ignore_ascii_case(key));
    if is_one_of(&SERVER_CODE) {
        return Some((path, "runs code on the server"));
    }
    if is_one_of(&NON_DETERMINISTIC) {
        return Some((path, "gives a different result each time"));
    }
    refused_within(value, &path)
}

fn refused_within(value: &Value, path: &str) -> Option<(String, &'static str)> {
    match value {
        Value::Object(map) => map.iter().find_map(|(key, value)| refused_in(key, value, path)),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(at, item)| refused_within(item, &format!("{path}[{at}]")))
        }
        // Elsewhere it is plain text.
        Value::String(text) if path.split(['.', '[']).any(|part| part == "$expr") => {
            let name = text.split('.').next().unwrap_or_default();
            let is_non_deterministic =
                NON_DETERMINISTIC_VARIABLES.iter().any(|variable| variable.eq_ignore_ascii_case(name));
            is_non_deterministic.then(|| (format!("{name} at {path}"), "gives a different result each time"))
        }
        _ => None,
    }
}

fn document(map: Map<String, Value>, path: &str) -> Result<Document, String> {
    map.into_iter()
        .map(|(key, value)| {
            let value = bson(value, &join(path, &key))?;
            Ok((key, value))
        })
        .collect()
}

fn bson(value: Value, path: &str) -> Result<Bson, String> {
    match value {
        Value::Object(map) if !map.keys().any(|key| TYPE_KEYS.contains(&key.as_str())) => {
            document(map, path).map(Bson::Document)
        }
        Value::Array(items) => items
            .into_iter()
            .enumerate()
            .map(|(at, item)| bson(item, &format!("{path}[{at}]")))
            .collect::<Result<_, _>>()
            .map(Bson::Array),
        single => Bson::try_from(single).map_err(|error| {
            let why = error.message.clone().unwrap_or_else(|| error.to_string());
            format!("has a value at {path} that is not Extended JSON: {why}")
        }),
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use bson::doc;

    use super::*;

    fn read(text: &str) -> Result<Document, String> {
        parse_object(text).and_then(match_document)
    }

    #[test]
    fn both_forms_of_extended_json_are_read() {
        let id = bson::oid::ObjectId::parse_str("65a1b2c3d4e5f60718293a4b").unwrap();
        assert_eq!(
            read(
                r#"{"_id": {"$oid": "65a1b2c3d4e5f60718293a4b"}, "n": {"$gt": {"$numberLong": "7"}}, "x": [1, 2.5, null]}"#
            ),
            Ok(doc! {"_id": id, "n": {"$gt": 7_i64}, "x": [1, 2.5, null]})
        );
    }

    #[test]
    fn what_is_another_each_time_is_refused() {
        for (text, path) in [
            (r#"{"$expr": {"$gte": ["$end", "$$NOW"]}}"#, "$$NOW at $expr.$gte[1]"),
            (
                r#"{"$or": [{"$expr": {"$lt": ["$$CLUSTER_TIME.t", "$t"]}}]}"#,
                "$$CLUSTER_TIME at $or[0].$expr.$lt[0]",
            ),
            (r#"{"$expr": {"$in": ["$desk", "$$USER_ROLES.role"]}}"#, "$$USER_ROLES at $expr.$in[1]"),
            (r#"{"$expr": {"$lt": [{"$rand": {}}, 0.5]}}"#, "$expr.$lt[0].$rand"),
            (r#"{"$sampleRate": 0.5}"#, "$sampleRate"),
        ] {
            let message = read(text).unwrap_err();
            assert!(message.contains(path) && message.contains("a different result each time"), "{message}");
        }
        // Outside an expression it is plain text.
        assert!(read(r#"{"note": "$$NOW", "$expr": {"$eq": ["$a", "$$ROOT.b"]}}"#).is_ok());
    }

    #[test]
    fn what_cannot_be_read_is_placed() {
        let message = read("{\"a\": 1,\n  \"b\": }").unwrap_err();
        assert!(message.contains("line 2, column 8"), "{message}");
        let message = read(r#"{"a": 1, "a": 2}"#).unwrap_err();
        assert!(message.contains("\"a\" appears twice") && message.contains("line 1"), "{message}");
        assert!(read(r#"{"a\u0000b": 1}"#).unwrap_err().contains("NUL"));
        assert!(read("[1]").unwrap_err().contains("not an object"));
        assert!(read("{} {}").unwrap_err().contains("line 1"));
        assert!(read(r#"{"n": 18446744073709551615}"#).unwrap_err().contains("64 bits"));
        assert!(read(r#"{"$oid": "65a1b2c3d4e5f60718293a4b"}"#).unwrap_err().contains("single value"));
        let message = read(r#"{"$or": [{"a": 1}, {"b": {"$oid": "nope"}}]}"#).unwrap_err();
        assert!(message.contains("$or[1].b"), "{message}");
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |levels: usize| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
        assert!(read(&nested(100)).is_ok());
        assert!(read(&nested(101)).unwrap_err().contains("100 levels"));
        assert!(read(&nested(5_000)).is_err());
    }

    #[test]
    fn server_side_code_is_refused_wherever_it_hides() {
        for (text, path) in [
            (r#"{"$where": "true"}"#, "$where"),
            (r#"{"$or": [{"a": 1}, {"$where": "true"}]}"#, "$or[1].$where"),
            (r#"{"\u0024where": "true"}"#, "$where"),
            (r#"{"$expr": {"$eq": [{"$function": {"body": "x"}}, 1]}}"#, "$expr.$eq[0].$function"),
            (r#"{"a": {"$code": "x", "$scope": {"$accumulator": {}}}}"#, "a.$scope.$accumulator"),
        ] {
            let message = read(text).unwrap_err();
            assert!(message.contains(&format!("uses {path},")), "{message}");
        }
        // As a value it is plain text.
        assert!(read(r#"{"a": "$where"}"#).is_ok());
    }

    #[test]
    fn the_readable_form_reads_back_the_same() {
        for document in [
            doc! {"a": 1, "b": "x"},
            doc! {"a": 7_i64},
            doc! {"a": {"$in": [1.0, 2.5]}},
            doc! {"a": f64::NAN},
        ] {
            let text = readable(&document).to_string();
            assert_eq!(canonical(&read(&text).unwrap()).to_string(), canonical(&document).to_string());
        }
        assert_eq!(readable(&doc! {"a": 1}).to_string(), r#"{"a":1}"#);
    }
}
