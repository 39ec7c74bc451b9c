//! Finds the fields that decide a document's day, and the zone of the days.

use std::collections::BTreeSet;

use bson::{RawBsonRef, RawDocumentBuf};
use chrono::{DateTime, Datelike as _, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::clocks::{self, EARLIEST_MADE, OtherEpoch, Time, WrittenIn, ZONES, instant, pairs};
use super::names::{Meaning, TimeRole, kinship, time_role, weight};
use super::survey::{PathStats, Survey, share};
use super::times::{self, FORMS, Read};
use super::{Confidence, ProposedField, Sample, confidence, described, percent, serves};
use crate::bson::path;
use crate::day::{Day, DayZone};
use crate::query::date_field::{DateForm, offset_of};
use crate::query::placement::whole;

/// The share of values that must have a form, or one of several.
const OF_FORM: f64 = 0.9;
/// Fewer values of the newest documents than this say nothing about a change.
const LEAST_NEWEST: usize = 10;
/// The share of values that must have the same form for a time to be sure.
const OF_SURE: f64 = 0.99;
/// From this share of agreement on, numbers are believed to be the day of the year whatever they are called: others
/// agree with a time by chance in one document of 365.
const AGREES: f64 = 0.6;
/// From this share of agreement on, a zone is sure.
const ALL_AGREE: f64 = 0.995;
/// From this share on, a date is that of a time in a zone. Less would take a day that ends at 17:00 for one of a zone
/// whose midnight is mostly then.
const IS_DATE_OF: f64 = 0.999;
/// From this share on, numbers with the right name are believed to be it. A business day may differ from the time by a
/// weekend.
const AGREES_ROUGHLY: f64 = 0.5;
/// The least score for a time to be proposed.
const LEAST: f64 = 0.3;
/// A date decides the day in place of a time if its score is so much better.
const BETTER: f64 = 0.3;
/// Fewer values than this are at midnight by chance.
const LEAST_MIDNIGHTS: usize = 10;
/// Times whose scores differ by less than this are as likely as each other.
const AS_LIKELY: f64 = 0.02;
/// A business day may differ from the time by a long weekend.
const MOST_DAYS_APART: i64 = 4;
/// From this share of values after the document was made on, a time is that of something else.
const AFTER_MADE: f64 = 0.15;
/// How much later than the document a time may be: clocks differ, and dates are those of any zone.
const MADE_WITHIN_HOURS: i64 = 14;
/// From this share of the dates that differ from a time on, they are before it: the time is a later one.
const MOSTLY: f64 = 0.9;
/// A field with a smaller part of the documents than another one has is not the date of the same trades.
const AS_OFTEN: f64 = 0.5;
/// From this share of documents on, two times of the trade lie on different days often enough to be said.
const APART: f64 = 0.02;
/// A zone that fits so many more documents than another one does not do so by chance.
const CLEARLY: usize = 3;
/// How much the name of a time of entry speaks against it.
const OF_ENTRY: f64 = 0.15;
/// How many disagreements are said.
const MOST_DISAGREEMENTS: usize = 3;
/// How many fields that were passed over are named.
const MOST_PASSED_OVER: usize = 3;
/// Names that any time may have, that of the last update too.
const GENERIC_NAMES: [&str; 8] = ["timestamp", "ts", "time", "date", "datetime", "zeit", "zeitstempel", "at"];

impl Time {
    /// Some values cannot be read, so a person should look.
    fn most(&self) -> Confidence {
        if self.of_form < OF_SURE { Confidence::Likely } else { Confidence::Sure }
    }

    /// Whether its values are calendar days.
    const fn is_date(&self) -> bool {
        self.is_day || !self.midnights.is_empty()
    }
}

/// A whole number that may be part of the date.
#[derive(Debug, Clone)]
pub(super) struct DatePart {
    pub(super) path: String,
    score: f64,
    why: Vec<String>,
}

/// A date beside a time, which is not its date in any zone, or beside another date or time.
#[derive(Debug, Clone)]
pub(super) struct Beside {
    pub(super) date: String,
    pub(super) time: String,
    /// The share of documents in which it is, in the best zone.
    pub(super) agreement: f64,
    /// Whether one is a date and the other a time.
    pub(super) is_date_of_time: bool,
}

/// The fields that decide a document's day.
#[derive(Debug, Clone, Default)]
pub(super) struct Days {
    pub(super) time: Option<Time>,
    pub(super) business_date: Option<Time>,
    pub(super) year: Option<DatePart>,
    pub(super) day_of_year: Option<DatePart>,
    pub(super) zone: String,
    /// Other zones that agree as well.
    pub(super) other_zones: Vec<String>,
    /// The share of documents whose day of the year agrees with their time, if they have both.
    pub(super) agreement: Option<f64>,
    /// Fields that say when a trade was made in a way that a fetch cannot use: the path, and a sentence.
    pub(super) passed_over: Vec<(String, String)>,
    /// Days that differ from the chosen ones.
    pub(super) disagreements: Vec<Beside>,
    /// Whether a date disagrees that is named as that of the trade, so a person has to look.
    is_doubtful: bool,
    /// Zones in which the documents of the sample lie on the same days as in the chosen one, and others may not.
    pub(super) unlike_zones: Vec<String>,
    /// Whether the sample shows the offsets on both sides of the changes of the clocks.
    covers_changes: bool,
    /// A date, not that of the trade, whose values are midnight in the zone.
    midnights_of_other: Option<String>,
    /// All times that come into question, best first.
    times: Vec<Time>,
    zone_why: Vec<String>,
    /// The share of documents whose day is that of their time in the zone, if there is one to compare with.
    zone_agreement: Option<f64>,
    /// Whether a time beside the business date always lies on it in the zone.
    zone_is_of_date: bool,
    /// Whether something speaks for the zone that may be due to the server on which the documents were written.
    zone_is_likely: bool,
}

impl Days {
    /// Finds the fields.
    pub(super) fn find(sample: &Sample, survey: &Survey) -> Self {
        let times = times(sample, survey);
        let mut days = Self { zone: "UTC".to_owned(), ..Self::default() };
        let is_instant = |time: &&Time| !time.is_day && time.midnights.is_empty();
        let mut instants: Vec<&Time> = times.iter().filter(is_instant).collect();
        if instants.is_empty() {
            instants = times.iter().filter(|time| !time.is_day).collect();
        }
        let parts = date_parts(sample, survey, &instants);
        if let Some(Parts { year, day_of_year, zone, other_zones, agreement, time }) = parts {
            let agreed = agreement.is_some_and(|share| share >= AGREES);
            days.time = time.map(|time| earlier_than(sample, survey, &times, time));
            days.zone_why = agreement.map_or_else(Vec::new, |share| {
                vec![format!("in this zone, {} of the times agree with the day of the year", percent(share))]
            });
            if !other_zones.is_empty() && agreed {
                days.zone_why.push(format!("so they do, or nearly so, in {}", other_zones.join(", ")));
            }
            (days.year, days.day_of_year) = (year, Some(day_of_year));
            (days.zone, days.other_zones, days.agreement) = (zone, other_zones, agreement);
            days.zone_agreement = agreement;
        } else {
            days.follow_text(sample, survey, &instants);
        }
        let best =
            |is: &dyn Fn(&&Time) -> bool| times.iter().filter(is).find(|time| time.score >= LEAST).cloned();
        let is_midnight = |time: &&Time| !time.midnights.is_empty();
        let midnight = best(&|time| is_midnight(time) && time_role(&time.path) == TimeRole::Trade)
            .or_else(|| best(&is_midnight));
        if days.time.is_none() {
            let instant = best(&is_instant).map(|time| earlier_than(sample, survey, &times, time));
            days.time = match (&midnight, instant) {
                (Some(midnight), Some(instant)) if midnight.score > instant.score + BETTER => {
                    Some(midnight.clone())
                }
                (Some(midnight), None) => Some(midnight.clone()),
                (_, instant) => instant,
            };
        }
        if let (Some(midnight), None, None) = (&midnight, &days.day_of_year, days.zone_agreement) {
            days.follow_midnights(sample, midnight);
        }
        if days.day_of_year.is_none() {
            days.choose_date(sample, survey, &times);
        }
        if days.time.is_none() && days.business_date.is_none() && days.day_of_year.is_none() {
            // Better than nothing: it says when the document was made.
            days.time = times.iter().find(|time| time.path == "_id").cloned().map(|mut id| {
                id.why.push(
                    "nothing else says when: an ObjectId begins with the time at which it was made"
                        .to_owned(),
                );
                id
            });
        }
        if days.zone_is_of_date {
            // A time that always lies on the date is that of the trade.
            days.zone_is_likely = true;
        } else if let Some(date) = &days.business_date {
            // Times beside it, such as that of loading, say nothing about its days.
            days.zone = "UTC".to_owned();
            days.zone_why =
                vec![format!("days are those in {}; the zone decides only when a day has ended", date.path)];
            (days.other_zones, days.zone_agreement, days.zone_is_likely) = (Vec::new(), None, false);
        } else if days.zone_why.is_empty() {
            days.follow_offsets(sample);
        }
        days.follow_clock();
        if days.zone_why.is_empty() {
            days.follow_other_midnights(&times);
        }
        days.judge_zone(sample);
        days.compare(sample, &times);
        days.pass_over(sample, survey, &times);
        days.times = times;
        days
    }

    /// Chooses the date that decides the day in place of the time, if there is one.
    fn choose_date(&mut self, sample: &Sample, survey: &Survey, times: &[Time]) {
        let indexed = |time: &Time| serves(&sample.indexes, &[&time.path]);
        let business = times.iter().filter(|time| time.is_day).find(|time| time.score >= LEAST).cloned();
        let Some(time) = self.time.clone() else {
            self.business_date = business;
            return;
        };
        let share_of =
            |path: &str| survey.paths.get(path).map_or(0.0, |stats| share(stats.documents, survey.documents));
        let (mut proved, mut kept) = (None, None);
        // A date that is named as the trade's says more than one that is not.
        let mut dates: Vec<&Time> =
            times.iter().filter(|date| date.is_day && date.path != time.path).collect();
        dates.sort_by_key(|date| time_role(&date.path) != TimeRole::Trade);
        for dates in dates {
            let beside = DatesBeside::of(sample, dates, &time);
            let is_its_date = beside.agreement >= IS_DATE_OF;
            if is_its_date && beside.is_better_than_utc && self.zone_why.is_empty() {
                let why = format!(
                    "in this zone, {} of the times lie on the date in {}",
                    percent(beside.agreement),
                    dates.path
                );
                (self.zone, self.zone_why) = (beside.zone.clone(), vec![why]);
                if !beside.other_zones.is_empty() {
                    self.zone_why.push(format!("so they do in {}", beside.other_zones.join(", ")));
                }
                self.other_zones.clone_from(&beside.other_zones);
                proved = Some(dates.path.clone());
            }
            let is_as_often = share_of(&dates.path) >= AS_OFTEN * share_of(&time.path);
            let is_quick = indexed(dates) || !indexed(&time);
            // Where the zone is a guess, the date says what the time does not.
            let is_safer = is_its_date
                && beside.is_better_than_utc
                && is_quick
                && time_role(&dates.path) == TimeRole::Trade
                && !clocks::differing(&beside.zone, &beside.other_zones, &clocks::instants(sample, &time))
                    .is_empty();
            let decides =
                (is_safer || beside.decides(dates, &time, is_quick)) && is_as_often && dates.score >= LEAST;
            if decides && kept.is_none() {
                kept = Some(dates.clone());
            }
            if beside.pairs > 0 && !is_its_date && (decides || beside.is_said(dates)) {
                self.disagree(&dates.path, &time.path, true, beside.agreement);
                self.is_doubtful |= !decides && time_role(&dates.path) == TimeRole::Trade;
                // Nothing says that the time is not that of the trade.
                self.is_doubtful |=
                    beside.agreement < AGREES_ROUGHLY && time_role(&time.path) != TimeRole::Entry;
            }
        }
        // A business date decides the day if it is indexed and the time is not, or if there is nothing better.
        self.business_date = kept.or_else(|| {
            business.filter(|date| indexed(date) && !indexed(&time) || date.score > time.score + BETTER)
        });
        self.zone_is_of_date =
            self.business_date.as_ref().is_some_and(|date| proved.as_ref() == Some(&date.path));
    }

    /// Remembers that a date is not always that of a time, or of a different date.
    fn disagree(&mut self, date: &str, other: &str, is_date_of_time: bool, agreement: f64) {
        let is_known = |known: &Beside| known.date == date && known.time == other;
        if self.disagreements.len() < MOST_DISAGREEMENTS && !self.disagreements.iter().any(is_known) {
            let (date, time) = (date.to_owned(), other.to_owned());
            self.disagreements.push(Beside { date, time, agreement, is_date_of_time });
        }
    }

    /// The day of a document by the chosen fields.
    fn day_of(&self, document: &RawDocumentBuf, zone: DayZone) -> Option<Day> {
        if let Some(date) = &self.business_date {
            return Some(DayZone::default().day_of(instant(document, date)?));
        }
        let by_time = || Some(zone.day_of(instant(document, self.time.as_ref()?)?));
        let Some(day) = &self.day_of_year else { return by_time() };
        let number = u32::try_from(first_number(document, &day.path)?).ok()?;
        match &self.year {
            Some(year) => {
                Day::from_year_day(i32::try_from(first_number(document, &year.path)?).ok()?, number)
            }
            None => {
                let near = by_time()?;
                let years = [near.year() - 1, near.year(), near.year() + 1];
                let days = years.into_iter().filter_map(|year| Day::from_year_day(year, number));
                days.min_by_key(|day| (day.number() - near.number()).abs())
            }
        }
    }

    /// Compares the chosen days with the other dates, and with the other times of the trade.
    fn compare(&mut self, sample: &Sample, times: &[Time]) {
        let Ok(zone) = DayZone::parse(&self.zone) else { return };
        let date = self.business_date.as_ref().or(self.time.as_ref().filter(|time| time.is_date()));
        let (chosen, is_date) = match (&self.day_of_year, date, &self.time) {
            (Some(day), ..) => (day.path.clone(), true),
            (None, Some(date), _) => (date.path.clone(), true),
            // Nothing else says when.
            (None, None, Some(time)) if time.form == DateForm::ObjectId => return,
            (None, None, Some(time)) => (time.path.clone(), false),
            (None, None, None) => return,
        };
        let is_own = |path: &str| path == chosen || self.time.as_ref().is_some_and(|time| time.path == path);
        let others = times.iter().filter(|other| !is_own(&other.path) && other.form != DateForm::ObjectId);
        let mut found: Vec<(&Time, DatesBeside)> = Vec::new();
        for other in others {
            let is_of_trade = time_role(&other.path) == TimeRole::Trade;
            let is_compared = match (other.is_date(), is_date) {
                (true, true) => true,
                // Dates beside the time were compared when the date was chosen.
                (true, false) => !other.is_day,
                // A time beside a date may be of a later step.
                (false, true) => false,
                (false, false) => is_of_trade,
            };
            if !is_compared {
                continue;
            }
            let other_zone = match other.midnights.first() {
                Some(zone) => DayZone::parse(zone).unwrap_or_default(),
                None if other.is_day => DayZone::default(),
                None => zone,
            };
            let apart = |document: &RawDocumentBuf| {
                let theirs = other_zone.day_of(instant(document, other)?);
                Some(self.day_of(document, zone)?.number() - theirs.number())
            };
            let apart: Vec<i32> = sample.documents.iter().filter_map(apart).collect();
            let beside = DatesBeside::counted(&apart, self.zone.clone());
            let is_said = match other.is_date() {
                true => beside.agreement < IS_DATE_OF && beside.is_said(other),
                false => beside.agreement < 1.0 - APART,
            };
            if apart.len() >= LEAST_MIDNIGHTS && is_said {
                found.push((other, beside));
            }
        }
        for (other, beside) in found {
            self.is_doubtful |= time_role(&other.path) == TimeRole::Trade;
            self.disagree(&other.path, &chosen, other.is_date() && !is_date, beside.agreement);
        }
    }

    /// The zone in which the texts of the time were written is that of the days, if nothing else says in which they
    /// begin.
    fn follow_clock(&mut self) {
        let is_as_written = self.zone == "UTC" && self.business_date.is_none();
        let Some(time) = self.time.as_ref().filter(|time| is_as_written && time.is_local) else { return };
        let Some(written) = time.written_in.as_ref().filter(|written| written.zone.name() != "UTC") else {
            return;
        };
        written.zone.name().clone_into(&mut self.zone);
        self.other_zones.clone_from(&written.others);
        let why =
            format!("the texts of {}, read in this zone, are the times of {}", time.path, written.clock);
        self.zone_why.push(why);
        if !written.others.is_empty() {
            self.zone_why.push(format!("so they are in {}", written.others.join(", ")));
        }
        self.zone_is_likely = true;
    }

    /// Days of a delivery or the like that begin at midnight in a zone are a hint at the zone of the desk.
    fn follow_other_midnights(&mut self, times: &[Time]) {
        let is_instant = |time: &&Time| !time.is_date() && (!time.is_local || time.written_in.is_some());
        if self.time.as_ref().filter(is_instant).is_none() || self.day_of_year.is_some() {
            return;
        }
        let Some(other) = times.iter().find(|time| !time.midnights.is_empty()) else { return };
        let Some((zone, others)) = other.midnights.split_first() else { return };
        (*zone).clone_into(&mut self.zone);
        self.other_zones = others.iter().map(|zone| (*zone).to_owned()).collect();
        self.zone_why = vec![format!("all values of {} are midnight in this zone", other.path)];
        if !others.is_empty() {
            self.zone_why.push(format!("so they are in {}", others.join(", ")));
        }
        self.midnights_of_other = Some(other.path.clone());
    }

    /// Whether the sample is enough to tell the zone from others.
    fn judge_zone(&mut self, sample: &Sample) {
        let dates = self.time.iter().chain(&self.business_date);
        let at: Vec<DateTime<Utc>> = dates.flat_map(|time| clocks::instants(sample, time)).collect();
        self.covers_changes = clocks::covers_changes(&self.zone, &at);
        // With a field for the day, the zone decides only when a day has ended.
        if self.day_of_year.is_none() && self.business_date.is_none() {
            self.unlike_zones = clocks::differing(&self.zone, &self.other_zones, &at);
        }
    }

    /// If all values of a date are midnight in one time zone, days begin in that zone. If the time beside the date often
    /// falls on a different day, such as at a weekend, the date decides the day.
    fn follow_midnights(&mut self, sample: &Sample, midnight: &Time) {
        let Some((zone, others)) = midnight.midnights.split_first() else { return };
        let Ok(day_zone) = DayZone::parse(zone) else { return };
        let mut why = format!("all values of {} are midnight in this zone", midnight.path);
        let mut agreed = 1.0;
        if let Some(time) = self.time.clone().filter(|time| time.path != midnight.path) {
            let apart: Vec<i32> = pairs(sample, &time, midnight)
                .map(|(at, date)| day_zone.day_of(at).number() - day_zone.day_of(date).number())
                .collect();
            agreed = share(apart.iter().filter(|days| **days == 0).count(), apart.len());
            let beside = DatesBeside::counted(&apart, (*zone).to_owned());
            let is_kept = beside.decides(midnight, &time, true);
            if agreed < AGREES_ROUGHLY && !is_kept {
                return;
            }
            if agreed < IS_DATE_OF {
                self.disagree(&midnight.path, &time.path, true, agreed);
                if is_kept {
                    self.time = Some(midnight.clone());
                    agreed = 1.0;
                }
            } else {
                why =
                    format!("{why}, and {} of the values of {} lie on that day", percent(agreed), time.path);
            }
        }
        self.zone = (*zone).to_owned();
        self.other_zones = others.iter().map(|zone| (*zone).to_owned()).collect();
        self.zone_why = vec![why];
        if !others.is_empty() {
            self.zone_why.push(format!("so they are in {}", others.join(", ")));
        }
        self.zone_agreement = Some(agreed);
    }

    /// The offsets of texts are those of the zone in which they were written.
    fn follow_offsets(&mut self, sample: &Sample) {
        let Some(time) = self.time.as_ref().filter(|time| time.form == DateForm::IsoText) else { return };
        let mut offsets: Vec<(DateTime<Utc>, i32)> = Vec::new();
        for document in &sample.documents {
            path::scalars(document, &time.path, &mut |value| {
                if let RawBsonRef::String(text) = value
                    && let (Some(read), Some(offset)) = (times::read(value, time.form), offset_of(text))
                {
                    offsets.push((read.at, offset));
                }
            });
        }
        let local = sample.local_zone.iter().map(String::as_str);
        let mut found: Vec<&str> = local.chain(ZONES).filter(|zone| have_offsets(zone, &offsets)).collect();
        let mut seen = BTreeSet::new();
        found.retain(|zone| seen.insert(*zone));
        // Texts that are all in UTC say nothing of the desk.
        if offsets.len() < LEAST_MIDNIGHTS
            || found.is_empty()
            || offsets.iter().all(|(_, offset)| *offset == 0)
        {
            return;
        }
        self.zone_why = vec![format!("the texts of {} have the offsets of this zone", time.path)];
        self.zone = found.remove(0).to_owned();
        if !found.is_empty() {
            self.zone_why.push(format!("so they have of {}", found.join(", ")));
        }
        self.other_zones = found.into_iter().map(str::to_owned).collect();
        self.zone_is_likely = true;
    }

    /// Explains that the days are those of UTC, if the documents do not show their time zone.
    pub(super) fn unknown_zone(&self) -> Option<String> {
        if !self.unlike_zones.is_empty() {
            let (zone, others) = (&self.zone, self.unlike_zones.join(", "));
            return Some(format!(
                "The sampled documents do not tell the days of {zone} from those of {others}. Days are those of {zone}: \
                 choose a different zone if it is that of the desk."
            ));
        }
        if let Some(other) = &self.midnights_of_other {
            let zone = &self.zone;
            return Some(format!(
                "Nothing says in which time zone the days of this desk begin. Since all values of {other} are midnight in \
                 {zone}, days are those of {zone}: choose a different zone if it is that of the desk."
            ));
        }
        let time = self.time.as_ref().filter(|_| self.zone_why.is_empty())?;
        Some(if time.is_local && time.written_in.is_none() {
            format!(
                "The texts of {} have no offset, so days are those that are written. Choose the zone in which they were \
                 written if you know it: it decides when a day has ended.",
                time.path
            )
        } else {
            "Nothing in the documents says in which time zone the days of this desk begin, so they are those of UTC. Where \
             the desk counts them in another zone, trades around midnight belong to a different day: choose the zone if you \
             know it."
                .to_owned()
        })
    }

    /// Explains that the chosen time may be a count that does not begin in 1970.
    pub(super) fn doubtful_epoch(&self) -> Option<String> {
        let time = self.time.as_ref().filter(|_| self.business_date.is_none())?;
        let epoch = time.other_epoch.as_ref()?;
        Some(format!("{} Check one with a trade that you know.", epoch.why))
    }

    /// Whether an index serves the match on days.
    pub(super) fn are_served(&self, indexes: &[Vec<String>]) -> bool {
        // One day of each year is little to read, and so are the times of a range.
        let one = match (&self.day_of_year, &self.year, &self.time) {
            (Some(day), None, Some(time)) => [Some(&day.path), Some(&time.path)],
            (Some(day), ..) => [Some(&day.path), None],
            (None, ..) => [None, None],
        };
        serves(indexes, &self.matched()) || one.into_iter().flatten().any(|path| serves(indexes, &[path]))
    }

    /// A day of the year that is stored as text tells the zone of the days, although no fetch can match it.
    fn follow_text(&mut self, sample: &Sample, survey: &Survey, times: &[&Time]) {
        let texts = survey.paths.iter().filter(|(_, stats)| {
            stats.in_arrays == 0
                && stats.main_type().is_some_and(|(name, of)| name == "string" && of >= OF_FORM)
        });
        for (path, stats) in texts.filter(|(path, _)| are_numbers(sample, 1..=366, path)) {
            let agreed = agreement(sample, path, None, times);
            let is_named = weight(path, Meaning::DayOfYear) > 0.5;
            let agrees = agreed.as_ref().is_some_and(|agreed| agreed.share >= AGREES && agreed.is_wide);
            if !(agrees || is_named && agreed.is_none()) {
                continue;
            }
            let example = stats.examples.first().map(String::as_str).unwrap_or_default();
            let instead = match &agreed {
                Some(agreed) => format!(" Days follow {} instead.", agreed.time.path),
                None => String::new(),
            };
            let why = format!(
                "{path} has the day of the year as text (\"{example}\"), and a fetch can match numbers only, so it was \
                 passed over.{instead}"
            );
            self.passed_over.push((path.clone(), why));
            if let Some(agreed) = agreed.filter(|agreed| agreed.share >= ALL_AGREE) {
                self.zone_why = vec![format!(
                    "in this zone, {} of the times lie on the day in {path}",
                    percent(agreed.share)
                )];
                if !agreed.other_zones.is_empty() {
                    self.zone_why.push(format!("so they do in {}", agreed.other_zones.join(", ")));
                }
                self.time = Some(agreed.time.clone());
                self.zone_agreement = Some(agreed.share);
                (self.zone, self.other_zones) = (agreed.zone, agreed.other_zones);
                return;
            }
        }
    }

    /// Names the fields with dates in forms that a mapping does not know.
    fn pass_over(&mut self, sample: &Sample, survey: &Survey, times: &[Time]) {
        for time in times.iter().filter(|time| weight(&time.path, Meaning::Time) > 0.5) {
            let epoch = time.other_epoch.as_ref().filter(|epoch| epoch.is_constant);
            self.passed_over
                .extend(epoch.map(|epoch| (time.path.clone(), format!("{} It was passed over.", epoch.why))));
        }
        let has_time = self.time.as_ref().is_some_and(|time| time.path != "_id")
            || self.business_date.is_some()
            || self.day_of_year.is_some();
        let mut found = Vec::new();
        for (path, stats) in &survey.paths {
            let named = [Meaning::Time, Meaning::BusinessDate, Meaning::DayOfYear]
                .into_iter()
                .map(|meaning| weight(path, meaning))
                .fold(0.0, f64::max);
            let is_of_other = weight(path, Meaning::OtherTime) > 0.5;
            if stats.in_arrays > 0 || (has_time && is_of_other) {
                continue;
            }
            let (mut values, mut unknown) = (0, 0);
            for document in &sample.documents {
                path::scalars(document, path, &mut |value| {
                    if !matches!(value, RawBsonRef::Null | RawBsonRef::Document(_)) {
                        values += 1;
                        unknown += usize::from(times::has_unknown_form(value, named > 0.5));
                    }
                });
            }
            if share(unknown, values) >= OF_FORM {
                found.push((named, path, stats.examples.first().map(String::as_str).unwrap_or_default()));
            }
        }
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        for (_, path, example) in found.into_iter().take(MOST_PASSED_OVER) {
            if example.len() >= 10 && example.bytes().all(|byte| byte.is_ascii_digit()) {
                let why = format!(
                    "{path} has numbers as text (\"{example}\"), and a fetch can match times only as numbers, dates or ISO \
                     texts, so it was passed over."
                );
                self.passed_over.push((path.clone(), why));
                continue;
            }
            let why = format!(
                "{path} has dates in a form that a mapping does not know, such as {example}, so it was passed over. The \
                 forms are dates, ISO texts such as 2025-01-31T09:30:00Z, numbers of seconds to nanoseconds since 1970, \
                 and days such as 20250131."
            );
            self.passed_over.push((path.clone(), why));
        }
    }

    /// The paths that are taken.
    pub(super) fn paths(&self) -> BTreeSet<&str> {
        let times = [&self.time, &self.business_date].into_iter().flatten().map(|time| time.path.as_str());
        let parts = [&self.year, &self.day_of_year].into_iter().flatten().map(|part| part.path.as_str());
        times.chain(parts).collect()
    }

    /// The paths that the match on days uses, in the order of an index that would serve it.
    pub(super) fn matched(&self) -> Vec<&str> {
        if let Some(day) = &self.day_of_year {
            return match (&self.year, &self.time) {
                (Some(year), _) => vec![&year.path, &day.path],
                (None, Some(time)) => vec![&day.path, &time.path],
                (None, None) => vec![&day.path],
            };
        }
        let decides = self.business_date.as_ref().or(self.time.as_ref());
        decides.map(|time| vec![time.path.as_str()]).unwrap_or_default()
    }

    /// All paths that hold times.
    pub(super) fn all_times(&self) -> impl Iterator<Item = &Time> {
        self.times.iter()
    }

    /// Writes the keys of the mapping. Returns whether it needs version 2.
    pub(super) fn write(&self, mapping: &mut Map<String, Value>) -> bool {
        let mut is_second = false;
        let time = match self.time.as_ref().filter(|_| self.business_date.is_none()) {
            None => Value::Null,
            Some(time) if time.form == DateForm::Date => json!(time.path),
            Some(time) => {
                is_second = true;
                let zone = time.written_in.as_ref().map_or("UTC", |written| written.zone.name());
                json!({"path": time.path, "form": time.form, "zone": zone})
            }
        };
        mapping.insert("timestamp".into(), time);
        if let Some(date) = &self.business_date {
            is_second = true;
            mapping.insert("business_date".into(), json!({"path": date.path, "form": date.form}));
        }
        let path = |part: &Option<DatePart>| json!(part.as_ref().map(|part| &part.path));
        mapping.insert("year".into(), path(&self.year));
        mapping.insert("day_of_year".into(), path(&self.day_of_year));
        is_second
    }

    /// Where the parts come from.
    pub(super) fn fields(&self, survey: &Survey) -> Vec<ProposedField> {
        let others = |chosen: Option<&Time>, is_day: bool| -> Vec<String> {
            let is_other = |time: &&Time| chosen.is_none_or(|chosen| chosen.path != time.path);
            let of = |time: &&Time| time.is_day == is_day && is_other(time);
            let mut others: Vec<String> =
                self.times.iter().filter(of).take(5).map(|time| time.path.clone()).collect();
            // Whatever else there is, an ObjectId says when the document was made.
            let id = self.times.iter().filter(is_other).find(|time| time.path == "_id" && !is_day);
            // A time beside the date, or a date beside the time, may be meant as well.
            let of_other_kind = |time: &&Time| {
                time.is_day != is_day && time.score >= LEAST && time.path != "_id" && is_other(time)
            };
            others.extend(self.times.iter().filter(of_other_kind).take(3).map(|time| time.path.clone()));
            if let Some(id) = id.filter(|id| !others.contains(&id.path)) {
                others.push(id.path.clone());
            }
            others
        };
        let next = |is_day: bool, chosen: &Time| {
            let of = |time: &&Time| time.is_day == is_day && time.path != chosen.path;
            self.times.iter().find(of).map_or(0.0, |time| time.score)
        };
        let is_of_epoch = self.time.as_ref().is_some_and(|time| time.other_epoch.is_some());
        let most = if self.is_doubtful || is_of_epoch { Confidence::Unsure } else { Confidence::Sure };
        let time_field = |key: &str, time: Option<&Time>, is_day: bool| match time {
            None => described(survey, key, None, Confidence::Unsure, Vec::new(), others(None, is_day)),
            Some(time) => described(
                survey,
                key,
                Some(&time.path),
                confidence(time.score, next(is_day, time)).min(time.most()).min(most),
                time.why.clone(),
                others(Some(time), is_day),
            ),
        };
        let part_field = |key: &str, part: &DatePart| {
            let sure = confidence(part.score, 0.0).min(most);
            described(survey, key, Some(&part.path), sure, part.why.clone(), Vec::new())
        };
        // A business date decides by itself: then the mapping has no time.
        let mut fields = vec![match &self.business_date {
            Some(date) => time_field("business_date", Some(date), true),
            None => time_field("timestamp", self.time.as_ref(), false),
        }];
        fields.extend(self.year.as_ref().map(|part| part_field("year", part)));
        fields.extend(self.day_of_year.as_ref().map(|part| part_field("day_of_year", part)));
        // Days as they are written are those of UTC, whatever zone that is.
        let is_as_written = self.zone == "UTC"
            && self.business_date.is_none()
            && self.time.as_ref().is_some_and(|time| time.is_local && time.written_in.is_none());
        let zone_is_sure = self.zone_agreement.is_some_and(|share| share >= ALL_AGREE)
            && self.other_zones.is_empty()
            && self.covers_changes
            && self.midnights_of_other.is_none()
            && !is_as_written;
        let mut why = self.zone_why.clone();
        if is_as_written {
            let path = self.time.as_ref().map(|time| time.path.as_str()).unwrap_or_default();
            why.push(format!(
                "the texts of {path} have no offset, so days are those that are written; nothing says in which zone"
            ));
        } else if why.is_empty() {
            why.push("nothing in the documents says in which zone days begin".to_owned());
        }
        fields.push(ProposedField {
            key: "day_zone".to_owned(),
            title: super::title("day_zone"),
            path: None,
            label: None,
            confidence: match zone_is_sure {
                true => Confidence::Sure,
                false if self.zone_is_likely => Confidence::Likely,
                false => Confidence::Unsure,
            },
            why,
            share: 0.0,
            types: Vec::new(),
            examples: vec![self.zone.clone()],
            others: self.other_zones.clone(),
        });
        fields
    }
}

/// The paths that hold times, best first.
fn times(sample: &Sample, survey: &Survey) -> Vec<Time> {
    let now = Utc::now() + TimeDelta::days(2);
    let mut times: Vec<Time> = Vec::new();
    for (path, stats) in &survey.paths {
        // A list of times has none that decides the day.
        if stats.in_arrays * 2 > stats.documents {
            continue;
        }
        let Some(Found { form, reads, forms }) = form_of(sample, path) else { continue };
        let of_form = share(reads.len(), stats.values);
        let is_local = form == DateForm::IsoText && reads.iter().all(|read| read.is_local);
        let is_day = reads.iter().all(|read| read.is_day);
        let days: BTreeSet<i64> = reads.iter().map(|read| read.at.timestamp().div_euclid(86_400)).collect();
        let in_future = share(reads.iter().filter(|read| read.at > now).count(), reads.len());
        let in_documents = share(stats.documents, survey.documents);
        let named =
            weight(path, Meaning::Time).max(if is_day { weight(path, Meaning::BusinessDate) } else { 0.0 });
        let is_of_other = weight(path, Meaning::OtherTime) > 0.5 && named < 0.95;
        let is_of_entry = !is_of_other && time_role(path) == TimeRole::Entry;
        let is_own_time = sample.time_field.as_deref() == Some(path);
        let indexed = serves(&sample.indexes, &[path]);
        let in_words = match form {
            DateForm::IsoText if is_day => "a text such as 2025-01-31",
            DateForm::IsoText if is_local => "a text such as 2025-01-31T09:30:00",
            form => form.in_words(),
        };
        let mut why = vec![format!("{in_words} in {} of the documents", percent(in_documents))];
        let mut score = match form {
            DateForm::Date => 0.35,
            DateForm::IsoText | DateForm::EpochMs | DateForm::EpochUs | DateForm::EpochNs => 0.3,
            DateForm::EpochS | DateForm::CompactDay => 0.2,
            DateForm::ObjectId => -0.1,
        };
        score += 0.4 * named;
        if named > 0.5 {
            why.push("its name says so".to_owned());
        }
        if is_of_other {
            score -= 0.35;
            why.push("its name suggests a different time than that of the trade".to_owned());
        }
        if is_own_time {
            score += 0.5;
            why.push("it is the time field of the time series".to_owned());
        }
        if indexed {
            score += 0.15;
            why.push("an index begins with it".to_owned());
        }
        if days.len() > 1 {
            score += 0.1;
        }
        if is_of_entry {
            // It is better than nothing.
            score = score.min(LEAST.max(score - OF_ENTRY));
            why.push("its name suggests the time at which it was entered".to_owned());
        }
        score -= 0.4 * in_future;
        let midnights = if is_day || is_local { Vec::new() } else { midnights(&reads) };
        // What is traded after the close may belong to the day after the weekend.
        let is_date = (is_day || !midnights.is_empty()) && weight(path, Meaning::BusinessDate) > 0.7;
        let within = if is_date { 24 * MOST_DAYS_APART } else { 0 } + MADE_WITHIN_HOURS;
        let later = later_than_made(sample, path, form, TimeDelta::hours(within));
        if later > AFTER_MADE {
            score = score.min(LEAST / 2.0);
            why.push(format!("{} of the values lie after the document was made", percent(later)));
        }
        if in_future > 0.2 {
            why.push(format!("{} of the values lie in the future", percent(in_future)));
        }
        score *= in_documents.sqrt();
        if forms.len() > 1 {
            why.push(format!("{} of its values have this form", percent(of_form)));
        }
        times.push(Time {
            path: path.clone(),
            form,
            is_day,
            of_form,
            forms,
            is_local,
            written_in: None,
            other_epoch: None,
            midnights,
            score,
            why,
        });
    }
    let best_first = |times: &mut Vec<Time>| {
        times.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.path.cmp(&b.path)));
    };
    best_first(&mut times);
    let local = |time: &Time| {
        (time.is_local && !time.is_day).then(|| clocks::written_in(sample, time, &times)).flatten()
    };
    let written: Vec<Option<WrittenIn>> = times.iter().map(local).collect();
    let epochs: Vec<Option<OtherEpoch>> =
        times.iter().map(|time| clocks::other_epoch(sample, time, &times)).collect();
    for (time, (written, epoch)) in times.iter_mut().zip(written.into_iter().zip(epochs)) {
        time.written_in = written;
        // Numbers that are not called a time and lie years away from all times are none.
        let is_named = weight(&time.path, Meaning::Time) > 0.5;
        if epoch.as_ref().is_some_and(|epoch| epoch.is_constant || !is_named) {
            time.score = time.score.min(LEAST / 2.0);
        }
        time.other_epoch = epoch;
    }
    best_first(&mut times);
    times
}

