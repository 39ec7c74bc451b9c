//! The measurements, each in a process of its own. Each returns its figures as JSON.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use bson::{Bson, Document, RawDocumentBuf, doc};
use clap::Args;
use cpu_time::ProcessTime;
use futures_util::{StreamExt as _, TryStreamExt as _};
use serde_json::{Value, json};
use tidemark_engine::api::rows::ViewKey;
use tidemark_engine::browse::ExportRequest;
use tidemark_engine::cache::{DayRows, Identity, SegmentWriter, View};
use tidemark_engine::day::{Day, DayRange};
use tidemark_engine::decode::{Decoder, RowKey};
use tidemark_engine::engine::Engine;
use tidemark_engine::limits::Limits;
use tidemark_engine::plan::ledger::FetchMode;
use tidemark_engine::query::filter::Filters;
use tidemark_engine::query::form::QueryInput;
use tidemark_engine::query::form::{FilterInput, FilterOperator};
use tidemark_engine::query::mapping::Mapping;
use tidemark_engine::query::pipeline::{self, PULL_LIMIT};
use tidemark_engine::query::source::Query;
use tidemark_engine::rows::{PageRequest, Role, RowQuery, Sort};
use tidemark_engine::run::FetchRequest;
use tidemark_engine::source::{PullOrder, Source, SourceSettings, WindowMoment};
use tokio_util::sync::CancellationToken;

use crate::read_backs::ReadBacks;

/// The column by which pages are sorted: no value of it repeats often.
const SORTED_BY: &str = "price";
/// Number of rows in a first page.
const PAGE: u64 = 100;

/// What to measure.
#[derive(Debug, Clone, Args)]
pub(crate) struct Work {
    #[arg(long)]
    pub(crate) uri: String,
    #[arg(long)]
    pub(crate) db: String,
    #[arg(long)]
    pub(crate) collection: String,
    #[arg(long)]
    pub(crate) mapping: PathBuf,
    #[arg(long)]
    pub(crate) cache: PathBuf,
    #[arg(long)]
    pub(crate) from: String,
    #[arg(long)]
    pub(crate) to: String,
    /// Products to filter by; none means all documents.
    #[arg(long)]
    pub(crate) product: Vec<String>,
}

/// The figures of a measurement, or why it could not be made.
pub(crate) type Figures = Result<Value, String>;

struct OpenBench {
    engine: Engine,
    source: Source,
    request: FetchRequest,
}

impl Work {
    fn open(&self) -> Result<OpenBench, String> {
        let text = std::fs::read_to_string(&self.mapping).map_err(|error| error.to_string())?;
        let mapping = Mapping::parse(&text).map_err(words)?;
        let source = Source::new(&SourceSettings {
            uri: self.uri.clone(),
            password: None,
            database: self.db.clone(),
            collection: self.collection.clone(),
        })
        .map_err(words)?;
        let input = QueryInput {
            from: self.from.clone(),
            to: self.to.clone(),
            filters: self.filters(),
            advanced: String::new(),
        };
        let request =
            FetchRequest::parse(&source, &mapping, &input, FetchMode::Normal, false).map_err(words)?;
        Ok(OpenBench { engine: Engine::new(&self.cache, 2).map_err(words)?, source, request })
    }
}

impl Work {
    fn filters(&self) -> Vec<FilterInput> {
        let values = self.product.clone();
        let input = FilterInput { field: "product".to_owned(), operator: FilterOperator::AnyOf, values };
        if self.product.is_empty() { Vec::new() } else { vec![input] }
    }
}

impl OpenBench {
    async fn answer(&self) -> Result<tidemark_engine::answer::Answer, String> {
        let cancel = CancellationToken::new();
        self.engine.fetch(Some(&self.source), &self.request, Arc::new(|_| {}), cancel).await.map_err(words)
    }

    fn key(&self, signature: &str) -> ViewKey {
        let range = self.request.range;
        ViewKey { signature: signature.to_owned(), from: range.from(), to: range.to() }
    }
}

/// The floor: receives every batch and counts its documents, nothing else. If the mapping has a trade id, also pulls
/// the messages of each window's trades after its input, with the same queries as a fetch.
pub(crate) async fn drain(work: &Work) -> Figures {
    let bench = work.open()?;
    let limits = Limits::default();
    let window_days = i32::try_from(limits.window_days.get()).map_err(|error| error.to_string())?;
    let mut windows = Vec::new();
    let mut from = bench.request.range.from();
    while from <= bench.request.range.to() {
        let to = from.plus(window_days - 1).min(bench.request.range.to());
        windows.push(DayRange::new(from, to).map_err(words)?);
        from = to.next();
    }
    let begun = Instant::now();
    let drained: Vec<Drained> = futures_util::stream::iter(windows)
        .map(|window| drain_window(&bench, window))
        .buffer_unordered(limits.windows_at_once.get() as usize)
        .try_collect()
        .await?;
    let (rows, bytes) = drained.iter().fold((0, 0), |sum, part| (sum.0 + part.rows, sum.1 + part.bytes));
    Ok(json!({"ms": millis(begun), "rows": rows, "bytes": bytes}))
}

