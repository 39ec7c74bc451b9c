//! Where the rows go: into files, through links, into pipes and devices, and onto standard output. Nothing that lies
//! beside a file is harmed, and what could not be written is not called a success.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::support::{Run, cli, read_csv, server};
use bson::{Binary, Document, UuidRepresentation, doc};
use mongodb::Client;
use serde_json::Value;

const DAYS: [&str; 2] = ["2025-03-01", "2025-03-03"];

/// Three days of March 2025 with two trades each, and a message per trade.
struct Fixture {
    database: String,
    folder: tempfile::TempDir,
}

impl Fixture {
    async fn new(name: &str) -> Self {
        let documents = (0..6).flat_map(|number| {
            let (id, ack) = (format!("T{number}"), format!("A{number}"));
            [
                doc! {"_id": &id, "trade_id": &id, "year": 2025, "day_of_year": 60 + number / 2, "product": "Power"},
                doc! {"_id": ack, "trade_id": &id, "text": "ack"},
            ]
        });
        Self::with(name, documents.collect()).await
    }

    async fn with(name: &str, documents: Vec<Document>) -> Self {
        let database = format!("exports_{name}");
        let all = Client::with_uri_str(server().uri()).await.unwrap().database(&database);
        all.drop().await.unwrap();
        if !documents.is_empty() {
            all.collection::<Document>("trades").insert_many(documents).await.unwrap();
        }
        Self { database, folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_string_lossy().into_owned()
    }

    fn arguments<'a>(&'a self, cache: &'a str, days: [&'a str; 2], more: &[&'a str]) -> Vec<&'a str> {
        let mut arguments = vec!["fetch", "--uri", server().uri(), "--db", &self.database];
        arguments.extend(["--collection", "trades", "--cache", cache, "--from", days[0], "--to", days[1]]);
        arguments.extend(more);
        arguments
    }

    fn fetch(&self, more: &[&str]) -> Run {
        cli(&self.arguments(&self.path("cache"), DAYS, more))
    }

    /// Runs the program with standard output going elsewhere.
    fn fetch_into(&self, output: impl Into<Stdio>, more: &[&str]) -> Output {
        crate::support::program()
            .args(self.arguments(&self.path("cache"), DAYS, more))
            .stdout(output)
            .stderr(Stdio::piped())
            .output()
            .unwrap()
    }

    /// The files beside the cache.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap().flatten();
        let mut names: Vec<String> = entries
            .map(|entry| entry.file_name().into_string().unwrap())
            .filter(|name| name != "cache")
            .collect();
        names.sort();
        names
    }
}

fn rows(path: impl AsRef<Path>) -> usize {
    read_csv(&fs::read_to_string(path).unwrap()).len() - 1
}

fn mode(path: impl AsRef<Path>) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// The last line of standard error, as JSON.
fn last_line(stderr: &[u8]) -> Value {
    let text = String::from_utf8_lossy(stderr);
    serde_json::from_str(text.lines().last().unwrap_or_default()).unwrap_or_default()
}

fn full() -> fs::File {
    fs::File::options().write(true).open("/dev/full").unwrap()
}

