//! Known values of a field, for suggestions.

use std::sync::Arc;

use duckdb::params;

use super::file::CacheFile;
use super::schema;
use crate::decode::{FieldId, Kind};
use crate::desk::Role;
use crate::failure::Result;

/// Texts of a path that start with a prefix, whatever the case, at most `limit`.
///
/// # Errors
/// See [`super::duckdb_failure`].
pub fn starting_with(file: &Arc<CacheFile>, path: &str, prefix: &str, limit: u32) -> Result<Vec<String>> {
    let (connection, state) = file.snapshot()?;
    let registry = file.registry();
    let known = FieldId::try_from(registry.len()).unwrap_or(FieldId::MAX);
    let Some(number) = (0..known).find(|number| {
        registry.field(*number).is_some_and(|field| *field.path == *path && field.kind == Kind::Text)
    }) else {
        return Ok(Vec::new());
    };
    let parts: Vec<String> = state
        .columns
        .iter()
        .filter(|((_, role), columns)| *role == Role::Input && columns.contains(&number))
        .map(|((segment, role), _)| {
            format!("SELECT {} AS value FROM {}", schema::column(number), schema::table(*role, *segment))
        })
        .collect();
    if parts.is_empty() {
        return Ok(Vec::new());
    }
    let mut select = connection.prepare(&format!(
        "SELECT DISTINCT value FROM ({}) WHERE starts_with(lower(value), lower(?)) ORDER BY value LIMIT ?",
        parts.join(" UNION ALL ")
    ))?;
    let rows = select.query_map(params![prefix, limit], |row| row.get::<_, String>(0))?;
    Ok(rows.collect::<Result<_, duckdb::Error>>()?)
}