/// The totals of a query.
#[derive(Debug, Default)]
struct Drained {
    rows: u64,
    bytes: u64,
    trades: Vec<Bson>,
}

async fn drain_window(bench: &OpenBench, window: DayRange) -> Result<Drained, String> {
    let mapping = &bench.request.query.mapping;
    let pipeline = pipeline::input_pipeline(&bench.request.query, &window);
    let mut input = drain_question(bench, None, pipeline, mapping.trade_id.as_deref()).await?;
    let mut seen = HashSet::new();
    let trades = std::mem::take(&mut input.trades);
    let trades: Vec<Bson> = trades.into_iter().filter(|id| seen.insert(id.to_string())).collect();
    let limits = Limits::default();
    let questions = trades.chunks(limits.ids_per_query.get() as usize);
    let messages: Vec<Drained> = futures_util::stream::iter(questions)
        .map(|ids| {
            let matches = pipeline::downstream_match(mapping, ids.to_vec());
            let collection = mapping.downstream_collection.clone();
            drain_question(bench, collection, vec![doc! {"$match": matches}], None)
        })
        .buffer_unordered(limits.queries_at_once.get() as usize)
        .try_collect()
        .await?;
    for part in messages {
        input.rows += part.rows;
        input.bytes += part.bytes;
    }
    Ok(input)
}

async fn drain_question(
    bench: &OpenBench,
    collection: Option<String>,
    pipeline: Vec<Document>,
    trade_id: Option<&str>,
) -> Result<Drained, String> {
    let order = PullOrder {
        collection,
        pipeline,
        batch_documents: Limits::default().batch_documents,
        time_limit: PULL_LIMIT,
    };
    let moment = Arc::new(WindowMoment::new(&Arc::default()));
    let mut cursor = bench.source.pull(order, &moment).await.map_err(words)?;
    let mut drained = Drained::default();
    while let Some(batch) = cursor.next().await.map_err(words)? {
        let documents = batch.raw.doc_slices().map_err(|error| error.to_string())?;
        drained.bytes += documents.as_bytes().len() as u64;
        for document in documents.into_iter() {
            drained.rows += 1;
            let Some(path) = trade_id else { continue };
            let document = document.map_err(|error| error.to_string())?;
            let id = document.as_document().and_then(|document| document.get(path).ok().flatten());
            drained.trades.extend(id.and_then(|id| Bson::try_from(id).ok()));
        }
    }
    Ok(drained)
}

/// A fetch on top of whatever is already cached.
pub(crate) async fn fetch(work: &Work) -> Figures {
    let read_backs = ReadBacks::watch()?;
    let bench = work.open()?;
    let begun = Instant::now();
    let answer = bench.answer().await?;
    let ms = millis(begun);
    if !answer.complete {
        return Err("The fetch is not complete.".to_owned());
    }
    drop(bench);
    Ok(json!({
        "ms": ms, "rows": answer.rows.input, "downstream": answer.rows.downstream,
        "commands": answer.mongo_commands, "peak_bytes": peak_memory(), "disk_bytes": folder_bytes(&work.cache),
        "read_back_ms": read_backs.ms(),
    }))
}

/// A repeated fetch: the first page as a window requests it, then the whole answer with its counts.
pub(crate) async fn repeat(work: &Work) -> Figures {
    let bench = work.open()?;
    let begun = Instant::now();
    let plan = bench.engine.plan(Some(&bench.source), &bench.request).await.map_err(words)?;
    let page = bench
        .engine
        .page(&bench.key(&plan.signature), &RowQuery::of(Role::Input), 0, PAGE)
        .await
        .map_err(words)?;
    let first_page = millis(begun);
    let answer = bench.answer().await?;
    Ok(json!({
        "first_page_ms": first_page, "page_rows": page.rows.len(), "ms": millis(begun),
        "commands": answer.mongo_commands, "complete": answer.complete,
    }))
}

/// Deletes the days of the range from the cache.
pub(crate) async fn forget(work: &Work) -> Figures {
    let bench = work.open()?;
    let signature = tidemark_engine::query::signature::Signature::of(&bench.request.query);
    bench.engine.forget(&signature, Some(bench.request.range)).await.map_err(words)?;
    Ok(json!({}))
}

