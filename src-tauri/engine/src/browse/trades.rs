//! Trades, whole: those of a row, and those that are found by their ids in all cached queries. Needs no server.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bson::{Bson, RawBson};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use crate::answer::trade::{
    FoundPlace, FoundTrade, FoundTrades, MOST_DOCUMENTS, RowTrades, Trade, TradeRow, cut_note,
};
use crate::api::rows::ViewKey;
use crate::bson::equality_key::equality_key;
use crate::bson::path::scalars;
use crate::cache::{CatalogEntry, Stop, TradeMatch, View};
use crate::engine::{Engine, off_thread};
use crate::failure::{Code, Failure, Result};
use crate::query::mapping::Mapping;
use crate::query::source::SourceIdentity;
use crate::query::trade_id::{TradeId, read_list};
use crate::rows::RowQuery;
use crate::words::counted;

/// Time limit of a search in the cache. What was found by then is shown.
const SEARCH_LIMIT: Duration = Duration::from_secs(20);
/// How often work that is to stop is interrupted: a statement that is just beginning does not notice.
const STOP_AGAIN: Duration = Duration::from_millis(20);
/// The most trades of one row that are shown.
const TRADES_OF_A_ROW: usize = 20;
/// The most documents of one row's trades that are shown.
const DOCUMENTS_OF_A_ROW: usize = 500;

/// What a search in the cache needs to know of the window.
#[derive(Debug, Clone, Default)]
pub struct FindIn {
    /// The source in use: its cached queries come first.
    pub current: Option<SourceIdentity>,
    /// The answer that is open.
    pub open: Option<ViewKey>,
}

impl Engine {
    /// The trades of a row of a view, each with all documents that the view has of it.
    ///
    /// # Errors
    /// Those of [`row_detail`](Self::row_detail), and `cancelled`.
    pub async fn trades_of_row(
        &self,
        key: &ViewKey,
        query: &RowQuery,
        position: u64,
        cancel: &CancellationToken,
    ) -> Result<RowTrades> {
        let (engine, query) = (self.clone(), query.clone());
        self.with_view(key, cancel, move |view: &View, stop| {
            let (_, row) = view.document_until(&query, position, stop)?;
            let mapping = engine.mapping_of(view.file().identity());
            let mut ids: Vec<(String, Bson)> = Vec::new();
            if let Some(path) = mapping.trade_path(query.role) {
                scalars(&row, path, &mut |value| {
                    if let (Some(key), Ok(value)) = (equality_key(value), Bson::try_from(value))
                        && ids.len() < TRADES_OF_A_ROW
                        && !ids.iter().any(|(known, _)| *known == key)
                    {
                        ids.push((key, value));
                    }
                });
            }
            let mut trades = Vec::new();
            if !ids.is_empty() {
                let values: Vec<Bson> = ids.iter().map(|(_, value)| value.clone()).collect();
                let keys: HashSet<String> = ids.iter().map(|(key, _)| key.clone()).collect();
                let found = view.documents_of_trades(&values, &keys, DOCUMENTS_OF_A_ROW + 1, stop)?;
                let is_cut = found.len() > DOCUMENTS_OF_A_ROW;
                for (key, value) in &ids {
                    let of_it = |one: &&TradeMatch| one.keys.contains(key);
                    let rows = found.iter().take(DOCUMENTS_OF_A_ROW).filter(of_it);
                    let rows = rows.map(|one| row_of(view, one)).collect();
                    trades.push(Trade::of(&mapping, &text_of(value), rows, Some(&row), is_cut));
                }
            }
            Ok(RowTrades { generation: view.generation(), trades })
        })
        .await
    }

    /// Finds trades by a list of their ids in all cached queries, whatever their days: first in those of the source in
    /// use, then in the others. What is found within the time limit is returned, and the rest is noted.
    ///
    /// # Errors
    /// `bad_filter` if the list cannot be used, `cancelled`, `cache_unusable` if the folder cannot be listed.
    pub async fn find_cached(
        &self,
        list: &str,
        find_in: &FindIn,
        cancel: &CancellationToken,
    ) -> Result<FoundTrades> {
        let texts = read_list(list)?;
        let stop = Arc::new(Stop::default());
        let (engine, find_in, cancelled) = (self.clone(), find_in.clone(), cancel.clone());
        let search = Search {
            texts,
            find_in,
            stop: Arc::clone(&stop),
            cancelled,
            until: Instant::now() + SEARCH_LIMIT,
        };
        let work = off_thread(move || search.run(&engine));
        tokio::pin!(work);
        tokio::select! {
            done = &mut work => return done,
            () = cancel.cancelled() => {}
            () = tokio::time::sleep(SEARCH_LIMIT) => {}
        }
        loop {
            stop.stop();
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(STOP_AGAIN) => {}
            }
        }
    }
}

/// A search in all cached queries.
struct Search {
    texts: Vec<String>,
    find_in: FindIn,
    stop: Arc<Stop>,
    cancelled: CancellationToken,
    until: Instant,
}

