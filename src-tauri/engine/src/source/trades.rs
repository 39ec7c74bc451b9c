//! Reads trades and their messages by the trade id, for a person who looks for some trades.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use bson::{Bson, Document, RawBsonRef, RawDocumentBuf, doc};

use super::connect::Source;
use super::moment::{PullOrder, RunMoment, WindowMoment};
use super::read::unreadable_reply;
use crate::failure::Result;
use crate::limits::Limits;
use crate::query::id_batch::IdBatch;
use crate::query::mapping::Mapping;
use crate::query::pipeline;
use crate::rows::Role;

/// Time limit of each query: an index serves it, or a person will not wait for it.
const FIND_LIMIT: Duration = Duration::from_secs(30);
/// Documents per batch.
const BATCH: u32 = 500;

impl Source {
    /// The trades with these ids and their messages, as of one moment if the server can; at most about `limit` of each. A
    /// document that matches as both is returned as both.
    ///
    /// # Errors
    /// See [`super::SourceError`].
    pub(crate) async fn documents_of_trades(
        &self,
        mapping: &Mapping,
        ids: Vec<Bson>,
        limit: usize,
        limits: &Limits,
    ) -> Result<Vec<(Role, RawDocumentBuf)>> {
        let mut batch = IdBatch::new(limits);
        let mut batches: Vec<Vec<Bson>> = ids.into_iter().filter_map(|id| batch.push(id)).collect();
        batches.push(batch.take());
        let run = Arc::<RunMoment>::default();
        let mut moment = Arc::new(WindowMoment::new(&run));
        let mut is_second = false;
        loop {
            match self.read_trades(mapping, &batches, limit, &moment).await {
                // The server's history no longer reaches back to the moment.
                Err(_) if moment.is_lost() && !is_second => {
                    is_second = true;
                    moment = Arc::new(moment.after_loss());
                }
                found => return found,
            }
        }
    }

    async fn read_trades(
        &self,
        mapping: &Mapping,
        batches: &[Vec<Bson>],
        limit: usize,
        moment: &Arc<WindowMoment>,
    ) -> Result<Vec<(Role, RawDocumentBuf)>> {
        let other = mapping.downstream_collection.clone().filter(|name| *name != self.collection_name());
        let mut trades = Vec::new();
        for ids in batches {
            let matches = pipeline::trades_match(mapping, ids.clone());
            self.read_into(&mut trades, None, matches, limit, moment).await?;
        }
        let mut messages = Vec::new();
        for ids in batches {
            let matches = pipeline::downstream_match(mapping, ids.clone());
            // Each of them may be one of the trades.
            let limit = limit.saturating_add(trades.len());
            self.read_into(&mut messages, other.clone(), matches, limit, moment).await?;
        }
        let of = |role| move |document| (role, document);
        let messages = messages.into_iter().map(of(Role::Downstream));
        Ok(trades.into_iter().map(of(Role::Input)).chain(messages).collect())
    }

    /// Adds what matches, unless the limit is reached.
    async fn read_into(
        &self,
        found: &mut Vec<RawDocumentBuf>,
        collection: Option<String>,
        matches: Document,
        limit: usize,
        moment: &Arc<WindowMoment>,
    ) -> Result<()> {
        let left = limit.saturating_sub(found.len());
        if left == 0 {
            return Ok(());
        }
        let left = i64::try_from(left).unwrap_or(i64::MAX);
        let order = PullOrder {
            collection,
            pipeline: vec![doc! {"$match": matches}, doc! {"$limit": left}],
            batch_documents: NonZeroU32::new(BATCH).expect("not zero"),
            time_limit: FIND_LIMIT,
        };
        let mut batches = self.pull(order, moment).await?;
        while let Some(batch) = batches.next().await? {
            for row in batch.raw.doc_slices()? {
                if let RawBsonRef::Document(row) = row.map_err(unreadable_reply)? {
                    found.push(row.to_owned());
                }
            }
        }
        Ok(())
    }
}
