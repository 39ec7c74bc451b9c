//! JSON read strictly: no key twice in one object, bounded depth, no whole number that would lose digits.

use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The deepest nesting; more is a mistake or an attack.
pub(crate) const DEEPEST: usize = 100;

/// Reads a number in JSON notation.
pub(crate) fn number(digits: &str) -> Result<Value, String> {
    read_json(digits, 0).map_err(|error| match error.what.contains("64 bits") {
        true => error.what,
        false => format!("{digits} is not a number"),
    })
}

pub(crate) fn read_json(text: &str, deepest: usize) -> Result<Value, Unreadable> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Strict { depth: 0, deepest }.deserialize(&mut reader).and_then(|value| {
        reader.end()?;
        Ok(value)
    });
    value.map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        let said = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text);
        let what = match said {
            _ if error.is_eof() => "the text ends before it is complete",
            "expected value" => "a value was expected",
            "trailing characters" => "nothing may follow the end of it",
            "trailing comma" => "a comma without anything after it",
            "key must be a string" => "a key must be in double quotes",
            said => said,
        };
        Unreadable { place: (line, column), what: what.to_owned() }
    })
}

/// Reads any JSON value, strictly.
#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
    deepest: usize,
}

impl Strict {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == self.deepest {
            return Err(E::custom(format!("nested more than {} levels deep", self.deepest)));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        // MongoDB has no such type, and a double would silently drop digits.
        i64::try_from(value).map(Value::from).map_err(|_| {
            E::custom(format!("{value} does not fit in 64 bits; write {{\"$numberDecimal\": \"{value}\"}}"))
        })
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if key.contains('\0') {
                return Err(A::Error::custom("a key holds a NUL character"));
            }
            if map.contains_key(&key) {
                return Err(A::Error::custom(format!("the key \"{key}\" appears twice in one object")));
            }
            map.insert(key, entries.next_value_seed(inner)?);
        }
        Ok(Value::Object(map))
    }
}

/// Why a text cannot be read, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreadable {
    /// Line and column, from 1.
    pub(crate) place: (usize, usize),
    /// What is wrong there.
    pub(crate) what: String,
}
