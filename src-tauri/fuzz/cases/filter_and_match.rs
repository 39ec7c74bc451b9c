//! The form's rows and the advanced match.
//!
//! The input is text. A line `field operator value<TAB>value...` is a row of the form; what follows the first
//! blank line is the advanced match.

use bson::{Bson, Document, RawDocumentBuf, doc};
use tidemark_engine::query::filter::{Condition, FieldCondition, Filters, parse_match};
use tidemark_engine::query::filter_value::FilterValue;
use tidemark_engine::query::form::{FilterInput, FilterOperator};
use tidemark_engine::query::local_match::matches;
use tidemark_engine::query::mapping::Mapping;
use tidemark_engine::query::signature::Signature;

use super::{names_server_code, query, refused};

/// A field of each type beside the six.
const MAPPING: &str = r#"{"filters": {
    "integer": {"path": "deep.integer", "type": "integer"}, "number": {"path": "number", "type": "number"},
    "decimal": {"path": "decimal", "type": "decimal"}, "date": {"path": "date", "type": "date"},
    "bool": {"path": "bool", "type": "bool"}, "id": {"path": "id", "type": "object_id"}}}"#;

/// Operators that the form makes.
const OPERATORS: [&str; 7] = ["$in", "$all", "$nin", "$regex", "$exists", "$gte", "$lte"];

/// One input; what came of it.
pub fn run(data: &[u8]) -> String {
    let text = String::from_utf8_lossy(data);
    let (rows, advanced) = match text.strip_prefix('\n') {
        Some(advanced) => ("", advanced),
        None => text.split_once("\n\n").unwrap_or((&text, "")),
    };
    advanced_match(advanced);
    let mapping = Mapping::parse(MAPPING).expect("a mapping");
    let inputs: Vec<FilterInput> = rows.split('\n').filter_map(row).collect();
    let filters = match Filters::parse(&mapping, &inputs, advanced) {
        Ok(filters) => filters,
        Err(failure) => return refused(&failure),
    };

    let stored = Filters::from_stored(&filters.to_stored()).expect("what was stored is read");
    assert_eq!(stored.to_stored(), filters.to_stored());
    assert_eq!(stored.canonical(), filters.canonical());
    let (typed, typed_advanced) = filters.to_inputs();
    match Filters::parse(&mapping, &typed, &typed_advanced) {
        Ok(again) => assert_eq!(again.canonical(), filters.canonical(), "{typed:?} {typed_advanced}"),
        // As in `advanced_match`.
        Err(failure) => assert!(failure.message.contains("levels deep"), "{failure:?}"),
    }
    assert_eq!(filters.broader_than(&stored), Some(Vec::new()), "a query is as broad as itself");
    assert!(!filters.describe(&mapping.all_labels()).is_empty());

    let signature = |filters: Filters| Signature::of(&query(&mapping, filters));
    let shuffled = Filters::parse(&mapping, &shuffled(&inputs), advanced).expect("the same in another order");
    assert_eq!(signature(shuffled), signature(filters.clone()));
    for condition in &filters.fields {
        values_stay_values(condition);
        a_document_that_holds_it_matches(condition);
    }
    format!("taken: {}", filters.describe(&mapping.all_labels()))
}

fn row(line: &str) -> Option<FilterInput> {
    let mut parts = line.splitn(3, ' ');
    let field = parts.next()?.to_owned();
    let operator: FilterOperator = serde_json::from_value(parts.next()?.into()).ok()?;
    let values = parts.next().unwrap_or_default().split('\t').map(str::to_owned).collect();
    Some(FilterInput { field, operator, values })
}

fn advanced_match(text: &str) {
    let parsed = parse_match(text);
    if serde_json::from_str(text).is_ok_and(|json| names_server_code(&json)) {
        assert!(parsed.is_err(), "server-side code is refused: {text}");
    }
    let Ok(Some(document)) = parsed else { return };
    let canonical = Bson::Document(document).into_canonical_extjson();
    assert!(!names_server_code(&canonical), "{canonical}");
    let again = parse_match(&canonical.to_string());
    // The canonical spelling of a value may be a level or two deeper than what was typed.
    if let Err(failure) = &again {
        assert!(failure.message.contains("levels deep"), "{failure:?}: {canonical}");
        return;
    }
    let again = again.expect("just checked").expect("not empty");
    assert_eq!(Bson::Document(again).into_canonical_extjson(), canonical);
}

/// The same rows in another order, with values in another order, twice and with blanks.
fn shuffled(inputs: &[FilterInput]) -> Vec<FilterInput> {
    let mut shuffled: Vec<FilterInput> = inputs.iter().rev().cloned().collect();
    for input in &mut shuffled {
        use FilterOperator::{AllOf, AnyOf, NoneOf};
        if matches!(input.operator, AnyOf | AllOf | NoneOf) {
            let mut values: Vec<String> =
                input.values.iter().rev().map(|value| format!(" {value} ")).collect();
            values.extend(input.values.iter().cloned());
            values.push("  ".to_owned());
            input.values = values;
        }
    }
    shuffled.extend(inputs.iter().take(1).cloned());
    shuffled
}

/// Nothing that was typed became an operator.
fn values_stay_values(condition: &FieldCondition) {
    let asked = condition.to_match();
    assert_eq!(asked.keys().collect::<Vec<_>>(), [&condition.path]);
    let operators = asked.get_document(&condition.path).expect("operators");
    for (operator, value) in operators {
        assert!(OPERATORS.contains(&operator.as_str()), "{operator}");
        let values = value.as_array().map_or_else(|| vec![value], |values| values.iter().collect());
        assert!(values.iter().all(|value| !matches!(value, Bson::Document(_) | Bson::Array(_))), "{asked}");
    }
}

fn a_document_that_holds_it_matches(condition: &FieldCondition) {
    let holds = |values: &[FilterValue]| {
        let values: Vec<Bson> = values.iter().map(FilterValue::to_bson).collect();
        nested(&condition.path, Bson::Array(values))
    };
    let (document, expected) = match &condition.condition {
        Condition::AnyOf(values) => (holds(&values[..1]), true),
        Condition::AllOf(values) => (holds(values), true),
        Condition::NoneOf(values) => (holds(&values[..1]), false),
        Condition::StartsWith(text) => (nested(&condition.path, format!("{text}...").into()), true),
        Condition::Exists => (doc! {"other": 1}, false),
        Condition::Missing => (doc! {"other": 1}, true),
        // NaN is in no range, not even in its own.
        Condition::Range { .. } => return,
    };
    let raw = RawDocumentBuf::try_from(&document).expect("encodes");
    assert_eq!(matches(condition, &raw), Some(expected), "{condition:?} {document}");
}

fn nested(path: &str, value: Bson) -> Document {
    match path.split_once('.') {
        Some((head, rest)) => doc! {head: nested(rest, value)},
        None => doc! {path: value},
    }
}
