// How an answer is put into words. A partial answer must never read like a complete one.

import type { Answer, Failure, FetchMode, Origin } from "../backend";
import { plural } from "../controls/format";
import { joinDays } from "../query/days";

/** How a run ended. */
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
  cache: "From the cache",
  part_cache: "Partly from the cache",
  server: "From the server",
  offline: "Offline",
};

const ORIGIN_HINTS: Record<Origin, string> = {
  cache: "Every day came from the cache",
  part_cache: "Some days came from the cache, some from the server",
  server: "Every day came from the server",
  offline: "Answered from the cache alone, without the server",
};

/** The tooltip of the badge that shows the origin. */
export function originHint(answer: Answer): string {
  const all = answer.answer === "cache" && answer.days.missing.length === 0;
  return answer.answer !== "cache" || all
    ? ORIGIN_HINTS[answer.answer]
    : "Every day shown came from the cache";
}

/** "Complete", "Complete, but check the query" if a filter matches nothing, or "Partial: 3 of 31 days missing". */
export function completeness(answer: Answer): string {
  if (answer.complete) return answer.unmatched.length === 0 ? "Complete" : "Complete, but check the query";
  const missing = answer.days.missing.length;
  if (missing > 0) return `Partial: ${missing} of ${plural(answer.days.requested, "day")} missing`;
  // Every day is cached, but some could not be checked. An incomplete answer that names no day is partial too.
  const unverified = answer.days.unverified.length;
  return unverified === 0 ? "Partial" : `Partial: ${plural(unverified, "day")} unverified`;
}

/** The warning about days that a check has not confirmed; null if there are none. */
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

/** How a run ended, for screen readers; badges and banners show it on the screen. */
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

/** The notes that do not repeat a warning. */
export function newNotes({ notes, unmatched }: Answer): string[] {
  return notes.filter((note) => unmatched.every(({ why }) => why !== note));
}

/** The tooltip of the number of unverified days. */
export function unconfirmedHint({ days }: Answer): string {
  return `Cached, but not confirmed by the server: ${joinDays(days.unverified)}`;
}

/** What the closed line says in a few words; the details have it in full. */
export interface LineWarning {
  id: "failure" | "unmatched" | "notes";
  kind: "bad" | "warn" | "note";
  text: string;
}

/** What keeps an answer from being what it seems, the worst first. */
export function lineWarnings(answer: Answer): LineWarning[] {
  const { failure, unmatched } = answer;
  const found: LineWarning[] = [];
  // A cancelled run is reported beside the buttons, and not as a failure.
  if (failure !== null && failure.code !== "cancelled") {
    found.push({ id: "failure", kind: "bad", text: failure.message });
  }
  const listed = (texts: readonly string[]) =>
    texts.length > 1 ? `${texts[0]} And ${texts.length - 1} more.` : (texts[0] ?? "");
  if (unmatched.length > 0) {
    found.push({ id: "unmatched", kind: "warn", text: listed(unmatched.map(({ why }) => why)) });
  }
  const notes = newNotes(answer);
  if (notes.length > 0) found.push({ id: "notes", kind: "note", text: listed(notes) });
  return found;
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
