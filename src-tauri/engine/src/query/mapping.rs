//! The mapping: which document paths hold what, which documents count, and when days begin and settle.

use std::collections::HashSet;

use bson::{Bson, Document};
use chrono::Duration;
use serde_json::{Map, Value, json};

use super::form::ValueType;
use super::match_document;
use crate::bson::uuids::UuidRepresentation;
use crate::day::DayZone;
use crate::failure::{Code, Failure, Result};
use crate::rows::Role;

/// The filter fields that every mapping has unless it removes them, in the order of the form.
pub const FORM_FIELDS: [&str; 6] =
    ["product", "cell", "receiver", "attribute", "relatedDispatcher", "relatedAttributes"];

/// Keys of a mapping file.
const KEYS: [&str; 15] = [
    "version",
    "day_zone",
    "trade_id",
    "timestamp",
    "year",
    "day_of_year",
    "changed_at",
    "filters",
    "input_match",
    "downstream_match",
    "downstream_collection",
    "settle_hours",
    "downstream_settle_hours",
    "open_day_seconds",
    "uuid_representation",
];

/// Ten years; more is a typing mistake.
const MOST_SETTLE_HOURS: u32 = 87_660;

/// A filter field: its name in the form, its path in the documents, the type of its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterPath {
    /// Name, such as `product`.
    pub name: String,
    /// Dotted path in the documents.
    pub path: String,
    /// Type of its values.
    pub value_type: ValueType,
}

/// Which document paths hold what, which documents are input and which downstream, and the day zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    /// Version of the mapping, maintained by its author. A different version makes a different query.
    pub version: u32,
    /// The zone whose midnights separate the days.
    pub day_zone: DayZone,
    /// Path of the trade id.
    pub trade_id: Option<String>,
    /// Path of the time stamp.
    pub timestamp: Option<String>,
    /// Path of the year.
    pub year: Option<String>,
    /// Path of the day of the year, 1 to 366.
    pub day_of_year: Option<String>,
    /// Path of the stamp that grows when a document changes.
    pub changed_at: Option<String>,
    /// The filter fields, in the order of the form.
    pub filters: Vec<FilterPath>,
    /// What makes a document an input document, besides dates and filters.
    pub input_match: Document,
    /// What makes a document a downstream document, besides the trade id.
    pub downstream_match: Document,
    /// The collection of downstream messages, if it differs from the input's.
    pub downstream_collection: Option<String>,
    /// Hours after the end of a day until it is settled.
    pub settle_hours: u32,
    /// Hours after the end of a day until the messages of its trades are settled; `None` if they settle with the
    /// trades.
    pub downstream_settle_hours: Option<u32>,
    /// Seconds for which a fetched open day is served as it is.
    pub open_day_seconds: u32,
    /// How UUIDs are stored.
    pub uuid_representation: UuidRepresentation,
}

/// The paths by which the day of a document is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateMapping<'a> {
    /// Year and day of the year.
    YearDay {
        /// Path of the year.
        year: &'a str,
        /// Path of the day of the year.
        day_of_year: &'a str,
    },
    /// Day of the year, and a time stamp that determines the year.
    DayTimestamp {
        /// Path of the day of the year.
        day_of_year: &'a str,
        /// Path of the time stamp.
        timestamp: &'a str,
    },
    /// A time stamp alone.
    Timestamp {
        /// Path of the time stamp.
        timestamp: &'a str,
    },
}

impl DateMapping<'_> {
    /// Whether the match of some days also returns documents of other days; see the module `placement`.
    pub(crate) const fn has_neighbours(&self) -> bool {
        matches!(self, Self::DayTimestamp { .. })
    }
}

