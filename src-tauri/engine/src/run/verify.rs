//! Verifying held days: the source counts, the ledger answers for itself.

use std::collections::BTreeMap;

use crate::day::{Day, DayRange, DaySet};
use crate::failure::Result;
use crate::plan::Ledger;
use crate::signature::Query;
use crate::source::Source;

/// The held days of a range whose count or change mark differs at the source.
pub(super) async fn differing(
    source: &Source,
    query: &Query,
    range: DayRange,
    ledger: &Ledger,
    marks: &BTreeMap<Day, Option<String>>,
) -> Result<DaySet> {
    if ledger.range(range.from()..=range.to()).next().is_none() {
        return Ok(DaySet::new());
    }
    let counts = source.day_counts(query, range).await?;
    Ok(ledger
        .range(range.from()..=range.to())
        .filter(|(day, held)| {
            let theirs = counts.get(day).cloned().unwrap_or_default();
            theirs.rows != held.input_rows
                || (query.mapping.changed_at.is_some()
                    && marks.get(day).is_none_or(|mark| *mark != theirs.change_mark))
        })
        .map(|(day, _)| *day)
        .collect())
}

/// What the check came to, in one sentence.
pub(super) fn sentence(held: usize, differing: &DaySet, unverified: &DaySet, fetched: &DaySet) -> String {
    if !unverified.is_empty() {
        return format!("{} cached days could not be checked against the server.", unverified.len());
    }
    let left = differing.difference(fetched).len();
    let checked = format!("Checked {held} cached days against the server");
    match (held, differing.len(), left) {
        (0, _, _) => "No cached day to check.".to_owned(),
        (_, 0, _) => format!("{checked}: none differs."),
        (_, 1, 0) => format!("{checked}: 1 differed and was fetched again."),
        (_, many, 0) => format!("{checked}: {many} differed and were fetched again."),
        (_, many, left) => format!("{checked}: {many} differed, {left} of them could not be fetched again."),
    }
}
