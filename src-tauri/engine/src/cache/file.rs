//! One open cache file: its ledger, its fields, and the lock that commits take.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use duckdb::{Connection, params};
use tokio::sync::OwnedMutexGuard;

use super::access::{Access, read_only};
use super::error::{newer, while_opening};
use super::folder::{folder_failure, is_there, remove_files};
use super::identity::{Identity, initialise, read_fact, read_identity};
use super::inspect::{check_segments, is_blank};
use super::leftovers::{clear_spill, is_pinned, note_format, noted_format, write_pin};
use super::lock::FileLock;
use super::migrate::{expect_current, migrate};
use super::opener::{self, SEARCH_PATH, THREADS_TO_READ};
use super::schema::FORMAT;
use super::state::{
    FileState, HeldDay, ODD_DATES, Origin, UNMATCHED, next_generation, read_fields, read_state, remove_days,
    store_finding,
};
use super::writer::insert_differing;
use crate::answer::Unmatched;
use crate::answer::left_out::FoundOddDates;
use crate::day::{Day, DayRange};
use crate::decode::{FieldId, FieldRegistry};
use crate::failure::{Code, Failure, Result};
use crate::query::collation::Collation;

/// Memory DuckDB may use for one file. Blocks of 256 KB are held for every column of every table that is
/// written, and the row groups that are being filled: what a fetch needs depends on the width and the size
/// of the documents and on the windows side by side, not on the size of the result. Too little fails a
/// fetch, so this is generous.
const MEMORY_BASE: usize = 768 << 20;
/// In place of [`MEMORY_BASE`], for the moment in which DuckDB has to let go of what it need not hold.
const MEMORY_LEAST: usize = 64 << 20;
const MEMORY_A_FIELD: usize = 3 << 20;
/// Row groups in memory: two tables in each of three windows, half of them being compressed.
const ROW_GROUPS_HELD: usize = 9;
/// Threads of DuckDB while windows are being stored: each has a thread of its own by then, and DuckDB's second
/// would do a part of its work while the first one spins.
const THREADS_TO_WRITE: i64 = 1;
/// Name under which the file is attached. The database that DuckDB opens first is in memory and empty:
/// only attaching sets the size of row groups.
pub(super) const CATALOG: &str = "cache";

/// What a verification found of a held day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckedDay {
    /// The segment that held it.
    pub segment: u32,
    /// Whether it was known to differ when the check began.
    pub differed: bool,
    /// Whether the source has other rows.
    pub differs: bool,
}

/// An open cache file. Calls block on disk: they belong on blocking threads.
#[derive(Debug)]
pub struct CacheFile {
    // The connection closes before the gate opens: fields drop in this order.
    connection: Mutex<Connection>,
    identity: Identity,
    path: PathBuf,
    registry: Arc<FieldRegistry>,
    /// Fields that are stored in the file already.
    stored_fields: Mutex<usize>,
    state: RwLock<Arc<FileState>>,
    next_segment: AtomicU32,
    /// Bytes of memory that DuckDB may use, beyond [`MEMORY_BASE`].
    memory: Mutex<usize>,
    /// Windows that are being stored.
    writers: Mutex<usize>,
    exports: ExportFolder,
    next_export: AtomicU32,
    row_group_rows: usize,
    collation: Mutex<Collation>,
    _closing: ClosingNote,
    access: Access,
    hold: Hold,
}

/// What is held from before a file is opened until after it is closed. In this order it is given back.
#[derive(Debug)]
pub(super) struct Hold {
    /// Against other processes.
    pub(super) lock: FileLock,
    /// At most one opening of a file by one cache at a time; who wants the next waits for it.
    _gate: OwnedMutexGuard<()>,
}

impl Hold {
    pub(super) const fn new(lock: FileLock, gate: OwnedMutexGuard<()>) -> Self {
        Self { lock, _gate: gate }
    }
}

