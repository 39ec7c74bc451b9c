//! Scripts: what a sequence does, made from a seed, printed so that they can be pasted as a test, and cut
//! down to the few steps that still fail. Pure.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use tidemark_engine::limits::Limits;

use super::cruelty::{Cruelties, Hardship, make_cruel, simpler_hardships};

/// Days that documents lie on, counted from the setup's first.
pub(crate) const DAYS: i32 = 20;
/// Filters to choose from; see `model_source::filters`.
pub(crate) const FILTERS: usize = 9;

/// How the mapping finds a document's day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Dates {
    YearDay,
    DayTimestamp,
    Timestamp,
}

/// How documents store the time or the day that the mapping reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Form {
    Date,
    IsoText,
    EpochS,
    EpochMs,
    EpochUs,
    EpochNs,
    CompactDay,
    ObjectId,
    BusinessText,
    BusinessCompact,
    BusinessDate,
}

impl Form {
    /// Those of a time stamp, and those of a business date.
    pub(crate) const TIMES: [Self; 8] = [
        Self::Date,
        Self::IsoText,
        Self::EpochS,
        Self::EpochMs,
        Self::EpochUs,
        Self::EpochNs,
        Self::CompactDay,
        Self::ObjectId,
    ];
    pub(crate) const BUSINESS: [Self; 3] = [Self::BusinessText, Self::BusinessCompact, Self::BusinessDate];

    pub(crate) fn is_business(self) -> bool {
        Self::BUSINESS.contains(&self)
    }

    /// As a mapping names it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Date | Self::BusinessDate => "date",
            Self::IsoText | Self::BusinessText => "iso_text",
            Self::EpochS => "epoch_s",
            Self::EpochMs => "epoch_ms",
            Self::EpochUs => "epoch_us",
            Self::EpochNs => "epoch_ns",
            Self::CompactDay | Self::BusinessCompact => "yyyymmdd",
            Self::ObjectId => "object_id",
        }
    }
}

/// The limits of the engine, as plain numbers: small ones, so that a few documents take many windows,
/// batches, questions and parts of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pieces {
    pub(crate) days: u32,
    pub(crate) rows: u32,
    pub(crate) split: u32,
    pub(crate) batch: u32,
    pub(crate) ids: u32,
    pub(crate) stored: u32,
    pub(crate) part: u32,
    /// Rows of a row group.
    pub(crate) group: u32,
}

impl Pieces {
    /// Everything in one piece.
    pub(crate) const WHOLE: Self = Self {
        days: 1_000,
        rows: 1_000_000,
        split: 1_000_000,
        batch: 4_000,
        ids: 1_000,
        stored: 4_000,
        part: 1_000_000,
        group: 24_576,
    };

    pub(crate) fn limits(self) -> Limits {
        let number = |number| NonZeroU32::new(number).expect("pieces are not empty");
        Limits {
            window_days: number(self.days),
            window_rows: number(self.rows),
            // More than is expected comes now and then.
            most_window_rows: number(self.rows.saturating_mul(2)),
            worth_splitting: self.split,
            side_by_side: number(2),
            batch_documents: number(self.batch),
            ids_per_query: number(self.ids),
            rows_per_batch: number(self.stored),
            rows_per_part: number(self.part),
            row_group_rows: number(self.group),
            ..Limits::default()
        }
    }
}

/// What the collections are that the engine reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// Collections, whose `_id`s are unique.
    Plain,
    /// Views that show several documents under one `_id`.
    Copies,
    /// Views that show no `_id`.
    Nameless,
    /// Time-series collections, in which an `_id` may come again.
    Measured,
}

/// The source and the mapping of a sequence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Setup {
    pub(crate) dates: Dates,
    pub(crate) form: Form,
    pub(crate) zone: &'static str,
    /// The first day with documents.
    pub(crate) first: &'static str,
    /// Whether the mapping has a change stamp.
    pub(crate) changed_at: bool,
    /// Whether messages lie in a collection of their own.
    pub(crate) apart: bool,
    /// Whether the mapping tells trades and messages apart by a field.
    pub(crate) kinds: bool,
    /// Whether messages name their trade under a path of their own.
    pub(crate) parents: bool,
    pub(crate) documents: u32,
    /// What the documents are made from.
    pub(crate) salt: u64,
    /// Hours from the first day to the clock's first time.
    pub(crate) hours: i64,
    pub(crate) pieces: Pieces,
    pub(crate) kind: Kind,
    /// Whether some documents have dates and trade ids that nobody expects.
    pub(crate) odd: bool,
    /// Whether the server is a replica set, which reads snapshots.
    pub(crate) snapshots: bool,
}

