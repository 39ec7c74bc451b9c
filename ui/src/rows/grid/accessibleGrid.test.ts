import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { NO_PREFS } from "./columns";
import type { Content } from "./contract";
import { GridStage, makeContent } from "./gridStage";
import { cellsAt } from "./pageCache";

let stage: GridStage;
let host: HTMLElement;

const stops = () =>
  [host, ...host.querySelectorAll<HTMLElement>("[tabindex]")].filter((at) => at.tabIndex === 0);
const place = () => [
  document.activeElement?.closest("[role=row]")?.getAttribute("aria-rowindex"),
  document.activeElement?.getAttribute("aria-colindex"),
];

beforeEach(() => {
  stage = new GridStage();
  host = stage.host;
});

afterEach(() => stage.end());

describe("for a screen reader, the grid", () => {
  it("counts the heading as a row, and the columns that are shown", () => {
    expect(host).toHaveAttribute("role", "grid");
    expect(host).toHaveAttribute("aria-rowcount", "1001");
    stage.prefs = { ...NO_PREFS, hidden: ["note"] };
    stage.show();
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
    stage.sorts = [{ path: "price", descending: true }];
    stage.show("two");
    expect(order()).toEqual(["none", "descending", "none"]);
    stage.sorts = [{ path: "price", descending: false }];
    stage.show("three");
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
    ...makeContent(identity),
    query,
    read: (offset, limit, places) =>
      Promise.resolve({
        rows: Array.from({ length: limit }, (_, at) => cellsAt([`id${offset + at}`, "1", note], places)),
        generation: 1,
      }),
  });
  const shown = async (query: string, identity: string, note: string) => {
    stage.grid.show(noted(query, identity, note), stage.prefs, stage.sorts);
    await vi.waitFor(() => expect(host.querySelector(".slick-row .l2")?.textContent).toBe(note));
    return host.querySelectorAll<HTMLElement>("[role=columnheader]")[2];
  };

  // They would move away under the pointer, and a second click would miss.
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
    stage.press("ArrowDown");
    stage.press("ArrowRight");
    expect(place()).toEqual(["3", "2"]);
    expect(stops()).toEqual([document.activeElement]);
  });

  it("stays in its cell when the rows are read again", () => {
    stops()[0]?.focus();
    stage.press("ArrowDown");
    stage.grid.show({ ...makeContent("one"), stamp: "2" }, stage.prefs, stage.sorts);
    expect(place()).toEqual(["3", "1"]);
  });

  it("stays in its column when the rows are sorted by it", () => {
    stops()[0]?.focus();
    stage.press("ArrowDown");
    stage.press("ArrowRight");
    stage.press("ArrowDown", { altKey: true });
    expect(stage.sorts).toEqual([{ path: "price", descending: true }]);
    expect(stage.announced).toHaveBeenLastCalledWith("Sorted by price, Z to A");
    expect(place()).toEqual(["2", "2"]);
  });

  it("moves and widens the column of the cell, and says so", () => {
    stops()[0]?.focus();
    stage.press("ArrowRight", { altKey: true, shiftKey: true });
    expect(stage.prefs.order).toEqual(["price", "_id", "note"]);
    expect(stage.announced).toHaveBeenLastCalledWith("_id is column 2 of 3");
    expect(place()).toEqual(["2", "2"]);
    stage.press("ArrowRight", { altKey: true });
    expect(stage.announced).toHaveBeenLastCalledWith(`_id is ${stage.prefs.widths["_id"]} pixels wide`);
  });

  it("selects nothing beside the cell whose column moves", () => {
    const selected = () => [...host.querySelectorAll(".slick-cell.selected")].map((at) => at.textContent);
    stops()[0]?.focus();
    stage.press("ArrowRight", { altKey: true, shiftKey: true });
    expect(selected()).toHaveLength(1);
    stage.press("ArrowLeft", { altKey: true, shiftKey: true });
    expect(stage.prefs.order).toEqual(["_id", "price", "note"]);
    expect(selected()).toHaveLength(1);
  });

  it("comes back from the grid as a whole, where a click on a heading leaves it", () => {
    vi.spyOn(host, "matches").mockReturnValue(true);
    host.focus();
    expect(document.activeElement).toBe(host);
    stage.press("ArrowDown");
    expect(place()).toEqual(["2", "1"]);
  });

  it("reaches a grid without rows", () => {
    stage.show("empty", 0);
    expect(stops()).toEqual([host]);
  });
});
