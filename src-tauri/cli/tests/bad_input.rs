//! Bad input and bad luck: each gets a code or a plain explanation, an exit code of its own, and loses
//! nothing that was cached.

use std::io::Write as _;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use crate::support::{Run, cli, cli_with, read_csv, server};
use bson::{Bson, DateTime, Document, doc};
use mongodb::Client;
use serde_json::Value;
use tidemark_test_server::TestServer;

/// A word that stands for a password: wherever it shows up, a password would.
const PLANTED: &str = "PLANTED-s3cr3t";

async fn load(uri: &str, database: &str, collection: &str, documents: Vec<Document>) {
    let database = Client::with_uri_str(uri).await.unwrap().database(database);
    database.collection::<Document>(collection).insert_many(documents).await.unwrap();
}

/// Ten days of March 2025, three trades a day.
fn march() -> Vec<Document> {
    (0..30)
        .map(|number| doc! {"_id": number, "year": 2025, "day_of_year": 60 + number / 3, "trade_id": format!("T{number}"), "product": "Power"})
        .collect()
}

/// A cache folder, a collection, and a query that is cached before anything bad happens.
struct Fixture {
    uri: String,
    database: String,
    folder: tempfile::TempDir,
}

impl Fixture {
    async fn new(name: &str) -> Self {
        Self::at(server().uri(), server().uri(), name).await
    }

    /// `uri` is what the program gets, `direct` the way in for the test.
    async fn at(uri: &str, direct: &str, name: &str) -> Self {
        let database = format!("bad_{name}");
        Client::with_uri_str(direct).await.unwrap().database(&database).drop().await.unwrap();
        load(direct, &database, "trades", march()).await;
        let fixture = Self { uri: uri.to_owned(), database, folder: tempfile::tempdir().unwrap() };
        let run = fixture.fetch("2025-03-01", "2025-03-03", &[]);
        assert_eq!((run.code, run.text("/answer")), (0, "server"), "{run:?}");
        fixture
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_string_lossy().into_owned()
    }

    fn arguments<'a>(
        &'a self,
        command: &'a str,
        cache: &'a str,
        days: [&'a str; 2],
        more: &[&'a str],
    ) -> Vec<&'a str> {
        let mut arguments =
            vec![command, "--uri", &self.uri, "--db", &self.database, "--collection", "trades"];
        arguments.extend(["--cache", cache, "--from", days[0], "--to", days[1]]);
        arguments.extend(more);
        arguments
    }

    fn fetch(&self, from: &str, to: &str, more: &[&str]) -> Run {
        cli(&self.arguments("fetch", &self.path("cache"), [from, to], more))
    }

    /// The query that was cached at first still is.
    fn nothing_lost(&self) {
        let run = self.fetch("2025-03-01", "2025-03-03", &[]);
        assert_eq!((run.code, run.text("/answer"), run.count("/mongo_commands")), (0, "cache", 0), "{run:?}");
        assert_eq!((run.count("/rows/input"), run.count("/days/from_cache")), (9, 3), "{run:?}");
    }

    fn cached(&self) -> Vec<Value> {
        let run = cli(&["cached", "--cache", &self.path("cache")]);
        assert_eq!(run.code, 0, "{run:?}");
        run.last["cached"].as_array().unwrap().clone()
    }
}

/// The run failed, with this code, and says this in its message, for people and for programs.
fn failed(run: &Run, code: &str, part: &str) {
    assert_eq!(run.code, 1, "{run:?}");
    assert_eq!(run.text("/error/code"), code, "{run:?}");
    let message = run.text("/error/message");
    assert!(message.contains(part), "{message:?} should say {part:?}");
    assert!(run.stderr.contains(message), "{run:?}");
    assert!(run.stderr.lines().count() >= 2, "a message and what to do next: {run:?}");
}

/// A way to the server that can be cut.
struct Tunnel {
    uri: String,
    mode: Arc<AtomicU8>,
}

const OPEN: u8 = 0;
const SILENT: u8 = 1;
const REFUSING: u8 = 2;

