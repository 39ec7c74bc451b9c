//! Finds the trade id, the way to the messages, the filter fields and the status.

use std::collections::BTreeSet;

use bson::{Bson, RawBson, RawBsonRef, RawDocumentBuf};
use serde_json::{Map, Value, json};

use super::days::Days;
use super::filters::{Field, Filters, LONGEST};
use super::kinds::{self, FoundKind};
use super::names::{Meaning, ends_like_an_id, is_of_a_group, label, spelled_out, weight, words};
use super::survey::{PathStats, Survey, share};
use super::{
    Confidence, IdCandidate, Link, OtherCollection, ProposedField, Sample, confidence, described, filter_key,
    serves,
};
use crate::bson::equality_key::equality_key;
use crate::bson::path;
use crate::query::form::ValueType;
use crate::query::mapping::FORM_FIELDS;

/// How many paths are tried as the trade id, and how many of their values.
const CANDIDATES: usize = 4;
/// How many paths of a small collection are searched without an index.
const MOST_SEARCHED: usize = 3;
const VALUES: usize = 20;
/// The least score of a trade id, and of a path that is named beside it.
const LEAST_ID: f64 = 0.35;
const LEAST_OTHER: f64 = 0.3;
/// A field with more different values than this is not offered as a further filter.
const FEW: usize = 60;
/// A trade has fewer documents than this, on average.
const MOST_REPEATS: f64 = 10.0;
/// How much speaks against a trade id if it refers to the ids of other documents.
const REFERENCE: f64 = 0.5;
/// The share of its sampled values from which on messages are believed to refer to a trade id rather than to another.
const REFERRED: f64 = 0.5;
/// How much better a path is than the others if messages refer to it alone.
const BETTER: f64 = 0.05;
/// A path with more values per different one than this has several trades for one of them.
const UNIQUE: f64 = 1.005;
const SHARED: f64 = 1.02;
/// Words for the number of a version.
const VERSIONS: [&str; 8] =
    ["version", "versie", "wersja", "revision", "rev", "ver", "amendment", "correction"];

/// A scored path.
#[derive(Debug, Clone)]
pub(super) struct Scored {
    pub(super) path: String,
    score: f64,
    why: Vec<String>,
}

/// What the fields other than those of the day are.
#[derive(Debug, Clone, Default)]
pub(super) struct Choice {
    /// The path of the trade id, and its score.
    pub(super) trade_id: Option<(String, f64)>,
    trade_id_why: Vec<String>,
    pub(super) other_ids: Vec<Scored>,
    /// The collection and the path by which messages refer to their trade.
    pub(super) messages: Option<Link>,
    /// Other collections in which the trade ids are as well.
    rivals: Vec<String>,
    /// Where ids were found that may be others of the same kind.
    pub(super) doubtful: Option<Link>,
    /// What makes a document a trade, if messages have the same trade id in the same collection.
    pub(super) trade_kind: Option<FoundKind>,
    /// What may make a document a trade, if nothing says so plainly enough: each with the number of such documents.
    pub(super) kinds_in_doubt: Vec<String>,
    changed_at: Option<Scored>,
    /// The filter fields of the form, and the status.
    pub(super) filters: Filters,
}

