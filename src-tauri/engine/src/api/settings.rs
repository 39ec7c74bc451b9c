//! The settings that a trader can change, besides the sources.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The theme of the window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// That of the system.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// The time zone in which the window shows points in time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ShownZone {
    /// The zone whose midnights separate the source's days.
    #[default]
    Days,
    /// That of this computer.
    Local,
    /// UTC.
    Utc,
}

/// The settings as the window shows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct SettingsView {
    /// The folder of the cache.
    pub cache_folder: String,
    /// Why the folder cannot be changed here, if so: an environment variable sets it.
    pub cache_folder_is_fixed: Option<String>,
    /// Memory that a fetch may use, in bytes, besides what wide tables need; `None`: the default.
    #[ts(type = "number | null")]
    pub memory_limit: Option<u64>,
    /// The default of the memory limit, in bytes.
    #[ts(type = "number")]
    pub default_memory_limit: u64,
    /// The least memory limit, in bytes.
    #[ts(type = "number")]
    pub least_memory_limit: u64,
    /// The theme.
    pub theme: Theme,
    /// The zone in which points in time are shown.
    pub zone: ShownZone,
    /// The file of the settings.
    pub file: String,
    /// What happened to the settings file when it was read, if it could not be used, in a sentence.
    pub notice: Option<String>,
}

/// A change of one setting.
#[derive(Debug, Clone, PartialEq, Deserialize, TS)]
#[serde(tag = "setting", rename_all = "snake_case")]
pub enum SettingsChange {
    /// The memory limit.
    MemoryLimit {
        /// In bytes; `None`: the default.
        #[ts(type = "number | null")]
        bytes: Option<f64>,
    },
    /// The theme.
    Theme {
        /// The theme.
        theme: Theme,
    },
    /// The zone in which points in time are shown.
    Zone {
        /// The zone.
        zone: ShownZone,
    },
}
