//! The source in use.

use secrecy::SecretString;
use tauri::State;
use tidemark_engine::api::source::{SourceProfile, SourceView};
use tidemark_engine::failure::{Code, Failure, Result};
use tidemark_engine::proposal::Proposal;
use tidemark_engine::query::form::QueryInput;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::active::ActiveSource;
use crate::state::AppState;

/// The source in use, and the form as it was left.
#[tauri::command]
pub(crate) async fn source_view(state: State<'_, AppState>) -> Result<SourceView> {
    state.source_view()
}

/// Switches to a source once it has answered. If it does not answer, or if connecting is cancelled, the current
/// source stays in use.
#[tauri::command]
pub(crate) async fn connect(
    state: State<'_, AppState>,
    connect_id: u64,
    profile: SourceProfile,
    password: Option<SecretString>,
) -> Result<SourceView> {
    let task = state.connects.begin(connect_id);
    let before = state.active();
    let failed = |failure: &Failure| {
        warn!(code = %failure.code, "the source is not set up: {}", failure.for_log());
    };
    let active = ActiveSource::open(&profile, password, before.as_deref()).inspect_err(failed)?;
    let online = unless_given_up(&task.token(), active.try_check()).await.inspect_err(failed)?;
    info!(source = active.source.identity().describe(), "the source is set up");
    state.use_source(active);
    state.monitor.found(online);
    state.monitor.check_soon();
    state.source_view()
}

/// Awaits an answer unless cancelled. A cancel takes precedence even if the source answers at the same moment.
async fn unless_given_up<T>(
    given_up: &CancellationToken,
    asked: impl Future<Output = Result<T>>,
) -> Result<T> {
    tokio::select! {
        biased;
        () = given_up.cancelled() => Err(Failure::new(Code::Cancelled, "Connecting was cancelled.")),
        answered = asked => answered,
    }
}

/// Proposes a mapping for a source from a sample of its documents. The source in use stays in use; `cancel_connect`
/// cancels this as well.
#[tauri::command]
pub(crate) async fn propose_mapping(
    state: State<'_, AppState>,
    connect_id: u64,
    profile: SourceProfile,
    password: Option<SecretString>,
) -> Result<Proposal> {
    let task = state.connects.begin(connect_id);
    let before = state.active();
    // What was typed so far need not be a whole mapping.
    let typed = profile.mapping.clone();
    let profile = SourceProfile { mapping: String::new(), ..profile };
    let opened = ActiveSource::open(&profile, password, before.as_deref())?;
    let proposed = async { opened.probe_client.propose().await?.keeping(&typed) };
    unless_given_up(&task.token(), proposed).await.inspect_err(|failure| {
        warn!(code = %failure.code, "no mapping can be proposed: {}", failure.for_log());
    })
}

/// Cancels connecting. A source that is already in use stays in use.
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
