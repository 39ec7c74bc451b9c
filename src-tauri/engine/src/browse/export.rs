//! Exporting cached rows. Needs no server.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, instrument, warn};

use super::rows::read_key;
use crate::answer::derive::Derived;
use crate::api::export::{ExportProgress, Exported, Manifest, ManifestDay};
use crate::api::rows::ViewKey;
use crate::cache::View;
use crate::cache::export::writing::{Destination, Export, Staging, Written};
use crate::day::DayRange;
use crate::engine::{Engine, off_thread};
use crate::failure::{Code, Failure, Result};
use crate::query::signature::{Signature, SourceName};
use crate::rows::{ExportOptions, Role, RowQuery};

/// Interval between progress reports of an export.
const EXPORT_TICK: Duration = Duration::from_millis(150);

/// What to export.
#[derive(Debug, Clone)]
pub struct ExportRequest {
    /// The cached query and its days.
    pub key: ViewKey,
    /// Which rows, and in which order.
    pub rows: RowQuery,
    /// The format, the columns, and how to write them.
    pub options: ExportOptions,
}

impl ExportRequest {
    /// Exports all columns in the order of the view, as CSV.
    #[must_use]
    pub fn of(key: ViewKey, role: Role) -> Self {
        Self { key, rows: RowQuery::of(role), options: ExportOptions::default() }
    }
}

impl Engine {
    /// Writes the rows of a view to a file. A partial answer's file is named `….partial.csv`, or with the extension of
    /// its format.
    ///
    /// # Errors
    /// `export_failed`, `disk_full`, `cancelled`, and those of opening the view.
    #[instrument(level = "error", name = "export", skip_all, fields(signature = %request.key.signature))]
    pub async fn export(
        &self,
        request: &ExportRequest,
        destination: &Destination,
        progress: impl Fn(ExportProgress) + Send + Sync,
        cancel: CancellationToken,
    ) -> Result<Exported> {
        let ExportRequest { key, rows, options } = request;
        info!(
            from = %key.from,
            to = %key.to,
            role = ?rows.role,
            format = ?options.format,
            columns = options.columns.len(),
            "export requested"
        );
        let exported =
            match self.export_through(Staging::CacheDisk, request, destination, &progress, &cancel).await {
                Err(failure) if failure.code == Code::DiskFull && !cancel.is_cancelled() => {
                    // The transaction that ran into the full disk has ended, so the retry opens a new view.
                    let again = self
                        .export_through(Staging::TemporaryFolder, request, destination, &progress, &cancel)
                        .await;
                    again.map_err(|later| if later.code == Code::Cancelled { later } else { failure })
                }
                other => other,
            };
        // Not its name: it may be made of the filters.
        match &exported {
            Ok(Exported { rows, bytes, complete, .. }) => info!(rows, bytes, complete, "exported"),
            Err(failure) if failure.code == Code::Cancelled => info!("the export was cancelled"),
            Err(failure) => warn!(code = %failure.code, "the export failed: {}", failure.for_log()),
        }
        exported
    }

