//! Writes rows into one file.

pub mod adopt;
pub(crate) mod compare;
pub(crate) mod copied;
pub(crate) mod segment_writer;
