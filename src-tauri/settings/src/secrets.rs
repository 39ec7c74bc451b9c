//! The secrets of a source.

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use tidemark_engine::api::connection::ConnectionUri;
use tidemark_engine::api::source::{SourceProfile, TypedSecrets};
use tidemark_engine::source::SourceSettings;

/// The secrets of a source. They print as nothing.
#[derive(Debug, Clone, Default)]
pub struct SourceSecrets {
    /// The password of the user.
    pub password: Option<SecretString>,
    /// The passphrase of the key of the client certificate.
    pub passphrase: Option<SecretString>,
    /// The password of the SOCKS5 proxy.
    pub proxy_password: Option<SecretString>,
}

impl SourceSecrets {
    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.password.is_none() && self.passphrase.is_none() && self.proxy_password.is_none()
    }

    /// A connection string without its secrets, and the secrets.
    #[must_use]
    pub fn split(uri: &str) -> (String, Self) {
        let ConnectionUri { shown, password, passphrase, proxy_password, .. } = ConnectionUri::split(uri);
        (shown, Self { password, passphrase, proxy_password })
    }

    /// What the engine needs to reach a source with these secrets. The profile contains none.
    #[must_use]
    pub fn source_settings(&self, profile: &SourceProfile) -> SourceSettings {
        let uri = ConnectionUri {
            shown: profile.uri.clone(),
            passphrase: self.passphrase.clone(),
            proxy_password: self.proxy_password.clone(),
            ..ConnectionUri::default()
        };
        SourceSettings {
            uri: uri.with_secret_options(),
            password: self.password.clone(),
            database: profile.database.clone(),
            collection: profile.collection.clone(),
        }
    }

    /// These secrets, with those of `others` for what is missing.
    #[must_use]
    pub fn or(self, others: &Self) -> Self {
        Self {
            password: self.password.or_else(|| others.password.clone()),
            passphrase: self.passphrase.or_else(|| others.passphrase.clone()),
            proxy_password: self.proxy_password.or_else(|| others.proxy_password.clone()),
        }
    }

    /// The text that a keychain keeps.
    pub(crate) fn to_kept(&self) -> String {
        let open =
            |secret: &Option<SecretString>| secret.as_ref().map(|secret| secret.expose_secret().to_owned());
        let kept = Kept {
            password: open(&self.password),
            passphrase: open(&self.passphrase),
            proxy_password: open(&self.proxy_password),
        };
        serde_json::to_string(&kept).unwrap_or_default()
    }

    /// Reads what [`to_kept`](Self::to_kept) wrote. Other text counts as a password: a person may have put it there.
    pub(crate) fn from_kept(text: String) -> Self {
        match serde_json::from_str::<Kept>(&text) {
            Ok(Kept { password, passphrase, proxy_password }) => Self {
                password: password.map(SecretString::from),
                passphrase: passphrase.map(SecretString::from),
                proxy_password: proxy_password.map(SecretString::from),
            },
            Err(_) => Self { password: typed(Some(text.into())), ..Self::default() },
        }
    }
}

impl From<TypedSecrets> for SourceSecrets {
    fn from(secrets: TypedSecrets) -> Self {
        Self {
            password: typed(secrets.password),
            passphrase: typed(secrets.passphrase),
            proxy_password: typed(secrets.proxy_password),
        }
    }
}

/// A secret that was typed; blank fields are none.
fn typed(secret: Option<SecretString>) -> Option<SecretString> {
    secret.filter(|secret| !secret.expose_secret().is_empty())
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    passphrase: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    proxy_password: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exposed(secrets: &SourceSecrets) -> [Option<&str>; 3] {
        [&secrets.password, &secrets.passphrase, &secrets.proxy_password]
            .map(|secret| secret.as_ref().map(SecretString::expose_secret))
    }

    #[test]
    fn what_is_kept_is_read_back() {
        let secrets = SourceSecrets {
            password: Some("p\"ä".into()),
            passphrase: None,
            proxy_password: Some("{}".into()),
        };
        let read = SourceSecrets::from_kept(secrets.to_kept());
        assert_eq!(exposed(&read), exposed(&secrets));
        let by_hand = SourceSecrets::from_kept("s3cret".to_owned());
        assert_eq!(exposed(&by_hand), [Some("s3cret"), None, None]);
        assert!(!format!("{secrets:?}").contains("p\\\""));
    }

    #[test]
    fn blank_fields_are_no_secrets() {
        let secrets =
            SourceSecrets::from(TypedSecrets { password: Some("".into()), ..TypedSecrets::default() });
        assert!(secrets.is_empty());
        let kept = SourceSecrets { password: Some("old".into()), ..SourceSecrets::default() };
        assert_eq!(exposed(&secrets.or(&kept))[0], Some("old"));
    }
}
