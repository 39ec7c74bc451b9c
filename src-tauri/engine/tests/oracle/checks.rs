//! The model of the cache, and the comparison of what the engine holds and answers with it.
//!
//! The model knows of every held day when it was fetched, and what the source held at that time. So it
//! predicts each answer to the byte, days that have changed at the source since included. Which days have
//! to be fetched again, and which must not be, follows from the contract's rules of freshness.
//!
//! Whatever comes between a run and its answer takes away only what it must: each rule says for which
//! [`Disturbed`] it holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bson::RawDocumentBuf;
use chrono::{NaiveDate, TimeDelta};
use tidemark_engine::answer::note::{Checked, Note};
use tidemark_engine::answer::{Answer, Origin};
use tidemark_engine::api::plan::{DayAction, PlanView};
use tidemark_engine::day::DayRange;
use tidemark_engine::failure::{Code, Failure};

use super::model_source::{Truth, World};
use super::script::{FILTERS, Mode, Reach, Setup};

/// Held days and their fetch times in milliseconds. Each step of a sequence has a millisecond of its own,
/// so the time tells the step.
pub(crate) type Held = BTreeMap<NaiveDate, i64>;

/// Held days that the cache remembers as different at the source: certainly, or, where a check was broken
/// off, perhaps.
pub(crate) type DayDoubts = BTreeMap<NaiveDate, Doubt>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt {
    Perhaps,
    Certain,
}

/// What is wrong, in words.
pub(crate) type Verdict = Result<(), String>;

/// Input and downstream by `_id`.
pub(crate) type Rows = [BTreeMap<String, RawDocumentBuf>; 2];

/// The filters whose queries are provably broader than another's: no condition, or an any-of list that
/// contains this one. See `model_source::filters`.
const BROADER: [&[usize]; FILTERS] = [&[], &[0], &[0], &[0, 1], &[0, 1, 2, 3], &[0], &[0], &[0], &[]];

/// What the cache has to hold.
pub(crate) struct Model {
    pub(crate) held: Vec<Held>,
    /// The source at each run's time.
    pub(crate) truths: BTreeMap<i64, Arc<Truth>>,
    /// Held days that a check found different, and that were not fetched since.
    pub(crate) doubts: Vec<DayDoubts>,
    /// Filters whose file is known to know that the source compares text byte by byte.
    pub(crate) collated: [bool; FILTERS],
    pub(crate) apart: bool,
    pub(crate) changed_at: bool,
    /// Whether the server reads snapshots: then a fetch time is that of its run's snapshot.
    pub(crate) snapshots: bool,
}

/// Seconds between runs that read snapshots; what the steps of the clock add is a multiple of it, and an hour is one too.
/// A snapshot is a few seconds older than its run, or younger, since the made-up clock stands still meanwhile.
pub(crate) const SNAPSHOT_STEP: i64 = 90;

/// What comes between a run and its answer.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Disturbed {
    /// It is told to stop.
    pub(crate) cancelled: bool,
    /// Its connections break.
    pub(crate) cut: bool,
    /// Another run of the same filter brings days that this one may or may not have seen.
    pub(crate) beside: bool,
    /// Another run of another filter brings days that this one may adopt.
    pub(crate) other: bool,
    /// Days of this filter were forgotten or evicted, before the run, or after it.
    pub(crate) forgotten: Option<(NaiveDate, NaiveDate)>,
    /// What this filter's days could be adopted from was forgotten or evicted.
    pub(crate) broader_gone: bool,
}

impl Disturbed {
    /// Whether the run brings whatever it can.
    pub(crate) const fn is_whole(self) -> bool {
        !self.cancelled && !self.cut
    }

    /// Whether nothing happens but this run.
    pub(crate) const fn is_alone(self) -> bool {
        self.is_whole() && !self.beside && !self.other && self.forgotten.is_none() && !self.broader_gone
    }

    /// Whether the ledger after the run is the ledger of its answer.
    const fn ends_with_its_answer(self) -> bool {
        !self.beside && self.forgotten.is_none()
    }
}

/// A run, as far as the judge has to know it.
pub(crate) struct Case<'a> {
    pub(crate) filter: usize,
    pub(crate) from: NaiveDate,
    pub(crate) to: NaiveDate,
    pub(crate) mode: Mode,
    pub(crate) reach: Reach,
    pub(crate) disturbed: Disturbed,
    pub(crate) now: i64,
    pub(crate) world: &'a World,
}

