//! A trader's own SQL on a cached answer. Needs no server.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tracing::{info, instrument, warn};

use super::export::{Exporting, exported, target_of, watch};
use super::rows::{read_key, until_cancelled};
use crate::api::export::{ExportProgress, Exported, ManifestSql};
use crate::api::rows::ViewKey;
use crate::api::sql::{SqlColumn, SqlPage, SqlResult, SqlResultColumn, SqlSort, SqlTable};
use crate::cache::adhoc::result::SqlRows;
use crate::cache::adhoc::{run, tables};
use crate::cache::export::writing::{Destination, Staging};
use crate::cache::{CacheError, CacheErrorKind, Holder, Stop, View};
use crate::engine::sql_results::{KeptSql, ViewId};
use crate::engine::{Engine, off_thread};
use crate::failure::{Code, Failure, Result};
use crate::rows::{ExportOptions, RowQuery};

/// Maximum number of rows in a page.
const PAGE_LIMIT: u64 = 5_000;
/// How often a statement is begun if the file changes just then.
const TRIES: usize = 3;

impl Engine {
    /// The tables that SQL can read of an answer, with their columns and types.
    ///
    /// # Errors
    /// `not_cached`, `cache_busy`, `cache_damaged`.
    pub async fn sql_tables(&self, key: &ViewKey) -> Result<Vec<SqlTable>> {
        let engine = self.clone();
        self.with_view(key, &CancellationToken::new(), move |view, stop| {
            let keywords = tables::keywords(&view.connection())?;
            let found = engine.sql_tables_of(view, stop)?;
            let column = |(name, sql_type): (String, String)| SqlColumn {
                name: tables::written(&name, &keywords),
                sql_type,
            };
            let table = |table: &tables::SqlTable| SqlTable {
                name: tables::table_name(table.role).to_owned(),
                rows: table.rows,
                columns: table.shape().into_iter().map(column).collect(),
            };
            Ok(found.iter().map(table).collect())
        })
        .await
    }

    /// Runs SQL on an answer. `narrowed` says which rows its tables have: those of one query per role, or all.
    ///
    /// # Errors
    /// `bad_filter` if the text is not one `SELECT` of these tables, if it fails on their values, or if it takes too
    /// long or gives too many rows; `cancelled`, `out_of_memory`, `disk_full`, and those of opening the view.
    #[instrument(level = "error", name = "sql", skip_all, fields(signature = %key.signature))]
    pub async fn run_sql(
        &self,
        key: &ViewKey,
        narrowed: &[RowQuery],
        text: &str,
        cancel: &CancellationToken,
    ) -> Result<SqlResult> {
        let (signature, range) = read_key(key)?;
        let stop = Arc::new(Stop::default());
        let (engine, stopped) = (self.clone(), Arc::clone(&stop));
        let (narrowed, text) = (narrowed.to_vec(), text.to_owned());
        let work = off_thread(move || {
            let mut tries = 0;
            let done = loop {
                let view = engine.view_blocking(&signature, range)?;
                let done = engine.run_sql_on(&view, &narrowed, &text, &stopped);
                tries += 1;
                let is_moved =
                    |error: &CacheError| *error.kind() == CacheErrorKind::Busy(Holder::ThisProcess);
                if tries == TRIES || !done.as_ref().is_err_and(is_moved) {
                    break done.map(|rows| KeptSql { rows, facts: engine.facts_of(&view) });
                }
            };
            let kept = done.map_err(sql_failure).inspect_err(|failure| {
                // Whatever else fails has a connection of its own, and leaves the view as it was.
                let is_broken = failure.source_as().is_some_and(CacheError::is_fatal);
                if is_broken || failure.code == Code::CacheDamaged {
                    engine.start_afresh(&signature, failure);
                }
            })?;
            let columns = kept.rows.columns().iter().map(|column| SqlResultColumn {
                name: column.name.clone(),
                sql_type: column.sql_type.clone(),
                numeric: column.is_number(),
            });
            let (columns, rows) = (columns.collect(), kept.rows.rows());
            let elapsed_ms = u64::try_from(kept.rows.elapsed().as_millis()).unwrap_or(u64::MAX);
            Ok(SqlResult { id: engine.results.add(Arc::new(kept)), columns, rows, elapsed_ms })
        });
        let done = until_cancelled(work, &stop, cancel).await;
        // Not the text: it may contain the trader's values.
        match &done {
            Ok(SqlResult { rows, elapsed_ms, .. }) => info!(rows, elapsed_ms, "SQL was run"),
            Err(failure) if failure.code == Code::Cancelled => info!("the SQL was cancelled"),
            Err(failure) => warn!(code = %failure.code, "the SQL failed: {}", failure.for_log()),
        }
        done
    }

    fn run_sql_on(
        &self,
        view: &View,
        narrowed: &[RowQuery],
        text: &str,
        stop: &Stop,
    ) -> Result<SqlRows, CacheError> {
        let tables = self.sql_tables_of(view, stop)?;
        run::run(view, &tables, narrowed, text, self.limits.sql, stop)
    }

