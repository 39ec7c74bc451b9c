// The bars of the time line: days, weeks, months or years, whichever have room. They are calendar days, so the hours of
// a day play no part.

import { getDayOfWeek, parseDate } from "@internationalized/date";

import type { DateUnit, DaySpan } from "../../backend";
import { addDays, isWeekend, weekName } from "../../backend/days";
import { plural } from "../../controls/format";
import { CELL_LABELS, type CellKind, cellKind, cellText, type StripDay } from "../../plan/dayCells";
import { monthLabel } from "../../query/days";

/** A bar: some days of the range. */
export interface Bucket extends DaySpan {
  days: StripDay[];
}

/** The least width of a bar and the gap beside it, in pixels. */
export const LEAST_WIDTH = 4;

const UNITS: readonly DateUnit[] = ["day", "week", "month", "year"];

/** The last day of the week, month or year of a day. */
function endOf(day: string, unit: DateUnit): string {
  const date = parseDate(day);
  if (unit === "day") return day;
  if (unit === "week") return addDays(day, 6 - getDayOfWeek(date, "en", "mon"));
  const last = unit === "month" ? date : date.set({ month: 12 });
  return last.set({ day: 31 }).toString();
}

/** Days that follow each other, cut into weeks from Monday to Sunday, months or years. The ends may be parts. */
export function bucketsOf(days: readonly StripDay[], unit: DateUnit): Bucket[] {
  const buckets: Bucket[] = [];
  let end = "";
  for (const day of days) {
    const last = buckets.at(-1);
    if (last === undefined || day.day > end) {
      end = endOf(day.day, unit);
      buckets.push({ from: day.day, to: day.day, days: [day] });
    } else {
      last.to = day.day;
      last.days.push(day);
    }
  }
  return buckets;
}

/** The shortest unit of which the bars have room; days as long as the width is not known. */
export function unitFor(days: readonly StripDay[], width: number): DateUnit {
  if (width === 0) return "day";
  const fits = (unit: DateUnit) => bucketsOf(days, unit).length * LEAST_WIDTH <= width;
  return UNITS.find(fits) ?? "year";
}

/** What the engine calls the time of a bar among groups. */
export function groupName({ from }: DaySpan, unit: DateUnit): string {
  if (unit === "week") return weekName(from);
  return from.slice(0, { day: 10, month: 7, year: 4 }[unit]);
}

/** What a bar is called: "2025-W09, 2025-02-24 to 2025-03-02", "Mar 2025". */
export function bucketName(bucket: Bucket, unit: DateUnit): string {
  const { from, to } = bucket;
  const range = from === to ? from : `${from} to ${to}`;
  if (unit === "day") return range;
  if (unit === "week") return `Week ${weekName(from).slice(6)}, ${range}`;
  const isWhole =
    from.endsWith("-01") && to === endOf(from, unit) && (unit === "month" || from.slice(5, 7) === "01");
  const name = unit === "month" ? monthLabel(from) : from.slice(0, 4);
  return isWhole ? name : `${name}, ${range}`;
}

/** Kinds from the one to know of first. */
const URGENCY: readonly CellKind[] = [
  "missing",
  "fetch",
  "adopt",
  "refresh",
  "unverified",
  "open",
  "cached",
  "empty",
];

/** Days of which the number of trades is not known. */
export function isUnknown(day: StripDay): boolean {
  return day.input_rows === null;
}

/** The kind of a bar: that of its days which there is most to know of. */
export function bucketKind({ days }: Bucket): CellKind {
  const kinds = new Set(days.map(cellKind));
  return URGENCY.find((kind) => kinds.has(kind)) ?? "empty";
}

/** The kind of what is known of a bar; null if nothing is. */
export function knownKind({ days }: Bucket): CellKind | null {
  const kinds = new Set(days.filter((day) => !isUnknown(day)).map(cellKind));
  return URGENCY.find((kind) => kinds.has(kind)) ?? null;
}

/** Something added up over the days of a bar; null if it is known of none. */
export function sumOf({ days }: Bucket, what: "input_rows" | "downstream_rows"): number | null {
  const known = days.flatMap((day) => day[what] ?? []);
  return known.length === 0 ? null : known.reduce((sum, rows) => sum + rows, 0);
}

