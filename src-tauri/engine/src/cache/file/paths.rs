//! What lies beside a query's file. Each fact has a small file of its own, so that it can be read without opening the
//! query:
//!
//! | extension | meaning |
//! |---|---|
//! | `used` | its modification time is that of the query's last use |
//! | `pinned` | the query is pinned |
//! | `format` | the file's format, and the size and modification time that the file had when it was noted |
//! | `lock` | locked while the file is open or being removed |
//! | `spill` | a folder: DuckDB's spills |
//! | `export` | a folder: exports that are being written |
//!
//! The format is noted when a file is closed. A valid note means that `pinned` is up to date and that no newer
//! program wrote the file. The note is ignored if the file has changed since or has a log: a program was killed while
//! writing it, an older Tidemark wrote it, or it is a different file.

use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{fs, io};

use file_id::FileId;

use super::error::{CacheError, Result};
use crate::query::signature::Signature;

/// Whether an extension is that of a cached query's file or of a file beside it.
pub(crate) fn is_of_cache(ending: &str) -> bool {
    ["duckdb", "wal", "used", "pinned", "format", "lock"].contains(&ending)
}

/// The folder where DuckDB puts what does not fit into memory.
pub(crate) fn spill_dir(path: &Path) -> PathBuf {
    path.with_extension("spill")
}

/// The folder where exports are written until they are complete.
pub(crate) fn export_dir(path: &Path) -> PathBuf {
    path.with_extension("export")
}

/// The folder where an export is written if the cache's own disk is full. It is created on demand, by this process
/// only, and removed with the export.
pub(crate) fn spare_export_dir(path: &Path) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    std::env::temp_dir().join(format!("tidemark-export-{}-{stem}", std::process::id()))
}

/// Removes what a killed process had spilled or was exporting: DuckDB cleans up only after itself. Call it while
/// nothing else has the file open.
pub(crate) fn clear_spill(path: &Path) {
    // What cannot be removed takes up space and does no other harm.
    let _ = fs::remove_dir_all(spill_dir(path));
    let _ = fs::remove_dir_all(export_dir(path));
}

/// The path of an empty file whose modification time is that of the query's last use.
pub(crate) fn last_used_path(path: &Path) -> PathBuf {
    path.with_extension("used")
}

/// The path of the pin, an empty file.
pub(crate) fn pin_path(path: &Path) -> PathBuf {
    path.with_extension("pinned")
}

/// The path of the file that is locked in place of the query's file, which may be replaced by a different one of the
/// same name.
pub(crate) fn lock_path(path: &Path) -> PathBuf {
    path.with_extension("lock")
}

fn format_path(path: &Path) -> PathBuf {
    path.with_extension("format")
}

/// The path of DuckDB's log of what is not in the file yet.
pub(crate) fn wal_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".wal");
    PathBuf::from(name)
}

/// Whether a file is pinned. If this cannot be determined, it counts as pinned.
pub(crate) fn is_pinned(path: &Path) -> bool {
    pin_path(path).try_exists().unwrap_or(true)
}

/// Sets or removes the pin.
pub(crate) fn write_pin(path: &Path, pinned: bool) -> io::Result<()> {
    let pin = pin_path(path);
    if pinned {
        fs::write(&pin, "")?;
        restrict_to_owner(&pin);
        return Ok(());
    }
    remove_if_there(&pin)
}

/// The format noted beside a file; `None` if it has not been noted since the file was last written.
pub(crate) fn noted_format(path: &Path) -> Option<u32> {
    let note = fs::read_to_string(format_path(path)).ok()?;
    let (format, bytes) = note.split_once(' ')?;
    (bytes == bytes_noted(path)? && !wal_path(path).try_exists().ok()?).then(|| format.parse().ok())?
}

/// Notes the format of a file that is closed and whose pin, if there is one, lies beside it.
pub(crate) fn note_format(path: &Path, format: u32) -> io::Result<()> {
    let Some(bytes) = bytes_noted(path) else { return Ok(()) };
    let text = format!("{format} {bytes}");
    let note = format_path(path);
    if fs::read_to_string(&note).is_ok_and(|known| known == text) {
        return Ok(());
    }
    fs::write(&note, text)?;
    restrict_to_owner(&note);
    Ok(())
}

/// The version of a file that a note is about: its size and modification time.
fn bytes_noted(path: &Path) -> Option<String> {
    let found = fs::metadata(path).ok()?;
    let written = found.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(format!("{} {}", found.len(), written.as_nanos()))
}

/// Everything that is removed with a file, in this order. If the program is killed in between, no log is left without
/// its file, where the next file of that name would take it for its own, and no pin outlives the query. A file
/// without its log lacks what was committed last; those days are fetched again.
pub(crate) fn files_of(path: &Path) -> [PathBuf; 5] {
    [pin_path(path), wal_path(path), path.to_owned(), last_used_path(path), format_path(path)]
}

/// What moves with a file that is moved aside: its last use and its pin.
pub(crate) fn marks_of(path: &Path) -> [PathBuf; 2] {
    [last_used_path(path), pin_path(path)]
}

/// File name extension of a cache file.
pub(crate) const ENDING: &str = "duckdb";

/// Whether anything exists at a path. A path that cannot be examined is an error, not a missing file.
pub(crate) fn is_there(path: &Path) -> Result<bool> {
    path.try_exists().map_err(|error| CacheError::of_folder(path, &error))
}

/// Which file a path leads to, whatever its name; `None` if that cannot be determined.
pub(crate) fn file_id(path: &Path) -> Option<FileId> {
    file_id::get_file_id(path).ok()
}

pub(crate) fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .map_err(|error| CacheError::of_folder(folder, &error))
}

/// Whether a path is the folder of a family of queries. The cache folder may have others: a volume has some of its own
/// that may not even be read.
pub(crate) fn is_family(path: &Path) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(|name| Signature::parse(name).is_ok())
        && path.is_dir()
}

pub(crate) fn is_cache_file(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == ENDING)
        && path.file_stem().and_then(|stem| stem.to_str()).is_some_and(|stem| Signature::parse(stem).is_ok())
}

/// Whether a file is a damaged one that was moved aside: `<signature>.damaged-<time>.duckdb`.
pub(crate) fn is_moved_aside(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == ENDING)
        && !is_cache_file(path)
        && signature_in(path).is_some()
}

/// The signature in the name of a query's file or of a damaged one that was moved aside.
pub(crate) fn signature_in(path: &Path) -> Option<Signature> {
    let stem = path.file_stem()?.to_str()?;
    Signature::parse(stem.split_once(".damaged-").map_or(stem, |(signature, _)| signature)).ok()
}

/// Removes a file, its log, the notes beside it, and what a killed process had spilled.
pub(crate) fn remove_files(path: &Path) -> Result<()> {
    clear_spill(path);
    for file in files_of(path) {
        remove_if_there(&file).map_err(|error| CacheError::of_folder(&file, &error))?;
    }
    Ok(())
}

/// Removes a file if there is one.
pub(crate) fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Restricts a file or folder to its owner: on Unix through its mode; on Windows the user's own profile folder
/// already keeps others out.
pub(crate) fn restrict_to_owner(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = if path.is_dir() { 0o700 } else { 0o600 };
        // A file system without modes (a USB stick) is no reason to refuse to work.
        let _ = std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = path;
}
