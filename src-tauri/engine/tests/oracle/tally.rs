//! What the sequences did, so that a test that did nothing cannot pass.

use std::fmt;
use std::ops::AddAssign;

/// What was done. A cancel, a cut and a damage count where they took effect.
#[derive(Debug, Clone, Copy, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Tally {
    pub(crate) steps: usize,
    /// Answers compared with what they have to be, every byte of every document.
    pub(crate) compared: usize,
    /// Of these, with a query to MongoDB at the same time.
    pub(crate) direct: usize,
    pub(crate) rows: usize,
    /// Plans compared with what their run did.
    pub(crate) plans: usize,
    /// Days adopted from broader queries.
    pub(crate) adopted: usize,
    /// Messages rightly told as added, changed or gone.
    pub(crate) changes: usize,
    /// Held days rightly told as not checked.
    pub(crate) unverified: usize,
    pub(crate) cancels: usize,
    /// Of these, those that something was stored before.
    pub(crate) partial_cancels: usize,
    /// Connections broken at a question, at a question for more, and at whatever was sent.
    pub(crate) cuts: [usize; 3],
    /// Questions for more documents that reached the server.
    pub(crate) more: usize,
    /// Windows stored by runs that stored more than one.
    pub(crate) windows: usize,
    /// Pairs of runs of one filter, and of two.
    pub(crate) together: [usize; 2],
    /// Forgets beside a fetch: refused, and done.
    pub(crate) forgets: [usize; 2],
    /// Queries evicted beside a fetch.
    pub(crate) evicted: usize,
    /// Cache files damaged or removed.
    pub(crate) damages: usize,
    /// Changes in the middle of a run, swapped sources, wrong clocks, foreign files, and files out of reach.
    pub(crate) hard: [usize; 5],
}

impl Tally {
    /// What the ordinary test has to have done at least: about half of what it does, and less where it
    /// depends on how fast the machine is.
    pub(crate) const FLOOR: Self = Self {
        steps: 6_000,
        compared: 4_000,
        direct: 1_500,
        rows: 50_000,
        plans: 1_000,
        adopted: 800,
        changes: 150,
        unverified: 120,
        cancels: 30,
        partial_cancels: 5,
        cuts: [6, 4, 6],
        more: 3_500,
        windows: 1_000,
        together: [80, 30],
        forgets: [4, 4],
        evicted: 2,
        damages: 40,
        hard: [0; 5],
    };

    /// What the test in a cruel world has to have done at least.
    pub(crate) const CRUEL_FLOOR: Self = Self {
        steps: 2_000,
        compared: 1_500,
        direct: 700,
        rows: 80_000,
        hard: [35, 14, 6, 7, 20],
        ..Self::NOTHING
    };

    const NOTHING: Self = Self {
        steps: 0,
        compared: 0,
        direct: 0,
        rows: 0,
        plans: 0,
        adopted: 0,
        changes: 0,
        unverified: 0,
        cancels: 0,
        partial_cancels: 0,
        cuts: [0; 3],
        more: 0,
        windows: 0,
        together: [0; 2],
        forgets: [0; 2],
        evicted: 0,
        damages: 0,
        hard: [0; 5],
    };

    fn all(&self) -> [(&'static str, usize); 26] {
        [
            ("steps", self.steps),
            ("answers compared", self.compared),
            ("answers compared with a direct query", self.direct),
            ("documents", self.rows),
            ("plans compared", self.plans),
            ("days adopted", self.adopted),
            ("changes told", self.changes),
            ("days not checked", self.unverified),
            ("cancels", self.cancels),
            ("cancels after something was stored", self.partial_cancels),
            ("cuts at a question", self.cuts[0]),
            ("cuts at a getMore", self.cuts[1]),
            ("cuts at anything", self.cuts[2]),
            ("getMores", self.more),
            ("windows of runs with several", self.windows),
            ("pairs of one filter", self.together[0]),
            ("pairs of two filters", self.together[1]),
            ("forgets refused beside a fetch", self.forgets[0]),
            ("forgets done beside a fetch", self.forgets[1]),
            ("queries evicted beside a fetch", self.evicted),
            ("cache files damaged or removed", self.damages),
            ("changes in the middle of a run", self.hard[0]),
            ("sources swapped", self.hard[1]),
            ("wrong clocks", self.hard[2]),
            ("foreign files", self.hard[3]),
            ("files out of reach", self.hard[4]),
        ]
    }

    /// What was done less often than a floor says.
    pub(crate) fn below(&self, floor: &Self) -> Vec<String> {
        let pairs = self.all().into_iter().zip(floor.all());
        pairs
            .filter(|((_, done), (_, least))| done < least)
            .map(|((what, done), (_, least))| format!("{what}: {done}, at least {least}"))
            .collect()
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.steps += other.steps;
        self.compared += other.compared;
        self.direct += other.direct;
        self.rows += other.rows;
        self.plans += other.plans;
        self.adopted += other.adopted;
        self.changes += other.changes;
        self.unverified += other.unverified;
        self.cancels += other.cancels;
        self.partial_cancels += other.partial_cancels;
        for at in 0..3 {
            self.cuts[at] += other.cuts[at];
        }
        self.more += other.more;
        self.windows += other.windows;
        for at in 0..2 {
            self.together[at] += other.together[at];
            self.forgets[at] += other.forgets[at];
        }
        self.evicted += other.evicted;
        self.damages += other.damages;
        for at in 0..self.hard.len() {
            self.hard[at] += other.hard[at];
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (what, count)) in self.all().into_iter().enumerate() {
            let part = if at > 0 { ", " } else { "" };
            write!(f, "{part}{count} {what}")?;
        }
        Ok(())
    }
}
