//! Installs what is missing.

mod duckdb;
mod node;
mod server;
mod system;

use crate::Outcome;
use crate::run::step;
use crate::workspace::Workspace;

/// What a command cannot do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Needs {
    /// The parts of the system that the window is built on.
    pub(crate) window: bool,
    /// Node and the UI's packages.
    pub(crate) ui: bool,
    /// A server that speaks MongoDB's protocol.
    pub(crate) server: bool,
    /// What drives the window in tests.
    pub(crate) driver: bool,
}

impl Needs {
    /// Everything.
    pub(crate) const ALL: Self = Self { window: true, ui: true, server: true, driver: true };
    /// To open the app on the sample desk.
    pub(crate) const DEMO: Self = Self { driver: false, ..Self::ALL };
    /// To build the app.
    pub(crate) const BUILD: Self = Self { server: false, ..Self::DEMO };
    /// To build the engine and try it against a server.
    pub(crate) const ENGINE: Self = Self { window: false, ui: false, driver: false, server: true };
    /// To build the engine.
    pub(crate) const ENGINE_ALONE: Self = Self { server: false, ..Self::ENGINE };
}

/// Installs what is needed and missing. Goes on after a failure, so that one run names all that is missing.
pub(crate) fn install(workspace: &Workspace, needs: Needs) -> Outcome {
    let mut problems = Vec::new();
    let mut attempt = |what: &str, wanted: bool, act: &dyn Fn(&Workspace) -> Outcome| {
        if wanted && let Err(problem) = step(what, || act(workspace)) {
            problems.push(problem);
        }
    };
    // The system's packages first: the server is compiled with cmake.
    attempt("System packages", needs.window || needs.server, &|_| system::install(needs));
    // Always: the DuckDB library comes through npm.
    attempt("Node", true, &|_| node::check());
    attempt("DuckDB library", true, &duckdb::install);
    attempt("Packages of the UI", needs.ui, &node::install_packages);
    attempt("MongoDB server", needs.server, &server::install);
    attempt("WebDriver for the window", needs.driver, &server::install_driver);
    if problems.is_empty() {
        return Ok(());
    }
    Err(format!("Set-up is not complete:\n  - {}", problems.join("\n  - ")))
}
