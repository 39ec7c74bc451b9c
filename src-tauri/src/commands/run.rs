//! Planning and fetching.

use std::sync::Arc;
use std::time::Duration;

use tauri::State;
use tauri::ipc::Channel;
use tidemark_engine::answer::Answer;
use tidemark_engine::api::plan::PlanView;
use tidemark_engine::api::source::Connection;
use tidemark_engine::day::DayRange;
use tidemark_engine::failure::Result;
use tidemark_engine::plan::ledger::FetchMode;
use tidemark_engine::query::form::QueryInput;
use tidemark_engine::run::event::RunEvent;

use crate::connection::{is_out_of_reach, out_of_reach};
use crate::state::AppState;

/// How long the first plan after the start waits for the first check.
const PATIENCE: Duration = Duration::from_millis(800);

/// What a fetch would do.
#[tauri::command]
pub(crate) async fn plan(state: State<'_, AppState>, query: QueryInput) -> Result<PlanView> {
    let active = state.source()?;
    // The window asks again when the connection changes, so nothing is lost by not waiting.
    let offline = !matches!(state.link.settled(PATIENCE).await, Connection::Online { .. });
    let request = active.request(&query, FetchMode::Normal, offline)?;
    state.engine()?.plan(Some(&active.aside), &request).await
}

/// Answers a query, and tells how it goes.
#[tauri::command]
pub(crate) async fn fetch(
    state: State<'_, AppState>,
    run_id: u64,
    query: QueryInput,
    mode: FetchMode,
    events: Channel<RunEvent>,
) -> Result<Answer> {
    let task = state.runs.begin(run_id);
    let active = state.source()?;
    let request = active.request(&query, mode, out_of_reach(&state.link.now()))?;
    let told = Arc::new(move |event| {
        // A page that was reloaded listens no more; its run goes on and fills the cache.
        let _ = events.send(event);
    });
    let result = state.engine()?.fetch(Some(&active.source), &request, told, task.token()).await;
    if result.as_ref().is_ok_and(|answer| answer.days.fetched + answer.days.adopted > 0) {
        active.suggestions.forget();
    }
    let failure = match &result {
        Ok(answer) => answer.failure.as_ref(),
        Err(failure) => Some(failure),
    };
    if failure.is_some_and(is_out_of_reach) {
        state.link.check_soon();
    }
    result
}

/// Stops a fetch; what is stored is kept.
#[tauri::command]
pub(crate) async fn cancel(state: State<'_, AppState>, run_id: u64) -> Result<()> {
    state.runs.cancel(run_id);
    Ok(())
}

/// The MongoDB pipeline of a query, to read and to paste.
#[tauri::command]
pub(crate) async fn pipeline(state: State<'_, AppState>, query: QueryInput) -> Result<String> {
    let range = DayRange::parse(&query.from, &query.to)?;
    Ok(tidemark_engine::query::pipeline::explain_text(&state.source()?.query(&query)?, &range))
}
