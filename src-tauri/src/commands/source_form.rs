//! What the form of a source asks while it is being filled in. The source in use stays in use.

use std::sync::Arc;

use tauri::ipc::Channel;
use tauri::{AppHandle, State, WebviewWindow};
use tidemark_engine::api::connection::{ConnectionDraft, ConnectionEdit, edit_connection as follow};
use tidemark_engine::api::mapping::{MappingChange, MappingView, change_mapping as change};
use tidemark_engine::api::source::{SourceDraft, TypedSecrets};
use tidemark_engine::api::source_test::{CollectionEntry, SourceTest, TestEvent};
use tidemark_engine::failure::{Failure, Result};
use tidemark_engine::proposal::Proposal;
use tidemark_engine::query::mapping::Mapping;
use tidemark_engine::run::source_test;
use tidemark_engine::source::Source;
use tracing::warn;

use super::source::unless_given_up;
use crate::dialogs;
use crate::sources::{Prepared, prepare};
use crate::state::AppState;

/// Follows a change of the connection string's text or form with the other.
#[tauri::command]
pub(crate) async fn edit_connection(edit: ConnectionEdit) -> Result<ConnectionDraft> {
    // It looks for the files that are named.
    Ok(tokio::task::block_in_place(|| follow(&edit)))
}

/// Changes one part of a mapping file.
#[tauri::command]
pub(crate) async fn change_mapping(text: String, change: MappingChange) -> Result<MappingView> {
    Ok(self::change(&text, &change))
}

/// Tests a source step by step. Without a database and a collection, it ends with the steps that need none.
#[tauri::command]
pub(crate) async fn test_source(
    state: State<'_, Arc<AppState>>,
    connect_id: u64,
    draft: SourceDraft,
    secrets: TypedSecrets,
    events: Channel<TestEvent>,
) -> Result<SourceTest> {
    let task = state.connects.begin(connect_id);
    let mapping = Mapping::parse(&draft.profile.mapping)?;
    let source = of_server(&state, &draft, secrets).await?;
    let on_event = move |event| {
        // A reloaded page no longer receives events.
        let _ = events.send(event);
    };
    let tested = async { Ok(source_test::test_source(&source, &mapping, on_event).await) };
    unless_given_up(&task.token(), tested).await
}

/// The names of the databases that the user may see.
#[tauri::command]
pub(crate) async fn list_databases(
    state: State<'_, Arc<AppState>>,
    connect_id: u64,
    draft: SourceDraft,
    secrets: TypedSecrets,
) -> Result<Vec<String>> {
    let task = state.connects.begin(connect_id);
    let source = of_server(&state, &draft, secrets).await?;
    unless_given_up(&task.token(), source.databases()).await
}

/// The collections of the draft's database.
#[tauri::command]
pub(crate) async fn list_collections(
    state: State<'_, Arc<AppState>>,
    connect_id: u64,
    draft: SourceDraft,
    secrets: TypedSecrets,
) -> Result<Vec<CollectionEntry>> {
    let task = state.connects.begin(connect_id);
    let source = of_server(&state, &draft, secrets).await?;
    unless_given_up(&task.token(), source_test::list_collections(&source)).await
}

/// Proposes a mapping for a source from a sample of its documents.
#[tauri::command]
pub(crate) async fn propose_mapping(
    state: State<'_, Arc<AppState>>,
    connect_id: u64,
    draft: SourceDraft,
    secrets: TypedSecrets,
) -> Result<Proposal> {
    let task = state.connects.begin(connect_id);
    let source = opened(&state, &draft, secrets).await?;
    // What was typed so far need not be a whole mapping.
    let proposed = async { source.propose().await?.keeping(&draft.profile.mapping) };
    unless_given_up(&task.token(), proposed).await.inspect_err(|failure: &Failure| {
        warn!(code = %failure.code, "no mapping can be proposed: {}", failure.for_log());
    })
}

/// Asks for a file, such as a certificate.
#[tauri::command]
pub(crate) async fn choose_file(app: AppHandle, window: WebviewWindow) -> Result<Option<String>> {
    let chosen = dialogs::choose_file(&app, &window, "Choose a file").await?;
    Ok(chosen.map(|path| path.display().to_string()))
}

/// The source of a draft.
async fn opened(state: &AppState, draft: &SourceDraft, secrets: TypedSecrets) -> Result<Source> {
    let Prepared { profile, secrets } = prepare(&state.settings.get(), &state.secrets, draft, secrets).await;
    Source::new(&secrets.source_settings(&profile))
}

/// The server of a draft, whose database and collection may not have been chosen yet.
async fn of_server(state: &AppState, draft: &SourceDraft, secrets: TypedSecrets) -> Result<Source> {
    let Prepared { profile, secrets } = prepare(&state.settings.get(), &state.secrets, draft, secrets).await;
    Source::of_server(&secrets.source_settings(&profile))
}
