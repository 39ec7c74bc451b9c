// A trade in words: how long after one another its documents came, and how late.

import type { FoundPlace, FoundTrades, Trade, TradeDocument } from "../backend";
import { duration, moment, plural } from "../controls/format";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** "3 days 4 h", and below a day as any other span of time. */
export function span(ms: number): string {
  if (ms < DAY) return duration(ms);
  const days = Math.floor(ms / DAY);
  const hours = Math.floor((ms % DAY) / HOUR);
  return hours === 0 ? plural(days, "day") : `${plural(days, "day")} ${hours} h`;
}

/** "2 h 5 min later (the longest gap)"; null for the first document, and for one without a time. */
export function gapText({ gap_ms, is_longest_gap }: TradeDocument): string | null {
  if (gap_ms === null) return null;
  const gap = gap_ms === 0 ? "at the same time" : `${span(gap_ms)} later`;
  return is_longest_gap ? `${gap} (the longest gap)` : gap;
}

/** "1 day 2 h after the end of the day"; null if it came in time. */
export function lateText({ late_ms }: TradeDocument): string | null {
  return late_ms === null ? null : `${span(late_ms)} after the end of the day`;
}

/** What a document is, with its number among those of its kind: "Trade, state 2 of 3", "Message". */
export function kindText(trade: Trade, place: number): string {
  const document = trade.documents[place];
  if (document === undefined) return "";
  const same = trade.documents.flatMap(({ role }, at) => (role === document.role ? [at] : []));
  const name = document.role === "input" ? "Trade" : "Message";
  return same.length === 1 ? name : `${name} ${same.indexOf(place) + 1} of ${same.length}`;
}

export function timeText({ at }: TradeDocument, zone: string): string {
  return at === null ? "no time" : moment(at, zone);
}

/** "2 states, 3 messages" */
export function contentText({ documents, is_cut }: Trade): string {
  const states = documents.filter(({ role }) => role === "input").length;
  const parts = [plural(states, "trade document"), plural(documents.length - states, "message")];
  return is_cut ? `${parts.join(", ")}, and more that are not shown` : parts.join(", ");
}

/** Where a document leads: from a message to the last state of its trade, from a trade to its first message. */
export function counterpart({ documents }: Trade, place: number): number | null {
  const role = documents[place]?.role;
  if (role === undefined) return null;
  if (role === "input") {
    const after = documents.findIndex((other, at) => at > place && other.role === "downstream");
    const any = documents.findIndex((other) => other.role === "downstream");
    return after >= 0 ? after : any >= 0 ? any : null;
  }
  const states = documents.flatMap((other, at) => (other.role === "input" ? [at] : []));
  return states.filter((at) => at < place).at(-1) ?? states[0] ?? null;
}

/** "In the open answer", "In the cache: product Brent, of desk.trades at db1" */
export function placeText(place: FoundPlace): string {
  if (place.kind === "source") return "At the source now";
  const where = place.is_open ? "In the open answer" : "In the cache";
  return place.is_current ? `${where}: ${place.filters}` : `${where}: ${place.filters}, of ${place.source}`;
}

/** The ids that neither search has found, once both have ended; before, those that are not cached. */
export function missingIds(cached: FoundTrades | null, source: FoundTrades | null): string[] {
  if (cached === null || source === null) return (cached ?? source)?.not_found ?? [];
  const known = new Set(source.not_found);
  return cached.not_found.filter((id) => known.has(id));
}
