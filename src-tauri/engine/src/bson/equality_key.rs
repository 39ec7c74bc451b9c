//! Keys that two values share if and only if MongoDB considers them equal.

use std::fmt::Write as _;

use bson::raw::RawBsonRef;

use super::number::as_number;

/// The deepest nesting of a value that gets a key. MongoDB stores at most 100 levels, but raw bytes may claim any
/// number.
const DEEPEST: usize = 200;

/// Returns a text that two values share if and only if MongoDB considers them equal. `None` for values that cannot
/// serve as an identity: null, undefined, regular expressions, code, `MinKey`, `MaxKey`, and arrays, whose elements
/// count instead.
#[must_use]
pub fn equality_key(value: RawBsonRef<'_>) -> Option<String> {
    let mut key = String::new();
    match value {
        RawBsonRef::String(text) | RawBsonRef::Symbol(text) => {
            key.reserve(text.len() + 2);
            key.push_str("s:");
            key.push_str(text);
        }
        RawBsonRef::Null | RawBsonRef::Array(_) => return None,
        other => write_key(other, &mut key, 0)?,
    }
    Some(key)
}

/// Writes the key of a value. The value may be nested in a document, so each part of the key shows where it ends.
fn write_key(value: RawBsonRef<'_>, key: &mut String, depth: usize) -> Option<()> {
    if depth > DEEPEST {
        return None;
    }
    match value {
        RawBsonRef::String(text) | RawBsonRef::Symbol(text) => write!(key, "s{}:{text}", text.len()),
        RawBsonRef::ObjectId(id) => write!(key, "o:{id}"),
        RawBsonRef::Boolean(truth) => write!(key, "b:{truth}"),
        RawBsonRef::DateTime(at) => write!(key, "d:{}", at.timestamp_millis()),
        RawBsonRef::Timestamp(at) => write!(key, "t:{}.{}", at.time, at.increment),
        RawBsonRef::Null => write!(key, "null"),
        RawBsonRef::Binary(binary) => {
            write!(key, "x{}:{}", u8::from(binary.subtype), hex::encode(binary.bytes))
        }
        RawBsonRef::Document(document) => {
            key.push('{');
            for field in document {
                let (name, value) = field.ok()?;
                write!(key, "{}:{}=", name.as_str().len(), name.as_str()).ok()?;
                write_key(value, key, depth + 1)?;
                key.push(',');
            }
            key.push('}');
            Ok(())
        }
        RawBsonRef::Array(array) => {
            key.push('[');
            for item in array {
                write_key(item.ok()?, key, depth + 1)?;
                key.push(',');
            }
            key.push(']');
            Ok(())
        }
        number => {
            key.push_str("n:");
            as_number(number)?.write_key(key);
            Ok(())
        }
    }
    .ok()
}
