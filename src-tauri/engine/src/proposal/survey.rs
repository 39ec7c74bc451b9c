//! What the documents of a sample have at each of their paths.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use bson::spec::BinarySubtype;
use bson::{RawBsonRef, RawDocument, RawDocumentBuf};

use crate::bson::equality_key::equality_key;
use crate::bson::extjson::write_relaxed;
use crate::query::form::ValueType;
use crate::query::placement::whole;

/// The maximum number of paths that are looked at.
const MAX_PATHS: usize = 2_000;
/// The maximum number of different values of one path that are remembered.
const MAX_DISTINCT: usize = 5_000;
/// How deep sub-documents are looked into: as deep as MongoDB stores them.
const MAX_DEPTH: usize = 100;
/// How many different texts of a path are counted one by one, and how long they may be.
const MAX_TEXTS: usize = 60;
const TEXT_LENGTH: usize = 40;
/// How many example values are kept.
const EXAMPLES: usize = 3;
/// Characters of an example.
const EXAMPLE_LENGTH: usize = 60;

/// The types of ids.
const ID_TYPES: [&str; 7] = ["string", "int", "long", "objectId", "binData", "decimal", "double"];

/// What the documents have at one path.
#[derive(Debug, Default)]
pub(crate) struct PathStats {
    /// In how many documents there is a value other than null.
    pub(crate) documents: usize,
    /// How many values there are, each element of an array counted.
    pub(crate) values: usize,
    /// How many values there are of each type, by the name that MongoDB has for it.
    pub(crate) types: BTreeMap<&'static str, usize>,
    /// In how many documents the path leads into an array of documents, or ends at an array.
    pub(crate) in_arrays: usize,
    /// In how many documents the path ends at an array of values.
    pub(crate) in_lists: usize,
    /// How many of them are numbers with a fraction, or that are none.
    pub(crate) fractions: usize,
    /// Different values.
    pub(crate) distinct: usize,
    /// The longest text, in characters.
    pub(crate) longest: usize,
    /// Example values, different ones if there are any.
    pub(crate) examples: Vec<String>,
    /// Some different short texts, each with the number of times that it occurs.
    pub(crate) texts: BTreeMap<String, usize>,
}

impl PathStats {
    /// The type that most values have, and their share of all.
    pub(crate) fn main_type(&self) -> Option<(&'static str, f64)> {
        let (name, count) = self.types.iter().max_by_key(|(_, count)| **count)?;
        Some((name, share(*count, self.values)))
    }

    /// How often a value occurs on average.
    pub(crate) fn repeats(&self) -> f64 {
        share(self.values, self.distinct.max(1))
    }

    /// Whether the values can be ids: texts, whole numbers, ObjectIds, UUIDs. A shell stores each whole number as a double.
    pub(crate) fn may_be_ids(&self) -> bool {
        let is_of_ids = |(name, _)| ID_TYPES.contains(&name);
        self.main_type().is_some_and(is_of_ids) && self.fractions == 0
    }

    /// The type that the values of a filter have.
    pub(crate) fn value_type(&self) -> Option<ValueType> {
        Some(match self.main_type()?.0 {
            "string" => ValueType::Text,
            "int" | "long" if self.types.contains_key("decimal") => ValueType::Decimal,
            "int" | "long" if self.types.contains_key("double") => ValueType::Number,
            "int" | "long" => ValueType::Integer,
            "double" => ValueType::Number,
            "decimal" => ValueType::Decimal,
            "date" => ValueType::Date,
            "bool" => ValueType::Bool,
            "objectId" => ValueType::ObjectId,
            "binData" => ValueType::Uuid,
            _ => return None,
        })
    }
}

/// A part of a whole.
#[allow(clippy::cast_precision_loss, reason = "counts of a sample")]
pub(crate) fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// The paths of some documents, by name.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    pub(crate) documents: usize,
    pub(crate) paths: BTreeMap<String, PathStats>,
    /// Whether there are more paths than were looked at.
    pub(crate) is_cut: bool,
}

impl Survey {
    /// The greatest number of paths that are looked at.
    pub(crate) const MAX_PATHS: usize = MAX_PATHS;

    /// Looks at documents.
    pub(crate) fn of(documents: &[RawDocumentBuf]) -> Self {
        let mut survey = Self { documents: documents.len(), ..Self::default() };
        let mut distinct: HashMap<String, HashSet<String>> = HashMap::new();
        for document in documents {
            let mut found: HashMap<String, Found<'_>> = HashMap::new();
            collect(document, "", 0, Arrays::default(), &mut found);
            for (path, Found { values, in_array, in_list }) in found {
                let is_known = survey.paths.contains_key(&path);
                if !is_known && survey.paths.len() >= MAX_PATHS {
                    survey.is_cut = true;
                    continue;
                }
                let known = distinct.entry(path.clone()).or_default();
                let stats = survey.paths.entry(path).or_default();
                stats.documents += usize::from(!values.is_empty());
                stats.in_arrays += usize::from(in_array && !values.is_empty());
                stats.in_lists += usize::from(in_list && !values.is_empty());
                for value in values {
                    stats.add(value, known);
                }
            }
        }
        survey.paths.retain(|_, stats| stats.values > 0);
        survey
    }

