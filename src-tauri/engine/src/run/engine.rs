//! The engine: one cache folder, its runs and its views.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use super::prepare::{FetchRequest, prepare};
use super::shared::{Pulls, Run, Running};
use crate::api::plan::PlanView;
use crate::cache::{
    Cache, CacheFile, Identity, MappedPaths, Origin, View, is_damage, is_fatal, mapped_paths,
};
use crate::day::{Day, DayRange};
use crate::failure::{Code, Failure, Result};
use crate::limits::Limits;
use crate::plan::ledger::Policy;
use crate::query::mapping::Mapping;
use crate::query::signature::Signature;
use crate::query::source::Query;
use crate::source::Source;

/// Views kept open, so that paging does not open one each time.
const VIEWS: usize = 3;

pub use crate::source::Clock;

/// The engine. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    cache: Cache,
    pub(super) pulls: Pulls,
    pub(super) running: Running,
    pub(super) limits: Limits,
    clock: Clock,
    views: Arc<Mutex<VecDeque<Arc<View>>>>,
    in_use: InUse,
    /// How far the clock of the source that was asked last is ahead of this machine's.
    ahead_ms: Arc<AtomicI64>,
}

/// What the mappings in use say, by family of queries, of all that is no part of a signature: a file says what was so
/// when it was made.
type InUse = Arc<Mutex<HashMap<String, Treatment>>>;

/// How the cached queries of a family are treated.
#[derive(Clone)]
struct Treatment {
    /// When days count as settled.
    policy: Policy,
    /// The order of their columns.
    mapped: MappedPaths,
}

impl Treatment {
    fn of(mapping: &Mapping) -> Self {
        Self { policy: Policy::of(mapping), mapped: mapped_paths(mapping) }
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("cache", &self.cache.folder()).finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine on a cache folder, which is created where it is missing. `keep_open` files stay open
    /// after their last use: a window pages, a command line ends.
    ///
    /// # Errors
    /// `disk_full` or `cache_unusable` where the folder cannot be used.
    pub fn new(folder: &Path, keep_open: usize) -> Result<Self> {
        let limits = Limits::default();
        Ok(Self {
            cache: Cache::new(folder, keep_open)?,
            pulls: Pulls::new(&limits),
            running: Running::default(),
            limits,
            clock: Arc::new(Utc::now),
            views: Arc::default(),
            in_use: Arc::default(),
            ahead_ms: Arc::default(),
        })
    }

    /// The same engine with another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The same engine with other limits, before its first fetch.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.pulls = Pulls::new(&limits);
        self.cache.set_row_group_rows(limits.row_group_rows);
        self.limits = limits;
        self
    }

    /// The folder where caches lie on this system.
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

