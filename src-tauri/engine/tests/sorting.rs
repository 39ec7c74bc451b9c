//! Sorts by columns of every kind, and pages of some of their columns, against a plain model.

use std::cmp::Ordering;
use std::str::FromStr as _;

use bigdecimal::BigDecimal;
use bson::{Bson, DateTime, Decimal128, Document, doc};
use proptest::prelude::*;
use tidemark_engine::cache::Stop;
use tidemark_engine::rows::{PageRequest, Role, RowQuery, Sort};

use crate::row_query::Stored;

fn decimal(text: &str) -> Bson {
    Bson::Decimal128(Decimal128::from_str(text).unwrap())
}

fn one_of(values: &[&'static str]) -> BoxedStrategy<Bson> {
    prop::sample::select(values.to_vec()).prop_map(decimal).boxed()
}

/// The values of a column, which are all of one kind or of several.
fn values() -> impl Strategy<Value = BoxedStrategy<Bson>> {
    let short = [
        "0",
        "-0",
        "1.5",
        "1.50",
        "-3",
        "1E+2",
        "100",
        "0.1",
        "1E-20",
        "12345678.9012345",
        "NaN",
        "-Infinity",
    ];
    // Equal as doubles: only their digits tell them apart.
    let long = [
        "9007199254740993",
        "9007199254740992",
        "100000000000.1000000001",
        "100000000000.1",
        "-9007199254740993",
    ];
    let doubles = [0.0, -0.0, 1.5, -1.5, 1e300, 5e-324, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    let whole = || prop::sample::select(vec![i64::MIN, -1, 0, 7, (1 << 53) + 1, 1 << 53, i64::MAX]);
    prop_oneof![
        Just(one_of(&short)),
        Just(prop_oneof![one_of(&short), one_of(&long)].boxed()),
        Just(prop::sample::select(doubles.to_vec()).prop_map(Bson::Double).boxed()),
        Just(whole().prop_map(Bson::Int64).boxed()),
        Just(prop_oneof![whole().prop_map(Bson::Int64), (-3_i32..9).prop_map(Bson::Int32)].boxed()),
        Just((-5_i64..5).prop_map(|at| Bson::DateTime(DateTime::from_millis(at * 1_000))).boxed()),
        Just(any::<bool>().prop_map(Bson::Boolean).boxed()),
        Just("[a-c]{0,2}".prop_map(Bson::String).boxed()),
        Just(prop_oneof![one_of(&short), (-3_i32..3).prop_map(Bson::Int32)].boxed()),
    ]
}

fn days() -> impl Strategy<Value = Vec<Vec<Document>>> {
    values().prop_flat_map(|value| {
        let value = prop_oneof![8 => value.prop_map(Some), 1 => Just(Some(Bson::Null)), 1 => Just(None)];
        let rows = prop::collection::vec((value, 0..3_i32), 1..40);
        (rows.clone(), rows).prop_map(|(first, second)| {
            let mut id = 0;
            let mut document = |(value, few): (Option<Bson>, i32)| {
                id += 1;
                let mut document = doc! {"_id": id, "few": few};
                document.extend(value.map(|value| ("value".to_owned(), value)));
                document
            };
            [first, second].map(|rows| rows.into_iter().map(&mut document).collect()).into()
        })
    })
}

/// Numbers by value with NaN as the greatest, other values by themselves. `None` for what has no value, which is last.
fn compare(a: Option<&Bson>, b: Option<&Bson>) -> Ordering {
    let number = |value: &Bson| match value {
        Bson::Int32(_) | Bson::Int64(_) | Bson::Double(_) | Bson::Decimal128(_) => Some(value.to_string()),
        _ => None,
    };
    let place = |text: &str| match text.to_ascii_lowercase().as_str() {
        "nan" => 2,
        "infinity" | "inf" => 1,
        "-infinity" | "-inf" => -1,
        _ => 0,
    };
    let (Some(a), Some(b)) = (a, b) else { return b.is_some().cmp(&a.is_some()) };
    match (number(a), number(b), a, b) {
        (Some(a), Some(b), ..) => place(&a).cmp(&place(&b)).then_with(|| {
            if place(&a) != 0 {
                return Ordering::Equal;
            }
            BigDecimal::from_str(&a).unwrap().cmp(&BigDecimal::from_str(&b).unwrap())
        }),
        (_, _, Bson::DateTime(a), Bson::DateTime(b)) => a.cmp(b),
        (_, _, Bson::Boolean(a), Bson::Boolean(b)) => a.cmp(b),
        (_, _, Bson::String(a), Bson::String(b)) => a.cmp(b),
        _ => panic!("{a} and {b} are not of one column"),
    }
}

fn ids(stored: &Stored, query: &RowQuery) -> Vec<i32> {
    let found = stored.view.documents(query, 0, 10_000).unwrap();
    found.into_iter().map(|(_, raw)| raw.get_i32("_id").unwrap()).collect()
}

fn value_of(document: &Document) -> Option<&Bson> {
    document.get("value").filter(|value| **value != Bson::Null)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_are_in_the_order_of_the_model(days in days(), descending: bool, narrowed: bool) {
        let stored = Stored::of(&days);
        let columns = stored.view.columns(Role::Input);
        prop_assume!(columns.iter().any(|column| column.path == "value"));
        let sort = |path: &str, descending| Sort { path: path.to_owned(), descending };
        let all = RowQuery::of(Role::Input);
        let query = if narrowed { all.with_filter("few", ">=1") } else { all };
        let mut expected: Vec<&Document> = stored.shown.iter().map(|(_, document)| document).collect();
        expected.retain(|document| !narrowed || document.get_i32("few").unwrap() >= 1);
        let by_value = |a: &&Document, b: &&Document| {
            let order = compare(value_of(a), value_of(b));
            if descending && value_of(a).is_some() && value_of(b).is_some() { order.reverse() } else { order }
        };
        // Of equal numbers of several kinds, the kind decides.
        let fields = &columns.iter().find(|column| column.path == "value").unwrap().fields;
        let kinds = fields.keys().filter(|kind| kind.name() != "null").count();
        let found = ids(&stored, &query.clone().then_by(sort("value", descending)));
        if kinds == 1 {
            expected.sort_by(by_value);
            let expected: Vec<i32> = expected.iter().map(|one| one.get_i32("_id").unwrap()).collect();
            prop_assert_eq!(&found, &expected);
        }
        let at = |id: &i32| stored.shown.iter().find(|(_, one)| one.get_i32("_id").unwrap() == *id).unwrap();
        prop_assert!(found.iter().map(at).is_sorted_by(|a, b| by_value(&&a.1, &&b.1).is_le()));
        // As the second of two columns, it is sorted by another way.
        let found = ids(&stored, &query.then_by(sort("few", true)).then_by(sort("value", descending)));
        let few = |one: &Document| one.get_i32("few").unwrap();
        let is_after = |a: &(_, Document), b: &(_, Document)| {
            few(&b.1).cmp(&few(&a.1)).then(by_value(&&a.1, &&b.1)).is_le()
        };
        prop_assert!(found.iter().map(at).is_sorted_by(|a, b| is_after(a, b)));
    }

    #[test]
    fn a_page_has_the_columns_that_are_asked_for(days in days(), offset in 0..30_u64) {
        let stored = Stored::of(&days);
        let by_few = Sort { path: "few".to_owned(), descending: true };
        for query in [RowQuery::of(Role::Input), RowQuery::of(Role::Input).then_by(by_few)] {
            let whole = stored.view.page(&query, offset, 20).unwrap();
            let paths: Vec<String> = stored.view.columns(Role::Input).into_iter().map(|one| one.path).collect();
            for asked in [vec!["value", "_id"], vec!["few"], vec!["nothing", "few", "few"], vec![]] {
                let columns = Some(asked.iter().map(|path| (*path).to_owned()).collect());
                let request = PageRequest { columns, ..PageRequest::of(offset, 20) };
                let page = stored.view.page_until(&query, &request, &Stop::default()).unwrap();
                let place = |path: &&str| paths.iter().position(|known| known == path);
                let expected: Vec<Vec<Option<String>>> = whole
                    .iter()
                    .map(|row| asked.iter().map(|path| place(path).and_then(|at| row[at].clone())).collect())
                    .collect();
                prop_assert_eq!(page, expected, "{:?}", asked);
            }
        }
    }
}
