//! What a connection string asks for against servers that a test scripts: times, replica sets, read preferences.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::support::fixture::Fixture;
use bson::doc;
use tidemark_engine::failure::{Code, Failure, Result};
use tidemark_engine::query::filter::Filters;
use tidemark_engine::source::{Source, SourceSettings};
use tidemark_test_support::scripted::{Script, Scripted};

fn source(uri: &str) -> Result<Source> {
    let [database, collection] = ["desk", "trades"].map(str::to_owned);
    Source::new(&SourceSettings { uri: uri.to_owned(), password: None, database, collection })
}

async fn failure(uri: &str) -> Failure {
    source(uri).unwrap().ping().await.unwrap_err()
}

/// A server whose first answer on each connection comes late, as over a link that has to be set up.
fn slow(server: u16, delay: Duration) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = TcpStream::connect(("127.0.0.1", server)).unwrap();
            let (mut up, mut down) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            let mut to = server;
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut up, &mut to);
                let _ = to.shutdown(Shutdown::Both);
            });
            std::thread::spawn(move || {
                let mut client = client;
                let mut first = [0; 4_096];
                let Ok(read) = down.read(&mut first) else { return };
                std::thread::sleep(delay);
                if client.write_all(&first[..read]).is_ok() {
                    let _ = std::io::copy(&mut down, &mut client);
                }
                let _ = client.shutdown(Shutdown::Both);
            });
        }
    });
    port
}

#[tokio::test]
async fn a_server_whose_first_answer_takes_four_seconds() {
    let server = Scripted::start(Script::default());
    let uri =
        format!("mongodb://127.0.0.1:{}/?directConnection=true", slow(server.port, Duration::from_secs(4)));
    let begun = Instant::now();
    assert_eq!(failure(&uri).await.code, Code::SourceUnreachable);
    assert!(begun.elapsed() < Duration::from_secs(10), "it takes {:?} to say so", begun.elapsed());
    let options =
        ["serverSelectionTimeoutMS=20000", "connectTimeoutMS=20000", "timeoutMS=20000&connectTimeoutMS=9000"];
    let pings = options.map(async |allows| {
        let source = source(&format!("{uri}&{allows}")).unwrap();
        source.ping().await.expect(allows);
        source.version().await.expect(allows);
    });
    futures_util::future::join_all(pings).await;
    let begun = Instant::now();
    failure(&format!("{uri}&timeoutMS=500&serverSelectionTimeoutMS=20000")).await;
    assert!(begun.elapsed() < Duration::from_secs(4), "timeoutMS is the limit of all: {:?}", begun.elapsed());
}

#[tokio::test]
async fn a_replica_set_of_a_different_name() {
    let set = Scripted::start(Script { hello: doc! {"setName": "rs0"}, ..Script::default() });
    let alone = Scripted::start(Script::default());
    for (port, found) in [(set.port, "rs0"), (alone.port, "not a member")] {
        for direct in ["", "&directConnection=true"] {
            let failure = failure(&format!("mongodb://127.0.0.1:{port}/?replicaSet=rs9{direct}")).await;
            assert_eq!(failure.code, Code::BadSource, "{failure:?}");
            assert!(failure.message.contains("replicaSet=rs9"), "{failure:?}");
            assert!(failure.message.contains(found), "{failure:?}");
        }
    }
    let right = source(&format!("mongodb://127.0.0.1:{}/?replicaSet=rs0", set.port)).unwrap();
    right.ping().await.unwrap();
}

#[tokio::test]
async fn a_read_preference_that_no_member_meets() {
    let primary = Scripted::start(Script { hello: doc! {"setName": "rs0"}, ..Script::default() });
    let uri = format!("mongodb://127.0.0.1:{}/?replicaSet=rs0", primary.port);
    let unmet = failure(&format!("{uri}&readPreference=secondary")).await;
    assert_eq!(unmet.code, Code::SourceUnreachable);
    assert!(unmet.message.contains("the read preference secondary"), "{unmet:?}");
    let unmet = failure(&format!("{uri}&readPreference=nearest&readPreferenceTags=dc:ny")).await;
    assert!(unmet.message.contains("the read preference nearest and its tags"), "{unmet:?}");

    let hello = doc! {"setName": "rs0", "isWritablePrimary": false, "ismaster": false, "secondary": true};
    let secondary = Scripted::start(Script { hello, ..Script::default() });
    let uri = format!("mongodb://127.0.0.1:{}/?replicaSet=rs0", secondary.port);
    let unmet = failure(&format!("{uri}&readPreference=primary")).await;
    assert!(unmet.message.contains("no primary"), "{unmet:?}");
    source(&uri).unwrap().ping().await.unwrap();
}

/// A port of this computer on which nothing listens.
fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn a_port_that_refuses_and_a_name_that_does_not_resolve_are_named() {
    let port = closed_port();
    let refused = failure(&format!("mongodb://127.0.0.1:{port}/")).await;
    assert_eq!(refused.code, Code::SourceUnreachable);
    assert!(refused.message.starts_with(&format!("127.0.0.1:{port} refuses connections")), "{refused:?}");
    let unknown = failure("mongodb://nonexistent.invalid:27018/").await;
    assert_eq!(unknown.code, Code::SourceUnreachable);
    assert!(unknown.message.starts_with("The name nonexistent.invalid does not resolve"), "{unknown:?}");
    let both = failure(&format!("mongodb://127.0.0.1:{port},nonexistent.invalid/?replicaSet=rs0")).await;
    assert_eq!(both.code, Code::SourceUnreachable);
    assert!(both.message.starts_with("None of the 2 hosts can be reached: "), "{both:?}");
    assert!(both.message.contains("nonexistent.invalid does not resolve"), "{both:?}");
}

#[tokio::test]
async fn two_hosts_and_one_connection() {
    let failure = source("mongodb://db1:27017,db2:27017/?directConnection=true").unwrap_err();
    assert_eq!(failure.code, Code::BadSource);
    assert!(
        failure.message.contains("directConnection=true") && failure.message.contains('2'),
        "{failure:?}"
    );
    let wrong = self::failure("mongodb://127.0.0.1:1/?loadBalanced=true&replicaSet=rs0").await;
    assert_eq!(wrong.code, Code::BadSource, "{wrong:?}");
}

#[tokio::test]
async fn a_file_that_is_missing() {
    for option in ["tlsCAFile", "tlsCertificateKeyFile"] {
        let failure = failure(&format!("mongodb://127.0.0.1:1/?tls=true&{option}=/nowhere/it.pem")).await;
        assert_eq!(failure.code, Code::BadSource);
        assert!(
            failure.message.contains(option) && failure.message.contains("/nowhere/it.pem"),
            "{failure:?}"
        );
    }
}

/// The driver prints the server's reply in hexadecimal, at the end of all that it says.
#[tokio::test]
async fn a_cause_is_words() {
    let fixture = Fixture::new("cause").await;
    let mut request = fixture.request("2025-01-01", "2025-01-02");
    request.query.filters = Filters::parse(&fixture.mapping, &[], r#"{"$nonsense": 1}"#).unwrap();
    let failure = fixture.run(request).await.result.unwrap_err();
    assert_eq!(failure.code, Code::BadFilter, "{failure:?}");
    let cause = failure.cause.unwrap();
    assert!(cause.contains("$nonsense"), "{cause}");
    assert!(!cause.contains("RawDocumentBuf") && !cause.contains("server response"), "{cause}");
}
