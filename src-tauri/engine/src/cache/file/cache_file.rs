//! One open cache file: its ledger, its fields, and the lock that commits take.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use duckdb::params;
use file_id::FileId;
use tracing::info;

use super::access::Access;
use super::error::{CacheError, CacheErrorKind, Missing, Result};
use super::ledger::{
    FileState, HeldDay, ODD_DATES, UNMATCHED, insert_differing, next_generation, read_fields, read_state,
    remove_days, store_finding,
};
use super::lock::Hold;
use super::memory::{
    FileOptions, MEMORY_MARGIN, THREADS_TO_WRITE, memory_besides_file, memory_for, set_memory, set_threads,
};
use super::meta::{Identity, initialise, read_fact, read_identity};
use super::migrate::{expect_current, migrate};
use super::opener::{self, SEARCH_PATH, THREADS_TO_READ};
use super::paths::{
    clear_spill, file_id, is_pinned, is_there, note_format, noted_format, remove_files, remove_if_there,
    restrict_to_owner, wal_path, write_pin,
};
use super::read_back::SegmentSums;
use super::schema::{CATALOG, FORMAT};
use super::sql::{Database, Name, Sql, sql};
use super::validate::{check_segments, drop_uncounted, is_blank, table_names};
use crate::answer::Unmatched;
use crate::answer::left_out::FoundOddDates;
use crate::day::{Day, DayRange, DaySet};
use crate::decode::{FieldId, FieldRegistry};
use crate::query::collation::Collation;
use crate::source::SourceOrigin;

/// Windows that are stored beside others before the next one waits until one is stored alone. Only then can DuckDB write
/// its log into the file, and until then it keeps memory for every table that the log has.
const UNPROVEN_WINDOWS: usize = 8;
/// The longest time that a window waits for those beside it, so that a large one, or a source that stalls in one, does not
/// stop the others.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// Stored windows that have not been read back from the file itself.
#[derive(Debug)]
struct Unproven {
    windows: Vec<SegmentSums>,
    /// How many of them there may be before a window waits.
    allowed: usize,
}

impl Default for Unproven {
    fn default() -> Self {
        Self { windows: Vec::new(), allowed: UNPROVEN_WINDOWS }
    }
}

impl Unproven {
    /// Whether the next window has to wait.
    const fn is_due(&self) -> bool {
        self.windows.len() >= self.allowed
    }

    /// Lets as many windows again be stored, after one has waited in vain.
    const fn postpone(&mut self) {
        self.allowed = self.windows.len() + UNPROVEN_WINDOWS;
    }
}

/// What a verification found about a cached day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckedDay {
    /// The segment that held the day when it was checked.
    pub segment: u32,
    /// Whether it was known to differ when the check began.
    pub differed: bool,
    /// Whether the source has different rows.
    pub differs: bool,
}

/// An open cache file. Calls block on disk: they belong on blocking threads.
#[derive(Debug)]
pub struct CacheFile {
    // Fields drop in this order: the connection closes before `hold` lets anything else open the file.
    connection: Mutex<Database>,
    identity: Arc<Identity>,
    path: PathBuf,
    /// The file that the path led to when it was opened.
    opened: Option<FileId>,
    registry: Arc<FieldRegistry>,
    /// Number of fields that are already stored in the file.
    stored_fields: Mutex<usize>,
    state: RwLock<Arc<FileState>>,
    next_segment: AtomicU32,
    /// Bytes of memory that DuckDB may use, beyond the base.
    memory: Mutex<usize>,
    /// Number of windows that are being stored.
    writers: Mutex<usize>,
    /// Notified when a window has been stored or abandoned.
    writer_ended: Condvar,
    unproven: Mutex<Unproven>,
    exports: ExportFolder,
    next_export: AtomicU32,
    options: FileOptions,
    collation: Mutex<Collation>,
    _closing: ClosingNote,
    access: Access,
    hold: Hold,
}

impl CacheFile {
    /// Opens a file. With an `owner`, it is created if it is missing, and must be the file of that query.
    ///
    /// # Errors
    /// `cache_busy` if another process has it open, `not_cached` if it does not exist and `owner` is `None`,
    /// `disk_full`, `cache_unusable` if the system refuses access or a newer program wrote the file, and
    /// `cache_damaged` if its bytes are damaged or it belongs to a different query.
    pub(crate) fn open(
        path: &Path,
        owner: Option<&Identity>,
        options: FileOptions,
        hold: Hold,
    ) -> Result<Self> {
        let is_new = !is_there(path)?;
        if is_new && owner.is_none() {
            return Err(CacheErrorKind::NotCached(Missing::File).into());
        }
        let opened = Self::open_or_make(path, owner, is_new, options, hold);
        if is_new && opened.as_ref().is_err_and(|error| *error.kind() == CacheErrorKind::DiskFull) {
            // A half-written new file holds nothing, and would be taken for a damaged one.
            let _ = remove_files(path);
        }
        opened.map_err(CacheError::while_opening)
    }

