//! One window per set of files: starting the app again raises the window that is already open. A second window could
//! neither plan nor show what the first has open.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use tauri::plugin::TauriPlugin;
use tauri::{AppHandle, Emitter as _, Manager as _, Runtime};
use tauri_plugin_single_instance::Builder;

use crate::environment::Environment;
use crate::opening::Opening;
use crate::state::AppState;

/// The app's identifier, under which a new start finds the open window.
const NAME: &str = "app.tidemark.desktop";
/// The event by which the window learns that a further start asks for something.
const OPEN: &str = "open";

/// Hands over to the window that is already open, if there is one. `None` if custom folders are set up on a system
/// that identifies programs by the app's identifier alone: the open window may use different files.
pub(crate) fn plugin<R: Runtime>(environment: &Environment) -> Option<TauriPlugin<R>> {
    let name = name(environment);
    if cfg!(not(target_os = "linux")) && name != NAME {
        return None;
    }
    let builder = Builder::new().callback(|app, arguments, _folder| {
        raise(app);
        // The second start has refused arguments that cannot be read.
        if let Ok(opening) = Opening::parse(arguments) {
            follow(app, opening);
        }
    });
    Some(builder.dbus_id(name).build())
}

/// The name under which a new start finds the window that uses the same files.
fn name(environment: &Environment) -> String {
    let folders = (&environment.cache_folder, &environment.settings_folder);
    if folders == (&None, &None) {
        return NAME.to_owned();
    }
    let mut hash = DefaultHasher::new();
    folders.hash(&mut hash);
    // An element of a D-Bus name must not begin with a digit.
    format!("{NAME}.at{:016x}", hash.finish())
}

/// Shows what a second start asks for in the window that is open.
fn follow<R: Runtime>(app: &AppHandle<R>, opening: Opening) {
    if opening.is_empty() {
        return;
    }
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let state = Arc::clone(&app.state::<Arc<AppState>>());
        let source = tokio::task::block_in_place(|| state.follow(&opening));
        if let Some(source) = source {
            state.choose(source).await;
        }
        // A closing window no longer needs the event.
        let _ = app.emit(OPEN, ());
    });
}

/// Brings the window to the front.
fn raise<R: Runtime>(app: &AppHandle<R>) {
    let Some(window) = app.get_webview_window("main") else { return };
    // If the desktop refuses one of these, the window is shown as far as possible.
    let _ = window.unminimize();
    let _ = window.show();
    let _ = window.set_focus();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_with_the_same_files_have_one_name() {
        let at = |cache: Option<&str>, settings: Option<&str>| {
            name(&Environment {
                cache_folder: cache.map(Into::into),
                settings_folder: settings.map(Into::into),
                ..Environment::default()
            })
        };
        assert_eq!(at(None, None), NAME);
        assert_eq!(at(Some("/a"), Some("/b")), at(Some("/a"), Some("/b")));
        assert_ne!(at(Some("/a"), Some("/b")), at(Some("/b"), Some("/a")));
        assert_ne!(at(Some("/a"), None), at(None, Some("/a")));
        assert_ne!(at(Some("/a"), None), NAME);
    }
}
