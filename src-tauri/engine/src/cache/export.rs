//! CSV: what is shown, as a file.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::is_damage;
use super::relation::literal;
use super::view::View;
use crate::desk::{Role, Sort};
use crate::failure::{Code, Failure, Result};

impl View {
    /// Writes the rows of a role as CSV (RFC 4180, UTF-8), in the order shown. The file appears under
    /// its name only when it is whole. Returns its size in bytes.
    ///
    /// # Errors
    /// `export_failed`, `disk_full`, `cache_damaged` where the rows cannot be read, `cancelled` where the statement was interrupted.
    pub fn export_csv(&self, role: Role, sort: Option<&Sort>, path: &Path) -> Result<u64> {
        let select = self.select_csv(role, sort)?;
        let unfinished = unfinished_name(path);
        // A null is an empty cell, so DuckDB quotes an empty text: the two stay apart.
        let sql = format!(
            "COPY ({select}) TO {} (FORMAT csv, HEADER false, NULLSTR '', NEW_LINE '\\r\\n', USE_TMP_FILE false)",
            literal(&unfinished.to_string_lossy())
        );
        let written = self.connection().execute_batch(&sql).map_err(Failure::from);
        let result = written.and_then(|()| {
            fs::rename(&unfinished, path).map_err(|error| {
                Failure::new(Code::ExportFailed, format!("{} could not be written.", path.display()))
                    .because(error)
            })?;
            Ok(fs::metadata(path).map_or(0, |file| file.len()))
        });
        result.map_err(|failure| {
            // Half a file helps nobody; if it cannot be removed either, the failure says enough.
            let _ = fs::remove_file(&unfinished);
            match failure.code {
                Code::DiskFull => {
                    Failure::new(Code::DiskFull, "There is no room left on the disk for the CSV file.")
                        .because(failure.cause.unwrap_or_default())
                }
                Code::CacheDamaged if !is_damage(&failure) => {
                    Failure::new(Code::ExportFailed, format!("{} could not be written.", path.display()))
                        .because(failure.cause.unwrap_or(failure.message))
                }
                _ => failure,
            }
        })
    }

    /// Writes the stored columns of a role as they are, with DuckDB's own `COPY`: what an export would
    /// cost without making texts of them. For the benchmark.
    ///
    /// # Errors
    /// See [`super::duckdb_failure`].
    pub fn copy_stored_columns(&self, role: Role, path: &Path) -> Result<u64> {
        let select = self.select_stored(role);
        let sql =
            format!("COPY ({select}) TO {} (FORMAT csv, HEADER true)", literal(&path.to_string_lossy()));
        self.connection().execute_batch(&sql)?;
        Ok(fs::metadata(path).map_or(0, |file| file.len()))
    }

    /// A handle that stops the statement that runs, from any thread.
    #[must_use]
    pub fn interrupt_handle(&self) -> std::sync::Arc<duckdb::InterruptHandle> {
        self.connection().interrupt_handle()
    }
}

/// Where the file is written until it is whole: beside its place, so that the last step is a rename.
#[must_use]
pub fn unfinished_name(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".unfinished");
    path.with_file_name(name)
}

/// The name of a partial answer's file: `trades.csv` becomes `trades.partial.csv`.
#[must_use]
pub fn partial_name(path: &Path) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    // A name that already says so is not given the word twice.
    let stem = stem.strip_suffix(".partial").unwrap_or(&stem);
    let ending = path.extension().map(|ending| ending.to_string_lossy());
    path.with_file_name(match ending {
        Some(ending) => format!("{stem}.partial.{ending}"),
        None => format!("{stem}.partial"),
    })
}
