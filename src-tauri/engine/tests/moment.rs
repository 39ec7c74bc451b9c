//! One moment of one source: which collection stands behind the address, as of when it was read, and what time it
//! is there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::support::fixture::{Fixture, counts, day, message, range, trade};
use bson::{Document, Timestamp, doc};
use chrono::{DateTime, TimeDelta, Utc};
use tidemark_engine::answer::Answer;
use tidemark_engine::api::rows::ViewKey;
use tidemark_engine::engine::{Clock, Engine};
use tidemark_engine::failure::Code;
use tidemark_engine::limits::Limits;
use tidemark_engine::plan::ledger::FetchMode;
use tidemark_engine::query::filter::Filters;
use tidemark_engine::query::mapping::Mapping;
use tidemark_engine::query::signature::Signature;
use tidemark_engine::query::source::Query;
use tidemark_engine::rows::{Role, RowQuery};
use tidemark_engine::run::FetchRequest;
use tidemark_engine::run::event::RunEvent;
use tidemark_engine::source::{Source, SourceSettings};
use tidemark_test_support::scripted::{BROKEN, Script, Scripted};
use tidemark_test_support::wire::Wire;
use tidemark_test_support::{server, until};
use tokio_util::sync::CancellationToken;

const FROM: &str = "2025-03-01";
const TO: &str = "2025-03-10";

/// An engine, and a source of a scripted server.
struct Room {
    engine: Engine,
    source: Source,
    mapping: Mapping,
    _folder: tempfile::TempDir,
}

fn settings(uri: &str) -> SourceSettings {
    SourceSettings {
        uri: uri.to_owned(),
        password: None,
        database: "desk".to_owned(),
        collection: "trades".to_owned(),
    }
}

impl Room {
    fn new(uri: &str, mapping: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            engine: Engine::new(folder.path(), 2).unwrap(),
            source: Source::new(&settings(uri)).unwrap(),
            mapping: Mapping::parse(mapping).unwrap(),
            _folder: folder,
        }
    }

    /// On a machine whose clock is wrong by so much.
    fn with_clock(mut self, wrong_by: TimeDelta) -> Self {
        let clock: Clock = Arc::new(move || Utc::now() + wrong_by);
        self.source = self.source.with_clock(Arc::clone(&clock));
        self.engine = self.engine.with_clock(clock);
        self
    }

    fn with_limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = Limits::default();
        change(&mut limits);
        self.engine = self.engine.with_limits(limits);
        self
    }

    fn request(&self, from: &str, to: &str, mode: FetchMode) -> FetchRequest {
        let filters = Filters::parse(&self.mapping, &[], "").unwrap();
        let query = Query { source: self.source.identity().clone(), mapping: self.mapping.clone(), filters };
        FetchRequest { query, range: range(from, to), mode, offline: false }
    }

    async fn fetch(&self, from: &str, to: &str) -> Answer {
        self.fetch_as(FetchMode::Normal, from, to).await
    }

    async fn fetch_as(&self, mode: FetchMode, from: &str, to: &str) -> Answer {
        self.run(&self.request(from, to, mode)).await
    }

    async fn run(&self, request: &FetchRequest) -> Answer {
        self.engine
            .fetch(Some(&self.source), request, Arc::new(|_| {}), CancellationToken::new())
            .await
            .unwrap()
    }

    fn key(&self, from: &str, to: &str) -> ViewKey {
        key_of(&self.request(from, to, FetchMode::Normal))
    }

    async fn ids(&self, from: &str, to: &str) -> Vec<i32> {
        let page = self.engine.page(&self.key(from, to), &RowQuery::of(Role::Input), 0, 2_000).await.unwrap();
        let mut ids: Vec<i32> =
            page.rows.iter().map(|row| row[0].as_ref().unwrap().parse().unwrap()).collect();
        ids.sort_unstable();
        ids
    }
}

fn key_of(request: &FetchRequest) -> ViewKey {
    let (signature, range) = (Signature::of(&request.query), request.range);
    ViewKey { signature: signature.to_string(), from: range.from(), to: range.to() }
}

/// A trade per day of the range, numbered from `first`.
fn trades(from: &str, to: &str, first: i32) -> Vec<Document> {
    range(from, to).days().zip(first..).map(|(day, number)| trade(number, day)).collect()
}

