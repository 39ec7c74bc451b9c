//! The files of a TLS connection: the certificates that this computer trusts, those that the connection string names,
//! and the user's own.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use mongodb::options::{ClientOptions, Tls, TlsOptions};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::NamedTempFile;
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

use super::uri::option_failure;
use crate::failure::{Failure, Result};

/// Checks the files that a connection string names.
///
/// # Errors
/// `bad_source`, with the option whose file is missing or has the wrong content.
pub(super) fn check(tls: &TlsOptions) -> Result<()> {
    if let Some(path) = &tls.ca_file_path {
        check_authority(path)?;
    }
    let Some(path) = &tls.cert_key_file_path else { return Ok(()) };
    check_own(path, tls.tls_certificate_key_file_password.is_some())
}

/// Checks the file of the authority that signed the server's certificate.
///
/// # Errors
/// `bad_source` if the file is missing or holds no certificate.
pub(crate) fn check_authority(path: &Path) -> Result<()> {
    expect_certificate("tlsCAFile", path)
}

/// Checks the file of the client certificate and its key, which is encrypted only if there is a passphrase.
///
/// # Errors
/// `bad_source` if the file is missing or has the wrong content.
pub(crate) fn check_own(path: &Path, has_passphrase: bool) -> Result<()> {
    let name = "tlsCertificateKeyFile";
    expect_certificate(name, path)?;
    let text = std::fs::read_to_string(path).unwrap_or_default();
    if has_passphrase && text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(file_failure(name, path, "its key is encrypted in a form that is no longer in use")
            .advise("Convert the key with `openssl pkcs8 -topk8`, and put it in the file in place of the old one."));
    }
    if has_passphrase || PrivateKeyDer::from_pem_file(path).is_ok() {
        return Ok(());
    }
    Err(if text.contains("ENCRYPTED") {
        file_failure(name, path, "its key is encrypted")
            .advise("Add tlsCertificateKeyFilePassword to the connection string.")
    } else {
        file_failure(name, path, "it holds no private key")
    })
}

/// Whether the key in the file of a client certificate is encrypted.
pub(crate) fn is_key_encrypted(path: &Path) -> bool {
    std::fs::read_to_string(path).is_ok_and(|text| text.contains("ENCRYPTED"))
}

fn expect_certificate(name: &str, path: &Path) -> Result<()> {
    // Opened separately to report the operating system's own error message.
    File::open(path).map_err(|error| file_failure(name, path, error))?;
    let certificates = CertificateDer::pem_file_iter(path);
    let found = certificates.is_ok_and(|mut certificates| certificates.any(|one| one.is_ok()));
    if found { Ok(()) } else { Err(file_failure(name, path, "it holds no certificate in PEM form")) }
}

/// The failure for an option whose file cannot be used.
pub(super) fn file_failure(name: &str, path: &Path, why: impl std::fmt::Display) -> Failure {
    let failure = option_failure(name, &why);
    let message = format!("The file that {name} names cannot be used: {}.", path.display());
    Failure { message, ..failure }
        .advise("Correct the path in the connection string, or ask your administrator for the file.")
}

/// The failure for a client certificate or key that the driver cannot use.
pub(super) fn own_key_failure(path: &Path, why: &str, wrong_passphrase: bool) -> Failure {
    let failure = file_failure("tlsCertificateKeyFile", path, why);
    if wrong_passphrase {
        failure.advise("Correct tlsCertificateKeyFilePassword in the connection string.")
    } else {
        failure
    }
}

/// Makes the driver trust the certificates that this computer and browsers trust, unless the connection string itself
/// says what to trust. The driver reads the returned file when the client is created; after that it may be deleted.
pub(super) fn trust_system(options: &mut ClientOptions) -> Option<NamedTempFile> {
    let Some(Tls::Enabled(tls)) = &mut options.tls else { return None };
    if tls.ca_file_path.is_some() || tls.allow_invalid_certificates == Some(true) {
        return None;
    }
    // If the file cannot be written, the driver falls back to its built-in certificates.
    let system = rustls_native_certs::load_native_certs().certs;
    let file = write_certificates(TLS_SERVER_ROOT_CERTS.iter().chain(&system)).ok()?;
    tls.ca_file_path = Some(file.path().to_owned());
    Some(file)
}

