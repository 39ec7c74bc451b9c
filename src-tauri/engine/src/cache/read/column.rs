//! SQL that reads values: one logical column over the physical columns of its kinds.
//!
//! Names of physical columns and tables consist of numbers and fixed words. No text of a document or of a trader ever
//! becomes SQL, except as a quoted `cache::file::sql::Text`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::uuid_text;
use crate::bson::uuids::UuidRepresentation;
use crate::cache::file::error::{CacheErrorKind, Purpose, Result};
use crate::cache::file::sql::{Name, Sql, sql};
use crate::decode::{FieldId, FieldRegistry, FieldSet, Kind};

/// A logical column: a path, and the physical columns that hold its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Dotted path.
    pub path: String,
    /// Physical columns by kind, in the order of [`Kind`].
    pub fields: BTreeMap<Kind, FieldId>,
    /// How UUIDs are stored in it.
    pub uuids: UuidRepresentation,
}

impl Column {
    /// The physical columns that may hold a value: the first one that does has it.
    pub(crate) fn holders(&self) -> impl Iterator<Item = Holder> + use<'_> {
        let uuids = self.uuids;
        let holders = self.fields.iter().filter(|(kind, _)| **kind != Kind::Null);
        holders.map(move |(kind, field)| Holder { kind: *kind, field: *field, uuids })
    }

    /// Expressions to order by: numbers first and by value, then dates and booleans, then the rest by text. Every
    /// segment gives the same number of expressions, whichever of the column's fields it has.
    #[must_use]
    pub(crate) fn order(&self, has: &dyn Fn(FieldId) -> bool) -> Vec<Sql> {
        let physical = |kind: Kind| {
            self.fields.get(&kind).filter(|field| has(**field)).map(|field| sql!("c{field}", field))
        };
        let key = |kinds: &[Kind], sql_type: &'static str, form: &dyn Fn(Kind, Sql) -> Option<Sql>| {
            if !kinds.iter().any(|kind| self.fields.contains_key(kind)) {
                return None;
            }
            let sql_type = Name(sql_type);
            let values: Vec<Sql> = kinds.iter().filter_map(|kind| form(*kind, physical(*kind)?)).collect();
            Some(match values.as_slice() {
                [] => sql!("NULL::{sql_type}", sql_type),
                [one] => sql!("({one})::{sql_type}", one, sql_type),
                several => sql!("coalesce({})::{sql_type}", Sql::join(several, ", "), sql_type),
            })
        };
        let plain = |_: Kind, column: Sql| Some(column);
        let cast_to = |sql_type: &'static str| {
            move |_: Kind, column: Sql| {
                Some(sql!("TRY_CAST({column} AS {sql_type})", column, sql_type = Name(sql_type)))
            }
        };
        let numbers = [Kind::Int32, Kind::Int64, Kind::Double, Kind::MinusZero, Kind::Decimal];
        // Doubles order numbers of all kinds; the exact kinds then decide between equal doubles.
        [
            key(&numbers, "DOUBLE", &cast_to("DOUBLE")),
            key(&[Kind::Int32, Kind::Int64], "BIGINT", &plain),
            key(&[Kind::Decimal], "DECIMAL(38, 12)", &cast_to("DECIMAL(38, 12)")),
            key(&[Kind::Date, Kind::Bool], "BIGINT", &|_, column| Some(sql!("{column}::BIGINT", column))),
            key(&[Kind::Text, Kind::Json, Kind::ObjectId], "VARCHAR", &|kind, column| {
                Some(text_of(kind, &column, self.uuids))
            }),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// The numbers that order a column; see [`Column::number_key`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NumberKey {
    /// Whole numbers of 64 bits: the expression at this place.
    Whole(usize),
    /// Doubles: the first expression.
    Double,
    /// The nearest doubles of decimals: the first expression. Of two different decimals it may be the same.
    NearestDouble(FieldId),
}

impl Column {
    /// Which one of the expressions of [`order`](Self::order) orders the values. `None` if the column has texts, or numbers
    /// of several kinds.
    pub(crate) fn number_key(&self) -> Option<NumberKey> {
        let kinds: Vec<Kind> = self.holders().map(Holder::kind).collect();
        let only = |of: &[Kind]| !kinds.is_empty() && kinds.iter().all(|kind| of.contains(kind));
        if only(&[Kind::Date, Kind::Bool]) {
            Some(NumberKey::Whole(0))
        } else if only(&[Kind::Int32, Kind::Int64]) {
            Some(NumberKey::Whole(1))
        } else if only(&[Kind::Double, Kind::MinusZero]) {
            Some(NumberKey::Double)
        } else if only(&[Kind::Decimal]) {
            self.fields.get(&Kind::Decimal).copied().map(NumberKey::NearestDouble)
        } else {
            None
        }
    }
}

