//! Which source is in use.

use tauri::State;
use tidemark_engine::desk::{QueryInput, SourceProfile, SourceView};
use tidemark_engine::failure::{Code, Failure, Result};

use crate::active::Active;
use crate::state::AppState;

/// The source in use, and the form as it was left.
#[tauri::command]
pub(crate) async fn source_view(state: State<'_, AppState>) -> Result<SourceView> {
    state.source_view()
}

/// Takes a source into use once it has answered. One that does not answer leaves the other in use, and so
/// does one that is given up meanwhile.
#[tauri::command]
pub(crate) async fn connect(
    state: State<'_, AppState>,
    connect_id: u64,
    profile: SourceProfile,
    password: Option<String>,
) -> Result<SourceView> {
    let task = state.connects.begin(connect_id);
    let given_up = task.token();
    let before = state.active();
    let active = Active::open(&profile, password.as_deref(), before.as_deref())?;
    let online = tokio::select! {
        // Who gave up is not asked for, also where the source answers in the same moment.
        biased;
        () = given_up.cancelled() => return Err(Failure::new(Code::Cancelled, "Connecting was given up.")),
        online = active.try_check() => online?,
    };
    state.use_source(active);
    state.link.found(online);
    state.link.check_soon();
    state.source_view()
}

/// Gives up connecting. A source that has been taken into use already stays in use.
#[tauri::command]
pub(crate) async fn cancel_connect(state: State<'_, AppState>, connect_id: u64) -> Result<()> {
    state.connects.cancel(connect_id);
    Ok(())
}

/// Remembers the form for the next start.
#[tauri::command]
pub(crate) async fn remember_form(state: State<'_, AppState>, query: QueryInput) -> Result<()> {
    state.remember_form(query);
    Ok(())
}
