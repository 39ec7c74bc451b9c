//! The disk space that the cache takes: measures it, records when a query was used, stores the budget, and evicts in
//! the order that [`budget`] gives.
//!
//! When a query was used is the modification time of an empty file beside its own, `<signature>.used`: a query's file
//! is locked while it is open, and listing the queries must not count as use. Two more files record whether it is
//! pinned and its format version; see [`paths`](crate::cache::file::paths). Eviction reads those, and opens the
//! database only if the format is not noted. The budget is in `tidemark.json` in the cache folder, so that it moves
//! with the cache.

use std::fs::{self, File};
use std::path::Path;
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use super::budget::{self, CacheEntry, DEFAULT_BUDGET, EvictionReport};
use super::folder::{Cache, list_or_empty};
use crate::cache::file::access::is_writable;
use crate::cache::file::error::{CacheError, CacheErrorKind, Result};
use crate::cache::file::lock::{is_open_elsewhere, remove};
use crate::cache::file::paths::{
    export_dir, is_cache_file, is_family, is_moved_aside, is_pinned, last_used_path, list, noted_format,
    remove_files, restrict_to_owner, spill_dir, wal_path,
};
use crate::cache::file::schema::FORMAT;
use crate::query::signature::Signature;

/// The file with the settings of the whole folder.
pub(super) const SETTINGS: &str = "tidemark.json";

#[derive(Debug, Serialize, Deserialize)]
struct Settings {
    budget_bytes: u64,
}

