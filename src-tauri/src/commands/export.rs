//! Exporting to a file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tauri::ipc::Channel;
use tauri::{AppHandle, State, WebviewWindow};
use tidemark_engine::api::export::{ExportProgress, Exported};
use tidemark_engine::api::rows::ViewKey;
use tidemark_engine::api::sql::SqlSort;
use tidemark_engine::browse::ExportRequest;
use tidemark_engine::engine::off_thread;
use tidemark_engine::failure::{Code, Failure, Result};
use tidemark_engine::query::signature::Signature;
use tidemark_engine::rows::{ExportFormat, ExportOptions, Role, RowQuery};
use tokio_util::sync::CancellationToken;

use crate::dialogs::on_main_thread;
use crate::file_name::{self, Destination};
use crate::state::AppState;
use crate::tasks::Task;

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
    let of = Some(rows.role);
    let Some(path) = destination_of(&app, &window, &state, (&key, of), options.format).await? else {
        return Ok(None);
    };
    let token = uncancelled(&task)?;
    let request = ExportRequest { key, rows, options };
    let exported = engine.export(&request, &path.as_path().into(), to_window(events), token).await?;
    remember_folder(&state, &path);
    Ok(Some(exported))
}

/// Asks for a file, and writes the result of a trader's own SQL to it, in the order shown. Null if the dialog was
/// dismissed.
#[tauri::command]
#[expect(clippy::too_many_arguments, reason = "the arguments are those of the window's call")]
pub(crate) async fn export_sql(
    app: AppHandle,
    window: WebviewWindow,
    state: State<'_, Arc<AppState>>,
    export_id: u64,
    key: ViewKey,
    id: u32,
    sorts: Vec<SqlSort>,
    options: ExportOptions,
    events: Channel<ExportProgress>,
) -> Result<Option<Exported>> {
    let task = state.exports.begin(export_id);
    let engine = state.engine()?;
    let Some(path) = destination_of(&app, &window, &state, (&key, None), options.format).await? else {
        return Ok(None);
    };
    let token = uncancelled(&task)?;
    let to = path.as_path().into();
    let exported = engine.export_sql(&key, (id, &sorts), &to, &options, to_window(events), token).await?;
    remember_folder(&state, &path);
    Ok(Some(exported))
}

/// The file to write: the rows of a role, or the result of SQL. `None` if the dialog was dismissed.
async fn destination_of(
    app: &AppHandle,
    window: &WebviewWindow,
    state: &AppState,
    (key, of): (&ViewKey, Option<Role>),
    format: ExportFormat,
) -> Result<Option<PathBuf>> {
    let complete = state.engine()?.cached_answer(key).await?.complete;
    let destination = match &state.environment.save_as {
        Some(path) => Some(file_name::destination(path.clone(), format, complete)),
        None => {
            let name = propose(state, key, of, format, complete).await?;
            choose(app, window, (&name, format), state.settings.get().export_folder, complete).await?
        }
    };
    Ok(destination.map(|Destination { asked, .. }| asked))
}

/// The token of a task that has not been cancelled while a file was chosen.
fn uncancelled(task: &Task<'_>) -> Result<CancellationToken> {
    let token = task.token();
    if token.is_cancelled() {
        return Err(Failure::new(Code::Cancelled, "The export was cancelled."));
    }
    Ok(token)
}

/// Passes the progress of an export on. A reloaded page no longer receives events, but its file is still written.
fn to_window(events: Channel<ExportProgress>) -> impl Fn(ExportProgress) + Send + Sync {
    move |progress| {
        let _ = events.send(progress);
    }
}

/// Remembers the folder of an export that a person chose.
fn remember_folder(state: &AppState, path: &Path) {
    if let Some(folder) = file_name::folder_of(path).filter(|_| state.environment.save_as.is_none()) {
        // If it cannot be saved, the log says so.
        let _ = tokio::task::block_in_place(|| {
            state.settings.change(|settings| settings.export_folder = Some(folder))
        });
    }
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
    of: Option<Role>,
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
    Ok(file_name::propose(&filters, of, key, format, complete))
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
