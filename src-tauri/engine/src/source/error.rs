//! Translates the driver's errors into the trader's words.

use std::error::Error as _;

use mongodb::error::{Error, ErrorKind};

use super::topology;
use crate::failure::{Code, Failure};

/// The failure to show for a driver error.
#[must_use]
pub fn mongodb_failure(error: &Error) -> Failure {
    if let ErrorKind::ServerSelection { message, .. } = error.kind.as_ref()
        && let Some(failure) = topology::failure(message)
    {
        return failure.because(cause(error));
    }
    let code = code_of(error);
    if let Some((message, advice)) = particular(error, code) {
        return Failure::new(code, message).advise(advice).because(cause(error));
    }
    let message = match code {
        Code::SourceTimeout if was_ended(error) => {
            return Failure::new(code, "The server ended the query before all rows had arrived.")
                .advise("Run the query again to fetch the rest; if it happens again, try a shorter range.")
                .because(cause(error));
        }
        Code::AuthFailed if describe(error).contains(NO_PASSWORD) => {
            return Failure::new(code, "This user needs a password, and none was given.")
                .advise("Enter the password.")
                .because(cause(error));
        }
        Code::AuthFailed => "The server refused the user name or the password.",
        Code::TlsFailed => "No secure connection to the server could be made.",
        Code::BadSource => "The connection string cannot be used.",
        Code::NotAuthorized => "This user may not read the collection.",
        Code::SourceTimeout => "The server took longer than the time limit.",
        Code::BadFilter => {
            return Failure::new(code, "The server refused the query.")
                .advise("Correct what the technical details name; if that is nothing you entered, ask your administrator.")
                .because(cause(error));
        }
        _ if broke_off(error) => "The connection to the server was lost.",
        _ => "The server cannot be reached.",
    };
    Failure::new(code, message).because(cause(error))
}

/// Text in the driver's or server's message, the sentence to show for it, and the advice.
const PARTICULAR: [(&str, &str, &str); 11] = [
    (
        "invalid peer certificate: expired",
        "The server's certificate has expired.",
        "Ask your administrator to renew it.",
    ),
    (
        "invalid peer certificate: certificate expired",
        "The server's certificate has expired.",
        "Ask your administrator to renew it.",
    ),
    (
        "certificate not valid for name",
        "The server's certificate is for another host name than the one in the connection string.",
        "Connect using a host name that is in the certificate.",
    ),
    (
        "invalid peer certificate: unknownissuer",
        "The server's certificate comes from an authority that this computer does not trust.",
        "Ask your administrator for the authority's certificate, and name its file with tlsCAFile in the connection string.",
    ),
    (
        "causedasendentity",
        "The server's certificate is one of an authority, which cannot be used as a server's own.",
        "Ask your administrator for a server certificate that is not a certificate authority (CA:FALSE).",
    ),
    (
        "certificaterequired",
        "The server expects a client certificate.",
        "Ask your administrator for one, and name its file with tlsCertificateKeyFile in the connection string.",
    ),
    (
        "mongodb-x509 failure",
        "The server refused the client certificate.",
        "Ask your administrator whether the certificate's subject is a user of the server.",
    ),
    (
        "requires authentication",
        "The server expects a login, and the connection string names no user.",
        "Add the user's name to the connection string, and enter the password.",
    ),
    (
        "attempted to initialize in load balancing mode",
        "The server is not behind a load balancer that MongoDB's drivers know (loadBalanced=true).",
        "Leave loadBalanced out of the connection string.",
    ),
    (
        "'heartbeat_freq'",
        "The connection string's option heartbeatFrequencyMS cannot be used.",
        "Correct the option in the connection string, or leave it out.",
    ),
    (
        "max_staleness",
        "The connection string's option maxStalenessSeconds cannot be used.",
        "Correct the option in the connection string, or leave it out.",
    ),
];

/// The sentence and advice for an error that has more specific ones than its code.
fn particular(error: &Error, code: Code) -> Option<(&'static str, &'static str)> {
    let text = without_names(&describe(error)).to_lowercase();
    let is_meant = matches!(
        code,
        Code::TlsFailed | Code::AuthFailed | Code::BadSource | Code::SourceUnreachable | Code::NotAuthorized
    );
    PARTICULAR
        .iter()
        .find(|(words, ..)| is_meant && text.contains(words))
        .map(|(_, message, advice)| (*message, *advice))
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        mongodb_failure(&error)
    }
}

/// The driver's message if SCRAM authentication needs a password and there is none.
const NO_PASSWORD: &str = "no password supplied";

/// `QueryPlanKilled`, `CappedPositionLost`, `CursorKilled`, `Interrupted`, and `CursorNotFound`: the server or its
/// administrator ended the query, or its cursor was idle for too long.
const ENDED: [i32; 5] = [175, 136, 237, 11601, 43];

fn was_ended(error: &Error) -> bool {
    matches!(error.kind.as_ref(), ErrorKind::Command(command) if ENDED.contains(&command.code))
}

