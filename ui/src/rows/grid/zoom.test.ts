import { afterEach, beforeEach, expect, it } from "vitest";

import { GridStage } from "./gridStage";

let stage: GridStage;

beforeEach(() => {
  stage = new GridStage();
});

afterEach(() => stage.end());

const top = (row: number) =>
  stage.host.querySelector<HTMLElement>(`.slick-row[aria-rowindex="${row + 2}"]`)?.style.top;

it("sets rows and columns apart as far as the letters are high", () => {
  const width = () => stage.host.querySelector<HTMLElement>("[data-path=_id]")?.style.width;
  expect(top(1)).toBe("21px");
  const before = parseFloat(width() ?? "");
  stage.grid.setEm(22);
  expect(top(1)).toBe("42px");
  expect(parseFloat(width() ?? "")).toBeGreaterThan(before * 1.8);
  stage.grid.setEm(11);
  expect(top(1)).toBe("21px");
});

it("keeps the keyboard and the place", () => {
  stage.click(2, 1);
  stage.grid.setEm(22);
  expect(document.activeElement).toBe(stage.cell(2, 1));
  stage.press("ArrowDown");
  expect(document.activeElement).toBe(stage.cell(3, 1));
});

it("remembers widths for the usual size", () => {
  stage.grid.setEm(22);
  stage.click(0, 0);
  stage.grid.perform("fit", { row: null, path: "price" });
  const usual = stage.prefs.widths["price"];
  stage.grid.setEm(11);
  stage.grid.perform("fit", { row: null, path: "price" });
  expect(stage.prefs.widths["price"]).toBe(usual);
});