/// The zones other than UTC in which all times are midnight.
fn midnights(reads: &[Read]) -> Vec<&'static str> {
    let days: BTreeSet<i64> = reads.iter().map(|read| read.at.timestamp()).collect();
    if reads.len() < LEAST_MIDNIGHTS || days.len() < 3 || days.iter().any(|second| second % 900 != 0) {
        return Vec::new();
    }
    let is_midnight = |zone: &&str| {
        let Ok(zone) = DayZone::parse(zone) else { return false };
        reads.iter().all(|read| zone.start_of(zone.day_of(read.at)) == read.at)
    };
    ZONES.into_iter().filter(|zone| *zone != "UTC").filter(is_midnight).collect()
}

/// Whether a zone has an offset at each of some instants.
fn have_offsets(zone: &str, offsets: &[(DateTime<Utc>, i32)]) -> bool {
    let Ok(zone) = DayZone::parse(zone) else { return false };
    offsets.iter().all(|(at, offset)| {
        let local = at.naive_utc() + TimeDelta::seconds((*offset).into());
        zone.instant_of(local) == *at
    })
}

/// The share of documents with an ObjectId whose time at a path is later than the day after they were made. A trade is
/// stored after it was made, but what it is about may come later: its delivery, its payment.
fn later_than_made(sample: &Sample, path: &str, form: DateForm, within: TimeDelta) -> f64 {
    let first = |document: &RawDocumentBuf, path: &str, form| {
        let mut found = None;
        path::scalars(document, path, &mut |value| {
            found = found.or_else(|| times::read(value, form).map(|read| read.at));
        });
        found
    };
    let both = |document| Some((first(document, "_id", DateForm::ObjectId)?, first(document, path, form)?));
    let pairs: Vec<_> = sample.documents.iter().filter_map(both).collect();
    // Ids that somebody chose say nothing.
    let now = Utc::now() + TimeDelta::days(1);
    if pairs.iter().any(|(made, _)| made.timestamp() < EARLIEST_MADE || *made > now) {
        return 0.0;
    }
    let later = pairs.iter().filter(|(made, at)| *at > *made + within).count();
    share(later, pairs.len())
}