/// Whether the server rejected the command itself, rather than the user or the timing.
pub(super) fn is_refused(error: &Error) -> bool {
    matches!(error.kind.as_ref(), ErrorKind::Command(_)) && code_of(error) == Code::BadFilter
}

/// Whether a failed read is likely to succeed if retried at once: the connection was gone, or the node was changing
/// its role.
pub(super) fn is_worth_retrying(error: &Error) -> bool {
    match error.kind.as_ref() {
        ErrorKind::Command(command) => command.code == 262 || code_of(error) == Code::SourceUnreachable,
        _ => broke_off(error),
    }
}

fn broke_off(error: &Error) -> bool {
    matches!(error.kind.as_ref(), ErrorKind::Io(_) | ErrorKind::ConnectionPoolCleared { .. })
}

/// Server error codes: <https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml>.
fn code_of(error: &Error) -> Code {
    match error.kind.as_ref() {
        ErrorKind::Authentication { .. } => Code::AuthFailed,
        ErrorKind::InvalidTlsConfig { .. } => Code::TlsFailed,
        ErrorKind::InvalidArgument { .. } => Code::BadSource,
        ErrorKind::IncompatibleServer { message, .. } if says(message, "load balancing mode") => {
            Code::BadSource
        }
        ErrorKind::Command(command) => match command.code {
            // AuthenticationFailed; ProtocolError, which some servers return for a bad mechanism
            18 | 334 => Code::AuthFailed,
            // Unauthorized, which servers also return to a client that has not logged in
            13 if says(&command.message, "requires authentication") => Code::AuthFailed,
            13 => Code::NotAuthorized,
            // MaxTimeMSExpired, ExceededTimeLimit, NetworkTimeout, NetworkInterfaceExceededTimeLimit
            50 | 262 | 89 | 202 => Code::SourceTimeout,
            code if ENDED.contains(&code) => Code::SourceTimeout,
            // InterruptedAtShutdown, ShutdownInProgress, NotWritablePrimary, NotPrimaryNoSecondaryOk,
            // PrimarySteppedDown, HostUnreachable, HostNotFound, InterruptedDueToReplStateChange,
            // NotPrimaryOrSecondary, FailedToSatisfyReadPreference, SocketException
            11600 | 91 | 10107 | 13435 | 189 | 6 | 7 | 11602 | 13436 | 133 | 9001 => Code::SourceUnreachable,
            // Atlas reports this under a code of its own, 8000.
            _ if says(&command.message, "authentication failed") => Code::AuthFailed,
            _ if says(&command.message, "not allowed to do action") => Code::NotAuthorized,
            _ if says(&command.message, "not authorized") => Code::NotAuthorized,
            _ => Code::BadFilter,
        },
        ErrorKind::DnsResolve { .. } => Code::SourceUnreachable,
        // The message names the host, then the error of a different command.
        ErrorKind::ConnectionPoolCleared { message, .. } => {
            by_text(message.split_once("failed with: ").map_or("", |(_, why)| why))
        }
        // The driver reports why it could not select a server only as text.
        _ => by_text(&describe(error)),
    }
}

fn says(text: &str, what: &str) -> bool {
    text.to_lowercase().contains(what)
}

fn by_text(text: &str) -> Code {
    let text = without_names(text).to_lowercase();
    let has = |needles: &[&str]| needles.iter().any(|needle| text.contains(needle));
    if has(&["authentication failure", "authentication failed", "scram failure", "sasl"]) {
        Code::AuthFailed
    } else if has(&["certificate", "tls", "handshake failure", "invalidcontenttype", "corrupt message"]) {
        Code::TlsFailed
    } else {
        Code::SourceUnreachable
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
fn cause(error: &Error) -> String {
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
            let failure = mongodb_failure(&Error::from(std::io::Error::other(words)));
            assert_eq!(failure.code, Code::TlsFailed, "{failure:?}");
            assert!(failure.message.contains(meant), "{failure:?}");
        }
        let other = mongodb_failure(&Error::from(std::io::Error::other("Connection refused")));
        assert_eq!(other.code, Code::SourceUnreachable, "{other:?}");
    }

    #[test]
    fn a_cause_is_what_happened_at_each_server() {
        let error = Error::from(std::io::Error::other("x"));
        assert_eq!(cause(&error), "I/O error: x");
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

    #[test]
    fn the_drivers_words_give_the_reason() {
        let cases = [
            ("I/O error: Connection refused (os error 111)", Code::SourceUnreachable),
            ("I/O error: failed to lookup address information", Code::SourceUnreachable),
            ("I/O error: invalid peer certificate: UnknownIssuer", Code::TlsFailed),
            ("I/O error: received fatal alert: HandshakeFailure; TLS handshake failure", Code::TlsFailed),
            ("SCRAM failure: Authentication failed.", Code::AuthFailed),
        ];
        for (error, code) in cases {
            for (host, set) in [("db1", "rs0"), ("mongo-tls-certificate", "sasl-tls")] {
                assert_eq!(by_text(&not_found(host, set, error)), code, "{host}: {error}");
            }
        }
    }
}
