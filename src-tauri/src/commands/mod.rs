//! The commands of the window. Each unpacks, calls the engine, and lets its failure cross as it is.

pub(crate) mod cache;
pub(crate) mod clipboard;
pub(crate) mod export;
pub(crate) mod run;
pub(crate) mod source;
pub(crate) mod view;
