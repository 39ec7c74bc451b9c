//! SQL that only this program's own text, quoted text and numbers can get into, and the connection that runs it. Values
//! are bound.

pub(crate) mod select;
mod tree;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use duckdb::arrow::record_batch::RecordBatch;
use duckdb::{Appender, Connection, InterruptHandle, Params, Row, Statement};

/// SQL, or a part of it: a statement, a list of columns, a condition, a name.
///
/// [`sql!`] makes it from a literal and from parts that are safe by their type. A `String` or a `&str` is no such part,
/// so text from elsewhere cannot become SQL unless it is quoted as [`Text`] or [`Ident`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sql(Cow<'static, str>);

impl Sql {
    /// For [`sql!`], which passes nothing but literals.
    pub(crate) const fn of(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// For [`sql!`], which passes nothing but parts.
    pub(crate) fn formatted(parts: fmt::Arguments<'_>) -> Self {
        Self(Cow::Owned(parts.to_string()))
    }

    /// The parts with a separator between them.
    pub(crate) fn join<P: SqlPart>(parts: impl IntoIterator<Item = P>, separator: &'static str) -> Self {
        let mut all = String::new();
        for (place, part) in parts.into_iter().enumerate() {
            if place > 0 {
                all.push_str(separator);
            }
            all.push_str(&Part(&part).to_string());
        }
        Self(Cow::Owned(all))
    }

    /// The text, to run it or to look at it.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<Self> for Sql {
    fn as_ref(&self) -> &Self {
        self
    }
}

/// What may stand in SQL. Only types of this file are: their text is quoted, a number, or our own.
pub(crate) trait SqlPart: sealed::Sealed {
    /// Writes the part as SQL.
    ///
    /// # Errors
    /// Those of the formatter.
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

mod sealed {
    /// Implemented here only, so that no further type can become a part of SQL elsewhere.
    pub(crate) trait Sealed {}

    impl Sealed for super::Sql {}
    impl Sealed for super::Name {}
    impl Sealed for super::Text<'_> {}
    impl Sealed for super::Ident<'_> {}
    impl<P: Sealed + ?Sized> Sealed for &P {}
}

/// Writes a part; only [`sql!`] and [`Sql::join`] need it.
pub(crate) struct Part<'a, P: ?Sized>(pub(crate) &'a P);

impl<P: SqlPart + ?Sized> fmt::Display for Part<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write(f)
    }
}

impl SqlPart for Sql {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<P: SqlPart + ?Sized> SqlPart for &P {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).write(f)
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl sealed::Sealed for $number {}
        impl SqlPart for $number {
            fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )*};
}
numbers!(bool, u8, u32, u64, usize, i32, i64);

/// A name of this program's own: a role, a type, the file's catalog.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Name(pub(crate) &'static str);

impl SqlPart for Name {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// A text, quoted as an SQL string: for paths and for the column names of a CSV. The only escape that DuckDB knows in
/// such a string is the doubled quote.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text<'a>(pub(crate) &'a str);

impl SqlPart for Text<'_> {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}'", self.0.replace('\'', "''"))
    }
}

/// A name that is read from a file, quoted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ident<'a>(pub(crate) &'a str);

impl SqlPart for Ident<'_> {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.replace('"', "\"\""))
    }
}

/// Makes [`Sql`] from a literal and the parts that it names. `sql!("SELECT {column} FROM {}", table(1), column)` takes
/// expressions in their order and names as they are, or as `name = expression`. Each must be a [`SqlPart`]; nothing is
/// captured that is not listed.
macro_rules! sql {
    ($text:literal) => {{
        const _: () = assert!($crate::cache::file::sql::is_without_braces($text), "a part that is not listed");
        $crate::cache::file::sql::Sql::of($text)
    }};
    ($text:literal, $($parts:tt)+) => {
        $crate::cache::file::sql::sql!(@ $text [] $($parts)+)
    };
    // `concat!` keeps the formatter from capturing names by itself.
    (@ $text:literal [$($done:tt)*]) => {
        $crate::cache::file::sql::Sql::formatted(format_args!(concat!($text) $($done)*))
    };
    (@ $text:literal [$($done:tt)*] $name:ident = $part:expr $(, $($rest:tt)*)?) => {
        $crate::cache::file::sql::sql!(
            @ $text [$($done)*, $name = $crate::cache::file::sql::Part(&$part)] $($($rest)*)?)
    };
    (@ $text:literal [$($done:tt)*] $name:ident $(, $($rest:tt)*)?) => {
        $crate::cache::file::sql::sql!(
            @ $text [$($done)*, $name = $crate::cache::file::sql::Part(&$name)] $($($rest)*)?)
    };
    (@ $text:literal [$($done:tt)*] $part:expr $(, $($rest:tt)*)?) => {
        $crate::cache::file::sql::sql!(
            @ $text [$($done)*, $crate::cache::file::sql::Part(&$part)] $($($rest)*)?)
    };
}
pub(crate) use sql;

