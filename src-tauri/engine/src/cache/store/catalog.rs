//! What the files of the folder hold, kept in memory as long as they do not change, so that the list of cached queries,
//! a plan and suggestions open no file a second time.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use file_id::FileId;

use crate::cache::file::cache_file::CacheFile;
use crate::cache::file::ledger::FileState;
use crate::cache::file::meta::Identity;
use crate::cache::file::paths::{file_id, wal_path};
use crate::query::collation::Collation;

/// What a cached query's file holds.
#[derive(Debug, Clone)]
pub struct CatalogEntry {
    /// The query.
    pub identity: Arc<Identity>,
    /// Its days.
    pub state: Arc<FileState>,
    /// How its source compares text.
    pub collation: Collation,
}

/// How many answers about the values of one file are kept.
const VALUES_PER_FILE: usize = 64;

/// How many trades a file is known to lack.
const LACKING_PER_FILE: usize = 20_000;

/// The files that have been read, by path.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    entries: Mutex<HashMap<PathBuf, (Stamp, CatalogEntry)>>,
    values: Mutex<HashMap<PathBuf, (Stamp, FoundValues)>>,
    lacking: Mutex<HashMap<PathBuf, (Stamp, HashSet<String>)>>,
}

/// What was found in one file, by what was asked.
type FoundValues = HashMap<ValuesAsked, Vec<String>>;

/// A question about the values in a file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ValuesAsked {
    /// The path of the field.
    pub(crate) field: String,
    /// What the values begin with, ignoring case.
    pub(crate) prefix: String,
    /// The maximum number of values.
    pub(crate) limit: u32,
}

/// Which bytes an entry is about: which file it is, and the length and modification time of it and of its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    id: Option<FileId>,
    file: Option<(u64, SystemTime)>,
    log: Option<(u64, SystemTime)>,
}

impl Stamp {
    pub(crate) fn of(path: &Path) -> Self {
        let of = |path: &Path| {
            let found = fs::metadata(path).ok()?;
            Some((found.len(), found.modified().ok()?))
        };
        Self { id: file_id(path), file: of(path), log: of(&wal_path(path)) }
    }
}

impl Catalog {
    pub(crate) fn get(&self, path: &Path, stamp: Stamp) -> Option<CatalogEntry> {
        let known = lock(&self.entries);
        known.get(path).filter(|(of, _)| *of == stamp).map(|(_, entry)| entry.clone())
    }

    pub(crate) fn put(&self, path: &Path, stamp: Stamp, entry: CatalogEntry) {
        lock(&self.entries).insert(path.to_owned(), (stamp, entry));
    }

    /// The values that were found in the file while it was as it is now.
    pub(crate) fn values(&self, path: &Path, stamp: Stamp, asked: &ValuesAsked) -> Option<Vec<String>> {
        let known = lock(&self.values);
        known.get(path).filter(|(of, _)| *of == stamp).and_then(|(_, values)| values.get(asked).cloned())
    }

    pub(crate) fn put_values(&self, path: &Path, stamp: Stamp, asked: ValuesAsked, found: Vec<String>) {
        let mut known = lock(&self.values);
        let (of, values) = known.entry(path.to_owned()).or_insert_with(|| (stamp, FoundValues::new()));
        if *of != stamp || values.len() >= VALUES_PER_FILE {
            values.clear();
        }
        *of = stamp;
        values.insert(asked, found);
    }

    /// Whether the file, as it is now, is known to have none of these trades.
    pub(crate) fn lacks<'a>(
        &self,
        path: &Path,
        stamp: Stamp,
        mut keys: impl Iterator<Item = &'a String>,
    ) -> bool {
        let known = lock(&self.lacking);
        known.get(path).is_some_and(|(of, lacking)| *of == stamp && keys.all(|key| lacking.contains(key)))
    }

    /// Notes the keys of trades that the file, as it is now, does not have.
    pub(crate) fn put_lacking(&self, path: &Path, stamp: Stamp, keys: impl Iterator<Item = String>) {
        let mut known = lock(&self.lacking);
        let (of, lacking) = known.entry(path.to_owned()).or_insert_with(|| (stamp, HashSet::new()));
        if *of != stamp || lacking.len() >= LACKING_PER_FILE {
            lacking.clear();
        }
        *of = stamp;
        lacking.extend(keys);
    }

    pub(crate) fn remove(&self, path: &Path) {
        lock(&self.entries).remove(path);
        lock(&self.values).remove(path);
        lock(&self.lacking).remove(path);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl From<&CacheFile> for CatalogEntry {
    fn from(file: &CacheFile) -> Self {
        Self { identity: Arc::clone(file.identity()), state: file.state(), collation: file.collation() }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::cache::{Cache, fixtures};
    use crate::day::Day;

    /// Replaces the bytes of a file and keeps its length and times.
    fn overwrite_unnoticed(path: &Path, bytes: &[u8]) {
        let modified = fs::metadata(path).and_then(|found| found.modified()).expect("a time");
        fs::write(path, bytes).expect("the file");
        fs::File::options()
            .write(true)
            .open(path)
            .and_then(|file| file.set_modified(modified))
            .expect("its time");
    }

    #[test]
    fn a_file_is_opened_again_only_if_it_has_changed() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::new(folder.path(), 0).expect("a cache");
        let day = Day::from_number(20_000);
        let path = {
            let file = fixtures::file(&cache, &[]);
            fixtures::store(&file, day, DateTime::UNIX_EPOCH, 0..3);
            // An open file is read as it is.
            assert_eq!(cache.listed(file.path()).expect("it is open").state.days.len(), 1);
            file.path().to_owned()
        };
        for _ in 0..2 {
            assert_eq!(cache.listed(&path).expect("it opens").state.days[&day].input_rows, 3);
        }
        let whole = fs::read(&path).expect("the file");
        overwrite_unnoticed(&path, &vec![7; whole.len()]);
        assert_eq!(cache.listed(&path).expect("it is not opened").state.days.len(), 1);
        fs::write(&path, vec![7; whole.len()]).expect("the file");
        assert!(cache.listed(&path).expect_err("it has changed, and is damaged").may_be_moved_aside());
        fs::write(&path, &whole).expect("the file");
        assert_eq!(cache.listed(&path).expect("it is whole").state.days.len(), 1);

        let asked = ValuesAsked { field: "product".to_owned(), prefix: String::new(), limit: 10 };
        let values = cache.values(&path, &asked).expect("it is whole");
        overwrite_unnoticed(&path, &vec![7; whole.len()]);
        assert_eq!(cache.values(&path, &asked).expect("it is not opened"), values);
        fs::write(&path, &whole).expect("the file");

        // What this program commits is known at once, and after the file is closed.
        let file = fixtures::file(&cache, &[]);
        fixtures::store(&file, Day::from_number(20_001), DateTime::UNIX_EPOCH, 0..5);
        assert_eq!(cache.listed(&path).expect("it is open").state.days.len(), 2);
        drop(file);
        assert_eq!(cache.listed(&path).expect("it opens").state.days.len(), 2);
        // Another process's changes are known, too.
        let other = Cache::new(folder.path(), 0).expect("a cache");
        fixtures::store(&fixtures::file(&other, &[]), Day::from_number(20_002), DateTime::UNIX_EPOCH, 0..5);
        assert_eq!(cache.listed(&path).expect("it opens").state.days.len(), 3);
        fs::remove_file(&path).expect("the file");
        assert!(cache.listed(&path).is_err());
    }
}
