//! Texts that a spreadsheet would take for formulas.

/// Whether a spreadsheet would take a text for a formula. Tabs and line ends hide one, and some languages have full-width
/// signs. A number such as `-1.5` or `+2e3` is none.
pub(crate) fn is_formula(text: &str) -> bool {
    let mut letters = text.chars();
    let begins = matches!(
        letters.next(),
        Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}')
    );
    begins && letters.next().is_some() && !is_number(text)
}

fn is_number(text: &str) -> bool {
    fn unsigned(text: &str) -> &str {
        text.strip_prefix(['+', '-']).unwrap_or(text)
    }
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match unsigned(text).split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(unsigned(exponent))),
        None => (unsigned(text), None),
    };
    let (whole, part) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, ""));
    let is_mantissa = are_digits(whole) && are_digits(part) && !(whole.is_empty() && part.is_empty());
    is_mantissa && exponent.is_none_or(|exponent| !exponent.is_empty() && are_digits(exponent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_protected_and_numbers_are_left_alone() {
        for formula in [
            "=1+1",
            "+1+1",
            "-1+1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n=1",
            "＝1+1",
            "-2+3+cmd|' /C calc'!A0",
            "+44 20 1",
            "-1.5.2",
            "=\nx",
            "-x",
            "--1",
            "-e5",
            "-1e",
            "-.",
        ] {
            assert!(is_formula(formula), "{formula}");
        }
        for plain in [
            "",
            "-",
            "=",
            "-1.5",
            "+2e3",
            "-.5",
            "-5.",
            "-1,5",
            "1=1",
            "a@b",
            "'=1",
            " x",
            "{\"a\":1}",
            "-0",
            "-1E-7",
        ] {
            assert!(!is_formula(plain), "{plain}");
        }
    }
}
