//! The one place that opens DuckDB files, with every limit and every setting of safety. `cargo xtask test` fails
//! if anything else in the engine opens one.
//!
//! A file may come from somebody else, and opening it is where DuckDB would do what the file says. So nothing
//! outside the file can be reached from the first moment on: no other path, no network, no extension. Then the
//! configuration is locked, and no table is read before the catalog says that it is one.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use duckdb::{Config, Connection};

use super::access::Access;
use super::file::CATALOG;
use super::folder::folder_failure;
use super::inspect::refuse_views;
use super::leftovers::{spare_export_of, wal_of};
use super::relation::literal;
use crate::failure::{Code, Failure, Result};

/// Memory that DuckDB may use before the fields of the file are known.
const MEMORY_TO_OPEN: &str = "768MiB";
/// Threads of DuckDB, until windows are stored.
pub(super) const THREADS_TO_READ: i64 = 2;
/// What this program sets later, and nobody else can: all other settings are locked.
const OPEN_SETTINGS: &str = "['memory_limit', 'threads', 'search_path']";
/// Names are looked up among DuckDB's own first: a file from somebody else may hold macros and types, and
/// none of them takes the place of a function or a type that a statement here names. Tables are made under
/// the catalog's name, for DuckDB's own catalog takes none.
pub(super) const SEARCH_PATH: &str = "SET search_path = 'system.main,cache.main'";
/// The first bytes of a database: a checksum, these letters, and the version of the storage.
const MAGIC: &[u8; 4] = b"DUCK";
const MAGIC_AT: usize = 8;
/// Size of the first header.
const HEADER: u64 = 4_096;

/// Opens the file at a path, or makes an empty one, in a database of its own.
///
/// # Errors
/// `cache_busy`, `disk_full`, `out_of_memory`, `cache_unusable` for what the system refuses and for files of a
/// newer DuckDB, `cache_damaged` for what is no such file or holds code.
pub(super) fn open(path: &Path, row_group_rows: usize, access: &Access) -> Result<Connection> {
    // A path without a root could be taken for the name of a service that DuckDB knows.
    let path = std::path::absolute(path).map_err(|error| folder_failure(path, &error))?;
    check_header(&path)?;
    let spill = access.spill_of(&path);
    let spill = text(&spill)?;
    let config = Config::default()
        .threads(THREADS_TO_READ)
        .and_then(|config| config.max_memory(MEMORY_TO_OPEN))
        .and_then(|config| config.with("temp_directory", spill))
        .and_then(|config| config.with("autoload_known_extensions", "false"))
        .and_then(|config| config.with("autoinstall_known_extensions", "false"))
        .and_then(|config| config.with("allow_community_extensions", "false"))
        .and_then(|config| config.with("allow_persistent_secrets", "false"))
        // A row group goes to disk when it is full, not when five of them are.
        .and_then(|config| config.with("write_buffer_row_group_count", "1"))?;
    let connection = Connection::open_in_memory_with_flags(config)?;
    let file = literal(text(&path)?);
    let mut own = vec![file.clone()];
    for beside in logs_of(&path) {
        own.push(literal(text(&beside)?));
    }
    let export = literal(text(&access.export_of(&path))?);
    let spare = literal(text(&spare_export_of(&path))?);
    // The folder for what is spilled is DuckDB's own; it may use it in any case.
    connection.execute_batch(&format!(
        "SET allowed_paths = [{}]; SET allowed_directories = [{export}, {spare}]; SET enable_external_access = false;
         SET allowed_configs = {OPEN_SETTINGS}; SET lock_configuration = true;",
        own.join(", ")
    ))?;
    connection.execute_batch(&match access {
        // Files are read by this program's DuckDB; the newer storage version compresses text better.
        Access::Write => {
            format!("ATTACH {file} AS {CATALOG} (ROW_GROUP_SIZE {row_group_rows}, STORAGE_VERSION 'v1.5.0')")
        }
        // A log that is not in the file yet is read into memory.
        Access::Read(_) => format!("ATTACH {file} AS {CATALOG} (READ_ONLY)"),
    })?;
    refuse_views(&connection)?;
    connection.execute_batch(SEARCH_PATH)?;
    Ok(connection)
}

/// Refuses what is no file, and what does not begin as a database does, without asking DuckDB: it would wait for a
/// pipe, and take another kind of file for an order to load an extension.
fn check_header(path: &Path) -> Result<()> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(folder_failure(path, &error)),
        Ok(found) if !found.is_file() => {
            let message = "The path of the cache file leads to something that is not a file.";
            return Err(Failure::new(Code::CacheUnusable, message)
                .advise("Remove what is there, or choose another folder for the cache.")
                .because(path.display()));
        }
        Ok(_) => {}
    }
    let mut header = Vec::new();
    File::open(path)
        .and_then(|file| file.take(HEADER).read_to_end(&mut header))
        .map_err(|error| folder_failure(path, &error))?;
    if header.get(MAGIC_AT..MAGIC_AT + MAGIC.len()) == Some(MAGIC) {
        return Ok(());
    }
    Err(Failure::new(Code::CacheDamaged, "The cache file is not a database, or its header is damaged."))
}

