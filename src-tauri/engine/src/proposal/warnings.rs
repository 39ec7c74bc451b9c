//! What will be slow or wrong with a proposed mapping.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};

use super::clocks::instant;
use super::days::Beside;
use super::fields::{Choice, NotSearched, are_versioned, is_unique_id, not_searched};
use super::filters::in_words;
use super::kinds::FoundKind;
use super::survey::{Survey, share};
use super::{
    Confidence, Evidence, Link, PartChoice, Study, Warning, WarningCode, message_rank, percent, serves,
    shapes, title,
};
use crate::bson::equality_key::equality_key;
use crate::bson::path;
use crate::words::{counted, joined, thousands};

/// Fewer documents than this say little.
const FEW: usize = 20;

/// From this on, ids are believed to be shared by several documents.
const REPEATS: f64 = 1.05;

/// How many collections in which messages were not looked for are named.
const NOT_SEARCHED: usize = 3;

pub(super) fn warnings(study: &Study<'_>, choice: &Choice, evidence: &Evidence) -> Vec<Warning> {
    let Study { sample, survey, days, .. } = study;
    let mut warnings = Vec::new();
    let shared = shared_ids(study, choice);
    let mut warn = |code, message: String, fix: Option<String>| {
        let mut choices = choices(code, choice);
        if let (WarningCode::IdsShared, Some((unique, _))) = (code, &shared) {
            choices.push(PartChoice { key: "trade_id".to_owned(), value: unique.clone() });
        }
        warnings.push(Warning { code, message, fix, choices });
    };
    let name = &sample.collection;
    if survey.documents == 0 {
        warn(
            WarningCode::Empty,
            format!("The collection {name} has no documents, so nothing can be proposed."),
            None,
        );
        return warnings;
    }
    if survey.documents < FEW {
        let message =
            format!("Only {} seen, so the proposal may be wrong.", counted(survey.documents, "document"));
        warn(WarningCode::FewDocuments, message, None);
    }
    if survey.is_cut {
        let message = format!(
            "The documents have more than {} different paths; the others were not looked at.",
            thousands(u64::try_from(Survey::MAX_PATHS).unwrap_or(u64::MAX))
        );
        warn(WarningCode::UnseenPaths, message, None);
    }
    for (_, why) in &days.passed_over {
        warn(WarningCode::PassedOver, why.clone(), None);
    }
    let matched = days.matched();
    let trades_match = choice.trade_kind.as_ref().map(|found| found.kind.to_match());
    if matched.is_empty() {
        let message = "No field was found that says on which day a trade was made.";
        warn(WarningCode::NoDay, message.to_owned(), None);
    } else if sample.knows_indexes && !study.days_are_indexed_beside(trades_match.as_ref()) {
        let message = format!(
            "No index of {name} begins with {}, so each fetch reads the whole collection. An index makes it fast.",
            matched.join(" and ")
        );
        warn(WarningCode::NoDayIndex, message, Some(create_index(name, &matched)));
    }
    if let Some(other) = shapes::other(study.whole, days, choice, evidence) {
        let (theirs, ours) = (other.paths.join(" and "), matched.join(" and "));
        let which = if other.is_older { "older" } else { "other" };
        let message = format!(
            "{} of the sampled documents have {theirs} instead of {ours}. If they are trades of a different shape, a fetch \
             by this mapping does not find them: to fetch the {which} ones as well, add a second source whose mapping \
             names {theirs}.",
            percent(other.share)
        );
        warn(WarningCode::OtherShape, message, None);
    }
    let chosen = choice.trade_id.iter().map(|(path, _)| {
        ("trade_id".to_owned(), path, choice.other_ids.iter().map(|id| &id.path).collect::<Vec<_>>())
    });
    let filters = choice.filters.fields.iter().enumerate().filter_map(|(at, field)| {
        field.as_ref().map(|field| (super::filter_key(at), &field.path, field.others.iter().collect()))
    });
    for (key, path, others) in chosen.chain(filters) {
        let others = others.into_iter().filter(|other| other.as_str() != "_id");
        if let Some((other, share)) =
            shapes::instead(&sample.documents, &matched, choice.message_path(), path, others)
        {
            let message = format!(
                "{} of the documents have {other} instead of {path} ({}): what looks for {path} does not find them.",
                percent(share),
                title(&key)
            );
            warn(WarningCode::OtherShape, message, None);
        }
    }
    for field in choice.filters.fields.iter().flatten().filter(|field| !field.mixed.is_empty()) {
        let types: Vec<String> =
            field.mixed.iter().map(|(name, share)| format!("{name} ({})", percent(*share))).collect();
        let message = format!(
            "The values of {} have several types. A filter on it finds {} only, not {}.",
            field.path,
            in_words(field.value_type),
            joined(&types)
        );
        warn(WarningCode::FilterMixed, message, None);
    }
    if let Some(agreement) = days.agreement.filter(|share| *share < 1.0) {
        let day = days.day_of_year.as_ref().map(|part| part.path.as_str()).unwrap_or_default();
        let time = days.time.as_ref().map(|time| time.path.as_str()).unwrap_or_default();
        let message = format!(
            "{day} is the day of {time} for {} of the documents only. Days follow {day}; check that this is intended.",
            percent(agreement)
        );
        warn(WarningCode::DayDisagrees, message, None);
    }
    let follow = days.business_date.as_ref().or(days.time.as_ref()).map(|time| time.path.as_str());
    let follow = days.day_of_year.as_ref().map(|day| day.path.as_str()).or(follow).unwrap_or_default();
    for Beside { date, time, agreement, is_date_of_time } in &days.disagreements {
        let message = if *is_date_of_time {
            format!(
                "{date} is the date of {time} for {} of the documents{}, in whatever time zone. Days follow {follow}; check \
                 that this is intended.",
                percent(*agreement),
                if *agreement > 0.0 { " only" } else { "" }
            )
        } else {
            format!(
                "{date} and {time} are on the same day for {} of the documents{}. Days follow {follow}; check that this is \
                 intended.",
                percent(*agreement),
                if *agreement > 0.0 { " only" } else { "" }
            )
        };
        warn(WarningCode::DayDisagrees, message, None);
    }
    if let Some(message) = days.doubtful_epoch() {
        warn(WarningCode::DayDisagrees, message, None);
    }
    if let Some(message) = days.unknown_zone() {
        warn(WarningCode::ZoneUnknown, message, None);
    }
    for time in [&days.time, &days.business_date].into_iter().flatten() {
        if time.of_form < 0.999 {
            let forms: Vec<String> = time
                .forms
                .iter()
                .map(|(form, share)| format!("{} ({})", form.in_words(), percent(*share)))
                .collect();
            let message = if forms.len() > 1 {
                format!(
                    "The values of {} have several forms: {}. A mapping reads one of them, here {}; documents with \
                     another are left out.",
                    time.path,
                    joined(&forms),
                    time.form.in_words()
                )
            } else {
                format!(
                    "{} of the values of {} can be read; documents with others are left out.",
                    percent(time.of_form),
                    time.path
                )
            };
            warn(WarningCode::MixedTimes, message, None);
        }
        let in_documents =
            survey.paths.get(&time.path).map_or(0.0, |stats| share(stats.documents, survey.documents));
        if days.day_of_year.is_none() && in_documents < 0.5 {
            let message = format!("Only {} of the documents have {}.", percent(in_documents), time.path);
            warn(WarningCode::TimeMissing, message, None);
        }
    }
    match &choice.trade_id {
        None => {
            let message =
                "No field was found that looks like a trade id, so no messages of trades can be fetched.";
            warn(WarningCode::NoTradeId, message.to_owned(), None);
        }
        Some((path, _)) => {
            if let Some(stats) = survey.paths.get(path) {
                let in_documents = share(stats.documents, survey.documents);
                // Messages may have it at a different path.
                if in_documents < 0.99 && choice.trade_kind.is_none() {
                    let message = format!(
                        "{} of the documents have a {path}. Those without one are fetched, but not their messages.",
                        percent(in_documents)
                    );
                    warn(WarningCode::IdsMissing, message, None);
                }
                if stats.types.len() > 1 && stats.main_type().is_some_and(|(_, share)| share < 0.999) {
                    let types: Vec<&str> = stats.types.keys().copied().collect();
                    let message = format!(
                        "The values of {path} have several types ({}); \"7\" and 7 are different trades.",
                        types.join(", ")
                    );
                    warn(WarningCode::IdsMixed, message, None);
                }
            }
            if let Some(found) = &choice.trade_kind {
                warn(WarningCode::SharedCollection, shared_collection(found), None);
            }
            if !choice.kinds_in_doubt.is_empty() {
                let message = format!(
                    "Several documents have the same {path}, and they are of different kinds, but nothing says which are \
                     the trades, so all are taken for trades. They may be those with {}: if so, set input_match in the \
                     text of the mapping.",
                    choice.kinds_in_doubt.join(", or with ")
                );
                warn(WarningCode::KindsInDoubt, message, None);
            }
            if let Some((unique, repeats)) = &shared {
                let message = format!(
                    "{repeats:.1} documents on average have the same {path}, at different times, and no two have the same \
                     {unique}. If each of them is a trade of its own, choose {unique}."
                );
                warn(WarningCode::IdsShared, message, None);
            }
            if let Some(link) = choice.doubtful.as_ref().filter(|link| link.trade_id != *path) {
                let message = format!(
                    "Nothing was found that refers to {path}, but {} of {} sampled values of {} are in {}. If these are \
                     the messages of the trades, choose {} as the trade id.",
                    link.found,
                    link.asked,
                    link.trade_id,
                    place_of(link),
                    link.trade_id
                );
                warn(WarningCode::DoubtfulMessages, message, None);
            } else if let Some(link) = &choice.doubtful {
                let place = place_of(link);
                let message = format!(
                    "{} of {} sampled ids are also in {place}. They may be counters of their own; if these are the \
                     messages of the trades, choose them.",
                    link.found, link.asked
                );
                warn(WarningCode::DoubtfulMessages, message, None);
            }
            if sample.unseen_collections > 0 {
                let message = format!(
                    "{} of the database were not looked at; messages may be in one of them.",
                    counted(sample.unseen_collections, "further collection")
                );
                warn(WarningCode::UnseenCollections, message, None);
            }
            let is_found =
                choice.messages.is_some() || choice.doubtful.is_some() || choice.trade_kind.is_some();
            let places = if is_found { Vec::new() } else { not_searched(sample, path, &matched) };
            if !places.is_empty() {
                let (message, fix) = unsearched(&places);
                warn(WarningCode::MessagesNotSearched, message, fix);
            }
            for message in not_found(evidence, path).into_iter().filter(|_| !is_found) {
                warn(WarningCode::MessagesNotFound, message, None);
            }
            let (collection, indexes, id) = match &choice.messages {
                Some(link) => {
                    let other = link
                        .collection
                        .as_ref()
                        .and_then(|name| sample.others.iter().find(|other| other.name == *name));
                    let indexes = other.map_or(&*sample.indexes, |other| other.indexes());
                    (link.collection.as_ref().unwrap_or(name), indexes, &link.path)
                }
                None => (name, &*sample.indexes, path),
            };
            if sample.knows_indexes && !serves(indexes, &[id]) && id != "_id" {
                let seen = survey.paths.get(id.as_str());
                let repeats = seen.is_some_and(|stats| stats.values > stats.distinct + stats.distinct / 20);
                let message = if repeats && !is_found && !sample.is_small {
                    format!(
                        "Several documents have the same {id}, so some may be messages of the others, and all are taken for trades: which are trades was not found out, since no index of {collection} begins with {id}."
                    )
                } else {
                    format!(
                        "No index of {collection} begins with {id}. If it contains messages of trades, finding them reads the whole collection."
                    )
                };
                warn(WarningCode::NoIdIndex, message, Some(create_index(collection, &[id])));
            }
        }
    }
    warnings
}

