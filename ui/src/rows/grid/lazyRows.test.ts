import { expect, it, vi } from "vitest";

import { LazyRows, type ReadRows, RowsChanged } from "./lazyRows";
import { PAGE_ROWS } from "./pageCache";

/** The cell of a place: the position of its row, with a letter from the second column on. */
const cell = (position: number, place: number) => String(position) + ["", "b", "c"][place];
const rowsFrom = (offset: number, limit: number, places: readonly number[]) =>
  Array.from({ length: limit }, (_, index) => places.map((place) => cell(offset + index, place)));

function setUp(length: number) {
  const arrived = vi.fn();
  const failed = vi.fn();
  const outdated = vi.fn();
  const read = vi.fn((offset: number, limit: number, places: readonly number[]): Promise<ReadRows> =>
    Promise.resolve({ rows: rowsFrom(offset, Math.min(limit, length - offset), places), generation: 1 }),
  );
  const rows = new LazyRows({ arrived, outdated, failed });
  rows.reset(length, 1, read);
  return { rows, read, arrived, outdated, failed };
}

const settle = () => new Promise((done) => setTimeout(done, 0));

it("reads only the pages that are looked at", async () => {
  const { rows, read, arrived } = setUp(5_000_000);
  expect(rows.getLength()).toBe(5_000_000);
  expect(rows.getItem(0)).toBeUndefined();
  rows.look(4_999_990, 5_000_010, [0]);
  await settle();
  expect(read.mock.calls).toEqual([[5_000_000 - PAGE_ROWS, PAGE_ROWS, [0]]]);
  expect(rows.getItem(4_999_999)).toEqual(["4999999"]);
  expect(arrived).toHaveBeenCalledWith(5_000_000 - PAGE_ROWS, 4_999_999);
});

it("throws away a page of rows that are no longer shown", async () => {
  const { rows, arrived } = setUp(1000);
  rows.look(0, 10, [0]);
  rows.reset(1000, 1, () => new Promise(() => undefined));
  await settle();
  expect(arrived).not.toHaveBeenCalled();
  expect(rows.getItem(0)).toBeUndefined();
});

it("tells a failure and can read the page again", async () => {
  const { rows, read, failed } = setUp(1000);
  read.mockRejectedValueOnce(new Error("busy"));
  rows.look(0, 10, [0]);
  await settle();
  expect(failed).toHaveBeenCalledOnce();
  rows.look(0, 10, [0]);
  await settle();
  expect(rows.getItem(3)).toEqual(["3"]);
});

it("gives any range for copying, read or not", async () => {
  const { rows } = setUp(1000);
  rows.look(0, 10, [0]);
  await settle();
  const copied = await rows.range(PAGE_ROWS - 2, PAGE_ROWS + 1, [0]);
  expect(copied.map((row) => row[0])).toEqual([-2, -1, 0, 1].map((at) => String(PAGE_ROWS + at)));
});

it("keeps no page of another state than the columns, and asks for both again", async () => {
  const { rows, read, arrived, outdated } = setUp(1000);
  read.mockResolvedValueOnce({ rows: [["a cell of a new column"]], generation: 2 });
  rows.look(0, 10, [0]);
  await settle();
  expect(outdated).toHaveBeenCalledOnce();
  expect(arrived).not.toHaveBeenCalled();
  expect(rows.getItem(0)).toBeUndefined();
  rows.look(0, 10, [0]);
  await settle();
  expect(read).toHaveBeenCalledOnce();
  rows.reset(1000, 2, () => Promise.resolve({ rows: [["right"]], generation: 2 }));
  rows.look(0, 10, [0]);
  await settle();
  expect(rows.getItem(0)).toEqual(["right"]);
});

it("copies no rows of two states", async () => {
  const { rows, read, outdated } = setUp(1000);
  read.mockResolvedValueOnce({ rows: rowsFrom(0, 5, [0]), generation: 2 });
  await expect(rows.range(0, 4, [0])).rejects.toThrow(RowsChanged);
  expect(outdated).toHaveBeenCalledOnce();
});

it("reads further columns of the rows on the screen when they come into sight", async () => {
  const { rows, read } = setUp(10);
  rows.look(0, 9, [1]);
  await settle();
  expect(rows.getItem(3)).toEqual([undefined, "3b"]);
  rows.look(0, 9, [1, 2]);
  await settle();
  expect(rows.getItem(3)).toEqual([undefined, "3b", "3c"]);
  rows.look(0, 9, [2, 1]);
  await settle();
  expect(read.mock.calls.map(([, , places]) => places)).toEqual([[1], [2]]);
});

it("reads the column that colours the rows, in sight or not", async () => {
  const { rows, read } = setUp(10);
  rows.colouredBy = 2;
  rows.look(0, 9, [0]);
  await settle();
  expect(read.mock.lastCall?.[2]).toEqual([0, 2]);
});

it("copies no cell that it has not read", async () => {
  const { rows, read } = setUp(10);
  rows.look(0, 9, [0]);
  await settle();
  expect(await rows.range(2, 3, [2, 0])).toEqual([
    ["2", undefined, "2c"],
    ["3", undefined, "3c"],
  ]);
  expect(read).toHaveBeenLastCalledWith(2, 2, [2, 0]);
  // What is held is not read again.
  expect(await rows.range(2, 3, [0])).toEqual([["2"], ["3"]]);
  expect(read).toHaveBeenCalledTimes(2);
});
