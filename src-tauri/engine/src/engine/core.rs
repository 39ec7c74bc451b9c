//! The engine: one cache folder, its runs and its views.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use tracing::{info, instrument, warn};

use super::query_lock::{QueryGuard, QueryLocks};
use super::single_flight::Pulls;
use super::sql_results::KeptResults;
use crate::answer::derive::{Basis, Derived, derive};
use crate::cache::store::relocate::Copied;
use crate::cache::{Cache, CacheError, CacheFile, CatalogEntry, Identity, MappedPaths, View, mapped_paths};
use crate::day::{Day, DayRange};
use crate::engine::off_thread;
use crate::failure::{Code, Failure, Result};
use crate::limits::Limits;
use crate::plan::ledger::Policy;
use crate::query::mapping::Mapping;
use crate::query::signature::Signature;
use crate::query::source::Query;
use crate::source::{Source, SourceOrigin};

/// Number of views kept open, so that paging does not have to open one each time.
const VIEWS: usize = 3;

pub use crate::source::Clock;

/// The engine. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    cache: Cache,
    pub(crate) pulls: Pulls,
    pub(crate) locks: QueryLocks,
    pub(crate) limits: Limits,
    clock: Clock,
    views: Arc<Mutex<VecDeque<Arc<View>>>>,
    /// The results of a trader's own SQL.
    pub(crate) results: Arc<KeptResults>,
    in_use: InUse,
    /// How far the clock of the source used last is ahead of this machine's.
    ahead_ms: Arc<AtomicI64>,
}

/// Per family of queries, what the mapping in use says beyond the signature. A file only records what was in force
/// when it was created.
type InUse = Arc<Mutex<HashMap<String, Treatment>>>;

/// How to treat the cached queries of a family.
#[derive(Clone)]
struct Treatment {
    /// When days count as settled.
    policy: Policy,
    /// The order of their columns.
    mapped: MappedPaths,
    /// What to call their columns, by path.
    labels: Arc<BTreeMap<String, String>>,
    /// The mapping itself, with what is only shown.
    mapping: Arc<Mapping>,
}

impl Treatment {
    fn of(mapping: &Mapping) -> Self {
        Self {
            policy: Policy::of(mapping),
            mapped: mapped_paths(mapping),
            labels: Arc::new(mapping.all_labels()),
            mapping: Arc::new(mapping.clone()),
        }
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("cache", &self.cache.folder()).finish_non_exhaustive()
    }
}

impl Engine {
    /// Creates an engine on a cache folder, which is created if it is missing. `keep_open` files stay open after
    /// their last use: useful for a window that pages, not for a command line that exits.
    ///
    /// # Errors
    /// `disk_full` or `cache_unusable` if the folder cannot be used.
    pub fn new(folder: &Path, keep_open: usize) -> Result<Self> {
        let limits = Limits::default();
        Ok(Self {
            cache: Cache::new(folder, keep_open)?,
            pulls: Pulls::new(&limits),
            locks: QueryLocks::default(),
            limits,
            clock: Arc::new(Utc::now),
            views: Arc::default(),
            results: Arc::default(),
            in_use: Arc::default(),
            ahead_ms: Arc::default(),
        })
    }

