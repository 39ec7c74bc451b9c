//! Moves the cache to a different folder.
//!
//! Everything is copied first, by links where both folders are on one file system, and nothing is removed before all
//! of it is there: a failure leaves the old folder as it was. A file that another process changed after it was copied
//! is copied again before it is removed.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tracing::{info, warn};

use super::folder::{Cache, create_private};
use crate::cache::file::error::{BadPath, CacheError, CacheErrorKind, Result};
use crate::cache::file::lock::{is_open_elsewhere, remove};
use crate::cache::file::paths::{files_of, is_moved_aside, remove_files};
use crate::cache::store::eviction::SETTINGS;

/// The name of the folder that is made inside a chosen folder that is not empty.
const OWN_FOLDER: &str = "tidemark-cache";

/// A cache that was copied to a different folder. The old one is still complete.
#[derive(Debug)]
pub struct Copied {
    from: Cache,
    to: PathBuf,
    files: Vec<CopiedFile>,
}

#[derive(Debug)]
struct CopiedFile {
    path: PathBuf,
    target: PathBuf,
    /// What it was when it was copied.
    copied: Stamps,
}

/// The sizes and modification times of a file and of those beside it.
type Stamps = Vec<Option<(u64, SystemTime)>>;

impl Cache {
    /// The folder that a cache is moved to if a person chooses `chosen`: that folder if it is empty or does not exist,
    /// otherwise one of its own inside.
    ///
    /// # Errors
    /// `cache_unusable` if the folder in question is not empty either, is inside the cache, or contains it.
    pub fn place_in(&self, chosen: &Path) -> Result<PathBuf> {
        let is_free = |folder: &Path| match fs::read_dir(folder) {
            Ok(mut entries) => Ok(entries.next().is_none()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            Err(error) => Err(CacheError::of_folder(folder, &error)),
        };
        let place = if is_free(chosen)? { chosen.to_owned() } else { chosen.join(OWN_FOLDER) };
        let (real, own) = (real_path(&place), real_path(self.folder()));
        if !is_free(&place)? || real.starts_with(&own) || own.starts_with(&real) {
            return Err(CacheErrorKind::Path(BadPath::NotEmpty).into());
        }
        Ok(place)
    }

    /// Copies everything to a folder that [`place_in`](Self::place_in) returned. Files that are open for reading are
    /// closed.
    ///
    /// # Errors
    /// `cache_busy` if a file is in use, `disk_full`, `cache_unusable`. What was copied is then removed again.
    pub fn copy_to(&self, folder: &Path) -> Result<Copied> {
        create_private(folder)?;
        let mut copied = Copied { from: self.clone(), to: folder.to_owned(), files: Vec::new() };
        match self.copy_each(&mut copied) {
            Ok(()) => Ok(copied),
            Err(error) => {
                copied.discard();
                Err(error)
            }
        }
    }

    fn copy_each(&self, copied: &mut Copied) -> Result<()> {
        let settings = self.folder().join(SETTINGS);
        copy(&settings, &copied.to.join(SETTINGS))?;
        for entry in self.entries()? {
            let path = entry.path;
            let family = path.parent().and_then(Path::file_name).unwrap_or_default();
            let family = copied.to.join(family);
            create_private(&family)?;
            let target = family.join(path.file_name().unwrap_or_default());
            // Noted first, so that what is copied in part is removed as well if it fails.
            copied.files.push(CopiedFile {
                path: path.clone(),
                target: target.clone(),
                copied: Stamps::new(),
            });
            let stamps = if is_moved_aside(&path) {
                copy_files(&path, &target)?
            } else {
                self.while_closed(&path, |_hold| {
                    if is_open_elsewhere(&path) {
                        return Err(super::folder::in_use());
                    }
                    copy_files(&path, &target)
                })?
            };
            if let Some(last) = copied.files.last_mut() {
                last.copied = stamps;
            }
        }
        Ok(())
    }
}

impl Copied {
    /// The new folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.to
    }

