//! Browsing cached answers: rows, details, pipelines and values. Needs no server.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bson::RawDocument;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::answer::derive::Derived;
use crate::answer::note::Note;
use crate::answer::{Answer, AnswerRows};
use crate::api::rows::{ColumnView, FoundText, Page, RowCount, RowDetail, ViewKey, ViewShape};
use crate::bson::path::is_within;
use crate::bson::shown::{self, NotShown};
use crate::cache::read::findings::{left_out_of, unmatched_of};
use crate::cache::store::catalog::ValuesAsked;
use crate::cache::{CacheError, FoundRow, Identity, Stop, View};
use crate::day::{DayRange, DayZone};
use crate::engine::{Engine, off_thread};
use crate::failure::{Code, Failure, Result};
use crate::query::pipeline;
use crate::query::signature::{Signature, SourceName};
use crate::query::source::Query;
use crate::rows::summary::{ColumnSums, ColumnValues, Figure, FigureKind, GroupRequest, Groups};
use crate::rows::{PageRequest, Role, RowQuery};

/// Maximum number of rows in a page.
const PAGE_LIMIT: u64 = 5_000;
/// The most columns to group by.
const GROUP_COLUMNS: usize = 3;
/// How often work that is to stop is interrupted: a statement that is just beginning does not notice.
const STOP_AGAIN: Duration = Duration::from_millis(20);

impl Engine {
    /// The answer to some days of a query from what is cached.
    ///
    /// # Errors
    /// `not_cached`, `cache_busy`, `cache_damaged`.
    pub async fn cached_answer(&self, key: &ViewKey) -> Result<Answer> {
        let begun = Instant::now();
        let (signature, range) = read_key(key)?;
        let view = self.view(&signature, range).await?;
        let Derived { days, complete, origin } = self.derived(&view);
        let ledger = view.shown();
        let counts = view.counts();
        info!(
            signature = %key.signature,
            from = %key.from,
            to = %key.to,
            complete,
            input_rows = counts.input,
            downstream_rows = counts.downstream,
            "a cached query is opened"
        );
        let left_out = left_out_of(&view, &view.file().identity().mapping);
        let unmatched = unmatched_of(&view);
        let mut notes: Vec<Note> = unmatched.iter().cloned().map(Note::Unmatched).collect();
        notes.extend(left_out.iter().cloned().map(Note::LeftOut));
        Ok(Answer {
            signature: key.signature.clone(),
            source: SourceName::of(&view.file().identity().query()?),
            filters: view.file().identity().filters.describe(&self.labels_of(view.file().identity())),
            answer: origin,
            complete,
            days,
            rows: AnswerRows { input: counts.input, downstream: counts.downstream },
            oldest_fetch: ledger.range(range.from()..=range.to()).map(|(_, held)| held.fetched).min(),
            mongo_commands: 0,
            elapsed_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            changes: None,
            left_out,
            unmatched,
            notes,
            failure: None,
        })
    }

    /// The columns and the row count of a view.
    ///
    /// # Errors
    /// `not_cached`, `cache_busy`, `cache_damaged`.
    pub async fn view_shape(&self, key: &ViewKey, role: Role) -> Result<ViewShape> {
        let (signature, range) = read_key(key)?;
        let view = self.view(&signature, range).await?;
        let (counts, labels) = (view.counts(), self.labels_of(view.file().identity()));
        let labelled = |column| ColumnView::of(column, labels.get(&column.path).map(String::as_str));
        let columns: Vec<ColumnView> = view.columns(role).iter().map(labelled).collect();
        let mapping = &view.file().identity().mapping;
        let named = |path: Option<&str>| {
            path.filter(|path| columns.iter().any(|column| column.path == **path)).map(str::to_owned)
        };
        let in_use = self.mapping_of(view.file().identity());
        Ok(ViewShape {
            trade_column: named(mapping.trade_path(role)),
            status_column: named(in_use.status.as_deref()),
            generation: view.generation(),
            reading_order: reading_order(&columns, &mapping.reading_paths(role)),
            columns,
            rows: match role {
                Role::Input => counts.input,
                Role::Downstream => counts.downstream,
            },
            time_column: view.time_column(role).map(|column| column.path),
        })
    }

