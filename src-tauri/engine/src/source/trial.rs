//! The first steps of a connection, one by one, so that a test of a source can say which of them fails: the names, the
//! ports, the protocol, the login.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use mongodb::options::{ClientOptions, HostInfo, ReadPreference, SelectionCriteria, ServerAddress, Tls};
use tokio::net::{TcpStream, lookup_host};

use super::connect::Source;
use super::topology::{HostFailure, HostProblem};
use crate::failure::{Code, Failure, Result};

/// The longest that names are looked up: resolvers that do not answer are asked more than once.
const LOOKUP_LIMIT: Duration = Duration::from_secs(10);

/// The hosts of a source and how it connects to them.
#[derive(Clone)]
pub(crate) struct Trial {
    options: ClientOptions,
    /// The name whose SRV records list the hosts.
    pub(crate) srv_name: Option<String>,
}

/// The options may hold a password.
impl std::fmt::Debug for Trial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trial").field("hosts", &self.options.hosts).finish_non_exhaustive()
    }
}

/// A host and a port to connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) port: u16,
}

impl Host {
    /// The host with its port, such as `db1:27017` or `[::1]:27017`.
    pub(crate) fn address(&self) -> String {
        let Self { name, port } = self;
        if name.contains(':') && !name.starts_with('[') {
            format!("[{name}]:{port}")
        } else {
            format!("{name}:{port}")
        }
    }

    /// The name as the system's functions take it.
    fn bare(&self) -> &str {
        self.name.trim_matches(['[', ']'])
    }

    fn failure_of(&self, error: &std::io::Error) -> (HostFailure, String) {
        let problem = match error.kind() {
            std::io::ErrorKind::ConnectionRefused => HostProblem::Refused,
            std::io::ErrorKind::TimedOut => HostProblem::NoAnswer,
            std::io::ErrorKind::HostUnreachable
            | std::io::ErrorKind::NetworkUnreachable
            | std::io::ErrorKind::NetworkDown => HostProblem::NoRoute,
            _ => HostProblem::of(&error.to_string()),
        };
        (HostFailure { address: self.address(), problem }, format!("{}: {error}", self.address()))
    }

    /// The addresses that the name resolves to, or why it does not, with the technical cause.
    async fn resolve(&self) -> Result<Vec<IpAddr>, (HostFailure, String)> {
        let found = tokio::time::timeout(LOOKUP_LIMIT, lookup_host((self.bare(), self.port))).await;
        let addresses = found.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()));
        let mut addresses: Vec<IpAddr> = match addresses {
            Ok(addresses) => addresses.map(|address| address.ip()).collect(),
            // Whatever the resolver's reason: this is the name's problem.
            Err(error) => {
                let (failure, cause) = self.failure_of(&error);
                return Err((HostFailure { problem: HostProblem::UnknownName, ..failure }, cause));
            }
        };
        addresses.dedup();
        Ok(addresses)
    }

    /// Connects and hangs up; how long connecting took, or why it failed, with the technical cause.
    async fn reach(&self, limit: Duration) -> Result<Duration, (HostFailure, String)> {
        let begun = Instant::now();
        let connected = tokio::time::timeout(limit, TcpStream::connect((self.bare(), self.port))).await;
        match connected.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into())) {
            Ok(_) => Ok(begun.elapsed()),
            Err(error) => Err(self.failure_of(&error)),
        }
    }
}

/// What was found out about each host: what is asked, or why not and the technical cause.
pub(crate) type PerHost<T> = Vec<(Host, Result<T, (HostFailure, String)>)>;

impl Source {
    /// The hosts to connect to. Looks them up if the connection string names a `mongodb+srv` cluster.
    ///
    /// # Errors
    /// `bad_source`; `source_unreachable` if the name of the cluster does not resolve.
    pub(crate) async fn trial(&self) -> Result<Trial> {
        let srv_name = match self.host_info()? {
            HostInfo::DnsRecord(name) => Some(name),
            _ => None,
        };
        let options =
            tokio::time::timeout(LOOKUP_LIMIT, self.driver_options()).await.unwrap_or_else(|_| {
                let name = srv_name.clone().unwrap_or_default();
                Err(Failure::new(
                    Code::SourceUnreachable,
                    format!("The name {name} does not resolve in time."),
                ))
            })?;
        Ok(Trial { options, srv_name })
    }

    /// Connects to each host and hangs up.
    pub(crate) async fn reach_hosts(&self, hosts: Vec<Host>) -> PerHost<Duration> {
        let limit = self.times().connect;
        join_all(hosts.into_iter().map(|host| async move {
            let reached = host.reach(limit).await;
            (host, reached)
        }))
        .await
    }

    /// Pings over a client that does not log in. Proves TLS, the replica set's name and the read preference.
    ///
    /// # Errors
    /// As for [`ping`](Self::ping), without `auth_failed`.
    pub(crate) async fn ping_without_login(&self, trial: &Trial) -> Result<()> {
        let mut options = trial.options.clone();
        options.credential = None;
        let preferred = options.selection_criteria.clone();
        let client = self.client_with(options)?;
        self.hello(&client.database("admin"), preferred).await.map(drop)
    }
}

impl Trial {
    /// The hosts that are reached by name; none for Unix sockets.
    pub(crate) fn hosts(&self) -> Vec<Host> {
        let host = |address: &ServerAddress| match address {
            ServerAddress::Tcp { host, port } => {
                Some(Host { name: host.clone(), port: port.unwrap_or(27017) })
            }
            _ => None,
        };
        self.options.hosts.iter().filter_map(host).collect()
    }

    /// Looks up the names of the hosts.
    pub(crate) async fn resolve_hosts(&self) -> PerHost<Vec<IpAddr>> {
        join_all(self.hosts().into_iter().map(|host| async move {
            let resolved = host.resolve().await;
            (host, resolved)
        }))
        .await
    }

    /// The SOCKS5 proxy.
    pub(crate) fn proxy(&self) -> Option<Host> {
        let proxy = self.options.socks5_proxy.as_ref()?;
        Some(Host { name: proxy.host.clone(), port: proxy.port.unwrap_or(1080) })
    }

    /// Whether nothing that is sent leaves this computer.
    pub(crate) fn is_local(&self) -> bool {
        let is_loopback = |host: &Host| {
            host.bare().eq_ignore_ascii_case("localhost")
                || host.bare().parse().is_ok_and(|address: IpAddr| address.is_loopback())
        };
        self.proxy().is_none() && self.hosts().iter().all(is_loopback)
    }

    /// Whether the connection is encrypted.
    pub(crate) fn has_tls(&self) -> bool {
        matches!(self.options.tls, Some(Tls::Enabled(_)))
    }

    /// Whether the server's certificate is checked.
    pub(crate) fn checks_certificate(&self) -> bool {
        matches!(&self.options.tls, Some(Tls::Enabled(tls)) if tls.allow_invalid_certificates != Some(true))
    }

    /// Whether there is a user to log in.
    pub(crate) fn has_login(&self) -> bool {
        self.options.credential.is_some()
    }

    /// The mode of the read preference, as in a connection string.
    pub(crate) fn read_preference(&self) -> &'static str {
        match &self.options.selection_criteria {
            Some(SelectionCriteria::ReadPreference(preference)) => match preference {
                ReadPreference::Secondary { .. } => "secondary",
                ReadPreference::PrimaryPreferred { .. } => "primaryPreferred",
                ReadPreference::SecondaryPreferred { .. } => "secondaryPreferred",
                ReadPreference::Nearest { .. } => "nearest",
                _ => "primary",
            },
            _ => "primary",
        }
    }
}
