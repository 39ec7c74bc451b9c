//! Exporting cached rows. Needs no server.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, instrument, warn};

use super::rows::{read_key, zone_of_groups};
use crate::answer::derive::Derived;
use crate::api::export::{AnswerFacts, ExportProgress, Exported, Manifest, ManifestDay, ManifestSql};
use crate::api::rows::ViewKey;
use crate::cache::View;
use crate::cache::export::writing::{Destination, Export, Staging, Written};
use crate::day::{Day, DayRange};
use crate::engine::{Engine, off_thread};
use crate::failure::{Code, Failure, Result};
use crate::plan::ledger::DayCoverage;
use crate::query::signature::{Signature, SourceName};
use crate::rows::summary::GroupRequest;
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
    /// How to group them; `None` for the rows themselves. All groups are exported, whatever the limit.
    pub groups: Option<GroupRequest>,
    /// The format, the columns, and how to write them. Groups have the columns of their request.
    pub options: ExportOptions,
}

impl ExportRequest {
    /// Exports all columns in the order of the view, as CSV.
    #[must_use]
    pub fn of(key: ViewKey, role: Role) -> Self {
        Self { key, rows: RowQuery::of(role), groups: None, options: ExportOptions::default() }
    }
}

impl Engine {
    /// Writes the rows of a view to a file. A partial answer's file is named `….partial.csv`, or with the extension of
    /// its format.
    ///
    /// # Errors
    /// `export_failed`, `disk_full`, `cancelled`, those of opening the view, and those of
    /// [`group_rows`](Self::group_rows).
    #[instrument(level = "error", name = "export", skip_all, fields(signature = %request.key.signature))]
    pub async fn export(
        &self,
        request: &ExportRequest,
        destination: &Destination,
        progress: impl Fn(ExportProgress) + Send + Sync,
        cancel: CancellationToken,
    ) -> Result<Exported> {
        let ExportRequest { key, rows, groups, options } = request;
        info!(
            from = %key.from,
            to = %key.to,
            role = ?rows.role,
            format = ?options.format,
            columns = options.columns.len(),
            grouped = groups.is_some(),
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
        let zone = request.groups.as_ref().map(zone_of_groups).transpose()?;
        let view = self.view_to_export(&signature, range).await?;
        let facts = self.facts_of(&view);
        let target = target_of(destination, facts.complete, &request.options)?;
        let export = Arc::new(view.begin_export(staging)?);
        let work = {
            let (engine, export, target) = (self.clone(), Arc::clone(&export), target.clone());
            let request = request.clone();
            let complete = facts.complete;
            off_thread(move || {
                let ExportRequest { rows, groups, options, .. } = &request;
                let written = match (groups, zone) {
                    (Some(groups), Some(zone)) => {
                        view.export_groups(&export, rows, (groups, zone), options, &target)?
                    }
                    _ => view.export(&export, rows, options, &target)?,
                };
                let groups = groups.as_ref();
                let what = Exporting { row_query: Some(rows), groups, sql: None, options };
                let manifest = engine.write_manifest(&facts, &what, &target, &export, &written)?;
                Ok(exported(&target, &request.options, complete, &export, (written, manifest)))
            })
        };
        let done = watch(work, &export, progress, cancel).await;
        done.inspect_err(|failure| self.start_afresh(&signature, failure))
    }

    /// What a file of a view's rows has to say about the answer.
    pub(super) fn facts_of(&self, view: &View) -> AnswerFacts {
        let Derived { days, complete, .. } = self.derived(view);
        let shown = view.shown();
        let range = view.range();
        let day = |(day, held): (&Day, &DayCoverage)| ManifestDay {
            day: *day,
            fetched: held.fetched,
            settled: !days.open.contains(day),
            unverified: days.unverified.contains(day),
        };
        AnswerFacts {
            identity: Arc::clone(view.file().identity()),
            range,
            complete,
            held: shown.range(range.from()..=range.to()).map(day).collect(),
            missing: days.why_missing,
        }
    }

    /// Writes the manifest beside a file that has one. Returns its path.
    pub(super) fn write_manifest(
        &self,
        facts: &AnswerFacts,
        what: &Exporting<'_>,
        target: &Destination,
        export: &Export,
        written: &Written,
    ) -> Result<Option<String>> {
        let (Destination::Path(path), Some(sha256)) = (target, &written.sha256) else { return Ok(None) };
        let identity = &facts.identity;
        let manifest = Manifest {
            tidemark: env!("CARGO_PKG_VERSION"),
            written: self.now(),
            file: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            format: what.options.format,
            sha256: sha256.clone(),
            bytes: written.bytes,
            rows: export.rows(),
            columns: written.columns.clone(),
            options: what.options.clone(),
            complete: facts.complete,
            signature: identity.signature.to_string(),
            source: SourceName::of(&identity.query()?).name,
            filters: identity.filters.describe(&self.labels_of(identity)),
            query: identity.canonical.clone(),
            row_query: what.row_query.cloned(),
            groups: what.groups.cloned(),
            sql: what.sql.clone(),
            from: facts.range.from(),
            to: facts.range.to(),
            oldest_fetch: facts.held.iter().map(|day| day.fetched).min(),
            days: facts.held.clone(),
            missing: facts.missing.clone(),
        };
        let text = serde_json::to_vec_pretty(&manifest).map_err(|error| {
            Failure::new(Code::Internal, "The manifest cannot be written.").because(error)
        })?;
        Ok(Some(export.write_manifest(path, &text)?.display().to_string()))
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

/// What a file is made of.
pub(super) struct Exporting<'a> {
    pub(super) row_query: Option<&'a RowQuery>,
    pub(super) groups: Option<&'a GroupRequest>,
    pub(super) sql: Option<ManifestSql>,
    pub(super) options: &'a ExportOptions,
}

/// Where a file goes: one of a partial answer says so in its name.
pub(super) fn target_of(
    destination: &Destination,
    is_complete: bool,
    options: &ExportOptions,
) -> Result<Destination> {
    let target = if is_complete { destination.clone() } else { destination.of_partial() };
    if options.manifest && !target.is_file() {
        let what = "A manifest is a file beside the export, and this export is not a file.";
        return Err(Failure::new(Code::ExportFailed, what).advise("Export to a file, or without a manifest."));
    }
    Ok(target)
}

/// Describes a file that was written, with its manifest if it has one.
pub(super) fn exported(
    target: &Destination,
    options: &ExportOptions,
    complete: bool,
    export: &Export,
    (written, manifest): (Written, Option<String>),
) -> Exported {
    let Written { bytes, note, remarks, .. } = written;
    Exported {
        path: target.to_string(),
        format: options.format,
        rows: export.rows(),
        bytes,
        complete,
        cells_as_text: remarks.cells_as_text,
        cut_texts: remarks.cut_texts,
        manifest,
        note,
    }
}

/// Reports the progress of an export until it is done, and stops it if it is cancelled.
pub(super) async fn watch<T>(
    work: impl Future<Output = Result<T>>,
    export: &Export,
    progress: &(impl Fn(ExportProgress) + Send + Sync),
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
            _ = tick.tick() => {
                progress(ExportProgress { bytes: export.bytes(), written: export.rows(), rows: export.total() });
            }
        }
    }
}
