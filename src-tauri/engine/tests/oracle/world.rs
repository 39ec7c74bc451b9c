//! The source: collections on the real server, what changes in them, and what they hold at any time, read
//! by the driver with no help of the engine.

use std::collections::{BTreeMap, BTreeSet};

use bson::{Bson, Document, RawDocumentBuf, doc, oid::ObjectId};
use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveTime, TimeZone as _, Utc};
use chrono_tz::Tz;
use futures_util::TryStreamExt as _;
use mongodb::{Client, Collection, Database};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tidemark_engine::desk::{FilterInput, FilterOperator};

use super::script::{Change, DAYS, Dates, FILTERS, Setup};

/// Trade ids in use: few, so that most trades have input on several days.
const TRADES: u32 = 30;

/// One filter as the form has it, and as MongoDB is asked for the truth.
pub(crate) struct Wanted {
    pub(crate) inputs: Vec<FilterInput>,
    pub(crate) advanced: &'static str,
    pub(crate) reference: Document,
}

fn input(field: &str, operator: FilterOperator, values: &[&str]) -> FilterInput {
    let values = values.iter().map(|&text| text.to_owned()).collect();
    FilterInput { field: field.to_owned(), operator, values }
}

/// The filters of all sequences: some broader than others, some that nothing is provably broader than.
pub(crate) fn filters() -> [Wanted; FILTERS] {
    use FilterOperator::{AnyOf, AtLeast, Exists, NoneOf, StartsWith};
    let any = |field: &str, values: &[&str]| input(field, AnyOf, values);
    let wanted = |inputs: Vec<FilterInput>, advanced, reference| Wanted { inputs, advanced, reference };
    [
        wanted(vec![], "", doc! {}),
        wanted(vec![any("product", &["Gas", "Oil"])], "", doc! {"product": {"$in": ["Oil", "Gas"]}}),
        wanted(vec![any("cell", &["c1", "c2"])], "", doc! {"cell": {"$in": ["c1", "c2"]}}),
        wanted(vec![any("product", &["Gas"])], "", doc! {"product": "Gas"}),
        wanted(
            vec![any("product", &["Gas"]), any("cell", &["c1"])],
            "",
            doc! {"product": "Gas", "cell": "c1"},
        ),
        wanted(vec![input("quantity", AtLeast, &["5"])], "", doc! {"quantity": {"$gte": 5}}),
        wanted(vec![input("product", NoneOf, &["Gas"])], "", doc! {"product": {"$ne": "Gas"}}),
        wanted(
            vec![input("product", StartsWith, &["Po"]), input("cell", Exists, &[])],
            "",
            doc! {"product": {"$regex": "^Po"}, "cell": {"$exists": true}},
        ),
        wanted(
            vec![any("product", &["Gas", "Power"])],
            r#"{"note.text": "new"}"#,
            doc! {"product": {"$in": ["Gas", "Power"]}, "note.text": "new"},
        ),
    ]
}

/// A document as the server holds it.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) raw: RawDocumentBuf,
    pub(crate) parsed: Document,
    pub(crate) day: Option<NaiveDate>,
    pub(crate) trades: Vec<String>,
}

/// What the source held at a time, and which trades each filter matched.
#[derive(Debug)]
pub(crate) struct Truth {
    trades: BTreeMap<String, Stored>,
    messages: Option<BTreeMap<String, Stored>>,
    matching: Vec<BTreeSet<String>>,
    kinds: bool,
}

impl Truth {
    /// The trades of a day that a filter matched.
    pub(crate) fn input(&self, filter: usize, day: NaiveDate) -> BTreeMap<&str, &Stored> {
        self.trades
            .iter()
            .filter(|(id, stored)| stored.day == Some(day) && self.matching[filter].contains(*id))
            .map(|(id, stored)| (id.as_str(), stored))
            .collect()
    }

    /// Every document that carries a trade id of a day's input, input among them.
    pub(crate) fn messages(&self, filter: usize, day: NaiveDate) -> BTreeMap<&str, &Stored> {
        let input = self.input(filter, day);
        let trades: BTreeSet<&String> = input.values().flat_map(|stored| &stored.trades).collect();
        self.messages
            .as_ref()
            .unwrap_or(&self.trades)
            .iter()
            .filter(|(_, stored)| !self.kinds || stored.parsed.get_str("kind").ok() == Some("message"))
            .filter(|(_, stored)| stored.trades.iter().any(|trade| trades.contains(trade)))
            .map(|(id, stored)| (id.as_str(), stored))
            .collect()
    }
}

