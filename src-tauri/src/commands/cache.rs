//! What is cached: the list, forgetting, and the values to suggest.

use std::time::Duration;

use tauri::State;
use tidemark_engine::day::{Day, DayRange};
use tidemark_engine::desk::{CacheUsage, CachedQuery, Connection};
use tidemark_engine::failure::{Code, Failure, Result};
use tidemark_engine::filter::Filters;
use tidemark_engine::signature::Signature;

use crate::state::AppState;

/// Suggestions at most.
const SUGGESTIONS: u32 = 50;
/// How long the source is waited for where the cache knows nothing. Typing goes on meanwhile.
const ALONE: Duration = Duration::from_secs(3);
/// How long it is waited for where the cache knows something: that should be seen at once.
const BESIDE: Duration = Duration::from_millis(400);

/// The cached queries.
#[tauri::command]
pub(crate) async fn cached_queries(state: State<'_, AppState>) -> Result<Vec<CachedQuery>> {
    state.engine()?.cached_queries().await
}

/// Forgets a cached query, or some of its days.
#[tauri::command]
pub(crate) async fn forget(
    state: State<'_, AppState>,
    signature: String,
    from: Option<Day>,
    to: Option<Day>,
) -> Result<()> {
    let range = match (from, to) {
        (None, None) => None,
        (Some(from), Some(to)) => Some(DayRange::new(from, to)?),
        _ => return Err(Failure::new(Code::BadRange, "To forget some days, give the first and the last.")),
    };
    state.engine()?.forget(&Signature::parse(&signature)?, range).await
}

/// What the cache takes and may take.
#[tauri::command]
pub(crate) async fn cache_usage(state: State<'_, AppState>) -> Result<CacheUsage> {
    state.engine()?.cache_usage().await
}

/// Sets what the cache may take, in bytes, and makes room at once.
#[tauri::command]
pub(crate) async fn set_cache_budget(state: State<'_, AppState>, bytes: u64) -> Result<()> {
    state.engine()?.set_cache_budget(bytes).await?;
    Ok(())
}

/// Keeps a query when room is made, or lets it go again.
#[tauri::command]
pub(crate) async fn pin_query(state: State<'_, AppState>, signature: String, pinned: bool) -> Result<()> {
    state.engine()?.pin(&Signature::parse(&signature)?, pinned).await
}

/// Values to suggest for a field: first what the cache knows, then what the source has.
#[tauri::command]
pub(crate) async fn suggest(
    state: State<'_, AppState>,
    field: String,
    prefix: String,
) -> Result<Vec<String>> {
    let Some(active) = state.active() else { return Ok(Vec::new()) };
    let Some(field) = active.mapping.filters.iter().find(|known| known.name == field) else {
        return Ok(Vec::new());
    };
    let query = active.query_of(Filters::default());
    let cached = state.engine()?.cached_values(&query, &field.path, &prefix, SUGGESTIONS).await?;
    if !matches!(state.link.now(), Connection::Online { .. }) {
        return Ok(cached);
    }
    let today = active.mapping.day_zone.day_of(state.engine()?.now());
    let asked = active.aside.suggestions(&active.mapping, field, &prefix, today, SUGGESTIONS);
    let patience = if cached.is_empty() { ALONE } else { BESIDE };
    // A suggestion that does not come is only a value to type.
    let asked = tokio::time::timeout(patience, asked).await.ok().and_then(Result::ok).unwrap_or_default();
    Ok(merged(cached, asked))
}

/// The cached values first, each value once.
fn merged(cached: Vec<String>, asked: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    let values = cached.into_iter().chain(asked).filter(|value| seen.insert(value.clone()));
    values.take(SUGGESTIONS as usize).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cached_comes_first_and_once() {
        let texts = |values: &[&str]| values.iter().map(ToString::to_string).collect::<Vec<_>>();
        let values = merged(texts(&["Gas TTF", "Brent"]), texts(&["Brent", "Coal API2"]));
        assert_eq!(values, ["Gas TTF", "Brent", "Coal API2"]);
        let many: Vec<String> = (0..80).map(|number| number.to_string()).collect();
        assert_eq!(merged(many.clone(), many).len(), 50);
    }
}