impl CacheFile {
    /// Opens a file, or creates it for this identity.
    ///
    /// # Errors
    /// `cache_busy` where another process has it, `disk_full`, `cache_unusable` where the system refuses it or a
    /// newer program wrote it, and `cache_damaged` where its bytes are damaged or it belongs to another query.
    pub(super) fn open(
        path: &Path,
        create: Option<&Identity>,
        row_group_rows: usize,
        hold: Hold,
    ) -> Result<Self> {
        let is_new = !is_there(path)?;
        if is_new && create.is_none() {
            return Err(Failure::new(Code::NotCached, "There is no such cached query."));
        }
        let opened = Self::open_or_make(path, create, is_new, row_group_rows, hold);
        if is_new && opened.as_ref().is_err_and(|failure| failure.code == Code::DiskFull) {
            // Half of a new file holds nothing, and would be taken for a damaged one.
            let _ = remove_files(path);
        }
        opened.map_err(while_opening)
    }

    fn open_or_make(
        path: &Path,
        create: Option<&Identity>,
        is_new: bool,
        row_group_rows: usize,
        hold: Hold,
    ) -> Result<Self> {
        if let Some(format) = noted_format(path).filter(|format| *format > FORMAT && !is_new) {
            return Err(newer(&format!("format {format}; this one reads up to format {FORMAT}")));
        }
        let access = Access::of(path)?;
        let is_read_only = access.is_read_only();
        if is_read_only && is_new {
            return Err(read_only());
        }
        if !is_read_only {
            // The folder first: DuckDB makes the file, its log and what it spills with the rights of any file.
            path.parent().inspect(|family| restrict_to_owner(family));
        }
        let connection = opener::open(path, row_group_rows, &access)?;
        let is_settled = if is_read_only {
            expect_current(&connection)?;
            false
        } else {
            restrict_to_owner(path);
            clear_spill(path);
            // A program that was killed may have made the file and nothing in it.
            if let Some(identity) = create
                && (is_new || is_blank(&connection)?)
            {
                initialise(&connection, identity)?;
            }
            migrate(&connection)?;
            move_pin(&connection, path)?
        };
        let identity = read_identity(&connection)?;
        let closing = ClosingNote { path: path.to_owned(), is_settled };
        let collation = Collation::from_stored(&read_fact(&connection, "collation")?);
        let is_other = match create {
            Some(expected) => expected.canonical != identity.canonical,
            None => path.file_stem().is_none_or(|name| name != identity.signature.as_str()),
        };
        if is_other {
            return Err(Failure::new(Code::CacheDamaged, "The cache file belongs to another query."));
        }
        let registry = Arc::new(FieldRegistry::with(read_fields(&connection)?));
        registry.expect_paths(identity.mapping.paths());
        let memory = memory_for(registry.len(), 0, row_group_rows);
        set_memory(&connection, MEMORY_BASE + memory)?;
        if !is_read_only {
            drop_stale_checks(&connection)?;
        }
        let state = read_state(&connection)?;
        check_segments(&connection, state.days.values().map(|held| held.segment))?;
        let next = connection.query_row(
            "SELECT coalesce(max(segment), 0) + 1 FROM (SELECT segment FROM coverage UNION ALL SELECT segment FROM segment_column UNION ALL SELECT segment FROM overlap_checked UNION ALL SELECT segment FROM differing)",
            [],
            |row| row.get::<_, u32>(0),
        )?;
        Ok(Self {
            connection: Mutex::new(connection),
            identity,
            path: path.to_owned(),
            stored_fields: Mutex::new(registry.len()),
            registry,
            state: RwLock::new(Arc::new(state)),
            next_segment: AtomicU32::new(next),
            memory: Mutex::new(memory),
            writers: Mutex::new(0),
            exports: ExportFolder(access.export_of(path)),
            access,
            next_export: AtomicU32::new(0),
            _closing: closing,
            row_group_rows,
            collation: Mutex::new(collation),
            hold,
        })
    }

    /// Closes the file; what was held for it stays held.
    pub(super) fn close(self) -> Hold {
        self.hold
    }

