//! Proposes a mapping for a collection from a sample of its documents: which path holds what, how sure that is, and
//! why. Pure: the sample is read by `source::sample`.

mod clocks;
mod days;
mod fields;
mod filters;
mod kinds;
mod name_lists;
mod names;
mod shapes;
mod survey;
mod times;
mod values;
mod warnings;

use std::borrow::Cow;

use bson::{Bson, RawDocumentBuf};
use serde::Serialize;
use serde_json::{Map, Value, json};
use ts_rs::TS;

use self::days::Days;
use self::fields::Choice;
pub(crate) use self::fields::message_rank;
use self::survey::{PathStats, Survey, share};
pub(crate) use self::times::other_unit;
pub(crate) use self::warnings::create_index;
use crate::failure::{Code, Failure, Result};
use crate::query::form::ValueType;
use crate::query::mapping::FORM_FIELDS;
use crate::query::match_document::parse_object;

/// What was read of a collection, and of the others in its database.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    /// Name of the collection.
    pub collection: String,
    /// The time field, if it is a time-series collection.
    pub time_field: Option<String>,
    /// Documents, each once.
    pub documents: Vec<RawDocumentBuf>,
    /// Those of them that were stored last, if that is known.
    pub newest: Vec<RawDocumentBuf>,
    /// The paths of each index, in order.
    pub indexes: Vec<Vec<String>>,
    /// Whether the indexes could be listed. A view has those of the collection beneath it.
    pub knows_indexes: bool,
    /// The other collections of the database, those first whose names speak of messages.
    pub others: Vec<OtherCollection>,
    /// Whether it has so few documents that they can be searched without an index.
    pub is_small: bool,
    /// How many collections were not looked at.
    pub unseen_collections: usize,
    /// Name of the time zone of this computer.
    pub local_zone: Option<String>,
}

/// A different collection of the same database, which may contain the messages.
#[derive(Debug, Clone, Default)]
pub struct OtherCollection {
    /// Its name.
    pub name: String,
    /// Some of its documents.
    pub documents: Vec<RawDocumentBuf>,
    /// The paths of each index, in order; `None` if they could not be listed.
    pub indexes: Option<Vec<Vec<String>>>,
    /// Whether it has so few documents that they can be searched without an index.
    pub is_small: bool,
}

impl OtherCollection {
    fn indexes(&self) -> &[Vec<String>] {
        self.indexes.as_deref().unwrap_or_default()
    }
}

/// A path at which some trade ids of the sample were found: in a different collection, or at a different path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The path of the trade id in the collection of the trades.
    pub trade_id: String,
    /// The other collection; `None` for the collection of the trades.
    pub collection: Option<String>,
    /// The path at which the ids were found.
    pub path: String,
    /// How many ids were looked for.
    pub asked: usize,
    /// How many of them were found.
    pub found: usize,
}

/// What was found by looking for the trade ids of a sample.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// Where some of them were found.
    pub links: Vec<Link>,
    /// All documents of the collection that have some of the trade ids.
    pub of_trades: Vec<RawDocumentBuf>,
}

/// What may be the path of the trade id, with some of its values, to look for them elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct IdCandidate {
    /// The path.
    pub path: String,
    /// Some values, different ones.
    pub values: Vec<Bson>,
    /// Where to look for them: the collection (`None` for that of the trades), and a path that can be searched quickly.
    pub look_in: Vec<(Option<String>, String)>,
}

/// How sure a proposal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Little speaks for it: a person should look.
    Unsure,
    /// It is the best of what there is.
    Likely,
    /// Its name, its type and its values agree.
    Sure,
}

/// What a path is proposed for, and why.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct ProposedField {
    /// The key of the mapping, such as `trade_id`, `timestamp` or `filters.product`.
    pub key: String,
    /// What the key means, for people: "Trade id".
    pub title: String,
    /// The path; `None` if the documents seem to have no such field.
    pub path: Option<String>,
    /// A label for people, made of the path.
    pub label: Option<String>,
    /// How sure it is.
    pub confidence: Confidence,
    /// The reasons, each a phrase.
    pub why: Vec<String>,
    /// The share of documents that have the path, from 0 to 1.
    pub share: f64,
    /// The types of its values, with their shares.
    pub types: Vec<TypeShare>,
    /// Up to three values, as text.
    pub examples: Vec<String>,
    /// Other paths that come into question, best first.
    pub others: Vec<String>,
}

/// The share that a type has of the values at a path.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct TypeShare {
    /// The name that MongoDB has for the type.
    pub name: String,
    /// From 0 to 1.
    pub share: f64,
}

