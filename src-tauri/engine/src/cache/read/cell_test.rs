//! SQL for what a row query asks of the cells of a column.
//!
//! A cell is the value of the first physical column that has one, as in a page. Numbers are compared exactly: whole
//! numbers and doubles by constants worked out here, decimals by their nearest doubles, and where these are equal by
//! their texts, which are read beforehand and decided here.

use std::cmp::Ordering;
use std::collections::HashMap;

use bigdecimal::BigDecimal;
use chrono::{DateTime, Utc};

use super::column::{Column, Holder};
use super::exact;
use crate::cache::file::sql::{Name, Sql, Text, sql};
use crate::decode::{FieldId, Kind};
use crate::rows::filter_text::{Comparison, Operand, Quantity, Term, Test, TypedCondition};

/// A relation between a cell and a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    Less,
    AtMost,
    Equal,
    AtLeast,
    Greater,
}

impl Relation {
    const fn of(comparison: Comparison) -> Self {
        match comparison {
            Comparison::Less => Self::Less,
            Comparison::AtMost => Self::AtMost,
            Comparison::Greater => Self::Greater,
            Comparison::AtLeast => Self::AtLeast,
        }
    }

    /// Whether it holds if the cell compares like this.
    pub(crate) const fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::Equal => order.is_eq(),
            Self::AtLeast => order.is_ge(),
            Self::Greater => order.is_gt(),
        }
    }

    /// The sign that compares with a number that the cell's number may equal.
    const fn sign(self, holds_if_equal: bool) -> Name {
        match (self, holds_if_equal) {
            (Self::Less | Self::AtMost, false) => Name("<"),
            (Self::Less | Self::AtMost, true) => Name("<="),
            (Self::AtLeast | Self::Greater, false) => Name(">"),
            (Self::AtLeast | Self::Greater, true) => Name(">="),
            (Self::Equal, _) => Name("="),
        }
    }
}

/// The texts of a column's decimals that have the same nearest double as a number, or none, by the bits of the double.
pub(crate) type CloseDecimals = HashMap<u64, Vec<String>>;

/// What the cells of a column are tested for.
#[derive(Debug, Clone)]
pub(crate) enum CellTest {
    Typed {
        condition: TypedCondition,
        close: CloseDecimals,
    },
    Values {
        values: Vec<String>,
        empty: bool,
    },
    /// Contains the text, whatever the case.
    Contains(String),
}

impl CellTest {
    /// The numbers that decimals are compared with.
    pub(crate) fn numbers(&self) -> Vec<&Quantity> {
        let Self::Typed { condition, .. } = self else { return Vec::new() };
        let operands = condition.terms.iter().flat_map(|term| match &term.test {
            Test::Word(operand) | Test::Equals(operand) | Test::Compare(_, operand) => vec![operand],
            Test::Between(from, to) => from.iter().chain(to).collect(),
            Test::Empty | Test::Contains(_) | Test::Like(_) => Vec::new(),
        });
        operands.filter_map(|operand| operand.number.as_ref()).collect()
    }

    fn takes_empty(&self) -> bool {
        match self {
            Self::Typed { condition, .. } => condition.takes_empty(),
            Self::Values { empty, .. } => *empty,
            Self::Contains(_) => false,
        }
    }

    /// Whether a row's cell passes, for a table that has some of the column's fields.
    pub(crate) fn sql(&self, column: &Column, has: &dyn Fn(FieldId) -> bool) -> Sql {
        let holders: Vec<Holder> = column.holders().filter(|holder| has(holder.field())).collect();
        let empty = if self.takes_empty() { sql!("true") } else { sql!("false") };
        let cases = holders.iter().map(|holder| {
            let passes = self.of_holder(column, *holder);
            sql!("WHEN {} IS NOT NULL THEN {passes} ", holder.stored(), passes)
        });
        match holders.as_slice() {
            [] => empty,
            [one] if !self.takes_empty() => {
                sql!("({} IS NOT NULL AND {})", one.stored(), self.of_holder(column, *one))
            }
            _ => sql!("(CASE {}ELSE {empty} END)", Sql::join(cases, ""), empty),
        }
    }

    /// Whether a value of a physical column passes.
    fn of_holder(&self, column: &Column, holder: Holder) -> Sql {
        match self {
            Self::Contains(text) => contains(holder, text),
            Self::Values { values, .. } => is_one_of(holder, values),
            Self::Typed { condition, close } => {
                let of = |term: &Term| one_term(column, holder, close, &term.test);
                let (excluded, wanted): (Vec<&Term>, Vec<&Term>) =
                    condition.terms.iter().partition(|term| term.negated);
                let any: Vec<Sql> =
                    wanted.iter().filter(|term| term.test != Test::Empty).map(|term| of(term)).collect();
                let none: Vec<Sql> = excluded.iter().map(|term| sql!("NOT {}", of(term))).collect();
                match (any.as_slice(), none.as_slice()) {
                    ([], []) => sql!("false"),
                    ([], _) => sql!("({})", Sql::join(none, " AND ")),
                    (_, []) => sql!("({})", Sql::join(any, " OR ")),
                    _ => sql!("(({}) AND {})", Sql::join(any, " OR "), Sql::join(none, " AND ")),
                }
            }
        }
    }
}

