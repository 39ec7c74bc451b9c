//! The source: collections on the real server, what changes in them, and what they hold at any time, read
//! by the driver with no help of the engine.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use bson::{Bson, Document, RawDocumentBuf, doc, oid::ObjectId};
use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveTime, TimeZone as _, Utc};
use chrono_tz::Tz;
use futures_util::TryStreamExt as _;
use mongodb::{Client, Collection, Database};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tidemark_engine::query::form::{FilterInput, FilterOperator};

use super::cruelty::BULKY;
use super::script::{Change, DAYS, Dates, FILTERS, Form, Kind, Setup};

/// Trade ids in use: few, so that most trades have input on several days.
const TRADES: u32 = 30;
/// Documents that are written at a time.
const WRITTEN: usize = 5_000;

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
    /// The trade ids of a trade, and those of a message.
    pub(crate) trades: Vec<String>,
    parents: Vec<String>,
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
    /// Every document as bytes.
    pub(crate) fn contents(&self) -> impl Iterator<Item = Vec<u8>> {
        let all = self.trades.values().chain(self.messages.iter().flat_map(BTreeMap::values));
        all.map(|stored| stored.raw.as_bytes().to_vec())
    }

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
            .filter(|(_, stored)| stored.parents.iter().any(|trade| trades.contains(trade)))
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
    /// Where documents are written.
    trades: Collection<RawDocumentBuf>,
    messages: Collection<RawDocumentBuf>,
    /// Where the engine reads them: the same, or views.
    shown_trades: Collection<RawDocumentBuf>,
    shown_messages: Collection<RawDocumentBuf>,
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

/// Names documents in comparisons: by their `_id`, or, where that identifies none, by all that they hold and
/// by how many of the same came before.
#[derive(Debug)]
pub(crate) struct Names {
    by_content: bool,
    seen: BTreeMap<String, usize>,
}

impl Names {
    pub(crate) const fn new(by_content: bool) -> Self {
        Self { by_content, seen: BTreeMap::new() }
    }

    pub(crate) fn name(&mut self, raw: &RawDocumentBuf, parsed: &Document) -> String {
        let id = key_of(parsed);
        if !self.by_content {
            return id;
        }
        let mut hasher = DefaultHasher::new();
        raw.as_bytes().hash(&mut hasher);
        let name = format!("{id} {:016x}", hasher.finish());
        let seen = self.seen.entry(name.clone()).or_default();
        *seen += 1;
        format!("{name} #{seen}")
    }

    fn all(mut self, found: Vec<RawDocumentBuf>) -> BTreeMap<String, RawDocumentBuf> {
        found.into_iter().map(|raw| (self.name(&raw, &parse(&raw)), raw)).collect()
    }
}

/// A whole number, of whatever type.
fn whole(value: &Bson) -> Option<i32> {
    let text = match value {
        Bson::Int32(number) => return Some(*number),
        Bson::Int64(number) => return i32::try_from(*number).ok(),
        Bson::Double(number) => number.to_string(),
        Bson::Decimal128(number) => number.to_string(),
        _ => return None,
    };
    text.strip_suffix(".0").unwrap_or(&text).parse().ok()
}

fn date(year: i32, day_of_year: i32) -> Option<NaiveDate> {
    NaiveDate::from_yo_opt(year, u32::try_from(day_of_year).ok()?)
}

/// The date with a day of year that is nearest to another.
fn nearest(day_of_year: i32, to: NaiveDate) -> Option<NaiveDate> {
    let dates = (-1..=1).filter_map(|years| date(to.year() + years, day_of_year));
    dates.min_by_key(|day| (*day - to).num_days().abs())
}

