//! Who and where the source is, and the client that reaches it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bson::{Bson, Document, doc};
use chrono::{DateTime, Utc};
use mongodb::event::EventHandler;
use mongodb::event::cmap::CmapEvent;
use mongodb::options::{ClientOptions, ConnectionString, HostInfo, SelectionCriteria};
use mongodb::{Client, Collection, Database};
use tokio::sync::OnceCell;
use tokio_util::task::TaskTracker;

use super::clock::{Clock, ServerClock};
use super::error::is_refused;
use super::login::login_of;
use crate::failure::{Code, Failure, Result};
use crate::secret::Kept;
use crate::signature::SourceIdentity;

/// How long to look for a server before the source counts as out of reach.
const SELECTION_TIME: Duration = Duration::from_secs(3);
/// What an answer may take on top of the server's own limit.
const ON_THE_WAY: Duration = Duration::from_secs(5);
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
    /// The connection string's `socketTimeoutMS`, which the driver does not know.
    socket_timeout: Option<Duration>,
    /// What is to be said of a link that is not verified.
    unverified: Option<&'static str>,
    /// Keeps its secrets out of causes, as long as anything can fail.
    _secrets: Kept,
    client: OnceCell<Client>,
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
                return Err(Failure::new(Code::BadSource, format!("The {name} has no name."))
                    .advise(format!("Enter the name of the {name}.")));
            }
        }
        let secrets = Kept::of(settings.uri.trim(), settings.password.as_deref());
        let uri = with_password(settings.uri.trim(), settings.password.as_deref());
        // A user without a password yet is still somebody, and the name belongs to the identity; but some
        // ways to log in cannot be read without a password, others with one.
        let readable = with_password(&uri, Some("none"));
        let parsed = ConnectionString::parse(&uri).or_else(|_| ConnectionString::parse(&readable));
        let parsed = parsed.map_err(|error| {
            Failure::new(Code::BadSource, "The connection string cannot be read.")
                .advise("It looks like mongodb://user@host:27017/ or mongodb+srv://user@cluster.")
                .because(without_password(&error.to_string(), &uri))
        })?;
        let hosts: Vec<String> = match &parsed.host_info {
            HostInfo::HostIdentifiers(hosts) => hosts.iter().map(ToString::to_string).collect(),
            HostInfo::DnsRecord(name) => vec![format!("srv:{name}")],
            _ => Vec::new(),
        };
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
                socket_timeout: socket_timeout(&parsed),
                retries_reads: parsed.retry_reads.unwrap_or(true),
                read_concern: parsed.read_concern.as_ref().and_then(|concern| {
                    Some(bson::serialize_to_bson(&concern.level).ok()?.as_str()?.to_owned())
                }),
                unverified: super::link::unverified(&parsed),
                _secrets: secrets,
                uri,
                database: settings.database.trim().to_owned(),
                collection: settings.collection.trim().to_owned(),
                client: OnceCell::new(),
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

    /// Closes the connection before a program ends, and waits a moment for the server to be told of the cursors that
    /// were given up.
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
            match introduced(&database, "hello", preferred.clone()).await {
                // Servers before 4.4.2 know it by its old name alone.
                Err(error) if is_refused(&error) => introduced(&database, "isMaster", preferred).await,
                answer => answer,
            }
        };
        // Selection has its own limit; this one is for a host that takes the connection and is silent.
        match tokio::time::timeout(2 * SELECTION_TIME, answer).await {
            Ok(answer) => {
                let hello = answer.map_err(Failure::from)?;
                let node = node_of(&hello, sent, self.local_now());
                *self.inner.node.lock().unwrap_or_else(PoisonError::into_inner) = Some(node);
                Ok(started.elapsed())
            }
            Err(_) => Err(Failure::new(Code::SourceUnreachable, "The server does not answer.")),
        }
    }

    /// The version that the server tells.
    ///
    /// # Errors
    /// See [`ping`](Self::ping).
    pub async fn version(&self) -> Result<String> {
        let database = self.database().await?;
        let mut command = database.run_command(doc! {"buildInfo": 1});
        if let Some(preferred) = self.preferred().await? {
            command = command.selection_criteria(preferred);
        }
        let asked = async { Ok(command.await?) };
        let info = self.patiently(SHORT_TIME, asked).await?;
        Ok(info.get_str("version").unwrap_or("unknown").to_owned())
    }

    /// Waits for an answer that the server gives within `limit`, or within the connection string's
    /// `socketTimeoutMS`, and counts the commands that it takes. A server that is gone is noticed by the driver's own check of it, but for a
    /// connection that has fallen silent by itself the driver waits without end.
    ///
    /// # Errors
    /// `source_timeout`, and what `answer` comes to.
    pub(super) async fn patiently<T>(
        &self,
        limit: Duration,
        answer: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let limit = self.inner.socket_timeout.unwrap_or(limit + ON_THE_WAY);
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
        let mut options = ClientOptions::parse(for_driver(ConnectionString::parse(&self.inner.uri)?)).await?;
        options.app_name = Some("Tidemark".to_owned());
        options.server_selection_timeout = Some(SELECTION_TIME);
        options.connect_timeout.get_or_insert(SELECTION_TIME);
        // Each command takes a connection out of the pool; handshakes and the driver's own checks of the
        // server do not. Events of the commands themselves would have the driver parse every answer for them.
        options.cmap_event_handler = Some(EventHandler::callback(|event| {
            if matches!(event, CmapEvent::ConnectionCheckedOut(_)) {
                // Nobody asks for a ping or for the end of a cursor.
                let _ = ASKING.try_with(Self::count);
            }
        }));
        Ok(Client::with_options(options)?)
    }
}