/// Exports the input as CSV, as the window and the command line do.
pub(crate) async fn export(work: &Work) -> Figures {
    let bench = work.open()?;
    let signature = tidemark_engine::query::signature::Signature::of(&bench.request.query);
    let target = work.cache.join("export.csv");
    let request = ExportRequest::of(bench.key(signature.as_str()), Role::Input);
    let begun = Instant::now();
    let exported = bench
        .engine
        .export(&request, &target.as_path().into(), |_| {}, CancellationToken::new())
        .await
        .map_err(words)?;
    let ms = millis(begun);
    let _ = std::fs::remove_file(&exported.path);
    Ok(json!({"ms": ms, "rows": exported.rows, "bytes": exported.bytes}))
}

/// The floor of an export: the stored columns, unconverted, with DuckDB's own `COPY`.
pub(crate) async fn copy(work: &Work) -> Figures {
    let work = work.clone();
    // The cache blocks, so it is called on a thread where that is allowed.
    tokio::task::spawn_blocking(move || copy_blocking(&work)).await.map_err(|error| error.to_string())?
}

fn copy_blocking(work: &Work) -> Figures {
    let bench = work.open()?;
    let signature = tidemark_engine::query::signature::Signature::of(&bench.request.query);
    let file = bench.engine.cache().open_signature(&signature).map_err(words)?;
    let view = View::open(file, bench.request.range).map_err(words)?;
    let target = work.cache.join("copy.csv");
    let begun = Instant::now();
    let bytes = view.copy_stored_columns(Role::Input, &target).map_err(words)?;
    let ms = millis(begun);
    let _ = std::fs::remove_file(&target);
    Ok(json!({"ms": ms, "bytes": bytes}))
}

/// The floor of a narrower query: the same rows, all columns, stored by DuckDB's own `CREATE TABLE AS SELECT … WHERE`.
/// The range has to be cached with no filter.
pub(crate) async fn select(work: &Work) -> Figures {
    let work = work.clone();
    tokio::task::spawn_blocking(move || select_blocking(&work)).await.map_err(|error| error.to_string())?
}

fn select_blocking(work: &Work) -> Figures {
    let all = Work { product: Vec::new(), ..work.clone() }.open()?;
    let signature = tidemark_engine::query::signature::Signature::of(&all.request.query);
    let broader = {
        let file = all.engine.cache().open_signature(&signature).map_err(words)?;
        file.path().to_owned()
    };
    drop(all);
    let target = work.cache.join("select.duckdb");
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let begun = Instant::now();
    let rows = store_selection(&broader, &target, work, &quoted).map_err(|error| error.to_string())?;
    let ms = millis(begun);
    let _ = std::fs::remove_file(&target);
    Ok(json!({"ms": ms, "rows": rows}))
}

fn store_selection(
    from: &Path,
    to: &Path,
    work: &Work,
    quoted: &dyn Fn(&str) -> String,
) -> duckdb::Result<u64> {
    let connection = duckdb::Connection::open_in_memory()?;
    connection.execute_batch(&format!(
        "SET threads = 1;
         ATTACH {} AS broader (READ_ONLY);
         ATTACH {} AS narrower (STORAGE_VERSION 'v1.5.0');",
        quoted(&from.to_string_lossy()),
        quoted(&to.to_string_lossy())
    ))?;
    let column: u32 = connection.query_row(
        "SELECT number FROM broader.field WHERE path = 'product' AND kind = 'string'",
        [],
        |row| row.get(0),
    )?;
    let products = work.product.iter().map(|product| quoted(product)).collect::<Vec<_>>().join(", ");
    let mut segments = connection.prepare("SELECT DISTINCT segment FROM broader.coverage")?;
    let segments = segments.query_map([], |row| row.get(0))?.collect::<duckdb::Result<Vec<u32>>>()?;
    let mut rows = 0;
    for segment in segments {
        let create = format!(
            "CREATE TABLE narrower.input_{segment} AS
             SELECT * FROM broader.input_{segment} WHERE c{column} IN ({products})"
        );
        rows += connection.query_row(&create, [], |row| row.get::<_, u64>(0))?;
    }
    connection.execute_batch("CHECKPOINT narrower; DETACH narrower;")?;
    Ok(rows)
}

/// The floor of storing: what DuckDB alone takes to append the same Arrow batches to a fresh file, in one transaction per
/// window, with nothing fetched, decoded or recorded. The range has to be cached.
pub(crate) async fn append(work: &Work) -> Figures {
    let work = work.clone();
    tokio::task::spawn_blocking(move || append_blocking(&work)).await.map_err(|error| error.to_string())?
}

