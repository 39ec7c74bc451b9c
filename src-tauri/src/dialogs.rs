//! The system's own dialogs.

use std::path::PathBuf;

use rfd::{AsyncFileDialog, FileHandle};
use tauri::{AppHandle, WebviewWindow};
use tidemark_engine::failure::{Code, Failure, Result};
use tokio::sync::oneshot;

/// Asks for an existing file. `None` if the dialog was dismissed.
pub(crate) async fn choose_file(
    app: &AppHandle,
    window: &WebviewWindow,
    title: &str,
) -> Result<Option<PathBuf>> {
    choose(app, window, title, AsyncFileDialog::pick_file).await
}

/// Asks for a folder. `None` if the dialog was dismissed.
pub(crate) async fn choose_folder(
    app: &AppHandle,
    window: &WebviewWindow,
    title: &str,
) -> Result<Option<PathBuf>> {
    choose(app, window, title, AsyncFileDialog::pick_folder).await
}

async fn choose<T>(
    app: &AppHandle,
    window: &WebviewWindow,
    title: &str,
    open: impl FnOnce(AsyncFileDialog) -> T + Send + 'static,
) -> Result<Option<PathBuf>>
where
    T: Future<Output = Option<FileHandle>> + Send + 'static,
{
    let (window, title) = (window.clone(), title.to_owned());
    let dialog =
        on_main_thread(app, move || open(AsyncFileDialog::new().set_title(title).set_parent(&window)));
    Ok(dialog.await?.await.map(|chosen| chosen.path().to_owned()))
}

/// Opens a dialog from the main thread, as macOS requires. The caller awaits the result, so the window stays
/// responsive.
pub(crate) async fn on_main_thread<T: Send + 'static>(
    app: &AppHandle,
    open: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::new(Code::Internal, "The dialog could not be opened.").because(error)
    };
    let (made, dialog) = oneshot::channel();
    app.run_on_main_thread(move || {
        // Fails if the command was abandoned meanwhile.
        let _ = made.send(open());
    })
    .map_err(|error| failed(&error))?;
    dialog.await.map_err(|error| failed(&error))
}
