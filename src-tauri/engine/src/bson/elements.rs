//! Reads the elements of a document one after the other, quickly if their names are the expected ones.
//!
//! The `bson` crate looks for the end of each name, checks that the name is UTF-8, and then compares it. Documents of a
//! collection mostly have the same names in the same order, so comparing the bytes with the expected name is enough.
//! Values of the common types are read here; the others, and all that is not valid, are left to the crate. A test
//! compares the two.

use std::ffi::CStr;

use bson::oid::ObjectId;
use bson::{DateTime, Decimal128, RawBsonRef, RawDocument, RawDocumentBuf};

/// The types of elements: <https://bsonspec.org/spec.html>.
mod tag {
    pub(super) const DOUBLE: u8 = 0x01;
    pub(super) const STRING: u8 = 0x02;
    pub(super) const DOCUMENT: u8 = 0x03;
    pub(super) const ARRAY: u8 = 0x04;
    pub(super) const BINARY: u8 = 0x05;
    pub(super) const UNDEFINED: u8 = 0x06;
    pub(super) const OBJECT_ID: u8 = 0x07;
    pub(super) const BOOLEAN: u8 = 0x08;
    pub(super) const DATE: u8 = 0x09;
    pub(super) const NULL: u8 = 0x0a;
    pub(super) const PATTERN: u8 = 0x0b;
    pub(super) const POINTER: u8 = 0x0c;
    pub(super) const CODE: u8 = 0x0d;
    pub(super) const SYMBOL: u8 = 0x0e;
    pub(super) const CODE_WITH_SCOPE: u8 = 0x0f;
    pub(super) const INT32: u8 = 0x10;
    pub(super) const TIMESTAMP: u8 = 0x11;
    pub(super) const INT64: u8 = 0x12;
    pub(super) const DECIMAL: u8 = 0x13;
    pub(super) const MAX_KEY: u8 = 0x7f;
    pub(super) const MIN_KEY: u8 = 0xff;
}

/// The bytes are not valid BSON from here on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// The elements of a document.
#[derive(Debug)]
pub(crate) struct Elements<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// The name of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name<'a> {
    /// The one that was expected.
    Expected,
    /// This one, which need not be UTF-8.
    Other(&'a [u8]),
}

/// An element whose value is not read yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Element<'a> {
    pub(crate) name: Name<'a>,
    tag: u8,
    value: &'a [u8],
    /// The tag, the name and the value.
    whole: &'a [u8],
}

impl<'a> Elements<'a> {
    /// The elements of a document.
    pub(crate) fn of(document: &'a RawDocument) -> Self {
        Self { bytes: document.as_bytes(), at: 4 }
    }

    /// The next element; `None` at the end. The expected name has no zero byte.
    ///
    /// # Errors
    /// The element is not valid. There is none after it.
    pub(crate) fn next(&mut self, expected: Option<&str>) -> Result<Option<Element<'a>>, Malformed> {
        let (bytes, start) = (self.bytes, self.at);
        if start + 1 == bytes.len() {
            return if bytes[start] == 0 { Ok(None) } else { Err(Malformed) };
        }
        let tag = *bytes.get(start).ok_or(Malformed)?;
        let rest = &bytes[start + 1..];
        let is_expected = |name: &str| rest.get(name.len()) == Some(&0) && rest.starts_with(name.as_bytes());
        let (name, length) = match expected {
            Some(expected) if is_expected(expected) => (Name::Expected, expected.len()),
            _ => {
                let name = before_zero(rest)?;
                (Name::Other(name), name.len())
            }
        };
        let rest = &rest[length + 1..];
        let value = rest.get(..size(tag, rest)?).ok_or(Malformed)?;
        self.at = start + 1 + length + 1 + value.len();
        Ok(Some(Element { name, tag, value, whole: &bytes[start..self.at] }))
    }
}

