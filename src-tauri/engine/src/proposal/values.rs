//! What the values of a field say about what it is for, whatever its name: words of states, sides of a trade, units of
//! measure, currencies, levels.

use super::names::words;
use super::survey::{PathStats, share};

/// The share of the values that must be of a kind.
const MOST: f64 = 0.9;
/// The share of the values that must be words of states: a desk has some of its own.
const MANY: f64 = 0.6;

/// Beginnings of words that say how far a trade or an order is, in lower case and without accents.
const STATES: [&str; 73] = [
    "new",
    "open",
    "live",
    "activ",
    "pend",
    "confirm",
    "conf",
    "cnf",
    "match",
    "cancel",
    "cxl",
    "void",
    "amend",
    "settl",
    "closed",
    "done",
    "fill",
    "reject",
    "expire",
    "draft",
    "final",
    "affirm",
    "verif",
    "valid",
    "unconfirm",
    "complete",
    "process",
    "neu",
    "offen",
    "bestaet",
    "storn",
    "geschloss",
    "erledigt",
    "geaend",
    "ungueltig",
    "gueltig",
    "nouveau",
    "ouvert",
    "enattente",
    "annul",
    "clotur",
    "modifi",
    "anul",
    "abiert",
    "cerrad",
    "nuev",
    "nuov",
    "ativ",
    "abert",
    "fechad",
    "aguard",
    "apert",
    "chius",
    "annull",
    "inattesa",
    "liquidad",
    "regolat",
    "nieuw",
    "bevestig",
    "geannul",
    "gesloten",
    "openstaand",
    "nowy",
    "nowe",
    "otwart",
    "potwierdz",
    "zamkni",
    "kakutei",
    "mikakutei",
    "torikeshi",
    "invalid",
    "inactiv",
    "approv",
];

/// The words of the two sides of a trade.
const SIDES: [[&str; 2]; 28] = [
    ["b", "s"],
    ["buy", "sell"],
    ["bought", "sold"],
    ["bid", "offer"],
    ["bid", "ask"],
    ["long", "short"],
    ["l", "s"],
    ["pay", "receive"],
    ["p", "r"],
    ["k", "v"],
    ["kauf", "verkauf"],
    ["a", "v"],
    ["achat", "vente"],
    ["c", "v"],
    ["compra", "venta"],
    ["compra", "venda"],
    ["acquisto", "vendita"],
    ["koop", "verkoop"],
    ["kupno", "sprzedaz"],
    ["koep", "saelj"],
    ["koeb", "salg"],
    ["kjoep", "salg"],
    ["kai", "uri"],
    ["in", "out"],
    ["vetel", "eladas"],
    ["nakup", "prodej"],
    ["buyer", "seller"],
    ["receive", "deliver"],
];

const UNITS: [&str; 44] = [
    "mwh",
    "kwh",
    "gwh",
    "twh",
    "wh",
    "mw",
    "kw",
    "gw",
    "therm",
    "therms",
    "mmbtu",
    "btu",
    "mj",
    "gj",
    "tj",
    "t",
    "to",
    "mt",
    "tonne",
    "tonnes",
    "ton",
    "tons",
    "kt",
    "kg",
    "g",
    "lb",
    "lbs",
    "oz",
    "ozt",
    "toz",
    "bbl",
    "bbls",
    "kbbl",
    "gal",
    "l",
    "m3",
    "cbm",
    "nm3",
    "bu",
    "lot",
    "lots",
    "contracts",
    "pcs",
    "shares",
];

const CURRENCIES: [&str; 36] = [
    "eur", "usd", "gbp", "chf", "jpy", "aud", "cad", "nzd", "sek", "nok", "dkk", "pln", "czk", "huf", "ron",
    "bgn", "try", "rub", "cny", "cnh", "hkd", "sgd", "krw", "twd", "inr", "idr", "myr", "thb", "zar", "brl",
    "mxn", "clp", "cop", "ars", "ils", "aed",
];

const LEVELS: [&str; 18] = [
    "high",
    "medium",
    "low",
    "mid",
    "none",
    "normal",
    "critical",
    "urgent",
    "public",
    "internal",
    "secret",
    "confidential",
    "restricted",
    "hoch",
    "mittel",
    "niedrig",
    "alta",
    "baja",
];

/// What the values of a field are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueKind {
    /// How far a trade is: new, confirmed, cancelled.
    States,
    /// Buy and sell, in some language.
    Sides,
    /// Units of measure.
    Units,
    /// Currencies.
    Currencies,
    /// Levels such as high and low.
    Levels,
}

/// What the texts of a field are; `None` if they are of no kind that is known here.
pub(super) fn kind_of(stats: &PathStats) -> Option<ValueKind> {
    let texts: Vec<(String, usize)> =
        stats.texts.iter().map(|(text, count)| (words(text).concat(), *count)).collect();
    let all: usize = texts.iter().map(|(_, count)| count).sum();
    if all == 0 || all * 10 < stats.values * 9 {
        return None;
    }
    let of = |is: &dyn Fn(&str) -> bool| {
        let found: usize = texts.iter().filter(|(text, _)| is(text)).map(|(_, count)| count).sum();
        share(found, all)
    };
    let among = |known: &[&str]| of(&|text| known.contains(&text));
    // One value alone is the side of a trade or its state by chance.
    let is_pair = |pair: &[&str; 2]| {
        among(pair) >= MOST && pair.iter().all(|side| texts.iter().any(|(text, _)| text == side))
    };
    if SIDES.iter().any(is_pair) {
        Some(ValueKind::Sides)
    } else if among(&UNITS) >= MOST {
        Some(ValueKind::Units)
    } else if among(&CURRENCIES) >= MOST {
        Some(ValueKind::Currencies)
    } else if texts.len() >= 2 && among(&LEVELS) >= MOST {
        Some(ValueKind::Levels)
    } else if texts.len() >= 2 && of(&|text| STATES.iter().any(|state| text.starts_with(state))) >= MANY {
        Some(ValueKind::States)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use bson::{RawDocumentBuf, doc};

    use super::super::survey::Survey;
    use super::*;

    fn kind(values: &[&str]) -> Option<ValueKind> {
        let of = |value: &&str| RawDocumentBuf::try_from(&doc! {"a": *value}).expect("a document");
        let documents: Vec<RawDocumentBuf> = values.iter().map(of).collect();
        kind_of(&Survey::of(&documents).paths["a"])
    }

    #[test]
    fn values_tell_what_they_are() {
        for (values, expected) in [
            (&["NEW", "CONFIRMED", "CANCELLED"][..], Some(ValueKind::States)),
            (&["offen", "bestätigt", "storniert"], Some(ValueKind::States)),
            (&["EN_ATTENTE", "VALIDE", "ANNULE"], Some(ValueKind::States)),
            (&["BUY", "SELL", "BUY"], Some(ValueKind::Sides)),
            (&["K", "V"], Some(ValueKind::Sides)),
            (&["Köp", "Sälj"], Some(ValueKind::Sides)),
            (&["KØB", "SALG"], Some(ValueKind::Sides)),
            (&["MWh", "t", "bbl"], Some(ValueKind::Units)),
            (&["lots"], Some(ValueKind::Units)),
            (&["EUR", "USD"], Some(ValueKind::Currencies)),
            (&["high", "low"], Some(ValueKind::Levels)),
            (&["Brent", "WTI"], None),
            (&["B", "Brent"], None),
            (&["BUY"], None),
            (&["one", "two", "new"], None),
        ] {
            assert_eq!(kind(values), expected, "{values:?}");
        }
    }
}
