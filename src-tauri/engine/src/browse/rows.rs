//! Browsing cached answers: rows, details, pipelines and values. Needs no server.

use std::time::Instant;

use bson::{Bson, RawBsonRef};
use tracing::info;

use crate::answer::derive::Derived;
use crate::answer::note::Note;
use crate::answer::{Answer, AnswerRows};
use crate::api::rows::{ColumnView, Page, RowDetail, ViewKey, ViewShape};
use crate::bson::extjson::{is_deeper_than, write_relaxed};
use crate::bson::uuids;
use crate::cache::Identity;
use crate::cache::read::findings::{left_out_of, unmatched_of};
use crate::cache::store::catalog::ValuesAsked;
use crate::day::DayRange;
use crate::engine::{Engine, off_thread};
use crate::failure::{Code, Failure, Result};
use crate::query::pipeline;
use crate::query::signature::{Signature, SourceName};
use crate::query::source::Query;
use crate::rows::{Role, RowQuery};

/// Maximum number of rows in a page.
const PAGE_LIMIT: u64 = 5_000;
/// Deepest nesting shown in a row's detail: `serde_json` parses 128 levels, and MongoDB itself allows 100.
const SHOWN_LEVELS: usize = 120;

impl Engine {
    /// The answer to some days of a query from what is cached.
    ///
    /// # Errors
    /// `not_cached`, `cache_busy`, `cache_damaged`.
    pub async fn cached_answer(&self, key: &ViewKey) -> Result<Answer> {
        let begun = Instant::now();
        let (signature, range) = read_key(key)?;
        let view = self.view(&signature, range).await?;
        let Derived { days, complete, origin } = self.derived(&view);
        let ledger = view.shown();
        let counts = view.counts();
        info!(
            signature = %key.signature,
            from = %key.from,
            to = %key.to,
            complete,
            input_rows = counts.input,
            downstream_rows = counts.downstream,
            "a cached query is opened"
        );
        let left_out = left_out_of(&view, &view.file().identity().mapping);
        let unmatched = unmatched_of(&view);
        let mut notes: Vec<Note> = unmatched.iter().cloned().map(Note::Unmatched).collect();
        notes.extend(left_out.iter().cloned().map(Note::LeftOut));
        Ok(Answer {
            signature: key.signature.clone(),
            source: SourceName::of(&view.file().identity().query()?),
            filters: view.file().identity().filters.describe(&self.labels_of(view.file().identity())),
            answer: origin,
            complete,
            days,
            rows: AnswerRows { input: counts.input, downstream: counts.downstream },
            oldest_fetch: ledger.range(range.from()..=range.to()).map(|(_, held)| held.fetched).min(),
            mongo_commands: 0,
            elapsed_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            changes: None,
            left_out,
            unmatched,
            notes,
            failure: None,
        })
    }

    /// The columns and the row count of a view.
    ///
    /// # Errors
    /// `not_cached`, `cache_busy`, `cache_damaged`.
    pub async fn view_shape(&self, key: &ViewKey, role: Role) -> Result<ViewShape> {
        let (signature, range) = read_key(key)?;
        let view = self.view(&signature, range).await?;
        let (counts, labels) = (view.counts(), self.labels_of(view.file().identity()));
        let labelled = |column| ColumnView::of(column, labels.get(&column.path).map(String::as_str));
        Ok(ViewShape {
            generation: view.generation(),
            columns: view.columns(role).iter().map(labelled).collect(),
            rows: match role {
                Role::Input => counts.input,
                Role::Downstream => counts.downstream,
            },
            time_column: view.time_column(role).map(|column| column.path),
        })
    }

    /// A page of a view, with at most 5,000 rows.
    ///
    /// # Errors
    /// `not_cached`, `cache_busy`, `cache_damaged`; `bad_filter` if the sort names no existing column.
    pub async fn page(&self, key: &ViewKey, query: &RowQuery, offset: u64, limit: u64) -> Result<Page> {
        let (signature, range) = read_key(key)?;
        let (engine, query) = (self.clone(), query.clone());
        off_thread(move || {
            let view = engine.view_blocking(&signature, range)?;
            let rows = view.page(&query, offset, limit.min(PAGE_LIMIT)).map_err(Failure::from);
            Ok(Page {
                generation: view.generation(),
                offset,
                rows: rows.inspect_err(|failure| engine.start_afresh(&signature, failure))?,
            })
        })
        .await
    }

