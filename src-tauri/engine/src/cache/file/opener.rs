//! The only place that opens DuckDB files, with every limit and safety setting. `cargo xtask test` fails if anything
//! else in the engine opens one.
//!
//! A file may come from someone else, and DuckDB acts on what a file contains as soon as it opens it. So before that,
//! everything outside the file is made unreachable (other paths, the network, extensions) and the configuration is
//! locked. Afterwards no table is read until the catalog shows that it is not a view.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use duckdb::{Config, Connection};

use super::access::Access;
use super::error::{BadPath, CacheError, CacheErrorKind, Detail, Result};
use super::paths::{spare_export_dir, wal_path};
use super::schema::CATALOG;
use super::sql::{Database, Name, Sql, Text, sql};
use super::validate::refuse_views;

/// Memory that DuckDB may use before the fields of the file are known.
const MEMORY_TO_OPEN: &str = "768MiB";
/// The block size of new files, in bytes; others keep theirs. While a window is stored, DuckDB holds blocks for each of
/// its columns. With its default of twice this size, it takes a third more memory, and a file is a tenth larger.
const BLOCK_SIZE: &str = "131072";
/// DuckDB's threads while no window is being stored.
pub(crate) const THREADS_TO_READ: i64 = 2;
/// The settings that this program changes later. All others are locked.
const OPEN_SETTINGS: Sql = sql!("['memory_limit', 'threads', 'search_path', 'errors_as_json']");
/// Looks names up among DuckDB's own first: a file from someone else may contain macros and types, and none of them
/// may replace a function or a type that our statements name. Our tables are created under the catalog's name, since
/// DuckDB's own catalog accepts none.
pub(crate) const SEARCH_PATH: Sql = sql!("SET search_path = 'system.main,cache.main'");
/// The first bytes of a database: a checksum, these letters, and the version of the storage.
const MAGIC: &[u8; 4] = b"DUCK";
const MAGIC_AT: usize = 8;
/// Size of the first header.
const HEADER: u64 = 4_096;

/// Opens the file at a path, or creates an empty one, in a DuckDB instance of its own.
///
/// # Errors
/// `cache_busy`, `disk_full`, `out_of_memory`, `cache_unusable` if the system refuses access or a newer DuckDB wrote
/// the file, `cache_damaged` if it is not a database or contains views.
pub(crate) fn open(path: &Path, row_group_rows: usize, access: &Access) -> Result<Database> {
    // DuckDB could take a relative path for the name of a service that it knows.
    let path = std::path::absolute(path).map_err(|error| CacheError::of_folder(path, &error))?;
    check_header(&path)?;
    let spill = access.spill_dir(&path);
    let spill = text(&spill)?;
    let config = Config::default()
        .threads(THREADS_TO_READ)
        .and_then(|config| config.max_memory(MEMORY_TO_OPEN))
        .and_then(|config| config.with("temp_directory", spill))
        .and_then(|config| config.with("autoload_known_extensions", "false"))
        .and_then(|config| config.with("autoinstall_known_extensions", "false"))
        .and_then(|config| config.with("allow_community_extensions", "false"))
        .and_then(|config| config.with("allow_persistent_secrets", "false"))
        // Writes a row group to disk when it is full, not when five of them are.
        .and_then(|config| config.with("write_buffer_row_group_count", "1"))
        .and_then(|config| config.with("default_block_size", BLOCK_SIZE))?;
    let connection = Database::new(Connection::open_in_memory_with_flags(config)?);
    let mut own = vec![sql!("{}", Text(text(&path)?))];
    for beside in logs_of(&path) {
        own.push(sql!("{}", Text(text(&beside)?)));
    }
    let (export, spare) = (access.export_dir(&path), spare_export_dir(&path));
    let (file, export, spare) = (Text(text(&path)?), Text(text(&export)?), Text(text(&spare)?));
    // Times are in UTC, wherever the computer is. A library without time zones has no other, and no such setting.
    let _ = connection.execute_batch(sql!("SET GLOBAL TimeZone = 'UTC'"));
    // DuckDB may use its own folder for spills in any case.
    connection.execute_batch(sql!(
        "SET allowed_paths = [{}]; SET allowed_directories = [{export}, {spare}]; SET enable_external_access = false;
         SET allowed_configs = {OPEN_SETTINGS}; SET lock_configuration = true;",
        Sql::join(own, ", "),
        export,
        spare,
        OPEN_SETTINGS
    ))?;
    connection.execute_batch(match access {
        // Only this program's DuckDB reads the files, and the newer storage version compresses text better.
        Access::Write => {
            sql!(
                "ATTACH {file} AS {CATALOG} (ROW_GROUP_SIZE {row_group_rows}, STORAGE_VERSION 'v1.5.0')",
                file,
                CATALOG = Name(CATALOG),
                row_group_rows
            )
        }
        // A log that is not in the file yet is replayed in memory.
        Access::Read(_) => sql!("ATTACH {file} AS {CATALOG} (READ_ONLY)", file, CATALOG = Name(CATALOG)),
    })?;
    refuse_views(&connection)?;
    connection.execute_batch(SEARCH_PATH)?;
    Ok(connection)
}

