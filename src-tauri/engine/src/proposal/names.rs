//! What the names of fields suggest: the words in a path, and the words that people use for each purpose.

use super::survey::share;

/// The purposes of fields that names suggest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Meaning {
    TradeId,
    Time,
    Year,
    DayOfYear,
    BusinessDate,
    ChangedAt,
    Status,
    /// One of the filter fields of the form, by its place there.
    Filter(usize),
    /// A time or date that is not that of the trade.
    OtherTime,
    /// An id that is not that of the trade.
    OtherId,
}

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

/// Abbreviations that desks use, and what they stand for.
const ABBREVIATIONS: [(&str, &str); 46] = [
    ("trd", "trade"),
    ("trn", "transaction"),
    ("tkt", "ticket"),
    ("txn", "transaction"),
    ("tx", "transaction"),
    ("trans", "transaction"),
    ("exec", "execution"),
    ("inst", "instrument"),
    ("instr", "instrument"),
    ("prod", "product"),
    ("prd", "product"),
    ("sec", "security"),
    ("ccy", "currency"),
    ("cpty", "counterparty"),
    ("ctpy", "counterparty"),
    ("cpy", "counterparty"),
    ("cntrpty", "counterparty"),
    ("ctrpty", "counterparty"),
    ("cp", "counterparty"),
    ("bk", "book"),
    ("dsk", "desk"),
    ("portf", "portfolio"),
    ("ptf", "portfolio"),
    ("pf", "portfolio"),
    ("sts", "status"),
    ("stat", "status"),
    ("st", "status"),
    ("stt", "status"),
    ("dt", "date"),
    ("tm", "time"),
    ("ts", "timestamp"),
    ("tmst", "timestamp"),
    ("yr", "year"),
    ("attr", "attribute"),
    ("attrs", "attributes"),
    ("rel", "related"),
    ("dsptch", "dispatcher"),
    ("disp", "dispatcher"),
    ("rcvr", "receiver"),
    ("recv", "receiver"),
    ("nr", "number"),
    ("no", "number"),
    ("num", "number"),
    ("nbr", "number"),
    ("upd", "updated"),
    ("ope", "operation"),
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

/// How strongly a path suggests a meaning, from 0 to 1.
pub(crate) fn weight(path: &str, meaning: Meaning) -> f64 {
    let whole = without_abbreviations(words(path));
    let last = without_abbreviations(words(path.rsplit('.').next().unwrap_or(path)));
    let is_id = matches!(meaning, Meaning::TradeId | Meaning::OtherId);
    let mut bare = last.clone();
    while !is_id && bare.len() > 1 && bare.last().is_some_and(|word| FILLERS.contains(&word.as_str())) {
        bare.pop();
    }
    // A field whose name ends with such a word is one: `workflowState`. Times and ids have too many of them.
    let by_last_word = matches!(meaning, Meaning::Status | Meaning::Filter(0..=2));
    let names = names(meaning);
    let of = |(at, name): (usize, &&str)| {
        let name = without_abbreviations(name.split(' ').map(str::to_owned).collect());
        let joined = name.concat();
        let agrees = if whole.concat() == joined {
            EXACT
        } else if last.concat() == joined || bare.concat() == joined {
            LAST_PART
        } else if by_last_word && name.len() == 1 && bare.last() == name.first() {
            LAST_WORD
        } else if whole.windows(name.len()).any(|part| part == name) {
            CONTAINED
        } else {
            0.0
        };
        // The names are in the order of how plainly they say it.
        agrees * (1.0 - EARLIER * share(at, names.len()))
    };
    names.iter().enumerate().map(of).fold(0.0, f64::max)
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

/// Names of a meaning, in lower case and with a blank between words.
fn names(meaning: Meaning) -> &'static [&'static str] {
    match meaning {
        Meaning::TradeId => &[
            "trade id",
            "trade ref",
            "trade reference",
            "trade no",
            "trade nr",
            "trade number",
            "trade key",
            "deal id",
            "deal ref",
            "deal no",
            "deal nr",
            "deal number",
            "deal key",
            "transaction id",
            "transaction ref",
            "txn id",
            "tx id",
            "order id",
            "contract id",
            "contract no",
            "ticket id",
            "ticket no",
            "uti",
            "usi",
            "execution id",
            "exec id",
            "position id",
            "booking id",
            "global id",
            "external id",
            "tid",
            "business id",
            "correlation id",
            "trade",
            "deal",
            "geschaefts id",
            "geschaeft id",
            "geschaeftsnummer",
            "handels id",
            "handelsnummer",
            "auftragsnummer",
            "abschlussnummer",
            "vertragsnummer",
            "vorgangsnummer",
            "id operation",
            "id transaction",
            "no transaction",
            "numero transaction",
            "numero operation",
            "reference operation",
            "id ordre",
            "id operacion",
            "numero operacion",
            "id transaccion",
            "id contrato",
            "id operazione",
            "numero operazione",
            "id contratto",
            "id negociacao",
            "id negocio",
            "transactie id",
            "handels nummer",
            "id transakcji",
            "numer transakcji",
            "ticket",
            "trade code",
            "deal code",
            "ref transaction",
            "id operation",
            "num operacion",
            "numero operacion",
            "folio",
            "numero contratto",
            "codice operazione",
            "transactie nummer",
            "transactienummer",
            "id operacao",
            "nr transakcji",
            "kod transakcji",
            "vrachtnummer",
            "geschaefts nr",
        ],
        Meaning::Time => &[
            "timestamp",
            "time stamp",
            "trade time",
            "trade timestamp",
            "trade ts",
            "trade date time",
            "trade datetime",
            "execution time",
            "execution timestamp",
            "execution ts",
            "exec time",
            "executed at",
            "traded at",
            "dealt at",
            "deal time",
            "event time",
            "event ts",
            "event timestamp",
            "transaction time",
            "transact time",
            "txn time",
            "booked at",
            "booking time",
            "time",
            "ts",
            "date time",
            "datetime",
            "occurred at",
            "at",
            "when",
            "message time",
            "sent at",
            "sending time",
            "date",
            "zeit",
            "zeitpunkt",
            "zeitstempel",
            "handelszeit",
            "handelszeitpunkt",
            "abschlusszeit",
            "ausfuehrungszeit",
            "uhrzeit",
            "datum",
            "horodatage",
            "heure",
            "date heure",
            "heure transaction",
            "date operation",
            "date execution",
            "fecha",
            "hora",
            "fecha hora",
            "marca tiempo",
            "fecha operacion",
            "data",
            "ora",
            "data ora",
            "data hora",
            "orario",
            "tijd",
            "tijdstip",
            "tijdstempel",
            "czas",
            "tidspunkt",
            "tid punkt",
        ],
        Meaning::BusinessDate => &[
            "trade date",
            "business date",
            "business day",
            "trading day",
            "trading date",
            "deal date",
            "as of date",
            "cob date",
            "cob",
            "trade day",
            "date",
            "day",
            "handelstag",
            "handelsdatum",
            "geschaeftstag",
            "buchungstag",
            "abschlussdatum",
            "jour",
            "jour ouvre",
            "date negociation",
            "date transaction",
            "fecha negociacion",
            "fecha operacion",
            "dia",
            "dia habil",
            "giorno",
            "data operazione",
            "data negociacao",
            "handelsdag",
            "datum",
            "date operation",
            "fecha",
            "data",
        ],
        Meaning::Year => &[
            "year",
            "yr",
            "yyyy",
            "trade year",
            "jahr",
            "handelsjahr",
            "annee",
            "an",
            "ano",
            "anio",
            "anno",
            "jaar",
            "ar",
            "rok",
        ],
        Meaning::DayOfYear => &[
            "day of year",
            "doy",
            "year day",
            "yday",
            "julian day",
            "julian date",
            "julian",
            "jday",
            "day no",
            "day nr",
            "day number",
            "ordinal day",
            "day",
            "tag des jahres",
            "jahrestag",
            "tag im jahr",
            "tagesnummer",
            "tag",
            "jour annee",
            "jour de annee",
            "jour de l annee",
            "quantieme",
            "jour",
            "dia del ano",
            "dia ano",
            "dia",
            "giorno anno",
            "giorno dell anno",
            "giorno",
            "dia do ano",
            "dag van het jaar",
            "dag nummer",
            "dzien roku",
            "numer dnia",
            "dzien",
        ],
        Meaning::ChangedAt => &[
            "changed at",
            "changed",
            "updated at",
            "updated",
            "last updated",
            "last update",
            "update time",
            "modified at",
            "modified",
            "last modified",
            "mod time",
            "last changed",
            "change stamp",
            "geaendert",
            "geaendert am",
            "aenderungszeit",
            "aktualisiert",
            "modifie le",
            "mis a jour",
            "date modification",
            "modificado",
            "actualizado",
            "modificato",
            "aggiornato",
            "gewijzigd",
        ],
        Meaning::Status => &[
            "status",
            "state",
            "trade status",
            "deal status",
            "kind",
            "action",
            "event type",
            "message type",
            "msg type",
            "lifecycle",
            "type",
            "zustand",
            "stand",
            "aktion",
            "statut",
            "etat",
            "estado",
            "stato",
            "situacao",
            "toestand",
            "stan",
            "order status",
            "trade state",
            "workflow state",
            "situacion",
            "bearbeitungsstatus",
            "afhandeling",
        ],
        Meaning::Filter(0) => &[
            "product",
            "commodity",
            "instrument",
            "instrument name",
            "product name",
            "product code",
            "underlying",
            "symbol",
            "security",
            "asset",
            "ticker",
            "produkt",
            "ware",
            "handelsware",
            "wertpapier",
            "produit",
            "marchandise",
            "producto",
            "mercancia",
            "instrumento",
            "prodotto",
            "merce",
            "strumento",
            "produto",
            "towar",
            "currency pair",
            "pair",
            "isin",
            "activo",
            "titel",
            "titre",
            "titolo",
            "security id",
        ],
        Meaning::Filter(1) => &[
            "cell",
            "book",
            "trading book",
            "portfolio",
            "desk",
            "trading desk",
            "strategy",
            "unit",
            "business unit",
            "profit centre",
            "profit center",
            "zelle",
            "buch",
            "handelsbuch",
            "portefeuille",
            "cellule",
            "livre",
            "celda",
            "libro",
            "cartera",
            "cella",
            "portafoglio",
            "celula",
            "carteira",
            "boek",
            "abteilung",
            "afdeling",
            "bureau",
            "mesa",
            "portfel",
            "komorka",
            "departement",
            "department",
            "team",
        ],
        Meaning::Filter(2) => &[
            "receiver",
            "recipient",
            "counterparty",
            "counter party",
            "cpty",
            "ctpy",
            "cp",
            "buyer",
            "client",
            "customer",
            "destination",
            "target",
            "to",
            "empfaenger",
            "gegenpartei",
            "kontrahent",
            "kaeufer",
            "kunde",
            "destinataire",
            "contrepartie",
            "acheteur",
            "destinatario",
            "contraparte",
            "contrapartida",
            "comprador",
            "controparte",
            "acquirente",
            "ontvanger",
            "tegenpartij",
            "odbiorca",
            "cliente",
            "klant",
            "beneficiary",
            "charterer",
            "ricevente",
            "klient",
            "begunstigde",
            "beneficiaire",
        ],
        Meaning::Filter(3) => &[
            "attribute",
            "attr",
            "category",
            "class",
            "classification",
            "subtype",
            "sub type",
            "attribut",
            "kategorie",
            "merkmal",
            "klasse",
            "categorie",
            "atributo",
            "categoria",
            "attributo",
            "kenmerk",
            "atrybut",
            "rodzaj",
            "tipo",
            "art",
        ],
        Meaning::Filter(4) => &[
            "related dispatcher",
            "dispatcher",
            "sender",
            "source system",
            "source",
            "origin",
            "originator",
            "broker",
            "seller",
            "from",
            "absender",
            "versender",
            "makler",
            "verkaeufer",
            "quelle",
            "expediteur",
            "courtier",
            "vendeur",
            "emetteur",
            "remitente",
            "corredor",
            "vendedor",
            "mittente",
            "venditore",
            "remetente",
            "afzender",
            "nadawca",
        ],
        Meaning::Filter(5) => &[
            "related attributes",
            "attributes",
            "attrs",
            "tags",
            "labels",
            "flags",
            "keywords",
            "attribute list",
            "merkmale",
            "attribute liste",
            "schlagworte",
            "attributs",
            "etiquettes",
            "atributos",
            "etiquetas",
            "attributi",
            "etichette",
            "kenmerken",
            "atrybuty powiazane",
            "verwandte merkmale",
            "attributs lies",
            "atributos relacionados",
            "attributi correlati",
            "gerelateerde kenmerken",
        ],
        Meaning::Filter(_) => &[],
        Meaning::OtherTime => &[
            "updated",
            "update",
            "modified",
            "changed",
            "expiry",
            "expires",
            "expiration",
            "maturity",
            "settlement",
            "settle",
            "settled",
            "value date",
            "valuta",
            "delivery",
            "valid",
            "effective",
            "payment",
            "paid",
            "birth",
            "ingested",
            "ingest",
            "inserted",
            "loaded",
            "deleted",
            "until",
            "end",
            "next",
            "due",
            "confirmed",
            "cancelled",
            "received",
            "start",
            "archived",
            "created",
            "exported",
            "processed",
            "faelligkeit",
            "lieferung",
            "geaendert",
            "aktualisiert",
            "gueltig",
            "erstellt",
            "echeance",
            "livraison",
            "reglement",
            "modifie",
            "cree",
            "vencimiento",
            "entrega",
            "liquidacion",
            "scadenza",
            "consegna",
            "regolamento",
        ],
        Meaning::OtherId => &[
            "user",
            "client",
            "customer",
            "counterparty",
            "cpty",
            "book",
            "portfolio",
            "trader",
            "account",
            "product",
            "instrument",
            "message",
            "msg",
            "session",
            "batch",
            "file",
            "parent",
            "version",
            "sequence",
            "seq",
            "line",
            "row",
            "broker",
            "desk",
            "venue",
            "isin",
            "lei",
            "mic",
        ],
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
    fn labels_read_as_words() {
        assert_eq!(label("counterPartyName"), "Counter party name");
        assert_eq!(label("a.trade_date"), "Trade date");
        assert_eq!(label("ISIN"), "ISIN");
        assert_eq!(label("größe"), "Größe");
    }
}
