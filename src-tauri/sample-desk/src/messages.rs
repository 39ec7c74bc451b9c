//! Trades, the messages that follow from them, and their documents.

use std::cmp::Ordering;

use bson::oid::ObjectId;
use bson::raw::{RawArrayBuf, RawDocumentBuf, cstr};
use bson::{DateTime, Decimal128};
use chrono::Datelike;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::calendar::{self, BusinessDay, DAY};
use crate::vocabulary::{
    self, ATTRIBUTES, CELLS, COMMENTS, COUNTERPARTIES, Counterparty, DISPATCHERS, PRODUCTS, Product,
    RECEIVERS, RELATED_ATTRIBUTES, TRADERS, any, skewed,
};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// The largest whole number up to which a double represents every one exactly.
const DOUBLE_EXACT: i64 = 1 << 53;

/// A field called `regime` appears in documents from this time on, as new fields do in real life.
const REGIME_SINCE: i64 = 1_772_323_200_000; // 1 March 2026

/// A message and its time of arrival. Ordered by arrival.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) arrives: i64,
    number: u64,
    pub(crate) document: RawDocumentBuf,
}

impl PartialEq for Message {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Message {}

impl PartialOrd for Message {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Message {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.arrives, self.number).cmp(&(other.arrives, other.number))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Trade,
    Amendment,
    Cancel,
    Confirmation,
    Allocation,
    Settlement,
    Risk,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Trade => "trade",
            Self::Amendment => "amendment",
            Self::Cancel => "cancel",
            Self::Confirmation => "confirmation",
            Self::Allocation => "allocation",
            Self::Settlement => "settlement",
            Self::Risk => "risk",
        }
    }
}

/// A trade and the messages that follow it, before their documents are generated.
#[derive(Debug)]
pub(crate) struct Story {
    opened: i64,
    trade_id: String,
    /// A seed of its own, so that a story does not depend on the others.
    seed: u64,
    /// The kinds of its messages, the trade itself first.
    kinds: Vec<Kind>,
}

/// The trades of a day, earliest first. Together with the messages that follow them, they make up the day's messages.
pub(crate) fn stories(seed: u64, day: &BusinessDay) -> Vec<Story> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    // A separate stream per day: no day depends on the others.
    random.set_stream(u64::try_from(day.start / DAY).unwrap_or(0).wrapping_add(1));

    let mut left = day.messages;
    let mut stories = Vec::new();
    while left > 0 {
        let mut kinds = family(&mut random);
        kinds.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        left -= kinds.len() as u64;
        let opened = day.start + calendar::time_of_day(&mut random, day.length);
        stories.push(Story { opened, trade_id: String::new(), seed: random.random(), kinds });
    }
    stories.sort_by_key(|story| story.opened);
    for (number, story) in (1..).zip(&mut stories) {
        story.trade_id = format!("TM{}-{number:06}", day.day.format("%Y%m%d"));
    }
    stories
}

/// The kinds of messages of a random trade.
fn family(random: &mut impl Rng) -> Vec<Kind> {
    let mut kinds = vec![Kind::Trade];
    let mut add = |kind, chances: &[f64]| {
        for chance in chances {
            if random.random_bool(*chance) {
                kinds.push(kind);
            }
        }
    };
    add(Kind::Confirmation, &[1.0, 0.06]);
    add(Kind::Amendment, &[0.12, 0.03]);
    add(Kind::Allocation, &[0.6]);
    add(Kind::Risk, &[0.8, 0.3]);
    add(Kind::Settlement, &[0.9]);
    add(Kind::Cancel, &[0.03]);
    kinds
}

/// The terms that all messages of a trade share.
struct Terms {
    product: &'static Product,
    cell: &'static str,
    counterparty: &'static Counterparty,
    price: i64,
    quantity: i64,
}

impl Story {
    /// When the trade was made.
    pub(crate) fn opened(&self) -> i64 {
        self.opened
    }

    /// The number of its messages.
    pub(crate) fn length(&self) -> u64 {
        self.kinds.len() as u64
    }

