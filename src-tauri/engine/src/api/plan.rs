//! The plan, as it is shown before anything is fetched.

use chrono::{DateTime, Utc};
use serde::Serialize;
use ts_rs::TS;

use crate::day::Day;
use crate::plan::ledger::{DayCoverage, DayState, RefreshReason};
use crate::plan::{Action, PlanCounts, PlannedDay};

/// What will be done for one requested day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum DayAction {
    /// Served from the cache as it is.
    Serve,
    /// Served from the cache and pulled again.
    Refresh,
    /// Pulled from MongoDB.
    Fetch,
    /// Copied from a broader cached query.
    Adopt,
    /// Neither cached nor available.
    Unavailable,
}

/// One requested day in a plan or an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct DayView {
    /// The day.
    pub day: Day,
    /// What is cached of it.
    pub state: DayState,
    /// What a fetch would do.
    pub action: DayAction,
    /// Why, in a few words, if the action does not explain itself.
    pub why: Option<String>,
    /// Cached input rows.
    #[ts(type = "number | null")]
    pub input_rows: Option<u64>,
    /// Cached downstream rows.
    #[ts(type = "number | null")]
    pub downstream_rows: Option<u64>,
    /// When it was fetched.
    #[ts(type = "string | null")]
    pub fetched: Option<DateTime<Utc>>,
}

/// A range of adjacent days, such as those pulled with one MongoDB query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
pub struct WindowView {
    /// First day.
    pub from: Day,
    /// Last day, inclusive.
    pub to: Day,
}

/// The plan, as the window and `tidemark-cli plan` show it before anything is pulled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct PlanView {
    /// The query's signature.
    pub signature: String,
    /// Whether the source could be reached when the plan was made.
    pub reachable: bool,
    /// Every requested day.
    pub days: Vec<DayView>,
    /// The days by action.
    pub counts: PlanCounts,
    /// The ranges of days to pull, each with one MongoDB query.
    pub windows: Vec<WindowView>,
    /// About how many input rows the pull brings, if known.
    #[ts(type = "number | null")]
    pub expected_rows: Option<u64>,
    /// The plan in one sentence: "24 of 31 days cached, 7 to fetch, about 48,000 trades".
    pub sentence: String,
}

impl From<&Action> for DayAction {
    fn from(action: &Action) -> Self {
        match action {
            Action::Serve => Self::Serve,
            Action::Refresh(_) => Self::Refresh,
            Action::Fetch => Self::Fetch,
            Action::Adopt { .. } => Self::Adopt,
            Action::Unavailable(_) => Self::Unavailable,
        }
    }
}

impl From<&PlannedDay> for DayView {
    fn from(planned: &PlannedDay) -> Self {
        let held = planned.held.as_ref();
        let why = match &planned.action {
            Action::Serve => held.and_then(DayCoverage::doubt).map(RefreshReason::describe),
            Action::Refresh(reason) => Some(reason.describe()),
            Action::Fetch => None,
            Action::Adopt { .. } => Some("another cached query has it"),
            Action::Unavailable(reason) => Some(reason.describe()),
        };
        Self {
            day: planned.day,
            state: planned.state,
            action: (&planned.action).into(),
            why: why.map(str::to_owned),
            input_rows: held.map(|held| held.input_rows),
            downstream_rows: held.map(|held| held.downstream_rows),
            fetched: held.map(|held| held.fetched),
        }
    }
}
