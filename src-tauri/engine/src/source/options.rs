//! The options of a connection string: those that the driver rejects although other tools accept them, unknown ones,
//! and those that this program cannot honour.

use std::time::Duration;

use mongodb::options::ConnectionString;
use percent_encoding::percent_decode_str;

use super::uri::option_failure;
use crate::answer::note::Note;
use crate::failure::{Code, Failure, Result};
use crate::secret::{may_hold_password, shown_option};

/// Default time to look for a server before the source counts as unreachable, and default time to connect.
const SELECTION_TIME: Duration = Duration::from_secs(3);
/// The longest default connect timeout.
const LONGEST_CONNECT: Duration = Duration::from_secs(10);
/// Replaces a limit of 0, which means no limit: a check must not wait forever.
const WITHOUT_LIMIT: Duration = Duration::from_secs(60);

/// The levels of a read concern.
const READ_CONCERNS: [&str; 5] = ["local", "available", "majority", "linearizable", "snapshot"];
/// Options that the driver supports.
const OF_THE_DRIVER: [&str; 44] = [
    "appname",
    "authmechanism",
    "authmechanismproperties",
    "authsource",
    "compressors",
    "connecttimeoutms",
    "directconnection",
    "enableoverloadretargeting",
    "heartbeatfrequencyms",
    "journal",
    "loadbalanced",
    "localthresholdms",
    "maxadaptiveretries",
    "maxconnecting",
    "maxidletimems",
    "maxpoolsize",
    "maxstalenessseconds",
    "minpoolsize",
    "proxyhost",
    "proxypassword",
    "proxyport",
    "proxyusername",
    "readconcernlevel",
    "readpreference",
    "readpreferencetags",
    "replicaset",
    "retryreads",
    "retrywrites",
    "servermonitoringmode",
    "serverselectiontimeoutms",
    "sockettimeoutms",
    "srvmaxhosts",
    "srvservicename",
    "ssl",
    "tls",
    "tlsallowinvalidcertificates",
    "tlscafile",
    "tlscertificatekeyfile",
    "tlscertificatekeyfilepassword",
    "tlsinsecure",
    "w",
    "waitqueuetimeoutms",
    "wtimeoutms",
    "zlibcompressionlevel",
];
/// Options of other drivers that have no effect here: certificate revocation is not checked, writes are never sent,
/// and documents are kept as received.
const WITHOUT_EFFECT: [&str; 5] = [
    "adaptiveretries",
    "tlsdisablecertificaterevocationcheck",
    "tlsdisableocspendpointcheck",
    "uuidrepresentation",
    "waitqueuemultiple",
];
const COMPRESSORS: [&str; 3] = ["zlib", "zstd", "snappy"];

/// A connection string without the parts that the driver would reject.
#[derive(Debug)]
pub(super) struct ReadOptions {
    /// The connection string to pass to the driver.
    pub(super) uri: String,
    /// What was ignored, as sentences.
    pub(super) warnings: Vec<Note>,
    /// `timeoutMS`, which the driver does not support.
    pub(super) timeout: Option<Duration>,
}

/// Reads the options of a connection string.
///
/// # Errors
/// `bad_source` for an option that this program cannot honour, with its name and value.
pub(super) fn read(uri: &str) -> Result<ReadOptions> {
    let mut read = ReadOptions { uri: uri.to_owned(), warnings: Vec::new(), timeout: None };
    let Some((before, options)) = uri.split_once('?') else { return Ok(read) };
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let mut kept: Vec<String> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for option in options.split('&').filter(|option| !option.is_empty()) {
        let Some((name, value)) = option.split_once('=') else {
            kept.push(option.to_owned());
            continue;
        };
        let lower = name.to_ascii_lowercase();
        let is_known = is_known(&lower);
        if is_known && lower != "readpreferencetags" && names.contains(&lower) {
            return Err(option_failure(option, format!("{name} appears twice")));
        }
        let value = percent_decode_str(value).decode_utf8_lossy();
        match lower.as_str() {
            "authmechanism" => expect_mechanism(option, &value)?,
            // The driver accepts any, and the server would refuse every query.
            "readconcernlevel" if !READ_CONCERNS.contains(&&*value) => {
                return Err(option_failure(option, format!("the levels are {}", READ_CONCERNS.join(", "))));
            }
            // The driver accepts an empty name, and then finds no server of that set.
            "replicaset" if value.is_empty() => {
                return Err(option_failure(option, "the name of the replica set is missing"));
            }
            "tlsallowinvalidhostnames" if value == "true" => return Err(checks_names(option)),
            "timeoutms" => read.timeout = milliseconds(option, &value)?,
            _ => {}
        }
        match lower.as_str() {
            "compressors" => kept.extend(compressors(name, &value, &mut read.warnings)),
            "timeoutms" | "tlsallowinvalidhostnames" => {}
            // Means no limit in other drivers. This driver would reject it, and few connections are needed.
            "maxpoolsize" if value == "0" => {}
            "uuidrepresentation" if !["standard", "unspecified"].contains(&&*value) => {
                read.warnings.push(Note::UuidOptionIgnored { option: shown_option(option).to_string() });
            }
            _ if OF_THE_DRIVER.contains(&lower.as_str()) => kept.push(option.to_owned()),
            _ if is_known => {}
            // A password that contains a question mark can be mistaken for options; kept, so that the driver rejects
            // the string.
            _ if may_hold_password(rest, option) => kept.push(option.to_owned()),
            _ => read.warnings.push(Note::UnknownOption { name: name.to_owned() }),
        }
        names.push(lower);
    }
    read.uri = if kept.is_empty() { before.to_owned() } else { format!("{before}?{}", kept.join("&")) };
    Ok(read)
}

