//! What a test of a source finds out about its documents: that there are some, that they have the paths of the mapping,
//! what the collection is and which index is missing.

use bson::{Bson, Document, RawDocumentBuf};

use super::role::least_privilege;
use super::steps::{Reads, collections, refused_by};
use super::{Found, Stop};
use crate::bson::path;
use crate::failure::Code;
use crate::proposal::{after_pinned, create_index, other_unit, serves};
use crate::query::mapping::Mapping;
use crate::query::near_miss::near_misses;
use crate::rows::Role;
use crate::source::{FirstRead, FoundKind, ListedKind, RefusedPart, Source, paths_in};
use crate::words::{counted, joined, rounded, thousands};

/// Number of documents whose paths are looked at.
const LOOKED_AT: i64 = 20;
/// The greatest depth of views upon views that is followed.
const VIEWS_DEEP: usize = 5;

/// Whether there are documents, about how many, and whether they have the paths of the mapping.
pub(super) async fn documents(source: &Source, mapping: &Mapping, reads: Reads) -> Result<Found, Stop> {
    let name = source.collection_name();
    let read = [(Some(name), Some(reads.trades)), (mapping.downstream_collection.as_deref(), reads.messages)];
    let empty = read.into_iter().filter(|(_, read)| *read == Some(FirstRead::Empty));
    let empty: Vec<&str> = empty.filter_map(|(name, _)| name).collect();
    if !empty.is_empty() {
        source.expect_collections(&empty).await?;
    }
    if reads.trades == FirstRead::Empty {
        return Ok(Found::warned(format!("The collection {name} has no documents.")));
    }
    let is_counted = matches!(
        source.kind_of(name).await,
        Ok(FoundKind::Known(ListedKind::Collection) | FoundKind::NameOnly(ListedKind::Collection))
    );
    let count = if is_counted { source.estimated_count(name).await } else { None };
    let detail = match count {
        Some(count) => format!("{name} has about {} documents.", thousands(rounded(count))),
        None => format!("{name} has documents."),
    };
    let mut problems: Vec<String> = Vec::new();
    for empty in empty {
        problems.push(format!("The messages' collection {empty} has no documents."));
    }
    problems.extend(trades_problems(source, mapping).await?);
    problems.extend(messages_paths(source, mapping).await?);
    Ok(if problems.is_empty() {
        Found::passed(format!("{detail} Some were read, and they have the paths of the mapping."))
    } else {
        Found::warned(format!("{detail} {}", problems.join(" ")))
    })
}

/// Which path of the mapping none of some trades has, and which unit of a time is a different one.
async fn trades_problems(source: &Source, mapping: &Mapping) -> Result<Vec<String>, Stop> {
    let mut found = source.some_documents(None, &mapping.input_match, LOOKED_AT).await;
    // Without an index, a rare match takes long to find.
    if found.as_ref().is_err_and(|failure| failure.code == Code::SourceTimeout) {
        found = source.some_documents(None, &Document::new(), LOOKED_AT).await;
    }
    let documents = match found {
        Err(failure) if failure.code == Code::SourceTimeout => return Ok(Vec::new()),
        found => found.map_err(|failure| refused_by(failure, RefusedPart::InputMatch))?,
    };
    if documents.is_empty() {
        let name = source.collection_name();
        return Ok(vec![format!("No document of {name} matches input_match of the mapping.")]);
    }
    let mut problems =
        Vec::from_iter(missing_paths(source.collection_name(), &documents, &wanted_paths(mapping)));
    problems.extend(wrong_units(&documents, mapping));
    Ok(problems)
}

/// The times whose unit is not the one that the mapping says: a fetch would find nothing.
fn wrong_units(documents: &[RawDocumentBuf], mapping: &Mapping) -> Vec<String> {
    let dates = mapping.dates();
    let problem = |path: &str| {
        let declared = dates.form_at(path)?;
        let (message, advice) = declared.not_but(path, other_unit(documents, path, declared)?);
        Some(format!("{message} {advice}"))
    };
    dates.paths().into_iter().filter_map(problem).collect()
}

/// Whether none of some messages has the trade id, if the mapping says which documents are messages.
async fn messages_paths(source: &Source, mapping: &Mapping) -> Result<Option<String>, Stop> {
    let Some(path) = mapping.trade_path(Role::Downstream) else { return Ok(None) };
    let collection = mapping.downstream_collection.as_deref();
    if collection.is_none() && mapping.downstream_match.is_empty() {
        return Ok(None);
    }
    let documents = match source.some_documents(collection, &mapping.downstream_match, LOOKED_AT).await {
        Err(failure) if failure.code == Code::SourceTimeout => return Ok(None),
        found => found.map_err(|failure| refused_by(failure, RefusedPart::DownstreamMatch))?,
    };
    if documents.is_empty() {
        return Ok(None);
    }
    let name = collection.unwrap_or(source.collection_name());
    Ok(missing_paths(name, &documents, &[(path, "the trade id in messages".to_owned())]))
}

