//! The log: shows its folder, and takes problems of the page.

use std::io;
use std::path::Path;
use std::time::Duration;

use tidemark_engine::engine::off_thread;
use tidemark_engine::failure::{Code, Failure, Result};

/// How long the system's file manager may take to report that it cannot be opened. Some only end when it is closed.
const OPENING: Duration = Duration::from_secs(3);
/// The longest problem of the page that is logged, in characters.
const LONGEST_PROBLEM: usize = 4_000;

/// Shows the folder of the log files in the system's file manager.
#[tauri::command]
pub(crate) async fn show_logs() -> Result<()> {
    let shown = off_thread(|| show(&tidemark_logs::folder(), |folder| open::that(folder)));
    tokio::time::timeout(OPENING, shown).await.unwrap_or(Ok(()))
}

fn show(folder: &Path, open: impl FnOnce(&Path) -> io::Result<()>) -> Result<()> {
    // Some file managers would show the folder above instead, without a word.
    let found = std::fs::read_dir(folder).and_then(|_| open(folder));
    found.map_err(|error| {
        Failure::new(Code::ExportFailed, "The folder of the log files could not be opened.")
            .advise(format!("The files are in {}.", folder.display()))
            .because(error)
    })
}

/// Logs a problem of the page itself.
#[tauri::command]
pub(crate) async fn log_problem(what: String) -> Result<()> {
    tracing::error!("in the page: {}", shortened(&what));
    Ok(())
}

fn shortened(what: &str) -> &str {
    what.char_indices().nth(LONGEST_PROBLEM).map_or(what, |(end, _)| &what[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_shown_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(show(folder.path(), |_| Ok(())), Ok(()));
        let missing = folder.path().join("missing");
        let refused = |_: &Path| Err(io::Error::other("no file manager"));
        for (folder, failure) in
            [(folder.path(), show(folder.path(), refused)), (&missing, show(&missing, |_| Ok(())))]
        {
            let failure = failure.expect_err("it is not shown");
            assert!(failure.next.contains(&*folder.to_string_lossy()), "{failure:?}");
        }
    }

    #[test]
    fn a_long_problem_is_cut() {
        assert_eq!(shortened("short"), "short");
        assert_eq!(shortened(&"é".repeat(LONGEST_PROBLEM + 1)).chars().count(), LONGEST_PROBLEM);
    }
}
