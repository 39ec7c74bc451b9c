//! The mapping: which document paths hold what, which documents count, and when days begin and settle.

use std::collections::{BTreeMap, HashSet};

use bson::{Bson, Document};
use chrono::Duration;
use serde_json::{Map, Value, json};

use super::date_field::{DateField, DateForm};
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
const KEYS: [&str; 19] = [
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
    "business_date",
    "downstream_trade_id",
    "status",
    "columns",
];

/// Keys that only mapping files of version 2 or later have.
const KEYS_OF_VERSION_2: [&str; 4] = ["business_date", "downstream_trade_id", "status", "columns"];

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
    /// What to call it in place of its name; display only.
    pub label: Option<String>,
}

/// The path of a time stamp, and how it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimePath {
    /// Dotted path in the documents.
    pub path: String,
    /// How its values are stored.
    pub form: DateForm,
    /// The zone in which values without an offset are read.
    pub zone: DayZone,
}

/// The path of a business date, and how it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusinessDate {
    /// Dotted path in the documents.
    pub path: String,
    /// How its values are stored: as a date, ISO text or `yyyymmdd`.
    pub form: DateForm,
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
    /// Path of the trade id in messages, if it differs from that in trades.
    pub downstream_trade_id: Option<String>,
    /// The time stamp.
    pub timestamp: Option<TimePath>,
    /// The business date, which decides the day alone.
    pub business_date: Option<BusinessDate>,
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
    /// Path of the field that says what a document is; display only.
    pub status: Option<String>,
    /// What to call the columns of some paths; display only.
    pub labels: BTreeMap<String, String>,
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
        /// The time stamp.
        timestamp: DateField<'a>,
    },
    /// A time stamp or a business date alone.
    Timestamp {
        /// The time stamp or business date.
        timestamp: DateField<'a>,
    },
}

impl<'a> DateMapping<'a> {
    /// Whether the match of some days also returns documents of other days; see the module `placement`.
    pub(crate) const fn has_neighbours(&self) -> bool {
        match self {
            Self::YearDay { .. } => false,
            Self::DayTimestamp { .. } => true,
            Self::Timestamp { timestamp } => timestamp.form.has_local_times(),
        }
    }

    /// The paths.
    pub(crate) fn paths(&self) -> Vec<&'a str> {
        match self {
            Self::YearDay { year, day_of_year } => vec![year, day_of_year],
            Self::DayTimestamp { day_of_year, timestamp } => vec![day_of_year, timestamp.path],
            Self::Timestamp { timestamp } => vec![timestamp.path],
        }
    }

    /// How the values at one of the paths are stored if they are not plain numbers.
    pub(crate) fn form_at(&self, path: &str) -> Option<DateForm> {
        match self {
            Self::YearDay { .. } => None,
            Self::DayTimestamp { timestamp, .. } | Self::Timestamp { timestamp } => {
                (timestamp.path == path).then_some(timestamp.form)
            }
        }
    }
}

impl Default for Mapping {
    fn default() -> Self {
        let path = |name: &str| Some(name.to_owned());
        Self {
            version: 1,
            day_zone: DayZone::default(),
            trade_id: path("trade_id"),
            downstream_trade_id: None,
            timestamp: Some(TimePath::of_dates("timestamp")),
            business_date: None,
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
            status: None,
            labels: BTreeMap::new(),
        }
    }
}

impl TimePath {
    /// A path of BSON dates.
    fn of_dates(path: &str) -> Self {
        Self { path: path.to_owned(), form: DateForm::Date, zone: DayZone::default() }
    }

    /// As a mapping file says it: the path alone for BSON dates.
    pub(crate) fn to_json(&self) -> Value {
        match self.form {
            DateForm::Date => json!(self.path),
            form if form.has_local_times() => {
                json!({"path": self.path, "form": form, "zone": self.zone})
            }
            form => json!({"path": self.path, "form": form}),
        }
    }
}

impl BusinessDate {
    /// As a mapping file says it.
    pub(crate) fn to_json(&self) -> Value {
        json!({"path": self.path, "form": self.form})
    }
}