/// Paths that may hold the trade id, best first.
fn ids(sample: &Sample, survey: &Survey, days: &Days) -> Vec<Scored> {
    let taken = days.paths();
    let mut found: Vec<Scored> = Vec::new();
    for (path, stats) in &survey.paths {
        let Some((main, of_main)) = stats.main_type() else { continue };
        let is_own_id = path == "_id";
        // An ObjectId may be both the id and the time.
        let is_taken = taken.contains(path.as_str()) && !is_own_id;
        if is_taken || !stats.may_be_ids() || stats.in_arrays > 0 {
            continue;
        }
        // A date in a form that no mapping knows is one nevertheless.
        if days.passed_over.iter().any(|(passed, _)| passed == path) {
            continue;
        }
        // A time in the name of an id stays a time; numbers that could be times are ids if their name ends so.
        let is_time = || days.all_times().any(|time| time.path == *path);
        if !is_own_id && weight(path, Meaning::TradeId) < 0.5 && !ends_like_an_id(path) && is_time() {
            continue;
        }
        let named = weight(path, Meaning::TradeId);
        let of_others = weight(path, Meaning::OtherId);
        let in_documents = share(stats.documents, survey.documents);
        let is_varied = share(stats.distinct, stats.values) >= 0.05;
        let (mut score, mut why) = (0.0, Vec::new());
        if is_own_id {
            score += 0.1;
        } else {
            score += 0.55 * named;
            let differs = share(stats.distinct, stats.values) >= 0.3;
            let by_structure = differs && of_main >= 0.9 && stats.longest <= 40;
            let indexed = serves(&sample.indexes, &[path]);
            if named < 0.5 {
                // Without a name that says so, its values have to: an index is built for what is looked up.
                score += match (
                    ends_like_an_id(path),
                    by_structure && indexed,
                    by_structure && main == "string",
                ) {
                    (true, ..) if path == "id" => 0.3,
                    (true, ..) => 0.25,
                    (_, true, _) => 0.3,
                    (_, _, true) => 0.12,
                    _ => continue,
                };
            }
        }
        if named > 0.5 {
            why.push("its name says so".to_owned());
        }
        if of_others > 0.5 && named < 0.9 {
            score -= 0.3;
        }
        if is_varied {
            // A counterparty or the like.
            score += if stats.repeats() >= MOST_REPEATS { -0.2 } else { 0.15 };
            why.push(match stats.repeats() {
                repeats if repeats < 1.05 => "no value occurs twice in the sample".to_owned(),
                repeats => format!("a value occurs {repeats:.1} times on average"),
            });
        } else {
            score -= 0.3;
        }
        if serves(&sample.indexes, &[path]) && !is_own_id {
            score += 0.15;
            why.push("an index begins with it".to_owned());
        }
        score += 0.15 * in_documents;
        score *= 0.5 + 0.5 * of_main;
        found.push(Scored { path: path.clone(), score, why });
    }
    found.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.path.cmp(&b.path)));
    found
}

/// What may be the trade id, with values and the indexed paths where messages may refer to it.
pub(super) fn id_candidates(sample: &Sample, survey: &Survey, days: &Days) -> Vec<IdCandidate> {
    let mut paths: Vec<String> =
        ids(sample, survey, days).into_iter().take(CANDIDATES).map(|id| id.path).collect();
    if !paths.iter().any(|path| path == "_id") {
        paths.push("_id".to_owned());
    }
    let taken = days.paths();
    let mut places: Vec<(Option<String>, String)> = Vec::new();
    let own = searchable_ids(&sample.indexes, sample.is_small, survey)
        .into_iter()
        .filter(|path| !taken.contains(path.as_str()));
    places.extend(own.map(|path| (None, path)));
    for other in &sample.others {
        let theirs = searchable_ids(other.indexes(), other.is_small, &Survey::of(&other.documents));
        places.extend(theirs.into_iter().map(|path| (Some(other.name.clone()), path)));
    }
    let of = |path: String| {
        let values = some_values(sample, &path);
        let kinds: BTreeSet<_> = values.iter().map(Bson::element_type).map(|kind| kind as u8).collect();
        let is_itself = |place: &(Option<String>, String)| place.0.is_none() && place.1 == path;
        let look_in = places.iter().filter(|place| !is_itself(place)).cloned().collect();
        (!values.is_empty() && kinds.len() <= 2).then_some(IdCandidate { path, values, look_in })
    };
    paths.into_iter().filter_map(of).collect()
}

