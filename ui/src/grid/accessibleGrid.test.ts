import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { ColumnView, Sort } from "../backend";
import { type ColumnPrefs, NO_PREFS } from "../logic/columns";
import { type Content, GridController, type Handlers } from "./controller";

const COLUMNS: ColumnView[] = ["_id", "price", "note"].map((path) => ({
  path,
  types: ["string"],
  numeric: false,
}));

const content = (identity: string, length = 1000): Content => ({
  query: "all",
  identity,
  stamp: "1",
  columns: COLUMNS,
  length,
  generation: 1,
  read: (offset, limit) =>
    Promise.resolve({
      rows: Array.from({ length: limit }, (_, at) => [`id${offset + at}`, "1", null]),
      generation: 1,
    }),
});

let host: HTMLElement;
let grid: GridController;
let prefs: ColumnPrefs = NO_PREFS;
let sort: Sort | null = null;
const said = vi.fn();

function show(identity = "one", length = 1000): void {
  grid.show(content(identity, length), prefs, sort);
}

function press(key: string, held: KeyboardEventInit = {}): void {
  const codes: Record<string, number> = { ArrowDown: 40, ArrowRight: 39, ArrowLeft: 37, ArrowUp: 38 };
  const keyCode = codes[key] ?? 0;
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...held });
  // The grid still reads the old name of a key.
  Object.defineProperty(event, "which", { value: keyCode });
  document.activeElement?.dispatchEvent(event);
}

const stops = () =>
  [host, ...host.querySelectorAll<HTMLElement>("[tabindex]")].filter((at) => at.tabIndex === 0);
const place = () => [
  document.activeElement?.closest("[role=row]")?.getAttribute("aria-rowindex"),
  document.activeElement?.getAttribute("aria-colindex"),
];

beforeEach(() => {
  prefs = NO_PREFS;
  sort = null;
  host = document.createElement("div");
  // jsdom lays nothing out; the grid takes its size from here.
  Object.assign(host.style, { width: "600px", height: "240px", position: "relative" });
  Object.defineProperty(host, "clientWidth", { value: 600 });
  document.body.append(host);
  // Rows stand where the grid has put them: it reads their places back.
  vi.spyOn(HTMLElement.prototype, "getBoundingClientRect").mockImplementation(function (this: HTMLElement) {
    const top = parseFloat(this.closest<HTMLElement>(".slick-row")?.style.top ?? "0");
    return DOMRect.fromRect({ x: 0, y: top, width: 100, height: 24 });
  });
  const handlers: Handlers = {
    sort: (wanted) => {
      sort = wanted;
      show(`sorted ${wanted?.path} ${wanted?.descending}`);
    },
    prefs: (wanted) => {
      prefs = wanted;
      show();
    },
    open: vi.fn(),
    active: vi.fn(),
    copy: vi.fn(),
    said,
    outdated: vi.fn(),
    reading: vi.fn(),
    copyFailed: vi.fn(),
  };
  grid = new GridController(host, handlers, NO_PREFS);
  show();
});

afterEach(() => {
  grid.destroy();
  host.remove();
});

describe("what a screen reader is told", () => {
  it("counts the heading as a row, and the columns that are shown", () => {
    expect(host).toHaveAttribute("role", "grid");
    expect(host).toHaveAttribute("aria-rowcount", "1001");
    prefs = { ...NO_PREFS, hidden: ["note"] };
    show();
    expect(host).toHaveAttribute("aria-colcount", "2");
    const headings = [...host.querySelectorAll("[role=columnheader]")];
    expect(headings.map((at) => at.getAttribute("aria-colindex"))).toEqual(["1", "2"]);
  });

  it("says where each row and cell stands", () => {
    const rows = [...host.querySelectorAll(".slick-row")];
    expect(rows.length).toBeGreaterThan(0);
    expect(rows[0]).toHaveAttribute("aria-rowindex", "2");
    expect(rows[0]?.querySelectorAll("[role=gridcell]")[1]).toHaveAttribute("aria-colindex", "2");
  });

  it("says which column orders the rows", () => {
    const order = () =>
      [...host.querySelectorAll("[role=columnheader]")].map((at) => at.getAttribute("aria-sort"));
    expect(order()).toEqual(["none", "none", "none"]);
    sort = { path: "price", descending: true };
    show("two");
    expect(order()).toEqual(["none", "descending", "none"]);
    sort = { path: "price", descending: false };
    show("three");
    expect(order()).toEqual(["none", "ascending", "none"]);
  });

  it("leaves nothing nameless between the grid and its rows", () => {
    const focusable = [...host.querySelectorAll("[tabindex]")];
    expect(focusable.every((at) => at.classList.contains("slick-cell"))).toBe(true);
    expect(host.querySelector("[role=separator]")).toBeNull();
  });
});

