//! A query without its dates: its source, its mapping and its filters.

use serde::{Deserialize, Serialize};

use super::filter::Filters;
use super::form::QueryInput;
use super::mapping::Mapping;
use crate::failure::Result;

/// The port of a host that is given without one.
const DEFAULT_PORT: &str = "27017";

/// The identity of a source, however it was typed. It never contains a password.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SourceIdentity {
    /// Hosts with their ports, sorted; `srv:name` if the hosts come from DNS.
    pub hosts: Vec<String>,
    /// Name of the replica set.
    pub replica_set: Option<String>,
    /// Database.
    pub database: String,
    /// Collection of the input.
    pub collection: String,
    /// User name: two users may see different documents.
    pub user: Option<String>,
    /// How the user logs in, as far as it differs from the usual way.
    #[serde(flatten)]
    pub login: Login,
}

/// How a user logs in, as far as it differs from the usual way, which is a password with the authentication database
/// `admin`. The usual way is left out of signatures, so that files from before this distinction stay valid.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Login {
    /// The authentication database, unless it is the usual one: `admin` for a password, `$external` for other
    /// mechanisms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_source: Option<String>,
    /// The mechanism, if it is not a password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mechanism: Option<String>,
    /// The subject of the client's certificate, hashed, if the certificate logs in and no user is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}

impl SourceIdentity {
    /// Creates an identity in normal form.
    #[must_use]
    pub fn new<H: AsRef<str>>(
        hosts: impl IntoIterator<Item = H>,
        replica_set: Option<&str>,
        database: &str,
        collection: &str,
        user: Option<&str>,
    ) -> Self {
        let some = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        let mut hosts: Vec<String> = hosts
            .into_iter()
            .map(|host| host.as_ref().trim().to_owned())
            .filter(|host| !host.is_empty())
            .map(|host| normal_host(&host))
            .collect();
        hosts.sort();
        hosts.dedup();
        Self {
            hosts,
            replica_set: some(replica_set),
            database: database.to_owned(),
            collection: collection.to_owned(),
            user: some(user),
            login: Login::default(),
        }
    }

    /// The same source, read with the given login.
    #[must_use]
    pub fn with_login(mut self, login: Login) -> Self {
        self.login = login;
        self
    }

    /// The source as a person reads it: `desk.trades at db1, db2:27018 as ann`.
    #[must_use]
    pub fn describe(&self) -> String {
        let user = self.user.as_ref().map(|user| format!(" as {user}")).unwrap_or_default();
        format!("{}.{} at {}{user}", self.database, self.collection, self.shown_hosts())
    }

    /// The hosts as a person reads them: `db1, db2:27018`.
    #[must_use]
    pub fn shown_hosts(&self) -> String {
        let default = format!(":{DEFAULT_PORT}");
        let shown = |host: &String| {
            let host = host.strip_prefix("srv:").unwrap_or(host);
            host.strip_suffix(&default).unwrap_or(host).to_owned()
        };
        self.hosts.iter().map(shown).collect::<Vec<_>>().join(", ")
    }
}

/// A query without its dates.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Where the documents are.
    pub source: SourceIdentity,
    /// What their paths mean.
    pub mapping: Mapping,
    /// Which of them are requested.
    pub filters: Filters,
}

impl Query {
    /// Reads a query from what was typed, without its dates.
    ///
    /// # Errors
    /// `bad_filter`.
    pub fn parse(source: &SourceIdentity, mapping: &Mapping, input: &QueryInput) -> Result<Self> {
        let filters = Filters::parse(mapping, &input.filters, &input.advanced)?;
        Ok(Self { source: source.clone(), mapping: mapping.clone(), filters })
    }
}

/// A host in lower case and with a port. The path of a socket stays as it is, and a DNS name (`srv:`) gets no port.
fn normal_host(host: &str) -> String {
    if host.contains('/') || host.ends_with(".sock") {
        return host.to_owned();
    }
    let host = host.to_lowercase();
    if host.starts_with("srv:") {
        return host;
    }
    // An IPv6 address contains colons itself: with a port it is in brackets.
    let has_port = match (host.starts_with('['), host.matches(':').count()) {
        (true, _) => host.contains("]:"),
        (false, 0) => false,
        (false, 1) => true,
        (false, _) => return format!("[{host}]:{DEFAULT_PORT}"),
    };
    if has_port { host } else { format!("{host}:{DEFAULT_PORT}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(given: &[&str]) -> Vec<String> {
        SourceIdentity::new(given, None, "desk", "trades", None).hosts
    }

    #[test]
    fn hosts_have_one_normal_form() {
        assert_eq!(hosts(&["DB2", " db1:27017 ", "db1", ""]), ["db1:27017", "db2:27017"]);
        assert_eq!(hosts(&["[::1]", "::1", "[::1]:27018"]), ["[::1]:27017", "[::1]:27018"]);
        assert_eq!(hosts(&["srv:Desk.Example.com"]), ["srv:desk.example.com"]);
        assert_eq!(hosts(&["/tmp/MongoDB-27017.sock"]), ["/tmp/MongoDB-27017.sock"]);
    }

    #[test]
    fn a_source_reads_well() {
        let source = SourceIdentity::new(["db1", "db2:27018"], Some(""), "desk", "trades", Some("ann"));
        assert_eq!(source.describe(), "desk.trades at db1, db2:27018 as ann");
        assert_eq!(source.replica_set, None);
    }
}