impl Default for Mapping {
    fn default() -> Self {
        let path = |name: &str| Some(name.to_owned());
        Self {
            version: 1,
            day_zone: DayZone::default(),
            trade_id: path("trade_id"),
            timestamp: path("timestamp"),
            year: path("year"),
            day_of_year: path("day_of_year"),
            changed_at: None,
            filters: FORM_FIELDS.map(form_field).to_vec(),
            input_match: Document::new(),
            downstream_match: Document::new(),
            downstream_collection: None,
            settle_hours: 24,
            downstream_settle_hours: None,
            open_day_seconds: 60,
            uuid_representation: UuidRepresentation::default(),
        }
    }
}

impl Mapping {
    /// Reads a mapping file. Keys that it does not name keep their defaults; blank text means all defaults.
    pub fn parse(text: &str) -> Result<Self> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let file = match_document::parse_object(text).map_err(|why| bad(format!("The mapping {why}.")))?;
        Self::from_file(&file)
    }

    /// The parts of the mapping that are in the signature, as a person reads them: "days by year and day_of_year in
    /// UTC, trade id trade_id, version 2".
    #[must_use]
    pub fn describe(&self) -> String {
        let days = match self.dates() {
            DateMapping::YearDay { year, day_of_year } => format!("{year} and {day_of_year}"),
            DateMapping::DayTimestamp { day_of_year, timestamp } => format!("{day_of_year} and {timestamp}"),
            DateMapping::Timestamp { timestamp } => timestamp.to_owned(),
        };
        let mut parts = vec![format!("days by {days} in {}", self.day_zone)];
        parts
            .push(self.trade_id.as_ref().map_or("no trade id".to_owned(), |path| format!("trade id {path}")));
        parts.extend(self.downstream_collection.as_ref().map(|name| format!("messages in {name}")));
        for (matched, what) in [(&self.input_match, "trades"), (&self.downstream_match, "messages")] {
            if !matched.is_empty() {
                parts.push(format!("{what} where {}", Bson::from(matched.clone()).into_relaxed_extjson()));
            }
        }
        let defaults = Self::default();
        let own = self.filters.iter().filter(|field| !defaults.filters.contains(field));
        let own: Vec<String> = own.map(|field| format!("{} from {}", field.name, field.path)).collect();
        if !own.is_empty() {
            parts.push(own.join(", "));
        }
        if !self.uuid_representation.is_standard() {
            parts.push("UUIDs in an older form".to_owned());
        }
        if self.version != 1 {
            parts.push(format!("version {}", self.version));
        }
        parts.join(", ")
    }

    /// A text that `from_stored` reads back as the same mapping. It is a mapping file with nothing left out.
    #[must_use]
    pub fn to_stored(&self) -> String {
        let mut filters = Map::new();
        for name in FORM_FIELDS {
            filters.insert(name.to_owned(), Value::Null);
        }
        for field in &self.filters {
            filters.insert(field.name.clone(), json!({"path": field.path, "type": field.value_type}));
        }
        let mut stored = json!({
            "version": self.version,
            "day_zone": self.day_zone,
            "trade_id": self.trade_id,
            "timestamp": self.timestamp,
            "year": self.year,
            "day_of_year": self.day_of_year,
            "changed_at": self.changed_at,
            "filters": filters,
            "input_match": match_document::canonical(&self.input_match),
            "downstream_match": match_document::canonical(&self.downstream_match),
            "downstream_collection": self.downstream_collection,
            "settle_hours": self.settle_hours,
            "open_day_seconds": self.open_day_seconds,
        });
        if let Some(hours) = self.downstream_settle_hours {
            stored["downstream_settle_hours"] = hours.into();
        }
        if !self.uuid_representation.is_standard() {
            stored["uuid_representation"] = json!(self.uuid_representation);
        }
        stored.to_string()
    }

    /// Reads what `to_stored` wrote.
    pub fn from_stored(text: &str) -> Result<Self> {
        let file = match_document::parse_stored(text).map_err(|why| bad(format!("The mapping {why}.")))?;
        Self::from_file(&file)
    }

    /// How the day of a document is found: by the best paths that the mapping has.
    #[must_use]
    pub fn dates(&self) -> DateMapping<'_> {
        self.find_dates().expect("a mapping without usable date paths is refused when it is read")
    }

    /// The paths that the mapping names in a document, `_id` among them.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        let own = [&self.trade_id, &self.timestamp, &self.year, &self.day_of_year, &self.changed_at];
        let own = own.into_iter().flatten().map(String::as_str);
        std::iter::once("_id").chain(own).chain(self.filters.iter().map(|field| field.path.as_str()))
    }

    /// The paths of a role's documents that the mapping names, in the order in which their columns are shown.
    #[must_use]
    pub fn column_paths(&self, role: Role) -> Vec<&str> {
        let dates = [&self.timestamp, &self.year, &self.day_of_year, &self.changed_at];
        let of_trades = dates.into_iter().flatten().chain(self.filters.iter().map(|field| &field.path));
        let mut paths: Vec<&str> = self.trade_id.iter().map(String::as_str).collect();
        if role == Role::Input {
            paths.extend(of_trades.map(String::as_str));
        }
        let mut known = HashSet::new();
        paths.retain(|path| known.insert(*path));
        paths
    }

    /// Time after the end of a day until it is settled, its trades as well as their messages.
    #[must_use]
    pub fn settle(&self) -> Duration {
        let messages = self.downstream_settle_hours.filter(|_| self.trade_id.is_some());
        Duration::hours(i64::from(self.settle_hours.max(messages.unwrap_or(0))))
    }

    /// Time for which a fetched open day is served as it is.
    #[must_use]
    pub fn open_day(&self) -> Duration {
        Duration::seconds(i64::from(self.open_day_seconds))
    }

    fn find_dates(&self) -> Option<DateMapping<'_>> {
        match (self.year.as_deref(), self.day_of_year.as_deref(), self.timestamp.as_deref()) {
            (Some(year), Some(day_of_year), _) => Some(DateMapping::YearDay { year, day_of_year }),
            (None, Some(day_of_year), Some(timestamp)) => {
                Some(DateMapping::DayTimestamp { day_of_year, timestamp })
            }
            (_, None, Some(timestamp)) => Some(DateMapping::Timestamp { timestamp }),
            (_, _, None) => None,
        }
    }

    fn from_file(file: &Map<String, Value>) -> Result<Self> {
        if let Some(key) = file.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(bad(format!(
                "The mapping has an unknown key \"{key}\"; known keys are {}.",
                KEYS.join(", ")
            )));
        }
        let default = Self::default();
        let mapping = Self {
            version: number(file, "version", default.version)?,
            day_zone: match file.get("day_zone") {
                None => default.day_zone,
                Some(Value::String(name)) => DayZone::parse(name)?,
                Some(other) => return Err(unexpected("day_zone", "the name of a time zone", other)),
            },
            trade_id: path(file, "trade_id", default.trade_id)?,
            timestamp: path(file, "timestamp", default.timestamp)?,
            year: path(file, "year", default.year)?,
            day_of_year: path(file, "day_of_year", default.day_of_year)?,
            changed_at: path(file, "changed_at", default.changed_at)?,
            filters: filters(file.get("filters"))?,
            input_match: match_of(file, "input_match")?,
            downstream_match: match_of(file, "downstream_match")?,
            downstream_collection: collection(file.get("downstream_collection"))?,
            settle_hours: number(file, "settle_hours", default.settle_hours)?,
            downstream_settle_hours: match file.get("downstream_settle_hours") {
                None | Some(Value::Null) => None,
                Some(_) => Some(number(file, "downstream_settle_hours", 0)?),
            },
            open_day_seconds: number(file, "open_day_seconds", default.open_day_seconds)?,
            uuid_representation: uuid_representation(file.get("uuid_representation"))?,
        };
        for (key, hours) in [
            ("settle_hours", mapping.settle_hours),
            ("downstream_settle_hours", mapping.downstream_settle_hours.unwrap_or(0)),
        ] {
            if hours > MOST_SETTLE_HOURS {
                let message =
                    format!("The mapping's {key} of {hours} is more than {MOST_SETTLE_HOURS} (ten years).");
                return Err(bad(message));
            }
        }
        if mapping.find_dates().is_none() {
            return Err(bad(
                "The mapping must have paths for the dates: year and day_of_year, or day_of_year and timestamp, or timestamp.",
            ));
        }
        Ok(mapping)
    }
}

