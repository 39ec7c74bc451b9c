//! The model of the cache, and the comparison of what the engine holds and answers with it.
//!
//! The model knows of every held day when it was fetched, and what the source held at that time. So it
//! predicts each answer to the byte, days that have changed at the source since included. Which days have
//! to be fetched again, and which must not be, follows from the contract's rules of freshness.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bson::RawDocumentBuf;
use chrono::{NaiveDate, TimeDelta};
use tidemark_engine::answer::{Answer, Origin};

use super::script::{FILTERS, Mode};
use super::world::{Truth, World};

/// Held days and their fetch times in milliseconds. Each run of a sequence has a millisecond of its own, so
/// the time tells the run.
pub(crate) type Held = BTreeMap<NaiveDate, i64>;

/// What is wrong, in words.
pub(crate) type Verdict = Result<(), String>;

/// Input and downstream by `_id`.
pub(crate) type Rows = [BTreeMap<String, RawDocumentBuf>; 2];

/// What the cache has to hold.
pub(crate) struct Model {
    pub(crate) held: Vec<Held>,
    /// The source at each run's time.
    pub(crate) truths: BTreeMap<i64, Arc<Truth>>,
    pub(crate) apart: bool,
    pub(crate) changed_at: bool,
}

/// A run, as far as the judge has to know it.
pub(crate) struct Case<'a> {
    pub(crate) filter: usize,
    pub(crate) from: NaiveDate,
    pub(crate) to: NaiveDate,
    pub(crate) mode: Mode,
    pub(crate) offline: bool,
    /// Cancelled, cut off, or beside another run: days may be held that it has not reported.
    pub(crate) disturbed: bool,
    pub(crate) now: i64,
    pub(crate) world: &'a World,
}

impl Case<'_> {
    pub(crate) fn days(&self) -> impl Iterator<Item = NaiveDate> + use<> {
        let to = self.to;
        self.from.iter_days().take_while(move |day| *day <= to)
    }

    fn is_future(&self, day: NaiveDate) -> bool {
        self.world.start_of(day).timestamp_millis() > self.now
    }

    fn settles(&self, day: NaiveDate) -> i64 {
        (self.world.end_of(day) + TimeDelta::hours(24)).timestamp_millis()
    }

    fn is_settled(&self, day: NaiveDate, fetched: i64) -> bool {
        self.settles(day) <= fetched && fetched <= self.now
    }

    /// Whether a held day has to be fetched again.
    fn is_due(&self, day: NaiveDate, fetched: i64) -> bool {
        !self.is_settled(day, fetched)
            && (fetched > self.now || self.now >= self.settles(day) || self.now - fetched >= 60_000)
    }
}

fn verdict(holds: bool, wrong: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(wrong()) }
}

impl Model {
    pub(crate) fn new(apart: bool, changed_at: bool) -> Self {
        Self { held: vec![Held::new(); FILTERS], truths: BTreeMap::new(), apart, changed_at }
    }

    /// What a query over some days has to show. Where days that were fetched at different times hold
    /// different states of one document, the most recent fetch counts.
    pub(crate) fn rows(&self, filter: usize, from: NaiveDate, to: NaiveDate) -> Rows {
        let mut days: Vec<(i64, NaiveDate)> =
            self.held[filter].range(from..=to).map(|(day, fetched)| (*fetched, *day)).collect();
        days.sort_unstable();
        let mut rows = Rows::default();
        for (fetched, day) in days {
            let truth = &self.truths[&fetched];
            for (at, found) in [truth.input(filter, day), truth.messages(filter, day)].into_iter().enumerate()
            {
                rows[at].extend(found.into_iter().map(|(id, stored)| (id.to_owned(), stored.raw.clone())));
            }
        }
        let [input, messages] = &mut rows;
        if !self.apart {
            messages.retain(|id, _| !input.contains_key(id));
        }
        rows
    }

