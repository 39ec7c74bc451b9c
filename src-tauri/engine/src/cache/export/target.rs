//! Writes an export to its target. A file is written under a temporary name beside the target and replaces it once it
//! is complete and on the disk, so that nothing ever reads half of it.

use std::fmt::Display;
use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use md5::{Digest as _, Md5};
use tempfile::TempPath;

use super::destination::{Destination, busy, complete_name, manifest_name, partial_name, resolve};
use super::{rights, stream};
use crate::cache::file::error::{CacheError, CacheErrorKind, ExportProblem, Result};
use crate::cache::file::lock::{Taken, lock_file};

/// Bytes that are copied at a time.
const COPIED: usize = 1 << 20;
/// The end of the name of an incomplete file.
const UNFINISHED: &str = ".unfinished";

/// A destination, and the lock that keeps other exports from replacing the same file while this value lives.
#[derive(Debug)]
pub(crate) enum Target {
    StandardOutput,
    /// A pipe or a device.
    Stream(PathBuf),
    File(FileTarget),
}

/// A file to be created or replaced.
#[derive(Debug)]
pub(crate) struct FileTarget {
    /// The path as it was given.
    asked: PathBuf,
    /// Where it leads, with all links followed.
    place: PathBuf,
    folder: PathBuf,
    /// How the names of temporary files beside it begin.
    mark: String,
    lock: Option<TargetLock>,
}

impl Target {
    /// Checks a destination before anything is written, and locks a file against other exports.
    pub(crate) fn claim(destination: &Destination) -> Result<Self> {
        match destination {
            Destination::StandardOutput => Ok(Self::StandardOutput),
            Destination::Path(path) if !destination.is_file() => Ok(Self::Stream(path.clone())),
            Destination::Path(path) => FileTarget::claim(path).map(Self::File),
        }
    }

    /// Delivers the staged file. `check` fails if the export is to stop. Removes the file of an earlier partial
    /// answer beside the target, and returns a note about an older file there.
    pub(crate) fn deliver(&self, staged: &Path, check: &dyn Fn() -> Result<()>) -> Result<Option<String>> {
        match self {
            Self::StandardOutput => {
                let failed = |error: io::Error| not_streamed("Standard output", error);
                let mut output = io::stdout().lock();
                copy(&mut File::open(staged).map_err(failed)?, &mut output, check, &failed)?;
                output.flush().map_err(failed)?;
                Ok(None)
            }
            Self::Stream(path) => {
                let failed = |error: io::Error| not_streamed(path.display(), error);
                let mut staged = File::open(staged).map_err(failed)?;
                stream::write_to(path, check, &failed, |to| copy(&mut staged, to, check, &failed))?;
                Ok(None)
            }
            Self::File(file) => {
                file.replace(staged, check)?;
                Ok(file.remove_or_report_older())
            }
        }
    }
}

