//! The values of the form: typed as the mapping declares, read strictly, and never converted to a float if digits
//! matter.

use std::cmp::Ordering;

use bson::oid::ObjectId;
use bson::{Bson, Decimal128};
use chrono::{DateTime, SecondsFormat, TimeDelta};
use serde_json::Value;

use super::form::ValueType;
use super::mapping::Mapping;
use crate::bson::number::{Number, whole_of};
use crate::bson::uuids::{StoredUuid, UuidRepresentation};
use crate::day::{Day, DayZone};
use crate::failure::{Code, Failure, Result};

/// A value to match, of the type that the mapping gives the field.
#[derive(Debug, Clone, PartialEq)]
pub enum FilterValue {
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction, or one beyond 64 bits.
    Number(f64),
    /// A decimal number.
    Decimal(Decimal128),
    /// A point in time.
    Date(bson::DateTime),
    /// True or false.
    Bool(bool),
    /// An `ObjectId`.
    ObjectId(ObjectId),
    /// A UUID.
    Uuid(StoredUuid),
}

/// The settings of a mapping that determine how values are read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Forms {
    /// The zone of a date without a time.
    pub zone: DayZone,
    /// How UUIDs are stored.
    pub uuids: UuidRepresentation,
}

impl Forms {
    /// The settings of a mapping.
    #[must_use]
    pub fn of(mapping: &Mapping) -> Self {
        Self { zone: mapping.day_zone, uuids: mapping.uuid_representation }
    }
}

impl FilterValue {
    /// Reads a value as typed. The message names the field and the text.
    pub fn parse(value_type: ValueType, text: &str, forms: Forms, field: &str) -> Result<Self> {
        let text = text.trim();
        let value = match value_type {
            ValueType::Text => Some(Self::Text(text.to_owned())),
            ValueType::Integer => text.parse().ok().map(Self::Integer),
            ValueType::Number => number(text),
            ValueType::Decimal => decimal(text).map(Self::Decimal),
            ValueType::Date => date(text, &forms.zone, Bound::Low),
            ValueType::Bool => match text.to_ascii_lowercase().as_str() {
                "true" => Some(Self::Bool(true)),
                "false" => Some(Self::Bool(false)),
                _ => None,
            },
            ValueType::ObjectId => ObjectId::parse_str(text).ok().map(Self::ObjectId),
            ValueType::Uuid => StoredUuid::parse(text, forms.uuids).map(Self::Uuid),
        };
        value.ok_or_else(|| {
            let expected = match value_type {
                ValueType::Text => "a text",
                ValueType::Integer => "a whole number of up to 64 bits",
                ValueType::Number => "a number",
                ValueType::Decimal => "a decimal number of up to 34 digits",
                ValueType::Date => "a date such as 2025-01-31 or 2025-01-31T09:30:00Z",
                ValueType::Bool => "true or false",
                ValueType::ObjectId => "an id of 24 hex digits",
                ValueType::Uuid => "a UUID such as 123e4567-e89b-12d3-a456-426614174000",
            };
            bad(format!("\"{text}\" in the filter {field} is not {expected}."))
        })
    }

    /// The value as it is sent to MongoDB.
    #[must_use]
    pub fn to_bson(&self) -> Bson {
        match self {
            Self::Text(text) => Bson::String(text.clone()),
            Self::Integer(whole) => Bson::Int64(*whole),
            Self::Number(number) => Bson::Double(*number),
            Self::Decimal(decimal) => Bson::Decimal128(*decimal),
            Self::Date(date) => Bson::DateTime(*date),
            Self::Bool(truth) => Bson::Boolean(*truth),
            Self::ObjectId(id) => Bson::ObjectId(*id),
            Self::Uuid(uuid) => Bson::Binary(uuid.to_binary()),
        }
    }

