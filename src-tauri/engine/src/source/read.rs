//! Queries on the source: pulls, counts, and what its documents look like.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use bson::{Bson, Document, RawBson, RawBsonRef, doc};
use futures_util::TryStreamExt as _;

use super::connect::Source;
use super::moment::{PullOrder, WindowMoment};
use crate::answer::left_out::{FoundOddDates, OddDates, expected, type_in_words};
use crate::answer::note::Note;
use crate::bson::change_stamp::{ChangeStamp, DayCount};
use crate::bson::hashed_key::{HashSums, accumulators};
use crate::bson::number::approximate;
use crate::day::{Day, DayRange};
use crate::failure::{Code, Failure, Result};
use crate::query::date_field::{DateField, DateForm};
use crate::query::form::ValueType;
use crate::query::mapping::{DateMapping, FilterPath, Mapping};
use crate::query::pipeline::{self, COMMENT, PULL_LIMIT};
use crate::query::placement::{self, Place, Placement};
use crate::query::source::Query;

/// Time limit of an estimate: a plan should not wait for it.
pub(super) const ESTIMATE_LIMIT: Duration = Duration::from_secs(2);
/// Number of days that an estimate is based on: a week includes a weekend, whereas a few days may all be quiet ones.
pub(crate) const ESTIMATE_DAYS: usize = 7;
/// Number of documents, and of days back from today, that suggestions are taken from.
const SUGGESTION_DOCUMENTS: i64 = 5_000;
const SUGGESTION_DAYS: i32 = 14;

