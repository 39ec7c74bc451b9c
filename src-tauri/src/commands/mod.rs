//! The window's commands. Each unpacks its arguments, calls the engine, and passes failures on unchanged.

pub(crate) mod cache;
pub(crate) mod clipboard;
pub(crate) mod export;
pub(crate) mod logs;
pub(crate) mod run;
pub(crate) mod settings;
pub(crate) mod source;
pub(crate) mod source_form;
pub(crate) mod sql;
pub(crate) mod trades;
pub(crate) mod view;
