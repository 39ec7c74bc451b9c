//! Reads the driver's errors. The driver gives some reasons only as text, which is read here and in `topology.rs`;
//! all other code branches on the kind. The sentences are in `api/source_failures.rs`.

use std::error::Error as _;

use mongodb::error::{Error, ErrorKind};
use thiserror::Error as ThisError;

use super::topology::{self, HostFailure, NoServer};
use crate::failure::Failure;

/// What the driver reported, and what kind of error it is.
#[derive(Debug, Clone, ThisError)]
#[error("{detail}")]
pub struct SourceError {
    kind: SourceErrorKind,
    /// The technical details: the driver's message without its debug output.
    detail: String,
    #[source]
    driver: Error,
}

/// What kind of error it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceErrorKind {
    /// No server answers, and it is not known why.
    Unreachable,
    /// None of the hosts can be connected to: why not, by host. At least one.
    NoHost(Vec<HostFailure>),
    /// The connection was lost.
    ConnectionLost,
    /// Servers answered, but none that the connection string asks for.
    NoServer(NoServer),
    /// No secure connection could be established.
    Tls(TlsProblem),
    /// The login failed.
    Login(LoginProblem),
    /// The user may not read this.
    NotAuthorized,
    /// The connection string or an option of it cannot be used.
    Options(OptionProblem),
    /// The server took longer than the time limit.
    Timeout,
    /// The server or its administrator ended the query.
    Ended,
    /// The server rejects the name of the database or of a collection.
    Name(NamePart),
    /// The server rejected the command itself.
    Refused,
}

/// Which name the server rejects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamePart {
    /// The database's.
    Database,
    /// A collection's.
    Collection,
}

/// Why no secure connection could be established.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsProblem {
    /// The server's certificate has expired.
    Expired,
    /// The server's certificate is not valid yet, or this computer's clock is behind.
    NotYetValid,
    /// The server's certificate is for a different host name.
    OtherHost,
    /// The server's certificate comes from an authority that is not trusted.
    UnknownIssuer,
    /// The server uses the certificate of an authority as its own.
    AuthorityAsServer,
    /// The server expects a client certificate.
    NoClientCertificate,
    /// The client certificate or its key cannot be used, with the driver's reason.
    OwnKey {
        /// Whether its passphrase does not decrypt it.
        wrong_passphrase: bool,
        /// The driver's reason.
        reason: String,
    },
    /// Something else.
    Other,
}

/// Why a login failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginProblem {
    /// The connection string names no user.
    NoUser,
    /// A password is needed.
    NoPassword,
    /// The server does not accept the client certificate as a user's.
    Certificate,
    /// The user name or the password is wrong.
    Refused,
}

/// What of a connection string cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionProblem {
    /// `loadBalanced`
    LoadBalanced,
    /// `heartbeatFrequencyMS`
    HeartbeatFrequency,
    /// `maxStalenessSeconds`
    MaxStaleness,
    /// Something else.
    Other,
}

impl SourceError {
    /// What kind of error it is.
    #[must_use]
    pub const fn kind(&self) -> &SourceErrorKind {
        &self.kind
    }

    /// Whether the server rejected the command itself, rather than the user or the timing.
    pub(super) fn is_refused(&self) -> bool {
        self.kind == SourceErrorKind::Refused
    }

    /// Whether a failed read is likely to succeed if retried at once: the connection was gone, or the node was
    /// changing its role.
    pub(super) fn is_worth_retrying(&self) -> bool {
        match self.server_code() {
            Some(code) => code == EXCEEDED_TIME_LIMIT || self.kind == SourceErrorKind::Unreachable,
            None => broke_off(&self.driver),
        }
    }

    /// The code of a command that the server answered with an error.
    pub(super) fn server_code(&self) -> Option<i32> {
        match self.driver.kind.as_ref() {
            ErrorKind::Command(command) => Some(command.code),
            _ => None,
        }
    }
}

impl From<Error> for SourceError {
    fn from(driver: Error) -> Self {
        Self { kind: kind_of(&driver), detail: detail(&driver), driver }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        SourceError::from(error).into()
    }
}

