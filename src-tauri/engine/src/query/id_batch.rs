//! Trade ids in batches, each for one query to the source.

use bson::Bson;

use crate::limits::Limits;

/// Bytes that an id takes in a command besides its own: its type, its array index and its length.
const OVERHEAD: usize = 16;

/// Collects ids until a batch is full, by count or by bytes: a server rejects a command of more than 48 MB, and
/// answers one of a few kilobytes sooner.
#[derive(Debug)]
pub(crate) struct IdBatch {
    max_ids: usize,
    max_bytes: usize,
    ids: Vec<Bson>,
    bytes: usize,
}

impl IdBatch {
    /// Creates an empty batch of at most as many ids and bytes as the limits say.
    pub(crate) fn new(limits: &Limits) -> Self {
        let number = |limit: std::num::NonZeroU32| usize::try_from(limit.get()).unwrap_or(usize::MAX);
        Self {
            max_ids: number(limits.ids_per_query),
            max_bytes: number(limits.bytes_per_query),
            ids: Vec::new(),
            bytes: 0,
        }
    }

    /// Adds an id. Returns the previous ids if they are a full batch. An id that exceeds the bytes of a batch gets a
    /// batch of its own.
    pub(crate) fn push(&mut self, id: Bson) -> Option<Vec<Bson>> {
        let bytes = bytes_of(&id);
        let is_full = self.ids.len() >= self.max_ids || self.bytes + bytes > self.max_bytes;
        let full = (is_full && !self.ids.is_empty()).then(|| self.take());
        self.ids.push(id);
        self.bytes += bytes;
        full
    }

    /// Takes the remaining ids.
    pub(crate) fn take(&mut self) -> Vec<Bson> {
        self.bytes = 0;
        std::mem::take(&mut self.ids)
    }

    /// Whether the batch has as many ids as it may have.
    pub(crate) fn has_most_ids(&self) -> bool {
        self.ids.len() >= self.max_ids
    }
}

/// Bytes of an id in a command.
pub(crate) fn bytes_of(id: &Bson) -> usize {
    OVERHEAD
        + match id {
            Bson::String(text) | Bson::Symbol(text) => text.len(),
            Bson::Binary(binary) => binary.bytes.len(),
            Bson::Document(document) => bson::serialize_to_vec(document).map_or(0, |bytes| bytes.len()),
            _ => 0,
        }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn batches(ids: Vec<Bson>, most: u32, most_bytes: u32) -> Vec<usize> {
        let number = |number| NonZeroU32::new(number).expect("not zero");
        let limits =
            Limits { ids_per_query: number(most), bytes_per_query: number(most_bytes), ..Limits::default() };
        let mut batch = IdBatch::new(&limits);
        let mut sizes: Vec<usize> =
            ids.into_iter().filter_map(|id| batch.push(id)).map(|full| full.len()).collect();
        sizes.push(batch.take().len());
        sizes
    }

    #[test]
    fn a_batch_is_bounded_by_count_and_by_bytes() {
        let numbers = || (0..7).map(Bson::Int32).collect::<Vec<_>>();
        assert_eq!(batches(numbers(), 3, 1_000), [3, 3, 1]);
        assert_eq!(batches(numbers(), 100, 2 * 16), [2, 2, 2, 1]);
        let long = |length: usize| Bson::String("x".repeat(length));
        assert_eq!(batches(vec![long(10), long(2_000), long(10), long(10)], 100, 1_000), [1, 1, 2]);
        assert_eq!(batches(Vec::new(), 3, 1_000), [0]);
        // A thousand ids of 20 kB never make one command of 20 MB.
        let sizes = batches((0..1_000).map(|_| long(20_000)).collect(), 1_000, 1 << 20);
        assert!(sizes.iter().all(|size| *size <= 52) && sizes.iter().sum::<usize>() == 1_000, "{sizes:?}");
    }
}