fn one_term(column: &Column, holder: Holder, close: &CloseDecimals, test: &Test) -> Sql {
    let kind = holder.kind();
    let is_number = kind.is_number();
    let no = || sql!("false");
    let relate = |relation: Relation, operand: &Operand| {
        if is_number {
            return operand.number.as_ref().map(|number| relates(holder, close, relation, number));
        }
        if kind == Kind::Date {
            let period = operand.period?;
            let stored = holder.stored();
            return Some(match relation {
                Relation::Less => sql!("({stored} < {})", period.first, stored),
                Relation::AtMost => sql!("({stored} <= {})", period.last, stored),
                Relation::Equal => sql!("({stored} BETWEEN {} AND {})", period.first, period.last, stored),
                Relation::AtLeast => sql!("({stored} >= {})", period.first, stored),
                Relation::Greater => sql!("({stored} > {})", period.last, stored),
            });
        }
        let sign = relation.sign(matches!(relation, Relation::AtMost | Relation::AtLeast));
        is_all_texts(column).then(|| sql!("({} {sign} {})", holder.stored(), quoted(&operand.text), sign))
    };
    match test {
        Test::Empty => no(),
        Test::Word(operand) if is_number => relate(Relation::Equal, operand).unwrap_or_else(no),
        Test::Word(operand) if kind == Kind::Date => {
            relate(Relation::Equal, operand).unwrap_or_else(|| contains(holder, &operand.text))
        }
        Test::Word(operand) => contains(holder, &operand.text),
        Test::Equals(operand) if is_number || kind == Kind::Date => {
            relate(Relation::Equal, operand).unwrap_or_else(no)
        }
        Test::Equals(operand) => sql!("({} = {})", holder.shown(), quoted(&operand.text)),
        Test::Contains(text) => contains(holder, text),
        Test::Like(pieces) => {
            let pattern: Vec<String> = pieces.iter().map(|piece| escaped(piece)).collect();
            sql!(
                "(lower({}) LIKE lower({}) ESCAPE '{}')",
                holder.shown(),
                quoted(&pattern.join("%")),
                Name("\\")
            )
        }
        Test::Compare(comparison, operand) => relate(Relation::of(*comparison), operand).unwrap_or_else(no),
        Test::Between(from, to) => {
            let ends = [(Relation::AtLeast, from), (Relation::AtMost, to)];
            let ends = ends.into_iter().filter_map(|(relation, end)| Some((relation, end.as_ref()?)));
            let each: Option<Vec<Sql>> = ends.map(|(relation, end)| relate(relation, end)).collect();
            each.map_or_else(no, |each| sql!("({})", Sql::join(each, " AND ")))
        }
    }
}

/// Whether a column has nothing but texts, which then have an order that a person can mean.
fn is_all_texts(column: &Column) -> bool {
    column.holders().all(Holder::is_text)
}

/// Whether a number of a physical column relates to another number like this.
fn relates(holder: Holder, close: &CloseDecimals, relation: Relation, number: &Quantity) -> Sql {
    let stored = holder.stored();
    let always = |holds: bool| if holds { sql!("true") } else { sql!("false") };
    let double = number.nearest_double();
    match holder.kind() {
        Kind::Int32 | Kind::Int64 => match number {
            Quantity::NotANumber => always(false),
            Quantity::Infinite { negative } => {
                always(relation.holds(if *negative { Ordering::Greater } else { Ordering::Less }))
            }
            Quantity::Finite(number) => whole_relates(&stored, relation, number),
        },
        Kind::MinusZero => {
            always(Quantity::compare_double(0.0, number).is_some_and(|order| relation.holds(order)))
        }
        Kind::Double if double.is_nan() && relation == Relation::Equal => sql!("isnan({stored})", stored),
        Kind::Double if double.is_nan() => always(false),
        Kind::Double => {
            let at_double = Quantity::compare_double(double, number).unwrap_or(Ordering::Equal);
            let holds = relation.holds(at_double);
            if relation == Relation::Equal && !holds {
                return always(false);
            }
            let sign = relation.sign(holds);
            // DuckDB takes NaN for the greatest number.
            sql!("({stored} {sign} {} AND NOT isnan({stored}))", double_literal(double), stored, sign)
        }
        Kind::Decimal => {
            let holding: Vec<Sql> = close
                .get(&double.to_bits())
                .into_iter()
                .flatten()
                .filter(|text| match (Quantity::of_cell(text).compare(number), number) {
                    (Some(order), _) => relation.holds(order),
                    (None, Quantity::NotANumber) => {
                        relation == Relation::Equal && Quantity::of_cell(text) == Quantity::NotANumber
                    }
                    (None, _) => false,
                })
                .map(|text| quoted(text))
                .collect();
            let among = if holding.is_empty() {
                sql!("false")
            } else {
                sql!("{stored} IN ({})", Sql::join(holding, ", "), stored)
            };
            if relation == Relation::Equal || double.is_nan() {
                return sql!("({among})", among);
            }
            let rounded = as_double(&stored);
            let sign = relation.sign(false);
            sql!(
                "(coalesce({rounded} {sign} {} AND NOT isnan({rounded}), false) OR {among})",
                double_literal(double),
                rounded,
                sign,
                among
            )
        }
        Kind::Null | Kind::Bool | Kind::Date | Kind::Text | Kind::ObjectId | Kind::Json => always(false),
    }
}

