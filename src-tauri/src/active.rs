//! The source in use.

use std::sync::{Mutex, PoisonError};

use secrecy::{ExposeSecret as _, SecretString};
use tidemark_engine::api::source::{Connection, SourceProfile};
use tidemark_engine::engine::Engine;
use tidemark_engine::failure::Result;
use tidemark_engine::plan::ledger::FetchMode;
use tidemark_engine::query::filter::Filters;
use tidemark_engine::query::form::QueryInput;
use tidemark_engine::query::mapping::Mapping;
use tidemark_engine::query::source::Query;
use tidemark_engine::run::FetchRequest;
use tidemark_engine::source::SourceOrigin;
use tidemark_engine::source::{Source, SourceSettings};
use tokio::sync::OnceCell;

use crate::secrets::ConnectionUri;
use crate::suggestions::Suggestions;

/// A source that is set up, with the mapping of its documents.
pub(crate) struct ActiveSource {
    /// The profile that is stored and shown: contains no secrets.
    pub(crate) profile: SourceProfile,
    /// The mapping.
    pub(crate) mapping: Mapping,
    /// The client for runs, which counts the commands they send.
    pub(crate) source: Source,
    /// The client for checks, plans and suggestions: their commands must not count as a run's.
    pub(crate) probe_client: Source,
    /// Values that the form offers.
    pub(crate) suggestions: Suggestions,
    secrets: ConnectionUri,
    version: OnceCell<String>,
    /// The origin that was last recorded in the cached queries.
    origin: Mutex<Option<SourceOrigin>>,
}

impl ActiveSource {
    /// Sets up a source without using the network. A password that was entered earlier for the same connection string
    /// is reused, so that changing the mapping does not require entering it again.
    ///
    /// # Errors
    /// `bad_source` if the connection string or a name cannot be used, `bad_mapping`.
    pub(crate) fn open(
        typed: &SourceProfile,
        password: Option<SecretString>,
        before: Option<&Self>,
    ) -> Result<Self> {
        let mut secrets = ConnectionUri::split(&typed.uri);
        if let Some(password) = password.filter(|password| !password.expose_secret().is_empty()) {
            secrets.password = Some(password);
        }
        if !secrets.has_secrets()
            && let Some(before) = before.filter(|before| before.profile.uri == secrets.shown)
        {
            secrets = before.secrets.clone();
        }
        let settings = SourceSettings {
            uri: secrets.uri(),
            password: secrets.password.clone(),
            database: typed.database.clone(),
            collection: typed.collection.clone(),
        };
        Ok(Self {
            profile: SourceProfile {
                uri: secrets.shown.clone(),
                database: typed.database.trim().to_owned(),
                collection: typed.collection.trim().to_owned(),
                mapping: typed.mapping.clone(),
            },
            mapping: Mapping::parse(&typed.mapping)?,
            source: Source::new(&settings)?,
            probe_client: Source::new(&settings)?,
            suggestions: Suggestions::default(),
            secrets,
            version: OnceCell::new(),
            origin: Mutex::default(),
        })
    }

    /// The query of a form, without its dates.
    ///
    /// # Errors
    /// `bad_filter`.
    pub(crate) fn query(&self, input: &QueryInput) -> Result<Query> {
        Query::parse(self.source.identity(), &self.mapping, input)
    }

    /// A query with these filters.
    pub(crate) fn query_of(&self, filters: Filters) -> Query {
        Query { source: self.source.identity().clone(), mapping: self.mapping.clone(), filters }
    }

    /// The engine request for a form.
    ///
    /// # Errors
    /// `bad_filter`, `bad_range`.
    pub(crate) fn request(&self, input: &QueryInput, mode: FetchMode, offline: bool) -> Result<FetchRequest> {
        FetchRequest::parse(&self.source, &self.mapping, input, mode, offline)
    }

    /// Checks whether the source is reachable.
    pub(crate) async fn check(&self) -> Connection {
        match self.try_check().await {
            Ok(online) => online,
            Err(failure) => Connection::Offline { failure },
        }
    }