/// Says which documents are taken for trades, why, and how sure that is.
fn shared_collection(found: &FoundKind) -> String {
    let (trades, others) = found.kind.in_words();
    let why = found.why.join("; ");
    let doubt = match (found.confidence, found.others.as_slice()) {
        (Confidence::Sure, _) => String::new(),
        (_, []) => " This is a guess.".to_owned(),
        (_, others) => {
            format!(" This is a guess: the trades may also be those with {}.", others.join(", or with "))
        }
    };
    format!(
        "Trades and their messages are in one collection. The documents {trades} are taken for trades, and the \
         others{others} for their messages: {why}.{doubt} To change that, edit input_match in the text of the mapping."
    )
}

/// A place where ids were found, for people.
fn place_of(link: &Link) -> String {
    link.collection.as_ref().map_or_else(|| link.path.clone(), |name| format!("{name}.{}", link.path))
}

/// An id of which no two documents have the same, if several documents of different times have the chosen one: it is
/// rather that of an order. The versions of a trade have its time, or their number.
fn shared_ids(study: &Study<'_>, choice: &Choice) -> Option<(String, f64)> {
    let Study { sample, survey, days, .. } = study;
    let (chosen, _) = choice.trade_id.as_ref()?;
    let repeats = survey.paths.get(chosen)?.repeats();
    let unique = choice.other_ids.iter().find(|id| is_unique_id(survey, &id.path))?;
    let time = days.time.as_ref()?;
    if repeats < REPEATS || are_versioned(survey) {
        return None;
    }
    let mut times: HashMap<Vec<u8>, Vec<DateTime<Utc>>> = HashMap::new();
    for document in &sample.documents {
        let mut key = None;
        path::scalars(document, chosen, &mut |value| key = equality_key(value));
        if let (Some(key), Some(at)) = (key, instant(document, time)) {
            times.entry(key.into()).or_default().push(at);
        }
    }
    let several: Vec<&Vec<DateTime<Utc>>> = times.values().filter(|times| times.len() > 1).collect();
    let differ = several.iter().filter(|times| times.iter().any(|at| *at != times[0])).count();
    (share(differ, several.len()) >= 0.5).then(|| (unique.path.clone(), repeats))
}

