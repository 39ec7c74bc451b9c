//! Separates passwords from what is stored and shown.

use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret as _, SecretString};
use tidemark_engine::failure::is_secret_option;

/// A connection string, split into its public and its secret parts.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConnectionUri {
    /// The connection string without its secrets.
    pub(crate) shown: String,
    /// The password that it contained.
    pub(crate) password: Option<SecretString>,
    /// Its secret options, as written.
    options: Vec<SecretString>,
}

impl ConnectionUri {
    /// Splits the secrets off a connection string.
    pub(crate) fn split(uri: &str) -> Self {
        let uri = uri.trim();
        let (address, query) = uri.split_once('?').map_or((uri, None), |(head, tail)| (head, Some(tail)));
        let (address, password) = without_password(address);
        let (secret, open): (Vec<&str>, Vec<&str>) = query
            .unwrap_or_default()
            .split('&')
            .filter(|option| !option.is_empty())
            .partition(|option| is_secret_option(option.split('=').next().unwrap_or_default()));
        Self {
            shown: if query.is_some() && !open.is_empty() {
                format!("{address}?{}", open.join("&"))
            } else {
                address
            },
            password: password.map(SecretString::from),
            options: secret.into_iter().map(SecretString::from).collect(),
        }
    }

    /// Whether there are any secrets.
    pub(crate) fn has_secrets(&self) -> bool {
        self.password.is_some() || !self.options.is_empty()
    }

    /// The connection string to connect with, including its secret options but not the password.
    pub(crate) fn uri(&self) -> String {
        if self.options.is_empty() {
            return self.shown.clone();
        }
        let options: Vec<&str> = self.options.iter().map(SecretString::expose_secret).collect();
        let options = options.join("&");
        if self.shown.contains('?') {
            return format!("{}&{options}", self.shown);
        }
        // Options must follow a slash, which a string without a database may lack.
        let has_path = self.shown.split_once("://").is_some_and(|(_, rest)| rest.contains('/'));
        format!("{}{}?{options}", self.shown, if has_path { "" } else { "/" })
    }
}

/// Splits an address into the part without the password, and the password. Uses the last `@`, since a slash or `@`
/// that was not escaped is still part of the password.
fn without_password(address: &str) -> (String, Option<String>) {
    let unchanged = || (address.to_owned(), None);
    let Some(start) = address.find("://").map(|at| at + 3) else { return unchanged() };
    let Some(sign) = address.rfind('@').filter(|sign| *sign >= start) else { return unchanged() };
    let Some((user, password)) = address[start..sign].split_once(':') else { return unchanged() };
    let password = percent_decode_str(password).decode_utf8_lossy().into_owned();
    (
        format!("{}{user}{}", &address[..start], &address[sign..]),
        Some(password).filter(|text| !text.is_empty()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(uri: &str) -> (String, Option<String>) {
        let taken = ConnectionUri::split(uri);
        (taken.shown, taken.password.map(|password| password.expose_secret().to_owned()))
    }

    #[test]
    fn a_password_is_taken_out_wherever_it_stands() {
        let cases = [
            ("mongodb://db1/", "mongodb://db1/", None),
            ("mongodb://ann@db1/", "mongodb://ann@db1/", None),
            ("mongodb://ann:s3cret@db1,db2:27018/desk", "mongodb://ann@db1,db2:27018/desk", Some("s3cret")),
            ("mongodb+srv://ann:p%40ss@cluster", "mongodb+srv://ann@cluster", Some("p@ss")),
            ("mongodb://ann:a/b@c@db1/?tls=true", "mongodb://ann@db1/?tls=true", Some("a/b@c")),
            ("mongodb://ann:@db1/", "mongodb://ann@db1/", None),
            ("mongodb://db1:27017/?appName=a@b", "mongodb://db1:27017/?appName=a@b", None),
            ("nonsense", "nonsense", None),
        ];
        for (uri, shown, password) in cases {
            assert_eq!(taken(uri), (shown.to_owned(), password.map(str::to_owned)), "{uri}");
        }
    }

    #[test]
    fn secret_options_are_kept_for_connecting_and_not_shown() {
        let taken = ConnectionUri::split(
            "mongodb://db1/?tls=true&tlsCertificateKeyFilePassword=open%21&retryReads=false",
        );
        assert_eq!(taken.shown, "mongodb://db1/?tls=true&retryReads=false");
        assert_eq!(
            taken.uri(),
            "mongodb://db1/?tls=true&retryReads=false&tlsCertificateKeyFilePassword=open%21"
        );
        assert!(taken.has_secrets() && !format!("{taken:?}").contains("open"));
        let alone = ConnectionUri::split("mongodb://db1?proxyPassword=x");
        assert_eq!(
            (alone.shown.as_str(), alone.uri().as_str()),
            ("mongodb://db1", "mongodb://db1/?proxyPassword=x")
        );
    }
}