    /// One row as MongoDB returned it.
    ///
    /// # Errors
    /// `not_cached`, `cache_busy`, `cache_damaged`.
    pub async fn row_detail(&self, key: &ViewKey, query: &RowQuery, position: u64) -> Result<RowDetail> {
        let (signature, range) = read_key(key)?;
        let (engine, query) = (self.clone(), query.clone());
        off_thread(move || {
            let view = engine.view_blocking(&signature, range)?;
            let found = view.document(&query, position).map_err(Failure::from);
            let (day, document) = found.inspect_err(|failure| engine.start_afresh(&signature, failure))?;
            let broken = || Failure::new(Code::CacheDamaged, "This document's bytes are not valid BSON.");
            if is_deeper_than(&document, SHOWN_LEVELS) {
                let message = format!("This document is nested more than {SHOWN_LEVELS} levels deep.");
                return Err(Failure::new(Code::CacheDamaged, message)
                    .advise("It is cached in full, but nested too deeply to be shown; view it in MongoDB."));
            }
            let mut relaxed = String::new();
            if !write_relaxed(&mut relaxed, RawBsonRef::Document(&document)) {
                return Err(broken());
            }
            let mut relaxed: serde_json::Value =
                serde_json::from_str(&relaxed).map_err(|error| broken().because(error))?;
            uuids::show_standard(&mut relaxed);
            let document =
                bson::Document::try_from(document.as_ref()).map_err(|error| broken().because(error))?;
            let document = Bson::Document(document);
            Ok(RowDetail {
                generation: view.generation(),
                relaxed: format!("{relaxed:#}"),
                canonical: format!("{:#}", document.into_canonical_extjson()),
                fetched: view.state().days.get(&day).map(|held| held.fetched),
                day,
            })
        })
        .await
    }

    /// The MongoDB pipeline of a cached query's days, to read or copy. Needs no server.
    ///
    /// # Errors
    /// `not_cached`, `cache_busy`, `cache_damaged`.
    pub async fn cached_pipeline(&self, key: &ViewKey) -> Result<String> {
        let (signature, range) = read_key(key)?;
        let cache = self.cache().clone();
        off_thread(move || {
            let query = cache.open_signature(&signature)?.identity().query()?;
            Ok(pipeline::mongosh_text(&query, &range))
        })
        .await
    }

    /// Texts of a field, or of the arrays in it, that start with a prefix, from the cached queries of the same source
    /// and mapping.
    ///
    /// # Errors
    /// `cache_unusable` if the folder cannot be listed.
    pub async fn cached_values(
        &self,
        query: &Query,
        path: &str,
        prefix: &str,
        limit: u32,
    ) -> Result<Vec<String>> {
        let identity = Identity::of(query);
        let engine = self.clone();
        let asked = ValuesAsked { field: path.to_owned(), prefix: prefix.to_owned(), limit };
        off_thread(move || {
            let mut found = std::collections::BTreeSet::new();
            for file in engine.cache().family(&identity)? {
                // A file that is busy or cannot be read is reported in the list of cached queries.
                found.extend(engine.cache().values(&file, &asked).unwrap_or_default());
                if found.len() >= limit as usize {
                    break;
                }
            }
            Ok(found.into_iter().take(limit as usize).collect())
        })
        .await
    }
}

pub(crate) fn read_key(key: &ViewKey) -> Result<(Signature, DayRange)> {
    Ok((Signature::parse(&key.signature)?, DayRange::new(key.from, key.to)?))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::DateTime;

    use super::*;
    use crate::cache::{Cache, fixtures};
    use crate::day::Day;
    use crate::plan::ledger::FetchMode;
    use crate::run::FetchRequest;

    /// An engine with one cached day of three trades, whose file is open with a broken handle.
    fn broken(folder: &std::path::Path) -> (Engine, FetchRequest, ViewKey) {
        let day = Day::from_number(20_000);
        {
            let cache = Cache::new(folder, 0).expect("a cache");
            fixtures::store(&fixtures::file(&cache, &[]), day, DateTime::UNIX_EPOCH, 0..3);
        }
        let engine = Engine::new(folder, 5).expect("an engine");
        fixtures::break_handle(&fixtures::file(engine.cache(), &[]));
        let query = fixtures::query(&[]);
        let key = ViewKey { signature: Signature::of(&query).to_string(), from: day, to: day };
        let range = DayRange::new(day, day).expect("a day");
        (engine, FetchRequest { query, range, mode: FetchMode::Normal, offline: true }, key)
    }

    #[tokio::test]
    async fn after_a_fatal_error_a_fetch_opens_the_file_afresh() {
        let folder = tempfile::tempdir().expect("a folder");
        let (engine, request, _) = broken(folder.path());
        let answer = engine
            .fetch(None, &request, Arc::new(|_| {}), tokio_util::sync::CancellationToken::new())
            .await
            .expect("the rows are there");
        assert!(answer.complete && answer.rows.input == 3, "{answer:?}");
    }

    #[tokio::test]
    async fn after_a_fatal_error_a_look_opens_the_file_afresh() {
        let folder = tempfile::tempdir().expect("a folder");
        let (engine, _, key) = broken(folder.path());
        let page = engine.page(&key, &RowQuery::of(Role::Input), 0, 10).await.expect("the rows are there");
        assert_eq!(page.rows.len(), 3);
    }

    /// A panic while a file is read has no error of the cache as its source.
    #[tokio::test]
    async fn an_internal_failure_has_the_file_examined() {
        let folder = tempfile::tempdir().expect("a folder");
        let (engine, request, _) = broken(folder.path());
        let signature = Signature::of(&request.query);
        let unrelated = Failure::new(Code::SourceUnreachable, "No server answers.");
        engine.start_afresh(&signature, &unrelated);
        assert!(!engine.cache().is_suspect(&signature));
        engine.start_afresh(&signature, &Failure::new(Code::Internal, "Reading failed."));
        assert!(engine.cache().is_suspect(&signature));
    }
}
