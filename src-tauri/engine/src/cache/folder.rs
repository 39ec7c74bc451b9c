//! The cache folder: finds, opens, creates, lists and deletes the queries' files.
//!
//! `<folder>/<family>/<signature>.duckdb`: queries of one source and mapping lie together, because
//! only they can adopt days from each other.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fs;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use chrono::Utc;
use tokio::sync::Mutex as Gate;

use super::error::is_unreadable;
use super::file::{CacheFile, restrict_to_owner};
use super::identity::Identity;
use super::leftovers::{mark_of, spill_of};
use crate::failure::{Code, Failure, Result};
use crate::limits::Limits;
use crate::signature::Signature;

/// Ending of a cache file.
const ENDING: &str = "duckdb";

/// A cache folder. Cheap to clone. Calls block on disk: they belong on blocking threads.
#[derive(Debug, Clone)]
pub struct Cache {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    /// How many files stay open after their last use, so that paging does not open one each time.
    keep_open: usize,
    slots: Mutex<HashMap<PathBuf, Slot>>,
    recent: Mutex<VecDeque<Arc<CacheFile>>>,
    /// Rows per row group of the files.
    row_group_rows: AtomicUsize,
    /// Queries whose rows could not be read: opening their files does not show it.
    suspects: Mutex<HashSet<Signature>>,
}

#[derive(Debug, Default)]
struct Slot {
    file: Weak<CacheFile>,
    gate: Arc<Gate<()>>,
}

/// A file opened for a run, and what had to be done to open it.
#[derive(Debug)]
pub struct Opened {
    /// The file.
    pub file: Arc<CacheFile>,
    /// Where a damaged file was set aside, and why.
    pub set_aside: Option<Failure>,
}

impl Cache {
    /// A cache in a folder, which is created where it is missing.
    ///
    /// # Errors
    /// `disk_full` or `cache_damaged` where the folder cannot be created.
    pub fn new(folder: &Path, keep_open: usize) -> Result<Self> {
        create_private(folder)?;
        Ok(Self {
            inner: Arc::new(Inner {
                folder: folder.to_owned(),
                keep_open,
                slots: Mutex::default(),
                recent: Mutex::default(),
                row_group_rows: AtomicUsize::new(Limits::default().row_group_rows.get() as usize),
                suspects: Mutex::default(),
            }),
        })
    }

    /// Sets the rows per row group, a multiple of 2,048, of files that are opened from now on.
    pub fn set_row_group_rows(&self, rows: NonZeroU32) {
        self.inner.row_group_rows.store(rows.get() as usize, Ordering::Relaxed);
    }

    fn row_group_rows(&self) -> usize {
        self.inner.row_group_rows.load(Ordering::Relaxed)
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.inner.folder
    }

    /// Opens the file of a query, creating it where there is none. A file that cannot be read is set
    /// aside under a name that says so, and a new one takes its place.
    ///
    /// # Errors
    /// `cache_busy`, `disk_full`, or `cache_damaged` where not even setting aside works.
    pub fn open_or_create(&self, identity: &Identity) -> Result<Opened> {
        let family = self.inner.folder.join(&identity.family);
        create_private(&family)?;
        let path = self.path_of(identity);
        match self.open_path(&path, Some(identity)) {
            Err(failure) if is_unreadable(&failure) => self.replace_unreadable(&path, identity),
            other => other.map(|file| Opened { file, set_aside: None }),
        }
    }

    /// Looks again while nobody else opens or replaces the file: another run may have set it aside
    /// already, and the file that took its place must stay.
    fn replace_unreadable(&self, path: &Path, identity: &Identity) -> Result<Opened> {
        let mut slots = self.slots();
        let opened = match open_in(&mut slots, path, Some(identity), self.row_group_rows()) {
            Err(failure) if is_unreadable(&failure) => {
                let aside = set_aside(path)?;
                self.suspects().remove(&identity.signature);
                let file = open_in(&mut slots, path, Some(identity), self.row_group_rows())?;
                // Without a cause the failure is this program's own word on the file.
                let note = match &failure.cause {
                    None => format!("{} It was set aside as {aside}.", failure.message),
                    Some(_) => set_aside_note(&aside),
                };
                let note = Failure::new(Code::CacheDamaged, note)
                    .advise("Nothing to do: its days are fetched again.")
                    .because(failure.cause.unwrap_or(failure.message));
                Opened { file, set_aside: Some(note) }
            }
            other => Opened { file: other?, set_aside: None },
        };
        drop(slots);
        self.remember(&opened.file);
        Ok(opened)
    }

    /// Sets the file of a query aside after reading it has failed; the sentence that says so.
    ///
    /// # Errors
    /// `cache_busy` where somebody still reads it, `cache_damaged` where it cannot be moved.
    pub fn set_aside(&self, identity: &Identity) -> Result<String> {
        let path = self.path_of(identity);
        self.while_closed(&path, || {
            let name = set_aside(&path)?;
            self.suspects().remove(&identity.signature);
            Ok(set_aside_note(&name))
        })
    }