fn is_known(name: &str) -> bool {
    OF_THE_DRIVER.contains(&name)
        || WITHOUT_EFFECT.contains(&name)
        || ["timeoutms", "tlsallowinvalidhostnames"].contains(&name)
}

/// Rejects the authentication mechanisms that this program does not support.
fn expect_mechanism(option: &str, mechanism: &str) -> Result<()> {
    let needs = match mechanism.to_ascii_uppercase().as_str() {
        "GSSAPI" => "Kerberos",
        "MONGODB-AWS" => "an AWS identity",
        "MONGODB-OIDC" => "an OpenID Connect provider",
        "MONGODB-CR" => {
            let message = format!(
                "{} is a way to log in that MongoDB has not had since version 4.0.",
                shown_option(option)
            );
            return Err(Failure::new(Code::BadSource, message)
                .advise("Leave authMechanism out of the connection string, and SCRAM is used."));
        }
        _ => return Ok(()),
    };
    let message = format!("Tidemark cannot log in with {needs} ({}).", shown_option(option));
    Err(Failure::new(Code::BadSource, message).advise(
        "Ask your administrator for a user with a password (SCRAM or, for LDAP, PLAIN) or a certificate (X.509).",
    ))
}

/// The failure for turning off the host name check alone: it is tied to the certificate check.
fn checks_names(option: &str) -> Failure {
    let message = format!("Tidemark cannot turn off the host name check alone ({}).", shown_option(option));
    Failure::new(Code::BadSource, message).advise(
        "Connect using a host name that is in the server's certificate, or use tlsAllowInvalidCertificates=true, which trusts any server.",
    )
}

/// Reads a time limit; `None` for 0, which means no limit in every driver.
fn milliseconds(option: &str, value: &str) -> Result<Option<Duration>> {
    let number: u64 =
        value.parse().map_err(|_| option_failure(option, "it is not a whole number of milliseconds"))?;
    Ok((number > 0).then(|| Duration::from_millis(number)))
}

/// Keeps the supported compressors; others are ignored, as in other drivers.
fn compressors(name: &str, value: &str, warnings: &mut Vec<Note>) -> Option<String> {
    let asked = value.split(',').map(str::trim).filter(|one| !one.is_empty());
    let (known, unknown): (Vec<&str>, Vec<&str>) =
        asked.partition(|one| COMPRESSORS.contains(&one.to_ascii_lowercase().as_str()));
    warnings.extend(
        unknown
            .iter()
            .map(|one| Note::UnknownCompressor { compressor: (*one).to_owned(), option: name.to_owned() }),
    );
    (!known.is_empty()).then(|| format!("{name}={}", known.join(",")))
}

/// How long to wait for a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    /// The time to select a server.
    pub(super) selection: Duration,
    /// The time to open a connection, including the server's first reply on it.
    pub(super) connect: Duration,
    /// The time to wait for an answer, if the connection string limits it.
    pub(super) answer: Option<Duration>,
}

