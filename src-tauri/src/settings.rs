//! The settings remembered between starts. Never a password.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tauri::{AppHandle, Manager as _, Wry};
use tauri_plugin_store::{Store, StoreBuilder};
use tidemark_engine::api::source::SourceProfile;
use tidemark_engine::query::form::QueryInput;

use crate::diagnostics;

const FILE: &str = "settings.json";
const PROFILE: &str = "profile";
const FORM: &str = "form";
const EXPORT_FOLDER: &str = "export_folder";

/// The settings file. If it cannot be used, the app works but remembers nothing.
pub(crate) struct Settings {
    store: Option<Arc<Store<Wry>>>,
    path: PathBuf,
    /// Held from a change until it is on disk, so that no older state overwrites a newer one.
    writing: Mutex<()>,
}

impl Settings {
    /// Opens the file in the given folder, or in the system's default folder for it.
    pub(crate) fn open(app: &AppHandle, folder: Option<&Path>) -> Self {
        let folder = folder.map(Path::to_owned).or_else(|| app.path().app_config_dir().ok());
        let Some(folder) = folder else {
            return Self { store: None, path: PathBuf::new(), writing: Mutex::default() };
        };
        let path = folder.join(FILE);
        set_damaged_aside(&path);
        let store = StoreBuilder::new(app, &path).disable_auto_save().build();
        let store = store
            .inspect_err(|error| diagnostics::report(&format!("The settings cannot be used: {error}")))
            .ok();
        // Otherwise the plugin would overwrite the file on exit.
        store.iter().for_each(|store| store.close_resource());
        Self { store, path, writing: Mutex::default() }
    }

    /// The source that was set up last.
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

    /// Remembers the source. The profile must not contain a password.
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
        // A value that an older version stored in a different form counts as missing.
        serde_json::from_value(self.store.as_ref()?.get(key)?).ok()
    }

    fn set(&self, key: &str, value: impl Serialize) {
        let Some(store) = &self.store else { return };
        let Ok(value) = serde_json::to_value(value) else { return };
        // Commands run on async workers, and the disk may be slow.
        tokio::task::block_in_place(|| {
            let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
            store.set(key, value);
            if let Err(error) = write(&self.path, &store.entries().into_iter().collect()) {
                diagnostics::report(&format!("The settings could not be written: {error}"));
            }
        });
    }
}

/// Writes the settings to a new file, readable only by its owner, that then replaces the old one: after a full disk
/// or a power cut, one of the two is intact. (The store would overwrite its file in place.)
fn write(path: &Path, settings: &Map<String, Value>) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer_pretty(&mut file, settings)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// Renames a settings file that cannot be read, because it would be overwritten otherwise.
fn set_damaged_aside(path: &Path) {
    let Ok(text) = std::fs::read(path) else { return };
    if serde_json::from_slice::<Map<String, Value>>(&text).is_err() {
        let aside = path.with_extension("damaged.json");
        diagnostics::report(&format!(
            "The settings could not be read; they are kept as {}.",
            aside.display()
        ));
        if let Err(error) = std::fs::rename(path, aside) {
            diagnostics::report(&format!("They could not be moved: {error}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_replaced_whole_and_private() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("config").join(FILE);
        for budget in [1, 2] {
            let settings: Map<String, Value> = [("form".to_owned(), budget.into())].into_iter().collect();
            write(&path, &settings).expect("written");
            let read: Map<String, Value> =
                serde_json::from_slice(&std::fs::read(&path).expect("read")).expect("whole");
            assert_eq!(read, settings);
        }
        assert_eq!(std::fs::read_dir(folder.path().join("config")).expect("a folder").count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&path).expect("a file").permissions().mode();
            assert_eq!(mode & 0o077, 0, "{mode:o}");
        }
    }

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
