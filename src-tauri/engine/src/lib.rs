//! The engine of Tidemark: what to fetch, cache and deliver. It knows no window and no Tauri.
//!
//! Decisions are pure, and effects are kept apart from them. The rooms, from the lowest to the highest; a room imports
//! only from rooms above it in this list:
//!
//! | room | what it does | effects |
//! |---|---|---|
//! | [`bson`] | values inside documents | none |
//! | [`query`] | the form, the mapping, the filters, the pipelines | none |
//! | [`plan`] | decides what to serve, adopt and fetch | none |
//! | [`proposal`] | proposes a mapping from sampled documents | none |
//! | [`answer`] | describes the result | none |
//! | [`decode`] | raw BSON to Arrow columns | none |
//! | [`source`] | MongoDB, read only | network |
//! | [`cache`] | one DuckDB file per query | disk |
//! | [`api`] | the types that cross to a front end | none |
//! | [`engine`] | the state that fetching and browsing share | all |
//! | [`run`] | carries a plan out | all |
//! | [`browse`] | looks at what is cached; needs no server | disk |
//!
//! `cargo xtask check` names an import that breaks this rule.

pub mod answer;
pub mod api;
pub mod browse;
pub mod bson;
pub mod cache;
pub mod day;
pub mod decode;
pub mod engine;
pub mod failure;
pub mod limits;
pub mod moment;
pub mod plan;
pub mod proposal;
pub mod query;
pub mod rows;
pub mod run;
mod secret;
pub mod source;
pub mod words;
pub mod zone_rules;
