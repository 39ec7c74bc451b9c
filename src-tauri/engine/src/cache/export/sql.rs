//! The rows of an export: those of a row query, as text or as they are stored.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io;
use std::sync::Arc;

use bson::{RawBsonRef, RawDocument};
use duckdb::arrow::array::{Array as _, AsArray as _, BinaryArray, RecordBatch, StringArray};

use super::forms::{self, Width};
use super::table::{Cell, TableColumn, TableWriter};
use crate::bson::extjson::write_relaxed;
use crate::bson::uuids::UuidRepresentation;
use crate::cache::file::error::{CacheError, CacheErrorKind, Purpose, Result};
use crate::cache::file::schema;
use crate::cache::file::sql::{Database, Sql, sql};
use crate::cache::read::column::{Column, Holder};
use crate::cache::read::scan::in_slices;
use crate::cache::read::selection::Narrowing;
use crate::cache::read::sorted::{sort_key_list, sort_order};
use crate::cache::read::spans::NarrowedSpan;
use crate::cache::read::stop::Stop;
use crate::cache::read::view::View;
use crate::decode::{Decoder, FieldId, FieldRegistry, FieldSet, Kind, RowKey};
use crate::query::near_miss::{did_you_mean, near_misses};
use crate::rows::{ExportFormat, ExportOptions, Role, RowQuery};

/// Bytes of documents that are decoded at a time.
const PASS_BYTES: usize = 4 << 20;

/// Maximum number of sorted parts per statement, and of their rows.
const SORTS: u64 = 16;
const SORTED_ROWS: u64 = 20_000;

/// A column without any value.
fn empty_column(path: &str) -> Column {
    Column { path: path.to_owned(), fields: BTreeMap::new(), uuids: UuidRepresentation::default() }
}

fn mistyped_column(path: &str, near: &[String]) -> CacheError {
    let meant = did_you_mean(near);
    CacheErrorKind::NoColumn(format!("There is no column {path} to export.{meant}"), Purpose::Export).into()
}

/// What the statements of an export return.
#[derive(Debug)]
pub(crate) enum Content {
    /// The values of the columns' holders, in this order.
    Cells(Vec<Column>),
    /// The documents.
    Documents,
    /// The texts of a result's cells, and what they are.
    Result(Vec<Kind>),
}

/// The rows of an export.
#[derive(Debug)]
pub(crate) struct ExportRows {
    pub(crate) content: Content,
    /// The columns as a format with types of its own has them.
    pub(crate) table: Vec<TableColumn>,
    /// Statements that return the rows, one after the other.
    pub(crate) selects: Vec<Sql>,
}

impl ExportRows {
    /// Writes rows that one of the statements returned.
    ///
    /// # Errors
    /// `InvalidData` if they are not texts, one for each holder, or documents: then no cell could be trusted.
    pub(crate) fn write(&self, table: &mut dyn TableWriter, batch: &RecordBatch) -> io::Result<()> {
        match &self.content {
            Content::Cells(columns) => write_cells(columns, table, batch),
            Content::Documents => write_documents(table, batch),
            Content::Result(kinds) => write_result(kinds, table, batch),
        }
    }
}

fn write_cells(columns: &[Column], table: &mut dyn TableWriter, batch: &RecordBatch) -> io::Result<()> {
    let arrays: Option<Vec<&StringArray>> =
        batch.columns().iter().map(|array| array.as_string_opt()).collect();
    let wanted = columns.iter().flat_map(Column::holders).count();
    let arrays = arrays.filter(|arrays| arrays.len() >= wanted);
    let mut arrays = arrays.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?.into_iter();
    let columns: Vec<Vec<(Holder, &StringArray)>> =
        columns.iter().map(|column| column.holders().zip(arrays.by_ref()).collect()).collect();
    for row in 0..batch.num_rows() {
        table.begin_row()?;
        for holders in &columns {
            match holders.iter().find(|(_, values)| values.is_valid(row)) {
                None => table.cell(None)?,
                Some((holder, values)) => {
                    let text = holder.text(values.value(row));
                    table.cell(Some(Cell { kind: holder.kind(), text: &text }))?;
                }
            }
        }
        table.end_row()?;
    }
    Ok(())
}

fn write_result(kinds: &[Kind], table: &mut dyn TableWriter, batch: &RecordBatch) -> io::Result<()> {
    let arrays: Option<Vec<&StringArray>> =
        batch.columns().iter().map(|array| array.as_string_opt()).collect();
    let arrays = arrays.filter(|arrays| arrays.len() == kinds.len());
    let arrays = arrays.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
    for row in 0..batch.num_rows() {
        table.begin_row()?;
        for (kind, values) in kinds.iter().zip(&arrays) {
            let cell = values.is_valid(row).then(|| Cell { kind: *kind, text: values.value(row) });
            table.cell(cell)?;
        }
        table.end_row()?;
    }
    Ok(())
}

