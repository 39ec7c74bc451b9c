//! Looking at what is cached: no server is needed for any of this.

use std::path::{Path, PathBuf};
use std::time::Instant;

use bson::{Bson, RawBsonRef};

use super::engine::{Engine, off_thread};
use super::unmatched::unmatched_of;
use crate::answer::left_out;
use crate::answer::{Answer, AnswerDays, AnswerRows, LeftOut, MissingDay, Origin};
use crate::api::library::CachedQuery;
use crate::api::plan::WindowView;
use crate::api::rows::{Page, RowDetail, ViewKey, ViewShape};
use crate::bson::extjson::{is_deeper_than, write_relaxed};
use crate::bson::uuids;
use crate::cache::{CacheFile, Identity, View, bytes_of, last_used};
use crate::day::{DayRange, DaySet};
use crate::failure::{Code, Failure, Result};
use crate::plan::UnavailableReason;
use crate::plan::ledger::DayState;
use crate::plan::ledger::{RefreshReason, has_moved, state_of};
use crate::query::form::QueryInput;
use crate::query::mapping::Mapping;
use crate::query::pipeline;
use crate::query::signature::Signature;
use crate::query::source::Query;
use crate::rows::{Role, Sort};

/// What the answer that a view shows leaves out.
pub(super) fn left_out_of(view: &View, mapping: &Mapping) -> Vec<LeftOut> {
    let (state, range) = (view.state(), view.range());
    let days = state.shown_in(range).map(|(day, held)| (day, &held.left_out));
    left_out::of_days(mapping, (range.from().year(), range.to().year()), &state.odd_dates, days)
}

/// Rows of a page at most.
const PAGE_LIMIT: u64 = 5_000;
/// Deepest nesting that a row's detail shows; `serde_json` reads 128 levels, MongoDB itself allows 100.
const SHOWN_LEVELS: usize = 120;

impl Engine {
    /// The cached queries, most recently fetched first. Files that another Tidemark has open, or that
    /// cannot be read, are listed with the reason.
    ///
    /// # Errors
    /// `cache_damaged` where the folder cannot be listed.
    pub async fn cached_queries(&self) -> Result<Vec<CachedQuery>> {
        let engine = self.clone();
        off_thread(move || {
            let mut found: Vec<CachedQuery> = Vec::new();
            for path in engine.cache().files()? {
                match engine.cache().open_listed(&path) {
                    Ok(file) if file.state().days.is_empty() => {}
                    Ok(file) => found.push(listed(&engine, &file)),
                    Err(failure) => found.push(unreadable(&path, failure)),
                }
            }
            found.sort_by(|a, b| {
                b.newest_fetch.cmp(&a.newest_fetch).then_with(|| a.signature.cmp(&b.signature))
            });
            Ok(found)
        })
        .await
    }

