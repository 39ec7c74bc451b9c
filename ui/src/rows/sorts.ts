// The order of the rows of each tab, kept while the query stays the same, and for the next start.

import type { Role, Sort } from "../backend";

export interface Sorts {
  /** The query that the orders belong to; a wider range is the same query. */
  signature: string;
  by: Record<Role, Sort | null>;
}

const NONE: Record<Role, Sort | null> = { input: null, downstream: null };

export const NO_SORTS: Sorts = { signature: "", by: NONE };

/** The orders of a query: none if they were chosen for a different one. */
export function sortsFor(sorts: Sorts, signature: string): Record<Role, Sort | null> {
  return sorts.signature === signature ? sorts.by : NONE;
}

export function withSort(sorts: Sorts, signature: string, role: Role, sort: Sort | null): Sorts {
  return { signature, by: { ...sortsFor(sorts, signature), [role]: sort } };
}
