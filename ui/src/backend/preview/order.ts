// The order of the preview's rows: by several columns, what is missing last, as the engine sorts them.

import type { RowQuery } from "../types";
import { columnsOf, makeRow } from "./rows";

type Cell = string | null;

/** More rows than this take too long to make: they are only turned round if the greatest value is to come first. */
const MAX_SORTED = 200_000;

function compare(a: Cell, b: Cell, numeric: boolean, descending: boolean): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  const way = descending ? -1 : 1;
  if (numeric) return way * (Number(a) - Number(b));
  return a === b ? 0 : a < b ? -way : way;
}

/** The positions, in order, of rows that `makeRow` makes. */
function sorted({ role, sorts }: RowQuery, total: number, from: string, days: number): Int32Array {
  const columns = columnsOf(role);
  const keys = sorts.map(({ path, descending }) => {
    const index = columns.findIndex((column) => column.path === path);
    return { index, numeric: columns[index]?.numeric === true, descending, cells: [] as Cell[] };
  });
  for (let position = 0; position < total; position += 1) {
    const row = makeRow(role, position, from, days);
    for (const key of keys) key.cells.push(row[key.index] ?? null);
  }
  return Int32Array.from({ length: total }, (_, position) => position).sort((a, b) => {
    for (const { cells, numeric, descending } of keys) {
      const order = compare(cells[a] ?? null, cells[b] ?? null, numeric, descending);
      if (order !== 0) return order;
    }
    return a - b;
  });
}

/** Finds the position of a row in the order asked for. The last order is remembered, since pages follow each other. */
export function rowOrder(): (
  rows: RowQuery,
  total: number,
  from: string,
  days: number,
  at: number,
) => number {
  let last: { key: string; positions: Int32Array } | null = null;
  return (rows, total, from, days, at) => {
    const [first] = rows.sorts;
    if (first === undefined) return at;
    if (total > MAX_SORTED) return first.descending ? total - 1 - at : at;
    const key = JSON.stringify([rows, total, from, days]);
    if (last?.key !== key) last = { key, positions: sorted(rows, total, from, days) };
    return last.positions[at] ?? at;
  };
}
