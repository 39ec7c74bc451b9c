//! What an answer says has changed at the source, compared with what the model says.
//!
//! The trader is told of messages in days that were held and were fetched again: against what the cache
//! held of a message, whatever day it stood under, it is new, another, or gone.
//!
//! Not judged, because windows are compared one by one: a message of which the cache held two states, one
//! that went to a day which was not held before, and one that was edited and moved, where a day which was
//! not fetched again still holds it as it was. Nor whether a trade that is a message of another day's
//! trade too is told of as both; most sequences tell the two apart by a field or a collection.

use std::collections::{BTreeMap, BTreeSet};

use bson::{Bson, Document};
use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;
use tidemark_engine::answer::changes::{ChangeCounts, ChangeKind, Changes, DocumentChange};
use tidemark_engine::bson::diff::FieldChange;
use tidemark_engine::rows::Role;

use super::checks::{Case, Found, Held, Ledgers, Model, Ran, Verdict, verdict};
use super::model_source::Stored;

/// The states of a message that are held, each with the days it is held under.
type States<'a> = BTreeMap<&'a str, Vec<(NaiveDate, &'a Stored)>>;

/// Judges the changes of an answer; how many messages it was right about.
pub(crate) fn judge(
    model: &Model,
    case: &Case<'_>,
    ledgers: &Ledgers<'_>,
    run: &Ran<'_>,
) -> Result<usize, String> {
    let Some(answer) = run.answer else { return Ok(0) };
    if case.disturbed.beside || case.disturbed.forgotten.is_some() {
        // Windows of the other run, and days of which no ledger tells.
        return Ok(0);
    }
    let (before, after) = (&ledgers.before[case.filter], &ledgers.after[case.filter]);
    let again: BTreeSet<NaiveDate> = case
        .days()
        .filter(|day| run.stored.iter().any(|window| window.contains((*day).into())))
        .filter(|day| before.contains_key(day))
        .collect();
    let Some(changes) = &answer.changes else {
        verdict(again.is_empty(), || format!("{again:?} were fetched again, and no changes are told"))?;
        return Ok(0);
    };
    verdict(!again.is_empty(), || format!("no day was fetched again: {changes:?}"))?;
    adds_up(changes)?;
    let mut right = 0;
    for role in [Role::Input, Role::Downstream] {
        let judged = OfRole {
            role,
            // What any day of a role held, and what it holds.
            old: states(model, case, before, role),
            new: states(model, case, after, role),
            input: [before, after].map(|held| states(model, case, held, Role::Input)),
            again: &again,
            before,
            told: changes.messages.iter().filter(|change| change.role == role).collect(),
        };
        right += judged.judge(model)?;
    }
    Ok(right)
}

fn states<'a>(model: &'a Model, case: &Case<'_>, held: &Held, role: Role) -> States<'a> {
    let mut found = States::new();
    for (day, fetched) in held {
        let truth = &model.truths[fetched];
        let content: Found<'a> = match role {
            Role::Input => truth.input(case.filter, *day),
            Role::Downstream => truth.messages(case.filter, *day),
        };
        for (id, stored) in content {
            found.entry(id).or_default().push((*day, stored));
        }
    }
    found
}

/// The counts are those of the list, which names each message once.
fn adds_up(changes: &Changes) -> Verdict {
    let counted = |role: Role| {
        let of = |kind: ChangeKind| {
            let same = changes.messages.iter().filter(|change| change.role == role && change.kind == kind);
            same.count() as u64
        };
        ChangeCounts {
            added: of(ChangeKind::Added),
            changed: of(ChangeKind::Changed),
            gone: of(ChangeKind::Gone),
        }
    };
    let names: BTreeSet<_> = changes.messages.iter().map(|change| (change.role, &change.id)).collect();
    let holds = changes.omitted == 0
        && names.len() == changes.messages.len()
        && changes.input == counted(Role::Input)
        && changes.downstream == counted(Role::Downstream);
    verdict(holds, || format!("the changes do not add up: {changes:?}"))
}

/// The changes of one role.
struct OfRole<'a> {
    role: Role,
    old: States<'a>,
    new: States<'a>,
    input: [States<'a>; 2],
    again: &'a BTreeSet<NaiveDate>,
    before: &'a Held,
    told: Vec<&'a DocumentChange>,
}