/// The trade ids that a field holds, equal for numbers that MongoDB holds equal.
fn trade_keys(held: Option<&Bson>) -> Vec<String> {
    let key = |value: &Bson| match value {
        Bson::Int32(number) => Some(format!("number {number}")),
        Bson::Int64(number) => Some(format!("number {number}")),
        Bson::Double(number) => Some(format!("number {number}")),
        Bson::String(text) => Some(format!("text {text}")),
        _ => None,
    };
    match held {
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
        let [trades, messages] = Self::collections(&database, setup.apart, "_base");
        let [shown_trades, shown_messages] = Self::collections(&database, setup.apart, "");
        let mut world = Self {
            zone: setup.zone.parse().expect("a zone"),
            first: setup.first.parse().expect("a day"),
            setup: setup.clone(),
            database,
            trades,
            messages,
            shown_trades,
            shown_messages,
            revision: 0,
            number: 0,
            filters: filters(),
            used,
            lie: None,
        };
        world.make(client, setup.salt).await?;
        Ok(world)
    }

    fn collections(database: &Database, apart: bool, suffix: &str) -> [Collection<RawDocumentBuf>; 2] {
        ["trades", if apart { "messages" } else { "trades" }]
            .map(|name| database.collection(&format!("{name}{suffix}")))
    }

    /// Makes the collections on a server, afresh, with documents of their own.
    pub(crate) async fn make(&mut self, client: &Client, salt: u64) -> mongodb::error::Result<()> {
        let apart = self.setup.apart;
        self.database = client.database(self.database.name());
        self.database.drop().await?;
        [self.shown_trades, self.shown_messages] = Self::collections(&self.database, apart, "");
        let is_view = matches!(self.setup.kind, Kind::Copies | Kind::Nameless);
        [self.trades, self.messages] =
            Self::collections(&self.database, apart, if is_view { "_base" } else { "" });
        for name in ["trades", "messages"].into_iter().take(if apart { 2 } else { 1 }) {
            let create = match self.setup.kind {
                Kind::Plain => continue,
                Kind::Copies => doc! {
                    "create": name, "viewOn": format!("{name}_base"),
                    "pipeline": [{"$set": {"_id": "$shown"}}, {"$unset": "shown"}],
                },
                Kind::Nameless => doc! {
                    "create": name, "viewOn": format!("{name}_base"), "pipeline": [{"$unset": ["_id", "shown"]}],
                },
                Kind::Measured => doc! {"create": name, "timeseries": {"timeField": "timestamp"}},
            };
            self.database.run_command(create).await?;
        }
        self.fill_collections(salt).await
    }

    async fn fill_collections(&mut self, salt: u64) -> mongodb::error::Result<()> {
        let mut random = ChaCha8Rng::seed_from_u64(salt);
        // What a collection must have for the mapping to fit; out of reach of every range.
        let mut anchor = self.trade(&mut random, -400);
        anchor.insert("trade_id", "anchor");
        let mut trades = vec![anchor];
        let mut messages = vec![self.message(&mut random, Bson::from("anchor"))];
        for at in 0..self.setup.documents {
            let into = if at % 3 == 2 {
                let id = self.trade_id(&mut random);
                messages.push(self.message(&mut random, id));
                &mut messages
            } else {
                let day = random.random_range(0..DAYS);
                let trade = self.trade(&mut random, day);
                trades.push(self.made_odd(&mut random, trade));
                &mut trades
            };
            if self.is_multiset() && random.random_range(0..8) == 0 {
                // The same once more; under another `_id` where that has to be unique.
                let mut twin = into.last().expect("one was just added").clone();
                if self.setup.kind != Kind::Measured {
                    self.number += 1;
                    twin.insert("_id", self.number);
                }
                into.push(twin);
            }
        }
        for (collection, documents) in [(&self.trades, trades), (&self.messages, messages)] {
            for part in documents.chunks(WRITTEN) {
                collection.insert_many(part.iter().map(|document| raw(&self.stored_as(document)))).await?;
            }
        }
        Ok(())
    }

    /// A document as its collection takes it.
    fn stored_as(&self, document: &Document) -> Document {
        let mut document = document.clone();
        if self.setup.kind == Kind::Measured && document.get_datetime("timestamp").is_err() {
            // Such a collection takes none without; out of reach of every range.
            document.insert("timestamp", bson::DateTime::from_millis(1_000_000_000));
        }
        if self.setup.form != Form::Date {
            document.remove("stamp");
            let stamp = document.get("timestamp").map(|value| self.stamp_of(value));
            document.extend(stamp.map(|stamp| ("stamp".to_owned(), stamp)));
        }
        if self.setup.parents && document.get_str("kind").ok() == Some("message") {
            document.remove("parent");
            let parent = document.get("trade_id").map(|id| doc! {"ref": id.clone()});
            document.extend(parent.map(|parent| ("parent".to_owned(), Bson::from(parent))));
        }
        document
    }

    /// Where messages name their trade.
    fn parent_path(&self) -> &'static str {
        if self.setup.parents { "parent.ref" } else { "trade_id" }
    }

    fn parent_of<'a>(&self, document: &'a Document) -> Option<&'a Bson> {
        if self.setup.parents {
            document.get_document("parent").ok()?.get("ref")
        } else {
            document.get("trade_id")
        }
    }

    /// The time stamps of a document, which are dates, in the form that the mapping reads.
    fn stamp_of(&self, value: &Bson) -> Bson {
        let at = match value {
            Bson::DateTime(at) => at.timestamp_millis(),
            Bson::Array(many) => return many.iter().map(|one| self.stamp_of(one)).collect::<Vec<_>>().into(),
            // No form has it.
            _ => return Bson::Boolean(true),
        };
        let local = DateTime::from_timestamp_millis(at).expect("a time").with_timezone(&self.zone);
        let (second, kind) = (at.div_euclid(1_000), at.rem_euclid(4));
        let compact = || local.format("%Y%m%d").to_string();
        let number = |number: i64| match kind {
            0 => Bson::Decimal128(format!("{number}.5").parse().expect("a decimal")),
            _ => Bson::Int64(number),
        };
        match (self.setup.form, kind) {
            (Form::IsoText, 0) => local.format("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string().into(),
            (Form::IsoText, 1) => local.to_utc().format("%Y%m%dT%H%M%SZ").to_string().into(),
            (Form::IsoText, 2) => {
                let far = local.to_utc() - chrono::TimeDelta::hours(11);
                format!("{}-1100", far.format("%Y-%m-%d %H:%M:%S")).into()
            }
            // Without an offset: in UTC.
            (Form::IsoText, _) => local.to_utc().format("%Y-%m-%dT%H:%M:%S%.6f").to_string().into(),
            (Form::EpochS, 1) => Bson::Double(f64::from(i32::try_from(second).expect("before 2038")) + 0.25),
            (Form::EpochS, 2) => Bson::Int32(i32::try_from(second).expect("before 2038")),
            (Form::EpochS, _) => number(second),
            (Form::EpochMs, _) => number(at),
            (Form::EpochUs, _) => number(at * 1_000 + 999),
            (Form::EpochNs, _) => number(at * 1_000_000 + 999_999),
            (Form::ObjectId, _) => {
                let mut bytes = [u8::try_from(kind).expect("small"); 12];
                let second = u32::try_from(second).expect("since 1970");
                bytes[..4].copy_from_slice(&second.to_be_bytes());
                ObjectId::from_bytes(bytes).into()
            }
            (Form::CompactDay | Form::BusinessCompact, 0) => compact().into(),
            (Form::CompactDay | Form::BusinessCompact, 1) => Bson::Double(compact().parse().expect("digits")),
            (Form::CompactDay | Form::BusinessCompact, _) => Bson::Int32(compact().parse().expect("digits")),
            (Form::BusinessText, 0) => local.format("%Y-%m-%dT12:00:00-09:00").to_string().into(),
            (Form::BusinessText, 1) => compact().into(),
            (Form::BusinessText, _) => local.format("%Y-%m-%d").to_string().into(),
            (Form::BusinessDate, _) => {
                let midnight = local.date_naive().and_time(NaiveTime::MIN).and_utc();
                bson::DateTime::from_millis(midnight.timestamp_millis()).into()
            }
            (Form::Date, _) => value.clone(),
        }
    }

    /// Whether an `_id` identifies no document.
    pub(crate) fn is_multiset(&self) -> bool {
        self.setup.kind != Kind::Plain
    }

    /// Whether some documents have odd dates and trade ids.
    pub(crate) fn is_odd(&self) -> bool {
        self.setup.odd
    }

    pub(crate) fn names(&self) -> Names {
        Names::new(self.is_multiset())
    }

    pub(crate) async fn end(&self) {
        // What is left of a sequence ends with the server.
        let _ = self.database.drop().await;
    }

    pub(crate) fn mapping(&self) -> String {
        let Setup { dates, form, zone, changed_at, apart, kinds, parents, .. } = &self.setup;
        let mut mapping = serde_json::json!({
            "day_zone": zone,
            "filters": {"quantity": {"path": "quantity", "type": "integer"}},
        });
        // A time stamp of version 2 stands alone unless the others are named as well.
        for (key, is_mapped) in
            [("year", *dates == Dates::YearDay), ("day_of_year", *dates != Dates::Timestamp)]
        {
            if !is_mapped {
                mapping[key] = serde_json::Value::Null;
            } else if !form.is_business() {
                mapping[key] = key.into();
            }
        }
        if *form != Form::Date || *parents {
            mapping["version"] = 2.into();
        }
        if form.is_business() {
            mapping["business_date"] = serde_json::json!({"path": "stamp", "form": form.name()});
        } else if *form != Form::Date {
            mapping["timestamp"] = serde_json::json!({"path": "stamp", "form": form.name()});
            if *form == Form::CompactDay {
                mapping["timestamp"]["zone"] = (*zone).into();
            }
        }
        if *parents {
            mapping["downstream_trade_id"] = self.parent_path().into();
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
        if self.setup.kind == Kind::Measured {
            // Nothing keeps it unique.
            return Bson::Int32(self.number % 7);
        }
        match self.number % 5 {
            0 => Bson::String(format!("id {}", self.number)),
            1 => Bson::Int64(i64::from(self.number) << 40),
            2 => {
                let mut bytes = [u8::try_from(self.number % 200).expect("small"); 12];
                // No two alike, where there are thousands.
                bytes[..2]
                    .copy_from_slice(&u16::try_from(self.number / 200).expect("thousands").to_be_bytes());
                Bson::ObjectId(ObjectId::from_bytes(bytes))
            }
            _ => Bson::Int32(self.number),
        }
    }

    fn trade_id(&self, random: &mut ChaCha8Rng) -> Bson {
        let trades = if self.setup.documents >= BULKY { self.setup.documents / 4 } else { TRADES };
        let number = random.random_range(0..trades);
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
        self.show_as(random, &mut document);
        document
    }

    /// Under which `_id` a view shows a document: few, and sometimes none.
    fn show_as(&self, random: &mut ChaCha8Rng, document: &mut Document) {
        if self.setup.kind == Kind::Copies && random.random_range(0..10) > 0 {
            document.insert("shown", random.random_range(0..12));
        }
    }

    /// In an odd world, now and then: a day that the timestamp contradicts, and what tells no day or no trade.
    fn made_odd(&self, random: &mut ChaCha8Rng, mut document: Document) -> Document {
        if !self.setup.odd || random.random_range(0..3) > 0 {
            return document;
        }
        let number = document.get_i32("day_of_year").expect("a trade has a day");
        let at = document.get_datetime("timestamp").expect("a trade has a time").timestamp_millis();
        let hours = |hours: i64| bson::DateTime::from_millis(at + hours * 3_600_000);
        let days_decide = self.setup.dates != Dates::Timestamp;
        match random.random_range(0..12) {
            // A business day is another than the clock's.
            0..4 if days_decide => drop(document.insert("timestamp", hours(random.random_range(-70..70)))),
            4 if days_decide => drop(document.insert("day_of_year", f64::from(number) + 0.5)),
            5 if days_decide => drop(document.insert("day_of_year", vec![number, number + 1])),
            6 if days_decide => {
                let exact: bson::Decimal128 = format!("{number}.0").parse().expect("a decimal");
                let wide = random.random_bool(0.5);
                document
                    .insert("day_of_year", if wide { Bson::from(i64::from(number)) } else { exact.into() });
            }
            7 if days_decide => drop(document.insert("day_of_year", number.to_string())),
            8 => drop(document.insert("trade_id", doc! {"$gt": ""})),
            _ if self.setup.kind == Kind::Measured => {}
            9 => drop(document.insert("timestamp", vec![hours(0), hours(30)])),
            10 => drop(document.insert("timestamp", "2025-01-03T10:00:00Z")),
            _ => {
                let year = document.get_i32("year").expect("a trade has a year");
                document.insert("year", vec![year, year + 1]);
            }
        }
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
        self.show_as(random, &mut document);
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

    /// A trade of its own turns up on a day: it is a late message of no other day's trade.
    pub(crate) async fn insert_on(&mut self, offset: i32, salt: u64) -> mongodb::error::Result<()> {
        let mut trade = self.trade(&mut ChaCha8Rng::seed_from_u64(salt), offset);
        trade.insert("trade_id", format!("late {}", self.number));
        self.trades.insert_one(raw(&self.stored_as(&trade))).await.map(drop)
    }

    /// Changes the source. Nothing happens where there is no document to pick.
    pub(crate) async fn change(&mut self, change: Change) -> mongodb::error::Result<()> {
        let seeded = |salt: u64| ChaCha8Rng::seed_from_u64(salt);
        // A time-series collection takes documents, and no more.
        let change = match change {
            Change::LateMessage { .. } => change,
            Change::Edit { pick }
            | Change::EditMessage { pick }
            | Change::MoveDay { pick, .. }
            | Change::Refilter { pick, .. }
            | Change::Retrade { pick, .. }
            | Change::Delete { pick }
            | Change::DeleteMessage { pick }
                if self.setup.kind == Kind::Measured =>
            {
                Change::Insert { salt: pick.into() }
            }
            other => other,
        };
        match change {
            Change::Insert { salt } => {
                let mut random = seeded(salt);
                let day = random.random_range(0..DAYS);
                let trade = self.trade(&mut random, day);
                let trade = self.made_odd(&mut random, trade);
                self.trades.insert_one(raw(&self.stored_as(&trade))).await?;
            }
            Change::LateMessage { pick, salt } => {
                let trade = self.pick(pick, false).await?;
                if let Some(id) = trade.as_ref().and_then(|trade| trade.get("trade_id")) {
                    let message = self.message(&mut seeded(salt), id.clone());
                    self.messages.insert_one(raw(&self.stored_as(&message))).await?;
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
        at.replace_one(doc! {"_id": document.get("_id")}, raw(&self.stored_as(&document))).await?;
        Ok(())
    }

    // What is there ------------------------------------------------------------------------------

    /// The day of a document; none where it tells none, or more than one. A field may hold several values: what
    /// counts is whether they mean one day.
    fn day_of(&self, document: &Document) -> Option<NaiveDate> {
        let values = |name: &str| match document.get(name) {
            Some(Bson::Array(many)) => many.iter().collect(),
            one => one.into_iter().collect::<Vec<&Bson>>(),
        };
        let numbers = |name: &str| values(name).into_iter().map(whole).collect::<Option<Vec<i32>>>();
        if self.setup.dates != Dates::Timestamp {
            // Several days of year are several days, also if there is no such day, as the 367th.
            let days = numbers("day_of_year")?;
            days.iter().all(|day| *day == days[0]).then_some(())?;
        }
        let dates: BTreeSet<NaiveDate> = match self.setup.dates {
            Dates::YearDay => {
                let (years, days) = (numbers("year")?, numbers("day_of_year")?);
                let of = |year: i32| days.iter().filter_map(move |day| date(year, *day));
                years.into_iter().flat_map(of).collect()
            }
            Dates::DayTimestamp => {
                let (days, clocks) = (numbers("day_of_year")?, self.clock_dates(&values("timestamp")));
                clocks.iter().flat_map(|at| days.iter().filter_map(|day| nearest(*day, *at))).collect()
            }
            Dates::Timestamp => self.clock_dates(&values("timestamp")),
        };
        dates.first().copied().filter(|_| dates.len() == 1)
    }

    /// The days in which some time stamps lie.
    fn clock_dates(&self, values: &[&Bson]) -> BTreeSet<NaiveDate> {
        let date = |value: &&Bson| {
            let at = DateTime::from_timestamp_millis(value.as_datetime()?.timestamp_millis())?;
            Some(at.with_timezone(&self.zone).date_naive())
        };
        values.iter().filter_map(date).collect()
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
            let mut names = self.names();
            let each = found.into_iter().map(|raw| {
                let parsed = parse(&raw);
                let (day, trades) = (self.day_of(&parsed), trade_keys(parsed.get("trade_id")));
                let parents = trade_keys(self.parent_of(&parsed));
                (names.name(&raw, &parsed), Stored { raw, parsed, day, trades, parents })
            });
            mongodb::error::Result::Ok(each.collect())
        };
        let mut matching = Vec::new();
        for filter in 0..FILTERS {
            if !self.used.contains(&filter) {
                matching.push(BTreeSet::new());
                continue;
            }
            let mut found = self.shown_trades.find(self.input_match(filter));
            if !self.is_multiset() {
                found = found.projection(doc! {"_id": 1});
            }
            let found: Vec<RawDocumentBuf> = found.await?.try_collect().await?;
            matching.push(self.names().all(found).into_keys().collect());
        }
        let mut trades: BTreeMap<String, Stored> = stored(&self.shown_trades).await?;
        if let Some(pick) = self.lie {
            tell_a_lie(&mut trades, pick);
        }
        Ok(Truth {
            trades,
            messages: if self.setup.apart { Some(stored(&self.shown_messages).await?) } else { None },
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
        } else if self.setup.odd {
            doc! {}
        } else {
            let bound = |at: DateTime<Utc>| bson::DateTime::from_millis(at.timestamp_millis());
            doc! {"timestamp": {"$gte": bound(self.start_of(from)), "$lt": bound(self.end_of(to))}}
        };
        let named = |found: Vec<RawDocumentBuf>| self.names().all(found);
        let matches = doc! {"$and": [dates, self.input_match(filter)]};
        let mut found: Vec<RawDocumentBuf> = self.shown_trades.find(matches).await?.try_collect().await?;
        if self.setup.odd {
            // What tells no day is left out.
            let is_asked = |day: NaiveDate| (from..=to).contains(&day);
            found.retain(|raw| self.day_of(&parse(raw)).is_some_and(is_asked));
        }
        let input = named(found);
        let mut ids: Vec<Bson> = Vec::new();
        for raw in input.values() {
            match parse(raw).get("trade_id") {
                Some(Bson::Array(many)) => ids.extend(many.iter().cloned()),
                // Not to be asked for.
                Some(Bson::Document(_)) => {}
                Some(one) => ids.push(one.clone()),
                None => {}
            }
        }
        let kind = if self.setup.kinds {
            doc! {"kind": "message"}
        } else {
            doc! {}
        };
        let matches = doc! {"$and": [doc! {self.parent_path(): {"$in": ids}}, kind]};
        let mut messages = named(self.shown_messages.find(matches).await?.try_collect().await?);
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
