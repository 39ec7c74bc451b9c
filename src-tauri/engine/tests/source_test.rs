//! A source is tested step by step, and what it has is listed, against a real server.

use std::io::Write as _;
use std::net::TcpListener;
use std::sync::OnceLock;

use bson::{Document, doc};
use mongodb::{Client, Database, IndexModel};
use tidemark_engine::api::source_test::{
    CollectionKind, SourceTest, StepOutcome, StepResult, TestEvent, TestStep,
};
use tidemark_engine::failure::{Code, FailureTarget};
use tidemark_engine::query::mapping::Mapping;
use tidemark_engine::run::source_test::{list_collections, test_source};
use tidemark_engine::source::{Source, SourceSettings};
use tidemark_test_server::TestServer;
use tidemark_test_support::scripted::{Script, Scripted};
use tidemark_test_support::server;

use StepOutcome::{Failed, Passed, Skipped, Warned};

pub(crate) const PASSWORD: &str = "s3cr3t-PLANTED";

fn settings(uri: &str, database: &str, collection: &str) -> SourceSettings {
    SourceSettings {
        uri: uri.to_owned(),
        password: None,
        database: database.to_owned(),
        collection: collection.to_owned(),
    }
}

pub(crate) fn source(uri: &str, database: &str, collection: &str) -> Source {
    Source::new(&settings(uri, database, collection)).unwrap()
}

pub(crate) async fn test(source: &Source, mapping: &str) -> SourceTest {
    let mut events = Vec::new();
    let test = test_source(source, &Mapping::parse(mapping).unwrap(), |event| events.push(event)).await;
    let ended: Vec<StepResult> = events
        .iter()
        .filter_map(|event| match event {
            TestEvent::Ended { result } => Some(result.clone()),
            TestEvent::Began { .. } => None,
        })
        .collect();
    assert_eq!(ended, test.steps, "each step is announced when it ends");
    assert_eq!(test.steps.len(), 8);
    assert!(test.steps.is_sorted_by_key(|result| result.step));
    assert_eq!(test.failure.is_some(), test.steps.iter().any(|result| result.outcome == Failed));
    for result in &test.steps {
        assert!(
            test.report.contains(&result.detail),
            "{} is not in the report:\n{}",
            result.detail,
            test.report
        );
    }
    test
}

pub(crate) fn step(test: &SourceTest, step: TestStep) -> &StepResult {
    test.steps.iter().find(|result| result.step == step).unwrap()
}

pub(crate) fn outcomes(test: &SourceTest) -> Vec<StepOutcome> {
    test.steps.iter().map(|result| result.outcome).collect()
}

async fn database(uri: &str, name: &str) -> Database {
    let database = Client::with_uri_str(uri).await.unwrap().database(name);
    database.drop().await.unwrap();
    database
}

fn trades() -> Vec<Document> {
    let trade = |number: i32| {
        doc! {
            "_id": number, "year": 2025, "day_of_year": number, "trade_id": format!("T{number}"), "product": "Gas",
        }
    };
    (1..=30).map(trade).collect()
}

/// The paths of [`trades`] and nothing else.
pub(crate) const MAPPING: &str = r#"{"timestamp": null, "downstream_collection": "messages", "filters": {"cell": null,
    "receiver": null, "attribute": null, "relatedDispatcher": null, "relatedAttributes": null}}"#;

async fn index(database: &Database, collection: &str, keys: Document) {
    let model = IndexModel::builder().keys(keys).build();
    database.collection::<Document>(collection).create_index(model).await.unwrap();
}

/// Trades and messages, with the indexes that a fetch needs.
pub(crate) async fn filled(uri: &str, name: &str) -> Database {
    let database = database(uri, name).await;
    database.collection("trades").insert_many(trades()).await.unwrap();
    let messages = (0..5).map(|number| doc! {"_id": number, "trade_id": format!("T{number}")});
    database.collection("messages").insert_many(messages).await.unwrap();
    index(&database, "trades", doc! {"year": 1, "day_of_year": 1}).await;
    index(&database, "messages", doc! {"trade_id": 1}).await;
    database
}