    async fn export_through(
        &self,
        staging: Staging,
        request: &ExportRequest,
        destination: &Destination,
        progress: &(impl Fn(ExportProgress) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<Exported> {
        let (signature, range) = read_key(&request.key)?;
        let view = self.view_to_export(&signature, range).await?;
        let derived = self.derived(&view);
        let complete = derived.complete;
        let target = if complete { destination.clone() } else { destination.of_partial() };
        if request.options.manifest && !target.is_file() {
            let what = "A manifest is a file beside the export, and this export is not a file.";
            return Err(
                Failure::new(Code::ExportFailed, what).advise("Export to a file, or without a manifest.")
            );
        }
        let export = Arc::new(view.begin_export(staging)?);
        let work = {
            let (engine, export, target) = (self.clone(), Arc::clone(&export), target.clone());
            let request = request.clone();
            off_thread(move || {
                let written = view.export(&export, &request.rows, &request.options, &target)?;
                let manifest = match (&target, &written.sha256) {
                    (Destination::Path(path), Some(sha256)) => {
                        let manifest =
                            engine.manifest(&view, &request, derived, (path, sha256), &export, &written)?;
                        let text = serde_json::to_vec_pretty(&manifest).map_err(|error| {
                            Failure::new(Code::Internal, "The manifest cannot be written.").because(error)
                        })?;
                        Some(export.write_manifest(path, &text)?.display().to_string())
                    }
                    _ => None,
                };
                Ok((written, manifest))
            })
        };
        let on_progress = || {
            progress(ExportProgress { bytes: export.bytes(), written: export.rows(), rows: export.total() });
        };
        let written = watch(work, &export, on_progress, cancel).await;
        let (written, manifest) = written.inspect_err(|failure| self.start_afresh(&signature, failure))?;
        let Written { bytes, note, remarks, .. } = written;
        Ok(Exported {
            path: target.to_string(),
            format: request.options.format,
            rows: export.rows(),
            bytes,
            complete,
            cells_as_text: remarks.cells_as_text,
            cut_texts: remarks.cut_texts,
            manifest,
            note,
        })
    }

    /// What a file contains and where it comes from.
    fn manifest(
        &self,
        view: &View,
        request: &ExportRequest,
        derived: Derived,
        (path, sha256): (&Path, &str),
        export: &Export,
        written: &Written,
    ) -> Result<Manifest> {
        let identity = view.file().identity();
        let Derived { days, complete, .. } = derived;
        let shown = view.shown();
        let range = view.range();
        let held: Vec<ManifestDay> = shown
            .range(range.from()..=range.to())
            .map(|(day, held)| ManifestDay {
                day: *day,
                fetched: held.fetched,
                settled: !days.open.contains(day),
                unverified: days.unverified.contains(day),
            })
            .collect();
        Ok(Manifest {
            tidemark: env!("CARGO_PKG_VERSION"),
            written: self.now(),
            file: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            format: request.options.format,
            sha256: sha256.to_owned(),
            bytes: written.bytes,
            rows: export.rows(),
            columns: written.columns.clone(),
            options: request.options.clone(),
            complete,
            signature: request.key.signature.clone(),
            source: SourceName::of(&identity.query()?).name,
            filters: identity.filters.describe(&self.labels_of(identity)),
            query: identity.canonical.clone(),
            row_query: request.rows.clone(),
            from: range.from(),
            to: range.to(),
            oldest_fetch: held.iter().map(|day| day.fetched).min(),
            days: held,
            missing: days.why_missing,
        })
    }

    /// Opens a separate view, so that paging continues meanwhile.
    async fn view_to_export(&self, signature: &Signature, range: DayRange) -> Result<View> {
        let (engine, signature) = (self.clone(), signature.clone());
        off_thread(move || {
            engine.close_replaced_files();
            let file = engine.cache().open_signature(&signature)?;
            engine.cache().note_use(file.path(), engine.now());
            let last = engine.last_begun(&file);
            let mapped = engine.mapped_paths_of(&file);
            Ok(View::open_until(file, range, last)?.with_mapped_paths(mapped))
        })
        .await
    }
}

/// Reports the progress of an export until it is done, and stops it if it is cancelled.
async fn watch<T>(
    work: impl Future<Output = Result<T>>,
    export: &Export,
    on_progress: impl Fn(),
    cancel: &CancellationToken,
) -> Result<T> {
    tokio::pin!(work);
    let mut tick = tokio::time::interval(EXPORT_TICK);
    loop {
        tokio::select! {
            done = &mut work => break done,
            () = cancel.cancelled() => {
                export.stop();
                // It may have finished before it could be stopped.
                break work.await;
            }
            _ = tick.tick() => on_progress(),
        }
    }
}
