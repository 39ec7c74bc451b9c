// How an answer is put into words. A partial answer must never read like a complete one.

import type { Answer, CachedQuery, ChangeCounts, Changes, Origin } from "../backend";
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
  // Incomplete with no day named is still incomplete.
  if (missing === 0) return "Partial";
  return `Partial: ${missing} of ${plural(answer.days.requested, "day")} missing`;
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

/** What a refresh or a verification found; null when it found no difference worth a word. */
export function changesText(changes: Changes | null): string | null {
  if (changes === null) return null;
  const of = (word: string, { added, changed, gone }: ChangeCounts) => [
    added > 0 ? `${plural(added, word)} added` : "",
    changed > 0 ? `${plural(changed, word)} changed` : "",
    gone > 0 ? `${plural(gone, word)} gone` : "",
  ];
  const parts = [...of("trade", changes.input), ...of("message", changes.downstream)].filter(
    (part) => part !== "",
  );
  if (parts.length === 0) return "Nothing changed at the source";
  return `At the source: ${parts.join(", ")}`;
}

/** Missing days grouped by reason, the reason with the most days first. */
export function missingByReason(answer: Answer): { why: string; days: string[] }[] {
  const groups = new Map<string, string[]>();
  for (const day of answer.days.missing) {
    const why = answer.days.why_missing.find((entry) => entry.day === day)?.why ?? "No reason given";
    groups.set(why, [...(groups.get(why) ?? []), day]);
  }
  return [...groups].map(([why, days]) => ({ why, days })).sort((a, b) => b.days.length - a.days.length);
}