/// A server that admits only its users: `root`, and `ann`, who may read nothing.
fn closed() -> &'static TestServer {
    static SERVER: OnceLock<TestServer> = OnceLock::new();
    SERVER.get_or_init(|| TestServer::start_with_auth("root", PASSWORD).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_with_all_that_a_fetch_needs_passes() {
    filled(server().uri(), "st_passes").await;
    let source = source(server().uri(), "st_passes", "trades");
    let test = test(&source, MAPPING).await;
    assert_eq!(
        outcomes(&test),
        [Passed, Passed, Skipped, Skipped, Passed, Passed, Passed, Passed],
        "{}",
        test.report
    );
    let port = server().port();
    let reached = &step(&test, TestStep::Reach).detail;
    assert!(reached.starts_with(&format!("127.0.0.1:{port} accepts connections")), "{reached}");
    assert!(step(&test, TestStep::Tls).detail.contains("stays on this computer"), "{}", test.report);
    assert!(step(&test, TestStep::Documents).detail.contains("about 30 documents"), "{}", test.report);
    assert!(test.report.contains("TLS: off") && test.report.contains("Trades: st_passes.trades"));
    assert!(test.steps.iter().all(|result| result.fix.is_none()), "{}", test.report);
    source.check_access(&Mapping::parse(MAPPING).unwrap()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_indexes_and_paths_are_named_with_what_would_help() {
    let database = database(server().uri(), "st_slow").await;
    database.collection("trades").insert_many(trades()).await.unwrap();
    let mapping = r#"{"trade_id": "tradeId", "timestamp": null}"#;
    let test = test(&source(server().uri(), "st_slow", "trades"), mapping).await;
    let indexes = step(&test, TestStep::Indexes);
    assert_eq!(indexes.outcome, Warned);
    assert_eq!(
        indexes.fix.as_deref(),
        // No document has tradeId, so an index on it would be of no use.
        Some("db.getCollection(\"trades\").createIndex({ \"year\": 1, \"day_of_year\": 1 })")
    );
    assert!(indexes.detail.contains("begins with tradeId"), "{}", indexes.detail);
    assert!(test.report.contains(indexes.fix.as_deref().unwrap()), "{}", test.report);
    let documents = step(&test, TestStep::Documents);
    assert_eq!(documents.outcome, Warned);
    assert!(
        documents.detail.contains("tradeId (the trade id; perhaps trade_id is meant)"),
        "{}",
        documents.detail
    );
    assert!(documents.detail.contains("cell (the filter cell)"), "{}", documents.detail);
    assert_eq!(test.failure, None);
}

/// A fetch would find nothing, and call that complete.
#[tokio::test(flavor = "multi_thread")]
async fn a_unit_of_time_that_the_documents_do_not_have_is_named() {
    let database = database(server().uri(), "st_unit").await;
    let trades = (0..5).map(|number: i64| doc! {"trade_id": number, "at": 1_743_300_000 + number});
    database.collection("trades").insert_many(trades).await.unwrap();
    let mapping = r#"{"version": 2, "timestamp": {"path": "at", "form": "epoch_ms"}, "filters": {}}"#;
    let test = test(&source(server().uri(), "st_unit", "trades"), mapping).await;
    let documents = step(&test, TestStep::Documents);
    assert_eq!(documents.outcome, Warned);
    assert!(documents.detail.contains("the form of at is epoch_s"), "{}", documents.detail);
}

/// A field that the mapping pins to a value may come first in the index.
#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_begins_with_what_a_trade_is_serves() {
    let database = database(server().uri(), "st_pinned").await;
    let kinds = trades().into_iter().map(|mut trade| {
        trade.insert("kind", "trade");
        trade
    });
    database.collection("all").insert_many(kinds).await.unwrap();
    index(&database, "all", doc! {"kind": 1, "year": 1, "day_of_year": 1}).await;
    let mapping =
        |matches: &str| format!(r#"{{"timestamp": null, "trade_id": null, "input_match": {matches}}}"#);
    let source = source(server().uri(), "st_pinned", "all");
    let pinned = test(&source, &mapping(r#"{"kind": "trade"}"#)).await;
    assert_eq!(step(&pinned, TestStep::Indexes).outcome, Passed, "{}", pinned.report);
    let free = test(&source, &mapping("{}")).await;
    assert_eq!(step(&free, TestStep::Indexes).outcome, Warned, "{}", free.report);
    let none = test(&source, &mapping(r#"{"kind": "deal"}"#)).await;
    assert!(step(&none, TestStep::Documents).detail.contains("matches input_match"), "{}", none.report);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_is_named_and_has_the_indexes_of_what_is_beneath() {
    let database = filled(server().uri(), "st_view").await;
    for (name, on) in [("fills", "trades"), ("fills2", "fills")] {
        let view = doc! {"create": name, "viewOn": on, "pipeline": [{"$match": {"product": "Gas"}}]};
        database.run_command(view).await.unwrap();
    }
    let test = test(&source(server().uri(), "st_view", "fills2"), MAPPING).await;
    let kind = &step(&test, TestStep::Kind).detail;
    assert!(kind.contains("fills2 is a view of fills; messages is a collection"), "{kind}");
    let indexes = step(&test, TestStep::Indexes);
    assert_eq!(indexes.outcome, Passed, "{}", test.report);
    assert!(
        indexes.detail.contains("An index of trades begins with year and day_of_year"),
        "{}",
        indexes.detail
    );
    assert_eq!(step(&test, TestStep::Documents).outcome, Passed, "{}", test.report);

    let listed = list_collections(&source(server().uri(), "st_view", "fills2")).await.unwrap();
    let listed: Vec<_> = listed.iter().map(|one| (&*one.name, one.kind, one.documents)).collect();
    assert_eq!(
        listed,
        [
            ("fills", CollectionKind::View, None),
            ("fills2", CollectionKind::View, None),
            ("messages", CollectionKind::Collection, Some(5)),
            ("trades", CollectionKind::Collection, Some(30)),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistyped_name_is_found_when_connecting() {
    filled(server().uri(), "st_names").await;
    let mapping = Mapping::parse(MAPPING).unwrap();
    for (database, collection, mapping_text, target, meant) in [
        ("st_names", "trade", MAPPING, FailureTarget::Collection, "Did you mean trades?"),
        ("st_namse", "trades", MAPPING, FailureTarget::Database, "Did you mean st_names?"),
        (
            "st_names",
            "trades",
            r#"{"downstream_collection": "mesages"}"#,
            FailureTarget::Mapping,
            "Did you mean messages?",
        ),
    ] {
        let source = source(server().uri(), database, collection);
        let failure = source.check_access(&Mapping::parse(mapping_text).unwrap()).await.unwrap_err();
        assert_eq!((failure.code, failure.target.as_ref()), (Code::BadMapping, Some(&target)), "{failure:?}");
        assert!(failure.message.contains(meant), "{failure:?}");
        let tested = test(&source, mapping_text).await;
        assert_eq!(step(&tested, TestStep::Documents).outcome, Failed, "{}", tested.report);
        assert_eq!(tested.failure, Some(failure));
        assert_eq!(outcomes(&tested)[6..], [Skipped, Skipped]);
    }
    // A collection that exists and has no documents is no mistake.
    let database = Client::with_uri_str(server().uri()).await.unwrap().database("st_names");
    database.create_collection("empty").await.unwrap();
    let empty = source(server().uri(), "st_names", "empty");
    empty.check_access(&mapping).await.unwrap();
    let tested = test(&empty, MAPPING).await;
    let documents = step(&tested, TestStep::Documents);
    assert_eq!(documents.outcome, Warned);
    assert!(documents.detail.contains("The collection empty has no documents"), "{}", tested.report);
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_cannot_be_reached_are_told_apart() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let refused = test(&source(&format!("mongodb://127.0.0.1:{port}/"), "desk", "trades"), "").await;
    assert_eq!(outcomes(&refused)[..3], [Passed, Failed, Skipped], "{}", refused.report);
    let failure = refused.failure.unwrap();
    assert!(failure.message.starts_with(&format!("127.0.0.1:{port} refuses connections")), "{failure:?}");
    assert!(failure.cause.as_ref().unwrap().contains("127.0.0.1"), "{failure:?}");

    let unknown = test(&source("mongodb://nonexistent.invalid/", "desk", "trades"), "").await;
    assert_eq!(outcomes(&unknown)[..2], [Failed, Skipped], "{}", unknown.report);
    let failure = unknown.failure.unwrap();
    assert!(failure.message.starts_with("The name nonexistent.invalid does not resolve"), "{failure:?}");

    filled(server().uri(), "st_some").await;
    let uri = format!("mongodb://nonexistent.invalid,127.0.0.1:{}/", server().port());
    let some = test(&source(&uri, "st_some", "trades"), MAPPING).await;
    assert_eq!(outcomes(&some)[0], Warned, "{}", some.report);
    assert!(step(&some, TestStep::Resolve).detail.contains("nonexistent.invalid does not resolve"));
}

/// A port that greets everyone with the same words.
fn port_of_words(words: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let _ = client.write_all(words.as_bytes());
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_does_not_speak_mongodb_is_named() {
    let port = port_of_words("SSH-2.0-OpenSSH_9.6p1 Debian\r\n");
    let test = test(&source(&format!("mongodb://127.0.0.1:{port}/"), "desk", "trades"), "").await;
    assert_eq!(outcomes(&test)[..3], [Passed, Failed, Skipped], "{}", test.report);
    let failure = test.failure.unwrap();
    assert_eq!(
        failure.message,
        format!("127.0.0.1:{port} accepts connections, but no MongoDB server answers there.")
    );
}

/// Behind a proxy only the proxy itself can be looked for; the rest is its own word.
#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_is_not_there_is_named() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let uri = format!("mongodb://db.invalid/?directConnection=true&proxyHost=127.0.0.1&proxyPort={port}");
    let test = test(&source(&uri, "desk", "trades"), "").await;
    assert_eq!(outcomes(&test)[..3], [Skipped, Failed, Skipped], "{}", test.report);
    let failure = test.failure.unwrap();
    assert_eq!(failure.code, Code::SourceUnreachable);
    assert!(failure.message.contains(&format!("127.0.0.1:{port} refuses connections")), "{failure:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_nothing_is_not_taken_for_a_firewall() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let failure = source(&format!("mongodb://127.0.0.1:{port}/"), "desk", "trades").ping().await.unwrap_err();
    assert_eq!(failure.code, Code::SourceUnreachable);
    assert_eq!(
        failure.message,
        format!("127.0.0.1:{port} accepts connections, but the server does not answer.")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_that_is_cancelled_ends_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let source = source(&format!("mongodb://127.0.0.1:{port}/"), "desk", "trades");
    let mapping = Mapping::default();
    let mut began = Vec::new();
    let test = test_source(&source, &mapping, |event| {
        if let TestEvent::Began { step, .. } = event {
            began.push(step);
        }
    });
    let limit = std::time::Duration::from_millis(500);
    assert!(tokio::time::timeout(limit, test).await.is_err(), "the server says nothing");
    assert_eq!(began, [TestStep::Resolve, TestStep::Reach]);
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_that_the_server_does_not_have_and_a_set_of_a_different_name() {
    let plain = test(&source(&format!("{}?tls=true", server().uri()), "desk", "trades"), "").await;
    assert_eq!(outcomes(&plain)[..4], [Passed, Passed, Failed, Skipped], "{}", plain.report);
    let failure = plain.failure.unwrap();
    assert_eq!(failure.code, Code::TlsFailed);
    assert!(failure.message.contains("does not use TLS"), "{failure:?}");
    assert!(plain.report.contains("TLS: on"), "{}", plain.report);

    let set = Scripted::start(Script { hello: doc! {"setName": "rs0"}, ..Script::default() });
    let uri = format!("mongodb://127.0.0.1:{}/?replicaSet=rs9", set.port);
    let other = test(&source(&uri, "desk", "trades"), "").await;
    assert_eq!(outcomes(&other)[..2], [Passed, Failed], "{}", other.report);
    assert!(other.failure.unwrap().message.contains("replicaSet=rs9"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_is_wrong_or_missing() {
    let closed = closed();
    filled(closed.uri(), "st_login").await;
    let mapping = Mapping::parse(MAPPING).unwrap();
    let port = closed.port();

    let right = test(&source(closed.uri(), "st_login", "trades"), MAPPING).await;
    assert_eq!(
        outcomes(&right),
        [Passed, Passed, Skipped, Passed, Passed, Passed, Passed, Passed],
        "{}",
        right.report
    );
    assert!(step(&right, TestStep::SignIn).detail.contains("root"), "{}", right.report);
    assert!(!format!("{right:?}").contains(PASSWORD), "{}", right.report);

    let wrong = source(&format!("mongodb://root:wr0ng-PLANTED@127.0.0.1:{port}/"), "st_login", "trades");
    let failure = wrong.check_access(&mapping).await.unwrap_err();
    assert_eq!((failure.code, failure.target), (Code::AuthFailed, Some(FailureTarget::Password)));
    let tested = test(&wrong, MAPPING).await;
    assert_eq!(outcomes(&tested)[..5], [Passed, Passed, Skipped, Failed, Skipped], "{}", tested.report);
    assert!(!format!("{tested:?}").contains("wr0ng"), "{}", tested.report);
    assert!(tested.report.contains("User: root"), "{}", tested.report);

    let nobody = source(&format!("mongodb://127.0.0.1:{port}/"), "st_login", "trades");
    let failure = nobody.check_access(&mapping).await.unwrap_err();
    assert_eq!((failure.code, failure.target), (Code::AuthFailed, Some(FailureTarget::ConnectionString)));
    let tested = test(&nobody, MAPPING).await;
    assert_eq!(
        outcomes(&tested)[..6],
        [Passed, Passed, Skipped, Skipped, Failed, Skipped],
        "{}",
        tested.report
    );
    assert!(tested.failure.unwrap().message.contains("names no user"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_without_rights_is_found_when_connecting() {
    let closed = closed();
    filled(closed.uri(), "st_rights").await;
    let admin = Client::with_uri_str(closed.uri()).await.unwrap().database("admin");
    let user = doc! {"createUser": "ann", "pwd": PASSWORD, "roles": [{"role": "read", "db": "st_other"}]};
    admin.run_command(user).await.unwrap();
    let uri = format!("mongodb://ann:{PASSWORD}@127.0.0.1:{}/", closed.port());
    let source = source(&uri, "st_rights", "trades");
    let failure = source.check_access(&Mapping::parse(MAPPING).unwrap()).await.unwrap_err();
    assert_eq!(
        (failure.code, failure.target.as_ref()),
        (Code::NotAuthorized, Some(&FailureTarget::Collection)),
        "{failure:?}"
    );
    assert!(failure.message.contains("collection trades of the database st_rights"), "{failure:?}");
    let tested = test(&source, MAPPING).await;
    assert_eq!(outcomes(&tested)[3..6], [Passed, Failed, Skipped], "{}", tested.report);
    let fix = step(&tested, TestStep::Read).fix.as_deref().unwrap();
    assert!(
        fix.contains(r#"{ resource: { db: "st_rights", collection: "messages" }, actions: ["find"] }"#),
        "{fix}"
    );
    assert!(
        fix.contains(r#"grantRolesToUser("ann", [{ role: "tidemarkReader", db: "st_rights" }])"#),
        "{fix}"
    );
    assert!(tested.report.contains(fix) && !tested.report.contains(PASSWORD), "{}", tested.report);

    let failure = source.collections().await.unwrap_err();
    assert_eq!(
        (failure.code, failure.target.as_ref()),
        (Code::NotAuthorized, Some(&FailureTarget::Collection)),
        "{failure:?}"
    );
    assert!(
        failure.message.contains("may not list the collections of the database st_rights"),
        "{failure:?}"
    );
}

/// The text to send to the database team is enough to fetch with, less what the role leaves out on purpose.
#[tokio::test(flavor = "multi_thread")]
async fn a_user_with_the_role_alone_may_fetch() {
    let closed = closed();
    let database = filled(closed.uri(), "st_role").await;
    let find = |collection: &str| doc! {"resource": {"db": "st_role", "collection": collection}, "actions": ["find"]};
    let role = doc! {"createRole": "finds", "privileges": [find("trades"), find("messages")], "roles": []};
    database.run_command(role).await.unwrap();
    let admin = database.client().database("admin");
    let roles = vec![doc! {"role": "finds", "db": "st_role"}];
    admin.run_command(doc! {"createUser": "bob", "pwd": PASSWORD, "roles": roles}).await.unwrap();
    let uri = format!("mongodb://bob:{PASSWORD}@127.0.0.1:{}/", closed.port());
    let source = source(&uri, "st_role", "trades");
    source.check_access(&Mapping::parse(MAPPING).unwrap()).await.unwrap();
    let tested = test(&source, MAPPING).await;
    assert_eq!(
        outcomes(&tested),
        [Passed, Passed, Skipped, Passed, Passed, Passed, Warned, Warned],
        "{}",
        tested.report
    );
    assert!(step(&tested, TestStep::Kind).fix.as_deref().unwrap().contains("listCollections"));
    assert!(
        step(&tested, TestStep::Indexes).detail.contains("may not list the indexes"),
        "{}",
        tested.report
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_can_be_listed_before_one_is_chosen() {
    filled(server().uri(), "st_listed_b").await;
    filled(server().uri(), "st_listed_a").await;
    let server = Source::of_server(&settings(server().uri(), "", "")).unwrap();
    server.ping().await.unwrap();
    let databases = server.databases().await.unwrap();
    let own: Vec<&str> =
        databases.iter().map(String::as_str).filter(|name| name.starts_with("st_listed")).collect();
    assert_eq!(own, ["st_listed_a", "st_listed_b"]);
    assert!(!databases.iter().any(|name| ["admin", "local", "config"].contains(&&**name)), "{databases:?}");
    let failure = server.collections().await.unwrap_err();
    assert_eq!((failure.code, failure.target), (Code::BadSource, Some(FailureTarget::Database)));
    assert!(Source::new(&settings(self::server().uri(), "", "trades")).is_err(), "to fetch, both are needed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_can_be_tested_before_a_collection_is_chosen() {
    for (database, missing) in [("", "database"), ("st_no_collection", "collection")] {
        let source = Source::of_server(&settings(server().uri(), database, "")).unwrap();
        let tested = test(&source, r#"{"downstream_collection": "messages"}"#).await;
        assert_eq!(tested.failure, None);
        let outcomes: Vec<_> = tested.steps.iter().map(|result| result.outcome).collect();
        assert_eq!(outcomes, [Passed, Passed, Skipped, Skipped, Skipped, Skipped, Skipped, Skipped]);
        for step in &tested.steps[4..] {
            assert_eq!(step.detail, format!("Choose a {missing} to test the rest."));
        }
        assert!(tested.report.contains(&format!("Trades: no {missing} chosen")), "{}", tested.report);
    }
}