impl Times {
    /// Reads the timeouts of a connection string.
    #[expect(deprecated, reason = "the driver does not support socketTimeoutMS; this program does")]
    pub(super) fn of(parsed: &ConnectionString, timeout: Option<Duration>) -> Self {
        let limit = |given: Duration| if given.is_zero() { WITHOUT_LIMIT } else { given };
        let (selection, connect) =
            (parsed.server_selection_timeout.map(limit), parsed.connect_timeout.map(limit));
        // If only one of the two is set, it also extends the other: a server that is slow to reply to the handshake
        // needs both to be selected.
        let found = selection.or(connect).unwrap_or(SELECTION_TIME);
        let times = Self {
            selection: selection.unwrap_or(found.max(SELECTION_TIME)),
            connect: connect.unwrap_or(found.clamp(SELECTION_TIME, LONGEST_CONNECT)),
            answer: timeout.or(parsed.socket_timeout.filter(|limit| !limit.is_zero())),
        };
        let capped = |time: Duration| timeout.map_or(time, |timeout| time.min(timeout));
        Self { selection: capped(times.selection), connect: capped(times.connect), ..times }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::uri::parse;

    fn times(options: &str) -> Times {
        let read = read(&format!("mongodb://db1:27017/?{options}")).expect("options");
        Times::of(&parse(&read.uri).expect("a connection string"), read.timeout)
    }

    #[test]
    fn a_replica_set_without_a_name_is_refused() {
        for options in ["replicaSet=", "tls=true&replicaSet="] {
            let failure = read(&format!("mongodb://db1/?{options}")).expect_err("no name");
            assert_eq!(failure.code, Code::BadSource);
            assert!(failure.message.contains("replicaSet="), "{failure:?}");
        }
    }

    #[test]
    fn what_other_tools_take_is_taken() {
        for options in [
            "compressors=zlib&zlibCompressionLevel=6",
            "compressors=zstd,snappy,zlib",
            "timeoutMS=20000",
            "tlsAllowInvalidHostnames=false&tls=true",
            "tlsCertificateKeyFile=k.pem&tlsCertificateKeyFilePassword=x",
            "proxyHost=proxy&proxyPort=1080&proxyUsername=ann&proxyPassword=x",
            "uuidRepresentation=standard&tls=true&tlsDisableOCSPEndpointCheck=true",
            "socketTimeoutMS=0&",
            "retryWrites=true&w=majority&readConcernLevel=local&maxStalenessSeconds=120&readPreference=nearest",
            "readPreference=secondary&readPreferenceTags=dc:ny&readPreferenceTags=",
        ] {
            let read = read(&format!("mongodb://db1:27017/?{options}")).expect(options);
            assert_eq!(read.warnings, [], "{options}");
            parse(&read.uri).expect(options);
        }
        let plain = read("mongodb://ann:x@db1/?authMechanism=PLAIN").expect("LDAP");
        assert!(parse(&plain.uri).is_ok());
    }

    #[test]
    fn what_is_unknown_is_ignored_with_a_word() {
        let read = read("mongodb://db1:27017/?tls=true&colour=blue&compressors=lz4,zlib").expect("options");
        assert_eq!(read.uri, "mongodb://db1:27017/?tls=true&compressors=zlib");
        assert_eq!(read.warnings.len(), 2);
        let no_limit = super::read("mongodb://db1/?maxPoolSize=0").expect("options");
        assert_eq!((no_limit.uri.as_str(), no_limit.warnings.len()), ("mongodb://db1/", 0));
        let uuids = super::read("mongodb://db1/?uuidRepresentation=javaLegacy").expect("options");
        assert!(uuids.warnings[0].to_string().contains("uuid_representation"), "{uuids:?}");
        assert!(
            read.warnings[0].to_string().contains("colour") && read.warnings[1].to_string().contains("lz4"),
            "{read:?}"
        );
    }

    #[test]
    fn what_cannot_be_done_is_named() {
        for (options, named) in [
            ("authMechanism=GSSAPI", "authMechanism=GSSAPI"),
            ("authMechanism=MONGODB-AWS&authSource=$external", "authMechanism=MONGODB-AWS"),
            ("authMechanism=MONGODB-OIDC", "authMechanism=MONGODB-OIDC"),
            ("tls=true&tlsAllowInvalidHostnames=true", "tlsAllowInvalidHostnames=true"),
            ("authMechanism=MONGODB-CR", "authMechanism=MONGODB-CR"),
            ("timeoutMS=soon", "timeoutMS=soon"),
            ("tls=true&tls=true", "tls=true"),
            ("readConcernLevel=foo", "readConcernLevel=foo"),
        ] {
            let failure = read(&format!("mongodb://ann@db1:27017/?{options}")).expect_err(options);
            assert_eq!(failure.code, Code::BadSource);
            assert!(failure.message.contains(named), "{failure:?}");
        }
    }

    #[test]
    fn the_times_of_a_connection_string_count() {
        let seconds = Duration::from_secs;
        let usual = Times { selection: seconds(3), connect: seconds(3), answer: None };
        assert_eq!(times(""), usual);
        let longer = Times { selection: seconds(9), connect: seconds(9), answer: None };
        assert_eq!(times("serverSelectionTimeoutMS=9000"), longer);
        assert_eq!(times("connectTimeoutMS=9000"), longer);
        assert_eq!(times("serverSelectionTimeoutMS=30000").connect, LONGEST_CONNECT);
        assert_eq!(times("connectTimeoutMS=500"), Times { connect: Duration::from_millis(500), ..usual });
        assert_eq!(times("socketTimeoutMS=7000").answer, Some(seconds(7)));
        let whole = times("timeoutMS=2000&serverSelectionTimeoutMS=9000&socketTimeoutMS=7000");
        assert_eq!(whole, Times { selection: seconds(2), connect: seconds(2), answer: Some(seconds(2)) });
        assert_eq!(times("connectTimeoutMS=0").connect, WITHOUT_LIMIT);
    }
}
