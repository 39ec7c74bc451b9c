//! Exports the rows of a view to a file, a pipe or standard output.

pub mod csv;
pub(crate) mod csv_text;
pub(crate) mod destination;
pub(crate) mod formula;
pub(crate) mod rights;
pub(crate) mod sql;
pub(crate) mod stream;
pub(crate) mod target;
