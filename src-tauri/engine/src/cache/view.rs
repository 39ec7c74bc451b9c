//! Reading an answer: the rows of a range of held days, each document once.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bson::{RawDocument, RawDocumentBuf};
use duckdb::{Connection, params};

use super::file::{CacheFile, FileState};
use super::relation::{self, Column, literal};
use super::schema::{self, role_name};
use super::slices::in_slices;
use crate::day::{Day, DayRange};
use crate::decode::{Decoder, FieldId, FieldRegistry, FieldSet, Kind, RowKey};
use crate::desk::{Role, Sort};
use crate::failure::{Code, Failure, Result};

/// Documents looked through at once.
const PASS_BYTES: usize = 4 << 20;

/// Rows of a view, each document counted once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ViewCounts {
    /// Input rows.
    pub input: u64,
    /// Downstream rows: those that are not among the input.
    pub downstream: u64,
}

/// Consecutive held days of one segment.
#[derive(Debug, Clone)]
struct Run {
    segment: u32,
    from: Day,
    to: Day,
    rows: BTreeMap<Role, u64>,
}

/// The rows of the held days of a range, as of one commit. It keeps a read transaction open, so what
/// it counts, pages and exports is one and the same.
#[derive(Debug)]
pub struct View {
    // Before the file, so that it closes first.
    connection: Mutex<Connection>,
    file: Arc<CacheFile>,
    state: Arc<FileState>,
    range: DayRange,
    runs: Vec<Run>,
    /// Rows that stand for a document shown elsewhere in the view, by role and segment.
    hidden: HashMap<(Role, u32), u64>,
    orders: Mutex<HashMap<(Role, Sort), String>>,
}

impl View {
    /// Opens a view.
    ///
    /// # Errors
    /// See [`super::duckdb_failure`].
    pub fn open(file: Arc<CacheFile>, range: DayRange) -> Result<Self> {
        let (connection, state) = loop {
            settle_overlap(&file)?;
            let (connection, state) = file.snapshot()?;
            // A window may have been committed in between.
            if segments_of(&state).is_subset(&overlap_checked(&connection)?) {
                break (connection, state);
            }
        };
        let runs = runs(&state, range);
        let mut view = Self {
            connection: Mutex::new(connection),
            file,
            state,
            range,
            runs,
            hidden: HashMap::new(),
            orders: Mutex::default(),
        };
        view.hide_repeated()?;
        Ok(view)
    }

