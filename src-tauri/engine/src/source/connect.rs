//! The source's identity and settings, and the client that connects to it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bson::{Bson, Document, doc};
use chrono::{DateTime, Utc};
use mongodb::event::EventHandler;
use mongodb::event::cmap::CmapEvent;
use mongodb::event::sdam::SdamEvent;
use mongodb::options::{
    ClientOptions, ConnectionString, HostInfo, ReadPreference, SelectionCriteria, ServerAddress, Tls,
};
use mongodb::{Client, Collection, Database};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::{Notify, OnceCell};
use tokio_util::task::TaskTracker;
use tracing::{debug, info};

use super::address::Address;
use super::clock::{Clock, ServerClock};
use super::error::{SourceError, SourceErrorKind, TlsProblem};
use super::login::login_of;
use super::options::Times;
use super::topology::NoServer;
use super::uri::parse;
use super::{certificates, protocol_probe};
use crate::answer::note::Note;
use crate::failure::{Code, Failure, FailureTarget, Result};
use crate::query::source::SourceIdentity;
use crate::secret::SecretGuard;

/// Added to the server's own time limit when waiting for an answer.
const NETWORK_MARGIN: Duration = Duration::from_secs(5);
/// Added to the connect timeout when waiting for an answer over a new connection.
const ANSWER_MARGIN: Duration = Duration::from_secs(2);
/// Time limit for commands that are cheap for the server, such as listing collections.
pub(super) const SHORT_TIME: Duration = Duration::from_secs(5);

tokio::task_local! {
    /// The source that is waiting for a command. The driver emits a command's events in the task that waits for it.
    static CURRENT_SOURCE: Source;
}

/// Where the documents are and which user reads them.
#[derive(Clone)]
pub struct SourceSettings {
    /// The connection string, with or without the password.
    pub uri: String,
    /// The password, if the connection string contains none.
    pub password: Option<SecretString>,
    /// The database.
    pub database: String,
    /// The collection of the trades.
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

/// A MongoDB source. Cheap to clone; nothing is sent before the first use.
#[derive(Clone)]
pub struct Source {
    inner: Arc<Inner>,
    /// Commands sent by this handle and its clones.
    own_commands: Arc<AtomicU64>,
    /// This machine's clock, with which the server's is compared.
    local: Clock,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("inner", &self.inner).finish_non_exhaustive()
    }
}

/// What is known about the node that answered last.
#[derive(Debug, Clone, Default)]
struct Node {
    clock: Option<ServerClock>,
    /// Name of its replica set.
    set_name: Option<String>,
    is_mongos: bool,
    wire_version: i32,
}

/// The replica set of a server that has answered; `None` for a standalone server.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FoundSet(Option<String>);

/// How long the program waits for the server on exit.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(2);
/// The first wire version whose servers support snapshot reads outside transactions: MongoDB 5.0.
const SNAPSHOT_WIRE_VERSION: i32 = 13;

struct Inner {
    /// Contains the password.
    uri: SecretString,
    database: String,
    collection: String,
    identity: SourceIdentity,
    /// The timeouts from the connection string.
    times: Times,
    /// Connection string options that were ignored.
    warnings: Vec<Note>,
    /// The warning to show if the connection is not verified.
    unverified: Option<Note>,
    /// Redacts the secrets in error causes for as long as this source exists.
    _secrets: SecretGuard,
    client: OnceCell<Client>,
    /// The hosts given to the driver, once there is a client.
    hosts: OnceCell<Vec<ServerAddress>>,
    /// The connection string's `replicaSet`.
    asked_set: Option<String>,
    /// The replica set reported by the latest successful heartbeat.
    found_set: Arc<Mutex<Option<FoundSet>>>,
    /// Notified when the driver loses a server.
    lost: Arc<Notify>,
    is_encrypted: bool,
    has_proxy: bool,
    /// Commands sent by all handles.
    commands: AtomicU64,
    /// The connection string's `retryReads`.
    retries_reads: bool,
    /// The connection string's read concern, for reads that are not snapshots.
    read_concern: Option<String>,
    /// The node that answered last.
    node: Mutex<Option<Node>>,
    /// Whether the user is not authorized to read the replica set's id.
    is_set_unknown: AtomicBool,
    /// Whether the server does not support `$toHashedIndexKey`.
    lacks_hashes: AtomicBool,
    /// Whether the server accepts a cluster time to read at but reads at a different one.
    ignores_moments: AtomicBool,
    /// Cursors being opened. If one is abandoned meanwhile, it is closed as soon as it is open.
    opening: TaskTracker,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").field("identity", &self.identity).finish_non_exhaustive()
    }
}

