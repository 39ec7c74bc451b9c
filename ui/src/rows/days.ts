// The days to which the rows of both tabs are narrowed, remembered while the query stays the same, and for the next start.

import { useCallback, useMemo } from "react";

import type { DaySpan } from "../backend";
import { addDays } from "../backend/days";
import { useStored } from "../controls/useStored";

export interface HeldDays {
  /** In order, with gaps between them. */
  spans: DaySpan[];
  /** They stand, but do not narrow the rows. */
  off?: boolean;
}

export interface StoredDays {
  /** The query that they belong to; a wider range is the same query. */
  signature: string;
  days: HeldDays | null;
}

const NO_DAYS: StoredDays = { signature: "", days: null };

export interface DaysNarrowing {
  /** Null if the rows are those of all days. */
  held: HeldDays | null;
  set: (days: HeldDays | null) => void;
}

/** The days to which the rows of a query are narrowed. */
export function useDaysNarrowing(signature: string): DaysNarrowing {
  const [stored, store] = useStored("tidemark.days", NO_DAYS);
  const set = useCallback((days: HeldDays | null) => store({ signature, days }), [store, signature]);
  const held = stored.signature === signature ? stored.days : null;
  return useMemo(() => ({ held, set }), [held, set]);
}

/** Days in order, those that follow each other as one span. */
export function joined(spans: readonly DaySpan[]): DaySpan[] {
  const sorted = [...spans].sort((a, b) => (a.from < b.from ? -1 : 1));
  const made: DaySpan[] = [];
  for (const { from, to } of sorted) {
    const last = made.at(-1);
    if (last === undefined || addDays(last.to, 1) < from) made.push({ from, to });
    else if (last.to < to) last.to = to;
  }
  return made;
}

/** The part of the days that is in a range. */
export function within(spans: readonly DaySpan[], { from, to }: DaySpan): DaySpan[] {
  return spans
    .filter((span) => span.from <= to && span.to >= from)
    .map((span) => ({ from: span.from < from ? from : span.from, to: span.to > to ? to : span.to }));
}

/** What narrows the rows of a view: null if nothing does, or if the days are none of its own. */
export function activeDays(held: HeldDays | null, { from, to }: DaySpan): DaySpan[] | null {
  if (held === null || held.off === true) return null;
  const spans = within(held.spans, { from, to });
  return spans.length === 0 ? null : spans;
}

/** How many spans are named. */
const MAX_NAMED = 2;

/** "2025-01-03 to 2025-01-05, 2025-01-09 and 3 more". */
export function spansText(spans: readonly DaySpan[]): string {
  const named = spans.slice(0, MAX_NAMED).map(({ from, to }) => (from === to ? from : `${from} to ${to}`));
  const further = spans.length - named.length;
  return named.join(", ") + (further > 0 ? ` and ${further} more` : "");
}
