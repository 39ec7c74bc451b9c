import { readFileSync } from "node:fs";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { COLUMNS, GridStage, makeContent } from "./gridStage";

let stage: GridStage;

beforeEach(() => {
  stage = new GridStage();
});

afterEach(() => stage.end());

const heading = (path: string) => stage.host.querySelector(`[data-path="${path}"]`);

function rightClick(at: Element | null): MouseEvent {
  const event = new MouseEvent("contextmenu", { bubbles: true, cancelable: true, clientX: 30, clientY: 40 });
  at?.dispatchEvent(event);
  return event;
}

describe("the menu of the grid", () => {
  it("opens at the pointer in place of the browser's, over the cell that it selects", () => {
    stage.click(1, 0);
    expect(rightClick(stage.cell(3, 1)).defaultPrevented).toBe(true);
    expect(stage.menu).toHaveBeenCalledExactlyOnceWith({ x: 30, y: 40, path: "price", row: 3 });
    expect(stage.selected).toHaveBeenLastCalledWith({ rows: 1, columns: 1 });
    expect(stage.cell(3, 1)).toHaveClass("selected");
  });

  it("leaves a selection as it is in which it is opened", () => {
    stage.click(1, 0);
    stage.click(4, 1, { shiftKey: true });
    rightClick(stage.cell(3, 1));
    expect(stage.selected).toHaveBeenLastCalledWith({ rows: 4, columns: 2 });
  });

  it("opens on a heading, and from the keyboard at the active cell", () => {
    expect(rightClick(heading("note")).defaultPrevented).toBe(true);
    expect(stage.menu).toHaveBeenLastCalledWith({ x: 30, y: 40, path: "note", row: null });
    stage.click(2, 1);
    for (const press of [() => stage.press("ContextMenu"), () => stage.press("F10", { shiftKey: true })]) {
      stage.menu.mockClear();
      press();
      expect(stage.menu).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ path: "price", row: 2 }));
    }
  });

  it("does what it offers", async () => {
    stage.click(2, 1);
    stage.grid.perform("select_row", { row: 2, path: "price" });
    expect(stage.selected).toHaveBeenLastCalledWith({ rows: 1, columns: 3 });
    stage.grid.perform("copy_with_heading", { row: 2, path: "price" });
    const copied = { rows: 1, columns: 3 };
    await vi.waitFor(() => expect(stage.copy).toHaveBeenCalledWith("_id\tprice\tnote\nid2\t1\t", copied));
    stage.grid.perform("sort_down", { row: null, path: "note" });
    expect(stage.sorts).toEqual([{ path: "note", descending: true }]);
    expect(stage.announced).toHaveBeenLastCalledWith("Sorted by note, Z to A");
  });
});

it("leaves it to the window to filter by a cell and to list values, and knows the cell", async () => {
  await vi.waitFor(() => expect(stage.cell(2, 0)).toHaveTextContent("id2"));
  stage.click(2, 0);
  stage.press("Enter", { altKey: true });
  expect(stage.ask).toHaveBeenLastCalledWith("values", { row: 2, path: "_id" });
  stage.grid.perform("filter_not", { row: 2, path: "note" });
  expect(stage.ask).toHaveBeenLastCalledWith("filter_not", { row: 2, path: "note" });
  expect(stage.open).not.toHaveBeenCalled();
  expect(stage.grid.valueAt({ row: 2, path: "_id" })).toBe("id2");
  expect(stage.grid.valueAt({ row: 2, path: "note" })).toBeNull();
  expect(stage.grid.valueAt({ row: 999, path: "_id" })).toBeUndefined();
});

describe("the width of a column", () => {
  const dragHandle = (path: string) => heading(path)?.querySelector(".slick-resizable-handle");
  const long = "a text that is a good deal longer than any column that fits itself to its rows would be wide";

  it("fits its rows after a double click on the line", async () => {
    const read = () =>
      Promise.resolve({ rows: Array.from({ length: 200 }, () => ["id", "1", long]), generation: 1 });
    stage.grid.show({ ...makeContent("long"), columns: COLUMNS, read }, stage.prefs, stage.sorts);
    await vi.waitFor(() => expect(stage.cell(0, 2)).toHaveTextContent(long));
    dragHandle("note")?.dispatchEvent(new MouseEvent("dblclick", { bubbles: true }));
    expect(stage.prefs.widths["note"]).toBeGreaterThan(long.length * 7);
    expect(stage.announced).toHaveBeenLastCalledWith(`note is ${stage.prefs.widths["note"]} pixels wide`);
  });

  // jsdom has no layout; the style sheet says where the handle is.
  it("is taken by a handle on both sides of the line", () => {
    const sheet = readFileSync(join(__dirname, "grid.css"), "utf8");
    const rules = [...sheet.matchAll(/([^{}]+)\{([^}]*)\}/g)].map(([, name = "", body = ""]) => ({
      name: name.replace(/\/\*.*?\*\//gs, "").trim(),
      body,
    }));
    const declared = (name: string, property: string) =>
      rules
        .filter((rule) => rule.name === name)
        .map(({ body }) => new RegExp(`(?:^|[\\s;])${property}: ([^;]+);`).exec(body)?.[1])
        .filter((value) => value !== undefined)
        .at(-1);
    expect(declared(".slick-header-column.ui-state-default", "overflow")).toBe("visible");
    // With a z-index of its own, each heading would cover the handle of the one before.
    expect(declared(".slick-header-column.ui-state-default", "z-index")).toBe("auto");
    const beyond = -parseInt(declared(".slick-resizable-handle", "right") ?? "0", 10);
    const width = parseInt(declared(".slick-resizable-handle", "width") ?? "0", 10);
    expect(beyond).toBeGreaterThanOrEqual(5);
    expect(width - beyond).toBeGreaterThanOrEqual(5);
  });
});

it("shows the columns in reading order, with their own cells", async () => {
  stage.grid.show({ ...makeContent("read"), reading_order: [1, 2, 0] }, stage.prefs, stage.sorts);
  const headings = [...stage.host.querySelectorAll<HTMLElement>("[role=columnheader]")];
  expect(headings.map((at) => at.dataset.path)).toEqual(["price", "note", "_id"]);
  await vi.waitFor(() => expect(stage.cell(3, 2)).toHaveTextContent("id3"));
  expect(stage.cell(3, 0)).toHaveTextContent("1");
});

it("goes to a row far below without taking the focus from where it is", async () => {
  stage.click(2, 1);
  const field = document.createElement("input");
  document.body.append(field);
  field.focus();
  stage.grid.goTo(900);
  await vi.waitFor(() => expect(stage.cell(900, 1)).toHaveClass("active"));
  expect(stage.grid.here()).toEqual({ row: 900, path: "price" });
  expect(document.activeElement).toBe(field);
  stage.grid.goTo(5000);
  expect(stage.grid.here()).toEqual({ row: 900, path: "price" });
  field.remove();
});
