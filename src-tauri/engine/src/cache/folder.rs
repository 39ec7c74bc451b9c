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
use std::time::{Duration, Instant};

use chrono::Utc;
use tokio::sync::Mutex as Gate;

use super::access::{is_writable, read_only};
use super::error::is_damage;
use super::file::{CacheFile, Hold, restrict_to_owner};
use super::identity::Identity;
use super::inspect::read_everything;
use super::leftovers::{clear_spill, files_of, is_pinned, marks_of, wal_of, write_pin};
use super::lock::{FileLock, is_open_elsewhere};
use super::opener;
use crate::failure::{Code, Failure, Result};
use crate::limits::Limits;
use crate::query::signature::Signature;

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
    /// Held only to find a slot: what takes time with one file keeps nobody from another.
    slots: Mutex<HashMap<PathBuf, Arc<Slot>>>,
    recent: Mutex<VecDeque<Arc<CacheFile>>>,
    /// Rows per row group of the files.
    row_group_rows: AtomicUsize,
    /// Queries whose rows could not be read: opening their files does not show it.
    suspects: Mutex<HashSet<Signature>>,
}

/// How long to wait until a file that was given up is closed by those who still use it.
const CLOSING: Duration = Duration::from_secs(30);
const CLOSING_STEP: Duration = Duration::from_millis(5);

#[derive(Debug, Default)]
struct Slot {
    /// Locked while the file is opened, so that two threads that want one file open it once, and while it is
    /// removed or replaced.
    file: Mutex<Weak<CacheFile>>,
    gate: Arc<Gate<()>>,
}

impl Slot {
    fn file(&self) -> MutexGuard<'_, Weak<CacheFile>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the file is closed here, and takes its lock against other processes.
    fn hold(&self, path: &Path) -> Result<Hold> {
        let begun = Instant::now();
        let gate = loop {
            match Arc::clone(&self.gate).try_lock_owned() {
                Ok(gate) => break gate,
                Err(_) if begun.elapsed() > CLOSING => {
                    return Err(Failure::new(Code::CacheBusy, "This cached query is still in use."));
                }
                Err(_) => std::thread::sleep(CLOSING_STEP),
            }
        };
        Ok(Hold::new(FileLock::take(path)?, gate))
    }

    /// Opens the file, or gives the one that is open.
    fn open(
        &self,
        file: &mut Weak<CacheFile>,
        path: &Path,
        create: Option<&Identity>,
        row_group_rows: usize,
    ) -> Result<Arc<CacheFile>> {
        if let Some(open) = file.upgrade() {
            return Ok(open);
        }
        let opened = Arc::new(CacheFile::open(path, create, row_group_rows, self.hold(path)?)?);
        *file = Arc::downgrade(&opened);
        Ok(opened)
    }

