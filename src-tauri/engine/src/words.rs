//! Numbers in sentences.

/// A number of things: `1 day`, `2 days`, `0 days`.
#[must_use]
pub fn counted(number: impl TryInto<u64>, thing: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    match (number, thing.strip_suffix('y')) {
        (1, _) => format!("1 {thing}"),
        (many, Some(stem)) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{many} {stem}ies"),
        (many, _) => format!("{many} {thing}s"),
    }
}

/// Parts in one phrase: `a`, `a and b`, `a, b and c`.
pub(crate) fn joined(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [only] => only.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

/// "about 48,000 trades": two digits are all that an estimate is good for.
pub(crate) fn about(rows: u64) -> String {
    let rounded = rounded(rows);
    format!("about {} {}", thousands(rounded), if rounded == 1 { "trade" } else { "trades" })
}

/// A number to two digits.
pub(crate) fn rounded(number: u64) -> u64 {
    let mut unit = 1;
    while number / unit >= 100 {
        unit *= 10;
    }
    (number + unit / 2) / unit * unit
}

/// Bytes as a person reads them: "20 GB", "1.5 MB".
#[must_use]
pub fn size_text(bytes: u64) -> String {
    bytesize::ByteSize::b(bytes).display().si().to_string().replace(".0 ", " ")
}

/// A number with a comma after every three digits.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn one_thing_is_no_things() {
        let said = [(0_u64, "day"), (1, "day"), (2, "day"), (1, "query"), (31, "query")]
            .map(|(number, thing)| counted(number, thing));
        assert_eq!(said, ["0 days", "1 day", "2 days", "1 query", "31 queries"]);
    }
}
