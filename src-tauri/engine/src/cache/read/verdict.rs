//! What the columns of a segment say about conditions and trade ids: exactly, or that the documents have to be asked.
//!
//! A document's scalar values lie in typed columns of their own; arrays, rare types and documents with too many names
//! are texts. So for most rows a condition can be decided without the document, and for the rest it is known that it
//! cannot. [`crate::query::local_match`] decides those.

use std::collections::BTreeMap;

use duckdb::types::Value;

use crate::bson::path::is_within;
use crate::cache::file::cache_file::CacheFile;
use crate::cache::file::ledger::FileState;
use crate::cache::file::schema::column;
use crate::cache::file::sql::{Name, Sql, sql};
use crate::day::DaySet;
use crate::decode::{FieldId, Kind, MORE_FIELDS};
use crate::query::filter::{Condition, FieldCondition};
use crate::query::filter_value::FilterValue;
use crate::rows::Role;

/// The row does not meet the conditions.
pub(crate) const NO: u8 = 0;
/// Only its document can tell.
pub(crate) const UNDECIDED: u8 = 1;
/// The row meets the conditions.
pub(crate) const YES: u8 = 2;

/// 2^53: below it, every whole number is a double.
const EXACT_IN_DOUBLE: f64 = 9_007_199_254_740_992.0;

/// The columns of one segment's table, by path.
#[derive(Debug)]
pub(crate) struct SegmentColumns {
    fields: BTreeMap<String, BTreeMap<Kind, FieldId>>,
    /// Paths at which some of the days' documents have null, which has no column.
    nulls: Vec<String>,
    /// Whether the columns say all about the documents that their paths can.
    is_plain: bool,
}

/// SQL, and the values to bind to it.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    pub(crate) sql: Sql,
    pub(crate) values: Vec<Value>,
}

impl Bound {
    const fn of(sql: Sql) -> Self {
        Self { sql, values: Vec::new() }
    }

    fn any(parts: Vec<Self>) -> Self {
        Self::joined(parts, " OR ", sql!("false"))
    }

    fn joined(parts: Vec<Self>, separator: &'static str, none: Sql) -> Self {
        if parts.is_empty() {
            return Self::of(none);
        }
        let sql = Sql::join(parts.iter().map(|part| sql!("({})", part.sql)), separator);
        Self { sql, values: parts.into_iter().flat_map(|part| part.values).collect() }
    }
}

/// What the columns say about a row's trade id.
#[derive(Debug)]
pub(crate) struct TradeKey {
    /// Its key, as `bson::equality_key` makes it; null if there is none.
    pub(crate) key: Sql,
    /// Whether only the document can tell: it may have several ids, or one of a rare type.
    pub(crate) undecided: Sql,
    /// Whether the row may have more than one id.
    pub(crate) several: Sql,
}

impl SegmentColumns {
    /// The columns of a role's table, for documents of some days.
    pub(crate) fn of(file: &CacheFile, state: &FileState, segment: u32, role: Role, days: &DaySet) -> Self {
        let registry = file.registry();
        let mut fields: BTreeMap<String, BTreeMap<Kind, FieldId>> = BTreeMap::new();
        for number in state.columns.get(&(segment, role)).into_iter().flatten() {
            if let Some(field) = registry.field(*number) {
                fields.entry(field.path.to_string()).or_default().insert(field.kind, *number);
            }
        }
        let is_null = |number: &FieldId| {
            days.days()
                .any(|day| state.days.get(&day).is_some_and(|held| held.fields(role).contains(*number)))
        };
        let nulls = (0..FieldId::try_from(registry.len()).unwrap_or(FieldId::MAX))
            .filter(is_null)
            .filter_map(|number| registry.field(number))
            .filter(|field| field.kind == Kind::Null)
            .map(|field| field.path.to_string())
            .collect();
        Self { fields, nulls, is_plain: state.plain.contains(&(segment, role)) }
    }

    /// SQL that is [`YES`], [`NO`] or [`UNDECIDED`] for a row and all of these conditions.
    pub(crate) fn verdict(&self, conditions: &[FieldCondition]) -> Bound {
        let each: Vec<Bound> = conditions.iter().map(|condition| self.one(condition)).collect();
        match each.as_slice() {
            [] => Bound::of(sql!("{YES}", YES)),
            [one] => one.clone(),
            several => Bound {
                sql: sql!("least({})", Sql::join(several.iter().map(|one| &one.sql), ", ")),
                values: several.iter().flat_map(|one| one.values.clone()).collect(),
            },
        }
    }

