import { expect, it } from "vitest";

import { barAt, between, clicked, moved, moveOf, toggled } from "./barKeys";
import { LEAST, type Layer, stacked, totals } from "./layers";
import { MAX_VALUES, valueLook } from "./look";

const layer = (...rows: number[]): Layer => ({ look: valueLook(0), rows });

it("finds the bar at a place, and the nearest beyond the ends", () => {
  expect([0, 99.9, 100, 299].map((x) => barAt(x, 300, 3))).toEqual([0, 0, 1, 2]);
  expect([-20, 300, 900].map((x) => barAt(x, 300, 3))).toEqual([0, 2, 2]);
  expect([barAt(5, 0, 3), barAt(5, 300, 0)]).toEqual([null, null]);
});

it("gives every place to exactly one bar", () => {
  const width = 401;
  const hits = Array.from({ length: width }, (_, x) => barAt(x, width, 97));
  expect(new Set(hits).size).toBe(97);
  expect(hits).toEqual([...hits].sort((a, b) => (a ?? 0) - (b ?? 0)));
});

it("selects from one bar to another, adds and takes away", () => {
  expect([between(2, 4), between(4, 2), between(3, 3)]).toEqual([[2, 3, 4], [2, 3, 4], [3]]);
  expect(toggled([1, 5], 3)).toEqual([1, 3, 5]);
  expect(toggled([1, 3, 5], 3)).toEqual([1, 5]);
  expect(clicked([1, 2], 2, false)).toEqual([2]);
  expect(clicked([2], 2, false)).toEqual([]);
  expect(clicked([2], 4, true)).toEqual([2, 4]);
});

it("moves by one bar, by a leap, and to the ends, with or without selecting", () => {
  expect(moveOf("next_day", 7, 30)).toEqual({ by: 1, kind: "select" });
  expect(moveOf("leap_back", 7, 30)).toEqual({ by: -7, kind: "select" });
  expect(moveOf("look_last", 7, 30)).toEqual({ by: 30, kind: "look" });
  expect(moveOf("extend_on", 7, 30)).toEqual({ by: 1, kind: "extend" });
  expect(moveOf("only_day", 7, 30)).toBeNull();
  expect([moved(3, -7, 30), moved(29, 1, 30), moved(3, 1, 30)]).toEqual([0, 29, 4]);
});

it("puts layers on each other, with the highest bar over the whole height", () => {
  const [low, high] = stacked([layer(10, 0, 40), layer(30, 20, 40)], 3);
  expect(low).toMatchObject({ from: [0, 0, 0], to: [0.125, 0, 0.5] });
  expect(high?.from).toEqual(low?.to);
  expect(high?.to).toEqual([0.5, 0.25, 1]);
  expect(totals([layer(10, 0, 40), layer(30, 20, 40)], 3)).toEqual([40, 20, 80]);
});

it("shows a few rows beside very many, in their proportions, and nothing where there are none", () => {
  const [low, high] = stacked([layer(1, 0, 1e9), layer(3, 0, 0)], 3);
  expect(high?.to[0]).toBeCloseTo(LEAST);
  expect(low?.to[0]).toBeCloseTo(LEAST / 4);
  expect([low?.to[1], high?.to[1]]).toEqual([0, 0]);
});

it("gives neighbours in a stack different colours and different patterns", () => {
  const looks = Array.from({ length: MAX_VALUES }, (_, at) => valueLook(at));
  expect(new Set(looks.map(({ colour }) => colour)).size).toBe(MAX_VALUES);
  looks.slice(1).forEach((look, at) => expect(look.pattern).not.toBe(looks[at]?.pattern));
});
