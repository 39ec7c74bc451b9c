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

use bson::Bson;
use chrono::Utc;
use tokio::sync::Mutex as Gate;
use tracing::{debug, warn};

use super::catalog::{Catalog, CatalogEntry, Stamp, ValuesAsked};
use crate::cache::file::access::is_writable;
use crate::cache::file::cache_file::CacheFile;
use crate::cache::file::error::{CacheError, CacheErrorKind, Holder, Missing, Result};
use crate::cache::file::lock::{FileLock, Hold, is_open_elsewhere, remove};
use crate::cache::file::memory::{FileOptions, LEAST_MEMORY_BASE, MEMORY_BASE};
use crate::cache::file::meta::Identity;
use crate::cache::file::opener;
use crate::cache::file::paths::{
    ENDING, is_cache_file, is_family, is_moved_aside, is_pinned, is_there, list, marks_of, remove_files,
    restrict_to_owner, signature_in, wal_path, write_pin,
};
use crate::cache::file::validate::read_everything;
use crate::cache::read::distinct;
use crate::cache::read::stop::Stop;
use crate::cache::read::trades::TradeMatch;
use crate::cache::read::view::View;
use crate::day::{Day, DayRange};
use crate::limits::Limits;
use crate::query::signature::Signature;
use crate::query::trade_id::TradeId;

/// A cache folder. Cheap to clone. Calls block on disk: they belong on blocking threads.
#[derive(Debug, Clone)]
pub struct Cache {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    /// How many files stay open after their last use, so that paging does not reopen one each time.
    keep_open: usize,
    /// Locked only to find a slot: slow work on one file does not block the others.
    slots: Mutex<HashMap<PathBuf, Arc<Slot>>>,
    recent: Mutex<VecDeque<Arc<CacheFile>>>,
    /// Rows per row group of the files.
    row_group_rows: AtomicUsize,
    /// Memory of each file, in bytes, besides what its fields need.
    memory_base: AtomicUsize,
    catalog: Catalog,
    /// Queries whose rows could not be read: opening their files does not reveal it.
    suspects: Mutex<HashSet<Signature>>,
}

/// How long to wait until a file that was released is closed by its remaining users.
const CLOSING: Duration = Duration::from_secs(30);
const CLOSING_STEP: Duration = Duration::from_millis(5);

#[derive(Debug, Default)]
struct Slot {
    /// Locked while the file is opened, so that two threads that want one file open it once, and while it is removed
    /// or replaced.
    file: Mutex<Weak<CacheFile>>,
    gate: Arc<Gate<()>>,
}

impl Slot {
    fn file(&self) -> MutexGuard<'_, Weak<CacheFile>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the file is closed in this process, and locks it against other processes.
    fn hold(&self, path: &Path) -> Result<Hold> {
        let begun = Instant::now();
        let gate = loop {
            match Arc::clone(&self.gate).try_lock_owned() {
                Ok(gate) => break gate,
                Err(_) if begun.elapsed() > CLOSING => {
                    return Err(CacheErrorKind::Busy(Holder::Closing).into());
                }
                Err(_) => std::thread::sleep(CLOSING_STEP),
            }
        };
        Ok(Hold::new(FileLock::take(path)?, gate))
    }

    /// Opens the file, or returns the one that is already open.
    fn open(
        &self,
        file: &mut Weak<CacheFile>,
        path: &Path,
        owner: Option<&Identity>,
        options: FileOptions,
    ) -> Result<Arc<CacheFile>> {
        if let Some(open) = file.upgrade().filter(|open| open.is_current()) {
            return Ok(open);
        }
        let opened = Arc::new(CacheFile::open(path, owner, options, self.hold(path)?)?);
        *file = Arc::downgrade(&opened);
        Ok(opened)
    }

    /// Whether damage that was found on opening the file, or on reading its rows, is confirmed on a fresh open.
    fn confirms_damage(&self, path: &Path, owner: Option<&Identity>, options: FileOptions) -> Result<bool> {
        let looked = CacheFile::open(path, owner, options, self.hold(path)?)
            .and_then(|file| read_everything(&file.connect()?, &file.state(), file.registry()))
            // Nothing but whole tables is read here, so what fails in DuckDB itself is the fault of their bytes.
            .map_err(CacheError::while_opening);
        match looked {
            Ok(()) => Ok(false),
            Err(failure) if failure.may_be_moved_aside() => {
                warn!("the file cannot be read: {failure}");
                Ok(true)
            }
            Err(failure) => Err(failure),
        }
    }
}

