import { useCallback } from "react";

import { type Role, type RowQuery, toFailure, type ViewKey, type ViewShape } from "../backend";
import { useBackend } from "../backend/context";
import { useToast } from "../controls/toasts";
import { cellChange } from "../query/fromCell";
import { useCellFilters } from "../query/queryFilters";

interface Of {
  role: Role;
  viewKey: ViewKey;
  rows: RowQuery;
  shape: ViewShape;
  /** Called if the rows have changed since they were drawn. */
  outdated: () => void;
}

export interface QueryFilter {
  /** Why the value of a cell cannot be a filter of the query; null if it can. */
  reason: (path: string, value: string | null | undefined) => string | null;
  /** Makes it one. */
  use: (row: number, path: string, value: string | null | undefined) => void;
}

/** Makes the value of a cell a filter of the query, typed as the row's document has it. */
export function useQueryFilter({ role, viewKey, rows, shape, outdated }: Of): QueryFilter {
  const backend = useBackend();
  const say = useToast();
  const { fields, blocked, apply } = useCellFilters();
  const reason = useCallback(
    (path: string, value: string | null | undefined) => {
      if (blocked !== null) return blocked;
      if (value === undefined) return "The row has not been read yet";
      if (role === "input" || fields.some((field) => field.path === path)) return null;
      return "The filters of the query are about trades";
    },
    [role, fields, blocked],
  );
  const use = useCallback(
    (row: number, path: string, value: string | null | undefined) => {
      const why = reason(path, value);
      if (why !== null || value === undefined) return say(`The query is unchanged: ${why}`);
      backend.rowDetail(viewKey, rows, row).then(
        ({ generation, canonical, day }) => {
          if (generation !== shape.generation) return outdated();
          const isDay = role === "input" && path === shape.time_column && value !== null;
          apply(cellChange({ path, text: value, canonical, day: isDay ? day : null, fields }));
        },
        (error: unknown) => say(toFailure(error)),
      );
    },
    [backend, viewKey, rows, role, shape, fields, reason, apply, outdated, say],
  );
  return { reason, use };
}
