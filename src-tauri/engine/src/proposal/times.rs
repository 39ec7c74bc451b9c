//! Reads values as times, in each form that a mapping can declare, as a fetch by that mapping will read them.

use bson::{RawBsonRef, RawDocumentBuf};
use chrono::{DateTime, Datelike as _, Utc};

use crate::bson::path;
use crate::query::date_field::{DateForm, is_local};
use crate::query::placement::whole;

/// The forms, the less likely last.
pub(super) const FORMS: [DateForm; 8] = [
    DateForm::Date,
    DateForm::IsoText,
    DateForm::EpochMs,
    DateForm::EpochS,
    DateForm::EpochUs,
    DateForm::EpochNs,
    DateForm::CompactDay,
    DateForm::ObjectId,
];

/// Years in which the time of a trade is believed to lie.
const YEARS: std::ops::RangeInclusive<i32> = 1980..=2100;
/// Bytes of a text with a date alone: `2025-01-31`.
const DATE_LENGTH: usize = 10;

/// A time that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Read {
    /// The instant; a text without an offset is read as UTC.
    pub(super) at: DateTime<Utc>,
    /// Whether there is no time of day: a calendar day by itself.
    pub(super) is_day: bool,
    /// Whether it is a text without an offset.
    pub(super) is_local: bool,
}

/// Reads a value in a form; `None` if it is not of the form, or lies outside the believable years.
pub(super) fn read(value: RawBsonRef<'_>, form: DateForm) -> Option<Read> {
    let is_day = match (form, value) {
        (DateForm::CompactDay, _) => true,
        // A date at midnight is a calendar day if all of them are.
        (DateForm::Date, RawBsonRef::DateTime(at)) => at.timestamp_millis().rem_euclid(86_400_000) == 0,
        // Eight digits are ISO text as well; they are proposed as days.
        (DateForm::IsoText, RawBsonRef::String(text)) if text.len() < DATE_LENGTH => return None,
        (DateForm::IsoText, RawBsonRef::String(text)) => text.len() == DATE_LENGTH,
        _ => false,
    };
    let is_local = matches!((form, value), (DateForm::IsoText, RawBsonRef::String(text)) if is_local(text));
    let at = form.instant(value)?;
    YEARS.contains(&at.year()).then_some(Read { at, is_day, is_local })
}

/// Bytes of a text that may be a date: `Wednesday, 31 December 2025 14:00:00`.
const LONGEST: usize = 40;
/// Beginnings of the names of months, in some languages.
const MONTHS: [&str; 24] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "mai", "okt", "dez",
    "ene", "abr", "ago", "dic", "fev", "avr", "gen", "mag", "giu",
];

/// Whether a value is a date in a form that no mapping can declare: a text such as `31.01.2025`, `1/31/2025 14:00` or
/// `31-Jan-2025`. If the field is called a time, also digits that have one, such as `20250131140000` or 2025031.
pub(super) fn has_unknown_form(value: RawBsonRef<'_>, is_named: bool) -> bool {
    if FORMS.into_iter().any(|form| read(value, form).is_some()) {
        return false;
    }
    match value {
        RawBsonRef::String(text) if text.len() <= LONGEST => {
            let text = text.trim();
            let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            if is_digits { is_named && are_date_digits(text, true) } else { is_date_text(text) }
        }
        value => is_named && whole(value).is_some_and(|number| are_date_digits(&number.to_string(), false)),
    }
}

/// Whether digits are a year with its day, a date with a time, or, of a text, a count since 1970.
fn are_date_digits(digits: &str, is_text: bool) -> bool {
    let part =
        |from: usize, to: usize| digits.get(from..to).and_then(|part| part.parse::<i64>().ok()).unwrap_or(-1);
    let has_year = YEARS.contains(&i32::try_from(part(0, 4)).unwrap_or(0));
    match digits.len() {
        7 => has_year && (1..=366).contains(&part(4, 7)),
        12 | 14 if has_year => {
            (1..=12).contains(&part(4, 6)) && (1..=31).contains(&part(6, 8)) && part(8, 10) < 24
        }
        10 | 13 | 16 | 19 => is_text,
        _ => false,
    }
}

/// Whether a text begins with a day, a month and a year in some order, in digits or with the name of the month.
fn is_date_text(text: &str) -> bool {
    let lower = text.to_lowercase();
    let mut parts =
        lower.split(|character: char| !character.is_alphanumeric()).filter(|part| !part.is_empty());
    let (Some(a), Some(b), Some(c)) = (parts.next(), parts.next(), parts.next()) else { return false };
    // A time may follow: `31.01.2025T14:00`.
    let c = c.split('t').next().unwrap_or(c);
    let number = |part: &str| part.parse::<i32>().ok().filter(|_| part.len() <= 4);
    let is_year = |part: &str| part.len() == 4 && number(part).is_some_and(|year| YEARS.contains(&year));
    let is_short_year = |part: &str| part.len() == 2 && number(part).is_some();
    let is_day = |part: &str| part.len() <= 2 && number(part).is_some_and(|day| (1..=31).contains(&day));
    let is_month_name = |part: &str| MONTHS.iter().any(|month| part.starts_with(month));
    let is_numeric_date = (is_day(a) && is_day(b) && is_year(c)) || (is_year(a) && is_day(b) && is_day(c));
    let is_short_date = is_day(a) && is_day(b) && is_short_year(c) && text.len() <= 8 && !text.contains('-');
    let has_name = (is_day(a) && is_month_name(b) && (is_year(c) || is_short_year(c)))
        || (is_month_name(a) && is_day(b) && is_year(c));
    is_numeric_date || is_short_date || has_name
}