    /// Removes the old files, and the old folder if nothing else is in it. One that is in use by another process
    /// stays where it is.
    pub fn remove_originals(self) {
        let mut left = 0;
        for CopiedFile { path, target, copied } in &self.files {
            let removed = if is_moved_aside(path) {
                remove_files(path)
            } else {
                self.from.while_closed(path, |hold| {
                    if is_open_elsewhere(path) {
                        return Err(super::folder::in_use());
                    }
                    if stamps_of(path) != *copied {
                        remove_files(target)?;
                        copy_files(path, target)?;
                    }
                    remove(path, hold)
                })
            };
            if let Err(error) = removed {
                warn!(file = path.display().to_string(), "a file stays in the old cache folder: {error}");
                left += 1;
            }
            if let Some(family) = path.parent() {
                // Succeeds for the last file of a family.
                let _ = fs::remove_dir(family);
            }
        }
        if left == 0 {
            let _ = fs::remove_file(self.from.folder().join(SETTINGS));
            let _ = fs::remove_dir(self.from.folder());
        }
        info!(folder = self.to.display().to_string(), left, "the cache was moved");
    }

    /// Removes the copies.
    pub fn discard(self) {
        for CopiedFile { target, .. } in &self.files {
            if let Err(error) = remove_files(target) {
                warn!("a copy stays: {error}");
            }
            let _ = target.parent().map(fs::remove_dir);
        }
        let _ = fs::remove_file(self.to.join(SETTINGS));
        let _ = fs::remove_dir(&self.to);
    }
}

/// Copies a cache file and those beside it. Returns what they were.
fn copy_files(path: &Path, target: &Path) -> Result<Stamps> {
    let stamps = stamps_of(path);
    for (file, copy_of_it) in files_of(path).iter().zip(files_of(target)) {
        copy(file, &copy_of_it)?;
    }
    Ok(stamps)
}

fn stamps_of(path: &Path) -> Stamps {
    let stamp = |file: &PathBuf| {
        let found = fs::metadata(file).ok()?;
        Some((found.len(), found.modified().ok()?))
    };
    files_of(path).iter().map(stamp).collect()
}

/// Copies a file with its modification time, by a link if the file system can. A missing file is not copied.
fn copy(file: &Path, target: &Path) -> Result<()> {
    if fs::hard_link(file, target).is_ok() {
        return Ok(());
    }
    let copied = fs::metadata(file).and_then(|found| {
        fs::copy(file, target)?;
        let copy = File::options().write(true).open(target)?;
        copy.set_modified(found.modified()?)?;
        // The original is removed afterwards.
        copy.sync_all()
    });
    match copied {
        Err(error) if error.kind() == io::ErrorKind::NotFound && !file.exists() => Ok(()),
        other => other.map_err(|error| CacheError::of_folder(target, &error)),
    }
}