fn cluster_time(at: DateTime<Utc>) -> Timestamp {
    Timestamp { time: u32::try_from(at.timestamp()).unwrap(), increment: 1 }
}

/// A member of a replica set that answers whoever asks it.
fn member(documents: Vec<Document>) -> Script {
    let at = cluster_time(Utc::now() - TimeDelta::seconds(2));
    Script {
        history: vec![(at, documents)],
        hello: doc! {"setName": "rs0"},
        operation_time: Some(at),
        ..Script::default()
    }
}

fn later(at: Timestamp, seconds: u32) -> Timestamp {
    Timestamp { time: at.time + seconds, increment: 1 }
}

/// 2: a collection that was dropped and made again, or another cluster behind the same address.
#[tokio::test(flavor = "multi_thread")]
async fn another_source_behind_the_address_never_mixes_with_the_first() {
    let server = Scripted::start(Script { documents: trades(FROM, TO, 1), ..Script::default() });
    let room = Room::new(&server.uri(), "");
    let first = room.fetch(FROM, "2025-03-05").await;
    assert_eq!((first.complete, first.rows.input), (true, 5), "{first:?}");
    // A full cache hit sends nothing, whatever stands there.
    server.change(|script| (script.uuid, script.documents) = (Some(2), trades(FROM, TO, 101)));
    let hit = room.fetch(FROM, "2025-03-05").await;
    assert_eq!((hit.complete, hit.mongo_commands, hit.rows.input), (true, 0, 5), "{hit:?}");

    // Once the server is asked, every day of the first source is due, and the answer is of one source.
    let wide = room.fetch(FROM, TO).await;
    assert_eq!((wide.complete, counts(&wide)), (true, (0, 0, 10, 0)), "{wide:?}");
    assert_eq!(room.ids(FROM, TO).await, (101..=110).collect::<Vec<_>>());
}

/// 2: days of an older source are missing beside those of the current one, and unverified without them.
#[tokio::test(flavor = "multi_thread")]
async fn days_of_an_older_source_are_missing_or_unverified() {
    let server = Scripted::start(Script { documents: trades(FROM, TO, 1), ..Script::default() });
    let room = Room::new(&server.uri(), "");
    assert!(room.fetch(FROM, "2025-03-05").await.complete);
    server.change(|script| (script.uuid, script.documents) = (Some(2), trades(FROM, TO, 101)));
    assert!(room.fetch("2025-03-06", TO).await.complete);

    let offline = |from: &'static str, to: &'static str| {
        let request = FetchRequest { offline: true, ..room.request(from, to, FetchMode::Normal) };
        let engine = room.engine.clone();
        async move { engine.fetch(None, &request, Arc::new(|_| {}), CancellationToken::new()).await.unwrap() }
    };
    let both = offline(FROM, TO).await;
    assert!(!both.complete);
    assert_eq!((both.days.missing.len(), both.rows.input), (5, 5), "{both:?}");
    assert!(both.days.why_missing[0].why.contains("replaced"), "{both:?}");
    assert_eq!(room.ids(FROM, TO).await, (106..=110).collect::<Vec<_>>());
    let older = offline(FROM, "2025-03-05").await;
    assert_eq!((older.complete, older.days.unverified.len(), older.rows.input), (false, 5, 5), "{older:?}");
    // Verify says the same without counting anything of them.
    let checked = room.fetch_as(FetchMode::Verify, FROM, "2025-03-05").await;
    assert_eq!((checked.complete, checked.days.fetched), (true, 5), "{checked:?}");
    assert_eq!(room.ids(FROM, TO).await, (101..=110).collect::<Vec<_>>());
}

/// 2: the source is replaced after it was asked who it is, while a window streams.
#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_replaced_during_a_pull_is_pulled_again() {
    let server = Scripted::start(Script { documents: trades(FROM, TO, 1), ..Script::default() });
    let room = Room::new(&server.uri(), "");
    let replaced = AtomicBool::new(false);
    server.after_each(move |command, script| {
        if command.contains_key("readConcern") && !replaced.swap(true, Ordering::SeqCst) {
            (script.uuid, script.documents) = (Some(2), trades(FROM, TO, 101));
        }
    });
    let answer = room.fetch(FROM, TO).await;
    assert!(answer.complete, "{answer:?}");
    assert_eq!(room.ids(FROM, TO).await, (101..=110).collect::<Vec<_>>());
}