    /// The held days whose content at the source is another now.
    pub(crate) fn stale(&self, filter: usize, from: NaiveDate, to: NaiveDate, now: &Arc<Truth>) -> usize {
        let held = self.held[filter].range(from..=to);
        held.filter(|(day, fetched)| self.differs(filter, **day, **fetched, now)).count()
    }

    /// Whether a day's content at the source is another than when it was fetched.
    fn differs(&self, filter: usize, day: NaiveDate, fetched: i64, now: &Arc<Truth>) -> bool {
        let then = &self.truths[&fetched];
        !Arc::ptr_eq(then, now)
            && (differ(&then.input(filter, day), &now.input(filter, day))
                || differ(&then.messages(filter, day), &now.messages(filter, day)))
    }

    /// Whether a check of a held day against the source has to find a difference.
    fn verify_finds(&self, filter: usize, day: NaiveDate, fetched: i64, now: i64) -> bool {
        let (then, now) = (&self.truths[&fetched], &self.truths[&now]);
        let finds = |then: &Found<'_>, now: &Found<'_>| {
            then.len() != now.len() || (self.changed_at && greatest(then) != greatest(now))
        };
        let input = [then.input(filter, day), now.input(filter, day)];
        // The source is asked for the messages of the trades that are held: one that got another trade id,
        // with no change stamp to tell it, goes unnoticed.
        let [held, there] = input.each_ref().map(|found| trades(found));
        finds(&input[0], &input[1])
            || (held == there && finds(&then.messages(filter, day), &now.messages(filter, day)))
    }

    /// Judges which days a run has fetched, adopted and left as they were.
    pub(crate) fn transition(&self, case: &Case<'_>, after: &Held, whole: bool) -> Verdict {
        for day in case.days() {
            self.day_after(case, day, after.get(&day).copied(), whole)?;
        }
        Ok(())
    }

    fn day_after(&self, case: &Case<'_>, day: NaiveDate, after: Option<i64>, whole: bool) -> Verdict {
        let before = self.held[case.filter].get(&day).copied();
        let wrong = |what: &str| {
            Err(format!("{day}: {what} (fetched before: {before:?}, after: {after:?}, now {})", case.now))
        };
        if case.is_future(day) {
            return if after == before { Ok(()) } else { wrong("a day of the future was fetched") };
        }
        let Some(held) = after else {
            return match before {
                Some(_) => wrong("a held day was lost"),
                None if whole && !case.offline => wrong("the day was not fetched"),
                None => Ok(()),
            };
        };
        let others = || self.held.iter().filter_map(|held| held.get(&day)).any(|fetched| *fetched == held);
        if after != before && held != case.now && !others() {
            return wrong("a fetch time from nowhere");
        }
        if held == case.now && case.offline && !case.disturbed {
            return wrong("fetched although offline");
        }
        if case.offline || !whole {
            return Ok(());
        }
        if case.is_due(day, held) {
            return wrong("the day is not fresh");
        }
        let Some(fetched) = before else { return Ok(()) };
        let must = case.mode == Mode::Refresh
            || (case.mode == Mode::Verify && self.verify_finds(case.filter, day, fetched, case.now));
        // A check may find more than it has to, but nothing where nothing differs.
        let found =
            || case.mode == Mode::Verify && self.differs(case.filter, day, fetched, &self.truths[&case.now]);
        let may = must || case.disturbed || case.is_due(day, fetched) || found();
        match (must, held == case.now) {
            (true, false) => wrong("the day was not fetched again"),
            (false, true) if !may => wrong("the day was fetched again without need"),
            _ => Ok(()),
        }
    }