/// Whether a text names no parts.
pub(crate) const fn is_without_braces(text: &str) -> bool {
    let (bytes, mut at) = (text.as_bytes(), 0);
    while at < bytes.len() {
        if matches!(bytes[at], b'{' | b'}') {
            return false;
        }
        at += 1;
    }
    true
}

/// A connection that runs [`Sql`] and nothing else.
#[derive(Debug)]
pub(crate) struct Database(Connection);

impl Database {
    /// Wraps a connection.
    pub(crate) const fn new(connection: Connection) -> Self {
        Self(connection)
    }

    /// Prepares a statement.
    pub(crate) fn prepare(&self, sql: impl AsRef<Sql>) -> duckdb::Result<Statement<'_>> {
        self.0.prepare(sql.as_ref().as_str())
    }

    /// Runs a statement with bound values, and returns how many rows it changed.
    pub(crate) fn execute(&self, sql: impl AsRef<Sql>, values: impl Params) -> duckdb::Result<usize> {
        self.0.execute(sql.as_ref().as_str(), values)
    }

    /// Runs statements.
    pub(crate) fn execute_batch(&self, sql: impl AsRef<Sql>) -> duckdb::Result<()> {
        self.0.execute_batch(sql.as_ref().as_str())
    }

    /// Runs a query and passes on its rows as they come, without holding all of them. Until it is done, the
    /// connection can run nothing else.
    ///
    /// # Errors
    /// DuckDB's, and what `each` returns.
    pub(crate) fn stream<E: From<duckdb::Error>>(
        &self,
        sql: impl AsRef<Sql>,
        values: impl Params,
        each: &mut dyn FnMut(RecordBatch) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut statement = self.prepare(sql)?;
        // The iterator would panic if a later chunk cannot be read.
        let _ = statement.stream_arrow(values)?;
        while let Some(chunk) = statement.step()? {
            each(RecordBatch::from(&chunk))?;
        }
        Ok(())
    }

    /// Runs a query and reads its first row.
    pub(crate) fn query_row<T>(
        &self,
        sql: impl AsRef<Sql>,
        values: impl Params,
        read: impl FnOnce(&Row<'_>) -> duckdb::Result<T>,
    ) -> duckdb::Result<T> {
        self.0.query_row(sql.as_ref().as_str(), values, read)
    }
}

impl Database {
    /// A further connection to the same database.
    pub(crate) fn try_clone(&self) -> duckdb::Result<Self> {
        self.0.try_clone().map(Self)
    }

    /// Appends to a table.
    pub(crate) fn appender(&self, table: &Sql) -> duckdb::Result<Appender<'_>> {
        self.0.appender(table.as_str())
    }

    /// Appends to a table of a database.
    pub(crate) fn appender_to(
        &self,
        table: &Sql,
        database: &'static str,
        schema: &'static str,
    ) -> duckdb::Result<Appender<'_>> {
        self.0.appender_to_catalog_and_db(table.as_str(), database, schema)
    }

    /// A way to interrupt the statement that runs.
    pub(crate) fn interrupt_handle(&self) -> Arc<InterruptHandle> {
        self.0.interrupt_handle()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_comes_out_of_sql_as_it_went_in() -> Result<(), duckdb::Error> {
        let database = Database::new(Connection::open_in_memory()?);
        for text in [
            "",
            "'",
            "''",
            "\\'",
            "\\",
            "a\nb\r\n",
            "\"",
            "--",
            "/*",
            "'; DROP TABLE x; --",
            "\u{1F600}",
            "é\u{202e}",
            "%s{}$1?",
        ] {
            let back: String = database.query_row(sql!("SELECT {}", Text(text)), [], |row| row.get(0))?;
            assert_eq!(back, text);
            if !text.is_empty() {
                let name = Ident(text);
                let back: i64 =
                    database.query_row(sql!("SELECT {name} FROM (SELECT 7 AS {name})", name), [], |row| {
                        row.get(0)
                    })?;
                assert_eq!(back, 7);
            }
        }
        Ok(())
    }

    #[test]
    fn parts_are_listed_by_name_and_in_order() {
        let (table, rows) = (sql!("input_{}", 1_u32), 7_u64);
        let sql = sql!(
            "SELECT {} FROM {table} LIMIT {rows} -- {{}}{named}",
            sql!("c1"),
            table,
            rows,
            named = 2_i64
        );
        assert_eq!(sql.as_str(), "SELECT c1 FROM input_1 LIMIT 7 -- {}2");
        assert_eq!(Sql::join([1_u32, 2], ", ").as_str(), "1, 2");
    }
}