/// What is held of every filter before and after a step.
pub(crate) struct Ledgers<'a> {
    pub(crate) before: &'a [Held],
    pub(crate) after: &'a [Held],
}

impl Case<'_> {
    pub(crate) fn days(&self) -> impl Iterator<Item = NaiveDate> + use<> {
        let to = self.to;
        self.from.iter_days().take_while(move |day| *day <= to)
    }

    fn is_online(&self) -> bool {
        self.reach == Reach::Server
    }

    pub(crate) fn is_future(&self, day: NaiveDate) -> bool {
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

    fn may_be_lost(&self, day: NaiveDate) -> bool {
        self.disturbed.forgotten.is_some_and(|(from, to)| (from..=to).contains(&day))
    }
}

pub(crate) fn verdict(holds: bool, wrong: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(wrong()) }
}

impl Model {
    pub(crate) fn of(setup: &Setup) -> Self {
        let held = vec![Held::new(); FILTERS];
        Self {
            doubts: vec![DayDoubts::new(); FILTERS],
            held,
            truths: BTreeMap::new(),
            collated: [false; FILTERS],
            apart: setup.apart,
            changed_at: setup.changed_at,
            snapshots: setup.snapshots,
        }
    }

    /// The time of the run that a fetch time is of: of the nearest one where that is the time of a snapshot.
    pub(crate) fn run_of(&self, fetched: i64) -> i64 {
        if !self.snapshots {
            return fetched;
        }
        let run = self.truths.range(..=fetched + SNAPSHOT_STEP * 1_000 / 2).next_back();
        run.map_or(fetched, |(run, _)| *run)
    }

    /// What some held days have to show. If days that were fetched by different runs hold different states of one
    /// document, the latest run counts, whatever its clock said.
    pub(crate) fn rows_of(&self, filter: usize, days: impl Iterator<Item = (NaiveDate, i64)>) -> Rows {
        let mut days: Vec<(i64, NaiveDate)> = days.map(|(day, fetched)| (fetched, day)).collect();
        // The milliseconds of a time are the number of its run.
        days.sort_unstable_by_key(|(fetched, day)| (fetched.rem_euclid(1_000), *day));
        self.rows_in(filter, days.into_iter().map(|(fetched, day)| (self.truths[&fetched].as_ref(), day)))
    }

    /// What some days of one moment of the source have to show.
    pub(crate) fn rows_at(
        &self,
        truth: &Arc<Truth>,
        filter: usize,
        days: impl IntoIterator<Item = NaiveDate>,
    ) -> Rows {
        self.rows_in(filter, days.into_iter().map(|day| (truth.as_ref(), day)))
    }