    fn open_or_make(
        path: &Path,
        owner: Option<&Identity>,
        is_new: bool,
        options: FileOptions,
        hold: Hold,
    ) -> Result<Self> {
        if let Some(format) = noted_format(path).filter(|format| *format > FORMAT && !is_new) {
            return Err(CacheError::newer(format!("format {format}; this one reads up to format {FORMAT}")));
        }
        let access = Access::of(path)?;
        let is_read_only = access.is_read_only();
        if is_read_only && is_new {
            return Err(CacheErrorKind::ReadOnly.into());
        }
        if !is_read_only {
            // The folder first: DuckDB creates the file, its log and its spills with default permissions.
            path.parent().inspect(|family| restrict_to_owner(family));
        }
        if is_new {
            // The file was deleted by hand and its log was not: DuckDB would take the log for that of the new file.
            for log in opener::logs_of(path) {
                remove_if_there(&log).map_err(|error| CacheError::of_folder(&log, &error))?;
            }
        }
        let connection = opener::open(path, options.row_group_rows, &access)?;
        let is_settled = if is_read_only {
            expect_current(&connection)?;
            false
        } else {
            restrict_to_owner(path);
            clear_spill(path);
            // A killed process may have created the file without any tables.
            if let Some(identity) = owner
                && (is_new || is_blank(&connection)?)
            {
                initialise(&connection, identity)?;
            }
            migrate(&connection)?;
            move_pin(&connection, path)?
        };
        let identity = read_identity(&connection)?;
        let closing = ClosingNote { path: path.to_owned(), is_settled, is_read_only };
        let collation = Collation::from_stored(&read_fact(&connection, "collation")?);
        let is_other = match owner {
            Some(expected) => expected.canonical != identity.canonical,
            None => path.file_stem().is_none_or(|name| name != identity.signature.as_str()),
        };
        if is_other {
            return Err(CacheErrorKind::NotOurs("The cache file belongs to another query.".into()).into());
        }
        let registry = Arc::new(FieldRegistry::with(read_fields(&connection)?));
        registry.expect_paths(identity.mapping.paths());
        let memory = memory_for(registry.len(), 0, options.row_group_rows);
        set_memory(&connection, options.memory_base + memory)?;
        if !is_read_only {
            drop_stale_checks(&connection)?;
        }
        let state = read_state(&connection)?;
        let tables = table_names(&connection)?;
        if !is_read_only {
            drop_uncounted(&connection, &state, &tables)?;
        }
        check_segments(&tables, state.days.values().map(|held| held.segment))?;
        if !is_read_only {
            restrict_to_owner(&wal_path(path));
        }
        let next = connection.query_row(
            sql!(
                "SELECT coalesce(max(segment), 0) + 1 FROM (
                     SELECT segment FROM coverage UNION ALL SELECT segment FROM segment_column
                     UNION ALL SELECT segment FROM overlap_checked UNION ALL SELECT segment FROM differing
                 )"
            ),
            [],
            |row| row.get::<_, u32>(0),
        )?;
        Ok(Self {
            connection: Mutex::new(connection),
            identity: Arc::new(identity),
            path: path.to_owned(),
            opened: file_id(path),
            stored_fields: Mutex::new(registry.len()),
            registry,
            state: RwLock::new(Arc::new(state)),
            next_segment: AtomicU32::new(next),
            memory: Mutex::new(memory),
            writers: Mutex::new(0),
            writer_ended: Condvar::new(),
            unproven: Mutex::default(),
            exports: ExportFolder(access.export_dir(path)),
            access,
            next_export: AtomicU32::new(0),
            _closing: closing,
            options,
            collation: Mutex::new(collation),
            hold,
        })
    }

    /// Closes the file and returns its lock, still held.
    pub(crate) fn close(self) -> Hold {
        self.hold
    }

    /// The query that owns the file, as the file describes it.
    #[must_use]
    pub const fn identity(&self) -> &Arc<Identity> {
        &self.identity
    }

    /// The path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the path still leads to the file that was opened. A person may delete or replace a file in the folder
    /// while it is open here: this handle then reads and writes a file that no path leads to.
    #[must_use]
    pub(crate) fn is_current(&self) -> bool {
        self.opened.is_none() || self.opened == file_id(&self.path)
    }

    /// Rows per row group of tables that are created from now on.
    #[must_use]
    pub const fn row_group_rows(&self) -> usize {
        self.options.row_group_rows
    }

    /// The file's fields.
    #[must_use]
    pub const fn registry(&self) -> &Arc<FieldRegistry> {
        &self.registry
    }

    /// The state as of the last commit.
    #[must_use]
    pub fn state(&self) -> Arc<FileState> {
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the file can only be read.
    #[must_use]
    pub const fn is_read_only(&self) -> bool {
        self.access.is_read_only()
    }

    /// # Errors
    /// `cache_unusable` if the file can only be read.
    fn expect_writable(&self) -> Result<()> {
        if self.is_read_only() { Err(CacheErrorKind::ReadOnly.into()) } else { Ok(()) }
    }

    /// Whether the trader has pinned this query, so that it is never evicted.
    #[must_use]
    pub fn pinned(&self) -> bool {
        is_pinned(&self.path)
    }

    /// Pins or unpins the query. The pin is a small file beside the query's own; the file records it as well, so
    /// that it survives if the file is copied alone.
    ///
    /// # Errors
    /// `cache_unusable` if the pin cannot be written; see [`crate::cache::CacheError`].
    pub fn set_pinned(&self, pinned: bool) -> Result<()> {
        self.expect_writable()?;
        if !pinned {
            self.write_fact("pinned", "0")?;
        }
        write_pin(&self.path, pinned).map_err(|error| CacheError::of_folder(&self.path, &error))?;
        if pinned {
            self.write_fact("pinned", "1")?;
        }
        Ok(())
    }

    /// Returns an unused path for an export, in a folder that DuckDB may write to.
    pub(crate) fn staged_export(&self) -> Result<PathBuf> {
        let folder = &self.exports.0;
        std::fs::create_dir_all(folder).map_err(|error| CacheError::of_folder(folder, &error))?;
        restrict_to_owner(folder);
        Ok(folder.join(self.next_export.fetch_add(1, Ordering::Relaxed).to_string()))
    }

    /// How the source compares text, as the last pull found it.
    #[must_use]
    pub fn collation(&self) -> Collation {
        self.collation.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stores how the source compares text.
    ///
    /// # Errors
    /// See [`crate::cache::CacheError`].
    pub fn record_collation(&self, found: &Collation) -> Result<()> {
        let mut known = self.collation.lock().unwrap_or_else(PoisonError::into_inner);
        if *known != *found {
            self.write_fact("collation", found.to_stored())?;
            known.clone_from(found);
        }
        Ok(())
    }

    /// Records the source as it is now. Days that came from a different one are unverified from then on.
    ///
    /// # Errors
    /// See [`crate::cache::CacheError`].
    pub fn record_origin(&self, origin: &SourceOrigin) -> Result<()> {
        if self.state().current_origin() == Some(origin) {
            return Ok(());
        }
        let connection = self.connect()?;
        self.commit(&connection, |state| {
            connection.execute_batch(sql!("BEGIN TRANSACTION"))?;
            state.record_origin(&connection, origin).map(drop)
        })
    }

    fn write_fact(&self, key: &str, value: &str) -> Result<()> {
        // No rows are committed, so views of the file stay current.
        self.connect()?.execute(sql!("UPDATE meta SET value = ? WHERE key = ?"), params![value, key])?;
        self.restrict_log();
        Ok(())
    }

    /// Restricts the log to its owner. DuckDB creates it with default permissions, and anew after each checkpoint; the
    /// folder keeps others out meanwhile.
    fn restrict_log(&self) {
        restrict_to_owner(&wal_path(&self.path));
    }

    /// Opens a new connection to the file's database.
    ///
    /// # Errors
    /// See [`crate::cache::CacheError`].
    pub(crate) fn connect(&self) -> Result<Database> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner).try_clone()?;
        connection.execute_batch(SEARCH_PATH)?;
        Ok(connection)
    }

    /// Registers a window that is about to be stored, until [`end_writing`](Self::end_writing). While there is one,
    /// DuckDB uses fewer threads. Waits for the windows beside it if [several](UNPROVEN_WINDOWS) have been stored since
    /// the log was last written into the file.
    pub(crate) fn begin_writing(&self, connection: &Database) -> Result<()> {
        let is_due = |writers: &mut usize| *writers > 0 && self.unproven().is_due();
        let writers = self.writers.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut writers, waited) = self
            .writer_ended
            .wait_timeout_while(writers, LONGEST_WAIT, is_due)
            .unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            self.unproven().postpone();
        }
        if *writers == 0 {
            set_threads(connection, THREADS_TO_WRITE)?;
        }
        *writers += 1;
        Ok(())
    }

    /// Unregisters a window that has been stored or abandoned.
    pub(crate) fn end_writing(&self, connection: &Database) {
        let mut writers = self.writers.lock().unwrap_or_else(PoisonError::into_inner);
        *writers -= 1;
        self.writer_ended.notify_all();
        if *writers == 0 {
            // If this fails, the next read on the connection reports it.
            let _ = set_threads(connection, THREADS_TO_READ);
        }
    }

    /// Raises the memory limit to what documents of this size and the fields known so far need.
    pub(crate) fn raise_memory_limit(&self, connection: &Database, document_bytes: usize) -> Result<()> {
        let wanted = memory_for(self.registry.len(), document_bytes, self.options.row_group_rows);
        let mut allowed = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if *allowed < wanted {
            set_memory(connection, self.options.memory_base + wanted)?;
            *allowed = wanted;
        }
        Ok(())
    }

    /// Frees the memory of blocks that are already on disk. DuckDB itself keeps them until its limit is reached, so a
    /// long fetch would take more memory than a short one.
    pub(crate) fn release_written_blocks(&self, connection: &Database) -> Result<()> {
        let allowed = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        // A lower limit makes DuckDB free memory at once, blocks of the file first. It is in force only for that moment.
        // Windows that need more in it make DuckDB spill some of their rows; if it cannot get down to the limit, it
        // returns an error and keeps its old one.
        let _ = set_memory(connection, memory_besides_file(connection)? + MEMORY_MARGIN);
        set_memory(connection, self.options.memory_base + *allowed)
    }

    /// Returns a connection with an open read transaction, and the state that belongs to its snapshot.
    pub(crate) fn snapshot(&self) -> Result<(Database, Arc<FileState>)> {
        self.snapshot_in(&sql!("BEGIN TRANSACTION"))
    }

    /// The same, with a transaction that can change nothing but temporary tables.
    pub(crate) fn read_only_snapshot(&self) -> Result<(Database, Arc<FileState>)> {
        self.snapshot_in(&sql!("BEGIN TRANSACTION READ ONLY"))
    }

    fn snapshot_in(&self, begin: &Sql) -> Result<(Database, Arc<FileState>)> {
        let connection = self.connect()?;
        // Commits wait for this guard, so that no commit falls between the state and the snapshot.
        // The first read, not BEGIN, is what takes DuckDB's snapshot.
        let state: RwLockReadGuard<'_, Arc<FileState>> =
            self.state.read().unwrap_or_else(PoisonError::into_inner);
        connection.execute_batch(sql!("{begin}; SELECT count(*) FROM meta;", begin))?;
        Ok((connection, Arc::clone(&state)))
    }

    /// The number that the next segment will have. Days in segments below it are already cached.
    #[must_use]
    pub fn next_segment(&self) -> u32 {
        self.next_segment.load(Ordering::Relaxed)
    }

    /// Returns a segment number that is not used yet.
    pub(crate) fn new_segment(&self) -> u32 {
        self.next_segment.fetch_add(1, Ordering::Relaxed)
    }

    /// Commits rows that the ledger does not count yet. A file that was deleted by hand while it was open takes no more
    /// rows: they would be lost when it is closed.
    pub(crate) fn commit_rows(&self, connection: &Database) -> Result<()> {
        self.expect_there()?;
        connection.execute_batch(sql!("COMMIT"))?;
        self.restrict_log();
        Ok(())
    }

    fn expect_there(&self) -> Result<()> {
        if is_there(&self.path)? { Ok(()) } else { Err(CacheErrorKind::NotCached(Missing::Removed).into()) }
    }

    /// Reads a stored window back and compares it with what was written.
    ///
    /// While other windows are being stored, DuckDB cannot write its log into the file, and rows that fill no row group
    /// are only there and in memory. They are read now, and once more by the window that is stored last.
    ///
    /// # Errors
    /// `cache_damaged` if the rows are not those that were written. Days of an earlier window for which this is found
    /// are removed.
    pub(crate) fn read_back(&self, connection: &Database, window: SegmentSums) -> Result<()> {
        let (begun, segment) = (Instant::now(), window.segment);
        let result = self.compare_with_written(connection, window);
        let read_back_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        info!(segment, read_back_us, "read back");
        result
    }

    fn compare_with_written(&self, connection: &Database, window: SegmentSums) -> Result<()> {
        let is_last = *self.writers.lock().unwrap_or_else(PoisonError::into_inner) == 1;
        // If this fails, a later window tries again; if the file has become unusable, reading it says so.
        let in_file = is_last && connection.execute_batch(sql!("CHECKPOINT {}", Name(CATALOG))).is_ok();
        let (reader, state) = self.snapshot()?;
        // Blocks that DuckDB still has in memory are those that it wrote, compressed. That the disk returned something else
        // is found by their checksums, whenever they are read.
        window.expect_stored(&reader)?;
        self.release_written_blocks(connection)?;
        if !in_file {
            self.unproven().windows.push(window);
            return Ok(());
        }
        let earlier = std::mem::take(&mut *self.unproven()).windows;
        for window in earlier {
            let days = state.days.iter().filter(|(_, held)| held.segment == window.segment);
            let days: DaySet = days.map(|(day, _)| *day).collect();
            if !days.is_empty()
                && let Err(damage) = window.expect_days(&reader, &days)
            {
                drop(reader);
                self.commit(connection, |state| {
                    connection.execute_batch(sql!("BEGIN TRANSACTION"))?;
                    let held = days.days().filter(|day| state.holds(*day, window.segment));
                    remove_days(connection, state, held.collect::<Vec<_>>().into_iter()).map(drop)
                })?;
                return Err(damage);
            }
        }
        Ok(())
    }

    /// Runs `work` and commits, one call at a time. The state that `work` leaves becomes the file's state. A file that
    /// was deleted by hand while it was open takes no more rows: they would be lost when it is closed.
    pub(crate) fn commit(
        &self,
        connection: &Database,
        work: impl FnOnce(&mut FileState) -> Result<()>,
    ) -> Result<()> {
        let mut current = self.state.write().unwrap_or_else(PoisonError::into_inner);
        self.expect_there()?;
        let mut next = FileState::clone(&current);
        work(&mut next)?;
        let stored = self.store_new_fields(connection)?;
        connection.execute_batch(sql!("COMMIT"))?;
        self.restrict_log();
        *self.stored() = stored;
        next.generation = next_generation();
        *current = Arc::new(next);
        Ok(())
    }

    /// Removes days from the ledger and their rows from the file.
    ///
    /// # Errors
    /// See [`crate::cache::CacheError`].
    pub fn forget(&self, range: DayRange) -> Result<()> {
        self.expect_writable()?;
        let connection = self.connect()?;
        connection.execute_batch(sql!("BEGIN TRANSACTION"))?;
        self.commit(&connection, |state| {
            remove_days(&connection, state, range.days())?;
            Ok(())
        })
    }

    /// Records which documents have dates of a different type than the mapping declares.
    ///
    /// # Errors
    /// See [`crate::cache::CacheError`].
    pub fn record_odd_dates(&self, found: &FoundOddDates) -> Result<()> {
        let updated = |state: &FileState| {
            let mut updated = state.odd_dates.clone();
            updated.update(found);
            updated
        };
        if updated(&self.state()) == self.state().odd_dates {
            return Ok(());
        }
        let connection = self.connect()?;
        self.commit(&connection, |state| {
            // Begun under the commit lock, so that two runs that end at the same time never change the same row.
            connection.execute_batch(sql!("BEGIN TRANSACTION"))?;
            state.odd_dates = updated(state);
            store_finding(&connection, ODD_DATES, &state.odd_dates)
        })
    }

    /// Records which parts of the query match nothing in the collection.
    ///
    /// # Errors
    /// See [`crate::cache::CacheError`].
    pub fn record_unmatched(&self, found: Vec<Unmatched>) -> Result<()> {
        if self.state().unmatched == found {
            return Ok(());
        }
        let connection = self.connect()?;
        self.commit(&connection, |state| {
            connection.execute_batch(sql!("BEGIN TRANSACTION"))?;
            store_finding(&connection, UNMATCHED, &found)?;
            state.unmatched = found;
            Ok(())
        })
    }

    /// Records what a verification found: which days differ at the source, and which do not. `checked` names, for
    /// each day, the segment that was compared and whether it was known to differ. A day that has been pulled or
    /// checked since is left as it is.
    ///
    /// # Errors
    /// See [`crate::cache::CacheError`].
    pub fn record_check(&self, checked: &BTreeMap<Day, CheckedDay>) -> Result<()> {
        let is_news = |day: &Day, held: &HeldDay| {
            checked.get(day).is_some_and(|found| {
                (found.segment, found.differed) == (held.segment, held.differs)
                    && found.differs != held.differs
            })
        };
        if !self.state().days.iter().any(|(day, held)| is_news(day, held)) {
            return Ok(());
        }
        let connection = self.connect()?;
        self.commit(&connection, |state| {
            // Begun under the commit lock, so that two checks that end at the same time never change the same row.
            connection.execute_batch(sql!("BEGIN TRANSACTION"))?;
            for (day, held) in state.days.iter_mut().filter(|(day, held)| is_news(day, held)) {
                held.differs = !held.differs;
                if held.differs {
                    insert_differing(&connection, *day, held.segment)?;
                } else {
                    let sql = sql!("DELETE FROM differing WHERE day = ? AND segment = ?");
                    connection.execute(sql, params![day.number(), held.segment])?;
                }
            }
            Ok(())
        })
    }

    fn unproven(&self) -> MutexGuard<'_, Unproven> {
        self.unproven.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stored(&self) -> MutexGuard<'_, usize> {
        self.stored_fields.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the fields that the file does not have yet. They may include fields found by another window: the first
    /// commit stores them all, and a number that is stored but unused does no harm.
    fn store_new_fields(&self, connection: &Database) -> Result<usize> {
        let known = *self.stored();
        let total = self.registry.len();
        let mut appender = connection.appender(&sql!("field"))?;
        for number in known..total {
            let number = FieldId::try_from(number).expect("numbers come from FieldId");
            let field = self.registry.field(number).expect("numbers below the length are given");
            appender.append_row(params![number, &*field.path, field.kind.name()])?;
        }
        appender.flush()?;
        Ok(total)
    }
}

