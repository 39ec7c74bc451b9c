// The filter form as it is typed, and the query that it stands for.

import type { FilterField, FilterInput, FilterOperator, QueryInput, ValueType } from "../backend";
import { addValues, enteredValues } from "./tokens";

/** One condition of the form. Every kind of entry is kept, so that changing the operator loses nothing. */
export interface FilterRow {
  id: number;
  field: string;
  operator: FilterOperator;
  /** Values of the list operators. */
  tokens: string[];
  /** Text typed but not yet made a token. */
  draft: string;
  /** The one value of the single operators, and the low end of "between". */
  low: string;
  high: string;
}

/** What a field is called in the window: its label, or its name in the mapping. */
export function fieldName(field: FilterField): string {
  return field.label ?? field.name;
}

export interface FormState {
  from: string;
  to: string;
  rows: FilterRow[];
  advanced: string;
}

export const OPERATOR_LABELS: Record<FilterOperator, string> = {
  any_of: "any of",
  all_of: "all of",
  none_of: "none of",
  starts_with: "starts with",
  exists: "exists",
  missing: "is missing",
  between: "between",
  at_least: "at least",
  at_most: "at most",
};

const LISTS: FilterOperator[] = ["any_of", "all_of", "none_of"];
const ORDERED: ValueType[] = ["integer", "number", "decimal", "date"];

/** The operators that make sense for a type. */
export function operatorsFor(type: ValueType): FilterOperator[] {
  const ranged: FilterOperator[] = ORDERED.includes(type) ? ["between", "at_least", "at_most"] : [];
  const prefix: FilterOperator[] = type === "text" ? ["starts_with"] : [];
  return [...LISTS, ...prefix, ...ranged, "exists", "missing"];
}

/** How many values an operator takes. */
export function arity(operator: FilterOperator): "list" | "one" | "two" | "none" {
  if (LISTS.includes(operator)) return "list";
  if (operator === "between") return "two";
  return operator === "exists" || operator === "missing" ? "none" : "one";
}

/** The values of a row that its operator uses. */
export function rowValues(row: FilterRow): string[] {
  switch (arity(row.operator)) {
    case "list":
      return row.tokens;
    case "one":
      return row.low.trim() === "" ? [] : [row.low];
    case "two":
      return row.low.trim() === "" && row.high.trim() === "" ? [] : [row.low, row.high];
    case "none":
      return [];
  }
}

/** Whether a row narrows the query. */
export function isActive(row: FilterRow): boolean {
  return arity(row.operator) === "none" || rowValues(row).length > 0;
}

/** The query of a form. Text that is not yet a token does not count; see `commitDrafts`. */
export function toQuery(form: FormState): QueryInput {
  return {
    from: form.from,
    to: form.to,
    filters: form.rows
      .filter(isActive)
      .map((row) => ({ field: row.field, operator: row.operator, values: rowValues(row) })),
    advanced: form.advanced,
  };
}

/** Makes tokens of whatever is still being typed: a fetch must not leave out what the form shows. */
export function commitDrafts(form: FormState): FormState {
  if (form.rows.every((row) => row.draft.trim() === "")) return form;
  return { ...form, rows: form.rows.map(commitDraft) };
}

export function commitDraft(row: FilterRow): FilterRow {
  const draft = row.draft.trim();
  if (draft === "") return row.draft === "" ? row : { ...row, draft: "" };
  return { ...row, tokens: addValues(row.tokens, enteredValues(draft)), draft: "" };
}

function emptyRow(id: number, field: string): FilterRow {
  return { id, field, operator: "any_of", tokens: [], draft: "", low: "", high: "" };
}

function fill(row: FilterRow, input: FilterInput): FilterRow {
  const filled = { ...row, operator: input.operator };
  if (arity(input.operator) === "list") return { ...filled, tokens: addValues([], input.values) };
  return { ...filled, low: input.values[0] ?? "", high: input.values[1] ?? "" };
}

/**
 * The form that shows a query. A second condition on one field, or a field that the mapping does not
 * name, gets a row of its own: dropping it would silently widen the query.
 */
export function fromQuery(query: QueryInput, fields: readonly FilterField[]): FormState {
  const rows = fields.map((field, index) => emptyRow(index, field.name));
  for (const input of query.filters) {
    const at = rows.findIndex((row) => row.field === input.field && !isActive(row));
    const target = rows[at];
    if (target) rows[at] = fill(target, input);
    else rows.push(fill(emptyRow(rows.length, input.field), input));
  }
  return { from: query.from, to: query.to, rows, advanced: query.advanced };
}

/** The form with a condition in place of those that its field has. */
export function withFilter(form: FormState, filter: FilterInput): FormState {
  const at = form.rows.find((row) => row.field === filter.field)?.id;
  const rows = form.rows.map((row) =>
    row.field !== filter.field
      ? row
      : row.id === at
        ? fill(emptyRow(row.id, row.field), filter)
        : emptyRow(row.id, row.field),
  );
  return { ...form, rows };
}

/** Fits a form to a different set of fields (of a different source or mapping), keeping what was typed. */
export function refit(form: FormState, fields: readonly FilterField[]): FormState {
  const kept = form.rows.filter((row) => isActive(row) || row.draft !== "");
  const rows: FilterRow[] = [];
  for (const field of fields) {
    const own = kept.filter((row) => row.field === field.name);
    rows.push(...(own.length > 0 ? own : [emptyRow(0, field.name)]));
  }
  rows.push(...kept.filter((row) => !fields.some((field) => field.name === row.field)));
  return { ...form, rows: rows.map((row, index) => ({ ...row, id: index })) };
}

/**
 * What a form has in common with one of a different source: conditions on fields that are the same there. The values of
 * others would find nothing.
 */
export function inCommon(
  form: FormState,
  before: readonly FilterField[],
  after: readonly FilterField[],
): FormState {
  const pathIn = (fields: readonly FilterField[], name: string) =>
    fields.find((field) => field.name === name)?.path;
  const isSame = (name: string) => {
    const path = pathIn(after, name);
    return path !== undefined && pathIn(before, name) === path;
  };
  const areAllSame = after.every(({ name }) => isSame(name)) && before.every(({ name }) => isSame(name));
  return {
    ...form,
    rows: form.rows.filter((row) => isSame(row.field)),
    // It names paths, which are known to be the same only if all of them are.
    advanced: areAllSame ? form.advanced : "",
  };
}

/** Whether two queries have the same conditions, whatever their days and the order of their filters. */
function sameConditions(a: QueryInput, b: QueryInput): boolean {
  const texts = ({ filters, advanced }: QueryInput) => [
    ...filters.map((filter) => JSON.stringify([filter.field, filter.operator, filter.values])).sort(),
    advanced,
  ];
  return JSON.stringify(texts(a)) === JSON.stringify(texts(b));
}

/** Whether two queries have the same conditions and the same days. */
export function sameQuery(a: QueryInput, b: QueryInput): boolean {
  return a.from === b.from && a.to === b.to && sameConditions(a, b);
}
