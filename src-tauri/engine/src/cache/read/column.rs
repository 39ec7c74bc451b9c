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

    /// The physical columns that may hold a value, in the order in which [`text`](Self::text) looks into them.
    pub(crate) fn holders(&self) -> impl Iterator<Item = Holder> + use<'_> {
        let uuids = self.uuids;
        let holders = self.fields.iter().filter(|(kind, _)| **kind != Kind::Null);
        holders.map(move |(kind, field)| Holder { kind: *kind, field: *field, uuids })
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

/// A physical column that may hold the value of a logical one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Holder {
    kind: Kind,
    field: FieldId,
    uuids: UuidRepresentation,
}

impl Holder {
    /// SQL for the value, to be made a text by [`text`](Self::text). For a page, planning the whole text as SQL would
    /// take longer than reading the rows.
    pub(crate) fn select(self, has: &dyn Fn(FieldId) -> bool) -> Sql {
        let column = sql!("c{}", self.field);
        match self.kind {
            _ if !has(self.field) => sql!("NULL::VARCHAR"),
            Kind::Double => sql!("{column}::VARCHAR", column),
            Kind::Json => column,
            kind => text_of(kind, &column, self.uuids).unwrap_or_else(|| sql!("NULL::VARCHAR")),
        }
    }

    /// The text of a value: that of [`Column::text`].
    pub(crate) fn text(self, value: String) -> String {
        match self.kind {
            Kind::Double => match value.as_str() {
                "nan" | "-nan" => "NaN".to_owned(),
                "inf" => "Infinity".to_owned(),
                "-inf" => "-Infinity".to_owned(),
                _ => value,
            },
            Kind::Json => uuid_text::with_uuids(value, self.uuids),
            _ => value,
        }
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

#[cfg(test)]
mod tests {
    use bson::{Bson, Document, RawDocumentBuf, doc};

    use super::*;
    use crate::cache::{Cache, View, fixtures};
    use crate::day::{Day, DayRange};
    use crate::rows::{Role, RowQuery};

    /// A page makes the same texts as an export, which has them made in SQL.
    #[test]
    fn the_texts_of_a_page_are_those_of_an_export() {
        let uuid = Bson::Binary(bson::Uuid::from_bytes([7; 16]).into());
        let values: Vec<Bson> =
            [f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 0.1, 1e300, -5e-324]
                .into_iter()
                .map(Bson::Double)
                .chain([
                    Bson::Null,
                    Bson::Boolean(true),
                    Bson::Int32(-1),
                    Bson::Int64(i64::MIN),
                    "".into(),
                    r#"{"$binary":{"base64":"BwcHBwcHBwcHBwcHBwcHBw==","subType":"04"}}"#.into(),
                    Bson::DateTime(bson::DateTime::from_millis(-1)),
                    Bson::DateTime(bson::DateTime::from_millis(i64::MAX)),
                    Bson::Decimal128("1.50".parse().expect("a decimal")),
                    Bson::ObjectId(bson::oid::ObjectId::from_bytes([9; 12])),
                    uuid.clone(),
                    vec![uuid, Bson::Int32(1)].into(),
                    Bson::MinKey,
                ])
                .collect();
        let documents = values.iter().enumerate().map(|(number, value)| {
            let number = i32::try_from(number).expect("few");
            let document: Document = doc! {"_id": number, "a": value, "b": {"c": value}};
            RawDocumentBuf::try_from(&document).expect("encodes")
        });
        let folder = tempfile::tempdir().expect("a folder");
        let file = fixtures::file(&Cache::new(folder.path(), 0).expect("a cache"), &[]);
        let day = Day::from_number(20_000);
        fixtures::store_documents(&file, day, chrono::DateTime::UNIX_EPOCH, documents);
        let view = View::open(file, DayRange::new(day, day).expect("a day")).expect("a view");
        let page = view.page(&RowQuery::of(Role::Input), 0, 100).expect("a page");
        assert_eq!(page.len(), values.len());
        let has = view.has(Role::Input, view.spans(Role::Input)[0].segment);
        let texts = view.columns(Role::Input).into_iter().map(|column| column.text(&has));
        let table = crate::cache::file::schema::table(Role::Input, view.spans(Role::Input)[0].segment);
        let select = sql!("SELECT [{}] FROM {table} ORDER BY number", Sql::join(texts, ", "), table);
        let connection = view.connection();
        let mut statement = connection.prepare(select).expect("a statement");
        let in_sql: Vec<duckdb::types::Value> =
            statement.query_map([], |row| row.get(0)).expect("rows").map(|row| row.expect("a row")).collect();
        for (row, in_sql) in page.into_iter().zip(in_sql) {
            let texts = row
                .into_iter()
                .map(|text| text.map_or(duckdb::types::Value::Null, duckdb::types::Value::Text));
            assert_eq!(duckdb::types::Value::List(texts.collect()), in_sql);
        }
    }
}
