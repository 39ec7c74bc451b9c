//! The server really starts, stops, comes back and goes away.

use std::net::TcpStream;
use std::path::Path;

use tidemark_test_server::TestServer;

fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

#[test]
fn starts_stops_and_comes_back_on_its_port() -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let server = TestServer::start_on(folder.path(), 0)?;
    let port = server.port();
    assert_eq!(server.uri(), format!("mongodb://127.0.0.1:{port}/"));
    assert!(listens(port));

    server.stop()?;
    assert!(!listens(port));
    server.restart()?;
    assert!(listens(port));
    server.shut_down()?;
    assert!(!listens(port));
    server.restart()?;
    server.restart()?;
    assert!(listens(port));

    drop(server);
    assert!(!listens(port));
    assert!(Path::new(folder.path()).is_dir(), "a folder that was given is kept");
    Ok(())
}

#[test]
#[cfg(unix)]
fn pauses() -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let server = TestServer::start_on(folder.path(), 0)?;
    server.pause()?;
    server.resume()?;
    server.pause()?;
    server.shut_down()?; // a paused server shuts down as well
    assert!(server.pause().is_err());
    Ok(())
}

#[test]
fn two_run_side_by_side() -> Result<(), String> {
    let (one, other) = (TestServer::start()?, TestServer::start()?);
    assert!(one.is_external() || one.port() != other.port());
    Ok(())
}

#[test]
fn starts_with_a_user() -> Result<(), String> {
    let server = TestServer::start_with_auth("trader", "p@ss/wörd")?;
    assert!(server.uri().starts_with("mongodb://trader:p%40ss%2Fw%C3%B6rd@127.0.0.1:"));
    Ok(())
}
