// What is shown instead of rows.

import type { Role } from "../backend";
import type { Narrowed } from "./useNarrowed";

/** If filters are set, they are the likeliest reason for having none. */
const NO_ROWS: Record<Role, { filtered: string; unfiltered: string }> = {
  input: {
    filtered: "No trades match these filters on these days.",
    unfiltered: "There are no trades for these days.",
  },
  downstream: {
    filtered: "There are no messages for the trades that match these filters on these days.",
    unfiltered: "There are no messages for the trades of these days.",
  },
};

/** Why there are no rows: the likeliest reason. */
export function noRowsText(role: Role, filtered: boolean, { filters, days, shape }: Narrowed): string {
  if (shape.rows > 0) {
    if (filters.length > 0) return "No row meets the filters of the columns.";
    if (days !== null) return "There are no rows on the chosen days.";
  }
  return NO_ROWS[role][filtered ? "filtered" : "unfiltered"];
}
