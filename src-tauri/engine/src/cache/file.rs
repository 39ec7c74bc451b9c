//! One open cache file: its ledger, its fields, and the lock that commits take.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use chrono::{DateTime, Utc};
use duckdb::{Config, Connection, params};
use tokio::sync::OwnedMutexGuard;

use super::collation::{Collation, UNKNOWN};
use super::inspect::{check_segments, is_blank, refuse_code};
use super::leftovers::{clear_spill, spill_of};
use super::migrate::migrate;
use super::relation::literal;
use super::schema::{self, FORMAT, role_name};
use crate::day::{Day, DayRange};
use crate::decode::{FieldId, FieldRegistry, FieldSet};
use crate::desk::Role;
use crate::failure::{Code, Failure, Result};
use crate::filter::Filters;
use crate::mapping::Mapping;
use crate::plan::{DayCoverage, Ledger};
use crate::signature::{Query, Signature, canonical_text, family};

/// Memory DuckDB may use for one file. Blocks of 256 KB are held for every column of every table that is
/// written, and the row groups that are being filled: what a fetch needs depends on the width and the size
/// of the documents and on the windows side by side, not on the size of the result. Too little fails a
/// fetch, so this is generous; DuckDB keeps blocks it has written until the limit is reached.
const MEMORY_BASE: usize = 768 << 20;
const MEMORY_A_FIELD: usize = 3 << 20;
/// Row groups in memory: two tables in each of three windows, half of them being compressed.
const ROW_GROUPS_HELD: usize = 9;
/// Rows of a row group. A row group that is full goes to disk while its window still streams, so
/// smaller ones than DuckDB's 122,880 keep the memory of a fetch small.
const ROW_GROUP_SIZE: usize = 24_576;
/// Name under which the file is attached. The database that DuckDB opens first is in memory and empty:
/// only attaching sets the size of row groups.
pub(super) const CATALOG: &str = "cache";

/// What a file says about the query that owns it.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The query's signature.
    pub signature: Signature,
    /// The text that the signature is the hash of.
    pub canonical: String,
    /// Hash of source and mapping alone: queries of one family may adopt from each other.
    pub family: String,
    /// Hosts, database and collection, for people.
    pub source: String,
    /// The mapping.
    pub mapping: Mapping,
    /// The filters.
    pub filters: Filters,
}

impl Identity {
    /// The identity of a query.
    #[must_use]
    pub fn of(query: &Query) -> Self {
        let mut mapping = query.mapping.clone();
        // Said or not said, the trades' own collection is the same thing, also to the signature.
        mapping.downstream_collection.take_if(|name| *name == query.source.collection);
        Self {
            signature: Signature::of(query),
            canonical: canonical_text(query),
            family: family(query),
            source: query.source.describe(),
            mapping,
            filters: query.filters.clone(),
        }
    }
}

/// A held day in the ledger.
#[derive(Debug, Clone)]
pub struct HeldDay {
    /// The segment that holds its rows.
    pub segment: u32,
    /// When it was fetched: the moment its window's pull began.
    pub fetched: DateTime<Utc>,
    /// Input rows.
    pub input_rows: u64,
    /// Downstream rows, those that are input rows of the asked days included.
    pub downstream_rows: u64,
    /// Fields that its input rows have.
    pub input_fields: FieldSet,
    /// Fields that its downstream rows have.
    pub downstream_fields: FieldSet,
    /// The greatest change stamp of its input rows, where the mapping has one.
    pub change_mark: Option<String>,
}

impl HeldDay {
    /// Rows of a role.
    #[must_use]
    pub const fn rows(&self, role: Role) -> u64 {
        match role {
            Role::Input => self.input_rows,
            Role::Downstream => self.downstream_rows,
        }
    }

    /// Fields of a role.
    #[must_use]
    pub const fn fields(&self, role: Role) -> &FieldSet {
        match role {
            Role::Input => &self.input_fields,
            Role::Downstream => &self.downstream_fields,
        }
    }
}