    /// Notes that rows of a query could not be read, until its file is set aside or deleted.
    pub fn suspect(&self, signature: &Signature) {
        self.suspects().insert(signature.clone());
    }

    /// Whether rows of a query could not be read.
    #[must_use]
    pub fn is_suspect(&self, signature: &Signature) -> bool {
        self.suspects().contains(signature)
    }

    /// Opens the file of a query if there is one. A damaged file is reported, not touched.
    ///
    /// # Errors
    /// `cache_busy`, `cache_damaged`.
    pub fn open_existing(&self, identity: &Identity) -> Result<Option<Arc<CacheFile>>> {
        let path = self.path_of(identity);
        if !path.exists() {
            return Ok(None);
        }
        self.open_path(&path, Some(identity)).map(Some)
    }

    /// Opens the file of a signature.
    ///
    /// # Errors
    /// `not_cached` where there is none; `cache_busy`, `cache_damaged`.
    pub fn open_signature(&self, signature: &Signature) -> Result<Arc<CacheFile>> {
        let path = self.find(signature)?;
        self.open_path(&path, None)
    }

    /// Paths of all files of the cache, by family and signature.
    ///
    /// # Errors
    /// `cache_damaged` where the folder cannot be listed.
    pub fn files(&self) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for family in list(&self.inner.folder)?.into_iter().filter(|path| path.is_dir()) {
            found.extend(list(&family)?.into_iter().filter(|path| is_cache_file(path)));
        }
        found.sort();
        Ok(found)
    }

    /// Opens the file at a path that [`files`](Self::files) returned, for a look: it closes with its
    /// last use.
    ///
    /// # Errors
    /// `cache_busy`, `cache_damaged`.
    pub fn open_listed(&self, path: &Path) -> Result<Arc<CacheFile>> {
        self.open_once(path, None)
    }

    /// Other queries' files of the same source and mapping.
    ///
    /// # Errors
    /// `cache_damaged` where the folder cannot be listed.
    pub fn siblings(&self, identity: &Identity) -> Result<Vec<PathBuf>> {
        let family = self.inner.folder.join(&identity.family);
        if !family.is_dir() {
            return Ok(Vec::new());
        }
        let own = self.path_of(identity);
        Ok(list(&family)?.into_iter().filter(|path| is_cache_file(path) && *path != own).collect())
    }

    /// Deletes a query's file; its disk is free at once.
    ///
    /// # Errors
    /// `not_cached` where there is none; `cache_busy` where somebody still reads it.
    pub fn delete(&self, signature: &Signature) -> Result<()> {
        let path = self.find(signature)?;
        self.while_closed(&path, || {
            // Opening it once proves that no other Tidemark has it. A damaged file may go all the same.
            if let Err(error) = duckdb::Connection::open(&path) {
                let failure = Failure::from(error);
                if failure.code == Code::CacheBusy {
                    return Err(failure);
                }
            }
            remove(&path)?;
            self.suspects().remove(signature);
            Ok(())
        })
    }

    /// Deletes a query's file if it holds no day. It is asked while nobody can write to it.
    ///
    /// # Errors
    /// See [`delete`](Self::delete).
    pub fn delete_if_empty(&self, signature: &Signature) -> Result<()> {
        let path = self.find(signature)?;
        let empty = self.while_closed(&path, || {
            let connection = duckdb::Connection::open(&path)?;
            let days: u64 = connection.query_row("SELECT count(*) FROM coverage", [], |row| row.get(0))?;
            drop(connection);
            if days == 0 {
                remove(&path)?;
            }
            Ok(())
        });
        match empty {
            // Whoever uses it will delete it, or fill it; or somebody has deleted it.
            Err(failure) if matches!(failure.code, Code::CacheBusy | Code::NotCached) => Ok(()),
            other => other,
        }
    }

    /// Closes a query's file once nobody uses it: after an error that DuckDB may not recover from.
    pub fn release(&self, signature: &Signature) {
        self.recent().retain(|file| file.identity().signature != *signature);
    }

    /// Does something with a file that nobody here has open, and that nobody opens meanwhile.
    pub(super) fn while_closed<T>(&self, path: &Path, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.recent().retain(|file| file.path() != path);
        let mut slots = self.slots();
        let slot = slots.entry(path.to_owned()).or_default();
        if slot.file.upgrade().is_some() {
            return Err(Failure::new(Code::CacheBusy, "This cached query is in use."));
        }
        let _closed = Arc::clone(&slot.gate).blocking_lock_owned();
        // It may have gone since its path was listed, and DuckDB makes a blank one of a path that leads nowhere.
        if !path.exists() {
            return Err(Failure::new(Code::NotCached, "This cached query is gone."));
        }
        work()
    }

    fn open_path(&self, path: &Path, create: Option<&Identity>) -> Result<Arc<CacheFile>> {
        let file = self.open_once(path, create)?;
        self.remember(&file);
        Ok(file)
    }

    fn open_once(&self, path: &Path, create: Option<&Identity>) -> Result<Arc<CacheFile>> {
        // Held while opening, so that two threads that want one file open it once.
        open_in(&mut self.slots(), path, create, self.row_group_rows())
    }

    fn remember(&self, file: &Arc<CacheFile>) {
        let mut recent = self.recent();
        recent.retain(|other| !Arc::ptr_eq(other, file));
        recent.push_back(Arc::clone(file));
        while recent.len() > self.inner.keep_open {
            recent.pop_front();
        }
    }

    fn path_of(&self, identity: &Identity) -> PathBuf {
        self.inner.folder.join(&identity.family).join(format!("{}.{ENDING}", identity.signature))
    }

    fn find(&self, signature: &Signature) -> Result<PathBuf> {
        let name = format!("{signature}.{ENDING}");
        self.files()?.into_iter().find(|path| path.file_name().is_some_and(|file| file == &*name)).ok_or_else(
            || {
                Failure::new(Code::NotCached, format!("No cached query has the signature {signature}."))
                    .advise("List the cached queries to see which there are.")
            },
        )
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<PathBuf, Slot>> {
        self.inner.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn suspects(&self) -> MutexGuard<'_, HashSet<Signature>> {
        self.inner.suspects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn recent(&self) -> MutexGuard<'_, VecDeque<Arc<CacheFile>>> {
        self.inner.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open_in(
    slots: &mut HashMap<PathBuf, Slot>,
    path: &Path,
    create: Option<&Identity>,
    row_group_rows: usize,
) -> Result<Arc<CacheFile>> {
    let slot = slots.entry(path.to_owned()).or_default();
    if let Some(file) = slot.file.upgrade() {
        return Ok(file);
    }
    // Waits until a closing of the same file is through.
    let gate = Arc::clone(&slot.gate).blocking_lock_owned();
    let file = Arc::new(CacheFile::open(path, create, row_group_rows, gate)?);
    slot.file = Arc::downgrade(&file);
    Ok(file)
}

fn set_aside_note(name: &str) -> String {
    format!("The cached file of this query could not be read and was set aside as {name}.")
}

/// Creates a folder that only its owner may read. One that is there already stays as it is: it may be
/// a folder that others share.
fn create_private(folder: &Path) -> Result<()> {
    if !folder.is_dir() {
        fs::create_dir_all(folder).map_err(|error| folder_failure(folder, &error))?;
        restrict_to_owner(folder);
    }
    Ok(())
}

pub(super) fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .map_err(|error| folder_failure(folder, &error))
}

pub(super) fn is_cache_file(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == ENDING)
        && path.file_stem().and_then(|stem| stem.to_str()).is_some_and(|stem| Signature::parse(stem).is_ok())
}

