// Conditions of the form that come from elsewhere in the window: a cell of the rows.

import { createContext, type Dispatch, use, useMemo } from "react";

import type { FilterField } from "../backend";
import { useToast } from "../controls/toasts";
import { conditionText } from "./chips";
import { fieldName, type FormState, isActive, withFilter } from "./filters";
import { type CellChange, withMatch } from "./fromCell";
import type { FormAction } from "./useForm";

export interface QueryFilters {
  fields: readonly FilterField[];
  /** Why no cell can be a filter of the query; null if cells can. */
  blocked: string | null;
  /** Changes the form, and says so. Fetches nothing. */
  apply: (change: CellChange) => void;
}

const NO_FORM: QueryFilters = { fields: [], blocked: "There is no query to filter", apply: () => undefined };

export const QueryFiltersContext = createContext(NO_FORM);

/** What cells of the rows need to become filters of the query. */
export function useCellFilters(): QueryFilters {
  return use(QueryFiltersContext);
}

const LATER = "It has not been fetched yet.";

/** What a change makes of the form, in words. */
export function changeText(change: CellChange, form: FormState, fields: readonly FilterField[]): string {
  if (change.kind === "none") return `The query is unchanged: ${change.why}`;
  if (change.kind === "days") return `The query is now of ${change.day}. ${LATER}`;
  if (change.kind === "match") {
    return `The advanced match of the query now has a condition on ${change.path}. ${LATER}`;
  }
  const { filter } = change;
  const field = fields.find(({ name }) => name === filter.field);
  const name = field === undefined ? filter.field : fieldName(field);
  const of = ({ rows }: FormState) => rows.find((row) => row.field === filter.field && isActive(row));
  const [before, after] = [of(form), of(withFilter(form, filter))];
  const now = after === undefined ? name : conditionText(after, name);
  const replaced = before === undefined ? "" : `, in place of ${conditionText(before, name)}`;
  return `The query now has ${now}${replaced}. ${LATER}`;
}

/** The way from the cells to the form. `otherSource` says where the rows are from, if not from the source in use. */
export function useQueryFilters(
  form: FormState,
  fields: readonly FilterField[],
  dispatch: Dispatch<FormAction>,
  otherSource: string | null,
): QueryFilters {
  const say = useToast();
  return useMemo(
    () => ({
      fields,
      blocked: otherSource === null ? null : `These rows are ${otherSource}`,
      apply: (change) => {
        say(changeText(change, form, fields));
        if (change.kind === "filter") dispatch({ type: "set_filter", filter: change.filter });
        else if (change.kind === "days") dispatch({ type: "range", from: change.day, to: change.day });
        else if (change.kind === "match") {
          dispatch({ type: "advanced", text: withMatch(form.advanced, change.path, change.value) });
        }
        const field = change.kind === "filter" ? `filter-${change.filter.field}` : "advanced-input";
        if (change.kind !== "none") setTimeout(() => showField(field), 0);
      },
    }),
    [form, fields, dispatch, otherSource, say],
  );
}

/** Brings a field of the form into view, if the form is shown. */
function showField(testId: string): void {
  const fields = [...document.querySelectorAll<HTMLElement>(".query-form [data-testid]")];
  fields.find((at) => at.dataset.testid === testId)?.scrollIntoView?.({ block: "nearest" });
}
