//! Documents that use data as field names: thousands of fields, in few documents.

use crate::support::fixture::{Fixture, range};
use bson::{Document, doc};
use tidemark_engine::api::rows::ViewKey;
use tidemark_engine::rows::Role;
use tidemark_test_support::server;

const DOCUMENTS: i32 = 600;
const FIELDS_PER_DOCUMENT: i32 = 10;

/// Documents of January of which each has ten fields that no other has, and sub-documents under such names.
fn documents() -> Vec<Document> {
    let of = |number: i32| {
        let mut document = doc! {
            "_id": number, "year": 2025, "day_of_year": number % 31 + 1, "trade_id": format!("T{number}"),
        };
        for field in 0..FIELDS_PER_DOCUMENT {
            let name = format!("price_{}", number * FIELDS_PER_DOCUMENT + field);
            document
                .insert(name, if field % 2 == 0 { number.into() } else { bson::Bson::from(doc! {"x": 0.5}) });
        }
        document.insert("product", "Gas");
        document
    };
    (0..DOCUMENTS).map(of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_fields_are_kept_and_shown() {
    let fixture = Fixture::at(server().uri(), server().uri(), "wide", "", documents()).await;
    let answer = fixture.fetch("2025-01-01", "2025-01-31").await;
    assert_eq!((answer.complete, answer.rows.input), (true, u64::from(DOCUMENTS.unsigned_abs())));
    let (query, all) = (fixture.query(&[]), range("2025-01-01", "2025-01-31"));
    assert_eq!(fixture.ids(&query, all, Role::Input).await, (0..DOCUMENTS).collect::<Vec<_>>());
    let key = ViewKey { signature: fixture.signature().to_string(), from: all.from(), to: all.to() };
    let columns = fixture.engine.view_shape(&key, Role::Input).await.unwrap().columns;
    assert!((1_000..2_000).contains(&columns.len()), "{}", columns.len());
    assert!(columns.iter().any(|column| column.path == "product"));
    assert!(columns.iter().any(|column| column.path == "(more fields)"));
    // A narrower query that is answered from these days has the same documents.
    let gas = fixture.query(&["Gas"]);
    let narrower = fixture
        .run(tidemark_engine::run::FetchRequest {
            query: gas.clone(),
            ..fixture.request("2025-01-01", "2025-01-31")
        })
        .await;
    assert_eq!((narrower.answer().days.adopted, narrower.answer().mongo_commands), (31, 0));
    assert_eq!(fixture.ids(&gas, all, Role::Input).await.len(), 600);
}
