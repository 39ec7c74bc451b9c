//! The sources: adding, changing, choosing and deleting them.

use std::sync::Arc;

use tauri::State;
use tidemark_engine::api::source::{SourceDraft, SourceProfile, SourceView, TypedSecrets};
use tidemark_engine::failure::{Code, Failure, Result};
use tidemark_engine::query::form::QueryInput;
use tidemark_settings::{SourceSecrets, StoredSource};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::active::ActiveSource;
use crate::sources::{self, InUse, Prepared};
use crate::state::{AppState, demo_source};

/// The source in use, the others, and the form as it was left.
#[tauri::command]
pub(crate) async fn source_view(state: State<'_, Arc<AppState>>) -> Result<SourceView> {
    state.source_view().await
}

/// Tries what a fetch needs of a source, saves it and makes it the one in use. If it does not answer, or if connecting
/// is cancelled, nothing changes.
#[tauri::command]
pub(crate) async fn connect(
    state: State<'_, Arc<AppState>>,
    connect_id: u64,
    draft: SourceDraft,
    secrets: TypedSecrets,
) -> Result<SourceView> {
    let task = state.connects.begin(connect_id);
    let settings = state.settings.get();
    let name = sources::name_of(&settings, &draft)?;
    let Prepared { profile, secrets } = sources::prepare(&settings, &state.secrets, &draft, secrets).await;
    let failed = |failure: &Failure| {
        warn!(code = %failure.code, "the source is not set up: {}", failure.for_log());
    };
    let mut tried = ActiveSource::open("", &profile, &secrets).inspect_err(failed)?;
    let online = unless_given_up(&task.token(), tried.try_check()).await.inspect_err(failed)?;
    info!(source = tried.source.identity().describe(), "the source is set up");
    let id = put(&state, &draft, &name, &profile, InUse::Saved)?;
    keep_secrets(&state, &id, secrets, draft.keep_secrets).await;
    tried.id = id;
    state.use_source(tried);
    state.monitor.found(online);
    state.monitor.check_soon();
    state.source_view().await
}

/// Saves a source without reaching it. If it is the one in use, it is used as it is now.
#[tauri::command]
pub(crate) async fn save_source(
    state: State<'_, Arc<AppState>>,
    draft: SourceDraft,
    secrets: TypedSecrets,
) -> Result<SourceView> {
    let settings = state.settings.get();
    let name = sources::name_of(&settings, &draft)?;
    let Prepared { profile, secrets } = sources::prepare(&settings, &state.secrets, &draft, secrets).await;
    // What can never be used is not saved.
    ActiveSource::open("", &profile, &secrets)?;
    let id = put(&state, &draft, &name, &profile, InUse::AsBefore)?;
    keep_secrets(&state, &id, secrets, draft.keep_secrets).await;
    // A second window may use a different one.
    let is_used = state.chosen().is_none_or(|used| used == id);
    if let Some(source) = state.settings.get().source(&id).filter(|_| is_used) {
        state.choose(source.clone()).await;
    }
    state.source_view().await
}

/// Makes a saved source the one in use, without waiting for it.
#[tauri::command]
pub(crate) async fn use_source(state: State<'_, Arc<AppState>>, id: String) -> Result<SourceView> {
    let settings = state.settings.get();
    let source = settings.source(&id).cloned().ok_or_else(|| {
        Failure::new(Code::BadSource, "This source is no longer set up.").advise("Choose a different source.")
    })?;
    set_in_use(&state, Some(id));
    state.choose(source).await;
    state.source_view().await
}

/// Deletes a source and its secrets. What is cached of it stays.
#[tauri::command]
pub(crate) async fn delete_source(state: State<'_, Arc<AppState>>, id: String) -> Result<SourceView> {
    let settings = state.settings.get();
    if let Some(source) = settings.source(&id) {
        state.settings.change(|settings| {
            settings.sources.retain(|source| source.id != id);
            settings.in_use.take_if(|used| *used == id);
        })?;
        state.secrets.forget(source).await;
        info!(name = source.name, "a source was deleted");
    }
    if state.chosen().as_ref() == Some(&id) {
        state.deactivate();
    }
    state.source_view().await
}

