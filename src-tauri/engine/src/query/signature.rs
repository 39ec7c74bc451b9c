//! The identity of a query without its dates.

use std::fmt;

use md5::{Digest, Md5};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Value, json};
use ts_rs::TS;

use super::filter::sorted_canonical;
use super::mapping::TimePath;
use super::source::{Login, Query, SourceIdentity};
use crate::failure::{Code, Failure, Result};
use crate::rows::Role;

/// Version of the canonical text. A different version changes every signature.
const FORMAT: u32 = 1;

/// MD5 of a query's canonical text, as 32 hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature(String);

impl Signature {
    /// The signature of a query.
    #[must_use]
    pub fn of(query: &Query) -> Self {
        Self(md5_hex(&canonical_text(query)))
    }

    /// Reads 32 hex digits.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim().to_ascii_lowercase();
        if text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(Self(text));
        }
        Err(Failure::new(Code::NotCached, format!("\"{text}\" is not a signature of 32 hex digits."))
            .advise("Copy a signature from the list of cached queries."))
    }

    /// The 32 hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(|failure| de::Error::custom(failure.message))
    }
}

/// The text behind a signature: everything that can change the result, and nothing else.
#[must_use]
pub fn canonical_text(query: &Query) -> String {
    json!({
        "format": FORMAT,
        "source": source(query),
        "mapping": mapping(query),
        "filters": query.filters.canonical(),
    })
    .to_string()
}

/// What two queries have in common if one may be broader than the other: MD5 of source and mapping.
#[must_use]
pub fn family(query: &Query) -> String {
    md5_hex(&json!({"format": FORMAT, "source": source(query), "mapping": mapping(query)}).to_string())
}

/// How a source is called, and when two are the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct SourceName {
    /// The source as a person reads it: `trading.messages at db1, db2 as ann`.
    pub name: String,
    /// Its hosts as a person reads them: `db1, db2`.
    pub hosts: String,
    /// Equal only for the same source and the same mapping. It never changes.
    pub key: String,
    /// Whether a user logs in, who then has a password or a certificate.
    pub has_user: bool,
}

impl SourceName {
    /// The name of the source of a query.
    #[must_use]
    pub fn of(query: &Query) -> Self {
        Self {
            name: query.source.describe(),
            hosts: query.source.shown_hosts(),
            key: family(query),
            has_user: query.source.user.is_some(),
        }
    }
}

fn md5_hex(text: &str) -> String {
    hex::encode(Md5::digest(text.as_bytes()))
}

fn source(query: &Query) -> Value {
    let SourceIdentity { hosts, replica_set, database, collection, user, login } = &query.source;
    let mut source = json!({
        "hosts": hosts,
        "replica_set": replica_set,
        "database": database,
        "collection": collection,
        "user": user,
    });
    let Login { auth_source, mechanism, certificate } = login;
    for (key, value) in [("auth_source", auth_source), ("mechanism", mechanism), ("certificate", certificate)]
    {
        if let Some(value) = value {
            source[key] = json!(value);
        }
    }
    source
}

