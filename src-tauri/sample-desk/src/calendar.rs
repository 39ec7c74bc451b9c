//! When the desk works: on which days, how busy each is, and how trading is spread over a day.

use std::vec;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Milliseconds of a day. All days here are days in UTC.
pub(crate) const DAY: i64 = 86_400_000;

/// The period that the desk covers.
const MONTHS: Months = Months::new(14);

/// Weight of each hour (UTC): closed at night, busy at the opening and in the afternoon.
const HOURS: [u32; 24] =
    [2, 1, 1, 1, 3, 10, 45, 95, 120, 115, 100, 80, 60, 85, 105, 115, 90, 55, 25, 12, 8, 5, 4, 3];

/// A day of the desk, and the number of messages that its trades cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BusinessDay {
    pub(crate) day: NaiveDate,
    /// Midnight at its start, in milliseconds since 1970.
    pub(crate) start: i64,
    /// How much of the day has passed, in milliseconds.
    pub(crate) length: i64,
    pub(crate) messages: u64,
}

/// The days of a desk, oldest first.
#[derive(Debug)]
pub(crate) struct Calendar {
    days: Vec<BusinessDay>,
}

impl Calendar {
    /// Spreads the messages over the fourteen months up to `end`.
    pub(crate) fn new(seed: u64, end: DateTime<Utc>, messages: u64) -> Self {
        let end_millis = end.timestamp_millis();
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let last = last_day(end);
        let days: Vec<(NaiveDate, i64, i64, u128)> = first_day(last)
            .iter_days()
            .take_while(|day| *day <= last)
            .map(|day| {
                let start = day.and_time(NaiveTime::MIN).and_utc().timestamp_millis();
                let length = (end_millis - start).clamp(1, DAY);
                // Drawn for holidays too, so that no day depends on which other days exist.
                let mood = random.random_range(75..125_u32);
                let weight = u128::from(busyness(day) * mood) * u128::from(length.unsigned_abs());
                (day, start, length, weight)
            })
            .collect();

        let total = days.iter().map(|(.., weight)| weight).sum::<u128>().max(1);
        let share = |weight: u128| u64::try_from(u128::from(messages) * weight / total).unwrap_or(messages);
        let mut so_far = 0;
        let days = days
            .into_iter()
            .map(|(day, start, length, weight)| {
                // Differences of rounded sums, so that rounding loses nothing.
                let before = share(so_far);
                so_far += weight;
                BusinessDay { day, start, length, messages: share(so_far) - before }
            })
            .collect();
        Self { days }
    }
}

impl IntoIterator for Calendar {
    type Item = BusinessDay;
    type IntoIter = vec::IntoIter<BusinessDay>;

    fn into_iter(self) -> Self::IntoIter {
        self.days.into_iter()
    }
}

/// The first day of a desk with the given last day.
pub(crate) fn first_day(last: NaiveDate) -> NaiveDate {
    last.checked_sub_months(MONTHS).and_then(|day| day.checked_add_days(Days::new(1))).unwrap_or(last)
}

/// The day in which a desk ends; midnight belongs to the day before.
pub(crate) fn last_day(end: DateTime<Utc>) -> NaiveDate {
    (end - TimeDelta::milliseconds(1)).date_naive()
}

/// How busy a day is, as a percentage of an ordinary day.
fn busyness(day: NaiveDate) -> u32 {
    match (day.month(), day.day()) {
        (1, 1) | (12, 25) => 0,
        (12, 24 | 26 | 31) => 20,
        _ => match day.weekday() {
            Weekday::Sat | Weekday::Sun => 4,
            Weekday::Mon => 105,
            Weekday::Fri => 90,
            _ => 100,
        },
    }
}

/// A random time during a working day, in milliseconds since midnight.
pub(crate) fn time_of_day(random: &mut impl Rng, length: i64) -> i64 {
    let mut ticket = random.random_range(0..HOURS.iter().sum());
    let mut hour = 0;
    for weight in HOURS {
        if ticket < weight {
            break;
        }
        ticket -= weight;
        hour += 1;
    }
    let millis = hour * 3_600_000 + random.random_range(0..3_600_000_i64);
    // A day that is not over yet is compressed.
    millis * length / DAY
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    #[test]
    fn fourteen_months_end_on_the_given_day() {
        let days: Vec<_> = Calendar::new(1, at("2026-11-22T12:00:00Z"), 200_000).into_iter().collect();
        assert_eq!(days.first().map(|day| day.day.to_string()).as_deref(), Some("2025-09-23"));
        assert_eq!(days.last().map(|day| day.day.to_string()).as_deref(), Some("2026-11-22"));
        assert_eq!(days.last().map(|day| day.length), Some(DAY / 2));
        assert_eq!(days.iter().map(|day| day.messages).sum::<u64>(), 200_000);
    }

    #[test]
    fn midnight_belongs_to_the_day_before() {
        assert_eq!(last_day(at("2026-01-01T00:00:00Z")).to_string(), "2025-12-31");
        assert_eq!(last_day(at("2026-01-01T00:00:00.001Z")).to_string(), "2026-01-01");
    }

    #[test]
    fn weekends_are_thin_and_holidays_empty() {
        let days: Vec<_> = Calendar::new(7, at("2026-11-22T00:00:00Z"), 200_000).into_iter().collect();
        let on = |text: &str| {
            days.iter().find(|day| day.day.to_string() == text).map(|day| day.messages).expect("a day")
        };
        assert_eq!((on("2025-12-25"), on("2026-01-01")), (0, 0));
        assert!(on("2026-03-07") > 0 && on("2026-03-07") * 10 < on("2026-03-04"));
    }

    #[test]
    fn few_messages_are_spread_as_well() {
        for messages in [0, 1, 10, 999] {
            let days = Calendar::new(1, at("2026-02-28T00:00:00Z"), messages);
            assert_eq!(days.into_iter().map(|day| day.messages).sum::<u64>(), messages);
        }
    }
}