impl Mapping {
    /// Reads a mapping file. Keys that it does not name keep their defaults; blank text means all defaults. Since version
    /// 2, `year` and `day_of_year` have no defaults beside a `timestamp` or `business_date` that is named.
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
            DateMapping::DayTimestamp { day_of_year, timestamp } => {
                format!("{day_of_year} and {}", described(&timestamp))
            }
            DateMapping::Timestamp { timestamp } => described(&timestamp),
        };
        let mut parts = vec![format!("days by {days} in {}", self.day_zone)];
        parts
            .push(self.trade_id.as_ref().map_or("no trade id".to_owned(), |path| format!("trade id {path}")));
        parts.extend(self.downstream_trade_id.as_ref().map(|path| format!("{path} in messages")));
        parts.extend(self.downstream_collection.as_ref().map(|name| format!("messages in {name}")));
        for (matched, what) in [(&self.input_match, "trades"), (&self.downstream_match, "messages")] {
            if !matched.is_empty() {
                parts.push(format!("{what} where {}", Bson::from(matched.clone()).into_relaxed_extjson()));
            }
        }
        let defaults = Self::default();
        let is_default = |field: &FilterPath| {
            let mut of_form = defaults.filters.iter();
            of_form.any(|of_form| *of_form == FilterPath { label: None, ..field.clone() })
        };
        let own = self.filters.iter().filter(|field| !is_default(field));
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
            let mut entry = json!({"path": field.path, "type": field.value_type});
            if let Some(label) = &field.label {
                entry["label"] = json!(label);
            }
            filters.insert(field.name.clone(), entry);
        }
        let mut stored = json!({
            "version": self.version,
            "day_zone": self.day_zone,
            "trade_id": self.trade_id,
            "timestamp": self.timestamp.as_ref().map(TimePath::to_json),
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
        // Version 1 has none of these, and an older Tidemark must be able to read it.
        let columns: Map<String, Value> =
            self.labels.iter().map(|(path, label)| (path.clone(), json!({"label": label}))).collect();
        for (key, value) in [
            ("business_date", self.business_date.as_ref().map(BusinessDate::to_json)),
            ("downstream_trade_id", self.downstream_trade_id.as_ref().map(|path| json!(path))),
            ("status", self.status.as_ref().map(|path| json!(path))),
            ("columns", Some(json!(columns)).filter(|_| !columns.is_empty())),
        ] {
            if let Some(value) = value {
                stored[key] = value;
            }
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
        let ids = [&self.trade_id, &self.downstream_trade_id].into_iter().flatten();
        let own = ids.map(String::as_str).chain(self.date_columns()).chain(self.status.as_deref());
        std::iter::once("_id").chain(own).chain(self.filters.iter().map(|field| field.path.as_str()))
    }

    /// The paths of a role's documents that the mapping names, in the order in which their columns are shown.
    #[must_use]
    pub fn column_paths(&self, role: Role) -> Vec<&str> {
        let mut paths: Vec<&str> = self.trade_path(role).into_iter().collect();
        if role == Role::Input {
            paths.extend(self.date_columns());
        }
        paths.extend(self.status.as_deref());
        if role == Role::Input {
            paths.extend(self.filters.iter().map(|field| field.path.as_str()));
        }
        let mut known = HashSet::new();
        paths.retain(|path| known.insert(*path));
        paths
    }

    /// The paths that a person reads first in a role's documents: the trade id, the time, the fields of the filters.
    #[must_use]
    pub fn reading_paths(&self, role: Role) -> Vec<&str> {
        let time = self.timestamp.as_ref().map(|time| time.path.as_str());
        let filters = self.filters.iter().map(|field| field.path.as_str());
        self.trade_path(role).into_iter().chain(time).chain(filters).collect()
    }

    /// The paths of dates, in the order of their columns.
    fn date_columns(&self) -> impl Iterator<Item = &str> {
        let business_date = self.business_date.iter().map(|date| date.path.as_str());
        let timestamp = self.timestamp.iter().map(|time| time.path.as_str());
        let others = [&self.year, &self.day_of_year, &self.changed_at].into_iter().flatten();
        business_date.chain(timestamp).chain(others.map(String::as_str))
    }

    /// What to call the values at each path that has a label.
    #[must_use]
    pub fn all_labels(&self) -> BTreeMap<String, String> {
        let of_filters =
            self.filters.iter().filter_map(|field| Some((field.path.clone(), field.label.clone()?)));
        // What the form calls a filter, its column is called too.
        self.labels.clone().into_iter().chain(of_filters).collect()
    }

    /// The path of the trade id in a role's documents.
    #[must_use]
    pub fn trade_path(&self, role: Role) -> Option<&str> {
        let trade_id = self.trade_id.as_deref()?;
        let of_messages = self.downstream_trade_id.as_deref().filter(|_| role == Role::Downstream);
        Some(of_messages.unwrap_or(trade_id))
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
        if let Some(BusinessDate { path, form }) = &self.business_date {
            let zone = DayZone::default();
            let timestamp = DateField { path, form: *form, zone, day_zone: zone, is_as_written: true };
            return Some(DateMapping::Timestamp { timestamp });
        }
        let timestamp = self.timestamp.as_ref().map(|TimePath { path, form, zone }| DateField {
            path,
            form: *form,
            zone: *zone,
            day_zone: self.day_zone,
            is_as_written: false,
        });
        match (self.year.as_deref(), self.day_of_year.as_deref(), timestamp) {
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
        let version = number(file, "version", default.version)?;
        if let Some(key) = KEYS_OF_VERSION_2.iter().find(|key| version < 2 && file.contains_key(**key)) {
            return Err(needs_version_2(key));
        }
        let business_date = business_date(file.get("business_date"))?;
        // A day of its own takes the place of the default paths; since version 2, so does a time stamp.
        let names_time = version >= 2 && file.get("timestamp").is_some_and(|given| !given.is_null());
        let fields_of_day = |key: &str, default: Option<String>| -> Result<Option<String>> {
            path(file, key, default.filter(|_| business_date.is_none() && !names_time))
        };
        let mapping = Self {
            version,
            day_zone: match file.get("day_zone") {
                None => default.day_zone,
                Some(Value::String(name)) => DayZone::parse(name)?,
                Some(other) => return Err(unexpected("day_zone", "the name of a time zone", other)),
            },
            trade_id: path(file, "trade_id", default.trade_id)?,
            downstream_trade_id: path(file, "downstream_trade_id", None)?,
            timestamp: match file.get("timestamp") {
                None => default.timestamp.filter(|_| business_date.is_none()),
                Some(given) => timestamp(given, version)?,
            },
            year: fields_of_day("year", default.year)?,
            day_of_year: fields_of_day("day_of_year", default.day_of_year)?,
            business_date,
            changed_at: path(file, "changed_at", default.changed_at)?,
            filters: filters(file.get("filters"), version)?,
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
            status: path(file, "status", None)?,
            labels: labels(file.get("columns"))?,
        };
        if mapping.business_date.is_some() && (mapping.year.is_some() || mapping.day_of_year.is_some()) {
            let message = "The mapping has a business_date, which says the day by itself: it cannot have year or \
                           day_of_year as well.";
            return Err(bad(message));
        }
        if mapping.downstream_trade_id.is_some() && mapping.trade_id.is_none() {
            return Err(bad(
                "The mapping's downstream_trade_id needs a trade_id that messages can be found by.",
            ));
        }
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
                "The mapping must have paths for the dates: year and day_of_year, or day_of_year and timestamp, or \
                 timestamp, or business_date.",
            ));
        }
        Ok(mapping)
    }
}