/// SQL for the decimals of a column that their nearest doubles do not tell from a number.
pub(crate) fn is_close(stored: &Sql, double: f64) -> Sql {
    let rounded = as_double(stored);
    sql!("({rounded} IS NULL OR isnan({rounded}) OR {rounded} = {})", double_literal(double), rounded)
}

/// SQL for a decimal's nearest double; null if it is beyond all doubles.
fn as_double(stored: &Sql) -> Sql {
    sql!("TRY_CAST({stored} AS DOUBLE)", stored)
}

/// SQL for a double. DuckDB reads a text as the nearest double, as Rust does.
fn double_literal(double: f64) -> Sql {
    sql!("{}::DOUBLE", Text(&format!("{double:e}")))
}

fn whole_relates(stored: &Sql, relation: Relation, number: &BigDecimal) -> Sql {
    let (floor, ceiling) = exact::among_whole(number);
    let is_negative = number.sign() == bigdecimal::num_bigint::Sign::Minus;
    // Beyond all whole numbers of 64 bits, the sign decides.
    let beyond = || {
        let order = if is_negative { Ordering::Greater } else { Ordering::Less };
        if relation.holds(order) { sql!("true") } else { sql!("false") }
    };
    let end = match relation {
        Relation::Less | Relation::AtLeast => ceiling,
        Relation::AtMost | Relation::Greater => floor,
        Relation::Equal => {
            return match floor.filter(|floor| Some(*floor) == ceiling) {
                Some(whole) => sql!("({stored} = {whole})", stored, whole),
                None => sql!("false"),
            };
        }
    };
    let Some(end) = end else { return beyond() };
    let sign = relation.sign(matches!(relation, Relation::AtMost | Relation::AtLeast));
    sql!("({stored} {sign} {end})", stored, sign, end)
}

/// Whether a value's text, as shown, contains a text, whatever the case.
fn contains(holder: Holder, text: &str) -> Sql {
    let (stored, is) = (holder.stored(), |part: &str| part.contains(&text.to_lowercase()));
    match holder.kind() {
        Kind::Bool => match (is("true"), is("false")) {
            (true, true) => sql!("true"),
            (true, false) => sql!("({stored} = true)", stored),
            (false, true) => sql!("({stored} = false)", stored),
            (false, false) => sql!("false"),
        },
        kind if !may_contain(kind, text) => sql!("false"),
        _ => sql!("contains(lower({}), lower({}))", holder.shown(), quoted(text)),
    }
}

/// Whether values of a kind have texts that may contain a text at all. Most searches are for words, and then numbers and
/// dates need not be written as texts.
fn may_contain(kind: Kind, text: &str) -> bool {
    let letters = match kind {
        Kind::Int32 | Kind::Int64 => "0123456789-",
        Kind::Double | Kind::MinusZero | Kind::Decimal => "0123456789+-.enaifty",
        Kind::Date => "0123456789-:.tz",
        Kind::ObjectId => "0123456789abcdef",
        Kind::Null | Kind::Bool | Kind::Text | Kind::Json => return true,
    };
    text.chars().all(|letter| !letter.is_ascii() || letters.contains(letter.to_ascii_lowercase()))
}

/// Whether a value's text, as shown, is one of these.
fn is_one_of(holder: Holder, values: &[String]) -> Sql {
    let stored = holder.stored();
    let among = |cell: &Sql, list: Vec<Sql>| {
        if list.is_empty() { sql!("false") } else { sql!("({cell} IN ({}))", Sql::join(list, ", "), cell) }
    };
    let whole = |text: &String| {
        let number: i64 = text.parse().ok()?;
        (number.to_string() == *text).then(|| sql!("{number}", number))
    };
    let date = |text: &String| {
        let date: DateTime<Utc> = text.parse().ok()?;
        let shown = date.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        let millis = date.timestamp_millis();
        (shown == *text).then(|| sql!("{millis}", millis))
    };
    match holder.kind() {
        Kind::Int32 | Kind::Int64 => among(&stored, values.iter().filter_map(whole).collect()),
        Kind::Date => among(&stored, values.iter().filter_map(date).collect()),
        _ => among(&holder.shown(), values.iter().map(|text| quoted(text)).collect()),
    }
}

/// A text in SQL. A statement ends at a zero byte, so those are written as numbers.
pub(crate) fn quoted(text: &str) -> Sql {
    if !text.contains('\0') {
        return sql!("{}", Text(text));
    }
    let parts = text.split('\0').map(|part| sql!("{}", Text(part)));
    sql!("({})", Sql::join(parts, " || chr(0) || "))
}

/// A text in a pattern of `LIKE`.
fn escaped(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern
}