/// Deletes the marks of checks whose days have been pulled again or forgotten since. A window's commit does not
/// delete them, because it must not touch rows that a check may be changing.
fn drop_stale_checks(connection: &Database) -> Result<()> {
    let stale = sql!("(day, segment) NOT IN (SELECT (day, segment) FROM coverage)");
    let any: bool =
        connection
            .query_row(sql!("SELECT EXISTS (FROM differing WHERE {stale})", stale), [], |row| row.get(0))?;
    if any {
        connection.execute_batch(sql!("DELETE FROM differing WHERE {stale}", stale))?;
    }
    Ok(())
}

/// Creates the pin beside a file that records one inside: an older Tidemark wrote it, or the file was copied alone.
/// Returns whether the pin, if there is one, now lies beside the file.
fn move_pin(connection: &Database, path: &Path) -> Result<bool> {
    // If this fails, the next opening tries again. Until then the file is not evicted.
    Ok(read_fact(connection, "pinned")? != "1" || is_pinned(path) || write_pin(path, true).is_ok())
}

/// Notes the format of the file on drop: the database is closed by then, and nothing else can open it yet.
#[derive(Debug)]
struct ClosingNote {
    path: PathBuf,
    is_settled: bool,
    is_read_only: bool,
}

impl Drop for ClosingNote {
    fn drop(&mut self) {
        if !self.is_read_only {
            // Closing a file whose disk is full leaves a log with default permissions.
            restrict_to_owner(&wal_path(&self.path));
        }
        if self.is_settled {
            let _ = note_format(&self.path, FORMAT);
        }
    }
}

/// The folder for exports, removed on drop.
#[derive(Debug)]
struct ExportFolder(PathBuf);

impl Drop for ExportFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::{Cache, fixtures};

    /// Two checks of one day: the slower one began earlier and found no difference. It leaves the other's mark.
    #[test]
    fn a_check_tells_nothing_of_what_was_found_since_it_began() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::new(folder.path(), 0).expect("a cache");
        let file = fixtures::file(&cache, &[]);
        let day = Day::from_number(20_000);
        fixtures::store(&file, day, chrono::DateTime::UNIX_EPOCH, 0..3);
        let segment = file.state().days[&day].segment;
        let found = |differed, differs| {
            file.record_check(&[(day, CheckedDay { segment, differed, differs })].into())
                .expect("remembered");
            file.state().days[&day].differs
        };
        assert!(found(false, true));
        assert!(found(false, false), "the earlier check wiped the mark");
        assert!(!found(true, false), "a check that knew of the mark settles it");
    }
}