fn bad(message: impl Into<String>) -> Failure {
    Failure::new(Code::BadMapping, message)
}

fn needs_version_2(key: &str) -> Failure {
    bad(format!("The mapping's {key} needs version 2: write \"version\": 2."))
}

/// A date of a mapping, in words.
fn described(field: &DateField<'_>) -> String {
    let DateField { path, form, zone, is_as_written, .. } = field;
    let form = match form {
        DateForm::Date => return (*path).to_owned(),
        DateForm::IsoText => "ISO text",
        DateForm::EpochS => "seconds since 1970",
        DateForm::EpochMs => "milliseconds since 1970",
        DateForm::EpochUs => "microseconds since 1970",
        DateForm::EpochNs => "nanoseconds since 1970",
        DateForm::CompactDay => "yyyymmdd",
        DateForm::ObjectId => "ObjectId",
    };
    match zone.name() {
        "UTC" => format!("{path} ({form})"),
        zone if field.form.has_local_times() && !is_as_written => format!("{path} ({form}, {zone})"),
        _ => format!("{path} ({form})"),
    }
}

fn unexpected(key: &str, expected: &str, found: &Value) -> Failure {
    bad(format!("The mapping's {key} must be {expected}, not {found}."))
}

fn form_field(name: &str) -> FilterPath {
    FilterPath { name: name.to_owned(), path: name.to_owned(), value_type: ValueType::Text, label: None }
}

