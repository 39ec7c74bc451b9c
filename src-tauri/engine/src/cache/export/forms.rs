//! Which type the values of a column have in a format with types of its own.

use std::collections::{BTreeMap, HashMap};

use super::table::ColumnForm;
use crate::decode::{FieldId, Kind};

/// The most digits of a decimal type.
const DECIMAL_DIGITS: i64 = 38;

/// The most digits of the decimal numbers of a column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Width {
    /// Before the point.
    pub(crate) whole: i64,
    /// After the point.
    pub(crate) fraction: i64,
}

/// Whether the values may all be exact decimal numbers: decimals, and integers if any.
pub(crate) fn may_be_decimal(fields: &BTreeMap<Kind, FieldId>) -> bool {
    let is_exact = |kind: &Kind| matches!(kind, Kind::Null | Kind::Int32 | Kind::Int64 | Kind::Decimal);
    fields.contains_key(&Kind::Decimal) && fields.keys().all(is_exact)
}

/// The form of a column. The widths are those of the decimal numbers that fit into a type at all.
pub(crate) fn form_of(fields: &BTreeMap<Kind, FieldId>, widths: &HashMap<FieldId, Width>) -> ColumnForm {
    let only = |kinds: &[Kind]| fields.keys().all(|kind| *kind == Kind::Null || kinds.contains(kind));
    if may_be_decimal(fields) {
        return decimal(fields, widths).unwrap_or(ColumnForm::Text);
    }
    if fields.keys().all(|kind| *kind == Kind::Null) {
        ColumnForm::Text
    } else if only(&[Kind::Bool]) {
        ColumnForm::Bool
    } else if only(&[Kind::Int32]) {
        ColumnForm::Int32
    } else if only(&[Kind::Int32, Kind::Int64]) {
        ColumnForm::Int64
    } else if only(&[Kind::Int32, Kind::Double, Kind::MinusZero]) {
        // A double holds every 32-bit integer.
        ColumnForm::Double
    } else if only(&[Kind::Date]) {
        ColumnForm::Timestamp
    } else {
        ColumnForm::Text
    }
}

/// The decimal type that holds all of some numbers, given as texts. `None` if one of them has an exponent, is not finite or
/// has too many digits.
pub(crate) fn plain_decimals<'a>(texts: impl Iterator<Item = &'a str>) -> Option<ColumnForm> {
    let mut width = Width { whole: 1, fraction: 0 };
    for text in texts {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() || !(whole.bytes().chain(fraction.bytes())).all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        width.whole = width.whole.max(i64::try_from(whole.len()).ok()?);
        width.fraction = width.fraction.max(i64::try_from(fraction.len()).ok()?);
    }
    of_width(width)
}

fn decimal(fields: &BTreeMap<Kind, FieldId>, widths: &HashMap<FieldId, Width>) -> Option<ColumnForm> {
    let width = widths.get(fields.get(&Kind::Decimal)?)?;
    let integers = match (fields.contains_key(&Kind::Int64), fields.contains_key(&Kind::Int32)) {
        (true, _) => 19,
        (_, true) => 10,
        _ => 1,
    };
    of_width(Width { whole: width.whole.max(integers), ..*width })
}

/// The decimal type of a width, unless it has more digits than a decimal type can have.
fn of_width(width: Width) -> Option<ColumnForm> {
    let digits = width.whole + width.fraction;
    let (precision, scale) = (u8::try_from(digits).ok()?, u8::try_from(width.fraction).ok()?);
    (digits <= DECIMAL_DIGITS).then_some(ColumnForm::Decimal { precision, scale })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_holds_every_value_of_its_kinds() {
        let form = |kinds: &[Kind], width: Option<(i64, i64)>| {
            let fields = kinds.iter().copied().zip(0..).collect::<BTreeMap<Kind, FieldId>>();
            let decimals = fields.get(&Kind::Decimal).zip(width);
            let widths = decimals.map(|(field, (whole, fraction))| (*field, Width { whole, fraction }));
            form_of(&fields, &widths.into_iter().collect())
        };
        for (kinds, width, expected) in [
            (&[][..], None, ColumnForm::Text),
            (&[Kind::Null], None, ColumnForm::Text),
            (&[Kind::Null, Kind::Int32], None, ColumnForm::Int32),
            (&[Kind::Int32, Kind::Int64], None, ColumnForm::Int64),
            (&[Kind::Int32, Kind::Double, Kind::MinusZero], None, ColumnForm::Double),
            (&[Kind::Int64, Kind::Double], None, ColumnForm::Text),
            (&[Kind::Decimal], Some((5, 3)), ColumnForm::Decimal { precision: 8, scale: 3 }),
            (&[Kind::Decimal], None, ColumnForm::Text),
            (&[Kind::Decimal], Some((30, 9)), ColumnForm::Text),
            (&[Kind::Int64, Kind::Decimal], Some((1, 2)), ColumnForm::Decimal { precision: 21, scale: 2 }),
            (&[Kind::Double, Kind::Decimal], Some((1, 2)), ColumnForm::Text),
            (&[Kind::Date], None, ColumnForm::Timestamp),
            (&[Kind::Date, Kind::Text], None, ColumnForm::Text),
            (&[Kind::Bool], None, ColumnForm::Bool),
            (&[Kind::ObjectId], None, ColumnForm::Text),
        ] {
            assert_eq!(form(kinds, width), expected, "{kinds:?} {width:?}");
        }
    }
}
