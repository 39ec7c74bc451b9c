// The bars of a column's histogram: numbers between round edges, times by a unit that leaves few bars.

import type { ColumnCondition, DateUnit, Group } from "../../backend";
import { addDays, weekName, weekStart } from "../../backend/days";
import { compareDecimals, type Decimal, parseNumeral, plainText } from "../../controls/decimal";

/** More bars than this are no easier to read. */
const MAX_BINS = 12;

/** A bar, and the ends of what it stands for; null if it has none on that side. */
export interface Bin {
  name: string;
  rows: number;
  low: string | null;
  high: string | null;
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

/** The bars between edges, of how many rows are below each edge and in all. The lower edge belongs to a bar. */
export function binsOf(edges: readonly string[], below: readonly number[], total: number): Bin[] {
  return [...below, total].map((end, at) => {
    const [low = null, high = null] = [edges[at - 1], edges[at]];
    const name = low === null ? `below ${high}` : high === null ? `from ${low}` : `${low} to ${high}`;
    return { name, rows: end - (below[at - 1] ?? 0), low, high };
  });
}

/** The condition that the numbers of some bars meet, which follow each other. */
export function numbersIn(bins: readonly Bin[]): ColumnCondition | null {
  const [low = null, high = null] = [bins[0]?.low, bins.at(-1)?.high];
  if (low === null && high === null) return null;
  // An upper edge belongs to the next bar.
  const text = low === null ? `<${high}` : high === null ? `>=${low}` : `>=${low}, !>=${high}`;
  return { kind: "text", text };
}

/** The bars of groups of times. Spans without rows have a bar, too, unless there would be too many. */
export function timeBins(groups: readonly Group[], unit: DateUnit, most: number): Bin[] {
  const bins: Bin[] = [];
  for (const { keys, rows } of groups) {
    const [key] = keys;
    if (key == null || key.text === null || key.condition.kind !== "text") continue;
    const [low = null, high = null] = key.condition.text.split("..");
    let next = bins.length === 0 ? key.text : nextName(bins.at(-1)?.name ?? "", unit);
    for (; next < key.text && bins.length < most; next = nextName(next, unit)) {
      bins.push({ name: next, rows: 0, low: null, high: null });
    }
    bins.push({ name: key.text, rows, low, high });
  }
  return bins.length > most ? bins.filter(({ rows }) => rows > 0) : bins;
}

/** The day, week, month or year after another. */
function nextName(name: string, unit: DateUnit): string {
  if (unit === "day") return addDays(name, 1);
  if (unit === "week") return weekName(addDays(weekStart(name), 7));
  if (unit === "month") return addDays(`${name}-28`, 4).slice(0, 7);
  return String(Number(name) + 1).padStart(4, "0");
}

/** The condition that the times of some bars meet, which follow each other. */
export function timesIn(bins: readonly Bin[]): ColumnCondition | null {
  const filled = bins.filter(({ rows }) => rows > 0);
  const [first, last] = [filled[0], filled.at(-1)];
  return first === undefined || last === undefined
    ? null
    : { kind: "text", text: `${first.low ?? ""}..${last.high ?? ""}` };
}

const DAY_MS = 86_400_000;

/** The unit into which the times between two are divided. */
export function unitBetween(min: string, max: string): DateUnit {
  const days = (Date.parse(max) - Date.parse(min)) / DAY_MS;
  if (days <= 21) return "day";
  if (days <= 7 * 20) return "week";
  return days <= 31 * 24 ? "month" : "year";
}
