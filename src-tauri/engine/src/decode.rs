//! Raw BSON straight into Arrow columns.
//!
//! Every leaf of a document becomes a value of a typed column under its dotted path, beside the
//! document's own bytes. A path that holds two types has two physical columns, one a type: so a
//! widening never rewrites or rounds what is stored, and the text of a value is made only when it is
//! read (see [`crate::cache::relation`]).

mod columns;
mod field;

pub use columns::{Decoded, Decoder, DocumentHash, FieldSet, MORE_FIELDS, RowKey};
pub use field::{Field, FieldId, FieldRegistry, Kind};
