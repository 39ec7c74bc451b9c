//! Files that something befell: an error of the system, a newer Tidemark, an older one, somebody else. None is lost,
//! none runs anything, and none that is pinned goes.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::support::fixture::{Fixture, range};
use tidemark_engine::api::rows::ViewKey;
use tidemark_engine::cache::{Cache, Identity};
use tidemark_engine::failure::{Code, Failure};
use tidemark_engine::rows::{Role, RowQuery};

const FROM: &str = "2025-03-01";
const TO: &str = "2025-03-20";

/// The query's file.
fn file_of(fixture: &Fixture) -> PathBuf {
    let identity = Identity::of(&fixture.query(&[]));
    fixture.folder.path().join(&identity.family).join(format!("{}.duckdb", identity.signature))
}

/// Names of what lies beside the file, and of it.
fn names(file: &Path) -> Vec<String> {
    let entries = fs::read_dir(file.parent().unwrap()).unwrap().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn aside(file: &Path) -> Option<PathBuf> {
    let name = names(file).into_iter().find(|name| name.contains(".damaged-") && name.ends_with(".duckdb"));
    name.map(|name| file.with_file_name(name))
}

fn sql(file: &Path, statement: &str) {
    duckdb::Connection::open(file).unwrap().execute_batch(statement).unwrap();
}

/// What an older Tidemark leaves: the pin in the file, and nothing beside it that says more.
fn as_from_an_older_tidemark(file: &Path, pinned: bool) {
    for ending in ["pinned", "format", "lock"] {
        let _ = fs::remove_file(file.with_extension(ending));
    }
    sql(file, &format!("UPDATE meta SET value = '{}' WHERE key = 'pinned'", u8::from(pinned)));
}

/// Twenty days, pinned, in a program that begins anew.
async fn pinned(name: &str) -> (Fixture, PathBuf) {
    let mut fixture = Fixture::new(name).await;
    fixture.fetch(FROM, TO).await;
    fixture.engine.pin(&fixture.signature(), true).await.unwrap();
    fixture.reopen();
    let file = file_of(&fixture);
    (fixture, file)
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn an_input_output_error_loses_nothing() {
    let (mut fixture, file) = pinned("files_eio").await;
    let elsewhere = file.with_extension("elsewhere");
    fs::rename(&file, &elsewhere).unwrap();
    // Nobody maps its first page: whoever reads it is given EIO.
    std::os::unix::fs::symlink("/proc/self/mem", &file).unwrap();
    for (from, to) in [("2025-03-05", "2025-03-06"), ("2025-03-19", "2025-03-22")] {
        let failure = fixture.run(fixture.request(from, to)).await.result.unwrap_err();
        assert_eq!(failure.code, Code::CacheUnusable, "{failure:?}");
        assert!(failure.cause.unwrap().contains("Input/output error"));
    }
    assert_eq!(fixture.engine.set_cache_budget(0).await.unwrap().queries.len(), 0);
    assert_eq!(aside(&file), None);
    fs::remove_file(&file).unwrap();
    fs::rename(&elsewhere, &file).unwrap();
    fixture.reopen();
    let answer = fixture.fetch(FROM, TO).await;
    assert_eq!((answer.days.from_cache, answer.mongo_commands), (20, 0), "{answer:?}");
    assert!(fixture.engine.cached_queries().await.unwrap()[0].pinned);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_keeps_its_pin_and_its_age_and_goes_last() {
    let (mut fixture, file) = pinned("files_aside").await;
    let age = fs::metadata(file.with_extension("used")).unwrap().modified().unwrap();
    let mut bytes = fs::read(&file).unwrap();
    // Both headers.
    bytes[4_096..12_288].fill(0x55);
    fs::write(&file, &bytes).unwrap();
    fixture.set_clock("2026-01-16T12:00:00Z");
    let answer = fixture.fetch(FROM, TO).await;
    assert_eq!(answer.days.fetched, 20, "{answer:?}");
    assert!(answer.notes.iter().any(|note| note.to_string().contains("moved aside as")), "{answer:?}");
    let aside = aside(&file).unwrap();
    assert_eq!(fs::read(&aside).unwrap(), bytes, "it is what there was");
    let kept = fs::metadata(aside.with_extension("used")).unwrap().modified().unwrap();
    assert_eq!(kept, age);
    assert!(fixture.engine.cached_queries().await.unwrap()[0].pinned, "it is the query that is pinned");
    // Nothing goes that is pinned, neither the query nor what was moved aside of it.
    fixture.reopen();
    let freed = fixture.engine.set_cache_budget(0).await.unwrap();
    assert_eq!((freed.queries.len(), freed.moved_aside), (0, 0), "{freed:?}");
    // Then the query goes first, though it was used later.
    fixture.engine.pin(&fixture.signature(), false).await.unwrap();
    fs::remove_file(aside.with_extension("pinned")).unwrap();
    fixture.reopen();
    let usage = fixture.engine.cache_usage().await.unwrap();
    let freed = fixture.engine.set_cache_budget(usage.bytes - 1).await.unwrap();
    assert_eq!((freed.queries.len(), freed.moved_aside), (1, 0), "{freed:?}");
    assert!(aside.exists());
    assert_eq!(fixture.engine.set_cache_budget(0).await.unwrap().moved_aside, 1);
    assert_eq!(names(&file), Vec::<String>::new());
}

/// Damage that one read met and the next does not is none.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_fresh_look_does_not_confirm_stays() {
    let (fixture, file) = pinned("files_confirm").await;
    let identity = Identity::of(&fixture.query(&[]));
    fixture.engine.cache().suspect(&identity.signature);
    let answer = fixture.fetch(FROM, TO).await;
    assert_eq!((answer.days.from_cache, answer.notes.len()), (20, 0), "{answer:?}");
    assert_eq!(aside(&file), None);
    assert!(!fixture.engine.cache().is_suspect(&identity.signature));
}

/// The window keeps the files open that it shows. A person deletes one in the folder, or puts a copy in its place.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_changed_by_hand_in_the_folder_is_noticed() {
    let (mut fixture, file) = pinned("files_by_hand").await;
    let copy = fixture.folder.path().join("copy");
    fixture.fetch("2025-03-01", "2025-04-30").await;
    // Now the log is in the file.
    fixture.reopen();
    fs::copy(&file, &copy).unwrap();
    let days = range(FROM, TO);
    let key = ViewKey { signature: fixture.signature().to_string(), from: days.from(), to: days.to() };
    let rows = async || {
        let page = fixture.engine.page(&key, &RowQuery::of(Role::Input), 0, 100).await;
        page.map(|page| page.rows.len()).map_err(|failure| failure.code)
    };
    let twenty = rows().await.unwrap();
    fs::remove_file(&file).unwrap();
    assert_eq!(rows().await, Err(Code::NotCached));
    assert_eq!(fixture.engine.cached_queries().await.unwrap().len(), 0);
    let answer = fixture.fetch(FROM, "2025-03-10").await;
    assert_eq!((answer.days.from_cache, answer.days.fetched), (0, 10), "{answer:?}");
    assert_eq!(fixture.engine.cached_queries().await.unwrap()[0].days, 10);
    assert_eq!(rows().await, Ok(5));

    fs::rename(&copy, &file).unwrap();
    assert_eq!(fixture.engine.cached_queries().await.unwrap()[0].days, 61);
    assert_eq!(rows().await, Ok(twenty));
    assert_eq!(fixture.fetch("2025-03-01", "2025-04-30").await.mongo_commands, 0);
}

/// A file from somebody else whose tables are not as its own ledger says: a statement fails in a way that no code
/// expects. The look at all of it says that it is the file's fault.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_tables_are_not_as_it_says_is_set_aside() {
    let (fixture, file) = pinned("files_columns").await;
    let column = "SELECT min(column_name) FROM duckdb_columns() WHERE table_name = 'input_1' AND column_name LIKE 'c_'";
    let connection = duckdb::Connection::open(&file).unwrap();
    let column: String = connection.query_row(column, [], |row| row.get(0)).unwrap();
    connection.execute_batch(&format!("ALTER TABLE input_1 DROP COLUMN {column}")).unwrap();
    drop(connection);
    let days = range(FROM, TO);
    let key = ViewKey { signature: fixture.signature().to_string(), from: days.from(), to: days.to() };
    fixture.engine.page(&key, &RowQuery::of(Role::Input), 0, 10).await.unwrap_err();
    assert_eq!(aside(&file), None, "a look moves nothing");
    let answer = fixture.fetch(FROM, TO).await;
    assert_eq!(answer.days.fetched, 20, "{answer:?}");
    assert!(aside(&file).is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_a_newer_tidemark_is_left_alone() {
    // With the note beside it that the newer one leaves, and where the file came alone.
    for (name, with_note) in [("files_newer", false), ("files_newer_noted", true)] {
        let mut fixture = Fixture::new(name).await;
        fixture.fetch(FROM, TO).await;
        fixture.reopen();
        let file = file_of(&fixture);
        as_from_an_older_tidemark(&file, false);
        sql(&file, "UPDATE meta SET value = '99' WHERE key = 'format'");
        if with_note {
            let known = fs::metadata(&file).unwrap();
            let written = known.modified().unwrap().duration_since(SystemTime::UNIX_EPOCH).unwrap();
            let note = format!("99 {} {}", known.len(), written.as_nanos());
            fs::write(file.with_extension("format"), note).unwrap();
        }
        let before = fs::read(&file).unwrap();
        for (from, to) in [(FROM, TO), ("2025-04-01", "2025-04-02")] {
            let failure = fixture.run(fixture.request(from, to)).await.result.unwrap_err();
            assert_eq!(failure.code, Code::CacheUnusable, "{failure:?}");
            assert!(failure.message.contains("newer Tidemark (format 99"), "{failure:?}");
        }
        let listed = fixture.engine.cached_queries().await.unwrap();
        assert!(listed[0].failure.as_ref().unwrap().message.contains("newer Tidemark"), "{listed:?}");
        assert_eq!(fixture.engine.set_cache_budget(0).await.unwrap().queries.len(), 0);
        assert_eq!(aside(&file), None);
        assert!(fs::read(&file).unwrap() == before, "not a byte is changed");
        // A trader who asks for it gets rid of it.
        fixture.engine.forget(&fixture.signature(), None).await.unwrap();
        assert!(!file.exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pin_of_an_older_file_counts_before_anybody_has_opened_it() {
    for pinned in [true, false] {
        let mut fixture = Fixture::new(&format!("files_old_pin_{pinned}")).await;
        fixture.fetch(FROM, TO).await;
        fixture.reopen();
        let file = file_of(&fixture);
        as_from_an_older_tidemark(&file, pinned);
        let freed = fixture.engine.set_cache_budget(0).await.unwrap();
        assert_eq!((freed.queries.len(), file.exists()), (usize::from(!pinned), pinned));
        assert_eq!(file.with_extension("pinned").exists(), pinned);
    }
}

/// What stands beside the file says enough: eviction does not even notice that this is no database.
#[tokio::test(flavor = "multi_thread")]
async fn eviction_opens_no_file() {
    for pinned in [true, false] {
        let mut fixture = Fixture::new(&format!("files_unopened_{pinned}")).await;
        fixture.fetch(FROM, TO).await;
        fixture.engine.pin(&fixture.signature(), pinned).await.unwrap();
        fixture.reopen();
        let file = file_of(&fixture);
        // As many bytes, of the same time.
        let known = fs::metadata(&file).unwrap();
        fs::write(&file, vec![b'x'; usize::try_from(known.len()).unwrap()]).unwrap();
        fs::File::options().write(true).open(&file).unwrap().set_modified(known.modified().unwrap()).unwrap();
        let freed = fixture.engine.set_cache_budget(0).await.unwrap();
        assert_eq!((freed.queries.len(), file.exists()), (usize::from(!pinned), pinned));
    }
}

/// A file that somebody has written to since is not the one that the note is about: a colleague's, or that of a newer
/// Tidemark.
#[tokio::test(flavor = "multi_thread")]
async fn a_note_about_other_bytes_counts_for_nothing() {
    let mut fixture = Fixture::new("files_note").await;
    fixture.fetch(FROM, TO).await;
    fixture.reopen();
    let file = file_of(&fixture);
    sql(&file, "UPDATE meta SET value = '99' WHERE key = 'format'");
    let freed = fixture.engine.set_cache_budget(0).await.unwrap();
    assert_eq!((freed.queries.len(), file.exists()), (0, true));
}

/// A view that reads a pipe would be waited for without end, with the lock of all files held.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_file_runs_nothing_at_eviction() {
    let mut fixture = Fixture::new("files_foreign").await;
    fixture.fetch(FROM, TO).await;
    fixture.reopen();
    let file = file_of(&fixture);
    let pipe = fixture.folder.path().join("pipe.csv");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    as_from_an_older_tidemark(&file, false);
    // The view is made without a look at the pipe.
    let other = fixture.folder.path().join("other.csv");
    fs::write(&other, "key,value\npinned,0\n").unwrap();
    sql(
        &file,
        &format!("DROP TABLE meta; CREATE VIEW meta AS SELECT * FROM read_csv('{}')", other.display()),
    );
    fs::rename(&pipe, &other).unwrap();
    let engine = fixture.engine.clone();
    let eviction = async move { engine.set_cache_budget(0).await };
    let freed = tokio::time::timeout(Duration::from_secs(20), eviction).await.expect("it ends").unwrap();
    assert_eq!(freed.queries.len(), 0, "what does not say whether it is pinned stays");
    assert!(file.exists());
}

/// Two programs on one folder: what one has open, the other does not take away, neither the file nor its log.
#[tokio::test(flavor = "multi_thread")]
async fn another_program_does_not_remove_what_is_open() {
    let fixture = Fixture::new("files_two").await;
    fixture.fetch(FROM, TO).await;
    let file = file_of(&fixture);
    let log = file.with_extension("duckdb.wal");
    fs::write(&log, "as if something were in it").unwrap();
    let (folder, signature) = (fixture.folder.path().to_owned(), fixture.signature());
    tokio::task::spawn_blocking(move || {
        let other = Cache::new(&folder, 0).unwrap();
        assert_eq!(Failure::from(other.delete(&signature).unwrap_err()).code, Code::CacheBusy);
        assert!(other.evict(0, |_| Some(())).unwrap().queries.is_empty());
        assert_eq!(Failure::from(other.open_signature(&signature).unwrap_err()).code, Code::CacheBusy);
    })
    .await
    .unwrap();
    assert!(file.exists() && log.exists());
}

/// One program makes a file and closes it again and again while another removes it: whatever the moment, what is
/// opened is whole, and no log of an earlier file is taken for its own.
#[test]
fn files_that_are_made_and_removed_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let fixture = runtime.block_on(Fixture::new("files_race"));
    let identity = Identity::of(&fixture.query(&[]));
    let file = folder.path().join(&identity.family).join(format!("{}.duckdb", identity.signature));
    let end = SystemTime::now() + Duration::from_secs(6);
    let (made, removed) = std::thread::scope(|scope| {
        let remover = scope.spawn(|| {
            let cache = Cache::new(folder.path(), 0).unwrap();
            let mut removed = 0;
            while SystemTime::now() < end {
                removed += cache.evict(0, |_| Some(())).map_or(0, |freed| freed.queries.len());
            }
            removed
        });
        let cache = Cache::new(folder.path(), 0).unwrap();
        let mut made = 0;
        while SystemTime::now() < end {
            match cache.open_or_create(&identity) {
                Ok(opened) => {
                    assert!(opened.moved_aside.is_none(), "{:?}", opened.moved_aside);
                    opened.file.set_pinned(made % 4 == 3).unwrap();
                    assert!(file.exists(), "it was taken away while it was open");
                    drop(opened);
                    made += 1;
                    // Opening takes so much longer than removing that the other one would hardly get its turn.
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(error) => assert_eq!(Failure::from(error.clone()).code, Code::CacheBusy, "{error:?}"),
            }
        }
        (made, remover.join().unwrap())
    });
    assert!(made > 5 && removed > 0, "{made} made, {removed} removed");
    assert!(aside(&file).is_none());
}

/// The folder of the cache may be a volume of its own, with folders that only the system may read.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn folders_of_the_system_are_passed_over() {
    use std::os::unix::fs::PermissionsExt as _;

    let (fixture, file) = pinned("files_volume").await;
    let cache = file.parent().unwrap().parent().unwrap();
    let system = cache.join("lost+found");
    fs::create_dir(&system).unwrap();
    // Root may read it, so what it has must not be listed either.
    fs::copy(&file, system.join(file.file_name().unwrap())).unwrap();
    fs::set_permissions(&system, fs::Permissions::from_mode(0o000)).unwrap();
    let listed = fixture.engine.cached_queries().await.unwrap();
    assert_eq!(listed.len(), 1, "{listed:?}");
    let answer = fixture.fetch(FROM, TO).await;
    assert!(answer.days.from_cache == 20 && answer.complete, "{answer:?}");
    fixture.engine.cache_usage().await.unwrap();
}

/// A read-only look at rows still works while another query of the folder cannot be read at all.
#[tokio::test(flavor = "multi_thread")]
async fn one_file_that_cannot_be_used_leaves_the_others_alone() {
    let (fixture, file) = pinned("files_others").await;
    let broken = file.with_file_name(format!("{}.duckdb", "0".repeat(32)));
    fs::create_dir(&broken).unwrap();
    let ids = fixture.ids(&fixture.query(&[]), range(FROM, TO), Role::Input).await;
    assert_eq!(ids.len(), 10);
    let listed = fixture.engine.cached_queries().await.unwrap();
    assert_eq!(listed.len(), 2, "{listed:?}");
    assert!(listed.iter().any(|query| query.failure.is_some()));
}
