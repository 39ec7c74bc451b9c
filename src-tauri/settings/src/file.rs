//! The file of the settings.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use thiserror::Error;
use tidemark_engine::failure::{Code, Failure};
use tracing::{error, warn};

use crate::stored::{Read, Settings};

const FILE: &str = "settings.json";
const LOCK: &str = "settings.lock";

/// The settings, and the file that keeps them between starts. If the file cannot be used, the program works and
/// remembers nothing.
#[derive(Debug)]
pub struct SettingsFile {
    /// `None`: nothing is read or written.
    path: Option<PathBuf>,
    settings: Mutex<Settings>,
    notice: Option<String>,
}

/// Why the settings could not be written. They are in force all the same until the program ends.
#[derive(Debug, Clone, Error)]
pub enum SettingsError {
    /// A newer program wrote the file.
    #[error("a newer Tidemark wrote the settings")]
    Newer,
    /// The system refused.
    #[error("{path}: {error}")]
    Io {
        /// The file.
        path: String,
        /// What the system said.
        error: String,
        /// Whether the disk is full.
        is_disk_full: bool,
    },
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        let (code, next) = match &error {
            SettingsError::Newer => (
                Code::CacheUnusable,
                "Use the newer Tidemark, or move its settings file away. Until then changes last until this one closes.",
            ),
            SettingsError::Io { is_disk_full: true, .. } => (
                Code::DiskFull,
                "Free some disk space and try again. Until then the change lasts until Tidemark closes.",
            ),
            SettingsError::Io { .. } => (
                Code::CacheUnusable,
                "Check the permissions of the settings folder. Until then the change lasts until Tidemark closes.",
            ),
        };
        Self::new(code, "The settings could not be saved.").advise(next).because(error)
    }
}

impl SettingsFile {
    /// Reads the settings in a folder, or in that of this system. A file that cannot be read is kept under a different
    /// name, and [`notice`](Self::notice) says so.
    #[must_use]
    pub fn open(folder: Option<&Path>) -> Self {
        let folder = folder.map(Path::to_owned).or_else(crate::default_folder);
        let Some(path) = folder.map(|folder| folder.join(FILE)) else {
            return Self::in_memory(Settings::default());
        };
        let (settings, notice) = match read(&path) {
            Ok((settings, unread)) if unread.is_empty() => (settings, None),
            Ok((settings, unread)) => {
                let notice = set_aside(&path, &unread);
                // Otherwise each start would keep it aside again. If this fails, the next change reports it.
                let _ = write(&path, &settings);
                (settings, Some(notice))
            }
            Err(unread) => {
                let notice = match &unread {
                    Unread::Damaged(_) => set_aside(&path, &[]),
                    Unread::Newer(_) => {
                        "A newer Tidemark wrote the settings. This one leaves them alone, and \
                         remembers nothing."
                            .to_owned()
                    }
                    Unread::Io(error) => {
                        format!("The settings in {} cannot be read: {error}.", path.display())
                    }
                };
                let settings = unread.rest();
                let cache = match &settings.cache_folder {
                    Some(folder) => format!("The cache is still in {}.", folder.display()),
                    None if matches!(unread, Unread::Newer(_)) => String::new(),
                    None => "If the cache was moved to a different folder, it is still there, and the usual folder \
                             is used now."
                        .to_owned(),
                };
                (settings, Some(format!("{notice} {cache}").trim_end().to_owned()))
            }
        };
        if let Some(notice) = &notice {
            error!("{notice}");
        }
        Self { path: Some(path), settings: Mutex::new(settings), notice }
    }

    /// Settings that are never written.
    #[must_use]
    pub fn in_memory(settings: Settings) -> Self {
        Self { path: None, settings: Mutex::new(settings), notice: None }
    }

    /// Reads the settings without changing anything, for a program that only needs a source.
    #[must_use]
    pub fn peek(folder: Option<&Path>) -> Settings {
        let folder = folder.map(Path::to_owned).or_else(crate::default_folder);
        folder
            .map(|folder| match read(&folder.join(FILE)) {
                Ok((settings, _)) => settings,
                Err(unread) => unread.rest(),
            })
            .unwrap_or_default()
    }

