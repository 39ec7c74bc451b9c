// Columns that stay in sight, in the real grid.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import {
  type ColumnPrefs,
  isPinned,
  isTechnical,
  NO_PREFS,
  pinnedOf,
  shown,
  toRemember,
  withDefaults,
  withPinned,
} from "./columns";
import { COLUMNS, GridStage } from "./gridStage";

const shape = { columns: COLUMNS, reading_order: [1, 2, 0] };
const paths = (prefs: ColumnPrefs) => shown(shape, prefs).map(({ column }) => column.path);

describe("the grid", () => {
  let stage: GridStage;
  beforeEach(() => {
    vi.useFakeTimers();
    stage = new GridStage();
  });
  afterEach(() => {
    stage.end();
    vi.useRealTimers();
  });
  const headings = (side: string) =>
    [...stage.host.querySelectorAll<HTMLElement>(`.slick-header-columns-${side} [role=columnheader]`)].map(
      (heading) => heading.dataset.path,
    );

  it("draws pinned columns on their own side, and lets go of them", () => {
    stage.prefs = { ...NO_PREFS, pinned: 1 };
    stage.show();
    expect([headings("left"), headings("right")]).toEqual([["_id"], ["price", "note"]]);
    stage.grid.perform("pin_column", { row: null, path: "note" });
    expect([headings("left"), headings("right")]).toEqual([["_id", "note"], ["price"]]);
    expect(stage.announced).toHaveBeenLastCalledWith("note is pinned");
    stage.grid.perform("unpin_column", { row: null, path: "_id" });
    expect([headings("left"), headings("right")]).toEqual([["note"], ["_id", "price"]]);
    stage.grid.perform("unpin_column", { row: null, path: "note" });
    expect([headings("left"), headings("right")]).toEqual([["note", "_id", "price"], []]);
  });

  it("colours the rows by a column, with a mark beside the value", async () => {
    stage.prefs = { ...NO_PREFS, coloured: "_id" };
    stage.show();
    await vi.advanceTimersByTimeAsync(100);
    const row = stage.host.querySelector(".slick-row");
    expect(row?.className).toMatch(/tone-[abc]/);
    expect(row?.querySelector(".cell-mark")?.textContent).toMatch(/[■□○]/);
    stage.prefs = NO_PREFS;
    stage.show();
    await vi.advanceTimersByTimeAsync(100);
    expect(stage.host.querySelector(".slick-row")?.className).not.toMatch(/tone/);
  });

  it("pins nothing that leaves too little room", () => {
    stage.prefs = { ...NO_PREFS, pinned: 1, widths: { _id: 500 } };
    stage.show();
    expect(headings("right")).toEqual([]);
  });
});

describe("what is remembered", () => {
  it("is by default the first column pinned, and technical ones hidden until they are shown", () => {
    const prefs = withDefaults(shape, NO_PREFS);
    expect(paths(prefs)).toEqual(["price", "note"]);
    expect(isPinned(shape, prefs, "price")).toBe(true);
    const all = toRemember(shape, { ...prefs, hidden: [] });
    expect(paths(withDefaults(shape, all))).toEqual(["price", "note", "_id"]);
    const again = toRemember(shape, { ...withDefaults(shape, all), hidden: ["_id"] });
    expect(paths(withDefaults(shape, again))).toEqual(["price", "note"]);
    expect(toRemember(shape, NO_PREFS)).toBe(NO_PREFS);
  });

  it("never pins the last column", () => {
    expect(pinnedOf(shape, { ...NO_PREFS, pinned: 9 })).toBe(2);
    expect(pinnedOf(shape, { ...NO_PREFS, pinned: 1, hidden: ["_id", "note"] })).toBe(0);
  });

  it("moves a column to the edge of the pinned ones", () => {
    const one = { ...NO_PREFS, pinned: 1 };
    const two = withPinned(shape, one, "_id", true);
    expect([paths(two), two.pinned]).toEqual([["price", "_id", "note"], 2]);
    expect(withPinned(shape, two, "_id", true)).toBe(two);
    expect(paths(withPinned(shape, two, "price", false))).toEqual(["_id", "price", "note"]);
  });
});

it.each([
  ["_id", true],
  ["__v", true],
  ["meta.row_hash", true],
  ["payload.md5", true],
  ["contentHash", true],
  ["trade_id", false],
  ["price", false],
  ["hashtag", false],
])("%s is technical: %s", (path, technical) => expect(isTechnical(path)).toBe(technical));
