#![allow(clippy::unwrap_used)]

use bson::{Bson, Document, RawDocumentBuf, doc};
use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::day::DayZone;
use crate::query::mapping::Mapping;

/// The time of a trade: about five a day, over the whole of 2025.
fn at(number: i32) -> DateTime<Utc> {
    let start: DateTime<Utc> = "2025-01-02T00:10:00Z".parse().unwrap();
    start + TimeDelta::minutes(i64::from(number) * 1_733)
}

fn date(number: i32) -> bson::DateTime {
    bson::DateTime::from_millis(at(number).timestamp_millis())
}

fn sample(indexes: &[&[&str]], of: impl Fn(i32) -> Document) -> Sample {
    let documents = (0..300).map(|number| RawDocumentBuf::try_from(&of(number)).unwrap()).collect();
    let indexes = indexes.iter().map(|keys| keys.iter().map(|&key| key.to_owned()).collect()).collect();
    Sample { collection: "trades".to_owned(), documents, indexes, knows_indexes: true, ..Sample::default() }
}

/// Proposes, and checks that the mapping can be read.
fn propose_valid(sample: &Sample, links: &[Link]) -> Proposal {
    let proposal = Study::of(sample).propose(&Evidence { links: links.to_vec(), of_trades: Vec::new() });
    Mapping::parse(&proposal.mapping.to_string()).unwrap();
    proposal
}

fn text<'a>(proposal: &'a Proposal, pointer: &str) -> Option<&'a str> {
    proposal.mapping.pointer(pointer).and_then(Value::as_str)
}

fn codes(proposal: &Proposal) -> Vec<WarningCode> {
    proposal.warnings.iter().map(|warning| warning.code).collect()
}

fn field<'a>(proposal: &'a Proposal, key: &str) -> &'a ProposedField {
    proposal.fields.iter().find(|field| field.key == key).unwrap()
}

const PRODUCTS: [&str; 4] = ["Brent", "WTI", "Power", "Gas"];

fn pick(number: i32, of: &[&str]) -> String {
    of[usize::try_from(number).unwrap() % of.len()].to_owned()
}

#[test]
fn the_default_names_are_found_with_the_zone() {
    let zone = DayZone::parse("Europe/Berlin").unwrap();
    let of = |number: i32| {
        let day = zone.day_of(at(number));
        doc! {
            "_id": number, "trade_id": format!("T{}", number / 3), "timestamp": date(number), "year": day.year(),
            "day_of_year": i32::try_from(day.day_of_year()).unwrap(), "product": pick(number, &PRODUCTS),
            "cell": pick(number, &["A", "B"]), "receiver": pick(number, &["X", "Y", "Z"]), "price": 1.5 * f64::from(number),
        }
    };
    let proposal = propose_valid(&sample(&[&["_id"], &["year", "day_of_year"], &["trade_id"]], of), &[]);
    assert_eq!(text(&proposal, "/trade_id"), Some("trade_id"));
    assert_eq!(text(&proposal, "/timestamp"), Some("timestamp"));
    assert_eq!(text(&proposal, "/year"), Some("year"));
    assert_eq!(text(&proposal, "/day_of_year"), Some("day_of_year"));
    assert_eq!(text(&proposal, "/day_zone"), Some("Europe/Berlin"));
    assert_eq!(text(&proposal, "/filters/product"), Some("product"));
    assert_eq!(proposal.mapping["filters"]["attribute"], Value::Null);
    assert_eq!(proposal.mapping["version"], 1);
    assert_eq!(codes(&proposal), Vec::<WarningCode>::new(), "{:?}", proposal.warnings);
    assert_eq!(field(&proposal, "trade_id").confidence, Confidence::Sure);
    let mapping = Mapping::parse(&proposal.mapping.to_string()).unwrap();
    assert_eq!(mapping.day_zone.name(), "Europe/Berlin");
}

#[test]
fn names_of_other_styles_and_languages_are_found() {
    let of = |number: i32| {
        doc! {
            "_id": bson::oid::ObjectId::from_bytes([u8::try_from(number % 250).unwrap(); 12]),
            "Geschäftsnummer": 700_000 + i64::from(number / 2),
            "kopf": {"Handelszeit": date(number), "Fälligkeit": date(number + 500)},
            "Gegenpartei": pick(number, &["RWE", "EON"]), "Produkt": pick(number, &PRODUCTS), "Buch": pick(number, &["B1", "B2"]),
            "Zustand": pick(number, &["neu", "storniert"]),
        }
    };
    let proposal = propose_valid(&sample(&[&["_id"]], of), &[]);
    assert_eq!(text(&proposal, "/trade_id"), Some("Geschäftsnummer"));
    assert_eq!(text(&proposal, "/timestamp"), Some("kopf.Handelszeit"));
    assert_eq!(text(&proposal, "/filters/product"), Some("Produkt"));
    assert_eq!(text(&proposal, "/filters/receiver"), Some("Gegenpartei"));
    assert_eq!(text(&proposal, "/filters/cell"), Some("Buch"));
    assert_eq!(text(&proposal, "/status"), Some("Zustand"));
    assert_eq!(codes(&proposal), [WarningCode::NoDayIndex, WarningCode::ZoneUnknown, WarningCode::NoIdIndex]);
    let fix = proposal.warnings[0].fix.as_deref();
    assert_eq!(fix, Some("db.getCollection(\"trades\").createIndex({ \"kopf.Handelszeit\": 1 })"));
}

#[test]
fn each_form_of_time_is_named() {
    for (form, value) in [
        ("iso_text", (|number| at(number).to_rfc3339().into()) as fn(i32) -> Bson),
        ("epoch_s", |number| at(number).timestamp().into()),
        ("epoch_ms", |number| at(number).timestamp_millis().into()),
        ("epoch_us", |number| at(number).timestamp_micros().into()),
        ("epoch_ns", |number| at(number).timestamp_nanos_opt().unwrap().into()),
    ] {
        let of =
            |number: i32| doc! {"_id": number, "dealId": format!("D{number}"), "executedAt": value(number)};
        let proposal = propose_valid(&sample(&[&["executedAt"], &["dealId"]], of), &[]);
        assert_eq!(text(&proposal, "/timestamp/path"), Some("executedAt"), "{form}");
        assert_eq!(text(&proposal, "/timestamp/form"), Some(form));
        assert_eq!(proposal.mapping["version"], 2);
    }
    let day = |number: i32| at(number).format("%Y%m%d").to_string();
    let of = |number: i32| doc! {"_id": number, "deal_no": number, "trade_date": day(number).parse::<i32>().unwrap()};
    let proposal = propose_valid(&sample(&[&["trade_date"]], of), &[]);
    assert_eq!(text(&proposal, "/business_date/path"), Some("trade_date"));
    assert_eq!(text(&proposal, "/business_date/form"), Some("yyyymmdd"));
}

#[test]
fn the_other_way_to_the_messages_is_taken_if_the_ids_are_found_there() {
    let of = |number: i32| doc! {"_id": format!("TR-{number}"), "ts": date(number), "user_id": number % 7};
    let sample = Sample {
        others: vec![OtherCollection {
            name: "acks".to_owned(),
            documents: vec![RawDocumentBuf::try_from(&doc! {"_id": 1, "parent": {"ref": "TR-5"}}).unwrap()],
            indexes: Some(vec![vec!["_id".to_owned()], vec!["parent.ref".to_owned()]]),
            is_small: false,
        }],
        ..sample(&[&["_id"], &["ts"]], of)
    };
    let candidates = Study::of(&sample).id_candidates();
    let own = candidates.iter().find(|candidate| candidate.path == "_id").unwrap();
    assert_eq!(own.values.len(), 20);
    assert!(own.look_in.contains(&(Some("acks".to_owned()), "parent.ref".to_owned())), "{:?}", own.look_in);
    let link = Link {
        trade_id: "_id".to_owned(),
        collection: Some("acks".to_owned()),
        path: "parent.ref".to_owned(),
        asked: 20,
        found: 19,
    };
    let proposal = propose_valid(&sample, &[link]);
    assert_eq!(text(&proposal, "/trade_id"), Some("_id"));
    assert_eq!(text(&proposal, "/downstream_collection"), Some("acks"));
    assert_eq!(text(&proposal, "/downstream_trade_id"), Some("parent.ref"));
    assert_eq!(field(&proposal, "downstream_trade_id").confidence, Confidence::Sure);
}

#[test]
fn what_a_person_has_set_stays() {
    let of = |number: i32| doc! {"_id": number, "dealId": number, "executedAt": at(number).timestamp(), "produkt": pick(number, &PRODUCTS)};
    let proposal = Study::of(&sample(&[&["executedAt"]], of)).propose(&Evidence::default());
    assert_eq!(proposal.clone().keeping(" ").unwrap(), proposal);
    assert_eq!(proposal.clone().keeping("{").unwrap_err().code, Code::BadMapping);
    let typed = r#"{"version": 1, "day_zone": "Asia/Tokyo", "filters": {"cell": "book"}}"#;
    let kept = proposal.keeping(typed).unwrap();
    assert_eq!(kept.mapping["version"], 2);
    assert_eq!(text(&kept, "/day_zone"), Some("Asia/Tokyo"));
    assert_eq!(text(&kept, "/filters/cell"), Some("book"));
    assert_eq!(text(&kept, "/filters/product"), Some("produkt"));
}

#[test]
fn what_a_person_has_set_about_days_leaves_a_mapping_that_can_be_used() {
    let of = |number: i32| {
        let day = at(number).format("%Y%m%d").to_string().parse::<i32>().unwrap();
        doc! {"_id": number, "dealId": number, "tradeDate": day}
    };
    let by_date = propose_valid(&sample(&[&["tradeDate"]], of), &[]);
    assert!(by_date.mapping["business_date"].is_object(), "{}", by_date.mapping);
    let typed = r#"{"version": 1, "year": "jahr", "day_of_year": "tag"}"#;
    let kept = by_date.keeping(typed).unwrap().mapping;
    let read = Mapping::parse(&kept.to_string()).unwrap();
    assert_eq!((read.business_date, read.year.as_deref()), (None, Some("jahr")), "{kept}");
    let of = |number: i32| {
        let part = |form: &str| at(number).format(form).to_string().parse::<i32>().unwrap();
        doc! {"_id": number, "dealId": number, "year": part("%Y"), "day_of_year": part("%j")}
    };
    let by_days = propose_valid(&sample(&[&["year", "day_of_year"]], of), &[]);
    assert_eq!(text(&by_days, "/year"), Some("year"), "{}", by_days.mapping);
    let typed = r#"{"version": 2, "business_date": {"path": "tag", "form": "date"}}"#;
    let kept = by_days.keeping(typed).unwrap().mapping;
    let read = Mapping::parse(&kept.to_string()).unwrap();
    assert!(read.business_date.is_some() && read.year.is_none(), "{kept}");
}