/// The form of the values at a path.
struct Found {
    form: DateForm,
    /// What was read in this form.
    reads: Vec<Read>,
    /// All forms, with the shares of the values that have them.
    forms: Vec<(DateForm, f64)>,
}

/// The form that most values at a path have, if almost all have some form. If those that were stored last all have
/// another one, it is theirs: the schema has changed, and new days will be like them.
fn form_of(sample: &Sample, path: &str) -> Option<Found> {
    let (mut found, values) = read_in_forms(&sample.documents, path);
    let (newest, newest_values) = read_in_forms(&sample.newest, path);
    let of_newest = newest
        .iter()
        .find(|(_, reads)| newest_values >= LEAST_NEWEST && share(reads.len(), newest_values) >= OF_FORM)
        .map(|(form, _)| *form);
    found.sort_by_key(|(form, reads)| (Some(*form) != of_newest, std::cmp::Reverse(reads.len())));
    let forms: Vec<(DateForm, f64)> =
        found.iter().map(|(form, reads)| (*form, share(reads.len(), values))).collect();
    let all: f64 = forms.iter().map(|(_, share)| share).sum();
    let (form, reads) = found.into_iter().next()?;
    (all >= OF_FORM).then_some(Found { form, reads, forms })
}

/// What can be read at a path in each form, and how many values there are.
fn read_in_forms(documents: &[RawDocumentBuf], path: &str) -> (Vec<(DateForm, Vec<Read>)>, usize) {
    let mut found: Vec<(DateForm, Vec<Read>)> = Vec::new();
    let mut values = 0;
    for form in FORMS {
        let mut reads = Vec::new();
        values = 0;
        for document in documents {
            path::scalars(document, path, &mut |value| {
                if !matches!(value, RawBsonRef::Null | RawBsonRef::Document(_)) {
                    values += 1;
                    reads.extend(times::read(value, form));
                }
            });
        }
        if !reads.is_empty() {
            found.push((form, reads));
        }
    }
    (found, values)
}

