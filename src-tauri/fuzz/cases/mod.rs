//! What hostile input must not break. `cargo fuzz` runs these on what it invents, and an ordinary test of
//! the engine runs them on the corpora. Each panics where a property does not hold.

pub mod bson_to_columns;
pub mod cache_file;
pub mod filter_and_match;
pub mod mapping_file;

use serde_json::Value;
use tidemark_engine::failure::Failure;
use tidemark_engine::query::mapping::Mapping;
use tidemark_engine::query::source::Query;
use tidemark_engine::query::source::SourceIdentity;

/// Whether a JSON value names an operator that runs code on the server, at any depth.
fn names_server_code(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.iter().any(|(key, value)| {
            ["$where", "$function", "$accumulator"].contains(&key.to_lowercase().as_str())
                || names_server_code(value)
        }),
        Value::Array(items) => items.iter().any(names_server_code),
        _ => false,
    }
}

/// What came of an input that was refused.
fn refused(failure: &Failure) -> String {
    format!("refused, {}: {}", failure.code, failure.message)
}

/// A query of these filters at some source.
fn query(mapping: &Mapping, filters: tidemark_engine::query::filter::Filters) -> Query {
    let source = SourceIdentity::new(["db1"], None, "desk", "trades", Some("ann"));
    Query { source, mapping: mapping.clone(), filters }
}
