//! Reads values as times, in each form that a mapping can declare, as a fetch by that mapping will read them.

use bson::{RawBsonRef, RawDocumentBuf};
use chrono::{DateTime, Datelike as _, Utc};

use crate::bson::path;
use crate::query::date_field::DateForm;

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
    let at = form.instant(value)?;
    YEARS.contains(&at.year()).then_some(Read { at, is_day })
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
