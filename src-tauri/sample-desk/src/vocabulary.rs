//! The vocabulary of the desk. All names are fictitious.

use rand::Rng;

/// A traded product.
#[derive(Debug)]
pub(crate) struct Product {
    pub(crate) name: &'static str,
    pub(crate) currency: &'static str,
    pub(crate) unit: &'static str,
    /// A typical price, in ten-thousandths of the currency.
    pub(crate) price: i64,
    /// How far prices deviate from it. Power prices can be negative.
    pub(crate) spread: i64,
}

const fn product(
    name: &'static str,
    currency: &'static str,
    unit: &'static str,
    price: i64,
    spread: i64,
) -> Product {
    Product { name, currency, unit, price, spread }
}

/// The products, the most traded first.
pub(crate) const PRODUCTS: [Product; 18] = [
    product("Power DE Base", "EUR", "MW", 742_500, 380_000),
    product("Gas TTF", "EUR", "MW", 318_250, 60_000),
    product("Power DE Peak", "EUR", "MW", 884_000, 520_000),
    product("Power FR Base", "EUR", "MW", 655_000, 410_000),
    product("EUA Dec", "EUR", "t", 712_400, 45_000),
    product("Gas NBP", "GBP", "therm", 8_125, 1_600),
    product("Power Nordic", "EUR", "MW", 421_000, 460_000),
    product("Power DE Intraday 15'", "EUR", "MW", 795_000, 1_450_000),
    product("Coal API2", "USD", "t", 1_046_000, 90_000),
    product("Brent", "USD", "bbl", 714_300, 55_000),
    product("Power IT Base", "EUR", "MW", 1_082_000, 300_000),
    product("Gas THE", "EUR", "MW", 324_750, 60_000),
    product("Guarantees of Origin", "EUR", "MWh", 6_500, 2_500),
    product("Power PL Base", "PLN", "MWh", 4_300_000, 900_000),
    product("LNG JKM", "USD", "MMBtu", 121_300, 18_000),
    product("Power CH Base", "CHF", "MW", 768_000, 330_000),
    product("Freight C5", "USD", "t", 94_500, 12_000),
    product("Weather HDD Zürich", "CHF", "lot", 2_000_000, 750_000),
];

/// Cells: the groups that make up the desk.
pub(crate) const CELLS: [&str; 12] = [
    "Short Term Power",
    "Gas Continental",
    "Intraday",
    "Power Forwards",
    "Emissions",
    "Origination",
    "Gas UK",
    "Nordic",
    "Structured Products",
    "Liquids & Freight",
    "Prop 1",
    "Prop 2",
];

/// Systems to which trades are sent.
pub(crate) const RECEIVERS: [&str; 8] = [
    "Back Office",
    "Clearing",
    "Scheduling",
    "Risk",
    "Regulatory Reporting",
    "Credit",
    "Invoicing",
    "Données de marché",
];

/// Attributes of a trade.
pub(crate) const ATTRIBUTES: [&str; 12] = [
    "hedge",
    "exchange",
    "otc",
    "intraday",
    "physical",
    "financial",
    "block",
    "give-up",
    "auction",
    "algo",
    "back-to-back",
    "spécial",
];

/// Units that nominate and balance.
pub(crate) const DISPATCHERS: [&str; 10] = [
    "Dispatch North",
    "Dispatch South",
    "Balancing DE",
    "Nominations Gas",
    "Zürich Ost",
    "Kraków",
    "Göteborg",
    "Dispatch Offshore",
    "Storage Epe",
    "Night Desk",
];

/// Attributes that relate a trade to others.
pub(crate) const RELATED_ATTRIBUTES: [&str; 14] = [
    "spread-leg",
    "roll",
    "portfolio-A",
    "portfolio-B",
    "netting",
    "collateral",
    "swap-ref",
    "profile",
    "storage",
    "transport",
    "cross-border",
    "green",
    "tolling",
    "Vergütung",
];

/// The counterparty of a trade.
#[derive(Debug)]
pub(crate) struct Counterparty {
    pub(crate) name: &'static str,
    pub(crate) lei: &'static str,
    pub(crate) city: &'static str,
    pub(crate) country: &'static str,
}

const fn counterparty(
    name: &'static str,
    lei: &'static str,
    city: &'static str,
    country: &'static str,
) -> Counterparty {
    Counterparty { name, lei, city, country }
}

/// Fictitious counterparties; their identifiers only have the form of real ones.
pub(crate) const COUNTERPARTIES: [Counterparty; 14] = [
    counterparty("Rheinstrom Handel GmbH", "000000TIDEMARK000A01", "Düsseldorf", "DE"),
    counterparty("Harbour Gas Ltd", "000000TIDEMARK000B02", "Aberdeen", "GB"),
    counterparty("Énergie du Léman SA", "000000TIDEMARK000C03", "Genève", "CH"),
    counterparty("Fjordkraft Ørsta A/S", "000000TIDEMARK000D04", "Ørsta", "NO"),
    counterparty("Delta & Söhne, Börsenmakler", "000000TIDEMARK000E05", "München", "DE"),
    counterparty("Polder Utilities N.V.", "000000TIDEMARK000F06", "Rotterdam", "NL"),
    counterparty("Łódź Obrót Energią Sp. z o.o.", "000000TIDEMARK000G07", "Łódź", "PL"),
    counterparty("Second \"Sea\" Commodities Inc.", "000000TIDEMARK000H08", "Houston", "US"),
    counterparty("Elettra Adriatica S.p.A.", "000000TIDEMARK000I09", "Trieste", "IT"),
    counterparty("東海電力取引株式会社", "000000TIDEMARK000J10", "名古屋", "JP"),
    counterparty("Compañía Ibérica del Viento", "000000TIDEMARK000K11", "A Coruña", "ES"),
    counterparty("Älvkraft AB", "000000TIDEMARK000L12", "Luleå", "SE"),
    counterparty("Ενέργεια Αιγαίου ΑΕ", "000000TIDEMARK000M13", "Πειραιάς", "GR"),
    counterparty("O'Brien Wind & Tide DAC", "000000TIDEMARK000N14", "Galway", "IE"),
];

/// The initials of the traders.
pub(crate) const TRADERS: [&str; 9] = ["AKL", "BSM", "CVD", "ELN", "HJO", "JÜR", "MPA", "RTS", "ZQX"];

/// Comments by traders, with the commas, quotes and line breaks that people use.
pub(crate) const COMMENTS: [&str; 9] = [
    "ok per phone",
    "price agreed, see chat",
    "\"as discussed\"",
    "first line\nsecond line",
    "Rückruf bis 16:00, bitte",
    "≥ 2 lots only",
    "rolled from last month; check fee",
    " leading and trailing blanks ",
    "🌊 storm front",
];

/// One of several, with a preference for the earlier ones.
pub(crate) fn skewed<'a, T>(random: &mut impl Rng, of: &'a [T]) -> &'a T {
    let one = random.random_range(0..of.len());
    let other = random.random_range(0..of.len());
    &of[one.min(other)]
}

/// One of several, all equally likely.
pub(crate) fn any<'a, T>(random: &mut impl Rng, of: &'a [T]) -> &'a T {
    &of[random.random_range(0..of.len())]
}