/// The unit that counts since 1970 at a path have if it is not the declared one: none of them is a believable time in
/// that, and all are in this.
pub(crate) fn other_unit(documents: &[RawDocumentBuf], path: &str, declared: DateForm) -> Option<DateForm> {
    declared.believable()?;
    let counted = |form: DateForm| {
        let (mut values, mut believable) = (0, 0);
        for document in documents {
            path::scalars(document, path, &mut |value| {
                // A zero stands for a time that is not known.
                if form.instant(value).is_some_and(|at| at.timestamp() != 0) {
                    values += 1;
                    believable += usize::from(read(value, form).is_some());
                }
            });
        }
        (values, believable)
    };
    let (values, believable) = counted(declared);
    let is_unit = |form: &DateForm| {
        let (values, believable) = counted(*form);
        values > 0 && values == believable
    };
    (values > 0 && believable == 0).then(|| DateForm::COUNTS.into_iter().find(is_unit)).flatten()
}

#[cfg(test)]
mod tests {
    use bson::{Bson, RawBson, bson};

    use super::*;

    fn forms(value: Bson) -> Vec<(DateForm, String)> {
        let raw = RawBson::try_from(value).expect("a value");
        let of = |form: DateForm| Some((form, read(raw.as_raw_bson_ref(), form)?.at.to_rfc3339()));
        FORMS.into_iter().filter_map(of).collect()
    }

    #[test]
    fn a_value_has_one_form() {
        let at = "2025-01-31T09:30:00+00:00".to_owned();
        let seconds = 1_738_315_800_i64;
        for (value, form) in [
            (bson!(bson::DateTime::from_millis(seconds * 1_000)), DateForm::Date),
            (bson!("2025-01-31T09:30:00Z"), DateForm::IsoText),
            (bson!("2025-01-31T10:30:00+01:00"), DateForm::IsoText),
            (bson!("2025-01-31 09:30"), DateForm::IsoText),
            (bson!("20250131T093000Z"), DateForm::IsoText),
            (bson!("20250131T103000+0100"), DateForm::IsoText),
            (bson!(i32::try_from(seconds).expect("it fits")), DateForm::EpochS),
            (bson!(1_738_315_800.0), DateForm::EpochS),
            (bson!(seconds * 1_000), DateForm::EpochMs),
            (bson!(seconds * 1_000_000), DateForm::EpochUs),
            (bson!(seconds * 1_000_000_000), DateForm::EpochNs),
            (Bson::Decimal128("1738315800000".parse().expect("a number")), DateForm::EpochMs),
        ] {
            assert_eq!(forms(value.clone()), [(form, at.clone())], "{value}");
        }
        let day = "2025-01-31T00:00:00+00:00".to_owned();
        assert_eq!(forms(bson!(20_250_131)), [(DateForm::CompactDay, day.clone())]);
        assert_eq!(forms(bson!("20250131")), [(DateForm::CompactDay, day.clone())]);
        assert_eq!(forms(bson!("2025-01-31")), [(DateForm::IsoText, day)]);
    }

    #[test]
    fn a_unit_that_is_not_the_declared_one_is_found() {
        let counts = |values: &[i64]| -> Vec<RawDocumentBuf> {
            values.iter().map(|value| bson::rawdoc! {"at": *value}).collect()
        };
        let seconds = counts(&[1_738_315_800, 1_772_319_600, 0]);
        assert_eq!(other_unit(&seconds, "at", DateForm::EpochMs), Some(DateForm::EpochS));
        assert_eq!(other_unit(&seconds, "at", DateForm::EpochNs), Some(DateForm::EpochS));
        assert_eq!(other_unit(&seconds, "at", DateForm::EpochS), None);
        let nanoseconds = counts(&[1_738_315_800_000_000_000]);
        assert_eq!(other_unit(&nanoseconds, "at", DateForm::EpochMs), Some(DateForm::EpochNs));
        assert_eq!(other_unit(&counts(&[1_738_315_800, 1_738_315_800_000]), "at", DateForm::EpochMs), None);
        assert_eq!(
            other_unit(&counts(&[7, 8]), "at", DateForm::EpochMs),
            None,
            "no unit makes times of these"
        );
        assert_eq!(other_unit(&seconds, "at", DateForm::Date), None);
        assert_eq!(other_unit(&seconds, "none", DateForm::EpochMs), None);
    }

    #[test]
    fn dates_in_other_forms_are_noticed() {
        let unknown = |value: Bson, is_named| {
            let raw = RawBson::try_from(value).expect("a value");
            has_unknown_form(raw.as_raw_bson_ref(), is_named)
        };
        for text in [
            "31.01.2025",
            "31/01/2025",
            "1/31/2025 14:00",
            "31.01.2025 14:00",
            "31.1.25",
            "2025/01/31",
            "31-Jan-2025",
            "Jan 31, 2025",
            "31 janv. 2025",
            "31.01.2025T14:00",
        ] {
            assert!(unknown(bson!(text), false), "{text}");
        }
        for text in [
            "2025-01-31",
            "2025-01-31T09:30:00Z",
            "n/a",
            "1.2.3.4",
            "10.5",
            "A-12-2025-7",
            "Brent Jan 2025",
            "",
        ] {
            assert!(!unknown(bson!(text), false), "{text}");
        }
        for digits in
            [bson!("20250131140000"), bson!(2_025_031), bson!("1738315800000"), bson!(20_250_131_140_000_i64)]
        {
            assert!(unknown(digits.clone(), true), "{digits}");
            assert!(!unknown(digits.clone(), false), "{digits}");
        }
        assert!(!unknown(bson!(2_025_999), true));
        assert!(!unknown(bson!(20_250_131), true), "a mapping knows this");
    }

    #[test]
    fn what_is_no_time_has_no_form() {
        for value in [
            // A fetch reads no such text, so none may be proposed.
            bson!("20250131093000"),
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
