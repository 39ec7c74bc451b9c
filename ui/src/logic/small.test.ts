import { describe, expect, it } from "vitest";

import type { ColumnView, Failure } from "../backend";
import { gridKey } from "../grid/gridKeys";
import { makeQuery } from "../test/made";
import { NO_PREFS, reorder, shown, step } from "./columns";
import { blocksFetch, placeOf } from "./failures";
import { ago, bytes, count, duration, moment } from "./format";
import { toTsv } from "./tsv";

describe("figures", () => {
  it("are short and steady", () => {
    expect(count(48_211)).toBe("48,211");
    expect(bytes(999)).toBe("999 B");
    expect(bytes(12_340_000)).toBe("12.3 MB");
    expect(duration(840)).toBe("840 ms");
    expect(duration(200_000)).toBe("3 min 20 s");
  });

  it("tell times in the day zone", () => {
    expect(moment("2026-07-01T12:00:00Z", "Europe/London")).toBe("2026-07-01 13:00:00 Europe/London");
    expect(moment("2026-07-01T12:00:00Z", "Not/AZone")).toBe("2026-07-01 12:00:00 UTC");
    const now = Date.parse("2026-07-01T12:00:00Z");
    expect(ago("2026-07-01T11:58:00Z", now)).toBe("2 min ago");
    expect(ago("2026-07-01T13:00:00Z", now)).toBe("in the future");
  });
});

describe("rows as tab separated text", () => {
  it("quotes only what would break the table", () => {
    expect(toTsv([["a\tb", null, 'say "hi"', "007"]], [0, 1, 2, 3], null)).toBe(
      '"a\tb"\t\t"say ""hi"""\t007',
    );
  });

  it("takes the columns asked for, with their heading", () => {
    expect(toTsv([["1", "2", "3"]], [2, 0], ["c", "a"])).toBe("c\ta\n3\t1");
  });
});

describe("columns", () => {
  const columns: ColumnView[] = ["_id", "a", "b", "c"].map((path) => ({
    path,
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

describe("a failure of the plan", () => {
  const failure = (code: Failure["code"], message: string): Failure => ({
    code,
    message,
    next: "",
    cause: null,
  });

  it("stands beside what is to be corrected", () => {
    expect(placeOf(failure("bad_range", "x"), makeQuery())).toBe("dates");
    expect(placeOf(failure("bad_filter", "x"), makeQuery())).toBe("filters");
    expect(placeOf(failure("bad_filter", "It does not parse."), makeQuery({ advanced: "{" }))).toBe(
      "advanced",
    );
    const filters = [{ field: "quantity", operator: "at_least" as const, values: ["x"] }];
    expect(
      placeOf(failure("bad_filter", "quantity: not a number"), makeQuery({ advanced: "{}", filters })),
    ).toBe("filters");
    expect(placeOf(failure("bad_mapping", "x"), makeQuery())).toBe("source");
  });

  it("stops a fetch only where typing can mend it", () => {
    expect(blocksFetch(failure("bad_filter", "x"))).toBe(true);
    expect(blocksFetch(failure("cache_busy", "x"))).toBe(false);
  });
});

it("reads the keys of the grid", () => {
  const press = (key: string, held: Partial<Record<"ctrlKey" | "shiftKey" | "altKey", boolean>> = {}) =>
    gridKey({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...held });
  expect(press("Enter")).toBe("open");
  expect(press("c", { ctrlKey: true })).toBe("copy");
  expect(press("C", { ctrlKey: true, shiftKey: true })).toBe("copy_with_heading");
  expect(press("ArrowDown", { altKey: true })).toBe("sort_down");
  expect(press("ArrowLeft", { altKey: true })).toBe("narrower");
  expect(press("ArrowRight", { altKey: true, shiftKey: true })).toBe("move_right");
  expect(press("ArrowRight", { shiftKey: true })).toBeNull();
  expect(press("Enter", { ctrlKey: true })).toBeNull();
});