/// The collections that seem to have messages, were searched, and have none of the ids.
fn not_found(evidence: &Evidence, trade_id: &str) -> Vec<String> {
    let mut searched: BTreeMap<&str, Vec<&Link>> = BTreeMap::new();
    for link in evidence.links.iter().filter(|link| link.trade_id == trade_id) {
        if let Some(name) = link.collection.as_deref().filter(|name| message_rank(name) > 0) {
            searched.entry(name).or_default().push(link);
        }
    }
    searched.retain(|_, links| links.iter().all(|link| link.found == 0));
    let sentence = |(name, links): (&str, Vec<&Link>)| {
        let paths: Vec<String> = links.iter().map(|link| link.path.clone()).collect();
        let asked = links.iter().map(|link| link.asked).max().unwrap_or_default();
        format!(
            "None of {asked} sampled values of {trade_id} is in {} of {name}, so no messages are proposed.",
            joined(&paths)
        )
    };
    searched.into_iter().map(sentence).collect()
}

/// What a person may choose if a warning's guess is right.
fn choices(code: WarningCode, choice: &Choice) -> Vec<PartChoice> {
    let part = |key: &str, value: &String| PartChoice { key: key.to_owned(), value: value.clone() };
    match &choice.doubtful {
        Some(link) if code == WarningCode::DoubtfulMessages => {
            let is_other = choice.trade_id.as_ref().is_some_and(|(path, _)| *path != link.trade_id);
            let trade_id = is_other.then(|| part("trade_id", &link.trade_id));
            let collection = link.collection.iter().map(|name| part("downstream_collection", name));
            trade_id.into_iter().chain(collection).chain([part("downstream_trade_id", &link.path)]).collect()
        }
        _ => Vec::new(),
    }
}

