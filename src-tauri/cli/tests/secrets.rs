//! What nobody else may see: passwords anywhere, and the cache for other users of the machine.

use std::path::Path;

use crate::support::{Run, cli_with};
use bson::{Document, doc};
use mongodb::Client;
use tidemark_test_server::TestServer;

/// A password with characters that a connection string must escape.
const PASSWORD: &str = "PLANTED s3cr3t/@:%?\"é";
const ESCAPED: &str = "PLANTED%20s3cr3t%2F%40%3A%25%3F%22%C3%A9";
/// What none of its spellings may leave behind.
const TRACES: [&str; 2] = ["PLANTED", "s3cr3t"];

async fn load(uri: &str) {
    let trades: Vec<Document> = (0..30)
        .map(|number| doc! {"_id": number, "year": 2025, "day_of_year": 60 + number / 3, "trade_id": format!("T{number}")})
        .collect();
    let database = Client::with_uri_str(uri).await.unwrap().database("desk");
    database.collection::<Document>("trades").insert_many(trades).await.unwrap();
}

fn fetch(uri: &str, cache: &Path, password: Option<&str>) -> Run {
    let cache = cache.to_string_lossy();
    let mut arguments = vec!["fetch", "--uri", uri, "--db", "desk", "--collection", "trades", "--events"];
    arguments.extend(["--cache", &*cache, "--from", "2025-03-01", "--to", "2025-03-03", "--log"]);
    // The log of everything, the libraries included, lies where it is searched too.
    let logs = format!("{cache}/logs");
    let mut environment = vec![("RUST_BACKTRACE", "full"), ("RUST_LOG", "trace")];
    environment.extend([("TIDEMARK_LOG", "trace,tidemark=trace"), ("TIDEMARK_LOG_DIR", &logs)]);
    environment.extend(password.map(|password| ("TIDEMARK_MONGODB_PASSWORD", password)));
    cli_with(&arguments, &environment)
}

fn shows_nothing(run: &Run) {
    for trace in TRACES {
        assert!(!run.stdout.contains(trace) && !run.stderr.contains(trace), "{trace}: {run:?}");
    }
}

/// Every file below a folder, its name too.
fn holds_nothing(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        assert!(TRACES.iter().all(|trace| !path.to_string_lossy().contains(trace)), "{}", path.display());
        if path.is_dir() {
            holds_nothing(&path);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        for trace in TRACES {
            let found = bytes.windows(trace.len()).any(|window| window == trace.as_bytes());
            assert!(!found, "{} holds {trace}", path.display());
        }
    }
}

#[tokio::test]
async fn a_password_that_has_to_be_escaped_leaves_no_trace() {
    let server = TestServer::start_with_auth("ann", PASSWORD).unwrap();
    load(server.uri()).await;
    let folder = tempfile::tempdir().unwrap();
    let port = server.port();
    // Right, by the environment and by the connection string; the server is a real one.
    for (uri, password) in [
        (format!("mongodb://ann@127.0.0.1:{port}/?authSource=admin"), Some(PASSWORD)),
        (format!("mongodb://ann:{ESCAPED}@127.0.0.1:{port}/?authSource=admin"), None),
    ] {
        let run = fetch(&uri, folder.path(), password);
        assert_eq!(run.code, 0, "{run:?}");
        shows_nothing(&run);
    }
    // Wrong, out of reach, without TLS, and not to be read: in caches of their own.
    let places = [
        format!("127.0.0.1:{port}/?authSource=admin"),
        "127.0.0.1:9/?serverSelectionTimeoutMS=200".to_owned(),
        format!("127.0.0.1:{port}/?tls=true&authSource=admin"),
        "127.0.0.1:port/".to_owned(),
    ];
    for (number, place) in places.iter().enumerate() {
        let cache = folder.path().join(number.to_string());
        let wrong = format!("{PASSWORD}x");
        for (uri, password) in [
            (format!("mongodb://ann@{place}"), Some(wrong.as_str())),
            (format!("mongodb://ann:{ESCAPED}x@{place}"), None),
            (format!("mongodb://ann:{PASSWORD}@{place}"), None),
        ] {
            let run = fetch(&uri, &cache, password);
            assert_eq!(run.code, 1, "{uri}: {run:?}");
            shows_nothing(&run);
            assert!(run.stderr.contains("the command failed"), "it is logged: {run:?}");
        }
        assert!(cache.join("logs").is_dir(), "there is a log to be searched");
    }
    holds_nothing(folder.path());
}