fn bad(message: impl Into<String>) -> Failure {
    Failure::new(Code::BadMapping, message)
}

fn unexpected(key: &str, expected: &str, found: &Value) -> Failure {
    bad(format!("The mapping's {key} must be {expected}, not {found}."))
}

fn form_field(name: &str) -> FilterPath {
    FilterPath { name: name.to_owned(), path: name.to_owned(), value_type: ValueType::Text }
}

fn number(file: &Map<String, Value>, key: &str, default: u32) -> Result<u32> {
    let Some(value) = file.get(key) else { return Ok(default) };
    value
        .as_u64()
        .and_then(|number| u32::try_from(number).ok())
        .ok_or_else(|| unexpected(key, "a whole number, zero or more", value))
}

fn uuid_representation(given: Option<&Value>) -> Result<UuidRepresentation> {
    let Some(name) = given.filter(|name| !name.is_null()) else { return Ok(UuidRepresentation::default()) };
    serde_json::from_value(name.clone()).map_err(|_| {
        let names = "standard, java_legacy, csharp_legacy or python_legacy";
        unexpected("uuid_representation", names, name)
    })
}

fn path(file: &Map<String, Value>, key: &str, default: Option<String>) -> Result<Option<String>> {
    match file.get(key) {
        None => Ok(default),
        Some(Value::Null) => Ok(None),
        Some(Value::String(path)) => checked_path(key, path).map(Some),
        Some(other) => Err(unexpected(key, "a path or null", other)),
    }
}