    /// The commit this view shows.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.state.generation
    }

    /// The range.
    #[must_use]
    pub const fn range(&self) -> DayRange {
        self.range
    }

    /// The file's state as of this view.
    #[must_use]
    pub const fn state(&self) -> &Arc<FileState> {
        &self.state
    }

    /// The file.
    #[must_use]
    pub const fn file(&self) -> &Arc<CacheFile> {
        &self.file
    }

    /// How many rows there are.
    #[must_use]
    pub fn counts(&self) -> ViewCounts {
        let of = |role| self.runs.iter().map(|run| run.rows[&role]).sum();
        ViewCounts { input: of(Role::Input), downstream: of(Role::Downstream) }
    }

    /// The columns that the range's documents of a role have.
    #[must_use]
    pub fn columns(&self, role: Role) -> Vec<Column> {
        let mut present = FieldSet::default();
        for (_, held) in self.state.held_in(self.range) {
            present.extend(held.fields(role));
        }
        relation::columns(self.file.registry(), &present)
    }

    /// A page of rows as text, in the order of [`columns`](Self::columns).
    ///
    /// # Errors
    /// See [`super::duckdb_failure`]; `bad_filter` where the sort names no column.
    pub fn page(
        &self,
        role: Role,
        sort: Option<&Sort>,
        offset: u64,
        limit: u64,
    ) -> Result<Vec<Vec<Option<String>>>> {
        let columns = self.columns(role);
        let texts = |segment: u32| {
            if columns.is_empty() {
                return "NULL".to_owned(); // documents of a view may have no field at all
            }
            let has = self.has(role, segment);
            columns.iter().map(|column| column.text(&has)).collect::<Vec<_>>().join(", ")
        };
        self.read(role, sort, offset, limit, &texts, columns.len())
    }

    /// One row's document and its day.
    ///
    /// # Errors
    /// `not_cached` where there is no such row; see [`super::duckdb_failure`].
    pub fn document(&self, role: Role, sort: Option<&Sort>, position: u64) -> Result<(Day, RawDocumentBuf)> {
        let found = self.documents(role, sort, position, 1)?.into_iter().next();
        found.ok_or_else(|| Failure::new(Code::NotCached, "This row is not held any more."))
    }

    /// The documents of a page of rows, as MongoDB held them, each with its day.
    ///
    /// # Errors
    /// See [`super::duckdb_failure`].
    pub fn documents(
        &self,
        role: Role,
        sort: Option<&Sort>,
        offset: u64,
        limit: u64,
    ) -> Result<Vec<(Day, RawDocumentBuf)>> {
        let found = self.read(role, sort, offset, limit, &|_| "day::VARCHAR, hex(doc)".to_owned(), 2)?;
        found.iter().map(|row| read_document(row)).collect()
    }

    /// `SELECT` of a CSV: the paths as its first row, then all rows of a role as text, in the view's
    /// order. The paths are values, not names: DuckDB would rename two that differ only in case.
    pub(super) fn select_csv(&self, role: Role, sort: Option<&Sort>) -> Result<String> {
        let columns = self.exact_columns(role)?;
        let sorted = sort.map(|sort| self.sort_column(role, sort)).transpose()?;
        let parts: Vec<String> = self
            .runs
            .iter()
            .filter(|run| run.rows[&role] > 0)
            .map(|run| {
                let has = self.has(role, run.segment);
                let texts = columns.iter().map(|column| column.text(&has));
                let mut list: Vec<String> =
                    texts.enumerate().map(|(place, text)| format!("{text} AS t{place}")).collect();
                if list.is_empty() {
                    list.push("NULL::VARCHAR AS t0".to_owned());
                }
                if let Some(column) = &sorted {
                    let keys = column.order(&has).into_iter().enumerate();
                    list.extend(keys.map(|(index, key)| format!("{key} AS k{index}")));
                }
                format!("SELECT {} FROM {}", list.join(", "), self.source(role, run))
            })
            .collect();
        let mut names: Vec<&str> = columns.iter().map(|column| column.path.as_str()).collect();
        if names.is_empty() {
            names.push("_id");
        }
        let names: Vec<String> =
            names.iter().enumerate().map(|(place, name)| format!("{} AS t{place}", literal(name))).collect();
        let header = format!("SELECT {}", names.join(", "));
        if parts.is_empty() {
            return Ok(header);
        }
        let all = parts.join(" UNION ALL ");
        Ok(match sort {
            None => format!("{header} UNION ALL {all}"),
            Some(sort) => {
                let texts =
                    (0..columns.len()).map(|place| format!("t{place}")).collect::<Vec<_>>().join(", ");
                let keys = (0..5)
                    .map(|index| format!("k{index} {}", direction(sort)))
                    .collect::<Vec<_>>()
                    .join(", ");
                format!("{header} UNION ALL (SELECT {texts} FROM ({all}) ORDER BY {keys})")
            }
        })
    }

    /// `SELECT` of the stored columns of a role, as they are.
    pub(super) fn select_stored(&self, role: Role) -> String {
        let parts: Vec<String> = self
            .runs
            .iter()
            .map(|run| format!("SELECT * EXCLUDE (doc, id) FROM {}", self.source(role, run)))
            .collect();
        if parts.is_empty() {
            "SELECT NULL WHERE false".to_owned()
        } else {
            parts.join(" UNION ALL BY NAME ")
        }
    }

    /// The columns that the rows of a role really have: [`columns`](Self::columns) may name some of rows
    /// that stand for a document shown elsewhere, and the ledger does not tell the downstream rows of
    /// trades with input on several days apart. It costs a pass over the rows.
    pub(super) fn exact_columns(&self, role: Role) -> Result<Vec<Column>> {
        let mut columns = self.columns(role);
        let any_hidden = self.hidden.iter().any(|((hidden, _), rows)| *hidden == role && *rows > 0);
        if role == Role::Input && !any_hidden {
            return Ok(columns);
        }
        let runs = || self.runs.iter().filter(|run| run.rows[&role] > 0);
        let connection = self.connection();
        let mut found = FieldSet::default();
        for run in runs() {
            let has = self.has(role, run.segment);
            let fields: Vec<FieldId> = columns
                .iter()
                .flat_map(|column| &column.fields)
                .filter(|(kind, field)| **kind != Kind::Null && has(**field) && !found.contains(**field))
                .map(|(_, field)| *field)
                .collect();
            if fields.is_empty() {
                continue;
            }
            let list =
                fields.iter().map(|field| format!("count(c{field}) > 0")).collect::<Vec<_>>().join(", ");
            connection.query_row(&format!("SELECT {list} FROM {}", self.source(role, run)), [], |row| {
                for (at, field) in fields.iter().enumerate() {
                    if row.get(at)? {
                        found.insert(*field);
                    }
                }
                Ok(())
            })?;
        }
        for column in &mut columns {
            column.fields.retain(|kind, field| *kind == Kind::Null || found.contains(*field));
        }
        columns.retain(|column| !column.fields.is_empty());
        // Nulls have no physical column; where a path has nothing else, the documents say.
        let only_null = |column: &Column| column.fields.keys().all(|kind| *kind == Kind::Null);
        if !columns.iter().any(only_null) {
            return Ok(columns);
        }
        let registry = Arc::new(FieldRegistry::default());
        let mut decoder = Decoder::new(Arc::clone(&registry), false);
        for run in runs() {
            let table = schema::table(role, run.segment);
            let days = format!("day BETWEEN {} AND {}", run.from.number(), run.to.number());
            let source = self.source(role, run);
            let select = |slice: &str| format!("SELECT doc FROM {source} AND {slice}");
            in_slices(&connection, &table, &days, &select, &mut |row| {
                let bytes: Vec<u8> = row.get(0)?;
                if let Ok(document) = RawDocument::from_bytes(&bytes) {
                    decoder.push(RowKey { day: run.from, trade: None }, document);
                }
                if decoder.bytes() > PASS_BYTES {
                    drop(decoder.finish_batch());
                }
                Ok(())
            })?;
        }
        let paths: HashSet<Arc<str>> = (0..FieldId::try_from(registry.len()).unwrap_or(FieldId::MAX))
            .filter_map(|number| registry.field(number).map(|field| field.path))
            .collect();
        columns.retain(|column| !only_null(column) || paths.contains(&*column.path));
        Ok(columns)
    }

    /// The view's connection, for one statement at a time.
    pub(super) fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(
        &self,
        role: Role,
        sort: Option<&Sort>,
        offset: u64,
        limit: u64,
        list: &dyn Fn(u32) -> String,
        width: usize,
    ) -> Result<Vec<Vec<Option<String>>>> {
        match sort {
            None => self.read_unsorted(role, offset, limit, list, width),
            Some(sort) => self.read_sorted(role, sort, offset, limit, list, width),
        }
    }

    /// Skips whole runs by their counts, so that a late page costs no more than an early one.
    fn read_unsorted(
        &self,
        role: Role,
        mut offset: u64,
        mut limit: u64,
        list: &dyn Fn(u32) -> String,
        width: usize,
    ) -> Result<Vec<Vec<Option<String>>>> {
        let connection = self.connection();
        let mut found = Vec::new();
        for run in &self.runs {
            let rows = run.rows[&role];
            if offset >= rows {
                offset -= rows;
                continue;
            }
            if limit == 0 {
                break;
            }
            let take = limit.min(rows - offset);
            let sql = format!(
                "SELECT {} FROM {} LIMIT {take} OFFSET {offset}",
                list(run.segment),
                self.source(role, run)
            );
            found.extend(texts(&connection, &sql, width)?);
            limit -= take;
            offset = 0;
        }
        Ok(found)
    }

    fn read_sorted(
        &self,
        role: Role,
        sort: &Sort,
        offset: u64,
        limit: u64,
        list: &dyn Fn(u32) -> String,
        width: usize,
    ) -> Result<Vec<Vec<Option<String>>>> {
        let order = self.order_table(role, sort)?;
        let connection = self.connection();
        let mut select =
            connection.prepare(&format!("SELECT segment, row FROM {order} LIMIT {limit} OFFSET {offset}"))?;
        let wanted: Vec<(u32, i64)> = select
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, duckdb::Error>>()?;
        let mut by_segment: BTreeMap<u32, Vec<i64>> = BTreeMap::new();
        for (segment, row) in &wanted {
            by_segment.entry(*segment).or_default().push(*row);
        }
        let mut rows = HashMap::new();
        for (segment, wanted) in by_segment {
            let ids = wanted.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let sql = format!(
                "SELECT rowid::VARCHAR, {} FROM {} WHERE rowid IN ({ids})",
                list(segment),
                schema::table(role, segment)
            );
            for mut row in texts(&connection, &sql, width + 1)? {
                let id = row.remove(0).and_then(|id| id.parse::<i64>().ok());
                rows.insert((segment, id), row);
            }
        }
        Ok(wanted.iter().filter_map(|(segment, row)| rows.remove(&(*segment, Some(*row)))).collect())
    }

    /// The rows of a role in the order of a column: sorted once, then paged.
    fn order_table(&self, role: Role, sort: &Sort) -> Result<String> {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (role, sort.clone());
        if let Some(name) = orders.get(&key) {
            return Ok(name.clone());
        }
        let column = self.sort_column(role, sort)?;
        let parts: Vec<String> = self
            .runs
            .iter()
            .filter(|run| run.rows[&role] > 0)
            .enumerate()
            .map(|(place, run)| {
                let keys = column
                    .order(&self.has(role, run.segment))
                    .iter()
                    .enumerate()
                    .map(|(index, key)| format!("{key} AS k{index}"))
                    .collect::<Vec<_>>()
                    .join(", ");
                let source = self.source(role, run);
                format!(
                    "SELECT {}::INTEGER AS segment, rowid AS row, {place} AS place, {keys} FROM {source}",
                    run.segment
                )
            })
            .collect();
        let name = format!("order_{}_{}", role_name(role), orders.len());
        let all = if parts.is_empty() {
            "SELECT 0 AS segment, 0::BIGINT AS row WHERE false".to_owned()
        } else {
            let keys =
                (0..5).map(|index| format!("k{index} {}", direction(sort))).collect::<Vec<_>>().join(", ");
            format!("SELECT segment, row FROM ({}) ORDER BY {keys}, place, row", parts.join(" UNION ALL "))
        };
        self.connection().execute_batch(&format!("CREATE TEMP TABLE {name} AS {all}"))?;
        orders.insert(key, name.clone());
        Ok(name)
    }

    fn sort_column(&self, role: Role, sort: &Sort) -> Result<Column> {
        self.columns(role).into_iter().find(|column| column.path == sort.path).ok_or_else(|| {
            Failure::new(Code::BadFilter, format!("There is no column {} to sort by.", sort.path))
        })
    }

    /// Which physical columns a segment's table has.
    fn has(&self, role: Role, segment: u32) -> impl Fn(FieldId) -> bool + use<'_> {
        let columns = self.state.columns.get(&(segment, role));
        move |field| columns.is_some_and(|columns| columns.contains(&field))
    }

    /// `FROM` and `WHERE` of a run.
    fn source(&self, role: Role, run: &Run) -> String {
        let table = schema::table(role, run.segment);
        let days = format!("day BETWEEN {} AND {}", run.from.number(), run.to.number());
        if self.hidden.get(&(role, run.segment)).copied().unwrap_or(0) == 0 {
            return format!("{table} WHERE {days}");
        }
        format!(
            "{table} WHERE {days} AND rowid NOT IN (SELECT row FROM temp.hidden WHERE role = '{}' AND segment = {})",
            role_name(role),
            run.segment
        )
    }

    /// Finds the rows of documents that stand in the range more than once, and hides all but one:
    /// input goes before downstream, then the most recent fetch counts.
    fn hide_repeated(&mut self) -> Result<()> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let repeated: u64 = connection.query_row("SELECT count(*) FROM overlap", [], |row| row.get(0))?;
        if repeated == 0 {
            return Ok(());
        }
        let parts: Vec<String> = self
            .runs
            .iter()
            .flat_map(|run| [Role::Input, Role::Downstream].map(|role| (run, role)))
            .filter(|(run, role)| run.rows[role] > 0)
            .map(|(run, role)| {
                format!(
                    "SELECT '{}' AS role, {} AS segment, row.rowid AS row, row.day, row.id, coverage.fetched_ms
                     FROM {} AS row JOIN coverage ON coverage.day = row.day
                     WHERE row.day BETWEEN {} AND {} AND row.id IN (SELECT id FROM overlap)",
                    role_name(role),
                    run.segment,
                    schema::table(role, run.segment),
                    run.from.number(),
                    run.to.number()
                )
            })
            .collect();
        if parts.is_empty() {
            return Ok(());
        }
        // With downstream messages in a collection of their own, an `_id` says nothing across the two.
        let one_collection = self.file.identity().mapping.downstream_collection.is_none();
        let same = if one_collection { "id" } else { "role, id" };
        connection.execute_batch(&format!(
            "CREATE OR REPLACE TEMP TABLE hidden AS
             SELECT role, segment, row, day FROM (
                 SELECT role, segment, row, day, row_number() OVER (
                     PARTITION BY {same} ORDER BY role = 'input' DESC, fetched_ms DESC, segment DESC, row) AS place
                 FROM ({})) WHERE place > 1",
            parts.join(" UNION ALL ")
        ))?;
        for run in &mut self.runs {
            for role in [Role::Input, Role::Downstream] {
                let rows: u64 = connection.query_row(
                    "SELECT count(*) FROM temp.hidden WHERE role = ? AND segment = ? AND day BETWEEN ? AND ?",
                    params![role_name(role), run.segment, run.from.number(), run.to.number()],
                    |row| row.get(0),
                )?;
                *run.rows.entry(role).or_default() -= rows;
                *self.hidden.entry((role, run.segment)).or_default() += rows;
            }
        }
        Ok(())
    }
}

