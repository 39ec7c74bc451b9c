// The query of the form on one line, while the form is folded.

import type { FilterField } from "../backend";
import { plural } from "../controls/format";
import {
  arity,
  fieldName,
  type FilterRow,
  type FormState,
  isActive,
  OPERATOR_LABELS,
  rowValues,
} from "./filters";

/** One condition of the form, or its days. */
export interface Chip {
  id: string;
  text: string;
  /** All of it; `text` names the first values only. */
  whole: string;
  /** The element of the form that edits it. */
  editor: string;
  /** What takes it out of the query; null for the days, which every query has. */
  remove: { row: number } | "advanced" | null;
}

/** A chip names this many values; the rest are counted. */
const NAMED = 2;

/** A condition in words, with this many of its values. */
export function conditionText(row: FilterRow, name: string, most = NAMED): string {
  const kind = arity(row.operator);
  const label = OPERATOR_LABELS[row.operator];
  if (kind === "none") return `${name} ${label}`;
  const values = rowValues(row);
  if (kind === "two") return `${name} ${label} ${values[0] ?? ""} and ${values[1] ?? ""}`;
  const named = values.slice(0, most).join(", ");
  const rest = values.length - most;
  const text = rest > 0 ? `${named} and ${rest} more` : named;
  return row.operator === "any_of" ? `${name}: ${text}` : `${name} ${label} ${text}`;
}

/** The days and the conditions of a form. */
export function chipsOf(form: FormState, fields: readonly FilterField[]): Chip[] {
  const days = form.from === form.to ? form.from : `${form.from} to ${form.to}`;
  const conditions = form.rows.filter(isActive).map((row): Chip => {
    const field = fields.find(({ name }) => name === row.field);
    const name = field === undefined ? row.field : fieldName(field);
    return {
      id: `row-${row.id}`,
      text: conditionText(row, name),
      whole: conditionText(row, name, Infinity),
      editor: `[data-testid="filter-${row.field}"] input, [data-testid="filter-${row.field}"] button`,
      remove: { row: row.id },
    };
  });
  const advanced: Chip[] =
    form.advanced.trim() === ""
      ? []
      : [
          {
            id: "advanced",
            text: "Advanced match",
            whole: `Advanced match: ${form.advanced.trim()}`,
            editor: "[data-testid=advanced-input]",
            remove: "advanced",
          },
        ];
  return [
    { id: "days", text: days, whole: `Days: ${days}`, editor: ".segment[tabindex='0']", remove: null },
    ...conditions,
    ...advanced,
  ];
}

/** "Query: 2 filters" */
export function chipsLabel(chips: readonly Chip[]): string {
  const conditions = chips.length - 1;
  return conditions === 0 ? "Query: no filter" : `Query: ${plural(conditions, "filter")}`;
}