fn append_blocking(work: &Work) -> Figures {
    let bench = work.open()?;
    let signature = tidemark_engine::query::signature::Signature::of(&bench.request.query);
    let stored = {
        let file = bench.engine.cache().open_signature(&signature).map_err(words)?;
        file.path().to_owned()
    };
    drop(bench);
    let target = work.cache.join("append.duckdb");
    let figures = store_again(&stored, &target).map_err(|error| error.to_string());
    let _ = std::fs::remove_file(&target);
    figures
}

fn store_again(from: &Path, to: &Path) -> duckdb::Result<Value> {
    let quoted = |path: &Path| format!("'{}'", path.to_string_lossy().replace('\'', "''"));
    let limits = Limits::default();
    let config = duckdb::Config::default().with("write_buffer_row_group_count", "1")?.threads(1)?;
    let connection = duckdb::Connection::open_in_memory_with_flags(config)?;
    connection.execute_batch(&format!(
        "ATTACH {} AS stored (READ_ONLY);
         ATTACH {} AS fresh (ROW_GROUP_SIZE {}, STORAGE_VERSION 'v1.5.0');",
        quoted(from),
        quoted(to),
        limits.row_group_rows
    ))?;
    let segments = {
        let mut select =
            connection.prepare("SELECT DISTINCT segment FROM stored.coverage ORDER BY segment")?;
        select.query_map([], |row| row.get(0))?.collect::<duckdb::Result<Vec<u32>>>()?
    };
    let (mut rows, mut ms, mut cpu_ms) = (0, 0.0, 0.0);
    for segment in segments {
        let table = format!("input_{segment}");
        let columns = {
            let mut select = connection.prepare(
                "SELECT string_agg(column_name || ' ' || data_type
                     || CASE column_name WHEN 'doc' THEN ' USING COMPRESSION zstd' ELSE '' END, ', '
                     ORDER BY column_index)
                 FROM duckdb_columns() WHERE database_name = 'stored' AND table_name = ?",
            )?;
            select.query_row([&table], |row| row.get::<_, String>(0))?
        };
        let batches: Vec<_> =
            connection.prepare(&format!("SELECT * FROM stored.{table}"))?.query_arrow([])?.collect();
        let (begun, used) = (Instant::now(), ProcessTime::now());
        connection.execute_batch(&format!("BEGIN TRANSACTION; CREATE TABLE fresh.{table} ({columns});"))?;
        let mut waiting = 0;
        let mut appender = connection.appender_to_catalog_and_db(&table, "fresh", "main")?;
        for batch in batches {
            rows += batch.num_rows();
            waiting += batch.num_rows();
            appender.append_record_batch(batch)?;
            if waiting >= limits.rows_per_batch.get() as usize {
                appender.flush()?;
                waiting = 0;
            }
        }
        drop(appender);
        connection.execute_batch("COMMIT; CHECKPOINT fresh;")?;
        ms += millis(begun);
        cpu_ms += used.elapsed().as_secs_f64() * 1_000.0;
    }
    Ok(json!({"ms": ms, "cpu_ms": cpu_ms, "rows": rows}))
}

/// Columns that a window has in sight; it reads the cells of those alone.
const IN_SIGHT: usize = 12;

/// Number of pages that are read at random offsets.
const RANDOM_PAGES: u64 = 200;

/// The first page again in the same process, pages of the columns in sight at random offsets, and the same sorted by a column.
pub(crate) async fn pages(work: &Work) -> Figures {
    let bench = work.open()?;
    let mut figures = json!({});
    for name in ["new_first_page_ms", "first_page_ms"] {
        let begun = Instant::now();
        let plan = bench.engine.plan(Some(&bench.source), &bench.request).await.map_err(words)?;
        let key = bench.key(&plan.signature);
        bench.engine.page(&key, &RowQuery::of(Role::Input), 0, PAGE).await.map_err(words)?;
        figures[name] = json!(millis(begun));
    }
    let key = bench.key(tidemark_engine::query::signature::Signature::of(&bench.request.query).as_str());
    let shape = bench.engine.view_shape(&key, Role::Input).await.map_err(words)?;
    let rows = shape.rows;
    figures["rows"] = json!(rows);
    let in_sight = shape.reading_order.iter().take(IN_SIGHT);
    let columns: Vec<String> =
        in_sight.filter_map(|place| Some(shape.columns.get(*place as usize)?.path.clone())).collect();
    let page = async |query: &RowQuery, offset: u64| {
        let request = PageRequest { columns: Some(columns.clone()), ..PageRequest::of(offset, PAGE) };
        let never = CancellationToken::new();
        bench.engine.page_until(&key, query, request, &never).await.map_err(words)
    };
    let sorted = RowQuery::of(Role::Input).then_by(Sort { path: SORTED_BY.to_owned(), descending: true });
    for (name, query) in [("random", RowQuery::of(Role::Input)), ("sorted", sorted)] {
        let begun = Instant::now();
        page(&query, rows / 2).await?;
        figures[format!("{name}_first_ms")] = json!(millis(begun));
        let mut times = Vec::new();
        for number in 0..RANDOM_PAGES {
            // A multiplicative sequence visits the rows in no order.
            let offset = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) % rows.max(1);
            let begun = Instant::now();
            page(&query, offset).await?;
            times.push(millis(begun));
        }
        times.sort_by(f64::total_cmp);
        figures[format!("{name}_p99_ms")] = json!(times[times.len() * 99 / 100]);
    }
    Ok(figures)
}