/// How a fetch treats held days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Mode {
    Normal,
    Refresh,
    Verify,
}

/// Whether a fetch may ask the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Reach {
    Server,
    /// The trader said not to.
    Offline,
    /// There is none to ask.
    Nowhere,
}

/// One fetch. Days are counted from the setup's first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ask {
    pub(crate) filter: usize,
    pub(crate) from: i32,
    pub(crate) to: i32,
    pub(crate) mode: Mode,
    pub(crate) reach: Reach,
}

/// Where connections break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum At {
    /// At a question for documents.
    Question,
    /// At a question for more of them.
    More,
    /// At whatever is sent: not even a ping comes through.
    Anything,
}

/// What happens beside a fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Meanwhile {
    /// Days of a filter are forgotten, or all of it.
    Forget(usize, Option<(i32, i32)>),
    /// The cache may take so many bytes only.
    Evict(u64),
}

/// What happens at the source. A `pick` chooses among the documents that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Change {
    Insert {
        salt: u64,
    },
    /// A message of a trade that is there.
    LateMessage {
        pick: u32,
        salt: u64,
    },
    /// A field that no filter asks for.
    Edit {
        pick: u32,
    },
    /// A message's own field, or its trade id.
    EditMessage {
        pick: u32,
    },
    MoveDay {
        pick: u32,
        day: i32,
    },
    /// The fields that filters ask for.
    Refilter {
        pick: u32,
        salt: u64,
    },
    Retrade {
        pick: u32,
        salt: u64,
    },
    Delete {
        pick: u32,
    },
    DeleteMessage {
        pick: u32,
    },
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Step {
    Fetch(Ask),
    /// Cancelled when so many windows are stored; 0: as soon as the plan is made.
    Cancelled(Ask, usize),
    /// Connections break when so many have passed.
    Cut(Ask, At, usize),
    /// Two runs side by side; the first may be cancelled.
    Together(Ask, Ask, Option<usize>),
    /// Something else when a run has told so many events.
    Beside(Ask, Meanwhile, usize),
    /// Days of a filter, or all of it.
    Forget(usize, Option<(i32, i32)>),
    /// The clock moves on, or is set back.
    Clock {
        seconds: i64,
    },
    Restart,
    /// The filter's cache file becomes unreadable, or is gone.
    Damage(usize),
    Remove(usize),
    Source(Change),
    /// A fetch while the world is hard; see `cruelty`.
    Hard(Ask, Hardship),
    /// Never drawn: the next hardship is tampered with, so that it has to be found.
    Tamper,
    /// Never drawn: the model hears of an edit that the server never saw.
    Lie {
        pick: u32,
    },
    /// Never drawn: documents in the filter's cache file are altered.
    Alter(usize),
}

/// A sequence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub(crate) struct Script {
    pub(crate) setup: Setup,
    pub(crate) steps: Vec<Step>,
}

impl Script {
    /// The sequence of a seed.
    pub(crate) fn from_seed(seed: u64, steps: usize, cruelties: &Cruelties) -> Self {
        let mut maker = Maker::new(seed);
        let setup = maker.setup();
        let steps = (0..steps).map(|_| maker.step()).collect();
        let mut script = Self { setup, steps };
        make_cruel(&mut script, seed, cruelties);
        script
    }

    /// Whether it is so large that it may break more than itself.
    pub(crate) fn is_bulky(&self) -> bool {
        self.setup.documents >= super::cruelty::BULKY
    }

    /// The filters that it asks for.
    pub(crate) fn filters(&self) -> BTreeSet<usize> {
        let of = |step: &Step| match step {
            Step::Fetch(ask) | Step::Cancelled(ask, _) | Step::Cut(ask, ..) | Step::Beside(ask, ..) => {
                vec![ask.filter]
            }
            Step::Together(one, other, _) => vec![one.filter, other.filter],
            Step::Hard(ask, hardship) => {
                let mut filters = vec![ask.filter];
                if let Hardship::Swapped { then, .. } = hardship {
                    filters.push(then.filter);
                }
                filters
            }
            _ => Vec::new(),
        };
        self.steps.iter().flat_map(of).collect()
    }

