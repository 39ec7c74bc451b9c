//! The lock on a query's file. It is held from before the file is opened until after it is closed, and while it is
//! removed or moved aside. DuckDB locks only the file itself, not its name or its log: a different process could
//! create a new file of that name at the same time.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

use tokio::sync::OwnedMutexGuard;

use super::access::{is_refused, is_writable};
use super::error::{CacheError, CacheErrorKind, Holder, Result};
use super::paths::{lock_path, remove_files, restrict_to_owner};

/// How often another process may remove the lock's file between opening and locking it.
const TRIES: u32 = 20;

/// The lock on one query's file, released on drop.
#[derive(Debug)]
pub(crate) struct FileLock {
    /// `None` in a folder that cannot be written to and on file systems without locks: only DuckDB's own lock remains
    /// there.
    file: Option<File>,
}

impl FileLock {
    /// Locks a query's file, which need not exist.
    ///
    /// # Errors
    /// `cache_busy` if another process, or another cache of this one, has the lock; those of opening the lock file.
    pub(crate) fn take(path: &Path) -> Result<Self> {
        if !is_writable(path) {
            return Ok(Self { file: None });
        }
        let place = lock_path(path);
        match lock_file(&place).map_err(|error| CacheError::of_folder(&place, &error))? {
            Taken::Locked(file) => {
                restrict_to_owner(&place);
                Ok(Self { file: Some(file) })
            }
            Taken::Unsupported => Ok(Self { file: None }),
            Taken::Busy => Err(busy()),
        }
    }

    /// Removes the lock file, once the files that it protects are gone.
    pub(crate) fn remove(self, path: &Path) {
        // Only Unix can detect that an open lock file was replaced; elsewhere the empty file stays.
        if cfg!(unix) && self.file.is_some() {
            let _ = fs::remove_file(lock_path(path));
        }
    }
}

/// The outcome of locking a file.
#[derive(Debug)]
pub(crate) enum Taken {
    /// It is locked until the handle is closed.
    Locked(File),
    /// The folder cannot be written to, or its file system has no locks.
    Unsupported,
    /// Another process has the lock, or another part of this one.
    Busy,
}

/// Locks a file, which is created if it is missing. Links are not followed.
///
/// # Errors
/// Those of opening the file.
pub(crate) fn lock_file(place: &Path) -> io::Result<Taken> {
    for _ in 0..TRIES {
        let file = match open_lock(place) {
            Ok(file) => file,
            Err(error) if is_refused(&error) => return Ok(Taken::Unsupported),
            Err(error) => return Err(error),
        };
        match file.try_lock() {
            Ok(()) if is_current(&file, place) => return Ok(Taken::Locked(file)),
            // Its last holder removed it before it was locked: try again with the new file.
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Taken::Busy),
            Err(TryLockError::Error(_)) => return Ok(Taken::Unsupported),
        }
    }
    Ok(Taken::Busy)
}

fn open_lock(place: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    }
    options.open(place)
}

fn busy() -> CacheError {
    CacheErrorKind::Busy(Holder::OtherProcess).into()
}

/// Whether an open file is still the one that its path leads to.
fn is_current(file: &File, place: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let (Ok(open), Ok(there)) = (file.metadata(), fs::metadata(place)) else { return false };
        (open.dev(), open.ino()) == (there.dev(), there.ino())
    }
    #[cfg(not(unix))]
    {
        let _ = (file, place);
        true
    }
}

/// Whether a program that does not use these locks has a file open: an older Tidemark, or DuckDB itself. Call it with
/// the lock held: this process then does not have the file open, so closing it here releases none of its locks.
pub(crate) fn is_open_elsewhere(path: &Path) -> bool {
    #[cfg(unix)]
    {
        let Ok(file) = File::options().read(true).write(true).open(path) else { return false };
        let tried = rustix::fs::fcntl_lock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive);
        matches!(tried, Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS))
    }
    // Elsewhere the system does not allow an open file to be removed.
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

/// What is held from before a file is opened until after it is closed. Fields are released in this order.
#[derive(Debug)]
pub(crate) struct Hold {
    /// Keeps other processes out.
    pub(crate) lock: FileLock,
    /// Allows a cache to have a file open only once: the next opening waits for it.
    _gate: OwnedMutexGuard<()>,
}

impl Hold {
    pub(crate) const fn new(lock: FileLock, gate: OwnedMutexGuard<()>) -> Self {
        Self { lock, _gate: gate }
    }
}

/// Removes a file, the files beside it, and its lock.
pub(crate) fn remove(path: &Path, hold: Hold) -> Result<()> {
    remove_files(path)?;
    hold.lock.remove(path);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_it_at_a_time_also_after_it_was_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.duckdb");
        let first = FileLock::take(&path).expect("nobody has it");
        assert_eq!(
            *FileLock::take(&path).expect_err("taken").kind(),
            CacheErrorKind::Busy(Holder::OtherProcess)
        );
        first.remove(&path);
        let second = FileLock::take(&path).expect("given back");
        assert_eq!(
            *FileLock::take(&path).expect_err("taken").kind(),
            CacheErrorKind::Busy(Holder::OtherProcess)
        );
        drop(second);
        drop(FileLock::take(&path).expect("given back"));
    }

    #[test]
    fn a_folder_that_is_gone_is_no_busy_file() {
        let failure = FileLock::take(Path::new("no/such/folder/a.duckdb")).expect_err("no folder");
        assert_eq!(*failure.kind(), CacheErrorKind::Folder);
    }
}
