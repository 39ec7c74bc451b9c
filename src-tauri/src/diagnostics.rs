//! Reports problems outside of commands in plain words: on standard error, and in the log, since a desktop app usually
//! has no visible terminal.

use std::io::Write as _;

/// Reports panics in plain words on standard error. The log has them as well, once it is [started](tidemark_logs).
pub(crate) fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let payload = panic.payload();
        let formatted = payload.downcast_ref::<String>().map(String::as_str);
        let what = formatted.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
        let place = panic.location().map(|place| format!(" ({}:{})", place.file(), place.line()));
        say(&format!(
            "Tidemark met a fault of its own: {what}{}. What is cached is safe. Please restart Tidemark and \
             report this.",
            place.unwrap_or_default()
        ));
    }));
}

/// Writes a message to standard error and to the log.
pub(crate) fn report(what: &str) {
    tracing::error!("{what}");
    say(what);
}

fn say(what: &str) {
    // If this fails, there is no other place to report it.
    let _ = writeln!(std::io::stderr(), "{}", tidemark_engine::failure::redact(what));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::active::ActiveSource;
    use tidemark_engine::api::source::SourceProfile;
    use tidemark_settings::SourceSecrets;

    /// Covers whatever a panic message may quote: a known password in any spelling, and an unknown connection string.
    #[test]
    fn what_a_fault_says_holds_no_password() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        report_panics();
        let logs = tidemark_logs::start_in(folder.path(), false);
        let uri = "mongodb://ann:PLANTED s3cr3t/\"@db1/";
        let typed = SourceProfile {
            uri: uri.to_owned(),
            database: "desk".to_owned(),
            collection: "trades".to_owned(),
            mapping: String::new(),
        };
        let (shown, secrets) = SourceSecrets::split(uri);
        let profile = SourceProfile { uri: shown, ..typed.clone() };
        let active = ActiveSource::open("1", &profile, &secrets).expect("a source");
        let unknown = "mongodb://bob:PLANTED-too@db2/";
        let said = [
            format!("{typed:?} {active:?} {:?}", active.source),
            format!("{uri} and {uri:?}"),
            format!("no password PLANTED s3cr3t/\" or PLANTED%20s3cr3t%2F%22 in {unknown}"),
        ];
        for what in said {
            std::thread::spawn(move || panic!("{what}")).join().expect_err("it fails");
        }
        // What is still to be written is written then.
        drop(logs);
        let file = std::fs::read_dir(folder.path()).expect("the folder").next().expect("a file");
        let noted = std::fs::read_to_string(file.expect("a file").path()).expect("it was noted");
        // Other tests of this program may panic meanwhile.
        assert!(noted.matches("ERROR").count() >= 3, "{noted}");
        assert!(
            noted.contains("mongodb://ann:***@db1/") && noted.contains("mongodb://bob:***@db2/"),
            "{noted}"
        );
        for trace in ["PLANTED", "s3cr3t"] {
            assert!(!noted.contains(trace), "{noted}");
        }
    }
}
