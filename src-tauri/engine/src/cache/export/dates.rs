//! Dates as exports write them.

use chrono::{DateTime, NaiveDate, SecondsFormat, TimeDelta};

use crate::day::DayZone;

/// The milliseconds since 1970 of a date's text, such as `2025-01-31T09:30:00.123Z`.
pub(crate) fn millis_of(text: &str) -> Option<i64> {
    let bytes: &[u8; 24] = text.as_bytes().try_into().ok()?;
    let digits = |from: usize, to: usize| {
        bytes[from..to].iter().try_fold(0_u32, |number, byte| {
            byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0'))
        })
    };
    let signs = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.'), (23, b'Z')];
    if signs.iter().any(|(place, sign)| bytes[*place] != *sign) {
        return None;
    }
    let year = i32::try_from(digits(0, 4)?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, digits(5, 7)?, digits(8, 10)?)?;
    let at = date.and_hms_milli_opt(digits(11, 13)?, digits(14, 16)?, digits(17, 19)?, digits(20, 23)?)?;
    Some(at.and_utc().timestamp_millis())
}

/// A date in a zone, such as `2025-01-31T10:30:00.123+01:00`.
pub(crate) fn text_in(millis: i64, zone: DayZone) -> String {
    let Some(at) = DateTime::from_timestamp_millis(millis) else { return millis.to_string() };
    let offset = zone.offset_at(at);
    let Some(local) = at.checked_add_signed(TimeDelta::seconds(offset.into())) else {
        return at.to_rfc3339_opts(SecondsFormat::Millis, true);
    };
    let (sign, offset) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs());
    let (hours, minutes, seconds) = (offset / 3_600, offset / 60 % 60, offset % 60);
    let mut text = format!("{}{sign}{hours:02}:{minutes:02}", local.format("%Y-%m-%dT%H:%M:%S%.3f"));
    if seconds > 0 {
        // Local mean time, before there were zones.
        text.push_str(&format!(":{seconds:02}"));
    }
    text
}

/// What the clocks of a zone show at an instant, in milliseconds as if it were UTC.
pub(crate) fn shown_millis(millis: i64, zone: Option<DayZone>) -> i64 {
    let offset = zone.zip(DateTime::from_timestamp_millis(millis));
    millis + offset.map_or(0, |(zone, at)| i64::from(zone.offset_at(at)) * 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_to_the_millisecond() {
        for (text, millis) in [
            ("1970-01-01T00:00:00.000Z", Some(0)),
            ("2025-01-31T09:30:00.123Z", Some(1_738_315_800_123)),
            ("0001-01-01T00:00:00.000Z", Some(-62_135_596_800_000)),
            ("9999-12-31T23:59:59.999Z", Some(253_402_300_799_999)),
            ("2025-02-29T09:30:00.123Z", None),
            ("2025-01-31 09:30:00.123Z", None),
            ("2025-01-31T09:30:00Z", None),
            ("", None),
        ] {
            assert_eq!(millis_of(text), millis, "{text}");
        }
    }

    #[test]
    fn a_zone_is_written_as_its_offset() {
        let in_zone = |text: &str, zone: &str| {
            text_in(millis_of(text).expect("a date"), DayZone::parse(zone).expect("a zone"))
        };
        for (text, zone, expected) in [
            ("2025-03-30T00:59:59.999Z", "Europe/Berlin", "2025-03-30T01:59:59.999+01:00"),
            ("2025-03-30T01:00:00.000Z", "Europe/Berlin", "2025-03-30T03:00:00.000+02:00"),
            ("2025-01-01T00:00:00.000Z", "America/New_York", "2024-12-31T19:00:00.000-05:00"),
            ("2025-01-01T00:00:00.000Z", "UTC", "2025-01-01T00:00:00.000+00:00"),
        ] {
            assert_eq!(in_zone(text, zone), expected);
        }
    }
}
