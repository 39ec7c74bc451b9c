//! Numbers in full: read from the texts of cells, compared and added without losing a digit.
//!
//! A double stands for two decimal numbers: its value in binary, and the shortest one that reads back as the same double,
//! which is what a cell shows. It equals a number that lies between the two, so that `0.1` finds the double 0.1; no two
//! doubles equal the same number. Sums add what the cells show.

use std::cmp::Ordering;
use std::str::FromStr as _;

use bigdecimal::{BigDecimal, ToPrimitive as _};

use crate::rows::filter_text::Quantity;

impl Quantity {
    /// The number of a cell's text.
    pub(crate) fn of_cell(text: &str) -> Self {
        match text {
            "Infinity" => Self::Infinite { negative: false },
            "-Infinity" => Self::Infinite { negative: true },
            _ => BigDecimal::from_str(text).map_or(Self::NotANumber, Self::Finite),
        }
    }

    /// Compares two numbers; `None` if one of them is NaN.
    pub(crate) fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::NotANumber, _) | (_, Self::NotANumber) => None,
            (Self::Finite(a), Self::Finite(b)) => Some(compare_decimals(a, b)),
            (a, b) => Some(a.side().cmp(&b.side())),
        }
    }

    const fn side(&self) -> i8 {
        match self {
            Self::Infinite { negative: true } => -1,
            Self::Infinite { negative: false } => 1,
            Self::NotANumber | Self::Finite(_) => 0,
        }
    }

    /// The double that is nearest to it.
    pub(crate) fn nearest_double(&self) -> f64 {
        match self {
            Self::NotANumber => f64::NAN,
            Self::Infinite { negative } => {
                if *negative {
                    f64::NEG_INFINITY
                } else {
                    f64::INFINITY
                }
            }
            // Rust reads a text as the nearest double.
            Self::Finite(number) => number.to_scientific_notation().parse().unwrap_or(f64::NAN),
        }
    }

    /// Compares a double with it; `None` if either is NaN.
    pub(crate) fn compare_double(double: f64, other: &Self) -> Option<Ordering> {
        if double.is_nan() {
            return None;
        }
        let shown = Self::shown_of(double).compare(other)?;
        let exact = BigDecimal::try_from(double)
            .map_or(shown, |exact| Self::Finite(exact).compare(other).unwrap_or(shown));
        Some(if shown == exact { shown } else { Ordering::Equal })
    }

    /// The number that a double is shown as.
    pub(crate) fn shown_of(double: f64) -> Self {
        if double.is_nan() {
            return Self::NotANumber;
        }
        if double.is_infinite() {
            return Self::Infinite { negative: double < 0.0 };
        }
        Self::of_cell(&format!("{double:e}"))
    }
}

/// Where a number lies among the whole numbers of 64 bits: the greatest that is not greater, and the least that is not
/// less. An end that is `None` lies beyond them, on the side of the sign.
pub(crate) fn among_whole(number: &BigDecimal) -> (Option<i64>, Option<i64>) {
    let rounded = |mode| number.with_scale_round(0, mode).to_i64();
    (rounded(bigdecimal::RoundingMode::Floor), rounded(bigdecimal::RoundingMode::Ceiling))
}

/// Compares two decimals without writing out the zeros between two numbers of very different size.
fn compare_decimals(a: &BigDecimal, b: &BigDecimal) -> Ordering {
    let signs = a.sign().cmp(&b.sign());
    if signs.is_ne() || a.sign() == bigdecimal::num_bigint::Sign::NoSign {
        return signs;
    }
    // The power of ten of the first digit.
    let magnitude = |number: &BigDecimal| {
        i64::try_from(number.digits()).unwrap_or(i64::MAX) - number.as_bigint_and_exponent().1
    };
    let by_magnitude = magnitude(a).cmp(&magnitude(b));
    if by_magnitude.is_ne() {
        return if a.sign() == bigdecimal::num_bigint::Sign::Minus {
            by_magnitude.reverse()
        } else {
            by_magnitude
        };
    }
    a.cmp(b)
}
