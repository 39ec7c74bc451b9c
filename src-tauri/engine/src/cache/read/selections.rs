//! The lists of rows that a view keeps.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use duckdb::arrow::array::AsArray as _;
use duckdb::arrow::datatypes::{Int32Type, Int64Type};
use duckdb::arrow::record_batch::RecordBatch;

use crate::rows::RowQuery;

/// The most lists that are kept.
const LISTS: usize = 8;
/// The most positions of all kept lists together, unless one list has more: 256 MiB.
const POSITIONS: usize = 32 << 20;
/// Bits of a row id in a position.
const ROW_BITS: u32 = 40;

/// Where a row is: the place of its span among those of its role, and its row id in the segment's table. Their order is
/// that of the rows as they are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Position(u64);

impl Position {
    pub(crate) fn new(place: i32, row: i64) -> Self {
        Self((u64::from(place.unsigned_abs()) << ROW_BITS) | (row.unsigned_abs() & ((1 << ROW_BITS) - 1)))
    }

    /// The positions of a batch whose first columns are places and row ids.
    pub(crate) fn of_batch(batch: &RecordBatch) -> impl Iterator<Item = Self> {
        let places = batch.column(0).as_primitive::<Int32Type>().values();
        let rows = batch.column(1).as_primitive::<Int64Type>().values();
        places.iter().zip(rows).map(|(place, row)| Self::new(*place, *row))
    }

    /// The place of the span.
    pub(crate) fn place(self) -> usize {
        usize::try_from(self.0 >> ROW_BITS).unwrap_or(usize::MAX)
    }

    /// The row id.
    pub(crate) fn row(self) -> i64 {
        i64::try_from(self.0 & ((1 << ROW_BITS) - 1)).unwrap_or(i64::MAX)
    }
}

/// What a list holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// The rows of a query.
    Rows(RowQuery),
    /// The places in a query's list of the rows that contain a text.
    Found(RowQuery, String),
}

/// A list, once it has been worked out.
#[derive(Debug, Clone)]
pub(crate) enum List {
    Rows(Arc<Vec<Position>>),
    Found(Arc<Vec<u64>>),
}

impl List {
    fn len(&self) -> usize {
        match self {
            Self::Rows(rows) => rows.len(),
            Self::Found(places) => places.len(),
        }
    }
}

pub(crate) type Slot = Arc<Mutex<Option<List>>>;

/// The lists of a view, the most recently used first.
#[derive(Debug, Default)]
pub(crate) struct Selections(Mutex<Vec<(Wanted, Slot)>>);

impl Selections {
    /// The place of a list.
    pub(crate) fn slot(&self, wanted: &Wanted) -> Slot {
        let mut slots = self.lock();
        let slot = match slots.iter().position(|(known, _)| known == wanted) {
            Some(at) => slots.remove(at).1,
            None => Slot::default(),
        };
        slots.insert(0, (wanted.clone(), Arc::clone(&slot)));
        slots.truncate(LISTS);
        slot
    }

    /// Drops the lists that were used longest ago, if there are too many positions.
    pub(crate) fn trim(&self) {
        let mut left = POSITIONS;
        let mut is_first = true;
        self.lock().retain(|(_, slot)| {
            // A list that is being worked out is counted when it is done.
            let len = slot.try_lock().ok().and_then(|list| list.as_ref().map(List::len)).unwrap_or(0);
            let stays = std::mem::take(&mut is_first) || len <= left;
            left = left.saturating_sub(len);
            stays
        });
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Wanted, Slot)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many lists are kept.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::Role;

    fn fill(selections: &Selections, text: &str, rows: usize) {
        let slot = selections.slot(&Wanted::Rows(RowQuery::of(Role::Input).containing(text)));
        let mut list = slot.lock().expect("nobody panicked");
        if list.is_none() {
            *list = Some(List::Found(Arc::new(vec![0; rows])));
        }
        drop(list);
        selections.trim();
    }

    #[test]
    fn only_the_lists_used_last_are_kept() {
        let selections = Selections::default();
        for number in 0..LISTS + 3 {
            fill(&selections, &number.to_string(), 1);
            fill(&selections, "0", 1);
        }
        assert_eq!(selections.len(), LISTS);
        assert!(
            selections
                .lock()
                .iter()
                .any(|(wanted, _)| *wanted == Wanted::Rows(RowQuery::of(Role::Input).containing("0")))
        );
    }

    #[test]
    fn long_lists_give_way_except_the_last_one() {
        let selections = Selections::default();
        for text in ["a", "b", "c"] {
            fill(&selections, text, POSITIONS / 2);
        }
        assert_eq!(selections.len(), 2);
        fill(&selections, "d", POSITIONS + 1);
        assert_eq!(selections.len(), 1);
        fill(&selections, "e", 7);
        assert_eq!(selections.len(), 1);
    }

    #[test]
    fn a_position_holds_a_place_and_a_row() {
        for (place, row) in [(0, 0), (7, 9_999_999), (100_000, (1 << ROW_BITS) - 1)] {
            let position = Position::new(place, row);
            assert_eq!((position.place(), position.row()), (usize::try_from(place).expect("small"), row));
        }
    }
}