    /// Generates its messages. `number` is the number of messages generated before, `end` the time at which the desk
    /// ends.
    pub(crate) fn tell(&self, seed: u64, number: u64, end: i64) -> impl Iterator<Item = Message> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let product = skewed(&mut random, &PRODUCTS);
        let terms = Terms {
            product,
            cell: skewed::<&str>(&mut random, &CELLS),
            counterparty: skewed(&mut random, &COUNTERPARTIES),
            price: product.price + random.random_range(-product.spread..=product.spread),
            quantity: quantity(&mut random),
        };
        let (mut version, mut latest) = (0, self.opened);
        (number..).zip(&self.kinds).map(move |(number, kind)| {
            let mut arrives = match kind {
                Kind::Trade => self.opened,
                // Changes of a trade arrive in order of their versions.
                Kind::Amendment | Kind::Cancel => latest + delay(&mut random),
                _ => self.opened + delay(&mut random),
            };
            if arrives >= end {
                // It would be in the future, so it arrives sooner.
                arrives = random.random_range(self.opened..end.max(self.opened + 1));
            }
            let mut document = head(seed, number, *kind, &self.trade_id, arrives);
            match kind {
                Kind::Trade | Kind::Amendment | Kind::Cancel => {
                    version += 1;
                    latest = arrives;
                    input(&mut document, &mut random, &terms, version, arrives);
                }
                Kind::Confirmation => confirmation(&mut document, &mut random, &terms),
                Kind::Allocation => allocation(&mut document, &mut random, &terms),
                Kind::Settlement => settlement(&mut document, &mut random, &terms, arrives),
                Kind::Risk => risk(&mut document, &mut random),
            }
            let changed = arrives + random.random_range(5..900);
            document.append(cstr!("changed_at"), DateTime::from_millis(changed.min(end)));
            Message { arrives, number, document }
        })
    }
}

/// How long after its trade a message arrives: most within minutes, some after hours, a few after days.
fn delay(random: &mut impl Rng) -> i64 {
    match random.random_range(0..100) {
        0..80 => random.random_range(SECOND..12 * MINUTE),
        80..95 => random.random_range(HOUR..9 * HOUR),
        _ => random.random_range(DAY..6 * DAY),
    }
}

fn quantity(random: &mut impl Rng) -> i64 {
    match random.random_range(0..1000) {
        // One of the gateways counts in watt hours.
        0..4 => DOUBLE_EXACT + random.random_range(1..1_000_000) * 2 + 1,
        4..14 => random.random_range(100_000..90_000_000),
        _ => random.random_range(1..200) * 5,
    }
}

/// The fields that all messages have.
fn head(seed: u64, number: u64, kind: Kind, trade_id: &str, arrives: i64) -> RawDocumentBuf {
    let time = DateTime::from_millis(arrives);
    let date = chrono::DateTime::from_timestamp_millis(arrives).unwrap_or_default().date_naive();
    let mut document = RawDocumentBuf::new();
    document.append(cstr!("_id"), object_id(seed, number, arrives));
    document.append(cstr!("kind"), kind.name());
    document.append(cstr!("trade_id"), trade_id);
    document.append(cstr!("timestamp"), time);
    document.append(cstr!("year"), date.year());
    document.append(cstr!("day_of_year"), i32::try_from(date.ordinal()).unwrap_or(0));
    document
}

/// An id in the form that a driver generates (time, process, counter), yet always the same for the same seed.
fn object_id(seed: u64, number: u64, arrives: i64) -> ObjectId {
    let seconds = u32::try_from(arrives / SECOND).unwrap_or(0);
    let [_, counter @ .., a, b, c] = number.to_be_bytes();
    // The counter holds 16 million; the excess goes into the process part.
    let [.., s0, s1, s2] = seed.to_be_bytes();
    let process = [s0, s1, s2, counter[2], counter[3]];
    ObjectId::from_parts(seconds, process, [a, b, c])
}

