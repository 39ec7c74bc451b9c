//! A question that nothing in the collection answers to is not called plainly complete.

use crate::support::fixture::{Fixture, range};
use bson::doc;
use tidemark_engine::answer::{Answer, UnmatchedPart};
use tidemark_engine::api::rows::ViewKey;
use tidemark_engine::plan::ledger::FetchMode;
use tidemark_engine::query::filter::Filters;
use tidemark_engine::query::form::{FilterInput, FilterOperator};
use tidemark_engine::query::mapping::Mapping;
use tidemark_engine::query::signature::Signature;
use tidemark_engine::query::source::Query;
use tidemark_engine::run::FetchRequest;

/// A fetch of ten days with these filters.
fn request(fixture: &Fixture, mapping: &str, filters: &[(&str, FilterOperator, &[&str])]) -> FetchRequest {
    let mapping = Mapping::parse(mapping).unwrap();
    let inputs: Vec<FilterInput> = filters
        .iter()
        .map(|(field, operator, values)| FilterInput {
            field: (*field).to_owned(),
            operator: *operator,
            values: values.iter().map(|&value| value.to_owned()).collect(),
        })
        .collect();
    let filters = Filters::parse(&mapping, &inputs, "").unwrap();
    let query = Query { source: fixture.source.identity().clone(), mapping, filters };
    FetchRequest { query, range: range("2025-01-01", "2025-01-10"), mode: FetchMode::Normal, offline: false }
}

async fn fetch(fixture: &Fixture, request: &FetchRequest) -> Answer {
    let answer = fixture.run(request.clone()).await.result.unwrap();
    assert!(answer.complete, "{answer:?}");
    answer
}