/// 2: who may not list collections learns nothing, and nothing is doubted for it.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_source_is_no_other_source() {
    let server = Scripted::start(Script { documents: trades(FROM, TO, 1), ..Script::default() });
    let room = Room::new(&server.uri(), "");
    assert!(room.fetch(FROM, "2025-03-05").await.complete);
    server.change(|script| script.uuid = None);
    let wide = room.fetch(FROM, TO).await;
    assert_eq!((wide.complete, counts(&wide)), (true, (5, 0, 5, 0)), "{wide:?}");
}

/// 2: what the window's background check finds is told to every cached query of the source.
#[tokio::test(flavor = "multi_thread")]
async fn a_background_check_puts_days_of_an_older_source_in_doubt() {
    let server = Scripted::start(Script { documents: trades(FROM, TO, 1), ..Script::default() });
    let room = Room::new(&server.uri(), "");
    assert!(room.fetch(FROM, TO).await.complete);
    let query = room.request(FROM, TO, FetchMode::Normal).query;
    for (uuid, doubted) in [(Some(1), 0), (None, 0), (Some(2), 10)] {
        server.change(|script| script.uuid = uuid);
        let (origin, _) = room.source.origin(&room.mapping).await.unwrap();
        room.engine.note_origin(&query, origin).await.unwrap();
        let cached = room.engine.cached_answer(&room.key(FROM, TO)).await.unwrap();
        assert_eq!((cached.complete, cached.days.unverified.len()), (doubted == 0, doubted), "{uuid:?}");
        assert_eq!(cached.rows.input, 10);
    }
}

/// 2: the same over a real server, with a collection that is dropped and made again.
#[tokio::test(flavor = "multi_thread")]
async fn a_collection_made_again_is_fetched_again() {
    let fixture = Fixture::new("made_again").await;
    assert!(fixture.fetch("2025-01-01", "2025-01-10").await.complete);
    fixture.collection.drop().await.unwrap();
    let documents = (0..20).map(|number| trade(5_000 + number, day("2025-01-01").plus(number)));
    fixture.collection.insert_many(documents).await.unwrap();
    let wide = fixture.fetch("2025-01-01", "2025-01-20").await;
    assert_eq!(counts(&wide), (0, 0, 20, 0), "{wide:?}");
    let ids = fixture.ids(&fixture.query(&[]), range("2025-01-01", "2025-01-20"), Role::Input).await;
    assert_eq!(ids, (5_000..5_020).collect::<Vec<_>>());
}

/// 2: a collection that is gone holds none of what is cached.
#[tokio::test(flavor = "multi_thread")]
async fn days_of_a_dropped_collection_are_unverified() {
    for mode in [FetchMode::Normal, FetchMode::Refresh] {
        let fixture = Fixture::new("gone").await;
        assert!(fixture.fetch("2025-01-01", "2025-01-10").await.complete);
        fixture.collection.drop().await.unwrap();
        let wide = FetchRequest { mode, ..fixture.request("2025-01-01", "2025-01-11") };
        let failure = fixture.run(wide).await.result.unwrap_err();
        assert_eq!(failure.code, Code::BadMapping, "{failure:?}");
        let cached = fixture
            .engine
            .cached_answer(&key_of(&fixture.request("2025-01-01", "2025-01-10")))
            .await
            .unwrap();
        assert_eq!((cached.complete, cached.days.unverified.len()), (false, 10), "{cached:?}");
    }
}

