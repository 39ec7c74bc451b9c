//! The log files: a new one each day and whenever one is full, and the oldest are deleted.
//!
//! `tracing-appender` has such files, but without a limit on their size, and with the system's default permissions.
//! Several programs may write to the same files: each record is appended with a single call.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chrono::{NaiveDate, Utc};

/// Bytes from which a file is full.
const FULL: u64 = 10_000_000;
/// Number of files that are kept: usually as many days.
const KEPT: usize = 10;

/// The file that is written to now.
#[derive(Debug)]
pub(crate) struct RollingFile {
    folder: PathBuf,
    name: Name,
    file: File,
    full: u64,
}

/// What distinguishes a log file from others: its day, and its number among those of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    day: NaiveDate,
    number: u32,
}

impl Name {
    /// Reads `tidemark-2026-11-30-01.log`; `None` if it is not a file of ours.
    fn parse(name: &str) -> Option<Self> {
        let (day, number) = name.strip_prefix("tidemark-")?.strip_suffix(".log")?.rsplit_once('-')?;
        let parsed = Self { day: day.parse().ok()?, number: number.parse().ok()? };
        (parsed.to_text() == name).then_some(parsed)
    }

    fn to_text(self) -> String {
        format!("tidemark-{}-{:02}.log", self.day, self.number)
    }
}

impl RollingFile {
    /// Opens today's file, and creates the folder if it is missing.
    ///
    /// # Errors
    /// If the folder or the file cannot be written to.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        create_private(folder)?;
        Self::of_day(folder, today(), FULL)
    }

    fn of_day(folder: &Path, day: NaiveDate, full: u64) -> io::Result<Self> {
        let last = names(folder)?.into_iter().filter(|name| name.day == day).max();
        let name = match last {
            // Another program may have begun a new file.
            Some(last) if is_full(&folder.join(last.to_text()), full) => {
                Name { number: last.number.saturating_add(1), ..last }
            }
            Some(last) => last,
            None => Name { day, number: 1 },
        };
        let file = open_private(&folder.join(name.to_text()))?;
        delete_oldest(folder, name)?;
        Ok(Self { folder: folder.to_owned(), name, file, full })
    }

    fn write_on(&mut self, day: NaiveDate, record: &[u8]) -> io::Result<()> {
        if day != self.name.day || self.file.metadata()?.len() >= self.full {
            *self = Self::of_day(&self.folder, day, self.full)?;
        }
        self.file.write_all(record)
    }
}

impl Write for RollingFile {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        self.write_on(today(), record)?;
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Records have times in UTC, and so have the names of their files.
fn today() -> NaiveDate {
    Utc::now().date_naive()
}

fn is_full(path: &Path, full: u64) -> bool {
    fs::metadata(path).is_ok_and(|found| found.len() >= full)
}

/// The log files in a folder, oldest first.
fn names(folder: &Path) -> io::Result<Vec<Name>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.extend(entry?.file_name().to_str().and_then(Name::parse));
    }
    names.sort();
    Ok(names)
}

/// Deletes the files that are too many. The one that is written to stays, even if others claim to be of later days.
fn delete_oldest(folder: &Path, current: Name) -> io::Result<()> {
    let names = names(folder)?;
    for name in names[..names.len().saturating_sub(KEPT)].iter().filter(|name| **name != current) {
        // Another program may have deleted it.
        let _ = fs::remove_file(folder.join(name.to_text()));
    }
    Ok(())
}

/// Creates a folder for its owner alone. An existing one stays as it is: it may have other users.
fn create_private(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    #[cfg(unix)]
    restrict(folder, 0o700);
    Ok(())
}

/// Opens a file for appending that only its owner may read: hosts and paths are private.
fn open_private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        // In a folder of others, the name may be a link, or a pipe that nothing reads.
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options.mode(0o600).custom_flags(flags.bits().cast_signed());
    }
    let file = options.open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    // Fails on file systems without permissions, which is harmless.
    #[cfg(unix)]
    let _ = file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600));
    Ok(file)
}