fn checked_path(key: &str, path: &str) -> Result<String> {
    let why = if path.trim().is_empty() {
        "is blank"
    } else if path.contains('\0') {
        "holds a NUL character"
    } else if path.split('.').any(str::is_empty) {
        "has an empty part between its dots"
    } else if path.split('.').any(|part| part.starts_with('$')) {
        "has a part that begins with $"
    } else {
        return Ok(path.to_owned());
    };
    Err(bad(format!("The mapping's path \"{path}\" for {key} {why}.")))
}

fn filters(given: Option<&Value>) -> Result<Vec<FilterPath>> {
    let none = Map::new();
    let given = match given {
        None => &none,
        Some(Value::Object(map)) => map,
        Some(other) => return Err(unexpected("filters", "an object of names and paths", other)),
    };
    let mut fields = Vec::new();
    for name in FORM_FIELDS {
        match given.get(name) {
            None => fields.push(form_field(name)),
            Some(entry) => fields.extend(filter(name, entry)?),
        }
    }
    for (name, entry) in given.iter().filter(|(name, _)| !FORM_FIELDS.contains(&name.as_str())) {
        fields.extend(filter(name, entry)?);
    }
    Ok(fields)
}

/// One entry of `filters`; null removes the field.
fn filter(name: &str, entry: &Value) -> Result<Option<FilterPath>> {
    if name.trim().is_empty() || name.trim() != name {
        return Err(bad(format!("The mapping's filter name \"{name}\" is blank or has spaces around it.")));
    }
    let key = format!("filters.{name}");
    let (path, value_type) = match entry {
        Value::Null => return Ok(None),
        Value::String(path) => (path, ValueType::Text),
        Value::Object(map) => {
            if let Some(other) = map.keys().find(|key| !["path", "type"].contains(&key.as_str())) {
                return Err(bad(format!(
                    "The mapping's {key} has an unknown key \"{other}\"; known keys are path, type."
                )));
            }
            let Some(Value::String(path)) = map.get("path") else {
                return Err(bad(format!("The mapping's {key} needs a path.")));
            };
            let value_type = match map.get("type") {
                None => ValueType::Text,
                Some(text) => serde_json::from_value(text.clone()).map_err(|_| {
                    let types = "text, integer, number, decimal, date, bool, object_id or uuid";
                    unexpected(&format!("{key}.type"), types, text)
                })?,
            };
            (path, value_type)
        }
        other => return Err(unexpected(&key, "a path, or an object with path and type", other)),
    };
    Ok(Some(FilterPath { name: name.to_owned(), path: checked_path(&key, path)?, value_type }))
}