impl Source {
    /// Creates a source. Checks the settings without using the network.
    ///
    /// # Errors
    /// `bad_source` if the connection string cannot be used, or if the database or the collection is blank.
    pub fn new(settings: &SourceSettings) -> Result<Self> {
        if let Some((name, target)) = missing_place(&settings.database, &settings.collection) {
            return Err(Failure::new(Code::BadSource, format!("Enter a {name}."))
                .advise("Your database team can tell you its name.")
                .at(target));
        }
        Self::of_server(settings)
    }

    /// What is missing of the place of the documents: "database" or "collection".
    #[must_use]
    pub fn missing_place(&self) -> Option<&'static str> {
        missing_place(&self.inner.database, &self.inner.collection).map(|(name, _)| name)
    }

    /// Creates a source whose database and collection may still be blank: enough to list what the server has, and not
    /// to fetch. Checks the connection string without using the network.
    ///
    /// # Errors
    /// `bad_source` if the connection string cannot be used.
    pub fn of_server(settings: &SourceSettings) -> Result<Self> {
        let password = settings.password.as_ref().map(SecretString::expose_secret);
        let secrets = SecretGuard::of(settings.uri.trim(), password);
        let Address { options: read, parsed, hosts } = Address::read(settings.uri.trim(), password)?;
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
                uri: read.uri.into(),
                database: settings.database.trim().to_owned(),
                collection: settings.collection.trim().to_owned(),
                client: OnceCell::new(),
                hosts: OnceCell::new(),
                asked_set: parsed.replica_set.clone(),
                found_set: Arc::default(),
                lost: Arc::default(),
                is_encrypted: matches!(parsed.tls, Some(Tls::Enabled(_))),
                has_proxy: parsed.socks5_proxy.is_some(),
                commands: AtomicU64::new(0),
                node: Mutex::default(),
                is_set_unknown: AtomicBool::new(false),
                lacks_hashes: AtomicBool::new(false),
                ignores_moments: AtomicBool::new(false),
                opening: TaskTracker::new(),
            }),
            own_commands: Arc::default(),
            local: Arc::new(Utc::now),
        })
    }

    /// Replaces the clock of this machine.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.local = clock;
        self
    }

    /// The current time of this machine.
    pub(crate) fn local_now(&self) -> DateTime<Utc> {
        (self.local)()
    }

    /// The clock of the node that answered the last [`ping`](Self::ping).
    #[must_use]
    pub fn clock(&self) -> Option<ServerClock> {
        self.node().and_then(|node| node.clock)
    }

    /// Whether snapshot reads may be supported. Assumes so until the server shows otherwise.
    pub(super) fn may_have_snapshots(&self) -> bool {
        !self.inner.ignores_moments.load(Ordering::Relaxed)
            && self.node().is_none_or(|node| {
                node.wire_version >= SNAPSHOT_WIRE_VERSION && (node.is_mongos || node.set_name.is_some())
            })
    }

    /// Whether the node that answered last is a mongos.
    pub(super) fn is_behind_mongos(&self) -> bool {
        self.node().is_some_and(|node| node.is_mongos)
    }

    /// The name of the replica set, if the node that answered last belongs to one.
    pub(super) fn set_name(&self) -> Option<String> {
        self.node().and_then(|node| node.set_name)
    }

    /// Whether the user was refused the replica set's id.
    pub(super) fn may_not_ask_for_the_set(&self) -> bool {
        self.inner.is_set_unknown.load(Ordering::Relaxed)
    }

    /// Records that the user may not read the replica set's id.
    pub(super) fn note_that_the_set_is_unknown(&self) {
        self.inner.is_set_unknown.store(true, Ordering::Relaxed);
    }

    /// Whether the server may support `$toHashedIndexKey`.
    pub(super) fn has_hashes(&self) -> bool {
        !self.inner.lacks_hashes.load(Ordering::Relaxed)
    }

    /// Records that the server rejected `$toHashedIndexKey`.
    pub(super) fn note_that_there_are_no_hashes(&self) {
        self.inner.lacks_hashes.store(true, Ordering::Relaxed);
    }

    /// Records that the server accepted a cluster time to read at but read at a different one.
    pub(super) fn note_that_moments_are_ignored(&self) {
        self.inner.ignores_moments.store(true, Ordering::Relaxed);
    }

    /// Opens a cursor in its own task, which continues even if the caller gives up: a cursor that the server has
    /// opened by then can only be closed once its id has arrived.
    pub(super) fn open_in_background<T: Send + 'static>(
        &self,
        open: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        self.inner.opening.spawn(CURRENT_SOURCE.scope(self.clone(), open))
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

    /// The read concern of reads that are not snapshots.
    pub(super) fn read_concern(&self) -> &str {
        self.inner.read_concern.as_deref().unwrap_or("majority")
    }

    /// Writes what is known of the node that answered last to the log.
    pub(crate) fn log_node(&self) {
        let Some(Node { clock, set_name, is_mongos, wire_version }) = self.node() else { return };
        let ServerClock { ahead, lag } = clock.unwrap_or_default();
        info!(
            wire_version,
            set_name,
            is_mongos,
            snapshots = self.may_have_snapshots(),
            ahead_ms = ahead.num_milliseconds(),
            lag_ms = lag.num_milliseconds(),
            "the source answers"
        );
    }

    fn node(&self) -> Option<Node> {
        self.inner.node.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The identity of the source and its reader; part of every signature.
    #[must_use]
    pub fn identity(&self) -> &SourceIdentity {
        &self.inner.identity
    }

    /// A warning for the user if nothing verifies that the server is the right one, or if the password can be read on
    /// the way; otherwise `None`.
    #[must_use]
    pub fn unverified_link(&self) -> Option<&Note> {
        self.inner.unverified.as_ref()
    }

    /// The parts of the connection string that were ignored.
    #[must_use]
    pub fn warnings(&self) -> &[Note] {
        &self.inner.warnings
    }

    /// The number of commands sent so far: those that request something, and those that close a cursor early.
    /// Handshakes, pings and the ends of sessions are not counted.
    #[must_use]
    pub fn commands(&self) -> u64 {
        self.inner.commands.load(Ordering::Relaxed)
    }

    /// Returns a handle to the same source for one run, with its own command count starting at zero.
    #[must_use]
    pub fn for_run(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), own_commands: Arc::default(), local: Arc::clone(&self.local) }
    }

    /// The number of [`commands`](Self::commands) sent by this handle and its clones.
    #[must_use]
    pub fn run_commands(&self) -> u64 {
        self.own_commands.load(Ordering::Relaxed)
    }

    /// Counts a command.
    pub(super) fn count(&self) {
        self.inner.commands.fetch_add(1, Ordering::Relaxed);
        self.own_commands.fetch_add(1, Ordering::Relaxed);
    }

    /// Checks whether the source is reachable, which means a node that the read preference allows, not necessarily
    /// the primary. Also records that node's clock. Returns the round-trip time.
    ///
    /// # Errors
    /// `source_unreachable`, `auth_failed`, `tls_failed`.
    pub async fn ping(&self) -> Result<Duration> {
        let (database, preferred) = (self.database().await?, self.preferred().await?);
        let (started, sent) = (Instant::now(), self.local_now());
        let hello = self.hello(&database, preferred).await?;
        let node = node_of(&hello, sent, self.local_now());
        debug!(elapsed_ms = started.elapsed().as_millis(), ?node, "the source was pinged");
        *self.inner.node.lock().unwrap_or_else(PoisonError::into_inner) = Some(node);
        Ok(started.elapsed())
    }

    /// Waits until the driver loses a server, which it notices between commands. Its other servers may still answer, so
    /// this is a reason to [`ping`](Self::ping).
    pub async fn server_lost(&self) {
        self.inner.lost.notified().await;
    }

    /// The reply to `hello` over a client of this source, with an explanation if there is none.
    pub(super) async fn hello(
        &self,
        database: &Database,
        preferred: Option<SelectionCriteria>,
    ) -> Result<Document> {
        let answer = async {
            match self.run_command(database, doc! {"hello": 1}, preferred.clone()).await {
                // Servers before 4.4.2 know the command only by its old name.
                Err(error) if error.is_refused() => {
                    self.run_command(database, doc! {"isMaster": 1}, preferred).await
                }
                answer => answer,
            }
        };
        // Server selection has its own limit; this one is for a host that accepts the connection and then stays
        // silent.
        let Times { selection, connect, .. } = self.inner.times;
        match tokio::time::timeout(selection + connect, answer).await {
            Ok(Err(error)) => Err(self.explained(error.into()).await),
            Ok(Ok(hello)) => Ok(hello),
            Err(_) => Err(Failure::new(Code::SourceUnreachable, "The server does not answer.")),
        }
    }

    /// Adds to a connection failure what can be found out about it: that the replica set has a different name, that
    /// only one side uses TLS, or that the port is not a MongoDB server's.
    async fn explained(&self, failure: Failure) -> Failure {
        let is_connecting = matches!(failure.code, Code::SourceUnreachable | Code::TlsFailed);
        if !is_connecting && failure.code != Code::BadSource {
            return failure;
        }
        let found = self.inner.found_set.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let explained = match (&self.inner.asked_set, found) {
            (Some(asked), Some(FoundSet(found))) if found.as_ref() != Some(asked) => {
                Some(NoServer::WrongSet { asked: asked.clone(), found }.into())
            }
            // If no server of the source has answered, the two sides may be speaking different protocols.
            (_, None) if is_connecting && !self.inner.has_proxy => {
                let hosts = self.inner.hosts.get().map_or(&[][..], Vec::as_slice);
                protocol_probe::explain(hosts, self.inner.is_encrypted).await
            }
            _ => None,
        };
        match explained {
            Some(explained) => Failure { cause: failure.cause, ..explained },
            None => failure,
        }
    }

    /// The version that the server reports.
    ///
    /// # Errors
    /// See [`ping`](Self::ping).
    pub async fn version(&self) -> Result<String> {
        let database = self.database().await?;
        let preferred = self.preferred().await?;
        let asked = async { Ok(self.run_command(&database, doc! {"buildInfo": 1}, preferred).await?) };
        let info = self.with_timeout(SHORT_TIME, asked).await?;
        Ok(info.get_str("version").unwrap_or("unknown").to_owned())
    }

    /// Runs a read-only command.
    pub(super) async fn run_command(
        &self,
        database: &Database,
        command: Document,
        preferred: Option<SelectionCriteria>,
    ) -> Result<Document, SourceError> {
        self.with_retry(|| async {
            let asked = database.run_command(command.clone());
            match preferred.clone() {
                Some(preferred) => asked.selection_criteria(preferred).await,
                None => asked.await,
            }
        })
        .await
    }

    /// Retries once if the connection was gone, since it may have been a stale one. The driver does this for reads
    /// but not for commands.
    pub(super) async fn with_retry<T, F>(&self, ask: impl Fn() -> F) -> Result<T, SourceError>
    where
        F: Future<Output = mongodb::error::Result<T>>,
    {
        match ask().await.map_err(SourceError::from) {
            Err(error) if self.inner.retries_reads && error.is_worth_retrying() => Ok(ask().await?),
            answer => answer,
        }
    }

    /// Waits for an answer that the server gives within `limit`, or within the connection string's `timeoutMS` or
    /// `socketTimeoutMS`, and counts the commands sent for it. The driver's own monitoring detects a server that is
    /// gone, but on a connection that has gone silent the driver waits forever.
    ///
    /// # Errors
    /// `source_timeout`, and any failure of `answer`.
    pub(super) async fn with_timeout<T>(
        &self,
        limit: Duration,
        answer: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let Times { connect, answer: given, .. } = self.inner.times;
        let limit = given.unwrap_or(limit + NETWORK_MARGIN.max(connect + ANSWER_MARGIN));
        let answer = CURRENT_SOURCE.scope(self.clone(), tokio::time::timeout(limit, answer));
        answer.await.unwrap_or_else(|_| {
            Err(Failure::new(Code::SourceTimeout, "The server took longer than the time limit.")
                .because(format!("no answer within {} s", limit.as_secs_f32())))
        })
    }

    pub(super) async fn client(&self) -> Result<&Client> {
        self.inner.client.get_or_try_init(|| self.connect()).await
    }

    pub(super) async fn database(&self) -> Result<Database> {
        // A source without a database can still be pinged.
        let name = Some(&*self.inner.database).filter(|name| !name.is_empty());
        Ok(self.client().await?.database(name.unwrap_or("admin")))
    }

    pub(super) async fn admin(&self) -> Result<Database> {
        Ok(self.client().await?.database("admin"))
    }

    /// Whether the connection string allows a read to be retried.
    pub(super) fn retries_reads(&self) -> bool {
        self.inner.retries_reads
    }

    pub(super) async fn collection(&self, name: Option<&str>) -> Result<Collection<bson::RawDocumentBuf>> {
        Ok(self.database().await?.collection(name.unwrap_or(&self.inner.collection)))
    }

    /// The name of the trades' collection.
    #[must_use]
    pub fn collection_name(&self) -> &str {
        &self.inner.collection
    }

    /// The name of the database.
    #[must_use]
    pub fn database_name(&self) -> &str {
        &self.inner.database
    }

    /// The hosts of the connection string, or the name that lists them.
    pub(super) fn host_info(&self) -> Result<HostInfo> {
        Ok(parse(self.inner.uri.expose_secret())?.host_info)
    }

    /// The timeouts from the connection string.
    pub(super) fn times(&self) -> Times {
        self.inner.times
    }

    async fn connect(&self) -> Result<Client> {
        self.client_with(self.driver_options().await?)
    }

    /// The options to connect with. Looks up the hosts of a `mongodb+srv` name.
    ///
    /// # Errors
    /// `bad_source`, `source_unreachable` if the name has no hosts.
    pub(super) async fn driver_options(&self) -> Result<ClientOptions> {
        let mut options = ClientOptions::parse(for_driver(parse(self.inner.uri.expose_secret())?)).await?;
        options.app_name = Some("Tidemark".to_owned());
        // Traders' reads stay off the primary if there is a secondary, unless the connection string asks for others. A
        // direct connection has only its one host.
        if options.selection_criteria.is_none() && options.direct_connection != Some(true) {
            let preference = ReadPreference::SecondaryPreferred { options: None };
            options.selection_criteria = Some(SelectionCriteria::ReadPreference(preference));
        }
        options.server_selection_timeout = Some(self.inner.times.selection);
        options.connect_timeout = Some(self.inner.times.connect);
        Ok(options)
    }

    /// A client with these options.
    ///
    /// # Errors
    /// `bad_source`, `tls_failed`.
    pub(super) fn client_with(&self, mut options: ClientOptions) -> Result<Client> {
        if let Some(Tls::Enabled(tls)) = &options.tls {
            certificates::check(tls)?;
        }
        // Set already if there is a client for a test, too. The hosts are the same.
        let _ = self.inner.hosts.set(options.hosts.clone());
        options.sdam_event_handler = Some(heartbeat_watcher(&self.inner.found_set, &self.inner.lost));
        // Each command checks a connection out of the pool; handshakes and the driver's own monitoring do not.
        // Subscribing to the command events themselves would make the driver parse every answer for them.
        options.cmap_event_handler = Some(EventHandler::callback(|event| {
            if matches!(event, CmapEvent::ConnectionCheckedOut(_)) {
                // Pings and cursor closes run outside `CURRENT_SOURCE` and are not counted here.
                let _ = CURRENT_SOURCE.try_with(Self::count);
            }
        }));
        let own = match &options.tls {
            Some(Tls::Enabled(tls)) => tls.cert_key_file_path.clone(),
            _ => None,
        };
        let trusted = certificates::trust_system(&mut options);
        let client = Client::with_options(options);
        // The driver has read the file.
        drop(trusted);
        client.map_err(SourceError::from).map_err(|error| match (own, error.kind()) {
            (Some(path), SourceErrorKind::Tls(TlsProblem::OwnKey { wrong_passphrase, reason })) => {
                certificates::own_key_failure(&path, reason, *wrong_passphrase)
            }
            _ => error.into(),
        })
    }
}

