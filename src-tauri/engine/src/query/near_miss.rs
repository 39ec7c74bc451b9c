//! Suggestions for a mistyped name.

/// The most names that are suggested.
const MAX_SUGGESTIONS: usize = 3;
/// The least likeness of a suggestion: from 0 (every letter differs) to below 1; 1 if one name is a dotted beginning or
/// end of the other; 2 if they differ only in case or blanks.
const ALIKE: f64 = 0.6;

/// The known names that are most like a mistyped one, the likeliest first: names that differ only in case or blanks,
/// names that are a dotted beginning or end of it or the reverse, and names with a few different letters.
pub(crate) fn near_misses<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut near: Vec<(f64, &str)> = known
        .into_iter()
        .map(|name| (likeness(typed, name), name))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .collect();
    near.sort_by(|(a, one), (b, other)| b.total_cmp(a).then_with(|| one.cmp(other)));
    near.truncate(MAX_SUGGESTIONS);
    near.into_iter().map(|(_, name)| name.to_owned()).collect()
}

/// A sentence that suggests names; empty if there are none.
pub(crate) fn did_you_mean(near: &[String]) -> String {
    match near {
        [] => String::new(),
        [only] => format!(" Did you mean {only}?"),
        [rest @ .., last] => format!(" Did you mean {} or {last}?", rest.join(", ")),
    }
}

/// The known names that differ from a mistyped one only in case or blanks.
pub(crate) fn same_letters<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let typed = plain(typed);
    let same = known.into_iter().filter(|name| plain(name) == typed);
    same.take(MAX_SUGGESTIONS).map(str::to_owned).collect()
}

/// The known names that begin with a text in any case; empty if some begin with it exactly as it was typed.
pub(crate) fn same_beginning<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let lower = typed.to_lowercase();
    let alike: Vec<&str> = known.into_iter().filter(|name| name.to_lowercase().starts_with(&lower)).collect();
    if alike.iter().any(|name| name.starts_with(typed)) {
        return Vec::new();
    }
    alike.into_iter().take(MAX_SUGGESTIONS).map(str::to_owned).collect()
}

fn plain(text: &str) -> String {
    text.split_whitespace().collect::<String>().to_lowercase()
}

fn likeness(typed: &str, name: &str) -> f64 {
    let (typed, name) = (plain(typed), plain(name));
    let is_within = |long: &str, short: &str| {
        let rest = long.strip_prefix(short).is_some_and(|rest| rest.starts_with('.'));
        rest || long.strip_suffix(short).is_some_and(|rest| rest.ends_with('.'))
    };
    if typed == name {
        2.0
    } else if is_within(&name, &typed) || is_within(&typed, &name) {
        1.0
    } else {
        strsim::normalized_damerau_levenshtein(&typed, &name)
    }
}

#[cfg(test)]
mod tests {
    use super::{near_misses, same_beginning, same_letters};

    #[test]
    fn the_likeliest_names_come_first() {
        let known = ["_id", "trade_id", "price", "Price", "legs.price", "legs.size", "product", "quantity"];
        let near = |typed| near_misses(typed, known);
        assert_eq!(near("PRICE")[..2], ["Price", "price"]);
        assert_eq!(near("prcie")[..1], ["Price"]);
        assert_eq!(near("trade id"), ["trade_id"]);
        assert_eq!(near("tradeid"), ["trade_id"]);
        assert_eq!(near("legs"), ["legs.price", "legs.size"]);
        assert_eq!(near("size"), ["legs.size"]);
        assert_eq!(near("quantity.value"), ["quantity"]);
        assert_eq!(near("counterparty"), Vec::<&str>::new());
    }

    #[test]
    fn case_and_blanks_alone_are_no_different_letters() {
        let known = ["Gas TTF", "gas-ttf", "Gas THE", "GasTTF"];
        assert_eq!(same_letters("gas ttf", known), ["Gas TTF", "GasTTF"]);
        assert_eq!(same_letters("gas the 2", known), Vec::<String>::new());
    }

    #[test]
    fn a_beginning_in_another_case_is_like_a_name() {
        let known = ["Gas TTF", "Gas THE", "Power"];
        assert_eq!(same_beginning("gas t", known), ["Gas TTF", "Gas THE"]);
        assert_eq!(same_beginning("Gas", known), Vec::<String>::new());
        assert_eq!(same_beginning("oil", known), Vec::<String>::new());
    }
}