/// A whole number, or the one that a text of digits spells.
fn number_of(value: RawBsonRef<'_>) -> Option<i64> {
    match value {
        RawBsonRef::String(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            text.parse().ok()
        }
        value => whole(value),
    }
}

/// Whether almost all values at a path are numbers in a range.
fn are_numbers(sample: &Sample, range: std::ops::RangeInclusive<i64>, path: &str) -> bool {
    let (mut inside, mut all) = (0, 0);
    for document in &sample.documents {
        path::scalars(document, path, &mut |value| {
            if !matches!(value, RawBsonRef::Null | RawBsonRef::Document(_)) {
                all += 1;
                inside += usize::from(number_of(value).is_some_and(|number| range.contains(&number)));
            }
        });
    }
    share(inside, all) >= OF_FORM
}

/// The year and the day of the year, with the time and the zone that agree best with them.
struct Parts {
    year: Option<DatePart>,
    day_of_year: DatePart,
    zone: String,
    other_zones: Vec<String>,
    agreement: Option<f64>,
    time: Option<Time>,
}

fn date_parts(sample: &Sample, survey: &Survey, times: &[&Time]) -> Option<Parts> {
    // A fetch matches numbers only.
    let is_number = |stats: &PathStats| {
        share(stats.types.get("string").copied().unwrap_or_default(), stats.values) <= 1.0 - OF_FORM
    };
    let paths = || {
        let wanted = survey.paths.iter().filter(|(_, stats)| stats.in_arrays == 0 && is_number(stats));
        wanted.map(|(path, _)| path.as_str())
    };
    let day_paths: Vec<&str> = paths().filter(|path| are_numbers(sample, 1..=366, path)).collect();
    let year_paths: Vec<&str> = paths().filter(|path| are_numbers(sample, 1980..=2100, path)).collect();
    let mut best: Option<(f64, Parts)> = None;
    for day_path in day_paths.iter().copied() {
        let named = weight(day_path, Meaning::DayOfYear);
        // The year of a different date, such as that of the delivery, agrees on most days, too.
        let is_of_other_day = |year: &str| {
            let is_day = |other: &&str| **other != *day_path && weight(other, Meaning::DayOfYear) > 0.5;
            let kin = kinship(year, day_path);
            day_paths.iter().copied().filter(|other| is_day(other)).any(|other| kinship(year, other) > kin)
        };
        let year = year_paths
            .iter()
            .map(|path| (weight(path, Meaning::Year), *path))
            .filter(|(named, path)| *named > 0.5 && !is_of_other_day(path))
            .max_by(|a, b| {
                kinship(a.1, day_path)
                    .cmp(&kinship(b.1, day_path))
                    .then_with(|| a.0.total_cmp(&b.0))
                    .then_with(|| b.1.cmp(a.1))
            });
        let mut year = year;
        let mut agreed = agreement(sample, day_path, year.map(|(_, path)| path), times);
        // A year that is not that of the time, such as a contract's, does not belong to the day.
        if year.is_some() && agreed.as_ref().is_some_and(|agreed| agreed.share < AGREES) {
            let alone = agreement(sample, day_path, None, times);
            if alone.as_ref().is_some_and(|alone| alone.share >= ALL_AGREE && alone.is_wide) {
                (year, agreed) = (None, alone);
            }
        }
        let mut year_why = "its name says so".to_owned();
        if let (None, Some(alone)) = (year, &agreed)
            && let Some(path) = agreeing_year(sample, survey, day_path, &year_paths, alone)
        {
            year = Some((1.0, path));
            year_why = format!("it is the year of {} in this zone", alone.time.path);
        }
        let (share_agreed, is_wide) =
            agreed.as_ref().map_or((0.0, false), |agreed| (agreed.share, agreed.is_wide));
        // Numbers up to 31 are days of a month, unless they agree with times all over the year.
        let speaks_for = named > 0.5 && (agreed.is_none() || share_agreed >= AGREES_ROUGHLY);
        if !(speaks_for || (share_agreed >= AGREES && is_wide)) {
            continue;
        }
        let mut score = 0.35 * named + 0.5 * share_agreed;
        let mut why = Vec::new();
        if named > 0.5 {
            why.push("its name says so".to_owned());
        }
        if let Some(agreed) = &agreed {
            let (time, zone) = (&agreed.time.path, &agreed.zone);
            why.push(format!("{} of the documents agree with {time} in {zone}", percent(agreed.share)));
        }
        let other = year.map(|(_, path)| path).or_else(|| Some(agreed.as_ref()?.time.path.as_str()));
        let matched: Vec<&str> = other.into_iter().chain([day_path]).collect();
        if serves(&sample.indexes, &matched) {
            score += 0.15;
            why.push("an index serves it".to_owned());
        }
        // A day of the year needs a year, or a time to determine it.
        if year.is_none() && agreed.is_none() {
            continue;
        }
        if best.as_ref().is_none_or(|(known, _)| score > *known) {
            let year = year.map(|(named, path)| DatePart {
                path: path.to_owned(),
                score: 0.5 * named + 0.5 * share_agreed.max(if agreed.is_none() { 0.6 } else { 0.0 }),
                why: vec![year_why],
            });
            let (zone, other_zones, share, time) = match agreed {
                None => ("UTC".to_owned(), Vec::new(), None, None),
                Some(agreed) => {
                    (agreed.zone, agreed.other_zones, Some(agreed.share), Some(agreed.time.clone()))
                }
            };
            let day_of_year = DatePart { path: day_path.to_owned(), score, why };
            best = Some((score, Parts { year, day_of_year, zone, other_zones, agreement: share, time }));
        }
    }
    best.map(|(_, parts)| parts)
}

