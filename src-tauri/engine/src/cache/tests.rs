//! Makes the errors of the cache happen for real, and checks what each becomes.
//!
//! A full disk takes a file system of its own: `cli/tests/disk_full.rs` tests it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::DateTime;

use super::file::sql::sql;
use super::store::catalog::ValuesAsked;
use super::{Cache, CacheError, CacheErrorKind, CacheFile, Holder, Identity, Missing, View, Work, fixtures};
use crate::cache::file::error::BadPath;
use crate::cache::file::paths::wal_path;
use crate::day::{Day, DayRange};
use crate::failure::{Code, Failure};
use crate::query::signature::Signature;
use crate::rows::{Role, RowQuery, Sort};

fn day() -> Day {
    Day::from_number(20_000)
}

fn check(
    error: &CacheError,
    is_expected: impl Fn(&CacheErrorKind) -> bool,
    code: Code,
    may_be_moved_aside: bool,
) {
    assert!(is_expected(error.kind()), "{error:?}");
    assert_eq!(error.may_be_moved_aside(), may_be_moved_aside, "{error:?}");
    let failure = Failure::from(error.clone());
    assert_eq!(failure.code, code, "{error:?}");
    assert!(!failure.message.is_empty() && !failure.next.is_empty(), "{failure:?}");
    let source = failure.source_as::<CacheError>().expect("a failure keeps the error that it is made of");
    assert_eq!(source.kind(), error.kind());
}

/// A cache with a file of all products, in which a day is stored, and the file's path. The file is closed.
fn stored(folder: &Path) -> (Cache, PathBuf) {
    let cache = Cache::new(folder, 0).expect("a cache");
    let file = fixtures::file(&cache, &[]);
    fixtures::store(&file, day(), DateTime::UNIX_EPOCH, 0..500);
    let path = file.path().to_owned();
    (cache, path)
}

fn open(cache: &Cache) -> Result<Option<Arc<CacheFile>>, CacheError> {
    cache.open_existing(&Identity::of(&fixtures::query(&[])))
}

fn rewrite(path: &Path, statement: &str) {
    let connection = duckdb::Connection::open(path).expect("the file");
    connection.execute_batch(statement).expect("it is changed");
}

/// DuckDB creates the log with default permissions, and anew after each checkpoint.
#[cfg(unix)]
#[test]
fn the_log_of_a_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let cache = Cache::new(folder.path(), 0).expect("a cache");
    let file = fixtures::file(&cache, &[]);
    let mode = || {
        let log = std::fs::metadata(wal_path(file.path())).expect("a log");
        log.permissions().mode() & 0o777
    };
    assert_eq!(mode(), 0o600, "of a new file");
    let connection = file.connect().expect("a connection");
    for day in 20_000..20_003 {
        connection.execute_batch(sql!("CHECKPOINT cache")).expect("written");
        fixtures::store(&file, Day::from_number(day), DateTime::UNIX_EPOCH, 0..3);
        assert_eq!(mode(), 0o600, "after a commit");
    }
}

#[test]
fn a_file_that_another_holder_has_open_is_busy() {
    let folder = tempfile::tempdir().expect("a folder");
    let (cache, _) = stored(folder.path());
    let held = open(&cache).expect("it opens").expect("it is there");
    // The lock distinguishes open files, not processes.
    let other = Cache::new(folder.path(), 0).expect("a cache");
    let busy = open(&other).expect_err("it is in use");
    let kind = CacheErrorKind::Busy(Holder::OtherProcess);
    check(&busy, |found| *found == kind, Code::CacheBusy, false);
    let used = cache.delete(&held.identity().signature).expect_err("it is in use");
    let kind = CacheErrorKind::Busy(Holder::ThisProcess);
    check(&used, |found| *found == kind, Code::CacheBusy, false);
}

