//! The cache folder: finds, opens, budgets and evicts its files.

pub mod budget;
pub mod catalog;
pub(crate) mod eviction;
pub(crate) mod folder;
pub mod relocate;
