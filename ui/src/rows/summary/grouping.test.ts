import { expect, it } from "vitest";

import type { ColumnView, DateUnit, Group, ViewShape } from "../../backend";
import {
  activeGrouping,
  clickGroupSort,
  firstGrouping,
  type Grouping,
  groupedBy,
  groupRequest,
  groupsText,
  headings,
  withGroup,
} from "./grouping";
import { binsOf, edgesBetween, numbersIn, timeBins, timesIn, unitBetween } from "./bins";

const column = (path: string, type: string, numeric = false): ColumnView => ({
  path,
  label: null,
  types: [type],
  numeric,
});
const columns = [column("ts", "date"), column("product", "string"), column("price", "decimal128", true)];
const shape: ViewShape = {
  columns,
  rows: 9,
  generation: 1,
  reading_order: [0, 1, 2],
  time_column: "ts",
  trade_column: null,
  status_column: null,
};
const [ts, product, price] = columns as [ColumnView, ColumnView, ColumnView];
const grouping: Grouping = {
  by: [{ path: "product" }, { path: "ts", unit: "month" }],
  figures: [{ what: "sum", path: "price" }],
  sort: { column: 3, descending: true },
};

it("groups by day as long as nothing else has been chosen", () => {
  expect(activeGrouping(null, shape)).toEqual({ by: [{ path: "ts", unit: "day" }], figures: [], sort: null });
  expect(firstGrouping({ ...shape, time_column: null }).by).toEqual([]);
});

it("leaves out what the rows have no column for, and the order with it", () => {
  expect(activeGrouping(grouping, shape).sort).toEqual({ column: 3, descending: true });
  const without = activeGrouping(grouping, { ...shape, columns: [ts, product] });
  expect(without).toEqual({ by: grouping.by, figures: [], sort: null });
});

it("takes a further column up to three, then begins again", () => {
  expect(groupedBy(grouping, price).by.map(({ path }) => path)).toEqual(["product", "ts", "price"]);
  expect(groupedBy(grouping, product)).toBe(grouping);
  const full = groupedBy(grouping, price);
  expect(groupedBy(full, column("cell", "string")).by).toEqual([{ path: "cell" }]);
});

it("asks for the number of rows before the figures", () => {
  expect(groupRequest(grouping, "Europe/London", 5)).toEqual({
    by: grouping.by,
    zone: "Europe/London",
    figures: [
      { what: "count", path: null },
      { what: "sum", path: "price" },
    ],
    sort: { column: 3, descending: true },
    limit: 5,
  });
  expect(headings(grouping, columns)).toEqual(["product", "ts by month", "Rows", "sum of price"]);
});

it("sorts keys from the first and figures from the largest, then the other way, then not", () => {
  const none = { ...grouping, sort: null };
  const clicks = (at: number) => {
    const once = clickGroupSort(none, at);
    const twice = clickGroupSort(once, at);
    return [once.sort?.descending, twice.sort?.descending, clickGroupSort(twice, at).sort];
  };
  expect(clicks(0)).toEqual([false, true, null]);
  expect(clicks(2)).toEqual([true, false, null]);
});

const group: Group = {
  keys: [
    { text: "Brent", condition: { kind: "values", values: ["Brent"], empty: false } },
    { text: "2025-01", condition: { kind: "text", text: "a..b" } },
  ],
  rows: 12,
  figures: ["12", "9007199254740993.10"],
};

it("copies a table with every digit", () => {
  expect(groupsText([group], headings(grouping, columns))).toBe(
    "product\tts by month\tRows\tsum of price\nBrent\t2025-01\t12\t9007199254740993.10",
  );
});

it("narrows the rows to a group, and leaves the filters of other columns", () => {
  const other = { path: "price", condition: { kind: "text" as const, text: ">1" } };
  const old = { path: "ts", condition: { kind: "text" as const, text: "2025" } };
  expect(withGroup([other, old], group, grouping.by)).toEqual([
    other,
    { path: "ts", condition: group.keys[1]?.condition },
    { path: "product", condition: group.keys[0]?.condition },
  ]);
});

it("puts round edges between the least and the greatest number, exactly", () => {
  expect(edgesBetween("0", "10")).toEqual(["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]);
  expect(edgesBetween("-0.3", "0.25")).toEqual(["-0.2", "-0.1", "0", "0.1", "0.2"]);
  const large = edgesBetween("9223372036854775800", "9223372036854775807");
  expect(large.at(0)).toBe("9223372036854775801");
  expect(large.length).toBeLessThanOrEqual(12);
  for (const [min, max] of [
    ["5", "5"],
    ["NaN", "NaN"],
    ["1", "Infinity"],
    [null, null],
    ["1E-6000", "1E+6000"],
  ] as const)
    expect(edgesBetween(min, max)).toEqual([]);
});

it("counts what lies between the edges", () => {
  const bins = binsOf(["1", "2"], [3, 10], 12);
  expect(bins).toEqual([
    { name: "below 1", rows: 3, low: null, high: "1" },
    { name: "1 to 2", rows: 7, low: "1", high: "2" },
    { name: "from 2", rows: 2, low: "2", high: null },
  ]);
  const text = (first: number, last: number) => numbersIn(bins.slice(first, last + 1));
  expect(text(0, 1)).toEqual({ kind: "text", text: "<2" });
  expect(text(1, 1)).toEqual({ kind: "text", text: ">=1, !>=2" });
  expect(text(1, 2)).toEqual({ kind: "text", text: ">=1" });
  expect(text(0, 2)).toBeNull();
});

it.each<[DateUnit, string[]]>([
  ["day", ["2025-02-27", "2025-02-28", "2025-03-01"]],
  ["week", ["2024-W51", "2024-W52", "2025-W01", "2025-W02"]],
  ["month", ["2024-11", "2024-12", "2025-01", "2025-02"]],
  ["year", ["2023", "2024", "2025"]],
])("has a bar for every %s, with rows or without", (unit, names) => {
  const [first = "", last = ""] = [names[0], names.at(-1)];
  const group = (text: string): Group => ({
    keys: [{ text, condition: { kind: "text", text: `${text}a..${text}z` } }],
    rows: 5,
    figures: [],
  });
  const bins = timeBins([group(first), group(last)], unit, 60);
  expect(bins.map(({ name }) => name)).toEqual(names);
  expect(bins.map(({ rows }) => rows)).toEqual([5, ...names.slice(2).map(() => 0), 5]);
  expect(timesIn(bins)).toEqual({ kind: "text", text: `${first}a..${last}z` });
  expect(timesIn(bins.slice(0, 2))).toEqual({ kind: "text", text: `${first}a..${first}z` });
  expect(timesIn(bins.slice(1, -1))).toBeNull();
  expect(timeBins([group(first), group(last)], unit, 2)).toHaveLength(2);
});

it.each([
  ["2025-01-01T00:00:00Z", "2025-01-15T00:00:00Z", "day"],
  ["2025-01-01T00:00:00Z", "2025-04-15T00:00:00Z", "week"],
  ["2025-01-01T00:00:00Z", "2026-04-15T00:00:00Z", "month"],
  ["2015-01-01T00:00:00Z", "2026-04-15T00:00:00Z", "year"],
])("tells times from %s to %s apart by %s", (min, max, unit) => expect(unitBetween(min, max)).toBe(unit));
