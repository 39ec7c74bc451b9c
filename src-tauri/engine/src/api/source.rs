//! The source: its profile, its filter fields and whether it can be reached.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::day::Day;
use crate::failure::Failure;
use crate::query::form::{QueryInput, ValueType};
use crate::query::mapping::Mapping;
use crate::query::signature::SourceName;

/// A field of the filter form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct FilterField {
    /// Name, such as `product`.
    pub name: String,
    /// Path in the documents.
    pub path: String,
    /// Type of its values.
    pub value_type: ValueType,
}

impl FilterField {
    /// The filter fields of a mapping, in the order of the form.
    #[must_use]
    pub fn of(mapping: &Mapping) -> Vec<Self> {
        mapping
            .filters
            .iter()
            .map(|field| Self {
                name: field.name.clone(),
                path: field.path.clone(),
                value_type: field.value_type,
            })
            .collect()
    }
}

/// Whether the source can be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Connection {
    /// No source is set up.
    NotConfigured,
    /// Not known yet.
    Checking,
    /// The last check succeeded.
    Online {
        /// Round trip of the last check, in milliseconds.
        #[ts(type = "number")]
        round_trip_ms: u64,
        /// Version that the server reports.
        version: String,
        /// A warning, if the connection does not make sure that the server is the right one or is not encrypted.
        unverified: Option<String>,
        /// What was ignored in the connection string, in sentences.
        warnings: Vec<String>,
    },
    /// The last check failed.
    Offline {
        /// Why.
        failure: Failure,
    },
}

/// Where the documents are, as the trader configured it. The password is kept separately and never stored with it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SourceProfile {
    /// Connection string, without the password.
    pub uri: String,
    /// Database.
    pub database: String,
    /// Collection.
    pub collection: String,
    /// The mapping file's text; blank means the defaults.
    #[serde(default)]
    pub mapping: String,
}

/// A profile that comes from the window may still contain a pasted password, so the connection string is redacted.
impl std::fmt::Debug for SourceProfile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SourceProfile")
            .field("uri", &crate::failure::shown(&self.uri))
            .field("database", &self.database)
            .field("collection", &self.collection)
            .field("mapping", &self.mapping)
            .finish()
    }
}

/// What the window needs to know about the source in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct SourceView {
    /// The profile, if a source is set up.
    pub profile: Option<SourceProfile>,
    /// How the source is called, if one is set up.
    pub source: Option<SourceName>,
    /// Fields of the filter form, in order.
    pub fields: Vec<FilterField>,
    /// Name of the day zone, such as `Europe/London`.
    pub day_zone: String,
    /// The time zone rules in use, such as `2026b (built in)`.
    pub zone_rules: String,
    /// Today in the day zone.
    pub today: Day,
    /// Whether the source can be reached.
    pub connection: Connection,
    /// The query form as it was last left, or as the demo presets it.
    pub form: Option<QueryInput>,
    /// The folder of the cache.
    pub cache_folder: String,
}
