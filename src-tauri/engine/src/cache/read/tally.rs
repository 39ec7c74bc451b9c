//! Adds up cells: how many there are, their exact sum, the least and the greatest.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use bigdecimal::num_bigint::BigInt;
use bigdecimal::{BigDecimal, RoundingMode, Zero as _};
use duckdb::arrow::array::{Array as _, ArrayRef, AsArray as _};
use duckdb::arrow::datatypes::{Float64Type, Int64Type};

use super::column::Holder;
use crate::cache::file::error::{CacheError, Result};
use crate::cache::file::sql::{Sql, sql};
use crate::decode::Kind;
use crate::rows::filter_text::Quantity;

/// Digits of an average.
const AVERAGE_DIGITS: std::num::NonZeroU64 = match std::num::NonZeroU64::new(34) {
    Some(digits) => digits,
    None => std::num::NonZeroU64::MIN,
};
/// The most zeros that are written out before or after the digits of a number.
const PLAIN_ZEROS: u64 = 60;
/// The most digits that may end in that many zeros.
const PLAIN_DIGITS: u64 = 60;

/// A cell that is added up.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cell<'a> {
    Whole(i64),
    Double(f64),
    /// A decimal or -0.0, by its text.
    Decimal(&'a str),
    /// A date, in milliseconds.
    Date(i64),
    /// Anything else, by its text.
    Text(&'a str),
}

/// SQL for the values of a holder as [`read`] takes them.
pub(crate) fn select(holder: Holder, name: &Sql) -> Sql {
    match holder.kind() {
        Kind::Int32 | Kind::Int64 | Kind::Date => sql!("{name}::BIGINT", name),
        Kind::Double => name.clone(),
        _ => holder.shown_of(name),
    }
}

/// The cell in a row of one of several arrays, one for each holder of a column; `None` if there is none.
pub(crate) fn read<'a>(holders: &[Holder], arrays: &'a [ArrayRef], row: usize) -> Result<Option<Cell<'a>>> {
    let odd = || CacheError::internal("A column could not be read as what it is.");
    let Some((holder, array)) = holders.iter().zip(arrays).find(|(_, array)| array.is_valid(row)) else {
        return Ok(None);
    };
    let whole = || array.as_primitive_opt::<Int64Type>().map(|values| values.value(row)).ok_or_else(odd);
    let text = || array.as_string_opt::<i32>().map(|values| values.value(row)).ok_or_else(odd);
    Ok(Some(match holder.kind() {
        Kind::Int32 | Kind::Int64 => Cell::Whole(whole()?),
        Kind::Date => Cell::Date(whole()?),
        Kind::Double => Cell::Double(array.as_primitive_opt::<Float64Type>().ok_or_else(odd)?.value(row)),
        Kind::Decimal | Kind::MinusZero => Cell::Decimal(text()?),
        _ => Cell::Text(text()?),
    }))
}

/// What cells add up to.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tally {
    pub(crate) filled: u64,
    pub(crate) numbers: u64,
    sum: Sum,
    whole: Ends<i64>,
    doubles: Ends<f64>,
    decimals: Ends<Decimal>,
    dates: Ends<i64>,
    texts: Ends<String>,
    has_nan: bool,
    /// The different cells, if they are wanted.
    pub(crate) distinct: Option<HashSet<String>>,
}

/// The least or the greatest cell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum End {
    Whole(i64),
    Double(f64),
    Text(String),
    Date(i64),
}

impl End {
    /// The number that it is.
    pub(crate) fn number(&self) -> Option<Quantity> {
        match self {
            Self::Whole(whole) => Some(Quantity::Finite((*whole).into())),
            Self::Double(double) => Some(Quantity::shown_of(*double)),
            Self::Text(_) | Self::Date(_) => None,
        }
    }
}

#[derive(Debug, Clone)]
struct Decimal {
    number: Quantity,
    text: String,
}

/// The least and the greatest of some values.
#[derive(Debug, Clone)]
struct Ends<T>(Option<(T, T)>);

impl<T> Default for Ends<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Clone> Ends<T> {
    fn take(&mut self, value: &T, compare: impl Fn(&T, &T) -> Ordering) {
        self.take_or_equal(value, compare, |_, _| false);
    }

    /// Takes a value, also in place of an equal one that comes after it.
    fn take_or_equal(
        &mut self,
        value: &T,
        compare: impl Fn(&T, &T) -> Ordering,
        comes_before: impl Fn(&T, &T) -> bool,
    ) {
        let Some((least, greatest)) = &mut self.0 else {
            self.0 = Some((value.clone(), value.clone()));
            return;
        };
        for (end, better) in [(least, Ordering::Less), (greatest, Ordering::Greater)] {
            let order = compare(value, end);
            if order == better || (order.is_eq() && comes_before(value, end)) {
                *end = value.clone();
            }
        }
    }

    fn end(&self, greatest: bool) -> Option<&T> {
        self.0.as_ref().map(|(low, high)| if greatest { high } else { low })
    }
}

