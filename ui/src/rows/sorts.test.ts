import { expect, it } from "vitest";

import { NO_SORTS, type Sorts, sortsFor, withSorts } from "./sorts";

const up = { path: "price", descending: false };
const down = { path: "timestamp", descending: true };

it("keeps an order per tab while the query stays, and drops them with it", () => {
  const both = withSorts(withSorts(NO_SORTS, "a", "input", [up, down]), "a", "downstream", [down]);
  expect(sortsFor(both, "a")).toEqual({ input: [up, down], downstream: [down] });
  expect(sortsFor(both, "b")).toEqual({ input: [], downstream: [] });
  expect(sortsFor(withSorts(both, "b", "input", [down]), "b")).toEqual({ input: [down], downstream: [] });
});

it("reads the one sort per tab that an earlier version stored", () => {
  const stored = { signature: "a", by: { input: up, downstream: null } } as unknown as Sorts;
  expect(sortsFor(stored, "a")).toEqual({ input: [up], downstream: [] });
  expect(sortsFor(withSorts(stored, "a", "downstream", [down]), "a")).toEqual({
    input: [up],
    downstream: [down],
  });
});
