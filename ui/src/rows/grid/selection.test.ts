import Sortable from "sortablejs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { later } from "../../test/later";
import { NO_PREFS } from "./columns";
import type { Content } from "./contract";
import { GridStage, makeContent } from "./gridStage";
import { afterMove, copiedText, copyRefusal, MAX_COPIED_ROWS, selectionText, single } from "./selection";

let stage: GridStage;

beforeEach(() => {
  stage = new GridStage();
});

afterEach(() => stage.end());

/** The cells that look selected, as row and column. */
const blue = () =>
  [...stage.host.querySelectorAll(".slick-cell.selected")].map((cell) => [
    Number(cell.closest("[role=row]")?.getAttribute("aria-rowindex")) - 2,
    Number(cell.getAttribute("aria-colindex")) - 1,
  ]);

const active = () => [
  Number(document.activeElement?.closest("[role=row]")?.getAttribute("aria-rowindex")) - 2,
  Number(document.activeElement?.getAttribute("aria-colindex")) - 1,
];

const selected = () => stage.selected.mock.lastCall?.[0] as { rows: number; columns: number };

async function copied(): Promise<string[]> {
  const before = stage.copy.mock.calls.length;
  stage.press("c", { ctrlKey: true });
  await vi.waitFor(() => expect(stage.copy.mock.calls.length).toBeGreaterThan(before));
  return String(stage.copy.mock.lastCall?.[0]).split("\n");
}

describe("Ctrl+A", () => {
  it("stays where one is and says what a copy will hold before there is one", () => {
    stage.click(3, 1);
    const top = stage.host.querySelector(".slick-viewport")?.scrollTop;
    stage.press("a", { ctrlKey: true });
    expect(active()).toEqual([3, 1]);
    expect(stage.host.querySelector(".slick-viewport")?.scrollTop).toBe(top);
    expect(selected()).toEqual({ rows: 1000, columns: 3 });
    expect(selectionText(selected())).toBe("1,000 rows × 3 columns selected; Ctrl+C copies them");
  });

  it("copies every row that is blue", async () => {
    stage.click(3, 1);
    stage.press("a", { ctrlKey: true });
    const rows = await copied();
    expect(rows).toHaveLength(1000);
    expect(rows[0]).toBe("id0\t1\t");
    expect(rows[999]).toBe("id999\t1\t");
  });

  it("leaves no cell blue after a wheel turn and a click, when a copy holds one", async () => {
    stage.click(0, 0);
    stage.press("a", { ctrlKey: true });
    stage.scrollTo(40);
    await vi.waitFor(() => expect(stage.cell(42, 0)).toHaveTextContent("id42"));
    expect(blue().some(([row]) => row === 42)).toBe(true);
    stage.click(42, 0);
    expect(blue()).toEqual([[42, 0]]);
    expect(await copied()).toEqual(["id42"]);
  });

  it("copies nothing where a copy would be cut, and says so before and after", () => {
    stage.show("many", 3_000_000);
    stage.click(2, 0);
    stage.press("a", { ctrlKey: true });
    expect(selectionText(selected())).toBe(
      "3,000,000 rows × 3 columns selected, too many to copy (at most 100,000 rows); Ctrl+E exports all rows",
    );
    stage.press("c", { ctrlKey: true });
    expect(stage.announced).toHaveBeenLastCalledWith(copyRefusal({ rows: 3_000_000, columns: 3 }));
    expect(stage.copy).not.toHaveBeenCalled();
    expect(copyRefusal({ rows: MAX_COPIED_ROWS, columns: 3 })).toBeNull();
  });

  it("takes in rows that arrive while everything is selected", () => {
    stage.click(0, 0);
    stage.press("a", { ctrlKey: true });
    stage.grid.show({ ...makeContent("one", 1200), stamp: "2" }, stage.prefs, stage.sorts);
    expect(selected()).toEqual({ rows: 1200, columns: 3 });
  });
});