/// The paths of a collection that hold ids and can be searched quickly: those of its indexes and, if it is small, those
/// that are called ids.
fn searchable_ids(indexes: &[Vec<String>], is_small: bool, survey: &Survey) -> BTreeSet<String> {
    let mut found = indexed_ids(indexes, survey);
    if is_small {
        let named = |path: &str| weight(path, Meaning::TradeId).max(weight(path, Meaning::OtherId));
        let is_id = |(path, stats): &(&String, &PathStats)| {
            stats.may_be_ids() && path.as_str() != "_id" && named(path) > 0.5
        };
        let mut ids: Vec<&String> = survey.paths.iter().filter(is_id).map(|(path, _)| path).collect();
        ids.sort_by(|a, b| named(b).total_cmp(&named(a)));
        found.extend(ids.into_iter().take(MOST_SEARCHED).cloned());
    }
    found
}

/// The indexed paths of a collection that hold ids.
fn indexed_ids(indexes: &[Vec<String>], survey: &Survey) -> BTreeSet<String> {
    let is_id = |path: &&String| *path != "_id" && survey.paths.get(*path).is_some_and(PathStats::may_be_ids);
    indexes.iter().filter_map(|keys| keys.first()).filter(is_id).cloned().collect()
}

/// A collection in which messages were not looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NotSearched {
    pub(super) collection: String,
    /// The path that looks like the trade id, if there is one.
    pub(super) path: Option<String>,
    pub(super) knows_indexes: bool,
}

/// The other collections that may have the messages, but no index on a path of the trade id.
pub(super) fn not_searched(sample: &Sample, trade_id: &str, matched: &[&str]) -> Vec<NotSearched> {
    let copies = copies(sample);
    let own = spelled_out(trade_id);
    let of = |other: &OtherCollection| {
        let rank = message_rank(&other.name);
        if rank < 0 || other.documents.is_empty() || copies.contains(other.name.as_str()) {
            return None;
        }
        let survey = Survey::of(&other.documents);
        // One that is not called so is believed to have messages only if it has the very id, but no day of its own.
        let has_days = !matched.is_empty() && matched.iter().all(|path| survey.paths.contains_key(*path));
        let named = |path: &str| match spelled_out(path) {
            theirs if theirs == own => 1.0,
            _ if rank == 0 => 0.0,
            theirs if theirs.len() > 3 && own.contains(&theirs) => 0.9,
            theirs if own.len() > 3 && theirs.contains(&own) => 0.9,
            _ => weight(path, Meaning::TradeId),
        };
        let searched = searchable_ids(other.indexes(), other.is_small, &survey);
        if searched.iter().any(|path| named(path) > 0.5) || rank == 0 && (has_days || !searched.is_empty()) {
            return None;
        }
        let is_id = |(path, stats): &(&String, &PathStats)| {
            stats.may_be_ids() && path.as_str() != "_id" && named(path) > 0.5
        };
        let best = survey.paths.iter().filter(is_id).max_by(|a, b| named(a.0).total_cmp(&named(b.0)));
        let path = best.map(|(path, _)| path.clone());
        (path.is_some() || (rank > 0 && searched.is_empty())).then(|| NotSearched {
            collection: other.name.clone(),
            path,
            knows_indexes: other.indexes.is_some(),
        })
    };
    let mut found: Vec<NotSearched> = sample.others.iter().filter_map(of).collect();
    found.sort_by_key(|place| std::cmp::Reverse(message_rank(&place.collection)));
    found
}

/// Different values at a path, from all over the sample.
fn some_values(sample: &Sample, path: &str) -> Vec<Bson> {
    let mut seen = BTreeSet::new();
    let mut all: Vec<Bson> = Vec::new();
    for document in &sample.documents {
        path::scalars(document, path, &mut |value| {
            let is_null = matches!(value, RawBsonRef::Null);
            if !is_null && equality_key(value).is_some_and(|key| seen.insert(key)) {
                let owned: RawBson = value.into();
                all.extend(Bson::try_from(owned));
            }
        });
    }
    let step = all.len().div_ceil(VALUES).max(1);
    all.into_iter().step_by(step).collect()
}

