// The steps of a test, as they are reported one by one.

import type { StepResult, TestEvent, TestStep } from "../backend";

/** A step that has begun; its result is null until it ends. */
export interface ShownStep {
  step: TestStep;
  title: string;
  result: StepResult | null;
}

/** The steps after an event. A step may end without having begun, if it was skipped. */
export function followStep(steps: readonly ShownStep[], event: TestEvent): ShownStep[] {
  const shown: ShownStep =
    event.event === "began"
      ? { step: event.step, title: event.title, result: null }
      : { step: event.result.step, title: event.result.title, result: event.result };
  const isKnown = steps.some(({ step }) => step === shown.step);
  return isKnown ? steps.map((before) => (before.step === shown.step ? shown : before)) : [...steps, shown];
}

/** The same for a test that has ended. */
export function endedSteps(results: readonly StepResult[]): ShownStep[] {
  return results.map((result) => ({ step: result.step, title: result.title, result }));
}
