//! Disks of a test's own, mounted where only the test sees them.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

/// Whether this process may mount disks that nobody else sees. If not, the test runs again in one that may,
/// which any user can start on most Linux systems.
pub(crate) fn may_mount(test: &str) -> bool {
    const INSIDE: &str = "TIDEMARK_TEST_MOUNTS";
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    if !cfg!(target_os = "linux") {
        return not_run(test);
    }
    let inside = || {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount"]);
        command
    };
    let probe = inside().args(["mount", "-t", "tmpfs", "tmpfs", "/tmp"]).output();
    if !probe.is_ok_and(|done| done.status.success()) {
        return not_run(test);
    }
    let program = std::env::current_exe().unwrap();
    let again =
        inside().arg(program).args(["--exact", test, "--nocapture"]).env(INSIDE, "1").output().unwrap();
    let [told, said] = [&again.stdout, &again.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(again.status.success() && told.contains("1 passed"), "{told}{said}");
    print!("{told}");
    false
}

/// Says so, also of a test that passes.
fn not_run(test: &str) -> bool {
    // Not by `println!`, which a test that passes keeps to itself.
    let _ = writeln!(std::io::stdout(), "NOT RUN: {test}: this system lets nobody mount anything");
    false
}

/// Runs `mount`.
pub(crate) fn mount(options: &str, arguments: &[&str], place: &Path) {
    let done = Command::new("mount").args(["-o", options]).args(arguments).arg(place).output().unwrap();
    assert!(done.status.success(), "{done:?}");
}

/// Makes a file or a folder one that nobody may write to, as on a disk that is mounted read-only.
pub(crate) fn make_read_only(place: &Path) {
    mount("bind", &[place.to_str().unwrap()], place);
    mount("remount,bind,ro", &[], place);
}

/// Undoes [`make_read_only`].
pub(crate) fn make_writable(place: &Path) {
    let done = Command::new("umount").arg(place).output().unwrap();
    assert!(done.status.success(), "{done:?}");
}
