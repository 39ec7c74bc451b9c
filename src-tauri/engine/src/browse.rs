//! Browsing the cache. Needs no server.

mod budget;
mod export;
mod library;
mod rows;

pub use export::ExportRequest;
