//! Reads an answer: the rows of a range of cached days, each document once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bson::RawDocumentBuf;
use duckdb::params;

use super::column::{self, Column, Holder};
use super::duplicates::{is_settled, settle_overlap};
use super::selections::Selections;
use super::spans::{self, RowSpan, SpanOrder, SpanOrders};
use super::stop::Stop;
use crate::bson::path::is_within;
use crate::cache::file::cache_file::CacheFile;
use crate::cache::file::error::{CacheError, CacheErrorKind, Detail, Missing, Result};
use crate::cache::file::ledger::FileState;
use crate::cache::file::schema::{self, role_name};
use crate::cache::file::sql::{Database, Name, Sql, sql};
use crate::day::{Day, DayRange, DaySet};
use crate::decode::{FieldId, FieldSet};
use crate::plan::ledger::Ledger;
use crate::query::mapping::Mapping;
use crate::rows::{PageRequest, Role, RowQuery};

/// Rows of a view, each document counted once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ViewCounts {
    /// Input rows.
    pub input: u64,
    /// Downstream rows: those that are not among the input.
    pub downstream: u64,
}

/// The rows of the cached days of a range, as of one commit. It keeps a read transaction open, so that its counts,
/// pages and exports agree.
#[derive(Debug)]
pub struct View {
    // Before the file, so that it closes first.
    connection: Mutex<Database>,
    file: Arc<CacheFile>,
    state: Arc<FileState>,
    range: DayRange,
    /// The last day that it may show.
    last: Day,
    spans: BTreeMap<Role, Vec<RowSpan>>,
    /// How many rows are hidden because their documents are shown elsewhere in the view, by role and segment.
    pub(crate) hidden: HashMap<(Role, u32), u64>,
    selections: Selections,
    span_orders: Mutex<SpanOrders>,
    /// The paths that the mapping names, by role, in the order of their columns.
    mapped: MappedPaths,
}

/// The paths that a mapping names, by role, in the order of their columns.
pub type MappedPaths = Arc<BTreeMap<Role, Vec<String>>>;

/// The paths that a mapping names.
#[must_use]
pub fn mapped_paths(mapping: &Mapping) -> MappedPaths {
    let of = |role| (role, mapping.column_paths(role).into_iter().map(str::to_owned).collect());
    Arc::new([Role::Input, Role::Downstream].map(of).into())
}

impl View {
    /// Opens a view.
    ///
    /// # Errors
    /// See [`crate::cache::CacheError`].
    pub fn open(file: Arc<CacheFile>, range: DayRange) -> Result<Self> {
        Self::open_until(file, range, range.to())
    }

    /// Opens a view of the days up to a last one: rows of a day that has not begun were fetched under a wrong clock.
    ///
    /// # Errors
    /// See [`crate::cache::CacheError`].
    pub fn open_until(file: Arc<CacheFile>, range: DayRange, last: Day) -> Result<Self> {
        let last = last.min(range.to());
        let (connection, state) = loop {
            settle_overlap(&file)?;
            let (connection, state) = file.snapshot()?;
            // A window may have been committed in between.
            if is_settled(&state, &connection)? {
                break (connection, state);
            }
        };
        let state = if range.to() > last && state.days.range(last.next()..).next().is_some() {
            let mut begun = FileState::clone(&state);
            begun.days.retain(|day, _| *day <= last);
            Arc::new(begun)
        } else {
            state
        };
        let spans = BTreeMap::from([
            (Role::Input, spans::input_spans(&state, range)),
            (Role::Downstream, spans::message_spans(&connection, &state, range)?),
        ]);
        let mapped = mapped_paths(&file.identity().mapping);
        let mut view = Self {
            connection: Mutex::new(connection),
            file,
            state,
            range,
            last,
            spans,
            hidden: HashMap::new(),
            selections: Selections::default(),
            span_orders: Mutex::default(),
            mapped,
        };
        view.hide_repeated()?;
        Ok(view)
    }

    /// The view with its columns ordered by a different mapping than the one that the file was created with.
    #[must_use]
    pub fn with_mapped_paths(mut self, mapped: MappedPaths) -> Self {
        self.mapped = mapped;
        self
    }

    /// The paths that the mapping names, by role, in the order of their columns.
    #[must_use]
    pub fn mapped_paths(&self) -> &MappedPaths {
        &self.mapped
    }

