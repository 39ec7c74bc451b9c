//! The local cache: one DuckDB file a query, which says everything about itself.
//!
//! A file holds *segments*: the input and downstream rows of one committed window, as two tables
//! with just the columns that its documents have. The ledger says which segment holds which day.
//! So windows that stream side by side never touch the same table, a new field never alters an old
//! table, and a day that is fetched again is the old segment's rows out, a new segment in, in one
//! transaction.

mod access;
pub mod adopt;
pub mod budget;
mod compare;
mod destination;
mod error;
pub mod export;
mod file;
mod folder;
mod formula;
pub(crate) mod hashes;
mod identity;
mod inspect;
mod leftovers;
mod lock;
mod migrate;
mod opener;
mod overlap;
pub mod questions;
pub mod relation;
mod rights;
mod room;
mod row_order;
mod runs;
#[cfg(test)]
pub(crate) mod samples;
mod schema;
mod select;
mod slices;
mod state;
mod stream;
mod target;
mod uuid_text;
pub mod values;
mod view;
mod writer;

pub use access::read_only;
pub use error::{duckdb_failure, is_damage, is_fatal};
pub use file::{CacheFile, CheckedDay};
pub use folder::Cache;
pub use identity::Identity;
pub(crate) use room::{bytes_of, last_used};
pub use state::{FileState, HeldDay, Origin};
pub use view::{MappedPaths, View, ViewCounts, mapped_paths};
pub use writer::{Carried, Committed, DayRows, SegmentWriter};