    /// The script as code: two arguments of `replay`.
    pub(crate) fn to_code(&self) -> String {
        let steps: String = self.steps.iter().map(|step| format!("        {step:?},\n")).collect();
        format!("    replay(\n        {:?},\n        &[\n{steps}        ],\n    );", self.setup)
    }
}

struct Maker {
    random: ChaCha8Rng,
    /// A few filters, so that queries meet days that they or broader ones hold.
    filters: Vec<usize>,
    last: Option<Ask>,
    /// Whether ranges of months are asked for: where windows are tiny, they would take a hundred.
    months: bool,
}

impl Maker {
    fn new(seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut filters = vec![random.random_range(0..3)];
        for _ in 0..random.random_range(1..4) {
            filters.push(random.random_range(0..FILTERS));
        }
        Self { random, filters, last: None, months: true }
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.random.random_range(0..choices.len())]
    }

    fn setup(&mut self) -> Setup {
        // Over New Year, and where clocks are set forward (the last in April: back).
        let (first, zones): (_, &[&str]) = if self.random.random_bool(0.7) {
            ("2024-12-22", &["UTC", "UTC", "Europe/London", "America/New_York", "Asia/Kolkata"])
        } else {
            ("2025-03-22", &["Europe/Berlin", "Europe/London", "Pacific/Auckland"])
        };
        let pieces = self.pieces();
        self.months = pieces.days >= 7;
        let dates = [Dates::YearDay, Dates::YearDay, Dates::DayTimestamp, Dates::Timestamp, Dates::Timestamp];
        let dates = self.one_of(&dates);
        let form = match dates {
            Dates::YearDay => Form::Date,
            Dates::DayTimestamp => self.one_of(&Form::TIMES),
            Dates::Timestamp if self.random.random_bool(0.2) => self.one_of(&Form::BUSINESS),
            Dates::Timestamp => self.one_of(&Form::TIMES),
        };
        Setup {
            dates,
            form,
            zone: self.one_of(zones),
            first,
            changed_at: self.random.random_bool(0.7),
            apart: self.random.random_bool(0.3),
            kinds: self.random.random_bool(0.5),
            parents: self.random.random_bool(0.3),
            documents: self.random.random_range(20..130),
            salt: self.random.random_range(0..1_000_000),
            hours: self.random.random_range(24 * 8..24 * 40),
            pieces,
            kind: Kind::Plain,
            odd: false,
            snapshots: false,
        }
    }

    fn pieces(&mut self) -> Pieces {
        Pieces {
            days: self.one_of(&[2, 3, 5, 7, 14, 31]),
            rows: self.one_of(&[15, 40, 100_000, 100_000]),
            split: self.one_of(&[10, 30, 30_000, 30_000]),
            batch: self.one_of(&[2, 3, 5, 9, 4_000]),
            ids: self.one_of(&[1, 2, 3, 7, 1_000]),
            stored: self.one_of(&[1, 3, 8, 4_000]),
            part: self.one_of(&[1, 4, 12, 1_000_000]),
            group: Pieces::WHOLE.group,
        }
    }

    fn ask(&mut self) -> Ask {
        let mode = self.one_of(&[
            Mode::Normal,
            Mode::Normal,
            Mode::Normal,
            Mode::Normal,
            Mode::Refresh,
            Mode::Verify,
            Mode::Verify,
        ]);
        let reach = match self.random.random_range(0..100) {
            0..6 => Reach::Offline,
            6..10 => Reach::Nowhere,
            _ => Reach::Server,
        };
        let filter = self.random.random_range(0..self.filters.len());
        let filter = self.filters[filter];
        let (from, to) = match (self.last, self.random.random_range(0..10)) {
            // The same days, days within, days around, days that touch.
            (Some(last), 0..2) => (last.from, last.to),
            (Some(last), 2) => (last.from + (last.to - last.from) / 3, last.to),
            (Some(last), 3) => (last.from - 2, last.to + 2),
            (Some(last), 4) if last.to < DAYS => (last.to + 1, last.to + self.random.random_range(1..6)),
            (_, 5) => {
                let day = self.random.random_range(0..DAYS);
                (day, day)
            }
            // Months: more windows than one.
            (_, 6) if self.months => {
                (-self.random.random_range(1..30), DAYS + self.random.random_range(1..50))
            }
            _ => {
                let from = self.random.random_range(-3..DAYS);
                (from, from + self.random.random_range(0..12))
            }
        };
        let ask = Ask { filter, from, to, mode, reach };
        self.last = Some(ask);
        ask
    }

    fn step(&mut self) -> Step {
        match self.random.random_range(0..100) {
            0..38 => Step::Fetch(self.ask()),
            38..43 => Step::Cancelled(self.ask(), self.random.random_range(0..4)),
            43..45 => {
                let at = self.one_of(&[At::Question, At::Question, At::More, At::More, At::Anything]);
                Step::Cut(Ask { reach: Reach::Server, ..self.ask() }, at, self.random.random_range(0..3))
            }
            45..50 => {
                let (one, mut other) = (self.ask(), self.ask());
                if self.random.random_bool(0.5) {
                    other.filter = one.filter;
                }
                let cancel = self.random.random_bool(0.5).then(|| self.random.random_range(0..2));
                Step::Together(one, other, cancel)
            }
            50..52 => {
                let meanwhile = if self.random.random_bool(0.6) {
                    let (filter, days) = self.forgotten();
                    Meanwhile::Forget(filter, days)
                } else {
                    Meanwhile::Evict(self.one_of(&[1, 2_000_000]))
                };
                Step::Beside(self.ask(), meanwhile, self.random.random_range(0..4))
            }
            52..55 => {
                let (filter, days) = self.forgotten();
                Step::Forget(filter, days)
            }
            55..64 => Step::Clock {
                seconds: self.one_of(&[20, 90, 3_600, 40_000, 90_000, 90_000, 300_000, -3_000, -200_000]),
            },
            64..68 => Step::Restart,
            68 => Step::Damage(self.ask().filter),
            69 => Step::Remove(self.ask().filter),
            _ => Step::Source(self.change()),
        }
    }

    /// A filter, and the days of it that are forgotten.
    fn forgotten(&mut self) -> (usize, Option<(i32, i32)>) {
        let filter = self.ask().filter;
        let from = self.random.random_range(0..DAYS);
        let days = (from, from + self.random.random_range(0..8));
        (filter, self.random.random_bool(0.8).then_some(days))
    }

    fn change(&mut self) -> Change {
        any_change(&mut self.random)
    }
}