fn millis(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1_000.0
}

/// Number of cached queries of [`library`], and of the days of each.
const QUERIES: usize = 1_000;
const QUERY_DAYS: i32 = 30;

/// Fills a cache with many small queries of one family, then lists them and plans a query that is not among them: for
/// the first time in a process, and again.
pub(crate) async fn library(work: &Work) -> Figures {
    let bench = work.open()?;
    let query = |product: &str| -> Result<Query, String> {
        let input = FilterInput {
            field: "product".to_owned(),
            operator: FilterOperator::AnyOf,
            values: vec![product.to_owned()],
        };
        let filters = Filters::parse(&bench.request.query.mapping, &[input], "").map_err(words)?;
        Ok(Query { filters, ..bench.request.query.clone() })
    };
    for number in 0..QUERIES {
        store_days(&bench, &query(&format!("P{number}"))?)?;
    }
    let request = FetchRequest { query: query("other")?, offline: true, ..bench.request.clone() };
    // As a new process finds it.
    let engine = Engine::new(&work.cache, 2).map_err(words)?;
    let mut figures = json!({"queries": QUERIES});
    for (list, plan) in [("first_list_ms", "first_plan_ms"), ("list_ms", "plan_ms")] {
        let begun = Instant::now();
        let listed = engine.cached_queries().await.map_err(words)?;
        figures[list] = json!(millis(begun));
        if listed.len() != QUERIES {
            return Err(format!("{} of {QUERIES} queries are listed.", listed.len()));
        }
        let begun = Instant::now();
        engine.plan(None, &request).await.map_err(words)?;
        figures[plan] = json!(millis(begun));
    }
    Ok(figures)
}

/// Stores a row for each of the last days of the range.
fn store_days(bench: &OpenBench, query: &Query) -> Result<(), String> {
    let opened = bench.engine.cache().open_or_create(&Identity::of(query)).map_err(words)?;
    let mut writer = SegmentWriter::begin(Arc::clone(&opened.file)).map_err(words)?;
    let mut decoder = Decoder::new(Arc::clone(opened.file.registry()), false);
    let last = bench.request.range.to();
    let days: Vec<Day> = (0..QUERY_DAYS).map(|back| last.plus(-back)).collect();
    for day in &days {
        let document = RawDocumentBuf::try_from(&doc! {"_id": day.number(), "product": "P", "price": 1.5})
            .map_err(|error| error.to_string())?;
        decoder.push(RowKey { day: *day, trade: None, read: 0 }, &document);
    }
    let decoded = decoder.finish_batch().ok_or("no rows")?;
    writer.append(Role::Input, decoded).map_err(words)?;
    let mut fields = decoder.take_presence();
    let rows = days.into_iter().map(|day| {
        let input_fields = fields.remove(&day).unwrap_or_default();
        (day, DayRows { fetched: chrono::Utc::now(), input_rows: 1, input_fields, ..DayRows::default() })
    });
    writer.commit(rows.collect(), &[]).map(drop).map_err(words)
}

fn words(error: impl Into<tidemark_engine::failure::Failure>) -> String {
    let failure = error.into();
    format!("{failure} ({})", failure.cause.as_deref().unwrap_or_default())
}

/// Adds the processor time of this process to figures that have none of their own.
pub(crate) fn with_processor_time(mut figures: Value) -> Value {
    if figures.get("cpu_ms").is_none() {
        figures["cpu_ms"] = json!(ProcessTime::now().as_duration().as_secs_f64() * 1_000.0);
    }
    figures
}

/// Peak resident memory of this process, if the system reports it (Linux).
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1_024)
}

fn folder_bytes(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => folder_bytes(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}
