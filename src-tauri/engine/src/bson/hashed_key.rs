//! MongoDB's `$toHashedIndexKey`, computed locally: Verify has the server sum the hashes of each trade's `_id` and
//! change stamp per day, and compares the sums with those of the cached documents.
//!
//! The server also hashes a constant. If its result differs from ours, its sums are not used.

use bson::{Bson, Document, RawBsonRef, RawDocument, bson, doc};
use md5::{Digest as _, Md5};

/// The moduli of two sums of remainders, which do not overflow and together detect more differences than one: `$sum`
/// turns a sum that is too large for 64 bits into a double.
const MODULI: [(&str, i64); 2] = [("hash_a", 2_147_483_647), ("hash_b", 2_147_483_629)];
/// The name of the field with the hash of the constant.
const PROBE: &str = "probe";

/// The sums of the hashes of a day's trades.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct HashSums([i64; MODULI.len()]);

impl HashSums {
    /// Adds a document. Returns false if its hash cannot be computed here because its `_id` or stamp has an unusual
    /// type.
    #[must_use]
    pub(crate) fn add(&mut self, document: &RawDocument, changed_at: Option<&str>) -> bool {
        let Some(hash) = hash_of(document, changed_at) else { return false };
        for (sum, (_, modulus)) in self.0.iter_mut().zip(MODULI) {
            *sum += hash % modulus;
        }
        true
    }

    /// The sums in a group of the server's result; `None` if it has none or if the server hashes differently.
    #[must_use]
    pub(crate) fn in_group(group: &Document) -> Option<Self> {
        if whole(group.get(PROBE)?)? != hash_of(&probe_document(), Some("all"))? {
            return None;
        }
        let mut sums = Self::default();
        for (sum, (name, _)) in sums.0.iter_mut().zip(MODULI) {
            *sum = whole(group.get(name)?)?;
        }
        Some(sums)
    }

    /// Adds the sums of another group of the same day.
    pub(crate) fn extend(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, more)| *sum += more);
    }
}

/// The accumulators that a group needs besides its count.
#[must_use]
pub(crate) fn accumulators(changed_at: Option<&str>) -> Document {
    let hash = |value: Bson| bson!({"$toHashedIndexKey": value});
    let mut key = doc! {"_id": "$_id"};
    key.extend(changed_at.map(|path| ("changed".to_owned(), Bson::from(format!("${path}")))));
    let mut wanted = doc! {PROBE: {"$max": hash(bson!({"$literal": probe()}))}};
    for (name, modulus) in MODULI {
        wanted.insert(name, doc! {"$sum": {"$mod": [hash(key.clone().into()), modulus]}});
    }
    wanted
}

/// A value of each type that is hashed here.
fn probe() -> Document {
    let id = bson::oid::ObjectId::from_bytes([7; 12]);
    let stamp = bson::Timestamp { time: 5, increment: 6 };
    let uuid = bson::Binary { subtype: bson::spec::BinarySubtype::Uuid, bytes: vec![9; 16] };
    doc! {
        "_id": "tidemark",
        "changed": {
            "int": 5, "long": 7_i64, "double": 2.5, "text": "é", "id": id, "flag": true, "null": Bson::Null,
            "date": bson::DateTime::from_millis(1_234_567_890_123), "stamp": stamp, "uuid": uuid,
        },
    }
}

/// A document whose key is the probe.
fn probe_document() -> bson::RawDocumentBuf {
    let mut document = probe();
    if let Some(changed) = document.remove("changed") {
        document.insert("all", changed);
    }
    bson::RawDocumentBuf::try_from(&document).unwrap_or_default()
}

fn whole(value: &Bson) -> Option<i64> {
    match value {
        Bson::Int32(number) => Some(i64::from(*number)),
        Bson::Int64(number) => Some(*number),
        _ => None,
    }
}

/// The hash of `{_id: …, changed: …}`, each left out if the document has none.
fn hash_of(document: &RawDocument, changed_at: Option<&str>) -> Option<i64> {
    let mut hasher = Md5::new();
    hasher.update(0_i32.to_le_bytes());
    hasher.update(OBJECT.to_le_bytes());
    if let Some(id) = document.get("_id").ok()? {
        add(&mut hasher, Some("_id"), id)?;
    }
    if let Some(path) = changed_at
        && let Some(value) = at(document, path).ok()?
    {
        add(&mut hasher, Some("changed"), value)?;
    }
    hasher.update(END.to_le_bytes());
    let digest = hasher.finalize();
    Some(i64::from_le_bytes(*digest.first_chunk()?))
}

/// The value of a field path as an expression sees it; an error if there is an array at or on the path, since an
/// expression may make a new array of it.
fn at<'a>(document: &'a RawDocument, path: &str) -> Result<Option<RawBsonRef<'a>>, ()> {
    let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
    match (document.get(head).map_err(|_| ())?, rest) {
        (Some(RawBsonRef::Array(_)), _) => Err(()),
        (Some(RawBsonRef::Document(inner)), Some(rest)) => at(inner, rest),
        (_, Some(_)) => Ok(None),
        (value, None) => Ok(value),
    }
}

/// The sort order numbers of BSON types, which are part of the hash.
const END: i32 = 0;
const OBJECT: i32 = 20;