    /// The settings.
    #[must_use]
    pub fn get(&self) -> Settings {
        self.lock().clone()
    }

    /// What happened to the file when it was read, if it could not be used, in a sentence.
    #[must_use]
    pub fn notice(&self) -> Option<&str> {
        self.notice.as_deref()
    }

    /// The path of the file; `None` if nothing is written.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Changes the settings and writes them, together with what another Tidemark has changed meanwhile. Blocks on the
    /// disk.
    ///
    /// # Errors
    /// If they could not be written; the change is in force until the program ends.
    pub fn change<T>(&self, change: impl FnOnce(&mut Settings) -> T) -> Result<T, SettingsError> {
        let mut settings = self.lock();
        let Some(path) = &self.path else { return Ok(change(&mut settings)) };
        let lock = lock_beside(path).inspect_err(|error| warn!("the settings are not locked: {error}")).ok();
        match read(path) {
            // What this program could not read at its start must not come back half.
            Ok((now, unread)) if unread.is_empty() && path.exists() => *settings = now,
            Err(Unread::Newer(_)) => {
                change(&mut settings);
                return Err(SettingsError::Newer);
            }
            _ => {}
        }
        let result = change(&mut settings);
        let written = write(path, &settings).map_err(|error| SettingsError::Io {
            path: path.display().to_string(),
            is_disk_full: matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded),
            error: error.to_string(),
        });
        drop(lock);
        written.inspect_err(|error| error!("the settings could not be written: {error}"))?;
        Ok(result)
    }

    fn lock(&self) -> MutexGuard<'_, Settings> {
        // Safe after a panic: a change is made of whole assignments.
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a file could not be read, and the cache folder that it names.
enum Unread {
    Damaged(Option<PathBuf>),
    Newer(Option<PathBuf>),
    Io(io::Error),
}

impl Unread {
    /// What can be used all the same: an empty cache must not take the place of one that was moved.
    fn rest(&self) -> Settings {
        let cache_folder = match self {
            Self::Damaged(folder) | Self::Newer(folder) => folder.clone(),
            Self::Io(_) => None,
        };
        Settings { cache_folder, ..Settings::default() }
    }
}

fn read(path: &Path) -> Result<(Settings, Vec<String>), Unread> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok((Settings::default(), Vec::new()));
        }
        Err(error) => return Err(Unread::Io(error)),
    };
    match Settings::read(&text) {
        Read::Settings(settings, unread) => Ok((*settings, unread)),
        Read::Newer(folder) => Err(Unread::Newer(folder)),
        Read::Damaged(folder) => Err(Unread::Damaged(folder)),
    }
}

/// Keeps a file that cannot be read, or of which `unread` cannot be read, under a different name, because it is
/// overwritten otherwise. Returns a sentence about it.
fn set_aside(path: &Path, unread: &[String]) -> String {
    let aside = free_name(path);
    let kept = match unread {
        [] => fs::rename(path, &aside),
        _ => fs::copy(path, &aside).map(drop),
    };
    let what = match unread {
        [] => "The settings could not be read, so the sources have to be set up again".to_owned(),
        parts => format!("A part of the settings could not be read ({})", parts.join(", ")),
    };
    match kept {
        Ok(()) => format!("{what}; the file is kept as {}.", aside.display()),
        Err(error) => format!("{what}, and the file {} could not be kept: {error}.", path.display()),
    }
}

/// `settings.damaged.json`, numbered if there is one.
fn free_name(path: &Path) -> PathBuf {
    let numbered = (2..100).map(|number| path.with_extension(format!("damaged-{number}.json")));
    let mut names = std::iter::once(path.with_extension("damaged.json")).chain(numbered);
    names.find(|name| !name.exists()).unwrap_or_else(|| path.with_extension("damaged.json"))
}

/// Locks the settings against other processes until the file is dropped.
fn lock_beside(path: &Path) -> io::Result<File> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let file = File::options().create(true).truncate(false).write(true).open(folder.join(LOCK))?;
    file.lock()?;
    Ok(file)
}

