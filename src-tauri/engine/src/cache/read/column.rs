//! SQL that reads values: one logical column over the physical columns of its kinds.
//!
//! Names of physical columns and tables consist of numbers and fixed words. No text of a document or of a trader ever
//! becomes SQL, except as a quoted `cache::file::sql::Text`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{formula, uuid_text};
use crate::bson::uuids::UuidRepresentation;
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
    /// SQL for the value as text, as the CSV and the grid show it; null if there is none.
    #[must_use]
    pub(crate) fn text(&self, has: &dyn Fn(FieldId) -> bool) -> Sql {
        self.text_with(has, &|_, text| text)
    }

    /// SQL for the value as in [`text`](Self::text), but such that no spreadsheet takes it for a formula. Numbers
    /// stay as they are.
    pub(crate) fn spreadsheet_text(&self, has: &dyn Fn(FieldId) -> bool) -> Sql {
        self.text_with(has, &|kind, text| if kind == Kind::Text { formula::protected(&text) } else { text })
    }

    fn text_with(&self, has: &dyn Fn(FieldId) -> bool, form: &dyn Fn(Kind, Sql) -> Sql) -> Sql {
        let texts: Vec<Sql> = self
            .fields
            .iter()
            .filter(|(_, field)| has(**field))
            .filter_map(|(kind, field)| {
                let text = text_of(*kind, &sql!("c{field}", field), self.uuids)?;
                Some(form(*kind, text))
            })
            .collect();
        match texts.as_slice() {
            [] => sql!("NULL::VARCHAR"),
            [one] => one.clone(),
            several => sql!("coalesce({})", Sql::join(several, ", ")),
        }
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
                text_of(kind, &column, self.uuids)
            }),
        ]
        .into_iter()
        .flatten()
        .collect()
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

fn text_of(kind: Kind, column: &Sql, uuids: UuidRepresentation) -> Option<Sql> {
    Some(match kind {
        Kind::Null => return None,
        Kind::Bool | Kind::Int32 | Kind::Int64 => sql!("{column}::VARCHAR", column),
        // DuckDB writes the shortest text that reads back as the same double.
        Kind::Double => sql!(
            "CASE WHEN isfinite({column}) THEN {column}::VARCHAR WHEN isnan({column}) THEN 'NaN' \
             WHEN {column} > 0 THEN 'Infinity' WHEN {column} < 0 THEN '-Infinity' END",
            column
        ),
        Kind::Date => sql!("strftime(epoch_ms({column}), '%Y-%m-%dT%H:%M:%S.%gZ')", column),
        Kind::Json => uuid_text::shown(column, uuids),
        Kind::MinusZero | Kind::Decimal | Kind::Text | Kind::ObjectId => column.clone(),
    })
}