/// A field that has the year of the time in all documents whose day of the year agrees, whatever it is called.
fn agreeing_year<'a>(
    sample: &Sample,
    survey: &Survey,
    day_path: &str,
    year_paths: &[&'a str],
    alone: &Agreement<'_>,
) -> Option<&'a str> {
    // The one year of all documents may be that of anything.
    let varies = |path: &&&str| survey.paths.get(**path).is_some_and(|stats| stats.distinct > 1);
    let agrees = |path: &&&str| {
        agreement(sample, day_path, Some(path), &[alone.time])
            .is_some_and(|with_year| with_year.share >= ALL_AGREE.min(alone.share))
    };
    year_paths.iter().filter(|path| **path != day_path).filter(varies).find(agrees).copied()
}

/// How the dates of one field lie beside the times of another.
struct DatesBeside {
    /// The zone in which most times lie on the date.
    zone: String,
    /// Other zones in which as many do.
    other_zones: Vec<String>,
    /// In how many documents both are.
    pairs: usize,
    /// The share of documents in which they do.
    agreement: f64,
    /// Whether more do than in UTC.
    is_better_than_utc: bool,
    /// Whether the others are a few days off at most: a date of the same trade, not that of its delivery.
    is_near: bool,
    /// The share of the others in which the time is later than the date.
    later: f64,
}