/// The first of a database and a collection that is blank.
fn missing_place(database: &str, collection: &str) -> Option<(&'static str, FailureTarget)> {
    let parts = [
        ("database", database, FailureTarget::Database),
        ("collection", collection, FailureTarget::Collection),
    ];
    parts.into_iter().find(|(_, name, _)| name.trim().is_empty()).map(|(part, _, target)| (part, target))
}

/// Records the replica set name from each successful heartbeat, and notifies of each that fails.
fn heartbeat_watcher(found: &Arc<Mutex<Option<FoundSet>>>, lost: &Arc<Notify>) -> EventHandler<SdamEvent> {
    let (found, lost) = (Arc::clone(found), Arc::clone(lost));
    EventHandler::callback(move |event| match event {
        SdamEvent::ServerHeartbeatSucceeded(event) => {
            let name = event.reply.get_str("setName").ok().map(str::to_owned);
            *found.lock().unwrap_or_else(PoisonError::into_inner) = Some(FoundSet(name));
        }
        SdamEvent::ServerHeartbeatFailed(_) => lost.notify_one(),
        _ => {}
    })
}

/// Reads the node's properties from a reply to `hello`.
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

/// Removes an option that the driver rejects although other drivers support it.
#[expect(deprecated, reason = "the driver does not support it; this program does")]
fn for_driver(mut parsed: ConnectionString) -> ConnectionString {
    parsed.socket_timeout = None;
    parsed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::uri::with_password;

    fn source(uri: &str) -> Source {
        let settings = SourceSettings {
            uri: uri.to_owned(),
            password: None,
            database: "desk".to_owned(),
            collection: "trades".to_owned(),
        };
        Source::new(&settings).expect("a readable connection string")
    }

    /// Covers every public type that carries a connection string or a password, and what is derived from it.
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
                password: apart.map(SecretString::from),
                database: "desk".to_owned(),
                collection: "trades".to_owned(),
            };
            // Whether it is accepted or rejected with a reason.
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

    /// Equivalent spellings of one login give one identity; different readers give different identities.
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
