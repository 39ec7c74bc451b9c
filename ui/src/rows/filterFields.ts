// What the fields under the headings show of the filters.

import { plural } from "../controls/format";
import { type HeldFilter, typedText } from "./filters";
import type { FilterCell } from "./grid/contract";
import type { Mistake } from "./useNarrowed";

/** "3 values", "2 values or empty": a list in a narrow field. */
function noteOf({ condition }: HeldFilter): string {
  if (condition.kind === "text") return "";
  const values = plural(condition.values.length, "value");
  if (!condition.empty) return values;
  return condition.values.length === 0 ? "empty" : `${values} or empty`;
}

/** The fields by the paths of their columns. What was refused stays in its field, to be corrected. */
export function filterCells(
  wanted: readonly HeldFilter[],
  mistakes: Readonly<Record<string, Mistake>>,
): Record<string, FilterCell> {
  const cells: Record<string, FilterCell> = {};
  for (const filter of wanted) {
    if (filter.off === true) continue;
    cells[filter.path] = { text: typedText(filter.condition), note: noteOf(filter), mistake: null };
  }
  for (const [path, { text, message }] of Object.entries(mistakes)) {
    cells[path] = { text, note: "", mistake: message };
  }
  return cells;
}
