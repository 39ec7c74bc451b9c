//! The order of rows if no sort is requested: by day, then by the mapping's time stamp, then as the source sent them.
//!
//! Most sources send the rows of a day by time. So each span is checked once, when its rows are first read, and only
//! a span that is stored in a different order needs a table of its row ids.

use super::column::Column;
use super::spans::{RowSpan, SpanOrder};
use super::view::View;
use crate::cache::file::error::Result;
use crate::cache::file::schema::role_name;
use crate::cache::file::sql::{Name, Sql, sql};
use crate::rows::Role;

/// Spans of up to this many rows are sorted whenever they are read.
const FEW: u64 = 2_000;

impl View {
    /// The column that orders the rows of each day if no sort is requested: the mapping's time stamp, if there is
    /// such a column.
    #[must_use]
    pub fn time_column(&self, role: Role) -> Option<Column> {
        let path = &self.file().identity().mapping.timestamp.as_ref()?.path;
        self.columns(role).into_iter().find(|column| column.path == *path)
    }

    /// The expressions that a span is ordered by, before the row id.
    fn order_keys(&self, role: Role, time: Option<&Column>, span: &RowSpan) -> Vec<Sql> {
        let has = self.has(role, span.segment);
        let times = time.into_iter().flat_map(|column| column.order(&has));
        [span.day.clone()].into_iter().chain(times).collect()
    }

    /// `ORDER BY` of a span.
    pub(crate) fn row_order(&self, role: Role, time: Option<&Column>, span: &RowSpan) -> Sql {
        let keys = Sql::join(self.order_keys(role, time, span), " ASC NULLS LAST, ");
        sql!("{keys} ASC NULLS LAST, rowid", keys)
    }

    /// How to read a span in order. The first call checks its rows.
    ///
    /// # Errors
    /// See [`crate::cache::CacheError`].
    pub(crate) fn span_order(
        &self,
        role: Role,
        place: usize,
        time: Option<&Column>,
        span: &RowSpan,
    ) -> Result<SpanOrder> {
        // Finding linked rows is too slow to repeat for every page.
        if span.rows <= FEW && !span.linked {
            return Ok(SpanOrder::Sorted);
        }
        let mut orders = self.span_orders();
        if let Some(known) = orders.get(&(role, place)) {
            return Ok(known.clone());
        }
        let found = if self.is_stored_in_order(role, time, span)? {
            SpanOrder::Stored
        } else {
            let table = sql!("temp.span_{}_{place}", Name(role_name(role)), place);
            let (source, order) = (self.source(role, span), self.row_order(role, time, span));
            self.connection().execute_batch(sql!(
                "CREATE OR REPLACE TEMP TABLE {table} AS SELECT rowid AS row FROM {source} ORDER BY {order}",
                table,
                source,
                order
            ))?;
            SpanOrder::Table(table)
        };
        orders.insert((role, place), found.clone());
        Ok(found)
    }

    /// Whether reading a span's table from its start gives the rows in order.
    pub(crate) fn is_stored_in_order(
        &self,
        role: Role,
        time: Option<&Column>,
        span: &RowSpan,
    ) -> Result<bool> {
        // Joined rows, be it with links or with what is hidden, need not come in the stored order.
        if span.linked || self.hides(role, span.segment) {
            return Ok(false);
        }
        let keys = Sql::join(self.order_keys(role, time, span), ", ");
        let source = self.source(role, span);
        // When rows are compared, a null is greater than any value and equal to another null.
        let sql = sql!(
            "SELECT count(*) = 0 FROM (
                 SELECT this, lag(this) OVER () AS before FROM (SELECT row({keys}) AS this FROM {source}))
             WHERE this < before",
            keys,
            source
        );
        Ok(self.connection().query_row(&sql, [], |row| row.get(0))?)
    }
}
