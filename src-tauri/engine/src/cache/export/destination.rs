//! Where an export goes: a file, a pipe, a device, or standard output.

use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use crate::cache::file::error::{CacheError, CacheErrorKind, ExportProblem};

/// Paths that stand for standard output on a command line, besides `-`.
const STANDARD_OUTPUT: [&str; 3] = ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];
/// Maximum number of links that are followed.
const MAX_LINKS: usize = 40;

/// Where an export is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// Standard output.
    StandardOutput,
    /// A file, a pipe or a device.
    Path(PathBuf),
}

impl From<&Path> for Destination {
    fn from(path: &Path) -> Self {
        Self::Path(path.to_owned())
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StandardOutput => f.write_str("-"),
            Self::Path(path) => path.display().fmt(f),
        }
    }
}

impl Destination {
    /// Parses what was typed on a command line. `-` is standard output, and so is a path of the file or pipe that
    /// standard output leads to.
    #[must_use]
    pub fn parse(typed: &Path) -> Self {
        let is_output = typed == Path::new("-")
            || STANDARD_OUTPUT.iter().any(|name| typed == Path::new(name))
            || leads_to_standard_output(typed);
        if is_output { Self::StandardOutput } else { Self::Path(typed.to_owned()) }
    }

    /// Whether it is a file, which appears under its name only when it is complete. Pipes, devices and standard
    /// output receive an export piece by piece.
    #[must_use]
    pub fn is_file(&self) -> bool {
        match self {
            Self::StandardOutput => false,
            Self::Path(path) => fs::metadata(path).map_or(true, |found| found.is_file() || found.is_dir()),
        }
    }

    /// The destination of a partial answer: a file whose name says so. A pipe or a device has no other name; the
    /// answer itself says that it is partial.
    #[must_use]
    pub fn of_partial(&self) -> Self {
        match self {
            Self::Path(path) if self.is_file() => Self::Path(partial_name(path)),
            other => other.clone(),
        }
    }

    /// Whether the two lead to the same place, by whatever path, or might do so if the answer is partial.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        let places = |one: &Self| [one.place(), one.of_partial().place()];
        let others = places(other);
        places(self).iter().any(|place| others.contains(place))
    }

    fn place(&self) -> Option<PathBuf> {
        match self {
            Self::StandardOutput => None,
            Self::Path(path) => Some(resolve(path).unwrap_or_else(|_| path.clone())),
        }
    }
}

/// The file that a path leads to, with all links followed. It need not exist; its folder must.
pub(crate) fn resolve(path: &Path) -> io::Result<PathBuf> {
    let mut place = std::path::absolute(path)?;
    for _ in 0..MAX_LINKS {
        if let Ok(known) = fs::canonicalize(&place) {
            return Ok(known);
        }
        let (Some(folder), Some(name)) = (place.parent(), place.file_name()) else { break };
        let folder = fs::canonicalize(folder)?;
        match fs::read_link(&place) {
            Ok(target) => place = folder.join(target),
            Err(_) => return Ok(folder.join(name)),
        }
    }
    Err(io::Error::other("the links lead nowhere"))
}

/// Whether a path leads to the same file or pipe that standard output is redirected to.
fn leads_to_standard_output(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd as _;
        use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
        let output = io::stdout().as_fd().try_clone_to_owned();
        let output = output.and_then(|output| fs::File::from(output).metadata());
        let (Ok(found), Ok(output)) = (fs::metadata(path), output) else { return false };
        // A terminal or the null device may be named and be standard output as well.
        let is_pipe_or_file = found.is_file() || found.file_type().is_fifo();
        is_pipe_or_file && (found.dev(), found.ino()) == (output.dev(), output.ino())
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

/// The name of a partial answer's file: `trades.csv` becomes `trades.partial.csv`.
#[must_use]
pub fn partial_name(path: &Path) -> PathBuf {
    with_mark(path, ".partial")
}

/// The name of a file's manifest: `trades.csv` has `trades.csv.manifest.json`.
#[must_use]
pub fn manifest_name(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".manifest.json");
    path.with_file_name(name)
}

/// The name of a complete answer's file: `trades.partial.csv` becomes `trades.csv`.
pub(crate) fn complete_name(path: &Path) -> PathBuf {
    with_mark(path, "")
}

fn with_mark(path: &Path, mark: &str) -> PathBuf {
    // A name without an extension that is already marked: what looks like its extension is the mark.
    if path.extension().is_some_and(|ending| ending == "partial") {
        return if mark.is_empty() { path.with_extension("") } else { path.to_owned() };
    }
    let stem = path.file_stem().unwrap_or_default();
    // A name that is already marked is not marked again.
    let plain = stem.to_str().and_then(|stem| stem.strip_suffix(".partial"));
    let mut name = plain.map_or_else(|| stem.to_owned(), Into::into);
    name.push(mark);
    if let Some(ending) = path.extension() {
        name.push(".");
        name.push(ending);
    }
    path.with_file_name(name)
}

/// Returns the failure for a target that another export is writing to.
pub(crate) fn busy(path: &Path) -> CacheError {
    CacheErrorKind::Export(ExportProblem::Busy(path.to_owned())).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn of(path: &Path) -> Destination {
        Destination::parse(path)
    }

    #[test]
    fn a_partial_file_is_marked_once() {
        for (path, partial, complete) in [
            ("a/x.csv", "a/x.partial.csv", "a/x.csv"),
            ("x.partial.csv", "x.partial.csv", "x.csv"),
            ("x", "x.partial", "x"),
            ("v1.2/x", "v1.2/x.partial", "v1.2/x"),
            ("x.partial", "x.partial", "x"),
            (".export", ".export.partial", ".export"),
            (".export.partial", ".export.partial", ".export"),
        ] {
            assert_eq!(partial_name(Path::new(path)), Path::new(partial));
            assert_eq!(complete_name(Path::new(path)), Path::new(complete));
        }
    }

    #[cfg(unix)]
    #[test]
    fn two_ways_to_one_file_are_one_place() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("sub")).unwrap();
        fs::write(at("there.csv"), "").unwrap();
        for (link, target) in [("link.csv", "there.csv"), ("dangling.csv", "sub/new.csv"), ("way", "sub")] {
            std::os::unix::fs::symlink(target, at(link)).unwrap();
        }
        std::os::unix::fs::symlink("round.csv", at("round.csv")).unwrap();
        for (one, other, same) in [
            ("there.csv", "there.csv", true),
            ("there.csv", "./there.csv", true),
            ("there.csv", "sub/../there.csv", true),
            ("there.csv", "link.csv", true),
            ("sub/new.csv", "dangling.csv", true),
            ("way/new.csv", "dangling.csv", true),
            ("new.csv", "new.partial.csv", true),
            ("round.csv", "round.csv", true),
            ("there.csv", "new.csv", false),
            ("sub/new.csv", "new.csv", false),
            ("no folder/new.csv", "new.csv", false),
        ] {
            let (one, other) = (at(one), at(other));
            assert_eq!(of(&one).is_same_as(&of(&other)), same, "{one:?} {other:?}");
        }
        assert!(of(Path::new("-")).is_same_as(&of(Path::new("/dev/stdout"))));
        assert!(!of(Path::new("-")).is_same_as(&of(&at("there.csv"))));
        assert!(resolve(&at("round.csv")).is_err());
    }
}
