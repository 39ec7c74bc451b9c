//! What the names of fields suggest: the words in a path, and the words that people use for each purpose.

pub(crate) use super::name_lists::Meaning;
use super::name_lists::{ABBREVIATIONS, SENDERS, TRADE_STEMS, TRADERS, names};
use super::survey::share;

/// How far the words of a path agree with one of the names for a meaning.
const EXACT: f64 = 1.0;
/// The last part of the path alone does.
const LAST_PART: f64 = 0.9;
/// The words are among those of the path.
const CONTAINED: f64 = 0.6;

/// How much more the first name of a meaning weighs than the last.
const EARLIER: f64 = 0.08;

/// The last word of the path alone does: `workflow_state`.
const LAST_WORD: f64 = 0.8;
/// Words that say no more about what a field is for.
const FILLERS: [&str; 8] = ["code", "cd", "name", "nm", "text", "desc", "description", "id"];
/// Last parts of a path that say no more than the part before them: `contraparte.nome`.
const NAMES: [&str; 15] = [
    "code",
    "name",
    "nm",
    "nome",
    "nom",
    "nombre",
    "naam",
    "nazwa",
    "label",
    "sigla",
    "kuerzel",
    "value",
    "shortname",
    "short_name",
    "longname",
];
/// Names that many things have.
const VAGUE: [&str; 18] = [
    "type",
    "typ",
    "tipo",
    "art",
    "class",
    "category",
    "from",
    "to",
    "source",
    "target",
    "origin",
    "destination",
    "security",
    "account",
    "team",
    "party",
    "partner",
    "contract",
];
/// Words of at most this many letters are too short to say anything within a longer name: `to` in `valid_to`.
const SHORT: usize = 4;
/// Last words of names of things about what the words before them say: `portfolioType`, `cellPhone`.
const ABOUT: [&str; 22] = [
    "type", "typ", "phone", "date", "count", "version", "year", "currency", "amount", "price", "qty",
    "quantity", "rate", "limit", "email", "address", "time", "unit", "uom", "flag", "rating", "country",
];

/// States that stand first in a name.
const HEADS: [&str; 16] = [
    "status",
    "estatus",
    "estado",
    "statut",
    "etat",
    "stato",
    "stan",
    "stav",
    "durum",
    "zustand",
    "tilstand",
    "tila",
    "situacao",
    "situacion",
    "toestand",
    "joutai",
];
/// Last words of names of things about a state, rather than of the state: `statusDate`, `statusChangedBy`.
const ABOUT_A_STATE: [&str; 20] = [
    "date",
    "time",
    "timestamp",
    "at",
    "on",
    "by",
    "user",
    "reason",
    "comment",
    "message",
    "id",
    "count",
    "version",
    "datum",
    "zeit",
    "data",
    "fecha",
    "previous",
    "old",
    "flag",
];

/// The last part of a path with its abbreviations spelled out: `hdr.deal_no` gives `dealnumber`.
pub(crate) fn spelled_out(path: &str) -> String {
    without_abbreviations(words(path.rsplit('.').next().unwrap_or(path))).concat()
}

fn without_abbreviations(words: Vec<String>) -> Vec<String> {
    let of = |word: String| {
        let known = ABBREVIATIONS.iter().find(|(short, _)| *short == word);
        known.map_or(word, |(_, long)| (*long).to_owned())
    };
    words.into_iter().map(of).collect()
}

/// Whether the last word of a path is one that many things are called: `portfolioType`.
pub(crate) fn ends_vaguely(path: &str) -> bool {
    words(last_part(path)).last().is_some_and(|word| VAGUE.contains(&word.as_str()))
}

/// Whether the last part of a path is a word that many things are called: its values have to say what it is.
pub(crate) fn is_vague(path: &str) -> bool {
    VAGUE.contains(&words(last_part(path)).concat().as_str())
}