fn match_of(file: &Map<String, Value>, key: &str) -> Result<Document> {
    match file.get(key) {
        None | Some(Value::Null) => Ok(Document::new()),
        Some(Value::Object(map)) => match_document::match_document(map.clone())
            .map_err(|why| bad(format!("The mapping's {key} {why}."))),
        Some(other) => Err(unexpected(key, "a match document", other)),
    }
}

fn collection(given: Option<&Value>) -> Result<Option<String>> {
    match given {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(name)) if !name.trim().is_empty() && !name.contains(['\0', '$']) => {
            Ok(Some(name.clone()))
        }
        Some(other) => Err(unexpected("downstream_collection", "the name of a collection, or null", other)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use bson::doc;

    use super::*;

    /// The defaults as the contract prints them.
    const CONTRACT: &str = r#"{"version": 1, "day_zone": "UTC",
     "trade_id": "trade_id", "timestamp": "timestamp", "year": "year", "day_of_year": "day_of_year", "changed_at": null,
     "filters": {"product": "product", "cell": "cell", "receiver": "receiver", "attribute": "attribute",
                 "relatedDispatcher": "relatedDispatcher", "relatedAttributes": "relatedAttributes"},
     "input_match": {}, "downstream_match": {}, "downstream_collection": null,
     "settle_hours": 24, "open_day_seconds": 60}"#;

    fn refused(text: &str) -> String {
        let failure = Mapping::parse(text).unwrap_err();
        assert_eq!(failure.code, Code::BadMapping, "{text}");
        failure.message
    }

    #[test]
    fn mappings_of_different_queries_read_differently() {
        let read = |text: &str| Mapping::parse(text).unwrap().describe();
        assert_eq!(read("{}"), "days by year and day_of_year in UTC, trade id trade_id");
        let other = r#"{"version": 2, "day_zone": "Europe/London", "year": null, "day_of_year": null, "trade_id": null,
            "timestamp": "execution.ts", "downstream_collection": "fills", "input_match": {"kind": "new"}}"#;
        assert_eq!(
            read(other),
            r#"days by execution.ts in Europe/London, no trade id, messages in fills, trades where {"kind":"new"}, version 2"#
        );
    }

    #[test]
    fn the_defaults_are_those_of_the_contract() {
        assert_eq!(Mapping::parse(CONTRACT).unwrap(), Mapping::default());
        assert_eq!(Mapping::parse(" \n").unwrap(), Mapping::default());
        assert_eq!(Mapping::parse("{}").unwrap(), Mapping::default());
        assert_eq!(Mapping::default().settle(), Duration::hours(24));
        assert_eq!(Mapping::default().open_day(), Duration::seconds(60));
    }

    #[test]
    fn filters_are_merged_over_the_six() {
        let mapping = Mapping::parse(
            r#"{"filters": {"price": {"path": "trade.price", "type": "decimal"}, "cell": "grid.cell", "receiver": null, "note": {"path": "note"}}}"#,
        )
        .unwrap();
        let shown: Vec<String> = mapping
            .filters
            .iter()
            .map(|field| format!("{}={} {:?}", field.name, field.path, field.value_type))
            .collect();
        assert_eq!(
            shown,
            [
                "product=product Text",
                "cell=grid.cell Text",
                "attribute=attribute Text",
                "relatedDispatcher=relatedDispatcher Text",
                "relatedAttributes=relatedAttributes Text",
                "price=trade.price Decimal",
                "note=note Text",
            ]
        );
    }

    #[test]
    fn the_best_date_paths_are_used() {
        let dates = |text: &str| format!("{:?}", Mapping::parse(text).unwrap().dates());
        assert!(dates("{}").starts_with("YearDay"));
        assert!(dates(r#"{"timestamp": null}"#).starts_with("YearDay"));
        assert!(dates(r#"{"year": null}"#).starts_with("DayTimestamp"));
        assert!(dates(r#"{"year": null, "day_of_year": null}"#).starts_with("Timestamp"));
        assert!(dates(r#"{"day_of_year": null}"#).starts_with("Timestamp"));
        assert!(refused(r#"{"timestamp": null, "year": null}"#).contains("day_of_year"));
        assert!(refused(r#"{"timestamp": null, "day_of_year": null}"#).contains("timestamp"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, part) in [
            (r#"{"tradeid": "x"}"#, "\"tradeid\""),
            ("{\n \"version\": x}", "line 2, column"),
            (r#"{"version": -1}"#, "version"),
            (r#"{"settle_hours": 1.5}"#, "settle_hours"),
            (r#"{"settle_hours": 4000000000}"#, "settle_hours"),
            (r#"{"downstream_settle_hours": 4000000000}"#, "downstream_settle_hours"),
            (r#"{"open_day_seconds": "60"}"#, "open_day_seconds"),
            (r#"{"day_zone": "Mars"}"#, "Mars"),
            (r#"{"day_zone": 1}"#, "day_zone"),
            (r#"{"trade_id": ""}"#, "trade_id"),
            (r#"{"trade_id": "a..b"}"#, "a..b"),
            (r#"{"trade_id": "a.$b"}"#, "a.$b"),
            (r#"{"trade_id": "a\u0000"}"#, "NUL"),
            (r#"{"filters": {"cell": {"path": "c", "type": "colour"}}}"#, "filters.cell.type"),
            (r#"{"filters": {"cell": {"path": "c", "kind": "text"}}}"#, "\"kind\""),
            (r#"{"filters": {"cell": {"type": "text"}}}"#, "filters.cell"),
            (r#"{"filters": {" ": "c"}}"#, "blank"),
            (r#"{"input_match": {"$or": [{"$where": "1"}]}}"#, "$or[0].$where"),
            (r#"{"downstream_match": {"x": {"$oid": "1"}}}"#, "downstream_match"),
            (r#"{"downstream_collection": ""}"#, "downstream_collection"),
            (r#"{"uuid_representation": "java"}"#, "java_legacy"),
        ] {
            let message = refused(text);
            assert!(message.contains(part), "{message} should name {part}");
        }
    }

    #[test]
    fn a_stored_mapping_reads_back_the_same() {
        let mapping = Mapping::parse(
            r#"{"version": 3, "day_zone": "Europe/London", "year": null, "changed_at": "meta.changed",
                "filters": {"cell": null, "price": {"path": "p", "type": "number"}, "at": {"path": "t", "type": "date"}},
                "input_match": {"kind": "trade", "n": {"$gt": {"$numberLong": "3"}}}, "downstream_match": {"kind": {"$ne": "trade"}},
                "downstream_collection": "messages", "settle_hours": 2, "downstream_settle_hours": 72, "open_day_seconds": 0,
                "uuid_representation": "csharp_legacy"}"#,
        )
        .unwrap();
        assert_eq!(mapping.input_match, doc! {"kind": "trade", "n": {"$gt": 3_i64}});
        assert_eq!(Mapping::from_stored(&mapping.to_stored()).unwrap(), mapping);
        let default = Mapping::default();
        assert_eq!(Mapping::from_stored(&default.to_stored()).unwrap(), default);
    }
}
