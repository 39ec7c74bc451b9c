#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::query::mapping::Mapping;

fn value(key: &str, value: Option<&str>) -> MappingChange {
    MappingChange::Value { key: key.to_owned(), value: value.map(str::to_owned) }
}

fn form(key: &str, form: DateForm) -> MappingChange {
    MappingChange::Form { key: key.to_owned(), form }
}

fn label(key: &str, label: &str) -> MappingChange {
    MappingChange::Label { key: key.to_owned(), label: label.to_owned() }
}

fn filter(path: &str, value_type: ValueType, label: &str) -> MappingChange {
    MappingChange::AddFilter { path: path.to_owned(), value_type, label: label.to_owned() }
}

/// The file after a change that can be made.
fn changed(text: &str, change: &MappingChange) -> Value {
    let view = change_mapping(text, change);
    assert_eq!(view.problem, None, "{text} {change:?}");
    Mapping::parse(&view.text).unwrap();
    if view.text.trim().is_empty() { json!({}) } else { serde_json::from_str(&view.text).unwrap() }
}

fn part(view: &MappingView, key: &str) -> MappingPart {
    view.parts.iter().find(|part| part.key == key).unwrap().clone()
}

#[test]
fn a_text_is_read_as_its_parts_and_left_alone() {
    let text = r#"{ "version":2,"trade_id" : null, "timestamp": {"path": "t", "form": "iso_text"},
        "filters": {"price": {"path": "p", "type": "decimal", "label": "Price"}, "cell": "grid", "receiver": null}}"#;
    let view = change_mapping(text, &MappingChange::None);
    assert_eq!((view.text.as_str(), &view.problem), (text, &None));
    let keys: Vec<&str> = view.parts.iter().map(|part| part.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "trade_id",
            "business_date",
            "timestamp",
            "year",
            "day_of_year",
            "day_zone",
            "downstream_collection",
            "downstream_trade_id",
            "status",
            "changed_at",
            "filters.product",
            "filters.cell",
            "filters.receiver",
            "filters.attribute",
            "filters.relatedDispatcher",
            "filters.relatedAttributes",
            "filters.price",
        ]
    );
    let trade_id = part(&view, "trade_id");
    assert_eq!((trade_id.title.as_str(), trade_id.value, trade_id.is_given), ("Trade id", None, true));
    let time = part(&view, "timestamp");
    assert_eq!((time.value.as_deref(), time.form), (Some("t"), Some(DateForm::IsoText)));
    assert_eq!(part(&view, "year").value, None);
    let zone = part(&view, "day_zone");
    assert_eq!((zone.value.as_deref(), zone.is_given), (Some("UTC"), false));
    let price = part(&view, "filters.price");
    assert_eq!((price.value_type, price.label.as_deref()), (Some(ValueType::Decimal), Some("Price")));
    let (product, receiver) = (part(&view, "filters.product"), part(&view, "filters.receiver"));
    assert_eq!((product.value.as_deref(), product.is_given), (Some("product"), false));
    assert_eq!((receiver.value, receiver.value_type, receiver.is_given), (None, None, true));
}