/// How strongly a path suggests a meaning, from 0 to 1.
pub(crate) fn weight(path: &str, meaning: Meaning) -> f64 {
    let whole = without_abbreviations(words(path));
    let last = without_abbreviations(words(last_part(path)));
    let is_id = matches!(meaning, Meaning::TradeId | Meaning::OtherId);
    let mut bare = last.clone();
    while !is_id && bare.len() > 1 && bare.last().is_some_and(|word| FILLERS.contains(&word.as_str())) {
        bare.pop();
    }
    // A field whose name ends with such a word is one: `workflowState`. Times and ids have too many of them.
    let by_last_word = matches!(meaning, Meaning::Status | Meaning::Filter(0..=2));
    let is_about = matches!(meaning, Meaning::Filter(_))
        && last.len() > 1
        && last.last().is_some_and(|word| ABOUT.contains(&word.as_str()));
    let says = |name: &[String]| {
        let is_short =
            matches!(meaning, Meaning::Filter(2..)) && matches!(name, [word] if word.len() <= SHORT);
        // `trade.price` has the word of a trade, but is no id of one.
        let is_of_trade = meaning == Meaning::TradeId && name.len() == 1 && !ends_like_an_id(path);
        !is_short && !is_about && !is_of_trade
    };
    // Many languages begin with what a thing is: `statusTransakcji`, `estado operacion`.
    let is_head = |name: &[String]| {
        let is_about = last.last().is_some_and(|word| ABOUT_A_STATE.contains(&word.as_str()));
        meaning == Meaning::Status
            && matches!(name, [word] if HEADS.contains(&word.as_str()))
            && last.first() == name.first()
            && !is_about
    };
    let names = names(meaning);
    let of = |(at, name): (usize, &&str)| {
        let name = without_abbreviations(name.split(' ').map(str::to_owned).collect());
        let joined = name.concat();
        let agrees = if whole.concat() == joined {
            EXACT
        } else if last.concat() == joined || bare.concat() == joined {
            LAST_PART
        } else if name.len() > 1 && whole.ends_with(&name) {
            // `related.dispatcher`
            LAST_PART
        } else if is_head(&name)
            || by_last_word && says(&name) && name.len() == 1 && bare.last() == name.first()
        {
            LAST_WORD
        } else if says(&name) && whole.windows(name.len()).any(|part| part == name) {
            // Whatever stands beside it, a sender is one: `expediteurLie`.
            if meaning == Meaning::Filter(4) && SENDERS.contains(&at) { LAST_WORD } else { CONTAINED }
        } else {
            0.0
        };
        // The names are in the order of how plainly they say it.
        agrees * (1.0 - EARLIER * share(at, names.len()))
    };
    names.iter().enumerate().map(of).fold(0.0, f64::max)
}

/// Whether the last word of a path is one that ids end with.
pub(crate) fn ends_like_an_id(path: &str) -> bool {
    let words = words(path.rsplit('.').next().unwrap_or(path));
    let last = words.last().map(String::as_str).unwrap_or_default();
    // `TRDID` in one word; `bid`, `paid` and `valid` are none.
    let is_joined = last.len() >= 5 && last.ends_with("id") && !["valid", "inval", "hybrid"].contains(&last);
    is_joined || ID_WORDS.contains(&last)
}

/// Words that ids end with.
const ID_WORDS: [&str; 17] = [
    "id",
    "ref",
    "reference",
    "no",
    "nr",
    "number",
    "num",
    "nbr",
    "numer",
    "nummer",
    "key",
    "uuid",
    "guid",
    "code",
    "kennung",
    "numero",
    "referenz",
];

/// Whether a path names an order, or something else that several trades belong to.
pub(crate) fn is_of_a_group(path: &str) -> bool {
    let last = words(path.rsplit('.').next().unwrap_or(path));
    let is_group = |word: &String| GROUPS.iter().any(|group| word.starts_with(group));
    last.iter().any(is_group)
}

