//! What a server has: its databases, their collections, and whether those of a mapping are among them.

use std::collections::BTreeMap;
use std::time::Duration;

use bson::{Bson, Document, doc};
use futures_util::{StreamExt as _, stream};

use super::connect::{SHORT_TIME, Source};
use super::error::{SourceError, SourceErrorKind};
use super::origin::Listed;
use super::read::whole;
use crate::failure::{Code, Failure, FailureTarget, Result};
use crate::query::near_miss::{did_you_mean, near_misses};
use crate::query::pipeline::COMMENT;

/// Databases of the server itself.
const OF_THE_SERVER: [&str; 3] = ["admin", "local", "config"];
/// Number of collections whose documents are counted, how many of them at once, and the time limit of each.
const MAX_COUNTED: usize = 40;
const COUNTED_AT_ONCE: usize = 4;
const COUNT_LIMIT: Duration = Duration::from_secs(1);

/// What a collection is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListedKind {
    /// A collection.
    Collection,
    /// A view, of the collection with this name; `None` if the user may not see it.
    View(Option<String>),
    /// A time series, with the path of its time; `None` if the user may not see it.
    TimeSeries(Option<String>),
}

impl ListedKind {
    pub(super) fn of(listed: &Listed) -> Self {
        let text = |document: &Document, key: &str| document.get_str(key).ok().map(str::to_owned);
        match &*listed.kind {
            "view" => Self::View(text(&listed.options, "viewOn")),
            "timeseries" => Self::TimeSeries(
                listed.options.get_document("timeseries").ok().and_then(|series| text(series, "timeField")),
            ),
            _ => Self::Collection,
        }
    }
}

/// A collection of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedCollection {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: ListedKind,
    /// About how many documents it has; `None` if that cannot be known without reading them.
    pub documents: Option<u64>,
}

/// What is known about the kind of a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FoundKind {
    /// Listed in full: what it is, and its UUID, by which a recreated collection is recognised.
    Known(ListedKind),
    /// What it is: the user may list names and kinds only.
    NameOnly(ListedKind),
    /// The user may not list it, or it does not exist.
    Unknown,
}

