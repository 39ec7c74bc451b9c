//! Sources that want TLS and a login, against the real server: what a test of the source and a connection say of each
//! way in which it can fail. The certificates are made here.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};

use bson::doc;
use mongodb::Client;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, date_time_ymd,
};
use tempfile::TempDir;
use tidemark_engine::api::source_test::{SourceTest, StepOutcome, TestStep};
use tidemark_engine::engine::Engine;
use tidemark_engine::failure::{Code, Failure, FailureTarget};
use tidemark_engine::plan::ledger::FetchMode;
use tidemark_engine::query::form::QueryInput;
use tidemark_engine::query::mapping::Mapping;
use tidemark_engine::run::FetchRequest;
use tidemark_engine::source::Source;
use tidemark_test_server::TestServer;
use tokio_util::sync::CancellationToken;

use crate::source_test::{MAPPING, PASSWORD, filled, outcomes, source, step, test};

use StepOutcome::{Failed, Passed, Skipped};

/// Names the connection string for the child that trusts an authority by the system's store.
const URI: &str = "TIDEMARK_TLS_TEST_URI";

/// An authority, and the file that a client trusts it by.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    file: PathBuf,
}

impl Authority {
    fn new(folder: &Path, name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let file = folder.join(format!("{name}.pem"));
        std::fs::write(&file, params.self_signed(&key).unwrap().pem()).unwrap();
        Self { issuer: Issuer::new(params, key), file }
    }

    /// A file with a server's certificate and key, valid in these years.
    fn server(&self, folder: &Path, name: &str, host: &str, years: [i32; 2]) -> PathBuf {
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        [params.not_before, params.not_after] = years.map(|year| date_time_ymd(year, 1, 1));
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let file = folder.join(format!("{name}.pem"));
        std::fs::write(&file, format!("{}{}", certificate.pem(), key.serialize_pem())).unwrap();
        file
    }
}

/// A server of a desk that uses TLS and asks everybody to log in.
struct Desk {
    server: TestServer,
    authority: Authority,
    other: Authority,
    folder: TempDir,
}

const VALID: [i32; 2] = [2000, 2100];

impl Desk {
    fn start(host: &str, years: [i32; 2]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new(folder.path(), "desk");
        let other = Authority::new(folder.path(), "other");
        let pem = authority.server(folder.path(), "server", host, years);
        let server = TestServer::start_with_tls("root", PASSWORD, &pem).unwrap();
        Self { server, authority, other, folder }
    }

    /// The one with a certificate that is in order.
    fn sound() -> &'static Self {
        static DESK: OnceLock<Desk> = OnceLock::new();
        DESK.get_or_init(|| Self::start("127.0.0.1", VALID))
    }

    /// A connection string for a login such as `ann:secret@`, with further options.
    fn uri_for(&self, login: &str, options: &str) -> String {
        format!(
            "mongodb://{login}127.0.0.1:{}/?authSource=admin&directConnection=true&{options}",
            self.server.port()
        )
    }

    fn trusting(&self, login: &str) -> String {
        self.uri_for(login, &format!("tls=true&tlsCAFile={}", self.authority.file.display()))
    }

    fn root(&self) -> String {
        self.trusting(&format!("root:{PASSWORD}@"))
    }
}

/// What a test of a source and a connection come to. They must tell the same, and no password.
async fn tried(uri: &str, database: &str) -> (SourceTest, Option<Failure>) {
    let source: Source = source(uri, database, "trades");
    let tested = test(&source, MAPPING).await;
    let connected = source.check_access(&Mapping::parse(MAPPING).unwrap()).await.err();
    for text in [format!("{tested:?}"), format!("{connected:?}")] {
        assert!(!text.contains("PLANTED"), "{text}");
    }
    let words = |failure: &Failure| (failure.code, failure.message.clone(), failure.next.clone());
    assert_eq!(tested.failure.as_ref().map(words), connected.as_ref().map(words), "{}", tested.report);
    (tested, connected)
}

/// A way to fail: the connection string, the step that fails, the code, and parts of the sentence and of the advice.
type Case<'a> = (&'a str, String, TestStep, Code, &'a str, &'a str);

