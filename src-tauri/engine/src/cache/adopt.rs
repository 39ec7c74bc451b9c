//! Adoption: days of a broader cached query, filtered locally and copied with their fetch time.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::file::CacheFile;
use super::slices::each_document;
use super::writer::{Committed, DayRows, SegmentWriter};
use crate::day::{Day, DayRange, DaySet};
use crate::decode::{Decoder, FieldSet, RowKey};
use crate::desk::Role;
use crate::failure::{Code, Failure, Result};
use crate::filter::FieldCondition;
use crate::limits::Limits;
use crate::mapping::Mapping;
use crate::matcher;
use crate::trade::{ChangeStamp, trades_of};

/// Days that an adoption is to bring.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The days.
    pub days: DayRange,
    /// When those of them were fetched that the query itself holds, as the plan saw it.
    pub held: BTreeMap<Day, DateTime<Utc>>,
}

/// What an adoption brought.
#[derive(Debug, Clone, Default)]
pub struct Adopted {
    /// The days that were copied.
    pub days: DaySet,
    /// What was stored of them.
    pub committed: Committed,
}

/// Copies the rows of the wanted days that meet `conditions` from a broader query's file.
///
/// A day that came since the plan was made stays as it is: the plan chose the copy over what was held then,
/// and what came since was fetched or chosen later.
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
    wanted: &Wanted,
    conditions: &[FieldCondition],
    mapping: &Mapping,
    limits: &Limits,
) -> Result<Adopted> {
    let days = as_planned(target, wanted);
    if days.is_empty() {
        return Ok(Adopted::default());
    }
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
    Ok(Adopted { days, committed })
}

/// The wanted days of which nothing has come since the plan was made.
fn as_planned(target: &CacheFile, wanted: &Wanted) -> DaySet {
    let state = target.state();
    let came_since = |day: &Day| {
        state.days.get(day).is_some_and(|held| wanted.held.get(day).is_none_or(|then| *then != held.fetched))
    };
    wanted.days.days().filter(|day| !came_since(day)).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::{Cache, samples};

    /// A plan may be old when its turn comes: another run has fetched a day since.
    #[test]
    fn what_came_since_the_plan_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::new(folder.path(), 0).expect("a cache");
        let [new, as_planned, newer] = [20_000, 20_001, 20_002].map(Day::from_number);
        let at = |hour: i64| DateTime::from_timestamp(20_004 * 86_400 + hour * 3_600, 0).expect("a time");
        let broader = samples::file(&cache, &[]);
        let query = samples::file(&cache, &["NG"]);
        for day in [new, as_planned, newer] {
            samples::store(&broader, day, at(2), 0..10);
        }
        samples::store(&query, as_planned, at(1), 0..3);
        samples::store(&query, newer, at(3), 0..4);

        let days = DayRange::new(new, newer).expect("a range");
        let wanted = Wanted { days, held: [as_planned, newer].map(|day| (day, at(1))).into() };
        let mapping = Mapping::default();
        let adopted = adopt(&query, &broader, &wanted, &[], &mapping, &Limits::default()).expect("adopted");

        assert_eq!(adopted.days, [new, as_planned].into_iter().collect());
        assert_eq!(adopted.committed.input_rows, 20);
        let state = query.state();
        let held = |day| (state.days[&day].fetched, state.days[&day].input_rows);
        assert_eq!([new, as_planned, newer].map(held), [(at(2), 10), (at(2), 10), (at(3), 4)]);
    }
}