#[test]
fn what_is_wrong_is_said() {
    let of = |number: i32| {
        let mut document = doc! {
            "_id": number, "ts": date(number), "year": at(number).format("%Y").to_string().parse::<i32>().unwrap(),
            // Business days: what is traded on a weekend belongs to Monday.
            "doy": at(number).format("%j").to_string().parse::<i32>().unwrap() + i32::from(number % 4 == 0),
        };
        if number % 3 > 0 {
            let id: Bson = if number % 2 == 0 { number.into() } else { number.to_string().into() };
            document.insert("trade_id", id);
        }
        document
    };
    let proposal = propose_valid(&sample(&[&["trade_id"]], of), &[]);
    assert_eq!(
        codes(&proposal),
        [WarningCode::NoDayIndex, WarningCode::DayDisagrees, WarningCode::IdsMissing, WarningCode::IdsMixed]
    );
    assert_eq!(text(&proposal, "/day_of_year"), Some("doy"));
    let empty = Study::of(&Sample { collection: "empty".to_owned(), ..Sample::default() })
        .propose(&Evidence::default());
    assert_eq!(codes(&empty), [WarningCode::Empty]);
}

#[test]
fn days_of_a_month_and_sizes_are_no_days_of_the_year() {
    let of = |number: i32| {
        doc! {"_id": number, "trade_id": number, "ts": date(number), "year": 2025, "lots": 1 + number % 366, "day": 1 + number % 31}
    };
    let proposal = propose_valid(&sample(&[&["ts"], &["trade_id"]], of), &[]);
    assert_eq!(proposal.mapping["day_of_year"], Value::Null);
    assert_eq!(proposal.mapping["year"], Value::Null);
    assert_eq!(text(&proposal, "/timestamp"), Some("ts"));
}

#[test]
fn abbreviations_and_names_that_end_with_the_word_are_found() {
    for (path, meaning) in [
        ("TRD_ID", names::Meaning::TradeId),
        ("STAT_CD", names::Meaning::Status),
        ("workflowState", names::Meaning::Status),
        ("INSTR", names::Meaning::Filter(0)),
        ("ccyPair", names::Meaning::Filter(0)),
        ("DSK_CD", names::Meaning::Filter(1)),
        ("CNTRPTY", names::Meaning::Filter(2)),
        ("REL_DSPTCH", names::Meaning::Filter(4)),
    ] {
        assert!(names::weight(path, meaning) > 0.7, "{path}");
    }
}

#[test]
fn an_indexed_value_that_differs_may_be_the_trade_id_whatever_its_name() {
    let of = |number: i32| doc! {"_id": bson::oid::ObjectId::new(), "folio": format!("F{:05}", number / 2), "ts": date(number), "price": 1.5};
    let proposal = propose_valid(&sample(&[&["_id"], &["ts"], &["folio"]], of), &[]);
    assert_eq!(text(&proposal, "/trade_id"), Some("folio"));
}

#[test]
fn messages_beside_their_trades_are_found_by_their_own_path() {
    let of = |number: i32| {
        let mut document =
            doc! {"_id": number, "ts": date(number), "kind": if number % 3 == 0 { "trade" } else { "ack" }};
        let id = format!("T-{}", number / 3);
        document.insert(if number % 3 == 0 { "tradeId" } else { "parentRef" }, id);
        document
    };
    let proposal = propose_valid(&sample(&[&["_id"], &["ts"], &["tradeId"], &["parentRef"]], of), &[]);
    assert_eq!(text(&proposal, "/trade_id"), Some("tradeId"));
    assert_eq!(text(&proposal, "/downstream_trade_id"), Some("parentRef"));
}

#[test]
fn numbers_that_are_found_elsewhere_by_chance_are_no_link() {
    let of = |number: i32| doc! {"_id": number, "vrachtnummer": 100_000 + number, "ts": date(number)};
    let link = Link {
        trade_id: "vrachtnummer".to_owned(),
        collection: Some("oil_messages".to_owned()),
        path: "hdr.dealNumber".to_owned(),
        asked: 20,
        found: 15,
    };
    let proposal = propose_valid(&sample(&[&["ts"], &["vrachtnummer"]], of), &[link]);
    assert_eq!(text(&proposal, "/downstream_collection"), None);
}

#[test]
fn a_date_beside_a_time_tells_the_zone() {
    let zone = DayZone::parse("Asia/Tokyo").unwrap();
    let of = |number: i32| {
        doc! {"_id": number, "tradeId": format!("T{number}"), "ts": date(number), "tradeDate": zone.day_of(at(number)).to_string()}
    };
    let proposal = propose_valid(&sample(&[&["ts"], &["tradeId"]], of), &[]);
    assert_eq!(text(&proposal, "/day_zone"), Some("Asia/Tokyo"));
}

/// A gas day begins at 06:00, so no zone has its dates.
#[test]
fn a_date_that_the_desk_keeps_itself_decides_the_day() {
    let of = |name: &'static str, hours: i64| {
        move |number: i32| {
            let day = (at(number) - TimeDelta::hours(hours)).format("%Y-%m-%d").to_string();
            doc! {"_id": number, "tradeId": format!("T{number}"), "tradeTime": date(number), name: day}
        }
    };
    let gas = propose_valid(&sample(&[&["_id"]], of("gasDay", 6)), &[]);
    assert_eq!(text(&gas, "/business_date/path"), Some("gasDay"));
    assert_eq!(gas.mapping["timestamp"], Value::Null);
    assert!(codes(&gas).contains(&WarningCode::DayDisagrees), "{:?}", gas.warnings);
    // A day of payment is hardly ever that of the trade.
    let payment = propose_valid(&sample(&[&["_id"]], of("valueDate", -48)), &[]);
    assert_eq!(text(&payment, "/timestamp"), Some("tradeTime"));
}

#[test]
fn a_time_that_may_be_any_gives_way_to_an_earlier_one() {
    let of = |number: i32| {
        let updated = bson::DateTime::from_millis((at(number) + TimeDelta::hours(30)).timestamp_millis());
        doc! {"_id": number, "tradeId": format!("T{number}"), "ts": updated, "execTime": date(number)}
    };
    let proposal = propose_valid(&sample(&[&["_id"]], of), &[]);
    assert_eq!(text(&proposal, "/timestamp"), Some("execTime"));
    assert!(field(&proposal, "timestamp").why.iter().any(|why| why.contains("before ts")));
}

#[test]
fn the_year_of_a_contract_is_not_that_of_the_day() {
    let of = |number: i32| {
        let day = DayZone::parse("UTC").unwrap().day_of(at(number));
        doc! {
            "_id": number, "tradeId": format!("T{number}"), "timestamp": date(number), "year": day.year() + 1,
            "day_of_year": i32::try_from(day.day_of_year()).unwrap(),
        }
    };
    let proposal = propose_valid(&sample(&[&["_id"]], of), &[]);
    assert_eq!(proposal.mapping["year"], Value::Null);
    assert_eq!(text(&proposal, "/day_of_year"), Some("day_of_year"));
    assert_eq!(text(&proposal, "/timestamp"), Some("timestamp"));
}

#[test]
fn an_object_id_says_when_if_nothing_else_does() {
    let of = |number: i32| {
        let seconds = u32::try_from(at(number).timestamp()).unwrap().to_be_bytes();
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&seconds);
        bytes[8..].copy_from_slice(&number.to_be_bytes());
        doc! {"_id": bson::oid::ObjectId::from_bytes(bytes), "tradeCode": format!("T{number}")}
    };
    let proposal = propose_valid(&sample(&[&["_id"]], of), &[]);
    assert_eq!(proposal.mapping["timestamp"], json!({"path": "_id", "form": "object_id", "zone": "UTC"}));
    assert_eq!(field(&proposal, "timestamp").confidence, Confidence::Unsure);
}

/// The ids are in several collections: that with the trades themselves, a copy, and the messages.
#[test]
fn messages_are_not_in_a_copy_of_the_trades() {
    let of = |number: i32| doc! {"_id": number, "tradeId": format!("T{number}"), "executedAt": date(number)};
    let mut sample = sample(&[&["_id"]], of);
    let other = |name: &str, documents: Vec<RawDocumentBuf>| OtherCollection {
        name: name.to_owned(),
        documents,
        indexes: Some(vec![vec!["tradeId".to_owned()]]),
        is_small: false,
    };
    let message = RawDocumentBuf::try_from(&doc! {"_id": 1, "tradeId": "T1", "text": "ok"}).unwrap();
    sample.others = vec![
        other("all_trades", sample.documents[..5].to_vec()),
        other("trades_archive", vec![message.clone()]),
        other("messages", vec![message]),
    ];
    let link = |name: &str| Link {
        trade_id: "tradeId".to_owned(),
        collection: Some(name.to_owned()),
        path: "tradeId".to_owned(),
        asked: 20,
        found: 20,
    };
    let links = ["all_trades", "trades_archive", "messages"].map(link);
    let proposal = propose_valid(&sample, &links);
    assert_eq!(text(&proposal, "/downstream_collection"), Some("messages"));
    let found = field(&proposal, "downstream_collection");
    assert_eq!((found.confidence, &*found.others), (Confidence::Likely, &["trades_archive".to_owned()][..]));
    let proposal = propose_valid(&sample, &links[..1]);
    assert_eq!(text(&proposal, "/downstream_collection"), None, "the trades are no messages");
}

#[test]
fn numbers_that_count_up_are_others_by_chance() {
    let of = |step: i64| move |number: i32| doc! {"_id": number, "deal": i64::from(number) * step, "executedAt": date(number)};
    let link = Link {
        trade_id: "deal".to_owned(),
        collection: Some("notes".to_owned()),
        path: "subject".to_owned(),
        asked: 20,
        found: 20,
    };
    let dense = propose_valid(&sample(&[&["deal"]], of(1)), std::slice::from_ref(&link));
    assert_eq!(text(&dense, "/downstream_collection"), None);
    assert!(codes(&dense).contains(&WarningCode::DoubtfulMessages), "{:?}", dense.warnings);
    let doubt = dense.warnings.iter().find(|of| of.code == WarningCode::DoubtfulMessages).unwrap();
    let choices: Vec<_> = doubt.choices.iter().map(|of| (of.key.as_str(), of.value.as_str())).collect();
    assert_eq!(choices, [("downstream_collection", "notes"), ("downstream_trade_id", "subject")]);
    let sparse = propose_valid(&sample(&[&["deal"]], of(7_919)), &[link]);
    assert_eq!(text(&sparse, "/downstream_collection"), Some("notes"));
    assert_eq!(text(&sparse, "/downstream_trade_id"), Some("subject"));
}