const fn direction(sort: &Sort) -> &'static str {
    if sort.descending { "DESC NULLS LAST" } else { "ASC NULLS LAST" }
}

fn texts(connection: &Connection, sql: &str, width: usize) -> Result<Vec<Vec<Option<String>>>> {
    let mut select = connection.prepare(sql)?;
    let mut rows = select.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push((0..width).map(|index| row.get(index)).collect::<Result<_, _>>()?);
    }
    Ok(found)
}

fn runs(state: &FileState, range: DayRange) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (day, held) in state.held_in(range) {
        let fits = runs.last().is_some_and(|run| run.segment == held.segment && run.to.next() == day);
        if !fits {
            let rows = BTreeMap::from([(Role::Input, 0), (Role::Downstream, 0)]);
            runs.push(Run { segment: held.segment, from: day, to: day, rows });
        }
        if let Some(run) = runs.last_mut() {
            run.to = day;
            for role in [Role::Input, Role::Downstream] {
                *run.rows.entry(role).or_default() += held.rows(role);
            }
        }
    }
    runs
}

fn segments_of(state: &FileState) -> BTreeSet<u32> {
    state.days.values().map(|held| held.segment).collect()
}

/// The segments that `overlap` knows of.
fn overlap_checked(connection: &Connection) -> Result<BTreeSet<u32>> {
    let mut select = connection.prepare("SELECT segment FROM overlap_checked")?;
    let checked = select.query_map([], |row| row.get(0))?;
    Ok(checked.collect::<Result<_, duckdb::Error>>()?)
}