/// Where messages were not looked for, and the indexes that would change that.
fn unsearched(places: &[NotSearched]) -> (String, Option<String>) {
    let sentence = |place: &NotSearched| {
        let why = match &place.path {
            _ if !place.knows_indexes => "its indexes cannot be listed".to_owned(),
            Some(path) => format!("no index of it begins with {path}"),
            None => "no index of it begins with an id".to_owned(),
        };
        format!("Messages were not looked for in {}, since {why}.", place.collection)
    };
    let fix = |place: &NotSearched| {
        let path = place.path.as_ref().filter(|_| place.knows_indexes)?;
        Some(create_index(&place.collection, &[path]))
    };
    let likely: Vec<&NotSearched> = match places {
        [only] => vec![only],
        places => {
            places.iter().filter(|place| message_rank(&place.collection) > 0).take(NOT_SEARCHED).collect()
        }
    };
    if likely.is_empty() {
        // These are rather the trades of other desks.
        let mut names: Vec<String> =
            places.iter().take(NOT_SEARCHED).map(|place| place.collection.clone()).collect();
        let more = places.len() - names.len();
        names.extend((more > 0).then(|| format!("{more} more")));
        let names = joined(&names);
        return (
            format!("Messages were not looked for in {names}, since no index there begins with an id."),
            None,
        );
    }
    let sentences: Vec<String> = likely.iter().map(|place| sentence(place)).collect();
    let fixes: Vec<String> = likely.iter().filter_map(|place| fix(place)).collect();
    (sentences.join(" "), (!fixes.is_empty()).then(|| fixes.join("\n")))
}

/// The command that creates an index, to paste into mongosh.
pub(crate) fn create_index(collection: &str, paths: &[&str]) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let keys: Vec<String> = paths.iter().map(|path| format!("{}: 1", quoted(path))).collect();
    format!("db.getCollection({}).createIndex({{ {} }})", quoted(collection), keys.join(", "))
}
