//! Who and where the source is, and the client that reaches it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bson::{Bson, Document, doc};
use chrono::{DateTime, Utc};
use mongodb::error::ErrorKind;
use mongodb::event::EventHandler;
use mongodb::event::cmap::CmapEvent;
use mongodb::event::sdam::SdamEvent;
use mongodb::options::{ClientOptions, ConnectionString, HostInfo, SelectionCriteria, ServerAddress, Tls};
use mongodb::{Client, Collection, Database};
use tokio::sync::OnceCell;
use tokio_util::task::TaskTracker;

use super::certificates;
use super::clock::{Clock, ServerClock};
use super::error::{is_refused, is_worth_a_second_try};
use super::login::login_of;
use super::options::{self, Times};
use super::uri::{parse, with_password};
use super::{speech, topology};
use crate::failure::{Code, Failure, Result};
use crate::query::source::SourceIdentity;
use crate::secret::Kept;

/// What an answer may take on top of the server's own limit.
const ON_THE_WAY: Duration = Duration::from_secs(5);
/// What an answer may take after a new connection stands.
const ANSWER_MARGIN: Duration = Duration::from_secs(2);
/// How long a server may take for a question that costs it nothing, such as which collections it has.
pub(super) const SHORT_TIME: Duration = Duration::from_secs(5);

tokio::task_local! {
    /// Who asks, while a question is under way: the driver tells of a command in the task that waits for it.
    static ASKING: Source;
}

/// Where the documents are and who reads them.
#[derive(Clone)]
pub struct SourceSettings {
    /// Connection string, with or without the password.
    pub uri: String,
    /// The password, where the connection string has none.
    pub password: Option<String>,
    /// Database.
    pub database: String,
    /// Collection of the trades.
    pub collection: String,
}

impl std::fmt::Debug for SourceSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SourceSettings")
            .field("uri", &crate::failure::shown(&self.uri))
            .field("database", &self.database)
            .field("collection", &self.collection)
            .finish_non_exhaustive()
    }
}

/// A MongoDB source. Cheap to clone; nothing is sent before the first question.
#[derive(Clone)]
pub struct Source {
    inner: Arc<Inner>,
    /// Commands of this handle and its clones.
    own: Arc<AtomicU64>,
    /// This machine's time, which the server's is compared with.
    local: Clock,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("inner", &self.inner).finish_non_exhaustive()
    }
}

/// What the node that answered last is.
#[derive(Debug, Clone, Default)]
struct Node {
    clock: Option<ServerClock>,
    /// Name of its replica set.
    set_name: Option<String>,
    is_mongos: bool,
    wire_version: i32,
}

/// The replica set of a server that has answered; none for a server by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FoundSet(Option<String>);

/// How long a program that ends waits for the server.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(2);
/// The first wire version whose servers read snapshots outside transactions: that of MongoDB 5.0.
const SNAPSHOT_WIRE_VERSION: i32 = 13;

struct Inner {
    /// With the password: never shown.
    uri: String,
    database: String,
    collection: String,
    identity: SourceIdentity,
    /// How long to wait, as the connection string has it.
    times: Times,
    /// Options of the connection string that were ignored, in sentences.
    warnings: Vec<String>,
    /// What is to be said of a link that is not verified.
    unverified: Option<&'static str>,
    /// Keeps its secrets out of causes, as long as anything can fail.
    _secrets: Kept,
    client: OnceCell<Client>,
    /// The hosts that the driver was given, once there is a client.
    hosts: OnceCell<Vec<ServerAddress>>,
    /// The connection string's `replicaSet`.
    asked_set: Option<String>,
    /// What the server that answered the driver's last check said of its replica set.
    found_set: Arc<Mutex<Option<FoundSet>>>,
    is_encrypted: bool,
    has_proxy: bool,
    /// Commands of all handles.
    commands: AtomicU64,
    /// The connection string's `retryReads`.
    retries_reads: bool,
    /// The connection string's read concern, for reads that are no snapshots.
    read_concern: Option<String>,
    /// What the node that answered last said of itself.
    node: Mutex<Option<Node>>,
    /// Whether the user may not ask for the replica set's id.
    is_set_untold: AtomicBool,
    /// Whether the server does not know `$toHashedIndexKey`.
    lacks_hashes: AtomicBool,
    /// Whether the server does not read at the cluster time that it is asked for.
    ignores_moments: AtomicBool,
    /// Cursors that are being opened. One that is given up meanwhile is closed once it is open.
    opening: TaskTracker,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").field("identity", &self.identity).finish_non_exhaustive()
    }
}

