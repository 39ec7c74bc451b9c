// What the window shows during a run.

import { act, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";

import { makeFake } from "../test/fakeBackend";
import { makeAnswer } from "../test/made";
import { openApp } from "./openApp";

vi.mock("../rows/grid/GridView", () => ({ GridView: () => <div data-testid="grid" /> }));

it("counts the days that a run has stored in its headline as in its legend", async () => {
  const fake = makeFake();
  const user = userEvent.setup();
  await openApp(fake);
  await screen.findByText(/0 of 31 days cached/);
  await user.click(screen.getByTestId("fetch-button"));
  act(() => {
    fake.emit({
      event: "planned",
      signature: "5".repeat(32),
      days_to_pull: 31,
      days_cached: 0,
      days_to_adopt: 0,
      windows: 4,
      expected_rows: null,
    });
    fake.emit({
      event: "chunk_stored",
      from: "2025-01-01",
      to: "2025-01-10",
      input_rows: 5,
      downstream_rows: 5,
    });
  });
  const sentence = screen.getByTestId("plan-sentence");
  await waitFor(() => expect(sentence).toHaveTextContent(/^10 of 31 days cached, 21 to fetch$/));
  expect(screen.getByTestId("day-strip")).toHaveTextContent("Cached 10");
  act(() => fake.finish(makeAnswer()));
  await waitFor(() => expect(sentence).toHaveTextContent(/^0 of 31 days cached/));
});