impl<'a> Element<'a> {
    /// The value, if it is of a common type and valid.
    pub(crate) fn value(&self) -> Option<RawBsonRef<'a>> {
        let value = self.value;
        Some(match self.tag {
            tag::DOUBLE => RawBsonRef::Double(f64::from_le_bytes(value.try_into().ok()?)),
            tag::STRING => RawBsonRef::String(std::str::from_utf8(value.get(4..value.len() - 1)?).ok()?),
            tag::DOCUMENT => RawBsonRef::Document(RawDocument::from_bytes(value).ok()?),
            tag::OBJECT_ID => RawBsonRef::ObjectId(ObjectId::from_bytes(value.try_into().ok()?)),
            tag::BOOLEAN => RawBsonRef::Boolean(match value {
                [0] => false,
                [1] => true,
                _ => return None,
            }),
            tag::DATE => {
                RawBsonRef::DateTime(DateTime::from_millis(i64::from_le_bytes(value.try_into().ok()?)))
            }
            tag::NULL => RawBsonRef::Null,
            tag::INT32 => RawBsonRef::Int32(i32::from_le_bytes(value.try_into().ok()?)),
            tag::INT64 => RawBsonRef::Int64(i64::from_le_bytes(value.try_into().ok()?)),
            tag::DECIMAL => RawBsonRef::Decimal128(Decimal128::from_bytes(value.try_into().ok()?)),
            _ => return None,
        })
    }

    /// A document with this element alone, from which the `bson` crate can read any value.
    ///
    /// # Errors
    /// It is longer than a document can be.
    pub(crate) fn alone(&self) -> Result<RawDocumentBuf, Malformed> {
        let length = 4 + self.whole.len() + 1;
        let mut bytes = Vec::with_capacity(length);
        bytes.extend_from_slice(&i32::try_from(length).map_err(|_| Malformed)?.to_le_bytes());
        bytes.extend_from_slice(self.whole);
        bytes.push(0);
        RawDocumentBuf::from_bytes(bytes).map_err(|_| Malformed)
    }
}

/// How many bytes the value takes that the bytes begin with.
fn size(tag: u8, bytes: &[u8]) -> Result<usize, Malformed> {
    Ok(match tag {
        tag::NULL | tag::UNDEFINED | tag::MIN_KEY | tag::MAX_KEY => 0,
        tag::BOOLEAN => 1,
        tag::INT32 => 4,
        tag::DOUBLE | tag::DATE | tag::INT64 | tag::TIMESTAMP => 8,
        tag::OBJECT_ID => 12,
        tag::DECIMAL => 16,
        tag::STRING | tag::CODE | tag::SYMBOL => text_size(bytes)?,
        tag::POINTER => text_size(bytes)? + 12,
        tag::DOCUMENT | tag::ARRAY => {
            let size = length(bytes)?;
            let ends_with_zero = size >= 5 && bytes.get(size - 1) == Some(&0);
            if ends_with_zero { size } else { return Err(Malformed) }
        }
        tag::BINARY => length(bytes)? + 5,
        tag::CODE_WITH_SCOPE => length(bytes)?,
        tag::PATTERN => {
            let pattern = text_before_zero(bytes)?.len() + 1;
            pattern + text_before_zero(&bytes[pattern..])?.len() + 1
        }
        _ => return Err(Malformed),
    })
}

/// The length that the bytes begin with.
fn length(bytes: &[u8]) -> Result<usize, Malformed> {
    let length = bytes.first_chunk().ok_or(Malformed)?;
    usize::try_from(i32::from_le_bytes(*length)).map_err(|_| Malformed)
}

/// The size of a text with its length before it and a zero byte after it.
fn text_size(bytes: &[u8]) -> Result<usize, Malformed> {
    let size = length(bytes)? + 4;
    let ends_with_zero = size >= 5 && bytes.get(size - 1) == Some(&0);
    if ends_with_zero { Ok(size) } else { Err(Malformed) }
}

/// The text up to the first zero byte.
fn text_before_zero(bytes: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(before_zero(bytes)?).map_err(|_| Malformed)
}

fn before_zero(bytes: &[u8]) -> Result<&[u8], Malformed> {
    CStr::from_bytes_until_nul(bytes).map(CStr::to_bytes).map_err(|_| Malformed)
}

#[cfg(test)]
mod tests {
    use bson::spec::BinarySubtype;
    use bson::{Binary, Bson, JavaScriptCodeWithScope, Regex, Timestamp, doc};
    use proptest::prelude::*;

    use super::*;

