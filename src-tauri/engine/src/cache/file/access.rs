//! Whether a cache file may be written. It may not if the disk is mounted read-only, the folder belongs to someone
//! else, or the file lacks write permission. Such a file is opened read-only, and nothing is written beside it.

use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::error::{CacheError, Result};
use super::paths::{export_dir, spill_dir};

/// How a file is opened, and where DuckDB may put its spills and exports.
#[derive(Debug)]
pub(crate) enum Access {
    /// The file and its folder are written to.
    Write,
    /// The file is only read. Spills and exports go to a private folder, which is removed with the file's handle.
    Read(TempDir),
}

impl Access {
    /// Decides how to open the file at a path. The file need not exist.
    ///
    /// # Errors
    /// `cache_unusable` or `disk_full` if no folder for spills can be created.
    pub(crate) fn of(path: &Path) -> Result<Self> {
        if is_writable(path) {
            return Ok(Self::Write);
        }
        let folder = tempfile::Builder::new().prefix("tidemark-").tempdir();
        folder.map(Self::Read).map_err(|error| CacheError::of_folder(&std::env::temp_dir(), &error))
    }

    pub(crate) const fn is_read_only(&self) -> bool {
        matches!(self, Self::Read(_))
    }

    /// The folder where DuckDB puts what does not fit into memory.
    pub(crate) fn spill_dir(&self, path: &Path) -> PathBuf {
        match self {
            Self::Write => spill_dir(path),
            Self::Read(folder) => folder.path().join("spill"),
        }
    }

    /// The folder where exports are written until they are complete.
    pub(crate) fn export_dir(&self, path: &Path) -> PathBuf {
        match self {
            Self::Write => export_dir(path),
            Self::Read(folder) => folder.path().join("export"),
        }
    }
}

/// Whether a file may be written and its folder accepts new files. For a file that does not exist yet, the nearest
/// existing folder above it decides. Nothing is opened to find out: closing a file would release the locks that this
/// process has on it.
pub(crate) fn is_writable(path: &Path) -> bool {
    let folder = path.ancestors().skip(1).find(|folder| folder.exists());
    may_be_written(path) && folder.is_none_or(may_be_written)
}

/// Whether the system refused permission to write.
pub(crate) fn is_refused(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

/// Whether the system would let a path be written. A path that does not exist may be: another process may remove it
/// at any moment, so whether it is there and whether it is writable is one question.
fn may_be_written(path: &Path) -> bool {
    // A relative path may have an empty parent, which stands for the current folder.
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    #[cfg(unix)]
    {
        let found = rustix::fs::access(path, rustix::fs::Access::WRITE_OK);
        matches!(found, Ok(()) | Err(rustix::io::Errno::NOENT))
    }
    // Outside Unix, the read-only attribute means nothing on a folder. Creating a file in a folder that accepts none
    // fails by itself.
    #[cfg(not(unix))]
    {
        match path.metadata() {
            Ok(found) => found.is_dir() || !found.permissions().readonly(),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }
}