/// A damaged file that was moved aside.
#[derive(Debug, Clone)]
pub struct MovedAside {
    /// Its new name, in the same folder.
    pub name: String,
    /// The damage.
    pub error: CacheError,
}

/// A file opened for a run, and what had to be done to open it.
#[derive(Debug)]
pub struct Opened {
    /// The file.
    pub file: Arc<CacheFile>,
    /// Where a damaged file was moved, and why, if there was one.
    pub moved_aside: Option<MovedAside>,
}

impl Cache {
    /// A cache in a folder, which is created if it is missing.
    ///
    /// # Errors
    /// `disk_full` or `cache_unusable` if the folder cannot be created.
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
                memory_base: AtomicUsize::new(MEMORY_BASE),
                catalog: Catalog::default(),
                suspects: Mutex::default(),
            }),
        })
    }

    /// Sets the rows per row group, a multiple of 2,048, of files that are opened from now on.
    pub fn set_row_group_rows(&self, rows: NonZeroU32) {
        self.inner.row_group_rows.store(rows.get() as usize, Ordering::Relaxed);
    }

    /// Sets the bytes of memory that a fetch may use besides what wide tables and large documents need, for files
    /// that are opened from now on; `None`: the default. Less than [`least_memory`](Self::least_memory) is raised to it.
    pub fn set_memory(&self, bytes: Option<u64>) {
        let bytes = bytes.map_or(MEMORY_BASE, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX >> 1));
        self.inner.memory_base.store(bytes.max(LEAST_MEMORY_BASE), Ordering::Relaxed);
    }

    /// The default of [`set_memory`](Self::set_memory), in bytes.
    #[must_use]
    pub const fn default_memory() -> u64 {
        MEMORY_BASE as u64
    }

    /// The least memory with which a fetch of an ordinary table succeeds, in bytes.
    #[must_use]
    pub const fn least_memory() -> u64 {
        LEAST_MEMORY_BASE as u64
    }

    fn options(&self) -> FileOptions {
        FileOptions {
            row_group_rows: self.inner.row_group_rows.load(Ordering::Relaxed),
            memory_base: self.inner.memory_base.load(Ordering::Relaxed),
        }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.inner.folder
    }

    /// Whether nothing can be stored for a query, because its file or its folder cannot be written to.
    #[must_use]
    pub fn is_read_only(&self, identity: &Identity) -> bool {
        !is_writable(&self.path_of(identity))
    }

    /// Opens the file of a query, creating it if there is none. A file whose bytes are damaged is moved aside under a
    /// name that says so, and a new one takes its place. One that the system refuses to open, or that a newer
    /// Tidemark wrote, stays where it is.
    ///
    /// # Errors
    /// `cache_busy`, `disk_full`, `cache_unusable`, or `cache_damaged` if a damaged file is read-only.
    pub fn open_or_create(&self, identity: &Identity) -> Result<Opened> {
        let family = self.inner.folder.join(&identity.family);
        if self.is_read_only(identity) {
            return match self.open_existing(identity)? {
                Some(file) => Ok(Opened { file, moved_aside: None }),
                None => Err(CacheErrorKind::ReadOnly.into()),
            };
        }
        create_private(&family)?;
        let path = self.path_of(identity);
        match self.open_path(&path, Some(identity)) {
            Err(failure) if failure.may_be_moved_aside() => self.replace_damaged(&path, identity),
            other => other.map(|file| Opened { file, moved_aside: None }),
        }
    }

    /// Replaces a damaged file, if it still is damaged while nothing else can open or replace it: another run may
    /// have moved it aside already, and then the file that took its place must stay; and a read that failed once may
    /// succeed.
    fn replace_damaged(&self, path: &Path, identity: &Identity) -> Result<Opened> {
        let slot = self.slot(path);
        let mut held = slot.file();
        let opened = match slot.open(&mut held, path, Some(identity), self.options()) {
            Err(failure) if failure.may_be_moved_aside() => {
                warn!("the file cannot be read: {failure}");
                let aside = self.move_aside(&slot, path)?;
                self.suspects().remove(&identity.signature);
                let file = slot.open(&mut held, path, Some(identity), self.options())?;
                Opened { file, moved_aside: Some(MovedAside { name: aside, error: failure }) }
            }
            other => Opened { file: other?, moved_aside: None },
        };
        drop(held);
        self.remember(&opened.file);
        Ok(opened)
    }

    /// Moves the file of a query aside after reading it has failed, if reading all of it on a fresh open finds the
    /// damage as well. Returns its new name, or `None` if the file is sound.
    ///
    /// # Errors
    /// `cache_busy` if it is still being read, `cache_unusable` if it cannot be examined or moved.
    pub fn move_aside_if_damaged(&self, identity: &Identity) -> Result<Option<String>> {
        let path = self.path_of(identity);
        self.recent().retain(|file| file.path() != path);
        let slot = self.slot(&path);
        let held = slot.file();
        if held.upgrade().is_some() {
            return Err(in_use());
        }
        let is_damaged = is_there(&path)? && slot.confirms_damage(&path, Some(identity), self.options())?;
        let name = if is_damaged { Some(self.move_aside(&slot, &path)?) } else { None };
        self.suspects().remove(&identity.signature);
        Ok(name)
    }

    /// Moves a damaged file aside, and returns its new name. It keeps its age and its pin, and the file that takes
    /// its place is pinned too: it is the query that is pinned.
    fn move_aside(&self, slot: &Slot, path: &Path) -> Result<String> {
        let _hold = slot.hold(path)?;
        expect_writable(path)?;
        if is_open_elsewhere(path) {
            return Err(in_use());
        }
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let name = format!("{stem}.damaged-{}.{ENDING}", Utc::now().format("%Y%m%dT%H%M%S%.3f"));
        let target = path.with_file_name(&name);
        // The log first: if it stayed behind, it would be taken for that of the new file.
        let wal = wal_path(path);
        if wal.exists() {
            fs::rename(&wal, wal_path(&target)).map_err(|error| CacheError::of_folder(&wal, &error))?;
        }
        let pinned = is_pinned(path);
        if let Err(error) = fs::rename(path, &target) {
            let _ = fs::rename(wal_path(&target), &wal);
            return Err(CacheError::of_folder(path, &error));
        }
        for (mark, new) in marks_of(path).iter().zip(marks_of(&target)) {
            // Without a record of its last use, a file's modification time is its age.
            let _ = fs::rename(mark, new);
        }
        if pinned {
            write_pin(path, true).map_err(|error| CacheError::of_folder(path, &error))?;
        }
        warn!(file = path.display().to_string(), to = name, "a damaged file was moved aside");
        Ok(name)
    }

    /// Records that rows of a query could not be read, until its file has been examined, moved aside or deleted.
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
    /// `not_cached` if there is none; `cache_busy`, `cache_unusable`, `cache_damaged`.
    pub fn open_signature(&self, signature: &Signature) -> Result<Arc<CacheFile>> {
        let path = self.find(signature)?;
        self.open_path(&path, None)
    }

    /// Paths of all files of the cache, by family and signature.
    ///
    /// # Errors
    /// `cache_unusable` if the folder cannot be listed.
    pub fn files(&self) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for family in list(&self.inner.folder)?.into_iter().filter(|path| is_family(path)) {
            found.extend(list_or_empty(&family).into_iter().filter(|path| is_cache_file(path)));
        }
        found.sort();
        Ok(found)
    }

    /// Opens the file at a path that [`files`](Self::files) returned, for a single use: it is not kept open
    /// afterwards.
    ///
    /// # Errors
    /// `cache_busy`, `cache_unusable`, `cache_damaged`.
    pub fn open_listed(&self, path: &Path) -> Result<Arc<CacheFile>> {
        self.open_once(path, None)
    }

    /// What the file at a path that [`files`](Self::files) returned holds. The file is opened only if it has changed
    /// since it was read last.
    ///
    /// # Errors
    /// As for [`open_listed`](Self::open_listed).
    pub fn listed(&self, path: &Path) -> Result<CatalogEntry> {
        if let Some(file) = self.slot(path).file().upgrade() {
            // A file that was replaced by hand is closed when the run or export that uses it ends.
            return if file.is_current() { Ok(CatalogEntry::from(&*file)) } else { Err(in_use()) };
        }
        let stamp = Stamp::of(path);
        if let Some(entry) = self.inner.catalog.get(path, stamp) {
            return Ok(entry);
        }
        debug!(file = path.display().to_string(), "not in the catalog: the file is opened");
        let opened = self.open_listed(path).inspect_err(|_| self.inner.catalog.remove(path))?;
        let entry = CatalogEntry::from(&*opened);
        drop(opened);
        // Opening a file may have changed it, such as by replaying its log; then the next call reads it again.
        if Stamp::of(path) == stamp {
            self.inner.catalog.put(path, stamp, entry.clone());
        }
        Ok(entry)
    }

    /// Values in the file at a path that [`files`](Self::files) returned, as
    /// [`starting_with`](distinct::starting_with) finds them. The file is opened only if it has changed since the same
    /// was asked last.
    ///
    /// # Errors
    /// As for [`open_listed`](Self::open_listed).
    pub(crate) fn values(&self, path: &Path, asked: &ValuesAsked) -> Result<Vec<String>> {
        let stamp = Stamp::of(path);
        if let Some(known) = self.inner.catalog.values(path, stamp, asked) {
            return Ok(known);
        }
        let file = self.open_listed(path)?;
        let found = distinct::starting_with(&file, &asked.field, &asked.prefix, asked.limit)?;
        drop(file);
        if Stamp::of(path) == stamp {
            self.inner.catalog.put_values(path, stamp, asked.clone(), found.clone());
        }
        Ok(found)
    }

    /// Whether the file at a path is known to have none of these trades, so that it need not be opened.
    pub(crate) fn lacks<'a>(&self, path: &Path, keys: impl Iterator<Item = &'a String>) -> bool {
        self.inner.catalog.lacks(path, Stamp::of(path), keys)
    }

    /// The documents of some trades in the file at a path that [`files`](Self::files) returned, at most `limit`.
    ///
    /// # Errors
    /// As for [`open_listed`](Self::open_listed); `cancelled` if it was stopped.
    pub(crate) fn documents_of_trades(
        &self,
        path: &Path,
        ids: &[TradeId],
        last: Day,
        (limit, stop): (usize, &Stop),
    ) -> Result<Vec<TradeMatch>> {
        let stamp = Stamp::of(path);
        let file = self.open_listed(path)?;
        let state = file.state();
        let days = state.days.keys().next().zip(state.days.keys().next_back());
        let Some(range) = days.and_then(|(first, last)| DayRange::new(*first, *last).ok()) else {
            return Ok(Vec::new());
        };
        let values: Vec<Bson> = ids.iter().flat_map(|id| id.values.iter().cloned()).collect();
        let keys: HashSet<String> = ids.iter().flat_map(|id| id.keys.iter().cloned()).collect();
        let view = View::open_until(file, range, last)?;
        let found = view.documents_of_trades(&values, &keys, limit, stop)?;
        if found.len() < limit && Stamp::of(path) == stamp {
            let lacking =
                |id: &&TradeId| !found.iter().any(|one| id.keys.iter().any(|key| one.keys.contains(key)));
            let keys = ids.iter().filter(lacking).flat_map(|id| id.keys.iter().cloned());
            self.inner.catalog.put_lacking(path, stamp, keys);
        }
        Ok(found)
    }

    /// The files of other queries of the same source and mapping.
    ///
    /// # Errors
    /// `cache_unusable` if the folder cannot be listed.
    pub fn siblings(&self, identity: &Identity) -> Result<Vec<PathBuf>> {
        let own = self.path_of(identity);
        Ok(self.family(identity)?.into_iter().filter(|path| *path != own).collect())
    }

    /// The files of all queries of the same source and mapping.
    ///
    /// # Errors
    /// `cache_unusable` if the folder cannot be listed.
    pub fn family(&self, identity: &Identity) -> Result<Vec<PathBuf>> {
        let family = self.inner.folder.join(&identity.family);
        if !family.is_dir() {
            return Ok(Vec::new());
        }
        Ok(list(&family)?.into_iter().filter(|path| is_cache_file(path)).collect())
    }

    /// Deletes a query's file, and the damaged ones of it that were moved aside. Their disk space is free at once.
    ///
    /// # Errors
    /// `not_cached` if there is none; `cache_busy` if it is still being read; `cache_unusable` if it cannot be
    /// removed.
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
        let of_it =
            |path: &Path| is_moved_aside(path) && signature_in(path).is_some_and(|of| of == *signature);
        for damaged in family.iter().filter(|path| of_it(path)) {
            remove_files(damaged)?;
        }
        Ok(())
    }

    /// Deletes a query's file if it has no day. This is checked while nothing else can write to it.
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
                // It may have been filled since.
                let file = CacheFile::open(&path, None, self.options(), hold)?;
                let empty = file.state().days.is_empty();
                let hold = file.close();
                if empty { remove(&path, hold) } else { Ok(()) }
            })
        });
        match empty {
            // Either its present user will delete or fill it, or it has been deleted already.
            Err(error) if matches!(error.kind(), CacheErrorKind::Busy(_) | CacheErrorKind::NotCached(_)) => {
                Ok(())
            }
            other => other,
        }
    }

    /// Discards the open handle of a query's file, for a database that DuckDB has invalidated: the next opening waits
    /// until the old handle is no longer used, and opens the file afresh.
    pub fn retire(&self, signature: &Signature) {
        self.release(signature);
        if let Ok(path) = self.find(signature) {
            *self.slot(&path).file() = Weak::new();
        }
    }

    /// Closes files that were deleted or replaced by hand while they were kept open.
    pub(crate) fn close_replaced(&self) {
        self.recent().retain(|file| file.is_current());
    }

    /// Closes a query's file after its last use: for errors that DuckDB may not recover from.
    pub fn release(&self, signature: &Signature) {
        self.recent().retain(|file| file.identity().signature != *signature);
    }

    /// Runs `work` on a file that is not open, here or in another process that uses the lock, and that cannot be
    /// opened meanwhile. Other files can be opened and closed meanwhile.
    pub(crate) fn while_closed<T>(&self, path: &Path, work: impl FnOnce(Hold) -> Result<T>) -> Result<T> {
        self.recent().retain(|file| file.path() != path);
        let slot = self.slot(path);
        let held = slot.file();
        if held.upgrade().is_some() {
            return Err(in_use());
        }
        // It may be removed, and its entry with it.
        self.inner.catalog.remove(path);
        let hold = slot.hold(path)?;
        // It may have been removed since its path was listed, and opening a missing path would create a blank file.
        if !is_there(path)? {
            hold.lock.remove(path);
            return Err(CacheErrorKind::NotCached(Missing::Removed).into());
        }
        work(hold)
    }

    /// Whether a query's file is being read or written, here or in another process.
    pub(crate) fn is_in_use(&self, path: &Path) -> bool {
        let Some(file) = self.slot(path).file().upgrade() else { return is_open_elsewhere(path) };
        let kept_open = self.recent().iter().filter(|recent| Arc::ptr_eq(recent, &file)).count();
        // One reference is this function's own.
        Arc::strong_count(&file) > 1 + kept_open
    }

    fn open_path(&self, path: &Path, owner: Option<&Identity>) -> Result<Arc<CacheFile>> {
        let file = self.open_once(path, owner)?;
        self.remember(&file);
        Ok(file)
    }

    fn open_once(&self, path: &Path, owner: Option<&Identity>) -> Result<Arc<CacheFile>> {
        let slot = self.slot(path);
        let mut held = slot.file();
        slot.open(&mut held, path, owner, self.options())
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
        self.files()?
            .into_iter()
            .find(|path| path.file_name().is_some_and(|file| file == &*name))
            .ok_or_else(|| CacheErrorKind::NotCached(Missing::Signature(signature.to_string())).into())
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

/// The files in the folder of a family; none if it cannot be read, which concerns only its own queries.
pub(crate) fn list_or_empty(family: &Path) -> Vec<PathBuf> {
    list(family).unwrap_or_else(|error| {
        warn!("a folder in the cache cannot be read: {error}");
        Vec::new()
    })
}

/// # Errors
/// `cache_unusable` if nothing may be changed there.
fn expect_writable(path: &Path) -> Result<()> {
    if is_writable(path) { Ok(()) } else { Err(CacheErrorKind::ReadOnly.into()) }
}

pub(super) fn in_use() -> CacheError {
    CacheErrorKind::Busy(Holder::ThisProcess).into()
}

/// Creates a folder that only its owner may read. An existing one stays as it is: others may share it.
pub(super) fn create_private(folder: &Path) -> Result<()> {
    if !folder.is_dir() {
        fs::create_dir_all(folder).map_err(|error| CacheError::of_folder(folder, &error))?;
        restrict_to_owner(folder);
    }
    Ok(())
}
