//! The types that are passed to a front end, and their conversion from the engine's types. They are plain data.
//!
//! The TypeScript side is generated from them (`cargo xtask types`), and a check fails if the two drift apart.

pub(crate) mod cache_failures;
pub mod connection;
pub mod export;
pub mod library;
pub mod mapping;
pub mod plan;
pub mod rows;
pub mod settings;
pub mod source;
pub(crate) mod source_failures;
pub mod source_test;
pub mod sql;
