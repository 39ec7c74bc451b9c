//! Reports problems outside of commands in plain words, where a person can find them.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The file for these reports, next to the settings.
static NOTES: OnceLock<PathBuf> = OnceLock::new();

/// Reports panics in plain words, also to a file, since a desktop app usually has no visible terminal.
pub(crate) fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let payload = panic.payload();
        let formatted = payload.downcast_ref::<String>().map(String::as_str);
        let what = formatted.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
        let place = panic.location().map(|place| format!(" ({}:{})", place.file(), place.line()));
        report(&format!(
            "Tidemark met a fault of its own: {what}{}. What is cached is safe. Please restart Tidemark and \
             report this.",
            place.unwrap_or_default()
        ));
    }));
}

/// Sets the folder of the diagnostics file.
pub(crate) fn note_in(folder: PathBuf) {
    // Set once, when the app starts; later calls have no effect.
    let _ = NOTES.set(folder.join("diagnostics.log"));
}

/// Writes a message to standard error and to the diagnostics file.
pub(crate) fn report(what: &str) {
    let what = tidemark_engine::failure::redact(what);
    eprintln!("{what}");
    let Some(path) = NOTES.get() else { return };
    // If this fails, there is no other place to report it.
    let _ = path
        .parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| open_private(path))
        .and_then(|mut file| writeln!(file, "{what}"));
}

/// Opens the file for appending. Hosts and paths are private, so only the owner may read it; the permissions of a
/// file from an older version are corrected.
fn open_private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
        let file = options.mode(0o600).open(path)?;
        // Fails on file systems without permissions, which is harmless.
        let _ = file.set_permissions(std::fs::Permissions::from_mode(0o600));
        Ok(file)
    }
    #[cfg(not(unix))]
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::active::ActiveSource;
    use tidemark_engine::api::source::SourceProfile;

    #[cfg(unix)]
    #[test]
    fn what_is_noted_is_read_by_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mode = |path: &Path| std::fs::metadata(path).expect("the file").permissions().mode() & 0o777;
        let path = folder.path().join("diagnostics.log");
        writeln!(open_private(&path).expect("opened"), "one").expect("written");
        assert_eq!(mode(&path), 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("set");
        writeln!(open_private(&path).expect("opened"), "two").expect("written");
        assert_eq!(mode(&path), 0o600);
        assert_eq!(std::fs::read_to_string(&path).expect("read"), "one\ntwo\n");
    }

    /// Covers whatever a panic message may quote: a known password in any spelling, and an unknown connection string.
    #[test]
    fn what_a_fault_says_holds_no_password() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        note_in(folder.path().to_owned());
        report_panics();
        let uri = "mongodb://ann:PLANTED s3cr3t/\"@db1/";
        let typed = SourceProfile {
            uri: uri.to_owned(),
            database: "desk".to_owned(),
            collection: "trades".to_owned(),
            mapping: String::new(),
        };
        let active = ActiveSource::open(&typed, None, None).expect("a source");
        let unknown = "mongodb://bob:PLANTED-too@db2/";
        let said = [
            format!("{typed:?} {active:?} {:?}", active.source),
            format!("{uri} and {uri:?}"),
            format!("no password PLANTED s3cr3t/\" or PLANTED%20s3cr3t%2F%22 in {unknown}"),
        ];
        for what in said {
            std::thread::spawn(move || panic!("{what}")).join().expect_err("it fails");
        }
        let noted = std::fs::read_to_string(folder.path().join("diagnostics.log")).expect("it was noted");
        assert_eq!(noted.matches("met a fault of its own").count(), 3, "{noted}");
        assert!(
            noted.contains("mongodb://ann:***@db1/") && noted.contains("mongodb://bob:***@db2/"),
            "{noted}"
        );
        for trace in ["PLANTED", "s3cr3t"] {
            assert!(!noted.contains(trace), "{noted}");
        }
    }
}