    /// What the file says about its query.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Where the file lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Rows per row group of tables that are made from now on.
    #[must_use]
    pub const fn row_group_rows(&self) -> usize {
        self.row_group_rows
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
        if self.is_read_only() { Err(read_only()) } else { Ok(()) }
    }

    /// Whether the trader wants to keep this query whatever room the cache may take.
    #[must_use]
    pub fn pinned(&self) -> bool {
        is_pinned(&self.path)
    }

    /// Pins or unpins the query. The pin is a small file beside the query's own; the file records it as well, so
    /// that it survives if the file is copied alone.
    ///
    /// # Errors
    /// `cache_unusable` if the pin cannot be written; see [`super::duckdb_failure`].
    pub fn set_pinned(&self, pinned: bool) -> Result<()> {
        self.expect_writable()?;
        if !pinned {
            self.write_fact("pinned", "0")?;
        }
        write_pin(&self.path, pinned).map_err(|error| folder_failure(&self.path, &error))?;
        if pinned {
            self.write_fact("pinned", "1")?;
        }
        Ok(())
    }

    /// A path for an export that nothing else uses, in the only folder besides its own that DuckDB may write to.
    pub(super) fn staged_export(&self) -> Result<PathBuf> {
        let folder = &self.exports.0;
        std::fs::create_dir_all(folder).map_err(|error| folder_failure(folder, &error))?;
        restrict_to_owner(folder);
        Ok(folder.join(self.next_export.fetch_add(1, Ordering::Relaxed).to_string()))
    }

