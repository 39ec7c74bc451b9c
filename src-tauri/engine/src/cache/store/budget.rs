//! How much disk the cache may use, and what is evicted first if it uses more. Pure.

use std::path::PathBuf;

use chrono::{DateTime, Utc};

use crate::answer::note::{Evicted, Note};
use crate::query::signature::Signature;

/// Bytes that the cache may take unless the trader sets a budget.
pub const DEFAULT_BUDGET: u64 = 20_000_000_000;

/// A file in the cache folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheEntry {
    /// Its path.
    pub path: PathBuf,
    /// The query that the file answers; `None` for a damaged file that was moved aside.
    pub query: Option<Signature>,
    /// Bytes it takes, including its log and what was spilled.
    pub bytes: u64,
    /// When it was last fetched, shown or exported.
    pub last_used: DateTime<Utc>,
}

/// What was evicted to keep within the budget.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EvictionReport {
    /// Queries that were evicted, in that order.
    pub queries: Vec<Signature>,
    /// Damaged files that had been moved aside and were evicted.
    pub moved_aside: usize,
    /// Files of a newer Tidemark that stayed although they were next in turn.
    pub newer: usize,
    /// Bytes of what was evicted.
    pub bytes: u64,
    /// Bytes that the cache takes now.
    pub left: u64,
}

/// The order of eviction: the least recently used query first. Damaged files come last: someone may still want to
/// rescue what is in them.
#[must_use]
pub fn eviction_order(entries: &[CacheEntry]) -> Vec<&CacheEntry> {
    let mut order: Vec<&CacheEntry> = entries.iter().collect();
    order.sort_by_key(|entry| (entry.query.is_none(), entry.last_used, &entry.path));
    order
}

/// Evicts entries, in order, until the rest fits the budget. `try_evict` returns whether it evicted one: an entry
/// that is pinned or in use stays, and the next one is tried instead.
pub fn evict_until_fits(
    entries: &[CacheEntry],
    budget: u64,
    mut try_evict: impl FnMut(&CacheEntry) -> bool,
) -> EvictionReport {
    let mut report =
        EvictionReport { left: entries.iter().map(|entry| entry.bytes).sum(), ..EvictionReport::default() };
    for entry in eviction_order(entries) {
        if report.left <= budget {
            break;
        }
        if !try_evict(entry) {
            continue;
        }
        report.left -= entry.bytes;
        report.bytes += entry.bytes;
        match &entry.query {
            Some(signature) => report.queries.push(signature.clone()),
            None => report.moved_aside += 1,
        }
    }
    report
}

/// The note about a report; `None` if the cache is within its budget and nothing was evicted.
#[must_use]
pub fn note(report: &EvictionReport, budget: u64) -> Option<Note> {
    let evicted = Evicted {
        queries: report.queries.len(),
        damaged_files: report.moved_aside,
        newer_files: report.newer,
        freed: report.bytes,
        left: report.left,
        budget,
    };
    let is_news = evicted.queries + evicted.damaged_files > 0 || evicted.left > budget;
    is_news.then_some(Note::Evicted(evicted))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(number: u8, is_query: bool, bytes: u64, used: i64) -> CacheEntry {
        let signature = Signature::parse(&format!("{number:032x}")).expect("32 digits");
        CacheEntry {
            path: PathBuf::from(format!("{signature}.duckdb")),
            query: is_query.then_some(signature),
            bytes,
            last_used: DateTime::from_timestamp(used, 0).expect("a time"),
        }
    }

    fn numbers(freed: &EvictionReport) -> Vec<u8> {
        freed.queries.iter().map(|name| u8::from_str_radix(&name.as_str()[30..], 16).unwrap_or(0)).collect()
    }

    #[test]
    fn the_least_recently_used_goes_first_and_no_more_than_has_to() {
        let held = [entry(1, true, 10, 300), entry(2, true, 10, 100), entry(3, true, 10, 200)];
        assert!(numbers(&evict_until_fits(&held, 30, |_| true)).is_empty());
        assert_eq!(numbers(&evict_until_fits(&held, 29, |_| true)), [2]);
        assert_eq!(numbers(&evict_until_fits(&held, 11, |_| true)), [2, 3]);
        assert_eq!(numbers(&evict_until_fits(&held, 0, |_| true)), [2, 3, 1]);
    }

    #[test]
    fn damaged_files_are_evicted_after_any_query() {
        let held = [entry(1, true, 10, 900), entry(2, false, 10, 100)];
        let freed = evict_until_fits(&held, 10, |_| true);
        assert_eq!((freed.moved_aside, freed.queries.len(), freed.left), (0, 1, 10));
        assert_eq!(evict_until_fits(&held, 0, |_| true).moved_aside, 1);
    }

    #[test]
    fn the_sentence_names_what_was_evicted_and_what_exceeds_the_budget() {
        let held = [entry(1, true, 4_000_000, 1), entry(2, true, 2_500_000, 2)];
        assert_eq!(note(&evict_until_fits(&held, 6_500_000, |_| true), 6_500_000), None);
        assert_eq!(
            note(&evict_until_fits(&held, 3_000_000, |_| true), 3_000_000)
                .map(|note| note.to_string())
                .as_deref(),
            Some("To keep the cache within 3 MB, the least recently used query was removed (4 MB).")
        );
        assert_eq!(
            note(&evict_until_fits(&held, 1_000_000, |_| false), 1_000_000)
                .map(|note| note.to_string())
                .as_deref(),
            Some(
                "The cache uses 6.5 MB, more than its budget of 1 MB: everything that remains is pinned or in use."
            )
        );
        let newer = EvictionReport { newer: 1, ..evict_until_fits(&held, 1_000_000, |_| false) };
        let sentence = note(&newer, 1_000_000).map(|note| note.to_string()).unwrap_or_default();
        assert!(
            sentence.ends_with("remains is pinned, in use or written by a newer Tidemark."),
            "{sentence}"
        );
    }

    proptest! {
        #[test]
        fn it_fits_or_all_that_may_go_is_gone(
            sizes in prop::collection::vec((0_u64..1_000, 0_i64..50, any::<bool>(), any::<bool>()), 0..20),
            budget in 0_u64..8_000,
        ) {
            let held: Vec<CacheEntry> = (0..).zip(&sizes)
                .map(|(number, (bytes, used, is_query, _))| entry(number, *is_query, *bytes, *used))
                .collect();
            let stays = |asked: &CacheEntry| held.iter().position(|held| held == asked).is_some_and(|at| sizes[at].3);
            let mut gone = Vec::new();
            let freed = evict_until_fits(&held, budget, |entry| {
                let goes = !stays(entry);
                if goes { gone.push(entry.clone()); }
                goes
            });
            let total: u64 = held.iter().map(|held| held.bytes).sum();
            prop_assert_eq!(freed.bytes + freed.left, total);
            let may_go = held.iter().filter(|held| !stays(held)).count();
            prop_assert!(freed.left <= budget || gone.len() == may_go);
            // Nothing is evicted needlessly, and nothing before something that was used earlier.
            if let Some(last) = gone.last() {
                prop_assert!(freed.left + last.bytes > budget);
            }
            for kept in held.iter().filter(|held| !gone.contains(held) && !stays(held)) {
                for gone in &gone {
                    prop_assert!((kept.query.is_none(), kept.last_used) >= (gone.query.is_none(), gone.last_used));
                }
            }
        }
    }
}
