// The layers of the bars: by what is cached of their days, or by the values of a column.

import type { ColumnView, DateUnit, Groups } from "../../backend";
import type { Slot } from "../../controls/chart/BarCanvas";
import type { Layer } from "../../controls/chart/layers";
import { type Look, MAX_VALUES, REST_LOOK, valueLook } from "../../controls/chart/look";
import type { CellKind } from "../../plan/dayCells";
import { type Bucket, bucketKind, groupName, isUnknown, knownKind, sumOf } from "./buckets";

/** Columns of more values than this are not stacked. */
export const MOST_VALUES = 60;

/** How each state looks. The swatches of the legend look the same, by style. */
export const KIND_LOOKS: Record<CellKind, Look> = {
  cached: { pattern: "solid", colour: "day-held" },
  open: { pattern: "hatch", colour: "day-held-2", ground: "surface", edge: "day-held" },
  empty: { pattern: "solid", colour: "surface", edge: "day-held" },
  unverified: { pattern: "dots", colour: "warn", ground: "warn-soft", edge: "warn" },
  refresh: { pattern: "lines", colour: "day-fetch", ground: "day-held-2", edge: "day-held" },
  fetch: { pattern: "solid", colour: "day-fetch-2", edge: "day-fetch", dashed: true },
  adopt: { pattern: "lines", colour: "day-adopt-2", ground: "surface", edge: "day-adopt", dashed: true },
  missing: { pattern: "cross", colour: "day-missing", ground: "surface", edge: "day-missing" },
};

/** The trades of each bar, as high as they are known, in the look of their state. */
export function stateLayers(buckets: readonly Bucket[]): Layer[] {
  const kinds = buckets.map(knownKind);
  return [...new Set(kinds)].flatMap((kind) => {
    if (kind === null) return [];
    const rows = buckets.map((bucket, at) => (kinds[at] === kind ? (sumOf(bucket, "input_rows") ?? 0) : 0));
    return [{ look: KIND_LOOKS[kind], rows }];
  });
}

/** The room of the days whose number of trades is not known. */
export function slotsOf(buckets: readonly Bucket[]): (Slot | null)[] {
  return buckets.map(({ from, to, days }) => {
    const unknown = days.filter(isUnknown);
    if (unknown.length === 0) return null;
    return {
      look: KIND_LOOKS[bucketKind({ from, to, days: unknown })],
      share: unknown.length / days.length,
    };
  });
}

/** The foot of each bar has its state, whatever the bar is made of. */
export function feetOf(buckets: readonly Bucket[]): Look[] {
  return buckets.map((bucket) => KIND_LOOKS[bucketKind(bucket)]);
}

/** A value in a stack. */
export interface Part extends Layer {
  /** What it is called in the legend. */
  name: string;
  /** All of its rows. */
  total: number;
  /** The number of its colour, from 1; 0 for the rest. */
  colour: number;
}

/** Trades that are counted by the time of a bar and, if there are two keys, by the value of a column. */
export type Counts = Pick<Groups, "groups">;

/**
 * The bars by the values of a column, the most frequent at the bottom; without a column, those that the filters leave.
 * Trades of a bar that the groups do not count come last, under the name that is given for the rest.
 */
export function valueParts(
  buckets: readonly Bucket[],
  unit: DateUnit,
  { groups }: Counts,
  isByColumn: boolean,
  rest: string,
): Part[] {
  const places = new Map(buckets.map((bucket, at) => [groupName(bucket, unit), at]));
  const none = () => new Array<number>(buckets.length).fill(0);
  const byValue = new Map<string, { rows: number[]; total: number }>();
  for (const { keys, rows } of groups) {
    const at = places.get(keys[0]?.text ?? "");
    if (at === undefined) continue;
    const name = !isByColumn ? "In the filters" : (keys[1]?.text ?? "empty");
    const value = byValue.get(name) ?? { rows: none(), total: 0 };
    value.rows[at] = (value.rows[at] ?? 0) + rows;
    value.total += rows;
    byValue.set(name === "" ? '""' : name, value);
  }
  const sorted = [...byValue].sort(([a, one], [b, other]) => other.total - one.total || (a < b ? -1 : 1));
  const own = sorted.length > MAX_VALUES ? sorted.slice(0, MAX_VALUES - 1) : sorted;
  const parts: Part[] = own.map(([name, value], at) => ({
    name,
    ...value,
    colour: at + 1,
    look: valueLook(at),
  }));
  const others = sorted.slice(own.length);
  if (others.length > 0) {
    const rows = buckets.map((_, at) => others.reduce((sum, [, value]) => sum + (value.rows[at] ?? 0), 0));
    const total = rows.reduce((sum, one) => sum + one, 0);
    parts.push({ name: `${others.length} further values`, rows, total, colour: 0, look: REST_LOOK });
  }
  const uncounted = buckets.map((bucket, at) => {
    const counted = parts.reduce((sum, { rows }) => sum + (rows[at] ?? 0), 0);
    return Math.max(0, (sumOf(bucket, "input_rows") ?? 0) - counted);
  });
  const total = uncounted.reduce((sum, rows) => sum + rows, 0);
  if (total > 0) parts.push({ name: rest, rows: uncounted, total, colour: 0, look: LEFT_LOOK });
  return parts;
}

const LEFT_LOOK: Look = { pattern: "solid", colour: "line" };

/** Types of values that repeat. */
const FEW: readonly string[] = ["string", "bool", "int32", "int64", "null", "array", "symbol"];

/** The columns that bars may be stacked by, in the order in which they are read. */
export function stackColumns(
  columns: readonly ColumnView[],
  order: readonly number[],
  time: string | null,
): ColumnView[] {
  return order
    .flatMap((at) => columns[at] ?? [])
    .filter(
      ({ path, types }) => path !== "_id" && path !== time && types.every((type) => FEW.includes(type)),
    );
}