impl OfRole<'_> {
    fn judge(&self, model: &Model) -> Result<usize, String> {
        let touched: BTreeSet<&str> = [&self.old, &self.new]
            .into_iter()
            .flatten()
            .filter(|(_, states)| states.iter().any(|(day, _)| self.again.contains(day)))
            .map(|(id, _)| *id)
            .collect();
        let mut right = 0;
        let mut known = BTreeSet::new();
        for id in touched {
            let (old, new) = (of(&self.old, id), of(&self.new, id));
            let name = id_text(&old.iter().chain(new).next().expect("it is in either").1.parsed);
            known.insert(name.clone());
            if self.is_unclear(model, id, old, new) {
                continue;
            }
            let told = self.told.iter().find(|change| change.id == name).copied();
            self.one(old, new, told).map_err(|wrong| format!("{:?} {name}: {wrong}", self.role))?;
            right += usize::from(told.is_some());
        }
        let strange = self.told.iter().find(|change| !known.contains(&change.id));
        verdict(strange.is_none(), || format!("a change of what no day held: {strange:?}"))?;
        Ok(right)
    }

    /// See the head of this file.
    fn is_unclear(
        &self,
        model: &Model,
        id: &str,
        old: &[(NaiveDate, &Stored)],
        new: &[(NaiveDate, &Stored)],
    ) -> bool {
        let two_states = old.windows(2).any(|pair| pair[0].1.raw != pair[1].1.raw);
        let went_on = !old.is_empty() && new.iter().any(|(day, _)| !self.before.contains_key(day));
        let is_again = |(day, _): &&(NaiveDate, &Stored)| self.again.contains(day);
        let stays = || old.iter().filter(is_again).any(|(day, _)| new.iter().any(|(of, _)| of == day));
        let came = match (old.first(), new.iter().find(is_again)) {
            (Some((_, then)), Some((_, now))) => {
                then.raw != now.raw && !old.iter().all(|state| is_again(&state)) && !stays()
            }
            _ => false,
        };
        let both = self.role == Role::Downstream
            && !model.apart
            && self.input.iter().any(|input| input.contains_key(id));
        two_states || went_on || came || both
    }

    fn one(
        &self,
        old: &[(NaiveDate, &Stored)],
        new: &[(NaiveDate, &Stored)],
        told: Option<&DocumentChange>,
    ) -> Verdict {
        let then = old.first().map(|(_, stored)| *stored);
        // What was fetched again is what is held now; another day may still hold what was there before.
        let again = new.iter().find(|(day, _)| self.again.contains(day));
        let now = again.or(new.first()).map(|(_, stored)| *stored);
        let kind = match (then, now) {
            (None, Some(_)) => Some(ChangeKind::Added),
            (Some(_), None) => Some(ChangeKind::Gone),
            (Some(then), Some(now)) if then.raw != now.raw => Some(ChangeKind::Changed),
            _ => None,
        };
        verdict(told.map(|told| told.kind) == kind, || format!("it is {kind:?}, and it says {told:?}"))?;
        let (Some(told), Some(shown)) = (told, now.or(then)) else { return Ok(()) };
        let days = if now.is_some() { new } else { old };
        verdict(days.iter().any(|(day, _)| *day == told.day.date()), || {
            format!("not a day of it: {told:?}")
        })?;
        if let Some(trade) = shown.parsed.get("trade_id").and_then(trade_text) {
            verdict(told.trade.as_ref() == Some(&trade), || format!("its trade is {trade}: {told:?}"))?;
        }
        let fields = match (then, now) {
            (Some(then), Some(now)) => differing(&then.parsed, &now.parsed),
            _ => BTreeMap::new(),
        };
        verdict(read(&told.fields) == fields, || format!("its fields differ by {fields:?}: {told:?}"))
    }
}

fn of<'a, 's>(states: &'s States<'a>, id: &str) -> &'s [(NaiveDate, &'a Stored)] {
    states.get(id).map_or(&[], Vec::as_slice)
}

/// A trade id as a person reads it; nothing for those whose text is a matter of taste.
fn trade_text(value: &Bson) -> Option<String> {
    match value {
        Bson::String(text) => Some(text.clone()),
        Bson::Int32(number) => Some(number.to_string()),
        Bson::Int64(number) => Some(number.to_string()),
        Bson::Array(many) => many.first().and_then(trade_text),
        _ => None,
    }
}

fn id_text(document: &Document) -> String {
    match document.get("_id") {
        Some(Bson::String(text)) => text.clone(),
        Some(Bson::ObjectId(id)) => id.to_hex(),
        Some(Bson::Int32(number)) => number.to_string(),
        Some(Bson::Int64(number)) => number.to_string(),
        other => panic!("the world makes no such _id: {other:?}"),
    }
}

/// What a field was and is, each as a value that can be compared.
type Fields = BTreeMap<String, [Option<Value>; 2]>;

fn read(fields: &[FieldChange]) -> Fields {
    let value = |text: &Option<String>| {
        text.as_deref().map(|text| plain(serde_json::from_str(text).expect("Extended JSON")))
    };
    fields.iter().map(|field| (field.path.clone(), [value(&field.before), value(&field.after)])).collect()
}

/// The fields in which two documents differ, worked out by the driver's own Extended JSON.
fn differing(then: &Document, now: &Document) -> Fields {
    let mut fields = Fields::new();
    collect("", then, now, &mut fields);
    fields
}

fn collect(prefix: &str, then: &Document, now: &Document, fields: &mut Fields) {
    let names: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
    for name in names {
        let path = format!("{prefix}{name}");
        match (then.get(name), now.get(name)) {
            (Some(then), Some(now)) if then == now => {}
            (Some(Bson::Document(then)), Some(Bson::Document(now))) => {
                collect(&format!("{path}."), then, now, fields);
            }
            (then, now) => {
                let relaxed = |value: &Bson| plain(value.clone().into_relaxed_extjson());
                let mut values = [then.map(relaxed), now.map(relaxed)];
                if values[0] == values[1] {
                    let canonical = |value: &Bson| plain(value.clone().into_canonical_extjson());
                    values = [then.map(canonical), now.map(canonical)];
                }
                fields.insert(path, values);
            }
        }
    }
}

/// Dates are written with and without fractions of a second.
fn plain(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(name, value)| {
                    let moment = value.as_str().filter(|_| name == "$date");
                    let moment = moment.and_then(|text| text.parse::<DateTime<Utc>>().ok());
                    let value = moment.map_or_else(|| plain(value), |at| at.timestamp_millis().into());
                    (name, value)
                })
                .collect(),
        ),
        Value::Array(values) => Value::Array(values.into_iter().map(plain).collect()),
        other => other,
    }
}
