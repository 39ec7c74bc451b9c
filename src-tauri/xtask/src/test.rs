//! Every check there is.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::chores::build_ui;
use crate::house;
use crate::place::Place;
use crate::run::{cargo, in_house, npm, run, step};
use crate::setup::{self, Needs};

/// What became of a check.
struct Checked {
    name: &'static str,
    took: Duration,
    problem: Option<String>,
}

/// Runs every check, also after one has failed, and sums up.
pub(crate) fn every_check(place: &Place) -> Outcome {
    let mut results = Vec::new();
    let mut check = |name: &'static str, act: &dyn Fn() -> Outcome| {
        let started = Instant::now();
        let problem = act().err();
        results.push(Checked { name, took: started.elapsed(), problem });
    };
    let run_cargo = |arguments: &[&str]| run(&mut cargo(place, arguments));
    let run_npm = |arguments: &[&str]| run(&mut npm(place, arguments));

    check("set-up", &|| setup::install(place, Needs::ALL));
    check("format", &|| step("Format", || run_cargo(&["fmt", "--all", "--check"])));
    check("engine knows no window", &|| {
        step("The engine knows no window", || house::engine_knows_no_window(place))
    });
    check("release is closed", &|| {
        step("A release shows its own page, with no inspector", || house::release_is_closed(place))
    });
    check("files name no machine", &|| step("Files name no machine", || house::files_name_no_machine(place)));
    check("UI types and lints", &|| step("Types and lints of the UI", || run_npm(&["run", "check"])));
    check("UI tests", &|| step("Tests of the UI", || run_npm(&["test"])));
    // Before anything compiles the app, which takes the pages in.
    check("UI build", &|| build_ui(place));
    check("lints", &|| {
        step("Lints", || run_cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
    });
    check("tests", &|| {
        step("Tests of the engine, the command line, the sample desk and the app", || {
            run_cargo(&["test", "--workspace", "--no-fail-fast"])
        })
    });
    if cfg!(target_os = "linux") {
        check("window", &|| step("The window", || window(place, &[], None)));
    } else {
        println!("    The window is tested on Linux only.");
    }
    sum_up(&results)
}

/// Drives the real app on a virtual display, by the window's tests of some names or by all; the app that is
/// built with them, or another.
pub(crate) fn window(place: &Place, names: &[&str], app: Option<&Path>) -> Outcome {
    let arguments = ["test", "-p", "tidemark", "--test", "window"];
    // Compiled first, so that no time-out of the display counts it.
    run(cargo(place, &arguments).arg("--no-run"))?;

    let cargo = cargo(place, &arguments);
    let mut command = Command::new("dbus-run-session");
    command
        .args(["--", "xvfb-run", "-a", "-s", "-screen 0 1920x1080x24"])
        .arg(cargo.get_program())
        .args(cargo.get_args())
        .args(["--", "--ignored", "--nocapture", "--test-threads=1"])
        .args(names);
    in_house(place, &mut command);
    command
        .env("TAURI_DRIVER", place.tool("tauri-driver"))
        // No accessibility bus on a display that nobody sees; GTK would wait for it.
        .env("NO_AT_BRIDGE", "1");
    if let Some(app) = app {
        command.env("TIDEMARK_TEST_APP", app);
    }
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