    /// The generation of the commit that this view shows.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.state.generation
    }

    /// The range.
    #[must_use]
    pub const fn range(&self) -> DayRange {
        self.range
    }

    /// Whether the view was opened up to this last day.
    pub(crate) fn is_until(&self, last: Day) -> bool {
        self.last == last.min(self.range.to())
    }

    /// The file's state as of this view.
    #[must_use]
    pub const fn state(&self) -> &Arc<FileState> {
        &self.state
    }

    /// The days that the view shows. Days of a source that has been replaced are left out if others are shown, since
    /// no answer holds rows of two sources; see [`FileState::shown_in`].
    #[must_use]
    pub fn shown(&self) -> Ledger {
        let mut ledger = self.state.ledger();
        let shown: BTreeSet<Day> = self.state.shown_in(self.range).map(|(day, _)| day).collect();
        ledger.retain(|day, _| shown.contains(day));
        ledger
    }

    /// The days that are cached and not shown, because their source has been replaced.
    pub(crate) fn replaced(&self) -> DaySet {
        let shown: DaySet = self.state.shown_in(self.range).map(|(day, _)| day).collect();
        let held: DaySet = self.state.days.keys().copied().filter(|day| self.range.contains(*day)).collect();
        held.difference(&shown)
    }

    /// The file.
    #[must_use]
    pub const fn file(&self) -> &Arc<CacheFile> {
        &self.file
    }

    /// The rows of a role, span by span in the order in which they are shown.
    pub(crate) fn spans(&self, role: Role) -> &[RowSpan] {
        self.spans.get(&role).map(Vec::as_slice).unwrap_or_default()
    }

    /// How many rows there are.
    #[must_use]
    pub fn counts(&self) -> ViewCounts {
        let of = |role| self.spans(role).iter().map(|span| span.rows).sum();
        ViewCounts { input: of(Role::Input), downstream: of(Role::Downstream) }
    }

    /// The columns that the range's documents of a role have.
    #[must_use]
    pub fn columns(&self, role: Role) -> Vec<Column> {
        let mut present = FieldSet::default();
        for (_, held) in self.state.shown_in(self.range) {
            present.extend(held.fields(role));
        }
        self.columns_of(role, &present)
    }

    /// The columns that the file's documents of a role have, whatever their day.
    pub(crate) fn known_columns(&self, role: Role) -> Vec<Column> {
        let mut present = FieldSet::default();
        for held in self.state.days.values() {
            present.extend(held.fields(role));
        }
        self.columns_of(role, &present)
    }

    fn columns_of(&self, role: Role, present: &FieldSet) -> Vec<Column> {
        let mapped = self.mapped.get(&role).map(Vec::as_slice).unwrap_or_default();
        let uuids = self.file.identity().mapping.uuid_representation;
        column::columns(self.file.registry(), present, mapped, uuids)
    }

    /// The mapping's path of the trade id, if there are trades and none of them has anything there: then no messages
    /// were looked for.
    #[must_use]
    pub fn path_without_trade_ids(&self) -> Option<&str> {
        let path = self.file.identity().mapping.trade_id.as_deref()?;
        // Values inside an array are in the array's column.
        let columns = self.columns(Role::Input);
        let may_hold = |column: &Column| is_within(path, &column.path) || is_within(&column.path, path);
        (self.counts().input > 0 && !columns.iter().any(may_hold)).then_some(path)
    }

    /// A page of rows as text, in the order of [`columns`](Self::columns).
    ///
    /// # Errors
    /// See [`crate::cache::CacheError`]; `bad_filter` if the sort names no column.
    pub fn page(&self, query: &RowQuery, offset: u64, limit: u64) -> Result<Vec<Vec<Option<String>>>> {
        self.page_until(query, &PageRequest::of(offset, limit), &Stop::default())
    }

    /// The rows and cells of a request, as text, unless it is stopped while the rows are found for the first time.
    ///
    /// # Errors
    /// See [`crate::cache::CacheError`]; `bad_filter` if a sort or a filter names no column or a condition cannot be
    /// used, `cancelled` if it was stopped.
    pub fn page_until(
        &self,
        query: &RowQuery,
        request: &PageRequest,
        stop: &Stop,
    ) -> Result<Vec<Vec<Option<String>>>> {
        let role = query.role;
        let columns = self.columns(role);
        let wanted: Vec<Option<&Column>> = match &request.columns {
            None => columns.iter().map(Some).collect(),
            Some(paths) => {
                paths.iter().map(|path| columns.iter().find(|column| column.path == *path)).collect()
            }
        };
        let holders: Vec<(usize, Holder)> = wanted
            .iter()
            .enumerate()
            .flat_map(|(place, column)| {
                column.iter().flat_map(move |column| column.holders().map(move |holder| (place, holder)))
            })
            .collect();
        let values = |span: &RowSpan| {
            if holders.is_empty() {
                return sql!("NULL"); // documents of a view may have no field at all
            }
            let has = self.has(role, span.segment);
            Sql::join(holders.iter().map(|(_, holder)| holder.select(&has)), ", ")
        };
        let rows = self.read(query, (request.offset, request.limit), &values, holders.len(), stop)?;
        let texts = |row: Vec<Option<String>>| {
            let mut texts = vec![None; wanted.len()];
            for ((place, holder), value) in holders.iter().zip(row) {
                texts[*place] = texts[*place].take().or_else(|| Some(holder.text(&value?).into_owned()));
            }
            texts
        };
        Ok(rows.into_iter().map(texts).collect())
    }

    /// One row's document and its day.
    ///
    /// # Errors
    /// `not_cached` if there is no such row; see [`crate::cache::CacheError`].
    pub fn document(&self, query: &RowQuery, position: u64) -> Result<(Day, RawDocumentBuf)> {
        self.document_until(query, position, &Stop::default())
    }

    /// The same, unless it is stopped while the rows are found for the first time.
    ///
    /// # Errors
    /// As for [`page_until`](Self::page_until); `not_cached` if there is no such row.
    pub fn document_until(
        &self,
        query: &RowQuery,
        position: u64,
        stop: &Stop,
    ) -> Result<(Day, RawDocumentBuf)> {
        let found = self.documents_until(query, position, 1, stop)?.into_iter().next();
        found.ok_or_else(|| CacheErrorKind::NotCached(Missing::Row).into())
    }

    /// The documents of a page of rows, as MongoDB returned them, each with its day.
    ///
    /// # Errors
    /// See [`crate::cache::CacheError`].
    pub fn documents(&self, query: &RowQuery, offset: u64, limit: u64) -> Result<Vec<(Day, RawDocumentBuf)>> {
        self.documents_until(query, offset, limit, &Stop::default())
    }

    fn documents_until(
        &self,
        query: &RowQuery,
        offset: u64,
        limit: u64,
        stop: &Stop,
    ) -> Result<Vec<(Day, RawDocumentBuf)>> {
        let list = |span: &RowSpan| sql!("({})::VARCHAR, hex(doc)", span.day);
        let found = self.read(query, (offset, limit), &list, 2, stop)?;
        found.iter().map(|row| read_document(row)).collect()
    }

    /// The view's connection, for one statement at a time.
    pub(crate) fn connection(&self) -> MutexGuard<'_, Database> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The view's connection, for work on several threads.
    pub(crate) const fn shared_connection(&self) -> &Mutex<Database> {
        &self.connection
    }

    /// What is known of the order of the spans.
    pub(crate) fn span_orders(&self) -> MutexGuard<'_, SpanOrders> {
        self.span_orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rows of queries that are kept.
    pub(crate) const fn selections(&self) -> &Selections {
        &self.selections
    }

    fn read(
        &self,
        query: &RowQuery,
        (offset, limit): (u64, u64),
        list: &dyn Fn(&RowSpan) -> Sql,
        width: usize,
        stop: &Stop,
    ) -> Result<Vec<Vec<Option<String>>>> {
        if query.sorts.is_empty() && !query.is_narrowed() {
            return self.read_unsorted(query.role, offset, limit, list, width);
        }
        let positions = self.positions(query, stop)?;
        let place = |row: u64| usize::try_from(row).unwrap_or(usize::MAX).min(positions.len());
        let page = &positions[place(offset)..place(offset.saturating_add(limit))];
        self.read_at(query.role, page, list, width)
    }

    /// Reads a page in the default order. Skips whole spans by their counts, so that a late page costs no more than an
    /// early one.
    fn read_unsorted(
        &self,
        role: Role,
        mut offset: u64,
        mut limit: u64,
        list: &dyn Fn(&RowSpan) -> Sql,
        width: usize,
    ) -> Result<Vec<Vec<Option<String>>>> {
        let time = self.time_column(role);
        let mut found = Vec::new();
        for (place, span) in self.spans(role).iter().enumerate() {
            if offset >= span.rows {
                offset -= span.rows;
                continue;
            }
            if limit == 0 {
                break;
            }
            let take = limit.min(span.rows - offset);
            let (source, page) =
                (self.source(role, span), sql!("LIMIT {take} OFFSET {offset}", take, offset));
            found.extend(match self.span_order(role, place, time.as_ref(), span)? {
                SpanOrder::Stored => texts(
                    &self.connection(),
                    sql!("SELECT {} FROM {source} {page}", list(span), source, page),
                    width,
                )?,
                SpanOrder::Sorted => {
                    let order = self.row_order(role, time.as_ref(), span);
                    let sql = sql!(
                        "SELECT {} FROM {source} ORDER BY {order} {page}",
                        list(span),
                        source,
                        order,
                        page
                    );
                    texts(&self.connection(), &sql, width)?
                }
                SpanOrder::Table(table) => {
                    let rows: Vec<(u32, i64)> = {
                        let connection = self.connection();
                        let mut select =
                            connection.prepare(sql!("SELECT row FROM {table} {page}", table, page))?;
                        let rows = select.query_map([], |row| Ok((span.segment, row.get(0)?)))?;
                        rows.collect::<Result<_, duckdb::Error>>()?
                    };
                    self.read_rows(role, &rows, list, width)?
                }
            });
            limit -= take;
            offset = 0;
        }
        Ok(found)
    }

    /// Reads rows by segment and row id, in this order.
    pub(crate) fn read_rows(
        &self,
        role: Role,
        wanted: &[(u32, i64)],
        list: &dyn Fn(&RowSpan) -> Sql,
        width: usize,
    ) -> Result<Vec<Vec<Option<String>>>> {
        let connection = self.connection();
        let mut rows = HashMap::new();
        for (segment, wanted) in by_segment(wanted) {
            let Some(span) = self.spans(role).iter().find(|span| span.segment == segment) else { continue };
            let ids = Sql::join(&wanted, ", ");
            let (first, last) = (wanted.iter().min().unwrap_or(&0), wanted.iter().max().unwrap_or(&0));
            // DuckDB derives no bounds from an `IN` list, and would read the whole table.
            let sql = sql!(
                "SELECT rowid::VARCHAR, {} FROM {} WHERE rowid BETWEEN {first} AND {last} AND rowid IN ({ids})",
                list(span),
                schema::table(role, segment),
                first,
                last,
                ids
            );
            for mut row in texts(&connection, &sql, width + 1)? {
                let id = row.remove(0).and_then(|id| id.parse::<i64>().ok());
                rows.insert((segment, id), row);
            }
        }
        Ok(wanted.iter().filter_map(|(segment, row)| rows.remove(&(*segment, Some(*row)))).collect())
    }

    /// Which physical columns a segment's table has.
    pub(crate) fn has(&self, role: Role, segment: u32) -> impl Fn(FieldId) -> bool + use<'_> {
        let columns = self.state.columns.get(&(segment, role));
        move |field| columns.is_some_and(|columns| columns.contains(&field))
    }

    /// Whether some rows of a segment are hidden because their documents are shown elsewhere.
    pub(crate) fn hides(&self, role: Role, segment: u32) -> bool {
        self.hidden.get(&(role, segment)).is_some_and(|rows| *rows > 0)
    }

    /// `FROM` and `WHERE` of a span.
    pub(crate) fn source(&self, role: Role, span: &RowSpan) -> Sql {
        let table = schema::table(role, span.segment);
        let wanted = &span.wanted;
        if !self.hides(role, span.segment) {
            return sql!("{table} WHERE {wanted}", table, wanted);
        }
        sql!(
            "{table} WHERE {wanted} AND rowid NOT IN (SELECT row FROM temp.hidden WHERE role = '{}' AND segment = {})",
            Name(role_name(role)),
            span.segment,
            table,
            wanted
        )
    }

    /// Finds the rows of documents that occur in the range more than once, and hides all but one. Input takes
    /// precedence over downstream; of two states of a document, the one that was read later wins.
    fn hide_repeated(&mut self) -> Result<()> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let any: bool = connection.query_row(sql!("SELECT EXISTS (FROM overlap)"), [], |row| row.get(0))?;
        if !any {
            return Ok(());
        }
        let shown = self.state.shown_in(self.range).find_map(|(_, held)| self.state.origin_of(held));
        let is_unique = |role| {
            shown.is_none_or(|origin| match role {
                Role::Input => origin.unique_input,
                Role::Downstream => origin.unique_downstream,
            })
        };
        // If downstream messages have a collection of their own, equal `_id`s in the two collections mean nothing.
        let one_collection = self.file.identity().mapping.downstream_collection.is_none();
        // If an `_id` does not identify a document, only its bytes do.
        let all_unique = is_unique(Role::Input) && is_unique(Role::Downstream);
        let hash = if all_unique { sql!("NULL") } else { sql!("md5(doc)") };
        let parts: Vec<Sql> = [Role::Input, Role::Downstream]
            .into_iter()
            .flat_map(|role| self.spans(role).iter().map(move |span| (span, role)))
            .filter(|(span, _)| span.rows > 0)
            .map(|(span, role)| {
                sql!(
                    "SELECT '{}' AS role, {}::INTEGER AS segment, rowid AS row, {} AS day, id, read, {hash} AS hash
                     FROM {} WHERE {} AND id IN (SELECT id FROM overlap WHERE segment = {})",
                    Name(role_name(role)),
                    span.segment,
                    span.day,
                    schema::table(role, span.segment),
                    span.wanted,
                    span.segment,
                    hash
                )
            })
            .collect();
        if parts.is_empty() {
            return Ok(());
        }
        connection.execute_batch(sql!(
            "CREATE OR REPLACE TEMP TABLE repeated AS {};
             CREATE OR REPLACE TEMP TABLE hidden (role VARCHAR, segment INTEGER, row BIGINT, day INTEGER);",
            Sql::join(parts, " UNION ALL ")
        ))?;
        let latest = |role: Role| {
            let role = Name(role_name(role));
            sql!(
                "SELECT role, segment, row, day FROM (
                     SELECT *, row_number() OVER (PARTITION BY id ORDER BY read DESC, segment DESC, row) AS place
                     FROM temp.repeated WHERE role = '{role}')
                 WHERE place > 1",
                role
            )
        };
        if is_unique(Role::Input) {
            connection.execute_batch(sql!("INSERT INTO temp.hidden {}", latest(Role::Input)))?;
        }
        let among_input = match (one_collection, all_unique) {
            (false, _) => sql!("false"),
            (true, true) => sql!("id IN (SELECT id FROM temp.repeated WHERE role = 'input')"),
            (true, false) => {
                sql!("(id, hash) IN (SELECT (id, hash) FROM temp.repeated WHERE role = 'input')")
            }
        };
        let repeated = if is_unique(Role::Downstream) {
            latest(Role::Downstream)
        } else {
            // Each window holds equal rows as often as the source does, so the rows of one window are the right
            // number.
            sql!(
                "SELECT role, segment, row, day FROM (
                 SELECT *, first_value(segment) OVER (PARTITION BY id, hash ORDER BY copies DESC, segment DESC) AS kept
                 FROM (SELECT *, count(*) OVER (PARTITION BY id, hash, segment) AS copies
                       FROM temp.repeated WHERE role = 'downstream'))
             WHERE segment <> kept"
            )
        };
        connection.execute_batch(sql!(
            "INSERT INTO temp.hidden
                 SELECT role, segment, row, day FROM temp.repeated WHERE role = 'downstream' AND {among_input}
                 UNION {repeated};
             DROP TABLE temp.repeated;",
            among_input,
            repeated
        ))?;
        for (role, spans) in &mut self.spans {
            for span in spans {
                let rows: u64 = connection.query_row(
                    sql!(
                        "SELECT count(*) FROM temp.hidden
                         WHERE role = ? AND segment = ? AND day BETWEEN ? AND ?"
                    ),
                    params![role_name(*role), span.segment, span.from.number(), span.to.number()],
                    |row| row.get(0),
                )?;
                span.rows = span.rows.saturating_sub(rows);
                *self.hidden.entry((*role, span.segment)).or_default() += rows;
            }
        }
        Ok(())
    }
}