/// `timestamp`: a path, or an object with the form of its values.
fn timestamp(given: &Value, version: u32) -> Result<Option<TimePath>> {
    let map = match given {
        Value::Null => return Ok(None),
        Value::String(path) => return Ok(Some(TimePath::of_dates(&checked_path("timestamp", path)?))),
        Value::Object(_) if version < 2 => return Err(needs_version_2("timestamp with a form")),
        Value::Object(map) => map,
        other => {
            return Err(unexpected(
                "timestamp",
                "a path, null, or an object with path, form and zone",
                other,
            ));
        }
    };
    let form = date_form("timestamp", map, &["path", "form", "zone"])?;
    let zone = match map.get("zone") {
        None => DayZone::default(),
        Some(Value::String(name)) => DayZone::parse(name)?,
        Some(other) => return Err(unexpected("timestamp.zone", "the name of a time zone", other)),
    };
    if !form.has_local_times() && zone != DayZone::default() {
        let message = "The mapping's timestamp.zone is only for the forms iso_text and yyyymmdd: the others say an \
                       instant by themselves.";
        return Err(bad(message));
    }
    Ok(Some(TimePath { path: path_in("timestamp", map)?, form, zone }))
}

/// `business_date`: an object with a path and a form.
fn business_date(given: Option<&Value>) -> Result<Option<BusinessDate>> {
    let map = match given {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(map)) => map,
        Some(other) => return Err(unexpected("business_date", "an object with path and form", other)),
    };
    let form = date_form("business_date", map, &["path", "form"])?;
    if !matches!(form, DateForm::Date | DateForm::IsoText | DateForm::CompactDay) {
        let given = map.get("form").unwrap_or(&Value::Null);
        return Err(unexpected("business_date.form", "iso_text, yyyymmdd or date", given));
    }
    Ok(Some(BusinessDate { path: path_in("business_date", map)?, form }))
}

fn date_form(key: &str, map: &Map<String, Value>, known: &[&str]) -> Result<DateForm> {
    if let Some(other) = map.keys().find(|key| !known.contains(&key.as_str())) {
        let known = known.join(", ");
        return Err(bad(format!(
            "The mapping's {key} has an unknown key \"{other}\"; known keys are {known}."
        )));
    }
    let Some(form) = map.get("form") else { return Ok(DateForm::default()) };
    serde_json::from_value(form.clone()).map_err(|_| {
        let forms = "date, iso_text, epoch_s, epoch_ms, epoch_us, epoch_ns, yyyymmdd or object_id";
        unexpected(&format!("{key}.form"), forms, form)
    })
}

fn path_in(key: &str, map: &Map<String, Value>) -> Result<String> {
    match map.get("path") {
        Some(Value::String(path)) => checked_path(key, path),
        _ => Err(bad(format!("The mapping's {key} needs a path."))),
    }
}

/// `columns`: an object of paths, each with a label.
fn labels(given: Option<&Value>) -> Result<BTreeMap<String, String>> {
    let map = match given {
        None | Some(Value::Null) => return Ok(BTreeMap::new()),
        Some(Value::Object(map)) => map,
        Some(other) => return Err(unexpected("columns", "an object of paths and labels", other)),
    };
    let mut labels = BTreeMap::new();
    for (path, entry) in map {
        let path = checked_path("columns", path)?;
        let key = format!("columns.{path}");
        let Value::Object(entry) = entry else {
            return Err(unexpected(&key, "an object with a label", entry));
        };
        if let Some(other) = entry.keys().find(|key| *key != "label") {
            return Err(bad(format!(
                "The mapping's {key} has an unknown key \"{other}\"; the only known key is label."
            )));
        }
        if let Some(label) = label(&key, entry)? {
            labels.insert(path, label);
        }
    }
    Ok(labels)
}

fn label(key: &str, entry: &Map<String, Value>) -> Result<Option<String>> {
    match entry.get("label") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(label)) if !label.trim().is_empty() => Ok(Some(label.trim().to_owned())),
        Some(other) => Err(unexpected(&format!("{key}.label"), "a text", other)),
    }
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

