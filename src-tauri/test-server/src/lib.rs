//! Starts a real server that speaks MongoDB's protocol, in a process of its own, for tests and the demo.
//!
//! Uses the server that `TIDEMARK_TEST_MONGODB_URI` names, or else a `mongod` on the path, or else `secantusd-rs`,
//! which `cargo xtask setup` installs. A server that was started here ends with its [`TestServer`], and its temporary
//! folder is deleted. On Linux and macOS it also ends if the test process dies without running a destructor (killed,
//! or with the server in a `static`).
//!
//! All calls are blocking and short, so they can be made from a `tokio` test directly.

mod process;
mod program;
mod wire;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tempfile::TempDir;

use crate::process::Process;
use crate::program::{Program, Setup};

/// The environment variable that names a running server to use instead of starting one.
pub const EXTERNAL_URI: &str = "TIDEMARK_TEST_MONGODB_URI";

/// How long a server may take to answer its first ping. Recovery after a kill takes the longest.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// A running server. Stopped when dropped, unless it was not started here.
#[derive(Debug)]
pub struct TestServer {
    uri: String,
    port: u16,
    local: Option<Local>,
}

/// The server's process, and what is needed to restart it.
#[derive(Debug)]
struct Local {
    program: Program,
    setup: Setup,
    process: Mutex<Option<Process>>,
    folder: Folder,
}

/// The folder of a server's data. Declared after the process, so that it is deleted after the process has ended.
#[derive(Debug)]
enum Folder {
    Temporary(TempDir),
    Kept(PathBuf),
}

impl Folder {
    fn temporary() -> Result<Self, String> {
        tempfile::Builder::new()
            .prefix("tidemark-server-")
            .tempdir()
            .map(Self::Temporary)
            .map_err(|error| format!("No temporary folder for the test server: {error}."))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(folder) => folder,
        }
    }

    /// Whether the folder is deleted once the server has ended.
    fn is_temporary(&self) -> bool {
        matches!(self, Self::Temporary(_))
    }
}

impl TestServer {
    /// Starts an empty server on a free port, or uses the one that [`EXTERNAL_URI`] names.
    pub fn start() -> Result<Self, String> {
        match std::env::var(EXTERNAL_URI) {
            Ok(uri) if !uri.trim().is_empty() => {
                Ok(Self { port: wire::port_of(&uri), uri: uri.trim().to_owned(), local: None })
            }
            _ => Self::start_in(Folder::temporary()?, None, Setup::Standalone),
        }
    }

    /// Starts a server that keeps its data in `folder`, on `port` or, if that is 0, on a free port. Ignores
    /// [`EXTERNAL_URI`].
    pub fn start_on(folder: &Path, port: u16) -> Result<Self, String> {
        std::fs::create_dir_all(folder)
            .map_err(|error| format!("The server's folder {} cannot be made: {error}.", folder.display()))?;
        Self::start_in(Folder::Kept(folder.to_owned()), (port != 0).then_some(port), Setup::Standalone)
    }

    /// Starts an empty server that admits only `user`, who has all privileges. [`uri`](Self::uri) contains the
    /// credentials. Ignores [`EXTERNAL_URI`].
    pub fn start_with_auth(user: &str, password: &str) -> Result<Self, String> {
        Self::start_closed(user, password, Setup::WithAuth)
    }

    /// As [`start_with_auth`](Self::start_with_auth), and all connections need TLS. `pem` is a file with the server's
    /// certificate, its chain and its key. Its [`uri`](Self::uri) does not say which authority to trust.
    pub fn start_with_tls(user: &str, password: &str, pem: &Path) -> Result<Self, String> {
        let mut server = Self::start_closed(user, password, Setup::WithTls(pem.to_owned()))?;
        server.uri.push_str("&tls=true");
        Ok(server)
    }

