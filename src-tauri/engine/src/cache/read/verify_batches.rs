//! The messages of a cached day's trades, in batches that can be compared with the source.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use bson::Bson;

use super::scan::each_document;
use crate::bson::change_stamp::{ChangeStamp, DayCount};
use crate::cache::file::cache_file::CacheFile;
use crate::cache::file::error::Result;
use crate::day::{Day, DayRange, DaySet};
use crate::limits::Limits;
use crate::query::id_batch::{IdBatch, bytes_of};
use crate::query::mapping::Mapping;
use crate::query::trade::{Trades, trades_of};
use crate::rows::Role;

/// A batch: some trades of a day, and what the cache holds of their messages.
#[derive(Debug, Default)]
pub struct Question {
    /// The trade ids.
    pub ids: Vec<Bson>,
    /// The messages that carry any of them, each counted once, and their greatest change stamp.
    pub held: DayCount,
}

impl Question {
    /// Bytes of its ids in a command.
    pub(crate) fn bytes(&self) -> usize {
        self.ids.iter().map(bytes_of).sum()
    }
}

/// Returns the batches of a cached day, each as large as the limits allow; `None` if the day is no longer cached. The
/// mapping is that of the query: the file's own may date from before a change stamp was mapped. Only ids are kept in
/// memory.
///
/// # Errors
/// See [`crate::cache::CacheError`].
pub fn questions(
    file: &Arc<CacheFile>,
    mapping: &Mapping,
    day: Day,
    limits: &Limits,
) -> Result<Option<Vec<Question>>> {
    let (connection, state) = file.snapshot()?;
    let Some(held) = state.days.get(&day) else { return Ok(None) };
    let paths = mapping.trade_path(Role::Input).zip(mapping.trade_path(Role::Downstream));
    let Some((path, path_in_messages)) = paths else { return Ok(Some(Vec::new())) };
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
    // The batch of the id at each place.
    let mut question_of = Vec::with_capacity(ids.len());
    let mut batch = IdBatch::new(limits);
    let question = |ids| Question { ids, held: DayCount::default() };
    for id in ids {
        questions.extend(batch.push(id).map(question));
        question_of.push(questions.len());
    }
    questions.extend(Some(batch.take()).filter(|rest| !rest.is_empty()).map(question));
    each_document(&connection, held.segment, Role::Downstream, &days, &mut |_, document, _| {
        let mark = mapping.changed_at.as_deref().and_then(|path| ChangeStamp::at(document, path));
        let carried: BTreeSet<usize> = trades_of(path_in_messages, document)
            .iter()
            .filter_map(|trade| question_of.get(*place.get(trade)?).copied())
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
