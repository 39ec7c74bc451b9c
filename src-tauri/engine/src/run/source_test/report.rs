//! A test of a source as text for the database team.

use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, Utc};

use crate::api::source_test::{StepOutcome, StepResult};
use crate::failure::{Failure, redact};
use crate::query::mapping::Mapping;
use crate::source::{Source, Trial};

/// The report of a test: what was tested, how each step ended, and what is asked for. It contains no secret.
pub(super) fn report(
    source: &Source,
    mapping: &Mapping,
    trial: Option<&Trial>,
    at: DateTime<Utc>,
    steps: &[StepResult],
    failure: Option<&Failure>,
) -> String {
    let identity = source.identity();
    let mut text = String::new();
    let mut line = |words: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{words}");
    };
    line(format!("Tidemark {}: test of a source", env!("CARGO_PKG_VERSION")));
    line(format!("Time: {}", at.to_rfc3339_opts(SecondsFormat::Secs, true)));
    line(format!("Hosts: {}", identity.hosts.join(", ")));
    line(match source.missing_place() {
        Some(missing) => format!("Trades: no {missing} chosen"),
        None => format!("Trades: {}.{}", identity.database, identity.collection),
    });
    if let Some(messages) = mapping.downstream_collection.as_ref().filter(|_| !identity.database.is_empty()) {
        line(format!("Messages: {}.{messages}", identity.database));
    }
    line(format!("User: {}", identity.user.as_deref().unwrap_or("none")));
    if let Some(set) = &identity.replica_set {
        line(format!("Replica set: {set}"));
    }
    if let Some(trial) = trial {
        line(format!("TLS: {}", if trial.has_tls() { "on" } else { "off" }));
        line(format!("Read preference: {}", trial.read_preference()));
    }
    line(String::new());
    for (number, step) in (1..).zip(steps) {
        let outcome = match step.outcome {
            StepOutcome::Passed => "passed",
            StepOutcome::Warned => "passed with a warning",
            StepOutcome::Failed => "failed",
            StepOutcome::Skipped => "skipped",
        };
        line(format!("{number}. {}: {outcome} ({} ms). {}", step.title, step.elapsed_ms, step.detail));
    }
    if let Some(failure) = failure {
        line(String::new());
        line(format!("Failure: {} ({})", failure.message, failure.code));
        line(format!("Next: {}", failure.next));
        if let Some(cause) = &failure.cause {
            line(format!("Technical cause: {cause}"));
        }
    }
    let asked: Vec<&str> = steps.iter().filter_map(|step| step.fix.as_deref()).collect();
    if !asked.is_empty() {
        line(String::new());
        line("Please run in mongosh:".to_owned());
        line(asked.join("\n"));
    }
    redact(&text)
}