/// 2: what one query learns of a source that was replaced, every cached query of it learns, also one with another
/// mapping.
#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_source_is_noticed_for_all_queries_of_it() {
    let fixture = Fixture::new("noticed").await;
    let broad = fixture.request("2025-01-01", "2025-01-10");
    let mut other = broad.clone();
    other.query.mapping.trade_id = None;
    for request in [&broad, &other] {
        assert!(fixture.run(request.clone()).await.result.unwrap().complete);
    }
    fixture.collection.drop().await.unwrap();
    let documents = (0..10).map(|number| trade(6_000 + number, day("2025-01-01").plus(number)));
    fixture.collection.insert_many(documents).await.unwrap();
    let narrow =
        FetchRequest { query: fixture.query(&["Power"]), ..fixture.request("2025-01-11", "2025-01-11") };
    assert!(fixture.run(narrow).await.result.unwrap().complete);
    for request in [broad, other] {
        let cached = fixture.engine.cached_answer(&key_of(&request)).await.unwrap();
        assert_eq!((cached.complete, cached.days.unverified.len()), (false, 10), "{cached:?}");
        let again = fixture.run(request).await.result.unwrap();
        assert_eq!((again.complete, counts(&again)), (true, (0, 0, 10, 0)), "{again:?}");
    }
}

/// 2: a broader query of a source that was replaced since lends nothing.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_adopted_from_an_older_source() {
    let fixture = Fixture::new("adopt_older").await;
    assert!(fixture.fetch("2025-01-01", "2025-01-10").await.complete);
    fixture.collection.drop().await.unwrap();
    let documents = (0..20).map(|number| trade(6_000 + number, day("2025-01-01").plus(number)));
    fixture.collection.insert_many(documents).await.unwrap();
    let narrow =
        FetchRequest { query: fixture.query(&["Power"]), ..fixture.request("2025-01-01", "2025-01-20") };
    let answer = fixture.run(narrow).await.result.unwrap();
    assert!(answer.complete);
    let ids = fixture.ids(&fixture.query(&["Power"]), range("2025-01-01", "2025-01-20"), Role::Input).await;
    assert_eq!(ids, (6_000..6_020).filter(|number| number % 3 == 0).collect::<Vec<_>>(), "{answer:?}");
}

/// 4: all cursors of a run read at the cluster time that the first one learnt.
#[tokio::test(flavor = "multi_thread")]
async fn all_cursors_of_a_run_read_at_one_cluster_time() {
    let mut documents = trades(FROM, TO, 1);
    documents.extend((1..=10).map(|number| message(number, number)));
    let server = Scripted::start(member(documents));
    let room = Room::new(&server.uri(), "").with_limits(|limits| {
        limits.window_days = 2.try_into().unwrap();
        limits.batch_documents = 1.try_into().unwrap();
    });
    // A trade moves to a later window after each answer, while the windows stream.
    let moves = AtomicUsize::new(0);
    server.after_each(move |command, script| {
        let (at, documents) = script.history.last().unwrap().clone();
        let mut documents = documents;
        if command.contains_key("getMore") || command.contains_key("aggregate") {
            let step = moves.fetch_add(1, Ordering::SeqCst);
            let to = day(FROM).plus(i32::try_from(step % 10).unwrap());
            documents[0].insert("day_of_year", i32::try_from(to.day_of_year()).unwrap());
            script.history.push((later(at, 1), documents));
        }
    });
    let answer = room.fetch(FROM, TO).await;
    assert_eq!((answer.complete, answer.rows.input, answer.rows.downstream), (true, 10, 10), "{answer:?}");
    assert_eq!(room.ids(FROM, TO).await, (1..=10).collect::<Vec<_>>());
    let concern = |command: &Document| command.get_document("readConcern").unwrap().clone();
    let pulls: Vec<Document> = server
        .commands("aggregate")
        .iter()
        .filter(|command| command.contains_key("readConcern"))
        .map(concern)
        .collect();
    assert!(pulls.len() > 5);
    let chosen: Vec<&Document> = pulls.iter().filter(|pull| !pull.contains_key("atClusterTime")).collect();
    assert_eq!(chosen.len(), 1, "{pulls:?}");
    let at: Vec<Timestamp> =
        pulls.iter().filter_map(|pull| pull.get_timestamp("atClusterTime").ok()).collect();
    assert!(at.iter().all(|other| *other == at[0]), "{at:?}");
    assert!(server.commands("getMore").iter().all(|more| !more.contains_key("readConcern")));
}

