import { describe, expect, it } from "vitest";

import type { ColumnView } from "../../backend";
import { NO_PREFS, reorder, shown, step } from "./columns";

describe("columns", () => {
  const columns: ColumnView[] = ["_id", "a", "b", "c"].map((path) => ({
    path,
    label: null,
    types: ["string"],
    numeric: false,
  }));
  const shape = { columns, reading_order: [0, 1, 2, 3] };
  const paths = (prefs = NO_PREFS) => shown(shape, prefs).map(({ column }) => column.path);

  it("keep the place of a hidden column when the others are moved", () => {
    const moved = reorder(shape, { ...NO_PREFS, hidden: ["a"] }, ["c", "_id", "b"]);
    expect(paths(moved)).toEqual(["c", "_id", "b"]);
    expect(paths({ ...moved, hidden: [] })).toEqual(["c", "_id", "a", "b"]);
  });

  it("move one place at a time, and stop at the ends", () => {
    expect(step(["a", "b", "c"], "b", 1)).toEqual(["a", "c", "b"]);
    expect(step(["a", "b", "c"], "b", -1)).toEqual(["b", "a", "c"]);
    expect(step(["a", "b", "c"], "c", 1)).toEqual(["a", "b", "c"]);
    expect(step(["a", "b", "c"], "z", -1)).toEqual(["a", "b", "c"]);
  });

  it("come in reading order until they are arranged", () => {
    const read = { columns, reading_order: [2, 3, 1, 0] };
    const inOrder = (prefs = NO_PREFS) => shown(read, prefs).map(({ column, index }) => [column.path, index]);
    expect(inOrder()).toEqual([
      ["b", 2],
      ["c", 3],
      ["a", 1],
      ["_id", 0],
    ]);
    // What is new to the arrangement follows in reading order.
    expect(inOrder({ ...NO_PREFS, order: ["a"] }).map(([path]) => path)).toEqual(["a", "b", "c", "_id"]);
    expect(reorder(read, { ...NO_PREFS, hidden: ["c"] }, ["a", "b", "_id"]).order).toEqual([
      "a",
      "b",
      "c",
      "_id",
    ]);
  });

  it("are all shown when all are hidden", () => {
    expect(paths({ ...NO_PREFS, hidden: ["_id", "a", "b", "c"] })).toHaveLength(4);
  });
});
