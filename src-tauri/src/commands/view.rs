//! Viewing rows.

use std::sync::Arc;

use tauri::State;
use tauri::ipc::Response;
use tidemark_engine::answer::Answer;
use tidemark_engine::api::rows::{FoundText, RowCount, RowDetail, ViewKey, ViewShape};
use tidemark_engine::failure::{Code, Failure, Result};
use tidemark_engine::rows::summary::{ColumnSums, ColumnValues, GroupRequest, Groups};
use tidemark_engine::rows::{PageRequest, Role, RowQuery};
use tokio_util::sync::CancellationToken;

use crate::state::AppState;
use crate::tasks::Task;

/// Registers a request for rows, so that `cancel_rows` can cancel it. One without an id runs to its end.
pub(super) fn begin(state: &AppState, request_id: Option<u64>) -> (Option<Task<'_>>, CancellationToken) {
    let task = request_id.map(|id| state.row_requests.begin(id));
    let token = task.as_ref().map_or_else(CancellationToken::new, Task::token);
    (task, token)
}

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
    page: PageRequest,
    request_id: Option<u64>,
) -> Result<Response> {
    let (_task, cancel) = begin(&state, request_id);
    let page = state.engine()?.page_until(&key, &rows, page, &cancel).await?;
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
    request_id: Option<u64>,
) -> Result<RowDetail> {
    let (_task, cancel) = begin(&state, request_id);
    state.engine()?.row_detail_until(&key, &rows, position, &cancel).await
}

/// How many rows a row query selects.
#[tauri::command]
pub(crate) async fn row_count(
    state: State<'_, Arc<AppState>>,
    key: ViewKey,
    rows: RowQuery,
    request_id: Option<u64>,
) -> Result<RowCount> {
    let (_task, cancel) = begin(&state, request_id);
    state.engine()?.row_count(&key, &rows, &cancel).await
}

/// The next row with a text, from a position on, which is included.
#[tauri::command]
pub(crate) async fn find_row(
    state: State<'_, Arc<AppState>>,
    key: ViewKey,
    rows: RowQuery,
    text: String,
    from: u64,
    forwards: bool,
    request_id: Option<u64>,
) -> Result<FoundText> {
    let (_task, cancel) = begin(&state, request_id);
    state.engine()?.find_row(&key, &rows, &text, from, forwards, &cancel).await
}

/// The values of a column with their counts.
#[tauri::command]
pub(crate) async fn column_values(
    state: State<'_, Arc<AppState>>,
    key: ViewKey,
    rows: RowQuery,
    path: String,
    contains: String,
    limit: u32,
    request_id: Option<u64>,
) -> Result<ColumnValues> {
    let (_task, cancel) = begin(&state, request_id);
    state.engine()?.column_values(&key, &rows, &path, &contains, limit, &cancel).await
}

/// What a column adds up to.
#[tauri::command]
pub(crate) async fn column_sums(
    state: State<'_, Arc<AppState>>,
    key: ViewKey,
    rows: RowQuery,
    path: String,
    request_id: Option<u64>,
) -> Result<ColumnSums> {
    let (_task, cancel) = begin(&state, request_id);
    state.engine()?.column_sums(&key, &rows, &path, &cancel).await
}

/// Groups of rows.
#[tauri::command]
pub(crate) async fn group_rows(
    state: State<'_, Arc<AppState>>,
    key: ViewKey,
    rows: RowQuery,
    request: GroupRequest,
    request_id: Option<u64>,
) -> Result<Groups> {
    let (_task, cancel) = begin(&state, request_id);
    state.engine()?.group_rows(&key, &rows, &request, &cancel).await
}

/// Cancels a request for rows. Does nothing if it has already been answered.
#[tauri::command]
pub(crate) async fn cancel_rows(state: State<'_, Arc<AppState>>, request_id: u64) -> Result<()> {
    state.row_requests.cancel(request_id);
    Ok(())
}