describe("Shift", () => {
  it("and a click select from the active cell to there", async () => {
    stage.click(2, 0);
    stage.click(4, 1, { shiftKey: true });
    expect(active()).toEqual([2, 0]);
    expect(blue()).toEqual([
      [2, 0],
      [2, 1],
      [3, 0],
      [3, 1],
      [4, 0],
      [4, 1],
    ]);
    expect(await copied()).toEqual(["id2\t1", "id3\t1", "id4\t1"]);
    // The other way from the same cell.
    stage.click(1, 0, { shiftKey: true });
    expect(selected()).toEqual({ rows: 2, columns: 1 });
    expect(await copied()).toEqual(["id1", "id2"]);
  });

  it("and arrows grow and shrink the selection around the active cell", () => {
    stage.click(2, 1);
    stage.press("ArrowDown", { shiftKey: true });
    stage.press("ArrowRight", { shiftKey: true });
    expect(selected()).toEqual({ rows: 2, columns: 2 });
    stage.press("ArrowUp", { shiftKey: true });
    stage.press("ArrowUp", { shiftKey: true });
    expect(blue()).toEqual([
      [1, 1],
      [1, 2],
      [2, 1],
      [2, 2],
    ]);
    expect(active()).toEqual([2, 1]);
  });

  it("and Space take the row, Ctrl and Space the column", async () => {
    stage.click(2, 1);
    stage.press(" ", { shiftKey: true });
    expect(blue()).toEqual([
      [2, 0],
      [2, 1],
      [2, 2],
    ]);
    stage.click(2, 1);
    stage.press(" ", { ctrlKey: true });
    expect(selected()).toEqual({ rows: 1000, columns: 1 });
    expect(active()).toEqual([2, 1]);
    expect(await copied()).toHaveLength(1000);
    stage.press("ArrowRight", { shiftKey: true });
    expect(selected()).toEqual({ rows: 1000, columns: 2 });
  });

  it("and Ctrl and an arrow select to the edge", () => {
    stage.click(2, 1);
    stage.press("ArrowDown", { shiftKey: true, ctrlKey: true });
    expect(selected()).toEqual({ rows: 998, columns: 1 });
    expect(active()).toEqual([2, 1]);
  });
});

it("jumps to the edge with Ctrl and an arrow, and selects that cell alone", () => {
  stage.click(2, 0);
  stage.press("ArrowRight", { ctrlKey: true });
  expect(active()).toEqual([2, 2]);
  stage.press("ArrowDown", { ctrlKey: true });
  expect(active()).toEqual([999, 2]);
  stage.press("ArrowLeft", { ctrlKey: true });
  stage.press("ArrowUp", { ctrlKey: true });
  expect(active()).toEqual([0, 0]);
  expect(blue()).toEqual([[0, 0]]);
});

it("takes the selection back to the cell where an arrow leads no further", () => {
  stage.click(0, 0);
  stage.press("a", { ctrlKey: true });
  stage.press("ArrowUp");
  expect(blue()).toEqual([[0, 0]]);
});

it("takes the selection back with a click on the active cell", () => {
  stage.click(1, 1);
  stage.press("a", { ctrlKey: true });
  stage.click(1, 1);
  expect(blue()).toEqual([[1, 1]]);
});

/** Drags a heading before another one, or to the end, with the events of the grid's drag library. */
function drag(path: string, before: string | null): void {
  const heading = (of: string) => stage.host.querySelector(`[data-path="${of}"]`);
  const item = heading(path);
  const row = item?.parentElement;
  if (!item || !row) throw new Error("no such heading");
  const { get } = Sortable as unknown as { get: (row: Element) => { options: Record<string, unknown> } };
  const callbacks = get(row).options as Record<"onStart" | "onEnd", (event: object) => void>;
  const event = { item, stopPropagation: () => undefined };
  callbacks.onStart(event);
  row.insertBefore(item, before === null ? null : heading(before));
  callbacks.onEnd(event);
}

