//! The ways to a server that a connection string can ask for: TLS with a desk's own authority, a key with a
//! passphrase, a SOCKS5 proxy, compression.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::support::fixture::Fixture;
use crate::support::{Run, cli_with, server};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Made with OpenSSL, valid for a century: an authority, a server of 127.0.0.1, and a user whose key has a
/// passphrase.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls").join(name)
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// A port that takes only TLS, before the test's server.
async fn tls_port() -> u16 {
    let certificates =
        CertificateDer::pem_file_iter(file("server.pem")).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(file("server.pem")).unwrap();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(certificates, key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut client) = acceptor.accept(client).await else { return };
                let mut server = TcpStream::connect(("127.0.0.1", server().port())).await.unwrap();
                let _ = copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    address.port()
}

/// A SOCKS5 proxy without a login that goes to one host.
async fn socks_port() -> u16 {
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = [0; 2];
                client.read_exact(&mut head).await.unwrap();
                client.read_exact(&mut vec![0; usize::from(head[1])]).await.unwrap();
                client.write_all(&[5, 0]).await.unwrap();
                let mut asked = [0; 4];
                client.read_exact(&mut asked).await.unwrap();
                let length = match asked[3] {
                    1 => 4,
                    _ => usize::from(client.read_u8().await.unwrap()),
                };
                client.read_exact(&mut vec![0; length + 2]).await.unwrap();
                client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
                let mut server = TcpStream::connect(("127.0.0.1", server().port())).await.unwrap();
                let _ = copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    address.port()
}

/// A fetch by a connection string into a cache of its own.
async fn fetch(fixture: &Fixture, uri: &str, environment: &[(&str, &str)]) -> Run {
    let cache = tempfile::tempdir_in(fixture.folder.path()).unwrap();
    let mut arguments = fixture.arguments(cache.path(), &[]);
    let at = arguments.iter().position(|argument| *argument == fixture.uri).unwrap();
    uri.clone_into(&mut arguments[at]);
    let environment: Vec<(String, String)> =
        environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    tokio::task::spawn_blocking(move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let environment: Vec<(&str, &str)> =
            environment.iter().map(|(name, value)| (&**name, &**value)).collect();
        cli_with(&arguments, &environment)
    })
    .await
    .unwrap()
}

fn fetched(run: &Run) {
    assert_eq!((run.code, run.text("/answer"), run.count("/rows/input")), (0, "server", 6), "{run:?}");
}

fn failed(run: &Run, code: &str, part: &str) {
    assert_eq!((run.code, run.text("/error/code")), (1, code), "{run:?}");
    assert!(run.text("/error/message").contains(part), "{part}: {run:?}");
}

const UNTRUSTED: &str = "comes from an authority that this computer does not trust";

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_of_the_system_is_trusted() {
    let fixture = Fixture::new("authority", 3, 2, 10).await;
    let uri = format!("mongodb://127.0.0.1:{}/?tls=true&directConnection=true", tls_port().await);
    let authority = file("authority.pem");
    // The system's store, as every program of the system finds it.
    let store = [("SSL_CERT_FILE", authority.to_str().unwrap())];
    fetched(&fetch(&fixture, &uri, &store).await);
    failed(&fetch(&fixture, &uri, &[]).await, "tls_failed", UNTRUSTED);
    // A file in the connection string is the whole truth.
    fetched(&fetch(&fixture, &format!("{uri}&tlsCAFile={}", authority.display()), &[]).await);
    let other = format!("{uri}&tlsCAFile={}", file("user.pem").display());
    failed(&fetch(&fixture, &other, &store).await, "tls_failed", UNTRUSTED);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_side_without_tls_is_told() {
    let fixture = Fixture::new("one_side", 3, 2, 10).await;
    let port = tls_port().await;
    let plain = fetch(&fixture, &format!("mongodb://127.0.0.1:{port}/?directConnection=true"), &[]).await;
    failed(&plain, "tls_failed", "accepts only connections with TLS");
    let uri = format!("mongodb://127.0.0.1:{}/?tls=true", server().port());
    failed(&fetch(&fixture, &uri, &[]).await, "tls_failed", "does not use TLS");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_with_a_passphrase() {
    let fixture = Fixture::new("passphrase", 3, 2, 10).await;
    let uri = format!(
        "mongodb://127.0.0.1:{}/?tls=true&directConnection=true&tlsCAFile={}&tlsCertificateKeyFile={}",
        tls_port().await,
        file("authority.pem").display(),
        file("user.pem").display()
    );
    fetched(&fetch(&fixture, &format!("{uri}&tlsCertificateKeyFilePassword=letmein"), &[]).await);
    let wrong = fetch(&fixture, &format!("{uri}&tlsCertificateKeyFilePassword=PLANTED"), &[]).await;
    failed(&wrong, "bad_source", "tlsCertificateKeyFile");
    assert!(wrong.stderr.contains("Correct tlsCertificateKeyFilePassword"), "{wrong:?}");
    assert!(!format!("{wrong:?}").contains("PLANTED"), "{wrong:?}");
    let run = fetch(&fixture, &uri, &[]).await;
    failed(&run, "bad_source", "tlsCertificateKeyFile");
    assert!(run.stderr.contains("tlsCertificateKeyFilePassword"), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_and_compression() {
    let fixture = Fixture::new("proxy", 3, 2, 10).await;
    let proxy = format!("proxyHost=127.0.0.1&proxyPort={}", socks_port().await);
    // The proxy knows the way, nobody else does.
    fetched(
        &fetch(&fixture, &format!("mongodb://db.invalid:27017/?directConnection=true&{proxy}"), &[]).await,
    );
    for compressors in ["zlib&zlibCompressionLevel=9", "snappy", "zstd", "zstd,zlib"] {
        let uri = format!("{}?compressors={compressors}", server().uri());
        fetched(&fetch(&fixture, &uri, &[]).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unknown_is_a_note_of_the_answer() {
    let fixture = Fixture::new("unknown", 3, 2, 10).await;
    let run = fetch(&fixture, &format!("{}?colour=blue&compressors=lz4", server().uri()), &[]).await;
    fetched(&run);
    let notes = run.last["notes"].to_string();
    assert!(notes.contains("colour") && notes.contains("lz4"), "{run:?}");
    assert!(run.stderr.contains("The option colour of the connection string is not known"), "{run:?}");
    for (option, named) in [
        ("heartbeatFrequencyMS=100", "heartbeatFrequencyMS"),
        ("readPreference=secondary&maxStalenessSeconds=10", "maxStalenessSeconds"),
        ("loadBalanced=true", "loadBalanced"),
        ("authMechanism=MONGODB-CR", "authMechanism=MONGODB-CR"),
    ] {
        failed(&fetch(&fixture, &format!("{}?{option}", server().uri()), &[]).await, "bad_source", named);
    }
    fetched(&fetch(&fixture, &format!("{}?maxPoolSize=0", server().uri()), &[]).await);
    let run = fetch(&fixture, &format!("{}?authMechanism=GSSAPI", server().uri()), &[]).await;
    failed(&run, "bad_source", "authMechanism=GSSAPI");
}
