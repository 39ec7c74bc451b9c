// What the preview holds: coverage by signature, and the plan and the answer that follow from it.

import type {
  Answer,
  CachedQuery,
  CacheUsage,
  DayView,
  EvictionPreview,
  Failure,
  FailureTarget,
  PlanView,
  QueryInput,
  SourceName,
  SourceProfile,
  ViewKey,
} from "../types";
import { addDays, dayCount, isWeekend } from "../days";
import { type Calendar, calendarOf } from "./rows";
import { count, filtersText } from "./words";

export interface Held {
  rows: number;
  fetched: string;
}

interface Entry {
  query: QueryInput;
  days: Map<string, Held>;
  pinned: boolean;
  lastUsed: string | null;
}

export const TODAY = "2026-11-20";
const NOW = `${TODAY}T15:42:10Z`;

export class PreviewStore {
  readonly entries = new Map<string, Entry>();
  online = true;
  /** Rows per business day; large values reach the grid's scroll limit. */
  perDay = 2200;
  budget = 20_000_000_000;
  /** The active source. */
  source: SourceName = { name: "", hosts: "", key: "", has_user: false };
  /** Grows whenever something is stored. */
  generation = 0;

  signature(query: QueryInput): string {
    const text = JSON.stringify([query.filters, query.advanced.trim()]);
    let hash = 7;
    for (const char of text) hash = (Math.imul(hash, 31) + char.charCodeAt(0)) >>> 0;
    return hash.toString(16).padStart(8, "0").repeat(4);
  }

  entry(query: QueryInput): Entry {
    const signature = this.signature(query);
    const found = this.entries.get(signature) ?? {
      query,
      days: new Map<string, Held>(),
      pinned: false,
      lastUsed: null,
    };
    this.entries.set(signature, found);
    return found;
  }

  rowsOf(day: string): number {
    const share = query7(day);
    return isWeekend(day) ? (share % 2 === 0 ? 0 : 40 + share) : this.perDay + share * 11;
  }

  hold(query: QueryInput, day: string, fetched = NOW): void {
    const entry = this.entry(query);
    entry.days.set(day, { rows: this.rowsOf(day), fetched });
    entry.lastUsed = fetched;
    this.generation += 1;
  }

  /** On which days the trades of a view are. */
  calendar(key: ViewKey): Calendar {
    const entry = this.entries.get(key.signature);
    const length = dayCount(key.from, key.to);
    const days = Array.from({ length }, (_, index) => addDays(key.from, index));
    return calendarOf(days.map((day) => ({ day, rows: entry?.days.get(day)?.rows ?? 0 })));
  }

  private day(entry: Entry, day: string): DayView {
    const held = entry.days.get(day);
    const future = day > TODAY;
    const open = day >= addDays(TODAY, -1);
    const why = future
      ? "the day has not begun"
      : held
        ? null
        : this.online
          ? null
          : "the source cannot be reached";
    return {
      day,
      state: held ? (open ? "open" : "settled") : "not_held",
      action: held
        ? open && day === TODAY && this.online
          ? "refresh"
          : "serve"
        : future || !this.online
          ? "unavailable"
          : day.endsWith("07")
            ? "adopt"
            : "fetch",
      why,
      input_rows: held?.rows ?? null,
      downstream_rows: held ? held.rows * 3 : null,
      fetched: held?.fetched ?? null,
    };
  }

  plan(query: QueryInput): PlanView {
    const entry = this.entry(query);
    const length = dayCount(query.from, query.to);
    const days = Array.from({ length }, (_, index) => this.day(entry, addDays(query.from, index)));
    const of = (action: DayView["action"]) => days.filter((day) => day.action === action);
    const pull = [...of("fetch"), ...of("refresh")];
    const expected = pull.reduce((sum, day) => sum + this.rowsOf(day.day), 0);
    const cached = of("serve").length + of("refresh").length;
    const missing = of("unavailable").length;
    return {
      signature: this.signature(query),
      reachable: this.online,
      days,
      counts: {
        requested: length,
        serve: of("serve").length,
        refresh: of("refresh").length,
        fetch: of("fetch").length,
        adopt: of("adopt").length,
        unavailable: missing,
      },
      windows:
        pull.length > 0 ? [{ from: pull[0]?.day ?? query.from, to: pull.at(-1)?.day ?? query.to }] : [],
      expected_rows: pull.length > 0 ? expected : null,
      sentence:
        `${cached} of ${length} days cached, ${pull.length} to fetch` +
        (pull.length > 0 ? `, about ${count(expected)} trades` : "") +
        (missing > 0 ? `, ${missing} not available` : ""),
    };
  }