/// Adds the sample desk as a source, unless it has been added before, and uses it.
#[tauri::command]
pub(crate) async fn try_sample(state: State<'_, Arc<AppState>>) -> Result<SourceView> {
    let Some(sample) = &state.environment.sample else {
        return Err(Failure::new(Code::BadSource, "There is no sample desk on this computer."));
    };
    let (sample, secrets) = demo_source(sample.profile()?);
    let added = state.settings.change(|settings| {
        let known = settings.sources.iter().find(|known| known.profile == sample.profile).cloned();
        let added = known.unwrap_or_else(|| {
            let name = settings
                .named(&sample.name)
                .map_or_else(|| sample.name.clone(), |_| settings.free_name(&sample.profile, None));
            let id = settings.put(None, |id| StoredSource { id, name, ..sample });
            settings.source(&id).cloned().unwrap_or_else(|| unreachable!("it was put there"))
        });
        settings.in_use = Some(added.id.clone());
        added
    })?;
    state.secrets.remember(&added.id, secrets);
    state.choose(added).await;
    state.source_view().await
}

/// Cancels connecting, testing, listing and proposing. A source that is already in use stays in use.
#[tauri::command]
pub(crate) async fn cancel_connect(state: State<'_, Arc<AppState>>, connect_id: u64) -> Result<()> {
    state.connects.cancel(connect_id);
    Ok(())
}

/// Remembers the form for the next start.
#[tauri::command]
pub(crate) async fn remember_form(state: State<'_, Arc<AppState>>, query: QueryInput) -> Result<()> {
    tokio::task::block_in_place(|| state.remember_form(query));
    Ok(())
}

/// Saves a draft, which blocks on the disk.
fn put(
    state: &AppState,
    draft: &SourceDraft,
    name: &str,
    profile: &SourceProfile,
    in_use: InUse,
) -> Result<String> {
    tokio::task::block_in_place(|| sources::put(&state.settings, draft, name, profile, in_use))
}

/// Remembers which source is in use. If that cannot be saved, it is in use until the program ends, and the log says so.
fn set_in_use(state: &AppState, id: Option<String>) {
    let _ = tokio::task::block_in_place(|| state.settings.change(|settings| settings.in_use = id));
}

/// Keeps the secrets of a source where the trader wants them. The source is saved already, so it is not lost if the
/// keychain refuses; only if the keychain changes where they are, the settings are written again.
async fn keep_secrets(state: &AppState, id: &str, secrets: SourceSecrets, wanted: bool) {
    let was_kept = state.settings.get().source(id).is_some_and(|source| source.keep_secrets);
    let is_kept = match wanted || was_kept {
        true => state.secrets.keep(id, &secrets, wanted).await,
        false => false,
    };
    state.secrets.remember(id, secrets);
    if is_kept != was_kept {
        let _ = tokio::task::block_in_place(|| {
            state.settings.change(|settings| {
                if let Some(source) = settings.sources.iter_mut().find(|source| source.id == id) {
                    source.keep_secrets = is_kept;
                }
            })
        });
    }
}

/// Awaits an answer unless cancelled. A cancel takes precedence even if the source answers at the same moment.
pub(super) async fn unless_given_up<T>(
    given_up: &CancellationToken,
    asked: impl Future<Output = Result<T>>,
) -> Result<T> {
    tokio::select! {
        biased;
        () = given_up.cancelled() => Err(Failure::new(Code::Cancelled, "Connecting was cancelled.")),
        answered = asked => answered,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};

    #[tokio::test]
    async fn a_source_is_not_taken_that_was_given_up() {
        let given_up = CancellationToken::new();
        assert_eq!(unless_given_up(&given_up, ready(Ok(1))).await.expect("nobody gave up"), 1);
        given_up.cancel();
        let late = unless_given_up(&given_up, ready(Ok(1))).await.expect_err("it was given up");
        assert_eq!(late.code, Code::Cancelled);
        let never = unless_given_up(&given_up, pending::<Result<()>>()).await.expect_err("it was given up");
        assert_eq!(never.code, Code::Cancelled);
    }
}