/// Everything about a file that a reader needs, as of one commit. Never changed, only replaced.
#[derive(Debug, Clone, Default)]
pub struct FileState {
    /// The held days.
    pub days: BTreeMap<Day, HeldDay>,
    /// Physical columns of the segments' tables.
    pub columns: BTreeMap<(u32, Role), Vec<FieldId>>,
    /// Counts commits of this process; a view of an older state is stale.
    pub generation: u64,
}

impl FileState {
    /// The ledger as the plan reads it.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.days
            .iter()
            .map(|(day, held)| {
                let coverage = DayCoverage {
                    fetched: held.fetched,
                    input_rows: held.input_rows,
                    downstream_rows: held.downstream_rows,
                };
                (*day, coverage)
            })
            .collect()
    }

    /// Held days within a range.
    pub fn held_in(&self, range: DayRange) -> impl Iterator<Item = (Day, &HeldDay)> {
        self.days.range(range.from()..=range.to()).map(|(day, held)| (*day, held))
    }
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
    /// Bytes of memory that DuckDB may use now.
    memory: AtomicUsize,
    pinned: AtomicBool,
    collation: Mutex<Collation>,
    /// At most one opening of a file in this process at a time: DuckDB's own lock does not see it.
    _gate: OwnedMutexGuard<()>,
}

impl CacheFile {
    /// Opens a file, or creates it for this identity.
    ///
    /// # Errors
    /// `cache_busy` where another process has it, `disk_full`, and `cache_damaged` where it cannot be
    /// read or belongs to another query.
    pub(super) fn open(path: &Path, create: Option<&Identity>, gate: OwnedMutexGuard<()>) -> Result<Self> {
        let is_new = !path.exists();
        if is_new && create.is_none() {
            return Err(Failure::new(Code::NotCached, "There is no such cached query."));
        }
        // The folder first: DuckDB makes the file, its log and what it spills with the rights of any file.
        path.parent().inspect(|family| restrict_to_owner(family));
        let connection = attach(path)?;
        restrict_to_owner(path);
        clear_spill(path);
        // A program that was killed may have made the file and nothing in it.
        if let Some(identity) = create
            && (is_new || is_blank(&connection)?)
        {
            initialise(&connection, identity)?;
        }
        refuse_code(&connection)?;
        migrate(&connection)?;
        let identity = read_identity(&connection)?;
        let pinned = read_fact(&connection, "pinned")? == "1";
        let collation = Collation::from_stored(&read_fact(&connection, "collation")?);
        let is_other = match create {
            Some(expected) => expected.canonical != identity.canonical,
            None => path.file_stem().is_none_or(|name| name != identity.signature.as_str()),
        };
        if is_other {
            return Err(Failure::new(Code::CacheDamaged, "The cache file belongs to another query."));
        }
        let registry = Arc::new(FieldRegistry::with(read_fields(&connection)?));
        let memory = memory_for(registry.len(), 0);
        set_memory(&connection, memory)?;
        let state = read_state(&connection)?;
        check_segments(&connection, state.days.values().map(|held| held.segment))?;
        let next = connection.query_row(
            "SELECT coalesce(max(segment), 0) + 1 FROM (SELECT segment FROM coverage UNION ALL SELECT segment FROM segment_column UNION ALL SELECT segment FROM overlap_checked)",
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
            memory: AtomicUsize::new(memory),
            pinned: AtomicBool::new(pinned),
            collation: Mutex::new(collation),
            _gate: gate,
        })
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

    /// Whether the trader wants to keep this query whatever room the cache may take.
    #[must_use]
    pub fn pinned(&self) -> bool {
        self.pinned.load(Ordering::Relaxed)
    }

