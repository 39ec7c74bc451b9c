//! The server program on this machine.

use std::env::consts::EXE_SUFFIX;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Environment variable with the folder into which `cargo xtask setup` installs tools, if it is not the default one.
const TOOLS: &str = "TIDEMARK_TOOLS";

/// How a server is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Setup {
    Standalone,
    /// Standalone, with authentication required.
    WithAuth,
    /// As `WithAuth`, and TLS required: a file with the certificate, its chain and its key.
    WithTls(PathBuf),
    /// A replica set with this single member.
    ReplicaSet,
}

/// A server program, which determines the syntax of its options.
#[derive(Debug, Clone)]
pub(crate) enum Program {
    /// MongoDB's own server.
    Mongod(PathBuf),
    /// A substitute from crates.io, which stores in `WiredTiger` as MongoDB does.
    Secantus(PathBuf),
}

impl Program {
    /// Finds a server, preferably a real `mongod`.
    pub(crate) fn find() -> Result<Self, String> {
        if let Some(path) = on_path("mongod") {
            return Ok(Self::Mongod(path));
        }
        let tools = std::env::var_os(TOOLS).map(PathBuf::from);
        let cache = directories::BaseDirs::new().map(|dirs| dirs.cache_dir().join("tidemark/tools"));
        [tools, cache]
            .into_iter()
            .flatten()
            .map(|tools| tools.join("bin").join(format!("secantusd-rs{EXE_SUFFIX}")))
            .find(|path| path.is_file())
            .or_else(|| on_path("secantusd-rs"))
            .map(Self::Secantus)
            .ok_or_else(|| {
                "There is no MongoDB server on this machine: neither mongod nor secantusd-rs was found. \
                 `cargo xtask setup` installs secantusd-rs."
                    .to_owned()
            })
    }

    /// A port if the caller has no preference. 0 means that the program picks one and reports it.
    pub(crate) fn any_port(&self) -> Result<u16, String> {
        match self {
            Self::Secantus(_) => Ok(0),
            Self::Mongod(_) => std::net::TcpListener::bind(("127.0.0.1", 0))
                .and_then(|listener| listener.local_addr())
                .map(|address| address.port())
                .map_err(|error| format!("There is no free port for the test server: {error}.")),
        }
    }

    /// The command that serves `data` on 127.0.0.1.
    pub(crate) fn command(&self, data: &Path, port: u16, setup: &Setup) -> Command {
        let option = |name: &str| OsString::from(name);
        let (path, mut options) = match self {
            Self::Mongod(path) => (path, vec![option("--bind_ip"), option("127.0.0.1"), option("--dbpath")]),
            Self::Secantus(path) => (
                path,
                // Small files and a small cache, because a test run starts many of these at once.
                vec![option("--cache-size=512M"), option("--log-file-max=32MB"), option("--storage-path")],
            ),
        };
        options.push(data.as_os_str().to_owned());
        options.extend([option("--port"), option(&port.to_string())]);
        match (self, setup) {
            // A replica set makes drivers connect to the address in its own configuration, which bypasses a tunnel.
            (Self::Secantus(_), Setup::Standalone) => options.push(option("--standalone")),
            (Self::Secantus(_), Setup::WithAuth) => {
                options.extend([option("--standalone"), option("--auth")]);
            }
            (Self::Secantus(_), Setup::WithTls(pem)) => {
                options.extend([
                    option("--standalone"),
                    option("--auth"),
                    option("--tls-cert-file"),
                    pem.into(),
                ]);
                options.extend([option("--tls-key-file"), pem.into()]);
            }
            (Self::Mongod(_), Setup::WithAuth) => options.push(option("--auth")),
            (Self::Mongod(_), Setup::WithTls(pem)) => {
                options.extend([option("--auth"), option("--tlsMode"), option("requireTLS")]);
                options.extend([option("--tlsCertificateKeyFile"), pem.into()]);
            }
            (Self::Mongod(_), Setup::ReplicaSet) => options.extend([option("--replSet"), option("tidemark")]),
            (Self::Mongod(_), Setup::Standalone) | (Self::Secantus(_), Setup::ReplicaSet) => {}
        }
        let mut command = Command::new(path);
        command.args(options);
        command
    }

    /// The port that the program reports in its log.
    pub(crate) fn reported_port(&self, log: &str) -> Option<u16> {
        match self {
            // mongod cannot pick a free port, so it reports none.
            Self::Mongod(_) => None,
            Self::Secantus(_) => log
                .lines()
                .find_map(|line| line.split_once("listening on "))
                .and_then(|(_, address)| address.trim().rsplit_once(':'))
                .and_then(|(_, port)| port.parse().ok()),
        }
    }
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(format!("{name}{EXE_SUFFIX}")))
        .find(|candidate| candidate.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_read_from_the_log() {
        let secantus = Program::Secantus(PathBuf::new());
        let log = "a warning\nsecantusd-rs listening on 127.0.0.1:38473\n";
        assert_eq!(secantus.reported_port(log), Some(38473));
        assert_eq!(secantus.reported_port("secantusd-rs listening on "), None);
    }
}
