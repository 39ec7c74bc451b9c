//! Work on the rows of a view that takes a while: it has a connection of its own, so that pages can be read meanwhile,
//! and another thread can stop it without ending the view's transaction.

use std::ops::Deref;
use std::sync::MutexGuard;

use duckdb::arrow::record_batch::RecordBatch;

use super::stop::Stop;
use super::view::View;
use crate::cache::file::error::Result;
use crate::cache::file::sql::{Database, Sql, sql};

/// A connection for work on the rows of a view.
pub(crate) struct Worker<'a> {
    connection: Connected<'a>,
    stop: &'a Stop,
}

enum Connected<'a> {
    Own(Database),
    /// The view's connection: the file has changed since, and only this one still sees the old rows.
    View(MutexGuard<'a, Database>),
}

impl Deref for Worker<'_> {
    type Target = Database;

    fn deref(&self) -> &Database {
        match &self.connection {
            Connected::Own(connection) => connection,
            Connected::View(connection) => connection,
        }
    }
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        self.stop.end();
    }
}

impl View {
    /// A connection that sees the rows of the view.
    pub(crate) fn worker<'a>(&'a self, stop: &'a Stop) -> Result<Worker<'a>> {
        stop.check()?;
        let Some(own) = self.own_connection()? else {
            // An interrupt would end the transaction that still sees the rows, so this work is stopped only between
            // two statements.
            return Ok(Worker { connection: Connected::View(self.connection()), stop });
        };
        stop.begin(own.interrupt_handle());
        Ok(Worker { connection: Connected::Own(own), stop })
    }

    /// A connection of its own that sees the rows of the view, in a transaction that can change nothing but temporary
    /// tables. `None` if the file has changed since the view was opened.
    pub(crate) fn own_connection(&self) -> Result<Option<Database>> {
        let (own, state) = self.file().read_only_snapshot()?;
        if state.generation != self.generation() {
            return Ok(None);
        }
        if self.hidden.values().any(|rows| *rows > 0) {
            self.copy_hidden(&own)?;
        }
        Ok(Some(own))
    }

    /// Copies the table of hidden rows, which only the view's connection sees.
    fn copy_hidden(&self, own: &Database) -> Result<()> {
        own.execute_batch(sql!(
            "CREATE TEMP TABLE hidden (role VARCHAR, segment INTEGER, row BIGINT, day INTEGER)"
        ))?;
        let mut appender = own.appender_to(&sql!("hidden"), "temp", "main")?;
        let select = sql!("SELECT role, segment, row, day FROM temp.hidden");
        self.connection().stream(select, [], &mut |batch: RecordBatch| -> Result<()> {
            Ok(appender.append_record_batch(batch)?)
        })?;
        Ok(appender.flush()?)
    }
}

impl Worker<'_> {
    /// Runs a query, and passes on its rows as they come. Between two batches it can be stopped.
    pub(crate) fn each_batch(
        &self,
        select: &Sql,
        each: &mut dyn FnMut(RecordBatch) -> Result<()>,
    ) -> Result<()> {
        self.stop.check()?;
        let mut stopped = Ok(());
        self.stream(select, [], &mut |batch| {
            // A statement of the view's own connection is read to its end.
            if stopped.is_ok() {
                stopped = self.stop.check().and_then(|()| each(batch));
            }
            match &self.connection {
                Connected::Own(_) => stopped.clone(),
                Connected::View(_) => Ok(()),
            }
        })?;
        stopped
    }
}
