//! Trade ids that a person types or pastes, without knowing how the source stores them.

use std::collections::HashSet;

use bson::oid::ObjectId;
use bson::{Bson, Decimal128, RawBson};

use super::filter_value::{FilterValue, Forms};
use super::mapping::Mapping;
use crate::bson::equality_key::equality_key;
use crate::bson::uuids::StoredUuid;
use crate::failure::{Code, Failure, Result};
use crate::rows::Role;
use crate::words::thousands;

/// The most ids that are looked for at once.
pub const MOST_IDS: usize = 1_000;
/// The longest id that is looked for: MongoDB's longest index key of old.
const LONGEST: usize = 1_024;

/// What separates the ids of a pasted list: lines, and the columns of a spreadsheet or of a CSV file.
const SEPARATORS: [char; 4] = ['\n', '\r', '\t', ','];

/// Reads a list of trade ids: one a line, or separated by commas or tabs. Each stands once, in the order given.
///
/// # Errors
/// `bad_filter` if there is none, if there are more than [`MOST_IDS`], or if one is too long.
pub fn read_list(text: &str) -> Result<Vec<String>> {
    let mut known = HashSet::new();
    let ids = text.split(SEPARATORS).map(str::trim).filter(|id| !id.is_empty());
    let ids: Vec<&str> = ids.filter(|id| known.insert(*id)).collect();
    let wrong = |what: String, next: &str| Err(Failure::new(Code::BadFilter, what).advise(next));
    if ids.is_empty() {
        return wrong("There is no trade id.".to_owned(), "Type or paste the ids of the trades to find.");
    }
    if ids.len() > MOST_IDS {
        let what = format!(
            "These are {} trade ids; at most {} are looked for at once.",
            thousands(ids.len() as u64),
            thousands(MOST_IDS as u64)
        );
        return wrong(what, "Look for them in parts.");
    }
    if let Some(long) = ids.iter().find(|id| id.len() > LONGEST) {
        let start: String = long.chars().take(40).collect();
        return wrong(
            format!("\"{start}…\" is too long for a trade id."),
            "Separate the ids by lines or commas.",
        );
    }
    Ok(ids.into_iter().map(str::to_owned).collect())
}

/// A trade id as typed, and the values that it may be stored as.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TradeId {
    /// As it was typed.
    pub(crate) text: String,
    /// What it may be in a document.
    pub(crate) values: Vec<Bson>,
    /// The keys of these values; see [`equality_key`].
    pub(crate) keys: Vec<String>,
}

impl TradeId {
    /// Reads an id. If the mapping declares the type of the field, by a filter on it, the id is read as that and may
    /// have no value at all; otherwise it is looked for as everything that it can mean: `42` as text and as a number,
    /// but `042` as text alone.
    pub(crate) fn read(mapping: &Mapping, text: &str) -> Self {
        let forms = Forms::of(mapping);
        let paths = [Role::Input, Role::Downstream].map(|role| mapping.trade_path(role));
        let declared = mapping.filters.iter().find(|field| paths.contains(&Some(field.path.as_str())));
        let values = match declared {
            Some(field) => FilterValue::parse(field.value_type, text, forms, &field.name)
                .map(|value| vec![value.to_bson()])
                .unwrap_or_default(),
            None => {
                let mut values = vec![Bson::String(text.to_owned())];
                values.extend(whole_number(text));
                values.extend(ObjectId::parse_str(text).ok().map(Bson::ObjectId));
                values
                    .extend(StoredUuid::parse(text, forms.uuids).map(|uuid| Bson::Binary(uuid.to_binary())));
                values
            }
        };
        let key = |value: &Bson| {
            let raw = RawBson::try_from(value.clone()).ok()?;
            equality_key(raw.as_raw_bson_ref())
        };
        Self { text: text.to_owned(), keys: values.iter().filter_map(key).collect(), values }
    }
}

/// The number that a text is the usual spelling of. MongoDB compares numbers by value, so its type does not matter.
fn whole_number(text: &str) -> Option<Bson> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_usual =
        digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0') || text == "0";
    if !is_usual || digits.is_empty() {
        return None;
    }
    match text.parse() {
        Ok(number) => Some(Bson::Int64(number)),
        // Decimal128 has 34 digits.
        Err(_) if digits.len() <= 34 => text.parse::<Decimal128>().ok().map(Bson::Decimal128),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pasted_list_is_read_with_its_blanks() {
        let read = read_list(" T1\r\nT2,T3 \n\n\tT1\t T 4 ,\n").expect("a list");
        assert_eq!(read, ["T1", "T2", "T3", "T 4"]);
        for wrong in ["", " \n,\t", &"x".repeat(1_025)] {
            assert_eq!(read_list(wrong).expect_err("no list").code, Code::BadFilter, "{wrong}");
        }
        let many = |count: usize| (0..count).map(|id| format!("{id}\n")).collect::<String>();
        assert_eq!(read_list(&many(1_000)).expect("a list").len(), 1_000);
        let refused = read_list(&many(1_001)).expect_err("too many");
        assert_eq!(refused.message, "These are 1,001 trade ids; at most 1,000 are looked for at once.");
    }

    #[test]
    fn an_id_is_everything_that_it_can_mean() {
        let keys = |text: &str| TradeId::read(&Mapping::default(), text).keys;
        assert_eq!(keys("T1"), ["s:T1"]);
        assert_eq!(keys("42").len(), 2);
        // A number is equal to itself in every type.
        let as_double = equality_key(bson::RawBsonRef::Double(42.0));
        assert_eq!(keys("42").get(1), as_double.as_ref());
        assert_eq!(keys("042"), ["s:042"]);
        assert_eq!(keys("-"), ["s:-"]);
        assert_eq!(keys("00").len() + keys("1.5").len(), 2);
        assert_eq!(keys("0").len(), 2);
        assert_eq!(keys(&"9".repeat(30)).len(), 2);
        assert_eq!(keys("65f0a0b0c0d0e0f001020304")[1], "o:65f0a0b0c0d0e0f001020304");
        assert_eq!(keys("0f8fad5b-d9cb-469f-a165-70867728950e").len(), 2);
        assert_eq!(keys(r#"{"$gt": ""}"#).len(), 1, "a value is never an operator");
    }

    #[test]
    fn the_type_that_the_mapping_declares_decides() {
        let mapping = |kind: &str| {
            let text = format!(r#"{{"filters": {{"id": {{"path": "trade_id", "type": "{kind}"}}}}}}"#);
            Mapping::parse(&text).expect("a mapping")
        };
        assert_eq!(TradeId::read(&mapping("text"), "42").keys, ["s:42"]);
        assert_eq!(TradeId::read(&mapping("integer"), "42").values, [Bson::Int64(42)]);
        assert!(TradeId::read(&mapping("integer"), "T1").values.is_empty());
    }
}
