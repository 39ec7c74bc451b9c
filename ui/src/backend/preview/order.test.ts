import { expect, it } from "vitest";

import { rowOrder } from "./order";
import { calendarOf, columnsOf, makeRow } from "./rows";

const TOTAL = 400;
const DAYS = calendarOf([
  { day: "2026-11-01", rows: 100 },
  { day: "2026-11-03", rows: 1 },
  { day: "2026-11-04", rows: 299 },
]);
const COLUMNS = columnsOf("input");
const at = (path: string) => COLUMNS.findIndex((column) => column.path === path);

it("sorts by several columns, each in its own direction, with what is missing last", () => {
  const order = rowOrder();
  const sorts = [
    { path: "receiver", descending: true },
    { path: "quantity", descending: false },
  ];
  const { at: placed } = order({ role: "input", sorts }, TOTAL, DAYS);
  const rows = Array.from({ length: TOTAL }, (_, index) => makeRow("input", placed(index), DAYS));
  expect(new Set(rows.map((row) => row[0])).size).toBe(TOTAL);
  const receivers = rows.map((row) => row[at("receiver")] ?? null);
  const named = receivers.filter((receiver) => receiver !== null);
  expect(receivers.slice(named.length).every((receiver) => receiver === null)).toBe(true);
  expect(named).toEqual([...named].sort().reverse());
  for (let index = 1; index < TOTAL; index += 1) {
    if (receivers[index] !== receivers[index - 1]) continue;
    const [before, after] = [rows[index - 1], rows[index]].map((row) => Number(row?.[at("quantity")]));
    expect(after).toBeGreaterThanOrEqual(before ?? NaN);
  }
});

it("leaves rows as they are if nothing is sorted", () => {
  expect(rowOrder()({ role: "input", sorts: [] }, TOTAL, DAYS).at(7)).toBe(7);
});

it("selects the rows that meet every condition, in their order", () => {
  const filters = [
    { path: "product", condition: { kind: "values" as const, values: ["Brent", "WTI"], empty: false } },
    { path: "quantity", condition: { kind: "text" as const, text: "100..200, =400" } },
    { path: "receiver", condition: { kind: "text" as const, text: "!empty, !=risk" } },
  ];
  const sorts = [{ path: "quantity", descending: true }];
  const { length, at: placed } = rowOrder()({ role: "input", sorts, filters }, TOTAL, DAYS);
  const rows = Array.from({ length }, (_, index) => makeRow("input", placed(index), DAYS));
  expect(length).toBeGreaterThan(3);
  const quantities = rows.map((row) => Number(row[at("quantity")]));
  expect(quantities).toEqual([...quantities].sort((a, b) => b - a));
  for (const row of rows) {
    expect(["Brent", "WTI"]).toContain(row[at("product")]);
    expect([null, "risk"]).not.toContain(row[at("receiver")]);
  }
  for (const quantity of quantities)
    expect(quantity === 400 || (quantity <= 200 && quantity >= 100)).toBe(true);
});

it("refuses a condition that says nothing, as plain data", () => {
  const filters = [{ path: "product", condition: { kind: "text" as const, text: "=" } }];
  const select = () => rowOrder()({ role: "input", sorts: [], filters }, TOTAL, DAYS);
  expect(select).toThrow(
    expect.objectContaining({ code: "bad_filter", target: { field: "column", path: "product" } }),
  );
});

it("selects the rows of days, and the messages of their trades", () => {
  const days = [{ from: "2026-11-02", to: "2026-11-03" }];
  const { length, at: placed } = rowOrder()({ role: "input", sorts: [], days }, TOTAL, DAYS);
  expect([length, placed(0)]).toEqual([1, 100]);
  expect(rowOrder()({ role: "downstream", sorts: [], days }, 3 * TOTAL, DAYS).length).toBe(3);
  expect(makeRow("input", 100, DAYS)[2]).toContain("2026-11-03T");
  expect(makeRow("input", 101, DAYS)[2]).toContain("2026-11-04T");
});
