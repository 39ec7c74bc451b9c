//! Reads a sample of a collection, to propose a mapping for it.
//!
//! Every query has a time limit of a few seconds and the comment by which a database team finds Tidemark's queries. One
//! that takes longer is left out: the sample has then fewer documents.

use std::collections::HashSet;
use std::time::Duration;

use bson::{Document, RawDocumentBuf, doc};
use tracing::debug;

use super::catalog::ListedKind;
use super::connect::Source;
use crate::day::{Day, DayRange};
use crate::failure::{Code, Result};
use crate::proposal::{Evidence, IdCandidate, Link, OtherCollection, Proposal, Sample, Study, message_rank};
use crate::query::mapping::Mapping;
use crate::query::pipeline;
use crate::query::placement::{Place, Placement};

/// Time limit of a query of the sample.
const SAMPLE_LIMIT: Duration = Duration::from_secs(5);
/// Time limit of a search for some trade ids, which an index serves.
const LINK_LIMIT: Duration = Duration::from_secs(2);
/// Documents of each kind: the newest, the oldest, at random, of one day, of another collection.
const ENDS: i64 = 50;
const AT_RANDOM: i64 = 500;
const OF_A_DAY: i64 = 20;
const OF_OTHERS: i64 = 20;
/// Days that the sample is spread over, once the field of the day is known.
const DAYS: usize = 12;
/// Other collections that are looked at.
const MAX_OTHERS: usize = 12;
/// Documents of a collection that is searched without an index, at most.
const SMALL: u64 = 50_000;
/// Documents that a search for trade ids returns at most.
const FOUND: i64 = 200;
/// Documents of some trades that are read at most.
const OF_TRADES: i64 = 1_000;

impl Source {
    /// Proposes a mapping from a sample of the documents: the newest, the oldest, some at random, and some of days all
    /// over the time that they cover.
    ///
    /// # Errors
    /// See [`super::SourceError`]; `bad_mapping` never.
    pub async fn propose(&self) -> Result<Proposal> {
        let mut sample = self.sample().await?;
        let first = Study::of(&sample);
        let nothing = Evidence::default();
        // Without an index on the day, each of these queries would read the whole collection.
        if first.days_are_indexed()
            && let Ok(mapping) = Mapping::parse(&first.propose(&nothing).mapping.to_string())
        {
            self.spread(&mut sample, &mapping).await?;
        }
        let study = Study::of(&sample);
        let links = self.links(&study.id_candidates()).await;
        let of_trades = match study.shared_trade_id(&links) {
            Some(candidate) => self.of_trades(candidate).await,
            None => Vec::new(),
        };
        Ok(study.propose(&Evidence { links, of_trades }))
    }

    /// Reads the newest and the oldest documents, some at random, the indexes, and a few documents of the other
    /// collections.
    async fn sample(&self) -> Result<Sample> {
        let name = self.collection_name().to_owned();
        let mut documents = Documents::default();
        let end = |order: i32| vec![doc! {"$sort": {"_id": order}}, doc! {"$limit": ENDS}];
        // The first query shows whether the collection may be read at all. A view may have to be sorted.
        let collection = self.collection(None).await?;
        match self.raw_documents(&collection, vec![doc! {"$limit": ENDS}], SAMPLE_LIMIT).await {
            Err(failure) if failure.code == Code::SourceTimeout => {}
            found => documents.add(found?),
        }
        let newest = self.few(None, end(-1)).await;
        documents.add(newest.clone());
        for stages in [end(1), vec![doc! {"$sample": {"size": AT_RANDOM}}]] {
            documents.add(self.few(None, stages).await);
        }
        let visible = self.list_visible().await.unwrap_or_default();
        let indexes = self.indexes(&name).await;
        let mut others = Vec::new();
        let kind = |name: &String| visible.get(name).map(ListedKind::of);
        // What a view shows is no message of it.
        let mut beneath: Vec<String> = vec![name.clone()];
        while let Some(Some(ListedKind::View(Some(next)))) = beneath.last().map(kind)
            && !beneath.contains(&next)
        {
            beneath.push(next);
        }
        let mut names: Vec<&String> = visible.keys().filter(|other| !beneath.contains(other)).collect();
        names.sort_by_key(|name| std::cmp::Reverse(message_rank(name)));
        let unseen_collections = names.len().saturating_sub(MAX_OTHERS);
        for other in names.into_iter().take(MAX_OTHERS) {
            others.push(OtherCollection {
                name: other.clone(),
                documents: self.few(Some(other), vec![doc! {"$limit": OF_OTHERS}]).await,
                indexes: self.indexes(other).await,
                is_small: self.is_small(other, kind(other).as_ref()).await,
            });
        }
        if documents.all.is_empty() {
            self.expect_collections(&[&name]).await?;
        }
        Ok(Sample {
            is_small: self.is_small(&name, kind(&name).as_ref()).await,
            time_field: match kind(&name) {
                Some(ListedKind::TimeSeries(path)) => path,
                _ => None,
            },
            collection: name,
            documents: documents.all,
            newest,
            knows_indexes: indexes.is_some(),
            indexes: indexes.unwrap_or_default(),
            others,
            unseen_collections,
            local_zone: iana_time_zone::get_timezone().ok(),
        })
    }

