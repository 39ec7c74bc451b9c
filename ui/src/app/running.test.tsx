// What the window shows during a run.

import { act, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";

import type { DayView, RunEvent } from "../backend";
import { makeFake, makePlan } from "../test/fakeBackend";
import { makeAnswer, makeQuery } from "../test/made";
import { openApp } from "./openApp";

vi.mock("../rows/grid/GridView", () => ({ GridView: () => <div data-testid="grid" /> }));

const PLANNED: RunEvent = {
  event: "planned",
  signature: "5".repeat(32),
  filters: "no filter",
  days_to_pull: 31,
  days_cached: 0,
  days_to_adopt: 0,
  windows: 4,
  expected_rows: null,
};

/** Days that a run has stored; those from `open` on may still change. */
function stored(from: string, to: string, sentence: string, open = "2025-02-01"): RunEvent {
  const days = makePlan(makeQuery({ from, to })).days.map((view): DayView => ({
    ...view,
    action: "serve",
    state: view.day >= open ? "open" : "settled",
    input_rows: 5,
    downstream_rows: 5,
  }));
  return { event: "chunk_stored", from, to, input_rows: 5, downstream_rows: 5, days, sentence };
}

async function fetchAll() {
  const fake = makeFake();
  const user = userEvent.setup();
  await openApp(fake);
  await screen.findByText(/0 of 31 days cached/);
  await user.click(screen.getByTestId("fetch-button"));
  act(() => fake.emit(PLANNED));
  return { fake, user, sentence: screen.getByTestId("plan-sentence") };
}

it("counts the days that a run has stored in its headline as in its legend", async () => {
  const { fake, sentence } = await fetchAll();
  act(() => fake.emit(stored("2025-01-01", "2025-01-10", "10 of 31 days cached, 21 to fetch")));
  await waitFor(() => expect(sentence).toHaveTextContent(/^10 of 31 days cached, 21 to fetch$/));
  expect(screen.getByTestId("legend-button")).toHaveAccessibleName(/cached 10\b/);
  act(() => fake.finish(makeAnswer()));
  // Plan and answer are on one line from now on.
  await waitFor(() => expect(screen.getByTestId("plan-sentence")).toHaveTextContent(/^0 of 31 days cached/));
});

it("shows stored days as cached or open while the run goes on, and the others as planned", async () => {
  const { fake, sentence } = await fetchAll();
  const strip = screen.getByTestId("day-strip");
  act(() => {
    fake.emit(stored("2025-01-01", "2025-01-10", "10 of 31 days cached, 21 to fetch"));
    fake.emit(stored("2025-01-30", "2025-01-31", "12 of 31 days cached, 19 to fetch", "2025-01-31"));
  });
  await waitFor(() => expect(sentence).toHaveTextContent(/^12 of 31 days cached, 19 to fetch$/));
  const kinds = [...strip.querySelectorAll<HTMLElement>("[data-day]")].map((cell) => cell.dataset.kind);
  const of = (kind: string) => kinds.filter((one) => one === kind).length;
  expect([of("cached"), of("open"), of("fetch")]).toEqual([11, 1, 19]);
});

it("keeps the sentence of a plan of other days", async () => {
  const { fake, user, sentence } = await fetchAll();
  await user.click(screen.getByTestId("preset-today"));
  await waitFor(() => expect(sentence).toHaveTextContent(/^0 of 1 days cached/));
  act(() => fake.emit(stored("2025-01-01", "2025-01-31", "All 31 days are cached")));
  await waitFor(() => expect(screen.getByTestId("legend-button")).toHaveAccessibleName(/cached 1\b/));
  expect(sentence).toHaveTextContent(/^0 of 1 days cached/);
});