fn input(document: &mut RawDocumentBuf, random: &mut impl Rng, terms: &Terms, version: i32, arrives: i64) {
    let product = terms.product;
    // Each amendment changes the price slightly.
    let price = terms.price + i64::from(version - 1) * random.random_range(-2_500..2_500);
    let quantity = terms.quantity;

    document.append(cstr!("version"), version);
    document.append(cstr!("product"), product.name);
    document.append(cstr!("cell"), terms.cell);
    match random.random_range(0..100) {
        0 => {}
        1 => document.append(cstr!("receiver"), bson::RawBson::Null),
        _ => document.append(cstr!("receiver"), *skewed(random, &RECEIVERS)),
    }
    match random.random_range(0..100) {
        0..4 => {}
        4..6 => document.append(cstr!("attribute"), bson::RawBson::Null),
        6..8 => document.append(cstr!("attribute"), ""),
        8..35 => document.append(cstr!("attribute"), some_of(random, &ATTRIBUTES, 1..4)),
        _ => document.append(cstr!("attribute"), *skewed(random, &ATTRIBUTES)),
    }
    match random.random_range(0..100) {
        0..10 => {}
        10..13 => document.append(cstr!("relatedDispatcher"), ""),
        _ => document.append(cstr!("relatedDispatcher"), *skewed(random, &DISPATCHERS)),
    }
    if random.random_bool(0.92) {
        let related = some_of(random, &RELATED_ATTRIBUTES, 0..5);
        document.append(cstr!("relatedAttributes"), related);
    }

    document.append(cstr!("side"), if random.random_bool(0.5) { "buy" } else { "sell" });
    document.append(cstr!("price"), exact_price(random, price));
    document.append(cstr!("currency"), product.currency);
    document.append(cstr!("quantity"), quantity);
    document.append(cstr!("unit"), product.unit);
    document.append(cstr!("notional"), notional(price, quantity));
    // One gateway writes whole numbers as integers, a different one writes everything as doubles.
    match random.random_range(0..400_i32) {
        fee if fee % 4 == 0 => document.append(cstr!("fee"), fee),
        fee => document.append(cstr!("fee"), f64::from(fee) / 8.0),
    }

    let other = terms.counterparty;
    let mut address = RawDocumentBuf::new();
    address.append(cstr!("city"), other.city);
    address.append(cstr!("country"), other.country);
    let mut party = RawDocumentBuf::new();
    party.append(cstr!("name"), other.name);
    if random.random_bool(0.97) {
        party.append(cstr!("lei"), other.lei);
    }
    party.append(cstr!("address"), address);
    document.append(cstr!("counterparty"), party);

    let mut legs = RawArrayBuf::new();
    for number in 1..=random.random_range(0..4_i32) {
        let from = arrives - arrives.rem_euclid(DAY) + random.random_range(1..60) * DAY;
        let mut leg = RawDocumentBuf::new();
        leg.append(cstr!("leg"), number);
        leg.append(cstr!("quantity"), quantity / i64::from(number));
        leg.append(cstr!("price"), decimal(price + i64::from(number) * 25));
        leg.append(cstr!("from"), DateTime::from_millis(from));
        leg.append(cstr!("to"), DateTime::from_millis(from + random.random_range(1..31) * DAY));
        legs.push(leg);
    }
    document.append(cstr!("legs"), legs);

    document.append(cstr!("trader"), *any(random, &TRADERS));
    document.append(cstr!("electronic"), random.random_bool(0.7));
    if random.random_bool(0.08) {
        document.append(cstr!("comment"), *any(random, &COMMENTS));
    }
    if arrives >= REGIME_SINCE {
        document.append(cstr!("regime"), if random.random_bool(0.9) { "REMIT II" } else { "EMIR" });
    }
}

fn confirmation(document: &mut RawDocumentBuf, random: &mut impl Rng, terms: &Terms) {
    let status = match random.random_range(0..100) {
        0..90 => "matched",
        90..97 => "alleged",
        _ => "mismatch",
    };
    document.append(cstr!("status"), status);
    document.append(cstr!("channel"), *any(random, &["eCM", "broker", "e-mail", "fax"]));
    document.append(cstr!("counterparty_name"), terms.counterparty.name);
    if status == "mismatch" {
        document.append(cstr!("reason"), "Preis weicht ab: “±0,05”");
    }
}

