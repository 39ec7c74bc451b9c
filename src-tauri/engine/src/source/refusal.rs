//! Finds out which part of a query the server refuses: the trader's own match, or one of the mapping's.

use bson::{Document, doc};

use super::connect::Source;
use super::error::{SourceError, SourceErrorKind};
use super::read::ESTIMATE_LIMIT;
use crate::failure::Failure;
use crate::query::source::Query;

/// The part of a query that the server refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusedPart {
    /// `input_match` of the mapping.
    InputMatch,
    /// `downstream_match` of the mapping.
    DownstreamMatch,
    /// The advanced match of the form.
    Advanced,
}

impl Source {
    /// The part of a query that the server refuses, after a command of it was refused; `None` if it refuses none of
    /// them alone.
    pub async fn refused_part(&self, query: &Query) -> Option<RefusedPart> {
        let mapping = &query.mapping;
        let none = Document::new();
        let parts = [
            (RefusedPart::InputMatch, &mapping.input_match, None),
            (
                RefusedPart::DownstreamMatch,
                &mapping.downstream_match,
                mapping.downstream_collection.as_deref(),
            ),
            (RefusedPart::Advanced, query.filters.advanced.as_ref().unwrap_or(&none), None),
        ];
        for (part, matches, collection) in parts {
            if !matches.is_empty() && self.refuses(matches, collection).await {
                return Some(part);
            }
        }
        // A match that is refused only when documents are read is the only one there is.
        match parts.iter().filter(|(_, matches, _)| !matches.is_empty()).collect::<Vec<_>>()[..] {
            [(part, ..)] if query.filters.fields.is_empty() => Some(*part),
            _ => None,
        }
    }

    /// Whether the server refuses a match by itself. It reads no documents: there is none without an `_id`.
    async fn refuses(&self, matches: &Document, collection: Option<&str>) -> bool {
        let pipeline =
            vec![doc! {"$match": {"$and": [{"_id": {"$in": []}}, matches.clone()]}}, doc! {"$limit": 1}];
        let asked = async {
            let collection = self.collection(collection).await?;
            self.documents_of(&collection, pipeline, ESTIMATE_LIMIT).await
        };
        asked.await.is_err_and(|failure| is_refusal(&failure))
    }
}

/// Whether the server rejected the command itself.
pub(crate) fn is_refusal(failure: &Failure) -> bool {
    failure.source_as().is_some_and(|error: &SourceError| *error.kind() == SourceErrorKind::Refused)
}