/// Parts of the name of a collection that has messages.
const MESSAGE_WORDS: [&str; 18] = [
    "messag",
    "msg",
    "meldung",
    "nachricht",
    "confirm",
    "conferm",
    "bestaetig",
    "event",
    "ack",
    "mensaj",
    "mensag",
    "notif",
    "evenement",
    "evento",
    "meddel",
    "bericht",
    "wiadom",
    "komunikat",
];
/// Parts of the name of a collection that has copies of trades, or what is kept about them.
const COPY_WORDS: [&str; 12] = [
    "archiv", "backup", "bak", "copy", "kopie", "hist", "audit", "_old", "tmp", "snapshot", "position",
    "invoice",
];

/// How much the name of a collection speaks for messages.
pub(crate) fn message_rank(collection: &str) -> i32 {
    let name = collection.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    i32::from(has(&MESSAGE_WORDS)) - i32::from(has(&COPY_WORDS))
}

/// The other collections that have the trades themselves: the collection beneath a view, or a copy.
fn copies(sample: &Sample) -> BTreeSet<&str> {
    let own: BTreeSet<&[u8]> = sample.documents.iter().map(|document| document.as_bytes()).collect();
    let is_copy =
        |other: &&OtherCollection| other.documents.iter().any(|document| own.contains(document.as_bytes()));
    sample.others.iter().filter(is_copy).map(|other| other.name.as_str()).collect()
}

/// Whether numbers are so far apart that those of a different collection do not equal them by chance.
fn are_sparse(sample: &Sample, path: &str) -> bool {
    let mut numbers: BTreeSet<i64> = BTreeSet::new();
    for document in &sample.documents {
        path::scalars(document, path, &mut |value| numbers.extend(crate::query::placement::whole(value)));
    }
    let (Some(first), Some(last)) = (numbers.first(), numbers.last()) else { return false };
    let apart = last.saturating_sub(*first) / i64::try_from(numbers.len()).unwrap_or(i64::MAX).max(1);
    numbers.len() >= 20 && apart >= 1_000
}

/// Whether a link is more than chance. Numbers that count up are found among those of any other desk, so they also need
/// a name that agrees.
fn is_believable(sample: &Sample, survey: &Survey, link: &Link) -> bool {
    if link.found * 10 >= link.asked * 9 && are_sparse(sample, &link.trade_id) {
        return true;
    }
    let types = survey.paths.get(&link.trade_id).map(|stats| &stats.types);
    let has_numbers =
        types.is_some_and(|types| ["int", "long", "double"].iter().any(|name| types.contains_key(name)));
    let (own, theirs) = (spelled_out(&link.trade_id), spelled_out(&link.path));
    // `id` is in every name of an id.
    let is_in = |short: &str, long: &str| short.len() > 3 && long.contains(short);
    !has_numbers || own == theirs || is_in(&own, &theirs) || is_in(&theirs, &own)
}

/// Paths at which the sample's own documents refer to a trade id of others: messages that lie beside the trades.
fn links_within(sample: &Sample, survey: &Survey, days: &Days, candidates: &[Scored]) -> Vec<Link> {
    let mut links = Vec::new();
    let best = candidates.iter().map(|id| id.path.as_str()).find(|path| *path != "_id");
    let own_id = candidates.iter().find(|id| id.path == "_id");
    let others = candidates.iter().take(CANDIDATES).filter(|id| id.path != "_id");
    for id in others.chain(own_id) {
        let mut ids = BTreeSet::new();
        // What refers to the `_id` of a trade is no trade itself, or else each amendment would refer to a trade.
        let is_trade = |document: &RawDocumentBuf| {
            id.path != "_id" || best.is_some_and(|best| !path::is_in(document, best))
        };
        for document in sample.documents.iter().filter(|document| is_trade(document)) {
            path::scalars(document, &id.path, &mut |value| ids.extend(equality_key(value)));
        }
        let is_reference = |(path, stats): &(&String, &PathStats)| {
            let is_id = stats.may_be_ids();
            let is_taken =
                days.all_times().any(|time| time.path == **path) || days.paths().contains(path.as_str());
            let is_meant = id.path != "_id" || best == Some(path.as_str());
            is_id && is_meant && !is_taken && **path != id.path && *path != "_id" && stats.distinct >= 5
        };
        for (path, _) in survey.paths.iter().filter(is_reference) {
            let (mut asked, mut found) = (0, 0);
            for document in &sample.documents {
                let mut has_own = false;
                path::scalars(document, &id.path, &mut |value| has_own |= !matches!(value, RawBsonRef::Null));
                if has_own && id.path != "_id" {
                    continue;
                }
                path::scalars(document, path, &mut |value| {
                    if let Some(key) = equality_key(value) {
                        asked += 1;
                        found += usize::from(ids.contains(&key));
                    }
                });
            }
            // The sample has a part of the trades only, so a part of the references is enough.
            if found >= 5 && found * 5 >= asked {
                links.push(Link {
                    trade_id: id.path.clone(),
                    collection: None,
                    path: path.clone(),
                    asked,
                    found,
                });
            }
        }
    }
    links
}

