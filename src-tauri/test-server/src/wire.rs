//! The few commands needed to start a server, sent directly in MongoDB's wire protocol: a driver would be a heavy
//! dependency here, and its version would be tied to that of the tests.

use std::io::{Error, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use bson::{RawBsonRef, RawDocument, RawDocumentBuf, rawdoc};

/// The opcode of `OP_MSG`, the only message that servers use since version 3.6.
const OP_MSG: i32 = 2013;

/// Bytes of a message header, and of an `OP_MSG`'s flags and section kind after it.
const HEADER: usize = 16;
const PREFIX: usize = 5;

/// Maximum size of a reply: real ones have a few hundred bytes.
const MAX_REPLY: usize = 1 << 20;

const TIMEOUT: Duration = Duration::from_secs(5);

/// Whether a server at the port answers a ping.
pub(crate) fn answers(port: u16) -> bool {
    run(port, &rawdoc! { "ping": 1, "$db": "admin" }).is_ok()
}

/// Whether something accepts connections at the port.
pub(crate) fn accepts(port: u16) -> bool {
    TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), TIMEOUT).is_ok()
}

/// Creates a user with all privileges. Works only while the server requires no authentication.
pub(crate) fn create_root_user(port: u16, user: &str, password: &str) -> Result<(), String> {
    let command = rawdoc! {
        "createUser": user,
        "pwd": password,
        "roles": [{ "role": "root", "db": "admin" }],
        "$db": "admin",
    };
    run(port, &command).map_err(|error| format!("The test server's user cannot be made: {error}."))
}

/// Turns a server into a replica set of one. It elects itself within a moment.
pub(crate) fn initiate_replica_set(port: u16) -> Result<(), String> {
    let member = rawdoc! { "_id": 0, "host": format!("127.0.0.1:{port}") };
    let config = rawdoc! { "_id": "tidemark", "members": [member] };
    run(port, &rawdoc! { "replSetInitiate": config, "$db": "admin" })
        .map_err(|error| format!("The test server cannot become a replica set: {error}."))
}

/// The port in a connection string: that of the first host, or MongoDB's default.
pub(crate) fn port_of(uri: &str) -> u16 {
    uri.split_once("://")
        .map(|(_, rest)| rest.split(['/', '?']).next().unwrap_or(rest))
        .map(|authority| authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts))
        .and_then(|hosts| hosts.split(',').next())
        .and_then(|host| host.rsplit_once(':'))
        .and_then(|(_, port)| port.parse().ok())
        .unwrap_or(27017)
}

/// Sends one command and checks that the reply is `ok`.
fn run(port: u16, command: &RawDocument) -> std::io::Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;

    let body = command.as_bytes();
    let length = i32::try_from(HEADER + PREFIX + body.len()).map_err(Error::other)?;
    let mut message = Vec::with_capacity(HEADER + PREFIX + body.len());
    for number in [length, 1, 0, OP_MSG] {
        message.extend(number.to_le_bytes());
    }
    message.extend([0; PREFIX]); // no flags; the section is one document
    message.extend(body);
    stream.write_all(&message)?;

    let mut header = [0; HEADER];
    stream.read_exact(&mut header)?;
    let length = i32::from_le_bytes([header[0], header[1], header[2], header[3]]);
    let length = usize::try_from(length)
        .ok()
        .filter(|length| (HEADER + PREFIX..MAX_REPLY).contains(length))
        .ok_or_else(|| Error::other("the reply is not MongoDB's"))?;
    let mut reply = vec![0; length - HEADER];
    stream.read_exact(&mut reply)?;
    let reply = RawDocumentBuf::from_bytes(reply.split_off(PREFIX)).map_err(Error::other)?;
    match reply.get("ok").map_err(Error::other)? {
        Some(RawBsonRef::Double(1.0) | RawBsonRef::Int32(1)) => Ok(()),
        _ => Err(Error::other(reply.get_str("errmsg").unwrap_or("the command was refused").to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_with_a_user_lets_nobody_else_in() -> Result<(), String> {
        let list = rawdoc! { "listDatabases": 1, "$db": "admin" };
        let open = crate::TestServer::start()?;
        assert!(open.is_external() || run(open.port(), &list).is_ok());
        let closed = crate::TestServer::start_with_auth("trader", "secret")?;
        assert!(answers(closed.port()));
        assert!(run(closed.port(), &list).is_err());
        Ok(())
    }

    #[test]
    fn the_port_of_a_connection_string() {
        assert_eq!(port_of("mongodb://127.0.0.1:4711/?directConnection=true"), 4711);
        assert_eq!(port_of("mongodb://user:p%3A1@one:1234,two:5678"), 1234);
        assert_eq!(port_of("mongodb://somewhere"), 27017);
        assert_eq!(port_of("mongodb+srv://user:word@somewhere/?a=b"), 27017);
    }
}