/// 4: the server's history does not reach back to the moment of the run any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_window_whose_moment_is_gone_is_read_at_a_later_one() {
    let mut documents = trades(FROM, TO, 1);
    documents.extend((1..=10).map(|number| message(number, number)));
    let server = Scripted::start(member(documents));
    let room = Room::new(&server.uri(), "");
    let cut = AtomicBool::new(false);
    server.after_each(move |command, script| {
        if command.contains_key("readConcern") && !cut.swap(true, Ordering::SeqCst) {
            let (at, documents) = script.history.last().unwrap().clone();
            script.history.push((later(at, 1), documents));
            script.oldest = Some(later(at, 1));
        }
    });
    let answer = room.fetch(FROM, TO).await;
    assert_eq!((answer.complete, answer.rows.input, answer.rows.downstream), (true, 10, 10), "{answer:?}");
}

/// 4: a server that takes the moment to read at and reads at another is not believed.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_ignores_moments_is_read_as_one_without_snapshots() {
    let mut documents = trades(FROM, TO, 1);
    documents.extend((1..=10).map(|number| message(number, number)));
    let server = Scripted::start(Script { ignores_moments: true, ..member(documents) });
    let room = Room::new(&server.uri(), "");
    let changed = AtomicBool::new(false);
    server.after_each(move |command, script| {
        if command.contains_key("readConcern") && !changed.swap(true, Ordering::SeqCst) {
            // Between the trades and their messages.
            let (at, documents) = script.history.last().unwrap().clone();
            let mut documents = documents;
            documents.push(trade(11, day(FROM)));
            documents.push(message(11, 11));
            script.history.push((later(at, 1), documents));
        }
    });
    let answer = room.fetch(FROM, TO).await;
    assert_eq!((answer.complete, answer.rows.input, answer.rows.downstream), (true, 11, 11), "{answer:?}");
    let last = server.commands("aggregate").pop().unwrap();
    assert!(!format!("{last}").contains("atClusterTime"), "{last}");
}

/// 20: if it is known how many documents each day has, what was read of a window that is too large is not lost.
#[tokio::test(flavor = "multi_thread")]
async fn complete_days_of_a_window_that_is_too_large_are_kept() {
    let mut documents = Vec::new();
    for (place, day) in range(FROM, TO).days().enumerate() {
        let first = 100 * i32::try_from(place).unwrap();
        documents.extend((first..first + 30).map(|number| trade(number, day)));
        documents.extend((first..first + 30).map(|number| message(number, number)));
    }
    let mut pulls = Vec::new();
    for script in [Script { documents: documents.clone(), ..Script::default() }, member(documents)] {
        let server = Scripted::start(script);
        let number = |number| std::num::NonZeroU32::new(number).unwrap();
        let room = Room::new(&server.uri(), "").with_limits(|limits| {
            limits.most_window_rows = number(150);
            limits.batch_documents = number(10);
            limits.ids_per_query = number(10);
        });
        let answer = room.fetch(FROM, TO).await;
        assert_eq!((answer.complete, answer.rows.input, answer.rows.downstream), (true, 300, 300));
        assert_eq!(room.ids(FROM, TO).await.len(), 300);
        for (place, day) in range(FROM, TO).days().enumerate() {
            let first = 100 * i32::try_from(place).unwrap();
            let day = day.to_string();
            assert_eq!(room.ids(&day, &day).await, (first..first + 30).collect::<Vec<_>>());
        }
        pulls.push(server.commands("getMore").len());
        assert_eq!(room.fetch(FROM, TO).await.mongo_commands, 0);
    }
    // A server without snapshots cannot tell which days are complete.
    assert!(pulls[1] < pulls[0], "{pulls:?}");
}

/// 4: without snapshots, a trade that moves while its window is scanned comes twice, or not at all.
#[tokio::test(flavor = "multi_thread")]
async fn a_trade_that_moves_during_the_scan_is_read_again() {
    for to in ["2025-03-10", "2025-03-01"] {
        let server = Scripted::start(Script { documents: trades(FROM, TO, 1), ..Script::default() });
        let room =
            Room::new(&server.uri(), "").with_limits(|limits| limits.window_days = 5.try_into().unwrap());
        let moved = AtomicBool::new(false);
        server.after_each(move |command, script| {
            let is_first_pull = command.contains_key("aggregate")
                && command.contains_key("readConcern")
                && !moved.swap(true, Ordering::SeqCst);
            if is_first_pull {
                // The trade of 3 March goes to a window that is read by now, or to one that is still to come.
                script.documents[2].insert("day_of_year", i32::try_from(day(to).day_of_year()).unwrap());
                script.documents[2].insert("changed", 99);
            }
        });
        let answer = room.fetch(FROM, TO).await;
        assert_eq!((answer.complete, answer.rows.input), (true, 10), "{to}: {answer:?}");
        assert_eq!(room.ids(FROM, TO).await, (1..=10).collect::<Vec<_>>(), "{to}");
        assert_eq!(room.ids("2025-03-03", "2025-03-03").await, Vec::<i32>::new(), "{to}");
        assert!(room.ids(to, to).await.contains(&3), "{to}");
    }
}

