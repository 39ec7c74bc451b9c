//! Exporting to a CSV file.

use std::path::PathBuf;

use tauri::ipc::Channel;
use tauri::{AppHandle, State, WebviewWindow};
use tidemark_engine::desk::{ExportProgress, Exported, Role, Sort, ViewKey};
use tidemark_engine::failure::{Code, Failure, Result};
use tidemark_engine::run::off_thread;
use tidemark_engine::signature::Signature;
use tokio::sync::oneshot;

use crate::file_name;
use crate::state::AppState;

/// Asks where to, and writes the rows as CSV, in the order shown. Null where the dialog was dismissed.
#[tauri::command]
#[expect(clippy::too_many_arguments, reason = "the arguments are those of the window's call")]
pub(crate) async fn export_csv(
    app: AppHandle,
    window: WebviewWindow,
    state: State<'_, AppState>,
    export_id: u64,
    key: ViewKey,
    role: Role,
    sort: Option<Sort>,
    events: Channel<ExportProgress>,
) -> Result<Option<Exported>> {
    let task = state.exports.begin(export_id);
    let engine = state.engine()?;
    let complete = engine.cached_answer(&key).await?.complete;
    let path = match &state.environment.save_as {
        Some(path) => Some(path.clone()),
        None => {
            let name = propose(&state, &key, role, complete).await?;
            ask(&app, window, name, state.settings.export_folder()).await?
        }
    };
    let Some(path) = path else { return Ok(None) };
    let token = task.token();
    if token.is_cancelled() {
        return Err(Failure::new(Code::Cancelled, "The export was cancelled."));
    }
    let told = move |progress| {
        // A page that was reloaded listens no more; its file is written to the end.
        let _ = events.send(progress);
    };
    let path = file_name::without_mark(path, complete);
    let exported = engine.export_csv(&key, role, sort, &path, told, token).await?;
    if let Some(folder) = file_name::folder_of(&path).filter(|_| state.environment.save_as.is_none()) {
        state.settings.remember_export_folder(&folder);
    }
    Ok(Some(exported))
}

/// Stops an export; its half-written file goes.
#[tauri::command]
pub(crate) async fn cancel_export(state: State<'_, AppState>, export_id: u64) -> Result<()> {
    state.exports.cancel(export_id);
    Ok(())
}

/// A file name from the filters and the dates.
async fn propose(state: &AppState, key: &ViewKey, role: Role, complete: bool) -> Result<String> {
    let cache = state.engine()?.cache().clone();
    let signature = Signature::parse(&key.signature)?;
    let filters =
        off_thread(move || Ok(cache.open_signature(&signature)?.identity().filters.describe())).await?;
    Ok(file_name::propose(&filters, role, key, complete))
}

/// The system's own save dialog. It asks before it writes over a file.
async fn ask(
    app: &AppHandle,
    window: WebviewWindow,
    name: String,
    folder: Option<PathBuf>,
) -> Result<Option<PathBuf>> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::new(Code::ExportFailed, "The save dialog could not be opened.").because(error)
    };
    let (made, dialog) = oneshot::channel();
    // macOS opens dialogs from the main thread alone. Waiting for the answer is done here, so that the
    // window goes on drawing.
    app.run_on_main_thread(move || {
        let mut dialog = rfd::AsyncFileDialog::new()
            .set_title("Export as CSV")
            .set_file_name(name)
            .add_filter("CSV", &["csv"])
            .set_parent(&window);
        if let Some(folder) = folder.filter(|folder| folder.is_dir()) {
            dialog = dialog.set_directory(folder);
        }
        // Nobody waits any more where the command was given up.
        let _ = made.send(dialog.save_file());
    })
    .map_err(|error| failed(&error))?;
    let chosen = dialog.await.map_err(|error| failed(&error))?.await;
    Ok(chosen.map(|file| file.path().to_owned()))
}
