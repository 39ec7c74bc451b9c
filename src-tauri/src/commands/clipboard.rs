//! Copying. The web view's own clipboard asks for permission and fails on large texts; the system's does not.

use std::sync::{Arc, PoisonError};

use tauri::State;
use tidemark_engine::engine::off_thread;
use tidemark_engine::failure::{Code, Failure, Result};

use crate::state::AppState;

/// Puts a text on the system's clipboard.
#[tauri::command]
pub(crate) async fn copy_text(state: State<'_, Arc<AppState>>, text: String) -> Result<()> {
    let held = Arc::clone(&state.clipboard);
    off_thread(move || {
        let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
        let clipboard = match held.as_mut() {
            Some(clipboard) => clipboard,
            None => held.insert(arboard::Clipboard::new().map_err(|error| refused(&error))?),
        };
        clipboard.set_text(text).map_err(|error| refused(&error))
    })
    .await
}

fn refused(error: &arboard::Error) -> Failure {
    Failure::new(Code::ExportFailed, "The text could not be put on the clipboard.")
        .advise("Try again, or export the rows as CSV.")
        .because(error)
}
