// Sorting by several columns, by mouse and by keyboard, as the headings show it.

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { GridStage } from "./gridStage";

let stage: GridStage;

beforeEach(() => {
  stage = new GridStage();
});

afterEach(() => stage.end());

const heading = (path: string) => stage.host.querySelector<HTMLElement>(`[data-path="${path}"]`);
const click = (path: string, held: MouseEventInit = {}) =>
  heading(path)?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, ...held }));
const further = { shiftKey: true };
const up = (path: string) => ({ path, descending: false });
const down = (path: string) => ({ path, descending: true });

/** What each heading shows: its direction for the eye and for screen readers, and its rank. */
const shown = () =>
  ["_id", "price", "note"].map((path) => {
    const at = heading(path);
    const arrow = at?.querySelector(".slick-sort-indicator");
    const isUp = arrow?.classList.contains("slick-sort-indicator-asc");
    const isDown = arrow?.classList.contains("slick-sort-indicator-desc");
    const way = isUp ? "ascending" : isDown ? "descending" : "none";
    expect(at).toHaveAttribute("aria-sort", way);
    return `${way} ${at?.querySelector(".sort-rank")?.textContent ?? ""}`.trim();
  });

describe("a click on a heading", () => {
  it("sorts by that column alone, and the third removes it", () => {
    click("price");
    expect(stage.sorts).toEqual([up("price")]);
    expect(shown()).toEqual(["none", "ascending", "none"]);
    click("price");
    expect(stage.sorts).toEqual([down("price")]);
    expect(shown()).toEqual(["none", "descending", "none"]);
    click("price");
    expect(stage.sorts).toEqual([]);
    expect(shown()).toEqual(["none", "none", "none"]);
  });

  it("with Shift adds further columns, each with its direction and rank", () => {
    click("price");
    click("note", further);
    expect(stage.sorts).toEqual([up("price"), up("note")]);
    click("note", further);
    click("_id", further);
    expect(stage.sorts).toEqual([up("price"), down("note"), up("_id")]);
    expect(shown()).toEqual(["ascending sort 3", "ascending sort 1", "descending sort 2"]);
    click("note", further);
    expect(stage.sorts).toEqual([up("price"), up("_id")]);
    expect(shown()).toEqual(["ascending sort 2", "ascending sort 1", "none"]);
  });

  it("without Shift leaves one of several columns, which then needs no rank", () => {
    click("price");
    click("note", further);
    click("note");
    expect(stage.sorts).toEqual([up("note")]);
    expect(shown()).toEqual(["none", "none", "ascending"]);
  });
});

describe("a key", () => {
  it("sorts by a further column, changes it in its place, and says so", () => {
    stage.click(2, 1);
    stage.press("ArrowDown", { altKey: true });
    stage.press("ArrowRight");
    stage.press("ArrowUp", { altKey: true, shiftKey: true });
    expect(stage.sorts).toEqual([down("price"), up("note")]);
    expect(stage.announced).toHaveBeenLastCalledWith("Sorted by price, Z to A, then by note, A to Z");
    expect(shown()).toEqual(["none", "descending sort 1", "ascending sort 2"]);
    stage.press("ArrowLeft");
    stage.press("ArrowUp", { altKey: true, shiftKey: true });
    expect(stage.sorts).toEqual([up("price"), up("note")]);
    expect(stage.announced).toHaveBeenLastCalledWith("Sorted by price, A to Z, then by note, A to Z");
  });

  it("removes a column from the sort, or all of it", () => {
    stage.sorts = [down("price"), up("note"), up("_id")];
    stage.show("sorted");
    stage.click(2, 2);
    stage.press("Backspace", { altKey: true, shiftKey: true });
    expect(stage.sorts).toEqual([down("price"), up("_id")]);
    expect(stage.announced).toHaveBeenLastCalledWith("Sorted by price, Z to A, then by _id, A to Z");
    stage.press("Backspace", { altKey: true });
    expect(stage.sorts).toEqual([]);
    expect(stage.announced).toHaveBeenLastCalledWith("Not sorted");
  });
});

it("keeps the ranks when columns move", () => {
  stage.sorts = [down("price"), up("note")];
  stage.show("sorted");
  stage.click(2, 1);
  stage.press("ArrowLeft", { altKey: true, shiftKey: true });
  expect(stage.prefs.order).toEqual(["price", "_id", "note"]);
  expect(shown()).toEqual(["none", "descending sort 1", "ascending sort 2"]);
});