/// The paths of the mapping that a fetch uses, with what they are for.
fn wanted_paths(mapping: &Mapping) -> Vec<(&str, String)> {
    let mut wanted: Vec<(&str, String)> = Vec::new();
    wanted.extend(mapping.trade_path(Role::Input).map(|path| (path, "the trade id".to_owned())));
    wanted.extend(mapping.dates().paths().into_iter().map(|path| (path, "the day".to_owned())));
    wanted.extend(
        mapping.filters.iter().map(|field| (field.path.as_str(), format!("the filter {}", field.name))),
    );
    wanted.extend(mapping.status.as_deref().map(|path| (path, "the status".to_owned())));
    wanted.extend(mapping.changed_at.as_deref().map(|path| (path, "the time of the last change".to_owned())));
    wanted
}

/// A sentence that names the paths that none of a collection's documents has; `None` if each is in some document.
fn missing_paths(name: &str, documents: &[RawDocumentBuf], wanted: &[(&str, String)]) -> Option<String> {
    let missing: Vec<&(&str, String)> = wanted
        .iter()
        .filter(|(path, _)| !documents.iter().any(|document| path::is_in(document, path)))
        .collect();
    if missing.is_empty() {
        return None;
    }
    let known = paths_in(documents);
    let parts: Vec<String> = missing
        .iter()
        .map(|(path, what)| match near_misses(path, known.iter().map(String::as_str)).first() {
            Some(near) => format!("{path} ({what}; perhaps {near} is meant)"),
            None => format!("{path} ({what})"),
        })
        .collect();
    let read = counted(documents.len(), "document");
    Some(format!("None of the {read} of {name} that were read has {}.", joined(&parts)))
}

/// What the collections are.
pub(super) async fn kind(source: &Source, mapping: &Mapping) -> Result<Found, Stop> {
    let names = collections(source, mapping);
    let (mut parts, mut costs) = (Vec::new(), false);
    for name in &names {
        let kind = source.kind_of(name).await?;
        costs |= !matches!(kind, FoundKind::Known(_));
        parts.push(match kind {
            FoundKind::Known(kind) | FoundKind::NameOnly(kind) => in_words(name, &kind),
            FoundKind::Unknown => format!("what {name} is cannot be found out"),
        });
    }
    let detail = sentence(&parts.join("; "));
    if !costs {
        return Ok(Found::passed(detail));
    }
    let found = Found::warned(format!(
        "{detail} This user may not list the collections, so a collection that is dropped and created again is not noticed."
    ));
    Ok(found.with_fix(least_privilege(source.identity(), &names)))
}

fn in_words(name: &str, kind: &ListedKind) -> String {
    match kind {
        ListedKind::Collection => format!("{name} is a collection"),
        ListedKind::View(Some(on)) => format!("{name} is a view of {on}"),
        ListedKind::View(None) => format!("{name} is a view"),
        ListedKind::TimeSeries(_) => format!("{name} is a time series"),
    }
}

/// A phrase as a sentence.
fn sentence(phrase: &str) -> String {
    let mut letters = phrase.chars();
    let first = letters.next().filter(|_| phrase.starts_with("what "));
    match first {
        Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
        // Names keep their case.
        None => format!("{phrase}."),
    }
}

/// What is known of an index that a query needs.
enum Served {
    Yes(String),
    /// The sentence, and the command that creates the index.
    No(String, String),
    /// The sentence: whether there is one is not known, or one would not help.
    Unknown(String),
}

/// What a person should know before trades are looked for by their ids: which of the two queries no index serves.
pub(crate) async fn unserved_ids(source: &Source, mapping: &Mapping) -> Vec<String> {
    let trades = source.collection_name();
    let messages = mapping.downstream_collection.as_deref().unwrap_or(trades);
    let asked = [
        (trades, Role::Input, &mapping.input_match, "finding trades by their ids reads the whole collection"),
        (
            messages,
            Role::Downstream,
            &mapping.downstream_match,
            "finding the messages of trades reads the whole collection",
        ),
    ];
    let mut found = Vec::new();
    for (name, role, matches, cost) in asked {
        // Of `_id`, there always is one.
        let Some(path) = mapping.trade_path(role).filter(|path| *path != "_id") else { continue };
        match served(source, name, &[path], matches, cost).await {
            Ok(Served::No(words, _) | Served::Unknown(words)) => found.push(words),
            // If this fails, so does the search, and says why.
            Ok(Served::Yes(_)) | Err(_) => {}
        }
    }
    found
}

