//! A trade, whole: its documents by time, with the gaps between them, what is late, and what changed from one to the
//! next.

use bson::{RawBsonRef, RawDocument, RawDocumentBuf};
use chrono::{DateTime, Utc};
use serde::Serialize;
use ts_rs::TS;

use crate::bson::diff::{FieldChange, field_changes, id_text, plain_text};
use crate::bson::path::{is_within, scalars};
use crate::bson::shown;
use crate::day::Day;
use crate::query::mapping::Mapping;
use crate::rows::Role;
use crate::words::thousands;

/// The most documents that a search returns.
pub(crate) const MOST_DOCUMENTS: usize = 2_000;

/// What is said of a search that has found more.
pub(crate) fn cut_note() -> String {
    let most = thousands(MOST_DOCUMENTS as u64);
    format!("There are more than {most} documents; the rest is not shown. Look for fewer trades.")
}

/// A document of a trade, as it was read.
#[derive(Debug, Clone)]
pub(crate) struct TradeRow {
    pub(crate) role: Role,
    /// The day that it belongs to; that of its trade if it is a message.
    pub(crate) day: Option<Day>,
    /// When it was fetched; `None` if it comes from the source just now.
    pub(crate) fetched: Option<DateTime<Utc>>,
    pub(crate) document: RawDocumentBuf,
}

/// A trade and its messages, by time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct Trade {
    /// The id of the trade.
    pub trade: String,
    /// Its documents. Those without a time come last.
    pub documents: Vec<TradeDocument>,
    /// The place of the document that was asked about.
    pub here: Option<u32>,
    /// Whether there are more documents than are given.
    pub is_cut: bool,
}

/// A document of a trade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct TradeDocument {
    /// Whether it is a state of the trade or one of its messages.
    pub role: Role,
    /// The day that it belongs to, if it has one: a message belongs to the day of its trade.
    pub day: Option<Day>,
    /// Its `_id` as a person reads it.
    pub id: String,
    /// The time that the mapping gives it.
    #[ts(type = "string | null")]
    pub at: Option<DateTime<Utc>>,
    /// Its status, if the mapping names a field for it.
    pub status: Option<String>,
    /// Whether its status says that it cancels the trade.
    pub is_cancel: bool,
    /// Milliseconds since the document before it.
    #[ts(type = "number | null")]
    pub gap_ms: Option<i64>,
    /// Whether that is the longest gap of the trade.
    pub is_longest_gap: bool,
    /// Milliseconds by which it came after the end of its trade's day; `None` if it was in time.
    #[ts(type = "number | null")]
    pub late_ms: Option<i64>,
    /// The place of the document of its role that came before it.
    pub previous: Option<u32>,
    /// The fields in which it differs from that one, other than `_id`.
    pub changes: Vec<FieldChange>,
    /// When it was fetched; `None` if it comes from the source just now.
    #[ts(type = "string | null")]
    pub fetched: Option<DateTime<Utc>>,
    /// Relaxed Extended JSON, indented; a sentence if it cannot be shown.
    pub relaxed: String,
    /// Canonical Extended JSON, indented: every type spelled out.
    pub canonical: String,
}

/// The trades of one row: one, unless the row carries several trade ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct RowTrades {
    /// The generation of the cache file from which they were read.
    #[ts(type = "number")]
    pub generation: u64,
    /// The trades; none if the row has no trade id.
    pub trades: Vec<Trade>,
}

/// Where a trade was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FoundPlace {
    /// In a cached query.
    Cache {
        /// Its signature.
        signature: String,
        /// The source that it is of, as a person reads it.
        source: String,
        /// Its filters in words.
        filters: String,
        /// Whether it is of the source in use.
        is_current: bool,
        /// Whether the answer that is open shows some document of the trade.
        is_open: bool,
        /// The first and the last cached day of the documents that were found, to open the query at.
        from: Day,
        /// See `from`.
        to: Day,
    },
    /// At the source, just now.
    Source,
}

/// A trade that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct FoundTrade {
    /// Where.
    pub place: FoundPlace,
    /// The trade.
    pub trade: Trade,
}

