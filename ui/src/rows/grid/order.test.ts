import { expect, it } from "vitest";

import type { ColumnView } from "../../backend";
import { naturalOrder, orderWord, sortedText } from "./order";

const column = (types: string[], numeric = false): ColumnView => ({ path: "a", label: null, types, numeric });

it("calls an order by what the column holds", () => {
  const words = (of: ColumnView) => [orderWord(of, false), orderWord(of, true)];
  expect(words(column(["date", "null"]))).toEqual(["oldest first", "newest first"]);
  expect(words(column(["string"]))).toEqual(["A to Z", "Z to A"]);
  expect(words(column(["int32", "decimal128"], true))).toEqual(["smallest first", "largest first"]);
  expect(words(column(["bool"]))).toEqual(["false first", "true first"]);
});

it("claims nothing of a column of several types, or of none", () => {
  expect(orderWord(column(["string", "date"]), false)).toBe("ascending");
  expect(orderWord(column(["objectId"]), true)).toBe("descending");
  expect(orderWord(undefined, false)).toBe("ascending");
});

it("names every column of an order, the most significant first", () => {
  const columns = [
    { path: "price", label: null, types: ["decimal128"], numeric: true },
    { path: "day", label: null, types: ["date"], numeric: false },
  ];
  const price = { path: "price", descending: true };
  const day = { path: "day", descending: false };
  expect(sortedText(columns, [price])).toBe("Sorted by price, largest first");
  expect(sortedText(columns, [price, day])).toBe("Sorted by price, largest first, then by day, oldest first");
  expect(sortedText(columns, [])).toBe("Not sorted");
});

it("says in which order rows are that nobody has sorted", () => {
  const named = { trade_column: null, status_column: null };
  const shape = { generation: 1, columns: [], rows: 1, reading_order: [], ...named };
  expect(naturalOrder("input", { ...shape, time_column: "timestamp" })).toBe("by day and time");
  expect(naturalOrder("downstream", { ...shape, time_column: "timestamp" })).toBe("by trade day and time");
  expect(naturalOrder("input", { ...shape, time_column: null })).toBe("by day");
});
