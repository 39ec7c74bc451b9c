//! The state that fetching and browsing share.

mod blocking;
mod budget;
mod core;
pub(crate) mod counters;
pub(crate) mod query_lock;
pub(crate) mod single_flight;
pub(crate) mod sql_results;

pub(crate) use blocking::begin_on_thread;
pub use blocking::off_thread;
pub use core::{Clock, Engine};
