//! Moments of the source, which decide which of two reads was later.

use chrono::{DateTime, Utc};

/// A moment as the source counts it: seconds since 1970 in the upper 32 bits, an ordinal within the second in
/// the lower ones, as in MongoDB's own timestamps. The greater one is the later one.
#[must_use]
pub fn moment_of(at: DateTime<Utc>) -> u64 {
    let seconds = u64::try_from(at.timestamp()).unwrap_or(0).min(u64::from(u32::MAX));
    // Nanoseconds are below 2^30, so they fit in the ordinal.
    seconds << 32 | u64::from(at.timestamp_subsec_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_times_are_greater_moments() {
        let at = |text: &str| moment_of(text.parse().expect("a time"));
        assert!(at("2025-03-01T00:00:00.001Z") > at("2025-03-01T00:00:00Z"));
        assert!(at("2025-03-01T00:00:01Z") > at("2025-03-01T00:00:00.999999999Z"));
        assert!(at("2040-01-01T00:00:00Z") > at("2025-03-01T00:00:00Z"));
        assert_eq!(at("1969-12-31T00:00:00Z"), 0);
    }
}