    fn one(&self, condition: &FieldCondition) -> Bound {
        let path = &condition.path;
        if !self.is_plain {
            return Bound::of(sql!("{UNDECIDED}", UNDECIDED));
        }
        let hidden = self.hidden(path);
        let case = |undecided: Sql, holds: Bound, then: u8, otherwise: u8| Bound {
            sql: sql!(
                "CASE WHEN {undecided} THEN {UNDECIDED} WHEN {holds} THEN {then} ELSE {otherwise} END",
                undecided,
                UNDECIDED,
                holds = holds.sql,
                then,
                otherwise
            ),
            values: holds.values,
        };
        let any_of = |values: &[FilterValue]| {
            Bound::any(values.iter().map(|value| self.compare(path, Comparison::Equals, value)).collect())
        };
        let undecided = |values: &mut dyn Iterator<Item = &FilterValue>| {
            let mut parts = vec![hidden.clone()];
            parts.extend(values.map(|value| self.inexact(path, value)));
            sql!("({})", Sql::join(parts, " OR "))
        };
        match &condition.condition {
            Condition::AnyOf(values) => case(undecided(&mut values.iter()), any_of(values), YES, NO),
            Condition::NoneOf(values) => case(undecided(&mut values.iter()), any_of(values), NO, YES),
            Condition::AllOf(values) => {
                let each = values.iter().map(|value| self.compare(path, Comparison::Equals, value)).collect();
                let all = Bound::joined(each, " AND ", sql!("true"));
                case(undecided(&mut values.iter()), all, YES, NO)
            }
            Condition::StartsWith(start) => {
                let texts = self.columns_at(path, &[Kind::Text]);
                let starts = texts.iter().map(|text| Bound {
                    sql: sql!("starts_with({text}, ?)", text),
                    values: vec![Value::Text(start.clone())],
                });
                case(hidden, Bound::any(starts.collect()), YES, NO)
            }
            Condition::Exists => self.existence(path, &hidden, YES, NO),
            Condition::Missing => self.existence(path, &hidden, NO, YES),
            Condition::Range { at_least, at_most } => {
                let ends = [(Comparison::AtLeast, at_least), (Comparison::AtMost, at_most)];
                let each = ends
                    .iter()
                    .filter_map(|(how, value)| Some(self.compare(path, *how, value.as_ref()?)))
                    .collect();
                let both = Bound::joined(each, " AND ", sql!("true"));
                case(undecided(&mut at_least.iter().chain(at_most)), both, YES, NO)
            }
        }
    }

    /// A value below the path shows that there is a document at it, just as one at the path does.
    fn existence(&self, path: &str, hidden: &Sql, found: u8, not_found: u8) -> Bound {
        let below = self.fields.iter().filter(|(other, _)| is_within(other, path));
        let columns: Vec<Sql> = below
            .flat_map(|(_, kinds)| kinds.values())
            .map(|field| sql!("{} IS NOT NULL", column(*field)))
            .collect();
        let any = if columns.is_empty() { sql!("false") } else { Sql::join(columns, " OR ") };
        let otherwise =
            if self.nulls.iter().any(|null| is_within(null, path)) { UNDECIDED } else { not_found };
        Bound::of(sql!(
            "CASE WHEN {any} THEN {found} WHEN {hidden} THEN {UNDECIDED} ELSE {otherwise} END",
            any,
            found,
            hidden,
            UNDECIDED,
            otherwise
        ))
    }

    /// Whether a row's value at a path may lie in a column of texts: in an array, in a document that has no columns of
    /// its own, or among the fields without one.
    fn hidden(&self, path: &str) -> Sql {
        let hides = |other: &str| is_within(path, other) || other == MORE_FIELDS;
        let columns: Vec<Sql> = self
            .fields
            .iter()
            .filter(|(other, _)| hides(other))
            .filter_map(|(_, kinds)| kinds.get(&Kind::Json))
            .map(|field| sql!("{} IS NOT NULL", column(*field)))
            .collect();
        if columns.is_empty() { sql!("false") } else { sql!("({})", Sql::join(columns, " OR ")) }
    }

    fn columns_at(&self, path: &str, kinds: &[Kind]) -> Vec<Sql> {
        let at = self.fields.get(path);
        kinds.iter().filter_map(|kind| at?.get(kind)).map(|field| column(*field)).collect()
    }