/// Any change at the source.
pub(crate) fn any_change(random: &mut ChaCha8Rng) -> Change {
    let pick = random.random_range(0..1_000);
    let salt = random.random_range(0..1_000_000);
    match random.random_range(0..12) {
        0 | 1 => Change::Insert { salt },
        2 | 3 => Change::LateMessage { pick, salt },
        4 => Change::Edit { pick },
        5 => Change::EditMessage { pick },
        6 | 7 => Change::MoveDay { pick, day: random.random_range(0..DAYS) },
        8 => Change::Refilter { pick, salt },
        9 => Change::Retrade { pick, salt },
        10 => Change::Delete { pick },
        _ => Change::DeleteMessage { pick },
    }
}

/// Simpler scripts than this one, the simplest first: stretches of steps left out, then single steps and
/// the setup made simpler.
pub(crate) fn simpler(script: &Script) -> Vec<Script> {
    let mut found = Vec::new();
    let count = script.steps.len();
    let mut stretch = count / 2;
    while stretch > 0 {
        for from in (0..count).step_by(stretch) {
            let mut steps = script.steps.clone();
            steps.drain(from..(from + stretch).min(count));
            found.push(Script { setup: script.setup.clone(), steps });
        }
        stretch /= 2;
    }
    for setup in simpler_setups(&script.setup) {
        found.push(Script { setup, steps: script.steps.clone() });
    }
    for (at, step) in script.steps.iter().enumerate() {
        for simple in simpler_steps(step) {
            let mut steps = script.steps.clone();
            steps[at] = simple;
            found.push(Script { setup: script.setup.clone(), steps });
        }
    }
    found
}

