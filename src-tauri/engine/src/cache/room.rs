//! The room that the cache takes: counts it, notes when a query was used, remembers the budget, and makes
//! room by the order that [`budget`](super::budget) gives.
//!
//! When a query was used is the time of an empty file beside its own, `<signature>.used`: a query's file
//! is locked while it is open, and looking at the list must not count as using. Two more files record whether it is
//! pinned and its format version; see [`leftovers`](super::leftovers). Eviction reads those and never opens the database.
//! The budget is in `tidemark.json` in the cache folder, so that it goes where the cache goes.

use std::fs::{self, File};
use std::path::Path;
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::access::is_writable;
use super::budget::{self, DEFAULT_BUDGET, Freed, Occupant};
use super::file::restrict_to_owner;
use super::folder::{Cache, folder_failure, is_cache_file, is_set_aside, list, remove, remove_files};
use super::leftovers::{export_of, is_pinned, mark_of, noted_format, spill_of, wal_of};
use super::lock::is_open_elsewhere;
use super::schema::FORMAT;
use crate::failure::Result;
use crate::query::signature::Signature;

/// What is remembered of the folder as a whole.
const SETTINGS: &str = "tidemark.json";

#[derive(Debug, Serialize, Deserialize)]
struct Settings {
    budget_bytes: u64,
}

impl Cache {
    /// Bytes that the cache may take. Where the settings cannot be read: nothing, so that nothing is
    /// deleted by a rule that the trader did not set.
    #[must_use]
    pub fn budget(&self) -> Option<u64> {
        match fs::read(self.folder().join(SETTINGS)) {
            Ok(text) => serde_json::from_slice::<Settings>(&text).ok().map(|settings| settings.budget_bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some(DEFAULT_BUDGET),
            Err(_) => None,
        }
    }

    /// Sets the bytes that the cache may take. Makes no room yet.
    ///
    /// # Errors
    /// `disk_full`, `cache_unusable` where the folder cannot be written to.
    pub fn set_budget(&self, bytes: u64) -> Result<()> {
        let path = self.folder().join(SETTINGS);
        let new = path.with_extension("json.new");
        let text = serde_json::to_vec(&Settings { budget_bytes: bytes }).expect("a number can be written");
        fs::write(&new, text)
            .and_then(|()| {
                // The folder may be one that others may write to: they could have everything removed.
                restrict_to_owner(&new);
                fs::rename(&new, &path)
            })
            .map_err(|error| folder_failure(&path, &error))
    }

    /// Everything in the folder that takes up room.
    ///
    /// # Errors
    /// `cache_unusable` where the folder cannot be listed.
    pub fn occupants(&self) -> Result<Vec<Occupant>> {
        let mut found = Vec::new();
        for family in list(self.folder())?.into_iter().filter(|path| path.is_dir()) {
            // What is not ours is not counted, and never goes.
            for path in list(&family)?.into_iter().filter(|path| is_cache_file(path) || is_set_aside(path)) {
                let query = path.file_stem().and_then(|stem| Signature::parse(&stem.to_string_lossy()).ok());
                let (bytes, last_used) = (bytes_of(&path), last_used(&path));
                found.push(Occupant { path, query, bytes, last_used });
            }
        }
        Ok(found)
    }

    /// Notes that a query was used. A note that cannot be written costs the query its place in the order.
    pub fn note_use(&self, path: &Path, at: DateTime<Utc>) {
        if path.exists() && is_writable(path) {
            let note = mark_of(path);
            let mark = File::options().create(true).truncate(true).write(true).open(&note);
            let _ = mark.and_then(|mark| mark.set_modified(SystemTime::from(at)));
            restrict_to_owner(&note);
        }
    }

    /// Makes room until the cache fits its budget. What is pinned or open is left, what a newer Tidemark wrote, and
    /// what `alone` does not give: it has a query for the caller alone as long as what it gives lives.
    ///
    /// # Errors
    /// `cache_unusable` where the folder cannot be listed.
    pub fn make_room<G>(&self, budget: u64, alone: impl Fn(&Signature) -> Option<G>) -> Result<Freed> {
        Ok(budget::fit(&self.occupants()?, budget, |occupant| match &occupant.query {
            Some(signature) => {
                alone(signature).is_some_and(|_alone| self.let_go(&occupant.path).unwrap_or(false))
            }
            None => !is_pinned(&occupant.path) && remove_files(&occupant.path).is_ok(),
        }))
    }

    /// Deletes a query's file that is neither open, here or elsewhere, nor pinned, nor of a newer Tidemark;
    /// whether it did.
    fn let_go(&self, path: &Path) -> Result<bool> {
        if !is_writable(path) {
            return Ok(false);
        }
        if noted_format(path).is_none() {
            // An older Tidemark wrote it, and nobody has opened it since: its pin is in the file. Opening it once
            // moves the pin; a file that cannot be opened stays.
            drop(self.open_listed(path)?);
        }
        self.while_closed(path, |hold| {
            let is_known = noted_format(path).is_some_and(|format| format <= FORMAT);
            let goes = is_known && !is_pinned(path) && !is_open_elsewhere(path);
            if goes {
                remove(path, hold)?;
            }
            Ok(goes)
        })
    }
}

/// When a query was last fetched, shown or exported. A copy that came from elsewhere has no note: then it is
/// as old as its file.
pub(crate) fn last_used(path: &Path) -> DateTime<Utc> {
    let modified = |path: &Path| fs::metadata(path).and_then(|found| found.modified());
    modified(&mark_of(path)).or_else(|_| modified(path)).map_or(DateTime::UNIX_EPOCH, DateTime::from)
}

/// Bytes that a query takes: its file, its log, and what is spilled.
pub(crate) fn bytes_of(path: &Path) -> u64 {
    let size = |path: &Path| fs::metadata(path).map_or(0, |found| found.len());
    let beside = [spill_of(path), export_of(path)];
    let spilled: Vec<_> = beside.iter().flat_map(|folder| list(folder).unwrap_or_default()).collect();
    size(path) + size(&wal_of(path)) + spilled.iter().map(|path| size(path)).sum::<u64>()
}