/// Whether a file is one that could not be read: `<signature>.damaged-<time>.duckdb`.
pub(super) fn is_set_aside(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == ENDING)
        && path.file_stem().and_then(|stem| stem.to_str()).is_some_and(|stem| {
            stem.split_once(".damaged-").is_some_and(|(signature, _)| Signature::parse(signature).is_ok())
        })
}

/// Removes a file, its log, the note of its last use, and what a program that was killed had spilled.
pub(super) fn remove(path: &Path) -> Result<()> {
    // What cannot be removed does no harm.
    let _ = fs::remove_dir_all(spill_of(path));
    for file in [path.to_owned(), wal_of(path), mark_of(path)] {
        match fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(folder_failure(&file, &error));
            }
            _ => {}
        }
    }
    Ok(())
}

pub(super) fn wal_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".wal");
    PathBuf::from(name)
}

/// Moves a file that cannot be read out of the way; the name it gets.
fn set_aside(path: &Path) -> Result<String> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = format!("{stem}.damaged-{}.{ENDING}", Utc::now().format("%Y%m%dT%H%M%S%.3f"));
    let target = path.with_file_name(&name);
    fs::rename(path, &target).map_err(|error| folder_failure(path, &error))?;
    let wal = wal_of(path);
    if wal.exists() {
        fs::rename(&wal, wal_of(&target)).map_err(|error| folder_failure(&wal, &error))?;
    }
    Ok(name)
}

pub(super) fn folder_failure(path: &Path, error: &std::io::Error) -> Failure {
    let (code, message) = match error.kind() {
        std::io::ErrorKind::StorageFull
        | std::io::ErrorKind::QuotaExceeded
        | std::io::ErrorKind::FileTooLarge => {
            (Code::DiskFull, "There is no room left on the disk that holds the cache.")
        }
        _ => (Code::CacheDamaged, "The cache folder cannot be used."),
    };
    Failure::new(code, message)
        .advise("Check that the folder exists and that you may write to it.")
        .because(format!("{}: {error}", path.display()))
}
