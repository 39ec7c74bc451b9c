//! Converts the values that the shell writes as calls into Extended JSON.

use bson::Decimal128;
use bson::oid::ObjectId;
use chrono::{DateTime, NaiveDate, NaiveDateTime};
use serde_json::{Value, json};

use super::Wrong;

/// Flags of a regular expression that MongoDB supports.
const FLAGS: &str = "imsx";
/// How the shell writes dates with a time, with seconds or without.
const DATES_WITH_TIME: [&str; 2] = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"];

/// An argument of a call.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Argument {
    Text(String),
    /// The number as it was typed, so that no digit is lost on the way to a whole number or a decimal.
    Number(String),
    Other(Value),
}

/// A call: `new Date("2025-01-31")`.
pub(super) struct Call<'a> {
    pub(super) name: &'a str,
    pub(super) is_new: bool,
    /// Where it begins.
    pub(super) at: usize,
    pub(super) arguments: &'a [(usize, Argument)],
}

/// The value that a call stands for.
pub(super) fn call(call: &Call<'_>) -> Result<Value, Wrong> {
    match call.name {
        "ISODate" => date(call),
        "Date" if call.is_new => date(call),
        "Date" => Err(call.wrong("Date(…) is a text in the shell; write new Date(…) or ISODate(…)")),
        "ObjectId" | "ObjectID" => object_id(call),
        "NumberLong" | "Long" => {
            let whole = call.parsed::<i64>("a whole number of 64 bits")?;
            Ok(json!({"$numberLong": whole.to_string()}))
        }
        "NumberInt" | "Int32" => {
            let whole = call.parsed::<i32>("a whole number of 32 bits")?;
            Ok(json!({"$numberInt": whole.to_string()}))
        }
        "NumberDecimal" | "Decimal128" => {
            call.parsed::<Decimal128>("a decimal number")?;
            Ok(json!({"$numberDecimal": call.spelled()?}))
        }
        "Double" => {
            call.parsed::<f64>("a number")?;
            Ok(json!({"$numberDouble": call.spelled()?}))
        }
        "UUID" => uuid(call),
        "BinData" => binary(call),
        "Timestamp" => timestamp(call),
        "RegExp" => match call.arguments {
            [(_, Argument::Text(pattern))] => {
                regular_expression(pattern, "").map_err(|what| call.wrong(what))
            }
            [(_, Argument::Text(pattern)), (at, Argument::Text(flags))] => {
                regular_expression(pattern, flags).map_err(|what| (*at, what))
            }
            _ => Err(call.wrong("RegExp(…) takes a pattern and flags, each in quotes")),
        },
        "MinKey" if call.arguments.is_empty() => Ok(json!({"$minKey": 1})),
        "MaxKey" if call.arguments.is_empty() => Ok(json!({"$maxKey": 1})),
        "function" => Err(call.wrong("code is not run; use operators instead")),
        name => Err(call.wrong(format!(
            "{name}(…) is not supported; supported are ISODate, new Date, ObjectId, NumberLong, NumberInt, \
             NumberDecimal, Double, UUID, BinData, Timestamp, RegExp, MinKey and MaxKey"
        ))),
    }
}

impl Call<'_> {
    fn wrong(&self, what: impl Into<String>) -> Wrong {
        (self.at, what.into())
    }

    /// The only argument, as it was typed.
    fn spelled(&self) -> Result<&str, Wrong> {
        match self.arguments {
            [(_, Argument::Text(text) | Argument::Number(text))] => Ok(text),
            _ => Err(self.wrong(format!("{}(…) takes one value", self.name))),
        }
    }

    fn parsed<T: std::str::FromStr>(&self, what: &str) -> Result<T, Wrong> {
        let text = self.spelled()?;
        let at = self.arguments.first().map_or(self.at, |(at, _)| *at);
        text.trim().parse().map_err(|_| (at, format!("{text} is not {what}")))
    }

    /// Rejects a call without arguments, whose result is different each time: it would match different documents
    /// tomorrow.
    fn expect_argument(&self, what: &str) -> Result<(), Wrong> {
        if self.arguments.is_empty() {
            let name = self.name;
            return Err(self.wrong(format!(
                "{name}() is {what}, which gives a different result each time and is not allowed"
            )));
        }
        Ok(())
    }
}

fn date(call: &Call<'_>) -> Result<Value, Wrong> {
    call.expect_argument("the current time")?;
    let milliseconds = match call.arguments {
        [(at, Argument::Number(digits))] if call.is_new && call.name == "Date" => {
            digits.parse().map_err(|_| (*at, format!("{digits} is not a whole number of milliseconds")))?
        }
        [(at, Argument::Text(text))] => {
            date_text(text, call.name == "ISODate").map_err(|what| (*at, what))?
        }
        _ => {
            let new = if call.is_new { "new " } else { "" };
            return Err(call.wrong(format!("write a date as {new}{}(\"2025-01-31T09:30:00Z\")", call.name)));
        }
    };
    Ok(json!({"$date": {"$numberLong": milliseconds.to_string()}}))
}

