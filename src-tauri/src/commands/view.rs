//! Viewing rows.

use std::sync::Arc;

use tauri::State;
use tauri::ipc::Response;
use tidemark_engine::answer::Answer;
use tidemark_engine::api::rows::{RowDetail, ViewKey, ViewShape};
use tidemark_engine::failure::{Code, Failure, Result};
use tidemark_engine::rows::{Role, RowQuery};

use crate::state::AppState;

/// The answer from what is cached for a query.
#[tauri::command]
pub(crate) async fn answer(state: State<'_, Arc<AppState>>, key: ViewKey) -> Result<Answer> {
    state.engine()?.cached_answer(&key).await
}

/// The MongoDB pipeline of a cached query, regardless of the source in use.
#[tauri::command]
pub(crate) async fn cached_pipeline(state: State<'_, Arc<AppState>>, key: ViewKey) -> Result<String> {
    state.engine()?.cached_pipeline(&key).await
}

/// The columns and the row count of a view.
#[tauri::command]
pub(crate) async fn view_shape(
    state: State<'_, Arc<AppState>>,
    key: ViewKey,
    role: Role,
) -> Result<ViewShape> {
    state.engine()?.view_shape(&key, role).await
}

/// A page of rows, as JSON bytes: the one answer that is both large and requested often.
#[tauri::command]
pub(crate) async fn page(
    state: State<'_, Arc<AppState>>,
    key: ViewKey,
    rows: RowQuery,
    offset: u64,
    limit: u64,
) -> Result<Response> {
    let page = state.engine()?.page(&key, &rows, offset, limit).await?;
    let bytes = serde_json::to_vec(&page).map_err(|error| {
        Failure::new(Code::Internal, "These rows cannot be written as text.").because(error)
    })?;
    Ok(Response::new(bytes))
}

/// One row as MongoDB returned it.
#[tauri::command]
pub(crate) async fn row_detail(
    state: State<'_, Arc<AppState>>,
    key: ViewKey,
    rows: RowQuery,
    position: u64,
) -> Result<RowDetail> {
    state.engine()?.row_detail(&key, &rows, position).await
}
