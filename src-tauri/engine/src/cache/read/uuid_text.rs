//! Shows UUIDs as text: in SQL, and in values that have been read. Columns hold them like all binary values, as Extended JSON of their bytes, so that
//! cells look the same whenever their days were cached.

use std::borrow::Cow;

use crate::bson::uuids::{self, UuidRepresentation};
use crate::cache::file::sql::{Sql, Text, sql};

/// How a binary value begins in relaxed Extended JSON. It cannot occur within a text, where quotes are escaped.
const BINARY: &str = r#"{"$binary":{"base64":""#;
/// Base64 digits of 16 bytes, including two of padding.
const DIGITS: usize = 24;
/// Numbers of bytes between the dashes of a UUID.
const GROUPS: [usize; 5] = [4, 2, 2, 2, 6];

/// SQL for the text of a column of Extended JSON: a UUID is shown as its own text, and as `{"$uuid": …}` in arrays.
pub(crate) fn shown(column: &Sql, representation: UuidRepresentation) -> Sql {
    let legacy = representation.byte_order().map(|order| (3, order));
    let standard = Some((4, std::array::from_fn(|place| place)));
    let kinds: Vec<(u8, [usize; 16])> = [standard, legacy].into_iter().flatten().collect();
    let (begin, binary) = (BINARY.len(), Text(BINARY));
    let whole = begin + DIGITS + end(4).len();
    let rest = sql!("substr({column}, {})", begin + 1, column);
    let alone = kinds.iter().map(|(subtype, order)| {
        let (is_uuid, text) = (is_uuid(&rest, *subtype), text(&rest, order));
        sql!(
            "WHEN length({column}) = {whole} AND starts_with({column}, {binary}) AND {is_uuid} THEN {text} ",
            column,
            whole,
            binary,
            is_uuid,
            text
        )
    });
    let alone = Sql::join(alone, "");
    let x = sql!("x");
    let within = kinds.iter().map(|(subtype, order)| {
        let (is_uuid, text) = (is_uuid(&x, *subtype), text(&x, order));
        let after = DIGITS + end(*subtype).len() + 1;
        sql!(
            r#"WHEN {is_uuid} THEN '{{"$uuid":"' || {text} || '"}}' || substr(x, {after}) "#,
            is_uuid,
            text,
            after
        )
    });
    let within = Sql::join(within, "");
    sql!(
        "CASE WHEN NOT contains({column}, {binary}) THEN {column} {alone}ELSE array_to_string(list_transform(\
         string_split({column}, {binary}), lambda x, i: CASE WHEN i = 1 THEN x {within}ELSE {binary} || x END), '') END",
        column,
        binary,
        alone,
        within
    )
}

