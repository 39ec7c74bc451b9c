//! The cache: listing and deleting cached queries, the budget, and the values to suggest.

use std::sync::Arc;
use std::time::Duration;

use tauri::State;
use tidemark_engine::api::library::{CacheUsage, CachedQuery, EvictionPreview};
use tidemark_engine::api::rows::Suggested;
use tidemark_engine::api::source::Connection;
use tidemark_engine::day::{Day, DayRange};
use tidemark_engine::failure::{Code, Failure, Result};
use tidemark_engine::query::filter::Filters;
use tidemark_engine::query::signature::Signature;

use crate::state::AppState;
use crate::suggestions::{OFFERED, REMEMBERED, merged};

/// How long to wait for the source if a field has too many values to keep.
const FIRST_CHECK_TIMEOUT: Duration = Duration::from_millis(400);

/// The cached queries.
#[tauri::command]
pub(crate) async fn cached_queries(state: State<'_, Arc<AppState>>) -> Result<Vec<CachedQuery>> {
    state.engine()?.cached_queries().await
}

/// Deletes a cached query, or some of its days.
#[tauri::command]
pub(crate) async fn forget(
    state: State<'_, Arc<AppState>>,
    signature: String,
    from: Option<Day>,
    to: Option<Day>,
) -> Result<()> {
    let range = match (from, to) {
        (None, None) => None,
        (Some(from), Some(to)) => Some(DayRange::new(from, to)?),
        _ => return Err(Failure::new(Code::BadRange, "To forget some days, give the first and the last.")),
    };
    state.engine()?.forget(&Signature::parse(&signature)?, range).await?;
    if let Some(active) = state.active() {
        active.suggestions.forget();
    }
    Ok(())
}

/// How much the cache uses and may use.
#[tauri::command]
pub(crate) async fn cache_usage(state: State<'_, Arc<AppState>>) -> Result<CacheUsage> {
    state.engine()?.cache_usage().await
}

/// Sets how much the cache may use, in bytes, and evicts queries at once if necessary.
#[tauri::command]
pub(crate) async fn set_cache_budget(state: State<'_, Arc<AppState>>, bytes: u64) -> Result<()> {
    state.engine()?.set_cache_budget(bytes).await?;
    Ok(())
}

/// What a budget in bytes would evict.
#[tauri::command]
pub(crate) async fn preview_eviction(state: State<'_, Arc<AppState>>, bytes: u64) -> Result<EvictionPreview> {
    state.engine()?.preview_eviction(bytes).await
}

/// Pins a query so that it is never evicted, or unpins it.
#[tauri::command]
pub(crate) async fn pin_query(
    state: State<'_, Arc<AppState>>,
    signature: String,
    pinned: bool,
) -> Result<()> {
    state.engine()?.pin(&Signature::parse(&signature)?, pinned).await
}

/// Values to suggest for a field: first those in the cache, then those of the source.
#[tauri::command]
pub(crate) async fn suggest(
    state: State<'_, Arc<AppState>>,
    field: String,
    prefix: String,
) -> Result<Suggested> {
    let nothing = Suggested { values: Vec::new(), is_coming: false };
    let Some(active) = state.active() else { return Ok(nothing) };
    let Some(field) = active.mapping.filters.iter().find(|known| known.name == field).cloned() else {
        return Ok(nothing);
    };
    let engine = state.engine()?;
    let query = active.query_of(Filters::default());
    let today = active.mapping.day_zone.day_of(engine.now());
    let ask = |prefix: String, limit: u32| {
        let (active, field) = (Arc::clone(&active), field.clone());
        async move { active.probe_client.suggestions(&active.mapping, &field, &prefix, today, limit).await }
    };
    let is_online = matches!(state.monitor.now(), Connection::Online { .. });
    let all = engine.cached_values(&query, &field.path, "", REMEMBERED);
    let asked = is_online.then(|| ask(String::new(), REMEMBERED));
    let remembered = active.suggestions.starting_with(&field.path, &prefix, all, asked).await?;
    if let Some(remembered) = remembered {
        return Ok(remembered);
    }
    let cached = engine.cached_values(&query, &field.path, &prefix, OFFERED).await?;
    let answered = match is_online {
        true => {
            tokio::time::timeout(FIRST_CHECK_TIMEOUT, ask(prefix, OFFERED)).await.ok().and_then(Result::ok)
        }
        false => None,
    };
    let values = merged(cached.into_iter().chain(answered.unwrap_or_default()));
    Ok(Suggested { values, is_coming: false })
}
