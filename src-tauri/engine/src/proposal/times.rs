//! Reads values as times, in each form that a mapping can declare.

use std::str::FromStr as _;

use bigdecimal::{BigDecimal, ToPrimitive as _};
use bson::RawBsonRef;
use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, Utc};

/// A form of times, as a mapping names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Form {
    Date,
    IsoText,
    EpochS,
    EpochMs,
    EpochUs,
    EpochNs,
    YyyyMmDd,
    ObjectId,
}

impl Form {
    pub(crate) const ALL: [Self; 8] = [
        Self::Date,
        Self::IsoText,
        Self::EpochMs,
        Self::EpochS,
        Self::EpochUs,
        Self::EpochNs,
        Self::YyyyMmDd,
        Self::ObjectId,
    ];

    /// Its name in a mapping file.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::IsoText => "iso_text",
            Self::EpochS => "epoch_s",
            Self::EpochMs => "epoch_ms",
            Self::EpochUs => "epoch_us",
            Self::EpochNs => "epoch_ns",
            Self::YyyyMmDd => "yyyymmdd",
            Self::ObjectId => "object_id",
        }
    }

    /// How a person calls values of this form.
    pub(crate) const fn in_words(self) -> &'static str {
        match self {
            Self::Date => "dates",
            Self::IsoText => "dates as text",
            Self::EpochS => "seconds since 1970",
            Self::EpochMs => "milliseconds since 1970",
            Self::EpochUs => "microseconds since 1970",
            Self::EpochNs => "nanoseconds since 1970",
            Self::YyyyMmDd => "dates as yyyymmdd",
            Self::ObjectId => "ObjectIds, which contain the time at which they were made",
        }
    }

    /// Units per second of an epoch number.
    const fn units(self) -> Option<i64> {
        match self {
            Self::EpochS => Some(1),
            Self::EpochMs => Some(1_000),
            Self::EpochUs => Some(1_000_000),
            Self::EpochNs => Some(1_000_000_000),
            _ => None,
        }
    }
}

/// A time that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Read {
    /// The instant; a text without an offset is read as UTC.
    pub(crate) at: DateTime<Utc>,
    /// Whether there is no time of day: a calendar day by itself.
    pub(crate) is_day: bool,
}

/// Years in which the time of a trade is believed to lie.
const YEARS: std::ops::RangeInclusive<i32> = 1980..=2100;

/// Reads a value in a form; `None` if it is not of the form, or lies outside the believable years.
pub(crate) fn read(value: RawBsonRef<'_>, form: Form) -> Option<Read> {
    let found = match (form, value) {
        (Form::Date, RawBsonRef::DateTime(at)) => {
            let at = DateTime::from_timestamp_millis(at.timestamp_millis())?;
            Read { at, is_day: false }
        }
        (Form::ObjectId, RawBsonRef::ObjectId(id)) => {
            let at = DateTime::from_timestamp_millis(id.timestamp().timestamp_millis())?;
            Read { at, is_day: false }
        }
        (Form::IsoText, RawBsonRef::String(text)) => iso_text(text)?,
        (Form::YyyyMmDd, value) => {
            let number = match value {
                RawBsonRef::String(text) if text.len() == 8 => text.parse::<i64>().ok()?,
                value => whole(value)?,
            };
            let number = i32::try_from(number).ok().filter(|number| *number > 0)?;
            let (month, day) = (u32::try_from(number / 100 % 100).ok()?, u32::try_from(number % 100).ok()?);
            let day = NaiveDate::from_ymd_opt(number / 10_000, month, day)?;
            Read { at: day.and_time(NaiveTime::MIN).and_utc(), is_day: true }
        }
        (form, value) => {
            let units = form.units()?;
            let (seconds, rest) = match value {
                RawBsonRef::Int32(number) => split(number.into(), units),
                RawBsonRef::Int64(number) => split(number, units),
                RawBsonRef::Double(number) => {
                    let seconds = number / approximate(units);
                    (whole_of(seconds.floor())?, 0)
                }
                RawBsonRef::Decimal128(number) => {
                    let number = BigDecimal::from_str(&number.to_string()).ok()?;
                    (number / BigDecimal::from(units)).to_i64().map(|seconds| (seconds, 0))?
                }
                _ => return None,
            };
            let nanos = u32::try_from(rest * (1_000_000_000 / units)).ok()?;
            Read { at: DateTime::from_timestamp(seconds, nanos)?, is_day: false }
        }
    };
    YEARS.contains(&found.at.year()).then_some(found)
}

