//! Numbers as MongoDB compares them: by value, whatever their BSON type, and without losing a digit.

use std::cmp::Ordering;
use std::fmt::Write as _;

use bigdecimal::num_bigint::{BigInt, Sign};
use bigdecimal::{BigDecimal, RoundingMode};
use bson::{Decimal128, RawBsonRef};

/// Number of digits of a Decimal128. MongoDB rounds a double to this many before it compares the two.
const DECIMAL_DIGITS: u64 = 34;

/// A number of any BSON type.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Number {
    /// Int32 or Int64.
    Whole(i64),
    /// Double.
    Double(f64),
    /// Decimal128.
    Decimal(Decimal128),
}

/// The parts of a Decimal128.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parts {
    NotANumber,
    Infinite { negative: bool },
    Finite { negative: bool, coefficient: u128, exponent: i32 },
}

impl Number {
    /// Compares it with another number; `None` if either is NaN.
    pub(crate) fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => Some(a.cmp(&b)),
            (Self::Double(a), Self::Double(b)) => a.partial_cmp(&b),
            (Self::Whole(a), Self::Double(b)) => whole_to_double(a, b),
            (Self::Double(a), Self::Whole(b)) => whole_to_double(b, a).map(Ordering::reverse),
            (a, b) => Some(a.exact()?.compare(&b.exact()?)),
        }
    }

    /// Whether MongoDB considers the two equal. Unlike in arithmetic, NaN equals NaN.
    pub(crate) fn equals(self, other: Self) -> bool {
        self.compare(other) == Some(Ordering::Equal) || (self.is_nan() && other.is_nan())
    }

    /// Whether it is NaN.
    pub(crate) fn is_nan(self) -> bool {
        match self {
            Self::Whole(_) => false,
            Self::Double(double) => double.is_nan(),
            Self::Decimal(decimal) => parts(decimal) == Parts::NotANumber,
        }
    }

    /// Whether it is neither infinite nor NaN.
    pub(crate) fn is_finite(self) -> bool {
        match self {
            Self::Whole(_) => true,
            Self::Double(double) => double.is_finite(),
            Self::Decimal(decimal) => matches!(parts(decimal), Parts::Finite { .. }),
        }
    }

    /// The greatest whole number that is not greater, and whether the two are equal; `None` for NaN. What is beyond
    /// an `i128` counts as the end of that.
    pub(crate) fn floor(self) -> Option<(i128, bool)> {
        match self {
            Self::Whole(whole) => Some((whole.into(), true)),
            Self::Double(double) if double.is_nan() => None,
            #[expect(clippy::cast_possible_truncation, reason = "it is whole, and saturates")]
            Self::Double(double) => Some((double.floor() as i128, double.fract() == 0.0)),
            Self::Decimal(decimal) => match parts(decimal) {
                Parts::NotANumber => None,
                Parts::Infinite { negative } => Some((if negative { i128::MIN } else { i128::MAX }, false)),
                Parts::Finite { negative, coefficient, exponent } => {
                    Some(floor_of_decimal(negative, coefficient, exponent))
                }
            },
        }
    }

    /// Writes a text that is the same for two numbers if and only if they are equal.
    pub(crate) fn write_key(self, out: &mut String) {
        match self {
            Self::Whole(whole) => write!(out, "{whole}").expect("a String takes any text"),
            Self::Double(double) => match whole_of(double) {
                Some(whole) => write!(out, "{whole}").expect("a String takes any text"),
                None => self.write_slowly(out),
            },
            Self::Decimal(_) => self.write_slowly(out),
        }
    }

    fn write_slowly(self, out: &mut String) {
        match self.exact() {
            None => out.push_str("NaN"),
            Some(Exact::Infinite { negative: true }) => out.push_str("-Infinity"),
            Some(Exact::Infinite { negative: false }) => out.push_str("Infinity"),
            Some(Exact::Finite(value)) => write_decimal(&value, out),
        }
    }

    fn exact(self) -> Option<Exact> {
        match self {
            Self::Whole(whole) => Some(Exact::Finite(whole.into())),
            Self::Double(double) if double.is_infinite() => {
                Some(Exact::Infinite { negative: double.is_sign_negative() })
            }
            Self::Double(double) => BigDecimal::try_from(double)
                .ok()
                .map(|value| Exact::Finite(value.with_precision_round(PRECISION, RoundingMode::HalfEven))),
            Self::Decimal(decimal) => match parts(decimal) {
                Parts::NotANumber => None,
                Parts::Infinite { negative } => Some(Exact::Infinite { negative }),
                Parts::Finite { negative, coefficient, exponent } => {
                    let sign = if negative { Sign::Minus } else { Sign::Plus };
                    let digits = BigInt::from_biguint(sign, coefficient.into());
                    Some(Exact::Finite(BigDecimal::new(digits, i64::from(-exponent))))
                }
            },
        }
    }
}

const PRECISION: std::num::NonZeroU64 = match std::num::NonZeroU64::new(DECIMAL_DIGITS) {
    Some(digits) => digits,
    None => std::num::NonZeroU64::MIN,
};

