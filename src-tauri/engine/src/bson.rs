//! Values inside documents: numbers, paths, keys and texts. Knows only BSON.

pub mod change_stamp;
pub mod diff;
pub(crate) mod elements;
pub mod equality_key;
pub mod extjson;
pub(crate) mod hashed_key;
pub(crate) mod number;
pub(crate) mod path;
pub(crate) mod shown;
pub mod uuids;