/// Words of the driver's or the server's message, in lower case, and the kind of error that they mean.
const MEANINGS: [(&str, SourceErrorKind); 14] = {
    use {LoginProblem as L, OptionProblem as O, SourceErrorKind as K, TlsProblem as T};
    [
        ("invalid peer certificate: expired", K::Tls(T::Expired)),
        ("invalid peer certificate: certificate expired", K::Tls(T::Expired)),
        ("invalid peer certificate: notvalidyet", K::Tls(T::NotYetValid)),
        ("invalid peer certificate: certificate not valid yet", K::Tls(T::NotYetValid)),
        ("certificate not valid for name", K::Tls(T::OtherHost)),
        ("invalid peer certificate: unknownissuer", K::Tls(T::UnknownIssuer)),
        ("causedasendentity", K::Tls(T::AuthorityAsServer)),
        ("certificaterequired", K::Tls(T::NoClientCertificate)),
        ("mongodb-x509 failure", K::Login(L::Certificate)),
        ("requires authentication", K::Login(L::NoUser)),
        // Of SCRAM, if there is no password.
        ("no password supplied", K::Login(L::NoPassword)),
        ("attempted to initialize in load balancing mode", K::Options(O::LoadBalanced)),
        ("'heartbeat_freq'", K::Options(O::HeartbeatFrequency)),
        ("max_staleness", K::Options(O::MaxStaleness)),
    ]
};

fn kind_of(error: &Error) -> SourceErrorKind {
    if let ErrorKind::ServerSelection { message, .. } = error.kind.as_ref()
        && let Some(reason) = topology::reason(message)
    {
        return SourceErrorKind::NoServer(reason);
    }
    let broad = broad_kind(error);
    let text = without_names(&describe(error)).to_lowercase();
    let same = |kind: &SourceErrorKind| std::mem::discriminant(kind) == std::mem::discriminant(&broad);
    match MEANINGS.iter().find(|(words, kind)| same(kind) && text.contains(words)) {
        Some((_, kind)) => kind.clone(),
        None if broad == SourceErrorKind::Unreachable && broke_off(error) => SourceErrorKind::ConnectionLost,
        None if broad == SourceErrorKind::Unreachable => match unreachable_hosts(error) {
            hosts if hosts.is_empty() => broad,
            hosts => SourceErrorKind::NoHost(hosts),
        },
        None => broad,
    }
}

