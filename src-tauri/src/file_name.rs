//! The file name that an export proposes.

use std::path::{Path, PathBuf};

use tidemark_engine::api::rows::ViewKey;
use tidemark_engine::cache::export::writing::partial_name;
use tidemark_engine::rows::{ExportFormat, Role};

/// Maximum number of characters from the filters: the name must stay readable, and short enough for any file system.
const LONGEST: usize = 80;

/// A name that says what the file contains: `product Gas TTF 2025-01-01 to 2025-01-31.csv`.
pub(crate) fn propose(
    filters: &str,
    of: Option<Role>,
    key: &ViewKey,
    format: ExportFormat,
    complete: bool,
) -> String {
    let words = if filters == "no filter" { "all trades".to_owned() } else { words(filters) };
    let role = match of {
        Some(Role::Input) => "",
        Some(Role::Downstream) => " messages",
        // The result of a trader's own SQL.
        None => " SQL",
    };
    let dates = if key.from == key.to { key.from.to_string() } else { format!("{} to {}", key.from, key.to) };
    // The engine marks the file of a partial answer if the mark is missing.
    let mark = if complete { "" } else { ".partial" };
    format!("{words}{role} {dates}{mark}.{}", format.extension())
}

/// The destination of an export that was chosen in the dialog.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Destination {
    /// The path to pass to the engine, which marks a partial answer's file itself.
    pub(crate) asked: PathBuf,
    /// The file that will be written.
    pub(crate) written: PathBuf,
}

/// The destination for a chosen path. A name without a file extension, or with that of another format, gets that of the
/// format.
pub(crate) fn destination(mut chosen: PathBuf, format: ExportFormat, complete: bool) -> Destination {
    let is_of_another = ExportFormat::of_path(&chosen).is_some_and(|of_path| of_path != format);
    if is_of_another || !has_ending(&chosen) {
        // Appended rather than set as the extension: what follows a dot in the name is part of it.
        let mut name = chosen.file_name().unwrap_or_default().to_owned();
        name.push(".");
        name.push(format.extension());
        chosen.set_file_name(name);
    }
    let written = if complete { chosen.clone() } else { partial_name(&chosen) };
    Destination { asked: chosen, written }
}

/// Whether a name has a file extension: `.csv` and `.txt` count, the `.01` of a date does not.
fn has_ending(path: &Path) -> bool {
    path.extension().is_some_and(|ending| {
        let ending = ending.to_string_lossy();
        ending.chars().all(char::is_alphanumeric) && ending.chars().any(char::is_alphabetic)
    })
}

/// The folder in which the next export's dialog starts.
pub(crate) fn folder_of(path: &Path) -> Option<PathBuf> {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).map(Path::to_owned)
}

/// Keeps only characters that every file system accepts: letters and digits of any language, and a few signs.
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
    use tidemark_engine::rows::ExportFormat::{Csv, Xlsx};

    fn key(from: &str, to: &str) -> ViewKey {
        let day = |text| Day::parse(text).expect("a date");
        ViewKey { signature: String::new(), from: day(from), to: day(to) }
    }

    #[test]
    fn a_name_says_what_the_file_holds() {
        let month = key("2025-01-01", "2025-01-31");
        let cases = [
            (
                propose("product: Gas TTF", Some(Role::Input), &month, Csv, true),
                "product Gas TTF 2025-01-01 to 2025-01-31.csv",
            ),
            (
                propose("no filter", Some(Role::Downstream), &key("2025-01-01", "2025-01-01"), Xlsx, true),
                "all trades messages 2025-01-01.xlsx",
            ),
            (
                propose("cell: Köln/../x · and {\"a\": 1}", Some(Role::Input), &month, Csv, false),
                "cell Köln x and a 1 2025-01-01 to 2025-01-31.partial.csv",
            ),
        ];
        for (name, expected) in cases {
            assert_eq!(name, expected);
        }
        assert!(propose(&"x".repeat(500), Some(Role::Input), &month, Csv, true).len() < 120);
    }

    #[test]
    fn a_file_has_the_ending_of_its_format_and_a_partial_one_is_marked_once() {
        let written = |chosen: &str, complete| destination(chosen.into(), Csv, complete).written;
        assert_eq!(written("/tmp/a.partial.csv", false), PathBuf::from("/tmp/a.partial.csv"));
        assert_eq!(written("/tmp/a.partial.csv", true), PathBuf::from("/tmp/a.partial.csv"));
        assert_eq!(written("/tmp/b.csv", false), PathBuf::from("/tmp/b.partial.csv"));
        assert_eq!(written("/tmp/v1.2/b", true), PathBuf::from("/tmp/v1.2/b.csv"));
        assert_eq!(written("/tmp/b", false), PathBuf::from("/tmp/b.partial.csv"));
        assert_eq!(written("/tmp/b 2025.01", true), PathBuf::from("/tmp/b 2025.01.csv"));
        assert_eq!(written("/tmp/b.txt", true), PathBuf::from("/tmp/b.txt"));
        assert_eq!(written("/tmp/b.xlsx", true), PathBuf::from("/tmp/b.xlsx.csv"));
    }
}
