//! The types that cross to a front end, and how they are made from those of the engine. They are plain data.
//!
//! The TypeScript side is generated from them (`cargo xtask types`), and a check fails if the two drift apart.

pub mod export;
pub mod library;
pub mod plan;
pub mod rows;
pub mod source;
