//! The oracle: long random sequences against the engine and the real server. After every step, what the
//! engine answers is compared with what the source held when each day was fetched, and, where nothing has
//! changed since, with a direct query.
//!
//! A sequence that comes out wrong is cut down to the few steps that matter and printed as a test.
#![allow(clippy::unwrap_used)]

mod cases;
mod change_checks;
mod checks;
mod cruelty;
mod fault_proxy;
mod hard;
mod model_source;
mod read_back;
mod runner;
mod script;
mod self_test;
mod tally;

use std::io::Write as _;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use cruelty::Cruelties;
use runner::{Wrong, carry_out};
use script::{Script, Setup, Step, simpler};
use tally::Tally;
use tidemark_test_server::EXTERNAL_URI;
use tidemark_test_support::server;
use tokio::runtime::{Builder, Runtime};

/// Steps of a sequence.
const STEPS: usize = 30;
/// Sequences of the ordinary test.
const SEQUENCES: u64 = 200;
/// Sequences of the test in a cruel world: some of them take as long as ten others.
const CRUEL_SEQUENCES: u64 = 80;
/// Sequences side by side.
const SIDE_BY_SIDE: u64 = 2;
/// How long a failure is cut down.
const SHRINKING: Duration = Duration::from_secs(120);
/// Names the file with the script that a child carries out.
const SCRIPT: &str = "TIDEMARK_ORACLE_SCRIPT";
/// Begins the line on which a child says what its script came to.
const CAME_TO: &str = "came to: ";

/// What some sequences did, or the first that came out wrong.
struct Report {
    tally: Tally,
    sequences: u64,
    wrong: Option<(u64, Wrong)>,
}

/// Runs the sequences of one seed after another: every `SIDE_BY_SIDE`th, from `first` on.
async fn lane(
    first: u64,
    lane: u64,
    count: u64,
    until: Option<Instant>,
    cruelties: Cruelties,
    stop: Arc<AtomicBool>,
) -> Report {
    let mut report = Report { tally: Tally::default(), sequences: 0, wrong: None };
    for at in (lane..count).step_by(usize::try_from(SIDE_BY_SIDE).unwrap()) {
        if stop.load(Ordering::Relaxed) || until.is_some_and(|until| Instant::now() >= until) {
            break;
        }
        let seed = first.wrapping_add(at);
        match attempt(&Script::from_seed(seed, STEPS, &cruelties)).await {
            Ok(tally) => report.tally += tally,
            Err(wrong) => {
                // The other lanes need not go on.
                stop.store(true, Ordering::Relaxed);
                report.wrong = Some((seed, wrong));
                break;
            }
        }
        report.sequences += 1;
    }
    report
}

/// Carries a script out; a panic is as wrong as a wrong answer.
async fn attempt(script: &Script) -> Result<Tally, Wrong> {
    let script = script.clone();
    if script.is_bulky() {
        return tokio::task::spawn_blocking(move || in_a_child(&script)).await.expect("no panic");
    }
    let run = tokio::spawn(async move { carry_out(&script).await });
    run.await.unwrap_or_else(|error| Err(Wrong { step: 0, what: error.to_string() }))
}

/// Carries a script out in a process of its own, which may die of it.
fn in_a_child(script: &Script) -> Result<Tally, Wrong> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), serde_json::to_vec(script).unwrap()).unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "one_script", "--ignored", "--nocapture"])
        .env(SCRIPT, file.path())
        .env(EXTERNAL_URI, server().uri())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    match said.lines().find_map(|line| line.split_once(CAME_TO)) {
        Some((_, came_to)) => serde_json::from_str(came_to).unwrap(),
        // Which step it was, nobody knows.
        None => Err(Wrong {
            step: script.steps.len().saturating_sub(1),
            what: format!("the process died: {}", output.status),
        }),
    }
}