/// The mapping without what cannot change the result: settling times, the change stamp, and the paths of filter
/// fields, which the filters themselves name if they are used.
fn mapping(query: &Query) -> Value {
    let mapping = &query.mapping;
    let downstream = mapping.downstream_collection.as_ref().filter(|name| **name != query.source.collection);
    let mut canonical = json!({
        "version": mapping.version,
        "day_zone": mapping.day_zone,
        "trade_id": mapping.trade_id,
        "timestamp": mapping.timestamp.as_ref().map(TimePath::to_json),
        "year": mapping.year,
        "day_of_year": mapping.day_of_year,
        "input_match": sorted_canonical(&mapping.input_match),
        "downstream_match": sorted_canonical(&mapping.downstream_match),
        "downstream_collection": downstream,
    });
    // Left out if it is the default, as in signatures from before there was a choice.
    if !mapping.uuid_representation.is_standard() {
        canonical["uuid_representation"] = json!(mapping.uuid_representation);
    }
    // The same for what mappings of version 1 do not have.
    if let Some(date) = &mapping.business_date {
        canonical["business_date"] = date.to_json();
    }
    let of_messages = mapping.trade_path(Role::Downstream);
    if let Some(path) = of_messages.filter(|path| Some(*path) != mapping.trade_path(Role::Input)) {
        canonical["downstream_trade_id"] = json!(path);
    }
    canonical
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;
    use crate::query::filter::Filters;
    use crate::query::form::{FilterInput, FilterOperator};
    use crate::query::mapping::Mapping;

    fn input(field: &str, operator: FilterOperator, values: &[&str]) -> FilterInput {
        FilterInput {
            field: field.to_owned(),
            operator,
            values: values.iter().map(|&text| text.to_owned()).collect(),
        }
    }

    fn source() -> SourceIdentity {
        SourceIdentity::new(["db1", "db2"], Some("rs0"), "desk", "trades", Some("ann"))
    }

    fn query(mapping: &str, inputs: &[FilterInput], advanced: &str) -> Query {
        let mapping = Mapping::parse(mapping).unwrap();
        let filters = Filters::parse(&mapping, inputs, advanced).unwrap();
        Query { source: source(), mapping, filters }
    }

    fn base() -> Query {
        query("", &[input("product", FilterOperator::AnyOf, &["Power", "Gas"])], "")
    }

    #[test]
    fn the_canonical_text_is_stable() {
        // A different text here orphans every cached query: then the format version must change too.
        assert_eq!(
            canonical_text(&base()),
            r#"{"format":1,"source":{"hosts":["db1:27017","db2:27017"],"replica_set":"rs0","database":"desk","collection":"trades","user":"ann"},"mapping":{"version":1,"day_zone":"UTC","trade_id":"trade_id","timestamp":"timestamp","year":"year","day_of_year":"day_of_year","input_match":{},"downstream_match":{},"downstream_collection":null},"filters":{"fields":[{"path":"product","op":"any_of","values":["Gas","Power"]}],"advanced":null}}"#
        );
        assert_eq!(Signature::of(&base()).as_str().len(), 32);
    }

    #[test]
    fn how_it_was_typed_makes_no_difference() {
        let signature = Signature::of(&base());
        for (mapping, inputs, advanced) in [
            ("", vec![input("product", FilterOperator::AnyOf, &[" Gas ", "Power", "", "Gas"])], " "),
            (
                "{}",
                vec![
                    input("product", FilterOperator::AnyOf, &["Gas"]),
                    input("product", FilterOperator::AnyOf, &["Power"]),
                ],
                "{}",
            ),
            (
                "",
                vec![
                    input("cell", FilterOperator::NoneOf, &[" "]),
                    input("product", FilterOperator::AnyOf, &["Power", "Gas"]),
                ],
                "\n",
            ),
            (
                r#"{"settle_hours": 1, "downstream_settle_hours": 5, "open_day_seconds": 5, "changed_at": "c", "filters": {"cell": "x"}, "downstream_collection": "trades"}"#,
                vec![input("product", FilterOperator::AnyOf, &["Power", "Gas"])],
                "",
            ),
            (
                r#"{"uuid_representation": "standard"}"#,
                vec![input("product", FilterOperator::AnyOf, &["Power", "Gas"])],
                "",
            ),
            (
                // Only the name differs; the path is the same.
                r#"{"filters": {"commodity": "product", "product": null}}"#,
                vec![input("commodity", FilterOperator::AnyOf, &["Power", "Gas"])],
                "",
            ),
        ] {
            assert_eq!(Signature::of(&query(mapping, &inputs, advanced)), signature, "{mapping} {inputs:?}");
        }
        let mut moved = base();
        moved.source =
            SourceIdentity::new(["DB2:27017", "db1", "db1"], Some("rs0"), "desk", "trades", Some("ann"));
        assert_eq!(Signature::of(&moved), signature);
        let advanced = |text: &str| Signature::of(&query("", &[], text));
        assert_eq!(advanced(r#"{"a": 1, "b": 2}"#), advanced(r#"{ "b": 2, "a": {"$numberInt": "1"} }"#));
    }

    #[test]
    fn whatever_changes_the_result_changes_the_signature() {
        let product = || vec![input("product", FilterOperator::AnyOf, &["Power", "Gas"])];
        let mut queries = vec![
            base(),
            query("", &[], ""),
            query("", &[input("product", FilterOperator::AnyOf, &["Power"])], ""),
            query("", &[input("product", FilterOperator::AnyOf, &["power", "Gas"])], ""),
            query("", &[input("product", FilterOperator::AllOf, &["Power", "Gas"])], ""),
            query("", &[input("product", FilterOperator::NoneOf, &["Power", "Gas"])], ""),
            query("", &[input("cell", FilterOperator::AnyOf, &["Power", "Gas"])], ""),
            query("", &[input("product", FilterOperator::Exists, &[])], ""),
            query("", &[input("product", FilterOperator::Missing, &[])], ""),
            query("", &product(), r#"{"a": 1}"#),
            query("", &product(), r#"{"a": "1"}"#),
            query("", &product(), r#"{"a": {"$numberLong": "1"}}"#),
            query("", &product(), r#"{"a": {"b": 1, "c": 2}}"#),
            query("", &product(), r#"{"a": {"c": 2, "b": 1}}"#),
        ];
        for mapping in [
            r#"{"version": 2}"#,
            r#"{"uuid_representation": "java_legacy"}"#,
            r#"{"uuid_representation": "python_legacy"}"#,
            r#"{"day_zone": "Europe/London"}"#,
            r#"{"trade_id": "t"}"#,
            r#"{"timestamp": "t"}"#,
            r#"{"year": "y"}"#,
            r#"{"day_of_year": "d"}"#,
            r#"{"input_match": {"a": 1}}"#,
            r#"{"downstream_match": {"a": 1}}"#,
            r#"{"downstream_collection": "messages"}"#,
            r#"{"version": 2, "downstream_trade_id": "parent"}"#,
            r#"{"version": 2, "business_date": {"path": "d", "form": "date"}}"#,
            r#"{"version": 2, "business_date": {"path": "d", "form": "iso_text"}}"#,
            r#"{"version": 2, "business_date": {"path": "d", "form": "iso_text"}, "timestamp": "t"}"#,
            r#"{"version": 2, "timestamp": {"path": "timestamp", "form": "epoch_s"}}"#,
            r#"{"version": 2, "timestamp": {"path": "timestamp", "form": "epoch_ms"}}"#,
            r#"{"version": 2, "timestamp": {"path": "timestamp", "form": "iso_text"}}"#,
            r#"{"version": 2, "timestamp": {"path": "timestamp", "form": "iso_text", "zone": "Europe/London"}}"#,
            r#"{"filters": {"product": "p"}}"#,
            r#"{"filters": {"product": {"path": "product", "type": "text"}, "x": "y"}, "trade_id": null}"#,
        ] {
            queries.push(query(mapping, &product(), ""));
        }
        for source in [
            SourceIdentity::new(["db1"], Some("rs0"), "desk", "trades", Some("ann")),
            SourceIdentity::new(["db1", "db2:27018"], Some("rs0"), "desk", "trades", Some("ann")),
            SourceIdentity::new(["db1", "db2"], None, "desk", "trades", Some("ann")),
            SourceIdentity::new(["db1", "db2"], Some("rs0"), "Desk", "trades", Some("ann")),
            SourceIdentity::new(["db1", "db2"], Some("rs0"), "desk", "messages", Some("ann")),
            SourceIdentity::new(["db1", "db2"], Some("rs0"), "desk", "trades", Some("bob")),
            SourceIdentity::new(["db1", "db2"], Some("rs0"), "desk", "trades", None),
        ] {
            queries.push(Query { source, ..base() });
        }
        let some = |text: &str| Some(text.to_owned());
        for login in [
            Login { auth_source: some("desk"), ..Login::default() },
            Login { mechanism: some("PLAIN"), ..Login::default() },
            Login { mechanism: some("MONGODB-X509"), ..Login::default() },
            Login { mechanism: some("MONGODB-X509"), certificate: some("1"), ..Login::default() },
            Login { mechanism: some("MONGODB-X509"), certificate: some("2"), ..Login::default() },
        ] {
            queries.push(Query { source: source().with_login(login), ..base() });
        }
        let mut seen = std::collections::BTreeMap::new();
        for query in &queries {
            let text = canonical_text(query);
            if let Some(twin) = seen.insert(Signature::of(query), text.clone()) {
                panic!("the same signature for\n{twin}\n{text}");
            }
        }
    }

    #[test]
    fn what_is_only_shown_makes_no_difference() {
        let product = || vec![input("product", FilterOperator::AnyOf, &["Power", "Gas"])];
        let plain = query(r#"{"version": 2}"#, &product(), "");
        for mapping in [
            r#"{"version": 2, "status": "kind"}"#,
            r#"{"version": 2, "columns": {"trade_id": {"label": "Trade"}}}"#,
            r#"{"version": 2, "filters": {"product": {"path": "product", "label": "Commodity"}}}"#,
            r#"{"version": 2, "timestamp": {"path": "timestamp", "form": "date"}, "year": "year", "day_of_year": "day_of_year"}"#,
            r#"{"version": 2, "downstream_trade_id": "trade_id"}"#,
        ] {
            let shown = query(mapping, &product(), "");
            assert_eq!(Signature::of(&shown), Signature::of(&plain), "{mapping}");
            assert_eq!(family(&shown), family(&plain), "{mapping}");
        }
    }

    #[test]
    fn a_type_is_part_of_a_value() {
        let typed = |value_type: &str| {
            let mapping =
                format!(r#"{{"filters": {{"product": {{"path": "product", "type": "{value_type}"}}}}}}"#);
            Signature::of(&query(&mapping, &[input("product", FilterOperator::AnyOf, &["007"])], ""))
        };
        assert_ne!(typed("text"), typed("integer"));
        assert_ne!(typed("integer"), typed("decimal"));
        assert_eq!(typed("integer"), typed("number"));
    }

    #[test]
    fn a_family_is_source_and_mapping() {
        assert_eq!(family(&base()), family(&query("", &[], r#"{"a": 1}"#)));
        assert_eq!(family(&base()), family(&query(r#"{"settle_hours": 1}"#, &[], "")));
        assert_ne!(family(&base()), family(&query(r#"{"day_zone": "Europe/London"}"#, &[], "")));
        assert_eq!(family(&base()).len(), 32);
    }

    #[test]
    fn a_signature_is_read_strictly() {
        let signature = Signature::of(&base());
        assert_eq!(Signature::parse(&signature.to_string().to_uppercase()).unwrap(), signature);
        assert!(Signature::parse("../../etc/passwd").is_err());
        assert!(Signature::parse("").is_err());
        let json = serde_json::to_string(&signature).unwrap();
        assert_eq!(serde_json::from_str::<Signature>(&json).unwrap(), signature);
    }

    fn typed_inputs() -> impl Strategy<Value = Vec<(usize, Vec<String>)>> {
        prop::collection::vec((0..6_usize, prop::collection::vec("[ a-c]{0,3}", 0..5)), 0..6)
    }

    proptest! {
        #[test]
        fn order_duplicates_and_blanks_make_no_difference(typed in typed_inputs(), seed in any::<u64>()) {
            let inputs: Vec<FilterInput> = typed
                .iter()
                .map(|(field, values)| FilterInput {
                    field: crate::query::mapping::FORM_FIELDS[*field].to_owned(),
                    operator: FilterOperator::AnyOf,
                    values: values.clone(),
                })
                .collect();
            let mut shuffled = inputs.clone();
            shuffled.extend(inputs.iter().take(2).cloned());
            let half = usize::try_from(seed % 7).unwrap() % shuffled.len().max(1);
            shuffled.rotate_left(half);
            for input in &mut shuffled {
                input.values.reverse();
                input.values.push("  ".to_owned());
                for value in &mut input.values {
                    *value = format!(" {value} ");
                }
            }
            prop_assert_eq!(Signature::of(&query("", &inputs, "")), Signature::of(&query("", &shuffled, "")));
        }

        #[test]
        fn another_value_is_another_signature(values in prop::collection::btree_set("[a-z{}$\":,]{1,4}", 1..4), more in "[A-Z]{1,3}") {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            let signature = |values: &[&str]| Signature::of(&query("", &[input("cell", FilterOperator::AnyOf, values)], ""));
            let mut extended = values.clone();
            extended.push(&more);
            prop_assert_ne!(signature(&values), signature(&extended));
            if values.len() > 1 {
                prop_assert_ne!(signature(&values), signature(&values[1..]));
            }
        }
    }
}
