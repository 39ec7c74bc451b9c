//! Known values of a field: for suggestions, and to find filter values that no row has.

use std::collections::BTreeSet;
use std::sync::Arc;

use duckdb::{params, params_from_iter};

use crate::cache::file::cache_file::CacheFile;
use crate::cache::file::error::Result;
use crate::cache::file::ledger::FileState;
use crate::cache::file::schema;
use crate::cache::file::sql::{Database, Sql, sql};
use crate::decode::{FieldId, Kind};
use crate::query::filter_value::FilterValue;
use crate::rows::Role;

/// How many distinct arrays of a field are examined: suggestions need not be complete.
const ARRAYS: u32 = 5_000;

/// Returns up to `limit` texts at a path that start with a prefix, ignoring case: the field's own values and the
/// elements of its arrays. Blank ones are left out, since a blank filters nothing.
///
/// # Errors
/// See [`crate::cache::CacheError`].
pub fn starting_with(file: &Arc<CacheFile>, path: &str, prefix: &str, limit: u32) -> Result<Vec<String>> {
    let (connection, state) = file.snapshot()?;
    let column = |kind: Kind| values_of(file, &state, path, kind);
    let mut found = BTreeSet::new();
    if let Some(texts) = column(Kind::Text) {
        found.extend(texts_of(&connection, &texts, prefix, limit)?);
    }
    if let Some(arrays) = column(Kind::Json) {
        found.extend(elements_of(&connection, &arrays, prefix)?);
    }
    Ok(found.into_iter().take(limit as usize).collect())
}

/// Returns the filter values that no input row of the file has at this path. Returns none if one column cannot
/// decide: values other than text compare across types, and arrays match by their elements.
///
/// # Errors
/// See [`crate::cache::CacheError`].
pub(crate) fn unseen(file: &Arc<CacheFile>, path: &str, values: &[FilterValue]) -> Result<Vec<FilterValue>> {
    let texts = values.iter().map(|value| match value {
        FilterValue::Text(text) => Some(text.as_str()),
        _ => None,
    });
    let Some(texts) = texts.collect::<Option<Vec<&str>>>().filter(|texts| !texts.is_empty()) else {
        return Ok(Vec::new());
    };
    let (connection, state) = file.snapshot()?;
    let column = |kind: Kind| values_of(file, &state, path, kind);
    if column(Kind::Json).is_some() {
        return Ok(Vec::new());
    }
    let mut seen = BTreeSet::new();
    if let Some(held) = column(Kind::Text) {
        let wanted = Sql::join(vec![sql!("?"); texts.len()], ", ");
        let mut select = connection.prepare(sql!(
            "SELECT DISTINCT value FROM ({held}) WHERE value IN ({wanted})",
            held,
            wanted
        ))?;
        let rows = select.query_map(params_from_iter(&texts), |row| row.get::<_, String>(0))?;
        for text in rows {
            seen.insert(text?);
        }
    }
    let unseen = values.iter().zip(texts).filter(|(_, text)| !seen.contains(*text));
    Ok(unseen.map(|(value, _)| value.clone()).collect())
}

/// The SQL query for all input values at a path that have this kind; `None` if there are none.
fn values_of(file: &CacheFile, state: &FileState, path: &str, kind: Kind) -> Option<Sql> {
    let registry = file.registry();
    let known = FieldId::try_from(registry.len()).unwrap_or(FieldId::MAX);
    let number = (0..known).find(|number| {
        registry.field(*number).is_some_and(|field| *field.path == *path && field.kind == kind)
    })?;
    let parts: Vec<Sql> = state
        .columns
        .iter()
        .filter(|((_, role), columns)| *role == Role::Input && columns.contains(&number))
        .map(|((segment, role), _)| {
            sql!("SELECT {} AS value FROM {}", schema::column(number), schema::table(*role, *segment))
        })
        .collect();
    (!parts.is_empty()).then(|| Sql::join(parts, " UNION ALL "))
}

fn texts_of(connection: &Database, values: &Sql, prefix: &str, limit: u32) -> Result<Vec<String>> {
    let mut select = connection.prepare(sql!(
        "SELECT DISTINCT value FROM ({values})
         WHERE starts_with(lower(value), lower(?)) AND trim(value) <> '' ORDER BY value LIMIT ?",
        values
    ))?;
    let rows = select.query_map(params![prefix, limit], |row| row.get::<_, String>(0))?;
    Ok(rows.collect::<Result<_, duckdb::Error>>()?)
}

fn elements_of(connection: &Database, values: &Sql, prefix: &str) -> Result<Vec<String>> {
    let mut select = connection.prepare(sql!(
        "SELECT DISTINCT value FROM ({values}) WHERE starts_with(value, '[') LIMIT ?",
        values
    ))?;
    let arrays = select.query_map(params![ARRAYS], |row| row.get::<_, String>(0))?;
    let prefix = prefix.to_lowercase();
    let mut found = Vec::new();
    for array in arrays {
        // Elements other than texts are skipped.
        let Ok(elements) = serde_json::from_str::<Vec<serde_json::Value>>(&array?) else { continue };
        found.extend(elements.into_iter().filter_map(|element| match element {
            serde_json::Value::String(text)
                if text.to_lowercase().starts_with(&prefix) && !text.trim().is_empty() =>
            {
                Some(text)
            }
            _ => None,
        }));
    }
    Ok(found)
}