/// The milliseconds of a date. A date without a time is UTC. So is a time without a zone if `is_utc`; otherwise it is
/// rejected, since JavaScript would take it for local time, which differs from computer to computer.
fn date_text(text: &str, is_utc: bool) -> Result<i64, String> {
    let written = text.trim().replacen(' ', "T", 1);
    if let Ok(day) = NaiveDate::parse_from_str(&written, "%Y-%m-%d") {
        return Ok(day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis());
    }
    let with_zone = written.strip_suffix(['Z', 'z']).map_or(written.clone(), |date| format!("{date}+0000"));
    for format in DATES_WITH_TIME {
        if let Ok(date) = DateTime::parse_from_str(&with_zone, &format!("{format}%z")) {
            return Ok(date.timestamp_millis());
        }
        if let Ok(date) = NaiveDateTime::parse_from_str(&written, format) {
            return if is_utc {
                Ok(date.and_utc().timestamp_millis())
            } else {
                Err(format!("{text} has no time zone; add Z for UTC, or one such as +01:00"))
            };
        }
    }
    Err(format!("{text} is not a date; write it as 2025-01-31T09:30:00Z"))
}

fn object_id(call: &Call<'_>) -> Result<Value, Wrong> {
    call.expect_argument("a new id")?;
    match call.arguments {
        [(at, Argument::Text(text))] => match ObjectId::parse_str(text) {
            Ok(id) => Ok(json!({"$oid": id.to_hex()})),
            Err(_) => Err((*at, format!("{text} is not an ObjectId of 24 hexadecimal digits"))),
        },
        _ => Err(call.wrong("ObjectId(…) takes 24 hexadecimal digits in quotes")),
    }
}

fn uuid(call: &Call<'_>) -> Result<Value, Wrong> {
    call.expect_argument("a new id")?;
    let [(at, Argument::Text(text))] = call.arguments else {
        return Err(call.wrong("UUID(…) takes 32 hexadecimal digits in quotes"));
    };
    match bson::Uuid::parse_str(text) {
        Ok(id) => Ok(json!({"$uuid": id.to_string()})),
        Err(_) => Err((*at, format!("{text} is not a UUID of 32 hexadecimal digits"))),
    }
}

fn binary(call: &Call<'_>) -> Result<Value, Wrong> {
    let [(at, Argument::Number(subtype)), (_, Argument::Text(base64))] = call.arguments else {
        return Err(call.wrong("BinData(…) takes a subtype and the bytes as base64 in quotes"));
    };
    let subtype: u8 =
        subtype.parse().map_err(|_| (*at, format!("{subtype} is not a subtype from 0 to 255")))?;
    Ok(json!({"$binary": {"base64": base64, "subType": format!("{subtype:02x}")}}))
}

fn timestamp(call: &Call<'_>) -> Result<Value, Wrong> {
    let usage = || call.wrong("Timestamp(…) takes seconds and an ordinal, each a whole number");
    let part = |argument: &Argument| match argument {
        Argument::Number(digits) => digits.parse::<u32>().map_err(|_| usage()),
        _ => Err(usage()),
    };
    let (t, i) = match call.arguments {
        [(_, seconds), (_, ordinal)] => (part(seconds)?, part(ordinal)?),
        [(_, Argument::Other(both))] => {
            let named = |name: &str| {
                let number = both.get(name).and_then(Value::as_u64);
                number.and_then(|number| u32::try_from(number).ok()).ok_or_else(usage)
            };
            (named("t")?, named("i")?)
        }
        _ => return Err(usage()),
    };
    Ok(json!({"$timestamp": {"t": t, "i": i}}))
}

/// A regular expression as Extended JSON, with its flags in BSON's order.
pub(super) fn regular_expression(pattern: &str, flags: &str) -> Result<Value, String> {
    if let Some(unknown) = flags.chars().find(|flag| !FLAGS.contains(*flag) && *flag != 'u') {
        return Err(format!(
            "the flag {unknown} of a regular expression is not supported; supported are i, m, s and x"
        ));
    }
    if pattern.contains('\0') {
        return Err("a regular expression holds a NUL character".to_owned());
    }
    let options: String = FLAGS.chars().filter(|flag| flags.contains(*flag)).collect();
    Ok(json!({"$regularExpression": {"pattern": pattern, "options": options}}))
}
