//! Verify and refresh against a real server: what changed is found, and told field by field.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bson::{Document, doc};
use chrono::{DateTime, Utc};
use mongodb::{Client, Collection};
use tidemark_engine::answer::changes::{ChangeCounts, ChangeKind, DocumentChange};
use tidemark_engine::answer::note::Note;
use tidemark_engine::answer::{Answer, Origin};
use tidemark_engine::api::plan::DayAction;
use tidemark_engine::api::rows::ViewKey;
use tidemark_engine::browse::ExportRequest;
use tidemark_engine::bson::diff::FieldChange;
use tidemark_engine::day::{Day, DayRange};
use tidemark_engine::engine::Engine;
use tidemark_engine::failure::Code;
use tidemark_engine::limits::Limits;
use tidemark_engine::plan::ledger::FetchMode;
use tidemark_engine::query::collation::Collation;
use tidemark_engine::query::filter::Filters;
use tidemark_engine::query::form::{FilterInput, FilterOperator};
use tidemark_engine::query::mapping::Mapping;
use tidemark_engine::query::signature::Signature;
use tidemark_engine::query::source::Query;
use tidemark_engine::rows::Role;
use tidemark_engine::run::FetchRequest;
use tidemark_engine::source::{Source, SourceSettings};
use tidemark_test_support::server;
use tokio_util::sync::CancellationToken;

/// Two trades a day, each with a message, for the days of a quarter: three windows.
fn quarter() -> DayRange {
    DayRange::parse("2025-01-01", "2025-03-31").unwrap()
}

fn documents() -> Vec<Document> {
    let mut documents = Vec::new();
    for (at, day) in quarter().days().enumerate() {
        for trade in [2 * at, 2 * at + 1].map(|number| i32::try_from(number).unwrap()) {
            documents.push(doc! {
                "_id": trade, "year": day.year(), "day_of_year": i32::try_from(day.day_of_year()).unwrap(),
                "trade_id": format!("T{trade}"), "changed": 1, "leg": {"price": 1.5, "lots": trade},
            });
            documents.push(message(trade, 1));
        }
    }
    documents
}

fn message(trade: i32, changed: i32) -> Document {
    doc! {"_id": format!("M{trade}"), "trade_id": format!("T{trade}"), "text": "ack", "changed": changed}
}

fn day_of(trade: i32) -> Day {
    quarter().from().plus(trade / 2)
}

struct Fixture {
    folder: tempfile::TempDir,
    engine: Engine,
    source: Source,
    mapping: Mapping,
    collection: Collection<Document>,
}

