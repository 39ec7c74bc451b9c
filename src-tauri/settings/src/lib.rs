//! What Tidemark remembers between starts. The window and the command line share it.
//!
//! | what | where |
//! |---|---|
//! | the sources, the form, the settings | `settings.json` in the settings folder; see [`SettingsFile`] |
//! | the secrets of the sources | the system's keychain, if there is one; see [`Keychain`] |
//!
//! | environment variable | meaning |
//! |---|---|
//! | `TIDEMARK_SETTINGS_DIR` | the settings folder, instead of the system's |
//! | `TIDEMARK_CACHE_DIR` | the cache folder, instead of the one in the settings |
//! | `TIDEMARK_KEYCHAIN` | `off`: there is no keychain |

mod file;
mod keychain;
mod secrets;
mod stored;

use std::path::PathBuf;

pub use file::{SettingsError, SettingsFile};
pub use keychain::{Keychain, KeychainError};
pub use secrets::SourceSecrets;
pub use stored::{Settings, StoredSource};

/// The environment variable that names the settings folder.
pub const SETTINGS_FOLDER: &str = "TIDEMARK_SETTINGS_DIR";
/// The environment variable that names the cache folder.
pub const CACHE_FOLDER: &str = "TIDEMARK_CACHE_DIR";
/// The app's identifier, after which the folder of its settings is called.
const IDENTIFIER: &str = "app.tidemark.desktop";

/// A folder that an environment variable names.
#[must_use]
pub fn folder_in(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The settings folder of this system; `None` if the user has no home.
#[must_use]
pub fn default_folder() -> Option<PathBuf> {
    directories::BaseDirs::new().map(|folders| folders.config_dir().join(IDENTIFIER))
}
