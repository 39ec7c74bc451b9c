//! One window per set of files: starting the app again raises the window that is already open. A second window could
//! neither plan nor show what the first has open.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use tauri::plugin::TauriPlugin;
use tauri::{AppHandle, Manager as _, Runtime};
use tauri_plugin_single_instance::Builder;

use crate::environment::Environment;

/// The app's identifier, under which a new start finds the open window.
const NAME: &str = "app.tidemark.desktop";

/// Hands over to the window that is already open, if there is one. `None` if custom folders are set up on a system
/// that identifies programs by the app's identifier alone: the open window may use different files.
pub(crate) fn plugin<R: Runtime>(environment: &Environment) -> Option<TauriPlugin<R>> {
    let name = name(environment);
    if cfg!(not(target_os = "linux")) && name != NAME {
        return None;
    }
    let builder = Builder::new().callback(|app, _arguments, _folder| raise(app));
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
