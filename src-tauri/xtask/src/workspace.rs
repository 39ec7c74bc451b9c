//! Where things are: the checkout, and the folder for what is downloaded and built.

use std::env::consts::EXE_SUFFIX;
use std::path::PathBuf;

use crate::Outcome;

/// The folders that the tasks use.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    /// The checkout.
    pub(crate) root: PathBuf,
    /// Tidemark's folder in the user's cache: it outlives a checkout, and a second one shares it.
    pub(crate) cache: PathBuf,
    /// Where cargo builds.
    pub(crate) target: PathBuf,
}

impl Workspace {
    pub(crate) fn find() -> Outcome<Self> {
        // As cargo says it now: two checkouts may share what is built, so the path at compile time may be
        // the other's.
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest.ancestors().nth(2).unwrap_or(&manifest).to_owned();
        if !root.join("Cargo.toml").is_file() {
            return Err(format!(
                "The checkout is not at {} any more. Run this through `cargo xtask`, inside it.",
                root.display()
            ));
        }
        let cache = directories::BaseDirs::new()
            .ok_or("This user has no home folder to keep tools in; set HOME.")?
            .cache_dir()
            .join("tidemark");
        let target = std::env::var_os("CARGO_TARGET_DIR")
            .filter(|folder| !folder.is_empty())
            .map_or_else(|| cache.join("target"), |folder| root.join(folder));
        Ok(Self { root, cache, target })
    }

    /// Programs that are installed for Tidemark alone, below `bin`.
    pub(crate) fn tools(&self) -> PathBuf {
        std::env::var_os("TIDEMARK_TOOLS").map_or_else(|| self.cache.join("tools"), PathBuf::from)
    }

    /// One of them.
    pub(crate) fn tool(&self, name: &str) -> PathBuf {
        self.tools().join("bin").join(format!("{name}{EXE_SUFFIX}"))
    }

    /// The DuckDB library, where `.cargo/config.toml` tells cargo to look. It is this one for every
    /// cargo that is started here too: another path would compile all that depends on it again.
    pub(crate) fn duckdb(&self) -> PathBuf {
        self.root.join(".tools").join("duckdb")
    }

    pub(crate) fn ui(&self) -> PathBuf {
        self.root.join("ui")
    }

    /// A program that cargo built.
    pub(crate) fn built(&self, profile: &str, name: &str) -> PathBuf {
        self.target.join(profile).join(format!("{name}{EXE_SUFFIX}"))
    }
}

/// A program on the path.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(format!("{name}{EXE_SUFFIX}")))
        .find(|candidate| candidate.is_file())
}
