//! Exporting to a file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tauri::ipc::Channel;
use tauri::{AppHandle, State, WebviewWindow};
use tidemark_engine::api::export::{ExportProgress, Exported};
use tidemark_engine::api::rows::ViewKey;
use tidemark_engine::browse::ExportRequest;
use tidemark_engine::engine::off_thread;
use tidemark_engine::failure::{Code, Failure, Result};
use tidemark_engine::query::signature::Signature;
use tidemark_engine::rows::{ExportFormat, ExportOptions, Role, RowQuery};

use crate::dialogs::on_main_thread;
use crate::file_name::{self, Destination};
use crate::state::AppState;

/// The label of the button that allows a file to be overwritten.
const REPLACE: &str = "Replace";

/// Asks for a file, and writes the rows to it, in the order shown. Null if the dialog was dismissed.
#[tauri::command]
#[expect(clippy::too_many_arguments, reason = "the arguments are those of the window's call")]
pub(crate) async fn export_rows(
    app: AppHandle,
    window: WebviewWindow,
    state: State<'_, Arc<AppState>>,
    export_id: u64,
    key: ViewKey,
    rows: RowQuery,
    options: ExportOptions,
    events: Channel<ExportProgress>,
) -> Result<Option<Exported>> {
    let task = state.exports.begin(export_id);
    let engine = state.engine()?;
    let complete = engine.cached_answer(&key).await?.complete;
    let format = options.format;
    let destination = match &state.environment.save_as {
        Some(path) => Some(file_name::destination(path.clone(), format, complete)),
        None => {
            let name = propose(&state, &key, rows.role, format, complete).await?;
            choose(&app, &window, (&name, format), state.settings.get().export_folder, complete).await?
        }
    };
    let Some(Destination { asked: path, .. }) = destination else { return Ok(None) };
    let token = task.token();
    if token.is_cancelled() {
        return Err(Failure::new(Code::Cancelled, "The export was cancelled."));
    }
    let on_progress = move |progress| {
        // A reloaded page no longer receives events, but its file is still written.
        let _ = events.send(progress);
    };
    let request = ExportRequest { key, rows, options };
    let exported = engine.export(&request, &path.as_path().into(), on_progress, token).await?;
    if let Some(folder) = file_name::folder_of(&path).filter(|_| state.environment.save_as.is_none()) {
        // If it cannot be saved, the log says so.
        let _ = tokio::task::block_in_place(|| {
            state.settings.change(|settings| settings.export_folder = Some(folder))
        });
    }
    Ok(Some(exported))
}

/// Cancels an export and deletes its unfinished file.
#[tauri::command]
pub(crate) async fn cancel_export(state: State<'_, Arc<AppState>>, export_id: u64) -> Result<()> {
    state.exports.cancel(export_id);
    Ok(())
}

/// Proposes a file name based on the filters and the dates.
async fn propose(
    state: &AppState,
    key: &ViewKey,
    role: Role,
    format: ExportFormat,
    complete: bool,
) -> Result<String> {
    let cache = state.engine()?.cache().clone();
    let signature = Signature::parse(&key.signature)?;
    let described = move || {
        let file = cache.open_signature(&signature)?;
        Ok(file.identity().filters.describe(&file.identity().mapping.all_labels()))
    };
    let filters = off_thread(described).await?;
    Ok(file_name::propose(&filters, role, key, format, complete))
}

/// Asks for a file until one is chosen that may be written. `None` if the dialog was dismissed.
async fn choose(
    app: &AppHandle,
    window: &WebviewWindow,
    (name, format): (&str, ExportFormat),
    folder: Option<PathBuf>,
    complete: bool,
) -> Result<Option<Destination>> {
    loop {
        let Some(chosen) = ask(app, window, (name, format), folder.clone()).await? else { return Ok(None) };
        let destination = file_name::destination(chosen.clone(), format, complete);
        // The dialog asked before replacing the chosen file, but the file that is written may be a different one.
        if destination.written == chosen || !destination.written.exists() {
            return Ok(Some(destination));
        }
        if may_replace(app, window, &destination.written).await? {
            return Ok(Some(destination));
        }
    }
}

/// Opens the system's save dialog, which asks before replacing a file.
async fn ask(
    app: &AppHandle,
    window: &WebviewWindow,
    (name, format): (&str, ExportFormat),
    folder: Option<PathBuf>,
) -> Result<Option<PathBuf>> {
    let (window, name) = (window.clone(), name.to_owned());
    let dialog = on_main_thread(app, move || {
        let mut dialog = rfd::AsyncFileDialog::new()
            .set_title(format!("Export as {}", format.name()))
            .set_file_name(name)
            .add_filter(format.name(), &[format.extension()])
            .set_parent(&window);
        if let Some(folder) = folder.filter(|folder| folder.is_dir()) {
            dialog = dialog.set_directory(folder);
        }
        dialog.save_file()
    });
    Ok(dialog.await?.await.map(|file| file.path().to_owned()))
}

/// Asks whether an existing file may be replaced.
async fn may_replace(app: &AppHandle, window: &WebviewWindow, path: &Path) -> Result<bool> {
    let window = window.clone();
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let dialog = on_main_thread(app, move || {
        rfd::AsyncMessageDialog::new()
            .set_level(rfd::MessageLevel::Warning)
            .set_title("Replace the file?")
            .set_description(format!("The export will be saved as {name}, which already exists."))
            .set_buttons(rfd::MessageButtons::OkCancelCustom(REPLACE.to_owned(), "Cancel".to_owned()))
            .set_parent(&window)
            .show()
    });
    let answer = dialog.await?.await;
    // Some systems return the button's kind, others its label.
    Ok(answer == rfd::MessageDialogResult::Ok
        || answer == rfd::MessageDialogResult::Custom(REPLACE.to_owned()))
}
