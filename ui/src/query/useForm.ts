import { type Dispatch, useReducer } from "react";

import type { FilterField, FilterInput, QueryInput } from "../backend";
import {
  commitDraft,
  commitDrafts,
  type FilterRow,
  type FormState,
  fromQuery,
  inCommon,
  refit,
  withFilter,
} from "./filters";

export type FormAction =
  | { type: "range"; from: string; to: string }
  | { type: "row"; id: number; change: Partial<Omit<FilterRow, "id" | "field">> }
  | { type: "commit"; id: number }
  | { type: "commit_all" }
  | { type: "advanced"; text: string }
  | { type: "load"; query: QueryInput; fields: readonly FilterField[] }
  | { type: "clear_filters" }
  | { type: "clear_row"; id: number }
  | { type: "set_filter"; filter: FilterInput }
  | { type: "source"; source: string; fields: readonly FilterField[] };

/** The form of the source in use, and what was left in those of others. */
export interface SourceForms {
  form: FormState;
  /** The id of the source; "" if there is none. */
  source: string;
  fields: readonly FilterField[];
  left: Readonly<Record<string, FormState>>;
}

function cleared(row: FilterRow): FilterRow {
  return { ...row, operator: "any_of", tokens: [], draft: "", low: "", high: "" };
}

function formReducer(form: FormState, action: Exclude<FormAction, { type: "source" }>): FormState {
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
    case "set_filter":
      return withFilter(form, action.filter);
    case "clear_filters":
      return { ...form, rows: form.rows.map(cleared), advanced: "" };
    case "clear_row":
      return { ...form, rows: form.rows.map((row) => (row.id === action.id ? cleared(row) : row)) };
  }
}

export function sourceFormsReducer(forms: SourceForms, action: FormAction): SourceForms {
  if (action.type !== "source") return { ...forms, form: formReducer(forms.form, action) };
  const { source, fields } = action;
  const { form } = forms;
  // Without a source, the form may show a cached query of any.
  if (source === forms.source || forms.source === "") {
    return { ...forms, source, fields, form: refit(form, fields) };
  }
  const known = forms.left[source];
  const begun =
    known === undefined ? inCommon(form, forms.fields, fields) : { ...known, from: form.from, to: form.to };
  return { form: refit(begun, fields), source, fields, left: { ...forms.left, [forms.source]: form } };
}

/** The form, and how it is changed. The days stay when the source changes; the filters belong to the source. */
export function useForm(
  first: QueryInput,
  source: string,
  fields: readonly FilterField[],
): [FormState, Dispatch<FormAction>] {
  const [forms, dispatch] = useReducer(sourceFormsReducer, null, () => ({
    form: fromQuery(first, fields),
    source,
    fields,
    left: {},
  }));
  return [forms.form, dispatch];
}