    /// How the source compares text, as the last pull found it.
    #[must_use]
    pub fn collation(&self) -> Collation {
        self.collation.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers how the source compares text.
    ///
    /// # Errors
    /// See [`super::duckdb_failure`].
    pub fn record_collation(&self, found: &Collation) -> Result<()> {
        let mut known = self.collation.lock().unwrap_or_else(PoisonError::into_inner);
        if *known != *found {
            self.write_fact("collation", found.to_stored())?;
            known.clone_from(found);
        }
        Ok(())
    }

    /// Remembers the source as it was when it was asked just now: days of a different one are unverified from
    /// now on.
    ///
    /// # Errors
    /// See [`super::duckdb_failure`].
    pub fn record_origin(&self, origin: &Origin) -> Result<()> {
        if self.state().current_origin() == Some(origin) {
            return Ok(());
        }
        let connection = self.connect()?;
        self.commit(&connection, |state| {
            connection.execute_batch("BEGIN TRANSACTION")?;
            state.record_origin(&connection, origin).map(drop)
        })
    }

    fn write_fact(&self, key: &str, value: &str) -> Result<()> {
        // No commit of rows: a view of the file stays what it is.
        self.connect()?.execute("UPDATE meta SET value = ? WHERE key = ?", params![value, key])?;
        Ok(())
    }

    /// A connection of its own.
    ///
    /// # Errors
    /// See [`super::duckdb_failure`].
    pub(super) fn connect(&self) -> Result<Connection> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner).try_clone()?;
        connection.execute_batch(SEARCH_PATH)?;
        Ok(connection)
    }

    /// A window is about to be stored; [`end_writing`](Self::end_writing) ends it.
    pub(super) fn begin_writing(&self, connection: &Connection) -> Result<()> {
        let mut writers = self.writers.lock().unwrap_or_else(PoisonError::into_inner);
        if *writers == 0 {
            set_threads(connection, THREADS_TO_WRITE)?;
        }
        *writers += 1;
        Ok(())
    }

    /// A window is stored or given up.
    pub(super) fn end_writing(&self, connection: &Connection) {
        let mut writers = self.writers.lock().unwrap_or_else(PoisonError::into_inner);
        *writers -= 1;
        if *writers == 0 {
            // A connection that fails here fails whoever reads next, and he is told.
            let _ = set_threads(connection, THREADS_TO_READ);
        }
    }

    /// Allows the memory that documents of this size, and the fields known by now, need.
    pub(super) fn make_room(&self, connection: &Connection, document_bytes: usize) -> Result<()> {
        let wanted = memory_for(self.registry.len(), document_bytes, self.row_group_rows);
        let mut allowed = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if *allowed < wanted {
            set_memory(connection, MEMORY_BASE + wanted)?;
            *allowed = wanted;
        }
        Ok(())
    }

    /// Frees the memory of blocks that are on disk already. DuckDB itself keeps them until its limit is
    /// reached, so that a long fetch would take more memory than a short one.
    pub(super) fn let_go_of_written_blocks(&self, connection: &Connection) -> Result<()> {
        let allowed = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        // A lower limit makes DuckDB let go at once, of written blocks first. It stays in force for no
        // longer than that, and leaves more than windows side by side have been seen to need. Where DuckDB
        // cannot come down to it, it says so and keeps the limit it has.
        let _ = set_memory(connection, MEMORY_LEAST + *allowed);
        set_memory(connection, MEMORY_BASE + *allowed)
    }

    /// A connection with an open read transaction, and the state that belongs to its snapshot.
    pub(super) fn snapshot(&self) -> Result<(Connection, Arc<FileState>)> {
        let connection = self.connect()?;
        // Commits wait for this guard, so that no commit falls between the state and the snapshot.
        // The first read, not BEGIN, is what takes DuckDB's snapshot.
        let state: RwLockReadGuard<'_, Arc<FileState>> =
            self.state.read().unwrap_or_else(PoisonError::into_inner);
        connection.execute_batch("BEGIN TRANSACTION; SELECT count(*) FROM meta;")?;
        Ok((connection, Arc::clone(&state)))
    }

    /// The number that the next segment will have: days in segments below it are held already.
    #[must_use]
    pub fn next_segment(&self) -> u32 {
        self.next_segment.load(Ordering::Relaxed)
    }

    /// A segment number that nothing uses.
    pub(super) fn new_segment(&self) -> u32 {
        self.next_segment.fetch_add(1, Ordering::Relaxed)
    }

    /// Runs `work` and commits, one at a time, and makes the state it leaves the file's state.
    pub(super) fn commit(
        &self,
        connection: &Connection,
        work: impl FnOnce(&mut FileState) -> Result<()>,
    ) -> Result<()> {
        let mut current = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let mut next = FileState::clone(&current);
        work(&mut next)?;
        let stored = self.store_new_fields(connection)?;
        connection.execute_batch("COMMIT")?;
        *self.stored() = stored;
        next.generation = next_generation();
        *current = Arc::new(next);
        Ok(())
    }

    /// Days leave the ledger and their rows the file.
    ///
    /// # Errors
    /// See [`super::duckdb_failure`].
    pub fn forget(&self, range: DayRange) -> Result<()> {
        self.expect_writable()?;
        let connection = self.connect()?;
        connection.execute_batch("BEGIN TRANSACTION")?;
        self.commit(&connection, |state| {
            remove_days(&connection, state, range.days())?;
            Ok(())
        })
    }

    /// Remembers which documents have dates of another type.
    ///
    /// # Errors
    /// See [`super::duckdb_failure`].
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
            // Begun under the commit lock: two runs that end at once never change one row.
            connection.execute_batch("BEGIN TRANSACTION")?;
            state.odd_dates = updated(state);
            store_finding(&connection, ODD_DATES, &state.odd_dates)
        })
    }

    /// Remembers which parts of the query nothing in the collection answers to.
    ///
    /// # Errors
    /// See [`super::duckdb_failure`].
    pub fn record_unmatched(&self, found: Vec<Unmatched>) -> Result<()> {
        if self.state().unmatched == found {
            return Ok(());
        }
        let connection = self.connect()?;
        self.commit(&connection, |state| {
            connection.execute_batch("BEGIN TRANSACTION")?;
            store_finding(&connection, UNMATCHED, &found)?;
            state.unmatched = found;
            Ok(())
        })
    }

    /// Remembers what a verification found: which days differ at the source, and which do not.
    /// `checked` tells for each the segment that was compared, and what was known of it: a day that was pulled
    /// or checked since is left as it is.
    ///
    /// # Errors
    /// See [`super::duckdb_failure`].
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
            // Begun under the commit lock: two checks that end at once never change one row.
            connection.execute_batch("BEGIN TRANSACTION")?;
            for (day, held) in state.days.iter_mut().filter(|(day, held)| is_news(day, held)) {
                held.differs = !held.differs;
                if held.differs {
                    insert_differing(&connection, *day, held.segment)?;
                } else {
                    let sql = "DELETE FROM differing WHERE day = ? AND segment = ?";
                    connection.execute(sql, params![day.number(), held.segment])?;
                }
            }
            Ok(())
        })
    }

    fn stored(&self) -> MutexGuard<'_, usize> {
        self.stored_fields.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the fields that the file does not have yet. Another window may have found them: whoever
    /// commits first stores them, and a number that is stored but unused does no harm.
    fn store_new_fields(&self, connection: &Connection) -> Result<usize> {
        let known = *self.stored();
        let total = self.registry.len();
        let mut insert = connection.prepare("INSERT INTO field VALUES (?, ?, ?)")?;
        for number in known..total {
            let number = FieldId::try_from(number).expect("numbers come from FieldId");
            let field = self.registry.field(number).expect("numbers below the length are given");
            insert.execute(params![number, &*field.path, field.kind.name()])?;
        }
        Ok(total)
    }
}