    /// The value as a person types it; `parse` reads it back the same.
    #[must_use]
    pub fn typed(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Integer(whole) => whole.to_string(),
            // Digits alone would be read as a whole number, and so as a different type.
            Self::Number(number) if number.fract() == 0.0 => format!("{number:e}"),
            Self::Number(number) => number.to_string(),
            Self::Decimal(decimal) => decimal.to_string(),
            Self::Date(date) => match DateTime::from_timestamp_millis(date.timestamp_millis()) {
                Some(at) => at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
                None => date.timestamp_millis().to_string(),
            },
            Self::Bool(truth) => truth.to_string(),
            Self::ObjectId(id) => id.to_hex(),
            Self::Uuid(uuid) => uuid.text(),
        }
    }

    /// Value and type as one JSON value: two values are the same if these are equal.
    pub(super) fn canonical(&self) -> Value {
        match self {
            Self::Uuid(uuid) => uuid.canonical(),
            other => other.to_bson().into_canonical_extjson(),
        }
    }

    pub(super) fn from_canonical(value: Value) -> Option<Self> {
        if let Some(uuid) = StoredUuid::from_canonical(&value) {
            return Some(Self::Uuid(uuid));
        }
        Some(match Bson::try_from(value).ok()? {
            Bson::String(text) => Self::Text(text),
            Bson::Int64(whole) => Self::Integer(whole),
            Bson::Double(number) => Self::Number(number),
            Bson::Decimal128(decimal) => Self::Decimal(decimal),
            Bson::DateTime(date) => Self::Date(date),
            Bson::Boolean(truth) => Self::Bool(truth),
            Bson::ObjectId(id) => Self::ObjectId(id),
            _ => return None,
        })
    }

    /// The value as a number, if it is one.
    pub(crate) const fn as_number(&self) -> Option<Number> {
        match self {
            Self::Integer(whole) => Some(Number::Whole(*whole)),
            Self::Number(number) => Some(Number::Double(*number)),
            Self::Decimal(decimal) => Some(Number::Decimal(*decimal)),
            _ => None,
        }
    }

    pub(super) fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Date(a), Self::Date(b)) => Some(a.cmp(b)),
            (a, b) => a.as_number()?.compare(b.as_number()?),
        }
    }
}

/// Which end of a range a date is.
#[derive(Clone, Copy)]
pub(super) enum Bound {
    Low,
    High,
}

/// Whether a text looks like a number: sign, digits, point, exponent. Excludes what parsers accept besides, such as
/// `inf`.
fn looks_like_number(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let unsigned = |text: &str| text.strip_prefix(['+', '-']).unwrap_or(text).to_owned();
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa = unsigned(mantissa);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((&mantissa, ""));
    let exponent_is_fine = exponent.is_none_or(|text| {
        let text = unsigned(text);
        !text.is_empty() && text.len() < 10 && digits(&text)
    });
    digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty()) && exponent_is_fine
}

fn number(text: &str) -> Option<FilterValue> {
    if !looks_like_number(text) {
        return None;
    }
    // Digits alone stay exact: as a whole number, or as a decimal if 64 bits are too few.
    if !text.contains(['.', 'e', 'E']) {
        if let Ok(whole) = text.parse() {
            return Some(FilterValue::Integer(whole));
        }
        if let Some(decimal) = decimal(text) {
            return Some(FilterValue::Decimal(decimal));
        }
    }
    let number: f64 = text.parse().ok().filter(|number: &f64| number.is_finite())?;
    Some(whole_of(number).map_or(FilterValue::Number(number), FilterValue::Integer))
}

fn decimal(text: &str) -> Option<Decimal128> {
    if !looks_like_number(text) {
        return None;
    }
    text.parse().ok().filter(|decimal| Number::Decimal(*decimal).is_finite())
}

/// A point in time, or a day: its first millisecond as the low end, its last as the high one.
pub(super) fn date(text: &str, zone: &DayZone, bound: Bound) -> Option<FilterValue> {
    let at = match DateTime::parse_from_rfc3339(text) {
        Ok(at) => at.to_utc(),
        Err(_) => {
            let day = Day::parse(text).ok()?;
            match bound {
                Bound::Low => zone.start_of(day),
                Bound::High => zone.end_of(day) - TimeDelta::milliseconds(1),
            }
        }
    };
    Some(FilterValue::Date(bson::DateTime::from_millis(at.timestamp_millis())))
}

pub(super) fn bad(message: impl Into<String>) -> Failure {
    Failure::new(Code::BadFilter, message)
}