    /// Whether a row has a number at the path that DuckDB cannot compare with the value exactly.
    fn inexact(&self, path: &str, value: &FilterValue) -> Sql {
        let kinds: &[Kind] = match value {
            FilterValue::Text(_)
            | FilterValue::Date(_)
            | FilterValue::Bool(_)
            | FilterValue::ObjectId(_)
            | FilterValue::Uuid(_) => &[],
            FilterValue::Integer(whole) if as_double(*whole).is_some() => &[Kind::Decimal],
            FilterValue::Integer(_) => &[Kind::Double, Kind::MinusZero, Kind::Decimal],
            FilterValue::Number(number) if number.is_finite() && number.abs() < EXACT_IN_DOUBLE => {
                &[Kind::Decimal]
            }
            FilterValue::Number(_) | FilterValue::Decimal(_) => {
                &[Kind::Int32, Kind::Int64, Kind::Double, Kind::MinusZero, Kind::Decimal]
            }
        };
        let columns = self.columns_at(path, kinds);
        if columns.is_empty() {
            return sql!("false");
        }
        Sql::join(columns.iter().map(|column| sql!("{column} IS NOT NULL", column)), " OR ")
    }

    /// Whether the row's value at the path compares with a value like this, for rows where that is exact.
    fn compare(&self, path: &str, how: Comparison, value: &FilterValue) -> Bound {
        let sign = how.sign();
        let with = |kind: Kind, value: Value| {
            self.columns_at(path, &[kind]).into_iter().map(move |column| {
                // DuckDB takes NaN for the greatest number, and for equal to itself.
                let sql = match kind {
                    Kind::Double => sql!("{column} {sign} ? AND NOT isnan({column})", column, sign),
                    _ => sql!("{column} {sign} ?", column, sign),
                };
                Bound { sql, values: vec![value.clone()] }
            })
        };
        let zero = |number: f64| {
            let holds = how.holds(0.0, number);
            self.columns_at(path, &[Kind::MinusZero])
                .into_iter()
                .filter(move |_| holds)
                .map(|column| Bound::of(sql!("{column} IS NOT NULL", column)))
        };
        Bound::any(match value {
            FilterValue::Text(text) if how == Comparison::Equals => {
                with(Kind::Text, Value::Text(text.clone())).collect()
            }
            FilterValue::ObjectId(id) if how == Comparison::Equals => {
                with(Kind::ObjectId, Value::Text(id.to_hex())).collect()
            }
            FilterValue::Bool(truth) if how == Comparison::Equals => {
                with(Kind::Bool, Value::Boolean(*truth)).collect()
            }
            FilterValue::Date(date) => with(Kind::Date, Value::BigInt(date.timestamp_millis())).collect(),
            FilterValue::Integer(whole) => {
                let mut all: Vec<Bound> = with(Kind::Int32, Value::BigInt(*whole))
                    .chain(with(Kind::Int64, Value::BigInt(*whole)))
                    .collect();
                if let Some(number) = as_double(*whole) {
                    all.extend(with(Kind::Double, Value::Double(number)).chain(zero(number)));
                }
                all
            }
            FilterValue::Number(number) => {
                let whole = |kind| {
                    // As a double, a whole number is on the same side of every double of less than 2^53.
                    self.columns_at(path, &[kind]).into_iter().map(|column| Bound {
                        sql: sql!("{column}::DOUBLE {sign} ?", column, sign),
                        values: vec![Value::Double(*number)],
                    })
                };
                whole(Kind::Int32)
                    .chain(whole(Kind::Int64))
                    .chain(with(Kind::Double, Value::Double(*number)))
                    .chain(zero(*number))
                    .collect()
            }
            // Values of other kinds are in no range, and UUIDs and decimals are left to the documents.
            FilterValue::Text(_)
            | FilterValue::ObjectId(_)
            | FilterValue::Bool(_)
            | FilterValue::Uuid(_)
            | FilterValue::Decimal(_) => Vec::new(),
        })
    }

