//! What is remembered from one start to the next. Never a password.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tauri::{AppHandle, Manager as _, Wry};
use tauri_plugin_store::{Store, StoreBuilder};
use tidemark_engine::desk::{QueryInput, SourceProfile};

use crate::trouble;

const FILE: &str = "settings.json";
const PROFILE: &str = "profile";
const FORM: &str = "form";
const EXPORT_FOLDER: &str = "export_folder";

/// The settings file. Where it cannot be used the app works on and remembers nothing.
pub(crate) struct Settings {
    store: Option<Arc<Store<Wry>>>,
    path: PathBuf,
}

impl Settings {
    /// Opens the file in a folder, by default the one that the system has for it.
    pub(crate) fn open(app: &AppHandle, folder: Option<&Path>) -> Self {
        let folder = folder.map(Path::to_owned).or_else(|| app.path().app_config_dir().ok());
        let Some(folder) = folder else { return Self { store: None, path: PathBuf::new() } };
        trouble::note_in(folder.clone());
        let path = folder.join(FILE);
        set_damaged_aside(&path);
        let store = StoreBuilder::new(app, &path).disable_auto_save().build();
        Self {
            store: store
                .inspect_err(|error| trouble::report(&format!("The settings cannot be used: {error}")))
                .ok(),
            path,
        }
    }

    /// The source as it was set up last.
    pub(crate) fn profile(&self) -> Option<SourceProfile> {
        self.get(PROFILE)
    }

    /// The query form as it was left.
    pub(crate) fn form(&self) -> Option<QueryInput> {
        self.get(FORM)
    }

    /// The folder of the last export.
    pub(crate) fn export_folder(&self) -> Option<PathBuf> {
        self.get(EXPORT_FOLDER)
    }

    /// Remembers the source. The profile must hold no password.
    pub(crate) fn remember_profile(&self, profile: &SourceProfile) {
        self.set(PROFILE, profile);
    }

    /// Remembers the query form.
    pub(crate) fn remember_form(&self, form: &QueryInput) {
        self.set(FORM, form);
    }

    /// Remembers the folder of an export.
    pub(crate) fn remember_export_folder(&self, folder: &Path) {
        self.set(EXPORT_FOLDER, folder);
    }

    fn get<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        // What an older version stored otherwise is asked for again.
        serde_json::from_value(self.store.as_ref()?.get(key)?).ok()
    }

    fn set(&self, key: &str, value: impl Serialize) {
        let Some(store) = &self.store else { return };
        let Ok(value) = serde_json::to_value(value) else { return };
        store.set(key, value);
        if let Err(error) = store.save() {
            trouble::report(&format!("The settings could not be written: {error}"));
        }
        self.keep_private();
    }

    /// Hosts and user names concern nobody else on this computer.
    fn keep_private(&self) {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            // Where the disk knows no permissions there are none to set.
            let _ = std::fs::set_permissions(&self.path, std::fs::Permissions::from_mode(0o600));
        }
    }
}

/// A settings file that cannot be read would be written over; it is kept under another name.
fn set_damaged_aside(path: &Path) {
    let Ok(text) = std::fs::read(path) else { return };
    if serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&text).is_err() {
        let aside = path.with_extension("damaged.json");
        trouble::report(&format!("The settings could not be read; they are kept as {}.", aside.display()));
        if let Err(error) = std::fs::rename(path, aside) {
            trouble::report(&format!("They could not be moved: {error}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_settings_are_kept_aside() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(FILE);
        std::fs::write(&path, r#"{"profile": null}"#).expect("written");
        set_damaged_aside(&path);
        assert!(path.exists());
        std::fs::write(&path, r#"{"profile": "#).expect("written");
        set_damaged_aside(&path);
        assert!(!path.exists() && folder.path().join("settings.damaged.json").exists());
    }
}
