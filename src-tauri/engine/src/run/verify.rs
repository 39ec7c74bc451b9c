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

/// What the check found, in one sentence.
pub(super) fn sentence(differing: &DaySet, ledger: &Ledger, range: DayRange) -> String {
    let checked = ledger.range(range.from()..=range.to()).count();
    match (checked, differing.len()) {
        (0, _) => "No cached day to check.".to_owned(),
        (checked, 0) => format!("Checked {checked} cached days against the server: none differs."),
        (checked, 1) => {
            format!("Checked {checked} cached days against the server: 1 differed and was fetched again.")
        }
        (checked, many) => {
            format!(
                "Checked {checked} cached days against the server: {many} differed and were fetched again."
            )
        }
    }
}