/// What is unmatched: the part, the value, and what is near it, with commas between.
fn parts(answer: &Answer) -> Vec<(UnmatchedPart, Option<&str>, String)> {
    answer.unmatched.iter().map(|of| (of.part, of.value.as_deref(), of.near.join(","))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_nothing_has_is_named_with_its_near_misses() {
    let fixture = Fixture::new("unmatched_value").await;
    let typed = request(&fixture, "", &[("product", FilterOperator::AnyOf, &["power "])]);
    let answer = fetch(&fixture, &typed).await;
    assert_eq!(answer.rows.input, 0);
    assert_eq!(parts(&answer), [(UnmatchedPart::Value, Some("power"), "Power".to_owned())]);
    let why = r#"No document in trades has the value "power" in product. Did you mean "Power"?"#;
    assert!(answer.notes.iter().any(|note| note.to_string() == why), "{answer:?}");

    // The cache says the same, of the fetch and of the query that is opened.
    let again = fetch(&fixture, &typed).await;
    assert_eq!((again.mongo_commands, &again.unmatched), (0, &answer.unmatched));
    let key = ViewKey {
        signature: Signature::of(&typed.query).to_string(),
        from: typed.range.from(),
        to: typed.range.to(),
    };
    assert_eq!(fixture.engine.cached_answer(&key).await.unwrap().unmatched, answer.unmatched);

    // A document with the value turns up; the days are fetched again.
    let mut document = crate::support::fixture::trade(9_999, crate::support::fixture::day("2025-01-03"));
    document.insert("product", "power");
    fixture.collection.insert_one(document).await.unwrap();
    let renewed = fetch(&fixture, &FetchRequest { mode: FetchMode::Refresh, ..typed.clone() }).await;
    assert_eq!((renewed.rows.input, renewed.unmatched.len()), (1, 0), "{renewed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_mistyped_value_of_several_is_named() {
    let fixture = Fixture::new("unmatched_of_several").await;
    let several = request(&fixture, "", &[("product", FilterOperator::AnyOf, &["Power", "GAS"])]);
    let answer = fetch(&fixture, &several).await;
    assert!(answer.rows.input > 0);
    assert_eq!(parts(&answer), [(UnmatchedPart::Value, Some("GAS"), "Gas".to_owned())]);
    let kept_out = request(&fixture, "", &[("product", FilterOperator::NoneOf, &["gas"])]);
    assert_eq!(
        parts(&fetch(&fixture, &kept_out).await),
        [(UnmatchedPart::Value, Some("gas"), "Gas".to_owned())]
    );
    let begins = request(&fixture, "", &[("product", FilterOperator::StartsWith, &["pow"])]);
    assert_eq!(parts(&fetch(&fixture, &begins).await)[0].1, Some("pow"));
    // Values that are there, whether or not these days have them.
    for filters in [&["Power"][..], &["Power", "Gas"]] {
        let answer =
            fetch(&fixture, &request(&fixture, "", &[("product", FilterOperator::AnyOf, filters)])).await;
        assert_eq!(parts(&answer), [], "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_that_no_document_has_are_named_with_their_near_misses() {
    let fixture = Fixture::new("unmatched_path").await;
    let mapping = r#"{"filters": {"product": "prodct"}, "trade_id": "tradeid"}"#;
    let mistyped = request(&fixture, mapping, &[("product", FilterOperator::AnyOf, &["Power"])]);
    let answer = fetch(&fixture, &mistyped).await;
    assert_eq!(parts(&answer), [(UnmatchedPart::Field, None, "product".to_owned())]);
    let why = "No document in trades has the field prodct (product). Did you mean product?";
    assert_eq!(answer.unmatched[0].why, why);
    let no_id = request(&fixture, mapping, &[]);
    for from_cache in [false, true] {
        let answer = fetch(&fixture, &no_id).await;
        assert_eq!(answer.mongo_commands == 0, from_cache);
        assert_eq!(parts(&answer), [(UnmatchedPart::TradeId, None, "trade_id".to_owned())]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_cannot_be_found_by_the_trade_id_are_named() {
    let fixture = Fixture::new("unmatched_messages").await;
    let mapping = |path: &str| {
        format!(r#"{{"version": 2, "downstream_collection": "events", "downstream_trade_id": {path:?}}}"#)
    };
    let database = fixture.collection.client().database(&fixture.collection.namespace().db);
    database.collection("events").insert_many([doc! {"ofTrade": "t1"}, doc! {"n": 1}]).await.unwrap();
    let answer = fetch(&fixture, &request(&fixture, &mapping("of_trade"), &[])).await;
    assert_eq!(parts(&answer), [(UnmatchedPart::Messages, None, "ofTrade".to_owned())]);
    let why = "No document in events has the trade id of messages (of_trade), so no trade has messages. \
               Did you mean ofTrade? Correct the mapping.";
    assert_eq!(answer.unmatched[0].why, why);
    // A repeat says it, too, and so does a narrower query that asks for nothing.
    for filters in [&[][..], &[("product", FilterOperator::AnyOf, &["Power"] as &[&str])]] {
        let answer = fetch(&fixture, &request(&fixture, &mapping("of_trade"), filters)).await;
        assert_eq!(answer.mongo_commands, 0);
        assert_eq!(parts(&answer), [(UnmatchedPart::Messages, None, "ofTrade".to_owned())]);
    }
    // Trades may have no messages on these days.
    let answer = fetch(&fixture, &request(&fixture, &mapping("ofTrade"), &[])).await;
    assert_eq!(parts(&answer), []);
}

/// The form begins with the days until today; the documents may end before.
#[tokio::test(flavor = "multi_thread")]
async fn days_after_the_newest_trade_say_when_it_was() {
    let fixture = Fixture::new("unmatched_newest").await;
    fixture.clock.store(1_900_000_000_000, std::sync::atomic::Ordering::SeqCst);
    for (from, to, says) in [("2026-02-01", "2026-02-10", true), ("2024-06-01", "2024-06-10", false)] {
        let request = FetchRequest { range: range(from, to), ..request(&fixture, "", &[]) };
        let answer = fetch(&fixture, &request).await;
        let sentence = "The newest trade at the source is of 2025-12-31, before these days.";
        let is_said = answer.notes.iter().any(|note| note.to_string() == sentence);
        assert_eq!((answer.rows.input, is_said), (0, says), "{from} {:?}", answer.notes);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_broader_cached_query_shows_to_be_mistyped_is_named_without_asking() {
    let fixture = Fixture::new("unmatched_in_cache").await;
    fetch(&fixture, &request(&fixture, "", &[])).await;
    let narrower = async |filters: &[(&str, FilterOperator, &[&str])]| {
        let answer = fetch(&fixture, &request(&fixture, "", filters)).await;
        assert_eq!((answer.days.adopted, answer.mongo_commands), (10, 0), "{answer:?}");
        answer
    };
    let typed = narrower(&[("product", FilterOperator::AnyOf, &["power ", "Gas"])]).await;
    assert_eq!(parts(&typed), [(UnmatchedPart::Value, Some("power"), "Power".to_owned())]);
    let why = r#"None of the cached trades has the value "power" in product. Did you mean "Power"?"#;
    assert!(typed.notes.iter().any(|note| note.to_string() == why), "{typed:?}");
    let begins = narrower(&[("product", FilterOperator::StartsWith, &["pow"])]).await;
    assert_eq!(parts(&begins), [(UnmatchedPart::Value, Some("pow"), "Power".to_owned())]);
    let no_field = narrower(&[("relatedAttributes", FilterOperator::AnyOf, &["x"])]).await;
    assert_eq!(parts(&no_field)[0].0, UnmatchedPart::Field, "{no_field:?}");
    // A value that is nothing like the cached ones may be right on other days, and what is asked to be missing is.
    for filters in [
        &[("product", FilterOperator::AnyOf, &["Carbon"] as &[&str])],
        &[("relatedAttributes", FilterOperator::Missing, &[])],
        &[("product", FilterOperator::AnyOf, &["Power"])],
        &[("product", FilterOperator::StartsWith, &["Pow"])],
        &[("product", FilterOperator::Missing, &[])],
        &[("product", FilterOperator::Exists, &[])],
        &[("product", FilterOperator::NoneOf, &["Power"])],
        &[("product", FilterOperator::AllOf, &["Power", "Gas"])],
    ] {
        assert_eq!(parts(&narrower(filters).await), [], "{filters:?}");
    }
}
