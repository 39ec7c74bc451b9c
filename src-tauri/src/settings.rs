//! What is remembered from one start to the next. Never a password.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tauri::{AppHandle, Manager as _, Wry};
use tauri_plugin_store::{Store, StoreBuilder};
use tidemark_engine::api::source::SourceProfile;
use tidemark_engine::query::form::QueryInput;

use crate::trouble;

const FILE: &str = "settings.json";
const PROFILE: &str = "profile";
const FORM: &str = "form";
const EXPORT_FOLDER: &str = "export_folder";

/// The settings file. Where it cannot be used the app works on and remembers nothing.
pub(crate) struct Settings {
    store: Option<Arc<Store<Wry>>>,
    path: PathBuf,
    /// Held from a change until it is on the disk, so that no older state takes its place.
    writing: Mutex<()>,
}

impl Settings {
    /// Opens the file in a folder, by default the one that the system has for it.
    pub(crate) fn open(app: &AppHandle, folder: Option<&Path>) -> Self {
        let folder = folder.map(Path::to_owned).or_else(|| app.path().app_config_dir().ok());
        let Some(folder) = folder else {
            return Self { store: None, path: PathBuf::new(), writing: Mutex::default() };
        };
        trouble::note_in(folder.clone());
        let path = folder.join(FILE);
        set_damaged_aside(&path);
        let store = StoreBuilder::new(app, &path).disable_auto_save().build();
        let store =
            store.inspect_err(|error| trouble::report(&format!("The settings cannot be used: {error}"))).ok();
        // Or the plugin would write over the file at the end of the program.
        store.iter().for_each(|store| store.close_resource());
        Self { store, path, writing: Mutex::default() }
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
        // Commands run on async workers, and a disk may take its time.
        tokio::task::block_in_place(|| {
            let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
            store.set(key, value);
            if let Err(error) = write(&self.path, &store.entries().into_iter().collect()) {
                trouble::report(&format!("The settings could not be written: {error}"));
            }
        });
    }
}

/// Writes the settings into a file of their own, readable by its owner alone, that then takes the place of the
/// old one: a full disk or a power cut leaves one of the two whole. (The store writes over its file.)
fn write(path: &Path, settings: &Map<String, Value>) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer_pretty(&mut file, settings)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// A settings file that cannot be read would be written over; it is kept under another name.
fn set_damaged_aside(path: &Path) {
    let Ok(text) = std::fs::read(path) else { return };
    if serde_json::from_slice::<Map<String, Value>>(&text).is_err() {
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
