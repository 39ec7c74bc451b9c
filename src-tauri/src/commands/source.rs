//! Which source is in use.

use tauri::State;
use tidemark_engine::desk::{QueryInput, SourceProfile, SourceView};
use tidemark_engine::failure::Result;

use crate::active::Active;
use crate::state::AppState;

/// The source in use, and the form as it was left.
#[tauri::command]
pub(crate) async fn source_view(state: State<'_, AppState>) -> Result<SourceView> {
    state.source_view()
}

/// Takes a source into use once it has answered. One that does not answer leaves the other in use.
#[tauri::command]
pub(crate) async fn connect(
    state: State<'_, AppState>,
    profile: SourceProfile,
    password: Option<String>,
) -> Result<SourceView> {
    let before = state.active();
    let active = Active::open(&profile, password.as_deref(), before.as_deref())?;
    let online = active.try_check().await?;
    state.use_source(active);
    state.link.found(online);
    state.link.check_soon();
    state.source_view()
}

/// Remembers the form for the next start.
#[tauri::command]
pub(crate) async fn remember_form(state: State<'_, AppState>, query: QueryInput) -> Result<()> {
    state.remember_form(query);
    Ok(())
}