impl Fixture {
    async fn new(name: &str, uri: &str) -> Self {
        let database =
            Client::with_uri_str(server().uri()).await.unwrap().database(&format!("verify_{name}"));
        database.drop().await.unwrap();
        let collection = database.collection("trades");
        collection.insert_many(documents()).await.unwrap();
        let settings = SourceSettings {
            uri: uri.to_owned(),
            password: None,
            database: database.name().to_owned(),
            collection: "trades".to_owned(),
        };
        let folder = tempfile::tempdir().unwrap();
        Self {
            engine: Self::engine(folder.path()),
            folder,
            source: Source::new(&settings).unwrap(),
            mapping: Mapping::parse(r#"{"changed_at": "changed"}"#).unwrap(),
            collection,
        }
    }

    fn engine(folder: &Path) -> Engine {
        let now: DateTime<Utc> = "2026-01-15T12:00:00Z".parse().unwrap();
        Engine::new(folder, 2).unwrap().with_clock(Arc::new(move || now))
    }

    /// As after a restart of the program: nothing is remembered but what the files say.
    fn restart(&mut self) {
        let elsewhere = tempfile::tempdir().unwrap();
        // The old engine lets its files go first.
        self.engine = Self::engine(elsewhere.path());
        self.engine = Self::engine(self.folder.path());
    }

    fn request(&self, mode: FetchMode, offline: bool) -> FetchRequest {
        let filters = Filters::parse(&self.mapping, &[], "").unwrap();
        let query = Query { source: self.source.identity().clone(), mapping: self.mapping.clone(), filters };
        FetchRequest { query, range: quarter(), mode, offline }
    }

    async fn fetch(&self, mode: FetchMode) -> Answer {
        self.answer(Some(&self.source), &self.request(mode, false)).await
    }

    async fn fetch_offline(&self) -> Answer {
        self.answer(None, &self.request(FetchMode::Normal, true)).await
    }

    async fn answer(&self, source: Option<&Source>, request: &FetchRequest) -> Answer {
        self.engine.fetch(source, request, Arc::new(|_| {}), CancellationToken::new()).await.unwrap()
    }

    fn key(&self) -> ViewKey {
        let signature = Signature::of(&self.request(FetchMode::Normal, false).query).to_string();
        ViewKey { signature, from: quarter().from(), to: quarter().to() }
    }

    /// Whether a CSV file of the whole quarter is called complete.
    async fn exports_complete(&self) -> bool {
        let path = self.folder.path().join("quarter.csv");
        let request = ExportRequest::of(self.key(), Role::Input);
        let done = self
            .engine
            .export(&request, &path.as_path().into(), |_| {}, CancellationToken::new())
            .await
            .unwrap();
        assert_eq!(done.complete, done.path.ends_with("quarter.csv"), "{done:?}");
        done.complete
    }

    async fn set(&self, id: impl Into<bson::Bson>, update: Document) {
        let done = self.collection.update_one(doc! {"_id": id.into()}, update).await.unwrap();
        assert_eq!(done.modified_count, 1);
    }
}

fn change(kind: ChangeKind, role: Role, trade: i32, fields: Vec<FieldChange>) -> DocumentChange {
    let id = match role {
        Role::Input => trade.to_string(),
        Role::Downstream => format!("M{trade}"),
    };
    DocumentChange { kind, role, day: day_of(trade), id, trade: Some(format!("T{trade}")), fields }
}

fn field(path: &str, before: Option<&str>, after: Option<&str>) -> FieldChange {
    FieldChange { path: path.to_owned(), before: before.map(str::to_owned), after: after.map(str::to_owned) }
}

fn counts(added: u64, changed: u64, gone: u64) -> ChangeCounts {
    ChangeCounts { added, changed, gone }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_changed_no_day_is_fetched_again() {
    let fixture = Fixture::new("same", server().uri()).await;
    let first = fixture.fetch(FetchMode::Normal).await;
    assert_eq!((first.rows.input, first.rows.downstream), (180, 180));
    let checked = fixture.fetch(FetchMode::Verify).await;
    assert_eq!((checked.answer, checked.days.from_cache, checked.days.fetched), (Origin::Cache, 90, 0));
    assert_eq!((&checked.changes, checked.days.unverified.len()), (&None, 0));
    // Who the source is, its trades, and the messages of 50 days at a time.
    assert!(checked.mongo_commands <= 8, "{checked:?}");
    assert_eq!(fixture.fetch(FetchMode::Normal).await.mongo_commands, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_and_a_number_that_is_whole_are_change_stamps() {
    for (name, before, after) in [
        ("text", bson::Bson::from("2025-04-01T09:00:00Z"), bson::Bson::from("2025-04-01T09:00:01Z")),
        ("double", bson::Bson::from(1.0), bson::Bson::from(2.5)),
    ] {
        let fixture = Fixture::new(name, server().uri()).await;
        fixture.collection.update_many(doc! {}, doc! {"$set": {"changed": before}}).await.unwrap();
        let first = fixture.fetch(FetchMode::Normal).await;
        assert_eq!((first.rows.input, first.notes), (180, vec![]));
        let same = fixture.fetch(FetchMode::Verify).await;
        assert_eq!((same.days.fetched, same.changes, same.notes.len()), (0, None, 2));
        fixture.set(7, doc! {"$set": {"leg.price": 2.5, "changed": &after}}).await;
        fixture.set("M20", doc! {"$set": {"text": "nack", "changed": after}}).await;
        let checked = fixture.fetch(FetchMode::Verify).await;
        assert_eq!(checked.days.fetched, 2, "{checked:?}");
        let told = checked.changes.unwrap();
        assert_eq!((told.input, told.downstream), (counts(0, 1, 0), counts(0, 1, 0)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn change_stamps_that_cannot_be_compared_are_told_of() {
    let mut fixture = Fixture::new("unstamped", server().uri()).await;
    for (path, value) in
        [("changed", doc! {"changed": [1]}), ("changed", doc! {"changed": true}), ("nowhere", doc! {})]
    {
        fixture.mapping = Mapping::parse(&format!(r#"{{"changed_at": "{path}"}}"#)).unwrap();
        fixture.collection.update_many(doc! {}, doc! {"$set": {"seen": 1}}).await.unwrap();
        if !value.is_empty() {
            fixture.collection.update_many(doc! {}, doc! {"$set": value}).await.unwrap();
        }
        let first = fixture.fetch(FetchMode::Refresh).await;
        let told = first
            .notes
            .iter()
            .filter(|note| note.to_string().contains(path) && matches!(note, Note::NoChangeStamp { .. }));
        assert_eq!(told.count(), 1, "{first:?}");
        let checked = fixture.fetch(FetchMode::Verify).await;
        assert_eq!((checked.days.fetched, checked.days.unverified.len()), (0, 0), "{checked:?}");
        assert!(checked.notes[1].to_string().starts_with("90 days have no change stamp"), "{checked:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stamp_that_cannot_be_compared_among_others_makes_no_day_differ() {
    let fixture = Fixture::new("mixed", server().uri()).await;
    fixture.set(7, doc! {"$set": {"changed": true}}).await;
    fixture.set("M20", doc! {"$set": {"changed": [1]}}).await;
    fixture.set(31, doc! {"$set": {"changed": 0.5}}).await;
    fixture.fetch(FetchMode::Normal).await;
    let checked = fixture.fetch(FetchMode::Verify).await;
    assert_eq!((checked.days.fetched, &checked.changes), (0, &None), "{checked:?}");
    assert!(checked.notes[1].to_string().starts_with("1 day has no change stamp"), "{checked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_stamp_may_be_mapped_later() {
    let mut fixture = Fixture::new("later", server().uri()).await;
    let stamped = std::mem::take(&mut fixture.mapping);
    fixture.fetch(FetchMode::Normal).await;
    fixture.mapping = stamped;
    assert_eq!(fixture.fetch(FetchMode::Verify).await.days.fetched, 90);
    // Also the messages are compared by what is mapped now, not by what the file was made with.
    assert_eq!(fixture.fetch(FetchMode::Verify).await.days.fetched, 0);
    fixture.set("M20", doc! {"$set": {"text": "nack", "changed": 2}}).await;
    assert_eq!(fixture.fetch(FetchMode::Verify).await.days.fetched, 1);
}

/// How long days take to settle is no part of the signature: what is cached goes by what is mapped now.
#[tokio::test(flavor = "multi_thread")]
async fn a_longer_settling_time_opens_days_that_are_held() {
    let mut fixture = Fixture::new("settling", server().uri()).await;
    fixture.fetch(FetchMode::Normal).await;
    let key = fixture.key();
    assert_eq!(fixture.engine.cached_answer(&key).await.unwrap().days.open.len(), 0);
    fixture.mapping = Mapping::parse(r#"{"changed_at": "changed", "settle_hours": 9600}"#).unwrap();
    let plan =
        fixture.engine.plan(Some(&fixture.source), &fixture.request(FetchMode::Normal, true)).await.unwrap();
    assert_eq!(plan.signature, key.signature);
    assert_eq!(fixture.engine.cached_answer(&key).await.unwrap().days.open.len(), 90);
    assert_eq!(fixture.engine.cached_queries().await.unwrap()[0].open_days, 90);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_are_late_edited_or_gone_are_found() {
    let fixture = Fixture::new("messages", server().uri()).await;
    fixture.fetch(FetchMode::Normal).await;
    let late = doc! {"_id": "late", "trade_id": "T10", "text": "late", "changed": 1};
    fixture.collection.insert_one(late).await.unwrap();
    fixture.set("M40", doc! {"$set": {"text": "nack", "changed": 2}}).await;
    fixture.collection.delete_one(doc! {"_id": "M120"}).await.unwrap();
    let checked = fixture.fetch(FetchMode::Verify).await;
    assert_eq!((checked.days.fetched, checked.complete, checked.days.unverified.len()), (3, true, 0));
    assert!(
        checked.notes.iter().any(|note| note.to_string().contains("3 differed and were fetched")),
        "{checked:?}"
    );
    let changes = checked.changes.unwrap();
    assert_eq!((changes.input, changes.downstream, changes.omitted), (counts(0, 0, 0), counts(1, 1, 1), 0));
    let edited =
        vec![field("text", Some("\"ack\""), Some("\"nack\"")), field("changed", Some("1"), Some("2"))];
    assert_eq!(
        changes.messages,
        [
            DocumentChange {
                id: "late".to_owned(),
                ..change(ChangeKind::Added, Role::Downstream, 10, Vec::new())
            },
            change(ChangeKind::Changed, Role::Downstream, 40, edited),
            change(ChangeKind::Gone, Role::Downstream, 120, Vec::new()),
        ]
    );
    assert_eq!(fixture.fetch(FetchMode::Verify).await.days.fetched, 0);
}

/// One message more for one day and one fewer for another: asked for together, the two days still differ.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_went_to_a_trade_of_another_day_is_found() {
    for (name, uri) in [("moved", server().uri().to_owned()), ("unfaceted", way_without_facets())] {
        let fixture = Fixture::new(name, &uri).await;
        fixture.fetch(FetchMode::Normal).await;
        fixture.set("M40", doc! {"$set": {"trade_id": "T90"}}).await;
        let checked = fixture.fetch(FetchMode::Verify).await;
        assert_eq!((checked.days.fetched, checked.complete, checked.days.unverified.len()), (2, true, 0));
        let changes = checked.changes.unwrap();
        assert_eq!((changes.input, changes.downstream), (counts(0, 0, 0), counts(0, 1, 0)), "{name}");
        let again = fixture.fetch(FetchMode::Verify).await;
        assert_eq!((again.days.fetched, again.complete), (0, true), "{name}");
        // Without facets, each day has a question of its own.
        assert_eq!(again.mongo_commands > 90, name == "unfaceted", "{name}: {again:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trades_are_told_with_their_fields_before_and_after() {
    for mode in [FetchMode::Verify, FetchMode::Refresh] {
        let fixture = Fixture::new(&format!("trades_{mode:?}"), server().uri()).await;
        fixture.fetch(FetchMode::Normal).await;
        fixture
            .set(20, doc! {"$set": {"changed": 2, "leg.price": 2.5, "leg.lots": 20_i64, "tags": ["x"]}})
            .await;
        fixture.collection.delete_one(doc! {"_id": 31}).await.unwrap();
        // From January to March: another window, and another day of the year.
        let to = day_of(170);
        fixture
            .set(5, doc! {"$set": {"changed": 2, "day_of_year": i32::try_from(to.day_of_year()).unwrap()}})
            .await;
        let changes = fixture.fetch(mode).await.changes.unwrap();
        assert_eq!((changes.input, changes.downstream), (counts(0, 2, 1), counts(0, 0, 1)), "{mode:?}");
        let moved = vec![
            field("day_of_year", Some("3"), Some(&to.day_of_year().to_string())),
            field("changed", Some("1"), Some("2")),
        ];
        let edited = vec![
            field("changed", Some("1"), Some("2")),
            field("leg.price", Some("1.5"), Some("2.5")),
            field("leg.lots", Some(r#"{"$numberInt":"20"}"#), Some(r#"{"$numberLong":"20"}"#)),
            field("tags", None, Some(r#"["x"]"#)),
        ];
        assert_eq!(
            changes.messages,
            [
                change(ChangeKind::Changed, Role::Input, 20, edited),
                change(ChangeKind::Gone, Role::Input, 31, Vec::new()),
                change(ChangeKind::Gone, Role::Downstream, 31, Vec::new()),
                DocumentChange { day: to, ..change(ChangeKind::Changed, Role::Input, 5, moved) },
            ],
            "{mode:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_can_be_listed_is_counted() {
    let fixture = Fixture::new("many", server().uri()).await;
    fixture.fetch(FetchMode::Normal).await;
    let many: Vec<Document> = (0..700)
        .map(|number| doc! {"_id": 10_000 + number, "year": 2025, "day_of_year": 1, "trade_id": "T0"})
        .collect();
    fixture.collection.insert_many(many).await.unwrap();
    let changes = fixture.fetch(FetchMode::Verify).await.changes.unwrap();
    assert_eq!((changes.input, changes.downstream), (counts(700, 0, 0), counts(0, 0, 0)));
    assert_eq!((changes.messages.len(), changes.omitted), (500, 200));
}

/// A way to the server that breaks for good at the question for messages after so many.
fn way_that_breaks(after: usize) -> String {
    way_with_questions_left(Arc::new(AtomicUsize::new(after)))
}

/// A way to the server on which so many questions for messages pass, and which breaks for good at the next.
fn way_with_questions_left(left: Arc<AtomicUsize>) -> String {
    way(move |message| {
        let is_question = has(message, b"$in\0") && has(message, b"$group\0");
        let pass = |left: usize| left.checked_sub(1);
        !is_question || left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, pass).is_ok()
    })
}

/// A way to the server as it was before it knew `$facet`.
fn way_without_facets() -> String {
    way(|message| {
        let found = message.windows(7).position(|window| window == b"$facet\0");
        if let Some(at) = found {
            message[at..at + 6].copy_from_slice(b"$gecat");
        }
        true
    })
}

fn has(message: &[u8], text: &[u8]) -> bool {
    message.windows(text.len()).any(|window| window == text)
}

/// A way to the server on which each message may be altered, and breaks for good where it says so.
fn way(pass: impl Fn(&mut [u8]) -> bool + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (pass, is_broken) = (Arc::new(pass), Arc::new(AtomicBool::new(false)));
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect(("127.0.0.1", server().port())) else { continue };
            if is_broken.load(Ordering::SeqCst) {
                continue;
            }
            let (Ok(mut from), Ok(mut to)) = (client.try_clone(), server.try_clone()) else { continue };
            let (pass, is_broken) = (Arc::clone(&pass), Arc::clone(&is_broken));
            std::thread::spawn(move || {
                let mut header = [0; 4];
                while from.read_exact(&mut header).is_ok() {
                    let length = usize::try_from(u32::from_le_bytes(header)).unwrap();
                    let mut message = vec![0; length];
                    message[..4].copy_from_slice(&header);
                    if from.read_exact(&mut message[4..]).is_err() {
                        break;
                    }
                    if !pass(&mut message) {
                        is_broken.store(true, Ordering::SeqCst);
                    }
                    if is_broken.load(Ordering::SeqCst) || to.write_all(&message).is_err() {
                        break;
                    }
                }
                let _ = from.shutdown(Shutdown::Both);
                let _ = to.shutdown(Shutdown::Both);
            });
            std::thread::spawn(move || {
                let (mut from, mut to) = (server, client);
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Both);
            });
        }
    });
    format!("mongodb://127.0.0.1:{port}/?directConnection=true")
}

#[tokio::test(flavor = "multi_thread")]
async fn days_that_could_not_be_checked_are_named() {
    let mut fixture = Fixture::new("broken", &way_that_breaks(30)).await;
    // A day has two trades, so each day has a question of its own.
    let limits = Limits { ids_per_query: 2.try_into().unwrap(), ..Limits::default() };
    fixture.engine = fixture.engine.clone().with_limits(limits);
    fixture.fetch(FetchMode::Normal).await;
    // Found by its count before the way breaks; it cannot be fetched again then.
    fixture.collection.delete_one(doc! {"_id": 100}).await.unwrap();
    let checked = fixture.fetch(FetchMode::Verify).await;
    assert_eq!(checked.answer, Origin::Offline);
    assert_eq!(checked.failure.as_ref().map(|failure| failure.code), Some(Code::SourceUnreachable));
    assert!(!checked.complete, "a day is known to differ");
    assert!(checked.days.unverified.contains(&day_of(100)));
    let verified = 90 - checked.days.unverified.len();
    assert!((25..=30).contains(&verified), "{verified} days were checked before the way broke");
    assert!(
        checked.notes.iter().any(|note| note.to_string().contains("could not be checked")),
        "{:?}",
        checked.notes
    );
}

/// Each trade has a question of its own. The first one of a day finds a difference, and the way breaks at a later one.
#[tokio::test(flavor = "multi_thread")]
async fn a_difference_that_was_found_counts_although_the_day_was_not_checked_to_the_end() {
    let left = Arc::new(AtomicUsize::new(usize::MAX));
    let mut fixture = Fixture::new("half", &way_with_questions_left(Arc::clone(&left))).await;
    fixture.engine = fixture
        .engine
        .clone()
        .with_limits(Limits { ids_per_query: 1.try_into().unwrap(), ..Limits::default() });
    let day = day_of(20);
    let more = |number: i32| {
        doc! {"_id": number, "trade_id": format!("T{number}"), "year": 2025,
        "day_of_year": i32::try_from(day.day_of_year()).unwrap(), "changed": 1}
    };
    fixture.collection.insert_many((1_000..1_010).map(more)).await.unwrap();
    fixture.fetch(FetchMode::Normal).await;
    fixture.collection.delete_one(doc! {"_id": "M20"}).await.unwrap();
    // Those of ten days before it, and eight of its twelve.
    left.store(28, Ordering::SeqCst);
    let checked = fixture.fetch(FetchMode::Verify).await;
    assert_eq!(checked.failure.as_ref().map(|failure| failure.code), Some(Code::SourceUnreachable));
    assert!(!checked.complete, "{checked:?}");
    assert!(checked.days.unverified.contains(&day));
    assert!(!fixture.fetch_offline().await.complete);
}

/// Where nothing can be asked, nothing is checked: no day may be called the same as at the source.
#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_asks_nobody_leaves_every_held_day_unverified() {
    let fixture = Fixture::new("nobody", server().uri()).await;
    fixture.fetch(FetchMode::Normal).await;
    for (source, offline) in [(Some(&fixture.source), true), (None, false), (None, true)] {
        let checked = fixture.answer(source, &fixture.request(FetchMode::Verify, offline)).await;
        assert_eq!((checked.complete, checked.mongo_commands), (true, 0));
        assert_eq!(checked.days.unverified, quarter().days().collect::<Vec<_>>());
        let note = "90 cached days could not be checked against the server.";
        assert_eq!(checked.notes.len(), 1, "offline: {offline}");
        assert_eq!(checked.notes[0].to_string(), note, "offline: {offline}");
    }
}

/// A refresh that does not reach the source leaves the days as they were, and says that they are unverified.
#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_asks_nobody_leaves_every_held_day_unverified() {
    let fixture = Fixture::new("refresh_nobody", server().uri()).await;
    fixture.fetch(FetchMode::Normal).await;
    let answer = fixture.answer(None, &fixture.request(FetchMode::Refresh, true)).await;
    assert_eq!((answer.complete, answer.mongo_commands, answer.days.fetched), (true, 0, 0));
    assert_eq!(answer.days.unverified, quarter().days().collect::<Vec<_>>());
    let answer = fixture.answer(Some(&fixture.source), &fixture.request(FetchMode::Refresh, false)).await;
    assert_eq!((answer.complete, answer.days.fetched, answer.days.unverified.len()), (true, 90, 0));
}

/// A day that a check found different stays so, over restarts, until it is pulled again: no answer with it
/// and no file of it is complete, and the next fetch pulls it.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_known_to_differ_is_not_complete_until_it_is_pulled_again() {
    let mut fixture = Fixture::new("differs", server().uri()).await;
    fixture.fetch(FetchMode::Normal).await;
    assert!(fixture.exports_complete().await);
    fixture.collection.delete_one(doc! {"_id": 100}).await.unwrap();
    // A plan checks, and pulls nothing.
    let plan =
        fixture.engine.plan(Some(&fixture.source), &fixture.request(FetchMode::Verify, false)).await.unwrap();
    assert_eq!(plan.counts.refresh, 1);
    let differing = [day_of(100)];
    for restarted in [false, true] {
        if restarted {
            fixture.restart();
        }
        let offline = fixture.answer(None, &fixture.request(FetchMode::Normal, true)).await;
        assert_eq!((offline.complete, &offline.days.unverified[..]), (false, &differing[..]));
        let cached = fixture.engine.cached_answer(&fixture.key()).await.unwrap();
        assert_eq!((cached.complete, &cached.days.unverified[..]), (false, &differing[..]));
        assert!(!fixture.exports_complete().await);
        let plan = fixture.engine.plan(None, &fixture.request(FetchMode::Normal, true)).await.unwrap();
        let why = plan.days.iter().find(|day| day.day == day_of(100)).unwrap();
        assert_eq!((why.action, why.why.is_some()), (DayAction::Serve, true));
    }
    let fetched = fixture.fetch(FetchMode::Normal).await;
    assert_eq!((fetched.complete, fetched.days.fetched, fetched.rows.input), (true, 1, 179));
    assert!(fixture.exports_complete().await);
    fixture.restart();
    assert_eq!(fixture.fetch(FetchMode::Normal).await.mongo_commands, 0);
}

/// The same where the source gets its old rows back: the next check clears the day.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_is_as_held_again_is_complete_again() {
    let mut fixture = Fixture::new("again", server().uri()).await;
    fixture.fetch(FetchMode::Normal).await;
    let trade = fixture.collection.find_one_and_delete(doc! {"_id": 100}).await.unwrap().unwrap();
    let request = fixture.request(FetchMode::Verify, false);
    assert_eq!(fixture.engine.plan(Some(&fixture.source), &request).await.unwrap().counts.refresh, 1);
    fixture.collection.insert_one(trade).await.unwrap();
    assert_eq!(fixture.engine.plan(Some(&fixture.source), &request).await.unwrap().counts.refresh, 0);
    fixture.restart();
    let answer = fixture.answer(None, &fixture.request(FetchMode::Normal, true)).await;
    assert_eq!((answer.complete, answer.days.unverified), (true, Vec::new()));
}

/// A day that is adopted from a day known to differ is known to differ.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_to_differ_is_adopted_as_such() {
    let fixture = Fixture::new("adopted", server().uri()).await;
    fixture.fetch(FetchMode::Normal).await;
    fixture.collection.delete_one(doc! {"_id": 100}).await.unwrap();
    fixture.engine.plan(Some(&fixture.source), &fixture.request(FetchMode::Verify, false)).await.unwrap();
    let mut narrower = fixture.request(FetchMode::Normal, true);
    narrower.query.filters = Filters::parse(
        &fixture.mapping,
        &[FilterInput { field: "product".to_owned(), operator: FilterOperator::Missing, values: Vec::new() }],
        "",
    )
    .unwrap();
    let answer = fixture.answer(None, &narrower).await;
    assert_eq!((answer.days.adopted, answer.rows.input, answer.complete), (90, 180, false));
    assert_eq!(answer.days.unverified, [day_of(100)]);
    // In reach of the source, that day is asked for instead.
    let online = fixture.answer(Some(&fixture.source), &FetchRequest { offline: false, ..narrower }).await;
    assert_eq!((online.days.fetched, online.rows.input, online.complete), (1, 179, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_collation_of_a_collection_is_learnt() {
    let fixture = Fixture::new("collation", server().uri()).await;
    let (_, plain) = fixture.source.origin(&Mapping::default()).await.unwrap();
    let database = Client::with_uri_str(server().uri()).await.unwrap().database("verify_collation");
    let rules = mongodb::options::Collation::builder().locale("en").build();
    database.collection::<Document>("own").drop().await.unwrap();
    database.create_collection("own").collation(rules).await.unwrap();
    let settings = SourceSettings {
        uri: server().uri().to_owned(),
        password: None,
        database: "verify_collation".to_owned(),
        collection: "own".to_owned(),
    };
    let (_, own) = Source::new(&settings).unwrap().origin(&Mapping::default()).await.unwrap();
    assert_eq!(plain, Collation::Simple);
    assert!(matches!(&own, Collation::Own(rules) if rules.contains("en")), "{own:?}");
}
