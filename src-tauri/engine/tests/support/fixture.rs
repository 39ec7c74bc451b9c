//! A collection, a cache folder, and an engine with a clock of the test's own.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bson::{Document, doc};
use chrono::{DateTime, Utc};
use mongodb::{Client, Collection};
use tidemark_engine::answer::Answer;
use tidemark_engine::api::rows::ViewKey;
use tidemark_engine::day::{Day, DayRange};
use tidemark_engine::engine::Engine;
use tidemark_engine::failure::Result;
use tidemark_engine::plan::ledger::FetchMode;
use tidemark_engine::query::filter::Filters;
use tidemark_engine::query::form::{FilterInput, FilterOperator};
use tidemark_engine::query::mapping::Mapping;
use tidemark_engine::query::signature::Signature;
use tidemark_engine::query::source::Query;
use tidemark_engine::rows::{Role, RowQuery};
use tidemark_engine::run::FetchRequest;
use tidemark_engine::run::event::EventSink;
use tidemark_engine::run::event::RunEvent;
use tidemark_engine::source::{Source, SourceSettings};
use tokio_util::sync::CancellationToken;

use tidemark_test_support::server;

pub(crate) fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

pub(crate) fn range(from: &str, to: &str) -> DayRange {
    DayRange::parse(from, to).unwrap()
}

/// A trade of a day; its messages carry no date.
pub(crate) fn trade(number: i32, day: Day) -> Document {
    let product = ["Power", "Gas", "Oil"][usize::try_from(number % 3).unwrap()];
    doc! {
        "_id": number, "year": day.year(), "day_of_year": i32::try_from(day.day_of_year()).unwrap(),
        "trade_id": format!("T{number}"), "product": product, "changed": number,
    }
}

pub(crate) fn message(number: i32, of: i32) -> Document {
    doc! {"_id": 1_000_000 + number, "trade_id": format!("T{of}"), "text": "ack"}
}

/// A trade every other day of 2025 and a message for every third trade.
pub(crate) fn year() -> Vec<Document> {
    let mut documents = Vec::new();
    for (number, day) in range("2025-01-01", "2025-12-31").days().enumerate() {
        let number = i32::try_from(number).unwrap();
        if number % 2 == 0 {
            documents.push(trade(number, day));
            if number % 3 == 0 {
                documents.push(message(number, number));
            }
        }
    }
    documents
}

pub(crate) struct Fixture {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) clock: Arc<AtomicI64>,
    pub(crate) engine: Engine,
    pub(crate) source: Source,
    pub(crate) mapping: Mapping,
    pub(crate) collection: Collection<Document>,
}

/// What a run told and came to.
pub(crate) struct Told {
    pub(crate) events: Vec<RunEvent>,
    pub(crate) result: Result<Answer>,
}

impl Told {
    pub(crate) fn answer(&self) -> &Answer {
        self.result.as_ref().unwrap()
    }
}

impl Fixture {
    pub(crate) async fn new(name: &str) -> Self {
        Self::at(server().uri(), server().uri(), name, "", year()).await
    }

    /// `uri` is the engine's way to the server, `direct` the test's. The database is the test's own, even if
    /// another test takes the same name.
    pub(crate) async fn at(
        uri: &str,
        direct: &str,
        name: &str,
        mapping: &str,
        documents: Vec<Document>,
    ) -> Self {
        static DATABASES: AtomicUsize = AtomicUsize::new(0);
        let number = DATABASES.fetch_add(1, Ordering::Relaxed);
        let database = Client::with_uri_str(direct).await.unwrap().database(&format!("desk_{name}_{number}"));
        database.drop().await.unwrap();
        let collection = database.collection("trades");
        collection.insert_many(documents).await.unwrap();
        let settings = SourceSettings {
            uri: uri.to_owned(),
            password: None,
            database: database.name().to_owned(),
            collection: "trades".to_owned(),
        };
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(AtomicI64::new(0));
        let fixture = Self {
            engine: engine(&folder, &clock),
            folder,
            clock,
            source: Source::new(&settings).unwrap(),
            mapping: Mapping::parse(mapping).unwrap(),
            collection,
        };
        fixture.set_clock("2026-01-15T12:00:00Z");
        fixture
    }

