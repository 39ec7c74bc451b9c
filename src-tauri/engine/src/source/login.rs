//! The login part of a source's identity: two readers may see different documents.

use std::path::Path;

use md5::{Digest as _, Md5};
use mongodb::options::{AuthMechanism, ConnectionString, Tls};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use crate::query::source::Login;

/// The login of a connection string, as far as it differs from the usual one (a user name and password, with the
/// usual authentication database).
pub(super) fn login_of(parsed: &ConnectionString) -> Login {
    let Some(credential) = &parsed.credential else { return Login::default() };
    let mechanism = credential.mechanism.as_ref().filter(|mechanism| !is_password(mechanism));
    let usual = if mechanism.is_some() { "$external" } else { "admin" };
    // As in the driver: without `authSource`, the connection string's database is the authentication database.
    let by_database = mechanism.is_none_or(|mechanism| *mechanism == AuthMechanism::Plain);
    let source =
        credential.source.as_ref().or_else(|| parsed.default_database.as_ref().filter(|_| by_database));
    let is_nameless = credential.username.as_ref().is_none_or(String::is_empty);
    let by_certificate = mechanism.is_some_and(|mechanism| *mechanism == AuthMechanism::MongoDbX509);
    let certificate = match &parsed.tls {
        Some(Tls::Enabled(tls)) if by_certificate && is_nameless => tls.cert_key_file_path.as_deref(),
        _ => None,
    };
    Login {
        auth_source: source.filter(|source| *source != usual).cloned(),
        mechanism: mechanism.map(|mechanism| mechanism.as_str().to_owned()),
        certificate: certificate.map(subject_of),
    }
}

/// Whether a mechanism checks the password that MongoDB itself stores. The choice among these mechanisms does not
/// change the reader.
fn is_password(mechanism: &AuthMechanism) -> bool {
    matches!(mechanism, AuthMechanism::ScramSha1 | AuthMechanism::ScramSha256 | AuthMechanism::MongoDbCr)
}

/// The subject of a certificate, as a hash, so that a renewed certificate of the same user is the same login. The
/// path if the file cannot be read.
fn subject_of(path: &Path) -> String {
    let certificate = CertificateDer::from_pem_file(path).ok();
    match certificate.as_ref().and_then(|certificate| subject(certificate)) {
        Some(subject) => hex::encode(Md5::digest(subject)),
        None => path.to_string_lossy().into_owned(),
    }
}

/// DER tags.
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// The subject in a certificate. It follows the optional version, the serial number, the algorithm, the issuer and
/// the validity.
fn subject(certificate: &[u8]) -> Option<&[u8]> {
    let (SEQUENCE, signed, _) = element(certificate)? else { return None };
    let (SEQUENCE, mut fields, _) = element(signed)? else { return None };
    if let (VERSION, _, rest) = element(fields)? {
        fields = rest;
    }
    for _ in 0..4 {
        fields = element(fields)?.2;
    }
    let (SEQUENCE, subject, _) = element(fields)? else { return None };
    Some(subject)
}

/// Splits off the first DER element: its tag, its content, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        let length = digits
            .iter()
            .try_fold(0_usize, |length, digit| length.checked_mul(256)?.checked_add(usize::from(*digit)))?;
        (length, rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Encodes a DER element whose content may have any length.
    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).expect("short").to_be_bytes();
        [&[tag, 0x82], &length[..], content].concat()
    }

    #[test]
    fn the_subject_of_a_certificate_is_found() {
        let name = |text: &str| der(SEQUENCE, &der(0x0c, text.as_bytes()));
        let certificate = |serial: u8, version: &[u8], subject: &str| {
            let fields = [
                version.to_vec(),
                vec![0x02, 0x01, serial],
                der(SEQUENCE, &[]),
                name("the issuer"),
                der(SEQUENCE, &[0; 300]),
                name(subject),
                der(SEQUENCE, &[]),
            ];
            der(SEQUENCE, &der(SEQUENCE, &fields.concat()))
        };
        let version = der(VERSION, &[0x02, 0x01, 0x02]);
        let of = |certificate: &[u8]| subject(certificate).map(<[u8]>::to_vec);
        let ann = of(&certificate(1, &version, "ann"));
        assert!(ann.is_some());
        assert_eq!(ann, of(&certificate(9, &[], "ann")), "a renewed certificate");
        assert_ne!(ann, of(&certificate(1, &version, "bob")));
        assert_eq!(of(&[SEQUENCE, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
    }
}
