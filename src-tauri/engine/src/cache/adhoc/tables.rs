//! The tables that a trader's own SQL reads: the logical columns of a view, with one type each.

use std::collections::{HashMap, HashSet};

use crate::cache::export::forms::{self, Width};
use crate::cache::export::table::ColumnForm;
use crate::cache::file::error::Result;
use crate::cache::file::sql::{Database, Ident, Name, Sql, sql};
use crate::cache::read::column::{Column, Holder};
use crate::cache::read::selection::Narrowing;
use crate::cache::read::spans::NarrowedSpan;
use crate::cache::read::view::View;
use crate::decode::{FieldId, Kind};
use crate::rows::Role;

/// The column of the day under which a row is shown.
const DAY: &str = "_day";
/// What a field is called whose name is empty: SQL has no such name.
const NAMELESS: &str = "_empty";

/// A table.
#[derive(Debug, Clone)]
pub(crate) struct SqlTable {
    pub(crate) role: Role,
    pub(crate) rows: u64,
    columns: Vec<TypedColumn>,
}

/// A column of a table. All values have its type.
#[derive(Debug, Clone)]
struct TypedColumn {
    /// Its name. SQL ignores the case of names, so it is the path with a number if need be.
    name: String,
    column: Column,
    form: ColumnForm,
}

/// The name of a role's table.
pub(crate) const fn table_name(role: Role) -> &'static str {
    match role {
        Role::Input => "trades",
        Role::Downstream => "messages",
    }
}

/// SQL for the type of a form.
fn sql_type(form: ColumnForm) -> Sql {
    match form {
        ColumnForm::Bool => sql!("BOOLEAN"),
        ColumnForm::Int32 | ColumnForm::Int64 => sql!("BIGINT"),
        ColumnForm::Double => sql!("DOUBLE"),
        ColumnForm::Decimal { precision, scale } => sql!("DECIMAL({precision},{scale})", precision, scale),
        ColumnForm::Timestamp => sql!("TIMESTAMP"),
        ColumnForm::Text => sql!("VARCHAR"),
    }
}

/// Names of which no two are equal, as DuckDB compares them: without the case of ASCII letters. The first path with a name
/// keeps it; a number that others get makes no name that a path has. The column of the day is never a field.
fn names_of(paths: &[&str]) -> Vec<String> {
    let path_of = |path: &str| if path.is_empty() { NAMELESS } else { path }.to_owned();
    let known: HashSet<String> = paths.iter().map(|path| path_of(path).to_ascii_lowercase()).collect();
    let mut taken = HashSet::from([DAY.to_owned()]);
    let unique = |path: &&str| {
        let path = path_of(path);
        if taken.insert(path.to_ascii_lowercase()) {
            return path;
        }
        let numbered = (2_u64..).map(|number| format!("{path}_{number}"));
        let mut free = numbered.filter(|name| !known.contains(&name.to_ascii_lowercase()));
        free.find(|name| taken.insert(name.to_ascii_lowercase())).unwrap_or_default()
    };
    paths.iter().map(unique).collect()
}

