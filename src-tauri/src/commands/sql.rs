//! A trader's own SQL on an answer. Exports of its results are in `export`.

use std::sync::Arc;

use tauri::State;
use tidemark_engine::api::rows::ViewKey;
use tidemark_engine::api::sql::{SqlPage, SqlResult, SqlSort, SqlTable};
use tidemark_engine::failure::Result;
use tidemark_engine::rows::RowQuery;

use super::view::begin;
use crate::state::AppState;

/// The tables that SQL can read of an answer.
#[tauri::command]
pub(crate) async fn sql_tables(state: State<'_, Arc<AppState>>, key: ViewKey) -> Result<Vec<SqlTable>> {
    state.engine()?.sql_tables(&key).await
}

/// Runs SQL on an answer, and keeps the result.
#[tauri::command]
pub(crate) async fn run_sql(
    state: State<'_, Arc<AppState>>,
    key: ViewKey,
    narrowed: Vec<RowQuery>,
    text: String,
    request_id: Option<u64>,
) -> Result<SqlResult> {
    let (_task, cancel) = begin(&state, request_id);
    state.engine()?.run_sql(&key, &narrowed, &text, &cancel).await
}

/// Rows of a result.
#[tauri::command]
pub(crate) async fn sql_page(
    state: State<'_, Arc<AppState>>,
    key: ViewKey,
    id: u32,
    sorts: Vec<SqlSort>,
    offset: u64,
    limit: u64,
    request_id: Option<u64>,
) -> Result<SqlPage> {
    let (_task, cancel) = begin(&state, request_id);
    state.engine()?.sql_page(&key, id, &sorts, offset, limit, &cancel).await
}

/// Drops a result.
#[tauri::command]
pub(crate) async fn close_sql(state: State<'_, Arc<AppState>>, key: ViewKey, id: u32) -> Result<()> {
    state.engine()?.close_sql(&key, id)
}
