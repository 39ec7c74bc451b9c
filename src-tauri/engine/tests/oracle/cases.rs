//! What the oracle found, cut down: each was wrong once.

use super::replay;
use super::script::{Ask, Dates, Mode, Setup, Step::*};

/// A source of no documents; which days are held is all that matters.
const EMPTY: Setup = Setup {
    dates: Dates::YearDay,
    zone: "UTC",
    first: "2024-12-22",
    changed_at: false,
    apart: false,
    kinds: false,
    documents: 0,
    salt: 172054,
    hours: 367,
};

#[test]
fn two_runs_set_a_damaged_file_aside_once() {
    // A race: without the fix about every other time comes out wrong.
    for _ in 0..4 {
        replay(
            EMPTY,
            &[
                Fetch(Ask { filter: 4, from: 13, to: 13, mode: Mode::Normal, offline: false }),
                Damage(4),
                Together(
                    Ask { filter: 4, from: 14, to: 14, mode: Mode::Normal, offline: false },
                    Ask { filter: 4, from: 12, to: 12, mode: Mode::Verify, offline: false },
                    Some(1),
                ),
            ],
        );
    }
}

#[test]
fn a_cancelled_adoption_is_over_when_its_run_is() {
    replay(
        EMPTY,
        &[
            Fetch(Ask { filter: 0, from: 10, to: 10, mode: Mode::Normal, offline: false }),
            Cancelled(Ask { filter: 5, from: 10, to: 10, mode: Mode::Normal, offline: false }, 0),
            Fetch(Ask { filter: 5, from: 5, to: 5, mode: Mode::Verify, offline: true }),
        ],
    );
}
