//! The system's own dialogs.

use std::path::PathBuf;

use tauri::{AppHandle, WebviewWindow};
use tidemark_engine::failure::{Code, Failure, Result};
use tokio::sync::oneshot;

/// Asks for an existing file. `None` if the dialog was dismissed.
pub(crate) async fn choose_file(
    app: &AppHandle,
    window: &WebviewWindow,
    title: &str,
) -> Result<Option<PathBuf>> {
    let (window, title) = (window.clone(), title.to_owned());
    let dialog = on_main_thread(app, move || {
        rfd::AsyncFileDialog::new().set_title(title).set_parent(&window).pick_file()
    });
    Ok(dialog.await?.await.map(|file| file.path().to_owned()))
}

/// Asks for a folder. `None` if the dialog was dismissed.
pub(crate) async fn choose_folder(
    app: &AppHandle,
    window: &WebviewWindow,
    title: &str,
) -> Result<Option<PathBuf>> {
    let (window, title) = (window.clone(), title.to_owned());
    let dialog = on_main_thread(app, move || {
        rfd::AsyncFileDialog::new().set_title(title).set_parent(&window).pick_folder()
    });
    Ok(dialog.await?.await.map(|folder| folder.path().to_owned()))
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