    /// What the columns say about the trade ids at a path.
    pub(crate) fn trade_key(&self, path: &str) -> TradeKey {
        if !self.is_plain {
            return TradeKey { key: sql!("NULL::VARCHAR"), undecided: sql!("true"), several: sql!("true") };
        }
        let prefixed = [
            (Kind::Text, sql!("'s:'")),
            (Kind::ObjectId, sql!("'o:'")),
            (Kind::Int32, sql!("'n:'")),
            (Kind::Int64, sql!("'n:'")),
        ];
        let keys: Vec<Sql> = prefixed
            .iter()
            .flat_map(|(kind, prefix)| {
                self.columns_at(path, &[*kind])
                    .into_iter()
                    .map(move |column| sql!("{prefix} || {column}", prefix, column))
            })
            .collect();
        let several = self.hidden(path);
        let at = |other: &str, kind: Kind| {
            let is_plain = matches!(kind, Kind::Text | Kind::ObjectId | Kind::Int32 | Kind::Int64);
            is_within(other, path) && !(other == path && is_plain)
        };
        let rare = self.fields.iter().flat_map(|(other, kinds)| {
            kinds.iter().filter(move |(kind, _)| at(other, **kind)).map(|(_, field)| column(*field))
        });
        let mut undecided: Vec<Sql> = rare.map(|column| sql!("{column} IS NOT NULL", column)).collect();
        undecided.push(several.clone());
        let key = match keys.as_slice() {
            [] => sql!("NULL::VARCHAR"),
            keys => sql!("coalesce({})", Sql::join(keys, ", ")),
        };
        // The id may be a document whose values are all null.
        if self.nulls.iter().any(|null| null != path && is_within(null, path)) {
            undecided.push(sql!("{key} IS NULL", key));
        }
        TradeKey { key, undecided: sql!("({})", Sql::join(undecided, " OR ")), several }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equals,
    AtLeast,
    AtMost,
}

impl Comparison {
    const fn sign(self) -> Name {
        match self {
            Self::Equals => Name("="),
            Self::AtLeast => Name(">="),
            Self::AtMost => Name("<="),
        }
    }

