import { expect, it } from "vitest";

import { validZoom, zoomed, zoomKey } from "./dataZoom";

it("reads the keys of every keyboard", () => {
  expect(["+", "=", "-", "_", "0", "a"].map(zoomKey)).toEqual([
    "larger",
    "larger",
    "smaller",
    "smaller",
    "usual",
    null,
  ]);
});

it("goes by steps, stops at the ends and comes back", () => {
  expect(zoomed(1, "larger")).toBe(1.15);
  expect(zoomed(1, "smaller")).toBe(0.85);
  expect(zoomed(2.5, "larger")).toBe(2.5);
  expect(zoomed(0.85, "smaller")).toBe(0.85);
  expect(zoomed(2, "usual")).toBe(1);
});

it("takes nothing strange from the store", () => {
  expect(validZoom(1.5)).toBe(1.5);
  expect(validZoom(90)).toBe(1);
  expect(validZoom("2")).toBe(1);
});
