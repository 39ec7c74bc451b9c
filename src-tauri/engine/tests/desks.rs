//! Ten desks, as they were invented by people who had not seen how mappings are proposed: names of several languages and
//! styles, every form of time, messages beside their trades, in a collection of their own, or none. Whatever is proposed
//! for them has to fetch, day by day, what the desk itself would count.

use std::collections::BTreeMap;

use bson::spec::BinarySubtype;
use bson::{Binary, Bson, Document, doc};
use chrono::{DateTime, Datelike as _, TimeDelta, Utc, Weekday};
use mongodb::{Database, IndexModel};
use serde_json::{Value, json};
use tidemark_engine::answer::AnswerRows;
use tidemark_engine::day::{Day, DayZone};
use tidemark_engine::proposal::WarningCode;
use tidemark_engine::query::mapping::Mapping;
use tidemark_engine::source::{Source, SourceSettings};
use tidemark_test_support::server;

use crate::support::fixture::{Fixture, range};

/// What the desks traded in.
const SEASON: (&str, &str) = ("2025-01-06", "2025-04-18");
/// What is fetched of it, and looked at day by day.
const MONTH: (&str, &str) = ("2025-03-10", "2025-04-09");

/// A trade: the day that its desk counts it on, and its time.
#[derive(Clone, Copy)]
struct Trade {
    number: i32,
    day: Day,
    at: DateTime<Utc>,
}

impl Trade {
    fn pick(&self, of: &[&str]) -> String {
        of[usize::try_from(self.number).unwrap() % of.len()].to_owned()
    }

    fn text(&self, zone: &str, form: &str) -> String {
        let zone: chrono_tz::Tz = zone.parse().unwrap();
        self.at.with_timezone(&zone).format(form).to_string()
    }

    fn date(&self) -> Bson {
        Bson::DateTime(bson::DateTime::from_millis(self.at.timestamp_millis()))
    }

    /// The number of its messages, and the time of each.
    fn messages(&self) -> impl Iterator<Item = (i32, Self)> + use<> {
        let trade = *self;
        (0..self.number % 3).map(move |count| {
            let number = 10 * trade.number + count;
            (number, Self { at: trade.at + TimeDelta::minutes(17 + 400 * i64::from(count)), ..trade })
        })
    }
}

/// Ten trades a day, from one hour to another of the day in its zone; hours before 0 belong to the evening before.
fn trades(zone: &str, hours: (i32, i32), has_weekends: bool) -> Vec<Trade> {
    let zone = DayZone::parse(zone).unwrap();
    let days = range(SEASON.0, SEASON.1)
        .days()
        .filter(|day| has_weekends || !matches!(day.date().weekday(), Weekday::Sat | Weekday::Sun));
    let mut found = Vec::new();
    for day in days {
        for count in 0..10 {
            let number = i32::try_from(found.len()).unwrap() + 1;
            // Not at the same minutes each day.
            let second = 3_600 * hours.0 + (hours.1 - hours.0) * 360 * count + number * 7_919 % 355;
            let at = zone.start_of(day) + TimeDelta::seconds(second.into()) + TimeDelta::milliseconds(123);
            found.push(Trade { number, day, at });
        }
    }
    found
}

fn object_id(at: DateTime<Utc>, number: i32) -> Bson {
    let seconds = u32::try_from(at.timestamp()).unwrap();
    let counter: [u8; 3] = number.to_be_bytes()[1..].try_into().unwrap();
    Bson::ObjectId(bson::oid::ObjectId::from_parts(seconds, [7; 5], counter))
}

