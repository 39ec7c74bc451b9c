// Which part of the window a failure of the plan is about.

import type { Failure, QueryInput } from "../backend";

export type FailureTarget = "dates" | "filters" | "advanced" | "source" | "plan";

/** What the user has to correct; the failure is shown beside it. */
export function failureTargetOf(failure: Failure, query: QueryInput): FailureTarget {
  switch (failure.code) {
    case "bad_range":
      return "dates";
    case "bad_filter": {
      if (query.advanced.trim() === "") return "filters";
      const text = `${failure.message} ${failure.cause ?? ""}`.toLowerCase();
      if (text.includes("advanced") || query.filters.length === 0) return "advanced";
      const named = query.filters.some((filter) => text.includes(filter.field.toLowerCase()));
      return named ? "filters" : "advanced";
    }
    case "bad_mapping":
    case "auth_failed":
    case "tls_failed":
    case "not_authorized":
      return "source";
    default:
      return "plan";
  }
}

/** Whether a plan's failure makes a fetch pointless: only a correction of the input helps. */
export function blocksFetch(failure: Failure): boolean {
  return failure.code === "bad_range" || failure.code === "bad_filter" || failure.code === "bad_mapping";
}