fn filters(given: Option<&Value>, version: u32) -> Result<Vec<FilterPath>> {
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
            Some(entry) => fields.extend(filter(name, entry, version)?),
        }
    }
    for (name, entry) in given.iter().filter(|(name, _)| !FORM_FIELDS.contains(&name.as_str())) {
        fields.extend(filter(name, entry, version)?);
    }
    Ok(fields)
}

/// One entry of `filters`; null removes the field.
fn filter(name: &str, entry: &Value, version: u32) -> Result<Option<FilterPath>> {
    if name.trim().is_empty() || name.trim() != name {
        return Err(bad(format!("The mapping's filter name \"{name}\" is blank or has spaces around it.")));
    }
    let key = format!("filters.{name}");
    let (path, value_type, label) = match entry {
        Value::Null => return Ok(None),
        Value::String(path) => (path, ValueType::Text, None),
        Value::Object(map) => {
            if let Some(other) = map.keys().find(|key| !["path", "type", "label"].contains(&key.as_str())) {
                return Err(bad(format!(
                    "The mapping's {key} has an unknown key \"{other}\"; known keys are path, type, label."
                )));
            }
            if version < 2 && map.contains_key("label") {
                return Err(needs_version_2(&format!("{key}.label")));
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
            (path, value_type, label(&key, map)?)
        }
        other => return Err(unexpected(&key, "a path, or an object with path and type", other)),
    };
    Ok(Some(FilterPath { name: name.to_owned(), path: checked_path(&key, path)?, value_type, label }))
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
    fn a_time_stamp_alone_is_enough_in_version_2() {
        let dates = |text: &str| format!("{:?}", Mapping::parse(text).unwrap().dates());
        assert!(dates(r#"{"version": 2, "timestamp": "t"}"#).starts_with("Timestamp"));
        assert!(dates(r#"{"version": 2, "timestamp": "t", "year": null}"#).starts_with("Timestamp"));
        assert!(dates(r#"{"version": 2, "timestamp": "t", "day_of_year": "n"}"#).starts_with("DayTimestamp"));
        assert!(dates(r#"{"version": 2, "timestamp": null}"#).starts_with("YearDay"));
        assert!(dates(r#"{"version": 2}"#).starts_with("YearDay"));
        // The signatures of version 1 depend on it.
        assert!(dates(r#"{"version": 1, "timestamp": "t"}"#).starts_with("YearDay"));
    }

    const VERSION_2: &str = r#"{"version": 2, "day_zone": "Europe/London", "year": null, "day_of_year": null,
        "timestamp": {"path": "execution.ts", "form": "iso_text", "zone": "America/New_York"},
        "downstream_trade_id": "parent.ref", "status": "kind",
        "columns": {"trade_id": {"label": "Trade"}, "qty": {}},
        "filters": {"product": {"path": "product", "type": "text", "label": "Commodity"}}}"#;

    #[test]
    fn version_2_has_forms_and_names() {
        let mapping = Mapping::parse(VERSION_2).unwrap();
        let DateMapping::Timestamp { timestamp } = mapping.dates() else { panic!("{:?}", mapping.dates()) };
        assert_eq!((timestamp.path, timestamp.form), ("execution.ts", DateForm::IsoText));
        assert_eq!((timestamp.zone.name(), timestamp.day_zone.name()), ("America/New_York", "Europe/London"));
        assert_eq!(mapping.trade_path(Role::Input), Some("trade_id"));
        assert_eq!(mapping.trade_path(Role::Downstream), Some("parent.ref"));
        assert_eq!(mapping.labels, BTreeMap::from([("trade_id".to_owned(), "Trade".to_owned())]));
        assert_eq!(mapping.filters[0].label.as_deref(), Some("Commodity"));
        assert_eq!(mapping.column_paths(Role::Input)[..4], ["trade_id", "execution.ts", "kind", "product"]);
        assert_eq!(mapping.column_paths(Role::Downstream), ["parent.ref", "kind"]);
        assert!(mapping.paths().any(|path| path == "parent.ref"));
        assert_eq!(
            mapping.describe(),
            "days by execution.ts (ISO text, America/New_York) in Europe/London, trade id trade_id, parent.ref in \
             messages, version 2"
        );
        assert_eq!(Mapping::from_stored(&mapping.to_stored()).unwrap(), mapping);
        for form in
            ["date", "iso_text", "epoch_s", "epoch_ms", "epoch_us", "epoch_ns", "yyyymmdd", "object_id"]
        {
            let text = format!(r#"{{"version": 2, "timestamp": {{"path": "t", "form": "{form}"}}}}"#);
            let mapping = Mapping::parse(&text).unwrap();
            assert_eq!(json!(mapping.timestamp.as_ref().unwrap().form), json!(form));
            assert_eq!(Mapping::from_stored(&mapping.to_stored()).unwrap(), mapping, "{form}");
        }
    }

    #[test]
    fn a_business_date_takes_the_place_of_the_other_dates() {
        let text = r#"{"version": 2, "day_zone": "Asia/Tokyo", "business_date": {"path": "day", "form": "yyyymmdd"}}"#;
        let mapping = Mapping::parse(text).unwrap();
        let DateMapping::Timestamp { timestamp } = mapping.dates() else { panic!("{:?}", mapping.dates()) };
        assert_eq!((timestamp.path, timestamp.day_zone.name()), ("day", "UTC"));
        assert_eq!(mapping.column_paths(Role::Input)[..3], ["trade_id", "day", "product"]);
        assert_eq!(mapping.describe(), "days by day (yyyymmdd) in Asia/Tokyo, trade id trade_id, version 2");
        assert_eq!(Mapping::from_stored(&mapping.to_stored()).unwrap(), mapping);
        // A time stamp beside it orders the rows of a day.
        let timed = text.replace(r#""day_zone""#, r#""timestamp": "at", "day_zone""#);
        let timed = Mapping::parse(&timed).unwrap();
        assert_eq!(timed.dates().paths(), ["day"]);
        assert_eq!(timed.column_paths(Role::Input)[..3], ["trade_id", "day", "at"]);
    }

    #[test]
    fn version_1_has_none_of_it() {
        for text in [
            r#"{"version": 1, "business_date": {"path": "d", "form": "date"}}"#,
            r#"{"timestamp": {"path": "t", "form": "date"}}"#,
            r#"{"downstream_trade_id": "parent"}"#,
            r#"{"status": "kind"}"#,
            r#"{"columns": {}}"#,
            r#"{"filters": {"cell": {"path": "c", "label": "Cell"}}}"#,
        ] {
            let message = refused(text);
            assert!(message.contains("needs version 2"), "{message}");
        }
        let stored = Mapping::default().to_stored();
        assert!(KEYS_OF_VERSION_2.iter().all(|key| !stored.contains(key)), "{stored}");
        assert!(stored.contains(r#""timestamp":"timestamp""#), "{stored}");
    }

    #[test]
    fn what_is_wrong_in_version_2_is_named() {
        for (text, part) in [
            (r#""timestamp": {"form": "date"}"#, "timestamp needs a path"),
            (r#""timestamp": {"path": "t", "form": "epoch"}"#, "timestamp.form"),
            (r#""timestamp": {"path": "t", "unit": "s"}"#, "\"unit\""),
            (r#""timestamp": {"path": "t", "form": "iso_text", "zone": "Mars"}"#, "Mars"),
            (r#""timestamp": {"path": "t", "form": "epoch_s", "zone": "Europe/London"}"#, "timestamp.zone"),
            (r#""timestamp": {"path": "t..u", "form": "date"}"#, "t..u"),
            (r#""business_date": "d""#, "business_date"),
            (r#""business_date": {"path": "d", "form": "epoch_s"}"#, "business_date.form"),
            (r#""business_date": {"path": "d", "form": "date", "zone": "UTC"}"#, "\"zone\""),
            (r#""business_date": {"path": "d", "form": "date"}, "year": "y""#, "business_date"),
            (r#""business_date": {"path": "d", "form": "date"}, "day_of_year": "n""#, "business_date"),
            (r#""trade_id": null, "downstream_trade_id": "p""#, "downstream_trade_id"),
            (r#""status": 1"#, "status"),
            (r#""columns": {"a": "b"}"#, "columns.a"),
            (r#""columns": {"a": {"label": " "}}"#, "columns.a.label"),
            (r#""columns": {"a": {"title": "b"}}"#, "\"title\""),
            (r#""filters": {"cell": {"path": "c", "label": 1}}"#, "filters.cell.label"),
        ] {
            let message = refused(&format!(r#"{{"version": 2, {text}}}"#));
            assert!(message.contains(part), "{message} should name {part}");
        }
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