impl DatesBeside {
    fn of(sample: &Sample, dates: &Time, time: &Time) -> Self {
        let pairs: Vec<(DateTime<Utc>, i32)> = pairs(sample, time, dates)
            .map(|(at, date)| (at, i32::try_from(date.timestamp().div_euclid(86_400)).unwrap_or(i32::MAX)))
            .collect();
        let apart = |zone: &str| {
            let zone = DayZone::parse(zone).ok()?;
            Some(pairs.iter().map(|(at, day)| zone.day_of(*at).number() - day).collect::<Vec<i32>>())
        };
        let own = time.written_in.iter().map(|written| written.zone.name());
        let local = sample.local_zone.iter().map(String::as_str);
        let mut tried: Vec<&str> = Vec::new();
        for zone in own.chain(local).chain(ZONES) {
            // `Etc/UTC` is another name for UTC.
            if !zone.starts_with("Etc/") && !tried.contains(&zone) {
                tried.push(zone);
            }
        }
        let counted =
            tried.into_iter().filter_map(|zone| Some(Self::counted(&apart(zone)?, zone.to_owned())));
        let counted: Vec<Self> = counted.collect();
        let in_utc = Self::counted(&apart("UTC").unwrap_or_default(), "UTC".to_owned());
        let most = counted.iter().map(|beside| beside.agreement).fold(0.0, f64::max);
        // The first of those that agree alike.
        let mut alike = counted.into_iter().filter(|beside| beside.agreement >= most);
        let Some(best) = alike.next() else { return in_utc };
        Self {
            is_better_than_utc: best.agreement > in_utc.agreement,
            other_zones: alike.map(|beside| beside.zone).collect(),
            ..best
        }
    }

