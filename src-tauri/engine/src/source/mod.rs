//! MongoDB, read only: connecting, reaching, pulling, counting.

mod connect;
mod error;
mod read;

pub use connect::{Source, SourceSettings};
pub use error::mongodb_failure;
pub(crate) use read::approximate;
pub use read::{Batches, DayCount, PullOrder};
