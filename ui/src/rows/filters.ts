// The conditions on the columns of each tab, kept while the query stays the same, and for the next start.

import type { ColumnCondition, ColumnFilter, ColumnView, DaySpan, Role, RowQuery, Sort } from "../backend";
import { plural } from "../controls/format";

/** The condition of a column. There is at most one per column. */
export interface HeldFilter extends ColumnFilter {
  /** It stands, but does not narrow the rows. */
  off?: boolean;
}

export interface Filters {
  /** The query that they belong to; a wider range is the same query. */
  signature: string;
  by: Record<Role, HeldFilter[]>;
}

const NONE: Record<Role, HeldFilter[]> = { input: [], downstream: [] };

export const NO_FILTERS: Filters = { signature: "", by: NONE };

/** The filters of a query: none if they were set for a different one. */
export function filtersFor(filters: Filters, signature: string): Record<Role, HeldFilter[]> {
  return filters.signature === signature ? filters.by : NONE;
}

export function withFilters(filters: Filters, signature: string, role: Role, by: HeldFilter[]): Filters {
  return { signature, by: { ...filtersFor(filters, signature), [role]: by } };
}

/** The filters with a condition for a column, in its place if it has one already; null removes it. */
export function withCondition(
  held: readonly HeldFilter[],
  path: string,
  condition: ColumnCondition | null,
): HeldFilter[] {
  if (condition === null) return held.filter((filter) => filter.path !== path);
  const set = { path, condition };
  return held.some((filter) => filter.path === path)
    ? held.map((filter) => (filter.path === path ? set : filter))
    : [...held, set];
}

/** The condition of a column, if it is on. */
export function conditionOf(held: readonly HeldFilter[], path: string): ColumnCondition | undefined {
  return held.find((filter) => filter.path === path && filter.off !== true)?.condition;
}

/** The filters of the other columns. */
export function othersOf(filters: readonly ColumnFilter[], path: string): ColumnFilter[] {
  return filters.filter((filter) => filter.path !== path);
}

/** The filters with one of them switched off or on. */
export function switched(held: readonly HeldFilter[], path: string, on: boolean): HeldFilter[] {
  return held.map((filter) => {
    if (filter.path !== path) return filter;
    const { condition } = filter;
    return on ? { path, condition } : { path, condition, off: true };
  });
}

/** What narrows the rows: the filters that are on, of the columns that these rows have. */
export function activeFilters(held: readonly HeldFilter[], columns: readonly ColumnView[]): ColumnFilter[] {
  return held
    .filter(({ path, off }) => off !== true && columns.some((column) => column.path === path))
    .map(({ path, condition }) => ({ path, condition }));
}

/** The rows of a tab in an order, under what narrows them. */
export function rowQuery(
  role: Role,
  sorts: Sort[],
  filters: ColumnFilter[],
  days: DaySpan[] | null = null,
): RowQuery {
  const rows = filters.length === 0 ? { role, sorts } : { role, sorts, filters };
  return days === null ? rows : { ...rows, days };
}

/** What is typed as a condition; blank text is none. */
export function typedCondition(text: string): ColumnCondition | null {
  return text.trim() === "" ? null : { kind: "text", text };
}

/** What the field of a column shows of its condition. */
export function typedText(condition: ColumnCondition | undefined): string {
  return condition?.kind === "text" ? condition.text : "";
}

/** How many of the values of a list are named. */
const MAX_NAMED = 3;

/** A condition in words: "product: >=5", "product is Brent, Gas or 3 more values". */
export function conditionText(name: string, condition: ColumnCondition): string {
  if (condition.kind === "text") return `${name}: ${condition.text.trim()}`;
  const named = condition.values.slice(0, MAX_NAMED).map((value) => (value === "" ? '""' : value));
  const further = condition.values.length - named.length;
  const parts = [
    ...named,
    ...(further > 0 ? [plural(further, "more value")] : []),
    ...(condition.empty ? ["empty"] : []),
  ];
  if (parts.length === 0) return `${name} is none of its values`;
  const last = parts.pop();
  return `${name} is ${parts.length === 0 ? last : `${parts.join(", ")} or ${last}`}`;
}
