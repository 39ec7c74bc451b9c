// What the time line says of a day.

import type { DayView } from "../backend";
import { plural } from "../controls/format";
import { weekday } from "../query/days";

export type CellKind = "cached" | "open" | "empty" | "unverified" | "refresh" | "fetch" | "adopt" | "missing";

/** A day of the plan, and whether the answer on the screen says that a check has not confirmed it. */
export type StripDay = DayView & { unverified?: boolean };

/** Names of the kinds, in the order of the legend. */
export const CELL_LABELS: Record<CellKind, string> = {
  cached: "Cached",
  open: "Open",
  empty: "No trades",
  unverified: "Unverified",
  refresh: "To refresh",
  fetch: "To fetch",
  adopt: "To copy",
  missing: "Not available",
};

/** What the cells of a kind mean. */
export const CELL_HINTS: Record<CellKind, string> = {
  cached: "Cached and final",
  open: "Cached; may still change at the source",
  empty: "Cached; the source has no matching trades for this day",
  unverified: "Cached; the last check could not verify it against the server",
  refresh: "Cached; will be fetched again",
  fetch: "Will be fetched from MongoDB",
  adopt: "Will be copied from another cached query, without asking the server",
  missing: "Not cached, and cannot be fetched now",
};

/** The kind of a day: first what a fetch would do, then what is held. */
export function cellKind(day: StripDay): CellKind {
  switch (day.action) {
    case "unavailable":
      return "missing";
    case "fetch":
      return "fetch";
    case "adopt":
      return "adopt";
    case "refresh":
      return "refresh";
    case "serve":
      if (day.unverified === true) return "unverified";
      if (day.state === "open") return "open";
      return day.input_rows === 0 ? "empty" : "cached";
  }
}

/** Everything about one day in one line; the same text serves the eye and the screen reader. */
export function cellText(day: StripDay, when: (time: string) => string): string {
  const parts = [`${day.day} ${weekday(day.day)}`, CELL_LABELS[cellKind(day)].toLowerCase()];
  if (day.input_rows !== null) parts.push(plural(day.input_rows, "trade"));
  if (day.downstream_rows !== null) parts.push(plural(day.downstream_rows, "message"));
  if (day.fetched !== null) parts.push(`fetched ${when(day.fetched)}`);
  if (day.why !== null) parts.push(day.why);
  return parts.join(" · ");
}

/** How many cells of each kind, for the legend; kinds that do not occur are left out. */
export function legend(days: readonly StripDay[]): { kind: CellKind; days: number }[] {
  const counts = new Map<CellKind, number>();
  for (const day of days) {
    const kind = cellKind(day);
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return (Object.keys(CELL_LABELS) as CellKind[])
    .filter((kind) => counts.has(kind))
    .map((kind) => ({ kind, days: counts.get(kind) ?? 0 }));
}

/** Marks the days of a plan that the last check has not confirmed. */
export function withUnverified(days: readonly StripDay[], unverified: readonly string[]): StripDay[] {
  const named = new Set(unverified);
  return days.map((day) => (named.has(day.day) ? { ...day, unverified: true } : day));
}
