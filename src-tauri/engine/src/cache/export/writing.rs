//! Exports the rows of a row query.
//!
//! An export is staged beside the query's own file or in a spare folder, and then delivered to its
//! [target](super::target), which never holds a part of one.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use duckdb::arrow::array::RecordBatch;

use sha2::{Digest as _, Sha256};

use super::destination::resolve;
pub use super::destination::{Destination, manifest_name, partial_name};
use super::formats;
use super::sql::ExportRows;
pub use super::table::Remarks;
use super::table::TableWriter;
use super::target::{Target, not_written};
use crate::cache::file::cache_file::CacheFile;
use crate::cache::file::error::{CacheError, CacheErrorKind, ExportProblem, Result, Work};
use crate::cache::file::paths::restrict_to_owner;
use crate::cache::file::paths::{is_of_cache, spare_export_dir};
use crate::cache::file::sql::{Database, Text, sql};
use crate::cache::read::stop::Stop;
use crate::cache::read::view::View;
use crate::day::DayZone;
use crate::rows::{ExportOptions, Role, RowQuery};
use crate::words::counted;

/// Batches of rows that are read ahead of those that are written.
const BATCHES: usize = 8;
/// Bytes that are hashed at a time.
const HASHED: usize = 1 << 20;

/// An export that another thread can watch and stop.
pub struct Export {
    staged: PathBuf,
    /// The folder of an export that is staged elsewhere; it is removed with the export.
    spare: Option<PathBuf>,
    interrupt: Arc<duckdb::InterruptHandle>,
    pub(crate) stop: Stop,
    stopped: AtomicBool,
    rows: AtomicU64,
    total: AtomicU64,
    moved: AtomicU64,
}

/// What an export wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its size in bytes.
    pub bytes: u64,
    /// Notes on an older file beside it, on columns that no document has, and on what the format could not take.
    pub note: Option<String>,
    /// The headings of its columns; none if its rows are documents.
    pub columns: Vec<String>,
    /// What the format could not take as it was.
    pub remarks: Remarks,
    /// The SHA-256 of the file in hexadecimal digits, if a manifest is to contain it.
    pub sha256: Option<String>,
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
    /// Prepares an export of rows of a file, which the handle stops.
    pub(crate) fn begin(
        file: &CacheFile,
        staging: Staging,
        interrupt: Arc<duckdb::InterruptHandle>,
    ) -> Result<Self> {
        // A read-only file has a private folder of its own in any case.
        let (staged, spare) = if staging == Staging::TemporaryFolder && !file.is_read_only() {
            let folder = spare_export_dir(file.path());
            fs::create_dir(&folder).map_err(|error| not_written(&folder, error))?;
            restrict_to_owner(&folder);
            (folder.join("0"), Some(folder))
        } else {
            (file.staged_export()?, None)
        };
        Ok(Self {
            staged,
            spare,
            interrupt,
            stop: Stop::default(),
            stopped: AtomicBool::new(false),
            rows: AtomicU64::new(0),
            total: AtomicU64::new(0),
            moved: AtomicU64::new(0),
        })
    }

    /// Writes rows of which it is known how many there are.
    pub(crate) fn write(
        &self,
        file: &CacheFile,
        source: RowSource<'_>,
        (rows, total): (&ExportRows, u64),
        options: &ExportOptions,
        destination: &Destination,
    ) -> Result<Written> {
        let zone = options.zone.as_deref().map(zone_of).transpose()?;
        expect_outside(file, destination)?;
        let target = Target::claim(destination)?;
        self.total.store(total, Ordering::Relaxed);
        let written = write_staged(source, self, rows, options, zone, &target);
        noted(written, options, destination, None)
    }

    /// Bytes that are written so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        fs::metadata(&self.staged).map_or_else(|_| self.moved.load(Ordering::Relaxed), |file| file.len())
    }

    /// Rows that are written so far.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// How many rows it writes in all, once that is known.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// Stops the export; what it has written is removed.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.stop.stop();
        self.interrupt.interrupt();
    }

    /// Fails if it is to stop.
    fn check(&self) -> Result<()> {
        if self.stopped.load(Ordering::Relaxed) {
            return Err(CacheErrorKind::Cancelled(Work::Export).into());
        }
        Ok(())
    }

    /// Delivers the staged file to its target. Returns its size and a note on an older file.
    fn deliver(&self, staged: &Path, target: &Target) -> Result<(u64, Option<String>)> {
        let bytes = fs::metadata(staged).map_or(0, |file| file.len());
        self.moved.store(bytes, Ordering::Relaxed);
        let note = target.deliver(staged, &|| self.check())?;
        Ok((bytes, note))
    }

    /// Writes the manifest of a file that has been exported beside it. Returns its path.
    ///
    /// # Errors
    /// As for the file.
    pub fn write_manifest(&self, of: &Path, content: &[u8]) -> Result<PathBuf> {
        let path = manifest_name(of);
        let target = Target::claim(&path.as_path().into())?;
        let written = fs::write(&self.staged, content).map_err(|error| not_written(&path, error));
        let result = written.and_then(|()| target.deliver(&self.staged, &|| self.check()));
        let _ = fs::remove_file(&self.staged);
        result?;
        Ok(path)
    }

    /// The SHA-256 of the staged file.
    fn sha256(&self) -> Result<String> {
        let failed = |error| not_written(&self.staged, error);
        let mut file = File::open(&self.staged).map_err(failed)?;
        let (mut hash, mut buffer) = (Sha256::new(), vec![0; HASHED]);
        loop {
            self.check()?;
            match file.read(&mut buffer).map_err(failed)? {
                0 => return Ok(hex::encode(hash.finalize())),
                many => hash.update(&buffer[..many]),
            }
        }
    }
}

