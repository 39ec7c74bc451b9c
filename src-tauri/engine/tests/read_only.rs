//! The app never writes to MongoDB: every command that goes over the wire, in everything that asks the server,
//! is one of a written list.

use std::collections::BTreeSet;

use crate::support::fixture::{Fixture, counts, day, message, range, trade};
use bson::{Bson, Document, doc};
use tidemark_engine::plan::ledger::FetchMode;
use tidemark_engine::query::filter::Filters;
use tidemark_engine::query::form::{FilterInput, FilterOperator};
use tidemark_engine::run::{FetchRequest, source_test};
use tidemark_test_server::TestServer;
use tidemark_test_support::until;
use tidemark_test_support::wire::Wire;
use tokio_util::sync::CancellationToken;

/// What the app asks; README and ARCHITECTURE name the same. None of it writes.
const ASKED: [&str; 8] = [
    "aggregate",
    "buildInfo",
    "count",
    "getMore",
    "killCursors",
    "listCollections",
    "listDatabases",
    "listIndexes",
];
/// What the driver says for itself: who it is, and that the server is still there. The app's own `ping` is a
/// `hello` too, and of a replica set it asks `replSetGetConfig`.
const OF_THE_DRIVER: [&str; 4] = ["endSessions", "hello", "saslContinue", "saslStart"];
/// Stages of the aggregates, those within `$facet` too. `$out` and `$merge` would write.
const STAGES: [&str; 9] =
    ["$count", "$facet", "$group", "$limit", "$match", "$project", "$sample", "$sort", "$unwind"];

const FROM: &str = "2025-01-01";
const TO: &str = "2025-02-28";

/// More trades in a window than a batch has, and some messages.
fn documents() -> Vec<Document> {
    let trades =
        range(FROM, TO).days().zip(0..).flat_map(|(day, at)| (0..160).map(move |n| trade(at * 160 + n, day)));
    trades.chain((0..100).map(|number| message(number, number))).collect()
}

/// The name of a command, as the driver spells it at whatever version of the server.
fn name_of(command: &Document) -> &str {
    match command.keys().next().unwrap().as_str() {
        "isMaster" | "ismaster" => "hello",
        name => name,
    }
}

/// Commands that answer something or end a cursor.
fn counted(wire: &Wire) -> u64 {
    let silent = |name: &str| OF_THE_DRIVER.contains(&name);
    wire.commands().iter().filter(|command| !silent(name_of(command))).count() as u64
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_on_the_wire_only_reads() {
    let server = TestServer::start_with_auth("ann", "s3cret").unwrap();
    let wire = Wire::to(server.port());
    let uri = wire.uri.replace("mongodb://", "mongodb://ann:s3cret@") + "&authSource=admin";
    let mapping = r#"{"changed_at": "changed"}"#;
    let fixture = Fixture::at(&uri, server.uri(), "read_only", mapping, documents()).await;
    let request = |products: &[&str], mode| FetchRequest {
        query: fixture.query(products),
        mode,
        ..fixture.request(FROM, TO)
    };

    // What the window asks when a source is entered, and in the background.
    fixture.source.ping().await.unwrap();
    fixture.source.version().await.unwrap();
    // A plan, a fetch, a refresh, checks that find nothing and something, an adoption.
    fixture.engine.plan(Some(&fixture.source), &request(&[], FetchMode::Normal)).await.unwrap();
    let (before, own) = (counted(&wire), fixture.source.commands());
    let whole = fixture.fetch(FROM, TO).await;
    assert_eq!(counted(&wire) - before, whole.mongo_commands, "what a run counts is what was sent");
    assert_eq!(fixture.source.commands() - own, whole.mongo_commands);
    assert!(fixture.fetch_as(FetchMode::Refresh, FROM, TO).await.complete);
    assert!(fixture.fetch_as(FetchMode::Verify, FROM, TO).await.complete);
    fixture.collection.delete_one(doc! {"_id": 17}).await.unwrap();
    let checked = fixture.fetch_as(FetchMode::Verify, FROM, TO).await;
    assert_eq!(checked.days.fetched, 1, "{checked:?}");
    assert_eq!(counts(fixture.run(request(&["Gas"], FetchMode::Normal)).await.answer()), (0, 59, 0, 0));
    // Values that a field of the form suggests, of the last days and of any.
    let field = fixture.mapping.filters.iter().find(|field| field.name == "product").unwrap();
    for today in ["2025-02-28", "2026-01-15"] {
        let found = fixture.source.suggestions(&fixture.mapping, field, "p", day(today), 10).await.unwrap();
        assert_eq!(found, ["Power"]);
    }
    // Nothing found, and why.
    let advanced = r#"{"nowhere": {"$exists": true}}"#;
    let input = FilterInput { field: "cell".into(), operator: FilterOperator::Exists, values: Vec::new() };
    let mut nothing = request(&[], FetchMode::Normal);
    nothing.query.filters = Filters::parse(&fixture.mapping, &[input], advanced).unwrap();
    assert!(!fixture.run(nothing).await.answer().notes.is_empty());
    // A fetch that is given up in the middle of its cursors.
    let cancel = CancellationToken::new();
    wire.hold_more();
    let (_, run) = fixture.start(request(&["Power", "Gas", "Oil"], FetchMode::Refresh), &cancel);
    until("cursors are asked for more", || wire.held().len() == 2).await;
    cancel.cancel();
    assert!(run.await.unwrap().is_err());
    wire.heal();
    until("the cursors are ended", || {
        wire.commands().iter().filter(|command| name_of(command) == "killCursors").count() == 2
    })
    .await;
    assert_eq!(counted(&wire), fixture.source.commands(), "all in all");

    // Setting a source up: what can be chosen, its test and a mapping from its documents.
    assert!(!fixture.source.databases().await.unwrap().is_empty());
    assert!(!source_test::list_collections(&fixture.source).await.unwrap().is_empty());
    fixture.source.check_access(&fixture.mapping).await.unwrap();
    let test = source_test::test_source(&fixture.source, &fixture.mapping, |_| {}).await;
    assert_eq!(test.failure, None);
    fixture.source.propose().await.unwrap();

    let commands = wire.commands();
    let names: BTreeSet<&str> = commands.iter().map(name_of).collect();
    assert_eq!(names, ASKED.iter().chain(&OF_THE_DRIVER).copied().collect());
    let mut stages = BTreeSet::new();
    for pipeline in commands.iter().filter_map(|command| command.get_array("pipeline").ok()) {
        note_stages(pipeline, &mut stages);
    }
    assert_eq!(stages, STAGES.into_iter().collect());
}

fn note_stages<'a>(pipeline: &'a [Bson], stages: &mut BTreeSet<&'a str>) {
    for stage in pipeline {
        let (name, value) = stage.as_document().unwrap().iter().next().unwrap();
        stages.insert(name.as_str());
        if name == "$facet" {
            for facet in value.as_document().unwrap().values() {
                note_stages(facet.as_array().unwrap(), stages);
            }
        }
    }
}
