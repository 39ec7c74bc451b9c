//! The condition on a column as a person types it.
//!
//! | text | a cell matches if it |
//! |---|---|
//! | `Brent` | contains the text, whatever the case; is the number; lies in the year, month, day, hour, minute, … |
//! | `=Brent` | is exactly the text, the number, or in the period |
//! | `!=Brent`, `<>Brent` | has a value and does not match `=Brent` |
//! | `~text` | contains the text as shown, whatever the case, also if it is a number or a date |
//! | `text*`, `*text`, `a*b` | begins, ends, begins and ends with the texts, whatever the case |
//! | `>5`, `>=5`, `<5`, `<=5` | is such a number; with a date, is after, not before, before, not after the period |
//! | `5..10`, `5..`, `..10` | lies between the two, both included; a period is included whole |
//! | `empty`, `!empty` | has no value or null; has a value |
//! | `!…` | has a value and does not match the rest |
//! | `a, b` | matches any of these, and none of those that a `!` excludes |
//!
//! Quotes take commas, spaces and operators as text: `"a, b"`, `"5..10"`; a quote within quotes is doubled. Dates are in
//! UTC unless they say otherwise. Texts are compared by `>`, `..` and the like only in columns that have nothing but
//! texts.

use std::str::FromStr as _;

use bigdecimal::BigDecimal;
use chrono::{DateTime, Datelike as _, FixedOffset, Months, NaiveDate, TimeDelta};

/// The longest text, in characters.
const MAX_LENGTH: usize = 100_000;
/// The most conditions in a text.
const MAX_TERMS: usize = 1_000;
/// The greatest power of ten of a number: beyond those of any BSON type.
const MAX_EXPONENT: i64 = 7_000;

/// A condition. A cell without a value matches if one of the terms is [`Test::Empty`]. Another cell matches if it meets
/// one of the terms that are not negated, unless there are none, and all that are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TypedCondition {
    /// The terms; none if the text is blank, which narrows nothing.
    pub terms: Vec<Term>,
}

/// One of the conditions between commas.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Term {
    /// Whether it holds for cells that have a value and do not meet the test.
    pub negated: bool,
    /// The test.
    pub test: Test,
}

/// What a cell is tested for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Test {
    /// It has no value.
    Empty,
    /// A word without an operator: what fits the type of the cell.
    Word(Operand),
    /// It is exactly this.
    Equals(Operand),
    /// Its text contains this.
    Contains(String),
    /// Its text is these pieces with anything between them.
    Like(Vec<String>),
    /// It is less or more than this.
    Compare(Comparison, Operand),
    /// It lies between these, both included. At least one of them is given.
    Between(Option<Operand>, Option<Operand>),
}

/// How a cell compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

/// What a cell is compared with: a text, and what it can be besides.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Operand {
    /// As typed, without the quotes.
    pub text: String,
    /// The number that it is.
    pub number: Option<Quantity>,
    /// The time that it is.
    pub period: Option<Period>,
}

/// A number of any size.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Quantity {
    /// Not a number. It equals itself, and is neither less nor more than anything.
    NotANumber,
    /// Infinity.
    Infinite {
        /// Whether it is less than all numbers.
        negative: bool,
    },
    /// A finite number.
    Finite(BigDecimal),
}

/// A time of some length: a year, a day, a millisecond. Milliseconds since 1970 in UTC, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Period {
    /// Its first millisecond.
    pub first: i64,
    /// Its last millisecond.
    pub last: i64,
}

/// Why a text is not a condition. Places are counted in UTF-16 units from 0, as a window counts them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterTextError {
    /// A quote is opened and not closed.
    #[error("the quote is not closed")]
    OpenQuote {
        /// Its place.
        at: usize,
    },
    /// Nothing follows an operator.
    #[error("something has to follow {operator}")]
    NothingAfter {
        /// The operator.
        operator: &'static str,
        /// Its place.
        at: usize,
    },
    /// A range has no end.
    #[error("a range has to begin or end somewhere")]
    EndlessRange {
        /// The place of the dots.
        at: usize,
    },
    /// The text is too long, or has too many conditions.
    #[error("this is too long for a filter")]
    TooLong {
        /// Where it becomes too long.
        at: usize,
    },
}