fn split(number: i64, units: i64) -> (i64, i64) {
    (number.div_euclid(units), number.rem_euclid(units))
}

#[allow(clippy::cast_precision_loss, reason = "powers of ten")]
const fn approximate(units: i64) -> f64 {
    units as f64
}

#[allow(clippy::cast_possible_truncation, reason = "checked to be within a few thousand years")]
fn whole_of(seconds: f64) -> Option<i64> {
    (seconds.abs() < 1e12).then_some(seconds as i64)
}

/// The value as a whole number.
pub(crate) fn whole(value: RawBsonRef<'_>) -> Option<i64> {
    crate::query::placement::whole(value)
}

/// Texts such as `2025-01-31T09:30:00.123+01:00`, `2025-01-31 09:30`, `20250131T093000Z` and `2025-01-31`.
fn iso_text(text: &str) -> Option<Read> {
    const LOCAL: [&str; 8] = [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M",
        "%Y%m%dT%H%M%S%.f",
        "%Y%m%dT%H%M",
        "%Y%m%d%H%M%S",
        "%Y-%m-%dT%H",
    ];
    let text = text.trim();
    if !text.is_ascii() || text.len() < 10 || !text.as_bytes()[..4].iter().all(u8::is_ascii_digit) {
        return None;
    }
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(Read { at: day.and_time(NaiveTime::MIN).and_utc(), is_day: true });
    }
    let local = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    for form in LOCAL {
        if let Ok(at) = NaiveDateTime::parse_from_str(local, form) {
            return Some(Read { at: at.and_utc(), is_day: false });
        }
        if let Ok(at) = DateTime::parse_from_str(text, &format!("{form}%#z")) {
            return Some(Read { at: at.to_utc(), is_day: false });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use bson::{Bson, RawBson, bson};

    use super::*;

    fn forms(value: Bson) -> Vec<(&'static str, String)> {
        let raw = RawBson::try_from(value).expect("a value");
        let of = |form: Form| Some((form.name(), read(raw.as_raw_bson_ref(), form)?.at.to_rfc3339()));
        Form::ALL.into_iter().filter_map(of).collect()
    }

    #[test]
    fn a_value_has_one_form() {
        let at = "2025-01-31T09:30:00+00:00".to_owned();
        let seconds = 1_738_315_800_i64;
        for (value, form) in [
            (bson!(bson::DateTime::from_millis(seconds * 1_000)), "date"),
            (bson!("2025-01-31T09:30:00Z"), "iso_text"),
            (bson!("2025-01-31T10:30:00+01:00"), "iso_text"),
            (bson!("2025-01-31 09:30"), "iso_text"),
            (bson!("20250131T093000Z"), "iso_text"),
            (bson!("20250131T103000+0100"), "iso_text"),
            (bson!(i32::try_from(seconds).expect("it fits")), "epoch_s"),
            (bson!(1_738_315_800.0), "epoch_s"),
            (bson!(seconds * 1_000), "epoch_ms"),
            (bson!(seconds * 1_000_000), "epoch_us"),
            (bson!(seconds * 1_000_000_000), "epoch_ns"),
            (Bson::Decimal128("1738315800000".parse().expect("a number")), "epoch_ms"),
        ] {
            assert_eq!(forms(value.clone()), [(form, at.clone())], "{value}");
        }
        let day = "2025-01-31T00:00:00+00:00".to_owned();
        assert_eq!(forms(bson!(20_250_131)), [("yyyymmdd", day.clone())]);
        assert_eq!(forms(bson!("20250131")), [("yyyymmdd", day.clone())]);
        assert_eq!(forms(bson!("2025-01-31")), [("iso_text", day)]);
    }

    #[test]
    fn what_is_no_time_has_no_form() {
        for value in [
            bson!("n/a"),
            bson!("2025-13-01"),
            bson!(20_251_345),
            bson!(31),
            bson!(-5_000_000_000_i64),
            bson!(0.5),
            bson!(true),
            bson!("Brent 2025-01-31"),
            bson!(f64::NAN),
            bson!(f64::INFINITY),
            Bson::Null,
        ] {
            assert_eq!(forms(value.clone()), [], "{value}");
        }
    }
}
