//! The source in use.

use std::sync::{Mutex, PoisonError};

use tidemark_engine::api::source::{Connection, SourceProfile};
use tidemark_engine::cache::Origin;
use tidemark_engine::day::DayRange;
use tidemark_engine::failure::Result;
use tidemark_engine::plan::ledger::FetchMode;
use tidemark_engine::query::filter::Filters;
use tidemark_engine::query::form::QueryInput;
use tidemark_engine::query::mapping::Mapping;
use tidemark_engine::query::source::Query;
use tidemark_engine::run::{Engine, FetchRequest};
use tidemark_engine::source::{Source, SourceSettings};
use tokio::sync::OnceCell;

use crate::secrets::Taken;
use crate::suggestions::Suggestions;

/// A source that is set up, with the mapping of its documents.
pub(crate) struct Active {
    /// What is stored and shown of it: nothing secret.
    pub(crate) profile: SourceProfile,
    /// The mapping.
    pub(crate) mapping: Mapping,
    /// Runs pull through this one, and count what they send.
    pub(crate) source: Source,
    /// Checks, plans and suggestions ask through this one: what they send must not count as a run's.
    pub(crate) aside: Source,
    /// Values that the form offers.
    pub(crate) suggestions: Suggestions,
    secrets: Taken,
    version: OnceCell<String>,
    /// What the source was when the cached queries were last told.
    origin: Mutex<Option<Origin>>,
}

impl Active {
    /// Sets a source up, without the network. A password that was typed for the same connection string
    /// before is used again, so that a changed mapping does not ask for it.
    ///
    /// # Errors
    /// `bad_source` where the connection string or a name cannot be used, `bad_mapping`.
    pub(crate) fn open(typed: &SourceProfile, password: Option<&str>, before: Option<&Self>) -> Result<Self> {
        let mut secrets = Taken::apart(&typed.uri);
        if let Some(password) = password.filter(|password| !password.is_empty()) {
            secrets.password = Some(password.to_owned());
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
            aside: Source::new(&settings)?,
            suggestions: Suggestions::default(),
            secrets,
            version: OnceCell::new(),
            origin: Mutex::default(),
        })
    }

    /// The query that a form asks, without its dates.
    ///
    /// # Errors
    /// `bad_filter`.
    pub(crate) fn query(&self, input: &QueryInput) -> Result<Query> {
        Ok(self.query_of(Filters::parse(&self.mapping, &input.filters, &input.advanced)?))
    }

    /// A query with these filters.
    pub(crate) fn query_of(&self, filters: Filters) -> Query {
        Query { source: self.source.identity().clone(), mapping: self.mapping.clone(), filters }
    }

    /// What a form asks of the engine.
    ///
    /// # Errors
    /// `bad_filter`, `bad_range`.
    pub(crate) fn request(&self, input: &QueryInput, mode: FetchMode, offline: bool) -> Result<FetchRequest> {
        let range = DayRange::parse(&input.from, &input.to)?;
        Ok(FetchRequest { query: self.query(input)?, range, mode, offline })
    }

    /// Asks whether the source is in reach.
    pub(crate) async fn check(&self) -> Connection {
        match self.try_check().await {
            Ok(online) => online,
            Err(failure) => Connection::Offline { failure },
        }
    }

    /// Asks what stands behind the address, and tells the cached queries if that is news: what came from another
    /// cluster or from a collection that was made again is in doubt.
    pub(crate) async fn check_origin(&self, engine: &Engine) {
        let Ok((origin, _)) = self.aside.origin(&self.mapping).await else { return };
        if self.origin.lock().unwrap_or_else(PoisonError::into_inner).as_ref() == Some(&origin) {
            return;
        }
        if engine.note_origin(&self.query_of(Filters::default()), origin.clone()).await.is_ok() {
            *self.origin.lock().unwrap_or_else(PoisonError::into_inner) = Some(origin);
        }
    }

    /// Asks whether the source is in reach.
    ///
    /// # Errors
    /// Why it is not: `source_unreachable`, `auth_failed`, `tls_failed`.
    pub(crate) async fn try_check(&self) -> Result<Connection> {
        let round_trip = self.aside.ping().await?;
        // A server that tells no version is in reach all the same; the next check asks again.
        let version = self.version.get_or_try_init(|| self.aside.version()).await.ok();
        Ok(Connection::Online {
            // Nobody believes "0 ms".
            round_trip_ms: u64::try_from(round_trip.as_millis()).unwrap_or(u64::MAX).max(1),
            version: version.cloned().unwrap_or_else(|| "unknown".to_owned()),
            unverified: self.aside.unverified_link().map(str::to_owned),
            warnings: self.aside.warnings().to_vec(),
        })
    }
}

/// Shows what the profile shows: the rest holds the password.
impl std::fmt::Debug for Active {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Active").field("profile", &self.profile).finish_non_exhaustive()
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
        let active = Active::open(&profile("mongodb://ann:s3cret@db1/", ""), None, None).expect("a source");
        assert_eq!(active.profile.uri, "mongodb://ann@db1/");
        assert_eq!(active.profile.database, "desk");
        assert!(!format!("{active:?}").contains("s3cret"));
    }

    #[test]
    fn a_password_is_asked_for_once_while_the_address_stays() {
        let first = Active::open(&profile("mongodb://ann@db1/", ""), Some("s3cret"), None).expect("a source");
        let other = Active::open(&profile("mongodb://ann@db1/", r#"{"version": 2}"#), None, Some(&first))
            .expect("a source");
        assert_eq!(other.secrets.password.as_deref(), Some("s3cret"));
        let elsewhere =
            Active::open(&profile("mongodb://ann@db2/", ""), None, Some(&first)).expect("a source");
        assert_eq!(elsewhere.secrets.password, None, "a password is for the host that it was typed for");
    }

    #[test]
    fn a_form_is_refused_with_the_right_code() {
        let active = Active::open(&profile("mongodb://db1/", ""), None, None).expect("a source");
        let code = |input: &QueryInput| {
            active.request(input, FetchMode::Normal, false).expect_err("it cannot be asked").code
        };
        assert_eq!(code(&form("2025-02-30", "2025-03-01")), Code::BadRange);
        assert_eq!(code(&form("2025-03-02", "2025-03-01")), Code::BadRange);
        let advanced = QueryInput { advanced: "{$where: 1}".to_owned(), ..form("2025-03-01", "2025-03-01") };
        assert_eq!(code(&advanced), Code::BadFilter);
        let bad = Active::open(&profile("mongodb://db1/", "{"), None, None).expect_err("no mapping");
        assert_eq!(bad.code, Code::BadMapping);
    }
}
