//! Reads rows out of one file.

pub mod column;
pub mod distinct;
pub(crate) mod duplicates;
pub(crate) mod findings;
pub(crate) mod hashes;
pub(crate) mod row_order;
pub(crate) mod scan;
pub(crate) mod spans;
pub(crate) mod uuid_text;
pub(crate) mod verdict;
pub mod verify_batches;
pub(crate) mod view;