/// 4: a trade that changes after it was read comes among the messages in a later state.
#[tokio::test(flavor = "multi_thread")]
async fn a_trade_in_two_states_is_read_again() {
    let server = Scripted::start(Script { documents: trades(FROM, TO, 1), ..Script::default() });
    let room = Room::new(&server.uri(), "");
    let changed = AtomicBool::new(false);
    server.after_each(move |command, script| {
        if command.contains_key("readConcern") && !changed.swap(true, Ordering::SeqCst) {
            script.documents[2].insert("product", "New");
        }
    });
    let answer = room.fetch(FROM, TO).await;
    assert_eq!((answer.complete, answer.rows.input, answer.rows.downstream), (true, 10, 0), "{answer:?}");
    let key = room.key("2025-03-03", "2025-03-03");
    let detail = room.engine.row_detail(&key, &RowQuery::of(Role::Input), 0).await.unwrap();
    assert!(detail.relaxed.contains("New"), "{}", detail.relaxed);
}

/// 4: a source that changes each time it is read is said to be unverified.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_never_stands_still_is_unverified() {
    let server = Scripted::start(Script { documents: trades(FROM, TO, 1), ..Script::default() });
    let room = Room::new(&server.uri(), "");
    server.after_each(|command, script| {
        if command.contains_key("readConcern") {
            let number = i32::try_from(script.documents.len()).unwrap() + 1;
            script.documents.push(trade(number, day("2025-03-04")));
        }
    });
    let answer = room.fetch(FROM, TO).await;
    assert!(!answer.complete && answer.days.missing.is_empty(), "{answer:?}");
    assert_eq!(answer.days.unverified, [day("2025-03-04")]);
    assert!(
        answer.notes.iter().any(|note| note.to_string().contains("kept changing 2025-03-04")),
        "{answer:?}"
    );
}

/// 5: what a node that lags has is never settled, also when the primary is asked afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn a_lagging_secondary_settles_nothing() {
    let today = Utc::now();
    let (settled, text) = {
        let day = tidemark_engine::day::Day::from(today.date_naive()).plus(-3);
        (day, day.to_string())
    };
    let five = |rows: i32| (1..=rows).map(|number| trade(number, settled)).collect::<Vec<_>>();
    let behind = cluster_time(today - TimeDelta::days(5));
    let date = |at: DateTime<Utc>| bson::DateTime::from_millis(at.timestamp_millis());
    for told_by_hello_alone in [false, true] {
        let lagging = doc! {
            "secondary": true, "isWritablePrimary": false, "ismaster": false, "setName": "rs0",
            "lastWrite": {"lastWriteDate": date(today - TimeDelta::days(5))},
        };
        let server = Scripted::start(Script {
            documents: five(2),
            history: if told_by_hello_alone { Vec::new() } else { vec![(behind, five(2))] },
            hello: lagging,
            operation_time: Some(behind).filter(|_| !told_by_hello_alone),
            ..Script::default()
        });
        let room = Room::new(&server.uri(), "");
        let answer = room.fetch(&text, &text).await;
        assert_eq!((answer.rows.input, &answer.days.open[..]), (2, &[settled][..]), "{answer:?}");
        assert!(answer.notes.iter().any(|note| note.to_string().contains("5 days behind")), "{answer:?}");
        assert!(answer.oldest_fetch.unwrap() < today - TimeDelta::days(4));
        server.change(|script| {
            script.hello = doc! {"setName": "rs0"};
            let now = cluster_time(Utc::now());
            script.documents = five(5);
            script.history.retain(|_| false);
            if !told_by_hello_alone {
                script.history.push((now, five(5)));
                script.operation_time = Some(now);
            }
        });
        let answer = room.fetch(&text, &text).await;
        assert_eq!((answer.rows.input, answer.days.open.len()), (5, 0), "{answer:?}");
    }
}

