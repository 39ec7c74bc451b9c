import { expect, it, vi } from "vitest";

import type { ViewShape } from "../backend";
import { makeFake } from "../test/fakeBackend";
import { rowQuery } from "./filters";
import { placeOf, type Sought } from "./soughtRow";

const KEY = { signature: "5".repeat(32), from: "2025-01-01", to: "2025-01-31" };
const SOUGHT: Sought = {
  signature: KEY.signature,
  role: "input",
  id: "12",
  trade: "T12",
  day: null,
};

/** A backend with these rows, which finds a text in any part of any cell. */
function makeRows(rows: string[][]) {
  const fake = makeFake();
  vi.mocked(fake.backend.findRow).mockImplementation((_key, _rows, text, from) => {
    const at = rows.findIndex((row, place) => place >= from && row.some((cell) => cell.includes(text)));
    return Promise.resolve({ generation: 1, position: at < 0 ? null : at, number: 1, total: 1 });
  });
  vi.mocked(fake.backend.page).mockImplementation((_key, _rows, { offset, limit }) =>
    Promise.resolve({ generation: 1, offset, rows: rows.slice(offset, offset + limit) }),
  );
  return fake;
}

function find(
  rows: string[][],
  paths: string[],
  signal = new AbortController().signal,
  part: Partial<Sought> = {},
) {
  const columns = paths.map((path) => ({ path, label: null, types: ["string"], numeric: false }));
  const shape: ViewShape = {
    columns,
    rows: rows.length,
    generation: 1,
    reading_order: [],
    time_column: null,
    trade_column: "trade",
    status_column: null,
  };
  const { backend } = makeRows(rows);
  return placeOf(
    backend,
    { viewKey: KEY, rows: rowQuery("input", [], []), shape },
    { ...SOUGHT, ...part },
    signal,
  );
}

it("finds the row whose id is the one, not one that only contains it", async () => {
  const rows = [
    ["112", "T1"],
    ["3", "T12"],
    ["12", "T2"],
  ];
  expect(await find(rows, ["_id", "trade"])).toBe(2);
});

it("searches for the longer of the two ids, since short ones are part of many cells", async () => {
  const rows = Array.from({ length: 5000 }, (_, at) => [String(at), `Trade-${at}`]);
  expect(await find(rows, ["_id", "trade"], undefined, { id: "4321", trade: "Trade-4321" })).toBe(4321);
  // A message that another trade has, too, may not name this one first.
  expect(await find(rows, ["_id", "trade"], undefined, { id: "1", trade: "Trade-4321" })).toBe(1);
});

it("goes by the trade where ids have no cell of their own", async () => {
  const rows = [
    ["a", "T112"],
    ["b", "T12"],
  ];
  expect(await find(rows, ["_id.x", "trade"])).toBe(1);
});

it("finds nothing among other rows, and ends if they are too many", async () => {
  expect(await find([["1", "T1"]], ["_id", "trade"])).toBeNull();
  const similar = Array.from({ length: 5000 }, (_, at) => [`12-${at}`, "T"]);
  expect(await find(similar, ["_id", "trade"])).toBeNull();
});

it("stops when nobody waits any more", async () => {
  await expect(find([["12", "T"]], ["_id", "trade"], AbortSignal.abort())).rejects.toThrow();
});
