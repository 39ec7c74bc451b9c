//! Parts of a question that nothing in the collection answers to.

use std::sync::Arc;
use std::time::Duration;

use super::engine::{Engine, off_thread};
use crate::answer::{Unmatched, UnmatchedPart};
use crate::cache::{CacheFile, View, values};
use crate::desk::Role;
use crate::failure::Result;
use crate::filter::{Condition, FilterValue};
use crate::near_miss::{did_you_mean, near_misses};
use crate::signature::Query;
use crate::source::{Source, Suspect};

/// How long an answer waits to hear what nothing answers to.
const LIMIT: Duration = Duration::from_secs(5);

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