/// Where the rows of an export come from.
#[derive(Clone, Copy)]
pub(crate) enum RowSource<'a> {
    /// The statements of the export, run on a connection.
    Statements(&'a Mutex<Database>),
    /// They are in memory.
    Batches(&'a [RecordBatch]),
}

/// Where an export is written until it is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Staging {
    /// On the disk of the cache.
    CacheDisk,
    /// In the system's folder for temporary files: the disk of the cache is full.
    TemporaryFolder,
}

impl View {
    /// Prepares an export for [`export`](Self::export), staged beside the file or `elsewhere`: a full disk can
    /// still be read, and its rows are exported through a disk that has space.
    ///
    /// # Errors
    /// `cache_unusable`, `disk_full` or `export_failed` if the folder for staging cannot be created.
    pub fn begin_export(&self, staging: Staging) -> Result<Export> {
        Export::begin(self.file(), staging, self.interrupt_handle())
    }

    /// Writes the rows of a query in a format, in the order of the query. A file appears under its name only when it is
    /// complete.
    ///
    /// # Errors
    /// `export_failed`, `disk_full`, `cache_damaged` if the rows cannot be read, `cancelled` if it was stopped,
    /// `bad_filter` if a column to sort by or to export does not exist.
    pub fn export(
        &self,
        export: &Export,
        query: &RowQuery,
        options: &ExportOptions,
        destination: &Destination,
    ) -> Result<Written> {
        let zone = options.zone.as_deref().map(zone_of).transpose()?;
        expect_outside(self.file(), destination)?;
        let target = Target::claim(destination)?;
        export.total.store(self.count_unordered(query, &export.stop)?, Ordering::Relaxed);
        let rows = self.select_rows(query, options, &export.stop)?;
        let written = write_staged(
            RowSource::Statements(self.shared_connection()),
            export,
            &rows,
            options,
            zone,
            &target,
        );
        let absent = written.is_ok().then(|| self.note_of_absent_columns(query.role, options));
        noted(written, options, destination, absent.flatten())
    }

    /// Writes a CSV without progress or cancellation. Returns its size in bytes.
    ///
    /// # Errors
    /// See [`begin_export`](Self::begin_export) and [`export`](Self::export).
    pub fn export_csv(&self, query: &RowQuery, path: &Path) -> Result<u64> {
        let options = ExportOptions::default();
        Ok(self.export(&self.begin_export(Staging::CacheDisk)?, query, &options, &path.into())?.bytes)
    }

    /// Writes the stored columns of a role as they are, with DuckDB's own `COPY`: the cost of an export without
    /// converting values to text. For the benchmark.
    ///
    /// # Errors
    /// See [`crate::cache::CacheError`].
    pub fn copy_stored_columns(&self, role: Role, path: &Path) -> Result<u64> {
        let select = self.select_stored(role);
        let export = self.begin_export(Staging::CacheDisk)?;
        let staged = export.staged.to_string_lossy();
        self.connection().execute_batch(sql!(
            "COPY ({select}) TO {staged} (FORMAT csv, HEADER true, USE_TMP_FILE false)",
            select,
            staged = Text(&staged)
        ))?;
        Ok(export.deliver(&export.staged, &Target::claim(&path.into())?)?.0)
    }

    /// A handle that stops the running statement from any thread.
    #[must_use]
    pub fn interrupt_handle(&self) -> std::sync::Arc<duckdb::InterruptHandle> {
        self.connection().interrupt_handle()
    }
}

/// Adds to what was written the notes on it.
fn noted(
    written: Result<Written>,
    options: &ExportOptions,
    destination: &Destination,
    absent: Option<String>,
) -> Result<Written> {
    let mut result = written;
    if let Ok(written) = &mut result {
        let of_remarks = notes_of(written.remarks);
        let older = if options.manifest { None } else { note_of_older_manifest(destination) };
        let older = written.note.take().into_iter().chain(older);
        let notes: Vec<String> = older.chain(of_remarks).chain(absent).collect();
        written.note = (!notes.is_empty()).then(|| notes.join(" "));
    }
    result.map_err(|error| match error.kind() {
        CacheErrorKind::DiskFull => error.with_kind(CacheErrorKind::Export(ExportProblem::NoSpace)),
        _ => error,
    })
}