/// An argument that is no UTF-8 was a fault of the program, which quoted the arguments.
#[cfg(unix)]
#[test]
fn an_argument_that_is_no_text_is_wrong_usage() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let uri = [format!("mongodb://ann:{ESCAPED}").as_bytes(), b"\xff@db1/"].concat();
    for argument in [OsStr::from_bytes(&uri), OsStr::from_bytes(b"\xff")] {
        let output = crate::support::program()
            .args(["fetch", "--uri"])
            .arg(argument)
            .env("RUST_BACKTRACE", "full")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("UTF-8") && !said.contains("fault of its own"), "{said}");
        assert!(TRACES.iter().all(|trace| !said.contains(trace)), "{said}");
    }
}

/// A failure is reported also where nobody reads standard output any more.
#[test]
fn a_reader_that_has_gone_away_is_no_fault() {
    let mut child = crate::support::program()
        .args(["forget", "no signature"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("not a signature") && !said.contains("fault of its own"), "{said}");
    assert_eq!(output.status.code(), Some(1), "{said}");
}

/// The program, where the user's umask lets everybody write.
#[cfg(unix)]
fn careless() -> std::process::Command {
    crate::support::shell("umask 000; exec \"$0\" \"$@\"")
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The families of a cache and the other files of it; each family is its owner's alone.
#[cfg(unix)]
/// The list of processes shows the command line to everybody: a connection string may come by other ways.
#[tokio::test]
async fn a_connection_string_comes_from_a_file_or_the_environment() {
    let server = TestServer::start_with_auth("ann", PASSWORD).unwrap();
    load(server.uri()).await;
    let folder = tempfile::tempdir().unwrap();
    let uri = format!("mongodb://ann:{ESCAPED}@127.0.0.1:{}/?authSource=admin", server.port());
    let file = folder.path().join("uri.txt");
    std::fs::write(&file, format!("{uri}\n")).unwrap();
    let run = |name: &str, way: &[&str], environment: &[(&str, &str)]| {
        let cache = folder.path().join(name).to_string_lossy().into_owned();
        let mut arguments = vec!["fetch", "--db", "desk", "--collection", "trades", "--cache", &cache];
        arguments.extend(["--from", "2025-03-01", "--to", "2025-03-03"]);
        arguments.extend(way);
        let run = cli_with(&arguments, environment);
        shows_nothing(&run);
        run
    };
    let variable = "TIDEMARK_MONGODB_URI";
    let file = file.to_string_lossy();
    for (name, way, environment, warned) in [
        ("line", ["--uri", &*uri].as_slice(), [].as_slice(), true),
        ("file", &["--uri-file", &*file], &[], false),
        ("environment", &[], &[(variable, &*uri)], false),
        // What is said outright counts.
        ("both", &["--uri-file", &*file], &[(variable, "mongodb://127.0.0.1:9/")], false),
    ] {
        let run = run(name, way, environment);
        assert_eq!((run.code, run.count("/rows/input")), (0, 9), "{name}: {run:?}");
        assert_eq!(run.stderr.contains("list of processes"), warned, "{name}: {run:?}");
        assert_eq!(run.last.get("link"), None);
    }
    for way in [&[][..], &["--uri-file", "no/such/file"], &["--uri", &*uri, "--uri-file", &*file]] {
        let run = run("none", way, &[]);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
        assert!(run.stderr.contains("--uri"), "{run:?}");
    }
    // A connection string in the place of something else, and a password that an option has as its value.
    for way in [
        &["--uri-file", &*uri][..],
        &["--uri", &uri, "--mapping", &uri],
        &["--uri", &uri, "--csv", &uri, "--columns", &uri],
        &["--uri", &uri, "--filter", &uri],
        &["--uri", &format!("{uri}&readPreference={ESCAPED}")],
        &["--uri", &format!("{uri}&directConnection={ESCAPED}")],
    ] {
        let run = run("mixed up", way, &[]);
        assert_ne!(run.code, 0, "{way:?} {run:?}");
    }
    // A user without a password in the line is no reason to warn.
    let open = format!("mongodb://ann@127.0.0.1:{}/?authSource=admin", server.port());
    let run = run("apart", &["--uri", &open], &[("TIDEMARK_MONGODB_PASSWORD", PASSWORD)]);
    assert!(run.code == 0 && !run.stderr.contains("list of processes"), "{run:?}");
}

/// If the server's identity cannot be verified, the answer and its notes say so.
#[tokio::test]
async fn a_link_that_is_not_verified_is_told() {
    let server = TestServer::start().unwrap();
    load(server.uri()).await;
    let folder = tempfile::tempdir().unwrap();
    // One address alone, to be reached offline under any option.
    let uri = &*format!("mongodb://127.0.0.1:{}/?directConnection=true", server.port());
    let plain = run_offline(uri, folder.path());
    assert_eq!(plain.last.get("link"), None, "{plain:?}");
    let fetched = fetch(uri, folder.path(), None);
    assert_eq!(fetched.code, 0, "{fetched:?}");
    for option in ["tls=true&tlsInsecure=true", "tls=true&tlsAllowInvalidCertificates=true"] {
        let run = run_offline(&format!("{uri}&{option}"), folder.path());
        assert_eq!((run.code, run.text("/link")), (0, "unverified"), "{run:?}");
        assert!(run.stderr.contains("The connection is not verified"), "{run:?}");
    }
}

fn run_offline(uri: &str, cache: &Path) -> Run {
    let cache = cache.to_string_lossy();
    let arguments = ["fetch", "--uri", uri, "--db", "desk", "--collection", "trades", "--offline"];
    let days = ["--cache", &*cache, "--from", "2025-03-01", "--to", "2025-03-03"];
    cli_with(&[&arguments[..], &days].concat(), &[])
}

fn contents(cache: &Path) -> (Vec<std::path::PathBuf>, Vec<std::path::PathBuf>) {
    let entries = std::fs::read_dir(cache).unwrap().map(|entry| entry.unwrap().path());
    let (families, mut files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    for family in &families {
        assert_eq!(mode(family), 0o700, "{}", family.display());
        files.extend(std::fs::read_dir(family).unwrap().map(|entry| entry.unwrap().path()));
    }
    (families, files)
}

/// The folder is there already and open to all, or is not there yet.
#[cfg(unix)]
#[tokio::test]
async fn the_cache_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    load(crate::support::server().uri()).await;
    let folder = tempfile::tempdir().unwrap();
    let new = folder.path().join("new 'cache' ü");
    let wide = folder.path().join("wide");
    std::fs::create_dir(&wide).unwrap();
    std::fs::set_permissions(&wide, std::fs::Permissions::from_mode(0o777)).unwrap();
    for cache in [&new, &wide] {
        for again in [false, true] {
            let status = careless()
                .args([
                    "fetch",
                    "--uri",
                    crate::support::server().uri(),
                    "--db",
                    "desk",
                    "--collection",
                    "trades",
                ])
                .args(["--from", "2025-03-01", "--to", if again { "2025-03-05" } else { "2025-03-03" }])
                .arg("--cache")
                .arg(cache)
                .status()
                .unwrap();
            assert!(status.success());
            let status = careless().args(["budget", "--set", "1GB", "--cache"]).arg(cache).status();
            assert!(status.unwrap().success());
            let (families, files) = contents(cache);
            // The query's file, the notes of its last use and its format, its lock, and the budget.
            assert_eq!((families.len(), files.len()), (1, 5), "{files:?}");
            for file in files {
                assert_eq!(mode(&file), 0o600, "{}", file.display());
            }
            // As an older version, or somebody else, may have left it.
            std::fs::set_permissions(&families[0], std::fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
    assert_eq!((mode(&new), mode(&wide)), (0o700, 0o777), "a folder that others share stays as it is");
}

/// DuckDB makes its log, and what it spills, with the rights of any file: they are out of reach with their folder.
#[cfg(unix)]
#[tokio::test]
async fn what_lies_beside_the_file_is_out_of_reach_of_others() {
    use std::io::{BufRead as _, BufReader};
    let fixture = crate::support::fixture::Fixture::new("modes", 365, 4, 100).await;
    let begun = std::time::Instant::now();
    for round in 0.. {
        assert!(begun.elapsed().as_secs() < 60, "no kill left a log");
        let cache = fixture.path(&format!("cache-{round}"));
        let mut child = careless()
            .args(fixture.arguments(&cache, &["--events"]))
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        drop(lines.filter(|line| line.contains("chunk_stored")).nth(1));
        child.kill().unwrap();
        child.wait().unwrap();
        let (_, files) = contents(&cache);
        if files.iter().any(|file| file.extension().is_some_and(|ending| ending == "wal")) {
            return;
        }
    }
}