/// Beginnings of words for what several trades belong to.
const GROUPS: [&str; 14] = [
    "order",
    "auftrag",
    "orden",
    "ordin",
    "ordre",
    "pedido",
    "ordem",
    "zleceni",
    "bestellung",
    "chumon",
    "basket",
    "block",
    "batch",
    "parent",
];

/// What the name of a time or a date says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeRole {
    /// It is that of the trade.
    Trade,
    /// Nothing.
    Unsaid,
    /// It is that at which somebody or a program entered the trade.
    Entry,
    /// It is that of something else, such as the delivery.
    Other,
}

/// What the name of a time or a date says about it. Its last part says more than those before it.
pub(crate) fn time_role(path: &str) -> TimeRole {
    let of = |path: &str| {
        let is_of_trade = || {
            let words = without_abbreviations(words(path));
            words.iter().any(|word| TRADE_STEMS.iter().any(|stem| word.starts_with(stem)))
        };
        if weight(path, Meaning::EntryTime) > 0.5 {
            Some(TimeRole::Entry)
        } else if weight(path, Meaning::OtherTime) > 0.5 {
            Some(TimeRole::Other)
        } else {
            is_of_trade().then_some(TimeRole::Trade)
        }
    };
    of(last_part(path)).or_else(|| of(path)).unwrap_or(TimeRole::Unsaid)
}

/// Whether a year and a day of the year are called after the same thing: 2 if they lie in the same document and their
/// names say the same of them (`trade_year` and `trade_day`), 1 if they lie in the same document, and 0 if not.
pub(crate) fn kinship(year: &str, day: &str) -> u8 {
    let parent = |path: &str| path.rsplit_once('.').map(|(parent, _)| parent.to_owned());
    let is_of_trade = |word: &&str| TRADE_STEMS.iter().any(|stem| word.starts_with(stem));
    let about = |path: &str, meaning: Meaning| -> Vec<String> {
        let own = names(meaning).iter().flat_map(|name| name.split(' '));
        let own: Vec<&str> = own.filter(|word| !is_of_trade(word)).collect();
        words(path.rsplit('.').next().unwrap_or(path))
            .into_iter()
            .filter(|word| !own.contains(&word.as_str()))
            .collect()
    };
    let of_year: Vec<String> = about(year, Meaning::Year);
    match (parent(year) == parent(day), of_year == about(day, Meaning::DayOfYear)) {
        (true, true) => 2,
        (true, false) => 1,
        (false, _) => 0,
    }
}

/// Whether a word means a person who trades.
pub(crate) fn is_trader(word: &str) -> bool {
    names(Meaning::Filter(4))[TRADERS].contains(&word)
}

/// The part of a path that says what it is for: the last one, unless that is a word such as `name`.
fn last_part(path: &str) -> &str {
    match path.rsplit_once('.') {
        Some((above, last)) if NAMES.contains(&last.to_lowercase().as_str()) => {
            above.rsplit('.').next().unwrap_or(above)
        }
        Some((_, last)) => last,
        None => path,
    }
}

/// The words of a path in lower case and without accents: `Execution.tradeTS2` has execution, trade, ts, 2.
pub(crate) fn words(path: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut current = String::new();
    let mut before: Option<char> = None;
    let characters: Vec<char> = path.chars().collect();
    for (at, character) in characters.iter().enumerate() {
        let next_is_lower = characters.get(at + 1).is_some_and(|next| next.is_lowercase());
        let begins = before.is_some_and(|before| {
            (before.is_lowercase() && character.is_uppercase())
                || (before.is_uppercase() && character.is_uppercase() && next_is_lower)
                || (before.is_numeric() != character.is_numeric())
        });
        if (begins || !character.is_alphanumeric()) && !current.is_empty() {
            words.push(std::mem::take(&mut current));
        }
        if character.is_alphanumeric() {
            character.to_lowercase().for_each(|lower| without_accent(lower, &mut current));
        }
        before = Some(*character).filter(|character| character.is_alphanumeric());
    }
    if !current.is_empty() {
        words.push(current);
    }
    words
}