impl Search {
    fn run(self, engine: &Engine) -> Result<FoundTrades> {
        let begun = Instant::now();
        engine.close_replaced_files();
        let mut unreadable = 0;
        let mut files: Vec<(bool, PathBuf, CatalogEntry)> = Vec::new();
        for path in engine.cache().files()? {
            match engine.cache().listed(&path) {
                Ok(entry) => files.push((self.is_current(&entry), path, entry)),
                Err(_) => unreadable += 1,
            }
        }
        files.sort_by_key(|(is_current, ..)| !is_current);
        // The trades, by the place of their ids in the list.
        let mut found: Vec<(usize, FoundTrade)> = Vec::new();
        let (mut unsearched, mut opened, mut documents) = (0, 0, 0);
        for (at, (is_current, path, entry)) in files.iter().enumerate() {
            let left = MOST_DOCUMENTS - documents;
            if Instant::now() > self.until || left == 0 {
                unsearched = files.len() - at;
                break;
            }
            let mapping = engine.mapping_of(&entry.identity);
            let ids: Vec<TradeId> = self.texts.iter().map(|text| TradeId::read(&mapping, text)).collect();
            let rows: u64 =
                entry.state.days.values().map(|held| held.input_rows + held.downstream_rows).sum();
            let mut keys = ids.iter().flat_map(|id| id.keys.iter()).peekable();
            if rows == 0
                || mapping.trade_id.is_none()
                || keys.peek().is_none()
                || engine.cache().lacks(path, keys)
            {
                continue;
            }
            opened += 1;
            let last = engine.last_begun_of(&entry.identity);
            match engine.cache().documents_of_trades(path, &ids, last, (left, &self.stop)) {
                Ok(matches) => {
                    documents += matches.len();
                    let is_cut = matches.len() == left;
                    let trades = self.trades_in((entry, &mapping), &ids, &matches, *is_current, is_cut);
                    found.extend(trades);
                }
                Err(error) => match Failure::from(error) {
                    failure if failure.code == Code::Cancelled && self.cancelled.is_cancelled() => {
                        return Err(failure);
                    }
                    failure if failure.code == Code::Cancelled => {
                        unsearched = files.len() - at;
                        break;
                    }
                    failure => {
                        debug!(code = %failure.code, "a file is not searched: {}", failure.for_log());
                        unreadable += 1;
                    }
                },
            }
        }
        let elapsed_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        info!(
            ids = self.texts.len(),
            files = files.len(),
            opened,
            documents,
            elapsed_ms,
            "the cache was searched for trades"
        );
        found.sort_by_key(|(place, _)| *place);
        let known: HashSet<usize> = found.iter().map(|(place, _)| *place).collect();
        let missing = self.texts.iter().enumerate().filter(|(place, _)| !known.contains(place));
        let mut notes = Vec::new();
        if documents >= MOST_DOCUMENTS {
            notes.push(cut_note());
        } else if unsearched > 0 {
            notes.push(format!("{} could not be searched in time.", counted(unsearched, "cached file")));
        }
        if unreadable > 0 {
            let what = counted(unreadable, "cached file");
            notes.push(format!("{what} could not be read, and may have more; see the cached queries."));
        }
        Ok(FoundTrades {
            not_found: missing.map(|(_, text)| text.clone()).collect(),
            asked: self.texts.len(),
            found: found.into_iter().map(|(_, trade)| trade).collect(),
            notes,
        })
    }

    fn is_current(&self, entry: &CatalogEntry) -> bool {
        let source = entry.identity.query().ok().map(|query| query.source);
        self.find_in.current.is_some() && source == self.find_in.current
    }

    /// The trades among the documents of one file.
    fn trades_in(
        &self,
        (entry, mapping): (&CatalogEntry, &Mapping),
        ids: &[TradeId],
        matches: &[TradeMatch],
        is_current: bool,
        is_cut: bool,
    ) -> Vec<(usize, FoundTrade)> {
        let open =
            self.find_in.open.as_ref().filter(|key| key.signature == entry.identity.signature.as_str());
        let mut found = Vec::new();
        for (place, id) in ids.iter().enumerate() {
            let of_it = matches.iter().filter(|one| id.keys.iter().any(|key| one.keys.contains(key)));
            let of_it: Vec<&TradeMatch> = of_it.collect();
            let days = || of_it.iter().map(|one| one.day);
            let (Some(from), Some(to)) = (days().min(), days().max()) else { continue };
            let fetched = |one: &TradeMatch| entry.state.days.get(&one.day).map(|held| held.fetched);
            let row = |one: &&TradeMatch| TradeRow {
                role: one.role,
                day: Some(one.day),
                fetched: fetched(one),
                document: one.document.clone(),
            };
            let rows = of_it.iter().map(row).collect();
            let place_of = FoundPlace::Cache {
                signature: entry.identity.signature.to_string(),
                source: entry.identity.source.clone(),
                filters: entry.identity.filters.describe(&mapping.all_labels()),
                is_current,
                is_open: open.is_some_and(|key| days().any(|day| key.from <= day && day <= key.to)),
                from,
                to,
            };
            let trade = Trade::of(mapping, &id.text, rows, None, is_cut);
            found.push((place, FoundTrade { place: place_of, trade }));
        }
        found
    }
}

fn row_of(view: &View, found: &TradeMatch) -> TradeRow {
    TradeRow {
        role: found.role,
        day: Some(found.day),
        fetched: view.state().days.get(&found.day).map(|held| held.fetched),
        document: found.document.clone(),
    }
}

/// A trade id as a person reads it.
fn text_of(value: &Bson) -> String {
    RawBson::try_from(value.clone())
        .map_or_else(|_| value.to_string(), |raw| crate::bson::diff::plain_text(raw.as_raw_bson_ref()))
}
