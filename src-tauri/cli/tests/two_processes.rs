//! Two programs on one cache folder: the second is told that a file is in use, and works with the rest.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Condvar, Mutex};

use crate::support::fixture::{Fixture, cache_files};
use crate::support::{Run, cli, server};
use serde_json::Value;

/// A way to the server that holds the pulls of one product until it is opened.
struct Gate {
    uri: String,
    open: Arc<(Mutex<bool>, Condvar)>,
}

impl Gate {
    fn before(product: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let uri =
            format!("mongodb://127.0.0.1:{}/?directConnection=true", listener.local_addr().unwrap().port());
        let open: Arc<(Mutex<bool>, Condvar)> = Arc::default();
        let gate = Arc::clone(&open);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect(("127.0.0.1", server().port())).unwrap();
                let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let gate = Arc::clone(&gate);
                std::thread::spawn(move || {
                    let mut length = [0; 4];
                    while from.read_exact(&mut length).is_ok() {
                        let mut message = vec![0; usize::try_from(u32::from_le_bytes(length)).unwrap()];
                        message[..4].copy_from_slice(&length);
                        if from.read_exact(&mut message[4..]).is_err() {
                            break;
                        }
                        let has = |text: &[u8]| message.windows(text.len()).any(|window| window == text);
                        if has(b"aggregate\0") && has(product.as_bytes()) && !has(b"$count") {
                            let closed = gate.0.lock().unwrap();
                            drop(gate.1.wait_while(closed, |open| !*open).unwrap());
                        }
                        if to.write_all(&message).is_err() {
                            break;
                        }
                    }
                    let _ = to.shutdown(Shutdown::Both);
                });
                std::thread::spawn(move || {
                    let (mut from, mut to) = (server, client);
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(Shutdown::Both);
                });
            }
        });
        Self { uri, open }
    }

    fn set(&self, open: bool) {
        *self.open.0.lock().unwrap() = open;
        self.open.1.notify_all();
    }
}