/// Writes certificates in PEM form to a private temporary file.
fn write_certificates<'a>(
    certificates: impl Iterator<Item = &'a CertificateDer<'a>>,
) -> std::io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix("tidemark-").suffix(".pem").tempfile()?;
    for certificate in certificates {
        file.write_all(pem::encode(&pem::Pem::new("CERTIFICATE", certificate.as_ref())).as_bytes())?;
    }
    file.flush()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use mongodb::options::ConnectionString;

    use super::*;
    use crate::failure::Code;

    async fn options(more: &str) -> ClientOptions {
        let uri = format!("mongodb://db1:27017/?tls=true{more}");
        ClientOptions::parse(ConnectionString::parse(uri).expect("readable")).await.expect("options")
    }

    fn trusted(options: &ClientOptions) -> Option<std::path::PathBuf> {
        match &options.tls {
            Some(Tls::Enabled(tls)) => tls.ca_file_path.clone(),
            _ => None,
        }
    }

    #[tokio::test]
    async fn the_roots_of_browsers_and_of_the_system_are_trusted() {
        let mut asked = options("").await;
        let file = trust_system(&mut asked).expect("a file");
        let path = trusted(&asked).expect("a path");
        assert_eq!(path, file.path());
        let written: Vec<_> = CertificateDer::pem_file_iter(&path).expect("PEM").flatten().collect();
        assert!(TLS_SERVER_ROOT_CERTS.iter().all(|root| written.contains(root)), "those of browsers");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(file.as_file().metadata().expect("a file").permissions().mode() & 0o777, 0o600);
        }
        drop(file);
        assert!(!path.exists(), "it goes");

        let mut named = options("&tlsCAFile=own.pem").await;
        assert!(trust_system(&mut named).is_none());
        assert_eq!(trusted(&named).as_deref(), Some(Path::new("own.pem")));
        assert!(trust_system(&mut options("&tlsAllowInvalidCertificates=true").await).is_none());
    }

    #[test]
    fn a_file_that_is_missing_or_something_else_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = folder.path().join("text.pem");
        std::fs::write(&text, "no certificate").expect("a file");
        let certificate = folder.path().join("certificate.pem");
        let root = pem::Pem::new("CERTIFICATE", TLS_SERVER_ROOT_CERTS[0].as_ref());
        std::fs::write(&certificate, pem::encode(&root)).expect("a file");
        let locked = folder.path().join("locked.pem");
        let key = pem::Pem::new("ENCRYPTED PRIVATE KEY", vec![1, 2, 3]);
        std::fs::write(&locked, pem::encode(&root) + &pem::encode(&key)).expect("a file");

        let ca = |path: &Path| TlsOptions::builder().ca_file_path(path.to_owned()).build();
        let own = |path: &Path| TlsOptions::builder().cert_key_file_path(path.to_owned()).build();
        let missing = folder.path().join("missing.pem");
        for (tls, named, why) in [
            (ca(&missing), "tlsCAFile", "No such file"),
            (ca(&text), "tlsCAFile", "no certificate"),
            (own(&missing), "tlsCertificateKeyFile", "No such file"),
            (own(&certificate), "tlsCertificateKeyFile", "no private key"),
            (own(&locked), "tlsCertificateKeyFile", "encrypted"),
        ] {
            let failure = check(&tls).expect_err(named);
            assert_eq!(failure.code, Code::BadSource);
            assert!(failure.message.contains(named) && failure.message.contains(".pem"), "{failure:?}");
            #[cfg(not(windows))]
            assert!(failure.cause.as_deref().is_some_and(|cause| cause.contains(why)), "{failure:?}");
        }
        check(&ca(&certificate)).expect("a certificate");
    }
}