    /// The paths that nothing is proposed for yet, with their shares of the documents.
    pub(crate) fn free(&self, taken: &BTreeSet<String>) -> Vec<(String, f64, &PathStats)> {
        let is_free = |path: &str| !taken.contains(path) && path != "_id";
        let free = self.paths.iter().filter(|(path, _)| is_free(path));
        free.map(|(path, stats)| (path.clone(), share(stats.documents, self.documents), stats)).collect()
    }
}

impl PathStats {
    fn add(&mut self, value: RawBsonRef<'_>, known: &mut HashSet<String>) {
        self.values += 1;
        *self.types.entry(type_name(value)).or_default() += 1;
        let is_number = matches!(value, RawBsonRef::Double(_) | RawBsonRef::Decimal128(_));
        self.fractions += usize::from(is_number && whole(value).is_none());
        if let RawBsonRef::String(text) = value {
            let length = text.chars().count();
            self.longest = self.longest.max(length);
            if let Some(count) = self.texts.get_mut(text) {
                *count += 1;
            } else if self.texts.len() < MAX_TEXTS && length <= TEXT_LENGTH {
                self.texts.insert(text.to_owned(), 1);
            }
        }
        let is_new = known.len() < MAX_DISTINCT && equality_key(value).is_some_and(|key| known.insert(key));
        self.distinct += usize::from(is_new);
        if is_new && self.examples.len() < EXAMPLES {
            self.examples.extend(example(value));
        }
    }
}

/// The values of one path in one document.
#[derive(Default)]
struct Found<'a> {
    values: Vec<RawBsonRef<'a>>,
    in_array: bool,
    in_list: bool,
}

/// The arrays that a path leads through.
#[derive(Clone, Copy, Default)]
struct Arrays {
    /// Whether there is any.
    any: bool,
    /// Whether the path ends at one.
    last: bool,
}

fn collect<'a>(
    document: &'a RawDocument,
    prefix: &str,
    depth: usize,
    arrays: Arrays,
    found: &mut HashMap<String, Found<'a>>,
) {
    for (name, value) in document.iter().flatten() {
        let name = name.as_str();
        // Such names cannot be addressed by a path.
        if name.is_empty() || name.contains('.') || name.starts_with('$') {
            continue;
        }
        let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
        visit(value, &path, depth, Arrays { last: false, ..arrays }, found);
    }
}

fn visit<'a>(
    value: RawBsonRef<'a>,
    path: &str,
    depth: usize,
    arrays: Arrays,
    found: &mut HashMap<String, Found<'a>>,
) {
    match value {
        RawBsonRef::Document(inner) if depth < MAX_DEPTH => collect(inner, path, depth + 1, arrays, found),
        RawBsonRef::Array(items) if depth < MAX_DEPTH => {
            for item in items.into_iter().flatten() {
                visit(item, path, depth + 1, Arrays { any: true, last: true }, found);
            }
        }
        RawBsonRef::Null | RawBsonRef::Undefined | RawBsonRef::Document(_) | RawBsonRef::Array(_) => {}
        value => {
            let entry = found.entry(path.to_owned()).or_default();
            entry.values.push(value);
            entry.in_array |= arrays.any;
            entry.in_list |= arrays.last;
        }
    }
}

