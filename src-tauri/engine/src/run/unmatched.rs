//! Parts of a query that match nothing in the collection.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::answer::{Unmatched, UnmatchedPart};
use crate::cache::read::distinct;
use crate::cache::{CacheFile, HeldDay};
use crate::engine::{Engine, off_thread};
use crate::failure::{Failure, Result};
use crate::query::filter::Condition;
use crate::query::filter_value::FilterValue;
use crate::query::near_miss::{did_you_mean, near_misses, same_beginning, same_letters};
use crate::query::source::Query;
use crate::source::{Source, Suspect};

/// How long an answer waits for this check.
const LIMIT: Duration = Duration::from_secs(7);
/// Number of cached values that a mistyped one is compared with.
const KNOWN_VALUES: u32 = 10_000;

impl Engine {
    /// Looks up at the source the filters of a query that the cached rows do not confirm, and the path of the trade id in
    /// messages if there are none, and records in the file what matches nothing.
    ///
    /// # Errors
    /// Those of the file. Nothing is named if the source fails.
    pub(super) async fn note_unmatched(
        &self,
        source: &Source,
        query: &Query,
        file: &Arc<CacheFile>,
        is_first: bool,
    ) -> Result<()> {
        let (looked_at, query) = (Arc::clone(file), query.clone());
        let suspects = off_thread(move || suspects(&looked_at, &query, is_first)).await?;
        let lacks_messages = lacks_messages(file);
        let asked = async {
            let mut found = source.unmatched(&suspects).await?;
            if lacks_messages {
                found.extend(source.unmatched_messages(&file.identity().mapping).await?);
            }
            Ok::<_, Failure>(found)
        };
        // The answer is ready; it must not wait for a collection that has no index on these fields.
        let Ok(Ok(found)) = tokio::time::timeout(LIMIT, asked).await else { return Ok(()) };
        let file = Arc::clone(file);
        off_thread(move || Ok(file.record_unmatched(found)?)).await
    }

    /// The same for days that were all adopted from broader cached queries, without querying the source: a filter is
    /// named only if it was clearly mistyped, judging by those queries' rows.
    ///
    /// # Errors
    /// Those of the files.
    pub(super) async fn note_unmatched_in_cache(
        &self,
        query: &Query,
        file: &Arc<CacheFile>,
        broader: Vec<PathBuf>,
        is_first: bool,
    ) -> Result<()> {
        let (cache, file, query) = (self.cache().clone(), Arc::clone(file), query.clone());
        off_thread(move || {
            let mut suspects = suspects(&file, &query, is_first)?;
            let lacks_messages = lacks_messages(&file);
            let mut holders = Vec::new();
            let broader = if suspects.is_empty() && !lacks_messages { Vec::new() } else { broader };
            for path in &broader {
                let holder = cache.open_listed(path)?;
                for suspect in &mut suspects {
                    suspect.values = distinct::unseen(&holder, &suspect.field.path, &suspect.values)?;
                }
                holders.push(holder);
            }
            let mut found = Vec::new();
            for suspect in &suspects {
                found.extend(unmatched_in(&holders, suspect)?);
            }
            if lacks_messages {
                // The mapping of a broader query is the same.
                let known = holders.iter().flat_map(|holder| holder.state().unmatched.clone());
                found.extend(known.filter(|of| of.part == UnmatchedPart::Messages).take(1));
            }
            Ok(file.record_unmatched(found)?)
        })
        .await
    }
}

/// Whether a file has trades with ids, but no messages.
fn lacks_messages(file: &CacheFile) -> bool {
    let state = file.state();
    let has = |rows: fn(&HeldDay) -> u64| state.days.values().any(|held| rows(held) > 0);
    file.identity().mapping.trade_id.is_some()
        && has(|held| held.input_rows)
        && !has(|held| held.downstream_rows)
}

/// The parts of a filter that match nothing in the given files: a field that none of them has, and values that occur
/// only with different case or blanks. A value unlike any in the files may be right and just not occur on these days.
fn unmatched_in(holders: &[Arc<CacheFile>], suspect: &Suspect) -> Result<Vec<Unmatched>> {
    let Suspect { field, values } = suspect;
    if field.condition == Condition::Missing {
        return Ok(Vec::new());
    }
    if !holders.iter().any(|holder| holder.registry().may_hold(&field.path)) {
        let paths: BTreeSet<String> = holders.iter().flat_map(|holder| holder.registry().paths()).collect();
        let near = near_misses(&field.path, paths.iter().map(String::as_str));
        let why =
            format!("None of the cached trades has the field {}.{}", field.place(), did_you_mean(&near));
        return Ok(vec![Suspect::without_field(field, near, why)]);
    }
    let mut known = BTreeSet::new();
    for holder in holders {
        known.extend(distinct::starting_with(holder, &field.path, "", KNOWN_VALUES)?);
    }
    let known = || known.iter().map(String::as_str);
    let mut mistyped: Vec<(&str, String, Vec<String>)> = values
        .iter()
        .map(|value| ("has the value", value.typed(), same_letters(&value.typed(), known())))
        .collect();
    if let Condition::StartsWith(start) = &field.condition {
        mistyped.push(("has a value that begins with", start.clone(), same_beginning(start, known())));
    }
    let unmatched = mistyped.into_iter().filter(|(.., near)| !near.is_empty()).map(|(has, value, near)| {
        let quoted: Vec<String> = near.iter().map(|value| format!("\"{value}\"")).collect();
        let why = format!(
            "None of the cached trades {has} \"{value}\" in {}.{}",
            field.place(),
            did_you_mean(&quoted)
        );
        Suspect::without_value(field, value, near, why)
    });
    Ok(unmatched.collect())
}

/// The filters that the cached rows do not confirm. Excluded values never occur in cached rows, so they are looked up
/// only once, on the query's first fetch (`is_first`).
fn suspects(file: &Arc<CacheFile>, query: &Query, is_first: bool) -> Result<Vec<Suspect>> {
    let has_rows = file.state().days.values().any(|held| held.input_rows > 0);
    let mut suspects = Vec::new();
    for field in &query.filters.fields {
        let values: Vec<FilterValue> = match &field.condition {
            // Every row that matched has the only value.
            Condition::AnyOf(values) if has_rows && values.len() == 1 => continue,
            Condition::AnyOf(values) if has_rows => match distinct::unseen(file, &field.path, values)? {
                unseen if unseen.is_empty() => continue,
                unseen => unseen,
            },
            Condition::NoneOf(values) if is_first => values.clone(),
            Condition::AnyOf(values) | Condition::AllOf(values) if !has_rows => values.clone(),
            _ if !has_rows => Vec::new(),
            _ => continue,
        };
        suspects.push(Suspect { field: field.clone(), values });
    }
    Ok(suspects)
}