/// Rejects what is not a regular file or does not begin like a database, before DuckDB sees it: DuckDB would wait for
/// a pipe, and take a different kind of file as a request to load an extension.
fn check_header(path: &Path) -> Result<()> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(CacheError::of_folder(path, &error)),
        Ok(found) if !found.is_file() => {
            return Err(bad_path(BadPath::NotAFile, path));
        }
        Ok(_) => {}
    }
    let mut header = Vec::new();
    File::open(path)
        .and_then(|file| file.take(HEADER).read_to_end(&mut header))
        .map_err(|error| CacheError::of_file(path, &error))?;
    if header.get(MAGIC_AT..MAGIC_AT + MAGIC.len()) == Some(MAGIC) {
        return Ok(());
    }
    Err(CacheError::corrupt("The cache file is not a database, or its header is damaged."))
}

/// The paths of the log, including the names that DuckDB gives it while writing it into the file.
pub(crate) fn logs_of(path: &Path) -> [PathBuf; 3] {
    let wal = wal_path(path);
    let with = |ending: &str| {
        let mut name = wal.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    [with(".checkpoint"), with(".recovery"), wal]
}

fn bad_path(why: BadPath, path: &Path) -> CacheError {
    CacheError::new(CacheErrorKind::Path(why)).because(Detail(path.display().to_string()))
}

/// Returns a path as text that DuckDB accepts.
fn text(path: &Path) -> Result<&str> {
    match path.to_str() {
        None => Err(bad_path(BadPath::NotUnicode, path)),
        // DuckDB takes what follows for options. On Windows, a question mark occurs only in the prefix `\\?\`.
        Some(text) if cfg!(unix) && text.contains('?') => Err(bad_path(BadPath::QuestionMark, path)),
        Some(text) => Ok(text),
    }
}

/// Checks that DuckDB can open files in a folder.
///
/// # Errors
/// `cache_unusable` if DuckDB cannot take the path.
pub(crate) fn expect_usable(folder: &Path) -> Result<()> {
    let folder = std::path::absolute(folder).map_err(|error| CacheError::of_folder(folder, &error))?;
    text(&folder).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::{Code, Failure};

    /// Creates a file by running SQL, as someone else may have done before it is opened here.
    fn file(folder: &Path, sql: &str) -> PathBuf {
        let path = folder.join("it's a file.duckdb");
        Connection::open(&path).expect("a file").execute_batch(sql).expect("it runs");
        path
    }

    #[test]
    fn nothing_outside_the_file_can_be_reached() {
        let folder = tempfile::tempdir().expect("a folder");
        let outside = folder.path().join("secret.csv");
        std::fs::write(&outside, "a\n1\n").expect("a file");
        let path = file(folder.path(), "CREATE TABLE x AS SELECT 7 AS a");
        let connection = open(&path, 122_880, &Access::Write).expect("a sound file");
        let outside = outside.to_string_lossy();
        let outside = Text(&outside);
        for refused in [
            sql!("SELECT * FROM read_csv({outside})", outside),
            sql!("COPY x TO {outside}", outside),
            sql!("ATTACH {outside} AS other", outside),
            sql!("INSTALL httpfs"),
            sql!("LOAD httpfs"),
            sql!("SET enable_external_access = true"),
            sql!("SET lock_configuration = false"),
            sql!("SET allowed_directories = ['/']"),
            sql!("SET autoload_known_extensions = true"),
            sql!("SET temp_directory = 'elsewhere'"),
        ] {
            assert!(connection.execute_batch(&refused).is_err(), "{refused:?}");
        }
        // What this program itself sets, stores and spills.
        connection
            .execute_batch(sql!(
                "SET memory_limit = '40MiB'; SET threads = 1;
                 CREATE TABLE cache.y AS SELECT range AS a, range::VARCHAR AS b FROM range(300000);
                 CHECKPOINT cache;"
            ))
            .expect("its own settings and tables");
        let many =
            sql!("SELECT count(*) FROM (SELECT row_number() OVER (ORDER BY b DESC) FROM y, range(10))");
        let rows: u64 = connection.query_row(many, [], |row| row.get(0)).expect("it spills");
        assert_eq!(rows, 3_000_000);
    }

    /// What a killed process had committed is only in the log.
    #[test]
    fn a_file_that_can_only_be_read_is_left_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.duckdb");
        let writer = open(&path, 122_880, &Access::Write).expect("a file");
        writer
            .execute_batch(sql!("CREATE TABLE cache.x AS SELECT range AS a FROM range(7)"))
            .expect("it is stored");
        let copy = folder.path().join("copy");
        std::fs::create_dir(&copy).expect("a folder");
        let copy = copy.join("a.duckdb");
        for (from, to) in [(path.clone(), copy.clone()), (wal_path(&path), wal_path(&copy))] {
            std::fs::copy(from, to).expect("a copy");
        }
        let files = || std::fs::read_dir(copy.parent().expect("a folder")).expect("a folder").count();
        let bytes = std::fs::read(&copy).expect("the file");
        let access = Access::Read(tempfile::tempdir().expect("a folder"));
        let reader = open(&copy, 122_880, &access).expect("it can be read");
        let rows: u64 = reader.query_row(sql!("SELECT count(*) FROM x"), [], |row| row.get(0)).expect("rows");
        assert_eq!(rows, 7);
        let refused = reader.execute_batch(sql!("DELETE FROM x")).expect_err("it can only be read");
        assert_eq!(*CacheError::from(refused).kind(), CacheErrorKind::ReadOnly);
        drop(reader);
        assert_eq!((files(), std::fs::read(&copy).expect("the file")), (2, bytes), "something was written");
    }

    #[test]
    fn a_view_of_any_name_is_refused_before_a_table_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["meta", "coverage", "anything"] {
            let path = file(folder.path(), &format!("CREATE OR REPLACE VIEW {name} AS SELECT 1 AS key"));
            let failure = Failure::from(open(&path, 122_880, &Access::Write).expect_err("it holds code"));
            assert_eq!(failure.code, Code::CacheDamaged, "{failure:?}");
            std::fs::remove_file(path).expect("removed");
        }
    }

    /// Opening a pipe would block forever.
    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_not_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.duckdb");
        let made = std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo runs");
        assert!(made.success());
        assert_eq!(
            Failure::from(open(&path, 122_880, &Access::Write).expect_err("no file")).code,
            Code::CacheUnusable
        );
    }

    /// A read that fails with a system error is neither damage nor our bug.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_system_error_is_reported_as_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.duckdb");
        // The first page of the process is not mapped: reading it gives EIO.
        std::os::unix::fs::symlink("/proc/self/mem", &path).expect("a link");
        let failure = Failure::from(open(&path, 122_880, &Access::Write).expect_err("it cannot be read"));
        assert_eq!(failure.code, Code::CacheUnusable, "{failure:?}");
        assert_eq!(failure.message, "The cache file a.duckdb cannot be read.");
        assert!(failure.cause.is_some_and(|cause| cause.contains("Input/output error")));
    }

    /// Writes a newer storage version into the first header, with the matching checksum.
    #[test]
    fn a_file_of_a_newer_duckdb_is_newer_and_not_damaged() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = file(folder.path(), "CREATE TABLE x AS SELECT 7 AS a; CHECKPOINT");
        let mut bytes = std::fs::read(&path).expect("the file");
        bytes[12..20].copy_from_slice(&900_u64.to_le_bytes());
        let words = bytes[8..4_096].chunks_exact(8).map(|word| {
            let word = u64::from_le_bytes(word.try_into().expect("eight bytes"));
            word.wrapping_mul(0xbf58_476d_1ce4_e5b9)
        });
        let checksum = words.fold(5_381, |sum: u64, word| sum ^ word);
        bytes[..8].copy_from_slice(&checksum.to_le_bytes());
        std::fs::write(&path, bytes).expect("the file");
        let failure = Failure::from(open(&path, 122_880, &Access::Write).expect_err("too new"));
        assert_eq!(failure.code, Code::CacheUnusable, "{failure:?}");
        assert!(failure.message.contains("newer"), "{failure:?}");
    }
}