    /// A page of a view, with at most 5,000 rows and all columns.
    ///
    /// # Errors
    /// `not_cached`, `cache_busy`, `cache_damaged`; `bad_filter` if a sort or a filter names no existing column, or a
    /// condition cannot be used.
    pub async fn page(&self, key: &ViewKey, query: &RowQuery, offset: u64, limit: u64) -> Result<Page> {
        self.page_until(key, query, PageRequest::of(offset, limit), &CancellationToken::new()).await
    }

    /// The rows and cells of a request, unless it is cancelled while the rows are found for the first time.
    ///
    /// # Errors
    /// Those of [`page`](Self::page), and `cancelled`.
    pub async fn page_until(
        &self,
        key: &ViewKey,
        query: &RowQuery,
        request: PageRequest,
        cancel: &CancellationToken,
    ) -> Result<Page> {
        let query = query.clone();
        self.with_view(key, cancel, move |view, stop| {
            let request = PageRequest { limit: request.limit.min(PAGE_LIMIT), ..request };
            let rows = view.page_until(&query, &request, stop)?;
            Ok(Page { generation: view.generation(), offset: request.offset, rows })
        })
        .await
    }

    /// How many rows a row query selects, and of how many.
    ///
    /// # Errors
    /// Those of [`page`](Self::page), and `cancelled`.
    pub async fn row_count(
        &self,
        key: &ViewKey,
        query: &RowQuery,
        cancel: &CancellationToken,
    ) -> Result<RowCount> {
        let query = query.clone();
        self.with_view(key, cancel, move |view, stop| {
            let of = view.count(&RowQuery::of(query.role), stop)?;
            Ok(RowCount { generation: view.generation(), rows: view.count(&query, stop)?, of })
        })
        .await
    }

    /// Finds the next row of a row query with a cell that contains a text, whatever the case, from a position on, which
    /// is included.
    ///
    /// # Errors
    /// Those of [`page`](Self::page), and `cancelled`.
    pub async fn find_row(
        &self,
        key: &ViewKey,
        query: &RowQuery,
        text: &str,
        from: u64,
        forwards: bool,
        cancel: &CancellationToken,
    ) -> Result<FoundText> {
        let (query, text) = (query.clone(), text.to_owned());
        self.with_view(key, cancel, move |view, stop| {
            let FoundRow { position, number, total } = view.find(&query, &text, from, forwards, stop)?;
            Ok(FoundText { generation: view.generation(), position, number, total })
        })
        .await
    }

    /// The values of a column under a row query, whose own conditions on the column are left out. Only values that
    /// contain a text, whatever the case, if it is not empty.
    ///
    /// # Errors
    /// Those of [`page`](Self::page), and `cancelled`.
    pub async fn column_values(
        &self,
        key: &ViewKey,
        query: &RowQuery,
        path: &str,
        contains: &str,
        limit: u32,
        cancel: &CancellationToken,
    ) -> Result<ColumnValues> {
        let (query, path, contains) = (query.clone(), path.to_owned(), contains.to_owned());
        self.with_view(key, cancel, move |view, stop| view.values(&query, &path, &contains, limit, stop))
            .await
    }

    /// What a column of the rows of a row query adds up to.
    ///
    /// # Errors
    /// Those of [`page`](Self::page), and `cancelled`.
    pub async fn column_sums(
        &self,
        key: &ViewKey,
        query: &RowQuery,
        path: &str,
        cancel: &CancellationToken,
    ) -> Result<ColumnSums> {
        let (query, path) = (query.clone(), path.to_owned());
        self.with_view(key, cancel, move |view, stop| view.sums(&query, &path, stop)).await
    }

    /// Groups the rows of a row query.
    ///
    /// # Errors
    /// Those of [`page`](Self::page), `cancelled`, and `bad_filter` if the request has no or more than three columns to
    /// group by, a figure lacks its column, or the zone is unknown.
    pub async fn group_rows(
        &self,
        key: &ViewKey,
        query: &RowQuery,
        request: &GroupRequest,
        cancel: &CancellationToken,
    ) -> Result<Groups> {
        let zone = zone_of_groups(request)?;
        let (query, request) = (query.clone(), request.clone());
        self.with_view(key, cancel, move |view, stop| view.groups(&query, &request, zone, stop)).await
    }

    /// One row as MongoDB returned it.
    ///
    /// # Errors
    /// `not_cached`, `cache_busy`, `cache_damaged`; `bad_filter` as for [`page`](Self::page).
    pub async fn row_detail(&self, key: &ViewKey, query: &RowQuery, position: u64) -> Result<RowDetail> {
        self.row_detail_until(key, query, position, &CancellationToken::new()).await
    }