impl Source {
    /// A source; checks the settings without the network.
    ///
    /// # Errors
    /// `bad_source` where the connection string cannot be read.
    pub fn new(settings: &SourceSettings) -> Result<Self> {
        for (name, value) in [("database", &settings.database), ("collection", &settings.collection)] {
            if value.trim().is_empty() {
                return Err(Failure::new(Code::BadSource, format!("Enter a {name}."))
                    .advise("Your database team can tell you its name."));
            }
        }
        let secrets = Kept::of(settings.uri.trim(), settings.password.as_deref());
        let read = options::read(&with_password(settings.uri.trim(), settings.password.as_deref()))?;
        let parsed = parse(&read.uri)?;
        let hosts: Vec<String> = match &parsed.host_info {
            HostInfo::HostIdentifiers(hosts) => hosts.iter().map(ToString::to_string).collect(),
            HostInfo::DnsRecord(name) => vec![format!("srv:{name}")],
            _ => Vec::new(),
        };
        if parsed.direct_connection == Some(true) && hosts.len() > 1 {
            let message = format!(
                "directConnection=true connects to one host, but the connection string names {}.",
                hosts.len()
            );
            return Err(Failure::new(Code::BadSource, message)
                .advise("Keep one of the hosts, or leave out directConnection."));
        }
        let user = parsed.credential.as_ref().and_then(|credential| credential.username.clone());
        let identity = SourceIdentity::new(
            &hosts,
            parsed.replica_set.as_deref(),
            settings.database.trim(),
            settings.collection.trim(),
            user.as_deref(),
        );
        Ok(Self {
            inner: Arc::new(Inner {
                identity: identity.with_login(login_of(&parsed)),
                times: Times::of(&parsed, read.timeout),
                warnings: read.warnings,
                retries_reads: parsed.retry_reads.unwrap_or(true),
                read_concern: parsed.read_concern.as_ref().and_then(|concern| {
                    Some(bson::serialize_to_bson(&concern.level).ok()?.as_str()?.to_owned())
                }),
                unverified: super::link::unverified(&parsed),
                _secrets: secrets,
                uri: read.uri,
                database: settings.database.trim().to_owned(),
                collection: settings.collection.trim().to_owned(),
                client: OnceCell::new(),
                hosts: OnceCell::new(),
                asked_set: parsed.replica_set.clone(),
                found_set: Arc::default(),
                is_encrypted: matches!(parsed.tls, Some(Tls::Enabled(_))),
                has_proxy: parsed.socks5_proxy.is_some(),
                commands: AtomicU64::new(0),
                node: Mutex::default(),
                is_set_untold: AtomicBool::new(false),
                lacks_hashes: AtomicBool::new(false),
                ignores_moments: AtomicBool::new(false),
                opening: TaskTracker::new(),
            }),
            own: Arc::default(),
            local: Arc::new(Utc::now),
        })
    }

