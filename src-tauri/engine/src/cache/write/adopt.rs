//! Adoption: days of a broader cached query, filtered locally and copied with their fetch time.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::segment_writer::{Carried, Committed, DayRows, SegmentWriter};
use crate::answer::left_out;
use crate::bson::change_stamp::ChangeStamp;
use crate::cache::file::cache_file::CacheFile;
use crate::cache::file::error::{CacheError, CacheErrorKind, Missing, Result, Work};
use crate::cache::file::ledger::FileState;
use crate::cache::file::sql::Database;
use crate::cache::read::scan::each_document;
use crate::day::{Day, DayRange, DaySet};
use crate::decode::{Decoder, FieldSet, RowKey};
use crate::limits::Limits;
use crate::plan::ledger::Ledger;
use crate::query::filter::FieldCondition;
use crate::query::local_match;
use crate::query::mapping::Mapping;
use crate::query::trade::{TradeIds, Trades};
use crate::rows::Role;

/// The days to adopt.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The days.
    pub days: DayRange,
    /// The query's own ledger, as the plan saw it.
    pub held: Ledger,
}

/// The result of an adoption.
#[derive(Debug, Clone, Default)]
pub struct Adopted {
    /// The days that were copied.
    pub days: DaySet,
    /// What was stored for them.
    pub committed: Committed,
    /// The failure that kept the other wanted days from being copied, after some were.
    pub stopped: Option<CacheError>,
}

/// About how many trades beyond the first ones of messages are buffered before they are stored.
const CARRIED: usize = 4_096;

/// Copies the rows of the wanted days that meet `conditions` from a broader query's file.
///
/// A day that has been fetched since the plan was made stays as it is, and so does one that was found different at
/// the source since: the plan chose the copy over what was cached then. No other window of the query may be storing
/// these days meanwhile.
///
/// A downstream message of a day belongs to the trades of that day, so it is copied if one of its trades was. A
/// message that is input of the broader query is downstream here if its trade is input here: the broader file records
/// which of its input are also messages. The mapping is that of the query, whose change stamp the files may not know
/// yet.
///
/// # Errors
/// `cancelled` if it was, and if a document cannot be decided locally as MongoDB would, so that its days have to be
/// fetched; `not_cached` if the broader file no longer has a day; see [`crate::cache::CacheError`].
pub fn adopt(
    target: &Arc<CacheFile>,
    broader: &Arc<CacheFile>,
    wanted: &Wanted,
    conditions: &[FieldCondition],
    mapping: &Mapping,
    limits: &Limits,
    cancel: &CancellationToken,
) -> Result<Adopted> {
    let days = as_planned(target, wanted);
    if days.is_empty() {
        return Ok(Adopted::default());
    }
    let (connection, state) = broader.snapshot()?;
    let mut by_segment: BTreeMap<u32, Vec<Day>> = BTreeMap::new();
    for day in days.days() {
        let Some(held) = state.days.get(&day) else {
            return Err(CacheErrorKind::NotCached(Missing::CopiedDay).into());
        };
        by_segment.entry(held.segment).or_default().push(day);
    }
    let copying =
        Copying { target, connection: &connection, state: &state, conditions, mapping, limits, cancel };
    let mut adopted = Adopted::default();
    for (segment, days) in by_segment {
        // One window per segment: within a window, every message is stored once.
        match copying.segment(segment, &days.iter().copied().collect()) {
            Ok(committed) => {
                adopted.days = adopted.days.union(&days.into_iter().collect());
                adopted.committed.extend(committed);
            }
            Err(failure) if adopted.days.is_empty() => return Err(failure),
            Err(failure) => {
                adopted.stopped = Some(failure);
                break;
            }
        }
    }
    target.record_collation(&broader.collation())?;
    Ok(adopted)
}

/// What the copies of several segments have in common.
struct Copying<'a> {
    target: &'a Arc<CacheFile>,
    connection: &'a Database,
    state: &'a FileState,
    conditions: &'a [FieldCondition],
    mapping: &'a Mapping,
    limits: &'a Limits,
    cancel: &'a CancellationToken,
}