    /// A document with every type of value.
    fn every_type() -> bson::Document {
        doc! {
            "_id": ObjectId::from_bytes([7; 12]), "text": "Zürich", "empty": "", "int": 1_i32, "long": 2_i64,
            "double": -0.0, "yes": true, "date": DateTime::from_millis(-5), "null": Bson::Null,
            "decimal": "1.50".parse::<Decimal128>().expect("a decimal"), "sub": { "a": 1, "b": { "text": "x" } },
            "list": ["a", { "b": 1.5 }], "": "no name", "undefined": Bson::Undefined, "min": Bson::MinKey,
            "max": Bson::MaxKey, "stamp": Bson::Timestamp(Timestamp { time: 3, increment: 4 }),
            "bytes": Bson::Binary(Binary { subtype: BinarySubtype::Generic, bytes: vec![1, 2] }),
            "old": Bson::Binary(Binary { subtype: BinarySubtype::BinaryOld, bytes: vec![1, 2] }),
            "pattern": Bson::RegularExpression(Regex {
                pattern: "a.b".try_into().expect("a pattern"), options: "im".try_into().expect("options"),
            }),
            "code": Bson::JavaScriptCode("f()".into()), "symbol": Bson::Symbol("s".into()),
            "scope": Bson::JavaScriptCodeWithScope(JavaScriptCodeWithScope {
                code: "g()".into(), scope: doc! { "y": 1 },
            }),
        }
    }

    /// Names and values as texts, and whether the bytes are valid to the end. Values that are not valid are *bad*.
    type Found = (Vec<(String, String)>, bool);

    fn by_the_crate(document: &RawDocument) -> Found {
        let mut found = Vec::new();
        for element in document.iter_elements() {
            let Ok(element) = element else { return (found, false) };
            let value = element.value().map_or_else(|_| "bad".to_owned(), |value| format!("{value:?}"));
            found.push((element.key().as_str().to_owned(), value));
        }
        (found, true)
    }

    /// What is found if these names are expected, one after the other.
    fn found(document: &RawDocument, expected: &[&str]) -> Found {
        let mut elements = Elements::of(document);
        let mut found = Vec::new();
        loop {
            let name = expected.get(found.len()).copied();
            let element = match elements.next(name) {
                Ok(Some(element)) => element,
                Ok(None) => return (found, true),
                Err(Malformed) => return (found, false),
            };
            let name = match element.name {
                Name::Expected => name.expect("one was expected"),
                Name::Other(name) => match std::str::from_utf8(name) {
                    Ok(name) => name,
                    Err(_) => return (found, false),
                },
            };
            let value = element.value().map(|value| format!("{value:?}"));
            let value = value.unwrap_or_else(|| {
                let alone = element.alone().expect("short enough");
                // The crate may find no element in bytes that it would have found a bad one in.
                let element = alone.iter_elements().next().expect("an element");
                element
                    .and_then(|of| of.value().map(|value| format!("{value:?}")))
                    .unwrap_or("bad".to_owned())
            });
            found.push((name.to_owned(), value));
        }
    }

    fn raw(document: &bson::Document) -> RawDocumentBuf {
        RawDocumentBuf::try_from(document).expect("encodes")
    }

    #[test]
    fn every_type_reads_as_with_the_crate() {
        let document = raw(&every_type());
        let by_the_crate = by_the_crate(&document);
        assert!(by_the_crate.1 && by_the_crate.0.len() == every_type().len());
        let names: Vec<&str> = by_the_crate.0.iter().map(|(name, _)| name.as_str()).collect();
        let others: Vec<&str> = names.iter().rev().copied().collect();
        for expected in [&names[..], &others, &[], &["_id", "tex", "int"]] {
            assert_eq!(found(&document, expected), by_the_crate, "{expected:?}");
        }
        assert_eq!(found(&raw(&doc! {}), &["a"]), (vec![], true));
        for name in names.iter().chain(&["absent", "tex", "text\0"]) {
            let by_the_crate = document.get(name).expect("valid");
            let found = crate::bson::path::field(&document, name).expect("valid");
            assert_eq!(format!("{found:?}"), format!("{by_the_crate:?}"), "{name}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Documents with bytes changed at will, their own lengths included.
        #[test]
        fn damaged_documents_read_as_with_the_crate(
            changes in prop::collection::vec((4_usize..1_000, any::<u8>()), 0..4),
            knows_names: bool,
        ) {
            let intact = raw(&every_type());
            let mut bytes = intact.as_bytes().to_vec();
            let last = bytes.len() - 1;
            for (at, byte) in changes {
                bytes[4 + at % (last - 4)] = byte;
            }
            let document = RawDocumentBuf::from_bytes(bytes).expect("its own length is right");
            let names = by_the_crate(&intact).0;
            let names: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
            let expected = if knows_names { &names[..] } else { &[] };
            prop_assert_eq!(found(&document, expected), by_the_crate(&document));
        }
    }
}
