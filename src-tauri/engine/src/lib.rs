//! The engine of Tidemark: what to fetch, cache and deliver. It knows no window and no Tauri.
//!
//! Decisions are pure, effects are apart from them:
//!
//! | pure | effects |
//! |---|---|
//! | [`day`], [`mapping`], [`filter`], [`matcher`], [`query`], [`signature`] | [`source`]: MongoDB, read only |
//! | [`pipeline`]: what MongoDB is asked | [`cache`]: one DuckDB file a query |
//! | [`plan`]: what to serve, adopt and pull; [`limits`] | [`run`]: carries a plan out |
//! | [`decode`]: raw BSON to columns | |
//!
//! [`desk`] and [`answer`] are the types that cross to a front end; [`failure`] is the one error type.

pub mod answer;
pub mod cache;
pub mod changes;
pub mod day;
pub mod decode;
pub mod desk;
mod extended_json;
pub mod failure;
pub mod filter;
mod hashed_key;
mod id_batch;
mod left_out;
pub mod limits;
pub mod mapping;
pub mod matcher;
pub mod moment;
mod near_miss;
mod number;
mod path;
pub mod pipeline;
mod placement;
pub mod plan;
pub mod query;
pub mod run;
mod secret;
mod shell_syntax;
pub mod signature;
pub mod source;
mod trade;
pub mod uuids;
pub mod words;
pub mod zone_rules;
