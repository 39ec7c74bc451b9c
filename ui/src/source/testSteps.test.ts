import { expect, it } from "vitest";

import type { StepResult } from "../backend";
import { followStep } from "./testSteps";

const passed: StepResult = {
  step: "reach",
  title: "Reach a server",
  outcome: "passed",
  detail: "It answers.",
  fix: null,
  elapsed_ms: 4,
};

it("shows a step while it runs, and then its result in the same place", () => {
  const began = followStep([], { event: "began", step: "reach", title: "Reach a server" });
  expect(began).toEqual([{ step: "reach", title: "Reach a server", result: null }]);
  const next = followStep(began, { event: "began", step: "tls", title: "Encrypt" });
  const ended = followStep(next, { event: "ended", result: passed });
  expect(ended.map(({ step, result }) => [step, result?.outcome])).toEqual([
    ["reach", "passed"],
    ["tls", undefined],
  ]);
});

it("shows a step that ends without having begun", () => {
  const skipped = { ...passed, outcome: "skipped" as const };
  expect(followStep([], { event: "ended", result: skipped })).toHaveLength(1);
});
