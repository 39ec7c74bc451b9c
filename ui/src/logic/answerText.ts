// How an answer is put into words. A partial answer must never read like a complete one.

import type { Answer, CachedQuery, Failure, FetchMode, Origin } from "../backend";
import { plural } from "./format";

/** What there is to say of the end of a run. */
interface Ended {
  outcome: "finished" | "failed" | "cancelled";
  failure: Failure | null;
  answer: Answer | null;
}

interface Cancelled {
  mode: FetchMode;
  /** The run has stored days. */
  stored: boolean;
  answer: Answer | null;
}

export const ORIGIN_LABELS: Record<Origin, string> = {
  cache: "Cache",
  part_cache: "Part cache",
  server: "Server",
  offline: "Offline",
};

const ORIGIN_HINTS: Record<Origin, string> = {
  cache: "Every day came from the cache",
  part_cache: "Some days came from the cache, some from the server",
  server: "Every day came from the server",
  offline: "Answered from the cache alone, without the server",
};

/** What a badge of the origin stands for. */
export function originHint(answer: Answer): string {
  const all = answer.answer === "cache" && answer.days.missing.length === 0;
  return answer.answer !== "cache" || all
    ? ORIGIN_HINTS[answer.answer]
    : "Every day shown came from the cache";
}

/** What is held, looked at without asking the server. That is no sign of a source out of reach. */
export function heldAnswer<A extends Answer | null>(answer: A, online: boolean): A {
  return answer?.answer === "offline" && online ? { ...answer, answer: "cache" } : answer;
}

/** "Complete", "Complete, but check the query" if a filter matches nothing, or "Partial: 3 of 31 days missing". */
export function completeness(answer: Answer): string {
  if (answer.complete) return answer.unmatched.length === 0 ? "Complete" : "Complete, but check the query";
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
    head: `${plural(days, "cached day")} could not be checked.`,
    text: `${them} shown as last fetched; the source may have changed since. Refresh or Verify to check.`,
  };
}

/** Whether a run has compared every day of its answer with the source. */
export function comparedAll(answer: Answer, mode: FetchMode | null): boolean {
  const all = answer.complete && answer.failure === null && answer.days.unverified.length === 0;
  return all && (mode === "refresh" || mode === "verify");
}

/** How the days were answered: "24 from cache, 7 fetched". */
export function daysText(answer: Answer): string {
  const { from_cache, adopted, fetched, missing } = answer.days;
  const parts = [
    from_cache > 0 ? `${from_cache} from cache` : "",
    adopted > 0 ? `${adopted} copied from another cached query` : "",
    fetched > 0 ? `${fetched} fetched` : "",
    missing.length > 0 ? `${missing.length} missing` : "",
  ].filter((part) => part !== "");
  return parts.length === 0 ? "no days" : parts.join(", ");
}

/** "57 trades, 173 messages cached". */
export function heldRowsText(query: Pick<CachedQuery, "input_rows" | "downstream_rows">): string {
  return `${plural(query.input_rows, "trade")}, ${plural(query.downstream_rows, "message")} cached`;
}

/** Why the figure above is not that of the Messages tab. */
export const HELD_ROWS_HINT =
  "Counted per day, as stored. The Messages tab may show fewer: there, a message that belongs to several " +
  "trades or days counts once, and a message that is itself a trade is not listed again.";

/** How a run ended, for who hears the window: the badges and banners say it to the eye. */
export function outcomeText({ outcome, failure, answer }: Ended): string {
  if (outcome === "failed") return `The fetch failed. ${failure?.message ?? ""}`.trim();
  if (answer === null) return outcome === "cancelled" ? "Cancelled." : "";
  const { input, downstream } = answer.rows;
  const rows = `${plural(input, "trade")}, ${plural(downstream, "message")}.`;
  return `${outcome === "cancelled" ? "Cancelled" : "Finished"}. ${completeness(answer)}: ${rows}`;
}

const CANCELLED: Record<FetchMode, string> = {
  normal: "Everything stored so far stays in the cache; fetch again to get the rest.",
  refresh: "Days that were not reached are unverified; refresh again to update them.",
  verify: "Days that were not reached are unverified; verify again to check them.",
};

/** What is left of a run that was cancelled, and how to get the rest. */
export function cancelledText({ mode, stored, answer }: Cancelled): string {
  const holds = answer !== null && answer.days.missing.length < answer.days.requested;
  return stored || holds ? CANCELLED[mode] : "Nothing was stored.";
}

/** The notes that no warning says as well. */
export function newNotes({ notes, unmatched }: Answer): string[] {
  return notes.filter((note) => unmatched.every(({ why }) => why !== note));
}

/** Missing days grouped by reason, the reason with the most days first. */
export function missingByReason(answer: Answer): { why: string; days: string[] }[] {
  const reasons = new Map(answer.days.why_missing.map((entry) => [entry.day, entry.why]));
  const groups = new Map<string, string[]>();
  for (const day of answer.days.missing) {
    const why = reasons.get(day) ?? "No reason given";
    const days = groups.get(why);
    if (days === undefined) groups.set(why, [day]);
    else days.push(day);
  }
  return [...groups].map(([why, days]) => ({ why, days })).sort((a, b) => b.days.length - a.days.length);
}