describe("a column that is dragged", () => {
  const headings = () =>
    [...stage.host.querySelectorAll<HTMLElement>("[role=columnheader]")].map((one) => one.dataset["path"]);

  it("takes the active cell and the selection along", async () => {
    stage.click(1, 0);
    stage.click(3, 0, { shiftKey: true });
    drag("_id", null);
    expect(headings()).toEqual(["price", "note", "_id"]);
    expect(active()).toEqual([1, 2]);
    expect(blue()).toEqual([
      [1, 2],
      [2, 2],
      [3, 2],
    ]);
    expect(stage.host.querySelectorAll(".slick-cell.active")).toHaveLength(1);
    expect(stage.cell(1, 2)).toHaveClass("active");
    expect(await copied()).toEqual(["id1", "id2", "id3"]);
    stage.press("ArrowLeft");
    expect(active()).toEqual([1, 1]);
  });

  it("moves from under a selection of others without changing what a copy holds", async () => {
    stage.click(1, 1);
    drag("_id", null);
    expect(active()).toEqual([1, 0]);
    expect(await copied()).toEqual(["1"]);
  });

  it("leaves the active cell alone if it comes between selected ones", () => {
    stage.click(1, 0);
    stage.click(2, 1, { shiftKey: true });
    drag("note", "price");
    expect(headings()).toEqual(["_id", "note", "price"]);
    expect(blue()).toEqual([[1, 0]]);
  });

  it("keeps whole rows and whole columns whole", () => {
    stage.click(1, 0);
    stage.press(" ", { ctrlKey: true });
    drag("_id", null);
    expect(selected()).toEqual({ rows: 1000, columns: 1 });
    expect(blue().every(([, cell]) => cell === 2)).toBe(true);
    stage.press("a", { ctrlKey: true });
    drag("_id", "price");
    expect(selected()).toEqual({ rows: 1000, columns: 3 });
  });

  it("goes no further if it is out of sight", () => {
    stage.click(1, 0);
    stage.scrollTo(500);
    const top = stage.host.querySelector(".slick-viewport")?.scrollTop;
    drag("_id", null);
    expect(stage.host.querySelector(".slick-viewport")?.scrollTop).toBe(top);
    expect(selected()).toEqual({ rows: 1, columns: 1 });
  });
});

it("follows its columns only while they stand side by side", () => {
  const at = (row: number, cell: number) => ({ row, cell });
  const held = { ...single(at(1, 2)), lead: at(4, 1) };
  const before = ["a", "b", "c", "d"];
  expect(afterMove(held, before, ["b", "c", "a", "d"])).toMatchObject({ anchor: at(1, 1), lead: at(4, 0) });
  expect(afterMove(held, before, ["c", "b", "d", "a"])).toMatchObject({ anchor: at(1, 0), lead: at(4, 1) });
  expect(afterMove(held, before, ["b", "a", "c", "d"])).toBeNull();
  expect(afterMove(held, before, ["a", "c", "d"])).toBeNull();
});

it("covers no other columns when one is hidden", () => {
  stage.click(1, 0);
  stage.click(3, 1, { shiftKey: true });
  stage.prefs = { ...NO_PREFS, hidden: ["price"] };
  stage.show();
  expect(selected()).toEqual({ rows: 1, columns: 1 });
});

it("tells a screen reader which cells are selected", () => {
  stage.click(1, 0);
  stage.click(2, 0, { shiftKey: true });
  expect(stage.host).toHaveAttribute("aria-multiselectable", "true");
  expect(stage.cell(2, 0)).toHaveAttribute("aria-selected", "true");
  expect(stage.cell(2, 1)).toHaveAttribute("aria-selected", "false");
});

it("selects all rows without an active cell", () => {
  stage.grid.perform("select_all", { row: null, path: null });
  expect(selected()).toEqual({ rows: 1000, columns: 3 });
});

describe("a copy", () => {
  it("says how many cells it holds", async () => {
    expect(copiedText({ rows: 1, columns: 1 })).toBe("Copied 1 cell");
    expect(copiedText({ rows: 3, columns: 2 })).toBe("Copied 3 rows × 2 columns");
    stage.click(2, 0);
    stage.click(4, 1, { shiftKey: true });
    await copied();
    expect(stage.copy).toHaveBeenLastCalledWith(expect.any(String), { rows: 3, columns: 2 });
    expect(stage.copying).not.toHaveBeenCalled();
  });

  it("that is slow does not take the place of a later one", async () => {
    const slow = later<Awaited<ReturnType<Content["read"]>>>();
    const read = vi.fn<Content["read"]>((offset, limit, places) =>
      offset < 5000 ? makeContent("many", 6000).read(offset, limit, places) : slow.promise,
    );
    stage.grid.show({ ...makeContent("many", 6000), read }, stage.prefs, stage.sorts);
    stage.click(0, 0);
    stage.press("a", { ctrlKey: true });
    stage.press("c", { ctrlKey: true });
    expect(stage.copying).toHaveBeenCalledExactlyOnceWith(6000);
    await vi.waitFor(() => expect(read.mock.calls.some(([offset]) => offset >= 5000)).toBe(true));
    stage.click(1, 0);
    expect(await copied()).toEqual(["id1"]);
    slow.resolve({ rows: Array.from({ length: 1000 }, () => ["late", "1", null]), generation: 1 });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(stage.copy).toHaveBeenCalledOnce();
  });
});