fn start(fixture: &Fixture, cache: &Path, more: &[&str]) -> Child {
    crate::support::program()
        .args(fixture.arguments(cache, more))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn busy(run: &Run) {
    assert_eq!((run.code, run.text("/error/code")), (1, "cache_busy"), "{run:?}");
    let message = run.text("/error/message");
    assert!(message.contains("Another Tidemark") && run.stderr.contains(message), "{run:?}");
    assert!(run.stderr.contains("Close the other Tidemark"), "what to do next: {run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_is_told_that_a_file_is_in_use_and_works_with_the_rest() {
    let gate = Gate::before("Power");
    let mut fixture = Fixture::new("two", 60, 4, 100).await;
    fixture.uri.clone_from(&gate.uri);
    let fixture = fixture;
    let cache = fixture.path("cache");
    gate.set(true);
    // Both queries are held already in part, so that there is something to lose.
    let days = |product: &'static str| ["--filter", product];
    for product in ["product=Power", "product=Gas"] {
        let arguments = fixture.arguments(&cache, &days(product));
        let shorter: Vec<&str> =
            arguments.iter().map(|text| if *text == fixture.to() { "2025-01-10" } else { text }).collect();
        assert_eq!(cli(&shorter).code, 0);
    }
    gate.set(false);
    let mut first = start(&fixture, &cache, &["--filter", "product=Power", "--events"]);
    let mut lines = BufReader::new(first.stdout.take().unwrap()).lines().map_while(Result::ok);
    let planned = lines.next().unwrap();
    assert!(planned.contains("planned"), "{planned}");
    // It has the file since before the plan; the command line keeps it to its end.
    let power = ["--filter", "product=Power"];
    let second = |more: &[&str]| fixture.fetch(&cache, &[&power, more].concat());
    busy(&second(&[]));
    busy(&second(&["--offline"]));

    let gas = fixture.fetch(&cache, &days("product=Gas"));
    assert_eq!((gas.code, gas.count("/days/from_cache"), gas.count("/days/fetched")), (0, 10, 50), "{gas:?}");
    let whole = fixture.fetch_and_compare(&fixture.path("elsewhere"), &[]);
    assert_eq!(whole.code, 0, "{whole:?}");
    // A broader query in the same folder: the busy one is no hindrance.
    let broad = fixture.fetch_and_compare(&cache, &[]);
    assert_eq!((broad.code, broad.count("/days/fetched")), (0, 60), "{broad:?}");

    let listed = cli(&["cached", "--cache", &cache.to_string_lossy()]);
    let listed: Vec<Value> = listed.last["cached"].as_array().unwrap().clone();
    assert_eq!(listed.len(), 3, "{listed:?}");
    let (in_use, others): (Vec<_>, Vec<_>) = listed.iter().partition(|query| !query["failure"].is_null());
    assert_eq!((in_use.len(), in_use[0]["failure"]["code"].as_str()), (1, Some("cache_busy")), "{in_use:?}");
    assert!(others.iter().all(|query| query["days"] == 60), "{others:?}");
    let signature = in_use[0]["signature"].as_str().unwrap();
    busy(&cli(&["forget", signature, "--cache", &cache.to_string_lossy()]));
    busy(&cli(&[
        "forget",
        signature,
        "--cache",
        &cache.to_string_lossy(),
        "--from",
        "2025-01-01",
        "--to",
        "2025-01-02",
    ]));

    gate.set(true);
    let last: Value = serde_json::from_str(&lines.last().unwrap()).unwrap();
    assert_eq!(
        (first.wait().unwrap().code(), last["days"]["fetched"].as_u64()),
        (Some(0), Some(50)),
        "{last}"
    );
    let after = second(&[]);
    assert_eq!(
        (after.code, after.count("/mongo_commands"), after.count("/rows/input")),
        (0, 0, 120),
        "{after:?}"
    );
    assert_eq!(cache_files(&cache).len(), 3);
}

/// Room is made while another program fetches: what it fetches stays and comes out whole, the rest may go.
#[tokio::test(flavor = "multi_thread")]
async fn room_is_made_beside_the_fetch_of_another() {
    let gate = Gate::before("Power");
    let mut fixture = Fixture::new("evict", 60, 4, 100).await;
    fixture.uri.clone_from(&gate.uri);
    let fixture = fixture;
    let cache = fixture.path("cache");
    let folder = cache.to_string_lossy().into_owned();
    gate.set(true);
    // The one that is being fetched is the least recently used.
    let power = ["--filter", "product=Power"];
    let arguments = fixture.arguments(&cache, &power);
    let to = fixture.to();
    let shorter: Vec<&str> =
        arguments.iter().map(|text| if *text == to { "2025-01-10" } else { text.as_str() }).collect();
    assert_eq!(cli(&shorter).code, 0);
    assert_eq!(fixture.fetch(&cache, &["--filter", "product=Gas"]).code, 0);
    gate.set(false);
    let mut first = start(&fixture, &cache, &[&power[..], &["--events"]].concat());
    let mut lines = BufReader::new(first.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.next().unwrap().contains("planned"));

    let made = cli(&["budget", "--set", "0B", "--cache", &folder]);
    let removed = made.last["removed"].as_array().unwrap();
    assert_eq!((made.code, removed.len(), cache_files(&cache).len()), (0, 1, 1), "{made:?}");
    assert!(made.stderr.contains("is pinned or in use"), "{made:?}");
    // A fetch of this program makes room, too, and does not take the other's for it.
    let gas = fixture.fetch(&cache, &["--filter", "product=Gas"]);
    assert_eq!((gas.code, gas.count("/days/fetched"), cache_files(&cache).len()), (0, 60, 2), "{gas:?}");

    gate.set(true);
    let last: Value = serde_json::from_str(&lines.last().unwrap()).unwrap();
    assert_eq!(first.wait().unwrap().code(), Some(0), "{last}");
    assert_eq!((&last["days"]["from_cache"], &last["days"]["fetched"]), (&10.into(), &50.into()), "{last}");
    // Done, it keeps to the budget itself: the other's query goes, its own stays.
    assert_eq!(cache_files(&cache).len(), 1);
    let after = fixture.fetch(&cache, &power);
    let rows = (after.count("/rows/input"), after.count("/rows/downstream"));
    assert_eq!((after.code, after.count("/mongo_commands"), rows), (0, 0, (120, 120)), "{after:?}");
}

/// Two that begin at the same moment, on a folder that is not there yet: one of them may be told that the file is
/// in use, neither does harm.
#[tokio::test(flavor = "multi_thread")]
async fn two_that_begin_at_once() {
    let fixture = Fixture::new("at_once", 60, 4, 100).await;
    for round in 0..6 {
        let cache = fixture.path(&format!("cache-{round}"));
        let children: Vec<Child> = (0..3).map(|_| start(&fixture, &cache, &[])).collect();
        let mut complete = 0;
        for child in children {
            let output = child.wait_with_output().unwrap();
            let last = String::from_utf8_lossy(&output.stdout).lines().last().map(str::to_owned).unwrap();
            let last: Value = serde_json::from_str(&last).unwrap();
            match output.status.code() {
                Some(0) => complete += 1,
                Some(1) => assert_eq!(last["error"]["code"], "cache_busy", "round {round}: {last}"),
                code => panic!("round {round}: {code:?} {last}"),
            }
            assert!(last["notes"].is_null(), "round {round}: nothing is moved aside: {last}");
        }
        assert!(complete > 0, "round {round}: nobody got through");
        let run = fixture.fetch_and_compare(&cache, &[]);
        assert_eq!((run.code, run.count("/mongo_commands")), (0, 0), "round {round}: {run:?}");
        assert_eq!(cache_files(&cache).len(), 1, "round {round}");
    }
}