describe("the headings", () => {
  /** Rows that all have this note. */
  const noted = (query: string, identity: string, note: string): Content => ({
    ...content(identity),
    query,
    read: (offset, limit) =>
      Promise.resolve({
        rows: Array.from({ length: limit }, (_, at) => [`id${offset + at}`, "1", note]),
        generation: 1,
      }),
  });
  const shown = async (query: string, identity: string, note: string) => {
    grid.show(noted(query, identity, note), prefs, sort);
    await vi.waitFor(() => expect(host.querySelector(".slick-row .l2")?.textContent).toBe(note));
    return host.querySelectorAll<HTMLElement>("[role=columnheader]")[2];
  };

  // They would move away under the pointer, and a second click on one would go astray.
  it("stay as they are when the same rows come in another order", async () => {
    const heading = await shown("one", "one stored", "short");
    const width = heading?.style.width;
    const long = "a note that is a good deal longer than the others are";
    expect(await shown("one", "one sorted", long)).toBe(heading);
    expect(heading?.style.width).toBe(width);
    expect((await shown("two", "two", long))?.style.width).not.toBe(width);
  });
});

describe("the keyboard", () => {
  it("comes in at one stop, and the active cell has the focus", () => {
    expect(stops()).toHaveLength(1);
    stops()[0]?.focus();
    expect(place()).toEqual(["2", "1"]);
    press("ArrowDown");
    press("ArrowRight");
    expect(place()).toEqual(["3", "2"]);
    expect(stops()).toEqual([document.activeElement]);
  });

  it("stays in its cell when the rows are read again", () => {
    stops()[0]?.focus();
    press("ArrowDown");
    grid.show({ ...content("one"), stamp: "2" }, prefs, sort);
    expect(place()).toEqual(["3", "1"]);
  });

  it("stays in its column when the rows are sorted by it", () => {
    stops()[0]?.focus();
    press("ArrowDown");
    press("ArrowRight");
    press("ArrowDown", { altKey: true });
    expect(sort).toEqual({ path: "price", descending: true });
    expect(said).toHaveBeenLastCalledWith("Sorted by price, descending");
    expect(place()).toEqual(["2", "2"]);
  });

  it("moves and widens the column of the cell, and says so", () => {
    stops()[0]?.focus();
    press("ArrowRight", { altKey: true, shiftKey: true });
    expect(prefs.order).toEqual(["price", "_id", "note"]);
    expect(said).toHaveBeenLastCalledWith("_id is column 2 of 3");
    expect(place()).toEqual(["2", "2"]);
    press("ArrowRight", { altKey: true });
    expect(said).toHaveBeenLastCalledWith(`_id is ${prefs.widths["_id"]} pixels wide`);
  });

  it("selects nothing beside the cell whose column moves", () => {
    const selected = () => [...host.querySelectorAll(".slick-cell.selected")].map((at) => at.textContent);
    stops()[0]?.focus();
    press("ArrowRight", { altKey: true, shiftKey: true });
    expect(selected()).toHaveLength(1);
    press("ArrowLeft", { altKey: true, shiftKey: true });
    expect(prefs.order).toEqual(["_id", "price", "note"]);
    expect(selected()).toHaveLength(1);
  });

  it("comes back from the grid as a whole, where a click on a heading leaves it", () => {
    vi.spyOn(host, "matches").mockReturnValue(true);
    host.focus();
    expect(document.activeElement).toBe(host);
    press("ArrowDown");
    expect(place()).toEqual(["2", "1"]);
  });

  it("reaches a grid without rows", () => {
    show("empty", 0);
    expect(stops()).toEqual([host]);
  });
});