#[test]
fn what_cannot_be_read_stays() {
    for change in [MappingChange::None, value("year", None)] {
        let view = change_mapping("{\"year\": ", &change);
        assert_eq!((view.text.as_str(), view.parts.len()), ("{\"year\": ", 0));
        assert!(view.problem.is_some());
    }
    // A mistake in one part does not hide the others, and can be corrected.
    let view = change_mapping(r#"{"trade_id": "a..b", "year": 7}"#, &MappingChange::None);
    assert_eq!(part(&view, "trade_id").value.as_deref(), Some("a..b"));
    let view = change_mapping(&view.text, &value("trade_id", Some("a.b")));
    assert!(view.problem.unwrap().message.contains("year"));
    assert_eq!(changed(&view.text, &value("year", Some("y"))), json!({"trade_id": "a.b", "year": "y"}));
}

#[test]
fn only_what_is_changed_is_written() {
    let text = r#"{"settle_hours": 2, "input_match": {"kind": "trade"}, "trade_id": "id"}"#;
    let view = change_mapping(text, &value("trade_id", Some("ref")));
    assert_eq!(
        view.text,
        "{\n  \"settle_hours\": 2,\n  \"input_match\": {\n    \"kind\": \"trade\"\n  },\n  \"trade_id\": \"ref\"\n}"
    );
    for (text, change, expected) in [
        ("", value("trade_id", Some("ref")), json!({"trade_id": "ref"})),
        ("{}", value("year", None), json!({"year": null})),
        ("{}", value("year", Some(" ")), json!({"year": null})),
        (r#"{"day_zone": "Asia/Tokyo"}"#, value("day_zone", None), json!({})),
        ("{}", value("status", None), json!({})),
        ("{}", value("timestamp", Some("t")), json!({"timestamp": "t"})),
        ("{}", value("filters.cell", None), json!({"filters": {"cell": null}})),
        (r#"{"filters": {"own": "o"}}"#, value("filters.own", None), json!({"filters": {}})),
        (
            r#"{"filters": {"cell": {"path": "c", "type": "integer"}}}"#,
            value("filters.cell", Some("d")),
            json!({"filters": {"cell": {"path": "d", "type": "integer"}}}),
        ),
        (
            r#"{"version": 2, "timestamp": {"path": "t", "form": "iso_text", "zone": "Asia/Tokyo"}}"#,
            value("timestamp", Some("u")),
            json!({"version": 2, "timestamp": {"path": "u", "form": "iso_text", "zone": "Asia/Tokyo"}}),
        ),
        (
            r#"{"version": 2, "timestamp": {"path": "t", "form": "iso_text", "zone": "Asia/Tokyo"}}"#,
            form("timestamp", DateForm::EpochMs),
            json!({"version": 2, "timestamp": {"path": "t", "form": "epoch_ms"}}),
        ),
        (
            r#"{"version": 2, "timestamp": {"path": "t", "form": "iso_text"}}"#,
            form("timestamp", DateForm::Date),
            json!({"version": 2, "timestamp": "t"}),
        ),
        ("{}", label("filters.cell", " "), json!({})),
        (
            r#"{"version": 2, "trade_id": "id", "downstream_trade_id": "p"}"#,
            value("trade_id", None),
            json!({"version": 2, "trade_id": null}),
        ),
    ] {
        assert_eq!(changed(text, &change), expected, "{text} {change:?}");
    }
}

#[test]
fn a_change_that_needs_version_2_raises_it_and_nothing_else() {
    for (text, change, expected) in [
        ("{}", value("status", Some("kind")), json!({"version": 2, "status": "kind"})),
        (
            r#"{"version": 1, "timestamp": "t"}"#,
            value("status", Some("kind")),
            // Their defaults would be gone.
            json!({"version": 2, "timestamp": "t", "status": "kind", "year": "year", "day_of_year": "day_of_year"}),
        ),
        (
            r#"{"version": 2}"#,
            value("timestamp", Some("t")),
            json!({"version": 2, "timestamp": "t", "year": "year", "day_of_year": "day_of_year"}),
        ),
        (
            r#"{"year": null, "day_of_year": null}"#,
            form("timestamp", DateForm::EpochS),
            json!({"version": 2, "year": null, "day_of_year": null,
                   "timestamp": {"path": "timestamp", "form": "epoch_s"}}),
        ),
        (
            "{}",
            label("filters.cell", "Cell"),
            json!({"version": 2, "filters": {"cell": {"path": "cell", "label": "Cell"}}}),
        ),
        (r#"{"version": 7}"#, value("status", Some("kind")), json!({"version": 7, "status": "kind"})),
    ] {
        assert_eq!(changed(text, &change), expected, "{text} {change:?}");
    }
    let view = change_mapping("{\"trade_id\": \"id\"}", &value("status", Some("kind")));
    assert!(view.text.starts_with("{\n  \"version\": 2,"), "{}", view.text);
}

#[test]
fn a_business_date_and_a_year_take_each_others_place() {
    let date = json!({"path": "d", "form": "date"});
    let dated = changed(
        r#"{"year": "y", "day_of_year": null, "trade_id": "id"}"#,
        &value("business_date", Some("d")),
    );
    assert_eq!(dated, json!({"version": 2, "trade_id": "id", "business_date": date}));
    let compact = changed(&dated.to_string(), &form("business_date", DateForm::CompactDay));
    assert_eq!(compact["business_date"], json!({"path": "d", "form": "yyyymmdd"}));
    let moved = changed(&compact.to_string(), &value("business_date", Some("e")));
    assert_eq!(moved["business_date"], json!({"path": "e", "form": "yyyymmdd"}));
    let yearly = changed(&dated.to_string(), &value("day_of_year", Some("n")));
    assert_eq!(yearly, json!({"version": 2, "trade_id": "id", "day_of_year": "n"}));
    // A time beside a business date orders the rows of a day.
    let timed = changed(&dated.to_string(), &value("timestamp", Some("t")));
    assert_eq!(timed, json!({"version": 2, "trade_id": "id", "business_date": date, "timestamp": "t"}));
    assert_eq!(
        changed(&timed.to_string(), &value("business_date", None)),
        json!({"version": 2, "trade_id": "id", "timestamp": "t"})
    );
}

#[test]
fn a_change_that_cannot_be_made_leaves_the_text() {
    for (text, change, part) in [
        (r#"{"year": null, "day_of_year": null}"#, value("timestamp", None), "dates"),
        (r#"{"trade_id": null}"#, value("downstream_trade_id", Some("p")), "downstream_trade_id"),
        ("{}", value("trade_id", Some("a..b")), "a..b"),
        ("{}", value("day_zone", Some("Mars")), "Mars"),
        ("{}", value("colour", Some("red")), "colour"),
        ("{}", form("business_date", DateForm::Date), "path first"),
        (
            r#"{"version": 2, "business_date": {"path": "d", "form": "date"}}"#,
            form("business_date", DateForm::EpochS),
            "business_date.form",
        ),
        ("{}", form("year", DateForm::Date), "no form"),
        ("{}", label("year", "Year"), "only filters"),
        (r#"{"filters": {"cell": null}}"#, label("filters.cell", "Cell"), "path first"),
        ("{}", filter("", ValueType::Text, ""), "blank"),
    ] {
        let view = change_mapping(text, &change);
        assert_eq!(view.text, text, "{change:?}");
        let problem = view.problem.unwrap();
        assert_eq!(problem.code, crate::failure::Code::BadMapping);
        assert!(problem.message.contains(part), "{change:?}: {problem:?}");
        assert_eq!(view.parts, change_mapping(text, &MappingChange::None).parts);
    }
}

#[test]
fn a_further_filter_gets_a_name_of_its_own() {
    let mut text = r#"{"filters": {"cell": null}}"#.to_owned();
    for path in ["header.CPTY_NAME", "legs.0", "x.cell", "y.cell", "tradeDate", "Trade Status", "0", "2nd"] {
        text = changed(&text, &filter(path, ValueType::Text, "")).to_string();
    }
    let expected = json!({"filters": {
        "cell": null, "cptyName": "header.CPTY_NAME", "legs": "legs.0", "cell2": "x.cell", "cell3": "y.cell",
        "tradeDate": "tradeDate", "tradeStatus": "Trade Status", "field": "0", "field2nd": "2nd",
    }});
    assert_eq!(text, expected.to_string());
    let typed = changed("{}", &filter("qty", ValueType::Integer, " Quantity "));
    let entry = json!({"path": "qty", "type": "integer", "label": "Quantity"});
    assert_eq!(typed, json!({"version": 2, "filters": {"qty": entry}}));
}

fn any_change() -> impl Strategy<Value = MappingChange> {
    let key = prop::sample::select(vec![
        "trade_id",
        "business_date",
        "timestamp",
        "year",
        "day_of_year",
        "downstream_collection",
        "downstream_trade_id",
        "status",
        "changed_at",
        "filters.product",
        "filters.cell",
    ]);
    let path = prop::option::of("[a-z]{1,4}");
    let forms = vec![DateForm::Date, DateForm::IsoText, DateForm::EpochMs, DateForm::CompactDay];
    prop_oneof![
        4 => (key.clone(), path).prop_map(|(key, path)| value(key, path.as_deref())),
        2 => (key.clone(), prop::sample::select(forms)).prop_map(|(key, of)| form(key, of)),
        1 => (key, "[a-z]{0,3}").prop_map(|(key, text)| label(key, &text)),
        1 => "[a-z]{1,3}".prop_map(|path| filter(&path, ValueType::Integer, "")),
    ]
}

proptest! {
    /// Whatever is picked, a usable mapping stays usable, and a change of one part changes no other, except among the
    /// parts of which one takes the place of others.
    #[test]
    fn a_change_leaves_the_rest(changes in prop::collection::vec(any_change(), 1..12)) {
        let mut text = String::new();
        for change in changes {
            let before = change_mapping(&text, &MappingChange::None);
            let after = change_mapping(&text, &change);
            prop_assert!(Mapping::parse(&after.text).is_ok(), "{}", after.text);
            if after.problem.is_some() {
                prop_assert_eq!(&after.text, &text);
                continue;
            }
            let key = match &change {
                MappingChange::Value { key, .. } | MappingChange::Form { key, .. } | MappingChange::Label { key, .. } => key,
                _ => "",
            };
            let is_of_days = |key: &str| ["business_date", "timestamp", "year", "day_of_year"].contains(&key);
            let had_date = part(&before, "business_date").value.is_some();
            let has_date = part(&after, "business_date").value.is_some();
            for earlier in &before.parts {
                let is_replaced = is_of_days(&earlier.key) && had_date != has_date
                    || earlier.key == "downstream_trade_id" && key == "trade_id";
                if earlier.key == key || is_replaced {
                    continue;
                }
                let later = part(&after, &earlier.key);
                prop_assert_eq!(
                    (&earlier.value, earlier.form, earlier.value_type, &earlier.label),
                    (&later.value, later.form, later.value_type, &later.label),
                    "{} after {:?} in {}", earlier.key, change, text
                );
            }
            text = after.text;
        }
    }
}
