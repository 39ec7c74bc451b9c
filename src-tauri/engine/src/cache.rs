//! The local cache: one self-describing DuckDB file per query.
//!
//! A file holds *segments*: the input and downstream rows of one committed window, in tables with only the columns
//! that its documents have. The ledger records which segment holds which day. So concurrently streamed windows never
//! touch the same table, a new field never alters an old table, and fetching a day again removes the old segment's
//! rows and adds a new segment in one transaction.

pub mod adhoc;
pub mod export;
pub(crate) mod file;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod read;
pub mod store;
#[cfg(test)]
mod tests;
pub mod write;

pub use file::cache_file::{CacheFile, CheckedDay};
pub use file::error::{
    BadPath, CacheError, CacheErrorKind, ExportProblem, Holder, Missing, Purpose, Result, SqlProblem, Work,
};
pub use file::ledger::{FileState, HeldDay};
pub use file::meta::Identity;
pub use read::selection::FoundRow;
pub use read::stop::Stop;
pub use read::trades::TradeMatch;
pub use read::view::{MappedPaths, View, ViewCounts, mapped_paths};
pub use store::catalog::CatalogEntry;
pub(crate) use store::eviction::{bytes_of, last_used};
pub use store::folder::Cache;
pub use write::segment_writer::{Carried, Committed, DayRows, SegmentWriter};