/// A path that some documents have.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct SeenPath {
    /// The dotted path.
    pub path: String,
    /// The share of documents that have it, from 0 to 1.
    pub share: f64,
    /// The type of filter that its values would have.
    pub value_type: ValueType,
    /// The types of its values, with their shares, the most frequent first.
    pub types: Vec<TypeShare>,
    /// Up to three values, as text.
    pub examples: Vec<String>,
}

/// What a warning is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum WarningCode {
    /// The collection has no documents.
    Empty,
    /// Only a few documents were seen.
    FewDocuments,
    /// No field says on which day a trade was made.
    NoDay,
    /// No index serves queries by day.
    NoDayIndex,
    /// The day of a document, by a different field, is not always the chosen one.
    DayDisagrees,
    /// The documents do not show in which time zone the days begin.
    ZoneUnknown,
    /// Some values of the time cannot be read.
    MixedTimes,
    /// Many documents have no time.
    TimeMissing,
    /// No field looks like a trade id.
    NoTradeId,
    /// Some documents have no trade id.
    IdsMissing,
    /// The trade ids have several types.
    IdsMixed,
    /// No index serves the search for the messages of trades.
    NoIdIndex,
    /// Trades and their messages are in one collection; which documents are trades is proposed by a field.
    SharedCollection,
    /// Some documents may be messages of others, but nothing says which.
    KindsInDoubt,
    /// Several trades share the chosen id, and another field has a different value for each of them.
    IdsShared,
    /// Messages were looked for where they seem to be, and none were found.
    MessagesNotFound,
    /// Messages may be where ids of the same kind were found, which may be chance.
    DoubtfulMessages,
    /// Not all collections were looked at.
    UnseenCollections,
    /// Messages were not looked for where no index makes that quick.
    MessagesNotSearched,
    /// Some documents have a different shape, such as before a change of the schema.
    OtherShape,
    /// The values of a filter field have several types, of which a filter finds one.
    FilterMixed,
    /// A field says when a trade was made, but in a way that no mapping can say.
    PassedOver,
    /// The documents have more paths than were looked at.
    UnseenPaths,
}

/// Something that will be slow or wrong with the proposed mapping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct Warning {
    /// What it is about.
    pub code: WarningCode,
    /// A sentence.
    pub message: String,
    /// What would help, as text to copy: a command for the database team.
    pub fix: Option<String>,
    /// Values of the mapping that a person may choose if the warning's guess is right, all together.
    pub choices: Vec<PartChoice>,
}

/// A value of a mapping to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct PartChoice {
    /// The key of the part in the mapping.
    pub key: String,
    /// The path or the name to choose.
    pub value: String,
}

/// A proposed mapping, with its reasons.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct Proposal {
    /// The mapping, as a mapping file.
    #[ts(type = "unknown")]
    pub mapping: Value,
    /// Where each part of it comes from.
    pub fields: Vec<ProposedField>,
    /// What will be slow or wrong.
    pub warnings: Vec<Warning>,
    /// Paths with few different values that are not used yet: they may serve as further filters.
    pub further_filters: Vec<String>,
    /// Every path of the documents, to choose from.
    pub paths: Vec<SeenPath>,
    /// The other collections that were looked at, to choose that of the messages from.
    pub collections: Vec<String>,
    /// How many documents were looked at.
    #[ts(type = "number")]
    pub documents: usize,
}

impl Proposal {
    /// Keeps each key of a mapping file that a person has typed, in place of what is proposed for it.
    ///
    /// # Errors
    /// `bad_mapping` if what was typed cannot be read.
    pub fn keeping(mut self, typed: &str) -> Result<Self> {
        if typed.trim().is_empty() {
            return Ok(self);
        }
        let typed = parse_object(typed)
            .map_err(|why| Failure::new(Code::BadMapping, format!("The mapping {why}.")))?;
        let Some(mapping) = self.mapping.as_object_mut() else { return Ok(self) };
        let proposed_match = mapping.get("input_match").cloned();
        let names = |key: &str| typed.get(key).is_some_and(|value| !value.is_null());
        // A business date says the day by itself: there cannot be both.
        if names("business_date") {
            mapping.retain(|key, _| !["year", "day_of_year"].contains(&key.as_str()));
        } else if names("year") || names("day_of_year") {
            mapping.shift_remove("business_date");
        }
        for (key, value) in typed {
            match (mapping.get_mut(&key), &value) {
                (Some(Value::Object(proposed)), Value::Object(theirs)) if key == "filters" => {
                    proposed.extend(theirs.clone());
                }
                // The proposal may need keys that a lower version does not have.
                (Some(proposed), theirs) if key == "version" && proposed.as_u64() > theirs.as_u64() => {}
                _ => drop(mapping.insert(key, value)),
            }
        }
        // It describes the proposed match.
        if mapping.get("input_match").cloned() != proposed_match {
            let is_of_match =
                |code| matches!(code, WarningCode::SharedCollection | WarningCode::KindsInDoubt);
            self.warnings.retain(|warning| !is_of_match(warning.code));
        }
        Ok(self)
    }
}

