//! A mapping is proposed from a sample of a real collection, and a fetch by it returns what a direct query does.

use bson::{Document, doc};
use mongodb::IndexModel;
use tidemark_engine::answer::AnswerRows;
use tidemark_engine::failure::Code;
use tidemark_engine::proposal::{Proposal, WarningCode};
use tidemark_engine::query::mapping::Mapping;
use tidemark_engine::source::{Source, SourceSettings};
use tidemark_test_support::server;

use crate::support::fixture::Fixture;

/// Trades of the first half of 2025, about four a day: Italian, nested, with their time as text in Rome's offset.
fn trades() -> Vec<Document> {
    let of = |number: i32| {
        let (day, hour) = (1 + number / 4 % 28, 6 + 3 * (number % 4));
        let month = 1 + number / 112;
        doc! {
            "_id": bson::oid::ObjectId::new(),
            "testata": {
                "codiceOperazione": format!("OP-{number:05}"),
                "dataOra": format!("2025-{month:02}-{day:02}T{hour:02}:15:00+01:00"),
            },
            "prodotto": (["Brent", "Gas PSV", "Energia"][usize::try_from(number % 3).unwrap()]),
            "controparte": (["Alfa", "Beta"][usize::try_from(number % 2).unwrap()]),
            "quantita": number % 17,
        }
    };
    (0..672).map(of).collect()
}

async fn index(fixture: &Fixture, collection: &str, path: &str) {
    let database = fixture.collection.client().database(&fixture.collection.namespace().db);
    let model = IndexModel::builder().keys(doc! {path: 1}).build();
    database.collection::<Document>(collection).create_index(model).await.unwrap();
}

fn text<'a>(proposal: &'a Proposal, pointer: &str) -> Option<&'a str> {
    proposal.mapping.pointer(pointer).and_then(|value| value.as_str())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposed_mapping_fetches_what_a_direct_query_returns() {
    let mut fixture = Fixture::at(server().uri(), server().uri(), "proposal", "", trades()).await;
    let database = fixture.collection.client().database(&fixture.collection.namespace().db);
    let messages = (0..672)
        .map(|number| doc! {"_id": number, "rif": {"operazione": format!("OP-{number:05}")}, "testo": "ok"});
    database.collection::<Document>("conferme").insert_many(messages).await.unwrap();
    index(&fixture, "trades", "testata.dataOra").await;
    index(&fixture, "conferme", "rif.operazione").await;

    let proposal = fixture.source.propose().await.unwrap();
    assert_eq!(text(&proposal, "/trade_id"), Some("testata.codiceOperazione"), "{proposal:?}");
    assert_eq!(text(&proposal, "/timestamp/path"), Some("testata.dataOra"));
    assert_eq!(text(&proposal, "/timestamp/form"), Some("iso_text"));
    assert_eq!(text(&proposal, "/downstream_collection"), Some("conferme"));
    assert_eq!(text(&proposal, "/downstream_trade_id"), Some("rif.operazione"));
    assert_eq!(text(&proposal, "/filters/product"), Some("prodotto"));
    assert_eq!(text(&proposal, "/filters/receiver"), Some("controparte"));
    let codes: Vec<WarningCode> = proposal.warnings.iter().map(|warning| warning.code).collect();
    assert_eq!(codes, [WarningCode::ZoneUnknown], "an offset that is the same all year is that of no zone");

    fixture.mapping = Mapping::parse(&proposal.mapping.to_string()).unwrap();
    let answer = fixture.fetch("2025-01-01", "2025-06-30").await;
    assert_eq!(answer.rows, AnswerRows { input: 672, downstream: 672 });
    assert_eq!(fixture.fetch("2025-01-01", "2025-06-30").await.mongo_commands, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_index_to_ask_for_and_a_mistyped_collection_are_named() {
    let fixture = Fixture::at(server().uri(), server().uri(), "proposal_slow", "", trades()).await;
    let proposal = fixture.source.propose().await.unwrap();
    let fix = proposal
        .warnings
        .iter()
        .find(|warning| warning.code == WarningCode::NoDayIndex)
        .and_then(|found| found.fix.as_deref());
    assert_eq!(fix, Some(r#"db.getCollection("trades").createIndex({ "testata.dataOra": 1 })"#));
    let elsewhere = Source::new(&SourceSettings {
        uri: server().uri().to_owned(),
        password: None,
        database: fixture.collection.namespace().db,
        collection: "trade".to_owned(),
    });
    let failure = elsewhere.unwrap().propose().await.unwrap_err();
    assert_eq!(failure.code, Code::BadMapping, "{failure:?}");
    assert!(failure.message.contains("There is no collection trade"), "{failure:?}");
}

/// The schema has changed: the newest documents are those that a trader asks for first.
#[tokio::test(flavor = "multi_thread")]
async fn the_shape_of_the_newest_documents_is_proposed() {
    let trade = |number: i32| {
        let at = bson::DateTime::from_millis(1_740_000_000_000 + i64::from(number) * 3_600_000);
        let id = format!("T{number}");
        if number < 500 {
            doc! {"_id": number, "trade_id": id, "ts": at, "prod": "Gas"}
        } else {
            doc! {"_id": number, "tradeId": id, "executedAt": at, "product": "Gas"}
        }
    };
    let trades: Vec<Document> = (0..600).map(trade).collect();
    let fixture = Fixture::at(server().uri(), server().uri(), "proposal_changed", "", trades).await;
    let proposal = fixture.source.propose().await.unwrap();
    assert_eq!(text(&proposal, "/timestamp"), Some("executedAt"), "{proposal:?}");
    assert_eq!(text(&proposal, "/trade_id"), Some("tradeId"));
    let other = proposal.warnings.iter().find(|warning| warning.code == WarningCode::OtherShape);
    let message = &other.expect("the older shape is said").message;
    assert!(message.contains("have ts instead of executedAt"), "{message}");
}

/// Trades and their messages in one collection, under the same id.
#[tokio::test(flavor = "multi_thread")]
async fn trades_are_told_from_messages_in_the_same_collection() {
    let message = |number: i32| {
        let (trade, step) = (number / 4, number % 4);
        let minutes = i64::from(trade) * 60 + i64::from(step);
        doc! {
            "_id": number,
            "dealId": format!("D{trade}"),
            "bookedAt": bson::DateTime::from_millis(1_740_000_000_000 + minutes * 60_000),
            "product": (["Brent", "Gas"][usize::try_from(trade % 2).unwrap()]),
            "msgType": (["NEW", "ACK", "CONFIRM", "CONFIRM"][usize::try_from(step).unwrap()]),
        }
    };
    let documents: Vec<Document> = (0..240).map(message).collect();
    let mut fixture = Fixture::at(server().uri(), server().uri(), "proposal_shared", "", documents).await;
    index(&fixture, "trades", "dealId").await;
    index(&fixture, "trades", "bookedAt").await;
    let proposal = fixture.source.propose().await.unwrap();
    assert_eq!(text(&proposal, "/input_match/msgType"), Some("NEW"), "{proposal:?}");
    assert!(proposal.warnings.iter().any(|warning| warning.code == WarningCode::SharedCollection));
    fixture.mapping = Mapping::parse(&proposal.mapping.to_string()).unwrap();
    let answer = fixture.fetch("2025-02-01", "2025-03-31").await;
    assert_eq!(answer.rows, AnswerRows { input: 60, downstream: 180 });
}