    /// The same, unless it is cancelled while the rows are found for the first time.
    ///
    /// # Errors
    /// Those of [`row_detail`](Self::row_detail), and `cancelled`.
    pub async fn row_detail_until(
        &self,
        key: &ViewKey,
        query: &RowQuery,
        position: u64,
        cancel: &CancellationToken,
    ) -> Result<RowDetail> {
        let query = query.clone();
        let read = move |view: &View, stop: &Stop| {
            let (day, document) = view.document_until(&query, position, stop)?;
            let fetched = view.state().days.get(&day).map(|held| held.fetched);
            Ok((view.generation(), day, document, fetched))
        };
        let (generation, day, document, fetched) = self.with_view(key, cancel, read).await?;
        // A large document takes its time.
        off_thread(move || {
            let (relaxed, canonical) = as_json(&document)?;
            Ok(RowDetail { generation, relaxed, canonical, fetched, day })
        })
        .await
    }

    /// Works on a view on a thread of its own, until it is cancelled.
    pub(super) async fn with_view<T: Send + 'static>(
        &self,
        key: &ViewKey,
        cancel: &CancellationToken,
        work: impl FnOnce(&View, &Stop) -> Result<T, CacheError> + Send + 'static,
    ) -> Result<T> {
        let (signature, range) = read_key(key)?;
        let stop = Arc::new(Stop::default());
        let (engine, stopped) = (self.clone(), Arc::clone(&stop));
        let work = off_thread(move || {
            let view = engine.view_blocking(&signature, range)?;
            let done = work(&view, &stopped).map_err(Failure::from);
            done.inspect_err(|failure| {
                // These leave the view as it was.
                if !matches!(failure.code, Code::BadFilter | Code::Cancelled) {
                    engine.start_afresh(&signature, failure);
                }
            })
        });
        until_cancelled(work, &stop, cancel).await
    }

    /// The MongoDB pipeline of a cached query's days, to read or copy. Needs no server.
    ///
    /// # Errors
    /// `not_cached`, `cache_busy`, `cache_damaged`.
    pub async fn cached_pipeline(&self, key: &ViewKey) -> Result<String> {
        let (signature, range) = read_key(key)?;
        let cache = self.cache().clone();
        off_thread(move || {
            let query = cache.open_signature(&signature)?.identity().query()?;
            Ok(pipeline::mongosh_text(&query, &range))
        })
        .await
    }

    /// Texts of a field, or of the arrays in it, that start with a prefix, from the cached queries of the same source
    /// and mapping.
    ///
    /// # Errors
    /// `cache_unusable` if the folder cannot be listed.
    pub async fn cached_values(
        &self,
        query: &Query,
        path: &str,
        prefix: &str,
        limit: u32,
    ) -> Result<Vec<String>> {
        let identity = Identity::of(query);
        let engine = self.clone();
        let asked = ValuesAsked { field: path.to_owned(), prefix: prefix.to_owned(), limit };
        off_thread(move || {
            let mut found = std::collections::BTreeSet::new();
            for file in engine.cache().family(&identity)? {
                // A file that is busy or cannot be read is reported in the list of cached queries.
                found.extend(engine.cache().values(&file, &asked).unwrap_or_default());
                if found.len() >= limit as usize {
                    break;
                }
            }
            Ok(found.into_iter().take(limit as usize).collect())
        })
        .await
    }
}

/// Waits for work, and stops it if it is cancelled.
pub(super) async fn until_cancelled<T>(
    work: impl Future<Output = Result<T>>,
    stop: &Stop,
    cancel: &CancellationToken,
) -> Result<T> {
    tokio::pin!(work);
    tokio::select! {
        done = &mut work => return done,
        () = cancel.cancelled() => {}
    }
    loop {
        stop.stop();
        tokio::select! {
            done = &mut work => return done,
            () = tokio::time::sleep(STOP_AGAIN) => {}
        }
    }
}

