//! The small ones: build, types, bench, soak.

use std::path::Path;

use crate::Outcome;
use crate::released;
use crate::run::{cargo, npm, run, step};
use crate::setup::{self, Needs};
use crate::test::{window, window_with};
use crate::workspace::Workspace;

/// The pages that the desktop app carries inside.
pub(crate) fn build_ui(workspace: &Workspace) -> Outcome {
    step("Build the UI", || run(&mut npm(workspace, &["run", "build"])))
}

/// Release builds of the app and the command line.
pub(crate) fn build(workspace: &Workspace) -> Outcome {
    setup::install(workspace, Needs::BUILD)?;
    build_ui(workspace)?;
    step("Build the app", || {
        let app = ["build", "--release", "-p", "tidemark", "--features", "tauri/custom-protocol"];
        run(&mut cargo(workspace, &app))
    })?;
    step("Build the command line", || {
        run(&mut cargo(workspace, &["build", "--release", "-p", "tidemark-cli"]))
    })?;
    bring_library(workspace)?;
    for program in PROGRAMS {
        println!("{}", workspace.built("release", program).display());
    }
    Ok(())
}

/// What is released.
const PROGRAMS: [&str; 2] = ["tidemark", "tidemark-cli"];

/// Puts the DuckDB library where released programs look for it: from the folder that they are in,
/// `../lib/tidemark`, or `../Frameworks` on macOS. Windows looks beside the program.
fn bring_library(workspace: &Workspace) -> Outcome {
    let (name, folder) = if cfg!(windows) {
        ("duckdb.dll", workspace.target.join("release"))
    } else if cfg!(target_os = "macos") {
        ("libduckdb.dylib", workspace.target.join("Frameworks"))
    } else {
        ("libduckdb.so", workspace.target.join("lib").join("tidemark"))
    };
    let copied = std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::copy(workspace.duckdb().join(name), folder.join(name)));
    copied.map(drop).map_err(|error| format!("{name} cannot be put into {}: {error}.", folder.display()))
}

/// The same, and what hostile text would try is tried in the built app.
pub(crate) fn build_and_check(workspace: &Workspace) -> Outcome {
    if !cfg!(target_os = "linux") {
        return Err("The window is tested on Linux only; build without --check.".to_owned());
    }
    setup::install(workspace, Needs::ALL)?;
    build(workspace)?;
    step("The programs load no library from elsewhere, and heed no variable of the tests", || {
        PROGRAMS.iter().try_for_each(|program| released::check(&workspace.built("release", program)))
    })?;
    step("The built app's page is confined", || {
        window(workspace, &["confined"], Some(&workspace.built("release", "tidemark")))
    })
}

/// Generates the UI's types: the engine's test of them writes instead of comparing.
pub(crate) fn types(workspace: &Workspace) -> Outcome {
    setup::install(workspace, Needs::ENGINE_ALONE)?;
    step("Generate the UI's types", || {
        run(cargo(workspace, &["test", "-p", "tidemark-engine", "--test", "types"]).env("UPDATE_TYPES", "1"))
    })
}

/// Runs the benchmarks.
pub(crate) fn bench(
    workspace: &Workspace,
    messages: u64,
    json: Option<&Path>,
    beside: Option<&Path>,
    peers: bool,
) -> Outcome {
    if !workspace.root.join("src-tauri/bench/Cargo.toml").is_file() {
        return Err("There are no benchmarks yet: src-tauri/bench is missing.".to_owned());
    }
    setup::install(workspace, Needs::ENGINE)?;
    step("Build the benchmarks", || {
        run(&mut cargo(workspace, &["build", "--release", "-p", "tidemark-bench"]))
    })?;
    step("Measure", || {
        let mut command = cargo(workspace, &["run", "--quiet", "--release", "-p", "tidemark-bench", "--"]);
        command.args(["--messages", &messages.to_string()]);
        for (option, file) in [("--json", json), ("--beside", beside)] {
            let Some(file) = file else { continue };
            // As the caller sees it, wherever the benchmark runs.
            let file = std::path::absolute(file)
                .map_err(|error| format!("{} is no place for a file: {error}.", file.display()))?;
            command.arg(option).arg(file);
        }
        if peers {
            command.arg("--peers");
        }
        run(&mut command)
    })
}

/// Measures the window of the release app with a large cached answer, on a virtual display. The answer is built once, in
/// `folder` or beside the build.
pub(crate) fn bench_ui(workspace: &Workspace, rows: u64, folder: Option<&Path>) -> Outcome {
    if !cfg!(target_os = "linux") {
        return Err("The window is measured on Linux only.".to_owned());
    }
    setup::install(workspace, Needs::ALL)?;
    build(workspace)?;
    let beside = workspace.target.join("bench-answer");
    let folder = std::path::absolute(folder.unwrap_or(&beside)).map_err(|error| error.to_string())?;
    step("Build the cached answer", || {
        let mut command = cargo(workspace, &["run", "--quiet", "--release", "-p", "tidemark-bench", "--"]);
        command.args(["--messages", &rows.to_string(), "answer", "--folder"]).arg(&folder);
        run(&mut command)
    })?;
    step("Measure the window", || {
        let app = workspace.built("release", "tidemark");
        window_with(workspace, &["bench_ui"], Some(&app), &[("TIDEMARK_BENCH_ANSWER", &folder)])
    })
}

/// Runs the engine's oracle for a while.
pub(crate) fn soak(workspace: &Workspace, minutes: u64, seed: Option<u64>, cruelty: Option<&str>) -> Outcome {
    setup::install(workspace, Needs::ENGINE)?;
    step("Compare cached with uncached answers", || {
        let arguments = ["test", "--release", "-p", "tidemark-engine", "--test", "oracle"];
        let mut command = cargo(workspace, &arguments);
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
pub(crate) fn sweep(workspace: &Workspace) -> Outcome {
    setup::install(workspace, Needs::ENGINE)?;
    step("Fetch months of every size", || {
        let arguments = ["test", "--release", "-p", "tidemark-engine", "--test", "sweep"];
        let mut command = cargo(workspace, &arguments);
        run(command.args(["--", "--nocapture"]).env("TIDEMARK_SWEEP", "full"))
    })
}
