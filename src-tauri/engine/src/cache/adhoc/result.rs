//! The result of a trader's own SQL: a temporary table on a connection of its own. It does not change when the file does.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::cache::export::sql::{Content, ExportRows};
use crate::cache::export::table::{ColumnForm, TableColumn};
use crate::cache::export::writing::{Destination, Export, Staging, Written};
use crate::cache::file::cache_file::CacheFile;
use crate::cache::file::error::{CacheErrorKind, Purpose, Result};
use crate::cache::file::sql::{Database, Ident, Sql, sql};
use crate::cache::read::stop::Stop;
use crate::cache::read::view::texts;
use crate::decode::Kind;
use crate::rows::{ExportOptions, RowQuery};

/// The most digits of a decimal number.
const DECIMAL_DIGITS: u8 = 38;
/// Rows that an export reads at a time.
const SLICE: u64 = 50_000;

/// A result.
#[derive(Debug)]
pub struct SqlRows {
    // Before the file, so that it closes first.
    connection: Mutex<Database>,
    /// The order in which the table `sorted` has the rows.
    sorted: Mutex<Vec<(usize, bool)>>,
    /// How many exports there have been.
    exports: AtomicU32,
    file: Arc<CacheFile>,
    columns: Vec<SqlRowsColumn>,
    rows: u64,
    text: String,
    narrowed: Vec<RowQuery>,
    elapsed: Duration,
}

/// A column of a result.
#[derive(Debug, Clone)]
pub struct SqlRowsColumn {
    /// Its heading.
    pub name: String,
    /// Its type.
    pub sql_type: String,
    /// What its cells are in an export.
    kind: Kind,
    form: ColumnForm,
    /// SQL for the text of a cell, as the grid shows it.
    shown: Sql,
}

impl SqlRowsColumn {
    fn of(connection: &Database, name: String, sql_type: String) -> Result<Self> {
        let column = sql!("{}", Ident(&name));
        let plain = sql!("{column}::VARCHAR", column);
        let is_all = |condition: Sql| -> Result<bool> {
            let all = sql!("SELECT coalesce(bool_and({condition}), true) FROM temp.result", condition);
            Ok(connection.query_row(all, [], |row| row.get(0))?)
        };
        let (kind, form, shown) = match sql_type.as_str() {
            "BOOLEAN" => (Kind::Bool, ColumnForm::Bool, plain),
            "TINYINT" | "SMALLINT" | "INTEGER" | "UTINYINT" | "USMALLINT" => {
                (Kind::Int32, ColumnForm::Int32, plain)
            }
            "BIGINT" | "UINTEGER" => (Kind::Int64, ColumnForm::Int64, plain),
            "UBIGINT" | "HUGEINT" | "UHUGEINT" => {
                // As most sums are, they are small enough for a whole number of any format.
                let fits = is_all(sql!("{column} BETWEEN {} AND {}", i64::MIN, i64::MAX, column))?;
                let exact = ColumnForm::Decimal { precision: DECIMAL_DIGITS, scale: 0 };
                match (
                    fits,
                    is_all(sql!("length(ltrim({plain}, '-')) <= {DECIMAL_DIGITS}", DECIMAL_DIGITS, plain))?,
                ) {
                    (true, _) => (Kind::Int64, ColumnForm::Int64, plain),
                    (false, true) => (Kind::Decimal, exact, plain),
                    (false, false) => (Kind::Decimal, ColumnForm::Text, plain),
                }
            }
            "FLOAT" | "DOUBLE" => {
                let number = sql!("{column}::DOUBLE", column);
                let shown = sql!(
                    "CASE WHEN isnan({number}) THEN 'NaN' WHEN isinf({number}) THEN
                     CASE WHEN {number} > 0 THEN 'Infinity' ELSE '-Infinity' END ELSE {number}::VARCHAR END",
                    number
                );
                (Kind::Double, ColumnForm::Double, shown)
            }
            "TIMESTAMP" => {
                let is_exact = is_all(sql!("isfinite({column}) AND epoch_us({column}) % 1000 = 0", column))?;
                if is_exact {
                    let shown = sql!("strftime({column}, '%Y-%m-%dT%H:%M:%S.%gZ')", column);
                    (Kind::Date, ColumnForm::Timestamp, shown)
                } else {
                    (
                        Kind::Text,
                        ColumnForm::Text,
                        sql!("strftime({column}, '%Y-%m-%dT%H:%M:%S.%fZ')", column),
                    )
                }
            }
            other => match decimal(other) {
                Some(form) => (Kind::Decimal, form, plain),
                None => (Kind::Text, ColumnForm::Text, plain),
            },
        };
        Ok(Self { name, sql_type, kind, form, shown })
    }

