//! Finds out which protocol a port speaks after the driver has failed: a server that requires TLS and one that does
//! not support it both just close the connection, and the driver reports either as a network error. A port of a
//! different program looks the same to it, too.

use std::time::Duration;

use bson::doc;
use mongodb::options::ServerAddress;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::failure::{Code, Failure, FailureTarget};

/// How long a port may take to reply.
const LIMIT: Duration = Duration::from_secs(1);

/// The opcode of MongoDB's command messages.
const OP_MSG: i32 = 2013;

/// A failure if the first host accepts connections, but speaks only the protocol that the connection string does not
/// ask for, or neither.
pub(super) async fn explain(hosts: &[ServerAddress], is_encrypted: bool) -> Option<Failure> {
    let ServerAddress::Tcp { host, port } = hosts.first()? else { return None };
    let address = (host.as_str(), port.unwrap_or(27017));
    let (expected, other) = if is_encrypted { (tls(), plain()) } else { (plain(), tls()) };
    let first = answer(address, &expected).await;
    if matches!(first, Answer::Spoken | Answer::NoConnection) {
        return None;
    }
    let at = format!("{host}:{}", address.1);
    let failure = match answer(address, &other).await {
        Answer::NoConnection => return None,
        Answer::Silence if first == Answer::Silence => Failure::new(
            Code::SourceUnreachable,
            format!("{at} accepts connections, but the server does not answer."),
        )
        .advise(
            "Ask your database team whether it is overloaded, and check the port and the VPN; what is cached can be browsed meanwhile.",
        ),
        Answer::Silence | Answer::Foreign => Failure::new(
            Code::SourceUnreachable,
            format!("{at} accepts connections, but no MongoDB server answers there."),
        )
        .advise("Check the port in the connection string; behind a tunnel or a proxy, check that the server at its other end is running.")
        .at(FailureTarget::ConnectionString),
        Answer::Spoken if is_encrypted => Failure::new(
            Code::TlsFailed,
            format!("The server at {at} does not use TLS, but the connection string asks for it."),
        )
        .advise("Ask your administrator for the port that uses TLS; without TLS (tls=false) anyone on the network can read the traffic."),
        Answer::Spoken => Failure::new(
            Code::TlsFailed,
            format!("The server at {at} accepts only connections with TLS."),
        )
        .advise("Add tls=true to the connection string."),
    };
    Some(failure)
}

/// A first message, and how to recognise a reply to it.
struct Greeting {
    bytes: Vec<u8>,
    is_answer: fn(&[u8; 16]) -> bool,
}

/// A `hello` command, which every MongoDB server answers without authentication.
fn plain() -> Greeting {
    let command = bson::serialize_to_vec(&doc! {"hello": 1, "$db": "admin"}).unwrap_or_default();
    let length = i32::try_from(16 + 5 + command.len()).unwrap_or_default();
    let header = [length, 1, 0, OP_MSG].map(i32::to_le_bytes).concat();
    Greeting {
        bytes: [&header[..], &[0; 5], &command].concat(),
        is_answer: |answer| answer[12..] == OP_MSG.to_le_bytes(),
    }
}

/// A minimal TLS 1.2 `ClientHello`. A server that speaks TLS replies to it or rejects it with an alert.
fn tls() -> Greeting {
    // Version, random bytes, no session, two cipher suites, no compression.
    let body = [&[3, 3][..], &[7; 32], &[0], &[0, 4, 0xc0, 0x2f, 0xc0, 0x2b], &[1, 0]].concat();
    let length = |bytes: &[u8]| u16::try_from(bytes.len()).unwrap_or_default().to_be_bytes();
    let message = [&[1, 0][..], &length(&body), &body].concat();
    Greeting {
        bytes: [&[22, 3, 1][..], &length(&message), &message].concat(),
        is_answer: |answer| matches!(answer[..2], [21 | 22, 3]),
    }
}

/// What comes back for a greeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// The reply that its protocol has.
    Spoken,
    /// Something else, or the end of the connection.
    Foreign,
    /// Nothing.
    Silence,
    /// There is no connection.
    NoConnection,
}

/// What a port replies to a greeting.
async fn answer(address: (&str, u16), greeting: &Greeting) -> Answer {
    let Ok(Ok(mut connection)) = tokio::time::timeout(LIMIT, TcpStream::connect(address)).await else {
        return Answer::NoConnection;
    };
    let asked = async {
        connection.write_all(&greeting.bytes).await?;
        let (mut answer, mut filled) = ([0; 16], 0);
        // A TLS alert is shorter than a MongoDB message header.
        while filled < answer.len() && !(greeting.is_answer)(&answer) {
            match connection.read(&mut answer[filled..]).await? {
                0 => break,
                read => filled += read,
            }
        }
        Ok::<_, std::io::Error>((greeting.is_answer)(&answer))
    };
    match tokio::time::timeout(LIMIT, asked).await {
        Ok(Ok(true)) => Answer::Spoken,
        Ok(Ok(false) | Err(_)) => Answer::Foreign,
        Err(_) => Answer::Silence,
    }
}