/// A physical column that may hold the value of a logical one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Holder {
    kind: Kind,
    field: FieldId,
    uuids: UuidRepresentation,
}

impl Holder {
    /// The kind of its values.
    pub(crate) const fn kind(self) -> Kind {
        self.kind
    }

    /// Its physical column.
    pub(crate) const fn field(self) -> FieldId {
        self.field
    }

    /// SQL for its values as they are stored.
    pub(crate) fn stored(self) -> Sql {
        sql!("c{}", self.field)
    }

    /// SQL for the text of a value, as the grid and an export show it; see [`text`](Self::text).
    pub(crate) fn shown(self) -> Sql {
        self.shown_of(&self.stored())
    }

    /// The same for values that are under another name.
    pub(crate) fn shown_of(self, column: &Sql) -> Sql {
        match self.kind {
            Kind::Null => sql!("NULL::VARCHAR"),
            Kind::Bool | Kind::Int32 | Kind::Int64 => sql!("{column}::VARCHAR", column),
            Kind::Double => sql!(
                "CASE WHEN isnan({column}) THEN 'NaN' WHEN isinf({column}) THEN
                 CASE WHEN {column} > 0 THEN 'Infinity' ELSE '-Infinity' END ELSE {column}::VARCHAR END",
                column
            ),
            Kind::Date => sql!("strftime(epoch_ms({column}), '%Y-%m-%dT%H:%M:%S.%gZ')", column),
            Kind::MinusZero | Kind::Decimal | Kind::Text | Kind::ObjectId | Kind::Json => {
                text_of(self.kind, column, self.uuids)
            }
        }
    }

    /// SQL for the value as a text that [`text`](Self::text) completes. Planning all of that as SQL would take longer
    /// than to read the rows of a page.
    pub(crate) fn select(self, has: &dyn Fn(FieldId) -> bool) -> Sql {
        let column = sql!("c{}", self.field);
        match self.kind {
            _ if !has(self.field) => sql!("NULL::VARCHAR"),
            Kind::Null => sql!("NULL::VARCHAR"),
            // DuckDB writes the shortest text that reads back as the same double.
            Kind::Bool | Kind::Int32 | Kind::Int64 | Kind::Double => sql!("{column}::VARCHAR", column),
            Kind::Date => sql!("strftime(epoch_ms({column}), '%Y-%m-%dT%H:%M:%S.%gZ')", column),
            Kind::Json | Kind::MinusZero | Kind::Decimal | Kind::Text | Kind::ObjectId => column,
        }
    }

    /// The text of a value, as the grid and an export show it.
    pub(crate) fn text(self, value: &str) -> Cow<'_, str> {
        match self.kind {
            Kind::Double => Cow::Borrowed(match value {
                "nan" | "-nan" => "NaN",
                "inf" => "Infinity",
                "-inf" => "-Infinity",
                _ => value,
            }),
            Kind::Json => uuid_text::with_uuids(value, self.uuids),
            _ => Cow::Borrowed(value),
        }
    }

    /// Whether the value is a text that somebody wrote, rather than a number or the like.
    pub(crate) fn is_text(self) -> bool {
        self.kind == Kind::Text
    }
}

/// The columns of a set of fields: `_id` first, then what the mapping names, in its order, then the others by path.
/// So the order depends only on the documents and the mapping, and not on when a field first appeared.
#[must_use]
pub fn columns(
    registry: &FieldRegistry,
    present: &FieldSet,
    mapped: &[String],
    uuids: UuidRepresentation,
) -> Vec<Column> {
    let mut found: BTreeMap<Arc<str>, BTreeMap<Kind, FieldId>> = BTreeMap::new();
    for number in 0..FieldId::try_from(registry.len()).unwrap_or(FieldId::MAX) {
        let Some(field) = registry.field(number).filter(|_| present.contains(number)) else { continue };
        found.entry(field.path).or_default().insert(field.kind, number);
    }
    let mut columns: Vec<Column> =
        found.into_iter().map(|(path, fields)| Column { path: path.to_string(), fields, uuids }).collect();
    // The sort is stable, so columns with the same place stay in the order of their paths.
    columns.sort_by_cached_key(|column| place(&column.path, mapped));
    columns
}