async fn fails_as_told(cases: &[Case<'_>], database: &str) {
    for (what, uri, failed, code, message, advice) in cases {
        let (tested, connected) = tried(uri, database).await;
        let at = tested.steps.iter().position(|result| result.outcome == Failed);
        assert_eq!(at.map(|at| tested.steps[at].step), Some(*failed), "{what}: {}", tested.report);
        let after = &outcomes(&tested)[at.unwrap() + 1..];
        assert!(after.iter().all(|outcome| *outcome == Skipped), "{what}: {}", tested.report);
        let failure = connected.expect(what);
        assert_eq!(failure.code, *code, "{what}: {failure:?}");
        assert!(failure.message.contains(message), "{what}: {failure:?}");
        assert!(failure.next.contains(advice), "{what}: {failure:?}");
        assert!(tested.report.contains(advice), "{what}: the report lacks the advice:\n{}", tested.report);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desk_with_tls_and_a_login_passes_every_step() {
    let desk = Desk::sound();
    filled(&desk.root(), "tls_passes").await;
    let (tested, _) = tried(&desk.root(), "tls_passes").await;
    assert_eq!(outcomes(&tested), [Passed; 8], "{}", tested.report);
    assert!(step(&tested, TestStep::Tls).detail.contains("certificate is valid"), "{}", tested.report);
    assert!(step(&tested, TestStep::SignIn).detail.contains("root"), "{}", tested.report);
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_that_fail_are_told_apart() {
    let desk = Desk::sound();
    filled(&desk.root(), "tls_logins").await;
    let admin = Client::with_uri_str(desk.root()).await.unwrap().database("admin");
    let user = doc! {"createUser": "ann", "pwd": PASSWORD, "roles": [{"role": "read", "db": "elsewhere"}]};
    admin.run_command(user).await.unwrap();
    let cases = [
        (
            "a wrong password",
            desk.trusting("root:wr0ng-PLANTED@"),
            TestStep::SignIn,
            Code::AuthFailed,
            "refused the user name or the password",
            "Enter the user name and the password again",
        ),
        (
            "an unknown user",
            desk.trusting("zoe:wr0ng-PLANTED@"),
            TestStep::SignIn,
            Code::AuthFailed,
            "refused the user name or the password",
            "Enter the user name and the password again",
        ),
        (
            "no user",
            desk.trusting(""),
            TestStep::Read,
            Code::AuthFailed,
            "expects a login, and the connection string names no user",
            "Add the user's name",
        ),
        (
            "a user without rights",
            desk.trusting(&format!("ann:{PASSWORD}@")),
            TestStep::Read,
            Code::NotAuthorized,
            "collection trades of the database tls_logins",
            "database team",
        ),
    ];
    fails_as_told(&cases, "tls_logins").await;
    let (tested, connected) = tried(&cases[3].1, "tls_logins").await;
    assert_eq!(connected.unwrap().target, Some(FailureTarget::Collection));
    let fix = step(&tested, TestStep::Read).fix.as_deref().unwrap();
    assert!(fix.contains("grantRolesToUser(\"ann\""), "{fix}");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_cannot_be_made_secure_are_told_apart() {
    let desk = Desk::sound();
    filled(&desk.root(), "tls_secure").await;
    let root = format!("root:{PASSWORD}@");
    let foreign = |file: &Path| desk.uri_for(&root, &format!("tls=true&tlsCAFile={}", file.display()));
    let [expired, early, elsewhere] =
        [("127.0.0.1", [2000, 2020]), ("127.0.0.1", [2090, 2100]), ("db.example.com", VALID)]
            .map(|(host, years)| Desk::start(host, years));
    let missing = desk.folder.path().join("nobody.pem");
    let tls = |what, uri, message, advice| (what, uri, TestStep::Tls, Code::TlsFailed, message, advice);
    let unknown = "comes from an authority that this computer does not trust";
    fails_as_told(
        &[
            tls("no authority", desk.uri_for(&root, "tls=true"), unknown, "tlsCAFile"),
            tls("a foreign one", foreign(&desk.other.file), unknown, "tlsCAFile"),
            tls("expired", expired.root(), "has expired", "renew"),
            tls("not valid yet", early.root(), "not valid yet", "date and time"),
            tls(
                "another host",
                elsewhere.root(),
                "for another host name",
                "a host name that is in the certificate",
            ),
            tls(
                "no TLS here",
                desk.uri_for(&root, "tls=false"),
                "accepts only connections with TLS",
                "tls=true",
            ),
            (
                "no such file",
                foreign(&missing),
                TestStep::Tls,
                Code::BadSource,
                "file that tlsCAFile names cannot be used",
                "Correct the path",
            ),
            (
                "a different replica set",
                desk.root().replace("directConnection=true", "replicaSet=rs9"),
                TestStep::Tls,
                Code::BadSource,
                "(replicaSet=rs9)",
                "Correct replicaSet",
            ),
        ],
        "tls_secure",
    )
    .await;
}

/// The system's store is read once per process, so a child is told of another one.
#[tokio::test(flavor = "multi_thread")]
async fn an_authority_in_the_store_of_the_system_is_trusted() {
    let desk = Desk::sound();
    filled(&desk.root(), "tls_store").await;
    let uri = desk.uri_for(&format!("root:{PASSWORD}@"), "tls=true");
    let child = |store: PathBuf| {
        let uri = uri.clone();
        tokio::task::spawn_blocking(move || {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "tls::as_a_child", "--ignored", "--nocapture"])
                .env(URI, uri)
                .env("SSL_CERT_FILE", store)
                .output()
                .unwrap()
        })
    };
    let trusted = child(desk.authority.file.clone()).await.unwrap();
    assert!(trusted.status.success(), "{}", String::from_utf8_lossy(&trusted.stdout));
    let foreign = child(desk.other.file.clone()).await.unwrap();
    let said = String::from_utf8_lossy(&foreign.stdout).into_owned();
    assert!(!foreign.status.success() && said.contains("does not trust"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by the test above"]
async fn as_a_child() {
    let (tested, _) = tried(&std::env::var(URI).unwrap(), "tls_store").await;
    println!("{}", tested.report);
    assert_eq!(outcomes(&tested), [Passed; 8]);
}

/// A server drops out after some days are stored: what is stored stays, the rest is missing and says why, and a later
/// fetch gets it.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_drops_out_loses_nothing_that_is_stored() {
    let desk = Desk::start("127.0.0.1", VALID);
    filled(&desk.root(), "tls_drops").await;
    let source = source(&desk.root(), "tls_drops", "trades");
    let cache = tempfile::tempdir().unwrap();
    let engine = Engine::new(cache.path(), 0).unwrap();
    let fetch = async |from: &str, to: &str| {
        let input = QueryInput {
            from: from.to_owned(),
            to: to.to_owned(),
            filters: Vec::new(),
            advanced: String::new(),
        };
        let mapping = Mapping::parse(MAPPING).unwrap();
        let request = FetchRequest::parse(&source, &mapping, &input, FetchMode::Normal, false).unwrap();
        engine.fetch(Some(&source), &request, Arc::new(|_| {}), CancellationToken::new()).await
    };
    let first = fetch("2025-01-01", "2025-01-10").await.unwrap();
    assert!(first.complete && first.rows.input == 10, "{first:?}");

    // A killed server may lose the collection itself.
    desk.server.shut_down().unwrap();
    let port = desk.server.port();
    let refused = format!("127.0.0.1:{port} refuses connections");
    fails_as_told(
        &[(
            "stopped",
            desk.root(),
            TestStep::Reach,
            Code::SourceUnreachable,
            &refused,
            "ask your database team whether the server is running",
        )],
        "tls_drops",
    )
    .await;
    let partial = fetch("2025-01-01", "2025-01-30").await.unwrap();
    assert!(!partial.complete, "{partial:?}");
    assert_eq!((partial.rows.input, partial.days.missing.len()), (10, 20), "{partial:?}");
    let text = format!("{partial:?}");
    assert!(text.contains(&refused) && !text.contains("PLANTED"), "{text}");

    desk.server.restart().unwrap();
    let whole = fetch("2025-01-01", "2025-01-30").await.unwrap();
    assert!(whole.complete && whole.rows.input == 30, "{whole:?}");
    let (tested, _) = tried(&desk.root(), "tls_drops").await;
    assert_eq!(outcomes(&tested), [Passed; 8], "{}", tested.report);
}