/// The source of one sequence.
pub(crate) struct World {
    setup: Setup,
    zone: Tz,
    first: NaiveDate,
    database: Database,
    trades: Collection<RawDocumentBuf>,
    messages: Collection<RawDocumentBuf>,
    /// Grows with every document that is written, as change stamps do.
    revision: i64,
    number: i32,
    filters: [Wanted; FILTERS],
    /// The filters that are asked for: of the others nothing is known.
    used: BTreeSet<usize>,
    /// Which trade is told as edited, and is not.
    lie: Option<u32>,
}

/// The name of a document in comparisons: its `_id`, type included.
pub(crate) fn key_of(document: &Document) -> String {
    document.get("_id").map_or_else(String::new, |id| id.clone().into_canonical_extjson().to_string())
}

/// A trade id, equal for numbers that MongoDB holds equal.
fn trade_keys(document: &Document) -> Vec<String> {
    let key = |value: &Bson| match value {
        Bson::Int32(number) => Some(format!("number {number}")),
        Bson::Int64(number) => Some(format!("number {number}")),
        Bson::Double(number) => Some(format!("number {number}")),
        Bson::String(text) => Some(format!("text {text}")),
        _ => None,
    };
    match document.get("trade_id") {
        Some(Bson::Array(many)) => many.iter().filter_map(key).collect(),
        Some(one) => key(one).into_iter().collect(),
        None => Vec::new(),
    }
}

impl World {
    pub(crate) async fn new(
        client: &Client,
        name: &str,
        setup: &Setup,
        used: BTreeSet<usize>,
    ) -> mongodb::error::Result<Self> {
        let database = client.database(name);
        database.drop().await?;
        let trades = database.collection("trades");
        let messages = database.collection(if setup.apart { "messages" } else { "trades" });
        let mut world = Self {
            zone: setup.zone.parse().expect("a zone"),
            first: setup.first.parse().expect("a day"),
            setup: setup.clone(),
            database,
            trades,
            messages,
            revision: 0,
            number: 0,
            filters: filters(),
            used,
            lie: None,
        };
        let mut random = ChaCha8Rng::seed_from_u64(setup.salt);
        // What a collection must have for the mapping to fit; out of reach of every range.
        let mut anchor = world.trade(&mut random, -400);
        anchor.insert("trade_id", "anchor");
        world.trades.insert_one(raw(&anchor)).await?;
        let anchor = world.message(&mut random, Bson::from("anchor"));
        world.messages.insert_one(raw(&anchor)).await?;
        for at in 0..setup.documents {
            if at % 3 == 2 {
                let id = world.trade_id(&mut random);
                let message = world.message(&mut random, id);
                world.messages.insert_one(raw(&message)).await?;
            } else {
                let day = random.random_range(0..DAYS);
                let trade = world.trade(&mut random, day);
                world.trades.insert_one(raw(&trade)).await?;
            }
        }
        Ok(world)
    }

    pub(crate) async fn end(&self) {
        // What is left of a sequence ends with the server.
        let _ = self.database.drop().await;
    }

    pub(crate) fn mapping(&self) -> String {
        let Setup { dates, zone, changed_at, apart, kinds, .. } = &self.setup;
        let mut mapping = serde_json::json!({
            "day_zone": zone,
            "filters": {"quantity": {"path": "quantity", "type": "integer"}},
        });
        if *dates != Dates::YearDay {
            mapping["year"] = serde_json::Value::Null;
        }
        if *dates == Dates::Timestamp {
            mapping["day_of_year"] = serde_json::Value::Null;
        }
        if *changed_at {
            mapping["changed_at"] = "revision".into();
        }
        if *apart {
            mapping["downstream_collection"] = "messages".into();
        }
        if *kinds {
            mapping["input_match"] = serde_json::json!({"kind": "trade"});
            mapping["downstream_match"] = serde_json::json!({"kind": "message"});
        }
        mapping.to_string()
    }

    pub(crate) fn wanted(&self, filter: usize) -> &Wanted {
        &self.filters[filter]
    }

    /// The day so many days after the first.
    pub(crate) fn day(&self, offset: i32) -> NaiveDate {
        let days = Days::new(u64::from(offset.unsigned_abs()));
        if offset < 0 { self.first - days } else { self.first + days }
    }

