//! The same documents with Python's usual packages, in an environment that the benchmark makes.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The packages, as pip takes them.
const PACKAGES: [&str; 3] = ["duckdb==1.5.6", "pymongoarrow==1.15.0", "pymongo==4.20.1"];
const SCRIPT: &str = include_str!("../peers.py");

/// What a peer does.
pub(crate) const PEERS: [(&str, &str); 2] =
    [("arrow", "pymongoarrow to a DuckDB file"), ("csv", "pymongo cursor to CSV")];

/// An environment with the packages.
pub(crate) struct Peers {
    python: PathBuf,
    script: PathBuf,
    folder: PathBuf,
}

impl Peers {
    /// Makes the environment in a folder.
    ///
    /// # Errors
    /// Why it cannot be made: no Python, or the packages are out of reach.
    pub(crate) fn install(folder: &Path) -> Result<Self, String> {
        let environment = folder.join("python");
        let system = if cfg!(windows) { "python" } else { "python3" };
        run(Command::new(system).args(["-m", "venv"]).arg(&environment))?;
        let python = environment.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(PACKAGES))?;
        let script = folder.join("peers.py");
        std::fs::write(&script, SCRIPT).map_err(|error| error.to_string())?;
        Ok(Self { python, script, folder: folder.to_owned() })
    }

    /// Measures one of [`PEERS`].
    ///
    /// # Errors
    /// What it printed, if it failed.
    pub(crate) fn measure(&self, peer: &str, uri: &str, namespace: [&str; 2]) -> Result<Value, String> {
        let target = self.folder.join(format!("peer.{peer}"));
        let _ = std::fs::remove_file(&target);
        let text = run(Command::new(&self.python)
            .args(["-W", "ignore"])
            .arg(&self.script)
            .args([peer, uri])
            .args(namespace)
            .arg(&target))?;
        serde_json::from_str(text.trim()).map_err(|error| error.to_string())
    }
}

fn run(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{name}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr).trim()))
}
