//! Kinds of cruelty that a sequence's world may have, drawn beside the sequence itself: the same seed without
//! them is the same sequence. Each kind is switched on and off by itself. Pure.

use std::str::FromStr;

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::script::{
    Ask, At, Change, DAYS, Kind, Mode, Pieces, Reach, Script, Step, any_change, simpler_asks,
};

/// Documents from which on a sequence counts as bulky.
pub(crate) const BULKY: u32 = 1_000;
/// Steps of a bulky sequence: each takes its time.
const BULKY_STEPS: usize = 6;
/// Names the kinds to draw instead of [`STOOD`]: `all`, `none`, or some, with commas between them.
const VARIABLE: &str = "TIDEMARK_CRUELTY";

/// A kind of cruelty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cruelty {
    /// Thousands of documents, in row groups of 2,048 rows or the usual ones.
    Bulk,
    /// Documents that share an `_id`, or have none: views and time-series collections.
    Copies,
    /// Dates that contradict each other or are of a type that nobody expects, and trade ids that cannot be asked for.
    Odd,
    /// A replica set, which reads snapshots.
    Snapshots,
    /// Trades change at the source in the middle of a run.
    Moving,
    /// Messages do, or the trade id of a trade.
    MovingMessages,
    /// A collection is made again, or another server stands behind the address.
    Swapped,
    /// A node that lags, and a clock of ours that is wrong.
    Clocks,
    /// Files in the cache folder that this program did not make.
    Foreign,
    /// The system fails under a file that is intact.
    Unwell,
}

impl Cruelty {
    pub(crate) const ALL: [Self; 10] = [
        Self::Bulk,
        Self::Copies,
        Self::Odd,
        Self::Snapshots,
        Self::Moving,
        Self::MovingMessages,
        Self::Swapped,
        Self::Clocks,
        Self::Foreign,
        Self::Unwell,
    ];

    /// Whether a sequence may have both.
    fn goes_with(self, other: Self) -> bool {
        let may = |one, other| match one {
            Self::Bulk => false,
            // The test server calls each read of a run one moment, but reads as things are; and what it tells of that
            // moment does not pass for a made-up time or another server.
            Self::Snapshots => {
                !matches!(other, Self::Moving | Self::MovingMessages | Self::Swapped | Self::Clocks)
            }
            _ => true,
        };
        may(self, other) && may(other, self)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Bulk => "bulk",
            Self::Copies => "copies",
            Self::Odd => "odd",
            Self::Snapshots => "snapshots",
            Self::Moving => "moving",
            Self::MovingMessages => "moving-messages",
            Self::Swapped => "swapped",
            Self::Clocks => "clocks",
            Self::Foreign => "foreign",
            Self::Unwell => "unwell",
        }
    }
}

/// The kinds that the engine stands: all, unless a kind is new.
pub(crate) const STOOD: &[Cruelty] = &Cruelty::ALL;

/// Kinds of cruelty to draw.
#[derive(Debug, Clone)]
pub(crate) struct Cruelties(Vec<Cruelty>);

impl Cruelties {
    pub(crate) const NONE: Self = Self(Vec::new());

    /// Those that the environment asks for, or those that the engine stands.
    pub(crate) fn of_this_run() -> Self {
        match std::env::var(VARIABLE) {
            Ok(text) => text.parse().unwrap_or_else(|wrong| panic!("{VARIABLE}: {wrong}")),
            Err(_) => Self(STOOD.to_vec()),
        }
    }
}

impl FromStr for Cruelties {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "all" => return Ok(Self(Cruelty::ALL.to_vec())),
            "none" | "" => return Ok(Self::NONE),
            _ => {}
        }
        let kind = |name: &str| {
            let found = Cruelty::ALL.into_iter().find(|kind| kind.name() == name.trim());
            found
                .ok_or_else(|| format!("{name} is no kind of cruelty: {:?}", Cruelty::ALL.map(Cruelty::name)))
        };
        text.split(',').map(kind).collect::<Result<_, _>>().map(Self)
    }
}

