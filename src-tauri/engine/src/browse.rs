//! Browsing the cache. Needs no server.

mod budget;
mod export;
mod library;
mod rows;
mod sql;
mod trades;

pub use export::ExportRequest;
pub use trades::FindIn;
