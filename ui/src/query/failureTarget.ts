// Beside which part of the window a failure of the plan is shown. The engine says which field it is about.

import type { Failure, FailureTarget } from "../backend";

/** The part of the window with the field that a failure is about. */
export type TargetPart = "dates" | "filters" | "advanced" | "source" | "plan";

const PARTS: Record<FailureTarget["field"], TargetPart> = {
  dates: "dates",
  filter: "filters",
  advanced: "advanced",
  column: "plan",
  source_name: "source",
  connection_string: "source",
  password: "source",
  database: "source",
  collection: "source",
  mapping: "source",
  sql: "plan",
};

/** Where the user has to correct something; the failure is shown beside it. */
export function failureTargetOf({ target }: Failure): TargetPart {
  return target === null ? "plan" : PARTS[target.field];
}

/** Whether it has to be corrected in the form of the query. */
export function isOfForm(part: TargetPart): boolean {
  return part === "dates" || part === "filters" || part === "advanced";
}

/** Whether a plan's failure makes a fetch pointless: only a correction of the input helps. */
export function blocksFetch(failure: Failure): boolean {
  return failure.code === "bad_range" || failure.code === "bad_filter" || failure.code === "bad_mapping";
}