    /// Pins the query, or lets it go.
    ///
    /// # Errors
    /// See [`super::duckdb_failure`].
    pub fn set_pinned(&self, pinned: bool) -> Result<()> {
        self.write_fact("pinned", if pinned { "1" } else { "0" })?;
        self.pinned.store(pinned, Ordering::Relaxed);
        Ok(())
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
        connection.execute_batch(&format!("USE {CATALOG}"))?;
        Ok(connection)
    }

    /// Allows the memory that documents of this size, and the fields known by now, need.
    pub(super) fn make_room(&self, connection: &Connection, document_bytes: usize) -> Result<()> {
        let wanted = memory_for(self.registry.len(), document_bytes);
        if self.memory.fetch_max(wanted, Ordering::Relaxed) < wanted {
            set_memory(connection, wanted)?;
        }
        Ok(())
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
        next.generation += 1;
        *current = Arc::new(next);
        Ok(())
    }

    /// Days leave the ledger and their rows the file.
    ///
    /// # Errors
    /// See [`super::duckdb_failure`].
    pub fn forget(&self, range: DayRange) -> Result<()> {
        let connection = self.connect()?;
        connection.execute_batch("BEGIN TRANSACTION")?;
        self.commit(&connection, |state| {
            remove_days(&connection, state, range.days())?;
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

/// Takes days out of the ledger and their rows out of the tables; a segment left without a day goes.
pub(super) fn remove_days(
    connection: &Connection,
    state: &mut FileState,
    days: impl Iterator<Item = Day>,
) -> Result<Vec<(Day, HeldDay)>> {
    let removed: Vec<(Day, HeldDay)> =
        days.filter_map(|day| state.days.remove(&day).map(|held| (day, held))).collect();
    for (day, held) in &removed {
        connection.execute("DELETE FROM coverage WHERE day = ?", params![day.number()])?;
        if state.days.values().any(|other| other.segment == held.segment) {
            for table in tables(held.segment) {
                connection.execute(&format!("DELETE FROM {table} WHERE day = ?"), params![day.number()])?;
            }
        }
    }
    let mut segments: Vec<u32> = removed.iter().map(|(_, held)| held.segment).collect();
    segments.sort_unstable();
    segments.dedup();
    for segment in segments {
        if state.days.values().any(|other| other.segment == segment) {
            continue;
        }
        for table in tables(segment) {
            connection.execute_batch(&format!("DROP TABLE {table}"))?;
        }
        state.columns.retain(|(of, _), _| *of != segment);
        connection.execute("DELETE FROM segment_column WHERE segment = ?", params![segment])?;
    }
    Ok(removed)
}

pub(super) fn tables(segment: u32) -> [String; 3] {
    [
        schema::table(Role::Input, segment),
        schema::table(Role::Downstream, segment),
        schema::shared_table(segment),
    ]
}

fn attach(path: &Path) -> Result<Connection> {
    let spill = spill_of(path);
    let config = Config::default()
        .threads(2)
        .and_then(|config| config.with("temp_directory", spill.to_string_lossy()))
        .and_then(|config| config.with("autoload_known_extensions", "false"))
        .and_then(|config| config.with("autoinstall_known_extensions", "false"))?;
    let connection = Connection::open_in_memory_with_flags(config)?;
    // Files are read by this program's DuckDB; the newer storage version compresses text better.
    connection.execute_batch(&format!(
        "ATTACH {} AS {CATALOG} (ROW_GROUP_SIZE {ROW_GROUP_SIZE}, STORAGE_VERSION 'v1.5.0'); USE {CATALOG};",
        literal(&path.to_string_lossy())
    ))?;
    Ok(connection)
}

const fn memory_for(fields: usize, document_bytes: usize) -> usize {
    MEMORY_BASE + MEMORY_A_FIELD * fields + document_bytes * ROW_GROUP_SIZE * ROW_GROUPS_HELD
}

fn set_memory(connection: &Connection, bytes: usize) -> Result<()> {
    Ok(connection.execute_batch(&format!("SET memory_limit = '{}MiB'", bytes >> 20))?)
}

fn initialise(connection: &Connection, identity: &Identity) -> Result<()> {
    connection.execute_batch("BEGIN TRANSACTION")?;
    connection.execute_batch(schema::CREATE)?;
    let facts = [
        ("format", FORMAT.to_string()),
        ("signature", identity.signature.to_string()),
        ("canonical", identity.canonical.clone()),
        ("family", identity.family.clone()),
        ("source", identity.source.clone()),
        ("mapping", identity.mapping.to_stored()),
        ("filters", identity.filters.to_stored()),
        ("collation", UNKNOWN.to_owned()),
        ("pinned", "0".to_owned()),
    ];
    let mut insert = connection.prepare("INSERT INTO meta VALUES (?, ?)")?;
    for (key, value) in facts {
        insert.execute(params![key, value])?;
    }
    connection.execute_batch("COMMIT")?;
    Ok(())
}

fn read_fact(connection: &Connection, key: &str) -> Result<String> {
    let mut select = connection.prepare("SELECT value FROM meta WHERE key = ?")?;
    let mut rows = select.query(params![key])?;
    match rows.next()? {
        Some(row) => Ok(row.get(0)?),
        None => Err(Failure::new(
            Code::CacheDamaged,
            format!("The cache file does not say which query it belongs to ({key} is missing)."),
        )),
    }
}

fn read_identity(connection: &Connection) -> Result<Identity> {
    let fact = |key: &str| read_fact(connection, key);
    Ok(Identity {
        signature: Signature::parse(&fact("signature")?).map_err(own_word)?,
        canonical: fact("canonical")?,
        family: fact("family")?,
        source: fact("source")?,
        mapping: Mapping::from_stored(&fact("mapping")?).map_err(own_word)?,
        filters: Filters::from_stored(&fact("filters")?).map_err(own_word)?,
    })
}

/// What a file says about its query cannot be read: that is the file's fault, not the trader's.
fn own_word(failure: Failure) -> Failure {
    Failure::new(Code::CacheDamaged, format!("The cache file cannot be understood: {}", failure.message))
}

fn read_fields(connection: &Connection) -> Result<Vec<crate::decode::Field>> {
    let mut select = connection.prepare("SELECT path, kind FROM field ORDER BY number")?;
    let rows = select.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    rows.map(|row| {
        let (path, kind) = row?;
        schema::read_field(&path, &kind).ok_or_else(|| {
            Failure::new(
                Code::CacheDamaged,
                format!("The cache file names a type that this Tidemark does not know: {kind}."),
            )
        })
    })
    .collect()
}

fn read_state(connection: &Connection) -> Result<FileState> {
    let mut state = FileState::default();
    let mut select = connection.prepare(
        "SELECT day, segment, fetched_ms, input_rows, downstream_rows, input_fields, downstream_fields, change_mark
         FROM coverage",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let fetched_ms: i64 = row.get(2)?;
        let held = HeldDay {
            segment: row.get(1)?,
            fetched: DateTime::from_timestamp_millis(fetched_ms).ok_or_else(|| {
                Failure::new(Code::CacheDamaged, "The cache file holds a fetch time that cannot be.")
            })?,
            input_rows: row.get(3)?,
            downstream_rows: row.get(4)?,
            input_fields: FieldSet::from_text(&row.get::<_, String>(5)?),
            downstream_fields: FieldSet::from_text(&row.get::<_, String>(6)?),
            change_mark: row.get(7)?,
        };
        state.days.insert(Day::from_number(row.get(0)?), held);
    }
    let mut select = connection.prepare("SELECT segment, role, field FROM segment_column ORDER BY rowid")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let role: String = row.get(1)?;
        let role = if role == role_name(Role::Input) { Role::Input } else { Role::Downstream };
        state.columns.entry((row.get(0)?, role)).or_default().push(row.get(2)?);
    }
    Ok(state)
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