/// Documents of 2025 in which the 250 oldest have one shape and the 50 newest another.
fn changed(old: impl Fn(i32) -> Document, new: impl Fn(i32) -> Document) -> Sample {
    let of = |number: i32| if number < 250 { old(number) } else { new(number) };
    let mut sample = sample(&[&["_id"]], of);
    sample.newest = sample.documents[250..].to_vec();
    sample
}

fn warning(proposal: &Proposal, code: WarningCode) -> &str {
    let found = proposal.warnings.iter().find(|warning| warning.code == code);
    found.map_or_else(|| panic!("{code:?} is not among {:?}", proposal.warnings), |found| &found.message)
}

#[test]
fn the_newest_shape_is_proposed_and_the_older_one_is_said() {
    let old = |number: i32| doc! {"_id": number, "trade_id": format!("T{number}"), "ts": date(number), "prod": pick(number, &PRODUCTS)};
    let new = |number: i32| doc! {"_id": number, "tradeId": format!("T{number}"), "executedAt": date(number), "product": pick(number, &PRODUCTS)};
    let proposal = propose_valid(&changed(old, new), &[]);
    assert_eq!(text(&proposal, "/timestamp"), Some("executedAt"));
    assert_eq!(text(&proposal, "/trade_id"), Some("tradeId"));
    assert_eq!(text(&proposal, "/filters/product"), Some("product"));
    let said = warning(&proposal, WarningCode::OtherShape);
    assert!(said.starts_with("83% of the sampled documents have ts instead of executedAt"), "{said}");
    assert!(said.contains("the older ones"), "{said}");
    assert_eq!((proposal.documents, field(&proposal, "timestamp").share < 0.2), (300, true));
    // What only older documents have can be picked.
    assert!(proposal.paths.iter().any(|seen| seen.path == "prod"));
}

/// An `_id` that begins with a kind sorts the messages behind the trades.
#[test]
fn messages_that_seem_to_be_the_newest_are_no_shape_of_trades() {
    let of = |number: i32| match number % 3 {
        0 => {
            doc! {"_id": format!("M{number:05}"), "reference": format!("R{number}"), "postedAt": date(number)}
        }
        _ => doc! {"_id": format!("D{number:05}"), "dealId": format!("D{number}"), "dealtAt": date(number)},
    };
    let mut sample = sample(&[&["_id"]], of);
    sample.newest = sample.documents.iter().step_by(3).cloned().collect();
    assert!(sample.newest.iter().all(|document| document.get("postedAt").unwrap().is_some()));
    let proposal = propose_valid(&sample, &[]);
    assert_eq!(text(&proposal, "/timestamp"), Some("dealtAt"));
    assert_eq!(text(&proposal, "/trade_id"), Some("dealId"));
}

#[test]
fn a_time_of_both_shapes_serves_both() {
    let both = |number: i32| {
        let day = DayZone::parse("UTC").unwrap().day_of(at(number));
        doc! {"_id": number, "tradeId": format!("T{number}"), "timestamp": date(number), "year": day.year(), "day_of_year": i32::try_from(day.day_of_year()).unwrap()}
    };
    let new = |number: i32| doc! {"_id": number, "tradeId": format!("T{number}"), "timestamp": date(number)};
    let proposal = propose_valid(&changed(both, new), &[]);
    assert_eq!(text(&proposal, "/timestamp"), Some("timestamp"));
    assert_eq!((&proposal.mapping["year"], &proposal.mapping["day_of_year"]), (&Value::Null, &Value::Null));
    assert!(!codes(&proposal).contains(&WarningCode::OtherShape), "{:?}", proposal.warnings);
}

#[test]
fn a_shape_without_known_order_is_said_and_messages_are_none() {
    let two = |number: i32| match number % 3 {
        0 => doc! {"_id": number, "trade": {"id": format!("T{number}"), "time": at(number).to_rfc3339()}},
        _ => doc! {"_id": number, "tradeId": format!("T{number}"), "tradeTime": date(number)},
    };
    let proposal = propose_valid(&sample(&[&["_id"]], two), &[]);
    assert_eq!(text(&proposal, "/timestamp"), Some("tradeTime"));
    assert!(warning(&proposal, WarningCode::OtherShape).contains("have trade.time instead of tradeTime"));
    let with_messages = |number: i32| match number % 3 {
        0 => doc! {"_id": number, "tradeId": format!("T{}", number / 3), "executedAt": date(number)},
        _ => doc! {"_id": number, "tradeId": format!("T{}", number / 3), "sentAt": date(number)},
    };
    let proposal = propose_valid(&sample(&[&["_id"]], with_messages), &[]);
    assert!(!codes(&proposal).contains(&WarningCode::OtherShape), "{:?}", proposal.warnings);
}

#[test]
fn a_field_that_was_renamed_is_said() {
    let of = |number: i32| {
        let name = if number < 200 { "counterparty" } else { "cpty" };
        doc! {"_id": number, "tradeId": format!("T{number}"), "ts": date(number), name: pick(number, &["X", "Y"])}
    };
    let proposal = propose_valid(&sample(&[&["ts"], &["tradeId"]], of), &[]);
    assert_eq!(text(&proposal, "/filters/receiver"), Some("counterparty"));
    assert_eq!(field(&proposal, "filters.receiver").others, ["cpty"]);
    assert!(
        warning(&proposal, WarningCode::OtherShape)
            .contains("33% of the documents have cpty instead of counterparty")
    );
}

#[test]
fn a_filter_of_two_types_is_unsure_and_says_what_it_misses() {
    let of = |number: i32| {
        let product: Bson =
            if number % 3 == 0 { (number % 2).into() } else { pick(number, &["7", "8"]).into() };
        doc! {"_id": number, "tradeId": format!("T{number}"), "ts": date(number), "product": product, "cell": f64::from(number % 4) / 2.0, "receiver": if number % 2 == 0 { Bson::Int32(number % 3) } else { Bson::Double(0.5) }}
    };
    let proposal = propose_valid(&sample(&[&["ts"], &["tradeId"]], of), &[]);
    assert_eq!(text(&proposal, "/filters/product"), Some("product"));
    assert_eq!(field(&proposal, "filters.product").confidence, Confidence::Unsure);
    assert_eq!(
        warning(&proposal, WarningCode::FilterMixed),
        "The values of product have several types. A filter on it finds texts only, not numbers (33%)."
    );
    // Numbers of any type are equal, and a number can have a fraction.
    assert_eq!(text(&proposal, "/filters/receiver/type"), Some("number"));
    assert_eq!(codes(&proposal).iter().filter(|code| **code == WarningCode::FilterMixed).count(), 1);
}