/// Whether the ids at a path refer to those at another one of the same documents, rather than the other way round: a
/// message is called after its trade, and a trade has several messages.
fn refers(survey: &Survey, path: &str, trade_id: &str) -> bool {
    if trade_id == "_id" {
        return true;
    }
    let joined = |path: &str| words(path).concat();
    let (own, theirs) = (joined(trade_id), joined(path));
    if own != theirs && (own.ends_with(&theirs) || theirs.ends_with(&own)) {
        return theirs.ends_with(&own);
    }
    let repeats = |path: &str| survey.paths.get(path).map_or(1.0, PathStats::repeats);
    repeats(path) > repeats(trade_id)
}

/// Whether a path is an id of which no two documents have the same, such as that of a trade, rather than of a message.
pub(super) fn is_unique_id(survey: &Survey, path: &str) -> bool {
    let is_unique = |stats: &PathStats| {
        stats.may_be_ids()
            && stats.in_arrays == 0
            && stats.repeats() < UNIQUE
            && share(stats.documents, survey.documents) >= 0.9
    };
    let is_named = ends_like_an_id(path) || weight(path, Meaning::TradeId) > 0.5;
    path != "_id"
        && is_named
        && !is_of_a_group(path)
        && weight(path, Meaning::OtherId) < 0.5
        && survey.paths.get(path).is_some_and(is_unique)
}

/// Whether the documents have numbers of versions: those with the same id are then one trade.
pub(super) fn are_versioned(survey: &Survey) -> bool {
    let is_version = |(path, stats): (&String, &PathStats)| {
        let is_number = stats.main_type().is_some_and(|(main, _)| ["int", "long", "double"].contains(&main));
        let last = words(path.rsplit('.').next().unwrap_or(path));
        is_number && stats.distinct >= 2 && last.iter().any(|word| VERSIONS.contains(&word.as_str()))
    };
    survey.paths.iter().any(is_version)
}

/// An order has several trades: what is unique beside its id is theirs.
fn prefer_unique(candidates: &mut [Scored], survey: &Survey) {
    if are_versioned(survey) {
        return;
    }
    let unique = candidates.iter().filter(|id| is_unique_id(survey, &id.path));
    let Some(best) = unique.max_by(|a, b| a.score.total_cmp(&b.score)).cloned() else { return };
    let is_shared = |path: &str| survey.paths.get(path).is_some_and(|stats| stats.repeats() >= SHARED);
    for id in candidates.iter_mut().filter(|id| is_of_a_group(&id.path) && is_shared(&id.path)) {
        id.score = id.score.min(best.score - BETTER);
    }
}

