// The order of the rows of each tab, kept while the query stays the same, and for the next start.

import type { Role, Sort } from "../backend";

export interface Sorts {
  /** The query that the orders belong to; a wider range is the same query. */
  signature: string;
  by: Record<Role, Sort[]>;
}

const NONE: Record<Role, Sort[]> = { input: [], downstream: [] };

export const NO_SORTS: Sorts = { signature: "", by: NONE };

/** What an earlier version stored for a tab: one sort or none. */
function asList(stored: Sort[] | Sort | null): Sort[] {
  if (Array.isArray(stored)) return stored;
  return stored === null ? [] : [stored];
}

/** The orders of a query: none if they were chosen for a different one. */
export function sortsFor(sorts: Sorts, signature: string): Record<Role, Sort[]> {
  if (sorts.signature !== signature) return NONE;
  const { input, downstream } = sorts.by;
  return { input: asList(input), downstream: asList(downstream) };
}

export function withSorts(sorts: Sorts, signature: string, role: Role, by: Sort[]): Sorts {
  return { signature, by: { ...sortsFor(sorts, signature), [role]: by } };
}