fn allocation(document: &mut RawDocumentBuf, random: &mut impl Rng, terms: &Terms) {
    let mut accounts = RawArrayBuf::new();
    let parts = random.random_range(1..4_i64);
    for part in 0..parts {
        // The first account gets the remainder.
        let rest = if part == 0 { terms.quantity % parts } else { 0 };
        let mut account = RawDocumentBuf::new();
        account.append(cstr!("account"), format!("{:05}", random.random_range(1..400)));
        account.append(cstr!("quantity"), terms.quantity / parts + rest);
        accounts.push(account);
    }
    document.append(cstr!("allocations"), accounts);
}

fn settlement(document: &mut RawDocumentBuf, random: &mut impl Rng, terms: &Terms, arrives: i64) {
    let midnight = arrives - arrives.rem_euclid(DAY);
    document.append(cstr!("amount"), decimal(terms.price.saturating_mul(terms.quantity.min(1_000_000))));
    document.append(cstr!("currency"), terms.product.currency);
    document.append(cstr!("value_date"), DateTime::from_millis(midnight + 2 * DAY));
    document.append(cstr!("status"), if random.random_bool(0.96) { "instructed" } else { "failed" });
    if random.random_bool(0.1) {
        document.append(cstr!("netted_with"), bson::RawBson::Null);
    }
}

fn risk(document: &mut RawDocumentBuf, random: &mut impl Rng) {
    document.append(cstr!("model"), random.random_range(3..6_i32));
    document.append(cstr!("delta"), random.random_range(-1.0..1.0_f64));
    document.append(cstr!("var95"), random.random_range(10.0..250_000.0_f64));
    let mut greeks = RawDocumentBuf::new();
    greeks.append(cstr!("gamma"), random.random_range(-0.01..0.01_f64));
    greeks.append(cstr!("vega"), random.random_range(0.0..40.0_f64));
    document.append(cstr!("greeks"), greeks);
}

/// Some of the given texts, in random order and without duplicates.
fn some_of(random: &mut impl Rng, of: &[&str], how_many: std::ops::Range<usize>) -> RawArrayBuf {
    let wanted = random.random_range(how_many);
    let mut chosen: Vec<&str> = Vec::with_capacity(wanted);
    for _ in 0..wanted {
        let one = *vocabulary::skewed(random, of);
        if !chosen.contains(&one) {
            chosen.push(one);
        }
    }
    chosen.into_iter().collect()
}

/// A number of ten-thousandths as a decimal, including trailing zeros.
fn decimal(ten_thousandths: i64) -> Decimal128 {
    let sign = if ten_thousandths < 0 { "-" } else { "" };
    let amount = ten_thousandths.unsigned_abs();
    parse(&format!("{sign}{}.{:04}", amount / 10_000, amount % 10_000))
}

/// A price. Prices from index formulas have more digits than a double can hold.
fn exact_price(random: &mut impl Rng, ten_thousandths: i64) -> Decimal128 {
    if !random.random_bool(0.01) {
        return decimal(ten_thousandths);
    }
    let sign = if ten_thousandths < 0 { "-" } else { "" };
    let amount = ten_thousandths.unsigned_abs();
    let digits = random.random_range(0..10_u64.pow(18));
    parse(&format!("{sign}{}.{:04}{digits:018}", amount / 10_000, amount % 10_000))
}

fn parse(text: &str) -> Decimal128 {
    // Always parses, having at most 34 digits by construction; a zero would be noticed in the tests.
    text.parse().unwrap_or_else(|_| Decimal128::from_bytes([0; 16]))
}

/// Price times quantity, as a system that calculates in doubles would do it.
#[expect(clippy::cast_precision_loss, reason = "a notional is inexact where documents keep it as a double")]
fn notional(ten_thousandths: i64, quantity: i64) -> f64 {
    ten_thousandths as f64 / 10_000.0 * quantity as f64
}