impl Tunnel {
    fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let uri =
            format!("mongodb://127.0.0.1:{}/?directConnection=true", listener.local_addr().unwrap().port());
        let mode = Arc::new(AtomicU8::new(OPEN));
        let current = Arc::clone(&mode);
        std::thread::spawn(move || {
            let mut kept = Vec::new();
            for client in listener.incoming().flatten() {
                match current.load(Ordering::SeqCst) {
                    OPEN => {
                        let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
                        for (mut from, mut to) in
                            [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)]
                        {
                            std::thread::spawn(move || {
                                let _ = std::io::copy(&mut from, &mut to);
                                let _ = to.shutdown(Shutdown::Both);
                            });
                        }
                    }
                    SILENT => kept.push(client),
                    _ => drop(client),
                }
            }
        });
        Self { uri, mode }
    }

    fn set(&self, mode: u8) {
        self.mode.store(mode, Ordering::SeqCst);
    }
}

#[test]
fn the_version_names_the_time_zone_rules() {
    let output = crate::support::program().arg("--version").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let rules = tidemark_engine::zone_rules::ZoneRules::in_use();
    assert!(output.status.success());
    let expected = format!("tidemark-cli {}\ntime zone rules {rules}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(text, expected);
}

#[tokio::test]
async fn wrong_usage() {
    let fixture = Fixture::new("usage").await;
    let cache = fixture.path("cache");
    let days = ["2025-03-01", "2025-03-03"];
    for arguments in [
        vec![],
        vec!["fetch"],
        vec!["frobnicate"],
        vec!["forget"],
        vec!["forget", "00000000000000000000000000000000", "--from", "2025-03-01"],
        vec!["pin"],
        vec!["budget", "--cache", &cache, "--set", "20"],
        vec!["budget", "--cache", &cache, "--set", "-1GB"],
        vec!["budget", "--cache", &cache, "--set", "much"],
        fixture.arguments("fetch", &cache, days, &["--filter", "product"]),
        fixture.arguments("fetch", &cache, days, &["--filter", "=Power"]),
        fixture.arguments("fetch", &cache, days, &["--filter", "product=a\\b"]),
        fixture.arguments("fetch", &cache, days, &["--offline", "--refresh"]),
        fixture.arguments("fetch", &cache, days, &["--frobnicate"]),
        fixture.arguments("plan", &cache, days, &["--csv", "x.csv"]),
    ] {
        let run = cli(&arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {run:?}");
        assert!(!run.stderr.is_empty(), "{arguments:?}");
    }
    fixture.nothing_lost();
}

#[tokio::test]
async fn dates_that_cannot_be() {
    let fixture = Fixture::new("dates").await;
    for (from, to, part) in [
        ("2025-02-29", "2025-03-01", "2025-02-29"),
        ("2025-03-01", "2025-02-30", "2025-02-30"),
        ("2025-13-01", "2025-13-02", "2025-13-01"),
        ("2025-3-1", "2025-03-02", "2025-3-1"),
        ("yesterday", "2025-03-02", "yesterday"),
        ("", "2025-03-02", "YYYY-MM-DD"),
        ("2025-03-03", "2025-03-01", "before it begins"),
        ("1925-03-03", "2025-03-01", "longer than"),
    ] {
        for command in ["fetch", "plan"] {
            failed(
                &cli(&fixture.arguments(command, &fixture.path("cache"), [from, to], &[])),
                "bad_range",
                part,
            );
        }
    }
    fixture.nothing_lost();
}

#[tokio::test]
async fn filters_that_cannot_be() {
    let fixture = Fixture::new("filters").await;
    failed(
        &fixture.fetch("2025-03-01", "2025-03-03", &["--filter", "colour=red"]),
        "bad_filter",
        "\"colour\"",
    );
    for (advanced, part) in [
        ("{\"product\": ", "line 1"),
        ("{product: gas}", "line 1, column 11"),
        ("{at: {$gte: ISODate()}}", "a different result each time"),
        ("{$where: 'true'}", "$where"),
        ("[1]", "not an object"),
        ("{\"a\": {\"$oid\": \"x\"}}", "at a "),
        ("{\"a\": 1, \"a\": 2}", "twice"),
        ("{\"$where\": \"true\"}", "$where"),
        ("{\"$or\": [{\"a\": 1}, {\"$and\": [{\"$where\": \"sleep(1)\"}]}]}", "$or[1].$and[0].$where"),
        ("{\"\\u0024where\": \"true\"}", "$where"),
        (
            "{\"$expr\": {\"$function\": {\"body\": \"x\", \"args\": [], \"lang\": \"js\"}}}",
            "$expr.$function",
        ),
        ("{\"$expr\": {\"$accumulator\": {}}}", "$accumulator"),
        // Well formed, and the server does not know it.
        ("{\"product\": {\"$frobnicate\": 1}}", "refused"),
    ] {
        failed(&fixture.fetch("2025-03-01", "2025-03-05", &["--match", advanced]), "bad_filter", part);
    }
    // The shell's own way of writing means what Extended JSON means, for the server and for the cache.
    for (advanced, answer) in [
        ("{product: /^pow/i, _id: {$lt: NumberLong(3)}}", "server"),
        (
            r#"{"_id": {"$lt": {"$numberLong": "3"}}, "product": {"$regularExpression": {"pattern": "^pow", "options": "i"}}}"#,
            "cache",
        ),
    ] {
        let run = fixture.fetch("2025-03-01", "2025-03-03", &["--match", advanced]);
        assert_eq!((run.code, run.text("/answer"), run.count("/rows/input")), (0, answer, 3), "{run:?}");
    }
    // What looks like code and is a value stays a value.
    for value in ["product={\"$where\": \"true\"}", "product=$where"] {
        let run = fixture.fetch("2025-03-01", "2025-03-03", &["--filter", value]);
        assert_eq!((run.code, run.count("/rows/input")), (0, 0), "{run:?}");
    }
    fixture.nothing_lost();
    assert_eq!(fixture.cached().len(), 4, "what failed has left no query behind: {:?}", fixture.cached());
}

/// A match that the server refuses may be the trader's own or one of the mapping's.
#[tokio::test]
async fn the_part_that_the_server_refuses_is_named() {
    let fixture = Fixture::new("refused_part").await;
    let wrong = r#"{"product": {"$frobnicate": 1}}"#;
    let right = r#"{"product": {"$ne": "Oil"}}"#;
    for (part, advanced) in [("input_match", right), ("input_match", ""), ("downstream_match", right)] {
        let file = fixture.path("mapping.json");
        std::fs::write(&file, format!(r#"{{"{part}": {wrong}}}"#)).unwrap();
        let more = ["--mapping", &*file, "--match", advanced, "--log"];
        let run = fixture.fetch("2025-03-01", "2025-03-05", &more);
        failed(&run, "bad_mapping", part);
        assert!(run.text("/error/cause").contains("frobnicate"), "{run:?}");
    }
    let file = fixture.path("mapping.json");
    std::fs::write(&file, format!(r#"{{"input_match": {right}}}"#)).unwrap();
    let more = ["--mapping", &*file, "--match", wrong, "--log"];
    let run = fixture.fetch("2025-03-01", "2025-03-05", &more);
    failed(&run, "bad_filter", "the advanced match");
    // The log has the server's number and reason, and the run by which it is found.
    let record = run.stderr.lines().find(|line| line.contains("the command failed")).unwrap();
    assert!(record.contains("Error code ") && record.contains("frobnicate"), "{record}");
    assert!(record.contains(&format!("run={}", run.text("/error/run"))), "{record}");
    let told = format!("under the run {}", run.text("/error/run"));
    assert!(run.stderr.contains(&told), "{run:?}");
    let span = format!("{{run={} ", run.text("/error/run"));
    assert!(
        run.stderr.lines().any(|line| line.contains(&span) && line.contains("the run failed")),
        "{run:?}"
    );
    fixture.nothing_lost();
}

/// Names with a space or a dot are no names of a database.
#[tokio::test]
async fn the_name_of_the_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().to_string_lossy();
    for name in ["de sk", "de.sk"] {
        let run = cli(&[
            "fetch",
            "--uri",
            server().uri(),
            "--db",
            name,
            "--collection",
            "trades",
            "--cache",
            &cache,
            "--from",
            "2025-03-01",
            "--to",
            "2025-03-03",
        ]);
        failed(&run, "bad_source", "name of the database");
    }
}

#[tokio::test]
async fn mappings_that_cannot_be() {
    let fixture = Fixture::new("mapping").await;
    let file = fixture.path("mapping.json");
    for (text, part) in [
        ("{", "line 1"),
        ("{\"tradeid\": \"x\"}", "tradeid"),
        ("{\"day_zone\": \"Mars/Olympus\"}", "Mars/Olympus"),
        ("{\"year\": null, \"timestamp\": null}", "dates"),
        ("{\"filters\": {\"product\": {\"path\": \"p\", \"type\": \"colour\"}}}", "filters.product.type"),
        ("{\"input_match\": {\"$where\": \"1\"}}", "$where"),
        ("{\"status\": \"kind\"}", "version 2"),
        ("{\"version\": 2, \"timestamp\": {\"path\": \"t\", \"form\": \"epoch\"}}", "timestamp.form"),
        // Nothing wrong with these but that no document has the path.
        ("{\"year\": \"no_such_year\"}", "no_such_year"),
        ("{\"year\": null, \"day_of_year\": null, \"timestamp\": \"no.such.stamp\"}", "no.such.stamp"),
        ("{\"downstream_collection\": \"no_such_messages\", \"day_of_year\": \"nope\"}", "no_such_messages"),
        ("{\"downstream_collection\": \"no_such_messages\"}", "no_such_messages"),
    ] {
        std::fs::write(&file, text).unwrap();
        failed(&fixture.fetch("2025-03-01", "2025-03-03", &["--mapping", &file]), "bad_mapping", part);
    }
    failed(
        &fixture.fetch("2025-03-01", "2025-03-03", &["--mapping", "/no/such/file"]),
        "bad_mapping",
        "/no/such/file",
    );

    // Paths that say less than they should, and are still good for an answer.
    std::fs::write(&file, "{\"trade_id\": \"no_such_id\", \"filters\": {\"product\": \"no.such.product\"}}")
        .unwrap();
    let run = fixture.fetch("2025-03-01", "2025-03-03", &["--mapping", &file]);
    assert_eq!((run.code, run.count("/rows/input"), run.count("/rows/downstream")), (0, 9, 0), "{run:?}");
    assert!(run.stderr.contains("None of these trades has a trade id (no_such_id)"), "{run:?}");
    let again = fixture.fetch("2025-03-01", "2025-03-03", &["--mapping", &file]);
    assert_eq!((again.code, again.count("/mongo_commands")), (0, 0), "{again:?}");
    assert!(again.stderr.contains("None of these trades has a trade id (no_such_id)"), "{again:?}");
    let run = fixture.fetch("2025-03-06", "2025-03-07", &["--mapping", &file, "--filter", "product=Power"]);
    assert_eq!((run.code, run.count("/rows/input")), (0, 0), "{run:?}");
    assert!(run.stderr.contains("no.such.product"), "{run:?}");
    fixture.nothing_lost();
}

#[tokio::test]
async fn a_collection_that_does_not_exist() {
    let fixture = Fixture::new("collection").await;
    let cache = fixture.path("cache");
    for (database, collection, named) in [
        (fixture.database.as_str(), "no such trades", "no such trades"),
        ("no_such_base", "trades", "no_such_base"),
    ] {
        let run = cli(&[
            "fetch",
            "--uri",
            &fixture.uri,
            "--db",
            database,
            "--collection",
            collection,
            "--cache",
            &cache,
            "--from",
            "2025-03-01",
            "--to",
            "2025-03-03",
        ]);
        failed(&run, "bad_mapping", named);
    }
    assert_eq!(fixture.cached().len(), 1);
    fixture.nothing_lost();
}

#[tokio::test]
async fn an_empty_day_of_a_collection_that_begins_with_other_documents() {
    let fixture = Fixture::new("others").await;
    // Names that the driver's own reading of documents stumbles over, and no dates.
    let others: Vec<Document> =
        (100..300).map(|number| doc! {"_id": number, "log": {"$oid": number}}).collect();
    let database = Client::with_uri_str(server().uri()).await.unwrap().database(&fixture.database);
    database.collection::<Document>("mixed").insert_many(others).await.unwrap();
    database.collection::<Document>("mixed").insert_many(march()).await.unwrap();
    let cache = fixture.path("cache");
    let arguments = [
        "fetch",
        "--uri",
        &fixture.uri,
        "--db",
        &fixture.database,
        "--collection",
        "mixed",
        "--cache",
        &cache,
        "--from",
        "2025-04-01",
        "--to",
        "2025-04-02",
    ];
    let run = cli(&arguments);
    assert_eq!((run.code, run.count("/days/fetched"), run.count("/rows/input")), (0, 2, 0), "{run:?}");
    let run = cli(&arguments);
    assert_eq!(
        (run.text("/answer"), run.count("/mongo_commands")),
        ("cache", 0),
        "an empty day is covered too"
    );
}

#[tokio::test]
async fn documents_without_a_trade_id() {
    let fixture = Fixture::new("without").await;
    let without = vec![
        doc! {"_id": "missing", "year": 2025, "day_of_year": 100},
        doc! {"_id": "null", "year": 2025, "day_of_year": 100, "trade_id": Bson::Null},
        doc! {"_id": "none", "year": 2025, "day_of_year": 100, "trade_id": []},
        doc! {"_id": "some", "year": 2025, "day_of_year": 100, "trade_id": "T-1"},
        doc! {"_id": "message", "trade_id": "T-1"},
        doc! {"_id": "nobody's", "trade_id": Bson::Null},
    ];
    load(server().uri(), &fixture.database, "trades", without).await;
    let run = fixture.fetch("2025-04-10", "2025-04-10", &[]);
    assert_eq!((run.code, run.count("/rows/input"), run.count("/rows/downstream")), (0, 4, 1), "{run:?}");
    assert!(run.last["notes"].to_string().contains("3 trades have no trade id"), "{run:?}");
    fixture.nothing_lost();
}

#[tokio::test]
async fn a_server_that_wants_a_password() {
    let auth = TestServer::start_with_auth("ann", PLANTED).unwrap();
    let fixture = Fixture::at(auth.uri(), auth.uri(), "auth").await;
    let wrong = auth.uri().replace("PLANTED", "WRONG");
    assert_ne!(wrong, auth.uri());
    let user_only = format!("mongodb://ann@127.0.0.1:{}/?authSource=admin", auth.port());
    let nobody = format!("mongodb://127.0.0.1:{}/", auth.port());
    let with = |uri: &str, password: Option<&str>, from: &str, to: &str| {
        let fixture = Fixture {
            uri: uri.to_owned(),
            database: fixture.database.clone(),
            folder: tempfile::tempdir().unwrap(),
        };
        let cache = fixture.path("other");
        let arguments = fixture.arguments("fetch", &cache, [from, to], &[]);
        cli_with(&arguments, password.map(|password| ("TIDEMARK_MONGODB_PASSWORD", password)).as_slice())
    };
    failed(&with(&wrong, None, "2025-03-01", "2025-03-03"), "auth_failed", "password");
    failed(&with(&user_only, None, "2025-03-01", "2025-03-03"), "auth_failed", "none was given");
    failed(&with(&user_only, Some("WRONG"), "2025-03-01", "2025-03-03"), "auth_failed", "password");
    let run = with(&user_only, Some(PLANTED), "2025-03-01", "2025-03-03");
    assert_eq!((run.code, run.count("/rows/input")), (0, 9), "{run:?}");
    let run = with(&nobody, None, "2025-03-01", "2025-03-03");
    assert!(run.code == 1 && ["not_authorized", "auth_failed"].contains(&run.text("/error/code")), "{run:?}");

    // The password is no part of the signature: with a wrong one, what is cached still answers, and
    // what is not is refused and harms nothing.
    let mut other = fixture;
    let right = std::mem::replace(&mut other.uri, wrong);
    other.nothing_lost();
    failed(&other.fetch("2025-03-01", "2025-03-05", &[]), "auth_failed", "password");
    other.nothing_lost();
    other.uri = right;
    other.nothing_lost();
    assert_eq!(other.fetch("2025-03-01", "2025-03-05", &["--events"]).code, 0);
    no_password_below(other.folder.path());
}

/// No file of a folder holds the planted password.
fn no_password_below(folder: &Path) {
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            no_password_below(&path);
            continue;
        }
        files += 1;
        let bytes = std::fs::read(&path).unwrap();
        let found = bytes.windows(PLANTED.len()).any(|window| window == PLANTED.as_bytes());
        assert!(!found, "{} holds the password", path.display());
    }
    assert!(files > 0 || folder.read_dir().unwrap().next().is_some());
}

/// Whoever reads what is said to people may leave early; programs still get their line, and the right exit code.
#[tokio::test]
async fn a_reader_of_errors_that_goes_away() {
    let fixture = Fixture::new("early").await;
    let cache = fixture.path("cache");
    let arguments = fixture.arguments("fetch", &cache, ["2025-03-01", "2025-03-05"], &["--offline"]);
    let mut child = crate::support::program()
        .args(arguments)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let last: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(last["days"]["missing"].as_array().unwrap().len(), 2, "{last}");
}

#[tokio::test]
async fn no_password_is_ever_shown() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache").to_string_lossy().into_owned();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let options =
        ["--db", "d", "--collection", "c", "--cache", &cache, "--from", "2025-03-01", "--to", "2025-03-01"];
    let uris = [
        format!("mongodb://ann:{PLANTED}@127.0.0.1:{closed}/?serverSelectionTimeoutMS=200"),
        format!("mongodb://ann:{PLANTED}@host:port/"),
        format!("mongodb://ann:{PLANTED}@host:123456789/"),
        format!("mongodb://ann:{PLANTED}@[::1/"),
        format!("mongodb://ann:{PLANTED}/x@host/"),
        format!("mongodb://ann:{PLANTED}%zz@host/"),
        format!("mongodb://ann:{PLANTED} x@host/"),
        format!("mongodb://ann:x {PLANTED}@host/"),
        format!("mongodb://ann:x\"{PLANTED}@host/"),
        format!("mongodb://ann:{PLANTED}:x@host/"),
        format!("mongodb://ann:{PLANTED}@x@host/"),
        format!("mongodb://ann:{PLANTED}"),
        format!("mongodb://ann:{PLANTED}@"),
        format!("mongodb://ann:{PLANTED}@host/?nosuchoption=1&tls=maybe"),
        format!("mongodb://ann:{PLANTED}@host/?authMechanism=NOPE"),
        format!("mongodb+srv://ann:{PLANTED}@host:1/"),
        format!("mongodb+srv://ann:{PLANTED}@no.such.host.invalid/?connectTimeoutMS=200"),
        format!("ann:{PLANTED}@host"),
        format!("http://ann:{PLANTED}@host/"),
    ];
    // Side by side: some of them wait for a name or a server that is not there.
    std::thread::scope(|scope| {
        for uri in &uris {
            for command in ["fetch", "plan"] {
                let mut arguments = vec![command, "--uri", uri];
                arguments.extend(options);
                scope.spawn(move || {
                    let run = cli(&arguments);
                    // A plan of days that nobody holds can be made with no server in reach.
                    assert!(run.code == 1 || command == "plan" && run.code == 0, "{uri}: {run:?}");
                    assert!(!run.stdout.contains(PLANTED) && !run.stderr.contains(PLANTED), "{uri}: {run:?}");
                });
            }
        }
    });
    let uri = format!("mongodb://ann:{PLANTED}@host/");
    for arguments in [
        vec!["fetch", &uri],
        vec!["fetch", "--url", &uri],
        vec!["fetch", "--uri", &uri, "--frobnicate"],
        vec![&uri],
    ] {
        let run = cli(&arguments);
        assert_eq!(run.code, 2, "{run:?}");
        assert!(!run.stdout.contains(PLANTED) && !run.stderr.contains(PLANTED), "{run:?}");
    }
}

/// A server in reach, then behind a tunnel that does `mode`, then in reach again.
async fn a_host_that(mode: u8, name: &str) {
    let tunnel = Tunnel::to(server().port());
    let fixture = Fixture::at(&tunnel.uri, server().uri(), name).await;
    let csv = fixture.path("trades.csv");
    let partial = fixture.path("trades.partial.csv");
    tunnel.set(mode);
    fixture.nothing_lost();
    let begun = Instant::now();
    let (run, nothing) = std::thread::scope(|scope| {
        // In a cache of its own: a run looks into the other queries' files for days to adopt.
        let nothing = scope.spawn(|| {
            let cache = fixture.path("other");
            cli(&fixture.arguments("fetch", &cache, ["2025-03-05", "2025-03-06"], &[]))
        });
        (fixture.fetch("2025-03-01", "2025-03-05", &["--csv", &csv]), nothing.join().unwrap())
    });
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "nothing waits for a dead server: {:?}",
        begun.elapsed()
    );
    failed(&nothing, "source_unreachable", "server");
    assert_eq!((run.code, run.text("/answer")), (3, "offline"), "{run:?}");
    assert_eq!(run.last["complete"], false);
    assert_eq!(run.last["days"]["missing"], serde_json::json!(["2025-03-04", "2025-03-05"]));
    assert_eq!(run.text("/failure/code"), "source_unreachable");
    assert!(!Path::new(&csv).exists(), "a partial answer is never exported as a complete one");
    assert_eq!(read_csv(&std::fs::read_to_string(&partial).unwrap()).len(), 1 + 9);
    std::fs::remove_file(&partial).unwrap();
    fixture.nothing_lost();
    tunnel.set(OPEN);
    let run = fixture.fetch("2025-03-01", "2025-03-05", &["--csv", &csv]);
    assert_eq!((run.code, run.count("/days/fetched"), run.count("/days/from_cache")), (0, 2, 3), "{run:?}");
    assert!(Path::new(&csv).exists() && !Path::new(&partial).exists());
}

#[tokio::test]
async fn a_host_that_takes_connections_and_says_nothing() {
    a_host_that(SILENT, "silent").await;
}

#[tokio::test]
async fn a_host_that_refuses_connections() {
    a_host_that(REFUSING, "refusing").await;
}

#[tokio::test]
async fn offline() {
    let fixture = Fixture::new("offline").await;
    let (csv, partial) = (fixture.path("t.csv"), fixture.path("t.partial.csv"));
    let run = fixture.fetch("2025-03-01", "2025-03-03", &["--offline", "--csv", &csv]);
    assert_eq!((run.code, run.text("/answer"), run.count("/mongo_commands")), (0, "offline", 0), "{run:?}");
    assert_eq!(read_csv(&std::fs::read_to_string(&csv).unwrap()).len(), 1 + 9);
    std::fs::remove_file(&csv).unwrap();

    let run = fixture.fetch("2025-02-28", "2025-03-04", &["--offline", "--csv", &csv]);
    assert_eq!((run.code, run.text("/answer"), run.count("/mongo_commands")), (3, "offline", 0), "{run:?}");
    assert_eq!(run.last["complete"], false);
    assert_eq!(run.last["days"]["missing"], serde_json::json!(["2025-02-28", "2025-03-04"]));
    assert_eq!((run.count("/days/from_cache"), run.count("/days/fetched")), (3, 0));
    assert!(!Path::new(&csv).exists());
    assert_eq!(read_csv(&std::fs::read_to_string(&partial).unwrap()).len(), 1 + 9);

    // A narrower query is answered offline as well, from the broader one.
    let run = fixture.fetch("2025-03-01", "2025-03-03", &["--offline", "--filter", "product=Power"]);
    assert_eq!((run.code, run.text("/answer"), run.count("/days/adopted")), (0, "offline", 3), "{run:?}");

    failed(&fixture.fetch("2025-04-01", "2025-04-03", &["--offline"]), "not_cached", "cache");
    failed(
        &fixture.fetch("2025-03-01", "2025-03-03", &["--offline", "--match", "{\"a\": 1}"]),
        "not_cached",
        "cache",
    );
    fixture.nothing_lost();
}

#[tokio::test]
async fn the_future_is_never_covered() {
    let fixture = Fixture::new("future").await;
    let in_days = |days: i64| {
        let at = DateTime::from_millis(DateTime::now().timestamp_millis() + days * 86_400_000);
        at.try_to_rfc3339_string().unwrap()[..10].to_owned()
    };
    let run = fixture.fetch(&in_days(-3), &in_days(2), &[]);
    assert_eq!((run.code, &run.last["complete"]), (3, &Value::Bool(false)), "{run:?}");
    assert!(run.last["days"]["missing"].as_array().unwrap().contains(&in_days(2).into()), "{run:?}");
    let run = fixture.fetch(&in_days(2), &in_days(3), &[]);
    assert_eq!((run.code, run.count("/mongo_commands")), (3, 0), "{run:?}");
}

#[tokio::test]
async fn listing_and_forgetting() {
    let fixture = Fixture::new("forget").await;
    let cache = fixture.path("cache");
    let listed = fixture.cached();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0]["days"].as_u64(), listed[0]["input_rows"].as_u64()), (Some(3), Some(9)));
    let signature = listed[0]["signature"].as_str().unwrap();

    failed(&cli(&["forget", "xyz", "--cache", &cache]), "not_cached", "xyz");
    failed(&cli(&["forget", &"0".repeat(32), "--cache", &cache]), "not_cached", "000");
    failed(
        &cli(&["forget", signature, "--cache", &cache, "--from", "2025-03-02", "--to", "2025-03-01"]),
        "bad_range",
        "before",
    );
    fixture.nothing_lost();

    let run = cli(&["forget", signature, "--cache", &cache, "--from", "2025-03-02", "--to", "2025-03-02"]);
    assert_eq!(run.code, 0, "{run:?}");
    let run = fixture.fetch("2025-03-01", "2025-03-03", &["--offline"]);
    assert_eq!(run.last["days"]["missing"], serde_json::json!(["2025-03-02"]));
    let run = fixture.fetch("2025-03-01", "2025-03-03", &[]);
    assert_eq!((run.code, run.count("/days/fetched"), run.count("/rows/input")), (0, 1, 9), "{run:?}");
    assert_eq!(cli(&["forget", signature, "--cache", &cache]).code, 0);
    assert!(fixture.cached().is_empty());
    failed(&fixture.fetch("2025-03-01", "2025-03-03", &["--offline"]), "not_cached", "cache");
}

