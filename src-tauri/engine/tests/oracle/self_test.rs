//! Proofs that the oracle can fail: what is made wrong on purpose is found, and cut down to a few steps.

use super::cruelty::{BULKY, Cruelties, Cruelty, Foreign, Hardship, STOOD, Swap, Trouble};
use super::script::{Ask, At, Change, Dates, Form, Kind, Mode, Pieces, Reach, Script, Setup, Step, simpler};
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

/// What is done to each hardship: a node lags for longer than it says, somebody else reads the pipe, files are
/// written over, and the source tells of an edit that never was.
#[test]
fn what_is_tampered_with_in_a_hard_world_is_found() {
    let all = Ask { filter: 0, from: -3, to: 24, mode: Mode::Normal, reach: Reach::Server };
    let again = Ask { mode: Mode::Refresh, ..all };
    let change = Change::Edit { pick: 3 };
    for (kind, hardship) in [
        (Cruelty::Moving, Hardship::Moving { at: At::Question, passing: 1, change }),
        (Cruelty::Swapped, Hardship::Swapped { how: Swap::Rebuilt, salt: 5, then: again }),
        (Cruelty::Swapped, Hardship::Swapped { how: Swap::Server, salt: 5, then: again }),
        (Cruelty::Clocks, Hardship::Clocks { ahead: 0, lag: 30, later: 0, salt: 5 }),
        (Cruelty::Foreign, Hardship::Foreign(Foreign::Newer)),
        (Cruelty::Foreign, Hardship::Foreign(Foreign::View)),
        (Cruelty::Foreign, Hardship::Foreign(Foreign::Junk)),
        (Cruelty::Unwell, Hardship::Unwell(Trouble::Io)),
    ] {
        let mut script = Script::from_seed(3, 0, &Cruelties::NONE);
        script.setup.hours = 24 * 40;
        script.steps = vec![Step::Fetch(all), Step::Tamper, Step::Hard(all, hardship)];
        let wrong = runtime().block_on(attempt(&script)).expect_err("what is tampered with goes unnoticed");
        assert_eq!(wrong.step, 2, "{hardship:?}: {wrong:?}");
        // Nothing else is wrong, where the engine stands it.
        if STOOD.contains(&kind) {
            script.steps.remove(1);
            let right = runtime().block_on(attempt(&script));
            assert!(right.is_ok(), "{hardship:?}: {right:?}");
        }
        let is_hard = |step: &Step| matches!(step, Step::Hard(..));
        assert!(
            simpler(&script).iter().any(|script| !script.steps.iter().any(is_hard)),
            "it can be left out"
        );
    }
}

/// The ordinary test draws every form, and messages with a path of their own for each way to a day.
#[test]
fn every_form_is_drawn() {
    let setups: Vec<Setup> =
        (1..=super::SEQUENCES).map(|seed| Script::from_seed(seed, 0, &Cruelties::NONE).setup).collect();
    for form in Form::TIMES {
        for dates in [Dates::DayTimestamp, Dates::Timestamp] {
            assert!(
                setups.iter().any(|setup| (setup.dates, setup.form) == (dates, form)),
                "{dates:?} {form:?}"
            );
        }
    }
    for form in Form::BUSINESS {
        assert!(setups.iter().any(|setup| setup.form == form), "{form:?}");
    }
    for dates in [Dates::YearDay, Dates::DayTimestamp, Dates::Timestamp] {
        assert!(setups.iter().any(|setup| setup.parents && setup.dates == dates), "{dates:?}");
    }
}

/// In a world in which documents share an `_id`, dates are odd or snapshots are read, an alteration is found as elsewhere.
#[test]
fn what_is_altered_is_found_where_ids_are_shared_and_dates_are_odd() {
    for (kind, odd, snapshots, form) in [
        (Kind::Copies, false, false, Form::Date),
        (Kind::Plain, true, false, Form::Date),
        (Kind::Plain, false, true, Form::Date),
        (Kind::Plain, true, false, Form::IsoText),
    ] {
        let mut script = Script::from_seed(4, 0, &Cruelties::NONE);
        let dates = if form == Form::Date { script.setup.dates } else { Dates::Timestamp };
        script.setup =
            Setup { hours: 24 * 40, kind, odd, snapshots, form, dates, documents: 60, ..script.setup };
        let all = Ask { filter: 0, from: -3, to: 24, mode: Mode::Refresh, reach: Reach::Server };
        script.steps = vec![Step::Lie { pick: 1 }, Step::Fetch(all)];
        let wrong = runtime().block_on(attempt(&script));
        assert!(wrong.is_err(), "{kind:?}, odd: {odd}, snapshots: {snapshots}, {form:?}");
    }
}

/// A sequence that is carried out in a process of its own says what is wrong there.
#[test]
fn what_is_wrong_in_a_bulky_sequence_is_told_by_its_process() {
    let mut script = Script::from_seed(5, 0, &Cruelties::NONE);
    script.setup = Setup { hours: 24 * 40, documents: BULKY, pieces: Pieces::WHOLE, ..script.setup };
    let day = Ask { filter: 0, from: 5, to: 5, mode: Mode::Normal, reach: Reach::Server };
    script.steps = vec![Step::Fetch(day)];
    let runtime = runtime();
    let right = runtime.block_on(attempt(&script)).expect("nothing is wrong yet");
    assert!(right.compared > 0 && right.rows > 0);
    let all = Ask { from: -3, to: 24, mode: Mode::Refresh, ..day };
    script.steps.extend([Step::Lie { pick: 1 }, Step::Fetch(all)]);
    let wrong = runtime.block_on(attempt(&script)).expect_err("a lie goes unnoticed");
    assert!(wrong.step == 2 && wrong.what.contains("what was fetched"), "{wrong:?}");
}
