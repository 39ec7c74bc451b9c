//! Exporting cached rows. Needs no server.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, instrument, warn};

use super::rows::read_key;
use crate::api::export::{ExportProgress, Exported};
use crate::api::rows::ViewKey;
use crate::cache::View;
use crate::cache::export::csv::{Destination, Export, Staging, Written};
use crate::day::DayRange;
use crate::engine::{Engine, off_thread};
use crate::failure::{Code, Result};
use crate::query::signature::Signature;
use crate::rows::{CsvOptions, Role, RowQuery};

/// Interval between progress reports of an export.
const EXPORT_TICK: Duration = Duration::from_millis(150);

/// What to export.
#[derive(Debug, Clone)]
pub struct ExportRequest {
    /// The cached query and its days.
    pub key: ViewKey,
    /// Which rows, and in which order.
    pub rows: RowQuery,
    /// The columns, and how to write them.
    pub options: CsvOptions,
}

impl ExportRequest {
    /// Exports all columns in the order of the view.
    #[must_use]
    pub fn of(key: ViewKey, role: Role) -> Self {
        Self { key, rows: RowQuery::of(role), options: CsvOptions::default() }
    }
}

impl Engine {
    /// Writes a view as CSV. A partial answer's file is named `….partial.csv`.
    ///
    /// # Errors
    /// `export_failed`, `disk_full`, `cancelled`, and those of opening the view.
    #[instrument(level = "error", name = "export", skip_all, fields(signature = %request.key.signature))]
    pub async fn export_csv(
        &self,
        request: &ExportRequest,
        destination: &Destination,
        progress: impl Fn(ExportProgress) + Send + Sync,
        cancel: CancellationToken,
    ) -> Result<Exported> {
        let ExportRequest { key, rows, options } = request;
        info!(from = %key.from, to = %key.to, role = ?rows.role, columns = options.columns.len(), "export requested");
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
        let complete = self.derived(&view).complete;
        let target = if complete { destination.clone() } else { destination.of_partial() };
        let export = Arc::new(view.begin_export(staging)?);
        let work = {
            let (export, target, request) = (Arc::clone(&export), target.clone(), request.clone());
            off_thread(move || {
                let ExportRequest { rows, options, .. } = request;
                Ok(view.write_csv(&export, &rows, &options, &target)?)
            })
        };
        let on_progress = || {
            progress(ExportProgress { bytes: export.bytes(), written: export.rows(), rows: export.total() });
        };
        let written = watch(work, &export, on_progress, cancel).await;
        let written = written.inspect_err(|failure| self.start_afresh(&signature, failure))?;
        let Written { bytes, note } = written;
        Ok(Exported { path: target.to_string(), rows: export.rows(), bytes, complete, note })
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
async fn watch(
    work: impl Future<Output = Result<Written>>,
    export: &Export,
    on_progress: impl Fn(),
    cancel: &CancellationToken,
) -> Result<Written> {
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