/// If the messages refer to a path other than the best one, and none to that, it is the trade id. Where a collection does
/// not seem to have messages, what it refers to is returned instead.
fn prefer_referred(candidates: &mut [Scored], links: &[&Link], sample: &Sample, days: &Days) -> Option<Link> {
    let best = candidates.iter().max_by(|a, b| a.score.total_cmp(&b.score))?;
    let (best_path, best_score) = (best.path.clone(), best.score);
    let is_referred = links.iter().any(|link| link.trade_id == best_path && link.found > 0);
    let may_be = not_searched(sample, &best_path, &days.matched());
    if is_referred || may_be.iter().any(|place| message_rank(&place.collection) > 0) {
        return None;
    }
    let rank = |link: &Link| link.collection.as_deref().map_or(-1, message_rank);
    let is_plain = |link: &&&Link| {
        rank(link) >= 0 && share(link.found, link.asked) >= REFERRED && !is_of_a_group(&link.trade_id)
    };
    let link = links.iter().filter(is_plain).max_by_key(|link| (rank(link), link.found))?;
    let id = candidates.iter_mut().find(|id| id.path == link.trade_id)?;
    if rank(link) > 0 {
        id.score = id.score.max(best_score + BETTER);
        return None;
    }
    Some((*link).clone())
}