    /// Whether a collection is known to have so few documents that reading all of them takes a moment.
    async fn is_small(&self, collection: &str, kind: Option<&ListedKind>) -> bool {
        kind == Some(&ListedKind::Collection)
            && self.estimated_count(collection).await.is_some_and(|documents| documents <= SMALL)
    }

    /// Adds documents of some days all over the time that the sample covers.
    async fn spread(&self, sample: &mut Sample, mapping: &Mapping) -> Result<()> {
        let mut placement = Placement::new(mapping);
        let placed = sample.documents.iter().filter_map(|document| match placement.place(document) {
            Place::Day(day) => Some(day.number()),
            Place::LeftOut(_) | Place::Nowhere => None,
        });
        let placed: Vec<i32> = placed.collect();
        let (Some(first), Some(last)) = (placed.iter().min(), placed.iter().max()) else { return Ok(()) };
        let mut documents = Documents::of(std::mem::take(&mut sample.documents));
        let parts = i32::try_from(DAYS).unwrap_or(1);
        for part in 1..parts {
            let day = Day::from_number(first + (last - first) / parts * part);
            // A few days: one may be a holiday.
            let range = DayRange::new(day, day.plus(3))?;
            let stages =
                vec![doc! {"$match": pipeline::date_match(mapping, &range)}, doc! {"$limit": OF_A_DAY}];
            documents.add(self.few(None, stages).await);
        }
        sample.documents = documents.all;
        Ok(())
    }

    /// Looks for trade ids where messages may refer to them.
    async fn links(&self, candidates: &[IdCandidate]) -> Vec<Link> {
        let mut links = Vec::new();
        for candidate in candidates {
            for (collection, path) in &candidate.look_in {
                let ids = candidate.values.clone();
                let stages = vec![
                    doc! {"$match": {path: {"$in": ids}}},
                    doc! {"$limit": FOUND},
                    doc! {"$group": {"_id": format!("${path}")}},
                ];
                let Ok(collection_read) = self.collection(collection.as_deref()).await else { continue };
                let found = self.raw_documents(&collection_read, stages, LINK_LIMIT).await;
                let found = found.map(|found| found.len().min(candidate.values.len())).unwrap_or_default();
                links.push(Link {
                    trade_id: candidate.path.clone(),
                    collection: collection.clone(),
                    path: path.clone(),
                    asked: candidate.values.len(),
                    found,
                });
            }
        }
        links
    }

    /// All documents of some trades; none if there are too many to be all of them.
    async fn of_trades(&self, IdCandidate { path, values, .. }: IdCandidate) -> Vec<RawDocumentBuf> {
        let stages = vec![doc! {"$match": {path: {"$in": values}}}, doc! {"$limit": OF_TRADES}];
        let found = self.few(None, stages).await;
        if i64::try_from(found.len()).is_ok_and(|found| found < OF_TRADES) { found } else { Vec::new() }
    }

    /// Some documents; none if the query fails or takes too long.
    async fn few(&self, collection: Option<&str>, stages: Vec<Document>) -> Vec<RawDocumentBuf> {
        let Ok(read) = self.collection(collection).await else { return Vec::new() };
        self.raw_documents(&read, stages, SAMPLE_LIMIT)
            .await
            .inspect_err(|failure| debug!(code = %failure.code, "a part of the sample is missing: {}", failure.for_log()))
            .unwrap_or_default()
    }

    /// The paths of each index that can serve a range, in order; `None` if they cannot be listed, as those of a view.
    pub(crate) async fn indexes(&self, collection: &str) -> Option<Vec<Vec<String>>> {
        let found = self.cursor_documents(doc! {"listIndexes": collection}).await.ok()?;
        let is_partial = |index: &&Document| {
            index.contains_key("partialFilterExpression") || index.get_bool("hidden").unwrap_or(false)
        };
        let paths = |index: &Document| {
            let keys = index.get_document("key").ok()?;
            // Others are for text, places and hashes.
            let is_sorted = keys.values().all(|order| order.as_str().is_none());
            is_sorted.then(|| keys.keys().cloned().collect())
        };
        Some(found.iter().filter(|index| !is_partial(index)).filter_map(paths).collect())
    }
}

/// Documents, each once.
#[derive(Default)]
struct Documents {
    all: Vec<RawDocumentBuf>,
    seen: HashSet<Vec<u8>>,
}

impl Documents {
    fn of(documents: Vec<RawDocumentBuf>) -> Self {
        let mut own = Self::default();
        own.add(documents);
        own
    }

    fn add(&mut self, documents: Vec<RawDocumentBuf>) {
        for document in documents {
            if self.seen.insert(document.as_bytes().to_vec()) {
                self.all.push(document);
            }
        }
    }
}