    /// Judges what an answer says of its days and rows. `held` is already what is held after it.
    pub(crate) fn answer(&self, case: &Case<'_>, before: &Held, answer: &Answer) -> Verdict {
        let held = &self.held[case.filter];
        let days = &answer.days;
        let named = |days: &[tidemark_engine::day::Day]| -> BTreeSet<NaiveDate> {
            days.iter().map(|day| day.date()).collect()
        };
        let parts = days.from_cache + days.adopted + days.fetched + days.missing.len();
        verdict(days.requested == case.days().count() && parts == days.requested, || {
            format!("the days do not add up: {days:?}")
        })?;
        verdict(answer.mongo_commands == 0 || !case.offline || case.disturbed, || {
            format!("{} commands although offline", answer.mongo_commands)
        })?;
        if case.disturbed {
            return Ok(());
        }
        let shown: Held = held.range(case.from..=case.to).map(|(day, fetched)| (*day, *fetched)).collect();
        let missing: BTreeSet<NaiveDate> = case.days().filter(|day| !shown.contains_key(day)).collect();
        verdict(named(&days.missing) == missing, || {
            format!("missing are {missing:?}, not {:?}", days.missing)
        })?;
        let open: BTreeSet<NaiveDate> = shown
            .iter()
            .filter(|(day, fetched)| !case.is_settled(**day, **fetched))
            .map(|(day, _)| *day)
            .collect();
        verdict(named(&days.open) == open, || format!("open are {open:?}, not {:?}", days.open))?;
        let fetched = shown.values().filter(|fetched| **fetched == case.now).count();
        verdict(days.fetched == fetched, || format!("{fetched} days were fetched, not {}", days.fetched))?;
        let adopted = shown
            .iter()
            .filter(|(day, fetched)| **fetched != case.now && before.get(*day) != Some(*fetched))
            .count();
        verdict(days.adopted == adopted, || format!("{adopted} days were adopted, not {}", days.adopted))?;
        // A day of the future (the clock was set back) is not fetched, also where a check finds it changed.
        let unverified = named(&days.unverified);
        let changed = |day: &NaiveDate, fetched: &i64| {
            self.differs(case.filter, *day, *fetched, &self.truths[&case.now])
        };
        let known_to_differ = case.mode == Mode::Verify
            && shown.iter().any(|(day, fetched)| {
                case.is_future(*day) && unverified.contains(day) && changed(day, fetched)
            });
        verdict(answer.complete == (missing.is_empty() && !known_to_differ), || {
            format!("complete: {}, unverified: {unverified:?}", answer.complete)
        })?;
        let oldest = shown.values().min().copied();
        verdict(answer.oldest_fetch.map(|at| at.timestamp_millis()) == oldest, || {
            format!("the oldest fetch is {oldest:?}, not {:?}", answer.oldest_fetch)
        })?;
        let from_cache = answer.answer == Origin::Cache && case.mode != Mode::Verify;
        verdict(!from_cache || answer.mongo_commands == 0, || {
            format!("an answer from the cache sent {} commands", answer.mongo_commands)
        })
    }
}

type Found<'a> = BTreeMap<&'a str, &'a super::world::Stored>;

fn differ(one: &Found<'_>, other: &Found<'_>) -> bool {
    one.len() != other.len()
        || one.iter().any(|(id, stored)| other.get(id).is_none_or(|other| other.raw != stored.raw))
}

fn trades<'a>(found: &Found<'a>) -> BTreeSet<&'a String> {
    found.values().flat_map(|stored| &stored.trades).collect()
}

fn greatest(found: &Found<'_>) -> Option<i64> {
    found.values().filter_map(|stored| stored.parsed.get_i64("revision").ok()).max()
}

/// Compares rows with what they have to be, every field of them.
pub(crate) fn compare(what: &str, rows: &Rows, expected: &Rows) -> Verdict {
    for (role, (rows, expected)) in ["input", "downstream"].iter().zip(rows.iter().zip(expected)) {
        let lacking: Vec<&String> = expected.keys().filter(|id| !rows.contains_key(*id)).collect();
        let extra: Vec<&String> = rows.keys().filter(|id| !expected.contains_key(*id)).collect();
        verdict(lacking.is_empty() && extra.is_empty(), || {
            format!("{what}, {role}: lacks {lacking:?}, has {extra:?} too")
        })?;
        for (id, document) in rows {
            verdict(*document == expected[id], || {
                format!("{what}, {role}: {id} is {document:?}, not {:?}", expected[id])
            })?;
        }
    }
    Ok(())
}