    /// What the cache holds of some days of a query, as an answer.
    ///
    /// # Errors
    /// `not_cached`, `cache_busy`, `cache_damaged`.
    pub async fn cached_answer(&self, key: &ViewKey) -> Result<Answer> {
        let begun = Instant::now();
        let (signature, range) = read_key(key)?;
        let view = self.view(&signature, range).await?;
        let policy = self.policy_of(view.file());
        let now = self.now();
        let mut days = AnswerDays { requested: range.len(), ..AnswerDays::default() };
        let ledger = view.shown();
        for day in range.days() {
            match ledger.get(&day) {
                Some(held) => {
                    days.from_cache += 1;
                    if state_of(day, Some(held), now, &policy) != DayState::Settled {
                        days.open.push(day);
                    }
                    if held.is_in_doubt() || has_moved(day, held, &policy) {
                        days.unverified.push(day);
                    }
                }
                None => {
                    days.missing.push(day);
                    let coming = policy.zone.start_of(day) > now;
                    let why = if view.state().days.contains_key(&day) {
                        RefreshReason::Replaced.describe()
                    } else if coming {
                        UnavailableReason::Future.describe()
                    } else {
                        "not cached"
                    };
                    days.why_missing.push(MissingDay { day, why: why.to_owned() });
                }
            }
        }
        let counts = view.counts();
        let left_out = left_out_of(&view, &view.file().identity().mapping);
        let unmatched = unmatched_of(&view);
        let mut notes: Vec<String> = unmatched.iter().map(|unmatched| unmatched.why.clone()).collect();
        notes.extend(left_out.iter().map(|left_out| left_out.why.clone()));
        Ok(Answer {
            signature: key.signature.clone(),
            answer: Origin::Offline,
            complete: days.missing.is_empty() && days.unverified.is_empty(),
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
        let counts = view.counts();
        Ok(ViewShape {
            generation: view.generation(),
            columns: view.columns(role).iter().map(crate::cache::relation::Column::view).collect(),
            rows: match role {
                Role::Input => counts.input,
                Role::Downstream => counts.downstream,
            },
            time_column: view.time_column(role).map(|column| column.path),
        })
    }

    /// A page of a view; at most 5,000 rows.
    ///
    /// # Errors
    /// `not_cached`, `cache_busy`, `cache_damaged`; `bad_filter` where the sort names no column.
    pub async fn page(
        &self,
        key: &ViewKey,
        role: Role,
        sort: Option<Sort>,
        offset: u64,
        limit: u64,
    ) -> Result<Page> {
        let (signature, range) = read_key(key)?;
        let engine = self.clone();
        off_thread(move || {
            let view = engine.view_blocking(&signature, range)?;
            let rows = view.page(role, sort.as_ref(), offset, limit.min(PAGE_LIMIT));
            Ok(Page {
                generation: view.generation(),
                offset,
                rows: rows.inspect_err(|failure| engine.start_afresh(&signature, failure))?,
            })
        })
        .await
    }

    /// One row as MongoDB held it.
    ///
    /// # Errors
    /// `not_cached`, `cache_busy`, `cache_damaged`.
    pub async fn row_detail(
        &self,
        key: &ViewKey,
        role: Role,
        sort: Option<Sort>,
        position: u64,
    ) -> Result<RowDetail> {
        let (signature, range) = read_key(key)?;
        let engine = self.clone();
        off_thread(move || {
            let view = engine.view_blocking(&signature, range)?;
            let found = view.document(role, sort.as_ref(), position);
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

    /// The MongoDB pipeline of a cached query's days, to read and to paste. Needs no server.
    ///
    /// # Errors
    /// `not_cached`, `cache_busy`, `cache_damaged`.
    pub async fn cached_pipeline(&self, key: &ViewKey) -> Result<String> {
        let (signature, range) = read_key(key)?;
        let cache = self.cache().clone();
        off_thread(move || {
            let query = cache.open_signature(&signature)?.identity().query()?;
            Ok(pipeline::explain_text(&query, &range))
        })
        .await
    }

    /// Texts of a field, or of its arrays, that start with a prefix, as the cached queries of the same source and
    /// mapping have them.
    ///
    /// # Errors
    /// `cache_damaged` where the folder cannot be listed.
    pub async fn cached_values(
        &self,
        query: &Query,
        path: &str,
        prefix: &str,
        limit: u32,
    ) -> Result<Vec<String>> {
        let identity = Identity::of(query);
        let (engine, path, prefix) = (self.clone(), path.to_owned(), prefix.to_owned());
        off_thread(move || {
            let mut found = std::collections::BTreeSet::new();
            let mut files: Vec<PathBuf> = engine.cache().siblings(&identity)?;
            files.extend(
                engine.cache().open_existing(&identity).ok().flatten().map(|file| file.path().to_owned()),
            );
            for file in files {
                // A file that is busy or cannot be read is reported where it is listed.
                let known = engine
                    .cache()
                    .open_listed(&file)
                    .and_then(|file| crate::cache::values::starting_with(&file, &path, &prefix, limit));
                found.extend(known.unwrap_or_default());
                if found.len() >= limit as usize {
                    break;
                }
            }
            Ok(found.into_iter().take(limit as usize).collect())
        })
        .await
    }
}

pub(super) fn read_key(key: &ViewKey) -> Result<(Signature, DayRange)> {
    Ok((Signature::parse(&key.signature)?, DayRange::new(key.from, key.to)?))
}

fn listed(engine: &Engine, file: &CacheFile) -> CachedQuery {
    let identity = file.identity();
    let state = file.state();
    let ledger = state.ledger();
    let (policy, now) = (engine.policy_of(file), engine.now());
    let held: DaySet = ledger.keys().copied().collect();
    let (filters, advanced) = identity.filters.to_inputs();
    let form = held.ranges().first().zip(held.ranges().last()).map(|(first, last)| QueryInput {
        from: first.from().to_string(),
        to: last.to().to_string(),
        filters,
        advanced,
    });
    CachedQuery {
        signature: identity.signature.to_string(),
        source: identity.source.clone(),
        filters: identity.filters.describe(),
        mapping: identity.mapping.describe(),
        form,
        held: held.ranges().iter().map(|run| WindowView { from: run.from(), to: run.to() }).collect(),
        days: ledger.len(),
        open_days: ledger
            .iter()
            .filter(|(day, held)| state_of(**day, Some(held), now, &policy) != DayState::Settled)
            .count(),
        input_rows: ledger.values().map(|held| held.input_rows).sum(),
        downstream_rows: ledger.values().map(|held| held.downstream_rows).sum(),
        bytes: bytes_of(file.path()),
        oldest_fetch: ledger.values().map(|held| held.fetched).min(),
        newest_fetch: ledger.values().map(|held| held.fetched).max(),
        pinned: file.pinned(),
        last_used: Some(last_used(file.path())),
        failure: None,
    }
}

fn unreadable(path: &Path, failure: Failure) -> CachedQuery {
    CachedQuery {
        signature: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        source: String::new(),
        filters: String::new(),
        mapping: String::new(),
        form: None,
        held: Vec::new(),
        days: 0,
        open_days: 0,
        input_rows: 0,
        downstream_rows: 0,
        bytes: bytes_of(path),
        oldest_fetch: None,
        newest_fetch: None,
        pinned: false,
        last_used: Some(last_used(path)),
        failure: Some(failure),
    }
}