    /// Checks which collections and replica set are behind the address, and records a change in the cached queries:
    /// days from a different cluster or a recreated collection become unverified.
    pub(crate) async fn check_origin(&self, engine: &Engine) {
        let Ok((origin, _)) = self.probe_client.origin(&self.mapping).await else { return };
        if self.origin.lock().unwrap_or_else(PoisonError::into_inner).as_ref() == Some(&origin) {
            return;
        }
        if engine.note_origin(&self.query_of(Filters::default()), origin.clone()).await.is_ok() {
            *self.origin.lock().unwrap_or_else(PoisonError::into_inner) = Some(origin);
        }
    }

    /// Checks whether the source is reachable.
    ///
    /// # Errors
    /// Why it is not: `source_unreachable`, `auth_failed`, `tls_failed`.
    pub(crate) async fn try_check(&self) -> Result<Connection> {
        let round_trip = self.probe_client.ping().await?;
        // A server that does not report its version is still reachable; the next check tries again.
        let version = self.version.get_or_try_init(|| self.probe_client.version()).await.ok();
        Ok(Connection::Online {
            // "0 ms" would not look credible.
            round_trip_ms: u64::try_from(round_trip.as_millis()).unwrap_or(u64::MAX).max(1),
            version: version.cloned().unwrap_or_else(|| "unknown".to_owned()),
            unverified: self.probe_client.unverified_link().map(ToString::to_string),
            warnings: self.probe_client.warnings().iter().map(ToString::to_string).collect(),
        })
    }
}

/// Prints only the profile: the rest contains the password.
impl std::fmt::Debug for ActiveSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ActiveSource").field("profile", &self.profile).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidemark_engine::failure::Code;

    fn profile(uri: &str, mapping: &str) -> SourceProfile {
        SourceProfile {
            uri: uri.to_owned(),
            database: " desk ".to_owned(),
            collection: "trades".to_owned(),
            mapping: mapping.to_owned(),
        }
    }

    fn form(from: &str, to: &str) -> QueryInput {
        QueryInput { from: from.to_owned(), to: to.to_owned(), filters: Vec::new(), advanced: String::new() }
    }

    #[test]
    fn what_is_shown_holds_no_password() {
        let active =
            ActiveSource::open(&profile("mongodb://ann:s3cret@db1/", ""), None, None).expect("a source");
        assert_eq!(active.profile.uri, "mongodb://ann@db1/");
        assert_eq!(active.profile.database, "desk");
        assert!(!format!("{active:?}").contains("s3cret"));
    }

    #[test]
    fn a_password_is_asked_for_once_while_the_address_stays() {
        let first = ActiveSource::open(&profile("mongodb://ann@db1/", ""), Some("s3cret".into()), None)
            .expect("a source");
        let other =
            ActiveSource::open(&profile("mongodb://ann@db1/", r#"{"version": 2}"#), None, Some(&first))
                .expect("a source");
        let password = |active: &ActiveSource| {
            active.secrets.password.as_ref().map(|password| password.expose_secret().to_owned())
        };
        assert_eq!(password(&other).as_deref(), Some("s3cret"));
        let elsewhere =
            ActiveSource::open(&profile("mongodb://ann@db2/", ""), None, Some(&first)).expect("a source");
        assert_eq!(password(&elsewhere), None, "a password is for the host that it was typed for");
    }

    #[test]
    fn a_form_is_refused_with_the_right_code() {
        let active = ActiveSource::open(&profile("mongodb://db1/", ""), None, None).expect("a source");
        let code = |input: &QueryInput| {
            active.request(input, FetchMode::Normal, false).expect_err("it cannot be asked").code
        };
        assert_eq!(code(&form("2025-02-30", "2025-03-01")), Code::BadRange);
        assert_eq!(code(&form("2025-03-02", "2025-03-01")), Code::BadRange);
        let advanced = QueryInput { advanced: "{$where: 1}".to_owned(), ..form("2025-03-01", "2025-03-01") };
        assert_eq!(code(&advanced), Code::BadFilter);
        let bad = ActiveSource::open(&profile("mongodb://db1/", "{"), None, None).expect_err("no mapping");
        assert_eq!(bad.code, Code::BadMapping);
    }
}
