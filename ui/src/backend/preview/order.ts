// The preview's rows of a row query: which, and in which order, by several columns, what is missing last, as the engine
// sorts them.

import type { RowQuery } from "../types";
import { rowTest } from "./matching";
import { type Calendar, columnsOf, makeRow, tradeOf } from "./rows";

type Cell = string | null;

/** More rows than this take too long to make: they are only turned round if the greatest value is to come first. */
const MAX_SORTED = 200_000;

function compare(a: Cell, b: Cell, numeric: boolean, descending: boolean): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  const way = descending ? -1 : 1;
  if (numeric) return way * (Number(a) - Number(b));
  return a === b ? 0 : a < b ? -way : way;
}

/** The positions, in order, of the rows that `makeRow` makes and the query selects. */
function selected(rows: RowQuery, total: number, calendar: Calendar): Int32Array {
  const { role, sorts, days } = rows;
  const columns = columnsOf(role);
  const test = rowTest(rows);
  const keys = sorts.map(({ path, descending }) => {
    const index = columns.findIndex((column) => column.path === path);
    return { index, numeric: columns[index]?.numeric === true, descending, cells: [] as Cell[] };
  });
  const positions: number[] = [];
  for (let position = 0; position < total; position += 1) {
    const row = makeRow(role, position, calendar);
    const day = calendar.dayOf(tradeOf(role, position));
    const isOn = days == null || days.some(({ from, to }) => from <= day && day <= to);
    if (isOn && (test?.(row) ?? true)) positions.push(position);
    for (const key of keys) key.cells.push(row[key.index] ?? null);
  }
  return Int32Array.from(positions).sort((a, b) => {
    for (const { cells, numeric, descending } of keys) {
      const order = compare(cells[a] ?? null, cells[b] ?? null, numeric, descending);
      if (order !== 0) return order;
    }
    return a - b;
  });
}

/** The rows of a query by their place. */
export interface Ordered {
  length: number;
  /** The position, as `makeRow` counts, of the row at a place. */
  at: (place: number) => number;
}

/** Finds the rows of a query in their order. The last order is remembered, since pages follow each other. */
export function rowOrder(): (rows: RowQuery, total: number, calendar: Calendar) => Ordered {
  let last: { key: string; positions: Int32Array } | null = null;
  return (rows, total, calendar) => {
    const [first] = rows.sorts;
    if (first === undefined && (rows.filters ?? []).length === 0 && rows.days == null)
      return { length: total, at: (place) => place };
    if (total > MAX_SORTED) {
      const turned = first?.descending === true;
      return { length: total, at: (place) => (turned ? total - 1 - place : place) };
    }
    const key = JSON.stringify([rows, total, calendar.key]);
    if (last?.key !== key) last = { key, positions: selected(rows, total, calendar) };
    const { positions } = last;
    return { length: positions.length, at: (place) => positions[place] ?? place };
  };
}