/** The oldest fetch of a bar. */
export function oldestFetch({ days }: Bucket): string | null {
  return days.flatMap((day) => day.fetched ?? []).sort()[0] ?? null;
}

/** The states of the days of a bar: "cached", or "5 cached, 2 to fetch" if there are several. */
export function stateText({ days }: Bucket): string {
  const counts = new Map<CellKind, number>();
  for (const day of days) counts.set(cellKind(day), (counts.get(cellKind(day)) ?? 0) + 1);
  const [[only] = []] = counts;
  if (counts.size === 1 && only !== undefined) return CELL_LABELS[only].toLowerCase();
  return URGENCY.filter((kind) => counts.has(kind))
    .map((kind) => `${counts.get(kind)} ${CELL_LABELS[kind].toLowerCase()}`)
    .join(", ");
}

/** Everything about a bar in one line. */
export function bucketText(bucket: Bucket, unit: DateUnit, when: (time: string) => string): string {
  const [day] = bucket.days;
  if (unit === "day" && day !== undefined) return cellText(day, when);
  const [trades, messages] = [sumOf(bucket, "input_rows"), sumOf(bucket, "downstream_rows")];
  const fetched = oldestFetch(bucket);
  return [
    bucketName(bucket, unit),
    stateText(bucket),
    ...(trades === null ? [] : [plural(trades, "trade")]),
    ...(messages === null ? [] : [plural(messages, "message")]),
    ...(fetched === null ? [] : [`oldest fetch ${when(fetched)}`]),
  ].join(" · ");
}

/** How many bars the up and down keys go by. */
export const LEAPS: Record<DateUnit, number> = { day: 7, week: 4, month: 12, year: 10 };

/** A text under the time line, at the left edge of a bar. */
export interface AxisLabel {
  at: number;
  text: string;
  /** It names a month or a year, and not only a day. */
  isMain: boolean;
}

/** About the width of a digit, in pixels. */
const DIGIT = 6.5;

/** The names of months and years, and the numbers of days between them, as far as they have room. */
export function axisLabels(buckets: readonly Bucket[], unit: DateUnit, width: number): AxisLabel[] {
  const place = width / Math.max(1, buckets.length);
  const taken: [number, number][] = [];
  const labels: AxisLabel[] = [];
  const put = (at: number, text: string, isMain: boolean) => {
    const from = at * place;
    const to = from + text.length * DIGIT + 4;
    if (to > width + 4 || taken.some((other) => from < other[1] && to > other[0])) return false;
    taken.push([from, to]);
    labels.push({ at, text, isMain });
    return true;
  };
  const begins = (at: number, length: number) =>
    at === 0 || buckets[at]?.from.slice(0, length) !== buckets[at - 1]?.from.slice(0, length);
  // Years first: where there is room for few names only, these are them.
  buckets.forEach(({ from }, at) => {
    if (begins(at, 4))
      put(at, unit === "month" || unit === "year" ? from.slice(0, 4) : monthLabel(from), true);
  });
  const hasMonths = unit === "month" ? place >= 3 * DIGIT + 4 : unit !== "year";
  if (hasMonths) {
    buckets.forEach(({ from }, at) => {
      if (begins(at, 7) && !begins(at, 4)) put(at, monthLabel(from).slice(0, 3), unit !== "month");
    });
  }
  if (unit === "day") {
    // Where there is no room for every day, those with a number are Mondays.
    const isEach = place >= 2 * DIGIT + 2;
    buckets.forEach(({ from }, at) => {
      if (!begins(at, 7) && (isEach || getDayOfWeek(parseDate(from), "en", "mon") === 0))
        put(at, String(Number(from.slice(8))), false);
    });
  }
  return labels.sort((a, b) => a.at - b.at);
}

/** The bars of which every day is among the chosen ones. */
export function chosenBars(buckets: readonly Bucket[], spans: readonly DaySpan[]): number[] {
  return buckets.flatMap(({ from, to }, at) =>
    spans.some((span) => span.from <= from && to <= span.to) ? [at] : [],
  );
}

/** Whether all days of a bar are on a weekend. */
export function isWeekendBar({ days }: Bucket): boolean {
  return days.every(({ day }) => isWeekend(day));
}
