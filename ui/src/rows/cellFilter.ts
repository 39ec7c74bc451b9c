// Conditions made of the value of a cell.

import type { ColumnCondition, ColumnView } from "../backend";
import { cutText } from "../controls/format";
import { typedText } from "./filters";
import type { CellFilter } from "./grid/gridKeys";

type Cell = string | null;

/** A value as it is typed after an operator: in quotes where it would end otherwise. */
function operand(value: string): string {
  return /^$|[",]|^\s|\s$/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

/** Whether the values of a column are less or more than others, which a person would want to know. */
export function isOrdered(column: ColumnView | undefined): boolean {
  return column !== undefined && (column.numeric || column.types.includes("date"));
}

/** The condition of a column without one value more. */
function without(value: Cell, before: ColumnCondition | undefined): ColumnCondition {
  if (before?.kind === "values") {
    const values = before.values.filter((one) => one !== value);
    return { kind: "values", values, empty: before.empty && value !== null };
  }
  const text = value === null ? "!empty" : `!=${operand(value)}`;
  const typed = typedText(before).trim();
  // What is excluded goes for all that a text lists.
  return { kind: "text", text: typed === "" ? text : `${typed}, ${text}` };
}

/** The condition that a command makes of a cell; `before` is what the column has. */
export function cellCondition(
  command: CellFilter,
  value: Cell,
  before: ColumnCondition | undefined,
): ColumnCondition {
  switch (command) {
    case "filter_equals":
      // The cell as it is shown, whatever its type.
      return { kind: "values", values: value === null ? [] : [value], empty: value === null };
    case "filter_not":
      return without(value, before);
    case "filter_at_least":
      return { kind: "text", text: `>=${operand(value ?? "")}` };
    case "filter_contains":
      return { kind: "text", text: `~${operand(value ?? "")}` };
    case "filter_empty":
      return { kind: "text", text: "empty" };
  }
}

/** What can be made of a cell. */
export function cellFilters(value: Cell | undefined, column: ColumnView | undefined): CellFilter[] {
  if (value === undefined) return ["filter_empty"];
  if (value === null) return ["filter_not", "filter_empty"];
  const further: CellFilter[] = isOrdered(column) ? ["filter_at_least"] : [];
  if (value !== "") further.push("filter_contains");
  return ["filter_equals", "filter_not", ...further, "filter_empty"];
}

/** The longest value that a menu names. */
const MAX_NAMED = 24;

/** "Filter: is not Brent": a command as the menu of a cell calls it. */
export function cellFilterText(command: CellFilter, value: Cell | undefined): string {
  const named = value === null ? "empty" : value === "" ? '""' : cutText(value ?? "", MAX_NAMED);
  switch (command) {
    case "filter_equals":
      return `Filter: is ${named}`;
    case "filter_not":
      return `Filter: is not ${named}`;
    case "filter_at_least":
      return `Filter: at least ${named}`;
    case "filter_contains":
      return `Filter: contains ${named}`;
    case "filter_empty":
      return "Filter: empty";
  }
}