/// Works out which `_id`s stand in the file more than once, for the segments that came since the last
/// time. A document can stand under two days (a message of a trade with input on both, a trade that
/// was moved between two fetches) or in both roles.
///
/// # Errors
/// See [`super::duckdb_failure`].
fn settle_overlap(file: &Arc<CacheFile>) -> Result<()> {
    let state = file.state();
    let connection = file.connect()?;
    // Windows commit in any order, so the numbers that were worked out need not be the lowest.
    if segments_of(&state).is_subset(&overlap_checked(&connection)?) {
        return Ok(());
    }
    connection.execute_batch("BEGIN TRANSACTION")?;
    let settled = file.commit(&connection, |state| {
        let (segments, checked) = (segments_of(state), overlap_checked(&connection)?);
        if segments.is_subset(&checked) {
            return Ok(());
        }
        let ids = |segments: &mut dyn Iterator<Item = &u32>| {
            let parts: Vec<String> = segments
                .flat_map(|segment| {
                    [Role::Input, Role::Downstream]
                        .map(|role| format!("SELECT id FROM {}", schema::table(role, *segment)))
                })
                .collect();
            if parts.is_empty() {
                "SELECT NULL::BLOB AS id WHERE false".to_owned()
            } else {
                parts.join(" UNION ALL ")
            }
        };
        let new = ids(&mut segments.difference(&checked));
        let old = ids(&mut segments.intersection(&checked));
        connection.execute_batch(&format!(
            "INSERT INTO overlap
                 SELECT id FROM ({new}) GROUP BY id HAVING count(*) > 1
                 UNION SELECT id FROM ({old}) WHERE id IN (SELECT id FROM ({new}));
             DELETE FROM overlap_checked;
             INSERT INTO overlap_checked VALUES {};",
            segments.iter().map(|segment| format!("({segment})")).collect::<Vec<_>>().join(", ")
        ))?;
        Ok(())
    });
    if settled.is_err() {
        // A failed COMMIT has rolled back already; both leave nothing.
        let _ = connection.execute_batch("ROLLBACK");
    }
    settled
}

/// A row of a day's number and a document in hexadecimal digits.
fn read_document(row: &[Option<String>]) -> Result<(Day, RawDocumentBuf)> {
    let damaged = |cause: String| Failure::new(Code::CacheDamaged, "This row cannot be read.").because(cause);
    let [Some(day), Some(document)] = row else {
        return Err(damaged("a row without its document".to_owned()));
    };
    let day = day.parse().map_err(|error| damaged(format!("{error}")))?;
    let bytes = hex::decode(document).map_err(|error| damaged(error.to_string()))?;
    let document = RawDocumentBuf::from_bytes(bytes).map_err(|error| damaged(error.to_string()))?;
    Ok((Day::from_number(day), document))
}