    /// The tables of a view. Their types may take a pass over its decimal numbers, so they are kept.
    fn sql_tables_of(&self, view: &View, stop: &Stop) -> Result<Arc<Vec<tables::SqlTable>>, CacheError> {
        let counts = view.counts();
        let id = ViewId {
            signature: view.file().identity().signature.clone(),
            range: view.range(),
            generation: view.generation(),
            rows: (counts.input, counts.downstream),
        };
        if let Some(known) = self.results.tables(&id) {
            return Ok(known);
        }
        let tables = Arc::new(run::tables_of(view, stop)?);
        self.results.note_tables(id, Arc::clone(&tables));
        Ok(tables)
    }

    /// Rows of a result, at most 5,000, in the order of the statement or of some of its columns.
    ///
    /// # Errors
    /// `not_cached` if the result is not kept any more, `bad_filter` if there is no such column.
    pub async fn sql_page(
        &self,
        key: &ViewKey,
        id: u32,
        sorts: &[SqlSort],
        offset: u64,
        limit: u64,
        cancel: &CancellationToken,
    ) -> Result<SqlPage> {
        let kept = self.kept_sql(key, id)?;
        let sorts = numbered(sorts);
        let stop = Arc::new(Stop::default());
        let stopped = Arc::clone(&stop);
        let work = off_thread(move || {
            let rows = kept.rows.page(&sorts, offset, limit.min(PAGE_LIMIT), &stopped);
            Ok(SqlPage { rows: rows.map_err(sql_failure)? })
        });
        until_cancelled(work, &stop, cancel).await
    }

    /// Writes a result to a file, in the order of the statement or of some of its columns. The file of a partial
    /// answer is named `….partial.csv`, or with the extension of its format.
    ///
    /// # Errors
    /// `not_cached` if the result is not kept any more, and those of other exports.
    pub async fn export_sql(
        &self,
        key: &ViewKey,
        (id, sorts): (u32, &[SqlSort]),
        destination: &Destination,
        options: &ExportOptions,
        progress: impl Fn(ExportProgress) + Send + Sync,
        cancel: CancellationToken,
    ) -> Result<Exported> {
        let kept = self.kept_sql(key, id)?;
        let target = target_of(destination, kept.facts.complete, options)?;
        let through = async |staging| {
            let export = Arc::new(kept.rows.begin_export(staging)?);
            let work = {
                let (engine, export, target) = (self.clone(), Arc::clone(&export), target.clone());
                let (kept, sorts, options) = (Arc::clone(&kept), numbered(sorts), options.clone());
                off_thread(move || {
                    let written = kept.rows.export(&export, &sorts, &options, &target)?;
                    let sql = ManifestSql {
                        text: kept.rows.text().to_owned(),
                        rows: kept.rows.narrowed().to_vec(),
                    };
                    let what = Exporting { row_query: None, groups: None, sql: Some(sql), options: &options };
                    let manifest = engine.write_manifest(&kept.facts, &what, &target, &export, &written)?;
                    Ok(exported(&target, &options, kept.facts.complete, &export, (written, manifest)))
                })
            };
            watch(work, &export, &progress, &cancel).await
        };
        match through(Staging::CacheDisk).await {
            Err(failure) if failure.code == Code::DiskFull && !cancel.is_cancelled() => {
                let again = through(Staging::TemporaryFolder).await;
                again.map_err(|later| if later.code == Code::Cancelled { later } else { failure })
            }
            done => done,
        }
    }

    /// Drops a result.
    ///
    /// # Errors
    /// Those of a key that is none.
    pub fn close_sql(&self, key: &ViewKey, id: u32) -> Result<()> {
        let (signature, _) = read_key(key)?;
        self.results.close(&signature, id);
        Ok(())
    }

    fn kept_sql(&self, key: &ViewKey, id: u32) -> Result<Arc<KeptSql>> {
        let (signature, _) = read_key(key)?;
        self.results.get(&signature, id).ok_or_else(|| {
            Failure::new(Code::NotCached, "This result is not kept any more.").advise("Run the SQL again.")
        })
    }
}

fn numbered(sorts: &[SqlSort]) -> Vec<(usize, bool)> {
    sorts.iter().map(|sort| (sort.column as usize, sort.descending)).collect()
}

/// A failure of SQL: what it needs is not what a fetch needs.
fn sql_failure(error: CacheError) -> Failure {
    let failure = Failure::from(error);
    match failure.code {
        Code::OutOfMemory => {
            Failure { message: "The SQL needs more memory than it may use.".to_owned(), ..failure }
                .advise("Read fewer rows or columns, or group them in smaller steps.")
        }
        Code::DiskFull => failure.advise("Free some disk space, or let the SQL return fewer rows."),
        _ => failure,
    }
}
