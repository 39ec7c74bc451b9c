//! The small ones: build, types, bench, soak.

use std::path::Path;

use crate::Outcome;
use crate::place::Place;
use crate::released;
use crate::run::{cargo, npm, run, step};
use crate::setup::{self, Needs};
use crate::test::window;

/// The pages that the desktop app carries inside.
pub(crate) fn build_ui(place: &Place) -> Outcome {
    step("Build the UI", || run(&mut npm(place, &["run", "build"])))
}

/// Release builds of the app and the command line.
pub(crate) fn build(place: &Place) -> Outcome {
    setup::install(place, Needs::BUILD)?;
    build_ui(place)?;
    step("Build the app", || {
        let app = ["build", "--release", "-p", "tidemark", "--features", "tauri/custom-protocol"];
        run(&mut cargo(place, &app))
    })?;
    step("Build the command line", || run(&mut cargo(place, &["build", "--release", "-p", "tidemark-cli"])))?;
    bring_library(place)?;
    for program in PROGRAMS {
        println!("{}", place.built("release", program).display());
    }
    Ok(())
}

/// What is released.
const PROGRAMS: [&str; 2] = ["tidemark", "tidemark-cli"];

/// Puts the DuckDB library where released programs look for it: from the folder that they are in,
/// `../lib/tidemark`, or `../Frameworks` on macOS. Windows looks beside the program.
fn bring_library(place: &Place) -> Outcome {
    let (name, folder) = if cfg!(windows) {
        ("duckdb.dll", place.target.join("release"))
    } else if cfg!(target_os = "macos") {
        ("libduckdb.dylib", place.target.join("Frameworks"))
    } else {
        ("libduckdb.so", place.target.join("lib").join("tidemark"))
    };
    let copied = std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::copy(place.duckdb().join(name), folder.join(name)));
    copied.map(drop).map_err(|error| format!("{name} cannot be put into {}: {error}.", folder.display()))
}

/// The same, and what hostile text would try is tried in the built app.
pub(crate) fn build_and_check(place: &Place) -> Outcome {
    if !cfg!(target_os = "linux") {
        return Err("The window is tested on Linux only; build without --check.".to_owned());
    }
    setup::install(place, Needs::ALL)?;
    build(place)?;
    step("The programs load no library from elsewhere, and heed no variable of the tests", || {
        PROGRAMS.iter().try_for_each(|program| released::check(&place.built("release", program)))
    })?;
    step("The built app's page is confined", || {
        window(place, &["confined"], Some(&place.built("release", "tidemark")))
    })
}

/// Generates the UI's types: the engine's test of them writes instead of comparing.
pub(crate) fn types(place: &Place) -> Outcome {
    setup::install(place, Needs::ENGINE_ALONE)?;
    step("Generate the UI's types", || {
        run(cargo(place, &["test", "-p", "tidemark-engine", "--test", "types"]).env("UPDATE_TYPES", "1"))
    })
}

/// Runs the benchmarks.
pub(crate) fn bench(place: &Place, messages: u64, json: Option<&Path>) -> Outcome {
    if !place.root.join("src-tauri/bench/Cargo.toml").is_file() {
        return Err("There are no benchmarks yet: src-tauri/bench is missing.".to_owned());
    }
    setup::install(place, Needs::ENGINE)?;
    step("Build the benchmarks", || run(&mut cargo(place, &["build", "--release", "-p", "tidemark-bench"])))?;
    step("Measure", || {
        let mut command = cargo(place, &["run", "--quiet", "--release", "-p", "tidemark-bench", "--"]);
        command.args(["--messages", &messages.to_string()]);
        if let Some(file) = json {
            // As the caller sees it, wherever the benchmark runs.
            let file = std::path::absolute(file)
                .map_err(|error| format!("{} is no place for a file: {error}.", file.display()))?;
            command.arg("--json").arg(file);
        }
        run(&mut command)
    })
}

/// Runs the engine's oracle for a while.
pub(crate) fn soak(place: &Place, minutes: u64, seed: Option<u64>, cruelty: Option<&str>) -> Outcome {
    setup::install(place, Needs::ENGINE)?;
    step("Compare cached with uncached answers", || {
        let arguments = ["test", "--release", "-p", "tidemark-engine", "--test", "oracle"];
        let mut command = cargo(place, &arguments);
        command.args(["--", "--exact", "soak", "--ignored", "--nocapture"]);
        command.env("TIDEMARK_SOAK_MINUTES", minutes.to_string());
        if let Some(seed) = seed {
            command.env("TIDEMARK_SOAK_SEED", seed.to_string());
        }
        if let Some(cruelty) = cruelty {
            command.env("TIDEMARK_CRUELTY", cruelty);
        }
        run(&mut command)
    })
}

/// Fetches months of every size.
pub(crate) fn sweep(place: &Place) -> Outcome {
    setup::install(place, Needs::ENGINE)?;
    step("Fetch months of every size", || {
        let arguments = ["test", "--release", "-p", "tidemark-engine", "--test", "sweep"];
        let mut command = cargo(place, &arguments);
        run(command.args(["--", "--nocapture"]).env("TIDEMARK_SWEEP", "full"))
    })
}