impl FilterTextError {
    /// The place in the text, in UTF-16 units from 0.
    #[must_use]
    pub const fn place(&self) -> usize {
        let (Self::OpenQuote { at }
        | Self::NothingAfter { at, .. }
        | Self::EndlessRange { at }
        | Self::TooLong { at }) = self;
        *at
    }
}

impl TypedCondition {
    /// Parses a text.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, FilterTextError> {
        let items = items(text)?;
        if let Some(item) = items.get(MAX_TERMS) {
            return Err(FilterTextError::TooLong { at: item.at });
        }
        let terms = items.iter().map(|item| item.term()).collect::<Result<_, _>>()?;
        Ok(Self { terms })
    }

    /// Whether cells without a value match.
    #[must_use]
    pub fn takes_empty(&self) -> bool {
        self.terms.iter().any(|term| !term.negated && term.test == Test::Empty)
    }
}

impl Operand {
    /// What a text can be.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self { text: text.to_owned(), number: Quantity::parse(text), period: Period::parse(text) }
    }
}

impl Quantity {
    /// Reads a number: digits with an optional sign, point and exponent, `NaN` or `Infinity`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        if unsigned.eq_ignore_ascii_case("infinity") || unsigned.eq_ignore_ascii_case("inf") {
            return Some(Self::Infinite { negative: text.starts_with('-') });
        }
        if text.eq_ignore_ascii_case("nan") {
            return Some(Self::NotANumber);
        }
        // The library takes underscores as well.
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let (mantissa, exponent) =
            unsigned.split_once(['e', 'E']).map_or((unsigned, None), |(digits, power)| (digits, Some(power)));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if !is_digits(whole) || !is_digits(fraction) || whole.len() + fraction.len() == 0 {
            return None;
        }
        if let Some(power) = exponent {
            let digits = power.strip_prefix(['+', '-']).unwrap_or(power);
            let power: i64 = if is_digits(digits) { power.parse().ok()? } else { return None };
            if power.abs() > MAX_EXPONENT {
                return None;
            }
        }
        let fraction = if fraction.is_empty() { String::new() } else { format!(".{fraction}") };
        let whole = if whole.is_empty() { "0" } else { whole };
        let sign = if text.starts_with('-') { "-" } else { "" };
        let exponent = exponent.map_or_else(String::new, |power| format!("e{power}"));
        BigDecimal::from_str(&format!("{sign}{whole}{fraction}{exponent}")).ok().map(Self::Finite)
    }
}

impl Period {
    /// Reads a time: `2025`, `2025-03`, `2025-03-01`, `2025-03-01T10`, `2025-03-01 10:30`, with seconds, with up to three
    /// decimals of them, and with `Z` or an offset such as `+02:00` after a time of day.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if !text.is_ascii() {
            return None;
        }
        let number = |range: std::ops::Range<usize>| -> Option<u32> {
            let digits = text.get(range)?;
            digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
        };
        let separator =
            |at: usize, wanted: &[u8]| text.as_bytes().get(at).is_some_and(|at| wanted.contains(at));
        let year = i32::try_from(number(0..4)?).ok().filter(|year| *year > 0)?;
        let first_of = |month: u32| NaiveDate::from_ymd_opt(year, month, 1);
        if text.len() == 4 {
            return Self::of_dates(first_of(1)?, NaiveDate::from_ymd_opt(year, 12, 31)?);
        }
        let month = separator(4, b"-").then(|| number(5..7))??;
        if text.len() == 7 {
            let next = first_of(month)?.checked_add_months(Months::new(1))?;
            return Self::of_dates(first_of(month)?, next.pred_opt()?);
        }
        let date = NaiveDate::from_ymd_opt(year, month, separator(7, b"-").then(|| number(8..10))??)?;
        if text.len() == 10 {
            return Self::of_dates(date, date);
        }
        if !separator(10, b"T t") {
            return None;
        }
        let (clock, offset) = split_offset(text.get(11..)?)?;
        let (begins, length) = read_clock(clock)?;
        let midnight = date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis();
        let first = midnight + begins - offset.num_milliseconds();
        Some(Self { first, last: first + length - 1 })
    }

    fn of_dates(first: NaiveDate, last: NaiveDate) -> Option<Self> {
        debug_assert!(last.year() <= 9_999);
        let midnight = |date: NaiveDate| Some(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis());
        Some(Self { first: midnight(first)?, last: midnight(last)? + 86_400_000 - 1 })
    }
}

