//! What the files of the folder hold, kept in memory as long as they do not change, so that the list of cached queries
//! and a plan open no file a second time.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use crate::cache::file::cache_file::CacheFile;
use crate::cache::file::ledger::FileState;
use crate::cache::file::meta::Identity;
use crate::cache::file::paths::wal_path;
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

/// The files that have been read, by path.
#[derive(Debug, Default)]
pub(crate) struct Catalog(Mutex<HashMap<PathBuf, (Stamp, CatalogEntry)>>);

/// Which bytes an entry is about: length and modification time of the file and of its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    file: Option<(u64, SystemTime)>,
    log: Option<(u64, SystemTime)>,
}

impl Stamp {
    pub(crate) fn of(path: &Path) -> Self {
        let of = |path: &Path| {
            let found = fs::metadata(path).ok()?;
            Some((found.len(), found.modified().ok()?))
        };
        Self { file: of(path), log: of(&wal_path(path)) }
    }
}

impl Catalog {
    pub(crate) fn get(&self, path: &Path, stamp: Stamp) -> Option<CatalogEntry> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(path).filter(|(of, _)| *of == stamp).map(|(_, entry)| entry.clone())
    }

    pub(crate) fn put(&self, path: &Path, stamp: Stamp, entry: CatalogEntry) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), (stamp, entry));
    }

    pub(crate) fn remove(&self, path: &Path) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
    }
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
        assert!(cache.listed(&path).expect_err("it has changed, and is damaged").is_damage());
        fs::write(&path, &whole).expect("the file");
        assert_eq!(cache.listed(&path).expect("it is whole").state.days.len(), 1);

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
