//! What a day holds of its trades' messages, as questions that the source can be asked.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroU32;
use std::sync::Arc;

use bson::Bson;

use super::file::CacheFile;
use super::slices::each_document;
use crate::day::{Day, DayRange, DaySet};
use crate::desk::Role;
use crate::failure::Result;
use crate::mapping::Mapping;
use crate::source::DayCount;
use crate::trade::{ChangeStamp, Trades, trades_of};

/// Some trades of a day, and what the cache holds of their messages.
#[derive(Debug, Default)]
pub struct Question {
    /// The trade ids.
    pub ids: Vec<Bson>,
    /// The messages that carry any of them, each counted once, and their greatest change stamp.
    pub held: DayCount,
}

/// The questions of a held day, each of `most` trade ids at most; nothing where the day is not held any more.
/// The mapping is that of the query: the file's own may be of before a change stamp was mapped.
/// Only ids are kept in memory.
///
/// # Errors
/// See [`super::duckdb_failure`].
pub fn questions(
    file: &Arc<CacheFile>,
    mapping: &Mapping,
    day: Day,
    most: NonZeroU32,
) -> Result<Option<Vec<Question>>> {
    let most = usize::try_from(most.get()).unwrap_or(usize::MAX);
    let (connection, state) = file.snapshot()?;
    let Some(held) = state.days.get(&day) else { return Ok(None) };
    let Some(path) = &mapping.trade_id else { return Ok(Some(Vec::new())) };
    let mut trades = Trades::default();
    let mut ids = Vec::new();
    let mut place: HashMap<String, usize> = HashMap::new();
    let days = DaySet::from(DayRange::single(day));
    each_document(&connection, held.segment, Role::Input, &days, &mut |_, document, _| {
        let known = ids.len();
        trades.note(path, day, document, &mut ids);
        if ids.len() > known {
            for trade in trades_of(path, document) {
                // New ids came in the order of the document's trades.
                let next = place.len();
                place.entry(trade).or_insert(next);
            }
        }
        Ok(())
    })?;
    let mut questions: Vec<Question> = Vec::new();
    let mut ids = ids.into_iter().peekable();
    while ids.peek().is_some() {
        let ids = ids.by_ref().take(most).collect();
        questions.push(Question { ids, held: DayCount::default() });
    }
    each_document(&connection, held.segment, Role::Downstream, &days, &mut |_, document, _| {
        let mark = mapping.changed_at.as_deref().and_then(|path| ChangeStamp::at(document, path));
        let carried: BTreeSet<usize> = trades_of(path, document)
            .iter()
            .filter_map(|trade| place.get(trade))
            .map(|at| at / most)
            .collect();
        for question in carried {
            let held = &mut questions[question].held;
            held.rows += 1;
            held.change_mark = held.change_mark.take().max(mark.clone());
        }
        Ok(())
    })?;
    Ok(Some(questions))
}