/// The exact value of a number that is not NaN.
enum Exact {
    Infinite { negative: bool },
    Finite(BigDecimal),
}

impl Exact {
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Finite(a), Self::Finite(b)) => a.cmp(b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }

    const fn rank(&self) -> i8 {
        match self {
            Self::Infinite { negative: true } => -1,
            Self::Finite(_) => 0,
            Self::Infinite { negative: false } => 1,
        }
    }
}

/// The whole number that a double stands for, if it is one that doubles represent exactly.
pub(crate) fn whole_of(double: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53
    #[expect(clippy::cast_possible_truncation, reason = "checked to be a whole number that fits")]
    (double.abs() <= EXACT && double.fract() == 0.0).then_some(double as i64)
}

fn whole_to_double(whole: i64, double: f64) -> Option<Ordering> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0; // 2^63
    if double.is_nan() {
        return None;
    }
    if double >= LIMIT {
        return Some(Ordering::Less);
    }
    if double < -LIMIT {
        return Some(Ordering::Greater);
    }
    #[expect(clippy::cast_possible_truncation, reason = "the fraction is compared below, the rest fits")]
    let truncated = double.trunc() as i64;
    Some(whole.cmp(&truncated).then_with(|| 0.0_f64.total_cmp(&(double.fract() + 0.0))))
}

/// Splits a Decimal128 into its parts (IEEE 754-2008, binary integer coefficient).
fn parts(decimal: Decimal128) -> Parts {
    const LARGEST: u128 = 10_u128.pow(34) - 1;
    const BIAS: i32 = 6_176;
    let bits = u128::from_le_bytes(decimal.bytes());
    let negative = bits >> 127 == 1;
    match (bits >> 122) & 0x1f {
        0x1f => return Parts::NotANumber,
        0x1e => return Parts::Infinite { negative },
        _ => {}
    }
    // With both top bits set the coefficient would exceed 34 digits; the standard reads it as zero.
    let large = (bits >> 125) & 0b11 == 0b11;
    let exponent = (bits >> if large { 111 } else { 113 }) & 0x3fff;
    let coefficient = if large { 0 } else { bits & ((1 << 113) - 1) };
    Parts::Finite {
        negative,
        coefficient: if coefficient > LARGEST { 0 } else { coefficient },
        exponent: i32::try_from(exponent).expect("fourteen bits") - BIAS,
    }
}

fn floor_of_decimal(negative: bool, coefficient: u128, exponent: i32) -> (i128, bool) {
    let digits = i128::try_from(coefficient).expect("at most 34 digits");
    let digits = if negative { -digits } else { digits };
    let power = 10_i128.checked_pow(exponent.unsigned_abs());
    match power {
        _ if digits == 0 => (0, true),
        Some(power) if exponent >= 0 => (digits.saturating_mul(power), true),
        None if exponent >= 0 => (if negative { i128::MIN } else { i128::MAX }, true),
        Some(power) => (digits.div_euclid(power), digits.rem_euclid(power) == 0),
        None => (if negative { -1 } else { 0 }, false),
    }
}

/// Writes a decimal without trailing zeros: in plain notation if that is short, else with an exponent.
fn write_decimal(value: &BigDecimal, out: &mut String) {
    const PLAIN: i64 = 40;
    let (digits, scale) = value.normalized().into_bigint_and_exponent();
    if scale <= 0 {
        let text = digits.to_string();
        let zeros = -scale;
        if i64::try_from(text.len()).unwrap_or(i64::MAX).saturating_add(zeros) <= PLAIN {
            out.push_str(&text);
            out.extend(std::iter::repeat_n('0', usize::try_from(zeros).unwrap_or(0)));
        } else {
            write!(out, "{text}E{zeros}").expect("a String takes any text");
        }
        return;
    }
    if scale > PLAIN {
        write!(out, "{digits}E-{scale}").expect("a String takes any text");
        return;
    }
    if digits.sign() == Sign::Minus {
        out.push('-');
    }
    let width = usize::try_from(scale).expect("at most 40") + 1;
    let text = format!("{:0>width$}", digits.magnitude().to_string());
    let (whole, fraction) = text.split_at(text.len() + 1 - width);
    out.push_str(whole);
    out.push('.');
    out.push_str(fraction);
}

/// The value as a number; `None` if it is not numeric.
pub(crate) fn as_number(value: RawBsonRef<'_>) -> Option<Number> {
    Some(match value {
        RawBsonRef::Int32(whole) => Number::Whole(whole.into()),
        RawBsonRef::Int64(whole) => Number::Whole(whole),
        // Most doubles of real data are whole, and whole numbers compare fast.
        RawBsonRef::Double(double) => whole_of(double).map_or(Number::Double(double), Number::Whole),
        RawBsonRef::Decimal128(decimal) => Number::Decimal(decimal),
        _ => return None,
    })
}

