//! Trades that are found by their ids: in the cache, and at the source.

use bson::doc;
use tidemark_engine::answer::trade::FoundPlace;
use tidemark_engine::api::rows::ViewKey;
use tidemark_engine::browse::FindIn;
use tidemark_engine::failure::Code;
use tidemark_engine::query::mapping::Mapping;
use tidemark_engine::query::signature::Signature;
use tidemark_engine::query::source::Query;
use tidemark_engine::rows::{Role, RowQuery};
use tidemark_engine::run::find_at_source;
use tidemark_test_support::server;
use tokio_util::sync::CancellationToken;

use crate::support::fixture::{Fixture, day, message, trade};

/// Trades of two days: one with a second state and two messages, one with a number as its id, one whose message
/// carries two ids.
async fn fixture(name: &str) -> Fixture {
    let (first, second) = (day("2025-01-10"), day("2025-01-20"));
    let mut later = trade(1, second);
    later.insert("_id", 100);
    later.insert("changed", bson::Bson::Int64(5_000_000_000));
    let mut numbered = trade(2, first);
    numbered.insert("trade_id", 42);
    let both = doc! {"_id": 500, "trade_id": ["T1", "T3"], "text": "both"};
    let documents = vec![trade(1, first), later, numbered, trade(3, second), message(1, 1), both];
    Fixture::at(server().uri(), server().uri(), name, "", documents).await
}

