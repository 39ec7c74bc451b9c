// Where in the window a failure of the plan belongs.

import type { Connection, Failure, QueryInput, SourceProfile } from "../backend";
import { namesUser } from "./sourceText";

export type Place = "dates" | "filters" | "advanced" | "source" | "plan";

/** Beside what the trader has to correct, so that it need not be looked for. */
export function placeOf(failure: Failure, query: QueryInput): Place {
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

/** Whether the source is there and wants a password, which is never stored, or another one. */
export function needsPassword(connection: Connection, profile: SourceProfile | null): boolean {
  return connection.state === "offline" && connection.failure.code === "auth_failed" && namesUser(profile);
}

/** Whether a plan's failure makes pressing Fetch pointless: only what was typed can mend it. */
export function blocksFetch(failure: Failure): boolean {
  return failure.code === "bad_range" || failure.code === "bad_filter" || failure.code === "bad_mapping";
}
