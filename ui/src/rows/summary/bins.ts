// The bars of a column's histogram: numbers between round edges, times by a unit that leaves few bars.

import type { DateUnit } from "../../backend";
import { compareDecimals, type Decimal, parseNumeral, plainText } from "../../controls/decimal";

/** More bars than this are no easier to read. */
const MAX_BINS = 12;

/** The rows from an edge up to the next one, which is not included; the first and last have one edge. */
export interface Bin {
  name: string;
  rows: number;
}

function finite(text: string | null): Decimal | null {
  const numeral = text === null ? null : parseNumeral(text);
  return numeral?.kind === "finite" ? numeral : null;
}

/** Round edges between the least and the greatest of some numbers; none if they are too close or too far away. */
export function edgesBetween(min: string | null, max: string | null): string[] {
  const [low, high] = [finite(min), finite(max)];
  if (low === null || high === null || compareDecimals(low, high) >= 0) return [];
  const least = Math.min(low.exponent, high.exponent);
  const greatest = Math.max(low.exponent, high.exponent);
  // A histogram of such a range would have one bar.
  if (greatest - least > 400) return [];
  const at = ({ digits, exponent }: Decimal) => digits * 10n ** BigInt(exponent - least);
  // Two more digits, so that the step can be less than the last one.
  const [from, to] = [at(low) * 100n, at(high) * 100n];
  let step = 1n;
  for (let turn = 0; (to - from) / step >= BigInt(MAX_BINS - 1); turn += 1) {
    step = turn % 3 === 1 ? (step / 2n) * 5n : step * 2n;
  }
  const floor = from / step - (from < 0n && from % step !== 0n ? 1n : 0n);
  const edges: string[] = [];
  for (let edge = (floor + 1n) * step; edge <= to; edge += step) edges.push(edgeText(edge, least - 2));
  return edges;
}

function edgeText(digits: bigint, exponent: number): string {
  const text = plainText({ digits, exponent });
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** The bars between edges, of how many rows are below each edge and in all. */
export function binsOf(edges: readonly string[], below: readonly number[], total: number): Bin[] {
  const ends = [...below, total];
  return ends.map((end, at) => ({
    name:
      at === 0
        ? `below ${edges[0]}`
        : at === edges.length
          ? `from ${edges[at - 1]}`
          : `${edges[at - 1]} to ${edges[at]}`,
    rows: end - (at === 0 ? 0 : (ends[at - 1] ?? 0)),
  }));
}

const DAY_MS = 86_400_000;

/** The unit into which the times between two are divided. */
export function unitBetween(min: string, max: string): DateUnit {
  const days = (Date.parse(max) - Date.parse(min)) / DAY_MS;
  if (days <= 21) return "day";
  if (days <= 7 * 20) return "week";
  return days <= 31 * 24 ? "month" : "year";
}
