import { expect, it } from "vitest";

import { validZoom, zoomed } from "./dataZoom";

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