/// A sample that has been looked at.
#[derive(Debug)]
pub struct Study<'a> {
    whole: &'a Sample,
    /// What all documents have, if some of them have an older shape.
    of_all: Option<Survey>,
    /// The sample without documents of an older shape.
    sample: Cow<'a, Sample>,
    survey: Survey,
    days: Days,
}

impl<'a> Study<'a> {
    /// Looks at a sample.
    #[must_use]
    pub fn of(whole: &'a Sample) -> Self {
        let survey = Survey::of(&whole.documents);
        let days = Days::find(whole, &survey);
        if let Some(documents) = shapes::newest(whole, &days) {
            let sample = Sample { documents, ..whole.clone() };
            let newest = Survey::of(&sample.documents);
            let days = Days::find(&sample, &newest);
            return Self { whole, of_all: Some(survey), sample: Cow::Owned(sample), survey: newest, days };
        }
        Self { whole, of_all: None, sample: Cow::Borrowed(whole), survey, days }
    }

    /// Whether an index serves queries by day.
    #[must_use]
    pub fn days_are_indexed(&self) -> bool {
        // A time series is clustered by its time.
        let matched = self.days.matched();
        let is_own_time = self.sample.time_field.as_deref().is_some_and(|time| matched == [time]);
        is_own_time || self.days.are_served(&self.sample.indexes)
    }

    /// The same, if each query also asks for documents that meet a match.
    fn days_are_indexed_beside(&self, matches: Option<&Value>) -> bool {
        let is_pinned = |path: &str| {
            matches.and_then(|matches| matches.get(path)).is_some_and(|value| match value {
                Value::Object(conditions) => conditions.contains_key("$eq") || conditions.contains_key("$in"),
                _ => true,
            })
        };
        let indexes = after_pinned(&self.sample.indexes, &self.days.matched(), &is_pinned);
        self.days_are_indexed() || self.days.are_served(&indexes)
    }

    /// What may be the trade id, best first, and where its values should be looked for.
    #[must_use]
    pub fn id_candidates(&self) -> Vec<IdCandidate> {
        fields::id_candidates(&self.sample, &self.survey, &self.days)
    }

    /// The path of the trade id and some of its values, if messages may have it at the same path in the same collection
    /// and it can be searched quickly.
    #[must_use]
    pub fn shared_trade_id(&self, links: &[Link]) -> Option<IdCandidate> {
        let choice = Choice::make(&self.sample, &self.survey, &self.days, links);
        let (path, _) = choice.trade_id.filter(|_| choice.messages.is_none())?;
        let is_quick = self.sample.is_small || serves(&self.sample.indexes, &[&path]);
        let may_be_shared = is_quick && path != "_id";
        self.id_candidates().into_iter().find(|candidate| may_be_shared && candidate.path == path)
    }

    /// Proposes a mapping. `evidence` is what was found for [`id_candidates`](Self::id_candidates) and
    /// [`shared_trade_id`](Self::shared_trade_id).
    #[must_use]
    pub fn propose(&self, evidence: &Evidence) -> Proposal {
        let mut choice = Choice::make(&self.sample, &self.survey, &self.days, &evidence.links);
        choice.find_kind(&self.sample, &evidence.of_trades);
        let all = self.of_all.as_ref().unwrap_or(&self.survey);
        // Messages beside the trades have times, parties and states of their own: what is proposed is found among trades.
        let trades =
            choice.trade_kind.as_ref().map(|found| found.kind.trades(&self.sample, &evidence.of_trades));
        let of_trades = trades.as_ref().map(Study::of);
        let study = of_trades.as_ref().unwrap_or(self);
        let Study { sample, survey, days, .. } = study;
        choice.choose_others(survey, days);
        let of_fields = study.of_all.as_ref().unwrap_or(survey);
        let mut fields = vec![choice.trade_id_field(of_fields)];
        fields.extend(days.fields(of_fields));
        fields.extend(choice.other_fields(of_fields, all));
        Proposal {
            mapping: mapping(days, &choice),
            warnings: warnings::warnings(study, &choice, evidence),
            further_filters: choice.further_filters(survey, days),
            paths: all.paths.iter().filter_map(|(path, stats)| seen(all, path, stats)).collect(),
            collections: sample.others.iter().map(|other| other.name.clone()).collect(),
            documents: all.documents,
            fields,
        }
    }
}

