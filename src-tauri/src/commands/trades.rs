//! Trades, whole: those of a row, and those found by their ids.

use std::sync::Arc;

use tauri::State;
use tidemark_engine::answer::trade::{FoundTrades, RowTrades};
use tidemark_engine::api::rows::ViewKey;
use tidemark_engine::browse::FindIn;
use tidemark_engine::failure::Result;
use tidemark_engine::rows::RowQuery;
use tidemark_engine::run::find_at_source;

use super::view::begin;
use crate::state::AppState;

/// The trades of a row, each with all of its documents.
#[tauri::command]
pub(crate) async fn row_trades(
    state: State<'_, Arc<AppState>>,
    key: ViewKey,
    rows: RowQuery,
    position: u64,
    request_id: Option<u64>,
) -> Result<RowTrades> {
    let (_task, cancel) = begin(&state, request_id);
    state.engine()?.trades_of_row(&key, &rows, position, &cancel).await
}

/// Finds trades by a list of their ids in all cached queries.
#[tauri::command]
pub(crate) async fn find_cached_trades(
    state: State<'_, Arc<AppState>>,
    list: String,
    open: Option<ViewKey>,
    request_id: u64,
) -> Result<FoundTrades> {
    let (_task, cancel) = begin(&state, Some(request_id));
    // Without a source, every cached query is one of another.
    let current = state.source().ok().map(|active| active.source.identity().clone());
    state.engine()?.find_cached(&list, &FindIn { current, open }, &cancel).await
}

/// Finds trades by a list of their ids at the source.
#[tauri::command]
pub(crate) async fn find_source_trades(
    state: State<'_, Arc<AppState>>,
    list: String,
    request_id: u64,
) -> Result<FoundTrades> {
    let (_task, cancel) = begin(&state, Some(request_id));
    let active = state.source()?;
    // Not the client for runs, which counts what they send.
    find_at_source(&active.probe_client, &active.mapping, &list, &cancel).await
}
