//! The name that an export proposes.

use std::path::{Path, PathBuf};

use tidemark_engine::api::rows::ViewKey;
use tidemark_engine::cache::export::partial_name;
use tidemark_engine::rows::Role;

/// Characters of the filters' words at most: a name has to stay readable, and short enough for any disk.
const LONGEST: usize = 80;

/// Marks a partial answer's file. The engine puts it there by itself.
const PARTIAL: &str = ".partial.csv";

/// A name that says what the file holds: `product Gas TTF 2025-01-01 to 2025-01-31.csv`.
pub(crate) fn propose(filters: &str, role: Role, key: &ViewKey, complete: bool) -> String {
    let words = if filters == "no filter" { "all trades".to_owned() } else { words(filters) };
    let role = match role {
        Role::Input => "",
        Role::Downstream => " messages",
    };
    let dates = if key.from == key.to { key.from.to_string() } else { format!("{} to {}", key.from, key.to) };
    format!("{words}{role} {dates}{}", if complete { ".csv" } else { PARTIAL })
}

/// Where an export goes that was chosen in the dialog.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Destination {
    /// The name for the engine, which marks a partial answer's file itself.
    pub(crate) asked: PathBuf,
    /// The file that is written.
    pub(crate) written: PathBuf,
}

/// A name that was typed without an ending is a CSV file's all the same.
pub(crate) fn destination(mut chosen: PathBuf, complete: bool) -> Destination {
    if !has_ending(&chosen) {
        // Added and not set: what stands behind a dot of the name is part of it.
        let mut name = chosen.file_name().unwrap_or_default().to_owned();
        name.push(".csv");
        chosen.set_file_name(name);
    }
    let written = if complete { chosen.clone() } else { partial_name(&chosen) };
    Destination { asked: chosen, written }
}

/// Whether a name says what kind of file it is: `.csv` and `.txt` do, the `.01` of a date does not.
fn has_ending(path: &Path) -> bool {
    path.extension().is_some_and(|ending| {
        let ending = ending.to_string_lossy();
        ending.chars().all(char::is_alphanumeric) && ending.chars().any(char::is_alphabetic)
    })
}

/// The folder that the next export starts in.
pub(crate) fn folder_of(path: &Path) -> Option<PathBuf> {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).map(Path::to_owned)
}

/// What every file system takes: letters and digits of any language, and a few signs.
fn words(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|sign| if sign.is_alphanumeric() || "-_+,'".contains(sign) { sign } else { ' ' })
        .take(LONGEST)
        .collect();
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    if plain.is_empty() { "trades".to_owned() } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidemark_engine::day::Day;

    fn key(from: &str, to: &str) -> ViewKey {
        let day = |text| Day::parse(text).expect("a date");
        ViewKey { signature: String::new(), from: day(from), to: day(to) }
    }

    #[test]
    fn a_name_says_what_the_file_holds() {
        let month = key("2025-01-01", "2025-01-31");
        let cases = [
            (
                propose("product: Gas TTF", Role::Input, &month, true),
                "product Gas TTF 2025-01-01 to 2025-01-31.csv",
            ),
            (
                propose("no filter", Role::Downstream, &key("2025-01-01", "2025-01-01"), true),
                "all trades messages 2025-01-01.csv",
            ),
            (
                propose("cell: Köln/../x · and {\"a\": 1}", Role::Input, &month, false),
                "cell Köln x and a 1 2025-01-01 to 2025-01-31.partial.csv",
            ),
        ];
        for (name, expected) in cases {
            assert_eq!(name, expected);
        }
        assert!(propose(&"x".repeat(500), Role::Input, &month, true).len() < 120);
    }

    #[test]
    fn a_file_is_csv_and_a_partial_one_is_marked_once() {
        let written = |chosen: &str, complete| destination(chosen.into(), complete).written;
        assert_eq!(written("/tmp/a.partial.csv", false), PathBuf::from("/tmp/a.partial.csv"));
        assert_eq!(written("/tmp/a.partial.csv", true), PathBuf::from("/tmp/a.partial.csv"));
        assert_eq!(written("/tmp/b.csv", false), PathBuf::from("/tmp/b.partial.csv"));
        assert_eq!(written("/tmp/v1.2/b", true), PathBuf::from("/tmp/v1.2/b.csv"));
        assert_eq!(written("/tmp/b", false), PathBuf::from("/tmp/b.partial.csv"));
        assert_eq!(written("/tmp/b 2025.01", true), PathBuf::from("/tmp/b 2025.01.csv"));
        assert_eq!(written("/tmp/b.txt", true), PathBuf::from("/tmp/b.txt"));
    }
}