    /// Replaces the clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Replaces the limits. Call it before the first fetch.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.pulls = Pulls::new(&limits);
        self.cache.set_row_group_rows(limits.row_group_rows);
        self.limits = limits;
        self
    }

    /// Sets the memory that a fetch may use, in bytes; see [`Cache::set_memory`].
    #[must_use]
    pub fn with_memory(self, bytes: Option<u64>) -> Self {
        self.cache.set_memory(bytes);
        self
    }

    /// Copies the cache to the folder that a person chose, or into one of its own there; see [`Cache::place_in`]. No run
    /// must be in progress.
    ///
    /// # Errors
    /// `cache_busy` if a file is in use, `disk_full`, `cache_unusable`. Then nothing has changed.
    pub async fn copy_cache(&self, chosen: PathBuf) -> Result<Copied> {
        let engine = self.clone();
        off_thread(move || {
            engine.views().clear();
            engine.results.retain(|_| false);
            let place = engine.cache.place_in(&chosen)?;
            Ok(engine.cache.copy_to(&place)?)
        })
        .await
    }

    /// The default cache folder on this system.
    #[must_use]
    pub fn default_folder() -> PathBuf {
        directories::ProjectDirs::from("", "", "Tidemark")
            .map_or_else(|| PathBuf::from("tidemark-cache"), |folders| folders.data_local_dir().join("cache"))
    }

    /// The cache.
    #[must_use]
    pub const fn cache(&self) -> &Cache {
        &self.cache
    }

    /// The current time.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    pub(crate) fn clock(&self) -> Clock {
        Arc::clone(&self.clock)
    }

    /// The time at a source if it is known; otherwise this machine's.
    #[must_use]
    pub fn time_at(&self, source: Option<&Source>) -> DateTime<Utc> {
        let ahead = source.and_then(Source::clock).map_or(TimeDelta::zero(), |clock| clock.ahead);
        if source.is_some() {
            self.ahead_ms.store(ahead.num_milliseconds(), Ordering::Relaxed);
        }
        self.now() + ahead
    }

    /// Records the current origin of a source in all of its cached queries. Days from a different origin become
    /// unverified.
    ///
    /// # Errors
    /// Those of listing the cache. A file that is busy or cannot be written is updated when it is fetched.
    pub async fn note_origin(&self, query: &Query, origin: SourceOrigin) -> Result<()> {
        if !origin.is_known() {
            return Ok(());
        }
        let (cache, identity, query) = (self.cache.clone(), Identity::of(query), query.clone());
        off_thread(move || {
            // A file that knows the origin already need not be opened.
            let knows = |path: &Path| {
                cache.listed(path).is_ok_and(|CatalogEntry { state, .. }| {
                    state.days.is_empty() || state.current_origin() == Some(&origin)
                })
            };
            let mut is_other = false;
            for path in cache.family(&identity)?.into_iter().filter(|path| !knows(path)) {
                is_other |= cache.open_listed(&path).is_ok_and(|file| record_origin(&file, &origin));
            }
            if is_other {
                warn!(
                    source = query.source.describe(),
                    "the source is not the one that cached days came from"
                );
                // Rare, so it is acceptable to open every file: queries with a different mapping are in other
                // folders.
                for path in cache.files()? {
                    let Ok(file) = cache.open_listed(&path) else { continue };
                    let is_of_source = file.identity().query().is_ok_and(|theirs| {
                        theirs.source == query.source
                            && theirs.mapping.downstream_collection == identity.mapping.downstream_collection
                    });
                    if is_of_source {
                        record_origin(&file, &origin);
                    }
                }
            }
            Ok(())
        })
        .await
    }

    /// The rows of a cached query's days, as of the last commit.
    ///
    /// # Errors
    /// `not_cached`, `cache_busy`, `cache_damaged`.
    pub async fn view(&self, signature: &Signature, range: DayRange) -> Result<Arc<View>> {
        let engine = self.clone();
        let signature = signature.clone();
        off_thread(move || Ok(engine.view_blocking(&signature, range)?)).await
    }

    pub(crate) fn view_blocking(
        &self,
        signature: &Signature,
        range: DayRange,
    ) -> Result<Arc<View>, CacheError> {
        match self.open_view(signature, range) {
            // The handle was broken by an earlier operation: retry with a fresh one.
            Err(error) if error.is_fatal() => {
                self.start_afresh(signature, &error.into());
                self.open_view(signature, range)
            }
            other => other,
        }
    }

    fn open_view(&self, signature: &Signature, range: DayRange) -> Result<Arc<View>, CacheError> {
        self.close_replaced_files();
        {
            let mut views = self.views();
            if let Some(at) = views.iter().position(|view| {
                view.range() == range
                    && view.file().identity().signature == *signature
                    && view.generation() == view.file().state().generation
                    // The clock may have been corrected, or a new day may have begun.
                    && view.is_until(self.last_begun(view.file()))
                    && *view.mapped_paths() == self.mapped_paths_of(view.file())
            }) && let Some(view) = views.remove(at)
            {
                views.push_front(Arc::clone(&view));
                return Ok(view);
            }
        }
        let file = self.cache.open_signature(signature)?;
        self.cache.note_use(file.path(), self.now());
        let last = self.last_begun(&file);
        let mapped = self.mapped_paths_of(&file);
        let view = Arc::new(View::open_until(file, range, last)?.with_mapped_paths(mapped));
        let mut views = self.views();
        // An older view of the same query would keep its snapshot, and thus old rows, alive.
        views.retain(|other| other.file().identity().signature != *signature || other.range() != range);
        views.push_front(Arc::clone(&view));
        views.truncate(VIEWS);
        Ok(view)
    }

    /// Records how to treat the queries of a family from now on.
    pub(crate) fn note_mapping(&self, family: &str, mapping: &Mapping) {
        self.in_use().insert(family.to_owned(), Treatment::of(mapping));
    }

    /// The freshness policy for the days of a file.
    pub(crate) fn policy_of(&self, identity: &Identity) -> Policy {
        self.treatment_of(identity).policy
    }

    /// The paths that determine the column order of a file.
    pub(crate) fn mapped_paths_of(&self, file: &CacheFile) -> MappedPaths {
        self.treatment_of(file.identity()).mapped
    }

    /// What to call the columns and filters of a file, by path.
    pub(crate) fn labels_of(&self, identity: &Identity) -> Arc<BTreeMap<String, String>> {
        self.treatment_of(identity).labels
    }

    /// The mapping of a file, as it is in use now: what is only shown may have been changed since it was created.
    pub(crate) fn mapping_of(&self, identity: &Identity) -> Arc<Mapping> {
        self.treatment_of(identity).mapping
    }

    fn treatment_of(&self, identity: &Identity) -> Treatment {
        let known = self.in_use().get(&identity.family).cloned();
        known.unwrap_or_else(|| Treatment::of(&identity.mapping))
    }

    /// What an answer says of the days of a view that is read from the cache alone.
    pub(crate) fn derived(&self, view: &View) -> Derived {
        let shown = view.shown();
        derive(&Basis {
            range: view.range(),
            shown: &shown,
            replaced: &view.replaced(),
            run: None,
            policy: &self.policy_of(view.file().identity()),
            now: self.now(),
        })
    }

    /// The last day of a file that has begun, by the clock of the source used last, or by this machine's if there is
    /// none.
    pub(crate) fn last_begun(&self, file: &CacheFile) -> Day {
        self.last_begun_of(file.identity())
    }

    /// The same, of a file that need not be open.
    pub(crate) fn last_begun_of(&self, identity: &Identity) -> Day {
        let ahead = TimeDelta::milliseconds(self.ahead_ms.load(Ordering::Relaxed));
        self.policy_of(identity).zone.day_of(self.now() + ahead)
    }

    fn in_use(&self) -> MutexGuard<'_, HashMap<String, Treatment>> {
        self.in_use.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Deletes a cached query, or some of its days.
    ///
    /// # Errors
    /// `not_cached`; `cache_busy` while the query is being fetched or read.
    #[instrument(level = "error", skip_all, fields(%signature))]
    pub async fn forget(&self, signature: &Signature, range: Option<DayRange>) -> Result<()> {
        let Some(guard) = self.try_exclusive(signature) else {
            return Err(Failure::new(Code::CacheBusy, "This query is being fetched.")
                .advise("Cancel the fetch, or wait until it is done."));
        };
        let engine = self.clone();
        let signature = signature.clone();
        off_thread(move || {
            let _guard = guard;
            engine.close_views(&signature);
            engine.close_replaced_files();
            match range {
                None => engine.cache.delete(&signature)?,
                Some(range) => {
                    let file = engine.cache.open_signature(&signature)?;
                    file.forget(range)?;
                    drop(file);
                    engine.cache.delete_if_empty(&signature)?;
                }
            }
            let [from, to] = [range.map(|range| range.from()), range.map(|range| range.to())]
                .map(|day| day.map(|day| day.to_string()));
            info!(from, to, "cached days were deleted");
            Ok(())
        })
        .await
    }

    /// Locks a query exclusively; `None` if it is being fetched. A run that begins meanwhile waits until the guard is
    /// dropped, so that it does not plan to serve days that are being removed.
    pub(crate) fn try_exclusive(&self, signature: &Signature) -> Option<QueryGuard> {
        self.locks.try_exclusive(signature).filter(|_| !self.pulls.busy(signature))
    }

    /// Closes what an error has made unusable, so that the next access starts afresh: a view whose transaction was
    /// aborted cannot be queried any more, and a database that DuckDB has invalidated must be reopened. If the file
    /// is damaged, the next fetch moves it aside.
    pub(crate) fn start_afresh(&self, signature: &Signature, failure: &Failure) {
        self.close_views(signature);
        if failure.source_as().is_some_and(CacheError::is_fatal) {
            self.cache.retire(signature);
        } else {
            self.cache.release(signature);
        }
        if matches!(failure.code, Code::CacheDamaged | Code::Internal) {
            self.cache.suspect(signature);
        }
    }

    /// Closes the files that were deleted or replaced by hand while they were open here. A run or an export that uses
    /// one goes on with it to its end.
    pub(crate) fn close_replaced_files(&self) {
        self.views().retain(|view| view.file().is_current());
        self.results.retain(CacheFile::is_current);
        self.cache.close_replaced();
    }

    pub(crate) fn close_views(&self, signature: &Signature) {
        self.views().retain(|view| view.file().identity().signature != *signature);
        self.results.retain(|file| file.identity().signature != *signature);
    }

    fn views(&self) -> MutexGuard<'_, VecDeque<Arc<View>>> {
        self.views.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Records the current origin of a file's source. Returns whether the file's previous origin was a different one.
fn record_origin(file: &CacheFile, origin: &SourceOrigin) -> bool {
    let state = file.state();
    if state.days.is_empty() {
        return false;
    }
    let is_other = state.current_origin().is_some_and(|known| known.is_other_than(origin));
    // A file that cannot be written fails when it is fetched.
    let _ = file.record_origin(origin);
    is_other
}
