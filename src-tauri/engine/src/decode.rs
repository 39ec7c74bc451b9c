//! Decodes raw BSON straight into Arrow columns.
//!
//! Every leaf of a document becomes a value in a typed column under its dotted path, next to the document's own
//! bytes. A path with two types has two physical columns, one per type, so a new type never rewrites or rounds what
//! is stored, and the text of a value is made only when it is read (see [`crate::cache::read::column`]).

mod columns;
mod field;
mod field_set;

pub use columns::{Decoded, Decoder, DocumentHash, MORE_FIELDS, RowKey};
pub use field::{Field, FieldId, FieldRegistry, Kind};
pub use field_set::FieldSet;
