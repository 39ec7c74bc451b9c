//! Compares the times of documents with each other: the zone in which texts without an offset were written, counts that
//! do not begin in 1970, and zones that a sample cannot tell apart.

use std::collections::BTreeSet;

use bson::RawDocumentBuf;
use chrono::{DateTime, Datelike as _, TimeDelta, Utc};

use super::names::{TimeRole, time_role};
use super::survey::share;
use super::{Sample, times};
use crate::bson::path;
use crate::day::{Day, DayZone};
use crate::query::date_field::DateForm;

/// Fewer documents with both times than this say nothing.
const LEAST_PAIRS: usize = 10;
/// The zones in which days are tried, the most likely first.
pub(super) const ZONES: [&str; 27] = [
    "UTC",
    "Europe/London",
    "Europe/Berlin",
    "America/New_York",
    "America/Chicago",
    "Asia/Singapore",
    "Asia/Tokyo",
    "Asia/Hong_Kong",
    "Asia/Kolkata",
    "Asia/Dubai",
    "Australia/Sydney",
    "Europe/Athens",
    "Europe/Istanbul",
    "Europe/Moscow",
    "America/Sao_Paulo",
    "America/Los_Angeles",
    "America/Denver",
    "Africa/Johannesburg",
    "Pacific/Auckland",
    "Europe/Paris",
    "Europe/Madrid",
    "Europe/Rome",
    "Europe/Amsterdam",
    "Europe/Zurich",
    "Europe/Warsaw",
    "Europe/Dublin",
    "America/Toronto",
];
/// 2005-01-01, before MongoDB was there.
pub(super) const EARLIEST_MADE: i64 = 1_104_537_600;
/// How much earlier than the time of the trade a document may seem to be stored, since clocks differ.
const EARLY: TimeDelta = TimeDelta::minutes(2);
/// What is stored at once is stored within this time.
const AT_ONCE: TimeDelta = TimeDelta::minutes(10);
/// The share of documents that must be stored at once for the other clock to tell the zone.
const OFTEN: f64 = 0.2;
/// The share of documents that may contradict a zone.
const HARDLY_ANY: f64 = 0.01;
/// Times that are further apart than this are those of different things, or of different epochs.
const FAR_APART: TimeDelta = TimeDelta::days(400);
/// Times that stay apart by the same number of days run beside each other.
const BESIDE: TimeDelta = TimeDelta::days(5);
/// Rules of zones are compared this many days before and after the sample: the clocks change within a year.
const RULES_AROUND: i32 = 366;

/// A field that may hold the time of a document.
#[derive(Debug, Clone)]
pub(super) struct Time {
    pub(super) path: String,
    pub(super) form: DateForm,
    /// Whether its values are calendar days without a time.
    pub(super) is_day: bool,
    /// The share of its values that have the form.
    pub(super) of_form: f64,
    /// The forms that its values have, with their shares, the most frequent first.
    pub(super) forms: Vec<(DateForm, f64)>,
    /// Whether its values are texts without an offset.
    pub(super) is_local: bool,
    /// The zone in which they were written, if a clock beside them shows it.
    pub(super) written_in: Option<WrittenIn>,
    /// How its values are years away from all other times, if they are a count.
    pub(super) other_epoch: Option<OtherEpoch>,
    /// The zones, other than UTC, in which all of its values are midnight: they are calendar days there.
    pub(super) midnights: Vec<&'static str>,
    pub(super) score: f64,
    pub(super) why: Vec<String>,
}

/// The zone in which texts were written, as a clock beside them shows.
#[derive(Debug, Clone)]
pub(super) struct WrittenIn {
    pub(super) zone: DayZone,
    /// Other zones with the same offsets on all dates of the sample.
    pub(super) others: Vec<String>,
    /// The path of the clock.
    pub(super) clock: String,
}

/// The zone in which the local texts of a time were written: what is stored at once has, by a clock that shows an
/// instant, the same time.
pub(super) fn written_in(sample: &Sample, time: &Time, times: &[Time]) -> Option<WrittenIn> {
    let is_clock = |other: &&Time| {
        other.path != time.path
            && !other.is_day
            && !other.is_local
            && other.midnights.is_empty()
            && time_role(&other.path) != TimeRole::Other
    };
    let local = sample.local_zone.iter().map(String::as_str);
    let mut zones: Vec<&str> = Vec::new();
    for zone in ["UTC"].into_iter().chain(local).chain(ZONES) {
        // `Etc/UTC` is another name for UTC.
        if !zone.starts_with("Etc/") && !zones.contains(&zone) {
            zones.push(zone);
        }
    }
    times.iter().filter(is_clock).find_map(|clock| {
        let pairs: Vec<(DateTime<Utc>, DateTime<Utc>)> = pairs(sample, time, clock).collect();
        if pairs.len() < LEAST_PAIRS {
            return None;
        }
        let fits = |zone: &&str| {
            let Ok(zone) = DayZone::parse(zone) else { return false };
            let lags = || pairs.iter().map(|(written, at)| *at - zone.instant_of(written.naive_utc()));
            let early = lags().filter(|lag| *lag < -EARLY).count();
            let at_once = lags().filter(|lag| (-EARLY..=AT_ONCE).contains(lag)).count();
            share(early, pairs.len()) <= HARDLY_ANY && share(at_once, pairs.len()) >= OFTEN
        };
        let mut found = zones.iter().copied().filter(fits);
        let zone = DayZone::parse(found.next()?).ok()?;
        Some(WrittenIn { zone, others: found.map(str::to_owned).collect(), clock: clock.path.clone() })
    })
}