/// What a search for trades by their ids has found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, TS)]
pub struct FoundTrades {
    /// The trades, in the order of the ids; one that is in several places stands once for each.
    pub found: Vec<FoundTrade>,
    /// The ids that are nowhere in what was searched.
    pub not_found: Vec<String>,
    /// How many ids were looked for.
    pub asked: usize,
    /// What a person should know: what was not searched, what no index serves, whether the list is cut.
    pub notes: Vec<String>,
}

impl Trade {
    /// Puts the documents of a trade in order and compares them. `here` is the document that was asked about.
    pub(crate) fn of(
        mapping: &Mapping,
        trade: &str,
        rows: Vec<TradeRow>,
        here: Option<&RawDocument>,
        is_cut: bool,
    ) -> Self {
        let mut rows: Vec<(Option<DateTime<Utc>>, TradeRow)> =
            rows.into_iter().map(|row| (time_of(mapping, &row.document), row)).collect();
        // A stable sort: equal times stay in the order of the source.
        rows.sort_by_key(|(at, row)| (at.is_none(), *at, row.role));
        let day_of_trade = rows.iter().find(|(_, row)| row.role == Role::Input).and_then(|(_, row)| row.day);
        let mut documents: Vec<TradeDocument> = Vec::with_capacity(rows.len());
        for (place, (at, row)) in rows.iter().enumerate() {
            let earlier = || rows.get(..place).unwrap_or_default();
            let previous = earlier().iter().rposition(|(_, other)| other.role == row.role);
            let changes = previous.map_or_else(Vec::new, |previous| {
                let mut changes = field_changes(&rows[previous].1.document, &row.document);
                changes.retain(|change| !is_within(&change.path, "_id"));
                changes
            });
            let gap = at.zip(earlier().last().and_then(|(before, _)| *before));
            let end = day_of_trade.or(row.day).map(|day| mapping.day_zone.end_of(day));
            let late = at.zip(end).map(|(at, end)| (at - end).num_milliseconds());
            let status = mapping.status.as_deref().and_then(|path| text_at(&row.document, path));
            let (relaxed, canonical) =
                shown::as_json(&row.document).unwrap_or_else(|why| (why.to_string(), why.to_string()));
            documents.push(TradeDocument {
                role: row.role,
                day: row.day,
                id: id_text(&row.document),
                at: *at,
                is_cancel: status.as_deref().is_some_and(is_cancel),
                status,
                gap_ms: gap.map(|(at, before)| (at - before).num_milliseconds()),
                is_longest_gap: false,
                late_ms: late.filter(|late| *late >= 0),
                previous: previous.and_then(|place| u32::try_from(place).ok()),
                changes,
                fetched: row.fetched,
                relaxed,
                canonical,
            });
        }
        let longest = documents.iter().filter_map(|document| document.gap_ms).max();
        // Of two documents, the only gap is no news.
        if let Some(longest) = longest.filter(|gap| *gap > 0 && documents.len() > 2)
            && let Some(document) = documents.iter_mut().find(|document| document.gap_ms == Some(longest))
        {
            document.is_longest_gap = true;
        }
        let here =
            here.and_then(|here| rows.iter().position(|(_, row)| row.document.as_bytes() == here.as_bytes()));
        Self {
            trade: trade.to_owned(),
            documents,
            here: here.and_then(|place| u32::try_from(place).ok()),
            is_cut,
        }
    }
}

/// The time of a document: the mapping's time stamp, or else the stamp of its last change if that is a date.
fn time_of(mapping: &Mapping, document: &RawDocument) -> Option<DateTime<Utc>> {
    let mut found: Option<DateTime<Utc>> = None;
    if let Some(time) = &mapping.timestamp {
        scalars(document, &time.path, &mut |value| {
            let at = time.form.instant_in(value, time.zone);
            found = found.into_iter().chain(at).min();
        });
    }
    if found.is_none()
        && let Some(path) = &mapping.changed_at
    {
        scalars(document, path, &mut |value| {
            if let RawBsonRef::DateTime(at) = value {
                found = found.max(DateTime::from_timestamp_millis(at.timestamp_millis()));
            }
        });
    }
    found
}

