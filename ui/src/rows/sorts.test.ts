import { expect, it } from "vitest";

import { NO_SORTS, sortsFor, withSort } from "./sorts";

it("keeps an order per tab while the query stays, and drops them with it", () => {
  const up = { path: "price", descending: false };
  const down = { path: "timestamp", descending: true };
  const both = withSort(withSort(NO_SORTS, "a", "input", up), "a", "downstream", down);
  expect(sortsFor(both, "a")).toEqual({ input: up, downstream: down });
  expect(sortsFor(both, "b")).toEqual({ input: null, downstream: null });
  expect(sortsFor(withSort(both, "b", "input", down), "b")).toEqual({ input: down, downstream: null });
});