#[test]
fn what_is_not_there_is_not_cached() {
    let folder = tempfile::tempdir().expect("a folder");
    let (cache, _) = stored(folder.path());
    let signature = Signature::of(&fixtures::query(&["Power"]));
    let missing = cache.open_signature(&signature).expect_err("there is none");
    let kind = CacheErrorKind::NotCached(Missing::Signature(signature.to_string()));
    check(&missing, |found| *found == kind, Code::NotCached, false);
    let view = View::open(fixtures::file(&cache, &[]), DayRange::single(day())).expect("a view");
    let row = view.document(&RowQuery::of(Role::Input), 500).expect_err("there are 500");
    check(&row, |found| *found == CacheErrorKind::NotCached(Missing::Row), Code::NotCached, false);
    let sort = Sort { path: "nothing".to_owned(), descending: false };
    let column = view.page(&RowQuery::of(Role::Input).then_by(sort), 0, 1).expect_err("no such column");
    check(&column, |found| matches!(found, CacheErrorKind::NoColumn(..)), Code::BadFilter, false);
}

#[test]
fn damaged_bytes_are_damage() {
    let folder = tempfile::tempdir().expect("a folder");
    let (cache, path) = stored(folder.path());
    let whole = std::fs::read(&path).expect("the file");
    for damaged in [whole[..whole.len() / 2].to_vec(), vec![0; whole.len()], b"not a database".to_vec()] {
        std::fs::write(&path, damaged).expect("the file");
        let error = open(&cache).expect_err("it is damaged");
        check(&error, |found| matches!(found, CacheErrorKind::Corrupt(_)), Code::CacheDamaged, true);
    }
    std::fs::write(&path, whole).expect("the file");
    assert!(open(&cache).expect("it is whole").is_some());
}

#[test]
fn a_file_of_another_query_and_one_with_views_are_not_ours() {
    let folder = tempfile::tempdir().expect("a folder");
    let (cache, path) = stored(folder.path());
    let other = fixtures::file(&cache, &["Power"]);
    let theirs = other.path().to_owned();
    drop(other);
    let own = std::fs::read(&path).expect("the file");
    std::fs::copy(theirs, &path).expect("a copy");
    let is_foreign = |found: &CacheErrorKind| matches!(found, CacheErrorKind::NotOurs(_));
    check(&open(&cache).expect_err("another query's"), is_foreign, Code::CacheDamaged, true);
    std::fs::write(&path, own).expect("the file");
    rewrite(&path, "CREATE VIEW planted AS SELECT 1");
    check(&open(&cache).expect_err("it has a view"), is_foreign, Code::CacheDamaged, true);
}

#[test]
fn a_newer_format_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let (cache, path) = stored(folder.path());
    rewrite(&path, "UPDATE meta SET value = '99' WHERE key = 'format'");
    let newer = open(&cache).expect_err("too new");
    check(&newer, |found| matches!(found, CacheErrorKind::NewerFormat(_)), Code::CacheUnusable, false);
}

#[cfg(unix)]
#[test]
fn paths_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let question = Cache::new(&folder.path().join("what?"), 0).expect_err("DuckDB cannot open it");
    let kind = CacheErrorKind::Path(BadPath::QuestionMark);
    check(&question, |found| *found == kind, Code::CacheUnusable, false);
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("a file");
    let under = Cache::new(&file.join("cache"), 0).expect_err("it lies in a file");
    check(&under, |found| *found == CacheErrorKind::Folder, Code::CacheUnusable, false);

    let (cache, path) = stored(&folder.path().join("cache"));
    let elsewhere = folder.path().join("elsewhere.duckdb");
    std::fs::rename(&path, &elsewhere).expect("it is moved");
    std::os::unix::fs::symlink(&elsewhere, &path).expect("a link");
    let link = open(&cache).expect_err("links are not followed");
    check(&link, |found| *found == CacheErrorKind::Link, Code::CacheUnusable, false);
    std::fs::remove_file(&path).expect("the link");
    std::fs::create_dir(&path).expect("a folder");
    let kind = CacheErrorKind::Path(BadPath::NotAFile);
    check(&open(&cache).expect_err("a folder"), |found| *found == kind, Code::CacheUnusable, false);
}

