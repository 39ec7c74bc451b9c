//! UUIDs: how a collection stores them, and how they are read and shown.
//!
//! MongoDB has a dedicated binary subtype for them (4). Before it existed, drivers used subtype 3, each with its own
//! byte order, and such a value does not say which.

use bson::Bson;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How a collection stores UUIDs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UuidRepresentation {
    /// Binary subtype 4. Values of subtype 3 are plain bytes.
    #[default]
    Standard,
    /// Subtype 3, as old Java drivers wrote it.
    JavaLegacy,
    /// Subtype 3, as old C# drivers wrote it.
    CsharpLegacy,
    /// Subtype 3, as old Python drivers wrote it: in the order of the digits.
    PythonLegacy,
}

impl UuidRepresentation {
    /// Whether it is the default.
    #[must_use]
    pub fn is_standard(self) -> bool {
        self == Self::Standard
    }

    /// The position of each byte of a UUID in a value of subtype 3; `None` if such values are not UUIDs.
    pub(crate) const fn byte_order(self) -> Option<[usize; 16]> {
        Some(match self {
            Self::Standard => return None,
            Self::JavaLegacy => [7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8],
            Self::CsharpLegacy => [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15],
            Self::PythonLegacy => [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        })
    }

    const fn of_driver(self) -> bson::UuidRepresentation {
        match self {
            Self::Standard => bson::UuidRepresentation::Standard,
            Self::JavaLegacy => bson::UuidRepresentation::JavaLegacy,
            Self::CsharpLegacy => bson::UuidRepresentation::CSharpLegacy,
            Self::PythonLegacy => bson::UuidRepresentation::PythonLegacy,
        }
    }
}

/// A UUID to match, and how it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredUuid {
    uuid: bson::Uuid,
    representation: UuidRepresentation,
}

impl StoredUuid {
    /// Reads a UUID in any common notation: with or without dashes and braces, in upper or lower case.
    #[must_use]
    pub fn parse(text: &str, representation: UuidRepresentation) -> Option<Self> {
        Some(Self { uuid: bson::Uuid::parse_str(text).ok()?, representation })
    }

    /// The value as MongoDB stores it.
    #[must_use]
    pub fn to_binary(self) -> bson::Binary {
        bson::Binary::from_uuid_with_representation(self.uuid, self.representation.of_driver())
    }

    /// The UUID as a person reads it.
    #[must_use]
    pub fn text(self) -> String {
        self.uuid.to_string()
    }

    /// Value and representation as one JSON value.
    pub(crate) fn canonical(self) -> Value {
        let mut value = json!({"$uuid": self.text()});
        if !self.representation.is_standard() {
            value["representation"] = json!(self.representation);
        }
        value
    }

    /// Reads what [`canonical`](Self::canonical) wrote.
    pub(crate) fn from_canonical(value: &Value) -> Option<Self> {
        let representation = match value.get("representation") {
            None => UuidRepresentation::Standard,
            Some(name) => serde_json::from_value(name.clone()).ok()?,
        };
        Self::parse(value.get("$uuid")?.as_str()?, representation)
    }
}

/// Replaces the UUIDs of subtype 4 in a value of relaxed Extended JSON with `$uuid` objects. The result reads back as
/// the same value.
pub(crate) fn show_standard(value: &mut Value) {
    if let Some(text) = text_of(value, UuidRepresentation::Standard) {
        *value = json!({"$uuid": text});
        return;
    }
    match value {
        Value::Object(fields) => fields.values_mut().for_each(show_standard),
        Value::Array(items) => items.iter_mut().for_each(show_standard),
        _ => {}
    }
}

/// The text of a UUID in relaxed Extended JSON, stored as the representation says; `None` if the value is none.
pub(crate) fn text_of(value: &Value, representation: UuidRepresentation) -> Option<String> {
    let is_binary = value.as_object()?.len() == 1 && value.get("$binary").is_some_and(Value::is_object);
    match is_binary.then(|| Bson::try_from(value.clone()))? {
        Ok(Bson::Binary(binary)) => {
            Some(binary.to_uuid_with_representation(representation.of_driver()).ok()?.to_string())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const TEXT: &str = "00112233-4455-6677-8899-aabbccddeeff";

    #[test]
    fn the_bytes_are_those_of_the_drivers() {
        for (representation, subtype, bytes) in [
            (UuidRepresentation::Standard, 4, "00112233445566778899aabbccddeeff"),
            (UuidRepresentation::JavaLegacy, 3, "7766554433221100ffeeddccbbaa9988"),
            (UuidRepresentation::CsharpLegacy, 3, "33221100554477668899aabbccddeeff"),
            (UuidRepresentation::PythonLegacy, 3, "00112233445566778899aabbccddeeff"),
        ] {
            let stored = StoredUuid::parse(&TEXT.to_uppercase(), representation).unwrap();
            let binary = stored.to_binary();
            assert_eq!((u8::from(binary.subtype), hex::encode(&binary.bytes)), (subtype, bytes.to_owned()));
            assert_eq!(stored.text(), TEXT);
            assert_eq!(StoredUuid::from_canonical(&stored.canonical()).unwrap(), stored);
            if let Some(order) = representation.byte_order() {
                let read: Vec<u8> = order.iter().map(|place| binary.bytes[*place]).collect();
                assert_eq!(hex::encode(read), TEXT.replace('-', ""));
            }
        }
    }

    #[test]
    fn what_is_shown_reads_back_the_same() {
        let binary = |subtype: u8, bytes: &[u8]| {
            Bson::Binary(bson::Binary { subtype: subtype.into(), bytes: bytes.to_vec() })
        };
        let document = Bson::Document(bson::doc! {
            "_id": binary(4, &[7; 16]), "list": [binary(4, &[1; 16]), {"old": binary(3, &[2; 16])}], "short": binary(4, &[1; 15]),
        });
        let mut shown = document.clone().into_relaxed_extjson();
        show_standard(&mut shown);
        assert_eq!(shown["_id"], json!({"$uuid": "07070707-0707-0707-0707-070707070707"}));
        assert_eq!(shown["list"][0], json!({"$uuid": "01010101-0101-0101-0101-010101010101"}));
        assert!(shown["list"][1]["old"]["$binary"].is_object() && shown["short"]["$binary"].is_object());
        assert_eq!(Bson::try_from(shown).unwrap(), document);
    }
}