fn add(hasher: &mut Md5, name: Option<&str>, value: RawBsonRef<'_>) -> Option<()> {
    let kind: i32 = match value {
        RawBsonRef::Null => 5,
        RawBsonRef::Int32(_) | RawBsonRef::Int64(_) | RawBsonRef::Double(_) => 10,
        RawBsonRef::String(_) => 15,
        RawBsonRef::Document(_) => OBJECT,
        RawBsonRef::Binary(_) => 30,
        RawBsonRef::ObjectId(_) => 35,
        RawBsonRef::Boolean(_) => 40,
        RawBsonRef::DateTime(_) => 45,
        RawBsonRef::Timestamp(_) => 47,
        _ => return None,
    };
    hasher.update(kind.to_le_bytes());
    if let Some(name) = name {
        hasher.update(name.as_bytes());
        hasher.update([0]);
    }
    match value {
        RawBsonRef::Int32(number) => hasher.update(i64::from(number).to_le_bytes()),
        RawBsonRef::Int64(number) => hasher.update(number.to_le_bytes()),
        RawBsonRef::Double(number) => {
            // Beyond this, the server follows rules of its own.
            const EXACT: f64 = 9_007_199_254_740_992.0;
            if !number.is_finite() || number.abs() >= EXACT {
                return None;
            }
            #[expect(clippy::cast_possible_truncation, reason = "checked, and the server cuts it off too")]
            hasher.update((number as i64).to_le_bytes());
        }
        RawBsonRef::String(text) => {
            hasher.update(i32::try_from(text.len() + 1).ok()?.to_le_bytes());
            hasher.update(text.as_bytes());
            hasher.update([0]);
        }
        RawBsonRef::Binary(binary) if binary.subtype != bson::spec::BinarySubtype::BinaryOld => {
            hasher.update(i32::try_from(binary.bytes.len()).ok()?.to_le_bytes());
            hasher.update([u8::from(binary.subtype)]);
            hasher.update(binary.bytes);
        }
        RawBsonRef::ObjectId(id) => hasher.update(id.bytes()),
        RawBsonRef::Boolean(flag) => hasher.update([u8::from(flag)]),
        RawBsonRef::DateTime(date) => hasher.update(date.timestamp_millis().to_le_bytes()),
        RawBsonRef::Timestamp(stamp) => {
            hasher.update(stamp.increment.to_le_bytes());
            hasher.update(stamp.time.to_le_bytes());
        }
        RawBsonRef::Document(inner) => {
            for element in inner {
                let (name, value) = element.ok()?;
                add(hasher, Some(name.as_str()), value)?;
            }
            hasher.update(END.to_le_bytes());
        }
        RawBsonRef::Null => {}
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hash of a value alone.
    fn alone(value: RawBsonRef<'_>) -> i64 {
        let mut hasher = Md5::new();
        hasher.update(0_i32.to_le_bytes());
        add(&mut hasher, None, value).expect("a type that is hashed");
        i64::from_le_bytes(*hasher.finalize().first_chunk().expect("16 bytes"))
    }

    /// As MongoDB's shell prints them for `convertShardKeyToHashed`.
    #[test]
    fn known_hashes_come_out() {
        assert_eq!(alone(RawBsonRef::Null), 2_338_878_944_348_059_895);
        assert_eq!(alone(RawBsonRef::Int32(1)), 5_902_408_780_260_971_510);
        assert_eq!(alone(RawBsonRef::Int64(1)), alone(RawBsonRef::Double(1.0)));
    }

    #[test]
    fn a_server_that_hashes_otherwise_is_not_compared_with() {
        let expected = hash_of(&probe_document(), Some("all")).expect("hashed");
        let group = doc! {PROBE: expected, "hash_a": 3_i64, "hash_b": 4};
        assert_eq!(HashSums::in_group(&group), Some(HashSums([3, 4])));
        assert_eq!(HashSums::in_group(&doc! {PROBE: expected + 1, "hash_a": 3_i64, "hash_b": 4}), None);
        assert_eq!(HashSums::in_group(&doc! {PROBE: expected, "hash_a": 3.5, "hash_b": 4}), None);
        assert_eq!(HashSums::in_group(&doc! {"count": 1}), None);
    }

    #[test]
    fn what_cannot_be_hashed_as_the_server_does_is_not() {
        let raw = |document: Document| bson::RawDocumentBuf::try_from(&document).expect("BSON");
        let hash = |document: Document| hash_of(&raw(document), Some("meta.changed"));
        assert!(hash(doc! {"_id": 1, "meta": {"changed": 5}}).is_some());
        assert_ne!(
            hash(doc! {"_id": 1, "meta": {"changed": 5}}),
            hash(doc! {"_id": 1, "meta": {"changed": 6}})
        );
        assert_ne!(hash(doc! {"_id": 1}), hash(doc! {"_id": 2}));
        assert_eq!(hash(doc! {"_id": 1, "meta": 3}), hash(doc! {"_id": 1}));
        assert_eq!(hash(doc! {"_id": 1, "meta": [{"changed": 5}]}), None);
        assert_eq!(
            hash(
                doc! {"_id": bson::Regex { pattern: bson::cstr!("a").into(), options: bson::cstr!("").into() }}
            ),
            None
        );
        assert_eq!(hash(doc! {"_id": 1e300}), None);
    }
}
