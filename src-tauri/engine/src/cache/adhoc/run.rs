//! Runs a trader's own SQL on a view.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use duckdb::InterruptHandle;

use super::result::SqlRows;
use super::tables::{SqlTable, table_name};
use crate::cache::file::error::{CacheError, CacheErrorKind, Holder, Result, SqlProblem, Work};
use crate::cache::file::sql::select::ReadOnlySelect;
use crate::cache::read::selection::Narrowing;
use crate::cache::read::stop::Stop;
use crate::cache::read::view::View;
use crate::limits::SqlLimits;
use crate::rows::{Role, RowQuery};

/// How often a statement that is out of time is interrupted: one that is just beginning does not notice.
const AGAIN: Duration = Duration::from_millis(20);

/// The tables of a view.
pub(crate) fn tables_of(view: &View, stop: &Stop) -> Result<Vec<SqlTable>> {
    let worker = view.worker(stop)?;
    [Role::Input, Role::Downstream].into_iter().map(|role| SqlTable::of(view, &worker, role)).collect()
}

/// Runs a text on the rows that the queries select; on all rows of a role that has none.
pub(crate) fn run(
    view: &View,
    tables: &[SqlTable],
    narrowed: &[RowQuery],
    text: &str,
    limits: SqlLimits,
    stop: &Stop,
) -> Result<SqlRows> {
    let begun = Instant::now();
    let mut narrowings: BTreeMap<Role, Narrowing> = BTreeMap::new();
    {
        let worker = view.worker(stop)?;
        for query in narrowed {
            narrowings.insert(query.role, view.narrowing(&worker, query, None, None)?);
        }
    }
    let Some(connection) = view.own_connection()? else {
        // A commit came between the view and this statement.
        return Err(CacheErrorKind::Busy(Holder::ThisProcess).into());
    };
    let names: Vec<&str> = tables.iter().map(|table| table_name(table.role)).collect();
    // One more shows that there would be too many.
    let select = ReadOnlySelect::check(&connection, text, &names, limits.rows.saturating_add(1))?;
    for table in tables {
        let whole = Narrowing::default();
        table.create(view, &connection, narrowings.get(&table.role).unwrap_or(&whole))?;
    }
    stop.check()?;
    let handle = connection.interrupt_handle();
    stop.begin(Arc::clone(&handle));
    let done = until(limits.time, &handle, || select.run(&connection));
    stop.end();
    done?;
    let rows = SqlRows::of(connection, Arc::clone(view.file()), text, narrowed, begun)?;
    if rows.rows() > limits.rows {
        let what = format!("The result has more than {} rows", crate::words::thousands(limits.rows));
        return Err(limit_reached(what));
    }
    Ok(rows)
}

impl View {
    /// Runs a trader's own SQL on the rows that the queries select; on all rows of a role that has none.
    ///
    /// # Errors
    /// See [`crate::cache::CacheError`]; `bad_filter` if the text is not one `SELECT` of the tables, if it fails on their
    /// values, or if it reaches a limit; `cancelled` if it was stopped.
    pub fn run_sql(
        &self,
        narrowed: &[RowQuery],
        text: &str,
        limits: SqlLimits,
        stop: &Stop,
    ) -> Result<SqlRows> {
        run(self, &tables_of(self, stop)?, narrowed, text, limits, stop)
    }
}

/// Runs a statement, and interrupts it when its time is over.
fn until(time: Duration, handle: &InterruptHandle, work: impl FnOnce() -> Result<()>) -> Result<()> {
    let is_late = AtomicBool::new(false);
    let done = std::thread::scope(|scope| {
        let (ended, wait) = mpsc::channel::<()>();
        let late = &is_late;
        let watch = move || {
            let mut left = time;
            while wait.recv_timeout(left) == Err(RecvTimeoutError::Timeout) {
                late.store(true, Ordering::Relaxed);
                handle.interrupt();
                left = AGAIN;
            }
        };
        let watch = std::thread::Builder::new().name("sql time".to_owned()).spawn_scoped(scope, watch);
        watch.map_err(|error| CacheError::internal("No thread could be started.").because(error))?;
        let done = work();
        drop(ended);
        done
    });
    let is_cancelled = |error: &CacheError| *error.kind() == CacheErrorKind::Cancelled(Work::Statement);
    match done {
        Err(error) if is_cancelled(&error) && is_late.load(Ordering::Relaxed) => {
            let what = format!("The SQL took longer than {} seconds", time.as_secs_f64().ceil());
            Err(limit_reached(what))
        }
        other => other,
    }
}

fn limit_reached(what: String) -> CacheError {
    CacheErrorKind::Sql(Box::new(SqlProblem { what, place: None, is_limit: true })).into()
}