    fn start_closed(user: &str, password: &str, setup: Setup) -> Result<Self, String> {
        let mut server = Self::start_in(Folder::temporary()?, None, Setup::Standalone)?;
        wire::create_root_user(server.port, user, password)?;
        let port = server.port;
        if let Some(local) = &mut server.local {
            local.shut_down()?;
            local.setup = setup;
            local.start(Some(port))?;
        }
        let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        server.uri =
            format!("mongodb://{}:{}@127.0.0.1:{port}/?authSource=admin", encode(user), encode(password));
        Ok(server)
    }

    /// Starts an empty replica set with a single member, which supports snapshot reads. Its [`uri`](Self::uri)
    /// requests a direct connection. Ignores [`EXTERNAL_URI`].
    pub fn start_replica_set() -> Result<Self, String> {
        let mut server = Self::start_in(Folder::temporary()?, None, Setup::ReplicaSet)?;
        if let Some(Local { program: Program::Mongod(_), .. }) = &server.local {
            wire::initiate_replica_set(server.port)?;
        }
        server.uri.push_str("?directConnection=true");
        Ok(server)
    }

    fn start_in(folder: Folder, port: Option<u16>, setup: Setup) -> Result<Self, String> {
        let local = Local { program: Program::find()?, setup, process: Mutex::new(None), folder };
        let port = local.start(port)?;
        Ok(Self { uri: format!("mongodb://127.0.0.1:{port}/"), port, local: Some(local) })
    }

    /// The connection string, including credentials.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The port on 127.0.0.1 or, for an external server, the one in its connection string.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether the server was already running and is left running, so that it can be neither stopped nor paused.
    #[must_use]
    pub fn is_external(&self) -> bool {
        self.local.is_none()
    }

    /// Kills the server at once, like a power cut: open connections break in the middle of a reply.
    ///
    /// Recent writes may be lost; [`shut_down`](Self::shut_down) keeps them.
    pub fn stop(&self) -> Result<(), String> {
        self.local()?.lock().take();
        Ok(())
    }

    /// Shuts the server down cleanly, with all writes safe in its folder.
    pub fn shut_down(&self) -> Result<(), String> {
        self.local()?.shut_down()
    }

    /// Restarts the server on the same port with the same data, after shutting it down if it is running.
    pub fn restart(&self) -> Result<(), String> {
        let local = self.local()?;
        local.shut_down()?;
        local.start(Some(self.port)).map(drop)
    }

    /// Freezes the server: connections stay open, but nothing answers. Linux and macOS only.
    pub fn pause(&self) -> Result<(), String> {
        self.local()?.with_process(Process::pause)
    }

    /// Wakes a paused server.
    pub fn resume(&self) -> Result<(), String> {
        self.local()?.with_process(Process::resume)
    }

    fn local(&self) -> Result<&Local, String> {
        self.local
            .as_ref()
            .ok_or_else(|| format!("The server that {EXTERNAL_URI} names is not ours to stop or pause."))
    }
}

impl Local {
    fn lock(&self) -> MutexGuard<'_, Option<Process>> {
        // Safe after a panic: nothing is left half done.
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the process and waits until it answers; returns the port.
    fn start(&self, port: Option<u16>) -> Result<u16, String> {
        let mut slot = self.lock();
        let (process, port) = Process::start(
            &self.program,
            self.folder.path(),
            self.folder.is_temporary(),
            port,
            &self.setup,
            START_TIMEOUT,
        )?;
        *slot = Some(process);
        Ok(port)
    }

    fn shut_down(&self) -> Result<(), String> {
        self.lock().take().map_or(Ok(()), Process::shut_down)
    }

    fn with_process(&self, act: impl FnOnce(&Process) -> Result<(), String>) -> Result<(), String> {
        self.lock().as_ref().map_or_else(|| Err("The server does not run.".to_owned()), act)
    }
}

/// Checks whether a server can be started here; the error says what to do if not.
pub fn available() -> Result<(), String> {
    Program::find().map(drop)
}
