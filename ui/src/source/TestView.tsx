import { Button } from "react-aria-components";

import type { SourceTest } from "../backend";
import { CopyButton } from "../controls/CopyButton";
import { FailureNote } from "../controls/FailureNote";
import { Icon } from "../controls/icons";
import { TestStepItem } from "./TestStepItem";
import type { ShownStep } from "./testSteps";

interface Props {
  steps: readonly ShownStep[];
  /** Null while the test runs, and if it was cancelled. */
  ended: SourceTest | null;
  busy: boolean;
  close: () => void;
}

/** How the test is going, in one sentence. A screen reader reads it whenever it changes. */
function summary(steps: readonly ShownStep[], ended: SourceTest | null, busy: boolean): string {
  const running = steps.find(({ result }) => result === null);
  if (busy) return running === undefined ? "Testing" : `Testing: ${running.title}`;
  if (ended === null || ended.failure?.code === "cancelled") return "The test was cancelled.";
  if (ended.failure !== null) return "The test failed.";
  // Without a collection, the test ends before it reads.
  if (ended.steps.some(({ step, outcome }) => step === "read" && outcome === "skipped")) {
    return "The server answers. Choose a database and a collection to test the rest.";
  }
  const warned = ended.steps.some(({ outcome }) => outcome === "warned");
  return warned ? "The source can be used, with warnings." : "The source can be used.";
}

/** A test of the source, step by step. */
export function TestView({ steps, ended, busy, close }: Props) {
  const failure = ended === null || ended.failure?.code === "cancelled" ? null : ended.failure;
  return (
    <section className="source-test" aria-label="Test" data-testid="source-test-view">
      <div className="source-head">
        <p role="status" data-testid="source-test-summary">
          {summary(steps, ended, busy)}
        </p>
        <span className="spacer" />
        {/* In front of the steps: below them, it may be out of sight. */}
        {ended !== null && failure !== null && (
          <CopyButton
            text={ended.report}
            label="Copy a report for the database team"
            testId="source-test-report"
          />
        )}
        {!busy && (
          <Button className="icon-button" aria-label="Close the test" onPress={close}>
            <Icon name="close" size={12} />
          </Button>
        )}
      </div>
      <ul className="test-steps">
        {steps
          // Without a result, a step of a cancelled test would seem to run still.
          .filter(({ result }) => busy || result !== null)
          .map((shown) => (
            <TestStepItem key={shown.step} shown={shown} />
          ))}
      </ul>
      {failure && <FailureNote failure={failure} testId="source-test-failure" />}
    </section>
  );
}