    /// Midnight in the day zone, told by chrono-tz alone.
    pub(crate) fn start_of(&self, day: NaiveDate) -> DateTime<Utc> {
        let midnight = day.and_time(NaiveTime::MIN);
        self.zone.from_local_datetime(&midnight).earliest().expect("no zone in use skips midnight").to_utc()
    }

    pub(crate) fn end_of(&self, day: NaiveDate) -> DateTime<Utc> {
        self.start_of(day + Days::new(1))
    }

    // What documents look like -----------------------------------------------------------------

    fn next_id(&mut self) -> Bson {
        self.number += 1;
        match self.number % 5 {
            0 => Bson::String(format!("id {}", self.number)),
            1 => Bson::Int64(i64::from(self.number) << 40),
            2 => Bson::ObjectId(ObjectId::from_bytes([u8::try_from(self.number % 200).expect("small"); 12])),
            _ => Bson::Int32(self.number),
        }
    }

    fn trade_id(&self, random: &mut ChaCha8Rng) -> Bson {
        let number = random.random_range(0..TRADES);
        if number % 3 > 0 {
            return Bson::String(format!("T{number}"));
        }
        match random.random_range(0..3) {
            0 => Bson::Int32(number.cast_signed()),
            1 => Bson::Int64(i64::from(number)),
            _ => Bson::Double(f64::from(number)),
        }
    }

    fn stamp(&mut self, document: &mut Document) {
        self.revision += 1;
        document.insert("revision", self.revision);
    }

    fn put_on_day(&self, random: &mut ChaCha8Rng, document: &mut Document, offset: i32) {
        let day = self.day(offset);
        let (start, end) = (self.start_of(day).timestamp_millis(), self.end_of(day).timestamp_millis());
        // Often right at either end.
        let at = match random.random_range(0..6) {
            0 => start,
            1 => end - 1,
            _ => random.random_range(start..end),
        };
        document.insert("year", day.year());
        document.insert("day_of_year", i32::try_from(day.ordinal()).expect("a day of a year"));
        document.insert("timestamp", bson::DateTime::from_millis(at));
    }

    fn fill(random: &mut ChaCha8Rng, document: &mut Document) {
        for key in ["product", "cell", "quantity"] {
            document.remove(key);
        }
        let products = ["Gas", "Oil", "Power", "gas"];
        let product = |random: &mut ChaCha8Rng| products[random.random_range(0..products.len())];
        match random.random_range(0..12) {
            0 => document.insert("product", vec![product(random), product(random)]),
            1 => document.insert("product", Bson::Null),
            2 => None,
            _ => document.insert("product", product(random)),
        };
        match random.random_range(0..8) {
            0 => None,
            which => document.insert("cell", ["c1", "c2", "c3"][which % 3]),
        };
        let quantity = random.random_range(0..10);
        match random.random_range(0..6) {
            0 => None,
            1 => document.insert("quantity", i64::from(quantity)),
            2 => document.insert("quantity", f64::from(quantity) + 0.5),
            3 => document.insert("quantity", (1_i64 << 60) + i64::from(quantity)),
            _ => document.insert("quantity", quantity),
        };
        if random.random_range(0..3) > 0 {
            let text = ["new", "", "old \"one\", or two"][random.random_range(0..3)];
            document.insert("note", doc! {"text": text, "by": {"desk": random.random_range(0..3)}});
        }
        if random.random_range(0..4) == 0 {
            let price: bson::Decimal128 = format!("{quantity}.50").parse().expect("a decimal");
            document.insert("price", price);
            document.insert("legs", vec![doc! {"leg": 1}, doc! {"leg": 2_i64}]);
        }
    }

    fn trade(&mut self, random: &mut ChaCha8Rng, offset: i32) -> Document {
        let mut document = doc! {"_id": self.next_id(), "kind": "trade"};
        self.put_on_day(random, &mut document, offset);
        match random.random_range(0..15) {
            0 => None,
            1 => document.insert("trade_id", vec![self.trade_id(random), self.trade_id(random)]),
            _ => document.insert("trade_id", self.trade_id(random)),
        };
        Self::fill(random, &mut document);
        self.stamp(&mut document);
        document
    }

    /// Some messages have a date too, so that they may be input of another day.
    fn message(&mut self, random: &mut ChaCha8Rng, trade_id: Bson) -> Document {
        let mut document = doc! {"_id": self.next_id(), "kind": "message", "trade_id": trade_id};
        if random.random_bool(0.3) {
            let offset = random.random_range(0..DAYS);
            self.put_on_day(random, &mut document, offset);
            Self::fill(random, &mut document);
        }
        document.insert("text", ["ack", "nack", ""][random.random_range(0..3)]);
        self.stamp(&mut document);
        document
    }