/// The zone of a request for groups that can be met.
///
/// # Errors
/// `bad_filter` as for [`Engine::group_rows`].
pub(super) fn zone_of_groups(request: &GroupRequest) -> Result<DayZone> {
    let wrong = |what: &str| Failure::new(Code::BadFilter, what).advise("Correct the summary and try again.");
    if request.by.is_empty() || request.by.len() > GROUP_COLUMNS {
        return Err(wrong("A summary groups by one to three columns."));
    }
    let needs_column = |figure: &Figure| figure.path.is_none() && figure.what != FigureKind::Count;
    if request.figures.iter().any(needs_column) {
        return Err(wrong("A figure other than the count needs a column."));
    }
    let zone = request.zone.as_deref().unwrap_or("UTC");
    DayZone::parse(zone)
        .map_err(|failure| wrong(&format!("There is no time zone {zone}.")).because(failure.message))
}

/// A document as relaxed and as canonical Extended JSON, indented.
fn as_json(document: &RawDocument) -> Result<(String, String)> {
    shown::as_json(document).map_err(|error| {
        let failure = Failure::new(Code::CacheDamaged, error.to_string());
        match error {
            NotShown::TooDeep => {
                failure.advise("It is cached in full, but nested too deeply to be shown; view it in MongoDB.")
            }
            NotShown::Broken(cause) => failure.because(cause),
        }
    })
}

/// The order in which a window shows columns: those with the paths, in their order, then numbers, then the rest, and
/// `_id` last.
fn reading_order(columns: &[ColumnView], paths: &[&str]) -> Vec<u32> {
    let rank = |column: &ColumnView| {
        let is_id = column.path == "_id" || column.path.starts_with("_id.");
        let named =
            paths.iter().position(|path| is_within(&column.path, path) || is_within(path, &column.path));
        match named {
            _ if is_id => usize::MAX,
            Some(place) => place,
            None if column.numeric => usize::MAX - 2,
            None => usize::MAX - 1,
        }
    };
    let mut order: Vec<u32> = (0..).take(columns.len()).collect();
    order.sort_by_key(|place| columns.get(*place as usize).map_or(usize::MAX, rank));
    order
}

pub(crate) fn read_key(key: &ViewKey) -> Result<(Signature, DayRange)> {
    Ok((Signature::parse(&key.signature)?, DayRange::new(key.from, key.to)?))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::cache::{Cache, fixtures};
    use crate::day::Day;
    use crate::plan::ledger::FetchMode;
    use crate::run::FetchRequest;

    /// An engine with one cached day of three trades, whose file is open with a broken handle.
    fn broken(folder: &std::path::Path) -> (Engine, FetchRequest, ViewKey) {
        let day = Day::from_number(20_000);
        {
            let cache = Cache::new(folder, 0).expect("a cache");
            fixtures::store(&fixtures::file(&cache, &[]), day, DateTime::UNIX_EPOCH, 0..3);
        }
        let engine = Engine::new(folder, 5).expect("an engine");
        fixtures::break_handle(&fixtures::file(engine.cache(), &[]));
        let query = fixtures::query(&[]);
        let key = ViewKey { signature: Signature::of(&query).to_string(), from: day, to: day };
        let range = DayRange::new(day, day).expect("a day");
        (engine, FetchRequest { query, range, mode: FetchMode::Normal, offline: true }, key)
    }

    #[tokio::test]
    async fn after_a_fatal_error_a_fetch_opens_the_file_afresh() {
        let folder = tempfile::tempdir().expect("a folder");
        let (engine, request, _) = broken(folder.path());
        let answer = engine
            .fetch(None, &request, Arc::new(|_| {}), CancellationToken::new())
            .await
            .expect("the rows are there");
        assert!(answer.complete && answer.rows.input == 3, "{answer:?}");
    }

    #[tokio::test]
    async fn after_a_fatal_error_a_look_opens_the_file_afresh() {
        let folder = tempfile::tempdir().expect("a folder");
        let (engine, _, key) = broken(folder.path());
        let page = engine.page(&key, &RowQuery::of(Role::Input), 0, 10).await.expect("the rows are there");
        assert_eq!(page.rows.len(), 3);
    }

    /// A panic while a file is read has no error of the cache as its source.
    #[tokio::test]
    async fn an_internal_failure_has_the_file_examined() {
        let folder = tempfile::tempdir().expect("a folder");
        let (engine, request, _) = broken(folder.path());
        let signature = Signature::of(&request.query);
        let unrelated = Failure::new(Code::SourceUnreachable, "No server answers.");
        engine.start_afresh(&signature, &unrelated);
        assert!(!engine.cache().is_suspect(&signature));
        engine.start_afresh(&signature, &Failure::new(Code::Internal, "Reading failed."));
        assert!(engine.cache().is_suspect(&signature));
    }
}
