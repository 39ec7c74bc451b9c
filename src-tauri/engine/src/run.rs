//! Running a fetch: plan, adopt, pull what is missing side by side, commit window by window, answer.

mod arrivals;
mod browse;
mod engine;
pub mod event;
mod export;
mod fetch;
mod prepare;
mod progress;
mod pull;
mod room;
mod shared;
mod split;
mod unmatched;
mod verify;

pub use engine::{Clock, Engine, off_thread};
pub use export::ExportRequest;
pub use prepare::FetchRequest;
