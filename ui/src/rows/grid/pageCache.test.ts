import { describe, expect, it } from "vitest";

import { PAGE_ROWS, PageCache } from "./pageCache";

const page = (number: number) =>
  Array.from({ length: PAGE_ROWS }, (_, index) => [number * PAGE_ROWS + index]);

describe("the page cache", () => {
  it("finds a row by its position", () => {
    const cache = new PageCache<number>();
    cache.put(2, page(2), [0]);
    expect(cache.row(2 * PAGE_ROWS + 7)).toEqual([2 * PAGE_ROWS + 7]);
    expect(cache.row(0)).toBeUndefined();
  });

  it("drops the page that was not used for longest", () => {
    const cache = new PageCache<number>(2);
    cache.put(0, page(0), [0]);
    cache.put(1, page(1), [0]);
    cache.row(0);
    cache.put(2, page(2), [0]);
    expect([0, 1, 2].map((at) => cache.missing(at, [0]))).toEqual([[], [0], []]);
    expect(cache.size).toBe(2);
  });

  it("has no row past the end of a short page", () => {
    const cache = new PageCache<number>();
    cache.put(0, [[1], [2]], [0]);
    expect(cache.row(1)).toEqual([2]);
    expect(cache.row(2)).toBeUndefined();
  });

  it("adds further columns to the rows of a page", () => {
    const cache = new PageCache<string>();
    expect(cache.missing(0, [3, 1])).toEqual([3, 1]);
    cache.put(
      0,
      [
        ["d1", "b1"],
        ["d2", "b2"],
      ],
      [3, 1],
    );
    expect(cache.row(1)).toEqual([undefined, "b2", undefined, "d2"]);
    expect(cache.missing(0, [0, 1, 3])).toEqual([0]);
    cache.put(0, [["a1"], ["a2"]], [0]);
    expect(cache.row(0)).toEqual(["a1", "b1", undefined, "d1"]);
    expect(cache.missing(0, [0, 1, 3])).toEqual([]);
  });
});
