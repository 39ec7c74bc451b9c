//! Queries: the form, the mapping, the filters, and the pipelines that MongoDB runs.

pub mod collation;
pub mod date_field;
pub mod filter;
pub mod filter_value;
pub mod form;
pub(crate) mod id_batch;
pub mod local_match;
pub mod mapping;
pub(crate) mod match_document;
pub(crate) mod near_miss;
pub mod pipeline;
pub(crate) mod placement;
pub(crate) mod shell_syntax;
pub mod signature;
pub mod source;
pub(crate) mod strict_json;
pub(crate) mod trade;
pub mod trade_id;