#[tokio::test]
async fn pinning_and_the_budget() {
    let fixture = Fixture::new("budget").await;
    let cache = fixture.path("cache");
    let run = fixture.fetch("2025-03-01", "2025-03-03", &["--filter", "product=Power"]);
    assert_eq!(run.code, 0, "{run:?}");
    let filtered = run.text("/signature").to_owned();
    failed(&cli(&["pin", "xyz", "--cache", &cache]), "not_cached", "xyz");
    failed(&cli(&["pin", &"0".repeat(32), "--cache", &cache]), "not_cached", "000");
    assert_eq!(cli(&["pin", &filtered, "--cache", &cache]).code, 0);

    let run = cli(&["budget", "--cache", &cache]);
    assert_eq!((run.code, run.count("/budget"), run.count("/queries")), (0, 20_000_000_000, 2), "{run:?}");
    let taken = run.count("/bytes");
    let run = cli(&["budget", "--cache", &cache, "--set", "1kB"]);
    assert_eq!((run.code, run.count("/budget"), run.count("/queries")), (0, 1_000, 1), "{run:?}");
    assert_eq!(run.count("/freed_bytes") + run.count("/bytes"), taken, "{run:?}");
    assert_eq!(run.last["removed"].as_array().unwrap().len(), 1, "{run:?}");
    assert!(
        run.stderr.contains("was removed") && run.stderr.contains("more than its budget of 1 kB"),
        "{run:?}"
    );
    let listed = fixture.cached();
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (listed[0]["signature"].as_str(), &listed[0]["pinned"]),
        (Some(&*filtered), &Value::Bool(true))
    );

    assert_eq!(cli(&["pin", &filtered, "--off", "--cache", &cache]).code, 0);
    assert_eq!(cli(&["budget", "--cache", &cache, "--set", "1kB"]).count("/queries"), 0);
    let run = fixture.fetch("2025-03-01", "2025-03-03", &[]);
    assert_eq!((run.code, run.count("/days/fetched"), run.count("/rows/input")), (0, 3, 9), "{run:?}");
}

