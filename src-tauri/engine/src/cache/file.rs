//! Opens, checks and describes one file.

pub(crate) mod access;
pub(crate) mod cache_file;
pub(crate) mod error;
pub(crate) mod ledger;
pub(crate) mod lock;
pub(crate) mod memory;
pub(crate) mod meta;
pub(crate) mod migrate;
pub(crate) mod opener;
pub(crate) mod paths;
pub(crate) mod read_back;
pub(crate) mod schema;
pub(crate) mod sql;
pub(crate) mod validate;
