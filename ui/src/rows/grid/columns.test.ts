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
  const paths = (prefs = NO_PREFS) => shown(columns, prefs).map(({ column }) => column.path);

  it("keep the place of a hidden column when the others are moved", () => {
    const moved = reorder(columns, { ...NO_PREFS, hidden: ["a"] }, ["c", "_id", "b"]);
    expect(paths(moved)).toEqual(["c", "_id", "b"]);
    expect(paths({ ...moved, hidden: [] })).toEqual(["c", "_id", "a", "b"]);
  });

  it("move one place at a time, and stop at the ends", () => {
    expect(step(["a", "b", "c"], "b", 1)).toEqual(["a", "c", "b"]);
    expect(step(["a", "b", "c"], "b", -1)).toEqual(["b", "a", "c"]);
    expect(step(["a", "b", "c"], "c", 1)).toEqual(["a", "b", "c"]);
    expect(step(["a", "b", "c"], "z", -1)).toEqual(["a", "b", "c"]);
  });

  it("are all shown when all are hidden", () => {
    expect(paths({ ...NO_PREFS, hidden: ["_id", "a", "b", "c"] })).toHaveLength(4);
  });
});