    /// Whether its cells are numbers.
    #[must_use]
    pub fn is_number(&self) -> bool {
        self.kind.is_number()
    }
}

/// The form of `DECIMAL(p,s)`.
fn decimal(sql_type: &str) -> Option<ColumnForm> {
    let (precision, scale) = sql_type.strip_prefix("DECIMAL(")?.strip_suffix(')')?.split_once(',')?;
    Some(ColumnForm::Decimal { precision: precision.trim().parse().ok()?, scale: scale.trim().parse().ok()? })
}

impl SqlRows {
    /// The rows of the table `result` of a connection.
    pub(crate) fn of(
        connection: Database,
        file: Arc<CacheFile>,
        text: &str,
        narrowed: &[RowQuery],
        begun: Instant,
    ) -> Result<Self> {
        let found: Vec<(String, String)> = {
            let mut select = connection.prepare(sql!(
                "SELECT column_name, data_type FROM duckdb_columns()
                 WHERE database_name = 'temp' AND table_name = 'result' ORDER BY column_index"
            ))?;
            let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<Result<_, duckdb::Error>>()?
        };
        let rows = connection.query_row(sql!("SELECT count(*) FROM temp.result"), [], |row| row.get(0))?;
        let column = |(name, sql_type)| SqlRowsColumn::of(&connection, name, sql_type);
        let columns = found.into_iter().map(column).collect::<Result<_>>()?;
        Ok(Self {
            connection: Mutex::new(connection),
            sorted: Mutex::default(),
            exports: AtomicU32::new(0),
            file,
            columns,
            rows,
            text: text.to_owned(),
            narrowed: narrowed.to_vec(),
            elapsed: begun.elapsed(),
        })
    }

    /// Its columns.
    #[must_use]
    pub fn columns(&self) -> &[SqlRowsColumn] {
        &self.columns
    }

    /// How many rows it has.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// How long it took.
    #[must_use]
    pub const fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// The SQL.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The rows that it was run on.
    #[must_use]
    pub fn narrowed(&self) -> &[RowQuery] {
        &self.narrowed
    }

    /// The file whose rows it was run on.
    pub(crate) const fn file(&self) -> &Arc<CacheFile> {
        &self.file
    }

    /// A page of rows as text, in the order of the statement or of some columns by number.
    ///
    /// # Errors
    /// See [`crate::cache::CacheError`]; `bad_filter` if there is no such column, `cancelled` if it was stopped.
    pub fn page(
        &self,
        sorts: &[(usize, bool)],
        offset: u64,
        limit: u64,
        stop: &Stop,
    ) -> Result<Vec<Vec<Option<String>>>> {
        let mut sorted = stop.lock(&self.sorted)?;
        self.order(&mut sorted, sorts, stop)?;
        let source = source(&sql!("sorted"), sorts, offset, limit.min(self.rows));
        let list = Sql::join(self.columns.iter().map(|column| &column.shown), ", ");
        texts(&self.connection(), sql!("SELECT {list} FROM {source}", list, source), self.columns.len())
    }

    /// Puts the rows in an order, unless they are in it.
    fn order(&self, sorted: &mut Vec<(usize, bool)>, sorts: &[(usize, bool)], stop: &Stop) -> Result<()> {
        if sorts.is_empty() || *sorted == sorts {
            return Ok(());
        }
        sorted.clear();
        self.sort_into(&sql!("sorted"), sorts, stop)?;
        *sorted = sorts.to_vec();
        Ok(())
    }