    /// What days have to show, each as of its own moment of the source. Of two states of a document the later one
    /// in this order counts.
    fn rows_in<'a>(&self, filter: usize, days: impl Iterator<Item = (&'a Truth, NaiveDate)>) -> Rows {
        let mut rows = Rows::default();
        for (truth, day) in days {
            for (at, found) in [truth.input(filter, day), truth.messages(filter, day)].into_iter().enumerate()
            {
                rows[at].extend(found.into_iter().map(|(id, stored)| (id.to_owned(), stored.raw.clone())));
            }
        }
        let [input, messages] = &mut rows;
        if !self.apart {
            // The content of a row includes its day, so a row that is input is never also a message, even if an
            // earlier fetch had more copies of it.
            let content = |id: &str| id.rsplit_once(" #").map_or(id, |(content, _)| content).to_owned();
            let shown: BTreeSet<String> = input.keys().map(|id| content(id)).collect();
            messages.retain(|id, _| !shown.contains(&content(id)));
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

    // Which days are held ------------------------------------------------------------------------

    /// Judges which days a run has fetched, adopted and left as they were.
    pub(crate) fn transition(&self, case: &Case<'_>, ledgers: &Ledgers<'_>) -> Verdict {
        for day in case.days() {
            self.day_after(case, day, ledgers)?;
        }
        Ok(())
    }

    fn day_after(&self, case: &Case<'_>, day: NaiveDate, ledgers: &Ledgers<'_>) -> Verdict {
        let of = |held: &[Held]| held[case.filter].get(&day).copied();
        let (before, after) = (of(ledgers.before), of(ledgers.after));
        let disturbed = case.disturbed;
        let wrong = |what: &str| {
            Err(format!("{day}: {what} (fetched before: {before:?}, after: {after:?}, now {})", case.now))
        };
        let may_be_lost = case.may_be_lost(day);
        if case.is_future(day) {
            let as_it_was = after == before || (may_be_lost && after.is_none());
            return if as_it_was { Ok(()) } else { wrong("a day of the future was fetched") };
        }
        let Some(held) = after else {
            return match before {
                _ if may_be_lost => Ok(()),
                Some(_) => wrong("a held day was lost"),
                None if disturbed.is_whole() && case.is_online() => wrong("the day was not fetched"),
                None => Ok(()),
            };
        };
        let mut anywhere = ledgers.before.iter().chain(ledgers.after).enumerate();
        let others = anywhere
            .any(|(at, ledger)| at % FILTERS != case.filter && ledger.get(&day).copied() == Some(held));
        if after != before && held != case.now && !others {
            return wrong("a fetch time from nowhere");
        }
        if held == case.now && !case.is_online() && !disturbed.beside && !disturbed.other {
            return wrong("fetched with no server to ask");
        }
        if !case.is_online() || !disturbed.is_whole() {
            return Ok(());
        }
        let doubt = self.doubts[case.filter].get(&day).copied();
        // A check may have found that it is as the source has it, after all.
        let checked = case.mode == Mode::Verify;
        if case.is_due(day, held) || (after == before && doubt == Some(Doubt::Certain) && !checked) {
            return wrong("the day is not fresh");
        }
        let Some(fetched) = before.filter(|_| !may_be_lost) else { return Ok(()) };
        let must = case.mode == Mode::Refresh
            || (case.mode == Mode::Verify && self.verify_finds(case.filter, day, fetched, case.now));
        // A check may find more than it has to, but nothing where nothing differs.
        let found =
            || case.mode == Mode::Verify && self.differs(case.filter, day, fetched, &self.truths[&case.now]);
        // It counts what a day leaves out, too, which is in no model of the rows.
        let may_leave_out = || {
            let is_changed = !Arc::ptr_eq(&self.truths[&fetched], &self.truths[&case.now]);
            checked && case.world.is_odd() && is_changed
        };
        let may = must
            || disturbed.beside
            || case.is_due(day, fetched)
            || doubt.is_some()
            || found()
            || may_leave_out();
        match (must, held == case.now) {
            (true, false) => wrong("the day was not fetched again"),
            (false, true) if !may && !disturbed.other => wrong("the day was fetched again without need"),
            _ => Ok(()),
        }
    }

    /// Judges that days which provably broader queries hold were adopted, and the best of them.
    pub(crate) fn adoption(&self, case: &Case<'_>, ledgers: &Ledgers<'_>) -> Verdict {
        // A day that leaves documents out need not be adopted: how many of them the narrower query matches is not known.
        if case.mode == Mode::Refresh || !case.disturbed.is_alone() || case.world.is_odd() {
            return Ok(());
        }
        for day in case.days().filter(|day| !case.is_future(*day)) {
            if ledgers.before[case.filter].contains_key(&day) {
                continue;
            }
            let holders = || BROADER[case.filter].iter().filter(|of| ledgers.before[**of].contains_key(&day));
            let is_sure = |of: usize| self.collated[of] && !self.doubts[of].contains_key(&day);
            let best = holders()
                .filter(|of| is_sure(**of))
                .map(|of| ledgers.before[*of][&day])
                .map(|fetched| (!case.is_due(day, fetched), fetched <= case.now, fetched))
                .filter(|(fresh, ..)| *fresh || !case.is_online())
                .max();
            let Some((_, _, best)) = best else { continue };
            let after = ledgers.after[case.filter].get(&day).copied();
            // One that is in doubt, or whose source is not known to compare text byte by byte, may have
            // been as good.
            let exact = holders().all(|of| is_sure(*of));
            let adopted = match after {
                Some(fetched) if exact => fetched == best,
                Some(fetched) => fetched != case.now,
                None => false,
            };
            verdict(adopted, || {
                format!("{day} was not adopted: held from {after:?}, to be had from {best}")
            })?;
        }
        Ok(())
    }

    /// Compares a plan with what its run did.
    pub(crate) fn plan(
        &self,
        case: &Case<'_>,
        ledgers: &Ledgers<'_>,
        plan: &PlanView,
        run: &Ran<'_>,
    ) -> Verdict {
        let Some(answer) = run.answer else { return Ok(()) };
        let mut counts = [0_usize; 4];
        for view in &plan.days {
            let day = view.day.date();
            let of = |held: &[Held]| held[case.filter].get(&day).copied();
            let (before, after) = (of(ledgers.before), of(ledgers.after));
            let now = Some(case.now);
            let (at, as_planned) = match view.action {
                DayAction::Serve => (0, before.is_some() && after == before),
                DayAction::Adopt => (1, after.is_some() && after != before && after != now),
                DayAction::Refresh => (2, before.is_some() && after == now),
                DayAction::Fetch => (2, before.is_none() && after == now),
                DayAction::Unavailable if before.is_some() => (3, after == before && case.is_future(day)),
                DayAction::Unavailable => (3, after.is_none()),
            };
            counts[at] += 1;
            verdict(as_planned, || {
                format!("{day} was to be {:?}: fetched before {before:?}, after {after:?}", view.action)
            })?;
        }
        let days = &answer.days;
        verdict(counts == [days.from_cache, days.adopted, days.fetched, days.missing.len()], || {
            format!("the plan says {counts:?}, the answer {days:?}")
        })?;
        let mut planned: Vec<_> = plan.windows.iter().map(|window| (window.from, window.to)).collect();
        let mut stored: Vec<_> = run.stored.iter().map(|window| (window.from(), window.to())).collect();
        planned.sort_unstable();
        stored.sort_unstable();
        verdict(planned == stored, || format!("windows planned: {planned:?}, stored: {stored:?}"))
    }

    // What an answer says ------------------------------------------------------------------------

    /// Whether a run may come to a failure and no answer.
    pub(crate) fn may_fail(
        &self,
        case: &Case<'_>,
        ledgers: &Ledgers<'_>,
        damaged: bool,
        failure: &Failure,
    ) -> Verdict {
        let holds = |ledgers: &[Held]| {
            let mut held = ledgers[case.filter].range(case.from..=case.to);
            held.any(|(day, _)| !case.is_future(*day))
        };
        // Where others bring days or take them, the run may have seen none.
        let none_held =
            !holds(ledgers.after) || (!case.disturbed.ends_with_its_answer() && !holds(ledgers.before));
        let disturbed = case.disturbed;
        let expected = match failure.code {
            Code::Cancelled => disturbed.cancelled,
            Code::NotCached => none_held && !case.is_online(),
            // What cannot be read can be fetched again only where the source answers.
            Code::CacheDamaged => damaged && !(case.is_online() && disturbed.is_whole()),
            Code::SourceUnreachable | Code::SourceTimeout => disturbed.cut && none_held,
            _ => false,
        };
        verdict(expected, || format!("the fetch failed: {failure:?}"))
    }

    /// Judges what an answer says of its days and rows.
    pub(crate) fn answer(&self, case: &Case<'_>, ledgers: &Ledgers<'_>, answer: &Answer) -> Verdict {
        let seen = Seen::new(case, ledgers, Some(answer));
        adds_up(case, &seen, answer)?;
        missing(case, &seen, answer)?;
        self.open(case, &seen, answer)?;
        origin(case, answer)?;
        why(case, answer)?;
        self.unverified(case, &seen, answer)?;
        self.row_counts(case, &seen, answer)
    }

    /// Which held days the answer does not vouch for, and whether it calls itself complete.
    fn unverified(&self, case: &Case<'_>, seen: &Seen<'_>, answer: &Answer) -> Verdict {
        let (unverified, missing) = (named(&answer.days.unverified), named(&answer.days.missing));
        let wrong =
            |what: &str| Err(format!("{what}: unverified {unverified:?}, complete {}", answer.complete));
        if !missing.is_empty() && answer.complete {
            return wrong("a partial answer calls itself complete");
        }
        if case.mode != Mode::Verify {
            return self.remembered(case, seen, answer, &unverified);
        }
        if unverified.iter().any(|day| missing.contains(day)) {
            return wrong("what is missing cannot be unverified");
        }
        let unchecked = answer
            .notes
            .iter()
            .any(|note| note.to_string().contains("could not be checked against the server"));
        // Where it sent nothing (pings do not count), nothing was checked.
        let alone = !case.disturbed.beside && !case.disturbed.other;
        if !case.is_online() || (alone && answer.mongo_commands == 0) {
            return self.unchecked(case, seen, answer, &unverified, unchecked);
        }
        let truth = &self.truths[&case.now];
        let as_it_was = || seen.before.iter().filter(|(day, at)| seen.after.get(*day) == Some(at));
        for (day, fetched) in as_it_was() {
            if self.verify_finds(case.filter, *day, *fetched, case.now) && !unverified.contains(day) {
                return wrong(&format!("{day} differs, was not fetched again, and is not named"));
            }
        }
        let differs = |day: &NaiveDate| {
            seen.before.get(day).is_some_and(|fetched| self.differs(case.filter, *day, *fetched, truth))
        };
        if !unchecked && !unverified.iter().all(differs) {
            return wrong("a day that does not differ is named");
        }
        if unchecked && !case.disturbed.cut {
            return wrong("nothing kept it from checking all days");
        }
        let known_to_differ = !unverified.is_empty() && !unchecked;
        if !unchecked && answer.complete != (missing.is_empty() && !known_to_differ) {
            return wrong("known to differ, or not");
        }
        if !answer.complete && missing.is_empty() && !unverified.iter().any(differs) {
            return wrong("nothing is missing or known to differ");
        }
        Ok(())
    }

    /// Whether a day of the answer is remembered as different: each that may be so.
    fn may_differ(&self, case: &Case<'_>, seen: &Seen<'_>, day: NaiveDate) -> Vec<bool> {
        match self.doubt_after(case, seen, day) {
            None => vec![false],
            Some(Doubt::Certain) => vec![true],
            Some(Doubt::Perhaps) => vec![true, false],
        }
    }

    /// Whether a day that a run has looked at is in doubt afterwards.
    fn doubt_after(&self, case: &Case<'_>, seen: &Seen<'_>, day: NaiveDate) -> Option<Doubt> {
        let doubt = self.doubts[case.filter].get(&day).copied();
        let (before, after) = (seen.before.get(&day), seen.after.get(&day));
        if case.disturbed.forgotten.is_some() && before.is_some() {
            return Some(Doubt::Perhaps);
        }
        let (before, after) = (before?, after?);
        let differs = || self.differs(case.filter, day, *before, &self.truths[&case.now]);
        let perhaps = || (doubt.is_some() || differs()).then_some(Doubt::Perhaps);
        if case.disturbed.beside {
            // The other run may be a check, and may have fetched the day before or after this one looked.
            return perhaps();
        }
        if before != after {
            return None;
        }
        if case.mode != Mode::Verify || !case.is_online() {
            return doubt;
        }
        match seen.answer.map(|answer| named(&answer.days.unverified).contains(&day)) {
            Some(false) => None,
            Some(true) if !case.disturbed.cut => Some(Doubt::Certain),
            // Found different, or not checked: then it is as it was.
            Some(true) => doubt.or_else(perhaps),
            None => perhaps(),
        }
    }

    /// What is in doubt after a run. What it has adopted is in doubt where the other query was.
    pub(crate) fn doubts_after(
        &self,
        case: &Case<'_>,
        ledgers: &Ledgers<'_>,
        answer: Option<&Answer>,
    ) -> DayDoubts {
        let seen = Seen::new(case, ledgers, answer);
        let mut doubts = self.doubts[case.filter].clone();
        for day in case.days().filter(|day| !case.is_future(*day)) {
            let doubt = self.inherited(case, &seen, day).or_else(|| self.doubt_after(case, &seen, day));
            match doubt {
                Some(doubt) => doubts.insert(day, doubt),
                None => doubts.remove(&day),
            };
        }
        doubts.retain(|day, _| ledgers.after[case.filter].contains_key(day));
        doubts
    }

    /// The doubt of a day that was brought, perhaps from another query.
    fn inherited(&self, case: &Case<'_>, seen: &Seen<'_>, day: NaiveDate) -> Option<Doubt> {
        let after = seen.after.get(&day);
        let adopted = after != seen.before.get(&day) && (after != Some(&case.now) || case.disturbed.other);
        let doubted = adopted && self.doubts.iter().any(|doubts| doubts.contains_key(&day));
        (doubted || (adopted && case.disturbed.other)).then_some(Doubt::Perhaps)
    }

    /// With no check, what an earlier one found different is named, and nothing else.
    fn remembered(
        &self,
        case: &Case<'_>,
        seen: &Seen<'_>,
        answer: &Answer,
        unverified: &BTreeSet<NaiveDate>,
    ) -> Verdict {
        let missing = named(&answer.days.missing);
        // Days that a refresh may not have reached and that need not differ, and whether one of them may.
        let (mut unreached, mut doubtful) = (BTreeSet::new(), false);
        for day in case.days().filter(|day| !missing.contains(day)) {
            let mut may_differ = self.may_differ(case, seen, day);
            may_differ.extend(self.inherited(case, seen, day).map(|_| true));
            let (before, after) = (seen.before.get(&day), seen.after.get(&day));
            let beside = case.disturbed.beside;
            if case.mode == Mode::Refresh && before.is_some() && (before == after || beside) {
                if may_differ.contains(&false) {
                    doubtful |= may_differ.contains(&true);
                    unreached.insert(day);
                }
                // A run beside it may have brought the day, or this one.
                may_differ = if beside { vec![true, false] } else { vec![true] };
            }
            verdict(may_differ.contains(&unverified.contains(&day)), || {
                format!("{day} is known to differ or not: {may_differ:?}; unverified are {unverified:?}")
            })?;
        }
        let doubted = unverified.difference(&unreached).next().is_some();
        let complete = missing.is_empty() && !doubted;
        verdict(answer.complete == complete || (doubtful && !answer.complete), || {
            format!("complete: {}, unverified: {unverified:?}, not refreshed: {unreached:?}", answer.complete)
        })
    }

    /// Days that may still change at the source are named, and those that are known to differ there.
    fn open(&self, case: &Case<'_>, seen: &Seen<'_>, answer: &Answer) -> Verdict {
        let (told, missing) = (named(&answer.days.open), named(&answer.days.missing));
        for day in case.days() {
            let may_be = self.may_be_open(case, seen, day, missing.contains(&day));
            verdict(may_be.contains(&told.contains(&day)), || {
                format!("{day} is open or not: {may_be:?}; open are {told:?}")
            })?;
        }
        if !case.disturbed.ends_with_its_answer() {
            return Ok(());
        }
        let told = answer.oldest_fetch.map(|at| self.run_of(at.timestamp_millis()));
        let oldest = seen.after.values().min().copied();
        verdict(told == oldest, || format!("the oldest fetch is {oldest:?}, not {:?}", answer.oldest_fetch))
    }

    fn may_be_open(&self, case: &Case<'_>, seen: &Seen<'_>, day: NaiveDate, missing: bool) -> Vec<bool> {
        let is_open = |fetched: &i64| !case.is_settled(day, *fetched);
        if missing {
            return vec![false];
        }
        // A day that was fetched and then forgotten is in no ledger.
        if seen.certain(case, day).is_none() && case.may_be_lost(day) {
            return vec![true, false];
        }
        let mut may_be: Vec<bool> = seen.fetches(case, day).iter().map(is_open).collect();
        let may_differ = self.may_differ(case, seen, day);
        if !may_differ.contains(&false) {
            return vec![true];
        }
        if may_differ.contains(&true) || self.inherited(case, seen, day).is_some() {
            may_be.push(true);
        }
        may_be
    }

    /// A check with no server to ask vouches for no held day.
    fn unchecked(
        &self,
        case: &Case<'_>,
        seen: &Seen<'_>,
        answer: &Answer,
        unverified: &BTreeSet<NaiveDate>,
        told: bool,
    ) -> Verdict {
        let before = &seen.before;
        if !case.disturbed.ends_with_its_answer() {
            return Ok(());
        }
        let held: BTreeSet<NaiveDate> = before.keys().copied().collect();
        let as_they_were = |day: &NaiveDate| seen.after.get(day) == before.get(day);
        // A day that was adopted meanwhile is as good as the query it came from.
        let may_be_doubted =
            |day: &NaiveDate| held.contains(day) || self.inherited(case, seen, *day).is_some();
        verdict(
            unverified.iter().all(may_be_doubted)
                && held.iter().filter(|day| as_they_were(day)).all(|day| unverified.contains(day)),
            || format!("checked without a server: held {held:?}, unverified {unverified:?}"),
        )?;
        let is_unchecked = |note: &Note| matches!(note, Note::Checked(Checked { unverified, differing: 0, .. }) if *unverified == held.len());
        verdict(told != held.is_empty() && (!told || answer.notes.iter().any(is_unchecked)), || {
            format!("{} days were not checked, and it says {:?}", held.len(), answer.notes)
        })?;
        let none_missing = answer.days.missing.is_empty();
        let doubts = |doubt| case.days().any(|day| self.doubt_after(case, seen, day) == Some(doubt));
        let inherited = case.days().any(|day| self.inherited(case, seen, day).is_some());
        let may_be = if doubts(Doubt::Certain) {
            vec![false]
        } else if doubts(Doubt::Perhaps) || inherited {
            vec![none_missing, false]
        } else {
            vec![none_missing]
        };
        verdict(may_be.contains(&answer.complete), || {
            format!("complete: {}, not {may_be:?}", answer.complete)
        })
    }

    /// How many rows it says there are, where it is certain which fetch of each day it saw.
    fn row_counts(&self, case: &Case<'_>, seen: &Seen<'_>, answer: &Answer) -> Verdict {
        let missing = named(&answer.days.missing);
        let mut days = Held::new();
        for day in case.days().filter(|day| !missing.contains(day)) {
            let Some(fetched) = seen.certain(case, day) else { return Ok(()) };
            days.insert(day, fetched);
        }
        let expected = self.rows_of(case.filter, days.into_iter());
        let counts = expected.each_ref().map(|rows| u64::try_from(rows.len()).expect("a few"));
        let rows = answer.rows;
        verdict([rows.input, rows.downstream] == counts, || format!("{rows:?}, not {counts:?}"))
    }
}

/// What a run told and came to.
pub(crate) struct Ran<'a> {
    pub(crate) answer: Option<&'a Answer>,
    /// The windows that it told as stored.
    pub(crate) stored: &'a [DayRange],
}

