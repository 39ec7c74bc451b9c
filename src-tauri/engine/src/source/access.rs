//! Whether a user may read what a fetch needs.

use std::time::Duration;

use bson::{RawDocumentBuf, doc};
use futures_util::future::try_join;

use super::connect::Source;
use super::error::{SourceError, SourceErrorKind};
use crate::failure::{Code, Failure, FailureTarget, Result};
use crate::query::mapping::Mapping;

/// Time limit of one read. A view may have to be computed first.
const READ_LIMIT: Duration = Duration::from_secs(5);

/// What a read of one document came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FirstRead {
    /// There is a document.
    Found,
    /// There is none, or no such collection.
    Empty,
    /// The server took too long, which it does only if the user may read.
    TooSlow,
}

impl Source {
    /// Checks quickly what a fetch needs: that the user may read the collections of the trades and of the messages,
    /// and that they exist. A failure names the form field to correct.
    ///
    /// # Errors
    /// As for [`ping`](Self::ping); `auth_failed` if the server expects a user and there is none; `not_authorized`;
    /// `bad_mapping` if a collection does not exist.
    pub async fn check_access(&self, mapping: &Mapping) -> Result<()> {
        self.ping().await?;
        let messages = mapping.downstream_collection.as_deref();
        let of_messages = async {
            match messages {
                Some(name) => self.first_read(Some(name)).await,
                None => Ok(FirstRead::Found),
            }
        };
        let (trades, messages_read) = try_join(self.first_read(None), of_messages).await?;
        let read = [(Some(self.collection_name()), trades), (messages, messages_read)];
        let empty = read.into_iter().filter(|(_, read)| *read == FirstRead::Empty);
        let empty: Vec<&str> = empty.filter_map(|(name, _)| name).collect();
        if empty.is_empty() { Ok(()) } else { self.expect_collections(&empty).await }
    }

    /// Reads one document of a collection; `None` is the trades'.
    ///
    /// # Errors
    /// `not_authorized` with the collection's name; see [`super::SourceError`].
    pub(crate) async fn first_read(&self, collection: Option<&str>) -> Result<FirstRead> {
        let stages = vec![doc! {"$limit": 1}, doc! {"$project": {"_id": 1}}];
        let read = self.collection(collection).await?;
        match self.raw_documents(&read, stages, READ_LIMIT).await {
            Ok(found) if found.is_empty() => Ok(FirstRead::Empty),
            Ok(_) => Ok(FirstRead::Found),
            Err(failure) if failure.code == Code::SourceTimeout => Ok(FirstRead::TooSlow),
            Err(failure) => Err(self.unread(failure, collection)),
        }
    }

    /// Some documents of a collection that match; `None` is the trades' collection.
    ///
    /// # Errors
    /// See [`super::SourceError`].
    pub(crate) async fn some_documents(
        &self,
        collection: Option<&str>,
        matches: &bson::Document,
        limit: i64,
    ) -> Result<Vec<RawDocumentBuf>> {
        let mut stages = vec![doc! {"$limit": limit}];
        if !matches.is_empty() {
            stages.insert(0, doc! {"$match": matches.clone()});
        }
        let read = self.collection(collection).await?;
        self.raw_documents(&read, stages, READ_LIMIT).await
    }

    /// The failure of a read, with the collection's name and the form field that holds it.
    fn unread(&self, failure: Failure, collection: Option<&str>) -> Failure {
        let (name, target) = match collection {
            None => (self.collection_name(), FailureTarget::Collection),
            // The mapping names the messages' collection.
            Some(name) => (name, FailureTarget::Mapping),
        };
        match failure.source_as().map(SourceError::kind) {
            Some(SourceErrorKind::NotAuthorized) => {
                let database = self.database_name();
                let message =
                    format!("This user may not read the collection {name} of the database {database}.");
                let named = Failure::new(Code::NotAuthorized, message)
                    .advise("Ask your database team for the right to read it, or correct the name of the database or of the collection.")
                    .at(target);
                Failure { cause: failure.cause, source: failure.source, ..named }
            }
            Some(SourceErrorKind::Name(super::error::NamePart::Collection)) => failure.at(target),
            _ => failure,
        }
    }
}