#[cfg(unix)]
fn restrict(path: &Path, mode: u32) {
    // Fails on file systems without permissions, which is harmless.
    let _ = fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(number: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, number).expect("a day of November")
    }

    fn files(folder: &Path) -> Vec<String> {
        names(folder).expect("the folder").into_iter().map(Name::to_text).collect()
    }

    /// Others may choose names in a folder that they share.
    #[cfg(unix)]
    #[test]
    fn links_and_pipes_are_not_written_to() {
        let folder = tempfile::tempdir().expect("a folder");
        let victim = folder.path().join("victim");
        fs::write(&victim, "mine").expect("a file");
        let name = folder.path().join("tidemark-2026-11-01-01.log");
        std::os::unix::fs::symlink(&victim, &name).expect("a link");
        assert!(RollingFile::of_day(folder.path(), day(1), 10).is_err());
        assert_eq!(fs::read_to_string(&victim).expect("the file"), "mine");
        fs::remove_file(&name).expect("the link");
        let made = std::process::Command::new("mkfifo").arg(&name).status().expect("mkfifo runs");
        assert!(made.success());
        assert!(RollingFile::of_day(folder.path(), day(1), 10).is_err());
    }

    #[test]
    fn the_current_file_stays_whatever_days_others_claim() {
        let folder = tempfile::tempdir().expect("a folder");
        for number in 1..=20 {
            fs::write(folder.path().join(format!("tidemark-2030-01-{number:02}-01.log")), "")
                .expect("a file");
        }
        let _file = RollingFile::of_day(folder.path(), day(1), 10).expect("a file");
        assert!(files(folder.path()).contains(&"tidemark-2026-11-01-01.log".to_owned()));
    }

    #[test]
    fn a_file_is_followed_by_the_next_when_it_is_full_and_each_day() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut file = RollingFile::of_day(folder.path(), day(1), 10).expect("a file");
        for (of, record) in [(1, "01234567\n"), (1, "a\n"), (1, "b\n"), (2, "c\n")] {
            file.write_on(day(of), record.as_bytes()).expect("written");
        }
        let expected =
            ["tidemark-2026-11-01-01.log", "tidemark-2026-11-01-02.log", "tidemark-2026-11-02-01.log"];
        assert_eq!(files(folder.path()), expected);
        let texts = expected.map(|name| fs::read_to_string(folder.path().join(name)).expect("a file"));
        assert_eq!(texts, ["01234567\na\n", "b\n", "c\n"]);
        // A second program continues the file that is not full.
        let mut second = RollingFile::of_day(folder.path(), day(1), 10).expect("a file");
        second.write_on(day(1), b"d\n").expect("written");
        assert_eq!(fs::read_to_string(folder.path().join(expected[1])).expect("a file"), "b\nd\n");
    }

    #[test]
    fn the_oldest_files_go_and_no_others() {
        let folder = tempfile::tempdir().expect("a folder");
        let others = ["tidemark-2026-11-01-1.log", "tidemark-2026-11-01-01.log.gz", "tidemark.json", "x.log"];
        for other in others {
            fs::write(folder.path().join(other), "kept").expect("written");
        }
        for number in 1..=20 {
            RollingFile::of_day(folder.path(), day(number), 10).expect("a file");
        }
        let kept = files(folder.path());
        assert_eq!((kept.len(), kept[0].as_str()), (KEPT, "tidemark-2026-11-11-01.log"));
        assert!(others.iter().all(|other| folder.path().join(other).exists()));
    }

    #[cfg(unix)]
    #[test]
    fn a_log_is_read_by_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
        let new = folder.path().join("state").join("logs");
        drop(RollingFile::open(&new).expect("a file"));
        let file = new.join(&files(&new)[0]);
        assert_eq!((mode(&new), mode(&file)), (0o700, 0o600));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("set");
        drop(RollingFile::open(&new).expect("a file"));
        assert_eq!(mode(&file), 0o600);
    }

    #[test]
    fn a_folder_that_is_a_file_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("logs");
        fs::write(&file, "").expect("written");
        assert!(RollingFile::open(&file).is_err());
    }
}