    // What changes -------------------------------------------------------------------------------

    async fn all(&self, from: &Collection<RawDocumentBuf>) -> mongodb::error::Result<Vec<Document>> {
        let found: Vec<RawDocumentBuf> = from.find(doc! {}).await?.try_collect().await?;
        let mut found: Vec<Document> = found.iter().map(parse).collect();
        found.retain(|document| document.get_str("trade_id").ok() != Some("anchor"));
        found.sort_by_key(key_of);
        Ok(found)
    }

    async fn pick(&self, pick: u32, messages: bool) -> mongodb::error::Result<Option<Document>> {
        let from = if messages { &self.messages } else { &self.trades };
        let mut found = self.all(from).await?;
        found.retain(|document| {
            if messages {
                document.get_str("kind").ok() == Some("message")
            } else {
                self.day_of(document).is_some()
            }
        });
        let count = found.len().max(1);
        Ok(found.into_iter().nth(usize::try_from(pick).expect("small") % count))
    }

    /// Changes the source. Nothing happens where there is no document to pick.
    pub(crate) async fn change(&mut self, change: Change) -> mongodb::error::Result<()> {
        let seeded = |salt: u64| ChaCha8Rng::seed_from_u64(salt);
        match change {
            Change::Insert { salt } => {
                let mut random = seeded(salt);
                let day = random.random_range(0..DAYS);
                let trade = self.trade(&mut random, day);
                self.trades.insert_one(raw(&trade)).await?;
            }
            Change::LateMessage { pick, salt } => {
                let trade = self.pick(pick, false).await?;
                if let Some(id) = trade.as_ref().and_then(|trade| trade.get("trade_id")) {
                    let message = self.message(&mut seeded(salt), id.clone());
                    self.messages.insert_one(raw(&message)).await?;
                }
            }
            Change::Edit { pick } | Change::EditMessage { pick } => {
                let messages = matches!(change, Change::EditMessage { .. });
                if let Some(mut document) = self.pick(pick, messages).await? {
                    document.insert("text", format!("edited {}", self.revision));
                    self.replace(document, messages).await?;
                }
            }
            Change::MoveDay { pick, day } => {
                if let Some(mut document) = self.pick(pick, false).await? {
                    self.put_on_day(&mut seeded(u64::from(pick)), &mut document, day);
                    self.replace(document, false).await?;
                }
            }
            Change::Refilter { pick, salt } => {
                if let Some(mut document) = self.pick(pick, false).await? {
                    Self::fill(&mut seeded(salt), &mut document);
                    self.replace(document, false).await?;
                }
            }
            Change::Retrade { pick, salt } => {
                if let Some(mut document) = self.pick(pick, salt % 2 == 0).await? {
                    document.insert("trade_id", self.trade_id(&mut seeded(salt)));
                    self.replace(document, salt % 2 == 0).await?;
                }
            }
            Change::Delete { pick } | Change::DeleteMessage { pick } => {
                let messages = matches!(change, Change::DeleteMessage { .. });
                if let Some(document) = self.pick(pick, messages).await? {
                    let from = if messages { &self.messages } else { &self.trades };
                    from.delete_one(doc! {"_id": document.get("_id")}).await?;
                }
            }
        }
        Ok(())
    }

    /// From now on the truth tells of an edit of one trade that the server never saw.
    pub(crate) fn lie(&mut self, pick: u32) {
        self.lie = Some(pick);
    }

    async fn replace(&mut self, mut document: Document, messages: bool) -> mongodb::error::Result<()> {
        self.stamp(&mut document);
        let at = if messages { &self.messages } else { &self.trades };
        at.replace_one(doc! {"_id": document.get("_id")}, raw(&document)).await?;
        Ok(())
    }

    // What is there ------------------------------------------------------------------------------

    fn day_of(&self, document: &Document) -> Option<NaiveDate> {
        if self.setup.dates == Dates::YearDay {
            let day = u32::try_from(document.get_i32("day_of_year").ok()?).ok()?;
            return NaiveDate::from_yo_opt(document.get_i32("year").ok()?, day);
        }
        let at = document.get_datetime("timestamp").ok()?;
        let at = DateTime::from_timestamp_millis(at.timestamp_millis())?;
        Some(at.with_timezone(&self.zone).date_naive())
    }

