//! Running a fetch: plan, adopt, pull missing windows concurrently, commit window by window, answer.

mod arrivals;
pub mod event;
mod fetch;
mod log;
pub(crate) mod prepare;
mod progress;
mod pull;
mod split;
mod unmatched;
mod verify;

pub use prepare::FetchRequest;
