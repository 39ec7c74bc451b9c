//! The time at the source. A fetch is as old as the data of the node that it read, whatever this machine's clock
//! says.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bson::{Document, RawDocument, Timestamp};
use chrono::{DateTime, TimeDelta, Utc};

use crate::moment::moment_of;

/// Returns the time of this machine. Tests set their own.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// The clock of the node that answered last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ServerClock {
    /// How far the server's clock is ahead of this machine's; negative if it is behind.
    pub ahead: TimeDelta,
    /// How far a secondary's last write is behind the server's clock; zero for a node that takes the writes.
    pub lag: TimeDelta,
}

impl ServerClock {
    /// Reads the clock from a reply to `hello`, given this machine's times of sending and receiving. `None` if the
    /// reply has no time. Clocks whose difference is within the round trip count as equal.
    pub(super) fn of_hello(hello: &Document, sent: DateTime<Utc>, received: DateTime<Utc>) -> Option<Self> {
        let date = |value: &bson::DateTime| DateTime::from_timestamp_millis(value.timestamp_millis());
        let local = hello.get_datetime("localTime").ok().and_then(date)?;
        let is_secondary = hello.get_bool("secondary").unwrap_or(false);
        let last_write = hello
            .get_document("lastWrite")
            .and_then(|last| last.get_datetime("lastWriteDate"))
            .ok()
            .and_then(date)
            .filter(|_| is_secondary);
        let lag = last_write.map_or(TimeDelta::zero(), |at| (local - at).max(TimeDelta::zero()));
        let (least, most) = (local - received, local + TimeDelta::milliseconds(1) - sent);
        let agrees = least <= TimeDelta::zero() && TimeDelta::zero() <= most;
        Some(Self { ahead: if agrees { TimeDelta::zero() } else { least }, lag })
    }
}

/// The time of a cluster time, in whole seconds.
pub(super) fn time_of(at: Timestamp) -> DateTime<Utc> {
    DateTime::from_timestamp(i64::from(at.time), 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// A cluster time in the form that rows store.
pub(super) fn read_of(at: Timestamp) -> u64 {
    u64::from(at.time) << 32 | u64::from(at.increment)
}

/// A local time on the scale of cluster times, for servers that report none. Each value is unique and greater than
/// all earlier ones, even if the clock was set back.
pub(super) fn local_read(now: DateTime<Utc>) -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let read = moment_of(now);
    let after = |last: u64| read.max(last.saturating_add(1));
    let update = |last| Some(after(last));
    let last = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, update).unwrap_or(read);
    after(last)
}

/// The cluster time at which the node answered.
pub(super) fn operation_time(reply: &RawDocument) -> Option<Timestamp> {
    reply.get_timestamp("operationTime").ok()
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    fn date(text: &str) -> bson::DateTime {
        bson::DateTime::from_millis(at(text).timestamp_millis())
    }

    #[test]
    fn a_secondary_is_as_late_as_its_last_write() {
        let mut hello = doc! {
            "localTime": date("2025-03-10T12:00:00Z"),
            "lastWrite": {"lastWriteDate": date("2025-03-05T12:00:00Z")},
        };
        let received = at("2025-03-20T12:00:00Z");
        let sent = received - TimeDelta::milliseconds(5);
        let primary = ServerClock::of_hello(&hello, sent, received).expect("a clock");
        assert_eq!((primary.ahead, primary.lag), (TimeDelta::days(-10), TimeDelta::zero()));
        hello.insert("secondary", true);
        let secondary = ServerClock::of_hello(&hello, sent, received).expect("a clock");
        assert_eq!((secondary.ahead, secondary.lag), (TimeDelta::days(-10), TimeDelta::days(5)));
        assert_eq!(ServerClock::of_hello(&doc! {"ok": 1}, sent, received), None);
        let here = at("2025-03-10T12:00:00.003Z");
        let same = ServerClock::of_hello(&hello, here - TimeDelta::milliseconds(5), here).expect("a clock");
        assert_eq!(same.ahead, TimeDelta::zero());
    }

    #[test]
    fn local_reads_only_grow() {
        let now = at("2025-03-10T12:00:00.500Z");
        let first = local_read(now);
        assert!(first >> 32 >= 1_741_608_000);
        assert!(local_read(now) > first && local_read(now - TimeDelta::hours(1)) > first);
    }
}
