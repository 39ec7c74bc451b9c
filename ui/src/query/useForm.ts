import { type Dispatch, useReducer } from "react";

import type { FilterField, QueryInput } from "../backend";
import { commitDraft, commitDrafts, type FilterRow, type FormState, fromQuery, refit } from "./filters";

export type FormAction =
  | { type: "range"; from: string; to: string }
  | { type: "row"; id: number; change: Partial<Omit<FilterRow, "id" | "field">> }
  | { type: "commit"; id: number }
  | { type: "commit_all" }
  | { type: "advanced"; text: string }
  | { type: "load"; query: QueryInput; fields: readonly FilterField[] }
  | { type: "fields"; fields: readonly FilterField[] }
  | { type: "clear_filters" };

export function formReducer(form: FormState, action: FormAction): FormState {
  switch (action.type) {
    case "range":
      return { ...form, from: action.from, to: action.to };
    case "row":
      return {
        ...form,
        rows: form.rows.map((row) => (row.id === action.id ? { ...row, ...action.change } : row)),
      };
    case "commit":
      return { ...form, rows: form.rows.map((row) => (row.id === action.id ? commitDraft(row) : row)) };
    case "commit_all":
      return commitDrafts(form);
    case "advanced":
      return { ...form, advanced: action.text };
    case "load":
      return fromQuery(action.query, action.fields);
    case "fields":
      return refit(form, action.fields);
    case "clear_filters":
      return {
        ...form,
        rows: form.rows.map((row) => ({
          ...row,
          operator: "any_of",
          tokens: [],
          draft: "",
          low: "",
          high: "",
        })),
        advanced: "",
      };
  }
}

export function useForm(
  first: QueryInput,
  fields: readonly FilterField[],
): [FormState, Dispatch<FormAction>] {
  return useReducer(formReducer, null, () => fromQuery(first, fields));
}