/// Asks a node who it is.
async fn introduced(
    database: &Database,
    name: &str,
    preferred: Option<SelectionCriteria>,
) -> mongodb::error::Result<Document> {
    let asked = database.run_command(doc! {name: 1});
    match preferred {
        Some(preferred) => asked.selection_criteria(preferred).await,
        None => asked.await,
    }
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

#[expect(deprecated, reason = "the driver does not support it; this program does")]
fn socket_timeout(parsed: &ConnectionString) -> Option<Duration> {
    // 0 means none in every driver.
    parsed.socket_timeout.filter(|limit| !limit.is_zero())
}

/// The driver refuses a connection string with an option that others know.
#[expect(deprecated, reason = "the driver does not support it; this program does")]
fn for_driver(mut parsed: ConnectionString) -> ConnectionString {
    parsed.socket_timeout = None;
    parsed
}

/// The driver's words about a connection string that it cannot read, unless they quote what may be a part
/// of the password: whatever lies between the first colon after the scheme and the last `@`.
fn without_password(words: &str, uri: &str) -> String {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let secret = rest.split_once(':').map_or("", |(_, secret)| secret);
    let secret = secret.rsplit_once('@').map_or(secret, |(secret, _)| secret);
    let mut parts = secret.split(|c: char| "@:/?#[]&=,".contains(c) || c.is_whitespace());
    if parts.any(|part| !part.is_empty() && words.contains(part)) {
        return "what stands after the user name is not as it should be".to_owned();
    }
    words.to_owned()
}

/// Puts a password into a connection string that names a user and no password.
fn with_password(uri: &str, password: Option<&str>) -> String {
    let Some(password) = password else { return uri.to_owned() };
    let Some(start) = uri.find("://").map(|at| at + 3) else { return uri.to_owned() };
    let end = uri[start..].find(['/', '?']).map_or(uri.len(), |at| start + at);
    let Some(sign) = uri[start..end].rfind('@').map(|at| start + at) else { return uri.to_owned() };
    if uri[start..sign].contains(':') {
        return uri.to_owned();
    }
    let escaped: String =
        password
            .bytes()
            .map(|byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            })
            .collect();
    format!("{}:{escaped}{}", &uri[..sign], &uri[sign..])
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

    #[test]
    fn a_password_goes_where_the_user_is() {
        assert_eq!(with_password("mongodb://ann@db1/x", Some("p@ss/1")), "mongodb://ann:p%40ss%2F1@db1/x");
        assert_eq!(with_password("mongodb://ann:own@db1/x", Some("other")), "mongodb://ann:own@db1/x");
        assert_eq!(with_password("mongodb://db1/x", Some("other")), "mongodb://db1/x");
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
            let profile = crate::desk::SourceProfile { uri: uri.clone(), ..Default::default() };
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
    fn the_driver_quotes_no_password() {
        for uri in ["mongodb://ann:s3cret", "mongodb://ann:s3cret/x@db1", "mongodb://ann:s3cret:x@db1:x/"] {
            let settings = SourceSettings {
                uri: uri.to_owned(),
                password: None,
                database: "desk".to_owned(),
                collection: "trades".to_owned(),
            };
            let failure = Source::new(&settings).expect_err("not a connection string");
            assert!(!format!("{failure:?}").contains("s3cret"), "{failure:?}");
        }
        let words = "invalid port: x";
        assert_eq!(without_password(words, "mongodb://ann:s3cret@db1:x/"), words);
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
