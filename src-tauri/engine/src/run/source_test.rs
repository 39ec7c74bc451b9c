//! A test of a source, step by step, so that a person learns which part of a connection fails and what to do about it.
//! What a step finds is in `steps` and `findings`.

mod findings;
mod report;
mod role;
mod steps;

use std::time::Instant;

use crate::api::source_test::{
    CollectionEntry, CollectionKind, SourceTest, StepOutcome, StepResult, TestEvent, TestStep,
};
use crate::failure::{Failure, Result};
use crate::query::mapping::Mapping;
use crate::source::{ListedKind, Source, Trial};

pub(crate) use self::findings::unserved_ids;

/// The steps, in the order in which they are made.
const STEPS: [TestStep; 8] = [
    TestStep::Resolve,
    TestStep::Reach,
    TestStep::Tls,
    TestStep::SignIn,
    TestStep::Read,
    TestStep::Documents,
    TestStep::Kind,
    TestStep::Indexes,
];

/// Tests a source with its mapping. The first step that fails ends the test; the result says why. Without a database or
/// a collection, the test ends after the sign-in. `on_event` hears of each step when it begins and when it ends.
/// Dropping the future cancels the test.
pub async fn test_source(
    source: &Source,
    mapping: &Mapping,
    on_event: impl FnMut(TestEvent) + Send,
) -> SourceTest {
    let at = source.local_now();
    let mut test = Test { on_event, steps: Vec::with_capacity(STEPS.len()), failure: None, trial: None };
    // The failure is in the test.
    let rest = match test.make_steps(source, mapping).await {
        Ok(Some(missing)) => format!("Choose a {missing} to test the rest."),
        _ => "A step before it failed.".to_owned(),
    };
    test.skip_the_rest(&rest);
    let Test { steps, failure, trial, .. } = test;
    let report = report::report(source, mapping, trial.as_ref(), at, &steps, failure.as_ref());
    SourceTest { steps, failure, report }
}

/// The collections of the source's database, to choose one.
///
/// # Errors
/// As for [`Source::collections`].
pub async fn list_collections(source: &Source) -> Result<Vec<CollectionEntry>> {
    let listed = source.collections().await?.into_iter();
    Ok(listed
        .map(|one| CollectionEntry {
            name: one.name,
            kind: match one.kind {
                ListedKind::Collection => CollectionKind::Collection,
                ListedKind::View(_) => CollectionKind::View,
                ListedKind::TimeSeries(_) => CollectionKind::TimeSeries,
            },
            documents: one.documents,
        })
        .collect())
}

/// What a step does, for people.
const fn title(step: TestStep) -> &'static str {
    match step {
        TestStep::Resolve => "Resolve the name",
        TestStep::Reach => "Reach the server",
        TestStep::Tls => "Agree on TLS",
        TestStep::SignIn => "Sign in",
        TestStep::Read => "Read the collection",
        TestStep::Documents => "Find documents",
        TestStep::Kind => "Kind of collection",
        TestStep::Indexes => "Indexes for the queries",
    }
}

/// What a step found that did not fail.
#[derive(Debug)]
struct Found {
    outcome: StepOutcome,
    detail: String,
    fix: Option<String>,
}

impl Found {
    fn of(outcome: StepOutcome, detail: impl Into<String>) -> Self {
        Self { outcome, detail: detail.into(), fix: None }
    }

    fn passed(detail: impl Into<String>) -> Self {
        Self::of(StepOutcome::Passed, detail)
    }

    fn warned(detail: impl Into<String>) -> Self {
        Self::of(StepOutcome::Warned, detail)
    }

    fn skipped(detail: impl Into<String>) -> Self {
        Self::of(StepOutcome::Skipped, detail)
    }

    fn with_fix(self, fix: String) -> Self {
        Self { fix: Some(fix), ..self }
    }
}

/// Why a step failed, and what would help.
#[derive(Debug)]
struct Stop {
    failure: Failure,
    fix: Option<String>,
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self { failure, fix: None }
    }
}

/// A step has failed; its failure is in the test.
struct Failed;

/// A test that is being made.
struct Test<F> {
    on_event: F,
    steps: Vec<StepResult>,
    failure: Option<Failure>,
    trial: Option<Trial>,
}

impl<F: FnMut(TestEvent) + Send> Test<F> {
    /// Makes the steps. Returns what has to be chosen before the rest can be made.
    async fn make_steps(
        &mut self,
        source: &Source,
        mapping: &Mapping,
    ) -> Result<Option<&'static str>, Failed> {
        let trial = self.step(TestStep::Resolve, steps::resolve(source)).await?;
        self.trial = Some(trial.clone());
        let trial = &trial;
        let refused = self.step(TestStep::Reach, steps::reach(source, trial)).await?;
        self.plain_step(TestStep::Tls, steps::tls(source, trial, refused)).await?;
        self.plain_step(TestStep::SignIn, steps::sign_in(source, trial)).await?;
        if let Some(missing) = source.missing_place() {
            return Ok(Some(missing));
        }
        let reads = self.step(TestStep::Read, steps::read(source, mapping)).await?;
        self.plain_step(TestStep::Documents, findings::documents(source, mapping, reads)).await?;
        self.plain_step(TestStep::Kind, findings::kind(source, mapping)).await?;
        self.plain_step(TestStep::Indexes, findings::indexes(source, mapping)).await?;
        Ok(None)
    }

    async fn plain_step(
        &mut self,
        step: TestStep,
        work: impl Future<Output = Result<Found, Stop>> + Send,
    ) -> Result<(), Failed> {
        self.step(step, async { Ok((work.await?, ())) }).await
    }

    /// Makes a step; returns what the steps after it need.
    async fn step<T>(
        &mut self,
        step: TestStep,
        work: impl Future<Output = Result<(Found, T), Stop>> + Send,
    ) -> Result<T, Failed> {
        (self.on_event)(TestEvent::Began { step, title: title(step).to_owned() });
        let begun = Instant::now();
        let ended = work.await;
        let elapsed_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        match ended {
            Ok((found, needed)) => {
                self.end(step, found, elapsed_ms);
                Ok(needed)
            }
            Err(Stop { failure, fix }) => {
                let found = Found { fix, ..Found::of(StepOutcome::Failed, &failure.message) };
                self.failure = Some(failure);
                self.end(step, found, elapsed_ms);
                Err(Failed)
            }
        }
    }

    fn skip_the_rest(&mut self, why: &str) {
        for step in &STEPS[self.steps.len()..] {
            self.end(*step, Found::skipped(why), 0);
        }
    }

    fn end(&mut self, step: TestStep, found: Found, elapsed_ms: u64) {
        let Found { outcome, detail, fix } = found;
        let result = StepResult { step, title: title(step).to_owned(), outcome, detail, fix, elapsed_ms };
        self.steps.push(result.clone());
        (self.on_event)(TestEvent::Ended { result });
    }
}