/// Splits what says how far a clock is from UTC off a time of day.
fn split_offset(text: &str) -> Option<(&str, TimeDelta)> {
    if let Some(clock) = text.strip_suffix(['Z', 'z']) {
        return Some((clock, TimeDelta::zero()));
    }
    let Some(at) = text.find(['+', '-']) else { return Some((text, TimeDelta::zero())) };
    let (clock, offset) = text.split_at_checked(at)?;
    // Chrono knows the forms of an offset, but only in a whole date.
    let whole = DateTime::<FixedOffset>::parse_from_rfc3339(&format!("2000-01-01T00:00:00{offset}")).ok()?;
    Some((clock, TimeDelta::seconds(whole.offset().local_minus_utc().into())))
}

/// Reads a time of day. Returns when it begins and how long it is, in milliseconds.
fn read_clock(text: &str) -> Option<(i64, i64)> {
    let (text, fraction) = text.split_once('.').map_or((text, None), |(text, digits)| (text, Some(digits)));
    let parts: Vec<&str> = text.split(':').collect();
    let limits = [24, 60, 60];
    if parts.len() > limits.len() {
        return None;
    }
    let mut begins = 0;
    let mut length = 86_400_000;
    for (part, limit) in parts.iter().zip(limits) {
        let is_number = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        let value: i64 = if is_number { part.parse().ok()? } else { return None };
        length /= limit;
        begins += if value < limit { value * length } else { return None };
    }
    let Some(digits) = fraction else { return Some((begins, length)) };
    let is_fraction = matches!(digits.len(), 1..=3) && digits.bytes().all(|byte| byte.is_ascii_digit());
    if parts.len() < limits.len() || !is_fraction {
        return None;
    }
    for _ in 0..digits.len() {
        length /= 10;
    }
    Some((begins + digits.parse::<i64>().ok()? * length, length))
}

/// A character of a text.
#[derive(Debug, Clone, Copy)]
struct Letter {
    letter: char,
    quoted: bool,
    at: usize,
}

/// What stands between two commas.
#[derive(Debug, Clone)]
struct Item {
    letters: Vec<Letter>,
    has_quotes: bool,
    at: usize,
}

/// Splits a text at its commas. Blank items are left out.
fn items(text: &str) -> Result<Vec<Item>, FilterTextError> {
    let mut found = Vec::new();
    let mut item = Item { letters: Vec::new(), has_quotes: false, at: 0 };
    let mut quote = None;
    let mut at = 0;
    let mut letters = text.chars().peekable();
    let mut count = 0;
    while let Some(letter) = letters.next() {
        count += 1;
        if count > MAX_LENGTH {
            return Err(FilterTextError::TooLong { at });
        }
        match (quote, letter) {
            (None, '"') => {
                quote = Some(at);
                item.has_quotes = true;
            }
            (Some(_), '"') if letters.peek() == Some(&'"') => {
                letters.next();
                item.letters.push(Letter { letter, quoted: true, at });
                at += 1;
            }
            (Some(_), '"') => quote = None,
            (None, ',') => {
                let next = Item { letters: Vec::new(), has_quotes: false, at: at + 1 };
                found.push(std::mem::replace(&mut item, next));
            }
            _ => item.letters.push(Letter { letter, quoted: quote.is_some(), at }),
        }
        at += letter.len_utf16();
    }
    if let Some(at) = quote {
        return Err(FilterTextError::OpenQuote { at });
    }
    found.push(item);
    let trimmed = found.into_iter().map(|item| Item { letters: trimmed(&item.letters).to_vec(), ..item });
    Ok(trimmed.filter(|item| item.has_quotes || !item.letters.is_empty()).collect())
}