#[tokio::test]
async fn links_are_followed_and_nothing_beside_a_file_is_harmed() {
    let fixture = Fixture::new("links").await;
    for name in ["real.csv", "precious"] {
        fs::write(fixture.path(name), "before").unwrap();
    }
    fs::set_permissions(fixture.path("real.csv"), fs::Permissions::from_mode(0o640)).unwrap();
    fs::create_dir(fixture.path("other")).unwrap();
    symlink("real.csv", fixture.path("link.csv")).unwrap();
    symlink("other/new.csv", fixture.path("dangling.csv")).unwrap();
    // What an export was once written as until it was whole.
    for name in ["link.csv.unfinished", "real.csv.unfinished"] {
        symlink("precious", fixture.path(name)).unwrap();
    }
    let run = fixture.fetch(&[
        "--csv",
        &fixture.path("link.csv"),
        "--downstream-csv",
        &fixture.path("dangling.csv"),
    ]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!((rows(fixture.path("real.csv")), rows(fixture.path("other/new.csv"))), (6, 6));
    assert_eq!(mode(fixture.path("real.csv")), 0o640);
    assert_eq!(fs::read_link(fixture.path("link.csv")).unwrap(), Path::new("real.csv"));
    assert_eq!(fs::read_link(fixture.path("dangling.csv")).unwrap(), Path::new("other/new.csv"));
    assert_eq!(fs::read_to_string(fixture.path("precious")).unwrap(), "before");
    assert_eq!(
        fixture.names(),
        [
            "dangling.csv",
            "link.csv",
            "link.csv.unfinished",
            "other",
            "precious",
            "real.csv",
            "real.csv.unfinished"
        ]
    );
    let run = fixture.fetch(&["--csv", &fixture.path("other")]);
    assert_eq!((run.code, run.text("/error/code")), (1, "export_failed"), "{run:?}");
    assert!(run.text("/error/message").contains("it is a folder"), "{run:?}");
    let run = fixture.fetch(&["--csv", &fixture.path("nowhere/x.csv")]);
    assert!(run.text("/error/message").contains("there is no such folder"), "{run:?}");
}

#[tokio::test]
async fn a_new_file_has_the_rights_of_any_new_file() {
    let fixture = Fixture::new("rights").await;
    let (any, csv) = (fixture.path("any"), fixture.path("x.csv"));
    fs::write(&any, "").unwrap();
    assert_eq!(fixture.fetch(&["--csv", &csv]).code, 0);
    assert_eq!(mode(&csv), mode(&any));
    assert_eq!(fs::metadata(&csv).unwrap().gid(), fs::metadata(&any).unwrap().gid());
    for rights in [0o600, 0o664] {
        fs::set_permissions(&csv, fs::Permissions::from_mode(rights)).unwrap();
        assert_eq!(fixture.fetch(&["--csv", &csv]).code, 0);
        assert_eq!(mode(&csv), rights);
    }
}

#[tokio::test]
async fn a_pipe_and_a_device_are_written_to() {
    let fixture = Fixture::new("pipe").await;
    let (pipe, csv) = (fixture.path("pipe"), fixture.path("read.csv"));
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut reader = Command::new("cat").arg(&pipe).stdout(fs::File::create(&csv).unwrap()).spawn().unwrap();
    let run = fixture.fetch(&["--csv", &pipe, "--downstream-csv", "/dev/null"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(reader.wait().unwrap().success());
    assert_eq!(rows(&csv), 6);
    assert_eq!(fixture.names(), ["pipe", "read.csv"]);
    // A pipe has no other name for a partial answer: the answer says it.
    let mut reader = Command::new("cat").arg(&pipe).stdout(fs::File::create(&csv).unwrap()).spawn().unwrap();
    let cache = fixture.path("cache");
    let more = ["--offline", "--csv", &pipe];
    let run = cli(&fixture.arguments(&cache, ["2025-03-01", "2025-03-04"], &more));
    assert_eq!((run.code, run.text("/csv")), (3, &*pipe), "{run:?}");
    assert!(reader.wait().unwrap().success());
    assert_eq!(rows(&csv), 6);
    // A device that is full is no full disk: what it took cannot be taken back.
    let run = fixture.fetch(&["--csv", "/dev/full"]);
    assert_eq!((run.code, run.text("/error/code")), (1, "export_failed"), "{run:?}");
    assert!(run.text("/error/message").contains("no space left"), "{run:?}");
    assert!(fs::metadata("/dev/full").is_ok_and(|found| !found.is_file()));
}

#[tokio::test]
async fn a_minus_is_standard_output() {
    let fixture = Fixture::new("minus").await;
    let csv = fixture.path("x.csv");
    for name in ["-", "/dev/stdout", "/dev/fd/1"] {
        let done = fixture.fetch_into(Stdio::piped(), &["--csv", name, "--events"]);
        assert_eq!(done.status.code(), Some(0), "{name}: {done:?}");
        assert_eq!(read_csv(&String::from_utf8(done.stdout).unwrap()).len(), 7, "{name}");
        assert_eq!(last_line(&done.stderr)["csv"], "-", "{name}");
        assert_eq!(last_line(&done.stderr)["complete"], true, "{name}");
    }
    // The file that standard output is redirected to is standard output.
    let done = fixture.fetch_into(fs::File::create(&csv).unwrap(), &["--csv", &csv]);
    assert_eq!((done.status.code(), rows(&csv)), (Some(0), 6), "{done:?}");
    assert_eq!(last_line(&done.stderr)["csv"], "-");
    let done = fixture.fetch_into(Stdio::piped(), &["--csv", "-", "--downstream-csv", &csv]);
    assert_eq!((done.status.code(), rows(&csv)), (Some(0), 6), "{done:?}");
    assert_eq!(fixture.names(), ["x.csv"], "no file has the name -");
}

#[tokio::test]
async fn one_place_for_two_exports_is_wrong_usage() {
    let fixture = Fixture::new("twice").await;
    symlink("x.csv", fixture.path("link.csv")).unwrap();
    fs::create_dir(fixture.path("sub")).unwrap();
    let csv = fixture.path("x.csv");
    for other in ["x.csv", "./x.csv", "sub/../x.csv", "link.csv", "x.partial.csv"] {
        let run = fixture.fetch(&["--csv", &csv, "--downstream-csv", &fixture.path(other)]);
        assert_eq!(run.code, 2, "{other}: {run:?}");
        assert!(run.stderr.contains("--csv and --downstream-csv lead to one file"), "{run:?}");
        assert!(!Path::new(&csv).exists() && !Path::new(&fixture.path("cache")).exists(), "{other}");
    }
    assert_eq!(fixture.fetch(&["--csv", "-", "--downstream-csv", "/dev/stdout"]).code, 2);
}

#[tokio::test]
async fn a_full_device_as_standard_output_is_no_success() {
    let fixture = Fixture::new("full").await;
    for more in [&[][..], &["--events"], &["--csv", "-"]] {
        let done = fixture.fetch_into(full(), more);
        let said = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(1), "{more:?}: {said}");
        assert!(said.contains("Standard output could not be written"), "{more:?}: {said}");
    }
    for arguments in [&["--help"][..], &["--version"], &["cached", "--cache", &fixture.path("cache")]] {
        let program = crate::support::program().args(arguments).stdout(full()).output();
        assert_eq!(program.unwrap().status.code(), Some(1), "{arguments:?}");
    }
}

#[tokio::test]
async fn an_older_file_of_the_other_kind_is_removed_or_named() {
    let fixture = Fixture::new("older").await;
    let (csv, partial) = (fixture.path("x.csv"), fixture.path("x.partial.csv"));
    let cache = fixture.path("cache");
    assert_eq!(fixture.fetch(&[]).code, 0);
    let longer = |more: &[&str]| cli(&fixture.arguments(&cache, ["2025-03-01", "2025-03-04"], more));
    let run = longer(&["--offline", "--csv", &csv]);
    assert_eq!((run.code, run.text("/csv")), (3, &*partial), "{run:?}");
    // The complete answer replaces the partial one.
    let run = longer(&["--csv", &csv]);
    assert_eq!((run.code, run.text("/csv")), (0, &*csv), "{run:?}");
    assert!(!Path::new(&partial).exists());
    assert!(run.text("/notes/0").contains("x.partial.csv, from an earlier partial answer"), "{run:?}");
    assert!(run.stderr.contains(run.text("/notes/0")), "{run:?}");
    // A complete answer is nobody's to remove; that it is older is said.
    let before = fs::read(&csv).unwrap();
    let run = cli(&fixture.arguments(&cache, ["2025-03-01", "2025-03-05"], &["--offline", "--csv", &csv]));
    assert_eq!((run.code, run.text("/csv")), (3, &*partial), "{run:?}");
    let notes = run.last["notes"].to_string();
    assert!(notes.contains("x.csv is from an earlier export"), "{run:?}");
    assert_eq!(fs::read(&csv).unwrap(), before);
    // A link of that name is not ours.
    fs::remove_file(&partial).unwrap();
    symlink("x.csv", &partial).unwrap();
    let run = longer(&["--csv", &csv]);
    assert!(run.text("/notes/0").contains("does not belong to this one"), "{run:?}");
    assert!(fs::symlink_metadata(&partial).unwrap().is_symlink());
}

/// Documents of five days whose fields turn up in another order every day, and some in one day alone.
fn changing() -> Vec<Document> {
    vec![
        doc! {"_id": 1, "zeta": 1, "price": 2.5, "product": "Gas", "trade_id": "T1", "year": 2025, "day_of_year": 60, "legs": {"b": 1, "a": 2}},
        doc! {"_id": 2, "day_of_year": 61, "year": 2025, "alpha": 1, "cell": "C", "trade_id": "T2", "legs": {"a": 1, "c": 2}},
        doc! {"_id": 3, "price": "none", "trade_id": "T3", "day_of_year": 62, "year": 2025, "receiver": "R", "product": ["Gas"]},
    ]
}

fn header(path: impl AsRef<Path>) -> Vec<String> {
    read_csv(&fs::read_to_string(path).unwrap())[0].iter().flatten().cloned().collect()
}

#[tokio::test]
async fn the_order_of_columns_does_not_depend_on_the_order_of_fetching() {
    let fixture = Fixture::with("order", changing()).await;
    let expected = [
        "_id",
        "trade_id",
        "year",
        "day_of_year",
        "product",
        "cell",
        "receiver",
        "alpha",
        "legs.a",
        "legs.b",
        "legs.c",
        "price",
        "zeta",
    ];
    let csv = fixture.path("x.csv");
    let orders = [["01", "02", "03"], ["03", "02", "01"], ["02", "03", "01"]];
    for (number, order) in orders.iter().enumerate() {
        let cache = fixture.path(&format!("cache-{number}"));
        for day in order {
            let day = format!("2025-03-{day}");
            assert_eq!(cli(&fixture.arguments(&cache, [&day, &day], &[])).code, 0);
        }
        let run = cli(&fixture.arguments(&cache, DAYS, &["--csv", &csv]));
        assert_eq!((run.code, run.text("/answer")), (0, "cache"), "{run:?}");
        assert_eq!(header(&csv), expected, "{order:?}");
    }
    // The mapping in use counts, not the one that the file was made with: their signatures are one.
    let mapping = fixture.path("mapping.json");
    fs::write(&mapping, r#"{"changed_at": "zeta", "filters": {"cell": "alpha", "price": "price"}}"#).unwrap();
    let cache = fixture.path("cache-0");
    let run = cli(&fixture.arguments(&cache, DAYS, &["--csv", &csv, "--mapping", &mapping, "--offline"]));
    assert_eq!(run.code, 0, "{run:?}");
    let expected = [
        "_id",
        "trade_id",
        "year",
        "day_of_year",
        "zeta",
        "product",
        "alpha",
        "receiver",
        "price",
        "cell",
        "legs.a",
        "legs.b",
        "legs.c",
    ];
    assert_eq!(header(&csv), expected);
}

#[tokio::test]
async fn an_empty_range_has_the_columns_of_the_mapping() {
    let fixture = Fixture::with("empty", changing()).await;
    let (csv, downstream, cache) = (fixture.path("x.csv"), fixture.path("y.csv"), fixture.path("cache"));
    let expected = [
        "_id",
        "trade_id",
        "timestamp",
        "year",
        "day_of_year",
        "product",
        "cell",
        "receiver",
        "attribute",
        "relatedDispatcher",
        "relatedAttributes",
    ];
    let both = ["--csv", &*csv, "--downstream-csv", &*downstream];
    let empty = ["2025-03-10", "2025-03-11"];
    // What else is cached makes no difference.
    for _ in 0..2 {
        let run = cli(&fixture.arguments(&cache, empty, &both));
        assert_eq!((run.code, run.count("/rows/input")), (0, 0), "{run:?}");
        assert_eq!(header(&csv), expected);
        assert_eq!(header(&downstream), ["_id", "trade_id"]);
        assert_eq!(rows(&csv), 0);
        assert_eq!(fixture.fetch(&[]).code, 0);
    }
    let run = cli(&fixture.arguments(&cache, empty, &["--csv", &csv, "--columns", "price,anything"]));
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(header(&csv), ["price", "anything"]);
}

/// A file of the cache is no place for an export, nor is what lies beside it.
#[tokio::test]
async fn no_export_replaces_a_cached_query() {
    let fixture = Fixture::with("into_cache", changing()).await;
    assert_eq!(fixture.fetch(&[]).code, 0);
    let cache = fs::read_dir(fixture.path("cache")).unwrap().flatten().map(|entry| entry.path());
    let family = cache.into_iter().find(|path| path.is_dir()).unwrap();
    let file = fs::read_dir(&family).unwrap().flatten().map(|entry| entry.path());
    let file =
        file.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "duckdb")).unwrap();
    for target in [file.clone(), file.with_extension("lock"), family.join("other.duckdb")] {
        let run = fixture.fetch(&["--csv", &target.to_string_lossy()]);
        assert_eq!((run.code, run.text("/error/code")), (1, "export_failed"), "{run:?}");
    }
    let csv = family.join("trades.csv").to_string_lossy().into_owned();
    let run = fixture.fetch(&["--csv", &csv, "--offline"]);
    assert_eq!((run.code, rows(&csv)), (0, 3), "{run:?}");
}

#[tokio::test]
async fn columns_are_chosen_and_ordered() {
    let fixture = Fixture::with("chosen", changing()).await;
    let csv = fixture.path("x.csv");
    let run = fixture.fetch(&["--csv", &csv, "--columns", "price, legs.a,_id"]);
    assert_eq!(run.code, 0, "{run:?}");
    let some = |text: &str| Some(text.to_owned());
    let expected = [
        vec![some("price"), some("legs.a"), some("_id")],
        vec![some("2.5"), some("2"), some("1")],
        vec![None, some("1"), some("2")],
        vec![some("none"), None, some("3")],
    ];
    assert_eq!(read_csv(&fs::read_to_string(&csv).unwrap()), expected);
    // A column that rows of other days have is a column; so is one that the mapping names.
    let (cache, day) = (fixture.path("cache"), ["2025-03-01", "2025-03-01"]);
    let run = cli(&fixture.arguments(&cache, day, &["--csv", &csv, "--columns", "_id,alpha,attribute"]));
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(read_csv(&fs::read_to_string(&csv).unwrap())[1], [some("1"), None, None]);
    // The next day may have it, so a scheduled export does not fail.
    let run = cli(&fixture.arguments(&cache, day, &["--csv", &csv, "--columns", "_id,counterparty"]));
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(read_csv(&fs::read_to_string(&csv).unwrap())[1], [some("1"), None]);
    assert!(
        run.last["notes"].to_string().contains("No cached document has the field counterparty"),
        "{run:?}"
    );
    for (typed, meant) in [("Price", "price"), ("legs", "legs.a, legs.b or legs.c"), ("prise", "price")] {
        let run = fixture.fetch(&["--csv", &csv, "--columns", &format!("_id,{typed}")]);
        assert_eq!((run.code, run.text("/error/code")), (1, "bad_filter"), "{run:?}");
        let message = format!("There is no column {typed} to export. Did you mean {meant}?");
        assert_eq!(run.text("/error/message"), message);
    }
    for (arguments, why) in [
        (vec!["--csv", &*csv, "--columns", "a,a"], "appears twice"),
        (vec!["--csv", &*csv, "--columns", "a,,b"], "is missing between the commas"),
        (vec!["--columns", "a"], "--csv"),
    ] {
        let run = fixture.fetch(&arguments);
        assert!(run.code == 2 && run.stderr.contains(why), "{run:?}");
    }
}

const UUIDS: [&str; 3] = [
    "00112233-4455-6677-8899-aabbccddeeff",
    "11112222-3333-4444-5555-666677778888",
    "ffffffff-0000-1111-2222-333333333333",
];

/// Trades with a UUID each, as a driver of some kind stores it, and one in an array.
fn with_uuids(representation: UuidRepresentation) -> Vec<Document> {
    let stored = |text: &str, representation| {
        let uuid = bson::Uuid::parse_str(text).unwrap();
        Binary::from_uuid_with_representation(uuid, representation)
    };
    (0..3)
        .map(|number: usize| {
            let (uuid, more) = (UUIDS[number], UUIDS[(number + 1) % 3]);
            doc! {
                "_id": stored(uuid, UuidRepresentation::Standard), "ref": stored(uuid, representation),
                "refs": [stored(uuid, representation), stored(more, representation)], "trade_id": uuid,
                "year": 2025, "day_of_year": 60 + i32::try_from(number).unwrap(),
            }
        })
        .collect()
}

#[tokio::test]
async fn uuids_are_shown_and_found() {
    for (name, representation) in [
        ("standard", UuidRepresentation::Standard),
        ("java_legacy", UuidRepresentation::JavaLegacy),
        ("csharp_legacy", UuidRepresentation::CSharpLegacy),
        ("python_legacy", UuidRepresentation::PythonLegacy),
    ] {
        let fixture = Fixture::with(&format!("uuids_{name}"), with_uuids(representation)).await;
        let (csv, mapping, cache) =
            (fixture.path("x.csv"), fixture.path("mapping.json"), fixture.path("cache"));
        let text = format!(
            r#"{{"uuid_representation": "{name}", "filters": {{"ref": {{"path": "ref", "type": "uuid"}}, "refs": {{"path": "refs", "type": "uuid"}}}}}}"#
        );
        fs::write(&mapping, text).unwrap();
        let fetch = |more: &[&str]| {
            let all = [&["--mapping", &mapping, "--csv", &csv, "--columns", "_id,ref,refs"], more].concat();
            let run = cli(&fixture.arguments(&cache, DAYS, &all));
            assert_eq!(run.code, 0, "{name}: {run:?}");
            let table = read_csv(&fs::read_to_string(&csv).unwrap());
            (run, table[1..].to_vec())
        };
        let (run, all) = fetch(&[]);
        assert_eq!(run.text("/answer"), "server");
        let row = |number: usize| {
            let (uuid, more) = (UUIDS[number], UUIDS[(number + 1) % 3]);
            let refs = format!(r#"[{{"$uuid":"{uuid}"}},{{"$uuid":"{more}"}}]"#);
            [uuid.to_owned(), uuid.to_owned(), refs].map(Some).to_vec()
        };
        assert_eq!(all, [row(0), row(1), row(2)], "{name}");
        // The same from the cache and from the server, however the UUID is written.
        for (cached, typed) in [(true, UUIDS[1].to_uppercase()), (false, UUIDS[1].replace('-', ""))] {
            if !cached {
                fs::remove_dir_all(&cache).unwrap();
            }
            let (run, found) = fetch(&["--filter", &format!("ref={typed}")]);
            assert_eq!(run.count("/days/adopted"), if cached { 3 } else { 0 }, "{run:?}");
            assert_eq!(found, [row(1)], "{name}");
            let (_, found) = fetch(&["--filter", &format!("refs={typed}")]);
            assert_eq!(found, [row(0), row(1)], "{name}");
        }
        // The advanced match knows UUIDs as well.
        let (_, found) = fetch(&["--match", &format!(r#"{{"_id": {{"$uuid": "{}"}}}}"#, UUIDS[2])]);
        assert_eq!(found, [row(2)], "{name}");
        let listed = cli(&["cached", "--cache", &cache]);
        assert!(listed.stderr.contains(&format!("ref: {}", UUIDS[1])), "{listed:?}");
    }
    // Without a word in the mapping, bytes of subtype 3 are bytes.
    let fixture = Fixture::with("uuids_unsaid", with_uuids(UuidRepresentation::JavaLegacy)).await;
    let csv = fixture.path("x.csv");
    assert_eq!(fixture.fetch(&["--csv", &csv, "--columns", "ref"]).code, 0);
    let table = read_csv(&fs::read_to_string(&csv).unwrap());
    assert_eq!(
        table[1][0].as_deref(),
        Some(r#"{"$binary":{"base64":"d2ZVRDMiEQD/7t3Mu6qZiA==","subType":"03"}}"#)
    );
}

#[tokio::test]
async fn texts_that_look_like_formulas_are_protected_if_that_is_asked() {
    let documents = vec![doc! {
        "_id": 1, "=name": "=1+1", "at": "@SUM(A1)", "number": -1.5, "text": "-1.5", "sum": "-1+2", "note": "a=b",
        "list": ["=1"], "trade_id": "T1", "year": 2025, "day_of_year": 60,
    }];
    let fixture = Fixture::with("formulas", documents).await;
    let csv = fixture.path("x.csv");
    let table = |more: &[&str]| {
        let columns = "=name,at,number,text,sum,note,list";
        assert_eq!(fixture.fetch(&[&["--csv", &csv, "--columns", columns], more].concat()).code, 0);
        let cells = read_csv(&fs::read_to_string(&csv).unwrap());
        cells.into_iter().map(|row| row.into_iter().flatten().collect()).collect::<Vec<Vec<String>>>()
    };
    let plain = [
        ["=name", "at", "number", "text", "sum", "note", "list"],
        ["=1+1", "@SUM(A1)", "-1.5", "-1.5", "-1+2", "a=b", r#"["=1"]"#],
    ];
    assert_eq!(table(&[]), plain);
    let safe = [
        ["'=name", "at", "number", "text", "sum", "note", "list"],
        ["'=1+1", "'@SUM(A1)", "-1.5", "-1.5", "'-1+2", "a=b", r#"["=1"]"#],
    ];
    assert_eq!(table(&["--spreadsheet-safe"]), safe);
}

#[tokio::test]
async fn the_extension_decides_the_format() {
    let fixture = Fixture::new("formats").await;
    let at = |name: &str| fixture.path(name);
    let run =
        fixture.fetch(&["--out", &at("x.jsonl"), "--downstream-out", &at("y.xlsx"), "--csv", &at("x.csv")]);
    assert_eq!((run.code, run.text("/out")), (0, &*at("x.jsonl")), "{run:?}");
    assert_eq!(run.text("/downstream_out"), at("y.xlsx"));
    let lines = fs::read_to_string(at("x.jsonl")).unwrap();
    let ids: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["_id"].clone()).collect();
    assert_eq!(ids, ["T0", "T1", "T2", "T3", "T4", "T5"]);
    assert_eq!(rows(at("x.csv")), 6);
    assert!(fs::read(at("y.xlsx")).unwrap().starts_with(b"PK"));
    let run = fixture.fetch(&["--out", &at("x.PARQUET"), "--columns", "product,_id"]);
    assert_eq!(run.code, 0, "{run:?}");
    let database = duckdb::Connection::open_in_memory().unwrap();
    let counted = format!("SELECT count(*), min(_id), max(product) FROM '{}'", at("x.PARQUET"));
    let found = database
        .query_row(&counted, [], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
        })
        .unwrap();
    assert_eq!(found, (6, "T0".to_owned(), "Power".to_owned()));
    // A pipe has no extension.
    let done = fixture.fetch_into(Stdio::piped(), &["--out", "-", "--format", "jsonl", "--columns", "_id"]);
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    assert!(String::from_utf8(done.stdout).unwrap().starts_with("{\"_id\":\"T0\"}\n{\"_id\":\"T1\"}\n"));
    // The rules of links and of modes are those of CSV.
    symlink("real.jsonl", at("link.jsonl")).unwrap();
    fs::write(at("real.jsonl"), "before").unwrap();
    fs::set_permissions(at("real.jsonl"), fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(fixture.fetch(&["--out", &at("link.jsonl")]).code, 0);
    assert_eq!((fs::read_to_string(at("real.jsonl")).unwrap(), mode(at("real.jsonl"))), (lines, 0o640));
}

#[tokio::test]
async fn a_format_that_is_not_known_is_wrong_usage() {
    let fixture = Fixture::new("no_format").await;
    let at = |name: &str| fixture.path(name);
    for more in [
        &["--out", &*at("x.xls")][..],
        &["--out", &at("x")],
        &["--out", "-"],
        &["--downstream-out", &at("parquet")],
        &["--out", &at("x.csv"), "--format", "json"],
    ] {
        let run = fixture.fetch(more);
        assert_eq!(run.code, 2, "{more:?}: {run:?}");
        assert!(run.stderr.contains(".csv, .parquet, .jsonl or .xlsx"), "{more:?}: {run:?}");
    }
    for (more, said) in [
        (&["--csv", &*at("x.csv"), "--out", &at("x.csv")][..], "--csv and --out lead to one file"),
        (&["--out", &at("x.csv"), "--downstream-out", &at("x.csv")], "lead to one file"),
        (&["--csv", "-", "--manifest"], "--manifest cannot write one"),
        (&["--manifest"], "--csv"),
        (&["--csv", &at("x.csv"), "--format", "csv"], "--out"),
    ] {
        let run = fixture.fetch(more);
        assert_eq!(run.code, 2, "{more:?}: {run:?}");
        assert!(run.stderr.contains(said), "{more:?}: {run:?}");
    }
    assert!(fixture.names().is_empty() && !Path::new(&at("cache")).exists(), "{:?}", fixture.names());
}

#[tokio::test]
async fn a_manifest_says_what_a_file_holds_and_what_it_lacks() {
    let fixture = Fixture::new("manifest").await;
    let (file, cache) = (fixture.path("x.jsonl"), fixture.path("cache"));
    let manifest = |path: &str| -> Value { serde_json::from_slice(&fs::read(path).unwrap()).unwrap() };
    let run = fixture.fetch(&["--out", &file, "--manifest", "--columns", "_id,product"]);
    assert_eq!((run.code, run.text("/out_manifest")), (0, &*format!("{file}.manifest.json")), "{run:?}");
    let found = manifest(run.text("/out_manifest"));
    let hash = Command::new("sha256sum").arg(&file).output().unwrap().stdout;
    assert_eq!(found["sha256"], String::from_utf8(hash).unwrap().split(' ').next().unwrap());
    assert_eq!((&found["file"], &found["format"]), (&"x.jsonl".into(), &"jsonl".into()));
    assert_eq!((&found["rows"], &found["complete"]), (&6.into(), &true.into()));
    assert_eq!(found["columns"], serde_json::json!(["_id", "product"]));
    assert_eq!(found["signature"], run.text("/signature"));
    assert_eq!(found["oldest_fetch"], found["days"][0]["fetched"]);
    assert_eq!((found["days"].as_array().unwrap().len(), &found["missing"]), (3, &serde_json::json!([])));
    assert_eq!(found["bytes"], fs::metadata(&file).unwrap().len());
    // A partial answer has a partial file, and its manifest says which day is missing and why.
    let longer = |more: &[&str]| cli(&fixture.arguments(&cache, ["2025-03-01", "2025-03-04"], more));
    let run = longer(&["--offline", "--out", &file, "--manifest"]);
    let partial = fixture.path("x.partial.jsonl");
    assert_eq!((run.code, run.text("/out")), (3, &*partial), "{run:?}");
    let found = manifest(&format!("{partial}.manifest.json"));
    assert_eq!((&found["complete"], &found["missing"][0]["day"]), (&false.into(), &"2025-03-04".into()));
    assert!(!found["missing"][0]["why"].as_str().unwrap().is_empty());
    // It goes with its file, and one that does not describe its file is named.
    let run = longer(&["--out", &file]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.last["notes"].to_string().contains("does not describe this file"), "{run:?}");
    assert_eq!(fixture.names(), ["x.jsonl", "x.jsonl.manifest.json"]);
}
