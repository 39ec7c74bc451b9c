//! What the integration tests share: servers, ways to them that break or record, and a strict CSV reader.

pub mod csv;
mod gate;
pub mod relay;
pub mod scripted;
pub mod wire;

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tidemark_test_server::TestServer;

pub use gate::Gate;

/// The server of this test program. It ends with the process.
///
/// # Panics
/// If no server can be started.
pub fn server() -> &'static TestServer {
    static SERVER: OnceLock<TestServer> = OnceLock::new();
    SERVER.get_or_init(|| TestServer::start().expect("a test server"))
}

/// A replica set of this test program, which reads snapshots. It ends with the process.
///
/// # Panics
/// If no server can be started.
pub fn replica_set() -> &'static TestServer {
    static SERVER: OnceLock<TestServer> = OnceLock::new();
    SERVER.get_or_init(|| TestServer::start_replica_set().expect("a replica set"))
}

/// Waits until something holds, for at most a minute.
///
/// # Panics
/// If it does not hold by then.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(60), "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
