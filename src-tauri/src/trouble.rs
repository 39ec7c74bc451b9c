//! What went wrong outside any command: said plainly, where a person can find it.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::OnceLock;

/// The file that says it, beside the settings.
static NOTES: OnceLock<PathBuf> = OnceLock::new();

/// Lets a panic say what happened in plain words. A desktop app has no terminal that anybody sees, so it is
/// written to a file as well.
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

/// Names the folder of the file that troubles are noted in.
pub(crate) fn note_in(folder: PathBuf) {
    // Set once, when the app starts; the first one stays.
    let _ = NOTES.set(folder.join("trouble.log"));
}

/// Says something on standard error and notes it in the file.
pub(crate) fn report(what: &str) {
    let what = tidemark_engine::failure::redact(what);
    eprintln!("{what}");
    let Some(path) = NOTES.get() else { return };
    // There is nobody left to tell that this did not work.
    let _ = path
        .parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| OpenOptions::new().create(true).append(true).open(path))
        .and_then(|mut file| writeln!(file, "{what}"));
}
