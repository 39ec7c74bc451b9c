//! Finds trades at the source by their ids. Nothing is stored.

use std::collections::HashSet;

use bson::{Bson, RawDocumentBuf};
use tokio_util::sync::CancellationToken;
use tracing::{info, instrument};

use super::source_test::unserved_ids;
use crate::answer::trade::{FoundPlace, FoundTrade, FoundTrades, MOST_DOCUMENTS, Trade, TradeRow, cut_note};
use crate::engine::off_thread;
use crate::failure::{Code, Failure, Result};
use crate::limits::Limits;
use crate::query::mapping::Mapping;
use crate::query::placement::{Place, Placement};
use crate::query::trade::trades_of;
use crate::query::trade_id::{TradeId, read_list};
use crate::rows::Role;
use crate::source::Source;

/// Finds trades by a list of their ids at the source, whatever their days, each with its messages.
///
/// # Errors
/// `bad_filter` if the list cannot be used, `bad_mapping` if the mapping has no trade id, `cancelled`; see
/// [`crate::source::SourceError`].
#[instrument(level = "error", skip_all)]
pub async fn find_at_source(
    source: &Source,
    mapping: &Mapping,
    list: &str,
    cancel: &CancellationToken,
) -> Result<FoundTrades> {
    let texts = read_list(list)?;
    if mapping.trade_id.is_none() {
        return Err(Failure::new(Code::BadMapping, "The mapping names no trade id to find trades by.")
            .advise("Name the path of the trade id in the mapping."));
    }
    let ids: Vec<TradeId> = texts.iter().map(|text| TradeId::read(mapping, text)).collect();
    let values: Vec<Bson> = ids.iter().flat_map(|id| id.values.iter().cloned()).collect();
    let reading = async {
        let notes = unserved_ids(source, mapping).await;
        // One beyond the limit shows that there are more.
        let found =
            source.documents_of_trades(mapping, values, MOST_DOCUMENTS + 1, &Limits::default()).await?;
        Ok::<_, Failure>((notes, found))
    };
    let (mut notes, documents) = tokio::select! {
        read = reading => read?,
        () = cancel.cancelled() => {
            return Err(Failure::new(Code::Cancelled, "The search was cancelled.")
                .advise("Search again to see what the source has."));
        }
    };
    let mut documents = each_once(mapping, source.collection_name(), documents);
    info!(ids = ids.len(), documents = documents.len(), "trades were looked for by their ids");
    let is_cut = documents.len() > MOST_DOCUMENTS;
    if is_cut {
        documents.truncate(MOST_DOCUMENTS);
        notes.push(cut_note());
    }
    let mapping = mapping.clone();
    off_thread(move || {
        let mut placement = Placement::new(&mapping);
        let mut placed = Vec::with_capacity(documents.len());
        for (role, document) in documents {
            let day = match (role, placement.place(&document)) {
                (Role::Input, Place::Day(day)) => Some(day),
                _ => None,
            };
            let keys = mapping.trade_path(role).map_or_else(Vec::new, |path| trades_of(path, &document));
            placed.push((keys, TradeRow { role, day, fetched: None, document }));
        }
        let mut found = FoundTrades { asked: ids.len(), notes, ..FoundTrades::default() };
        for id in &ids {
            let of_it = placed.iter().filter(|(keys, _)| id.keys.iter().any(|key| keys.contains(key)));
            let mut rows: Vec<TradeRow> = of_it.map(|(_, row)| row.clone()).collect();
            if rows.is_empty() {
                found.not_found.push(id.text.clone());
                continue;
            }
            // A message belongs to the day of its trade.
            let day = rows.iter().find_map(|row| row.day);
            rows.iter_mut().filter(|row| row.role == Role::Downstream).for_each(|row| row.day = day);
            let trade = Trade::of(&mapping, &id.text, rows, None, is_cut);
            found.found.push(FoundTrade { place: FoundPlace::Source, trade });
        }
        Ok(found)
    })
    .await
}

/// The documents without those that matched twice, as a trade and as a message. A trade has a day; what has none is a
/// message if it matches as one. What matches as a trade alone stays one, since a person who looks for its id wants to
/// see it.
fn each_once(
    mapping: &Mapping,
    trades_in: &str,
    documents: Vec<(Role, RawDocumentBuf)>,
) -> Vec<(Role, RawDocumentBuf)> {
    let mut placement = Placement::new(mapping);
    let (trades, messages): (Vec<_>, Vec<_>) =
        documents.into_iter().partition(|(role, _)| *role == Role::Input);
    let as_messages: HashSet<Vec<u8>> =
        messages.iter().map(|(_, document)| document.as_bytes().to_vec()).collect();
    let mut found = trades;
    found.retain(|(_, document)| {
        !matches!(placement.place(document), Place::Nowhere) || !as_messages.contains(document.as_bytes())
    });
    let as_trades: HashSet<Vec<u8>> =
        found.iter().map(|(_, document)| document.as_bytes().to_vec()).collect();
    // Equal documents of two collections are two.
    let is_other = mapping.downstream_collection.as_deref().is_some_and(|name| name != trades_in);
    found.extend(
        messages.into_iter().filter(|(_, document)| is_other || !as_trades.contains(document.as_bytes())),
    );
    found
}
