// How an answer is put into words. A partial answer must never read like a complete one.

import type { Answer, CachedQuery, Origin } from "../backend";
import { plural } from "./format";

export const ORIGIN_LABELS: Record<Origin, string> = {
  cache: "Cache",
  part_cache: "Part cache",
  server: "Server",
  offline: "Offline",
};

export const ORIGIN_HINTS: Record<Origin, string> = {
  cache: "Every day came from the cache",
  part_cache: "Some days came from the cache, some from the server",
  server: "Every day came from the server",
  offline: "The server was not asked: the cache alone answered",
};

/** "Complete" or "Partial: 3 of 31 days missing". */
export function completeness(answer: Answer): string {
  if (answer.complete) return "Complete";
  const missing = answer.days.missing.length;
  if (missing > 0) return `Partial: ${missing} of ${plural(answer.days.requested, "day")} missing`;
  // Every day is held, and some are known to be outdated; incomplete with no day named is incomplete too.
  const unverified = answer.days.unverified.length;
  return unverified === 0 ? "Partial" : `Partial: ${plural(unverified, "day")} unverified`;
}

/** What a trader must know of days that a check has not confirmed; null where there are none. */
export function unverifiedText(answer: Answer): { head: string; text: string } | null {
  const days = answer.days.unverified.length;
  if (days === 0) return null;
  const them = days === 1 ? "It is" : "They are";
  return {
    head: `${plural(days, "cached day")} could not be verified.`,
    text: `${them} shown as last fetched and may differ at the source. Verify again to check.`,
  };
}

/** How the days were answered: "24 from cache, 7 fetched". */
export function daysText(answer: Answer): string {
  const { from_cache, adopted, fetched, missing } = answer.days;
  const parts = [
    from_cache > 0 ? `${from_cache} from cache` : "",
    adopted > 0 ? `${adopted} adopted` : "",
    fetched > 0 ? `${fetched} fetched` : "",
    missing.length > 0 ? `${missing.length} missing` : "",
  ].filter((part) => part !== "");
  return parts.length === 0 ? "no days" : parts.join(", ");
}

/** "57 trades, 173 messages held". */
export function heldRowsText(query: Pick<CachedQuery, "input_rows" | "downstream_rows">): string {
  return `${plural(query.input_rows, "trade")}, ${plural(query.downstream_rows, "message")} held`;
}

/** Why the figure above is not that of the Downstream tab. */
export const HELD_ROWS_HINT =
  "Counted as stored, day by day. The Downstream tab may show fewer: there a message that several trades or " +
  "days hold, or that is itself a row of the input, counts once.";

/** Missing days grouped by reason, the reason with the most days first. */
export function missingByReason(answer: Answer): { why: string; days: string[] }[] {
  const groups = new Map<string, string[]>();
  for (const day of answer.days.missing) {
    const why = answer.days.why_missing.find((entry) => entry.day === day)?.why ?? "No reason given";
    groups.set(why, [...(groups.get(why) ?? []), day]);
  }
  return [...groups].map(([why, days]) => ({ why, days })).sort((a, b) => b.days.length - a.days.length);
}