impl Tally {
    /// A tally that also collects the different cells.
    pub(crate) fn with_distinct() -> Self {
        Self { distinct: Some(HashSet::new()), ..Self::default() }
    }

    /// Adds a cell that a number of rows have.
    pub(crate) fn add(&mut self, cell: Cell<'_>, rows: u64) {
        self.filled += rows;
        match cell {
            Cell::Whole(whole) => {
                self.numbers += rows;
                self.sum.add(i128::from(whole), 0, rows);
                self.whole.take(&whole, Ord::cmp);
            }
            Cell::Double(double) => {
                self.numbers += rows;
                if double.is_finite() {
                    self.sum.add_text(&format!("{double:e}"), rows);
                } else {
                    self.sum.add_special(&Quantity::shown_of(double));
                }
                if double.is_nan() {
                    self.has_nan = true;
                } else {
                    self.doubles.take(&double, f64::total_cmp);
                }
            }
            Cell::Decimal(text) => {
                self.numbers += rows;
                let number = Quantity::of_cell(text);
                match &number {
                    Quantity::Finite(_) => self.sum.add_text(text, rows),
                    special => self.sum.add_special(special),
                }
                if number == Quantity::NotANumber {
                    self.has_nan = true;
                    return;
                }
                // Of equal numbers, the one whose text comes first.
                let decimal = Decimal { number, text: text.to_owned() };
                let by_value =
                    |a: &Decimal, b: &Decimal| a.number.compare(&b.number).unwrap_or(Ordering::Equal);
                self.decimals.take_or_equal(&decimal, by_value, |a, b| a.text < b.text);
            }
            Cell::Date(millis) => self.dates.take(&millis, Ord::cmp),
            Cell::Text(text) => self.texts.take(&text.to_owned(), Ord::cmp),
        }
    }

    /// The sum of the numbers.
    pub(crate) fn sum(&self) -> Option<Quantity> {
        (self.numbers > 0).then(|| self.sum.total())
    }

    /// The average of the numbers.
    pub(crate) fn average(&self) -> Option<Quantity> {
        Some(match self.sum()? {
            Quantity::Finite(sum) => {
                let average = sum / BigDecimal::from(self.numbers);
                Quantity::Finite(
                    average.with_precision_round(AVERAGE_DIGITS, RoundingMode::HalfEven).normalized(),
                )
            }
            special => special,
        })
    }

    /// The least or the greatest cell.
    pub(crate) fn end(&self, greatest: bool) -> Option<(End, Option<Quantity>)> {
        let whole = self.whole.end(greatest).map(|whole| End::Whole(*whole));
        let double = self.doubles.end(greatest).map(|double| End::Double(*double));
        let plain = whole.into_iter().chain(double).filter_map(|end| Some((end.number()?, end)));
        let decimal = self
            .decimals
            .end(greatest)
            .map(|decimal| (decimal.number.clone(), End::Text(decimal.text.clone())));
        let best = plain.chain(decimal).reduce(|best, other| {
            let order = other.0.compare(&best.0).unwrap_or(Ordering::Equal);
            let is_better = if greatest { order.is_gt() } else { order.is_lt() };
            if is_better { other } else { best }
        });
        if let Some((number, end)) = best {
            return Some((end, Some(number)));
        }
        if self.has_nan {
            return Some((End::Text("NaN".to_owned()), Some(Quantity::NotANumber)));
        }
        let date = self.dates.end(greatest).map(|millis| End::Date(*millis));
        let text = || self.texts.end(greatest).map(|text| End::Text(text.clone()));
        Some((date.or_else(text)?, None))
    }
}

/// An exact sum. Numbers with the same number of decimals are added as whole numbers.
#[derive(Debug, Default, Clone)]
struct Sum {
    by_scale: HashMap<i64, Digits>,
    has_nan: bool,
    has_infinity: bool,
    has_minus_infinity: bool,
}

/// A sum of whole numbers.
#[derive(Debug, Default, Clone)]
struct Digits {
    small: i128,
    /// What did not fit.
    large: BigInt,
}

impl Sum {
    fn add(&mut self, digits: i128, scale: i64, times: u64) {
        let sum = self.by_scale.entry(scale).or_default();
        let added = digits.checked_mul(i128::from(times)).and_then(|product| sum.small.checked_add(product));
        match added {
            Some(added) => sum.small = added,
            None => sum.large += BigInt::from(digits) * BigInt::from(times),
        }
    }

    /// Adds a number that is written as digits with a sign, a point and an exponent.
    fn add_text(&mut self, text: &str, times: u64) {
        if let Some((digits, scale)) = short_digits(text) {
            self.add(digits, scale, times);
        } else if let Quantity::Finite(number) = Quantity::of_cell(text) {
            let (digits, scale) = number.into_bigint_and_exponent();
            self.by_scale.entry(scale).or_default().large += digits * BigInt::from(times);
        }
    }

    fn add_special(&mut self, number: &Quantity) {
        match number {
            Quantity::NotANumber => self.has_nan = true,
            Quantity::Infinite { negative: false } => self.has_infinity = true,
            Quantity::Infinite { negative: true } => self.has_minus_infinity = true,
            Quantity::Finite(_) => {}
        }
    }