/// Why none of the hosts can be connected to; empty if the error does not say so.
fn unreachable_hosts(error: &Error) -> Vec<HostFailure> {
    match error.kind.as_ref() {
        ErrorKind::ServerSelection { .. } => topology::unreachable_hosts(&describe(error)),
        ErrorKind::DnsResolve { message, .. } => topology::unresolved_name(message).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// The kind by the driver's own kinds and the server's codes, without the particular reason.
///
/// Server error codes: <https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml>.
fn broad_kind(error: &Error) -> SourceErrorKind {
    use SourceErrorKind::{Ended, Login, Name, NotAuthorized, Options, Refused, Timeout, Tls, Unreachable};
    let login = Login(LoginProblem::Refused);
    match error.kind.as_ref() {
        ErrorKind::Authentication { .. } => login,
        ErrorKind::InvalidTlsConfig { message, .. } => {
            // Only the own certificate and key are read by the driver itself.
            let wrong_passphrase = says(message, "decrypt");
            Tls(TlsProblem::OwnKey { wrong_passphrase, reason: reason(error) })
        }
        ErrorKind::InvalidArgument { .. } => Options(OptionProblem::Other),
        ErrorKind::IncompatibleServer { message, .. } if says(message, "load balancing mode") => {
            Options(OptionProblem::LoadBalanced)
        }
        ErrorKind::Command(command) => match command.code {
            // AuthenticationFailed; ProtocolError, which some servers return for a bad mechanism
            18 | 334 => login,
            // Unauthorized, which servers also return to a client that has not logged in
            13 if says(&command.message, "requires authentication") => login,
            13 => NotAuthorized,
            // MaxTimeMSExpired, NetworkTimeout, NetworkInterfaceExceededTimeLimit
            50 | EXCEEDED_TIME_LIMIT | 89 | 202 => Timeout,
            code if ENDED.contains(&code) => Ended,
            INVALID_NAMESPACE => Name(name_in(&command.message)),
            // InterruptedAtShutdown, ShutdownInProgress, NotWritablePrimary, NotPrimaryNoSecondaryOk,
            // PrimarySteppedDown, HostUnreachable, HostNotFound, InterruptedDueToReplStateChange,
            // NotPrimaryOrSecondary, FailedToSatisfyReadPreference, SocketException
            11600 | 91 | 10107 | 13435 | 189 | 6 | 7 | 11602 | 13436 | 133 | 9001 => Unreachable,
            // Atlas reports this under a code of its own, 8000.
            _ if says(&command.message, "authentication failed") => login,
            _ if says(&command.message, "not allowed to do action") => NotAuthorized,
            _ if says(&command.message, "not authorized") => NotAuthorized,
            _ => Refused,
        },
        ErrorKind::DnsResolve { .. } => Unreachable,
        // The message names the host, then the error of a different command.
        ErrorKind::ConnectionPoolCleared { message, .. } => {
            by_text(message.split_once("failed with: ").map_or("", |(_, why)| why))
        }
        // The driver reports why it could not select a server only as text.
        _ => by_text(&describe(error)),
    }
}

/// `ExceededTimeLimit`
const EXCEEDED_TIME_LIMIT: i32 = 262;

/// `InvalidNamespace`
const INVALID_NAMESPACE: i32 = 73;

/// Which name an `InvalidNamespace` is about. Servers that do not say so quote the whole namespace.
fn name_in(message: &str) -> NamePart {
    if says(message, "collection") && !says(message, "database") {
        NamePart::Collection
    } else {
        NamePart::Database
    }
}

/// `QueryPlanKilled`, `CappedPositionLost`, `CursorKilled`, `Interrupted`, and `CursorNotFound`: the server or its
/// administrator ended the query, or its cursor was idle for too long.
const ENDED: [i32; 5] = [175, 136, 237, 11601, 43];

fn broke_off(error: &Error) -> bool {
    matches!(error.kind.as_ref(), ErrorKind::Io(_) | ErrorKind::ConnectionPoolCleared { .. })
}

fn says(text: &str, what: &str) -> bool {
    text.to_lowercase().contains(what)
}

fn by_text(text: &str) -> SourceErrorKind {
    let text = without_names(text).to_lowercase();
    let has = |needles: &[&str]| needles.iter().any(|needle| text.contains(needle));
    if has(&["authentication failure", "authentication failed", "scram failure", "sasl"]) {
        SourceErrorKind::Login(LoginProblem::Refused)
    } else if has(&["certificate", "tls", "handshake failure", "invalidcontenttype", "corrupt message"]) {
        SourceErrorKind::Tls(TlsProblem::Other)
    } else {
        SourceErrorKind::Unreachable
    }
}

/// The driver's message without the names of hosts and sets, which say nothing about what went wrong.
fn without_names(text: &str) -> String {
    let names = ["Address: ", "Set Name: ", "Tags: "];
    let parts = text.split(", ").filter(|part| !names.iter().any(|name| part.contains(name)));
    parts.collect::<Vec<_>>().join(", ")
}

/// The driver's message and its causes, without the labels and documents that it prints for debugging.
fn describe(error: &Error) -> String {
    let mut text = without_debug(&error.kind.to_string());
    let mut source = error.source();
    while let Some(cause) = source {
        let words = match cause.downcast_ref::<Error>() {
            Some(error) => error.kind.to_string(),
            None => cause.to_string(),
        };
        text.push_str(": ");
        text.push_str(&without_debug(&words));
        source = cause.source();
    }
    text
}

/// The driver's message as a technical detail: for a set of servers the error of each, for a command no documents.
fn detail(error: &Error) -> String {
    let text = describe(error);
    let text = topology::servers(&text).unwrap_or(text);
    let text = without_part(&text, "to execute command {", "to execute this command");
    match text.split_once("Query { name: Name(\"").map(|(before, rest)| (before, rest.split('"').next())) {
        Some((before, Some(name))) => format!("{before}{name}"),
        _ => text,
    }
}

/// Replaces everything from the given words on.
fn without_part(text: &str, from: &str, instead: &str) -> String {
    text.split_once(from).map_or_else(|| text.to_owned(), |(before, _)| format!("{before}{instead}"))
}

/// The driver's reason without its prefix.
pub(super) fn reason(error: &Error) -> String {
    let text = describe(error);
    text.strip_prefix("An invalid argument was provided: ").unwrap_or(&text).to_owned()
}

/// Removes the debug output (labels, sources, responses) of errors inside a topology description.
fn without_debug(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(", labels: {") {
        out.push_str(before);
        let after = after.split_once('}').map_or(after, |(_, after)| after);
        rest = after.strip_prefix(", source: None").unwrap_or(after);
        if let Some(response) = rest.strip_prefix(", server response: ") {
            let dumped = response.strip_prefix("Some(").and_then(|dump| dump.split_once("\" })"));
            rest =
                dumped.map_or_else(|| response.strip_prefix("None").unwrap_or(response), |(_, after)| after);
        }
    }
    out.push_str(rest);
    out.replace("Error: Kind: ", "Error: ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Code;

    /// The message of the mongodb crate 3.9 if it finds no server.
    fn not_found(host: &str, set: &str, error: &str) -> String {
        format!(
            "Kind: Server selection timeout: No available servers. Topology: {{ Type: ReplicaSetNoPrimary, \
             Set Name: {set}, Servers: [ {{ Address: {host}:27017, Type: Unknown, Error: Kind: {error} }}, \
             {{ Address: {host}2:27017, Type: Unknown, Error: Kind: {error} }} ] }}, labels: {{}}"
        )
    }

    #[test]
    fn what_the_driver_prints_for_debugging_is_left_out() {
        let inner = "Error: Kind: I/O error: refused, labels: {\"SystemOverloadedError\"}, source: None, \
                     server response: Some(RawDocumentBuf { data: \"8d0000\" })";
        assert_eq!(
            without_debug(&format!(
                "No available servers. [ {{ Address: db1:27017, {inner} }}, {{ {inner} }} ]"
            )),
            "No available servers. [ { Address: db1:27017, Error: I/O error: refused }, { Error: I/O error: refused } ]"
        );
        let plain = "Error: Kind: x, labels: {}, source: None, server response: None }";
        assert_eq!(without_debug(plain), "Error: x }");
    }

    /// Messages of rustls 0.23 and the mongodb crate 3.9.
    #[test]
    fn a_refused_certificate_or_login_has_its_own_sentence() {
        for (words, meant) in [
            ("invalid peer certificate: Expired", "has expired"),
            (
                "invalid peer certificate: certificate not valid for name \"db1\"; certificate is only valid for DnsName(\"db2\")",
                "another host name",
            ),
            ("invalid peer certificate: UnknownIssuer", "does not trust"),
            ("invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))", "one of an authority"),
            ("received fatal alert: CertificateRequired", "expects a client certificate"),
        ] {
            let failure = Failure::from(Error::from(std::io::Error::other(words)));
            assert_eq!(failure.code, Code::TlsFailed, "{failure:?}");
            assert!(failure.message.contains(meant), "{failure:?}");
        }
        let other = Failure::from(Error::from(std::io::Error::other("Connection refused")));
        assert_eq!(other.code, Code::SourceUnreachable, "{other:?}");
    }

    #[test]
    fn a_cause_is_what_happened_at_each_server() {
        let error = Error::from(std::io::Error::other("x"));
        assert_eq!(detail(&error), "I/O error: x");
        let text = without_debug(&not_found("db1", "rs0", "I/O error: Connection refused (os error 111)"));
        assert_eq!(
            topology::servers(&text).as_deref(),
            Some(
                "db1:27017: I/O error: Connection refused (os error 111); db12:27017: I/O error: Connection refused (os error 111)"
            )
        );
        assert_eq!(
            topology::servers(
                "Topology: { Type: Unknown, Servers: [ { Address: db1:27017, Type: Standalone } ] }"
            )
            .as_deref(),
            Some("db1:27017: Standalone")
        );
        assert_eq!(topology::servers("no servers"), None);
        let refused = "not authorized on desk to execute command { aggregate: \"t\", lsid: {} }";
        assert_eq!(
            without_part(refused, "to execute command {", "to execute this command"),
            "not authorized on desk to execute this command"
        );
    }

    /// Messages of MongoDB 7 and of a server that speaks its protocol.
    #[test]
    fn a_name_that_is_refused_is_the_databases_or_the_collections() {
        for (message, part) in [
            ("Invalid database name: 'de sk'", NamePart::Database),
            ("Invalid namespace specified 'de sk.trades'", NamePart::Database),
            ("Invalid collection name specified 'desk..trades'", NamePart::Collection),
            ("Invalid collection name: system.x", NamePart::Collection),
        ] {
            assert_eq!(name_in(message), part, "{message}");
        }
    }

    #[test]
    fn the_drivers_words_give_the_reason() {
        let cases = [
            ("I/O error: Connection refused (os error 111)", SourceErrorKind::Unreachable),
            ("I/O error: failed to lookup address information", SourceErrorKind::Unreachable),
            ("I/O error: invalid peer certificate: UnknownIssuer", SourceErrorKind::Tls(TlsProblem::Other)),
            (
                "I/O error: received fatal alert: HandshakeFailure; TLS handshake failure",
                SourceErrorKind::Tls(TlsProblem::Other),
            ),
            ("SCRAM failure: Authentication failed.", SourceErrorKind::Login(LoginProblem::Refused)),
        ];
        for (error, kind) in cases {
            for (host, set) in [("db1", "rs0"), ("mongo-tls-certificate", "sasl-tls")] {
                assert_eq!(by_text(&not_found(host, set, error)), kind, "{host}: {error}");
            }
        }
    }
}