/// 5, 16: with the clock ten days ahead, coming days are not covered and open ones not settled.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_ahead_settles_nothing_and_covers_no_coming_day() {
    let today = tidemark_engine::day::Day::from(Utc::now().date_naive());
    let (from, to) = (today.plus(-3).to_string(), today.plus(3).to_string());
    let documents =
        || (-3..=3).zip(1..).map(|(at, number)| trade(number, today.plus(at))).collect::<Vec<_>>();
    let server = Scripted::start(Script { documents: documents(), ..Script::default() });
    let room = Room::new(&server.uri(), "").with_clock(TimeDelta::days(10));
    let answer = room.fetch(&from, &to).await;
    assert!(!answer.complete);
    assert_eq!(answer.days.missing, [1, 2, 3].map(|at| today.plus(at)), "{answer:?}");
    assert!(answer.days.open.contains(&today) && answer.rows.input == 4, "{answer:?}");
    assert!(answer.oldest_fetch.unwrap() <= Utc::now());
    assert!(answer.notes.iter().any(|note| note.to_string().contains("10 days ahead")), "{answer:?}");
}

/// 5: a clock that is behind hides no day that has begun at the source.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_behind_hides_no_day() {
    let today = tidemark_engine::day::Day::from(Utc::now().date_naive());
    let text = today.plus(-3).to_string();
    let documents = vec![trade(1, today.plus(-3))];
    let server = Scripted::start(Script { documents, ..Script::default() });
    let room = Room::new(&server.uri(), "").with_clock(TimeDelta::days(-10));
    let answer = room.fetch(&text, &text).await;
    assert_eq!((answer.complete, answer.rows.input, answer.days.open.len()), (true, 1, 0), "{answer:?}");
    assert!(answer.notes.iter().any(|note| note.to_string().contains("10 days behind")), "{answer:?}");
}

/// 8: a secondary alone is in reach of who prefers secondaries, and of nobody else.
#[tokio::test(flavor = "multi_thread")]
async fn a_set_without_a_primary_is_in_reach_of_who_prefers_secondaries() {
    let mut script = member(trades(FROM, TO, 1));
    script.hello.extend(doc! {"secondary": true, "isWritablePrimary": false, "ismaster": false});
    let server = Scripted::start(script);
    let to = |option: &str| format!("mongodb://127.0.0.1:{}/?replicaSet=rs0{option}", server.port);
    // It is the default.
    for option in ["&readPreference=secondaryPreferred", ""] {
        let room = Room::new(&to(option), "");
        room.source.ping().await.unwrap();
        assert!(room.fetch(FROM, TO).await.complete);
    }
    let primary = Room::new(&to("&readPreference=primary"), "");
    assert_eq!(primary.source.ping().await.unwrap_err().code, Code::SourceUnreachable);
}

/// 7: a refresh that is asked for while the same days are being pulled is not answered by that pull.
#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_takes_nothing_that_was_read_before_it_was_asked_for() {
    let wire = Wire::to(server().port());
    // Without messages, nothing tells that a trade changes while it is read.
    let (mapping, documents) = (r#"{"trade_id": null}"#, trades(FROM, TO, 1));
    let mut fixture = Fixture::at(&wire.uri, server().uri(), "refresh_anew", mapping, documents).await;
    let limits = Limits { batch_documents: 4.try_into().unwrap(), ..Limits::default() };
    fixture.engine = fixture.engine.clone().with_limits(limits);
    wire.hold_more();
    let cancel = CancellationToken::new();
    let (_, first) = fixture.start(fixture.request(FROM, TO), &cancel);
    until("the cursor is asked for more", || !wire.held().is_empty()).await;
    fixture.collection.update_one(doc! {"_id": 1}, doc! {"$set": {"product": "New"}}).await.unwrap();
    let refresh = FetchRequest { mode: FetchMode::Refresh, ..fixture.request(FROM, TO) };
    let (events, refresh) = fixture.start(refresh, &cancel);
    until("the refresh is planned", || {
        events.lock().unwrap().iter().any(|event| matches!(event, RunEvent::Planned { .. }))
    })
    .await;
    // Long enough to join a pull.
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    wire.heal();
    assert!(first.await.unwrap().unwrap().complete);
    let refreshed = refresh.await.unwrap().unwrap();
    assert_eq!((refreshed.complete, refreshed.days.fetched), (true, 10), "{refreshed:?}");
    assert_eq!(refreshed.changes.unwrap().input.changed, 1);
}

