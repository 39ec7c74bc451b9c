import { expect, it } from "vitest";

import type { ColumnCondition } from "../backend";
import {
  activeFilters,
  conditionText,
  filtersFor,
  type HeldFilter,
  NO_FILTERS,
  switched,
  withCondition,
  withFilters,
} from "./filters";

const text = (text: string): ColumnCondition => ({ kind: "text", text });
const values = (values: string[], empty = false): ColumnCondition => ({ kind: "values", values, empty });
const of = (path: string, typed: string): HeldFilter => ({ path, condition: text(typed) });

it("keeps filters per tab while the query stays, and drops them with it", () => {
  const one = withFilters(NO_FILTERS, "a", "input", [of("product", "Brent")]);
  const both = withFilters(one, "a", "downstream", [of("kind", "ack")]);
  expect(filtersFor(both, "a")).toEqual({
    input: [of("product", "Brent")],
    downstream: [of("kind", "ack")],
  });
  expect(filtersFor(both, "b")).toEqual({ input: [], downstream: [] });
  expect(filtersFor(withFilters(both, "b", "input", []), "b")).toEqual({ input: [], downstream: [] });
});

it("has one condition per column, which keeps its place", () => {
  const two = [of("product", "Brent"), of("price", ">5")];
  expect(withCondition(two, "product", text("Gas"))).toEqual([of("product", "Gas"), of("price", ">5")]);
  expect(withCondition(two, "cell", text("EU"))).toEqual([...two, of("cell", "EU")]);
  expect(withCondition(two, "product", null)).toEqual([of("price", ">5")]);
  // What is set anew is on.
  expect(withCondition(switched(two, "price", false), "price", text(">6"))[1]).toEqual(of("price", ">6"));
});

it("narrows by what is on and by the columns that are there", () => {
  const column = (path: string) => ({ path, label: null, types: ["string"], numeric: false });
  const held = switched([of("product", "Brent"), of("price", ">5"), of("gone", "x")], "price", false);
  expect(activeFilters(held, ["product", "price"].map(column))).toEqual([of("product", "Brent")]);
  expect(activeFilters(switched(held, "price", true), ["price"].map(column))).toEqual([of("price", ">5")]);
});

it("says a condition in words", () => {
  expect(conditionText("price", text(" >=5 "))).toBe("price: >=5");
  expect(conditionText("product", values(["Brent"]))).toBe("product is Brent");
  expect(conditionText("product", values(["Brent", "Gas"], true))).toBe("product is Brent, Gas or empty");
  expect(conditionText("product", values(["a", "b", "c", "d", "e"]))).toBe(
    "product is a, b, c or 2 more values",
  );
  expect(conditionText("note", values(["", "b"]))).toBe('note is "" or b');
  expect(conditionText("note", values([]))).toBe("note is none of its values");
});