/// A path without links, as far as it exists.
fn real_path(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut rest = Vec::new();
    let mut known = absolute.as_path();
    loop {
        if let Ok(real) = fs::canonicalize(known) {
            return rest.iter().rev().fold(real, |real, part| real.join(part));
        }
        match (known.parent(), known.file_name()) {
            (Some(parent), Some(name)) => {
                rest.push(name);
                known = parent;
            }
            _ => return absolute,
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::cache::file::error::Holder;
    use crate::cache::file::paths::{is_pinned, last_used_path, write_pin};
    use crate::cache::{Identity, fixtures};
    use crate::day::Day;
    use crate::failure::{Code, Failure};

    /// A cache with two queries, of which one is pinned.
    fn filled(folder: &Path) -> Cache {
        let cache = Cache::new(folder, 2).expect("a cache");
        for products in [&["Brent"][..], &["Gas"]] {
            let file = fixtures::file(&cache, products);
            fixtures::store(&file, Day::from_number(20_000), DateTime::UNIX_EPOCH, 0..100);
            cache.note_use(file.path(), DateTime::UNIX_EPOCH);
        }
        let first = cache.files().expect("files")[0].clone();
        write_pin(&first, true).expect("pinned");
        cache.set_budget(7_000_000_000).expect("a budget");
        cache
    }

    fn rows(cache: &Cache, product: &str) -> u64 {
        let identity = Identity::of(&fixtures::query(&[product]));
        let file = cache.open_existing(&identity).expect("opens").expect("is there");
        file.state().days.values().map(|held| held.input_rows).sum()
    }

    #[test]
    fn everything_moves_and_nothing_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let (old, new) = (folder.path().join("old"), folder.path().join("chosen"));
        let cache = filled(&old);
        let before = cache.entries().expect("entries");
        let place = cache.place_in(&new).expect("an empty place");
        assert_eq!(place, new);
        cache.copy_to(&place).expect("copied").remove_originals();

        let moved = Cache::new(&place, 2).expect("a cache");
        assert_eq!((rows(&moved, "Brent"), rows(&moved, "Gas")), (100, 100));
        assert_eq!(moved.budget(), Some(7_000_000_000));
        assert_eq!(moved.files().expect("files").iter().filter(|path| is_pinned(path)).count(), 1);
        let after = moved.entries().expect("entries");
        let ages = |entries: &[crate::cache::store::budget::CacheEntry]| {
            entries.iter().map(|entry| entry.last_used).collect::<Vec<_>>()
        };
        assert_eq!(ages(&before), ages(&after), "what is evicted first stays the same");
        assert!(!old.exists(), "the old folder is empty and gone");
    }

    #[test]
    fn a_folder_with_other_files_gets_a_folder_of_its_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = filled(&folder.path().join("old"));
        let chosen = folder.path().join("documents");
        fs::create_dir(&chosen).expect("a folder");
        fs::write(chosen.join("letter.txt"), "x").expect("a file");
        let place = cache.place_in(&chosen).expect("a place inside");
        assert_eq!(place, chosen.join(OWN_FOLDER));
        cache.copy_to(&place).expect("copied").remove_originals();
        assert!(chosen.join("letter.txt").exists());
        let again = Cache::new(&place, 0).expect("a cache");
        for taken in [&*place, &*chosen, &place.join("inside")] {
            let failure = Failure::from(again.place_in(taken).expect_err("it cannot move there"));
            assert_eq!(failure.code, Code::CacheUnusable, "{}: {failure:?}", taken.display());
        }
    }

    #[test]
    fn a_file_in_use_stops_the_move_and_loses_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        let cache = filled(&old);
        let reader = fixtures::file(&cache, &["Gas"]);
        let error = cache.copy_to(&new).expect_err("a file is being read");
        assert_eq!(*error.kind(), CacheErrorKind::Busy(Holder::ThisProcess));
        assert!(!new.exists(), "the copies are gone");
        drop(reader);
        assert_eq!((rows(&cache, "Brent"), rows(&cache, "Gas")), (100, 100));
    }

    #[test]
    fn what_changes_after_the_copy_is_copied_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        let cache = filled(&old);
        let copied = cache.copy_to(&new).expect("copied");
        let file = fixtures::file(&cache, &["Gas"]);
        fixtures::store(&file, Day::from_number(20_001), DateTime::UNIX_EPOCH, 100..150);
        drop(file);
        copied.remove_originals();
        assert_eq!(rows(&Cache::new(&new, 0).expect("a cache"), "Gas"), 150);
        assert!(!old.exists());
    }

    #[test]
    fn a_copy_on_another_file_system_keeps_its_age() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, target) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&file, "x").expect("a file");
        let old = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        File::options().write(true).open(&file).expect("opens").set_modified(old).expect("an age");
        // A link cannot replace a file, so this copies.
        fs::write(&target, "").expect("a file");
        copy(&file, &target).expect("copied");
        assert_eq!(fs::metadata(&target).expect("a file").modified().expect("an age"), old);
        copy(&last_used_path(&file), &target).expect("a missing file is not copied");
    }
}