/// Rejects a destination among the files of the cache: it would replace a cached query.
fn expect_outside(file: &CacheFile, destination: &Destination) -> Result<()> {
    let Destination::Path(path) = destination else { return Ok(()) };
    let cache = file.path().parent().and_then(Path::parent).and_then(|cache| fs::canonicalize(cache).ok());
    let Some(place) = resolve(path).ok().filter(|place| {
        let is_ours = place.extension().is_some_and(|ending| is_of_cache(&ending.to_string_lossy()));
        is_ours && cache.is_some_and(|cache| place.starts_with(cache))
    }) else {
        return Ok(());
    };
    Err(CacheErrorKind::Export(ExportProblem::CacheFile(place)).into())
}

/// Writes an export beside the query's own file, and delivers it.
fn write_staged(
    source: RowSource<'_>,
    export: &Export,
    rows: &ExportRows,
    options: &ExportOptions,
    zone: Option<DayZone>,
    target: &Target,
) -> Result<Written> {
    let staged = &*export.staged;
    let result = write_rows(source, export, rows, options, zone).and_then(|remarks| {
        export.check()?;
        let sha256 = if options.manifest { Some(export.sha256()?) } else { None };
        let (bytes, note) = export.deliver(staged, target)?;
        let columns = rows.table.iter().map(|column| column.name.clone()).collect();
        Ok(Written { bytes, note, columns, remarks, sha256 })
    });
    // Already moved, unless it was copied or something failed.
    let _ = fs::remove_file(staged);
    result
}

/// Writes rows while further ones are read.
fn write_rows(
    source: RowSource<'_>,
    export: &Export,
    rows: &ExportRows,
    options: &ExportOptions,
    zone: Option<DayZone>,
) -> Result<Remarks> {
    let not_written = |error| export_error(&export.staged, error);
    let file = File::create(&export.staged).map_err(not_written)?;
    let mut writer = formats::begin(file, options, zone, &rows.table).map_err(not_written)?;
    export.rows.store(0, Ordering::Relaxed);
    let (sender, batches) = mpsc::sync_channel(BATCHES);
    thread::scope(|scope| {
        let read = || send_rows(source, export, rows, sender);
        let reader = thread::Builder::new().name("export".to_owned()).spawn_scoped(scope, read);
        let reader = reader.map_err(not_written)?;
        let table: &mut dyn TableWriter = &mut *writer;
        let written = batches.iter().try_for_each(|batch| {
            rows.write(table, &batch)?;
            export.rows.fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
            Ok(())
        });
        // If it waits to send more, it ends.
        drop(batches);
        let read = reader.join().unwrap_or_else(|panic| resume_unwind(panic));
        written.map_err(not_written).and(read)
    })?;
    writer.finish().map_err(not_written)
}

/// Reads rows and sends them, until the receiver is dropped.
#[expect(clippy::needless_pass_by_value, reason = "the receiver waits until it is dropped")]
fn send_rows(
    source: RowSource<'_>,
    export: &Export,
    rows: &ExportRows,
    sender: SyncSender<RecordBatch>,
) -> Result<()> {
    let mut send = |batch| {
        export.check()?;
        sender.send(batch).map_err(|_| CacheError::from(CacheErrorKind::Cancelled(Work::Export)))
    };
    match source {
        RowSource::Batches(batches) => batches.iter().cloned().try_for_each(send),
        RowSource::Statements(connection) => rows.selects.iter().try_for_each(|select| {
            let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            connection.stream(select, [], &mut send)
        }),
    }
}

fn zone_of(name: &str) -> Result<DayZone> {
    let unknown = |_| CacheErrorKind::Export(ExportProblem::NoZone(name.to_owned())).into();
    DayZone::parse(name).map_err(unknown)
}

/// A note on a manifest beside the file that does not describe it.
fn note_of_older_manifest(destination: &Destination) -> Option<String> {
    let Destination::Path(path) = destination else { return None };
    let manifest = manifest_name(path);
    (destination.is_file() && manifest.is_file())
        .then(|| format!("{} is from an earlier export and does not describe this file.", manifest.display()))
}

/// What to say of what the format could not take, in sentences.
fn notes_of(remarks: Remarks) -> Vec<String> {
    let Remarks { cells_as_text, cut_texts, sheets } = remarks;
    let mut notes = Vec::new();
    if cells_as_text > 0 {
        let (cells, are) = (counted(cells_as_text, "cell"), if cells_as_text == 1 { "is" } else { "are" });
        notes.push(format!(
            "{cells} with a number or a date that a spreadsheet cannot hold exactly {are} written as text."
        ));
    }
    if cut_texts > 0 {
        let (cells, are) = (counted(cut_texts, "cell"), if cut_texts == 1 { "was" } else { "were" });
        notes
            .push(format!("{cells} with more than 32,767 characters {are} cut to what a spreadsheet holds."));
    }
    if sheets > 1 {
        notes.push(format!("The rows are on {}.", counted(sheets, "sheet")));
    }
    notes
}

/// The failure of writing a staged file, or the writer's own.
fn export_error(staged: &Path, error: io::Error) -> CacheError {
    match error.downcast::<CacheError>() {
        Ok(own) => own,
        Err(error) => not_written(staged, error),
    }
}
