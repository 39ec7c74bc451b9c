import { expect, it } from "vitest";

import { rowOrder } from "./order";
import { columnsOf, makeRow } from "./rows";

const TOTAL = 400;
const COLUMNS = columnsOf("input");
const at = (path: string) => COLUMNS.findIndex((column) => column.path === path);

it("sorts by several columns, each in its own direction, with what is missing last", () => {
  const order = rowOrder();
  const sorts = [
    { path: "receiver", descending: true },
    { path: "quantity", descending: false },
  ];
  const rows = Array.from({ length: TOTAL }, (_, index) =>
    makeRow("input", order({ role: "input", sorts }, TOTAL, "2026-11-01", 30, index), "2026-11-01", 30),
  );
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
  expect(rowOrder()({ role: "input", sorts: [] }, TOTAL, "2026-11-01", 30, 7)).toBe(7);
});