    fn total(&self) -> Quantity {
        match (self.has_infinity, self.has_minus_infinity) {
            _ if self.has_nan => Quantity::NotANumber,
            (true, true) => Quantity::NotANumber,
            (false, false) => {
                let part = |(scale, digits): (&i64, &Digits)| {
                    BigDecimal::new(&digits.large + BigInt::from(digits.small), *scale)
                };
                let parts = self.by_scale.iter().map(part);
                Quantity::Finite(parts.fold(BigDecimal::zero(), |sum, part| sum + part))
            }
            (_, negative) => Quantity::Infinite { negative },
        }
    }
}

/// Reads a number of up to 38 digits as a whole number and how many of its digits are decimals.
fn short_digits(text: &str) -> Option<(i128, i64)> {
    let (mantissa, power) = match text.split_once(['e', 'E']) {
        Some((mantissa, power)) => (mantissa, power.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let (mut digits, mut decimals, mut is_after_point) = (0_i128, 0, false);
    let unsigned = mantissa.strip_prefix('-').unwrap_or(mantissa);
    for byte in unsigned.bytes() {
        match byte {
            b'0'..=b'9' => {
                digits = digits.checked_mul(10)?.checked_add(i128::from(byte - b'0'))?;
                decimals += i64::from(is_after_point);
            }
            b'.' if !is_after_point => is_after_point = true,
            _ => return None,
        }
    }
    Some((if unsigned.len() < mantissa.len() { -digits } else { digits }, decimals - power))
}

/// The text of a number: all digits, unless these would be mostly zeros.
pub(crate) fn text_of(number: &Quantity) -> String {
    match number {
        Quantity::NotANumber => "NaN".to_owned(),
        Quantity::Infinite { negative } => if *negative { "-Infinity" } else { "Infinity" }.to_owned(),
        Quantity::Finite(number) => {
            let (_, scale) = number.as_bigint_and_exponent();
            let digits = number.digits();
            if scale.unsigned_abs().saturating_sub(digits) <= PLAIN_ZEROS && digits <= PLAIN_DIGITS {
                return number.to_plain_string();
            }
            let number = number.normalized();
            let (_, scale) = number.as_bigint_and_exponent();
            let digits = number.digits();
            let zeros =
                if scale < 0 { scale.unsigned_abs() } else { scale.unsigned_abs().saturating_sub(digits) };
            if zeros <= PLAIN_ZEROS {
                return number.to_plain_string();
            }
            // With the sign that the texts of doubles have.
            number.to_scientific_notation().replace('e', "e+").replace("e+-", "e-")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum_of(texts: &[(&str, u64)]) -> String {
        let mut tally = Tally::default();
        for (text, rows) in texts {
            tally.add(Cell::Decimal(text), *rows);
        }
        text_of(&tally.sum().expect("numbers"))
    }

    #[test]
    fn sums_lose_no_digit() {
        assert_eq!(sum_of(&[("1.50", 1), ("1.5", 1)]), "3.00");
        assert_eq!(
            sum_of(&[("9999999999999999999999999999999999", 1_000_000)]),
            "9999999999999999999999999999999999000000"
        );
        assert_eq!(sum_of(&[("1E+30", 1), ("1E-30", 1), ("-1E+30", 1)]), "0.000000000000000000000000000001");
        assert_eq!(sum_of(&[("1E+6000", 2)]), "2e+6000");
        assert_eq!(sum_of(&[("Infinity", 1), ("5", 1)]), "Infinity");
        assert_eq!(sum_of(&[("Infinity", 1), ("-Infinity", 1)]), "NaN");
        assert_eq!(sum_of(&[("NaN", 1), ("5", 1)]), "NaN");
        let mut tally = Tally::default();
        let rows = u64::MAX / 3;
        for _ in 0..3 {
            tally.add(Cell::Whole(i64::MAX), rows);
        }
        let exact = BigInt::from(i64::MAX) * BigInt::from(rows) * BigInt::from(3);
        assert_eq!(text_of(&tally.sum().expect("numbers")), exact.to_string());
        let mut tally = Tally::default();
        for double in [0.1, 0.2, 1e300, -1e300] {
            tally.add(Cell::Double(double), 1);
        }
        assert_eq!(text_of(&tally.sum().expect("numbers")), "0.3");
    }

    #[test]
    fn the_ends_of_equal_numbers_are_those_whose_text_comes_first() {
        let mut tally = Tally::default();
        for text in ["1.50", "1.5", "1.500"] {
            tally.add(Cell::Decimal(text), 1);
        }
        for greatest in [false, true] {
            assert_eq!(tally.end(greatest).map(|(end, _)| end), Some(End::Text("1.5".to_owned())));
        }
        tally.add(Cell::Decimal("NaN"), 1);
        tally.add(Cell::Whole(2), 1);
        assert_eq!(tally.end(true).map(|(end, _)| end), Some(End::Whole(2)));
    }
}