    /// The same collection, and a cache that holds nothing yet.
    pub(crate) fn with_a_cache_of_its_own(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            engine: engine(&folder, &self.clock),
            folder,
            clock: Arc::clone(&self.clock),
            source: self.source.clone(),
            mapping: self.mapping.clone(),
            collection: self.collection.clone(),
        }
    }

    /// The program ends and begins again.
    pub(crate) fn reopen(&mut self) {
        self.engine = engine(&self.folder, &self.clock);
    }

    pub(crate) fn set_clock(&self, text: &str) {
        let at: DateTime<Utc> = text.parse().unwrap();
        self.clock.store(at.timestamp_millis(), Ordering::SeqCst);
    }

    pub(crate) fn query(&self, products: &[&str]) -> Query {
        let inputs = FilterInput {
            field: "product".to_owned(),
            operator: FilterOperator::AnyOf,
            values: products.iter().map(|&text| text.to_owned()).collect(),
        };
        let filters = Filters::parse(&self.mapping, &[inputs], "").unwrap();
        Query { source: self.source.identity().clone(), mapping: self.mapping.clone(), filters }
    }

    pub(crate) fn request(&self, from: &str, to: &str) -> FetchRequest {
        FetchRequest {
            query: self.query(&[]),
            range: range(from, to),
            mode: FetchMode::Normal,
            offline: false,
        }
    }

    pub(crate) fn signature(&self) -> Signature {
        Signature::of(&self.query(&[]))
    }

    /// Starts a run. What it tells can be looked at meanwhile.
    pub(crate) fn start(
        &self,
        request: FetchRequest,
        cancel: &CancellationToken,
    ) -> (Arc<Mutex<Vec<RunEvent>>>, tokio::task::JoinHandle<Result<Answer>>) {
        let events: Arc<Mutex<Vec<RunEvent>>> = Arc::default();
        let told = Arc::clone(&events);
        let sink: EventSink = Arc::new(move |event| told.lock().unwrap().push(event));
        let (engine, source, cancel) = (self.engine.clone(), self.source.clone(), cancel.clone());
        let run = tokio::spawn(async move { engine.fetch(Some(&source), &request, sink, cancel).await });
        (events, run)
    }

    pub(crate) async fn run(&self, request: FetchRequest) -> Told {
        let (events, run) = self.start(request, &CancellationToken::new());
        let result = run.await.unwrap();
        let events = std::mem::take(&mut *events.lock().unwrap());
        Told { events, result }
    }

    pub(crate) async fn fetch(&self, from: &str, to: &str) -> Answer {
        let answer = self.run(self.request(from, to)).await.result.unwrap();
        assert!(answer.complete, "{answer:?}");
        answer
    }

    pub(crate) async fn fetch_as(&self, mode: FetchMode, from: &str, to: &str) -> Answer {
        self.run(FetchRequest { mode, ..self.request(from, to) }).await.result.unwrap()
    }

    /// The `_id`s that the cache shows.
    pub(crate) async fn ids(&self, query: &Query, range: DayRange, role: Role) -> Vec<i32> {
        let key = ViewKey { signature: Signature::of(query).to_string(), from: range.from(), to: range.to() };
        let page = self.engine.page(&key, &RowQuery::of(role), 0, 2_000).await.unwrap();
        let mut ids: Vec<i32> =
            page.rows.iter().map(|row| row[0].as_ref().unwrap().parse().unwrap()).collect();
        ids.sort_unstable();
        ids
    }

    /// The one cache file.
    pub(crate) fn file(&self) -> PathBuf {
        let files = self.engine.cache().files().unwrap();
        assert_eq!(files.len(), 1, "{files:?}");
        files[0].clone()
    }
}

pub(crate) fn engine(folder: &tempfile::TempDir, clock: &Arc<AtomicI64>) -> Engine {
    let clock = Arc::clone(clock);
    let now = move || DateTime::from_timestamp_millis(clock.load(Ordering::SeqCst)).unwrap();
    Engine::new(folder.path(), 2).unwrap().with_clock(Arc::new(now))
}

pub(crate) fn counts(answer: &Answer) -> (usize, usize, usize, usize) {
    let days = &answer.days;
    assert_eq!(days.requested, days.from_cache + days.adopted + days.fetched + days.missing.len());
    (days.from_cache, days.adopted, days.fetched, days.missing.len())
}

pub(crate) fn stored(events: &[RunEvent]) -> usize {
    events.iter().filter(|event| matches!(event, RunEvent::ChunkStored { .. })).count()
}
