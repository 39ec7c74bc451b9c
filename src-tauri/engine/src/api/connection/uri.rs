//! Separates the secrets of a connection string from what is stored and shown.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};

use crate::secret::{is_secret_option, user_end};

/// A connection string, split into its public and its secret parts.
#[derive(Debug, Clone, Default)]
pub struct ConnectionUri {
    /// The connection string without its secrets.
    pub shown: String,
    /// The user's password, decoded.
    pub password: Option<SecretString>,
    /// The passphrase of the client certificate's key, decoded.
    pub passphrase: Option<SecretString>,
    /// The password of the proxy, decoded.
    pub proxy_password: Option<SecretString>,
    /// Whether `authMechanismProperties` was left out. They may be secret, and no login that Tidemark supports needs
    /// them.
    pub lost_properties: bool,
}

impl ConnectionUri {
    /// Splits the secrets off a connection string. Passwords with an unescaped `/`, `@` or `?` are found too.
    #[must_use]
    pub fn split(uri: &str) -> Self {
        let uri = uri.trim();
        let (scheme, rest) = uri.split_at(uri.find("://").map_or(0, |at| at + 3));
        let (user, after) = rest.split_at(user_end(rest).unwrap_or(0));
        let (user, password) = user.split_once(':').unwrap_or((user, ""));
        let (address, options) = after.split_once('?').unwrap_or((after, ""));

        let mut split = Self { password: decoded(password), ..Self::default() };
        let mut open: Vec<&str> = Vec::new();
        for option in options.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            if !is_secret_option(name) {
                open.push(option);
                continue;
            }
            match name.to_ascii_lowercase().as_str() {
                "tlscertificatekeyfilepassword" => split.passphrase = decoded(value),
                "proxypassword" => split.proxy_password = decoded(value),
                _ => split.lost_properties = true,
            }
        }
        split.shown = format!("{scheme}{user}{address}");
        if !open.is_empty() {
            split.shown.push('?');
            split.shown.push_str(&open.join("&"));
        }
        split
    }

    /// Whether there are any secrets.
    #[must_use]
    pub fn has_secrets(&self) -> bool {
        self.password.is_some() || self.passphrase.is_some() || self.proxy_password.is_some()
    }

    /// The connection string to connect with: with the passphrase and the proxy's password, but not the user's
    /// password. A secret that the connection string no longer has a use for is left out, because on its own it would
    /// be refused or turn TLS on.
    #[must_use]
    pub fn with_secret_options(&self) -> String {
        let mut uri = self.shown.clone();
        for (name, secret, needed_by) in [
            ("tlsCertificateKeyFilePassword", &self.passphrase, "tlscertificatekeyfile"),
            ("proxyPassword", &self.proxy_password, "proxyhost"),
        ] {
            if let Some(secret) = secret
                && self.has_option(needed_by)
            {
                let value = utf8_percent_encode(secret.expose_secret(), NON_ALPHANUMERIC);
                uri = format!("{uri}&{name}={value}");
            }
        }
        uri
    }

    fn has_option(&self, sought: &str) -> bool {
        let (_, options) = self.shown.split_once('?').unwrap_or_default();
        options
            .split('&')
            .any(|option| option.split_once('=').is_some_and(|(name, _)| name.eq_ignore_ascii_case(sought)))
    }
}

fn decoded(secret: &str) -> Option<SecretString> {
    let secret = percent_decode_str(secret).decode_utf8_lossy().into_owned();
    (!secret.is_empty()).then(|| secret.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(secret: Option<SecretString>) -> Option<String> {
        secret.map(|secret| secret.expose_secret().to_owned())
    }

    #[test]
    fn a_password_is_taken_out_wherever_it_is() {
        for (uri, shown, password) in [
            ("mongodb://db1/", "mongodb://db1/", None),
            ("mongodb://ann@db1/", "mongodb://ann@db1/", None),
            ("mongodb://ann:s3cret@db1,db2:27018/desk", "mongodb://ann@db1,db2:27018/desk", Some("s3cret")),
            ("mongodb+srv://ann:p%40ss@cluster", "mongodb+srv://ann@cluster", Some("p@ss")),
            ("mongodb://ann:a/b@c@db1/?tls=true", "mongodb://ann@db1/?tls=true", Some("a/b@c")),
            ("mongodb://ann:a?b=c@db1/?tls=true", "mongodb://ann@db1/?tls=true", Some("a?b=c")),
            ("mongodb://ann:@db1/", "mongodb://ann@db1/", None),
            ("mongodb://db1:27017/?appName=a@b", "mongodb://db1:27017/?appName=a@b", None),
            ("mongodb://ann:x@db1:27017?appName=a@b", "mongodb://ann@db1:27017?appName=a@b", Some("x")),
            ("ann:s3cret@db1", "ann@db1", Some("s3cret")),
            ("nonsense", "nonsense", None),
        ] {
            let split = ConnectionUri::split(uri);
            assert_eq!((split.shown.as_str(), text(split.password).as_deref()), (shown, password), "{uri}");
        }
    }

    #[test]
    fn secret_options_are_kept_for_connecting_and_not_shown() {
        let split = ConnectionUri::split(
            "mongodb://db1/?tls=true&tlsCertificateKeyFilePassword=open%21&tlsCertificateKeyFile=own.pem\
             &proxyhost=p1&PROXYPASSWORD=a%20b&authMechanismProperties=SERVICE_NAME:x&retryReads=false",
        );
        assert_eq!(
            split.shown,
            "mongodb://db1/?tls=true&tlsCertificateKeyFile=own.pem&proxyhost=p1&retryReads=false"
        );
        assert_eq!(
            split.with_secret_options(),
            format!("{}&tlsCertificateKeyFilePassword=open%21&proxyPassword=a%20b", split.shown)
        );
        assert!(split.has_secrets() && split.lost_properties && !format!("{split:?}").contains("open"));
        assert_eq!(text(split.passphrase).as_deref(), Some("open!"));
        assert_eq!(text(split.proxy_password).as_deref(), Some("a b"));
    }

    #[test]
    fn secrets_without_a_use_stay_out() {
        let split = ConnectionUri::split("mongodb://db1?proxyPassword=x&tlsCertificateKeyFilePassword=y");
        assert_eq!(split.shown, "mongodb://db1");
        assert_eq!(split.with_secret_options(), "mongodb://db1");
        let bare = ConnectionUri::split("mongodb://db1?proxyHost=p1&proxyPassword=x");
        assert_eq!(bare.with_secret_options(), "mongodb://db1?proxyHost=p1&proxyPassword=x");
    }
}
