//! What a run writes to the log, besides what its windows write.
//!
//! The span of a run names its id and the query's signature, so that a report can be followed from the request to the
//! commits. There are no documents and no filter values in the log: see `Failure::for_log`.

use tracing::{info, warn};

use super::prepare::{FetchRequest, Prepared};
use crate::answer::Answer;
use crate::failure::{Code, Result};
use crate::plan::Reach;
use crate::plan::ledger::FetchMode;
use crate::source::Source;

/// The request, as it arrives.
pub(super) fn requested(request: &FetchRequest) {
    let FetchRequest { query, range, mode, offline } = request;
    info!(
        from = %range.from(), to = %range.to(), ?mode, offline, source = query.source.describe(), "fetch requested"
    );
}

/// What the source answered, and what the run will do.
pub(super) fn prepared(source: Option<&Source>, request: &FetchRequest, prepared: &Prepared) {
    match (&prepared.unreachable, source) {
        (Some(failure), _) => {
            warn!(code = %failure.code, "planned without the source: {}", failure.for_log())
        }
        (None, Some(source)) if prepared.clock.is_some() => source.log_node(),
        _ => {}
    }
    if let Some(failure) = &prepared.moved_aside {
        warn!(code = %failure.code, "the cached file is damaged: {}", failure.for_log());
    }
    if request.mode == FetchMode::Verify {
        info!(
            days = prepared.held,
            differing = prepared.differing.len(),
            unverified = prepared.unverified.len(),
            compared_one_by_one = prepared.hashed,
            without_change_stamp = prepared.unstamped,
            "cached days compared with the source"
        );
    }
    let counts = prepared.plan.counts();
    info!(
        cached = prepared.held,
        adopt = counts.adopt,
        fetch = counts.fetch,
        refresh = counts.refresh,
        unavailable = counts.unavailable,
        windows = prepared.plan.windows.len(),
        expected_rows = prepared.plan.expected_rows,
        reach = match prepared.reach {
            Reach::Online => "online",
            Reach::Offline => "offline",
            Reach::ReadOnly => "read-only",
        },
        "planned"
    );
}

/// The end of the run.
pub(super) fn ended(result: &Result<Answer>) {
    match result {
        Ok(answer) => {
            if let Some(failure) = &answer.failure {
                match failure.code {
                    Code::Cancelled => info!("the run was cancelled"),
                    code if answer.days.missing.is_empty() => {
                        warn!(%code, "cached days were not brought up to date: {}", failure.for_log());
                    }
                    code => warn!(%code, "the answer lacks days: {}", failure.for_log()),
                }
            }
            info!(
                complete = answer.complete,
                input_rows = answer.rows.input,
                downstream_rows = answer.rows.downstream,
                days_fetched = answer.days.fetched,
                days_adopted = answer.days.adopted,
                days_missing = answer.days.missing.len(),
                days_unverified = answer.days.unverified.len(),
                notes = answer.notes.len(),
                commands = answer.mongo_commands,
                elapsed_ms = answer.elapsed_ms,
                "answered"
            );
        }
        Err(failure) if failure.code == Code::Cancelled => info!("the run was cancelled without an answer"),
        Err(failure) => warn!(code = %failure.code, "the run failed: {}", failure.for_log()),
    }
}
