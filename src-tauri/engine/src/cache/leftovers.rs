//! What lies beside a query's file, each a small file of its own so that nobody has to open the query to know it:
//!
//! | ending | what it says |
//! |---|---|
//! | `used` | its time is that of the query's last use |
//! | `pinned` | the query is pinned |
//! | `format` | the file's format, and the bytes that it is said of by their number and time: who knows it knows that `pinned` is the whole truth, and that no newer program wrote the file |
//! | `lock` | is locked while the file is open, or being removed |
//! | `spill` | a folder: what DuckDB has spilled |
//! | `export` | a folder: what is being exported |
//!
//! The format is noted when a file is closed. The note is ignored if the file has changed since or has a log: a
//! program was killed while writing it, an older Tidemark wrote it, or it is a different file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::file::restrict_to_owner;

/// Whether a name with this ending is that of a cached query's file, or of what lies beside it.
pub(super) fn is_of_cache(ending: &str) -> bool {
    ["duckdb", "wal", "used", "pinned", "format", "lock"].contains(&ending)
}

/// Where DuckDB puts what does not fit into memory.
pub(super) fn spill_of(path: &Path) -> PathBuf {
    path.with_extension("spill")
}

/// Where exports are written until they are whole.
pub(super) fn export_of(path: &Path) -> PathBuf {
    path.with_extension("export")
}

/// Where an export is written if the cache's own disk has no room for it. The folder is made when it is needed, by
/// this process alone, and goes with the export.
pub(super) fn spare_export_of(path: &Path) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    std::env::temp_dir().join(format!("tidemark-export-{}-{stem}", std::process::id()))
}

/// Removes what a program that was killed had spilled or was exporting: DuckDB cleans up only after itself.
/// Nobody else has the file open.
pub(super) fn clear_spill(path: &Path) {
    // What cannot be removed takes up room and does no other harm.
    let _ = fs::remove_dir_all(spill_of(path));
    let _ = fs::remove_dir_all(export_of(path));
}

/// The note of a query's last use: an empty file whose time is that of the use.
pub(super) fn mark_of(path: &Path) -> PathBuf {
    path.with_extension("used")
}

/// The pin: an empty file.
pub(super) fn pin_of(path: &Path) -> PathBuf {
    path.with_extension("pinned")
}

/// What is locked in place of the file itself, which may be replaced by another one of its name.
pub(super) fn lock_of(path: &Path) -> PathBuf {
    path.with_extension("lock")
}

fn format_path_of(path: &Path) -> PathBuf {
    path.with_extension("format")
}

/// DuckDB's log of what is not in the file yet.
pub(super) fn wal_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".wal");
    PathBuf::from(name)
}

/// Whether a file is pinned. A mark that cannot be looked at counts as one.
pub(super) fn is_pinned(path: &Path) -> bool {
    pin_of(path).try_exists().unwrap_or(true)
}

/// Sets or removes the pin.
pub(super) fn write_pin(path: &Path, pinned: bool) -> io::Result<()> {
    let pin = pin_of(path);
    if pinned {
        fs::write(&pin, "")?;
        restrict_to_owner(&pin);
        return Ok(());
    }
    match fs::remove_file(&pin) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The format that is noted beside a file; none where nobody has noted it since the file was last written.
pub(super) fn noted_format(path: &Path) -> Option<u32> {
    let note = fs::read_to_string(format_path_of(path)).ok()?;
    let (format, bytes) = note.split_once(' ')?;
    (bytes == bytes_noted(path)? && !wal_of(path).try_exists().ok()?).then(|| format.parse().ok())?
}

/// Notes the format of a file that is closed and whose pin stands beside it.
pub(super) fn note_format(path: &Path, format: u32) -> io::Result<()> {
    let Some(bytes) = bytes_noted(path) else { return Ok(()) };
    let text = format!("{format} {bytes}");
    let note = format_path_of(path);
    if fs::read_to_string(&note).is_ok_and(|known| known == text) {
        return Ok(());
    }
    fs::write(&note, text)?;
    restrict_to_owner(&note);
    Ok(())
}

/// Which bytes a note is about: how many they are, and when they were written.
fn bytes_noted(path: &Path) -> Option<String> {
    let found = fs::metadata(path).ok()?;
    let written = found.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(format!("{} {}", found.len(), written.as_nanos()))
}

/// Everything that is removed with a file, in this order: whatever moment the program is killed at, no log stays
/// without its file, which could be taken for that of the next file of the name, and no pin outlives the query.
/// A file without its log lacks what was committed last; those days are fetched again.
pub(super) fn files_of(path: &Path) -> [PathBuf; 5] {
    [pin_of(path), wal_of(path), path.to_owned(), mark_of(path), format_path_of(path)]
}

/// What moves with a file that is set aside: its age, and its pin.
pub(super) fn marks_of(path: &Path) -> [PathBuf; 2] {
    [mark_of(path), pin_of(path)]
}