    /// The same source on a machine with another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.local = clock;
        self
    }

    /// The time of this machine.
    pub(crate) fn local_now(&self) -> DateTime<Utc> {
        (self.local)()
    }

    /// What the node that answered the last [`ping`](Self::ping) said of the time.
    #[must_use]
    pub fn clock(&self) -> Option<ServerClock> {
        self.node().and_then(|node| node.clock)
    }

    /// Whether there may be snapshots to read. Unless the server has said otherwise, there may.
    pub(super) fn may_have_snapshots(&self) -> bool {
        !self.inner.ignores_moments.load(Ordering::Relaxed)
            && self.node().is_none_or(|node| {
                node.wire_version >= SNAPSHOT_WIRE_VERSION && (node.is_mongos || node.set_name.is_some())
            })
    }

    /// Whether the node that answered last routes to shards.
    pub(super) fn is_behind_mongos(&self) -> bool {
        self.node().is_some_and(|node| node.is_mongos)
    }

    /// The name of the replica set, if the node that answered last is of one.
    pub(super) fn set_name(&self) -> Option<String> {
        self.node().and_then(|node| node.set_name)
    }

    /// Whether the user was refused the replica set's id.
    pub(super) fn may_not_ask_for_the_set(&self) -> bool {
        self.inner.is_set_untold.load(Ordering::Relaxed)
    }

    /// Notes that the user may not ask for the replica set's id.
    pub(super) fn note_that_the_set_is_not_told(&self) {
        self.inner.is_set_untold.store(true, Ordering::Relaxed);
    }

    /// Whether the server may know `$toHashedIndexKey`.
    pub(super) fn has_hashes(&self) -> bool {
        !self.inner.lacks_hashes.load(Ordering::Relaxed)
    }

    /// Notes that the server refused `$toHashedIndexKey`.
    pub(super) fn note_that_there_are_no_hashes(&self) {
        self.inner.lacks_hashes.store(true, Ordering::Relaxed);
    }

    /// Notes that the server took a cluster time to read at and read at another.
    pub(super) fn note_that_moments_are_ignored(&self) {
        self.inner.ignores_moments.store(true, Ordering::Relaxed);
    }

    /// Opens a cursor in a task of its own. If the caller gives up, the task goes on: what the server has opened by
    /// then can only be closed once its number is here.
    pub(super) fn open_in_background<T: Send + 'static>(
        &self,
        open: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        self.inner.opening.spawn(ASKING.scope(self.clone(), open))
    }

    /// Closes the connection before the program exits. Waits up to two seconds while abandoned cursors are closed on
    /// the server.
    pub async fn close(&self) {
        let Some(client) = self.inner.client.get() else { return };
        self.inner.opening.close();
        let closed = async {
            self.inner.opening.wait().await;
            client.clone().shutdown().await;
        };
        let _ = tokio::time::timeout(SHUTDOWN_GRACE, closed).await;
    }

    /// The read concern of reads that are no snapshots.
    pub(super) fn read_concern(&self) -> &str {
        self.inner.read_concern.as_deref().unwrap_or("majority")
    }

    fn node(&self) -> Option<Node> {
        self.inner.node.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Who and where the source is; part of every signature.
    #[must_use]
    pub fn identity(&self) -> &SourceIdentity {
        &self.inner.identity
    }

    /// What a person has to know of a link on which nobody can tell that the server is the right one, or on which
    /// anybody can read the password; nothing for any other.
    #[must_use]
    pub fn unverified_link(&self) -> Option<&'static str> {
        self.inner.unverified
    }

    /// What was ignored of the connection string, in sentences.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.inner.warnings
    }

    /// Commands sent so far: those that ask something, and those that end a cursor before its end. Handshakes,
    /// pings and the ends of sessions are left out.
    #[must_use]
    pub fn commands(&self) -> u64 {
        self.inner.commands.load(Ordering::Relaxed)
    }

    /// The same source for one run, whose own commands are counted from now on.
    #[must_use]
    pub fn of_a_run(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), own: Arc::default(), local: Arc::clone(&self.local) }
    }

    /// Those of the [`commands`](Self::commands) that this handle and its clones have sent.
    #[must_use]
    pub fn own_commands(&self) -> u64 {
        self.own.load(Ordering::Relaxed)
    }

    /// Counts a command.
    pub(super) fn count(&self) {
        self.inner.commands.fetch_add(1, Ordering::Relaxed);
        self.own.fetch_add(1, Ordering::Relaxed);
    }

    /// Asks whether the source is in reach: a node that the connection string's read preference takes, which
    /// need not be the primary. It also says what time it is there. Returns the round trip.
    ///
    /// # Errors
    /// `source_unreachable`, `auth_failed`, `tls_failed`.
    pub async fn ping(&self) -> Result<Duration> {
        let (database, preferred) = (self.database().await?, self.preferred().await?);
        let (started, sent) = (Instant::now(), self.local_now());
        let answer = async {
            match self.run_command(&database, doc! {"hello": 1}, preferred.clone()).await {
                // Servers before 4.4.2 know it by its old name alone.
                Err(error) if is_refused(&error) => {
                    self.run_command(&database, doc! {"isMaster": 1}, preferred).await
                }
                answer => answer,
            }
        };
        // Selection has its own limit; this one is for a host that takes the connection and is silent.
        let Times { selection, connect, .. } = self.inner.times;
        match tokio::time::timeout(selection + connect, answer).await {
            Ok(Err(error)) => Err(self.explained(error.into()).await),
            Ok(Ok(hello)) => {
                let node = node_of(&hello, sent, self.local_now());
                *self.inner.node.lock().unwrap_or_else(PoisonError::into_inner) = Some(node);
                Ok(started.elapsed())
            }
            Err(_) => Err(Failure::new(Code::SourceUnreachable, "The server does not answer.")),
        }
    }

    /// A failure to find a server, with what can be found out about it: that its replica set has a different name,
    /// or that just one side uses TLS.
    async fn explained(&self, failure: Failure) -> Failure {
        let is_connecting = matches!(failure.code, Code::SourceUnreachable | Code::TlsFailed);
        if !is_connecting && failure.code != Code::BadSource {
            return failure;
        }
        let found = self.inner.found_set.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let explained = match (&self.inner.asked_set, found) {
            (Some(asked), Some(FoundSet(found))) if found.as_ref() != Some(asked) => {
                Some(topology::wrong_set(asked, found.as_deref()))
            }
            // What no server of the source has answered may be something that the other side does not speak.
            (_, None) if is_connecting && !self.inner.has_proxy => {
                let hosts = self.inner.hosts.get().map_or(&[][..], Vec::as_slice);
                speech::mismatch(hosts, self.inner.is_encrypted).await
            }
            _ => None,
        };
        match explained {
            Some(explained) => Failure { cause: failure.cause, ..explained },
            None => failure,
        }
    }

    /// The version that the server tells.
    ///
    /// # Errors
    /// See [`ping`](Self::ping).
    pub async fn version(&self) -> Result<String> {
        let database = self.database().await?;
        let preferred = self.preferred().await?;
        let asked = async { Ok(self.run_command(&database, doc! {"buildInfo": 1}, preferred).await?) };
        let info = self.patiently(SHORT_TIME, asked).await?;
        Ok(info.get_str("version").unwrap_or("unknown").to_owned())
    }

    /// Runs a command that only reads.
    pub(super) async fn run_command(
        &self,
        database: &Database,
        command: Document,
        preferred: Option<SelectionCriteria>,
    ) -> mongodb::error::Result<Document> {
        self.with_second_try(|| async {
            let asked = database.run_command(command.clone());
            match preferred.clone() {
                Some(preferred) => asked.selection_criteria(preferred).await,
                None => asked.await,
            }
        })
        .await
    }

    /// Asks once more if the connection was gone, for it may have been a stale one: what the driver does for reads, and
    /// not for commands.
    pub(super) async fn with_second_try<T, F>(&self, ask: impl Fn() -> F) -> mongodb::error::Result<T>
    where
        F: Future<Output = mongodb::error::Result<T>>,
    {
        match ask().await {
            Err(error) if self.inner.retries_reads && is_worth_a_second_try(&error) => ask().await,
            answer => answer,
        }
    }

    /// Waits for an answer that the server gives within `limit`, or within the connection string's
    /// `timeoutMS` or `socketTimeoutMS`, and counts the commands that it takes. The driver's own check notices a server
    /// that is gone; for a connection that has fallen silent by itself the driver waits without end.
    ///
    /// # Errors
    /// `source_timeout`, and what `answer` comes to.
    pub(super) async fn patiently<T>(
        &self,
        limit: Duration,
        answer: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let Times { connect, answer: given, .. } = self.inner.times;
        let limit = given.unwrap_or(limit + ON_THE_WAY.max(connect + ANSWER_MARGIN));
        let answer = ASKING.scope(self.clone(), tokio::time::timeout(limit, answer));
        answer.await.unwrap_or_else(|_| {
            Err(Failure::new(Code::SourceTimeout, "The server took longer than the time limit.")
                .because(format!("no answer within {} s", limit.as_secs_f32())))
        })
    }

    pub(super) async fn client(&self) -> Result<&Client> {
        self.inner.client.get_or_try_init(|| self.connect()).await
    }

    pub(super) async fn database(&self) -> Result<Database> {
        Ok(self.client().await?.database(&self.inner.database))
    }

    pub(super) async fn admin(&self) -> Result<Database> {
        Ok(self.client().await?.database("admin"))
    }

    /// Whether the connection string lets a read be tried a second time.
    pub(super) fn retries_reads(&self) -> bool {
        self.inner.retries_reads
    }

    pub(super) async fn collection(&self, name: Option<&str>) -> Result<Collection<bson::RawDocumentBuf>> {
        Ok(self.database().await?.collection(name.unwrap_or(&self.inner.collection)))
    }

    /// Name of the trades' collection.
    #[must_use]
    pub fn collection_name(&self) -> &str {
        &self.inner.collection
    }

    /// Name of the database.
    #[must_use]
    pub fn database_name(&self) -> &str {
        &self.inner.database
    }

    async fn connect(&self) -> Result<Client> {
        let mut options = ClientOptions::parse(for_driver(parse(&self.inner.uri)?)).await?;
        if let Some(Tls::Enabled(tls)) = &options.tls {
            certificates::check(tls)?;
        }
        options.app_name = Some("Tidemark".to_owned());
        options.server_selection_timeout = Some(self.inner.times.selection);
        options.connect_timeout = Some(self.inner.times.connect);
        // A client is made once for a source.
        let _ = self.inner.hosts.set(options.hosts.clone());
        options.sdam_event_handler = Some(set_watcher(&self.inner.found_set));
        // Each command takes a connection out of the pool; handshakes and the driver's own checks of the
        // server do not. Events of the commands themselves would have the driver parse every answer for them.
        options.cmap_event_handler = Some(EventHandler::callback(|event| {
            if matches!(event, CmapEvent::ConnectionCheckedOut(_)) {
                // Nobody asks for a ping or for the end of a cursor.
                let _ = ASKING.try_with(Self::count);
            }
        }));
        let own = match &options.tls {
            Some(Tls::Enabled(tls)) => tls.cert_key_file_path.clone(),
            _ => None,
        };
        let trusted = certificates::trust_system(&mut options);
        let client = Client::with_options(options);
        // The driver has read it.
        drop(trusted);
        client.map_err(|error| match own {
            Some(path) if matches!(*error.kind, ErrorKind::InvalidTlsConfig { .. }) => {
                certificates::own_key_failure(&path, &super::error::reason(&error))
            }
            _ => error.into(),
        })
    }
}

