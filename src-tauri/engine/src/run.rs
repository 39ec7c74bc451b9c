//! Running a fetch: plan, adopt, pull missing windows concurrently, commit window by window, answer. And the test of a
//! source, which makes the steps of a fetch one by one.

mod arrivals;
pub mod event;
mod fetch;
mod log;
pub(crate) mod prepare;
mod progress;
mod pull;
pub mod source_test;
mod split;
mod unmatched;
mod verify;

pub use prepare::FetchRequest;