/// Whether indexes serve the queries of a fetch.
pub(super) async fn indexes(source: &Source, mapping: &Mapping) -> Result<Found, Stop> {
    let trades = source.collection_name();
    let messages = mapping.downstream_collection.as_deref().unwrap_or(trades);
    let days = mapping.dates().paths();
    let mut found = vec![
        served(source, trades, &days, &mapping.input_match, "each fetch reads the whole collection").await?,
    ];
    // Of `_id`, there always is one.
    if let Some(id) = mapping.trade_path(Role::Downstream).filter(|path| *path != "_id") {
        let cost = "finding the messages of trades reads the whole collection";
        found.push(served(source, messages, &[id], &mapping.downstream_match, cost).await?);
    }
    let (mut detail, mut fixes, mut is_warned) = (Vec::new(), Vec::new(), false);
    for one in found {
        is_warned |= !matches!(one, Served::Yes(_));
        match one {
            Served::Yes(words) | Served::Unknown(words) => detail.push(words),
            Served::No(words, fix) => {
                detail.push(words);
                fixes.push(fix);
            }
        }
    }
    let detail = detail.join(" ");
    let found = if is_warned { Found::warned(detail) } else { Found::passed(detail) };
    Ok(if fixes.is_empty() { found } else { found.with_fix(fixes.join("\n")) })
}

/// Whether an index of a collection, or of the one beneath a view, begins with the paths. Fields that the match pins
/// to a value may come first.
async fn served(
    source: &Source,
    name: &str,
    paths: &[&str],
    matches: &Document,
    cost: &str,
) -> Result<Served, Stop> {
    let path_names = joined(&paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>());
    let unknown = |why: &str| {
        Served::Unknown(format!(
            "Whether an index of {name} begins with {path_names} cannot be found out: {why}. Without one, {cost}."
        ))
    };
    let mut beneath = name.to_owned();
    for _ in 0..VIEWS_DEEP {
        match source.kind_of(&beneath).await? {
            FoundKind::Known(ListedKind::View(Some(on))) => beneath = on,
            FoundKind::Known(ListedKind::View(None)) | FoundKind::NameOnly(ListedKind::View(_)) => {
                return Ok(unknown("it is a view, and what it is a view of is not known"));
            }
            FoundKind::Known(ListedKind::TimeSeries(Some(time))) if paths == [time.as_str()] => {
                return Ok(Served::Yes(format!("{name} is a time series of {time}.")));
            }
            _ => break,
        }
    }
    let Some(indexes) = source.indexes(&beneath).await else {
        return Ok(unknown("this user may not list the indexes"));
    };
    let pinned = |path: &str| {
        matches.get(path).is_some_and(|value| match value {
            Bson::Document(conditions) => conditions.contains_key("$eq") || conditions.contains_key("$in"),
            Bson::RegularExpression(_) => false,
            _ => true,
        })
    };
    if serves(&after_pinned(&indexes, paths, &pinned), paths) {
        return Ok(Served::Yes(format!("An index of {beneath} begins with {path_names}.")));
    }
    let of_view = if beneath == name {
        String::new()
    } else {
        format!(" {name} is a view of {beneath}; the names may differ there.")
    };
    let words = format!("No index of {beneath} begins with {path_names}, so {cost}.{of_view}");
    // An index on a path that is not there would be of no use: the mapping has to be corrected first.
    let documents = source.some_documents(Some(name), matches, LOOKED_AT).await.unwrap_or_default();
    let is_mistaken = !documents.is_empty()
        && paths.iter().any(|wanted| !documents.iter().any(|document| path::is_in(document, wanted)));
    if is_mistaken {
        return Ok(Served::Unknown(words));
    }
    Ok(Served::No(words, create_index(&beneath, paths)))
}

#[cfg(test)]
mod tests {
    use bson::rawdoc;

    use super::*;

    #[test]
    fn a_unit_that_gives_no_time_of_a_trade_is_named() {
        let documents = [rawdoc! {"at": 1_738_315_800_i64}];
        let of = |form: &str| {
            let text = format!(r#"{{"version": 2, "timestamp": {{"path": "at", "form": "{form}"}}}}"#);
            wrong_units(&documents, &Mapping::parse(&text).expect("a mapping"))
        };
        assert_eq!(
            of("epoch_ms"),
            [
                "The values of at are seconds since 1970, not milliseconds. Correct the mapping: the form of at is epoch_s."
            ]
        );
        assert_eq!(of("epoch_s"), Vec::<String>::new());
        assert_eq!(of("iso_text"), Vec::<String>::new());
    }

    #[test]
    fn a_path_that_no_document_has_is_named_with_what_it_may_mean() {
        let documents =
            [rawdoc! {"tradeId": 1, "legs": [{"price": 1}]}, rawdoc! {"tradeId": 2, "year": 2025}];
        let wanted = |paths: &[&'static str]| -> Vec<(&str, String)> {
            paths.iter().map(|path| (*path, "the day".to_owned())).collect()
        };
        assert_eq!(missing_paths("trades", &documents, &wanted(&["tradeId", "legs.price", "year"])), None);
        assert_eq!(
            missing_paths("trades", &documents, &wanted(&["trade_id", "year", "when"])).as_deref(),
            Some(
                "None of the 2 documents of trades that were read has trade_id (the day; perhaps tradeId is meant) and when (the day)."
            )
        );
    }
}
