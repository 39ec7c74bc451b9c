//! The sources: their profiles, their filter fields and whether they can be reached.

use secrecy::SecretString;
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
    /// What to call it in the window, if not its name.
    pub label: Option<String>,
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
                label: field.label.as_ref().or_else(|| mapping.labels.get(&field.path)).cloned(),
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
    /// Not known yet: the keychain has to be unlocked first.
    Unlocking,
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

/// The colour of a source, so that production is not mistaken for a test.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SourceColour {
    /// No colour.
    #[default]
    Grey,
    /// Blue.
    Blue,
    /// Green.
    Green,
    /// Amber.
    Amber,
    /// Red.
    Red,
    /// Violet.
    Violet,
}

/// Where the secrets of a source are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SecretPlace {
    /// There are none, or none have been typed since the program started.
    None,
    /// In this program's memory, until it ends.
    Memory,
    /// In the system's keychain.
    Keychain,
}

/// A source that is set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct SavedSource {
    /// Its id, which never changes.
    pub id: String,
    /// Its name, different from that of every other source.
    pub name: String,
    /// Its colour.
    pub colour: SourceColour,
    /// Where its documents are.
    pub profile: SourceProfile,
    /// Where its secrets are.
    pub secrets: SecretPlace,
}

/// A source as it is being edited.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SourceDraft {
    /// The source that is edited; `None` for a new one.
    pub id: Option<String>,
    /// Its name. Blank: made of the database and the collection.
    pub name: String,
    /// Its colour.
    pub colour: SourceColour,
    /// Where its documents are.
    pub profile: SourceProfile,
    /// The source whose secrets are used as long as none are typed and the connection string stays the same: the
    /// source that is edited, or the one that it was duplicated from.
    pub secrets_of: Option<String>,
    /// Whether to keep the secrets in the system's keychain.
    pub keep_secrets: bool,
}

/// Secrets as they were typed. `None` and blank texts: nothing was typed.
#[derive(Debug, Clone, Default, Deserialize, TS)]
#[serde(default)]
pub struct TypedSecrets {
    /// The password of the user.
    #[ts(type = "string | null")]
    pub password: Option<SecretString>,
    /// The passphrase of the key of the client certificate.
    #[ts(type = "string | null")]
    pub passphrase: Option<SecretString>,
    /// The password of the SOCKS5 proxy.
    #[ts(type = "string | null")]
    pub proxy_password: Option<SecretString>,
}

/// What to show at the start, as the command line of the app says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct OpenRequest {
    /// The signature of a cached query.
    pub signature: Option<String>,
    /// What of the command line could not be followed, in a sentence.
    pub problem: Option<String>,
}

/// What the window needs to know about the source in use, and about the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct SourceView {
    /// The sources that are set up, in the order in which they were added.
    pub sources: Vec<SavedSource>,
    /// The id of the source in use.
    pub in_use: Option<String>,
    /// Whether the system has a keychain that secrets can be kept in.
    pub has_keychain: bool,
    /// Whether there is a sample server on this computer to try.
    pub has_sample: bool,
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
