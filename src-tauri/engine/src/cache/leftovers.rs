//! What lies beside a query's file: what is spilled, which a program that was killed leaves behind, and the
//! note of its last use.

use std::fs;
use std::path::{Path, PathBuf};

/// Where DuckDB puts what does not fit into memory.
pub(super) fn spill_of(path: &Path) -> PathBuf {
    path.with_extension("spill")
}

/// Removes what a program that was killed had spilled: DuckDB cleans up only after itself. Nobody else has
/// the file open.
pub(super) fn clear_spill(path: &Path) {
    // What cannot be removed takes up room and does no other harm.
    let _ = fs::remove_dir_all(spill_of(path));
}

/// The note of a query's last use: an empty file whose time is that of the use.
pub(super) fn mark_of(path: &Path) -> PathBuf {
    path.with_extension("used")
}