impl Copying<'_> {
    /// Copies some days of one segment.
    fn segment(&self, segment: u32, days: &DaySet) -> Result<Committed> {
        let Self { target, connection, state, mapping, .. } = self;
        let origin = days.days().find_map(|day| state.origin_of(state.days.get(&day)?)).cloned();
        let mut writer = SegmentWriter::begin(Arc::clone(target))?.with_limits(self.limits).of_origin(origin);
        let decoder = |trades| Decoder::new(Arc::clone(target.registry()), trades).with_limits(self.limits);
        let (mut input, mut downstream) = (decoder(false), decoder(true));
        let mut trades = Trades::default();
        let mut ids = Vec::new();
        let mut counts: HashMap<Day, u64> = HashMap::new();
        let mut marks: HashMap<Day, Option<ChangeStamp>> = HashMap::new();
        let mut odd_ids: HashMap<Day, u64> = HashMap::new();
        each_document(connection, segment, Role::Input, days, &mut |day, document, read| {
            self.go_on()?;
            for condition in self.conditions {
                match local_match::matches(condition, document) {
                    Some(true) => {}
                    Some(false) => return Ok(()),
                    None => return Err(undecidable()),
                }
            }
            if let Some(path) = &mapping.trade_id {
                if trades.note(path, day, document, &mut ids) == TradeIds::Odd {
                    *odd_ids.entry(day).or_default() += 1;
                }
                // Their messages are not requested from the server.
                ids.clear();
            }
            if let Some(path) = &mapping.changed_at {
                let mark = marks.entry(day).or_default();
                *mark = mark.take().max(ChangeStamp::at(document, path));
            }
            input.push(RowKey { day, trade: None, read }, document);
            *counts.entry(day).or_default() += 1;
            flush(&mut writer, Role::Input, &mut input, false)
        })?;
        let mut carried = Vec::new();
        let mut linked: HashSet<Day> = HashSet::new();
        each_document(connection, segment, Role::Downstream, days, &mut |_, document, read| {
            self.go_on()?;
            let Some(path) = mapping.trade_path(Role::Downstream) else { return Ok(()) };
            let mut found = trades.of_message(path, document, &(0..usize::MAX)).into_iter();
            let Some((trade, stored)) = found.next() else { return Ok(()) };
            let number = downstream.push(RowKey { day: stored, trade: Some(&trade), read }, document);
            for (trade, day) in found {
                linked.insert(day);
                carried.push(Carried { number, stored, trade, day });
            }
            if carried.len() >= CARRIED {
                writer.carry(&std::mem::take(&mut carried))?;
            }
            flush(&mut writer, Role::Downstream, &mut downstream, false)
        })?;
        writer.carry(&carried)?;
        let mut presence = HashMap::new();
        for (role, decoder) in [(Role::Input, &mut input), (Role::Downstream, &mut downstream)] {
            flush(&mut writer, role, decoder, true)?;
            presence.insert(role, decoder.take_presence());
        }
        let extra_days = trades.into_extra_days();
        let mut any = FieldSet::default();
        presence[&Role::Downstream].values().for_each(|fields| any.extend(fields));
        linked.extend(extra_days.iter().map(|(day, _)| *day));
        let rows = days
            .days()
            .filter_map(|day| {
                let held = state.days.get(&day)?;
                let mut fields =
                    |role| presence.get_mut(&role).and_then(|of| of.remove(&day)).unwrap_or_default();
                let (input_fields, mut downstream_fields) = (fields(Role::Input), fields(Role::Downstream));
                if linked.contains(&day) {
                    downstream_fields.extend(&any);
                }
                let mut left_out = held.left_out.clone();
                // Counted above for the trades that match this query.
                left_out.remove(left_out::TRADE_ID);
                left_out.extend(odd_ids.remove(&day).map(|trades| (left_out::TRADE_ID.to_owned(), trades)));
                let rows = DayRows {
                    fetched: held.fetched,
                    input_rows: counts.get(&day).copied().unwrap_or(0),
                    input_fields,
                    downstream_fields,
                    change_mark: marks.remove(&day).flatten().as_ref().and_then(ChangeStamp::to_text),
                    differs: held.differs,
                    bounds: held.bounds,
                    left_out,
                };
                Some((day, rows))
            })
            .collect();
        writer.commit(rows, &extra_days)
    }

    fn go_on(&self) -> Result<()> {
        if self.cancel.is_cancelled() {
            return Err(CacheErrorKind::Cancelled(Work::Fetch).into());
        }
        Ok(())
    }
}

/// The wanted days that have not been fetched or checked since the plan was made.
fn as_planned(target: &CacheFile, wanted: &Wanted) -> DaySet {
    let state = target.state();
    let is_as_planned = |day: &Day| {
        let Some(held) = state.days.get(day) else { return true };
        wanted.held.get(day).is_some_and(|then| (then.fetched, then.differs) == (held.fetched, held.differs))
    };
    wanted.days.days().filter(is_as_planned).collect()
}

fn flush(writer: &mut SegmentWriter, role: Role, decoder: &mut Decoder, all: bool) -> Result<()> {
    if (all || decoder.is_full())
        && let Some(decoded) = decoder.finish_batch()
    {
        writer.append(role, decoded)?;
    }
    Ok(())
}

fn undecidable() -> CacheError {
    CacheErrorKind::Undecided.into()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::cache::{Cache, CheckedDay, fixtures};

    /// A plan may be outdated when it is carried out: another run may have fetched or checked a day since.
    #[test]
    fn what_came_since_the_plan_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::new(folder.path(), 0).expect("a cache");
        let days = [20_000, 20_001, 20_002, 20_003].map(Day::from_number);
        let [new, as_planned, newer, checked] = days;
        let at = |hour: i64| DateTime::from_timestamp(20_005 * 86_400 + hour * 3_600, 0).expect("a time");
        let broader = fixtures::file(&cache, &[]);
        let query = fixtures::file(&cache, &["NG"]);
        for day in days {
            fixtures::store(&broader, day, at(2), 0..10);
        }
        for day in [as_planned, newer, checked] {
            fixtures::store(&query, day, at(1), 0..3);
        }
        let wanted =
            Wanted { days: DayRange::new(new, checked).expect("a range"), held: query.state().ledger() };
        fixtures::store(&query, newer, at(3), 0..4);
        let segment = query.state().days[&checked].segment;
        let found = CheckedDay { segment, differed: false, differs: true };
        query.record_check(&[(checked, found)].into()).expect("remembered");

        let (mapping, limits, cancel) = (Mapping::default(), Limits::default(), CancellationToken::new());
        let adopted = adopt(&query, &broader, &wanted, &[], &mapping, &limits, &cancel).expect("adopted");

        assert_eq!(adopted.days, [new, as_planned].into_iter().collect());
        assert_eq!(adopted.committed.input_rows, 20);
        let state = query.state();
        let held = |day| {
            let held = &state.days[&day];
            (held.fetched, held.input_rows, held.differs)
        };
        let copied = (at(2), 10, false);
        assert_eq!(days.map(held), [copied, copied, (at(3), 4, false), (at(1), 3, true)]);
    }
}