/// A database, and what has to be proposed for its trades.
struct Desk {
    name: &'static str,
    trades: Vec<Trade>,
    has_messages: bool,
    /// Its collections; the trades are in the first.
    collections: Vec<(&'static str, Vec<Document>)>,
    /// Collection and path.
    indexes: Vec<(&'static str, &'static str)>,
    /// Parts of the proposed mapping.
    expected: Vec<(&'static str, Value)>,
    /// How the collection of the trades is created, if not by itself.
    created: Option<Document>,
    /// The view that stands for it.
    view: Option<Document>,
}

fn desk(name: &'static str, trades: Vec<Trade>, of: impl Fn(&Trade) -> Document) -> Desk {
    let documents = trades.iter().map(of).collect();
    Desk {
        name,
        trades,
        has_messages: false,
        collections: vec![("trades", documents)],
        indexes: Vec::new(),
        expected: Vec::new(),
        created: None,
        view: None,
    }
}

impl Desk {
    fn with_messages(mut self, collection: &'static str, of: impl Fn(i32, &Trade) -> Document) -> Self {
        let all = self.trades.iter().flat_map(Trade::messages);
        let messages: Vec<Document> = all.map(|(number, trade)| of(number, &trade)).collect();
        match self.collections.iter_mut().find(|(name, _)| *name == collection) {
            Some((_, documents)) => documents.extend(messages),
            None => self.collections.push((collection, messages)),
        }
        self.has_messages = true;
        self
    }

    fn with_indexes(mut self, indexes: &[(&'static str, &'static str)]) -> Self {
        self.indexes = indexes.to_vec();
        self
    }

    fn expecting(mut self, expected: &[(&'static str, Value)]) -> Self {
        self.expected = expected.to_vec();
        self
    }

    /// The rows of each day of a month.
    fn rows(&self) -> BTreeMap<Day, AnswerRows> {
        let mut rows: BTreeMap<Day, AnswerRows> =
            range(MONTH.0, MONTH.1).days().map(|day| (day, AnswerRows { input: 0, downstream: 0 })).collect();
        for trade in &self.trades {
            if let Some(rows) = rows.get_mut(&trade.day) {
                rows.input += 1;
                rows.downstream += if self.has_messages { trade.messages().count() as u64 } else { 0 };
            }
        }
        rows
    }

    /// Proposes a mapping, and fetches by it.
    async fn check(self) {
        let name = self.name;
        let mut fixture = Fixture::at(server().uri(), server().uri(), name, "", vec![doc! {}]).await;
        let database = fixture.collection.client().database(&fixture.collection.namespace().db);
        fixture.source = self.store(&database).await;
        let proposal = fixture.source.propose().await.unwrap();
        for (pointer, value) in &self.expected {
            let found = proposal.mapping.pointer(pointer).unwrap_or(&Value::Null);
            assert_eq!(found, value, "{name} {pointer} {}", proposal.mapping);
        }
        let is_slow = |code: &WarningCode| matches!(code, WarningCode::NoDayIndex | WarningCode::NoDay);
        let codes: Vec<WarningCode> = proposal.warnings.iter().map(|warning| warning.code).collect();
        assert!(!codes.iter().any(is_slow), "{name} {codes:?}");
        fixture.mapping = Mapping::parse(&proposal.mapping.to_string()).unwrap();
        fixture.fetch(MONTH.0, MONTH.1).await;
        for (day, rows) in self.rows() {
            let answer = fixture.fetch(&day.to_string(), &day.to_string()).await;
            assert_eq!(answer.rows, rows, "{name} {day} {}", proposal.mapping);
            assert_eq!(answer.mongo_commands, 0, "{name} {day}");
        }
    }

    async fn store(&self, database: &Database) -> Source {
        database.collection::<Document>("trades").drop().await.unwrap();
        if let Some(command) = &self.created {
            database.run_command(command.clone()).await.unwrap();
        }
        for (collection, documents) in &self.collections {
            database.collection::<Document>(collection).insert_many(documents).await.unwrap();
        }
        for (collection, paths) in &self.indexes {
            let keys: Document = paths.split(' ').map(|path| (path.to_owned(), Bson::Int32(1))).collect();
            let model = IndexModel::builder().keys(keys).build();
            database.collection::<Document>(collection).create_index(model).await.unwrap();
        }
        let mut collection = "trades".to_owned();
        if let Some(command) = &self.view {
            database.run_command(command.clone()).await.unwrap();
            collection = command.get_str("create").unwrap().to_owned();
        }
        let settings = SourceSettings {
            uri: server().uri().to_owned(),
            password: None,
            database: database.name().to_owned(),
            collection,
        };
        Source::new(&settings).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn german_power_by_the_day_of_the_year() {
    let zone = "Europe/Berlin";
    desk("german", trades(zone, (0, 24), true), |trade| {
        doc! {
            "_id": object_id(trade.at, trade.number), "geschaeftsNr": i64::from(41_700_000 + 3 * trade.number), "version": 1 + trade.number % 3,
            "ausfuehrung": {
                "zeitpunkt": trade.date(), "haendler": trade.pick(&["mmeier", "kschulz"]), "handelsjahr": trade.day.year(),
                "tagImJahr": i32::try_from(trade.day.day_of_year()).unwrap(),
            },
            "lieferung": {"beginn": bson::DateTime::from_millis(trade.at.timestamp_millis() + 90_000_000)},
            "produkt": trade.pick(&["Viertelstunde", "Stunde", "Block"]), "handelszelle": trade.pick(&["Nord", "Süd"]),
            "empfaenger": trade.pick(&["EPEX", "NordPool", "OTC"]), "bezugsDispatcher": trade.pick(&["LDZ-1", "LDZ-2"]),
        }
    })
    .with_messages("nachrichten", |number, trade| {
        doc! {
            "_id": object_id(trade.at, number), "bezug": {"geschaeftsNr": i64::from(41_700_000 + 3 * trade.number)},
            "zeitpunkt": trade.date(), "art": "Bestätigung",
        }
    })
    .with_indexes(&[
        ("trades", "ausfuehrung.handelsjahr ausfuehrung.tagImJahr"),
        ("trades", "geschaeftsNr"),
        ("nachrichten", "bezug.geschaeftsNr"),
    ])
    .expecting(&[
        ("/trade_id", json!("geschaeftsNr")),
        ("/day_zone", json!(zone)),
        ("/day_of_year", json!("ausfuehrung.tagImJahr")),
        ("/downstream_trade_id", json!("bezug.geschaeftsNr")),
        ("/filters/cell", json!("handelszelle")),
        ("/filters/relatedDispatcher", json!("bezugsDispatcher")),
    ])
    .check()
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn london_oil_with_messages_in_the_same_collection() {
    let text = |trade: &Trade| trade.text("Europe/London", "%Y-%m-%dT%H:%M:%S%.3f%:z");
    desk("london", trades("Europe/London", (7, 24), false), |trade| {
        doc! {
            "_id": object_id(trade.at, trade.number), "evt_type": "TRADE", "executed_at": text(trade),
            "trade_ref": format!("OIL-{:06}", trade.number), "commodity": trade.pick(&["Brent", "WTI", "Gasoil"]),
            "cell": trade.pick(&["LDN-CRUDE", "LDN-DIST"]), "receiver": trade.pick(&["BP", "Shell", "Vitol"]),
            "expiry_date": trade.pick(&["2025-09-30", "2025-12-31"]), "state": trade.pick(&["NEW", "AMENDED", "CANCELLED"]),
        }
    })
    .with_messages("trades", |number, trade| {
        doc! {
            "_id": object_id(trade.at, 100_000 + number), "evt_type": (["ACK", "CONFIRM"][usize::from(number % 10 > 0)]),
            "executed_at": text(trade), "trade_ref": format!("OIL-{:06}", trade.number), "sender": trade.pick(&["ICE", "BO"]), "state": "SENT",
        }
    })
    .with_indexes(&[("trades", "executed_at"), ("trades", "trade_ref")])
    .expecting(&[
        ("/trade_id", json!("trade_ref")),
        ("/day_zone", json!("Europe/London")),
        ("/input_match", json!({"evt_type": "TRADE"})),
        ("/filters/relatedDispatcher", Value::Null),
    ])
    .check()
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn futures_with_fix_times_and_a_trade_date_that_rolls() {
    desk("futures", trades("America/New_York", (-6, 17), false), |trade| {
        doc! {
            "_id": object_id(trade.at, trade.number), "EXEC_ID": format!("X{:08}", trade.number), "MSG_SEQ_NUM": trade.number,
            "TRANSACT_TIME": trade.text("UTC", "%Y%m%d-%H:%M:%S%.3f"), "TRADE_DATE": trade.day.date().format("%Y%m%d").to_string(),
            "SYMBOL": trade.pick(&["ESZ6", "NQZ6", "CLX6"]), "DESK": trade.pick(&["RATES", "INDEX"]),
            "LAST_PX": (70.0 + f64::from(trade.number % 100)), "MATURITY_DATE": trade.pick(&["20251218", "20251120"]),
        }
    })
    .with_messages("DROP_COPY", |number, trade| {
        doc! {
            "_id": object_id(trade.at, number), "EXEC_REF_ID": format!("X{:08}", trade.number),
            "SENDING_TIME": trade.text("UTC", "%Y%m%d-%H:%M:%S"), "MSG_TYPE": "AE",
        }
    })
    .with_indexes(&[("trades", "TRADE_DATE"), ("trades", "EXEC_ID"), ("DROP_COPY", "EXEC_REF_ID")])
    .expecting(&[
        ("/trade_id", json!("EXEC_ID")),
        ("/business_date/path", json!("TRADE_DATE")),
        ("/downstream_trade_id", json!("EXEC_REF_ID")),
    ])
    .check()
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn french_gas_in_milliseconds_with_a_day_of_the_year_alone() {
    let millis = |trade: &Trade| trade.at.timestamp_millis();
    desk("french", trades("Europe/Paris", (7, 19), false), |trade| {
        doc! {
            "_id": trade.number, "identifiantOperation": format!("GAZ-{:05}", trade.number),
            "operation": {"horodatage": millis(trade), "jourDeLAnnee": i32::try_from(trade.day.day_of_year()).unwrap(), "operateur": trade.pick(&["dupont", "martin"])},
            "produit": {"code": trade.pick(&["PEG", "TTF", "ZTP"])}, "cellule": trade.pick(&["Spot", "Terme"]),
            "destinataire": trade.pick(&["ENGIE", "EDF"]), "expediteurLie": trade.pick(&["GRTgaz", "Teréga", "Fluxys"]),
            "nominal": 1_500_000_000_i64 + i64::from(trade.number) * 77_777, "statut": trade.pick(&["validé", "annulé"]),
        }
    })
    .with_messages("courriers", |number, trade| {
        doc! {"_id": number, "ref": {"operation": format!("GAZ-{:05}", trade.number)}, "envoyeLe": millis(trade)}
    })
    .with_indexes(&[("trades", "operation.jourDeLAnnee"), ("trades", "identifiantOperation"), ("courriers", "ref.operation")])
    .expecting(&[
        ("/trade_id", json!("identifiantOperation")),
        ("/timestamp/form", json!("epoch_ms")),
        ("/day_of_year", json!("operation.jourDeLAnnee")),
        ("/filters/relatedDispatcher", json!("expediteurLie")),
    ])
    .check()
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn japanese_power_by_a_day_in_digits() {
    desk("japanese", trades("Asia/Tokyo", (7, 18), false), |trade| {
        let day: i32 = trade.day.date().format("%Y%m%d").to_string().parse().unwrap();
        let seconds: f64 = trade.at.timestamp().to_string().parse().unwrap();
        doc! {
            "_id": object_id(trade.at, trade.number), "yakujo_bango": 880_000 + trade.number, "torihiki_bi": day,
            "yakujo_jikoku": (seconds + 0.25), "shohin": trade.pick(&["ベースロード", "ピーク"]), "uketorinin": trade.pick(&["JERA", "東京電力"]),
            "kingaku": 1_600_000_000 + trade.number, "jotai": trade.pick(&["成立", "取消"]),
        }
    })
    .with_indexes(&[("trades", "torihiki_bi"), ("trades", "yakujo_bango")])
    .expecting(&[
        ("/trade_id", json!("yakujo_bango")),
        ("/business_date/path", json!("torihiki_bi")),
        ("/filters/receiver", json!("uketorinin")),
    ])
    .check()
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dutch_gas_whose_only_time_is_in_the_object_id() {
    desk("dutch", trades("Europe/Amsterdam", (7, 18), false), |trade| {
        doc! {
            "_id": object_id(trade.at, trade.number), "transactieNummer": format!("TTF-{}", trade.number), "product": trade.pick(&["TTF-DA", "TTF-M1"]),
            "cel": trade.pick(&["A1", "A2"]), "leverperiode": {"van": "2025-09-01", "tot": "2025-09-28"}, "status": trade.pick(&["bevestigd", "geannuleerd"]),
        }
    })
    .with_indexes(&[("trades", "transactieNummer")])
    .expecting(&[
        ("/trade_id", json!("transactieNummer")),
        ("/timestamp", json!({"path": "_id", "form": "object_id", "zone": "UTC"})),
        ("/filters/cell", json!("cel")),
    ])
    .check()
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn spanish_trades_with_decimal_microseconds_and_uuids() {
    let micros = |trade: &Trade| Bson::Decimal128(trade.at.timestamp_micros().to_string().parse().unwrap());
    let id = |trade: &Trade| {
        let mut bytes = [0x40; 16];
        bytes[..4].copy_from_slice(&trade.number.wrapping_mul(7_919).to_be_bytes());
        Bson::Binary(Binary { subtype: BinarySubtype::Uuid, bytes: bytes.to_vec() })
    };
    desk("spanish", trades("Europe/Madrid", (7, 20), false), |trade| {
        doc! {
            "_id": object_id(trade.at + TimeDelta::hours(9), trade.number), "idOperacion": id(trade), "secuencia": i64::from(trade.number),
            "marcaTiempo": micros(trade), "mesa": trade.pick(&["Gas", "CO2"]), "contrapartida": trade.pick(&["Iberdrola", "Endesa"]),
            "patas": [{"producto": trade.pick(&["OMIP-M", "OMIP-Q"]), "cantidad": trade.number % 20}],
        }
    })
    .with_messages("mensajes", |number, trade| {
        doc! {"_id": object_id(trade.at, number), "operacion": {"id": id(trade)}, "enviado": micros(trade), "clase": "acuse"}
    })
    .with_indexes(&[("trades", "marcaTiempo"), ("trades", "idOperacion"), ("mensajes", "operacion.id")])
    .expecting(&[
        ("/trade_id", json!("idOperacion")),
        ("/timestamp/form", json!("epoch_us")),
        ("/downstream_trade_id", json!("operacion.id")),
        ("/filters/product", json!("patas.producto")),
    ])
    .check()
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fills_in_a_time_series() {
    let mut fills = desk("fills", trades("UTC", (0, 24), true), |trade| {
        doc! {
            "ts": trade.date(), "meta": {"sym": trade.pick(&["BTC-USD", "ETH-USD"]), "bk": trade.pick(&["ARB1", "MM1"])},
            "tid": 7_100_000_000_i64 + 3 * i64::from(trade.number), "px": (100.0 + f64::from(trade.number)),
            "upd": bson::DateTime::from_millis(trade.at.timestamp_millis() + 9_000_000),
        }
    })
    .expecting(&[
        ("/trade_id", json!("tid")),
        ("/timestamp", json!("ts")),
        ("/filters/product", json!("meta.sym")),
        ("/filters/cell", json!("meta.bk")),
    ]);
    fills.created = Some(doc! {"create": "trades", "timeseries": {"timeField": "ts", "metaField": "meta"}});
    fills.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_of_deals_with_days_of_new_york() {
    let zone = "America/New_York";
    let mut deals = desk("view", trades(zone, (0, 24), false), |trade| {
        let loaded = bson::DateTime::from_millis(trade.at.timestamp_millis() + 100_000_000);
        doc! {
            "_id": object_id(trade.at + TimeDelta::hours(27), trade.number), "_cls": "Deal", "DealId": format!("D-{:06X}", trade.number * 17), "TradeTime": trade.date(),
            "Cal": {"Year": trade.day.year(), "DayOfYear": i32::try_from(trade.day.day_of_year()).unwrap()},
            "Commodity": trade.pick(&["Henry Hub", "WTI"]), "Book": trade.pick(&["NG-East", "Crude"]), "Counterparty": trade.pick(&["Cargill", "BP"]),
            "Deleted": false, "LoadedAt": loaded, "ModifiedOn": loaded,
        }
    })
    .with_messages("DealMessages", |number, trade| {
        doc! {"_id": number, "Header": {"DealId": format!("D-{:06X}", trade.number * 17), "SentAt": trade.date()}}
    })
    .with_indexes(&[("trades", "Cal.Year Cal.DayOfYear"), ("trades", "DealId"), ("DealMessages", "Header.DealId")])
    .expecting(&[
        ("/trade_id", json!("DealId")),
        ("/day_zone", json!(zone)),
        ("/day_of_year", json!("Cal.DayOfYear")),
        ("/downstream_collection", json!("DealMessages")),
        ("/downstream_trade_id", json!("Header.DealId")),
    ]);
    let deleted = |trade: &Trade| doc! {"_id": 10_000_000 + trade.number, "DealId": format!("gone {}", trade.number), "TradeTime": trade.date(), "Deleted": true};
    let gone: Vec<Document> = deals.trades.iter().take(50).map(deleted).collect();
    deals.collections[0].1.extend(gone);
    let stages = vec![doc! {"$match": {"Deleted": false}}, doc! {"$project": {"Deleted": 0, "_cls": 0}}];
    deals.view = Some(doc! {"create": "vDeals", "viewOn": "trades", "pipeline": stages});
    deals.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_italian_register_whose_messages_have_the_id_elsewhere() {
    let local = |trade: &Trade| trade.text("Europe/Rome", "%Y-%m-%d %H:%M:%S%.3f");
    desk("italian", trades("Europe/Rome", (7, 24), false), |trade| {
        doc! {
            "_id": object_id(trade.at, trade.number), "tipo": "ESEGUITO", "idOperazione": format!("IT{:07}", trade.number), "dataOra": local(trade),
            "prodotto": trade.pick(&["PUN Base", "PSV"]), "cella": trade.pick(&["Milano", "Roma"]), "controparte": trade.pick(&["Enel", "Eni", "A2A"]),
            "dataScadenza": trade.pick(&["2025-11-30", "2025-12-31"]), "stato": trade.pick(&["aperto", "chiuso"]),
        }
    })
    .with_messages("trades", |number, trade| {
        doc! {
            "_id": object_id(trade.at, 100_000 + number), "tipo": (["CONFERMA", "RETTIFICA"][usize::from(number % 10 > 0)]),
            "rif": {"idOperazione": format!("IT{:07}", trade.number)}, "dataOra": local(trade), "stato": "inviato",
        }
    })
    .with_indexes(&[("trades", "dataOra"), ("trades", "idOperazione"), ("trades", "rif.idOperazione")])
    .expecting(&[
        ("/trade_id", json!("idOperazione")),
        ("/downstream_trade_id", json!("rif.idOperazione")),
        ("/input_match", json!({"idOperazione": {"$exists": true}})),
        ("/filters/cell", json!("cella")),
    ])
    .check()
    .await;
}