/// The child of a sequence that is bulky.
#[test]
#[ignore = "run by the oracle, in a process of its own"]
fn one_script() {
    let Some(file) = std::env::var_os(SCRIPT) else { return };
    // Scripts name zones and days that live for ever.
    let text: &'static str = Box::leak(std::fs::read_to_string(file).unwrap().into_boxed_str());
    let script: Script = serde_json::from_str(text).unwrap();
    let came_to = runtime().block_on(carry_out(&script));
    println!("\n{CAME_TO}{}", serde_json::to_string(&came_to).unwrap());
}

/// The simplest script found that still comes out wrong, and what is wrong with it.
async fn shrunk(script: Script, wrong: Wrong) -> (Script, Wrong) {
    let begun = Instant::now();
    let (mut script, mut wrong) = (script, wrong);
    // What follows the wrong step has no part in it.
    script.steps.truncate(wrong.step + 1);
    'simpler: loop {
        for candidate in simpler(&script) {
            if begun.elapsed() > SHRINKING {
                break 'simpler;
            }
            if let Err(found) = attempt(&candidate).await {
                script = candidate;
                script.steps.truncate(found.step + 1);
                wrong = found;
                continue 'simpler;
            }
        }
        break;
    }
    (script, wrong)
}

/// Runs sequences side by side, prints a summary, and fails with the shortest script of a failure. What was
/// done.
async fn check(first: u64, count: u64, until: Option<Instant>, cruelties: &Cruelties) -> Tally {
    let begun = Instant::now();
    println!("oracle: seed {first}");
    let stop = Arc::new(AtomicBool::new(false));
    let lanes = (0..SIDE_BY_SIDE)
        .map(|at| tokio::spawn(lane(first, at, count, until, cruelties.clone(), Arc::clone(&stop))));
    let mut tally = Tally::default();
    let mut sequences = 0;
    let mut wrong = None;
    for lane in lanes.collect::<Vec<_>>() {
        let report = lane.await.unwrap();
        tally += report.tally;
        sequences += report.sequences;
        wrong = wrong.or(report.wrong);
    }
    // Not by `println!`, which a test that passes keeps to itself.
    let _ = writeln!(
        std::io::stdout(),
        "oracle: seed {first}, {sequences} sequences, {tally}, {:.1} s",
        begun.elapsed().as_secs_f64()
    );
    if let Some((seed, wrong)) = wrong {
        let found = begun.elapsed().as_secs_f64();
        println!("seed {seed}, step {}, after {found:.1} s: {}\nCutting it down …", wrong.step, wrong.what);
        let (script, wrong) = shrunk(Script::from_seed(seed, STEPS, cruelties), wrong).await;
        panic!("seed {seed}: {}\n\n{}\n", wrong.what, script.to_code());
    }
    tally
}

/// One for all tests of this binary: the driver that reads the truth is bound to it.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap())
}

/// A script as it was printed.
fn replay(setup: Setup, steps: &[Step]) {
    let script = Script { setup, steps: steps.to_vec() };
    if let Err(wrong) = runtime().block_on(attempt(&script)) {
        panic!("step {}: {}", wrong.step, wrong.what);
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number")))
}

#[test]
fn cached_answers_are_those_of_the_source() {
    proven(SEQUENCES, &Cruelties::NONE, &Tally::FLOOR);
}

#[test]
fn cached_answers_are_those_of_a_cruel_source() {
    proven(CRUEL_SEQUENCES, &Cruelties::of_this_run(), &Tally::CRUEL_FLOOR);
}

fn proven(sequences: u64, cruelties: &Cruelties, floor: &Tally) {
    let seed = number("TIDEMARK_SOAK_SEED").unwrap_or(1);
    let below = runtime().block_on(check(seed, sequences, None, cruelties)).below(floor);
    assert!(below.is_empty(), "too little was done to prove anything: {below:?}");
}

#[test]
#[ignore = "for as long as asked: cargo xtask soak --minutes N"]
fn soak() {
    let minutes = number("TIDEMARK_SOAK_MINUTES").unwrap_or(1);
    let clock = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let seed = number("TIDEMARK_SOAK_SEED").unwrap_or_else(clock);
    let until = Instant::now() + Duration::from_secs(minutes * 60);
    let _ = runtime().block_on(check(seed, u64::MAX / 2, Some(until), &Cruelties::of_this_run()));
}