impl Source {
    /// Estimates the input documents per day of a range from the week in its middle; `None` if counting them takes
    /// too long.
    ///
    /// # Errors
    /// See [`super::SourceError`].
    pub async fn rows_per_day(&self, query: &Query, range: DayRange) -> Result<Option<f64>> {
        let days: Vec<Day> = range.days().collect();
        let skipped = days.len().saturating_sub(ESTIMATE_DAYS) / 2;
        let week = &days[skipped..days.len().min(skipped + ESTIMATE_DAYS)];
        let (Some(first), Some(last)) = (week.first(), week.last()) else { return Ok(None) };
        let mut pipeline = pipeline::input_pipeline(query, &DayRange::new(*first, *last)?);
        pipeline.push(doc! {"$count": "rows"});
        match self.documents(pipeline, ESTIMATE_LIMIT).await {
            Ok(found) => {
                let rows = found.first().map_or(0, |row| whole(row.get("rows")));
                Ok(Some(approximate(rows) / approximate(week.len() as u64)))
            }
            Err(failure) if failure.code == Code::SourceTimeout => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Counts the input documents per day of a range. Days without any are omitted.
    ///
    /// # Errors
    /// See [`super::SourceError`].
    pub async fn day_counts(&self, query: &Query, range: DayRange) -> Result<BTreeMap<Day, DayCount>> {
        let found = self.documents(pipeline::day_counts_pipeline(query, &range), PULL_LIMIT).await?;
        Ok(read_day_counts(query, range, found))
    }

    /// Like [`day_counts`](Self::day_counts), but as of the window's moment if its cursors read a snapshot.
    ///
    /// # Errors
    /// As for [`pull`](Self::pull).
    pub async fn day_counts_at(
        &self,
        query: &Query,
        range: DayRange,
        moment: &Arc<WindowMoment>,
    ) -> Result<BTreeMap<Day, DayCount>> {
        let order = PullOrder {
            collection: None,
            pipeline: pipeline::day_counts_pipeline(query, &range),
            batch_documents: NonZeroU32::new(1_000).expect("not zero"),
            time_limit: PULL_LIMIT,
        };
        let mut batches = self.pull(order, moment).await?;
        let mut found = Vec::new();
        while let Some(batch) = batches.next().await? {
            for row in batch.raw.doc_slices()? {
                if let RawBsonRef::Document(row) = row.map_err(unreadable_reply)? {
                    found.push(Document::try_from(row).map_err(unreadable_reply)?);
                }
            }
        }
        Ok(read_day_counts(query, range, found))
    }

    /// Like [`day_counts`](Self::day_counts), with the sums of the documents' hashes if the server supports
    /// `$toHashedIndexKey` (since MongoDB 7.0).
    ///
    /// # Errors
    /// As for [`day_counts`](Self::day_counts).
    pub async fn day_counts_and_hashes(
        &self,
        query: &Query,
        range: DayRange,
    ) -> Result<BTreeMap<Day, DayCount>> {
        if self.has_hashes() {
            let mut pipeline = pipeline::day_counts_pipeline(query, &range);
            let group = pipeline.iter_mut().rev().find_map(|stage| stage.get_document_mut("$group").ok());
            if let Some(group) = group {
                group.extend(accumulators(query.mapping.changed_at.as_deref()));
            }
            match self.documents(pipeline, PULL_LIMIT).await {
                // Either the server does not know the operator, or the query itself is at fault, which the next
                // command shows.
                Err(failure) if failure.code == Code::BadFilter => self.note_that_there_are_no_hashes(),
                found => return Ok(read_day_counts(query, range, found?)),
            }
        }
        self.day_counts(query, range).await
    }

    /// Counts the downstream messages of each group of trades, in the order of the groups. A message counts once per
    /// group.
    ///
    /// # Errors
    /// See [`super::SourceError`].
    pub async fn downstream_counts(
        &self,
        mapping: &Mapping,
        groups: Vec<Vec<Bson>>,
    ) -> Result<Vec<DayCount>> {
        let collection = self.collection(mapping.downstream_collection.as_deref()).await?;
        if groups.len() > 1 {
            let pipeline = pipeline::downstream_counts_pipeline(mapping, &groups);
            match self.documents_of(&collection, pipeline, PULL_LIMIT).await {
                Ok(found) => return Ok(read_group_counts(groups.len(), found.first())),
                // Some servers have no `$facet`.
                Err(failure) if failure.code == Code::BadFilter => {}
                Err(failure) => return Err(failure),
            }
        }
        let mut counts = Vec::with_capacity(groups.len());
        for ids in groups {
            let pipeline = pipeline::downstream_count_pipeline(mapping, ids);
            let found = self.documents_of(&collection, pipeline, PULL_LIMIT).await?;
            counts.push(found.first().map_or_else(DayCount::default, read_count));
        }
        Ok(counts)
    }

    /// Explains why a range came back empty: a missing collection or a date field that no document has is a failure,
    /// an empty collection only a note.
    ///
    /// # Errors
    /// `bad_mapping`; see [`super::SourceError`].
    pub async fn explain_nothing(&self, query: &Query) -> Result<Option<Note>> {
        let mapping = &query.mapping;
        let mut wanted = vec![self.collection_name()];
        wanted.extend(mapping.downstream_collection.as_deref());
        self.expect_collections(&wanted).await?;
        if !self.has(Document::new()).await? {
            return Ok(Some(Note::EmptyCollection { name: self.collection_name().to_owned() }));
        }
        let is_narrowed = !mapping.input_match.is_empty();
        if is_narrowed && !self.has(mapping.input_match.clone()).await? {
            return Ok(Some(Note::NoInput { name: self.collection_name().to_owned() }));
        }
        // What the messages beside the trades have makes no day of a trade.
        let of_trades = |condition: Document| match is_narrowed {
            true => doc! {"$and": [mapping.input_match.clone(), condition]},
            false => condition,
        };
        for path in mapping.dates().paths() {
            if self.has(of_trades(pipeline::of_expected_type(mapping, path))).await? {
                self.expect_unit(mapping, path).await?;
                continue;
            }
            let sample = vec![
                doc! {"$match": of_trades(doc! {path: {"$exists": true}})},
                doc! {"$limit": 1},
                doc! {"$project": {"_id": 0, "type": {"$type": format!("${path}")}}},
            ];
            let name = self.collection_name();
            let (message, advice) = match self.documents(sample, ESTIMATE_LIMIT).await {
                // Too slow to find out: no statement about this field.
                Err(failure) if failure.code == Code::SourceTimeout => continue,
                found => match found?.first() {
                    None if is_narrowed => (
                        format!("No document in {name} that input_match selects has the date field {path}."),
                        "Correct the mapping: name the path that holds it in these documents, or change input_match.",
                    ),
                    None => (
                        format!("No document in {name} has the date field {path}."),
                        "Correct the mapping: name the path that holds it, or null.",
                    ),
                    Some(found) => (
                        format!(
                            "The documents of {name} have {} in the date field {path}, where {} is expected.",
                            type_in_words(
                                mapping,
                                path,
                                found.get_str("type").unwrap_or("values of another type")
                            ),
                            expected(mapping, path)
                        ),
                        "Correct the mapping: name a path that holds such values.",
                    ),
                },
            };
            return Err(Failure::new(Code::BadMapping, message).advise(advice));
        }
        Ok(None)
    }

    /// The day of the newest trade, whatever its filter fields are. `None` if it cannot be found out quickly.
    pub(crate) async fn newest_day(&self, mapping: &Mapping) -> Option<Day> {
        let paths = mapping.dates().paths();
        let mut matches: Vec<Document> =
            paths.iter().map(|path| pipeline::of_expected_type(mapping, path)).collect();
        matches.push(mapping.input_match.clone());
        let newest_first: Document = paths.iter().map(|path| ((*path).to_owned(), Bson::from(-1))).collect();
        let stages =
            vec![doc! {"$match": {"$and": matches}}, doc! {"$sort": newest_first}, doc! {"$limit": 1}];
        let collection = self.collection(None).await.ok()?;
        let found = self.raw_documents(&collection, stages, ESTIMATE_LIMIT).await.ok()?;
        match Placement::new(mapping).place(found.first()?) {
            Place::Day(day) => Some(day),
            Place::LeftOut(_) | Place::Nowhere => None,
        }
    }

    /// Fails if the counts since 1970 at a path have a different unit than the mapping says: then no range of days has
    /// any of them, and the answer would be empty but complete.
    async fn expect_unit(&self, mapping: &Mapping, path: &str) -> Result<()> {
        let Some(form) = mapping.dates().form_at(path) else { return Ok(()) };
        let Some(believable) = form.believable() else { return Ok(()) };
        if self.has_in_time(doc! {path: believable}).await? != Some(false) {
            return Ok(());
        }
        for other in DateForm::COUNTS.into_iter().filter(|other| *other != form) {
            let Some(believable) = other.believable() else { continue };
            if self.has_in_time(doc! {path: believable}).await? == Some(true) {
                let (message, advice) = form.not_but(path, other);
                return Err(Failure::new(Code::BadMapping, message).advise(advice));
            }
        }
        Ok(())
    }

    /// Counts the documents that match except for their date fields, whose type no match on dates can find. Documents
    /// whose year is readable are counted for the years of the range only. `None` if the count fails or takes too
    /// long.
    pub async fn odd_dates(&self, query: &Query, range: DayRange) -> Option<FoundOddDates> {
        // Everything requested has arrived; do not fail because this check failed.
        let found = self.documents(pipeline::odd_dates_pipeline(query, &range), ESTIMATE_LIMIT).await.ok()?;
        let mut odd = OddDates::default();
        let dates = query.mapping.dates();
        for row in found {
            let Ok(id) = row.get_document("_id") else { continue };
            let type_of = |name: &str| id.get_str(name).unwrap_or("missing").to_owned();
            let documents = whole(row.get("count"));
            let (first, second) = (type_of("first"), type_of("second"));
            let is_number = ["int", "long", "double", "decimal"].contains(&first.as_str());
            match dates {
                DateMapping::YearDay { day_of_year, .. } if is_number => {
                    let year = id.get("year").cloned().and_then(|year| RawBson::try_from(year).ok());
                    let year = year.and_then(|year| placement::whole(year.as_raw_bson_ref()));
                    odd.add(year.and_then(|year| i32::try_from(year).ok()), day_of_year, &second, documents);
                }
                DateMapping::DayTimestamp { timestamp, .. } if is_number => {
                    odd.add(None, timestamp.path, &second, documents);
                }
                DateMapping::YearDay { year: path, .. }
                | DateMapping::DayTimestamp { day_of_year: path, .. }
                | DateMapping::Timestamp { timestamp: DateField { path, .. } } => {
                    odd.add(None, path, &first, documents)
                }
            }
        }
        Some(FoundOddDates { years: range.from().year()..=range.to().year(), dates: odd })
    }

    /// Suggests values of a text field that start with a prefix, ignoring case, at most `limit` of them: values from
    /// the last days' documents, or from any documents if the last days have none.
    ///
    /// # Errors
    /// See [`super::SourceError`].
    pub async fn suggestions(
        &self,
        mapping: &Mapping,
        field: &FilterPath,
        prefix: &str,
        today: Day,
        limit: u32,
    ) -> Result<Vec<String>> {
        if field.value_type != ValueType::Text {
            return Ok(Vec::new());
        }
        let starts = format!("^{}", crate::query::filter::escape(prefix));
        let values = |matches: Document| {
            vec![
                doc! {"$match": matches},
                // Must come first: with a pattern that few documents match, the server would otherwise read the whole
                // collection.
                doc! {"$limit": SUGGESTION_DOCUMENTS},
                doc! {"$project": {"_id": 0, "value": format!("${}", field.path)}},
                doc! {"$unwind": "$value"},
                doc! {"$match": {"value": {"$regex": &starts, "$options": "i"}}},
                doc! {"$group": {"_id": "$value"}},
                doc! {"$sort": {"_id": 1}},
                doc! {"$limit": limit},
            ]
        };
        let recent = DayRange::new(today.plus(1 - SUGGESTION_DAYS), today)?;
        let mut found =
            self.documents(values(pipeline::date_match(mapping, &recent)), ESTIMATE_LIMIT).await?;
        if found.is_empty() {
            found = self.documents(values(Document::new()), ESTIMATE_LIMIT).await?;
        }
        let texts = found.iter().filter_map(|row| row.get_str("_id").ok());
        // A blank value would not filter anything.
        Ok(texts.filter(|text| !text.trim().is_empty()).map(str::to_owned).collect())
    }

    pub(super) async fn documents(&self, pipeline: Vec<Document>, limit: Duration) -> Result<Vec<Document>> {
        self.documents_of(&self.collection(None).await?, pipeline, limit).await
    }

    /// The documents that a pipeline returns, as received.
    pub(super) async fn raw_documents(
        &self,
        collection: &mongodb::Collection<bson::RawDocumentBuf>,
        pipeline: Vec<Document>,
        limit: Duration,
    ) -> Result<Vec<bson::RawDocumentBuf>> {
        let asked = async {
            let cursor = collection.aggregate(pipeline).max_time(limit).comment(COMMENT).await?;
            Ok(cursor.with_type().try_collect::<Vec<bson::RawDocumentBuf>>().await?)
        };
        self.with_timeout(limit, asked).await
    }

    pub(super) async fn documents_of(
        &self,
        collection: &mongodb::Collection<bson::RawDocumentBuf>,
        pipeline: Vec<Document>,
        limit: Duration,
    ) -> Result<Vec<Document>> {
        let raw = self.raw_documents(collection, pipeline, limit).await?;
        // Decoded here: the driver's own deserialization fails on documents with field names such as `$oid`.
        raw.iter().map(|document| Document::try_from(document.as_ref()).map_err(unreadable_reply)).collect()
    }
}

/// The failure for a reply that is not valid BSON.
pub(crate) fn unreadable_reply(error: bson::error::Error) -> Failure {
    Failure::new(Code::SourceUnreachable, "The server's answer cannot be read.").because(error)
}

/// Reads the count of each group from the reply to [`pipeline::downstream_counts_pipeline`].
fn read_group_counts(groups: usize, found: Option<&Document>) -> Vec<DayCount> {
    let count_of = |number: usize| {
        let rows = found?.get_array(format!("g{number}")).ok()?;
        rows.first()?.as_document().map(read_count)
    };
    (0..groups).map(|number| count_of(number).unwrap_or_default()).collect()
}

/// Reads a `{count, changed}`.
fn read_count(row: &Document) -> DayCount {
    DayCount { rows: whole(row.get("count")), change_mark: greatest_stamp(row), left_out: 0, hashes: None }
}

/// Reads the groups of [`pipeline::day_counts_pipeline`].
fn read_day_counts(query: &Query, range: DayRange, found: Vec<Document>) -> BTreeMap<Day, DayCount> {
    let mut counts: BTreeMap<Day, DayCount> = BTreeMap::new();
    let placement = Placement::new(&query.mapping);
    let unplaced = Document::new();
    for row in found {
        let documents = whole(row.get("count"));
        match placement.place_group(row.get_document("_id").unwrap_or(&unplaced)) {
            Place::Day(day) if range.contains(day) => {
                let (mark, hashes) = (greatest_stamp(&row), HashSums::in_group(&row));
                let count = counts.entry(day).or_default();
                let is_new = count.rows == 0;
                count.rows += documents;
                count.change_mark = count.change_mark.take().max(mark);
                count.hashes = match (count.hashes, hashes) {
                    (None, first) if is_new => first,
                    (Some(mut sums), Some(more)) => {
                        sums.extend(&more);
                        Some(sums)
                    }
                    _ => None,
                };
            }
            Place::LeftOut(left_out) => {
                for day in range.days().filter(|day| left_out.touches(*day)) {
                    counts.entry(day).or_default().left_out += documents;
                }
            }
            // The match may also return a few documents of other days. Their counts would be partial.
            Place::Day(_) | Place::Nowhere => {}
        }
    }
    counts
}

/// The greatest change stamp in a count.
fn greatest_stamp(row: &Document) -> Option<ChangeStamp> {
    let value = RawBson::try_from(row.get("changed")?.clone()).ok()?;
    ChangeStamp::of(value.as_raw_bson_ref())
}

/// A count in a reply; 0 if it is not a whole number.
pub(super) fn whole(value: Option<&Bson>) -> u64 {
    match value {
        Some(Bson::Int32(number)) => u64::try_from(*number).unwrap_or(0),
        Some(Bson::Int64(number)) => u64::try_from(*number).unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use bson::doc;

    use super::*;
    use crate::query::filter::Filters;
    use crate::query::mapping::Mapping;
    use crate::query::source::SourceIdentity;

    /// By day of year and time stamp, the match of a range returns documents of the days half a year off, too.
    #[test]
    fn parts_of_other_days_are_not_counted() {
        let mapping = Mapping::parse(r#"{"year": null}"#).unwrap();
        let filters = Filters::parse(&mapping, &[], "").unwrap();
        let query =
            Query { source: SourceIdentity::new(["db1"], None, "desk", "trades", None), mapping, filters };
        let range = DayRange::parse("2025-07-01", "2025-07-02").unwrap();
        let group = |day_of_year: i32, stamp: &str, count: i32| {
            let number = Day::parse(stamp).unwrap().number();
            doc! {"_id": {"day": {"value": day_of_year}, "stamp": {"date": number}}, "count": count}
        };
        let found =
            vec![group(182, "2025-07-01", 3), group(182, "2025-12-30", 2), group(182, "2025-12-31", 5)];
        let counts = read_day_counts(&query, range, found);
        let rows: Vec<_> = counts.iter().map(|(day, count)| (day.to_string(), count.rows)).collect();
        assert_eq!(rows, [("2025-07-01".to_owned(), 5)]);
    }
}