/// Notes of checks whose days were pulled again or forgotten since. A window's commit leaves them: it must
/// not touch rows that a check may be changing.
fn drop_stale_checks(connection: &Connection) -> Result<()> {
    let stale = "(day, segment) NOT IN (SELECT (day, segment) FROM coverage)";
    let any: bool =
        connection
            .query_row(&format!("SELECT EXISTS (FROM differing WHERE {stale})"), [], |row| row.get(0))?;
    if any {
        connection.execute_batch(&format!("DELETE FROM differing WHERE {stale}"))?;
    }
    Ok(())
}

/// Puts the pin beside a file that says it is pinned, as one of an older Tidemark does; whether the pin stands beside
/// the file if there is one.
fn move_pin(connection: &Connection, path: &Path) -> Result<bool> {
    // What cannot be written is tried again at the next opening. Until then nobody evicts the file.
    Ok(read_fact(connection, "pinned")? != "1" || is_pinned(path) || write_pin(path, true).is_ok())
}

/// Notes the format of the file once it is closed, and while nobody else can open it.
#[derive(Debug)]
struct ClosingNote {
    path: PathBuf,
    is_settled: bool,
}

impl Drop for ClosingNote {
    fn drop(&mut self) {
        if self.is_settled {
            let _ = note_format(&self.path, FORMAT);
        }
    }
}

/// The folder for exports, which goes with the last use of the file.
#[derive(Debug)]
struct ExportFolder(PathBuf);

impl Drop for ExportFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const fn memory_for(fields: usize, document_bytes: usize, row_group_rows: usize) -> usize {
    MEMORY_A_FIELD * fields + document_bytes * row_group_rows * ROW_GROUPS_HELD
}

fn set_memory(connection: &Connection, bytes: usize) -> Result<()> {
    Ok(connection.execute_batch(&format!("SET memory_limit = '{}MiB'", bytes >> 20))?)
}

fn set_threads(connection: &Connection, threads: i64) -> Result<()> {
    Ok(connection.execute_batch(&format!("SET threads = {threads}"))?)
}

/// On Unix the file's mode; on Windows the user's own profile folder already keeps others out.
pub(super) fn restrict_to_owner(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = if path.is_dir() { 0o700 } else { 0o600 };
        // A file system without modes (a USB stick) is no reason to refuse to work.
        let _ = std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = path;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::{Cache, samples};

    /// Two checks of one day: the slower one began earlier, and found it alike. It leaves the other's mark.
    #[test]
    fn a_check_tells_nothing_of_what_was_found_since_it_began() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::new(folder.path(), 0).expect("a cache");
        let file = samples::file(&cache, &[]);
        let day = Day::from_number(20_000);
        samples::store(&file, day, chrono::DateTime::UNIX_EPOCH, 0..3);
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