  answer(key: ViewKey, fetched: number, commands: number, origin?: Answer["answer"]): Answer {
    const entry = this.entries.get(key.signature);
    const length = dayCount(key.from, key.to);
    const all = Array.from({ length }, (_, index) => addDays(key.from, index));
    const held = all.filter((day) => entry?.days.has(day));
    const missing = all.filter((day) => !entry?.days.has(day));
    const why = (day: string) => (day > TODAY ? "the day has not begun" : "the source cannot be reached");
    const rows = held.reduce((sum, day) => sum + (entry?.days.get(day)?.rows ?? 0), 0);
    return {
      signature: key.signature,
      source: this.source,
      filters: entry === undefined ? "no filter" : filtersText(entry.query),
      answer: origin ?? (fetched === 0 ? "cache" : fetched < held.length ? "part_cache" : "server"),
      complete: missing.length === 0,
      days: {
        requested: length,
        from_cache: held.length - fetched,
        adopted: 0,
        fetched,
        missing,
        why_missing: missing.map((day) => ({ day, why: why(day) })),
        unverified: [],
        open: held.filter((day) => day >= addDays(TODAY, -1)),
      },
      rows: { input: rows, downstream: rows * 3 },
      oldest_fetch: held.length > 0 ? (entry?.days.get(held[0] ?? "")?.fetched ?? NOW) : null,
      mongo_commands: commands,
      elapsed_ms: fetched === 0 ? 18 : 840,
      changes: null,
      left_out: [],
      unmatched: [],
      notes: fetched > 3 ? ["12 trades have no trade id; their messages cannot be found."] : [],
      failure: missing.length > 0 && !this.online ? unreachable() : null,
    };
  }

  cached(): CachedQuery[] {
    return [...this.entries]
      .filter(([, entry]) => entry.days.size > 0)
      .map(([signature, entry]) => {
        const days = [...entry.days.keys()].sort();
        const rows = [...entry.days.values()].reduce((sum, day) => sum + day.rows, 0);
        return {
          signature,
          source: this.source.name,
          filters: filtersText(entry.query),
          summary: filtersText(entry.query),
          mapping: "days by year and day_of_year in UTC, trade id trade_id",
          form: { ...entry.query, from: days[0] ?? "", to: days.at(-1) ?? "" },
          held: [{ from: days[0] ?? "", to: days.at(-1) ?? "" }],
          days: days.length,
          open_days: days.filter((day) => day >= addDays(TODAY, -1)).length,
          input_rows: rows,
          downstream_rows: rows * 3,
          bytes: rows * 410,
          oldest_fetch: entry.days.get(days[0] ?? "")?.fetched ?? null,
          newest_fetch: entry.days.get(days.at(-1) ?? "")?.fetched ?? null,
          pinned: entry.pinned,
          last_used: entry.lastUsed,
          failure: null,
        };
      });
  }

  usage(): CacheUsage {
    const held = this.cached();
    const bytes = held.reduce((sum, query) => sum + query.bytes, 0);
    return { bytes, budget: this.budget, queries: held.length };
  }

  /** Unpinned queries, the least recently used first, until the cache fits. */
  wouldEvict(bytes: number): EvictionPreview {
    const evictable = this.cached().filter((query) => !query.pinned);
    const at = (query: CachedQuery) => (query.last_used === null ? 0 : Date.parse(query.last_used));
    evictable.sort((a, b) => at(a) - at(b));
    const queries: string[] = [];
    let left = this.usage().bytes;
    for (const query of evictable) {
      if (left <= bytes) break;
      queries.push(query.signature);
      left -= query.bytes;
    }
    return { queries, left, newer: 0 };
  }

  setBudget(bytes: number): void {
    for (const signature of this.wouldEvict(bytes).queries) this.entries.delete(signature);
    this.budget = bytes;
  }
}

function query7(day: string): number {
  return (Number(day.slice(8)) * 37 + Number(day.slice(5, 7)) * 11) % 97;
}

/** How the engine would call a source of the preview, which has the same hosts and the same user in every source. */
export function sourceName(profile: SourceProfile): SourceName {
  const hosts = "db1.desk.example";
  return {
    name: `${profile.database}.${profile.collection} at ${hosts} as desk`,
    hosts,
    key: JSON.stringify(profile),
    has_user: true,
  };
}

export function unreachable(): Failure {
  return {
    code: "source_unreachable",
    message: "No server of the source answers.",
    next: "Check the host name, the network and the VPN; what is cached can be browsed meanwhile.",
    cause: "Server selection timeout: no available servers. db1.desk.example:27017: connection refused",
    target: null,
  };
}

export function invalid(query: QueryInput): Failure | null {
  const bad = (code: Failure["code"], message: string, next: string, target: FailureTarget): Failure => ({
    code,
    message,
    next,
    cause: null,
    target,
  });
  if (query.to < query.from) {
    return bad("bad_range", "The range ends before it begins.", "Correct the dates and try again.", {
      field: "dates",
    });
  }
  const text = query.advanced.trim();
  if (text === "") return null;
  if (text.includes("$where")) {
    return bad(
      "bad_filter",
      "The advanced match may not run code: $where at line 1, column 3.",
      "Correct the filter and try again.",
      { field: "advanced" },
    );
  }
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    return bad(
      "bad_filter",
      `The advanced match does not parse: ${String(error)}`,
      "Correct the filter and try again.",
      { field: "advanced" },
    );
  }
}
