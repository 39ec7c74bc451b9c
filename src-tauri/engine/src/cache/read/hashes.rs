//! The hash sums of a cached day's trades, to compare with those that the source computes.

use std::sync::Arc;

use super::scan::each_document;
use crate::bson::hashed_key::HashSums;
use crate::cache::file::cache_file::CacheFile;
use crate::cache::file::error::Result;
use crate::day::{Day, DaySet};
use crate::rows::Role;

/// The sums for a cached day; `None` if the day is no longer cached, or if a document cannot be hashed here.
///
/// # Errors
/// See [`crate::cache::CacheError`].
pub(crate) fn hash_sums(
    file: &Arc<CacheFile>,
    changed_at: Option<&str>,
    day: Day,
) -> Result<Option<HashSums>> {
    let (connection, state) = file.snapshot()?;
    let Some(held) = state.days.get(&day) else { return Ok(None) };
    let (mut sums, mut is_whole) = (HashSums::default(), true);
    let days: DaySet = std::iter::once(day).collect();
    each_document(&connection, held.segment, Role::Input, &days, &mut |_, document, _| {
        is_whole = is_whole && sums.add(document, changed_at);
        Ok(())
    })?;
    Ok(is_whole.then_some(sums))
}