    /// The time.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    pub(super) fn clock(&self) -> Clock {
        Arc::clone(&self.clock)
    }

    /// The time at a source, as far as it has told; otherwise this machine's.
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
    /// Those of listing the cache. A file that is busy or cannot be written learns it when it is fetched.
    pub async fn note_origin(&self, query: &Query, origin: Origin) -> Result<()> {
        if !origin.is_known() {
            return Ok(());
        }
        let (cache, identity, query) = (self.cache.clone(), Identity::of(query), query.clone());
        off_thread(move || {
            let own = cache.open_existing(&identity).ok().flatten();
            let others =
                cache.siblings(&identity)?.into_iter().filter_map(|path| cache.open_listed(&path).ok());
            let mut is_other = false;
            for file in own.into_iter().chain(others) {
                is_other |= record_origin(&file, &origin);
            }
            if is_other {
                // Rare, so that every file may be opened: queries with another mapping lie in other folders.
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

    /// What a fetch would do. Asks the source only where days have to be pulled, and never pulls.
    ///
    /// # Errors
    /// Any of the contract's failures but those of storing.
    pub async fn plan(&self, source: Option<&Source>, request: &FetchRequest) -> Result<PlanView> {
        Ok(prepare(self, source, request, false).await?.view())
    }

    /// The rows of a cached query's days, as of the last commit.
    ///
    /// # Errors
    /// `not_cached`, `cache_busy`, `cache_damaged`.
    pub async fn view(&self, signature: &Signature, range: DayRange) -> Result<Arc<View>> {
        let engine = self.clone();
        let signature = signature.clone();
        off_thread(move || engine.view_blocking(&signature, range)).await
    }

    pub(super) fn view_blocking(&self, signature: &Signature, range: DayRange) -> Result<Arc<View>> {
        match self.open_view(signature, range) {
            // What broke the handle was something else than this look.
            Err(failure) if is_fatal(&failure) => {
                self.start_afresh(signature, &failure);
                self.open_view(signature, range)
            }
            other => other,
        }
    }

    fn open_view(&self, signature: &Signature, range: DayRange) -> Result<Arc<View>> {
        {
            let mut views = self.views();
            if let Some(at) = views.iter().position(|view| {
                view.range() == range
                    && view.file().identity().signature == *signature
                    && view.generation() == view.file().state().generation
                    // The clock may have been put right, or a day may have begun.
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
        // An older view of the same query would keep its snapshot, and so old rows, alive.
        views.retain(|other| other.file().identity().signature != *signature || other.range() != range);
        views.push_front(Arc::clone(&view));
        views.truncate(VIEWS);
        Ok(view)
    }

    /// Notes how the queries of a family are treated from now on.
    pub(super) fn note_mapping(&self, family: &str, mapping: &Mapping) {
        self.in_use().insert(family.to_owned(), Treatment::of(mapping));
    }

    /// How the days of a file are treated.
    pub(super) fn policy_of(&self, file: &CacheFile) -> Policy {
        self.treatment_of(file).policy
    }

    /// The paths by which the columns of a file are ordered.
    pub(super) fn mapped_paths_of(&self, file: &CacheFile) -> MappedPaths {
        self.treatment_of(file).mapped
    }

    fn treatment_of(&self, file: &CacheFile) -> Treatment {
        let identity = file.identity();
        let known = self.in_use().get(&identity.family).cloned();
        known.unwrap_or_else(|| Treatment::of(&identity.mapping))
    }

    /// The last day of a file that has begun at the source that was asked last, or else by this machine's clock.
    pub(super) fn last_begun(&self, file: &CacheFile) -> Day {
        let ahead = TimeDelta::milliseconds(self.ahead_ms.load(Ordering::Relaxed));
        self.policy_of(file).zone.day_of(self.now() + ahead)
    }

    fn in_use(&self) -> MutexGuard<'_, HashMap<String, Treatment>> {
        self.in_use.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets a cached query, or some of its days.
    ///
    /// # Errors
    /// `not_cached`, `cache_busy` while it is being fetched or read.
    pub async fn forget(&self, signature: &Signature, range: Option<DayRange>) -> Result<()> {
        let Some(alone) = self.alone(signature) else {
            return Err(Failure::new(Code::CacheBusy, "This query is being fetched.")
                .advise("Cancel the fetch, or wait until it is done."));
        };
        let engine = self.clone();
        let signature = signature.clone();
        off_thread(move || {
            let _alone = alone;
            engine.close_views(&signature);
            match range {
                None => engine.cache.delete(&signature),
                Some(range) => {
                    let file = engine.cache.open_signature(&signature)?;
                    file.forget(range)?;
                    drop(file);
                    engine.cache.delete_if_empty(&signature)
                }
            }
        })
        .await
    }

    /// A query that no run works on, and none does as long as what is returned lives: one that begins
    /// meanwhile waits, so that it does not plan to serve what goes.
    pub(super) fn alone(&self, signature: &Signature) -> Option<Run> {
        self.running.alone(signature).filter(|_| !self.pulls.busy(signature))
    }

    /// After an error, the next look starts afresh: a view whose transaction was aborted answers no more, and
    /// a database that DuckDB has given up has to be opened again. Where the file is damaged, the next fetch sets it
    /// aside.
    pub(super) fn start_afresh(&self, signature: &Signature, failure: &Failure) {
        self.close_views(signature);
        if is_fatal(failure) {
            self.cache.retire(signature);
        } else {
            self.cache.release(signature);
        }
        if is_damage(failure) || failure.code == Code::Internal {
            self.cache.suspect(signature);
        }
    }

    pub(super) fn close_views(&self, signature: &Signature) {
        self.views().retain(|view| view.file().identity().signature != *signature);
    }

    fn views(&self) -> MutexGuard<'_, VecDeque<Arc<View>>> {
        self.views.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Records what the source of a file is now; whether the file knew it as a different one.
fn record_origin(file: &CacheFile, origin: &Origin) -> bool {
    let state = file.state();
    if state.days.is_empty() {
        return false;
    }
    let is_other = state.current_origin().is_some_and(|known| known.is_other_than(origin));
    // A file that cannot be written says so when it is fetched.
    let _ = file.record_origin(origin);
    is_other
}

/// Runs blocking work where it blocks no async worker.
///
/// # Errors
/// What `work` returns; `internal` where it panics.
pub async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        Err(Failure::new(Code::Internal, "Reading or writing the cache failed unexpectedly.").because(error))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::rows::ViewKey;
    use crate::cache::samples;
    use crate::day::Day;
    use crate::plan::ledger::FetchMode;
    use crate::rows::Role;

    /// An engine with a day of three trades whose file is open, and the handle of it broken.
    fn broken(folder: &Path) -> (Engine, FetchRequest, ViewKey) {
        let day = Day::from_number(20_000);
        {
            let cache = Cache::new(folder, 0).expect("a cache");
            samples::store(&samples::file(&cache, &[]), day, DateTime::UNIX_EPOCH, 0..3);
        }
        let engine = Engine::new(folder, 5).expect("an engine");
        samples::break_handle(&samples::file(engine.cache(), &[]));
        let query = samples::query(&[]);
        let key = ViewKey { signature: Signature::of(&query).to_string(), from: day, to: day };
        let range = DayRange::new(day, day).expect("a day");
        (engine, FetchRequest { query, range, mode: FetchMode::Normal, offline: true }, key)
    }

    #[tokio::test]
    async fn after_a_fatal_error_a_fetch_opens_the_file_afresh() {
        let folder = tempfile::tempdir().expect("a folder");
        let (engine, request, _) = broken(folder.path());
        let answer = engine
            .fetch(None, &request, Arc::new(|_| {}), tokio_util::sync::CancellationToken::new())
            .await
            .expect("the rows are there");
        assert!(answer.complete && answer.rows.input == 3, "{answer:?}");
    }

    #[tokio::test]
    async fn after_a_fatal_error_a_look_opens_the_file_afresh() {
        let folder = tempfile::tempdir().expect("a folder");
        let (engine, _, key) = broken(folder.path());
        let page = engine.page(&key, Role::Input, None, 0, 10).await.expect("the rows are there");
        assert_eq!(page.rows.len(), 3);
    }
}