#[tokio::test]
async fn events_are_lines_of_json_and_the_answer_comes_last() {
    let fixture = Fixture::new("events").await;
    let run = fixture.fetch("2025-03-01", "2025-03-10", &["--events"]);
    let lines: Vec<Value> = run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (answer, events) = lines.split_last().unwrap();
    assert_eq!(answer["answer"], "part_cache");
    let names: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!((names[0], names[names.len() - 1]), ("planned", "finished"), "{names:?}");
    assert!(names.contains(&"chunk_stored") && names.contains(&"progress"), "{names:?}");
    for key in
        ["signature", "answer", "complete", "days", "rows", "oldest_fetch", "mongo_commands", "elapsed_ms"]
    {
        assert!(answer.get(key).is_some(), "the answer has {key}: {answer}");
    }
}

#[tokio::test]
async fn a_damaged_file_is_set_aside_and_fetched_anew() {
    let fixture = Fixture::new("damaged").await;
    let family = std::fs::read_dir(fixture.path("cache"))
        .unwrap()
        .flatten()
        .find(|entry| entry.path().is_dir())
        .unwrap()
        .path();
    let file = std::fs::read_dir(&family)
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|ending| ending == "duckdb"))
        .unwrap();
    std::fs::File::create(&file).unwrap().write_all(b"this is no database").unwrap();
    let run = fixture.fetch("2025-03-01", "2025-03-03", &[]);
    assert_eq!((run.code, run.text("/answer"), run.count("/rows/input")), (0, "server", 9), "{run:?}");
    assert!(run.stderr.contains("moved aside"), "{run:?}");
    let aside = std::fs::read_dir(&family)
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.contains("damaged") && name.ends_with(".duckdb"))
        .count();
    assert_eq!(aside, 1, "nothing is wiped");
    fixture.nothing_lost();
}

#[tokio::test]
async fn one_day_is_no_days() {
    let fixture = Fixture::new("plural").await;
    let run = fixture.fetch("2025-03-03", "2025-03-04", &["--offline"]);
    assert!(run.stderr.contains("Partial: 1 of 2 days is missing."), "{run:?}");
    let run = fixture.fetch("2025-03-03", "2025-03-05", &["--offline"]);
    assert!(run.stderr.contains("Partial: 2 of 3 days are missing."), "{run:?}");
    let run = fixture.fetch("2025-03-01", "2025-03-01", &["--verify"]);
    assert!(run.stderr.contains("Checked 1 cached day against the server"), "{run:?}");
}