/// A count as a float, for estimates, which are rounded anyway.
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
pub(crate) const fn approximate(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn key(number: Number) -> String {
        let mut text = String::new();
        number.write_key(&mut text);
        text
    }

    fn decimal(text: &str) -> Number {
        Number::Decimal(text.parse().unwrap())
    }

    #[test]
    fn equal_numbers_have_equal_keys_whatever_their_type() {
        for (numbers, text) in [
            (
                vec![Number::Whole(7), Number::Double(7.0), decimal("7"), decimal("7.000"), decimal("0.7E1")],
                "7",
            ),
            (
                vec![
                    Number::Whole(0),
                    Number::Double(-0.0),
                    decimal("-0"),
                    decimal("0E+10"),
                    decimal("0E-99"),
                ],
                "0",
            ),
            (vec![Number::Double(1.5), decimal("1.5"), decimal("1.50")], "1.5"),
            (vec![Number::Double(-0.25), decimal("-0.250")], "-0.25"),
            (vec![Number::Whole(1_000), decimal("1E+3")], "1000"),
            (vec![Number::Double(f64::NAN), decimal("NaN")], "NaN"),
            (vec![Number::Double(f64::NEG_INFINITY), decimal("-Infinity")], "-Infinity"),
        ] {
            for number in &numbers {
                assert_eq!(key(*number), text, "{number:?}");
                assert!(numbers.iter().all(|other| number.equals(*other)));
            }
        }
    }

    #[test]
    fn numbers_are_rounded_down_exactly() {
        for (number, floor, is_whole) in [
            (Number::Whole(-7), -7, true),
            (Number::Double(1_700_000_000.25), 1_700_000_000, false),
            (Number::Double(-0.25), -1, false),
            (Number::Double(1.7e18), 1_700_000_000_000_000_000, true),
            (Number::Double(f64::INFINITY), i128::MAX, false),
            (decimal("86399.9999999999999999999999999"), 86_399, false),
            (decimal("-0.5"), -1, false),
            (decimal("-3.00"), -3, true),
            (decimal("17E+8"), 1_700_000_000, true),
            (decimal("1E-6000"), 0, false),
            (decimal("-1E-6000"), -1, false),
            (decimal("-1E+6000"), i128::MIN, true),
            (decimal("0E+6000"), 0, true),
        ] {
            assert_eq!(number.floor(), Some((floor, is_whole)), "{number:?}");
        }
        assert_eq!(Number::Double(f64::NAN).floor(), None);
        assert_eq!(decimal("NaN").floor(), None);
    }

    #[test]
    fn neighbours_differ() {
        let big = i64::MAX;
        assert_eq!(
            Number::Whole(big).compare(Number::Double(9_223_372_036_854_775_808.0)),
            Some(Ordering::Less)
        );
        assert_eq!(Number::Whole(big).compare(Number::Whole(big - 1)), Some(Ordering::Greater));
        assert_eq!(
            Number::Whole(9_007_199_254_740_993).compare(Number::Double(9_007_199_254_740_992.0)),
            Some(Ordering::Greater)
        );
        assert_eq!(Number::Double(0.1).compare(decimal("0.1")), Some(Ordering::Greater));
        assert_eq!(Number::Double(-0.5).compare(Number::Whole(0)), Some(Ordering::Less));
        assert_eq!(Number::Whole(0).compare(Number::Double(-0.0)), Some(Ordering::Equal));
        assert_eq!(Number::Double(f64::NAN).compare(Number::Whole(0)), None);
        assert_eq!(decimal("NaN").compare(decimal("NaN")), None);
        assert_eq!(decimal("Infinity").compare(Number::Double(f64::MAX)), Some(Ordering::Greater));
        assert_eq!(
            decimal("9.999999999999999999999999999999999E+6144").compare(Number::Whole(1)),
            Some(Ordering::Greater)
        );
    }

    #[test]
    fn a_double_meets_a_decimal_at_34_digits() {
        // 0.1 is 0.1000000000000000055511151231257827021181583404541015625 in full.
        assert!(Number::Double(0.1).equals(decimal("0.1000000000000000055511151231257827")));
        assert_eq!(key(Number::Double(0.1)), "0.1000000000000000055511151231257827");
    }

    fn numbers() -> impl Strategy<Value = Number> {
        prop_oneof![
            (-20_i64..20).prop_map(Number::Whole),
            any::<i64>().prop_map(Number::Whole),
            (-80_i32..80).prop_map(|quarter| Number::Double(f64::from(quarter) / 4.0)),
            any::<f64>().prop_map(Number::Double),
            (-2_000_i32..2_000, -3_i32..3)
                .prop_map(|(digits, exponent)| decimal(&format!("{digits}E{exponent}"))),
        ]
    }

    proptest! {
        #[test]
        fn keys_and_comparison_agree(a in numbers(), b in numbers()) {
            prop_assert_eq!(a.equals(b), key(a) == key(b), "{} {}", key(a), key(b));
            prop_assert_eq!(a.compare(b), b.compare(a).map(Ordering::reverse));
        }

        #[test]
        fn a_whole_number_compares_as_its_decimal(a in any::<i64>(), b in any::<i64>()) {
            prop_assert_eq!(Number::Whole(a).compare(decimal(&b.to_string())), Some(a.cmp(&b)));
        }
    }
}