impl Item {
    fn term(&self) -> Result<Term, FilterTextError> {
        if self.letters.is_empty() {
            // Only an empty text is in the quotes.
            return Ok(Term { negated: false, test: Test::Equals(Operand::of("")) });
        }
        self.parse(&self.letters)
    }

    fn parse(&self, letters: &[Letter]) -> Result<Term, FilterTextError> {
        let term = |negated: bool, test: Test| Ok(Term { negated, test });
        if is_word(letters, "empty") {
            return term(false, Test::Empty);
        }
        let at = letters.first().map_or(self.at, |letter| letter.at);
        let operand = |operator: &'static str| self.operand(letters, operator, at);
        for operator in ["!=", "<>"] {
            if begins_with(letters, operator) {
                return term(true, Test::Equals(operand(operator)?));
            }
        }
        if begins_with(letters, "!") {
            let rest = trimmed(&letters[1..]);
            if rest.is_empty() {
                self.operand(letters, "!", at)?;
            }
            let inner = if rest.is_empty() {
                Term { negated: false, test: Test::Equals(Operand::of("")) }
            } else {
                self.parse(rest)?
            };
            return term(!inner.negated, inner.test);
        }
        for (operator, comparison) in [
            (">=", Comparison::AtLeast),
            ("<=", Comparison::AtMost),
            (">", Comparison::Greater),
            ("<", Comparison::Less),
        ] {
            if begins_with(letters, operator) {
                return term(false, Test::Compare(comparison, operand(operator)?));
            }
        }
        if begins_with(letters, "=") {
            return term(false, Test::Equals(operand("=")?));
        }
        if begins_with(letters, "~") {
            return term(false, Test::Contains(operand("~")?.text));
        }
        if let Some(dots) = (0..letters.len()).find(|place| begins_with(&letters[*place..], "..")) {
            let [from, to] = [&letters[..dots], &letters[dots + 2..]].map(trimmed);
            if from.is_empty() && to.is_empty() {
                return Err(FilterTextError::EndlessRange { at: letters[dots].at });
            }
            let end = |part: &[Letter]| (!part.is_empty()).then(|| Operand::of(&text_of(part)));
            return term(false, Test::Between(end(from), end(to)));
        }
        if letters.iter().any(Letter::is_star) {
            return term(false, Test::Like(letters.split(Letter::is_star).map(text_of).collect()));
        }
        term(false, Test::Word(Operand::of(&text_of(letters))))
    }

    /// What follows an operator. It may be an empty text in quotes.
    fn operand(
        &self,
        letters: &[Letter],
        operator: &'static str,
        at: usize,
    ) -> Result<Operand, FilterTextError> {
        let rest = trimmed(&letters[operator.len()..]);
        if rest.is_empty() && !self.has_quotes {
            return Err(FilterTextError::NothingAfter { operator, at });
        }
        Ok(Operand::of(&text_of(rest)))
    }
}

impl Letter {
    const fn is_star(&self) -> bool {
        !self.quoted && self.letter == '*'
    }
}

fn text_of(letters: &[Letter]) -> String {
    letters.iter().map(|letter| letter.letter).collect()
}

fn begins_with(letters: &[Letter], operator: &str) -> bool {
    let count = operator.len();
    letters.len() >= count
        && operator.chars().zip(letters).all(|(wanted, letter)| !letter.quoted && letter.letter == wanted)
}

fn is_word(letters: &[Letter], word: &str) -> bool {
    letters.iter().all(|letter| !letter.quoted) && text_of(letters).eq_ignore_ascii_case(word)
}

