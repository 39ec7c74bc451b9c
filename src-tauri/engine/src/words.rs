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