/// The first value at a path as a person reads it.
fn text_at(document: &RawDocument, path: &str) -> Option<String> {
    let mut found = None;
    scalars(document, path, &mut |value| {
        if !matches!(value, RawBsonRef::Null) {
            found.get_or_insert(value);
        }
    });
    found.map(plain_text)
}

/// Whether a status says that a trade is cancelled, in one of the words that trading systems use.
fn is_cancel(status: &str) -> bool {
    const WORDS: [&str; 5] = ["cancel", "bust", "void", "withdrawn", "deleted"];
    let status = status.to_lowercase();
    WORDS.iter().any(|word| status.contains(word)) || matches!(&*status, "canc" | "cxl" | "cncl")
}

#[cfg(test)]
mod tests {
    use bson::{Document, doc};

    use super::*;

    fn row(role: Role, document: &Document) -> TradeRow {
        let day = Some(Day::parse("2025-01-31").expect("a day"));
        let document = RawDocumentBuf::try_from(document).expect("encodes");
        TradeRow { role, day, fetched: None, document }
    }

    fn at(text: &str) -> bson::DateTime {
        bson::DateTime::parse_rfc3339_str(text).expect("a time")
    }

    fn mapping() -> Mapping {
        Mapping::parse(r#"{"status": "state", "version": 2, "timestamp": "timestamp"}"#).expect("a mapping")
    }

    #[test]
    fn documents_come_by_time_with_gaps_lateness_and_changes() {
        let rows = vec![
            row(Role::Downstream, &doc! {"_id": 4, "text": "no time"}),
            row(
                Role::Input,
                &doc! {"_id": 2, "timestamp": at("2025-01-31T10:00:00Z"), "lots": 7, "state": "Cancelled"},
            ),
            row(
                Role::Input,
                &doc! {"_id": 1, "timestamp": at("2025-01-31T09:00:00Z"), "lots": 5, "state": "new"},
            ),
            row(Role::Downstream, &doc! {"_id": 3, "timestamp": at("2025-02-02T00:00:00Z"), "text": "ack"}),
        ];
        let here = rows[3].document.clone();
        let trade = Trade::of(&mapping(), "T1", rows, Some(&here), false);
        let ids: Vec<&str> = trade.documents.iter().map(|document| &*document.id).collect();
        assert_eq!(ids, ["1", "2", "3", "4"]);
        assert_eq!(trade.here, Some(2));
        let gaps: Vec<_> = trade.documents.iter().map(|document| document.gap_ms).collect();
        assert_eq!(gaps, [None, Some(3_600_000), Some(38 * 3_600_000), None]);
        let longest: Vec<_> = trade.documents.iter().map(|document| document.is_longest_gap).collect();
        assert_eq!(longest, [false, false, true, false]);
        let late: Vec<_> = trade.documents.iter().map(|document| document.late_ms).collect();
        assert_eq!(late, [None, None, Some(24 * 3_600_000), None]);
        let cancels: Vec<_> = trade.documents.iter().map(|document| document.is_cancel).collect();
        assert_eq!(cancels, [false, true, false, false]);
        let changed: Vec<&str> = trade.documents[1].changes.iter().map(|change| &*change.path).collect();
        assert_eq!((trade.documents[1].previous, changed), (Some(0), vec!["timestamp", "lots", "state"]));
        assert_eq!(trade.documents[2].previous, None, "a message is not compared with a trade");
        assert_eq!(trade.documents[3].previous, Some(2));
    }

    #[test]
    fn every_type_is_spelled_out() {
        let document = doc! {"_id": 1_i64, "price": "1.10".parse::<bson::Decimal128>().expect("a decimal")};
        let trade = Trade::of(&mapping(), "T1", vec![row(Role::Input, &document)], None, false);
        let canonical = &trade.documents[0].canonical;
        assert!(canonical.contains(r#""$numberLong": "1""#), "{canonical}");
        assert!(canonical.contains(r#""$numberDecimal": "1.10""#), "{canonical}");
    }
}