#[cfg(target_os = "linux")]
#[test]
fn an_error_of_the_system_is_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let (cache, path) = stored(folder.path());
    std::fs::remove_file(&path).expect("the file");
    // The first page of the process is not mapped: reading it gives EIO.
    std::os::unix::fs::symlink("/proc/self/mem", &path).expect("a link");
    let refused = open(&cache).expect_err("it cannot be read");
    let is_of_the_system =
        |found: &CacheErrorKind| matches!(found, CacheErrorKind::Io | CacheErrorKind::File(_));
    check(&refused, is_of_the_system, Code::CacheUnusable, false);
}

#[test]
fn too_little_memory_and_a_cancel_are_no_damage() {
    let folder = tempfile::tempdir().expect("a folder");
    let (cache, _) = stored(folder.path());
    let file = open(&cache).expect("it opens").expect("it is there");
    let connection = file.connect().expect("a connection");
    connection.execute_batch(sql!("SET memory_limit = '1MB'; SET threads = 1")).expect("it may be set");
    let large = sql!("SELECT list(range) FROM range(50000000)");
    let memory = CacheError::from(connection.execute_batch(large).expect_err("too large"));
    check(&memory, |found| *found == CacheErrorKind::OutOfMemory, Code::OutOfMemory, false);
    connection.execute_batch(sql!("SET memory_limit = '1GB'")).expect("it may be set");
    let interrupt = connection.interrupt_handle();
    let stop = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(100));
        interrupt.interrupt();
    });
    let endless =
        sql!("SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range * b.range = 7");
    let cancelled = CacheError::from(connection.execute_batch(endless).expect_err("it is stopped"));
    check(&cancelled, |found| *found == CacheErrorKind::Cancelled(Work::Statement), Code::Cancelled, false);
    stop.join().expect("the thread");
}

/// A cache that keeps files open, as the window does, with a day stored, and the file's path.
fn kept_open(folder: &Path) -> (Cache, PathBuf) {
    let cache = Cache::new(folder, 4).expect("a cache");
    let file = fixtures::file(&cache, &[]);
    fixtures::store(&file, day(), DateTime::UNIX_EPOCH, 0..5);
    let path = file.path().to_owned();
    (cache, path)
}

#[cfg(unix)]
#[test]
fn a_file_that_was_deleted_by_hand_is_not_believed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (cache, path) = kept_open(folder.path());
    let used = open(&cache).expect("it opens").expect("it is there");
    std::fs::remove_file(&path).expect("it is deleted");
    let lost = used.forget(DayRange::single(day())).expect_err("it would be lost");
    let kind = CacheErrorKind::NotCached(Missing::Removed);
    check(&lost, |found| *found == kind, Code::NotCached, false);
    assert!(open(&cache).expect("the folder is sound").is_none());
    drop(used);
    cache.close_replaced();
    // A log without its file is not that of the new file.
    std::fs::write(wal_path(&path), "left behind").expect("a log");
    let opened = cache.open_or_create(&Identity::of(&fixtures::query(&[]))).expect("a new file");
    assert!(opened.moved_aside.is_none() && opened.file.state().days.is_empty());
    fixtures::store(&opened.file, day(), DateTime::UNIX_EPOCH, 0..7);
    drop(opened);
    assert_eq!(cache.listed(&path).expect("it is open").state.days[&day()].input_rows, 7);
}

#[cfg(unix)]
#[test]
fn a_file_that_was_replaced_by_hand_is_read_afresh() {
    let [folder, elsewhere] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let (cache, path) = kept_open(folder.path());
    let (other, theirs) = stored(elsewhere.path());
    drop(other);
    let asked = ValuesAsked { field: "product".to_owned(), prefix: String::new(), limit: 10 };
    cache.values(&path, &asked).expect("values");
    let used = open(&cache).expect("it opens").expect("it is there");
    std::fs::rename(&theirs, &path).expect("it is replaced");
    assert!(matches!(cache.listed(&path).expect_err("in use").kind(), CacheErrorKind::Busy(_)));
    drop(used);
    cache.close_replaced();
    assert_eq!(cache.listed(&path).expect("it opens").state.days[&day()].input_rows, 500);
    let file = open(&cache).expect("it opens").expect("it is there");
    assert_eq!(file.state().days[&day()].input_rows, 500);
}