/// What is hard about a fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Hardship {
    /// The source changes once so many messages of a kind have come to the way to the server; the next one waits for it.
    Moving { at: At, passing: usize, change: Change },
    /// Behind the address is another source. Then the second question is asked.
    Swapped { how: Swap, salt: u64, then: Ask },
    /// Our clock is so many hours ahead (or behind) and the node that answers lags so many hours behind. Documents
    /// turn up that the node had not seen, all is put right, and so many hours later the question is asked again.
    Clocks { ahead: i64, lag: i64, later: i64, salt: u64 },
    /// Something lies in the cache folder.
    Foreign(Foreign),
    /// A file cannot be read for a while.
    Unwell(Trouble),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Swap {
    /// The collections are dropped and made again with other documents.
    Rebuilt,
    /// Another server answers.
    Server,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Foreign {
    /// The query's file is one that a newer program has written.
    Newer,
    /// A database whose `meta` is a view that reads a file.
    View,
    /// Files and folders that are no databases.
    Junk,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Trouble {
    /// Reading it fails as a broken disk does.
    Io,
    /// Its path leads round in a circle.
    Loop,
    /// A folder stands in its place.
    Folder,
}

/// Makes the world of a script crueler, in about two of three sequences.
pub(crate) fn make_cruel(script: &mut Script, seed: u64, cruelties: &Cruelties) {
    let kinds = &cruelties.0;
    let mut random = ChaCha8Rng::seed_from_u64(seed ^ 0x0c12_7e17);
    if kinds.is_empty() || random.random_bool(0.33) {
        return;
    }
    let mut draw = Draw { random, script };
    // Mostly one, so that a failure is easily told; some need each other.
    let one = draw.one_of(kinds);
    draw.add(one);
    let another = draw.one_of(kinds);
    if another != one && one.goes_with(another) && draw.random.random_bool(0.25) {
        draw.add(another);
    }
}

struct Draw<'a> {
    random: ChaCha8Rng,
    script: &'a mut Script,
}

impl Draw<'_> {
    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.random.random_range(0..choices.len())]
    }

    fn add(&mut self, cruelty: Cruelty) {
        match cruelty {
            Cruelty::Bulk => self.bulk(),
            Cruelty::Copies => {
                self.script.setup.kind =
                    self.one_of(&[Kind::Copies, Kind::Copies, Kind::Nameless, Kind::Measured]);
            }
            Cruelty::Odd => self.script.setup.odd = true,
            Cruelty::Snapshots => self.script.setup.snapshots = true,
            _ => {
                if matches!(cruelty, Cruelty::Moving | Cruelty::MovingMessages) {
                    // Many questions, so that something may come between two of them.
                    let pieces = &mut self.script.setup.pieces;
                    *pieces =
                        Pieces { days: pieces.days.min(5), rows: 15, split: 10, batch: 3, ids: 3, ..*pieces };
                }
                for _ in 0..self.random.random_range(3..7) {
                    let step = Step::Hard(self.ask(), self.hardship(cruelty));
                    let at = self.random.random_range(0..=self.script.steps.len());
                    self.script.steps.insert(at, step);
                }
            }
        }
    }

    fn bulk(&mut self) {
        let setup = &mut self.script.setup;
        setup.documents = self.random.random_range(2_000..16_000);
        // Pieces of one document would take for ever.
        setup.pieces = Pieces { days: setup.pieces.days, ..Pieces::WHOLE };
        setup.pieces.group = 2_048;
        if setup.documents > 9_000 {
            // Fewer days for more documents: these are the usual row groups.
            setup.pieces = Pieces { days: 31, ..Pieces::WHOLE };
        }
        let all = |mode| Step::Fetch(Ask { filter: 0, from: -2, to: DAYS + 2, mode, reach: Reach::Server });
        setup.hours = setup.hours.max(24 * 25);
        self.script.steps.truncate(BULKY_STEPS);
        self.script.steps.insert(0, all(Mode::Normal));
    }

    fn ask(&mut self) -> Ask {
        let filters: Vec<usize> = self.script.filters().into_iter().collect();
        let filter =
            if filters.is_empty() || self.random.random_bool(0.5) { 0 } else { self.one_of(&filters) };
        let from = self.random.random_range(-3..DAYS);
        let to = from + self.random.random_range(0..20);
        let mode = self.one_of(&[Mode::Normal, Mode::Normal, Mode::Normal, Mode::Refresh]);
        Ask { filter, from, to, mode, reach: Reach::Server }
    }

    fn hardship(&mut self, cruelty: Cruelty) -> Hardship {
        let salt = self.random.random_range(0..1_000_000);
        match cruelty {
            Cruelty::Moving | Cruelty::MovingMessages => {
                let at = self.one_of(&[At::Question, At::Question, At::More]);
                // The first questions of a run are few.
                let most = if self.random.random_bool(0.7) { 3 } else { 9 };
                let passing = self.random.random_range(0..most);
                Hardship::Moving { at, passing, change: self.change(cruelty) }
            }
            Cruelty::Swapped => {
                let how = self.one_of(&[Swap::Rebuilt, Swap::Server]);
                Hardship::Swapped { how, salt, then: self.ask() }
            }
            Cruelty::Clocks => {
                let ahead = self.one_of(&[0, 0, 30, 100, 240, -30]);
                let lag = if ahead > 0 { 0 } else { self.one_of(&[30, 60, 120]) };
                Hardship::Clocks { ahead, lag, later: self.one_of(&[0, 0, 50, 300]), salt }
            }
            Cruelty::Foreign => Hardship::Foreign(self.one_of(&[
                Foreign::Newer,
                Foreign::Newer,
                Foreign::View,
                Foreign::Junk,
            ])),
            _ => Hardship::Unwell(self.one_of(&[Trouble::Io, Trouble::Io, Trouble::Loop, Trouble::Folder])),
        }
    }

    fn change(&mut self, cruelty: Cruelty) -> Change {
        loop {
            let change = any_change(&mut self.random);
            let of_messages = matches!(
                change,
                Change::LateMessage { .. }
                    | Change::EditMessage { .. }
                    | Change::Retrade { .. }
                    | Change::DeleteMessage { .. }
            );
            if of_messages == (cruelty == Cruelty::MovingMessages) {
                return change;
            }
        }
    }
}