impl Choice {
    /// Chooses the trade id and the way to the messages.
    pub(super) fn make(sample: &Sample, survey: &Survey, days: &Days, links: &[Link]) -> Self {
        let mut candidates = ids(sample, survey, days);
        let own = links_within(sample, survey, days, &candidates);
        let copies = copies(sample);
        let is_copy = |link: &&Link| link.collection.as_deref().is_some_and(|name| copies.contains(name));
        let is_backward =
            |link: &&Link| link.collection.is_none() && !refers(survey, &link.path, &link.trade_id);
        let links = links.iter().chain(&own).filter(|link| !is_copy(link) && !is_backward(link));
        let (links, doubtful): (Vec<&Link>, Vec<&Link>) =
            links.partition(|link| is_believable(sample, survey, link));
        for id in &mut candidates {
            let best = links.iter().filter(|link| link.trade_id == id.path).max_by_key(|link| link.found);
            let Some(link) = best.filter(|link| link.found > 0) else { continue };
            let found = share(link.found, link.asked);
            id.score += 0.2 + 0.3 * found;
            let place = link
                .collection
                .as_ref()
                .map_or_else(|| link.path.clone(), |name| format!("{name}.{}", link.path));
            id.why.push(match &link.collection {
                // Half of the ids may be those of the messages themselves.
                None => format!("{} references to it were found at {place}", link.found),
                Some(_) => format!("{} of {} sampled ids were found in {place}", link.found, link.asked),
            });
        }
        // A path that refers to the ids of other documents is not the id of its own.
        let is_reference = |path: &str| {
            own.iter()
                .any(|link| link.path == path && !is_backward(&link) && is_believable(sample, survey, link))
        };
        for id in candidates.iter_mut().filter(|id| is_reference(&id.path)) {
            id.score -= REFERENCE;
        }
        prefer_unique(&mut candidates, survey);
        let elsewhere = prefer_referred(&mut candidates, &links, sample, days);
        candidates.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.path.cmp(&b.path)));
        let mut candidates = candidates.into_iter();
        let best = candidates.next().filter(|id| id.score >= LEAST_ID);
        let is_time = |path: &str| days.all_times().any(|time| time.path == path && time.path != "_id");
        let others = candidates.filter(|id| id.score >= LEAST_OTHER && !is_time(&id.path)).take(5);
        let mut choice = Self { other_ids: others.collect(), ..Self::default() };
        if let Some(best) = best {
            choice.messages = links
                .iter()
                .filter(|link| link.trade_id == best.path && link.found > 0)
                .max_by_key(|link| {
                    let rank = link.collection.as_deref().map_or(0, message_rank);
                    (rank, link.found * 100 / link.asked.max(1), link.collection.is_none())
                })
                .map(|link| (*link).clone());
            let rival = |link: &&&Link| {
                link.trade_id == best.path
                    && link.found * 2 >= link.asked
                    && choice.messages.as_ref().is_some_and(|chosen| chosen.collection != link.collection)
            };
            choice.rivals = links.iter().filter(rival).filter_map(|link| link.collection.clone()).collect();
            choice.doubtful = doubtful
                .into_iter()
                .filter(|link| link.trade_id == best.path && link.found * 2 >= link.asked)
                .filter(|_| choice.messages.is_none())
                .max_by_key(|link| link.found)
                .cloned()
                .or_else(|| elsewhere.filter(|link| choice.messages.is_none() && link.trade_id != best.path));
            choice.trade_id_why = best.why;
            choice.trade_id = Some((best.path, best.score));
        }
        choice
    }

    /// Finds what makes a document a trade if messages are in the same collection. `of_trades` are all documents with
    /// some of the trade ids.
    pub(super) fn find_kind(&mut self, sample: &Sample, of_trades: &[RawDocumentBuf]) {
        match (&self.trade_id, &self.messages) {
            (Some((id, _)), None) => {
                let found = kinds::find(&sample.indexes, of_trades, id);
                self.trade_kind = found.chosen;
                self.kinds_in_doubt = found.in_doubt;
            }
            (Some((id, _)), Some(link)) if link.collection.is_none() && link.path != *id => {
                self.trade_kind = kinds::between(&sample.documents, id, &link.path);
            }
            _ => {}
        }
    }

    /// The change stamp, the status and the filters, the best fitting pair first.
    pub(super) fn choose_others(&mut self, survey: &Survey, days: &Days) {
        let mut taken: BTreeSet<String> = days.paths().into_iter().map(str::to_owned).collect();
        // All trades have the same there.
        taken.extend(self.trade_kind.as_ref().and_then(|found| found.kind.value_path()).map(str::to_owned));
        taken.extend(self.trade_id.iter().map(|(path, _)| path.clone()));
        let stamps = survey.free(&taken).into_iter().filter_map(|(path, in_documents, stats)| {
            let named = weight(&path, Meaning::ChangedAt);
            let grows = ["date", "timestamp", "long"].contains(&stats.main_type()?.0);
            (named >= 0.8 && grows && in_documents >= 0.9).then(|| Scored {
                path,
                score: named,
                why: vec!["its name says so".to_owned()],
            })
        });
        self.changed_at = stamps.max_by(|a, b| a.score.total_cmp(&b.score));
        taken.extend(self.changed_at.iter().map(|stamp| stamp.path.clone()));

        self.filters =
            Filters::choose(survey, &mut taken, |path| days.all_times().any(|time| time.path == path));
    }

    /// The path by which messages in the trades' own collection refer to their trade, or may do so.
    pub(super) fn message_path(&self) -> Option<&str> {
        let link = self.messages.as_ref().or(self.doubtful.as_ref());
        link.filter(|link| link.collection.is_none()).map(|link| link.path.as_str())
    }

    /// Writes the keys of the mapping. Returns whether it needs version 2.
    pub(super) fn write(&self, mapping: &mut Map<String, Value>) -> bool {
        let mut is_second = false;
        if let Some(found) = &self.trade_kind {
            mapping.insert("input_match".into(), found.kind.to_match());
        }
        mapping.insert("changed_at".into(), json!(self.changed_at.as_ref().map(|stamp| &stamp.path)));
        let mut filters = Map::new();
        let mut labels = Map::new();
        for (at, name) in FORM_FIELDS.iter().enumerate() {
            let chosen = self.filters.fields[at].as_ref();
            let value = match chosen {
                Some(field) if field.value_type == ValueType::Text => json!(field.path),
                Some(field) => json!({"path": field.path, "type": field.value_type}),
                None => Value::Null,
            };
            if let Some(field) = chosen.filter(|field| field.path != *name) {
                labels.insert(field.path.clone(), json!({"label": label(&field.path)}));
            }
            filters.insert((*name).into(), value);
        }
        mapping.insert("filters".into(), Value::Object(filters));
        if let (Some(link), Some((id, _))) = (&self.messages, &self.trade_id) {
            mapping.insert("downstream_collection".into(), json!(link.collection));
            if link.path != *id {
                is_second = true;
                mapping.insert("downstream_trade_id".into(), json!(link.path));
            }
        }
        if let Some(status) = &self.filters.status {
            is_second = true;
            mapping.insert("status".into(), json!(status.path));
        }
        if !labels.is_empty() {
            is_second = true;
            mapping.insert("columns".into(), Value::Object(labels));
        }
        is_second
    }

    /// The trade id, with its reasons.
    pub(super) fn trade_id_field(&self, survey: &Survey) -> ProposedField {
        let others: Vec<String> = self.other_ids.iter().map(|id| id.path.clone()).collect();
        let next = self.other_ids.first().map_or(0.0, |id| id.score);
        match &self.trade_id {
            Some((path, score)) => described(
                survey,
                "trade_id",
                Some(path),
                confidence(*score, next),
                self.trade_id_why.clone(),
                others,
            ),
            None => described(survey, "trade_id", None, Confidence::Unsure, Vec::new(), others),
        }
    }

    /// The other fields, with their reasons. `survey` is what the trades have, `all` what all documents have.
    pub(super) fn other_fields(&self, survey: &Survey, all: &Survey) -> Vec<ProposedField> {
        let mut fields = Vec::new();
        fields.extend(self.trade_kind.as_ref().map(|found| {
            let path = Some(found.kind.path.as_str());
            let mut field = described(
                all,
                "input_match",
                path,
                found.confidence,
                found.why.clone(),
                found.others.clone(),
            );
            field.examples = vec![found.kind.to_match().to_string()];
            field
        }));
        if let (Some(link), Some((id, _))) = (&self.messages, &self.trade_id) {
            let sure = match share(link.found, link.asked) {
                found if found >= 0.5 => Confidence::Sure,
                found if found >= 0.1 => Confidence::Likely,
                _ => Confidence::Unsure,
            };
            let why = vec![match &link.collection {
                None => format!("{} references to trades of the sample were found there", link.found),
                Some(_) => format!("{} of {} sampled trade ids were found there", link.found, link.asked),
            }];
            if let Some(name) = &link.collection {
                // The ids are in several collections, or the name says something else: a person has to know.
                let is_plain = self.rivals.is_empty() && message_rank(name) > 0;
                let sure = if is_plain { sure } else { sure.min(Confidence::Likely) };
                let sure = if message_rank(name) < 0 { Confidence::Unsure } else { sure };
                let others = self.rivals.clone();
                let mut field = described(all, "downstream_collection", None, sure, why.clone(), others);
                field.examples = vec![name.clone()];
                fields.push(field);
            }
            if link.path != *id {
                fields.push(described(all, "downstream_trade_id", Some(&link.path), sure, why, Vec::new()));
            }
        }
        let chosen = |key: &str, field: &Field| {
            described(
                survey,
                key,
                Some(&field.path),
                field.confidence(),
                field.why.clone(),
                field.others.clone(),
            )
        };
        for (at, found) in self.filters.fields.iter().enumerate() {
            fields.extend(found.as_ref().map(|field| chosen(&filter_key(at), field)));
        }
        fields.extend(self.filters.status.as_ref().map(|field| chosen("status", field)));
        fields.extend(self.changed_at.as_ref().map(|field| {
            let sure = confidence(field.score, 0.0);
            described(survey, "changed_at", Some(&field.path), sure, field.why.clone(), Vec::new())
        }));
        fields
    }

    /// Paths with few different values that nothing uses yet.
    pub(super) fn further_filters(&self, survey: &Survey, days: &Days) -> Vec<String> {
        let mut taken: BTreeSet<&str> = days.paths();
        taken.extend(self.trade_id.iter().map(|(path, _)| path.as_str()));
        taken.extend(self.filters.fields.iter().flatten().map(|field| field.path.as_str()));
        let is_useful = |(path, stats): &(&String, &PathStats)| {
            let repeats = stats.distinct >= 2 && stats.distinct <= FEW && stats.repeats() >= 2.0;
            repeats
                && stats.value_type().is_some()
                && !taken.contains(path.as_str())
                && stats.longest <= LONGEST
        };
        survey.paths.iter().filter(is_useful).map(|(path, _)| path.clone()).collect()
    }
}