    fn input_match(&self, filter: usize) -> Document {
        let kind = if self.setup.kinds {
            doc! {"kind": "trade"}
        } else {
            doc! {}
        };
        doc! {"$and": [kind, self.filters[filter].reference.clone()]}
    }

    /// All of what the source holds now; which trades a filter matches is MongoDB's own word.
    pub(crate) async fn truth(&self) -> mongodb::error::Result<Truth> {
        let stored = async |from: &Collection<RawDocumentBuf>| {
            let found: Vec<RawDocumentBuf> = from.find(doc! {}).await?.try_collect().await?;
            let each = found.into_iter().map(|raw| {
                let parsed = parse(&raw);
                let (day, trades) = (self.day_of(&parsed), trade_keys(&parsed));
                (key_of(&parsed), Stored { raw, parsed, day, trades })
            });
            mongodb::error::Result::Ok(each.collect())
        };
        let mut matching = Vec::new();
        for filter in 0..FILTERS {
            if !self.used.contains(&filter) {
                matching.push(BTreeSet::new());
                continue;
            }
            let found = self.trades.find(self.input_match(filter)).projection(doc! {"_id": 1}).await?;
            let found: Vec<RawDocumentBuf> = found.try_collect().await?;
            matching.push(found.iter().map(|raw| key_of(&parse(raw))).collect());
        }
        let mut trades: BTreeMap<String, Stored> = stored(&self.trades).await?;
        if let Some(pick) = self.lie {
            tell_a_lie(&mut trades, pick);
        }
        Ok(Truth {
            trades,
            messages: if self.setup.apart { Some(stored(&self.messages).await?) } else { None },
            matching,
            kinds: self.setup.kinds,
        })
    }

    /// What MongoDB itself answers now for a filter and days: input, and downstream messages.
    pub(crate) async fn direct(
        &self,
        filter: usize,
        from: NaiveDate,
        to: NaiveDate,
    ) -> mongodb::error::Result<[BTreeMap<String, RawDocumentBuf>; 2]> {
        let dates = if self.setup.dates == Dates::YearDay {
            let days = from.iter_days().take_while(|day| *day <= to);
            let days: Vec<Document> = days
                .map(|day| doc! {"year": day.year(), "day_of_year": i32::try_from(day.ordinal()).expect("a day")})
                .collect();
            doc! {"$or": days}
        } else {
            let bound = |at: DateTime<Utc>| bson::DateTime::from_millis(at.timestamp_millis());
            doc! {"timestamp": {"$gte": bound(self.start_of(from)), "$lt": bound(self.end_of(to))}}
        };
        let named = |found: Vec<RawDocumentBuf>| -> BTreeMap<String, RawDocumentBuf> {
            found.into_iter().map(|raw| (key_of(&parse(&raw)), raw)).collect()
        };
        let matches = doc! {"$and": [dates, self.input_match(filter)]};
        let input = named(self.trades.find(matches).await?.try_collect().await?);
        let mut ids: Vec<Bson> = Vec::new();
        for raw in input.values() {
            match parse(raw).get("trade_id") {
                Some(Bson::Array(many)) => ids.extend(many.iter().cloned()),
                Some(one) => ids.push(one.clone()),
                None => {}
            }
        }
        let kind = if self.setup.kinds {
            doc! {"kind": "message"}
        } else {
            doc! {}
        };
        let matches = doc! {"$and": [doc! {"trade_id": {"$in": ids}}, kind]};
        let mut messages = named(self.messages.find(matches).await?.try_collect().await?);
        if !self.setup.apart {
            messages.retain(|id, _| !input.contains_key(id));
        }
        Ok([input, messages])
    }
}

fn tell_a_lie(trades: &mut BTreeMap<String, Stored>, pick: u32) {
    let mut dated: Vec<&mut Stored> = trades.values_mut().filter(|stored| stored.day.is_some()).collect();
    let count = dated.len().max(1);
    if let Some(stored) = dated.get_mut(usize::try_from(pick).expect("small") % count) {
        stored.parsed.insert("text", "never written");
        stored.raw = raw(&stored.parsed);
    }
}

fn raw(document: &Document) -> RawDocumentBuf {
    RawDocumentBuf::try_from(document).expect("a document")
}

fn parse(raw: &RawDocumentBuf) -> Document {
    Document::try_from(raw.as_ref()).expect("the server sends valid BSON")
}
