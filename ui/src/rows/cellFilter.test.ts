import { expect, it } from "vitest";

import type { ColumnCondition } from "../backend";
import { cellCondition, cellFilters, cellFilterText } from "./cellFilter";

const text = (text: string): ColumnCondition => ({ kind: "text", text });
const values = (values: string[], empty = false): ColumnCondition => ({ kind: "values", values, empty });
const column = (types: string[], numeric = false) => ({ path: "p", label: null, types, numeric });

it("takes a value as it is shown, whatever its type", () => {
  expect(cellCondition("filter_equals", "5..10", undefined)).toEqual(values(["5..10"]));
  expect(cellCondition("filter_equals", null, text(">5"))).toEqual(values([], true));
});

it("quotes what would end an operand, and nothing else", () => {
  expect(cellCondition("filter_not", "Brent", undefined)).toEqual(text("!=Brent"));
  expect(cellCondition("filter_not", 'a, "b"', undefined)).toEqual(text('!="a, ""b"""'));
  expect(cellCondition("filter_not", " a", undefined)).toEqual(text('!=" a"'));
  expect(cellCondition("filter_not", "", undefined)).toEqual(text('!=""'));
  expect(cellCondition("filter_contains", "a,b", undefined)).toEqual(text('~"a,b"'));
  expect(cellCondition("filter_at_least", "-5.50", undefined)).toEqual(text(">=-5.50"));
});

it("excludes one value after another", () => {
  expect(cellCondition("filter_not", "Gas", text("!=Brent"))).toEqual(text("!=Brent, !=Gas"));
  expect(cellCondition("filter_not", null, text("5..10"))).toEqual(text("5..10, !empty"));
  expect(cellCondition("filter_not", "Gas", values(["Brent", "Gas"], true))).toEqual(values(["Brent"], true));
  expect(cellCondition("filter_not", null, values(["Brent"], true))).toEqual(values(["Brent"]));
});

it("offers what the value and its column allow", () => {
  expect(cellFilters("5", column(["decimal128"], true))).toContain("filter_at_least");
  expect(cellFilters("2025-01-01T00:00:00Z", column(["date", "null"]))).toContain("filter_at_least");
  expect(cellFilters("Brent", column(["string"]))).toEqual([
    "filter_equals",
    "filter_not",
    "filter_contains",
    "filter_empty",
  ]);
  expect(cellFilters(null, column(["string"]))).toEqual(["filter_not", "filter_empty"]);
  expect(cellFilters(undefined, column(["string"]))).toEqual(["filter_empty"]);
});

it("names the value", () => {
  expect(cellFilterText("filter_equals", "Brent")).toBe("Filter: is Brent");
  expect(cellFilterText("filter_not", null)).toBe("Filter: is not empty");
  expect(cellFilterText("filter_contains", "x".repeat(99))).toHaveLength("Filter: contains ".length + 24);
});
