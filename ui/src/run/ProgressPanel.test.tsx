import { render, screen } from "@testing-library/react";
import { expect, it } from "vitest";

import type { RunEvent } from "../backend";
import { makeQuery } from "../test/made";
import { ProgressPanel } from "./ProgressPanel";
import { IDLE, runReducer } from "./runState";

const PROGRESS = {
  event: "progress" as const,
  rows: 0,
  expected_rows: null,
  days_done: 0,
  days_total: 31,
  rows_per_second: 0,
  remaining_ms: null,
};

/** The panel after these events of a run. */
function show(...events: RunEvent[]) {
  const started = runReducer(IDLE, {
    type: "started",
    id: 1,
    query: makeQuery(),
    mode: "normal",
    key: null,
    source: "one",
    resumed: 0,
    background: false,
  });
  const { run } = events.reduce(
    (state, event) => runReducer(state, { type: "event", id: 1, event }),
    started,
  );
  if (run === null) throw new Error("there is no run");
  render(<ProgressPanel run={run} />);
  return screen.getByTestId("progress");
}

it("leaves out an estimate of no trades, and no time is left of less than a second", () => {
  const panel = show({ ...PROGRESS, expected_rows: 0, remaining_ms: 0 });
  expect(screen.getByTestId("progress-rows")).toHaveTextContent(/^0 trades$/);
  expect(panel).toHaveTextContent("less than a second left");
  expect(panel).not.toHaveTextContent(/0 ms|about/);
});

it("says what is expected and how long it takes", () => {
  const panel = show({ ...PROGRESS, rows: 120, expected_rows: 4000, remaining_ms: 12_000 });
  expect(panel).toHaveTextContent("120 of about 4,000 trades");
  expect(panel).toHaveTextContent("12 s left");
});

const ASKED: RunEvent = { event: "downstream_progress", rows: 7, trades_asked: 2000, trades_done: 3 };

it("says how many messages have come", () => {
  expect(show({ ...PROGRESS, rows: 2100 }, ASKED)).toHaveTextContent("7 messages for 3 of 2,000 trades");
});

it("counts no messages beside no trades, nor later from before a window was fetched again", () => {
  expect(show({ ...PROGRESS, rows: 2100 }, ASKED, PROGRESS)).not.toHaveTextContent("2,000");
});

it("starts the messages anew when a window is fetched again", () => {
  const again = show({ ...PROGRESS, rows: 2100 }, ASKED, PROGRESS, { ...PROGRESS, rows: 90 });
  expect(again).toHaveTextContent("90 trades");
  expect(again).not.toHaveTextContent("2,000");
});