fn write_documents(table: &mut dyn TableWriter, batch: &RecordBatch) -> io::Result<()> {
    let broken = || io::Error::from(io::ErrorKind::InvalidData);
    let documents: &BinaryArray =
        batch.columns().first().and_then(|array| array.as_binary_opt()).ok_or_else(broken)?;
    let mut json = String::new();
    for bytes in documents {
        let document = bytes.and_then(|bytes| RawDocument::from_bytes(bytes).ok()).ok_or_else(broken)?;
        json.clear();
        if !write_relaxed(&mut json, RawBsonRef::Document(document)) {
            return Err(broken());
        }
        table.document(&json)?;
    }
    Ok(())
}

/// The rows of a span.
struct Part {
    select: Sql,
    /// How many rows it sorts.
    sorted_rows: u64,
}

/// Combines parts into statements. DuckDB sorts all parts of a statement at once and holds them in memory, so each
/// statement gets only a few of the parts that are sorted.
fn together(parts: Vec<Part>) -> Vec<Sql> {
    let mut statements: Vec<Vec<Sql>> = Vec::new();
    let (mut sorts, mut rows) = (0, 0);
    for part in parts {
        let is_sorted = part.sorted_rows > 0;
        let is_full = is_sorted && sorts > 0 && (sorts == SORTS || rows + part.sorted_rows > SORTED_ROWS);
        match statements.last_mut().filter(|_| !is_full) {
            Some(last) => last.push(part.select),
            None => {
                statements.push(vec![part.select]);
                (sorts, rows) = (0, 0);
            }
        }
        sorts += u64::from(is_sorted);
        rows += part.sorted_rows;
    }
    statements.into_iter().map(|parts| Sql::join(parts, " UNION ALL ")).collect()
}

impl View {
    /// The columns of an export, and the `SELECT`s of its rows, one after the other, in the order of the query.
    pub(crate) fn select_rows(
        &self,
        query: &RowQuery,
        options: &ExportOptions,
        stop: &Stop,
    ) -> Result<ExportRows> {
        let role = query.role;
        let content = if options.format == ExportFormat::Jsonl && options.columns.is_empty() {
            Content::Documents
        } else {
            Content::Cells(self.export_columns(role, options)?)
        };
        let holders: Vec<Holder> = match &content {
            Content::Cells(columns) => columns.iter().flat_map(Column::holders).collect(),
            Content::Documents | Content::Result(_) => Vec::new(),
        };
        let width = if matches!(content, Content::Documents) { 1 } else { holders.len() };
        let time = self.time_column(role);
        let sorted = self.sort_columns(query)?;
        let narrowing = self.narrowing(&self.worker(stop)?, query, None, None)?;
        let table = match &content {
            Content::Cells(columns) => self.table_columns(role, columns, options, &narrowing)?,
            Content::Documents | Content::Result(_) => Vec::new(),
        };
        let parts: Vec<Part> = self
            .narrowed_spans(role, &narrowing)
            .into_iter()
            .map(|NarrowedSpan { place, span, source }| {
                let has = self.has(role, span.segment);
                let values = holders.iter().map(|holder| holder.select(&has)).enumerate();
                let mut list: Vec<Sql> =
                    values.map(|(number, value)| sql!("{value} AS t{number}", value, number)).collect();
                if matches!(content, Content::Documents) {
                    list.push(sql!("doc AS t0"));
                }
                if !sorted.is_empty() {
                    list.extend(sort_key_list(&sorted, &has));
                    list.push(sql!("{place} AS place, rowid AS row", place));
                }
                if list.is_empty() {
                    // The columns that were chosen are in none of these documents; the rows count nevertheless.
                    list.push(sql!("NULL::VARCHAR AS t0"));
                }
                let select = sql!("SELECT {} FROM {source}", Sql::join(list, ", "), source);
                if !sorted.is_empty() || self.is_stored_in_order(role, time.as_ref(), span)? {
                    return Ok(Part { select, sorted_rows: 0 });
                }
                let order = self.row_order(role, time.as_ref(), span);
                Ok(Part {
                    select: sql!("({select} ORDER BY {order})", select, order),
                    sorted_rows: span.rows,
                })
            })
            .collect::<Result<_>>()?;
        let selects = if sorted.is_empty() || parts.is_empty() {
            together(parts)
        } else {
            let all = Sql::join(parts.into_iter().map(|part| part.select), " UNION ALL ");
            let values = match width {
                0 => sql!("NULL::VARCHAR"),
                count => Sql::join((0..count).map(|place| sql!("t{place}", place)), ", "),
            };
            let order = sort_order(&sorted);
            vec![sql!("SELECT {values} FROM ({all}) ORDER BY {order}", values, all, order)]
        };
        Ok(ExportRows { content, table, selects })
    }