    /// Counts how many days the times are later than the dates.
    fn counted(apart: &[i32], zone: String) -> Self {
        let of = |is: &dyn Fn(i32) -> bool| apart.iter().filter(|days| is(**days)).count();
        let other = of(&|days| days != 0);
        Self {
            zone,
            other_zones: Vec::new(),
            pairs: apart.len(),
            agreement: share(apart.len() - other, apart.len()),
            is_better_than_utc: false,
            is_near: share(of(&|days| i64::from(days.abs()) <= MOST_DAYS_APART), apart.len()) >= 0.98,
            later: share(of(&|days| days > 0), other),
        }
    }

    /// Whether the date is that of the trade, rather than the time.
    fn decides(&self, date: &Time, time: &Time, is_quick: bool) -> bool {
        if self.pairs == 0 {
            return false;
        }
        let role = (time_role(&date.path), time_role(&time.path));
        if self.agreement >= IS_DATE_OF {
            // The time says no more than the date, and less where it is that of the next day.
            return role == (TimeRole::Trade, TimeRole::Entry) && is_quick;
        }
        let is_named = weight(&date.path, Meaning::BusinessDate) > 0.5;
        // A date that is mostly that of the time, but in no zone always, is one that the desk keeps itself.
        let is_kept = self.is_near && self.agreement >= AGREES_ROUGHLY;
        let is_before = self.later >= MOSTLY;
        match role {
            (TimeRole::Other | TimeRole::Entry, _) => false,
            (TimeRole::Trade, _) => is_kept || is_before,
            (TimeRole::Unsaid, TimeRole::Entry) => is_named && (is_kept || is_before && self.is_near),
            (TimeRole::Unsaid, _) => is_named && is_kept,
        }
    }

