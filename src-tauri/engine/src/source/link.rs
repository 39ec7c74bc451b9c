//! How far the link to the server can be trusted, as the connection string asks for it.

use mongodb::options::{AuthMechanism, ConnectionString, HostInfo, Tls};

/// What is to be said of a link on which nobody can tell that the server is the right one; nothing for any other.
pub(super) fn unverified(parsed: &ConnectionString) -> Option<&'static str> {
    let is_encrypted = match &parsed.tls {
        Some(Tls::Enabled(options)) if options.allow_invalid_certificates == Some(true) => {
            return Some(
                "The connection is not verified: the connection string accepts any certificate, so another \
                 computer could pass for the server.",
            );
        }
        Some(Tls::Enabled(_)) => true,
        Some(Tls::Disabled) => false,
        // The addresses of such a name are reached by TLS unless it is turned off.
        None => matches!(parsed.host_info, HostInfo::DnsRecord(_)),
    };
    let mechanism = parsed.credential.as_ref().and_then(|credential| credential.mechanism.as_ref());
    (mechanism == Some(&AuthMechanism::Plain) && !is_encrypted).then_some(
        "The connection is not verified: the password is sent in plain text and nothing is encrypted \
         (PLAIN without TLS).",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_verifies_nobody_is_told() {
        for (uri, told) in [
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
            assert_eq!(unverified(&parsed).is_some(), told, "{uri}");
        }
    }
}
