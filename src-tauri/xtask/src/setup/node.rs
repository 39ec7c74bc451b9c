//! Node and the packages of the UI.

use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use crate::Outcome;
use crate::run::{npm, output, run};
use crate::workspace::Workspace;

const OLDEST: u32 = 20;

/// Whether Node is there and new enough.
pub(crate) fn check() -> Outcome {
    let how = format!("Install Node {OLDEST} or newer with npm, from nodejs.org or your system's packages.");
    let version =
        output(Command::new("node").arg("--version")).map_err(|_| format!("Node is missing. {how}"))?;
    match major(&version) {
        Some(major) if major >= OLDEST => Ok(()),
        _ => Err(format!("Node is {}, which is too old. {how}", version.trim())),
    }
}

fn major(version: &str) -> Option<u32> {
    version.trim().trim_start_matches('v').split('.').next()?.parse().ok()
}

/// Installs what the lock file lists, where it is newer than what is installed.
pub(crate) fn install_packages(workspace: &Workspace) -> Outcome {
    let lock = workspace.ui().join("package-lock.json");
    // npm writes this one last.
    let installed = workspace.ui().join("node_modules").join(".package-lock.json");
    match (changed(&lock), changed(&installed)) {
        (None, _) => Err("ui/package-lock.json is missing; the checkout is not complete.".to_owned()),
        (Some(lock), Some(installed)) if lock <= installed => Ok(()),
        _ => run(&mut npm(workspace, &["ci", "--no-audit", "--no-fund"])),
    }
}

fn changed(file: &Path) -> Option<SystemTime> {
    file.metadata().and_then(|about| about.modified()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major("nonsense"), None);
    }
}
