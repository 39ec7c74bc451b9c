use bson::{Document, doc};
use proptest::prelude::*;
use serde_json::Value;

use crate::failure::Code;
use crate::query::filter::parse_match;
use crate::query::match_document;

fn read(text: &str) -> Document {
    parse_match(text).unwrap_or_else(|failure| panic!("{text}: {failure:?}")).unwrap_or_default()
}

fn refused(text: &str) -> String {
    let failure = parse_match(text).expect_err(text);
    assert_eq!(failure.code, Code::BadFilter);
    failure.message
}

/// The shell's syntax and the same in Extended JSON are one query, with one signature.
#[test]
fn the_shell_s_values_are_those_of_extended_json() {
    for (shell, json) in [
        ("{a: 1, $or: [{b_2: 'x'}, {'c.d': \"y\"}]}", r#"{"a": 1, "$or": [{"b_2": "x"}, {"c.d": "y"}]}"#),
        (r#"{t: ISODate("2025-01-31T09:30:00.123Z")}"#, r#"{"t": {"$date": "2025-01-31T09:30:00.123Z"}}"#),
        (r#"{t: ISODate("2025-01-31")}"#, r#"{"t": {"$date": "2025-01-31T00:00:00Z"}}"#),
        (r#"{t: ISODate("2025-01-31T09:30")}"#, r#"{"t": {"$date": "2025-01-31T09:30:00Z"}}"#),
        (r#"{t: new ISODate('2025-01-31 09:30:00+0100')}"#, r#"{"t": {"$date": "2025-01-31T08:30:00Z"}}"#),
        (
            r#"{t: {$gte: new Date("2025-01-31T09:30:00+01:00")}}"#,
            r#"{"t": {"$gte": {"$date": "2025-01-31T08:30:00Z"}}}"#,
        ),
        ("{t: new Date(1738315800000)}", r#"{"t": {"$date": "2025-01-31T09:30:00Z"}}"#),
        (
            r#"{_id: ObjectId("65a1b2c3d4e5f60718293a4b")}"#,
            r#"{"_id": {"$oid": "65a1b2c3d4e5f60718293a4b"}}"#,
        ),
        (r#"{n: NumberLong("9007199254740993")}"#, r#"{"n": {"$numberLong": "9007199254740993"}}"#),
        ("{n: NumberLong(9007199254740993)}", r#"{"n": {"$numberLong": "9007199254740993"}}"#),
        ("{n: NumberInt(-7), m: Int32('8')}", r#"{"n": {"$numberInt": "-7"}, "m": {"$numberInt": "8"}}"#),
        (
            "{n: NumberDecimal('1.10'), m: NumberDecimal(2.20)}",
            r#"{"n": {"$numberDecimal": "1.10"}, "m": {"$numberDecimal": "2.20"}}"#,
        ),
        (
            r#"{u: UUID("6f1d7c2e-0b7b-4f5a-9d6e-0123456789ab")}"#,
            r#"{"u": {"$uuid": "6f1d7c2e-0b7b-4f5a-9d6e-0123456789ab"}}"#,
        ),
        (
            r#"{b: BinData(0, "AQID"), s: Timestamp(5, 6), u: Timestamp({t: 5, i: 6})}"#,
            r#"{"b": {"$binary": {"base64": "AQID", "subType": "00"}}, "s": {"$timestamp": {"t": 5, "i": 6}}, "u": {"$timestamp": {"t": 5, "i": 6}}}"#,
        ),
        (
            r"{p: /^B[/a]r\/x\d+$/mi}",
            r#"{"p": {"$regularExpression": {"pattern": "^B[/a]r/x\\d+$", "options": "im"}}}"#,
        ),
        (
            "{p: {$regex: /gas/, $options: 'i'}}",
            r#"{"p": {"$regex": {"$regularExpression": {"pattern": "gas", "options": ""}}, "$options": "i"}}"#,
        ),
        ("{p: RegExp('gas', 'i')}", r#"{"p": {"$regularExpression": {"pattern": "gas", "options": "i"}}}"#),
        (
            "{a: .5, b: -1.5e3, c: +2, d: 5., e: [1, 2,], /* not f */ g: null, h: true, // the end\n}",
            r#"{"a": 0.5, "b": -1500.0, "c": 2, "d": 5.0, "e": [1, 2], "g": null, "h": true}"#,
        ),
        (
            "{a: NaN, b: -Infinity, c: MinKey, d: MaxKey()}",
            r#"{"a": {"$numberDouble": "NaN"}, "b": {"$numberDouble": "-Infinity"}, "c": {"$minKey": 1}, "d": {"$maxKey": 1}}"#,
        ),
        (r#"{a: 'it\'s \u00e9\x21 \ud83d\ude00\u{1F600}', 'ü': 'ü'}"#, r#"{"a": "it's é! 😀😀", "ü": "ü"}"#),
        (
            r#"{a: {$numberLong: "7"}, b: {$date: '2025-01-31T00:00:00Z'}}"#,
            r#"{"a": {"$numberLong": "7"}, "b": {"$date": "2025-01-31T00:00:00Z"}}"#,
        ),
    ] {
        let canonical = |text: &str| match_document::canonical(&read(text)).to_string();
        assert_eq!(canonical(shell), canonical(json), "{shell}");
    }
    assert_eq!(read("{a: NumberLong(7)}"), doc! {"a": 7_i64});
    assert!(
        parse_match("{}").expect("nothing").is_none() && parse_match(" { } // x").expect("nothing").is_none()
    );
}

#[test]
fn an_error_says_where_it_is() {
    for (text, place, what) in [
        ("{a: 1,\n  b: }", "line 2, column 6", "expected a value, found }"),
        ("{trade.id: 1}", "line 1, column 7", "in quotes"),
        ("{a: gas}", "line 1, column 5", "gas is not a value"),
        ("{a: ISODate('31.1.2025')}", "line 1, column 13", "not a date"),
        ("{a: new Date('2025-01-31T09:30:00')}", "line 1, column 14", "no time zone"),
        ("{a: Date('2025-01-31')}", "line 1, column 5", "new Date"),
        ("{a: ObjectId('xyz')}", "line 1, column 14", "24 hexadecimal digits"),
        ("{a: NumberLong('9223372036854775808')}", "line 1, column 16", "64 bits"),
        ("{a: NumberInt(3000000000)}", "line 1, column 15", "32 bits"),
        ("{a: NumberDecimal('1,5')}", "line 1, column 19", "decimal"),
        ("{a: UUID('1')}", "line 1, column 10", "UUID"),
        ("{a: /gas/g}", "line 1, column 10", "flag g"),
        ("{a: /gas}", "line 1, column 5", "no closing /"),
        ("{a: 'gas}", "line 1, column 5", "no closing quote"),
        (r"{a: 'g\d'}", "line 1, column 7", r"\\d"),
        ("{a: 1, a: 2}", "line 1, column 8", "\"a\" appears twice"),
        ("{'a\\0b': 1}", "line 1, column 2", "NUL"),
        ("{n: 18446744073709551615}", "line 1, column 5", "64 bits"),
        ("{n: 0x1F}", "line 1, column 5", "number"),
        ("{a: 1} {}", "line 1, column 8", "after the object"),
        ("{a: Foo(1)}", "line 1, column 5", "Foo(…) is not supported"),
        ("{a: 1 b: 2}", "line 1, column 7", "a comma or }"),
        ("{a: /* x }", "line 1, column 5", "never closed"),
        ("{a: [1, 2}", "line 1, column 10", "a comma or ]"),
    ] {
        let message = refused(text);
        assert!(message.contains(place) && message.contains(what), "{text}: {message}");
    }
}

/// The shell's syntax is no way around the checks.
#[test]
fn what_is_refused_is_refused_in_any_spelling() {
    for (text, what) in [
        ("{$where: 'true'}", "uses $where"),
        ("{$where: function() { return true }}", "code is not run"),
        (r"{'\u0024where': 'true'}", "uses $where"),
        ("{$or: [{a: 1}, {$where: 'x'}]}", "uses $or[1].$where"),
        ("{$expr: {$gte: ['$end', '$$NOW']}}", "$$NOW at $expr.$gte[1]"),
        ("{$expr: {$lt: [{$rand: {}}, 0.5]}}", "a different result each time"),
        ("{a: ISODate()}", "a different result each time"),
        ("{a: new Date()}", "a different result each time"),
        ("{a: ObjectId()}", "a different result each time"),
        ("{a: UUID()}", "a different result each time"),
        ("{$oid: '65a1b2c3d4e5f60718293a4b'}", "single value"),
    ] {
        let message = refused(text);
        assert!(message.contains(what), "{text}: {message}");
    }
    let nested = |levels: usize| format!("{}1{}", "{a:".repeat(levels), "}".repeat(levels));
    assert!(parse_match(&nested(100)).is_ok());
    assert!(refused(&nested(101)).contains("100 levels"));
    assert!(refused(&nested(50_000)).contains("levels"));
}

proptest! {
    /// Any text gives a document or an error.
    #[test]
    fn no_text_breaks_it(text in r#"\{?[a-z$"'/\\:,.(){}\[\]0-9 \-+eExuN\n]{0,40}\}?"#) {
        let _ = super::parse_object(&text);
    }

    /// JSON is valid shell syntax and means the same in it.
    #[test]
    fn json_is_read_as_json(keys in prop::collection::btree_map("[a-zé\"\\\\ ]{0,5}", any::<(i64, f64, String, bool)>(), 0..4)) {
        let entries = keys.into_iter().map(|(key, (whole, double, text, flag))| {
            let double = if double.is_finite() { double } else { 0.5 };
            (key, serde_json::json!([whole, double, text, flag, null, {"x": {}}]))
        });
        let map: serde_json::Map<String, Value> = entries.collect();
        let text = Value::Object(map.clone()).to_string();
        prop_assert_eq!(super::parse_object(&text), Ok(map));
    }
}