    /// Whether a person has to know that the date is not always the chosen day. That of a payment or a delivery never
    /// is.
    fn is_said(&self, date: &Time) -> bool {
        match time_role(&date.path) {
            TimeRole::Trade => true,
            TimeRole::Unsaid => {
                let is_before = self.later >= MOSTLY && weight(&date.path, Meaning::BusinessDate) > 0.5;
                self.is_near && (self.agreement >= AGREES_ROUGHLY || is_before)
            }
            TimeRole::Entry | TimeRole::Other => false,
        }
    }
}

/// The first whole number at a path of a document.
fn first_number(document: &RawDocumentBuf, path: &str) -> Option<i64> {
    let mut found = None;
    path::scalars(document, path, &mut |value| found = found.or_else(|| number_of(value)));
    found
}

/// The time, or an earlier one if its name may be that of any time and the other's is plainer, or if nothing else tells
/// the two apart: a document is stored and updated after the trade was made.
fn earlier_than(sample: &Sample, survey: &Survey, times: &[Time], chosen: Time) -> Time {
    let last = chosen.path.rsplit('.').next().unwrap_or_default().to_lowercase();
    let is_generic = GENERIC_NAMES.contains(&last.as_str());
    let is_as_likely = |time: &&Time| is_generic || (time.score - chosen.score).abs() < AS_LIKELY;
    let is_everywhere = |time: &&Time| {
        survey.paths.get(&time.path).is_some_and(|stats| share(stats.documents, survey.documents) >= 0.9)
    };
    let is_plain = |time: &&Time| {
        !time.is_day
            && time.midnights.is_empty()
            && time.path != chosen.path
            && time.form != DateForm::ObjectId
            && (!is_generic || weight(&time.path, Meaning::Time) > 0.5)
            && weight(&time.path, Meaning::OtherTime) < 0.5
    };
    for other in times.iter().filter(is_plain).filter(is_as_likely).filter(is_everywhere) {
        let pairs: Vec<_> = pairs(sample, other, &chosen).collect();
        let never_after = pairs.iter().filter(|(other, chosen)| other <= chosen).count();
        let before = pairs.iter().filter(|(other, chosen)| other < chosen).count();
        if share(never_after, pairs.len()) >= 0.95 && share(before, pairs.len()) >= 0.5 {
            let mut other = other.clone();
            other.why.push(format!(
                "it is before {} in {} of the documents",
                chosen.path,
                percent(share(before, pairs.len()))
            ));
            return other;
        }
    }
    chosen
}

/// How well a day of the year agrees with a time.
struct Agreement<'a> {
    time: &'a Time,
    zone: String,
    other_zones: Vec<String>,
    share: f64,
    /// Whether the agreeing documents lie in several months.
    is_wide: bool,
}

/// The time and zone that agree best. The earlier time counts if two agree alike, since times are sorted by how likely
/// they are.
fn agreement<'a>(
    sample: &Sample,
    day_path: &str,
    year_path: Option<&str>,
    times: &[&'a Time],
) -> Option<Agreement<'a>> {
    let mut zones: Vec<&str> = ZONES.to_vec();
    // `Etc/UTC` is another name for UTC. If several zones agree equally well, this computer's own is preferred.
    if let Some(local) = sample.local_zone.as_deref().filter(|zone| !zone.starts_with("Etc/")) {
        zones.retain(|zone| *zone != local);
        zones.insert(1, local);
    }
    let mut best: Option<(usize, Agreement<'a>)> = None;
    for time in times.iter().take(6) {
        let mut pairs: Vec<(DateTime<Utc>, i64, Option<i64>)> = Vec::new();
        for document in &sample.documents {
            let one = |path: &str| first_number(document, path);
            if let (Some(at), Some(day)) = (instant(document, time), one(day_path)) {
                pairs.push((at, day, year_path.and_then(one)));
            }
        }
        if pairs.is_empty() {
            continue;
        }
        // What is mostly a different day in UTC is no day of any zone.
        let is_near = |(at, day, _): &&(DateTime<Utc>, i64, Option<i64>)| {
            let apart = (i64::from(at.ordinal()) - day).abs();
            apart <= 1 || apart >= 364
        };
        let near = share(pairs.iter().filter(is_near).count(), pairs.len());
        // If several zones agree equally well, that in which texts were written is theirs.
        let own = time.written_in.iter().map(|written| written.zone.name());
        let tried: Vec<&str> = if near < AGREES_ROUGHLY {
            vec!["UTC"]
        } else {
            own.clone()
                .chain(zones.iter().copied().filter(|zone| own.clone().all(|own| own != *zone)))
                .collect()
        };
        let mut counts: Vec<(usize, &str, BTreeSet<u32>)> = Vec::new();
        for zone in &tried {
            let Ok(day_zone) = DayZone::parse(zone) else { continue };
            let mut months = BTreeSet::new();
            let agrees = |(at, day, year): &&(DateTime<Utc>, i64, Option<i64>)| {
                let theirs: Day = day_zone.day_of(*at);
                let is_same = i64::from(theirs.day_of_year()) == *day
                    && year.is_none_or(|year| i64::from(theirs.year()) == year);
                if is_same {
                    months.insert(theirs.day_of_year() / 31);
                }
                is_same
            };
            counts.push((pairs.iter().filter(agrees).count(), zone, months));
        }
        let Some(most) = counts.iter().map(|(count, ..)| *count).max() else { continue };
        let Some(best_at) = counts.iter().position(|(count, ..)| *count == most) else { continue };
        let (_, zone, months) = counts.swap_remove(best_at);
        // What one or two documents say is chance.
        let mut alike: Vec<(usize, &str)> = counts
            .iter()
            .filter(|(count, ..)| *count + CLEARLY > most)
            .map(|(count, zone, _)| (*count, *zone))
            .collect();
        alike
            .sort_by_key(|(count, zone)| (std::cmp::Reverse(*count), tried.iter().position(|at| at == zone)));
        let found = Agreement {
            time,
            zone: zone.to_owned(),
            other_zones: alike.into_iter().map(|(_, zone)| zone.to_owned()).collect(),
            share: share(most, pairs.len()),
            is_wide: months.len() > 1,
        };
        let is_better = |known: &Agreement<'_>| {
            found.share > known.share + 0.02 || found.share >= 1.0 && known.share < 1.0
        };
        if best.as_ref().is_none_or(|(_, known)| is_better(known)) {
            best = Some((most, found));
        }
    }
    best.map(|(_, found)| found)
}
