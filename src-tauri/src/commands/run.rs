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
use tracing::warn;

use crate::connection::out_of_reach;
use crate::state::AppState;

/// How long the first plan after the start waits for the first connection check.
const FIRST_CHECK_TIMEOUT: Duration = Duration::from_millis(800);

/// The plan of a fetch.
#[tauri::command]
pub(crate) async fn plan(state: State<'_, Arc<AppState>>, query: QueryInput) -> Result<PlanView> {
    let active = state.source()?;
    // The window plans again when the connection state changes, so nothing is lost by not waiting longer.
    let offline = !matches!(state.monitor.settled(FIRST_CHECK_TIMEOUT).await, Connection::Online { .. });
    let request = active.request(&query, FetchMode::Normal, offline)?;
    let planned = state.engine()?.plan(Some(&active.probe_client), &request).await;
    match &planned {
        Ok(plan) if !offline && !plan.reachable => state.monitor.check_soon(),
        Ok(_) => {}
        Err(failure) => state.note_failure(&active, failure),
    }
    planned
}

/// Answers a query, and reports its progress.
#[tauri::command]
pub(crate) async fn fetch(
    state: State<'_, Arc<AppState>>,
    run_id: u64,
    query: QueryInput,
    mode: FetchMode,
    events: Channel<RunEvent>,
) -> Result<Answer> {
    let task = state.runs.begin(run_id);
    let active = state.source()?;
    let request =
        active.request(&query, mode, out_of_reach(&state.monitor.now())).inspect_err(|failure| {
            warn!(code = %failure.code, "the form cannot be fetched: {}", failure.for_log());
        })?;
    let on_event = Arc::new(move |event| {
        // A reloaded page no longer receives events, but its run continues and fills the cache.
        let _ = events.send(event);
    });
    let result = state.engine()?.fetch(Some(&active.source), &request, on_event, task.token()).await;
    if result.as_ref().is_ok_and(|answer| answer.days.fetched + answer.days.adopted > 0) {
        active.suggestions.forget();
    }
    let failure = match &result {
        Ok(answer) => answer.failure.as_ref(),
        Err(failure) => Some(failure),
    };
    if let Some(failure) = failure {
        state.note_failure(&active, failure);
    }
    result
}

/// Cancels a fetch; committed days are kept.
#[tauri::command]
pub(crate) async fn cancel(state: State<'_, Arc<AppState>>, run_id: u64) -> Result<()> {
    state.runs.cancel(run_id);
    Ok(())
}

/// The MongoDB pipeline of a query, to read or copy.
#[tauri::command]
pub(crate) async fn pipeline(state: State<'_, Arc<AppState>>, query: QueryInput) -> Result<String> {
    let range = DayRange::parse(&query.from, &query.to)?;
    Ok(tidemark_engine::query::pipeline::mongosh_text(&state.source()?.query(&query)?, &range))
}