/// An answer, where there is one, and what was held of its days before and after.
struct Seen<'a> {
    before: Held,
    after: Held,
    /// What broader queries held of them before.
    adoptable: Vec<(NaiveDate, i64)>,
    answer: Option<&'a Answer>,
}

impl<'a> Seen<'a> {
    fn new(case: &Case<'_>, ledgers: &Ledgers<'_>, answer: Option<&'a Answer>) -> Self {
        // Whatever is held of a day that has not begun, no answer shows it.
        let own = |held: &[Held]| -> Held {
            let days = held[case.filter].range(case.from..=case.to).map(|(day, at)| (*day, *at));
            days.filter(|(day, _)| !case.is_future(*day)).collect()
        };
        let broader = BROADER[case.filter].iter().map(|of| ledgers.before[*of].range(case.from..=case.to));
        let adoptable = broader.flatten().map(|(day, at)| (*day, *at)).collect();
        Self { before: own(ledgers.before), after: own(ledgers.after), adoptable, answer }
    }

    /// The fetches of a day that the answer may show, where it shows the day and nobody forgot it.
    fn fetches(&self, case: &Case<'_>, day: NaiveDate) -> BTreeSet<i64> {
        let (before, after) = (self.before.get(&day), self.after.get(&day));
        if case.disturbed.ends_with_its_answer() || before == after {
            return after.into_iter().copied().collect();
        }
        // One run may have adopted the day, and another fetched it after that.
        let adopted = self.adoptable.iter().filter(|(of, _)| *of == day).map(|(_, at)| at);
        before.into_iter().chain(after).chain(adopted).copied().collect()
    }

