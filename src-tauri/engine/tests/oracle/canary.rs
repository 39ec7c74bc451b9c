//! Proofs that the oracle can fail: what is made wrong on purpose is found, and cut down to a few steps.

use super::cruelty::Cruelties;
use super::script::{Ask, Mode, Reach, Script, Step};
use super::{attempt, runtime, shrunk};

/// Where in a long script something is made wrong.
const PLACE: usize = 6;

/// A script of 30 steps with something wrong in it, cut down.
fn found(seed: u64, wrong: Step) -> Script {
    let mut script = Script::from_seed(seed, 30, &Cruelties::NONE);
    // Every day has come, and everything is fetched and held, so that there is something to be wrong about.
    script.setup.hours = 24 * 40;
    let all = |mode| Step::Fetch(Ask { filter: 0, from: -3, to: 24, mode, reach: Reach::Server });
    script.steps.insert(PLACE, all(Mode::Normal));
    script.steps.insert(PLACE + 1, wrong);
    script.steps.insert(PLACE + 2, all(Mode::Refresh));
    runtime().block_on(async {
        let wrong = attempt(&script).await.expect_err("what is wrong goes unnoticed");
        shrunk(script, wrong).await.0
    })
}

#[test]
fn an_edit_that_the_server_never_saw_is_found() {
    let script = found(1, Step::Lie { pick: 7 });
    assert!(script.steps.len() <= 3, "{}", script.to_code());
    assert!(script.steps.iter().any(|step| matches!(step, Step::Lie { .. })), "{}", script.to_code());
}

#[test]
fn documents_that_were_altered_in_the_cache_are_found() {
    let script = found(2, Step::Alter(0));
    assert!(script.steps.len() <= 3, "{}", script.to_code());
    assert!(script.steps.iter().any(|step| matches!(step, Step::Alter(_))), "{}", script.to_code());
}