/// Without blanks at the ends, unless they are quoted.
fn trimmed(letters: &[Letter]) -> &[Letter] {
    let is_text = |letter: &Letter| letter.quoted || !letter.letter.is_whitespace();
    let Some(first) = letters.iter().position(is_text) else { return &[] };
    let last = letters.iter().rposition(is_text).unwrap_or(first);
    &letters[first..=last]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn terms(text: &str) -> Vec<(bool, Test)> {
        let parsed = TypedCondition::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        parsed.terms.into_iter().map(|term| (term.negated, term.test)).collect()
    }

    fn one(text: &str) -> (bool, Test) {
        let mut found = terms(text);
        assert_eq!(found.len(), 1, "{text}");
        found.remove(0)
    }

    fn operand(text: &str) -> Operand {
        Operand::of(text)
    }

    #[test]
    fn operators_are_read() {
        for (text, expected) in [
            ("Brent", (false, Test::Word(operand("Brent")))),
            ("  Brent Crude ", (false, Test::Word(operand("Brent Crude")))),
            ("=Brent", (false, Test::Equals(operand("Brent")))),
            ("= Brent", (false, Test::Equals(operand("Brent")))),
            ("!=Brent", (true, Test::Equals(operand("Brent")))),
            ("<>Brent", (true, Test::Equals(operand("Brent")))),
            ("!Brent", (true, Test::Word(operand("Brent")))),
            ("!!Brent", (false, Test::Word(operand("Brent")))),
            ("~5", (false, Test::Contains("5".to_owned()))),
            ("!~5", (true, Test::Contains("5".to_owned()))),
            ("Br*", (false, Test::Like(vec!["Br".to_owned(), String::new()]))),
            ("*nt", (false, Test::Like(vec![String::new(), "nt".to_owned()]))),
            ("B*t", (false, Test::Like(vec!["B".to_owned(), "t".to_owned()]))),
            ("*", (false, Test::Like(vec![String::new(), String::new()]))),
            ("\"a*\"*", (false, Test::Like(vec!["a*".to_owned(), String::new()]))),
            (">5", (false, Test::Compare(Comparison::Greater, operand("5")))),
            (">= 5", (false, Test::Compare(Comparison::AtLeast, operand("5")))),
            ("<-5", (false, Test::Compare(Comparison::Less, operand("-5")))),
            ("<=5", (false, Test::Compare(Comparison::AtMost, operand("5")))),
            ("!>5", (true, Test::Compare(Comparison::Greater, operand("5")))),
            ("5..10", (false, Test::Between(Some(operand("5")), Some(operand("10"))))),
            ("-5 .. -1.5", (false, Test::Between(Some(operand("-5")), Some(operand("-1.5"))))),
            ("5..", (false, Test::Between(Some(operand("5")), None))),
            ("..2025-03", (false, Test::Between(None, Some(operand("2025-03"))))),
            ("empty", (false, Test::Empty)),
            ("Empty ", (false, Test::Empty)),
            ("!empty", (true, Test::Empty)),
            ("\"empty\"", (false, Test::Word(operand("empty")))),
            ("\"=5\"", (false, Test::Word(operand("=5")))),
            ("=\"a, b\"", (false, Test::Equals(operand("a, b")))),
            ("\"say \"\"no\"\"\"", (false, Test::Word(operand("say \"no\"")))),
            ("\" a \"", (false, Test::Word(operand(" a ")))),
            ("\"\"", (false, Test::Equals(operand("")))),
            ("=\"\"", (false, Test::Equals(operand("")))),
            ("!\"\"", (true, Test::Equals(operand("")))),
            ("a=b", (false, Test::Word(operand("a=b")))),
        ] {
            assert_eq!(one(text), expected, "{text}");
        }
    }

    #[test]
    fn commas_separate_and_blanks_say_nothing() {
        for text in ["", "  ", ",", " , ,"] {
            assert!(terms(text).is_empty(), "{text:?}");
        }
        let both = vec![(false, Test::Word(operand("a"))), (true, Test::Equals(operand("b")))];
        assert_eq!(terms("a, !=b"), both);
        assert_eq!(terms("a,,!=b,"), both);
        assert_eq!(terms("\"a,b\",c").len(), 2);
        assert!(TypedCondition::parse("a, empty").unwrap().takes_empty());
        assert!(!TypedCondition::parse("a, !empty").unwrap().takes_empty());
    }

    #[test]
    fn an_error_names_its_place() {
        for (text, error) in [
            ("a, \"b", FilterTextError::OpenQuote { at: 3 }),
            ("\u{1F600}\"", FilterTextError::OpenQuote { at: 2 }),
            ("a, >", FilterTextError::NothingAfter { operator: ">", at: 3 }),
            ("=", FilterTextError::NothingAfter { operator: "=", at: 0 }),
            ("! ", FilterTextError::NothingAfter { operator: "!", at: 0 }),
            ("!= ,a", FilterTextError::NothingAfter { operator: "!=", at: 0 }),
            ("a,  ..", FilterTextError::EndlessRange { at: 4 }),
        ] {
            assert_eq!(TypedCondition::parse(text), Err(error.clone()), "{text}");
            assert!(error.place() < text.encode_utf16().count());
        }
        let long = "a,".repeat(MAX_TERMS + 1);
        assert_eq!(TypedCondition::parse(&long), Err(FilterTextError::TooLong { at: 2 * MAX_TERMS }));
        assert!(TypedCondition::parse(&"a".repeat(MAX_LENGTH + 1)).is_err());
    }

    #[test]
    fn numbers_are_read_exactly() {
        let finite = |text: &str| Some(Quantity::Finite(BigDecimal::from_str(text).unwrap()));
        for (text, expected) in [
            ("5", finite("5")),
            ("-5", finite("-5")),
            ("+5", finite("5")),
            ("1e3", finite("1000")),
            (".5", finite("0.5")),
            ("5.", finite("5")),
            ("0.1000000000000000055511151231257827", finite("0.1000000000000000055511151231257827")),
            ("9223372036854775808", finite("9223372036854775808")),
            ("NaN", Some(Quantity::NotANumber)),
            ("-Infinity", Some(Quantity::Infinite { negative: true })),
            ("inf", Some(Quantity::Infinite { negative: false })),
            ("1e9999999999", None),
            ("1_000", None),
            ("1,000", None),
            ("", None),
            (".", None),
            ("e5", None),
            ("0x10", None),
            ("5 5", None),
            ("-", None),
        ] {
            assert_eq!(Quantity::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn times_are_periods() {
        let day = 86_400_000;
        let march = 1_740_787_200_000; // 2025-03-01
        for (text, expected) in [
            ("2025", Some((1_735_689_600_000, 1_735_689_600_000 + 365 * day - 1))),
            ("2025-03", Some((march, march + 31 * day - 1))),
            ("2025-12", Some((1_764_547_200_000, 1_764_547_200_000 + 31 * day - 1))),
            ("2025-03-01", Some((march, march + day - 1))),
            ("2025-03-01T10", Some((march + 36_000_000, march + 39_600_000 - 1))),
            ("2025-03-01T10:30", Some((march + 37_800_000, march + 37_860_000 - 1))),
            ("2025-03-01 10:30", Some((march + 37_800_000, march + 37_860_000 - 1))),
            ("2025-03-01T10:30:05", Some((march + 37_805_000, march + 37_805_999))),
            ("2025-03-01T10:30:05.5", Some((march + 37_805_500, march + 37_805_599))),
            ("2025-03-01T10:30:05.123Z", Some((march + 37_805_123, march + 37_805_123))),
            ("2025-03-01T10:30+02:00", Some((march + 30_600_000, march + 30_660_000 - 1))),
            ("9999", Some((253_370_764_800_000, 253_402_300_799_999))),
            ("9999-12", Some((253_399_622_400_000, 253_402_300_799_999))),
            ("2025-02-30", None),
            ("2025-13", None),
            ("0000", None),
            ("2025-3-1", None),
            ("2025-03-01T", None),
            ("2025-03-01T25:00", None),
            ("2025-03-01T10:30.5", None),
            ("2025-03-01x", None),
            ("20250301", None),
            ("+025", None),
            ("", None),
        ] {
            let found = Period::parse(text).map(|period| (period.first, period.last));
            assert_eq!(found, expected, "{text}");
        }
    }
}