    /// The fetch of a day that the answer shows, where only one can be meant.
    fn certain(&self, case: &Case<'_>, day: NaiveDate) -> Option<i64> {
        let may_be_lost = !case.disturbed.ends_with_its_answer() && case.may_be_lost(day);
        if may_be_lost && self.before.get(&day) != self.after.get(&day) {
            return None;
        }
        let mut fetches = self.fetches(case, day).into_iter();
        fetches.next().filter(|_| fetches.next().is_none())
    }
}

fn named(days: &[tidemark_engine::day::Day]) -> BTreeSet<NaiveDate> {
    days.iter().map(|day| day.date()).collect()
}

/// Each asked day stands in the answer once.
fn adds_up(case: &Case<'_>, seen: &Seen<'_>, answer: &Answer) -> Verdict {
    let Seen { before, after, .. } = seen;
    let days = &answer.days;
    let parts = days.from_cache + days.adopted + days.fetched + days.missing.len();
    verdict(days.requested == case.days().count() && parts == days.requested, || {
        format!("the days do not add up: {days:?}")
    })?;
    let why: Vec<_> = days.why_missing.iter().map(|missing| missing.day).collect();
    verdict(why == days.missing && days.why_missing.iter().all(|missing| !missing.why.is_empty()), || {
        format!("not each missing day has its reason: {days:?}")
    })?;
    if !case.disturbed.ends_with_its_answer() {
        return Ok(());
    }
    let changed = || after.iter().filter(|(day, fetched)| before.get(*day) != Some(fetched));
    let brought = changed().count();
    verdict(days.fetched + days.adopted == brought, || {
        format!("{brought} days were brought, not {} and {}", days.fetched, days.adopted)
    })?;
    let fetched = changed().filter(|(_, fetched)| **fetched == case.now).count();
    // What another run has just fetched can be adopted at once.
    verdict(days.fetched == fetched || (case.disturbed.other && days.fetched < fetched), || {
        format!("{fetched} days were fetched, not {}", days.fetched)
    })
}