impl Cache {
    /// Bytes that the cache may take. `None` if the settings cannot be read, so that nothing is deleted by a rule
    /// that the trader did not set.
    #[must_use]
    pub fn budget(&self) -> Option<u64> {
        match fs::read(self.folder().join(SETTINGS)) {
            Ok(text) => serde_json::from_slice::<Settings>(&text).ok().map(|settings| settings.budget_bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some(DEFAULT_BUDGET),
            Err(_) => None,
        }
    }

    /// Sets the bytes that the cache may take. Evicts nothing yet.
    ///
    /// # Errors
    /// `disk_full`, `cache_unusable` if the folder cannot be written to.
    pub fn set_budget(&self, bytes: u64) -> Result<()> {
        let path = self.folder().join(SETTINGS);
        let new = path.with_extension("json.new");
        let text = serde_json::to_vec(&Settings { budget_bytes: bytes }).expect("a number can be written");
        fs::write(&new, text)
            .and_then(|()| {
                // Others may be able to write to the folder; through this file they could have everything removed.
                restrict_to_owner(&new);
                fs::rename(&new, &path)
            })
            .map_err(|error| CacheError::of_folder(&path, &error))
    }

    /// All cached queries and damaged files in the folder.
    ///
    /// # Errors
    /// `cache_unusable` if the folder cannot be listed.
    pub fn entries(&self) -> Result<Vec<CacheEntry>> {
        let mut found = Vec::new();
        for family in list(self.folder())?.into_iter().filter(|path| is_family(path)) {
            // Files that are not ours are not counted, and never removed.
            for path in
                list_or_empty(&family).into_iter().filter(|path| is_cache_file(path) || is_moved_aside(path))
            {
                let query = path.file_stem().and_then(|stem| Signature::parse(&stem.to_string_lossy()).ok());
                let (bytes, last_used) = (bytes_of(&path), last_used(&path));
                found.push(CacheEntry { path, query, bytes, last_used });
            }
        }
        Ok(found)
    }

    /// Records that a query was used. If that fails, the query may be evicted too early.
    pub fn note_use(&self, path: &Path, at: DateTime<Utc>) {
        if path.exists() && is_writable(path) {
            let note = last_used_path(path);
            let mark = File::options().create(true).truncate(true).write(true).open(&note);
            let _ = mark.and_then(|mark| mark.set_modified(SystemTime::from(at)));
            restrict_to_owner(&note);
        }
    }

    /// Evicts queries until the cache fits its budget. Those that are pinned, open or written by a newer Tidemark
    /// stay, and those for which `try_exclusive` returns no guard: a query must not be answered while it is removed.
    ///
    /// # Errors
    /// `cache_unusable` if the folder cannot be listed.
    pub fn evict<G>(
        &self,
        budget: u64,
        try_exclusive: impl Fn(&Signature) -> Option<G>,
    ) -> Result<EvictionReport> {
        let mut newer = 0;
        let mut report = budget::evict_until_fits(&self.entries()?, budget, |entry| {
            let is_evicted = match &entry.query {
                Some(signature) => try_exclusive(signature).is_some_and(|_guard| {
                    self.try_evict(&entry.path).unwrap_or_else(|error| {
                        newer += usize::from(is_newer(&error));
                        false
                    })
                }),
                None => !is_pinned(&entry.path) && remove_files(&entry.path).is_ok(),
            };
            if is_evicted {
                info!(file = entry.path.display().to_string(), bytes = entry.bytes, "evicted");
            }
            is_evicted
        });
        report.newer = newer;
        if report.left > budget {
            warn!(
                left = report.left,
                budget,
                newer,
                "the cache exceeds its budget: what remains is pinned, in use or of a newer Tidemark"
            );
        }
        Ok(report)
    }

    /// What [`evict`](Self::evict) would evict now. Evicts nothing.
    ///
    /// # Errors
    /// `cache_unusable` if the folder cannot be listed.
    pub fn would_evict(&self, budget: u64, may_lock: impl Fn(&Signature) -> bool) -> Result<EvictionReport> {
        let mut newer = 0;
        let report = budget::evict_until_fits(&self.entries()?, budget, |entry| match &entry.query {
            Some(signature) if may_lock(signature) => self.may_evict(&entry.path).unwrap_or_else(|error| {
                newer += usize::from(is_newer(&error));
                false
            }),
            Some(_) => false,
            None => !is_pinned(&entry.path),
        });
        Ok(EvictionReport { newer, ..report })
    }

    /// Whether [`try_evict`](Self::try_evict) would delete a query's file.
    fn may_evict(&self, path: &Path) -> Result<bool> {
        if !is_writable(path) || is_pinned(path) || self.is_in_use(path) {
            return Ok(false);
        }
        match noted_format(path) {
            Some(format) => expect_known(format)?,
            // The file is opened before it is deleted, and stays if it cannot be opened.
            None => drop(self.listed(path)?),
        }
        Ok(!is_pinned(path))
    }

    /// Deletes a query's file, unless it is open here or elsewhere, pinned, or written by a newer Tidemark. Returns
    /// whether it did.
    fn try_evict(&self, path: &Path) -> Result<bool> {
        if !is_writable(path) {
            return Ok(false);
        }
        if noted_format(path).is_none() {
            // An older Tidemark wrote it, and it has not been opened since: its pin is in the file. Opening it once
            // moves the pin; a file that cannot be opened stays.
            drop(self.open_listed(path)?);
        }
        self.while_closed(path, |hold| {
            let format = noted_format(path);
            format.map(expect_known).transpose()?;
            let goes = format.is_some() && !is_pinned(path) && !is_open_elsewhere(path);
            if goes {
                remove(path, hold)?;
            }
            Ok(goes)
        })
    }
}

fn is_newer(error: &CacheError) -> bool {
    matches!(error.kind(), CacheErrorKind::NewerFormat(_))
}

/// # Errors
/// `cache_unusable` for the format of a newer Tidemark, whose files are never evicted.
fn expect_known(format: u32) -> Result<()> {
    if format > FORMAT { Err(CacheError::newer(format!("format {format}"))) } else { Ok(()) }
}

/// When a query was last fetched, shown or exported. A file that was copied from elsewhere has no record of it: then
/// its own modification time counts.
pub(crate) fn last_used(path: &Path) -> DateTime<Utc> {
    let modified = |path: &Path| fs::metadata(path).and_then(|found| found.modified());
    modified(&last_used_path(path)).or_else(|_| modified(path)).map_or(DateTime::UNIX_EPOCH, DateTime::from)
}

/// Bytes that a query takes: its file, its log, its spills, and exports that are being written.
pub(crate) fn bytes_of(path: &Path) -> u64 {
    let size = |path: &Path| fs::metadata(path).map_or(0, |found| found.len());
    let beside = [spill_dir(path), export_dir(path)];
    let spilled: Vec<_> = beside.iter().flat_map(|folder| list(folder).unwrap_or_default()).collect();
    size(path) + size(&wal_path(path)) + spilled.iter().map(|path| size(path)).sum::<u64>()
}
