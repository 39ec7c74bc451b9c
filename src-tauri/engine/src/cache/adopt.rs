//! Adoption: days of a broader cached query, filtered locally and copied with their fetch time.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::file::CacheFile;
use super::slices::each_document;
use super::writer::{Committed, DayRows, SegmentWriter};
use crate::day::{Day, DayRange};
use crate::decode::{Decoder, FieldSet, RowKey};
use crate::desk::Role;
use crate::failure::{Code, Failure, Result};
use crate::filter::FieldCondition;
use crate::limits::Limits;
use crate::mapping::Mapping;
use crate::matcher;
use crate::trade::{ChangeStamp, trades_of};

/// Copies the rows of `days` that meet `conditions` from a broader query's file.
///
/// A downstream message of a day belongs to the trades of that day, so it is copied where one of its
/// trades was. A message that is input of the broader query is downstream here if its trade is: the
/// broader file notes which of its input are messages too. The mapping is that of the query, whose change stamp
/// the files may not know yet.
///
/// # Errors
/// `cancelled` where a document cannot be decided locally as MongoDB would, so that its days have to be
/// fetched; see [`super::duckdb_failure`].
pub fn adopt(
    target: &Arc<CacheFile>,
    broader: &Arc<CacheFile>,
    days: DayRange,
    conditions: &[FieldCondition],
    mapping: &Mapping,
    limits: &Limits,
) -> Result<Committed> {
    let (connection, state) = broader.snapshot()?;
    let mut writer = SegmentWriter::begin(Arc::clone(target))?.with_limits(limits);
    let mut input = Decoder::new(Arc::clone(target.registry()), false).with_limits(limits);
    let mut downstream = Decoder::new(Arc::clone(target.registry()), true).with_limits(limits);
    let mut rows: BTreeMap<Day, DayRows> = BTreeMap::new();
    for day in days.days() {
        let Some(held) = state.days.get(&day) else {
            return Err(Failure::new(Code::NotCached, "The broader query does not hold this day any more."));
        };
        let mut count = 0;
        let mut trades = HashSet::new();
        let mut mark = None;
        each_document(&connection, held.segment, Role::Input, day, &mut |document, _| {
            for condition in conditions {
                match matcher::matches(condition, document) {
                    Some(true) => {}
                    Some(false) => return Ok(()),
                    None => return Err(undecidable()),
                }
            }
            if let Some(path) = &mapping.trade_id {
                trades.extend(trades_of(path, document));
            }
            if let Some(path) = &mapping.changed_at {
                mark = mark.take().max(ChangeStamp::at(document, path));
            }
            input.push(RowKey { day, trade: None }, document);
            count += 1;
            flush(&mut writer, Role::Input, &mut input, false)
        })?;
        each_document(&connection, held.segment, Role::Downstream, day, &mut |document, trade| {
            if let Some(trade) = trade.filter(|trade| trades.contains(*trade)) {
                downstream.push(RowKey { day, trade: Some(trade) }, document);
            }
            flush(&mut writer, Role::Downstream, &mut downstream, false)
        })?;
        rows.insert(
            day,
            DayRows {
                fetched: held.fetched,
                input_rows: count,
                input_fields: FieldSet::default(),
                downstream_fields: FieldSet::default(),
                change_mark: mark.as_ref().and_then(ChangeStamp::to_text),
                differs: held.differs,
            },
        );
    }
    for (role, decoder) in [(Role::Input, &mut input), (Role::Downstream, &mut downstream)] {
        flush(&mut writer, role, decoder, true)?;
        for (day, fields) in decoder.take_presence() {
            if let Some(entry) = rows.get_mut(&day) {
                match role {
                    Role::Input => entry.input_fields = fields,
                    Role::Downstream => entry.downstream_fields = fields,
                }
            }
        }
    }
    let committed = writer.commit(rows, &[])?;
    target.record_collation(&broader.collation())?;
    Ok(committed)
}

fn flush(writer: &mut SegmentWriter, role: Role, decoder: &mut Decoder, all: bool) -> Result<()> {
    if (all || decoder.is_full())
        && let Some(decoded) = decoder.finish_batch()
    {
        writer.append(role, decoded)?;
    }
    Ok(())
}

fn undecidable() -> Failure {
    Failure::new(Code::Cancelled, "A document cannot be judged locally as MongoDB would.")
}
