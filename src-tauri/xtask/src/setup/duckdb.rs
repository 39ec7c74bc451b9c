//! The DuckDB library. Compiling it takes half an hour; DuckDB publishes it compiled, and of the
//! places it does so npm is the one that a machine with Node can reach and check by hash.

use std::env::consts::{ARCH, OS};
use std::fs;
use std::path::{Path, PathBuf};

use crate::Outcome;
use crate::run::{npm, run};
use crate::workspace::Workspace;

/// Matches the `duckdb` crate in Cargo.toml.
const VERSION: &str = "1.5.6-r.1";

/// These two pin the packages by hash, one for each system and processor.
const PACKAGE: &str = include_str!("../../duckdb/package.json");
const LOCK: &str = include_str!("../../duckdb/package-lock.json");

/// Installs the library into the cache folder, and leads `.tools/duckdb` to it.
pub(crate) fn install(workspace: &Workspace) -> Outcome {
    // Set by hand, it is the user's own library; `.cargo/config.toml` sets it to ours.
    if let Some(own) = std::env::var_os("DUCKDB_LIB_DIR").map(PathBuf::from)
        && own != workspace.duckdb()
    {
        println!("    taken from DUCKDB_LIB_DIR");
        return Ok(());
    }
    if is_installed(&workspace.duckdb()) {
        return Ok(());
    }
    if cfg!(windows) {
        // npm's package lacks the import library that the linker wants.
        return Err(
            "The DuckDB library is missing: unpack libduckdb of DuckDB 1.5.6 for Windows, as its releases have it, \
             and set DUCKDB_LIB_DIR to the folder."
                .to_owned(),
        );
    }
    let name = package_name()?;
    let folder = workspace.cache.join(format!("duckdb-{}", VERSION.split('-').next().unwrap_or(VERSION)));
    let library = folder.join("node_modules").join(&name);
    if !is_installed(&library) {
        download(workspace, &folder)?;
    }
    if !is_installed(&library) {
        return Err(format!("{name} {VERSION} from npm lacks the library {}.", file_name()));
    }
    lead_to(&workspace.duckdb(), &library)
}

/// npm's name of the package for this machine.
fn package_name() -> Outcome<String> {
    let system = match OS {
        "macos" => "darwin",
        "linux" => "linux",
        other => {
            return Err(format!("DuckDB publishes no library for {other}; set DUCKDB_LIB_DIR to your own."));
        }
    };
    let processor = match ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => {
            return Err(format!("DuckDB publishes no library for {other}; set DUCKDB_LIB_DIR to your own."));
        }
    };
    Ok(format!("@duckdb/node-bindings-{system}-{processor}"))
}

fn file_name() -> &'static str {
    if cfg!(target_os = "macos") { "libduckdb.dylib" } else { "libduckdb.so" }
}

fn is_installed(folder: &Path) -> bool {
    let about = fs::read_to_string(folder.join("package.json")).unwrap_or_default();
    folder.join(file_name()).is_file() && about.contains(&format!("\"version\": \"{VERSION}\""))
}

fn download(workspace: &Workspace, folder: &Path) -> Outcome {
    let failed = |error: std::io::Error| format!("{} cannot be written: {error}.", folder.display());
    fs::create_dir_all(folder).map_err(failed)?;
    fs::write(folder.join("package.json"), PACKAGE).map_err(failed)?;
    fs::write(folder.join("package-lock.json"), LOCK).map_err(failed)?;
    // npm takes the one of the four packages that is for this machine.
    run(npm(workspace, &["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(folder))
}

/// Makes `link` lead to the library's folder.
#[cfg(unix)]
fn lead_to(link: &Path, folder: &Path) -> Outcome {
    let failed = |error: std::io::Error| format!("{} cannot be linked: {error}.", link.display());
    if let Some(parent) = link.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    match link.symlink_metadata() {
        Ok(about) if about.is_dir() => fs::remove_dir_all(link).map_err(failed)?,
        Ok(_) => fs::remove_file(link).map_err(failed)?,
        Err(_) => {}
    }
    std::os::unix::fs::symlink(folder, link).map_err(failed)
}

#[cfg(not(unix))]
fn lead_to(_link: &Path, _folder: &Path) -> Outcome {
    Err("Links are made on Linux and macOS only.".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_is_pinned_to_the_version_that_is_linked() {
        let lock: serde_json::Value = serde_json::from_str(LOCK).expect("a lock file");
        for system in ["darwin-arm64", "darwin-x64", "linux-arm64", "linux-x64"] {
            let name = format!("@duckdb/node-bindings-{system}");
            assert!(PACKAGE.contains(&format!("\"{name}\": \"{VERSION}\"")), "{name}");
            let pinned = &lock["packages"][format!("node_modules/{name}")];
            assert_eq!(pinned["version"], VERSION, "{name}");
            assert!(pinned["integrity"].as_str().is_some_and(|hash| hash.starts_with("sha512-")), "{name}");
        }
        assert!(LOCK.contains(&package_name().expect("a system that DuckDB publishes for")));
    }
}