/// The column with a path.
pub(crate) fn find_column(columns: &[Column], path: &str, purpose: Purpose) -> Result<Column> {
    columns.iter().find(|column| column.path == path).cloned().ok_or_else(|| {
        let what = match purpose {
            Purpose::Sort => "sort by",
            Purpose::Filter => "filter by",
            Purpose::Summary => "summarise",
            Purpose::Export => "export",
        };
        CacheErrorKind::NoColumn(format!("There is no column {path} to {what}."), purpose).into()
    })
}

/// The place of a column in the order of [`columns`]. An `_id` that is a sub-document has columns of its own, and so
/// may a path that the mapping names. A path inside an array has the place of the array, which is one column.
fn place(path: &str, mapped: &[String]) -> usize {
    let is_within =
        |long: &str, short: &str| long.strip_prefix(short).is_some_and(|rest| rest.starts_with('.'));
    match path {
        "_id" => 0,
        path if path.starts_with("_id.") => 1,
        path => mapped
            .iter()
            .position(|mapped| mapped == path || is_within(path, mapped) || is_within(mapped, path))
            .map_or(usize::MAX, |place| place + 2),
    }
}

/// SQL for a text that is ordered as the grid shows it.
fn text_of(kind: Kind, column: &Sql, uuids: UuidRepresentation) -> Sql {
    if kind == Kind::Json { uuid_text::shown(column, uuids) } else { column.clone() }
}

#[cfg(test)]
mod tests {
    use bson::{Bson, Document, RawDocumentBuf, doc};

    use crate::cache::{Cache, View, fixtures};
    use crate::day::{Day, DayRange};
    use crate::rows::{Role, RowQuery};

    #[test]
    fn values_of_all_kinds_are_shown_as_texts() {
        let uuid = || Bson::Binary(bson::Uuid::from_bytes([7; 16]).into());
        let uuid_text = "07070707-0707-0707-0707-070707070707";
        let written = r#"{"$binary":{"base64":"BwcHBwcHBwcHBwcHBwcHBw==","subType":"04"}}"#;
        let values = [
            (Bson::Double(f64::NAN), "NaN"),
            (Bson::Double(-f64::NAN), "NaN"),
            (Bson::Double(f64::INFINITY), "Infinity"),
            (Bson::Double(f64::NEG_INFINITY), "-Infinity"),
            (Bson::Double(-0.0), "-0.0"),
            (Bson::Double(0.1), "0.1"),
            (Bson::Double(2.0), "2.0"),
            (Bson::Double(1e300), "1e+300"),
            (Bson::Boolean(true), "true"),
            (Bson::Int32(-1), "-1"),
            (Bson::Int64(i64::MIN), "-9223372036854775808"),
            ("".into(), ""),
            // A text that looks like a UUID in JSON stays as it is.
            (written.into(), written),
            (Bson::DateTime(bson::DateTime::from_millis(-1)), "1969-12-31T23:59:59.999Z"),
            (Bson::Decimal128("1.50".parse().expect("a decimal")), "1.50"),
            (Bson::ObjectId(bson::oid::ObjectId::from_bytes([9; 12])), "090909090909090909090909"),
            (uuid(), uuid_text),
            (vec![uuid(), Bson::Int32(1)].into(), r#"[{"$uuid":"07070707-0707-0707-0707-070707070707"},1]"#),
            (Bson::MinKey, r#"{"$minKey":1}"#),
        ];
        let documents = values.iter().enumerate().map(|(number, (value, _))| {
            let number = i32::try_from(number).expect("few");
            let document: Document = doc! {"_id": number, "a": value, "b": {"c": value}, "n": Bson::Null};
            RawDocumentBuf::try_from(&document).expect("encodes")
        });
        let folder = tempfile::tempdir().expect("a folder");
        let file = fixtures::file(&Cache::new(folder.path(), 0).expect("a cache"), &[]);
        let day = Day::from_number(20_000);
        fixtures::store_documents(&file, day, chrono::DateTime::UNIX_EPOCH, documents);
        let view = View::open(file, DayRange::new(day, day).expect("a day")).expect("a view");
        let paths: Vec<String> = view.columns(Role::Input).into_iter().map(|column| column.path).collect();
        assert_eq!(paths, ["_id", "a", "b.c", "n"]);
        let page = view.page(&RowQuery::of(Role::Input), 0, 100).expect("a page");
        let expected: Vec<Vec<Option<String>>> = values
            .iter()
            .enumerate()
            .map(|(number, (_, text))| {
                let text = Some((*text).to_owned());
                vec![Some(number.to_string()), text.clone(), text, None]
            })
            .collect();
        assert_eq!(page, expected);
    }
}
