//! CSV: what is shown, as a file.
//!
//! DuckDB may write only beside the query's own file ([`opener`](super::opener)), so an export is written there and
//! then moved to its place: a rename on one disk, a copy to any other.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::file::restrict_to_owner;
use super::leftovers::spare_export_of;
use super::relation::literal;
use super::view::View;
use crate::desk::{Role, Sort};
use crate::failure::{Code, Failure, Result};

/// Bytes that are copied at once.
const COPIED: usize = 1 << 20;

/// An export that another thread can watch and stop.
pub struct Export {
    staged: PathBuf,
    /// The folder of an export that is written elsewhere; it goes with the export.
    spare: Option<PathBuf>,
    interrupt: Arc<duckdb::InterruptHandle>,
    stopped: AtomicBool,
    moved: AtomicU64,
}

impl std::fmt::Debug for Export {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Export").field("staged", &self.staged).finish_non_exhaustive()
    }
}

impl Drop for Export {
    fn drop(&mut self) {
        if let Some(folder) = &self.spare {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

impl Export {
    /// Bytes that are written so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        fs::metadata(&self.staged).map_or_else(|_| self.moved.load(Ordering::Relaxed), |file| file.len())
    }

    /// Stops it; what is written of it goes.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.interrupt.interrupt();
    }

    fn check(&self) -> Result<()> {
        if self.stopped.load(Ordering::Relaxed) {
            return Err(Failure::new(Code::Cancelled, "The export was cancelled."));
        }
        Ok(())
    }

    /// Moves what is written to its place, where it appears when it is whole. Returns its size.
    fn move_to(&self, staged: &Path, path: &Path) -> Result<u64> {
        let bytes = fs::metadata(staged).map_or(0, |file| file.len());
        self.moved.store(bytes, Ordering::Relaxed);
        if fs::rename(staged, path).is_ok() {
            return Ok(bytes);
        }
        // The other place is on another disk, or it cannot be written to at all: the copy says which.
        let unfinished = unfinished_name(path);
        let copied = self
            .copy_to(staged, &unfinished, path)
            .and_then(|()| fs::rename(&unfinished, path).map_err(|error| not_written(path, &error)));
        if copied.is_err() {
            // Half a file helps nobody; if it cannot be removed either, the failure says enough.
            let _ = fs::remove_file(&unfinished);
        }
        copied.map(|()| bytes)
    }

    fn copy_to(&self, staged: &Path, unfinished: &Path, path: &Path) -> Result<()> {
        let failed = |error: io::Error| not_written(path, &error);
        let mut from = File::open(staged).map_err(failed)?;
        let mut to = File::create(unfinished).map_err(failed)?;
        let mut buffer = vec![0; COPIED];
        loop {
            self.check()?;
            match from.read(&mut buffer).map_err(failed)? {
                0 => break,
                many => to.write_all(&buffer[..many]).map_err(failed)?,
            }
        }
        // What the system still holds back may not fit on the disk.
        to.sync_all().map_err(failed)
    }
}

fn not_written(path: &Path, error: &io::Error) -> Failure {
    if matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    ) {
        return Failure::new(Code::DiskFull, NO_ROOM).because(error);
    }
    Failure::new(Code::ExportFailed, format!("{} could not be written.", path.display())).because(error)
}

const NO_ROOM: &str = "There is no room left on the disk for the CSV file.";

impl View {
    /// An export that is about to be [written](Self::write_csv), beside the file or `elsewhere`: a full disk can
    /// still be read, and the rows go out by a disk that has room.
    ///
    /// # Errors
    /// `cache_unusable` or `disk_full` where nothing can be written beside the file.
    pub fn begin_export(&self, elsewhere: bool) -> Result<Export> {
        // What can only be read has a private folder elsewhere in any case.
        let (staged, spare) = if elsewhere && !self.file().is_read_only() {
            let folder = spare_export_of(self.file().path());
            fs::create_dir(&folder).map_err(|error| not_written(&folder, &error))?;
            restrict_to_owner(&folder);
            (folder.join("0"), Some(folder))
        } else {
            (self.file().staged_export()?, None)
        };
        Ok(Export {
            staged,
            spare,
            interrupt: self.interrupt_handle(),
            stopped: AtomicBool::new(false),
            moved: AtomicU64::new(0),
        })
    }

