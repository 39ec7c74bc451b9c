// Sentences that the engine would send.

import { filterText } from "./filterText";
import type { QueryInput } from "../types";

/** 48,211 */
export function count(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: 0 });
}

/** The filters of a query as the list of cached queries shows them. */
export function filtersText({ filters, advanced }: QueryInput): string {
  const listed = (values: readonly string[]) => [...new Set(values)].sort().join(", ");
  const parts = [...filters]
    .sort((a, b) => (a.field < b.field ? -1 : a.field > b.field ? 1 : 0))
    .map((filter) => filterText(filter, listed(filter.values)));
  const match = advanced.trim().replace(/\s+/g, " ");
  if (match !== "" && match !== "{}") parts.push(`and ${match}`);
  return parts.length === 0 ? "no filter" : parts.join(" · ");
}
