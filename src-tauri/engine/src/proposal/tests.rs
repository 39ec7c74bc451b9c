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
    assert_eq!(codes(&proposal), [WarningCode::NoDayIndex, WarningCode::NoIdIndex]);
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
            indexes: vec![vec!["_id".to_owned()], vec!["parent.ref".to_owned()]],
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
        indexes: vec![vec!["tradeId".to_owned()]],
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
    let sparse = propose_valid(&sample(&[&["deal"]], of(7_919)), &[link]);
    assert_eq!(text(&sparse, "/downstream_collection"), Some("notes"));
    assert_eq!(text(&sparse, "/downstream_trade_id"), Some("subject"));
}