/// The same for a text that has been read.
pub(crate) fn with_uuids(json: &str, representation: UuidRepresentation) -> Cow<'_, str> {
    if !json.contains(BINARY) {
        return Cow::Borrowed(json);
    }
    let mut parts = json.split(BINARY);
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for rest in parts {
        match read_uuid(rest, representation) {
            Some((uuid, "")) if shown.is_empty() => return Cow::Owned(uuid),
            Some((uuid, after)) => shown.extend([r#"{"$uuid":""#, uuid.as_str(), r#""}"#, after]),
            None => shown.extend([BINARY, rest]),
        }
    }
    Cow::Owned(shown)
}

/// The UUID that what follows the beginning of a binary value begins with, and what follows the value.
fn read_uuid(rest: &str, representation: UuidRepresentation) -> Option<(String, &str)> {
    let (digits, rest) = rest.split_at_checked(DIGITS)?;
    [(4, UuidRepresentation::Standard), (3, representation)].into_iter().find_map(|(subtype, stored_as)| {
        let end = end(subtype);
        let after = rest.strip_prefix(end.as_str())?;
        let value = serde_json::from_str(&format!("{BINARY}{digits}{end}")).ok()?;
        Some((uuids::text_of(&value, stored_as)?, after))
    })
}

/// How a binary value of a subtype ends.
fn end(subtype: u8) -> String {
    format!(r#"","subType":"{subtype:02x}"}}}}"#)
}

/// SQL that tests whether what follows the beginning of a binary value is a UUID.
fn is_uuid(rest: &Sql, subtype: u8) -> Sql {
    let end = end(subtype).replace('}', r"\}");
    let digits = DIGITS - 2;
    let pattern = format!("^[A-Za-z0-9+/]{{{digits}}}=={end}");
    sql!("regexp_matches({rest}, {pattern})", rest, pattern = Text(&pattern))
}

/// SQL for the text of a UUID whose base64 digits `rest` begins with. `order` gives the places of its bytes.
fn text(rest: &Sql, order: &[usize; 16]) -> Sql {
    let mut places = order.iter();
    let groups: Vec<Sql> = GROUPS
        .iter()
        .map(|bytes| {
            let places = places.by_ref().take(*bytes);
            Sql::join(places.map(|place| sql!("substr(h, {}, 2)", 2 * place + 1)), " || ")
        })
        .collect();
    let groups = Sql::join(groups, " || '-' || ");
    // A list of one element gives the digits a name.
    sql!(
        "list_transform([lower(hex(from_base64(substr({rest}, 1, {DIGITS}))))], lambda h: {groups})[1]",
        rest,
        DIGITS,
        groups
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use bson::{Binary, Bson, bson};

    use super::*;
    use crate::cache::file::sql::Database;

    const TEXT: &str = "00112233-4455-6677-8899-aabbccddeeff";

    /// The text of a value, in SQL as elsewhere.
    fn show(value: Bson, representation: UuidRepresentation) -> String {
        let json = value.into_relaxed_extjson().to_string();
        let shown = show_in_sql(json.clone(), representation);
        assert_eq!(with_uuids(&json, representation), shown);
        shown
    }

    fn show_in_sql(json: String, representation: UuidRepresentation) -> String {
        let connection = Database::new(duckdb::Connection::open_in_memory().unwrap());
        let sql = sql!("SELECT {} FROM (SELECT ? AS c1)", shown(&sql!("c1"), representation));
        connection.query_row(&sql, [json], |row| row.get(0)).unwrap()
    }

    fn binary(subtype: u8, bytes: &[u8]) -> Bson {
        Bson::Binary(Binary { subtype: subtype.into(), bytes: bytes.to_vec() })
    }

    fn uuid(subtype: u8, order: [usize; 16]) -> Bson {
        let mut stored = [0; 16];
        let bytes = hex::decode(TEXT.replace('-', "")).unwrap();
        order.iter().zip(bytes).for_each(|(place, byte)| stored[*place] = byte);
        binary(subtype, &stored)
    }

    #[test]
    fn a_uuid_is_shown_as_its_text() {
        use UuidRepresentation::{CsharpLegacy, JavaLegacy, PythonLegacy, Standard};
        let standard = || uuid(4, std::array::from_fn(|place| place));
        for representation in [Standard, JavaLegacy, CsharpLegacy, PythonLegacy] {
            assert_eq!(show(standard(), representation), TEXT);
            let Some(order) = representation.byte_order() else { continue };
            assert_eq!(show(uuid(3, order), representation), TEXT);
            let list = bson!([standard(), 1, {"old": uuid(3, order)}, "x"]);
            let expected = format!(r#"[{{"$uuid":"{TEXT}"}},1,{{"old":{{"$uuid":"{TEXT}"}}}},"x"]"#);
            assert_eq!(show(list, representation), expected);
        }
    }

    #[test]
    fn everything_else_stays_as_it_is() {
        for value in [
            binary(3, &[1; 16]),
            binary(4, &[1; 15]),
            binary(4, &[1; 17]),
            binary(4, &[]),
            binary(0, &[1; 16]),
            bson!([binary(3, &[1; 16]), binary(0, b"x"), [binary(4, b"y")]]),
            bson!([r#"{"$binary":{"base64":"AAAAAAAAAAAAAAAAAAAAAA==","subType":"04"}}"#]),
            bson!({}),
            bson!([1, "a", null]),
        ] {
            let json = value.clone().into_relaxed_extjson().to_string();
            assert_eq!(show(value, UuidRepresentation::Standard), json);
        }
    }
}