#[test]
fn a_time_of_several_forms_is_read_in_that_of_the_most() {
    let of = |number: i32| {
        let time: Bson = match number % 10 {
            0..=5 => date(number).into(),
            6..=8 => at(number).to_rfc3339().into(),
            _ => at(number).timestamp_millis().into(),
        };
        doc! {"_id": number, "tradeId": format!("T{number}"), "tradeTime": time}
    };
    let proposal = propose_valid(&sample(&[&["tradeTime"], &["tradeId"]], of), &[]);
    assert_eq!(text(&proposal, "/timestamp"), Some("tradeTime"));
    assert_eq!(field(&proposal, "timestamp").confidence, Confidence::Likely);
    let said = warning(&proposal, WarningCode::MixedTimes);
    for part in
        ["a date (60%)", "2025-01-31T09:30:00Z (30%)", "a number of milliseconds (10%)", "here a date"]
    {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn the_year_is_found_by_agreement_whatever_its_name() {
    let of = |number: i32| {
        // Two years.
        let at = at(number) + TimeDelta::days(200);
        let day = DayZone::parse("Europe/Berlin").unwrap().day_of(at);
        doc! {
            "_id": number, "tradeId": format!("T{number}"), "zeit": bson::DateTime::from_millis(at.timestamp_millis()),
            "feld1": day.year(), "feld2": i32::try_from(day.day_of_year()).unwrap(), "lieferung": day.year() + number % 3,
        }
    };
    let proposal = propose_valid(&sample(&[&["feld1", "feld2"], &["tradeId"]], of), &[]);
    assert_eq!(text(&proposal, "/year"), Some("feld1"));
    assert_eq!(text(&proposal, "/day_of_year"), Some("feld2"));
    assert!(field(&proposal, "year").why[0].contains("the year of zeit"));
}

#[test]
fn a_day_of_the_year_as_text_is_passed_over_and_tells_the_zone() {
    let zone = DayZone::parse("Asia/Tokyo").unwrap();
    let of = |number: i32| {
        let day = zone.day_of(at(number));
        doc! {
            "_id": number, "tradeId": format!("T{number}"), "tradeTime": date(number), "year": day.year().to_string(),
            "dayOfYear": format!("{:03}", day.day_of_year()),
        }
    };
    let proposal = propose_valid(&sample(&[&["tradeTime"], &["tradeId"]], of), &[]);
    assert_eq!(proposal.mapping["day_of_year"], Value::Null);
    assert_eq!(text(&proposal, "/timestamp"), Some("tradeTime"));
    assert_eq!(text(&proposal, "/day_zone"), Some("Asia/Tokyo"));
    let said = warning(&proposal, WarningCode::PassedOver);
    assert!(said.contains("dayOfYear has the day of the year as text (\"002\")"), "{said}");
    assert!(said.contains("Days follow tradeTime"), "{said}");
}

#[test]
fn dates_of_unknown_forms_are_named() {
    for (name, format) in [("datum", "%d.%m.%Y"), ("tradeDate", "%m/%d/%Y %H:%M"), ("julianDay", "%Y%j")] {
        let of = |number: i32| {
            let value: Bson = match format {
                "%Y%j" => at(number).format(format).to_string().parse::<i32>().unwrap().into(),
                _ => at(number).format(format).to_string().into(),
            };
            doc! {"_id": number, "tradeId": format!("T{number}"), name: value, "settlement": at(number).format("%d.%m.%Y").to_string()}
        };
        let proposal = propose_valid_or_nowhere(&sample(&[&["tradeId"]], of));
        let said = warning(&proposal, WarningCode::PassedOver);
        assert!(said.starts_with(&format!("{name} has dates in a form")), "{said}");
        assert!(codes(&proposal).contains(&WarningCode::NoDay));
    }
    let of = |number: i32| doc! {"_id": number, "kotes": at(number).format("%Y.%m.%d. %H:%M").to_string()};
    let proposal = propose_valid_or_nowhere(&sample(&[&["kotes"]], of));
    assert_ne!(text(&proposal, "/trade_id"), Some("kotes"), "a date is no trade id");
    // Beside a time, a day of payment needs no word.
    let of = |number: i32| doc! {"_id": number, "tradeId": format!("T{number}"), "ts": date(number), "settlementDate": "31.01.2025", "booked": "1.2.25"};
    let proposal = propose_valid(&sample(&[&["ts"], &["tradeId"]], of), &[]);
    let said = warning(&proposal, WarningCode::PassedOver);
    assert!(said.starts_with("booked has dates"), "{said}");
    assert_eq!(codes(&proposal), [WarningCode::PassedOver, WarningCode::ZoneUnknown]);
}

/// Without a field for the day, the mapping is no valid one.
fn propose_valid_or_nowhere(sample: &Sample) -> Proposal {
    Study::of(sample).propose(&Evidence::default())
}

#[test]
fn values_say_what_a_field_is_whatever_its_name() {
    let of = |number: i32| {
        doc! {
            "_id": number, "tradeId": format!("T{number}"), "ts": date(number), "baisse": pick(number, &["BUY", "SELL"]),
            "fuda": [pick(number, &["spot", "swap"]), "algo"], "unit": pick(number, &["MWh", "t"]),
            "book": pick(number, &["EUR", "USD"]), "security": pick(number, &["high", "low"]),
            "type": pick(number, &["NEW", "CANCELLED", "CONFIRMED"]), "broker": pick(number, &["ICAP", "TP"]), "trader": pick(number, &["ann", "bob"]),
        }
    };
    let proposal = propose_valid(&sample(&[&["ts"], &["tradeId"]], of), &[]);
    assert_eq!(text(&proposal, "/filters/attribute"), Some("baisse"));
    assert_eq!(text(&proposal, "/filters/relatedAttributes"), Some("fuda"));
    assert_eq!(field(&proposal, "filters.relatedAttributes").confidence, Confidence::Likely);
    assert_eq!(proposal.mapping["filters"]["cell"], Value::Null);
    assert_eq!(proposal.mapping["filters"]["product"], Value::Null);
    assert_eq!(text(&proposal, "/filters/relatedDispatcher"), Some("broker"));
    assert_eq!(field(&proposal, "filters.relatedDispatcher").others, ["trader"]);
    assert_eq!(text(&proposal, "/status"), Some("type"));
    assert_eq!(field(&proposal, "status").confidence, Confidence::Likely);
    let plain = |number: i32| doc! {"_id": number, "portfolioType": pick(number, &["a", "b"]), "tradeId": format!("T{number}"), "ts": date(number), "type": pick(number, &["swap", "future"]), "security": pick(number, &["A", "B"])};
    let proposal = propose_valid(&sample(&[&["ts"], &["tradeId"]], plain), &[]);
    assert_eq!(text(&proposal, "/status"), None);
    assert_eq!(text(&proposal, "/filters/attribute"), Some("type"));
    assert_eq!(text(&proposal, "/filters/product"), Some("security"));
    assert_eq!(field(&proposal, "filters.product").confidence, Confidence::Likely);
}

#[test]
fn messages_that_no_index_can_find_are_said() {
    let of = |number: i32| doc! {"_id": number, "tradeId": format!("T{number}"), "ts": date(number)};
    let other = |name: &str, indexes: Option<Vec<Vec<String>>>| OtherCollection {
        name: name.to_owned(),
        documents: vec![RawDocumentBuf::try_from(&doc! {"_id": 1, "tradeId": "T1", "text": "ok"}).unwrap()],
        indexes,
        is_small: false,
    };
    let id = || vec![vec!["_id".to_owned()]];
    let mut sample = sample(&[&["ts"], &["tradeId"]], of);
    sample.others = vec![other("acks", None), other("messages", Some(id())), other("archive", Some(id()))];
    let proposal = propose_valid(&sample, &[]);
    assert_eq!(codes(&proposal), [WarningCode::ZoneUnknown, WarningCode::MessagesNotSearched]);
    let found = &proposal.warnings[1];
    assert_eq!(
        found.message,
        "Messages were not looked for in acks, since its indexes cannot be listed. Messages were not looked for in \
         messages, since no index of it begins with tradeId."
    );
    assert_eq!(found.fix.as_deref(), Some(r#"db.getCollection("messages").createIndex({ "tradeId": 1 })"#));
    sample.others = ["gas", "power"].map(|name| other(name, Some(id()))).to_vec();
    let proposal = propose_valid(&sample, &[]);
    assert_eq!(
        (proposal.warnings[1].message.as_str(), &proposal.warnings[0].fix),
        ("Messages were not looked for in gas and power, since no index there begins with an id.", &None)
    );
    sample.others = vec![other("messages", Some(vec![vec!["tradeId".to_owned()]]))];
    assert_eq!(codes(&propose_valid(&sample, &[])), [WarningCode::ZoneUnknown], "they were looked for");
}

#[test]
fn days_as_written_are_of_no_known_zone() {
    let of = |number: i32| {
        let day = DayZone::parse("UTC").unwrap().day_of(at(number));
        doc! {
            "_id": number, "tradeId": format!("T{number}"), "zeit": at(number).format("%Y-%m-%dT%H:%M:%S").to_string(),
            "jahr": day.year(), "tagImJahr": i32::try_from(day.day_of_year()).unwrap(),
        }
    };
    let proposal = propose_valid(&sample(&[&["jahr", "tagImJahr"], &["tradeId"]], of), &[]);
    let zone = field(&proposal, "day_zone");
    assert_eq!((zone.confidence, text(&proposal, "/day_zone")), (Confidence::Unsure, Some("UTC")));
    assert!(zone.why.iter().any(|why| why.contains("the texts of zeit have no offset")), "{:?}", zone.why);
}

#[test]
fn a_time_series_needs_no_index_on_its_time() {
    let of = |number: i32| doc! {"_id": number, "tradeId": format!("T{number}"), "at": date(number)};
    let mut sample = sample(&[&["tradeId"]], of);
    assert_eq!(codes(&propose_valid(&sample, &[])), [WarningCode::NoDayIndex, WarningCode::ZoneUnknown]);
    sample.time_field = Some("at".to_owned());
    assert_eq!(codes(&propose_valid(&sample, &[])), [WarningCode::ZoneUnknown]);
    assert!(Study::of(&sample).days_are_indexed());
}

/// The kind of the trades has one value in each query, so an index may begin with it.
#[test]
fn an_index_of_the_kind_and_the_time_serves_the_trades() {
    let of = |number: i32| {
        let mut document = doc! {"_id": number, "tradeId": format!("T{}", number / 3), "ts": date(number)};
        if number % 3 == 0 {
            document.extend(doc! {"kind": "TRADE", "product": "Brent", "side": "BUY", "price": 70.5});
        } else {
            document.extend(doc! {"kind": "ACK", "sender": "exchange"});
        }
        document
    };
    for (index, is_served) in [(["kind", "ts"], true), (["product", "ts"], false)] {
        let sample = sample(&[&["_id"], &index, &["tradeId"]], of);
        let evidence = Evidence { of_trades: sample.documents[60..150].to_vec(), ..Evidence::default() };
        let proposal = Study::of(&sample).propose(&evidence);
        assert_eq!(text(&proposal, "/input_match/kind"), Some("TRADE"), "{}", proposal.mapping);
        assert_eq!(!codes(&proposal).contains(&WarningCode::NoDayIndex), is_served, "{index:?}");
    }
}

/// The date of payment has no name that tells it, but no trade is stored before it is made.
#[test]
fn a_date_after_the_document_was_made_is_not_that_of_the_trade() {
    let of = |number: i32| {
        let made = date(number).timestamp_millis() / 1_000;
        let mut id = [0; 12];
        id[..4].copy_from_slice(&u32::try_from(made).unwrap().to_be_bytes());
        id[11] = u8::try_from(number % 250).unwrap();
        let midnight = |days: i64| bson::DateTime::from_millis((made.div_euclid(86_400) + days) * 86_400_000);
        doc! {"_id": bson::oid::ObjectId::from_bytes(id), "no": number, "splatnost": midnight(2), "den": midnight(0)}
    };
    let both = propose_valid(&sample(&[&["_id"], &["splatnost"]], of), &[]);
    assert_eq!(
        text(&both, "/business_date/path").or(text(&both, "/timestamp")),
        Some("den"),
        "{}",
        both.mapping
    );
    let without = |number: i32| {
        let mut document = of(number);
        document.remove("den");
        document
    };
    let alone = propose_valid(&sample(&[&["_id"], &["splatnost"]], without), &[]);
    assert_eq!(text(&alone, "/timestamp/path"), Some("_id"), "{}", alone.mapping);
    let time = alone.fields.iter().find(|field| field.key == "timestamp").unwrap();
    assert_eq!(time.confidence, Confidence::Unsure);
}

/// A small collection is searched without an index; in a large one the doubt is said.
#[test]
fn ids_that_repeat_without_an_index_are_looked_into_or_named() {
    let of = |number: i32| {
        let kind = ["TRADE", "CONFIRMATION", "SETTLEMENT"][usize::try_from(number % 3).unwrap()];
        doc! {"_id": number, "tradeId": format!("T{}", number / 3), "type": kind, "executedAt": date(number)}
    };
    let large = sample(&[&["executedAt"]], of);
    assert_eq!(Study::of(&large).shared_trade_id(&[]), None);
    let said = propose_valid(&large, &[]);
    let warning = said.warnings.iter().find(|warning| warning.code == WarningCode::NoIdIndex).unwrap();
    assert!(warning.message.starts_with("Several documents have the same tradeId"), "{}", warning.message);

    let small = Sample { is_small: true, ..large };
    let study = Study::of(&small);
    assert_eq!(study.shared_trade_id(&[]).unwrap().path, "tradeId");
    let evidence = Evidence { of_trades: small.documents.clone(), ..Evidence::default() };
    let found = study.propose(&evidence);
    assert_eq!(found.mapping["input_match"], serde_json::json!({"type": "TRADE"}));
}

/// New days are like the newest documents; the older form is named.
#[test]
fn after_a_change_of_the_form_the_newest_counts() {
    let of = |number: i32| {
        let at = date(number);
        let text = at.try_to_rfc3339_string().unwrap();
        let executed = if number < 200 { bson::Bson::from(text) } else { at.into() };
        doc! {"_id": number, "tradeId": format!("T{number}"), "executedAt": executed}
    };
    let mut changed = sample(&[&["executedAt"]], of);
    let mixed = propose_valid(&changed, &[]);
    assert_eq!(text(&mixed, "/timestamp/form"), Some("iso_text"), "{}", mixed.mapping);
    changed.newest = changed.documents[changed.documents.len() - 15..].to_vec();
    let newest = propose_valid(&changed, &[]);
    assert_eq!(text(&newest, "/timestamp"), Some("executedAt"), "{}", newest.mapping);
    assert!(codes(&newest).contains(&WarningCode::MixedTimes));
}

/// Trades and twice as many messages in one collection, each with a key of its own for the id.
fn shared(trade: impl Fn(i32) -> Document, message: impl Fn(i32) -> Document) -> Sample {
    let of = |number: i32| if number % 3 == 0 { trade(number) } else { message(number) };
    sample(&[&["time"]], of)
}

#[test]
fn messages_beside_their_trades_under_a_different_path_are_no_trades() {
    let product = |number: i32| pick(number / 3, &PRODUCTS);
    for (reference, has_kind) in [("ref.tradeId", true), ("refTradeId", false), ("parentId", true)] {
        let trade = |number: i32| {
            let mut trade = doc! {"_id": number, "tradeId": format!("T{}", number / 3), "time": date(number), "product": product(number), "sender": "own"};
            if has_kind {
                trade.insert("type", pick(number / 3, &["EXEC", "AMEND"]));
            }
            trade
        };
        let message = |number: i32| {
            let id = format!("T{}", number / 3);
            let mut message = match reference.split_once('.') {
                Some((outer, inner)) => doc! {"_id": number, outer: {inner: id}},
                None => doc! {"_id": number, reference: id},
            };
            message.extend(doc! {"time": date(number), "dispatcher": "desk"});
            if has_kind {
                message.insert("type", pick(number, &["CONF", "ACK"]));
            }
            message
        };
        let proposal = propose_valid(&shared(trade, message), &[]);
        assert_eq!(text(&proposal, "/trade_id"), Some("tradeId"), "{reference} {}", proposal.mapping);
        assert_eq!(text(&proposal, "/downstream_trade_id"), Some(reference));
        let expected = json!({"tradeId": {"$exists": true}});
        assert_eq!(proposal.mapping["input_match"], expected, "{reference}");
        // Filters are those of trades, and so is what is said of them.
        assert!((field(&proposal, "filters.product").share - 1.0).abs() < 1e-9);
        assert_eq!(text(&proposal, "/filters/product"), Some("product"));
        assert_eq!(text(&proposal, "/filters/relatedDispatcher"), Some("sender"));
        let said = warning(&proposal, WarningCode::SharedCollection);
        assert!(said.contains("The documents with tradeId are taken for trades"), "{said}");
        assert!(!codes(&proposal).contains(&WarningCode::IdsMissing));
    }
}

#[test]
fn messages_may_refer_to_the_own_id_of_a_trade_beside_them() {
    let trade =
        |number: i32| doc! {"_id": format!("U{}", number / 3), "docType": "trade", "time": date(number)};
    let message = |number: i32| doc! {"_id": format!("M{number}"), "tradeId": format!("U{}", number / 3), "docType": "message", "time": date(number)};
    let proposal = propose_valid(&shared(trade, message), &[]);
    assert_eq!(text(&proposal, "/trade_id"), Some("_id"), "{}", proposal.mapping);
    assert_eq!(text(&proposal, "/downstream_trade_id"), Some("tradeId"));
    assert_eq!(proposal.mapping["input_match"], json!({"docType": "trade"}));
    // Amendments that refer to each other do not make the own id the trade's.
    let of = |number: i32| {
        let mut trade = doc! {"_id": number, "tradeId": format!("T{number}"), "time": date(number)};
        if number > 0 && number % 5 == 0 {
            trade.insert("parentId", number - 1);
        }
        trade
    };
    let proposal = propose_valid(&sample(&[&["time"]], of), &[]);
    assert_eq!(text(&proposal, "/trade_id"), Some("tradeId"), "{}", proposal.mapping);
    assert_eq!(proposal.mapping.get("input_match"), None);
}

#[test]
fn dates_at_midnight_in_a_zone_are_days_there() {
    let zone = DayZone::parse("Europe/Berlin").unwrap();
    let midnight = |number: i32, later: i32| {
        let start = zone.start_of(zone.day_of(at(number)).plus(later));
        bson::DateTime::from_millis(start.timestamp_millis())
    };
    let alone =
        |number: i32| doc! {"_id": number, "tradeId": format!("T{number}"), "tradeDate": midnight(number, 0)};
    let proposal = propose_valid(&sample(&[&["tradeDate"]], alone), &[]);
    assert_eq!(text(&proposal, "/timestamp"), Some("tradeDate"), "{}", proposal.mapping);
    assert_eq!(text(&proposal, "/day_zone"), Some("Europe/Berlin"));
    assert_eq!(codes(&proposal), [WarningCode::NoIdIndex]);
    let both = |later: fn(i32) -> i32| {
        move |number: i32| {
            doc! {"_id": number, "tradeId": format!("T{number}"), "execTime": date(number), "tradeDate": midnight(number, later(number))}
        }
    };
    let proposal = propose_valid(&sample(&[&["execTime"], &["tradeId"]], both(|_| 0)), &[]);
    assert_eq!(text(&proposal, "/timestamp"), Some("execTime"), "{}", proposal.mapping);
    assert_eq!(text(&proposal, "/day_zone"), Some("Europe/Berlin"));
    assert_eq!(codes(&proposal), []);
    // A business date that rolls over the weekend.
    let rolls = both(|number| if number % 5 == 0 { 2 } else { 0 });
    let proposal = propose_valid(&sample(&[&["execTime"], &["tradeId"]], rolls), &[]);
    assert_eq!(text(&proposal, "/timestamp"), Some("tradeDate"), "{}", proposal.mapping);
    assert_eq!(text(&proposal, "/day_zone"), Some("Europe/Berlin"));
    let said = warning(&proposal, WarningCode::DayDisagrees);
    assert!(said.starts_with("tradeDate is the date of execTime for 80%"), "{said}");
}

#[test]
fn offsets_of_texts_tell_the_zone() {
    let of = |zone: &'static str| {
        move |number: i32| {
            let zone: chrono_tz::Tz = zone.parse().unwrap();
            let text = at(number).with_timezone(&zone).format("%Y-%m-%dT%H:%M:%S%:z").to_string();
            doc! {"_id": number, "tradeId": format!("T{number}"), "executed_at": text}
        }
    };
    for (zone, confidence) in [
        ("Europe/London", Confidence::Likely),
        ("Asia/Tokyo", Confidence::Likely),
        ("UTC", Confidence::Unsure),
    ] {
        let proposal = propose_valid(&sample(&[&["executed_at"], &["tradeId"]], of(zone)), &[]);
        assert_eq!(text(&proposal, "/day_zone"), Some(zone));
        assert_eq!(field(&proposal, "day_zone").confidence, confidence, "{zone}");
        assert_eq!(codes(&proposal).contains(&WarningCode::ZoneUnknown), zone == "UTC");
    }
}

#[test]
fn an_index_on_the_day_of_the_year_alone_serves() {
    let of = |number: i32| {
        let day = DayZone::parse("UTC").unwrap().day_of(at(number));
        let day = i32::try_from(day.day_of_year()).unwrap();
        doc! {"_id": number, "tradeId": format!("T{number}"), "time": date(number), "dayOfYear": day}
    };
    for index in ["dayOfYear", "time"] {
        let proposal = propose_valid(&sample(&[&[index], &["tradeId"]], of), &[]);
        assert_eq!(text(&proposal, "/day_of_year"), Some("dayOfYear"), "{}", proposal.mapping);
        assert_eq!(codes(&proposal), [], "{index}");
    }
}

#[test]
fn a_sender_is_the_dispatcher_rather_than_a_trader() {
    for (trader, sender) in
        [("haendler", "bezugsDispatcher"), ("operateur", "expediteurLie"), ("trader", "linkedDispatcher")]
    {
        let of = |number: i32| {
            let mut trade = doc! {"_id": number, "tradeId": format!("T{number}"), "time": date(number)};
            trade.insert(trader, pick(number, &["Ann", "Bob"]));
            trade.insert(sender, pick(number, &["HUB1", "HUB2", "HUB3"]));
            trade
        };
        let proposal = propose_valid(&sample(&[&["time"]], of), &[]);
        assert_eq!(text(&proposal, "/filters/relatedDispatcher"), Some(sender));
    }
}

#[test]
fn a_business_date_may_lie_after_the_document_was_made() {
    let of = |number: i32| {
        let rolls = if number % 5 == 0 { 3 } else { 0 };
        let date_of = |days: i32| (at(number) + TimeDelta::days(days.into())).format("%Y-%m-%d").to_string();
        let seconds = u32::try_from(at(number).timestamp()).unwrap();
        let id =
            bson::oid::ObjectId::from_parts(seconds, [1; 5], number.to_be_bytes()[1..].try_into().unwrap());
        doc! {"_id": id, "tradeId": format!("T{number}"), "execTime": date(number), "tradeDate": date_of(rolls), "settleDate": date_of(rolls + 2)}
    };
    let proposal = propose_valid(&sample(&[&["tradeDate"], &["tradeId"]], of), &[]);
    let date = proposal.mapping.pointer("/business_date/path").and_then(Value::as_str);
    assert_eq!(date, Some("tradeDate"), "{}", proposal.mapping);
    let said = warning(&proposal, WarningCode::DayDisagrees);
    assert!(said.starts_with("tradeDate is the date of execTime for 80%"), "{said}");
}

#[test]
fn a_number_in_one_word_that_ends_like_an_id_is_one_and_a_counterparty_is_none() {
    let of = |number: i32| {
        // As many other numbers, these could be times.
        let id = 1_700_000_000_000_i64 + i64::from(number) * 7_919;
        doc! {"_id": number, "TRDID": id, "ORDREF": pick(number, &PRODUCTS), "RCVR_ID": format!("RC{}", number % 25), "t": date(number)}
    };
    let proposal = propose_valid(&sample(&[&["t"], &["TRDID"]], of), &[]);
    assert_eq!(text(&proposal, "/trade_id"), Some("TRDID"), "{}", proposal.mapping);
    assert_eq!(text(&proposal, "/timestamp"), Some("t"));
    let without = |number: i32| {
        let mut document = of(number);
        document.remove("TRDID");
        document
    };
    let proposal = propose_valid(&sample(&[&["t"], &["RCVR_ID"]], without), &[]);
    assert_ne!(text(&proposal, "/trade_id"), Some("RCVR_ID"), "{}", proposal.mapping);
}

#[test]
fn a_part_of_a_related_object_is_the_related_one() {
    let of = |number: i32| {
        let related = doc! {"dispatcher": pick(number, &["R1", "R2", "R3"])};
        let dispatch = doc! {"dispatcher": pick(number, &["D1", "D2"]), "related": related};
        doc! {"_id": number, "tradeId": format!("T{number}"), "t": date(number), "dispatch": dispatch}
    };
    let proposal = propose_valid(&sample(&[&["t"]], of), &[]);
    assert_eq!(text(&proposal, "/filters/relatedDispatcher"), Some("dispatch.related.dispatcher"));
}

#[test]
fn a_time_beside_a_business_date_tells_when_its_day_begins() {
    let zone = DayZone::parse("Asia/Tokyo").unwrap();
    let of = |number: i32| {
        let day: i32 = zone.day_of(at(number)).date().format("%Y%m%d").to_string().parse().unwrap();
        doc! {"_id": number, "tradeId": format!("T{number}"), "bizDate": day, "execTime": date(number)}
    };
    let proposal = propose_valid(&sample(&[&["bizDate"], &["tradeId"]], of), &[]);
    assert_eq!(proposal.mapping.pointer("/business_date/path").and_then(Value::as_str), Some("bizDate"));
    assert_eq!(text(&proposal, "/day_zone"), Some("Asia/Tokyo"), "{}", proposal.mapping);
    assert_eq!(field(&proposal, "day_zone").confidence, Confidence::Likely);
}

/// A wool auction: a deal, what the clerk wrote of it and a notice, all under the lot, as `(deal, what follows)`. Every
/// tenth lot has an amended deal in place of the notice.
fn lots(kinds: [&str; 3], time: (&str, &str)) -> Sample {
    let names = kinds.map(str::to_owned);
    let of = |number: i32| {
        let (lot, part) = (number / 3, usize::try_from(number % 3).unwrap());
        let is_deal = part == 0 || part == 2 && lot % 10 == 0;
        let kind = if is_deal { &names[0] } else { &names[part] };
        let mut document = doc! {"_id": number, "lotRef": format!("L{lot:04}"), "stage": kind};
        if is_deal {
            let version = i32::try_from(part).unwrap();
            document.extend(doc! {
                time.0: date(number), "commodity": pick(lot, &["Merino", "Crossbred"]), "buyer": pick(lot, &["Mill A", "Mill B", "Mill C"]),
                "kilos": 100 + lot, "price": 7.5 + f64::from(lot % 7) + f64::from(version),
            });
        } else {
            document.extend(doc! {time.1: date(number), "clerk": pick(number, &["ann", "bob"])});
        }
        document
    };
    sample(&[&["_id"], &["lotRef"]], of)
}

fn propose_of(sample: &Sample) -> Proposal {
    let of_trades = sample.documents[60..150].to_vec();
    let proposal = Study::of(sample).propose(&Evidence { links: Vec::new(), of_trades });
    Mapping::parse(&proposal.mapping.to_string()).unwrap();
    proposal
}

#[test]
fn amended_deals_are_the_trades_and_the_day_is_theirs() {
    for time in [("dealt_time", "posted_time"), ("dealtAt", "sentAt"), ("at", "at")] {
        let proposal = propose_of(&lots(["DEAL", "RECEIPT", "NOTICE"], time));
        assert_eq!(text(&proposal, "/trade_id"), Some("lotRef"), "{time:?} {}", proposal.mapping);
        assert_eq!(proposal.mapping["input_match"], json!({"stage": "DEAL"}), "{time:?}");
        assert_eq!(text(&proposal, "/timestamp"), Some(time.0), "{time:?}");
        assert_eq!(text(&proposal, "/filters/product"), Some("commodity"));
        assert!((field(&proposal, "timestamp").share - 1.0).abs() < 1e-9);
        // All trades have it, so it is none of their states.
        assert_eq!(text(&proposal, "/status"), None);
        assert_eq!(field(&proposal, "input_match").confidence, Confidence::Sure);
        let said = warning(&proposal, WarningCode::SharedCollection);
        assert!(said.contains("only these documents have buyer") || said.contains("commodity"), "{said}");
        assert!(!said.contains("guess"), "{said}");
    }
}

#[test]
fn a_kind_that_is_not_called_a_trade_is_said_to_be_a_guess() {
    let proposal = propose_of(&lots(["K1", "K2", "K3"], ("time1", "time2")));
    assert_eq!(proposal.mapping["input_match"], json!({"stage": "K1"}), "{}", proposal.mapping);
    assert_eq!(text(&proposal, "/timestamp"), Some("time1"));
    assert!(field(&proposal, "input_match").confidence < Confidence::Sure);
    let said = warning(&proposal, WarningCode::SharedCollection);
    assert!(said.contains("This is a guess"), "{said}");
    assert!(said.contains("stage = K2 (30 documents)"), "{said}");
    let kept = proposal.keeping(r#"{"input_match": {"stage": "K2"}}"#).unwrap();
    assert!(!codes(&kept).contains(&WarningCode::SharedCollection));
}

#[test]
fn kinds_of_which_none_is_a_trade_are_named() {
    let of = |number: i32| {
        let mut document = doc! {"_id": number, "lotRef": format!("L{}", number / 2), "at": date(number), "kind": pick(number, &["ACK", "ALERT"])};
        document.insert(if number % 2 == 0 { "weight" } else { "level" }, number);
        document
    };
    let proposal = propose_of(&sample(&[&["at"], &["lotRef"]], of));
    assert_eq!(proposal.mapping.get("input_match"), None);
    let said = warning(&proposal, WarningCode::KindsInDoubt);
    assert!(said.contains("kind = ACK (45 documents)"), "{said}");
}

#[test]
fn what_is_unique_is_the_trade_rather_than_its_order() {
    for (unique, order) in [("hitNo", "orderRef"), ("id", "orderId"), ("ticket", "auftragsnummer")] {
        let of = |number: i32| doc! {"_id": number, unique: format!("H{number}"), order: format!("O{}", number / 3), "ts": date(number)};
        let proposal = propose_valid(&sample(&[&["ts"]], of), &[]);
        assert_eq!(text(&proposal, "/trade_id"), Some(unique), "{}", proposal.mapping);
        assert!(field(&proposal, "trade_id").others.contains(&order.to_owned()));
        // Versions of an order are one trade.
        let versions = |number: i32| {
            let mut document = of(number);
            document.insert("version", number % 3);
            document
        };
        let proposal = propose_valid(&sample(&[&["ts"], &[order]], versions), &[]);
        assert_ne!(text(&proposal, "/trade_id"), None);
        assert!(!codes(&proposal).contains(&WarningCode::IdsShared));
    }
}

#[test]
fn an_id_of_several_trades_is_said_with_the_one_that_tells_them_apart() {
    let of = |apart: i32| move |number: i32| doc! {"_id": number, "dealId": format!("D{}", number / 2), "sliceId": format!("S{number}"), "ts": date(number / 2 * 2 + number % 2 * apart)};
    let proposal = propose_valid(&sample(&[&["ts"], &["dealId"]], of(1)), &[]);
    assert_eq!(text(&proposal, "/trade_id"), Some("dealId"), "{}", proposal.mapping);
    let said = warning(&proposal, WarningCode::IdsShared);
    assert!(said.starts_with("2.0 documents on average have the same dealId"), "{said}");
    let shared = proposal.warnings.iter().find(|one| one.code == WarningCode::IdsShared).unwrap();
    assert_eq!(shared.choices, [PartChoice { key: "trade_id".to_owned(), value: "sliceId".to_owned() }]);
    // What has the same time is an amendment.
    let proposal = propose_valid(&sample(&[&["ts"], &["dealId"]], of(0)), &[]);
    assert!(!codes(&proposal).contains(&WarningCode::IdsShared), "{:?}", proposal.warnings);
}

fn other(name: &str, path: &str, id: impl Into<Bson>) -> OtherCollection {
    OtherCollection {
        name: name.to_owned(),
        documents: vec![RawDocumentBuf::try_from(&doc! {"_id": 1, path: id}).unwrap()],
        indexes: Some(vec![vec!["_id".to_owned()], vec![path.to_owned()]]),
        is_small: false,
    }
}

fn link(trade_id: &str, collection: &str, path: &str, found: usize) -> Link {
    let (trade_id, path) = (trade_id.to_owned(), path.to_owned());
    Link { trade_id, collection: Some(collection.to_owned()), path, asked: 20, found }
}

/// A shell stores each whole number as a double.
#[test]
fn whole_doubles_are_trade_ids() {
    let of = |number: i32| {
        let mut document = doc! {"_id": bson::oid::ObjectId::new(), "contractNo": f64::from(500 + 7 * number), "ts": date(number), "price": f64::from(number)};
        if number > 200 {
            document.insert("uti", format!("U{number}"));
        }
        document
    };
    let mut sample = sample(&[&["_id"], &["contractNo"], &["ts"]], of);
    sample.others = vec![other("confirmations", "contractNo", 507.0)];
    let candidates = Study::of(&sample).id_candidates();
    let place = (Some("confirmations".to_owned()), "contractNo".to_owned());
    assert!(candidates.iter().any(|id| id.path == "contractNo" && id.look_in.contains(&place)));
    let proposal = propose_valid(&sample, &[link("contractNo", "confirmations", "contractNo", 20)]);
    assert_eq!(text(&proposal, "/trade_id"), Some("contractNo"), "{}", proposal.mapping);
    assert_eq!(text(&proposal, "/downstream_collection"), Some("confirmations"));
    assert!(!field(&proposal, "trade_id").others.contains(&"price".to_owned()));
    let lost = propose_valid(&sample, &[link("contractNo", "confirmations", "contractNo", 0)]);
    assert_eq!(
        warning(&lost, WarningCode::MessagesNotFound),
        "None of 20 sampled values of contractNo is in contractNo of confirmations, so no messages are proposed."
    );
}

#[test]
fn the_own_id_is_the_trade_id_if_messages_refer_to_it() {
    let id = |number: i32| {
        let seconds = u32::try_from(at(number).timestamp()).unwrap();
        bson::oid::ObjectId::from_parts(seconds, [3; 5], number.to_be_bytes()[1..].try_into().unwrap())
    };
    let of = |number: i32| doc! {"_id": id(number), "contractNo": 500 + number, "ts": date(number)};
    let with = |name: &str| Sample {
        others: vec![other(name, "contract", id(3))],
        ..sample(&[&["_id"], &["contractNo"], &["ts"]], of)
    };
    let proposal = propose_valid(&with("confirmations"), &[link("_id", "confirmations", "contract", 20)]);
    assert_eq!(text(&proposal, "/trade_id"), Some("_id"), "{}", proposal.mapping);
    assert_eq!(text(&proposal, "/downstream_trade_id"), Some("contract"));
    assert_eq!(field(&proposal, "trade_id").others[0], "contractNo");
    // A collection that has no name of messages is left to a person.
    let proposal = propose_valid(&with("scans"), &[link("_id", "scans", "contract", 20)]);
    assert_eq!(text(&proposal, "/trade_id"), Some("contractNo"), "{}", proposal.mapping);
    let doubt = proposal.warnings.iter().find(|one| one.code == WarningCode::DoubtfulMessages).unwrap();
    let choices: Vec<_> = doubt.choices.iter().map(|one| (one.key.as_str(), one.value.as_str())).collect();
    let expected =
        [("trade_id", "_id"), ("downstream_collection", "scans"), ("downstream_trade_id", "contract")];
    assert_eq!(choices, expected);
    // It may be the time as well.
    let alone = sample(&[&["_id"]], |number| doc! {"_id": id(number), "grade": pick(number, &["A", "B"])});
    let alone = Sample { others: vec![other("confirmations", "contract", id(3))], ..alone };
    let proposal = propose_valid(&alone, &[link("_id", "confirmations", "contract", 20)]);
    assert_eq!(text(&proposal, "/trade_id"), Some("_id"), "{}", proposal.mapping);
    assert_eq!(text(&proposal, "/timestamp/path"), Some("_id"));
    assert_eq!(text(&proposal, "/downstream_collection"), Some("confirmations"));
}

#[test]
fn what_never_changes_is_no_sure_filter() {
    let of = |number: i32| doc! {"_id": number, "dealId": format!("D{number}"), "ts": date(number), "desk": "Wool", "commodity": pick(number, &PRODUCTS)};
    let proposal = propose_valid(&sample(&[&["ts"], &["dealId"]], of), &[]);
    assert_eq!(text(&proposal, "/filters/cell"), Some("desk"));
    assert_eq!(field(&proposal, "filters.cell").confidence, Confidence::Likely);
    assert!(field(&proposal, "filters.cell").why.iter().any(|why| why.contains("the same value everywhere")));
    assert_eq!(field(&proposal, "filters.product").confidence, Confidence::Sure);
}

/// The day on which a freight office enters what was traded: the next one, but for a part of the trades.
fn entered(number: i32, at_once: i32) -> DateTime<Utc> {
    at(number) + TimeDelta::hours(if number % 100 < at_once { 0 } else { 30 })
}

/// An `ObjectId` that was made at a time.
fn made_at(at: DateTime<Utc>, number: i32) -> bson::oid::ObjectId {
    let counter: [u8; 3] = number.to_be_bytes()[1..].try_into().unwrap();
    bson::oid::ObjectId::from_parts(u32::try_from(at.timestamp()).unwrap(), [3; 5], counter)
}

#[test]
fn a_date_of_the_trade_wins_over_the_time_of_its_entry() {
    for (date_name, time_name) in [
        ("dealDate", "bookingTs"),
        ("data_operazione", "inserimento"),
        ("Abschlusstag", "eingabeZeitpunkt"),
        ("fixture.tradeDay", "fixture.uploadTime"),
        ("execution_date", "ts"),
    ] {
        for at_once in [0, 10, 50, 90] {
            let of = |number: i32| {
                let entry = entered(number, at_once);
                let made = made_at(entry, number);
                let entry = bson::DateTime::from_millis(entry.timestamp_millis());
                let day = at(number).format("%Y-%m-%d").to_string();
                let mut document = doc! {"_id": made, "charterNo": format!("C{number}")};
                for (path, value) in [(date_name, Bson::from(day)), (time_name, entry.into())] {
                    match path.split_once('.') {
                        None => drop(document.insert(path, value)),
                        Some((outer, inner)) => {
                            let mut parent = document.get_document(outer).cloned().unwrap_or_default();
                            parent.insert(inner, value);
                            document.insert(outer, parent);
                        }
                    }
                }
                document
            };
            let proposal = propose_valid(&sample(&[&["charterNo"]], of), &[]);
            let chosen = text(&proposal, "/business_date/path");
            assert_eq!(chosen, Some(date_name), "{time_name} {at_once} {}", proposal.mapping);
            let date = field(&proposal, "business_date");
            assert!(date.others.iter().any(|other| other == time_name), "{:?}", date.others);
            let said = warning(&proposal, WarningCode::DayDisagrees);
            assert!(said.starts_with(&format!("{date_name} is the date of {time_name} for")), "{said}");
            assert!(said.contains(&format!("Days follow {date_name}")), "{said}");
        }
    }
}

#[test]
fn a_time_on_the_date_of_the_trade_is_better_than_the_date() {
    let of = |number: i32| {
        let day = at(number).format("%Y-%m-%d").to_string();
        doc! {"_id": number, "lotNo": format!("L{number}"), "dealDate": day, "dealTime": date(number), "dueDate": "2026-01-31"}
    };
    let proposal = propose_valid(&sample(&[&["lotNo"]], of), &[]);
    assert_eq!(text(&proposal, "/timestamp"), Some("dealTime"), "{}", proposal.mapping);
    assert_eq!(field(&proposal, "timestamp").others[0], "dealDate");
    assert!(!codes(&proposal).contains(&WarningCode::DayDisagrees), "{:?}", proposal.warnings);
}

#[test]
fn a_date_of_the_trade_at_midnight_in_a_zone_wins_over_the_time_of_its_entry() {
    let zone = DayZone::parse("Europe/Athens").unwrap();
    let of = |number: i32| {
        let start = zone.start_of(zone.day_of(at(number)));
        let day = bson::DateTime::from_millis(start.timestamp_millis());
        doc! {"_id": number, "lotNo": format!("L{number}"), "dealDay": day, "recordedAt": entered(number, 20).timestamp_millis()}
    };
    let proposal = propose_valid(&sample(&[&["lotNo"]], of), &[]);
    assert_eq!(text(&proposal, "/timestamp"), Some("dealDay"), "{}", proposal.mapping);
    assert_eq!(text(&proposal, "/day_zone"), Some("Europe/Athens"));
    let said = warning(&proposal, WarningCode::DayDisagrees);
    assert!(said.starts_with("dealDay is the date of recordedAt for"), "{said}");
}

/// A session of the evening belongs to the next business day.
#[test]
fn two_dates_of_the_trade_that_differ_are_said_and_unsure() {
    let of = |number: i32| {
        let day = |days: i64| (at(number) + TimeDelta::days(days)).format("%Y%m%d").to_string();
        let rolls = i64::from(number % 5 < 2);
        doc! {"_id": number, "fillNo": format!("F{number}"), "dealDate": day(0), "tradingDate": day(rolls), "settleDate": day(2)}
    };
    let proposal = propose_valid(&sample(&[&["fillNo"]], of), &[]);
    let chosen = text(&proposal, "/business_date/path").unwrap();
    assert_eq!(field(&proposal, "business_date").confidence, Confidence::Unsure);
    let said = warning(&proposal, WarningCode::DayDisagrees);
    assert!(said.contains("are on the same day for 60% of the documents only"), "{said}");
    assert!(said.contains(&format!("Days follow {chosen}")), "{said}");
    assert!(!said.contains("settleDate"), "{said}");
    // A day of the year that differs from the date of the trade is as doubtful.
    let of = |number: i32| {
        let later = at(number) + TimeDelta::days(i64::from(number % 5 == 0));
        let part = |form: &str| later.format(form).to_string().parse::<i32>().unwrap();
        let day = at(number).format("%Y-%m-%d").to_string();
        doc! {"_id": number, "year": part("%Y"), "dayOfYear": part("%j"), "timestamp": bson::DateTime::from_millis(later.timestamp_millis()), "dealDate": day}
    };
    let proposal = propose_valid(&sample(&[&["year", "dayOfYear"]], of), &[]);
    assert_eq!(text(&proposal, "/day_of_year"), Some("dayOfYear"), "{}", proposal.mapping);
    assert_eq!(field(&proposal, "day_of_year").confidence, Confidence::Unsure);
    let said = warning(&proposal, WarningCode::DayDisagrees);
    assert!(said.starts_with("dealDate and dayOfYear are on the same day for 80%"), "{said}");
}

/// The year of the delivery is a different one on the last day of the year only, which the sample may lack.
#[test]
fn the_year_and_the_day_of_the_year_are_those_of_one_date() {
    let part = |at: DateTime<Utc>, form: &str| at.format(form).to_string().parse::<i32>().unwrap();
    let nested = |number: i32| {
        let (trade, arrival) = (at(number), at(number) + TimeDelta::days(1));
        doc! {
            "_id": number, "cargo": format!("C{number}"),
            "arrival": {"year": part(arrival, "%Y"), "yday": part(arrival, "%j")},
            "fixing": {"at": date(number), "year": part(trade, "%Y"), "yday": part(trade, "%j")},
        }
    };
    let flat = |number: i32| {
        let (trade, arrival) = (at(number), at(number) + TimeDelta::days(1));
        doc! {
            "_id": number, "cargo": format!("C{number}"), "at": date(number),
            "arrival_year": part(arrival, "%Y"), "arrival_yday": part(arrival, "%j"),
            "fixing_year": part(trade, "%Y"), "fixing_yday": part(trade, "%j"),
        }
    };
    for (of, year, day) in [
        (&nested as &dyn Fn(i32) -> Document, "fixing.year", "fixing.yday"),
        (&flat, "fixing_year", "fixing_yday"),
    ] {
        let proposal = propose_valid(&sample(&[&["cargo"]], of), &[]);
        assert_eq!(text(&proposal, "/year"), Some(year), "{}", proposal.mapping);
        assert_eq!(text(&proposal, "/day_of_year"), Some(day));
        let without = |number: i32| {
            let mut document = of(number);
            document.remove("fixing_year");
            if let Ok(fixing) = document.get_document_mut("fixing") {
                fixing.remove("year");
            }
            document
        };
        // The year of the arrival belongs to the day of the arrival: the time determines that of the fixing.
        let proposal = propose_valid(&sample(&[&["cargo"]], without), &[]);
        assert_eq!(proposal.mapping["year"], Value::Null, "{}", proposal.mapping);
        assert_eq!(text(&proposal, "/day_of_year"), Some(day));
    }
}

#[test]
fn a_count_that_does_not_begin_in_1970_is_said() {
    // Seconds since 2000.
    let count = |number: i32| at(number).timestamp() - 946_684_800;
    let beside = |number: i32| {
        doc! {"_id": made_at(at(number), number), "lotNo": format!("L{number}"), "tradeTime": count(number) + 500_000_000, "stored": date(number)}
    };
    let proposal = propose_valid(&sample(&[&["lotNo"]], beside), &[]);
    assert_ne!(text(&proposal, "/timestamp/path"), Some("tradeTime"), "{}", proposal.mapping);
    let said = warning(&proposal, WarningCode::PassedOver);
    assert!(said.starts_with("tradeTime read as seconds counts since 1970"), "{said}");
    // The time of the last change shows it as well, although it is not that of the trade.
    let numbered = |number: i32| doc! {"_id": number, "lotNo": format!("L{number}"), "tradeTime": count(number) + 500_000_000, "modifiedOn": date(number)};
    let proposal = propose_valid_or_nowhere(&sample(&[&["lotNo"]], numbered));
    assert!(warning(&proposal, WarningCode::PassedOver).starts_with("tradeTime read as seconds"));
    // What is called no time is none.
    let other = |number: i32| {
        doc! {"_id": made_at(at(number), number), "lotNo": format!("L{number}"), "batchNo": 1_100_000_000 + number}
    };
    let proposal = propose_valid(&sample(&[&["lotNo"]], other), &[]);
    assert_eq!(text(&proposal, "/timestamp/path"), Some("_id"), "{}", proposal.mapping);
    // All documents were loaded at once, so it may be an old trade as well.
    let loaded = "2025-11-01T02:00:00Z".parse::<DateTime<Utc>>().unwrap();
    let at_once = |number: i32| {
        doc! {"_id": made_at(loaded, number), "lotNo": format!("L{number}"), "tradeTime": count(number) + 500_000_000}
    };
    let proposal = propose_valid(&sample(&[&["lotNo"]], at_once), &[]);
    assert_eq!(text(&proposal, "/timestamp/path"), Some("tradeTime"), "{}", proposal.mapping);
    assert_eq!(field(&proposal, "timestamp").confidence, Confidence::Unsure);
    assert!(warning(&proposal, WarningCode::DayDisagrees).contains("Check one with a trade that you know."));
    // A right one needs no word.
    let right = |number: i32| {
        doc! {"_id": made_at(at(number), number), "lotNo": format!("L{number}"), "tradeTime": at(number).timestamp()}
    };
    let codes = codes(&propose_valid(&sample(&[&["lotNo"]], right), &[]));
    let is_said = |code: &WarningCode| matches!(code, WarningCode::PassedOver | WarningCode::DayDisagrees);
    assert!(!codes.iter().any(is_said), "{codes:?}");
}

#[test]
fn a_clock_beside_local_texts_shows_their_zone() {
    let written = |number: i32, zone: &str| {
        let zone: chrono_tz::Tz = zone.parse().unwrap();
        at(number).with_timezone(&zone).format("%Y-%m-%d %H:%M:%S").to_string()
    };
    // Some are stored at once, the others within hours.
    let stored = |number: i32| {
        at(number) + TimeDelta::seconds([1, 4_000, 2, 15_000][usize::try_from(number % 4).unwrap()])
    };
    let of = |zone: &'static str| {
        move |number: i32| {
            doc! {"_id": number, "lotNo": format!("L{number}"), "dealTime": written(number, zone), "storedAt": stored(number).timestamp_millis()}
        }
    };
    let singapore = propose_valid(&sample(&[&["dealTime"], &["lotNo"]], of("Asia/Singapore")), &[]);
    let time = json!({"path": "dealTime", "form": "iso_text", "zone": "Asia/Singapore"});
    assert_eq!(singapore.mapping["timestamp"], time);
    assert_eq!(text(&singapore, "/day_zone"), Some("Asia/Singapore"));
    assert_eq!(field(&singapore, "day_zone").confidence, Confidence::Likely);
    assert!(field(&singapore, "timestamp").why[0].starts_with("a text such as 2025-01-31T09:30:00 in all"));
    assert_eq!(codes(&singapore), []);
    // Winter alone does not tell London from UTC.
    let winter = |number: i32| of("Europe/London")(number % 60);
    let proposal = propose_valid(&sample(&[&["dealTime"], &["lotNo"]], winter), &[]);
    assert_eq!(text(&proposal, "/day_zone"), Some("UTC"));
    assert!(codes(&proposal).contains(&WarningCode::ZoneUnknown));
}

/// The time that is stored lies on the next day now and then; the text lies on the day of the year always.
#[test]
fn the_time_that_agrees_always_is_taken_with_the_day_of_the_year() {
    let zone = DayZone::parse("Asia/Dubai").unwrap();
    let of = |number: i32| {
        let local = zone.day_of(at(number));
        let tz: chrono_tz::Tz = "Asia/Dubai".parse().unwrap();
        let stored = at(number) + TimeDelta::seconds([1, 2, 90, 4_000][usize::try_from(number % 4).unwrap()]);
        doc! {
            "_id": number, "lotNo": format!("L{number}"), "made": at(number).with_timezone(&tz).format("%Y-%m-%dT%H:%M:%S").to_string(),
            "sistema": bson::DateTime::from_millis(stored.timestamp_millis()), "ano": local.year(),
            "diaAno": i32::try_from(local.day_of_year()).unwrap(),
        }
    };
    let proposal = propose_valid(&sample(&[&["ano", "diaAno"], &["lotNo"]], of), &[]);
    assert_eq!(text(&proposal, "/timestamp/path"), Some("made"), "{}", proposal.mapping);
    assert_eq!(text(&proposal, "/timestamp/zone"), Some("Asia/Dubai"));
    assert_eq!(text(&proposal, "/day_zone"), Some("Asia/Dubai"));
}

#[test]
fn zones_that_the_sample_does_not_tell_apart_are_named() {
    let johannesburg: chrono_tz::Tz = "Africa/Johannesburg".parse().unwrap();
    // Summer in Europe.
    let of = |number: i32| {
        let at = at(90 + number % 120).with_timezone(&johannesburg);
        doc! {"_id": number, "lotNo": format!("L{number}"), "executedAt": at.format("%Y-%m-%dT%H:%M:%S%:z").to_string()}
    };
    let proposal = propose_valid(&sample(&[&["executedAt"], &["lotNo"]], of), &[]);
    assert_eq!(text(&proposal, "/day_zone"), Some("Europe/Berlin"));
    let said = warning(&proposal, WarningCode::ZoneUnknown);
    assert!(
        said.contains("do not tell the days of Europe/Berlin from") && said.contains("Johannesburg"),
        "{said}"
    );
    assert!(!said.contains("Europe/Paris"), "its days are the same always: {said}");
}

/// A session that ends before midnight in each zone of Asia.
#[test]
fn zones_in_which_the_times_lie_on_the_same_dates_are_named() {
    let zone = DayZone::parse("Asia/Tokyo").unwrap();
    let of = |number: i32| {
        let start = zone.start_of(zone.day_of(at(number)));
        let at = start + TimeDelta::minutes(6 * 60 + i64::from(number * 37 % 900));
        let day = zone.day_of(at).to_string();
        doc! {"_id": number, "lotNo": format!("L{number}"), "dealTime": bson::DateTime::from_millis(at.timestamp_millis()), "dealDate": day}
    };
    let proposal = propose_valid(&sample(&[&["dealTime"], &["lotNo"]], of), &[]);
    assert_eq!(text(&proposal, "/timestamp"), Some("dealTime"), "{}", proposal.mapping);
    let said = warning(&proposal, WarningCode::ZoneUnknown);
    assert!(said.contains("do not tell the days of Asia/Singapore from those of Asia/Tokyo"), "{said}");
    assert_eq!(field(&proposal, "day_zone").confidence, Confidence::Unsure);
    // The date is not a guess.
    let proposal = propose_valid(&sample(&[&["lotNo"]], of), &[]);
    assert_eq!(text(&proposal, "/business_date/path"), Some("dealDate"), "{}", proposal.mapping);
    assert!(!codes(&proposal).contains(&WarningCode::ZoneUnknown), "{:?}", proposal.warnings);
}

#[test]
fn midnights_of_a_delivery_are_a_hint_at_the_zone() {
    let zone = DayZone::parse("Asia/Kolkata").unwrap();
    let of = |number: i32| {
        let begin = zone.start_of(zone.day_of(at(number)).plus(1 + number % 9));
        doc! {"_id": number, "lotNo": format!("L{number}"), "executedAt": date(number), "delivery": {"begin": bson::DateTime::from_millis(begin.timestamp_millis())}}
    };
    let proposal = propose_valid(&sample(&[&["executedAt"], &["lotNo"]], of), &[]);
    assert_eq!(text(&proposal, "/timestamp"), Some("executedAt"), "{}", proposal.mapping);
    assert_eq!(text(&proposal, "/day_zone"), Some("Asia/Kolkata"));
    assert_eq!(field(&proposal, "day_zone").confidence, Confidence::Unsure);
    assert!(
        warning(&proposal, WarningCode::ZoneUnknown).contains("all values of delivery.begin are midnight")
    );
}

#[test]
fn dates_and_numbers_in_texts_are_named_as_what_they_are() {
    let of = |number: i32| {
        let day = at(number).format("%Y-%m-%d").to_string();
        doc! {"_id": number, "lotNo": format!("L{number}"), "dealDate": day, "raw": {"time": at(number).timestamp_millis().to_string()}}
    };
    let proposal = propose_valid(&sample(&[&["lotNo"]], of), &[]);
    assert_eq!(field(&proposal, "business_date").why[0], "a text such as 2025-01-31 in all of the documents");
    let said = warning(&proposal, WarningCode::PassedOver);
    assert!(said.starts_with("raw.time has numbers as text"), "{said}");
}