/// Simpler hardships than this one.
pub(crate) fn simpler_hardships(hardship: &Hardship) -> Vec<Hardship> {
    match *hardship {
        Hardship::Swapped { how, salt, then } => {
            let mut found: Vec<Hardship> =
                simpler_asks(&then).into_iter().map(|then| Hardship::Swapped { how, salt, then }).collect();
            if how == Swap::Server {
                found.insert(0, Hardship::Swapped { how: Swap::Rebuilt, salt, then });
            }
            found
        }
        Hardship::Moving { at, passing, change } if passing > 0 => {
            vec![
                Hardship::Moving { at, passing: 0, change },
                Hardship::Moving { at, passing: passing - 1, change },
            ]
        }
        Hardship::Clocks { ahead, lag, later, salt } if later > 0 || (ahead != 0 && lag != 0) => vec![
            Hardship::Clocks { ahead, lag, later: 0, salt },
            Hardship::Clocks { ahead: 0, lag, later, salt },
            Hardship::Clocks { ahead, lag: 0, later, salt },
        ]
        .into_iter()
        .filter(|simple| simple != hardship)
        .collect(),
        _ => Vec::new(),
    }
}

#[test]
fn kinds_are_named_and_switched_one_by_one() {
    for kind in Cruelty::ALL {
        let one: Cruelties = kind.name().parse().expect("a kind");
        assert_eq!(one.0, [kind]);
        let drawn = (0..60).filter(|seed| {
            let plain = Script::from_seed(*seed, 30, &Cruelties::NONE);
            Script::from_seed(*seed, 30, &one) != plain
        });
        assert!((20..60).contains(&drawn.count()), "{kind:?} is drawn in about two of three");
    }
    assert!("bulk, odd".parse::<Cruelties>().is_ok_and(|some| some.0.len() == 2));
    assert!("kind".parse::<Cruelties>().is_err());
}