/// 11: a deletion and an insertion below the greatest stamp change neither the count nor the mark of a day.
#[tokio::test(flavor = "multi_thread")]
async fn verify_sees_a_deletion_and_an_insertion_if_the_server_hashes() {
    for hashes in [true, false] {
        let documents = (1..=5).map(|number| trade(number, day(FROM))).collect();
        let server = Scripted::start(Script { documents, hashes, ..Script::default() });
        let room = Room::new(&server.uri(), r#"{"changed_at": "changed"}"#);
        assert!(room.fetch(FROM, FROM).await.complete);
        let same = room.fetch_as(FetchMode::Verify, FROM, FROM).await;
        assert_eq!((same.complete, same.days.fetched), (true, 0), "{same:?}");
        let says =
            |answer: &Answer, words: &str| answer.notes.iter().any(|note| note.to_string().contains(words));
        assert_eq!(says(&same, "one by one by their _id and change stamp"), hashes, "{same:?}");
        assert_eq!(says(&same, "messages were compared by count"), !hashes, "{same:?}");
        server.change(|script| {
            script.documents.remove(1);
            let mut other = trade(77, day(FROM));
            other.extend(doc! {"changed": 3, "trade_id": "T2"});
            script.documents.push(other);
        });
        let checked = room.fetch_as(FetchMode::Verify, FROM, FROM).await;
        assert_eq!(checked.days.fetched, usize::from(hashes), "{checked:?}");
        assert_eq!(room.ids(FROM, FROM).await.contains(&77), hashes);
    }
}

/// 8: a server from before `hello` tells under the old name who it is and what time it is there.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_from_before_hello_is_in_reach() {
    let script = Script { documents: trades(FROM, TO, 1), is_old: true, ..Script::default() };
    let server = Scripted::start(script);
    let room = Room::new(&server.uri(), "");
    let answer = room.fetch(FROM, TO).await;
    assert_eq!((answer.complete, answer.rows.input), (true, 10), "{answer:?}");
    assert!(room.source.clock().is_some());
}

/// A trade comes again as a message of its trade, and windows are pulled again: it is one document all the same.
#[tokio::test(flavor = "multi_thread")]
async fn documents_of_broken_bytes_are_counted_once() {
    let mut documents = trades(FROM, TO, 1);
    documents[0].insert("note", BROKEN);
    let server = Scripted::start(Script { documents, ..Script::default() });
    let room = Room::new(&server.uri(), "");
    let note = |answer: &Answer| {
        let found = answer.notes.iter().find(|note| note.to_string().contains("not valid BSON"));
        found.map(ToString::to_string).unwrap_or_default()
    };
    let one = room.fetch(FROM, TO).await;
    let expected = "1 document holds bytes that are not valid BSON; it is kept as it is, and some of its fields are not shown.";
    assert_eq!((one.complete, &*note(&one)), (true, expected), "{one:?}");
    // A trade of two days: each of its documents comes with either of its days, and a message of both.
    server.change(|script| {
        let mut second = trade(50, day("2025-03-09"));
        second.extend(doc! {"trade_id": "T1", "note": BROKEN});
        let mut message = message(1, 1);
        message.insert("text", BROKEN);
        script.documents.extend([second, message]);
    });
    for room in [
        room,
        Room::new(&server.uri(), "").with_limits(|limits| limits.most_window_rows = 1.try_into().unwrap()),
    ] {
        let three = room.fetch_as(FetchMode::Refresh, FROM, TO).await;
        assert_eq!((three.rows.input, three.rows.downstream), (11, 1), "{three:?}");
        assert!(
            note(&three).starts_with("3 documents hold bytes that are not valid BSON; they are kept"),
            "{three:?}"
        );
    }
}
