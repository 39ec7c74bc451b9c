//! Running a fetch: plan, adopt, pull missing windows concurrently, commit window by window, answer. And the test of a
//! source, which makes the steps of a fetch one by one. Finding trades by their ids stores nothing.

mod arrivals;
pub mod event;
mod fetch;
mod find;
mod log;
pub(crate) mod prepare;
mod progress;
mod pull;
pub mod source_test;
mod split;
mod unmatched;
mod verify;

pub use find::find_at_source;
pub use prepare::FetchRequest;