/// A name as it has to be written: in quotes, unless it is a plain word that means nothing else.
pub(crate) fn written(name: &str, keywords: &HashSet<String>) -> String {
    let is_plain = name.starts_with(|sign: char| sign.is_ascii_alphabetic() || sign == '_')
        && name.chars().all(|sign| sign.is_ascii_alphanumeric() || sign == '_')
        && !keywords.contains(&name.to_lowercase());
    if is_plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// The words that cannot be names without quotes.
pub(crate) fn keywords(connection: &Database) -> Result<HashSet<String>> {
    let mut select = connection.prepare(sql!(
        "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category IN ('reserved', 'type_function')"
    ))?;
    Ok(select.query_map([], |row| row.get(0))?.collect::<Result<_, duckdb::Error>>()?)
}

impl SqlTable {
    /// The table of a role. Its types hold all rows of the view, whatever they are narrowed to.
    pub(crate) fn of(view: &View, connection: &Database, role: Role) -> Result<Self> {
        let columns = view.columns(role);
        let decimals: Vec<Holder> = columns
            .iter()
            .filter(|column| forms::may_be_decimal(&column.fields))
            .flat_map(Column::holders)
            .filter(|holder| holder.kind() == Kind::Decimal)
            .collect();
        let widths: HashMap<FieldId, Width> = if decimals.is_empty() {
            HashMap::new()
        } else {
            view.decimal_widths(connection, role, &decimals, &Narrowing::default())?
        };
        let names = names_of(&columns.iter().map(|column| &*column.path).collect::<Vec<_>>());
        let typed = names.into_iter().zip(columns).map(|(name, column)| TypedColumn {
            name,
            form: forms::form_of(&column.fields, &widths),
            column,
        });
        let columns = typed.collect();
        let rows = view.spans(role).iter().map(|span| span.rows).sum();
        Ok(Self { role, rows, columns })
    }

    /// The names and types of its columns.
    pub(crate) fn shape(&self) -> Vec<(String, String)> {
        let typed = self
            .columns
            .iter()
            .map(|column| (column.name.clone(), sql_type(column.form).as_str().to_owned()));
        typed.chain([(DAY.to_owned(), "DATE".to_owned())]).collect()
    }

    /// Creates it as a temporary view of the rows of a narrowing.
    pub(crate) fn create(&self, view: &View, connection: &Database, narrowing: &Narrowing) -> Result<()> {
        let mut parts: Vec<Sql> = view
            .narrowed_spans(self.role, narrowing)
            .into_iter()
            .map(|NarrowedSpan { span, source, .. }| {
                let has = view.has(self.role, span.segment);
                let day = sql!("DATE '1970-01-01' + ({})::INTEGER", span.day);
                self.select(&|column| column.value(&has), &day, &source)
            })
            .collect();
        if parts.is_empty() {
            let none = |column: &TypedColumn| sql!("NULL::{}", sql_type(column.form));
            parts.push(self.select(&none, &sql!("NULL::DATE"), &sql!("(SELECT 1) WHERE false")));
        }
        Ok(connection.execute_batch(sql!(
            "CREATE TEMP VIEW {} AS {}",
            Name(table_name(self.role)),
            Sql::join(parts, " UNION ALL ")
        ))?)
    }

    fn select(&self, value: &dyn Fn(&TypedColumn) -> Sql, day: &Sql, source: &Sql) -> Sql {
        let named = |column: &TypedColumn| sql!("{} AS {}", value(column), Ident(&column.name));
        let list = self.columns.iter().map(named).chain([sql!("{day} AS {}", Ident(DAY), day)]);
        sql!("SELECT {} FROM {source}", Sql::join(list, ", "), source)
    }
}

impl TypedColumn {
    /// SQL for its value in a segment that has these fields.
    fn value(&self, has: &dyn Fn(FieldId) -> bool) -> Sql {
        let sql_type = sql_type(self.form);
        let typed = |holder: Holder| match (self.form, holder.kind()) {
            (ColumnForm::Text, _) => holder.shown(),
            (ColumnForm::Timestamp, _) => sql!("epoch_ms({})", holder.stored()),
            _ => sql!("{}::{sql_type}", holder.stored(), sql_type),
        };
        let values: Vec<Sql> = self.column.holders().filter(|one| has(one.field())).map(typed).collect();
        match values.as_slice() {
            [] => sql!("NULL::{sql_type}", sql_type),
            [one] => one.clone(),
            _ => sql!("coalesce({})", Sql::join(values, ", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ_whatever_the_case() {
        let names = names_of(&["a", "A", "a_2", "", "É", "é", "_day"]);
        assert_eq!(names, ["a", "A_3", "a_2", "_empty", "É", "é", "_day_2"]);
    }

    #[test]
    fn names_are_quoted_where_they_have_to_be() {
        let keywords = HashSet::from(["select".to_owned()]);
        for (name, expected) in [
            ("price", "price"),
            ("trade_id", "trade_id"),
            ("a.b", "\"a.b\""),
            ("Select", "\"Select\""),
            ("1st", "\"1st\""),
            ("a\"b", "\"a\"\"b\""),
            ("prix réel", "\"prix réel\""),
        ] {
            assert_eq!(written(name, &keywords), expected);
        }
    }
}