fn ids(trade: &tidemark_engine::answer::trade::Trade) -> Vec<&str> {
    let mut ids: Vec<&str> = trade.documents.iter().map(|document| document.id.as_str()).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn trades_are_found_in_the_cache_whatever_their_day() {
    let fixture = fixture("find_cached").await;
    fixture.fetch("2025-01-01", "2025-01-31").await;
    let request = fixture.request("2025-01-01", "2025-01-31");
    let open = ViewKey {
        signature: Signature::of(&request.query).to_string(),
        from: day("2025-01-20"),
        to: day("2025-01-31"),
    };
    let find_in = FindIn { current: Some(fixture.source.identity().clone()), open: Some(open) };
    let cancel = CancellationToken::new();
    let before = fixture.source.commands();
    let found = fixture.engine.find_cached("T1\n42, T9\t042", &find_in, &cancel).await.unwrap();
    assert_eq!(fixture.source.commands(), before, "the cache alone is searched");
    assert_eq!(
        (found.asked, &found.not_found, &found.notes),
        (4, &vec!["T9".to_owned(), "042".to_owned()], &vec![])
    );
    let [first, second] = &found.found[..] else { panic!("{found:?}") };
    assert_eq!(ids(&first.trade), ["1", "100", "1000001", "500"]);
    assert_eq!((second.trade.trade.as_str(), ids(&second.trade)), ("42", vec!["2"]));
    let FoundPlace::Cache { is_current, is_open, from, to, .. } = &first.place else { panic!("{first:?}") };
    assert_eq!((*is_current, *is_open, *from, *to), (true, true, day("2025-01-10"), day("2025-01-20")));
    let FoundPlace::Cache { is_open, .. } = &second.place else { panic!("{second:?}") };
    assert!(!is_open, "the open answer begins later");
    let later = first.trade.documents.iter().find(|document| document.id == "100").unwrap();
    assert!(later.canonical.contains(r#""$numberLong": "5000000000""#), "{}", later.canonical);
    assert!(later.fetched.is_some());
    let changed: Vec<&str> = later.changes.iter().map(|change| change.path.as_str()).collect();
    assert_eq!(changed, ["day_of_year", "changed"]);
    // A file that has none of the trades is not opened again; what was found before is found again.
    for _ in 0..2 {
        let again = fixture.engine.find_cached("T9", &find_in, &cancel).await.unwrap();
        assert_eq!(again.not_found, ["T9"]);
    }
    assert_eq!(fixture.engine.find_cached("T3", &find_in, &cancel).await.unwrap().found.len(), 1);
    cancel.cancel();
    let stopped = fixture.engine.find_cached("T1, T9", &find_in, &cancel).await;
    assert!(
        stopped.as_ref().is_ok_and(|found| found.found.len() == 1)
            || stopped.unwrap_err().code == Code::Cancelled
    );
}

#[tokio::test]
async fn a_row_leads_to_its_trade_and_back() {
    let fixture = fixture("find_row").await;
    fixture.fetch("2025-01-01", "2025-01-31").await;
    let request = fixture.request("2025-01-01", "2025-01-31");
    let key = ViewKey {
        signature: Signature::of(&request.query).to_string(),
        from: request.range.from(),
        to: request.range.to(),
    };
    let cancel = CancellationToken::new();
    let of = |role, position| {
        let (engine, key, cancel) = (fixture.engine.clone(), key.clone(), cancel.clone());
        async move { engine.trades_of_row(&key, &RowQuery::of(role), position, &cancel).await.unwrap() }
    };
    let trades = of(Role::Input, 0).await.trades;
    let here = trades[0].here.unwrap() as usize;
    assert_eq!((trades.len(), trades[0].documents[here].role), (1, Role::Input));
    let mut of_messages = Vec::new();
    for position in 0..2 {
        let trades = of(Role::Downstream, position).await.trades;
        let here = trades[0].here.unwrap() as usize;
        assert_eq!(trades[0].documents[here].role, Role::Downstream);
        of_messages.push(trades.iter().map(|trade| trade.trade.clone()).collect::<Vec<_>>());
    }
    of_messages.sort();
    assert_eq!(of_messages, [vec!["T1".to_owned()], vec!["T1".to_owned(), "T3".to_owned()]]);
}

#[tokio::test]
async fn trades_are_found_at_the_source_without_their_day_and_nothing_is_stored() {
    let fixture = fixture("find_source").await;
    let cancel = CancellationToken::new();
    let find = |mapping: Mapping, list: &'static str| {
        let (source, cancel) = (fixture.source.clone(), cancel.clone());
        async move { find_at_source(&source, &mapping, list, &cancel).await }
    };
    let found = find(fixture.mapping.clone(), "T1,42,T9").await.unwrap();
    assert_eq!(found.not_found, ["T9"]);
    assert_eq!(
        found.found.iter().map(|one| ids(&one.trade)).collect::<Vec<_>>(),
        [vec!["1", "100", "1000001", "500"], vec!["2"]]
    );
    let first = &found.found[0];
    assert_eq!(first.place, FoundPlace::Source);
    assert!(
        first.trade.documents.iter().all(|document| document.day.is_some() && document.fetched.is_none())
    );
    assert!(fixture.engine.cache().files().unwrap().is_empty(), "nothing is stored");
    // Without an index, both queries read the whole collection, and that is said.
    let warned = |notes: &[String]| notes.iter().filter(|note| note.starts_with("No index of")).count();
    assert_eq!(warned(&found.notes), 2, "{:?}", found.notes);
    fixture
        .collection
        .create_index(mongodb::IndexModel::builder().keys(doc! {"trade_id": 1}).build())
        .await
        .unwrap();
    let found = find(fixture.mapping.clone(), "T1").await.unwrap();
    assert!(found.notes.is_empty(), "{:?}", found.notes);

    // What makes a document a trade or a message is the mapping's.
    let narrow = Mapping::parse(
        r#"{"input_match": {"year": {"$exists": true}}, "downstream_match": {"text": "ack"}}"#,
    )
    .unwrap();
    let found = find(narrow, "T1").await.unwrap();
    let roles = |role| found.found[0].trade.documents.iter().filter(|one| one.role == role).count();
    assert_eq!((roles(Role::Input), roles(Role::Downstream)), (2, 1));

    let none = Mapping::parse(r#"{"trade_id": null}"#).unwrap();
    assert_eq!(find(none, "T1").await.unwrap_err().code, Code::BadMapping);
    cancel.cancel();
    assert_eq!(find(fixture.mapping.clone(), "T1").await.unwrap_err().code, Code::Cancelled);
}

/// Messages with a path and a collection of their own.
#[tokio::test]
async fn messages_of_a_collection_of_their_own_are_found() {
    let fixture = fixture("find_other").await;
    let client = mongodb::Client::with_uri_str(server().uri()).await.unwrap();
    let database = client.database(fixture.source.database_name());
    let messages = database.collection::<bson::Document>("acks");
    messages.delete_many(doc! {}).await.unwrap();
    messages.insert_one(doc! {"_id": 1, "refs": [{"of": "T3"}, {"of": "T1"}]}).await.unwrap();
    let mapping = Mapping::parse(
        r#"{"version": 2, "year": "year", "day_of_year": "day_of_year", "downstream_trade_id": "refs.of", "downstream_collection": "acks",
            "input_match": {"year": {"$exists": true}}}"#,
    )
    .unwrap();
    let cancel = CancellationToken::new();
    let found = find_at_source(&fixture.source, &mapping, "T3", &cancel).await.unwrap();
    let documents = &found.found[0].trade.documents;
    assert_eq!(
        documents.iter().map(|one| (one.role, one.id.as_str())).collect::<Vec<_>>(),
        [(Role::Input, "3"), (Role::Downstream, "1")]
    );
    // And in the cache, where the ids lie in an array of sub-documents.
    let query = Query { mapping: mapping.clone(), ..fixture.request("2025-01-01", "2025-01-31").query };
    let request = tidemark_engine::run::FetchRequest { query, ..fixture.request("2025-01-01", "2025-01-31") };
    fixture.run(request).await.result.unwrap();
    let found = fixture.engine.find_cached("T3", &FindIn::default(), &cancel).await.unwrap();
    assert_eq!(ids(&found.found[0].trade), ["1", "3"]);
}

/// The window colours rows by the status and finds trades by their ids: the engine says which columns these are.
#[tokio::test]
async fn the_columns_of_the_trade_and_of_its_status_are_named() {
    let documents = vec![trade(1, day("2025-01-10")), message(1, 1)];
    let mapping = r#"{"version": 2, "status": "text"}"#;
    let fixture = Fixture::at(server().uri(), server().uri(), "find_columns", mapping, documents).await;
    fixture.fetch("2025-01-01", "2025-01-31").await;
    let key = ViewKey {
        signature: fixture.signature().to_string(),
        from: day("2025-01-01"),
        to: day("2025-01-31"),
    };
    let mut named = Vec::new();
    for role in [Role::Input, Role::Downstream] {
        let shape = fixture.engine.view_shape(&key, role).await.unwrap();
        named.push((shape.trade_column, shape.status_column));
    }
    let trade = || Some("trade_id".to_owned());
    assert_eq!(named, [(trade(), None), (trade(), Some("text".to_owned()))]);
}