impl FileTarget {
    fn claim(path: &Path) -> Result<Self> {
        let failed = |error: io::Error| not_written(path, error);
        let place = resolve(path).map_err(failed)?;
        if path.file_name().is_none() || place.is_dir() {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        if place.exists() {
            // A file without write permission is not replaced either.
            File::options().write(true).open(&place).map_err(failed)?;
        }
        let folder = place.parent().map(Path::to_owned).unwrap_or_default();
        // The complete answer's name, since an export of either kind cleans up after the other kind.
        let name = complete_name(&place);
        let hash = hex::encode(Md5::digest(name.as_os_str().as_encoded_bytes()));
        let mark = format!(".tidemark-{}-", &hash[..12]);
        let lock = TargetLock::take(&folder.join(format!("{mark}lock")), path)?;
        let target = Self { asked: path.to_owned(), place, folder, mark, lock };
        target.clear_unfinished();
        Ok(target)
    }

    /// Removes what killed exports left behind. Nothing else writes to this target now.
    fn clear_unfinished(&self) {
        if self.lock.is_none() {
            return;
        }
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let is_ours =
                name.to_str().is_some_and(|name| name.starts_with(&self.mark) && name.ends_with(UNFINISHED));
            if is_ours {
                // What cannot be removed takes up space and does no other harm.
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    fn replace(&self, staged: &Path, check: &dyn Fn() -> Result<()>) -> Result<()> {
        let failed = |error: io::Error| not_written(&self.asked, error);
        // A new file of a partial answer is as private as that of the complete one.
        let old = File::options().write(true).open(&self.place).or_else(|error| {
            let complete = complete_name(&self.place);
            if is_marked_partial(&self.place) { File::open(complete) } else { Err(error) }
        });
        let old = old.ok();
        let mut builder = tempfile::Builder::new();
        builder.prefix(&self.mark).suffix(UNFINISHED);
        if let Some(permissions) = permissions_while_written(old.is_some()) {
            builder.permissions(permissions);
        }
        let (mut file, beside) = builder.tempfile_in(&self.folder).map_err(failed)?.into_parts();
        if rights::are_alike(staged, &file) && move_over(staged, &file, &beside).is_ok() {
            file = File::options().write(true).open(&beside).map_err(failed)?;
        } else {
            copy(&mut File::open(staged).map_err(failed)?, &mut file, check, &failed)?;
        }
        if let Some(old) = &old {
            rights::copy(old, &file).map_err(failed)?;
        }
        // What the system still buffers may not fit on the disk.
        file.sync_all().map_err(failed)?;
        check()?;
        drop(file);
        beside.persist(&self.place).map_err(|error| failed(error.error))?;
        sync_folder(&self.folder);
        Ok(())
    }

    /// Removes the file of an earlier, partial answer, or reports that a complete one is older: two files side by
    /// side would be taken for two parts. Returns the note that says so.
    fn remove_or_report_older(&self) -> Option<String> {
        if is_marked_partial(&self.asked) {
            let complete = complete_name(&self.asked);
            return complete.is_file().then(|| {
                format!(
                    "{} is from an earlier export and does not belong to this answer.",
                    complete.display()
                )
            });
        }
        let partial = partial_name(&self.asked);
        let found = fs::symlink_metadata(&partial).ok()?;
        let is_removed = found.is_file() && fs::remove_file(&partial).is_ok();
        let manifest = manifest_name(&partial);
        if is_removed && fs::symlink_metadata(&manifest).is_ok_and(|found| found.is_file()) {
            // It describes nothing any more.
            let _ = fs::remove_file(&manifest);
        }
        let partial = partial.display();
        Some(if is_removed {
            format!("{partial}, from an earlier partial answer, was removed.")
        } else {
            format!("{partial} is from an earlier partial answer and does not belong to this one.")
        })
    }
}

/// Whether a name says that its answer is partial.
fn is_marked_partial(path: &Path) -> bool {
    partial_name(path) == path
}

/// The permissions of a file while it is written. If it replaces one, only its owner's until it gets those of the old
/// file; otherwise those of any new file.
fn permissions_while_written(replaces: bool) -> Option<Permissions> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        Some(Permissions::from_mode(if replaces { 0o600 } else { 0o666 }))
    }
    #[cfg(not(unix))]
    {
        let _ = replaces;
        None
    }
}

/// Moves the staged file over an empty one, whose permissions it gets. Fails across disks.
fn move_over(staged: &Path, file: &File, beside: &TempPath) -> io::Result<()> {
    fs::set_permissions(staged, file.metadata()?.permissions())?;
    fs::rename(staged, beside)
}

/// Writes a folder to disk. Errors are ignored: some file systems cannot do it, and the file itself is on the disk.
fn sync_folder(folder: &Path) {
    if cfg!(unix) {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}

fn copy(
    from: &mut dyn Read,
    to: &mut dyn Write,
    check: &dyn Fn() -> Result<()>,
    failed: &dyn Fn(io::Error) -> CacheError,
) -> Result<()> {
    let mut buffer = vec![0; COPIED];
    loop {
        check()?;
        let many = from.read(&mut buffer).map_err(failed)?;
        if many == 0 {
            return Ok(());
        }
        if let Err(error) = to.write_all(&buffer[..many]) {
            // A cancel makes a write fail as well.
            check()?;
            return Err(failed(error));
        }
    }
}

/// Allows one export per target at a time, across processes. The lock file lies beside the target and is removed on
/// drop.
#[derive(Debug)]
struct TargetLock {
    place: PathBuf,
    _locked: File,
}

impl TargetLock {
    /// Takes the lock; `None` in a folder without locks: there the last of two exports wins, with a complete file.
    fn take(place: &Path, asked: &Path) -> Result<Option<Self>> {
        match lock_file(place) {
            Ok(Taken::Locked(locked)) => Ok(Some(Self { place: place.to_owned(), _locked: locked })),
            Ok(Taken::Busy) => Err(busy(asked)),
            Ok(Taken::Unsupported) | Err(_) => Ok(None),
        }
    }
}

impl Drop for TargetLock {
    fn drop(&mut self) {
        // Removed while still locked, so that a process that acquires the lock afterwards finds it stale.
        let _ = fs::remove_file(&self.place);
    }
}

/// Returns the failure for a file that could not be written.
pub(crate) fn not_written(path: &Path, error: io::Error) -> CacheError {
    let problem = if is_no_room(&error) {
        ExportProblem::NoSpace
    } else {
        let why = match error.kind() {
            io::ErrorKind::NotFound => Some("there is no such folder"),
            io::ErrorKind::IsADirectory => Some("it is a folder"),
            _ => None,
        };
        ExportProblem::NotWritten(path.to_owned(), why)
    };
    CacheError::new(CacheErrorKind::Export(problem)).because(error)
}

/// The error for a pipe, a device or standard output that could not be written. What has already been written cannot be
/// taken back, so the export is not retried, as it is after a full disk.
fn not_streamed(name: impl Display, error: io::Error) -> CacheError {
    let why = match error.kind() {
        io::ErrorKind::BrokenPipe => Some("the reader has closed it"),
        _ if is_no_room(&error) => Some("there is no space left"),
        _ => None,
    };
    CacheError::new(CacheErrorKind::Export(ExportProblem::Incomplete(name.to_string(), why))).because(error)
}

fn is_no_room(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;
    use crate::cache::file::error::Work;
    use crate::failure::{Code, Failure};

    fn staged(folder: &Path) -> PathBuf {
        let staged = folder.join("staged");
        fs::write(&staged, "rows").unwrap();
        staged
    }

    fn claim(path: &Path) -> Result<Target> {
        Target::claim(&path.into())
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().flatten();
        let mut names: Vec<String> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn one_export_per_target_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        symlink("x.csv", folder.path().join("link.csv")).unwrap();
        let first = claim(&path).unwrap();
        for other in ["x.csv", "link.csv", "x.partial.csv"] {
            let failure = claim(&folder.path().join(other)).unwrap_err();
            let failure = Failure::from(failure);
            assert_eq!(failure.code, Code::ExportFailed, "{failure:?}");
            assert!(failure.message.contains("Another export to"), "{failure:?}");
        }
        drop(claim(&folder.path().join("y.csv")).unwrap());
        first.deliver(&staged(folder.path()), &|| Ok(())).unwrap();
        drop(first);
        drop(claim(&path).unwrap());
        assert_eq!(names(folder.path()), ["link.csv", "x.csv"], "nothing stays beside it");
    }

    #[test]
    fn what_a_killed_export_left_goes_with_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        let Target::File(target) = claim(&path).unwrap() else { panic!("a file") };
        let left = folder.path().join(format!("{}abc{UNFINISHED}", target.mark));
        fs::write(&left, "ro").unwrap();
        fs::write(folder.path().join("x.csv.unfinished"), "somebody's own").unwrap();
        drop(target);
        claim(&path).unwrap().deliver(&staged(folder.path()), &|| Ok(())).unwrap();
        assert_eq!(names(folder.path()), ["x.csv", "x.csv.unfinished"]);
    }

    #[test]
    fn a_cancelled_export_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        fs::write(&path, "old").unwrap();
        let cancelled = || Err(CacheErrorKind::Cancelled(Work::Export).into());
        let failure = claim(&path).unwrap().deliver(&staged(folder.path()), &cancelled).unwrap_err();
        assert_eq!(*failure.kind(), CacheErrorKind::Cancelled(Work::Export));
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names(folder.path()).len(), 1 + usize::from(folder.path().join("staged").exists()));
    }

    #[test]
    fn a_cancel_is_seen_while_nobody_reads_a_pipe() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &path,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        let rows = folder.path().join("rows");
        // More than a pipe buffers.
        fs::write(&rows, vec![b'x'; 4 << 20]).unwrap();
        for has_reader in [false, true] {
            let asked = std::cell::Cell::new(0);
            let check = || {
                asked.set(asked.get() + 1);
                let is_over = asked.get() > 5;
                if is_over { Err(CacheErrorKind::Cancelled(Work::Export).into()) } else { Ok(()) }
            };
            let reader = has_reader.then(|| File::options().read(true).write(true).open(&path).unwrap());
            let failure = claim(&path).unwrap().deliver(&rows, &check).unwrap_err();
            assert_eq!(*failure.kind(), CacheErrorKind::Cancelled(Work::Export), "{has_reader}: {failure:?}");
            drop(reader);
        }
    }

    #[test]
    fn rights_are_those_of_the_file_that_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        for mode in [0o600, 0o640, 0o664, 0o666] {
            let path = folder.path().join(format!("{mode:o}.csv"));
            fs::write(&path, "old").unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            claim(&path).unwrap().deliver(&staged(folder.path()), &|| Ok(())).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, mode);
            assert_eq!(fs::read_to_string(&path).unwrap(), "rows");
        }
    }
}
