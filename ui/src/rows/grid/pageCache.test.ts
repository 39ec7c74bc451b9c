import { describe, expect, it } from "vitest";

import { PAGE_ROWS, PageCache } from "./pageCache";

const page = (number: number) => Array.from({ length: PAGE_ROWS }, (_, index) => number * PAGE_ROWS + index);

describe("the page cache", () => {
  it("finds a row by its position", () => {
    const cache = new PageCache<number>();
    cache.put(2, page(2));
    expect(cache.row(2 * PAGE_ROWS + 7)).toBe(2 * PAGE_ROWS + 7);
    expect(cache.row(0)).toBeUndefined();
  });

  it("drops the page that was not used for longest", () => {
    const cache = new PageCache<number>(2);
    cache.put(0, page(0));
    cache.put(1, page(1));
    cache.row(0);
    cache.put(2, page(2));
    expect([cache.has(0), cache.has(1), cache.has(2)]).toEqual([true, false, true]);
    expect(cache.size).toBe(2);
  });

  it("has no row past the end of a short page", () => {
    const cache = new PageCache<number>();
    cache.put(0, [1, 2]);
    expect(cache.row(1)).toBe(2);
    expect(cache.row(2)).toBeUndefined();
  });
});