    /// Writes the rows of a role as CSV (RFC 4180, UTF-8), in the order shown. The file appears under
    /// its name only when it is whole. Returns its size in bytes.
    ///
    /// # Errors
    /// `export_failed`, `disk_full`, `cache_damaged` where the rows cannot be read, `cancelled` where it was stopped.
    pub fn write_csv(&self, export: &Export, role: Role, sort: Option<&Sort>, path: &Path) -> Result<u64> {
        let select = self.select_csv(role, sort)?;
        let result = self.write_staged(export, &select, path);
        result.map_err(|failure| match failure.code {
            Code::DiskFull => {
                Failure::new(Code::DiskFull, NO_ROOM).because(failure.cause.unwrap_or_default())
            }
            _ => failure,
        })
    }

    /// Writes an export where DuckDB may write, and moves it to its place.
    fn write_staged(&self, export: &Export, select: &str, path: &Path) -> Result<u64> {
        let staged = &*export.staged;
        export.check()?;
        // A null is an empty cell, so DuckDB quotes an empty text: the two stay apart.
        let sql = format!(
            "COPY ({select}) TO {} (FORMAT csv, HEADER false, NULLSTR '', NEW_LINE '\\r\\n', USE_TMP_FILE false)",
            literal(&staged.to_string_lossy())
        );
        let written = self.connection().execute_batch(&sql).map_err(Failure::from);
        let result = written.and_then(|()| export.check()).and_then(|()| export.move_to(staged, path));
        // Moved away by now, unless something failed.
        let _ = fs::remove_file(staged);
        result
    }

    /// Writes a CSV that nobody watches.
    ///
    /// # Errors
    /// See [`begin_export`](Self::begin_export) and [`write_csv`](Self::write_csv).
    pub fn export_csv(&self, role: Role, sort: Option<&Sort>, path: &Path) -> Result<u64> {
        self.write_csv(&self.begin_export(false)?, role, sort, path)
    }

    /// Writes the stored columns of a role as they are, with DuckDB's own `COPY`: what an export would
    /// cost without making texts of them. For the benchmark.
    ///
    /// # Errors
    /// See [`super::duckdb_failure`].
    pub fn copy_stored_columns(&self, role: Role, path: &Path) -> Result<u64> {
        let select = self.select_stored(role);
        let export = self.begin_export(false)?;
        let staged = literal(&export.staged.to_string_lossy());
        self.connection().execute_batch(&format!(
            "COPY ({select}) TO {staged} (FORMAT csv, HEADER true, USE_TMP_FILE false)"
        ))?;
        export.move_to(&export.staged, path)
    }

    /// A handle that stops the statement that runs, from any thread.
    #[must_use]
    pub fn interrupt_handle(&self) -> std::sync::Arc<duckdb::InterruptHandle> {
        self.connection().interrupt_handle()
    }
}

/// Where the file is written until it is whole: beside its place, so that the last step is a rename.
#[must_use]
pub fn unfinished_name(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".unfinished");
    path.with_file_name(name)
}

/// The name of a partial answer's file: `trades.csv` becomes `trades.partial.csv`.
#[must_use]
pub fn partial_name(path: &Path) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    // A name that already says so is not given the word twice.
    let stem = stem.strip_suffix(".partial").unwrap_or(&stem);
    let ending = path.extension().map(|ending| ending.to_string_lossy());
    path.with_file_name(match ending {
        Some(ending) => format!("{stem}.partial.{ending}"),
        None => format!("{stem}.partial"),
    })
}