/// The mapping file. Version 2 only if it says something that version 1 cannot.
fn mapping(days: &Days, choice: &Choice) -> Value {
    let mut mapping = Map::new();
    mapping.insert("version".into(), json!(1));
    mapping.insert("day_zone".into(), json!(days.zone));
    mapping.insert("trade_id".into(), json!(choice.trade_id.as_ref().map(|(path, _)| path)));
    let is_second = days.write(&mut mapping) | choice.write(&mut mapping);
    if is_second {
        mapping.insert("version".into(), json!(2));
    }
    Value::Object(mapping)
}

/// The description of a path for a key of the mapping.
fn described(
    survey: &Survey,
    key: &str,
    path: Option<&str>,
    confidence: Confidence,
    why: Vec<String>,
    others: Vec<String>,
) -> ProposedField {
    let stats = path.and_then(|path| survey.paths.get(path));
    ProposedField {
        key: key.to_owned(),
        title: title(key),
        label: path.map(names::label),
        path: path.map(str::to_owned),
        confidence,
        why,
        share: stats.map_or(0.0, |stats| share(stats.documents, survey.documents)),
        types: stats.map_or_else(Vec::new, type_shares),
        examples: stats.map_or_else(Vec::new, |stats| stats.examples.clone()),
        others,
    }
}

/// A path that can be chosen; `None` for one whose values are not of a type that a filter or a date can have.
fn seen(survey: &Survey, path: &str, stats: &PathStats) -> Option<SeenPath> {
    Some(SeenPath {
        path: path.to_owned(),
        share: share(stats.documents, survey.documents),
        value_type: stats.value_type()?,
        types: type_shares(stats),
        examples: stats.examples.clone(),
    })
}

/// The types of the values at a path, the most frequent first.
fn type_shares(stats: &PathStats) -> Vec<TypeShare> {
    let of = |(name, count): (&&str, &usize)| TypeShare {
        name: (*name).to_owned(),
        share: share(*count, stats.values),
    };
    let mut types: Vec<TypeShare> = stats.types.iter().map(of).collect();
    types.sort_by(|a, b| b.share.total_cmp(&a.share));
    types
}

/// What a key of the mapping means.
pub(crate) fn title(key: &str) -> String {
    let title = match key {
        "trade_id" => "Trade id",
        "timestamp" => "Time of the trade",
        "business_date" => "Business date",
        "year" => "Year",
        "day_of_year" => "Day of the year",
        "day_zone" => "Time zone of the days",
        "input_match" => "Which documents are trades",
        "downstream_collection" => "Collection of the messages",
        "downstream_trade_id" => "Trade id in the messages",
        "status" => "Status",
        "changed_at" => "Time of the last change",
        other => {
            let name = other.strip_prefix("filters.").unwrap_or(other);
            return format!("Filter: {}", names::label(name).to_lowercase());
        }
    };
    title.to_owned()
}

/// A share as a person reads it: "all", "98%", "none".
fn percent(share: f64) -> String {
    if share >= 1.0 {
        "all".to_owned()
    } else if share <= 0.0 {
        "none".to_owned()
    } else {
        format!("{:.0}%", (share * 100.0).clamp(1.0, 99.0))
    }
}

/// How sure a score is, beside that of the next best.
fn confidence(score: f64, next: f64) -> Confidence {
    if score >= 0.85 && score - next >= 0.15 {
        Confidence::Sure
    } else if score >= 0.5 {
        Confidence::Likely
    } else {
        Confidence::Unsure
    }
}

/// Whether an index begins with the paths, in any order. Without paths, none does.
pub(crate) fn serves(indexes: &[Vec<String>], paths: &[&str]) -> bool {
    let begins = |keys: &Vec<String>| {
        keys.get(..paths.len())
            .is_some_and(|first| paths.iter().all(|path| first.iter().any(|key| key == path)))
    };
    !paths.is_empty() && indexes.iter().any(begins)
}

/// The paths of indexes after those at the beginning for which a query gives a value, as far as they are none of `paths`.
pub(crate) fn after_pinned(
    indexes: &[Vec<String>],
    paths: &[&str],
    is_pinned: &dyn Fn(&str) -> bool,
) -> Vec<Vec<String>> {
    let is_before = |key: &&String| is_pinned(key) && !paths.contains(&key.as_str());
    indexes.iter().map(|keys| keys.iter().skip_while(is_before).cloned().collect()).collect()
}

/// The key of a filter field in the mapping.
fn filter_key(at: usize) -> String {
    format!("filters.{}", FORM_FIELDS[at])
}

#[cfg(test)]
mod tests;