fn simpler_setups(setup: &Setup) -> Vec<Setup> {
    let mut found = Vec::new();
    for documents in [setup.documents / 2, setup.documents.saturating_sub(setup.documents / 8 + 1)] {
        if documents < setup.documents {
            found.push(Setup { documents, ..setup.clone() });
        }
    }
    if setup.zone != "UTC" {
        found.push(Setup { zone: "UTC", ..setup.clone() });
    }
    if setup.dates != Dates::YearDay {
        found.push(Setup { dates: Dates::YearDay, form: Form::Date, ..setup.clone() });
    }
    if setup.form != Form::Date {
        found.push(Setup { form: Form::Date, ..setup.clone() });
    }
    if setup.parents {
        found.push(Setup { parents: false, ..setup.clone() });
    }
    if setup.apart {
        found.push(Setup { apart: false, ..setup.clone() });
    }
    if setup.kinds {
        found.push(Setup { kinds: false, ..setup.clone() });
    }
    if setup.kind != Kind::Plain {
        found.push(Setup { kind: Kind::Plain, ..setup.clone() });
    }
    if setup.odd {
        found.push(Setup { odd: false, ..setup.clone() });
    }
    if setup.snapshots {
        found.push(Setup { snapshots: false, ..setup.clone() });
    }
    let (pieces, whole) = (setup.pieces, Pieces::WHOLE);
    for pieces in [
        whole,
        Pieces { days: whole.days, ..pieces },
        Pieces { rows: whole.rows, ..pieces },
        Pieces { split: whole.split, ..pieces },
        Pieces { batch: whole.batch, ..pieces },
        Pieces { ids: whole.ids, ..pieces },
        Pieces { stored: whole.stored, ..pieces },
        Pieces { part: whole.part, ..pieces },
        Pieces { group: whole.group, ..pieces },
    ] {
        if pieces != setup.pieces {
            found.push(Setup { pieces, ..setup.clone() });
        }
    }
    found
}

fn simpler_steps(step: &Step) -> Vec<Step> {
    match step {
        Step::Fetch(ask) => simpler_asks(ask).into_iter().map(Step::Fetch).collect(),
        Step::Cancelled(ask, at) => {
            let mut found = vec![Step::Fetch(*ask)];
            found.extend(simpler_asks(ask).into_iter().map(|ask| Step::Cancelled(ask, *at)));
            found
        }
        Step::Cut(ask, at, after) => {
            let mut found = vec![Step::Fetch(*ask), Step::Cancelled(*ask, 0)];
            found.extend(simpler_asks(ask).into_iter().map(|ask| Step::Cut(ask, *at, *after)));
            found
        }
        Step::Together(one, other, cancel) => {
            let mut found = vec![Step::Fetch(*one), Step::Fetch(*other)];
            found.extend(simpler_asks(one).into_iter().map(|one| Step::Together(one, *other, *cancel)));
            found.extend(simpler_asks(other).into_iter().map(|other| Step::Together(*one, other, *cancel)));
            found
        }
        Step::Beside(ask, meanwhile, when) => {
            let mut found = vec![Step::Fetch(*ask)];
            if let Meanwhile::Forget(filter, days) = meanwhile {
                found.push(Step::Forget(*filter, *days));
            }
            found.extend(simpler_asks(ask).into_iter().map(|ask| Step::Beside(ask, *meanwhile, *when)));
            found
        }
        Step::Forget(filter, Some(_)) => vec![Step::Forget(*filter, None)],
        Step::Damage(filter) => vec![Step::Forget(*filter, None)],
        Step::Remove(filter) => vec![Step::Forget(*filter, None)],
        Step::Hard(ask, hardship) => {
            let mut found = vec![Step::Fetch(*ask)];
            found.extend(simpler_asks(ask).into_iter().map(|ask| Step::Hard(ask, *hardship)));
            found.extend(simpler_hardships(hardship).into_iter().map(|hardship| Step::Hard(*ask, hardship)));
            found
        }
        _ => Vec::new(),
    }
}

pub(crate) fn simpler_asks(ask: &Ask) -> Vec<Ask> {
    let mut found = Vec::new();
    let middle = ask.from + (ask.to - ask.from) / 2;
    if ask.from < ask.to {
        found.push(Ask { to: middle, ..*ask });
        found.push(Ask { from: middle + 1, ..*ask });
        found.push(Ask { from: ask.from + 1, ..*ask });
        found.push(Ask { to: ask.to - 1, ..*ask });
    }
    if ask.mode != Mode::Normal {
        found.push(Ask { mode: Mode::Normal, ..*ask });
    }
    if ask.filter != 0 {
        found.push(Ask { filter: 0, ..*ask });
    }
    if ask.reach == Reach::Nowhere {
        found.push(Ask { reach: Reach::Offline, ..*ask });
    }
    found
}
