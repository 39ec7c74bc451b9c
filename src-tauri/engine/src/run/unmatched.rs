//! Parts of a question that nothing in the collection answers to.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::engine::{Engine, off_thread};
use crate::answer::{Unmatched, UnmatchedPart};
use crate::cache::{CacheFile, View, values};
use crate::failure::Result;
use crate::query::filter::Condition;
use crate::query::filter_value::FilterValue;
use crate::query::near_miss::{did_you_mean, near_misses, same_beginning, same_letters};
use crate::query::source::Query;
use crate::rows::Role;
use crate::source::{Source, Suspect};

/// How long an answer waits to hear what nothing answers to.
const LIMIT: Duration = Duration::from_secs(7);
/// Cached values that a mistyped one is compared with.
const KNOWN_VALUES: u32 = 10_000;

impl Engine {
    /// Asks the source about those filters of a query that the cached rows do not show to be meant, and remembers in
    /// the file what nothing answers to.
    ///
    /// # Errors
    /// Those of the file. What the source does not tell is not named.
    pub(super) async fn note_unmatched(
        &self,
        source: &Source,
        query: &Query,
        file: &Arc<CacheFile>,
        is_first: bool,
    ) -> Result<()> {
        let (looked_at, query) = (Arc::clone(file), query.clone());
        let suspects = off_thread(move || suspects(&looked_at, &query, is_first)).await?;
        let found = if suspects.is_empty() {
            Vec::new()
        } else {
            // An answer that is there need not wait for a collection without an index on these fields.
            let asked = tokio::time::timeout(LIMIT, source.unmatched(&suspects)).await;
            let Ok(Ok(found)) = asked else { return Ok(()) };
            found
        };
        let file = Arc::clone(file);
        off_thread(move || file.record_unmatched(found)).await
    }

    /// The same for days that came from broader cached queries alone, so that the source is not asked: of what
    /// they hold, a filter is named only if it was clearly not meant.
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
            let mut holders = Vec::new();
            let broader = if suspects.is_empty() { Vec::new() } else { broader };
            for path in &broader {
                let holder = cache.open_listed(path)?;
                for suspect in &mut suspects {
                    suspect.values = values::unseen(&holder, &suspect.field.path, &suspect.values)?;
                }
                holders.push(holder);
            }
            let mut found = Vec::new();
            for suspect in &suspects {
                found.extend(unmatched_in(&holders, suspect)?);
            }
            file.record_unmatched(found)
        })
        .await
    }
}

/// The parts of a filter that none of some files holds: a field that none of them has, and values that they have with
/// other case or blanks. A value that is nothing like theirs may be right, and just not be there on these days.
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
        known.extend(values::starting_with(holder, &field.path, "", KNOWN_VALUES)?);
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

/// The filters that the cached rows do not show to be meant. Values to be kept out are in no row, so they are looked
/// at once, when the query `is_first` fetched.
fn suspects(file: &Arc<CacheFile>, query: &Query, is_first: bool) -> Result<Vec<Suspect>> {
    let has_rows = file.state().days.values().any(|held| held.input_rows > 0);
    let mut suspects = Vec::new();
    for field in &query.filters.fields {
        let values: Vec<FilterValue> = match &field.condition {
            // A row that matched has the only value.
            Condition::AnyOf(values) if has_rows && values.len() == 1 => continue,
            Condition::AnyOf(values) if has_rows => match values::unseen(file, &field.path, values)? {
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

/// What nothing answers to, of the query that a view is of.
pub(super) fn unmatched_of(view: &View) -> Vec<Unmatched> {
    let mut unmatched = view.state().unmatched.clone();
    unmatched.extend(no_trade_ids(view));
    unmatched
}

/// What is to be said of trades without any trade id, whenever they are looked at.
fn no_trade_ids(view: &View) -> Option<Unmatched> {
    let path = view.path_without_trade_ids()?;
    let columns = view.columns(Role::Input);
    let known = columns.iter().map(|column| &*column.path);
    let near = near_misses(path, known);
    let why = format!(
        "None of these trades has a trade id ({path}); their messages cannot be found.{}",
        did_you_mean(&near)
    );
    Some(Unmatched {
        part: UnmatchedPart::TradeId,
        field: None,
        path: path.to_owned(),
        value: None,
        near,
        why,
    })
}
