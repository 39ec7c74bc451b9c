//! Reads rows out of one file.

pub(crate) mod cell_test;
pub(crate) mod cells;
pub mod column;
pub mod distinct;
pub(crate) mod duplicates;
pub(crate) mod exact;
pub(crate) mod findings;
pub(crate) mod hashes;
pub(crate) mod row_order;
pub(crate) mod scan;
pub mod selection;
pub(crate) mod selections;
pub(crate) mod sorted;
pub(crate) mod spans;
pub mod stop;
pub mod summary;
pub(crate) mod tally;
pub mod trades;
pub(crate) mod uuid_text;
pub(crate) mod verdict;
pub mod verify_batches;
pub(crate) mod view;
pub(crate) mod worker;