    /// The columns with the forms of their values. Only Parquet needs to know whether the decimal numbers of a column
    /// fit into one type, which takes a pass over them.
    fn table_columns(
        &self,
        role: Role,
        columns: &[Column],
        options: &ExportOptions,
        narrowing: &Narrowing,
    ) -> Result<Vec<TableColumn>> {
        let decimals: Vec<Holder> = columns
            .iter()
            .filter(|column| forms::may_be_decimal(&column.fields))
            .flat_map(Column::holders)
            .filter(|holder| holder.kind() == Kind::Decimal)
            .collect();
        let widths = if options.format == ExportFormat::Parquet {
            self.decimal_widths(&self.connection(), role, &decimals, narrowing)?
        } else {
            HashMap::new()
        };
        let column = |column: &Column| TableColumn {
            name: column.path.clone(),
            form: forms::form_of(&column.fields, &widths),
        };
        Ok(columns.iter().map(column).collect())
    }

    /// The most digits before and after the point of the decimal numbers of each column. Columns with a number that has
    /// an exponent, is not finite or is a negative zero are left out.
    pub(crate) fn decimal_widths(
        &self,
        connection: &Database,
        role: Role,
        decimals: &[Holder],
        narrowing: &Narrowing,
    ) -> Result<HashMap<FieldId, Width>> {
        let mut widths: HashMap<FieldId, Width> = HashMap::new();
        let mut unfit: HashSet<FieldId> = HashSet::new();
        for NarrowedSpan { span, source, .. } in self.narrowed_spans(role, narrowing) {
            let has = self.has(role, span.segment);
            let held: Vec<FieldId> =
                decimals.iter().map(|holder| holder.field()).filter(|field| has(*field)).collect();
            if held.is_empty() {
                continue;
            }
            let list = Sql::join(
                held.iter().map(|field| {
                    let column = sql!("c{field}", field);
                    sql!(
                        "coalesce(bool_and(regexp_full_match({column}, '-?[0-9]+([.][0-9]+)?')
                             AND NOT regexp_full_match({column}, '-0+([.]0+)?')), true),
                         coalesce(max(length(ltrim(split_part({column}, '.', 1), '-'))), 0)::BIGINT,
                         coalesce(max(length(split_part({column}, '.', 2))), 0)::BIGINT",
                        column
                    )
                }),
                ", ",
            );
            connection.query_row(sql!("SELECT {list} FROM {source}", list, source), [], |row| {
                for (at, field) in held.iter().enumerate() {
                    if !row.get::<_, bool>(at * 3)? {
                        unfit.insert(*field);
                    }
                    let width = widths.entry(*field).or_default();
                    width.whole = width.whole.max(row.get::<_, i64>(at * 3 + 1)?);
                    width.fraction = width.fraction.max(row.get::<_, i64>(at * 3 + 2)?);
                }
                Ok(())
            })?;
        }
        widths.retain(|field, _| !unfit.contains(field));
        Ok(widths)
    }

    /// The columns of an export: those that were chosen, or all. There is always one, since a CSV without columns has
    /// no rows.
    fn export_columns(&self, role: Role, options: &ExportOptions) -> Result<Vec<Column>> {
        if !options.columns.is_empty() {
            return self.chosen_columns(role, &options.columns);
        }
        let mut columns = self.exact_columns(role)?;
        if !self.has_rows(role) {
            columns = self.mapped_columns(role);
        } else if columns.is_empty() {
            // Documents of a view may have no field at all.
            columns = vec![empty_column("_id")];
        }
        Ok(columns)
    }

    /// The columns of an answer without rows: those that the mapping names. Which others the file knows depends on
    /// what else it holds.
    fn mapped_columns(&self, role: Role) -> Vec<Column> {
        let mapped = self.mapped_paths().get(&role).into_iter().flatten().filter(|path| *path != "_id");
        ["_id"].into_iter().chain(mapped.map(String::as_str)).map(empty_column).collect()
    }

    fn has_rows(&self, role: Role) -> bool {
        self.spans(role).iter().any(|span| span.rows > 0)
    }

    /// The columns of the requested paths, in that order. A path that no cached document has gives an empty column,
    /// since the next day may have it, unless it resembles a known one: then it is rejected as a typing error.
    fn chosen_columns(&self, role: Role, paths: &[String]) -> Result<Vec<Column>> {
        let columns = self.columns(role);
        let known = self.known_paths(role);
        let find = |path: &String| {
            if let Some(column) = columns.iter().find(|column| column.path == *path) {
                return Ok(column.clone());
            }
            // Without rows, it is unknown which paths they would have.
            if known.contains(path) || !self.has_rows(role) {
                return Ok(empty_column(path));
            }
            match near_misses(path, known.iter().map(String::as_str)) {
                near if near.is_empty() => Ok(empty_column(path)),
                near => Err(mistyped_column(path, &near)),
            }
        };
        paths.iter().map(find).collect()
    }

    /// The paths of a role that cached documents have or the mapping names.
    fn known_paths(&self, role: Role) -> BTreeSet<String> {
        let cached = self.known_columns(role).into_iter().chain(self.columns(role));
        cached.chain(self.mapped_columns(role)).map(|column| column.path).collect()
    }

    /// A note on requested columns that no cached document has.
    pub(crate) fn note_of_absent_columns(&self, role: Role, options: &ExportOptions) -> Option<String> {
        if options.columns.is_empty() || !self.has_rows(role) {
            return None;
        }
        let known = self.known_paths(role);
        let absent: Vec<&str> =
            options.columns.iter().map(String::as_str).filter(|path| !known.contains(*path)).collect();
        match absent[..] {
            [] => None,
            [path] => Some(format!("No cached document has the field {path}; its column is empty.")),
            _ => Some(format!(
                "No cached document has the fields {}; their columns are empty.",
                absent.join(", ")
            )),
        }
    }

    /// `SELECT` of the stored columns of a role, as they are.
    pub(crate) fn select_stored(&self, role: Role) -> Sql {
        let parts: Vec<Sql> = self
            .spans(role)
            .iter()
            .map(|span| sql!("SELECT * EXCLUDE (number, read, doc, id) FROM {}", self.source(role, span)))
            .collect();
        if parts.is_empty() {
            sql!("SELECT NULL WHERE false")
        } else {
            Sql::join(parts, " UNION ALL BY NAME ")
        }
    }

    /// The columns that the rows of a role really have. [`columns`](Self::columns) may also name some of hidden rows,
    /// and the ledger does not distinguish the downstream rows of trades with input on several days. This takes a
    /// pass over the rows.
    pub(crate) fn exact_columns(&self, role: Role) -> Result<Vec<Column>> {
        let mut columns = self.columns(role);
        let any_hidden = self.hidden.iter().any(|((hidden, _), rows)| *hidden == role && *rows > 0);
        if role == Role::Input && !any_hidden {
            return Ok(columns);
        }
        let spans = || self.spans(role).iter().filter(|span| span.rows > 0);
        let connection = self.connection();
        let mut found = FieldSet::default();
        for span in spans() {
            let has = self.has(role, span.segment);
            let fields: Vec<FieldId> = columns
                .iter()
                .flat_map(|column| &column.fields)
                .filter(|(kind, field)| **kind != Kind::Null && has(**field) && !found.contains(**field))
                .map(|(_, field)| *field)
                .collect();
            if fields.is_empty() {
                continue;
            }
            let list = Sql::join(fields.iter().map(|field| sql!("count(c{field}) > 0", field)), ", ");
            connection.query_row(
                sql!("SELECT {list} FROM {}", self.source(role, span), list),
                [],
                |row| {
                    for (at, field) in fields.iter().enumerate() {
                        if row.get(at)? {
                            found.insert(*field);
                        }
                    }
                    Ok(())
                },
            )?;
        }
        for column in &mut columns {
            column.fields.retain(|kind, field| *kind == Kind::Null || found.contains(*field));
        }
        columns.retain(|column| !column.fields.is_empty());
        // Nulls have no physical column; if a path has nothing else, the documents decide.
        let only_null = |column: &Column| column.fields.keys().all(|kind| *kind == Kind::Null);
        if !columns.iter().any(only_null) {
            return Ok(columns);
        }
        let registry = Arc::new(FieldRegistry::default());
        let mut decoder = Decoder::new(Arc::clone(&registry), false);
        for span in spans() {
            let table = schema::table(role, span.segment);
            let source = self.source(role, span);
            let select = |slice: &Sql| sql!("SELECT doc FROM {source} AND {slice}", source, slice);
            in_slices(&connection, &table, &span.wanted, &select, &mut |row| {
                let bytes: Vec<u8> = row.get(0)?;
                if let Ok(document) = RawDocument::from_bytes(&bytes) {
                    decoder.push(RowKey { day: span.from, trade: None, read: 0 }, document);
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
}
