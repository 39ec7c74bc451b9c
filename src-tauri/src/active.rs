//! The source in use.

use std::sync::{Mutex, PoisonError};

use tidemark_engine::api::source::{Connection, SourceProfile};
use tidemark_engine::engine::Engine;
use tidemark_engine::failure::Result;
use tidemark_engine::plan::ledger::FetchMode;
use tidemark_engine::query::filter::Filters;
use tidemark_engine::query::form::QueryInput;
use tidemark_engine::query::mapping::Mapping;
use tidemark_engine::query::source::Query;
use tidemark_engine::run::FetchRequest;
use tidemark_engine::source::Source;
use tidemark_engine::source::SourceOrigin;
use tidemark_settings::SourceSecrets;
use tokio::sync::OnceCell;

use crate::suggestions::Suggestions;

/// A source that is set up, with the mapping of its documents.
pub(crate) struct ActiveSource {
    /// The id under which the source is saved; blank while it is only being tried.
    pub(crate) id: String,
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
    version: OnceCell<String>,
    /// The origin that was last recorded in the cached queries.
    origin: Mutex<Option<SourceOrigin>>,
    /// Set once the documents could be read.
    is_readable: OnceCell<()>,
}

impl ActiveSource {
    /// Sets up a source without using the network. The profile contains no secrets.
    ///
    /// # Errors
    /// `bad_source` if the connection string or a name cannot be used, `bad_mapping`.
    pub(crate) fn open(id: &str, profile: &SourceProfile, secrets: &SourceSecrets) -> Result<Self> {
        let settings = secrets.source_settings(profile);
        Ok(Self {
            id: id.to_owned(),
            profile: profile.clone(),
            mapping: Mapping::parse(&profile.mapping)?,
            source: Source::new(&settings)?,
            probe_client: Source::new(&settings)?,
            suggestions: Suggestions::default(),
            version: OnceCell::new(),
            origin: Mutex::default(),
            is_readable: OnceCell::new(),
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

    /// Checks whether the source is reachable, and once, whether its documents may be read.
    ///
    /// # Errors
    /// Why it is not: `source_unreachable`, `auth_failed`, `tls_failed`, `not_authorized`, `bad_source`.
    pub(crate) async fn try_check(&self) -> Result<Connection> {
        let round_trip = self.probe_client.ping().await?;
        // A server may answer a user who may not read anything.
        self.is_readable.get_or_try_init(|| self.probe_client.check_access(&self.mapping)).await?;
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
            database: "desk".to_owned(),
            collection: "trades".to_owned(),
            mapping: mapping.to_owned(),
        }
    }

    fn form(from: &str, to: &str) -> QueryInput {
        QueryInput { from: from.to_owned(), to: to.to_owned(), filters: Vec::new(), advanced: String::new() }
    }

    #[test]
    fn nothing_that_is_printed_holds_a_secret() {
        let secrets = SourceSecrets { password: Some("s3cret".into()), ..SourceSecrets::default() };
        let active = ActiveSource::open("1", &profile("mongodb://ann@db1/", ""), &secrets).expect("a source");
        assert!(!format!("{active:?} {:?}", active.source).contains("s3cret"));
    }

    #[test]
    fn a_form_is_refused_with_the_right_code() {
        let active = ActiveSource::open("1", &profile("mongodb://db1/", ""), &SourceSecrets::default())
            .expect("a source");
        let code = |input: &QueryInput| {
            active.request(input, FetchMode::Normal, false).expect_err("it cannot be asked").code
        };
        assert_eq!(code(&form("2025-02-30", "2025-03-01")), Code::BadRange);
        assert_eq!(code(&form("2025-03-02", "2025-03-01")), Code::BadRange);
        let advanced = QueryInput { advanced: "{$where: 1}".to_owned(), ..form("2025-03-01", "2025-03-01") };
        assert_eq!(code(&advanced), Code::BadFilter);
        let bad = ActiveSource::open("1", &profile("mongodb://db1/", "{"), &SourceSecrets::default())
            .expect_err("no mapping");
        assert_eq!(bad.code, Code::BadMapping);
    }
}
