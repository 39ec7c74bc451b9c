//! Documents as large as MongoDB lets them be, from the server to the CSV and from the cache again.

use crate::support::{cli, read_csv, server};
use bson::{Document, doc};
use mongodb::Client;

/// The most that a document may have, in bytes.
const MOST: usize = 16 << 20;

/// A document whose text makes it as large as it may be.
fn as_large_as_may_be(mut document: Document) -> (Document, String) {
    let piece = "é\"\n,x";
    document.insert("text", "");
    let rest = MOST - bson::serialize_to_vec(&document).unwrap().len();
    let mut text = piece.repeat(rest / piece.len());
    text.push_str(&"x".repeat(rest % piece.len()));
    document.insert("text", &text);
    assert_eq!(bson::serialize_to_vec(&document).unwrap().len(), MOST);
    (document, text)
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_of_16_megabytes() {
    let (trade, trade_text) = as_large_as_may_be(
        doc! {"_id": 1, "trade_id": "T1", "year": 2025, "day_of_year": 60, "after": i64::MAX},
    );
    let (message, message_text) = as_large_as_may_be(doc! {"_id": "M1", "trade_id": "T1"});
    let small = doc! {"_id": 2, "trade_id": "T2", "year": 2025, "day_of_year": 60, "text": "small"};
    let database = Client::with_uri_str(server().uri()).await.unwrap().database("large");
    database.drop().await.unwrap();
    let trades = database.collection::<Document>("trades");
    for document in [&trade, &message, &small] {
        trades.insert_one(document).await.unwrap();
    }

    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (cache, input, downstream) = (place("cache"), place("input.csv"), place("downstream.csv"));
    let mut arguments = vec!["fetch", "--uri", server().uri(), "--db", "large", "--collection", "trades"];
    arguments.extend(["--cache", &cache, "--from", "2025-03-01", "--to", "2025-03-02"]);
    arguments.extend(["--csv", &input, "--downstream-csv", &downstream]);
    for (from, fetched) in [("server", 2), ("cache", 0)] {
        let run = cli(&arguments);
        assert_eq!(
            (run.code, run.text("/answer"), run.count("/days/fetched")),
            (0, from, fetched),
            "{run:?}"
        );
        assert_eq!((run.count("/rows/input"), run.count("/rows/downstream")), (2, 1));
        assert_eq!(run.count("/mongo_commands") == 0, from == "cache", "{run:?}");
        let rows = read_csv(&std::fs::read_to_string(&input).unwrap());
        let column = |name: &str| rows[0].iter().position(|cell| cell.as_deref() == Some(name)).unwrap();
        let cell = |row: usize, name: &str| rows[row][column(name)].as_deref();
        assert_eq!((rows.len(), cell(1, "_id"), cell(2, "_id")), (3, Some("1"), Some("2")));
        assert!(cell(1, "text") == Some(&*trade_text), "{from}: not a letter is lost");
        assert_eq!((cell(1, "after"), cell(2, "after")), (Some("9223372036854775807"), None));
        assert_eq!(cell(2, "text"), Some("small"));
        let rows = read_csv(&std::fs::read_to_string(&downstream).unwrap());
        assert_eq!(rows.len(), 2);
        assert!(rows[1].contains(&Some(message_text.clone())), "{from}: not a letter is lost");
        for file in [&input, &downstream] {
            std::fs::remove_file(file).unwrap();
        }
    }
}
