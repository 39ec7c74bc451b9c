import { SlickGrid } from "slickgrid";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { FilterCell } from "./contract";
import { GridStage } from "./gridStage";

let stage: GridStage;

beforeEach(() => {
  stage = new GridStage();
});

afterEach(() => {
  stage.end();
  vi.useRealTimers();
});

const cell = (part: Partial<FilterCell>): FilterCell => ({ text: "", note: "", mistake: null, ...part });
const show = (cells: Record<string, FilterCell> = {}) => stage.grid.showFilters({ shown: true, cells });
const fields = () => [...stage.host.querySelectorAll<HTMLInputElement>(".filter-field")];
const field = (path: string) => {
  const found = fields().find((one) => one.dataset.path === path);
  if (found === undefined) throw new Error(`There is no field for ${path}.`);
  return found;
};
const row = () => stage.host.querySelector<HTMLElement>(".slick-headerrow");

function type(path: string, text: string): void {
  field(path).focus();
  field(path).value = text;
  field(path).dispatchEvent(new InputEvent("input", { bubbles: true }));
}

describe("the fields under the headings", () => {
  it("are there only when they are shown, one per column", () => {
    expect(fields()).toEqual([]);
    expect(row()).not.toBeVisible();
    show({ price: cell({ text: ">5" }) });
    expect(row()).toBeVisible();
    expect(fields().map((one) => one.getAttribute("aria-label"))).toEqual([
      "Filter _id",
      "Filter price",
      "Filter note",
    ]);
    expect(fields().map((one) => one.value)).toEqual(["", ">5", ""]);
    stage.grid.showFilters({ shown: false, cells: {} });
    expect(row()).not.toBeVisible();
  });

  it("apply at once on Enter and on leaving, and after a pause otherwise", () => {
    vi.useFakeTimers();
    show();
    type("price", ">5");
    stage.press("Enter");
    expect(stage.filter).toHaveBeenCalledExactlyOnceWith("price", ">5");
    type("note", "a");
    vi.advanceTimersByTime(300);
    type("note", "ab");
    vi.advanceTimersByTime(300);
    expect(stage.filter).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(300);
    expect(stage.filter).toHaveBeenLastCalledWith("note", "ab");
    type("_id", "x");
    field("price").focus();
    expect(stage.filter).toHaveBeenLastCalledWith("_id", "x");
    vi.advanceTimersByTime(5000);
    expect(stage.filter).toHaveBeenCalledTimes(3);
  });

  it("say what can be typed, or what is wrong with it", () => {
    show({ price: cell({ text: ">x", mistake: "x is no number" }) });
    expect(field("note").title).toContain(">=5, 5..10");
    expect(field("price").title).toBe("x is no number");
  });

  it("come into sight whole when they get the focus", () => {
    const scrolled = vi.spyOn(SlickGrid.prototype, "scrollColumnIntoView");
    show();
    field("note").focus();
    expect(scrolled).toHaveBeenLastCalledWith(2);
  });

  it("are cleared by Escape, which goes no further than that", () => {
    show({ price: cell({ note: "3 values" }) });
    const further = vi.fn();
    document.body.addEventListener("keydown", further);
    type("note", "ab");
    stage.press("Escape");
    expect(field("note")).toHaveValue("");
    expect(stage.filter).toHaveBeenLastCalledWith("note", "");
    field("price").focus();
    stage.press("Escape");
    expect(stage.filter).toHaveBeenLastCalledWith("price", "");
    expect(further).not.toHaveBeenCalled();
    // A blank field leaves the key to the window.
    stage.press("Escape", {});
    field("note").focus();
    stage.press("Escape");
    expect(further).toHaveBeenCalled();
    document.body.removeEventListener("keydown", further);
  });

  it("lead down to the rows of their column, and Tab leads to the next field", () => {
    show();
    field("price").focus();
    stage.press("ArrowDown");
    expect(document.activeElement).toBe(stage.cell(0, 1));
    field("_id").focus();
    const tab = new KeyboardEvent("keydown", { key: "Tab", bubbles: true, cancelable: true });
    field("_id").dispatchEvent(tab);
    expect(tab.defaultPrevented).toBe(false);
  });

  it("show at the field that a text cannot be used, and why", () => {
    show({ price: cell({ text: "=", mistake: "Something has to follow =." }) });
    expect(field("price")).toHaveAttribute("aria-invalid", "true");
    expect(field("price")).toHaveAttribute("title", "Something has to follow =.");
    expect(field("price")).toHaveValue("=");
    expect(field("note")).not.toHaveAttribute("aria-invalid");
    show({ price: cell({ text: "=5" }) });
    expect(field("price")).not.toHaveAttribute("aria-invalid");
    expect(field("price")).toHaveValue("=5");
  });

  it("keep the focus and what is being typed while other rows arrive and columns change", () => {
    show();
    stage.click(3, 1);
    type("note", "unfinished");
    field("note").setSelectionRange(2, 4);
    stage.show("narrowed", 10);
    expect(document.activeElement).toBe(field("note"));
    stage.prefs = { ...stage.prefs, widths: { price: 99 } };
    stage.show("narrowed", 10);
    expect(document.activeElement).toBe(field("note"));
    expect(field("note")).toHaveValue("unfinished");
    expect([field("note").selectionStart, field("note").selectionEnd]).toEqual([2, 4]);
    expect(stage.filter).not.toHaveBeenCalled();
  });

  it("are reached by the column, and give the focus to the rows when they are hidden", () => {
    show();
    stage.grid.focusFilter("price");
    expect(document.activeElement).toBe(field("price"));
    stage.grid.focusFilter(null);
    expect(document.activeElement).toBe(field("_id"));
    stage.grid.showFilters({ shown: false, cells: {} });
    expect(stage.host.contains(document.activeElement)).toBe(true);
    expect(fields()).not.toContain(document.activeElement);
  });

  it("leave the menu of a field to the system", () => {
    show();
    const event = new MouseEvent("contextmenu", { bubbles: true, cancelable: true });
    field("price").dispatchEvent(event);
    expect(event.defaultPrevented).toBe(false);
    expect(stage.menu).not.toHaveBeenCalled();
  });
});