/// How the values of a count lie years beside all other times of the documents.
#[derive(Debug, Clone)]
pub(super) struct OtherEpoch {
    /// Whether they stay as many years apart, so the count runs beside the others, but began at a different moment.
    pub(super) is_constant: bool,
    /// A sentence.
    pub(super) why: String,
}

/// Whether the values of a count are years away from all other times of the documents: then it may not begin in 1970.
pub(super) fn other_epoch(sample: &Sample, time: &Time, times: &[Time]) -> Option<OtherEpoch> {
    if !DateForm::COUNTS.contains(&time.form) {
        return None;
    }
    let now = Utc::now() + TimeDelta::days(2);
    let is_reference = |other: &&Time| !DateForm::COUNTS.contains(&other.form);
    let mut found: Option<OtherEpoch> = None;
    for other in times.iter().filter(is_reference) {
        let pairs: Vec<(DateTime<Utc>, DateTime<Utc>)> = pairs(sample, time, other).collect();
        // Ids that somebody chose say nothing.
        let is_time = |(_, at): &(DateTime<Utc>, DateTime<Utc>)| {
            at.timestamp() >= EARLIEST_MADE && *at <= now || other.form != DateForm::ObjectId
        };
        if pairs.len() < LEAST_PAIRS || !pairs.iter().all(is_time) {
            continue;
        }
        let mut apart: Vec<TimeDelta> = pairs.iter().map(|(at, other)| *other - *at).collect();
        apart.sort();
        // One time nearby shows that the count is right.
        if apart.iter().any(|apart| apart.abs() <= FAR_APART) {
            return None;
        }
        let (low, high) = (apart[apart.len() / 40], apart[apart.len() - 1 - apart.len() / 40]);
        let moments: BTreeSet<i64> = pairs.iter().map(|(_, at)| at.timestamp().div_euclid(86_400)).collect();
        let is_constant = high - low <= BESIDE && moments.len() > 10;
        // A contract may be much older than its trades, and its end much later.
        if time_role(&other.path) == TimeRole::Other && !is_constant {
            continue;
        }
        if found.as_ref().is_none_or(|found| is_constant && !found.is_constant) {
            let (at, beside) = pairs[pairs.len() / 2];
            let why = format!(
                "{} read as {} counts since 1970, such as {}, although {} of the same document is {}: it may count from \
                 a different year, which no mapping can say.",
                time.path,
                time.form.in_words().trim_start_matches("a number of "),
                at.format("%Y-%m-%d"),
                other.path,
                beside.format("%Y-%m-%d"),
            );
            found = Some(OtherEpoch { is_constant, why });
        }
    }
    found
}

/// The zones whose days begin at other instants than those of a zone, on dates about a sample.
pub(super) fn differing(zone: &str, others: &[String], at: &[DateTime<Utc>]) -> Vec<String> {
    let (Ok(zone), Some(days)) = (DayZone::parse(zone), days_around(at)) else { return Vec::new() };
    let differs = |other: &&String| {
        DayZone::parse(other).is_ok_and(|other| {
            days.clone().any(|day| {
                let day = Day::from_number(day);
                zone.start_of(day) != other.start_of(day)
            })
        })
    };
    others.iter().filter(differs).cloned().collect()
}

/// Whether a sample has times of each offset that a zone has within a year of it.
pub(super) fn covers_changes(zone: &str, at: &[DateTime<Utc>]) -> bool {
    let (Ok(zone), Some(days)) = (DayZone::parse(zone), days_around(at)) else { return true };
    let offset = |day: Day| zone.start_of(day).timestamp().rem_euclid(86_400);
    let around: BTreeSet<i64> = days.map(|day| offset(Day::from_number(day))).collect();
    let seen: BTreeSet<i64> = at.iter().map(|at| offset(zone.day_of(*at))).collect();
    seen.len() >= around.len()
}

fn days_around(at: &[DateTime<Utc>]) -> Option<std::ops::Range<i32>> {
    let number = |at: &DateTime<Utc>| Day::from_ymd(at.year(), at.month(), at.day()).map(Day::number);
    let (first, last) = (number(at.iter().min()?)?, number(at.iter().max()?)?);
    Some(first - RULES_AROUND..last + RULES_AROUND)
}

/// All values of a time in a sample.
pub(super) fn instants(sample: &Sample, time: &Time) -> Vec<DateTime<Utc>> {
    sample.documents.iter().filter_map(|document| instant(document, time)).collect()
}

/// The values of two times in the documents that have both.
pub(super) fn pairs<'a>(
    sample: &'a Sample,
    one: &'a Time,
    other: &'a Time,
) -> impl Iterator<Item = (DateTime<Utc>, DateTime<Utc>)> + 'a {
    let both = move |document| Some((instant(document, one)?, instant(document, other)?));
    sample.documents.iter().filter_map(both)
}

/// The first value of a time in a document.
pub(super) fn instant(document: &RawDocumentBuf, time: &Time) -> Option<DateTime<Utc>> {
    let mut found = None;
    path::scalars(document, &time.path, &mut |value| {
        found = found.or_else(|| times::read(value, time.form).map(|read| read.at));
    });
    match &time.written_in {
        Some(written) => found.map(|at| written.zone.instant_of(at.naive_utc())),
        None => found,
    }
}
