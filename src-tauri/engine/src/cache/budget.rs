//! How much disk the cache may take, and what goes first when it takes more. Nothing here touches a disk.

use std::path::PathBuf;

use chrono::{DateTime, Utc};

use crate::query::signature::Signature;

/// Bytes that the cache may take where nobody has said otherwise.
pub const DEFAULT_BUDGET: u64 = 20_000_000_000;

/// What takes up room in the cache folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occupant {
    /// Its file.
    pub path: PathBuf,
    /// The query that the file answers; nothing for a damaged file that was set aside.
    pub query: Option<Signature>,
    /// Bytes it takes, its log and what was spilled included.
    pub bytes: u64,
    /// When it was last fetched, shown or exported.
    pub last_used: DateTime<Utc>,
}

/// What was done to keep within the budget.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Freed {
    /// Queries that went, in the order they went.
    pub queries: Vec<Signature>,
    /// Files that had been set aside, and went.
    pub set_aside: usize,
    /// Bytes that are free now.
    pub bytes: u64,
    /// Bytes that the cache takes now.
    pub left: u64,
}

/// In which order things go: the least recently used query first. What was set aside goes last: somebody may still
/// want to rescue what is in it.
#[must_use]
pub fn order_of_going(occupants: &[Occupant]) -> Vec<&Occupant> {
    let mut order: Vec<&Occupant> = occupants.iter().collect();
    order.sort_by_key(|occupant| (occupant.query.is_none(), occupant.last_used, &occupant.path));
    order
}

/// Lets things go, in order, until the rest fits. `remove` says whether it let one go: what is pinned or
/// in use stays, and the next one goes instead.
pub fn fit(occupants: &[Occupant], budget: u64, mut remove: impl FnMut(&Occupant) -> bool) -> Freed {
    let mut freed = Freed { left: occupants.iter().map(|held| held.bytes).sum(), ..Freed::default() };
    for occupant in order_of_going(occupants) {
        if freed.left <= budget {
            break;
        }
        if !remove(occupant) {
            continue;
        }
        freed.left -= occupant.bytes;
        freed.bytes += occupant.bytes;
        match &occupant.query {
            Some(signature) => freed.queries.push(signature.clone()),
            None => freed.set_aside += 1,
        }
    }
    freed
}

/// What a trader is told about it; nothing where all is within the budget and nothing went.
#[must_use]
pub fn sentence(freed: &Freed, budget: u64) -> Option<String> {
    let mut parts = Vec::new();
    match freed.queries.len() {
        0 => {}
        1 => parts.push("the least recently used query".to_owned()),
        many => parts.push(format!("the {many} least recently used queries")),
    }
    match freed.set_aside {
        0 => {}
        1 => parts.push("a damaged file that had been set aside".to_owned()),
        many => parts.push(format!("{many} damaged files that had been set aside")),
    }
    let gone = (!parts.is_empty()).then(|| {
        let were = if freed.queries.len() + freed.set_aside == 1 { "was" } else { "were" };
        let (gone, freed) = (parts.join(" and "), size_text(freed.bytes));
        format!("To keep the cache within {}, {gone} {were} removed ({freed}).", size_text(budget))
    });
    let over = (freed.left > budget).then(|| {
        let (left, budget) = (size_text(freed.left), size_text(budget));
        format!("The cache uses {left}, more than its budget of {budget}: everything that remains is pinned or in use.")
    });
    match (gone, over) {
        (Some(gone), Some(over)) => Some(format!("{gone} {over}")),
        (gone, over) => gone.or(over),
    }
}

/// Bytes as a person reads them: "20 GB", "1.5 MB".
#[must_use]
pub fn size_text(bytes: u64) -> String {
    bytesize::ByteSize::b(bytes).display().si().to_string().replace(".0 ", " ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn occupant(number: u8, is_query: bool, bytes: u64, used: i64) -> Occupant {
        let signature = Signature::parse(&format!("{number:032x}")).expect("32 digits");
        Occupant {
            path: PathBuf::from(format!("{signature}.duckdb")),
            query: is_query.then_some(signature),
            bytes,
            last_used: DateTime::from_timestamp(used, 0).expect("a time"),
        }
    }

    fn numbers(freed: &Freed) -> Vec<u8> {
        freed.queries.iter().map(|name| u8::from_str_radix(&name.as_str()[30..], 16).unwrap_or(0)).collect()
    }

    #[test]
    fn the_least_recently_used_goes_first_and_no_more_than_has_to() {
        let held = [occupant(1, true, 10, 300), occupant(2, true, 10, 100), occupant(3, true, 10, 200)];
        assert!(numbers(&fit(&held, 30, |_| true)).is_empty());
        assert_eq!(numbers(&fit(&held, 29, |_| true)), [2]);
        assert_eq!(numbers(&fit(&held, 11, |_| true)), [2, 3]);
        assert_eq!(numbers(&fit(&held, 0, |_| true)), [2, 3, 1]);
    }

    #[test]
    fn what_was_set_aside_goes_after_any_query() {
        let held = [occupant(1, true, 10, 900), occupant(2, false, 10, 100)];
        let freed = fit(&held, 10, |_| true);
        assert_eq!((freed.set_aside, freed.queries.len(), freed.left), (0, 1, 10));
        assert_eq!(fit(&held, 0, |_| true).set_aside, 1);
    }

    #[test]
    fn a_trader_is_told_what_went_and_what_is_still_too_much() {
        let held = [occupant(1, true, 4_000_000, 1), occupant(2, true, 2_500_000, 2)];
        assert_eq!(sentence(&fit(&held, 6_500_000, |_| true), 6_500_000), None);
        assert_eq!(
            sentence(&fit(&held, 3_000_000, |_| true), 3_000_000).as_deref(),
            Some("To keep the cache within 3 MB, the least recently used query was removed (4 MB).")
        );
        assert_eq!(
            sentence(&fit(&held, 1_000_000, |_| false), 1_000_000).as_deref(),
            Some(
                "The cache uses 6.5 MB, more than its budget of 1 MB: everything that remains is pinned or in use."
            )
        );
    }

    proptest! {
        #[test]
        fn it_fits_or_all_that_may_go_is_gone(
            sizes in prop::collection::vec((0_u64..1_000, 0_i64..50, any::<bool>(), any::<bool>()), 0..20),
            budget in 0_u64..8_000,
        ) {
            let held: Vec<Occupant> = (0..).zip(&sizes)
                .map(|(number, (bytes, used, is_query, _))| occupant(number, *is_query, *bytes, *used))
                .collect();
            let stays = |asked: &Occupant| held.iter().position(|held| held == asked).is_some_and(|at| sizes[at].3);
            let mut gone = Vec::new();
            let freed = fit(&held, budget, |occupant| {
                let goes = !stays(occupant);
                if goes { gone.push(occupant.clone()); }
                goes
            });
            let total: u64 = held.iter().map(|held| held.bytes).sum();
            prop_assert_eq!(freed.bytes + freed.left, total);
            let may_go = held.iter().filter(|held| !stays(held)).count();
            prop_assert!(freed.left <= budget || gone.len() == may_go);
            // Nothing goes in vain, and nothing that was used later goes before something used earlier.
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
