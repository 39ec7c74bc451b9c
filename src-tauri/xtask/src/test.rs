//! Every check there is.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::lints;
use crate::rooms;
use crate::run::{cargo, in_workspace, npm, run, step};
use crate::setup::{self, Needs};
use crate::tasks::build_ui;
use crate::workspace::Workspace;

/// What became of a check.
struct Checked {
    name: &'static str,
    took: Duration,
    problem: Option<String>,
}

/// Runs checks, also after one has failed, and sums up.
#[derive(Default)]
struct Checks {
    results: Vec<Checked>,
}

impl Checks {
    fn run(&mut self, name: &'static str, title: &str, act: impl FnOnce() -> Outcome) {
        self.record(name, || step(title, act));
    }

    /// Runs a check that reports its own steps.
    fn record(&mut self, name: &'static str, act: impl FnOnce() -> Outcome) {
        let started = Instant::now();
        let problem = act().err();
        self.results.push(Checked { name, took: started.elapsed(), problem });
    }

    /// The rules that no compiler checks.
    fn rules(&mut self, workspace: &Workspace) {
        self.run("format", "Format", || run(&mut cargo(workspace, &["fmt", "--all", "--check"])));
        self.run("engine knows no window", "The engine knows no window", || {
            lints::engine_knows_no_window(workspace)
        });
        self.run("rooms", "No room of the engine imports from one above it", || {
            rooms::check(&workspace.root.join("src-tauri/engine/src"))
        });
        self.run("release is closed", "A release shows its own page, with no inspector", || {
            lints::release_is_closed(workspace)
        });
        self.run("files name no machine", "Files name no machine", || {
            lints::files_name_no_machine(workspace)
        });
        self.run("UI types and lints", "Types and lints of the UI", || {
            run(&mut npm(workspace, &["run", "check"]))
        });
    }

    fn lints(&mut self, workspace: &Workspace) {
        self.run("lints", "Lints", || {
            run(&mut cargo(workspace, &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
        });
        self.run("documentation", "Links and code in the documentation", || {
            let arguments = ["doc", "--workspace", "--no-deps", "--document-private-items", "--keep-going"];
            // The documentation is for those who work on Tidemark: it may link to private items.
            let flags = "-D warnings -A rustdoc::private-intra-doc-links";
            run(cargo(workspace, &arguments).env("RUSTDOCFLAGS", flags))
        });
    }
}

/// Tests with the engine compiled quickly: these few run as fast without optimisation.
const QUICK_TEST: [&str; 3] = ["--config", "profile.dev.package.tidemark-engine.opt-level=0", "test"];

/// Runs what can be checked in a minute and a half: no server is started and no window opened.
pub(crate) fn quick_checks(workspace: &Workspace) -> Outcome {
    let mut checks = Checks::default();
    checks.rules(workspace);
    if !workspace.ui().join("dist").is_dir() {
        // The app takes the pages in when it is compiled.
        checks.record("UI build", || build_ui(workspace));
    }
    checks.lints(workspace);
    checks.run("unit tests", "Unit tests of the engine, the log, the command line and the tasks", || {
        let packages = ["tidemark-engine", "tidemark-logs", "tidemark-cli", "xtask"];
        let mut tests = cargo(workspace, &QUICK_TEST);
        tests.args(["--lib", "--bins"]);
        run(tests.args(packages.iter().flat_map(|package| ["-p", package])))
    });
    checks.run("types", "The UI's types are those of the engine", || {
        run(cargo(workspace, &QUICK_TEST).args(["-p", "tidemark-engine", "--test", "types"]))
    });
    sum_up(&checks.results)
}

/// Runs every check.
pub(crate) fn every_check(workspace: &Workspace) -> Outcome {
    let mut checks = Checks::default();
    checks.record("set-up", || setup::install(workspace, Needs::ALL));
    checks.rules(workspace);
    checks.run("UI tests", "Tests of the UI", || run(&mut npm(workspace, &["test"])));
    // Before anything compiles the app, which contains the pages.
    checks.record("UI build", || build_ui(workspace));
    checks.lints(workspace);
    checks.run("tests", "Tests of the engine, the command line, the sample desk and the app", || {
        run(&mut cargo(workspace, &["test", "--workspace", "--no-fail-fast"]))
    });
    if cfg!(target_os = "linux") {
        checks.run("window", "The window", || window(workspace, &[], None));
    } else {
        println!("    The window is tested on Linux only.");
    }
    sum_up(&checks.results)
}

/// Drives the real app on a virtual display, by the window's tests of some names or by all; the app that is
/// built with them, or another.
pub(crate) fn window(workspace: &Workspace, names: &[&str], app: Option<&Path>) -> Outcome {
    window_with(workspace, names, app, &[])
}

/// The same, with variables of its own.
pub(crate) fn window_with(
    workspace: &Workspace,
    names: &[&str],
    app: Option<&Path>,
    variables: &[(&str, &Path)],
) -> Outcome {
    let arguments = ["test", "-p", "tidemark", "--test", "window"];
    // Compiled first, so that no time-out of the display counts it.
    run(cargo(workspace, &arguments).arg("--no-run"))?;

    let cargo = cargo(workspace, &arguments);
    let mut command = Command::new("dbus-run-session");
    command
        .args(["--", "xvfb-run", "-a", "-s", "-screen 0 1920x1080x24"])
        .arg(cargo.get_program())
        .args(cargo.get_args())
        .args(["--", "--ignored", "--nocapture", "--test-threads=1"])
        .args(names);
    if names.is_empty() {
        // It is a benchmark.
        command.args(["--skip", "bench_ui"]);
    }
    in_workspace(workspace, &mut command);
    command
        .env("TAURI_DRIVER", workspace.tool("tauri-driver"))
        // No accessibility bus on a display that nobody sees; GTK would wait for it.
        .env("NO_AT_BRIDGE", "1");
    if let Some(app) = app {
        command.env("TIDEMARK_TEST_APP", app);
    }
    command.envs(variables.iter().copied());
    run(&mut command)
}

fn sum_up(results: &[Checked]) -> Outcome {
    println!("\nChecks:");
    for Checked { name, took, problem } in results {
        let verdict = if problem.is_none() { "passed" } else { "FAILED" };
        println!("  {verdict}  {name} ({:.1} s)", took.as_secs_f64());
    }
    for result in results {
        if let Some(problem) = &result.problem {
            println!("\n{}:\n  {problem}", result.name);
        }
    }
    let failed = results.iter().filter(|result| result.problem.is_some()).count();
    println!("\n{} passed, {failed} failed", results.len() - failed);
    if failed == 0 { Ok(()) } else { Err("Not every check passed; see above.".to_owned()) }
}