fn without_accent(letter: char, out: &mut String) {
    match letter {
        'à' | 'á' | 'â' | 'ã' | 'å' => out.push('a'),
        'ä' | 'æ' => out.push_str("ae"),
        'ç' | 'č' | 'ć' => out.push('c'),
        'è' | 'é' | 'ê' | 'ë' | 'ę' => out.push('e'),
        'ì' | 'í' | 'î' | 'ï' => out.push('i'),
        'ñ' | 'ń' => out.push('n'),
        'ò' | 'ó' | 'ô' | 'õ' => out.push('o'),
        'ö' | 'ø' | 'œ' => out.push_str("oe"),
        'ś' | 'š' => out.push('s'),
        'ß' => out.push_str("ss"),
        'ù' | 'ú' | 'û' => out.push('u'),
        'ü' => out.push_str("ue"),
        'ý' => out.push('y'),
        'ž' | 'ź' | 'ż' => out.push('z'),
        'ł' => out.push('l'),
        // Combining marks of letters that are written in two.
        '\u{300}'..='\u{36f}' => {}
        other => out.push(other),
    }
}

/// A label for a path: its last part as words. `execution.counterPartyName` gives "Counter party name".
pub(crate) fn label(path: &str) -> String {
    let last = path.rsplit('.').next().unwrap_or(path);
    let mut words: Vec<String> = Vec::new();
    let mut current = String::new();
    let mut before_is_lower = false;
    for character in last.chars() {
        let is_break = !character.is_alphanumeric() || (before_is_lower && character.is_uppercase());
        if is_break && !current.is_empty() {
            words.push(std::mem::take(&mut current));
        }
        if character.is_alphanumeric() {
            current.push(character);
        }
        before_is_lower = character.is_lowercase();
    }
    words.extend(Some(current).filter(|word| !word.is_empty()));
    // Keeps abbreviations in capitals, such as ISIN.
    let shown = words.iter().map(|word| {
        let is_capital = word.chars().all(|letter| letter.is_uppercase() || letter.is_numeric());
        if is_capital && word.chars().count() > 1 { word.clone() } else { word.to_lowercase() }
    });
    let text = shown.collect::<Vec<_>>().join(" ");
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_senders_and_of_traders_are_apart() {
        let names = names(Meaning::Filter(4));
        let ends = |places: std::ops::Range<usize>| (names[places.start], names[places.end - 1]);
        assert_eq!(ends(SENDERS), ("related dispatcher", "soushinsha"));
        assert_eq!(ends(TRADERS), ("trader", "dispositeur"));
        assert!(is_trader("haendler") && !is_trader("broker") && !is_trader("sender"));
    }

    #[test]
    fn words_of_any_style() {
        for path in ["trade_id", "tradeId", "TradeID", "trade-id", "trade.id", "TRADE ID"] {
            assert_eq!(words(path), ["trade", "id"], "{path}");
        }
        assert_eq!(words("Ausführungszeit"), ["ausfuehrungszeit"]);
        assert_eq!(words("XMLMessage2Id"), ["xml", "message", "2", "id"]);
        assert_eq!(words("année"), ["annee"]);
        assert_eq!(words(""), Vec::<String>::new());
    }

    #[test]
    fn names_weigh_more_the_closer_they_are() {
        let of = |path| weight(path, Meaning::TradeId);
        assert!(of("tradeId") > of("header.tradeId"));
        assert!(of("header.tradeId") > of("original_trade_id_text"));
        assert!(of("original_trade_id_text") > of("price"));
        assert!(of("price") < 0.01);
        assert!(weight("Gegenpartei", Meaning::Filter(2)) > 0.9);
        assert!(weight("contrepartie", Meaning::Filter(2)) > 0.9);
        assert!(weight("executionTs", Meaning::Time) > 0.9);
        assert!(weight("lastUpdated", Meaning::OtherTime) > 0.5);
    }

    #[test]
    fn short_words_and_words_about_others_say_nothing_within_a_name() {
        for (path, at) in [
            ("validTo", 2),
            ("validFrom", 4),
            ("messageType", 3),
            ("portfolioType", 1),
            ("cellPhone", 1),
            ("volumeUnit", 1),
            ("unit", 1),
            ("uom", 1),
        ] {
            assert!(weight(path, Meaning::Filter(at)) < 0.5, "{path}");
        }
        for (path, at) in [
            ("to", 2),
            ("contraparte.nome", 2),
            ("operador.nome", 4),
            ("type", 3),
            ("buySell", 3),
            ("trdr", 4),
            ("businessUnit", 1),
        ] {
            assert!(weight(path, Meaning::Filter(at)) > 0.8, "{path}");
        }
    }

    /// What the six fields mean: the words of the mapping's contract come before those of some desks.
    #[test]
    fn the_plainer_name_weighs_more() {
        for (names, at) in [
            (&["dispatcher", "sender", "broker", "trader", "dealer", "sourceSystem"][..], 4),
            (&["attribute", "side", "direction", "tradeType", "type"], 3),
            (&["receiver", "counterparty", "client", "buyer"], 2),
            (&["cell", "desk", "book", "portfolio", "strategy", "department"], 1),
            (&["product", "commodity", "instrument", "security"], 0),
        ] {
            let weights: Vec<f64> = names.iter().map(|name| weight(name, Meaning::Filter(at))).collect();
            assert!(weights.is_sorted_by(|a, b| a > b), "{names:?} {weights:?}");
        }
    }

    #[test]
    fn a_state_may_stand_first_in_a_name_and_a_price_is_no_id() {
        for path in ["statusZlecenia", "estado_negocio", "statut_dossier", "estatus"] {
            assert!(weight(path, Meaning::Status) > 0.7, "{path}");
        }
        for path in ["statusDate", "status_changed_by", "estado_anterior_id"] {
            assert!(weight(path, Meaning::Status) < 0.7, "{path}");
        }
        for path in ["deal.price", "tradeTonnes", "trade_date"] {
            assert!(weight(path, Meaning::TradeId) < 0.5, "{path}");
        }
        for path in ["internal_deal_uuid", "DEAL_TRACE_NUM"] {
            assert!(weight(path, Meaning::TradeId) > 0.5, "{path}");
        }
        assert!(is_of_a_group("parent.orderNo") && !is_of_a_group("order.fillNo"));
    }

    #[test]
    fn the_name_of_a_time_says_whose_it_is() {
        use TimeRole::{Entry, Other, Trade, Unsaid};
        for (path, role) in [
            ("tradeDate", Trade),
            ("deal_day", Trade),
            ("fechaOperacion", Trade),
            ("Abschlussdatum", Trade),
            ("execution.date", Trade),
            ("booking.tradeDate", Trade),
            ("trade_entry_time", Entry),
            ("importTs", Entry),
            ("saisie.horodatage", Entry),
            ("erfasst_am", Entry),
            ("fecha_captura", Entry),
            ("trade.settleDate", Other),
            ("lastTradeDate", Other),
            ("timestamp", Unsaid),
            ("day", Unsaid),
        ] {
            assert_eq!(time_role(path), role, "{path}");
        }
    }

    #[test]
    fn a_year_belongs_to_the_day_that_is_called_like_it() {
        assert_eq!(kinship("buy.year", "buy.dayOfYear"), 2);
        assert_eq!(kinship("trade_year", "trade_doy"), 2);
        assert_eq!(kinship("delivery_year", "trade_doy"), 1);
        assert_eq!(kinship("delivery.year", "trade.doy"), 0);
    }

    #[test]
    fn labels_read_as_words() {
        assert_eq!(label("counterPartyName"), "Counter party name");
        assert_eq!(label("a.trade_date"), "Trade date");
        assert_eq!(label("ISIN"), "ISIN");
        assert_eq!(label("größe"), "Größe");
    }
}
