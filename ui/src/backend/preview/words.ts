// Sentences that the engine would send.

import type { FilterInput, QueryInput } from "../types";

/** 48,211 */
export function count(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: 0 });
}

function condition({ field, operator, values }: FilterInput): string {
  const list = [...new Set(values)].sort().join(", ");
  const [low = "", high = ""] = values.map((value) => value.trim());
  switch (operator) {
    case "any_of":
      return `${field}: ${list}`;
    case "all_of":
      return `${field} has all of ${list}`;
    case "none_of":
      return `${field} is not ${list}`;
    case "starts_with":
      return `${field} starts with ${low}`;
    case "at_least":
      return `${field} at least ${low}`;
    case "at_most":
      return `${field} at most ${low}`;
    case "between":
      if (high === "") return `${field} at least ${low}`;
      return low === "" ? `${field} at most ${high}` : `${field} from ${low} to ${high}`;
    case "exists":
      return `${field} exists`;
    case "missing":
      return `${field} is missing`;
  }
}

/** The filters of a query as the list of cached queries shows them. */
export function filtersText({ filters, advanced }: QueryInput): string {
  const parts = [...filters]
    .sort((a, b) => (a.field < b.field ? -1 : a.field > b.field ? 1 : 0))
    .map(condition);
  const match = advanced.trim().replace(/\s+/g, " ");
  if (match !== "" && match !== "{}") parts.push(`and ${match}`);
  return parts.length === 0 ? "no filter" : parts.join(" · ");
}