/// Row ids by segment.
fn by_segment(rows: &[(u32, i64)]) -> BTreeMap<u32, Vec<i64>> {
    let mut by_segment: BTreeMap<u32, Vec<i64>> = BTreeMap::new();
    for (segment, row) in rows {
        by_segment.entry(*segment).or_default().push(*row);
    }
    by_segment
}

pub(crate) fn texts(
    connection: &Database,
    sql: impl AsRef<Sql>,
    width: usize,
) -> Result<Vec<Vec<Option<String>>>> {
    let mut select = connection.prepare(sql)?;
    let mut rows = select.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push((0..width).map(|index| row.get(index)).collect::<Result<_, _>>()?);
    }
    Ok(found)
}

/// Parses a row of a day's number and a document in hexadecimal digits.
pub(crate) fn read_document(row: &[Option<String>]) -> Result<(Day, RawDocumentBuf)> {
    let damaged = |cause: String| CacheError::corrupt("This row cannot be read.").because(Detail(cause));
    let [Some(day), Some(document)] = row else {
        return Err(damaged("a row without its document".to_owned()));
    };
    let day = day.parse().map_err(|error| damaged(format!("{error}")))?;
    let bytes = hex::decode(document).map_err(|error| damaged(error.to_string()))?;
    let document = RawDocumentBuf::from_bytes(bytes).map_err(|error| damaged(error.to_string()))?;
    Ok((Day::from_number(day), document))
}