/// Writes the settings to a new file, readable only by its owner, that then replaces the old one: after a full disk
/// or a power cut, one of the two is intact.
fn write(path: &Path, settings: &Settings) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer_pretty(&mut file, &settings.to_json())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidemark_engine::api::settings::Theme;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn settings_are_replaced_whole_and_private() {
        let folder = tempfile::tempdir().expect("a folder");
        let own = folder.path().join("config");
        for limit in [1, 2] {
            let file = SettingsFile::open(Some(&own));
            file.change(|settings| settings.memory_limit = Some(limit)).expect("written");
            assert_eq!(SettingsFile::peek(Some(&own)).memory_limit, Some(limit));
        }
        assert_eq!(names(&own), [FILE, LOCK]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(own.join(FILE)).expect("a file").permissions().mode();
            assert_eq!(mode & 0o077, 0, "{mode:o}");
        }
    }

    #[test]
    fn two_programs_do_not_undo_each_others_changes() {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, other) = (SettingsFile::open(Some(folder.path())), SettingsFile::open(Some(folder.path())));
        one.change(|settings| settings.theme = Theme::Dark).expect("written");
        other.change(|settings| settings.memory_limit = Some(7)).expect("written");
        let both = SettingsFile::peek(Some(folder.path()));
        assert_eq!((both.theme, both.memory_limit), (Theme::Dark, Some(7)));
        assert_eq!(other.get().theme, Theme::Dark);
    }

    #[test]
    fn damaged_settings_are_kept_aside_and_reported() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(FILE);
        for (text, aside, says) in [
            (
                r#"{"version": 2, "#,
                "settings.damaged.json",
                "could not be read, so the sources have to be set up again; the file is kept",
            ),
            (r#"{"version": 2, "theme": 7}"#, "settings.damaged-2.json", "(theme)"),
        ] {
            fs::write(&path, text).expect("written");
            let file = SettingsFile::open(Some(folder.path()));
            let notice = file.notice().expect("it is reported");
            assert!(notice.contains(says) && notice.contains(aside), "{notice}");
            file.change(|settings| settings.theme = Theme::Light).expect("written");
            assert_eq!(fs::read_to_string(folder.path().join(aside)).expect("it is kept"), text);
            assert!(SettingsFile::open(Some(folder.path())).notice().is_none());
        }
    }

    #[test]
    fn the_settings_of_a_newer_program_are_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(FILE);
        fs::write(&path, r#"{"version": 3}"#).expect("written");
        let file = SettingsFile::open(Some(folder.path()));
        assert!(file.notice().is_some());
        let error = file.change(|settings| settings.theme = Theme::Dark).expect_err("it is not written");
        assert_eq!(Failure::from(error).code, Code::CacheUnusable);
        assert_eq!(file.get().theme, Theme::Dark, "but in force");
        assert_eq!(fs::read_to_string(&path).expect("a file"), r#"{"version": 3}"#);
    }

    #[test]
    fn a_cache_that_was_moved_is_not_lost_with_the_settings() {
        for text in [
            r#"{"version": 3, "cache_folder": "/disk/cache"}"#,
            r#"{"version": 2, "cache_folder": "/disk/cache", "#,
        ] {
            let folder = tempfile::tempdir().expect("a folder");
            fs::write(folder.path().join(FILE), text).expect("written");
            let cache = Some(PathBuf::from("/disk/cache"));
            assert_eq!(SettingsFile::peek(Some(folder.path())).cache_folder, cache);
            let file = SettingsFile::open(Some(folder.path()));
            assert_eq!(file.get().cache_folder, cache);
            let notice = file.notice().expect("it is reported");
            assert!(notice.contains("The cache is still in /disk/cache."), "{notice}");
        }
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(FILE), "{").expect("written");
        let file = SettingsFile::open(Some(folder.path()));
        assert!(file.notice().is_some_and(|notice| notice.contains("the usual folder is used now")));
        // With the next change, the folder is in the settings again.
        let file_path = folder.path().join(FILE);
        fs::write(&file_path, r#"{"version": 2, "cache_folder": "/disk/cache", "#).expect("written");
        let file = SettingsFile::open(Some(folder.path()));
        file.change(|settings| settings.theme = Theme::Dark).expect("written");
        assert_eq!(
            SettingsFile::peek(Some(folder.path())).cache_folder,
            Some(PathBuf::from("/disk/cache")),
            "{}",
            fs::read_to_string(&file_path).unwrap_or_default()
        );
    }
}
