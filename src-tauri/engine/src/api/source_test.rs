//! A test of a source, step by step, and what can be chosen from there.

use serde::Serialize;
use ts_rs::TS;

use crate::failure::Failure;

/// A step of the test, in the order in which they are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TestStep {
    /// The name of the host is resolved.
    Resolve,
    /// The port is reached.
    Reach,
    /// TLS is agreed on.
    Tls,
    /// The user logs in.
    SignIn,
    /// The collections may be read.
    Read,
    /// There are documents, and they have the fields of the mapping.
    Documents,
    /// What the collection is: a collection, a view or a time series.
    Kind,
    /// Indexes serve the queries.
    Indexes,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    /// It succeeded.
    Passed,
    /// It succeeded, but a person should know something.
    Warned,
    /// It failed; the steps after it were not made.
    Failed,
    /// It was not needed, or a step before it failed.
    Skipped,
}

/// How a step of the test ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct StepResult {
    /// The step.
    pub step: TestStep,
    /// What it does, for people: "Sign in".
    pub title: String,
    /// How it ended.
    pub outcome: StepOutcome,
    /// What was found, in a sentence.
    pub detail: String,
    /// What would help, as text to copy: a command for the database team.
    pub fix: Option<String>,
    /// How long it took, in milliseconds.
    #[ts(type = "number")]
    pub elapsed_ms: u64,
}

/// What the test reports while it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum TestEvent {
    /// A step begins.
    Began {
        /// The step.
        step: TestStep,
        /// What it does, for people.
        title: String,
    },
    /// A step has ended.
    Ended {
        /// How.
        result: StepResult,
    },
}

/// The result of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct SourceTest {
    /// Every step.
    pub steps: Vec<StepResult>,
    /// Why the step that failed did.
    pub failure: Option<Failure>,
    /// A text to send to the database team. It contains no secret.
    pub report: String,
}

/// What a collection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum CollectionKind {
    /// A collection.
    Collection,
    /// A view.
    View,
    /// A time series.
    TimeSeries,
}

/// A collection to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct CollectionEntry {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: CollectionKind,
    /// About how many documents it has; `None` if that is not known at once, as for a view.
    #[ts(type = "number | null")]
    pub documents: Option<u64>,
}