impl Source {
    /// The databases that the user may see, sorted, without the server's own.
    ///
    /// # Errors
    /// `not_authorized` if the user may not list them; see [`super::SourceError`].
    pub async fn databases(&self) -> Result<Vec<String>> {
        let (admin, preferred) = (self.admin().await?, self.preferred().await?);
        let command = doc! {"listDatabases": 1, "nameOnly": true, "authorizedDatabases": true};
        let asked = async { Ok(self.run_command(&admin, command, preferred).await?) };
        let reply = self.with_timeout(SHORT_TIME, asked).await.map_err(|failure| {
            unlisted(failure, "This user may not list the databases; type its name.", FailureTarget::Database)
        })?;
        let listed = reply.get_array("databases").map_or(&[][..], Vec::as_slice);
        let names = listed.iter().filter_map(|one| one.as_document()?.get_str("name").ok());
        let mut names: Vec<String> =
            names.filter(|name| !OF_THE_SERVER.contains(name)).map(str::to_owned).collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// The collections of the database that the user may see, sorted by name, without the server's own. The documents
    /// of the first 40 are counted, as far as the server knows their number without reading them.
    ///
    /// # Errors
    /// `bad_source` if the source has no database; `not_authorized` if the user may not list the collections; see
    /// [`super::SourceError`].
    pub async fn collections(&self) -> Result<Vec<ListedCollection>> {
        if self.database_name().is_empty() {
            return Err(Failure::new(Code::BadSource, "Enter a database.")
                .advise("Your database team can tell you its name.")
                .at(FailureTarget::Database));
        }
        let listed = self.list_visible().await.map_err(|failure| {
            let message = format!(
                "This user may not list the collections of the database {}; type its name.",
                self.database_name()
            );
            unlisted(failure, &message, FailureTarget::Collection)
        })?;
        let mut collections: Vec<ListedCollection> = listed
            .into_iter()
            .map(|(name, listed)| ListedCollection { name, kind: ListedKind::of(&listed), documents: None })
            .collect();
        let counted = collections.iter().enumerate().filter(|(_, one)| one.kind == ListedKind::Collection);
        let counted: Vec<(usize, String)> =
            counted.map(|(at, one)| (at, one.name.clone())).take(MAX_COUNTED).collect();
        let mut counts = stream::iter(counted)
            .map(|(at, name)| async move { (at, self.estimated_count(&name).await) })
            .buffer_unordered(COUNTED_AT_ONCE);
        while let Some((at, count)) = counts.next().await {
            if let Some(collection) = collections.get_mut(at) {
                collection.documents = count;
            }
        }
        drop(counts);
        Ok(collections)
    }

    /// About how many documents a collection has, from what the server knows without reading them; `None` if it does
    /// not say so in time. Not to be asked of a view, which the server would read for it.
    pub(crate) async fn estimated_count(&self, collection: &str) -> Option<u64> {
        let (database, preferred) = (self.database().await.ok()?, self.preferred().await.ok()?);
        let limit = i64::try_from(COUNT_LIMIT.as_millis()).unwrap_or(i64::MAX);
        let command = doc! {"count": collection, "maxTimeMS": limit, "comment": COMMENT};
        let asked = async { Ok(self.run_command(&database, command, preferred).await?) };
        let reply = self.with_timeout(COUNT_LIMIT, asked).await.ok()?;
        match reply.get("n")? {
            // Some servers count in floating point, exactly.
            Bson::Double(number) if *number >= 0.0 => format!("{number:.0}").parse().ok(),
            number => Some(whole(Some(number))),
        }
    }

    /// What a collection is, as far as the user may list it.
    ///
    /// # Errors
    /// See [`super::SourceError`].
    pub(crate) async fn kind_of(&self, collection: &str) -> Result<FoundKind> {
        let kind = |found: BTreeMap<String, Listed>| found.get(collection).map(ListedKind::of);
        match self.list(&[collection.to_owned()].into()).await {
            Ok(found) => Ok(kind(found).map_or(FoundKind::Unknown, FoundKind::Known)),
            Err(failure) if may_not_list(&failure) => {
                let found = self.list_visible().await.unwrap_or_default();
                Ok(kind(found).map_or(FoundKind::Unknown, FoundKind::NameOnly))
            }
            Err(failure) => Err(failure),
        }
    }

    /// Checks that the database contains the given collections.
    ///
    /// # Errors
    /// `bad_mapping` if one is missing, with the names that it may stand for; see [`super::SourceError`].
    pub async fn expect_collections(&self, wanted: &[&str]) -> Result<()> {
        let names = match self.collection_names(wanted).await {
            // A user who may not list collections may still read them. Servers report this in different ways.
            Err(failure) if may_not_list(&failure) => return Ok(()),
            names => names?,
        };
        match wanted.iter().find(|wanted| !names.contains(**wanted)) {
            None => Ok(()),
            Some(missing) => Err(self.missing_collection(missing).await),
        }
    }

    /// The failure of a collection that does not exist, or of its database.
    async fn missing_collection(&self, missing: &str) -> Failure {
        let database = self.database_name();
        // What cannot be listed is not suggested.
        let known = self.list_visible().await.unwrap_or_default();
        if known.is_empty()
            && let Ok(databases) = self.databases().await
            && !databases.iter().any(|name| name == database)
            && !OF_THE_SERVER.contains(&database)
        {
            let near = near_misses(database, databases.iter().map(String::as_str));
            let message = format!("There is no database {database} on this server.{}", did_you_mean(&near));
            return Failure::new(Code::BadMapping, message)
                .advise("Check the name of the database.")
                .at(FailureTarget::Database);
        }
        let near = near_misses(missing, known.keys().map(String::as_str));
        let message =
            format!("There is no collection {missing} in the database {database}.{}", did_you_mean(&near));
        let target = if missing == self.collection_name() {
            FailureTarget::Collection
        } else {
            // The mapping names the messages' collection.
            FailureTarget::Mapping
        };
        Failure::new(Code::BadMapping, message)
            .advise("Check the names of the database and the collection.")
            .at(target)
    }
}

/// Whether a list was refused. Servers report this in different ways.
fn may_not_list(failure: &Failure) -> bool {
    matches!(failure.code, Code::NotAuthorized | Code::BadFilter)
}

/// The failure of a list, in words of the list if it was refused.
fn unlisted(failure: Failure, message: &str, target: FailureTarget) -> Failure {
    match failure.source_as().map(SourceError::kind) {
        Some(SourceErrorKind::NotAuthorized | SourceErrorKind::Refused) => Failure {
            cause: failure.cause,
            source: failure.source,
            ..Failure::new(Code::NotAuthorized, message)
                .advise("Type the name, or ask your database team for the right to list.")
                .at(target)
        },
        Some(SourceErrorKind::Name(_)) | None | Some(_) => failure,
    }
}
