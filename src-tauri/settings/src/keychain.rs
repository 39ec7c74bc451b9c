//! The system's keychain: Keychain Services on macOS, the Credential Manager on Windows, the Secret Service elsewhere.

use std::time::Duration;

use keyring_core::{Entry, Error};
use thiserror::Error as ThisError;
use tracing::debug;

use crate::secrets::SourceSecrets;

/// The service under which a keychain lists what is Tidemark's.
const SERVICE: &str = "Tidemark";
/// The environment variable that turns the keychain off.
const SWITCH: &str = "TIDEMARK_KEYCHAIN";

/// The system's keychain. Its calls block, and may wait until a person has unlocked it: they belong on blocking threads.
#[derive(Debug, Clone, Copy)]
pub struct Keychain {
    /// Whether it was turned off.
    is_off: bool,
}

/// Why the keychain does not do what it was asked.
#[derive(Debug, ThisError)]
pub enum KeychainError {
    /// There is none.
    #[error("this system has no keychain")]
    None,
    /// It refused.
    #[error("the keychain refused: {0}")]
    Refused(String),
}

impl Keychain {
    /// How long a program should wait for the keychain before it goes on without it. A person may have to unlock it
    /// first.
    pub const PATIENCE: Duration = Duration::from_secs(60);

    /// The keychain of this system, unless `TIDEMARK_KEYCHAIN` is `off`.
    #[must_use]
    pub fn of_system() -> Self {
        Self { is_off: std::env::var_os(SWITCH).is_some_and(|value| value == "off") }
    }

    /// Whether there is a keychain.
    #[must_use]
    pub fn is_there(self) -> bool {
        self.prepare().is_ok()
    }

    /// The secrets of a source, if any are kept.
    ///
    /// # Errors
    /// See [`KeychainError`].
    pub fn read(self, source: &str) -> Result<Option<SourceSecrets>, KeychainError> {
        match self.entry(source)?.get_password() {
            Ok(kept) => Ok(Some(SourceSecrets::from_kept(kept))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(refused(&error)),
        }
    }

    /// Keeps the secrets of a source, in place of those kept before.
    ///
    /// # Errors
    /// See [`KeychainError`].
    pub fn write(self, source: &str, secrets: &SourceSecrets) -> Result<(), KeychainError> {
        self.entry(source)?.set_password(&secrets.to_kept()).map_err(|error| refused(&error))
    }

    /// Removes the secrets of a source. Succeeds if there are none.
    ///
    /// # Errors
    /// See [`KeychainError`].
    pub fn remove(self, source: &str) -> Result<(), KeychainError> {
        match self.entry(source)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(refused(&error)),
        }
    }

    fn entry(self, source: &str) -> Result<Entry, KeychainError> {
        self.prepare()?;
        Entry::new(SERVICE, source).map_err(|error| refused(&error))
    }

    /// Connects to the keychain on the first use.
    fn prepare(self) -> Result<(), KeychainError> {
        if self.is_off {
            return Err(KeychainError::None);
        }
        if cfg!(test) {
            return Ok(());
        }
        match keyring::Entry::store_status() {
            Ok(()) => Ok(()),
            Err(error) => {
                debug!("there is no keychain: {error}");
                Err(KeychainError::None)
            }
        }
    }
}

/// The message of a keychain contains no secret, but its debug output may.
fn refused(error: &Error) -> KeychainError {
    KeychainError::Refused(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;

    #[test]
    fn secrets_are_kept_per_source_and_removed() {
        keyring_core::set_default_store(keyring_core::mock::Store::new().expect("a store"));
        let keychain = Keychain { is_off: false };
        let secrets =
            |password: &str| SourceSecrets { password: Some(password.into()), ..SourceSecrets::default() };
        assert!(keychain.read("1").expect("reads").is_none());
        keychain.write("1", &secrets("first")).expect("written");
        keychain.write("2", &secrets("second")).expect("written");
        keychain.write("1", &secrets("third")).expect("written");
        let read = |source: &str| {
            let kept = keychain.read(source).expect("reads");
            kept.and_then(|kept| kept.password).map(|password| password.expose_secret().to_owned())
        };
        assert_eq!((read("1").as_deref(), read("2").as_deref()), (Some("third"), Some("second")));
        keychain.remove("1").expect("removed");
        keychain.remove("1").expect("there is none, which is fine");
        assert_eq!((read("1").as_deref(), read("2").as_deref()), (None, Some("second")));
    }

    #[test]
    fn a_keychain_that_is_off_is_none() {
        let keychain = Keychain { is_off: true };
        assert!(!keychain.is_there());
        assert!(matches!(keychain.write("1", &SourceSecrets::default()), Err(KeychainError::None)));
    }
}
