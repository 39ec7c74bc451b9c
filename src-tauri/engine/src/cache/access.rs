//! Whether a cache file may be written: a folder on a disk that is mounted read-only, one that belongs to somebody
//! else, or a file without the right to write. Such a file is opened to be read, and nothing is written beside it.

use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::leftovers::{export_of, spill_of};
use crate::failure::{Code, Failure, Result};

/// How a file is opened, and where DuckDB may put what it spills and exports.
#[derive(Debug)]
pub(super) enum Access {
    /// It is written to, and so is its folder.
    Write,
    /// It is only read. What is spilled and exported goes to a private folder, which goes with the file's handle.
    Read(TempDir),
}

impl Access {
    /// How the file at a path is opened; whether it is there does not matter.
    ///
    /// # Errors
    /// `cache_unusable` or `disk_full` if there is no place for what is spilled.
    pub(super) fn of(path: &Path) -> Result<Self> {
        if is_writable(path) {
            return Ok(Self::Write);
        }
        let folder = tempfile::Builder::new().prefix("tidemark-").tempdir();
        folder.map(Self::Read).map_err(|error| super::folder::folder_failure(&std::env::temp_dir(), &error))
    }

    pub(super) const fn is_read_only(&self) -> bool {
        matches!(self, Self::Read(_))
    }

    /// Where DuckDB puts what does not fit into memory.
    pub(super) fn spill_of(&self, path: &Path) -> PathBuf {
        match self {
            Self::Write => spill_of(path),
            Self::Read(folder) => folder.path().join("spill"),
        }
    }

    /// Where exports are written until they are whole.
    pub(super) fn export_of(&self, path: &Path) -> PathBuf {
        match self {
            Self::Write => export_of(path),
            Self::Read(folder) => folder.path().join("export"),
        }
    }
}

/// Whether a file may be written and its folder may take others, without opening anything: closing a file would end
/// the locks that this program has on it. Of a file that is not there yet, the folder counts in which it would be made.
pub(super) fn is_writable(path: &Path) -> bool {
    let folder = path.ancestors().skip(1).find(|folder| folder.exists());
    (!path.exists() || may_be_written(path)) && folder.is_none_or(may_be_written)
}

/// Whether the system says that something may not be written.
pub(super) fn is_refused(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

fn may_be_written(path: &Path) -> bool {
    // A relative path may have an empty parent, which stands for the current folder.
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    #[cfg(unix)]
    {
        rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok()
    }
    // The mark means nothing on a folder there. One that takes no files says so when one is made.
    #[cfg(not(unix))]
    {
        path.is_dir() || path.metadata().is_ok_and(|found| !found.permissions().readonly())
    }
}

/// That nothing can be stored where the cache lies.
#[must_use]
pub fn read_only() -> Failure {
    Failure::new(
        Code::CacheUnusable,
        "The cache is read-only: what is cached can be shown, but nothing new can be stored.",
    )
    .advise("Choose a cache folder that you may write to, or ask for the right to write to this one.")
}
