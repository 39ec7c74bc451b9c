//! How far the connection to the server can be trusted, judging by the connection string.

use mongodb::options::{AuthMechanism, ConnectionString, HostInfo, Tls};

use crate::answer::note::Note;

/// A warning for the user if the connection string does not make sure that the server is the right one, or if it
/// sends the password in plain text; otherwise `None`.
pub(super) fn unverified(parsed: &ConnectionString) -> Option<Note> {
    let is_encrypted = match &parsed.tls {
        Some(Tls::Enabled(options)) if options.allow_invalid_certificates == Some(true) => {
            return Some(Note::AnyCertificate);
        }
        Some(Tls::Enabled(_)) => true,
        Some(Tls::Disabled) => false,
        // A `mongodb+srv` name implies TLS unless it is turned off.
        None => matches!(parsed.host_info, HostInfo::DnsRecord(_)),
    };
    let mechanism = parsed.credential.as_ref().and_then(|credential| credential.mechanism.as_ref());
    (mechanism == Some(&AuthMechanism::Plain) && !is_encrypted).then_some(Note::PlainPassword)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unverified_connection_is_reported() {
        for (uri, is_unverified) in [
            ("mongodb://db1/?tls=true&tlsInsecure=true", true),
            ("mongodb://db1/?tls=true&tlsAllowInvalidCertificates=true", true),
            ("mongodb://ann:x@db1/?authMechanism=PLAIN", true),
            ("mongodb://ann:x@db1/?authMechanism=PLAIN&tls=false", true),
            ("mongodb+srv://ann:x@db1.example.com/?authMechanism=PLAIN&tls=false", true),
            ("mongodb+srv://ann:x@db1.example.com/?authMechanism=PLAIN", false),
            ("mongodb://ann:x@db1/?authMechanism=PLAIN&tls=true", false),
            ("mongodb://db1/?tls=true&tlsInsecure=false", false),
            ("mongodb://db1/?tls=true", false),
            ("mongodb://ann:x@db1/", false),
        ] {
            let parsed = ConnectionString::parse(uri).expect("a connection string");
            assert_eq!(unverified(&parsed).is_some(), is_unverified, "{uri}");
        }
    }
}