    /// Lists the rows in an order in a temporary table.
    fn sort_into(&self, table: &Sql, sorts: &[(usize, bool)], stop: &Stop) -> Result<()> {
        let key = |(number, descending): &(usize, bool)| {
            let column = self.columns.get(*number).ok_or_else(|| {
                CacheErrorKind::NoColumn("There is no such column to sort by.".to_owned(), Purpose::Sort)
            })?;
            let direction = if *descending { sql!("DESC") } else { sql!("ASC") };
            Ok(sql!("{} {direction} NULLS LAST", Ident(&column.name), direction))
        };
        let keys = sorts.iter().map(key).collect::<Result<Vec<Sql>>>()?;
        let keys = Sql::join(keys.into_iter().chain([sql!("rowid")]), ", ");
        stop.check()?;
        let connection = self.connection();
        stop.begin(connection.interrupt_handle());
        let done = connection.execute_batch(sql!(
            "CREATE OR REPLACE TEMP TABLE {table} AS SELECT rowid AS place FROM temp.result ORDER BY {keys}",
            table,
            keys
        ));
        stop.end();
        Ok(done?)
    }

    /// Prepares an export for [`export`](Self::export).
    ///
    /// # Errors
    /// As for one of a view.
    pub fn begin_export(&self, staging: Staging) -> Result<Export> {
        Export::begin(&self.file, staging, self.connection().interrupt_handle())
    }

    /// Writes the rows in a format, in the order of the statement or of some columns by number.
    ///
    /// # Errors
    /// As for the rows of a view.
    pub fn export(
        &self,
        export: &Export,
        sorts: &[(usize, bool)],
        options: &ExportOptions,
        destination: &Destination,
    ) -> Result<Written> {
        let wanted = self.exported(&options.columns)?;
        // A table of its own, and a statement for some rows at a time: pages are read meanwhile, in any order.
        let order = sql!("exported_{}", self.exports.fetch_add(1, Ordering::Relaxed));
        if !sorts.is_empty() {
            self.sort_into(&order, sorts, &export.stop)?;
        }
        let slices = (0..self.rows.div_ceil(SLICE)).map(|slice| slice * SLICE);
        let list = Sql::join(wanted.iter().map(|column| &column.shown), ", ");
        let table = |column: &&SqlRowsColumn| TableColumn { name: column.name.clone(), form: column.form };
        let rows = ExportRows {
            content: Content::Result(wanted.iter().map(|column| column.kind).collect()),
            table: wanted.iter().map(table).collect(),
            selects: slices
                .map(|from| sql!("SELECT {list} FROM {}", source(&order, sorts, from, SLICE), list))
                .collect(),
        };
        let written = export.write(&self.file, &self.connection, (&rows, self.rows), options, destination);
        if !sorts.is_empty() {
            // If this fails, it goes with the connection.
            let _ = self.connection().execute_batch(sql!("DROP TABLE IF EXISTS temp.{order}", order));
        }
        written
    }

    /// The columns of an export: those that were chosen, or all.
    fn exported(&self, names: &[String]) -> Result<Vec<&SqlRowsColumn>> {
        let find = |name: &String| {
            self.columns.iter().find(|column| column.name == *name).ok_or_else(|| {
                let what = format!("There is no column {name} to export.");
                CacheErrorKind::NoColumn(what, Purpose::Export).into()
            })
        };
        if names.is_empty() { Ok(self.columns.iter().collect()) } else { names.iter().map(find).collect() }
    }

    fn connection(&self) -> MutexGuard<'_, Database> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `FROM` of a page of the rows, in the order that a table lists if there are sorts.
fn source(order: &Sql, sorts: &[(usize, bool)], offset: u64, limit: u64) -> Sql {
    let page = sql!("rowid >= {offset} AND rowid < {}", offset.saturating_add(limit), offset);
    if sorts.is_empty() {
        return sql!("temp.result WHERE {page} ORDER BY rowid", page);
    }
    sql!(
        "(SELECT rowid AS nth, place FROM temp.{order} WHERE {page}) AS place
         JOIN temp.result ON result.rowid = place.place ORDER BY nth",
        order,
        page
    )
}