/// The log, and what DuckDB calls it while it writes it into the file.
fn logs_of(path: &Path) -> [PathBuf; 3] {
    let wal = wal_of(path);
    let with = |ending: &str| {
        let mut name = wal.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    [with(".checkpoint"), with(".recovery"), wal]
}

/// A path as DuckDB takes it.
fn text(path: &Path) -> Result<&str> {
    let refused = |message: &str| {
        Failure::new(Code::CacheUnusable, message)
            .advise("Choose a cache folder with a different name.")
            .because(path.display())
    };
    match path.to_str() {
        None => Err(refused("The name of the cache folder is not Unicode text.")),
        // DuckDB takes what follows for options. Windows has no such names but in a prefix of its own.
        Some(text) if cfg!(unix) && text.contains('?') => {
            Err(refused("The path of the cache folder contains a question mark, which is not supported."))
        }
        Some(text) => Ok(text),
    }
}

/// Makes sure that DuckDB can open files in a folder.
///
/// # Errors
/// `cache_unusable`, with the part of the path that it cannot take.
pub(super) fn expect_usable(folder: &Path) -> Result<()> {
    let folder = std::path::absolute(folder).map_err(|error| folder_failure(folder, &error))?;
    text(&folder).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SQL that somebody ran on a file before it was opened here.
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
        for refused in [
            format!("SELECT * FROM read_csv('{outside}')"),
            format!("COPY x TO '{outside}'"),
            format!("ATTACH '{outside}' AS other"),
            "INSTALL httpfs".to_owned(),
            "LOAD httpfs".to_owned(),
            "SET enable_external_access = true".to_owned(),
            "SET lock_configuration = false".to_owned(),
            "SET allowed_directories = ['/']".to_owned(),
            "SET autoload_known_extensions = true".to_owned(),
            "SET temp_directory = 'elsewhere'".to_owned(),
        ] {
            assert!(connection.execute_batch(&refused).is_err(), "{refused}");
        }
        // What this program itself sets, stores and spills.
        connection
            .execute_batch(
                "SET memory_limit = '40MiB'; SET threads = 1;
                 CREATE TABLE cache.y AS SELECT range AS a, range::VARCHAR AS b FROM range(300000);
                 CHECKPOINT cache;",
            )
            .expect("its own settings and tables");
        let many = "SELECT count(*) FROM (SELECT row_number() OVER (ORDER BY b DESC) FROM y, range(10))";
        let rows: u64 = connection.query_row(many, [], |row| row.get(0)).expect("it spills");
        assert_eq!(rows, 3_000_000);
    }

    /// What a program that was killed had committed is in the log alone.
    #[test]
    fn a_file_that_can_only_be_read_is_left_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.duckdb");
        let writer = open(&path, 122_880, &Access::Write).expect("a file");
        writer
            .execute_batch("CREATE TABLE cache.x AS SELECT range AS a FROM range(7)")
            .expect("it is stored");
        let copy = folder.path().join("copy");
        std::fs::create_dir(&copy).expect("a folder");
        let copy = copy.join("a.duckdb");
        for (from, to) in [(path.clone(), copy.clone()), (wal_of(&path), wal_of(&copy))] {
            std::fs::copy(from, to).expect("a copy");
        }
        let files = || std::fs::read_dir(copy.parent().expect("a folder")).expect("a folder").count();
        let bytes = std::fs::read(&copy).expect("the file");
        let access = Access::Read(tempfile::tempdir().expect("a folder"));
        let reader = open(&copy, 122_880, &access).expect("it can be read");
        let rows: u64 = reader.query_row("SELECT count(*) FROM x", [], |row| row.get(0)).expect("rows");
        assert_eq!(rows, 7);
        let refused = reader.execute_batch("DELETE FROM x").expect_err("it can only be read");
        assert_eq!(Failure::from(refused).code, Code::CacheUnusable);
        drop(reader);
        assert_eq!((files(), std::fs::read(&copy).expect("the file")), (2, bytes), "something was written");
    }

    #[test]
    fn a_view_of_any_name_is_refused_before_a_table_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["meta", "coverage", "anything"] {
            let path = file(folder.path(), &format!("CREATE OR REPLACE VIEW {name} AS SELECT 1 AS key"));
            let failure = open(&path, 122_880, &Access::Write).expect_err("it holds code");
            assert_eq!(failure.code, Code::CacheDamaged, "{failure:?}");
            std::fs::remove_file(path).expect("removed");
        }
    }

    /// A pipe would be waited for without end.
    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_not_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.duckdb");
        let made = std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo runs");
        assert!(made.success());
        assert_eq!(open(&path, 122_880, &Access::Write).expect_err("no file").code, Code::CacheUnusable);
    }

    /// A read that the system fails: not damage, and not our fault.
    #[cfg(target_os = "linux")]
    #[test]
    fn an_error_of_the_system_is_told_as_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.duckdb");
        // Its first page is mapped by nobody: reading it gives EIO.
        std::os::unix::fs::symlink("/proc/self/mem", &path).expect("a link");
        let failure = open(&path, 122_880, &Access::Write).expect_err("it cannot be read");
        assert_eq!(failure.code, Code::CacheUnusable, "{failure:?}");
        assert!(failure.cause.is_some_and(|cause| cause.contains("Input/output error")));
    }

    /// The first header with another version of the storage, and the checksum that belongs to it.
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
        let failure = open(&path, 122_880, &Access::Write).expect_err("too new");
        assert_eq!(failure.code, Code::CacheUnusable, "{failure:?}");
        assert!(failure.message.contains("newer"), "{failure:?}");
    }
}
