// What the preview says of rows beyond showing them: how many, where a text is, which values, what they add up to.

import type { ColumnSums, DateUnit, GroupKey, Role, RowQuery, ViewKey } from "../types";
import type { Backend } from "..";
import { weekName } from "../days";
import type { rowOrder } from "./order";
import { type Calendar, columnsOf, makeRow } from "./rows";
import { wait } from "./wait";

/** The rows of the preview. */
export interface Rows {
  order: ReturnType<typeof rowOrder>;
  total: (key: ViewKey, role: Role) => number;
  calendar: (key: ViewKey) => Calendar;
  generation: () => number;
}

/** As long as the engine takes for some millions of rows. */
const SLOW_MS = 300;

/** A decimal number as so many ten-thousandths: what the preview makes has no more places. */
const scaled = (text: string) => BigInt(Math.round(Number(text) * 10_000));

const unscaled = (value: bigint) => (Number(value) / 10_000).toString();

const isNumeric = (role: Role, path: string) =>
  columnsOf(role).some((column) => column.path === path && column.numeric);

function sumsOf(cells: readonly (string | null)[], numeric: boolean): Omit<ColumnSums, "generation"> {
  const filled = cells.filter((cell) => cell !== null);
  const sorted = [...filled].sort((a, b) => (numeric ? Number(a) - Number(b) : a < b ? -1 : 1));
  const numbers = numeric ? filled.length : 0;
  const sum = numbers > 0 ? filled.reduce((sum, cell) => sum + scaled(cell), 0n) : null;
  return {
    rows: cells.length,
    filled: filled.length,
    distinct: new Set(filled).size,
    numbers,
    sum: sum === null ? null : unscaled(sum),
    average: sum === null ? null : unscaled(sum / BigInt(numbers)),
    min: sorted[0] ?? null,
    max: sorted.at(-1) ?? null,
  };
}

/** A cell as the key of a group. */
function keyOf(cell: string | null, unit: DateUnit | null | undefined): GroupKey {
  if (cell === null) return { text: null, condition: { kind: "text", text: "empty" } };
  if (unit == null) return { text: cell, condition: { kind: "values", values: [cell], empty: false } };
  const day = cell.slice(0, 10);
  const names = { day, week: weekName(day), month: day.slice(0, 7), year: day.slice(0, 4) };
  return { text: names[unit], condition: { kind: "text", text: `${names[unit]}..${names[unit]}` } };
}

type Calls = Pick<
  Backend,
  "rowCount" | "findRow" | "columnValues" | "columnSums" | "groupRows" | "cancelRows"
>;

export function askedCalls({ order, total, calendar, generation }: Rows): Calls {
  const rowsOf = (key: ViewKey, rows: RowQuery) => {
    const days = calendar(key);
    const ordered = order(rows, total(key, rows.role), days);
    const row = (place: number) => makeRow(rows.role, ordered.at(place), days);
    return { length: ordered.length, row };
  };
  const cellsOf = (key: ViewKey, rows: RowQuery, path: string) => {
    const index = columnsOf(rows.role).findIndex((column) => column.path === path);
    const { length, row } = rowsOf(key, rows);
    return Array.from({ length }, (_, place) => row(place)[index] ?? null);
  };
  return {
    async rowCount(key, rows) {
      await wait(SLOW_MS);
      return { generation: generation(), rows: rowsOf(key, rows).length, of: total(key, rows.role) };
    },
    async findRow(key, rows, text, from, forwards) {
      await wait(SLOW_MS);
      const wanted = text.toLowerCase();
      const { length, row } = rowsOf(key, rows);
      const places: number[] = [];
      for (let place = 0; place < length; place += 1) {
        if (row(place).some((cell) => cell?.toLowerCase().includes(wanted))) places.push(place);
      }
      const before = places.filter((place) => (forwards ? place < from : place <= from)).length;
      const at = forwards ? before : before - 1;
      const position = places[at] ?? null;
      return {
        generation: generation(),
        position,
        number: position === null ? null : at + 1,
        total: places.length,
      };
    },
    async columnValues(key, rows, path, contains, limit) {
      await wait(SLOW_MS);
      const counts = new Map<string, number>();
      let empty = 0;
      for (const cell of cellsOf(key, rows, path)) {
        if (cell === null) empty += 1;
        else if (cell.toLowerCase().includes(contains.toLowerCase())) {
          counts.set(cell, (counts.get(cell) ?? 0) + 1);
        }
      }
      const all = [...counts].map(([value, rows]) => ({ value, rows }));
      all.sort((a, b) => b.rows - a.rows || (a.value < b.value ? -1 : 1));
      const values = all.slice(0, limit);
      return { generation: generation(), values, further: all.length - values.length, empty };
    },
    async columnSums(key, rows, path) {
      await wait(SLOW_MS);
      return { generation: generation(), ...sumsOf(cellsOf(key, rows, path), isNumeric(rows.role, path)) };
    },
    async groupRows(key, rows, { by, figures, sort, limit }) {
      await wait(SLOW_MS);
      const columns = by.map(({ path, unit }) => ({
        at: columnsOf(rows.role).findIndex((column) => column.path === path),
        unit,
      }));
      const places = new Map<string, number[]>();
      const { length, row } = rowsOf(key, rows);
      for (let place = 0; place < length; place += 1) {
        const cells = row(place);
        const id = JSON.stringify(columns.map(({ at, unit }) => keyOf(cells[at] ?? null, unit)));
        const held = places.get(id);
        if (held === undefined) places.set(id, [place]);
        else held.push(place);
      }
      const groups = [...places].map(([id, of]) => ({
        keys: JSON.parse(id) as GroupKey[],
        rows: of.length,
        figures: figures.map(({ what, path }) => {
          if (path == null) return String(of.length);
          const at = columnsOf(rows.role).findIndex((column) => column.path === path);
          const sums = sumsOf(
            of.map((place) => row(place)[at] ?? null),
            isNumeric(rows.role, path),
          );
          return what === "count"
            ? String(sums.filled)
            : what === "distinct"
              ? String(sums.distinct)
              : sums[what];
        }),
      }));
      const cellOf = (group: (typeof groups)[number], column: number) =>
        column < by.length ? (group.keys[column]?.text ?? null) : (group.figures[column - by.length] ?? null);
      const order = sort == null ? by.map((_, column) => column) : [sort.column];
      groups.sort((a, b) => {
        for (const column of order) {
          const [x, y] = [cellOf(a, column), cellOf(b, column)];
          if (x === null || y === null) return Number(x === null) - Number(y === null);
          const numbers = Number(x) - Number(y);
          const compared = Number.isNaN(numbers) ? (x < y ? -1 : Number(x > y)) : numbers;
          if (compared !== 0) return sort?.descending === true ? -compared : compared;
        }
        return 0;
      });
      return { generation: generation(), groups: groups.slice(0, limit), total: groups.length };
    },
    cancelRows: () => Promise.resolve(),
  };
}
