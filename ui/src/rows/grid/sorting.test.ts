import { describe, expect, it } from "vitest";

import type { Sort } from "../../backend";
import { clickSort, rankOf, sortBy, withoutSort } from "./sorting";

const up = (path: string): Sort => ({ path, descending: false });
const down = (path: string): Sort => ({ path, descending: true });

describe("a click on a heading", () => {
  it("sorts by that column alone: ascending, descending, off", () => {
    const first = clickSort([], "a", false);
    expect(first).toEqual([up("a")]);
    const second = clickSort(first, "a", false);
    expect(second).toEqual([down("a")]);
    expect(clickSort(second, "a", false)).toEqual([]);
    expect(clickSort(second, "b", false)).toEqual([up("b")]);
  });

  it("leaves one of several columns", () => {
    expect(clickSort([down("a"), up("b")], "b", false)).toEqual([up("b")]);
    expect(clickSort([down("a"), up("b")], "a", false)).toEqual([up("a")]);
  });

  it("with Shift adds a further column, turns it round in its place, and removes it", () => {
    const two = clickSort([down("a")], "b", true);
    expect(two).toEqual([down("a"), up("b")]);
    const three = clickSort(two, "c", true);
    expect(three).toEqual([down("a"), up("b"), up("c")]);
    const turned = clickSort(three, "b", true);
    expect(turned).toEqual([down("a"), down("b"), up("c")]);
    expect(clickSort(turned, "b", true)).toEqual([down("a"), up("c")]);
    expect(clickSort([], "a", true)).toEqual([up("a")]);
  });
});

it("sorts by a column alone or after the others", () => {
  expect(sortBy([up("a")], down("b"), false)).toEqual([down("b")]);
  expect(sortBy([up("a")], down("b"), true)).toEqual([up("a"), down("b")]);
  expect(sortBy([up("a"), up("b")], down("a"), true)).toEqual([down("a"), up("b")]);
  expect(withoutSort([up("a"), up("b")], "a")).toEqual([up("b")]);
});

it("ranks columns only if there are several", () => {
  expect(rankOf([up("a")], "a")).toBeNull();
  expect(rankOf([up("a"), up("b")], "b")).toBe(2);
  expect(rankOf([up("a"), up("b")], "c")).toBeNull();
});