    /// Whether damage that an opening of the file met, or the reading of its rows, is there on a fresh open.
    fn confirms_damage(&self, path: &Path, create: Option<&Identity>, row_group_rows: usize) -> Result<bool> {
        let looked = CacheFile::open(path, create, row_group_rows, self.hold(path)?)
            .and_then(|file| read_everything(&file));
        match looked {
            Ok(()) => Ok(false),
            Err(failure) if is_damage(&failure) => Ok(true),
            Err(failure) => Err(failure),
        }
    }
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
    /// `disk_full` or `cache_unusable` where the folder cannot be created.
    pub fn new(folder: &Path, keep_open: usize) -> Result<Self> {
        opener::expect_usable(folder)?;
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

    /// Whether nothing can be stored for a query: its file may not be written, or the folder takes none.
    #[must_use]
    pub fn is_read_only(&self, identity: &Identity) -> bool {
        !is_writable(&self.path_of(identity))
    }

    /// Opens the file of a query, creating it where there is none. A file whose bytes are damaged is set aside
    /// under a name that says so, and a new one takes its place. One that the system refuses, or that a newer
    /// Tidemark wrote, stays where it is.
    ///
    /// # Errors
    /// `cache_busy`, `disk_full`, `cache_unusable`, or `cache_damaged` where not even setting aside works.
    pub fn open_or_create(&self, identity: &Identity) -> Result<Opened> {
        let family = self.inner.folder.join(&identity.family);
        if self.is_read_only(identity) {
            return match self.open_existing(identity)? {
                Some(file) => Ok(Opened { file, set_aside: None }),
                None => Err(read_only()),
            };
        }
        create_private(&family)?;
        let path = self.path_of(identity);
        match self.open_path(&path, Some(identity)) {
            Err(failure) if is_damage(&failure) => self.replace_damaged(&path, identity),
            other => other.map(|file| Opened { file, set_aside: None }),
        }
    }

    /// Looks again while nobody else opens or replaces the file: another run may have set it aside already, and
    /// the file that took its place must stay; and what was read wrong once may be right.
    fn replace_damaged(&self, path: &Path, identity: &Identity) -> Result<Opened> {
        let slot = self.slot(path);
        let mut held = slot.file();
        let opened = match slot.open(&mut held, path, Some(identity), self.row_group_rows()) {
            Err(failure) if is_damage(&failure) => {
                let aside = self.move_aside(&slot, path)?;
                self.suspects().remove(&identity.signature);
                let file = slot.open(&mut held, path, Some(identity), self.row_group_rows())?;
                // Without a cause the failure is this program's own word on the file.
                let note = match &failure.cause {
                    None => format!("{} It was set aside as {aside}.", failure.message),
                    Some(_) => set_aside_note(&aside),
                };
                let note = Failure::new(Code::CacheDamaged, note)
                    .advise("No action needed: its days are fetched again.")
                    .because(failure.cause.unwrap_or(failure.message));
                Opened { file, set_aside: Some(note) }
            }
            other => Opened { file: other?, set_aside: None },
        };
        drop(held);
        self.remember(&opened.file);
        Ok(opened)
    }

    /// Sets the file of a query aside after reading it has failed, if a fresh look at all of it finds the damage
    /// as well; the sentence that says so, or nothing where the file is sound.
    ///
    /// # Errors
    /// `cache_busy` where somebody still reads it, `cache_unusable` where it cannot be looked at or moved.
    pub fn set_aside(&self, identity: &Identity) -> Result<Option<String>> {
        let path = self.path_of(identity);
        self.recent().retain(|file| file.path() != path);
        let slot = self.slot(&path);
        let held = slot.file();
        if held.upgrade().is_some() {
            return Err(in_use());
        }
        let is_damaged =
            is_there(&path)? && slot.confirms_damage(&path, Some(identity), self.row_group_rows())?;
        let name = if is_damaged { Some(self.move_aside(&slot, &path)?) } else { None };
        self.suspects().remove(&identity.signature);
        Ok(name.map(|name| set_aside_note(&name)))
    }

    /// Moves a damaged file out of the way; the name it gets. It keeps its age and its pin, and the file that
    /// takes its place has the pin too: it is the query that is pinned.
    fn move_aside(&self, slot: &Slot, path: &Path) -> Result<String> {
        let _hold = slot.hold(path)?;
        expect_writable(path)?;
        if is_open_elsewhere(path) {
            return Err(in_use());
        }
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let name = format!("{stem}.damaged-{}.{ENDING}", Utc::now().format("%Y%m%dT%H%M%S%.3f"));
        let target = path.with_file_name(&name);
        // The log first: one that stays behind would be taken for that of the new file.
        let wal = wal_of(path);
        if wal.exists() {
            fs::rename(&wal, wal_of(&target)).map_err(|error| folder_failure(&wal, &error))?;
        }
        let pinned = is_pinned(path);
        if let Err(error) = fs::rename(path, &target) {
            let _ = fs::rename(wal_of(&target), &wal);
            return Err(folder_failure(path, &error));
        }
        for (mark, new) in marks_of(path).iter().zip(marks_of(&target)) {
            // The file's age is that of its bytes where it has no mark.
            let _ = fs::rename(mark, new);
        }
        if pinned {
            write_pin(path, true).map_err(|error| folder_failure(path, &error))?;
        }
        Ok(name)
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
    /// `cache_busy`, `cache_unusable`, `cache_damaged`.
    pub fn open_existing(&self, identity: &Identity) -> Result<Option<Arc<CacheFile>>> {
        let path = self.path_of(identity);
        if !is_there(&path)? {
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
    /// `cache_unusable` where the folder cannot be listed.
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
    /// `cache_busy`, `cache_unusable`, `cache_damaged`.
    pub fn open_listed(&self, path: &Path) -> Result<Arc<CacheFile>> {
        self.open_once(path, None)
    }

    /// Other queries' files of the same source and mapping.
    ///
    /// # Errors
    /// `cache_unusable` where the folder cannot be listed.
    pub fn siblings(&self, identity: &Identity) -> Result<Vec<PathBuf>> {
        let family = self.inner.folder.join(&identity.family);
        if !family.is_dir() {
            return Ok(Vec::new());
        }
        let own = self.path_of(identity);
        Ok(list(&family)?.into_iter().filter(|path| is_cache_file(path) && *path != own).collect())
    }

    /// Deletes a query's file, and what was set aside of it; its disk is free at once.
    ///
    /// # Errors
    /// `not_cached` where there is none; `cache_busy` where somebody still reads it.
    pub fn delete(&self, signature: &Signature) -> Result<()> {
        let path = self.find(signature)?;
        expect_writable(&path)?;
        self.while_closed(&path, |hold| {
            if is_open_elsewhere(&path) {
                return Err(in_use());
            }
            remove(&path, hold)?;
            self.suspects().remove(signature);
            Ok(())
        })?;
        let family = path.parent().map(list).transpose()?.unwrap_or_default();
        let of_it = |path: &Path| is_set_aside(path) && signature_in(path).is_some_and(|of| of == *signature);
        for aside in family.iter().filter(|path| of_it(path)) {
            remove_files(aside)?;
        }
        Ok(())
    }

    /// Deletes a query's file if it holds no day. It is asked while nobody can write to it.
    ///
    /// # Errors
    /// See [`delete`](Self::delete).
    pub fn delete_if_empty(&self, signature: &Signature) -> Result<()> {
        let path = self.find(signature)?;
        let is_empty = |path: &Path| Ok(self.open_once(path, None)?.state().days.is_empty());
        let empty = is_empty(&path).and_then(|empty| {
            if !empty {
                return Ok(());
            }
            self.while_closed(&path, |hold| {
                // Somebody may have filled it since.
                let file = CacheFile::open(&path, None, self.row_group_rows(), hold)?;
                let empty = file.state().days.is_empty();
                let hold = file.close();
                if empty { remove(&path, hold) } else { Ok(()) }
            })
        });
        match empty {
            // Whoever uses it will delete it, or fill it; or somebody has deleted it.
            Err(failure) if matches!(failure.code, Code::CacheBusy | Code::NotCached) => Ok(()),
            other => other,
        }
    }

    /// Forgets the open handle of a query's file, for a database that DuckDB has given up: who wants the file
    /// next waits until nobody uses the old handle any more, and opens it afresh.
    pub fn retire(&self, signature: &Signature) {
        self.release(signature);
        if let Ok(path) = self.find(signature) {
            *self.slot(&path).file() = Weak::new();
        }
    }

    /// Closes a query's file once nobody uses it: after an error that DuckDB may not recover from.
    pub fn release(&self, signature: &Signature) {
        self.recent().retain(|file| file.identity().signature != *signature);
    }

    /// Does something with a file that nobody has open, here or in another process that knows of the lock, and
    /// that nobody opens meanwhile. Other files can be opened and closed meanwhile.
    pub(super) fn while_closed<T>(&self, path: &Path, work: impl FnOnce(Hold) -> Result<T>) -> Result<T> {
        self.recent().retain(|file| file.path() != path);
        let slot = self.slot(path);
        let held = slot.file();
        if held.upgrade().is_some() {
            return Err(in_use());
        }
        let hold = slot.hold(path)?;
        // It may have gone since its path was listed, and a blank one would be made of a path that leads nowhere.
        if !is_there(path)? {
            hold.lock.remove(path);
            return Err(Failure::new(Code::NotCached, "This cached query no longer exists."));
        }
        work(hold)
    }

    fn open_path(&self, path: &Path, create: Option<&Identity>) -> Result<Arc<CacheFile>> {
        let file = self.open_once(path, create)?;
        self.remember(&file);
        Ok(file)
    }

    fn open_once(&self, path: &Path, create: Option<&Identity>) -> Result<Arc<CacheFile>> {
        let slot = self.slot(path);
        let mut held = slot.file();
        slot.open(&mut held, path, create, self.row_group_rows())
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

    fn slot(&self, path: &Path) -> Arc<Slot> {
        let mut slots = self.inner.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(path.to_owned()).or_default())
    }

    fn suspects(&self) -> MutexGuard<'_, HashSet<Signature>> {
        self.inner.suspects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn recent(&self) -> MutexGuard<'_, VecDeque<Arc<CacheFile>>> {
        self.inner.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// # Errors
/// `cache_unusable` if nothing may be changed there.
fn expect_writable(path: &Path) -> Result<()> {
    if is_writable(path) { Ok(()) } else { Err(read_only()) }
}

fn in_use() -> Failure {
    Failure::new(Code::CacheBusy, "This cached query is in use.")
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

/// Whether there is something at a path. That it cannot be looked at does not mean that there is nothing.
pub(super) fn is_there(path: &Path) -> Result<bool> {
    path.try_exists().map_err(|error| folder_failure(path, &error))
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

/// Whether a file is one that was damaged: `<signature>.damaged-<time>.duckdb`.
pub(super) fn is_set_aside(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == ENDING)
        && !is_cache_file(path)
        && signature_in(path).is_some()
}

/// The signature of a query's file, or of what was set aside of it.
fn signature_in(path: &Path) -> Option<Signature> {
    let stem = path.file_stem()?.to_str()?;
    Signature::parse(stem.split_once(".damaged-").map_or(stem, |(signature, _)| signature)).ok()
}

/// Removes a file, its lock, and all that lies beside it.
pub(super) fn remove(path: &Path, hold: Hold) -> Result<()> {
    remove_files(path)?;
    hold.lock.remove(path);
    Ok(())
}

/// Removes a file, its log, its marks, and what a program that was killed had spilled.
pub(super) fn remove_files(path: &Path) -> Result<()> {
    clear_spill(path);
    for file in files_of(path) {
        match fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(folder_failure(&file, &error));
            }
            _ => {}
        }
    }
    Ok(())
}

pub(super) fn folder_failure(path: &Path, error: &std::io::Error) -> Failure {
    if error.kind() == std::io::ErrorKind::ReadOnlyFilesystem {
        return read_only().because(format!("{}: {error}", path.display()));
    }
    let (code, message) = match error.kind() {
        std::io::ErrorKind::StorageFull
        | std::io::ErrorKind::QuotaExceeded
        | std::io::ErrorKind::FileTooLarge => {
            (Code::DiskFull, "There is no space left on the disk that holds the cache.")
        }
        std::io::ErrorKind::OutOfMemory => {
            (Code::OutOfMemory, "There is not enough memory to read or write the cache.")
        }
        _ => (Code::CacheUnusable, "The cache folder cannot be used."),
    };
    Failure::new(code, message)
        .advise("Check that the folder exists and that you may write to it.")
        .because(format!("{}: {error}", path.display()))
}