/// The name that MongoDB has for the type of a value.
pub(crate) const fn type_name(value: RawBsonRef<'_>) -> &'static str {
    match value {
        RawBsonRef::Double(_) => "double",
        RawBsonRef::String(_) => "string",
        RawBsonRef::Array(_) => "array",
        RawBsonRef::Document(_) => "object",
        RawBsonRef::Boolean(_) => "bool",
        RawBsonRef::Null => "null",
        RawBsonRef::Int32(_) => "int",
        RawBsonRef::Int64(_) => "long",
        RawBsonRef::Timestamp(_) => "timestamp",
        RawBsonRef::Binary(_) => "binData",
        RawBsonRef::ObjectId(_) => "objectId",
        RawBsonRef::DateTime(_) => "date",
        RawBsonRef::Decimal128(_) => "decimal",
        _ => "other",
    }
}

/// A value as text: a text as it is, and everything else as relaxed Extended JSON.
fn example(value: RawBsonRef<'_>) -> Option<String> {
    let text = match value {
        RawBsonRef::String(text) => text.to_owned(),
        RawBsonRef::ObjectId(id) => id.to_hex(),
        RawBsonRef::Binary(binary) if binary.subtype == BinarySubtype::Uuid => {
            bson::Uuid::from_bytes(binary.bytes.try_into().ok()?).to_string()
        }
        RawBsonRef::Int64(number) => number.to_string(),
        RawBsonRef::Decimal128(number) => number.to_string(),
        RawBsonRef::DateTime(at) => at.try_to_rfc3339_string().ok()?,
        value => {
            let mut text = String::new();
            if !write_relaxed(&mut text, value) {
                return None;
            }
            text
        }
    };
    if text.chars().count() <= EXAMPLE_LENGTH {
        return Some(text);
    }
    Some(text.chars().take(EXAMPLE_LENGTH - 1).chain(['…']).collect())
}

#[cfg(test)]
mod tests {
    use bson::rawdoc;

    use super::*;

    #[test]
    fn paths_are_counted_with_their_types() {
        let survey = Survey::of(&[
            rawdoc! {"a": 1, "b": {"c": "x", "d": [1, 2]}, "e": [{"f": "u"}, {"f": "v"}], "n": null},
            rawdoc! {"a": 1_i64, "b": {"c": "y"}},
            rawdoc! {"a": 1.0, "b": {"c": "x"}, "$x": 1, "": 2},
        ]);
        let names: Vec<&str> = survey.paths.keys().map(String::as_str).collect();
        assert_eq!(names, ["a", "b.c", "b.d", "e.f"]);
        let of = |path: &str| {
            let stats = &survey.paths[path];
            (stats.documents, stats.values, stats.distinct, stats.in_arrays)
        };
        // Numbers are equal across types.
        assert_eq!(of("a"), (3, 3, 1, 0));
        assert_eq!(of("b.c"), (3, 3, 2, 0));
        assert_eq!(of("b.d"), (1, 2, 2, 1));
        assert_eq!(of("e.f"), (1, 2, 2, 1));
        assert_eq!(survey.paths["b.c"].examples, ["x", "y"]);
        assert_eq!(survey.paths["a"].types.len(), 3);
    }

    #[test]
    fn whole_numbers_of_any_type_and_uuids_may_be_ids() {
        let uuid = bson::Uuid::parse_str("0f8fad5b-d9cb-469f-a165-70867728950e").expect("a UUID");
        let uuid = bson::Binary::from(uuid);
        let survey = Survey::of(&[
            rawdoc! {"a": 7000.0, "b": 7000.5, "c": 1_i64, "d": uuid, "e": f64::NAN, "f": true},
            rawdoc! {"a": 7003.0, "b": 7003.0, "c": 2},
        ]);
        let ids: Vec<&str> = ["a", "b", "c", "d", "e", "f"]
            .into_iter()
            .filter(|path| survey.paths[*path].may_be_ids())
            .collect();
        assert_eq!(ids, ["a", "c", "d"]);
        assert_eq!(survey.paths["d"].examples, ["0f8fad5b-d9cb-469f-a165-70867728950e"]);
    }

    #[test]
    fn lists_of_values_are_told_from_lists_of_documents() {
        let survey =
            Survey::of(&[rawdoc! {"tags": ["a", "b"], "legs": [{"side": "B"}, {"side": "S"}], "x": "a"}]);
        let of = |path: &str| (survey.paths[path].in_arrays, survey.paths[path].in_lists);
        assert_eq!((of("tags"), of("legs.side"), of("x")), ((1, 1), (1, 0), (0, 0)));
        let texts: Vec<(&str, usize)> =
            survey.paths["legs.side"].texts.iter().map(|(text, count)| (text.as_str(), *count)).collect();
        assert_eq!(texts, [("B", 1), ("S", 1)]);
    }

    #[test]
    fn documents_as_deep_as_any_are_looked_into() {
        let mut document = rawdoc! {"at": 1};
        for _ in 0..60 {
            document = rawdoc! {"n": document};
        }
        let survey = Survey::of(&[document]);
        assert!(survey.paths.keys().any(|path| path.ends_with("n.at")), "{:?}", survey.paths.keys());
        assert!(!survey.is_cut);
    }

    #[test]
    fn too_many_paths_are_noticed() {
        let of = |number: usize| {
            let mut document = RawDocumentBuf::new();
            document.append(bson::cstr!("a"), 1);
            for at in 0..700 {
                let name = bson::raw::CString::try_from(format!("k{number}_{at}")).expect("a name");
                document.append(name, 1);
            }
            document
        };
        assert!(!Survey::of(&[of(1), of(2)]).is_cut);
        assert!(Survey::of(&[of(1), of(2), of(3)]).is_cut);
    }

    #[test]
    fn a_long_example_is_cut() {
        let survey = Survey::of(&[rawdoc! {"a": "ü".repeat(500)}]);
        let example = &survey.paths["a"].examples[0];
        assert_eq!((example.chars().count(), example.chars().last()), (EXAMPLE_LENGTH, Some('…')));
    }
}