    fn holds(self, held: f64, value: f64) -> bool {
        held.partial_cmp(&value).is_some_and(|order| match self {
            Self::Equals => order.is_eq(),
            Self::AtLeast => order.is_ge(),
            Self::AtMost => order.is_le(),
        })
    }
}

/// A whole number as a double, if that is exact and no other whole number becomes the same.
fn as_double(whole: i64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "checked on the next line")]
    let number = whole as f64;
    (number.abs() < EXACT_IN_DOUBLE).then_some(number)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bson::{Bson, Decimal128, Document, RawDocumentBuf, doc};
    use duckdb::params_from_iter;
    use proptest::prelude::*;

    use super::*;
    use crate::bson::equality_key::equality_key;
    use crate::bson::path;
    use crate::cache::file::schema;
    use crate::cache::{Cache, fixtures};
    use crate::day::Day;
    use crate::query::local_match::matches;

    fn decimal(text: &str) -> Decimal128 {
        text.parse().expect("a decimal")
    }

    /// A file whose only segment has these documents, with what its columns say of a path or a condition.
    struct Stored {
        _folder: tempfile::TempDir,
        file: Arc<CacheFile>,
        columns: SegmentColumns,
    }

    impl Stored {
        fn of(documents: &[RawDocumentBuf]) -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let cache = Cache::new(folder.path(), 0).expect("a cache");
            let file = fixtures::file(&cache, &[]);
            let day = Day::from_number(20_000);
            fixtures::store_documents(&file, day, chrono::DateTime::UNIX_EPOCH, documents.iter().cloned());
            let state = file.state();
            let segment = state.days[&day].segment;
            let columns =
                SegmentColumns::of(&file, &state, segment, Role::Input, &[day].into_iter().collect());
            Self { _folder: folder, file, columns }
        }

        /// One value per document, in their order.
        fn ask<T: duckdb::types::FromSql>(&self, asked: Bound) -> Vec<T> {
            let connection = self.file.connect().expect("a connection");
            let table = schema::table(Role::Input, 1);
            let select = sql!("SELECT {} FROM {table} ORDER BY number", asked.sql, table);
            let mut statement = connection.prepare(select).expect("a statement");
            let rows = statement.query_map(params_from_iter(asked.values), |row| row.get(0)).expect("rows");
            rows.collect::<Result<_, duckdb::Error>>().expect("values")
        }
    }

    fn raw(document: &Document) -> RawDocumentBuf {
        RawDocumentBuf::try_from(document).expect("encodes")
    }

    fn values() -> impl Strategy<Value = Bson> {
        let scalar = prop_oneof![
            (-3_i32..3).prop_map(Bson::Int32),
            (-3_i64..3).prop_map(Bson::Int64),
            prop::sample::select(vec![i64::MAX, i64::MIN, 1 << 53, (1 << 53) + 1, -(1 << 53) - 1])
                .prop_map(Bson::Int64),
            prop::sample::select(vec![
                0.0,
                -0.0,
                1.0,
                1.5,
                -2.5,
                f64::NAN,
                f64::INFINITY,
                9_007_199_254_740_992.0
            ])
            .prop_map(Bson::Double),
            prop::sample::select(vec!["0", "-0", "1.0", "1.5", "NaN", "9007199254740993"])
                .prop_map(|text| Bson::Decimal128(decimal(text))),
            "[ab1]{0,2}".prop_map(Bson::String),
            any::<bool>().prop_map(Bson::Boolean),
            (-2_i64..3).prop_map(|millis| Bson::DateTime(bson::DateTime::from_millis(millis))),
            (0_u8..2).prop_map(|byte| Bson::ObjectId(bson::oid::ObjectId::from_bytes([byte; 12]))),
            Just(Bson::Null),
            Just(Bson::Undefined),
            Just(Bson::Symbol("a".into())),
            Just(Bson::DateTime(bson::DateTime::from_millis(i64::MAX))),
            Just(Bson::MinKey),
        ];
        scalar.prop_recursive(2, 6, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Bson::Array),
                prop::collection::vec(("[ab0]", inner), 0..3)
                    .prop_map(|fields| Bson::Document(fields.into_iter().collect())),
            ]
        })
    }

    fn documents() -> impl Strategy<Value = Vec<RawDocumentBuf>> {
        let document = prop::collection::vec(("[ab]", values()), 0..3)
            .prop_map(|fields| raw(&fields.into_iter().collect::<Document>()));
        prop::collection::vec(document, 1..12)
    }

    fn filter_values() -> impl Strategy<Value = FilterValue> {
        prop_oneof![
            "[ab1]{0,2}".prop_map(FilterValue::Text),
            (-3_i64..3).prop_map(FilterValue::Integer),
            prop::sample::select(vec![i64::MAX, i64::MIN, 1 << 53, (1 << 53) + 1])
                .prop_map(FilterValue::Integer),
            prop::sample::select(vec![0.0, -0.0, 1.0, 1.5, -2.5, 1e300, 9_007_199_254_740_992.0])
                .prop_map(FilterValue::Number),
            prop::sample::select(vec!["0", "1.50", "9007199254740993"])
                .prop_map(|text| FilterValue::Decimal(decimal(text))),
            any::<bool>().prop_map(FilterValue::Bool),
            (-2_i64..3).prop_map(|millis| FilterValue::Date(bson::DateTime::from_millis(millis))),
            (0_u8..2).prop_map(|byte| FilterValue::ObjectId(bson::oid::ObjectId::from_bytes([byte; 12]))),
        ]
    }

    fn conditions() -> impl Strategy<Value = FieldCondition> {
        let list = || prop::collection::vec(filter_values(), 1..3);
        let ends = || prop::option::of(filter_values());
        let condition = prop_oneof![
            list().prop_map(Condition::AnyOf),
            list().prop_map(Condition::NoneOf),
            list().prop_map(Condition::AllOf),
            "[ab]{0,1}".prop_map(Condition::StartsWith),
            Just(Condition::Exists),
            Just(Condition::Missing),
            (ends(), ends()).prop_map(|(at_least, at_most)| Condition::Range { at_least, at_most }),
        ];
        let paths = prop::sample::select(vec!["a", "b", "a.b", "a.a", "b.0", "a.b.a", "c"]);
        (paths, condition).prop_map(|(path, condition)| FieldCondition {
            name: "f".into(),
            path: path.into(),
            condition,
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

        #[test]
        fn a_verdict_of_the_columns_is_that_of_the_document(
            documents in documents(),
            conditions in prop::collection::vec(prop::collection::vec(conditions(), 1..3), 24),
        ) {
            let stored = Stored::of(&documents);
            for all in conditions {
                let found: Vec<u8> = stored.ask(stored.columns.verdict(&all));
                for (verdict, document) in found.into_iter().zip(&documents) {
                    let each: Vec<Option<bool>> = all.iter().map(|one| matches(one, document)).collect();
                    let expected = if each.contains(&Some(false)) {
                        Some(false)
                    } else {
                        (!each.contains(&None)).then_some(true)
                    };
                    let shown = || format!("{all:?} {document:?}");
                    match verdict {
                        YES => prop_assert_eq!(expected, Some(true), "{}", shown()),
                        NO => prop_assert_eq!(expected, Some(false), "{}", shown()),
                        _ => {}
                    }
                }
            }
        }

        #[test]
        fn a_trade_key_of_the_columns_is_that_of_the_document(documents in documents()) {
            let stored = Stored::of(&documents);
            for path in ["a", "b", "a.b"] {
                let key = stored.columns.trade_key(path);
                let keys: Vec<Option<String>> = stored.ask(Bound::of(key.key));
                let undecided: Vec<bool> = stored.ask(Bound::of(key.undecided));
                let several: Vec<bool> = stored.ask(Bound::of(key.several));
                for (at, document) in documents.iter().enumerate() {
                    let mut found = Vec::new();
                    path::scalars(document, path, &mut |value| found.extend(equality_key(value)));
                    if !undecided[at] {
                        prop_assert_eq!(keys[at].clone(), found.first().cloned(), "{} {:?}", path, document);
                    }
                    prop_assert!(several[at] || found.len() < 2, "{} {:?}", path, document);
                    prop_assert!(undecided[at] || !several[at]);
                }
            }
        }
    }

    /// What desks have is decided without a document; else a narrower query would decompress all of them.
    #[test]
    fn scalars_are_decided_by_their_columns() {
        let documents: Vec<RawDocumentBuf> = [
            doc! {"product": "Gas", "lots": 5, "price": 1.5, "on": bson::DateTime::from_millis(7), "leg": {"no": 1_i64}},
            doc! {"product": "Oil", "lots": 7_i64, "price": 2.5, "leg": {"no": 2_i64}, "tags": ["x"]},
            doc! {"lots": Bson::Null, "leg": {"no": 3.0}},
        ]
        .iter()
        .map(raw)
        .collect();
        let stored = Stored::of(&documents);
        let any_of = |value: FilterValue| Condition::AnyOf(vec![value]);
        let range = |low: FilterValue| Condition::Range { at_least: Some(low), at_most: None };
        for (path, condition, expected) in [
            ("product", any_of(FilterValue::Text("Gas".into())), [YES, NO, NO]),
            ("product", Condition::NoneOf(vec![FilterValue::Text("Gas".into())]), [NO, YES, YES]),
            ("product", Condition::StartsWith("O".into()), [NO, YES, NO]),
            ("product", Condition::Missing, [NO, NO, YES]),
            ("lots", range(FilterValue::Integer(6)), [NO, YES, NO]),
            ("lots", Condition::Exists, [YES, YES, UNDECIDED]),
            ("price", range(FilterValue::Number(2.0)), [NO, YES, NO]),
            ("on", range(FilterValue::Date(bson::DateTime::from_millis(7))), [YES, NO, NO]),
            ("leg.no", any_of(FilterValue::Integer(3)), [NO, NO, YES]),
            ("leg", Condition::Exists, [YES, YES, YES]),
            ("tags", any_of(FilterValue::Text("x".into())), [NO, UNDECIDED, NO]),
        ] {
            let asked = FieldCondition { name: "f".into(), path: path.into(), condition };
            let found: Vec<u8> = stored.ask(stored.columns.verdict(std::slice::from_ref(&asked)));
            assert_eq!(found, expected, "{asked:?}");
        }
    }

    /// One odd document, and every document of the segment is asked.
    #[test]
    fn columns_of_documents_that_are_not_plain_decide_nothing() {
        let mut twice = RawDocumentBuf::new();
        twice.append(bson::cstr!("a"), 1);
        twice.append(bson::cstr!("a"), 2);
        let conditions = [FieldCondition {
            name: "f".into(),
            path: "a".into(),
            condition: Condition::AnyOf(vec![FilterValue::Integer(2)]),
        }];
        for odd in [twice, raw(&doc! {"a.b": 1, "a": {"b": 2}})] {
            let stored = Stored::of(&[raw(&doc! {"a": 2}), odd]);
            assert_eq!(stored.ask::<u8>(stored.columns.verdict(&conditions)), [UNDECIDED; 2]);
            assert!(
                stored.ask::<bool>(Bound::of(stored.columns.trade_key("a").undecided)).iter().all(|is| *is)
            );
        }
        let stored = Stored::of(&[raw(&doc! {"a": 2})]);
        assert_eq!(stored.ask::<u8>(stored.columns.verdict(&conditions)), [YES]);
    }
}