/// Missing is what was asked for and is not held.
fn missing(case: &Case<'_>, seen: &Seen<'_>, answer: &Answer) -> Verdict {
    let Seen { before, after, .. } = seen;
    let told = named(&answer.days.missing);
    let missing: BTreeSet<NaiveDate> = case.days().filter(|day| !after.contains_key(day)).collect();
    let wrong = || format!("missing are {missing:?}, not {told:?}");
    if case.disturbed.ends_with_its_answer() {
        return verdict(told == missing, wrong);
    }
    if case.is_online() && case.disturbed.is_whole() {
        // Whatever others did, this run has brought its days.
        let told: BTreeSet<_> = told.iter().filter(|day| !case.is_future(**day)).collect();
        verdict(told.is_empty(), || format!("{told:?} are missing"))?;
    }
    // What is never held is missing, and what was held all the time is not.
    let lost = |day: &&NaiveDate| case.may_be_lost(**day);
    verdict(
        missing.iter().filter(|day| !lost(day)).all(|day| told.contains(day))
            && !before.keys().filter(|day| !lost(day)).any(|day| told.contains(day)),
        wrong,
    )
}

/// Where it says it came from, and what it has asked of the server.
fn origin(case: &Case<'_>, answer: &Answer) -> Verdict {
    let days = &answer.days;
    let failure = answer.failure.as_ref().map(|failure| failure.code);
    let in_vain = days.fetched == 0 && failure == Some(Code::SourceUnreachable);
    let origin = if !case.is_online() || in_vain {
        Origin::Offline
    } else if days.fetched == 0 {
        Origin::Cache
    } else if days.from_cache + days.adopted == 0 {
        Origin::Server
    } else {
        Origin::PartCache
    };
    verdict(answer.answer == origin, || format!("it came from {origin:?}, not {:?}", answer.answer))?;
    // Two runs count each other's commands.
    let alone = !case.disturbed.beside && !case.disturbed.other;
    let asked = case.is_online() && (answer.answer != Origin::Cache || case.mode == Mode::Verify);
    let tried = !case.disturbed.is_whole();
    verdict(answer.mongo_commands == 0 || asked || tried || !alone, || {
        format!("an answer from {:?} sent {} commands", answer.answer, answer.mongo_commands)
    })
}

/// What kept an answer from being whole is told, and nothing else.
fn why(case: &Case<'_>, answer: &Answer) -> Verdict {
    let disturbed = case.disturbed;
    let code = answer.failure.as_ref().map(|failure| failure.code);
    let allowed = match code {
        None => true,
        Some(Code::Cancelled) => disturbed.cancelled,
        Some(Code::SourceUnreachable | Code::SourceTimeout) => disturbed.cut,
        Some(_) => false,
    };
    verdict(allowed, || format!("what kept it: {:?}", answer.failure))?;
    let lacks = answer.days.missing.iter().any(|day| !case.is_future(day.date()));
    verdict(!lacks || code.is_some() || !case.is_online(), || {
        format!("nothing is said to have kept it from {:?}", answer.days.missing)
    })
}

pub(crate) type Found<'a> = BTreeMap<&'a str, &'a super::model_source::Stored>;

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
