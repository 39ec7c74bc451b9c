//! Proves that a window can be read: what its rows add up to while they are appended is compared with what the file
//! returns once they are stored.
//!
//! DuckDB checks each block against its checksum, but not that a block holds what was written: a file of version 1.5
//! may be unreadable to the program that wrote it (duckdb/duckdb#22823).

use std::collections::BTreeMap;

use duckdb::arrow::array::AsArray as _;
use duckdb::arrow::datatypes::Int32Type;
use duckdb::arrow::record_batch::RecordBatch;

use super::error::{CacheError, Result};
use super::schema;
use super::sql::{Database, Sql, sql};
use crate::day::{Day, DaySet};
use crate::rows::Role;

/// The rows of one day: how many there are, and the sum of the hashes of their documents' bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct DaySum {
    rows: u64,
    hashes: i128,
}

/// What the rows of a table add up to, by the day that they are stored under. It does not depend on their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DocumentSums(BTreeMap<Day, DaySum>);

impl DocumentSums {
    /// Adds the rows of a batch that has the columns `day` and `doc`, as every [`Decoded`](crate::decode::Decoded) has.
    pub(crate) fn add(&mut self, batch: &RecordBatch) {
        let column = |name| batch.column_by_name(name).expect("every batch of rows has it");
        let days = column("day").as_primitive::<Int32Type>();
        let documents = column("doc").as_binary::<i32>();
        for (day, document) in days.values().iter().zip(documents.iter().flatten()) {
            let sum = self.0.entry(Day::from_number(*day)).or_default();
            sum.rows += 1;
            sum.hashes += i128::from(hash(document));
        }
    }

    /// Takes away rows that are deleted before the window is stored.
    pub(crate) fn subtract(&mut self, deleted: &Self) {
        for (day, less) in &deleted.0 {
            let sum = self.0.entry(*day).or_default();
            // Should more be deleted than there are, the figures would differ from those of the file as well.
            sum.rows = sum.rows.wrapping_sub(less.rows);
            sum.hashes -= less.hashes;
        }
        self.0.retain(|_, sum| *sum != DaySum::default());
    }

    /// Replaces the sums of some days by those of what is left of them.
    pub(crate) fn replace(&mut self, days: &DaySet, left: Self) {
        self.0.retain(|day, _| !days.contains(*day));
        self.0.extend(left.0);
    }

    /// The sums of the rows of a table that meet a condition, as DuckDB returns them.
    ///
    /// # Errors
    /// See [`CacheError`].
    pub(crate) fn of_table(connection: &Database, role: Role, segment: u32, wanted: &Sql) -> Result<Self> {
        let table = schema::table(role, segment);
        let mut select = connection.prepare(sql!(
            "SELECT day, count(*), sum(hash(doc)) FROM {table} WHERE {wanted} GROUP BY day",
            table,
            wanted
        ))?;
        let days = select.query_map([], |row| {
            Ok((Day::from_number(row.get(0)?), DaySum { rows: row.get(1)?, hashes: row.get(2)? }))
        })?;
        Ok(Self(days.collect::<Result<_, duckdb::Error>>()?))
    }
}

/// The sums of both tables of a segment.
#[derive(Debug, Clone, Default)]
pub(crate) struct SegmentSums {
    pub(crate) segment: u32,
    pub(crate) input: DocumentSums,
    pub(crate) downstream: DocumentSums,
}

impl SegmentSums {
    pub(crate) const fn of(&mut self, role: Role) -> &mut DocumentSums {
        match role {
            Role::Input => &mut self.input,
            Role::Downstream => &mut self.downstream,
        }
    }

    /// Reads both tables and compares them with these sums.
    ///
    /// # Errors
    /// `cache_damaged` if they differ; see [`CacheError`].
    pub(crate) fn expect_stored(&self, connection: &Database) -> Result<()> {
        self.compare(connection, &|_| true)
    }

    /// Does the same for some of the days, since rows of others may have been removed in the meantime.
    ///
    /// # Errors
    /// `cache_damaged` if they differ; see [`CacheError`].
    pub(crate) fn expect_days(&self, connection: &Database, days: &DaySet) -> Result<()> {
        self.compare(connection, &|day| days.contains(day))
    }

    fn compare(&self, connection: &Database, counts: &dyn Fn(Day) -> bool) -> Result<()> {
        let all = sql!("true");
        for (role, expected) in [(Role::Input, &self.input), (Role::Downstream, &self.downstream)] {
            let found = DocumentSums::of_table(connection, role, self.segment, &all)?;
            let of_days = |sums: &DocumentSums| -> Vec<(Day, DaySum)> {
                sums.0.iter().map(|(day, sum)| (*day, *sum)).filter(|(day, _)| counts(*day)).collect()
            };
            if of_days(&found) != of_days(expected) {
                return Err(CacheError::corrupt(format!(
                    "The cache file does not return the rows that were written to it ({}).",
                    schema::table(role, self.segment).as_str()
                )));
            }
        }
        Ok(())
    }
}

/// The hash of bytes that DuckDB's function `hash` returns for a BLOB (`HashBytes` in `src/common/types/hash.cpp`),
/// so that a whole table is hashed where it lies.
fn hash(bytes: &[u8]) -> u64 {
    const FACTOR: u64 = 0xd6e8_feb8_6659_fd93;
    let mut hash = 0xe17a_1465 ^ (bytes.len() as u64).wrapping_mul(0xc6a4_a793_5bd1_e995);
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        hash = (hash ^ u64::from_le_bytes(*word)).wrapping_mul(FACTOR);
    }
    if !rest.is_empty() {
        let mut word = [0; 8];
        word[..rest.len()].copy_from_slice(rest);
        hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(FACTOR);
    }
    for _ in 0..2 {
        hash = (hash ^ (hash >> 32)).wrapping_mul(FACTOR);
    }
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_the_hash_that_duckdb_gives_them() {
        let connection = duckdb::Connection::open_in_memory().expect("a database");
        for length in 0..80_u8 {
            let bytes: Vec<u8> = (0..length).map(|place| place.wrapping_mul(37) ^ length).collect();
            let expected: u64 =
                connection.query_row("SELECT hash(?::BLOB)", [&bytes], |row| row.get(0)).expect("a hash");
            assert_eq!(hash(&bytes), expected, "{length} bytes");
        }
    }
}