/// Notes what each server that answers the driver's checks says of its replica set.
fn set_watcher(found: &Arc<Mutex<Option<FoundSet>>>) -> EventHandler<SdamEvent> {
    let found = Arc::clone(found);
    EventHandler::callback(move |event| {
        if let SdamEvent::ServerHeartbeatSucceeded(event) = event {
            let name = event.reply.get_str("setName").ok().map(str::to_owned);
            *found.lock().unwrap_or_else(PoisonError::into_inner) = Some(FoundSet(name));
        }
    })
}

/// What a reply to `hello` says of the node.
fn node_of(hello: &Document, sent: DateTime<Utc>, received: DateTime<Utc>) -> Node {
    let wire_version = match hello.get("maxWireVersion") {
        Some(Bson::Int32(version)) => *version,
        Some(Bson::Int64(version)) => i32::try_from(*version).unwrap_or(i32::MAX),
        _ => 0,
    };
    Node {
        clock: ServerClock::of_hello(hello, sent, received),
        set_name: hello.get_str("setName").ok().map(str::to_owned),
        is_mongos: hello.get_str("msg").is_ok_and(|text| text == "isdbgrid"),
        wire_version,
    }
}

/// The driver refuses a connection string with an option that others know.
#[expect(deprecated, reason = "the driver does not support it; this program does")]
fn for_driver(mut parsed: ConnectionString) -> ConnectionString {
    parsed.socket_timeout = None;
    parsed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(uri: &str) -> Source {
        let settings = SourceSettings {
            uri: uri.to_owned(),
            password: None,
            database: "desk".to_owned(),
            collection: "trades".to_owned(),
        };
        Source::new(&settings).expect("a readable connection string")
    }

    /// Every public type that carries a connection string or a password, and what is made of it.
    #[test]
    fn what_is_printed_for_debugging_holds_no_password() {
        let password = "PLANTED s3cr3t/\"é@:1";
        for (uri, apart) in [
            ("mongodb://ann@db1:27017/".to_owned(), Some(password.to_owned())),
            (with_password("mongodb://ann@db1:27017/", Some(password)), None),
            (format!("mongodb://ann:{password}@db1:27017/"), None),
            (format!("mongodb://db1/?proxyPassword={password}"), None),
        ] {
            let profile = crate::api::source::SourceProfile { uri: uri.clone(), ..Default::default() };
            let settings = SourceSettings {
                uri,
                password: apart,
                database: "desk".to_owned(),
                collection: "trades".to_owned(),
            };
            // Made or refused, with the reason.
            let source = Source::new(&settings);
            let debug = format!("{settings:#?} {source:#?} {profile:?}");
            assert!(!debug.contains("PLANTED") && !debug.contains("s3cr3t"), "{debug}");
            assert!(debug.contains("db1"), "{debug}");
        }
    }

    #[test]
    fn the_identity_has_the_user_and_never_the_password() {
        let with = source("mongodb://ann:secret@DB1:27017,db2/?replicaSet=rs0&connectTimeoutMS=5");
        let without = source("mongodb://ann@db2:27017,db1/?replicaSet=rs0");
        assert_eq!(with.identity(), without.identity());
        assert_eq!(with.identity().user.as_deref(), Some("ann"));
        assert!(!format!("{with:?}").contains("secret"));
        let plain = source("mongodb://ann@db1/?authMechanism=PLAIN");
        assert_eq!(plain.identity().user.as_deref(), Some("ann"));
        let certificate = source("mongodb://CN%3Dann@db1/?authMechanism=MONGODB-X509&tls=true");
        assert_eq!(certificate.identity().user.as_deref(), Some("CN=ann"));
    }

    /// The usual ways to write one login are one identity; another reader is another one.
    #[test]
    fn who_reads_and_how_is_part_of_the_identity() {
        let folder = tempfile::tempdir().expect("a folder");
        let certificate = |name: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, "no certificate").expect("a file");
            format!(
                "mongodb://db1/?authMechanism=MONGODB-X509&tls=true&tlsCertificateKeyFile={}",
                path.display()
            )
        };
        let (one, other) = (certificate("one.pem"), certificate("other.pem"));
        let different = [
            "mongodb://db1/",
            "mongodb://ann@db1/",
            "mongodb://ann@db1/?authSource=desk",
            "mongodb://ann@db1/?authMechanism=PLAIN",
            "mongodb://ann@db1/?authMechanism=PLAIN&authSource=desk",
            "mongodb://CN%3Dann@db1/?authMechanism=MONGODB-X509&tls=true",
            "mongodb://db1/?authMechanism=MONGODB-X509&tls=true",
            &one,
            &other,
        ];
        for (at, uri) in different.iter().enumerate() {
            for earlier in &different[..at] {
                assert_ne!(source(uri).identity(), source(earlier).identity(), "{uri} {earlier}");
            }
        }
        for (uri, same) in [
            ("mongodb://ann@db1/?authSource=admin", "mongodb://ann@db1/"),
            ("mongodb://ann:secret@db1/?authMechanism=SCRAM-SHA-256", "mongodb://ann@db1/"),
            ("mongodb://ann@db1/desk", "mongodb://ann@db1/?authSource=desk"),
            (
                "mongodb://ann@db1/?authMechanism=PLAIN&authSource=$external",
                "mongodb://ann@db1/?authMechanism=PLAIN",
            ),
        ] {
            assert_eq!(source(uri).identity(), source(same).identity(), "{uri}");
        }
    }
}
